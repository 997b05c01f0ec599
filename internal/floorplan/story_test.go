package floorplan

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// strays are texts that have no place in a file of the project. The patterns are
// written so that this file does not hold what it looks for.
var strays = []struct {
	pattern *regexp.Regexp
	why     string
}{
	{regexp.MustCompile(`\b(proxy|sum)\.golan[g]\.org|\bregistry\.(npmj[s]|yarnpk[g])\.|\b(deb|security|archive)\.(debia[n]|ubunt[u])\.|\bpyp[i]\.org`),
		"names a package registry's host: where packages come from is the machine's own setting"},
	{regexp.MustCompile(`(^|[\s"'=(:])/(hom[e]|User[s]|roo[t])/[\w.]`),
		"names a folder of somebody's own machine"},
	{regexp.MustCompile(`\bTOD[O]\b([^(]|\([^#]|$)|\bFIXM[E]\b|\bXX[X]\b`),
		"leaves work without an issue: write TOD" + "O(#123): and what is missing"},
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KE[Y]-----`),
		"holds a private key"},
	{regexp.MustCompile(`^(<{7}|>{7}) `),
		"was left half merged"},
}

// others holds files whose text is not ours.
var others = regexp.MustCompile(`^(go\.sum|LICENSE|.*package-lock\.json|\.git|bin|testdata/npm/node_modules|web/npm/node_modules|web/scanner/dist|web/wallet/dist)$`)

func TestTheProjectTellsItsOwnStoryOnly(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if others.MatchString(filepath.ToSlash(name)) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return nil // not a text
		}
		number := 0
		for line := range bytes.Lines(text) {
			number++
			for _, stray := range strays {
				if found := stray.pattern.Find(line); found != nil {
					t.Errorf("%s:%d: %q %s", name, number, bytes.TrimSpace(found), stray.why)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStraysAreFound(t *testing.T) {
	for _, line := range []string{
		"see https" + "://proxy.golan" + "g.org/x", `"resolved": "https` + `://registry.npmj` + `s.org/a"`,
		"/hom" + "e/amina/aidpass", "// TOD" + "O: later", "// FIXM" + "E", "-----BEGIN EC PRIVATE KE" + "Y-----",
	} {
		found := false
		for _, stray := range strays {
			found = found || stray.pattern.MatchString(line)
		}
		if !found {
			t.Errorf("%q was not found", line)
		}
	}
	for _, line := range []string{"TOD" + "O(#12): the French page", "a page at /homes/list", "https://example.org/home/x"} {
		for _, stray := range strays {
			if stray.pattern.MatchString(line) {
				t.Errorf("%q was taken for a stray: it %s", line, stray.why)
			}
		}
	}
}
