package storage

import (
	"bytes"
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/issuer/offer"
)

var _ offer.Store = (*Org)(nil)

// keepOffers is how long an offer stays in the list after its time; the audit log has it for good.
const keepOffers = 90 * 24 * time.Hour

// OfferMark is the HMAC of a purpose and values under the organisation's blind-index key.
func (o *Org) OfferMark(purpose string, values ...string) offer.Mark {
	return offer.Mark(o.index.of("offer: "+purpose, values...))
}

func offerPlace(org, table, column, id string, version int64) place {
	return place{org, table, column, id, version}
}

// wallet acts where nobody of the organisation does.
func wallet(id string) access.Actor {
	return access.Actor{ID: "wallet", Role: access.System, Device: "offer-" + id}
}

// AddOffer stores an offer and withdraws open ones of its place.
func (o *Org) AddOffer(ctx context.Context, by access.Actor, n offer.NewOffer) error {
	return o.update(ctx, by, "add offer", func(t *tx) error {
		if err := t.forgetOffers(); err != nil {
			return err
		}
		var kind string
		var erased bool
		const unit = `SELECT kind, erased_at IS NOT NULL FROM unit WHERE org_id = $1 AND id = $2`
		switch ok, err := t.find(unit, []any{o.id, n.Unit.String()}, &kind, &erased); {
		case err != nil:
			return err
		case !ok:
			return errNoRecord
		case erased:
			return fmt.Errorf("%w: %s", ErrErased, n.Unit)
		case issuer.UnitKind(kind) == issuer.Blank:
			return fmt.Errorf("unit %s is a pre-numbered card, and nobody's record", n.Unit)
		}
		if held, err := t.inTheWay(&n); err != nil {
			return err
		} else if held != nil {
			return held
		}
		// Also one that was taken up and whose token is good yet: else it could take back what the new one gives.
		const former = `SELECT id FROM offer WHERE org_id = $1 AND unit_id = $2 AND vct = $3 AND programme = $4 AND round = $5 AND (state = 'open'
			OR state = 'redeemed' AND EXISTS (SELECT 1 FROM offer_token t WHERE t.org_id = offer.org_id AND t.offer_id = offer.id))`
		old, err := t.texts(former, o.id, n.Unit.String(), n.VCT, n.Programme, n.Round)
		if err != nil {
			return err
		}
		for _, id := range old {
			if err := t.endOffer(id, offer.Withdrawn, "superseded"); err != nil {
				return err
			}
		}
		key, err := t.personKey(n.Unit.String(), true)
		if err != nil {
			return err
		}
		var tx []byte
		if n.Tx != nil {
			tx = n.Tx[:]
		}
		const add = `INSERT INTO offer (org_id, id, reference, code, tx, unit_id, type, vct, programme, round, configurations, request, key_version, state, actor, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'open', $14, $15, $16)`
		_, err = t.exec(add, o.id, n.ID, n.Reference[:], n.Code[:], tx, n.Unit.String(), n.Type, n.VCT, n.Programme, n.Round, strings.Join(n.Configurations, " "),
			key.seal(offerPlace(o.id, "offer", "request", n.ID, key.version), n.Request), key.version, t.by.ID, n.CreatedAt.UnixMicro(), n.ExpiresAt.UnixMicro())
		if err != nil {
			return err
		}
		detail := fmt.Sprintf("unit=%s type=%s programme=%s round=%d forms=%d until=%s", n.Unit, n.Type, n.Programme, n.Round, len(n.Configurations), n.ExpiresAt.UTC().Format(time.RFC3339))
		return t.audit(access.Entry{Action: "offer.create", Object: n.ID, Detail: detail, Digest: digestOf(key.mark("offer:", n.Request))})
	})
}

// forgetOffers deletes what is over and can be of no use any more.
func (t *tx) forgetOffers() error {
	for _, forget := range [...]struct {
		query string
		at    time.Time
	}{
		{`DELETE FROM offer_token WHERE org_id = $1 AND expires_at < $2`, t.now},
		{`DELETE FROM offer_authorization WHERE org_id = $1 AND expires_at < $2`, t.now.Add(-time.Hour)},
		{`DELETE FROM offer_nonce WHERE org_id = $1 AND until < $2`, t.now.Add(-time.Hour)},
		{`DELETE FROM offer WHERE org_id = $1 AND expires_at < $2`, t.now.Add(-keepOffers)},
	} {
		if _, err := t.exec(forget.query, t.o.id, forget.at.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// endOffer moves an offer out of its state, ends its tokens and says so in the log.
func (t *tx) endOffer(id string, to offer.State, reason string) error {
	const end = `UPDATE offer SET state = $3, ended_at = COALESCE(ended_at, $4) WHERE org_id = $1 AND id = $2`
	if _, err := t.exec(end, t.o.id, id, string(to), t.micros); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM offer_token WHERE org_id = $1 AND offer_id = $2`, t.o.id, id); err != nil {
		return err
	}
	action := access.Action("offer.withdraw")
	if to == offer.Burnt {
		action = "offer.burn"
	}
	return t.audit(access.Entry{Action: action, Object: id, Reason: reason})
}

// endOffers ends all that could still be taken up: of a database that was restored
// nobody knows which codes were used since the backup.
func (t *tx) endOffers() error {
	ids, err := t.texts(`SELECT id FROM offer WHERE org_id = $1 AND (state = 'open' AND expires_at > $2
		OR state = 'redeemed' AND EXISTS (SELECT 1 FROM offer_token t WHERE t.org_id = offer.org_id AND t.offer_id = offer.id AND t.expires_at > $2))`, t.o.id, t.micros)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := t.endOffer(id, offer.Withdrawn, "restored"); err != nil {
			return err
		}
	}
	return nil
}

// An offerRow is an offer as it is stored.
type offerRow struct {
	offer.Offer
	tx      []byte
	request []byte
	version int64
}

// offers reads rows; where goes on behind the organisation.
func (t *tx) offers(where string, args ...any) (list []offerRow, err error) {
	rows, err := t.query(`SELECT id, tx, tries, unit_id, type, vct, programme, round, configurations, request, key_version, state, actor, created_at, expires_at, ended_at
		FROM offer WHERE org_id = $1 `+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r offerRow
		var unit, configurations string
		var created, expires int64
		var ended sql.NullInt64
		if err := rows.Scan(&r.ID, &r.tx, &r.Tries, &unit, &r.Type, &r.VCT, &r.Programme, &r.Round, &configurations, &r.request, &r.version, &r.State, &r.By,
			&created, &expires, &ended); err != nil {
			return nil, err
		}
		if r.Unit, err = issuer.ParseUnitID(unit); err != nil {
			return nil, err
		}
		r.Configurations, r.TxCode = strings.Fields(configurations), r.tx != nil
		r.CreatedAt, r.ExpiresAt = microTime(created), microTime(expires)
		if ended.Valid {
			r.EndedAt = microTime(ended.Int64)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// offer returns the one that where means, with what it gave; ErrNotFound.
func (t *tx) offer(where string, args ...any) (*offerRow, error) {
	list, err := t.offers(where, args...)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, offer.ErrNotFound
	}
	r := &list[0]
	return r, t.issues(r)
}

// issues fills in what an offer gave. The keys of the erased stay away.
func (t *tx) issues(r *offerRow) error {
	rows, err := t.query(`SELECT configuration, keys, claimed_at, issued_at, event FROM offer_issue WHERE org_id = $1 AND offer_id = $2 ORDER BY configuration`, t.o.id, r.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	var sealed [][]byte
	for rows.Next() {
		var i offer.Issue
		var keys []byte
		var at int64
		var done sql.NullInt64
		if err := rows.Scan(&i.Configuration, &keys, &at, &done, &i.Event); err != nil {
			return err
		}
		if i.At = microTime(at); done.Valid {
			i.Done = microTime(done.Int64)
		}
		r.Issued, sealed = append(r.Issued, i), append(sealed, keys)
	}
	if err := rows.Err(); err != nil || len(sealed) == 0 {
		return err
	}
	key, err := t.personKey(r.Unit.String(), false)
	if errors.Is(err, ErrErased) {
		return nil
	} else if err != nil {
		return err
	}
	for n := range sealed {
		i := &r.Issued[n]
		raw, err := key.open(offerPlace(t.o.id, "offer_issue", "keys", r.ID+"/"+i.Configuration, key.version), sealed[n])
		if err != nil {
			return fmt.Errorf("keys of offer %s: %w", r.ID, err)
		}
		if i.Keys, err = readKeys(raw); err != nil {
			return fmt.Errorf("keys of offer %s: %w", r.ID, err)
		}
	}
	return nil
}

// appendKeys writes keys as an array of COSE keys; readKeys reads it.
func appendKeys(keys []*cose.Key) []byte {
	b := cbor.AppendArray(nil, len(keys))
	for _, k := range keys {
		b = k.Append(b)
	}
	return b
}

func readKeys(b []byte) (keys []*cose.Key, err error) {
	r := cbor.NewReader(b)
	for n := r.Array(); n > 0; n-- {
		k, err := cose.ParseKey(r.Raw())
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if !r.Done() {
		return nil, errors.New("not a list of keys")
	}
	return keys, nil
}

// openRequest returns what was approved, or ErrErased.
func (t *tx) openRequest(r *offerRow) ([]byte, error) {
	key, err := t.personKey(r.Unit.String(), false)
	if err != nil {
		return nil, err
	}
	raw, err := key.open(offerPlace(t.o.id, "offer", "request", r.ID, r.version), r.request)
	if err != nil {
		return nil, fmt.Errorf("request of offer %s: %w", r.ID, err)
	}
	return raw, nil
}

// Offers returns all offers, the newest first.
func (o *Org) Offers(ctx context.Context) (list []offer.Offer, err error) {
	err = o.view(ctx, "read offers", func(t *tx) error {
		rows, err := t.offers(`ORDER BY created_at DESC, id`)
		if err != nil {
			return err
		}
		for i := range rows {
			if err := t.issues(&rows[i]); err != nil {
				return err
			}
			list = append(list, rows[i].Offer)
		}
		return nil
	})
	return list, err
}

// Offer returns one offer, or offer.ErrNotFound.
func (o *Org) Offer(ctx context.Context, id string) (found offer.Offer, err error) {
	err = o.view(ctx, "read offer", func(t *tx) error {
		r, err := t.offer(`AND id = $2`, id)
		if err == nil {
			found = r.Offer
		}
		return err
	})
	return found, err
}

// OfferByReference returns the offer with this reference, or offer.ErrNotFound.
func (o *Org) OfferByReference(ctx context.Context, reference offer.Mark) (found offer.Offer, err error) {
	err = o.view(ctx, "read offer", func(t *tx) error {
		r, err := t.offer(`AND reference = $2`, reference[:])
		if err == nil {
			found = r.Offer
			_, err = t.openRequest(r)
		}
		return err
	})
	if errors.Is(err, ErrErased) {
		err = offer.ErrNotFound
	}
	return found, err
}

// WithdrawOffer ends an offer and its tokens, or is offer.ErrNotFound.
func (o *Org) WithdrawOffer(ctx context.Context, by access.Actor, id, reason string) error {
	if strings.TrimSpace(reason) == "" || len(reason) > maxReason {
		return fmt.Errorf("storage: a withdrawal needs a reason, a code of at most %d bytes", maxReason)
	}
	return o.update(ctx, by, "withdraw offer", func(t *tx) error {
		r, err := t.offer(`AND id = $2`, id)
		if err != nil || r.State == offer.Withdrawn || r.State == offer.Burnt {
			return err
		}
		return t.endOffer(id, offer.Withdrawn, reason)
	})
}

// TryCode judges a token request. A code that is nobody's costs no write.
func (o *Org) TryCode(ctx context.Context, try offer.Try) (outcome offer.Outcome, err error) {
	var id string
	err = o.view(ctx, "find offer", func(t *tx) error {
		_, err := t.find(`SELECT id FROM offer WHERE org_id = $1 AND code = $2`, []any{o.id, try.Code[:]}, &id)
		return err
	})
	if err != nil || id == "" {
		return offer.NoCode, err
	}
	err = o.update(ctx, wallet(id), "redeem offer", func(t *tx) (err error) {
		outcome, err = t.tryCode(id, &try)
		return err
	})
	return outcome, err
}

func (t *tx) tryCode(id string, try *offer.Try) (offer.Outcome, error) {
	r, err := t.offer(`AND id = $2`, id)
	if errors.Is(err, offer.ErrNotFound) {
		return offer.NoCode, nil
	} else if err != nil {
		return offer.NoCode, err
	}
	if r.State == offer.Redeemed {
		return t.reused(id, try.Now)
	}
	if r.State != offer.Open || !try.Now.Before(r.ExpiresAt) {
		return offer.NoCode, nil
	}
	switch _, err := t.openRequest(r); {
	case errors.Is(err, ErrErased):
		return offer.NoCode, nil
	case err != nil:
		return offer.NoCode, err
	case r.tx != nil && try.Tx == nil:
		return offer.TxMissing, nil
	case r.tx == nil && try.Tx != nil:
		return offer.TxUnexpected, nil
	case r.tx != nil && subtle.ConstantTimeCompare(r.tx, try.Tx[:]) != 1:
		if _, err := t.exec(`UPDATE offer SET tries = tries + 1 WHERE org_id = $1 AND id = $2`, t.o.id, id); err != nil {
			return offer.NoCode, err
		}
		if r.Tries+1 < offer.MaxTries {
			return offer.TxWrong, nil
		}
		return offer.TxBurnt, t.endOffer(id, offer.Burnt, "transaction_code")
	}
	if slices.ContainsFunc(try.Wanted, func(c string) bool { return !slices.Contains(r.Configurations, c) }) {
		return offer.NotOffered, nil
	}
	return offer.Granted, t.redeem(id, try)
}

// reused ends what the first redemption of a code gave, once: somebody else has it.
func (t *tx) reused(id string, now time.Time) (offer.Outcome, error) {
	var n int
	const live = `SELECT 1 FROM offer_token WHERE org_id = $1 AND offer_id = $2 AND expires_at > $3 LIMIT 1`
	ok, err := t.find(live, []any{t.o.id, id, now.UnixMicro()}, &n)
	if err == nil && ok {
		err = t.endOffer(id, offer.Burnt, "code_reused")
	}
	return offer.CodeReused, err
}

func (t *tx) redeem(id string, try *offer.Try) error {
	if _, err := t.exec(`UPDATE offer SET state = 'redeemed', ended_at = $3 WHERE org_id = $1 AND id = $2 AND state = 'open'`, t.o.id, id, t.micros); err != nil {
		return err
	}
	const token = `INSERT INTO offer_token (org_id, mark, offer_id, client, expires_at) VALUES ($1, $2, $3, $4, $5)`
	if _, err := t.exec(token, t.o.id, try.Token[:], id, try.Client, try.Until.UnixMicro()); err != nil {
		return err
	}
	return t.audit(access.Entry{Action: "offer.redeem", Object: id})
}

// OfferToken returns what a token is for, or offer.ErrToken.
func (o *Org) OfferToken(ctx context.Context, token offer.Mark, now time.Time) (found offer.Token, err error) {
	err = o.view(ctx, "read token", func(t *tx) error {
		found, err = t.offerToken(token, now)
		return err
	})
	return found, err
}

func (t *tx) offerToken(token offer.Mark, now time.Time) (found offer.Token, err error) {
	var id string
	const find = `SELECT offer_id, client FROM offer_token WHERE org_id = $1 AND mark = $2 AND expires_at > $3`
	ok, err := t.find(find, []any{t.o.id, token[:], now.UnixMicro()}, &id, &found.Client)
	if err != nil {
		return found, err
	}
	if !ok {
		return found, offer.ErrToken
	}
	r, err := t.offer(`AND id = $2 AND state = 'redeemed'`, id)
	if err == nil {
		found.Offer = r.Offer
		found.Request, err = t.openRequest(r)
	}
	if errors.Is(err, offer.ErrNotFound) || errors.Is(err, ErrErased) {
		err = offer.ErrToken
	}
	return found, err
}

// ClaimOffer binds what a token asks for to the keys that come first.
func (o *Org) ClaimOffer(ctx context.Context, c offer.Claim) error {
	return o.update(ctx, wallet(c.Offer), "claim offer", func(t *tx) error {
		token, err := t.offerToken(c.Token, c.Now)
		if err != nil {
			return err
		}
		if token.Offer.ID != c.Offer {
			return offer.ErrToken
		}
		keys := appendKeys(c.Keys)
		claim := digestOf(c.Token[:], []byte(c.Configuration), keys)
		for _, nonce := range c.Nonces {
			if err := t.useNonce(nonce, claim, c.NoncesUntil); err != nil {
				return err
			}
		}
		for _, i := range token.Offer.Issued {
			if i.Configuration == c.Configuration {
				if !bytes.Equal(appendKeys(i.Keys), keys) {
					return offer.ErrOtherKeys
				}
				return nil
			}
		}
		key, err := t.personKey(token.Offer.Unit.String(), false)
		if err != nil {
			return err
		}
		const add = `INSERT INTO offer_issue (org_id, offer_id, configuration, keys, claimed_at) VALUES ($1, $2, $3, $4, $5)`
		_, err = t.exec(add, o.id, c.Offer, c.Configuration,
			key.seal(offerPlace(o.id, "offer_issue", "keys", c.Offer+"/"+c.Configuration, key.version), keys), t.micros)
		return err
	})
}

// useNonce uses a nonce up, for one claim.
func (t *tx) useNonce(nonce offer.Mark, claim [32]byte, until time.Time) error {
	const add = `INSERT INTO offer_nonce (org_id, mark, claim, until) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	if n, err := t.exec(add, t.o.id, nonce[:], claim[:], until.UnixMicro()); err != nil || n == 1 {
		return err
	}
	var used []byte
	_, err := t.find(`SELECT claim FROM offer_nonce WHERE org_id = $1 AND mark = $2`, []any{t.o.id, nonce[:]}, &used)
	if err == nil && !bytes.Equal(used, claim[:]) {
		err = offer.ErrNonceUsed
	}
	return err
}

// OfferIssued notes that a claim's credentials were made.
func (o *Org) OfferIssued(ctx context.Context, id, configuration string) error {
	return o.update(ctx, wallet(id), "note what an offer gave", func(t *tx) error {
		const done = `UPDATE offer_issue SET issued_at = $4 WHERE org_id = $1 AND offer_id = $2 AND configuration = $3 AND issued_at IS NULL`
		n, err := t.exec(done, o.id, id, configuration, t.micros)
		if err != nil || n == 0 {
			return err
		}
		return t.audit(access.Entry{Action: "offer.issue", Object: id, Detail: "configuration=" + configuration})
	})
}

// OfferEvent notes what the wallet says of them.
func (o *Org) OfferEvent(ctx context.Context, id, configuration, event string) error {
	return o.update(ctx, wallet(id), "note what a wallet says", func(t *tx) error {
		_, err := t.exec(`UPDATE offer_issue SET event = $4 WHERE org_id = $1 AND offer_id = $2 AND configuration = $3`, o.id, id, configuration, event)
		return err
	})
}
