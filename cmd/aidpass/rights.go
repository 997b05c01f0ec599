package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/internal/durable"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
	"aidpass/schemas"
	"aidpass/words"
)

func (a *app) rightsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rights",
		Short: "What somebody may ask about her data: to see it, to have it mended or forgotten",
		Example: `  aidpass rights print P-0107 --list camp-north --lang ar --out hers.pdf
  aidpass rights ask P-0107 --list camp-north --for correction --text "born 1978, not 1987"`,
	}
	cmd.AddCommand(a.rightsPrintCommand(), a.rightsAskCommand(), a.rightsRequestsCommand(), a.rightsAnswerCommand())
	return cmd
}

func (a *app) rightsPrintCommand() *cobra.Command {
	var which whichRecord
	var lang, out, complain string
	cmd := &cobra.Command{
		Use:   "print ID|NUMBER",
		Short: "Print for a person all that is held about her, who looked at it and who received it",
		Long: `Print for a person all that is held about her, in her language: what is written down,
what she answered, who received it under which agreement and until when they keep it,
what she asked for, who looked at her record, and how she complains. Staff stand on it
by a code that names nobody.`,
		Example: `  aidpass rights print P-0107 --list camp-north --lang ar --out hers.pdf
  aidpass rights print 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --lang sw --complain "0800 000 000"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			catalogue, ok := words.Language(lang)
			if !ok {
				return usagef("no language %q", lang).hint("one of %s", strings.Join(words.Tags(), ", "))
			}
			pdf := strings.EqualFold(filepath.Ext(out), ".pdf")
			if out != "" && !pdf && !strings.EqualFold(filepath.Ext(out), ".txt") {
				return usagef("%s: a page is PDF or text", out).hint("--out hers.pdf, or hers.txt")
			}
			ctx := cmd.Context()
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				id, err := which.one(ctx, o, args[0])
				if err != nil {
					return err
				}
				page, err := o.herPage(ctx, desk, catalogue, id, complain)
				if err != nil {
					return err
				}
				// It stands in the log before anybody can have the page.
				if err := o.store.Note(ctx, a.actor(access.DataProtection), access.Entry{Action: "rights.print", Object: id.String(), Detail: "lang=" + catalogue.Tag()}); err != nil {
					return err
				}
				if !pdf {
					var b bytes.Buffer
					writePage(&b, page)
					if out == "" {
						_, err := a.Stdout.Write(b.Bytes())
						return err
					}
					return durable.WriteFile(out, b.Bytes(), 0o600)
				}
				f, err := print.Pages(ctx, page, print.Options{Lang: lang})
				if err != nil {
					return err
				}
				if err := print.Release(ctx, f, out, nil, nil); err != nil {
					return err
				}
				return a.print(map[string]any{"file": out, "pages": f.Pages}, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", out, plural(f.Pages, "page", "pages")) })
			})
		},
	}
	which.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&lang, "lang", "en", "language of the page: "+strings.Join(words.Tags(), ", "))
	f.StringVar(&out, "out", "", "write it to this file, .pdf or .txt, readable to you alone (default: print the text)")
	f.StringVar(&complain, "complain", "", "where she complains: a number, an office")
	return cmd
}

// herPage is all that is held about somebody, with who looked at it, in one page.
func (o *org) herPage(ctx context.Context, desk *rights.Desk, c *words.Catalogue, id registry.ID, complain string) (page print.Page, err error) {
	held, err := desk.Held(ctx, id)
	if err != nil {
		return page, err
	}
	cards, err := o.store.Cards(ctx, issuer.Selection{Units: []registry.ID{id}, Active: true})
	if err != nil {
		return page, err
	}
	var numbers []string
	for _, card := range cards {
		number := cwt.GroupCardNumber(card.CardNumber)
		if t := schemas.ByName(card.Type); t != nil {
			number += " · " + t.Label(c.Tag())
		}
		numbers = append(numbers, number)
	}
	looks, err := o.store.Looked(ctx, id)
	if err != nil {
		return page, err
	}
	house := o.entry.Names[c.Tag()]
	if house == "" {
		house = o.entry.Names["en"]
	}
	hers := held.Page(c, house, numbers, complain, o.a.Now())
	looked := lookedPage(c, looks, house, id.String(), o.a.now())
	page = print.Page{Title: hers.Title, Lead: hers.Lead, Foot: hers.Foot}
	for _, s := range append(hers.Sections, rights.Section{Title: rights.Heading(c), Lines: looked.Lines}) {
		page.Lines = append(page.Lines, [2]string{"— " + s.Title + " —", ""})
		page.Lines = append(page.Lines, s.Lines...)
	}
	return page, nil
}

func (a *app) rightsAskCommand() *cobra.Command {
	var which whichRecord
	var demand, text, known string
	cmd := &cobra.Command{
		Use:     "ask ID|NUMBER --for {access|correction|erasure|objection} [--recognised {document|card|photograph|witness|staff}]",
		Short:   "Write down what somebody asks about her data; it is due in 30 days",
		Example: `  aidpass rights ask P-0107 --list camp-north --for correction --text "born 1978, not 1987"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				id, err := which.one(ctx, o, args[0])
				if err != nil {
					return err
				}
				r, err := desk.Ask(ctx, a.actor(access.Registrar), id, rights.Demand(demand), text, rights.Known(known))
				if err != nil {
					return err
				}
				return a.print(map[string]any{"request": r.ID, "due": r.Due.Format(time.DateOnly)}, func(w io.Writer) {
					fmt.Fprintf(w, "request %s, due %s\n", r.ID, r.Due.Format(time.DateOnly))
				})
			})
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&demand, "for", "", "access, correction, erasure or objection")
	cmd.Flags().StringVar(&known, "recognised", "", "how it was made sure that it is her: document, card, photograph, witness or staff; erasure needs it")
	cmd.Flags().StringVar(&text, "text", "", "in her words; of a correction what is wrong and how it is right")
	return cmd
}

func (a *app) rightsRequestsCommand() *cobra.Command {
	var open bool
	cmd := &cobra.Command{
		Use:     "requests [--open]",
		Short:   "Tell what people asked, and what waits for an answer",
		Example: `  aidpass rights requests --open`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				all, err := desk.Requests(ctx, registry.ID{})
				if err != nil {
					return err
				}
				var about []registry.ID
				for i := range all {
					r := &all[i]
					if open && !r.Open() {
						continue
					}
					who := "erased"
					if !r.Unit.IsZero() {
						who = r.Unit.String()
						about = append(about, r.Unit)
					}
					if err := a.print(r, func(w io.Writer) {
						state := "due " + r.Due.Format(time.DateOnly)
						switch {
						case !r.Open() && r.Done:
							state = "done on " + r.Answered.Format(time.DateOnly)
						case !r.Open():
							state = "refused on " + r.Answered.Format(time.DateOnly)
						case a.Now().After(r.Due):
							state = "OVERDUE since " + r.Due.Format(time.DateOnly)
						}
						fmt.Fprintf(w, "%s  %s  %s  %-10s  %s  %s\n", r.ID, r.At.Format(time.DateOnly), who, r.Demand, state, r.Text)
					}); err != nil {
						return err
					}
				}
				if len(about) == 0 {
					return nil
				}
				return o.store.NoteAbout(ctx, a.actor(access.DataProtection), access.Entry{Action: "record.read", Detail: "requests"}, about)
			})
		},
	}
	cmd.Flags().BoolVar(&open, "open", false, "only those without an answer")
	return cmd
}

func (a *app) rightsAnswerCommand() *cobra.Command {
	var done, refused bool
	var text string
	cmd := &cobra.Command{
		Use:   "answer REQUEST {--done | --refused --text WHY}",
		Short: "Write down what somebody was answered; a refusal says why",
		Example: `  aidpass rights answer 5c1e0f22ab90d417 --done --text "year of birth mended"
  aidpass rights answer 5c1e0f22ab90d417 --refused --text "the round is open until December; ask again then"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if done == refused {
				return usagef("what was the answer?").hint("--done, or --refused with --text WHY")
			}
			ctx := cmd.Context()
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				r, err := desk.Answer(ctx, a.actor(access.DataProtection), args[0], done, text)
				if err != nil {
					return err
				}
				return a.print(map[string]any{"answered": r.ID, "done": r.Done}, func(w io.Writer) { fmt.Fprintln(w, "answered:", r.ID) })
			})
		},
	}
	cmd.Flags().BoolVar(&done, "done", false, "as she asked")
	cmd.Flags().BoolVar(&refused, "refused", false, "it was refused")
	cmd.Flags().StringVar(&text, "text", "", "what she was told")
	return cmd
}
