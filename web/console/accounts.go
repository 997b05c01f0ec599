package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"aidpass/access"
	"aidpass/web/api"
)

// accounts are the pages on which administrators invite, give roles, disable and let in
// again.
type accounts struct{ *Console }

func (a *accounts) Routes() []Route {
	roles := Many("role", 40, len(access.StaffRoles()))
	scope := []Field{Text("agreement", 100), Text("purpose", 100), Text("fields", 1000), Text("areas", 1000)}
	reason := Lines("reason", 200)
	return []Route{
		{Method: http.MethodGet, Path: "/accounts", Act: access.AccountRead, Menu: "accounts.menu", Query: []Field{Text("q", 100)}, Paged: true, Handler: a.list},
		{Method: http.MethodGet, Path: "/accounts/new", Act: access.AccountInvite, Handler: a.blank},
		{Method: http.MethodPost, Path: "/accounts/new", Act: access.AccountInvite, Form: append([]Field{Text("account", 100), Text("language", 8), roles}, scope...), Handler: a.invite},
		{Method: http.MethodGet, Path: "/accounts/of/:account", Act: access.AccountRead, Handler: a.show},
		{Method: http.MethodPost, Path: "/accounts/of/:account/roles", Act: access.AccountRoles, Form: append([]Field{Text("version", 20), roles}, scope...), Handler: a.roles},
		{Method: http.MethodPost, Path: "/accounts/of/:account/disable", Act: access.AccountDisable, Form: []Field{reason}, Handler: a.disable},
		{Method: http.MethodPost, Path: "/accounts/of/:account/enable", Act: access.AccountDisable, Form: []Field{reason}, Handler: a.enable},
		{Method: http.MethodPost, Path: "/accounts/of/:account/invite", Act: access.AccountInvite, Handler: a.again},
		{Method: http.MethodPost, Path: "/accounts/of/:account/recover", Act: access.AccountRecover, Form: []Field{reason}, Handler: a.recover},
	}
}

func (a *accounts) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

// Tell implements Teller.
func (a *accounts) Tell(p *Page, r access.Approval) ([]template.HTML, error) {
	switch r.Act {
	case access.AccountRecover:
		return []template.HTML{p.T("accounts.tell_recover", "account", r.Object), p.T("accounts.tell_ends")}, nil
	case access.AccountGrant:
		return a.tellGrant(p, r)
	}
	return nil, nil
}

// tellGrant names the account and every role, as who approves it answers for both.
func (a *accounts) tellGrant(p *Page, r access.Approval) ([]template.HTML, error) {
	g, err := access.GrantOf(r)
	if err != nil {
		return nil, err
	}
	word := map[string]string{access.GrantInvite: "accounts.tell_invite", access.GrantRoles: "accounts.tell_roles", access.GrantAgain: "accounts.tell_again"}[g.Kind]
	says := []template.HTML{p.T(word, "account", g.Account)}
	for _, role := range g.Roles {
		says = append(says, p.Word("role.", role))
	}
	if s := g.Scope; s != nil {
		says = append(says, p.T("accounts.tell_scope", "agreement", s.Agreement, "purpose", s.Purpose, "fields", strings.Join(s.Fields, ", "), "areas", strings.Join(s.Areas, ", ")))
	}
	return append(says, p.T("accounts.tell_person")), nil
}

type accountsData struct {
	Rows   []accountRow
	Paging *Paging
	Asked  string // for whom to look

	Account access.Account
	Roles   []roleBox
	Own     bool   // of who asks
	WayIn   bool   // it was signed in to, or could be
	Link    string // of an invitation, shown once
	Picture template.URL
	Waits   bool // until another administrator approves
	Ends    int  // hours
	Langs   []Language
}

type accountRow struct {
	access.Account
	WayIn bool
}

type roleBox struct {
	Role access.Role
	Has  bool
}

func boxes(has []access.Role) (list []roleBox) {
	for _, r := range access.StaffRoles() {
		list = append(list, roleBox{r, slices.Contains(has, r)})
	}
	return list
}

func wayIn(a *access.Account) bool {
	return a.HasPassword && a.HasTOTP || len(a.Passkeys) > 0 || len(a.Subjects) > 0
}

func (a *accounts) list(p *Page) error {
	all, err := a.Door.Accounts(p.Context(), p.In)
	if err != nil {
		return err
	}
	asked := strings.ToLower(p.Query.Get("q"))
	all = slices.DeleteFunc(all, func(x access.Account) bool { return !strings.Contains(x.ID, asked) })
	d := accountsData{Paging: p.Paging(len(all)), Asked: asked}
	for _, x := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, accountRow{x, wayIn(&x)})
	}
	return p.Show("accounts", "accounts.title", d)
}

func (a *accounts) find(p *Page) (access.Account, error) {
	// Whoever may act on an account may see it.
	var found access.Account
	all, err := a.Door.Accounts(p.Context(), p.In)
	if err != nil {
		return found, err
	}
	i := slices.IndexFunc(all, func(x access.Account) bool { return x.ID == p.Param("account") })
	if i < 0 {
		return found, ErrNotFound
	}
	return all[i], nil
}

func (a *accounts) show(p *Page) error {
	x, err := a.find(p)
	if err != nil {
		return err
	}
	return p.Show("account", "accounts.one", accountsData{Account: x, Roles: boxes(x.Roles), Own: access.SameAccount(x.ID, p.In.Account.ID), WayIn: wayIn(&x)}, "account", x.ID)
}

func (a *accounts) blank(p *Page) error {
	return p.Show("account_new", "accounts.new", accountsData{Roles: boxes(nil), Langs: p.Languages()})
}

// rolesOf reads the boxes and, for a partner, the scope.
func rolesOf(p *Page) (roles []access.Role, scope *access.Scope) {
	for _, r := range p.Form.All("role") {
		roles = append(roles, access.Role(r))
	}
	list := func(name string) []string {
		return strings.FieldsFunc(p.Form.Get(name), func(r rune) bool { return strings.ContainsRune(",;،؛ ", r) })
	}
	s := access.Scope{Agreement: p.Form.Get("agreement"), Purpose: p.Form.Get("purpose"), Fields: list("fields"), Areas: list("areas")}
	if s.Agreement != "" || s.Purpose != "" || len(s.Fields) > 0 || len(s.Areas) > 0 {
		scope = &s
	}
	return roles, scope
}

func (a *accounts) invite(p *Page) error {
	roles, scope := rolesOf(p)
	lang := p.Form.Get("language")
	if lang == "" {
		lang = p.Lang
	}
	id, err := access.AccountID(p.Form.Get("account"))
	if err != nil || !slices.Contains(api.Languages, lang) {
		return BadForm("accounts.bad_name")
	}
	secret, err := a.Door.Invite(p.Context(), p.In, access.NewAccount{ID: id, Roles: roles, Scope: scope, Language: lang})
	waits := errors.Is(err, access.ErrTwoAdmins)
	if waits {
		_, secret, err = a.Door.AskGrant(p.Context(), p.In, access.Grant{Kind: access.GrantInvite, Account: id, Roles: roles, Scope: scope, Language: lang})
	}
	if err != nil {
		return err
	}
	return a.link(p, id, secret, waits)
}

// link shows an invitation, once: it is kept nowhere.
func (a *accounts) link(p *Page, account, secret string, waits bool) error {
	link := p.Link("/join/" + secret)
	if a.Base == "" { // the address bar's is the only one there is
		link = p.scheme() + p.c.Request().Host + Root + "/join/" + secret
	}
	image, err := picture(link)
	if err != nil {
		return err
	}
	return p.Show("account_link", "accounts.link", accountsData{Link: link, Picture: image, Waits: waits, Ends: int(access.InviteLife.Hours())}, "account", account)
}

func (a *accounts) again(p *Page) error {
	x, err := a.find(p)
	if err != nil {
		return err
	}
	secret, err := a.Door.InviteAgain(p.Context(), p.In, x.ID)
	waits := errors.Is(err, access.ErrTwoAdmins)
	if waits {
		_, secret, err = a.Door.AskGrant(p.Context(), p.In, access.Grant{Kind: access.GrantAgain, Account: x.ID})
	}
	if err != nil {
		return err
	}
	return a.link(p, x.ID, secret, waits)
}

func (a *accounts) roles(p *Page) error {
	x, err := a.find(p)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(p.Form.Get("version"), 10, 64)
	if err != nil || version < 1 {
		return errFields
	}
	roles, scope := rolesOf(p)
	err = a.Door.SetRoles(p.Context(), p.In, x.ID, version, roles, scope)
	if errors.Is(err, access.ErrTwoAdmins) {
		if _, _, err = a.Door.AskGrant(p.Context(), p.In, access.Grant{Kind: access.GrantRoles, Account: x.ID, Version: version, Roles: roles, Scope: scope}); err == nil {
			return p.Done("/accounts/of/"+x.ID, Note{Word: "accounts.roles_asked", Fill: []any{"account", x.ID}})
		}
	}
	if err != nil {
		return err
	}
	return p.Done("/accounts/of/"+x.ID, Note{Word: "accounts.roles_set", Fill: []any{"account", x.ID}})
}

func (a *accounts) disable(p *Page) error {
	x, err := a.find(p)
	if err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("accounts.why")
	}
	if err := a.Door.Disable(p.Context(), p.In, x.ID, p.Form.Get("reason")); err != nil {
		return err
	}
	return p.Done("/accounts/of/"+x.ID, Note{Word: "accounts.disabled_now", Fill: []any{"account", x.ID},
		Undo: &Undo{Path: "/accounts/of/" + x.ID + "/enable", Fields: map[string]string{"reason": "undo"}}})
}

func (a *accounts) enable(p *Page) error {
	x, err := a.find(p)
	if err != nil {
		return err
	}
	if err := a.Door.Enable(p.Context(), p.In, x.ID, p.Form.Get("reason")); err != nil {
		return err
	}
	return p.Done("/accounts/of/"+x.ID, Note{Word: "accounts.enabled_now", Fill: []any{"account", x.ID}})
}

func (a *accounts) recover(p *Page) error {
	x, err := a.find(p)
	if err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("accounts.why")
	}
	_, secret, err := a.Door.AskRecovery(p.Context(), p.In, x.ID, p.Form.Get("reason"))
	if err != nil {
		return err
	}
	return a.link(p, x.ID, secret, true)
}
