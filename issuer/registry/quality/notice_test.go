package quality_test

import (
	"errors"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

func TestNoCardAgainstANo(t *testing.T) {
	yes := registry.Consent{Purpose: "registration", Given: true, On: "2026-01-01"}
	no := registry.Consent{Purpose: "registration", On: "2026-02-01"}
	with := func(change func(*registry.Consent)) registry.Consent {
		c := yes
		change(&c)
		return c
	}
	gate := quality.Default().Gate("")
	for name, answers := range map[string][]registry.Consent{
		"no":                     {yes, no},
		"a no that runs out":     {yes, {Purpose: "registration", Expires: "2026-02-02"}},
		"taken back at a time":   {with(func(c *registry.Consent) { c.Withdrawn = at.Format("2006-01-02T15:04:05Z07:00") })},
		"taken back, east of us": {with(func(c *registry.Consent) { c.Withdrawn = at.AddDate(0, 0, 1).Format("2006-01-02") })},
		"taken back, ran out":    {yes, with(func(c *registry.Consent) { c.Withdrawn, c.Expires = "2026-01-05", "2026-01-06" })},
	} {
		units := map[string]quality.Unit{
			"person":    person(func(p *registry.Person) { p.Consents = answers }),
			"household": family(registry.Household{Consents: given()}, changed(func(p *registry.Person) { p.Consents = answers })),
		}
		for kind, u := range units {
			d := gate.Judge(u, at)
			if d.Outcome != quality.Refuse || !d.Final() {
				t.Errorf("%s, %s: %s", name, kind, d.Outcome)
			}
			by := access.Actor{ID: "amina", Role: access.Issuer, SecondPerson: "joseph"}
			if _, err := d.Override(by, "because"); !errors.Is(err, quality.ErrNo) {
				t.Errorf("%s, %s: overridden: %v", name, kind, err)
			}
		}
	}
	again := person(func(p *registry.Person) { p.Consents = []registry.Consent{yes, no, yes} })
	if d := gate.Judge(again, at); d.Outcome != quality.Issue {
		t.Errorf("asked again and yes: %s", d.Outcome)
	}
}
