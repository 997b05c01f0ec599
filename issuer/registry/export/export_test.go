package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/rights"
	"aidpass/issuer/registry/roster"
)

var (
	ctx   = context.Background()
	clerk = access.Actor{ID: "amina", Role: access.Registrar}
	now   = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
)

// formulas are names and places of people who mean no harm, and of one who does.
var formulas = []string{
	`=HYPERLINK("http://x.example";"y")`, "+Amina", "-Ali", "@home", "＝SUM(1)", "＋a b", "－a b", "＠a b", "'=already quoted", "''-twice", "O'Neil", "'Abd",
}

// put saves a record and fails the test where it cannot.
func put(t *testing.T, s registry.Store, c registry.Change, fields map[string][]byte, err error) registry.ID {
	t.Helper()
	var saved registry.Saved
	if err == nil {
		c.Fields = fields
		err = s.Update(ctx, clerk, func(tx registry.Tx) (err error) {
			saved, err = tx.Save(c)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return saved.ID
}

func putHouse(t *testing.T, s registry.Store, external string, h registry.Household) registry.ID {
	fields, err := h.Fields()
	return put(t, s, registry.Change{Kind: registry.KindHousehold, External: external}, fields, err)
}

func putPerson(t *testing.T, s registry.Store, external string, house registry.ID, p registry.Person) registry.ID {
	fields, err := p.Fields()
	return put(t, s, registry.Change{Kind: registry.KindPerson, External: external, Household: house}, fields, err)
}

func yes() []registry.Consent {
	return []registry.Consent{{Purpose: "registration", Given: true, On: "2026-11-01"}}
}

func named(text string) []registry.Name {
	n, _ := registry.ParseName(text, "")
	n.Text = text
	return []registry.Name{n}
}

// camp is a registry with what export has to cope with.
func camp(t *testing.T) *registrytest.Store {
	t.Helper()
	s := homes(t)
	putAlone(t, s)
	return s
}

// homes is a camp in which everybody has a household.
func homes(t *testing.T) *registrytest.Store {
	t.Helper()
	s := &registrytest.Store{Now: func() time.Time { return now }}
	house := registry.Household{
		Size: 3, Bands: map[string]int{"f_0_4": 1, "f_18_59": 1, "m_18_59": 1}, Location: &registry.Location{PCode: "KE0301", Site: "Block =4", Country: "KEN", Address: "behind the mill"},
		Registered: "2026-11-01", Consents: yes(), Residence: "REFUGEE", Origin: "SOM",
	}
	h1 := putHouse(t, s, "H-1", house)
	arabic := named("محمد علي حسن")
	arabic = append(arabic, registry.Name{Text: "Mohamed Ali Hassan", Script: "Latn", Type: registry.Romanised}, registry.Name{Text: "Abu Omar", Script: "Latn", Type: registry.Used})
	head := putPerson(t, s, "P-1", h1, registry.Person{
		Names: arabic, Sex: "m", Birth: &registry.Birth{EDTF: "1987~", Precision: "year", Estimated: true}, Relation: "head", Origin: "SOM",
		Registered: "2026-11-01", Consents: yes(), Contacts: []registry.Contact{{Kind: "phone", Value: "+254700000123"}},
		Documents: []registry.Document{{Type: "passport", Country: "SOM", Number: "A1234567", Seen: "declared"}}, Ext: map[string]string{"shelter": "S 12"},
	})
	house.Head = head.String()
	house.Collectors = []registry.Collector{{Person: head.String(), Role: "primary"}}
	fields, err := house.Fields()
	put(t, s, registry.Change{ID: h1, Kind: registry.KindHousehold}, fields, err)
	spanish := registry.Name{Text: "Ana García Márquez", Script: "Latn", Parts: []registry.Part{
		{Role: "given", Text: "Ana"}, {Role: "family", Text: "García"}, {Role: "second_family", Text: "Márquez"},
	}}
	putPerson(t, s, "P-2", h1, registry.Person{Names: []registry.Name{spanish}, Sex: "f", Origin: "SOM", Birth: &registry.Birth{EDTF: "1990-05-12", Precision: "day"}, Relation: "spouse", Consents: yes(), Registered: "2026-11-01"})
	putPerson(t, s, "P-3", h1, registry.Person{Names: named("အောင်"), Sex: "f", Origin: "SOM", Birth: &registry.Birth{EDTF: "202X", Precision: "decade"}, Relation: "child", Consents: yes(), Registered: "2026-11-01"})
	putPerson(t, s, "P-9", h1, registry.Person{Names: named("Nobody Any More"), Status: &registry.Status{State: "closed", Reason: "deceased"}})
	putHouse(t, s, "H-2", registry.Household{Size: 7, CollectType: "size_only", Location: &registry.Location{PCode: "KE0302", Country: "KEN"}, Consents: yes(), Registered: "2026-11-02"})
	for i, text := range formulas {
		id := string(rune('a' + i))
		alone := registry.Household{Size: 1, Location: &registry.Location{PCode: "KE0301", Site: text, Country: "KEN"}, Consents: yes(), Registered: "2026-11-03"}
		h := putHouse(t, s, "F-"+id, alone)
		head := putPerson(t, s, "PF-"+id, h, registry.Person{Names: named(text), Sex: "m", Birth: &registry.Birth{EDTF: "1970", Precision: "year"}, Relation: "head", Consents: yes(), Registered: "2026-11-03"})
		alone.Head = head.String()
		fields, err := alone.Fields()
		put(t, s, registry.Change{ID: h, Kind: registry.KindHousehold}, fields, err)
	}
	return s
}

// putAlone saves somebody without a household.
func putAlone(t *testing.T, s registry.Store) {
	t.Helper()
	putPerson(t, s, "A-1", registry.ID{}, registry.Person{
		Names: named("ሰላም"), Sex: "f", Birth: &registry.Birth{EDTF: "1999-02", Precision: "month"}, Location: &registry.Location{PCode: "ET0101", Country: "ETH"},
		Consents: yes(), Registered: "2026-11-04",
	})
}

// everything names every field, so that nothing sealed stays behind.
func everything() (names []string) {
	for _, f := range export.Fields() {
		names = append(names, f.Name)
	}
	return append(names, "ext.shelter")
}

func write(t *testing.T, s rights.Store, opt export.Options) ([]byte, export.Summary) {
	t.Helper()
	opt.Reason, opt.Now = "monthly list", func() time.Time { return now }
	if opt.Use == (rights.Use{}) {
		opt.Use.Purpose = rights.Copy
	}
	var b bytes.Buffer
	sum, err := export.Write(ctx, s, clerk, opt, &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), sum
}

func openFile(t *testing.T, form export.Form, data []byte) *roster.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people."+string(form))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := roster.OpenFile(path, roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func take(t *testing.T, s registry.Store, form export.Form, data []byte) *intake.Report {
	t.Helper()
	f := openFile(t, form, data)
	plan, err := intake.Guess(f)
	if err != nil {
		t.Fatal(err)
	}
	report, err := intake.Run(ctx, s, clerk, plan, f, intake.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// cells are the rows of a file's tables, sorted: order is not part of what is said.
func cells(t *testing.T, form export.Form, data []byte) (all []string) {
	t.Helper()
	f := openFile(t, form, data)
	for _, table := range f.Tables() {
		rows, err := f.Rows(table.Name)
		if err != nil {
			t.Fatal(err)
		}
		for row, err := rows.Next(); err == nil; row, err = rows.Next() {
			line := table.Name
			for _, c := range table.Columns {
				line += "|" + c.Name + "=" + row.Cell(c.Name)
			}
			all = append(all, line)
		}
	}
	slices.Sort(all)
	return all
}

func TestWhatWasExportedComesBackAsItWas(t *testing.T) {
	alone := func(t *testing.T) *registrytest.Store {
		s := &registrytest.Store{Now: func() time.Time { return now }}
		putAlone(t, s)
		return s
	}
	for _, form := range []export.Form{export.XLSX, export.HXL} {
		for name, fields := range map[string][]string{"by default": nil, "with every field": everything()} {
			for who, begin := range map[string]func(*testing.T) *registrytest.Store{"households": homes, "people alone": alone, "both": camp} {
				t.Run(fmt.Sprint(who, " as ", form, " ", name), func(t *testing.T) { roundTrip(t, form, fields, begin(t)) })
			}
		}
	}
}

func roundTrip(t *testing.T, form export.Form, fields []string, s *registrytest.Store) {
	data, _ := write(t, s, export.Options{Form: form, Fields: fields})
	report := take(t, s, form, data)
	if n := report.Total(); n.Created != 0 || n.Updated != 0 || n.Rejected != 0 || n.Duplicate != n.Rows {
		t.Errorf("into the same registry: %v", n)
		for _, f := range report.Findings {
			t.Logf("%+v", f)
		}
	}
	empty := &registrytest.Store{Now: s.Now}
	if n := take(t, empty, form, data).Total(); n.Created != n.Rows {
		t.Errorf("into an empty one: %v", n)
	}
	again, _ := write(t, empty, export.Options{Form: form, Fields: fields})
	want, got := cells(t, form, data), cells(t, form, again)
	if len(want) != len(got) {
		t.Fatalf("%d rows came back as %d", len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("the second file says something else:\n%s\n%s", want[i], got[i])
		}
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	s := camp(t)
	for _, text := range formulas {
		putPerson(t, s, text, registry.ID{}, registry.Person{Names: named(text)})
	}
	data, _ := write(t, s, export.Options{Form: export.HXL, Fields: everything()})
	if !bytes.HasPrefix(data, []byte("\ufeffhousehold_id,person_id,")) {
		t.Errorf("begins with %q", data[:40])
	}
	for line := range bytes.Lines(data) {
		for cell := range bytes.SplitSeq(line, []byte(",")) {
			cell = bytes.TrimLeft(cell, `"`)
			if len(cell) > 0 && strings.ContainsAny(string([]rune(string(cell))[0]), "=+-@\t\r＝＋－＠") {
				t.Errorf("a cell begins with %q", cell[:1])
			}
		}
	}
	all := strings.Join(cells(t, export.HXL, data), "\n")
	for _, text := range formulas {
		if !strings.Contains(all, "full_name="+text+"|") {
			t.Errorf("%q did not come back", text)
		}
	}
}

func TestSealedFieldsAreThereOnlyWhenNamed(t *testing.T) {
	s := camp(t)
	secrets := map[string]string{"+254700000123": "phone", "A1234567": "document.passport", "behind the mill": "address", "S 12": "ext.shelter", "REFUGEE": "residence"}
	for _, form := range []export.Form{export.XLSX, export.HXL} {
		data, sum := write(t, s, export.Options{Form: form})
		all := strings.Join(cells(t, form, data), "\n")
		for secret, field := range secrets {
			if strings.Contains(all, secret) {
				t.Errorf("%s: holds %s", form, field)
			}
			one, _ := write(t, s, export.Options{Form: form, Fields: []string{field}})
			named := strings.Join(cells(t, form, one), "\n")
			if !strings.Contains(named, secret) {
				t.Errorf("%s: %s was named and is not there", form, field)
			}
			if strings.Contains(named, "محمد") {
				t.Errorf("%s: only %s was named, and the name is there", form, field)
			}
		}
		if strings.Contains(all, "SOM") || slices.Contains(sum.Fields, "origin") {
			t.Errorf("%s: holds the origin", form)
		}
		if strings.Contains(all, "Nobody Any More") || sum.LeftOut[export.LeftClosed] != 1 {
			t.Errorf("%s: holds the dead: %v", form, sum.LeftOut)
		}
	}
}

func TestEveryExportIsWrittenDown(t *testing.T) {
	s := camp(t)
	plain := s.Len(registry.KindHousehold) - 2 // those of one person
	_, sum := write(t, s, export.Options{Form: export.HXL, Fields: []string{"sex", "pcode"}})
	if sum.Households != 1+plain || sum.People != 4+plain || sum.LeftOut[export.LeftCounted] != 1 {
		t.Errorf("%+v", sum)
	}
	notes := s.Notes()
	last := notes[len(notes)-1]
	if last.Action != "registry.export" || last.Reason != "copy: monthly list; for own use" || !strings.Contains(last.Detail, fmt.Sprintf("people=%d ", 4+plain)) ||
		!strings.Contains(last.Detail, "fields=household_id,person_id,sex,pcode") || last.Digest == [32]byte{} || last.Check() != nil && last.Actor.ID != "" {
		t.Errorf("%+v", last)
	}
	_, sum = write(t, s, export.Options{Form: export.XLSX, Fields: everything()})
	if sum.Households != 2+plain {
		t.Errorf("%+v", sum)
	}
	full := errors.New("the disk is full")
	s.FailBefore = full
	_, err := export.Write(ctx, s, clerk, export.Options{Form: export.HXL, Reason: "a", Use: rights.Use{Purpose: rights.Copy}}, new(bytes.Buffer))
	if !errors.Is(err, full) {
		t.Errorf("without its audit entry: %v", err)
	}
}

func TestExportsThatAreRefused(t *testing.T) {
	s := camp(t)
	good := export.Options{Form: export.HXL, Reason: "a list", Use: rights.Use{Purpose: rights.Copy}}
	for name, c := range map[string]struct {
		change func(*export.Options)
		want   string
	}{
		"no reason":                 {func(o *export.Options) { o.Reason = " " }, "a reason"},
		"a novel":                   {func(o *export.Options) { o.Reason = strings.Repeat("because ", 50) }, "a reason"},
		"for nothing":               {func(o *export.Options) { o.Use = rights.Use{} }, "needs an agreement"},
		"for others without one":    {func(o *export.Options) { o.Use.Purpose = rights.Payment }, "name the agreement"},
		"under none that is there":  {func(o *export.Options) { o.Use = rights.Use{Agreement: "b-1"} }, "no such agreement"},
		"no form":                   {func(o *export.Options) { o.Form = "pdf" }, `"pdf"`},
		"an unknown field":          {func(o *export.Options) { o.Fields = []string{"religion"} }, `"religion"`},
		"a photo":                   {func(o *export.Options) { o.Fields = []string{"photo"} }, `"photo"`},
		"a field twice":             {func(o *export.Options) { o.Fields = []string{"sex", "sex"} }, "twice"},
		"a column without name":     {func(o *export.Options) { o.Fields = []string{"ext."} }, "needs the name"},
		"a column in RRF":           {func(o *export.Options) { o.Form, o.Fields = export.RRF, []string{"ext.a"} }, "no place"},
		"a programme without round": {func(o *export.Options) { o.Programme = "K7Q2" }, "round"},
		"nobody is due anything":    {func(o *export.Options) { o.Programme, o.Round = "K7Q2", 1 }, "nobody"},
	} {
		opt := good
		c.change(&opt)
		if _, err := export.Write(ctx, s, clerk, opt, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := export.Write(ctx, s, access.Actor{}, good, new(bytes.Buffer)); err == nil {
		t.Error("by nobody")
	}
	full := errors.New("no space")
	for _, form := range []export.Form{export.XLSX, export.HXL, export.RRF} {
		opt := good
		opt.Form = form
		if _, err := export.Write(ctx, s, clerk, opt, brokenPipe{full}); !errors.Is(err, full) {
			t.Errorf("%s, into a full disk: %v", form, err)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := export.Write(stopped, s, clerk, good, new(bytes.Buffer)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

type brokenPipe struct{ err error }

func (b brokenPipe) Write([]byte) (int, error) { return 0, b.err }

func TestOnlyThoseOfARound(t *testing.T) {
	s := camp(t)
	id := func(kind registry.Kind, external string) (id registry.ID) {
		t.Helper()
		if err := s.View(ctx, func(v registry.View) (err error) {
			id, _, err = v.Find(kind, "", external)
			return err
		}); err != nil || id.IsZero() {
			t.Fatal(external, err)
		}
		return id
	}
	due := func(e registry.Entitlement) {
		t.Helper()
		if err := s.Update(ctx, clerk, func(tx registry.Tx) error {
			_, err := tx.SaveEntitlement(e)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	due(registry.Entitlement{Unit: id(registry.KindHousehold, "H-2"), Programme: "K7Q2", Round: 1, Status: registry.Planned})
	due(registry.Entitlement{Unit: id(registry.KindPerson, "P-2"), Programme: "K7Q2", Round: 1, Status: registry.Planned})
	due(registry.Entitlement{Unit: id(registry.KindPerson, "A-1"), Programme: "K7Q2", Round: 1, Status: registry.Cancelled})
	_, sum := write(t, s, export.Options{Form: export.XLSX, Programme: "K7Q2", Round: 1})
	if sum.Households != 2 || sum.People != 1 { // P-2's household is there for her
		t.Errorf("%+v", sum)
	}
}

func TestPeopleWithoutANumberGetANewOneInEachFile(t *testing.T) {
	s := &registrytest.Store{Now: func() time.Time { return now }}
	id := putPerson(t, s, "", registry.ID{}, registry.Person{Names: named("Hodan")})
	seen := map[string]bool{}
	for range 3 {
		data, _ := write(t, s, export.Options{Form: export.HXL})
		if strings.Contains(string(data), id.String()) {
			t.Fatal("the record's own id is in the file")
		}
		row := cells(t, export.HXL, data)[0]
		_, ref, _ := strings.Cut(row, "person_id=")
		ref, _, _ = strings.Cut(ref, "|")
		if !strings.HasPrefix(ref, "x-") || seen[ref] {
			t.Errorf("goes by %q", ref)
		}
		seen[ref] = true
	}
}
