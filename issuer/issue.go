package issuer

import (
	"context"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/schemas"
)

// Issue makes the credentials of an approved batch.
//
//  1. approve   the batch is what was approved (its digest), by whom it must be
//  2. gate      what the type wants to be known of the unit is known, and the gate lets it pass
//  3. build     claims are validated by the type and encoded, the sealed part sealed
//  4. reserve   one active credential of this unit, type, programme, rounds and form;
//     a random unique status index; the unit's pseudonym and card number
//  5. intend    the exact bytes to be signed are recorded
//     and the signing log, outside the store, says that they will be signed
//  6. sign
//  7. verify    what was signed, as a service point will
//  8. complete  the card is stored, and the credential is issued
//  9. hand over each result goes to the caller, for printing or a wallet
//
// It goes through the batch in chunks: 4, 5 and 8 are one transaction for each
// chunk, so thousands of cards wait for the disk a few dozen times.
//
// A crash between any two steps leaves no second credential and none that nobody
// knows. Before 5 there is no signature, and the same batch takes its reservation
// up again (or Resume lets it go). After 5 the same recorded bytes are signed, by
// the same batch or by Resume: if they were signed before, it is the same
// credential signed twice. After 8 the same batch gets the stored card. So a
// batch that was interrupted, by ctx or by a power cut, is simply issued again.
//
// each is called once for every request whose outcome is known, in the order of
// the batch within a chunk; its error stops the batch. The error of Issue is
// about the batch as a whole; what is wrong with one request stands in its Result.
func (d *Desk) Issue(ctx context.Context, b Batch, each func(Result) error) error {
	if _, err := d.cardKey(); err != nil {
		return err
	}
	_, key, err := d.signerOf(b.Form)
	if err != nil {
		return err
	}
	now, err := d.now(ctx)
	if err != nil {
		return err
	}
	expires, err := b.check(d, now)
	if err != nil {
		return err
	}
	actor := d.Actor
	if !access.SameAccount(b.Approval.By, actor.ID) {
		if actor.SecondPerson, err = access.AccountID(b.Approval.By); err != nil {
			return fmt.Errorf("issuer: approval: %w", err)
		}
	}
	run := &run{
		desk: d, batch: &b, key: key, now: now, actor: actor, seen: map[place]bool{},
		lot: Lot{
			ID: NewUnitID().String(), Type: b.Type.Name, VCT: b.Type.VCT, Programme: b.Programme, KeyCheck: KeyCheck(b.ProgrammeKey), Round: b.Round,
			Form: b.Form, Replace: b.Replace, Suspended: b.Suspended, Reason: b.Reason, ExpiresAt: expires, Approval: b.Approval.Digest, Lists: d.Lists.WithDefaults(),
		},
	}
	chunk := d.chunk()
	for start := 0; start < len(b.Requests); start += chunk {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("issuer: stopped before row %d of %d: %w", start+1, len(b.Requests), err)
		}
		end := min(start+chunk, len(b.Requests))
		results, err := run.issue(ctx, b.Requests[start:end])
		if err != nil {
			return fmt.Errorf("issuer: rows %d to %d of %d: %w", start+1, end, len(b.Requests), err)
		}
		for _, r := range results {
			if err := each(r); err != nil { // 9
				return err
			}
		}
	}
	return nil
}

// A run is one Issue under way.
type run struct {
	desk  *Desk
	batch *Batch
	key   *cose.Key
	now   time.Time
	actor access.Actor
	lot   Lot
	seen  map[place]bool // of the batch so far
}

// A place in a batch: of what is the same for all of it, nothing.
type place struct {
	unit UnitID
	copy int
}

// A row is one request on its way through the steps. It has come to its end
// when its result has a refusal or a card.
type row struct {
	request *Request
	digest  [32]byte
	alike   [32]byte // of the same card, provisional or whole as this is not
	id      CTI      // drawn for it; the credential's, if the place was free
	plain   []byte
	sealed  []byte
	rounds  Rounds
	former  credential.Former // whose card it stands in for, now or since before; zero: nobody's
	result  Result
}

// issue takes one chunk through the steps.
func (r *run) issue(ctx context.Context, requests []Request) ([]Result, error) {
	rows := make([]*row, len(requests))
	for i := range requests {
		w, err := r.begin(ctx, &requests[i])
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", requests[i].Row, err)
		}
		rows[i] = w
	}
	if err := r.reserve(ctx, rows); err != nil {
		return nil, err
	}
	if err := r.intend(ctx, rows); err != nil {
		return nil, err
	}
	if err := r.sign(ctx, rows); err != nil {
		return nil, err
	}
	results := make([]Result, len(rows))
	for i, w := range rows {
		results[i] = w.result
	}
	return results, nil
}

// begin does steps 2 and 3. Its error is the gate's own: it could not judge.
func (r *run) begin(ctx context.Context, q *Request) (*row, error) {
	w := &row{request: q, id: NewCTI(), result: Result{Row: q.Row, Unit: q.Unit, Provisional: q.ExpiresAt != 0}}
	switch {
	case r.seen[place{q.Unit, q.Copy}]:
		w.result.Refusal = refuse(RefusedDuplicate, "the same unit stands in the batch twice")
		return w, nil
	case q.ExpiresAt != 0 && (q.ExpiresAt > r.lot.ExpiresAt || q.ExpiresAt <= max(credential.FromStd(r.now), r.batch.NotBefore)):
		w.result.Refusal = refuse(RefusedClaims, "its own end, %s, is past, or later than the batch's, %s", q.ExpiresAt, r.lot.ExpiresAt)
		return w, nil
	}
	r.seen[place{q.Unit, q.Copy}] = true
	var err error
	if w.digest, err = r.batch.requestDigest(q); err != nil {
		w.result.Refusal = refuse(RefusedClaims, "%v", err)
		return w, nil
	}
	other := *q
	if other.ExpiresAt = 0; q.ExpiresAt == 0 {
		other.ExpiresAt = 1
	}
	if w.alike, err = r.batch.requestDigest(&other); err != nil {
		return w, err
	}
	w.digest, w.alike = q.asked(w.digest), q.asked(w.alike)
	if err := r.batch.ask(ctx, q, &w.result); err != nil || w.result.Refusal != nil {
		return w, err
	}
	if w.plain, w.sealed, w.result.Refusal = r.batch.build(r.desk, q, w.id); w.result.Refusal == nil {
		w.rounds, w.result.Refusal = r.batch.place(w.plain)
	}
	return w, nil
}

// numberTries bounds the search for a free card number. Numbers have 50 bits, so
// even one more try is needed almost never.
const numberTries = 5

// reserve does step 4. A unit whose card number another one has gets another
// name in this programme, and keeps it.
func (r *run) reserve(ctx context.Context, rows []*row) error {
	todo := open(rows)
	name := make(map[*row]UnitID, len(todo)) // what the pseudonym is made from
	for _, w := range todo {
		name[w] = w.request.Unit
	}
	for range numberTries {
		if len(todo) == 0 {
			return nil
		}
		asks := make([]Reservation, len(todo))
		for i, w := range todo {
			u := name[w]
			pseudonym := cwt.Pseudonym(r.batch.ProgrammeKey, u[:])
			number, err := cwt.CardNumber(pseudonym)
			if err != nil {
				return err
			}
			asks[i] = Reservation{ID: w.id, Unit: w.request.Unit, Rounds: w.rounds, Copy: w.request.Copy, Pseudonym: pseudonym, CardNumber: number, RequestHash: w.digest, Alike: w.alike,
				ExpiresAt: w.request.ExpiresAt, Replaces: w.request.Replaces, Former: w.request.Former}
			// Of a delegation, the unit whose aid it is: whose card that stands in for is what it stands in for.
			asks[i].Principal, _ = w.request.Claims[schemas.PrincipalClaim].(string)
			if w.result.Overridden {
				asks[i].Override, asks[i].OverrideBy, asks[i].OverrideNote = w.request.Override, w.request.OverrideBy, w.request.OverrideNote
			}
			asks[i].Reasons = Codes(w.result.Lacks)
			asks[i].Follows = r.batch.Gate != nil && r.batch.Form == credential.FormCWT && w.request.ExpiresAt == 0 && w.request.Replaces == CTI{}
		}
		slots, err := r.desk.Store.Reserve(ctx, r.actor, r.lot, r.now, asks)
		if err != nil {
			return err
		}
		again := todo[:0]
		for i, w := range todo {
			switch slots[i].Outcome {
			case NumberTaken:
				name[w] = NewUnitID()
				again = append(again, w)
			case NoUnit:
				w.result.Refusal = refuse(RefusedUnit, "the unit is not known, or was erased")
			case Revoked:
				w.refuse(RefusedRevoked, "credential %s was revoked: it is replaced only when the batch says so", slots[i].Credential.ID)
			case NeedsSecond:
				w.refuse(RefusedAlone, "credential %s was revoked before its time, or put on hold: a second person must confirm the new one", slots[i].Credential.ID)
			case NotHeld:
				w.refuse(RefusedReplaced, "credential %s, which is to be replaced, is not this unit's for these rounds", w.request.Replaces)
			case FormerTaken:
				w.refuse(RefusedFormer, "the unit stands for another card of another organisation, or another unit stands for this one")
			default:
				if w.former = slots[i].Former; w.former != (credential.Former{}) && (r.desk.MayReplace == nil || !r.desk.MayReplace(w.former, r.batch.Type.VCT, r.batch.Programme)) {
					w.refuse(RefusedFormer, "the trust list does not let this organisation replace cards of %s in programme %s", w.former.Issuer, r.batch.Programme)
					break
				}
				w.take(r, &slots[i])
			}
		}
		todo = again
	}
	for _, w := range todo {
		w.result.Refusal = refuse(RefusedNumber, "no free card number was found")
	}
	return nil
}

// take looks at the credential that holds the row's place: its own new one, or
// one of an earlier run.
func (w *row) take(r *run, slot *Slot) {
	c := slot.Credential
	w.result.Credential, w.result.Replaces, w.result.Provisional = c, slot.Replaces, slot.Ends
	switch {
	case slot.Outcome == Fresh:
	case c.State == FromLog:
		w.refuse(RefusedLost, "credential %s was signed before the database was restored, and its card is lost: revoke it, then replace it", c.ID)
	case !slot.Same:
		w.refuse(RefusedExists, "credential %s is active and says something else: revoke it first, then replace it", c.ID)
		w.result.Held = c.ID
	case c.State == Issued && c.Card == nil:
		w.refuse(RefusedUnit, "the unit was erased")
	case c.State == Issued:
		w.finish(c, true)
	case c.State == Reserved && c.ID != w.id:
		w.id = c.ID // the earlier run's: photo hash, PIN check and seal depend on it
		w.plain, w.sealed, w.result.Refusal = r.batch.build(r.desk, w.request, c.ID)
	}
}

// finish ends the row with a stored card.
func (w *row) finish(c Credential, old bool) {
	text, err := c.Text()
	if err != nil {
		w.refuse(RefusedBadCard, "%v", err)
		return
	}
	w.result.Credential, w.result.Text, w.result.Old = c, text, old
}

func (w *row) refuse(code, format string, args ...any) {
	w.result.Refusal, w.result.Credential, w.result.Replaces = refuse(code, format, args...), Credential{}, CTI{}
	w.result.Overridden = false
}

// open returns the rows that have not come to their end.
func open(rows []*row) []*row {
	var todo []*row
	for _, w := range rows {
		if w.result.Refusal == nil && w.result.Text == "" {
			todo = append(todo, w)
		}
	}
	return todo
}

// intend does step 5 for the rows that have only a reservation.
func (r *run) intend(ctx context.Context, rows []*row) error {
	var todo []*row
	var intents []Intent
	for _, w := range open(rows) {
		c := &w.result.Credential
		if c.State != Reserved {
			continue
		}
		record, err := r.prepare(w)
		if err != nil {
			w.refuse(RefusedClaims, "%v", err) // its reservation is let go by Resume
			continue
		}
		todo = append(todo, w)
		intents = append(intents, Intent{ID: c.ID, KeyID: r.key.ID(), IssuedAt: credential.FromStd(r.now), ToBeSigned: record})
	}
	if len(todo) == 0 {
		return nil
	}
	now, err := r.desk.Store.RecordIntents(ctx, r.actor, intents)
	if err != nil {
		return err
	}
	for i, w := range todo {
		w.result.Credential = now[i]
		switch c := now[i]; {
		case c.Ended || c.State == Released || c.Intent == nil:
			w.refuse(RefusedWithdrawn, "credential %s was let go meanwhile: issue again", c.ID)
		case c.State == Issued:
			w.finish(c, true) // another desk works on the same batch, and was faster
		}
	}
	return nil
}

// sign does the rest of step 5 and steps 6 to 8.
func (r *run) sign(ctx context.Context, rows []*row) error {
	todo := open(rows)
	intended := make([]Credential, len(todo))
	for i, w := range todo {
		intended[i] = w.result.Credential
	}
	signed, err := r.desk.finish(ctx, r.actor, intended)
	if err == nil {
		err = noneVerifies(signed)
	}
	if err != nil {
		return err
	}
	for i, w := range todo {
		if signed[i].refusal != nil {
			w.refuse(signed[i].refusal.Code, "%s", signed[i].refusal.Text)
		} else {
			w.finish(signed[i].credential, false)
		}
	}
	return nil
}
