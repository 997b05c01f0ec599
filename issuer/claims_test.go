package issuer_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/schemas"
)

var today = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func TestClaimsOfARecord(t *testing.T) {
	born := func(edtf string) *registry.Birth { return &registry.Birth{EDTF: edtf} }
	names := []registry.Name{{Text: "يوسف الحسن", Script: "Arab"}, {Text: "Yusuf al-Hasan", Script: "Latn", Type: "romanised"}}
	all := []string{"name", "name_latin", "birth_year", "sex", "age_over_18", "age_over_60", "age_under_5", "languages"}
	for name, c := range map[string]struct {
		typ   string
		who   registry.Person
		house registry.Household
		seal  []string
		want  map[string]any
	}{
		"nothing known": {typ: "eligibility", want: map[string]any{}},
		"the plain part says nothing of the person": {
			typ: "eligibility", who: registry.Person{Names: names, Sex: "m", Birth: born("1987"), Assurance: "document"},
			house: registry.Household{Size: 7}, want: map[string]any{"size_band": "6+", "assurance": "document"},
		},
		"what the gate of the type wants is taken": {
			typ: "registration", who: registry.Person{Names: names}, house: registry.Household{Size: 7}, want: map[string]any{"name": "يوسف الحسن"},
		},
		"sealed when asked": {
			typ: "registration", who: registry.Person{Names: names, Sex: "f", Birth: born("1987-05-12"), Languages: []string{"som", "swa"}}, seal: all,
			want: map[string]any{"name": "يوسف الحسن", "name_latin": "Yusuf al-Hasan", "birth_year": int64(1987), "sex": "f",
				"age_over_18": true, "age_over_60": false, "age_under_5": false, "languages": []string{"som", "swa"}},
		},
		"a name in Latin script is said once": {
			typ: "registration", who: registry.Person{Names: []registry.Name{{Text: "Amina", Script: "Latn"}}}, seal: all, want: map[string]any{"name": "Amina"},
		},
		"eighteen this year is not decided": {
			typ: "registration", who: registry.Person{Names: names[:1], Birth: born("2008")}, seal: all,
			want: map[string]any{"name": "يوسف الحسن", "birth_year": int64(2008), "age_over_60": false, "age_under_5": false},
		},
		"a decade has no year": {
			typ: "registration", who: registry.Person{Names: names[:1], Birth: born("198X")}, seal: all,
			want: map[string]any{"name": "يوسف الحسن", "age_over_18": true, "age_over_60": false, "age_under_5": false},
		},
		"an alternate may collect": {
			typ: "eligibility", house: registry.Household{Size: 1, Collectors: []registry.Collector{{Role: "primary"}, {Role: "alternate", To: "2026-12-31"}}},
			want: map[string]any{"size_band": "1", "collector_rule": "holder_or_alternate"},
		},
		"an alternate may no more": {
			typ: "eligibility", house: registry.Household{Collectors: []registry.Collector{{Role: "primary"}, {Role: "alternate", To: "2026-11-20"}, {Role: "alternate", Revoked: "2026-11-01"}}},
			want: map[string]any{"collector_rule": "holder_only"},
		},
	} {
		got, err := issuer.ClaimsOf(schemas.ByName(c.typ), c.who, c.house, today, c.seal)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
	var bad *schemas.ValueError
	if _, err := issuer.ClaimsOf(schemas.ByName("eligibility"), registry.Person{Assurance: "gossip"}, registry.Household{}, today, nil); !errors.As(err, &bad) {
		t.Errorf("a word the type has not: %v", err)
	}
}
