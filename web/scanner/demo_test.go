package scanner_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aidpass/internal/browsertest"
	"aidpass/internal/patience"
	"aidpass/internal/qrcode"
	"aidpass/web/scanner"
)

// laptop is a running `aidpass demo`.
type laptop struct {
	*testing.T
	command *exec.Cmd
	dir     string
	mu      sync.Mutex
	said    bytes.Buffer
}

func (l *laptop) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.Write(b)
}

func (l *laptop) output() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}

// says waits until the laptop has said what a pattern finds, and returns its groups.
func (l *laptop) says(pattern string) []string {
	l.Helper()
	var found []string
	if !patience.For(func() bool { found = regexp.MustCompile(pattern).FindStringSubmatch(l.output()); return found != nil }) {
		l.Fatalf("the demo never says %q:\n%s", pattern, l.output())
	}
	return found
}

// built is the program in a folder that TestMain takes away, built once for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "aidpass-built-")
	if err != nil {
		return "", err
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "aidpass"), "aidpass/cmd/aidpass").CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

var needsProgram atomic.Bool

// program is its path.
func program(t *testing.T) string {
	t.Helper()
	needsProgram.Store(true)
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "aidpass")
}

// newLaptop starts the demo as `make run` does.
func newLaptop(t *testing.T) *laptop {
	t.Helper()
	if _, err := scanner.Files(); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	program := program(t)
	l := &laptop{T: t, dir: filepath.Join(t.TempDir(), "demo")}
	l.command = exec.Command(program, "demo", "--dir", l.dir)
	l.command.Stdout, l.command.Stderr = l, l
	if err := l.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.command.Process.Kill() })
	return l
}

// stop ends the demo as Ctrl-C does.
func (l *laptop) stop() {
	l.Helper()
	if err := l.command.Process.Signal(syscall.SIGTERM); err != nil {
		l.Fatal(err)
	}
	if err := l.command.Wait(); err != nil {
		l.Errorf("the demo ends with %v:\n%s", err, l.output())
	}
	if !strings.HasSuffix(l.output(), "Thank you for trying it.\n") {
		l.Errorf("its last words: %q", l.output()[max(0, len(l.output())-300):])
	}
}

// shell runs a command line that the demo printed.
func (l *laptop) shell(line string) string {
	l.Helper()
	out, err := exec.Command("sh", "-c", line).CombinedOutput()
	if err != nil {
		l.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// The whole story, as somebody alone with a phone lives it: the demo is started, the
// phone opens the printed address, enrols, scans the printed sheet, gives, hands in;
// the report knows, and without the server scanning goes on.
func TestTheDemoWithAPhone(t *testing.T) {
	t.Parallel()
	browsertest.Chromium(t)
	l := newLaptop(t)
	link := l.says(`(?m)^  (http://localhost:\d+)(/scanner/#enrol=\w+)$`)
	l.says("Ctrl-C ends the demo")

	p := &phone{browsertest.New(t, time.Time{}), link[1] + link[2]}
	p.open()
	p.screen("setup")
	p.fill("name", "tab-7")
	p.click("make-key")
	p.screen("server") // the address brought the code: it goes on by itself
	words := p.text(".words")
	p.wait(`document.querySelector(".wrong").innerText`)
	asked := l.says(`(?m)"tab-7" asks to join WELL-A.*\n  (.+)\nwhere it does:  (.+)$`)
	if asked[1] != words {
		t.Errorf("the phone shows %q, the laptop %q", words, asked[1])
	}
	l.shell(asked[2])
	p.click("code-go")
	p.wait(`document.querySelector("#choose-pin.main")`)
	p.url = link[1] + "/scanner/"
	p.click("choose-pin")
	p.fill("pin", pin)
	p.fill("pin2", pin)
	p.click("pin-go")
	p.click("done")
	p.click("open-shift")
	p.click("badge")
	p.see(demoBadge(t, filepath.Join(l.dir, "out", "badge", "V-12.png")), 0)
	p.screen("ready")
	p.see("", 0)
	if got := p.text("#title"); got != "WELL-A" {
		t.Errorf("the phone stands at %q", got)
	}

	// What table 1 gave, as the sheet tells.
	answer, err := http.Get(link[1] + "/public/table-1.exchange")
	if err != nil {
		t.Fatal(err)
	}
	exchange, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	p.click("lists")
	p.give("update", "table-1.exchange", exchange)
	p.wait(`document.getElementById("toast").innerText.includes("2")`)
	p.back()
	p.screen("ready")

	cards := demoCards(t, filepath.Join(l.dir, "out", "demo-cards.jsonl"))
	filmed := map[string]bool{}
	for _, c := range cards {
		if c.Reason == "unknown_format" {
			p.see(c.Text, 0)
			p.wait(fmt.Sprintf(`document.getElementById("toast").innerText.includes(%q)`, c.Word))
			p.see("", 0)
			continue
		}
		// By the camera once for each word, the others as a hand-held scanner types them.
		got := ""
		if filmed[c.Word] {
			p.typed(c.Text)
			p.screen("verdict")
			got = p.text("#title")
		} else {
			filmed[c.Word] = true
			got = p.judge(c.Text)
		}
		if reason := eval[string](p, `document.getElementById("screen").dataset.reason`); got != c.Word || reason != c.Reason {
			t.Errorf("the sheet says %s (%s), the phone %s (%s): %s", c.Word, c.Reason, got, reason, c.Why)
		}
		if c == cards[0] {
			p.shoot("demo-give")
		}
		p.away()
	}
	if got := p.judge(cards[0].Text); got != "GIVE" {
		t.Fatalf("%q", got)
	}
	p.see("", 0)
	p.click("witness")
	p.hold("give")
	p.screen("scan")
	p.wait(`document.getElementById("toast").innerText.includes("Recorded")`)
	p.back()
	p.screen("ready")
	p.click("history")
	p.click("send")
	p.wait(`document.getElementById("export") && !document.querySelector("#export.main")`) // nothing is left to hand in
	p.back()
	p.wait(`document.querySelector("#unsent-chip").innerText.includes("0")`)
	if got, want := l.report(), []string{"tab-7 V-12 collected", "table-1  collected", "table-1  partial"}; !slices.Equal(got, want) {
		t.Errorf("the report says %q, want %q", got, want)
	}

	l.stop()
	p.reload()
	p.screen("ready")
	if got := p.judge(cards[0].Text); got != "ALREADY COLLECTED" {
		t.Errorf("without the server: %q", got)
	}
}

// report is what the office knows was given: device, worker and what.
func (l *laptop) report() (given []string) {
	l.Helper()
	command := l.says(`then: (.+ visits report)`)[1]
	var report struct {
		Accounts []struct {
			State   string
			Counted []struct{ Name, Worker string }
		}
	}
	if err := json.Unmarshal([]byte(l.shell(command+" --json")), &report); err != nil {
		l.Fatal(err)
	}
	for _, a := range report.Accounts {
		for _, c := range a.Counted {
			given = append(given, strings.Join([]string{c.Name, c.Worker, a.State}, " "))
		}
	}
	slices.Sort(given)
	return given
}

// demoBadge reads the badge that the demo made.
func demoBadge(t *testing.T, path string) string {
	t.Helper()
	picture, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	texts, err := qrcode.ReadImage(picture)
	if err != nil || len(texts) != 1 {
		t.Fatal(texts, err)
	}
	return texts[0]
}

type demoCard struct{ Text, Reason, Word, Why string }

func demoCards(t *testing.T, path string) (cards []demoCard) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for lines := json.NewDecoder(bytes.NewReader(b)); lines.More(); {
		var c demoCard
		if err := lines.Decode(&c); err != nil {
			t.Fatal(err)
		}
		cards = append(cards, c)
	}
	return cards
}
