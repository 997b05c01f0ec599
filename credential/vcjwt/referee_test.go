//go:build !js

package vcjwt_test

import (
	"crypto"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"aidpass/credential/vcjwt"
	"aidpass/internal/jose"
	"aidpass/internal/referee"
	"aidpass/words"
)

// jose (npm, 6.2.17) verifies what we sign, under both kinds of key, and reads the
// claims we read; and both refuse a changed credential.
func TestRefereeReadsWhatWeMake(t *testing.T) {
	var jobs []referee.Job
	for _, signer := range []crypto.Signer{p256, edKey} {
		text := signed(signer, made(vcjwt.Prepare(keyOf(signer), draft())))
		parts := strings.Split(text, ".")
		lie := strings.Replace(string(made(jose.DecodeBase64(parts[1]))), `"round":3`, `"round":4`, 1)
		changed := parts[0] + "." + jose.EncodeBase64([]byte(lie)) + "." + parts[2]
		if _, err := open(changed, signer); vcjwt.ReasonOf(err) != words.BadSignature {
			t.Errorf("%T: we take a changed credential: %v", signer, err)
		}
		for _, text := range []string{text, changed} {
			jobs = append(jobs, referee.Job{"op": "jwt", "text": text, "issuer": referee.PublicJWK(keyOf(signer)), "typ": vcjwt.Type, "now": now})
		}
		jobs = append(jobs,
			referee.Job{"op": "jwt", "text": text, "issuer": referee.PublicJWK(keyOf(stranger)), "typ": vcjwt.Type, "now": now},
			referee.Job{"op": "jwt", "text": text, "issuer": referee.PublicJWK(keyOf(signer)), "typ": vcjwt.Type, "now": now + 2*86400})
	}
	for i, got := range referee.SDJWT(t, jobs...) {
		name := []string{"as signed", "changed", "under another key", "after its end"}[i%4]
		if i%4 != 0 {
			if got.Error == "" {
				t.Errorf("%d: taken %s", i/4, name)
			}
			continue
		}
		if got.Error != "" {
			t.Errorf("%d: refused: %s", i/4, got.Error)
			continue
		}
		subject, _ := got.Payload["credentialSubject"].(map[string]any)
		delete(subject, "id")
		var want map[string]any
		if err := json.Unmarshal(draft().Claims.Append(nil), &want); err != nil || !reflect.DeepEqual(subject, want) {
			t.Errorf("%d: reads %v, want %v", i/4, subject, want)
		}
		if got.Payload["vct"] == nil && got.Payload["type"] == nil || got.Payload["exp"] != float64(draft().ExpiresAt) {
			t.Errorf("%d: claims %v", i/4, got.Payload)
		}
	}
}
