package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"aidpass/internal/cose"
	"aidpass/verifier/visit"
)

// TestKillTheTable kills verify --give, as a power cut would, at random moments of a
// queue. Whatever it had answered is in the journal, nothing is there twice, and the
// queue goes on where it stopped. There are 20 kills, and 200 under AIDPASS_LOAD=1.
func TestKillTheTable(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: processes and their deaths take long under the race detector")
	}
	kills := 20
	if os.Getenv("AIDPASS_LOAD") != "" {
		kills = 200
	}
	const people = 400
	k := newKilled(t, people)
	for name, text := range map[string]string{"roster.csv": rosterOf(people), "device.pass": "battery staple\n"} {
		if err := os.WriteFile(k.at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.run("trust", "key", "--out", k.at("anchor.key"))
	k.run("trust", "init", "--id", "https://trust.example/list", "--k", "1", "--anchor", k.at("anchor.pub"), "--out", k.at("list.draft"))
	k.run("trust", "add", k.at("list.draft"), k.at("data/public/relief-a.example-i1.org"))
	k.run("trust", "grant", k.at("list.draft"), "--org", "https://relief-a.example/i1", "--type", "eligibility")
	k.run("trust", "sign", k.at("list.draft"), "--key", k.at("anchor.key"), "--out", k.at("trust.list"))
	k.run("issue", k.at("roster.csv"), "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--out", k.at("cards.jsonl"))
	k.run("device", "add", "--name", "tab-1", "--site", "wellA", "--device-passphrase-file", k.at("device.pass"), "--out", k.at("tab-1"))
	k.run("pack", "build", "--trust", k.at("trust.list"), "--site", "wellA", "--device", k.at("tab-1.cert"), "--out", k.at("wellA.pack"))

	acknowledged, died := map[uint64]string{}, 0
	for range kills {
		if k.serveAndDie(acknowledged) {
			died++
		}
		k.holds(acknowledged)
	}
	t.Logf("%d tables were killed at work, %d of %d people were served by then", died, len(acknowledged), people)
	// The rest of the queue comes; who was served is told so.
	c, said := k.table()
	if out, err := c.Output(); err != nil && c.ProcessState.ExitCode() != 4 {
		t.Fatalf("%v: %s %s", err, said, out)
	}
	j := k.holds(acknowledged)
	served := map[string]bool{}
	for _, v := range j.Visits {
		if served[v.Ledger.Pseudonym] {
			t.Errorf("record %d gives to the same person again", v.Sequence)
		}
		served[v.Ledger.Pseudonym] = true
	}
	if len(served) != people {
		t.Errorf("%d of %d people were served", len(served), people)
	}
	k.importAndDie(kills, people)
}

// importAndDie kills visits import at random moments. A file is in whole or not at all,
// and in the end each record is there once.
func (k *killed) importAndDie(kills, records int) {
	k.Helper()
	importing := []string{"visits", "import", k.at("tab-1.journal"), "--json"}
	died := 0
	for range kills {
		if k.kill(700*time.Millisecond, importing...) {
			died++
		}
	}
	var file struct{ Records, Accepted, Known int }
	for range 2 {
		if err := json.Unmarshal([]byte(k.run(importing...)), &file); err != nil {
			k.Fatal(err)
		}
		if file.Records != records || file.Known != records && file.Accepted != records {
			k.Errorf("after the kills %+v: want all %d accepted or all known", file, records)
		}
	}
	if file.Known != records {
		k.Errorf("%d of %d records are known", file.Known, records)
	}
	k.Logf("%d imports were killed at work", died)
	k.run("check")
}

func rosterOf(people int) string {
	var b strings.Builder
	b.WriteString("id,name\n")
	for i := range people {
		b.WriteString(strings.Join([]string{"P-", strings.Repeat("x", i%3), nameOf(i), ",", nameOf(i), "\n"}, ""))
	}
	return b.String()
}

// table is a service point with the whole queue before it.
func (k *killed) table() (*exec.Cmd, *bytes.Buffer) {
	return k.command("verify", "--pack", k.at("wellA.pack"), "--state", k.at("tab-1.state"), "--device", k.at("tab-1.key"),
		"--device-passphrase-file", k.at("device.pass"), "--visits", k.at("tab-1.journal"), "--give", "--json", k.at("cards.jsonl"))
}

// serveAndDie kills a table after a random number of answers and a random moment
// more. What it said is acknowledged. It reports false where it was done before.
func (k *killed) serveAndDie(acknowledged map[uint64]string) bool {
	k.Helper()
	c, said := k.table()
	out, err := c.StdoutPipe()
	if err != nil {
		k.Fatal(err)
	}
	if err := c.Start(); err != nil {
		k.Fatal(err)
	}
	answers := rand.IntN(40)
	lines := bufio.NewReader(out)
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // a line that was cut off was not said
		}
		if err != nil {
			k.Fatal(err)
		}
		var a struct {
			Recorded *uint64
			Number   string
		}
		if err := json.Unmarshal(line, &a); err != nil {
			k.Fatalf("%v: %s", err, line)
		}
		if a.Recorded != nil {
			if acknowledged[*a.Recorded] != "" {
				k.Errorf("record %d was given out twice", *a.Recorded)
			}
			acknowledged[*a.Recorded] = a.Number
			if answers--; answers <= 0 {
				time.Sleep(rand.N(3 * time.Millisecond))
				c.Process.Kill()
			}
		}
	}
	c.Wait()
	if code := c.ProcessState.ExitCode(); code != -1 && code != 0 && code != 4 {
		k.Fatalf("exit %d: %s", code, said)
	}
	return c.ProcessState.ExitCode() == -1
}

// holds reads the journal: every record that was acknowledged is in it, for the card
// it was acknowledged for.
func (k *killed) holds(acknowledged map[uint64]string) *visit.Journal {
	k.Helper()
	content, err := os.ReadFile(k.at("tab-1.journal"))
	if err != nil {
		k.Fatal(err)
	}
	app := &app{Main: &Main{Stderr: os.Stderr, Now: scriptClock}}
	pack, err := app.readPack(k.at("wellA.pack"))
	if err != nil {
		k.Fatal(err)
	}
	j, err := visit.Read(content, func(kid []byte) *cose.Key { return pack.JournalKey(kid) })
	if err != nil {
		k.Fatal(err)
	}
	for n, number := range acknowledged {
		if n > uint64(len(j.Visits)) || numberOf(j.Visits[n-1].Ledger.Pseudonym) != number {
			k.Errorf("record %d was acknowledged, and is not in the journal", n)
		}
	}
	return j
}
