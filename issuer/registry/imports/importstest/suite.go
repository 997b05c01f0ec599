package importstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/accesstest"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// Parts are the stores of one organisation.
type Parts struct {
	Imports  imports.Store
	Registry registry.Store
	Access   access.Store
}

// An Open makes the empty stores of a new organisation. now is the clock of its log.
type Open func(t testing.TB, org string, now func() time.Time) Parts

// Run runs the suite: what a Desk promises, on these stores.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *World)
	}{
		{"two people take a list in, and nobody alone", testWay},
		{"a mend lies over the file and says whose it is", testMend},
		{"nobody approves what they loaded or mended", testMakers},
		{"a stop between asking and noting it leaves nothing stuck", testAskedAndStopped},
		{"what was approved and fails comes to an end", testFails},
		{"what changed is not approved", testChanged},
		{"who is refused may mend and ask again", testRefused},
		{"two editors do not overwrite each other", testVersions},
		{"a stop loses nothing and doubles nobody", testStop},
		{"a register that changed is asked again", testRegisterChanged},
		{"what is approved is every value, and not how many", testOtherValues},
		{"a file is read by the plan of the one before", testKnownPlan},
		{"rejected rows come back as a file", testRejects},
		{"doubles are shown side by side and told", testDoubles},
		{"a file that is withdrawn or too old is destroyed", testGone},
		{"organisations do not see each other", testApart},
		{"what was written is taken back by two, but for what was built on", testUndo},
		{"a change without an entry is none", testNoEntry},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, NewWorld(t, open)) })
	}
}

var ctx = context.Background()

// A World is one organisation's desk, with two who work at it.
type World struct {
	*accesstest.World
	Parts
	Desk         *imports.Desk
	Amina, Bilal *access.Session // a registrar, an approver
	open         Open
	failed       error // of the newest Apply
}

// NewWorld opens an organisation.
func NewWorld(t testing.TB, open Open) *World {
	t.Helper()
	w := &World{open: open}
	w.World = accesstest.NewWorld(t, func(t testing.TB, org string, now func() time.Time) access.Store {
		w.Parts = open(t, org, now)
		return w.Parts.Access
	})
	w.Desk = w.desk()
	w.Door.Handle(access.ImportSubmit, w.Desk.Executor())
	w.Door.Handle(access.ImportUndo, w.Desk.Undoer())
	w.Amina, w.Bilal = w.in(t, "amina", access.Registrar), w.in(t, "bilal", access.Approver)
	return w
}

// desk writes at once what is approved.
func (w *World) desk() *imports.Desk {
	d := &imports.Desk{Store: w.Imports, Registry: w.Registry, Register: w.Registry.(imports.Register), Door: w.Door, Country: "KEN", Now: func() time.Time { return w.Now }}
	d.Begin = func(m imports.Import) error {
		_, w.failed = d.Apply(ctx, m.ID, nil)
		return nil
	}
	return d
}

func (w *World) in(t testing.TB, id string, role access.Role) *access.Session {
	t.Helper()
	ticket := w.Join(t, id, role)
	s, err := w.Door.Session(ctx, ticket.Token)
	must(t, err)
	return s
}

func (w *World) by() access.Actor { return w.Amina.Actor(access.ImportCheck) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// list is a CSV of so many people with a wrong birth date in the second.
func list(people int, bad string) []byte {
	var b bytes.Buffer
	b.WriteString("individual_id,full_name,sex,birth_date,consent\n")
	for n := range people {
		born := fmt.Sprintf("19%02d-03-04", 60+n%30)
		if n == 1 && bad != "" {
			born = bad
		}
		fmt.Fprintf(&b, "P-%04d,Halima %s,f,%s,yes\n", n, strings.Repeat("na", n%7+1)+fmt.Sprint("bo", string(rune('a'+n%26))), born)
	}
	return b.Bytes()
}

func (w *World) load(t testing.TB, b []byte) imports.Import {
	t.Helper()
	m, _, err := w.Desk.Load(ctx, w.by(), "list.csv", b, imports.Options{})
	must(t, err)
	return m
}

func (w *World) check(t testing.TB, m imports.Import) imports.Import {
	t.Helper()
	m, err := w.Desk.Check(ctx, w.by(), m.ID, m.Version)
	must(t, err)
	return m
}

func (w *World) submit(t testing.TB, m imports.Import) imports.Import {
	t.Helper()
	m, err := w.Desk.Submit(ctx, w.Amina, m.ID, m.Version, "")
	must(t, err)
	return m
}

func (w *World) approve(m imports.Import) error {
	_, err := w.Door.Approve(ctx, w.Bilal, m.Review.Approval, m.Review.Hash, nil)
	return err
}

// people are the numbers of the list's people who are in the register.
func (w *World) people(t testing.TB) (n int) {
	t.Helper()
	must(t, w.Registry.View(ctx, func(v registry.View) error {
		ids, err := v.Units(registry.KindPerson, registry.ID{}, 10_000)
		n = len(ids)
		return err
	}))
	return n
}

func (w *World) show(t testing.TB, id string) imports.Import {
	t.Helper()
	m, err := w.Desk.Show(ctx, id)
	must(t, err)
	return m
}

func testWay(t *testing.T, w *World) {
	m := w.load(t, list(5, "32/13/1988"))
	if m.State != imports.Loaded || m.By != "amina" || m.Counts != nil {
		t.Fatalf("%+v", m)
	}
	_, err := w.Desk.Submit(ctx, w.Amina, m.ID, m.Version, "")
	want(t, "an unchecked list is submitted", err, imports.ErrState)
	if m = w.check(t, m); m.State != imports.Checked || m.Counts.Rows != 5 || m.Counts.Good+m.Counts.Warned+m.Counts.Bad != 5 || m.Counts.Good == 5 {
		t.Fatalf("%+v", m.Counts)
	}
	_, err = w.Desk.Submit(ctx, w.Bilal, m.ID, m.Version, "")
	want(t, "an approver submits", err, access.ErrNotAllowed)
	m = w.submit(t, m)
	if m.State != imports.InReview || w.people(t) != 0 {
		t.Fatalf("%s, %d people", m.State, w.people(t))
	}
	_, err = w.Door.Approve(ctx, w.Amina, m.Review.Approval, m.Review.Hash, nil)
	want(t, "who asked approves", err, access.ErrOwnApproval)
	_, err = w.Desk.Apply(ctx, m.ID, nil)
	want(t, "what nobody approved is written", err, imports.ErrState)
	must(t, w.approve(m))
	w.wait(t, m.ID, imports.Applied)
	if n := w.people(t); n != m.Counts.New || n == 0 {
		t.Errorf("%d people, %d were approved", n, m.Counts.New)
	}
	must(t, w.approve(m)) // the same approval again
	if n := w.people(t); n != m.Counts.New {
		t.Errorf("%d people after the same approval again", n)
	}
	_, err = w.Desk.Mend(ctx, w.by(), m.ID, w.show(t, m.ID).Version, []roster.Mend{{Row: 3, Column: "full_name", Value: "X"}})
	want(t, "what is in the register is mended", err, imports.ErrState)

	// The same file once more: nothing new, and nothing that was not said.
	again := w.check(t, w.load(t, list(5, "32/13/1988")))
	if again.Counts.New != 0 || again.Counts.Updated != 0 || again.Counts.Earlier.IsZero() {
		t.Errorf("the same file again: %+v", again.Counts)
	}
	id, err := registry.ParseID(m.ID)
	must(t, err)
	must(t, w.Desk.Issued(ctx, w.by(), id))
	must(t, w.Desk.Issued(ctx, w.by(), registry.NewID()))
	if got := w.show(t, m.ID).State; got != imports.Issued {
		t.Errorf("issued is %s", got)
	}
}

// wait holds an import, which Begin wrote, against a state.
func (w *World) wait(t testing.TB, id string, s imports.State) {
	t.Helper()
	if got := w.show(t, id).State; got != s {
		t.Fatalf("the import is %s, want %s: %v", got, s, w.failed)
	}
}

func testMend(t *testing.T, w *World) {
	b := list(5, "32/13/1988")
	m := w.check(t, w.load(t, b))
	found, total, kinds, err := w.Desk.Findings(ctx, w.by(), m.ID, imports.Which{}, 0, 50)
	must(t, err)
	i := slices.IndexFunc(found, func(f imports.Finding) bool { return f.Row == 3 && f.Column == "birth_date" })
	if i < 0 || total != len(found) || len(kinds) == 0 || found[i].Cell != "32/13/1988" || found[i].Mended || found[i].Fix == "" {
		t.Fatalf("%+v", found)
	}
	for name, bad := range map[string]roster.Mend{"no column": {Row: 3, Column: "none", Value: "x"}, "no table": {Table: "none", Row: 3, Column: "sex"}, "no row": {Row: 99, Column: "sex", Value: "f"}} {
		if _, err := w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{bad}); err == nil {
			t.Errorf("%s: mended", name)
		}
	}
	mended, err := w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{{Row: 3, Column: "birth_date", Value: "1988-12-30"}, {Row: 4, Out: true}})
	must(t, err)
	if x := mended.Mends[0]; mended.State != imports.Loaded || len(mended.Mends) != 2 || x.Was != "32/13/1988" || x.By != "amina" || x.At.IsZero() {
		t.Fatalf("%+v", mended)
	}
	if found, _, _, err = w.Desk.Findings(ctx, w.by(), m.ID, imports.Which{Row: 3}, 0, 50); err != nil || found[0].Cell != "1988-12-30" || !found[0].Mended {
		t.Errorf("%+v %v", found, err)
	}
	if m = w.check(t, mended); m.Counts.Rows != 4 || m.Counts.Out != 1 {
		t.Errorf("%+v", m.Counts)
	}
	if found, _, _, err = w.Desk.Findings(ctx, w.by(), m.ID, imports.Which{Row: 3}, 0, 50); err != nil || slices.ContainsFunc(found, func(f imports.Finding) bool { return f.Column == "birth_date" }) {
		t.Errorf("mended, and still found: %+v %v", found, err)
	}
	must(t, w.Imports.ReadImports(ctx, func(v imports.View) error {
		if kept, err := v.File(m.ID); err != nil || !bytes.Equal(kept, b) {
			t.Errorf("the file's bytes changed: %v", err)
		}
		return nil
	}))
	// Back to what the file says: no mend is left.
	m, err = w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{{Row: 3, Column: "birth_date", Value: "32/13/1988"}, {Row: 4}})
	must(t, err)
	if len(m.Mends) != 0 {
		t.Errorf("%+v", m.Mends)
	}
}

func testChanged(t *testing.T, w *World) {
	for name, change := range map[string]func(m imports.Import) (imports.Import, error){
		"a mend": func(m imports.Import) (imports.Import, error) {
			return w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{{Row: 2, Column: "full_name", Value: "Somebody Else"}})
		},
		"a mend that is checked": func(m imports.Import) (imports.Import, error) {
			m, err := w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{{Row: 2, Column: "full_name", Value: "Somebody Else"}})
			must(t, err)
			return w.Desk.Check(ctx, w.by(), m.ID, m.Version)
		},
		"the columns": func(m imports.Import) (imports.Import, error) {
			_, _, plan, _, err := w.Desk.Columns(ctx, w.by(), m.ID)
			must(t, err)
			must(t, plan.Set("consent="))
			return w.Desk.Map(ctx, w.by(), m.ID, m.Version, plan, m.Options)
		},
		"the options": func(m imports.Import) (imports.Import, error) {
			_, _, plan, _, err := w.Desk.Columns(ctx, w.by(), m.ID)
			must(t, err)
			return w.Desk.Map(ctx, w.by(), m.ID, m.Version, plan, imports.Options{TakeChanges: true})
		},
		"withdrawn": func(m imports.Import) (imports.Import, error) {
			return w.Desk.Withdraw(ctx, w.by(), m.ID, m.Version, "")
		},
	} {
		m := w.submit(t, w.check(t, w.load(t, slices.Concat(list(4, ""), []byte("P-9"+name+",Zola,f,1970-01-02,yes\n")))))
		now, err := change(m)
		must(t, err)
		want(t, name+": approved", w.approve(m), access.ErrChanged)
		if n := w.people(t); n != 0 || now.State == imports.InReview {
			t.Fatalf("%s: %d people, %s", name, n, now.State)
		}
	}
}

func testRefused(t *testing.T, w *World) {
	m := w.submit(t, w.check(t, w.load(t, list(3, ""))))
	_, err := w.Door.Refuse(ctx, w.Bilal, m.Review.Approval, "row 2 is not she")
	must(t, err)
	m = w.show(t, m.ID)
	if m.State != imports.Refused || m.Why != "row 2 is not she" {
		t.Fatalf("%s %q", m.State, m.Why)
	}
	_, err = w.Desk.Apply(ctx, m.ID, nil)
	want(t, "a refused list is written", err, imports.ErrState)
	m, err = w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{{Row: 2, Out: true}})
	must(t, err)
	m = w.submit(t, w.check(t, m))
	must(t, w.approve(m))
	w.wait(t, m.ID, imports.Applied)
	if n := w.people(t); n != 2 {
		t.Errorf("%d people", n)
	}
	// One that nobody answers can be asked for again.
	m = w.submit(t, w.check(t, w.load(t, list(4, ""))))
	w.Now = w.Now.Add(access.ApprovalLife)
	if m = w.show(t, m.ID); m.State != imports.Checked {
		t.Errorf("after its time: %s", m.State)
	}
}

func testVersions(t *testing.T, w *World) {
	m := w.load(t, list(3, ""))
	w.check(t, m)
	_, err := w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{{Row: 2, Column: "sex", Value: "m"}})
	want(t, "a mend by what is old", err, imports.ErrConflict)
	_, err = w.Desk.Show(ctx, registry.NewID().String())
	want(t, "one that is not there", err, imports.ErrNotFound)
}

func testStop(t *testing.T, w *World) {
	m := w.submit(t, w.check(t, w.load(t, list(400, ""))))
	w.Desk.Begin = nil // a program that stops as soon as it was approved
	must(t, w.approve(m))
	if n := w.people(t); n != 0 || w.show(t, m.ID).State != imports.Approved {
		t.Fatalf("%d people", n)
	}
	stopped, cancel := context.WithCancel(ctx)
	_, err := w.Desk.Apply(stopped, m.ID, func(int, int) error {
		cancel()
		return nil
	})
	want(t, "in the midst", err, context.Canceled)
	end := errors.New("the end")
	_, err = w.Desk.Apply(ctx, m.ID, func(int, int) error { return end })
	want(t, "stopped by who is told", err, end)
	if n := w.people(t); n != 0 {
		t.Errorf("half of a list: %d people", n)
	}
	// Written, and stopped before anybody noted it.
	kept := w.show(t, m.ID)
	_, err = w.Desk.Apply(ctx, m.ID, nil)
	must(t, err)
	w.wait(t, m.ID, imports.Applied)
	must(t, w.Imports.WriteImports(ctx, w.by(), func(tx imports.Tx) error {
		now, err := tx.Import(m.ID)
		must(t, err)
		kept.Version, kept.State = now.Version, imports.Approved
		must(t, tx.Save(kept))
		return tx.Audit(access.Entry{Action: "test"})
	}))
	_, err = w.Desk.Apply(ctx, m.ID, nil)
	must(t, err)
	if n := w.people(t); n != 400 || w.show(t, m.ID).State != imports.Applied {
		t.Errorf("%d people", n)
	}
	must(t, w.Registry.View(ctx, func(v registry.View) error {
		all, err := v.Imports()
		if len(all) != 1 {
			t.Errorf("the register has %d imports", len(all))
		}
		return err
	}))
}

func testRegisterChanged(t *testing.T, w *World) {
	m := w.submit(t, w.check(t, w.load(t, list(6, ""))))
	file, err := roster.Read("x.csv", list(2, ""), roster.Options{})
	must(t, err)
	plan, err := intake.Guess(file)
	must(t, err)
	_, err = intake.Run(ctx, w.Registry, w.by(), plan, file, intake.Options{Now: w.Now, Country: "KEN"})
	must(t, err)
	must(t, w.approve(m))
	w.wait(t, m.ID, imports.Loaded)
	if n := w.people(t); n != 2 || w.show(t, m.ID).Why != "register_changed" {
		t.Errorf("%d people", n)
	}
	if m = w.check(t, w.show(t, m.ID)); m.Counts.New != 4 || m.Why != "" {
		t.Errorf("%+v", m.Counts)
	}
}

// testOtherValues: between approval and writing the same rows become as many new and as
// many changed records, and another value would be written.
func testOtherValues(t *testing.T, w *World) {
	first := w.submit(t, w.check(t, w.load(t, list(3, ""))))
	must(t, w.approve(first))
	w.wait(t, first.ID, imports.Applied)
	more := func(phone string) []byte {
		return []byte("individual_id,full_name,phone,consent\nP-0001," + strings.Split(strings.Split(string(list(3, "")), "\n")[2], ",")[1] + "," + phone + ",yes\nP-9,Zola Kale,+254710203055,yes\n")
	}
	approved := func(phone string) imports.Import {
		t.Helper()
		w.Desk.Begin = nil
		m := w.submit(t, w.check(t, w.load(t, more(phone))))
		if m.Counts.Updated != 1 || m.Counts.New != 1 {
			t.Fatalf("%+v", m.Counts)
		}
		must(t, w.approve(m))
		return w.show(t, m.ID)
	}
	m := approved("+254710203041")
	var her registry.ID
	desk := &registry.Registry{Store: w.Registry, Actor: access.Actor{ID: "desk", Role: access.Registrar}, Now: func() time.Time { return w.Now }}
	must(t, w.Registry.View(ctx, func(v registry.View) (err error) {
		her, _, err = v.Find(registry.KindPerson, "", "P-0001")
		return err
	}))
	edit := func(p registry.Person) {
		t.Helper()
		fields, err := p.Fields()
		must(t, err)
		_, err = desk.Edit(ctx, her, fields, nil)
		must(t, err)
	}
	edit(registry.Person{Origin: "SOM"}) // nothing that the list writes
	w.Now = w.Now.Add(time.Hour)
	file, err := roster.Read("x.csv", bytes.Replace(more("+254710203099"), []byte("P-9,Zola Kale,+254710203055,yes\n"), nil, 1), roster.Options{})
	must(t, err)
	plan, err := intake.Guess(file)
	must(t, err)
	_, err = intake.Run(ctx, w.Registry, w.by(), plan, file, intake.Options{Now: w.Now, Country: "KEN"})
	must(t, err)
	_, err = w.Desk.Apply(ctx, m.ID, nil)
	want(t, "another value", err, imports.ErrChanged)
	m = w.show(t, m.ID)
	if c := m.Changed; m.State != imports.Loaded || c == nil || c.Rows != 1 || len(c.Some) != 1 || c.Some[0] != (intake.Turn{Row: 2, Was: "updated", Now: "updated"}) || w.people(t) != 3 {
		t.Fatalf("%s, %+v, %d people", m.State, c, w.people(t))
	}
	m = w.check(t, m)
	if m.Changed != nil {
		t.Error("what changed is told after the next check")
	}
	// A day later, and edits of what the list does not write: the same is written.
	m = w.submit(t, m)
	w.Now = w.Now.Add(26 * time.Hour)
	edit(registry.Person{Origin: "SSD"})
	fresh := w.in(t, "dana", access.Approver)
	_, err = w.Door.Approve(ctx, fresh, m.Review.Approval, m.Review.Hash, nil)
	must(t, err)
	_, err = w.Desk.Apply(ctx, m.ID, nil)
	must(t, err)
	if w.wait(t, m.ID, imports.Applied); w.people(t) != 4 {
		t.Errorf("%d people", w.people(t))
	}
}

func testKnownPlan(t *testing.T, w *World) {
	m := w.check(t, w.load(t, list(3, "")))
	_, _, plan, open, err := w.Desk.Columns(ctx, w.by(), m.ID)
	must(t, err)
	if open != nil || m.Known {
		t.Fatalf("%v %v", open, m.Known)
	}
	must(t, plan.Set("sex="))
	m, err = w.Desk.Map(ctx, w.by(), m.ID, m.Version, plan, m.Options)
	must(t, err)
	w.check(t, m)
	w.Now = w.Now.Add(time.Hour)
	next := w.load(t, list(7, ""))
	if !next.Known || !bytes.Equal(next.Plan, m.Plan) {
		t.Errorf("known %v:\n%s", next.Known, next.Plan)
	}
	if _, again, err := w.Desk.Load(ctx, w.by(), "other.csv", list(7, ""), imports.Options{}); err != nil || !again {
		t.Errorf("the same bytes: %v %v", again, err)
	}
}

func testRejects(t *testing.T, w *World) {
	m := w.check(t, w.load(t, append(list(4, ""), "P-0001,Zuhura,m,1950-01-05,yes\n,,,,\n,,f,1990-01-03,yes\n"...)))
	if m.Counts.Bad == 0 {
		t.Fatalf("%+v", m.Counts)
	}
	b, ext, rejected, err := w.Desk.Rejects(ctx, w.by(), m.ID, "mended in the field")
	must(t, err)
	if rows := strings.Count(string(b), "\n") - 1; ext != ".csv" || rows != m.Counts.Bad || rejected != rows {
		t.Errorf("%d rows of %d in %q:\n%s", rows, m.Counts.Bad, ext, b)
	}
	mended := w.load(t, b)
	if !mended.Known {
		t.Error("the rejected rows are not read as their list was")
	}
	clean := w.check(t, w.load(t, list(2, "")))
	_, _, _, err = w.Desk.Rejects(ctx, w.by(), clean.ID, "none")
	want(t, "none", err, imports.ErrEmpty)
}

func testDoubles(t *testing.T, w *World) {
	m := w.submit(t, w.check(t, w.load(t, list(3, ""))))
	must(t, w.approve(m))
	w.wait(t, m.ID, imports.Applied)
	first := strings.Split(string(list(3, "")), "\n")
	m = w.check(t, w.load(t, []byte(first[0]+"\n"+strings.Replace(first[1], "P-0000", "Q-1", 1)+"\n"+strings.Replace(first[1], "P-0000", "Q-2", 1)+"\n")))
	pairs, total, err := w.Desk.Doubles(ctx, w.by(), m.ID, 0, 50)
	must(t, err)
	if total == 0 || len(pairs) != total || m.Counts.Doubles != total {
		t.Fatalf("%d %+v", total, pairs)
	}
	record := slices.IndexFunc(pairs, func(p imports.Pair) bool { return p.B.Record != "" })
	row := slices.IndexFunc(pairs, func(p imports.Pair) bool { return p.B.Row > 0 })
	if record < 0 || row < 0 {
		t.Fatalf("%+v", pairs)
	}
	for _, p := range pairs {
		if !slices.ContainsFunc(p.A.Cells, func(c imports.Cell) bool { return c.Field == "full_name" && c.Same }) || len(p.B.Cells) < 3 {
			t.Errorf("%+v", p)
		}
	}
	if len(pairs[:1]) != 1 {
		t.Error("no page")
	}
}

func testGone(t *testing.T, w *World) {
	gone := func(m imports.Import) {
		t.Helper()
		_, _, _, _, err := w.Desk.Columns(ctx, w.by(), m.ID)
		want(t, "a destroyed file is read", err, imports.ErrGone)
		if m = w.show(t, m.ID); !m.Gone || len(m.Mends) != 0 {
			t.Errorf("%+v", m)
		}
	}
	m := w.load(t, list(3, ""))
	m, err := w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{{Row: 2, Column: "full_name", Value: "Zola"}})
	must(t, err)
	m, err = w.Desk.Withdraw(ctx, w.by(), m.ID, m.Version, "the wrong one")
	must(t, err)
	gone(m)
	_, err = w.Desk.Withdraw(ctx, w.by(), m.ID, m.Version, "again")
	want(t, "twice", err, imports.ErrState)

	done := w.submit(t, w.check(t, w.load(t, list(4, ""))))
	must(t, w.approve(done))
	w.wait(t, done.ID, imports.Applied)
	left := w.check(t, w.load(t, list(5, "")))
	w.Now = w.Now.Add(imports.DoneLife)
	w.load(t, list(6, ""))
	gone(done)
	if w.show(t, left.ID).Gone {
		t.Error("one that waits is destroyed too early")
	}
	w.Now = w.Now.Add(imports.OpenLife)
	w.load(t, list(7, ""))
	gone(left)
	if n := w.people(t); n != 4 {
		t.Errorf("%d people", n)
	}
}

func testApart(t *testing.T, w *World) {
	m := w.load(t, list(3, ""))
	other := w.open(t, "org-b", func() time.Time { return w.Now })
	d := &imports.Desk{Store: other.Imports, Registry: other.Registry, Now: func() time.Time { return w.Now }}
	_, err := d.Show(ctx, m.ID)
	want(t, "another organisation's", err, imports.ErrNotFound)
	_, _, _, err = d.Rejects(ctx, w.by(), m.ID, "none")
	want(t, "another organisation's rows", err, imports.ErrNotFound)
	_, err = d.Withdraw(ctx, w.by(), m.ID, m.Version, "")
	want(t, "another organisation withdraws it", err, imports.ErrNotFound)
	if all, err := d.List(ctx); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
}

func testNoEntry(t *testing.T, w *World) {
	m := imports.Import{ID: registry.NewID().String(), State: imports.Loaded, Name: rand.Text(), At: w.Now}
	for name, work := range map[string]func(imports.Tx) error{
		"saved":   func(tx imports.Tx) error { return tx.Save(m) },
		"dropped": func(tx imports.Tx) error { return tx.Drop(m.ID) },
	} {
		if err := w.Imports.WriteImports(ctx, w.by(), work); err == nil {
			t.Errorf("%s without an entry in the log", name)
		}
	}
	if all, _ := w.Desk.List(ctx); len(all) != 0 {
		t.Errorf("%v", all)
	}
}
