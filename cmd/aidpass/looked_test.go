package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"aidpass/credential/cwt"
	"aidpass/schemas"
	"aidpass/words"
)

// looks is what each command of the nouns that deal with people leaves in the log: the
// arguments that show the record of P-2 (her card is CARD), after which "who looked"
// tells one act more; or a word on why there is nothing to tell.
var looks = map[string]string{
	"registry show": "registry show P-2 --list camp", "registry find": "registry find P-2 --list camp", "registry looked": "registry looked P-2 --list camp",
	"registry history": "registry history P-2 --list camp", "registry compare": "registry compare P-2 --list camp --from 2026-11-01",
	"registry face": "-nobody here has a photo: testdata/face.txtar", "card replace": "-writes", "registry duplicates review": "registry duplicates review",
	"registry decide": "registry decide P-2 --list camp",
	"quality list":    "quality list DQ-02 --limit 0", "quality report": "-counts", "quality snapshot": "-counts", "quality history": "-counts", "quality explain": "-nobody: it says what is counted", "quality places": "-counts",
	"registry split": "registry split H-1 --list camp --leaving P-2", "registry merge": "registry merge H-1 H-2 --list camp",
	"registry died": "registry died P-2 --list camp --on 2026-11-20", "registry erase": "registry erase P-2 --list camp --reason asked",
	"registry set":    "registry set P-2 --list camp full_name=Amina --reason spelling",
	"registry export": "registry export --out people.csv --purpose copy --reason copy", "card list": "card list --programme registration", "card show": "card show CARD", "visits show": "visits show CARD --reason audit",

	"registry import": "-writes only, and says what is wrong in a row of the file that was given", "registry gate": "-counts", "registry duplicates evaluate": "-counts of a file that was given", "registry duplicates run": "-counts", "registry duplicates report": "-counts", "registry duplicates decide": "-writes",
	"registry contact": "-writes", "registry collector add": "-writes", "registry collector end": "-writes", "registry collector busy": "-shows who serves many households: she is none of them",
	"card wish": "-what her own phone signed: the reading stands in the log under her card", "card jobs": "-files, not people", "visits import": "-writes", "visits merge": "-numbers of cards in records", "visits report": "-counts", "visits receipt": "-devices", "visits share": "-devices",
}

// peopleNouns are the commands whose every verb stands in looks; others deal with
// keys, lists, devices and files, or issue from records and leave their own entries.
var peopleNouns = []string{"registry", "quality", "card", "visits"}

func TestEveryLookAtARecordIsTold(t *testing.T) {
	l := newLaptop(t)
	l.must("registry", "import", "testdata/looked.csv", "--list", "camp")
	l.must("issue", "--all", "--type", "registration", "--unit", "person", "--out", l.path("cards.jsonl"))
	_, rest, _ := strings.Cut(l.must("registry", "find", "P-2", "--list", "camp", "--json"), `"cards":["`)
	number, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatal("P-2 has no card")
	}
	told := func(who string) int {
		return strings.Count(l.must("registry", "looked", who, "--list", "camp", "--json"), "\n")
	}
	walked := 0
	eachCommand(newRoot(), func(c *cobra.Command) {
		path := strings.TrimPrefix(c.CommandPath(), "aidpass ")
		noun, _, _ := strings.Cut(path, " ")
		if !strings.Contains(strings.Join(peopleNouns, " "), noun) || noun == path || c.Run == nil && c.RunE == nil {
			return
		}
		line, ok := looks[path]
		if !ok {
			if strings.HasPrefix(path, "card ") && c.Flags().Lookup("yes") != nil || c.HasSubCommands() {
				return // acts on cards leave the act's own entry
			}
			t.Errorf("aidpass %s: does it show a record? Say in looks how, or why not", path)
			return
		}
		if strings.HasPrefix(line, "-") {
			return
		}
		walked++
		before := told("P-2")
		args := strings.Fields(strings.ReplaceAll(line, "CARD", number))
		for i := range args {
			if strings.HasPrefix(args[i], "people.") || strings.HasPrefix(args[i], "face.") {
				args[i] = l.path(args[i])
			}
		}
		code, out := l.run(t.Context(), args...)
		if after := told("P-2"); after < before+2 { // this look, and the count itself
			t.Errorf("aidpass %s (exit %d) shows a record and leaves no entry: %d before, %d after\n%s", path, code, before, after, out)
		}
	})
	if walked < 10 {
		t.Errorf("only %d commands were walked", walked)
	}
	// The page: in every language, as text and as PDF, without an account or a name.
	for _, tag := range words.Tags() {
		text := l.must("registry", "looked", "P-2", "--list", "camp", "--lang", tag)
		c, _ := words.Language(tag)
		for _, want := range []string{c.Text("looked.title"), c.Text("looked.act.read"), c.Text("looked.act.exported"), c.Text("looked.role.registrar"), "S-", "Relief A"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page does not say %q", tag, want)
			}
		}
		for _, no := range []string{"operator", "Amina", "Omar", "looked."} {
			if strings.Contains(text, no) {
				t.Errorf("%s: the page says %q", tag, no)
			}
		}
		held := l.must("rights", "print", "P-2", "--list", "camp", "--lang", tag)
		if want := cwt.GroupCardNumber(number) + " · " + schemas.ByName("registration").Label(tag); !strings.Contains(held, want) {
			t.Errorf("%s: what is held does not say %q:\n%s", tag, want, held)
		}
		if day := regexp.MustCompile(`\d{4}-\d\d-\d\d`).FindString(text + held); day != "" {
			t.Errorf("%s: a day of the machine: %s", tag, day)
		}
		l.must("registry", "looked", "P-2", "--list", "camp", "--lang", tag, "--out", l.path("looked-"+tag+".pdf"))
		if b, err := os.ReadFile(l.path("looked-" + tag + ".pdf")); err != nil || !strings.HasPrefix(string(b), "%PDF") {
			t.Errorf("%s: %v", tag, err)
		}
	}
}
