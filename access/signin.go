package access

import (
	"context"
	"errors"
	"fmt"
)

// An Attempt is what somebody typed to be let in.
type Attempt struct {
	Account  string
	Password string
	Code     string // of the one-time-code app
	Address  string // whence: an IP address, without a port; counts tries, and is not kept readable
}

// A Ticket is a session with the secret that opens it, which is kept nowhere here.
type Ticket struct {
	Token   string // for the cookie
	Session Session
}

// SignIn lets an account in by password and one-time code.
//
// What fails is ErrSignIn, whatever it was, with the same work: a missing, disabled or
// half set-up account, a wrong password, a wrong or used code. A *DelayError comes before
// any of that, and says when to try again.
func (d *Door) SignIn(ctx context.Context, a Attempt) (Ticket, error) {
	id, _ := AccountID(a.Account) // "" is nobody, and fails like everybody else
	rec, err := d.tried(ctx, id, a.Address)
	if err != nil {
		return Ticket{}, err
	}
	good, weak := d.provesByPassword(&rec, a.Password, a.Code)
	if !good || rec.Disabled {
		return Ticket{}, ErrSignIn
	}
	renewed := ""
	if weak {
		renewed = d.hash(a.Password)
	}
	return d.let(ctx, rec.ID, ByPassword, a.Address, "", func(tx Tx, now *Record) error {
		if now.Password != rec.Password {
			return ErrSignIn // changed meanwhile
		}
		if renewed != "" {
			now.Password = renewed
		}
		return d.useCode(now, a.Code)
	})
}

// Vouch proves by password and one-time code that an account's owner stands beside who
// works at the laptop, and opens no session. Errors are those of SignIn.
func (d *Door) Vouch(ctx context.Context, a Attempt) error {
	id, _ := AccountID(a.Account)
	rec, err := d.tried(ctx, id, a.Address)
	if err != nil {
		return err
	}
	if good, _ := d.provesByPassword(&rec, a.Password, a.Code); !good || rec.Disabled {
		return ErrSignIn
	}
	return d.Store.WriteAccess(ctx, by(rec.Account), func(tx Tx) error {
		now, err := tx.Account(rec.ID)
		if err != nil {
			return err
		}
		if now.Disabled || now.Password != rec.Password {
			return ErrSignIn // changed meanwhile
		}
		if err := d.useCode(&now, a.Code); err != nil {
			return err
		}
		if _, err := forgive(tx, d.now(), rec.ID, a.Address, ByPassword); err != nil {
			return err
		}
		if err := tx.SaveAccount(now); err != nil {
			return err
		}
		return tx.Audit(Entry{Action: "account.vouch", Object: rec.ID})
	})
}

// tried counts a try before it is judged, so that many at once do not share one, and
// returns the account, or a record of nobody.
func (d *Door) tried(ctx context.Context, id, address string) (rec Record, err error) {
	now := d.now()
	err = d.Store.WriteAccess(ctx, door, func(tx Tx) error {
		if rec, err = tx.Account(id); err != nil && !errors.Is(err, ErrNoAccount) {
			return err
		}
		return count(tx, now, id, address, rec.ID)
	})
	return rec, err
}

// provesByPassword looks at both, whatever the first says.
func (d *Door) provesByPassword(r *Record, password, code string) (good, weak bool) {
	if len(password) > MaxPassword {
		password = ""
	}
	ok, weak := d.verify(password, r.Password)
	_, coded := checkCode(r.TOTP, code, d.now())
	return ok && coded && len(r.TOTP) > 0, weak
}

// useCode spends a one-time code. RFC 6238 5.2: a code is accepted once.
func (d *Door) useCode(r *Record, code string) error {
	step, ok := checkCode(r.TOTP, code, d.now())
	if !ok || step <= r.Step {
		return ErrSignIn
	}
	r.Step = step
	return nil
}

// A PasskeyProof is a WebAuthn assertion whose signature, challenge, origin, rpId and user
// verification the caller has proved already.
type PasskeyProof struct {
	ID        []byte // credential id
	SignCount uint32
	BackedUp  bool
	Address   string
}

// SignInPasskey lets in whose passkey gave the proof. A counter that does not rise is
// ErrSignIn and stands in the log: the key may have been copied (WebAuthn level 2, 7.2 step 21).
func (d *Door) SignInPasskey(ctx context.Context, p PasskeyProof) (Ticket, error) {
	id, err := d.owner(ctx, func(v View) (string, error) { return v.PasskeyOwner(p.ID) })
	if err != nil {
		return Ticket{}, err
	}
	return d.let(ctx, id, ByPasskey, p.Address, "", func(tx Tx, now *Record) error { return d.usePasskey(now, p) })
}

var errCopied = errors.New("access: the passkey's counter went back")

func (d *Door) usePasskey(r *Record, p PasskeyProof) error {
	for i := range r.Passkeys {
		k := &r.Passkeys[i]
		if string(k.ID) != string(p.ID) {
			continue
		}
		if (p.SignCount != 0 || k.SignCount != 0) && p.SignCount <= k.SignCount {
			return errCopied
		}
		k.SignCount, k.BackedUp, k.Used = p.SignCount, p.BackedUp, d.now()
		return nil
	}
	return ErrSignIn
}

// SignInSubject lets in whom an OpenID provider vouched for; the caller has proved the ID token.
func (d *Door) SignInSubject(ctx context.Context, s Subject, address string) (Ticket, error) {
	id, err := d.owner(ctx, func(v View) (string, error) { return v.SubjectOwner(s) })
	if err != nil {
		return Ticket{}, err
	}
	return d.let(ctx, id, BySubject, address, "", func(Tx, *Record) error { return nil })
}

// PasskeyOwner is the account of a passkey, for the ceremony of signing in; ErrSignIn.
func (d *Door) PasskeyOwner(ctx context.Context, credential []byte) (Account, error) {
	id, err := d.owner(ctx, func(v View) (string, error) { return v.PasskeyOwner(credential) })
	if err != nil {
		return Account{}, err
	}
	var rec Record
	err = d.Store.ReadAccess(ctx, func(v View) error {
		rec, err = v.Account(id)
		return err
	})
	if err == nil && rec.Disabled {
		err = ErrSignIn
	}
	return rec.Account, err
}

func (d *Door) owner(ctx context.Context, find func(View) (string, error)) (id string, err error) {
	err = d.Store.ReadAccess(ctx, func(v View) error {
		id, err = find(v)
		return err
	})
	if errors.Is(err, ErrNoAccount) {
		err = ErrSignIn
	}
	return id, err
}

// let opens a session, or with old renews one: its token ends and another begins, so that
// a token from before is worth nothing (session fixation).
func (d *Door) let(ctx context.Context, id string, way Way, address, old string, prove func(Tx, *Record) error) (Ticket, error) {
	t := Ticket{Token: d.secret()}
	now := d.now()
	var refused error
	err := d.Store.WriteAccess(ctx, door, func(tx Tx) error {
		rec, err := tx.Account(id)
		if errors.Is(err, ErrNoAccount) {
			return ErrSignIn
		} else if err != nil {
			return err
		}
		if rec.Disabled || len(rec.Roles) == 0 {
			return ErrSignIn
		}
		if refused = prove(tx, &rec); errors.Is(refused, errCopied) {
			return tx.Audit(Entry{Action: "account.passkey-refused", Object: id, Reason: "counter", Actor: by(rec.Account)})
		} else if refused != nil {
			return refused
		}
		row := SessionRow{Mark: MarkOf("session", t.Token), Account: id, Created: now, Seen: now, Proved: now, Way: way}
		action := Action("account.sign-in")
		if old != "" {
			action = "account.step-up"
			was, err := d.liveRow(tx, old)
			if err != nil {
				return err
			}
			if was.Account != id {
				return ErrSignIn
			}
			row.Device = was.Device
			row.Created = was.Created // twelve hours are twelve hours
			if err := tx.EndSession(was.Mark); err != nil {
				return err
			}
		}
		failed, err := forgive(tx, now, id, address, way)
		if err != nil {
			return err
		}
		if err := tx.Sweep(now); err != nil {
			return err
		}
		if err := tx.SaveAccount(rec); err != nil {
			return err
		}
		if err := tx.SaveSession(row); err != nil {
			return err
		}
		detail := "by=" + string(way)
		if failed > 0 {
			detail += fmt.Sprintf(" failed=%d", failed)
		}
		t.Session = session(rec.Account, row)
		return tx.Audit(Entry{Action: action, Object: id, Detail: detail, Actor: by(rec.Account)})
	})
	if err == nil && refused != nil {
		err = ErrSignIn
	}
	if err != nil {
		return Ticket{}, err
	}
	return t, nil
}

// StepUp proves identity again by password and code and renews the session: the old
// token ends. Only the session's own account can; errors are those of SignIn and Session.
func (d *Door) StepUp(ctx context.Context, token string, a Attempt) (Ticket, error) {
	s, err := d.Session(ctx, token)
	if err != nil {
		return Ticket{}, err
	}
	rec, err := d.tried(ctx, s.Account.ID, a.Address)
	if err != nil {
		return Ticket{}, err
	}
	if good, _ := d.provesByPassword(&rec, a.Password, a.Code); !good {
		return Ticket{}, ErrSignIn
	}
	return d.let(ctx, s.Account.ID, ByPassword, a.Address, token, func(_ Tx, now *Record) error {
		if now.Password != rec.Password {
			return ErrSignIn
		}
		return d.useCode(now, a.Code)
	})
}

// StepUpPasskey does it by a passkey of the session's own account.
func (d *Door) StepUpPasskey(ctx context.Context, token string, p PasskeyProof) (Ticket, error) {
	s, err := d.Session(ctx, token)
	if err != nil {
		return Ticket{}, err
	}
	return d.let(ctx, s.Account.ID, ByPasskey, p.Address, token, func(_ Tx, now *Record) error { return d.usePasskey(now, p) })
}

// StepUpSubject does it by the OpenID provider, which was asked to sign in anew
// (max_age=0); the caller has proved the ID token and its auth_time.
func (d *Door) StepUpSubject(ctx context.Context, token string, sub Subject, address string) (Ticket, error) {
	s, err := d.Session(ctx, token)
	if err != nil {
		return Ticket{}, err
	}
	return d.let(ctx, s.Account.ID, BySubject, address, token, func(_ Tx, now *Record) error {
		for _, has := range now.Subjects {
			if has == sub {
				return nil
			}
		}
		return ErrSignIn
	})
}
