package console

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/internal/qrcode"
)

// settings are what an account decides about itself, and the page on which it begins.
type settings struct{ *Console }

func (s *settings) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/settings", Act: Staff, Menu: "settings.menu", Handler: s.show},
		{Method: http.MethodPost, Path: "/settings/password", Act: Staff, StepUp: true, Form: []Field{Secret("password", maxPassword), Secret("again", maxPassword)}, Handler: s.password},
		{Method: http.MethodPost, Path: "/settings/code", Act: Staff, StepUp: true, Handler: s.code},
		{Method: http.MethodPost, Path: "/settings/code/confirm", Act: Staff, StepUp: true, Form: []Field{Secret("code", 16)}, Handler: s.confirm},
		{Method: http.MethodPost, Path: "/settings/passkey/:passkey/remove", Act: Staff, StepUp: true, Handler: s.removePasskey},
		{Method: http.MethodPost, Path: "/settings/subject/:subject/remove", Act: Staff, StepUp: true, Handler: s.removeSubject},
		{Method: http.MethodPost, Path: "/settings/desk", Act: Staff, Form: []Field{Text("name", 40)}, Handler: s.desk},
		{Method: http.MethodPost, Path: "/settings/session/:session/end", Act: Staff, Handler: s.endSession},
		{Method: http.MethodGet, Path: "/join/:secret", Act: Anyone, Handler: s.invitation},
		{Method: http.MethodPost, Path: "/join/:secret", Act: Anyone, Form: []Field{Secret("password", maxPassword), Secret("again", maxPassword), Secret("code", 16)}, Handler: s.join},
	}
}

// Needs asks who has one way in alone for a second, and at which desk the browser stands.
func (s *settings) Needs(_ context.Context, in *access.Session) (list []Need, err error) {
	a := &in.Account
	if in.Device == "" && in.Program() == "" {
		list = append(list, Need{Word: "settings.need_desk", Count: 1, Path: "/settings", Since: in.Created})
	}
	if len(a.Passkeys) == 0 && len(a.Subjects) == 0 {
		list = append(list, Need{Word: "settings.need", Count: 1, Path: "/settings", Since: a.Created})
	}
	return list, nil
}

type settingsData struct {
	Account  access.Account
	Desk     string // where this session is, as was said
	Tokens   bool   // programs may be given some
	Passkeys []passkeyRow
	Sessions []sessionRow
	Subjects []subjectRow
	CanAdd   bool // a passkey, at this address

	Secret  string // of one-time codes, as people type it
	Picture template.URL
	Ends    time.Time
	Wrong   string // key of what was wrong

	Provider string // address of the OpenID provider, or not empty where there is one
}

type passkeyRow struct {
	access.Passkey
	Handle string
}

type subjectRow struct {
	access.Subject
	Handle string
}

type sessionRow struct {
	access.Session
	This bool
}

func (s *settings) show(p *Page) error {
	d := settingsData{Account: p.In.Account, Desk: p.In.Device, Tokens: p.May(string(access.TokenMake)), CanAdd: s.passkeys(p), Provider: s.provider()}
	for _, k := range p.In.Account.Passkeys {
		d.Passkeys = append(d.Passkeys, passkeyRow{k, handleOf(k.ID)})
	}
	for _, x := range p.In.Account.Subjects {
		d.Subjects = append(d.Subjects, subjectRow{x, subjectHandle(x)})
	}
	all, err := s.Door.Sessions(p.Context(), p.In)
	if err != nil {
		return err
	}
	for _, o := range all {
		d.Sessions = append(d.Sessions, sessionRow{o, o.ID == p.In.ID})
	}
	return p.Show("settings", "settings.title", d)
}

func (s *Console) provider() string {
	if s.SignIn == nil {
		return ""
	}
	return s.SignIn.Issuer
}

// handleOf names a passkey in paths: ids may have a thousand bytes.
func handleOf(id []byte) string {
	sum := key(string(id))
	return hex.EncodeToString(sum[:8])
}

func (s *settings) password(p *Page) error {
	if p.Form.Raw("password") != p.Form.Raw("again") {
		return BadForm("settings.differ")
	}
	if err := s.Door.SetPassword(p.Context(), p.In, p.token, p.Form.Raw("password")); err != nil {
		return err
	}
	return p.Done("/settings", Note{Word: "settings.password_set"})
}

// code draws a secret for one-time codes and shows it. The old one counts until a code
// of the new one was typed.
func (s *settings) code(p *Page) error {
	secret, err := s.Door.NewTOTP(p.Context(), p.In)
	if err != nil {
		return err
	}
	image, err := s.picture(p, secret, p.In.Account.ID)
	if err != nil {
		return err
	}
	return p.Show("settings_code", "settings.code", settingsData{Secret: access.TOTPText(secret), Picture: image})
}

func (s *settings) confirm(p *Page) error {
	err := s.Door.ConfirmTOTP(p.Context(), p.In, p.token, digits(p.Form.Get("code")))
	if errors.Is(err, access.ErrSignIn) {
		return BadForm("settings.code_wrong")
	}
	if err != nil {
		return err
	}
	return p.Done("/settings", Note{Word: "settings.code_set"})
}

func (s *settings) picture(p *Page, secret []byte, account string) (template.URL, error) {
	return picture(access.TOTPAddress(secret, s.OrgName(s.Door.Store.ID()), account))
}

// picture is the QR code of a text, as the address of an image.
func picture(text string) (template.URL, error) {
	png, err := qrcode.PNG(text, qrcode.M, 5)
	if err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png)), nil
}

func (s *settings) removePasskey(p *Page) error {
	i := slices.IndexFunc(p.In.Account.Passkeys, func(k access.Passkey) bool { return handleOf(k.ID) == p.Param("passkey") })
	if i < 0 {
		return ErrNotFound
	}
	if err := s.Door.RemovePasskey(p.Context(), p.In, p.In.Account.Passkeys[i].ID); err != nil {
		return err
	}
	return p.Done("/settings", Note{Word: "settings.passkey_gone"})
}

func (s *settings) removeSubject(p *Page) error {
	i := slices.IndexFunc(p.In.Account.Subjects, func(x access.Subject) bool { return subjectHandle(x) == p.Param("subject") })
	if i < 0 {
		return ErrNotFound
	}
	if err := s.Door.RemoveSubject(p.Context(), p.In, p.In.Account.Subjects[i]); err != nil {
		return err
	}
	return p.Done("/settings", Note{Word: "settings.provider_gone"})
}

func subjectHandle(x access.Subject) string { return handleOf([]byte(x.Issuer + "\x00" + x.Subject)) }

// deskAge is how long a browser knows its desk, in seconds.
const deskAge = 365 * 24 * 3600

// desk names the desk or device at which this browser stands. The browser keeps the name and
// says it when somebody signs in; nothing else about it is asked or kept.
func (s *settings) desk(p *Page) error {
	name, err := access.DeviceName(p.Form.Get("name"))
	if err != nil {
		return BadForm("settings.desk_bad")
	}
	if err := s.Door.NameDevice(p.Context(), p.In, p.token, name); err != nil {
		return err
	}
	p.setCookie(deskCookie, base64.RawURLEncoding.EncodeToString([]byte(name)), deskAge)
	return p.Done("/settings", Note{Word: "settings.desk_set", Fill: []any{"desk", name}})
}

func (s *settings) endSession(p *Page) error {
	if err := s.Door.EndSession(p.Context(), p.In, p.Param("session")); err != nil {
		return err
	}
	return p.Done("/settings", Note{Word: "settings.session_gone"})
}

// invitation is where a new account sets up how it is signed in to. The secret is in the
// path and nowhere else: no answer is kept, no referrer is sent, no log has a path.
func (s *settings) invitation(p *Page) error {
	return s.showInvitation(p, http.StatusOK, "")
}

func (s *settings) showInvitation(p *Page, status int, wrong string) error {
	in, err := s.Door.Invitation(p.Context(), p.Param("secret"))
	if err != nil {
		return err
	}
	image, err := s.picture(p, in.TOTP, in.Account.ID)
	if err != nil {
		return err
	}
	return p.show(status, "join", p.T("join.title", "account", in.Account.ID),
		settingsData{Account: in.Account, Secret: access.TOTPText(in.TOTP), Picture: image, Ends: in.Ends, Wrong: wrong, CanAdd: s.passkeys(p), Provider: s.provider()})
}

func (s *settings) join(p *Page) error {
	if p.Form.Raw("password") != p.Form.Raw("again") {
		return s.showInvitation(p, http.StatusUnprocessableEntity, "settings.differ")
	}
	t, err := s.Door.Accept(p.Context(), p.Param("secret"), p.Form.Raw("password"), digits(p.Form.Get("code")), p.From().String())
	switch {
	case errors.Is(err, access.ErrSignIn):
		return s.showInvitation(p, http.StatusUnprocessableEntity, "settings.code_wrong")
	case errors.Is(err, access.ErrPassword):
		return s.showInvitation(p, http.StatusUnprocessableEntity, "fault.password")
	case err != nil:
		return err
	}
	return s.enter(p, t, Root+"/")
}
