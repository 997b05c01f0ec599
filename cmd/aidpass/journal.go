package main

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"errors"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/durable"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// deviceKey is a device's key file, unsealed when it is first needed.
type deviceKey struct {
	key    *cose.Key
	signer func() (crypto.Signer, error)
	ecdh   func() (*ecdh.PrivateKey, error)
}

// id is the key id, nil without a device.
func (d *deviceKey) id() []byte {
	if d == nil {
		return nil
	}
	id := d.key.ID()
	return id[:]
}

// book is what was handed out: the journals given, and what this run adds.
type book struct {
	journals visit.Journals
	heard    *visit.Merged // what other tables' exchange files tell
	added    map[verifier.LedgerKey]verifier.Use

	// For recording only.
	tail   *durable.Tail
	signer crypto.Signer
	key    *cose.Key
	device []byte // id
	given  string // what is handed out, where it is not just what is due
	rest   string // what stays due: each collection is a part
	passed int    // collections of this run that a decision for old lists let pass
	last   []byte // the newest record, to chain the next one to
	next   uint64
}

// openBook reads the journals. The first is opened for recording with give.
func (a *app) openBook(p *verifier.Pack, u *verifier.Unlocked, paths []string, device *deviceKey, give bool) (_ *book, err error) {
	b := &book{added: map[verifier.LedgerKey]verifier.Use{}}
	find := func(kid []byte) *cose.Key {
		if c := p.Device(kid, trust.SignJournal); c != nil {
			return c.Key
		}
		if device != nil {
			if id := device.key.ID(); string(id[:]) == string(kid) {
				return device.key
			}
		}
		return nil
	}
	var heard []*visit.Piece
	for i, path := range paths {
		own := i == 0 && give
		var content []byte
		if own {
			b.tail, content, err = durable.OpenTail(path, 0o600, visit.MaxJournalBytes)
			defer func() {
				if err != nil && b.tail != nil {
					b.tail.Close()
				}
			}()
		} else {
			content, err = readFile(path, visit.MaxExchangeBytes)
		}
		if err != nil {
			return nil, err
		}
		if !own && visit.IsExchange(content) {
			piece, err := a.hear(p, u, path, content, find)
			if err != nil {
				return nil, err
			}
			heard = append(heard, piece)
			continue
		}
		j, err := visit.Read(content, find)
		var broken *visit.BrokenError
		switch {
		case errors.As(err, &broken) && !own:
			// Its good records still count; a queue is not sent away for the rest.
			a.say("warning: %s: %v", path, err)
			a.say("hint: records from %d on are not looked at; is the device's certificate in the pack?", broken.Sequence)
		case err != nil:
			return nil, usagef("%s: %w", path, err).hint("keep the file for review and start a journal with another name")
		case j.Torn:
			a.say("warning: %s: the last record was cut off and is dropped", path)
		}
		b.journals = append(b.journals, j)
		if own {
			if err := b.ready(p, j, device); err != nil {
				return nil, err
			}
		}
	}
	b.heard = visit.Merge(visit.Facts{}, heard...)
	return b, nil
}

// hear opens another table's exchange file.
func (a *app) hear(p *verifier.Pack, u *verifier.Unlocked, path string, content []byte, find func([]byte) *cose.Key) (*visit.Piece, error) {
	if u == nil {
		return nil, usagef("%s is sealed to the tables of this site", path).hint("--device and --unlock open it")
	}
	records, err := visit.OpenExchange(u.SiteKeys, p.Org, p.Site, content)
	if err != nil {
		return nil, usagef("%s: %w", path, err).hint("it is of another site, or the other table's pack is much older or newer: take the newest packs")
	}
	piece, err := visit.Open(records, find)
	if err != nil {
		return nil, err
	}
	if n := len(piece.Refused); n > 0 {
		// The good records still count; a queue is not sent away for the rest.
		a.say("warning: %s: %s not looked at: %v", path, plural(n, "record is", "records are"), &piece.Refused[0])
	}
	return piece, nil
}

// ready prepares for recording after what j holds.
func (b *book) ready(p *verifier.Pack, j *visit.Journal, device *deviceKey) (err error) {
	if b.signer, err = device.signer(); err != nil {
		return err
	}
	b.key, b.last, b.next = device.key, j.Last, j.Next()
	id := device.key.ID()
	b.device = id[:]
	if c := p.Device(id[:], trust.SignJournal); c != nil {
		b.device = c.DeviceID
	}
	if len(j.Visits) > 0 {
		// Before its certificate was in a pack the device went by its key id.
		if d := j.Visits[0].Device; !bytes.Equal(d, b.device) && !bytes.Equal(d, id[:]) {
			return usagef("the first --visits journal is another device's").hint("name this device's own first; others may follow")
		}
	}
	return b.tail.Cut(int64(j.Good))
}

// Earlier implements verifier.Uses.
func (b *book) Earlier(k verifier.LedgerKey) (verifier.Use, bool) {
	if u, ok := b.added[k]; ok {
		return u, true
	}
	use, ok := b.journals.Earlier(k)
	if ok && !use.Part {
		return use, ok
	}
	// A full collection anywhere leads over a part.
	if other, there := b.heard.Earlier(k); there && (!ok || !other.Part) {
		return other, there
	}
	return use, ok
}

// within is a decision for old lists where this table may still collect under it.
func (b *book) within(o *verifier.Decision) *verifier.Decision {
	if o == nil || !b.records() {
		return o
	}
	return o.Within(b.journals[0].OnOldLists(o.From) + b.passed)
}

func (b *book) records() bool { return b != nil && b.tail != nil }

// collect records a collection on the card of r, full unless a rest stays due, and
// returns the record's number. When it returns, the record is on the disk.
func (b *book) collect(r *verifier.Result, at credential.Time) (uint64, error) {
	v := visit.Visit{Device: b.device, Sequence: b.next, At: at, Kind: visit.Collection,
		Ledger: r.Ledger, Former: r.Former, Card: r.Credential.ID, By: visit.Holder, Given: b.given, Rest: b.rest}
	if b.rest != "" {
		v.Kind = visit.Partial
	}
	if v.Ledger.Pseudonym == "" {
		// A type that counts no collections, as a referral: that it was served is noted.
		v.Kind, v.Ledger, v.Former, v.Rest, v.Code = visit.Note, verifier.LedgerKey{}, credential.Former{}, "", "served"
	}
	if v.Kind == visit.Collection && r.Word == words.GiveRest {
		v.Code = visit.CodeRest
	}
	if r.OldList != nil && v.Kind <= visit.Partial {
		v.LetPass()
		b.passed++
	}
	if r.Holder&verifier.PINRight != 0 {
		v.Checks = append(v.Checks, visit.CheckPIN)
	}
	if r.Holder&verifier.LiveProof != 0 {
		v.Checks = append(v.Checks, visit.CheckLive)
	}
	p, err := visit.Prepare(b.key, b.last, v)
	if err != nil {
		return 0, err
	}
	sig, err := cose.SignRaw(b.signer, p.ToBeSigned())
	if err != nil {
		return 0, err
	}
	record, err := p.Attach(sig)
	if err != nil {
		return 0, err
	}
	if err := b.tail.Append(record); err != nil {
		return 0, err
	}
	b.last, b.next = record, b.next+1
	if v.Kind != visit.Note {
		use := verifier.Use{At: at, Given: v.Given, Part: v.Kind == visit.Partial, Rest: v.Rest}
		b.added[v.Ledger] = use
		if v.Former != (credential.Former{}) {
			b.added[v.Ledger.Formerly(v.Former)] = use
		}
	}
	return v.Sequence, nil
}

func (b *book) close() error {
	if !b.records() {
		return nil
	}
	return b.tail.Close()
}
