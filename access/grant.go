package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ErrTwoAdmins: the roles are more than a verifier's, so one administrator asks for them
// ([Door.AskGrant]) and another one approves.
var ErrTwoAdmins = errors.New("access: these roles are given by two administrators: one asks, another one approves")

// ErrOneAdmin: nobody is there who could approve it. The second administrator is made on
// the machine that holds the organisation's keys: aidpass account add.
var ErrOneAdmin = errors.New("access: no other administrator can approve this: make one on the machine that holds the keys, with aidpass account add")

// ErrOwnMade: who asked made the account that was to approve it, alone.
var ErrOwnMade = errors.New("access: nobody approves for the account that let them in alone")

// A Given says who gave an account the roles that it has: nobody is the second of four
// eyes for who made them alone.
type Given struct {
	By     string // account; empty for accounts of before this was kept
	Second string // that approved it; empty where one was enough
}

func givenBy(c Caller, a Act) Given {
	who := c.Actor(a)
	return Given{By: who.ID, Second: who.SecondPerson}
}

// madeAlone reports whether one account by itself let another one in.
func (g Given) madeAlone(by string) bool {
	return g.By != "" && g.Second == "" && SameAccount(g.By, by)
}

// moreThan reports whether roles are more than has and a verifier's, so that they take
// two administrators: a service point sees what it scans, and decides on nothing.
func moreThan(has, roles []Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return r != Verifier && !slices.Contains(has, r) })
}

// alone refuses to give more by one administrator; at the laptop one is enough.
func alone(c Caller, has, roles []Role, was, scope *Scope) error {
	if _, ok := c.(Laptop); ok || !moreThan(has, roles) && (scope == nil || reflect.DeepEqual(was, scope)) {
		return nil
	}
	return ErrTwoAdmins
}

// How a Grant gives roles.
const (
	GrantInvite = "invite" // a new account
	GrantRoles  = "roles"  // an account that is there
	GrantAgain  = "again"  // another invitation of an account that never came in
)

// A Grant is what two administrators agree to: the roles of an account.
type Grant struct {
	Label    string `json:"label"` // keeps it apart from every other payload
	Kind     string `json:"kind"`
	Account  string `json:"account"`
	Roles    []Role `json:"roles"`
	Scope    *Scope `json:"scope,omitempty"`
	Language string `json:"language,omitempty"`
	Version  int64  `json:"version,omitempty"` // of the account that was seen
	Mark     []byte `json:"mark,omitempty"`    // of the invitation that then counts
}

const grantLabel = "aidpass-grant-1"

// GrantOf is what a request of AccountGrant asks for.
func GrantOf(a Approval) (g Grant, err error) {
	err = json.Unmarshal(a.Payload, &g)
	if err == nil && (a.Act != AccountGrant || g.Label != grantLabel || g.Account != a.Object) {
		err = fmt.Errorf("access: approval %s does not say to whom which roles are given", a.ID)
	}
	return g, err
}

// AskGrant asks for roles that one administrator cannot give: with kind, account, roles,
// scope, language of a new account, and the version that the caller saw of one that is
// there (0: any). secret is that of the invitation, "" with GrantRoles; it is good from the
// moment another administrator approves.
//
// ErrOneAdmin when nobody is there who could; other errors are those of Invite,
// InviteAgain and SetRoles.
func (d *Door) AskGrant(ctx context.Context, c Caller, g Grant) (a Approval, secret string, err error) {
	if err := c.Check(AccountGrant, d.now()); err != nil {
		return a, "", err
	}
	if g.Account, err = newAccount(g.Account); err != nil {
		return a, "", err
	}
	g.Label = grantLabel
	me := c.Actor(AccountGrant).ID
	err = d.Store.ReadAccess(ctx, func(v View) error {
		if err := settleGrant(v, me, &g); err != nil {
			return err
		}
		all, err := v.Accounts()
		for _, r := range all {
			if r.administers() && !SameAccount(r.ID, me) && !SameAccount(r.ID, g.Account) && !r.Given.madeAlone(me) {
				return err
			}
		}
		return errors.Join(err, ErrOneAdmin)
	})
	if err != nil {
		return a, "", err
	}
	if g.Kind != GrantRoles {
		secret = d.secret()
		mark := MarkOf("invite", secret)
		g.Mark = mark[:]
	}
	payload, err := json.Marshal(g)
	if err != nil {
		return a, "", err
	}
	a, err = d.Ask(ctx, c, Request{Act: AccountGrant, Object: g.Account, Payload: payload})
	return a, secret, err
}

// settleGrant refuses what could not be carried out and fills in the version.
func settleGrant(v View, me string, g *Grant) error {
	r, err := v.Account(g.Account)
	switch {
	case err != nil && !errors.Is(err, ErrNoAccount):
		return err
	case g.Kind == GrantInvite && err == nil:
		return ErrTaken
	case g.Kind != GrantInvite && err != nil:
		return err
	case g.Kind != GrantInvite && SameAccount(me, g.Account):
		return ErrOwnAccount
	case g.Kind == GrantRoles && g.Version != 0 && g.Version != r.Version:
		return ErrStale
	case g.Kind == GrantAgain && r.wayIn():
		return ErrTaken
	case g.Kind != GrantInvite && g.Kind != GrantRoles && g.Kind != GrantAgain:
		return fmt.Errorf("access: %q is no way to give roles", g.Kind)
	}
	if g.Kind == GrantAgain {
		g.Roles, g.Scope = r.Roles, r.Scope
	}
	if g.Kind != GrantInvite {
		g.Version = r.Version
	}
	return CheckRoles(g.Roles, g.Scope)
}

// granting is the executor of AccountGrant. Whom it is about is never the second.
func (d *Door) granting() Executor {
	return Executor{Run: d.grant, Makers: func(_ context.Context, account string) ([]string, error) { return []string{account}, nil }}
}

// grant gives what was approved, once.
func (d *Door) grant(ctx context.Context, who Actor, a Approval) error {
	g, err := GrantOf(a)
	if err != nil {
		return err
	}
	return d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		r, err := tx.Account(g.Account)
		if err == nil && r.Granted == a.ID {
			return nil // done before a stop
		}
		if errors.Is(err, ErrNoAccount) && g.Kind == GrantInvite {
			r, err = d.blank(tx, NewAccount{ID: g.Account, Language: g.Language})
		} else if err == nil && (g.Kind == GrantInvite || g.Version != r.Version) {
			err = ErrStale
		}
		if err != nil {
			return err
		}
		e := Entry{Action: "account.invite", Object: g.Account, Detail: "again"}
		switch g.Kind {
		case GrantInvite:
			e.Detail = "roles=" + rolesText(g.Roles)
		case GrantRoles:
			e.Action, e.Detail = "account.roles", "from="+rolesText(r.Roles)+" to="+rolesText(g.Roles)
		}
		r.Roles, r.Scope, r.Granted, r.Given = g.Roles, g.Scope, a.ID, Given{By: who.ID, Second: who.SecondPerson}
		r.Version++
		if g.Kind == GrantRoles {
			if err := d.keepAdmin(tx, &r); err != nil {
				return err
			}
		}
		if err := tx.SaveAccount(r); err != nil {
			return err
		}
		if g.Kind != GrantRoles {
			if len(g.Mark) != len(Mark{}) {
				return fmt.Errorf("access: approval %s has no invitation", a.ID)
			}
			i := Invite{Mark: Mark(g.Mark), Account: g.Account, TOTP: d.random(secretBytes), Ends: d.now().Add(InviteLife)}
			if err := errors.Join(tx.EndInvites(g.Account), tx.SaveInvite(i)); err != nil {
				return err
			}
		}
		return tx.Audit(e)
	})
}

// newAccount is the one way to write an account that is to be made.
func newAccount(id string) (string, error) {
	id, err := AccountID(id)
	if err == nil && (id == door.ID || strings.HasPrefix(id, "device-")) {
		err = fmt.Errorf("access: %q is a name of the program's own in the log: choose another", id)
	}
	return id, err
}

// blank is a new account without roles, where there is room for one.
func (d *Door) blank(tx Tx, n NewAccount) (Record, error) {
	all, err := tx.Accounts()
	if err != nil {
		return Record{}, err
	}
	if len(all) >= MaxAccounts {
		return Record{}, fmt.Errorf("access: an organisation has %d accounts at most", MaxAccounts)
	}
	return Record{Account: Account{ID: n.ID, Org: d.Store.ID(), Language: n.Language, Created: d.now(), Handle: d.random(32)}}, nil
}
