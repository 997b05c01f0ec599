package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aidpass/internal/cbor"
)

// InviteLife is how long an invitation is good.
const InviteLife = 72 * time.Hour

// An Invite is an invitation as it is kept: good once, for one account.
type Invite struct {
	Mark    Mark
	Account string
	TOTP    []byte // secret that the page shows, until the account takes it
	Ends    time.Time
}

func (d *Door) invite(account, secret string) Invite {
	return Invite{Mark: MarkOf("invite", secret), Account: account, TOTP: d.random(secretBytes), Ends: d.now().Add(InviteLife)}
}

// An Invitation is what the page of an invitation shows.
type Invitation struct {
	Account Account
	TOTP    []byte // secret for the app; see TOTPAddress
	Ends    time.Time
}

// Invitation is what a secret invites to; ErrNoInvite when it is used, over or unknown.
// Looking does not use it.
func (d *Door) Invitation(ctx context.Context, secret string) (in Invitation, err error) {
	err = d.Store.ReadAccess(ctx, func(v View) error {
		i, r, err := d.invited(v, secret)
		in = Invitation{r.Account, i.TOTP, i.Ends}
		return err
	})
	return in, err
}

func (d *Door) invited(v View, secret string) (i Invite, r Record, err error) {
	if secret == "" || len(secret) > maxSecret {
		return i, r, ErrNoInvite
	}
	if i, err = v.Invite(MarkOf("invite", secret)); err != nil {
		return i, r, err
	}
	if !d.now().Before(i.Ends) {
		return Invite{}, r, ErrNoInvite
	}
	r, err = v.Account(i.Account)
	if errors.Is(err, ErrNoAccount) || err == nil && r.Disabled {
		return Invite{}, Record{}, ErrNoInvite
	}
	return i, r, err
}

// Accept uses an invitation to set a password, and one-time codes by a code of the
// secret that Invitation showed, and signs in. ErrPassword, ErrSignIn (the code) and
// ErrNoInvite leave it as it was.
func (d *Door) Accept(ctx context.Context, secret, password, code, address string) (Ticket, error) {
	in, err := d.Invitation(ctx, secret)
	if err != nil {
		return Ticket{}, err
	}
	if err := CheckPassword(password, in.Account.ID); err != nil {
		return Ticket{}, err
	}
	step, ok := checkCode(in.TOTP, code, d.now())
	if !ok {
		return Ticket{}, ErrSignIn
	}
	hash := d.hash(password)
	return d.accept(ctx, secret, in, ByPassword, address, func(r *Record) error {
		r.Password, r.TOTP, r.NewTOTP, r.Step = hash, in.TOTP, nil, step
		return nil
	})
}

// AcceptPasskey uses an invitation to add a passkey whose attestation the caller has
// proved, and signs in.
func (d *Door) AcceptPasskey(ctx context.Context, secret string, k Passkey, address string) (Ticket, error) {
	in, err := d.Invitation(ctx, secret)
	if err != nil {
		return Ticket{}, err
	}
	k.Created, k.Used = d.now(), d.now()
	return d.accept(ctx, secret, in, ByPasskey, address, func(r *Record) error { return addPasskey(r, k) })
}

// AcceptSubject uses an invitation to add an OpenID identity, which the caller has proved, and signs in.
func (d *Door) AcceptSubject(ctx context.Context, secret string, s Subject, address string) (Ticket, error) {
	in, err := d.Invitation(ctx, secret)
	if err != nil {
		return Ticket{}, err
	}
	return d.accept(ctx, secret, in, BySubject, address, func(r *Record) error { return addSubject(r, s) })
}

func (d *Door) accept(ctx context.Context, secret string, in Invitation, way Way, address string, set func(*Record) error) (Ticket, error) {
	return d.let(ctx, in.Account.ID, way, address, "", func(tx Tx, r *Record) error {
		i, err := tx.Invite(MarkOf("invite", secret)) // of two at once, the second finds none
		if err != nil {
			return err
		}
		if i.Account != r.ID {
			return ErrNoInvite
		}
		if err := set(r); err != nil {
			return err
		}
		r.Version++
		if err := tx.EndInvites(r.ID); err != nil {
			return err
		}
		return tx.Audit(Entry{Action: "account.join", Object: r.ID, Detail: "by=" + string(way), Actor: by(r.Account)})
	})
}

// recoveryLabel keeps what two administrators agree to apart from every other payload.
const recoveryLabel = "aidpass-recover-1"

// AskRecovery asks for the recovery of an account that lost password or device. The
// secret of the new invitation is shown to who asks, and is good from the moment another
// administrator approves, when all ways in that the account had end.
func (d *Door) AskRecovery(ctx context.Context, c Caller, account, reason string) (a Approval, secret string, err error) {
	if SameAccount(c.Actor(AccountRecover).ID, account) {
		return a, "", ErrOwnAccount
	}
	if err := c.Check(AccountRecover, d.now()); err != nil {
		return a, "", err
	}
	if err := d.Store.ReadAccess(ctx, func(v View) error { _, err := v.Account(account); return err }); err != nil {
		return a, "", err
	}
	secret = d.secret()
	mark := MarkOf("invite", secret)
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendText(b, recoveryLabel)
	b = cbor.AppendText(b, account)
	b = cbor.AppendBytes(b, mark[:])
	a, err = d.Ask(ctx, c, Request{Act: AccountRecover, Object: account, Payload: b, Reason: reason})
	return a, secret, err
}

// recovery is the executor of AccountRecover.
func (d *Door) recovery(ctx context.Context, who Actor, a Approval) error {
	mark, ok := recoveryMark(a)
	if !ok {
		return fmt.Errorf("access: approval %s does not say whom to recover", a.ID)
	}
	if SameAccount(a.Second, a.Object) || SameAccount(a.By, a.Object) {
		return ErrOwnAccount
	}
	return d.recover(ctx, who, a.Object, mark, a.Why)
}

// recoveryMark takes the payload of a recovery apart: its mark is the last 32 bytes.
func recoveryMark(a Approval) (m Mark, ok bool) {
	if len(a.Payload) < len(m) {
		return m, false
	}
	copy(m[:], a.Payload[len(a.Payload)-len(m):])
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendText(b, recoveryLabel)
	b = cbor.AppendText(b, a.Object)
	b = cbor.AppendBytes(b, m[:])
	return m, string(b) == string(a.Payload)
}

// Recover does at the laptop what AskRecovery and an approval do: its actor has a second person.
func (d *Door) Recover(ctx context.Context, l Laptop, account, reason string) (secret string, err error) {
	if l.SecondPerson == "" {
		return "", fmt.Errorf("access: recovery takes a second person")
	}
	if SameAccount(l.ID, account) || SameAccount(l.SecondPerson, account) {
		return "", ErrOwnAccount
	}
	secret = d.secret()
	return secret, d.recover(ctx, Actor(l), account, MarkOf("invite", secret), reason)
}

// recover ends every way in, tokens too, and makes the invitation of a mark. Done again with the same
// mark it does nothing, also when that invitation was used since.
func (d *Door) recover(ctx context.Context, who Actor, account string, mark Mark, reason string) error {
	return d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		r, err := tx.Account(account)
		if err != nil {
			return err
		}
		if r.Recovered == mark {
			return nil
		}
		i := Invite{Mark: mark, Account: account, TOTP: d.random(secretBytes), Ends: d.now().Add(InviteLife)}
		r.Password, r.TOTP, r.NewTOTP, r.Passkeys, r.Subjects = "", nil, nil, nil, nil
		r.Recovered = mark
		r.Version++
		if err := errors.Join(tx.EndSessions(account, Mark{}), tx.EndInvites(account), d.endTokens(tx, account), tx.SaveAccount(r), tx.SaveInvite(i)); err != nil {
			return err
		}
		return tx.Audit(Entry{Action: "account.recover", Object: account, Reason: reason})
	})
}
