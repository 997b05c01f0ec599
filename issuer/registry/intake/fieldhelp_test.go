package intake

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestEveryFieldIsExplained: in the help, and in the manual.
func TestEveryFieldIsExplained(t *testing.T) {
	manual, err := os.ReadFile("../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := map[Field]bool{}
	for _, w := range append(FieldWords(), RoleWords()...) {
		explained[Field(w.Name)] = w.What != ""
		if !strings.Contains(string(manual), "`"+w.Name+"`") {
			t.Errorf("docs/cli.md does not name %s", w.Name)
		}
	}
	for f := range fields {
		if !explained[f] {
			t.Errorf("field %s is not explained", f)
		}
	}
	for _, role := range roles {
		if !slices.ContainsFunc(RoleWords(), func(w Word) bool { return w.Name == string(role) }) {
			t.Errorf("role %s is not explained", role)
		}
	}
}
