package console

import (
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/web/api"
)

// Names of cookies. Over https the prefix makes browsers hold that no other host and no
// page in the clear sets them; http serves this machine alone (RFC 6265bis 4.1.3.2).
const (
	sessionCookie = "aidpass"
	langCookie    = "aidpass-lang"
	deskCookie    = "aidpass-desk" // the name of the desk, in base64url
)

// secure reports whether the browser came by https: to this server, or to a proxy of
// the console's own address before it.
func (p *Page) secure() bool {
	r := p.c.Request()
	if r.TLS != nil {
		return true
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return !strings.EqualFold(host, "localhost") && (err != nil || !ip.IsLoopback())
}

func (p *Page) cookieName(name string) string {
	if p.secure() {
		return "__Host-" + name
	}
	return name + "-local"
}

func (p *Page) cookie(name string) string {
	// Two of one name are a sign that somebody else has set one.
	found := p.c.Request().CookiesNamed(p.cookieName(name))
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// setCookie keeps a value in the browser: until it is closed, or for age seconds. An
// empty value takes the cookie away.
func (p *Page) setCookie(name, value string, age int) {
	if value == "" {
		age = -1
	}
	http.SetCookie(p.c.Response(), &http.Cookie{Name: p.cookieName(name), Value: value, Path: "/", MaxAge: age, Secure: p.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// know finds out who asks. A session that ended, or one of an account that was
// disabled, is nobody.
func (s *Console) know(p *Page) error {
	if said := p.c.Request().Header.Values("Authorization"); len(said) > 0 {
		return s.knowProgram(p, said)
	}
	token := p.cookie(sessionCookie)
	if token == "" {
		return nil
	}
	in, err := s.Door.Session(p.Context(), token)
	switch {
	case errors.Is(err, access.ErrNoSession):
		return nil
	case err != nil:
		return err
	}
	p.know(in, token)
	return nil
}

// know takes somebody as who asks.
func (p *Page) know(in *access.Session, token string) {
	p.In, p.token = in, token
	if slices.Contains(api.Languages, in.Account.Language) {
		p.Lang = in.Account.Language
	}
}

// begun takes a session that begins or was renewed as who asks, at the desk that the
// browser was told it stands at.
func (s *Console) begun(p *Page, t access.Ticket) error {
	p.setCookie(sessionCookie, t.Token, 0)
	p.know(&t.Session, t.Token)
	name, err := base64.RawURLEncoding.DecodeString(p.cookie(deskCookie))
	if _, bad := access.DeviceName(string(name)); err != nil || bad != nil {
		return nil // none was said, or not by a page of ours
	}
	return s.Door.NameDevice(p.Context(), p.In, t.Token, string(name))
}

// A Draft is a form that was sent when its sender had to sign in or to prove who she
// is first. The page that asks for that carries it, and gives it back: what was typed
// is not lost, and stands nowhere on the server. Secrets and files are left out.
type Draft struct {
	Path   string // that the form was for
	Fields []DraftField
}

// A DraftField is a value of a Draft.
type DraftField struct{ Name, Value string }

// keep makes a draft of the form of a request; nil where there is none.
func (p *Page) keep() *Draft {
	if p.Route.Method != http.MethodPost || p.Route.Files || p.Route.Act == Anyone {
		return nil
	}
	d := &Draft{Path: p.Path()}
	for _, f := range p.Route.Form {
		if f.Secret || f.File {
			continue
		}
		for _, v := range p.Form[f.Name] {
			d.Fields = append(d.Fields, DraftField{f.Name, v})
		}
	}
	return d
}

// ownPath is the path that a sign-in leads back to: one of the console's own, whatever
// was asked for.
func (s *Console) ownPath(next string) string {
	path, _, _ := strings.Cut(next, "?")
	if len(next) > 2048 || !strings.HasPrefix(path, Root+"/") || strings.ContainsAny(next, "\\\r\n\t ") || strings.Contains(path, "//") || strings.Contains(path, "..") || strings.Contains(path, "%") {
		return Root + "/"
	}
	if r, ok := s.find(http.MethodGet, strings.TrimPrefix(path, Root)); ok && r.Act != Anyone {
		return next
	}
	return Root + "/"
}

// takeDraft takes a draft out of a form that carries one. What is no form of the
// console's is none.
func (p *Page) takeDraft() error {
	d := &Draft{}
	sent := Form{}
	for name, values := range p.Form {
		own, ok := strings.CutPrefix(name, draftPrefix)
		if !ok {
			continue
		}
		delete(p.Form, name)
		if own == "" {
			d.Path = values[0]
			continue
		}
		sent[own] = values
		for _, v := range values {
			d.Fields = append(d.Fields, DraftField{own, v})
		}
	}
	if d.Path == "" {
		return nil
	}
	r, ok := p.console.find(http.MethodPost, strings.TrimPrefix(d.Path, Root))
	if !ok || !strings.HasPrefix(d.Path, Root+"/") || r.Act == Anyone || r.Files {
		return errFields
	}
	if err := sent.check(r.Form); err != nil {
		return err
	}
	slices.SortStableFunc(d.Fields, func(a, b DraftField) int { return strings.Compare(a.Name, b.Name) })
	p.Draft = d
	return nil
}

// draftPrefix goes before the names of a draft's fields; alone it is its path's.
const draftPrefix = "draft."

// doorFault is how errors of the door are told; nil: it is none that is.
func doorFault(err error) *Fault {
	var delay *access.DelayError
	if errors.As(err, &delay) {
		return Slow(delay.After)
	}
	for _, c := range []struct {
		is error
		as *Fault
	}{
		{access.ErrNoAccount, ErrNotFound}, {access.ErrNoApproval, ErrNotFound}, {access.ErrNoToken, ErrNotFound}, {access.ErrNoSession, ErrNotFound}, {access.ErrNoInvite, errNoInvite},
		{access.ErrPassword, errPassword}, {access.ErrRoles, errRoles}, {access.ErrWayIn, errWayIn},
		{access.ErrNotAllowed, ErrForbidden}, {access.ErrOwnApproval, ErrForbidden}, {access.ErrOwnAccount, ErrForbidden}, {access.ErrDisabled, ErrForbidden},
		{access.ErrChanged, ErrConflict}, {access.ErrStale, ErrConflict}, {access.ErrClosed, ErrConflict}, {access.ErrLastAdmin, errLastAdmin}, {access.ErrTaken, errTaken},
		{access.ErrOneAdmin, errOneAdmin}, {access.ErrTwoAdmins, ErrForbidden}, {access.ErrOwnMade, errOwnMade}, {access.ErrManyWaiting, errWaiting}, {access.ErrPair, errPair},
	} {
		if errors.Is(err, c.is) {
			return c.as
		}
	}
	return nil
}

var (
	errLastAdmin = &Fault{Status: http.StatusConflict, Word: "fault.last_admin"}
	errWaiting   = &Fault{Status: http.StatusConflict, Word: "fault.many_waiting"}
	errPair      = &Fault{Status: http.StatusConflict, Word: "fault.pair"}
	errOneAdmin  = &Fault{Status: http.StatusConflict, Word: "fault.one_admin"}
	errOwnMade   = &Fault{Status: http.StatusForbidden, Word: "fault.own_made"}
	errNoInvite  = &Fault{Status: http.StatusNotFound, Word: "fault.no_invite"}
	errPassword  = &Fault{Status: http.StatusUnprocessableEntity, Word: "fault.password"}
	errRoles     = &Fault{Status: http.StatusUnprocessableEntity, Word: "fault.roles"}
	errWayIn     = &Fault{Status: http.StatusConflict, Word: "fault.way_in"}
	errTaken     = &Fault{Status: http.StatusConflict, Word: "fault.taken"}
)
