package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Token lets a program act: single acts, for a time, and never more than who made it
// may do at the moment.
type Token struct {
	ID      string
	Mark    Mark
	Maker   string // account
	Name    string // what it is for; no person's name
	Acts    []Act
	Created time.Time
	Until   time.Time
	Used    time.Time // newest use, to the hour; zero: never
	Revoked time.Time // zero: not

	roles []Role // of the maker, now
	maker Account
}

// Bounds of tokens.
const (
	MaxTokenLife = 366 * 24 * time.Hour
	MaxTokens    = 500 // that are good, in an organisation
	maxTokenName = 64
	// TokenPrefix begins every token, so that scanners of secrets find one that was left in a file.
	TokenPrefix = "aidpass_"
	usedEvery   = time.Hour
)

// ErrPerson: the act needs a fresh proof of identity, which a program has none of.
var ErrPerson = fmt.Errorf("%w: a person does this, with a fresh proof of identity: sign in at the desk for it", ErrNotAllowed)

// TokenActs are the acts a token can have: all but accounts, tokens, what the second of
// four eyes does, and what a person proves her identity for, as long as the table does not
// say why a program may. Two programs are not two people (docs/decisions/0030), and a token
// lies in a file for a year (0039).
func TokenActs() (acts []Act) {
	for _, r := range rules {
		if r.forTokens() == nil {
			acts = append(acts, r.Act)
		}
	}
	return acts
}

// forTokens is nil where a token can have the act: else ErrPerson, or ErrNotAllowed for what
// no proof of identity would change.
func (r *Rule) forTokens() error {
	noun, _, _ := strings.Cut(string(r.Act), ".")
	second := slices.ContainsFunc(rules, func(o Rule) bool { return o.FourEyes && o.Second == r.Act })
	switch {
	case r.Act == "" || noun == "account" || noun == "token" || second:
		return ErrNotAllowed
	case r.StepUp && r.Program == "":
		return ErrPerson
	}
	return nil
}

// Check says whether the token may do a: what it was made for, if its maker still may, and
// what tokens may at all, which may be less than when it was made: ErrPerson.
func (t *Token) Check(a Act, _ time.Time) error {
	if !slices.Contains(t.Acts, a) || !May(t.roles, a) {
		return ErrNotAllowed
	}
	rule, _ := RuleOf(a)
	return rule.forTokens()
}

// Lost are those of its acts that no token may do.
func (t *Token) Lost() (acts []Act) {
	for _, a := range t.Acts {
		if rule, _ := RuleOf(a); rule.forTokens() != nil {
			acts = append(acts, a)
		}
	}
	return acts
}

// Actor is the maker, at the token.
func (t *Token) Actor(a Act) Actor {
	who := Actor{ID: t.Maker, Role: RoleFor(t.roles, a), Device: "token-" + t.ID}
	if who.Role == "" && len(t.roles) > 0 {
		who.Role = t.roles[0]
	}
	return who
}

// A NewToken is what is asked for.
type NewToken struct {
	Name  string
	Acts  []Act
	Until time.Time
}

// MakeToken makes a token of a session's account. The secret is shown once and kept nowhere.
func (d *Door) MakeToken(ctx context.Context, s *Session, n NewToken) (secret string, t Token, err error) {
	if err := s.Check(TokenMake, d.now()); err != nil {
		return "", t, err
	}
	return d.makeToken(ctx, s.Actor(TokenMake), s.Account.ID, n)
}

// MakeTokenFor does it at the laptop, for an account whose roles then bound it.
func (d *Door) MakeTokenFor(ctx context.Context, l Laptop, maker string, n NewToken) (secret string, t Token, err error) {
	return d.makeToken(ctx, Actor(l), maker, n)
}

func (d *Door) makeToken(ctx context.Context, who Actor, maker string, n NewToken) (secret string, t Token, err error) {
	now := d.now()
	switch {
	case n.Name == "" || len(n.Name) > maxTokenName:
		return "", t, fmt.Errorf("access: a token has a name of at most %d bytes", maxTokenName)
	case !n.Until.After(now) || n.Until.Sub(now) > MaxTokenLife:
		return "", t, fmt.Errorf("access: a token ends in the next %d days", int(MaxTokenLife/(24*time.Hour)))
	case len(n.Acts) == 0:
		return "", t, fmt.Errorf("access: a token is for one act at least")
	}
	secret = TokenPrefix + d.secret()
	t = Token{ID: d.id(), Mark: MarkOf("token", secret), Maker: maker, Name: n.Name, Acts: slices.Clone(n.Acts), Created: now, Until: n.Until.UTC().Truncate(time.Second)}
	err = d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		r, err := tx.Account(maker)
		if err != nil {
			return err
		}
		if r.Disabled {
			return ErrDisabled
		}
		t.roles = r.Roles
		for _, a := range t.Acts {
			if err := t.Check(a, now); err != nil {
				return fmt.Errorf("%q is not for a token of %s: %w", a, maker, err)
			}
		}
		all, err := tx.Tokens()
		if err != nil {
			return err
		}
		good := 0
		for _, o := range all {
			if o.Revoked.IsZero() && now.Before(o.Until) {
				good++
			}
		}
		if good >= MaxTokens {
			return fmt.Errorf("access: an organisation has %d tokens at most: revoke one first", MaxTokens)
		}
		if err := tx.SaveToken(t); err != nil {
			return err
		}
		var acts []string
		for _, a := range t.Acts {
			acts = append(acts, string(a))
		}
		detail := fmt.Sprintf("of=%s until=%s acts=%s", maker, t.Until.Format(time.RFC3339), strings.Join(acts, ","))
		return tx.Audit(Entry{Action: "token.make", Object: t.ID, Detail: Fit(detail)})
	})
	if err != nil {
		return "", Token{}, err
	}
	return secret, t, nil
}

// Token is the token of a secret that a program brings; ErrNoToken for one that is over,
// revoked, unknown, or of a disabled account.
func (d *Door) Token(ctx context.Context, secret string) (*Token, error) {
	if !strings.HasPrefix(secret, TokenPrefix) || len(secret) > maxSecret {
		return nil, ErrNoToken
	}
	now := d.now()
	var t Token
	find := func(v View) (err error) {
		if t, err = v.Token(MarkOf("token", secret)); err != nil {
			return err
		}
		r, err := v.Account(t.Maker)
		if errors.Is(err, ErrNoAccount) || err == nil && r.Disabled || !t.Revoked.IsZero() || !now.Before(t.Until) {
			return ErrNoToken
		}
		t.roles, t.maker = r.Roles, r.Account
		return err
	}
	if err := d.Store.ReadAccess(ctx, find); err != nil {
		return nil, err
	}
	if now.Sub(t.Used) < usedEvery {
		return &t, nil
	}
	err := d.Store.WriteAccess(ctx, Actor{ID: t.Maker, Role: System, Device: "token-" + t.ID}, func(tx Tx) error {
		if err := find(tx); err != nil {
			return err
		}
		first := t.Used.IsZero()
		t.Used = now.Truncate(usedEvery)
		if err := tx.SaveToken(t); err != nil || !first {
			return err
		}
		return tx.Audit(Entry{Action: "token.used", Object: t.ID, Detail: "first"})
	})
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// Session is the token as pages know who asks: its maker's account, without roles, which
// may do what the token may. It opens nothing else: no sign-in is behind it, nothing of
// the account itself changes by it, and it is nobody's second person.
func (t *Token) Session() *Session {
	a := t.maker
	a.Roles = nil
	return &Session{Account: a, Created: t.Created, Seen: t.Used, token: t, Device: "token-" + t.ID}
}

// Tokens are those of the caller, or for who may read accounts all, newest first.
func (d *Door) Tokens(ctx context.Context, c Caller) (list []Token, err error) {
	now := d.now()
	all := c.Check(AccountRead, now) == nil
	if err := c.Check(TokenMake, now); !all && errors.Is(err, ErrNotAllowed) {
		return nil, err
	}
	me := c.Actor(TokenMake).ID
	err = d.Store.ReadAccess(ctx, func(v View) error {
		list, err = v.Tokens()
		list = slices.DeleteFunc(list, func(t Token) bool { return !all && t.Maker != me })
		return err
	})
	return list, err
}

// RevokeToken ends a token: one's own, or as an administrator anybody's; ErrNoToken for
// all others. Revoking twice is no fault.
func (d *Door) RevokeToken(ctx context.Context, c Caller, id string) error {
	if err := c.Check(TokenRevoke, d.now()); err != nil {
		return err
	}
	who := c.Actor(TokenRevoke)
	_, laptop := c.(Laptop)
	return d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		all, err := tx.Tokens()
		if err != nil {
			return err
		}
		for _, t := range all {
			if t.ID != id || !laptop && t.Maker != who.ID && who.Role != OrgAdmin {
				continue
			}
			if !t.Revoked.IsZero() {
				return nil
			}
			t.Revoked = d.now()
			if err := tx.SaveToken(t); err != nil {
				return err
			}
			return tx.Audit(Entry{Action: "token.revoke", Object: t.ID})
		}
		return ErrNoToken
	})
}

// endTokens revokes what an account made: who had its password may have made them.
func (d *Door) endTokens(tx Tx, account string) error {
	all, err := tx.Tokens()
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Maker != account || !t.Revoked.IsZero() {
			continue
		}
		t.Revoked = d.now()
		if err := tx.SaveToken(t); err != nil {
			return err
		}
		if err := tx.Audit(Entry{Action: "token.revoke", Object: t.ID}); err != nil {
			return err
		}
	}
	return nil
}
