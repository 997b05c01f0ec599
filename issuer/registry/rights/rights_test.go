package rights_test

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/rights"
)

const agreementFile = `id: relief-b-1
with: {id: relief-b, name: Relief B, kind: humanitarian, issuer: "https://relief-b.example/i1", contact: dpo@relief-b.example}
purpose: health
basis: consent
fields: [full_name, sex]
areas: [KE07]
levels: [KE07, KE0701]
exclude_origin: [SOM]
from: 2026-11-01
until: 2027-05-31
retention_days: 180
`

var (
	clerk = access.Actor{ID: "clerk", Role: access.Registrar}
	two   = access.Actor{ID: "admin", Role: access.OrgAdmin, SecondPerson: "dpo"}
)

func agreement(t *testing.T) rights.Agreement {
	t.Helper()
	a, err := rights.ParseAgreement([]byte(agreementFile))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAgreementsThatAreRefused(t *testing.T) {
	for name, c := range map[string][2]string{
		"a purpose of nobody's list":    {"purpose: health", "purpose: marketing"},
		"a purpose of one's own":        {"purpose: health", "purpose: copy"},
		"no exclusion, and no word why": {"exclude_origin: [SOM]", "exclude_origin: []"},
		"for ever":                      {"until: 2027-05-31", "until: 2036-05-31"},
		"before it begins":              {"until: 2027-05-31", "until: 2026-10-31"},
		"kept for ever":                 {"retention_days: 180", "retention_days: 0"},
		"no fields":                     {"fields: [full_name, sex]", "fields: []"},
		"a field twice":                 {"fields: [full_name, sex]", "fields: [sex, sex]"},
		"a government without country":  {"kind: humanitarian", "kind: government"},
		"health to a company":           {"kind: humanitarian", "kind: private"},
		"an unknown word":               {"basis: consent", "bases: consent"},
		"two in one file":               {"retention_days: 180\n", "retention_days: 180\n---\nid: x\n"},
		"a name that turns the line":    {"name: Relief B", "name: \"Relief\u202eB\""},
	} {
		text := strings.Replace(agreementFile, c[0], c[1], 1)
		if text == agreementFile {
			t.Fatalf("%s changes nothing", name)
		}
		var refusal *rights.Refusal
		if _, err := rights.ParseAgreement([]byte(text)); !errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAGovernmentNeverGetsThoseWhoFled(t *testing.T) {
	a := agreement(t)
	a.With.Kind, a.With.Country, a.Purpose, a.ExcludeOrigin, a.NoExclusion = rights.Government, "ETH", rights.Resettlement, nil, "nobody in the camp is at risk"
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
	if !a.Excludes("ETH") || a.Excludes("KEN") || a.Excludes("") {
		t.Error("whoever came from the government's own country is left out, and nobody else")
	}
}

func TestTheNewestAnswerCounts(t *testing.T) {
	b := agreement(t).With
	yes := registry.Consent{ID: "1", Purpose: "health", Given: true, Recipients: []string{"relief-b"}, On: "2026-11-01"}
	taken := yes
	taken.Withdrawn = "2026-11-02"
	ran := yes
	ran.Expires = "2026-11-20"
	for name, c := range map[string]struct {
		list []registry.Consent
		want rights.Answer
	}{
		"nobody asked":                  {nil, rights.NotAsked},
		"yes":                           {[]registry.Consent{yes}, rights.Yes},
		"yes for another purpose":       {[]registry.Consent{{Purpose: "payment", Given: true, Recipients: []string{"relief-b"}}}, rights.NotAsked},
		"yes to another":                {[]registry.Consent{{Purpose: "health", Given: true, Recipients: []string{"bank-c"}}}, rights.NotAsked},
		"yes to nobody by name":         {[]registry.Consent{{Purpose: "sharing", Given: true}}, rights.NotAsked},
		"yes to her kind, by a list":    {[]registry.Consent{{Purpose: "sharing", Given: true, Recipients: []string{"HUMANITARIAN_PARTNER"}}}, rights.Yes},
		"yes to governments, by a list": {[]registry.Consent{{Purpose: "sharing", Given: true, Recipients: []string{"GOVERNMENT_PARTNER"}}}, rights.NotAsked},
		"taken back":                    {[]registry.Consent{taken}, rights.No},
		"ran out":                       {[]registry.Consent{ran}, rights.NotAsked},
		"no, then yes":                  {[]registry.Consent{{Purpose: "health", Declined: []string{"relief-b"}}, yes}, rights.Yes},
		"yes, then no to all":           {[]registry.Consent{yes, {Purpose: "sharing"}}, rights.No},
		"yes, and not registered":       {[]registry.Consent{yes, {Purpose: "registration"}}, rights.No},
		"registered, and yes":           {[]registry.Consent{{Purpose: "registration", Given: true}, yes}, rights.Yes},
	} {
		if got, _ := rights.Said(c.list, rights.Health, b, "2026-11-22"); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestAYesToTwoIsTakenBackFromOne: the other's yes goes on.
func TestAYesToTwoIsTakenBackFromOne(t *testing.T) {
	s := &registrytest.Store{Now: func() time.Time { return at }}
	desk := &rights.Desk{Store: s, Org: relA, Now: s.Now}
	var id registry.ID
	err := s.Update(t.Context(), clerk, func(tx registry.Tx) error {
		saved, err := tx.Save(registry.Change{Kind: registry.KindPerson, External: "P-1", Fields: map[string][]byte{}})
		id = saved.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n := rights.Notice{ID: "sharing-1", Sort: rights.Asks, Purpose: rights.Health, From: "2026-11-01", Text: map[string]string{"en": "May we?"}}
	if err := desk.SaveNotice(t.Context(), clerk, n); err != nil {
		t.Fatal(err)
	}
	g := rights.Given{Purpose: rights.Health, To: map[string]bool{"relief-b": true, "relief-c": true, "bank-d": false}, Wording: "sharing-1", Lang: "en", How: "thumb", By: "caregiver"}
	if _, err := desk.Give(t.Context(), clerk, id, g); err != nil {
		t.Fatal(err)
	}
	if _, _, err := desk.Withdraw(t.Context(), clerk, id, rights.Health, "relief-b"); err != nil {
		t.Fatal(err)
	}
	answers, err := desk.Answers(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for party, want := range map[string]rights.Answer{"relief-b": rights.No, "relief-c": rights.Yes, "bank-d": rights.No, "relief-e": rights.NotAsked} {
		if got, _ := rights.Said(answers, rights.Health, rights.Party{ID: party}, "2026-11-22"); got != want {
			t.Errorf("%s: %d, want %d in %+v", party, got, want, answers)
		}
	}
	for _, e := range s.Notes() {
		if strings.Contains(e.Detail+e.Reason, "relief-c") {
			t.Errorf("what she answered stands in the log: %+v", e)
		}
	}
}

func TestTwoMakeAnAgreement(t *testing.T) {
	s := &registrytest.Store{Now: func() time.Time { return at }}
	desk := &rights.Desk{Store: s, Org: relA, Now: s.Now}
	a := agreement(t)
	if err := desk.MakeAgreement(t.Context(), access.Actor{ID: "admin", Role: access.OrgAdmin}, a); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("by one: %v", err)
	}
	for range 2 {
		if err := desk.MakeAgreement(t.Context(), two, a); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Notes()); n != 1 {
		t.Errorf("%d entries for one agreement", n)
	}
	more := a
	more.Fields = append(more.Fields, "phone")
	if err := desk.MakeAgreement(t.Context(), two, more); err == nil {
		t.Error("an agreement grew a field")
	}
}

// TestPlacesBeneathAPlace: beneath an area is what has the length of a deeper level of its
// country; where no levels are known an area is that one place.
func TestPlacesBeneathAPlace(t *testing.T) {
	areas, levels := []string{"SO11", "KE07", "ET"}, []string{"KE07", "KE0701", "KE07001001", "XX1", "XX101"}
	for pcode, want := range map[string]bool{"KE07": true, "KE0701": true, "KE07001001": true, " ke0701 ": true, "KE071": false, "KE07010": false, "KE08": false, "KE": false, "KE0": false, "": false, "XKE07": false,
		"SO11": true, "SO1101": false, "ET": true, "ET0107": true, "ETH01": false, "E": false} {
		if got := rights.InAreas(areas, levels, pcode); got != want {
			t.Errorf("%q: %v", pcode, got)
		}
	}
	for pcode, want := range map[string]bool{"XX1": true, "XX101": true, "XX12": false, "XX1201": false} { // not padded: XX1201 is of XX12
		if got := rights.InAreas([]string{"XX1"}, levels, pcode); got != want {
			t.Errorf("%q: %v", pcode, got)
		}
		if got := rights.InAreas([]string{"XX1"}, nil, pcode); got != (pcode == "XX1") {
			t.Errorf("%q, and no level is known: %v", pcode, got)
		}
	}
	for _, areas := range [][]string{nil, {}, {""}} {
		if rights.InAreas(areas, levels, "KE07") || rights.InAreas(areas, levels, "") {
			t.Errorf("%q: no area has a place in it", areas)
		}
	}
	for _, c := range []struct {
		areas, levels, others []string
		found                 bool
	}{
		{[]string{"XX1", "XX12"}, nil, nil, false}, // each is that place alone
		{[]string{"XX1", "XX12"}, []string{"XX101"}, nil, true},
		{[]string{"XX1"}, []string{"XX1201", "XX12"}, nil, true},
		{[]string{"XX1"}, []string{"XX1", "XX1201"}, []string{"XX12"}, true},
		{[]string{"XX1"}, []string{"XX1", "XX101"}, []string{"XX", "YY12", "XX202"}, false},
	} {
		if a, _ := rights.Unpadded(c.areas, c.levels, c.others); (a != "") != c.found {
			t.Errorf("%v: unpadded: %q", c, a)
		}
	}
	a := agreement(t)
	if a.Covers(nil) || a.Covers(&registry.Location{PCode: "KE071"}) || !a.Covers(&registry.Location{PCode: "KE0701"}) {
		t.Error("what an agreement covers is not what its areas are")
	}
	if a.Areas = nil; !a.Covers(nil) {
		t.Error("an agreement for everywhere covers who stays nowhere known")
	}
}

// TestNoAreaTellsOfItsNeighbour: in any country whose codes are padded to the same lengths,
// an area has in it the very places that were put beneath it, and with fewer levels known never one more.
func TestNoAreaTellsOfItsNeighbour(t *testing.T) {
	draw := rand.New(rand.NewPCG(7, 66))
	for range 300 {
		widths := []int{1 + draw.IntN(3), 2 + draw.IntN(2), 2 + draw.IntN(3)}
		padded := draw.IntN(2) == 0
		type place struct{ code, above string }
		var all []place
		var grow func(above string, depth int)
		grow = func(above string, depth int) {
			if depth == len(widths) {
				return
			}
			for range 3 {
				n := strconv.Itoa(1 + draw.IntN(pow10(widths[depth])-1))
				if padded {
					n = strings.Repeat("0", widths[depth]-len(n)) + n
				}
				all = append(all, place{above + n, above})
				grow(above+n, depth+1)
			}
		}
		grow("XX", 0)
		above := map[string]map[string]bool{} // an unpadded code may be that of two places
		for _, p := range all {
			if above[p.code] == nil {
				above[p.code] = map[string]bool{p.code: true}
			}
			for up := range above[p.above] {
				above[p.code][up] = true
			}
		}
		var known []string // a sample of each level
		if length := 2; padded {
			for _, w := range widths {
				length += w
				known = append(known, "XX"+strings.Repeat("1", length-2))
			}
		}
		for _, area := range all {
			for _, p := range all {
				beneath := above[p.code][area.code]
				if got := rights.InAreas([]string{area.code}, known, p.code); got && !beneath || padded && got != beneath {
					t.Fatalf("padded %v, levels %v: %s tells of %s: %v", padded, known, area.code, p.code, got)
				}
			}
		}
	}
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}
