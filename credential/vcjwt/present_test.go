package vcjwt_test

import (
	"testing"

	"aidpass/credential/vcjwt"
	"aidpass/internal/jose"
)

// Whatever is read as a presentation holds one credential, and nobody signed it.
func FuzzParsePresentation(f *testing.F) {
	head := jose.EncodeBase64([]byte(`{"alg":"ES256","kid":"k","typ":"vp+jwt"}`))
	for _, payload := range []string{
		`{"type":"VerifiablePresentation","verifiableCredential":[{"id":"data:application/vc+jwt,a.b.c","type":"EnvelopedVerifiableCredential"}],"aud":"a","nonce":"n","iat":1}`,
		`{"verifiableCredential":[]}`, `[]`,
	} {
		f.Add(head + "." + jose.EncodeBase64([]byte(payload)) + ".AAAA")
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := vcjwt.ParsePresentation(text)
		if err != nil {
			if vcjwt.ReasonOf(err) == "" {
				t.Fatal("a refusal without a name:", err)
			}
			return
		}
		if !vcjwt.IsPresentation(text) || p.Bound(nil, "a", "n", 1, 300, 60) == nil {
			t.Fatal("bound to nobody, and taken")
		}
	})
}
