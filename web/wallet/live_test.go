package wallet_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/jose"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// issuer is the small server of one organisation that hands out cards bound to the
// keys of whoever proves to have them.
func issuer(t *testing.T) http.Handler {
	say := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	type o = map[string]any
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		base := "http://" + r.Host + "/i1"
		switch r.URL.Path {
		case "/.well-known/openid-credential-issuer/i1":
			say(w, o{"credential_issuer": base, "credential_endpoint": base + "/c", "credential_configurations_supported": o{"card": o{"format": "aidpass-card",
				"cryptographic_binding_methods_supported": []string{"jwk"}, "proof_types_supported": o{"jwt": o{"proof_signing_alg_values_supported": []string{"ES256"}}},
				"credential_metadata": o{"display": []o{{"name": "Winter cash", "locale": "en"}}}}}})
		case "/.well-known/oauth-authorization-server/i1":
			say(w, o{"issuer": base, "token_endpoint": base + "/t"})
		case "/i1/t":
			say(w, o{"access_token": "x", "token_type": "Bearer"})
		case "/i1/c":
			var asked struct{ Proofs struct{ JWT []string } }
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Proofs.JWT) != 1 {
				t.Errorf("%d proofs: %v", len(asked.Proofs.JWT), err)
				return
			}
			proof, err := jose.Parse([]byte(asked.Proofs.JWT[0]), 9999)
			if err != nil {
				t.Error(err)
				return
			}
			key, err := jose.KeyOf(proof.Header.Get("jwk"))
			if err != nil || proof.Verify(key) != nil {
				t.Error("the proof does not hold")
				return
			}
			say(w, o{"credentials": []o{{"credential": world.Text(vt.CardOptions{Unit: "phone", Draft: func(d *cwt.Draft) { d.HolderKey = key }})}}})
		default:
			http.NotFound(w, r)
		}
	})
}

// A live code is judged good while it is on the screen, and refused as a photograph of
// it three minutes later; the next one is another, made without any server.
func TestALiveCodeIsGoodAndItsPhotographIsNot(t *testing.T) {
	t.Parallel()
	server := serve(t, issuer(t))
	p := newPhone(t, server)
	p.begun("en")
	p.take("openid-credential-offer://?credential_offer=" + url.QueryEscape(`{"credential_issuer":"`+server.URL+`/i1","credential_configuration_ids":["card"],"grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c"}}}`))
	p.screen("offered")
	p.Click("yes")
	p.screen("received")
	server.stop()
	p.Click("go")
	p.screen("one-card")
	shown := func() string {
		p.Click("show")
		p.Wait(`document.querySelector("canvas.qr")?.dataset.text`)
		text := eval[string](p, `document.querySelector("canvas.qr").dataset.text`)
		p.back("one-card")
		return text
	}
	first := shown()
	pack := world.Pack(vt.PackOptions{})
	for at, want := range map[credential.Time]words.Reason{60: words.OK, 240: words.KBStale} {
		if r := world.Judge(&vt.Case{Text: first, Pack: pack, At: vt.Now + at}); r.Reason != want {
			t.Errorf("after %d s: %s, want %s", at, r.Reason, want)
		}
	}
	if second := shown(); second == first {
		t.Error("the second code is the first")
	}
}
