package fonts

import (
	"testing"

	"github.com/go-text/typesetting/font/opentype/tables"
)

// No lookup is left whose first coverage is summed up by ranges.
func TestCoverageIsListed(t *testing.T) {
	faces, err := For(0, Regular)
	if err != nil {
		t.Skip("SKIPPED:", err)
	}
	lookups := 0
	for _, f := range faces {
		parsed, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		check := func(where string, c tables.Coverage) {
			lookups++
			if _, ranges := c.(tables.Coverage2); ranges {
				t.Errorf("face %d: a lookup of %s goes by ranges", f.ID, where)
			}
		}
		for _, l := range parsed.GSUB.Lookups {
			for _, s := range l.Subtables {
				check("GSUB", s.Cov())
			}
		}
		for _, l := range parsed.GPOS.Lookups {
			for _, s := range l.Subtables {
				check("GPOS", s.Cov())
			}
		}
	}
	if lookups < 500 {
		t.Errorf("%d subtables were looked at", lookups)
	}
}
