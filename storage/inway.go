package storage

import (
	"errors"
	"time"

	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/status"
)

// stoppedElsewhere returns a credential of the unit in another form of the place that
// somebody put on hold, or revoked with nothing in its stead: a wallet beside such a card,
// or a card beside such a wallet, would undo what was decided. Cards that wait for their
// hand-over are no such, nor are spoiled ones. A phone's credentials are one whatever
// their form; while some of them are good, those that were taken back decide nothing.
//
// Where a credential is replaced what was revoked elsewhere counts for nothing: it was
// good beside that.
func (t *tx) stoppedElsewhere(place []any, now time.Time, replaced bool) (issuer.Credential, bool, error) {
	const others = `c.unit_id = $2 AND c.vct = $3 AND c.programme = $4 AND c.form <> $5 AND c.round <= $7 AND c.last_round >= $6
		AND (c.ended_at IS NULL OR c.state IN ('issued', 'found')) ORDER BY c.reserved_at, c.ended_at`
	found, err := t.credentials(others, place...)
	if err != nil {
		return issuer.Credential{}, false, err
	}
	var good [2]bool // papers, phones
	var last [2]*issuer.Credential
	for i := range found {
		c, kind := &found[i], 0
		if c.Form != credential.FormCWT {
			kind = 1
		}
		if last[kind] = c; c.Ended {
			continue
		}
		good[kind] = true
		if c.Status == status.Suspended {
			if held, err := t.putOnHold(c.ID.String()); held || err != nil {
				return *c, held, err
			}
		}
	}
	for kind, c := range last {
		if replaced || good[kind] || c == nil || c.Status != status.Invalid || c.ExpiresAt <= credential.FromStd(now) {
			continue
		}
		if err := t.replaceAlone(*c); errors.Is(err, issuer.ErrSecondPerson) {
			return *c, true, nil
		} else if err != nil {
			return issuer.Credential{}, false, err
		}
	}
	return issuer.Credential{}, false, nil
}

// inTheWay says why a wallet that takes up an offer would be given nothing, as Reserve
// will: nil when nothing stands against it now.
func (t *tx) inTheWay(n *offer.NewOffer) (*offer.Held, error) {
	first, last := span(n.Rounds)
	for _, form := range n.Forms {
		place := []any{n.Unit.String(), n.VCT, n.Programme, issuer.FormName(form, 0), first, last}
		if !n.Replace {
			holders, err := t.credentials(overlapping+` AND c.ended_at IS NULL`, place...)
			if err != nil {
				return nil, err
			}
			if slot, ok := t.held(holders, nil, n.CreatedAt); ok {
				return &offer.Held{Code: issuer.RefusedExists, Credential: slot.Credential}, nil
			}
			if c, ok, err := t.lastRevoked(place); ok || err != nil {
				return &offer.Held{Code: issuer.RefusedRevoked, Credential: c}, err
			}
		}
		if t.by.SecondPerson != "" {
			continue
		}
		if c, ok, err := t.stoppedElsewhere(place, n.CreatedAt, false); ok || err != nil {
			return &offer.Held{Code: issuer.RefusedAlone, Credential: c}, err
		}
	}
	return nil, nil
}
