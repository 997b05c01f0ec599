package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/overheard"
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

type world struct {
	*desk
	server *api.Server
	logs   *overheard.Buffer // what the server wrote
}

func newWorld(t testing.TB, with ...func(*api.Config)) *world {
	t.Helper()
	w := &world{desk: newDesk(), logs: &overheard.Buffer{}}
	shelf := &api.Shelf{}
	shelf.Fill(map[string]*api.Document{
		"/public/trust.list": api.NewDocument("application/cose", bytes.Repeat([]byte("trust"), 500)),
		"/s/1":               api.NewDocument("application/statuslist+cwt", []byte("short")),
	})
	c := api.Config{Devices: w.desk, Packs: w.desk, Visits: w.desk, Public: shelf, Scanner: app, Wallet: app, Now: time.Now, Hosts: []string{"laptop.local"},
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

var fuzzWorld = func() func(t *testing.T) *world {
	var one sync.Once
	var w *world
	return func(t *testing.T) *world {
		one.Do(func() { w = newWorld(t, func(c *api.Config) { c.Limits.EnrolEach, c.Limits.EnrolAll = 1<<30, 1<<30 }) })
		return w
	}
}()
