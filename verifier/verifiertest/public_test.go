//go:build !js

package verifiertest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/verifiertest"
	"aidpass/words"
)

// sharedVectors finds a folder of public vectors beside the repository.
func sharedVectors(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		at := filepath.Join(dir, "shared", "vectors", name)
		if _, err := os.Stat(at); err == nil {
			return at
		}
	}
	t.Skip("SKIPPED: ../shared/vectors not present")
	return ""
}

const publicIssuer = "https://mosip.example.org" // of the idpass vectors

// TestPublicForeignCards: the Claim 169 vectors of idpass/claim-169, judged by a
// trust list that has the keys their publisher names. They carry no key id; the
// published texts are refused for that, and read once the unsigned header names
// the listed key, as other systems' cards do.
func TestPublicForeignCards(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedVectors(t, "claim169-idpass"), "valid", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d vectors (%v)", len(files), err)
	}
	opened := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Text string `json:"qr_data"`
			Key  *struct {
				Algorithm string `json:"algorithm"`
				Public    string `json:"public_key_hex"`
			} `json:"signing_key"`
			Encryption *struct{} `json:"encryption_key"`
			Want       struct {
				ID   string `json:"id"`
				Name string `json:"fullName"`
			} `json:"expected_claim169"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			var key crypto.PublicKey
			if v.Key != nil {
				key = publicKey(t, v.Key.Algorithm, v.Key.Public)
			}
			pack, floors := packFor(t, key)
			judge := func(text string) verifier.Result {
				return verifier.Verify(text, verifier.Inputs{At: verifiertest.Now, Pack: pack, Floors: floors})
			}
			if v.Encryption != nil {
				if r := judge(v.Text); r.Answer != words.Invalid || r.Reason != words.BadCOSE {
					t.Errorf("encrypted: got %s %s (%v), want bad_cose", r.Answer, r.Reason, r.Err)
				}
				return
			}
			if r := judge(v.Text); r.Reason != words.KidMissing {
				t.Errorf("as published: got %s (%v), want kid_missing", r.Reason, r.Err)
			}
			r := judge(named(t, v.Text))
			if key == nil {
				// Signed by a key that was never published.
				if r.Reason != words.UnknownKey || r.Credential.Proven() {
					t.Errorf("of an unpublished key: got %s %s (%v), want unknown_key", r.Answer, r.Reason, r.Err)
				}
				return
			}
			opened++
			if r.Answer != words.Valid || r.Reason != words.OK || r.Word != words.KnownPerson || !r.Credential.Foreign {
				t.Fatalf("got %s %s %s %v (%v), want valid ok known", r.Answer, r.Reason, r.Word, r.Reasons(), r.Err)
			}
			id, name := identityOf(r.Credential.Identity)
			if id != v.Want.ID || name != v.Want.Name {
				t.Errorf("identity: got %q %q, want %q %q", id, name, v.Want.ID, v.Want.Name)
			}
			// One bit off, and the same key refuses it.
			raw := inflated(t, named(t, v.Text))
			raw[len(raw)-1] ^= 1
			if r := judge(framed(t, raw)); r.Reason != words.BadSignature {
				t.Errorf("one bit off: got %s (%v)", r.Reason, r.Err)
			}
		})
	}
	if opened < 2 {
		t.Errorf("only %d of the vectors with keys were opened", opened)
	}
}

// TestPrintedExampleOfTheSpec: the CWT printed in the MOSIP specification comes
// without a public key, so all that can be known is whom it claims to be from.
func TestPrintedExampleOfTheSpec(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(sharedVectors(t, "claim169-mosip-spec"), "spec-3.2.1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		CWT string `json:"cwt_hex"`
		KID string `json:"kid"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(v.CWT)
	if err != nil {
		t.Fatal(err)
	}
	e, err := cwt.Parse(raw)
	if err != nil || string(e.KeyID) != v.KID || string(e.Issuer) != "www.mosip.io" {
		t.Errorf("hints: %q %q (%v)", e.KeyID, e.Issuer, err)
	}
	pack, floors := packFor(t, nil)
	r := verifier.Verify(framed(t, raw), verifier.Inputs{At: verifiertest.Now, Pack: pack, Floors: floors})
	if r.Reason != words.UnknownKey || r.Credential.Proven() {
		t.Errorf("got %s (%v), want unknown_key", r.Reason, r.Err)
	}
}

func publicKey(t *testing.T, alg, public string) crypto.PublicKey {
	t.Helper()
	b, err := hex.DecodeString(public)
	if err != nil {
		t.Fatal(err)
	}
	if alg == "EdDSA" {
		return ed25519.PublicKey(b)
	}
	k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var publicKID = []byte("public-1")

// packFor is the world's pack with the publisher of the vectors on its trust list.
func packFor(t *testing.T, key crypto.PublicKey) (*verifier.Pack, verifier.Floors) {
	t.Helper()
	w := verifiertest.New()
	raw := w.Pack(verifiertest.PackOptions{Trust: verifiertest.TrustOptions{Edit: func(d *trust.Draft) {
		if err := d.AddOrganisation(publicIssuer, "PHL", map[string]string{"en": "An identity system"}); err != nil {
			t.Fatal(err)
		}
		if key != nil {
			k, err := cose.NewKey(key)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.AddKey(publicIssuer, trust.Key{Key: k, KID: publicKID, Use: trust.UseCard, Profile: trust.ProfileForeign169,
				NotBefore: 1600000000, NotAfter: 1900000000}); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.SetUsesStatus(publicIssuer, false); err != nil {
			t.Fatal(err)
		}
	}}})
	p, floors, err := verifier.OpenPack(raw, verifier.Floors{}, verifiertest.Now)
	if err != nil {
		t.Fatal(err)
	}
	return p, floors
}

func inflated(t *testing.T, text string) []byte {
	t.Helper()
	var s qr.Scratch
	raw, err := s.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(raw)
}

func framed(t *testing.T, raw []byte) string {
	t.Helper()
	text, err := cwt.Text(raw)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// named puts the listed key's id into the empty unprotected header, which no
// signature covers.
func named(t *testing.T, text string) string {
	t.Helper()
	raw := inflated(t, text)
	m, err := cose.ParseSign1(raw)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(raw, m.ProtectedRaw) + len(m.ProtectedRaw)
	if raw[at] != 0xa0 {
		t.Fatalf("the unprotected header is not empty: %x", raw[at])
	}
	head := cbor.AppendBytes(cbor.AppendInt(cbor.AppendMap(nil, 1), 4), publicKID)
	return framed(t, append(append(bytes.Clone(raw[:at]), head...), raw[at+1:]...))
}

// identityOf reads id (1) and full name (4) of claim 169.
func identityOf(m []byte) (id, name string) {
	r := cbor.NewReader(m)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch r.Int() {
		case 1:
			id = string(r.Text())
		case 4:
			name = string(r.Text())
		default:
			r.Skip()
		}
	}
	return id, name
}
