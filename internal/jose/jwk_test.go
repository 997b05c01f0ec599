package jose_test

import (
	"crypto/sha256"
	"errors"
	"testing"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// RFC 8037 A.2 and A.3: the key and its thumbprint.
func TestAKeyIsWrittenAsItsThumbprintWantsIt(t *testing.T) {
	const text = `{"kid":"k","crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	v, err := jose.ParseJSON([]byte(text), jose.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	k, err := jose.KeyOf(v)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(jose.JWKOf(k).Append(nil))
	if got, want := jose.EncodeBase64(sum[:]), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, c := range map[string]struct {
		name, value string
		want        error
	}{
		"the private half":     {"d", "AA", cose.ErrPrivateKey},
		"an alg of our list":   {"alg", "EdDSA", nil},
		"an alg of a P-256":    {"alg", "ES256", jose.ErrAlgKeyMismatch},
		"no alg of a key":      {"alg", "none", jose.ErrAlgKeyMismatch},
		"another curve":        {"crv", "Ed448", jose.ErrAlgNotAllowed},
		"a coordinate too far": {"y", "AA", nil}, // a member an OKP key has not: not looked at
		"x with padding":       {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=", jose.ErrMalformed},
		"x too short":          {"x", "AAAA", cose.ErrBadKey},
	} {
		changed := jose.ObjectOf(jose.Member{Name: c.name, Value: jose.StringOf(c.value)})
		for _, m := range v.Members {
			if m.Name != c.name {
				changed.Members = append(changed.Members, m)
			}
		}
		if _, err := jose.KeyOf(changed); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
