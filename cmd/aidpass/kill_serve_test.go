package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"aidpass/internal/patience"
	"aidpass/trust"
)

// TestKillTheServer kills serve, as a power cut would, at random moments while a
// phone sends its journal one record at a time. Whatever was acknowledged is in the
// database after each kill, and in the end everything is there once. There are 10
// kills, and 200 under AIDPASS_LOAD=1.
func TestKillTheServer(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: processes and their deaths take long under the race detector")
	}
	kills := 10
	if os.Getenv("AIDPASS_LOAD") != "" {
		kills = 200
	}
	k := newKilled(t, 1)
	k.run("trust", "key", "--out", k.at("anchor.key"))
	k.run("trust", "init", "--id", "https://trust.example/list", "--k", "1", "--anchor", k.at("anchor.pub"), "--out", k.at("list.draft"))
	k.run("trust", "add", k.at("list.draft"), k.at("data/public/relief-a.example-i1.org"))
	k.run("trust", "sign", k.at("list.draft"), "--key", k.at("anchor.key"), "--out", k.at("trust.list"))
	address, server := k.serve()
	p := k.enrol(address, kills*10)

	client := &http.Client{Timeout: 60 * time.Second}
	acknowledged, deaths := 0, 0
	for deaths < kills && acknowledged < len(p.records) {
		server.killAfter(rand.N(30 * time.Millisecond))
		for acknowledged < len(p.records) && p.sendOne(t, client, address, acknowledged) {
			acknowledged++
		}
		server.Wait()
		deaths++
		if n := k.stored(p.records[:acknowledged]); n != acknowledged {
			t.Fatalf("kill %d: %d of %d acknowledged records are in the database", deaths, n, acknowledged)
		}
		address, server = k.serve()
	}
	t.Logf("%d kills, %d records were acknowledged by then", deaths, acknowledged)
	for ; acknowledged < len(p.records); acknowledged++ {
		if !p.sendOne(t, client, address, acknowledged) {
			t.Fatalf("record %d is not taken", acknowledged+1)
		}
	}
	server.killAfter(0)
	server.Wait()
	if n := k.stored(p.records); n != len(p.records) {
		t.Errorf("%d of %d records are in the database", n, len(p.records))
	}
	k.run("check")
}

// killable is a server's process.
type killable struct{ *exec.Cmd }

func (s killable) killAfter(d time.Duration) { time.AfterFunc(d, func() { s.Process.Kill() }) }

// serve starts the server, and waits until it tells its address.
func (k *killed) serve() (string, killable) {
	k.Helper()
	os.Remove(k.at("data/serve.address")) // of one that was killed
	c, said := k.command("serve", "--trust", k.at("trust.list"), "--listen", "", "--http", "localhost:0")
	if err := c.Start(); err != nil {
		k.Fatal(err)
	}
	k.Cleanup(func() { c.Process.Kill() })
	var b []byte
	if !patience.For(func() bool {
		var err error
		b, err = os.ReadFile(k.at("data/serve.address"))
		return err == nil
	}) {
		k.Fatalf("no server: %s", said)
	}
	return strings.TrimSpace(string(b)), killable{c}
}

// enrol brings a phone in, with a journal of n records.
func (k *killed) enrol(address string, n int) *testPhone {
	k.Helper()
	p := enrolled(k.T, http.DefaultClient, address, "tab-1", "wellA", k.run)
	p.write(k.T, k.list(), certificateOf(k.T, http.DefaultClient, address, p), n)
	return p
}

func (k *killed) list() *trust.List {
	k.Helper()
	raw, err := os.ReadFile(k.at("trust.list"))
	if err != nil {
		k.Fatal(err)
	}
	list, err := trust.Open(raw, trust.Anchors{})
	if err != nil {
		k.Fatal(err)
	}
	return list
}

// certificateOf asks the server for the phone's certificate.
func certificateOf(t *testing.T, client *http.Client, address string, p *testPhone) []byte {
	t.Helper()
	a, err := client.Get(address + p.path())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	var state struct{ Certificate string }
	if err := json.NewDecoder(a.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(state.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sendOne sends record i and reports whether it was acknowledged.
func (p *testPhone) sendOne(t *testing.T, client *http.Client, address string, i int) bool {
	t.Helper()
	a, err := client.Post(address+p.path()+"/journal", "application/cbor-seq", bytes.NewReader(p.records[i]))
	if err != nil {
		return false
	}
	defer a.Body.Close()
	var answer struct {
		Ack     string
		Records []struct{ SHA256, State string }
	}
	if err := json.NewDecoder(a.Body).Decode(&answer); err != nil || a.StatusCode != http.StatusOK || len(answer.Records) != 1 {
		return false
	}
	sum := sha256.Sum256(p.records[i])
	r := answer.Records[0]
	if r.SHA256 != hex.EncodeToString(sum[:]) || r.State != "accepted" && r.State != "known" {
		t.Fatalf("record %d: %+v", i+1, r)
	}
	return true
}

// stored counts which of the records are in the database, each once.
func (k *killed) stored(records [][]byte) (n int) {
	k.Helper()
	db, err := sql.Open("sqlite", k.at("data/aidpass.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		k.Fatal(err)
	}
	defer db.Close()
	for i, raw := range records {
		sum := sha256.Sum256(raw)
		var rows int
		if err := db.QueryRow(`SELECT count(*) FROM visit WHERE seq = ? AND hash = ?`, i+1, sum[:]).Scan(&rows); err != nil {
			k.Fatal(fmt.Errorf("record %d: %w", i+1, err))
		}
		if rows == 1 {
			n++
		}
	}
	return n
}
