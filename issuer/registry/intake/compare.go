package intake

import (
	"bytes"
	"slices"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// compareHouse looks a household up and tells whether its row says anything new.
func (r *run) compareHouse(t *tableRun, s *state, d *draft, row *roster.Row) error {
	rec, found, err := r.find(registry.KindHousehold, d.key, d)
	if err != nil {
		return err
	}
	if !found {
		return s.mixRecord(d.household, nil, false)
	}
	old, err := rec.HouseholdRecord()
	if err != nil {
		return err
	}
	s.found, s.id = true, rec.ID
	if r.keeps() {
		s.outcome = duplicate
		return nil
	}
	mergeHousehold(d.household, &old)
	said, err := r.keepHousehold(d.household, &old, rec)
	if err != nil {
		return err
	}
	h := &r.houses[r.house(d.key)]
	again := h.told
	if t.plan.Role == Households {
		d.unanswered(old.Issues)
		h.issues = d.issues()
	}
	if h.told = true; !again {
		t.lens.sayKept(d, row, said)
	}
	changed, err := changes(d.household, rec)
	if err != nil {
		return err
	}
	if err := s.mixRecord(d.household, changed, true); err != nil {
		return err
	}
	before := rowIssues(old.Issues)
	switch {
	case t.plan.Role == Households:
		h.size, h.issues = d.household.Size, t.lens.mergeIssues(before, h.issues, changed, row)
	case again:
		h.issues = t.lens.mergeIssues(h.issues, nil, changed, row)
	default: // what is wrong with the row is its person's to say
		h.issues = t.lens.mergeIssues(before, nil, changed, row)
	}
	s.outcome = duplicate
	if len(changed) > 0 {
		s.outcome = updated
		if old.Status != nil && old.Status.State == "closed" {
			d.add(fault(RecordClosed, Reject, "", ""))
		}
	}
	return nil
}

// find returns the record of an external identifier.
func (r *run) find(kind registry.Kind, external string, d *draft) (registry.Record, bool, error) {
	id, found, erased, err := r.lookup(kind, external)
	if erased && !r.opt.TakeErased {
		d.add(fault(Erased, Reject, "", ""))
	}
	if err != nil || !found {
		return registry.Record{}, false, err
	}
	rec, err := r.view.Record(id)
	return rec, err == nil, err
}

// unanswered drops that nobody answered about consent, where the record was made
// without that being found: an empty cell takes no answer back, and whoever has given
// none is kept from a card by the gate.
func (d *draft) unanswered(before []registry.Issue) {
	if !slices.ContainsFunc(before, func(i registry.Issue) bool { return i.Code == ConsentMissing }) {
		d.findings = slices.DeleteFunc(d.findings, func(f Finding) bool { return f.Code == ConsentMissing })
	}
}

// changes are the fields that would change a record. Issues are not compared: they
// follow from the rest.
func changes(record fielder, rec registry.Record) (map[string]bool, error) {
	fields, err := record.Fields()
	if err != nil {
		return nil, err
	}
	var changed map[string]bool
	for name, data := range fields {
		if name != issuesField && !bytes.Equal(rec.Fields[name].Data, data) {
			if changed == nil {
				changed = map[string]bool{}
			}
			changed[name] = true
		}
	}
	return changed, nil
}

const issuesField = "issues"

// comparePerson looks a person up, refuses a row that would make another person of
// her, and finds records that may be the same one.
func (r *run) comparePerson(t *tableRun, s *state, d *draft, row *roster.Row) error {
	rec, found, err := r.find(registry.KindPerson, d.key, d)
	if err != nil || d.rejected {
		return err
	}
	if err := r.takePhoto(t, s, d, row, !r.opt.DryRun); err != nil {
		return err
	}
	was := &registry.Person{}
	if found {
		old, err := rec.Person()
		if err != nil {
			return err
		}
		was = &old
		s.found, s.id = true, rec.ID
		d.unanswered(old.Issues)
		if r.keeps() {
			s.outcome, d.person.Photo = duplicate, old.Photo
			return nil
		}
		r.guard(t, d, rec, &old)
		if d.rejected {
			return nil
		}
		said, err := r.onto(d.person, &old, rec)
		if err != nil {
			return err
		}
		t.lens.sayKept(d, row, said)
		s.sketch(d.person, &old)
		changed, err := changes(d.person, rec)
		if err != nil {
			return err
		}
		if err := s.mixRecord(d.person, changed, true); err != nil {
			return err
		}
		s.outcome = duplicate
		if len(changed) > 0 || s.house >= 0 && rec.Household.IsZero() {
			s.outcome = updated
		}
		if s.outcome == updated && old.Status != nil && old.Status.State == "closed" {
			d.add(fault(RecordClosed, Reject, "", ""))
			return nil
		}
	}
	if !found {
		if err := s.mixRecord(d.person, nil, false); err != nil {
			return err
		}
	}
	if d.household != nil {
		if found && t.plan.Role == PeopleInHouses {
			leaveToPerson(d.household, was)
		}
		house := draft{key: d.house, household: d.household}
		var hs state
		if err := r.compareHouse(t, &hs, &house, row); err != nil {
			return err
		}
		s.mix(hs.writes[:])
		d.findings = append(d.findings, house.findings...)
		d.rejected = d.rejected || house.rejected
		if hs.outcome == updated && s.outcome == duplicate {
			s.outcome, s.viaHome = updated, true // if it is another row's to say, settle takes it back
		}
	}
	return r.doubles(t, s, d)
}
