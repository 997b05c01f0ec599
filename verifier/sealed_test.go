package verifier_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

func recipient(t *testing.T, s vt.Signer) cose.Recipient {
	t.Helper()
	private, err := s.Signer.(*ecdsa.PrivateKey).ECDH()
	check(t, err)
	r, err := cose.NewRecipient(private)
	check(t, err)
	return r
}

func publicOf(t *testing.T, s vt.Signer) *ecdh.PublicKey {
	t.Helper()
	k, err := s.Key.ECDH()
	check(t, err)
	return k
}

func keys(w *vt.World) *verifier.Unlocked {
	return &verifier.Unlocked{ContentKey: w.Content, Audiences: []verifier.Audience{
		{Issuer: w.A.ID, Group: "kakuma", Epoch: 1, From: vt.Made - 30*day, Until: vt.Made + 100*day, Key: w.Epoch}}}
}

// sealedPack carries boxes and one sealed table.
func sealedPack(t *testing.T, w *vt.World, boxes ...[]byte) *verifier.Pack {
	table := verifier.Part{Owner: w.A.ID, Kind: verifier.PartCodes, Name: "codes", Sequence: 3, Data: []byte("C1: 12 kg of flour")}
	var err error
	table.Data, err = verifier.SealPackPart(w.Content, w.A.ID, vt.Site, table, rand.Reader)
	check(t, err)
	parts := []verifier.Part{table}
	for i, b := range boxes {
		parts = append(parts, verifier.Part{Owner: w.A.ID, Kind: verifier.PartAudience, Name: string(rune('a' + i)), Sequence: 1, Data: b})
	}
	p, _ := open(t, w.Pack(vt.PackOptions{More: parts}), verifier.Floors{}, vt.Now)
	return p
}

func lock(t *testing.T, w *vt.World, site string, device vt.Signer, code string) []byte {
	t.Helper()
	box, err := verifier.LockAudiences(keys(w), w.A.ID, site, publicOf(t, device), []byte(code), rand.Reader)
	check(t, err)
	return box
}

func table(p *verifier.Pack) verifier.Part {
	for _, part := range p.Parts {
		if part.Kind == verifier.PartCodes {
			return part
		}
	}
	return verifier.Part{}
}

func TestSealedKeysOpenOnOneDeviceWithOneCode(t *testing.T) {
	w := vt.New()
	other := vt.P256("another tablet")
	p := sealedPack(t, w, lock(t, w, vt.Site, other, "other"), lock(t, w, vt.Site, w.Device, "4711"), lock(t, w, vt.Site, w.Device, "0815"))
	for _, c := range []struct {
		name   string
		device vt.Signer
		code   string
		good   bool
	}{
		{"the device and its operator's code", w.Device, "4711", true},
		{"the same device, a second operator", w.Device, "0815", true},
		{"the other device", other, "other", true},
		{"a wrong code", w.Device, "4712", false},
		{"no code", w.Device, "", false},
		{"another device's code", w.Device, "other", false},
		{"a device that was not meant", vt.P256("stolen"), "4711", false},
	} {
		u, err := p.Unlock(recipient(t, c.device), []byte(c.code))
		if (err == nil) != c.good || err != nil && !errors.Is(err, verifier.ErrUnlock) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.good {
			data, err := p.OpenPackPart(u, table(p))
			if err != nil || string(data) != "C1: 12 kg of flour" || !bytes.Equal(u.Audiences[0].Key, w.Epoch) {
				t.Errorf("%s: %q %v", c.name, data, err)
			}
		}
	}
	if _, err := sealedPack(t, w, lock(t, w, "DAD-1", w.Device, "4711")).Unlock(recipient(t, w.Device), []byte("4711")); err == nil {
		t.Error("keys sealed for another site open here")
	}
	if _, err := sealedPack(t, w).Unlock(recipient(t, w.Device), []byte("4711")); err == nil || errors.Is(err, verifier.ErrUnlock) {
		t.Errorf("a pack without keys: %v, want to be told so", err)
	}
}

func TestASealedTableIsTheOneOfItsPlace(t *testing.T) {
	w := vt.New()
	p := sealedPack(t, w)
	u := keys(w)
	if _, err := p.OpenPackPart(u, table(p)); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*verifier.Pack, *verifier.Part, *verifier.Unlocked){
		"as another kind":     func(_ *verifier.Pack, part *verifier.Part, _ *verifier.Unlocked) { part.Kind = verifier.PartExpected },
		"under another name":  func(_ *verifier.Pack, part *verifier.Part, _ *verifier.Unlocked) { part.Name = "x" },
		"of another round":    func(_ *verifier.Pack, part *verifier.Part, _ *verifier.Unlocked) { part.Sequence++ },
		"at another site":     func(p *verifier.Pack, _ *verifier.Part, _ *verifier.Unlocked) { p.Site = "DAD-1" },
		"of somebody else":    func(p *verifier.Pack, _ *verifier.Part, _ *verifier.Unlocked) { p.Org = w.B.ID },
		"with another key":    func(_ *verifier.Pack, _ *verifier.Part, u *verifier.Unlocked) { u.ContentKey = make([]byte, 16) },
		"with no content key": func(_ *verifier.Pack, _ *verifier.Part, u *verifier.Unlocked) { u.ContentKey = nil },
		"with a byte changed": func(_ *verifier.Pack, part *verifier.Part, _ *verifier.Unlocked) {
			part.Data = bytes.Clone(part.Data)
			part.Data[len(part.Data)-1] ^= 1
		},
		"cut short": func(_ *verifier.Pack, part *verifier.Part, _ *verifier.Unlocked) { part.Data = part.Data[:20] },
	} {
		q, part, u := *p, table(p), *u
		edit(&q, &part, &u)
		if _, err := q.OpenPackPart(&u, part); !errors.Is(err, verifier.ErrUnlock) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.OpenPackPart(nil, table(p)); !errors.Is(err, verifier.ErrUnlock) {
		t.Errorf("before the unlock: %v", err)
	}
}

func TestAnEpochLastsSixMonthsAtMost(t *testing.T) {
	w := vt.New()
	for name, edit := range map[string]func(*verifier.Audience){
		"longer than six months":      func(a *verifier.Audience) { a.Until = a.From + verifier.MaxEpoch + 1 },
		"over before it begins":       func(a *verifier.Audience) { a.Until = a.From },
		"a key of another length":     func(a *verifier.Audience) { a.Key = a.Key[:16] },
		"a key longer than it may be": func(a *verifier.Audience) { a.Key = append(bytes.Clone(a.Key), 0) },
	} {
		u := keys(w)
		edit(&u.Audiences[0])
		if _, err := verifier.LockAudiences(u, w.A.ID, vt.Site, publicOf(t, w.Device), w.Code, rand.Reader); err == nil {
			t.Errorf("%s: it is sealed", name)
		}
	}
	u := keys(w)
	u.Audiences[0].Until = u.Audiences[0].From + verifier.MaxEpoch
	if _, err := verifier.LockAudiences(u, w.A.ID, vt.Site, publicOf(t, w.Device), w.Code, rand.Reader); err != nil {
		t.Errorf("six months: %v", err)
	}
}

func TestOneEpochOpensNoOther(t *testing.T) {
	w := vt.New()
	p, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	text := w.Text(vt.CardOptions{Sealed: map[string]any{"name": "Amina Yusuf"}})
	other := bytes.Repeat([]byte{7}, cwt.EpochKeyBytes)
	for _, c := range []struct {
		name string
		edit func(*verifier.Audience)
		at   credential.Time
		want any
	}{
		{"its own", func(*verifier.Audience) {}, vt.Now, "Amina Yusuf"},
		{"another epoch's key", func(a *verifier.Audience) { a.Key = other }, vt.Now, nil},
		{"the key of another issuer's cards", func(a *verifier.Audience) { a.Issuer = w.B.ID }, vt.Now, nil},
		{"an epoch that is over", func(a *verifier.Audience) { a.Until = vt.Now }, vt.Now, nil},
	} {
		u := keys(w)
		c.edit(&u.Audiences[0])
		r := verifier.Verify(text, verifier.Inputs{At: c.at, Pack: p, Floors: f, Unlock: u})
		if r.Reason != words.OK || r.Claims()["name"] != c.want || (r.Opened != nil) != (c.want != nil) {
			t.Errorf("%s: %s, name %v, want %v", c.name, r.Reason, r.Claims()["name"], c.want)
		}
	}
	// Several epochs at once, as around a change: the right one is found.
	u := keys(w)
	u.Audiences = append([]verifier.Audience{{Issuer: w.A.ID, Until: vt.Now + day, Key: other}}, u.Audiences...)
	if r := verifier.Verify(text, verifier.Inputs{At: vt.Now, Pack: p, Floors: f, Unlock: u}); r.Claims()["name"] != "Amina Yusuf" {
		t.Errorf("two epochs: %v", r.Claims())
	}
}

func TestFiveWrongPINsLockTheCardOnThisDevice(t *testing.T) {
	w := vt.New()
	p, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	text := w.Text(vt.CardOptions{Draft: func(d *cwt.Draft) {
		c, err := cwt.PINCheck(w.Epoch, d.ID[:], "493827")
		check(t, err)
		// {40: check}, as schemas writes it
		d.Sealed, err = cwt.SealPart(w.Epoch, d.Issuer, d.ID, d.Type, append([]byte{0xa1, 0x18, 0x28, 0x48}, c[:]...))
		check(t, err)
	}})
	try := func(pin string) verifier.Result {
		r := verifier.Verify(text, verifier.Inputs{At: vt.Now, Pack: p, Floors: f, Unlock: keys(w), PIN: pin})
		f = r.Floors
		return r
	}
	for i := range 4 {
		if r := try("000000"); r.Reason != words.PINWrong || r.Holder&verifier.PINRight != 0 {
			t.Fatalf("wrong PIN %d: %s", i+1, r.Reason)
		}
	}
	if r := try("493827"); r.Reason != words.OK || r.Holder&verifier.PINRight == 0 {
		t.Errorf("the right one in time: %s", r.Reason)
	}
	for range 4 {
		try("111111")
	}
	if r := try("not a PIN"); r.Reason != words.PINLocked {
		t.Errorf("the fifth in a row: %s", r.Reason)
	}
	if r := try("493827"); r.Reason != words.PINLocked {
		t.Errorf("the right one after five wrong ones: %s", r.Reason)
	}
	if r := try(""); r.Reason != words.PINLocked {
		t.Errorf("no PIN after five wrong ones: %s", r.Reason)
	}
}
