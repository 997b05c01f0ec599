package access

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// How long a session lasts.
const (
	SessionIdle = 30 * time.Minute // without a request
	SessionLife = 12 * time.Hour   // whatever happens
	StepUpLife  = 5 * time.Minute  // a proof of identity is fresh
)

// A Session is somebody at work, read anew at every request: Roles are those the account
// has now. The Account's organisation is the only one the session can reach.
type Session struct {
	ID      string // for lists of sessions; it opens nothing
	Account Account
	Roles   []Role
	Created time.Time
	Seen    time.Time // newest request, to the minute
	Proved  time.Time // newest proof of identity: sign-in or step-up
	Way     Way       // how that proof was given
	Device  string    // what the log calls the desk or device, as who sits at it named it; may be empty

	token *Token // of a program, which may what the token may; Roles is then empty
}

// May reports whether the session may do a, fresh proof of identity apart.
func (s *Session) May(a Act) bool {
	err := s.Check(a, s.Proved)
	return err == nil || errors.Is(err, ErrStepUp)
}

// Program is the ID of the token by which a program came; "" for a person.
func (s *Session) Program() string {
	if s.token == nil {
		return ""
	}
	return s.token.ID
}

// A Way is how somebody proved who they are.
type Way string

// The ways. ByInvitation is good for nothing but to set up one of the others.
const (
	ByPassword   Way = "password" // and one-time code
	ByPasskey    Way = "passkey"
	BySubject    Way = "oidc"
	ByInvitation Way = "invitation"
)

// Fresh reports whether identity was proved at most StepUpLife before at.
func (s *Session) Fresh(at time.Time) bool {
	return !at.Before(s.Proved) && at.Sub(s.Proved) <= StepUpLife
}

// Check says whether the session may do a at this moment: nil, ErrNotAllowed or ErrStepUp.
func (s *Session) Check(a Act, at time.Time) error {
	if s.token != nil {
		return s.token.Check(a, at)
	}
	rule, _ := RuleOf(a)
	switch {
	case !May(s.Roles, a):
		return ErrNotAllowed
	case rule.StepUp && !s.Fresh(at):
		return ErrStepUp
	}
	return nil
}

// Actor is how the session stands in the log when it does a: in the role that may, or
// where none may in the account's first.
func (s *Session) Actor(a Act) Actor {
	if s.token != nil {
		return s.token.Actor(a)
	}
	who := by(s.Account)
	who.Device = s.Device
	if r := RoleFor(s.Roles, a); r != "" {
		who.Role = r
	}
	return who
}

// A Caller is who asks a Door for something: a *Session, a *Token, or a Laptop.
type Caller interface {
	// Check says whether the caller may do a at this moment: nil, ErrNotAllowed or ErrStepUp.
	Check(a Act, at time.Time) error
	// Actor is how the caller stands in the log when it does a.
	Actor(a Act) Actor
}

// A Laptop is whoever holds the organisation's keys, at the command line: with them cards
// can be signed, so no table keeps them from anything. The log says what they did.
type Laptop Actor

// Check allows everything.
func (l Laptop) Check(Act, time.Time) error { return nil }

// Actor is the account that the command line was told.
func (l Laptop) Actor(Act) Actor { return Actor(l) }

func session(a Account, r SessionRow) Session {
	return Session{ID: hex.EncodeToString(r.Mark[:8]), Account: a, Roles: a.Roles, Created: r.Created, Seen: r.Seen, Proved: r.Proved, Way: r.Way, Device: r.Device}
}

// liveRow is the row of a token whose session is not over; ErrNoSession.
func (d *Door) liveRow(v View, token string) (SessionRow, error) {
	if token == "" || len(token) > maxSecret {
		return SessionRow{}, ErrNoSession
	}
	row, err := v.Session(MarkOf("session", token))
	if err == nil && row.over(d.now()) {
		err = ErrNoSession
	}
	return row, err
}

// seenEvery is how exactly the newest request is kept: a page of many parts is one write.
const seenEvery = time.Minute

// Session is who comes with a token: ErrNoSession when it is over, was ended, or its
// account is disabled. Roles are those of this moment.
func (d *Door) Session(ctx context.Context, token string) (*Session, error) {
	var s Session
	var row SessionRow
	err := d.Store.ReadAccess(ctx, func(v View) (err error) {
		if row, err = d.liveRow(v, token); err != nil {
			return err
		}
		rec, err := v.Account(row.Account)
		if err != nil {
			return err
		}
		if rec.Disabled {
			return ErrNoSession
		}
		s = session(rec.Account, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	now := d.now()
	if now.Sub(row.Seen) < seenEvery {
		return &s, nil
	}
	err = d.Store.WriteAccess(ctx, by(s.Account), func(tx Tx) error {
		row, err := d.liveRow(tx, token) // it may have ended meanwhile
		if err != nil {
			return err
		}
		row.Seen = now
		return tx.SaveSession(row)
	})
	s.Seen = now
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// maxDeviceName is the longest name of a desk, in letters.
const maxDeviceName = 40

// DeviceName returns the one way in which a desk or device is written in the log: letters
// and digits of any script, blanks and . _ - between them. It is a place and no person.
func DeviceName(s string) (string, error) {
	name := strings.Join(strings.Fields(s), " ")
	bad := strings.IndexFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune(" ._-", r)
	})
	if bad >= 0 || name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxDeviceName || strings.HasPrefix(name, "token-") || strings.HasPrefix(name, "device-") {
		return "", fmt.Errorf("access: the name of a desk has up to %d letters, digits, blanks and . _ -", maxDeviceName)
	}
	return name, nil
}

// NameDevice says at which desk or device a session is: what is done in it from then on
// stands so in the log.
func (d *Door) NameDevice(ctx context.Context, s *Session, token, name string) error {
	if s.token != nil {
		return ErrNotAllowed
	}
	name, err := DeviceName(name)
	if err != nil || name == s.Device {
		return err
	}
	s.Device = name
	who := by(s.Account)
	who.Device = name
	return d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		row, err := d.liveRow(tx, token)
		if err != nil {
			return err
		}
		row.Device = name
		if err := tx.SaveSession(row); err != nil {
			return err
		}
		return tx.Audit(Entry{Action: "account.desk", Object: s.Account.ID})
	})
}

// SignOut ends the session of a token. One that is over already is ErrNoSession.
func (d *Door) SignOut(ctx context.Context, token string) error {
	s, err := d.Session(ctx, token)
	if err != nil {
		return err
	}
	return d.Store.WriteAccess(ctx, by(s.Account), func(tx Tx) error {
		if err := tx.EndSession(MarkOf("session", token)); err != nil {
			return err
		}
		return tx.Audit(Entry{Action: "account.sign-out", Object: s.Account.ID})
	})
}

// Sessions are the live ones of the session's own account, newest first.
func (d *Door) Sessions(ctx context.Context, s *Session) (list []Session, err error) {
	err = d.Store.ReadAccess(ctx, func(v View) error {
		rows, err := v.Sessions(s.Account.ID)
		for _, r := range rows {
			if !r.over(d.now()) {
				list = append(list, session(s.Account, r))
			}
		}
		return err
	})
	return list, err
}

// EndSession ends one of the account's own sessions, by its ID: ErrNoSession for all others.
func (d *Door) EndSession(ctx context.Context, s *Session, id string) error {
	if s.token != nil {
		return ErrNotAllowed
	}
	return d.Store.WriteAccess(ctx, by(s.Account), func(tx Tx) error {
		rows, err := tx.Sessions(s.Account.ID)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if session(s.Account, r).ID == id {
				if err := tx.EndSession(r.Mark); err != nil {
					return err
				}
				return tx.Audit(Entry{Action: "account.sign-out", Object: s.Account.ID, Detail: "other session"})
			}
		}
		return ErrNoSession
	})
}
