package shape_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/shape"
)

var update = flag.Bool("update", false, "write testdata/shaped.tsv anew, after a comparison with HarfBuzz")

// TestShapedAsHarfBuzz: names in all scripts have the glyphs, in the places, that
// HarfBuzz 15.0 gives for the same faces; it was asked once. A line of the file is
// a name and its glyphs from the left, each face:glyph@x,y.
func TestShapedAsHarfBuzz(t *testing.T) {
	if _, err := fonts.For(0, fonts.Regular); err != nil {
		t.Skip("SKIPPED:", err)
	}
	const path = "testdata/shaped.tsv"
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(file)) {
		name, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		l, err := shape.Set(name, fonts.Regular, shape.Auto)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, g := range l.Glyphs {
			got = append(got, fmt.Sprintf("%d:%d@%d,%d", g.ID.Face.ID, g.ID.Glyph, g.X, g.Y))
		}
		if is := strings.Join(got, " "); is != want && !*update {
			t.Errorf("%s is drawn as\n %s, not\n %s", name, is, want)
		}
		fmt.Fprintf(&out, "%s\t%s\n", name, strings.Join(got, " "))
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
