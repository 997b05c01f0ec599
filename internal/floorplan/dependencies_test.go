package floorplan

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each direct module of go.mod has its row in DEPENDENCIES.md, and each row its module.
func TestEveryModuleIsExplained(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	version := regexp.MustCompile(`^\s*(?:require )?([\w./-]+\.[\w./-]+) v\S+$`) // "// indirect" does not match
	tool := regexp.MustCompile(`^tool (\S+)$`)
	var direct []string
	for line := range strings.Lines(read("go.mod")) {
		line = strings.TrimRight(line, "\r\n")
		if m := version.FindStringSubmatch(line); m != nil {
			direct = append(direct, m[1])
		} else if m := tool.FindStringSubmatch(line); m != nil {
			module, _, _ := strings.Cut(m[1], "/cmd/")
			direct = append(direct, module)
		}
	}
	if len(direct) < 5 {
		t.Fatalf("found %q in go.mod: the test reads it wrongly", direct)
	}
	row := regexp.MustCompile("(?m)^\\| `([\\w/-]+\\.[\\w./-]+)` \\|")
	var explained []string
	for _, m := range row.FindAllStringSubmatch(read("DEPENDENCIES.md"), -1) {
		explained = append(explained, m[1])
	}
	for _, module := range direct {
		if !slices.Contains(explained, module) {
			t.Errorf("DEPENDENCIES.md does not say why %s is needed", module)
		}
	}
	for _, module := range explained {
		if !slices.Contains(direct, module) {
			t.Errorf("DEPENDENCIES.md explains %s, which go.mod does not require", module)
		}
	}
}
