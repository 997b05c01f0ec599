package visit_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// The worked bytes of docs/formats/journal.md: two records of the key "tablet".
func TestDocsWorkedBytes(t *testing.T) {
	first := append1(t, tablet, nil, visit.Visit{
		Device: []byte("tablet-1"), Sequence: 1, At: 1795251600, Kind: visit.Partial,
		Ledger: verifier.LedgerKey{Issuer: "https://relief-a.example/i1", Pseudonym: "WxBLSBUk-vIqvIDb", Programme: "K7Q2", Round: 3},
		Card:   []byte{0x81, 0x7d, 0x17, 0x2a, 0x02, 0xa1, 0xbe, 0x21, 0x00, 0xab}, Given: "C1", Rest: "2 kg", By: visit.Alternate,
		Checks: []visit.Check{visit.CheckPhoto},
	})
	second := append1(t, tablet, first, visit.Visit{Device: []byte("tablet-1"), Sequence: 2, At: 1795251660, Kind: visit.Counter, Cancels: 1, Code: "mistake"})
	want := append(bytes.Clone(first), second...)
	page, err := os.ReadFile("../../docs/formats/journal.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```hex journal\n")
	block, _, _ = strings.Cut(block, "```")
	var digits strings.Builder
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, ";")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	got, err := hex.DecodeString(digits.String())
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v\ngot  %x\nwant %x", err, got, want)
	}
	j := read(t, got)
	if _, collected := j.Earlier(j.Visits[0].Ledger); len(j.Visits) != 2 || j.Torn || collected {
		t.Errorf("the page's journal reads as %+v", j)
	}
}
