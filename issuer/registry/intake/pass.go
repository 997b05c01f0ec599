package intake

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// check is the first reading: afterwards each row's outcome is known.
func (r *run) check(v registry.View) error {
	r.view = v
	if earlier, ok, err := v.ImportOf(r.file.Digest()); err != nil {
		return err
	} else if ok {
		r.report.Earlier = &Earlier{At: earlier.At, By: earlier.By, Rows: earlier.Rows}
	}
	var err error
	if r.written, err = writtenBy(v); err != nil {
		return err
	}
	r.side = newSide(r)
	for _, i := range r.order() {
		t := r.tables[i]
		err := r.each(t, "checking", func(_ int, row *roster.Row) error {
			if t.plan.Role.side() {
				return r.side.take(i, row)
			}
			return r.checkRow(i, row)
		})
		if err != nil {
			return err
		}
	}
	if err := r.settle(); err != nil {
		return err
	}
	return r.finish()
}

// checkRow reads one row and compares it with the record of its number.
func (r *run) checkRow(table int, row *roster.Row) error {
	t := r.tables[table]
	d := t.lens.read(row)
	s := state{row: int32(row.Number), place: row.Path, house: -1, content: t.lens.digest(row), head: d.head, outcome: created}
	here := ref{int32(table), int32(len(t.states))}
	if len(row.Problems) > 0 {
		s.outcome = rejected
		r.note(t, row, d.findings...)
		t.states = append(t.states, s)
		return nil
	}
	d.link(r, t, row)
	if d.house != "" {
		s.house = r.house(d.house)
	}
	if t.plan.Role == Households {
		r.declare(t, &s, &d, row, here)
	} else {
		r.enter(t, &s, &d, row, here)
	}
	if d.rejected {
		s.outcome = rejected
	}
	var err error
	switch {
	case s.outcome == rejected:
	case t.plan.Role == Households:
		err = r.compareHouse(t, &s, &d, row)
	default:
		err = r.comparePerson(t, &s, &d, row)
	}
	if err != nil {
		return err
	}
	if d.rejected {
		s.outcome = rejected
	}
	for _, f := range d.findings {
		if f.Severity == Flag {
			s.flags |= flagged
			if f.Blocking {
				s.flags |= blocked
			}
		}
	}
	if t.plan.Role == Households && s.house >= 0 {
		h := &r.houses[s.house]
		h.refused = h.refused || s.outcome == rejected
	}
	r.note(t, row, d.findings...)
	s.filled = filledBy(&d)
	r.collect(&s, &d, here)
	t.states = append(t.states, s)
	return nil
}

// collect remembers what a row says beyond itself: phones, delivery, whom she
// collects for.
func (r *run) collect(s *state, d *draft, here ref) {
	if s.outcome == rejected || d.person == nil {
		return
	}
	for _, c := range d.person.Contacts {
		if c.Kind != "phone" || !strings.HasPrefix(c.Value, "+") {
			continue
		}
		k := keyOf("phone", c.Value)
		p := r.phones[k]
		if p == nil {
			p = &phone{}
			r.phones[k] = p
		}
		p.rows = append(p.rows, here)
		if s.house >= 0 && len(p.houses) <= sharing && !slices.Contains(p.houses, s.house) {
			p.houses = append(p.houses, s.house)
		}
	}
	for mechanism, missing := range d.delivery {
		r.gaps = append(r.gaps, gap{row: here, house: s.house, mechanism: mechanism, missing: missing})
	}
	for _, c := range d.collects {
		if c.external == "" {
			r.claims = append(r.claims, claim{row: here, house: c.house, role: c.role})
		} else if s.house >= 0 {
			h := &r.houses[s.house]
			h.collect = append(h.collect, collector{role: c.role, row: ref{-1, -1}, external: c.external})
		}
	}
}

// link finds the household of a row that hangs on another one.
func (d *draft) link(r *run, t *tableRun, row *roster.Row) {
	if !t.lens.linked || row.Parent == "" || d.house != "" {
		return
	}
	if h, ok := r.parent[row.Parent]; ok {
		d.house = r.houses[h].external
		if d.byName { // the household is part of what she goes by
			t.lens.identify(row, d)
		}
	} else {
		d.add(fault(HouseholdRejected, Reject, "", ""))
	}
}

// house returns the place of a household, which it makes where there is none.
func (r *run) house(external string) int32 {
	k := keyOf(registry.KindHousehold, external)
	if i, ok := r.byKey[k]; ok {
		return i
	}
	i := int32(len(r.houses))
	r.houses = append(r.houses, house{external: external, table: -1})
	r.byKey[k] = i
	return i
}

func keyOf(kind registry.Kind, external string) (k [16]byte) {
	sum := sha256.Sum256([]byte(string(kind) + "\x1f" + external))
	copy(k[:], sum[:])
	return k
}

// declare takes a row of a table of households.
func (r *run) declare(t *tableRun, s *state, d *draft, row *roster.Row, here ref) {
	if row.Index != "" && d.key != "" {
		r.parent[row.Index] = s.house
	}
	if d.key == "" {
		return
	}
	s.key = keyOf(registry.KindHousehold, d.key)
	h := &r.houses[s.house]
	if first, ok := r.rows[s.key]; ok {
		r.repeat(s.key, first, here)
		return
	}
	r.rows[s.key] = here
	h.table, h.carrier = int(here.table), int(here.row)
	r.takeHouse(h, d)
	for _, c := range d.collects {
		h.collect = append(h.collect, collector{role: c.role, row: ref{-1, -1}, external: c.external})
	}
}

func (r *run) takeHouse(h *house, d *draft) {
	h.size, h.issues = d.household.Size, d.issues()
}

// sketch keeps of a person what the checks of her household ask for; what the row
// does not say is as the record has it.
func (s *state) sketch(p, old *registry.Person) {
	birth := p.Birth
	if birth == nil {
		birth = old.Birth
	}
	if birth != nil {
		s.member.birth, s.member.estimated = birth.EDTF, birth.Estimated
	}
	s.member.relation, s.member.sex = cmp.Or(p.Relation, old.Relation), cmp.Or(p.Sex, old.Sex)
}

// repeat remembers that a number stands twice.
func (r *run) repeat(k [16]byte, first, here ref) {
	if len(r.again[k]) == 0 {
		r.again[k] = []ref{first}
	}
	r.again[k] = append(r.again[k], here)
}

// enter takes a row that makes a person.
func (r *run) enter(t *tableRun, s *state, d *draft, row *roster.Row, here ref) {
	if d.key == "" {
		return
	}
	s.key = keyOf(registry.KindPerson, d.key)
	if first, ok := r.people[s.key]; ok {
		r.repeat(s.key, first, here)
	} else {
		r.people[s.key] = here
	}
	r.side.documents(d)
	s.sketch(d.person, &registry.Person{})
	if d.household != nil {
		s.said, s.size = saidOf(d.household), uint8(d.household.Size) // at most maxSize
	}
	if v, _ := t.lens.text(row, BirthDate); v != "" {
		if m, day, ok := registry.WrittenDay(v, t.lens.birth); ok {
			r.days.Add(m, day)
		}
	}
}

// saidOf sums up what a row says of its household.
func saidOf(h *registry.Household) (out [8]byte) {
	own := *h
	own.Origin, own.Registered, own.Consents = "", "", nil // of people too, who may differ
	fields, err := own.Fields()
	if err != nil {
		return out
	}
	names := make([]string, 0, len(fields))
	for n := range fields {
		names = append(names, n)
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, n := range names {
		sum.Write([]byte(n))
		sum.Write(fields[n])
	}
	copy(out[:], sum.Sum(nil))
	return out
}

// issues are the findings that are stored with the record.
func (d *draft) issues() (list []registry.Issue) {
	for _, f := range d.findings {
		if f.Severity == Flag && !slices.ContainsFunc(list, func(i registry.Issue) bool { return i.Code == f.Code && i.Field == f.Column }) {
			list = append(list, f.issue(f.Column))
		}
	}
	return list
}

// compareHouse looks a household up and tells whether its row says anything new.
func (r *run) compareHouse(t *tableRun, s *state, d *draft, row *roster.Row) error {
	rec, found, err := r.find(registry.KindHousehold, d.key, d)
	if err != nil || !found {
		return err
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
	if h.told = true; !again {
		t.lens.sayKept(d, row, said)
	}
	changed, err := changes(d.household, rec)
	if err != nil {
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
	id, found, err := r.view.Find(kind, r.opt.Source, external)
	if err != nil || !found {
		return registry.Record{}, false, err
	}
	rec, err := r.view.Record(id)
	if errors.Is(err, registry.ErrErased) {
		d.add(fault(Erased, Reject, "", ""))
		return registry.Record{}, false, nil
	}
	return rec, err == nil, err
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
	if err := r.takePhoto(t, d, row, !r.opt.DryRun); err != nil {
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
		if r.keeps() {
			s.outcome = duplicate
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
		s.outcome = duplicate
		if len(changed) > 0 || s.house >= 0 && rec.Household.IsZero() {
			s.outcome = updated
		}
		if s.outcome == updated && old.Status != nil && old.Status.State == "closed" {
			d.add(fault(RecordClosed, Reject, "", ""))
			return nil
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
		d.findings = append(d.findings, house.findings...)
		d.rejected = d.rejected || house.rejected
		if hs.outcome == updated && s.outcome == duplicate {
			s.outcome, s.viaHome = updated, true // if it is another row's to say, settle takes it back
		}
	}
	return r.doubles(t, s, d)
}

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
	} else if b, n := old.Birth, d.person.Birth; b != nil && n != nil && b.EDTF != "" && n.EDTF != b.EDTF && n.AgeDeclared == 0 &&
		!r.saidBefore(rec, "birth", func(was *registry.Person) bool { return was.Birth != nil && was.Birth.EDTF == n.EDTF }) {
		d.add(fault(RecordConflict, Reject, t.lens.columnAbout(BirthDate), ""))
	}
	if !rec.Household.IsZero() && d.house != "" {
		id, found, err := r.view.Find(registry.KindHousehold, r.opt.Source, d.house)
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

// note adds findings of a row to the report.
func (r *run) note(t *tableRun, row *roster.Row, findings ...Finding) {
	for _, f := range findings {
		f.Table, f.Row, f.Place = t.plan.Name, row.Number, row.Path
		r.report.Findings = append(r.report.Findings, f)
	}
}

// later adds a finding of a row that was read before.
func (r *run) later(at ref, f Finding) {
	t := r.tables[at.table]
	s := &t.states[at.row]
	f.Table, f.Row, f.Place = t.plan.Name, int(s.row), s.place
	r.report.Findings = append(r.report.Findings, f)
	switch f.Severity {
	case Reject:
		s.outcome = rejected
	case Flag:
		s.flags |= flagged
		if f.Blocking {
			s.flags |= blocked
		}
	}
}
