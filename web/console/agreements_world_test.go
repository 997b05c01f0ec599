package console_test

import (
	"maps"
	"net/url"

	"aidpass/access"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

// two are the accounts behind the agreements of the tests.
var two = access.Actor{ID: "lead", Role: access.OrgAdmin, SecondPerson: "dpo"}

func init() {
	makers["agreement"] = func(w *world, org string, _ *browser) string { return w.agreement(org, func(*rights.Agreement) {}).ID }
	maps.Copy(forms, map[string]url.Values{
		"POST /agreements/of/:agreement/end": {"reason": {"project closed"}},
		"POST /agreements/new":               drafted(),
	})
}

// drafted is the form of an agreement, filled.
func drafted() url.Values {
	return url.Values{"id": {"bank-c-2026"}, "with.id": {"bank-c"}, "with.name": {"Bank C <b>"}, "with.kind": {"private"}, "with.country": {"kenya"}, "with.contact": {"compliance desk"},
		"purpose": {"payment"}, "basis": {"consent"}, "fields": {"full_name", "phone", "document.national_id"}, "areas": {"ke007 KE008"}, "exclude_origin": {"Somalia, SSD"}, "from": {"2026-11-22"}, "until": {"2027-05-31"},
		"retention_days": {"90"}, "reason": {"payments of the winter"}}
}

func (w *world) agreements() console.Screen {
	desk := w.rightsOf(own)
	desk.Handle(w.doors[own])
	return &console.Agreements{Desk: desk, Settings: opsDesks{w}, Door: w.doors[own], Now: w.now}
}

func (w *world) rightsOf(org string) *rights.Desk {
	return &rights.Desk{Store: w.peopleOf(org), Org: "https://" + org + ".example/i1", Now: w.now}
}

// agreement puts one in force.
func (w *world) agreement(org string, change func(*rights.Agreement)) rights.Agreement {
	w.Helper()
	a := rights.Agreement{ID: "a-" + name(), With: rights.Party{ID: "relief-c", Name: "Relief C", Kind: rights.Humanitarian, Contact: "dpo@relief-c.example"}, Purpose: rights.Distribution, Basis: rights.ByNotice,
		Fields: []string{"full_name", "size", "pcode"}, Areas: []string{"KE007"}, Levels: []string{"KE007001"}, ExcludeOrigin: []string{"SOM"}, From: "2026-11-01", Until: "2027-05-31", RetentionDays: 90}
	change(&a)
	if err := w.rightsOf(org).MakeAgreement(w.Context(), two, a); err != nil {
		w.Fatal(err)
	}
	return a
}

// partnership is the scope of accounts of a ministry, under an agreement that is in force.
func (w *world) partnership(org string) *access.Scope {
	a := w.agreement(org, func(a *rights.Agreement) {
		a.ID, a.With = "moi-2026", rights.Party{ID: "ministry", Name: "Ministry of Interior", Kind: rights.Government, Country: "ETH", Contact: "registry office"}
		a.Purpose, a.Basis, a.Fields = rights.Resettlement, rights.ByConsent, []string{"full_name", "photo", "sex", "birth_date", "pcode"}
	})
	scope := &access.Scope{Agreement: a.ID, Purpose: string(a.Purpose), Fields: []string{"full_name", "photo", "phone"}, Areas: a.Areas}
	if w.narrow != nil {
		w.narrow(scope)
	}
	return scope
}
