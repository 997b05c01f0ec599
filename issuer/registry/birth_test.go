package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aidpass/issuer/registry"
)

var today = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func TestBirthsAsListsWriteThem(t *testing.T) {
	dayFirst := registry.BirthOptions{Today: today, Order: registry.DayFirst}
	monthFirst := registry.BirthOptions{Today: today, Order: registry.MonthFirst}
	exact := registry.BirthOptions{Today: today, Exact: true}
	serial := registry.BirthOptions{Today: today, Serial: true}
	age := registry.BirthOptions{Today: today, Age: true}
	plain := registry.BirthOptions{Today: today}
	for _, c := range []struct {
		text  string
		opt   registry.BirthOptions
		edtf  string
		codes []string
	}{
		{"1987", plain, "1987", nil}, {"1987-05", plain, "1987-05", nil}, {"1987-05-12", plain, "1987-05-12", nil},
		{"1987~", plain, "1987~", nil}, {"198X", plain, "198X", nil}, {"1987-XX-XX", plain, "1987", nil}, {"1987-05-XX", plain, "1987-05", nil},
		{"1987-05-12T00:00:00.000Z", plain, "1987-05-12", nil}, {"1987-05-12 00:00:00", plain, "1987-05-12", nil}, {"19870512", plain, "1987-05-12", nil},
		{"12/05/1987", dayFirst, "1987-05-12", nil}, {"12/05/1987", monthFirst, "1987-12-05", nil}, {"12.5.1987", dayFirst, "1987-05-12", nil},
		{"25/05/1987", plain, "1987-05-25", nil}, {"05/25/1987", plain, "1987-05-25", nil}, {"05/05/1987", plain, "1987-05-05", nil},
		{"12/05/1987", plain, "1987", []string{registry.BirthAmbiguous}},
		{"05/1987", plain, "1987-05", nil}, {"00/00/1987", plain, "1987", nil},
		{"12 May 1987", plain, "1987-05-12", nil}, {"12th of May, 1987", plain, "1987-05-12", nil}, {"May 12, 1987", plain, "1987-05-12", nil},
		{"1er janvier 1987", exact, "1987-01-01", nil}, {"12 de mayo de 1987", plain, "1987-05-12", nil}, {"12 مايو 1987", plain, "1987-05-12", nil},
		{"١٢ أيار ١٩٨٧", plain, "1987-05-12", nil}, {"۱۹۸۷-۰۵-۱۲", plain, "1987-05-12", nil}, {"\u200f12/05/1987", dayFirst, "1987-05-12", nil},
		{"1990-01-01", plain, "1990", []string{registry.BirthDefault}}, {"01/07/1990", dayFirst, "1990", []string{registry.BirthDefault}},
		{"31-12-1990", plain, "1990", []string{registry.BirthDefault}}, {"1990-01-01", exact, "1990-01-01", nil},
		{"1900-01-01", plain, "", []string{registry.BirthDefault}},
		{"31/02/1990", plain, "", []string{registry.BirthImpossible}}, {"1990-13-01", plain, "", []string{registry.BirthImpossible}},
		{"30/02/2000", dayFirst, "", []string{registry.BirthImpossible}}, {"2000-02-29", plain, "2000-02-29", nil}, {"2001-02-29", plain, "", []string{registry.BirthImpossible}},
		{"0000-00-00", plain, "", []string{registry.BirthImpossible}},
		{"2090-01-01", plain, "", []string{registry.BirthFuture}}, {"2026-11-22", plain, "", []string{registry.BirthFuture}}, {"2026", plain, "2026", nil},
		{"1899-05-05", plain, "", []string{registry.BirthTooOld}}, {"1366/05/12", plain, "", []string{registry.BirthTooOld}}, {"1901", plain, "", []string{registry.BirthTooOld}},
		{"32874", plain, "", []string{registry.BirthSerial}}, {"32875", serial, "1990-01-02", nil}, {"32875.5", serial, "1990-01-02", nil}, {"1", serial, "", []string{registry.BirthSerial}},
		{"1/2/90", plain, "", []string{registry.BirthTwoDigits, registry.BirthAmbiguous}}, {"25/2/90", plain, "", []string{registry.BirthTwoDigits}},
		{"34", age, "1992~", nil}, {"34 ans", age, "1992~", nil}, {"٣٤ سنة", age, "1992~", nil}, {"6 months", age, "2026~", nil}, {"99", age, "1927~", nil},
		{"34", plain, "", []string{registry.BirthTwoDigits}}, {"old", age, "", []string{registry.BirthAge}}, {"200", age, "", []string{registry.BirthTooOld}},
		{"", plain, "", nil}, {"unknown", plain, "", nil}, {"9999", plain, "", nil},
		{"yesterday", plain, "", []string{registry.BirthUnreadable}}, {strings.Repeat("1", 99), plain, "", []string{registry.BirthUnreadable}},
	} {
		b, issues := registry.ParseBirth(c.text, c.opt)
		if b.EDTF != c.edtf || !slices.Equal(codesOf(issues), c.codes) {
			t.Errorf("%q with %+v is %q with %v, want %q with %v", c.text, c.opt, b.EDTF, codesOf(issues), c.edtf, c.codes)
		}
	}
}

func TestNobodyIsMadeAnAdultByADefault(t *testing.T) {
	at := today
	for edtf, want := range map[string][2]bool{
		"2008": {false, false}, "2007": {true, true}, "2009": {false, true}, "2008-11-21": {true, true}, "2008-11-22": {false, true},
		"2008-11": {false, false}, "2007~": {false, false}, "2006~": {true, true}, "200X": {false, false}, "199X": {true, true}, "": {false, false},
	} {
		b := registry.Birth{EDTF: edtf, Estimated: strings.HasSuffix(edtf, "~")}
		if adult, decided := b.Adult(at); adult != want[0] || decided != want[1] {
			t.Errorf("born %q: adult %v, decided %v", edtf, adult, decided)
		}
	}
}

func TestAgesAreEstimates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		age := rapid.IntRange(0, 110).Draw(t, "age")
		on := today.AddDate(0, 0, -rapid.IntRange(0, 5000).Draw(t, "days"))
		b := registry.BirthFromAge(age, on)
		least, most, known := b.Age(on)
		if !known || !b.Estimated || least > age || most < age || b.AgeDeclared != age {
			t.Errorf("age %d on %s is %+v: %d to %d", age, on.Format(time.DateOnly), b, least, most)
		}
	})
}

func TestAWrittenDayComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		born := time.Date(1910, 1, 2, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 42000).Draw(t, "days"))
		for order, layout := range map[registry.DateOrder]string{registry.OrderUnknown: "2006-01-02", registry.DayFirst: "02/01/2006", registry.MonthFirst: "1/2/2006"} {
			b, issues := registry.ParseBirth(born.Format(layout), registry.BirthOptions{Order: order, Exact: true, Today: today})
			if b.EDTF != born.Format(time.DateOnly) || len(issues) > 0 {
				t.Errorf("%s became %+v, %v", born.Format(layout), b, issues)
			}
		}
	})
}

func TestAColumnFullOfDefaults(t *testing.T) {
	var honest, filled registry.DefaultDays
	for i := range 365 {
		d := time.Date(1990, 1, 1+i, 0, 0, 0, 0, time.UTC)
		honest.Add(int(d.Month()), d.Day())
		filled.Add(int(d.Month()), d.Day())
	}
	for range 5 {
		filled.Add(1, 1)
	}
	if honest.TooMany() || !filled.TooMany() {
		t.Errorf("honest %v, filled %v", honest.TooMany(), filled.TooMany())
	}
}

func FuzzParseBirth(f *testing.F) {
	for _, s := range []string{"1987", "12/05/1987", "198X", "٣٤", "May 12, 1987", "34 ans", "32875.5", "0000-00-00", "1987-05-12T00:00", "a", "1/2/90"} {
		for order := range 3 {
			f.Add(s, order, true, false)
			f.Add(s, order, false, true)
		}
	}
	f.Fuzz(func(t *testing.T, s string, order int, exact, age bool) {
		opt := registry.BirthOptions{Order: registry.DateOrder(order & 3), Exact: exact, Age: age, Serial: exact && age, Today: today}
		b, issues := registry.ParseBirth(s, opt)
		registry.WrittenDay(s, opt)
		if b.EDTF == "" {
			return
		}
		least, most, known := b.Age(today)
		if !known || least < 0 || most < least || least > registry.OldestAge {
			t.Errorf("%q is %+v with %v: %d to %d", s, b, issues, least, most)
		}
		if len(issues) == 0 && !b.Estimated {
			again, more := registry.ParseBirth(b.EDTF, registry.BirthOptions{Exact: true, Today: today})
			if fmt.Sprint(again.EDTF, again.Precision) != fmt.Sprint(b.EDTF, b.Precision) || len(more) > 0 {
				t.Errorf("%q is %+v, and read again %+v, %v", s, b, again, more)
			}
		}
	})
}
