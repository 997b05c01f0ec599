package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
)

// credentialRow selects a credential with its place in a status list and its
// unit's key; readCredential reads it.
const credentialRow = `SELECT c.id, c.unit_id, c.type, c.vct, c.programme, c.round, c.last_round, c.form, c.state, c.ended_at IS NOT NULL,
		COALESCE(c.end_reason, ''), p.pseudonym, p.card_number, l.uri, c.idx, i.value, c.key_id, COALESCE(c.issued_at, 0),
		c.expires_at, c.request_hash, c.intent, c.card, COALESCE(k.version, 0), k.wrapped
	FROM credential c
	JOIN programme_unit p ON p.org_id = c.org_id AND p.programme = c.programme AND p.unit_id = c.unit_id
	JOIN status_list l ON l.org_id = c.org_id AND l.no = c.list_no
	JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
	LEFT JOIN envelope_key k ON k.org_id = c.org_id AND k.subject_id = c.unit_id AND k.version = 1
	WHERE c.org_id = $1 AND `

// scanner is a row of a query for one or for many.
type scanner interface{ Scan(into ...any) error }

// readCredential reads a row of credentialRow. An erased person's intent and
// card are nil.
func (o *Org) readCredential(row scanner) (c issuer.Credential, err error) {
	var id, unit, form string
	var expires, issued, keyVersion int64
	var keyID, request, intent, card, wrapped []byte
	err = row.Scan(&id, &unit, &c.Type, &c.VCT, &c.Programme, &c.Round, &c.LastRound, &form, &c.State, &c.Ended, &c.EndReason, &c.Pseudonym, &c.CardNumber,
		&c.StatusURI, &c.StatusIndex, &c.Status, &keyID, &issued, &expires, &request, &intent, &card, &keyVersion, &wrapped)
	if err != nil {
		return c, err
	}
	if c.ID, err = issuer.ParseCTI(id); err != nil {
		return c, err
	}
	if c.Unit, err = issuer.ParseUnitID(unit); err != nil {
		return c, err
	}
	if c.Form, c.Copy, err = issuer.ParseFormName(form); err != nil {
		return c, err
	}
	if c.LastRound == allRounds {
		c.LastRound = 0
	}
	copy(c.KeyID[:], keyID)
	copy(c.RequestHash[:], request)
	c.IssuedAt, c.ExpiresAt = credential.Time(issued/1e6), credential.Time(expires/1e6)
	if wrapped == nil || intent == nil {
		return c, nil
	}
	key, err := o.unwrap(unit, keyVersion, wrapped)
	if err != nil {
		return c, err
	}
	if c.Intent, err = key.open(cardPlace(o.id, "intent", id, unit), intent); err != nil {
		return c, fmt.Errorf("intent of credential %s: %w", id, err)
	}
	if card != nil {
		if c.Card, err = key.open(cardPlace(o.id, "card", id, unit), card); err != nil {
			return c, fmt.Errorf("card %s: %w", id, err)
		}
	}
	return c, nil
}

// allRounds is the last round of a credential that names none.
const allRounds = math.MaxInt64

// span is how rounds are stored.
func span(r issuer.Rounds) (first, last uint64) {
	if r.First == 0 && r.Last == 0 {
		r.Last = allRounds
	}
	return r.First, r.Last
}

// cardPlace binds intent and card to their credential and unit. They are sealed
// under the person's key, so that erasing the person takes them along.
func cardPlace(org, column, id, unit string) place {
	return place{org, "credential", column, unit + "/" + id, 1}
}

// findCredential returns the credential for which where holds, which names its
// arguments from $2 on.
func (t *tx) findCredential(where string, args ...any) (c issuer.Credential, ok bool, err error) {
	s, err := t.prepared(credentialRow + where)
	if err != nil {
		return c, false, err
	}
	c, err = t.o.readCredential(s.QueryRowContext(t.ctx, append([]any{t.o.id}, args...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	return c, err == nil, err
}

// getCredential returns the credential id, or issuer.ErrNotFound.
func (t *tx) getCredential(id issuer.CTI) (issuer.Credential, error) {
	c, ok, err := t.findCredential(`c.id = $2`, id.String())
	if err == nil && !ok {
		err = fmt.Errorf("%w: %s", issuer.ErrNotFound, id)
	}
	return c, err
}

// RecordIntents implements issuer.Store: step 5.
func (o *Org) RecordIntents(ctx context.Context, by access.Actor, rows []issuer.Intent) ([]issuer.Credential, error) {
	return o.advance(ctx, by, "record intents", "credential.intend", len(rows), func(t *tx, i int) (issuer.CTI, []byte, error) {
		row := rows[i]
		unit, key, err := t.keyOf(row.ID)
		if err != nil {
			return row.ID, nil, err
		}
		id := row.ID.String()
		const record = `UPDATE credential SET state = 'intended', intent = $3, key_id = $4, issued_at = $5
			WHERE org_id = $1 AND id = $2 AND state = 'reserved' AND ended_at IS NULL`
		n, err := t.exec(record, o.id, id, key.seal(cardPlace(o.id, "intent", id, unit), row.ToBeSigned), row.KeyID[:], row.IssuedAt.Std().UnixMicro())
		if err != nil || n == 0 {
			return row.ID, nil, err
		}
		return row.ID, append(row.ID[:], key.mark(markSigned, row.ToBeSigned)...), nil
	})
}

// Complete implements issuer.Store: step 8. Each card has its own audit entry.
func (o *Org) Complete(ctx context.Context, by access.Actor, rows []issuer.SignedCard) ([]issuer.Credential, error) {
	return o.advance(ctx, by, "complete", "", len(rows), func(t *tx, i int) (issuer.CTI, []byte, error) {
		row := rows[i]
		unit, key, err := t.keyOf(row.ID)
		if err != nil {
			return row.ID, nil, err
		}
		id := row.ID.String()
		// A credential revoked between intent and signature is stored all the same:
		// the signature exists.
		const store = `UPDATE credential SET state = 'issued', card = $3, signed_at = $4 WHERE org_id = $1 AND id = $2 AND state = 'intended'`
		n, err := t.exec(store, o.id, id, key.seal(cardPlace(o.id, "card", id, unit), row.Card), t.micros)
		if err != nil || n == 0 {
			return row.ID, nil, err
		}
		return row.ID, nil, t.audit(access.Entry{Action: "credential.issue", Object: id, Digest: sha256.Sum256(row.Card)})
	})
}

// advance moves n credentials one state on, in one transaction, and returns what
// holds now. step does one; the bytes it returns go into the digest of the audit
// entry for all of them (none without an action).
func (o *Org) advance(ctx context.Context, by access.Actor, what string, action access.Action, n int,
	step func(*tx, int) (issuer.CTI, []byte, error)) ([]issuer.Credential, error) {
	now := make([]issuer.Credential, n)
	err := o.update(ctx, by, what, func(t *tx) error {
		var done [][]byte
		for i := range n {
			id, digest, err := step(t, i)
			if err == nil {
				now[i], err = t.getCredential(id)
			}
			if err != nil {
				return fmt.Errorf("row %d of %d: %w", i+1, n, err)
			}
			if digest != nil {
				done = append(done, digest)
			}
		}
		if action != "" && len(done) > 0 {
			if err := t.audit(access.Entry{Action: action, Detail: "rows=" + strconv.Itoa(len(done)), Digest: digestOf(done...)}); err != nil {
				return err
			}
		}
		return t.rememberLog()
	})
	if err != nil {
		return nil, err
	}
	return now, nil
}

// keyOf returns the unit of a credential and its key.
func (t *tx) keyOf(id issuer.CTI) (unit string, key personKey, err error) {
	ok, err := t.find(`SELECT unit_id FROM credential WHERE org_id = $1 AND id = $2`, []any{t.o.id, id.String()}, &unit)
	if err != nil {
		return "", key, err
	}
	if !ok {
		return "", key, fmt.Errorf("%w: %s", issuer.ErrNotFound, id)
	}
	key, err = t.personKey(unit, true)
	return unit, key, err
}

// Unfinished implements issuer.Store. Erased persons' credentials are left out:
// what was to be signed cannot be read any more.
func (o *Org) Unfinished(ctx context.Context, after issuer.CTI, limit int) (found []issuer.Credential, err error) {
	last := "" // every identity comes after it
	if after != (issuer.CTI{}) {
		last = after.String()
	}
	err = o.view(ctx, "unfinished credentials", func(t *tx) error {
		found, err = t.credentials(`c.ended_at IS NULL AND c.state <> 'issued' AND c.state = 'intended' AND k.wrapped IS NOT NULL AND c.id > $2 ORDER BY c.id LIMIT $3`,
			last, limit)
		return err
	})
	return found, err
}

// credentials returns all for which where holds.
func (t *tx) credentials(where string, args ...any) (found []issuer.Credential, err error) {
	rows, err := t.query(credentialRow+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		c, err := t.o.readCredential(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, rows.Err()
}

// Release implements issuer.Store. The status index is not given back: it stays
// unused for ever, like a decoy.
func (o *Org) Release(ctx context.Context, by access.Actor, before time.Time) (released int, err error) {
	err = o.update(ctx, by, "release reservations", func(t *tx) error {
		const query = `UPDATE credential SET state = 'released', ended_at = $2, end_reason = 'released'
			WHERE org_id = $1 AND ended_at IS NULL AND state <> 'issued' AND state = 'reserved' AND reserved_at < $3`
		n, err := t.exec(query, o.id, t.micros, before.UnixMicro())
		released = int(n)
		if err != nil || n == 0 {
			return err
		}
		return t.audit(access.Entry{Action: "credential.release", Detail: "rows=" + strconv.Itoa(released)})
	})
	return released, err
}
