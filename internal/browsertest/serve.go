package browsertest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// Server serves apps to browsers. Close, once or more, ends it before the test does.
type Server struct {
	*httptest.Server
	Refused atomic.Int64 // what a page's policy refused
}

// Serve serves a site under its own address, by whatever name a browser calls it.
func Serve(t *testing.T, site http.Handler) *Server {
	t.Helper()
	s := &Server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/csp-report" {
			report, _ := io.ReadAll(io.LimitReader(r.Body, 4096))
			t.Logf("policy: %s", report)
			s.Refused.Add(1)
			return
		}
		r.Host = s.Listener.Addr().String()
		site.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// Offer is the link of what Issuer at a server's address offers.
func Offer(address string) string {
	return `openid-credential-offer://?credential_offer={"credential_issuer":"` + address + `/i1","credential_configuration_ids":["card"],` +
		`"grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c"}}}`
}

// Issuer is the small server of one organisation, /i1, that hands out cards bound to the
// keys of whoever proves to have them: what card makes for a key, as QR text.
func Issuer(t *testing.T, card func(*cose.Key) string) http.Handler {
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
			say(w, o{"credentials": []o{{"credential": card(key)}}})
		default:
			http.NotFound(w, r)
		}
	})
}
