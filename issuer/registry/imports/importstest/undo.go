package importstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
)

// stopping is a store that is gone when something is to be written.
type stopping struct{ imports.Store }

var errStop = errors.New("the program was killed")

func (stopping) WriteImports(context.Context, access.Actor, func(imports.Tx) error) error {
	return errStop
}

// testUndo: what a list made is erased and what it changed says again what it said, in one
// step by two accounts; what was edited since, has a card, or is lived in, is left and told.
func testUndo(t *testing.T, w *World) {
	taken := func(b []byte) imports.Import {
		t.Helper()
		m := w.submit(t, w.check(t, w.load(t, b)))
		must(t, w.approve(m))
		w.wait(t, m.ID, imports.Applied)
		return w.show(t, m.ID)
	}
	taken(list(3, ""))
	w.Now = w.Now.Add(time.Minute)
	const head = "individual_id,household_id,full_name,sex,birth_date,relationship,phone,household_size,consent\n"
	second := []byte(head + "P-0001,H-1,Halima nanabob,f,1961-03-04,,+254710203041,1,yes\n" +
		"P-6,H-6,Zola Kale,f,1980-05-06,head,,1,yes\nP-7,H-7,Asha Omari,f,1981-05-06,head,,1,yes\n" +
		"P-8,H-9,Juma Omari,m,1999-05-06,child,,2,yes\nP-9,H-9,Neema Omari,f,1982-05-06,head,,2,yes\n")
	m := taken(second)
	if m.Counts.Updated != 1 || m.Counts.New != 4 {
		t.Fatalf("%+v", m.Counts)
	}
	find := func(kind registry.Kind, number string) (id registry.ID) {
		t.Helper()
		must(t, w.Registry.View(ctx, func(v registry.View) error {
			var there bool
			var err error
			if id, there, err = v.Find(kind, "", number); err == nil && !there {
				err = fmt.Errorf("%s is not there", number)
			}
			return err
		}))
		return id
	}
	record := func(id registry.ID) (r registry.Record, err error) {
		err = w.Registry.View(ctx, func(v registry.View) error {
			r, err = v.Record(id)
			return err
		})
		return r, err
	}
	known, carded, free, child, lost, home := find(registry.KindPerson, "P-0001"), find(registry.KindPerson, "P-6"), find(registry.KindPerson, "P-7"), find(registry.KindPerson, "P-8"), find(registry.KindPerson, "P-9"), find(registry.KindHousehold, "H-9")
	w.Now = w.Now.Add(time.Minute)
	desk := &registry.Registry{Store: w.Registry, Actor: access.Actor{ID: "desk", Role: access.Registrar}, Now: func() time.Time { return w.Now }}
	edit := func(id registry.ID, origin string) {
		t.Helper()
		fields, err := registry.Person{Origin: origin}.Fields()
		must(t, err)
		_, err = desk.Edit(ctx, id, fields, nil)
		must(t, err)
	}
	edit(child, "SOM")
	cards, withCards := w.Registry.(interface{ GiveCards(registry.ID, int) })
	if withCards {
		cards.GiveCards(carded, 1)
	}
	_, u, err := w.Desk.Undoing(ctx, m.ID)
	must(t, err)
	why := map[registry.ID]string{}
	for _, l := range u.Left {
		why[l.Record] = l.Why
	}
	erase, left := 6, 2 // P-6, H-6, P-7, H-7, P-9, and H-1 of a person who had no household; P-8 and H-9
	if withCards {
		erase, left = 4, 4
	}
	if len(u.Erase) != erase || len(u.Restore) != 1 || u.Restore[0] != known || len(u.Left) != left || why[child] != imports.LeftEdited || why[home] != imports.LeftLived || withCards && why[carded] != imports.LeftCard {
		t.Fatalf("%+v", u)
	}
	people := w.people(t)
	ask := func(u imports.Undoing) imports.Import {
		t.Helper()
		m, err := w.Desk.AskUndo(ctx, w.Amina, m.ID, w.show(t, m.ID).Version, u.Digest(), "the list of another camp")
		must(t, err)
		return m
	}
	_, err = w.Desk.AskUndo(ctx, w.Amina, m.ID, m.Version, [32]byte{}, "")
	want(t, "what was not seen is asked for", err, imports.ErrConflict)
	_, err = w.Desk.AskUndo(ctx, w.Bilal, m.ID, m.Version, u.Digest(), "")
	want(t, "an approver asks", err, access.ErrNotAllowed)
	m = ask(u)
	_, err = w.Door.Approve(ctx, w.Amina, m.Undo.Approval, m.Undo.Hash, nil)
	want(t, "who asked approves", err, access.ErrOwnApproval)
	edit(free, "SOM") // since it was asked for
	_, err = w.Door.Approve(ctx, w.Bilal, m.Undo.Approval, m.Undo.Hash, nil)
	want(t, "edited since it was asked for", err, access.ErrChanged)
	if n := w.people(t); n != people || w.show(t, m.ID).State != imports.Applied {
		t.Fatalf("%d people, %s", n, w.show(t, m.ID).State)
	}
	_, err = w.Door.Withdraw(ctx, w.Amina, m.Undo.Approval, "changed")
	must(t, err)
	_, u, err = w.Desk.Undoing(ctx, m.ID)
	must(t, err)
	m = ask(u)
	// A stop after the records went, and before the import says so.
	store := w.Desk.Store
	w.Desk.Store = stopping{store}
	if _, err = w.Door.Approve(ctx, w.Bilal, m.Undo.Approval, m.Undo.Hash, nil); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	w.Desk.Store = store
	if w.show(t, m.ID).State != imports.Applied {
		t.Fatal("the import knew")
	}
	_, err = w.Door.Carry(ctx)
	must(t, err)
	for range 2 { // and once more, without a second effect
		_, err = w.Door.Approve(ctx, w.Bilal, m.Undo.Approval, m.Undo.Hash, nil)
		must(t, err)
	}
	m = w.show(t, m.ID)
	if m.State != imports.Undone || !m.Gone || len(m.Left) != len(u.Left) || m.Undo.Second != "bilal" {
		t.Fatalf("%+v", m)
	}
	if _, err := record(lost); !errors.Is(err, registry.ErrErased) {
		t.Errorf("who the list made: %v", err)
	}
	r, err := record(known)
	must(t, err)
	p, err := r.Person()
	must(t, err)
	if len(p.Contacts) != 0 || len(p.Names) != 1 || !r.Household.IsZero() {
		t.Errorf("what the list changed is %+v", p)
	}
	r, err = record(home)
	must(t, err)
	must(t, w.Registry.View(ctx, func(v registry.View) error {
		ids, err := v.Lookup(registry.HeadlessKey)
		if !slices.Equal(ids, []registry.ID{home}) {
			t.Errorf("households that lost their head: %v, want %v", ids, home)
		}
		return err
	}))
	if h, err := r.HouseholdRecord(); err != nil || h.Head != "" || !h.Headless() {
		t.Errorf("a household is led by somebody who is gone: %+v %v", h, err)
	}
	_, _, err = w.Desk.Undoing(ctx, m.ID)
	want(t, "taken back twice", err, imports.ErrState)
	// The right list brings the same number.
	again := w.check(t, w.load(t, []byte(head+"P-9,H-10,Neema Kale,f,1982-05-06,head,,1,yes\n")))
	if again.Counts.New != 1 || again.Counts.Bad != 0 {
		t.Errorf("the number of who was taken back: %+v", again.Counts)
	}
	// The number is another's now: she is no part of what was taken back, also where that is
	// carried out once more, and whom the number meant before stays gone.
	must(t, w.approve(w.submit(t, again)))
	w.wait(t, again.ID, imports.Applied)
	other := find(registry.KindPerson, "P-9")
	_, err = w.Door.Approve(ctx, w.Bilal, m.Undo.Approval, m.Undo.Hash, nil)
	must(t, err)
	_, err = w.Door.Carry(ctx)
	must(t, err)
	if _, err := record(other); err != nil || other == lost || find(registry.KindPerson, "P-9") != other {
		t.Errorf("who has the number now: %v", err)
	}
	if _, err := record(lost); !errors.Is(err, registry.ErrErased) {
		t.Errorf("who had the number: %v", err)
	}
}
