package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
	"aidpass/web/console"
)

// What the console's screens of devices, trust and the log do at a real server: a phone
// comes both ways and ends, the log is proved, exported and told of it, and a key that two
// administrators withdrew signs no more.
func TestTheDeskRunsTheOffice(t *testing.T) {
	l := withEntitled(t)
	s, _, stop := l.serveWalletsWith(nil)
	defer stop()
	ctx, org, by := t.Context(), s.o.entry.ID, access.Actor{ID: "amina", Role: access.OrgAdmin}
	if _, err := (consoleDevices{s}).Devices(ctx, "https://another.example/i1"); !errors.Is(err, console.ErrNotFound) {
		t.Fatalf("another organisation's devices: %v", err)
	}

	devices := consoleDevices{s}
	code, err := devices.Code(ctx, org, by, "wellA")
	if err != nil || !strings.HasSuffix(code.Link, "/scanner/#enrol="+code.Code) {
		t.Fatalf("a code: %+v, %v", code, err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	waits, err := deviceDesk{s.o.store}.Enrol(ctx, code.Code, enrol.Request{Key: key, Name: "tab-1"})
	if err != nil || waits.State != access.DevicePending {
		t.Fatalf("the phone: %+v, %v", waits, err)
	}
	if _, _, err := devices.Answer(ctx, org, by, waits.KID, false, "no network there"); !errors.Is(err, console.ErrConflict) {
		t.Errorf("an answer before anybody looked: %v", err)
	}
	certify := console.Certify{Key: key, Name: "tab-1", Site: "wellA", Days: 30, May: []string{"journal"}}
	if err := devices.Certify(ctx, org, by, certify); err != nil {
		t.Fatal(err)
	}
	d, err := s.o.store.Device(ctx, waits.KID)
	if err != nil || d.State != access.DeviceConfirmed || !d.SeenAt.IsZero() {
		t.Fatalf("confirmed: %+v, %v", d, err)
	}
	if _, err := s.packs.Pack(ctx, d); err != nil { // as the phone fetches it
		t.Fatal(err)
	}
	if d, err = s.o.store.Device(ctx, d.KID); err != nil || d.ListsAt == 0 || s.a.Now().Sub(d.SeenAt) > time.Hour {
		t.Errorf("it was here, with lists of %v at %v (%v)", d.ListsAt, d.SeenAt, err)
	}
	for _, moving := range []bool{false, true} {
		if _, _, err := devices.Answer(ctx, org, by, d.KID, moving, "no network there"); err != nil {
			t.Errorf("its answer, moving %v: %v", moving, err)
		}
	}
	raw, _, err := devices.Pack(ctx, org, by, console.PackOrder{Site: "wellA", Days: 7})
	if err != nil {
		t.Fatal(err)
	}
	pack, _, err := verifier.OpenPack(raw, verifier.Floors{}, s.a.now())
	if err != nil || pack.Site != "wellA" || len(pack.Devices) == 0 {
		t.Errorf("the pack: %v", err)
	}
	var fault *console.Fault
	if _, _, err := devices.Pack(ctx, org, by, console.PackOrder{Site: "wella", Days: 7}); !errors.As(err, &fault) {
		t.Errorf("a site that is spelled otherwise: %v", err)
	}
	if err := devices.Withdraw(ctx, org, by, d.KID, "lost", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := devices.Certify(ctx, org, by, certify); !errors.Is(err, console.ErrConflict) {
		t.Errorf("a certificate for a device that has ended: %v", err)
	}

	log := consoleAudit{s}
	first, err := log.Sign(ctx, org, by)
	if err != nil || first.Paper == "" {
		t.Fatalf("a checkpoint: %+v, %v", first, err)
	}
	if out, err := log.Prove(ctx, org, by, []byte(first.Note), first.Paper); err != nil || len(out.Bad) > 0 {
		t.Errorf("the log: %+v, %v", out, err)
	}
	if out, err := log.Prove(ctx, org, by, nil, forged(first.Paper)); err == nil && len(out.Bad) == 0 {
		t.Error("the log holds what it never was")
	}
	if r, err := log.Request(ctx, org, by); err != nil || !bytes.HasPrefix(r, []byte("old 0\n")) {
		t.Errorf("for a witness: %q, %v", r, err)
	}
	if list, err := log.Checkpoints(ctx, org); err != nil || len(list) != 2 || list[0].Size <= first.Size {
		t.Errorf("the checkpoints: %+v, %v", list, err)
	}
	file, rows, err := log.Export(ctx, org, by, console.AuditFilter{Act: "device."}, "yearly")
	if err != nil || rows == 0 || bytes.Count(file, []byte("\n")) != rows || !json.Valid(bytes.Split(file, []byte("\n"))[0]) {
		t.Errorf("the export: %d rows, %v\n%s", rows, err, file)
	}
	newest, err := log.Entries(ctx, org, by, console.AuditFilter{By: "amina"}, 1)
	if err != nil || len(newest) != 1 || newest[0].Action != "audit.export" || newest[0].Reason != "yearly" {
		t.Errorf("the newest entry: %+v, %v", newest, err)
	}

	today := s.a.Now().UTC().Format(time.DateOnly)
	r, err := consoleReports{s}.Report(ctx, org, by, []string{today}, "for the donor")
	if err != nil || len(r.Served) == 0 || len(r.Issued) == 0 || len(r.Refused) != 4 {
		t.Errorf("a report: %+v, %v", r, err)
	}
	for _, x := range append(r.Served, r.Issued...) {
		if p := x.Points[0]; !p.Small || p.Count != 0 {
			t.Errorf("a handful of households is told: %+v", x)
		}
	}
	if newest, err := log.Entries(ctx, org, by, console.AuditFilter{Act: "report."}, 2); err != nil || len(newest) != 1 || newest[0].Reason != "for the donor" {
		t.Errorf("the log of it: %+v, %v", newest, err)
	}

	settings := consoleOrganisation{s}
	none := sha256.Sum256(nil)
	if err := settings.Set(ctx, org, by, console.SettingComplaint, none, []byte("+254 700 111 222")); err != nil {
		t.Fatal(err)
	}
	if err := settings.Set(ctx, org, by, console.SettingComplaint, none, []byte("+1")); !errors.Is(err, console.ErrConflict) {
		t.Errorf("over what is there: %v", err)
	}
	if b, err := settings.Setting(ctx, org, console.SettingComplaint); err != nil || string(b) != "+254 700 111 222" {
		t.Errorf("the line: %q, %v", b, err)
	}
	for name, bad := range map[string]string{console.SettingLabels: `["RICE"]`, console.SettingRequired: `{"unknown": 1}`, console.SettingComplaint: "a\u202eb"} {
		before := none
		if name == console.SettingComplaint {
			before = sha256.Sum256([]byte("+254 700 111 222"))
		}
		if err := settings.Set(ctx, org, by, name, before, []byte(bad)); !errors.As(err, &fault) {
			t.Errorf("%s as %s: %v", name, bad, err)
		}
	}
	if err := settings.Set(ctx, org, by, console.SettingLabels, none, []byte(`{"RICE": {"en": "Rice"}}`)); err != nil {
		t.Error(err)
	}
	settingsAreTheLogs(t, s)
	if _, _, err := devices.Pack(ctx, org, by, console.PackOrder{Site: "wellA", Days: 7}); err != nil {
		t.Errorf("a pack with what things are called: %v", err)
	}

	own := consoleTrust{s}
	state, err := own.Trust(ctx, org)
	if err != nil || state.List == nil {
		t.Fatalf("the trust list: %v", err)
	}
	raw, _, err = readList(s.f.pack.trust, trust.Anchors{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.Follows(ctx, org, raw, nil); err != nil {
		t.Errorf("the same list again: %v", err)
	}
	spoiled := bytes.Clone(raw)
	spoiled[len(spoiled)-1] ^= 1
	if _, err := own.Follows(ctx, org, spoiled, nil); !errors.As(err, &fault) {
		t.Errorf("a list that was altered: %v", err)
	}
	if err := own.Take(ctx, org, by, raw, nil); err != nil {
		t.Errorf("taking it: %v", err)
	}
	var kid string
	for _, k := range state.List.Organisation([]byte(org)).Keys {
		if k.Use == trust.UseStatus {
			kid = hex.EncodeToString(k.KID)
		}
	}
	x := own.withdrawal()
	payload, err := x.Payload(ctx, kid)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // after a stop it is carried out again
		a := access.Approval{Object: kid, Payload: payload, At: s.a.Now(), Why: "laptop stolen"}
		if err := x.Run(ctx, access.Actor{ID: "amina", Role: access.OrgAdmin, SecondPerson: "omar"}, a); err != nil {
			t.Fatal(err)
		}
	}
	if state, err = own.Trust(ctx, org); err != nil || !state.Withdrawn[kid] {
		t.Errorf("the key is not withdrawn: %v", err)
	}
	if _, err := x.Payload(ctx, kid); !errors.Is(err, console.ErrNotFound) {
		t.Errorf("withdrawing it again: %v", err)
	}
	newest, err = log.Entries(ctx, org, by, console.AuditFilter{Act: "trust.withdraw"}, 9)
	if err != nil || len(newest) != 1 || newest[0].Actor.SecondPerson != "omar" {
		t.Errorf("the log of it: %+v, %v", newest, err)
	}
}

// settingsAreTheLogs changes files of settings behind the desk: a check names each.
func settingsAreTheLogs(t *testing.T, s *serving) {
	t.Helper()
	named := func() (files string) {
		p, err := s.a.proveSettings(t.Context(), s.o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range p.Findings {
			files += f.Object + " "
		}
		return files
	}
	if got := named(); got != "" {
		t.Fatalf("as the desk left them: %s", got)
	}
	complaint, err := s.a.setting(console.SettingComplaint)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{console.SettingPairs: "90", console.SettingComplaint: "+1", console.SettingRequired: "{}"} {
		if err := writeFile(s.a.settingPath(name), []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if got := named(); got != "complaint.txt pairs.json " { // what is required may be laid there by hand
		t.Errorf("changed outside: %s", got)
	}
	for _, name := range []string{console.SettingPairs, console.SettingRequired} {
		if err := os.Remove(s.a.settingPath(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeFile(s.a.settingPath(console.SettingComplaint), complaint); err != nil {
		t.Fatal(err)
	}
}

// forged is a paper line of another root.
func forged(line string) string {
	words := strings.Fields(line)
	last := words[len(words)-3]
	words[len(words)-3] = last[1:] + last[:1]
	return strings.Join(words, " ")
}

// What was planned and issued at the desk is served by the packs of the desk and of phones,
// whatever --programme named when the server began: the page of packs says so before, and
// a card of the new round is given what it is for.
func TestPacksServeWhatTheDeskPlanned(t *testing.T) {
	l := withEntitled(t)
	if err := os.Remove(l.path("granted.list")); err != nil { // it knows one programme alone
		t.Fatal(err)
	}
	l.must("trust", "grant", l.path("list.draft"), "--org", "https://relief-a.example/i1", "--type", "eligibility")
	l.must("trust", "sign", l.path("list.draft"), "--key", l.path("anchor.key"), "--out", l.path("granted.list"))
	s, client, stop := l.serveWalletsWith(nil)
	defer stop()
	clerk, approver, sign := s.visitor(t, client, "clerk-1", access.Registrar), s.visitor(t, client, "lead-1", access.Approver), s.visitor(t, client, "sign-1", access.Issuer)
	lead := s.visitor(t, client, "amina", access.DistributionLead)
	form := func(path string, with url.Values) (string, string) {
		t.Helper()
		return lead.must("POST", path, "application/x-www-form-urlencoded", []byte(with.Encode()))
	}
	at, _ := lead.submit("/programmes/new", "/programmes/new", url.Values{"name": {"Water"}, "modality": {"cash"}, "counts": {"person"}, "currency": {"KES"}})
	code := strings.TrimPrefix(at, "/programmes/of/")
	for n, site := range map[string]string{"1": "wellA", "2": "wellB"} {
		lead.submit(at, at+"/round", url.Values{"round": {n}, "opens": {"2026-11-01"}, "closes": {"2026-12-01"}, "sites": {site}})
	}
	plan := url.Values{"round": {"1"}, "amount": {"30.00"}}
	_, page := form(at+"/plan", plan)
	_, step, _ := strings.Cut(page, `name="step" value="`)
	step, _, _ = strings.Cut(step, `"`)
	plan["step"], plan["typed"] = []string{step}, []string{step}
	form(at+"/plan", plan)

	_, place, ok := strings.Cut(clerk.get("/batches/new"), `<option value="`+code)
	if !ok {
		t.Fatal("no batch for the new programme")
	}
	place, _, _ = strings.Cut(place, `"`)
	batch, _ := clerk.submit("/batches/new", "/batches/new", url.Values{"place": {code + place}, "type": {"eligibility"}})
	clerk.submit(batch, batch+"/submit", nil)
	b, err := s.o.store.Proposal(t.Context(), strings.TrimPrefix(batch, "/batches/of/"))
	if err != nil || b.Programme != code || b.Can == 0 {
		t.Fatalf("%+v, %v", b, err)
	}
	approver.approves(b.Approval)
	sign.submit(batch, batch+"/issue", nil)
	s.work.Wait()
	cards, err := s.o.store.FindCredentials(t.Context(), s.onlyCard(t, code))
	if err != nil || len(cards) == 0 {
		t.Fatal("no card:", err)
	}
	card, err := cards[0].Text()
	if err != nil {
		t.Fatal(err)
	}

	page = lead.get("/devices/pack")
	_, rows, _ := strings.Cut(page, `id="serves"`)
	here, elsewhere, _ := strings.Cut(rows, "<bdi>wellB</bdi>")
	if !strings.Contains(here, code) || !strings.Contains(here, "K7Q2") || strings.Count(elsewhere, code) != 1 {
		t.Errorf("the page does not say what a pack will serve:\n%s", page)
	}
	_, raw := lead.submit("/devices/pack", "/devices/pack", url.Values{"site": {"wellA"}, "days": {"7"}, "reason": {"no network there"}})
	phones, err := s.packs.pack(t.Context(), access.Device{Site: "wellA"})
	if err != nil {
		t.Fatal(err)
	}
	for what, pack := range map[string][]byte{"the desk": []byte(raw), "phones": phones.raw} {
		if err := os.WriteFile(l.path("site.pack"), pack, 0o600); err != nil {
			t.Fatal(err)
		}
		if out := l.must("verify", "--pack", l.path("site.pack"), card); !strings.Contains(out, "GIVE") {
			t.Errorf("by the pack of %s:\n%s", what, out)
		}
		if out := l.must("pack", "show", "--json", l.path("site.pack")); !strings.Contains(out, `"K7Q2"`) || !strings.Contains(out, `"`+code+`"`) {
			t.Errorf("the pack of %s serves:\n%s", what, out)
		}
	}
}

// onlyCard is the identity of a card of a programme.
func (s *serving) onlyCard(t *testing.T, programme string) string {
	t.Helper()
	cards, err := s.o.store.Cards(t.Context(), issuer.Selection{Programme: programme})
	if err != nil || len(cards) == 0 {
		t.Fatalf("%d cards, %v", len(cards), err)
	}
	return cards[0].ID.String()
}
