package verifier_test

import (
	"bytes"
	"errors"
	"testing"

	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
)

// certificate is one of the world's device, as a device has it.
func certificate(t testing.TB, w *vt.World, edit func(*trust.DeviceCertificate)) *trust.DeviceCertificate {
	t.Helper()
	c, err := trust.ReadDevice(w.DeviceCert(edit))
	check(t, err)
	return c
}

// asked is a challenge signed by k.
func asked(t testing.TB, c *trust.DeviceCertificate, k vt.Signer, at credential.Time) []byte {
	t.Helper()
	p, err := verifier.PrepareChallenge(c, bytes.Repeat([]byte{5}, verifier.NonceBytes), at)
	check(t, err)
	signature, err := cose.SignRaw(k, p.ToBeSigned())
	check(t, err)
	raw, err := p.Attach(signature)
	check(t, err)
	return raw
}

// A wallet reads who asks as the device's certificate says it, from the code as a
// screen shows it, packed or not.
func TestAChallengeSaysWhoAsks(t *testing.T) {
	w := vt.New()
	raw := asked(t, certificate(t, w, nil), w.Device, vt.Now)
	for name, encode := range map[string]func([]byte) (string, error){"packed": qr.Encode, "stored": func(b []byte) (string, error) { return qr.EncodeStored(b), nil }} {
		text, err := encode(raw)
		check(t, err)
		if got := qr.Recognise(text); got != qr.ZlibCard {
			t.Errorf("%s: recognised as %v", name, got)
		}
		var s qr.Scratch
		read, err := s.Decode(text)
		check(t, err)
		c, err := verifier.ReadChallenge(read)
		check(t, err)
		if c.Organisation != w.A.ID || c.Site != vt.Site || c.At != vt.Now || !bytes.Equal(c.Raw, raw) || c.Certificate.Key.ID() != w.Device.Key.ID() {
			t.Errorf("%s: read as %q at %q, %v", name, c.Organisation, c.Site, c.At)
		}
	}
}

func TestADeviceAsksWhileItMay(t *testing.T) {
	w := vt.New()
	nonce := make([]byte, verifier.NonceBytes)
	for name, edit := range map[string]func(*trust.DeviceCertificate){
		"journals only": func(c *trust.DeviceCertificate) { c.MaySign = []uint64{trust.SignJournal}; c.Block = nil },
		"over":          func(c *trust.DeviceCertificate) { c.NotBefore, c.NotAfter = vt.Now-20*day, vt.Now-1 },
		"not yet":       func(c *trust.DeviceCertificate) { c.NotBefore, c.NotAfter = vt.Now+1, vt.Now+day },
	} {
		if _, err := verifier.PrepareChallenge(certificate(t, w, edit), nonce, vt.Now); !errors.Is(err, verifier.ErrMayNotAsk) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := verifier.PrepareChallenge(nil, nonce, vt.Now); !errors.Is(err, verifier.ErrMayNotAsk) {
		t.Errorf("no certificate: %v", err)
	}
	if _, err := verifier.PrepareChallenge(certificate(t, w, nil), nonce[:15], vt.Now); err == nil {
		t.Error("a nonce of 15 bytes")
	}
}

// forged is a challenge with members of its own, signed by k.
func forged(t testing.TB, k vt.Signer, typ, org, site string, nonce []byte, at credential.Time, certificate []byte) []byte {
	t.Helper()
	b := cbor.AppendText(append(cbor.AppendMap(nil, 5), 1), org)
	b = cbor.AppendText(append(b, 2), site)
	b = cbor.AppendBytes(append(b, 3), nonce)
	b = cbor.AppendUint(append(b, 4), uint64(at))
	b = cbor.AppendBytes(append(b, 5), certificate)
	p := cose.Prepare(k.Key, typ, b, nil)
	signature, err := cose.SignRaw(k, p.ToBeSigned())
	check(t, err)
	raw, err := p.Attach(signature)
	check(t, err)
	return raw
}

func TestNoOtherCodeIsAChallenge(t *testing.T) {
	w := vt.New()
	cert := w.DeviceCert(nil)
	journals := w.DeviceCert(func(c *trust.DeviceCertificate) { c.MaySign = []uint64{trust.SignJournal}; c.Block = nil })
	nonce := make([]byte, verifier.NonceBytes)
	good := forged(t, w.Device, verifier.TypChallenge, w.A.ID, vt.Site, nonce, vt.Now, cert)
	if _, err := verifier.ReadChallenge(good); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"nothing":                    nil,
		"a card":                     w.Card(vt.CardOptions{}),
		"a certificate":              cert,
		"a live code's type":         forged(t, w.Device, verifier.TypLive, w.A.ID, vt.Site, nonce, vt.Now, cert),
		"another organisation":       forged(t, w.Device, verifier.TypChallenge, w.B.ID, vt.Site, nonce, vt.Now, cert),
		"another site":               forged(t, w.Device, verifier.TypChallenge, w.A.ID, "ELSEWHERE", nonce, vt.Now, cert),
		"another key":                forged(t, w.Wallet, verifier.TypChallenge, w.A.ID, vt.Site, nonce, vt.Now, cert),
		"a short nonce":              forged(t, w.Device, verifier.TypChallenge, w.A.ID, vt.Site, nonce[:8], vt.Now, cert),
		"after the certificate ends": forged(t, w.Device, verifier.TypChallenge, w.A.ID, vt.Site, nonce, vt.Made+31*day, cert),
		"may not ask":                forged(t, w.Device, verifier.TypChallenge, w.A.ID, vt.Site, nonce, vt.Now, journals),
		"no certificate":             forged(t, w.Device, verifier.TypChallenge, w.A.ID, vt.Site, nonce, vt.Now, nil),
		"a byte more":                append(bytes.Clone(good), 0),
		"a byte changed":             append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"too long":                   forged(t, w.Device, verifier.TypChallenge, w.A.ID, vt.Site, nonce, vt.Now, make([]byte, verifier.MaxChallenge)),
	} {
		if c, err := verifier.ReadChallenge(raw); !errors.Is(err, verifier.ErrChallenge) || c != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is read as a challenge says what its certificate says, and is short.
func FuzzReadChallenge(f *testing.F) {
	w := vt.New()
	f.Add(asked(f, certificate(f, w, nil), w.Device, vt.Now))
	f.Add(w.Card(vt.CardOptions{}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := verifier.ReadChallenge(raw)
		if err == nil && (len(raw) > verifier.MaxChallenge || c.Organisation != c.Certificate.Org || c.Site != c.Certificate.Site || !bytes.Equal(c.Raw, raw)) {
			t.Error("a challenge that says something else than its certificate")
		}
	})
}
