package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// What became of one record of a journal that was handed in.
const (
	VisitAccepted = "accepted"
	VisitKnown    = "known"   // it was there already
	VisitReview   = "review"  // it is kept, and people look at it
	VisitRefused  = "refused" // it is not kept: the device keeps it
)

// A VisitAck is the answer to one record.
type VisitAck struct {
	Key      [8]byte  // key id of the device that the record names
	Sequence uint64   // that it gives itself
	Hash     [32]byte // of its bytes
	State    string
	Reason   string        // of review: what merging made of it; of refused: why
	Flags    []visit.Doubt // of accepted and review
}

// A visitRow is a record on its way into its row.
type visitRow struct {
	*visit.Record
	ledger []byte
	former []byte
	ack    int
}

// AddVisits keeps the records of a piece, each once however often it comes, and
// answers each of its records, those it refuses behind the others. Entitlements of
// this organisation's own units become collected or partly collected with them, and
// issued again when a counter-entry takes back what was given.
//
// The records were proved by visit.Open or visit.ParseRecord with the keys of
// JournalKeys. Conflicts and doubts told here are those with what is known by now;
// Visits and visit.Merge tell all.
func (o *Org) AddVisits(ctx context.Context, by access.Actor, p *visit.Piece) (acks []VisitAck, err error) {
	err = o.update(ctx, by, "add visits", func(t *tx) error {
		t.acts = newActs()
		acks = make([]VisitAck, 0, len(p.Records)+len(p.Refused))
		rows, err := t.visitRows(p, &acks)
		if err != nil {
			return err
		}
		if err := t.markCounters(rows); err != nil {
			return err
		}
		m, err := t.mergeAround(rows)
		if err != nil {
			return err
		}
		copied, err := t.insertVisits(rows, m, acks)
		if err != nil {
			return err
		}
		if err := t.freezeAll(copied); err != nil {
			return err
		}
		if err := t.settle(m.Accounts); err != nil {
			return err
		}
		if err := t.auditActs(); err != nil {
			return err
		}
		return t.auditVisits(acks)
	})
	if err != nil {
		return nil, err
	}
	return acks, nil
}

// visitRows chooses the records that can be kept and answers the others.
func (t *tx) visitRows(p *visit.Piece, acks *[]VisitAck) (rows []visitRow, err error) {
	devices, err := t.devices(``)
	if err != nil {
		return nil, err
	}
	certified := make(map[[8]byte]bool, len(devices))
	for i := range devices {
		certified[devices[i].KID] = devices[i].Certificate != nil
	}
	seen := map[[32]byte]bool{}
	for i := range p.Records {
		r := &p.Records[i]
		ack := VisitAck{Key: r.Key, Sequence: r.Sequence, Hash: r.Hash}
		switch {
		case seen[r.Hash]:
			ack.State = VisitKnown
		case r.Sequence > math.MaxInt64:
			ack.State, ack.Reason = VisitRefused, string(visit.Nonsense)
		case !certified[r.Key]:
			ack.State, ack.Reason = VisitRefused, string(visit.UnknownDevice)
		default:
			row := visitRow{Record: r, ack: len(*acks)}
			row.ledger, row.former = t.o.visitMarks(r)
			rows = append(rows, row)
		}
		seen[r.Hash] = true
		*acks = append(*acks, ack)
	}
	for _, r := range p.Refused {
		*acks = append(*acks, VisitAck{Key: r.Key, Sequence: r.Sequence, Hash: r.Hash, State: VisitRefused, Reason: string(r.Why)})
	}
	return rows, nil
}

func (o *Org) ledgerMark(k verifier.LedgerKey) []byte {
	return o.index.of("visit.ledger", k.Issuer, k.Pseudonym, k.Programme, strconv.FormatUint(k.Round, 10))
}

// markCounters gives counter-entries the mark of what they cancel, so that they are
// found with it.
func (t *tx) markCounters(rows []visitRow) error {
	type number struct {
		key      [8]byte
		sequence uint64
	}
	marks := map[number][]byte{}
	for _, r := range rows {
		marks[number{r.Key, r.Sequence}] = r.ledger
	}
	// In rising order: a counter-entry may cancel a counter-entry.
	slices.SortStableFunc(rows, func(a, b visitRow) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for i := range rows {
		r := &rows[i]
		if r.Kind != visit.Counter {
			continue
		}
		mark, here := marks[number{r.Key, r.Cancels}]
		if !here && r.Cancels <= math.MaxInt64 {
			const find = `SELECT ledger FROM visit WHERE org_id = $1 AND kid = $2 AND seq = $3 AND ledger IS NOT NULL ORDER BY hash LIMIT 1`
			if _, err := t.find(find, []any{t.o.id, hex.EncodeToString(r.Key[:]), int64(r.Cancels)}, &mark); err != nil {
				return err
			}
		}
		r.ledger = mark
		marks[number{r.Key, r.Sequence}] = mark
	}
	return nil
}

// mergeAround merges the rows with what is stored beside them: the records before and
// after them on their devices, those on the same ledger keys, and what cancels these.
func (t *tx) mergeAround(rows []visitRow) (*visit.Merged, error) {
	piece := &visit.Piece{}
	first := map[[8]byte]uint64{}
	ledgers := map[string]bool{}
	for _, r := range rows {
		piece.Records = append(piece.Records, *r.Record)
		if n, ok := first[r.Key]; !ok || r.Sequence < n {
			first[r.Key] = r.Sequence
		}
		if r.ledger != nil {
			ledgers[string(r.ledger)] = true
		}
		if r.former != nil {
			ledgers[string(r.former)] = true
		}
	}
	for key, n := range first {
		if err := t.storedVisits(piece, `AND kid = $2 AND seq >= $3`, hex.EncodeToString(key[:]), int64(n)-1); err != nil {
			return nil, err
		}
	}
	if err := t.beside(piece, ledgers); err != nil {
		return nil, err
	}
	// A counter-entry that came before what it cancels has no mark.
	for _, kid := range kids(piece) {
		if err := t.storedVisits(piece, `AND kid = $2 AND ledger IS NULL`, kid); err != nil {
			return nil, err
		}
	}
	facts, err := t.visitFacts()
	if err != nil {
		return nil, err
	}
	m := visit.Merge(facts.Facts, piece)
	return m, facts.err
}

// kids are the devices of a piece.
func kids(p *visit.Piece) []string {
	set := map[string]bool{}
	for i := range p.Records {
		set[hex.EncodeToString(p.Records[i].Key[:])] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// insertVisits writes the rows and answers them. copied are the devices of which a new
// row shows a copy, and the first sequence that it shows.
func (t *tx) insertVisits(rows []visitRow, m *visit.Merged, acks []VisitAck) (copied map[[8]byte]uint64, err error) {
	copied = map[[8]byte]uint64{}
	entries := make(map[[32]byte]*visit.Entry, len(m.Entries))
	for i := range m.Entries {
		entries[m.Entries[i].Hash] = &m.Entries[i]
	}
	for _, r := range rows {
		ack := &acks[r.ack]
		e := entries[r.Hash]
		ack.State, ack.Flags = VisitAccepted, e.Doubts
		if e.State == visit.Conflict || e.State == visit.Over || e.State == visit.Quarantined || slices.Contains(e.Doubts, visit.Cloned) {
			ack.State, ack.Reason = VisitReview, string(e.State)
		}
		kid := hex.EncodeToString(r.Key[:])
		const insert = `INSERT INTO visit (org_id, kid, seq, hash, state, why, ledger, former, sealed, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT DO NOTHING`
		n, err := t.exec(insert, t.o.id, kid, int64(r.Sequence), r.Hash[:], ack.State, doubts(ack.Flags), r.ledger, r.former,
			t.o.own.seal(visitPlace(t.o.id, kid, r.Sequence, r.Hash), r.Raw), t.micros)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			ack.State, ack.Reason = VisitKnown, ""
		} else if at := copied[r.Key]; e.Clash > 0 && (at == 0 || e.Clash < at) {
			copied[r.Key] = e.Clash
		}
	}
	return copied, nil
}

// freezeAll freezes devices from the sequences they were copied at.
func (t *tx) freezeAll(copied map[[8]byte]uint64) error {
	for _, key := range slices.SortedFunc(maps.Keys(copied), func(a, b [8]byte) int { return bytes.Compare(a[:], b[:]) }) {
		if err := t.freeze(key, copied[key]); err != nil {
			return err
		}
	}
	return nil
}

func doubts(list []visit.Doubt) string {
	var b strings.Builder
	for i, d := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(d))
	}
	return b.String()
}

func visitPlace(org, kid string, sequence uint64, hash [32]byte) place {
	return place{org, "visit", "record", fmt.Sprintf("%s/%d/%x", kid, sequence, hash), ownKeyVersion}
}

// settle brings the entitlements of our units up to their accounts.
func (t *tx) settle(accounts []visit.Account) error {
	for i := range accounts {
		e, changed, err := t.settled(&accounts[i])
		if err == nil && changed {
			_, err = (records{t}).SaveEntitlement(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settled is the entitlement of an account as its journals have it; false where it
// says so already, or where there is none of ours.
func (t *tx) settled(a *visit.Account) (e registry.Entitlement, changed bool, err error) {
	if a.Ledger.Issuer != t.o.id {
		return e, false, nil
	}
	unit, ok, err := t.unitOf(a.Ledger)
	if err != nil || !ok {
		return e, false, err
	}
	row, ok, err := t.entitlement(unit, a.Ledger.Programme, a.Ledger.Round)
	if err != nil || !ok {
		return e, false, err
	}
	e, err = t.openEntitlement(row)
	if errors.Is(err, registry.ErrErased) {
		return e, false, nil // nobody's any more
	}
	if err != nil {
		return e, false, err
	}
	was := e.Status
	switch given := was == registry.Collected || was == registry.Partial; {
	case !given && was != registry.Planned && was != registry.Granted:
		// Cancelled or on hold: the report tells that something was given.
	case a.Collected:
		e.Status = registry.Collected
	case a.Part:
		e.Status = registry.Partial
	case given:
		e.Status = registry.Granted
	}
	return e, e.Status != was, nil
}

// unitOf returns whose pseudonym a ledger key of ours holds.
func (t *tx) unitOf(k verifier.LedgerKey) (unit string, ok bool, err error) {
	const find = `SELECT unit_id FROM programme_unit WHERE org_id = $1 AND programme = $2 AND pseudonym = $3`
	ok, err = t.find(find, []any{t.o.id, k.Programme, k.Pseudonym}, &unit)
	return unit, ok, err
}

func (t *tx) auditVisits(acks []VisitAck) error {
	counts := map[string]int{}
	var hashes [][]byte
	for i := range acks {
		if counts[acks[i].State]++; acks[i].State == VisitAccepted || acks[i].State == VisitReview {
			hashes = append(hashes, acks[i].Hash[:])
		}
	}
	if len(acks) == 0 {
		return nil
	}
	var detail []string
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		detail = append(detail, fmt.Sprintf("%s=%d", state, counts[state]))
	}
	return t.audit(access.Entry{Action: "visits.add", Object: hex.EncodeToString(acks[0].Key[:]), Detail: strings.Join(detail, " "), Digest: digestOf(hashes...)})
}

// JournalKeys returns what finds the keys of this organisation's devices that were
// ever certified, also of those that were withdrawn: what they recorded before stands.
func (o *Org) JournalKeys(ctx context.Context) (func(kid []byte) *cose.Key, error) {
	devices, err := o.Devices(ctx)
	if err != nil {
		return nil, err
	}
	return func(kid []byte) *cose.Key {
		for i := range devices {
			if d := &devices[i]; d.Certificate != nil && bytes.Equal(d.KID[:], kid) {
				return d.Key
			}
		}
		return nil
	}, nil
}

// MergeVisits makes one account of everything that was ever handed in.
func (o *Org) MergeVisits(ctx context.Context) (m *visit.Merged, err error) {
	err = o.view(ctx, "merge visits", func(t *tx) error {
		m, err = t.mergeVisits()
		return err
	})
	return m, err
}

func (t *tx) mergeVisits() (*visit.Merged, error) {
	piece := &visit.Piece{}
	if err := t.storedVisits(piece, ``); err != nil {
		return nil, err
	}
	facts, err := t.visitFacts()
	if err != nil {
		return nil, err
	}
	m := visit.Merge(facts.Facts, piece)
	return m, facts.err // looked at after merging
}

// DeviceReceipt is what the database has of one device's journal, as a receipt that
// is not signed yet. Which records people look at is as it was when they came.
func (o *Org) DeviceReceipt(ctx context.Context, kid [8]byte, at credential.Time) (r visit.Receipt, err error) {
	err = o.view(ctx, "read receipt", func(t *tx) error {
		id := hex.EncodeToString(kid[:])
		piece := &visit.Piece{}
		if err := t.storedVisits(piece, `AND kid = $2`, id); err != nil {
			return err
		}
		facts, err := t.visitFacts()
		if err != nil {
			return err
		}
		// Of the facts only whether the device is frozen: the rest is not asked for here.
		r = visit.Merge(visit.Facts{Device: facts.Device}, piece).ReceiptFor(o.id, kid, at)
		const review = `SELECT DISTINCT seq FROM visit WHERE org_id = $1 AND kid = $2 AND state = $3 ORDER BY seq LIMIT $4`
		rows, err := t.query(review, t.o.id, id, VisitReview, visit.MaxReview)
		if err != nil {
			return err
		}
		defer rows.Close()
		r.Review = nil
		for rows.Next() {
			var seq int64
			if err := rows.Scan(&seq); err != nil {
				return err
			}
			r.Review = append(r.Review, uint64(seq))
		}
		return rows.Err()
	})
	return r, err
}

// SettleVisits is MergeVisits, and brings every entitlement up to it, and freezes what
// it shows to be copied: what AddVisits knew when a record came may have been less. It
// writes only what differs.
func (o *Org) SettleVisits(ctx context.Context, by access.Actor) (*visit.Merged, error) {
	m, err := o.MergeVisits(ctx)
	if err != nil {
		return nil, err
	}
	late := false
	err = o.view(ctx, "compare entitlements", func(t *tx) error {
		for i := 0; i < len(m.Accounts) && !late; i++ {
			_, changed, err := t.settled(&m.Accounts[i])
			if err != nil {
				return err
			}
			late = changed
		}
		return nil
	})
	if err != nil || !late && len(unfrozen(m)) == 0 {
		return m, err
	}
	err = o.update(ctx, by, "settle visits", func(t *tx) error {
		t.acts = newActs()
		// Merged again: records may have come in meanwhile, and what they settled stands.
		if m, err = t.mergeVisits(); err != nil {
			return err
		}
		if err := t.settle(m.Accounts); err != nil {
			return err
		}
		if err := t.freezeAll(unfrozen(m)); err != nil {
			return err
		}
		return t.auditActs()
	})
	return m, err
}

// unfrozen are the devices that m shows to be copied and that go on all the same.
func unfrozen(m *visit.Merged) map[[8]byte]uint64 {
	copied := map[[8]byte]uint64{}
	for i := range m.Tables {
		if d := &m.Tables[i]; d.Frozen > 0 && d.Device.Frozen == 0 && d.Device.Withdrawn == 0 {
			copied[d.Key] = d.Frozen
		}
	}
	return copied
}

const (
	visitsOf = `SELECT kid, seq, hash, sealed FROM visit WHERE org_id = $1 `
	// BETWEEN, where = would do: for = SQLite, knowing nothing of how many rows there
	// are, reads all of the organisation's by the primary key instead of the index.
	onLedger = `AND ledger BETWEEN $2 AND $2`
	onFormer = `AND former BETWEEN $2 AND $2`
)

// The queries by which AddVisits finds what is stored of a unit in a round, for an
// engine's tests to ask how they are answered: once for each unit that a journal names,
// so never by reading all that was ever recorded.
const (
	VisitsOnLedger = visitsOf + onLedger
	VisitsOnFormer = visitsOf + onFormer
)

// storedVisits reads rows into a piece; where goes on behind the organisation.
func (t *tx) storedVisits(p *visit.Piece, where string, args ...any) error {
	rows, err := t.query(visitsOf+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var kid string
		var sequence int64
		var hash, sealed []byte
		if err := rows.Scan(&kid, &sequence, &hash, &sealed); err != nil {
			return err
		}
		r, err := t.o.openVisit(kid, sequence, hash, sealed)
		if err != nil {
			return err
		}
		p.Records = append(p.Records, r)
	}
	return rows.Err()
}

// openVisit opens a row. It must be the record that the row says.
func (o *Org) openVisit(kid string, sequence int64, hash, sealed []byte) (r visit.Record, err error) {
	var sum [32]byte
	copy(sum[:], hash)
	raw, err := o.own.open(visitPlace(o.id, kid, uint64(sequence), sum), sealed)
	if err == nil {
		r, err = visit.Stored(raw)
	}
	if err == nil && (r.Hash != sum || r.Sequence != uint64(sequence) || hex.EncodeToString(r.Key[:]) != kid) {
		err = errors.New("it is another record")
	}
	if err != nil {
		return r, fmt.Errorf("record %d of device %s: %w", sequence, kid, err)
	}
	return r, nil
}

// visitFacts are what the database knows beside journals. Look-ups happen while
// visit.Merge runs; the first that fails is kept in err.
type visitFacts struct {
	visit.Facts
	err error
}

func (t *tx) visitFacts() (*visitFacts, error) {
	devices, err := t.devices(``)
	if err != nil {
		return nil, err
	}
	known := map[[8]byte]visit.Device{}
	for _, d := range devices {
		v := visit.Device{Name: d.Name, Site: d.Site, From: d.From, Until: d.Until, Frozen: d.FrozenFrom, Thawed: d.ThawedTo}
		if !d.WithdrawnAt.IsZero() {
			v.Withdrawn = credential.FromStd(d.WithdrawnAt)
		}
		known[d.KID] = v
	}
	f := &visitFacts{}
	fail := func(err error) {
		f.err = cmp.Or(f.err, err)
	}
	f.Facts = visit.Facts{
		At: credential.FromStd(t.now), Issuer: t.o.id,
		Device: func(key [8]byte) (visit.Device, bool) { d, ok := known[key]; return d, ok },
		Card: func(cti []byte) (c visit.Card, ok bool) {
			if len(cti) != len(issuer.CTI{}) {
				return c, false
			}
			var issued, expires int64
			const find = `SELECT p.pseudonym, c.programme, COALESCE(c.issued_at, 0), c.expires_at FROM credential c
				JOIN programme_unit p ON p.org_id = c.org_id AND p.programme = c.programme AND p.unit_id = c.unit_id WHERE c.org_id = $1 AND c.id = $2`
			ok, err := t.find(find, []any{t.o.id, issuer.CTI(cti).String()}, &c.Pseudonym, &c.Programme, &issued, &expires)
			fail(err)
			c.Issued, c.Expires = credential.Time(issued/1e6), credential.Time(expires/1e6)
			return c, ok
		},
		Unit: func(k verifier.LedgerKey) bool {
			_, ok, err := t.unitOf(k)
			fail(err)
			return ok
		},
		Due: func(k verifier.LedgerKey) (visit.Amount, bool) {
			a, ok, err := t.dueOn(k)
			fail(err)
			return a, ok
		},
	}
	return f, nil
}

// dueOn is the amount of an entitlement, where it is one number: money, or one kind
// of thing.
func (t *tx) dueOn(k verifier.LedgerKey) (a visit.Amount, ok bool, err error) {
	unit, ok, err := t.unitOf(k)
	if err != nil || !ok {
		return a, false, err
	}
	row, ok, err := t.entitlement(unit, k.Programme, k.Round)
	if err != nil || !ok {
		return a, false, err
	}
	e, err := t.openEntitlement(row)
	if errors.Is(err, registry.ErrErased) {
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	text := ""
	switch {
	case e.Amount != "" && len(e.Items) == 0:
		text = e.Amount + " " + e.Currency
	case e.Amount == "" && len(e.Items) == 1:
		text = e.Items[0].Qty + " " + cmp.Or(e.Items[0].Unit, e.Items[0].Code)
	}
	a, ok, err = visit.ParseAmount(text)
	return a, ok && err == nil, nil // an amount that no record can hold is compared with none
}
