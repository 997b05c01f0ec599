package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"aidpass/access"
)

// passkey is how staff sign in, prove who they are and add a way in by WebAuthn. The
// script asks for the options of a ceremony and sends what the authenticator said as a
// form of the page, so that drafts and the pages after it are those of every other way.
//
// W3C Web Authentication Level 3, section 7. User verification is always required.
type passkey struct{ *Console }

func (k *passkey) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

const (
	maxCeremony  = 16 << 10 // runes of what an authenticator said, as JSON
	ceremonyLife = 5 * time.Minute
)

func (k *passkey) Routes() []Route {
	answer := []Field{Text("handle", 128), Text("response", maxCeremony)}
	next := Text("next", 2048)
	return []Route{
		{Method: http.MethodPost, Path: "/passkey/sign-in/begin", Act: Anyone, Handler: k.beginLogin},
		{Method: http.MethodPost, Path: "/passkey/sign-in", Act: Anyone, Drafts: true, Form: append([]Field{next}, answer...), Handler: k.signIn},
		{Method: http.MethodPost, Path: "/passkey/proof/begin", Act: Staff, Handler: k.beginLogin},
		{Method: http.MethodPost, Path: "/passkey/proof", Act: Staff, Drafts: true, Form: append([]Field{next}, answer...), Handler: k.prove},
		{Method: http.MethodPost, Path: "/passkey/add/begin", Act: Staff, StepUp: true, Handler: k.beginAdd},
		{Method: http.MethodPost, Path: "/passkey/add", Act: Staff, StepUp: true, Form: append([]Field{Text("name", 40)}, answer...), Handler: k.add},
		{Method: http.MethodPost, Path: "/join/:secret/begin", Act: Anyone, Handler: k.beginJoin},
		{Method: http.MethodPost, Path: "/join/:secret/passkey", Act: Anyone, Form: answer, Handler: k.join},
	}
}

// origin is the address that the browser came by: the console's own, or a name of this
// server (the guard refuses all others). ok is false where no passkey can be bound to
// it: an address of numbers.
func (p *Page) origin() (origin, host string, ok bool) {
	r := p.c.Request()
	host = strings.ToLower(r.Host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if base, err := url.Parse(p.console.Base); err == nil && base.Host != "" && host != "localhost" {
		return p.console.Base, base.Hostname(), base.Hostname() == host
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return p.scheme() + strings.ToLower(r.Host), host, err != nil
}

func (p *Page) scheme() string {
	if p.secure() {
		return "https://"
	}
	return "http://"
}

// passkeys reports whether a passkey can be used at the address that the page has.
func (s *Console) passkeys(p *Page) bool {
	_, _, ok := p.origin()
	return ok && p.Script()
}

func (k *passkey) party(p *Page) (*webauthn.WebAuthn, error) {
	origin, host, ok := p.origin()
	if !ok {
		return nil, ErrNotFound
	}
	if u, err := url.Parse(origin); err == nil {
		origin = u.Scheme + "://" + u.Host
	}
	return webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: k.OrgName(k.Door.Store.ID()), RPOrigins: []string{origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}})
}

// holder is an account as the library asks for it.
type holder struct{ access.Account }

func (h holder) WebAuthnID() []byte          { return h.Handle }
func (h holder) WebAuthnName() string        { return h.ID }
func (h holder) WebAuthnDisplayName() string { return h.ID }
func (h holder) WebAuthnCredentials() (list []webauthn.Credential) {
	for _, k := range h.Passkeys {
		c := webauthn.Credential{ID: k.ID, PublicKey: k.Key, Flags: webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: k.BackupEligible, BackupState: k.BackedUp},
			Authenticator: webauthn.Authenticator{AAGUID: k.AAGUID[:], SignCount: k.SignCount}}
		for _, t := range k.Transports {
			c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
		}
		list = append(list, c)
	}
	return list
}

// begun answers with the options of a ceremony, and keeps what it is to be held against:
// once, for one use and for some minutes.
func (k *passkey) begun(p *Page, kind string, options any, session *webauthn.SessionData) error {
	data, err := json.Marshal(session)
	if err != nil {
		return err
	}
	handle, err := k.Door.Keep(p.Context(), kind, data, ceremonyLife)
	if err != nil {
		return err
	}
	return p.c.JSON(http.StatusOK, map[string]any{"handle": handle, "options": options})
}

func (k *passkey) taken(p *Page, kind string) (s webauthn.SessionData, err error) {
	data, err := k.Door.Take(p.Context(), kind, p.Form.Get("handle"))
	if errors.Is(err, access.ErrNothingKept) {
		return s, access.ErrSignIn
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(data, &s)
}

const (
	keptLogin = "passkey"
	keptAdd   = "passkey-add"
)

// beginLogin names no account: nobody learns by it who has one.
func (k *passkey) beginLogin(p *Page) error {
	party, err := k.party(p)
	if err != nil {
		return err
	}
	options, session, err := party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return err
	}
	return k.begun(p, keptLogin, options, session)
}

// proof proves what an authenticator said for a ceremony of ours. Whatever is wrong is
// access.ErrSignIn.
func (k *passkey) proof(p *Page) (access.PasskeyProof, error) {
	var none access.PasskeyProof
	session, err := k.taken(p, keptLogin)
	if err != nil {
		return none, err
	}
	party, err := k.party(p)
	if err != nil {
		return none, err
	}
	said, err := protocol.ParseCredentialRequestResponseBytes([]byte(p.Form.Get("response")))
	if err != nil {
		return none, access.ErrSignIn
	}
	_, good, err := party.ValidatePasskeyLogin(func(id, handle []byte) (webauthn.User, error) {
		a, err := k.Door.PasskeyOwner(p.Context(), id)
		if err != nil || !bytes.Equal(a.Handle, handle) {
			return nil, access.ErrSignIn
		}
		return holder{a}, nil
	}, session, said)
	if err != nil {
		return none, access.ErrSignIn
	}
	return access.PasskeyProof{ID: good.ID, SignCount: said.Response.AuthenticatorData.Counter, BackedUp: good.Flags.BackupState, Address: p.From().String()}, nil
}

func (k *passkey) signIn(p *Page) error {
	d := entryData{Next: k.ownPath(p.Form.Get("next")), Draft: p.Draft, Wrong: true, Passkeys: k.passkeys(p), Provider: k.SignIn != nil}
	proof, err := k.proof(p)
	var t access.Ticket
	if err == nil {
		t, err = k.Door.SignInPasskey(p.Context(), proof)
	}
	if errors.Is(err, access.ErrSignIn) {
		return p.show(http.StatusUnauthorized, "sign_in", p.T("sign_in.title"), d)
	}
	if err != nil {
		return err
	}
	return k.enter(p, t, d.Next)
}

func (k *passkey) prove(p *Page) error {
	d := entryData{Next: k.ownPath(p.Form.Get("next")), Draft: p.Draft, Wrong: true, Passkeys: k.passkeys(p)}
	proof, err := k.proof(p)
	var t access.Ticket
	if err == nil {
		t, err = k.Door.StepUpPasskey(p.Context(), p.token, proof)
	}
	if errors.Is(err, access.ErrSignIn) {
		return p.show(http.StatusUnauthorized, "proof", p.T("proof.title"), d)
	}
	if err != nil {
		return err
	}
	return k.enter(p, t, d.Next)
}

func (k *passkey) beginFor(p *Page, a access.Account) error {
	party, err := k.party(p)
	if err != nil {
		return err
	}
	who := holder{a}
	options, session, err := party.BeginRegistration(who, webauthn.WithExclusions(webauthn.Credentials(who.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return err
	}
	return k.begun(p, keptAdd, options, session)
}

// made proves a new passkey of an account.
func (k *passkey) made(p *Page, a access.Account, name string) (access.Passkey, error) {
	var none access.Passkey
	session, err := k.taken(p, keptAdd)
	if err != nil {
		return none, err
	}
	party, err := k.party(p)
	if err != nil {
		return none, err
	}
	said, err := protocol.ParseCredentialCreationResponseBytes([]byte(p.Form.Get("response")))
	if err != nil {
		return none, access.ErrSignIn
	}
	c, err := party.CreateCredential(holder{a}, session, said)
	if err != nil {
		return none, access.ErrSignIn
	}
	out := access.Passkey{ID: c.ID, Key: c.PublicKey, SignCount: c.Authenticator.SignCount, BackupEligible: c.Flags.BackupEligible, BackedUp: c.Flags.BackupState, Name: name}
	copy(out.AAGUID[:], c.Authenticator.AAGUID)
	for _, t := range c.Transport {
		if len(out.Transports) < 8 && len(t) <= 32 {
			out.Transports = append(out.Transports, string(t))
		}
	}
	return out, nil
}

func (k *passkey) beginAdd(p *Page) error { return k.beginFor(p, p.In.Account) }

var errPasskey = &Fault{Status: http.StatusUnprocessableEntity, Word: "settings.passkey_failed"}

func (k *passkey) add(p *Page) error {
	made, err := k.made(p, p.In.Account, p.Form.Get("name"))
	if errors.Is(err, access.ErrSignIn) {
		return errPasskey
	}
	if err != nil {
		return err
	}
	if err := k.Door.AddPasskey(p.Context(), p.In, made); err != nil {
		return err
	}
	return p.Done("/settings", Note{Word: "settings.passkey_set"})
}

func (k *passkey) beginJoin(p *Page) error {
	in, err := k.Door.Invitation(p.Context(), p.Param("secret"))
	if err != nil {
		return err
	}
	return k.beginFor(p, in.Account)
}

func (k *passkey) join(p *Page) error {
	in, err := k.Door.Invitation(p.Context(), p.Param("secret"))
	if err != nil {
		return err
	}
	made, err := k.made(p, in.Account, "")
	if errors.Is(err, access.ErrSignIn) {
		return errPasskey
	}
	if err != nil {
		return err
	}
	t, err := k.Door.AcceptPasskey(p.Context(), p.Param("secret"), made, p.From().String())
	if err != nil {
		return err
	}
	return k.enter(p, t, Root+"/")
}
