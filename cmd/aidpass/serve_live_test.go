package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aidpass/internal/cose"
	"aidpass/internal/overheard"
	"aidpass/internal/patience"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/verifier/enrol"
	"aidpass/verifier/visit"
)

// A laptop with an organisation, in a folder of its own.
type laptop struct {
	t      *testing.T
	dir    string
	stderr overheard.Buffer
	web    *http.Client // what a wallet on this laptop fetches through
	purse  string       // file with the passphrase of wallets; "": none is named
}

func (l *laptop) path(name string) string { return filepath.Join(l.dir, name) }

// run runs one command, and returns its exit code and output.
func (l *laptop) run(ctx context.Context, args ...string) (int, string) {
	var out bytes.Buffer
	m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &l.stderr, Now: scriptClock, WorkFactor: 4, ListSize: 4096,
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"AIDPASS_DATA": l.path("data"), "AIDPASS_PASSPHRASE_FILE": l.path("pass"), "AIDPASS_WALLET_PASSPHRASE_FILE": l.purse}[name]
			return v, ok
		}, web: l.web}
	code := m.Run(ctx, args)
	return code, out.String()
}

func (l *laptop) must(args ...string) string {
	l.t.Helper()
	code, out := l.run(l.t.Context(), args...)
	if code != 0 {
		l.t.Fatalf("aidpass %s: exit %d\n%s%s", strings.Join(args, " "), code, out, l.stderr.String())
	}
	return out
}

func newLaptop(t *testing.T) *laptop {
	t.Helper()
	l := &laptop{t: t, dir: t.TempDir()}
	l.purse = l.path("purse.pass")
	l.purse = l.path("purse.pass")
	for name, text := range map[string]string{"pass": "correct horse\n", "purse.pass": "a holder's own\n"} {
		if err := os.WriteFile(l.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.must("org", "init", "--id", "https://relief-a.example/i1", "--name", "Relief A", "--country", "KEN", "--status", "https://relief-a.example/s/")
	l.must("trust", "key", "--out", l.path("anchor.key"))
	l.must("trust", "init", "--id", "https://trust.example/list", "--k", "1", "--anchor", l.path("anchor.pub"), "--out", l.path("list.draft"))
	l.must("trust", "add", l.path("list.draft"), l.path("data/public/relief-a.example-i1.org"))
	l.must("trust", "sign", l.path("list.draft"), "--key", l.path("anchor.key"), "--out", l.path("trust.list"))
	l.must("site-ca", "init")
	return l
}

// serve starts the server and returns its https address, a client that trusts the
// site's authority as a phone does, and a function that stops it and waits.
func (l *laptop) serve() (address string, client *http.Client, stop func() int) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	ended := make(chan int, 1)
	go func() {
		code, _ := l.run(ctx, "serve", "--trust", l.path("trust.list"), "--listen", "127.0.0.1:0", "--http", "localhost:0")
		ended <- code
	}()
	stop = func() int { cancel(); return <-ended }
	if !patience.For(func() bool {
		b, err := os.ReadFile(l.path("data/serve.address"))
		address, _, _ = strings.Cut(string(b), "\n")
		return err == nil
	}) {
		l.t.Fatalf("no server: %s", l.stderr.String())
	}
	// Whatever network this machine is in, the test stays inside it.
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "]:")
	if i := strings.LastIndexByte(address, ':'); port == "" {
		port = address[i+1:]
	}
	der, err := os.ReadFile(l.path("data/site-ca/site-ca.crt"))
	if err != nil {
		l.t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		l.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	client = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Time: scriptClock}}}
	return "https://127.0.0.1:" + port, client, stop
}

// A testPhone has a key, and a journal of notes signed before the test begins.
type testPhone struct {
	name    string
	private *ecdsa.PrivateKey
	request enrol.Request
	records [][]byte

	acknowledged *atomic.Int64 // records of all phones
}

func (p *testPhone) path() string {
	id := p.request.Key.ID()
	return "/api/v1/devices/" + hex.EncodeToString(id[:])
}

func newTestPhone(t *testing.T, name string) *testPhone {
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
	return &testPhone{name: name, private: private, request: enrol.Request{Key: key, Name: name}}
}

// write fills the journal.
func (p *testPhone) write(t *testing.T, list *trust.List, certificate []byte, n int) {
	t.Helper()
	c, _, reason := list.OpenDevice(certificate)
	if c == nil {
		t.Fatal(reason)
	}
	signer, err := keystore.NewSigner(p.private)
	if err != nil {
		t.Fatal(err)
	}
	var prev []byte
	for i := range n {
		v := visit.Visit{Device: c.DeviceID, Sequence: uint64(i + 1), At: c.NotBefore, Kind: visit.Note, Code: "served"}
		prepared, err := visit.Prepare(p.request.Key, prev, v)
		if err != nil {
			t.Fatal(err)
		}
		if prev, err = attach(prepared, signer); err != nil {
			t.Fatal(err)
		}
		p.records = append(p.records, prev)
	}
}

// The whole of it with real TLS and a real database: phones enrol by codes, fetch
// packs, and send while another program writes; the server is stopped in the middle.
// What was acknowledged is stored once, what was not is sent again.
func TestServeLosesNothing(t *testing.T) {
	l := newLaptop(t)
	address, client, stop := l.serve()
	defer func() { stop() }()

	raw, err := os.ReadFile(l.path("trust.list"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := trust.Open(raw, trust.Anchors{})
	if err != nil {
		t.Fatal(err)
	}
	var phones []*testPhone
	var acknowledged atomic.Int64
	for i := range 4 {
		p := newTestPhone(t, fmt.Sprint("tab-", i))
		p.acknowledged = &acknowledged
		var made struct{ Code string }
		if err := json.Unmarshal([]byte(l.must("device", "code", "--site", "wellA", "--json")), &made); err != nil {
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
		l.must("device", "confirm", p.name, "--words", enrol.Words(p.request.Key))
		var state struct{ Certificate string }
		a, err := client.Get(address + p.path())
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(a.Body).Decode(&state)
		a.Body.Close()
		certificate, cerr := base64.RawURLEncoding.DecodeString(state.Certificate)
		if err != nil || cerr != nil {
			t.Fatal(err, cerr)
		}
		p.write(t, list, certificate, 120)
		phones = append(phones, p)
	}

	db, err := sql.Open("sqlite", l.path("data/aidpass.db")+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	send := func(client *http.Client, address string, stopped func() bool) {
		var all sync.WaitGroup
		for _, p := range phones {
			all.Go(func() {
				for len(p.records) > 0 && !stopped() {
					p.send(t, client, address)
				}
			})
		}
		all.Wait()
	}
	// Another program takes the database for a moment, again and again.
	ending := make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() {
		for {
			select {
			case <-ending:
				return
			case <-time.After(100 * time.Millisecond):
				if tx, err := db.Begin(); err == nil {
					time.Sleep(50 * time.Millisecond)
					tx.Rollback()
				}
			}
		}
	})
	stopped := make(chan struct{})
	const early, late = 120, 400 // of 480: before the one nobody stops it, after the other the phones wait until somebody has
	go func() {
		patience.For(func() bool { return acknowledged.Load() >= early })
		if code := stop(); code != 0 {
			t.Errorf("the server exits %d: %s", code, l.stderr.String())
		}
		close(stopped)
	}()
	send(client, address, func() bool {
		if acknowledged.Load() >= late {
			<-stopped
		}
		select {
		case <-stopped:
			return true
		default:
			return false
		}
	})
	<-stopped
	left := 0
	for _, p := range phones {
		left += len(p.records)
	}
	if left == 0 {
		t.Error("the server was stopped too late")
	}
	t.Logf("%d of 480 records were left when the server had stopped", left)

	stop = func() int { return 0 }
	address, client, stop = l.serve()
	send(client, address, func() bool { return false })
	close(ending)
	other.Wait()
	stop()
	stop = func() int { return 0 }

	var rows, different int
	if err := db.QueryRow(`SELECT count(*), count(DISTINCT hex(hash)) FROM visit`).Scan(&rows, &different); err != nil {
		t.Fatal(err)
	}
	if rows != 480 || different != 480 {
		t.Errorf("%d rows, %d different, want 480 of each", rows, different)
	}
	l.must("check")
}

// send uploads the oldest records and forgets what is acknowledged.
func (p *testPhone) send(t *testing.T, client *http.Client, address string) {
	n := min(4, len(p.records))
	a, err := client.Post(address+p.path()+"/journal", "application/cbor-seq", bytes.NewReader(bytes.Join(p.records[:n], nil)))
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		return // no connection: they stay
	}
	defer a.Body.Close()
	var answer struct {
		Ack     string
		Records []struct{ SHA256, State string }
	}
	err = json.NewDecoder(a.Body).Decode(&answer)
	switch {
	case a.StatusCode == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
		time.Sleep(10 * time.Millisecond)
		return
	case a.StatusCode != http.StatusOK && err == nil:
		t.Errorf("%s: %+v", a.Status, answer)
		p.records = nil
		return
	case err != nil || answer.Ack != "aidpass-ack-1" || len(answer.Records) != n:
		return
	}
	for i, r := range answer.Records {
		sum := sha256.Sum256(p.records[i])
		if r.SHA256 != hex.EncodeToString(sum[:]) || r.State != "accepted" && r.State != "known" {
			t.Errorf("record %d: %+v", i, r)
		}
	}
	p.records = p.records[n:]
	p.acknowledged.Add(int64(n))
}

func post(t *testing.T, client *http.Client, url, mime string, body []byte) (int, string) {
	t.Helper()
	a, err := client.Post(url, mime, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(answer)
}

func TestSiteAuthorityIsHeldToTheSite(t *testing.T) {
	l := newLaptop(t)
	m := &app{Main: &Main{Now: scriptClock, Stderr: io.Discard, WorkFactor: 4}, Config: Config{Data: l.path("data"), PassphraseFile: l.path("pass")}}
	ca, err := m.openSiteCA("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bank.example", "localhost.example", "xlocal", "com", "*.example"} {
		if _, err := ca.issue(scriptClock(), []string{name}, nil, nil); err == nil {
			t.Errorf("it signs for %s", name)
		}
	}
	// Whoever has the key and leaves our code alone is held to it by phones all the same.
	if !ca.cert.PermittedDNSDomainsCritical || len(ca.cert.PermittedIPRanges) == 0 || !ca.cert.MaxPathLenZero {
		t.Error("the certificate is not constrained")
	}
	got, err := ca.issue(scriptClock(), []string{"scan.local"}, []string{"laptop", "laptop.local", "localhost"}, nil)
	if err != nil || strings.Join(got.Leaf.DNSNames, " ") != "scan.local laptop.local localhost" {
		t.Errorf("%v, %v", got.Leaf, err)
	}
	sealed, err := os.ReadFile(l.path("data/site-ca/site-ca.key"))
	if err != nil || !bytes.HasPrefix(sealed, []byte("age-encryption.org/v1\n")) {
		t.Errorf("its key is not sealed: %v", err)
	}
	if err := os.WriteFile(l.path("pass"), []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.secrets = nil
	if _, err := m.openSiteCA(""); err == nil {
		t.Error("it opens with another passphrase")
	}
}
