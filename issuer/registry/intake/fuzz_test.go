package intake_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
)

// FuzzReadPlan: what reads, writes what reads the same.
func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(`{"aidpass_import_plan":1,"tables":[{"name":"","role":"people","columns":[{"column":"DOB","field":"birth_date","order":"dmy"}],"without":["sex"]}]}`))
	f.Add([]byte(`{"aidpass_import_plan":1,"tables":[{"name":"a","role":"people"},{"name":"a","role":"people"}]}`))
	f.Add([]byte(`{"aidpass_import_plan":2}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := intake.ReadPlan(b)
		if err != nil {
			return
		}
		again, err := intake.ReadPlan(p.JSON())
		if err != nil || !bytes.Equal(p.JSON(), again.JSON()) {
			t.Errorf("%s came back as %s: %v", p.JSON(), again.JSON(), err)
		}
	})
}

// FuzzSafeCell: no cell is a formula, and what was written comes back.
func FuzzSafeCell(f *testing.F) {
	for _, s := range []string{"", "=1", "'=1", "''=1", "'a", "＝1", "\t=1", "+254", "Amina"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		safe := intake.SafeCell(s)
		if strings.IndexFunc(safe, func(r rune) bool { return strings.ContainsRune("=+-@\t\r＝＋－＠", r) }) == 0 {
			t.Errorf("%q became %q", s, safe)
		}
		if strings.TrimPrefix(safe, "'") != s && safe != s {
			t.Errorf("%q became %q", s, safe)
		}
	})
}

// FuzzRows: whatever stands in a list, no row is lost, nothing panics, and the same
// file again adds nothing.
func FuzzRows(f *testing.F) {
	const head = "person id,household id,full name,given name,sex,birth date,age,relationship,phone,national id,size,consent,admin1,registration date,primary collector id,notes\n"
	f.Add(head + "1,H1,Amina Hassan,Amina,f,1990-05-12,36,head,+254712000001,A1234567,2,yes,KE01,2025-01-02,H1,x\n2,H1,Musa Ali,,m,01/01/1980,,wife_husband,x,,2,yes,KE0,,H9,\n")
	f.Add(head + "1,H1,Amina,,q,,,,,,,,,,,\n1,H2,Amina,,f,,,,,,,,,,,\n,,,,,,,,,,,,,,,z\n")
	f.Add("name,dob,household\n=1+1,31/02/1990,1\n=1+1,31/02/1990,1\n")
	f.Add("household number,household size,consent\nH1,5,no\nH1,6,no\nH2,x,\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4<<10 {
			return
		}
		path := write(t, "list.csv", text)
		var store registrytest.Store
		in, err := try(t, &store, path, intake.Options{Country: "KEN"})
		if err != nil {
			var refused *roster.FileError
			var question *intake.Question
			if !errors.As(err, &refused) && !errors.As(err, &question) {
				t.Fatal(err)
			}
			return
		}
		before := store.Len(registry.KindPerson) + store.Len(registry.KindHousehold)
		again, err := try(t, &store, path, intake.Options{Country: "KEN"})
		if err != nil {
			t.Fatal(err)
		}
		if sum := again.Total(); sum.Created+sum.Updated > 0 || sum.Rejected != in.Total().Rejected ||
			store.Len(registry.KindPerson)+store.Len(registry.KindHousehold) != before {
			t.Errorf("first %s, again %s", in.counts(), again.counts())
		}
	})
}
