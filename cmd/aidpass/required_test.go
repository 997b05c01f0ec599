package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/web/console"
)

// The country's place codes are loaded at the desk, from a workbook or a CSV as OCHA has them;
// lists and figures go by them from then on, and another list makes another measure.
func TestPlaceCodesAreKeptByTheOrganisation(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWalletsWith(nil)
	defer func() { stop() }()
	admin := s.visitor(t, client, "admin-1", access.OrgAdmin)
	var mark string
	places := func() (na string, bad int64) {
		t.Helper()
		r, err := s.a.qualityDesk(s.o, qualityFlags{}).Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := &r.Indicators[9]
		mark = m.Mark
		return m.NA, m.Definition.Own(m.In(indicator.All, "")).Bad
	}
	if na, _ := places(); na != "no_places" {
		t.Errorf("without a list: %q", na)
	}
	without := mark
	load := func(list string) (page string) {
		t.Helper()
		with := admin.filled("/organisation", "/organisation/file", nil)
		have, err := s.a.setting(console.SettingPlaces)
		if err != nil {
			t.Fatal(err)
		}
		with.Set("name", console.SettingPlaces)
		with.Set("before", fmt.Sprintf("%x", sha256.Sum256(have)))
		mime, body := admin.multipart("file", "eth_adm.csv", []byte(list), with)
		_, _, page = admin.try("POST", "/organisation/file", mime, body)
		return page
	}
	load("ADM1_PCODE,ADM1_EN,ADM2_PCODE,ADM2_EN\nZZ01,=Nowhere,ZZ0101,Elsewhere\n")
	na, bad := places()
	first := mark
	if na != "" || bad == 0 || first == without {
		t.Errorf("with a list of another country: %q, %d unknown, mark %s", na, bad, first)
	}
	if list, err := s.a.placeList(""); err != nil || !strings.HasSuffix(list["ZZ01"], "=Nowhere") || list["ZZ0101"] != "Elsewhere" {
		t.Errorf("%v %v", list, err)
	}
	load("adm1_pcode,adm1_name\nKE001,Mombasa\n")
	if _, fewer := places(); fewer >= bad || mark == first {
		t.Errorf("with the country's own: %d unknown, before %d", fewer, bad)
	}
	if page := load("name\nMombasa\n"); !strings.Contains(page, "pcode") {
		t.Errorf("without codes: %s", page)
	}
	if page := admin.get("/organisation/file?name=places"); page != "adm_pcode,adm_name\nKE001,Mombasa\n" {
		t.Errorf("as it is kept: %s", page)
	}
}

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
