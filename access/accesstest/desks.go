package accesstest

import (
	"strings"
	"testing"
	"time"

	"aidpass/access"
)

// testDesk: where somebody was when she did something.
func testDesk(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	ticket := w.enter(t, "amina")
	s := w.session(t, ticket)
	for _, bad := range []string{"", " ", strings.Repeat("x", 41), "desk\u202e1", "<b>", "token-1", "a\x00", "=1+1"} {
		if err := w.Door.NameDevice(ctx, s, ticket.Token, bad); err == nil {
			t.Errorf("a desk is called %q", bad)
		}
	}
	must(t, w.Door.NameDevice(ctx, s, ticket.Token, "  مكتب  التسجيل 2 "))
	must(t, w.Door.NameDevice(ctx, s, ticket.Token, "مكتب التسجيل 2"))
	if n := w.logged(t, "account.desk"); n != 1 {
		t.Errorf("%d entries of one name", n)
	}
	after, err := w.Door.StepUp(ctx, ticket.Token, func() access.Attempt { w.pass(30e9); return w.attempt("amina") }())
	must(t, err)
	for name, s := range map[string]*access.Session{"the session": s, "at the next request": w.session(t, after)} {
		if got := s.Actor(access.PersonEdit).Device; got != "مكتب التسجيل 2" {
			t.Errorf("%s is at %q", name, got)
		}
	}
}

// testVouch: the second person at the laptop is no word.
func testVouch(t *testing.T, w *World) {
	w.Join(t, "bilal", access.Approver)
	w.pass(time.Minute)
	good, bad, nobody := w.attempt("bilal"), w.attempt("bilal"), w.attempt("bilal")
	bad.Password, nobody.Account = "a wrong one of these", "carol"
	want(t, "a wrong password", w.Door.Vouch(ctx, bad), access.ErrSignIn)
	want(t, "nobody", w.Door.Vouch(ctx, nobody), access.ErrSignIn)
	must(t, w.Door.Vouch(ctx, good))
	want(t, "the same code", w.Door.Vouch(ctx, good), access.ErrSignIn)
	if n := w.logged(t, "account.vouch"); n != 1 {
		t.Errorf("%d entries", n)
	}
	must(t, w.Door.Disable(ctx, laptop, "bilal", "left"))
	w.pass(time.Minute)
	want(t, "a closed account", w.Door.Vouch(ctx, w.attempt("bilal")), access.ErrSignIn)
}
