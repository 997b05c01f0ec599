package quality_test

import (
	"slices"
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

func TestChildrenAloneAreNotedAndGetTheirCard(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	noted := func(collectors []registry.Collector, births ...string) bool {
		u := quality.Unit{ID: registry.NewID(), Household: &registry.Household{Size: len(births), Collectors: collectors, Consents: given()}}
		for _, b := range births {
			p := whole()
			p.Birth = &registry.Birth{EDTF: b, Precision: registry.PrecisionYear}
			u.Members = append(u.Members, quality.Member{ID: registry.NewID(), Person: p})
		}
		i := slices.IndexFunc(quality.Default().Gate("").Judge(u, at).Reasons, func(r quality.Reason) bool {
			if r.Code == quality.ReasonChildren && r.Weight != quality.Issue {
				t.Errorf("children are kept from a card: %+v", r)
			}
			return r.Code == quality.ReasonChildren
		})
		return i >= 0
	}
	if !noted(nil, "2015", "2018") {
		t.Error("children alone are not noted")
	}
	if noted(nil, "2015", "1980") || noted([]registry.Collector{{External: "Abu Omar", Role: registry.Primary}}, "2015") {
		t.Error("noted with an adult or a collector")
	}
	if !noted([]registry.Collector{{External: "Abu Omar", Role: registry.Primary, Revoked: "2026-11-01"}}, "2015") {
		t.Error("a collector whose right ended counts")
	}
}
