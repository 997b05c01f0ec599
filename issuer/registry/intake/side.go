package intake

import (
	"slices"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// side holds what tables of documents and collectors add to the people of other
// tables. It is kept in memory: such tables are read before the people's.
type side struct {
	run     *run
	docs    map[[16]byte][]sideDoc // by person
	persons []sidePerson           // of them, in the order of the file
	collect []sideCollector
}

type sideDoc struct {
	registry.Document
	row ref
}

type sidePerson struct {
	external string
	key      [16]byte
}

type sideCollector struct {
	row   ref
	house string
	collector
	person string // external identifier
}

func newSide(r *run) *side { return &side{run: r, docs: map[[16]byte][]sideDoc{}} }

// take reads a row of a side table.
func (s *side) take(table int, row *roster.Row) error {
	r := s.run
	t := r.tables[table]
	at := ref{int32(table), int32(len(t.states))}
	st := state{row: int32(row.Number), place: row.Path, house: -1, outcome: created, content: t.lens.digest(row)}
	d := draft{person: &registry.Person{}}
	for _, p := range row.Problems {
		d.add(Finding{Column: p.Column, Severity: Reject, Code: RowUnreadable, What: p.What, Fix: p.Fix})
	}
	person := t.lens.id(row, PersonID)
	switch {
	case d.rejected:
	case t.plan.Role == Documents:
		t.lens.readDocuments(row, &d)
		if person == "" || len(d.person.Documents) == 0 {
			d.add(fault(NoIdentity, Reject, t.lens.by[PersonID], ""))
			break
		}
		k := keyOf(registry.KindPerson, person)
		if len(s.docs[k]) == 0 {
			s.persons = append(s.persons, sidePerson{person, k})
		}
		st.key = k
		for _, doc := range d.person.Documents {
			if slices.ContainsFunc(s.docs[k], func(o sideDoc) bool { return o.Document == doc }) {
				st.outcome = twin
				d.add(fault(SameRow, Remark, "", ""))
				continue
			}
			s.docs[k] = append(s.docs[k], sideDoc{doc, at})
		}
	default:
		house := t.lens.id(row, HouseholdID)
		name, _ := t.lens.text(row, CollectorName)
		parsed, _ := registry.ParseName(name, "")
		if house == "" || person == "" && parsed.Text == "" {
			d.add(fault(NoIdentity, Reject, t.lens.by[HouseholdID], ""))
			break
		}
		role := "alternate"
		if v, _ := t.lens.text(row, CollectRole); squeeze(v) == "primary" {
			role = "primary"
		}
		s.collect = append(s.collect, sideCollector{row: at, house: house, person: person,
			collector: collector{role: role, row: ref{-1, -1}, external: parsed.Text}})
	}
	if d.rejected {
		st.outcome = rejected
	}
	for _, f := range d.findings {
		if f.Severity == Flag {
			st.flags |= flagged
		}
	}
	r.note(t, row, d.findings...)
	t.states = append(t.states, st)
	return nil
}

// documents gives a person's draft what a table of documents says of her.
func (s *side) documents(d *draft) {
	if len(s.docs) == 0 || d.key == "" {
		return
	}
	for _, doc := range s.docs[keyOf(registry.KindPerson, d.key)] {
		d.person.Documents = append(d.person.Documents, doc.Document)
	}
}

// settleDocuments rejects documents of people who are not there.
func (s *side) settleDocuments() error {
	r := s.run
	for _, p := range s.persons {
		at, here := r.people[p.key]
		id, found, _, err := r.lookup(registry.KindPerson, p.external)
		if err != nil {
			return err
		}
		var known []registry.Document
		if found {
			rec, err := r.view.Record(id)
			if err != nil {
				return err
			}
			old, err := rec.Person()
			if err != nil {
				return err
			}
			known = old.Documents
		}
		for _, doc := range s.docs[p.key] {
			st := r.state(doc.row)
			switch {
			case here && r.state(at).outcome == rejected:
				r.later(doc.row, fault(PersonRejected, Reject, r.keyColumn(doc.row), ""))
			case !here && !found:
				r.later(doc.row, fault(PersonUnknown, Reject, r.keyColumn(doc.row), ""))
			case slices.ContainsFunc(known, func(o registry.Document) bool {
				return o.Type == doc.Type && o.Number == doc.Number && o.Country == doc.Country
			}):
				st.outcome = duplicate
			}
		}
	}
	return nil
}

// settleCollectors gives households those who collect for them.
func (s *side) settleCollectors() error {
	r := s.run
	for _, c := range s.collect {
		k, ok := r.byKey[keyOf(registry.KindHousehold, c.house)]
		if !ok {
			k = r.house(c.house)
		}
		h := &r.houses[k]
		if err := r.onRecord(h); err != nil {
			return err
		}
		if h.refused || h.table < 0 && !h.found {
			code := HouseholdUnknown
			if h.refused {
				code = HouseholdRejected
			}
			r.later(c.row, fault(code, Reject, r.tables[c.row.table].lens.by[HouseholdID], c.house))
			continue
		}
		made := c.collector
		if c.person != "" {
			id, found, _, err := r.lookup(registry.KindPerson, c.person)
			if err != nil {
				return err
			}
			if at, here := r.people[keyOf(registry.KindPerson, c.person)]; here && r.state(at).live() {
				made.row, made.external = at, ""
			} else if found {
				made.id, made.external = id, ""
			} else if made.external == "" {
				r.later(c.row, fault(PersonUnknown, Reject, r.keyColumn(c.row), c.person))
				continue
			}
		}
		if h.found && s.collects(h, made) {
			r.state(c.row).outcome = duplicate
		}
		h.collect = append(h.collect, made)
	}
	return nil
}

// collects reports whether a household on record has this collector already.
func (s *side) collects(h *house, c collector) bool {
	rec, err := s.run.view.Record(h.id)
	if err != nil {
		return false
	}
	old, err := rec.HouseholdRecord()
	if err != nil {
		return false
	}
	person := ""
	if c.row.table >= 0 {
		person = s.run.state(c.row).id.String()
	} else if !c.id.IsZero() {
		person = c.id.String()
	}
	return slices.ContainsFunc(old.Collectors, func(o registry.Collector) bool {
		return o.Role == c.role && (person != "" && o.Person == person || person == "" && o.External == c.external)
	})
}

// write adds documents to people on record who are not in the file's other tables.
func (s *side) write(tx registry.Tx) error {
	r := s.run
	for _, p := range s.persons {
		if _, here := r.people[p.key]; here {
			continue
		}
		id, found, _, err := r.lookup(registry.KindPerson, p.external)
		if err != nil || !found {
			return err
		}
		rec, err := tx.Record(id)
		if err != nil {
			return err
		}
		person, err := rec.Person()
		if err != nil {
			return err
		}
		add := registry.Person{}
		for _, doc := range s.docs[p.key] {
			add.Documents = append(add.Documents, doc.Document)
		}
		keysOf := person
		mergePerson(&add, &registry.Person{Documents: person.Documents})
		keysOf.Documents = add.Documents
		fields, err := (registry.Person{Documents: add.Documents}).Fields()
		if err != nil {
			return err
		}
		if _, err := tx.Save(registry.Change{ID: id, Kind: registry.KindPerson, Fields: fields, Keys: append(registry.Keys(keysOf), registry.OpenKeys(rec)...)}); err != nil {
			return err
		}
	}
	return nil
}
