package cwt_test

import (
	"bytes"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/words"
)

var formerUnit = credential.Former{Issuer: "https://other-organisation.example/cards", Pseudonym: cwt.Pseudonym([]byte("another key"), []byte("unit"))}

func TestReplacesIsReadAsWritten(t *testing.T) {
	d := draft()
	plain, _ := signed(t, d, false)
	d.Former = formerUnit
	card, k := signed(t, d, false)
	// DESIGN 4: a plain eligibility has at most 483 characters.
	if more := len(card) - len(plain); more > 22 {
		t.Errorf("replaces takes %d bytes", more)
	}
	env, err := cwt.Parse(card)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cwt.OpenCard(&env, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	tag := credential.IssuerTag(formerUnit.Issuer)
	if !bytes.HasPrefix(c.Replaces, tag[:]) || credential.FormerOf(formerUnit.Issuer, c.Replaces) != formerUnit {
		t.Errorf("read %x", c.Replaces)
	}
	kept := c.Clone()
	clear(c.Replaces)
	if credential.FormerOf(formerUnit.Issuer, kept.Replaces) != formerUnit {
		t.Error("a clone shares the buffer")
	}
}

func TestReplacesThatSaysNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*cwt.Draft)
	}{
		{"the issuer itself", func(d *cwt.Draft) { d.Former.Issuer = d.Issuer }},
		{"nobody", func(d *cwt.Draft) { d.Former.Issuer = "" }},
		{"no pseudonym", func(d *cwt.Draft) { d.Former.Pseudonym = "" }},
		{"a short pseudonym", func(d *cwt.Draft) { d.Former.Pseudonym = d.Former.Pseudonym[:15] }},
		{"a long pseudonym", func(d *cwt.Draft) { d.Former.Pseudonym += "AAAA" }},
		{"on a slip", func(d *cwt.Draft) { d.DeviceCertificate = []byte{1} }},
	} {
		d := draft()
		d.Former = formerUnit
		if _, err := cwt.Payload(d); err != nil {
			t.Fatal(err)
		}
		c.edit(&d)
		if _, err := cwt.Payload(d); err == nil {
			t.Errorf("%s: written", c.name)
		}
	}
}

// What a writer of ours never makes, the strict reader refuses.
func TestReplacesOfAnotherShape(t *testing.T) {
	d := draft()
	d.Former = formerUnit
	payload, err := cwt.Payload(d)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := formerUnit.Bytes()
	at := bytes.Index(payload, append([]byte{4, 0x54}, raw...)) // key 4, 20 bytes
	if at < 0 {
		t.Fatalf("replaces does not stand as drawn in %x", payload)
	}
	for _, c := range []struct {
		name string
		edit func(p []byte) []byte
	}{
		{"a byte short", func(p []byte) []byte { p[at+1]--; return p[:len(p)-1] }},
		{"a byte more", func(p []byte) []byte { p[at+1]++; return append(p, 0) }},
		{"as text", func(p []byte) []byte {
			p[at+1] = 0x74
			copy(p[at+2:], bytes.Repeat([]byte("a"), len(raw)))
			return p
		}},
		{"under another key", func(p []byte) []byte { p[at] = 5; return p }},
	} {
		k := keyOf(t, ed.Public())
		p := cose.Prepare(k, "", c.edit(bytes.Clone(payload)), nil)
		sig, err := cose.SignRaw(ed, p.ToBeSigned())
		if err != nil {
			t.Fatal(err)
		}
		card, err := p.Attach(sig)
		if err != nil {
			t.Fatal(err)
		}
		env, err := cwt.Parse(card)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if _, err := cwt.OpenCard(&env, k, nil); err == nil || cwt.ReasonOf(err) != words.BadClaims {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
