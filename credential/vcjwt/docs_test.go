package vcjwt_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"os"
	"regexp"
	"strings"
	"testing"

	"aidpass/credential/vcjwt"
	"aidpass/internal/jose"
)

var fence = regexp.MustCompile("(?s)```(?:json|text) (header|payload|credential)\n(.*?)```")

// The worked example of docs/formats/vc-jwt.md is made here and read back.
func TestDocsWorkedBytes(t *testing.T) {
	key := func(name string) ed25519.PrivateKey {
		seed := sha256.Sum256([]byte(name))
		return ed25519.NewKeyFromSeed(seed[:])
	}
	d := draft()
	d.HolderKey = keyOf(key("phone"))
	text := signed(key("vc"), made(vcjwt.Prepare(keyOf(key("vc")), d)))
	parts := strings.Split(text, ".")
	want := map[string]string{
		"header": string(made(jose.DecodeBase64(parts[0]))), "payload": string(made(jose.DecodeBase64(parts[1]))), "credential": text,
	}
	page := string(made(os.ReadFile("../../docs/formats/vc-jwt.md")))
	for _, block := range fence.FindAllStringSubmatch(page, -1) {
		got := block[2]
		if block[1] != "credential" { // laid out for people
			if v, err := jose.ParseJSON([]byte(got), jose.DefaultLimits); err == nil {
				got = string(v.Append(nil))
			}
		}
		if strings.TrimSpace(got) != want[block[1]] {
			t.Errorf("%s\ngot  %s\nwant %s", block[1], got, want[block[1]])
		}
		delete(want, block[1])
	}
	for name := range want {
		t.Errorf("the page does not show the %s", name)
	}
	if _, err := open(text, key("vc")); err != nil {
		t.Error(err)
	}
}
