package export_test

import (
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
)

// TestAnAliasOfTheErasedIsKnown: who had no number in any list, was in an export and was
// erased since does not come back with it.
func TestAnAliasOfTheErasedIsKnown(t *testing.T) {
	var s registrytest.Store
	her := putPerson(t, &s, "", registry.ID{}, registry.Person{Names: named("ሰላም"), Sex: "f", Consents: yes()})
	putPerson(t, &s, "A-2", registry.ID{}, registry.Person{Names: named("Hawa"), Sex: "f", Consents: yes()})
	data, _ := write(t, &s, export.Options{Form: export.XLSX})
	if err := s.Erase(ctx, clerk, her, "asked"); err != nil {
		t.Fatal(err)
	}
	again := take(t, &s, export.XLSX, data)
	if n := again.Total(); n.Rejected != 1 || n.Duplicate != 1 || again.Findings[0].Code != intake.Erased {
		t.Errorf("%v %+v", n, again.Findings)
	}
}
