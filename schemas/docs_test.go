package schemas_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"aidpass/schemas"
)

// workedType is the type whose bytes docs/formats/types.md shows.
func workedType() *schemas.Type {
	t := &schemas.Type{
		Name: "seed_voucher", VCT: "https://a.example/t/seed", Version: 2,
		Validity: 60 * 86400, MaxValidity: 90 * 86400, Freshness: 7 * 86400, GraceDays: 3,
		Gate: []string{"programme"}, HeldBy: []string{"subject", "alternate"},
		ProgrammeClaim: "programme", RoundClaim: "round",
		Labels: map[string]string{"en": "Seed voucher", "sw": "Vocha ya mbegu"},
		Claims: []schemas.Claim{
			{Name: "programme", Key: 1, Kind: schemas.KindCode, Placement: schemas.Plain, Sensitivity: 1, Disclosure: schemas.DiscloseAlways,
				Purpose: "collection", Retention: "programme", Required: true, Min: 1, Max: 8, Labels: map[string]string{"en": "Programme"}},
			{Name: "round", Key: 2, Kind: schemas.KindInt, Placement: schemas.Plain, Disclosure: schemas.DiscloseAlways,
				Purpose: "collection", Retention: "programme", Min: 1, Max: 9999, Labels: map[string]string{"en": "Round"}},
			{Name: "season", Key: 3, Kind: schemas.KindEnum, Values: []string{"long", "short"}, Placement: schemas.Plain, Disclosure: schemas.DiscloseAllowed,
				Purpose: "collection", Retention: "programme", Labels: map[string]string{"en": "Rains"}, ValueLabels: map[string][]string{"en": {"Long rains", "Short rains"}}},
			{Name: "name", Key: 22, Kind: schemas.KindText, Placement: schemas.Sealed, Sensitivity: 2, Purpose: "holder check", Retention: "round", Max: 64,
				Labels: map[string]string{"en": "Name"}},
		},
	}
	t.Sort()
	return t
}

func TestDocsWorkedBytes(t *testing.T) {
	want := schemas.Append(nil, []*schemas.Type{workedType()})
	page, err := os.ReadFile("../docs/formats/types.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```hex types\n")
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
	types, err := schemas.Decode(got)
	if err != nil || len(types) != 1 || types[0].Name != "seed_voucher" || types[0].Claim("season").ValueLabel("en", "short") != "Short rains" {
		t.Errorf("the page's type reads as %+v, %v", types, err)
	}
	// And a card of it, as the page says.
	plain, err := types[0].EncodePlain(map[string]any{"programme": "K7Q2", "round": int64(3), "season": "short"})
	if err != nil || !strings.Contains(string(page), "`"+hex.EncodeToString(plain)+"`") {
		t.Errorf("the page does not show %x, %v", plain, err)
	}
}
