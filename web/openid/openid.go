// Package openid speaks the HTTP of OpenID4VCI 1.0 and OpenID4VP 1.0: what wallets
// ask an organisation for and answer it. It is a [api.Room] of the server, under the
// organisation's own URL.
//
// It decides nothing of what is issued or believed: that is for issuer/offer and
// verifier/request. It holds to what HTTP needs: sizes first, one value for each
// name, secrets in bodies and headers only, answers that no cache keeps, pages of
// other origins let in where nothing is decided by a cookie, and encryption.
package openid

import (
	"context"
	"crypto"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v5"

	"aidpass/internal/cose"
	"aidpass/issuer/offer"
	"aidpass/schemas"
	"aidpass/verifier/request"
	"aidpass/web/api"
)

// An Issuer answers wallets that take up offers; offer.Service is one. Its errors
// are those of that package.
type Issuer interface {
	Metadata() []byte
	ServerMetadata() []byte
	Object(ctx context.Context, reference string) ([]byte, error)
	Token(ctx context.Context, r offer.TokenRequest) (*offer.TokenResponse, error)
	Nonce() ([]byte, error)
	Credential(ctx context.Context, token string, body []byte) (*offer.CredentialResponse, error)
	Deferred(ctx context.Context, token string, body []byte) (*offer.CredentialResponse, error)
	Notification(ctx context.Context, token string, body []byte) error
}

// A Verifier keeps what wallets are asked for and judges what they answer;
// request.Service is one. Its errors are those of that package.
type Verifier interface {
	Open(ctx context.Context, handle string) (*request.Transaction, error)
	Answer(ctx context.Context, handle string, form map[string][]string) (request.Reply, error)
	Result(ctx context.Context, id, session, code string) (*request.Transaction, error)
}

// Config is what a Server is made of.
type Config struct {
	Base   string // the organisation's https URL without a slash at its end: its credential issuer identifier
	Issuer Issuer // nil: nothing is issued to wallets here
	Key    *Key   // opens encrypted credential requests; nil: there are none

	Verifier Verifier      // nil: wallets are asked for nothing here; its requests stand under Base
	Signer   crypto.Signer // of request objects; its key may become another while the server runs

	SignIn *SignIn // nil: nobody takes up an offer by signing in

	Types []*schemas.Type // of credentials, for the words of pages and type metadata
	// Fault gives conditions of the store the names that the server answers to (api.ErrBusy,
	// api.ErrFull); nil: none of them.
	Fault func(error) error
	Log   *slog.Logger // nil: nowhere
	Now   func() time.Time
}

// Server answers wallets and those who ask them.
type Server struct {
	Config
	path      string // of Base; "" for none
	house     *api.Server
	documents map[string]*api.Document // by path
	issuer    atomic.Pointer[api.Document]
	pages     *pages
	signIns   signIns
}

// New makes a server of c.
func New(c Config) (*Server, error) {
	if err := offer.CheckIssuer(c.Base); err != nil {
		return nil, err
	}
	base, err := url.Parse(c.Base)
	if err != nil {
		return nil, fmt.Errorf("openid: base URL: %w", err)
	}
	if base.RawPath != "" || strings.ContainsAny(base.Path, ":*") {
		return nil, fmt.Errorf("openid: the path of the base URL %q has other signs than letters, digits and - . _ ~", c.Base)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Fault == nil {
		c.Fault = func(err error) error { return err }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := c.checkSignIn(); err != nil {
		return nil, err
	}
	s := &Server{Config: c, path: base.Path, documents: map[string]*api.Document{}}
	if s.pages, err = readPages(); err != nil {
		return nil, err
	}
	if c.Issuer != nil {
		s.Renew()
		s.documents[pathIssuer+s.path] = s.issuer.Load()
		s.documents[pathServer+s.path] = api.NewDocument(jsonType, c.Issuer.ServerMetadata())
	}
	if c.Verifier != nil {
		if _, err := cose.NewKey(c.Signer.Public()); err != nil {
			return nil, fmt.Errorf("openid: the key of requests: %w", err)
		}
	}
	for _, t := range c.Types {
		document, err := t.Metadata()
		if err != nil {
			return nil, fmt.Errorf("openid: type metadata: %w", err)
		}
		if u, err := url.Parse(t.VCT); err == nil && len(u.Path) > 1 {
			s.documents[u.Path] = api.NewDocument(jsonType, document)
		}
	}
	return s, nil
}

// Paths of documents; the path of Base comes behind them (RFC 8414 3.1, OpenID4VCI 12.2.2).
const (
	pathIssuer = "/.well-known/openid-credential-issuer"
	pathServer = "/.well-known/oauth-authorization-server"
)

// The page of an offer is behind its path.
const pagePath = "/page"

var reading = []string{http.MethodGet, http.MethodHead}

// Enter adds the routes to the server's.
func (s *Server) Enter(house *api.Server, e *echo.Echo) {
	s.house = house
	for path := range s.documents {
		e.Match(reading, path, s.document)
	}
	if s.Verifier != nil {
		e.GET(s.path+requestPath+":handle", s.request)
		e.POST(s.path+requestPath+":handle", s.request)
		e.POST(s.path+responsePath+":handle", s.response)
		e.GET(s.path+resultPath+":id", s.result)
		e.GET(s.path+resultPath+":id/for/:session", s.enter)
		e.GET(s.path+resultPath+":id/json", s.resultJSON)
	}
	if s.SignIn != nil {
		e.GET(s.path+offer.AuthorizePath, s.authorize)
		e.GET(s.path+callbackPath, s.callback)
	}
	if s.Issuer == nil {
		return
	}
	e.GET(s.path+offer.OfferPath+":reference", s.offer)
	e.Match(reading, s.path+offer.OfferPath+":reference"+pagePath, s.offerPage)
	e.POST(s.path+offer.TokenPath, s.token)
	e.POST(s.path+offer.NoncePath, s.nonce)
	e.POST(s.path+offer.CredentialPath, s.credential)
	e.POST(s.path+offer.DeferredPath, s.deferred)
	e.POST(s.path+offer.NotificationPath, s.notification)
}

// Route names the kind of a path for the log: an offer's reference is as good as
// the offer.
func (s *Server) Route(path string) string {
	if s.documents[path] != nil {
		return path
	}
	rest, ok := strings.CutPrefix(path, s.path)
	if !ok {
		return ""
	}
	switch {
	case strings.HasPrefix(rest, offer.OfferPath):
		if strings.HasSuffix(rest, pagePath) {
			return offer.OfferPath + ":reference" + pagePath
		}
		return offer.OfferPath + ":reference"
	case strings.HasPrefix(rest, requestPath):
		return requestPath + ":handle"
	case strings.HasPrefix(rest, responsePath):
		return responsePath + ":handle"
	case strings.HasPrefix(rest, resultPath):
		return resultPath + ":id"
	case s.SignIn != nil && (rest == offer.AuthorizePath || rest == callbackPath):
		return rest
	case rest == offer.TokenPath, rest == offer.NoncePath, rest == offer.CredentialPath, rest == offer.DeferredPath, rest == offer.NotificationPath:
		return rest
	}
	return ""
}

// Open lets wallets that are web pages ask for everything a wallet asks for. Pages
// for people are not among it.
func (s *Server) Open(path string) bool {
	route := s.Route(path)
	return route != "" && route != offer.AuthorizePath && route != callbackPath && !strings.HasSuffix(route, pagePath) && !strings.HasPrefix(route, resultPath)
}

// Renew takes the issuer's metadata anew, where what it gives has changed.
func (s *Server) Renew() {
	if s.Issuer != nil {
		s.issuer.Store(api.NewDocument(jsonType, s.Issuer.Metadata()))
	}
}

func (s *Server) document(c *echo.Context) error {
	path := c.Request().URL.Path
	document := s.documents[path]
	if path == pathIssuer+s.path {
		document = s.issuer.Load()
	}
	document.Serve(c.Response(), c.Request(), "public, max-age=300")
	return nil
}

func (s *Server) log(c *echo.Context) *slog.Logger {
	return s.Log.With("request", api.RequestID(c.Response()))
}
