package storage

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
	"aidpass/verifier"
)

// Reserve implements issuer.Store: steps 4 of issuing, for the rows of one lot.
func (o *Org) Reserve(ctx context.Context, by access.Actor, lot issuer.Lot, now time.Time, rows []issuer.Reservation) ([]issuer.Slot, error) {
	slots := make([]issuer.Slot, len(rows))
	var told statusLines
	err := o.update(ctx, by, "reserve", func(t *tx) error {
		if err := t.checkProgramme(lot); err != nil {
			return err
		}
		lists, err := t.openLists(lot, now)
		if err != nil {
			return err
		}
		fresh, overrides := 0, 0
		ids := make([][]byte, 0, len(rows))
		for i, row := range rows {
			if slots[i], err = t.reserve(lot, lists, now, row); err != nil {
				return fmt.Errorf("row %d of %d: %w", i+1, len(rows), err)
			}
			if slots[i].Outcome <= issuer.Existing {
				if slots[i].Former, err = t.former(lot.Programme, row); err != nil {
					return err
				}
			}
			if slots[i].Outcome == issuer.Fresh {
				fresh++
				ids = append(ids, row.ID[:])
				if row.Override != "" {
					overrides++
				}
			}
			if row.Follows && slots[i].Same {
				if row.Replaces, err = t.followed(slots[i].Credential.ID); err != nil {
					return err
				}
			}
			if err := t.tell(&told, lot, row, slots[i]); err != nil {
				return fmt.Errorf("row %d of %d: %w", i+1, len(rows), err)
			}
		}
		if fresh > 0 {
			err := t.audit(access.Entry{Action: "credential.reserve", Object: lot.ID, Digest: digestOf(ids...),
				Detail: fmt.Sprintf("type=%s programme=%s round=%d rows=%d fresh=%d overrides=%d approval=%s", lot.Type, lot.Programme, lot.Round, len(rows), fresh,
					overrides, o.ApprovalMark(lot.Approval))})
			if err != nil {
				return err
			}
		}
		return told.end(t)
	})
	if err == nil {
		err = told.write(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	return slots, nil
}

// tell gathers what the signing log must say of a row before anything is signed:
// what it replaced is revoked, and in a suspended lot it is itself on hold. It is
// said again when the row is asked for again: see SetStatus.
func (t *tx) tell(told *statusLines, lot issuer.Lot, row issuer.Reservation, slot issuer.Slot) error {
	if row.Replaces != (issuer.CTI{}) && slot.Outcome != issuer.NotHeld {
		old, err := t.getCredential(row.Replaces)
		if err != nil {
			return err
		}
		if old.Status == status.Invalid {
			if err := told.add(t, old, status.Invalid); err != nil {
				return err
			}
		}
	}
	c := slot.Credential
	if slot.Outcome <= issuer.Existing && c.Status == status.Suspended && (lot.Suspended || row.Replaces != (issuer.CTI{})) {
		return told.add(t, c, status.Suspended)
	}
	return nil
}

// ApprovalMark is how the audit log names an approved batch (as "approval=" of
// credential.reserve): with the digest and the organisation's key anybody can
// make it again, and without the key nobody can guess the batch from it.
func (o *Org) ApprovalMark(digest [32]byte) string { return hex.EncodeToString(o.approval(digest)[:8]) }

func (o *Org) approval(digest [32]byte) []byte {
	return o.index.of("credential.approval", hex.EncodeToString(digest[:]))
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
	// Nobody's card is on hold, whoever asks for one, unless its lot was made to be live.
	var blank, bound, live bool
	const find = `SELECT u.kind = 'blank', b.bound_to IS NOT NULL, COALESCE(l.live, 0) FROM unit u
		LEFT JOIN blank b ON b.org_id = u.org_id AND b.unit_id = u.id
		LEFT JOIN blank_lot l ON l.org_id = b.org_id AND l.id = b.lot_id
		WHERE u.org_id = $1 AND u.id = $2 AND u.erased_at IS NULL`
	ok, err := t.find(find, []any{t.o.id, unit}, &blank, &bound, &live)
	if err != nil || !ok || bound {
		return issuer.Slot{Outcome: issuer.NoUnit}, err
	}
	if free, err := t.mayFormer(lot.Programme, row); err != nil || !free {
		return issuer.Slot{Outcome: issuer.FormerTaken}, err
	}
	key, err := t.personKey(unit, true)
	if err != nil {
		return slot, err
	}
	request, alike := key.mark(markRequest, row.RequestHash[:]), key.mark(markRequest, row.Alike[:])
	first, last := span(row.Rounds)
	const active = overlapping + ` AND c.ended_at IS NULL`
	form := issuer.FormName(lot.Form, row.Copy)
	place := []any{unit, lot.VCT, lot.Programme, form, first, last}
	holders, err := t.credentials(active, place...)
	if err != nil {
		return slot, err
	}
	if row.Follows && t.by.SecondPerson != "" {
		if row.Replaces, err = t.short(holders); err != nil {
			return slot, err
		}
		if row.Replaces != (issuer.CTI{}) {
			lot.Reason = issuer.ReasonMended
		}
	}
	var replaced issuer.Credential
	old := slices.IndexFunc(holders, func(c issuer.Credential) bool { return c.ID == row.Replaces })
	named := row.Replaces != (issuer.CTI{})
	if named && old < 0 {
		// A run that was cut off goes on: it was revoked then. Anything else is not theirs.
		replaced, ok, err = t.findCredential(overlapping+` AND c.id = $8`, append(slices.Clip(place), row.Replaces.String())...)
		if err != nil || !ok || replaced.Status != status.Invalid {
			return issuer.Slot{Outcome: issuer.NotHeld}, err
		}
	}
	if old >= 0 {
		replaced = holders[old]
		holders = slices.Delete(holders, old, old+1)
	}
	whole, ends := request, alike
	if row.ExpiresAt != 0 {
		whole, ends = alike, request
	} else if named && lot.Reason != issuer.ReasonMended && string(replaced.RequestHash[:]) == string(ends) {
		request = ends // in the place of a provisional card
	}
	if slot, ok := t.held(holders, request, now); ok {
		c := slot.Credential
		slot.Ends = string(c.RequestHash[:]) == string(ends)
		// Whoever would get a provisional card and has a whole one has what is asked for.
		slot.Same = slot.Same || row.ExpiresAt != 0 && string(c.RequestHash[:]) == string(whole)
		return slot, nil // another stands in the way: what was to be replaced stays
	}
	if named && t.by.SecondPerson == "" {
		if err := t.replaceAlone(replaced); err != nil {
			return slot, err
		}
	}
	if old >= 0 {
		if err := t.setStatus(replaced, status.Invalid, lot.Reason); err != nil {
			return slot, err
		}
	}
	revoked, ok, err := t.lastRevoked(place)
	switch {
	case err != nil:
		return slot, err
	case named:
		revoked.ID = row.Replaces
	case ok && !lot.Replace:
		return issuer.Slot{Outcome: issuer.Revoked, Credential: revoked}, nil
	case ok && t.by.SecondPerson == "" && revoked.ExpiresAt > credential.FromStd(now):
		// Else one person could take a card from its holder and make another, in two commands.
		if err := t.replaceAlone(revoked); errors.Is(err, issuer.ErrSecondPerson) {
			return issuer.Slot{Outcome: issuer.NeedsSecond, Credential: revoked}, nil
		} else if err != nil {
			return slot, err
		}
	}
	if t.by.SecondPerson == "" {
		if c, ok, err := t.stoppedElsewhere(place, now, named); err != nil {
			return slot, err
		} else if ok {
			return issuer.Slot{Outcome: issuer.NeedsSecond, Credential: c}, nil
		}
	}
	if err := t.makeRoom(holders, now); err != nil {
		return slot, err
	}
	if free, err := t.name(lot.Programme, unit, row); err != nil || !free {
		return issuer.Slot{Outcome: issuer.NumberTaken}, err
	}
	if err := t.setFormer(lot.Programme, row); err != nil {
		return slot, err
	}
	list, index, err := t.takeIndex(lists)
	if err != nil {
		return slot, err
	}
	if lot.Suspended || blank && !live {
		const hold = `UPDATE status_index SET value = $4 WHERE org_id = $1 AND list_no = $2 AND idx = $3`
		if _, err := t.exec(hold, t.o.id, list.no, index, status.Suspended); err != nil {
			return slot, err
		}
	}
	expires := lot.ExpiresAt
	if row.ExpiresAt != 0 {
		expires = min(expires, row.ExpiresAt)
	}
	const insert = `INSERT INTO credential (org_id, id, lot_id, unit_id, type, vct, programme, round, last_round, form, state, list_no, idx,
			request_hash, approval, expires_at, reserved_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'reserved', $11, $12, $13, $14, $15, $16)
		ON CONFLICT (org_id, unit_id, vct, programme, form, round) WHERE ended_at IS NULL DO NOTHING`
	taken, err := t.exec(insert, t.o.id, row.ID.String(), lot.ID, unit, lot.Type, lot.VCT, lot.Programme, first, last, form,
		list.no, index, request, t.o.approval(lot.Approval), expires.Std().UnixMicro(), t.micros)
	if err != nil {
		return slot, err
	}
	slot = issuer.Slot{Outcome: issuer.Fresh, Same: true, Ends: string(request) == string(ends), Replaces: revoked.ID}
	if slot.Credential, ok, err = t.findCredential(active, place...); err != nil {
		return slot, err
	}
	if !ok {
		return slot, errors.New("the credential that holds the place is gone")
	}
	if taken == 0 { // another server was faster; the index stays unused, like a decoy
		slot, _ = t.held([]issuer.Credential{slot.Credential}, request, now)
		return slot, nil
	}
	id := row.ID.String()
	if err := t.gated(id, unit, row, slot.Ends); err != nil {
		return slot, err
	}
	if named {
		return slot, t.audit(access.Entry{Action: "credential.replace", Object: id, Reason: lot.Reason, Detail: "replaces=" + row.Replaces.String()})
	}
	return slot, nil
}

// gated puts on record that a card came about although the gate did not let its unit pass:
// with whose reason, or as a provisional one for which reasons.
func (t *tx) gated(id, unit string, row issuer.Reservation, ends bool) error {
	detail := "unit=" + unit
	if row.Reasons != "" {
		detail += " reasons=" + strings.ReplaceAll(row.Reasons, " ", ",")
	}
	if row.Override != "" {
		said := detail + " by=" + cmp.Or(row.OverrideBy, t.by.SecondPerson)
		if row.OverrideNote != "" {
			said += " note=" + row.OverrideNote // the last: it may hold anything
		}
		if err := t.audit(access.Entry{Action: "gate.override", Object: id, Reason: row.Override, Detail: said}); err != nil {
			return err
		}
	}
	if !ends {
		return nil
	}
	return t.audit(access.Entry{Action: "gate.provisional", Object: id, Reason: row.Reasons, Detail: detail})
}

// What the log has of a gate that did not let somebody pass.
const (
	actOverride    = "gate.override"
	actProvisional = "gate.provisional"
	actReplace     = "credential.replace" // a card in the place of another
)

// short is the one of holders that is a good provisional card; zero: none is.
func (t *tx) short(holders []issuer.Credential) (issuer.CTI, error) {
	for _, c := range holders {
		if c.State != issuer.Issued || c.Status != status.Valid {
			continue
		}
		var n int
		const query = `SELECT 1 FROM audit WHERE org_id = $1 AND object = $2 AND action = '` + actProvisional + `' LIMIT 1`
		if ok, err := t.find(query, []any{t.o.id, c.ID.String()}, &n); ok || err != nil {
			return c.ID, err
		}
	}
	return issuer.CTI{}, nil
}

// followed is the provisional card in whose place a whole one came; zero: none. It is asked
// for again with each run, so that the signing log hears of its end also after a stop.
func (t *tx) followed(id issuer.CTI) (issuer.CTI, error) {
	var detail string
	const query = `SELECT detail FROM audit WHERE org_id = $1 AND object = $2 AND action = '` + actReplace + `' AND reason = '` + issuer.ReasonMended + `' LIMIT 1`
	if ok, err := t.find(query, []any{t.o.id, id.String()}, &detail); !ok || err != nil {
		return issuer.CTI{}, err
	}
	return issuer.ParseCTI(strings.TrimPrefix(detail, "replaces="))
}

// replaceAlone refuses that one person replaces what was put on hold, or revoked
// for another reason than that its paper was spoiled or that a replacement began:
// else the new card would undo what somebody decided about the old one. It refuses also
// what somebody had in her hands: whether that is at the desk, and unusable, one person
// alone says, and the next card is as good as cash.
func (t *tx) replaceAlone(c issuer.Credential) error {
	id := c.ID.String()
	if out, err := t.outOfTheHouse(c); err != nil {
		return err
	} else if out {
		return fmt.Errorf("credential %s was handed over, or something was collected with it: %w", id, issuer.ErrSecondPerson)
	}
	held, err := t.putOnHold(id)
	if err != nil {
		return err
	}
	ok := !held && c.Status != status.Suspended
	if ok && c.Status == status.Invalid {
		var n int
		const same = `SELECT 1 FROM credential c WHERE c.org_id = $1 AND c.id = $2 AND (
			EXISTS (SELECT 1 FROM card_event e WHERE e.org_id = c.org_id AND e.credential_id = c.id AND e.at = c.ended_at AND e.state IN ('spoiled', 'destroyed'))
			OR EXISTS (SELECT 1 FROM credential r WHERE r.org_id = c.org_id AND r.unit_id = c.unit_id AND r.state = 'released' AND r.reserved_at = c.ended_at))`
		if ok, err = t.find(same, []any{t.o.id, id}, &n); err != nil {
			return err
		}
	}
	if !ok {
		return fmt.Errorf("credential %s was put on hold or revoked: %w", id, issuer.ErrSecondPerson)
	}
	return nil
}

// outOfTheHouse reports whether a card was handed over, or a visit counts something for its
// unit in one of its rounds.
func (t *tx) outOfTheHouse(c issuer.Credential) (bool, error) {
	var n int
	const handed = `SELECT 1 FROM card_event WHERE org_id = $1 AND credential_id = $2 AND state = 'handed_over' LIMIT 1`
	if ok, err := t.find(handed, []any{t.o.id, c.ID.String()}, &n); ok || err != nil {
		return ok, err
	}
	rounds := []uint64{0}
	if c.Round > 0 {
		for r := c.Round; r <= c.LastRound && r-c.Round < maxRounds; r++ {
			rounds = append(rounds, r)
		}
	} else { // it is for all of them
		for r := range uint64(maxRounds) {
			rounds = append(rounds, r+1)
		}
	}
	for _, r := range rounds {
		mark := t.o.ledgerMark(verifier.LedgerKey{Issuer: t.o.id, Pseudonym: c.Pseudonym, Programme: c.Programme, Round: r})
		const counted = `SELECT 1 FROM visit WHERE org_id = $1 AND ledger = $2 LIMIT 1`
		if ok, err := t.find(counted, []any{t.o.id, mark}, &n); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// maxRounds is how many rounds of a card are looked at.
const maxRounds = 100

// putOnHold reports whether somebody put the credential on hold and nobody took
// that back, whatever became of it since.
func (t *tx) putOnHold(id string) (bool, error) {
	var last string
	const query = `SELECT action FROM audit WHERE org_id = $1 AND object = $2 AND action IN ('credential.suspend', 'credential.resume') ORDER BY seq DESC LIMIT 1`
	_, err := t.find(query, []any{t.o.id, id}, &last)
	return last == "credential.suspend", err
}

// overlapping holds for the credentials of one unit, type, programme and form
// ($2 to $5) with a round in common with those from $6 to $7.
const overlapping = `c.unit_id = $2 AND c.vct = $3 AND c.programme = $4 AND c.form = $5 AND c.round <= $7 AND c.last_round >= $6`

// anyRequest is the request of a pre-numbered card, since somebody was bound to
// it: it is hers, whatever is asked for.
var anyRequest [32]byte

// held answers a reservation when one of holders has the place and keeps it. It
// gives it up when it has expired, or is the mere reservation of another request:
// nothing was signed for it, and nothing will, as its intent is refused.
func (t *tx) held(holders []issuer.Credential, request []byte, now time.Time) (issuer.Slot, bool) {
	for _, c := range holders {
		same := string(c.RequestHash[:]) == string(request) || c.RequestHash == anyRequest
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
