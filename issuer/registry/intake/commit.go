package intake

import (
	"fmt"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// commit is the second reading: it writes what check decided.
func (r *run) commit(tx registry.Tx, by access.Actor) error {
	r.view = tx
	for _, i := range r.order() {
		if t := r.tables[i]; t.plan.Role.houses() {
			if err := r.each(t, "households", func(n int, row *roster.Row) error { return r.writeHouse(tx, ref{int32(i), int32(n)}, row) }); err != nil {
				return err
			}
		}
	}
	for _, i := range r.order() {
		if t := r.tables[i]; t.plan.Role.people() {
			if err := r.each(t, "people", func(n int, row *roster.Row) error { return r.writePerson(tx, ref{int32(i), int32(n)}, row) }); err != nil {
				return err
			}
		}
	}
	if err := r.side.write(tx); err != nil {
		return err
	}
	for i := range r.houses {
		if err := r.writeRoles(tx, &r.houses[i]); err != nil {
			return err
		}
	}
	now := r.opt.Now.UTC()
	for _, p := range r.pairs {
		other := p.record
		if p.other.table >= 0 {
			other = r.state(p.other).id
		}
		if err := tx.SaveDouble(registry.Double{A: r.state(p.row).id, B: other, Why: p.why, FoundAt: now}); err != nil {
			return err
		}
	}
	var err error
	if r.report.Records, err = r.tellFates(); err != nil { // with the records that were made
		return err
	}
	sum := r.report.Total()
	if r.report.Import = r.opt.Import; r.report.Import.IsZero() {
		r.report.Import = registry.NewID()
	}
	return tx.SaveImport(registry.ImportFile{
		ID: r.report.Import, Digest: r.file.Digest(), Plan: r.plan.JSON(), Rows: sum.Rows, Created: sum.Created, Updated: sum.Updated,
		Same: sum.Duplicate, Refused: sum.Rejected, At: now, By: by.ID,
	})
}

// same refuses to go on where the file is not the one that was checked.
func (r *run) same(at ref, row *roster.Row) (*state, error) {
	t := r.tables[at.table]
	if int(at.row) >= len(t.states) || t.states[at.row].row != int32(row.Number) || t.states[at.row].content != t.lens.digest(row) {
		return nil, errorf("table %q, %s: the file changed while it was read: nothing was imported", t.plan.Name, row.Place())
	}
	return &t.states[at.row], nil
}

func (r *run) writeHouse(tx registry.Tx, at ref, row *roster.Row) error {
	s, err := r.same(at, row)
	if err != nil || !s.live() || s.house < 0 {
		return err
	}
	h := &r.houses[s.house]
	if h.table != int(at.table) || h.carrier != int(at.row) {
		return nil
	}
	if h.found && (r.keeps() || s.outcome == duplicate) {
		return nil
	}
	t := r.tables[at.table]
	d := t.lens.read(row)
	if h.found && s.found && t.plan.Role == PeopleInHouses {
		rec, err := tx.Record(s.id)
		if err != nil {
			return err
		}
		p, err := rec.Person()
		if err != nil {
			return err
		}
		leaveToPerson(d.household, &p)
	}
	return r.saveHouse(tx, h, d.household)
}

func (r *run) saveHouse(tx registry.Tx, h *house, made *registry.Household) error {
	c := registry.Change{Kind: registry.KindHousehold}
	c.Source, c.External = r.opt.number(h.external)
	if h.found {
		rec, err := tx.Record(h.id)
		if err != nil {
			return err
		}
		old, err := rec.HouseholdRecord()
		if err != nil {
			return err
		}
		mergeHousehold(made, &old)
		if _, err := r.keepHousehold(made, &old, rec); err != nil {
			return err
		}
		c.ID = h.id
	}
	made.Issues = h.issues
	var err error
	if c.Fields, err = made.Fields(); err != nil {
		return err
	}
	if h.found && len(h.issues) == 0 {
		c.Fields[issuesField] = nil
	}
	saved, err := tx.Save(c)
	if err != nil {
		return fmt.Errorf("intake: household of table %q, row %d: %w", r.tables[h.table].plan.Name, r.tables[h.table].states[h.carrier].row, err)
	}
	if saved.New == h.found {
		return errorf("a household is new to the check and not to the store, or the other way round: nothing was imported")
	}
	h.id = saved.ID
	r.tables[h.table].states[h.carrier].idOfHouse(h, r.tables[h.table].plan.Role)
	return nil
}

// idOfHouse keeps the id of a row that is a household.
func (s *state) idOfHouse(h *house, role Role) {
	if role == Households {
		s.id = h.id
	}
}

func (r *run) writePerson(tx registry.Tx, at ref, row *roster.Row) error {
	s, err := r.same(at, row)
	if err != nil || !s.live() || s.found && (r.keeps() || s.outcome == duplicate) {
		return err
	}
	t := r.tables[at.table]
	d := t.lens.read(row)
	d.link(r, t, row)
	r.side.documents(&d)
	if err := r.takePhoto(t, s, &d, row, false); err != nil {
		return err
	}
	c := registry.Change{Kind: registry.KindPerson, ID: s.id, KeepPhoto: true} // the list may be taken back
	c.Source, c.External = r.opt.number(d.key)
	issues := d.issues()
	var rec registry.Record
	if s.found {
		if rec, err = tx.Record(s.id); err != nil {
			return err
		}
		old, err := rec.Person()
		if err != nil {
			return err
		}
		if _, err := r.onto(d.person, &old, rec); err != nil {
			return err
		}
		changed, err := changes(d.person, rec)
		if err != nil {
			return err
		}
		issues = t.lens.mergeIssues(old.Issues, issues, changed, row)
	}
	d.person.Issues = issues
	if c.Fields, err = d.person.Fields(); err != nil {
		return err
	}
	if s.found && len(d.person.Issues) == 0 {
		c.Fields[issuesField] = nil
	}
	c.Keys = append(registry.Keys(*d.person), registry.OpenKeys(rec)...)
	if s.house >= 0 {
		if c.Household = r.houses[s.house].id; c.Household.IsZero() {
			return errorf("table %q, %s: its household was not written: nothing was imported", t.plan.Name, row.Place())
		}
	}
	saved, err := tx.Save(c)
	if err != nil {
		return fmt.Errorf("intake: table %q, %s: %w", t.plan.Name, row.Place(), err)
	}
	if saved.New == s.found {
		return errorf("table %q, %s: new to the check and not to the store, or the other way round: nothing was imported", t.plan.Name, row.Place())
	}
	s.id = saved.ID
	return nil
}

// writeRoles sets who is head of a household and who collects for it.
func (r *run) writeRoles(tx registry.Tx, h *house) error {
	if h.refused || h.id.IsZero() || h.headAt == nil && len(h.collect) == 0 {
		return nil
	}
	rec, err := tx.Record(h.id)
	if err != nil {
		return err
	}
	old, err := rec.HouseholdRecord()
	if err != nil {
		return err
	}
	roles := registry.Household{Head: old.Head, Collectors: slices.Clone(old.Collectors)}
	if h.headAt != nil && r.leads(&old) {
		roles.Head = r.state(*h.headAt).id.String()
	}
	for _, c := range h.collect {
		made := registry.Collector{Role: c.role, External: c.external}
		if c.row.table >= 0 {
			made.Person = r.state(c.row).id.String()
		} else if !c.id.IsZero() {
			made.Person, made.External = c.id.String(), ""
		}
		i := slices.IndexFunc(roles.Collectors, func(o registry.Collector) bool { return o.Person == made.Person && o.External == made.External })
		switch {
		case i < 0:
			roles.Collectors = append(roles.Collectors, made)
		case roles.Collectors[i].Revoked == "" && rank1(made.Role) < rank1(roles.Collectors[i].Role):
			roles.Collectors[i].Role = made.Role
		}
	}
	fields, err := roles.Fields()
	if err != nil {
		return err
	}
	_, err = tx.Save(registry.Change{ID: h.id, Kind: registry.KindHousehold, Fields: fields})
	return err
}

// rank1 puts the primary collector first.
func rank1(role string) int { return strings.Compare(role, "primary") }

// finish counts, and holds the report to its promises.
func (r *run) finish() error {
	rep := &r.report
	for i, t := range r.tables {
		c := &t.count
		c.Rows = len(t.states)
		for n := range t.states {
			s := &t.states[n]
			switch s.outcome {
			case created:
				c.Created++
			case updated:
				c.Updated++
			case duplicate, twin:
				c.Duplicate++
			case rejected:
				c.Rejected++
			}
			if s.outcome != rejected {
				if s.flags&flagged != 0 {
					c.Flagged++
				}
				if s.flags&blocked != 0 {
					c.Blocked++
				}
			}
			if s.live() {
				r.quality(t, s)
			}
		}
		rep.Tables[i] = *c
	}
	for _, g := range r.gaps {
		if s := r.state(g.row); s.live() && g.house >= 0 {
			rep.Delivery = append(rep.Delivery, DeliveryGap{
				Household: shown(r.houses[g.house].external), Table: r.tables[g.row.table].plan.Name, Row: int(s.row), Mechanism: g.mechanism, Missing: g.missing,
			})
		}
	}
	slices.SortFunc(rep.Delivery, func(a, b DeliveryGap) int {
		if a.Row != b.Row {
			return a.Row - b.Row
		}
		return strings.Compare(a.Mechanism, b.Mechanism)
	})
	rep.Quality.DefaultsAll = r.days.TooMany()
	for _, f := range rep.Findings {
		rep.Quality.Codes[f.Code]++
		if f.Code == registry.BirthDefault {
			rep.Quality.Defaults++
		}
	}
	r.countPhotos()
	sortFindings(rep.Findings, rep.Tables)
	var err error
	if rep.Fates, err = r.tellFates(); err != nil {
		return err
	}
	return rep.check()
}

// fieldBits are what the quality summary counts, by the place of their bit.
var fieldBits = []string{"name", "sex", "birth", "relation", "origin", "documents", "phone", "consent", "photo", "size", "location", "registered"}

func filledBy(d *draft) (bits uint16) {
	set := func(name string, filled bool) {
		if filled {
			bits |= 1 << slices.Index(fieldBits, name)
		}
	}
	if p := d.person; p != nil {
		set("name", len(p.Names) > 0)
		set("sex", p.Sex != "")
		set("birth", p.Birth != nil)
		set("relation", p.Relation != "")
		set("origin", p.Origin != "")
		set("documents", len(p.Documents) > 0)
		set("phone", len(p.Contacts) > 0)
		set("consent", len(p.Consents) > 0)
		set("photo", len(p.Photo) > 0)
		set("registered", p.Registered != "")
	} else if h := d.household; h != nil {
		set("size", h.Size > 0)
		set("location", h.Location != nil && (h.Location.PCode != "" || h.Location.Site != "" || h.Location.Address != ""))
		set("consent", len(h.Consents) > 0)
		set("registered", h.Registered != "")
	}
	return bits
}

func (r *run) quality(t *tableRun, s *state) {
	q := &r.report.Quality
	filled, names := q.Filled, []string{"name", "sex", "birth", "relation", "origin", "documents", "phone", "consent", "photo", "registered"}
	if t.plan.Role.side() {
		return
	}
	if t.plan.Role == Households {
		q.Households++
		filled, names = q.FilledHH, []string{"size", "location", "consent", "registered"}
	} else {
		q.People++
	}
	r.lacks(t, s)
	for _, name := range names {
		n := 0
		if s.filled&(1<<slices.Index(fieldBits, name)) != 0 {
			n = 1
		}
		filled[name] += n
	}
}
