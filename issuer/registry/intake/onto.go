package intake

import (
	"slices"

	"aidpass/issuer/registry"
)

// onto puts a row onto the record it is of, and returns what it says otherwise than
// a desk.
func (r *run) onto(p, old *registry.Person, rec registry.Record) ([]Field, error) {
	if err := r.leaveToHousehold(p, old, rec); err != nil {
		return nil, err
	}
	answers := p.Consents
	mergePerson(p, old)
	said, err := r.keepPerson(p, old, rec)
	return append(said, unheard(answers, p.Consents)...), err
}

// unheard are the answers of a row that a later one at a desk outweighs.
func unheard(row, merged []registry.Consent) (said []Field) {
	asks := map[string]Field{"registration": Consent, "sharing": Sharing, registry.NameOnCard: PrintName, registry.PhotoOnCard: PrintPhoto}
	for _, c := range row {
		if slices.ContainsFunc(merged, func(m registry.Consent) bool {
			return m.Purpose == c.Purpose && (m.Given && m.Withdrawn == "") != c.Given
		}) {
			said = append(said, asks[c.Purpose])
		}
	}
	return said
}

// leaveToHousehold drops from a row what it repeats of her household: flat lists say
// it in every row, and what the household's record says is not hers as well.
func (r *run) leaveToHousehold(p, old *registry.Person, rec registry.Record) error {
	if rec.Household.IsZero() || len(p.Consents) == 0 && p.Registered == "" && p.Origin == "" && len(p.Contacts) == 0 {
		return nil
	}
	home, err := r.view.Record(rec.Household)
	if err != nil {
		return err
	}
	h, err := home.HouseholdRecord()
	if err != nil {
		return err
	}
	if old.Registered == "" && p.Registered == h.Registered {
		p.Registered = ""
	}
	if old.Origin == "" && p.Origin == h.Origin {
		p.Origin = ""
	}
	p.Consents = slices.DeleteFunc(slices.Clone(p.Consents), func(c registry.Consent) bool {
		asked := func(o registry.Consent) bool { return o.Purpose == c.Purpose }
		answered := func(o registry.Consent) bool {
			return asked(o) && (o.Given && o.Withdrawn == "") == c.Given && slices.Equal(o.Recipients, c.Recipients)
		}
		return !slices.ContainsFunc(old.Consents, asked) && slices.ContainsFunc(h.Consents, answered)
	})
	p.Contacts = slices.DeleteFunc(slices.Clone(p.Contacts), func(c registry.Contact) bool {
		is := func(o registry.Contact) bool { return o.Kind == c.Kind && o.Value == c.Value }
		return !slices.ContainsFunc(old.Contacts, is) && slices.ContainsFunc(h.Contacts, is)
	})
	return nil
}

// leaveToPerson is the same for a household of a flat list: what the row's person
// says on her own record is not her household's as well.
func leaveToPerson(h *registry.Household, p *registry.Person) {
	if h.Registered == p.Registered {
		h.Registered = ""
	}
	if h.Origin == p.Origin {
		h.Origin = ""
	}
	h.Consents = slices.DeleteFunc(slices.Clone(h.Consents), func(c registry.Consent) bool {
		return slices.ContainsFunc(p.Consents, func(o registry.Consent) bool { return o.Purpose == c.Purpose })
	})
}

// keeps reports whether records stay as they are: the very same file was imported
// before, so that whatever differs was changed since, at a desk.
func (r *run) keeps() bool { return r.report.Earlier != nil && !r.opt.TakeChanges }

// guard refuses to make somebody else of a person on record.
func (r *run) guard(t *tableRun, d *draft, rec registry.Record, old *registry.Person) {
	if r.opt.TakeChanges {
		return
	}
	if len(old.Names) > 0 && len(d.person.Names) > 0 && !sameName(old, d.person) &&
		!r.saidBefore(rec, "names", func(was *registry.Person) bool { return sameName(was, d.person) }) {
		d.add(fault(RecordConflict, Reject, t.lens.columnAbout(FullName), ""))
	} else if b, n := old.Birth, d.person.Birth; b != nil && n != nil && b.EDTF != "" && n.EDTF != "" && n.EDTF != b.EDTF && n.AgeDeclared == 0 &&
		!r.saidBefore(rec, "birth", func(was *registry.Person) bool { return was.Birth != nil && was.Birth.EDTF == n.EDTF }) {
		d.add(fault(RecordConflict, Reject, t.lens.columnAbout(BirthDate), ""))
	}
	if !rec.Household.IsZero() && d.house != "" {
		id, found, _, err := r.lookup(registry.KindHousehold, d.house)
		if err == nil && (!found || id != rec.Household) {
			d.add(fault(MemberElsewhere, Reject, t.lens.by[HouseholdID], ""))
		}
	}
}

func sameName(old, row *registry.Person) bool {
	return registry.Fold(old.DisplayName()) == registry.Fold(row.Names[0].Text)
}

// saidBefore reports whether a field that a desk corrected had, before that, what a
// list says now: then the list is older, and speaks of the same person.
func (r *run) saidBefore(rec registry.Record, field string, is func(*registry.Person) bool) bool {
	if !r.written.desk(rec.Fields[field]) {
		return false
	}
	history, err := r.view.History(rec.ID)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(history, func(c registry.FieldChange) bool {
		if c.Field != field || c.Data == nil {
			return false
		}
		was, err := registry.Record{ID: rec.ID, Kind: rec.Kind, Fields: map[string]registry.Value{field: {Data: c.Data}}}.Person()
		return err == nil && is(&was)
	})
}
