package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

func (a *app) consentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "consent",
		Short: "What people were told and agreed to, and what they took back",
		Long: `What people were told and agreed to, and what they took back. No service depends on an
answer: a no to sharing changes nothing in what somebody is due.`,
		Example: `  aidpass consent wording sharing-1.yml
  aidpass consent give P-0107 --list camp-north --purpose health --wording sharing-1 --lang so --how verbal+witness --witness lead-2 --yes relief-b --no bank-c
  aidpass consent withdraw P-0107 --list camp-north --to relief-b`,
	}
	cmd.AddCommand(a.consentWordingCommand(), a.consentGiveCommand(), a.consentShowCommand(), a.consentWithdrawCommand(), a.consentRecallsCommand(), a.consentLetterCommand(), a.consentRecallCommand(), a.consentAnswerCommand())
	return cmd
}

// maxWording is the longest file of a wording.
const maxWording = 256 << 10

func (a *app) consentWordingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "wording [FILE.yml]",
		Short: "Keep a wording that is read to people; without a file, tell those that are kept",
		Long: `Keep a wording that is read to people; without a file, tell those that are kept. It says
whether it tells (sort: notice) or asks (sort: consent), and stays what it is: another
text is another version.

  id: sharing-1
  sort: consent            # or notice: information, nobody is asked
  purpose: health          # or registration: that is a notice always
  from: 2026-11-22
  text:
    en: May we tell Relief B your name and your family's size? You may say no.
    so: ...`,
		Example: `  aidpass consent wording sharing-1.yml
  aidpass consent wording`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if len(args) == 0 {
				return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
					all, err := desk.Notices(ctx)
					if err != nil {
						return err
					}
					for _, n := range all {
						if err := a.print(n, func(w io.Writer) {
							fmt.Fprintf(w, "%-16s %-8s %-14s from %s, in %s\n", n.ID, n.Sort, n.Purpose, n.From, plural(len(n.Text), "language", "languages"))
						}); err != nil {
							return err
						}
					}
					return nil
				})
			}
			raw, err := readFile(args[0], maxWording)
			if err != nil {
				return err
			}
			var file struct {
				ID      string            `yaml:"id"`
				Sort    rights.Sort       `yaml:"sort"`
				Purpose rights.Purpose    `yaml:"purpose"`
				From    string            `yaml:"from"`
				Text    map[string]string `yaml:"text"`
			}
			in := yaml.NewDecoder(strings.NewReader(string(raw)))
			in.KnownFields(true)
			if err := in.Decode(&file); err != nil {
				return usagef("%s: %w", args[0], err).hint("aidpass consent wording --help shows a file")
			}
			n := rights.Notice{ID: file.ID, Sort: file.Sort, Purpose: file.Purpose, From: file.From, Text: file.Text}
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				if err := desk.SaveNotice(ctx, a.actor(access.DataProtection), n); err != nil {
					return err
				}
				return a.print(map[string]any{"kept": n.ID}, func(w io.Writer) { fmt.Fprintln(w, "kept:", n.ID) })
			})
		},
	}
}

func (a *app) consentGiveCommand() *cobra.Command {
	var which whichRecord
	var g rights.Given
	var yes, no []string
	var refused bool
	cmd := &cobra.Command{
		Use:   "give ID|NUMBER --purpose PURPOSE --wording ID --lang LANG --how HOW",
		Short: "Record an answer: a yes or no for each recipient",
		Long: `Record an answer: a yes or no for each recipient, by the id its agreement gives it.
The registration notice has none: it is told, and --refused says that somebody does not
want to be registered. What was said stands in her record alone, not in the log.`,
		Example: `  aidpass consent give P-0107 --list camp-north --purpose registration --wording notice-1 --lang so --how thumb --read-aloud
  aidpass consent give P-0107 --list camp-north --purpose health --wording sharing-1 --lang so --how verbal+witness --witness lead-2 --yes relief-b --no bank-c`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			g.To = map[string]bool{}
			for i, id := range slices.Concat(yes, no) {
				if _, twice := g.To[id]; twice {
					return usagef("%s is named twice", id).hint("one answer a recipient")
				}
				g.To[id] = i < len(yes)
			}
			g.Yes = g.Purpose == rights.Registration && !refused
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				id, err := which.one(ctx, o, args[0])
				if err != nil {
					return err
				}
				made, err := desk.Give(ctx, a.actor(access.Registrar), id, g)
				if err != nil {
					return err
				}
				return a.print(map[string]any{"recorded": made, "about": id.String()}, func(w io.Writer) { fmt.Fprintln(w, "recorded:", made) })
			})
		},
	}
	which.flags(cmd)
	f := cmd.Flags()
	f.StringVar((*string)(&g.Purpose), "purpose", "", "registration, or what it would be told others for: health, payment, ...")
	f.StringSliceVar(&yes, "yes", nil, "recipient to whom the answer is yes; repeat")
	f.StringSliceVar(&no, "no", nil, "recipient to whom it is no; repeat")
	f.BoolVar(&refused, "refused", false, "of registration: she does not want to be registered")
	f.StringSliceVar(&g.Fields, "fields", nil, "fields that the question named (default: those of the agreement)")
	f.StringVar(&g.Wording, "wording", "", "id of the text that was read")
	f.StringVar(&g.Lang, "lang", "", "language in which it was read")
	f.StringVar(&g.How, "how", "", "signature, thumb or verbal+witness")
	f.StringVar(&g.By, "by", "self", "self or caregiver")
	f.StringVar(&g.Witness, "witness", "", "account or function of the witness; no name")
	f.StringVar(&g.Interpreter, "interpreter", "", "account or function of who interpreted; no name")
	f.BoolVar(&g.ReadAloud, "read-aloud", false, "it was read aloud")
	f.StringVar(&g.Expires, "expires", "", "last day of a yes; ask again after it")
	return cmd
}

func (a *app) consentShowCommand() *cobra.Command {
	var which whichRecord
	cmd := &cobra.Command{
		Use:     "show ID|NUMBER",
		Short:   "Tell what somebody answered, and what recipients were told since",
		Example: `  aidpass consent show P-0107 --list camp-north`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				id, err := which.one(ctx, o, args[0])
				if err != nil {
					return err
				}
				answers, err := desk.Answers(ctx, id)
				if err != nil {
					return err
				}
				recalls, err := desk.Recalls(ctx, id)
				if err != nil {
					return err
				}
				if err := o.store.Note(ctx, a.actor(access.Registrar), access.Entry{Action: "record.read", Object: id.String(), Detail: "consent"}); err != nil {
					return err
				}
				return a.print(map[string]any{"id": id.String(), "answers": answers, "recalls": recalls}, func(w io.Writer) {
					for _, c := range answers {
						fmt.Fprintln(w, consentLine(&c))
					}
					for i := range recalls {
						writeRecall(w, &recalls[i], a.Now())
					}
				})
			})
		},
	}
	which.flags(cmd)
	return cmd
}

func consentLine(c *registry.Consent) string {
	parts := []string{fmt.Sprintf("%-10s %-16s", c.On, c.Purpose)}
	switch {
	case len(c.Recipients) > 0 && c.Given:
		parts = append(parts, "yes to "+strings.Join(c.Recipients, ", "))
	case len(c.Recipients) > 0:
		parts = append(parts, "no to "+strings.Join(c.Recipients, ", "))
	case len(c.Declined) == 0:
		parts = append(parts, yesOrNo(c.Given))
	}
	if len(c.Declined) > 0 {
		parts = append(parts, "no to "+strings.Join(c.Declined, ", "))
	}
	for _, t := range []struct{ before, text string }{{"wording ", c.Wording}, {"in ", c.Lang}, {"", c.How}, {"by ", c.By}, {"until ", c.Expires}, {"taken back ", c.Withdrawn}} {
		if t.text != "" {
			parts = append(parts, t.before+t.text)
		}
	}
	if c.ID == "" {
		parts = append(parts, "(as a list or desk brought it)")
	}
	return strings.Join(parts, "  ")
}

func writeRecall(w io.Writer, r *rights.Recall, now time.Time) {
	state := "no answer yet, due " + r.Due.UTC().Format(time.DateOnly)
	switch {
	case r.Outcome != "":
		state = fmt.Sprintf("answered %s: %s", r.Answered.UTC().Format(time.DateOnly), r.Outcome)
		if r.Spoken != "" {
			state += " (" + r.Spoken + ")"
		}
	case len(r.Letters) == 0:
		state = "not told yet: aidpass consent letter " + r.ID
	case now.After(r.Due):
		state = "OVERDUE since " + r.Due.UTC().Format(time.DateOnly)
	}
	fmt.Fprintf(w, "recall %s  %s  to %s under %s, %s: %s\n", r.ID, r.At.UTC().Format(time.DateOnly), r.Name, r.Agreement, plural(len(r.Shares), "file", "files"), state)
}

func (a *app) consentWithdrawCommand() *cobra.Command {
	var which whichRecord
	var purpose, to string
	cmd := &cobra.Command{
		Use:   "withdraw ID|NUMBER [--purpose PURPOSE] [--to RECIPIENT]",
		Short: "Take a yes back: nothing more is shared, and who got something is to be told",
		Long: `Take a yes back: nothing more is shared from this moment, and who got something is to
be told. Without --purpose and --to it is all sharing. Each recipient that got a file
with her row has a recall: aidpass consent letter writes what it gets.`,
		Example: `  aidpass consent withdraw P-0107 --list camp-north
  aidpass consent withdraw P-0107 --list camp-north --purpose health --to relief-b`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				id, err := which.one(ctx, o, args[0])
				if err != nil {
					return err
				}
				recalls, unsent, err := desk.Withdraw(ctx, a.actor(access.Registrar), id, rights.Purpose(purpose), to)
				if err != nil {
					return err
				}
				return a.print(map[string]any{"withdrawn": id.String(), "recalls": recalls, "unsent": unsent}, func(w io.Writer) {
					fmt.Fprintln(w, "taken back; nothing more is shared")
					if len(recalls) == 0 {
						fmt.Fprintln(w, "nobody got anything about her under an agreement")
					}
					if unsent > 0 {
						fmt.Fprintf(w, "%s at the desk: made, handed to nobody, and not handed out any more\n", plural(unsent, "file", "files"))
					}
					for i := range recalls {
						writeRecall(w, &recalls[i], a.Now())
					}
				})
			})
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&purpose, "purpose", "", "only for this purpose (default: all sharing)")
	cmd.Flags().StringVar(&to, "to", "", "only to this recipient (default: everybody)")
	return cmd
}

func (a *app) consentRecallsCommand() *cobra.Command {
	var open bool
	cmd := &cobra.Command{
		Use:   "recalls [--open]",
		Short: "Tell which recipients were to be told, and which answered",
		Example: `  aidpass consent recalls --open
  aidpass consent recalls --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withRights(cmd.Context(), func(o *org, desk *rights.Desk) error {
				all, err := desk.Recalls(cmd.Context(), registry.ID{})
				if err != nil {
					return err
				}
				for i := range all {
					if open && all[i].Outcome != "" {
						continue
					}
					if err := a.print(all[i], func(w io.Writer) { writeRecall(w, &all[i], a.Now()) }); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&open, "open", false, "only those without an answer")
	return cmd
}
