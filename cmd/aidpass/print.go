package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/press"
	"aidpass/issuer/print"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
	"aidpass/words"
)

type printFlags struct {
	out, paper, lang, complaint, pins, list string
	duplex, plain, names, photos            bool
	boxes                                   int
}

func (a *app) printCommand() *cobra.Command {
	var f printFlags
	cmd := &cobra.Command{
		Use:   "print cards.jsonl --out FILE.pdf",
		Short: "Put cards on paper, read them back from the finished file, and write the print log",
		Long: `Put cards on paper, read them back from the finished file, and write the print log.

The face of a card is neutral: number, code, dates, whom to ask. --names and
--photos add what each holder chose, on record, to have printed, and nothing for
those who did not. --plain leaves organisation and programme off.

The file is drawn again at 150 dots an inch from its own bytes; a code that does
not read, or a word that does not belong on paper, keeps it from being written. A
card with a letter that no typeface has is left out and named by its ids.

Paper: a4 (10 cards a sheet), letter (8), a6 (a slip a page), 58 and 80 (slips for
thermal printers, in mm). Cards are 85.60 x 53.98 mm: print at 100 %, and try
aidpass print ruler first. More than 500 sheets become several files.

A card is printed once: those that were printed or revoked are left out and counted,
and what is printed again is a replacement, with the old card revoked. The same
command again, for a file that was lost, writes the same file.`,
		Example: `  aidpass print ruler --out ruler.pdf
  aidpass print cards.jsonl --out cards.pdf --complaint "+254 700 111 222"
  aidpass print cards.jsonl --out cards.pdf --paper letter --duplex --plain --lang ar --list handover.pdf
  aidpass print cards.jsonl --out slips.pdf --paper a6 --pins pins.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.printCards(cmd.Context(), args[0], f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.out, "out", "", "file to write (required)")
	fl.StringVar(&f.paper, "paper", "a4", "a4, letter, a6, 58 or 80")
	fl.StringVar(&f.lang, "lang", "en", "language of the cards: "+strings.Join(words.Tags(), ", "))
	fl.StringVar(&f.complaint, "complaint", "", `whom to ask, in one line, as "+254 700 111 222" (default: any help desk)`)
	fl.IntVar(&f.boxes, "boxes", print.MaxBoxes, "boxes to mark collections in, 0 to 12")
	fl.BoolVar(&f.duplex, "duplex", false, "print backs, for sheets turned over their long edge")
	fl.BoolVar(&f.plain, "plain", false, "leave organisation and programme off")
	fl.BoolVar(&f.names, "names", false, "print the names of those who chose that")
	fl.BoolVar(&f.photos, "photos", false, "print the photographs of those who chose that")
	fl.StringVar(&f.pins, "pins", "", "print the PINs of this file (of issue --pins) on slips")
	fl.StringVar(&f.list, "list", "", "write a list for the hand-over to this file too: card numbers and numbers in the list; names only with --names")
	cmd.AddCommand(a.printRulerCommand())
	return cmd
}

func (a *app) printRulerCommand() *cobra.Command {
	var out, paper, lang string
	cmd := &cobra.Command{
		Use:   "ruler --out FILE.pdf",
		Short: "Make a page to test a printer with: lines of a known length, margins, a code",
		Example: `  aidpass print ruler --out ruler.pdf
  aidpass print ruler --out ruler.pdf --paper 58 --lang sw`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opt, err := printOptions(out, paper, lang)
			if err != nil {
				return err
			}
			f, err := print.Ruler(opt)
			if err != nil {
				return printError(err)
			}
			if err := makeParent(out); err != nil {
				return err
			}
			if err := print.Release(cmd.Context(), f, out, nil, nil); err != nil {
				return err
			}
			return a.print(map[string]any{"out": out, "paper": opt.Paper.String()}, func(w io.Writer) {
				fmt.Fprintf(w, "test page: %s\nprint it at 100 %%, measure the lines, and read the code with a phone\n", out)
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write (required)")
	cmd.Flags().StringVar(&paper, "paper", "a4", "a4, letter, a6, 58 or 80")
	cmd.Flags().StringVar(&lang, "lang", "en", "language of the page: "+strings.Join(words.Tags(), ", "))
	return cmd
}

func printOptions(out, paper, lang string) (opt print.Options, err error) {
	if out == "" {
		return opt, usagef("--out is missing").hint("--out cards.pdf")
	}
	if opt.Paper, err = print.ParsePaper(paper); err != nil {
		return opt, usagef("%w", err)
	}
	if _, ok := words.Language(lang); !ok {
		return opt, usagef("no language %q", lang).hint("one of %s", strings.Join(words.Tags(), ", "))
	}
	opt.Lang = lang
	return opt, nil
}

// printError gives the ways out of what printing may meet.
func printError(err error) error {
	var failure *proof.Failure
	var refusal *print.Refusal
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fonts.ErrNone):
		return usagef("%w", err).hint("make fonts, then make build: the typefaces are third parties' and are fetched once")
	case errors.Is(err, print.ErrPIN):
		return usagef("%w", err).hint("--paper a6")
	case errors.As(err, &failure):
		return usagef("%w", err).hint("nothing was written; print that card alone on larger paper (--paper a6)")
	case errors.As(err, &refusal):
		return usagef("%w", err).hint("nothing was written; --names prints only names that their holders chose")
	case errors.Is(err, issuer.ErrPrinted):
		return usagef("%w", err).hint(wayOutOfPrinted)
	case errors.Is(err, issuer.ErrCardState), errors.Is(err, issuer.ErrNotFound):
		return usagef("%w", err).hint("take its line out of the file of cards, or print the cards of a newer one")
	}
	return err
}

// printedFile is one file of a run.
type printedFile struct {
	Path  string `json:"path"`
	Pages int    `json:"pages"`
	Cards int    `json:"cards"`
	Job   string `json:"job"` // of the print log
	Hash  string `json:"sha256"`
}

func (a *app) printCards(ctx context.Context, path string, f printFlags) error {
	opt, err := printOptions(f.out, f.paper, f.lang)
	if err != nil {
		return err
	}
	opt.Duplex, opt.Plain = f.duplex, f.plain
	if f.boxes < 0 || f.boxes > print.MaxBoxes {
		return usagef("--boxes %d: 0 to %d", f.boxes, print.MaxBoxes)
	}
	if f.pins != "" && (opt.Paper == print.A4 || opt.Paper == print.Letter) {
		return printError(print.ErrPIN)
	}
	if err := distinct(named{"--out", f.out}, named{"--list", f.list}, named{"the file of cards", path}, named{"--pins", f.pins}); err != nil {
		return err
	}
	lines, err := readCards(path)
	if err != nil {
		return err
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	run := &printRun{app: a, o: o, f: f, opt: opt}
	cards, err := run.cards(ctx, lines)
	if err != nil {
		return err
	}
	if cards, err = run.left(ctx, cards); err != nil {
		return err
	}
	return run.all(ctx, cards)
}

// printRun is one run of print.
type printRun struct {
	*app
	o     *org
	f     printFlags
	opt   print.Options
	rules proof.Rules

	files           []printedFile
	stopped, warned []print.Note

	printed, revoked int // left out: on paper already, or cancelled
}

// all prints the files of a run, each proved and in the log before it is written.
func (r *printRun) all(ctx context.Context, cards []print.Card) error {
	parts := print.Split(cards, r.opt.Paper)
	for i, part := range parts {
		path := r.f.out
		if len(parts) > 1 {
			ext := filepath.Ext(path)
			path = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), i+1, ext)
		}
		if err := r.one(ctx, part, path); err != nil {
			return err
		}
	}
	if r.f.list != "" {
		if err := r.list(ctx, cards); err != nil {
			return err
		}
	}
	count := 0
	for _, f := range r.files {
		count += f.Cards
	}
	result := map[string]any{"printed": count, "files": r.files, "printed_before": r.printed, "revoked": r.revoked, "stopped": notes(r.stopped), "warned": notes(r.warned), "list": r.f.list}
	err := r.print(result, func(w io.Writer) {
		for _, f := range r.files {
			fmt.Fprintf(w, "%s on %s: %s (print job %s)\n", plural(f.Cards, "card", "cards"), plural(f.Pages, "page", "pages"), f.Path, f.Job)
		}
		if r.printed+r.revoked > 0 {
			fmt.Fprintf(w, "left out: %s; %s\n", r.leftOut(), wayOutOfPrinted)
		}
		for _, n := range r.stopped {
			fmt.Fprintf(w, "  not printed: %v\n", n)
		}
		for _, n := range r.warned {
			fmt.Fprintf(w, "  %v\n", n)
		}
		if r.f.list != "" {
			fmt.Fprintf(w, "list for the hand-over: %s\n", r.f.list)
		}
		if count > 0 {
			fmt.Fprintln(w, "print at 100 %, with no fitting to the page")
		}
	})
	if err == nil && count == 0 {
		return usagef("no card was printed").hint("each is named above with what to mend")
	}
	return err
}

// notes is never null in JSON.
func notes(list []print.Note) []map[string]string {
	all := make([]map[string]string, len(list))
	for i, n := range list {
		all[i] = map[string]string{"credential": n.CardID, "unit": n.Unit, "why": n.Why}
	}
	return all
}

// one prints one file.
func (r *printRun) one(ctx context.Context, cards []print.Card, path string) error {
	bar := r.progress("drawing")
	opt := r.opt
	opt.Progress = bar.step
	file, err := print.Cards(ctx, cards, opt)
	bar.end()
	if err != nil {
		return printError(err)
	}
	r.stopped, r.warned = append(r.stopped, file.Stopped...), append(r.warned, file.Warned...)
	if len(file.Placed) == 0 {
		return nil
	}
	job, err := press.JobOf(&file, r.job())
	if err != nil {
		return err
	}
	desk := &issuer.Desk{Issuer: r.o.entry.ID, Store: r.o.store, Actor: r.actor(access.Issuer), Now: r.Now}
	if err := makeParent(path); err != nil {
		return err
	}
	r.say("reading %s back", plural(file.Pages, "page", "pages"))
	err = print.Release(ctx, file, path, &r.rules, func() (err error) {
		job, err = desk.RecordPrint(ctx, job)
		return err
	})
	if err != nil {
		return printError(err)
	}
	r.files = append(r.files, printedFile{path, file.Pages, len(file.Placed), job.ID, hex.EncodeToString(job.Digest[:])})
	return nil
}

// list writes the list for the hand-over, of the cards that were printed.
func (r *printRun) list(ctx context.Context, cards []print.Card) error {
	stopped := map[string]bool{}
	for _, n := range r.stopped {
		stopped[n.CardID] = true
	}
	cards = slices.DeleteFunc(slices.Clone(cards), func(c print.Card) bool { return stopped[c.ID] })
	file, err := print.List(ctx, cards, r.f.names, r.opt)
	if err != nil {
		return printError(err)
	}
	r.warned = append(r.warned, file.Stopped...)
	rules := &r.rules
	if r.f.names {
		rules = nil // names were asked for, and no card can be told from its row
	}
	if err := makeParent(r.f.list); err != nil {
		return err
	}
	return printError(print.Release(ctx, file, r.f.list, rules, nil))
}
