package console_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/witness"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/issuer/insight"
	"aidpass/issuer/registry"
	"aidpass/trust"
	"aidpass/verifier/enrol"
	"aidpass/verifier/verifiertest"
	"aidpass/web/console"
)

// ops are the screens of devices, trust, log, reports and settings, each on a desk in
// memory that knows both organisations.
func (w *world) ops() []console.Screen {
	d := opsDesks{w}
	for org, door := range w.doors {
		door.Handle(access.TrustWithdrawKey, access.Executor{
			Payload: func(ctx context.Context, kid string) ([]byte, error) {
				t, err := d.Trust(ctx, org)
				if err != nil {
					return nil, err
				}
				k, err := t.OwnKey(kid)
				return k.Payload(), err
			},
			Run: func(_ context.Context, who access.Actor, a access.Approval) error {
				return d.tell(org, who, "withdraw key %s for %s and %s", a.Object, who.ID, who.SecondPerson)
			},
		})
	}
	return []console.Screen{&console.Devices{Desk: d, Programmes: func(ctx context.Context, org string) ([]registry.Programme, error) {
		return w.issuing.Programmes(ctx, org)
	}, Now: w.now}, &console.Trust{Desk: d, Door: w.doors[own], Now: w.now}, &console.Audit{Desk: d}, &console.Reports{Desk: d, Now: w.now}, &console.Organisation{Desk: d, Door: w.doors[own]}}
}

func init() {
	makers["device"] = func(w *world, org string, _ *browser) string { return deviceID(w.device(org, access.DevicePending)) }
	makers["key"] = func(_ *world, org string, _ *browser) string { return keyID(listed(org).Card.Key) }
	maps.Copy(forms, map[string]url.Values{
		"POST /devices/code":                {"site": {"WELL-A"}},
		"POST /devices/of/:device/confirm":  {"same": {"yes"}, "days": {"30"}, "may": {"journal"}},
		"POST /devices/of/:device/withdraw": {"reason": {"lost"}},
		"POST /devices/pack":                {"site": {"WELL-A"}, "days": {"14"}, "reason": {"no network there"}},
		"POST /organisation/complaint":      {"complaint": {"+254 700 111 222"}, "before": {strings.Repeat("0", 64)}},
		"POST /reports/csv":                 {"reason": {"for the donor"}},
		"POST /audit/export":                {"reason": {"yearly audit"}},
		"POST /trust/keys/:key/withdraw":    {"reason": {"laptop stolen"}},
	})
}

func deviceID(d access.Device) string { return d.ID() }

func keyID(k *cose.Key) string {
	id := k.ID()
	return hex.EncodeToString(id[:])
}

// upload posts a form with files, or none, as a browser does.
func (b *browser) upload(path string, form url.Values, field string, content []byte) *httptest.ResponseRecorder {
	b.w.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for k, list := range form {
		for _, v := range list {
			if err := m.WriteField(k, v); err != nil {
				b.w.Fatal(err)
			}
		}
	}
	if field != "" {
		name := "<b>.bin"
		if content == nil { // as browsers send that none was chosen
			name = ""
		}
		f, err := m.CreateFormFile(field, name)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			b.w.Fatal(err)
		}
	}
	m.Close()
	r := b.request("POST", "/desk"+path, url.Values{})
	r.Body, r.ContentLength = nopClose{&body}, int64(body.Len())
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(r)
}

type nopClose struct{ *bytes.Buffer }

func (nopClose) Close() error { return nil }

// An opsDesk has what one organisation's screens of this file show.
type opsDesk struct {
	serves   []console.PackServes // nil: everything somewhere
	devices  []access.Device
	list     []byte // trust list in use; nil: none
	own      string // id on it
	log      []access.Entry
	outcome  witness.Outcome
	settings map[string][]byte
	told     []string // acts in words
	err      error
}

func newOpsDesk(org string) *opsDesk {
	return &opsDesk{list: consortium.TrustList(verifiertest.TrustOptions{}), own: listed(org).ID}
}

// consortium is where the organisations of the tests are listed.
var consortium = verifiertest.New()

// listed is an organisation of the tests' server on its trust list.
func listed(org string) *verifiertest.Org {
	if org == own {
		return consortium.A
	}
	return consortium.B
}

// opsDesks are the desks of both organisations.
type opsDesks struct{ w *world }

func (d opsDesks) of(org string) *opsDesk { return d.w.desks[org] }

// tell writes down what was done, by whom.
func (d opsDesks) tell(org string, by access.Actor, format string, args ...any) error {
	x := d.of(org)
	x.told = append(x.told, fmt.Sprintf(format, args...))
	return cmpErr(x.err, by.Check())
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// phoneKey is a new key, as a phone makes one.
func phoneKey(t testing.TB) *cose.Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// device enters a device in a state.
func (w *world) device(org string, state access.DeviceState) access.Device {
	w.Helper()
	k := phoneKey(w.T)
	d := access.Device{KID: k.ID(), Key: k, Name: "tab-" + name(), Site: "WELL-A", State: state, AddedAt: w.now()}
	if state != access.DevicePending {
		d.Certificate, d.From, d.Until = []byte{1}, credential.FromStd(w.now()), credential.FromStd(w.now().Add(30*24*time.Hour))
	}
	w.desks[org].devices = append(w.desks[org].devices, d)
	return d
}

func (d opsDesks) Devices(_ context.Context, org string) ([]access.Device, error) {
	return slices.Clone(d.of(org).devices), d.of(org).err
}

func (d opsDesks) Sites(context.Context, string) ([]string, error) { return []string{"WELL-A"}, nil }

func (d opsDesks) Serves(_ context.Context, org string) ([]console.PackServes, error) {
	if s := d.of(org).serves; s != nil {
		return s, nil
	}
	return []console.PackServes{{Site: "WELL-A", Rounds: []console.PackRound{{Programme: "VNPM", Round: 1, Opens: now, Closes: now}, {Programme: "K7Q2"}}}, {Site: "WELL-B", Every: true}, {}}, nil
}

func (d opsDesks) Code(_ context.Context, org string, by access.Actor, site string) (console.EnrolCode, error) {
	return console.EnrolCode{Code: "0123ABCD", Site: site, Link: "https://192.168.1.5:8443/scanner/#enrol=0123ABCD", Until: now.Add(10 * time.Minute)}, d.tell(org, by, "code %s", site)
}

// set changes the device of a key, or enters it.
func (d opsDesks) set(org string, kid [8]byte, change func(*access.Device)) error {
	x := d.of(org)
	for i := range x.devices {
		if x.devices[i].KID == kid {
			change(&x.devices[i])
			return nil
		}
	}
	return console.ErrNotFound
}

func (d opsDesks) Certify(_ context.Context, org string, by access.Actor, c console.Certify) error {
	err := d.tell(org, by, "certify %s of %s for %d days: %v", c.Name, c.Site, c.Days, c.May)
	if err == nil && d.set(org, c.Key.ID(), func(x *access.Device) { x.State, x.Certificate = access.DeviceConfirmed, []byte{1} }) != nil {
		d.of(org).devices = append(d.of(org).devices, access.Device{KID: c.Key.ID(), Key: c.Key, Name: c.Name, Site: c.Site, State: access.DeviceConfirmed, Certificate: []byte{1}})
	}
	return err
}

func (d opsDesks) Refuse(_ context.Context, org string, by access.Actor, kid [8]byte) error {
	return cmpErr(d.tell(org, by, "refuse"), d.set(org, kid, func(x *access.Device) { x.State = access.DeviceRefused }))
}

func (d opsDesks) Withdraw(_ context.Context, org string, by access.Actor, kid [8]byte, reason string, since time.Time) error {
	return cmpErr(d.tell(org, by, "withdraw %s %s", reason, since.Format(time.RFC3339)), d.set(org, kid, func(x *access.Device) { x.State, x.WithdrawnAt = access.DeviceWithdrawn, now }))
}

func (d opsDesks) Thaw(_ context.Context, org string, by access.Actor, kid [8]byte, reason string) error {
	return cmpErr(d.tell(org, by, "thaw %s", reason), d.set(org, kid, func(x *access.Device) { x.FrozenFrom = 0 }))
}

func (d opsDesks) Answer(_ context.Context, org string, by access.Actor, kid [8]byte, moving bool, _ string) ([]byte, int, error) {
	return []byte("answer"), 12, d.tell(org, by, "answer moving=%v", moving)
}

func (d opsDesks) Pack(_ context.Context, org string, by access.Actor, o console.PackOrder) ([]byte, int, error) {
	return []byte("pack"), 34, d.tell(org, by, "pack %s %d photos=%v nolist=%v", o.Site, o.Days, o.Photos, o.NoList)
}

// requestOf is what a phone shows of itself.
func requestOf(t testing.TB, k *cose.Key, name string) []byte {
	t.Helper()
	raw, err := enrol.Request{Key: k, Name: name}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (d opsDesks) Trust(_ context.Context, org string) (t console.TrustState, err error) {
	x := d.of(org)
	if t.Own = x.own; x.list != nil {
		t.List, err = trust.Open(x.list, trust.Anchors{})
	}
	return t, cmpErr(x.err, err)
}

func (d opsDesks) Follows(ctx context.Context, org string, raw []byte, _ [][]byte) (*trust.List, error) {
	l, err := trust.Open(raw, trust.Anchors{})
	if err != nil {
		return nil, console.CannotNow(console.CannotNoList, "no <list>")
	}
	t, err := d.Trust(ctx, org)
	if err == nil && t.List != nil && t.List.Sequence > l.Sequence {
		err = console.CannotNow(console.CannotOther, "older")
	}
	return l, err
}

func (d opsDesks) Take(_ context.Context, org string, by access.Actor, raw []byte, chain [][]byte) error {
	d.of(org).list = raw
	return d.tell(org, by, "take %d bytes, %d before", len(raw), len(chain))
}

func (d opsDesks) Entries(_ context.Context, org string, by access.Actor, f console.AuditFilter, n int) (list []access.Entry, err error) {
	for _, e := range slices.Backward(d.of(org).log) {
		if (f.Before == 0 || e.Seq < f.Before) && (f.By == "" || e.Actor.ID == f.By) && len(list) < n && (f.From.IsZero() || !e.Time.Before(f.From)) && (f.Until.IsZero() || !e.Time.After(f.Until)) {
			list = append(list, e)
		}
	}
	return list, d.tell(org, by, "read %d", len(list))
}

func (d opsDesks) Log(_ context.Context, org string, by access.Actor, from, until time.Time, yield func(*access.Entry) error) error {
	for _, e := range d.of(org).log {
		if !e.Time.Before(from) && !e.Time.After(until) {
			if err := yield(&e); err != nil {
				return err
			}
		}
	}
	return d.tell(org, by, "count work")
}

func (d opsDesks) Export(_ context.Context, org string, by access.Actor, f console.AuditFilter, reason string) ([]byte, int, error) {
	return []byte("{}\n"), 1, d.tell(org, by, "export of %q: %s", f.By, reason)
}

func (d opsDesks) Checkpoints(context.Context, string) ([]console.Checkpoint, error) {
	return []console.Checkpoint{{Size: 7, At: now, Paper: "AIDPASS-AUDIT relief-a.example/i1/audit 7 0VWJ", Note: "note", Cosigns: []string{"relief-b.example/i1/audit"}}}, nil
}

func (d opsDesks) Sign(_ context.Context, org string, by access.Actor) (console.Checkpoint, error) {
	return console.Checkpoint{Size: 8, At: now, Paper: "AIDPASS-AUDIT relief-a.example/i1/audit 8 1VWJ", Note: "note"}, d.tell(org, by, "sign")
}

func (d opsDesks) Request(_ context.Context, org string, by access.Actor) ([]byte, error) {
	return []byte("old 0\n"), d.tell(org, by, "request")
}

func (d opsDesks) Cosigned(_ context.Context, org string, by access.Actor, raw []byte) ([]string, error) {
	return []string{"relief-b.example/i1/audit"}, d.tell(org, by, "cosigned %s", raw)
}

func (d opsDesks) Prove(_ context.Context, org string, by access.Actor, file []byte, paper string) (witness.Outcome, error) {
	return d.of(org).outcome, d.tell(org, by, "prove %q %q", file, paper)
}

// Report has sites whose names would be markup, and enough days to see their order.
func (d opsDesks) Report(_ context.Context, org string, by access.Actor, days []string, reason string) (r console.Report, err error) {
	for _, site := range []string{"", "<b>WELL", "بئر"} {
		x := insight.Series{Group: site}
		for i, day := range days {
			x.Points = append(x.Points, insight.Point{Name: day, Count: 5 * i, Small: i < 2})
		}
		r.Served = append(r.Served, x)
	}
	r.Issued = r.Served[:1]
	r.Refused = []insight.Point{{Name: "conflict", Count: 15}, {Name: "quarantined", Small: true}}
	r.Devices = []console.ListAge{{Device: "=tab-1", Site: "WELL", Hours: 30}, {Device: "tab-2", Site: "WELL", Hours: -1}}
	r.Checkpoint = &console.Checkpoint{Size: 7, At: now, Paper: "AIDPASS-AUDIT relief-a.example/i1/audit 7 0VWJ", Note: "note"}
	return r, d.tell(org, by, "report of %d days to %s: %s", len(days), days[len(days)-1], reason)
}

func (d opsDesks) Setting(_ context.Context, org, name string) ([]byte, error) {
	return d.of(org).settings[name], nil
}

func (d opsDesks) Set(_ context.Context, org string, by access.Actor, name string, before [32]byte, value []byte) error {
	x := d.of(org)
	if sha256.Sum256(x.settings[name]) != before {
		return console.ErrConflict
	}
	if looser, err := console.Loosens(name, x.settings[name], value); err != nil || looser && by.SecondPerson == "" {
		return cmp.Or(err, issuer.ErrSecondPerson)
	}
	if x.settings == nil {
		x.settings = map[string][]byte{}
	}
	x.settings[name] = value
	return d.tell(org, by, "set %s to %s", name, value)
}
