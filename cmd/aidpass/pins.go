package main

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"aidpass/credential/cwt"
	"aidpass/internal/durable"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/storage/keystore"
)

// pinBook is the file of PINs under way. A PIN follows from a secret of the
// organisation, the person, the place the card takes and how many cards of that
// place were revoked before: a run that was interrupted, or runs at the same time,
// all come to the same PIN, and a file that was lost is written again by the same
// roster. Whoever has the keys could find a PIN anyway, by trying a million.
type pinBook struct {
	tail    *durable.Tail
	there   map[string]bool // lines of the file, and those that wait
	pending []byte
	waiting int

	secret []byte
	batch  *issuer.Batch
	epochs [][]byte // keys that may have sealed the cards
	keys   []keystore.Info
	issuer string
	by     map[int]string // PIN by row
}

const (
	pinHeader  = "number,pin\n"
	maxPINFile = 64 << 20
	pinChunk   = 256 // lines that share a wait for the disk
)

// openPINs opens the file before anything is signed: a path that cannot be
// written costs nothing then.
func (o *org) openPINs(path string, b *issuer.Batch) (_ *pinBook, err error) {
	p := &pinBook{there: map[string]bool{}, batch: b, issuer: o.entry.ID, by: map[int]string{}}
	secret, err := o.secret(keystore.Programme)
	if err != nil {
		return nil, err
	}
	if p.secret, err = hkdf.Key(sha256.New, secret, nil, "aidpass-pin-1 "+b.Programme, 32); err != nil {
		return nil, err
	}
	live, err := o.epochs(o.a.now())
	if err != nil {
		return nil, err
	}
	for _, e := range live {
		p.epochs = append(p.epochs, e.Key)
	}
	if p.keys, err = o.orgKeys.store.List(); err != nil {
		return nil, err
	}
	if err := makeParent(path); err != nil {
		return nil, err
	}
	var content []byte
	for deadline := time.Now().Add(lockWait); ; time.Sleep(20 * time.Millisecond) {
		p.tail, content, err = durable.OpenTail(path, 0o600, maxPINFile)
		if err == nil {
			break
		}
		if !isLocked(err) || time.Now().After(deadline) {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			p.tail.Close()
		}
	}()
	whole := bytes.LastIndexByte(content, '\n') + 1 // a power cut may leave half a line
	if err := p.tail.Cut(int64(whole)); err != nil {
		return nil, err
	}
	if whole == 0 {
		return p, p.tail.Append([]byte(pinHeader))
	}
	if !bytes.HasPrefix(content, []byte(pinHeader)) {
		return nil, usagef("%s is no file of PINs", path).hint("--pins FILE is a file of its own, made by this command")
	}
	for line := range strings.Lines(string(content[:whole])) {
		p.there[line] = true
	}
	return p, nil
}

// draw finds the PIN of a row. replaced is the card it stands in for, zero for
// none: it counts as revoked, which it is once the new one is reserved.
func (p *pinBook) draw(ctx context.Context, desk *issuer.Desk, row int, unit issuer.UnitID, replaced issuer.CTI) (string, error) {
	found, err := desk.Find(ctx, unit.String())
	if err != nil {
		return "", err
	}
	revoked := 0
	for _, c := range found {
		if c.Unit == unit && c.Type == p.batch.Type.Name && c.Programme == p.batch.Programme && c.Round == p.batch.Round && (c.Status == status.Invalid || c.ID == replaced) {
			revoked++
		}
	}
	info := fmt.Sprintf("%s\x00%d\x00%s\x00%d", p.batch.Type.VCT, p.batch.Round, unit, revoked)
	// 64 bits: no PIN is likelier than another by more than one in 10^13.
	b, err := hkdf.Expand(sha256.New, p.secret, info, 8)
	if err != nil {
		return "", err
	}
	p.by[row] = fmt.Sprintf("%06d", binary.BigEndian.Uint64(b)%1_000_000)
	return p.by[row], nil
}

// take writes the PIN of a card down, if it is the one the card holds.
func (p *pinBook) take(r *issuer.Result) (ok bool, err error) {
	pin := p.by[r.Row]
	if !p.holds(r.Credential.Card, pin) {
		return false, nil
	}
	line := r.Credential.CardNumber + "," + pin + "\n"
	if p.there[line] {
		return true, nil
	}
	p.there[line] = true
	p.pending = append(p.pending, line...)
	if p.waiting++; p.waiting >= pinChunk {
		return true, p.flush()
	}
	return true, nil
}

// holds opens the card's sealed part and compares.
func (p *pinBook) holds(card []byte, pin string) bool {
	e, err := cwt.Parse(card)
	if err != nil {
		return false
	}
	i := slices.IndexFunc(p.keys, func(k keystore.Info) bool { return k.Key != nil && k.ID == hex.EncodeToString(e.KeyID) })
	if i < 0 {
		return false
	}
	c, err := cwt.OpenCard(&e, p.keys[i].Key, nil)
	if err != nil {
		return false
	}
	for _, epoch := range p.epochs {
		opened, err := cwt.OpenPart(epoch, c.Issuer, c.ID, []byte(p.batch.Type.VCT), c.Sealed)
		if err != nil {
			continue
		}
		values, err := p.batch.Type.NameSealed(opened)
		if err != nil {
			return false
		}
		want, err := cwt.PINCheck(epoch, c.ID, pin)
		if err != nil {
			return false
		}
		for _, claim := range p.batch.Type.Claims {
			if claim.Key == schemas.PINCheckKey && claim.Placement == schemas.Sealed {
				check, _ := values[claim.Name].([]byte)
				return bytes.Equal(check, want[:])
			}
		}
	}
	return false
}

// flush puts the lines that wait on the disk.
func (p *pinBook) flush() error {
	if p == nil || len(p.pending) == 0 {
		return nil
	}
	err := p.tail.Append(p.pending)
	p.pending, p.waiting = p.pending[:0], 0
	return err
}

func (p *pinBook) close() error {
	if p == nil {
		return nil
	}
	return p.tail.Close()
}
