package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// CheckRoles refuses sets of roles that no account can have: none, unknown ones, and
// auditor, partner or platform operator beside another role. A partner has a scope that
// names agreement, areas, fields and purpose; nobody else has one. The error is ErrRoles.
func CheckRoles(roles []Role, scope *Scope) error {
	if len(roles) == 0 {
		return fmt.Errorf("%w: an account has one role at least", ErrRoles)
	}
	for i, r := range roles {
		if !slices.Contains(StaffRoles(), r) {
			return fmt.Errorf("%w: %q is no role", ErrRoles, r)
		}
		if slices.Contains(roles[:i], r) {
			return fmt.Errorf("%w: %s twice", ErrRoles, r)
		}
		if (r == Auditor || r == Partner || r == PlatformOperator) && len(roles) > 1 {
			return fmt.Errorf("%w: %s stands alone", ErrRoles, r)
		}
	}
	partner := roles[0] == Partner
	if partner != (scope != nil) {
		return fmt.Errorf("%w: a partner has a scope, and nobody else", ErrRoles)
	}
	if partner && (scope.Agreement == "" || scope.Purpose == "" || len(scope.Fields) == 0 || len(scope.Areas) == 0) {
		return fmt.Errorf("%w: a partner's scope names agreement, fields, areas and purpose", ErrRoles)
	}
	return nil
}

// Accounts are all of the organisation, by id.
func (d *Door) Accounts(ctx context.Context, c Caller) (list []Account, err error) {
	if err := c.Check(AccountRead, d.now()); err != nil {
		return nil, err
	}
	err = d.Store.ReadAccess(ctx, func(v View) error {
		all, err := v.Accounts()
		for _, r := range all {
			list = append(list, r.Account)
		}
		return err
	})
	return list, err
}

// Account is one of them; ErrNoAccount.
func (d *Door) Account(ctx context.Context, c Caller, id string) (a Account, err error) {
	if err := c.Check(AccountRead, d.now()); err != nil {
		return a, err
	}
	err = d.Store.ReadAccess(ctx, func(v View) error {
		r, err := v.Account(id)
		a = r.Account
		return err
	})
	return a, err
}

// MaxAccounts is how many accounts an organisation has at most, MaxPasskeys how many
// passkeys and MaxSubjects how many identities elsewhere an account has.
const (
	MaxAccounts = 5000
	MaxPasskeys = 10
	MaxSubjects = 5
)

// A NewAccount is who is to be made.
type NewAccount struct {
	ID       string
	Roles    []Role
	Scope    *Scope
	Language string
}

// Invite makes an account that has no way in yet, and the secret of its invitation: shown
// once, good once, for InviteLife. ErrTaken when the account is there, ErrTwoAdmins where
// one administrator is not enough.
func (d *Door) Invite(ctx context.Context, c Caller, n NewAccount) (secret string, err error) {
	if err := c.Check(AccountInvite, d.now()); err != nil {
		return "", err
	}
	id, err := newAccount(n.ID)
	if err != nil {
		return "", err
	}
	n.ID = id
	if err := errors.Join(CheckRoles(n.Roles, n.Scope), alone(c, nil, n.Roles, nil, n.Scope)); err != nil {
		return "", err
	}
	secret = d.secret()
	err = d.Store.WriteAccess(ctx, c.Actor(AccountInvite), func(tx Tx) error {
		switch _, err := tx.Account(id); {
		case err == nil:
			return ErrTaken
		case !errors.Is(err, ErrNoAccount):
			return err
		}
		r, err := d.blank(tx, n)
		if err != nil {
			return err
		}
		r.Roles, r.Scope, r.Given, r.Version = n.Roles, n.Scope, givenBy(c, AccountInvite), 1
		if err := tx.SaveAccount(r); err != nil {
			return err
		}
		if err := tx.Audit(Entry{Action: "account.invite", Object: id, Detail: "roles=" + rolesText(n.Roles)}); err != nil {
			return err
		}
		return tx.SaveInvite(d.invite(id, secret))
	})
	return secret, err
}

func rolesText(roles []Role) string {
	var b strings.Builder
	for i, r := range roles {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(string(r))
	}
	return b.String()
}

// InviteAgain makes another invitation for an account that never came in; the one before
// ends. For one that can sign in it is ErrTaken: recovery takes two administrators, and so
// does an invitation of more than a verifier (ErrTwoAdmins).
func (d *Door) InviteAgain(ctx context.Context, c Caller, id string) (secret string, err error) {
	if err := c.Check(AccountInvite, d.now()); err != nil {
		return "", err
	}
	secret = d.secret()
	err = d.change(ctx, c, AccountInvite, id, 0, func(tx Tx, r *Record) (Entry, error) {
		if r.wayIn() {
			return Entry{}, ErrTaken
		}
		if err := alone(c, nil, r.Roles, nil, nil); err != nil {
			return Entry{}, err
		}
		if err := tx.EndInvites(id); err != nil {
			return Entry{}, err
		}
		return Entry{Action: "account.invite", Detail: "again"}, tx.SaveInvite(d.invite(id, secret))
	})
	return secret, err
}

// SetRoles gives an account other roles, and a partner another scope. version is the one
// that the caller saw: ErrStale when it changed since; ErrTwoAdmins where one administrator
// is not enough. Sessions have them at their next request.
func (d *Door) SetRoles(ctx context.Context, c Caller, id string, version int64, roles []Role, scope *Scope) error {
	if err := CheckRoles(roles, scope); err != nil {
		return err
	}
	return d.change(ctx, c, AccountRoles, id, version, func(tx Tx, r *Record) (Entry, error) {
		if SameAccount(c.Actor(AccountRoles).ID, id) {
			return Entry{}, ErrOwnAccount
		}
		if err := alone(c, r.Roles, roles, r.Scope, scope); err != nil {
			return Entry{}, err
		}
		e := Entry{Action: "account.roles", Detail: "from=" + rolesText(r.Roles) + " to=" + rolesText(roles)}
		if moreThan(r.Roles, roles) {
			r.Given = givenBy(c, AccountRoles)
		}
		r.Roles, r.Scope = roles, scope
		return e, d.keepAdmin(tx, r)
	})
}

// Disable closes an account: its sessions, invitations and tokens end at once, and opening
// it again brings none of them back. reason is a code or a few words without names.
func (d *Door) Disable(ctx context.Context, c Caller, id, reason string) error {
	return d.change(ctx, c, AccountDisable, id, 0, func(tx Tx, r *Record) (Entry, error) {
		if SameAccount(c.Actor(AccountDisable).ID, id) {
			return Entry{}, ErrOwnAccount
		}
		r.Disabled = true
		if err := d.keepAdmin(tx, r); err != nil {
			return Entry{}, err
		}
		return Entry{Action: "account.disable", Reason: reason}, errors.Join(tx.EndSessions(id, Mark{}), tx.EndInvites(id), d.endTokens(tx, id))
	})
}

// Enable opens a closed account again. What proved it before still does; its tokens are over.
func (d *Door) Enable(ctx context.Context, c Caller, id, reason string) error {
	return d.change(ctx, c, AccountDisable, id, 0, func(_ Tx, r *Record) (Entry, error) {
		if SameAccount(c.Actor(AccountDisable).ID, id) {
			return Entry{}, ErrOwnAccount
		}
		r.Disabled = false
		return Entry{Action: "account.enable", Reason: reason}, nil
	})
}

// change alters an account in the name of c and writes its entry. A version of 0 is any.
func (d *Door) change(ctx context.Context, c Caller, a Act, id string, version int64, edit func(Tx, *Record) (Entry, error)) error {
	if err := c.Check(a, d.now()); err != nil {
		return err
	}
	return d.Store.WriteAccess(ctx, c.Actor(a), func(tx Tx) error {
		r, err := tx.Account(id)
		if err != nil {
			return err
		}
		if version != 0 && version != r.Version {
			return ErrStale
		}
		e, err := edit(tx, &r)
		if err != nil {
			return err
		}
		r.Version++
		if err := tx.SaveAccount(r); err != nil {
			return err
		}
		e.Object = id
		return tx.Audit(e)
	})
}

// Still says whether who may do a at this moment, in whose name something goes on that was
// begun before: ErrNotAllowed for an account that is closed, gone, or lost the role.
func (d *Door) Still(ctx context.Context, who Actor, a Act) error {
	return d.Store.ReadAccess(ctx, func(v View) error {
		r, err := v.Account(who.ID)
		if errors.Is(err, ErrNoAccount) || err == nil && (r.Disabled || !May(r.Roles, a)) {
			return fmt.Errorf("%w: %s may not do %s any more", ErrNotAllowed, who.ID, a)
		}
		return err
	})
}

// keepAdmin refuses a change after which nobody who can sign in is an administrator.
func (d *Door) keepAdmin(tx Tx, changed *Record) error {
	was, err := tx.Account(changed.ID)
	if err != nil || !was.administers() || changed.administers() {
		return err
	}
	all, err := tx.Accounts()
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].ID != changed.ID && all[i].administers() {
			return nil
		}
	}
	return ErrLastAdmin
}

func (r *Record) administers() bool {
	return !r.Disabled && slices.Contains(r.Roles, OrgAdmin) && r.wayIn()
}

// own alters the session's own account. What changes the ways in needs a fresh proof of identity.
func (d *Door) own(ctx context.Context, s *Session, fresh bool, edit func(Tx, *Record) (Entry, error)) error {
	if s.token != nil {
		return ErrNotAllowed // a program changes nothing of the account itself
	}
	if fresh && !s.Fresh(d.now()) {
		return ErrStepUp
	}
	return d.Store.WriteAccess(ctx, by(s.Account), func(tx Tx) error {
		r, err := tx.Account(s.Account.ID)
		if err != nil {
			return err
		}
		e, err := edit(tx, &r)
		if err != nil {
			return err
		}
		r.Version++
		if err := tx.SaveAccount(r); err != nil {
			return err
		}
		e.Object = r.ID
		return tx.Audit(e)
	})
}

// SetLanguage chooses the language of one's own screens.
func (d *Door) SetLanguage(ctx context.Context, s *Session, tag string) error {
	if len(tag) > 16 {
		return fmt.Errorf("access: a language is a short tag")
	}
	return d.own(ctx, s, false, func(_ Tx, r *Record) (Entry, error) {
		r.Language = tag
		return Entry{Action: "account.language", Detail: tag}, nil
	})
}

// SetPassword changes one's own password. The account's other sessions and its tokens
// end; token is that of the session that stays.
func (d *Door) SetPassword(ctx context.Context, s *Session, token, password string) error {
	if err := CheckPassword(password, s.Account.ID); err != nil {
		return err
	}
	if !s.Fresh(d.now()) {
		return ErrStepUp
	}
	hash := d.hash(password)
	return d.own(ctx, s, true, func(tx Tx, r *Record) (Entry, error) {
		r.Password = hash
		return Entry{Action: "account.password"}, errors.Join(tx.EndSessions(r.ID, MarkOf("session", token)), d.endTokens(tx, r.ID))
	})
}

// NewTOTP draws a secret for one's own one-time codes. It counts from ConfirmTOTP on.
func (d *Door) NewTOTP(ctx context.Context, s *Session) (secret []byte, err error) {
	secret = d.random(secretBytes)
	return secret, d.own(ctx, s, true, func(_ Tx, r *Record) (Entry, error) {
		r.NewTOTP = secret
		return Entry{Action: "account.totp", Detail: "drawn"}, nil
	})
}

// ConfirmTOTP takes the secret that NewTOTP drew into use, by a code of it; else ErrSignIn.
func (d *Door) ConfirmTOTP(ctx context.Context, s *Session, token, code string) error {
	return d.own(ctx, s, true, func(tx Tx, r *Record) (Entry, error) {
		step, ok := checkCode(r.NewTOTP, code, d.now())
		if !ok {
			return Entry{}, ErrSignIn
		}
		r.TOTP, r.NewTOTP, r.Step = r.NewTOTP, nil, step
		return Entry{Action: "account.totp", Detail: "confirmed"}, tx.EndSessions(r.ID, MarkOf("session", token))
	})
}

// AddPasskey adds a passkey whose attestation the caller has proved. ErrTaken when any
// account has it already.
func (d *Door) AddPasskey(ctx context.Context, s *Session, k Passkey) error {
	k.Created, k.Used = d.now(), time.Time{}
	return d.own(ctx, s, true, func(_ Tx, r *Record) (Entry, error) {
		return Entry{Action: "account.passkey", Detail: "added"}, addPasskey(r, k)
	})
}

func addPasskey(r *Record, k Passkey) error {
	switch {
	case len(k.ID) == 0 || len(k.ID) > MaxPasskeyID || len(k.Key) == 0 || len(k.Key) > MaxPasskeyKey || len(k.Name) > 64 || len(k.Transports) > 8:
		return fmt.Errorf("access: a passkey whose id, key, name or transports are missing or too long")
	case len(r.Passkeys) >= MaxPasskeys:
		return fmt.Errorf("access: an account has %d passkeys at most: remove one first", MaxPasskeys)
	}
	for _, has := range r.Passkeys {
		if string(has.ID) == string(k.ID) {
			return ErrTaken
		}
	}
	r.Passkeys = append(r.Passkeys, k)
	return nil
}

// RemovePasskey takes one's own passkey away; ErrWayIn when there is no other way in.
func (d *Door) RemovePasskey(ctx context.Context, s *Session, id []byte) error {
	return d.own(ctx, s, true, func(_ Tx, r *Record) (Entry, error) {
		n := len(r.Passkeys)
		r.Passkeys = slices.DeleteFunc(r.Passkeys, func(k Passkey) bool { return string(k.ID) == string(id) })
		if len(r.Passkeys) == n {
			return Entry{}, ErrNoAccount
		}
		if !r.wayIn() {
			return Entry{}, ErrWayIn
		}
		return Entry{Action: "account.passkey", Detail: "removed"}, nil
	})
}

// AddSubject lets one's own account be signed in to by an OpenID identity, which the
// caller has proved. ErrTaken when any account has it already.
func (d *Door) AddSubject(ctx context.Context, s *Session, sub Subject) error {
	return d.own(ctx, s, true, func(_ Tx, r *Record) (Entry, error) {
		return Entry{Action: "account.oidc", Detail: "added"}, addSubject(r, sub)
	})
}

func addSubject(r *Record, s Subject) error {
	switch {
	case s.Issuer == "" || s.Subject == "" || len(s.Issuer) > 512 || len(s.Subject) > 255: // OpenID Connect Core 2: sub
		return fmt.Errorf("access: an identity without issuer or subject, or too long")
	case slices.Contains(r.Subjects, s):
		return ErrTaken
	case len(r.Subjects) >= MaxSubjects:
		return fmt.Errorf("access: an account has %d identities elsewhere at most: remove one first", MaxSubjects)
	}
	r.Subjects = append(r.Subjects, s)
	return nil
}

// RemoveSubject takes an identity away; ErrWayIn when there is no other way in.
func (d *Door) RemoveSubject(ctx context.Context, s *Session, sub Subject) error {
	return d.own(ctx, s, true, func(_ Tx, r *Record) (Entry, error) {
		i := slices.Index(r.Subjects, sub)
		if i < 0 {
			return Entry{}, ErrNoAccount
		}
		r.Subjects = slices.Delete(r.Subjects, i, i+1)
		if !r.wayIn() {
			return Entry{}, ErrWayIn
		}
		return Entry{Action: "account.oidc", Detail: "removed"}, nil
	})
}
