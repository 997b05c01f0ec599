package schemas_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"aidpass/schemas"
)

var update = flag.Bool("update", false, "write the data map of ../docs/dpia.md from the types")

const (
	mapBegins = "<!-- data map: made from schemas -->\n"
	mapEnds   = "<!-- end of data map -->"
)

// dataMap is a row for every claim of the embedded types: where it stands, why, and
// how long it is kept.
func dataMap() string {
	var b strings.Builder
	b.WriteString("| credential | claim | where | sensitivity | in a wallet | purpose | kept |\n|---|---|---|---|---|---|---|\n")
	for _, t := range schemas.Embedded() {
		for i := range t.Claims {
			c := &t.Claims[i]
			fmt.Fprintf(&b, "| %s | %s | %s | %d | %s | %s | %s |\n", t.Label("en"), c.Label("en"), place(c), c.Sensitivity,
				map[schemas.Disclosure]string{schemas.DiscloseAlways: "always shown", schemas.DiscloseAllowed: "shown if she agrees"}[c.Disclosure],
				said(c.Purpose), said(c.Retention))
		}
	}
	return b.String()
}

func place(c *schemas.Claim) string {
	switch {
	case c.Placement == schemas.Plain:
		return "plain"
	case c.Placement == schemas.Sealed:
		return "sealed"
	case c.Disclosure != 0:
		return "wallet only"
	}
	return "registry only"
}

func said(code string) string { return strings.ReplaceAll(code, "_", " ") }

// The assessment that an organisation signs must not lag behind what its cards carry.
func TestTheAssessmentHasEveryClaim(t *testing.T) {
	const name = "../docs/dpia.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), mapBegins)
	got, after, ends := strings.Cut(rest, mapEnds)
	if !ok || !ends {
		t.Fatalf("%s has no data map between its marks", name)
	}
	want := dataMap()
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile(name, []byte(before+mapBegins+want+mapEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s: the data map is not what the types say: go test ./schemas -run Assessment -update", name)
}
