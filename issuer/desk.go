// Package issuer is an organisation's desk: it takes people from a roster,
// issues their credentials, revokes and suspends them, and publishes status
// lists.
//
// A [Desk] joins the people who act, the key that signs and the store that
// remembers. The order of what is written, signed and stored is its whole point:
// see [Desk.Issue]. The package declares the [Store] and the [SigningLog] it
// needs; package storage has them. Printing, packs and trust lists are others'.
package issuer

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer/registry"
)

// A Desk acts for one organisation in the name of one actor. Its fields are set
// once; its methods may be used by several goroutines, and several desks (also
// in several processes) may work on one store.
type Desk struct {
	Issuer string        // iss of the credentials: the organisation's URI
	Signer crypto.Signer // the card key: P-256 or Ed25519
	Tokens crypto.Signer // the key of credentials for wallets, which are text; nil: none are issued

	// When Signer and Tokens began to sign: service points take nothing older from them.
	SignerFrom, TokensFrom credential.Time

	Store Store
	Log   SigningLog
	Actor access.Actor

	// Check verifies a card that was just signed, signature included, as a service
	// point will: it is the last chance to find that a card cannot be used.
	Check func(card []byte) error
	// CheckToken does the same for the text of an SD-JWT VC or a VC-JWT; needed with Tokens.
	CheckToken func(text []byte) error

	// MayReplace says whether the trust list lets this organisation issue in the place
	// of a card of another one. Nil: it does not.
	MayReplace func(f credential.Former, vct, programme string) bool

	// Lists says how status lists are made: Prefix is needed, the rest has defaults.
	Lists ListPolicy

	// Known is the newest time that somebody else has signed, such as the issue
	// time of the trust list; zero: none. A clock before it is refused, and one
	// far after it, and after all that was signed here, needs a second person
	// (Actor.SecondPerson).
	Known credential.Time

	// FourEyes: a batch must be approved by somebody else than Actor.
	FourEyes bool

	// Chunk is how many rows share a transaction, and are signed before the first
	// of them is handed over; 0: 256, few enough that other writers get their
	// turn, enough that the disk is waited for seldom.
	Chunk int

	Now func() time.Time // nil: time.Now
}

// chunk is Chunk or its default.
func (d *Desk) chunk() int {
	if d.Chunk > 0 {
		return d.Chunk
	}
	return 256
}

// Defaults of ListPolicy; of each list's entries one in 64 is a decoy.
const (
	DefaultListSize = 1 << 17
	defaultOpen     = 2
	decoyShare      = 64
	defaultFill     = 0.75
	defaultLife     = 3 * 365 * 24 * time.Hour
)

// WithDefaults fills what the caller left out.
func (p ListPolicy) WithDefaults() ListPolicy {
	if p.Size == 0 {
		p.Size = DefaultListSize
	}
	if p.Open == 0 {
		p.Open = defaultOpen
	}
	if p.Decoys == 0 {
		p.Decoys = int(p.Size / decoyShare)
	}
	if p.Fill == 0 {
		p.Fill = defaultFill
	}
	if p.Life == 0 {
		p.Life = defaultLife
	}
	return p
}

// maxAhead is how far a signer's clock may be past every other known time.
const maxAhead = 90 * 24 * time.Hour

// ErrClock: the clock of this machine cannot be right, so nothing is signed: a
// wrong date in a signature outlives the mistake.
var ErrClock = errors.New("issuer: the clock of this machine is not plausible")

// now returns the time, if it is plausible beside Known and everything that was
// signed here: a clock that ran ahead would let living credentials pass for
// expired ones, and issue them again.
func (d *Desk) now(ctx context.Context) (time.Time, error) {
	now := time.Now
	if d.Now != nil {
		now = d.Now
	}
	t := now().UTC()
	here, err := d.Store.KnownTime(ctx)
	if err != nil {
		return t, fmt.Errorf("issuer: known time: %w", err)
	}
	// Two publications in one second have two times: the later lies ahead of the clock.
	at, slack := credential.FromStd(t), credential.Time(maxBehind/time.Second)
	known := max(d.Known, here)
	switch {
	case at < max(d.Known, here-slack):
		return t, fmt.Errorf("%w: it shows %s, and something signed at %s is known", ErrClock, at, known)
	case known != 0 && t.Sub(known.Std()) > maxAhead && d.Actor.SecondPerson == "":
		return t, fmt.Errorf("%w: it shows %s, the newest known time is %s: a second person must confirm it", ErrClock, at, known)
	}
	return t, nil
}

// cardKey returns the public half of the card key, once everything the desk
// needs for signing is there.
func (d *Desk) cardKey() (*cose.Key, error) {
	switch {
	case d.Store == nil || d.Log == nil || d.Signer == nil || d.Check == nil:
		return nil, errors.New("issuer: the desk needs a store, a signing log, a signer and a check of what was signed")
	case d.Issuer == "":
		return nil, errors.New("issuer: the desk needs the issuer's URI")
	case d.Lists.Prefix == "":
		return nil, errors.New("issuer: the desk needs the prefix of its status lists' URIs")
	}
	if err := d.Actor.Check(); err != nil {
		return nil, err
	}
	return cose.NewKey(d.Signer.Public())
}

// KeyCheck is what a store keeps of a programme key to know it again: the first
// 8 bytes of HMAC-SHA-256(programme key, "aidpass-programme-key-check").
func KeyCheck(programmeKey []byte) [8]byte {
	m := hmac.New(sha256.New, programmeKey)
	m.Write([]byte("aidpass-programme-key-check"))
	return [8]byte(m.Sum(nil)[:8])
}

// A RosterRow is a person or household as a roster has it.
type RosterRow struct {
	Kind      UnitKind
	Namespace string         // the roster, where its identifiers are unique in it alone; usually empty
	External  string         // the roster's identifier
	Fixed     []string       // fields that a known unit keeps, its name: see UnitRow
	Values    map[string]any // whatever is known, by field; see registry.AppendValue

	Fields map[string][]byte // the same as registry.Person and Household write it; besides Values
}

// Enrol stores the rows of a roster: new units, and fields that changed. The
// same roster again changes nothing. The result has one entry a row, in order;
// an entry with a Refusal was not stored.
// After an error the rows of earlier chunks are stored; Enrol can be repeated.
//
// progress, if not nil, is told how many rows are done.
func (d *Desk) Enrol(ctx context.Context, rows []RosterRow, progress func(done int)) ([]Enrolled, error) {
	all := make([]Enrolled, 0, len(rows))
	chunk := d.chunk()
	units := make([]UnitRow, 0, chunk)
	for start := 0; start < len(rows); start += chunk {
		units = units[:0]
		for i, row := range rows[start:min(start+chunk, len(rows))] {
			u := UnitRow{Kind: row.Kind, Namespace: row.Namespace, External: row.External, Fixed: row.Fixed, Fields: make(map[string][]byte, len(row.Values)+len(row.Fields))}
			maps.Copy(u.Fields, row.Fields)
			for name, v := range row.Values {
				b, err := registry.AppendValue(nil, v)
				if err != nil {
					return all, fmt.Errorf("issuer: enrol row %d: %q: %w", start+i+1, name, err)
				}
				u.Fields[name] = b
			}
			units = append(units, u)
		}
		done, err := d.Store.SaveUnits(ctx, d.Actor, units)
		if err != nil {
			return all, fmt.Errorf("issuer: enrol rows %d to %d: %w", start+1, start+len(units), err)
		}
		all = append(all, done...)
		if progress != nil {
			progress(len(all))
		}
	}
	return all, nil
}
