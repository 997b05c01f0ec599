package console_test

import (
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/verifier/enrol"
)

// A phone with no server near comes by its file: its words are shown, nothing happens
// until somebody says that they are the phone's, and then its answer can be taken away.
func TestADeviceComesByFile(t *testing.T) {
	w := newWorld(t)
	b, k := w.as(own, access.DistributionLead), phoneKey(t)
	page := b.upload("/devices/key", url.Values{"site": {"WELL-A"}}, "key", requestOf(t, k, "tab-<b>7"))
	if got := page.Body.String(); page.Code != 200 || !strings.Contains(got, enrol.Words(k)) || !strings.Contains(got, "tab-&lt;b&gt;7") {
		t.Fatalf("the words: %d\n%s", page.Code, got)
	}
	form := url.Values{"days": {"30"}, "may": {"journal", "challenge"}, "site": {"WELL-A"}, "request": {hidden(t, page.Body.String(), "request")}}
	if a := b.post("/devices/new", form); a.Code != 422 || len(w.desks[own].told) > 0 {
		t.Errorf("without a word that somebody compared: %d %q", a.Code, w.desks[own].told)
	}
	form.Set("same", "yes")
	id := k.ID()
	d := access.Device{KID: id}
	if a := b.post("/devices/new", form); a.Code != 303 || a.Header().Get("Location") != "/desk/devices/of/"+d.ID() {
		t.Fatalf("certifying: %d %s", a.Code, a.Body)
	}
	for as, want := range map[string]string{"file": d.ID() + ".enrol", "codes": d.ID() + ".gif"} {
		a := b.post("/devices/of/"+d.ID()+"/answer", url.Values{"as": {as}, "reason": {"no network there"}})
		if a.Code != 200 || !strings.Contains(a.Header().Get("Content-Disposition"), want) || a.Header().Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
			t.Errorf("answer as %s: %d %v", as, a.Code, a.Header())
		}
	}
	for name, content := range map[string][]byte{"no file": nil, "another file": []byte("PK"), "too many bytes": make([]byte, 100_000)} {
		if a := b.upload("/devices/key", url.Values{"site": {"WELL-A"}}, "key", content); a.Code != 422 {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	want := []string{"certify tab-<b>7 of WELL-A for 30 days: [journal challenge]", "answer moving=false", "answer moving=true"}
	got := slices.Clone(w.desks[own].told)
	slices.Sort(got[1:])
	if !slices.Equal(got, want) {
		t.Errorf("the desk was told %q, want %q", got, want)
	}
}

// hidden is the value of a hidden field of a page.
func hidden(t *testing.T, page, field string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="`+field+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("no field %s on\n%s", field, page)
	}
	return value
}

// The list tells how old the lists of each device are, by site and state; a phone that
// waits stands on the home page of who may confirm it.
func TestTheListOfDevices(t *testing.T) {
	w := newWorld(t)
	x := w.device(own, access.DeviceConfirmed)
	list := w.desks[own].devices
	list[0].ListsAt, list[0].SeenAt = credential.FromStd(now.Add(-8*24*time.Hour)), now.Add(-time.Hour)
	y := w.device(own, access.DevicePending)
	z := w.device(own, access.DeviceConfirmed)
	w.desks[own].devices[2].FrozenFrom, w.desks[own].devices[2].FrozenAt = 7, now
	foreign := w.device(other, access.DeviceConfirmed)
	b := w.as(own, access.OrgAdmin)
	page := b.get("/devices").Body.String()
	for _, want := range []string{x.Name, y.Name, z.Name, "<bdi>192</bdi> h", "stopped: copied", "22 November 2026, 08:30 UTC"} {
		if !strings.Contains(page, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	if strings.Contains(page, foreign.Name) {
		t.Error("the list has another organisation's device")
	}
	for query, want := range map[string]string{"state=pending": y.Name, "state=frozen": z.Name, "site=NOWHERE": "No such device", "site=WELL-A&state=pending": y.Name} {
		got := b.get("/devices?" + query).Body.String()
		if !strings.Contains(got, want) || strings.Contains(got, ">"+x.Name+"<") {
			t.Errorf("%s: %s", query, got)
		}
	}
	if home := b.get("/").Body.String(); strings.Count(home, "Phones wait until somebody compares their words: <bdi>1</bdi>") != 1 || !strings.Contains(home, "found copied") {
		t.Errorf("home: %s", home)
	}
	if home := w.as(own, access.Auditor).get("/").Body.String(); strings.Contains(home, "Phones wait") {
		t.Error("an auditor is asked to compare words")
	}
}

// A device ends, for a reason of the list and from a time that was; one that was copied
// goes on when somebody says why.
func TestDevicesEndAndGoOn(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.DistributionLead)
	x := w.device(own, access.DeviceConfirmed)
	w.desks[own].devices[0].FrozenFrom = 7
	at := "/devices/of/" + x.ID()
	for _, c := range []struct {
		path string
		form url.Values
		code int
	}{
		{"/thaw", url.Values{"reason": {"lost"}}, 422},
		{"/answer", url.Values{"as": {"file"}}, 422},
		{"/thaw", url.Values{"reason": {"one_phone"}}, 303},
		{"/thaw", url.Values{"reason": {"one_phone"}}, 422},
		{"/withdraw", url.Values{}, 422},
		{"/withdraw", url.Values{"reason": {"stolen"}, "since": {"2026-11-23T00:00"}}, 422},
		{"/withdraw", url.Values{"reason": {"stolen"}, "since": {"2026-11-20T14:00"}}, 303},
		{"/withdraw", url.Values{"reason": {"stolen"}}, 422},
		{"/confirm", url.Values{"same": {"yes"}, "days": {"30"}, "may": {"journal"}}, 422},
	} {
		if a := b.post(at+c.path, c.form); a.Code != c.code {
			t.Errorf("%s %v: %d, want %d", c.path, c.form, a.Code, c.code)
		}
	}
	if want := []string{"thaw one_phone", "withdraw stolen 2026-11-20T14:00:00Z"}; !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the desk was told %q, want %q", w.desks[own].told, want)
	}
}

// What the program says of the state of things is text on the page, whatever it holds.
func TestAPackThatCannotBeBuilt(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.OrgAdmin)
	page := b.get("/devices/pack").Body.String() // what each place's pack will serve, before it is built
	for _, want := range []string{"Programme <bdi>VNPM</bdi>, round <bdi>1</bdi>", "Programme <bdi>K7Q2</bdi>, every round", "Every programme and round", "Any other place", "Nothing: no round names this place"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of packs lacks %q:\n%s", want, page)
		}
	}
	if a := b.post("/devices/pack", url.Values{"site": {"../WELL"}, "days": {"14"}, "photos": {"yes"}, "reason": {"no network there"}}); a.Code != 200 || a.Header().Get("Content-Disposition") != `attachment; filename="___WELL.pack"` {
		t.Errorf("a pack: %d %q", a.Code, a.Header().Get("Content-Disposition"))
	}
	if want := []string{"pack ../WELL 14 photos=true nolist=false"}; !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the desk was told %q", w.desks[own].told)
	}
	log := w.entries(own)
	if e := log[len(log)-1]; e.Action != "export.make" || e.Reason != "no network there" || e.Detail != "route=/devices/pack rows=34" || e.Actor.ID != b.member.id || e.Digest != sha256.Sum256([]byte("pack")) {
		t.Errorf("the log tells %+v", e)
	}
	d := w.device(own, access.DeviceConfirmed)
	for path, form := range map[string]url.Values{"/devices/pack": {"site": {"WELL-A"}, "days": {"14"}}, "/devices/of/" + deviceID(d) + "/answer": {"as": {"file"}}} {
		if a := b.post(path, form); a.Code != 403 || !strings.Contains(a.Body.String(), "needs a reason") || len(w.desks[own].told) != 1 {
			t.Errorf("%s without a reason: %d %q", path, a.Code, w.desks[own].told)
		}
	}
	for _, days := range []string{"", "0", "31", "x"} {
		if a := b.post("/devices/pack", url.Values{"site": {"WELL-A"}, "days": {days}}); a.Code != 422 {
			t.Errorf("%q days: %d", days, a.Code)
		}
	}
}
