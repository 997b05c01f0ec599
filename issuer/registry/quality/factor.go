package quality

import (
	"slices"
	"time"

	"aidpass/issuer/registry"
)

// A Factor is how much of what is required is known of a unit.
type Factor struct {
	Filled     int     `json:"filled"`     // required fields, of all records of the unit
	Applicable int     `json:"applicable"` // that apply and are filled or not
	Share      float64 `json:"share"`      // 0 to 1: the mean over the records; 1 where nothing applies
	// Missing are the names of fields that are not filled, each once, in the policy's order.
	Missing []string `json:"missing,omitempty"`
	Gaps    []Gap    `json:"-"` // the same with the records they are missing in
}

// A Gap is a required field that is not filled.
type Gap struct {
	Record registry.ID
	Field  string
}

// Completeness returns the completeness factor of a unit at a time (consents run
// out): of a person her own, of a household the mean over its members, and of one
// that is only counted that of its own fields. Members who died, left or were
// closed are not asked.
//
// DOMAIN.md 5, DQ-01: the mean of means, record by record.
func Completeness(u Unit, r Required, at time.Time) Factor {
	var f Factor
	var sum float64
	records := 0
	add := func(id registry.ID, s subject, fields []string) {
		filled, applicable := 0, 0
		for _, name := range fields {
			yes, applies := s.filled(name)
			if !applies {
				continue
			}
			applicable++
			if yes {
				filled++
				continue
			}
			f.Gaps = append(f.Gaps, Gap{id, name})
			if !slices.Contains(f.Missing, name) {
				f.Missing = append(f.Missing, name)
			}
		}
		if applicable == 0 {
			return
		}
		f.Filled += filled
		f.Applicable += applicable
		sum += float64(filled) / float64(applicable)
		records++
	}
	switch {
	case u.Person != nil:
		add(u.ID, subject{person: u.Person, household: u.Household, at: at}, r.Person)
	case u.counted():
		add(u.ID, subject{household: u.Household, unit: &u, at: at}, r.Household)
	default:
		for _, m := range u.active() {
			add(m.ID, subject{person: &m.Person, household: u.Household, at: at}, r.Person)
		}
		add(u.ID, subject{household: u.Household, unit: &u, at: at}, r.Both)
	}
	f.Share = 1
	if records > 0 {
		f.Share = sum / float64(records)
	}
	return f
}
