package storage

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"aidpass/access"
	"aidpass/credential"
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
