package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
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
	if c.Form, err = parseForm(form); err != nil {
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

func parseForm(s string) (credential.Form, error) {
	for _, f := range [...]credential.Form{credential.FormCWT, credential.FormSDJWT, credential.FormVCJWT} {
		if f.String() == s {
			return f, nil
		}
	}
	return 0, fmt.Errorf("unknown form %q", s)
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

// Reserve implements issuer.Store: steps 4 of issuing, for the rows of one lot.
func (o *Org) Reserve(ctx context.Context, by access.Actor, lot issuer.Lot, now time.Time, rows []issuer.Reservation) ([]issuer.Slot, error) {
	slots := make([]issuer.Slot, len(rows))
	err := o.update(ctx, by, "reserve", func(t *tx) error {
		if err := t.checkProgramme(lot); err != nil {
			return err
		}
		lists, err := t.openLists(lot, now)
		if err != nil {
			return err
		}
		fresh := 0
		ids := make([][]byte, 0, len(rows))
		for i, row := range rows {
			if slots[i], err = t.reserve(lot, lists, now, row); err != nil {
				return fmt.Errorf("row %d of %d: %w", i+1, len(rows), err)
			}
			if slots[i].Outcome == issuer.Fresh {
				fresh++
				ids = append(ids, row.ID[:])
			}
		}
		if fresh == 0 {
			return nil
		}
		return t.audit(access.Entry{Action: "credential.reserve", Object: lot.ID, Digest: digestOf(ids...),
			Detail: fmt.Sprintf("type=%s programme=%s round=%d rows=%d fresh=%d approval=%s", lot.Type, lot.Programme, lot.Round, len(rows), fresh, o.ApprovalMark(lot.Approval))})
	})
	if err != nil {
		return nil, err
	}
	return slots, nil
}

// ApprovalMark is how the audit log names an approved batch (as "approval=" of
// credential.reserve): with the digest and the organisation's key anybody can
// make it again, and without the key nobody can guess the batch from it.
func (o *Org) ApprovalMark(digest [32]byte) string { return hex.EncodeToString(o.approval(digest)[:8]) }

func (o *Org) approval(digest [32]byte) []byte {
	return blindIndex(o.indexKey, "credential.approval", hex.EncodeToString(digest[:]))
}

// checkProgramme enters the programme at its first use, and refuses another key
// than the one its pseudonyms were made with.
func (t *tx) checkProgramme(lot issuer.Lot) error {
	const enter = `INSERT INTO programme (org_id, code, key_check, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, code) DO UPDATE SET key_check = COALESCE(programme.key_check, excluded.key_check)
		RETURNING key_check`
	var check []byte
	if _, err := t.find(enter, []any{t.o.id, lot.Programme, lot.KeyCheck[:], t.micros}, &check); err != nil {
		return err
	}
	if string(check) != string(lot.KeyCheck[:]) {
		return fmt.Errorf("%w: programme %q", issuer.ErrProgrammeKey, lot.Programme)
	}
	return nil
}

func (t *tx) reserve(lot issuer.Lot, lists []openList, now time.Time, row issuer.Reservation) (slot issuer.Slot, err error) {
	unit := row.Unit.String()
	var n int
	ok, err := t.find(`SELECT 1 FROM unit WHERE org_id = $1 AND id = $2 AND erased_at IS NULL`, []any{t.o.id, unit}, &n)
	if err != nil || !ok {
		return issuer.Slot{Outcome: issuer.NoUnit}, err
	}
	key, err := t.personKey(unit, true)
	if err != nil {
		return slot, err
	}
	request := key.mark(markRequest, row.RequestHash[:])
	first, last := span(row.Rounds)
	const active = overlapping + ` AND c.ended_at IS NULL`
	place := []any{unit, lot.VCT, lot.Programme, lot.Form.String(), first, last}
	holders, err := t.credentials(active, place...)
	if err != nil {
		return slot, err
	}
	if slot, ok := t.held(holders, request, now); ok {
		return slot, nil
	}
	if err := t.makeRoom(holders, now); err != nil {
		return slot, err
	}
	revoked, ok, err := t.lastRevoked(place)
	if err != nil {
		return slot, err
	}
	if ok && !lot.Replace {
		return issuer.Slot{Outcome: issuer.Revoked, Credential: revoked}, nil
	}
	if free, err := t.name(lot.Programme, unit, row); err != nil || !free {
		return issuer.Slot{Outcome: issuer.NumberTaken}, err
	}
	list, index, err := t.takeIndex(lists)
	if err != nil {
		return slot, err
	}
	const insert = `INSERT INTO credential (org_id, id, lot_id, unit_id, type, vct, programme, round, last_round, form, state, list_no, idx,
			request_hash, approval, expires_at, reserved_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'reserved', $11, $12, $13, $14, $15, $16)
		ON CONFLICT (org_id, unit_id, vct, programme, form, round) WHERE ended_at IS NULL DO NOTHING`
	taken, err := t.exec(insert, t.o.id, row.ID.String(), lot.ID, unit, lot.Type, lot.VCT, lot.Programme, first, last, lot.Form.String(),
		list.no, index, request, t.o.approval(lot.Approval), lot.ExpiresAt.Std().UnixMicro(), t.micros)
	if err != nil {
		return slot, err
	}
	slot = issuer.Slot{Outcome: issuer.Fresh, Same: true, Replaces: revoked.ID}
	if slot.Credential, ok, err = t.findCredential(active, place...); err != nil {
		return slot, err
	}
	if !ok {
		return slot, errors.New("the credential that holds the place is gone")
	}
	if taken == 0 { // another server was faster; the index stays unused, like a decoy
		slot, _ = t.held([]issuer.Credential{slot.Credential}, request, now)
	}
	return slot, nil
}

// overlapping holds for the credentials of one unit, type, programme and form
// ($2 to $5) with a round in common with those from $6 to $7.
const overlapping = `c.unit_id = $2 AND c.vct = $3 AND c.programme = $4 AND c.form = $5 AND c.round <= $7 AND c.last_round >= $6`

// held answers a reservation when one of holders has the place and keeps it. It
// gives it up when it has expired, or is the mere reservation of another request:
// nothing was signed for it, and nothing will, as its intent is refused.
func (t *tx) held(holders []issuer.Credential, request []byte, now time.Time) (issuer.Slot, bool) {
	for _, c := range holders {
		same := string(c.RequestHash[:]) == string(request)
		if c.ExpiresAt > credential.FromStd(now) && (same || c.State != issuer.Reserved) {
			return issuer.Slot{Outcome: issuer.Existing, Credential: c, Same: same}, true
		}
	}
	return issuer.Slot{}, false
}

// makeRoom ends the holders that held let go.
func (t *tx) makeRoom(holders []issuer.Credential, now time.Time) error {
	const release = `UPDATE credential SET state = 'released', ended_at = $3, end_reason = 'released'
		WHERE org_id = $1 AND id = $2 AND ended_at IS NULL AND state = 'reserved'`
	for _, c := range holders {
		var err error
		if c.State == issuer.Reserved {
			_, err = t.exec(release, t.o.id, c.ID.String(), t.micros)
		} else {
			err = t.end(c.ID, "expired")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lastRevoked returns the newest credential of a place that may have been handed
// out, if it was revoked.
func (t *tx) lastRevoked(place []any) (c issuer.Credential, ok bool, err error) {
	c, ok, err = t.findCredential(overlapping+` AND c.ended_at IS NOT NULL AND c.state IN ('issued', 'found') ORDER BY c.reserved_at DESC, c.ended_at DESC LIMIT 1`, place...)
	if ok && c.Status == status.Invalid {
		return c, true, err
	}
	return issuer.Credential{}, false, err
}

// name enters the unit in the programme under the pseudonym of row, unless it
// has one already. It reports false if another unit has the card number.
func (t *tx) name(programme, unit string, row issuer.Reservation) (bool, error) {
	const find = `SELECT 1 FROM programme_unit WHERE org_id = $1 AND programme = $2 AND unit_id = $3`
	var n int
	ok, err := t.find(find, []any{t.o.id, programme, unit}, &n)
	if err != nil || ok {
		return ok, err
	}
	const insert = `INSERT INTO programme_unit (org_id, programme, unit_id, pseudonym, card_number, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	taken, err := t.exec(insert, t.o.id, programme, unit, row.Pseudonym, row.CardNumber, t.micros)
	if err != nil || taken == 1 {
		return taken == 1, err
	}
	return t.find(find, []any{t.o.id, programme, unit}, &n) // another server may have entered the same unit
}

// end closes a credential without a word about its status.
func (t *tx) end(id issuer.CTI, reason string) error {
	const query = `UPDATE credential SET ended_at = $3, end_reason = $4 WHERE org_id = $1 AND id = $2 AND ended_at IS NULL`
	_, err := t.exec(query, t.o.id, id.String(), t.micros, reason)
	return err
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
