package accesstest

import (
	"slices"
	"testing"

	"aidpass/access"
)

var staff = []access.Role{access.Registrar}

// testGrant: one administrator cannot make both people that four eyes need.
func testGrant(t *testing.T, w *World) {
	w.Join(t, "admin", access.OrgAdmin)
	admin := func() *access.Session { return s2(t, w, "admin") }
	_, err := w.Door.Invite(ctx, admin(), access.NewAccount{ID: "ghost", Roles: []access.Role{access.Approver}})
	want(t, "an approver by one administrator", err, access.ErrTwoAdmins)
	_, _, err = w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantInvite, Account: "ghost", Roles: staff})
	want(t, "where there is no other administrator", err, access.ErrOneAdmin)
	w.Join(t, "second", access.OrgAdmin)

	_, err = w.Door.Invite(ctx, admin(), access.NewAccount{ID: "point", Roles: []access.Role{access.Verifier}})
	must(t, err)
	want(t, "more roles by one", w.Door.SetRoles(ctx, admin(), "point", 0, []access.Role{access.Verifier, access.Approver}, nil), access.ErrTwoAdmins)
	a, _, err := w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantRoles, Account: "point", Roles: []access.Role{access.Verifier, access.Approver}})
	must(t, err)
	_, err = w.Door.Approve(ctx, admin(), a.ID, a.Hash, nil)
	want(t, "by the same", err, access.ErrOwnApproval)
	_, err = w.Door.Approve(ctx, s2(t, w, "second"), a.ID, a.Hash, nil)
	must(t, err)
	_, err = w.Door.InviteAgain(ctx, admin(), "point")
	want(t, "another invitation of an approver", err, access.ErrTwoAdmins)

	b, secret, err := w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantInvite, Account: " Ghost", Roles: staff, Language: "sw"})
	must(t, err)
	if g, err := access.GrantOf(b); err != nil || g.Account != "ghost" || !slices.Equal(g.Roles, staff) {
		t.Errorf("asked for %+v, %v", g, err)
	}
	_, err = w.Door.Invitation(ctx, secret)
	want(t, "before the second", err, access.ErrNoInvite)
	for range 2 {
		_, err = w.Door.Approve(ctx, s2(t, w, "second"), b.ID, b.Hash, nil)
		must(t, err)
	}
	got := w.accept(t, secret).Session.Account
	if !slices.Equal(got.Roles, staff) || got.Language != "sw" || got.Given != (access.Given{By: "admin", Second: "second"}) {
		t.Errorf("made: %+v", got)
	}

	c, again, err := w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantAgain, Account: "point"})
	must(t, err)
	_, err = w.Door.Approve(ctx, s2(t, w, "second"), c.ID, c.Hash, nil)
	must(t, err)
	w.accept(t, again)
	_, _, err = w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantAgain, Account: "point"})
	want(t, "who came in", err, access.ErrTaken)

	// What the second administrator saw is what counts.
	e, _, err := w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantRoles, Account: "ghost", Roles: []access.Role{access.Registrar, access.Issuer}})
	must(t, err)
	must(t, w.Door.SetRoles(ctx, admin(), "ghost", 0, []access.Role{access.Verifier}, nil))
	_, err = w.Door.Approve(ctx, s2(t, w, "second"), e.ID, e.Hash, nil)
	want(t, "an account that changed since", err, access.ErrStale)

	// Nobody is the second for their own roles.
	f, _, err := w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantRoles, Account: "second", Roles: []access.Role{access.OrgAdmin, access.Approver}})
	want(t, "roles of the only other administrator", err, access.ErrOneAdmin)
	w.Join(t, "third", access.OrgAdmin)
	f, _, err = w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantRoles, Account: "second", Roles: []access.Role{access.OrgAdmin, access.Approver}})
	must(t, err)
	_, err = w.Door.Approve(ctx, s2(t, w, "second"), f.ID, f.Hash, nil)
	want(t, "one's own roles", err, access.ErrOwnApproval)
	_, _, err = w.Door.AskGrant(ctx, admin(), access.Grant{Kind: access.GrantRoles, Account: "admin", Roles: staff})
	want(t, "asking for oneself", err, access.ErrOwnAccount)
	scope := &access.Scope{Agreement: "a-1", Fields: []string{"name"}, Areas: []string{"KE007"}, Purpose: "food"}
	_, err = w.Door.Invite(ctx, laptop, access.NewAccount{ID: "ministry", Roles: []access.Role{access.Partner}, Scope: scope})
	must(t, err)
	wide := *scope
	wide.Areas = []string{"KE007", "KE008"}
	want(t, "more areas by one", w.Door.SetRoles(ctx, admin(), "ministry", 0, []access.Role{access.Partner}, &wide), access.ErrTwoAdmins)
}

// testOwnMade: whoever holds the keys makes accounts alone, and none of them is their second.
func testOwnMade(t *testing.T, w *World) {
	o := newOffice(t, w)
	keys := access.Laptop{ID: "amina", Role: access.OrgAdmin}
	secret, err := w.Door.Invite(ctx, keys, access.NewAccount{ID: "puppet", Roles: []access.Role{access.Approver}})
	must(t, err)
	w.accept(t, secret)
	a := o.ask(t, "amina")
	puppet := s2(t, w, "puppet")
	if w.Door.CanApprove(puppet, a) {
		t.Error("the page offers it")
	}
	_, err = w.Door.Approve(ctx, puppet, a.ID, a.Hash, nil)
	want(t, "who was let in by who asked, alone", err, access.ErrOwnMade)
	b := o.ask(t, "both")
	_, err = w.Door.Approve(ctx, s2(t, w, "puppet"), b.ID, b.Hash, nil)
	must(t, err)
}
