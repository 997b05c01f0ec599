package export_test

import (
	"context"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
)

// lived is a registry in which things have happened: two lists with the same numbers, a
// split, a death, a double that was decided, an alternate, people whom no list numbers,
// a household whose size nobody knows.
func lived(t *testing.T) *registrytest.Store {
	t.Helper()
	moment := now.AddDate(0, 0, -1)
	s := &registrytest.Store{Now: func() time.Time { moment = moment.Add(time.Second); return moment }}
	list := func(source, data string) {
		t.Helper()
		f := openFile(t, "csv", []byte(data))
		plan, err := intake.Guess(f)
		if err != nil {
			t.Fatal(err)
		}
		report, err := intake.Run(ctx, s, clerk, plan, f, intake.Options{Source: source, Now: now})
		if err != nil || report.Total().Rejected > 0 {
			t.Fatal(err, report)
		}
	}
	const head = "household_id,person_id,full_name,sex,birth_date,relation,site,consent,registration_date\n"
	list("", head+"H1,1,Amina Ali,F,1980-03-04,head,Block 1,yes,2026-10-01\nH1,2,Musa Ali,M,1978-05-06,spouse,Block 1,yes,2026-10-01\n"+
		"H1,3,Hawa Ali,F,2001-07-08,child,Block 1,yes,2026-10-01\nH2,4,Said Noor,M,unknown,head,Block 2,yes,2026-10-01\n")
	list("camp-b", head+"H1,1,Omar Deng,M,1990-01-02,head,Gate,yes,2026-10-02\nH1,2,Abuk Deng,F,1991-02-03,spouse,Gate,yes,2026-10-02\nH9,7,Amina Aly,F,1980-03-04,head,Gate,no,2026-10-02\n")
	find := func(kind registry.Kind, source, number string) (id registry.ID) {
		t.Helper()
		err := s.View(ctx, func(v registry.View) (err error) {
			id, _, err = v.Find(kind, source, number)
			return err
		})
		if err != nil || id.IsZero() {
			t.Fatal(number, err)
		}
		return id
	}
	desk := registry.Registry{Store: s, Actor: access.Actor{ID: "amal", Role: access.Registrar, SecondPerson: "badr"}, Now: s.Now}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h1 := find(registry.KindHousehold, "", "H1")
	do(desk.AddCollector(ctx, h1, registry.Collector{Person: find(registry.KindPerson, "", "1").String(), Role: "primary", From: "2026-10-01"}))
	do(desk.AddCollector(ctx, h1, registry.Collector{Person: find(registry.KindPerson, "", "2").String(), Role: "alternate", From: "2026-10-01"}))
	_, _, _, err := desk.Split(ctx, h1, registry.SplitPlan{Leaving: []registry.ID{find(registry.KindPerson, "", "3")}, Head: find(registry.KindPerson, "", "3")})
	do(err)
	_, err = desk.Died(ctx, find(registry.KindPerson, "camp-b", "2"), "2026-11-01")
	do(err)
	doubles, err := desk.Doubles(ctx, false)
	do(err)
	for _, d := range doubles {
		_, err = desk.DecideDouble(ctx, d.A, d.B, "same")
		do(err)
	}
	if len(doubles) == 0 {
		t.Error("nobody may be on record twice: the world lacks a double")
	}
	putPerson(t, s, "", registry.ID{}, registry.Person{Names: named("ሰላም"), Sex: "x", Location: &registry.Location{Site: "Gate"}, Consents: yes(), Registered: "2026-11-04"})
	return s
}

func TestAnExportOfWhatWasLivedChangesNothing(t *testing.T) {
	for _, form := range []export.Form{export.XLSX, export.HXL} {
		for what, fields := range map[string][]string{"by default": nil, "with every field": everything()[:len(everything())-1]} {
			s := lived(t)
			people, houses, open := s.Len("person"), s.Len("household"), doublesOf(t, s)
			data, sum := write(t, s, export.Options{Form: form, Fields: fields})
			again := take(t, s, form, data)
			if n := again.Total(); n.Created+n.Updated+n.Rejected != 0 || s.Len("person") != people || s.Len("household") != houses || doublesOf(t, s) != open {
				t.Errorf("%s %s of %d: %v, %d people before and %d now, %d households and %d, %d doubles and %d", form, what, sum.People, n,
					people, s.Len("person"), houses, s.Len("household"), open, doublesOf(t, s))
				for _, f := range again.Findings {
					t.Logf("%s row %d %s %q %s", f.Table, f.Row, f.Column, f.Value, f.Code)
				}
			}
		}
	}
}

func doublesOf(t *testing.T, s registry.Store) (n int) {
	t.Helper()
	err := s.View(context.Background(), func(v registry.View) error {
		list, err := v.Doubles(true)
		n = len(list)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
