package issuer_test

import (
	"encoding/hex"
	"testing"

	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/schemas"
)

// The digest is signed and kept by approvers: the same batch must have the same
// one for ever, on every machine.
func TestDigestOfABatchStays(t *testing.T) {
	unit := issuer.UnitID{1, 2, 3}
	b := issuer.Batch{
		Type: schemas.ByName("eligibility"), Programme: "P7K2", ProgrammeKey: make([]byte, 32), Round: 3, Form: credential.FormCWT,
		Requests: []issuer.Request{
			{Row: 1, Unit: unit, Claims: map[string]any{"size_band": "4-5", "site": "BDA-1"}, Photo: []byte("face")},
			{Row: 2, Unit: issuer.UnitID{4}, PIN: "123456"},
		},
	}
	got, err := b.Digest()
	if err != nil {
		t.Fatal(err)
	}
	const want = "daa438b030b13b958fc76ba544275daf216999f65539832ead49d115dc8f62e0"
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("digest = %x, want %s", got, want)
	}
	b.Requests[0].Row, b.Requests[1].PIN, b.ProgrammeKey = 77, "654321", nil // not what is approved
	if again, err := b.Digest(); err != nil || again != got {
		t.Errorf("row numbers, a PIN's digits or a key change the digest: %x, %v", again, err)
	}
	b.Replace = true
	if again, _ := b.Digest(); again == got {
		t.Error("whether revoked credentials are replaced does not change the digest")
	}
	b.Replace = false
	b.Requests[1].PIN = ""
	if again, _ := b.Digest(); again == got {
		t.Error("whether there is a PIN does not change the digest")
	}
}

func TestIdentifiersRoundTrip(t *testing.T) {
	u, c := issuer.NewUnitID(), issuer.NewCTI()
	if got, err := issuer.ParseUnitID(u.String()); err != nil || got != u {
		t.Errorf("unit %s reads as %s, %v", u, got, err)
	}
	if got, err := issuer.ParseCTI(c.String()); err != nil || got != c {
		t.Errorf("cti %s reads as %s, %v", c, got, err)
	}
	for _, s := range []string{"", "AAAA", "AAAAAAAAAAAAAB", "AAAAAAAAAAAAA=", "AAAAAAAAAAAA AA", "AAAAAAAAAAAAAAA"} {
		if _, err := issuer.ParseCTI(s); err == nil {
			t.Errorf("%q reads as a cti", s)
		}
		if _, err := issuer.ParseUnitID(s); err == nil {
			t.Errorf("%q reads as a unit", s)
		}
	}
}
