package console_test

import (
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// ministry lets a partner in, and a program of another account of it.
func (w *world) ministry() (*browser, *program) {
	return w.as(own, access.Partner), w.program(own, access.Partner, access.PersonRead)
}

// change sets fields of a record of the own organisation.
func (w *world) change(id registry.ID, record interface {
	Fields() (map[string][]byte, error)
}) {
	w.Helper()
	fields, err := record.Fields()
	if err == nil {
		err = w.peopleOf(own).Update(w.Context(), clerk, func(tx registry.Tx) error {
			_, err := tx.Save(registry.Change{ID: id, Fields: fields})
			return err
		})
	}
	if err != nil {
		w.Fatal(err)
	}
}

// A partner is told what its agreement and its account name, and neither who works on a
// record nor how to change it; each look is a share, that a withdrawal recalls.
func TestAPartnersPage(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina <Yusuf>")
	at := "/people/" + id.String()
	w.of(w.add(own, "amal", access.Registrar)).get(at + "/edit")
	b, p := w.ministry()
	page, answer := b.get(at).Body.String(), p.object(p.ask("GET", at, ""), 200)
	for _, want := range []string{"Whole name", "<bdi>Amina &lt;Yusuf&gt;</bdi>", `src="/desk/media/` + id.String() + `"`} {
		has(t, page, want)
	}
	for _, not := range []string{"amal", "254712345678", "1987", "/edit", "HH-", "Sex", "KE007"} {
		if strings.Contains(page, not) {
			t.Errorf("a partner is shown %q", not)
		}
	}
	told, _ := answer["told"].(map[string]any)
	if len(told) != 2 || told["full_name"] != "Amina <Yusuf>" || told["photo"] != "/desk/media/"+id.String() || answer["person"] != nil || answer["home"] != nil {
		t.Errorf("its program is told %v", answer)
	}
	if a := b.get("/media/" + id.String()); a.Code != 200 || a.Body.String() != string(jpeg) {
		t.Errorf("the photograph: %d", a.Code)
	}
	shares, err := w.rightsOf(own).Shares(t.Context())
	if err != nil || len(shares) != 2 || shares[0].Agreement != "moi-2026" || shares[0].Rows != 1 {
		t.Fatalf("two accounts looked: %+v %v", shares, err)
	}
	recalls, _, err := w.rightsOf(own).Withdraw(t.Context(), clerk, id, "", "ministry")
	if err != nil || len(recalls) != 1 || recalls[0].To != "ministry" || len(recalls[0].Shares) != 2 {
		t.Errorf("recalls: %+v %v", recalls, err)
	}
	for _, path := range []string{at, "/media/" + id.String()} {
		if code := b.get(path).Code; code != 404 {
			t.Errorf("%s after she took it back: %d", path, code)
		}
	}
}

// Row 2, for a partner: who is outside of its agreement is not there, for it and for its
// programs, and cannot be told from nobody.
func TestAPartnerStaysWithinItsAgreement(t *testing.T) {
	w := newWorld(t)
	b, p := w.ministry()
	none := told(b.get("/people/" + registry.NewID().String()))
	for name, spoil := range map[string]func(id, home registry.ID){
		"another place": func(_, home registry.ID) {
			w.change(home, registry.Household{Location: &registry.Location{PCode: "KE008001"}})
		},
		"a place beside it": func(_, home registry.ID) {
			w.change(home, registry.Household{Location: &registry.Location{PCode: "KE0071"}})
		},
		"its own refugees":   func(id, _ registry.ID) { w.change(id, registry.Person{Origin: "ETH"}) },
		"an excluded origin": func(_, home registry.ID) { w.change(home, registry.Household{Origin: "SOM"}) },
		"no yes": func(id, home registry.ID) {
			other := []registry.Consent{{ID: "c2", Purpose: "survey", Given: true, Recipients: []string{"ministry"}}}
			w.change(home, registry.Household{Consents: other})
			w.change(id, registry.Person{Consents: other})
		},
		"her own no": func(id, _ registry.ID) {
			w.change(id, registry.Person{Consents: append(slices.Clone(yesToTheMinistry), registry.Consent{ID: "c2", Purpose: "sharing"})})
		},
	} {
		home := w.household(own)
		id := w.member(own, home, "Amina Yusuf", "1987-05-12")
		at := "/people/" + id.String()
		if code := b.get(at).Code; code != 200 {
			t.Errorf("%s: before: %d", name, code)
		}
		spoil(id, home)
		for _, path := range []string{at, "/media/" + id.String()} {
			if a := b.get(path); a.Code != 404 || told(a) != none {
				t.Errorf("%s: %s: %d %s", name, path, a.Code, told(a))
			}
			if a := p.ask("GET", path, ""); a.Code != 404 {
				t.Errorf("%s: %s to its program: %d", name, path, a.Code)
			}
		}
		if code := w.as(own, access.Registrar).get(at).Code; code != 200 {
			t.Errorf("%s: staff: %d", name, code)
		}
	}
}

// When the agreement is over, all is: who is there cannot be told from who is not.
func TestAPartnerWhoseAgreementIsOver(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"ended": func(w *world) {
			if err := w.rightsOf(own).EndAgreement(w.Context(), two, "moi-2026", "closed"); err != nil {
				w.Fatal(err)
			}
		},
		"another purpose": func(w *world) { w.narrow = func(s *access.Scope) { s.Purpose = string(rights.Survey) } },
		"none":            func(w *world) { w.narrow = func(s *access.Scope) { s.Agreement = "moi-2027" } },
		"no field of it":  func(w *world) { w.narrow = func(s *access.Scope) { s.Fields = []string{"phone"} } },
	} {
		w := newWorld(t)
		id := w.person(own, "Amina Yusuf").String()
		b, _ := w.ministry()
		if end(w); w.narrow != nil {
			b, _ = w.ministry()
		}
		there, nobody := b.get("/people/"+id), b.get("/people/"+registry.NewID().String())
		if there.Code != 403 || told(there) != told(nobody) || b.get("/media/"+id).Code != 403 {
			t.Errorf("%s: %d and %d", name, there.Code, nobody.Code)
		}
		has(t, there.Body.String(), "Your agreement does not let you see anybody now")
	}
}

// Reports know of places what no agreement names: a partner gets none.
func TestAPartnerGetsNoReports(t *testing.T) {
	w := newWorld(t)
	b, _ := w.ministry()
	if code := b.get("/reports").Code; code != 403 {
		t.Errorf("reports: %d", code)
	}
	if code := b.post("/reports/csv", nil).Code; code != 403 {
		t.Errorf("a report as a file: %d", code)
	}
}
