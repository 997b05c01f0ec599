package intake

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// settle decides what no row can say alone, in an order that does not depend on
// the order of the rows.
//
//  1. Rows of one number that differ are all rejected; equal ones count once.
//  2. People whose household is neither in the file nor on record are rejected.
//  3. Of rows that repeat their household, one speaks for it: the head's, else the
//     one with the smallest key.
//  4. Households are checked with their members, and get their head and collectors.
func (r *run) settle() error {
	for _, refs := range r.again {
		r.settleRepeats(refs)
	}
	if err := r.settleHomes(); err != nil {
		return err
	}
	if err := r.side.settleDocuments(); err != nil {
		return err
	}
	r.settleCarriers()
	if err := r.side.settleCollectors(); err != nil {
		return err
	}
	if err := r.settleCollectors(); err != nil {
		return err
	}
	for i := range r.houses {
		if err := r.settleHouse(&r.houses[i]); err != nil {
			return err
		}
	}
	r.settlePhones()
	r.settlePairs()
	return nil
}

func (r *run) state(at ref) *state { return &r.tables[at.table].states[at.row] }

func (r *run) settleRepeats(refs []ref) {
	first := r.state(refs[0])
	same := !slices.ContainsFunc(refs, func(at ref) bool { return r.state(at).content != first.content })
	for i, at := range refs {
		s := r.state(at)
		if !same {
			if s.outcome != rejected {
				r.later(at, fault(RowConflict, Reject, r.keyColumn(at), ""))
			}
			if r.tables[at.table].plan.Role == Households && s.house >= 0 {
				r.houses[s.house].refused = true
			}
		} else if i > 0 && s.outcome != rejected {
			s.outcome = twin
			r.later(at, fault(SameRow, Remark, r.keyColumn(at), ""))
		}
	}
}

// keyColumn is the column that numbers the rows.
func (r *run) keyColumn(at ref) string {
	l := r.tables[at.table].lens
	if l.plan.Role == Households {
		return l.by[HouseholdID]
	}
	return l.by[PersonID]
}

// live reports whether a row will be written, or is known already.
func (s *state) live() bool { return s.outcome != rejected && s.outcome != twin }

func (r *run) settleHomes() error {
	tabled := slices.ContainsFunc(r.tables, func(t *tableRun) bool { return t.plan.Role == Households })
	for ti, t := range r.tables {
		if t.plan.Role != People {
			continue
		}
		repeats := !tabled && t.repeatsHouses()
		for i := range t.states {
			s, at := &t.states[i], ref{int32(ti), int32(i)}
			if s.outcome == rejected {
				continue
			}
			column := t.lens.by[HouseholdID]
			if s.house < 0 {
				if tabled && !t.plan.alone() {
					r.later(at, fault(NoHousehold, Reject, column, ""))
				}
				continue
			}
			h := &r.houses[s.house]
			if h.refused {
				r.later(at, fault(HouseholdRejected, Reject, column, shown(h.external)))
				continue
			}
			if h.table >= 0 {
				continue
			}
			if err := r.onRecord(h); err != nil {
				return err
			}
			if !h.found {
				f := fault(HouseholdUnknown, Reject, column, shown(h.external))
				if repeats {
					f.Fix = "if each row repeats her household, import with " + ColumnFlag(strings.TrimPrefix(t.plan.Name+":role="+string(PeopleInHouses), ":"))
				}
				r.later(at, f)
			}
		}
	}
	return nil
}

// repeatsHouses reports whether several rows name one household.
func (t *tableRun) repeatsHouses() bool {
	seen := map[int32]bool{}
	for i := range t.states {
		if h := t.states[i].house; h >= 0 && seen[h] {
			return true
		} else if h >= 0 {
			seen[h] = true
		}
	}
	return false
}

// onRecord looks a household up once.
func (r *run) onRecord(h *house) (err error) {
	if !h.asked {
		h.asked = true
		h.id, h.found, _, err = r.lookup(registry.KindHousehold, h.external)
	}
	return err
}

func (r *run) settleCarriers() {
	speaks := func(t *tableRun) bool { return t.plan.Role == PeopleInHouses || t.plan.Role == HeadRows }
	for ti, t := range r.tables {
		for i := range t.states {
			s := &t.states[i]
			if !s.live() || s.house < 0 || t.plan.Role == Households {
				continue
			}
			h := &r.houses[s.house]
			h.members = append(h.members, ref{int32(ti), int32(i)})
			if !speaks(t) {
				continue
			}
			if h.table >= 0 {
				c := r.state(ref{int32(h.table), int32(h.carrier)})
				if c.head == s.head && bytes.Compare(c.key[:], s.key[:]) <= 0 || c.head && !s.head {
					continue
				}
			}
			h.table, h.carrier, h.size = ti, i, int(s.size)
		}
	}
	for ti, t := range r.tables {
		if !speaks(t) {
			continue
		}
		for i := range t.states {
			s := &t.states[i]
			if !s.live() || s.house < 0 {
				continue
			}
			h := &r.houses[s.house]
			if h.table == ti && h.carrier == i {
				continue
			}
			if s.viaHome {
				s.outcome = duplicate
			}
			if c := r.state(ref{int32(h.table), int32(h.carrier)}); c.said != s.said {
				r.later(ref{int32(ti), int32(i)}, fault(HouseholdDiffers, Remark, t.lens.by[HouseholdID], shown(h.external)))
			}
		}
	}
}

func (r *run) settleCollectors() error {
	for _, c := range r.claims {
		s := r.state(c.row)
		if !s.live() {
			continue
		}
		at := s.house
		if c.house != "" {
			k, ok := r.byKey[keyOf(registry.KindHousehold, c.house)]
			if !ok {
				k = r.house(c.house)
			}
			at = k
		}
		if at < 0 {
			continue
		}
		h := &r.houses[at]
		if err := r.onRecord(h); err != nil {
			return err
		}
		if h.refused || h.table < 0 && !h.found {
			t := r.tables[c.row.table]
			column := t.lens.by[Primary]
			if c.role == "alternate" {
				column = t.lens.by[Alternate]
			}
			r.later(c.row, fault(CollectorUnknown, Remark, column, shown(h.external)))
			continue
		}
		h.collect = append(h.collect, collector{role: c.role, row: c.row})
	}
	return nil
}

// settleHouse checks a household with its members, and finds its head.
func (r *run) settleHouse(h *house) error {
	if h.refused {
		return nil
	}
	if err := r.onRecord(h); err != nil {
		return err
	}
	if h.table < 0 && !h.found {
		return nil
	}
	var heads []ref
	for _, m := range h.members {
		if r.state(m).head {
			heads = append(heads, m)
		}
	}
	if len(heads) == 1 {
		h.headAt = &heads[0]
	}
	slices.SortFunc(h.collect, func(a, b collector) int {
		return bytes.Compare(r.sortKey(a), r.sortKey(b))
	})
	var old registry.Household
	var rec registry.Record
	if h.found {
		var err error
		if rec, err = r.view.Record(h.id); err != nil {
			return fmt.Errorf("intake: household on record: %w", err)
		}
		if old, err = rec.HouseholdRecord(); err != nil {
			return err
		}
		if h.size == 0 {
			h.size = old.Size
		}
	}
	if h.table >= 0 {
		members, err := r.membersOf(h)
		if err != nil {
			return err
		}
		r.checkHouse(h, &old, members)
	}
	if !h.found {
		return nil
	}
	// Whoever becomes head or collector says something new, although her own record stays.
	touch := func(at ref) {
		if s := r.state(at); s.outcome == duplicate {
			s.outcome = updated
		}
	}
	if h.headAt != nil {
		if s := r.state(*h.headAt); r.leads(&old) && (s.id.IsZero() || old.Head != s.id.String()) {
			touch(*h.headAt)
		}
	}
	for _, c := range h.collect {
		if c.row.table < 0 {
			continue
		}
		s := r.state(c.row)
		if s.id.IsZero() || !slices.ContainsFunc(old.Collectors, func(o registry.Collector) bool {
			return o.Person == s.id.String() && o.Role == c.role
		}) {
			touch(c.row)
		}
	}
	if h.table >= 0 && !r.keeps() {
		if !sameIssues(old.Issues, h.issues) {
			touch(ref{int32(h.table), int32(h.carrier)})
		}
	}
	return nil
}

// leads reports whether a list may say who is head of a household on record: a desk
// that named another one knows better.
func (r *run) leads(old *registry.Household) bool { return old.Head == "" || r.opt.TakeChanges }

func (r *run) sortKey(c collector) []byte {
	k := []byte(c.role)
	if c.row.table >= 0 {
		s := r.state(c.row)
		return append(append([]byte("0"), s.key[:]...), k...)
	}
	return append(append([]byte("1"), c.external...), k...)
}

// membersOf sketches the members of a household: those of the file, and those on
// record that the file does not mention.
func (r *run) membersOf(h *house) ([]registry.Member, error) {
	var list []registry.Member
	there := map[registry.ID]bool{}
	for _, at := range h.members {
		s := r.state(at)
		m := registry.Member{ID: s.stand()}
		m.Relation, m.Sex = s.member.relation, s.member.sex
		if s.member.birth != "" {
			m.Birth = &registry.Birth{EDTF: s.member.birth, Estimated: s.member.estimated}
		}
		list = append(list, m)
		if !s.id.IsZero() {
			there[s.id] = true
		}
	}
	if !h.found {
		return list, nil
	}
	ids, err := r.view.Members(h.id)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if there[id] {
			continue
		}
		rec, err := r.view.Record(id)
		if err != nil {
			return nil, err
		}
		p, err := rec.Person()
		if err != nil {
			return nil, err
		}
		list = append(list, registry.Member{ID: id, Person: p})
	}
	return list, nil
}

// stand is the id of a row's person, or one that stands for it until she has hers.
func (s *state) stand() registry.ID {
	if s.id.IsZero() {
		return registry.ID(s.key)
	}
	return s.id
}

// checkHouse adds what does not fit together to the household's row and record.
func (r *run) checkHouse(h *house, old *registry.Household, members []registry.Member) {
	l := r.tables[h.table].lens
	as := registry.Household{Size: h.size}
	for _, c := range h.collect {
		if c.row.table >= 0 {
			as.Collectors = append(as.Collectors, registry.Collector{Person: r.state(c.row).stand().String(), Role: c.role})
		}
	}
	for _, c := range old.Collectors { // a list adds to them
		there := func(o registry.Collector) bool { return o.Person == c.Person && o.External == c.External }
		if c.Revoked == "" && !slices.ContainsFunc(as.Collectors, there) {
			as.Collectors = append(as.Collectors, c)
		}
	}
	related := slices.ContainsFunc(r.tables, func(t *tableRun) bool { return t.plan.Role == HeadRows || t.plan.has(Relation) || t.plan.has(Head) })
	// What this list cannot tell stays as it is: one that names the heads alone does
	// not say that members are missing.
	silent := func(code string) bool {
		return code == registry.HouseholdNoHead && !related || code == registry.HouseholdMembers && l.plan.Role == HeadRows
	}
	for _, i := range old.Issues {
		if silent(i.Code) {
			h.issues = append(h.issues, i)
		}
	}
	for _, i := range registry.Check(as, members, r.opt.day()) {
		if i.Code == registry.HouseholdSize || silent(i.Code) {
			continue
		}
		column := ""
		if i.Field == "size" {
			column = l.by[Size]
		}
		h.issues = append(h.issues, i)
		r.later(ref{int32(h.table), int32(h.carrier)}, asFinding(i, Flag, column, ""))
	}
}

// rowIssues are those of a household that its own row gave, and not the checks with
// its members, which are made anew.
func rowIssues(list []registry.Issue) []registry.Issue {
	return slices.DeleteFunc(slices.Clone(list), func(i registry.Issue) bool {
		return strings.HasPrefix(i.Code, "household_") && i.Code != registry.HouseholdSize && i.Code != registry.HouseholdBands
	})
}

// sameIssues compares what is stored, in any order.
func sameIssues(a, b []registry.Issue) bool {
	in := func(list []registry.Issue) func(registry.Issue) bool {
		return func(i registry.Issue) bool { return !slices.Contains(list, i) }
	}
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

func (r *run) settlePhones() {
	for _, p := range r.phones {
		if len(p.houses) <= sharing {
			continue
		}
		for _, at := range p.rows {
			if r.state(at).live() {
				r.later(at, fault(PhoneShared, Remark, r.tables[at.table].lens.by[Phone], ""))
			}
		}
	}
}

// settlePairs keeps the possible doubles of rows that are stored.
func (r *run) settlePairs() {
	kept := r.pairs[:0]
	for _, p := range r.pairs {
		if !r.state(p.row).live() || p.other.table >= 0 && !r.state(p.other).live() {
			continue
		}
		kept = append(kept, p)
		t := r.tables[p.row.table]
		d := PossibleDouble{Table: t.plan.Name, Row: int(r.state(p.row).row), Why: p.why}
		if p.other.table >= 0 {
			d.OtherRow = int(r.state(p.other).row)
		} else {
			d.Record = p.record.String()
		}
		r.report.Doubles = append(r.report.Doubles, d)
	}
	r.pairs = kept
}
