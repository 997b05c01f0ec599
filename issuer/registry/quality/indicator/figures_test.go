package indicator_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/quality/indicator"
)

func TestAClerkWhoseWorkIsUnlikeOthersIsListed(t *testing.T) {
	w := newWorld(t)
	var want []registry.ID
	for i := range 12 { // 36 people, ten seconds each
		want = append(want, w.home(homes+i, "hasty", 10*time.Second).people...)
	}
	w.now = at.Add(-time.Hour)
	if got := idsOf(w.list("DQ-28", indicator.All, "")); !reflect.DeepEqual(sorted(got), sorted(want)) {
		t.Errorf("%d of %d listed", len(got), len(want))
	}
	if own := w.list("DQ-28", indicator.Clerk, "hasty"); len(own) != len(want) || !strings.Contains(own[0].Extra, "fast=") {
		t.Errorf("of the clerk: %d", len(own))
	}
	for _, id := range want { // they were not there
		w.person(id, func(p *registry.Person) {
			p.Status = &registry.Status{State: registry.StateClosed, Reason: "withdrawn"}
		})
	}
	if got := w.list("DQ-28", indicator.All, ""); len(got) != 0 {
		t.Errorf("closed, and %d are listed", len(got))
	}
}

// A figure of an area is made from the counts of its parts, and never from their figures.
func TestPartsAddUpToTheWhole(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		p := plants[random.IntN(len(plants))]
		k := random.IntN(homes / 2)
		p.plant(w, random.IntN(20), w.houses[k])
	}
	r := w.measure()
	uneven := 0
	for i := range r.Indicators {
		m := &r.Indicators[i]
		all := m.In(indicator.All, "")
		for _, cut := range indicator.Cuts()[1:] {
			sum, figures := indicator.Tally{}, 0.0
			for _, v := range values(m, cut) {
				sum = sum.Plus(m.In(cut, v))
				figures += m.Definition.Values(m.In(cut, v))[0].Value
			}
			if !reflect.DeepEqual(sum, all) {
				t.Errorf("%s by %q: %v is not %v", m.ID, cut, sum, all)
			}
			if n := len(values(m, cut)); n > 1 && figures/float64(n) != m.Definition.Values(all)[0].Value {
				uneven++
			}
		}
		for _, adm1 := range values(m, indicator.Adm1) { // a district is its places
			sum := indicator.Tally{}
			for _, v := range values(m, indicator.Adm2) {
				if strings.HasPrefix(v, adm1) && adm1 != "" || adm1 == v {
					sum = sum.Plus(m.In(indicator.Adm2, v))
				}
			}
			if !reflect.DeepEqual(sum, m.In(indicator.Adm1, adm1)) {
				t.Errorf("%s in %q: %v is not %v", m.ID, adm1, sum, m.In(indicator.Adm1, adm1))
			}
		}
	}
	if uneven < 20 {
		t.Errorf("a mean of means would have passed: %d", uneven)
	}
	for _, site := range []string{"well", "school"} { // lists are as long as their cell counts
		n := r.Indicators[0].Definition.Own(r.Indicators[0].In(indicator.Site, site)).Bad
		if got := w.list("DQ-01", indicator.Site, site); int64(len(got)) != n {
			t.Errorf("%s: %d listed, %d counted", site, len(got), n)
		}
	}
}

func TestNothingOfNothingIsNoFigure(t *testing.T) {
	w := newWorld(t)
	empty := &world{t: t, policy: quality.Default()}
	err := empty.store.View(context.Background(), func(v registry.View) error {
		r, err := indicator.Measure(context.Background(), v, indicator.Options{Policy: quality.Default(), At: at})
		if err != nil {
			return err
		}
		missing := 0
		for i := range r.Indicators {
			if m := &r.Indicators[i]; m.Definition.State(m.In(indicator.All, "")) != indicator.NA {
				t.Errorf("%s of nobody: %v", m.ID, m.Definition.Values(m.In(indicator.All, "")))
			} else if m.NA != "" {
				missing++
			}
		}
		if missing != 10 {
			t.Errorf("%d say why they are not measured", missing)
		}
		if s := r.Score(indicator.All, ""); s.Known {
			t.Errorf("score of nobody: %+v", s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := w.measure().Score(indicator.All, ""); !s.Known || s.Value < 98 || len(s.Dimensions) != 7 {
		t.Errorf("score: %+v", s)
	}
	w.rechecked = w.rechecked[:59]
	if r := w.measure(); r.Indicators[26].Definition.State(r.Indicators[26].In(indicator.All, "")) != indicator.NA {
		t.Error("59 of 60 that were seen again are enough")
	}
}

func TestThoseWhoAreNotActiveAreNotAsked(t *testing.T) {
	w := newWorld(t)
	gone := w.houses[0]
	for _, id := range gone.people {
		w.person(id, func(p *registry.Person) { p.Sex, p.Status = "", &registry.Status{State: registry.StateInactive} })
	}
	w.house(gone.id, func(h *registry.Household) {
		h.Contacts, h.Status = nil, &registry.Status{State: registry.StateInactive}
	})
	w.cards[0].Ends = at.AddDate(0, 0, 3)
	r := w.measure()
	for i := range r.Indicators {
		m := &r.Indicators[i]
		want := map[indicator.Population]int64{indicator.Persons: 3*homes - 3, indicator.Households: homes - 1}[m.Definition.Of]
		own := m.Definition.Own(m.In(indicator.All, ""))
		if own.Bad != 0 || want != 0 && own.Of != want && m.ID != "DQ-18" && m.ID != "DQ-24" {
			t.Errorf("%s: %+v", m.ID, own)
		}
	}
}

func TestPairsOfWhomPeopleSaidThatTheyAreTwoAreTwo(t *testing.T) {
	w := newWorld(t)
	pair := plants[slices.IndexFunc(plants, func(p planting) bool { return p.id == "DQ-15" })].plant(w, 0, w.houses[0])
	if got := w.list("DQ-15", indicator.All, ""); len(got) != 2 || got[0].Extra != got[1].Record.String() {
		t.Fatalf("%+v", got)
	}
	w.double(pair[1], pair[0], "different")
	if got := w.list("DQ-15", indicator.All, ""); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAgesThatAreHeapedAreSeen(t *testing.T) {
	w := newWorld(t)
	n := 0
	for _, h := range w.houses {
		for _, id := range h.people[:2] {
			w.person(id, func(p *registry.Person) { p.Birth.AgeDeclared = 23 + n%40; n++ })
		}
	}
	figure := func() indicator.Value {
		r := w.measure()
		m := r.Indicators[25]
		return m.Definition.Values(m.In(indicator.All, ""))[1]
	}
	if v := figure(); v.State != indicator.Green || v.Value != 100 {
		t.Errorf("ages alike: %+v", v)
	}
	for _, h := range w.houses[:20] {
		w.person(h.people[0], func(p *registry.Person) { p.Birth.AgeDeclared = 45 })
	}
	if v := figure(); v.State != indicator.Red || v.Value < 150 {
		t.Errorf("twenty of 45: %+v", v)
	}
}

func TestAnOpenPairGetsOld(t *testing.T) {
	w := newWorld(t)
	for i, days := range []int{3, 20, 20} {
		w.now = at.AddDate(0, 0, -days)
		w.double(w.houses[i].people[0], w.houses[i+10].people[0], "")
	}
	by := access.Actor{ID: "run", Role: access.Registrar} // the same pair by another reason, and put off: one pair, open since the first day
	must(0, w.store.Update(t.Context(), by, func(tx registry.Tx) error {
		a, b := w.houses[10].people[0], w.houses[0].people[0]
		return errors.Join(tx.SaveDouble(registry.Double{A: a, B: b, Why: registry.KeyMatch, Bits: 9}),
			tx.SaveDouble(registry.Double{A: a, B: b, Why: registry.KeyMatch, Until: at.AddDate(0, 0, 9), Reason: registry.Unsure}))
	}))
	m := w.measure().Indicators[15]
	if v := m.Definition.Values(m.In(indicator.All, ""))[1]; v.Value != 21 || v.State != indicator.Amber {
		t.Errorf("%+v", v)
	}
}

func TestThePolicyMovesThresholdsAndMarks(t *testing.T) {
	const text = `{"aidpass_required": 1, "person": ["name", "sex"], "household": ["size"], "threshold": 0.9, "provisional_days": 30,
		"indicators": {"thresholds": {"DQ-01": {"green": 70, "amber": 60}, "DQ-16 age": {"green": 40, "amber": 50}}, "weights": {"C": 3, "T": 0}}}`
	p, err := quality.ReadPolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	before := indicator.Definitions(quality.Default())
	for i, d := range indicator.Definitions(p) {
		if d.Mark(p) != before[i].Mark(quality.Default()) {
			changed++
		}
	}
	d, _ := indicator.Find(p, "dq-1")
	if d.Figures[0].Green != 70 || d.Figures[0].Amber != 60 || changed != 3 {
		t.Errorf("%+v, %d marks changed", d.Figures[0], changed)
	}
	if d, _ := indicator.Find(p, "16"); d.Figures[1].Green != 40 || d.Figures[0].Green != 1 {
		t.Errorf("%+v", d.Figures)
	}
	if _, ok := indicator.Find(p, "32"); ok || before[0].Figures[0].Green != 95 {
		t.Error("a 32nd, or the default moved")
	}
	for _, bad := range []string{`{"thresholds": {"DQ-32": {}}}`, `{"thresholds": {"DQ-1": {}}}`, `{"weights": {"X": 1}}`, `{"place_level": 5}`, `{"purposes": [""]}`, `{"half_lives": {"location": 0}}`, `{"tresholds": {}}`} {
		if _, err := quality.ReadPolicy([]byte(strings.Replace(text, text[strings.Index(text, `{"thresholds`):len(text)-1], bad, 1))); err == nil {
			t.Errorf("%s passes", bad)
		}
	}
}

func TestAreasOfCodes(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		code   string
		places indicator.Places
		want   [3]string
	}{
		{"AF1115", nil, [3]string{"AF11", "AF1115", ""}},
		{"so110203", nil, [3]string{"SO11", "SO1102", "SO110203"}},
		{"KE001", nil, [3]string{"KE001", "", ""}},
		{"SY0200401", nil, [3]string{"SY02", "SY0200", "SY0200401"}},
		{"camp 4", nil, [3]string{}},
		{"SO1102", places, [3]string{"SO11", "SO1102", ""}},
		{"so110203", places, [3]string{"SO11", "SO1102", "?SO110203"}}, // not in the list: a row of its own
		{"XX11", places, [3]string{"?XX11", "?XX11", "?XX11"}},
		{"row 4, behind the well", places, [3]string{}}, // no code at all
	} {
		id := w.houses[0].id
		w.house(id, func(h *registry.Household) { h.Location.PCode = c.code })
		opt := w.options()
		opt.Places = c.places
		err := w.store.View(context.Background(), func(v registry.View) error {
			found, m, err := indicator.List(context.Background(), v, opt, "DQ-05", indicator.All, "")
			for i, cut := range []indicator.Cut{indicator.Adm1, indicator.Adm2, indicator.Adm3} {
				if m.In(cut, c.want[i])[""].Of < 1 {
					t.Errorf("%s: nothing in %s %q, but %v", c.code, cut, c.want[i], values(&m, cut))
				}
			}
			if len(found) != 0 {
				t.Error(found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A code that the list does not have is an area of its own: nobody there is lost, and the
// values of the cut still add up.
func TestAnUnknownCodeIsItsOwnRow(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.house(w.houses[i].id, func(h *registry.Household) { h.Location.PCode = "xx123 " })
	}
	m := w.measure().Indicators[4] // DQ-05, of households
	if got := m.In(indicator.Adm1, "?XX123")[""].Of; got != 3 {
		t.Errorf("%d households at XX123, of 3; %v", got, values(&m, indicator.Adm1))
	}
	for _, value := range []string{"XX123", "?XX123"} { // as people write it, and as it is counted
		if found := w.list("DQ-10", indicator.Adm2, value); len(found) != 3 || found[0].Extra != "XX123" {
			t.Errorf("%s: %v", value, found)
		}
	}
	if code, listed := indicator.Area(indicator.Adm1, "?XX123"); code != "XX123" || listed {
		t.Errorf("%s, %v", code, listed)
	}
	if site, listed := indicator.Area(indicator.Site, "?XX123"); site != "?XX123" || !listed {
		t.Errorf("a site is no area: %s, %v", site, listed)
	}
}

func TestCheckDigits(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ kind, country, number, want string }{
		{"national_id", "TUR", "10000000146", ""}, {"national_id", "TUR", "10000000147", "document_check_digit"}, {"national_id", "TUR", "1000000014", "document_pattern"},
		{"national_id", "ZAF", "8001015009087", ""}, {"national_id", "ZAF", "8001015009088", "document_check_digit"},
		{"national_id", "IRN", "0084575948", ""}, {"national_id", "IRN", "84575948", ""}, {"national_id", "IRN", "0084575949", "document_check_digit"},
		{"tax", "UKR", "1759013776", ""}, {"tax", "UKR", "1759013777", "document_check_digit"},
		{"passport", "", "K 12-345 67", ""}, {"passport", "", "1234", "document_pattern"}, {"health_card", "XYZ", "any 77", ""}, {"other", "", "12", "document_pattern"},
	} {
		w.person(w.houses[0].people[0], func(p *registry.Person) {
			p.Documents = []registry.Document{{Type: c.kind, Country: c.country, Number: c.number}}
		})
		code := ""
		for _, d := range w.list("DQ-13", indicator.All, "") {
			code += d.Code
		}
		if code != c.want {
			t.Errorf("%v: %q", c, code)
		}
	}
}

func TestEveryDefinitionIsWhole(t *testing.T) {
	for i, d := range indicator.Definitions(quality.Default()) {
		if d.ID != fmt.Sprintf("DQ-%02d", i+1) || d.Version < 1 || !strings.Contains(quality.Dimensions, d.Dimension) || len(d.Figures) == 0 || len(d.Codes) == 0 || d.Of == "" {
			t.Errorf("%+v", d)
		}
		if i := slices.IndexFunc(plants, func(p planting) bool { return p.id == d.ID }); i < 0 && d.ID != "DQ-28" {
			t.Errorf("nobody plants %s", d.ID)
		}
	}
}

func TestACodeThatIsTooShallowIsListedWhereThePolicyWantsIt(t *testing.T) {
	w := newWorld(t)
	id := w.house(w.houses[3].id, func(h *registry.Household) { h.Location.PCode = "SO11" })
	if got := w.list("DQ-10", indicator.All, ""); len(got) != 0 {
		t.Errorf("any level does: %+v", got)
	}
	w.policy.Measured.PlaceLevel = 2
	if got := w.list("DQ-10", indicator.All, ""); len(got) != 1 || got[0].Record != id || got[0].Code != indicator.CodeShallow {
		t.Errorf("%+v", got)
	}
}

func TestAFieldIsOldAfterItsHalfLifeAndNotBefore(t *testing.T) {
	w := newWorld(t)
	for i, days := range []int{175, 190} { // six months are 181 to 184 days
		w.house(w.houses[i].id, func(h *registry.Household) { h.Registered = at.AddDate(0, 0, -days).Format(time.DateOnly) })
	}
	if got := w.list("DQ-23", indicator.All, ""); !reflect.DeepEqual(sorted(idsOf(got)), sorted([]registry.ID{w.houses[1].id, w.houses[1].id})) {
		t.Errorf("%+v", got)
	}
	w.met(w.houses[1].id, at.AddDate(0, -1, 0), 0) // somebody spoke with them
	if got := w.list("DQ-23", indicator.All, ""); len(got) != 0 {
		t.Errorf("confirmed: %+v", got)
	}
}

func TestACardThatIsOverIsNoSecondCard(t *testing.T) {
	w := newWorld(t)
	second := w.cards[0]
	second.ID, second.Good = "over", false
	w.cards = append(w.cards, second)
	if got := w.list("DQ-18", indicator.All, ""); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	second = w.cards[0]
	second.ID, second.First, second.Last = "next round", 2, 3
	w.cards = append(w.cards, second)
	if got := w.list("DQ-18", indicator.All, ""); len(got) != 0 {
		t.Errorf("of another round: %+v", got)
	}
}

// Figures by hand: the excess over chance, Wilson's bound, and the weights of the score.
func TestFiguresAreThoseOfTheFormulas(t *testing.T) {
	w := newWorld(t)
	for i := range 18 { // a tenth of 180 people
		w.person(w.houses[i].people[0], func(p *registry.Person) { p.Birth.EDTF = "1980-01-01" })
		w.rechecked[i].Wrong = "different"
	}
	r := w.measure()
	figure := func(i int) float64 {
		m := &r.Indicators[i-1]
		return m.Definition.Values(m.In(indicator.All, ""))[0].Value
	}
	if got := figure(26); got != 9.4521 { // 10 - 100*2/365
		t.Errorf("excess %v", got)
	}
	if got := figure(27); got < 77.53 || got > 77.54 { // 102 of 120, at 95 %
		t.Errorf("Wilson's bound %v", got)
	}
	w.policy.Measured.Weights = map[string]float64{"C": 0, "V": 0, "U": 0, "K": 0, "T": 0, "A": 3, "P": 1}
	s := w.measure().Score(indicator.All, "")
	if want := (3*s.Dimensions["A"] + s.Dimensions["P"]) / 4; s.Value-want > 1e-3 || want-s.Value > 1e-3 || s.Dimensions["A"] > 96 {
		t.Errorf("score %v, want %v", s, want)
	}
}
