package openid

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/labstack/echo/v5"
	"golang.org/x/oauth2"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/web/api"
)

// A SignIn lets holders take up offers as whom the organisation's own OpenID provider
// says they are (the authorisation code grant).
type SignIn struct {
	Issuer string // of the provider: an https URL, letter by letter as its tokens have it
	Client string // client_id of this server there; BASE/callback is its redirect_uri
	Secret string // may be empty: PKCE is used with and without it
	Claim  string // of the ID token, that is a number in the roster; empty: sub
	Roster string // namespace of the registry that the numbers are of; may be empty
	HTTP   *http.Client
	Desk   Authorizer
}

// An Authorizer judges requests of the authorisation code grant and makes its codes;
// offer.Service is one.
type Authorizer interface {
	CheckRedirect(uri string) error
	CheckAuthorization(r *offer.AuthorizationRequest) error
	Authorize(ctx context.Context, r *offer.AuthorizationRequest, who offer.Subject) (code string, err error)
}

const (
	callbackPath = "/callback"
	signInCookie = "__Host-aidpass-sign-in"
	signInLife   = 10 * time.Minute // of somebody who looks for her password
	maxSignIns   = 4096             // under way at a time: the oldest gives way
	maxQuery     = 8 << 10
	maxProvider  = 1 << 20 // of one answer of the provider
	maxNumber    = 256     // of a claim's value
)

// signingAlgs are those an ID token may have. Neither none nor the client's secret
// makes one (OpenID Connect Core 3.1.3.7).
var signingAlgs = []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.ES384, oidc.EdDSA}

// Errors of signing in, for the log. None of them says who it was.
var (
	errNonce    = access.LogCode("openid: the ID token has another nonce")
	errParty    = access.LogCode("openid: the ID token is for another party (azp)")
	errNoClaim  = access.LogCode("openid: the ID token has no such claim that can be a number of the roster")
	errEmail    = access.LogCode("openid: the provider did not verify this e-mail address")
	errNoToken  = access.LogCode("openid: the provider gave no ID token")
	errProvider = errors.New("openid: the provider ended the sign-in: ")
)

// signIns are those under way. A process keeps its own: who signs in comes back to it.
type signIns struct {
	mu   sync.Mutex
	list map[string]*signIn // by cookie
	ages []string           // of the keys of list, the oldest first

	finding  sync.Mutex
	provider *provider // nil: not found yet
}

// A signIn is one browser on its way to the provider and back.
type signIn struct {
	request                *offer.AuthorizationRequest
	state, nonce, verifier string
	until                  time.Time
}

// A provider is what its discovery document says.
type provider struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// checkSignIn makes c.SignIn whole.
func (c *Config) checkSignIn() error {
	in := c.SignIn
	if in == nil {
		return nil
	}
	if u, err := url.Parse(in.Issuer); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("openid: the provider %q is not an https URL without query", in.Issuer)
	}
	if in.Client == "" {
		return errors.New("openid: the provider knows this server by a client id: which?")
	}
	whole := *in
	if whole.Claim == "" {
		whole.Claim = "sub"
	}
	base := http.DefaultTransport
	if whole.HTTP != nil && whole.HTTP.Transport != nil {
		base = whole.HTTP.Transport
	}
	whole.HTTP = &http.Client{Transport: bounded{base}, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("openid: the provider sends elsewhere") }}
	c.SignIn = &whole
	return nil
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

// find reads the provider's discovery document, once it can be had. A provider that is
// down does not keep the server from starting.
func (s *Server) findProvider(ctx context.Context) (*provider, error) {
	s.signIns.finding.Lock()
	defer s.signIns.finding.Unlock()
	if s.signIns.provider != nil {
		return s.signIns.provider, nil
	}
	in := s.SignIn
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, in.HTTP), in.Issuer)
	if err != nil {
		return nil, err
	}
	var said struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&said); err != nil {
		return nil, err
	}
	endpoint := found.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL} {
		if !strings.HasPrefix(address, "https://") {
			return nil, errors.New("openid: an endpoint of the provider is not https")
		}
	}
	// Trying both would use the code up.
	if endpoint.AuthStyle = oauth2.AuthStyleInHeader; in.Secret == "" || !slices.Contains(said.Methods, "client_secret_basic") && slices.Contains(said.Methods, "client_secret_post") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	s.signIns.provider = &provider{
		oauth:    oauth2.Config{ClientID: in.Client, ClientSecret: in.Secret, Endpoint: endpoint, RedirectURL: s.Base + callbackPath, Scopes: s.scopes()},
		verifier: found.Verifier(&oidc.Config{ClientID: in.Client, SupportedSigningAlgs: signingAlgs, Now: s.Now}),
	}
	return s.signIns.provider, nil
}

// scopes ask the provider for no more than the claim needs.
func (s *Server) scopes() []string {
	switch s.SignIn.Claim {
	case "sub":
		return []string{oidc.ScopeOpenID}
	case "email":
		return []string{oidc.ScopeOpenID, "email"}
	}
	return []string{oidc.ScopeOpenID, "profile"}
}

// authorize takes a wallet's request and sends the browser on to the provider.
//
// RFC 6749 4.1.1, OpenID4VCI 5.1.
func (s *Server) authorize(c *echo.Context) error {
	r := c.Request()
	never(c.Response().Header())
	if len(r.URL.RawQuery) > maxQuery {
		return s.signInFault(c, errTooLarge)
	}
	q, err := parseForm(r.URL.RawQuery)
	if err != nil {
		return s.signInFault(c, err)
	}
	request := &offer.AuthorizationRequest{ResponseType: q["response_type"], ClientID: q["client_id"], RedirectURI: q["redirect_uri"], State: q["state"],
		Scope: q["scope"], Details: q["authorization_details"], Challenge: q["code_challenge"], Method: q["code_challenge_method"],
		IssuerState: q["issuer_state"], From: api.Sender(r.RemoteAddr).String()}
	if err := s.SignIn.Desk.CheckRedirect(request.RedirectURI); err != nil {
		return s.signInFault(c, err)
	}
	if err := s.SignIn.Desk.CheckAuthorization(request); err != nil {
		return s.sendBack(c, request, "", err)
	}
	p, err := s.findProvider(r.Context())
	if err != nil {
		s.log(c).Error("the provider of sign-ins cannot be asked", "code", access.ErrorCode(err))
		return s.sendBack(c, request, "", errLater)
	}
	cookie := rand.Text()
	in := &signIn{request: request, state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), until: s.Now().Add(signInLife)}
	s.signIns.add(cookie, in)
	http.SetCookie(c.Response(), &http.Cookie{Name: signInCookie, Value: cookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(signInLife / time.Second)})
	return c.Redirect(http.StatusSeeOther, p.oauth.AuthCodeURL(in.state, oidc.Nonce(in.nonce), oauth2.S256ChallengeOption(in.verifier)))
}

// errLater: RFC 6749 4.1.2.1.
var errLater = &offer.Error{Code: "temporarily_unavailable", Description: "nobody can sign in now: try again later", Status: http.StatusServiceUnavailable}

func (l *signIns) add(cookie string, in *signIn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.list == nil {
		l.list = map[string]*signIn{}
	}
	for len(l.list) >= maxSignIns || len(l.ages) >= 2*maxSignIns { // those that came back are in ages yet
		delete(l.list, l.ages[0])
		l.ages = l.ages[1:]
	}
	l.list[cookie], l.ages = in, append(l.ages, cookie)
}

// take returns the sign-in of a browser that came back, once; nil for none.
func (l *signIns) take(cookie, state string, now time.Time) *signIn {
	l.mu.Lock()
	defer l.mu.Unlock()
	in := l.list[cookie]
	if in == nil || subtle.ConstantTimeCompare([]byte(in.state), []byte(state)) != 1 {
		return nil // another's link does not end what is under way here
	}
	delete(l.list, cookie)
	if !now.Before(in.until) {
		return nil
	}
	return in
}

// callback takes a browser back from the provider and sends it on to its wallet.
func (s *Server) callback(c *echo.Context) error {
	r := c.Request()
	never(c.Response().Header())
	if len(r.URL.RawQuery) > maxQuery {
		return s.signInFault(c, errTooLarge)
	}
	q, err := parseForm(r.URL.RawQuery)
	if err != nil {
		return s.signInFault(c, err)
	}
	held := ""
	if cookie, err := r.Cookie(signInCookie); err == nil {
		held = cookie.Value
	}
	in := s.signIns.take(held, q["state"], s.Now())
	if in == nil {
		return s.signInFault(c, errStranger)
	}
	http.SetCookie(c.Response(), &http.Cookie{Name: signInCookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
	who, err := s.identify(r.Context(), q, in)
	if err != nil {
		s.log(c).Info("a sign-in was refused", "code", access.ErrorCode(err))
		return s.sendBack(c, in.request, "", &offer.Error{Code: offer.AccessDenied, Description: "the sign-in did not succeed"})
	}
	var code string
	err = s.house.Write(r.Context(), func(ctx context.Context) (err error) {
		code, err = s.SignIn.Desk.Authorize(ctx, in.request, who)
		return err
	})
	return s.sendBack(c, in.request, code, err)
}

// errStranger is of a browser that did not begin here.
var errStranger = &offer.Error{Code: offer.InvalidRequest, Description: "no sign-in of this browser is under way", Status: http.StatusBadRequest}

// identify returns who signed in, by an ID token that the provider gave for its code.
//
// OpenID Connect Core 3.1.3.7; RFC 9207 2.4. Errors have nobody's data in them.
func (s *Server) identify(ctx context.Context, q form, in *signIn) (who offer.Subject, err error) {
	if iss, there := q["iss"]; there && iss != s.SignIn.Issuer {
		return who, errors.New("openid: an answer of another provider (iss)")
	}
	if q["code"] == "" {
		said := q["error"]
		if !plainError(said) {
			said = "no code"
		}
		return who, fmt.Errorf("%w%s", errProvider, said)
	}
	p, err := s.findProvider(ctx)
	if err != nil {
		return who, err
	}
	ctx = oidc.ClientContext(ctx, s.SignIn.HTTP)
	tokens, err := p.oauth.Exchange(ctx, q["code"], oauth2.VerifierOption(in.verifier))
	if err != nil {
		var told *oauth2.RetrieveError
		if errors.As(err, &told) { // its text has the answer's body
			return who, fmt.Errorf("openid: the provider refuses the code: %d", told.Response.StatusCode)
		}
		return who, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return who, errNoToken
	}
	token, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return who, err
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(in.nonce)) != 1 {
		return who, errNonce
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return who, errNoClaim
	}
	if azp, there := claims["azp"]; there && azp != s.SignIn.Client || !there && len(token.Audience) > 1 {
		return who, errParty
	}
	number, _ := claims[s.SignIn.Claim].(string)
	if number == "" || len(number) > maxNumber || strings.TrimSpace(number) != number || strings.ContainsFunc(number, unicode.IsControl) {
		return who, errNoClaim
	}
	if s.SignIn.Claim == "email" && claims["email_verified"] != true {
		return who, errEmail
	}
	return offer.Subject{Kind: issuer.Person, Roster: s.SignIn.Roster, Number: number}, nil
}

// plainError reports whether s has the form of an OAuth error code and may be logged.
func plainError(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// sendBack sends the browser to its wallet, with a code or with what went wrong; an
// error that is no *offer.Error is ours and is told as such. The wallet's address was
// checked before.
//
// RFC 6749 4.1.2, RFC 9207 2.
func (s *Server) sendBack(c *echo.Context, r *offer.AuthorizationRequest, code string, err error) error {
	q := url.Values{"iss": {s.Base}}
	if r.State != "" {
		q.Set("state", r.State)
	}
	var e *offer.Error
	switch {
	case err == nil:
		q.Set("code", code)
	case errors.As(err, &e):
		q.Set("error", e.Code)
		if e.Code == offer.SlowDown { // no code of this endpoint
			q.Set("error", errLater.Code)
		}
		q.Set("error_description", e.Description)
	default:
		s.log(c).Error("a sign-in came to no end", "code", access.ErrorCode(err))
		q.Set("error", "server_error")
	}
	// The address stays as it is, letter by letter: it was compared so.
	mark := "?"
	if strings.Contains(r.RedirectURI, "?") {
		mark = "&"
	}
	return c.Redirect(http.StatusSeeOther, r.RedirectURI+mark+q.Encode())
}

// signInFault tells the holder on a page what her wallet cannot be told: there is
// nowhere that the browser may be sent to.
func (s *Server) signInFault(c *echo.Context, err error) error {
	var e *offer.Error
	if !errors.As(err, &e) {
		return s.Fault(err)
	}
	s.log(c).Info("refused", "code", e.Code, "why", e.Description)
	return s.show(c, e.Status, "signin.html", func(_ string, data map[string]any) error {
		data["Again"] = e == errStranger
		data["More"] = ""
		return nil
	})
}
