package console

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"

	"aidpass/access"
	"aidpass/web/api"
)

// A Door lets staff in and out. Errors are those of package access.
type Door interface {
	// Session is who a token is of, as she may act now; access.ErrNoSession: nobody.
	Session(ctx context.Context, token string) (access.Session, error)
	// SignIn takes a password and, where the account has one, a code of the moment. It
	// says the same of every account that is not there and of every wrong try.
	SignIn(ctx context.Context, from netip.Addr, account, password, code string) (token string, err error)
	// Prove renews the proof of identity; the session goes on under another token.
	Prove(ctx context.Context, token string, from netip.Addr, password, code string) (fresh string, err error)
	SignOut(ctx context.Context, token string) error
	SetLanguage(ctx context.Context, in *access.Session, lang string) error
}

// entry is how staff come in and go out.
type entry struct{ *Console }

func (e *entry) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

const maxPassword = 256 // runes

func (e *entry) Routes() []Route {
	next := Text("next", 2048)
	return []Route{
		{Method: http.MethodGet, Path: "/sign-in", Act: Anyone, Query: []Field{next}, Handler: e.ask},
		{Method: http.MethodPost, Path: "/sign-in", Act: Anyone, Drafts: true, Form: []Field{next, Text("account", 100), Secret("password", maxPassword), Secret("code", 16)}, Handler: e.signIn},
		{Method: http.MethodPost, Path: "/sign-out", Act: Staff, Handler: e.signOut},
		{Method: http.MethodPost, Path: "/language", Act: Anyone, Form: []Field{next, Text("lang", 8)}, Handler: e.language},
		{Method: http.MethodGet, Path: "/proof", Act: Staff, Query: []Field{next}, Handler: e.askProof},
		{Method: http.MethodPost, Path: "/proof", Act: Staff, Drafts: true, Form: []Field{next, Secret("password", maxPassword), Secret("code", 16)}, Handler: e.prove},
	}
}

type entryData struct {
	Next    string
	Draft   *Draft
	Account string // as it was typed
	Wrong   bool
}

func (e *entry) ask(p *Page) error {
	next := e.ownPath(p.Query.Get("next"))
	if p.In != nil {
		return p.c.Redirect(http.StatusSeeOther, next)
	}
	return p.Show("sign_in", "sign_in.title", entryData{Next: next})
}

// signIn never says which of account, password and code was wrong, or whether there
// is such an account.
func (e *entry) signIn(p *Page) error {
	d := entryData{Next: e.ownPath(p.Form.Get("next")), Draft: p.Draft, Account: p.Form.Get("account"), Wrong: true}
	token, err := e.Door.SignIn(p.Context(), p.From(), d.Account, p.Form.Raw("password"), digits(p.Form.Get("code")))
	if errors.Is(err, access.ErrSignIn) {
		return p.show(http.StatusUnauthorized, "sign_in", p.T("sign_in.title"), d)
	}
	if err != nil {
		return err
	}
	return e.enter(p, token, d.Next)
}

// enter gives the browser its new token, in place of any other, and goes to where it
// was going.
func (e *entry) enter(p *Page, token, next string) error {
	if p.token != "" && p.In == nil {
		p.token = ""
	}
	p.setCookie(sessionCookie, token, 0)
	if p.Draft == nil {
		return p.c.Redirect(http.StatusSeeOther, next)
	}
	in, err := e.Door.Session(p.Context(), token)
	if err != nil {
		return err
	}
	p.In, p.token = &in, token
	return p.Show("go_on", "go_on.title", entryData{Draft: p.Draft})
}

func (e *entry) signOut(p *Page) error {
	if err := e.Door.SignOut(p.Context(), p.token); err != nil {
		return err
	}
	p.setCookie(sessionCookie, "", 0)
	// What is left of the pages in this browser is another's business no more.
	p.c.Response().Header().Set("Clear-Site-Data", `"cache"`)
	return p.Go("/sign-in")
}

func (e *entry) language(p *Page) error {
	lang := p.Form.Get("lang")
	if !slices.Contains(api.Languages, lang) {
		return errFields
	}
	if p.In != nil {
		if err := e.Door.SetLanguage(p.Context(), p.In, lang); err != nil {
			return err
		}
	}
	p.setCookie(langCookie, lang, 365*24*3600)
	next := e.ownPath(p.Form.Get("next"))
	if p.In == nil {
		next = Root + "/sign-in"
	}
	return p.c.Redirect(http.StatusSeeOther, next)
}

func (e *entry) askProof(p *Page) error {
	return p.Show("proof", "proof.title", entryData{Next: e.ownPath(p.Query.Get("next"))})
}

func (e *entry) prove(p *Page) error {
	d := entryData{Next: e.ownPath(p.Form.Get("next")), Draft: p.Draft, Wrong: true}
	token, err := e.Door.Prove(p.Context(), p.token, p.From(), p.Form.Raw("password"), digits(p.Form.Get("code")))
	if errors.Is(err, access.ErrSignIn) {
		return p.show(http.StatusUnauthorized, "proof", p.T("proof.title"), d)
	}
	if err != nil {
		return err
	}
	return e.enter(p, token, d.Next)
}

// askWho sends somebody who has not signed in, or not any more, to where one does. A
// form goes with her.
func (s *Console) askWho(p *Page) error {
	if p.Route.Method == http.MethodGet {
		return s.send(p, "/sign-in")
	}
	return s.hold(p, "sign_in", "sign_in.again")
}

// askProof asks who has signed in to prove it once more.
func (s *Console) askProof(p *Page) error {
	if p.Route.Method == http.MethodGet {
		return s.send(p, "/proof")
	}
	return s.hold(p, "proof", "proof.title")
}

func (s *Console) hold(p *Page, page, title string) error {
	if p.Form == nil {
		if err := p.readForm(); err != nil {
			return err
		}
	}
	d := entryData{Next: p.Here(), Draft: p.keep()}
	p.Route.Form = nil
	return p.show(http.StatusUnauthorized, page, p.T(title), d)
}
