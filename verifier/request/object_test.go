package request_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"aidpass/credential/dcql"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/verifier/request"
	vt "aidpass/verifier/verifiertest"
)

func payload(t testing.TB, key *cose.Key, p *jose.Prepared) (jose.Value, *jose.Token) {
	t.Helper()
	text := made(p.Attach(made(cose.SignRaw(signer, p.ToBeSigned()))))
	tok, _, err := jose.Open(text, request.ObjectType, jose.MaxToken, func(string) *cose.Key { return key })
	if err != nil {
		t.Fatal(err)
	}
	return made(tok.Claims(jose.Limits{Depth: 16, Entries: 256, Values: 8192})), tok
}

// Row 30 from our side: a request object has all that a careful wallet wants to see.
func TestRow30TheRequestObject(t *testing.T) {
	d := newDesk()
	key := made(cose.NewKey(signer.Public()))
	tr := d.ask(t, func(p *request.Policy) { p.Mode = request.DirectPostJWT })
	tr.Transaction = made(d.Open(t.Context(), tr.Handle)) // as a wallet finds it
	v, tok := payload(t, key, made(tr.Object(key, "w-nonce")))
	if tok.KeyID != "did:web:relief-b.example#"+jose.KeyID(key) {
		t.Error("kid", tok.KeyID)
	}
	for name, want := range map[string]string{
		"aud": "https://self-issued.me/v2", "client_id": "decentralized_identifier:did:web:relief-b.example", "response_type": "vp_token",
		"response_mode": "direct_post.jwt", "response_uri": base + "/response/" + tr.Handle, "nonce": tr.Nonce, "state": tr.State, "wallet_nonce": "w-nonce",
	} {
		if got := v.Get(name); got.Text != want || want == "" {
			t.Errorf("%s is %q, want %q", name, got.Text, want)
		}
	}
	for _, name := range []string{"iss", "scope", "redirect_uri", "transaction_data"} {
		if v.Get(name).Kind != jose.Missing {
			t.Error("there is", name)
		}
	}
	if exp, _ := v.Get("exp").Int(); exp != vt.Now.Std().Add(5*time.Minute).Unix() {
		t.Error("exp", exp)
	}
	m := v.Get("client_metadata")
	keys := m.Get("jwks").Get("keys").Items
	if len(keys) != 1 || keys[0].Get("d").Kind != jose.Missing || keys[0].Get("alg").Text != "ECDH-ES" || keys[0].Get("kid").Text != tr.KeyID() || keys[0].Get("use").Text != "enc" {
		t.Errorf("jwks: %s", m.Append(nil))
	}
	if m.Get("vp_formats_supported").Get(dcql.FormatSDJWT).Kind != jose.Object || m.Get("client_name#fr").Text != "Secours B" || v.Get("purpose").Get("en").Text == "" {
		t.Errorf("client_metadata: %s", m.Append(nil))
	}
	if q, err := dcql.Read(v.Get("dcql_query")); err != nil || q.Credentials[0].Unbound {
		t.Error(err)
	}
	if v, _ := payload(t, key, made(tr.Object(key, ""))); v.Get("wallet_nonce").Kind != jose.Missing {
		t.Error("a wallet_nonce that nobody sent")
	}
	if _, err := tr.Object(key, strings.Repeat("x", 513)); reason(t, err) != request.Malformed {
		t.Error(err)
	}
	link := made(url.Parse(tr.Link(request.OpenLink)))
	if q := link.Query(); link.Scheme != "openid4vp" || q.Get("client_id") != v.Get("client_id").Text || q.Get("request_uri") != base+"/request/"+tr.Handle || q.Get("request_uri_method") != "post" || len(q) != 3 {
		t.Error(link)
	}
	if strings.Contains(tr.Link("https://wallet.example/open"), tr.ID) || strings.Contains(tr.Link(request.OpenLink), tr.State) {
		t.Error("a link tells the id of staff, or the state")
	}
}

func TestRequestsBySchemesOfTheStandard(t *testing.T) {
	d := newDesk()
	key := made(cose.NewKey(signer.Public()))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Relief B"}, NotBefore: d.now, NotAfter: d.now.Add(time.Hour)}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der := made(x509.CreateCertificate(rand.Reader, template, template, signer.Public(), other))
	tr := d.ask(t, func(p *request.Policy) { p.Client = request.Client{Scheme: request.X509Hash, Chain: [][]byte{der}} })
	v, tok := payload(t, key, made(tr.Object(key, "")))
	sum := sha256.Sum256(der)
	if v.Get("client_id").Text != "x509_hash:"+jose.EncodeBase64(sum[:]) || len(tok.Header.Get("x5c").Items) != 1 {
		t.Error(v.Get("client_id").Text)
	}
	if _, err := tr.Object(made(cose.NewKey(other.Public())), ""); err == nil {
		t.Error("signed by another key than the certificate's")
	}
	tr = d.ask(t, func(p *request.Policy) { p.Client = request.Client{Scheme: request.RedirectURI} })
	if _, err := tr.Object(key, ""); err == nil {
		t.Error("an unsigned scheme was signed")
	}
	q := made(url.Parse(tr.Link(request.OpenLink))).Query()
	if q.Get("client_id") != "redirect_uri:"+tr.ResponseURI() || q.Get("response_uri") != tr.ResponseURI() || q.Has("request_uri") {
		t.Error(q)
	}
	if _, err := dcql.Parse([]byte(q.Get("dcql_query"))); err != nil {
		t.Error(err)
	}
	// Its answers are for that address.
	if _, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{}), tr.ClientID(), tr.Nonce))); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	d := newDesk()
	for name, edit := range map[string]func(*request.Policy){
		"nothing":               func(p *request.Policy) { p.Wanted = nil },
		"too much":              func(p *request.Policy) { p.Wanted = make([]request.Wanted, 5) },
		"no type":               func(p *request.Policy) { p.Wanted[0].VCT = "" },
		"only what is optional": func(p *request.Policy) { p.Wanted[0].Claims, p.Wanted[0].Optional = nil, []string{"round"} },
		"a claim twice":         func(p *request.Policy) { p.Wanted[0].Claims = []string{"round", "round"} },
		"an id of blanks":       func(p *request.Policy) { p.Wanted[0].ID = "a b" },
		"an unknown format":     func(p *request.Policy) { p.Wanted[0].Formats = []string{"mso_mdoc"} },
		"no purpose":            func(p *request.Policy) { p.Purpose = nil },
		"a purpose in French":   func(p *request.Policy) { delete(p.Purpose, "en") },
		"a novel":               func(p *request.Policy) { p.Purpose["en"] = strings.Repeat("x", 301) },
		"http":                  func(p *request.Policy) { p.Base = "http://relief-b.example" },
		"a slash at the end":    func(p *request.Policy) { p.Base += "/" },
		"a password":            func(p *request.Policy) { p.Base = "https://a:b@relief-b.example" },
		"an hour":               func(p *request.Policy) { p.Life = time.Hour },
		"fragment":              func(p *request.Policy) { p.Mode = "fragment" },
		"did:key":               func(p *request.Policy) { p.Client.DID = "did:key:z6Mk" },
		"no certificate":        func(p *request.Policy) { p.Client = request.Client{Scheme: request.X509Hash} },
		"origin":                func(p *request.Policy) { p.Client.Scheme = "origin" },
		"a name without words":  func(p *request.Policy) { p.Client.Name = map[string]string{"en": ""} },
	} {
		if _, err := d.New(t.Context(), asker, policy(edit)); !errors.Is(err, request.ErrPolicy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tr := d.ask(t, func(p *request.Policy) { p.Wanted[0].Formats = []string{dcql.FormatSDJWT, dcql.FormatJWTVC} })
	if len(tr.Query.Credentials) != 2 || len(tr.Query.Sets) != 1 || tr.Query.Credentials[1].Claims[0].Path.String() != "credentialSubject.programme" {
		t.Errorf("%s", tr.Query.Value().Append(nil))
	}
}

func TestSecretsAreLongAndDiffer(t *testing.T) {
	d := newDesk()
	seen := map[string]bool{}
	for range 50 {
		tr := d.ask(t, nil)
		for _, s := range []string{tr.ID, tr.Handle, tr.State, tr.Nonce, tr.Session} {
			if raw, err := jose.DecodeBase64(s); err != nil || len(raw) < 16 || seen[s] {
				t.Fatalf("%q: %v", s, err)
			}
			seen[s] = true
		}
		row := made(d.store.Request(t.Context(), tr.ID))
		if strings.Contains(string(row.Body), tr.Session) {
			t.Fatal("the session's secret is stored")
		}
	}
}
