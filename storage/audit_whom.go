package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
	"unicode/utf8"

	"aidpass/access"
)

// Whom an entry is about stands in rows beside the log. So that none of them goes or comes
// unseen, the entry's detail ends in what its rows come to, which is chained and witnessed
// with it; and of entries that an older program wrote, one says what all theirs came to.

// whomMark begins the end of such a detail: 32 hexadecimal digits follow.
const whomMark = " whom="

// whomAction is the action of the entry over all rows of the entries before it.
const whomAction access.Action = "audit.whom"

const whomDigits = 32

// whomOf is the mark of an entry about units, which are sorted, each once.
func whomOf(units []string) string {
	h := sha256.New()
	addWhom(h, 0, units)
	return hex.EncodeToString(h.Sum(nil))[:whomDigits]
}

func addWhom(h hash.Hash, seq uint64, units []string) {
	for _, u := range units {
		fmt.Fprintf(h, "%d %s\n", seq, u)
	}
}

// marked is a detail with its mark. A detail that a log takes and that has no room for it
// ends earlier.
func marked(detail string, units []string) string {
	mark := whomMark + whomOf(units)
	if room := access.MaxText - len(mark); len(detail) > room && len(detail) <= access.MaxText {
		const more = ",..."
		cut := room - len(more)
		for !utf8.RuneStart(detail[cut]) {
			cut--
		}
		detail = detail[:cut] + more
	}
	return strings.TrimPrefix(detail+mark, " ")
}

// markOf is the mark of a detail; false: it has none.
func markOf(detail string) (string, bool) {
	at := len(detail) - whomDigits
	if at < 0 || !strings.HasSuffix(" "+detail[:at], whomMark) {
		return "", false
	}
	return detail[at:], true
}

// markOld says what the rows of an older program's entries come to, also where there are
// none: with that entry the log takes today's form.
func (t *tx) markOld() error {
	next := t.whomRows()
	sum, rows := sha256.New(), 0
	for {
		seq, units, err := next.peek()
		if err != nil {
			return err
		}
		if units == nil {
			break
		}
		addWhom(sum, seq, units)
		rows += len(units)
		next.units = nil
	}
	return t.audit(access.Entry{Action: whomAction, Detail: fmt.Sprintf("rows=%d", rows), Digest: [32]byte(sum.Sum(nil))})
}

// proveWhom tells the entries that are not about those whom they were written about.
func (t *tx) proveWhom() (bad []access.BadRow, err error) {
	fault := func(seq uint64, why string) {
		bad = append(bad, access.BadRow{Seq: seq, Code: access.BadWhom, Why: why})
	}
	next := t.whomRows()
	old, begun, loose := sha256.New(), false, uint64(0) // rows of an older program's entries; the first of them
	err = t.o.auditIn(t.ctx, t.Tx, fromStart, -1, func(e *access.Entry) error {
		units, err := next.of(e.Seq)
		if err != nil {
			return err
		}
		mark, has := markOf(e.Detail)
		switch {
		case e.Action == whomAction && e.Actor == program && !begun:
			if begun, loose = true, 0; [32]byte(old.Sum(nil)) != e.Digest {
				fault(e.Seq, "those whom the entries before it are about are not those of when it was written")
			}
		case has && mark != whomOf(units):
			fault(e.Seq, "it is not about those whom it was written about")
		case !has && len(units) > 0 && begun:
			fault(e.Seq, "it was written about nobody, and is about somebody now")
		case !has && len(units) > 0 && loose == 0:
			loose = e.Seq
		}
		if !begun {
			addWhom(old, e.Seq, units)
		}
		return nil
	})
	if loose > 0 {
		fault(loose, "it was written about nobody, and is about somebody now")
	}
	return bad, err
}

// whomRows reads whom entries are about, by their numbers, a piece at a time.
type whomRows struct {
	t     *tx
	ahead []whomRow
	last  whomRow
	ended bool

	seq   uint64 // of units
	units []string
}

type whomRow struct {
	seq  int64
	unit string
}

func (t *tx) whomRows() *whomRows { return &whomRows{t: t, last: whomRow{seq: fromStart}} }

// of are those of an entry; entries are asked for in their order.
func (w *whomRows) of(seq uint64) ([]string, error) {
	for {
		have, units, err := w.peek()
		if err != nil || units == nil || have > seq {
			return nil, err
		}
		w.units = nil
		if have == seq {
			return units, nil
		}
	}
}

// peek are the units of the next entry that has some; nil: there is none.
func (w *whomRows) peek() (uint64, []string, error) {
	for w.units == nil {
		row, ok, err := w.row()
		if err != nil || !ok {
			return 0, nil, err
		}
		w.seq = uint64(max(row.seq, 0))
		for ok && uint64(max(row.seq, 0)) == w.seq {
			w.units = append(w.units, row.unit)
			w.ahead = w.ahead[1:]
			if row, ok, err = w.row(); err != nil {
				return 0, nil, err
			}
		}
		slices.Sort(w.units)
	}
	return w.seq, w.units, nil
}

// row is the next that was not taken yet.
func (w *whomRows) row() (whomRow, bool, error) {
	const piece = 4096
	if len(w.ahead) == 0 && !w.ended {
		rows, err := w.t.query(`SELECT seq, unit_id FROM audit_about WHERE org_id = $1 AND (seq, unit_id) > ($2, $3) ORDER BY seq, unit_id LIMIT $4`, w.t.o.id, w.last.seq, w.last.unit, piece)
		if err != nil {
			return whomRow{}, false, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&w.last.seq, &w.last.unit); err != nil {
				return whomRow{}, false, err
			}
			w.ahead = append(w.ahead, w.last)
		}
		if err := rows.Err(); err != nil {
			return whomRow{}, false, err
		}
		w.ended = len(w.ahead) < piece
	}
	if len(w.ahead) == 0 {
		return whomRow{}, false, nil
	}
	return w.ahead[0], true, nil
}
