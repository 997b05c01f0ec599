//go:build !js

package holding_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"aidpass/cmd/aidpass-wasm/holding"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/verifier"
	"aidpass/wallet"
)

const (
	at     = 1_795_219_200
	issuer = "https://relief-a.example/i1"
	vct    = "https://aidpass.example/elig"
)

// page calls the door as a page does, and signs as WebCrypto does.
type page struct {
	t    *testing.T
	desk holding.Desk
	keys map[string]*ecdsa.PrivateKey
}

func (p *page) call(op string, args ...any) map[string]any {
	p.t.Helper()
	out := p.desk.Call(op, args...)
	if out["ok"] != true {
		p.t.Fatalf("%s: %v", op, out["error"])
	}
	return out
}

func (p *page) sign(handle string, b []byte) []byte {
	sum := sha256.Sum256(b)
	r, s, err := ecdsa.Sign(rand.Reader, p.keys[handle], sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return sig
}

func card(t *testing.T, holder *cose.Key) string {
	t.Helper()
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	pub, _ := cose.NewKey(k.Public())
	p, err := cwt.Prepare(pub, cwt.Draft{Issuer: issuer, Type: vct, ID: [cwt.CredentialIDN]byte{1}, IssuedAt: at, ExpiresAt: at + 9999, Pseudonym: "WxBLSBUk-vIqvIDb", HolderKey: holder})
	if err != nil {
		t.Fatal(err)
	}
	sig, _ := cose.SignRaw(k, p.ToBeSigned())
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

// serve is an issuer of live cards.
func (p *page) serve(step map[string]any) (float64, string, []byte) {
	p.t.Helper()
	var answer map[string]any
	switch u := step["url"].(string); u {
	case "https://relief-a.example/.well-known/openid-credential-issuer/i1":
		answer = map[string]any{"credential_issuer": issuer, "credential_endpoint": issuer + "/c", "display": []any{map[string]any{"name": "Secours A", "locale": "fr"}},
			"credential_configurations_supported": map[string]any{"card": map[string]any{"format": "aidpass-card", "vct": vct, "cryptographic_binding_methods_supported": []string{"jwk"},
				"proof_types_supported": map[string]any{"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}}},
				"credential_metadata":   map[string]any{"display": []any{map[string]any{"name": "Vivres", "locale": "fr"}}}}}}
	case "https://relief-a.example/.well-known/oauth-authorization-server/i1":
		answer = map[string]any{"issuer": issuer, "token_endpoint": issuer + "/t"}
	case issuer + "/t":
		answer = map[string]any{"access_token": "x", "token_type": "Bearer"}
	case issuer + "/c":
		var req struct{ Proofs struct{ Jwt []string } }
		if err := json.Unmarshal(step["body"].([]byte), &req); err != nil || len(req.Proofs.Jwt) != 1 || step["bearer"] != "x" {
			p.t.Fatalf("%s: %v", step["body"], err)
		}
		tok, err := jose.Parse([]byte(req.Proofs.Jwt[0]), 9999)
		if err != nil {
			p.t.Fatal(err)
		}
		k, err := jose.KeyOf(tok.Header.Get("jwk"))
		if err != nil || tok.Verify(k) != nil {
			p.t.Fatal("the proof does not hold")
		}
		answer = map[string]any{"credentials": []any{map[string]any{"credential": card(p.t, k)}}}
	default:
		p.t.Fatalf("a request to %s", u)
	}
	b, _ := json.Marshal(answer)
	return 200, "application/json", b
}

// take takes an offer up to where its cards are kept.
func (p *page) take(link string) {
	t := p.t
	t.Helper()
	step := p.call("offer", link, "fr")
	for step["do"] != "done" {
		switch step["do"] {
		case "fetch":
			status, kind, body := p.serve(step)
			p.call("offer_take", status, kind, body, float64(at))
		case "ask":
			if step["issuer_name"] != "Secours A" || step["code"] != nil {
				t.Errorf("asked %v", step)
			}
			p.call("offer_agree", []any{step["can"].([]any)[0].(map[string]any)["id"]}, "", 0.0)
		case "keys":
			k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			pub, _ := k.PublicKey.ECDH()
			handle := p.call("offer_keys", []any{pub.Bytes()})["handles"].([]any)[0].(string)
			p.keys[handle] = k
			// A reload in between changes nothing.
			p.call("offer_resume", p.call("offer_state")["state"], "fr")
		case "sign":
			s := step["sign"].([]any)[0].(map[string]any)
			p.call("offer_signed", []any{p.sign(s["handle"].(string), s["bytes"].([]byte))})
		default:
			t.Fatalf("step %v", step)
		}
		step = p.call("offer_next", float64(at))
	}
}

func TestAPageReceivesACardAndShowsItLive(t *testing.T) {
	p := &page{t: t, keys: map[string]*ecdsa.PrivateKey{}}
	p.call("new")
	link := "openid-credential-offer://?credential_offer=" + url.QueryEscape(`{"credential_issuer":"`+issuer+`","credential_configuration_ids":["card"],"grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c"}}}`)
	if k := p.call("kind", link)["kind"]; k != "offer" {
		t.Errorf("kind %v", k)
	}
	p.take(link)
	id := p.call("offer_keep", "", float64(at))["ids"].([]any)[0].(string)
	cards := p.call("cards", float64(at), "fr")["cards"].([]any)
	c := cards[0].(map[string]any)
	if len(cards) != 1 || c["name"] != "Vivres" || c["issuer_name"] != "Secours A" || c["live"] != true || c["state"] != "ends_on" {
		t.Fatalf("cards %v", cards)
	}

	// New copies take the place of the old, whose keys are of no use any more.
	old := c["handles"].([]any)[0]
	p.take(link)
	kept := p.call("offer_keep", id, float64(at))
	if gone := kept["handles"].([]any); kept["ids"].([]any)[0] != id || len(gone) != 1 || gone[0] != old {
		t.Errorf("in place of %s with key %s: %v", id, old, kept)
	}
	if cards := p.call("cards", float64(at), "fr")["cards"].([]any); len(cards) != 1 || cards[0].(map[string]any)["handles"].([]any)[0] == old {
		t.Errorf("cards %v", cards)
	}

	// The wallet goes to the disk sealed, and comes back.
	key := p.call("key", "482915", bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 16))["key"]
	sealed := p.call("seal", key, "aidpass-wallet-1", p.call("wallet")["wallet"])["sealed"]
	p.call("forget")
	if out := p.desk.Call("cards", float64(at), "en"); out["ok"] != false {
		t.Error("cards of no wallet")
	}
	p.call("open", p.call("unseal", key, "aidpass-wallet-1", sealed)["plain"])

	live := p.call("live", id, "", float64(at))
	text := p.call("live_signed", p.sign(live["handle"].(string), live["sign"].([]byte)), float64(at))["text"].(string)
	var s qr.Scratch
	raw, err := s.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cose.ParseSign1(raw)
	if err != nil || m.StrictType(verifier.TypLive) != nil {
		t.Errorf("not a live code: %v", err)
	}
	if e := p.call("log")["events"].([]any)[0].(map[string]any); e["kind"] != "live" {
		t.Errorf("log %v", e)
	}

	// The desk is asked to let somebody collect, and reads who signed it.
	wish := p.call("wish", id, "Zawadi", false, float64(at))
	got, err := wallet.ReadWish(p.call("wish_signed", p.sign(wish["handle"].(string), wish["sign"].([]byte)), float64(at))["text"].(string))
	if err != nil || got.To != "Zawadi" || got.Ends {
		t.Errorf("a wish: %+v, %v", got, err)
	}
	if w := p.call("card", id, float64(at), "fr")["wish"].(map[string]any); w["to"] != "Zawadi" || w["at"] != float64(at) {
		t.Errorf("the card says %v", w)
	}

	// No to somebody who asks.
	p.call("ask", "openid4vp://?response_type=vp_token&response_mode=direct_post&nonce=n&client_id=redirect_uri:https://b.example/r&dcql_query="+
		url.QueryEscape(`{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}]}`), "en")
	if out := p.call("ask_choices", float64(at)); out["possible"] != false {
		t.Errorf("choices %v", out)
	}
	p.call("ask_refuse", float64(at))
	if step := p.call("ask_next", float64(at)); step["url"] != "https://b.example/r" || !strings.Contains(string(step["body"].([]byte)), "access_denied") {
		t.Errorf("step %v", step)
	}

	// A back-up keeps what can be kept.
	words := p.call("words")["words"]
	file := p.call("backup", words, float64(at))["file"]
	p.call("forget")
	if lost := p.call("restore", file, words, []any{}, float64(at))["lost"].([]any); len(lost) != 1 || lost[0] != id {
		t.Errorf("lost %v", lost)
	}
	if got := p.call("card", id, float64(at), "fr")["card"].(map[string]any); got["state"] != "view_only" || got["live"] != false {
		t.Errorf("restored %v", got)
	}
	if h := p.call("remove", id, float64(at))["handles"].([]any); len(h) != 1 {
		t.Errorf("handles %v", h)
	}
}

func TestFaultsHaveTheirWords(t *testing.T) {
	var d holding.Desk
	if out := d.Call("offer", "openid-credential-offer://?credential_offer_uri=http%3A%2F%2Fa.example", "en"); out["ok"] != false || out["why"] != "not_https" {
		t.Errorf("%v", out)
	}
	for _, op := range []string{"", "nonsense", "cards", "offer_next", "ask_next", "live_signed"} {
		if out := d.Call(op); out["ok"] != false || out["error"] == "" {
			t.Errorf("%s: %v", op, out)
		}
	}
}

// Every operation the page is told of exists, and whatever it is given it answers.
func TestEveryOperationAnswers(t *testing.T) {
	doc, err := os.ReadFile("holding.go")
	if err != nil {
		t.Fatal(err)
	}
	ops := regexp.MustCompile(`(?m)([a-z_]+)\([^)]*\)(?:, ask_state\(\))?\s+(?:->|as)`).FindAllStringSubmatch(string(doc), -1)
	if len(ops) < 30 {
		t.Fatalf("%d operations in the list", len(ops))
	}
	for _, m := range ops {
		var d holding.Desk
		d.Call("new")
		for _, args := range [][]any{nil, {"x", "y", "z"}, {[]byte("x"), []byte("y"), []byte("z")}, {1e300, -1.0, 2.0}, {[]any{1.0, "x", []byte{4}}, map[string]any{}}} {
			out := d.Call(m[1], args...)
			if out["ok"] != true && out["ok"] != false {
				t.Errorf("%s: %v", m[1], out)
			}
			if e, _ := out["error"].(string); strings.Contains(e, "internal fault") || strings.Contains(e, "first argument names") && m[1] != "live_signed" && m[1] != "wish_signed" {
				t.Errorf("%s(%v): %s", m[1], args, e)
			}
		}
	}
}
