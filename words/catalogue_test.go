package words

import (
	"slices"
	"strings"
	"testing"
)

var sources = map[string]*string{"en": &enText, "fr": &frText, "es": &esText, "ar": &arText, "sw": &swText}

func TestEveryLanguageSaysEverything(t *testing.T) {
	english, _ := Language("en")
	want := english.Keys()
	var fixed []string // keys the table needs
	for _, r := range Reasons() {
		fixed = append(fixed, "sentence."+string(r), "todo."+Of(r).Todo, "todo."+For(r, true).Todo, "word."+string(Of(r).Word))
	}
	fixed = append(fixed, "word."+string(SetTheClock), "todo."+string(SetTheClock), "sentence.other")
	for _, key := range fixed {
		if !slices.Contains(want, key) {
			t.Errorf("en has no %q", key)
		}
	}
	for _, tag := range Tags() {
		c, err := ParseCatalogue([]byte(*sources[tag]))
		if err != nil {
			t.Fatal(err)
		}
		if c.Tag() != tag || c.Name() == "" || c.RTL() != (tag == "ar") {
			t.Errorf("%s: tag %q, name %q, rtl %v", tag, c.Tag(), c.Name(), c.RTL())
		}
		if got := c.Missing(); len(got) != 0 {
			t.Errorf("%s: missing %q", tag, got)
		}
		if got := c.Keys(); !slices.Equal(got, want) {
			t.Errorf("%s: keys differ from English", tag)
		}
		for _, key := range want {
			if tag != "en" && c.Text(key) == english.Text(key) && !sameEverywhere(key) {
				t.Errorf("%s: %q is left in English: %q", tag, key, c.Text(key))
			}
		}
	}
}

// sameEverywhere names the keys whose text may equal the English one: settings,
// units and words that two languages share.
func sameEverywhere(key string) bool {
	return key == "direction" || strings.HasPrefix(key, "age.") || key == "label.type" || key == "label.pin" || key == "label.no" ||
		key == "print.date" || key == "print.length"
}

// TestNobodyIsAccused looks for words that put the fault on a person, in any
// language, and for "invalid", which says nothing that anybody could do.
func TestNobodyIsAccused(t *testing.T) {
	stems := map[string][]string{
		"en": {"fraud", "invalid", "fake", "forge", "cheat", "thie", "stole", "steal", "illegal", "suspic", "crimin", "lying", "liar", "caught", "refused", "rejected", "congratul"},
		"fr": {"fraud", "invalid", "fausse", "falsif", "trich", "vol ", "voleu", "volé", "illégal", "suspect", "menteu", "menti", "contref", "refus", "rejet", "félicit"},
		"es": {"fraud", "inválid", "invalid", "fals", "trampa", "robo", "robad", "ladr", "ilegal", "sospech", "mentir", "rechaz", "denega", "felicid"},
		"ar": {"احتيال", "غش", "مزو", "تزوير", "مزيف", "سرق", "سارق", "كاذب", "كذب", "مشبوه", "غير صالح", "باطل", "مرفوض", "غير قانون"},
		"sw": {"laghai", "udanganyifu", "danganya", "bandia", "feki", "mwizi", "wizi", "iba ", "batili", "haramu", "shuku", "mwongo", "ghushi", "kataliwa"},
	}
	for _, tag := range Tags() {
		c, _ := Language(tag)
		for _, key := range c.Keys() {
			text := strings.ToLower(c.Text(key)) + " "
			for _, stem := range stems[tag] {
				if strings.Contains(text, stem) {
					t.Errorf("%s: %q says %q: %s", tag, key, stem, text)
				}
			}
		}
	}
}

func TestRevokedAndSuspendedLookAlikeToVolunteers(t *testing.T) {
	for _, tag := range Tags() {
		c, _ := Language(tag)
		if a, b := c.Todo(Revoked), c.Todo(Suspended); a != b || Of(Revoked).Word != Of(Suspended).Word {
			t.Errorf("%s: %q and %q", tag, a, b)
		}
	}
}

func TestLanguageByTag(t *testing.T) {
	for tag, want := range map[string]string{"fr-CD": "fr", "AR": "ar", "sw_TZ": "sw", "en": "en"} {
		if c, ok := Language(tag); !ok || c.Tag() != want {
			t.Errorf("Language(%q) = %q, %v, want %q", tag, c.Tag(), ok, want)
		}
	}
	if c, ok := Language("my"); ok || c.Tag() != "en" {
		t.Errorf("Language(my) = %q, %v, want English and false", c.Tag(), ok)
	}
}

func TestAgeInWords(t *testing.T) {
	c, _ := Language("en")
	for seconds, want := range map[int64]string{-1: "unknown age", 0: "just now", 119: "just now", 120: "2 min", 7199: "119 min", 7200: "2 h", 172799: "47 h", 172800: "2 d", 9 * 86400: "9 d"} {
		if got := c.Age(seconds); got != want {
			t.Errorf("Age(%d) = %q, want %q", seconds, got, want)
		}
	}
	if got := c.Fill("label.give", "what", "{what} {n}"); got != "Give: {what} {n}" {
		t.Errorf("a value was looked at for placeholders: %q", got)
	}
}

func TestOwnLanguageFile(t *testing.T) {
	good := "\ufeff# Tok Pisin\r\nlanguage = tpi\r\ndirection = ltr\r\nname = Tok Pisin\r\nword.give = GIVIM\r\nage.hours = {n} aua\r\n"
	c, err := ParseCatalogue([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if c.Word(Give) != "GIVIM" || c.Word(HelpDesk) != "HELP DESK" || c.Age(7200) != "2 aua" {
		t.Errorf("got %q, %q, %q", c.Word(Give), c.Word(HelpDesk), c.Age(7200))
	}
	if missing := c.Missing(); !slices.Contains(missing, "word.help_desk") || slices.Contains(missing, "word.give") {
		t.Errorf("missing %q", missing)
	}
	head := "language = xx\ndirection = ltr\n"
	for name, text := range map[string]string{
		"no language":           "direction = ltr\n",
		"no direction":          "language = xx\n",
		"direction up":          "language = xx\ndirection = up\n",
		"no equals sign":        head + "word.give GIVE\n",
		"empty key":             head + " = GIVE\n",
		"capital in key":        head + "Word.give = GIVE\n",
		"empty text":            head + "word.give =\n",
		"key twice":             head + "word.give = A\nword.give = B\n",
		"control character":     head + "word.give = A\x1b[31m\n",
		"text turned round":     head + "word.give = A\u202eB\n",
		"not UTF-8":             head + "word.give = \xff\n",
		"other placeholder":     head + "age.hours = {hours} h\n",
		"placeholder left out":  head + "age.hours = hours\n",
		"placeholder too many":  head + "word.give = GIVE {n}\n",
		"placeholder left open": head + "age.hours = {n h\n",
		"text too long":         head + "word.give = " + strings.Repeat("A", maxTextBytes+1) + "\n",
		"too many keys":         head + strings.Repeat("x", 1) + manyKeys(),
		"file too large":        head + strings.Repeat("#", MaxCatalogueBytes),
	} {
		if _, err := ParseCatalogue([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func manyKeys() string {
	var b strings.Builder
	for i := range maxEntries + 1 {
		b.WriteString(strings.Repeat("k", 1+i%60) + strings.Repeat("_", 1+i/60%3) + string(rune('a'+i/180)) + " = x\n")
	}
	return b.String()
}

// FuzzCatalogue: what parses can be written out again and says the same.
func FuzzCatalogue(f *testing.F) {
	f.Add([]byte("# c\nlanguage = ar\ndirection = rtl\nname = العربية\nword.give = سلِّم\n\nlabel.give = x: {what}\n"))
	f.Add([]byte("language = xx\ndirection = rtl\nage.days = {n} x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCatalogue(b)
		if err != nil {
			return
		}
		var out strings.Builder
		for _, key := range c.Keys() {
			out.WriteString(key + " = " + c.Text(key) + "\n")
		}
		again, err := ParseCatalogue([]byte(out.String()))
		if err != nil {
			t.Fatalf("written again: %v", err)
		}
		for _, key := range c.Keys() {
			if c.Text(key) != again.Text(key) {
				t.Fatalf("%q: got %q, want %q", key, again.Text(key), c.Text(key))
			}
		}
		for _, r := range Reasons() {
			if c.Sentence(r) == "" || c.Todo(r) == "" || c.Word(Of(r).Word) == "" {
				t.Fatalf("%q has nothing to say", r)
			}
		}
	})
}
