package issuer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// A finished credential is stored, or refused.
type finished struct {
	credential Credential
	refusal    *Refusal
}

// finish logs, signs, verifies and stores credentials whose intent is recorded.
func (d *Desk) finish(ctx context.Context, by access.Actor, intended []Credential) ([]finished, error) {
	results := make([]finished, len(intended))
	prepared := make([]message, len(intended))
	var log []Credential
	for i, c := range intended {
		p, err := d.rebuild(c)
		if err != nil {
			results[i].refusal = refuse(RefusedOtherKey, "credential %s: %v: resume with that key, or revoke it", c.ID, err)
			continue
		}
		prepared[i] = p
		log = append(log, c)
	}
	if len(log) == 0 {
		return results, nil
	}
	if err := d.Log.LogSigning(ctx, log); err != nil {
		return nil, err
	}
	var cards []SignedCard
	var at []int
	for i, p := range prepared {
		if p == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		id := intended[i].ID
		signer, check := d.Signer, d.Check
		if token(intended[i].Form) {
			signer, check = d.Tokens, d.CheckToken
		}
		sig, err := cose.SignRaw(signer, p.ToBeSigned()) // 6
		if err != nil {
			return nil, fmt.Errorf("sign credential %s: %w", id, err)
		}
		card, err := p.attach(sig)
		if err == nil {
			err = check(card) // 7
		}
		if err != nil {
			results[i].refusal = refuse(RefusedBadCard, "credential %s was signed and does not verify: %v", id, err)
			continue
		}
		cards, at = append(cards, SignedCard{ID: id, Card: card}), append(at, i)
	}
	if len(cards) == 0 {
		return results, nil
	}
	now, err := d.Store.Complete(ctx, by, cards) // 8
	if err != nil {
		return nil, err
	}
	for i, c := range now {
		switch {
		case c.Ended || c.Card == nil:
			results[at[i]].refusal = refuse(RefusedWithdrawn, "credential %s was withdrawn while it was signed", c.ID)
		default:
			results[at[i]].credential = c
		}
	}
	return results, nil
}

// noneVerifies is an error when every card that was signed was refused as bad:
// the fault is the batch's, and the next chunk would only add to it.
func noneVerifies(signed []finished) error {
	var last *Refusal
	bad := 0
	for _, f := range signed {
		switch {
		case f.refusal == nil:
			return nil
		case f.refusal.Code == RefusedBadCard:
			bad++
			last = f.refusal
		}
	}
	if last == nil {
		return nil
	}
	return fmt.Errorf("of %d cards that were signed none verifies: %w", bad, last)
}

// rebuildCOSE is rebuild for cards: the payload is the tail of
//
//	Sig_structure = ["Signature1", protected, external_aad, payload]   RFC 9052 4.4
//
// It fails unless the message that key would sign has exactly the recorded bytes.
func rebuildCOSE(key *cose.Key, tbs []byte) (*cose.Prepared, error) {
	r := cbor.NewReader(tbs)
	r.Array()
	r.Text()
	r.Bytes()
	r.Bytes()
	payload := r.Bytes()
	if !r.Done() {
		return nil, errors.New("what was recorded to be signed is not a Sig_structure")
	}
	p := cose.Prepare(key, "", payload, nil)
	if !bytes.Equal(p.ToBeSigned(), tbs) {
		return nil, errors.New("it was recorded for another card key")
	}
	return p, nil
}

// reservationLife is how long a reservation is left to the batch that made it.
const reservationLife = 15 * time.Minute

// Resume finishes what an interrupted Issue left: every credential whose bytes
// were recorded is signed, verified and stored, the same bytes as then. What was
// only reserved, and not within the last quarter of an hour, is let go.
//
// each gets a Result for every credential it came across, with Row 0: finished,
// or refused because it waits for another card key, or does not pass Check. So
// Resume can stand before every Issue: what an earlier batch left stops no other.
func (d *Desk) Resume(ctx context.Context, each func(Result) error) error {
	if _, err := d.cardKey(); err != nil {
		return err
	}
	now, err := d.now(ctx)
	if err != nil {
		return err
	}
	for after := (CTI{}); ; {
		intended, err := d.Store.Unfinished(ctx, after, d.chunk())
		if err != nil {
			return fmt.Errorf("issuer: resume: %w", err)
		}
		if len(intended) == 0 {
			break
		}
		after = intended[len(intended)-1].ID
		done, err := d.finish(ctx, d.Actor, intended)
		if err != nil {
			return fmt.Errorf("issuer: resume: %w", err)
		}
		for i, f := range done {
			w := row{result: Result{Unit: intended[i].Unit, Refusal: f.refusal}}
			if f.refusal == nil {
				w.finish(f.credential, false)
			}
			if err := each(w.result); err != nil {
				return err
			}
		}
	}
	if _, err := d.Store.Release(ctx, d.Actor, now.Add(-reservationLife)); err != nil {
		return fmt.Errorf("issuer: resume: %w", err)
	}
	return nil
}
