//go:build !js

package verifiertest_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"aidpass/verifier/verifiertest"
	"aidpass/words"
)

var update = flag.Bool("update", false, "store the cases that are not stored yet")

const verdicts = "../../testdata/vectors/verdicts.json"

// TestWriteVectors adds to what TestStoredVectors, the browser binaries and the
// command line are asked. Run it with -update when cases were added; an answer
// that changed is a change of what people at a table are told.
func TestWriteVectors(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	w := verifiertest.New()
	if err := w.Save(verdicts, verifiertest.Cases(w)); err != nil {
		t.Fatal(err)
	}
}

func TestStoredVectors(t *testing.T) {
	w := verifiertest.New()
	cases, err := verifiertest.Load(verdicts)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		r := w.Judge(c)
		if err := c.Check(&r); err != nil {
			t.Error(err)
		}
		names[c.Name] = true
	}
	for _, c := range verifiertest.Cases(w) {
		if !names[c.Name] {
			t.Errorf("case %q is not stored: go test ./verifier/verifiertest -run TestWriteVectors -update", c.Name)
		}
	}
	// What the generated cases reach, the stored ones reach.
	reached := verifiertest.Reached(cases)
	for r := range verifiertest.Reached(verifiertest.Cases(w)) {
		if !reached[r] {
			t.Errorf("no stored case reaches %s", r)
		}
	}
	if len(words.Reasons()) == 0 || len(cases) < 100 {
		t.Errorf("only %d cases", len(cases))
	}
}

// The folder has what the cases name and no more, and not too much of it.
func TestStoredVectorsAreSmall(t *testing.T) {
	total := int64(0)
	err := filepath.Walk("../../testdata/vectors", func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			total += info.Size()
		}
		return err
	})
	if err != nil || total > 3<<20 {
		t.Errorf("testdata/vectors has %d bytes, at most 3 MiB (%v)", total, err)
	}
}
