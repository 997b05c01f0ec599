package qr_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"aidpass/credential/qr"
	"aidpass/internal/cbor"

	"pgregory.net/rapid"
)

// card is a plain eligibility card as docs/formats/card.md draws it, with an
// issuer URI of 26 characters, a status URI of 30 and random bytes in place of
// keys, hashes and signatures.
func card(seed uint64, extra ...int) []byte {
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1})
	random := func(n int) []byte {
		b := make([]byte, n)
		_, _ = source.Read(b)
		return b
	}
	item := func(f func(m *cbor.MapBuilder)) []byte {
		var m cbor.MapBuilder
		f(&m)
		b, err := m.Append(nil)
		if err != nil {
			panic(err)
		}
		return b
	}
	const issuer = "https://aid.example/issuer"
	claims := item(func(m *cbor.MapBuilder) {
		m.PutInt(1, cbor.AppendText(nil, issuer))
		m.PutInt(4, cbor.AppendUint(nil, 1811635200))
		m.PutInt(6, cbor.AppendUint(nil, 1796083200))
		m.PutInt(7, cbor.AppendBytes(nil, random(10)))
		m.PutInt(11, cbor.AppendText(nil, "https://aidpass.example/elig"))
		m.PutInt(169, item(func(m *cbor.MapBuilder) {
			m.PutInt(1, cbor.AppendText(nil, base64.RawURLEncoding.EncodeToString(random(12))))
			for _, n := range extra { // a photo
				m.PutInt(62, cbor.AppendBytes(nil, random(n)))
			}
		}))
		m.PutInt(65535, item(func(m *cbor.MapBuilder) {
			m.PutText("status_list", item(func(m *cbor.MapBuilder) {
				m.PutText("idx", cbor.AppendUint(nil, 88123))
				m.PutText("uri", cbor.AppendText(nil, issuer+"/s/1"))
			}))
		}))
		m.PutInt(-70001, item(func(m *cbor.MapBuilder) {
			m.PutInt(1, item(func(m *cbor.MapBuilder) {
				m.PutInt(1, cbor.AppendText(nil, "P7K2QX"))
				m.PutInt(2, cbor.AppendUint(nil, 3))
				m.PutInt(3, cbor.AppendUint(nil, 1796083200))
				m.PutInt(4, cbor.AppendUint(nil, 1798675200))
				m.PutInt(5, cbor.AppendUint(nil, 4))
				m.PutInt(6, cbor.AppendBytes(nil, random(16)))
				m.PutInt(7, cbor.AppendUint(nil, 2))
			}))
		}))
	})
	protected := item(func(m *cbor.MapBuilder) {
		m.PutInt(1, cbor.AppendInt(nil, -7))
		m.PutInt(4, cbor.AppendBytes(nil, random(8)))
	})
	b := cbor.AppendArray(cbor.AppendTag(nil, 18), 4)
	b = cbor.AppendBytes(b, protected)
	b = cbor.AppendMap(b, 0)
	b = cbor.AppendBytes(b, claims)
	return cbor.AppendBytes(b, random(64))
}

// unzip reads z with the standard library, to its last byte.
func unzip(t testing.TB, z []byte) []byte {
	t.Helper()
	in := bytes.NewReader(z)
	r, err := zlib.NewReader(in)
	if err != nil {
		t.Fatalf("zlib header of %x: %v", z, err)
	}
	raw, err := io.ReadAll(r)
	if err != nil || in.Len() != 0 {
		t.Fatalf("compress/zlib read %d bytes, %d unused: %v", len(raw), in.Len(), err)
	}
	return raw
}

// flateBest is the size of compress/flate's best stream in a zlib frame, the
// empty stored block at its end left out. Where it stores bytes, which is not
// open to us, it is what a fixed block of literals alone takes at most.
func flateBest(raw []byte) int {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(raw)
	_ = w.Close()
	if body, ok := qr.WithoutTail(b.Bytes(), raw); ok {
		return 2 + len(body) + 4
	}
	return 2 + (3+9*len(raw)+7+7)/8 + 4
}

// startsStored looks at the type of a zlib stream's first block.
func startsStored(z []byte) bool { return z[2]>>1&3 == 0 }

func TestCardsFitTheirCode(t *testing.T) {
	var worst int
	for seed := range uint64(200) {
		text, err := qr.Encode(card(seed))
		if err != nil {
			t.Fatal(err)
		}
		worst = max(worst, len(text))
	}
	// Version 13-M holds 483 characters, version 12-M 419.
	if worst > 425 {
		t.Errorf("the longest of 200 plain eligibility cards has %d characters, want about 419, at most 425", worst)
	}
	t.Logf("longest text: %d characters for %d bytes", worst, len(card(0)))
}

func TestNeverLongerThanFlate(t *testing.T) {
	text := bytes.Repeat([]byte("the household collects for the round at the service point of its camp; "), 4)
	for n := range text {
		text[n] ^= byte(n * n >> 7 & 3)
	}
	inputs := map[string][]byte{
		"empty": {}, "one byte": {7}, "zeros": make([]byte, 4000), "text": text,
		"zeros, most": make([]byte, qr.MaxInflated),
		"card":        card(1), "card with a photo": card(2, 400),
	}
	source := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		// Bytes of few and of many kinds, with and without repetition.
		b := make([]byte, source.IntN(3000))
		kinds, echo := 1+source.IntN(255), source.IntN(8)
		for at := range b {
			b[at] = byte(source.IntN(kinds))
			if at > 40 && source.IntN(8) < echo {
				b[at] = b[at-1-source.IntN(2)*38]
			}
		}
		inputs[fmt.Sprintf("random %d: %d bytes of %d kinds, echo %d", i, len(b), kinds, echo)] = b
	}
	for name, raw := range inputs {
		z := qr.AppendZlib(nil, raw)
		if got := unzip(t, z); !bytes.Equal(got, raw) {
			t.Errorf("%s: does not read back", name)
		}
		if startsStored(z) {
			t.Errorf("%s: starts with a stored block", name)
		}
		if limit := flateBest(raw); len(z) > limit {
			t.Errorf("%s: %d bytes, compress/flate %d, raw %d", name, len(z), limit, len(raw))
		}
	}
}

func TestLongInputs(t *testing.T) {
	source := rand.NewChaCha8([32]byte{3})
	random := make([]byte, 100_000)
	_, _ = source.Read(random)
	sparse := make([]byte, 300_000)
	for i := range 3000 {
		sparse[int(random[3*i])<<10|int(random[3*i+1])<<2|int(random[3*i+2])&3] = 1 << (i % 8)
	}
	half := append(bytes.Clone(sparse[:50_000]), random[:50_000]...)
	for name, raw := range map[string][]byte{
		"random": random, "sparse": sparse, "half and half": half,
		"just over": random[:qr.MaxInflated+1], "zeros": make([]byte, 1<<20),
	} {
		z := qr.AppendZlib([]byte("kept"), raw)
		z, kept := z[4:], z[:4]
		if string(kept) != "kept" {
			t.Errorf("%s: dst overwritten", name)
		}
		if !bytes.Equal(unzip(t, z), raw) {
			t.Errorf("%s: does not read back", name)
		}
		if best := flateBest(raw); len(z) > best {
			t.Errorf("%s: %d bytes, compress/flate %d", name, len(z), best)
		}
		got, err := qr.Inflate(z, len(raw))
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s: Inflate: %v", name, err)
		}
		if startsStored(z) {
			t.Errorf("%s: starts with a stored block", name)
		}
	}
}

func TestZlibRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 40), 1, 6).Draw(t, "words")
		var raw []byte
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, 5), 0, 200).Draw(t, "order") {
			raw = append(raw, words[i%len(words)]...)
		}
		raw = raw[:min(len(raw), qr.MaxInflated)]
		text, err := qr.Encode(raw)
		if err == qr.ErrTooLong && len(raw) > 2600 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var s qr.Scratch
		got, err := s.Decode(text)
		if err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("Decode gave %x, %v; want %x", got, err, raw)
		}
	})
}

func TestEncodeAllocatesItsResultOnly(t *testing.T) {
	if underRace {
		t.Skip("allocations cannot be counted under the race detector")
	}
	raw := card(5)
	if n := testing.AllocsPerRun(200, func() { _, _ = qr.Encode(raw) }); n > 1 {
		t.Errorf("Encode allocates %v times, want 1", n)
	}
}

func TestEncodeRefusesWhatNoCodeHolds(t *testing.T) {
	if _, err := qr.Encode(make([]byte, qr.MaxInflated+1)); err != qr.ErrTooLarge {
		t.Errorf("over MaxInflated: got %v, want %v", err, qr.ErrTooLarge)
	}
	random := make([]byte, 4000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	if _, err := qr.Encode(random); err != qr.ErrTooLong {
		t.Errorf("4,000 random bytes: got %v, want %v", err, qr.ErrTooLong)
	}
}

func FuzzAppendZlib(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(card(1))
	f.Add(bytes.Repeat([]byte{1, 2, 3}, 500))
	f.Fuzz(func(t *testing.T, raw []byte) {
		z := qr.AppendZlib(nil, raw)
		if !bytes.Equal(unzip(t, z), raw) {
			t.Fatal("compress/zlib reads something else")
		}
		if got, err := qr.Inflate(z, len(raw)); err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("Inflate: %v", err)
		}
	})
}

func BenchmarkEncodeCard(b *testing.B) {
	raw := card(1)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = qr.Encode(raw)
	}
}

func BenchmarkEncodeCardWithPhoto(b *testing.B) {
	raw := card(1, 400)
	for b.Loop() {
		_, _ = qr.Encode(raw)
	}
}
