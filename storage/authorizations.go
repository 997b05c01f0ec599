package storage

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/offer"
)

// OpenOffers returns what one unit may take up, what ends first at the beginning.
func (o *Org) OpenOffers(ctx context.Context, kind issuer.UnitKind, roster, number string, now time.Time) (list []offer.Offer, err error) {
	err = o.view(ctx, "find offers", func(t *tx) error {
		rows, err := t.offers(`AND unit_id = (SELECT id FROM unit WHERE org_id = $1 AND external_index = $2) AND state = 'open' AND expires_at > $3
			ORDER BY expires_at, id`, o.unitIndex(kind, roster, number), now.UnixMicro())
		for i := range rows {
			list = append(list, rows[i].Offer)
		}
		return err
	})
	return list, err
}

// AddAuthorization keeps a code by which an offer is taken up.
func (o *Org) AddAuthorization(ctx context.Context, a offer.Authorization) error {
	return o.update(ctx, wallet(a.Offer), "authorize offer", func(t *tx) error {
		const add = `INSERT INTO offer_authorization (org_id, mark, offer_id, bound, expires_at) VALUES ($1, $2, $3, $4, $5)`
		if _, err := t.exec(add, o.id, a.Code[:], a.Offer, a.Bound[:], a.Until.UnixMicro()); err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "offer.authorize", Object: a.Offer})
	})
}

// TryAuthorization judges a token request. A code that is nobody's costs no write.
func (o *Org) TryAuthorization(ctx context.Context, try offer.Try, bound offer.Mark) (granted bool, err error) {
	var id string
	err = o.view(ctx, "find authorization", func(t *tx) error {
		_, err := t.find(`SELECT offer_id FROM offer_authorization WHERE org_id = $1 AND mark = $2`, []any{o.id, try.Code[:]}, &id)
		return err
	})
	if err != nil || id == "" {
		return false, err
	}
	err = o.update(ctx, wallet(id), "redeem authorization", func(t *tx) (err error) {
		granted, err = t.tryAuthorization(id, &try, bound)
		return err
	})
	return granted, err
}

func (t *tx) tryAuthorization(id string, try *offer.Try, bound offer.Mark) (granted bool, err error) {
	var stored []byte
	var used bool
	var expires int64
	const find = `SELECT bound, used, expires_at FROM offer_authorization WHERE org_id = $1 AND mark = $2`
	switch ok, err := t.find(find, []any{t.o.id, try.Code[:]}, &stored, &used, &expires); {
	case err != nil || !ok:
		return false, err
	case used:
		_, err := t.reused(id, try.Now)
		return false, err
	case try.Now.UnixMicro() >= expires:
		return false, nil
	}
	r, err := t.offer(`AND id = $2`, id)
	right := subtle.ConstantTimeCompare(stored, bound[:]) == 1
	if right && err == nil && slices.ContainsFunc(try.Wanted, func(c string) bool { return !slices.Contains(r.Configurations, c) }) {
		return false, offer.ErrNotOffered
	}
	if _, err := t.exec(`UPDATE offer_authorization SET used = 1 WHERE org_id = $1 AND mark = $2`, t.o.id, try.Code[:]); err != nil {
		return false, err
	}
	if !right {
		return false, nil
	}
	if errors.Is(err, offer.ErrNotFound) || err == nil && (r.State != offer.Open || !try.Now.Before(r.ExpiresAt)) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	switch _, err := t.openRequest(r); {
	case errors.Is(err, ErrErased):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, t.redeem(id, try)
}
