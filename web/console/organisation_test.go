package console_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/web/console"
)

// Settings are seen by who may and changed by who may, and not over what somebody else
// changed meanwhile.
func TestSettingsOfTheOrganisation(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.OrgAdmin)
	page := b.get("/organisation").Body.String()
	before := hidden(t, page, "before")
	form := url.Values{"complaint": {`"+254 <700>`}, "before": {before}}
	if a := b.post("/organisation/complaint", form); a.Code != 303 {
		t.Errorf("the line: %d", a.Code)
	}
	if a := b.post("/organisation/complaint", form); a.Code != 409 {
		t.Errorf("over another's change: %d", a.Code)
	}
	if page := w.as(own, access.PlatformOperator).get("/organisation").Body.String(); !strings.Contains(page, "254 &lt;700&gt;") || strings.Contains(page, "/desk/organisation/complaint") {
		t.Errorf("to who only reads: %s", page)
	}
	file := url.Values{"name": {"labels"}, "before": {before}}
	if a := b.upload("/organisation/file", file, "", nil); a.Code != 422 {
		t.Errorf("no file: %d", a.Code)
	}
	if a := b.upload("/organisation/file", file, "file", []byte(`{"RICE":{"en":"Rice"}}`)); a.Code != 303 {
		t.Errorf("a file: %d", a.Code)
	}
	if a := b.get("/organisation/file?name=labels"); a.Code != 200 || a.Body.String() != `{"RICE":{"en":"Rice"}}` {
		t.Errorf("the file again: %d %s", a.Code, a.Body)
	}
	for path, code := range map[string]int{"/organisation/file?name=required": 404, "/organisation/file?name=../x": 400} {
		if a := b.get(path); a.Code != code {
			t.Errorf("%s: %d, want %d", path, a.Code, code)
		}
	}
	if want := []string{`set complaint to "+254 <700>`, `set labels to {"RICE":{"en":"Rice"}}`}; !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the desk was told %q", w.desks[own].told)
	}
}

// What loosens waits for another administrator, who is told what is now and what would be;
// what tightens counts at once.
func TestSettingsAreLoosenedByTwo(t *testing.T) {
	w := newWorld(t)
	w.doors[own].Handle(access.SettingsLoosen, console.SettingsExecutor(own, opsDesks{w}, w.doors[own]))
	one, two := w.as(own, access.OrgAdmin), w.as(own, access.OrgAdmin)
	file := func(threshold, more string) []byte {
		return []byte(`{"aidpass_required":1,"person":["name","birth"` + more + `],"household":["size"],"threshold":` + threshold + `,"provisional_days":30}`)
	}
	strict, loose := file("1", `,"sex"`), file("0.4", "")
	if err := (opsDesks{w}).Set(t.Context(), own, access.Actor{ID: "a", Role: access.OrgAdmin, SecondPerson: "b"}, console.SettingRequired, sha256.Sum256(nil), strict); err != nil {
		t.Fatal(err)
	}
	before := func(name string) string {
		sum := sha256.Sum256(w.desks[own].settings[name])
		return hex.EncodeToString(sum[:])
	}
	required := func(b []byte) int {
		return one.upload("/organisation/file", url.Values{"name": {"required"}, "before": {before("required")}}, "file", b).Code
	}
	for _, c := range []struct {
		name, tighter, looser string
		says                  []string
	}{
		{"pairs", "29", "500", []string{"approve <bdi>500</bdi> times", "instead of <bdi>29</bdi>"}},
		{"offers", "19", "400", []string{"make <bdi>400</bdi> offers", "instead of <bdi>19</bdi>"}},
		{"rechecks", "6", "0", []string{"<bdi>0</bdi> households", "instead of <bdi>6</bdi>"}},
		{"required", string(file("1", `,"sex","origin"`)), string(loose), []string{"<bdi>0.4</bdi> instead of <bdi>1</bdi>", "Not required of people any more: Sex", "any more: Country of origin"}},
	} {
		set := func(value string) int {
			if c.name == "required" {
				return required([]byte(value))
			}
			return one.post("/organisation/"+c.name, url.Values{c.name: {value}, "before": {before(c.name)}}).Code
		}
		if code := set(c.tighter); code != 303 || string(w.desks[own].settings[c.name]) != c.tighter {
			t.Errorf("%s, tighter: %d, it is %s", c.name, code, w.desks[own].settings[c.name])
		}
		if code := set(c.looser); code != 303 || string(w.desks[own].settings[c.name]) != c.tighter {
			t.Errorf("%s, looser, by one: %d, it is %s", c.name, code, w.desks[own].settings[c.name])
		}
		open, err := w.doors[own].Open(t.Context(), boss)
		if err != nil || len(open) != 1 {
			t.Fatal(open, err)
		}
		at := "/approvals/" + open[0].ID
		page := two.get(at).Body.String()
		for _, says := range c.says {
			has(t, page, says)
		}
		if a := one.post(at+"/approve", url.Values{"hash": {hex.EncodeToString(open[0].Hash[:])}}); a.Code != 403 {
			t.Errorf("%s, approved by who asked: %d", c.name, a.Code)
		}
		if a := two.submit(page, "/desk"+at+"/approve"); a.Code != 303 || string(w.desks[own].settings[c.name]) != c.looser {
			t.Errorf("%s, looser, by two: %d, it is %s", c.name, a.Code, w.desks[own].settings[c.name])
		}
	}
	// Changed meanwhile, it is not what was approved.
	one.post("/organisation/offers", url.Values{"offers": {"500"}, "before": {before("offers")}})
	one.post("/organisation/offers", url.Values{"offers": {"3"}, "before": {before("offers")}})
	open, err := w.doors[own].Open(t.Context(), boss)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	at := "/approvals/" + open[0].ID
	if a := two.submit(two.get(at).Body.String(), "/desk"+at+"/approve"); a.Code != 409 || string(w.desks[own].settings["offers"]) != "3" {
		t.Errorf("what is not any more: %d, %s", a.Code, w.desks[own].settings["offers"])
	}
}
