package rollcall_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
	"aidpass/issuer/rollcall"
)

const code = "VER-2026-03"

var clerk = access.Actor{ID: "clerk", Role: access.Registrar}

// store is a register in memory that counts the lists that left it.
type store struct {
	registrytest.Store
	about [][]registry.ID
}

func (s *store) Cards(context.Context, issuer.Selection) ([]issuer.Card, error) { return nil, nil }

func (s *store) FindCredentials(context.Context, string) ([]issuer.Credential, error) {
	return nil, nil
}

func (s *store) Note(context.Context, access.Actor, access.Entry) error { return nil }

func (s *store) NoteAbout(_ context.Context, by access.Actor, _ access.Entry, about []registry.ID) error {
	s.about = append(s.about, about)
	return by.Check()
}

type table struct {
	*testing.T
	clock time.Time
	store *store
	desk  *rollcall.Desk
	homes []registry.ID
}

func (w *table) now() time.Time { return w.clock }

var names = []string{"Amina Yusuf", "Élodie Nkurunziza", "محمد الأحمد", "Zed Okello", "አበበ ቢቂላ"}

// newTable is an open exercise of two desks with n households, each with a head.
func newTable(t *testing.T, n int) *table {
	t.Helper()
	w := &table{T: t, clock: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	w.store = &store{Store: registrytest.Store{Now: w.now}}
	w.desk = &rollcall.Desk{Exercises: &exercise.Desk{Store: w.store, Now: w.now}, People: &records.Desk{Store: w.store, Country: "KEN", Now: w.now},
		Read: func(_ context.Context, _, name string, b []byte, opt roster.Options) (*roster.File, error) {
			return roster.Read(name, b, opt)
		}}
	r := &registry.Registry{Store: w.store, Actor: clerk, Now: w.now}
	for i := range n {
		site := ""
		if i == 0 {
			site = "desk b"
		}
		home, err := r.EnterHousehold(t.Context(), "", fmt.Sprintf("HH-%d", i+1), registry.Household{Size: i%7 + 1, CollectType: "full", Location: &registry.Location{PCode: "KE007001", Site: site}})
		if err == nil {
			name, _ := registry.ParseName(names[i%len(names)], registry.Official)
			_, err = r.Enter(t.Context(), registry.Entry{Household: home.ID, Person: registry.Person{Names: []registry.Name{name}, Relation: registry.Head}})
		}
		if err != nil {
			t.Fatal(err)
		}
		w.homes = append(w.homes, home.ID)
	}
	_, err := w.desk.Exercises.Make(t.Context(), clerk, exercise.Exercise{Code: code, Title: "Camp North", Opens: "2026-11-23", Closes: "2026-11-27", Desks: []string{"Desk A", "Desk B"}})
	if err == nil {
		_, err = w.desk.Exercises.Open(t.Context(), clerk, code)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *table) list(c rollcall.Choice) rollcall.List {
	w.Helper()
	l, err := w.desk.List(w.Context(), clerk, code, c)
	if err != nil {
		w.Fatal(err)
	}
	return l
}

// filled is a workbook in which cells were typed: A1 and what stands there.
func filled(t *testing.T, book []byte, cells map[string]string) []byte {
	t.Helper()
	x, err := excelize.OpenReader(bytes.NewReader(book))
	if err != nil {
		t.Fatal(err)
	}
	for cell, value := range cells {
		if strings.HasPrefix(value, "=") {
			err = x.SetCellFormula("List", cell, value)
		} else {
			err = x.SetCellStr("List", cell, value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *table) outcome(i int) exercise.Invited {
	w.Helper()
	got, _, err := w.desk.Exercises.Invited(w.Context(), code, w.homes[i])
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// lineOf is the row of a household in a list, as the spreadsheet counts.
func (w *table) lineOf(l rollcall.List, i int) string {
	w.Helper()
	at := slices.IndexFunc(l.Lines, func(x rollcall.Line) bool { return x.Ref == rollcall.Ref(code, w.homes[i]) })
	if at < 0 {
		w.Fatalf("household %d is on no line", i+1)
	}
	return strconv.Itoa(at + 2)
}

// A list goes out, is filled in, and comes back in every language; the same file again
// changes nothing, whoever brings it.
func TestAListGoesOutAndComesBack(t *testing.T) {
	w := newTable(t, 8)
	l := w.list(rollcall.Choice{Desk: "Desk A", Names: true, Lang: "en", Reason: "no network"})
	if len(l.Lines) != 7 || len(w.store.about) != 1 || len(w.store.about[0]) != 7 {
		t.Fatalf("%d lines, log %v: who stays at desk B's site comes there", len(l.Lines), w.store.about)
	}
	if w.list(rollcall.Choice{Desk: "Desk B"}).Lines[0].Name != "" {
		t.Error("a list without names has one")
	}
	byNumber := w.list(rollcall.Choice{Desk: "Desk B", Names: true, ByNumber: true})
	for i := range byNumber.Lines {
		if byNumber.Lines[i].Number != fmt.Sprintf("HH-%d", i+1) {
			t.Errorf("line %d is %s", i, byNumber.Lines[i].Number)
		}
	}
	for n, lang := range []string{"en", "fr", "es", "ar", "sw"} {
		book, err := l.Workbook(lang)
		if err != nil {
			t.Fatal(err)
		}
		i := n + 1
		row := w.lineOf(l, i)
		how := map[string]string{"en": "By phone", "ar": "حضوريًا"}[lang]
		b := filled(t, book, map[string]string{"F" + row: "x", "J" + row: how, "K" + row: "2026-11-23"})
		got, f, err := w.desk.Take(t.Context(), clerk, code, "list.xlsx", "", b)
		if err != nil || got.Marks != 1 || got.Empty != 6 {
			t.Fatalf("%s: %+v %+v %v", lang, got, f.Findings, err)
		}
		if o := w.outcome(i); o.Outcome != exercise.Seen || o.Desk != "Desk A" || lang == "en" && o.How != registry.ByPhone {
			t.Errorf("%s: %+v", lang, o)
		}
		other := access.Actor{ID: "other", Role: access.Registrar}
		if got, _, err = w.desk.Take(t.Context(), other, code, "list.xlsx", "", b); err != nil || got.Marks != 0 || got.Same != 1 {
			t.Errorf("%s again: %+v %v", lang, got, err)
		}
	}
	// Desk B has met one of them as well, a day later: both stay, the earliest counts, and it is told.
	book, _ := byNumber.Workbook("en")
	w.clock = w.clock.AddDate(0, 0, 1)
	row := w.lineOf(byNumber, 1)
	got, f, err := w.desk.Take(t.Context(), clerk, code, "list.xlsx", "other", filled(t, book, map[string]string{"G" + row: "x", "K" + row: "2026-11-24", "L" + row: "+254 712 345 678"}))
	if err != nil || got.Marks != 1 || got.Also != 1 || got.Phones != 1 {
		t.Fatalf("%+v %+v %v", got, f.Findings, err)
	}
	if o := w.outcome(1); o.Desk != "Desk A" || o.Twice != 1 {
		t.Errorf("%+v", o)
	}
	form, err := w.desk.People.Edit(t.Context(), clerk, w.homes[1], registry.KindHousehold)
	if err != nil || form.Values["phone"] != "+254712345678" {
		t.Errorf("phone %q, %v", form.Values["phone"], err)
	}
	// The record has another telephone since, and somebody hands the list in once more.
	w.clock = w.clock.Add(time.Hour)
	if out, err := w.desk.People.Save(t.Context(), clerk, w.homes[1], registry.KindHousehold, form.Seen, map[string]string{"phone": "+254700000001"}, "phone"); err != nil || len(out.Set) == 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	got, _, err = w.desk.Take(t.Context(), clerk, code, "list.xlsx", "other", filled(t, book, map[string]string{"G" + row: "x", "K" + row: "2026-11-24", "L" + row: "+254 712 345 678"}))
	if form, _ := w.desk.People.Edit(t.Context(), clerk, w.homes[1], registry.KindHousehold); err != nil || got.Phones != 0 || form.Values["phone"] != "+254700000001" {
		t.Errorf("an old list has brought an old telephone back: %q, %+v, %v", form.Values["phone"], got, err)
	}
}

// Whatever is wrong in a file is named by row and column, and then nothing of it is taken.
func TestAListWithAFaultIsNotTaken(t *testing.T) {
	w := newTable(t, 4)
	l := w.list(rollcall.Choice{Desk: "Desk B", Names: true, ByNumber: true})
	book, err := l.Workbook("en")
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{"F2": "x", "K2": "2026-11-23"}
	for name, c := range map[string]struct {
		cells map[string]string
		want  rollcall.Finding
	}{
		"another exercise":   {map[string]string{"A3": "VER-2025-01/Desk B", "F3": "x", "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Column: "A", Code: rollcall.OtherList}},
		"another desk":       {map[string]string{"A3": code + "/Desk Z", "F3": "x", "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Column: "A", Code: rollcall.NoDesk}},
		"nobody":             {map[string]string{"B3": "AAAA-AAAA-AAAA", "F3": "x", "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Column: "B", Code: rollcall.Unknown}},
		"twice":              {map[string]string{"B3": l.Lines[0].Ref, "F3": "x", "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Column: "B", Code: rollcall.Twice, Other: 2}},
		"seen and absent":    {map[string]string{"F3": "x", "H3": "x", "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Code: rollcall.Several}},
		"no box":             {map[string]string{"K3": "2026-11-23"}, rollcall.Finding{Row: 3, Code: rollcall.NoBox}},
		"a note for a tick":  {map[string]string{"F3": "maybe", "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Column: "F", Code: rollcall.BadTick}},
		"by drum":            {map[string]string{"F3": "x", "J3": "drum", "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Column: "J", Code: rollcall.BadHow}},
		"absent by phone":    {map[string]string{"H3": "x", "J3": "By phone", "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Column: "J", Code: rollcall.AbsentHow}},
		"no day":             {map[string]string{"F3": "x"}, rollcall.Finding{Row: 3, Column: "K", Code: rollcall.NoDay}},
		"no such day":        {map[string]string{"F3": "x", "K3": "23/11"}, rollcall.Finding{Row: 3, Column: "K", Code: rollcall.BadDay}},
		"a day ahead":        {map[string]string{"F3": "x", "K3": "2026-11-24"}, rollcall.Finding{Row: 3, Column: "K", Code: rollcall.OutsideDay}},
		"no phone":           {map[string]string{"F3": "x", "K3": "2026-11-23", "L3": "ask her"}, rollcall.Finding{Row: 3, Column: "L", Code: rollcall.BadPhone}},
		"a formula":          {map[string]string{"F3": `=IF(1,"x","")`, "K3": "2026-11-23"}, rollcall.Finding{Row: 3, Column: "F", Code: rollcall.Formula}},
		"a heading is wrong": {map[string]string{"K1": "When?"}, rollcall.Finding{Code: rollcall.Columns}},
	} {
		cells := maps.Clone(good)
		maps.Copy(cells, c.cells)
		_, f, err := w.desk.Take(t.Context(), clerk, code, "list.xlsx", "", filled(t, book, cells))
		if !errors.Is(err, rollcall.ErrFindings) || !slices.Contains(f.Findings, c.want) {
			t.Errorf("%s: %+v, %v", name, f.Findings, err)
		}
		if o := w.outcome(0); o.Outcome != exercise.Waiting {
			t.Fatalf("%s: half of it was taken", name)
		}
	}
	var refused *roster.FileError
	if _, _, err := w.desk.Take(t.Context(), clerk, code, "list.xlsx", "", []byte("PK\x03\x04 no workbook")); !errors.As(err, &refused) {
		t.Errorf("no workbook: %v", err)
	}
	if _, _, err := w.desk.Take(t.Context(), clerk, "VER-1", "list.xlsx", "", book); !errors.Is(err, exercise.ErrNone) {
		t.Errorf("no exercise: %v", err)
	}
	if got, f, err := w.desk.Take(t.Context(), clerk, code, "list.xlsx", "", filled(t, book, map[string]string{"F2": "✓", "K2": "٢٠٢٦-١١-٢٣"})); err != nil || got.Marks != 1 {
		t.Errorf("digits of another script: %+v %v", f.Findings, err)
	}
	w.clock = w.clock.Add(time.Hour) // it is the next day where days begin first
	if got, f, err := w.desk.Take(t.Context(), clerk, code, "list.xlsx", "", filled(t, book, map[string]string{"F3": "x", "K3": "2026-11-24"})); err != nil || got.Marks != 1 {
		t.Errorf("today east of UTC: %+v %v", f.Findings, err)
	}
}

// Of an exercise of one day a row needs no day, and its heading shows one on which it is taken.
// A day that was typed is read as strictly as ever.
func TestAListOfOneDayNeedsNoDays(t *testing.T) {
	w := newTable(t, 3)
	const one = "VER-2026-04"
	_, err := w.desk.Exercises.Make(t.Context(), clerk, exercise.Exercise{Code: one, Opens: "2026-11-23", Closes: "2026-11-23", Desks: []string{"Desk A"}})
	if err == nil {
		_, err = w.desk.Exercises.Open(t.Context(), clerk, one)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "fr", "es", "ar", "sw"} {
		l, err := w.desk.List(t.Context(), clerk, one, rollcall.Choice{Desk: "Desk A", Lang: lang})
		if err != nil {
			t.Fatal(err)
		}
		l.Exercise.Opens = "2027-01-31" // as a list of another exercise has it
		book, err := l.Workbook(lang)
		if err != nil {
			t.Fatal(err)
		}
		x, err := excelize.OpenReader(bytes.NewReader(book))
		if err != nil {
			t.Fatal(err)
		}
		if head, _ := x.GetCellValue("List", "K1"); !strings.HasSuffix(head, " 2027-01-31") {
			t.Errorf("%s: %q", lang, head)
		}
		f, err := w.desk.Check(t.Context(), clerk, one, "list.xlsx", filled(t, book, map[string]string{"F2": "x"}))
		if err != nil || len(f.Marks) != 1 || f.Marks[0].Event.When.Format(time.DateOnly) != "2026-11-23" {
			t.Errorf("%s: %+v %v", lang, f, err)
		}
		f, err = w.desk.Check(t.Context(), clerk, one, "list.xlsx", filled(t, book, map[string]string{"F2": "x", "K2": "2026-11-22"}))
		if want := (rollcall.Finding{Row: 2, Column: "K", Code: rollcall.OutsideDay}); err != nil || !slices.Contains(f.Findings, want) {
			t.Errorf("%s: %+v %v", lang, f.Findings, err)
		}
		if f, err = w.desk.Check(t.Context(), clerk, one, "list.xlsx", filled(t, book, map[string]string{"F2": "x", "K1": "When? 2026-11-23"})); err != nil || f.Found == 0 {
			t.Errorf("%s: a heading of nobody: %+v %v", lang, f, err)
		}
	}
}

func daily(w *table) exercise.Daily {
	w.Helper()
	for i, o := range []exercise.Outcome{exercise.Seen, exercise.Seen, exercise.Updated, exercise.Absent, exercise.Refused} {
		ev := exercise.Event{Outcome: o, Desk: "Desk A", When: w.clock}
		if o == exercise.Updated {
			ev.Changed, ev.Fields, ev.How = []string{"names"}, 5, registry.ByPhone
		}
		if _, err := w.desk.Exercises.Mark(w.Context(), clerk, code, w.homes[i], ev); err != nil {
			w.Fatal(err)
		}
	}
	d, err := w.desk.Exercises.Daily(w.Context(), code, "", "")
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// The shares of a report are of who was seen, and its sums are those of its rows.
func TestAReportCountsWhoWasSeen(t *testing.T) {
	w := newTable(t, 9)
	d := daily(w)
	for _, lang := range []string{"en", "fr", "es", "ar", "sw"} {
		r := rollcall.Report{Daily: d, Lang: lang, House: "Relief A", At: w.clock}
		page, err := r.HTML()
		if err != nil {
			t.Fatal(err)
		}
		html := string(page)
		for _, want := range []string{"<bdi>33.3</bdi>", `lang="` + lang + `"`, rollcall.Words(lang)["report.level"], rollcall.Words(lang)["report.base"], "<bdi>clerk</bdi>", "<svg"} {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %q", lang, want)
			}
		}
		for _, out := range []string{"<script", "http:", "https:", "src=", "Amina"} {
			if strings.Contains(html, out) {
				t.Errorf("%s: the page has %q", lang, out)
			}
		}
		f, err := r.PDF(t.Context())
		if err == nil {
			err = print.Prove(t.Context(), f, nil)
		}
		if err != nil || len(f.Stopped) > 0 {
			t.Errorf("%s: %v %v", lang, f.Stopped, err)
		}
		look(t, "daily-"+lang, f.PDF)
	}
	d.Rows[0].Desk = "=1+1"
	r := rollcall.Report{Daily: d, Lang: "en"}
	b, err := r.CSV()
	if err != nil || !strings.Contains(string(b), ",'=1+1,") || strings.Count(string(b), "\n") != 3 || !strings.Contains(string(b), "total,,,3,2,1,33.3,5,1,1,1,") {
		t.Errorf("%s %v", b, err)
	}
	if _, err := (&rollcall.Report{Daily: d, Lang: "xx"}).HTML(); err == nil {
		t.Error("a language that nobody wrote")
	}
}

// Paper: the list with names of every script, and the poster with nobody's.
func TestListsAndPostersOnPaper(t *testing.T) {
	w := newTable(t, 45)
	for _, lang := range []string{"en", "fr", "es", "ar", "sw"} {
		l := w.list(rollcall.Choice{Desk: "Desk B", Names: true, Lang: lang})
		f, err := l.PDF(t.Context(), lang)
		if err == nil {
			err = print.Prove(t.Context(), f, nil)
		}
		if err != nil || len(f.Stopped) > 0 || f.Pages < 3 {
			t.Errorf("%s: %d pages %v %v", lang, f.Pages, f.Stopped, err)
		}
		look(t, "list-"+lang, f.PDF)
		o := rollcall.Poster{Exercise: l.Exercise, House: "Relief A", Until: time.Date(2026, 12, 28, 0, 0, 0, 0, time.UTC)}
		texts, err := o.Texts(lang)
		if err != nil || len(texts) != 7 || texts[6] != "Relief A" {
			t.Fatal(texts, err)
		}
		message, err := o.Message(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range append(texts, message) {
			if strings.ContainsAny(text, "{}") || strings.Contains(text, "Amina") {
				t.Errorf("%s: %s", lang, text)
			}
		}
		if f, err = o.PDF(t.Context(), lang); err == nil {
			err = print.Prove(t.Context(), f, nil)
		}
		if err != nil || f.Pages != 1 {
			t.Errorf("%s: %d pages, %v", lang, f.Pages, err)
		}
		look(t, "poster-"+lang, f.PDF)
	}
}

// look leaves a file where AIDPASS_LOOK says, for eyes.
func look(t *testing.T, name string, b []byte) {
	if dir := os.Getenv("AIDPASS_LOOK"); dir != "" {
		if err := os.WriteFile(dir+"/"+name+".pdf", b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Every language has every word, and no two columns have one heading in any two languages.
func TestWordsOfLists(t *testing.T) {
	keys := slices.Sorted(maps.Keys(rollcall.Words("en")))
	columns := map[string]string{}
	for _, lang := range []string{"en", "fr", "es", "ar", "sw"} {
		words := rollcall.Words(lang)
		if got := slices.Sorted(maps.Keys(words)); !slices.Equal(got, keys) {
			t.Errorf("%s has %v", lang, got)
		}
		for _, key := range []string{"list", "line", "number", "name", "size", "seen", "updated", "absent", "refused", "how", "when", "new_phone"} {
			head := strings.ToLower(words["col."+key])
			if other := columns[head]; other != "" && other != key {
				t.Errorf("%s: %q is %s and %s", lang, head, key, other)
			}
			columns[head] = key
		}
		for _, key := range []string{"in_person", "phone", "remote"} {
			if strings.ContainsAny(words["col."+key], `,"`) {
				t.Errorf("%s: %q cannot be chosen from", lang, words["col."+key])
			}
		}
	}
	if rollcall.Words("xx") != nil {
		t.Error("words of no language")
	}
}

func TestFileName(t *testing.T) {
	for _, c := range [][3]string{{"VER-2026-03", "Desk A", "ver-2026-03-desk-a.xlsx"}, {"VER-1", "مكتب", "ver-1.xlsx"}, {"..", "/etc", "etc.xlsx"}} {
		if got := rollcall.FileName("xlsx", c[0], c[1]); got != c[2] {
			t.Errorf("%q", got)
		}
	}
}

// A workbook is not laid at the door of somebody who has no account.
func TestAListOfNobodysIsNotTaken(t *testing.T) {
	w := newTable(t, 2)
	w.desk.Exercises.Account = func(_ context.Context, id string) (bool, error) { return id == "other", nil }
	l := w.list(rollcall.Choice{Desk: "Desk A"})
	book, _ := l.Workbook("en")
	b := filled(t, book, map[string]string{"F" + w.lineOf(l, 1): "x", "K" + w.lineOf(l, 1): "2026-11-23"})
	for who, want := range map[string]int{"ghost": 1, "other": 0} {
		if _, f, err := w.desk.Take(t.Context(), clerk, code, "list.xlsx", who, b); f.Found != want || (err != nil) != (want > 0) {
			t.Errorf("%s: %+v, %v", who, f.Findings, err)
		}
	}
}
