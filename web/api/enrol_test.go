package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/verifier/enrol"
	"aidpass/web/api"
)

func TestEnrolment(t *testing.T) {
	w := newWorld(t)
	tab := phone(t, "tab-1")
	var a struct{ State, Device, Site, Words, Certificate string }
	ask := func(r *httptest.ResponseRecorder, status int, state string) {
		t.Helper()
		if err := json.Unmarshal(r.Body.Bytes(), &a); err != nil || r.Code != status || a.State != state {
			t.Fatalf("%d %s, want %d %s", r.Code, r.Body, status, state)
		}
	}
	ask(w.enrol(t, "K7Q2M4XD", tab), 202, "pending")
	if a.Words != enrol.Words(tab.Key) || a.Site != "wellA" || a.Certificate != "" {
		t.Errorf("%+v", a)
	}
	ask(w.enrol(t, "K7Q2M4XD", tab), 202, "pending") // the answer was lost on the way
	want(t, "another phone with the same code", w.enrol(t, "K7Q2M4XD", phone(t, "tab-2")), 404, "code_unknown")
	want(t, "a guess", w.enrol(t, "00000000", phone(t, "tab-2")), 404, "code_unknown")

	path := "/api/v1/devices/" + a.Device
	want(t, "the pack of a device nobody confirmed", w.do("GET", path+"/pack", nil), 403, "device_pending")
	want(t, "its journal", w.do("POST", path+"/journal", record(1, "x"), "Content-Type", "application/cbor-seq"), 403, "device_pending")
	d := w.devices[tab.Key.ID()]
	d.State, d.Certificate = access.DeviceConfirmed, []byte("certificate")
	ask(w.do("GET", path, nil), 200, "confirmed")
	if raw, _ := base64.RawURLEncoding.DecodeString(a.Certificate); string(raw) != "certificate" {
		t.Errorf("certificate %q", a.Certificate)
	}
	if p := w.do("GET", path+"/pack", nil); p.Code != 200 || p.Body.Len() != 4000 {
		t.Errorf("pack: %d, %d bytes", p.Code, p.Body.Len())
	}
	d.FrozenFrom = 2
	want(t, "the pack of a copied device", w.do("GET", path+"/pack", nil), 403, "device_frozen")
	if u := w.do("POST", path+"/journal", record(1, "x"), "Content-Type", "application/cbor-seq"); u.Code != 200 {
		t.Errorf("a copied device's journal is lost: %d %s", u.Code, u.Body)
	}
	d.State = access.DeviceWithdrawn
	ask(w.do("GET", path, nil), 200, "withdrawn")
	if a.Certificate != "certificate" && strings.Contains(w.do("GET", path, nil).Body.String(), "certificate") {
		t.Error("a withdrawn device gets its certificate")
	}
	want(t, "the pack of a withdrawn device", w.do("GET", path+"/pack", nil), 410, "device_withdrawn")
	if u := w.do("POST", path+"/journal", record(1, "x"), "Content-Type", "application/cbor-seq"); u.Code != 200 {
		t.Errorf("what it handed out before is lost: %d %s", u.Code, u.Body)
	}
	d.State = access.DeviceRefused
	want(t, "a refused device", w.do("GET", path+"/pack", nil), 403, "device_refused")
	for _, kid := range []string{"", "x", "0000000000000000", strings.Repeat("0", 100)} {
		if r := w.do("GET", "/api/v1/devices/"+kid, nil); r.Code != 404 {
			t.Errorf("device %q: %d", kid, r.Code)
		}
	}
}

func TestTwoPhonesOneCode(t *testing.T) {
	w := newWorld(t)
	codes := make(chan int, 16)
	for i := range cap(codes) {
		r := phone(t, "tab-"+string(rune('a'+i)))
		// Each from an address of its own, as phones are.
		go func() { codes <- w.enrolFrom(t, "K7Q2M4XD", r, i) }()
	}
	won := 0
	for range cap(codes) {
		switch <-codes {
		case 202:
			won++
		case 404:
		default:
			t.Error("neither won nor lost")
		}
	}
	if won != 1 || len(w.devices) != 1 {
		t.Errorf("%d won, %d devices", won, len(w.devices))
	}
}

func (w *world) enrolFrom(t testing.TB, code string, r enrol.Request, from int) int {
	raw, err := r.Encode()
	if err != nil {
		t.Error(err)
	}
	body, _ := json.Marshal(map[string]string{"code": code, "request": base64.RawURLEncoding.EncodeToString(raw)})
	q := httptest.NewRequest("POST", "https://localhost/api/v1/enrol", bytes.NewReader(body))
	q.Header.Set("Content-Type", "application/json")
	q.RemoteAddr = "192.0.2." + string(rune('0'+from%10)) + ":1"
	a := httptest.NewRecorder()
	w.server.ServeHTTP(a, q)
	return a.Code
}

func TestCodesAreNotGuessed(t *testing.T) {
	now := time.Unix(60*1000, 0)
	w := newWorld(t, func(c *api.Config) { c.Now = func() time.Time { return now } })
	for range 10 {
		want(t, "a guess", w.enrol(t, "00000000", phone(t, "tab-1")), 404, "code_unknown")
	}
	a := w.enrol(t, "K7Q2M4XD", phone(t, "tab-1"))
	want(t, "the eleventh", a, 429, "too_many_tries")
	if a.Header().Get("Retry-After") != "60" {
		t.Errorf("Retry-After %q", a.Header().Get("Retry-After"))
	}
	if got := w.enrolFrom(t, "00000000", phone(t, "tab-1"), 3); got != 404 {
		t.Errorf("another phone meanwhile: %d", got)
	}
	now = now.Add(time.Minute)
	want(t, "a minute later", w.enrol(t, "K7Q2M4XD", phone(t, "tab-1")), 202, "")
	// And all clients together.
	tries := 0
	for i := range 10 {
		for range 10 {
			if w.enrolFrom(t, "00000000", phone(t, "tab-1"), i) == 404 {
				tries++
			}
		}
	}
	if tries > 60 {
		t.Errorf("%d guesses in a minute", tries)
	}
}

func TestHostileRequestsToEnrol(t *testing.T) {
	w := newWorld(t)
	good, _ := phone(t, "tab-1").Encode()
	request := base64.RawURLEncoding.EncodeToString(good)
	for name, r := range map[string]struct {
		mime, body string
		status     int
	}{
		"text, as a form of another page sends it": {"text/plain", `{"code":"K7Q2M4XD","request":"` + request + `"}`, 415},
		"no type":                       {"", `{}`, 415},
		"not JSON":                      {"application/json", `<html>`, 400},
		"nothing":                       {"application/json", ``, 400},
		"two objects":                   {"application/json", `{"code":"x"}{}`, 400},
		"a state of one's own choosing": {"application/json", `{"code":"K7Q2M4XD","request":"` + request + `","state":"confirmed"}`, 400},
		"a number for a code":           {"application/json", `{"code":1}`, 400},
		"no request":                    {"application/json", `{"code":"K7Q2M4XD"}`, 400},
		"padded base64":                 {"application/json", `{"code":"K7Q2M4XD","request":"` + request + `="}`, 400},
		"large":                         {"application/json", `{"code":"` + strings.Repeat("0", 2000) + `"}`, 413},
	} {
		w := w
		w.server = newWorld(t).server // a full count of tries
		a := w.do("POST", "/api/v1/enrol", []byte(r.body), "Content-Type", r.mime)
		if a.Code != r.status {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	if a := w.do("GET", "/api/v1/enrol", nil); a.Code != 404 {
		t.Errorf("GET: %d", a.Code)
	}
}

func FuzzEnrolBody(f *testing.F) {
	raw, _ := phone(f, "tab-1").Encode()
	f.Add([]byte(`{"code":"K7Q2M4XD","request":"` + base64.RawURLEncoding.EncodeToString(raw) + `"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := fuzzWorld(t)
		a := w.do("POST", "/api/v1/enrol", body, "Content-Type", "application/json")
		if a.Code != 202 && a.Code != 400 && a.Code != 404 && a.Code != 413 && a.Code != 429 {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
		if a.Code == 202 && !bytes.Contains(body, []byte("K7Q2M4XD")) && !bytes.ContainsRune(body, '\\') {
			t.Fatalf("enrolled without the code: %q", body)
		}
	})
}

// Behind a proxy that was named each client has limits of its own; without, all share one's.
func TestLimitsBehindAProxy(t *testing.T) {
	for name, named := range map[string]bool{"named": true, "not named": false} {
		now := time.Unix(60*1000, 0)
		w := newWorld(t, func(c *api.Config) {
			c.Now = func() time.Time { return now }
			if named {
				c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32")}
			}
		})
		try := func(client string) int {
			q := httptest.NewRequest("POST", "https://localhost/api/v1/enrol", strings.NewReader("{}"))
			q.Header.Set("Content-Type", "application/json")
			q.Header.Set("X-Forwarded-For", client)
			q.RemoteAddr = "10.0.0.7:4711"
			a := httptest.NewRecorder()
			w.server.ServeHTTP(a, q)
			return a.Code
		}
		for range 10 {
			try("203.0.113.5")
		}
		if got := try("203.0.113.5"); got != 429 {
			t.Errorf("%s: the eleventh try: %d", name, got)
		}
		if got := try("203.0.113.6"); (got == 429) == named {
			t.Errorf("%s: another client: %d", name, got)
		}
	}
}
