package issuer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/schemas"
)

// ReasonSpoiled is the reason of a replacement for a card that the desk has in its
// hands, unusable. Every other reason needs a second person.
const ReasonSpoiled = "spoiled"

// ReasonMended is the reason of a whole card instead of a provisional one. For every
// other reason the new one is provisional again.
const ReasonMended = "mended"

// Replace is Issue for a batch whose requests all name the credential they stand
// in for (Request.Replaces): that is revoked in the same transaction that reserves
// the new one, so there is no moment with two cards that are good, and a run that
// was cut off between any two steps is ended by the same call again. The new card
// has a new identity and the same number.
//
// Batch.Reason says why. Unless the card is spoiled a second person vouches that
// this is the person whose card it was.
func (d *Desk) Replace(ctx context.Context, b Batch, each func(Result) error) error {
	for i := range b.Requests {
		if b.Requests[i].Replaces == (CTI{}) {
			return fmt.Errorf("issuer: row %d replaces no credential", b.Requests[i].Row)
		}
	}
	if b.Reason != ReasonSpoiled && d.Actor.SecondPerson == "" {
		return fmt.Errorf("issuer: to replace a card that is not at the desk: %w", ErrSecondPerson)
	}
	return d.Issue(ctx, b, each)
}

// A Reissue reads signed cards again, to make the same statement anew.
type Reissue struct {
	Type   *schemas.Type
	Find   func(kid []byte) *cose.Key // card keys of the organisation, past ones too; nil for none
	Epochs [][]byte                   // epoch keys that may have sealed the cards
}

// Errors of Reissue.Request.
var (
	ErrPhoto  = errors.New("issuer: the card is bound to a photo, and it is not the one given")
	ErrSealed = errors.New("issuer: the card's sealed part does not open with any key at hand")
	ErrNoCard = errors.New("issuer: the card itself is not stored any more")
)

// Request is the request that makes a card with the claims of old. photo is the
// face known of its unit, nil for none: needed where the card is bound to one
// (else ErrPhoto). hadPIN says that the old card holds a PIN: that is never
// repeated, and the caller draws a new one.
func (r *Reissue) Request(old *Credential, photo []byte) (q Request, hadPIN bool, err error) {
	if old.Card == nil {
		return q, false, ErrNoCard
	}
	e, err := cwt.Parse(old.Card)
	if err != nil {
		return q, false, fmt.Errorf("issuer: stored card %s: %w", old.ID, err)
	}
	key := r.Find(e.KeyID)
	if key == nil {
		return q, false, fmt.Errorf("issuer: no key at hand has signed card %s", old.ID)
	}
	c, err := cwt.OpenCard(&e, key, nil)
	if err != nil {
		return q, false, fmt.Errorf("issuer: stored card %s: %w", old.ID, err)
	}
	claims, err := r.Type.NamePlain(c.Plain)
	if err != nil {
		return q, false, fmt.Errorf("issuer: stored card %s: %w", old.ID, err)
	}
	sealed, err := r.sealed(c.Issuer, c.ID, c.Sealed)
	if err != nil {
		return q, false, err
	}
	maps.Copy(claims, sealed)
	// What the batch says of itself is left to it, as when the card was first asked
	// for: the roster issued again then finds the new card, and not another request.
	if claims[r.Type.ProgrammeClaim] == old.Programme {
		delete(claims, r.Type.ProgrammeClaim)
	}
	if round, ok := claims[r.Type.RoundClaim].(int64); ok && uint64(round) == old.Round {
		delete(claims, r.Type.RoundClaim)
	}
	q = Request{Unit: old.Unit, Claims: claims, Replaces: old.ID}
	for i := range r.Type.Claims {
		t := &r.Type.Claims[i]
		switch {
		case t.Key == schemas.PINCheckKey && t.Placement == schemas.Sealed:
			_, hadPIN = claims[t.Name]
			delete(claims, t.Name)
		case t.Key == schemas.PhotoHashKey && t.Placement == schemas.Plain && claims[t.Name] != nil:
			want, _ := claims[t.Name].([]byte)
			have := cwt.PhotoHash(old.ID[:], photo)
			if photo == nil || !bytes.Equal(want, have[:]) {
				return q, false, ErrPhoto
			}
			q.Photo = photo
			delete(claims, t.Name)
		}
	}
	return q, hadPIN, nil
}

// sealed opens the sealed part under whichever epoch key sealed it.
func (r *Reissue) sealed(iss, cti, part []byte) (map[string]any, error) {
	if len(part) == 0 {
		return nil, nil
	}
	for _, epoch := range slices.Backward(r.Epochs) {
		if opened, err := cwt.OpenPart(epoch, iss, cti, []byte(r.Type.VCT), part); err == nil {
			return r.Type.NameSealed(opened)
		}
	}
	return nil, ErrSealed
}
