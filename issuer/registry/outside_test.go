package registry_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/internal/patience"
	"aidpass/issuer/registry"
)

func TestNamesThatAreRight(t *testing.T) {
	for _, name := range []string{
		"O'Brien", "N’Guessan", "Ngũgĩ", "Jean-Pierre", "ឧសភា", "សុខ ស្រី", "ព្រះស្រី", "မောင်မောင်", "ဦး", "علی\u200cرضا", "मुहम्मद", "ক্ষমা", "Sukarno", "Ly", "Əli",
		"Ḥasan", "Nguyễn Thị Hường", "ሙሉ", "Abdul-Rahman", "María José", "Mª Carmen", "ʻAlī", "അനില്\u200d", "গোপাল", "ক্ষ", "Đặng", "Zoë",
	} {
		n, issues := registry.ParseName(name, "")
		if n.Text == "" || len(issues) > 0 {
			t.Errorf("%q: %q %v", name, n.Text, codesOf(issues))
		}
	}
	for _, name := range []string{"أحمد/Ahmed", "Ahmed(أحمد)", "Мария-Anna"} { // two names, none of them forged
		_, issues := registry.ParseName(name, "")
		for _, i := range issues {
			if i.Blocking {
				t.Errorf("%q: %s blocks", name, i.Code)
			}
		}
	}
	if _, issues := registry.ParseName("Аmina", ""); !slices.Contains(codesOf(issues), registry.NameMixedScript) {
		t.Error("a Cyrillic A among Latin letters passes")
	}
}

func TestALongCellOfMarksTakesNoTime(t *testing.T) {
	start := time.Now()
	registry.Placeholder(strings.Repeat("\u0301", 1<<19))
	registry.ParseDocument("", "", "a"+strings.Repeat("\u0301", 1<<19))
	if took := time.Since(start); took > patience.Limit {
		t.Errorf("took %v", took)
	}
}

func TestTimesBehindDates(t *testing.T) {
	for text, want := range map[string]string{
		"1987-oct-12 10:00": "1987-10-12", "12 oct 1987 00:00:00": "1987-10-12", "12 may 1987 00:00": "1987-05-12", "1987-05-12T00:00:00.000+03:00": "1987-05-12",
		"12/05/1987 00:00:00": "1987-05-12", "1987-05-12 00:00:00": "1987-05-12", "1987.0": "1987",
	} {
		b, issues := registry.ParseBirth(text, registry.BirthOptions{Order: registry.DayFirst})
		if b.EDTF != want {
			t.Errorf("%q: %q %v, want %q", text, b.EDTF, codesOf(issues), want)
		}
	}
}

func TestOtherCalendarsAreNotTakenForOurs(t *testing.T) {
	today := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, text := range []string{"1415", "1415-03-02", "12/05/1366", "2530", "2530-01-05", "2044-05-12", "1999-13-03"} {
		b, issues := registry.ParseBirth(text, registry.BirthOptions{Order: registry.DayFirst, Today: today})
		if b.EDTF != "" || !slices.ContainsFunc(issues, func(i registry.Issue) bool { return i.Blocking && strings.Contains(i.Text, "calendar") }) {
			t.Errorf("%q: %q %v", text, b.EDTF, issues)
		}
	}
	if b, _ := registry.ParseBirth("2530", registry.BirthOptions{}); b.EDTF != "" {
		t.Errorf("2530 is %q where the day is not known", b.EDTF)
	}
}

func TestATelephoneNumberIsNotMadeAnother(t *testing.T) {
	for _, c := range []struct{ text, country, want string }{
		{"+254 0712 345678", "KEN", "+254712345678"},
		{"+254 (0)712 345678", "KEN", "+254712345678"},
		{"+962 0 79 123 4567", "JOR", "+962791234567"},
		{"+39 (0)6 12345678", "ITA", "+390612345678"},
		{"+39 06 12345678", "ITA", "+390612345678"},
		{"0712345678", "CIV", "+2250712345678"},
		{"+963 0944 123456", "SYR", "+963944123456"},
		{"00254712345678", "KEN", "+254712345678"},
		{"254 712 345 678", "KEN", "+254712345678"},
		{"8 916 123 45 67", "RUS", "+79161234567"},
		{"712345678.0", "KEN", "+254712345678"},
		{"2.54713E+11", "KEN", ""},
		{"0712345678 0722345678", "KEN", ""},
	} {
		if got, _ := registry.NormalisePhone(c.text, c.country); got != c.want {
			t.Errorf("%q in %s: %q, want %q", c.text, c.country, got, c.want)
		}
	}
}
