package scanner_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/internal/browsertest"
)

// Two phones that no network joins give to one household, the first on its old card,
// the second on the new one that the office made meanwhile. What both hand in comes to
// one collection and one conflict in `aidpass visits report`.
func TestTheReportTellsOfTwoCollections(t *testing.T) {
	t.Parallel()
	browsertest.Chromium(t)
	server := serve(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	program := program(t)
	// The demo's organisation; of the rest of the demo, which wants typefaces, nothing is used.
	if out, err := exec.Command(program, "demo", "--dir", at("demo"), "--no-serve").CombinedOutput(); err != nil {
		if _, missing := os.Stat(at("demo/out/cards.jsonl")); missing != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	office := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "AIDPASS_DATA="+at("demo/relief-a"), "AIDPASS_PASSPHRASE_FILE="+at("demo/secrets/passphrase"))
		var words strings.Builder
		cmd.Stderr = &words
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("aidpass %s: %v\n%s%s", strings.Join(args, " "), err, out, words.String())
		}
		return string(out)
	}
	card := func(path string) (number, text string) {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var c struct{ Number, Text string }
		// The last of them: the demo's own table has given to some of the first.
		for lines := json.NewDecoder(f); lines.More(); {
			if err := lines.Decode(&c); err != nil {
				t.Fatal(err)
			}
		}
		return c.Number, c.Text
	}

	phones := map[string]*phone{}
	for _, name := range []string{"west", "east"} {
		p := &phone{browsertest.New(t, time.Time{}), server.URL}
		phones[name] = p
		p.open()
		p.fill("name", name)
		p.click("make-key")
		p.screen("key")
		p.wait(`document.querySelector("canvas.qr")`)
		request := eval[string](p, `document.querySelector("canvas.qr").dataset.text`)
		if err := os.WriteFile(at(name+".devkey"), []byte(request), 0o600); err != nil {
			t.Fatal(err)
		}
		office("device", "add", "--key", at(name+".devkey"), "--words", p.text("#key-words"), "--site", "WELL-A", "--out", at(name))
		answer, err := os.ReadFile(at(name + ".enrol"))
		if err != nil {
			t.Fatal(err)
		}
		p.click("go")
		p.give("load-pack", "tab.enrol", answer)
		p.wait(`document.querySelector("#choose-pin.main")`)
		p.click("choose-pin")
		p.fill("pin", pin)
		p.fill("pin2", pin)
		p.click("pin-go")
		p.click("done")
		p.click("open-shift")
		p.fill("staff", "V-12")
		p.click("shift-go")
		p.screen("gate")
		p.fill("pin", pin)
		p.click("pin-go")
		p.screen("ready")
	}
	number, old := card(at("demo/out/cards.jsonl"))
	office("card", "replace", number, "--reason", "spoiled", "--out", at("new.jsonl"))
	_, reissued := card(at("new.jsonl"))
	server.Close()

	for name, text := range map[string]string{"west": old, "east": reissued} {
		p := phones[name]
		p.typed(text)
		p.screen("verdict")
		if got := p.text("#title"); got != "GIVE" {
			t.Fatalf("%s: %q", name, got)
		}
		if eval[bool](p, `!!document.getElementById("witness")`) {
			p.click("witness")
		}
		p.hold("give")
		p.screen("scan")
		p.back()
		p.screen("ready")
		p.click("lists")
		p.screen("lists")
		p.click("hand")
		p.screen("hand")
		if err := os.WriteFile(at(name+".journal"), p.Download("save-office"), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	office("visits", "import", at("west.journal"), at("east.journal"))
	var report struct {
		Collected, Conflicts int
		Accounts             []struct {
			State              string
			Counted, Conflicts []struct{ Name string }
		}
	}
	raw := office("visits", "report", "--json")
	if err := json.Unmarshal([]byte(raw), &report); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, a := range report.Accounts {
		var names []string
		for _, e := range slices.Concat(a.Counted, a.Conflicts) {
			if _, ours := phones[e.Name]; ours {
				names = append(names, e.Name)
			}
		}
		if len(names) == 0 {
			continue
		}
		found++
		slices.Sort(names)
		if a.State != "collected" || len(a.Counted) != 1 || len(a.Conflicts) != 1 || !slices.Equal(names, []string{"east", "west"}) {
			t.Errorf("the household is told as %+v, want one collection and one conflict, of both phones", a)
		}
	}
	if found != 1 || report.Collected < 1 || report.Conflicts != 1 {
		t.Errorf("%d households, %d collected, %d conflicts:\n%s", found, report.Collected, report.Conflicts, raw)
	}
	if sheet := office("visits", "report"); !strings.Contains(sheet, "conflict") {
		t.Errorf("what people read says nothing of it:\n%s", sheet)
	}
}
