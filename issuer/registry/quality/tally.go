package quality

import (
	"cmp"
	"slices"
)

// A Tally counts decisions, for a look before cards are issued. The zero Tally is ready.
type Tally struct {
	Units       int     `json:"units"`
	Issued      int     `json:"issue"` // would be
	Provisional int     `json:"provisional"`
	Refused     int     `json:"refuse"`
	Share       float64 `json:"completeness"` // mean of the factors (DQ-01); 0 of no units

	sum  float64
	rows map[Row]int
}

// A Row says how many units have one reason.
type Row struct {
	Weight Outcome `json:"weight"`
	Code   string  `json:"code"`
	Field  string  `json:"field,omitempty"`
	Units  int     `json:"units"`
}

// Add counts a decision.
func (t *Tally) Add(d Decision) {
	t.Units++
	switch d.Outcome {
	case Issue:
		t.Issued++
	case Provisional:
		t.Provisional++
	case Refuse:
		t.Refused++
	}
	t.sum += d.Factor.Share
	t.Share = t.sum / float64(t.Units)
	if t.rows == nil {
		t.rows = map[Row]int{}
	}
	seen := map[Row]bool{} // a household counts once, however many members lack a field
	for _, r := range d.Reasons {
		row := Row{Weight: r.Weight, Code: r.Code, Field: r.Field}
		if !seen[row] {
			seen[row] = true
			t.rows[row]++
		}
	}
}

// Rows returns the reasons: the heaviest first, then the most frequent.
func (t *Tally) Rows() []Row {
	var rows []Row
	for row, n := range t.rows {
		row.Units = n
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		if a.Weight != b.Weight {
			if worse(a.Weight, b.Weight) == a.Weight {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Field, b.Field))
	})
	return rows
}
