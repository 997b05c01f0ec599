package floorplan

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// told is a line that writes the text of an error into a log.
var told = regexp.MustCompile(`(?i)\blog(\([a-z]*\))?\.(Error|Warn|Info|Debug|Log)\(.*(\.Error\(\)|"[a-z]+", err\b)`)

// Texts of errors cite what somebody typed and name records by people's numbers: a server's
// log has their codes alone (access.ErrorCode).
func TestNoLogHasTheTextOfAnError(t *testing.T) {
	for text, want := range map[string]bool{
		`s.log.Error("no", "error", err.Error())`:          true,
		`r.log().Error("no", "job", id, "error", err)`:     true,
		`s.log(c).Info("no", "why", e.Err.Error())`:        true,
		`s.log.Error("no", "code", access.ErrorCode(err))`: false,
		`s.Log.Info("stopping")`:                           false,
		`slog.Error("no", "error", err)`:                   false, // another logger's: none is used
	} {
		if told.MatchString(text) != want {
			t.Errorf("%s: found %v", text, !want)
		}
	}
	out, err := exec.Command("git", "-C", "../..", "ls-files", "*.go").Output()
	if err != nil {
		t.Skip("no list of files: ", err)
	}
	files := 0
	for _, name := range strings.Fields(string(out)) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile("../../" + name)
		if err != nil {
			continue // deleted and not committed yet
		}
		files++
		for n, line := range strings.Split(string(b), "\n") {
			if told.MatchString(line) || strings.Contains(line, "slog.Error(") {
				t.Errorf("%s:%d: a log has the text of an error: %s", name, n+1, strings.TrimSpace(line))
			}
		}
	}
	if files < 100 {
		t.Errorf("only %d files were looked at", files)
	}
}
