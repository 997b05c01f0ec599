package indicator_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality/indicator"
)

type planting struct {
	id    string
	also  string // indicators that are touched too
	codes int    // codes that are planted
	plant func(w *world, i int, h home) []registry.ID
}

// plants make a known number of defects each: i counts them, h is a household of its own.
// They return the records that the list must name, each as often as it must.
var plants = []planting{
	{"DQ-01", "DQ-02 DQ-03", 1, func(w *world, i int, h home) []registry.ID {
		return one(w.person(h.people[0], func(p *registry.Person) { p.Sex = "" }))
	}},
	{"DQ-02", "DQ-01 DQ-03 DQ-14", 1, func(w *world, i int, h home) []registry.ID {
		return one(w.person(h.people[1], func(p *registry.Person) { p.Names = []registry.Name{{Text: "-"}} }))
	}},
	{"DQ-03", "DQ-01 DQ-02", 1, func(w *world, i int, h home) []registry.ID {
		if i == 0 { // of a field that is not the worst
			w.person(h.people[2], func(p *registry.Person) { p.Relation = "" })
			return nil
		}
		return one(w.person(h.people[0], func(p *registry.Person) { p.Sex = "" }))
	}},
	{"DQ-04", "", 1, func(w *world, i int, h home) []registry.ID {
		return one(w.person(h.people[i%3], func(p *registry.Person) { p.Photo = nil }))
	}},
	{"DQ-05", "", 2, func(w *world, i int, h home) []registry.ID {
		return one(w.house(h.id, func(k *registry.Household) { k.Size, k.Bands = 4*(i%2), nil }))
	}},
	{"DQ-06", "", 2, func(w *world, i int, h home) []registry.ID {
		if i%2 == 0 {
			return one(w.house(h.id, func(k *registry.Household) { k.Collectors[0].Revoked = "2026-11-01" }))
		}
		w.person(h.people[0], func(p *registry.Person) { p.Birth.EDTF = "2010-05-05" })
		for _, id := range h.people[1:] {
			w.person(id, func(p *registry.Person) { p.Relation = "sibling" })
		}
		return one(h.id)
	}},
	{"DQ-07", "DQ-01 DQ-02 DQ-03", 3, func(w *world, i int, h home) []registry.ID {
		w.house(h.id, func(k *registry.Household) {
			switch c := &k.Consents[0]; i % 3 {
			case 0:
				k.Consents = nil
			case 1:
				c.Expires = "2026-11-01"
			default:
				c.Given = false
			}
		})
		return h.people
	}},
	{"DQ-08", "", 1, func(w *world, i int, h home) []registry.ID {
		for _, id := range h.people {
			w.person(id, func(p *registry.Person) { p.Contacts = nil })
		}
		return one(w.house(h.id, func(k *registry.Household) { k.Contacts = []registry.Contact{{Kind: "email", Value: "a@example.org"}} }))
	}},
	{"DQ-09", "", 1, func(w *world, i int, h home) []registry.ID {
		switch i % 4 {
		case 0:
			return one(w.house(h.id, func(k *registry.Household) { k.Residence = "CAMP" }))
		case 1:
			return one(w.person(h.people[0], func(p *registry.Person) { p.Origin = "SOMALIA" }))
		case 2:
			return one(w.person(h.people[2], func(p *registry.Person) { p.Languages = []string{"Somali language"} }))
		}
		k := slices.IndexFunc(w.dues, func(e registry.Entitlement) bool { return e.Unit == h.id })
		w.dues[k].Mechanism = "By hand"
		w.undo = append(w.undo, func() { w.dues[k].Mechanism = "Voucher" })
		return one(h.id)
	}},
	{"DQ-10", "", 2, func(w *world, i int, h home) []registry.ID {
		return one(w.house(h.id, func(k *registry.Household) { k.Location.PCode = []string{"SO9901", "SO1203", "SO1204"}[i%3] }))
	}},
	{"DQ-11", "DQ-22 DQ-23", 4, func(w *world, i int, h home) []registry.ID {
		return one(w.person(h.people[2], func(p *registry.Person) {
			switch i % 4 {
			case 0:
				p.Registered = "2027-02-01"
			case 1:
				p.Documents[0].Expires = "2026-13-40"
			case 2:
				p.Registered = "2011-05-05"
			default:
				p.Documents[0].Expires = "1862-01-01"
			}
		}))
	}},
	{"DQ-12", "", 2, func(w *world, i int, h home) []registry.ID {
		return one(w.person(h.people[1], func(p *registry.Person) {
			if p.Contacts[0].Value = "0712"; i > 0 { // one number for over five households
				p.Contacts[0].Value = "+254712999999"
			}
		}))
	}},
	{"DQ-13", "", 2, func(w *world, i int, h home) []registry.ID {
		return one(w.person(h.people[0], func(p *registry.Person) {
			if p.Documents[0].Number = fmt.Sprint(1_000_000_000 + i); i%2 == 1 {
				p.Documents[0].Country, p.Documents[0].Number = "TUR", fmt.Sprint(10_000_000_000+i)
			}
		}))
	}},
	{"DQ-14", "", 3, func(w *world, i int, h home) []registry.ID {
		return one(w.person(h.people[0], func(p *registry.Person) {
			p.Names = append(p.Names, []registry.Name{{Text: "Ali 47"}, {Text: "Омar Guled"}, {Text: "Ali Ali", Parts: []registry.Part{{Role: "given", Text: "Ali"}, {Role: "father", Text: "ali"}}}}[i%3])
		}))
	}},
	{"DQ-15", "", 1, func(w *world, i int, h home) []registry.ID {
		like := must(w.read(h.people[0]).Person())
		twin := w.houses[len(w.houses)-1-i].people[0]
		w.person(twin, func(p *registry.Person) {
			p.Names = []registry.Name{{Text: strings.ToUpper(like.Names[0].Text)}}
			p.Birth = like.Birth
		})
		return []registry.ID{h.people[0], twin}
	}},
	{"DQ-16", "", 1, func(w *world, i int, h home) []registry.ID {
		other := w.houses[len(w.houses)-1-i].people[0]
		w.double(h.people[0], other, "")
		w.undo = append(w.undo, func() { w.double(h.people[0], other, "different") })
		return []registry.ID{h.people[0], other}
	}},
	{"DQ-17", "", 2, func(w *world, i int, h home) []registry.ID {
		partner := w.houses[len(w.houses)-1-i]
		other, number := partner.people[0], must(w.read(h.people[0]).Person()).Documents[0].Number
		account := func(id registry.ID, column, value string) {
			w.person(id, func(p *registry.Person) { p.Ext = map[string]string{column: value} })
		}
		switch i % 5 {
		case 0:
			w.person(other, func(p *registry.Person) { p.Documents[0].Number = number })
		case 1: // written in two ways, by two lists
			account(h.people[0], "bank_account_number_i_c", fmt.Sprintf("KE 44-0000 %04d", i))
			account(other, "payout/IBAN", fmt.Sprintf("ke440000%04d", i))
		case 2: // a telephone's, of a household and of another's member
			w.house(h.id, func(k *registry.Household) {
				k.Ext = map[string]string{"mobile_money_number_h_c": fmt.Sprintf("0799 123 %03d", i)}
			})
			account(h.people[0], "mobile_money_number_i_c", fmt.Sprintf("+254799123%03d", i)) // her household's: no second one
			account(h.people[2], "account_number", "000 000 000")
			account(other, "Mobile money number", fmt.Sprintf("+254 799 123%03d", i))
		case 3: // of one household, and twice
			account(h.people[0], "debit_card_number_i_c", fmt.Sprintf("5100 0000 0000 %04d", i))
			account(h.people[1], "debit_card_number_i_c", fmt.Sprintf("510000000000%04d", i))
			return h.people[:2]
		default: // nothing that is an account
			account(h.people[0], "account_holder_name_i_c", "Amina Nur")
			account(other, "account_holder_name_i_c", "Amina Nur")
			account(h.people[1], "account_number", "n/a")
			account(partner.people[1], "account_number", "n/a")
			return nil
		}
		return []registry.ID{h.people[0], other}
	}},
	{"DQ-18", "", 2, func(w *world, i int, h home) []registry.ID {
		was := slices.Clone(w.cards)
		w.undo = append(w.undo, func() { w.cards = was })
		k := slices.IndexFunc(w.cards, func(c indicator.Card) bool { return c.Unit == h.id })
		if i%2 == 0 {
			second := w.cards[k]
			second.ID, second.Reference = "second", "second "+second.Reference
			w.cards = append(w.cards, second)
			return one(h.id)
		}
		last := len(w.houses) - 1 - i
		w.cards[last].Reference = w.cards[k].Reference
		return []registry.ID{h.id, w.houses[last].id}
	}},
	{"DQ-19", "", 2, func(w *world, i int, h home) []registry.ID {
		w.person(h.people[1+i%2], func(p *registry.Person) { p.Birth.EDTF = []string{"2013-05-05", "1975-05-05"}[i%2] })
		return one(h.id)
	}},
	{"DQ-20", "", 3, func(w *world, i int, h home) []registry.ID {
		switch i % 3 {
		case 0:
			w.person(h.people[2], func(p *registry.Person) { p.Relation = registry.Head })
		case 1:
			w.house(h.id, func(k *registry.Household) { k.Head = registry.NewID().String() })
		default:
			w.house(h.id, func(k *registry.Household) { k.FocalPoint = registry.NewID().String() })
		}
		return one(h.id)
	}},
	{"DQ-21", "", 4, func(w *world, i int, h home) []registry.ID {
		switch i % 4 {
		case 0:
			return one(w.house(h.id, func(k *registry.Household) { k.Residence = "IDP" }))
		case 1:
			return one(w.house(h.id, func(k *registry.Household) { k.Bands["f_0_4"] = 2 }))
		case 2:
			return one(w.person(h.people[0], func(p *registry.Person) { p.Ext = map[string]string{"pregnant": "yes"} }))
		}
		return one(w.person(h.people[2], func(p *registry.Person) {
			p.Ext, p.Birth.EDTF = map[string]string{"pregnant": "yes"}, "2019-03-03"
		}))
	}},
	{"DQ-22", "DQ-23", 1, func(w *world, i int, h home) []registry.ID {
		w.house(h.id, func(k *registry.Household) { k.Registered = "2024-03-03" })
		w.met(h.people[2], at.AddDate(0, -2, 0), 0) // somebody saw the child since
		return h.people[:2]
	}},
	{"DQ-23", "DQ-22", 1, func(w *world, i int, h home) []registry.ID {
		w.house(h.id, func(k *registry.Household) { k.Registered = "2024-03-03" }) // place and telephone are as old
		w.undo = append(w.undo, func() {                                           // told again, and as it was
			w.house(h.id, func(k *registry.Household) { k.Location.Address, k.Contacts[0].Whose = "row 3", "herself" })
			w.undo = nil
		})
		return []registry.ID{h.id, h.id}
	}},
	{"DQ-24", "", 1, func(w *world, i int, h home) []registry.ID {
		if i%2 == 0 {
			w.met(h.people[1], long, 400)
			w.met(h.people[1], long.Add(time.Hour), 168)                             // not over it
			w.met(h.people[1], long.Truncate(24*time.Hour).AddDate(0, 0, 2), 24+168) // neither, from the end of its day
			return one(h.people[1])
		}
		late := long.Add(time.Minute)
		w.met(h.id, late, 169)
		return one(h.id)
	}},
	{"DQ-25", "", 1, func(w *world, i int, h home) []registry.ID {
		k := slices.IndexFunc(w.cards, func(c indicator.Card) bool { return c.Unit == h.id })
		ends := w.cards[k].Ends
		w.cards[k].Ends = at.AddDate(0, 0, 10)
		w.undo = append(w.undo, func() { w.cards[k].Ends = ends })
		if i == 0 { // nothing is due any more
			w.dues[k].Status = registry.Collected
			w.undo = append(w.undo, func() { w.dues[k].Status = registry.Planned })
			return nil
		}
		return one(h.id)
	}},
	{"DQ-26", "", 1, func(w *world, i int, h home) []registry.ID {
		return one(w.person(h.people[0], func(p *registry.Person) {
			*p.Birth = []registry.Birth{{EDTF: "1980-01-01", Precision: "day"}, {EDTF: "1981-07-01", Precision: "day"}, {EDTF: "1979", Precision: "year", ImportDefault: true}}[i%3]
		}))
	}},
	{"DQ-27", "", 2, func(w *world, i int, h home) []registry.ID {
		k := slices.IndexFunc(w.rechecked, func(c indicator.Recheck) bool { return c.Unit == h.id })
		w.rechecked[k].Wrong = []string{"different", "not-found"}[i%2]
		w.undo = append(w.undo, func() { w.rechecked[k].Wrong = "" })
		return one(h.id)
	}},
	{"DQ-29", "", 1, func(w *world, i int, h home) []registry.ID {
		k := slices.IndexFunc(w.delivered, func(d indicator.Delivery) bool { return d.Unit == h.id })
		w.delivered[k].Wrong, w.delivered[k].Lost = "unsettled", 1000
		w.undo = append(w.undo, func() { w.delivered[k].Wrong, w.delivered[k].Lost = "", 0 })
		return one(h.id)
	}},
	{"DQ-30", "", 1, func(w *world, i int, h home) []registry.ID {
		k := slices.IndexFunc(w.presented, func(p indicator.Presentation) bool { return p.Unit == h.id })
		w.presented[k].Wrong = "not_this_person"
		w.undo = append(w.undo, func() { w.presented[k].Wrong = "" })
		return one(h.id)
	}},
	{"DQ-31", "", 3, func(w *world, i int, h home) []registry.ID {
		k := slices.IndexFunc(w.asked, func(q indicator.Request) bool { return q.Unit == h.id })
		w.asked[k].Outcome = []indicator.Outcome{indicator.Overridden, indicator.Provisional, indicator.Refused}[i%3]
		w.undo = append(w.undo, func() { w.asked[k].Outcome = indicator.Plain })
		return one(h.id)
	}},
}

func one(id registry.ID) []registry.ID { return []registry.ID{id} }

func (w *world) double(a, b registry.ID, decided string) {
	err := w.store.Update(context.Background(), access.Actor{ID: "reviewer", Role: access.Registrar}, func(tx registry.Tx) error {
		return tx.SaveDouble(registry.Double{A: a, B: b, Why: registry.KeyNameYear, Decided: decided})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestEveryIndicatorCountsAndListsWhatWasPlanted(t *testing.T) {
	w := newWorld(t)
	if odd := wrongOnes(w.measure()); len(odd) > 0 {
		t.Fatalf("where nothing is wrong: %v", odd)
	}
	random := rand.New(rand.NewPCG(7, 31))
	for _, p := range plants {
		t.Run(p.id, func(t *testing.T) {
			w.t = t
			if p.id == "DQ-23" { // its fields stand as the list brought them
				w = newWorld(t)
			}
			n := 7 + random.IntN(6)
			var want []registry.ID
			for i, k := range random.Perm(homes / 2)[:n] { // the other half are partners
				want = append(want, p.plant(w, i, w.houses[k])...)
			}
			report := w.measure()
			for i := range report.Indicators {
				m := &report.Indicators[i]
				own := m.Definition.Own(m.In(indicator.All, ""))
				switch {
				case m.ID == p.id:
					if own.Bad != int64(len(want)) || own.Of == 0 {
						t.Errorf("counts %+v, planted %d", own, len(want))
					}
				case !strings.Contains(p.also, m.ID) && own.Bad != 0:
					t.Errorf("%s counts %d of it", m.ID, own.Bad)
				}
			}
			found := w.list(p.id, indicator.All, "")
			if got, want := sorted(idsOf(found)), sorted(want); !reflect.DeepEqual(got, want) {
				t.Errorf("lists %d records, planted %d: %v", len(got), len(want), found)
			}
			d, _ := indicator.Find(w.policy, p.id)
			said := map[string]bool{}
			for _, f := range found {
				said[f.Code] = true
				if !slices.Contains(d.Codes, f.Code) || f.Field != "" && len(d.Fields) > 0 && !slices.ContainsFunc(d.Fields, func(x string) bool { return strings.HasPrefix(f.Field, x) }) {
					t.Errorf("%+v is not what the definition says", f)
				}
			}
			if len(said) < p.codes {
				t.Errorf("only the codes %v", said)
			}
			w.mend()
			if odd := wrongOnes(w.measure()); len(odd) > 0 {
				t.Errorf("mended, and still: %v", odd)
			}
		})
	}
}

// wrongOnes are the indicators that are not green.
func wrongOnes(r *indicator.Report) (list []string) {
	for i := range r.Indicators {
		m := &r.Indicators[i]
		t := m.In(indicator.All, "")
		if s := m.Definition.State(t); s != indicator.Green || m.Definition.Own(t).Bad != 0 {
			list = append(list, fmt.Sprint(m.ID, " ", s, " ", m.NA, " ", m.Definition.Own(t), m.Definition.Values(t)))
		}
	}
	return list
}
