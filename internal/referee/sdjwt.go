package referee

import (
	"crypto/ecdsa"
	"encoding/json"
	"testing"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// Job is one question to sdjwt.mjs: member op says which, the others are its own.
type Job = map[string]any

// Opinion is its answer. Error says why it refuses, and is "" where it does not.
type Opinion struct {
	Error                    string
	Text                     string         // issue, present, list
	Keys                     []string       // present: what a holder may show or leave out
	Header, Payload, Binding map[string]any // verify, jwt
	Metadata                 map[string]any // verify: of the credential's type
	Bits                     int            // entries
	Entries                  []int
}

// SDJWT asks @sd-jwt and jose, which share no line with us; one opinion a job.
func SDJWT(t testing.TB, jobs ...Job) []Opinion {
	t.Helper()
	var out []Opinion
	Ask(t, "sdjwt.mjs", []string{"@sd-jwt/sd-jwt-vc", "@sd-jwt/crypto-nodejs", "@sd-jwt/jwt-status-list", "jose"}, jobs, &out)
	if len(out) != len(jobs) {
		t.Fatalf("sdjwt.mjs: %d answers to %d jobs", len(out), len(jobs))
	}
	return out
}

// PublicJWK is k as the programs take it.
func PublicJWK(k *cose.Key) json.RawMessage { return jose.JWKOf(k).Append(nil) }

// PrivateJWK is a P-256 key made for a test, with its private half.
func PrivateJWK(t testing.TB, k *ecdsa.PrivateKey) json.RawMessage {
	t.Helper()
	public, err := cose.NewKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	d, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwk := jose.JWKOf(public)
	jwk.Members = append(jwk.Members, jose.Member{Name: "d", Value: jose.StringOf(jose.EncodeBase64(d))})
	return jwk.Append(nil)
}
