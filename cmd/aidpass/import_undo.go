package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry/imports"
)

// asker refuses who is no account that may ask for an act: what is approved is carried out
// in the name of an account, which must still be there then.
func asker(ctx context.Context, d *imports.Desk, l access.Laptop, act access.Act) error {
	err := d.Door.Store.ReadAccess(ctx, func(v access.View) error {
		r, err := v.Account(l.ID)
		if err == nil && (r.Disabled || !access.May(r.Roles, act)) {
			err = access.ErrNotAllowed
		}
		return err
	})
	if errors.Is(err, access.ErrNoAccount) || errors.Is(err, access.ErrNotAllowed) {
		return usagef("%q is no account that may ask for this", l.ID).hint("--actor names a registrar's account; aidpass account list shows them")
	}
	return err
}

// undoLine is what taking a list out of the register would do, or was asked for.
type undoLine struct {
	ID      string         `json:"id"`
	State   imports.State  `json:"state"`
	Erase   int            `json:"erase"`
	Restore int            `json:"restore"`
	Left    []imports.Left `json:"left"`
	Asked   string         `json:"approval,omitempty"`
}

func (l undoLine) write(w io.Writer) {
	fmt.Fprintf(w, "%s  %d records that the list made would be erased, %d that it changed say again what they said, %d are left\n", l.ID, l.Erase, l.Restore, len(l.Left))
	for _, x := range l.Left {
		fmt.Fprintf(w, "  %s %s: %s\n", x.Kind, x.Record, x.Why)
	}
	if l.Asked != "" {
		fmt.Fprintf(w, "asked for: %s; a second account approves it in the console\n", l.Asked)
	}
}

func (a *app) importUndoCommand() *cobra.Command {
	var submit bool
	var reason string
	cmd := &cobra.Command{
		Use: "undo ID", Short: "Tell what taking a list out of the register again would do, or ask a second account for it",
		Long: `Tell what taking a list out of the register again would do, and do nothing; with
--submit a second account is asked, which answers in the console.

What the list made is erased for good, and its numbers can come with another list. What
it changed says again what it said before. Records are left, and listed, for which a card
was made (card), something is due (due), that were changed since (edited), were in a file
that was given away (given), and households in which somebody is left (lived).`,
		Example: `  aidpass import undo 6f2c8d0e9b1a4c3d8e7f60514233a1b2
  aidpass import undo 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --submit --actor amina --reason 'the list of another camp'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withImports(cmd.Context(), func(d *imports.Desk, l access.Laptop) error {
				m, u, err := d.Undoing(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				line := undoLine{ID: m.ID, State: m.State, Erase: len(u.Erase), Restore: len(u.Restore), Left: u.Left}
				if submit {
					if err := asker(cmd.Context(), d, l, access.ImportUndo); err != nil {
						return err
					}
					if m, err = d.AskUndo(cmd.Context(), l, m.ID, m.Version, u.Digest(), reason); err != nil {
						return err
					}
					line.Asked = m.Undo.Approval
				}
				return a.print(line, line.write)
			})
		},
	}
	cmd.Flags().BoolVar(&submit, "submit", false, "ask a second account for it")
	cmd.Flags().StringVar(&reason, "reason", "", "why, without names")
	return cmd
}
