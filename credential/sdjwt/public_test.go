package sdjwt_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/credential/sdjwt"
	"aidpass/internal/jose"
	"aidpass/internal/publicvectors"
	"aidpass/words"
)

// publishedKey signed the examples: RFC 9901 A.5.
const publishedKey = `{"jwk":{"kty":"EC","crv":"P-256","x":"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ","y":"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}}`

func TestPublishedExamples(t *testing.T) {
	cnf, err := jose.ParseJSON([]byte(publishedKey), jose.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := sdjwt.HolderKey(cnf)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []struct {
		file                    string
		good, bound, credential int
	}{{"sd-jwt-rfc9901/compact-examples.json", 8, 3, 2}, {"sd-jwt-vc/compact-examples.json", 5, 2, 5}} {
		t.Run(set.file, func(t *testing.T) {
			raw, err := os.ReadFile(publicvectors.Path(t, set.file))
			if err != nil {
				t.Fatal(err)
			}
			var examples []struct{ Compact string }
			if err := json.Unmarshal(raw, &examples); err != nil {
				t.Fatal(err)
			}
			var good, bound, credentials int
			for i, x := range examples {
				if !strings.Contains(x.Compact, "~") { // the issuer's JWT, printed alone
					if _, err := sdjwt.Parse(x.Compact); sdjwt.ReasonOf(err) != words.BadJOSE {
						t.Errorf("%d: a bare JWT: %v", i, err)
					}
					continue
				}
				token, err := jose.Parse([]byte(x.Compact[:strings.IndexByte(x.Compact, '~')]), sdjwt.MaxText)
				if err != nil {
					t.Fatal(err)
				}
				if token.Type == sdjwt.Type {
					e, err := sdjwt.Parse(x.Compact)
					if err != nil {
						t.Errorf("%d: %v", i, err)
						continue
					}
					if c, err := sdjwt.OpenUnbound(e, issuer); err != nil || !c.Proven() {
						t.Errorf("%d: as a credential: %v", i, err)
					}
					credentials++
				}
				e, c, err := sdjwt.OpenAs(x.Compact, token.Type, issuer)
				if err != nil {
					t.Errorf("%d: %v", i, err)
					continue
				}
				good++
				checkNoDigests(t, c.Claims)
				all := c.Present(func(*sdjwt.Disclosure) bool { return true })
				if !strings.HasPrefix(x.Compact, all) {
					t.Errorf("%d: shown whole it is another text", i)
				}
				if !e.HasBinding() {
					continue
				}
				bound++
				part := x.Compact[strings.LastIndexByte(x.Compact, '~')+1:]
				kb, err := jose.Parse([]byte(part), sdjwt.MaxText)
				if err != nil {
					t.Fatal(err)
				}
				claims, err := kb.Claims(jose.DefaultLimits)
				if err != nil {
					t.Fatal(err)
				}
				iat, _ := claims.Get("iat").Int()
				want := sdjwt.Binding{Audience: claims.Get("aud").Text, Nonce: "1234567890", At: credential.Time(iat) + 5, MaxAge: time.Minute}
				if err := want.Check(e, c.Holder); err != nil {
					t.Errorf("%d: key binding: %v", i, err)
				}
				want.Nonce = "1234567891"
				if err := want.Check(e, c.Holder); sdjwt.ReasonOf(err) != words.KBWrongNonce {
					t.Errorf("%d: key binding to another nonce: %v", i, err)
				}
			}
			if good != set.good || bound != set.bound || credentials != set.credential {
				t.Errorf("%d opened, %d of them bound, %d credentials; want %d, %d, %d", good, bound, credentials, set.good, set.bound, set.credential)
			}
		})
	}
}
