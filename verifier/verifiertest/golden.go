//go:build !js

package verifiertest

import (
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/verifier"
	"aidpass/words"
)

// Golden makes the ten cards that a release leaves behind for ever: what stands
// on paper in people's hands must be read by every later release. Names are
// those of their files; all are judged by one pack.
func (w *World) Golden() []Case {
	pack := w.Pack(PackOptions{Sealed: true, Expires: Made + 400*day, Status: []verifier.Part{
		w.snapshotPart(w.A, StatusOptions{}), w.snapshotPart(w.B, StatusOptions{}), w.ministryList(),
	}})
	photo := func(d *cwt.Draft) []byte { h := cwt.PhotoHash(d.ID[:], []byte("a photo")); return h[:] }
	slip := func(d *cwt.Draft) {
		d.DeviceCertificate, d.StatusIndex, d.ExpiresAt = w.DeviceCert(nil), 100007, d.IssuedAt+20*day
	}
	pin := func(d *cwt.Draft) {
		c := must(cwt.PINCheck(w.Epoch, d.ID[:], "493827"))
		m := cbor.AppendText(cbor.AppendInt(cbor.AppendMap(nil, 2), 22), "Amina Yusuf")
		d.Sealed = must(cwt.SealPart(w.Epoch, d.Issuer, d.ID, d.Type, cbor.AppendBytes(cbor.AppendInt(m, 40), c[:])))
	}
	everything := func(d *cwt.Draft) {
		t := w.GraceType
		d.NotBefore = Made + 3600
		d.Plain = must(t.EncodePlain(map[string]any{"programme": Programme, "rounds": []int64{2, 5}, "size_band": "6+", "collector_rule": "holder_only",
			"photo_hash": photo(d), "assurance": "document", "collect_from": "2026-11-20", "collect_to": "2026-12-20", "site": Site}))
	}
	cards := []Case{
		{Name: "01-eligibility-es256", Text: w.Text(CardOptions{}), Want: words.OK},
		{Name: "02-eligibility-ed25519", Text: w.Text(CardOptions{Key: &w.A.EdCard}), Want: words.OK},
		{Name: "03-eligibility-own-type-all-plain-claims", Text: w.Text(CardOptions{Type: "grace", Draft: everything}), Want: words.OK},
		{Name: "04-registration", Text: w.Text(CardOptions{Type: "registration"}), Want: words.OK, Known: true},
		{Name: "05-referral", Text: w.Text(CardOptions{Type: "referral", Plain: map[string]any{"case_code": "R-81K"}}), Want: words.OK},
		{Name: "06-delegation", Text: w.Text(CardOptions{Type: "delegation", Plain: map[string]any{
			"for": pseudonym("unit-1"), "scope_programmes": []string{Programme}, "scope_rounds": []int64{3}, "single_use": true}}), Want: words.OK},
		{Name: "07-receipt", Text: w.Text(CardOptions{Type: "receipt", Org: w.B, Plain: map[string]any{"receipt_no": "B-2026-0007"}}), Want: words.OK, Known: true},
		{Name: "08-eligibility-sealed-name-and-pin", Text: w.Text(CardOptions{Unit: "pin", Draft: pin}), Unlock: true, PIN: "493827", Want: words.OK},
		{Name: "09-slip-of-a-device", Text: w.Text(CardOptions{Type: "referral", Key: &w.Device, Issued: Made + 60, Draft: slip,
			Plain: map[string]any{"case_code": "R-82M"}}), Want: words.OK},
		{Name: "10-foreign-claim-169", Text: w.foreignCard(nil, map[int64][]byte{65535: statusClaim(GoodIndex, "https://id.ministry.example/1")}),
			Want: words.OK, Known: true},
	}
	for i := range cards {
		cards[i].At, cards[i].Pack = Now, pack
	}
	return cards
}
