package accesstest

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"aidpass/access"
)

// An Open makes an empty store of a new organisation. now is the clock of its log.
type Open func(t testing.TB, org string, now func() time.Time) access.Store

// Run runs the suite: what a Door promises, on this store.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *World)
	}{
		{"an invitation is good once, for one account, for a time", testInvitation},
		{"who comes in has password and code", testSignIn},
		{"a missing account gets the same answer", testNobody},
		{"a code is good once", testCodeOnce},
		{"guessing is delayed and its owner is not kept out", testDelay},
		{"tries are counted before they are judged", testManyTries},
		{"many networks guess one account", testSpread},
		{"a stronger hash replaces a weaker one", testRehash},
		{"a session ends", testSessionEnds},
		{"a step-up gives a new token", testStepUp},
		{"a role that is taken away counts at once", testRoleTaken},
		{"an account that is closed is out", testDisabled},
		{"nobody changes their own roles and one administrator stays", testOwnRoles},
		{"a passkey lets in, and a copied one does not", testPasskey},
		{"an identity elsewhere is issuer and subject", testSubject},
		{"the ways in are one's own to change", testOwnWays},
		{"a token is for its acts, while its maker may", testToken},
		{"tokens end with what let their maker in", testTokensEnd},
		{"a token has no part in approvals beyond its acts", testTokenApprovals},
		{"what goes on asks whether it still may", testStill},
		{"nobody approves what they asked for", testOwnApproval},
		{"nobody approves what they made", testMaker},
		{"what changed is not approved", testChanged},
		{"an approval takes effect once", testOnce},
		{"a request is refused, withdrawn, or lapses", testClosed},
		{"what was approved before a stop is carried out after it", testCarry},
		{"what was approved and fails comes to an end", testFailedEnds},
		{"recovery takes two administrators", testRecovery},
		{"roles above a verifier's take two administrators", testGrant},
		{"nobody approves for who let them in alone", testOwnMade},
		{"a long list stands beside its request", testList},
		{"answered requests end, and waiting ones are bounded", testForget},
		{"a session is at a desk, which stands in the log", testDesk},
		{"two accounts approve so much for each other on a day", testPairs},
		{"who vouches at the laptop proves it", testVouch},
		{"two organisations do not see each other", testApart},
		{"what one account may do alone is counted for its day", testSpend},
		{"what is kept is taken once", testKept},
		{"every change stands in the log", testLog},
		{"a change without an entry is none", testNoEntry},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, NewWorld(t, open)) })
	}
}

// Start is when a World begins.
var Start = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// A World is one organisation's door, with a clock that tests move.
type World struct {
	Door  *access.Door
	Now   time.Time
	Store access.Store
	open  Open
	// TOTP are the secrets of those who joined.
	TOTP map[string][]byte
}

var laptop = access.Laptop{ID: "operator", Role: access.OrgAdmin}

const (
	home  = "192.0.2.7"
	other = "198.51.100.9"
	// good is a password of everybody here.
	good = "vier Esel tragen Salz"
)

var ctx = context.Background()

// NewWorld opens an organisation without accounts.
func NewWorld(t testing.TB, open Open) *World {
	w := &World{Now: Start, open: open, TOTP: map[string][]byte{}}
	w.Store = open(t, "org-a", func() time.Time { return w.Now })
	w.Door = w.door(w.Store)
	return w
}

func (w *World) door(s access.Store) *access.Door {
	return &access.Door{Store: s, Now: func() time.Time { return w.Now }, Cost: access.Cost{Memory: 64, Passes: 1, Lanes: 1}}
}

// pass lets time go by; at least a step of one-time codes.
func (w *World) pass(d time.Duration) { w.Now = w.Now.Add(d) }

// Code is the one-time code that an account's phone shows now.
func (w *World) Code(account string) string { return code(w.TOTP[account], w.Now) }

// code is made by the library's own clockwork, which the door does not use.
func code(secret []byte, at time.Time) string {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	c, err := totp.GenerateCodeCustom(text, at, totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		panic(err)
	}
	return c
}

// Join makes an account with roles and lets it accept its invitation.
func (w *World) Join(t testing.TB, id string, roles ...access.Role) access.Ticket {
	t.Helper()
	secret, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: id, Roles: roles, Language: "en"})
	must(t, err)
	return w.accept(t, secret)
}

func (w *World) accept(t testing.TB, secret string) access.Ticket {
	t.Helper()
	in, err := w.Door.Invitation(ctx, secret)
	must(t, err)
	w.TOTP[in.Account.ID] = in.TOTP
	ticket, err := w.Door.Accept(ctx, secret, good, w.Code(in.Account.ID), home)
	must(t, err)
	return ticket
}

// enter signs an account in, a step of codes later.
func (w *World) enter(t testing.TB, id string) access.Ticket {
	t.Helper()
	w.pass(30 * time.Second)
	ticket, err := w.Door.SignIn(ctx, w.attempt(id))
	must(t, err)
	return ticket
}

func (w *World) attempt(id string) access.Attempt {
	return access.Attempt{Account: id, Password: good, Code: w.Code(id), Address: home}
}

// session is who comes with a ticket's token now.
func (w *World) session(t testing.TB, ticket access.Ticket) *access.Session {
	t.Helper()
	s, err := w.Door.Session(ctx, ticket.Token)
	must(t, err)
	return s
}

// log is the organisation's, without its numbers; it is proved.
func (w *World) log(t testing.TB) (lines []string) {
	t.Helper()
	a, ok := w.Store.(interface {
		Audit(context.Context, func(*access.Entry) error) error
	})
	if !ok {
		t.Fatal("the store has no log")
	}
	var chain access.Chain
	must(t, a.Audit(ctx, func(e *access.Entry) error {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", e.Actor.ID, e.Action, e.Object, e.Detail))
		return chain.Add(e)
	}))
	return lines
}

// logged counts the entries of an action.
func (w *World) logged(t testing.TB, action string) (n int) {
	t.Helper()
	for _, l := range w.log(t) {
		if strings.Contains(l, " "+action+" ") {
			n++
		}
	}
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, what string, err, is error) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("%s: %v, want %v", what, err, is)
	}
}

// testInvitation is THREATS 4.7 row 32.
func testInvitation(t *testing.T, w *World) {
	secret, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "Amina", Roles: []access.Role{access.OrgAdmin}})
	must(t, err)
	_, err = w.Door.Invite(ctx, laptop, access.NewAccount{ID: " amina ", Roles: []access.Role{access.Registrar}})
	want(t, "the same account", err, access.ErrTaken)
	in, err := w.Door.Invitation(ctx, secret)
	must(t, err)
	if in.Account.ID != "amina" || in.Account.Org != "org-a" || len(in.Account.Handle) != 32 || in.Account.HasPassword || len(in.TOTP) != 20 {
		t.Errorf("invitation: %+v", in)
	}
	for _, bad := range []string{"", "x", secret + "x", strings.Repeat("y", 5000), secret[:42] + "\x00"} {
		_, err := w.Door.Invitation(ctx, bad)
		want(t, "a guessed invitation", err, access.ErrNoInvite)
	}
	_, err = w.Door.Accept(ctx, secret, "short", code(in.TOTP, w.Now), home)
	want(t, "a short password", err, access.ErrPassword)
	_, err = w.Door.Accept(ctx, secret, good, code(in.TOTP, w.Now.Add(time.Hour)), home)
	want(t, "a wrong code", err, access.ErrSignIn)
	w.TOTP["amina"] = in.TOTP
	ticket, err := w.Door.Accept(ctx, secret, good, code(in.TOTP, w.Now), home)
	must(t, err)
	if s := w.session(t, ticket); s.Account.ID != "amina" || !s.Account.HasPassword || !s.Account.HasTOTP || !slices.Equal(s.Roles, []access.Role{access.OrgAdmin}) {
		t.Errorf("session: %+v", s)
	}
	_, err = w.Door.Accept(ctx, secret, good+"!", code(in.TOTP, w.Now), home)
	want(t, "a used invitation", err, access.ErrNoInvite)
	_, err = w.Door.InviteAgain(ctx, laptop, "amina")
	want(t, "an invitation beside a way in", err, access.ErrTaken)

	first, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "bilal", Roles: []access.Role{access.Registrar}})
	must(t, err)
	second, err := w.Door.InviteAgain(ctx, laptop, "bilal")
	must(t, err)
	_, err = w.Door.Invitation(ctx, first)
	want(t, "the invitation before", err, access.ErrNoInvite)
	w.pass(access.InviteLife - time.Second)
	_, err = w.Door.Invitation(ctx, second)
	must(t, err)
	w.pass(time.Second)
	_, err = w.Door.Invitation(ctx, second)
	want(t, "an old invitation", err, access.ErrNoInvite)
	_, err = w.Door.Accept(ctx, second, good, "000000", home)
	want(t, "an old invitation accepted", err, access.ErrNoInvite)

	for _, id := range []string{"", "Ami na", "door", "device-0102", "\u0430mina"} {
		if _, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: id, Roles: []access.Role{access.Registrar}}); err == nil {
			t.Errorf("%q became an account", id)
		}
	}
	scope := &access.Scope{Agreement: "ag-1", Fields: []string{"name"}, Areas: []string{"A"}, Purpose: "census"}
	for _, n := range []access.NewAccount{
		{ID: "r", Roles: nil},
		{ID: "r", Roles: []access.Role{"boss"}},
		{ID: "r", Roles: []access.Role{access.System}},
		{ID: "r", Roles: []access.Role{access.Registrar, access.Registrar}},
		{ID: "r", Roles: []access.Role{access.Registrar, access.Auditor}},
		{ID: "r", Roles: []access.Role{access.PlatformOperator, access.Registrar}},
		{ID: "r", Roles: []access.Role{access.Partner}},
		{ID: "r", Roles: []access.Role{access.Partner}, Scope: &access.Scope{Agreement: "ag-1"}},
		{ID: "r", Roles: []access.Role{access.Registrar}, Scope: scope},
		{ID: "r", Roles: []access.Role{access.Partner, access.Registrar}, Scope: scope},
	} {
		_, err := w.Door.Invite(ctx, laptop, n)
		want(t, fmt.Sprint("roles ", n.Roles), err, access.ErrRoles)
	}
	_, err = w.Door.Invite(ctx, laptop, access.NewAccount{ID: "ministry", Roles: []access.Role{access.Partner}, Scope: scope})
	must(t, err)
	a, err := w.Door.Account(ctx, laptop, "ministry")
	must(t, err)
	if a.Scope == nil || a.Scope.Purpose != "census" || !slices.Equal(a.Scope.Areas, scope.Areas) {
		t.Errorf("scope: %+v", a.Scope)
	}
}

func testSignIn(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	ticket := w.enter(t, "amina")
	s := w.session(t, ticket)
	if s.Account.ID != "amina" || s.Account.Org != "org-a" || !s.Proved.Equal(w.Now) || s.Way != access.ByPassword {
		t.Errorf("session: %+v", s)
	}
	w.pass(time.Minute)
	for name, a := range map[string]access.Attempt{
		"another password": {Account: "amina", Password: good + " ", Code: w.Code("amina"), Address: home},
		"no password":      {Account: "amina", Code: w.Code("amina"), Address: home},
		"no code":          {Account: "amina", Password: good, Address: home},
		"an old code":      {Account: "amina", Password: good, Code: code(w.TOTP["amina"], w.Now.Add(-5*time.Minute)), Address: home},
	} {
		_, err := w.Door.SignIn(ctx, a)
		want(t, name, err, access.ErrSignIn)
	}
	// An accent typed as two characters, a phone half a minute slow, a capital in the account.
	must(t, w.Door.SetPassword(ctx, s2(t, w, "amina"), "", "Dáil na hÉireann 42"))
	w.pass(time.Minute)
	_, err := w.Door.SignIn(ctx, access.Attempt{Account: " AMINA", Password: "Da\u0301il na hE\u0301ireann 42", Code: code(w.TOTP["amina"], w.Now.Add(-30*time.Second)), Address: home})
	must(t, err)
}

// s2 is a fresh session of an account.
func s2(t testing.TB, w *World, id string) *access.Session {
	t.Helper()
	return w.session(t, w.enter(t, id))
}

// testNobody is THREATS 4.7 row 28; the work is compared in package access.
func testNobody(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	_, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "invited", Roles: []access.Role{access.Registrar}})
	must(t, err)
	w.Join(t, "closed", access.Registrar)
	must(t, w.Door.Disable(ctx, laptop, "closed", "left"))
	var answers []string
	for _, id := range []string{"amina", "nobody", "invited", "closed", "no account at all \x00"} {
		w.pass(30 * time.Second)
		a := w.attempt("closed")
		if a.Account = id; id == "amina" {
			a.Password = "something else of hers"
		}
		for range 8 { // through the delay as well
			_, err := w.Door.SignIn(ctx, a)
			answers = append(answers, fmt.Sprintf("%T %v", err, err))
		}
	}
	for i, a := range answers {
		if a != answers[i%8] {
			t.Errorf("try %d of account %d: %q, of the first account %q", i%8, i/8, a, answers[i%8])
		}
	}
}

// testCodeOnce is THREATS 4.7 row 29.
func testCodeOnce(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	w.pass(time.Minute)
	a := w.attempt("amina")
	_, err := w.Door.SignIn(ctx, a)
	must(t, err)
	_, err = w.Door.SignIn(ctx, a)
	want(t, "the same code", err, access.ErrSignIn)
	a.Code = code(w.TOTP["amina"], w.Now.Add(-30*time.Second))
	_, err = w.Door.SignIn(ctx, a)
	want(t, "the code before it", err, access.ErrSignIn)
	w.pass(30 * time.Second)
	_, err = w.Door.SignIn(ctx, a)
	want(t, "the used code half a minute later", err, access.ErrSignIn)
	w.enter(t, "amina")
	// Of many at once with one code, one comes in.
	w.pass(time.Minute)
	a = w.attempt("amina")
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { _, err := w.Door.SignIn(ctx, a); errs <- err }()
	}
	in := 0
	for range cap(errs) {
		if <-errs == nil {
			in++
		}
	}
	if in != 1 {
		t.Errorf("%d came in by one code", in)
	}
}

// testDelay is THREATS 4.7 rows 27 and 29.
func testDelay(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	bad := access.Attempt{Account: "amina", Password: "guessed and wrong", Code: "000000", Address: other}
	var delay *access.DelayError
	failed := 0
	for range 60 {
		if _, err := w.Door.SignIn(ctx, bad); errors.As(err, &delay) {
			break
		}
		failed++
	}
	if failed != 5 || delay == nil || delay.After != time.Second {
		t.Fatalf("%d tries before a delay of %v, want 5 and one second", failed, delay)
	}
	longest := time.Duration(0)
	for range 12 {
		w.pass(delay.After)
		if _, err := w.Door.SignIn(ctx, bad); !errors.Is(err, access.ErrSignIn) {
			t.Fatalf("after the delay: %v", err)
		}
		if _, err := w.Door.SignIn(ctx, bad); !errors.As(err, &delay) {
			t.Fatalf("at once after it: %v", err)
		}
		longest = max(longest, delay.After)
	}
	if longest != 5*time.Minute {
		t.Errorf("the longest delay is %v", longest)
	}
	right := w.attempt("amina")
	right.Address = other
	if _, err := w.Door.SignIn(ctx, right); !errors.As(err, &delay) {
		t.Errorf("guessed within the delay: %v", err)
	}
	w.enter(t, "amina") // from where she was let in before
	w.pass(5 * time.Minute)
	right = w.attempt("amina")
	right.Address = other
	_, err := w.Door.SignIn(ctx, right) // and from anywhere after the delay: nothing is locked
	must(t, err)
	if n := w.logged(t, "account.sign-in-failed"); n == 0 || n > 6 {
		t.Errorf("%d entries of failed tries", n)
	}
	if l := w.log(t); !slices.ContainsFunc(l, func(s string) bool { return strings.Contains(s, "account.sign-in amina by=password failed=") }) {
		t.Errorf("no entry says how many failed before: %q", l)
	}
}

func testManyTries(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	errs := make(chan error, 40)
	for range cap(errs) {
		go func() {
			_, err := w.Door.SignIn(ctx, access.Attempt{Account: "amina", Password: "guessed and wrong", Code: "123456", Address: other})
			errs <- err
		}()
	}
	judged := 0
	for range cap(errs) {
		if errors.Is(<-errs, access.ErrSignIn) {
			judged++
		}
	}
	if judged != 5 {
		t.Errorf("%d of many tries at once were judged, want 5", judged)
	}
}

// testSpread: 60 networks try one account, and one network tries 120 accounts.
func testSpread(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	var delay *access.DelayError
	judged := 0
	for i := range 60 {
		_, err := w.Door.SignIn(ctx, access.Attempt{Account: "amina", Password: "guessed and wrong", Address: fmt.Sprintf("203.0.113.%d", i)})
		if !errors.As(err, &delay) {
			judged++
		}
	}
	if judged != 10 {
		t.Errorf("%d networks were judged at once, want 10", judged)
	}
	for i := range 12 { // until the account's delay is at its longest
		w.pass(delay.After)
		for range 2 {
			_, err := w.Door.SignIn(ctx, access.Attempt{Account: "amina", Password: "guessed and wrong", Address: fmt.Sprintf("203.0.113.%d", 100+i)})
			errors.As(err, &delay)
		}
	}
	if delay.After != 30*time.Second {
		t.Errorf("kept out elsewhere for %v", delay.After)
	}
	_, err := w.Door.SignIn(ctx, w.attempt("amina")) // she is known at home
	must(t, err)
	judged = 0
	for i := range 120 { // one /64 of IPv6 is one network
		_, err := w.Door.SignIn(ctx, access.Attempt{Account: fmt.Sprintf("clerk-%d", i), Password: "guessed and wrong", Address: fmt.Sprintf("2001:db8::%x", i+1)})
		if !errors.As(err, &delay) {
			judged++
		}
	}
	if judged != 50 {
		t.Errorf("%d accounts were tried from one network, want 50", judged)
	}
}

func testRehash(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	stored := func() (p string) {
		must(t, w.Store.ReadAccess(ctx, func(v access.View) error {
			r, err := v.Account("amina")
			p = r.Password
			return err
		}))
		return p
	}
	before := stored()
	if !strings.HasPrefix(before, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("stored: %q", before)
	}
	w.enter(t, "amina")
	if stored() != before {
		t.Error("hashed anew without need")
	}
	w.Door.Cost.Passes = 2
	w.enter(t, "amina")
	if after := stored(); !strings.HasPrefix(after, "$argon2id$v=19$m=64,t=2,p=1$") {
		t.Errorf("after the cost rose: %q", after)
	}
	w.Door.Cost.Passes = 1 // an older program beside it does not weaken it
	w.enter(t, "amina")
	if after := stored(); !strings.Contains(after, ",t=2,") {
		t.Errorf("weakened: %q", after)
	}
}
