package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLoadALargeRoster is the long run of make load: 50,000 people from a roster
// to cards, the same roster again, and every card judged. It prints rates; what
// it holds is that nobody is lost, doubled or refused on the way.
func TestLoadALargeRoster(t *testing.T) {
	if os.Getenv("AIDPASS_LOAD") == "" {
		t.Skip("make load runs this")
	}
	const people = 50_000
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("pass"), []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var roster bytes.Buffer
	roster.WriteString("id,full_name,household_size\n")
	for i := range people {
		fmt.Fprintf(&roster, "P-%06d,Person %d,%d\n", i, i, 1+i%9)
	}
	if err := os.WriteFile(at("roster.csv"), roster.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Env: os.LookupEnv, Now: scriptClock, WorkFactor: 4}
		began := time.Now()
		code := m.Run(context.Background(), append(args, "--data", at("data"), "--passphrase-file", at("pass")))
		if code != 0 {
			t.Fatalf("%s: exit %d: %s", args[0], code, errs.String())
		}
		if took := time.Since(began).Seconds(); took > 1 {
			t.Logf("%-8s %6.1f s, %.0f a second", args[0], took, people/took)
		}
		return out.String()
	}
	run("org", "init", "--id", "https://relief-a.example/i1", "--name", "Relief A", "--country", "KEN", "--status", "https://relief-a.example/s/")
	run("trust", "key", "--out", at("anchor.key"))
	run("trust", "init", "--id", "https://trust.example/list", "--k", "1", "--anchor", at("anchor.pub"), "--out", at("draft"))
	run("trust", "add", at("draft"), at("data/public/relief-a.example-i1.org"))
	run("trust", "grant", at("draft"), "--org", "https://relief-a.example/i1", "--type", "eligibility")
	run("trust", "sign", at("draft"), "--key", at("anchor.key"), "--out", at("trust.list"))
	issue := []string{"issue", at("roster.csv"), "--type", "eligibility", "--programme", "K7Q2", "--round", "1"}
	run(append(issue, "--out", at("cards.jsonl"))...)
	run(append(issue, "--out", at("again.jsonl"))...)
	first, again := cardsByCTI(t, at("cards.jsonl")), cardsByCTI(t, at("again.jsonl"))
	if len(first) != people || len(again) != people {
		t.Fatalf("%d cards, then %d: want %d each", len(first), len(again), people)
	}
	for cti := range first {
		if !again[cti] {
			t.Fatalf("card %s is not among those of the second run", cti)
		}
	}
	run("pack", "build", "--trust", at("trust.list"), "--site", "WELL-A", "--programme", "K7Q2", "--out", at("pack"))
	give := strings.Count(run("verify", "--json", "--pack", at("pack"), at("cards.jsonl")), `"word":"GIVE"`)
	if give != people {
		t.Errorf("%d cards answer GIVE, want %d", give, people)
	}
}

func cardsByCTI(t *testing.T, path string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for line := range bytes.Lines(b) {
		var c struct{ Credential string }
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		out[c.Credential] = true
	}
	return out
}
