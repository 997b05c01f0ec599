package fonts

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-text/typesetting/language"
)

func TestEveryFamilyIsThereAndParses(t *testing.T) {
	if _, err := For(0, Regular); errors.Is(err, ErrNone) {
		t.Skip("NO TYPEFACES: run make fonts; nothing of printing is tested")
	}
	if got := len(candidates[Regular][0]); got != len(families) {
		t.Errorf("%d of %d families are embedded", got, len(families))
	}
	for w := range weights {
		for _, f := range candidates[w][0] {
			parsed, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Upem() == 0 {
				t.Errorf("face %d has no units", f.ID)
			}
		}
	}
	if !strings.Contains(License(), "SIL OPEN FONT LICENSE") || strings.Count(License(), "Noto Project Authors") < 18 {
		t.Error("the licence and its holders are not embedded")
	}
}

func TestTheScriptsOwnFaceComesFirst(t *testing.T) {
	if _, err := For(0, Regular); err != nil {
		t.Skip(err)
	}
	for _, f := range families {
		faces, err := For(f.script, Bold)
		if err != nil {
			t.Fatal(err)
		}
		if faces[0].Script != f.script || len(faces) != len(families) {
			t.Errorf("%s: first face is of %s, of %d", f.name, faces[0].Script, len(faces))
		}
	}
	if faces, _ := For(language.Han, Regular); faces[0].Script != language.Latin {
		t.Errorf("a script we lack starts with %s", faces[0].Script)
	}
}
