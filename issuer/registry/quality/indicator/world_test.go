package indicator_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/issuer/registry/registrytest"
)

var at = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// A world is a register in which nothing is wrong until something is planted.
type world struct {
	t      testing.TB
	store  registrytest.Store
	now    time.Time
	policy quality.Policy
	houses []home
	undo   []func()

	dues      []registry.Entitlement
	cards     []indicator.Card
	delivered []indicator.Delivery
	presented []indicator.Presentation
	asked     []indicator.Request
	rechecked []indicator.Recheck
	entered   int
}

type home struct {
	id     registry.ID
	people []registry.ID // head, spouse, child
}

const (
	homes  = 60
	clerks = 6
)

func newWorld(t testing.TB) *world {
	w := &world{t: t, policy: quality.Default()}
	w.policy.Measured.Photo = true
	w.store.Now = func() time.Time { return w.now }
	for i := range homes {
		w.houses = append(w.houses, w.home(i, fmt.Sprintf("clerk-%d", i%clerks), 3*time.Minute))
	}
	w.now = at.Add(-time.Hour)
	for i, h := range w.houses {
		w.dues = append(w.dues, registry.Entitlement{ID: fmt.Sprint(i), Unit: h.id, Programme: "K7Q2", Round: 1, Status: registry.Planned, Mechanism: "Voucher"})
		w.cards = append(w.cards, indicator.Card{ID: fmt.Sprintf("card-%d", i), Unit: h.id, Type: "eligibility", Programme: "K7Q2", Form: "cwt", Reference: fmt.Sprint(i),
			First: 1, Last: 1, Issued: at.AddDate(0, 0, -10), Ends: at.AddDate(0, 3, 0), Good: true})
		w.delivered = append(w.delivered, indicator.Delivery{ID: fmt.Sprint(i), Unit: h.id, Programme: "K7Q2", Round: 1, Currency: "KES", Due: 1000})
		w.presented = append(w.presented, indicator.Presentation{ID: fmt.Sprint(i), Unit: h.id})
		w.asked = append(w.asked, indicator.Request{ID: fmt.Sprint(i), Unit: h.id})
		w.rechecked = append(w.rechecked, indicator.Recheck{ID: fmt.Sprint(i), Unit: h.id}, indicator.Recheck{ID: fmt.Sprint("again ", i), Unit: h.id})
		w.met(h.people[0], long, 20)
	}
	w.undo = nil // of what is as it should be
	return w
}

var (
	firsts = []string{"Amina", "Khadija", "Hodan", "Safiya", "Zahra", "Omar", "Yusuf", "Ibrahim", "Farah", "Idris", "Bashir", "Leyla", "Nasra", "Salim", "Tahir", "Wali"}
	lasts  = []string{"Warsame", "Guled", "Abdi", "Nur", "Hersi", "Jama", "Roble", "Samatar", "Dualeh", "Egal", "Bihi", "Duale", "Gedi", "Kahin", "Liban", "Magan"}
)

// home enters a household of three, one person every gap.
func (w *world) home(i int, clerk string, gap time.Duration) home {
	created := func() {
		w.now = at.AddDate(0, 0, -20).Add(time.Duration(w.entered) * gap)
		w.entered++
	}
	day := at.AddDate(0, 0, -21).Format(time.DateOnly)
	h := home{}
	for k := range 3 {
		n := 3*i + k
		p := registry.Person{Names: []registry.Name{{Text: firsts[n%16] + " " + lasts[n/16%16]}}, Sex: []string{"m", "f", "f"}[k],
			Birth:  &registry.Birth{EDTF: []string{"1980", "1984", "2012"}[k] + fmt.Sprintf("-%02d-%02d", 2+n%5, 2+n%27), Precision: registry.PrecisionDay},
			Origin: "SOM", Relation: []string{registry.Head, registry.Spouse, registry.Child}[k], Languages: []string{"som"}, Assurance: "document",
			Documents: []registry.Document{{Type: "national_id", Country: "KEN", Number: fmt.Sprint(20_000_000 + n)}},
			Contacts:  []registry.Contact{{Kind: "phone", Value: fmt.Sprintf("+254712%06d", n)}}, Photo: fmt.Append(nil, "photo ", n)}
		created()
		h.people = append(h.people, w.save(registry.Change{Kind: registry.KindPerson}, must(p.Fields()), clerk))
	}
	house := registry.Household{Size: 3, Bands: map[string]int{"m_18_59": 1, "f_18_59": 1, "f_12_17": 1}, Head: h.people[0].String(), FocalPoint: h.people[1].String(),
		Location: &registry.Location{PCode: []string{"SO1101", "SO1102", "SO1201"}[i%3], Site: []string{"well", "school"}[i%2], Country: "KEN"}, CollectType: "full",
		Collectors: []registry.Collector{{Person: h.people[0].String(), Role: registry.Primary, From: day}}, Residence: "REFUGEE", Origin: "SOM",
		Contacts: []registry.Contact{{Kind: "phone", Value: fmt.Sprintf("+254713%06d", i)}}, Registered: day,
		Consents: []registry.Consent{{Purpose: "registration", Given: true, On: day, How: "thumb"}}}
	h.id = w.save(registry.Change{Kind: registry.KindHousehold}, must(house.Fields()), clerk)
	for _, id := range h.people {
		w.save(registry.Change{ID: id, Household: h.id}, nil, clerk)
	}
	return h
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) save(c registry.Change, fields map[string][]byte, by string) (id registry.ID) {
	w.t.Helper()
	c.Fields = fields
	err := w.store.Update(context.Background(), access.Actor{ID: by, Role: access.Registrar}, func(tx registry.Tx) error {
		s, err := tx.Save(c)
		id = s.ID
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) read(id registry.ID) (rec registry.Record) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(v registry.View) (err error) { rec, err = v.Record(id); return err })
	if err != nil {
		w.t.Fatal(err)
	}
	return rec
}

// set writes fields, removes those that are gone, and remembers how to take it back.
func (w *world) set(id registry.ID, fields map[string][]byte) {
	rec := w.read(id)
	old := map[string][]byte{}
	for name, v := range rec.Fields {
		old[name] = v.Data
		if _, stays := fields[name]; !stays && name != registry.MetField {
			fields[name] = nil
		}
	}
	for name := range fields {
		if _, had := old[name]; !had {
			old[name] = nil
		}
	}
	w.save(registry.Change{ID: id}, fields, "mender")
	w.undo = append(w.undo, func() { w.save(registry.Change{ID: id}, old, "mender") })
}

func (w *world) person(id registry.ID, change func(*registry.Person)) registry.ID {
	p := must(w.read(id).Person())
	change(&p)
	w.set(id, must(p.Fields()))
	return id
}

func (w *world) house(id registry.ID, change func(*registry.Household)) registry.ID {
	h := must(w.read(id).HouseholdRecord())
	change(&h)
	w.set(id, must(h.Fields()))
	return id
}

// long is before anything that counts as of today.
var long = at.AddDate(-2, 0, 0)

// met keeps that somebody was met, on an offline list that came in hours later; 0: at a desk.
func (w *world) met(id registry.ID, when time.Time, hours int) {
	w.t.Helper()
	m := registry.Met{At: when, How: registry.InPerson, By: "mender", Desk: "north", Exercise: "VER-2026-03"}
	if hours > 0 {
		m.Known = when.Add(time.Duration(hours) * time.Hour)
	}
	write := func(act func(registry.Tx) error) {
		if err := w.store.Update(context.Background(), access.Actor{ID: "mender", Role: access.Registrar}, act); err != nil {
			w.t.Fatal(err)
		}
	}
	write(func(tx registry.Tx) error {
		_, err := registry.Meet(tx, at, id, m)
		return err
	})
	w.undo = append(w.undo, func() { write(func(tx registry.Tx) error { return registry.NotMet(tx, id, m) }) })
}

// mend takes back all that was planted.
func (w *world) mend() {
	for _, u := range slices.Backward(w.undo) {
		u()
	}
	w.undo = nil
}

var places = indicator.Places{"SO11": {}, "SO12": {}, "SO1101": {From: "2019-01-01"}, "SO1102": {To: "2026-11-20"}, "SO1201": {}, "SO1203": {From: "2020-01-01", To: "2026-11-19"}, "SO1204": {From: "2026-11-21"}}

func (w *world) options() indicator.Options {
	return indicator.Options{Policy: w.policy, At: at, Places: places, Beside: indicator.Beside{
		Dues: each(&w.dues), Cards: each(&w.cards), Delivered: each(&w.delivered), Presented: each(&w.presented), Asked: each(&w.asked),
		Rechecked: each(&w.rechecked),
	}}
}

func each[T any](list *[]T) func(func(T) error) error {
	return func(yield func(T) error) error {
		for _, v := range *list {
			if err := yield(v); err != nil {
				return err
			}
		}
		return nil
	}
}

func (w *world) measure() (r *indicator.Report) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(v registry.View) (err error) {
		r, err = indicator.Measure(context.Background(), v, w.options())
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) list(id string, cut indicator.Cut, value string) (found []indicator.Defect) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(v registry.View) (err error) {
		found, _, err = indicator.List(context.Background(), v, w.options(), id, cut, value)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// sorted are ids as texts.
func sorted(ids []registry.ID) (list []string) {
	for _, id := range ids {
		list = append(list, id.String())
	}
	slices.Sort(list)
	return list
}

func idsOf(list []indicator.Defect) (ids []registry.ID) {
	for _, d := range list {
		ids = append(ids, d.Record)
	}
	return ids
}

// values are those of a cut that were counted in.
func values(m *indicator.Measured, c indicator.Cut) []string {
	return slices.Sorted(maps.Keys(m.Cells[c]))
}
