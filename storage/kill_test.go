package storage_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/storage"
)

// killed is the folder in which TestKillChild issues, in a process of its own.
const killed = "AIDPASS_TEST_KILL"

// TestKill is promise R1: kill -9 at any moment of a batch, by several workers,
// and every person has exactly one credential, none is lost, none unknown.
// AIDPASS_LOAD=1 kills 1,000 times.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: processes and their deaths take long under the race detector")
	}
	kills, people := 20, 400
	if os.Getenv("AIDPASS_LOAD") != "" {
		kills, people = 1000, 2000
	}
	dir := t.TempDir()
	org, desk, batch := office(t, dir, people)
	der, err := x509.MarshalECPrivateKey(desk.Signer.(*ecdsa.PrivateKey))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "key"), der, 0o600))
	var units []string
	for _, r := range batch.Requests {
		units = append(units, r.Unit.String())
	}
	list, err := json.Marshal(units)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "units"), list, 0o600))

	rounds := 0
	for n := 0; n < kills; n++ {
		if n%8 == 7 { // start over, so that there is always something to kill
			rounds++
		}
		first, second := startChild(t, "TestKillChild", killed+"="+dir, killed+"_ROUND="+strconv.Itoa(rounds+1)), startChild(t, "TestKillChild", killed+"="+dir, killed+"_ROUND="+strconv.Itoa(rounds+1))
		time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond)
		for _, c := range []*exec.Cmd{first, second} {
			killChild(t, c)
		}
	}
	for round := range rounds + 1 {
		c := startChild(t, "TestKillChild", killed+"="+dir, killed+"_ROUND="+strconv.Itoa(round+1))
		check(t, c.Wait())
	}
	active := map[issuer.UnitID]int{}
	for _, r := range batch.Requests {
		found, err := org.FindCredentials(t.Context(), r.Unit.String())
		check(t, err)
		for _, c := range found {
			if !c.Ended {
				active[r.Unit]++
				if c.State != issuer.Issued {
					t.Errorf("credential %s is %s", c.ID, c.State)
				}
			}
		}
		if active[r.Unit] != rounds+1 {
			t.Errorf("unit %s has %d active credentials for %d rounds", r.Unit, active[r.Unit], rounds+1)
		}
	}
	findings, err := org.Check(t.Context())
	check(t, err)
	for _, f := range findings {
		t.Errorf("check: %v", f)
	}
}

// startChild starts this test's program as a process that runs one test alone, and
// waits until that has begun.
func startChild(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	c.Env, c.Stderr = append(os.Environ(), env...), os.Stderr
	out, err := c.StdoutPipe()
	check(t, err)
	check(t, c.Start())
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the child did not begin: %v", err)
	}
	return c
}

// killChild ends a child wherever it is; that it had finished is no error.
func killChild(t *testing.T, c *exec.Cmd) {
	t.Helper()
	check(t, c.Process.Kill())
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
}

func TestKillChild(t *testing.T) {
	dir := os.Getenv(killed)
	if dir == "" {
		t.Skip("run by TestKill")
	}
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	org, err := db.Org(t.Context(), "org-a", make([]byte, storage.KEKBytes))
	check(t, err)
	der, err := os.ReadFile(filepath.Join(dir, "key"))
	check(t, err)
	key, err := x509.ParseECPrivateKey(der)
	check(t, err)
	list, err := os.ReadFile(filepath.Join(dir, "units"))
	check(t, err)
	var units []string
	check(t, json.Unmarshal(list, &units))
	round, err := strconv.ParseUint(os.Getenv(killed+"_ROUND"), 10, 32)
	check(t, err)
	desk := deskOn(t, org, key)
	desk.Chunk = 1 + rand.IntN(40)
	b := issuer.Batch{Type: schemas.ByName("eligibility"), Programme: "P7K2", ProgrammeKey: make([]byte, 32),
		Round: round, Form: credential.FormCWT}
	for i, s := range units {
		u, err := issuer.ParseUnitID(s)
		check(t, err)
		b.Requests = append(b.Requests, issuer.Request{Row: i + 1, Unit: u, Claims: map[string]any{"size_band": "4-5"}})
	}
	digest, err := b.Digest()
	check(t, err)
	b.Approval = issuer.Approval{By: "acc-2", Digest: digest}
	os.Stdout.WriteString("begin\n")
	if rand.IntN(2) == 0 {
		check(t, desk.Resume(t.Context(), func(issuer.Result) error { return nil }))
	}
	check(t, desk.Issue(t.Context(), b, func(r issuer.Result) error {
		if r.Refusal != nil {
			return r.Refusal
		}
		return nil
	}))
}
