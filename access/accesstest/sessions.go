package accesstest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"aidpass/access"
)

// testSessionEnds is THREATS 4.7 rows 12 and 13.
func testSessionEnds(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	ticket := w.enter(t, "amina")
	for _, bad := range []string{"", "x", ticket.Token + "x", ticket.Session.ID} {
		_, err := w.Door.Session(ctx, bad)
		want(t, "a made-up token", err, access.ErrNoSession)
	}
	for range 23 {
		w.pass(access.SessionIdle - time.Second)
		w.session(t, ticket) // at work
	}
	w.pass(access.SessionIdle) // 11 h 29 min 37 s and half an hour
	_, err := w.Door.Session(ctx, ticket.Token)
	want(t, "an idle session", err, access.ErrNoSession)

	ticket = w.enter(t, "amina")
	for i := w.Now; w.Now.Sub(i) < access.SessionLife-20*time.Minute; w.pass(20 * time.Minute) {
		w.session(t, ticket)
	}
	w.session(t, ticket)
	w.pass(20*time.Minute - time.Second)
	w.session(t, ticket)
	w.pass(time.Second)
	_, err = w.Door.Session(ctx, ticket.Token)
	want(t, "a session of twelve hours", err, access.ErrNoSession)

	a, b := w.enter(t, "amina"), w.enter(t, "amina")
	sessions, err := w.Door.Sessions(ctx, w.session(t, a))
	must(t, err)
	if len(sessions) != 2 || sessions[0].ID != b.Session.ID {
		t.Errorf("sessions: %+v", sessions)
	}
	must(t, w.Door.SignOut(ctx, a.Token))
	_, err = w.Door.Session(ctx, a.Token)
	want(t, "after signing out", err, access.ErrNoSession)
	want(t, "signing out again", w.Door.SignOut(ctx, a.Token), access.ErrNoSession)
	s := w.session(t, b)
	want(t, "ending nobody's session", w.Door.EndSession(ctx, s, a.Session.ID), access.ErrNoSession)
	w.Join(t, "bilal", access.Registrar)
	c := w.enter(t, "bilal")
	want(t, "ending somebody's session", w.Door.EndSession(ctx, s, c.Session.ID), access.ErrNoSession)
	must(t, w.Door.EndSession(ctx, w.session(t, c), c.Session.ID))
	_, err = w.Door.Session(ctx, c.Token)
	want(t, "ended", err, access.ErrNoSession)
	if n := w.logged(t, "account.sign-out"); n != 2 {
		t.Errorf("%d entries of signing out, want 2", n)
	}
	w.Now = Start.Add(-time.Hour) // a clock set back lets nobody stay for ever
	_, err = w.Door.Session(ctx, b.Token)
	want(t, "a clock set back", err, access.ErrNoSession)
}

// testStepUp is THREATS 4.7 row 10.
func testStepUp(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "bilal", access.OrgAdmin)
	before := w.enter(t, "admin")
	s := w.session(t, before)
	must(t, s.Check(access.AccountInvite, w.Now))
	must(t, s.Check(access.AccountInvite, w.Now.Add(access.StepUpLife)))
	want(t, "a proof of identity that is old", s.Check(access.AccountInvite, w.Now.Add(access.StepUpLife+time.Second)), access.ErrStepUp)
	want(t, "one from the future", s.Check(access.AccountInvite, w.Now.Add(-time.Second)), access.ErrStepUp)
	want(t, "an act of others", s.Check(access.PersonRead, w.Now), access.ErrNotAllowed)
	must(t, s.Check(access.AccountRead, w.Now.Add(time.Hour)))

	w.pass(10 * time.Minute)
	_, err := w.Door.Invite(ctx, w.session(t, before), access.NewAccount{ID: "c", Roles: []access.Role{access.Registrar}})
	want(t, "an invitation without proof", err, access.ErrStepUp)
	want(t, "a password without proof", w.Door.SetPassword(ctx, w.session(t, before), before.Token, good+" und Brot"), access.ErrStepUp)
	_, err = w.Door.StepUp(ctx, before.Token, access.Attempt{Password: good, Code: "000000", Address: home})
	want(t, "a wrong code", err, access.ErrSignIn)
	a := w.attempt("bilal")
	_, err = w.Door.StepUp(ctx, before.Token, a)
	want(t, "somebody else's code", err, access.ErrSignIn)
	after, err := w.Door.StepUp(ctx, before.Token, w.attempt("admin"))
	must(t, err)
	if after.Token == before.Token || !after.Session.Created.Equal(before.Session.Created) || !after.Session.Proved.Equal(w.Now) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	_, err = w.Door.Session(ctx, before.Token)
	want(t, "the token from before", err, access.ErrNoSession)
	_, err = w.Door.StepUp(ctx, before.Token, w.attempt("admin"))
	want(t, "a step-up of a session that ended", err, access.ErrNoSession)
	_, err = w.Door.Invite(ctx, w.session(t, after), access.NewAccount{ID: "c", Roles: []access.Role{access.Verifier}})
	must(t, err)
	if n := w.logged(t, "account.step-up"); n != 1 {
		t.Errorf("%d entries of a step-up", n)
	}
}

// testRoleTaken is THREATS 4.7 row 9.
func testRoleTaken(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "amina", access.Registrar, access.Approver)
	ticket := w.enter(t, "amina")
	must(t, w.session(t, ticket).Check(access.ImportApprove, w.Now))
	a, err := w.Door.Account(ctx, laptop, "amina")
	must(t, err)
	admin := s2(t, w, "admin")
	want(t, "a change of what is not there any more", w.Door.SetRoles(ctx, admin, "amina", a.Version-1, []access.Role{access.Registrar}, nil), access.ErrStale)
	must(t, w.Door.SetRoles(ctx, admin, "amina", a.Version, []access.Role{access.Registrar}, nil))
	want(t, "the role of before", w.session(t, ticket).Check(access.ImportApprove, w.Now), access.ErrNotAllowed)
	must(t, w.session(t, ticket).Check(access.PersonEnter, w.Now))
	want(t, "roles given by a registrar", w.Door.SetRoles(ctx, w.session(t, ticket), "admin", 0, []access.Role{access.Registrar}, nil), access.ErrNotAllowed)
	want(t, "nobody's roles", w.Door.SetRoles(ctx, admin, "nobody", 0, []access.Role{access.Registrar}, nil), access.ErrNoAccount)
}

func testDisabled(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "amina", access.Registrar)
	ticket := w.enter(t, "amina")
	secret, _, err := w.Door.MakeToken(ctx, w.session(t, ticket), access.NewToken{Name: "kobo", Acts: []access.Act{access.ImportLoad}, Until: w.Now.Add(time.Hour)})
	must(t, err)
	admin := s2(t, w, "admin")
	must(t, w.Door.Disable(ctx, admin, "amina", "left"))
	_, err = w.Door.Session(ctx, ticket.Token)
	want(t, "a session of a closed account", err, access.ErrNoSession)
	_, err = w.Door.Token(ctx, secret)
	want(t, "a token of a closed account", err, access.ErrNoToken)
	w.pass(time.Minute)
	_, err = w.Door.SignIn(ctx, w.attempt("amina"))
	want(t, "signing in", err, access.ErrSignIn)
	admin = s2(t, w, "admin")
	must(t, w.Door.Enable(ctx, admin, "amina", "came back"))
	w.enter(t, "amina")
	_, err = w.Door.Session(ctx, ticket.Token)
	want(t, "the session of before", err, access.ErrNoSession)

	ticket = w.enter(t, "amina")
	must(t, w.Store.WriteAccess(ctx, access.Actor(laptop), func(tx access.Tx) error { // closed by a program that left the session
		r, err := tx.Account("amina")
		must(t, err)
		r.Disabled = true
		must(t, tx.SaveAccount(r))
		return tx.Audit(access.Entry{Action: "account.disable", Object: "amina"})
	}))
	_, err = w.Door.Session(ctx, ticket.Token)
	want(t, "a session that was left", err, access.ErrNoSession)

	invited, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "new", Roles: []access.Role{access.Registrar}})
	must(t, err)
	must(t, w.Door.Disable(ctx, laptop, "new", "never came"))
	_, err = w.Door.Invitation(ctx, invited)
	want(t, "an invitation of a closed account", err, access.ErrNoInvite)
	must(t, w.Door.Enable(ctx, laptop, "new", "came"))
	_, err = w.Door.Invitation(ctx, invited)
	want(t, "an invitation that ended", err, access.ErrNoInvite)
}

func testOwnRoles(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	admin := s2(t, w, "admin")
	want(t, "one's own roles", w.Door.SetRoles(ctx, admin, "admin", 0, []access.Role{access.OrgAdmin, access.Approver}, nil), access.ErrOwnAccount)
	want(t, "closing oneself", w.Door.Disable(ctx, admin, "admin", ""), access.ErrOwnAccount)
	want(t, "the last administrator", w.Door.Disable(ctx, laptop, "admin", ""), access.ErrLastAdmin)
	want(t, "the last administrator's role", w.Door.SetRoles(ctx, laptop, "admin", 0, []access.Role{access.Registrar}, nil), access.ErrLastAdmin)
	_, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "second", Roles: []access.Role{access.OrgAdmin}})
	must(t, err)
	want(t, "one beside whom nobody came in yet", w.Door.Disable(ctx, laptop, "admin", ""), access.ErrLastAdmin)
	again, err := w.Door.InviteAgain(ctx, laptop, "second")
	must(t, err)
	w.accept(t, again)
	must(t, w.Door.Disable(ctx, laptop, "admin", "left"))
}

func passkey(id string, count uint32) access.Passkey {
	return access.Passkey{ID: []byte(id), Key: []byte("cose key of " + id), SignCount: count, Transports: []string{"usb", "nfc"}, AAGUID: [16]byte{1, 2}, BackupEligible: true, Name: "stick"}
}

// testPasskey is what of THREATS 4.7 row 30 is decided here.
func testPasskey(t *testing.T, w *World) {
	secret, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "amina", Roles: []access.Role{access.Registrar}})
	must(t, err)
	ticket, err := w.Door.AcceptPasskey(ctx, secret, passkey("k1", 7), home)
	must(t, err)
	s := w.session(t, ticket)
	if k := s.Account.Passkeys; len(k) != 1 || string(k[0].Key) != "cose key of k1" || !slices.Equal(k[0].Transports, []string{"usb", "nfc"}) || k[0].AAGUID != [16]byte{1, 2} || !k[0].BackupEligible || k[0].SignCount != 7 {
		t.Errorf("passkeys: %+v", k)
	}
	owner, err := w.Door.PasskeyOwner(ctx, []byte("k1"))
	must(t, err)
	if owner.ID != "amina" || string(owner.Handle) != string(s.Account.Handle) {
		t.Errorf("owner: %+v", owner)
	}
	_, err = w.Door.SignInPasskey(ctx, access.PasskeyProof{ID: []byte("k1"), SignCount: 8, BackedUp: true, Address: home})
	must(t, err)
	for _, n := range []uint32{8, 7, 0} {
		_, err = w.Door.SignInPasskey(ctx, access.PasskeyProof{ID: []byte("k1"), SignCount: n, Address: home})
		want(t, "a counter that does not rise", err, access.ErrSignIn)
	}
	if n := w.logged(t, "account.passkey-refused"); n != 3 {
		t.Errorf("%d entries of a copied passkey, want 3", n)
	}
	_, err = w.Door.SignInPasskey(ctx, access.PasskeyProof{ID: []byte("k2"), SignCount: 1, Address: home})
	want(t, "an unknown passkey", err, access.ErrSignIn)

	w.Join(t, "bilal", access.Registrar)
	bilal := w.enter(t, "bilal")
	want(t, "a passkey that another has", w.Door.AddPasskey(ctx, w.session(t, bilal), passkey("k1", 0)), access.ErrTaken)
	must(t, w.Door.AddPasskey(ctx, w.session(t, bilal), passkey("k3", 0)))
	_, err = w.Door.StepUpPasskey(ctx, bilal.Token, access.PasskeyProof{ID: []byte("k1"), SignCount: 20, Address: home})
	want(t, "a step-up by another's passkey", err, access.ErrSignIn)
	for range 2 { // an authenticator without a counter says 0 for ever
		bilal, err = w.Door.StepUpPasskey(ctx, bilal.Token, access.PasskeyProof{ID: []byte("k3"), Address: home})
		must(t, err)
	}
	must(t, w.Door.Disable(ctx, laptop, "bilal", "left"))
	_, err = w.Door.SignInPasskey(ctx, access.PasskeyProof{ID: []byte("k3"), Address: home})
	want(t, "a closed account's passkey", err, access.ErrSignIn)
	_, err = w.Door.PasskeyOwner(ctx, []byte("k3"))
	want(t, "its owner", err, access.ErrSignIn)
}

// testSubject is what of THREATS 4.7 row 31 is decided here.
func testSubject(t *testing.T, w *World) {
	secret, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "amina", Roles: []access.Role{access.Registrar}})
	must(t, err)
	amina := access.Subject{Issuer: "https://id.example", Subject: "248289761001"}
	_, err = w.Door.AcceptSubject(ctx, secret, amina, home)
	must(t, err)
	ticket, err := w.Door.SignInSubject(ctx, amina, home)
	must(t, err)
	for _, s := range []access.Subject{{Issuer: "https://id.example/", Subject: amina.Subject}, {Issuer: "https://other.example", Subject: amina.Subject}, {Issuer: amina.Issuer, Subject: "24828976100"},
		{Issuer: amina.Issuer + amina.Subject}, {}} {
		_, err := w.Door.SignInSubject(ctx, s, home)
		want(t, "another identity", err, access.ErrSignIn)
	}
	again, err := w.Door.StepUpSubject(ctx, ticket.Token, amina, home)
	must(t, err)
	_, err = w.Door.StepUpSubject(ctx, again.Token, access.Subject{Issuer: amina.Issuer, Subject: "7"}, home)
	want(t, "a step-up by another identity", err, access.ErrSignIn)
	w.Join(t, "bilal", access.Registrar)
	want(t, "an identity that another has", w.Door.AddSubject(ctx, s2(t, w, "bilal"), amina), access.ErrTaken)
	want(t, "an identity of nobody", justErr(w.Door.AddSubject(ctx, s2(t, w, "bilal"), access.Subject{Issuer: "https://id.example"})), errAny)
}

// errAny stands for any error.
var errAny = errors.New("any error")

func justErr(err error) error {
	if err != nil {
		return errAny
	}
	return nil
}

func testOwnWays(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	a, b := w.enter(t, "amina"), w.enter(t, "amina")
	s := w.session(t, b)
	want(t, "a password everybody uses", w.Door.SetPassword(ctx, s, b.Token, "password123456"), access.ErrPassword)
	const newer = "sechs Kamele am Brunnen"
	must(t, w.Door.SetPassword(ctx, s, b.Token, newer))
	_, err := w.Door.Session(ctx, a.Token)
	want(t, "the other session after a new password", err, access.ErrNoSession)
	w.session(t, b)
	w.pass(time.Minute)
	_, err = w.Door.SignIn(ctx, w.attempt("amina"))
	want(t, "the password of before", err, access.ErrSignIn)
	next := w.attempt("amina")
	next.Password = newer
	b, err = w.Door.SignIn(ctx, next)
	must(t, err)

	s = w.session(t, b)
	secret, err := w.Door.NewTOTP(ctx, s)
	must(t, err)
	want(t, "a code of the old secret", w.Door.ConfirmTOTP(ctx, s, b.Token, w.Code("amina")), access.ErrSignIn)
	w.pass(time.Minute)
	next.Code = w.Code("amina")
	b, err = w.Door.SignIn(ctx, next) // the old one holds until the new one was confirmed
	must(t, err)
	must(t, w.Door.ConfirmTOTP(ctx, w.session(t, b), b.Token, code(secret, w.Now)))
	next.Code = code(secret, w.Now)
	_, err = w.Door.SignIn(ctx, next)
	want(t, "the code that confirmed", err, access.ErrSignIn)
	w.TOTP["amina"] = secret
	w.pass(time.Minute)
	next.Code = w.Code("amina")
	b, err = w.Door.SignIn(ctx, next)
	must(t, err)

	must(t, w.Door.SetLanguage(ctx, w.session(t, b), "ar"))
	if s := w.session(t, b); s.Account.Language != "ar" {
		t.Errorf("language %q", s.Account.Language)
	}

	link, err := w.Door.Invite(ctx, laptop, access.NewAccount{ID: "bilal", Roles: []access.Role{access.Registrar}})
	must(t, err)
	c, err := w.Door.AcceptPasskey(ctx, link, passkey("k1", 1), home)
	must(t, err)
	s = w.session(t, c)
	want(t, "the only way in", w.Door.RemovePasskey(ctx, s, []byte("k1")), access.ErrWayIn)
	must(t, w.Door.AddPasskey(ctx, s, passkey("k2", 1)))
	must(t, w.Door.RemovePasskey(ctx, s, []byte("k1")))
	_, err = w.Door.SignInPasskey(ctx, access.PasskeyProof{ID: []byte("k1"), SignCount: 9, Address: home})
	want(t, "a passkey that was removed", err, access.ErrSignIn)
	must(t, w.Door.AddSubject(ctx, s, access.Subject{Issuer: "https://id.example", Subject: "9"}))
	must(t, w.Door.RemovePasskey(ctx, s, []byte("k2")))
	want(t, "the identity that is left", w.Door.RemoveSubject(ctx, s, access.Subject{Issuer: "https://id.example", Subject: "9"}), access.ErrWayIn)
}

func testToken(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	w.Join(t, "amina", access.Registrar, access.Approver)
	s := s2(t, w, "amina")
	until := w.Now.Add(48 * time.Hour)
	for name, n := range map[string]access.NewToken{
		"an act of others":      {Name: "x", Acts: []access.Act{access.ImportLoad, access.ExportMake}, Until: until},
		"an approval":           {Name: "x", Acts: []access.Act{access.ImportApprove}, Until: until},
		"another token":         {Name: "x", Acts: []access.Act{access.TokenMake}, Until: until},
		"an unknown act":        {Name: "x", Acts: []access.Act{"import.*"}, Until: until},
		"no act":                {Name: "x", Until: until},
		"no name":               {Acts: []access.Act{access.ImportLoad}, Until: until},
		"a time that is over":   {Name: "x", Acts: []access.Act{access.ImportLoad}, Until: w.Now},
		"a time without an end": {Name: "x", Acts: []access.Act{access.ImportLoad}, Until: w.Now.AddDate(2, 0, 0)},
	} {
		if _, _, err := w.Door.MakeToken(ctx, s, n); err == nil {
			t.Errorf("a token with %s was made", name)
		}
	}
	secret, made, err := w.Door.MakeToken(ctx, s, access.NewToken{Name: "kobo", Acts: []access.Act{access.ImportLoad, access.PersonRead}, Until: until})
	must(t, err)
	tok, err := w.Door.Token(ctx, secret)
	must(t, err)
	must(t, tok.Check(access.ImportLoad, w.Now))
	want(t, "what the token was not made for", tok.Check(access.ImportCheck, w.Now), access.ErrNotAllowed)
	if who := tok.Actor(access.ImportLoad); who.ID != "amina" || who.Role != access.Registrar || who.Device != "token-"+made.ID || who.Check() != nil {
		t.Errorf("actor %+v", who)
	}
	for _, bad := range []string{"", secret[8:], secret + "x", access.TokenPrefix, made.ID} {
		_, err := w.Door.Token(ctx, bad)
		want(t, "a made-up token", err, access.ErrNoToken)
	}
	must(t, w.Door.SetRoles(ctx, laptop, "amina", 0, []access.Role{access.Approver}, nil))
	tok, err = w.Door.Token(ctx, secret)
	must(t, err)
	want(t, "after the maker's role was taken", tok.Check(access.ImportLoad, w.Now), access.ErrNotAllowed)
	must(t, tok.Check(access.PersonRead, w.Now)) // approvers read
	must(t, w.Door.SetRoles(ctx, laptop, "amina", 0, []access.Role{access.Registrar}, nil))

	w.Join(t, "bilal", access.Registrar)
	bilal := s2(t, w, "bilal")
	list, err := w.Door.Tokens(ctx, bilal)
	must(t, err)
	if len(list) != 0 {
		t.Errorf("another's tokens: %+v", list)
	}
	want(t, "another's token", w.Door.RevokeToken(ctx, bilal, made.ID), access.ErrNoToken)
	list, err = w.Door.Tokens(ctx, s2(t, w, "admin"))
	must(t, err)
	if len(list) != 1 || list[0].Used.IsZero() || list[0].Name != "kobo" || len(list[0].Acts) != 2 {
		t.Errorf("tokens: %+v", list)
	}
	must(t, w.Door.RevokeToken(ctx, s2(t, w, "admin"), made.ID))
	must(t, w.Door.RevokeToken(ctx, s2(t, w, "admin"), made.ID))
	_, err = w.Door.Token(ctx, secret)
	want(t, "a revoked token", err, access.ErrNoToken)
	if n := w.logged(t, "token.revoke"); n != 1 {
		t.Errorf("%d entries of one revocation", n)
	}
	secret, _, err = w.Door.MakeTokenFor(ctx, laptop, "amina", access.NewToken{Name: "night", Acts: []access.Act{access.ImportLoad}, Until: until})
	must(t, err)
	w.Now = until.Add(-time.Second)
	_, err = w.Door.Token(ctx, secret)
	must(t, err)
	w.pass(time.Second)
	_, err = w.Door.Token(ctx, secret)
	want(t, "a token that is over", err, access.ErrNoToken)
}

func testKept(t *testing.T, w *World) {
	h, err := w.Door.Keep(ctx, "passkey", []byte("challenge"), time.Minute)
	must(t, err)
	_, err = w.Door.Take(ctx, "oidc", h)
	want(t, "another kind", err, access.ErrNothingKept)
	b, err := w.Door.Take(ctx, "passkey", h)
	must(t, err)
	if string(b) != "challenge" {
		t.Errorf("kept %q", b)
	}
	_, err = w.Door.Take(ctx, "passkey", h)
	want(t, "taken twice", err, access.ErrNothingKept)
	h, err = w.Door.Keep(ctx, "passkey", []byte("challenge"), time.Minute)
	must(t, err)
	w.pass(time.Minute)
	_, err = w.Door.Take(ctx, "passkey", h)
	want(t, "too late", err, access.ErrNothingKept)
	_, err = w.Door.Take(ctx, "passkey", "")
	want(t, "nothing", err, access.ErrNothingKept)
	if _, err = w.Door.Keep(ctx, "x", make([]byte, access.MaxKept+1), time.Minute); err == nil {
		t.Error("too much was kept")
	}
}

// testNoEntry holds the store to its word.
func testNoEntry(t *testing.T, w *World) {
	w.Join(t, "amina", access.Registrar)
	who := access.Actor{ID: "amina", Role: access.Registrar}
	for name, work := range map[string]func(access.Tx) error{
		"an account": func(tx access.Tx) error {
			r, err := tx.Account("amina")
			must(t, err)
			r.Roles = []access.Role{access.OrgAdmin}
			return tx.SaveAccount(r)
		},
		"an invitation": func(tx access.Tx) error {
			return tx.SaveInvite(access.Invite{Mark: access.Mark{1}, Account: "amina", Ends: w.Now.Add(time.Hour)})
		},
		"an approval": func(tx access.Tx) error {
			return tx.SaveApproval(access.Approval{ID: "a-1", Act: access.ImportSubmit, By: "amina", Payload: []byte{1}, Hash: access.HashPayload([]byte{1}), At: w.Now, Ends: w.Now.Add(time.Hour), State: access.Waiting})
		},
		"a token": func(tx access.Tx) error {
			return tx.SaveToken(access.Token{ID: "t-1", Mark: access.Mark{2}, Maker: "amina", Acts: []access.Act{access.ImportLoad}, Created: w.Now, Until: w.Now.Add(time.Hour)})
		},
	} {
		if w.Store.WriteAccess(ctx, who, work) == nil {
			t.Errorf("%s was changed without an entry", name)
		}
	}
	a, err := w.Door.Account(ctx, laptop, "amina")
	must(t, err)
	if !slices.Equal(a.Roles, []access.Role{access.Registrar}) {
		t.Errorf("roles %v", a.Roles)
	}
	fault := errors.New("fault")
	err = w.Store.WriteAccess(ctx, who, func(tx access.Tx) error {
		must(t, tx.SaveTries("x", access.Tries{Failed: 3, Last: w.Now}))
		return fault
	})
	want(t, "an error of the work", err, fault)
	must(t, w.Store.ReadAccess(ctx, func(v access.View) error {
		if n, err := v.Tries("x"); err != nil || n.Failed != 0 {
			t.Errorf("kept after an error: %+v, %v", n, err)
		}
		return nil
	}))
	if w.Store.WriteAccess(context.Background(), access.Actor{}, func(access.Tx) error { return nil }) == nil {
		t.Error("nobody wrote")
	}
}
