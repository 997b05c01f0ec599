package export_test

import (
	"errors"
	"slices"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/rights"
)

var ministry = access.Actor{ID: "ministry-1", Role: access.Partner}

// lookable has one household of two in a place, and an agreement with a government.
func lookable(t *testing.T, change func(*rights.Agreement)) (l looks, head, home registry.ID) {
	t.Helper()
	s, heads, homes := village(t, 1)
	l = looks{t: t, store: s, scope: access.Scope{Agreement: "b-1", Purpose: "distribution", Fields: []string{"full_name", "photo", "birth_date", "pcode"}, Areas: []string{"KE007"}}}
	l.set(homes[0], registry.Household{Location: &registry.Location{PCode: "KE007001"}})
	l.desk = partner(t, s, func(a *rights.Agreement) {
		a.With.Kind, a.With.Country = rights.Government, "ETH"
		a.Fields, a.Areas, a.Levels = []string{"full_name", "sex", "pcode", "birth_date"}, []string{"KE007"}, []string{"KE007001"}
		change(a)
	})
	return l, heads[0], homes[0]
}

// What both the agreement and the account name is told; what one of them does not, is not.
func TestAPartyIsToldItsFields(t *testing.T) {
	l, head, _ := lookable(t, func(*rights.Agreement) {})
	told, err := l.look(head)
	if err != nil || told.Photo != nil || !slices.Equal(told.Fields, []export.Value{{Field: "full_name", Text: "Person 0 0"}, {Field: "pcode", Text: "KE007001"}}) {
		t.Fatalf("%+v %v", told, err)
	}
	l.set(head, registry.Person{Photo: []byte("\xff\xd8\xff")})
	if told, err = l.look(head); err != nil || told.Photo != nil {
		t.Errorf("a photograph that the agreement does not name: %v", err)
	}
	l, head, _ = lookable(t, func(a *rights.Agreement) {
		a.With.Kind, a.Fields = rights.Humanitarian, []string{"photo", "full_name"}
	})
	l.set(head, registry.Person{Photo: []byte("\xff\xd8\xff")})
	if told, err = l.look(head); err != nil || told.Photo == nil || len(told.Fields) != 1 {
		t.Errorf("%+v %v", told, err)
	}
}

// Whoever a file would leave out is not there, nor is anybody outside of the account's part.
func TestWhomAPartyIsNotToldOf(t *testing.T) {
	none := func(*rights.Agreement) {}
	for name, c := range map[string]struct {
		agreed  func(*rights.Agreement)
		records func(l *looks, head, home registry.ID)
	}{
		"another place": {none, func(l *looks, _, home registry.ID) {
			l.set(home, registry.Household{Location: &registry.Location{PCode: "KE008001"}})
		}},
		"a place whose code begins alike": {none, func(l *looks, _, home registry.ID) {
			l.set(home, registry.Household{Location: &registry.Location{PCode: "KE0071"}})
		}},
		"no place":                          {func(a *rights.Agreement) { a.Areas = nil }, func(l *looks, _, home registry.ID) { l.set(home, registry.Household{Location: &registry.Location{}}) }},
		"a place that is not the account's": {func(a *rights.Agreement) { a.Areas = nil }, func(l *looks, _, _ registry.ID) { l.scope.Areas = []string{"KE008"} }},
		"an account of no place":            {func(a *rights.Agreement) { a.Areas = nil }, func(l *looks, _, _ registry.ID) { l.scope.Areas = nil }},
		"an excluded country":               {none, func(l *looks, head, _ registry.ID) { l.set(head, registry.Person{Origin: "SOM"}) }},
		"who fled from that government":     {none, func(l *looks, head, _ registry.ID) { l.set(head, registry.Person{Origin: "ETH"}) }},
		"a household of that country":       {none, func(l *looks, _, home registry.ID) { l.set(home, registry.Household{Origin: "ETH"}) }},
		"who said no": {none, func(l *looks, head, _ registry.ID) {
			if _, _, err := l.desk.Withdraw(t.Context(), clerk, head, "", ""); err != nil {
				t.Fatal(err)
			}
		}},
		"who was not asked": {func(a *rights.Agreement) { a.Basis = rights.ByConsent }, func(*looks, registry.ID, registry.ID) {}},
		"who died": {none, func(l *looks, head, _ registry.ID) {
			l.set(head, registry.Person{Status: &registry.Status{State: "closed", Reason: registry.ReasonDeceased}})
		}},
	} {
		l, head, home := lookable(t, c.agreed)
		if _, err := l.look(head); err != nil && name != "who was not asked" {
			t.Fatalf("%s: before: %v", name, err)
		}
		c.records(&l, head, home)
		if told, err := l.look(head); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %+v %v", name, told, err)
		}
	}
	l, _, home := lookable(t, none)
	for _, id := range []registry.ID{home, registry.NewID()} {
		if _, err := l.look(id); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("no person: %v", err)
		}
	}
}

// An agreement that is over, another purpose and an account that fits none: nobody is told of.
func TestAPartyWithoutAnAgreement(t *testing.T) {
	for name, change := range map[string]func(l *looks){
		"ended":           func(l *looks) { l.do(l.desk.EndAgreement(t.Context(), clerk, "b-1", "closed")) },
		"over":            func(l *looks) { l.days = 200 },
		"another purpose": func(l *looks) { l.scope.Purpose = "survey" },
		"no purpose":      func(l *looks) { l.scope.Purpose = "" },
		"own use":         func(l *looks) { l.scope.Agreement, l.scope.Purpose = "", "copy" },
		"no agreement":    func(l *looks) { l.scope.Agreement = "b-2" },
		"other fields":    func(l *looks) { l.scope.Fields = []string{"phone"} },
	} {
		l, head, _ := lookable(t, func(*rights.Agreement) {})
		change(&l)
		_, err := l.look(head)
		var refusal *rights.Refusal
		if !errors.As(err, &refusal) && !errors.Is(err, export.ErrScope) {
			t.Errorf("%s: %v", name, err)
		}
		if shares, err := l.desk.Shares(t.Context()); err != nil || len(shares) != 0 {
			t.Errorf("%s: %v %v", name, shares, err)
		}
	}
}

// Looks are shares: of a day one, with how many people; a recall reaches them, and its
// letter names her as the page's address did.
func TestALookIsAShare(t *testing.T) {
	l, head, home := lookable(t, func(a *rights.Agreement) { a.With.Issuer = "https://gov.example/i1" })
	for range 2 {
		if _, err := l.look(head); err != nil {
			t.Fatal(err)
		}
	}
	l.days = 1
	if _, err := l.look(head); err != nil {
		t.Fatal(err)
	}
	shares, err := l.desk.Shares(t.Context())
	if err != nil || len(shares) != 2 || shares[0].Rows != 1 || shares[0].By != ministry.ID || shares[0].Form != rights.ScreenForm || shares[0].Name != "Relief B" {
		t.Fatalf("%+v %v", shares, err)
	}
	var told int
	for _, e := range l.store.Notes() {
		if e.Action == "person.read" && e.Reason == "distribution: read at the desk; for Relief B under b-1" {
			told++
		}
	}
	if told != 3 {
		t.Errorf("the log tells of %d looks of 3: %+v", told, l.store.Notes())
	}
	recalls, _, err := l.desk.Withdraw(t.Context(), clerk, head, "", "")
	if err != nil || len(recalls) != 1 || len(recalls[0].Shares) != 2 {
		t.Fatalf("%+v %v", recalls, err)
	}
	letter, err := l.desk.Letter(t.Context(), recalls[0].ID, export.Name)
	if err != nil || len(letter.Refs) != 2 || letter.Refs[0].Name != head.String() {
		t.Errorf("%+v %v", letter, err)
	}
	if recalls, _, err := l.desk.Withdraw(t.Context(), clerk, home, "", ""); err != nil || len(recalls) != 0 {
		t.Errorf("of the household nobody saw the record: %+v %v", recalls, err)
	}
}

// looks are those of an account of a party, at a time.
type looks struct {
	t     *testing.T
	store *registrytest.Store
	desk  *rights.Desk
	scope access.Scope
	days  int // from now
}

func (l *looks) look(id registry.ID) (export.Told, error) {
	return export.Look(l.t.Context(), l.store, ministry, l.scope, id, now.AddDate(0, 0, l.days))
}

func (l *looks) do(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// set writes the fields of a record that say something.
func (l *looks) set(id registry.ID, record interface {
	Fields() (map[string][]byte, error)
}) {
	l.t.Helper()
	fields, err := record.Fields()
	l.do(err)
	l.do(l.store.Update(l.t.Context(), clerk, func(tx registry.Tx) error {
		_, err := tx.Save(registry.Change{ID: id, Fields: fields})
		return err
	}))
}

// An agreement may name two hundred fields: the entry of a look takes what it has room for.
func TestALookUnderALongAgreement(t *testing.T) {
	var fields []string
	for _, f := range export.Fields() {
		fields = append(fields, f.Name)
	}
	l, head, _ := lookable(t, func(a *rights.Agreement) { a.With.Kind, a.Fields, a.Numbers = rights.Humanitarian, fields, true })
	l.scope.Fields = fields
	if _, err := l.look(head); err != nil {
		t.Fatal(err)
	}
	shares, err := l.desk.Shares(t.Context())
	if err != nil || len(shares) != 1 || len(shares[0].Fields) != len(fields) {
		t.Errorf("%d shares %v", len(shares), err)
	}
}
