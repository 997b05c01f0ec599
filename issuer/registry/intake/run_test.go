package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/photo"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
)

func TestTheOrderOfRowsChangesNothing(t *testing.T) {
	p := withDefects(420)
	var one, two registrytest.Store
	a := must(t, &one, write(t, "list.csv", p.csv(t, nil)), intake.Options{Places: places, Country: "KEN"})
	order := rand.New(rand.NewPCG(7, 7)).Perm(len(p.rows))
	b := must(t, &two, write(t, "list.csv", p.csv(t, order)), intake.Options{Places: places, Country: "KEN"})
	if a.counts() != b.counts() {
		t.Errorf("%s, in another order %s", a.counts(), b.counts())
	}
	p1, h1 := people(t, &one)
	p2, h2 := people(t, &two)
	for _, m := range []map[string]registry.Household{h1, h2} {
		for k, h := range m { // ids are drawn
			h.Head, h.Collectors = "", nil
			m[k] = h
		}
	}
	if !reflect.DeepEqual(p1, p2) {
		t.Errorf("%d and %d people, or they differ", len(p1), len(p2))
	}
	if !reflect.DeepEqual(h1, h2) {
		t.Errorf("%d and %d households, or they differ", len(h1), len(h2))
	}
}

func TestTheSameFileAgainAddsNothing(t *testing.T) {
	p := withDefects(420)
	path := write(t, "list.csv", p.csv(t, nil))
	var store registrytest.Store
	first := must(t, &store, path, intake.Options{Places: places, Country: "KEN"})
	persons, households := people(t, &store)
	again := must(t, &store, path, intake.Options{Places: places, Country: "KEN"})
	if sum := again.Total(); sum.Created+sum.Updated > 0 || sum.Rejected != first.Total().Rejected {
		t.Errorf("again: %s", again.counts())
	}
	if again.Earlier == nil || again.Earlier.By != registrar.ID || again.Earlier.Rows != len(p.rows) {
		t.Errorf("the earlier import is not told: %+v", again.Earlier)
	}
	p2, h2 := people(t, &store)
	if !reflect.DeepEqual(persons, p2) || !reflect.DeepEqual(households, h2) {
		t.Error("the register changed")
	}
}

func TestADryRunTellsTheSameAndWritesNothing(t *testing.T) {
	p := withDefects(420)
	path := write(t, "list.csv", p.csv(t, nil))
	var store registrytest.Store
	dry := must(t, &store, path, intake.Options{Places: places, Country: "KEN", DryRun: true})
	if store.Len(registry.KindPerson)+store.Len(registry.KindHousehold) > 0 {
		t.Fatal("a dry run wrote")
	}
	real := must(t, &store, path, intake.Options{Places: places, Country: "KEN"})
	if dry.counts() != real.counts() || !reflect.DeepEqual(dry.Findings, real.Findings) {
		t.Errorf("dry %s, real %s", dry.counts(), real.counts())
	}
}

func TestAStoreThatFailsLeavesNothingHalfImported(t *testing.T) {
	path := write(t, "list.csv", newList(20, 1).csv(t, nil))
	broken := errors.New("disk full")
	store := registrytest.Store{FailBefore: broken}
	if _, err := try(t, &store, path, intake.Options{}); !errors.Is(err, broken) || store.Len(registry.KindPerson) > 0 {
		t.Errorf("failed before: %v", err)
	}
	store.FailAfter = broken
	if _, err := try(t, &store, path, intake.Options{}); !errors.Is(err, broken) {
		t.Errorf("failed after: %v", err)
	}
	in := must(t, &store, path, intake.Options{}) // all of it was written, although nobody was told
	if in.Total().Duplicate != 80 {
		t.Errorf("again: %s", in.counts())
	}
}

func TestMendedRejectsGoIn(t *testing.T) {
	p := newList(10, 3)
	p.lost(2, atSecond, row{"sex": "q"}, intake.SexUnknown)
	p.lost(4, atSecond, row{"birth_date": "31/02/2012"}, registry.BirthImpossible)
	p.rows[6*perHouse]["full_name"], p.rows[6*perHouse]["sex"] = "=SUM(A1)", "zig" // a formula survives the way out and in
	p.rows[6*perHouse]["given_name"], p.rows[6*perHouse]["family_name"] = "", ""
	var store registrytest.Store
	in := must(t, &store, write(t, "list.csv", p.csv(t, nil)), intake.Options{})
	if in.counts() != " 40=37+0+0+3" {
		t.Fatalf("first: %s", in.counts())
	}
	b, err := os.ReadFile(in.rejects(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, part := range []string{"row_in_file", "what_to_mend", "sex: not a code for a sex", "'=SUM(A1)", ",13,", ",21,", ",26,"} {
		if !strings.Contains(text, part) {
			t.Errorf("the rejected rows lack %q", part)
		}
	}
	for old, mended := range map[string]string{",q,": ",F,", "31/02/2012": "28/02/2012", ",zig,": ",f,"} {
		text = strings.Replace(text, old, mended, 1)
	}
	again := must(t, &store, write(t, "mended.csv", text), intake.Options{})
	if again.counts() != " 3=3+0+0+0" || len(again.found(intake.Reject)) > 0 {
		t.Fatalf("mended: %s %v", again.counts(), again.Findings)
	}
	persons, _ := people(t, &store)
	if got := persons["P-000024"].DisplayName(); got != "=SUM(A1)" {
		t.Errorf("a name came back as %q", got)
	}
	if _, kept := persons["P-000011"].Ext["what_to_mend"]; kept || len(persons) != 40 {
		t.Errorf("the columns of the rejects were kept, or %d people", len(persons))
	}
}

// TestANumberOfSomebodyElse: same number, other name or birth: a conflict, never overwritten.
func TestANumberOfSomebodyElse(t *testing.T) {
	const head = "person id,full name,birth date,sex,phone\n"
	var store registrytest.Store
	must(t, &store, write(t, "a.csv", head+"1,Amina Hassan,1990-05-12,f,+254712000001\n2,Musa Ali,1980-03-02,m,\n"), intake.Options{})
	in := must(t, &store, write(t, "b.csv", head+"1,Amina Hassan,1991-05-12,f,\n2,Omar Said,1980-03-02,m,\n"), intake.Options{})
	if in.counts() != " 2=0+0+0+2" || !slices.Equal(in.found(intake.Reject), []string{"2:record_disagrees", "3:record_disagrees"}) {
		t.Errorf("%s %v", in.counts(), in.found(intake.Reject))
	}
	in = must(t, &store, write(t, "c.csv", head+"1,Amina Hassan,1991-05-12,f,\n2,Omar Said,1980-03-02,m,\n"), intake.Options{TakeChanges: true})
	persons, _ := people(t, &store)
	if in.counts() != " 2=0+2+0+0" || persons["1"].Birth.EDTF != "1991-05-12" || persons["2"].DisplayName() != "Omar Said" {
		t.Errorf("%s %+v", in.counts(), persons["1"].Birth)
	}
	if len(persons["1"].Contacts) != 1 {
		t.Error("what a list does not say was taken away")
	}
	// Another list may number its people for itself.
	in = must(t, &store, write(t, "d.csv", head+"1,Someone Else,1970-02-03,f,\n"), intake.Options{Source: "village-b"})
	if in.counts() != " 1=1+0+0+0" {
		t.Errorf("another source: %s", in.counts())
	}
}

func TestAListCannotGiveAConsentBack(t *testing.T) {
	path := write(t, "a.csv", "person id,full name,birth date,consent\n1,Amina Hassan,1990-05-12,yes\n")
	var store registrytest.Store
	must(t, &store, path, intake.Options{})
	err := store.Update(context.Background(), registrar, func(tx registry.Tx) error {
		id, _, err := tx.Find(registry.KindPerson, "", "1")
		if err != nil {
			return err
		}
		fields, err := registry.Person{Consents: []registry.Consent{{Purpose: "registration", Given: true, How: "form", Withdrawn: "2026-11-20"}}}.Fields()
		if err == nil {
			_, err = tx.Save(registry.Change{ID: id, Fields: map[string][]byte{"consents": fields["consents"]}})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	in := must(t, &store, path, intake.Options{})
	persons, _ := people(t, &store)
	if in.Total().Duplicate != 1 || persons["1"].Consents[0].Withdrawn == "" {
		t.Errorf("%s %+v", in.counts(), persons["1"].Consents)
	}
}

func TestWhoMovedIsNotMovedBackByAnOldList(t *testing.T) {
	list := newList(2, 5)
	var store registrytest.Store
	must(t, &store, write(t, "a.csv", list.csv(t, nil)), intake.Options{})
	list.rows[1]["household_id"] = "H-00001"
	in := must(t, &store, write(t, "b.csv", list.csv(t, nil)), intake.Options{})
	if got := in.found(intake.Reject); !slices.Equal(got, []string{"3:member_elsewhere"}) {
		t.Errorf("got %q", got)
	}
	in = must(t, &store, write(t, "c.csv", list.csv(t, nil)), intake.Options{TakeChanges: true})
	if in.Total().Rejected != 0 {
		t.Errorf("told to take changes: %v", in.found(intake.Reject))
	}
}

func TestPossibleDoublesAreToldAndBlockNothing(t *testing.T) {
	const head = "person id,full name,birth date,sex,national id\n"
	var store registrytest.Store
	must(t, &store, write(t, "a.csv", head+"1,Mohammed Hassan,1990-05-12,m,A123456\n"), intake.Options{})
	in := must(t, &store, write(t, "b.csv", head+"7,Muhamad Hasan,1990-03-02,m,\n8,Somebody Other,1971-02-03,f,A123456\n9,Somebody Other,1971-04-03,f,\n"), intake.Options{})
	if in.counts() != " 3=3+0+0+0" || len(in.Doubles) != 3 {
		t.Fatalf("%s %+v", in.counts(), in.Doubles)
	}
	err := store.View(context.Background(), func(v registry.View) error {
		pairs, err := v.Doubles(false)
		if len(pairs) != 3 {
			t.Errorf("%d pairs on record", len(pairs))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDayAndMonthAreAskedForWhereNothingTells(t *testing.T) {
	const head = "person id,full name,birth date\n"
	path := write(t, "a.csv", head+"1,Amina Hassan,03/04/1990\n2,Musa Ali,05/06/1981\n")
	var store registrytest.Store
	_, err := try(t, &store, path, intake.Options{})
	var q *intake.Question
	if !errors.As(err, &q) || q.Asks[0].Field != intake.BirthDate || q.Asks[0].Answer != "birth_date=birth date,dmy" {
		t.Fatalf("not asked: %v", err)
	}
	must(t, &store, path, intake.Options{}, "birth_date=birth date,mdy")
	persons, _ := people(t, &store)
	if persons["1"].Birth.EDTF != "1990-03-04" {
		t.Errorf("read as %q", persons["1"].Birth.EDTF)
	}
	// One value over 12 tells for the column.
	var other registrytest.Store
	must(t, &other, write(t, "b.csv", head+"1,Amina Hassan,03/04/1990\n2,Musa Ali,25/06/1981\n"), intake.Options{})
	if persons, _ := people(t, &other); persons["1"].Birth.EDTF != "1990-04-03" {
		t.Errorf("read as %q", persons["1"].Birth.EDTF)
	}
}

func TestAPlanIsKeptEditedAndUsedAgain(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, write(t, "a.csv", "person id,full name,dob,colour of tent\n1,Amina Hassan,1990-05-12,blue\n"), intake.Options{})
	plan, err := intake.ReadPlan(in.plan.JSON())
	if err != nil || !bytes.Equal(plan.JSON(), in.plan.JSON()) {
		t.Fatalf("%v", err)
	}
	for name, text := range map[string]string{
		"a column more":     "person id,full name,dob,colour of tent,shoes\n1,Amina Hassan,1990-05-12,blue,2\n",
		"a column less":     "person id,full name,colour of tent\n1,Amina Hassan,blue\n",
		"a column renamed ": "person id,full name,born,colour of tent\n1,Amina Hassan,1990-05-12,blue\n",
	} {
		file, err := roster.OpenFile(write(t, "b.csv", text), roster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var q *intake.Question
		if err := plan.Questions(file); !errors.As(err, &q) {
			t.Errorf("%s: %v", name, err)
		}
		file.Close()
	}
	persons, _ := people(t, &store)
	if persons["1"].Ext["colour of tent"] != "blue" {
		t.Errorf("kept %v", persons["1"].Ext)
	}
}

func TestPhotosAreMatchedByNumber(t *testing.T) {
	dir := t.TempDir()
	picture, err := os.ReadFile(shared(t, "hostile-files", "exif-gps.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1.jpg", "face2.JPG", "nobody.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, name), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "3.jpg"), []byte("<html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := write(t, "a.csv", "person id,full name,photo\n1,Amina Hassan,\n2,Musa Ali,../../somewhere/face2.jpg\n3,Omar Said,\n4,Asha Juma,/etc/passwd\n")
	var store registrytest.Store
	for _, want := range []intake.Photos{{Stored: 2, Without: 2}, {Unchanged: 2, Without: 2}} {
		folder, err := photo.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		in := must(t, &store, path, intake.Options{Photos: folder})
		folder.Close()
		if in.Photos == nil || in.Photos.Stored != want.Stored || in.Photos.Unchanged != want.Unchanged || in.Photos.Without != want.Without || !slices.Equal(in.Photos.Unmatched, []string{"nobody.jpg"}) {
			t.Errorf("photos: %+v", in.Photos)
		}
		if got := in.found(intake.Remark); !slices.Equal(got, []string{"4:photo_unusable"}) {
			t.Errorf("findings: %q", got)
		}
		if in.Total().Updated > 0 {
			t.Errorf("again: %s", in.counts())
		}
	}
	persons, _ := people(t, &store)
	if p := persons["1"].Photo; len(p) == 0 || bytes.Contains(p, []byte("Exif")) || len(persons["4"].Photo) > 0 {
		t.Errorf("the photo kept has %d bytes", len(p))
	}
}

func TestRejectedSubmissionsComeBackWhole(t *testing.T) {
	path := write(t, "kobo.json", `{"count": 2, "next": null, "previous": null, "results": [
	 {"_id": 1, "_uuid": "u-1", "meta/instanceID": "uuid:u-1", "consent": "yes", "size": "2", "people": [{"people/full_name": "Amina Hassan", "people/sex": "f", "people/birth_date": "1990-05-12"}]},
	 {"_id": 2, "_uuid": "u-2", "meta/instanceID": "uuid:u-2", "consent": "perhaps", "size": "2", "people": [{"people/full_name": "Musa Ali", "people/sex": "m", "people/birth_date": "1980-05-12"}]}]}`)
	var store registrytest.Store
	in := must(t, &store, path, intake.Options{})
	if in.counts() != "submissions 2=1+0+0+1; people 2=1+0+0+1" {
		t.Fatalf("%s %v", in.counts(), in.found(intake.Reject))
	}
	b, err := os.ReadFile(in.rejects(t))
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(b, &list); err != nil || len(list) != 1 || list[0]["_uuid"] != "u-2" || !strings.Contains(list[0]["what_to_mend"].(string), "consent") {
		t.Fatalf("%v %v", err, list)
	}
	again := must(t, &store, write(t, "mended.json", strings.Replace(string(b), "perhaps", "no", 1)), intake.Options{})
	if again.counts() != "submissions 1=1+0+0+0; people 1=1+0+0+0" {
		t.Errorf("mended: %s %v", again.counts(), again.Findings)
	}
	_, households := people(t, &store)
	if c := households["u-2"].Consents; len(c) != 1 || c[0].Given {
		t.Errorf("a no became %+v", c)
	}
}

func TestListsThatOnlyCount(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, write(t, "a.csv", "household number,household size,f_0_4,village\nH1,5,2,Kito\nH2,3,,Kito\n"), intake.Options{})
	_, households := people(t, &store)
	h := households["H1"]
	if in.counts() != " 2=2+0+0+0" || h.CollectType != "size_only" || h.Size != 5 || h.Bands["f_0_4"] != 2 || h.Location.Site != "Kito" {
		t.Errorf("%s %+v", in.counts(), h)
	}
}

func TestSideTablesAddToPeopleAndHouseholds(t *testing.T) {
	var b bytes.Buffer
	w := intake.NewWorkbook(&b)
	for _, sheet := range []struct {
		name string
		rows [][]string
	}{
		{"People", [][]string{{"person id", "household id", "full name", "sex", "birth date", "relationship"}, {"1", "H1", "Amina Hassan", "f", "1990-05-12", "head"}}},
		{"Documents", [][]string{{"person id", "document type", "document number", "document country"}, {"1", "passport", "K1234567", "KEN"}, {"9", "passport", "K7654321", "KEN"}}},
		{"Collectors", [][]string{{"household id", "collector name", "role"}, {"H1", "Juma Said", "alternate"}, {"H9", "Juma Said", "alternate"}}},
	} {
		if err := w.Sheet(sheet.name); err != nil {
			t.Fatal(err)
		}
		for _, r := range sheet.rows {
			if err := w.Row(r...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := write(t, "a.xlsx", b.String())
	var store registrytest.Store
	in := must(t, &store, path, intake.Options{})
	if in.counts() != "People 1=1+0+0+0; Documents 2=1+0+0+1; Collectors 2=1+0+0+1" {
		t.Errorf("%s %v", in.counts(), in.found(intake.Reject))
	}
	persons, households := people(t, &store)
	if d := persons["1"].Documents; len(d) != 1 || d[0].Type != "passport" || d[0].Country != "KEN" {
		t.Errorf("documents %+v", d)
	}
	if c := households["H1"].Collectors; len(c) != 1 || c[0].External != "Juma Said" || c[0].Role != "alternate" {
		t.Errorf("collectors %+v", c)
	}
	if again := must(t, &store, path, intake.Options{}); again.counts() != "People 1=0+0+1+0; Documents 2=0+0+1+1; Collectors 2=0+0+1+1" {
		t.Errorf("again: %s", again.counts())
	}
}

func TestReportsHoldNoFormula(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, write(t, "a.csv", "person id,full name,sex\n1,Amina Hassan,=1+1\n2,Musa Ali,@SUM(1)\n3,Omar Said,＝1\n"), intake.Options{})
	var csv, xlsx, js bytes.Buffer
	if err := errors.Join(in.WriteCSV(&csv), in.WriteXLSX(&xlsx), in.WriteJSON(&js)); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"'=1+1", "'@SUM(1)", "'＝1"} {
		if !strings.Contains(csv.String(), part) {
			t.Errorf("the report lacks %q", part)
		}
	}
	file, err := roster.OpenFile(write(t, "r.xlsx", xlsx.String()), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if len(file.Tables()) != 2 {
		t.Errorf("sheets: %+v", file.Tables())
	}
	var back intake.Report
	if err := json.Unmarshal(js.Bytes(), &back); err != nil || len(back.Findings) != len(in.Findings) {
		t.Errorf("%v", err)
	}
}

func TestQualityCountsWhatIsFilled(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, write(t, "a.csv", "person id,full name,sex,birth date\n1,Amina Hassan,f,1990-05-12\n2,Musa Ali,,01/01/1980\n"), intake.Options{})
	got := maps.Clone(in.Quality.Filled)
	if in.Quality.People != 2 || got["name"] != 2 || got["sex"] != 1 || got["birth"] != 2 || in.Quality.Defaults != 1 {
		t.Errorf("%+v", in.Quality)
	}
}

func TestMendedRowsAreReadAsTheirListWas(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, write(t, "a.csv", "person id,full name,dob,sex\n1,Amina Hassan,25/04/1990,f\n2,Musa Ali,05/06/1981,q\n"), intake.Options{})
	path := in.rejects(t)
	file, err := roster.OpenFile(path, roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	guessed, err := intake.Guess(file)
	if err != nil {
		t.Fatal(err)
	}
	var q *intake.Question
	if err := guessed.Questions(file); !errors.As(err, &q) {
		t.Errorf("one row shows no order of days, yet: %v", err)
	}
	err = store.View(context.Background(), func(v registry.View) error {
		imports, err := v.Imports()
		if err != nil {
			return err
		}
		plan, ok := intake.PlanOf(file, imports)
		if !ok || !intake.Mended(file) || plan.Questions(file) != nil {
			t.Errorf("the list's plan was not found: %v", ok)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatADeskMendedStays: the same file again does not take corrections back.
func TestWhatADeskMendedStays(t *testing.T) {
	list := newList(2, 8)
	path := write(t, "a.csv", list.csv(t, nil))
	var store registrytest.Store
	must(t, &store, path, intake.Options{})
	err := store.Update(context.Background(), registrar, func(tx registry.Tx) error {
		id, _, err := tx.Find(registry.KindPerson, "", "P-000001")
		if err != nil {
			return err
		}
		house, _, err := tx.Find(registry.KindHousehold, "", "H-00000")
		if err != nil {
			return err
		}
		mended := registry.Person{Sex: "x", Names: []registry.Name{{Text: "Another Name"}}}
		fields, err := mended.Fields()
		if err != nil {
			return err
		}
		if _, err = tx.Save(registry.Change{ID: id, Fields: fields}); err != nil {
			return err
		}
		fields, err = registry.Household{Head: id.String()}.Fields()
		if err == nil {
			_, err = tx.Save(registry.Change{ID: house, Fields: fields})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before, houses := people(t, &store)
	in := must(t, &store, path, intake.Options{})
	after, housesAfter := people(t, &store)
	if in.Total().Duplicate != 8 || !reflect.DeepEqual(before, after) || !reflect.DeepEqual(houses, housesAfter) {
		t.Errorf("%s: %v", in.counts(), in.Findings)
	}
}
