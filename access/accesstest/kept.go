package accesstest

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"aidpass/access"
)

// testList: ten thousand cards are approved by the hash of their list.
func testList(t *testing.T, w *World) {
	o := newOffice(t, w)
	w.Join(t, "lead", access.DistributionLead)
	w.Join(t, "clerk", access.Issuer)
	list := bytes.Repeat([]byte("0123456789abcdef"), 10_000)
	hash := access.HashPayload(list)
	var ran []byte
	w.Door.Handle(access.CardMany, access.Executor{Run: func(ctx context.Context, _ access.Actor, a access.Approval) (err error) {
		ran, err = w.Door.List(ctx, a)
		return err
	}})
	r := access.Request{Act: access.CardMany, Payload: []byte("suspend " + hex.EncodeToString(hash[:])), List: list}
	unnamed, long := r, r
	unnamed.Payload = []byte("suspend them")
	if _, err := w.Door.Ask(ctx, s2(t, w, "clerk"), unnamed); err == nil || !strings.Contains(err.Error(), "does not name") {
		t.Errorf("a list that the payload does not name: %v", err)
	}
	long.List = make([]byte, access.MaxList+1)
	if _, err := w.Door.Ask(ctx, s2(t, w, "clerk"), long); err == nil {
		t.Error("a list without end")
	}
	a, err := w.Door.Ask(ctx, s2(t, w, "clerk"), r)
	must(t, err)
	again, err := w.Door.Ask(ctx, s2(t, w, "clerk"), r)
	must(t, err)
	if again.ID != a.ID {
		t.Error("the same list was asked for twice")
	}
	got, err := w.Door.List(ctx, a)
	must(t, err)
	if !bytes.Equal(got, list) {
		t.Errorf("%d bytes of the list came back", len(got))
	}
	_, err = w.Door.List(ctx, o.ask(t, "amina"))
	want(t, "of a request without one", err, access.ErrNoApproval)
	_, err = w.Door.Approve(ctx, s2(t, w, "lead"), a.ID, a.Hash, nil)
	must(t, err)
	if !bytes.Equal(ran, list) {
		t.Errorf("carried out with %d bytes of the list", len(ran))
	}
}

// testForget: what was answered is kept for a time, what waits always, and one account
// cannot fill the list of those who approve.
func testForget(t *testing.T, w *World) {
	o := newOffice(t, w)
	done := o.ask(t, "amina")
	_, err := w.Door.Approve(ctx, s2(t, w, "bilal"), done.ID, done.Hash, []byte("assertion"))
	must(t, err)
	o.rows["batch-1"] = "lapses"
	o.ask(t, "amina")
	w.pass(access.ApprovalLife + access.ApprovalKept - time.Hour)
	o.rows["batch-1"] = "waits"
	waits := o.ask(t, "amina")
	forget := func(want int) {
		t.Helper()
		n, err := w.Door.Forget(ctx)
		must(t, err)
		if n != want {
			t.Errorf("%d were forgotten, want %d", n, want)
		}
	}
	forget(0)
	w.pass(2 * time.Hour)
	forget(2)
	forget(0)
	all, err := w.Door.Approvals(ctx, s2(t, w, "bilal"))
	must(t, err)
	if len(all) != 1 || all[0].ID != waits.ID || w.logged(t, "approval.forget") != 1 {
		t.Errorf("left: %+v", all)
	}
	// The log still tells what both meant, and by which proof.
	told := false
	for _, line := range w.log(t) {
		told = told || strings.Contains(line, "approval.approve") && strings.Contains(line, done.ID) && strings.Contains(line, "proof-sha256=")
	}
	if !told {
		t.Errorf("the log does not tell of the approval:\n%s", strings.Join(w.log(t), "\n"))
	}

	amina := s2(t, w, "amina")
	ask := func() error {
		o.rows["batch-1"] += "."
		_, err := w.Door.Ask(ctx, amina, access.Request{Act: access.BatchSubmit, Object: "batch-1"})
		return err
	}
	for range access.MaxWaiting - 1 {
		must(t, ask())
	}
	want(t, "one more than may wait", ask(), access.ErrManyWaiting)
	o.ask(t, "both")
	_, err = w.Door.Withdraw(ctx, amina, waits.ID, "")
	must(t, err)
	must(t, ask())
	open, err := w.Door.Open(ctx, s2(t, w, "bilal"))
	must(t, err)
	if len(open) != access.MaxWaiting+1 {
		t.Errorf("%d are open", len(open))
	}
}
