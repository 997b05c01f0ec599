package openid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"aidpass/credential/cwt"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/wallet/openid"
)

// server is an issuer of the standard's letter, with knobs for what goes wrong.
type server struct {
	t       testing.TB
	key     *ecdsa.PrivateKey
	pub     *cose.Key
	txCode  string
	batch   int
	encrypt bool
	encKey  *ecdsa.PrivateKey
	later   int // times the wallet is sent away
	lost    int // answers of the credential endpoint that do not come
	stale   int // nonces refused
	methods []string

	meta   func(m map[string]any)             // changes the metadata
	answer func(path string) *openid.Response // in place of the server's own
	bound  *cose.Key                          // credentials are bound to this one instead
	spent  bool
	forge  func(text string) string // changes what is issued

	nonces  int
	got     map[string]string // configuration and keys -> response, for retries
	told    []string          // notifications
	pending string
}

func newServer(t testing.TB) *server {
	s := &server{t: t, batch: 8, methods: []string{"jwk"}, got: map[string]string{}}
	s.key, s.pub = newKey(t)
	s.encKey, _ = newKey(t)
	return s
}

func (s *server) offer() string {
	grant := map[string]any{"pre-authorized_code": "the-code-of-the-offer"}
	if s.txCode != "" {
		grant["tx_code"] = map[string]any{"length": len(s.txCode), "description": "on the slip"}
	}
	b, _ := json.Marshal(map[string]any{"credential_issuer": issuer,
		"credential_configuration_ids": []string{"elig_sd_jwt", "elig_vc_jwt", "elig_card", "elig_mdoc"},
		"grants":                       map[string]any{preauth: grant}})
	return string(b)
}

func (s *server) link() string {
	return "openid-credential-offer://?credential_offer=" + url.QueryEscape(s.offer())
}

func (s *server) metadata() []byte {
	configuration := func(format string) map[string]any {
		return map[string]any{"format": format, "vct": vct, "cryptographic_binding_methods_supported": s.methods,
			"proof_types_supported": map[string]any{"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}}},
			"credential_metadata": map[string]any{
				"display": []any{map[string]any{"name": "Cash aid", "locale": "en", "background_color": "#123"}, map[string]any{"name": "Aide en argent", "locale": "fr"}},
				"claims":  []any{map[string]any{"path": []string{"programme"}, "display": []any{map[string]any{"name": "Programme", "locale": "en"}}}}}}
	}
	m := map[string]any{"credential_issuer": issuer, "credential_endpoint": issuer + "/credential", "nonce_endpoint": issuer + "/nonce",
		"deferred_credential_endpoint": issuer + "/deferred", "notification_endpoint": issuer + "/notification",
		"display":                   []any{map[string]any{"name": "Relief A", "locale": "en"}},
		"batch_credential_issuance": map[string]any{"batch_size": s.batch},
		"credential_configurations_supported": map[string]any{"elig_sd_jwt": configuration("dc+sd-jwt"), "elig_vc_jwt": configuration("vc+jwt"),
			"elig_card": configuration("aidpass-card"), "elig_mdoc": map[string]any{"format": "mso_mdoc", "doctype": "x"}}}
	if s.encrypt {
		pub, err := jwk.Import(s.encKey.Public())
		if err != nil {
			s.t.Fatal(err)
		}
		_ = pub.Set("kid", "e1")
		_ = pub.Set("alg", "ECDH-ES")
		_ = pub.Set("use", "enc")
		m["credential_request_encryption"] = map[string]any{"jwks": map[string]any{"keys": []any{pub}}, "enc_values_supported": []string{"A128GCM"}, "encryption_required": true}
		m["credential_response_encryption"] = map[string]any{"alg_values_supported": []string{"ECDH-ES"}, "enc_values_supported": []string{"A256GCM", "A128GCM"}, "encryption_required": true}
	}
	if s.meta != nil {
		s.meta(m)
	}
	b, _ := json.Marshal(m)
	return b
}

func reply(status int, v any) openid.Response {
	b, ok := v.([]byte)
	if !ok {
		b, _ = json.Marshal(v)
	}
	return openid.Response{Status: status, Type: "application/json; charset=utf-8", Body: b}
}

func refuse(code string) openid.Response { return reply(400, map[string]any{"error": code}) }

// serve answers one request as the standard says.
func (s *server) serve(r *openid.Request) openid.Response {
	s.t.Helper()
	if s.answer != nil {
		if a := s.answer(r.URL); a != nil {
			return *a
		}
	}
	switch r.URL {
	case "https://relief-a.example/o/1":
		return reply(200, []byte(s.offer()))
	case "https://relief-a.example/.well-known/openid-credential-issuer/i1":
		return reply(200, s.metadata())
	case "https://relief-a.example/.well-known/oauth-authorization-server/i1":
		return reply(200, map[string]any{"issuer": issuer, "token_endpoint": issuer + "/token", "pre-authorized_grant_anonymous_access_supported": true})
	case "https://relief-a.example/.well-known/jwt-vc-issuer/i1":
		jwk, _ := json.Marshal(map[string]any{"issuer": issuer, "jwks_uri": issuer + "/jwks"})
		return reply(200, jwk)
	case issuer + "/jwks":
		key := jose.JWKOf(s.pub)
		key.Members = append(key.Members, jose.Member{Name: "kid", Value: jose.StringOf(jose.KeyID(s.pub))})
		return openid.Response{Status: 200, Type: "application/jwk-set+json", Body: jose.ObjectOf(jose.Member{Name: "keys", Value: jose.ArrayOf(key)}).Append(nil)}
	case issuer + "/token":
		form, err := url.ParseQuery(string(r.Body))
		if err != nil || r.Type != "application/x-www-form-urlencoded" || form.Get("grant_type") != preauth || form.Get("pre-authorized_code") != "the-code-of-the-offer" {
			s.t.Errorf("token request %q %v", r.Body, err)
		}
		if form.Get("tx_code") != s.txCode || s.spent {
			return refuse("invalid_grant")
		}
		return reply(200, map[string]any{"access_token": "the-token", "token_type": "bearer", "expires_in": 300})
	case issuer + "/nonce":
		if r.Bearer != "" {
			s.t.Error("the nonce endpoint got the token")
		}
		s.nonces++
		return reply(200, map[string]any{"c_nonce": fmt.Sprint("nonce-", s.nonces)})
	case issuer + "/notification":
		var n struct{ Notification_id, Event string }
		if json.Unmarshal(r.Body, &n) != nil || r.Bearer != "the-token" {
			s.t.Errorf("notification %s", r.Body)
		}
		s.told = append(s.told, n.Event)
		return openid.Response{Status: 204}
	case issuer + "/credential", issuer + "/deferred":
		return s.credential(r)
	}
	s.t.Errorf("a request to %s", r.URL)
	return openid.Response{Status: 404}
}

func (s *server) credential(r *openid.Request) openid.Response {
	s.t.Helper()
	body := r.Body
	if s.encrypt {
		plain, err := jwe.Decrypt(body, jwe.WithKey(jwa.ECDH_ES(), s.encKey))
		if err != nil || r.Type != "application/jwt" {
			s.t.Fatalf("the request was not encrypted: %v", err)
		}
		body = plain
	}
	var req struct {
		Credential_configuration_id, Transaction_id string
		Proofs                                      struct{ Jwt []string }
		Credential_response_encryption              struct {
			Jwk json.RawMessage
			Enc string
		}
	}
	if err := json.Unmarshal(body, &req); err != nil || r.Bearer != "the-token" {
		s.t.Fatalf("credential request %s: %v", body, err)
	}
	out := func(r openid.Response) openid.Response {
		if !s.encrypt {
			return r
		}
		pub, err := jwk.ParseKey(req.Credential_response_encryption.Jwk)
		if err != nil {
			s.t.Fatal(err)
		}
		b, err := jwe.Encrypt(r.Body, jwe.WithKey(jwa.ECDH_ES(), pub), jwe.WithContentEncryption(jwa.A256GCM()))
		if err != nil {
			s.t.Fatal(err)
		}
		return openid.Response{Status: r.Status, Type: "application/jwt", Body: b}
	}
	if req.Transaction_id != "" {
		if s.later--; s.later > 0 {
			return out(reply(202, map[string]any{"transaction_id": "later-1", "interval": 60}))
		}
		return out(reply(200, []byte(s.pending)))
	}
	if s.stale > 0 {
		s.stale--
		return refuse("invalid_nonce")
	}
	var keys []*cose.Key
	for _, p := range req.Proofs.Jwt {
		keys = append(keys, s.proof(p))
	}
	id := req.Credential_configuration_id
	for _, k := range keys {
		id += string(k.Append(nil))
	}
	if s.got[id] == "" {
		s.got[id] = s.issue(req.Credential_configuration_id, keys)
	}
	switch {
	case s.lost > 0:
		s.lost--
		return openid.Response{}
	case s.later > 0:
		s.pending = s.got[id]
		return out(reply(202, map[string]any{"transaction_id": "later-1", "interval": 60}))
	}
	return out(reply(200, []byte(s.got[id])))
}

// proof holds one to OpenID4VCI appendix F.1.
func (s *server) proof(text string) *cose.Key {
	s.t.Helper()
	tok, err := jose.Parse([]byte(text), jose.MaxToken)
	if err != nil || tok.Type != "openid4vci-proof+jwt" {
		s.t.Fatalf("proof %v, typ %q", err, tok.Type)
	}
	k, err := jose.KeyOf(tok.Header.Get("jwk"))
	if tok.KeyID != "" {
		if tok.Header.Get("jwk").Kind != jose.Missing {
			s.t.Error("a proof with both jwk and kid")
		}
		k, err = did.KeyAt(tok.KeyID)
	}
	if err != nil || tok.Verify(k) != nil {
		s.t.Fatalf("proof's key %v", err)
	}
	c, _ := tok.Claims(jose.DefaultLimits)
	if c.Get("aud").Text != issuer || c.Get("nonce").Text != fmt.Sprint("nonce-", s.nonces) || c.Get("iat").Text != fmt.Sprint(int64(at)) || c.Get("iss").Kind != jose.Missing {
		s.t.Errorf("proof says %s", tok.Payload)
	}
	return k
}

func (s *server) issue(configuration string, keys []*cose.Key) string {
	s.t.Helper()
	var list []any
	for _, k := range keys {
		if s.bound != nil {
			k = s.bound
		}
		text := issueOne(s.t, configuration, s.key, k)
		if s.forge != nil {
			text = s.forge(text)
		}
		list = append(list, map[string]any{"credential": text})
	}
	b, _ := json.Marshal(map[string]any{"credentials": list, "notification_id": "n-" + configuration})
	return string(b)
}

var statusIndex = uint64(100)

// issueOne makes a credential as an issuer would: each with its own id and index.
func issueOne(t testing.TB, configuration string, signer crypto.Signer, holder *cose.Key) string {
	t.Helper()
	key, err := cose.NewKey(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	statusIndex += 977
	id := make([]byte, 12)
	rand.Read(id)
	claims := jose.ObjectOf(jose.Member{Name: "programme", Value: jose.StringOf("K7Q2")}, jose.Member{Name: "size_band", Value: jose.StringOf("4-5")},
		jose.Member{Name: "ledger_id", Value: jose.StringOf("WxBLSBUk-vIqvIDb")})
	switch configuration {
	case "elig_sd_jwt":
		p, err := sdjwt.Prepare(key, sdjwt.Draft{Issuer: issuer, Type: vct, ID: base64.RawURLEncoding.EncodeToString(id), IssuedAt: at, ExpiresAt: at + 86400*90,
			StatusURI: "https://relief-a.example/st/1.jwt", StatusIndex: statusIndex, HolderKey: holder, Claims: claims,
			Frame: sdjwt.Frame{"programme": {Disclosure: schemas.DiscloseAlways}, "size_band": {Disclosure: schemas.DiscloseAllowed}, "ledger_id": {Disclosure: schemas.DiscloseAllowed}}, PadTo: 4}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		sig, _ := cose.SignRaw(signer, p.ToBeSigned())
		text, err := p.Attach(sig)
		if err != nil {
			t.Fatal(err)
		}
		return text
	case "elig_vc_jwt":
		p, err := vcjwt.Prepare(key, vcjwt.Draft{Issuer: issuer, Type: vct, ID: "urn:x:" + base64.RawURLEncoding.EncodeToString(id), IssuedAt: at, ExpiresAt: at + 86400*90, HolderKey: holder, Claims: claims})
		if err != nil {
			t.Fatal(err)
		}
		sig, _ := cose.SignRaw(signer, p.ToBeSigned())
		text, err := p.Attach(sig)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	p, err := cwt.Prepare(key, cwt.Draft{Issuer: issuer, Type: vct, ID: [cwt.CredentialIDN]byte(id[:10]), IssuedAt: at, ExpiresAt: at + 86400*90,
		Pseudonym: "WxBLSBUk-vIqvIDb", HolderKey: holder})
	if err != nil {
		t.Fatal(err)
	}
	sig, _ := cose.SignRaw(signer, p.ToBeSigned())
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	text, err := cwt.Text(raw)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
