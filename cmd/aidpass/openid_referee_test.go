package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/referee"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/storage/keystore"
	"aidpass/verifier/request"
)

// The programs that speak OpenID4VCI and OpenID4VP are made of these.
var openidPackages = []string{"@openid4vc/openid4vci", "@openid4vc/openid4vp", "@openid4vc/oauth2", "@sd-jwt/sd-jwt-vc", "@sd-jwt/crypto-nodejs", "jose"}

// received is what a wallet of others tells of an offer it took up.
type received struct {
	Error   string
	Version string   // of OpenID4VCI, as it understands our metadata
	Known   []string // configurations it can ask for
	Given   []struct {
		Configuration string
		Credentials   []string
		Told          int // status of the notification
	}
	IssuerKeys []json.RawMessage // of /.well-known/jwt-vc-issuer
	Seen       []string          // requests and how they were answered
}

// answered is what it tells of a request.
type answered struct {
	Error  string
	Client string // who asks, as it checked it
	Mode   string
	Status int
	Body   string
	Seen   []string
}

// through lets node reach the server that client finds: it knows neither the name
// nor the certificates.
func through(t *testing.T, client *http.Client) referee.Job {
	t.Helper()
	target := &url.URL{Scheme: "https", Host: "relief-a.example"}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Transport: client.Transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	t.Cleanup(proxy.Close)
	return referee.Job{"from": target.String(), "to": proxy.URL}
}

func walletKeys(t *testing.T, names ...string) (jwks []json.RawMessage) {
	t.Helper()
	for _, name := range names {
		jwks = append(jwks, referee.PrivateJWK(t, scriptKey(t, name)))
	}
	return jwks
}

// offers makes an offer by the command line.
func (l *laptop) offers(flags ...string) (link, txCode string) {
	l.t.Helper()
	var made struct {
		Link string
		Tx   string `json:"tx_code"`
	}
	out := l.must(append([]string{"offer", "create", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		l.t.Fatal(err)
	}
	return made.Link, made.Tx
}

// A wallet made of @openid4vc 0.4.6 takes offers up from a running server, by
// reference with a transaction code and by value without; it names its keys by jwk
// and did:jwk, asks for batches, in the clear and encrypted; and @sd-jwt and jose
// verify what it got with the keys that the server names.
func TestAWalletOfOthersTakesOffersUp(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWallets()
	defer stop()
	byReference, tx := l.offers("--external", "1")
	byValue, none := l.offers("--external", "2", "--no-tx-code", "--by-value")
	if tx == "" || none != "" || !strings.Contains(byReference, "credential_offer_uri=") || !strings.Contains(byValue, "credential_offer=") {
		t.Fatalf("%s %q, %s %q", byReference, tx, byValue, none)
	}
	wrong := "000000"
	if tx == wrong {
		wrong = "000001"
	}
	way, now := through(t, client), scriptClock().Unix()
	sd := referee.Job{"configuration": "eligibility_sd_jwt", "keys": walletKeys(t, "a", "b", "c"), "by": "jwk"}
	wants := [][]referee.Job{{sd}, {
		sd,
		{"configuration": "eligibility_vc_jwt", "keys": walletKeys(t, "d", "e"), "by": "did"},
		{"configuration": "eligibility_card", "keys": walletKeys(t, "f"), "by": "jwk", "encrypt": true},
	}, {
		{"configuration": "eligibility_sd_jwt", "keys": walletKeys(t, "g", "h"), "by": "did", "encrypt": true},
	}, {sd}}
	var jobs []referee.Job
	for i, offer := range []struct{ link, tx string }{{byReference, wrong}, {byReference, tx}, {byValue, ""}, {byValue, ""}} {
		job := referee.Job{"op": "receive", "through": way, "now": now, "offer": offer.link, "wants": wants[i]}
		if offer.tx != "" {
			job["txCode"] = offer.tx
		}
		jobs = append(jobs, job)
	}
	var got []received
	referee.Ask(t, "openid.mjs", openidPackages, jobs, &got)
	if !strings.Contains(got[0].Error, "invalid_grant") || !strings.Contains(got[3].Error, "invalid_grant") {
		t.Errorf("a wrong transaction code: %s\nan offer taken up before: %s", got[0].Error, got[3].Error)
	}
	var checks []referee.Job
	for n, r := range got[1:3] {
		want := wants[n+1]
		if r.Error != "" || len(r.Given) != len(want) || len(r.IssuerKeys) != 2 { // of credentials and of status lists
			t.Fatalf("offer %d: %s: %d of %d configurations, %d keys\n%s", n, r.Error, len(r.Given), len(want), len(r.IssuerKeys), strings.Join(r.Seen, "\n"))
		}
		if r.Version != "V1" || !slices.Contains(r.Known, "eligibility_sd_jwt") {
			t.Errorf("offer %d: metadata of version %s with %q", n, r.Version, r.Known)
		}
		for i, given := range r.Given {
			if given.Told != http.StatusNoContent || len(given.Credentials) != len(want[i]["keys"].([]json.RawMessage)) {
				t.Errorf("%s: %d credentials, notification %d", given.Configuration, len(given.Credentials), given.Told)
			}
			for _, text := range given.Credentials {
				job := referee.Job{"op": "verify", "text": text, "issuer": r.keyOf(t, text), "now": now}
				switch given.Configuration {
				case "eligibility_vc_jwt":
					job["op"], job["typ"] = "jwt", vcjwt.Type
				case "eligibility_card":
					if raw, err := new(qr.Scratch).Decode(text); err != nil {
						t.Errorf("a card: %v", err)
					} else if e, err := cwt.Parse(raw); err != nil || string(e.Issuer) != "https://relief-a.example/i1" {
						t.Errorf("a card of %q: %v", e.Issuer, err)
					}
					continue
				}
				checks = append(checks, job)
			}
		}
		encrypted := 0
		for _, line := range r.Seen {
			if strings.HasSuffix(line, "/credential 200 application/jwt") {
				encrypted++
			}
		}
		if encrypted != 1 {
			t.Errorf("offer %d: %d encrypted answers, want 1\n%s", n, encrypted, strings.Join(r.Seen, "\n"))
		}
	}
	holders := map[string]bool{}
	for i, o := range referee.SDJWT(t, checks...) {
		holder, err := json.Marshal(o.Payload["cnf"])
		if err != nil || o.Error != "" || holders[string(holder)] {
			t.Errorf("credential %d: %s, of holder %s", i, o.Error, holder)
		}
		holders[string(holder)] = true
	}
	if len(holders) != 7 {
		t.Errorf("%d holders' keys, want 7", len(holders))
	}
	l.othersReadStatus(s, got[1].keyOf(t, got[1].Given[0].Credentials[0]), got[1].Given[0].Credentials[0], got[2].Given[0].Credentials[0])
	if code := stop(); code != 0 {
		t.Errorf("serve: exit %d\n%s", code, l.stderr.String())
	}
}

// keyOf is the published key that a credential names, null for one that names none
// of them, such as a card.
func (r received) keyOf(t *testing.T, text string) json.RawMessage {
	t.Helper()
	header, _, _ := strings.Cut(text, ".")
	var names, has struct{ Kid string }
	raw, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil || json.Unmarshal(raw, &names) != nil {
		return json.RawMessage("null")
	}
	for _, k := range r.IssuerKeys {
		if json.Unmarshal(k, &has) == nil && has.Kid == names.Kid {
			return k
		}
	}
	return json.RawMessage("null")
}

// othersReadStatus publishes the lists, revokes what one unit has, and publishes
// again: @sd-jwt takes both credentials, and then the other unit's alone.
func (l *laptop) othersReadStatus(s *serving, issuer json.RawMessage, revoked, kept string) {
	t := l.t
	t.Helper()
	_, key, err := s.o.currentSigner(keystore.Status)
	if err != nil {
		t.Fatal(err)
	}
	look := func() []referee.Opinion {
		l.must("status", "publish", "--out", l.path("lists"))
		files, err := filepath.Glob(l.path("lists/*.jwt"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no lists (%v)", err)
		}
		lists := map[string]string{}
		for _, file := range files {
			token, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			list, err := status.OpenJWT(token, func(string) *cose.Key { return key })
			if err != nil {
				t.Fatal(err)
			}
			lists[status.URIOfJWT(list.URI)] = string(token)
		}
		var jobs []referee.Job
		for _, text := range []string{revoked, kept} {
			jobs = append(jobs, referee.Job{"op": "verify", "text": text, "issuer": issuer, "now": scriptClock().Unix() + 60, "lists": lists, "status": referee.PublicJWK(key)})
		}
		return referee.SDJWT(t, jobs...)
	}
	for i, o := range look() {
		if o.Error != "" {
			t.Errorf("status of credential %d: %s", i, o.Error)
		}
	}
	e, err := sdjwt.Parse(revoked)
	if err != nil {
		t.Fatal(err)
	}
	_, vc, err := s.o.currentSigner(keystore.VC)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := sdjwt.OpenIssued(e, vc)
	if err != nil {
		t.Fatal(err)
	}
	number, err := cwt.CardNumber(opened.Claims.Get(schemas.LedgerClaim).Text)
	if err != nil {
		t.Fatal(err)
	}
	l.must("revoke", number, "--all", "--reason", "lost")
	after := look()
	if !strings.Contains(after[0].Error, "Status is not valid") || after[1].Error != "" {
		t.Errorf("after it was revoked: %q; the other: %q", after[0].Error, after[1].Error)
	}
}

// The same wallet answers what the organisation asks, by every way of saying who
// asks, in the clear and encrypted; and the command line tells the verdict and what
// was asked for.
func TestAWalletOfOthersAnswersRequests(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWallets()
	defer stop()
	way, now := through(t, client), scriptClock().Unix()
	link, tx := l.offers("--external", "1")
	var got []received
	referee.Ask(t, "openid.mjs", openidPackages, []referee.Job{{"op": "receive", "through": way, "now": now, "offer": link, "txCode": tx, "wants": []referee.Job{
		{"configuration": "eligibility_sd_jwt", "keys": walletKeys(t, "a", "b", "c", "d", "e", "f", "g"), "by": "jwk"}}}}, &got)
	if got[0].Error != "" || len(got[0].Given) != 1 {
		t.Fatalf("%s\n%s", got[0].Error, strings.Join(got[0].Seen, "\n"))
	}
	anchor := l.certifyRequests(s)

	const did = "decentralized_identifier:did:web:relief-a.example:i1"
	ledger := referee.Job{"ledger_id": true} // the rest of this credential stands open
	cases := []struct {
		name   string
		flags  []string
		key    string // the holder's
		show   referee.Job
		client string
		mode   request.Mode
		state  request.Status
		reason string
	}{
		{"a did, encrypted", nil, "a", ledger, did, request.DirectPostJWT, request.Shown, "ok"},
		{"a did, in the clear", []string{"--in-the-clear"}, "b", ledger, did, request.DirectPost, request.Shown, "ok"},
		{"a certificate, encrypted", []string{"--certificate", l.path("request.pem")}, "c", ledger, "x509_hash:", request.DirectPostJWT, request.Shown, "ok"},
		{"unsigned, in the clear", []string{"--unsigned", "--in-the-clear"}, "d", ledger, "redirect_uri:https://relief-a.example/i1/response/", request.DirectPost, request.Shown, "ok"},
		{"unsigned, encrypted", []string{"--unsigned"}, "e", ledger, "redirect_uri:https://relief-a.example/i1/response/", request.DirectPostJWT, request.Shown, "ok"},
		{"shows less than was asked for", nil, "f", referee.Job{}, did, request.DirectPostJWT, request.Refused, request.Mismatch},
		{"bound by another's key", nil, "z", ledger, did, request.DirectPostJWT, request.Refused, "kb_bad_signature"},
	}
	var ids []string
	var jobs []referee.Job
	for i, c := range cases {
		var made struct{ ID, Link string }
		out := l.must(append([]string{"request", "create", "--type", "eligibility", "--claim", "programme", "--claim", "ledger", "--purpose", "To hand out food", "--base-url", walletBase, "--json"}, c.flags...)...)
		if err := json.Unmarshal([]byte(out), &made); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
		jobs = append(jobs, referee.Job{"op": "answer", "through": way, "now": now, "request": made.Link, "anchor": anchor,
			"credential": got[0].Given[0].Credentials[i], "key": walletKeys(t, c.key)[0], "show": c.show})
	}
	var answers []answered
	referee.Ask(t, "openid.mjs", openidPackages, jobs, &answers)
	for i, c := range cases {
		a := answers[i]
		if a.Error != "" || !strings.HasPrefix(a.Client, c.client) || a.Mode != string(c.mode) || (a.Status == http.StatusOK) != (c.state == request.Shown) {
			t.Errorf("%s: asked by %s, answered by %s: %d %s %s\n%s", c.name, a.Client, a.Mode, a.Status, a.Body, a.Error, strings.Join(a.Seen, "\n"))
		}
		var told struct {
			State   request.Status
			Outcome request.Outcome
		}
		out := l.must("request", "show", ids[i], "--json")
		if err := json.Unmarshal([]byte(out), &told); err != nil {
			t.Fatal(err)
		}
		if told.State != c.state || told.Outcome.Reason != c.reason {
			t.Errorf("%s: %s %s, want %s %s", c.name, told.State, told.Outcome.Reason, c.state, c.reason)
		}
		if c.state != request.Shown {
			continue
		}
		var claims map[string]string
		if shown := told.Outcome.Credentials; len(shown) != 1 || json.Unmarshal(shown[0].Claims, &claims) != nil || len(claims) != 2 || claims["programme"] != "K7Q2" || claims["ledger_id"] == "" {
			t.Errorf("%s: %s", c.name, out)
		}
	}
	if code := stop(); code != 0 {
		t.Errorf("serve: exit %d\n%s", code, l.stderr.String())
	}
}

// certifyRequests writes request.pem, a certificate for the key that signs requests,
// and returns its authority's, in PEM.
func (l *laptop) certifyRequests(s *serving) (anchor string) {
	l.t.Helper()
	signer, _, err := s.o.currentSigner(keystore.Request)
	if err != nil {
		l.t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority"}, NotBefore: scriptClock().Add(-time.Hour),
		NotAfter: scriptClock().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Relief A"}, NotBefore: root.NotBefore,
		NotAfter: root.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: []string{"relief-a.example"}}
	write := func(c *x509.Certificate, public any) []byte {
		der, err := x509.CreateCertificate(rand.Reader, c, root, public, key)
		if err != nil {
			l.t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	if err := os.WriteFile(l.path("request.pem"), write(leaf, signer.Public()), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return string(write(root, key.Public()))
}
