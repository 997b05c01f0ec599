package intake

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"iter"
	"maps"
	"slices"

	"aidpass/issuer/registry"
)

// Fates tell of every row what becomes of it, and bind what would be written by a hash:
// two checks of one list with the same Digest write the same. They hold no value of
// anybody, and are told by position, row and identifier alone.
type Fates struct {
	Tables []FateTable `json:"tables"`
}

// A FateTable has the rows of a table in the file's order, fateBytes each: the row's
// number (4, big endian), the outcome (1), the record on file (16), what is written (16).
type FateTable struct {
	Name string `json:"name"`
	Rows []byte `json:"rows"`
}

const fateBytes = 4 + 1 + 16 + 16

// A Fate is what becomes of one row.
type Fate struct {
	Table   string
	Row     int         // as roster.Row.Number
	Outcome string      // "new", "updated", "known" or "left_out"
	Record  registry.ID // the record that the row is of; zero: none on file
	writes  [16]byte
}

var outcomeWords = [...]string{rejected: "left_out", created: "new", updated: "updated", duplicate: "known", twin: "known"}

// Digest is the SHA-256 of all rows, their outcomes and what is written of each.
func (f *Fates) Digest() [32]byte {
	sum := sha256.New()
	var size [8]byte
	put := func(b []byte) {
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		sum.Write(size[:])
		sum.Write(b)
	}
	for _, t := range f.Tables {
		put([]byte(t.Name))
		put(t.Rows)
	}
	return [32]byte(sum.Sum(nil))
}

// All are the rows in order. What is no row of this program's ends them.
func (f *Fates) All() iter.Seq[Fate] {
	return func(yield func(Fate) bool) {
		for _, t := range f.Tables {
			for b := t.Rows; len(b) >= fateBytes; b = b[fateBytes:] {
				x := Fate{Table: t.Name, Row: int(binary.BigEndian.Uint32(b)), Record: registry.ID(b[5:21]), writes: [16]byte(b[21:fateBytes])}
				if o := int(b[4]); o >= len(outcomeWords) || outcomeWords[o] == "" {
					return
				} else {
					x.Outcome = outcomeWords[o]
				}
				if !yield(x) {
					return
				}
			}
		}
	}
}

// A Turn is a row that became something else between two checks.
type Turn struct {
	Table string `json:"table,omitempty"`
	Row   int    `json:"row"`
	Was   string `json:"was"` // as Fate.Outcome; "" where the row was not there
	Now   string `json:"now"` // the same word as Was where other values would be written
}

// Turns are the rows of which something else becomes now than then, up to limit, in the
// order of the file; and how many there are.
func (f *Fates) Turns(now *Fates, limit int) (list []Turn, total int) {
	type at struct {
		table string
		row   int
	}
	then := map[at]Fate{}
	for x := range f.All() {
		then[at{x.Table, x.Row}] = x
	}
	add := func(t Turn) {
		if total++; len(list) < limit {
			list = append(list, t)
		}
	}
	for x := range now.All() {
		k := at{x.Table, x.Row}
		was, ok := then[k]
		if delete(then, k); !ok || was != x {
			add(Turn{x.Table, x.Row, was.Outcome, x.Outcome})
		}
	}
	for x := range f.All() {
		if _, left := then[at{x.Table, x.Row}]; left {
			add(Turn{x.Table, x.Row, x.Outcome, ""})
		}
	}
	return list, total
}

// mix binds something more of what a row writes.
func (s *state) mix(parts ...[]byte) {
	sum := sha256.New()
	sum.Write(s.writes[:])
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		sum.Write(size[:])
		sum.Write(p)
	}
	copy(s.writes[:], sum.Sum(nil))
}

// mixRecord binds the fields of a record; only some where the record is on file.
func (s *state) mixRecord(record fielder, only map[string]bool, found bool) error {
	fields, err := record.Fields()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !found || only[name] {
			s.mix([]byte(name), fields[name])
		}
	}
	return nil
}

// mixIssues binds what is stored with a record of what is wrong with it.
func (s *state) mixIssues(list []registry.Issue) error {
	b, err := json.Marshal(list)
	s.mix(b)
	return err
}

// tellFates writes down what was decided of every row, once nothing changes any more.
func (r *run) tellFates() (f Fates, err error) {
	for i := range r.houses {
		h := &r.houses[i]
		var head, told state // hashes alone
		if h.headAt != nil {
			head.mix(r.state(*h.headAt).key[:])
		}
		told.mix([]byte(h.external), h.id[:], head.writes[:], binary.BigEndian.AppendUint64(nil, uint64(h.size)))
		if err := told.mixIssues(h.issues); err != nil {
			return f, err
		}
		for _, c := range h.collect {
			told.mix(r.sortKey(c), c.id[:])
		}
		// A household is told with the row that speaks for it, and with those who lead it or
		// collect for it.
		bind := func(at ref) {
			if at.table >= 0 {
				r.state(at).mix(told.writes[:])
			}
		}
		bind(ref{int32(h.table), int32(h.carrier)})
		if h.headAt != nil {
			bind(*h.headAt)
		}
		for _, c := range h.collect {
			bind(c.row)
		}
	}
	for _, t := range r.tables {
		table := FateTable{Name: t.plan.Name, Rows: make([]byte, 0, len(t.states)*fateBytes)}
		for i := range t.states {
			s := &t.states[i]
			if s.house >= 0 {
				h := &r.houses[s.house]
				s.mix([]byte(h.external), h.id[:])
			}
			s.mix(s.content[:])
			if s.outcome != created && s.outcome != updated {
				s.writes = [16]byte{}
			}
			table.Rows = binary.BigEndian.AppendUint32(table.Rows, uint32(s.row))
			table.Rows = append(table.Rows, byte(s.outcome))
			table.Rows = append(table.Rows, s.id[:]...)
			table.Rows = append(table.Rows, s.writes[:]...)
		}
		f.Tables = append(f.Tables, table)
	}
	return f, nil
}
