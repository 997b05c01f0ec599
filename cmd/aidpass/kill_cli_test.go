package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKillTheProgram kills the program itself, as a power cut would, at random
// moments of bringing a list of 2,000 people in and of issuing cards to them. In
// the end everybody is on record once, has exactly one credential a round, no two
// share an entry of a status list, and check finds every promise kept. There are
// 20 kills, and 1,000 under AIDPASS_LOAD=1.
func TestKillTheProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: processes and their deaths take long under the race detector")
	}
	const people = 2000
	kills := 20
	if os.Getenv("AIDPASS_LOAD") != "" {
		kills = 1000
	}
	k := newKilled(t, people)
	importing := []string{"registry", "import", k.at("people.csv")}
	issuing := func(round int) []string {
		return []string{"issue", "--all", "--unit", "person", "--type", "eligibility", "--programme", "K7Q2", "--round", fmt.Sprint(round)}
	}
	began := time.Now()
	k.run(append(importing, "--dry-run")...)
	long := time.Since(began)
	died, rolledBack := 0, 0 // before they were done; with nobody on record
	for range kills / 2 {
		if k.kill(long*3/2, importing...) {
			died++
		}
		switch n := k.onRecord(); n {
		case 0:
			rolledBack++
		case people:
		default:
			t.Fatalf("%d of %d people are on record after a kill: an import is whole or it is not", n, people)
		}
	}
	k.run(importing...)
	if n := k.onRecord(); n != people {
		t.Fatalf("%d of %d people are on record", n, people)
	}

	t.Logf("%d imports were killed at work, %d times nobody was on record after it", died, rolledBack)

	rounds := 1
	died = 0
	for n := range kills - kills/2 {
		if n%max(8, kills/8) == 7 { // start over, so that there is always something to kill
			rounds++
		}
		if k.kill(time.Second, append(issuing(rounds), "--out", k.at(fmt.Sprintf("killed-%d.jsonl", n)))...) {
			died++
		}
	}
	t.Logf("%d issuers were killed at work, in %d rounds", died, rounds)
	places, units := map[string]bool{}, map[string]int{}
	for round := 1; round <= rounds; round++ {
		out := k.at(fmt.Sprintf("round-%d.jsonl", round))
		k.run(append(issuing(round), "--out", out)...)
		cards := k.cards(out)
		if len(cards) != people {
			t.Fatalf("round %d: %d cards for %d people", round, len(cards), people)
		}
		for _, c := range cards {
			place := fmt.Sprint(c.Status.URI, " ", c.Status.Index)
			if places[place] {
				t.Errorf("two credentials share entry %s", place)
			}
			places[place] = true
			units[fmt.Sprint(round, " ", c.Number)]++
		}
	}
	for place, n := range units {
		if n != 1 {
			t.Errorf("%s has %d credentials, want 1", place, n)
		}
	}
	k.run("check")
}

// killed is a data folder and the program that works in it.
type killed struct {
	*testing.T
	dir string
}

func (k *killed) at(name string) string { return filepath.Join(k.dir, name) }

// newKilled makes an organisation that may issue, and a list of people.
func newKilled(t *testing.T, people int) *killed {
	t.Helper()
	k := &killed{t, t.TempDir()}
	var list strings.Builder
	list.WriteString("individual_id,full_name,sex,birth_date,country_of_origin,country,relationship,household_id,consent,registration_date\n")
	for i := range people {
		relation := "head"
		if i%4 > 0 {
			relation = "son/daughter"
		}
		fmt.Fprintf(&list, "P-%05d,%s,%c,%d-%02d-%02d,SOM,KEN,%s,HH-%05d,yes,2026-10-%02d\n", i, nameOf(i), "fm"[i%2],
			1950+i%60, 1+i%12, 2+i%26, relation, i/4, 1+i%30)
	}
	for name, text := range map[string]string{"pass": "correct horse\n", "people.csv": list.String()} {
		if err := os.WriteFile(k.at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.run("org", "init", "--id", "https://relief-a.example/i1", "--name", "Relief A", "--country", "KEN", "--status", "https://relief-a.example/s/")
	return k
}

// nameOf are syllables: no two of the list are alike.
func nameOf(n int) string {
	syllables := strings.Fields("Ka Le Mi No Ru Sa Te Vi Zo Ba De Fi Go Hu Ja")
	given, family := "", ""
	for i, rest := 0, n; i < 4; i++ {
		given, family = given+syllables[rest%len(syllables)], syllables[(rest*7+i)%len(syllables)]+family
		rest /= len(syllables)
	}
	return given + " " + family
}

// onRecord returns how many people are.
func (k *killed) onRecord() int {
	k.Helper()
	c, said := k.command("registry", "gate", "--unit", "person", "--json")
	out, err := c.Output()
	if err != nil {
		if strings.Contains(said.String(), "is on record") {
			return 0
		}
		k.Fatalf("registry gate: %v: %s", err, said)
	}
	var counts struct{ Units int }
	if err := json.Unmarshal(out, &counts); err != nil {
		k.Fatal(err)
	}
	return counts.Units
}

// command is the program as a process of its own: see TestMain.
func (k *killed) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	c := exec.Command("aidpass", append(args, "--data", k.at("data"), "--passphrase-file", k.at("pass"))...)
	var said bytes.Buffer
	c.Stderr = &said
	return c, &said
}

func (k *killed) run(args ...string) string {
	k.Helper()
	c, said := k.command(args...)
	out, err := c.Output()
	if err != nil {
		k.Fatalf("%s: %v: %s", strings.Join(args[:2], " "), err, said)
	}
	return string(out)
}

// kill starts the program and kills it within a time. It reports false where the
// program was done before.
func (k *killed) kill(within time.Duration, args ...string) bool {
	k.Helper()
	c, said := k.command(args...)
	if err := c.Start(); err != nil {
		k.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			k.Fatalf("%s: %v: %s", args[0], err, said)
		}
		return false
	case <-time.After(rand.N(within)):
	}
	if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		k.Fatal(err)
	}
	return <-done != nil
}

type killedCard struct {
	Credential, Number string
	Status             struct {
		URI   string
		Index uint64 `json:"idx"`
	}
}

func (k *killed) cards(path string) (cards []killedCard) {
	k.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		k.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var c killedCard
		if err := json.Unmarshal(line, &c); err != nil {
			k.Fatal(err)
		}
		cards = append(cards, c)
	}
	return cards
}
