package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"aidpass/access"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/verifier/enrol"
	"aidpass/web/api"
)

// desk is a server's house in memory: it does what the interfaces promise.
type desk struct {
	mu      sync.Mutex
	code    string // "" once used
	winner  [8]byte
	devices map[[8]byte]*access.Device
	stored  map[[32]byte]uint64 // records by hash
	slow    time.Duration       // a store takes that long
	err     error               // every store fails so
	packed  int                 // packs asked for
}

func (d *desk) Enrol(_ context.Context, code string, r enrol.Request) (access.Device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return access.Device{}, d.err
	}
	kid := r.Key.ID()
	if code != "K7Q2M4XD" || d.code == "" && d.winner != kid {
		return access.Device{}, api.ErrCode
	}
	d.code, d.winner = "", kid
	if d.devices[kid] == nil {
		d.devices[kid] = &access.Device{KID: kid, Key: r.Key, Name: r.Name, Site: "wellA", State: access.DevicePending}
	}
	return *d.devices[kid], nil
}

func (d *desk) Device(_ context.Context, kid [8]byte) (access.Device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v := d.devices[kid]; v != nil {
		return *v, nil
	}
	return access.Device{}, api.ErrNoDevice
}

func (d *desk) Pack(context.Context, access.Device) (*api.Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.packed++
	return api.NewDocument("application/octet-stream", bytes.Repeat([]byte("pack"), 1000)), d.err
}

// Accept takes records that are [sequence, anything]; a sequence of 666 is refused.
func (d *desk) Accept(ctx context.Context, _ access.Device, records [][]byte) ([]api.Ack, error) {
	d.mu.Lock()
	slow := d.slow
	d.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return nil, d.err
	}
	var acks []api.Ack
	for _, raw := range records {
		r := cbor.NewReader(raw)
		r.Array()
		a := api.Ack{Sequence: r.Uint(), Hash: sha256.Sum256(raw), State: api.Accepted}
		switch {
		case a.Sequence == 666:
			a.State, a.Reason = api.Refused, "bad_signature"
		case d.stored[a.Hash] != 0:
			a.State = api.Known
		default:
			d.stored[a.Hash] = a.Sequence
		}
		acks = append(acks, a)
	}
	return acks, nil
}

func (d *desk) Receipt(_ context.Context, v access.Device) ([]byte, error) {
	return []byte("receipt of " + v.ID()), nil
}

// behave sets how stores go from now on.
func (d *desk) behave(err error, slow time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err, d.slow = err, slow
}

func record(sequence uint64, text string) []byte {
	return cbor.AppendText(cbor.AppendUint(cbor.AppendArray(nil, 2), sequence), text)
}

func phone(t testing.TB, name string) enrol.Request {
	t.Helper()
	scalar := sha256.Sum256([]byte(name))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	key, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return enrol.Request{Key: key, Name: name}
}

func newDesk() *desk {
	return &desk{code: "K7Q2M4XD", devices: map[[8]byte]*access.Device{}, stored: map[[32]byte]uint64{}}
}

var app = fstest.MapFS{
	"index.html": {Data: []byte("<!doctype html><title>scanner</title>")},
	"app.js":     {Data: []byte(strings.Repeat("// scanner\n", 1000))},
	"core.wasm":  {Data: []byte("\x00asm")},
}

type world struct {
	*desk
	server *api.Server
	logs   *logs
}

// logs is what the server wrote.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t testing.TB, with ...func(*api.Config)) *world {
	t.Helper()
	w := &world{desk: newDesk(), logs: &logs{}}
	shelf := &api.Shelf{}
	shelf.Fill(map[string]*api.Document{
		"/public/trust.list": api.NewDocument("application/cose", bytes.Repeat([]byte("trust"), 500)),
		"/s/1":               api.NewDocument("application/statuslist+cwt", []byte("short")),
	})
	c := api.Config{Devices: w.desk, Packs: w.desk, Visits: w.desk, Public: shelf, Scanner: app, Now: time.Now, Hosts: []string{"laptop.local"},
		SetUp: func() api.SetUp {
			return api.SetUp{Addresses: []string{"https://192.0.2.7:8443"}, Local: "http://localhost:8080", LocalPort: "8080", CA: "/site-ca.crt"}
		},
		Log: slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range with {
		f(&c)
	}
	var err error
	if w.server, err = api.New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// confirmed enters a device that may upload, and returns the path of its routes.
func (w *world) confirmed(t testing.TB, name string) string {
	t.Helper()
	r := phone(t, name)
	d := &access.Device{KID: r.Key.ID(), Key: r.Key, Name: name, Site: "wellA", State: access.DeviceConfirmed, Certificate: []byte("certificate")}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.devices[d.KID] = d
	return "/api/v1/devices/" + d.ID()
}

// do sends one request; headers are name, value, name, value.
func (w *world) do(method, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://localhost:8443"+path, bytes.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	a := httptest.NewRecorder()
	w.server.ServeHTTP(a, r)
	return a
}

func (w *world) enrol(t testing.TB, code string, r enrol.Request, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	raw, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(map[string]string{"code": code, "request": base64.RawURLEncoding.EncodeToString(raw)})
	return w.do("POST", "/api/v1/enrol", body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// want checks status and error code of an answer.
func want(t *testing.T, what string, a *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	var p struct{ Error string }
	if code != "" {
		if err := json.Unmarshal(a.Body.Bytes(), &p); err != nil {
			t.Errorf("%s: %q: %v", what, a.Body, err)
		}
	}
	if a.Code != status || p.Error != code {
		t.Errorf("%s: %d %q, want %d %q", what, a.Code, p.Error, status, code)
	}
}

func TestDocumentsAreAskedForAgainCheaply(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/public/trust.list", "/s/1", "/scanner/", "/scanner/app.js", "/setup.css", "/", w.confirmed(t, "tab-1") + "/pack"} {
		whole := w.do("GET", path, nil)
		tag := whole.Header().Get("ETag")
		if whole.Code != 200 || !strings.HasPrefix(tag, `"`) || whole.Header().Get("Cache-Control") == "" {
			t.Errorf("%s: %d, ETag %q, Cache-Control %q", path, whole.Code, tag, whole.Header().Get("Cache-Control"))
		}
		for _, header := range []string{tag, `"x", ` + tag, "W/" + tag, "*"} {
			if again := w.do("GET", path, nil, "If-None-Match", header); again.Code != 304 || again.Body.Len() > 0 {
				t.Errorf("%s with If-None-Match %s: %d, %d bytes", path, header, again.Code, again.Body.Len())
			}
		}
		if other := w.do("GET", path, nil, "If-None-Match", `"x"`); other.Code != 200 {
			t.Errorf("%s with another ETag: %d", path, other.Code)
		}
		if head := w.do("HEAD", path, nil); head.Code != 200 || head.Body.Len() > 0 || head.Header().Get("ETag") != tag {
			t.Errorf("HEAD %s: %d, %d bytes", path, head.Code, head.Body.Len())
		}
	}
}

func TestGzipWhereItHelps(t *testing.T) {
	w := newWorld(t)
	plain := w.do("GET", "/public/trust.list", nil)
	packed := w.do("GET", "/public/trust.list", nil, "Accept-Encoding", "br, gzip")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("ETag") == plain.Header().Get("ETag") || packed.Header().Get("Vary") != "Accept-Encoding" {
		t.Fatalf("headers %v", packed.Header())
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, plain.Body.Bytes()) {
		t.Errorf("%v, %d bytes", err, len(got))
	}
	if a := w.do("GET", "/public/trust.list", nil, "Accept-Encoding", "gzip", "If-None-Match", packed.Header().Get("ETag")); a.Code != 304 {
		t.Errorf("the gzipped form again: %d", a.Code)
	}
	for _, header := range []string{"", "identity", "gzip;q=0", "br"} {
		if a := w.do("GET", "/public/trust.list", nil, "Accept-Encoding", header); a.Header().Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q: gzipped", header)
		}
	}
	if a := w.do("GET", "/s/1", nil, "Accept-Encoding", "gzip"); a.Header().Get("Content-Encoding") != "" {
		t.Error("five bytes were gzipped")
	}
	// A pack that broke off goes on where it was.
	if a := w.do("GET", "/public/trust.list", nil, "Range", "bytes=100-199", "If-Range", plain.Header().Get("ETag")); a.Code != 206 || a.Body.Len() != 100 {
		t.Errorf("a range: %d, %d bytes", a.Code, a.Body.Len())
	}
}

func TestScannerHeaders(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", "/scanner/", nil)
	h := a.Header()
	policy := h.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'none'", "report-uri /api/v1/csp-report"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("the policy %q lets in too much", policy)
	}
	for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer"} {
		if h.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, h.Get(name), value)
		}
	}
	if !strings.Contains(h.Get("Permissions-Policy"), "camera=(self), microphone=(self)") {
		t.Errorf("Permissions-Policy: %q", h.Get("Permissions-Policy"))
	}
	for name, mime := range map[string]string{"app.js": "text/javascript; charset=utf-8", "core.wasm": "application/wasm", "index.html": "text/html; charset=utf-8"} {
		if got := w.do("GET", "/scanner/"+name, nil).Header().Get("Content-Type"); got != mime {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, path := range []string{"/scanner/nothing", "/scanner/../api", "/scanner//app.js", "//scanner/app.js", "/scanner/%2e%2e/app.js", "/scanner/app.js;x", "/.git/config", "/scanner", "/admin"} {
		if a := w.do("GET", path, nil); a.Code != 404 {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
}

func TestPolicyReportsAreCounted(t *testing.T) {
	w := newWorld(t)
	old := `{"csp-report":{"document-uri":"https://192.0.2.7/scanner/?name=Amina","effective-directive":"script-src-elem","blocked-uri":"https://evil.example/"}}`
	list := `[{"type":"csp-violation","body":{"effectiveDirective":"Amina","blockedURL":"inline"}}]`
	for _, r := range []struct{ mime, body string }{{"application/csp-report", old}, {"application/reports+json", list}, {"text/plain", "\x1b[31m"}} {
		want(t, r.mime, w.do("POST", "/api/v1/csp-report", []byte(r.body), "Content-Type", r.mime), 204, "")
	}
	want(t, "a large one", w.do("POST", "/api/v1/csp-report", make([]byte, 20_000)), 413, "too_large")
	if got := w.do("GET", "/api/v1/csp-report", nil).Body.String(); got != "{\"count\":3}\n" {
		t.Errorf("count %q", got)
	}
	if l := w.logs.String(); !strings.Contains(l, "script-src-elem") || strings.Contains(l, "Amina") || strings.Contains(l, "evil") || strings.Contains(l, "\x1b") {
		t.Errorf("the log says %q", l)
	}
}

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

type acks struct {
	Ack, Device string
	Records     []struct {
		Sequence      uint64
		SHA256        string
		State, Reason string
	}
}

func (w *world) upload(t testing.TB, path string, records ...[]byte) acks {
	t.Helper()
	a := w.do("POST", path+"/journal", bytes.Join(records, nil), "Content-Type", "application/cbor-seq")
	var got acks
	if err := json.Unmarshal(a.Body.Bytes(), &got); err != nil || a.Code != 200 || got.Ack != "aidpass-ack-1" || len(got.Records) != len(records) {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	return got
}

func TestUploadsMayComeTwiceAndInAnyOrder(t *testing.T) {
	w := newWorld(t)
	path := w.confirmed(t, "tab-1")
	one, two, three, bad := record(1, "a"), record(2, "b"), record(3, "c"), record(666, "x")
	states := func(got acks) (s string) {
		for _, r := range got.Records {
			s += r.State + " "
		}
		return s
	}
	for _, step := range []struct {
		what string
		sent [][]byte
		want string
	}{
		{"the last first", [][]byte{three}, "accepted "},
		{"all, one of them bad", [][]byte{one, bad, two, three}, "accepted refused accepted known "},
		{"the answer was lost: again", [][]byte{one, bad, two, three}, "known refused known known "},
	} {
		if got := states(w.upload(t, path, step.sent...)); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
	}
	if len(w.stored) != 3 {
		t.Errorf("%d are stored", len(w.stored))
	}
	sum := sha256.Sum256(two)
	if got := w.upload(t, path, two).Records[0]; got.SHA256 != hex.EncodeToString(sum[:]) || got.Sequence != 2 {
		t.Errorf("%+v", got)
	}
}

func TestHostileUploads(t *testing.T) {
	w := newWorld(t)
	path := w.confirmed(t, "tab-1") + "/journal"
	seq := "application/cbor-seq"
	post := func(body []byte, headers ...string) *httptest.ResponseRecorder {
		return w.do("POST", path, body, append([]string{"Content-Type", seq}, headers...)...)
	}
	want(t, "nothing", post(nil), 400, "bad_body")
	want(t, "cut off", post(record(1, "abc")[:4]), 400, "bad_body")
	want(t, "a good record and half of one", post(append(record(1, "a"), record(2, "abc")[:4]...)), 400, "bad_body")
	want(t, "not CBOR", post([]byte("<html>\xff")), 400, "bad_body")
	want(t, "too large", post(make([]byte, api.MaxUploadBytes+1)), 413, "too_large")
	want(t, "too many", post(bytes.Repeat([]byte{0x01}, api.MaxUploadRecords+1)), 413, "too_large")
	want(t, "gzipped", post(record(1, "a"), "Content-Encoding", "gzip"), 415, "wrong_content_type")
	want(t, "a form", w.do("POST", path, record(1, "a"), "Content-Type", "application/x-www-form-urlencoded"), 415, "wrong_content_type")
	want(t, "nobody's", w.do("POST", "/api/v1/devices/0102030405060708/journal", record(1, "a"), "Content-Type", seq), 404, "device_unknown")
	if len(w.stored) != 0 {
		t.Errorf("%d are stored", len(w.stored))
	}
}

func TestWhoMayCall(t *testing.T) {
	w := newWorld(t)
	path := w.confirmed(t, "tab-1")
	for host, status := range map[string]int{"localhost:8443": 200, "192.168.43.1:8443": 200, "[fe80::1]:8443": 200, "laptop.local:8443": 200, "LAPTOP.local": 200,
		"evil.example": 421, "laptop.local.evil.example:8443": 421, "localhost.evil.example": 421, "": 421} {
		if a := w.do("GET", path, nil, "Host", host); a.Code != status {
			t.Errorf("Host %q: %d", host, a.Code)
		}
	}
	upload := func(headers ...string) *httptest.ResponseRecorder {
		return w.do("POST", path+"/journal", record(1, "a"), append([]string{"Content-Type", "application/cbor-seq"}, headers...)...)
	}
	want(t, "another site's page", upload("Sec-Fetch-Site", "cross-site"), 403, "cross_origin")
	want(t, "another port's page", upload("Sec-Fetch-Site", "same-site"), 403, "cross_origin")
	want(t, "an old browser's other page", upload("Origin", "https://evil.example"), 403, "cross_origin")
	want(t, "its own page", upload("Sec-Fetch-Site", "same-origin", "Origin", "https://localhost:8443"), 200, "")
	want(t, "a method by another name", w.do("GET", path+"/journal", nil, "X-HTTP-Method-Override", "POST"), 404, "not_found")
	for method, status := range map[string]int{"PUT": 405, "DELETE": 405, "TRACE": 405, "PATCH": 405, "OPTIONS": 204} {
		a := w.do(method, path+"/journal", nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST", "Sec-Fetch-Site", "same-origin")
		if a.Code != status || a.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", method, a.Code, a.Header())
		}
	}
}

func TestLogsNameNobody(t *testing.T) {
	w := newWorld(t)
	path := w.confirmed(t, "tab-1")
	w.upload(t, path, record(1, "Amina Canary"))
	w.enrol(t, "K7Q2M4XD", phone(t, "Amina-phone"), "User-Agent", "Amina-agent", "Cookie", "Amina-cookie")
	w.do("GET", "/Amina?name=Amina%0A", nil, "Referer", "https://Amina.example/")
	w.do("AMINA", "/", nil)
	w.do("GET", "/scanner/Amina", nil, "X-Request-ID", "Amina\n")
	w.err = errors.New("storage: upload visits: constraint")
	want(t, "a fault", w.do("POST", path+"/journal", record(9, "Amina"), "Content-Type", "application/cbor-seq"), 500, "fault")
	l := w.logs.String()
	for _, stray := range []string{"Amina", "AMINA", "192.0.2.1", "K7Q2M4XD"} {
		if strings.Contains(l, stray) {
			t.Errorf("the log holds %q:\n%s", stray, l)
		}
	}
	if !strings.Contains(l, "route=/api/v1/devices/:kid/journal status=500") || !strings.Contains(l, "constraint") {
		t.Errorf("the log does not tell the fault:\n%s", l)
	}
	a := w.do("GET", "/healthz", nil)
	if len(a.Header().Get("X-Request-ID")) != 16 {
		t.Errorf("request id %q", a.Header().Get("X-Request-ID"))
	}
}

func TestBusyIsSaid(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Limits.Wait = 50 * time.Millisecond; c.Limits.Waiting = 1 })
	path := w.confirmed(t, "tab-1")
	post := func() *httptest.ResponseRecorder {
		return w.do("POST", path+"/journal", record(1, "a"), "Content-Type", "application/cbor-seq")
	}
	w.behave(api.ErrBusy, 0)
	a := post()
	want(t, "the database says so", a, 503, "busy")
	if a.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.behave(nil, time.Hour)
	want(t, "it does not answer in time", post(), 503, "busy")
	w.behave(nil, 0)
	for range 100 { // the one before gives its place back
		if a = post(); a.Code == 200 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	want(t, "afterwards", a, 200, "")
	w.behave(context.DeadlineExceeded, 0)
	want(t, "it gave up", post(), 503, "busy")
	w.behave(api.ErrFull, 0)
	a = post()
	want(t, "no room", a, 503, "storage_full")
	if a.Header().Get("Retry-After") == "" || a.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(a.Body.String(), "aidpass-ack") {
		t.Errorf("no room: %v %s", a.Header(), a.Body)
	}
}

// One client that is slow, in however many connections, leaves the others their places.
func TestNobodyTakesAllPlaces(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Limits.InFlight, c.Limits.Each = 8, 2 })
	path := w.confirmed(t, "tab-1")
	ask := func(from string, body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "https://localhost:8443"+path+"/journal", body)
		r.Header.Set("Content-Type", "application/cbor-seq")
		r.RemoteAddr = from
		a := httptest.NewRecorder()
		w.server.ServeHTTP(a, r)
		return a
	}
	var all sync.WaitGroup
	var ends []io.Closer
	for i := range 2 {
		slow, end := io.Pipe()
		ends = append(ends, end)
		all.Go(func() { ask("[2001:db8::"+string(rune('1'+i))+"]:5", slow) })
		if _, err := end.Write([]byte{0x82}); err != nil { // it is inside, and reads
			t.Fatal(err)
		}
	}
	want(t, "a third one of the same network", ask("[2001:db8::9]:7", strings.NewReader("")), 503, "busy")
	want(t, "another phone", ask("192.0.2.7:7", bytes.NewReader(record(1, "a"))), 200, "")
	for range 20 {
		want(t, "this machine's cables", ask("127.0.0.1:7", bytes.NewReader(record(2, "a"))), 200, "")
	}
	for _, end := range ends {
		end.Close()
	}
	all.Wait()
	want(t, "afterwards", ask("[2001:db8::9]:7", bytes.NewReader(record(3, "a"))), 200, "")
}

func TestSetUpPage(t *testing.T) {
	w := newWorld(t)
	for lang, title := range map[string]string{"en": "Set up a phone", "fr": "Préparer un téléphone", "es": "Preparar un teléfono", "ar": "إعداد هاتف", "sw": "Andaa simu"} {
		a := w.do("GET", "/?lang="+lang, nil)
		page := a.Body.String()
		if a.Code != 200 || !strings.Contains(page, title) || !strings.Contains(page, `lang="`+lang+`"`) || strings.Contains(page, "no value") {
			t.Errorf("%s: %d\n%s", lang, a.Code, page)
		}
		for _, part := range []string{"https://192.0.2.7:8443/scanner/", "adb reverse tcp:8080 tcp:8080", "/site-ca.crt", "SHA-256", "aidpass site-ca show", "Android", "iPhone", "data:image/png;base64,"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s: the page lacks %q", lang, part)
			}
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "style=") {
			t.Errorf("%s: script or style inside", lang)
		}
	}
	// First what works for whom asks: localhost at the computer, https on a phone.
	for host, first := range map[string]string{"localhost:8080": "http://localhost:8080/scanner/", "127.0.0.1": "http://localhost:8080/scanner/", "192.0.2.7:8443": "https://192.0.2.7:8443/scanner/"} {
		page := w.do("GET", "/", nil, "Host", host).Body.String()
		_, link, _ := strings.Cut(page, `<a href="http`)
		if !strings.HasPrefix("http"+link, first+`"`) {
			t.Errorf("at %s the first address is http%.40s, want %s", host, link, first)
		}
		for _, who := range []string{"On this computer", "On phones in the same network: First install"} {
			if strings.Count(page, who) != 1 {
				t.Errorf("at %s the page says %d times whom %q is for", host, strings.Count(page, who), who)
			}
		}
	}
	if page := w.do("GET", "/?lang=ar", nil).Body.String(); !strings.Contains(page, `dir="rtl"`) {
		t.Error("Arabic runs from left to right")
	}
	if page := w.do("GET", "/", nil, "Accept-Language", "pt, fr-CH;q=0.8, en;q=0.5").Body.String(); !strings.Contains(page, `lang="fr"`) {
		t.Error("Accept-Language is not heard")
	}
	if page := w.do("GET", "/?lang=<script>", nil).Body.String(); strings.Contains(page, "<script>") || !strings.Contains(page, `lang="en"`) {
		t.Error("the query gets into the page")
	}
}

// Whatever is sent as a journal: an answer for every record, or a refusal of the whole.
func FuzzJournal(f *testing.F) {
	f.Add(append(record(1, "a"), record(666, "x")...))
	f.Add([]byte{0x9f, 0x01})
	f.Add(bytes.Repeat([]byte{0x00}, api.MaxUploadRecords+1))
	w := newWorld(f)
	path := w.confirmed(f, "tab-1")
	f.Fuzz(func(t *testing.T, body []byte) {
		a := w.do("POST", path+"/journal", body, "Content-Type", "application/cbor-seq")
		if a.Code != 200 {
			if a.Code != 400 && a.Code != 413 {
				t.Fatalf("%d %s", a.Code, a.Body)
			}
			return
		}
		var got acks
		if err := json.Unmarshal(a.Body.Bytes(), &got); err != nil || len(got.Records) == 0 {
			t.Fatalf("%v %s", err, a.Body)
		}
		// The records are the body, cut and nothing left over.
		rest := body
		for _, r := range got.Records {
			n, _, err := cbor.Scan(rest, cbor.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(rest[:n]); hex.EncodeToString(sum[:]) != r.SHA256 {
				t.Fatalf("%x is answered as %s", rest[:n], r.SHA256)
			}
			rest = rest[n:]
		}
		if len(rest) > 0 {
			t.Fatalf("%d bytes were not answered", len(rest))
		}
	})
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

var fuzzWorld = func() func(t *testing.T) *world {
	var one sync.Once
	var w *world
	return func(t *testing.T) *world {
		one.Do(func() { w = newWorld(t, func(c *api.Config) { c.Limits.EnrolEach, c.Limits.EnrolAll = 1<<30, 1<<30 }) })
		return w
	}
}()
