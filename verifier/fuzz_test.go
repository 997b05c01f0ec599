package verifier_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"fmt"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/status"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// steady is a world whose every signature is Ed25519, so that its packs and cards
// are the same bytes in each of the processes that fuzz.
func steady() *vt.World {
	w := vt.New()
	w.Anchors[1], w.Anchors[2] = w.Anchors[2], w.Anchors[1]
	for name, o := range map[string]*vt.Org{"a": w.A, "b": w.B} {
		o.Card, o.Status, o.DeviceCA = vt.Ed25519(name+" card"), vt.Ed25519(name+" status"), vt.Ed25519(name+" device-ca")
	}
	return w
}

// statement is all a credential says, but for a device's certificate, whose
// signature is another each time.
func statement(c *credential.Credential) string {
	return fmt.Sprintf("%s|%x|%x|%x|%d %d %d|%v|%s|%x|%x|%x", c.Issuer, c.KeyID, c.Type, c.ID, c.IssuedAt, c.NotBefore, c.ExpiresAt,
		c.Status, c.Pseudonym, c.Plain, c.Sealed, c.HolderKey)
}

// Whatever a text holds, the verifier answers; and nothing it takes for proven
// says anything but what one of our organisations signed.
func FuzzVerify(f *testing.F) {
	w := vt.New()
	policy := &verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{vt.Programme: nil}}
	pack, floors := open(f, w.Pack(vt.PackOptions{Policy: policy}), verifier.Floors{}, vt.Now)
	in := verifier.Inputs{At: vt.Now, Pack: pack, Floors: floors}
	signed := map[string]bool{}
	for _, c := range vt.Cases(w) {
		r := verifier.Verify(c.Text, in)
		if r.Credential.Proven() {
			signed[statement(&r.Credential)] = true
		}
		f.Add(c.Text, int64(c.At))
	}
	for _, text := range []string{w.Text(vt.CardOptions{}), w.Text(vt.CardOptions{Type: "registration"}), w.Text(vt.CardOptions{Org: w.B})} {
		r := verifier.Verify(text, in)
		if r.Answer != words.Valid {
			f.Fatalf("a good card is %s", r.Reason)
		}
		signed[statement(&r.Credential)] = true
		f.Add(text, int64(vt.Now))
	}
	var again verifier.Checker
	f.Fuzz(func(t *testing.T, text string, at int64) {
		in := in
		in.At = credential.Time(at)
		r := verifier.Verify(text, in)
		if !r.Reason.Known() || r.Word == "" || len(r.Reasons()) == 0 || r.Reasons()[0] != r.Reason {
			t.Fatalf("answer %+v", r)
		}
		if r.Credential.Proven() {
			if s := statement(&r.Credential); !signed[s] {
				t.Fatalf("nobody signed %s", s)
			}
		} else if r.Claims() != nil || r.CardNumber() != "" || r.Answer == words.Valid || r.Answer == words.Used || r.Issuer != nil {
			t.Fatalf("%s, and nothing is proven: %v", r.Answer, r.Claims())
		}
		if second := again.Verify(text, in); second.Reason != r.Reason || second.Facts != r.Facts || statement(&second.Credential) != statement(&r.Credential) {
			t.Fatalf("judged twice: %s, then %s", r.Reason, second.Reason)
		}
	})
}

// Message bytes past the text: the inside of own and foreign cards.
func FuzzVerifyMessage(f *testing.F) {
	w := steady()
	pack, floors := open(f, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	in := verifier.Inputs{At: vt.Now, Pack: pack, Floors: floors}
	f.Add(w.Card(vt.CardOptions{}))
	f.Add(w.Card(replacing(w)))
	f.Add(w.Card(vt.CardOptions{Sealed: map[string]any{"name": "Amina Yusuf"}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		// No foreign issuer signed any of these.
		if r := new(verifier.Checker).VerifyMessage(raw, in); r.Answer == words.Valid || !r.Reason.Known() {
			t.Fatalf("%s %s", r.Answer, r.Reason)
		}
	})
}

// A pack opens whole or not at all: no byte of it can be another one.
func FuzzOpenPack(f *testing.F) {
	w := steady()
	packs := func() [][]byte {
		return [][]byte{
			w.Pack(vt.PackOptions{}),
			w.Pack(vt.PackOptions{NoStatus: true, Sequence: 9, Policy: &verifier.Policy{Country: "KEN"}}),
		}
	}
	// The engine keeps inputs for years, among them packs that the world signed when it
	// said something else. So its anchors are of what it says now.
	says := sha256.Sum256(bytes.Join(packs(), nil))
	for i := range w.Anchors {
		w.Anchors[i] = vt.Ed25519(fmt.Sprintf("anchor %d of %x", i, says))
	}
	good := packs()
	f.Add(good[0], uint32(0), byte(0))
	f.Add(steady().Pack(vt.PackOptions{Sequence: 8}), uint32(0), byte(0)) // as an older build may have left it
	f.Add(good[1], uint32(100), byte(1))
	f.Add(good[1][:100], uint32(7), byte(0x80))
	f.Add([]byte("\xd9\xd9\xf7\x83\x6eaidpass-pack-1\x40\x80"), uint32(0), byte(0))
	remembered := func() verifier.Floors { _, fl := open(f, good[0], verifier.Floors{}, vt.Now); return fl }()
	f.Fuzz(func(t *testing.T, raw []byte, at uint32, flip byte) {
		// The bytes as they are, and a good pack with one byte changed.
		changed := bytes.Clone(good[at%2])
		changed[int(at)%len(changed)] ^= flip
		for _, b := range [][]byte{raw, changed} {
			for _, f := range []verifier.Floors{{}, remembered} {
				before := f.Encode()
				p, after, err := verifier.OpenPack(b, f, vt.Now)
				if err != nil {
					if fault, ok := err.(*verifier.PackError); !ok || !fault.Reason.Known() || p != nil {
						t.Fatalf("refused with %T %v", err, err)
					}
					if !bytes.Equal(after.Encode(), before) || !bytes.Equal(f.Encode(), before) {
						t.Fatal("a refused pack is remembered")
					}
					continue
				}
				own := after.Trust.Anchors.Keys[0].Thumbprint() == remembered.Trust.Anchors.Keys[0].Thumbprint()
				if !bytes.Equal(b, good[0]) && !bytes.Equal(b, good[1]) && (own || f.Trust.Anchors.K != 0) {
					t.Fatal("a pack opens that nobody signed")
				}
			}
		}
	})
}

// A status list that arrives alone becomes one that was signed, or nothing.
func FuzzAddStatus(f *testing.F) {
	w := steady()
	pack, floors := open(f, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	later := vt.StatusOptions{Issued: vt.Made + 600, Edit: func(r *status.Register) {
		_ = r.Set(vt.RevokedIndex, status.Invalid)
		_ = r.Set(vt.GoodIndex, status.Invalid)
	}}
	seeds := map[verifier.PartKind][]byte{
		verifier.PartSnapshot: w.Snapshot(w.A, later), verifier.PartStatusCWT: w.StatusCWT(w.A, later), verifier.PartStatusJWT: w.StatusJWT(w.A, later),
	}
	base := pack.Lists()[0]
	r, err := status.LoadRegister(base.URI, base.Bits)
	if err != nil {
		f.Fatal(err)
	}
	later.Edit(r)
	d, err := status.PrepareDelta(w.A.Status.Key, base, r, later.Issued, later.Issued+7*day)
	if err != nil {
		f.Fatal(err)
	}
	sig, _ := cose.SignRaw(w.A.Status, d.ToBeSigned())
	if seeds[verifier.PartDelta], err = d.Attach(sig); err != nil {
		f.Fatal(err)
	}
	known := map[[32]byte]bool{}
	for kind, raw := range seeds {
		p, _, err := pack.AddStatus(kind, raw, floors, vt.Now)
		if err != nil {
			f.Fatalf("%s: %v", kind, err)
		}
		for _, l := range p.Lists() {
			known[sha256.Sum256(l.Bits)] = true
		}
		f.Add(uint8(kind), raw)
		f.Add(uint8(kind), raw[:len(raw)/2])
	}
	f.Add(uint8(99), []byte{})
	f.Fuzz(func(t *testing.T, kind uint8, raw []byte) {
		before := floors.Encode()
		p, after, err := pack.AddStatus(verifier.PartKind(kind), raw, floors, vt.Now)
		if err != nil {
			if fault, ok := err.(*verifier.PackError); !ok || !fault.Reason.Known() {
				t.Fatalf("refused with %T %v", err, err)
			}
			if !bytes.Equal(after.Encode(), before) {
				t.Fatal("a refused list is remembered")
			}
			return
		}
		for _, l := range p.Lists() {
			if !known[sha256.Sum256(l.Bits)] {
				t.Fatal("a list nobody signed")
			}
		}
		if _, reason := pack.List([]byte(w.A.StatusURI), vt.Now); reason != words.OK {
			t.Fatalf("the pack it was added to changed: %s", reason)
		}
	})
}

// A state is read as it was written, or refused: nothing is forgotten silently.
func FuzzDecodeFloors(f *testing.F) {
	w := steady()
	f.Add(verifier.Floors{}.Encode())
	_, floors := open(f, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	floors.PINFailures = map[string]int{"0123456789": 3}
	floors.Live = []verifier.LiveSeen{{ID: [16]byte{1}, At: vt.Now}}
	f.Add(floors.RecordedAt(vt.Now).Encode())
	f.Add([]byte{0xa1, 1, 0x6f, 'a', 'i', 'd', 'p', 'a', 's', 's', '-', 's', 't', 'a', 't', 'e', '-', '1'})
	f.Fuzz(func(t *testing.T, b []byte) {
		floors, err := verifier.DecodeFloors(b)
		if err == nil && !bytes.Equal(floors.Encode(), b) {
			t.Fatal("it is written differently")
		}
		if err == nil && floors.Trust.Anchors.K > len(floors.Trust.Anchors.Keys) {
			t.Fatal("anchors that nobody can satisfy")
		}
	})
}

// A policy is read as it was written, or refused.
func FuzzDecodePolicy(f *testing.F) {
	for _, p := range []verifier.Policy{{}, wholePolicy()} {
		b, err := p.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0xa1, 3, 0xa1, 0x60, 0x20})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := verifier.DecodePolicy(b)
		if err != nil {
			return
		}
		if again, err := p.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("it is written differently: %v", err)
		}
	})
}

// Sealed keys: bytes that are no box never open, and what a box holds is taken
// only within its limits.
func FuzzUnlock(f *testing.F) {
	w := vt.New()
	private, code := w.DeviceECDH(), w.Code
	device, err := cose.NewRecipient(private)
	if err != nil {
		f.Fatal(err)
	}
	info := cbor.AppendText(cbor.AppendArray(nil, 3), "aidpass-unlock-1")
	info = cbor.AppendText(cbor.AppendText(info, w.A.ID), vt.Site)
	salt := make([]byte, 16)
	key, err := pbkdf2.Key(sha256.New, string(code), salt, 1, 16)
	if err != nil {
		f.Fatal(err)
	}
	block, _ := aes.NewCipher(key)
	aead, _ := cipher.NewGCM(block)
	unlock := func(box []byte) (*verifier.Unlocked, error) {
		p := verifier.Pack{Org: w.A.ID, Site: vt.Site, Parts: []verifier.Part{{Kind: verifier.PartAudience, Data: box}}}
		return p.Unlock(device, code)
	}
	audience := cbor.AppendText(cbor.AppendText(cbor.AppendArray(nil, 6), w.A.ID), "kakuma")
	audience = cbor.AppendInt(cbor.AppendInt(cbor.AppendUint(audience, 1), int64(vt.Made)), int64(vt.Made+100*day))
	audience = cbor.AppendBytes(audience, w.Epoch)
	one := append(cbor.AppendArray(cbor.AppendInt(cbor.AppendMap(nil, 2), 1), 1), audience...)
	one = cbor.AppendBytes(cbor.AppendInt(one, 2), w.Content)
	f.Add(one)
	f.Add([]byte{0xa1, 1, 0x80})
	f.Add([]byte{0xa1, 2, 0x40})
	f.Fuzz(func(t *testing.T, plain []byte) {
		if _, err := unlock(plain); err == nil {
			t.Fatal("opened with no key of this device in it")
		}
		box := aead.Seal(salt[:12:12], salt[:12], plain, info)
		locked := cbor.AppendBytes(cbor.AppendUint(cbor.AppendBytes(cbor.AppendArray(nil, 3), salt), 1), box)
		sealed, err := cose.SealTo(private.PublicKey(), info, locked)
		if err != nil {
			t.Fatal(err)
		}
		u, err := unlock(sealed)
		if err != nil {
			if bytes.Equal(plain, one) {
				t.Fatalf("good keys do not open: %v", err)
			}
			return
		}
		if u.ContentKey != nil && len(u.ContentKey) != 16 {
			t.Fatalf("content key of %d bytes", len(u.ContentKey))
		}
		for _, a := range u.Audiences {
			if len(a.Key) != 32 || a.From < 0 || a.Until <= a.From || a.Until-a.From > verifier.MaxEpoch {
				t.Fatalf("audience %+v", a)
			}
		}
	})
}
