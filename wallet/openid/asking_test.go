package openid_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/dcql"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/verifier/request"
	"aidpass/verifier/request/requesttest"
	"aidpass/wallet"
	"aidpass/wallet/openid"
)

// phone is a wallet with what one offer brought.
func phone(t testing.TB, copies int) (*wallet.Wallet, *holder) {
	t.Helper()
	s, h := newServer(t), newHolder(t)
	h.copies = copies
	got, err := h.receive(s.link(), s)
	if err != nil {
		t.Fatal(err)
	}
	w, ids := &wallet.Wallet{}, 0
	if _, err := w.Add(openid.Received(got, issuer, nil), "", func() string { ids++; return fmt.Sprint("c", ids) }, at); err != nil || len(w.Cards) != 1 {
		t.Fatalf("%d cards, %v", len(w.Cards), err)
	}
	return w, h
}

// asker is a verifier under a did:web, which asks by the service's own rules.
type asker struct {
	t      testing.TB
	host   string
	key    *ecdsa.PrivateKey
	pub    *cose.Key
	policy request.Policy
	*request.Started
	log [][]byte // what came in
}

func newAsker(t testing.TB, host string, claims ...string) *asker {
	a := &asker{t: t, host: host}
	a.key, a.pub = newKey(t)
	a.policy = request.Policy{Base: "https://" + host + "/vp", Purpose: map[string]string{"en": "to hand out food", "fr": "pour distribuer des vivres"},
		Wanted: []request.Wanted{{ID: "aid", VCT: vct, Claims: claims}},
		Client: request.Client{Scheme: request.DID, DID: "did:web:" + host, Name: map[string]string{"en": "Table " + host}}}
	return a
}

func (a *asker) ask() string {
	a.t.Helper()
	s := &request.Service{Store: &requesttest.Memory{}, Now: func() time.Time { return time.Unix(int64(at), 0) }}
	var err error
	if a.Started, err = s.New(context.Background(), access.Actor{ID: "w", Role: access.System}, a.policy); err != nil {
		a.t.Fatal(err)
	}
	return a.Link(request.OpenLink)
}

func (a *asker) object(nonce string) string {
	a.t.Helper()
	p, err := a.Object(a.pub, nonce)
	if err != nil {
		a.t.Fatal(err)
	}
	sig, _ := cose.SignRaw(a.key, p.ToBeSigned())
	text, err := p.Attach(sig)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

func (a *asker) serve(r *openid.Request) openid.Response {
	a.t.Helper()
	switch {
	case r.URL == a.RequestURI():
		f, _ := url.ParseQuery(string(r.Body))
		return openid.Response{Status: 200, Type: "application/oauth-authz-req+jwt", Body: []byte(a.object(f.Get("wallet_nonce")))}
	case strings.HasSuffix(r.URL, "/did.json"):
		return openid.Response{Status: 200, Type: "application/did+json", Body: did.Document("did:web:"+a.host, []did.Method{{ID: "did:web:" + a.host + "#" + jose.KeyID(a.pub), Key: a.pub, For: did.Authentication}})}
	case r.URL == a.ResponseURI():
		f, err := url.ParseQuery(string(r.Body))
		if err != nil || r.Type != "application/x-www-form-urlencoded" {
			a.t.Fatalf("answer %q %v", r.Body, err)
		}
		body := []byte(`{"vp_token":` + f.Get("vp_token") + `,"state":"` + f.Get("state") + `"}`)
		if f.Get("error") != "" {
			body = []byte(`{"error":"` + f.Get("error") + `","state":"` + f.Get("state") + `"}`)
		}
		if f.Get("response") != "" {
			if body, err = jwe.Decrypt([]byte(f.Get("response")), jwe.WithKey(jwa.ECDH_ES(), a.Key)); err != nil {
				a.t.Fatalf("the answer does not decrypt: %v", err)
			}
		}
		a.log = append(a.log, body)
		return reply(200, map[string]any{"redirect_uri": a.ResultURI() + "#response_code=1"})
	}
	a.t.Errorf("a request to %s", r.URL)
	return openid.Response{Status: 404}
}

// answer drives a request to its end. choose nil: the answer that shows least; refuse:
// she says no.
func (h *holder) answer(link string, w *wallet.Wallet, serve func(*openid.Request) openid.Response, choose func(*openid.Asked, *openid.Choices) []openid.Pick, refuse bool) (string, error) {
	h.t.Helper()
	a, err := openid.BeginAsking(link, openid.Rules{}, rand.Reader)
	if err != nil {
		return "", err
	}
	for range 20 {
		if h.reload {
			again, err := openid.ResumeAsking(a.Encode(), openid.Rules{}, rand.Reader)
			if err != nil {
				h.t.Fatal(err)
			}
			if step, _ := again.Next(at); step.Do == openid.Consent || step.Do == openid.Fetch && !strings.Contains(step.Request.URL, "/response/") {
				if now, _ := a.Next(at); now.Do == step.Do {
					a = again
				}
			}
		}
		step, err := a.Next(at)
		if err != nil {
			return "", err
		}
		switch step.Do {
		case openid.Fetch:
			err = a.Take(serve(step.Request), at)
		case openid.Chain:
			c, perr := x509.ParseCertificate(step.Chain[0])
			if perr != nil {
				h.t.Fatal(perr)
			}
			err = a.TakeChain(c.Subject.CommonName, true)
		case openid.Consent:
			if refuse {
				err = a.Refuse(w, h.clock)
				break
			}
			choices, cerr := a.Search(w, h.clock)
			if cerr != nil {
				return "", cerr
			}
			if !choices.Possible {
				return "", errors.New("not possible")
			}
			picks := choices.Least
			if choose != nil {
				picks = choose(step.Asked, choices)
			}
			err = a.Answer(w, picks, h.clock)
		case openid.Sign:
			err = h.sign(step.Sign, a.Signed)
		case openid.Done:
			return step.Redirect, nil
		}
		if err != nil {
			return "", err
		}
	}
	h.t.Fatal("it does not end")
	return "", nil
}

// got opens the last answer as a verifier does.
func (a *asker) got(pub *cose.Key) *sdjwt.Credential {
	a.t.Helper()
	var answer struct {
		Vp_token map[string][]string
		State    string
	}
	if err := json.Unmarshal(a.log[len(a.log)-1], &answer); err != nil || len(answer.Vp_token["aid"]) != 1 || answer.State != a.State {
		a.t.Fatalf("answer %s: %v", a.log[len(a.log)-1], err)
	}
	e, err := sdjwt.Parse(answer.Vp_token["aid"][0])
	if err != nil {
		a.t.Fatal(err)
	}
	c, err := sdjwt.OpenBound(e, pub, sdjwt.Binding{Audience: a.ClientID(), Nonce: a.Nonce, At: at, MaxAge: time.Minute, Skew: time.Minute})
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

func TestWhatIsAskedForIsShownAndNothingElse(t *testing.T) {
	for name, set := range map[string]func(*asker, *holder){
		"encrypted":             func(*asker, *holder) {},
		"in the clear":          func(a *asker, _ *holder) { a.policy.Mode = request.DirectPost },
		"by certificate":        func(a *asker, _ *holder) { a.certify() },
		"unsigned":              func(a *asker, _ *holder) { a.policy.Client.Scheme, a.policy.Client.DID = request.RedirectURI, "" },
		"reloaded at each step": func(_ *asker, h *holder) { h.reload = true },
	} {
		t.Run(name, func(t *testing.T) {
			w, h := phone(t, 3)
			a := newAsker(t, "b.example", "size_band")
			set(a, h)
			link := a.ask()
			var who openid.Verifier
			redirect, err := h.answer(link, w, a.serve, func(asked *openid.Asked, c *openid.Choices) []openid.Pick {
				who = asked.Who
				if wallet.In(asked.Purpose, "fr") != "pour distribuer des vivres" || asked.To != "b.example" || wallet.In(asked.Who.Calls, "en") != "Table b.example" {
					t.Errorf("asked %+v", asked)
				}
				if o := c.Wants[0].Options[0]; !slices.Equal(o.Always, []string{"programme"}) || !slices.Equal(o.Ways[0].Claims, []string{"size_band"}) || o.Left != 2 {
					t.Errorf("option %+v", o)
				}
				return c.Least
			}, false)
			if err != nil || redirect != a.ResultURI()+"#response_code=1" {
				t.Fatalf("%q, %v", redirect, err)
			}
			if want := map[string]openid.Identified{"by certificate": openid.ByChain, "unsigned": openid.ByAddress}[name]; want != "" && who.How != want || want == "" && who.How != openid.ByWebsite {
				t.Errorf("who asks: %+v", who)
			}
			c := a.got(w.Cards[0].IssuerKey)
			if c.Claims.Get("size_band").Text != "4-5" || c.Claims.Get("ledger_id").Kind != jose.Missing || len(c.Disclosures) != 1 {
				t.Errorf("shown %s", c.Claims.Append(nil))
			}
			e := w.Log[len(w.Log)-1]
			if e.Kind != wallet.Shown || e.Who != a.ClientID() || e.For != "to hand out food" || !slices.Equal(e.Claims, []string{"programme", "size_band"}) {
				t.Errorf("log %+v", e)
			}
		})
	}
}

// certify gives a a certificate of its own, for x509_hash.
func (a *asker) certify() {
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Table B"}, NotBefore: time.Unix(int64(at)-9, 0), NotAfter: time.Unix(int64(at)+9, 0)}
	rootKey, _ := newKey(a.t)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, IsCA: true, BasicConstraintsValid: true, NotBefore: template.NotBefore, NotAfter: template.NotAfter}
	der, err := x509.CreateCertificate(rand.Reader, template, root, a.key.Public(), rootKey)
	if err != nil {
		a.t.Fatal(err)
	}
	a.policy.Client = request.Client{Scheme: request.X509Hash, Chain: [][]byte{der}, Name: a.policy.Client.Name}
}

func TestNoIsAnAnswer(t *testing.T) {
	w, h := phone(t, 2)
	a := newAsker(t, "b.example", "size_band")
	if _, err := h.answer(a.ask(), w, a.serve, nil, true); err != nil {
		t.Fatal(err)
	}
	if len(a.log) != 1 || !strings.Contains(string(a.log[0]), `"access_denied"`) || !strings.Contains(string(a.log[0]), a.State) {
		t.Errorf("who asked got %s", a.log)
	}
	if e := w.Log[len(w.Log)-1]; e.Kind != wallet.Declined || !slices.Equal(e.Claims, []string{"size_band"}) {
		t.Errorf("log %+v", e)
	}
	if left := w.Cards[0].Left(credential.FormSDJWT); left != 2 {
		t.Errorf("%d unused copies after a no", left)
	}
}

// THREATS 7: what two verifiers hold of one holder has no value in common, but for the
// ledger's pseudonym where an entitlement is collected.
func TestTwoVerifiersHaveNothingInCommon(t *testing.T) {
	shared := func(claims ...string) []string {
		w, h := phone(t, 4)
		var logs [2]map[string]bool
		for n, host := range []string{"b.example", "c.example"} {
			a := newAsker(t, host, claims...)
			if _, err := h.answer(a.ask(), w, a.serve, nil, false); err != nil {
				t.Fatal(err)
			}
			logs[n] = pieces(t, a.log[0])
		}
		var both []string
		for v := range logs[0] {
			switch {
			case !logs[1][v]:
			case v == jose.KeyID(w.Cards[0].IssuerKey):
				both = append(both, issuerKeyID)
			default:
				both = append(both, v)
			}
		}
		slices.Sort(both)
		return both
	}
	// Neither more than everybody's values nor less: the test sees short ones and addresses.
	if both := shared("size_band"); !slices.Equal(both, slices.Sorted(slices.Values(everybodys))) {
		t.Errorf("two verifiers both hold\n%q, want what all holders show alone:\n%q", both, everybodys)
	}
	if with := shared("size_band", "ledger_id"); !slices.Contains(with, "WxBLSBUk-vIqvIDb") {
		t.Errorf("the ledger's name is not among %q: the test does not see what is there", with)
	}
}

// everybodys are the values that all who hold such a credential show, and who answered the
// same question at the same second.
var everybodys = []string{
	"4-5", "size_band", // what was asked for, and its name
	"EC", "ES256", "P-256", "dc+sd-jwt", "kb+jwt", "sha-256", // what the format is made of
	"K7Q2", vct, issuer, issuerKeyID,
	"https://relief-a.example/st/1.jwt",      // one list for all of the programme
	"number 1795219200", "number 1802995200", // at, and 90 days later: of that day's issue
}

// issuerKeyID stands for the id of the issuer's key, which is another in each run.
const issuerKeyID = "the issuer's key"

// pieces are all values in what a verifier received, long and short: of the JSON, of the
// tokens in it, of what is base64url in those, and every number.
func pieces(t *testing.T, log []byte) map[string]bool {
	out := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out[v] = true
			for _, part := range strings.FieldsFunc(v, func(r rune) bool { return r == '~' || r == '.' }) {
				raw, err := base64.RawURLEncoding.DecodeString(part)
				var in any
				if err == nil && json.Unmarshal(raw, &in) == nil {
					walk(in)
				} else if strings.Contains(v, "~") {
					out[part] = true
				}
			}
		case float64:
			out[fmt.Sprintf("number %.0f", v)] = true
		case bool:
			out[fmt.Sprint(v)] = true
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	var v any
	if err := json.Unmarshal(log, &v); err != nil {
		t.Fatal(err)
	}
	walk(v)
	return out
}

// Share less: the query leaves a choice, and the least is what is offered first.
func TestSharingLess(t *testing.T) {
	w, h := phone(t, 4)
	query := `{"credentials":[
		{"id":"aid","format":"dc+sd-jwt","meta":{"vct_values":["` + vct + `"]},"claims":[{"id":"s","path":["size_band"]},{"id":"l","path":["ledger_id"]}],"claim_sets":[["s","l"],["s"]]},
		{"id":"extra","format":"vc+jwt","meta":{},"require_cryptographic_holder_binding":false},
		{"id":"none","format":"dc+sd-jwt","meta":{"vct_values":["https://x.example"]}}],
		"credential_sets":[{"options":[["none"],["aid"]]},{"options":[["extra"]],"required":false}]}`
	link := "openid4vp://?response_type=vp_token&response_mode=direct_post&nonce=n&state=s&client_id=redirect_uri:https://b.example/r&dcql_query=" + url.QueryEscape(query)
	var sent url.Values
	serve := func(r *openid.Request) openid.Response {
		sent, _ = url.ParseQuery(string(r.Body))
		return openid.Response{Status: 200}
	}
	tokens := func() map[string][]string {
		var out map[string][]string
		if err := json.Unmarshal([]byte(sent.Get("vp_token")), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if _, err := h.answer(link, w, serve, nil, false); err != nil {
		t.Fatal(err)
	}
	if got := tokens(); len(got) != 1 || strings.Count(got["aid"][0], "~") != 2 {
		t.Errorf("the least is %d credentials, %q", len(got), got["aid"])
	}
	// All of it, if she wants.
	_, err := h.answer(link, w, serve, func(_ *openid.Asked, c *openid.Choices) []openid.Pick {
		if len(c.Wants[0].Options) != 1 || len(c.Wants[0].Options[0].Ways) != 2 || len(c.Wants[2].Options) != 0 || !c.Wants[0].Required || c.Wants[1].Required {
			t.Errorf("choices %+v", c.Wants)
		}
		card := w.Cards[0].ID
		return []openid.Pick{{Want: "aid", Card: card, Form: credential.FormSDJWT, Way: 0}, {Want: "extra", Card: card, Form: credential.FormVCJWT}}
	}, false)
	if got := tokens(); err != nil || len(got) != 2 || strings.Count(got["aid"][0], "~") != 3 {
		t.Errorf("everything is %d credentials, %v", len(got), err)
	}
	// What is optional alone is no answer, and a copy is not spent for it.
	left := w.Cards[0].Left(credential.FormVCJWT)
	_, err = h.answer(link, w, serve, func(*openid.Asked, *openid.Choices) []openid.Pick {
		return []openid.Pick{{Want: "extra", Card: w.Cards[0].ID, Form: credential.FormVCJWT}}
	}, false)
	if why(err) != openid.Nothing || w.Cards[0].Left(credential.FormVCJWT) != left {
		t.Errorf("the optional part alone: %v, %d copies left of %d", err, w.Cards[0].Left(credential.FormVCJWT), left)
	}
}

// The W3C form goes out in a presentation that its holder signed for this request, unless
// the query does without.
func TestTheW3CFormIsSignedByItsHolder(t *testing.T) {
	w, h := phone(t, 2)
	a := newAsker(t, "b.example", "size_band")
	a.policy.Wanted[0].Formats = []string{dcql.FormatJWTVC}
	if _, err := h.answer(a.ask(), w, a.serve, nil, false); err != nil {
		t.Fatal(err)
	}
	var answer struct{ Vp_token map[string][]string }
	if err := json.Unmarshal(a.log[0], &answer); err != nil || len(answer.Vp_token["aid"]) != 1 {
		t.Fatalf("%s %v", a.log[0], err)
	}
	p, err := vcjwt.ParsePresentation(answer.Vp_token["aid"][0])
	if err != nil {
		t.Fatal(err)
	}
	e, err := vcjwt.Parse(p.Credential)
	if err != nil {
		t.Fatal(err)
	}
	c, err := vcjwt.Open(e, w.Cards[0].IssuerKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Bound(c.Holder, a.ClientID(), a.Nonce, at, 60, 60); err != nil {
		t.Error(err)
	}
	if err := p.Bound(c.Holder, a.ClientID(), "another", at, 60, 60); err == nil {
		t.Error("it does for another request too")
	}
	if log := w.Log[len(w.Log)-1]; !slices.Contains(log.Claims, "ledger_id") {
		t.Errorf("the log says that %v were shown, and it was the whole", log.Claims)
	}
}

func TestAWalletWithoutTheCardSaysSoToItsHolderAlone(t *testing.T) {
	w, h := phone(t, 1)
	a := newAsker(t, "b.example", "size_band")
	a.policy.Wanted[0].VCT = "https://x.example/other"
	if _, err := h.answer(a.ask(), w, a.serve, nil, false); err == nil || len(a.log) != 0 {
		t.Errorf("%v, sent %d", err, len(a.log))
	}
}

func FuzzBeginAsking(f *testing.F) {
	a := newAsker(f, "b.example", "size_band")
	link := a.ask()
	f.Add(link, a.object(""))
	a.policy.Client.Scheme, a.policy.Client.DID = request.RedirectURI, ""
	f.Add(a.ask(), "x")
	f.Fuzz(func(t *testing.T, link, object string) {
		k, err := openid.BeginAsking(link, openid.Rules{}, rand.Reader)
		if err != nil {
			return
		}
		for range 2 {
			step, err := k.Next(at)
			if err != nil || step.Do != openid.Fetch {
				break
			}
			if !strings.HasPrefix(step.Request.URL, "https://") {
				t.Errorf("would fetch %q", step.Request.URL)
			}
			_ = k.Take(openid.Response{Status: 200, Type: step.Request.Accept, Body: []byte(object)}, at)
		}
		_, _ = openid.ResumeAsking(k.Encode(), openid.Rules{}, rand.Reader)
		_, _ = openid.ResumeAsking([]byte(object), openid.Rules{}, rand.Reader)
	})
}
