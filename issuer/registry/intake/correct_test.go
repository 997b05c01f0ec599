package intake_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
)

// corrected is a desk with one household of one person, whose record has an issue.
type corrected struct {
	registry.Registry
	household, person registry.ID
}

func newCorrected(t *testing.T) *corrected {
	t.Helper()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	c := &corrected{Registry: registry.Registry{Store: &registrytest.Store{}, Actor: access.Actor{ID: "amal", Role: access.Registrar}, Now: func() time.Time { return now }}}
	h, err := c.EnterHousehold(context.Background(), "camp", "H-1", registry.Household{Size: 2,
		Issues: []registry.Issue{{Code: registry.HouseholdMembers, Field: "size", Text: "1 on record"}, {Code: registry.HouseholdNoHead, Text: "no head"}}})
	if err != nil {
		t.Fatal(err)
	}
	name, _ := registry.ParseName("Amina Yusuf", "")
	e, err := c.Enter(context.Background(), registry.Entry{Source: "camp", External: "P-1", Household: h.ID, Person: registry.Person{
		Names: []registry.Name{name}, Documents: []registry.Document{{Type: "passport", Country: "SOM", Number: "P1234567"}},
		Issues: []registry.Issue{{Code: registry.BirthUnreadable, Field: "birth", Blocking: true, Text: "x"}, {Code: "sex_unknown", Text: "y"}}}})
	if err != nil {
		t.Fatal(err)
	}
	c.household, c.person = h.ID, e.ID
	return c
}

func (c *corrected) read(t *testing.T, id registry.ID, values map[string]string) (intake.Correction, error) {
	t.Helper()
	rec, err := c.Record(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return intake.Correct(rec, values, intake.Options{Country: "KEN", Now: c.Now()})
}

func (c *corrected) set(t *testing.T, id registry.ID, values map[string]string) registry.Record {
	t.Helper()
	got, err := c.read(t, id, values)
	if err == nil {
		_, err = c.Correct(context.Background(), id, got.Fields, got.Base, "paper-seen")
	}
	if err != nil {
		t.Fatalf("%v: %v", values, err)
	}
	rec, err := c.Record(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestACorrectionMendsWhatItIsAbout(t *testing.T) {
	c := newCorrected(t)
	p, err := c.set(t, c.person, map[string]string{"birth": "12 May 1987", "relation": "head", "phone": "0712345678", "document.passport": "P7654321", "ext.tent": "12B"}).Person()
	if err != nil {
		t.Fatal(err)
	}
	if p.Birth.EDTF != "1987-05-12" || p.Contacts[0].Value != "+254712345678" || p.Ext["tent"] != "12B" {
		t.Errorf("%+v", p)
	}
	if d := p.Documents; len(d) != 1 || d[0].Number != "P7654321" || d[0].Country != "SOM" {
		t.Errorf("%+v", d)
	}
	if len(p.Issues) != 1 || p.Issues[0].Code != "sex_unknown" {
		t.Errorf("issues: %+v", p.Issues)
	}
	h, err := c.set(t, c.household, map[string]string{"size": "1"}).HouseholdRecord()
	if err != nil || h.Head != c.person.String() || len(h.Issues) != 0 {
		t.Errorf("%+v, %v", h, err)
	}
	p, err = c.set(t, c.person, map[string]string{"birth": "", "phone": "", "document.passport": "", "ext.tent": ""}).Person()
	if err != nil || p.Birth != nil || len(p.Contacts)+len(p.Documents)+len(p.Ext) != 0 || len(p.Names) != 1 {
		t.Errorf("removed: %+v, %v", p, err)
	}
}

func TestWhatAnImportRejectsIsNotSet(t *testing.T) {
	c := newCorrected(t)
	for field, value := range map[string]string{
		"sex": "lady", "birth": "3/4/1990", "age": "old", "relation": "boss", "origin": "Atlantis", "language": "Atlantean", "consent": "perhaps",
		"registered": "soon", "document.passport": "n/a", "issuer.passport": "KEN", "pcode": "KE043", "name": "-", "shoe": "44", "email": "amina",
		"consent.name_on_card": "yes", "consent.Referral": "yes", "size": "4", "document.library": "1234", "ext.x": "a\x00b",
	} {
		var rejection *intake.Rejection
		if _, err := c.read(t, c.person, map[string]string{field: value}); !errors.As(err, &rejection) {
			t.Errorf("%s was taken: %v", field, err)
		} else if len(value) > 3 && strings.Contains(err.Error(), value) {
			t.Errorf("%s: the value is in the error: %v", field, err)
		}
	}
	for _, size := range []string{"0", "many", "-2", "900"} {
		if _, err := c.read(t, c.household, map[string]string{"size": size}); err == nil {
			t.Errorf("a size of %s", size)
		}
	}
}

func TestAnswersAtTheDesk(t *testing.T) {
	c := newCorrected(t)
	p, _ := c.set(t, c.person, map[string]string{"consent": "yes", "sharing": "UNICEF", "consent.referral": "no"}).Person()
	if len(p.Consents) != 3 || !p.Consents[0].Given && p.Consents[0].Purpose == "registration" {
		t.Fatalf("%+v", p.Consents)
	}
	p, _ = c.set(t, c.person, map[string]string{"consent": "no"}).Person()
	for _, a := range p.Consents {
		if a.Purpose == "registration" && (a.Withdrawn != "2026-11-21" || a.On != "2026-11-21" || a.How != "verbal") {
			t.Errorf("%+v", a)
		}
	}
}

func TestACorrectionOverwritesNobody(t *testing.T) {
	c := newCorrected(t)
	mine, err := c.read(t, c.person, map[string]string{"sex": "f"})
	if err != nil {
		t.Fatal(err)
	}
	c.set(t, c.person, map[string]string{"sex": "x"})
	if _, err := c.Correct(context.Background(), c.person, mine.Fields, mine.Base, "mine"); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("%v", err)
	}
	if _, err := c.Correct(context.Background(), c.person, nil, nil, ""); err == nil {
		t.Error("without a reason")
	}
}
