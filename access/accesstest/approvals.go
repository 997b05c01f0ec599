package accesstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
)

// An office is a World with staff and a batch that is approved by its rows.
type office struct {
	*World
	rows map[string]string // object -> what it is now
	runs []string          // what was carried out
	fail error             // what carrying out comes to
}

func newOffice(t testing.TB, w *World) *office {
	o := &office{World: w, rows: map[string]string{"batch-1": "430 rows"}}
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "amina", access.Registrar)
	w.Join(t, "bilal", access.Approver)
	w.Join(t, "both", access.Registrar, access.Approver)
	o.handle(w.Door)
	return o
}

func (o *office) handle(d *access.Door) {
	d.Handle(access.BatchSubmit, access.Executor{
		Payload: func(_ context.Context, object string) ([]byte, error) { return []byte(o.rows[object]), nil },
		Run: func(_ context.Context, who access.Actor, a access.Approval) error {
			if o.fail != nil {
				return o.fail
			}
			o.runs = append(o.runs, fmt.Sprintf("%s as %s with %s: %s %s", who.ID, who.Role, who.SecondPerson, a.Object, a.Payload))
			return who.Check()
		},
	})
}

func (o *office) ask(t testing.TB, id string) access.Approval {
	t.Helper()
	a, err := o.Door.Ask(ctx, s2(t, o.World, id), access.Request{Act: access.BatchSubmit, Object: "batch-1", Reason: "round 3"})
	must(t, err)
	return a
}

// testOwnApproval is THREATS 4.7 row 6, by every door there is.
func testOwnApproval(t *testing.T, w *World) {
	o := newOffice(t, w)
	for _, id := range []string{"bilal", "admin"} {
		_, err := o.Door.Ask(ctx, s2(t, w, id), access.Request{Act: access.BatchSubmit, Object: "batch-1"})
		want(t, id+" asks", err, access.ErrNotAllowed)
	}
	_, err := o.Door.Ask(ctx, s2(t, w, "amina"), access.Request{Act: access.PersonEnter, Object: "batch-1", Payload: []byte("x")})
	want(t, "an act without four eyes", err, access.ErrNotAllowed)
	a := o.ask(t, "both")
	if a.State != access.Waiting || a.By != "both" || a.Hash != access.HashPayload([]byte("430 rows")) || !a.Ends.Equal(a.At.Add(72*time.Hour)) || a.Org != "org-a" {
		t.Errorf("asked: %+v", a)
	}
	again := o.ask(t, "both")
	if again.ID != a.ID {
		t.Error("the same was asked for twice")
	}
	both := s2(t, w, "both")
	if o.Door.CanApprove(both, a) || !o.Door.CanApprove(s2(t, w, "bilal"), a) || o.Door.CanApprove(s2(t, w, "amina"), a) {
		t.Error("who can approve")
	}
	_, err = o.Door.Approve(ctx, both, a.ID, a.Hash, nil)
	want(t, "one's own", err, access.ErrOwnApproval)
	_, err = o.Door.Refuse(ctx, both, a.ID, "no")
	want(t, "refusing one's own", err, access.ErrOwnApproval)
	_, err = o.Door.Approve(ctx, s2(t, w, "amina"), a.ID, a.Hash, nil)
	want(t, "a registrar, who cannot even see it", err, access.ErrNoApproval)
	// A look-alike session of the requester, as a handler could be made to build.
	forged := *both
	forged.Account.ID = " BOTH"
	_, err = o.Door.Approve(ctx, &forged, a.ID, a.Hash, nil)
	want(t, "one's own by another spelling", err, access.ErrOwnApproval)
	bilal := s2(t, w, "bilal")
	w.pass(6 * time.Minute)
	_, err = o.Door.Approve(ctx, bilal, a.ID, a.Hash, nil)
	want(t, "without a fresh proof of identity", err, access.ErrStepUp)
	if len(o.runs) != 0 {
		t.Errorf("carried out: %q", o.runs)
	}
	_, err = o.Door.Approve(ctx, s2(t, w, "bilal"), a.ID, a.Hash, []byte("assertion"))
	must(t, err)
	if want := []string{"both as registrar with bilal: batch-1 430 rows"}; !slices.Equal(o.runs, want) {
		t.Errorf("carried out: %q, want %q", o.runs, want)
	}
}

// testChanged is THREATS 4.7 row 7.
func testChanged(t *testing.T, w *World) {
	o := newOffice(t, w)
	a := o.ask(t, "amina")
	bilal := s2(t, w, "bilal")
	o.rows["batch-1"] = "431 rows"
	_, err := o.Door.Approve(ctx, bilal, a.ID, a.Hash, nil)
	want(t, "what changed since", err, access.ErrChanged)
	_, err = o.Door.Approve(ctx, bilal, a.ID, access.HashPayload([]byte("431 rows")), nil)
	want(t, "the hash of what it is now", err, access.ErrChanged)
	o.rows["batch-1"] = "430 rows"
	_, err = o.Door.Approve(ctx, bilal, a.ID, [32]byte{}, nil)
	want(t, "no hash", err, access.ErrChanged)
	if len(o.runs) != 0 {
		t.Errorf("carried out: %q", o.runs)
	}
	if n := w.logged(t, "approval.changed"); n != 1 {
		t.Errorf("%d entries of a change", n)
	}
	_, err = o.Door.Approve(ctx, bilal, a.ID, a.Hash, nil)
	must(t, err)
	o.rows["batch-1"] = "432 rows"
	b := o.ask(t, "amina")
	if b.ID == a.ID {
		t.Error("another content is another request")
	}
}

// testOnce is THREATS 4.7 row 8.
func testOnce(t *testing.T, w *World) {
	o := newOffice(t, w)
	w.Join(t, "third", access.Approver)
	a := o.ask(t, "amina")
	bilal, third := s2(t, w, "bilal"), s2(t, w, "third")
	for range 3 {
		got, err := o.Door.Approve(ctx, bilal, a.ID, a.Hash, nil)
		must(t, err)
		if got.State != access.Carried || got.Second != "bilal" || got.Done.IsZero() {
			t.Errorf("approved: %+v", got)
		}
	}
	_, err := o.Door.Approve(ctx, third, a.ID, a.Hash, nil)
	want(t, "another's approval of what is done", err, access.ErrClosed)
	_, err = o.Door.Refuse(ctx, bilal, a.ID, "changed my mind")
	want(t, "refusing what is done", err, access.ErrClosed)
	_, err = o.Door.Withdraw(ctx, s2(t, w, "amina"), a.ID, "")
	want(t, "withdrawing what is done", err, access.ErrClosed)
	if len(o.runs) != 1 {
		t.Errorf("carried out: %q", o.runs)
	}

	b := o.ask(t, "amina")
	bilal, third = s2(t, w, "bilal"), s2(t, w, "third")
	errs := make(chan error, 8)
	for i := range cap(errs) {
		go func() {
			_, err := o.Door.Approve(ctx, []*access.Session{bilal, third}[i%2], b.ID, b.Hash, nil)
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil && !errors.Is(err, access.ErrClosed) {
			t.Error(err)
		}
	}
	if n, err := o.Door.Carry(ctx); n != 0 || err != nil {
		t.Errorf("carried later: %d, %v", n, err)
	}
	if len(o.runs) != 2 || w.logged(t, "approval.approve") != 2 || w.logged(t, "approval.carried") != 2 {
		t.Errorf("carried out: %q", o.runs)
	}
}

func testClosed(t *testing.T, w *World) {
	o := newOffice(t, w)
	a := o.ask(t, "amina")
	bilal := s2(t, w, "bilal")
	w.pass(10 * time.Minute) // no needs no proof
	got, err := o.Door.Refuse(ctx, bilal, a.ID, "row 12 is no household")
	must(t, err)
	if got.State != access.Refused || got.Second != "bilal" || got.Reason != "row 12 is no household" {
		t.Errorf("refused: %+v", got)
	}
	_, err = o.Door.Approve(ctx, s2(t, w, "bilal"), a.ID, a.Hash, nil)
	want(t, "approving what was refused", err, access.ErrClosed)
	mine, err := o.Door.Approval(ctx, s2(t, w, "amina"), a.ID)
	must(t, err)
	if mine.Reason != got.Reason {
		t.Errorf("who asked reads %q", mine.Reason)
	}
	if _, err := o.Door.Refuse(ctx, bilal, o.ask(t, "amina").ID, strings.Repeat("x", 401)); err == nil {
		t.Error("a reason of a whole novel")
	}

	b := o.ask(t, "amina")
	_, err = o.Door.Withdraw(ctx, s2(t, w, "bilal"), b.ID, "")
	want(t, "withdrawing another's", err, access.ErrNotAllowed)
	_, err = o.Door.Withdraw(ctx, s2(t, w, "both"), b.ID, "")
	want(t, "withdrawing another's as a registrar", err, access.ErrNotAllowed)
	for range 2 {
		_, err = o.Door.Withdraw(ctx, s2(t, w, "amina"), b.ID, "wrong file")
		must(t, err)
	}
	_, err = o.Door.Approve(ctx, s2(t, w, "bilal"), b.ID, b.Hash, nil)
	want(t, "approving what was withdrawn", err, access.ErrClosed)

	c := o.ask(t, "amina")
	w.Now = c.Ends.Add(-time.Minute)
	if !o.Door.CanApprove(s2(t, w, "bilal"), c) {
		t.Error("a minute before its end it waits")
	}
	w.Now = c.Ends
	got, err = o.Door.Approval(ctx, s2(t, w, "bilal"), c.ID)
	must(t, err)
	if got.State != access.Lapsed {
		t.Errorf("after its end it is %s", got.State)
	}
	_, err = o.Door.Approve(ctx, s2(t, w, "bilal"), c.ID, c.Hash, nil)
	want(t, "approving what lapsed", err, access.ErrClosed)
	if next := o.ask(t, "amina"); next.ID == c.ID {
		t.Error("what lapsed came back")
	}

	list, err := o.Door.Approvals(ctx, s2(t, w, "bilal"))
	must(t, err)
	states := map[access.ApprovalState]int{}
	for _, a := range list {
		states[a.State]++
	}
	if len(list) != 4+0 && states[access.Refused] != 1 || states[access.Withdrawn] != 1 || states[access.Lapsed] == 0 {
		t.Errorf("the approver sees %v", states)
	}
	w.Join(t, "reader", access.Verifier)
	list, err = o.Door.Approvals(ctx, s2(t, w, "reader"))
	must(t, err)
	if len(list) != 0 {
		t.Errorf("a verifier sees %d requests", len(list))
	}
	w.Join(t, "auditor", access.Auditor)
	if _, err := o.Door.Approval(ctx, s2(t, w, "auditor"), a.ID); err != nil {
		t.Error("the auditor does not see it:", err)
	}
	_, err = o.Door.Approve(ctx, s2(t, w, "auditor"), o.ask(t, "amina").ID, a.Hash, nil)
	want(t, "the auditor approves", err, access.ErrNotAllowed)
	_, err = o.Door.Approval(ctx, s2(t, w, "auditor"), "0000")
	want(t, "no such request", err, access.ErrNoApproval)
}

func testCarry(t *testing.T, w *World) {
	o := newOffice(t, w)
	o.fail = errors.New("the disk is full")
	a := o.ask(t, "amina")
	_, err := o.Door.Approve(ctx, s2(t, w, "bilal"), a.ID, a.Hash, nil)
	want(t, "what could not be carried out", err, o.fail)
	got, err := o.Door.Approval(ctx, laptop, a.ID)
	must(t, err)
	if got.State != access.Approved {
		t.Errorf("it is %s", got.State)
	}
	_, err = o.Door.Carry(ctx)
	want(t, "again", err, o.fail)
	// Another program, after a stop: one that cannot do it leaves it to one that can.
	other := w.door(w.Store)
	if n, err := other.Carry(ctx); n != 0 || err != nil {
		t.Errorf("a program without its executor: %d, %v", n, err)
	}
	o.fail = nil
	o.handle(other)
	must(t, w.Door.Disable(ctx, laptop, "amina", "left"))
	_, err = other.Carry(ctx)
	want(t, "for an account that was closed since", err, access.ErrNotAllowed)
	must(t, w.Door.Enable(ctx, laptop, "amina", ""))
	if n, err := other.Carry(ctx); n != 1 || err != nil {
		t.Errorf("carried: %d, %v", n, err)
	}
	if n, err := w.Door.Carry(ctx); n != 0 || err != nil {
		t.Errorf("carried again: %d, %v", n, err)
	}
	if len(o.runs) != 1 {
		t.Errorf("carried out: %q", o.runs)
	}
	for name, f := range map[string]func(){
		"an act without four eyes": func() { w.Door.Handle(access.PersonRead, access.Executor{Run: o.run}) },
		"nothing":                  func() { w.Door.Handle(access.ImportSubmit, access.Executor{}) },
		"a second way":             func() { w.Door.Handle(access.BatchSubmit, access.Executor{Run: o.run}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was registered", name)
				}
			}()
			f()
		}()
	}
}

func (o *office) run(context.Context, access.Actor, access.Approval) error { return nil }

func testRecovery(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "second", access.OrgAdmin)
	w.Join(t, "amina", access.Registrar)
	old := w.enter(t, "amina")
	_, _, err := w.Door.AskRecovery(ctx, w.session(t, old), "admin", "")
	want(t, "a registrar asks", err, access.ErrNotAllowed)
	_, _, err = w.Door.AskRecovery(ctx, s2(t, w, "admin"), "admin", "")
	want(t, "one's own", err, access.ErrOwnAccount)
	_, _, err = w.Door.AskRecovery(ctx, s2(t, w, "admin"), "nobody", "")
	want(t, "nobody's", err, access.ErrNoAccount)
	a, secret, err := w.Door.AskRecovery(ctx, s2(t, w, "admin"), "amina", "phone lost")
	must(t, err)
	_, err = w.Door.Invitation(ctx, secret)
	want(t, "before the second administrator", err, access.ErrNoInvite)
	_, err = w.Door.Approve(ctx, s2(t, w, "admin"), a.ID, a.Hash, nil)
	want(t, "the same administrator", err, access.ErrOwnApproval)
	old = w.enter(t, "amina")
	_, err = w.Door.Approve(ctx, s2(t, w, "second"), a.ID, a.Hash, nil)
	must(t, err)
	_, err = w.Door.Session(ctx, old.Token)
	want(t, "a session of before", err, access.ErrNoSession)
	w.pass(time.Minute)
	_, err = w.Door.SignIn(ctx, w.attempt("amina"))
	want(t, "the password of before", err, access.ErrSignIn)
	w.accept(t, secret)
	w.enter(t, "amina")
	_, err = w.Door.Invitation(ctx, secret)
	want(t, "used", err, access.ErrNoInvite)

	self, _, err := w.Door.AskRecovery(ctx, s2(t, w, "admin"), "second", "")
	must(t, err)
	_, err = w.Door.Approve(ctx, s2(t, w, "second"), self.ID, self.Hash, nil)
	want(t, "who is to be recovered approves", err, access.ErrOwnAccount)
	w.enter(t, "second")

	_, err = w.Door.Recover(ctx, laptop, "amina", "phone lost")
	want(t, "one person at the laptop", justErr(err), errAny)
	two := laptop
	two.SecondPerson = "amina"
	_, err = w.Door.Recover(ctx, two, "amina", "")
	want(t, "her own second person", err, access.ErrOwnAccount)
	two.SecondPerson = "second"
	secret, err = w.Door.Recover(ctx, two, "amina", "phone lost")
	must(t, err)
	w.accept(t, secret)
	if n := w.logged(t, "account.recover"); n != 2 {
		t.Errorf("%d entries of recovery, want 2", n)
	}
}

// testApart: two organisations on one database, with the same accounts.
func testApart(t *testing.T, w *World) {
	b := &World{Now: w.Now, open: w.open, TOTP: map[string][]byte{}}
	b.Store = w.open(t, "org-b", func() time.Time { return b.Now })
	b.Door = b.door(b.Store)
	w.Join(t, "amina", access.Registrar)
	b.Join(t, "amina", access.OrgAdmin)
	w.pass(time.Minute)
	b.Now = w.Now
	ticket, err := w.Door.SignIn(ctx, w.attempt("amina"))
	must(t, err)
	_, err = b.Door.Session(ctx, ticket.Token)
	want(t, "a token of another organisation", err, access.ErrNoSession)
	_, err = b.Door.SignIn(ctx, w.attempt("amina"))
	want(t, "a code of another organisation", err, access.ErrSignIn)
	invite, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "new", Roles: []access.Role{access.Registrar}})
	must(t, err)
	_, err = b.Door.Invitation(ctx, invite)
	want(t, "an invitation of another organisation", err, access.ErrNoInvite)
	secret, _, err := w.Door.MakeTokenFor(ctx, laptop, "amina", access.NewToken{Name: "x", Acts: []access.Act{access.ImportLoad}, Until: w.Now.Add(time.Hour)})
	must(t, err)
	_, err = b.Door.Token(ctx, secret)
	want(t, "a token of another organisation", err, access.ErrNoToken)
	h, err := w.Door.Keep(ctx, "x", []byte("1"), time.Minute)
	must(t, err)
	_, err = b.Door.Take(ctx, "x", h)
	want(t, "what another organisation keeps", err, access.ErrNothingKept)
	a, err := w.Door.Account(ctx, laptop, "amina")
	must(t, err)
	if a.Org != "org-a" || !slices.Equal(a.Roles, []access.Role{access.Registrar}) {
		t.Errorf("account %+v", a)
	}
	must(t, w.Door.AddPasskey(ctx, s2(t, w, "amina"), passkey("k1", 1)))
	_, err = b.Door.SignInPasskey(ctx, access.PasskeyProof{ID: []byte("k1"), SignCount: 2, Address: home})
	want(t, "a passkey of another organisation", err, access.ErrSignIn)
}

// testLog walks the life of an account: every step is an entry, and no secret or address is in any.
func testLog(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	ticket := w.enter(t, "admin")
	must(t, w.Door.SignOut(ctx, ticket.Token))
	invite, err := w.Door.Invite(ctx, s2(t, w, "admin"), access.NewAccount{ID: "amina", Roles: []access.Role{access.Verifier}})
	must(t, err)
	must(t, w.Door.Disable(ctx, s2(t, w, "admin"), "amina", "typo"))
	want := []string{
		"operator account.invite admin roles=org-admin",
		"admin account.join admin by=password",
		"admin account.sign-in admin by=password",
		"admin account.sign-in admin by=password",
		"admin account.sign-out admin ",
		"admin account.sign-in admin by=password",
		"admin account.invite amina roles=verifier",
		"admin account.sign-in admin by=password",
		"admin account.disable amina ",
	}
	got := w.log(t)
	for len(got) > 0 && !strings.Contains(got[0], "account.invite") {
		got = got[1:] // of the store's own beginning
	}
	if !slices.Equal(got, want) {
		t.Errorf("log:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	all := strings.Join(got, "\n")
	for _, secret := range []string{ticket.Token, invite, good, home} {
		if strings.Contains(all, secret) {
			t.Errorf("%q stands in the log", secret)
		}
	}
}
