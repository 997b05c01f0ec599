package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
)

func (a *app) accountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Who may sign in to the desk, and what each may do",
		Long: `Who may sign in to the desk, and what each may do.

On this laptop, whoever has the passphrase of the keys may do all of it: so the first
administrator comes in. Later ones are made in the console. docs/permissions.md tells
what each role may do. An account is an identifier, never a person's name.`,
		Example: `  aidpass account add amina --role org-admin
  aidpass account list`,
	}
	cmd.AddCommand(a.accountAddCommand(), a.accountListCommand(), a.accountRolesCommand(), a.accountDisableCommand(), a.accountInviteCommand(), a.accountResetCommand(), a.accountTokenCommand())
	return cmd
}

// withDoor opens the organisation's door for the length of work.
func (a *app) withDoor(ctx context.Context, work func(*access.Door, access.Laptop) error) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	return accountError(work(&access.Door{Store: o.store, Now: a.Now}, access.Laptop(a.actor(access.OrgAdmin))))
}

// accountError says what the caller can mend.
func accountError(err error) error {
	for _, known := range []struct {
		is   error
		hint string
	}{
		{access.ErrNoAccount, "aidpass account list shows them"},
		{access.ErrTaken, "aidpass account reset lets in again who lost password or phone"},
		{access.ErrRoles, "the roles are " + roleNames()},
		{access.ErrOwnAccount, "--actor names who acts: another administrator"},
		{access.ErrLastAdmin, "aidpass account add ACCOUNT --role org-admin makes another one"},
		{access.ErrDisabled, "aidpass account disable ACCOUNT --undo opens it again"},
		{access.ErrNotAllowed, "docs/permissions.md tells what each role may do; no token approves, or makes accounts or tokens"},
		{access.ErrNoToken, "aidpass account token list shows them"},
	} {
		if errors.Is(err, known.is) {
			return usagef("%w", err).hint("%s", known.hint)
		}
	}
	return err
}

func roleNames() string {
	var names []string
	for _, r := range access.StaffRoles() {
		names = append(names, string(r))
	}
	return strings.Join(names, " ")
}

// roleFlags are the roles of an account, and what a partner sees.
type roleFlags struct {
	roles         []string
	agreement     string
	fields, areas []string
	purpose       string
}

func (r *roleFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&r.roles, "role", nil, "what the account may do; repeat")
	f.StringVar(&r.agreement, "agreement", "", "of a partner: the id of the agreement")
	f.StringArrayVar(&r.fields, "field", nil, "of a partner: a field of the agreement that it sees; repeat")
	f.StringArrayVar(&r.areas, "area", nil, "of a partner: code of a place whose people it sees, with what its agreement puts beneath it; repeat")
	f.StringVar(&r.purpose, "purpose", "", "of a partner: what for: the purpose of the agreement")
}

func (r *roleFlags) read() (roles []access.Role, scope *access.Scope, err error) {
	for _, name := range r.roles {
		roles = append(roles, access.Role(name))
	}
	if r.agreement != "" || r.purpose != "" || len(r.fields)+len(r.areas) > 0 {
		scope = &access.Scope{Agreement: r.agreement, Fields: r.fields, Areas: r.areas, Purpose: r.purpose}
	}
	return roles, scope, access.CheckRoles(roles, scope)
}

// tellInvitation prints what is shown once.
func (a *app) tellInvitation(account, secret, base string) error {
	path := originOf(base) + "/desk/join/" + secret // below the server's root, whatever path its base URL has
	until := a.Now().UTC().Add(access.InviteLife)
	return a.print(map[string]any{"account": account, "join": path, "until": until.Format(time.RFC3339)}, func(w io.Writer) {
		fmt.Fprintf(w, "%s joins at %s\ngood once, until %s; it is shown this once: hand it over yourself\n", account, path, until.Format("2006-01-02 15:04 MST"))
		if originOf(base) == "" {
			fmt.Fprintln(w, "behind the address of the server, which aidpass serve prints")
		}
	})
}

const baseURLHelp = "address of the server; the desk stands below its root"

func (a *app) accountAddCommand() *cobra.Command {
	var r roleFlags
	var language, base string
	cmd := &cobra.Command{
		Use:   "add ACCOUNT --role ROLE",
		Short: "Make an account and its invitation",
		Example: `  aidpass account add amina --role org-admin --base-url https://desk.relief-a.example
  aidpass account add lead-2 --role registrar --role distribution-lead --language ar
  aidpass account add ministry-1 --role partner --agreement moh-2026 --field full_name --field birth_date --area KE007 --purpose resettlement`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			roles, scope, err := r.read()
			if err != nil {
				return accountError(err)
			}
			id, err := access.AccountID(args[0])
			if err != nil {
				return usagef("%w", err)
			}
			return a.withDoor(cmd.Context(), func(d *access.Door, l access.Laptop) error {
				secret, err := d.Invite(cmd.Context(), l, access.NewAccount{ID: id, Roles: roles, Scope: scope, Language: language})
				if err != nil {
					return err
				}
				return a.tellInvitation(id, secret, base)
			})
		},
	}
	r.add(cmd)
	cmd.Flags().StringVar(&language, "language", "en", "of its screens: en fr es ar sw")
	cmd.Flags().StringVar(&base, "base-url", "", baseURLHelp)
	return cmd
}

// accountLine is an account as programs read it.
type accountLine struct {
	Account  string        `json:"account"`
	Roles    []access.Role `json:"roles"`
	Language string        `json:"language"`
	Disabled bool          `json:"disabled"`
	Password bool          `json:"password"` // with one-time codes
	Passkeys int           `json:"passkeys"`
	Sign     int           `json:"sign_ins_elsewhere"`
	Created  string        `json:"created"`
}

func (a *app) accountListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the accounts",
		Example: `  aidpass account list --json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withDoor(cmd.Context(), func(d *access.Door, l access.Laptop) error {
				all, err := d.Accounts(cmd.Context(), l)
				if err != nil {
					return err
				}
				for _, c := range all {
					line := accountLine{c.ID, c.Roles, c.Language, c.Disabled, c.HasPassword && c.HasTOTP, len(c.Passkeys), len(c.Subjects), c.Created.UTC().Format(time.RFC3339)}
					if err := a.print(line, line.write); err != nil {
						return err
					}
				}
				if len(all) == 0 {
					a.say("nobody can sign in to the desk yet: aidpass account add ACCOUNT --role org-admin")
				}
				return nil
			})
		},
	}
}

func (l accountLine) write(w io.Writer) {
	var ways []string
	if l.Password {
		ways = append(ways, "password and code")
	}
	if l.Passkeys > 0 {
		ways = append(ways, plural(l.Passkeys, "passkey", "passkeys"))
	}
	if l.Sign > 0 {
		ways = append(ways, plural(l.Sign, "sign-in elsewhere", "sign-ins elsewhere"))
	}
	state := strings.Join(ways, ", ")
	switch {
	case l.Disabled:
		state = "DISABLED"
	case len(ways) == 0:
		state = "invited, never came in"
	}
	roles := make([]string, len(l.Roles))
	for i, r := range l.Roles {
		roles[i] = string(r)
	}
	fmt.Fprintf(w, "%-20s %-30s %s\n", l.Account, strings.Join(roles, ","), state)
}

func (a *app) accountRolesCommand() *cobra.Command {
	var r roleFlags
	cmd := &cobra.Command{
		Use:     "roles ACCOUNT --role ROLE",
		Short:   "Give an account other roles: these, and no others",
		Example: `  aidpass account roles lead-2 --role registrar --role approver`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			roles, scope, err := r.read()
			if err != nil {
				return accountError(err)
			}
			return a.changeAccount(cmd.Context(), args[0], "has these roles from its next request on", func(d *access.Door, l access.Laptop, id string) error {
				return d.SetRoles(cmd.Context(), l, id, 0, roles, scope)
			})
		},
	}
	r.add(cmd)
	return cmd
}

// changeAccount does something to an account and says so.
func (a *app) changeAccount(ctx context.Context, account, done string, do func(*access.Door, access.Laptop, string) error) error {
	id, err := access.AccountID(account)
	if err != nil {
		return usagef("%w", err)
	}
	return a.withDoor(ctx, func(d *access.Door, l access.Laptop) error {
		if err := do(d, l, id); err != nil {
			return err
		}
		return a.print(map[string]any{"account": id, "done": done}, func(w io.Writer) { fmt.Fprintln(w, id, done) })
	})
}

func (a *app) accountDisableCommand() *cobra.Command {
	var reason string
	var undo bool
	cmd := &cobra.Command{
		Use:   "disable ACCOUNT",
		Short: "Close an account: its sessions, invitations and tokens end at once",
		Example: `  aidpass account disable lead-2 --reason left
  aidpass account disable lead-2 --undo`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			done := "is closed: its sessions, invitations and tokens have ended"
			if undo {
				done = "is open again"
			}
			return a.changeAccount(cmd.Context(), args[0], done, func(d *access.Door, l access.Laptop, id string) error {
				if undo {
					return d.Enable(cmd.Context(), l, id, reason)
				}
				return d.Disable(cmd.Context(), l, id, reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "a code or a few words, without names")
	cmd.Flags().BoolVar(&undo, "undo", false, "open the account again")
	return cmd
}

func (a *app) accountInviteCommand() *cobra.Command {
	var base string
	cmd := &cobra.Command{
		Use:     "invite ACCOUNT",
		Short:   "Make another invitation for who never came in; the one before ends",
		Example: `  aidpass account invite lead-2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := access.AccountID(args[0])
			if err != nil {
				return usagef("%w", err)
			}
			return a.withDoor(cmd.Context(), func(d *access.Door, l access.Laptop) error {
				secret, err := d.InviteAgain(cmd.Context(), l, id)
				if err != nil {
					return err
				}
				return a.tellInvitation(id, secret, base)
			})
		},
	}
	cmd.Flags().StringVar(&base, "base-url", "", baseURLHelp)
	return cmd
}

func (a *app) accountResetCommand() *cobra.Command {
	var base, reason string
	cmd := &cobra.Command{
		Use:   "reset ACCOUNT --second-person OTHER",
		Short: "Let in again who lost password or phone: two people, a new invitation",
		Long: `Let in again who lost password or phone: two people, a new invitation.

Every way in that the account had ends at once: password, one-time codes, passkeys, and
sign-ins elsewhere. In the console two administrators do the same.`,
		Example: `  aidpass account reset lead-2 --actor amina --second-person bilal --reason phone-lost`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := access.AccountID(args[0])
			if err != nil {
				return usagef("%w", err)
			}
			if a.SecondPerson == "" {
				return usagef("recovery takes two people").hint("--second-person ACCOUNT")
			}
			return a.withDoor(cmd.Context(), func(d *access.Door, l access.Laptop) error {
				secret, err := d.Recover(cmd.Context(), l, id, reason)
				if err != nil {
					return err
				}
				return a.tellInvitation(id, secret, base)
			})
		},
	}
	cmd.Flags().StringVar(&base, "base-url", "", baseURLHelp)
	cmd.Flags().StringVar(&reason, "reason", "", "a code or a few words, without names")
	return cmd
}
