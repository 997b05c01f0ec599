package verifier_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// OpenPack asks the heap for at most 64 bytes a byte of the file and a mebibyte,
// and 2 bytes for each entry of the status lists it opens, which are bounded
// together (docs/formats/pack.md). Whoever made the file.
func TestAPackTakesMemoryByItsSize(t *testing.T) {
	w := vt.New()
	usual := w.Pack(vt.PackOptions{})
	crowd := func(kind verifier.PartKind, n int, data []byte) []byte {
		parts := make([]verifier.Part, n)
		for i := range parts {
			parts[i] = verifier.Part{Owner: w.A.ID, Kind: kind, Name: fmt.Sprint(i), Sequence: 1, Data: data}
		}
		return w.Pack(vt.PackOptions{More: parts})
	}
	organisations := func(d *trust.Draft) {
		for i := range 500 {
			id := fmt.Sprintf("https://o%d.example", i)
			check(t, d.AddOrganisation(id, "KEN", map[string]string{"en": "x"}))
			check(t, d.AddKey(id, trust.Key{Key: vt.Ed25519(id).Key, Use: trust.UseCard, Profile: trust.ProfileCard1, NotBefore: vt.Made, NotAfter: vt.Made + 100*day}))
		}
	}
	cases := map[string][]byte{
		"usual": usual, "empty": nil, "half": usual[:len(usual)/2], "500 organisations": w.Pack(vt.PackOptions{Trust: vt.TrustOptions{Edit: organisations}}),
		"4,000 empty parts":  crowd(verifier.PartWords, 4000, nil),
		"4,000 withdrawals":  crowd(verifier.PartWithdrawal, 4000, []byte{0xd2}),
		"4,000 lists broken": crowd(verifier.PartStatusCWT, 4000, []byte{0xd2}),
		"1,000 certificates": crowd(verifier.PartDevice, 1000, w.DeviceCert(nil)),
		"20 sets of types":   crowd(verifier.PartTypes, 20, schemas.Append(nil, schemas.Embedded())),
		"manifest of claims": manifestOfNothing(t, w),
		"parts that claim":   append(cbor.AppendText(cbor.AppendArray(cbor.AppendTag(nil, 55799), 3), "aidpass-pack-1"), 0x40, 0x9b, 0, 0, 0, 255, 0, 0, 0, 0),
	}
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 40 {
		b := bytes.Clone(usual)
		for range 1 + i%5 {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		cases[fmt.Sprintf("damaged %d", i)] = b
	}
	for name, raw := range cases {
		var p *verifier.Pack
		got := allocated(func() { p, _, _ = verifier.OpenPack(raw, verifier.Floors{}, vt.Now) })
		limit := uint64(64*len(raw) + 1<<20)
		if p != nil {
			for _, l := range p.Lists() {
				limit += 2 * l.Size
			}
		}
		if got > limit {
			t.Errorf("%s: %d bytes for a file of %d, at most %d", name, got, len(raw), limit)
		}
	}
}

// manifestOfNothing names 4,096 parts of no bytes in the fewest bytes.
func manifestOfNothing(t *testing.T, w *vt.World) []byte {
	entry := cbor.AppendText(cbor.AppendUint(cbor.AppendText(cbor.AppendArray(nil, 6), ""), 1), "")
	entry = cbor.AppendUint(cbor.AppendBytes(cbor.AppendUint(entry, 1), nil), 0)
	m := cbor.AppendArray(cbor.AppendInt(cbor.AppendMap(nil, 1), 6), verifier.MaxPackParts)
	m = append(m, bytes.Repeat(entry, verifier.MaxPackParts)...)
	signed, err := cose.Sign1Message(w.A.Pack, verifier.TypManifest, m)
	check(t, err)
	b := cbor.AppendText(cbor.AppendArray(cbor.AppendTag(nil, 55799), 3), "aidpass-pack-1")
	b = cbor.AppendArray(cbor.AppendBytes(b, signed), verifier.MaxPackParts)
	return append(b, bytes.Repeat([]byte{0x40}, verifier.MaxPackParts)...)
}

// A list of 2^24 entries, all valid, is a few hundred bytes: a pack holds 16 of
// them and no more, and cards of the others are unsure.
func TestAPackHoldsSoManyStatusEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED in short runs: seventeen lists of 2^24 entries")
	}
	w := vt.New()
	uri := func(i int) string { return fmt.Sprintf("https://relief-a.example/st/%d", 10+i) }
	var lists []verifier.Part
	for i := range 17 {
		lists = append(lists, verifier.Part{Owner: w.A.ID, Kind: verifier.PartSnapshot, Name: uri(i), Sequence: 1,
			Data: w.Snapshot(w.A, vt.StatusOptions{URI: uri(i), Size: 1 << 24, Edit: nothing})})
	}
	p, _ := open(t, w.Pack(vt.PackOptions{Status: lists}), verifier.Floors{}, vt.Now)
	if n := len(p.Lists()); n != 16 || len(p.Faults) != 1 || p.Faults[0].Reason != words.TooLarge {
		t.Errorf("%d lists, faults %v", n, p.Faults)
	}
	if _, reason := p.List([]byte(uri(16)), vt.Now); words.Of(reason).Answer != words.Unsure {
		t.Errorf("cards of the list left out: %s", reason)
	}
}
