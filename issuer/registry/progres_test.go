package registry_test

import (
	"slices"
	"testing"

	"aidpass/issuer/registry"
)

func TestCountriesOfProGresAreNotThoseOfISO(t *testing.T) {
	for iso, code := range map[string]string{
		"AUS": "AUL", "AUT": "AUS", "EGY": "ARE", "ARE": "UAE", "MAR": "MOR", "SYR": "SYR", "COD": "COD", "COG": "COB", "SDN": "SUD", "SSD": "SSD",
	} {
		if got := registry.ProGresCountry(iso); got != code {
			t.Errorf("%s: %s, want %s", iso, got, code)
		}
		if got, ok := registry.CountryOfProGres(code); !ok || got != iso {
			t.Errorf("proGres %s: %s %t, want %s", code, got, ok, iso)
		}
	}
	for _, code := range []string{"U", "-", "ZZZ", "", "QQQ", "XKX", "YUG"} {
		if iso, ok := registry.CountryOfProGres(code); ok {
			t.Errorf("proGres %q is %s", code, iso)
		}
	}
	for _, iso := range []string{"", "U", "QQQ", "GGY"} {
		if code := registry.ProGresCountry(iso); code != registry.ProGresUnknown {
			t.Errorf("ISO %q is %s", iso, code)
		}
	}
}

// Every country there and back again, or unknown: never another one.
func TestNoCountryBecomesAnother(t *testing.T) {
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				iso := string([]rune{a, b, c})
				if registry.CountryName(iso) == "" {
					continue
				}
				n++
				code := registry.ProGresCountry(iso)
				if back, ok := registry.CountryOfProGres(code); code != registry.ProGresUnknown && (!ok || back != iso) {
					t.Errorf("%s goes out as %s and comes back as %s", iso, code, back)
				}
			}
		}
	}
	if n < 200 {
		t.Errorf("%d countries", n)
	}
}

func TestRelationsOfProGres(t *testing.T) {
	for _, relation := range registry.Relations() {
		for _, sex := range []string{"f", "m"} {
			code := registry.ProGresRelation(relation, sex)
			if relation == registry.NoRelation {
				if code != registry.ProGresUnknown {
					t.Errorf("%s: %s", relation, code)
				}
				continue
			}
			if back, ok := registry.RelationOfProGres(code); !ok || back != relation {
				t.Errorf("%s (%s) goes out as %s and comes back as %q", relation, sex, code, back)
			}
		}
	}
	if got := registry.ProGresRelation("head", ""); got != "PA" {
		t.Errorf("a head: %s", got)
	}
	if got := registry.ProGresRelation("child", "u"); got != registry.ProGresUnknown {
		t.Errorf("a child: %s", got)
	}
	for _, code := range []string{"U", "-", "", "QQQ"} {
		if r, ok := registry.RelationOfProGres(code); ok {
			t.Errorf("%q is %s", code, r)
		}
	}
	if !slices.Contains(registry.Relations(), "spouse") {
		t.Error("no spouse")
	}
}
