package registry_test

import (
	"testing"

	"aidpass/issuer/registry"
)

func TestTheFaceOfACardIsWhatWasChosenLast(t *testing.T) {
	var p registry.Person
	for _, step := range []struct {
		purpose string
		yes     bool
		on      string
		want    registry.CardFace
	}{
		{registry.NameOnCard, true, "2026-11-01", registry.CardFace{Name: true, On: "2026-11-01"}},
		{registry.PhotoOnCard, true, "2026-11-02", registry.CardFace{Name: true, Photo: true, On: "2026-11-02"}},
		{registry.NameOnCard, false, "2026-11-03", registry.CardFace{Photo: true, On: "2026-11-03"}},
		{registry.NameOnCard, false, "2026-11-04", registry.CardFace{Photo: true, On: "2026-11-03"}},
		{registry.NameOnCard, true, "2026-11-05", registry.CardFace{Name: true, Photo: true, On: "2026-11-05"}},
	} {
		p.ChooseFace(step.purpose, step.yes, "verbal", step.on)
		if p.CardFace == nil || *p.CardFace != step.want {
			t.Errorf("%s %v on %s: %+v, want %+v", step.purpose, step.yes, step.on, p.CardFace, step.want)
		}
	}
	if len(p.Consents) != 2 {
		t.Errorf("%d consents, want one of each purpose", len(p.Consents))
	}
	var neutral registry.Person
	if neutral.ChooseFace(registry.NameOnCard, false, "form", ""); neutral.CardFace != nil {
		t.Errorf("a no is the neutral face, got %+v", neutral.CardFace)
	}
}

func TestTheNewestAnswerDecidesWhatATableSees(t *testing.T) {
	answer := func(given bool, on, withdrawn string) registry.Consent {
		return registry.Consent{Purpose: registry.NameAtTable, Given: given, On: on, Withdrawn: withdrawn}
	}
	other := registry.Consent{Purpose: registry.NameOnCard, On: "2026-11-30"}
	for name, c := range map[string]struct {
		answers []registry.Consent
		want    bool
	}{
		"nobody asked":                {nil, false},
		"a no about the printed card": {[]registry.Consent{other}, false},
		"no":                          {[]registry.Consent{answer(false, "2026-11-01", ""), other}, true},
		"yes":                         {[]registry.Consent{answer(true, "2026-11-01", "")}, false},
		"a yes taken back":            {[]registry.Consent{answer(true, "2026-11-01", "2026-11-05")}, true},
		"no, later yes":               {[]registry.Consent{answer(true, "2026-11-05", ""), answer(false, "2026-11-01", "")}, false},
		"yes, later no":               {[]registry.Consent{answer(false, "2026-11-05", ""), answer(true, "2026-11-01", "")}, true},
		"both on one day":             {[]registry.Consent{answer(false, "2026-11-05", ""), answer(true, "2026-11-05", "")}, true},
		"both, no day known":          {[]registry.Consent{answer(true, "", ""), answer(false, "", "")}, true},
	} {
		if got := registry.Refused(c.answers, registry.NameAtTable); got != c.want {
			t.Errorf("%s: refused %v", name, got)
		}
	}
}
