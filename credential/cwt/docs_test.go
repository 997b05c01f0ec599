package cwt_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/schemas"
)

// The worked bytes of docs/formats/card.md are made here from the names that the
// page gives, and read back.

func named(name string) []byte { h := sha256.Sum256([]byte(name)); return h[:] }

// made is v, unless there was an error.
func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// workedDraft is the card of the page.
func workedDraft() cwt.Draft {
	elig := schemas.ByName("eligibility")
	return cwt.Draft{
		Issuer: "https://relief-a.example/i1", Type: elig.VCT, Pseudonym: cwt.Pseudonym(named("programme"), []byte("unit 1")),
		ID: [10]byte(named("credential 1")[:10]), IssuedAt: 1795219200, ExpiresAt: 1795219200 + 180*86400,
		StatusURI: "https://relief-a.example/st/1", StatusIndex: 91234,
		Plain: made(elig.EncodePlain(map[string]any{"programme": "K7Q2", "round": int64(3), "size_band": "4-5", "collect_to": "2026-12-15"})),
	}
}

// workedSealed are the sealed claims of the page: a name and a PIN.
func workedSealed(d cwt.Draft) (plain, sealed []byte) {
	pin := made(cwt.PINCheck(named("epoch"), d.ID[:], "493827"))
	plain = made(schemas.ByName("eligibility").EncodeSealed(map[string]any{"name": "Amina Yusuf", "pin_check": pin[:]}))
	return plain, made(cwt.SealPart(named("epoch"), d.Issuer, d.ID, d.Type, plain))
}

var fence = regexp.MustCompile("(?s)```(hex|text) ([a-z -]+)\n(.*?)```")

func TestDocsWorkedBytes(t *testing.T) {
	d := workedDraft()
	signer := ed25519.NewKeyFromSeed(named("card"))
	k := keyOf(t, signer.Public())
	p := made(cwt.Prepare(k, d))
	card := made(p.Attach(made(cose.SignRaw(signer, p.ToBeSigned()))))
	claims, sealed := workedSealed(d)
	text := made(cwt.Text(card))
	want := map[string][]byte{"card": card, "sealed claims": claims, "sealed part": sealed, "card as scanned": []byte(text)}
	page := made(os.ReadFile("../../docs/formats/card.md"))
	seen := map[string]bool{}
	for _, block := range fence.FindAllSubmatch(page, -1) {
		name := string(block[2])
		got := []byte(strings.ReplaceAll(string(block[3]), "\n", ""))
		if string(block[1]) == "hex" {
			var digits strings.Builder
			for line := range strings.Lines(string(block[3])) {
				line, _, _ = strings.Cut(line, ";")
				digits.WriteString(strings.Join(strings.Fields(line), ""))
			}
			got = made(hex.DecodeString(digits.String()))
		}
		if !bytes.Equal(got, want[name]) {
			t.Errorf("%s\ngot  %x\nwant %x", name, got, want[name])
		}
		seen[name] = true
	}
	for name, b := range want {
		if !seen[name] {
			t.Errorf("the page does not show %s: %x", name, b)
		}
	}
	photo := cwt.PhotoHash(d.ID[:], []byte("photo"))
	for _, value := range []string{d.Pseudonym, made(cwt.CardNumber(d.Pseudonym)), hex.EncodeToString(photo[:])} {
		if !bytes.Contains(page, []byte("`"+value+"`")) {
			t.Errorf("the page does not say %s", value)
		}
	}
	// And back: from the scanned text to the claims.
	raw := made(new(qr.Scratch).Decode(text))
	env := made(cwt.Parse(raw))
	c := made(cwt.OpenCard(&env, k, nil))
	if string(c.Pseudonym) != d.Pseudonym || c.ExpiresAt != d.ExpiresAt || c.Status.Index != d.StatusIndex || !bytes.Equal(c.Plain, d.Plain) {
		t.Errorf("the page's card reads as %+v", c)
	}
	opened := made(cwt.OpenPart(named("epoch"), []byte(d.Issuer), d.ID[:], []byte(d.Type), sealed))
	if !bytes.Equal(opened, claims) || cbor.CheckDeterministic(opened, cbor.DefaultLimits) != nil {
		t.Errorf("the page's sealed part opens as %x", opened)
	}
	if d.IssuedAt.String() != "2026-11-21T00:00:00Z" || d.ExpiresAt != credential.Time(1810771200) {
		t.Errorf("issued %s", d.IssuedAt)
	}
}
