package importstest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
)

// plantedColumns are those of PlantedList.
var plantedColumns = []string{"individual_id", "household_id", "full_name", "sex", "birth_date", "relationship", "phone", "national_id", "national_id_issuer", "household_size", "consent", "registration_date"}

// A Plant is a wrong cell, the code it must give, and what it should say. Without a
// column the row is left out.
type Plant struct{ Column, Wrong, Code, Right string }

// ErrorKinds keep a row out, one of each kind that a list can have.
var ErrorKinds = []Plant{
	{"sex", "q", intake.SexUnknown, "f"},
	{"birth_date", "some day", registry.BirthUnreadable, "1991-04-05"},
	{"birth_date", "31/02/1990", registry.BirthImpossible, "1990-02-28"},
	{"birth_date", "12/03/2091", registry.BirthFuture, "1991-03-12"},
	{"birth_date", "12/03/1871", registry.BirthTooOld, "1971-03-12"},
	{"birth_date", "12/03/90", registry.BirthTwoDigits, "1990-03-12"},
	{"birth_date", "32874", registry.BirthSerial, "1990-01-03"},
	{"full_name", strings.Repeat("abc ", 60), registry.NameTooLong, "Abdikarim Warsame"},
	{"consent", "perhaps", intake.ConsentUnreadable, "yes"},
	{"household_size", "four", intake.SizeUnreadable, "1"},
	{"individual_id", "P-00001", intake.RowConflict, ""},
	{"", "", intake.RowUnreadable, ""},
}

// WarningKinds come in and are told.
var WarningKinds = []Plant{
	{"phone", "call the shop", registry.PhoneUnreadable, ""}, {"phone", "+254712", registry.PhoneLength, ""}, {"phone", "+254700000000", registry.PhoneDummy, ""},
	{"national_id", "A1", registry.DocumentEmpty, ""}, {"relationship", "zig", intake.RelationUnknown, ""}, {"national_id_issuer", "QQQ", registry.DocumentNoLand, ""},
	{"full_name", "Amina 2 Hassani", registry.NameDigits, ""}, {"full_name", "\u202eAmina\u202c Hassani", registry.NameBidi, ""}, {"full_name", "Kato Kato", registry.NameRepeats, ""},
	{"full_name", "<script>alert(1)</script>", registry.NameSymbols, ""}, {"full_name", "", intake.NameMissing, ""}, {"birth_date", "01/01/2001", registry.BirthDefault, ""},
	{"consent", "", intake.ConsentMissing, ""}, {"registration_date", "yesterday", intake.RegisteredBad, ""},
}

// PlantedList is a CSV of n households of one, with a plant of each kind from the 100th on.
// Only the first so many of them agree to be registered: nobody else gets a card.
func PlantedList(n, agree int) []byte {
	syllables := strings.Fields("ka le mi no ru sa te vi zo ba de fi go hu ja")
	word := func(n int) string {
		var b strings.Builder
		for range 5 {
			b.WriteString(syllables[n%len(syllables)])
			n /= len(syllables)
		}
		return strings.ToUpper(b.String()[:1]) + b.String()[1:]
	}
	plants := slices.Concat(ErrorKinds, WarningKinds)
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	err := w.Write(plantedColumns)
	for i := range n {
		row := []string{fmt.Sprintf("P-%05d", i), fmt.Sprintf("H-%05d", i), word(500_000+i*3) + " " + word(i*7+3), "F", fmt.Sprintf("%d/%02d/%04d", 13+i%15, 2+i%5, 1970+i%30), "head",
			fmt.Sprintf("+2547%08d", 10_203_041+i*7), fmt.Sprintf("N%07dX", i), "KEN", "1", "yes", "2025-06-30"}
		if i >= agree {
			row[10] = "no"
		}
		if k := i - 100; k >= 0 && k%7 == 0 && k/7 < len(plants) {
			p := plants[k/7]
			if c := slices.Index(plantedColumns, p.Column); c >= 0 {
				row[c] = p.Wrong
			} else {
				row = append(row, "one", "too many")
			}
		}
		if err == nil {
			err = w.Write(row)
		}
	}
	w.Flush()
	if err != nil || w.Error() != nil {
		panic(errors.Join(err, w.Error())) // it is written into memory
	}
	return out.Bytes()
}
