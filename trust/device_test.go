package trust_test

import (
	"bytes"
	"crypto"
	"slices"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

var deviceCA = p256(orgA + " device-ca")

// device is the certificate of one phone of A for a month.
func device() trust.DeviceCertificate {
	return trust.DeviceCertificate{
		Org: orgA, Site: "NBO-3", DeviceID: []byte("device-1"), Key: pub(p256("phone")),
		NotBefore: issued, NotAfter: issued + 30*day,
		MaySign: []uint64{trust.SignJournal, trust.SignSlip},
		Block:   &trust.StatusBlock{URI: orgA + "/s/1", First: 1000, Count: 50}, Ceiling: "c2",
	}
}

func certificate(t tester, ca crypto.Signer, c trust.DeviceCertificate) []byte {
	t.Helper()
	p, err := trust.PrepareDevice(pub(ca), c)
	must(t, err)
	return attach(t, ca, p)
}

func TestDeviceCertificate(t *testing.T) {
	l := list1(t)
	c, ca, reason := l.OpenDevice(certificate(t, deviceCA, device()))
	if reason != words.OK || ca.Profile != trust.ProfileSlip1 || ca.Org.ID != orgA {
		t.Fatalf("got %q, device-ca %+v", reason, ca)
	}
	want := device()
	if c.Org != want.Org || c.Site != want.Site || !bytes.Equal(c.DeviceID, want.DeviceID) || c.Key.ID() != want.Key.ID() ||
		c.NotBefore != want.NotBefore || c.NotAfter != want.NotAfter || !slices.Equal(c.MaySign, want.MaySign) ||
		*c.Block != *want.Block || c.Ceiling != want.Ceiling {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
	plain := trust.DeviceCertificate{Org: orgA, Site: "x", DeviceID: make([]byte, 16), Key: pub(p256("phone 2")), NotBefore: issued, NotAfter: issued}
	if c, _, reason := l.OpenDevice(certificate(t, deviceCA, plain)); reason != words.OK || c.Block != nil || c.May(trust.SignJournal) {
		t.Errorf("a certificate for nothing: %q, %+v", reason, c)
	}
}

func TestDeviceCertificateRefused(t *testing.T) {
	with := func(change func(c *trust.DeviceCertificate)) trust.DeviceCertificate {
		c := device()
		change(&c)
		return c
	}
	for _, c := range []struct {
		name string
		by   crypto.Signer
		cert trust.DeviceCertificate
		want words.Reason
	}{
		{"by the card key", p256(orgA + " card"), device(), words.IssuerNotAuthorised},
		{"by another organisation's device-ca", p256(orgB + " device-ca"), device(), words.IssuerKeyMismatch},
		{"by a device", p256("phone 0"), device(), words.UnknownKey},
		{"the device key is a card key", deviceCA, with(func(c *trust.DeviceCertificate) { c.Key = pub(p256(orgB + " card")) }), words.BadKey},
		{"begun before the device-ca key", deviceCA, with(func(c *trust.DeviceCertificate) { c.NotBefore--; c.NotAfter-- }), words.KeyOutsideValidity},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ca, reason := list1(t).OpenDevice(certificate(t, c.by, c.cert)); reason != c.want || got != nil || ca != nil {
				t.Errorf("got %q, want %q", reason, c.want)
			}
		})
	}
	for name, c := range map[string]trust.DeviceCertificate{
		"more than 30 days":       with(func(c *trust.DeviceCertificate) { c.NotAfter++ }),
		"no dates":                with(func(c *trust.DeviceCertificate) { c.NotBefore, c.NotAfter = 0, 0 }),
		"ends before it begins":   with(func(c *trust.DeviceCertificate) { c.NotAfter = c.NotBefore - 1 }),
		"an Ed25519 key":          with(func(c *trust.DeviceCertificate) { c.Key = pub(ed("x")) }),
		"no key":                  with(func(c *trust.DeviceCertificate) { c.Key = nil }),
		"a short device id":       with(func(c *trust.DeviceCertificate) { c.DeviceID = make([]byte, 7) }),
		"no site":                 with(func(c *trust.DeviceCertificate) { c.Site = "" }),
		"no organisation":         with(func(c *trust.DeviceCertificate) { c.Org = "" }),
		"may sign out of order":   with(func(c *trust.DeviceCertificate) { c.MaySign = []uint64{2, 1} }),
		"a block of nothing":      with(func(c *trust.DeviceCertificate) { c.Block = &trust.StatusBlock{URI: orgA + "/s"} }),
		"a block past every list": with(func(c *trust.DeviceCertificate) { c.Block.First = 1<<24 - 49 }),
		"a block that wraps":      with(func(c *trust.DeviceCertificate) { c.Block.First = 1<<64 - 1 }),
		"a block on http":         with(func(c *trust.DeviceCertificate) { c.Block.URI = "http://a.example/s" }),
		"the device-ca key":       with(func(c *trust.DeviceCertificate) { c.Key = pub(deviceCA) }),
	} {
		if _, err := trust.PrepareDevice(pub(deviceCA), c); err == nil {
			t.Errorf("%s: prepared", name)
		}
	}
}

// TestDeviceCertificatePayloads: what our writer never makes is refused too.
func TestDeviceCertificatePayloads(t *testing.T) {
	l := list1(t)
	m, err := cose.ParseSign1(certificate(t, deviceCA, device()))
	must(t, err)
	good := m.Payload
	replace := func(old, new []byte) []byte {
		if !bytes.Contains(good, old) {
			t.Fatalf("no %x in %x", old, good)
		}
		return bytes.Replace(good, old, new, 1)
	}
	grown := append(bytes.Clone(good), 10, 1)
	grown[0]++
	for _, c := range []struct {
		name    string
		payload []byte
		want    words.Reason
	}{
		{"31 days", replace(cbor.AppendUint([]byte{6}, uint64(issued+30*day)), cbor.AppendUint([]byte{6}, uint64(issued+31*day))), words.LifetimeTooLong},
		{"a member of a later version", grown, words.UnsupportedVersion},
		{"not canonical", replace([]byte{7, 0x82}, []byte{7, 0x98, 2}), words.NonCanonical},
		{"may sign is a number", replace([]byte{7, 0x82, 1, 2}, []byte{7, 2}), words.BadClaims},
		{"an empty ceiling", replace([]byte{9, 0x62, 'c', '2'}, []byte{9, 0x60}), words.BadClaims},
		{"a private key", replace(pub(p256("phone")).Append([]byte{3}), append(append([]byte{3, 0xa5}, pub(p256("phone")).Append(nil)[1:]...), 0x23, 0x41, 1)), words.BadKey},
		{"cut", good[:len(good)-1], words.Truncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := cose.Sign1Message(deviceCA, trust.TypeDevice, c.payload)
			must(t, err)
			if _, _, reason := l.OpenDevice(raw); reason != c.want {
				t.Errorf("got %q, want %q", reason, c.want)
			}
		})
	}
	other, err := cose.Sign1Message(deviceCA, trust.TypeWithdrawal, good)
	must(t, err)
	if _, _, reason := l.OpenDevice(other); reason != words.WrongTyp {
		t.Errorf("another kind of object: %q", reason)
	}
}

func TestDeviceCAWithdrawnOrRetired(t *testing.T) {
	raw := certificate(t, deviceCA, device())
	l := list1(t)
	must(t, l.Withdraw(withdrawal(t, deviceCA, orgA, kid(deviceCA), issued+day, 1)))
	if _, _, reason := l.OpenDevice(raw); reason != words.KeyRevoked {
		t.Errorf("withdrawn: %q", reason)
	}
	d := next(list1(t))
	must(t, d.Retire(orgA, kid(deviceCA), issued+day, issued+60*day))
	c, ca, reason := open(t, sign(t, d, "1", "2")).OpenDevice(raw)
	if reason != words.OK {
		t.Fatalf("retired after it signed: %q", reason)
	}
	if got := ca.Judge(c.NotBefore, issued+61*day); got != words.KeyOutsideValidity {
		t.Errorf("after accept-until: %q", got)
	}
}

func TestJudgeSlip(t *testing.T) {
	c := device()
	at := issued + day
	in := credential.StatusRef{URI: []byte(orgA + "/s/1"), Index: 1000, Present: true}
	for _, x := range []struct {
		name         string
		c            trust.DeviceCertificate
		s            credential.StatusRef
		iat, exp, at credential.Time
		want         words.Reason
	}{
		{"as it should be", c, in, at, at + 30*day, at, words.OK},
		{"the last entry", c, credential.StatusRef{URI: in.URI, Index: 1049, Present: true}, at, at + day, at, words.OK},
		{"after the block", c, credential.StatusRef{URI: in.URI, Index: 1050, Present: true}, at, at + day, at, words.IssuerNotAuthorised},
		{"before the block", c, credential.StatusRef{URI: in.URI, Index: 999, Present: true}, at, at + day, at, words.IssuerNotAuthorised},
		{"far past the block", c, credential.StatusRef{URI: in.URI, Index: 1<<64 - 1, Present: true}, at, at + day, at, words.IssuerNotAuthorised},
		{"another list", c, credential.StatusRef{URI: []byte(orgA + "/s/2"), Index: 1000, Present: true}, at, at + day, at, words.IssuerNotAuthorised},
		{"no status", c, credential.StatusRef{}, at, at + day, at, words.IssuerNotAuthorised},
		{"no block", trust.DeviceCertificate{MaySign: c.MaySign, NotBefore: issued, NotAfter: at + 9}, in, at, at + day, at, words.IssuerNotAuthorised},
		{"may not sign slips", trust.DeviceCertificate{MaySign: []uint64{1, 3}, Block: c.Block, NotBefore: issued, NotAfter: at + 9}, in, at, at + day, at, words.IssuerNotAuthorised},
		{"a long life", c, in, at, at + 30*day + 1, at, words.IssuerNotAuthorised},
		{"ends before it begins", c, in, at, at - 1, at, words.IssuerNotAuthorised},
		{"signed before the certificate", c, in, issued - 1, at, at, words.KeyOutsideValidity},
		{"looked at after it", c, in, at, at + 30*day, issued + 30*day + 1, words.KeyOutsideValidity},
	} {
		if got := x.c.JudgeSlip(x.s, x.iat, x.exp, x.at); got != x.want {
			t.Errorf("%s: got %q, want %q", x.name, got, x.want)
		}
	}
}

// FuzzOpenDevice: what opens was written so by PrepareDevice.
func FuzzOpenDevice(f *testing.F) {
	m, err := cose.ParseSign1(certificate(f, deviceCA, device()))
	must(f, err)
	f.Add(m.Payload)
	l := open(f, sign(f, draft1(f), "1", "2"))
	ca := ed("device-ca of the fuzzer")
	d := next(l)
	k := key(ca, trust.UseDeviceCA)
	k.Profile, k.NotBefore = trust.ProfileSlip1, d.Issued+trust.RotationNotice
	must(f, d.AddKey(orgA, k))
	l = open(f, sign(f, d, "1", "2"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		_, _, _ = l.OpenDevice(payload)
		raw, err := cose.Sign1Message(ca, trust.TypeDevice, payload)
		must(t, err)
		c, _, reason := l.OpenDevice(raw)
		if reason != words.OK {
			if !reason.Known() {
				t.Fatalf("reason %q", reason)
			}
			return
		}
		if again := certificate(t, ca, *c); !bytes.Equal(again, raw) {
			t.Fatalf("opened %x\nwrote  %x", raw, again)
		}
	})
}
