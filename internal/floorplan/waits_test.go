package floorplan

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// fixed is a wait of a fixed while, and a going to another page that fails where the page
// before is about to go by itself.
var fixed = regexp.MustCompile(`\btime\.Sleep\(|\bchromedp\.(Navigate|Sleep)\(`)

// waits are the files of tests that wait for a fixed while all the same, how often, and
// why no load of the machine makes them fail.
var waits = map[string]struct {
	times int
	why   string
}{
	"cmd/aidpass/kill_visits_test.go":  {1, "a kill at a random moment"},
	"cmd/aidpass/serve_live_test.go":   {3, "a phone and another program come again a moment later"},
	"internal/durable/durable_test.go": {1, "a kill at a random moment"},
	"storage/kill_test.go":             {1, "a kill at a random moment"},
	"storage/exercise_kill_test.go":    {1, "a kill at a random moment"},
	"storage/registry_kill_test.go":    {1, "a kill at a random moment"},
	"storage/trouble_test.go":          {1, "another program keeps the database for a while"},
	"storage/work_kill_test.go":        {2, "a kill at a random moment; work that takes a while"},
	"web/api/serve_test.go":            {2, "clients that are slow, and one that is there when the server stops or comes too late"},
	"web/scanner/badge_test.go":        {1, "between two tries, until one is taken"},
	"web/scanner/browser_test.go":      {1, "nothing happens meanwhile"},
	"web/scanner/camera_test.go":       {4, "nothing happens meanwhile"},
	"web/scanner/carry_test.go":        {3, "a frame stands for a while and comes again; nothing moves meanwhile; a kill at some moment"},
	"web/scanner/keyboard_test.go":     {1, "two presses are apart, at the least"},
	"web/scanner/kills_test.go":        {3, "a kill at some moment"},
	"web/scanner/meeting_test.go":      {2, "two presses are apart, at the least; nothing happens meanwhile"},
	"web/scanner/phone_test.go":        {1, "a card leaves the camera; the app itself takes it for gone only seconds later"},
	"web/scanner/speed_test.go":        {2, "a slow phone is one that stands still"},
	"web/scanner/voices_test.go":       {1, "a word of some length"},
}

// A test that waits for a while fails on the day when the machine is slower: tests wait until
// it is so (internal/patience, Page.Wait, Page.Change, Page.Leave), and go to pages by Page.Go.
func TestTestsWaitForNoFixedWhile(t *testing.T) {
	out, err := exec.Command("git", "-C", "../..", "ls-files", "-co", "--exclude-standard", "*_test.go").Output()
	if err != nil {
		t.Skip("no list of files: ", err)
	}
	files := 0
	for _, name := range strings.Fields(string(out)) {
		b, err := os.ReadFile("../../" + name)
		if err != nil {
			continue // deleted and not committed yet
		}
		files++
		found := fixed.FindAll(b, -1)
		if want := waits[name]; len(found) != want.times && name != "internal/floorplan/waits_test.go" {
			t.Errorf("%s: %d fixed waits or bare ways to a page, %d are known (%s): wait by internal/patience or internal/browsertest, or say here why load cannot make it fail", name, len(found), want.times, want.why)
		}
	}
	for name := range waits {
		if _, err := os.Stat("../../" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were looked at", files)
	}
}
