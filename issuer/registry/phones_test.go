package registry_test

import (
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry"
)

func TestTelephonesAsListsWriteThem(t *testing.T) {
	for _, c := range []struct {
		text, country, want string
		codes               []string
	}{
		{"+254 712 345 679", "", "+254712345679", nil}, {"00254712345679", "", "+254712345679", nil}, {"0712345679", "KEN", "+254712345679", nil},
		{"712345679", "KEN", "+254712345679", []string{registry.PhoneLostZero}}, {"712345679.0", "KEN", "+254712345679", []string{registry.PhoneLostZero}},
		{"254712345679", "KEN", "+254712345679", nil}, {"٠٧١٢٣٤٥٦٧٩", "KEN", "+254712345679", nil}, {"\u202a+963 944 567 890\u202c", "", "+963944567890", nil},
		{"+44 (0)20 7946 0958", "", "+442079460958", nil}, {"001-813-852-7364x897", "", "+18138527364", []string{registry.PhoneExtension}},
		{"534-971-8341x4064", "USA", "+15349718341", []string{registry.PhoneExtension}}, {"0708091011", "CIV", "+2250708091011", nil}, {"77 123 45 67", "SEN", "+221771234567", nil},
		{"0712345679", "", "0712345679", []string{registry.PhoneNoCountry}}, {"07123456791234", "KEN", "07123456791234", []string{registry.PhoneLength}},
		{"0712", "KEN", "0712", []string{registry.PhoneLength}}, {"+999 123456789", "", "+999 123456789", []string{registry.PhoneUnreadable}},
		{"2.54712E+11", "KEN", "2.54712E+11", []string{registry.PhoneUnreadable}}, {"ask the neighbour", "KEN", "ask the neighbour", []string{registry.PhoneUnreadable}},
		{"0711111111", "KEN", "", []string{registry.PhoneDummy}}, {"123456789", "KEN", "", []string{registry.PhoneDummy}},
		{"", "KEN", "", nil}, {"n/a", "KEN", "", nil}, {"0000", "KEN", "", nil},
	} {
		got, issues := registry.ParsePhone(c.text, c.country)
		if got.Value != c.want || !slices.Equal(codesOf(issues), c.codes) || registry.Blocked(issues) {
			t.Errorf("%q in %q is %q with %v, want %q with %v", c.text, c.country, got.Value, codesOf(issues), c.want, c.codes)
		}
	}
}

func FuzzNormalisePhone(f *testing.F) {
	for _, s := range []string{"+254712345679", "0712345679", "001-813-852-7364x897", "(0)", "+", "ẞẞẞẞẞẞx", "٠٧"} {
		f.Add(s, "KEN")
		f.Add(s, "USA")
		f.Add(s, "")
	}
	f.Add("001813852", "KHM") // two zeros before a number: no number there begins with one
	f.Add("0081000018", "")   // and after the country's code
	f.Add("100318852736", "Vatican")
	f.Add("100318852736", "VA")
	f.Fuzz(func(t *testing.T, s, country string) {
		e164, ok := registry.NormalisePhone(s, country)
		if !ok {
			return
		}
		if len(e164) > 16 || !strings.HasPrefix(e164, "+") || strings.Trim(e164[1:], "0123456789") != "" {
			t.Errorf("%q is %q", s, e164)
		}
		if again, ok := registry.NormalisePhone(e164, ""); !ok || again != e164 {
			t.Errorf("%q is %q, and that %q", s, e164, again)
		}
	})
}

func TestDocumentsAreFoundHoweverTheyAreWritten(t *testing.T) {
	want := registry.DocumentKey(registry.Document{Type: "national_id", Country: "KEN", Number: "0012-34567 a"})
	d, issues := registry.ParseDocument("National ID", "Kenya", " ١٢٣٤٥٦٧A ")
	if got := registry.DocumentKey(d); got != want || want.Text == "" || len(issues) > 0 || d.Number != "1234567A" {
		t.Errorf("%+v has %+v, want %+v, %v", d, got, want, issues)
	}
	if got := registry.DocumentKey(registry.Document{Type: "passport", Country: "KEN", Number: "1234567A"}); got == want {
		t.Error("two kinds of document are one")
	}
	for _, number := range []string{"", "n/a", "000000", "-", "xxx"} {
		if d, issues := registry.ParseDocument("passport", "KEN", number); d.Number != "" || len(issues) > 0 {
			t.Errorf("%q is %+v, %v", number, d, issues)
		}
	}
	d, issues = registry.ParseDocument("library card", "Atlantis", "77")
	if want := []string{registry.DocumentEmpty, registry.DocumentType, registry.DocumentNoLand}; d.Type != "other" || !slices.Equal(codesOf(issues), want) || registry.DocumentKey(d) != (registry.Key{}) {
		t.Errorf("%+v, %v", d, codesOf(issues))
	}
}

func TestCodesAsListsWriteThem(t *testing.T) {
	for code, texts := range map[string][]string{
		"SYR": {"SYR", "sy", "Syria", "Syrian Arab Republic", "سوريا", "Syrie"}, "COD": {"DRC", "RDC", "Congo (Dem. Rep.)", "CD"}, "COG": {"Congo"},
		"SDN": {"Soudan", "SUD", "السودان"}, "SSD": {"South Sudan", "Soudan du Sud"}, "CIV": {"Côte d’Ivoire", "COTE D'IVOIRE", "Ivory Coast"}, "TUR": {"Turkey", "Türkiye"},
	} {
		for _, text := range texts {
			if got, ok := registry.Country(text); !ok || got != code {
				t.Errorf("country %q is %q", text, got)
			}
		}
	}
	for code, texts := range map[string][]string{"f": {"F", "FEMALE", "Féminin", "mujer", "أنثى", "mwanamke"}, "m": {"Male", "homme", "ذكر", "mume"}, "x": {"OTHER"}, "u": {"unknown", "NOT_COLLECTED"}} {
		for _, text := range texts {
			if got, ok := registry.ParseSex(text); !ok || got != code {
				t.Errorf("sex %q is %q", text, got)
			}
		}
	}
	for code, texts := range map[string][]string{
		registry.Head: {"HEAD", "Head of household", "chef de ménage", "رب الأسرة", "mkuu wa kaya", "PA"}, registry.Spouse: {"WIFE_HUSBAND", "wif", "CLW", "épouse", "زوجة", "FREE_UNION"},
		registry.Child: {"SON_DAUGHTER", "DAU", "hija", "ابن"}, registry.NoRelation: {"NON_BENEFICIARY"}, "grandchild": {"GRANDDAUGHER_GRANDSON"}, "step_child": {"SCF"},
		"parent_in_law": {"MOTHERINLAW_FATHERINLAW"}, "sibling": {"BROTHER_SISTER"}, "foster_child": {"FOSTER_CHILD"},
	} {
		for _, text := range texts {
			if got, ok := registry.ParseRelation(text); !ok || got != code {
				t.Errorf("relation %q is %q", text, got)
			}
		}
	}
	for _, text := range []string{"", "zzz", "?"} {
		if _, ok := registry.ParseSex(text); ok {
			t.Errorf("%q is a sex", text)
		}
		if _, ok := registry.ParseRelation(text); ok {
			t.Errorf("%q is a relation", text)
		}
		if _, ok := registry.Country(text); ok {
			t.Errorf("%q is a country", text)
		}
	}
	for _, text := range []string{"so", "som", "SOM", "Somali", "somalí", "Kisomali", "الصومالية"} {
		if code, ok := registry.Language(text); !ok || code != "som" {
			t.Errorf("language %q is %q", text, code)
		}
	}
	if registry.CountryName("KEN") != "Kenya" || registry.CountryName("kenya") != "" {
		t.Error("the name of Kenya")
	}
}
