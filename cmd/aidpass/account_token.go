package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
)

func (a *app) accountTokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Tokens by which programs act for an account",
		Example: `  aidpass account token make lead-2 --name kobo --act import.load --act import.check --days 90
  aidpass account token list`,
	}
	cmd.AddCommand(a.tokenMakeCommand(), a.tokenListCommand(), a.tokenRevokeCommand())
	return cmd
}

// tokenLine is a token as programs read it; never its secret.
type tokenLine struct {
	Token   string       `json:"token"`
	Account string       `json:"account"`
	Name    string       `json:"name"`
	Acts    []access.Act `json:"acts"`
	Lost    []access.Act `json:"lost,omitempty"` // of these: what no token may do any more
	Until   string       `json:"until"`
	Used    *string      `json:"used"`    // to the hour; null: never
	Revoked *string      `json:"revoked"` // null: not
}

func newTokenLine(t access.Token) tokenLine {
	l := tokenLine{Token: t.ID, Account: t.Maker, Name: t.Name, Acts: t.Acts, Lost: t.Lost(), Until: t.Until.UTC().Format(time.RFC3339)}
	if !t.Used.IsZero() {
		l.Used = textPtr(t.Used.UTC().Format(time.RFC3339))
	}
	if !t.Revoked.IsZero() {
		l.Revoked = textPtr(t.Revoked.UTC().Format(time.RFC3339))
	}
	return l
}

func (l *tokenLine) write(w io.Writer) {
	state := "until " + l.Until
	switch {
	case l.Revoked != nil:
		state = "REVOKED " + *l.Revoked
	case l.Used == nil:
		state += ", never used"
	default:
		state += ", used " + *l.Used
	}
	acts := make([]string, len(l.Acts))
	for i, act := range l.Acts {
		acts[i] = string(act)
	}
	fmt.Fprintf(w, "%s  %-16s %-16s %s  %s\n", l.Token, l.Account, l.Name, strings.Join(acts, ","), state)
	for _, act := range l.Lost {
		fmt.Fprintf(w, "  %s is for people at the desk: no token does it\n", act)
	}
}

func (a *app) tokenMakeCommand() *cobra.Command {
	var n access.NewToken
	var acts []string
	var days int
	cmd := &cobra.Command{
		Use:   "make ACCOUNT --name NAME --act ACT",
		Short: "Make a token of an account, for single acts and a time",
		Long: `Make a token of an account, for single acts and a time.

A token never may more than its account may at the moment, and never approves, or
makes accounts or tokens, or does what a person proves her identity for at the desk.
docs/permissions.md lists the acts.`,
		Example: `  aidpass account token make lead-2 --name kobo --act import.load --act import.check --days 90`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := access.AccountID(args[0])
			if err != nil {
				return usagef("%w", err)
			}
			if n.Name == "" || len(acts) == 0 || days < 1 || days > 366 {
				return usagef("--name, --act and --days from 1 to 366 are needed").hint("aidpass account token make --help shows an example")
			}
			for _, act := range acts {
				n.Acts = append(n.Acts, access.Act(act))
			}
			n.Until = a.Now().Add(time.Duration(days) * 24 * time.Hour)
			return a.withDoor(cmd.Context(), func(d *access.Door, l access.Laptop) error {
				secret, t, err := d.MakeTokenFor(cmd.Context(), l, id, n)
				if err != nil {
					return err
				}
				line := newTokenLine(t)
				return a.print(struct {
					tokenLine
					Secret string `json:"secret"`
				}{line, secret}, func(w io.Writer) {
					line.write(w)
					fmt.Fprintf(w, "%s\nit is shown this once: put it where the program reads its secrets, never into an address\n", secret)
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&n.Name, "name", "", "what the token is for; no person's name")
	f.StringArrayVar(&acts, "act", nil, "what it may do, as import.load; repeat")
	f.IntVar(&days, "days", 90, "how long it is good")
	return cmd
}

func (a *app) tokenListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the tokens, newest first",
		Example: `  aidpass account token list --json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withDoor(cmd.Context(), func(d *access.Door, l access.Laptop) error {
				all, err := d.Tokens(cmd.Context(), l)
				if err != nil {
					return err
				}
				for _, t := range all {
					line := newTokenLine(t)
					if err := a.print(line, line.write); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func (a *app) tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke TOKEN",
		Short:   "Revoke a token, which is final",
		Example: `  aidpass account token revoke 6f2c8d0e9b1a4c3d8e7f60514233a1b2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withDoor(cmd.Context(), func(d *access.Door, l access.Laptop) error {
				if err := d.RevokeToken(cmd.Context(), l, args[0]); err != nil {
					return err
				}
				return a.print(map[string]any{"token": args[0], "done": "revoked"}, func(w io.Writer) { fmt.Fprintln(w, args[0], "is revoked") })
			})
		},
	}
}
