package intake

import (
	"slices"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// mostRequired is how many required fields of one kind are counted: a bit each.
const mostRequired = 32

// lacking returns the fields of Required that a unit leaves open, by their place.
func (r *run) lacking(u quality.Unit) (open uint32) {
	fields := r.opt.Required.Household
	if u.Person != nil {
		fields = r.opt.Required.Person
	}
	if len(fields) == 0 {
		return 0
	}
	for _, name := range quality.Completeness(u, r.opt.Required, r.opt.day()).Missing {
		if i := slices.Index(fields, name); i >= 0 && i < mostRequired {
			open |= 1 << i
		}
	}
	return open
}

// asks notes what a row leaves open of what is required, and what its household says for
// all of its people.
func (r *run) asks(s *state, d *draft) {
	if s.outcome == rejected || len(r.opt.Required.Person)+len(r.opt.Required.Household) == 0 {
		return
	}
	if h := d.household; h != nil && s.house >= 0 {
		all := uint32(1)<<min(len(r.opt.Required.Person), mostRequired-1) - 1
		r.houses[s.house].says |= all &^ r.lacking(quality.Unit{Person: &registry.Person{}, Household: h})
	}
	switch {
	case d.person != nil:
		u := quality.Unit{Person: d.person, Household: d.household}
		if u.Household == nil && s.house >= 0 { // of another row
			u.Household = &registry.Household{}
		}
		s.open = r.lacking(u)
	case d.household != nil:
		counted := *d.household
		counted.CollectType = "size_only"
		s.open = r.lacking(quality.Unit{Household: &counted})
	}
}

// lacks counts what a row leaves open. A household whose people stand in the list is asked
// through them.
func (r *run) lacks(t *tableRun, s *state) {
	q, open, fields, count := &r.report.Quality, s.open, r.opt.Required.Person, &r.report.Quality.Open
	if t.plan.Role == Households {
		fields, count = r.opt.Required.Household, &q.OpenHH
		if s.house >= 0 && len(r.houses[s.house].members) > 0 {
			return
		}
	} else if s.house >= 0 {
		open &^= r.houses[s.house].says
	}
	for i, name := range fields[:min(len(fields), mostRequired)] {
		if open&(1<<i) != 0 {
			if *count == nil {
				*count = map[string]int{}
			}
			(*count)[name]++
		}
	}
}
