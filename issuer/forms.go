package issuer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/status"
)

// MaxCopies is how many one-time credentials a wallet gets at once.
const MaxCopies = 32

// FormName is how a place names its form: "cwt", "bound", "sd-jwt", and for the
// copies behind the first "sd-jwt.1", "sd-jwt.2" ...
func FormName(f credential.Form, copy int) string {
	if copy == 0 {
		return f.String()
	}
	return f.String() + "." + strconv.Itoa(copy)
}

// ParseFormName reads what FormName wrote.
func ParseFormName(s string) (f credential.Form, copy int, err error) {
	name, number, numbered := strings.Cut(s, ".")
	if numbered {
		if copy, err = strconv.Atoi(number); err != nil || copy < 1 || copy >= MaxCopies || number[0] == '0' || number[0] == '+' {
			return 0, 0, fmt.Errorf("issuer: unknown form %q", s)
		}
	}
	for _, f := range [...]credential.Form{credential.FormCWT, credential.FormSDJWT, credential.FormVCJWT, credential.FormBound} {
		if f.String() == name && (copy == 0 || f != credential.FormCWT) {
			return f, copy, nil
		}
	}
	return 0, 0, fmt.Errorf("issuer: unknown form %q", s)
}

// token reports whether credentials of form f are text, signed by the key for wallets.
func token(f credential.Form) bool { return f == credential.FormSDJWT || f == credential.FormVCJWT }

// signerOf returns who signs credentials of form f: a listed key has one use each.
func (d *Desk) signerOf(f credential.Form) (crypto.Signer, *cose.Key, error) {
	s := d.Signer
	if token(f) {
		if s = d.Tokens; s == nil {
			return nil, nil, errors.New("issuer: credentials for wallets need the organisation's key for them (use vc)")
		}
		if d.CheckToken == nil {
			return nil, nil, errors.New("issuer: the desk needs a check of the tokens it signs")
		}
	}
	k, err := cose.NewKey(s.Public())
	return s, k, err
}

// asked is what is remembered of a request: of one for a wallet, with the phone's
// key. The same wallet that asks again with the same keys gets the same credentials.
func (r *Request) asked(card [32]byte) [32]byte {
	if r.Holder == nil {
		return card
	}
	print := r.Holder.Thumbprint()
	out := cbor.AppendBytes(cbor.AppendArray(nil, 2), card[:])
	return sha256.Sum256(cbor.AppendBytes(out, print[:]))
}

// checkHolders: a card belongs to whoever holds the paper, every other form to a phone.
func (b *Batch) checkHolders() error {
	for i := range b.Requests {
		r := &b.Requests[i]
		switch wallet := b.Form != credential.FormCWT; {
		case wallet && (r.Holder == nil || r.Holder.Alg() != cose.ES256):
			return fmt.Errorf("issuer: row %d: a credential of form %s is bound to a phone's P-256 key", r.Row, b.Form)
		case !wallet && (r.Holder != nil || r.Copy != 0):
			return fmt.Errorf("issuer: row %d: a printed card has no phone's key, and no copies", r.Row)
		case r.Copy < 0 || r.Copy >= MaxCopies:
			return fmt.Errorf("issuer: row %d: copy %d: a wallet gets %d at most", r.Row, r.Copy, MaxCopies)
		case wallet && r.Replaces != (CTI{}) && !b.Replace:
			return fmt.Errorf("issuer: row %d: to replace a wallet's credential was not approved", r.Row)
		case token(b.Form) && r.PIN != "":
			return fmt.Errorf("issuer: row %d: a PIN is for cards", r.Row)
		}
	}
	return nil
}

// message is a credential that lacks its signature, and what the store must keep
// of it so that it can be signed later, or signed again.
type message interface {
	ToBeSigned() []byte
	attach(sig []byte) ([]byte, error)
}

type coseMessage struct{ *cose.Prepared }

func (m coseMessage) attach(sig []byte) ([]byte, error) { return m.AttachUnverified(sig) }

type textMessage struct{ *sdjwt.Prepared }

func (m textMessage) attach(sig []byte) ([]byte, error) {
	text, err := m.Attach(sig)
	return []byte(text), err
}

// prepare fixes the bytes of a row's credential; record is what the store keeps:
// the bytes to be signed, and behind those of an SD-JWT its disclosures, whose
// salts come once.
func (r *run) prepare(w *row) (record []byte, err error) {
	c := &w.result.Credential
	iat := credential.FromStd(r.now)
	switch r.batch.Form {
	case credential.FormSDJWT, credential.FormVCJWT:
		return r.prepareToken(w)
	}
	exp := c.ExpiresAt
	if r.batch.Form == credential.FormBound {
		iat, exp = coarse(iat, exp, r.desk.SignerFrom)
	}
	p, err := cwt.Prepare(r.key, cwt.Draft{
		Issuer: r.desk.Issuer, Type: r.batch.Type.VCT, Pseudonym: c.Pseudonym, ID: c.ID,
		IssuedAt: iat, NotBefore: r.batch.NotBefore, ExpiresAt: exp,
		StatusURI: c.StatusURI, StatusIndex: c.StatusIndex, Plain: w.plain, Sealed: w.sealed, HolderKey: w.request.Holder,
		Former: w.former,
	})
	if err != nil {
		return nil, err
	}
	return p.ToBeSigned(), nil
}

// Text is what a holder gets: the text of the QR code, or the token; an error if
// the card is not stored, or not any more.
func (c *Credential) Text() (string, error) {
	switch {
	case c.Card == nil:
		return "", ErrNoCard
	case token(c.Form):
		return string(c.Card), nil
	}
	return cwt.Text(c.Card)
}

// rebuild makes the message of recorded bytes again, ready to be signed. It fails
// unless they were recorded for the key at hand.
func (d *Desk) rebuild(c Credential) (message, error) {
	_, key, err := d.signerOf(c.Form)
	switch {
	case err != nil:
		return nil, err
	case c.KeyID != key.ID():
		return nil, errors.New("it was recorded for another key")
	}
	record := c.Intent
	switch c.Form {
	case credential.FormSDJWT, credential.FormVCJWT:
		// Base64url has no tilde, so the first begins the disclosures; a VC-JWT has none.
		end := bytes.IndexByte(record, '~')
		if end < 0 {
			end = len(record)
		}
		return textMessage{sdjwt.Resume(key, record[:end], string(record[end:]))}, nil
	case credential.FormCWT, credential.FormBound:
		p, err := rebuildCOSE(key, record)
		return coseMessage{p}, err
	}
	return nil, fmt.Errorf("a credential of form %s cannot be signed", c.Form)
}

// prepareToken is prepare for the forms that are text. An SD-JWT VC names the
// document that describes its type by its hash; a VC-JWT says everything to
// everybody it is shown to.
func (r *run) prepareToken(w *row) ([]byte, error) {
	c, t := &w.result.Credential, r.batch.Type
	values, no := r.batch.values(w.request, c.ID)
	if no != nil {
		return nil, no
	}
	if r.batch.Form == credential.FormVCJWT {
		for _, claim := range t.Claims {
			if claim.Sensitivity >= 2 {
				delete(values, claim.Name) // what a card has sealed
			}
		}
	}
	iat, exp := coarse(credential.FromStd(r.now), c.ExpiresAt, r.desk.TokensFrom)
	d := sdjwt.Draft{
		Issuer: r.desk.Issuer, ID: c.ID.String(), IssuedAt: iat, NotBefore: r.batch.NotBefore, ExpiresAt: exp,
		StatusURI: status.URIOfJWT(c.StatusURI), StatusIndex: c.StatusIndex, HolderKey: w.request.Holder,
	}
	// A holder shows what she is counted under or keeps it; a VC-JWT shows it to everybody,
	// so it says that only where something is counted.
	ledger := ""
	if r.batch.Form == credential.FormSDJWT || t.ProgrammeClaim != "" {
		var ok bool
		if ledger, ok = w.former.Ledger(c.Pseudonym); !ok {
			return nil, errors.New("issuer: what the credential stands for is no unit of another organisation")
		}
	}
	if err := d.Say(t, values, ledger); err != nil {
		return nil, err
	}
	if r.batch.Form == credential.FormVCJWT {
		p, err := vcjwt.Prepare(r.key, vcjwt.Draft{
			Issuer: d.Issuer, Type: d.Type, ID: d.ID, IssuedAt: d.IssuedAt, NotBefore: d.NotBefore, ExpiresAt: d.ExpiresAt,
			StatusURI: d.StatusURI, StatusIndex: d.StatusIndex, HolderKey: d.HolderKey, Claims: d.Claims,
		})
		if err != nil {
			return nil, err
		}
		return p.ToBeSigned(), nil
	}
	document, err := t.Metadata()
	if err != nil {
		return nil, err
	}
	d.Integrity = sdjwt.Integrity(document)
	p, err := sdjwt.Prepare(r.key, d, rand.Reader)
	if err != nil {
		return nil, err
	}
	return append(slices.Clip(p.ToBeSigned()), p.Disclosures()...), nil
}

// coarse makes the times of what a wallet holds those of everybody who got one that
// day: the second of issue would tell two verifiers that they have met the same wallet.
// What ends within two days is of a full hour at both ends, within two hours of a full
// minute: a whole day before would make its life longer than its type may live, and its
// end tells the hour anyway. It never says earlier than the key began, nor that it lives
// longer than it does.
func coarse(iat, exp, began credential.Time) (credential.Time, credential.Time) {
	const minute, hour, day = 60, 3600, 86400
	unit := credential.Time(1)
	switch life := exp - iat; {
	case life > 2*day:
		unit = day
	case life > 2*hour:
		unit = hour
	case life > 2*minute:
		unit = minute
	}
	return max(iat-iat%unit, min(began, iat)), exp - exp%unit
}

// IssueWallet makes the one-time credentials of one wallet: one of q for each of its
// keys, in their order, with the same claims, an identity and a status index each.
// Asked again with the same keys it returns the same credentials.
//
// Where another wallet of the unit holds the place the results say RefusedExists,
// unless b.Replace was approved, by two people (ErrSecondPerson): then its credentials
// are revoked in the steps that take their places, for b.Reason, and those that no key
// comes for as well; in every form of wallets, if they were made before b.Offered: a
// phone that was lost has all of them, and the new one may ask for one form alone.
func (d *Desk) IssueWallet(ctx context.Context, b Batch, q Request, holders []*cose.Key) ([]Result, error) {
	if len(holders) == 0 || len(holders) > MaxCopies {
		return nil, fmt.Errorf("issuer: a wallet brings 1 to %d keys, not %d", MaxCopies, len(holders))
	}
	if b.Replace && d.Actor.SecondPerson == "" && access.SameAccount(b.Approval.By, d.Actor.ID) {
		return nil, fmt.Errorf("issuer: to replace a wallet's credentials: %w", ErrSecondPerson)
	}
	b.Requests = make([]Request, len(holders))
	for i, k := range holders {
		b.Requests[i] = q
		b.Requests[i].Holder, b.Requests[i].Copy, b.Requests[i].Row = k, i, i+1
	}
	results, err := d.collect(ctx, b)
	if err != nil || !b.Replace {
		return results, err
	}
	taken := false
	for i := range results {
		if no := results[i].Refusal; no != nil && no.Code == RefusedExists {
			b.Requests[i].Replaces, taken = results[i].Held, true
		}
	}
	if taken {
		if results, err = d.collect(ctx, b); err != nil {
			return nil, err
		}
	}
	// Looked for each time: a run that was cut off before it came here is asked again.
	mine := results[0].Credential
	if results[0].Refusal != nil {
		return results, nil
	}
	all, err := d.Store.FindCredentials(ctx, q.Unit.String())
	if err != nil {
		return nil, fmt.Errorf("issuer: what the wallet before had: %w", err)
	}
	var left []CTI
	for _, c := range all {
		// The id may be another unit's number in a list.
		if c.Ended || c.Unit != q.Unit || c.Form == credential.FormCWT || c.VCT != mine.VCT || c.Programme != mine.Programme || c.Round != mine.Round {
			continue
		}
		// What is only reserved has no time yet, and may be the new wallet's.
		former := c.Form != b.Form && c.IssuedAt != 0 && c.IssuedAt < b.Offered
		if former || c.Form == b.Form && c.Copy >= len(holders) {
			left = append(left, c.ID)
		}
	}
	if len(left) == 0 {
		return results, nil
	}
	return results, d.Revoke(ctx, left, b.Reason)
}

// collect is Issue with its results in the order of the requests.
func (d *Desk) collect(ctx context.Context, b Batch) (results []Result, err error) {
	err = d.Issue(ctx, b, func(r Result) error {
		results = append(results, r)
		return nil
	})
	return results, err
}
