package quality_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// paired is somebody with open possible doubles, of which some were told to be one person.
func paired(told ...bool) quality.Unit {
	u := person(func(*registry.Person) {})
	for _, t := range told {
		u.Doubles = append(u.Doubles, quality.Pair{Of: u.ID, With: registry.NewID(), Told: t})
	}
	return u
}

func TestAnOpenDoubleDoesWhatThePolicySays(t *testing.T) {
	for _, c := range []struct {
		policy string
		unit   quality.Unit
		want   quality.Outcome
		codes  []string
	}{
		{``, paired(false), quality.Issue, []string{"double_open"}},
		{``, paired(true), quality.Provisional, []string{"double_told"}},
		{``, paired(false, true), quality.Provisional, []string{"double_told", "double_open"}},
		{`"open_double":"note",`, paired(true), quality.Issue, []string{"double_told"}},
		{`"open_double":"refuse",`, paired(false), quality.Refuse, []string{"double_open"}},
		{`"open_double":{"told":"refuse"},`, paired(false), quality.Issue, []string{"double_open"}},
		{`"open_double":{"told":"refuse"},`, paired(false, true), quality.Refuse, []string{"double_told", "double_open"}},
		{`"open_double":{"told":"note","look":"refuse"},`, paired(true, false), quality.Refuse, []string{"double_open", "double_told"}},
	} {
		d := policy(t, c.policy).Gate("").Judge(c.unit, at)
		if d.Outcome != c.want || !slices.Equal(codes(d), c.codes) {
			t.Errorf("%s: %s %q, want %s %q", c.policy, d.Outcome, codes(d), c.want, c.codes)
		}
		for _, r := range d.Reasons {
			if r.Record != c.unit.ID || !slices.ContainsFunc(c.unit.Doubles, func(p quality.Pair) bool { return p.With == r.Other }) {
				t.Errorf("%s: the reason does not say which pair: %+v", c.policy, r)
			}
		}
	}
}

func policy(t *testing.T, more string) quality.Policy {
	t.Helper()
	p, err := quality.ReadPolicy([]byte(`{"aidpass_required":1,` + more + `"person":["name","sex","birth","origin","relation","location","registration"],"household":["size"],"threshold":0.9,"provisional_days":30}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A month more or less of the last word with them, whoever it was with: what counts is the newest.
func TestWhoWasNotMetForLongHasAShortCard(t *testing.T) {
	old := func(day string) quality.Unit {
		return person(func(p *registry.Person) { p.Registered, p.Consents[0].On = day, day })
	}
	met := old("2023-01-01")
	met.Met = at.AddDate(0, -2, 0)
	notice := old("2023-01-01")
	notice.Person.Consents[0].On = "2026-01-05"
	house := old("2023-01-01")
	house.Household.Registered = "2026-02"
	unknown := old("")
	unknown.Person.Consents[0].On = ""
	never := person(func(p *registry.Person) { p.Registered, p.Consents[0].On = "", "" })
	newborn := family(registry.Household{Registered: "2020-01-01"}, changed(func(p *registry.Person) { p.Registered, p.Consents[0].On = "2020-01-01", "2020-01-01" }), whole())
	for name, c := range map[string]struct {
		policy string
		unit   quality.Unit
		want   quality.Outcome
		months int // -1: no such reason
	}{
		"twelve months less a day":    {``, old("2025-11-23"), quality.Issue, -1},
		"twelve months":               {``, old("2025-11-22"), quality.Provisional, 12},
		"a year alone, of its start":  {``, old("2025"), quality.Provisional, 22},
		"three years":                 {``, old("2023-11-23"), quality.Provisional, 35},
		"spoken to since":             {``, met, quality.Issue, -1},
		"a notice since":              {``, notice, quality.Issue, -1},
		"the household since":         {``, house, quality.Issue, -1},
		"a member came in since":      {``, newborn, quality.Issue, -1},
		"nobody knows when":           {``, never, quality.Provisional, 0},
		"the policy waits longer":     {`"verified_months":36,`, old("2023-11-23"), quality.Issue, -1},
		"the policy waits less":       {`"verified_months":3,`, old("2026-07-01"), quality.Provisional, 4},
		"the policy tells it":         {`"unverified":"note",`, old("2023-11-23"), quality.Issue, 35},
		"the policy refuses":          {`"unverified":"refuse",`, old("2023-11-23"), quality.Refuse, 35},
		"and refuses the unknown too": {`"unverified":"refuse",`, unknown, quality.Refuse, 0},
	} {
		d := policy(t, c.policy).Gate("").Judge(c.unit, at)
		i := slices.IndexFunc(d.Reasons, func(r quality.Reason) bool { return r.Code == quality.ReasonOld })
		if d.Outcome != c.want || i >= 0 != (c.months >= 0) || i >= 0 && d.Reasons[i].Months != c.months {
			t.Errorf("%s: %s %+v, want %s, %d months", name, d.Outcome, d.Reasons, c.want, c.months)
		}
	}
}

// A defect is one thing wrong with a unit that is whole.
var defects = []struct {
	name string
	do   func(*quality.Unit)
}{
	{"told double", func(u *quality.Unit) {
		u.Doubles = append(u.Doubles, quality.Pair{Of: u.ID, With: registry.NewID(), Told: true})
	}},
	{"open double", func(u *quality.Unit) { u.Doubles = append(u.Doubles, quality.Pair{Of: u.ID, With: registry.NewID()}) }},
	{"long ago", func(u *quality.Unit) {
		for i := range u.Person.Consents {
			u.Person.Consents[i].On = "2021-01-01"
		}
		if u.Person.Registered != "" {
			u.Person.Registered = "2021-01-01"
		}
	}},
	{"no origin", func(u *quality.Unit) { u.Person.Origin = "" }},
	{"no place", func(u *quality.Unit) { u.Person.Location = nil }},
	{"no day of registration", func(u *quality.Unit) { u.Person.Registered = "" }},
	{"an issue", func(u *quality.Unit) {
		u.Person.Issues = append(u.Person.Issues, registry.Issue{Code: "x", Blocking: true, Text: "mend it"})
	}},
	{"no name", func(u *quality.Unit) { u.Person.Names = nil }},
	{"no to the notice", func(u *quality.Unit) {
		u.Person.Consents = append(u.Person.Consents, registry.Consent{Purpose: "registration"})
	}},
	{"closed", func(u *quality.Unit) { u.Person.Status = &registry.Status{State: "closed", Reason: "departed"} }},
}

// Whatever a policy says, one thing more that is wrong never makes a better outcome, each is
// told of, and a stricter policy never gives more. All sets of defects by all policies.
func TestMoreWrongIsNeverBetter(t *testing.T) {
	rank := map[quality.Outcome]int{quality.Issue: 0, quality.Provisional: 1, quality.Refuse: 2}
	words := []string{"note", "provisional", "refuse"}
	for i := range 27 {
		told, look, unverified := words[i%3], words[i/3%3], words[i/9]
		p := policy(t, fmt.Sprintf(`"open_double":{"told":%q,"look":%q},"unverified":%q,`, told, look, unverified))
		strict := 0
		for _, w := range []string{told, look, unverified} {
			if w == "refuse" {
				strict++
			}
		}
		if len(p.Strict()) != strict {
			t.Errorf("%s %s %s: strict %q", told, look, unverified, p.Strict())
		}
		gate := p.Gate("")
		var outcomes [1 << 10]int
		for set := range 1 << len(defects) {
			u := person(func(*registry.Person) {})
			var names []string
			for k, d := range defects {
				if set>>k&1 == 1 {
					d.do(&u)
					names = append(names, d.name)
				}
			}
			d := gate.Judge(u, at)
			outcomes[set] = rank[d.Outcome]
			if len(d.Reasons) == 0 != (set == 0) {
				t.Fatalf("%v: %+v", names, d.Reasons)
			}
			worst := quality.Issue
			for _, r := range d.Reasons {
				if rank[r.Weight] > rank[worst] {
					worst = r.Weight
				}
			}
			if d.Outcome != worst || d.Outcome == quality.Provisional != !d.Until.IsZero() {
				t.Fatalf("%v: %s until %v, and the worst reason is %s", names, d.Outcome, d.Until, worst)
			}
			for k := range defects {
				if less := set &^ (1 << k); outcomes[set] < outcomes[less] {
					t.Fatalf("told %s, look %s, unverified %s: %v is better than without %s", told, look, unverified, names, defects[k].name)
				}
			}
		}
	}
}

// What the defaults do for a doubt is a card of some days, never none.
func TestTheDefaultsRefuseNobodyForADoubt(t *testing.T) {
	if rules := quality.Default().Strict(); len(rules) != 0 {
		t.Errorf("the default refuses for %q", rules)
	}
	u := paired(true, false)
	u.Person.Registered, u.Person.Consents[0].On = "1999-01-01", "1999-01-01"
	if d := quality.Default().Gate("").Judge(u, at); d.Outcome != quality.Provisional || !d.Until.Equal(at.Add(30*24*time.Hour)) {
		t.Errorf("%+v", d)
	}
}

func TestWhatAPolicyMustSayOfDoubts(t *testing.T) {
	for text, want := range map[string]string{
		`"open_double":"never",`:            `"open_double"`,
		`"open_double":{"told":"perhaps"},`: `"open_double"`,
		`"open_double":{"else":"note"},`:    `"told"`,
		`"unverified":"stop",`:              `"unverified"`,
		`"verified_months":-1,`:             `"verified_months"`,
		`"verified_months":121,`:            `"verified_months"`,
	} {
		_, err := quality.ReadPolicy([]byte(`{"aidpass_required":1,` + text + `"person":["name"],"household":["size"],"threshold":0.9,"provisional_days":30}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
