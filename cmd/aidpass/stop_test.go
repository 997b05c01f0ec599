package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// office is one organisation on one folder, whose commands are run as they are.
type office struct {
	t   *testing.T
	dir string
}

func (o *office) at(name string) string { return filepath.Join(o.dir, name) }

func (o *office) write(name, text string) {
	if err := os.WriteFile(o.at(name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// run runs a command line; FILE:name in it is a file of the folder.
func (o *office) run(ctx context.Context, line string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Env: func(string) (string, bool) { return "", false },
		Now: scriptClock, WorkFactor: 4, ListSize: 4096}
	words := shellWords(line)
	for i, w := range words {
		if name, ok := strings.CutPrefix(w, "FILE:"); ok {
			words[i] = o.at(name)
		}
	}
	code = m.Run(ctx, append(words, "--data", o.at("data"), "--passphrase-file", o.at("pass")))
	return code, out.String(), errs.String()
}

func (o *office) must(line string) string {
	o.t.Helper()
	code, out, errs := o.run(context.Background(), line)
	if code != 0 {
		o.t.Fatalf("%s: exit %d: %s", line, code, errs)
	}
	return out
}

func newOffice(t *testing.T, people int) *office {
	o := &office{t, t.TempDir()}
	o.write("pass", "correct horse\n")
	var list strings.Builder
	list.WriteString("id,name,sex,birth_date,nationality,relationship,pcode,registration_date,consent\n")
	for i := range people {
		fmt.Fprintf(&list, "%d,Amina %s,F,19%02d-05-12,SOM,head,KE001,2026-10-01,yes\n", i, strings.Repeat(string(rune('a'+i%26)), 3), 50+i%50)
	}
	o.write("list.csv", list.String())
	o.must("org init --id https://relief-a.example/i1 --name A --country KEN --status https://relief-a.example/s/")
	return o
}

// TestStopped: Ctrl-C before or within a long command ends it with 130 and the word
// stopped; the same command again goes on, and nothing is broken.
func TestStopped(t *testing.T) {
	o := newOffice(t, 120)
	for _, line := range []string{
		"registry import FILE:list.csv",
		"issue --type registration --all --out FILE:cards.jsonl --images FILE:cards",
		"registry gate",
		"registry export --out FILE:out.xlsx --purpose copy --reason asked",
		"registry duplicates review", "registry collector busy",
		"print FILE:cards.jsonl --out FILE:cards.pdf",
		"status publish --out FILE:status",
		"check --json",
	} {
		cmd := strings.Join(strings.Fields(line)[:2], " ")
		stopped, cancel := context.WithCancel(context.Background())
		cancel()
		if code, _, errs := o.run(stopped, line); code != exitStopped || !strings.Contains(errs, "aidpass: stopped") || strings.Contains(errs, "error:") {
			t.Errorf("%s, stopped at once: exit %d: %s", cmd, code, errs)
		}
		for _, wait := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 40 * time.Millisecond} {
			os.Remove(o.at("out.xlsx")) // what a try that was quick enough wrote
			ctx, cancel := context.WithTimeout(context.Background(), wait)
			code, _, errs := o.run(ctx, line)
			if cancel(); code != exitStopped && code != 0 || code == exitStopped && strings.Contains(errs, "error:") {
				t.Errorf("%s, stopped after %s: exit %d: %s", cmd, wait, code, errs)
			}
		}
		os.Remove(o.at("out.xlsx"))
		if code, _, errs := o.run(context.Background(), line); code != 0 {
			t.Errorf("%s, again: exit %d: %s", cmd, code, errs)
		}
	}
	if n := strings.Count(o.must("card list --programme registration --json"), "\"number\""); n != 120 {
		t.Errorf("%d cards of 120 people", n)
	}
}
