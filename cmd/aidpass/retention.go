package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
	"aidpass/storage"
)

func (a *app) retentionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "How long what is kept, and what is over: listed, and destroyed by two people",
		Long: `How long what is kept, and what is over. Nothing of a record is destroyed by a clock: due
lists what is over, two people look at the list, and carry-out destroys what stands in it.`,
		Example: `  aidpass retention due --out due.json
  aidpass retention carry-out due.json --second-person lead-2`,
	}
	cmd.AddCommand(a.retentionTermsCommand(), a.retentionDueCommand(), a.retentionCarryOutCommand())
	return cmd
}

func (a *app) retentionTermsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "terms [FILE.yml --second-person ACCOUNT]",
		Short: "Tell the terms in days; with a file, put its terms in force",
		Long: `Tell the terms in days; with a file, put its terms in force, by two people. A class a
line, as the command prints them:

  photo: 183     # from the day a record was closed here
  record: 183    # the same: names, births, documents, contacts, all of it
  log: 365       # of servers and machines: outside of this program, see to them
  audit: 2555    # a chain, of which this program takes nothing

What others got ends by their agreement. Files of imports wait 90 days in quarantine.`,
		Example: `  aidpass retention terms
  aidpass retention terms terms.yml --second-person lead-2`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				if len(args) == 1 {
					raw, err := readFile(args[0], rights.MaxTermsBytes)
					if err != nil {
						return err
					}
					terms, err := rights.ParseTerms(raw)
					if err != nil {
						return err
					}
					if err := desk.SetTerms(ctx, a.actor(access.DataProtection), terms); err != nil {
						return err
					}
				}
				var terms rights.Terms
				err := o.store.ReadRights(ctx, func(v rights.View) (err error) {
					terms, err = rights.TermsIn(v)
					return err
				})
				if err != nil {
					return err
				}
				return a.print(terms, func(w io.Writer) { w.Write(terms.File()) })
			})
		},
	}
}

func (a *app) retentionDueCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "due [--out FILE.json]",
		Short: "List what is over; it changes nothing",
		Example: `  aidpass retention due
  aidpass retention due --out due.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if out != "" {
				if err := mustNotExist(out); err != nil {
					return err
				}
			}
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				list, err := desk.Due(ctx)
				if err != nil {
					return err
				}
				var about []registry.ID
				for _, d := range list {
					if !d.Unit.IsZero() {
						about = append(about, d.Unit)
					}
				}
				if len(about) > 0 {
					if err := o.store.NoteAbout(ctx, a.actor(access.DataProtection), access.Entry{Action: "record.read", Detail: "retention"}, about); err != nil {
						return err
					}
				}
				for _, d := range list {
					if err := a.print(d, func(w io.Writer) {
						what := d.Unit.String()
						if d.Class == rights.Shared {
							what = d.ID + "  at " + d.Name + ": ask whether it is deleted"
						}
						fmt.Fprintf(w, "%-8s over since %s (from %s)  %s\n", d.Class, d.Over, d.Since, what)
					}); err != nil {
						return err
					}
				}
				if len(list) == 0 && !a.JSON {
					fmt.Fprintln(a.Stdout, "nothing is over")
				}
				if out == "" || len(list) == 0 {
					return nil
				}
				clearing := rights.Clearing{Items: list[:min(len(list), rights.MaxClearing)]}
				raw, err := clearing.Payload()
				if err != nil {
					return err
				}
				return writeNew(out, raw, 0o600)
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the list to this file, for carry-out; take out of it what is to stay")
	return cmd
}

// maxClearingBytes is the longest list: an item has some 200 bytes.
const maxClearingBytes = 1 << 20

func (a *app) retentionCarryOutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "carry-out FILE.json --second-person ACCOUNT",
		Short: "Destroy what stands in a list of what is over, by two people",
		Long: `Destroy what stands in a list of what is over, by two people who both looked at it. What
is not over any more stays. Active cards must be revoked first.`,
		Example: `  aidpass retention carry-out due.json --second-person lead-2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			raw, err := readFile(args[0], maxClearingBytes)
			if err != nil {
				return err
			}
			list, err := rights.ParseClearing(raw)
			if err != nil {
				return rightsError(err)
			}
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				done, err := desk.CarryOut(ctx, a.actor(access.DataProtection), list)
				if errors.Is(err, storage.ErrActive) {
					return usagef("%w", err).hint("aidpass revoke --unit ID --all --reason term-over")
				}
				if err != nil {
					return err
				}
				return a.print(map[string]any{"destroyed": len(done.Destroyed), "left": len(done.Left), "households_renewed": idTexts(done.Erased.Renewed), "recalls": len(done.Erased.Recalls)}, func(w io.Writer) {
					fmt.Fprintf(w, "%d destroyed, %d left: not over any more, or not this program's to destroy\n", len(done.Destroyed), len(done.Left))
					for i := range done.Erased.Recalls {
						writeRecall(w, &done.Erased.Recalls[i], a.Now())
					}
				})
			})
		},
	}
}
