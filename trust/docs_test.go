package trust_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

// The worked bytes of docs/formats are made here and read back from the pages:
// every byte of them comes from the names that the pages give.

// workedList is a list of one organisation with a card key and a device-ca key.
func workedList(t *testing.T) []byte {
	_, keys := custodians("1", "2")
	a, err := trust.NewAnchors(2, keys...)
	must(t, err)
	d := trust.NewDraft("https://c.example", a)
	d.Issued, d.NextUpdate = issued, issued+90*day
	must(t, d.AddOrganisation(orgA, "CHE", map[string]string{"en": "Aid A"}))
	must(t, d.AddKey(orgA, key(p256("card"), trust.UseCard)))
	ca := key(ed("device-ca"), trust.UseDeviceCA)
	ca.Profile = trust.ProfileSlip1
	must(t, d.AddKey(orgA, ca))
	must(t, d.Grant(orgA, trust.Grant{Types: []string{vctElig, vctRef}, Countries: []string{"SYR"}}))
	must(t, d.AddStatusPrefix(orgA, orgA+"/s"))
	return encode(t, d)
}

func worked(t *testing.T) map[string][]byte {
	payload := workedList(t)
	list := signPayload(t, payload, "1", "2")
	m, err := cose.ParseMulti(list, 2)
	must(t, err)
	var tail []byte
	for _, s := range m.Signatures {
		tail = append(append(tail, s.ProtectedRaw...), s.Value...)
	}
	return map[string][]byte{
		"trust-list payload":    payload,
		"trust-list signatures": tail,
		"withdrawal":            withdrawal(t, ed("device-ca"), orgA, kid(p256("card")), issued+day, 1),
		"device-certificate":    certificate(t, ed("device-ca"), device()),
	}
}

var fence = regexp.MustCompile("(?s)```hex ([a-z -]+)\n(.*?)```")

func TestDocsWorkedBytes(t *testing.T) {
	want := worked(t)
	seen := map[string]bool{}
	for _, page := range []string{"trust-list.md", "slip.md"} {
		text, err := os.ReadFile("../docs/formats/" + page)
		must(t, err)
		for _, block := range fence.FindAllSubmatch(text, -1) {
			name := string(block[1])
			var digits strings.Builder
			for line := range strings.Lines(string(block[2])) {
				line, _, _ = strings.Cut(line, ";") // a comment
				for _, f := range strings.Fields(line) {
					digits.WriteString(f)
				}
			}
			got, err := hex.DecodeString(digits.String())
			if err != nil || !bytes.Equal(got, want[name]) {
				t.Errorf("%s, %s: %v\ngot  %x\nwant %x", page, name, err, got, want[name])
			}
			seen[name] = true
		}
		// The values that stand in running text.
		for _, value := range workedValues(t)[page] {
			if !bytes.Contains(text, []byte(value)) {
				t.Errorf("%s does not say %q", page, value)
			}
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("no page shows %s: %x", name, want[name])
		}
	}
}

func workedValues(t *testing.T) map[string][]string {
	l, err := trust.Open(signPayload(t, workedList(t), "1", "2"), trust.Anchors{})
	must(t, err)
	if _, _, reason := l.OpenDevice(certificate(t, ed("device-ca"), device())); reason != words.OK {
		t.Fatalf("the worked certificate: %q", reason)
	}
	digest, print := l.Digest(), l.Anchors.Fingerprint()
	return map[string][]string{"trust-list.md": {
		hex.EncodeToString(digest[:]), trust.HashWords(digest[:]), hex.EncodeToString(print[:]), l.Anchors.Words(),
	}}
}
