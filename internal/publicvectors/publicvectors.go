// Package publicvectors finds the published test vectors that are kept beside the
// repository, under ../shared/vectors. They carry other licences and are never
// copied in, so a user's machine may lack them.
package publicvectors

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the place of one file or folder of the vectors. It skips the test
// where the whole collection is absent, and fails it where only this one is: a
// misspelt name must not look like a machine without vectors.
func Path(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		all := filepath.Join(dir, "shared", "vectors")
		if _, err := os.Stat(all); err == nil {
			path := filepath.Join(all, name)
			if _, err := os.Stat(path); err != nil {
				t.Fatalf("no such public vector: %v", err)
			}
			return path
		}
		if dir == filepath.Dir(dir) {
			t.Skip("SKIPPED: ../shared/vectors not present")
		}
	}
}
