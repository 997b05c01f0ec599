package accesstest

import (
	"context"
	"errors"
	"testing"
	"time"

	"aidpass/access"
)

// testTokensEnd: what an intruder made of a token ends with what let her in.
func testTokensEnd(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "amina", access.Registrar)
	w.Join(t, "bilal", access.Registrar)
	token := func(maker string) string {
		t.Helper()
		secret, _, err := w.Door.MakeTokenFor(ctx, laptop, maker, access.NewToken{Name: "kobo", Acts: []access.Act{access.ImportLoad}, Until: w.Now.Add(300 * time.Hour)})
		must(t, err)
		return secret
	}
	others := token("bilal")
	for name, end := range map[string]func(){
		"a new password": func() {
			ticket := w.enter(t, "amina")
			must(t, w.Door.SetPassword(ctx, w.session(t, ticket), ticket.Token, good))
		},
		"closing and opening": func() {
			must(t, w.Door.Disable(ctx, laptop, "amina", "left"))
			must(t, w.Door.Enable(ctx, laptop, "amina", "came back"))
		},
		"recovery": func() {
			two := laptop
			two.SecondPerson = "admin"
			secret, err := w.Door.Recover(ctx, two, "amina", "phone lost")
			must(t, err)
			w.accept(t, secret)
		},
	} {
		secret := token("amina")
		_, err := w.Door.Token(ctx, secret)
		must(t, err)
		before := w.logged(t, "token.revoke")
		end()
		_, err = w.Door.Token(ctx, secret)
		want(t, "a token after "+name, err, access.ErrNoToken)
		if n := w.logged(t, "token.revoke") - before; n != 1 {
			t.Errorf("%s: %d entries of a revocation", name, n)
		}
	}
	_, err := w.Door.Token(ctx, others)
	must(t, err)
}

// testStill: a role that is taken counts for what goes on.
func testStill(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "amina", access.Registrar)
	who := access.Actor{ID: "amina", Role: access.Registrar}
	must(t, w.Door.Still(ctx, who, access.ImportSubmit))
	must(t, w.Door.SetRoles(ctx, laptop, "amina", 0, []access.Role{access.Verifier}, nil))
	want(t, "without the role", w.Door.Still(ctx, who, access.ImportSubmit), access.ErrNotAllowed)
	must(t, w.Door.SetRoles(ctx, laptop, "amina", 0, []access.Role{access.Registrar}, nil))
	must(t, w.Door.Disable(ctx, laptop, "amina", "left"))
	want(t, "closed", w.Door.Still(ctx, who, access.ImportSubmit), access.ErrNotAllowed)
	want(t, "nobody", w.Door.Still(ctx, access.Actor{ID: "nobody"}, access.ImportSubmit), access.ErrNotAllowed)
}

// testMaker: who made it is no second person, whoever asks for it, and since when.
func testMaker(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "amina", access.Registrar)
	w.Join(t, "both", access.Registrar, access.Approver)
	w.Join(t, "late", access.Registrar, access.Approver)
	w.Join(t, "bilal", access.Approver)
	makers, ran := []string{"both"}, 0
	w.Door.Handle(access.BatchSubmit, access.Executor{
		Makers: func(context.Context, string) ([]string, error) { return makers, nil },
		Run:    func(context.Context, access.Actor, access.Approval) error { ran++; return nil },
	})
	a, err := w.Door.Ask(ctx, s2(t, w, "amina"), access.Request{Act: access.BatchSubmit, Object: "b", Payload: []byte("x")})
	must(t, err)
	makers = []string{" LATE"}
	for _, id := range []string{"both", "late"} {
		_, err = w.Door.Approve(ctx, s2(t, w, id), a.ID, a.Hash, nil)
		want(t, id+", who made it, approves", err, access.ErrOwnApproval)
	}
	if w.Door.CanApprove(s2(t, w, "both"), a) || !w.Door.CanApprove(s2(t, w, "bilal"), a) || ran != 0 {
		t.Errorf("who can approve; carried out %d times", ran)
	}
	_, err = w.Door.Approve(ctx, s2(t, w, "bilal"), a.ID, a.Hash, nil)
	must(t, err)
	if ran != 1 {
		t.Errorf("carried out %d times", ran)
	}
}

// testFailedEnds: what was approved and fails is tried for a time, as long as it is what
// was approved, and either of the two stops it.
func testFailedEnds(t *testing.T, w *World) {
	o := newOffice(t, w)
	w.Join(t, "third", access.Approver)
	o.fail = errors.New("the disk is full")
	failed := func() access.Approval {
		t.Helper()
		a := o.ask(t, "amina")
		w.pass(71 * time.Hour)
		_, err := o.Door.Approve(ctx, s2(t, w, "bilal"), a.ID, a.Hash, nil)
		want(t, "carrying out", err, o.fail)
		a, err = o.Door.Approval(ctx, laptop, a.ID)
		must(t, err)
		return a
	}
	a := failed()
	w.pass(71 * time.Hour) // from the approval on there are 72 hours
	_, err := o.Door.Carry(ctx)
	want(t, "in its time", err, o.fail)
	o.fail, o.rows["batch-1"] = nil, "431 rows"
	_, err = o.Door.Carry(ctx)
	want(t, "what changed since the approval", err, access.ErrChanged)
	o.rows["batch-1"] = "430 rows"
	w.Now = a.Ends
	if n, err := o.Door.Carry(ctx); n != 0 || err != nil || len(o.runs) != 0 {
		t.Errorf("after its time: %d, %v, %q", n, err, o.runs)
	}
	if a, err = o.Door.Approval(ctx, laptop, a.ID); err != nil || a.State != access.Lapsed {
		t.Errorf("after its time it is %s, %v", a.State, err)
	}

	for _, id := range []string{"amina", "bilal"} {
		o.fail = errors.New("the disk is full")
		a := failed()
		_, err := o.Door.Withdraw(ctx, s2(t, w, "third"), a.ID, "")
		want(t, "a third account stops it", err, access.ErrNotAllowed)
		if !o.Door.CanWithdraw(s2(t, w, id), a) || o.Door.CanWithdraw(s2(t, w, "third"), a) {
			t.Error("who can stop it")
		}
		if a, err = o.Door.Withdraw(ctx, s2(t, w, id), a.ID, "wrong round"); err != nil || a.State != access.Withdrawn {
			t.Errorf("%s stops it: %s, %v", id, a.State, err)
		}
		o.fail = nil
		if n, err := o.Door.Carry(ctx); n != 0 || err != nil || len(o.runs) != 0 {
			t.Errorf("stopped by %s: %d, %v, %q", id, n, err, o.runs)
		}
	}
}

// testTokenApprovals: a program neither sees nor takes back what its account asked for or
// approved, beyond the acts that it has.
func testTokenApprovals(t *testing.T, w *World) {
	o := newOffice(t, w)
	w.Join(t, "dora", access.DataProtection, access.Approver)
	a := o.ask(t, "amina")
	token := func(maker string, acts ...access.Act) *access.Session {
		t.Helper()
		secret, _, err := w.Door.MakeTokenFor(ctx, laptop, maker, access.NewToken{Name: "kobo", Acts: acts, Until: w.Now.Add(time.Hour)})
		must(t, err)
		tok, err := w.Door.Token(ctx, secret)
		must(t, err)
		return tok.Session()
	}
	reader := token("amina", access.ProgrammeRead)
	list, err := w.Door.Approvals(ctx, reader)
	must(t, err)
	if len(list) != 0 {
		t.Errorf("a token for programmes sees %d requests", len(list))
	}
	_, err = w.Door.Withdraw(ctx, reader, a.ID, "")
	want(t, "a token for programmes takes a request back", err, access.ErrNoApproval)
	submits := token("amina", access.BatchSubmit)
	_, err = w.Door.Approval(ctx, submits, a.ID)
	must(t, err)

	o.fail = errors.New("the disk is full")
	dora := s2(t, w, "dora")
	if _, err = w.Door.Approve(ctx, dora, a.ID, a.Hash, nil); !errors.Is(err, o.fail) {
		t.Fatal(err)
	}
	_, err = w.Door.Withdraw(ctx, token("dora", access.AuditRead), a.ID, "")
	want(t, "a token of the second account", err, access.ErrNotAllowed)
	_, err = w.Door.Withdraw(ctx, submits, a.ID, "")
	must(t, err)
}
