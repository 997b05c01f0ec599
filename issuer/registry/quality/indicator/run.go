package indicator

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// A subject is a person who is measured.
type subject struct {
	id     registry.ID
	record registry.Record
	registry.Person
	house *house         // nil: none
	row   int32          // her place in run.rows
	met   []registry.Met // of her own record; see subject.lastMet

	known *quality.Factor
}

func (s *subject) home() *registry.Household {
	if s.house == nil {
		return nil
	}
	return &s.house.Household
}

// A house is a household that is measured, with its active members.
type house struct {
	id     registry.ID
	record registry.Record
	registry.Household
	people []*subject
	row    int32
	met    []registry.Met
	issues []registry.Issue // of registry.Check

	known *quality.Factor
}

// A watch looks at what streams by. The register is streamed once for all of them.
type watch struct {
	person func(*subject)
	house  func(*house)
	end    func() error
	// na is asked at the end for the code of why nothing could be measured; empty: something was.
	na func() string
}

// A row is where a record is counted. Rows are kept for the second looks: 56 bytes each.
type row struct {
	id   registry.ID
	cuts [nCuts]uint32 // dense numbers of its values
}

type cutValue struct {
	cut   Cut
	value string
}

// A run is one measuring.
type run struct {
	ctx   context.Context
	view  registry.View
	opt   Options
	at    time.Time
	today string
	rows  []row
	byID  map[registry.ID]int32 // of active persons and households
	other map[registry.ID]bool  // that are not active
	dense map[cutValue]uint32
	cells []cutValue // by dense number
	pairs []Pair
	seed  maphash.Seed
}

// nowhere is the row of what belongs to no record that is known.
const nowhere = 0

// A counter counts for one indicator.
type counter struct {
	run    *run
	def    *Definition
	slots  map[string]*[]Count // by dense number
	note   func(Defect) error  // nil: only counted
	in     *cutValue           // of the list; nil: everywhere
	failed error
}

// add counts in a slot.
func (c *counter) add(slot string, at int32, n Count) {
	s := c.slots[slot]
	if s == nil {
		s = &[]Count{}
		c.slots[slot] = s
	}
	if grow := len(c.run.cells) - len(*s); grow > 0 {
		*s = append(*s, make([]Count, grow)...)
	}
	for _, cell := range c.run.rows[at].cuts {
		p := &(*s)[cell]
		*p = p.plus(n)
	}
}

// right and wrong count one that was looked at.
func (c *counter) right(at int32)           { c.add("", at, Count{Of: 1}) }
func (c *counter) wrong(at int32, d Defect) { c.miss("", at, Count{Of: 1, Bad: 1}, d) }

// look counts one as wrong where a code says so.
func (c *counter) look(at int32, d Defect) {
	if d.Code == "" {
		c.right(at)
	} else {
		c.wrong(at, d)
	}
}

// miss counts in a slot and lists.
func (c *counter) miss(slot string, at int32, n Count, d Defect) {
	c.add(slot, at, n)
	if c.note == nil || c.failed != nil {
		return
	}
	r := &c.run.rows[at]
	if c.in != nil && !slices.ContainsFunc(r.cuts[:], func(n uint32) bool { return c.run.cells[n] == *c.in }) {
		return
	}
	if d.Record.IsZero() {
		d.Record = r.id
	}
	d.Indicator, d.slot = c.def.ID, slot
	c.failed = c.note(d)
}

// A Defect is one entry of an indicator's list. It holds no value of a record.
type Defect struct {
	Indicator string      `json:"indicator"`
	Record    registry.ID `json:"-"`               // of the person or household; zero: of none that is known
	Field     string      `json:"field,omitempty"` // where it is mended
	Code      string      `json:"code"`
	// Extra is what else helps: other records, a clerk, a round; ids and codes alone.
	Extra string `json:"extra,omitempty"`

	slot   string
	order  int64                     // the least first
	hidden func(account string) bool // whom it is not told; nil: nobody
}

// A Report is the 31 indicators at a time.
type Report struct {
	At         time.Time
	Policy     quality.Policy
	Indicators []Measured // in the order of Definitions
}

// Measured is one indicator: its tallies by cut and value.
type Measured struct {
	Definition *Definition              `json:"-"`
	ID         string                   `json:"id"`
	Mark       string                   `json:"mark"`         // of the definition: see Definition.Mark
	NA         string                   `json:"na,omitempty"` // code of why it is not measured here
	Cells      map[Cut]map[string]Tally `json:"cells"`
}

// In returns the tally of a cell.
func (m *Measured) In(c Cut, value string) Tally { return m.Cells[c][value] }

// Of is the report of one value of a cut alone, as if it were the whole.
func (r *Report) Of(c Cut, value string) *Report {
	out := &Report{At: r.At, Policy: r.Policy}
	for _, m := range r.Indicators {
		cells := map[Cut]map[string]Tally{}
		if t, ok := m.Cells[c][value]; ok {
			cells[All] = map[string]Tally{"": t}
		}
		m.Cells = cells
		out.Indicators = append(out.Indicators, m)
	}
	return out
}

// Measure measures all of them in one pass over the register.
func Measure(ctx context.Context, view registry.View, opt Options) (*Report, error) {
	return measure(ctx, view, opt, nil)
}

// List returns the defects of one indicator, as many as its figure counts, those that weigh
// most first; of one value of a cut, or of All.
func List(ctx context.Context, view registry.View, opt Options, id string, cut Cut, value string) ([]Defect, Measured, error) {
	var found []Defect
	value = opt.Places.valueOf(cut, value)
	list := &listing{id: id, note: func(d Defect) error { found = append(found, d); return nil }}
	if cut != All {
		list.in = &cutValue{cut, value}
	}
	report, err := measure(ctx, view, opt, list)
	if err != nil {
		return nil, Measured{}, err
	}
	if len(report.Indicators) == 0 {
		return nil, Measured{}, fmt.Errorf("indicator: no indicator %q; there are DQ-01 to DQ-31", id)
	}
	m := report.Indicators[0]
	if m.NA != "" {
		found = nil
	}
	slot := ""
	if id == worstField {
		slot = worstSlot(m.In(cut, value))
	}
	found = slices.DeleteFunc(found, func(d Defect) bool { return d.slot != slot })
	slices.SortStableFunc(found, func(a, b Defect) int {
		return cmp.Or(cmp.Compare(a.order, b.order), slices.Compare(a.Record[:], b.Record[:]), strings.Compare(a.Field, b.Field), strings.Compare(a.Extra, b.Extra))
	})
	return found, m, nil
}

type listing struct {
	id   string
	note func(Defect) error
	in   *cutValue
}

func measure(ctx context.Context, view registry.View, opt Options, list *listing) (*Report, error) {
	r := &run{ctx: ctx, view: view, opt: opt, at: opt.At, today: opt.At.UTC().Format(time.DateOnly), seed: maphash.MakeSeed(),
		byID: map[registry.ID]int32{}, other: map[registry.ID]bool{}, dense: map[cutValue]uint32{}}
	r.rows = append(r.rows, r.place(registry.ID{}, registry.Record{}, nil, ""))
	if err := r.readPairs(); err != nil {
		return nil, fmt.Errorf("indicator: %w", err)
	}
	report := &Report{At: opt.At, Policy: opt.Policy}
	defs := Definitions(opt.Policy)
	var counters []*counter
	var watches []watch
	for i := range defs {
		d := &defs[i]
		if list != nil && d.ID != list.id {
			continue
		}
		m := Measured{Definition: d, ID: d.ID, Mark: d.Mark(opt.Policy), Cells: map[Cut]map[string]Tally{}}
		if d.ID == "DQ-10" && opt.Places != nil { // another list is another measure
			m.Mark += "-" + opt.Places.version()
		}
		c := &counter{run: r, def: d, slots: map[string]*[]Count{}}
		if list != nil {
			c.note, c.in = list.note, list.in
		}
		w := watch{}
		if d.needs != nil {
			m.NA = d.needs(&r.opt)
		}
		if m.NA == "" {
			w = d.watch(r, c)
		}
		report.Indicators, counters, watches = append(report.Indicators, m), append(counters, c), append(watches, w)
	}
	err := r.stream(ctx, func(h *house, people []*subject) error {
		if err := r.meet(h, people); err != nil {
			return err
		}
		for _, w := range watches {
			if w.person != nil {
				for _, s := range people {
					if quality.Active(s.Status) {
						w.person(s)
					}
				}
			}
			if w.house != nil && h != nil && quality.Active(h.Status) {
				w.house(h)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("indicator: %w", err)
	}
	for i, w := range watches {
		if w.end != nil {
			if err := w.end(); err != nil {
				return nil, fmt.Errorf("indicator: %s: %w", defs[i].ID, err)
			}
		}
		if err := counters[i].failed; err != nil {
			return nil, err
		}
		if w.na != nil {
			if report.Indicators[i].NA = w.na(); report.Indicators[i].NA != "" {
				continue
			}
		}
		counters[i].fill(&report.Indicators[i])
	}
	return report, nil
}

// meet gives a household and its people their rows.
func (r *run) meet(h *house, people []*subject) (err error) {
	var all []registry.Met // of the household and its people
	for _, s := range people {
		if s.met, err = s.record.Mets(); err != nil {
			return err
		}
		all = append(all, s.met...)
	}
	if h != nil {
		if h.met, err = h.record.Mets(); err != nil {
			return err
		}
		for _, s := range people {
			if quality.Active(s.Status) {
				h.people = append(h.people, s)
			}
		}
		if quality.Active(h.Status) {
			h.row = r.enter(h.id, h.record, h.Location, session(all, h.met))
			members := make([]registry.Member, len(h.people))
			for i, s := range h.people {
				members[i] = registry.Member{ID: s.id, Person: s.Person}
			}
			h.issues = registry.Check(h.Household, members, r.at)
		} else {
			r.other[h.id] = true
		}
	}
	for _, s := range people {
		if !quality.Active(s.Status) {
			r.other[s.id] = true
			continue
		}
		at, home := s.Location, []registry.Met(nil)
		if h != nil {
			home = h.met
			if at == nil || *at == (registry.Location{}) {
				at = h.Location
			}
		}
		s.row = r.enter(s.id, s.record, at, session(s.met, home))
	}
	return nil
}

// session is the exercise in which somebody was last seen; empty: in none.
func session(lists ...[]registry.Met) (code string) {
	var last time.Time
	for _, list := range lists {
		for _, m := range list {
			if m.Exercise != "" && !m.At.Before(last) {
				code, last = m.Exercise, m.At
			}
		}
	}
	return code
}

// lastMet is when a person, or her household, was last met; false: none is on record.
func (s *subject) lastMet() (last time.Time, ok bool) {
	last, ok = latest(s.met)
	if s.house == nil {
		return last, ok
	}
	if at, met := latest(s.house.met); met && at.After(last) {
		return at, true
	}
	return last, ok
}

func latest(list []registry.Met) (last time.Time, ok bool) {
	for _, m := range list {
		if m.At.After(last) {
			last, ok = m.At, true
		}
	}
	return last, ok
}

func (r *run) enter(id registry.ID, rec registry.Record, at *registry.Location, session string) int32 {
	if have, ok := r.byID[id]; ok {
		return have
	}
	n := int32(len(r.rows))
	r.rows = append(r.rows, r.place(id, rec, at, session))
	r.byID[id] = n
	return n
}

// place finds the cells of a record.
func (r *run) place(id registry.ID, rec registry.Record, at *registry.Location, session string) row {
	out := row{id: id}
	var adm [3]string
	site, month := "", ""
	if at != nil {
		adm, site = r.opt.Places.areas(at.PCode), strings.TrimSpace(at.Site)
	}
	if !rec.CreatedAt.IsZero() {
		month = rec.CreatedAt.UTC().Format("2006-01")
	}
	for i, v := range []string{"", adm[0], adm[1], adm[2], site, rec.EnteredBy(), session, rec.Source, month} {
		key := cutValue{cuts[i], v}
		n, ok := r.dense[key]
		if !ok {
			n = uint32(len(r.cells))
			r.dense[key] = n
			r.cells = append(r.cells, key)
		}
		out.cuts[i] = n
	}
	return out
}

// rowOf is where something about a unit is counted; false where the record is on file and
// not active: nothing is asked of it.
func (r *run) rowOf(unit registry.ID) (int32, bool) {
	if n, ok := r.byID[unit]; ok {
		return n, true
	}
	return nowhere, !r.other[unit]
}

// fill makes the cells that were counted in.
func (c *counter) fill(m *Measured) {
	for slot, counts := range c.slots {
		for n, count := range *counts {
			if count == (Count{}) {
				continue
			}
			at := c.run.cells[n]
			if m.Cells[at.cut] == nil {
				m.Cells[at.cut] = map[string]Tally{}
			}
			if m.Cells[at.cut][at.value] == nil {
				m.Cells[at.cut][at.value] = Tally{}
			}
			m.Cells[at.cut][at.value][slot] = count
		}
	}
}

// readPairs reads the possible doubles: of the time, or as they are. A pair that stands by
// several reasons is one: open while one of them is, since the first.
func (r *run) readPairs() error {
	var all []registry.Double
	var err error
	if r.opt.Beside.Pairs != nil {
		err = r.opt.Beside.Pairs(func(p Pair) error {
			all = append(all, registry.Double{A: p.A, B: p.B, FoundAt: p.Found, Decided: p.Decided})
			return nil
		})
	} else {
		all, err = r.view.Doubles(true)
	}
	for _, p := range registry.Pairs(all) {
		r.pairs = append(r.pairs, Pair{A: p.A, B: p.B, Found: p.FoundAt, Decided: p.Decided})
	}
	return err
}

// hash is of a text, for finding equal ones; empty texts are never equal.
func (r *run) hash(parts ...string) uint64 {
	return maphash.String(r.seed, strings.Join(parts, "\x00"))
}

// dues are the entitlements: of the time, or as they are.
func (r *run) dues(yield func(registry.Entitlement) error) error {
	if r.opt.Beside.Dues != nil {
		return r.opt.Beside.Dues(yield)
	}
	all, err := r.view.Programmes()
	if err != nil {
		return err
	}
	for _, p := range all {
		for _, round := range p.Rounds {
			if err := r.view.Entitlements(p.Code, round.N, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

// A same is something that was seen in a row, by its hash.
type same struct {
	hash uint64
	row  int32
	home int32 // the household's row, or her own
	nth  int32 // of its field
}

// alike calls each with every group of equal things.
func alike(list []same, each func([]same)) {
	slices.SortFunc(list, func(a, b same) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row), cmp.Compare(a.nth, b.nth))
	})
	for i := 0; i < len(list); {
		n := i + 1
		for n < len(list) && list[n].hash == list[i].hash {
			n++
		}
		each(list[i:n])
		i = n
	}
}
