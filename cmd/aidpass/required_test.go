package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry/quality/indicator"
)

// One file says what is required: the form of an entry, a list that comes in at the desk and
// on the laptop, the gate before a card and the figures follow it the moment it changes, and
// histories say from when on another thing was counted.
func TestOneFileSaysWhatIsRequired(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWalletsWith(nil)
	defer func() { stop() }()
	clerk := s.visitor(t, client, "clerk-1", access.Registrar)
	const list = listHead + "N-1,Zuhura Mwinyi,F,1988-03-04,SOM,head,KE001,2026-10-01,yes\nN-2,Halima Juma,F,1990-03-04,SOM,head,KE001,2026-10-01,yes\n"
	if err := os.WriteFile(l.path("new.csv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	file := 0
	// said is what each part says of documents: form, list at the desk, list on the laptop, gate, DQ-01.
	said := func() (form, desk bool, laptop int, gate bool, share float64) {
		t.Helper()
		// The fields of documents stand together, and their heading has the mark.
		form = strings.Contains(clerk.get("/people/new"), `<summary>Documents <span class="small">needed for a card</span></summary>`)
		file++
		at, _ := clerk.upload("/imports", "file", "list.csv", []byte(strings.ReplaceAll(list, "N-", "N"+strings.Repeat("x", file)+"-")), nil)
		_, page := clerk.submit(at, at, nil)
		_, after, _ := strings.Cut(page, `<ul id="open">`)
		after, _, _ = strings.Cut(after, "</ul>")
		desk = strings.Contains(after, "of <bdi>2</bdi> people") && strings.Contains(after, "Documents")
		var in struct {
			Quality struct {
				Open map[string]int `json:"required_open"`
			} `json:"quality"`
		}
		if err := json.Unmarshal([]byte(l.must("registry", "import", l.path("new.csv"), "--dry-run", "--json")), &in); err != nil {
			t.Fatal(err)
		}
		_, out := l.run(t.Context(), "registry", "gate", "--unit", "person")
		gate = strings.Contains(out, "document")
		report, err := s.a.qualityDesk(s.o, qualityFlags{}).Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		one := &report.Indicators[0]
		return form, desk, in.Quality.Open["document"], gate, one.Definition.Values(one.In(indicator.All, ""))[0].Value
	}
	take := func(day int) {
		t.Helper()
		d := s.a.qualityDesk(s.o, qualityFlags{})
		d.Now = func() time.Time { return scriptClock().AddDate(0, 0, day) }
		if _, err := d.Take(context.WithoutCancel(t.Context()), access.Actor{ID: "clerk-1", Role: access.Registrar}); err != nil {
			t.Fatal(err)
		}
	}
	form, desk, laptop, gate, before := said()
	if form || desk || laptop != 0 || gate {
		t.Errorf("not required, and said: form %v, list %v and %d, gate %v", form, desk, laptop, gate)
	}
	take(-1)
	required := `{"aidpass_required": 1, "person": ["name", "sex", "birth", "origin", "relation", "location", "registration", "document"], "household": ["size", "location"], "threshold": 0.9, "provisional_days": 30}`
	if err := os.WriteFile(l.path("data/required.json"), []byte(required), 0o600); err != nil {
		t.Fatal(err)
	}
	form, desk, laptop, gate, now := said()
	if !form || !desk || laptop != 2 || !gate || now >= before {
		t.Errorf("required: form %v, list %v and %d, gate %v, DQ-01 %v, before %v", form, desk, laptop, gate, now, before)
	}
	take(0)
	if out := l.must("quality", "history"); !strings.Contains(out, "definition changed: DQ-01 DQ-02 DQ-03") {
		t.Errorf("history: %s", out)
	}
	if page := clerk.get("/quality"); strings.Count(page, "what is counted changed on") != 3 {
		t.Errorf("the page marks %d changes", strings.Count(page, "what is counted changed on"))
	}
}
