package rights_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/rights"
	"aidpass/words"
)

// TestThePageIsInEveryLanguage: the same keys with the same placeholders.
func TestThePageIsInEveryLanguage(t *testing.T) {
	read := func(tag string) map[string]string {
		b, err := os.ReadFile("lang/" + tag + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for line := range strings.Lines(string(b)) {
			if key, text, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(line, "#") {
				names := regexp.MustCompile(`{\w+}`).FindAllString(text, -1)
				slices.Sort(names)
				all[key] = fmt.Sprint(names)
			}
		}
		return all
	}
	english := read("en")
	for _, tag := range words.Tags() {
		own := read(tag)
		for key, names := range english {
			if own[key] != names {
				t.Errorf("%s: %s has %q, want the placeholders %q", tag, key, own[key], names)
			}
		}
		if len(own) != len(english) {
			t.Errorf("%s has %d texts, en %d", tag, len(own), len(english))
		}
	}
}

func TestHerPageTellsAllThatIsHeld(t *testing.T) {
	s := &registrytest.Store{Now: func() time.Time { return at }}
	desk := &rights.Desk{Store: s, Org: relA, Now: s.Now}
	p := registry.Person{Names: []registry.Name{{Text: "أمينة"}}, Sex: "f", Birth: &registry.Birth{EDTF: "1987"}, Origin: "SOM", Relation: "spouse", Languages: []string{"som"}, Registered: "2026-11-01",
		Documents: []registry.Document{{Type: "passport", Country: "SOM", Number: "N-77"}}, Contacts: []registry.Contact{{Kind: "phone", Value: "+254700", Whose: "sister"}},
		Location: &registry.Location{Site: "Block 4", PCode: "KE07"}, Ext: map[string]string{"shelter": "tent 9"}, Photo: []byte{1},
		Consents: []registry.Consent{{Purpose: "health", Given: true, Recipients: []string{"relief-b"}, Wording: "health-2", Lang: "ar", ReadAloud: true, On: "2026-11-01", Withdrawn: "2026-11-03"}}}
	fields, err := p.Fields()
	if err != nil {
		t.Fatal(err)
	}
	var id registry.ID
	err = s.Update(t.Context(), clerk, func(tx registry.Tx) error {
		saved, err := tx.Save(registry.Change{Kind: registry.KindPerson, External: "P-1", Source: "camp", Fields: fields})
		if id = saved.ID; err == nil {
			_, err = registry.Meet(tx, at, id, registry.Met{At: time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC), How: registry.ByPhone, By: "clerk", Desk: "Kanari well"})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.MakeAgreement(t.Context(), two, agreement(t)); err != nil {
		t.Fatal(err)
	}
	a := agreement(t)
	share := rights.NewShare(rights.Use{Agreement: a.ID}, &a, "round 1", "csv", at)
	share.Fields = []string{"full_name", "sex", "document.passport"}
	err = s.WriteRights(t.Context(), clerk, func(tx rights.Tx) error { return share.Record(tx, [32]byte{1}, []registry.ID{id}, "", at) })
	if err != nil {
		t.Fatal(err)
	}
	r, err := desk.Ask(t.Context(), clerk, id, rights.Mend, "Born 1978, not 1987", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Ask(t.Context(), clerk, id, rights.Mend, " ", ""); err == nil {
		t.Error("a mistake that nobody names")
	}
	day := func(n int) time.Time { return time.Date(2026, 10, n, 9, 0, 0, 0, time.UTC) }
	err = s.WriteExercises(t.Context(), clerk, func(tx exercise.Tx) error {
		return tx.SaveInvited("VER-2026-02", exercise.Unit{ID: id, At: day(1), Slept: day(27),
			Marks:   []exercise.Mark{{Outcome: exercise.Seen, How: registry.Remote, Desk: "North gate", When: day(3), Undone: day(4)}, {Outcome: exercise.Absent, Desk: "South gate", When: day(5)}},
			Notices: []exercise.Notice{{Day: "2026-10-06", How: "poster"}}, Appeals: []exercise.Appeal{{Day: "2026-10-28"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	held, err := desk.Held(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range words.Tags() {
		c, _ := words.Language(tag)
		page := held.Page(c, "Relief A", []string{"1234-5678"}, "0800 000 000", at)
		text := fmt.Sprint(page)
		for _, want := range []string{"أمينة", "1987", "N-77", "+254700", "sister", "Block 4", "tent 9", "P-1 camp", registry.CountryIn(tag, "SOM"), registry.LanguageIn(tag, "som"), registry.LanguageIn(tag, "ara"), "Relief B", "relief-b-1",
			"dpo@relief-b.example", "Kanari well", rights.Day(c, time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC)), rights.Day(c, time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)), rights.Day(c, time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)), "Born 1978",
			rights.Day(c, time.Date(2026, 12, 22, 0, 0, 0, 0, time.UTC)), "1234-5678", "0800 000 000", "VER-2026-02", "North gate", "South gate", rights.Day(c, day(1)), rights.Day(c, day(3)), rights.Day(c, day(4)), rights.Day(c, day(5)),
			rights.Day(c, day(6)), rights.Day(c, day(27)), rights.Day(c, day(28))} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is held and not on the page", tag, want)
			}
		}
		if code := regexp.MustCompile(`\d{4}-\d\d-\d\d|SOM|\b(som|spouse|passport|health-2)\b|relief-b:`).FindString(text); code != "" && (tag != "en" || code != "spouse") {
			t.Errorf("%s: a code in place of a word: %s", tag, code)
		}
		if regexp.MustCompile(`(^|\s|\[)(f|p|met|event|told|sex|due|recall|request|demand)\.[a-z_]+`).MatchString(text) {
			t.Errorf("%s: a key in place of its text: %s", tag, text)
		}
	}
	if _, err := desk.Answer(t.Context(), clerk, r.ID, true, "Mended."); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Answer(t.Context(), clerk, r.ID, false, "No."); err == nil {
		t.Error("answered twice")
	}
	for _, e := range s.Notes() {
		if strings.Contains(e.Detail+e.Reason, "1978") {
			t.Errorf("what she said stands in the log: %+v", e)
		}
	}
}
