package openid_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/wallet/openid"
)

const (
	at      = credential.Time(1_795_219_200)
	issuer  = "https://relief-a.example/i1"
	vct     = "https://aidpass.example/elig"
	preauth = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
)

func newKey(t testing.TB) (*ecdsa.PrivateKey, *cose.Key) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := cose.NewKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k, pub
}

// holder does what the steps ask for, as a phone would.
type holder struct {
	t      testing.TB
	keys   map[string]*ecdsa.PrivateKey
	codes  []string // typed, one after the other
	choose []string
	copies int
	reload bool // goes on from the encoded state before every step
	clock  credential.Time
	asked  int
}

func newHolder(t testing.TB) *holder {
	return &holder{t: t, keys: map[string]*ecdsa.PrivateKey{}, choose: []string{"elig_sd_jwt", "elig_vc_jwt", "elig_card"}, copies: 3, clock: at}
}

func (h *holder) receive(link string, s *server) ([]openid.Issued, error) {
	h.t.Helper()
	i, err := openid.Begin(link, openid.Rules{}, rand.Reader)
	if err != nil {
		return nil, err
	}
	for range 60 {
		if h.reload {
			if i, err = openid.ResumeIssuing(i.Encode(), openid.Rules{}, rand.Reader); err != nil {
				h.t.Fatal(err)
			}
		}
		step, err := i.Next(h.clock)
		if err != nil {
			return nil, err
		}
		switch step.Do {
		case openid.Fetch:
			err = i.Take(s.serve(step.Request), h.clock)
			var f *openid.Fault
			if errors.As(err, &f) && (f.Why == openid.WrongCode || f.Why == openid.NoAnswer) {
				err = nil
			}
		case openid.Ask:
			h.asked++
			code := ""
			if len(h.codes) > 0 {
				code, h.codes = h.codes[0], h.codes[1:]
			} else if step.Offered.TxCode != nil {
				return nil, errors.New("no more codes")
			}
			err = i.Agree(openid.Agreement{Configurations: h.choose, TxCode: code, Copies: h.copies})
			if h.reload { // the code is not kept: it has to be used first
				step, _ := i.Next(h.clock)
				err = errors.Join(err, i.Take(s.serve(step.Request), h.clock))
			}
		case openid.Keys:
			var keys []*cose.Key
			for range step.Keys {
				k, pub := newKey(h.t)
				h.keys[string(pub.Append(nil))] = k
				keys = append(keys, pub)
			}
			err = i.TakeKeys(keys)
			if h.reload {
				continue
			}
		case openid.Sign:
			err = h.sign(step.Sign, i.Signed)
			if h.reload && err == nil { // a reload here begins anew with the nonce
				step, _ := i.Next(h.clock)
				err = i.Take(s.serve(step.Request), h.clock)
			}
		case openid.Wait:
			if step.Until <= h.clock {
				h.t.Fatal("told to wait until a moment that is past")
			}
			h.clock = step.Until
		case openid.Done:
			return i.Received(), nil
		}
		if err != nil {
			return i.Received(), err
		}
	}
	h.t.Fatal("it does not end")
	return nil, nil
}

func (h *holder) sign(list []openid.ToSign, signed func([][]byte) error) error {
	var sigs [][]byte
	for _, s := range list {
		sig, err := cose.SignRaw(h.keys[string(s.Key.Append(nil))], s.Bytes)
		if err != nil {
			h.t.Fatal(err)
		}
		sigs = append(sigs, sig)
	}
	return signed(sigs)
}

func why(err error) openid.Why {
	var f *openid.Fault
	if errors.As(err, &f) {
		return f.Why
	}
	return ""
}

func TestAnOfferBecomesCredentialsInOneTimeCopies(t *testing.T) {
	for name, set := range map[string]func(*server, *holder){
		"by value":               func(*server, *holder) {},
		"encrypted both ways":    func(s *server, _ *holder) { s.encrypt = true },
		"keys as did:jwk":        func(s *server, _ *holder) { s.methods = []string{"did:jwk"} },
		"with a code":            func(s *server, h *holder) { s.txCode, h.codes = "493536", []string{" 493536 "} },
		"in Arabic digits":       func(s *server, h *holder) { s.txCode, h.codes = "493536", []string{"٤٩٣٥٣٦"} },
		"a wrong code first":     func(s *server, h *holder) { s.txCode, h.codes = "493536", []string{"111111", "493536"} },
		"a lost answer":          func(s *server, _ *holder) { s.lost = 2 },
		"a stale nonce":          func(s *server, _ *holder) { s.stale = 1 },
		"later":                  func(s *server, _ *holder) { s.later = 3 },
		"later and encrypted":    func(s *server, _ *holder) { s.later, s.encrypt = 2, true },
		"reloaded at every step": func(s *server, h *holder) { h.reload, s.later = true, 2 },
		"reloaded and encrypted": func(s *server, h *holder) { h.reload, s.encrypt = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			s, h := newServer(t), newHolder(t)
			set(s, h)
			if s.later > 0 {
				h.choose = h.choose[:1]
			}
			got, err := h.receive(s.link(), s)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(h.choose) {
				t.Fatalf("%d credentials, want %d", len(got), len(h.choose))
			}
			for n, want := range []int{3, 3, 1}[:len(got)] {
				c := got[n]
				if len(c.Copies) != want || c.Configuration.ID != h.choose[n] || c.Issuer != issuer {
					t.Errorf("%s: %d copies of %q by %q", h.choose[n], len(c.Copies), c.Configuration.ID, c.Issuer)
				}
				for _, copy := range c.Copies {
					if h.keys[string(copy.Key.Append(nil))] == nil {
						t.Errorf("%s: bound to a key that is not ours", c.Configuration.ID)
					}
				}
			}
			if want := slices.Repeat([]string{"credential_accepted"}, len(got)); !slices.Equal(s.told, want) {
				t.Errorf("the issuer was told %q", s.told)
			}
			if len(s.got) != len(got) {
				t.Errorf("the issuer issued %d times", len(s.got))
			}
		})
	}
}

// A certificate that comes along proves nobody's name but that of the server it came
// from: anybody can make one in the name of another.
func TestACertificateDoesNotSpeakForAnotherIssuer(t *testing.T) {
	for iss, want := range map[string]openid.Why{issuer: "", "https://relief-b.example": openid.BadIssued, "did:web:relief-b.example": openid.BadIssued, "https://relief-b.example/i1": openid.BadIssued} {
		s, h := newServer(t), newHolder(t)
		h.choose, h.copies = []string{"elig_sd_jwt"}, 1
		template := &x509.Certificate{SerialNumber: big.NewInt(7), DNSNames: []string{"relief-b.example"}, NotBefore: time.Unix(int64(at)-9, 0), NotAfter: time.Unix(int64(at)+9, 0)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, s.key.Public(), s.key)
		if err != nil {
			t.Fatal(err)
		}
		s.forge = func(text string) string {
			token, rest, _ := strings.Cut(text, "~")
			return resign(t, s.key, token, func(h map[string]any) {
				delete(h, "kid")
				h["x5c"] = []string{base64.StdEncoding.EncodeToString(der)}
			}, func(c map[string]any) { c["iss"] = iss }) + "~" + rest
		}
		_, theirs := newKey(t)
		s.answer = func(address string) *openid.Response {
			var r openid.Response
			switch {
			case !strings.HasPrefix(address, "https://relief-b.example/"):
				return nil
			case strings.HasSuffix(address, "did.json"):
				r = openid.Response{Status: 200, Type: "application/did+json", Body: did.Document("did:web:relief-b.example", []did.Method{{ID: "did:web:relief-b.example#1", Key: theirs, For: did.Assertion}})}
			default:
				r = reply(200, jose.ObjectOf(jose.Member{Name: "issuer", Value: jose.StringOf(iss)},
					jose.Member{Name: "jwks", Value: jose.ObjectOf(jose.Member{Name: "keys", Value: jose.ArrayOf(jose.JWKOf(theirs))})}).Append(nil))
			}
			return &r
		}
		if got, err := h.receive(s.link(), s); why(err) != want || want != "" && len(got) != 0 || want == "" && len(got) != 1 {
			t.Errorf("%s: %d credentials, %v", iss, len(got), err)
		}
	}
}

func TestAnOfferByReference(t *testing.T) {
	s, h := newServer(t), newHolder(t)
	got, err := h.receive("openid-credential-offer://?credential_offer_uri="+url.QueryEscape("https://relief-a.example/o/1"), s)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d, %v", len(got), err)
	}
	if c := got[0].Configuration; c.Colour != "#112233" || len(c.Names) != 2 || c.Names[1].Text != "Aide en argent" || len(c.Labels) != 1 {
		t.Errorf("display %+v", c)
	}
}

// THREATS 4.4, 24: what is not https is never fetched.
func TestAddressesThatAreNotFetched(t *testing.T) {
	for _, u := range []string{"http://relief-a.example/o/1", "file:///etc/passwd", "https://user:pw@relief-a.example/o", "https://127.0.0.1/o", "https://localhost/o",
		"https://[::1]/o", "https://2130706433/o", "https://0x7f000001/o", "https://relief-a.example#@evil.example/", "https://relief-a.example\\@evil.example/", "ftp://relief-a.example/",
		"https://relief-a.example:99999999/o", "https://intranet/o", "", "https://relief-a.example/" + strings.Repeat("a", 3000)} {
		if _, err := openid.Begin("openid-credential-offer://?credential_offer_uri="+url.QueryEscape(u), openid.Rules{}, rand.Reader); why(err) != openid.NotHTTPS {
			t.Errorf("offer at %q: %v", u, err)
		}
		s := newServer(t)
		s.meta = func(m map[string]any) { m["credential_endpoint"] = u }
		if _, err := newHolder(t).receive(s.link(), s); why(err) != openid.NotHTTPS {
			t.Errorf("endpoint at %q: %v", u, err)
		}
	}
	if _, err := openid.Begin("openid-credential-offer://?credential_offer_uri=http%3A%2F%2Flocalhost%3A8080%2Fo", openid.Rules{Development: true}, rand.Reader); err != nil {
		t.Errorf("a laptop that is its own server: %v", err)
	}
	if _, err := openid.Begin("openid-credential-offer://?credential_offer_uri=http%3A%2F%2Fa.example%2Fo", openid.Rules{Development: true}, rand.Reader); why(err) != openid.NotHTTPS {
		t.Errorf("http elsewhere: %v", err)
	}
}

// THREATS 4.4, 25: metadata too large, too deep, or of another issuer.
func TestMetadataThatIsRefused(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	for name, c := range map[string]struct {
		want openid.Why
		set  func(*server)
	}{
		"10 MB": {openid.TooLarge, func(s *server) {
			s.answer = at1("openid-credential-issuer", reply(200, append([]byte(`{"x":"`), bytes.Repeat([]byte("a"), 10<<20)...)))
		}},
		"nested": {openid.BadAnswer, func(s *server) { s.answer = at1("openid-credential-issuer", reply(200, []byte(deep))) }},
		"many entries": {openid.TooLarge, func(s *server) {
			s.answer = at1("openid-credential-issuer", reply(200, []byte(`{"a":[`+strings.Repeat("1,", 2000)+`1]}`)))
		}},
		"another issuer": {openid.MixUp, func(s *server) { s.meta = func(m map[string]any) { m["credential_issuer"] = "https://evil.example" } }},
		"a slash more":   {openid.MixUp, func(s *server) { s.meta = func(m map[string]any) { m["credential_issuer"] = issuer + "/" } }},
		"twice": {openid.BadAnswer, func(s *server) {
			s.answer = at1("openid-credential-issuer", reply(200, []byte(`{"credential_issuer":"`+issuer+`","credential_issuer":"x"}`)))
		}},
		"HTML": {openid.BadAnswer, func(s *server) {
			s.answer = at1("openid-credential-issuer", openid.Response{Status: 200, Type: "text/html", Body: []byte("<html>")})
		}},
		"a redirect": {openid.BadAnswer, func(s *server) { s.answer = at1("openid-credential-issuer", openid.Response{Status: 302}) }},
		"another server": {openid.MixUp, func(s *server) {
			s.answer = at1("oauth-authorization-server", reply(200, map[string]any{"issuer": "https://evil.example", "token_endpoint": "https://evil.example/t"}))
		}},
		"a key attestation": {openid.Unsupported, func(s *server) {
			s.meta = func(m map[string]any) {
				for _, c := range m["credential_configurations_supported"].(map[string]any) {
					if p, ok := c.(map[string]any)["proof_types_supported"].(map[string]any); ok {
						p["jwt"].(map[string]any)["key_attestations_required"] = map[string]any{}
					}
				}
			}
		}},
		"encryption of another kind": {openid.Unsupported, func(s *server) {
			s.meta = func(m map[string]any) {
				m["credential_response_encryption"] = map[string]any{"alg_values_supported": []string{"RSA-OAEP"}, "enc_values_supported": []string{"A128GCM"}, "encryption_required": true}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			c.set(s)
			if _, err := newHolder(t).receive(s.link(), s); why(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// at1 answers addresses that hold a text.
func at1(part string, r openid.Response) func(string) *openid.Response {
	return func(u string) *openid.Response {
		if strings.Contains(u, part) {
			return &r
		}
		return nil
	}
}

func TestIssuedCredentialsThatAreRefused(t *testing.T) {
	other, otherPub := newKey(t)
	for name, set := range map[string]func(*server){
		"bound to another key":  func(s *server) { s.bound = otherPub },
		"signed by another key": func(s *server) { s.key = other },
		"not a credential": func(s *server) {
			s.answer = at1("/credential", reply(200, map[string]any{"credentials": []any{map[string]any{"credential": "x"}}, "notification_id": "n"}))
		},
		"more than keys": func(s *server) {
			s.answer = at1("/credential", reply(200, map[string]any{"credentials": make([]any, 9)}))
		},
		"keys of another issuer": func(s *server) {
			s.answer = at1("jwt-vc-issuer", reply(200, map[string]any{"issuer": "https://evil.example", "jwks_uri": "https://evil.example/j"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, h := newServer(t), newHolder(t)
			set(s)
			got, err := h.receive(s.link(), s)
			if why(err) != openid.BadIssued || len(got) != 0 {
				t.Errorf("%d, %v", len(got), err)
			}
			if name != "more than keys" && !slices.Equal(s.told, []string{"credential_failure"}) {
				t.Errorf("the issuer was told %q", s.told)
			}
		})
	}
}

func TestARefusalIsToldByItsName(t *testing.T) {
	for name, c := range map[string]struct {
		part string
		r    openid.Response
		want openid.Why
	}{
		"a spent offer":    {"/token", refuse("invalid_grant"), openid.Used},
		"an unknown error": {"/token", reply(400, []byte("<html>")), openid.BadAnswer},
		"denied":           {"/credential", refuse("credential_request_denied"), openid.Refused},
		"a bad proof":      {"/credential", refuse("invalid_proof"), openid.BadProof},
		"nonces for ever":  {"/credential", refuse("invalid_nonce"), openid.BadProof},
		"an old token":     {"/credential", openid.Response{Status: 401}, openid.Used},
		"a DPoP token":     {"/token", reply(200, map[string]any{"access_token": "x", "token_type": "DPoP"}), openid.Unsupported},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.answer = func(u string) *openid.Response {
				if strings.HasSuffix(u, c.part) {
					return &c.r
				}
				return nil
			}
			if _, err := newHolder(t).receive(s.link(), s); why(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestOffersThatAreRefused(t *testing.T) {
	for offer, want := range map[string]openid.Why{
		`{}`: openid.NotHTTPS,
		`{"credential_issuer":"https://a.example"}`:                                                                                                           openid.BadAnswer,
		`{"credential_issuer":"https://a.example","credential_configuration_ids":["a","a"]}`:                                                                  openid.BadAnswer,
		`{"credential_issuer":"https://a.example","credential_configuration_ids":["a"]}`:                                                                      openid.Unsupported,
		`{"credential_issuer":"https://a.example?x","credential_configuration_ids":["a"]}`:                                                                    openid.NotHTTPS,
		`{"credential_issuer":"https://a.example","credential_configuration_ids":["a"],"grants":{"authorization_code":{}}}`:                                   openid.Unsupported,
		`{"credential_issuer":"https://a.example","credential_configuration_ids":["a"],"grants":{"` + preauth + `":{}}}`:                                      openid.BadAnswer,
		`{"credential_issuer":"https://a.example","credential_configuration_ids":["a"],"grants":{"` + preauth + `":{"pre-authorized_code":"c","tx_code":1}}}`: openid.BadAnswer,
	} {
		if _, err := openid.Begin("openid-credential-offer://?credential_offer="+url.QueryEscape(offer), openid.Rules{}, rand.Reader); why(err) != want {
			t.Errorf("%s: %v, want %s", offer, err, want)
		}
	}
	for _, link := range []string{"", "https://a.example", "openid-credential-offer://", "openid-credential-offer://?credential_offer={}&credential_offer_uri=x",
		"openid-credential-offer://?credential_offer=a&credential_offer=b", "openid-credential-offer://?credential_offer=%zz", strings.Repeat("x", 20000)} {
		if _, err := openid.Begin(link, openid.Rules{}, rand.Reader); why(err) != openid.BadLink {
			t.Errorf("%.60q: %v", link, err)
		}
	}
}

func FuzzBegin(f *testing.F) {
	s := newServer(f)
	f.Add(s.link(), []byte(s.metadata()))
	f.Add("openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa.example", []byte("{}"))
	f.Fuzz(func(t *testing.T, link string, meta []byte) {
		i, err := openid.Begin(link, openid.Rules{}, rand.Reader)
		if err != nil {
			return
		}
		for range 3 {
			step, err := i.Next(at)
			if err != nil || step.Do != openid.Fetch {
				break
			}
			if !strings.HasPrefix(step.Request.URL, "https://") {
				t.Errorf("would fetch %q", step.Request.URL)
			}
			_ = i.Take(openid.Response{Status: 200, Type: "application/json", Body: meta}, at)
		}
		again, err := openid.ResumeIssuing(i.Encode(), openid.Rules{}, rand.Reader)
		if err != nil || !bytes.Equal(again.Encode(), i.Encode()) {
			t.Errorf("the state does not come back: %v", err)
		}
	})
}

func FuzzResumeIssuing(f *testing.F) {
	s := newServer(f)
	i, err := openid.Begin(s.link(), openid.Rules{}, rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for range 3 {
		f.Add(i.Encode())
		if step, _ := i.Next(at); step.Do == openid.Fetch {
			_ = i.Take(s.serve(step.Request), at)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := openid.ResumeIssuing(b, openid.Rules{}, rand.Reader)
		if err != nil {
			return
		}
		_, _ = i.Next(at)
		_ = i.Take(openid.Response{Status: 200, Type: "application/json", Body: []byte("{}")}, at)
	})
}
