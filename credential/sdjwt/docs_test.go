package sdjwt_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"regexp"
	"strings"
	"testing"

	"aidpass/credential/sdjwt"
	"aidpass/internal/jose"
	"aidpass/schemas"
)

var fence = regexp.MustCompile("(?s)```(?:json|text) (header|payload|disclosures|issued|shown)\n(.*?)```")

// counted is the random input of the page.
type counted struct{ n uint64 }

func (c *counted) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.n))
		b[i] = sum[0]
	}
	return len(b), nil
}

// The worked example of docs/formats/sd-jwt.md is made here and read back, and the
// hashes of the types' documents are those that the page promises.
func TestDocsWorkedBytes(t *testing.T) {
	key := func(name string) ed25519.PrivateKey {
		seed := sha256.Sum256([]byte(name))
		return ed25519.NewKeyFromSeed(seed[:])
	}
	typ := schemas.ByName("eligibility")
	d := sdjwt.Draft{
		Issuer: "https://relief-a.example/i1", Integrity: sdjwt.Integrity(made(typ.Metadata())), ID: "c-1", IssuedAt: now, ExpiresAt: now + 90*86400,
		StatusURI: "https://relief-a.example/s/1.jwt", StatusIndex: 7, HolderKey: keyOf(key("phone")),
	}
	if err := d.Say(typ, map[string]any{"programme": "K7Q2", "round": int64(3), "name": "Amina", "size_band": "4-5"}, "0123456789abcdef"); err != nil {
		t.Fatal(err)
	}
	issued := signed(key("vc"), made(sdjwt.Prepare(keyOf(key("vc")), d, &counted{})))
	c := made(sdjwt.OpenIssued(made(sdjwt.Parse(issued)), keyOf(key("vc"))))
	some := c.Present(func(d *sdjwt.Disclosure) bool { return d.Path[0] == schemas.LedgerClaim })
	shown := signed(key("phone"), made(sdjwt.PrepareBinding(keyOf(key("phone")), some, reader.Audience, reader.Nonce, now)))
	if _, err := sdjwt.OpenBound(made(sdjwt.Parse(shown)), keyOf(key("vc")), reader); err != nil {
		t.Error(err)
	}
	parts := strings.Split(issued, "~")
	jwt := strings.Split(parts[0], ".")
	want := map[string]string{
		"header": string(made(jose.DecodeBase64(jwt[0]))), "payload": string(made(jose.DecodeBase64(jwt[1]))), "issued": issued, "shown": shown,
	}
	for _, text := range parts[1 : len(parts)-1] {
		want["disclosures"] += string(made(jose.DecodeBase64(text))) + "\n"
	}
	want["disclosures"] = strings.TrimSpace(want["disclosures"])
	page := string(made(os.ReadFile("../../docs/formats/sd-jwt.md")))
	for _, block := range fence.FindAllStringSubmatch(page, -1) {
		got := strings.TrimSpace(block[2])
		if v, err := jose.ParseJSON([]byte(got), jose.DefaultLimits); err == nil {
			got = string(v.Append(nil)) // laid out for people
		}
		if got != want[block[1]] {
			t.Errorf("%s\ngot  %s\nwant %s", block[1], got, want[block[1]])
		}
		delete(want, block[1])
	}
	for name := range want {
		t.Errorf("the page does not show the %s", name)
	}
	for _, typ := range schemas.Embedded() {
		row := "| " + typ.Name + " | `" + sdjwt.Integrity(made(typ.Metadata())) + "` |"
		if !strings.Contains(page, row) {
			t.Errorf("the page lacks\n%s", row)
		}
	}
}
