package verifier_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
)

// The worked bytes of docs/formats/pack.md: the smallest pack that opens, a table
// sealed with an IV of zeros, and what a device remembers after opening the pack.

const workedTime credential.Time = 1795219200 // 2026-11-21T00:00:00Z

func workedPack(t *testing.T) []byte {
	anchor, packKey := vt.Ed25519("anchor 1"), vt.Ed25519("pack")
	anchors, err := trust.NewAnchors(1, anchor.Key)
	check(t, err)
	d := trust.NewDraft("https://c.example", anchors)
	d.Issued, d.NextUpdate = workedTime, workedTime+90*day
	check(t, d.AddOrganisation("https://a.example", "CHE", map[string]string{"en": "A"}))
	check(t, d.AddKey("https://a.example", trust.Key{Key: packKey.Key, Use: trust.UsePack, NotBefore: workedTime, NotAfter: workedTime + 365*day}))
	payload, err := d.Encode()
	check(t, err)
	list, err := trust.SignList(payload, anchor)
	check(t, err)
	policy, err := workedPolicy().Encode()
	check(t, err)
	p, err := verifier.PreparePack(packKey.Key, verifier.PackDraft{
		Org: "https://a.example", Site: "NBO-3", Sequence: 1, Issued: workedTime, Expires: workedTime + 30*day,
		Parts: []verifier.Part{
			{Owner: "https://c.example", Kind: verifier.PartTrustList, Sequence: 1, Data: list},
			{Owner: "https://a.example", Kind: verifier.PartPolicy, Sequence: 1, Data: policy},
		}})
	check(t, err)
	sig, err := cose.SignRaw(packKey, p.ToBeSigned())
	check(t, err)
	pack, err := p.Attach(sig)
	check(t, err)
	return pack
}

func workedPolicy() *verifier.Policy {
	return &verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{"K7Q2": {{N: 3, Opens: workedTime, Closes: workedTime + 14*day}}}}
}

var fence = regexp.MustCompile("(?s)```hex ([a-z ]+)\n(.*?)```")

func TestDocsWorkedBytes(t *testing.T) {
	pack := workedPack(t)
	p, f := open(t, pack, verifier.Floors{}, workedTime)
	codes := verifier.Part{Kind: verifier.PartCodes, Name: "codes", Sequence: 1, Data: []byte("C1")}
	sealed, err := verifier.SealPackPart(bytes.Repeat([]byte{7}, 16), p.Org, p.Site, codes, bytes.NewReader(make([]byte, 12)))
	check(t, err)
	want := map[string][]byte{"pack": pack, "sealed codes": sealed, "state": f.Encode()}
	workedTables(t, want)
	page, err := os.ReadFile("../docs/formats/pack.md")
	check(t, err)
	for _, block := range fence.FindAllSubmatch(page, -1) {
		name := string(block[1])
		var digits strings.Builder
		for line := range strings.Lines(string(block[2])) {
			line, _, _ = strings.Cut(line, ";")
			digits.WriteString(strings.Join(strings.Fields(line), ""))
		}
		if got, err := hex.DecodeString(digits.String()); err != nil || !bytes.Equal(got, want[name]) {
			t.Errorf("%s: %v\ngot  %x\nwant %x", name, err, got, want[name])
		}
		delete(want, name)
	}
	for name, b := range want {
		t.Errorf("the page does not show %s: %x", name, b)
	}
	codes.Data = sealed
	if got, err := p.OpenPackPart(&verifier.Unlocked{ContentKey: bytes.Repeat([]byte{7}, 16)}, codes); err != nil || string(got) != "C1" {
		t.Errorf("the page's sealed part opens as %q, %v", got, err)
	}
	if len(p.Faults) != 0 || len(p.Policy.Programmes["K7Q2"]) != 1 {
		t.Errorf("the page's pack opens with %v", p.Faults)
	}
}

// workedTables adds the contents of the sealed parts, before they are sealed.
func workedTables(t *testing.T, want map[string][]byte) {
	codes := verifier.Codes{
		Programmes: map[string]verifier.ProgrammeCodes{"K7Q2": {Names: map[string]string{"en": "Cash"},
			Tables: []verifier.DueTable{{Round: 3, Lines: []verifier.Line{{Amount: "2400.00", Unit: "KES"}}}}}},
		Labels: map[string]map[string]string{"RICE": {"en": "Rice"}},
	}
	photo := []byte{0xff, 0xd8, 0xff, 0xd9}
	var list verifier.ListWriter
	check(t, list.Add(&verifier.Row{Issuer: "https://a.example", Programme: "K7Q2", Round: 3, Pseudonym: cwt.Pseudonym([]byte("programme"), []byte("unit-1")),
		Names: []string{"Amina"}, Size: 5, Lines: []verifier.Line{{Code: "RICE", Amount: "12.5", Unit: "kg"}}, Collectors: []string{"Omar"},
		Check: verifier.RowPhoto, PhotoKey: verifier.PhotoKey(photo), Bound: [][]byte{bytes.Repeat([]byte{9}, 16)}}))
	var err error
	want["codes"], err = codes.Encode()
	check(t, err)
	want["expected list"], err = list.Encode()
	check(t, err)
	want["photos"], err = verifier.EncodePhotos([][]byte{photo})
	check(t, err)
	for _, name := range []string{"codes", "expected list", "photos"} {
		if len(want[name]) != 4096 {
			t.Errorf("%s is sealed with %d bytes, want the smallest size class", name, len(want[name]))
		}
		want[name] = bytes.TrimRight(want[name], "\x00")
	}
}
