package importstest

import (
	"context"
	"errors"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/roster"
)

// both lets an account in that may load and approve.
func (w *World) both(t testing.TB, id string) *access.Session {
	t.Helper()
	ticket := w.Join(t, id, access.Registrar, access.Approver)
	s, err := w.Door.Session(ctx, ticket.Token)
	must(t, err)
	return s
}

// testMakers: who loaded a list, said what its columns are, or mended a cell of it, does not
// approve it when another account submits it.
func testMakers(t *testing.T, w *World) {
	loader, mender, mapper := w.both(t, "loader"), w.both(t, "mender"), w.both(t, "mapper")
	m, _, err := w.Desk.Load(ctx, loader.Actor(access.ImportLoad), "list.csv", list(3, ""), imports.Options{})
	must(t, err)
	m, err = w.Desk.Mend(ctx, mender.Actor(access.ImportCheck), m.ID, m.Version, []roster.Mend{{Row: 2, Column: "full_name", Value: "Somebody Else"}})
	must(t, err)
	_, _, plan, _, err := w.Desk.Columns(ctx, mapper.Actor(access.ImportCheck), m.ID)
	must(t, err)
	m, err = w.Desk.Map(ctx, mapper.Actor(access.ImportCheck), m.ID, m.Version, plan, imports.Options{TakeChanges: true})
	must(t, err)
	m = w.submit(t, w.check(t, m))
	for _, s := range []*access.Session{loader, mender, mapper} {
		_, err := w.Door.Approve(ctx, s, m.Review.Approval, m.Review.Hash, nil)
		want(t, s.Account.ID+" approves", err, access.ErrOwnApproval)
	}
	if n := w.people(t); n != 0 {
		t.Errorf("%d people", n)
	}
	must(t, w.approve(m))
	w.wait(t, m.ID, imports.Applied)
}

// cut is a store that a kill keeps from its next write.
type cut struct {
	imports.Store
	on bool
}

var errKilled = errors.New("killed")

func (c *cut) WriteImports(ctx context.Context, by access.Actor, work func(imports.Tx) error) error {
	if c.on {
		return errKilled
	}
	return c.Store.WriteImports(ctx, by, work)
}

// testAskedAndStopped: the approval is asked for, and the list does not know it.
func testAskedAndStopped(t *testing.T, w *World) {
	kill := &cut{Store: w.Imports}
	w.Desk.Store = kill
	asked := func(people int) (imports.Import, access.Approval) {
		t.Helper()
		m := w.check(t, w.load(t, list(people, "")))
		kill.on = true
		_, err := w.Desk.Submit(ctx, w.Amina, m.ID, m.Version, "")
		want(t, "a kill", err, errKilled)
		kill.on = false
		all, err := w.Door.Approvals(ctx, w.Bilal)
		must(t, err)
		for _, a := range all {
			if a.Object == m.ID && a.State == access.Waiting {
				return w.show(t, m.ID), a
			}
		}
		t.Fatal("nothing was asked for")
		return m, access.Approval{}
	}
	m, a := asked(3) // and is approved as it is
	if _, err := w.Door.Approve(ctx, w.Bilal, a.ID, a.Hash, nil); err != nil {
		t.Error(err)
	}
	w.wait(t, m.ID, imports.Applied)

	m, a = asked(4) // another account submits it once more, and the first request is approved
	carol := w.in(t, "carol", access.Registrar)
	_, err := w.Desk.Submit(ctx, carol, m.ID, m.Version, "")
	must(t, err)
	if _, err := w.Door.Approve(ctx, w.Bilal, a.ID, a.Hash, nil); err != nil {
		t.Error(err)
	}
	w.wait(t, m.ID, imports.Applied)
	if got := w.show(t, m.ID).Review; got.Approval != a.ID || got.By != "amina" || got.Second != "bilal" {
		t.Errorf("%+v", got)
	}

	m, a = asked(5) // what changed since is not what was asked for
	m, err = w.Desk.Mend(ctx, w.by(), m.ID, m.Version, []roster.Mend{{Row: 2, Out: true}})
	must(t, err)
	_, err = w.Door.Approve(ctx, w.Bilal, a.ID, a.Hash, nil)
	want(t, "changed since", err, access.ErrChanged)
}

// testFails: an approved list that cannot be begun is free again when its time is over,
// or one of the two takes the approval back.
func testFails(t *testing.T, w *World) {
	full := errors.New("the disk is full")
	w.Desk.Begin = func(imports.Import) error { return full }
	m := w.submit(t, w.check(t, w.load(t, list(3, ""))))
	want(t, "approving", w.approve(m), full)
	w.wait(t, m.ID, imports.Approved)
	_, err := w.Door.Withdraw(ctx, w.Bilal, m.Review.Approval, "wrong list")
	must(t, err)
	w.wait(t, m.ID, imports.Checked)
	_, err = w.Desk.Apply(ctx, m.ID, nil)
	want(t, "writing what was taken back", err, imports.ErrState)
	m = w.submit(t, w.show(t, m.ID))
	want(t, "approving", w.approve(m), full)
	w.Now = w.Now.Add(access.ApprovalLife)
	w.wait(t, m.ID, imports.Checked)
	if n, err := w.Door.Carry(ctx); n != 0 || err != nil || w.people(t) != 0 {
		t.Errorf("after its time: %d, %v, %d people", n, err, w.people(t))
	}
}
