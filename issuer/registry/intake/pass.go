package intake

import (
	"cmp"
	"crypto/sha256"
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
	if t.plan.Role == Households && row.Index != "" {
		if _, ok := r.parent[row.Index]; !ok {
			r.parent[row.Index] = -1
		}
	}
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
	if s.outcome == rejected && s.id.IsZero() && d.key != "" { // whose row is left out, for those who may ask who saw it
		kind := registry.KindPerson
		if t.plan.Role == Households {
			kind = registry.KindHousehold
		}
		if s.id, _, _, err = r.lookup(kind, d.key); err != nil {
			return err
		}
	}
	if err := s.mixIssues(d.issues()); err != nil {
		return err
	}
	r.note(t, row, d.findings...)
	s.filled = filledBy(&d)
	r.asks(&s, &d)
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
	h, ok := r.parent[row.Parent]
	switch {
	case !ok:
		d.add(fault(ParentUnknown, Reject, t.parentColumn(), row.Parent))
	case h < 0:
		d.add(fault(HouseholdRejected, Reject, "", ""))
	default:
		d.house = r.houses[h].external
		if d.byName { // the household is part of what she goes by
			t.lens.identify(row, d)
		}
	}
}

// parentColumn is where a form's export says which row another one hangs on; "" in JSON.
func (t *tableRun) parentColumn() string {
	const column = "_parent_index"
	if slices.ContainsFunc(t.table.Columns, func(c roster.Column) bool { return c.Name == column }) {
		return column
	}
	return ""
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
