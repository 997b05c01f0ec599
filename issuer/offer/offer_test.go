package offer

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/jose"
	"aidpass/issuer"
	"aidpass/schemas"
)

// keyStore is a Store that has a key and remembers the offer that was added last.
type keyStore struct {
	Store
	added NewOffer
}

func (k *keyStore) OfferMark(purpose string, values ...string) Mark {
	m := hmac.New(sha256.New, []byte("a key of the test"))
	b := cbor.AppendText(cbor.AppendArray(nil, 1+len(values)), purpose)
	for _, v := range values {
		b = cbor.AppendText(b, v)
	}
	m.Write(b)
	return Mark(m.Sum(nil))
}

func (k *keyStore) AddOffer(_ context.Context, _ access.Actor, n NewOffer) error {
	k.added = n
	return nil
}

func (k *keyStore) OfferByReference(context.Context, Mark) (Offer, error) { return k.added.Offer, nil }

var testNow = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func newService() (*Service, *keyStore) {
	k := &keyStore{}
	return &Service{Issuer: "https://aid.example/i1", Store: k, Types: []*schemas.Type{schemas.ByName("eligibility")},
		Name: map[string]string{"en": "Relief A", "ar": "إغاثة"}, Now: func() time.Time { return testNow }, Rand: zeros{}}, k
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func testDraft() Draft {
	return Draft{Policy: []byte(`{"aidpass_required":1}`), By: access.Actor{ID: "clerk-1", Role: access.Issuer, SecondPerson: "lead-2"}, Forms: Forms(),
		Batch: issuer.Batch{Type: schemas.ByName("eligibility"), Programme: "K7Q2", Round: 1, Replace: true, Reason: "phone_lost"},
		For:   issuer.Request{Unit: issuer.NewUnitID(), Claims: map[string]any{"size_band": "4-5", "collector_rule": "holder_only"}, Override: "no-papers"}}
}

// The page shows the bytes that are made.
func TestThePageShowsAnOffer(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/offer.md")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := newService()
	d := testDraft()
	o, err := s.Create(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	object, err := s.Object(t.Context(), o.Reference)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, append([]byte("```json\n"), object...)) {
		t.Errorf("docs/formats/offer.md does not show\n%s", object)
	}
}

func TestDraftsThatAreNoOffers(t *testing.T) {
	for name, change := range map[string]func(*Service, *Draft){
		"an issuer without https":         func(s *Service, _ *Draft) { s.Issuer = "http://aid.example" },
		"an issuer with a slash":          func(s *Service, _ *Draft) { s.Issuer += "/" },
		"an issuer with a query":          func(s *Service, _ *Draft) { s.Issuer += "?a=b" },
		"a type that is not offered":      func(_ *Service, d *Draft) { d.Batch.Type = schemas.ByName("receipt") },
		"no form":                         func(_ *Service, d *Draft) { d.Forms = nil },
		"a printed card":                  func(_ *Service, d *Draft) { d.Forms = []credential.Form{credential.FormCWT} },
		"a form twice":                    func(_ *Service, d *Draft) { d.Forms = append(d.Forms, d.Forms[0]) },
		"eight days":                      func(_ *Service, d *Draft) { d.Life = 8 * 24 * time.Hour },
		"an hour without a code":          func(_ *Service, d *Draft) { d.Life, d.NoCode = time.Hour, true },
		"a replacement without a reason":  func(_ *Service, d *Draft) { d.Batch.Reason = " " },
		"a PIN, which is for paper cards": func(_ *Service, d *Draft) { d.For.PIN = "123456" },
	} {
		s, k := newService()
		d := testDraft()
		change(s, &d)
		if _, err := s.Create(t.Context(), d); err == nil || k.added.ID != "" {
			t.Errorf("%s became an offer", name)
		}
	}
}

// What was approved is what is issued: the stored request gives the same digests.
func TestAStoredRequestIsTheApprovedOne(t *testing.T) {
	s, k := newService()
	d := testDraft()
	if _, err := s.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	r, err := readRequest(k.added.Request, d.Batch.Type)
	if err != nil {
		t.Fatal(err)
	}
	if r.By != d.By || r.For.Unit != d.For.Unit || r.For.Override != d.For.Override || string(r.Policy) != string(d.Policy) || len(r.Digests) != len(d.Forms) {
		t.Errorf("read as %+v", r)
	}
	for _, f := range d.Forms {
		b := r.batchOf(d.Batch.Type, "K7Q2", 1, f)
		b.Requests = []issuer.Request{r.For}
		if digest, err := b.Digest(); err != nil || digest != b.Approval.Digest {
			t.Errorf("form %s: another digest than was approved, %v", f, err)
		}
	}
	for i := range k.added.Request {
		cut := k.added.Request[:i]
		if _, err := readRequest(cut, d.Batch.Type); !errors.Is(err, errRequest) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func TestMetadata(t *testing.T) {
	s, _ := newService()
	s.SigningAlgs = []string{"ES256"}
	raw := s.Metadata()
	if !bytes.Equal(raw, s.Metadata()) {
		t.Error("twice, and not the same bytes")
	}
	var m struct {
		Issuer         string `json:"credential_issuer"`
		Configurations map[string]struct {
			Format string
			Algs   []string `json:"credential_signing_alg_values_supported"`
			VCT    string
			Proofs map[string]struct {
				Algs []string `json:"proof_signing_alg_values_supported"`
			} `json:"proof_types_supported"`
			Metadata struct {
				Display []struct{ Name, Locale string }
				Claims  []struct {
					Path    []string
					Display []struct{ Name, Locale string }
				}
			} `json:"credential_metadata"`
			Definition struct{ Type []string } `json:"credential_definition"`
		} `json:"credential_configurations_supported"`
		Response json.RawMessage `json:"credential_response_encryption"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if m.Issuer != s.Issuer || len(m.Configurations) != 3 || m.Response != nil {
		t.Errorf("metadata of %q with %d configurations", m.Issuer, len(m.Configurations))
	}
	for id, want := range map[string][2]string{"eligibility_sd_jwt": {FormatSDJWT, "size_band"}, "eligibility_vc_jwt": {FormatVCJWT, "credentialSubject/size_band"},
		"eligibility_card": {FormatCard, "size_band"}} {
		c := m.Configurations[id]
		if c.Format != want[0] || len(c.Metadata.Display) != 5 || len(c.Proofs["jwt"].Algs) != 1 {
			t.Errorf("%s: %+v", id, c)
		}
		if (len(c.Algs) == 1) != (id != "eligibility_card") {
			t.Errorf("%s is signed with %v", id, c.Algs)
		}
		if (c.VCT == "") == (len(c.Definition.Type) == 0) {
			t.Errorf("%s is named in two ways, or none", id)
		}
		found := false
		for _, claim := range c.Metadata.Claims {
			if len(claim.Display) != 5 {
				t.Errorf("%s: claim %v is named in %d languages", id, claim.Path, len(claim.Display))
			}
			found = found || strings.Join(claim.Path, "/") == want[1]
		}
		if !found {
			t.Errorf("%s has no claim %s", id, want[1])
		}
	}
	server := string(s.ServerMetadata())
	if strings.Contains(server, "dpop") || strings.Contains(server, AuthorizePath) || !strings.Contains(server, `"pre-authorized_grant_anonymous_access_supported":true`) {
		t.Errorf("row 22: no DPoP, and no authorisation endpoint: %s", server)
	}
	s.SignIn = true
	if server := string(s.ServerMetadata()); !strings.Contains(server, `"code_challenge_methods_supported":["S256"]`) {
		t.Errorf("the authorisation code grant is not told: %s", server)
	}
}

func TestRequestsThatAreMalformed(t *testing.T) {
	for name, c := range map[string]struct{ body, code string }{
		"not JSON":           {`hello`, InvalidCredentialRequest},
		"an array":           {`[]`, InvalidCredentialRequest},
		"a member twice":     {`{"credential_configuration_id":"a","credential_configuration_id":"b","proofs":{"jwt":["x"]}}`, InvalidCredentialRequest},
		"no configuration":   {`{"proofs":{"jwt":["x"]}}`, InvalidCredentialRequest},
		"both":               {`{"credential_configuration_id":"a","credential_identifier":"b","proofs":{"jwt":["x"]}}`, InvalidCredentialRequest},
		"no proofs":          {`{"credential_configuration_id":"a"}`, InvalidProof},
		"the old proof":      {`{"credential_configuration_id":"a","proof":{"proof_type":"jwt","jwt":"x"}}`, InvalidProof},
		"two types of proof": {`{"credential_configuration_id":"a","proofs":{"jwt":["x"],"attestation":["y"]}}`, InvalidProof},
		"another type":       {`{"credential_configuration_id":"a","proofs":{"attestation":["y"]}}`, InvalidProof},
		"empty":              {`{"credential_configuration_id":"a","proofs":{"jwt":[]}}`, InvalidProof},
		"a number":           {`{"credential_configuration_id":"a","proofs":{"jwt":[1]}}`, InvalidProof},
		"encryption by halves": {`{"credential_configuration_id":"a","proofs":{"jwt":["x"]},"credential_response_encryption":{"enc":"A256GCM"}}`,
			InvalidEncryptionParameters},
		"row 16: too many": {`{"credential_configuration_id":"a","proofs":{"jwt":["` + strings.Repeat(`x","`, BatchSize) + `x"]}}`, InvalidCredentialRequest},
		"too large":        {`{"a":"` + strings.Repeat("x", MaxBody) + `"}`, InvalidCredentialRequest},
	} {
		_, err := ParseCredentialRequest([]byte(c.body))
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || e.Status != 400 {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	r, err := ParseCredentialRequest([]byte(`{"credential_configuration_id":"a","more":[1],"proofs":{"jwt":["x"]},"credential_response_encryption":{"jwk":{"kty":"EC"},"enc":"A256GCM","zip":"DEF"}}`))
	if err != nil || r.Configuration != "a" || len(r.Proofs) != 1 || r.Encryption.Enc != "A256GCM" || r.Encryption.Zip != "DEF" {
		t.Errorf("read as %+v, %v", r, err)
	}
	s, _ := newService()
	for name, err := range map[string]error{"not offered": s.mayEncrypt(r.Encryption), "wanted": func() error { s.RequireEncryption = true; return s.mayEncrypt(nil) }()} {
		var e *Error
		if !errors.As(err, &e) || e.Code != InvalidEncryptionParameters {
			t.Errorf("encryption %s: %v", name, err)
		}
	}
}

func TestGrants(t *testing.T) {
	s, _ := newService()
	for grant, code := range map[string]string{"": InvalidRequest, "password": UnsupportedGrantType, GrantAuthorizationCode: UnsupportedGrantType} {
		_, err := s.Token(t.Context(), TokenRequest{GrantType: grant, From: grant})
		var e *Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("grant %q: %v, want %s", grant, err, code)
		}
	}
}

// A sender who was refused stays refused, however many others come in that minute.
func TestACrowdGivesNobodyANewCount(t *testing.T) {
	s, _ := newService()
	try := func(from string) bool {
		_, err := s.Token(t.Context(), TokenRequest{GrantType: "password", From: from})
		var e *Error
		return errors.As(err, &e) && e.Code == SlowDown
	}
	for range maxFailures {
		try("guesser")
	}
	for n := range 2 * maxNames {
		if try(strconv.Itoa(n)) {
			t.Fatalf("sender %d is refused for what others did", n)
		}
		if n%1000 == 0 && !try("guesser") {
			t.Fatalf("after %d others the guesser has a new count", n)
		}
	}
	if len(s.limits.counts) != maxNames || s.limits.recent.Len() != maxNames {
		t.Errorf("%d names in a list of %d", len(s.limits.counts), s.limits.recent.Len())
	}
	s.Now = func() time.Time { return testNow.Add(time.Minute) }
	if try("guesser") {
		t.Error("refused in the next minute too")
	}
}

func TestANonceIsTheIssuersAndYoung(t *testing.T) {
	s, _ := newService()
	b, err := s.Nonce()
	if err != nil {
		t.Fatal(err)
	}
	nonce := strings.Split(string(b), `"`)[3]
	first, ok := s.readNonce(nonce)
	if !ok {
		t.Error("a fresh one is refused")
	}
	for i := range len(nonce) {
		changed := []byte(nonce)
		changed[i] = 'A' + (changed[i]+1)%26
		if m, ok := s.readNonce(string(changed)); string(changed) != nonce && (ok || m == first) {
			t.Fatalf("changed at %d, it is good", i)
		}
	}
	s.Now = func() time.Time { return testNow.Add(NonceLife) }
	if _, ok := s.readNonce(nonce); ok {
		t.Error("an old one is good")
	}
}

func FuzzCredentialRequest(f *testing.F) {
	f.Add([]byte(`{"credential_configuration_id":"a","proofs":{"jwt":["x","y"]}}`))
	f.Add([]byte(`{"credential_identifier":"a","proofs":{"jwt":["x"]},"credential_response_encryption":{"jwk":{},"enc":"A256GCM"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseCredentialRequest(b)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.Status != 400 {
				t.Fatalf("an error of ours: %v", err)
			}
			return
		}
		if (r.Configuration == "") == (r.Identifier == "") || len(r.Proofs) == 0 || len(r.Proofs) > BatchSize {
			t.Fatalf("read as %+v", r)
		}
	})
}

func FuzzProof(f *testing.F) {
	head := jose.EncodeBase64([]byte(`{"alg":"ES256","jwk":{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},"typ":"openid4vci-proof+jwt"}`))
	f.Add(head + "." + jose.EncodeBase64([]byte(`{"aud":"https://aid.example/i1","iat":1795251600,"nonce":"n"}`)) + "." + jose.EncodeBase64(make([]byte, 64)))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := readProof(text, "https://aid.example/i1", "", testNow.Unix())
		if err == nil { // the fuzzer has no key
			t.Fatalf("a proof of %x", p.key.Thumbprint())
		}
		var e *Error
		if !errors.As(err, &e) || e.Code != InvalidProof && e.Code != InvalidNonce {
			t.Fatalf("an error of ours: %v", err)
		}
	})
}

// Whatever a wallet names, what is taken is offered here, each once.
func FuzzDetails(f *testing.F) {
	f.Add(`[{"type":"openid_credential","credential_configuration_id":"eligibility_sd_jwt","locations":["https://aid.example/i1"]}]`)
	f.Add(`[{"type":"\"\\","credential_configuration_id":1}]`)
	s, _ := newService()
	f.Fuzz(func(t *testing.T, text string) {
		ids, err := s.parseDetails(text)
		var e *Error
		if err != nil && (!errors.As(err, &e) || strings.ContainsAny(e.Description, "\"\\\n")) {
			t.Fatalf("%q: %v", text, err)
		}
		for i, id := range ids {
			if s.configuration(id) == nil || i > 0 && id == ids[0] {
				t.Fatalf("%q gives %v", text, ids)
			}
		}
	})
}
