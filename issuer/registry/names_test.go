package registry_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aidpass/issuer/registry"
)

func codesOf(issues []registry.Issue) (codes []string) {
	for _, i := range issues {
		codes = append(codes, i.Code)
	}
	return codes
}

func TestNamesAreKeptAsTheyAreSaid(t *testing.T) {
	for text, script := range map[string]string{
		"Fatuma": "Latn", "فاطمة بنت أحمد": "Arab", "ኪሮስ ኃይሉ": "Ethi", "Наталія": "Cyrl", "ဦး": "Mymr", "মোহাম্মদ": "Beng",
		"गीता": "Deva", "ស៊ីថា": "Khmr", "สมชาย": "Thai", "李": "Hani", "김": "Hang", "Γιώργος": "Grek", "שרה": "Hebr", "Արամ": "Armn",
		"გიორგი": "Geor", "ܝܘܚܢܢ": "Syrc", "އަހްމަދު": "Thaa", "ⵎⵓⵃⴰ": "Tfng", "ߡߡߘߎ߫": "Nkoo", "𞤀𞤥𞤢𞤣𞤵": "Adlm",
		"María José": "Latn", "O'Brien-Ní Dhomhnaill": "Latn", "J. P. Nguyễn": "Latn", "نور\u200cالدین": "Arab", "U Nu": "Latn",
	} {
		n, issues := registry.ParseName(text, "")
		if n.Text != text || n.Script != script || len(issues) > 0 {
			t.Errorf("%q came back as %q in %s with %v", text, n.Text, n.Script, codesOf(issues))
		}
	}
}

func TestWhatIsWrongWithAName(t *testing.T) {
	for _, c := range []struct {
		text, kept string
		codes      []string
		blocked    bool
	}{
		{"  Amina \t  Ali\u00a0", "Amina Ali", nil, false},
		{"e\u0301lise", "élise", nil, false},
		{"ﻣﺤﻤﺪ", "محمد", nil, false},
		{"", "", []string{registry.NameEmpty}, true},
		{" \u00a0\u3000", "", []string{registry.NameEmpty}, true},
		{"N/A", "", []string{registry.NamePlaceholder}, true},
		{"inconnue", "", []string{registry.NamePlaceholder}, true},
		{"Desconocido", "", []string{registry.NamePlaceholder}, true},
		{"غير معروف", "", []string{registry.NamePlaceholder}, true},
		{"haijulikani", "", []string{registry.NamePlaceholder}, true},
		{"xxx", "", []string{registry.NamePlaceholder}, true},
		{"-", "", []string{registry.NamePlaceholder}, true},
		{".", "", []string{registry.NamePlaceholder}, true},
		{"0000", "", []string{registry.NamePlaceholder}, true},
		{"FNU", "", []string{registry.NamePlaceholder}, true},
		{"Test", "", []string{registry.NamePlaceholder}, true},
		{"FNU Zabiullah", "Zabiullah", []string{registry.NamePadding}, false},
		{"Zabiullah .", "Zabiullah", []string{registry.NamePadding}, false},
		{"Malcolm X", "Malcolm X", nil, false},
		{"é", "é", []string{registry.NameTooShort}, true},
		{"Ali 2", "Ali 2", []string{registry.NameDigits}, true},
		{"=1+1", "=1+1", []string{registry.NameNoLetters, registry.NameDigits, registry.NameSymbols}, true},
		{"F\u0430tima", "F\u0430tima", []string{registry.NameMixedScript}, true},
		{"Maryam مريم", "Maryam مريم", []string{registry.NameTwoScripts}, false},
		{"abc\u202edcba", "abcdcba", []string{registry.NameBidi}, true},
		{"\u200fفاطمة\u200e", "فاطمة", []string{registry.NameBidi}, false},
		{"Ma\u200bry", "Mary", []string{registry.NameInvisible}, false},
		{"Mary\u200dam", "Maryam", []string{registry.NameInvisible}, false},
		{"Za" + strings.Repeat("\u0310", 300), "Za\u0310\u0310\u0310\u0310", []string{registry.NameMarks}, true},
		{"Am\x00ina", "", []string{registry.NameControl}, true},
		{"Am\x1bina", "", []string{registry.NameControl}, true},
		{"Am\xffina", "", []string{registry.NameDamaged}, true},
		{"Am\ufffdna", "Am\ufffdna", []string{registry.NameDamaged}, true},
		{strings.Repeat("Ab", 101), "", []string{registry.NameTooLong}, true},
		{"Ali Ali", "Ali Ali", []string{registry.NameRepeats}, false},
	} {
		n, issues := registry.ParseName(c.text, registry.Official)
		if n.Text != c.kept || !slices.Equal(codesOf(issues), c.codes) || registry.Blocked(issues) != c.blocked {
			t.Errorf("%q was kept as %q with %v, want %q with %v", c.text, n.Text, codesOf(issues), c.kept, c.codes)
		}
		for _, i := range issues {
			if c.text != "" && len(c.text) > 3 && strings.Contains(i.Text, c.text) || i.Text == "" || i.Field != "names" {
				t.Errorf("%q: issue %+v", c.text, i)
			}
		}
	}
}

func TestNamesOfParts(t *testing.T) {
	n, issues := registry.ParseParts([]registry.Part{{Role: "given", Text: " Amina "}, {Role: "father", Text: "N/A"}, {Role: "family", Text: "Hussein"}}, "")
	if n.Text != "Amina Hussein" || len(n.Parts) != 2 || len(issues) != 0 {
		t.Errorf("%+v %v", n, issues)
	}
	n, _ = registry.ParseParts([]registry.Part{{Role: "given", Text: ""}, {Role: "family", Text: "Suharto"}}, "")
	if n.Text != "Suharto" || len(n.Parts) != 1 || n.Parts[0].Role != "single" {
		t.Errorf("a single name came back as %+v", n)
	}
	if n, issues = registry.ParseParts([]registry.Part{{Role: "given", Text: "-"}}, ""); n.Text != "" || !registry.Blocked(issues) {
		t.Errorf("%+v %v", n, issues)
	}
}

func TestTheNameThatIsShown(t *testing.T) {
	p := registry.Person{Names: []registry.Name{
		{Text: "Abu Omar", Type: registry.Alias, Script: "Latn"}, {Text: "يوسف", Script: "Arab"}, {Text: "Yusuf", Type: registry.Romanised, Script: "Latn"},
	}}
	if got := p.DisplayName(); got != "يوسف" {
		t.Errorf("got %q", got)
	}
	if got := p.Name("Latn").Text; got != "Abu Omar" {
		t.Errorf("got %q", got)
	}
	if got := (registry.Person{}).DisplayName(); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestFold(t *testing.T) {
	for a, b := range map[string]string{
		"أحمد": "احمد", "مُحَمَّد": "محمد", "فاطمه": "فاطمة", "علی": "علي", "يحيى": "يحيي", "محـــمد": "محمد", "آمنة": "امنه", "رؤوف": "رووف",
		"José": "JOSE", "Łukasz": "lukasz", "straße": "STRASSE", "D’Arc": "d'arc", "Żaneta": "zaneta", "٣٤": "34", "۳۴": "34", "३४": "34",
		"İstanbul": "istanbul", "ﬁona": "Fiona", "Ngũgĩ": "ngugi", "ёлка": "елка", "  a   b ": "A-B",
	} {
		if registry.Fold(a) != registry.Fold(b) {
			t.Errorf("%q folds to %q, %q to %q", a, registry.Fold(a), b, registry.Fold(b))
		}
	}
	if registry.Fold("गीत") == registry.Fold("गत") {
		t.Error("a vowel of Devanagari went")
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"", "Amina", "محمد", "e\u0301", "\u202e", "FNU .", "\u200d", "ﷺ", "𞤀", "a\u0300\u0301\u0302\u0303\u0304\u0305", "က္\u200dက", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, issues := registry.ParseName(s, "")
		if n.Text == "" {
			if !registry.Blocked(issues) {
				t.Errorf("%q: nothing kept and nothing said", s)
			}
			return
		}
		if !norm.NFC.IsNormalString(n.Text) || utf8.RuneCountInString(n.Text) > 2*registry.MaxName {
			t.Errorf("%q was kept as %q", s, n.Text)
		}
		if again, _ := registry.ParseName(n.Text, ""); again.Text != n.Text {
			t.Errorf("%q was kept as %q, and that as %q", s, n.Text, again.Text)
		}
	})
}
