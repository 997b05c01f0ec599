package console

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"aidpass/access"
	"aidpass/web/api"
)

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
	Next     string
	Draft    *Draft
	Account  string // as it was typed
	Passkeys bool   // this address can be signed in to with one
	Provider bool
	Wrong    bool
}

func (e *entry) ask(p *Page) error {
	next := e.ownPath(p.Query.Get("next"))
	if p.In != nil {
		return p.c.Redirect(http.StatusSeeOther, next)
	}
	return p.Show("sign_in", "sign_in.title", entryData{Next: next, Passkeys: e.passkeys(p), Provider: e.SignIn != nil})
}

// signIn never says which of account, password and code was wrong, or whether there
// is such an account.
func (e *entry) signIn(p *Page) error {
	d := entryData{Next: e.ownPath(p.Form.Get("next")), Draft: p.Draft, Account: p.Form.Get("account"), Wrong: true, Passkeys: e.passkeys(p), Provider: e.SignIn != nil}
	t, err := e.Door.SignIn(p.Context(), access.Attempt{Account: d.Account, Password: p.Form.Raw("password"), Code: digits(p.Form.Get("code")), Address: p.From().String()})
	if errors.Is(err, access.ErrSignIn) {
		return p.show(http.StatusUnauthorized, "sign_in", p.T("sign_in.title"), d)
	}
	if err != nil {
		return err
	}
	return e.enter(p, t, d.Next)
}

// enter gives the browser its new token, in place of any other, and goes to where it
// was going.
func (s *Console) enter(p *Page, t access.Ticket, next string) error {
	if err := s.begun(p, t); err != nil {
		return err
	}
	if p.Draft == nil {
		return p.c.Redirect(http.StatusSeeOther, next)
	}
	return p.Show("go_on", "go_on.title", entryData{Draft: p.Draft})
}

func (e *entry) signOut(p *Page) error {
	if err := e.Door.SignOut(p.Context(), p.token); err != nil {
		return err
	}
	p.setCookie(sessionCookie, "", 0)
	p.setCookie(standCookie, "", 0)
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
	return p.Show("proof", "proof.title", entryData{Next: e.ownPath(p.Query.Get("next")), Passkeys: e.passkeys(p), Provider: e.SignIn != nil && len(p.In.Account.Subjects) > 0})
}

func (e *entry) prove(p *Page) error {
	d := entryData{Next: e.ownPath(p.Form.Get("next")), Draft: p.Draft, Wrong: true, Passkeys: e.passkeys(p)}
	t, err := e.Door.StepUp(p.Context(), p.token, access.Attempt{Password: p.Form.Raw("password"), Code: digits(p.Form.Get("code")), Address: p.From().String()})
	if errors.Is(err, access.ErrSignIn) {
		return p.show(http.StatusUnauthorized, "proof", p.T("proof.title"), d)
	}
	if err != nil {
		return err
	}
	return e.enter(p, t, d.Next)
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
	d := entryData{Next: p.Here(), Draft: p.keep(), Passkeys: s.passkeys(p), Provider: s.SignIn != nil && p.In == nil}
	p.Route.Form = nil
	return p.show(http.StatusUnauthorized, page, p.T(title), d)
}
