package openid_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aidpass/internal/jose"
	"aidpass/issuer/offer"
	"aidpass/schemas"
	"aidpass/verifier"
	"aidpass/verifier/request"
	"aidpass/verifier/request/requesttest"
	"aidpass/web/api"
	"aidpass/web/openid"
)

const (
	base      = "https://relief-a.example/org"
	reference = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	good      = "an-access-token"
)

// desk is an issuer in memory.
type desk struct {
	asked  offer.TokenRequest
	bodies []string // of credential requests that were issued
	err    error    // everything fails so
	later  bool
}

func (d *desk) Metadata() []byte       { return []byte(`{"credential_issuer":"` + base + `"}`) }
func (d *desk) ServerMetadata() []byte { return []byte(`{"issuer":"` + base + `"}`) }

func (d *desk) Object(_ context.Context, r string) ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	if r != reference {
		return nil, &offer.Error{Code: "not_found", Description: "no such offer", Status: 404}
	}
	return []byte(`{"credential_configuration_ids":["eligibility_sd_jwt","eligibility_card"],"credential_issuer":"` + base +
		`","grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"the-secret-code","tx_code":{}}}}`), nil
}

func (d *desk) Token(_ context.Context, r offer.TokenRequest) (*offer.TokenResponse, error) {
	d.asked = r
	if d.err != nil {
		return nil, d.err
	}
	return &offer.TokenResponse{AccessToken: good, ExpiresIn: 300}, nil
}

func (d *desk) Nonce() ([]byte, error) { return []byte(`{"c_nonce":"n"}`), d.err }

func (d *desk) Credential(_ context.Context, token string, body []byte) (*offer.CredentialResponse, error) {
	if d.err != nil {
		return nil, d.err
	}
	if token != good {
		return nil, &offer.Error{Code: offer.InvalidToken, Description: "no such access token", Status: 401}
	}
	d.bodies = append(d.bodies, string(body))
	if d.later {
		return &offer.CredentialResponse{Status: 202, TransactionID: "t", Interval: 5}, nil
	}
	return &offer.CredentialResponse{Status: 200, Credentials: []string{"a~b~"}, NotificationID: "n"}, nil
}

func (d *desk) Deferred(ctx context.Context, token string, body []byte) (*offer.CredentialResponse, error) {
	return d.Credential(ctx, token, body)
}

func (d *desk) Notification(_ context.Context, token string, _ []byte) error {
	if token != good {
		return &offer.Error{Code: offer.InvalidToken, Status: 401}
	}
	return d.err
}

// world is a server with a desk behind it.
type world struct {
	desk   *desk
	key    *openid.Key
	server *api.Server
	log    *bytes.Buffer
	asked  *request.Service
	signer *ecdsa.PrivateKey // of request objects
	now    time.Time
}

var now = time.Date(2026, 11, 22, 10, 0, 20, 0, time.UTC)

func newWorld(t *testing.T) *world { return newWorldWith(t, nil) }

func newWorldWith(t *testing.T, in *openid.SignIn) *world {
	t.Helper()
	w := &world{desk: &desk{}, log: &bytes.Buffer{}, now: now, signer: newPrivate(t)}
	clock := func() time.Time { return w.now }
	w.asked = &request.Service{Store: &requesttest.Memory{}, Decrypt: openid.Decrypt, Now: clock,
		Inputs: func(context.Context) (verifier.Inputs, error) { return verifier.Inputs{}, nil }}
	var err error
	if w.key, err = openid.NewKey(); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	room, err := openid.New(openid.Config{Base: base, Issuer: w.desk, Key: w.key, Log: log, Now: clock, Types: schemas.Embedded(), Verifier: w.asked, Signer: w.signer, SignIn: in})
	if err != nil {
		t.Fatal(err)
	}
	if w.server, err = api.New(api.Config{Rooms: []api.Room{room}, Hosts: []string{"relief-a.example"}, Log: log, Now: clock,
		Wallet: fstest.MapFS{"index.html": &fstest.MapFile{Data: []byte("<!doctype html><title>wallet</title>")}}}); err != nil {
		t.Fatal(err)
	}
	return w
}

// do sends a request; headers are names and values in turn.
func (w *world) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	return w.send(httptest.NewRequest(method, "https://relief-a.example"+path, strings.NewReader(body)), headers...)
}

func (w *world) send(r *http.Request, headers ...string) *httptest.ResponseRecorder {
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	a := httptest.NewRecorder()
	w.server.ServeHTTP(a, r)
	return a
}

const (
	isForm = "application/x-www-form-urlencoded"
	isJSON = "application/json"
	isJWT  = "application/jwt"
)

func (w *world) token(body string, headers ...string) *httptest.ResponseRecorder {
	return w.do("POST", "/org/token", body, append([]string{"Content-Type", isForm}, headers...)...)
}

func (w *world) credential(body string, headers ...string) *httptest.ResponseRecorder {
	return w.do("POST", "/org/credential", body, append([]string{"Content-Type", isJSON, "Authorization", "Bearer " + good}, headers...)...)
}

// fault is the error of an answer.
func fault(t *testing.T, a *httptest.ResponseRecorder) string {
	t.Helper()
	v, err := jose.ParseJSON(a.Body.Bytes(), jose.DefaultLimits)
	if err != nil {
		t.Fatalf("%d %s: %v", a.Code, a.Body, err)
	}
	return v.Get("error").Text
}

// endless is a body that goes on, and counts what was taken of it.
type endless struct{ taken int }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	e.taken += len(b)
	return len(b), nil
}

var _ io.Reader = (*endless)(nil)
