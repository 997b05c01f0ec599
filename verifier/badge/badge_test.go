package badge_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/internal/base45"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/badge"
	vt "aidpass/verifier/verifiertest"
)

const (
	day   = 86400
	today = vt.Now
)

var (
	world = vt.New()
	list  = open(world.TrustList(vt.TrustOptions{}))
)

func open(raw []byte) *trust.List {
	l, err := trust.Open(raw, trust.Anchors{})
	if err != nil {
		panic(err)
	}
	return l
}

func sign(t testing.TB, k vt.Signer, p *cose.Prepared) string {
	t.Helper()
	sig, err := cose.SignRaw(k, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return badge.Text(raw)
}

func good() badge.Badge {
	return badge.Badge{Org: world.A.ID, Site: vt.Site, Staff: "st-7", Role: badge.Lead, NotBefore: today - 3600, NotAfter: today + 3600, Unlock: "4711-0815"}
}

func made(t testing.TB, edit func(*badge.Badge)) string {
	t.Helper()
	b := good()
	if edit != nil {
		edit(&b)
	}
	p, err := badge.Prepare(world.A.Pack.Key, b)
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, world.A.Pack, p)
}

func TestABadgeOpensAtItsSiteOnItsDays(t *testing.T) {
	text := made(t, nil)
	for _, at := range []credential.Time{today - 3600, today, today + 3600} {
		if b, err := badge.Open(text+"\r\n", list, world.A.ID, vt.Site, at); err != nil || b != good() {
			t.Errorf("at %s: %+v, %v", at, b, err)
		}
	}
	every := made(t, func(b *badge.Badge) { b.Site, b.Unlock, b.Role = "", "", badge.Volunteer })
	if b, err := badge.Open(every, list, world.A.ID, "ANY-1", today); err != nil || b.Staff != "st-7" || b.Unlock != "" {
		t.Errorf("a badge for every site: %+v, %v", b, err)
	}
	if b, err := badge.Parse(text); err != nil || b != good() {
		t.Errorf("Parse: %+v, %v", b, err)
	}
	if n := len(text); n > 400 {
		t.Errorf("%d characters: old phones read fewer with ease", n)
	}
	for _, c := range text {
		if !strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", c) {
			t.Errorf("%q is not alphanumeric in a QR code", c)
		}
	}
}

func TestWhyABadgeOpensNothing(t *testing.T) {
	card := world.Text(vt.CardOptions{})
	text := made(t, nil)
	foreign := good()
	foreign.Org = world.B.ID
	pB, _ := badge.Prepare(world.B.Pack.Key, foreign)
	pCard, _ := badge.Prepare(world.A.Card.Key, good())
	bare := good()
	p, _ := badge.Prepare(world.A.Pack.Key, bare)
	otherTyp := sign(t, world.A.Pack, cose.Prepare(world.A.Pack.Key, verifier.TypManifest, payload(t, p), nil))
	raw, _ := base45.AppendDecode(nil, strings.TrimPrefix(text, "APB1:"))
	raw[len(raw)-1] ^= 1
	for _, c := range []struct {
		name, text, site string
		at               credential.Time
		want             error
	}{
		{"a card", card, vt.Site, today, badge.ErrNot},
		{"nothing", "", vt.Site, today, badge.ErrNot},
		{"the letters alone", "APB1:", vt.Site, today, badge.ErrNot},
		{"another object of a pack key", otherTyp, vt.Site, today, badge.ErrNot},
		{"another organisation's", sign(t, world.B.Pack, pB), vt.Site, today, badge.ErrOrganisation},
		{"signed by a card key", sign(t, world.A.Card, pCard), vt.Site, today, badge.ErrSignature},
		{"one bit of the signature", badge.Text(raw), vt.Site, today, badge.ErrSignature},
		{"another site", text, "KAK-4", today, badge.ErrSite},
		{"the day before", text, vt.Site, today - 3601, badge.ErrDay},
		{"a second after", text, vt.Site, today + 3601, badge.ErrDay},
		{"days that the pack key does not reach", made(t, func(b *badge.Badge) { b.NotBefore, b.NotAfter = 1000, 2000 }), vt.Site, 1500, badge.ErrSignature},
	} {
		if b, err := badge.Open(c.text, list, world.A.ID, c.site, c.at); !errors.Is(err, c.want) || b != (badge.Badge{}) {
			t.Errorf("%s: %+v, %v; want %v and nothing shown", c.name, b, err, c.want)
		}
	}
}

// payload is what p would have signed: the last string of the Sig_structure.
func payload(t *testing.T, p *cose.Prepared) []byte {
	r := cbor.NewReader(p.ToBeSigned())
	r.Array()
	r.Text()
	r.Bytes()
	r.Bytes()
	b := bytes.Clone(r.Bytes())
	if !r.Done() {
		t.Fatal(r.Err())
	}
	return b
}

func TestABadgeIsNeverACard(t *testing.T) {
	var c verifier.Checker
	for _, text := range []string{made(t, nil), strings.TrimPrefix(made(t, nil), "APB1:")} {
		if r := c.Verify(text, verifier.Inputs{At: today}); r.Answer == "valid" || r.Credential.Proven() {
			t.Errorf("%.12q was judged %s", text, r.Answer)
		}
	}
	if r := c.Verify(made(t, nil), verifier.Inputs{At: today}); r.Answer != "none" {
		t.Errorf("a badge was judged %s, want none", r.Answer)
	}
}

func TestPrepareRefuses(t *testing.T) {
	for name, edit := range map[string]func(*badge.Badge){
		"a name":          func(b *badge.Badge) { b.Staff = "Amina Yusuf" },
		"letters of ours": func(b *badge.Badge) { b.Staff = "أمينة" },
		"no code":         func(b *badge.Badge) { b.Staff = "" },
		"a long code":     func(b *badge.Badge) { b.Staff = strings.Repeat("a", 17) },
		"no role":         func(b *badge.Badge) { b.Role = 0 },
		"eight days":      func(b *badge.Badge) { b.NotAfter = b.NotBefore + 8*day },
		"backwards":       func(b *badge.Badge) { b.NotAfter = b.NotBefore - 1 },
		"a long secret":   func(b *badge.Badge) { b.Unlock = strings.Repeat("1", 61) },
		"no organisation": func(b *badge.Badge) { b.Org = "" },
	} {
		b := good()
		edit(&b)
		if _, err := badge.Prepare(world.A.Pack.Key, b); err == nil {
			t.Errorf("%s was taken", name)
		} else if strings.Contains(err.Error(), b.Unlock) && b.Unlock != "" {
			t.Errorf("%s: the error tells the operator's code", name)
		}
	}
}

// workedBadge is the badge that docs/formats/badge.md shows.
func workedBadge(t *testing.T) string {
	k := vt.Ed25519("pack")
	p, err := badge.Prepare(k.Key, badge.Badge{Org: "https://a.example", Site: "NBO-3", Staff: "st-7", Role: badge.Volunteer,
		NotBefore: 1795381200, NotAfter: 1795467599})
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, k, p)
}

func TestDocsWorkedBytes(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/badge.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```hex badge\n")
	block, _, _ = strings.Cut(block, "```")
	var digits strings.Builder
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, ";")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	text := workedBadge(t)
	want, _ := base45.AppendDecode(nil, strings.TrimPrefix(text, "APB1:"))
	if got, err := hex.DecodeString(digits.String()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\ngot  %x\nwant %x", err, got, want)
	}
	if !strings.Contains(string(page), "\n"+text+"\n") {
		t.Errorf("badge.md does not show %s", text)
	}
}

// FuzzOpen: what opens re-encodes to the same text's payload, and what opens at all
// was signed by the pack key.
func FuzzOpen(f *testing.F) {
	text := made(f, nil)
	raw, err := base45.AppendDecode(nil, strings.TrimPrefix(text, "APB1:"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(raw[:len(raw)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		text := badge.Text(b)
		parsed, err := badge.Parse(text)
		if err != nil {
			return
		}
		if _, err := badge.Prepare(world.A.Pack.Key, parsed); err != nil {
			t.Errorf("what was read cannot be made: %v", err)
		}
		if _, err := badge.Open(text, list, world.A.ID, vt.Site, today); err == nil && !bytes.Equal(b, raw) {
			t.Errorf("another badge than the one that was signed opens")
		}
	})
}
