package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"aidpass/access"
)

// A SignIn lets staff in whom the organisation's own OpenID provider vouches for. Who
// it is is (iss, sub) and never an e-mail address.
type SignIn struct {
	Issuer string // of the provider: an https URL, letter by letter as its tokens have it
	Client string // client_id of this server there; BASE/desk/oidc/back is its redirect_uri
	Secret string // may be empty: PKCE is used with and without it
	HTTP   *http.Client

	mu       sync.Mutex
	oauth    *oauth2.Config // nil: the provider was not found yet
	verifier *oidc.IDTokenVerifier
}

// provider is the way to the OpenID provider and back, by the code grant with PKCE.
//
// OpenID Connect Core 3.1; RFC 9700 2.1.
type provider struct{ *Console }

func (o *provider) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

func (o *provider) Routes() []Route {
	if o.SignIn == nil {
		return nil
	}
	return []Route{
		{Method: http.MethodGet, Path: "/oidc", Act: Anyone, Query: []Field{Text("next", 2048)}, Handler: o.signIn},
		{Method: http.MethodGet, Path: "/oidc/proof", Act: Staff, Query: []Field{Text("next", 2048)}, Handler: o.prove},
		{Method: http.MethodPost, Path: "/settings/oidc/add", Act: Staff, StepUp: true, Handler: o.add},
		{Method: http.MethodGet, Path: "/join/:secret/oidc", Act: Anyone, Handler: o.join},
		{Method: http.MethodGet, Path: "/oidc/back", Act: Anyone, Query: []Field{Text("code", 2048), Text("state", 256), Text("iss", 512), Text("error", 256), Text("error_description", 1024), Text("error_uri", 1024), Text("session_state", 256), Text("scope", 512)}, Handler: o.back},
	}
}

const (
	providerCookie = "aidpass-provider"
	providerLife   = 10 * time.Minute
	keptProvider   = "oidc"
	maxProvider    = 1 << 20 // bytes of one answer
)

// signingAlgs are those an ID token may have: neither none nor the client's secret
// makes one (OpenID Connect Core 3.1.3.7).
var signingAlgs = []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.ES384, oidc.EdDSA}

var (
	errRefused = &Fault{Status: http.StatusForbidden, Word: "sign_in.refused"}
)

// leaving is what a browser on its way must come back with, and what for it went.
type leaving struct {
	State, Nonce, Verifier, Next string
	For                          string // forSignIn and so on
	Secret                       string // of an invitation; else empty
	Account                      string // whose identity is proved or added; else empty
}

const (
	forSignIn = "sign-in"
	forProof  = "proof"
	forAdd    = "add"
	forJoin   = "join"
)

func (o *provider) signIn(p *Page) error {
	return o.leave(p, leaving{For: forSignIn, Next: o.ownPath(p.Query.Get("next"))})
}

func (o *provider) prove(p *Page) error {
	return o.leave(p, leaving{For: forProof, Next: o.ownPath(p.Query.Get("next")), Account: p.In.Account.ID})
}

// add is a form that redirects: browsers hold that to form-action, too, so the page that
// follows has the link.
func (o *provider) add(p *Page) error {
	to, err := o.prepare(p, leaving{For: forAdd, Next: Root + "/settings", Account: p.In.Account.ID})
	if err != nil {
		return err
	}
	return p.Show("settings_oidc", "settings.provider_add", settingsData{Provider: to})
}

func (o *provider) join(p *Page) error {
	if _, err := o.Door.Invitation(p.Context(), p.Param("secret")); err != nil {
		return err
	}
	return o.leave(p, leaving{For: forJoin, Next: Root + "/", Secret: p.Param("secret")})
}

// find reads the provider's discovery document, once it can be had.
func (i *SignIn) find(ctx context.Context, base string, now func() time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.oauth != nil {
		return nil
	}
	found, err := oidc.NewProvider(i.context(ctx), i.Issuer)
	if err != nil {
		return err
	}
	endpoint := found.Endpoint()
	if !strings.HasPrefix(endpoint.AuthURL, "https://") || !strings.HasPrefix(endpoint.TokenURL, "https://") {
		return errors.New("an endpoint of the provider is not https")
	}
	// Trying both ways would use the code up.
	if endpoint.AuthStyle = oauth2.AuthStyleInHeader; i.Secret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	i.oauth = &oauth2.Config{ClientID: i.Client, ClientSecret: i.Secret, Endpoint: endpoint, RedirectURL: base + Root + "/oidc/back", Scopes: []string{oidc.ScopeOpenID}}
	i.verifier = found.Verifier(&oidc.Config{ClientID: i.Client, SupportedSigningAlgs: signingAlgs, Now: now})
	return nil
}

// context has the client that asks the provider: bounded, and sent nowhere else.
func (i *SignIn) context(ctx context.Context) context.Context {
	base := http.DefaultTransport
	if i.HTTP != nil && i.HTTP.Transport != nil {
		base = i.HTTP.Transport
	}
	return oidc.ClientContext(ctx, &http.Client{Transport: bounded{base}, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("the provider sends elsewhere") }})
}

// bounded cuts answers off: the library reads them to their end.
type bounded struct{ base http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := b.base.RoundTrip(r)
	if err == nil {
		a.Body = http.MaxBytesReader(nil, a.Body, maxProvider)
	}
	return a, err
}

// prepare keeps what the browser must come back with, under a handle that this browser
// alone has, and returns where it goes.
func (o *provider) prepare(p *Page, l leaving) (string, error) {
	if err := o.SignIn.find(p.Context(), o.Base, o.Now); err != nil {
		o.Log.Error("the provider of sign-ins cannot be asked", "code", access.ErrorCode(err))
		return "", ErrBusy
	}
	l.State, l.Nonce, l.Verifier = rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	data, err := json.Marshal(l)
	if err != nil {
		return "", err
	}
	handle, err := o.Door.Keep(p.Context(), keptProvider, data, providerLife)
	if err != nil {
		return "", err
	}
	p.setCookie(providerCookie, handle, int(providerLife.Seconds()))
	more := []oauth2.AuthCodeOption{oidc.Nonce(l.Nonce), oauth2.S256ChallengeOption(l.Verifier)}
	if l.For == forProof || l.For == forAdd {
		more = append(more, oauth2.SetAuthURLParam("max_age", "0"), oauth2.SetAuthURLParam("prompt", "login"))
	}
	return o.SignIn.oauth.AuthCodeURL(l.State, more...), nil
}

func (o *provider) leave(p *Page, l leaving) error {
	to, err := o.prepare(p, l)
	if err != nil {
		return err
	}
	return p.c.Redirect(http.StatusSeeOther, to)
}

// back takes a browser that comes back, once.
func (o *provider) back(p *Page) error {
	data, err := o.Door.Take(p.Context(), keptProvider, p.cookie(providerCookie))
	if errors.Is(err, access.ErrNothingKept) {
		return errRefused
	}
	if err != nil {
		return err
	}
	p.setCookie(providerCookie, "", 0)
	var l leaving
	if err := json.Unmarshal(data, &l); err != nil {
		return err
	}
	who, err := o.identify(p, l)
	if err != nil {
		o.Log.Info("a sign-in at the provider was refused", "code", access.ErrorCode(err))
		return errRefused
	}
	if l.Account != "" && (p.In == nil || p.In.Account.ID != l.Account) {
		return errRefused // another signed in here meanwhile
	}
	var t access.Ticket
	switch l.For {
	case forSignIn:
		t, err = o.Door.SignInSubject(p.Context(), who, p.From().String())
	case forProof:
		t, err = o.Door.StepUpSubject(p.Context(), p.token, who, p.From().String())
	case forJoin:
		t, err = o.Door.AcceptSubject(p.Context(), l.Secret, who, p.From().String())
	default:
		if err = o.Door.AddSubject(p.Context(), p.In, who); err == nil {
			return p.Done("/settings", Note{Word: "settings.provider_set"})
		}
	}
	if errors.Is(err, access.ErrSignIn) {
		return errRefused
	}
	if err != nil {
		return err
	}
	return o.enter(p, t, l.Next)
}

// identify returns who signed in. Errors have nobody's data in them.
//
// OpenID Connect Core 3.1.3.7; RFC 9207 2.4.
func (o *provider) identify(p *Page, l leaving) (who access.Subject, err error) {
	if subtle.ConstantTimeCompare([]byte(l.State), []byte(p.Query.Get("state"))) != 1 {
		return who, access.LogCode("another state")
	}
	if _, there := p.Query["iss"]; there && p.Query.Raw("iss") != o.SignIn.Issuer {
		return who, access.LogCode("an answer of another provider")
	}
	if p.Query.Get("code") == "" {
		return who, access.LogCode("no code")
	}
	if err := o.SignIn.find(p.Context(), o.Base, o.Now); err != nil {
		return who, err
	}
	ctx := o.SignIn.context(p.Context())
	tokens, err := o.SignIn.oauth.Exchange(ctx, p.Query.Get("code"), oauth2.VerifierOption(l.Verifier))
	if err != nil {
		return who, access.LogCode("the provider does not take the code") // its text has the answer's body
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := o.SignIn.verifier.Verify(ctx, raw)
	if err != nil {
		return who, access.LogCode("the ID token does not hold")
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(l.Nonce)) != 1 {
		return who, access.LogCode("another nonce")
	}
	var claims struct {
		Azp  string `json:"azp"`
		Auth int64  `json:"auth_time"`
	}
	if err := token.Claims(&claims); err != nil || claims.Azp != "" && claims.Azp != o.SignIn.Client || claims.Azp == "" && len(token.Audience) > 1 || !slices.Contains(token.Audience, o.SignIn.Client) {
		return who, access.LogCode("the ID token is for another party")
	}
	// OpenID Connect Core 3.1.2.1: with max_age the token says when.
	if age := o.Now().Unix() - claims.Auth; (l.For == forProof || l.For == forAdd) && (age < -60 || age > 60) {
		return who, access.LogCode("the provider did not ask again who it is")
	}
	return access.Subject{Issuer: token.Issuer, Subject: token.Subject}, nil
}

// checkSignIn refuses a provider that cannot be one.
func (c *Config) checkSignIn() error {
	if c.SignIn == nil {
		return nil
	}
	u, err := url.Parse(c.SignIn.Issuer)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("console: the provider is not an https URL without query")
	case c.SignIn.Client == "" || c.Base == "":
		return errors.New("console: a provider knows this server by a client id and sends browsers back to its base address: both are wanted")
	}
	return nil
}
