package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// enrolled brings a phone of a site in by a code, over the program run.
func enrolled(t *testing.T, client *http.Client, address, name, site string, run func(args ...string) string) *testPhone {
	t.Helper()
	p := newTestPhone(t, name)
	var made struct{ Code string }
	if err := json.Unmarshal([]byte(run("device", "code", "--site", site, "--json")), &made); err != nil {
		t.Fatal(err)
	}
	request, err := p.request.Encode()
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(map[string]string{"code": made.Code, "request": base64.RawURLEncoding.EncodeToString(request)})
	if status, answer := post(t, client, address+"/api/v1/enrol", "application/json", body); status != 202 {
		t.Fatalf("%d %s", status, answer)
	}
	run("device", "confirm", name, "--words", p.words())
	return p
}

func (l *laptop) enrolled(client *http.Client, address, name, site string) *testPhone {
	l.t.Helper()
	return enrolled(l.t, client, address, name, site, l.must)
}

// pack fetches a phone's pack and opens it as the phone does.
func (p *testPhone) pack(t *testing.T, client *http.Client, address string) *verifier.Pack {
	t.Helper()
	a, err := client.Get(address + p.path() + "/pack")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != 200 {
		t.Fatalf("%v %s %s", err, a.Status, raw)
	}
	pack, _, err := verifier.OpenPack(raw, verifier.Floors{}, credential.FromStd(scriptClock()))
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

func day1(n int) credential.Time {
	return credential.FromStd(time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC))
}

// Each site's phones get their site's rounds from the registry, and what another
// command does while the server runs is in the next pack: a round, a stolen key.
func TestServeSeesWhatOthersDo(t *testing.T) {
	l := newLaptop(t)
	address, client, stop := l.serve()
	defer stop()
	a, b := l.enrolled(client, address, "tab-a", "wellA"), l.enrolled(client, address, "tab-b", "wellB")
	if pack := a.pack(t, client, address); pack.Policy.Programmes != nil {
		t.Errorf("no round is at a site, and yet only %v is served", pack.Policy.Programmes)
	}
	for _, programme := range []string{"K7Q2", "M4TX", "H8RZ"} {
		l.must("programme", "add", programme, "--modality", "in_kind")
	}
	l.must("programme", "round", "K7Q2", "1", "--opens", "2026-11-01", "--closes", "2026-11-10", "--site", "wellA", "--site", "wellB")
	l.must("programme", "round", "K7Q2", "2", "--opens", "2026-11-20", "--closes", "2026-11-30", "--site", "wellA")
	l.must("programme", "round", "M4TX", "1", "--opens", "2026-11-01", "--closes", "2026-11-10", "--site", "wellC")
	for _, c := range []struct {
		p      *testPhone
		rounds int
	}{{a, 2}, {b, 1}} {
		got := c.p.pack(t, client, address).Policy.Programmes
		rounds := got["K7Q2"]
		if _, any := got["H8RZ"]; len(got) != 2 || !any || len(rounds) != c.rounds || rounds[0] != (verifier.Round{N: 1, Opens: day1(1), Closes: day1(11)}) {
			t.Errorf("%s is served %v", c.p.name, got)
		}
	}

	// The card key is stolen: the packs of all sites carry its withdrawal at once.
	before := a.pack(t, client, address)
	l.must("trust", "withdraw", l.path("trust.list"), "--org", "https://relief-a.example/i1", "--kid", l.cardKey(), "--withdrawal-out", l.path("stolen.withdrawal"))
	if after := a.pack(t, client, address); after.Sequence == before.Sequence {
		t.Error("the pack does not know of the stolen key")
	}
}

func (p *testPhone) words() string {
	t := p.request.Key.Thumbprint()
	return trust.HashWords(t[:])
}

// cardKey is the id of the organisation's card key.
func (l *laptop) cardKey() string {
	l.t.Helper()
	m := &app{Main: &Main{Now: scriptClock, Stderr: io.Discard, WorkFactor: 4}, Config: Config{Data: l.path("data"), PassphraseFile: l.path("pass")}}
	o, err := m.openOrgKeys()
	if err != nil {
		l.t.Fatal(err)
	}
	info, err := o.current(keystore.Card)
	if err != nil {
		l.t.Fatal(err)
	}
	return info.ID
}

// An upload is answered with the organisation's signed word on the whole journal, to
// who holds a good record of it alone.
func TestUploadsGetAReceipt(t *testing.T) {
	l := newLaptop(t)
	address, client, stop := l.serve()
	defer stop()
	p, other := l.enrolled(client, address, "tab-a", "wellA"), l.enrolled(client, address, "tab-b", "wellA")
	raw, err := os.ReadFile(l.path("trust.list"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := trust.Open(raw, trust.Anchors{})
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, list, certificateOf(t, client, address, p), 5)
	other.write(t, list, certificateOf(t, client, address, other), 1)
	upload := func(records ...[]byte) (state string, receipt *visit.Receipt) {
		t.Helper()
		status, body := post(t, client, address+p.path()+"/journal", "application/cbor-seq", bytes.Join(records, nil))
		var answer struct {
			Receipt string
			Records []struct{ State string }
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		if answer.Receipt == "" {
			return answer.Records[0].State, nil
		}
		signed, err := base64.RawURLEncoding.DecodeString(answer.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		r, err := visit.OpenReceipt(signed, func(org string, kid []byte) *cose.Key {
			if k, _ := list.Find([]byte(org), kid, trust.UsePack); k != nil {
				return k.Key
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Records[0].State, &r
	}
	if state, r := upload(other.records[0]); state != "refused" || r != nil {
		t.Errorf("another phone's record: %s, receipt %v", state, r)
	}
	upload(p.records[4])
	upload(p.records[0], p.records[1])
	_, r := upload(p.records[1])
	if r == nil || hex.EncodeToString(r.Device[:]) != strings.TrimPrefix(p.path(), "/api/v1/devices/") || len(r.Held) != 2 ||
		r.Held[0].First != 1 || r.Held[0].Last != 2 || r.Held[1].First != 5 || r.Frozen != 0 {
		t.Fatalf("receipt %+v", r)
	}
	_, r = upload(p.records...)
	j, err := visit.Read(bytes.Join(p.records, nil), func([]byte) *cose.Key { return p.request.Key })
	if err != nil {
		t.Fatal(err)
	}
	if covers, err := r.Covers(j); covers != 5 || err != nil {
		t.Errorf("the receipt covers %d, %v", covers, err)
	}
}

// The laptop comes into another network: its certificate, the set-up page and other
// commands follow without a new start. And in good time before the end, too.
func TestServerFollowsTheLaptop(t *testing.T) {
	l := newLaptop(t)
	now := scriptClock()
	m := &app{Main: &Main{Now: func() time.Time { return now }, Stderr: &l.stderr, WorkFactor: 4}, Config: Config{Data: l.path("data"), PassphraseFile: l.path("pass")}}
	s := &serving{a: m, f: serveFlags{listen: "127.0.0.1:0"}, log: slog.New(slog.DiscardHandler),
		own: func() ([]string, []netip.Addr) {
			return []string{"laptop.local"}, []netip.Addr{netip.MustParseAddr("192.168.1.5")}
		}}
	if err := s.listen(); err != nil {
		t.Fatal(err)
	}
	defer s.closeListeners()
	listener := s.listeners[0]
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); c.(*tls.Conn).Handshake() }()
		}
	}()
	// A phone that trusts the authority calls the laptop by an address.
	calls := func(name string) error {
		roots := x509.NewCertPool()
		roots.AddCert(s.ca)
		c, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{ServerName: name, RootCAs: roots, Time: m.Now})
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := calls("192.168.1.5"); err != nil {
		t.Error(err)
	}
	if calls("10.4.0.9") == nil {
		t.Error("the certificate is for an address of nobody")
	}
	s.own = func() ([]string, []netip.Addr) {
		return []string{"laptop.local"}, []netip.Addr{netip.MustParseAddr("10.4.0.9")}
	}
	s.move()
	for _, name := range []string{"10.4.0.9", "laptop.local", "127.0.0.1"} {
		if err := calls(name); err != nil {
			t.Errorf("after the move: %v", err)
		}
	}
	if got := s.setUp().Addresses; len(got) != 1 || !strings.Contains(got[0], "10.4.0.9") || !strings.HasPrefix(m.serverAddress(), got[0]) {
		t.Errorf("the page tells %v, the file %s", got, m.serverAddress())
	}
	for _, later := range []time.Duration{80 * 24 * time.Hour, 170 * 24 * time.Hour, -40 * time.Hour} {
		now = scriptClock().Add(later)
		s.move()
		if later < 0 {
			continue // the authority itself is not yet valid then
		}
		if err := calls("10.4.0.9"); err != nil {
			t.Errorf("after %s: %v", later, err)
		}
	}
	now = scriptClock()
	s.move()
	if err := calls("10.4.0.9"); err != nil {
		t.Errorf("the clock was ahead and is set right: %v", err)
	}
}
