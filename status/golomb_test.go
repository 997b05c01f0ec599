package status

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aidpass/internal/cose"
)

// decoded is what a reader makes of the words of docs/formats/status.md, one
// character a bit: slow, and written apart from the code it judges.
func decoded(s set, size uint64) ([]uint64, bool) {
	var text strings.Builder
	for _, b := range s.bits {
		fmt.Fprintf(&text, "%08b", b)
	}
	rest := text.String()
	next := func() byte {
		if rest == "" {
			return 'x'
		}
		c := rest[0]
		rest = rest[1:]
		return c
	}
	var all []uint64
	at := uint64(0)
	for range s.n {
		q, c := uint64(0), next()
		for ; c == '1'; c = next() {
			q++
		}
		if c == 'x' {
			return nil, false
		}
		// Truncated binary of 0..m-1: with k = ceil(log2 m), the first 2^k - m
		// values take k-1 bits; the others, raised by 2^k - m, take k.
		k := 0
		for 1<<k < s.m {
			k++
		}
		short, r := uint64(1)<<k-s.m, uint64(0)
		for i := range k {
			if i == k-1 && r < short {
				break
			}
			switch next() {
			case '1':
				r = 2*r + 1
			case '0':
				r = 2 * r
			default:
				return nil, false
			}
			if i == k-1 {
				r -= short
			}
		}
		if q > size {
			return nil, false
		}
		at += q*s.m + r
		if at >= size {
			return nil, false
		}
		all = append(all, at)
		at++
	}
	return all, len(rest) < 8 && !strings.Contains(rest, "1")
}

func collect(s set, size uint64) (all []uint64, err error) {
	err = s.each(size, func(i uint64) { all = append(all, i) })
	return all, err
}

func TestPropertySetsAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Uint64Range(1, 5000).Draw(t, "size")
		picked := rapid.SliceOfDistinct(rapid.Uint64Range(0, size-1), rapid.ID).Draw(t, "picked")
		slices.Sort(picked)
		m := rapid.Uint64Range(1, size).Draw(t, "m")
		c := newCoder(m, 0)
		for _, i := range picked {
			c.add(i)
		}
		s := c.finish()
		if s.n == 0 {
			s = set{m: 1}
		}
		got, err := collect(s, size)
		if err != nil || !slices.Equal(got, picked) {
			t.Fatalf("wrote %v with m = %d, read %v, %v", picked, m, got, err)
		}
		if slow, ok := decoded(s, size); !ok || !slices.Equal(slow, picked) {
			t.Fatalf("wrote %v with m = %d as %x, which means %v", picked, m, s.bits, slow)
		}
	})
}

// FuzzSet: whatever bytes claim to be a set, both readers agree on it, and the
// set is the one coding of what it holds.
func FuzzSet(f *testing.F) {
	f.Add(uint16(64), uint64(2), uint64(3), []byte{0x80})
	f.Add(uint16(64), uint64(0), uint64(1), []byte{})
	f.Add(uint16(5000), uint64(40), uint64(1), bytes.Repeat([]byte{0x55}, 10))
	f.Add(uint16(65535), uint64(1), uint64(40000), []byte{0x40, 0x00, 0x00})
	f.Add(uint16(1000), uint64(1), uint64(1), append(bytes.Repeat([]byte{0xff}, 100), 0))
	f.Fuzz(func(t *testing.T, width uint16, n, m uint64, b []byte) {
		size := uint64(width) + 1
		s := set{n, m, b}
		got, err := collect(s, size)
		if n > size || m == 0 || m > size || n == 0 {
			if err == nil && (n != 0 || m != 1 || len(b) != 0) {
				t.Fatalf("took n = %d, m = %d, size = %d", n, m, size)
			}
			return
		}
		slow, ok := decoded(s, size)
		if ok != (err == nil) || ok && !slices.Equal(got, slow) {
			t.Fatalf("%+v of %d: got %v, %v; it means %v, %v", s, size, got, err, slow, ok)
		}
		if err != nil {
			return
		}
		c := newCoder(m, 0)
		for _, i := range got {
			c.add(i)
		}
		if again := c.finish(); again.n != n || !bytes.Equal(again.bits, b) {
			t.Fatalf("%+v is written again as %+v", s, again)
		}
	})
}

// random returns a bitmap of size entries, of which each is invalid or
// suspended with these chances.
func random(size uint64, invalid, suspended float64) []byte {
	rng := rand.New(rand.NewPCG(1, uint64(1e6*(invalid+3*suspended))))
	b := make([]byte, size/4)
	for i := range size {
		switch x := rng.Float64(); {
		case x < invalid:
			put(b, i, Invalid)
		case x < invalid+suspended:
			put(b, i, Suspended)
		}
	}
	return b
}

// entropy is the bytes that no code of n of size entries gets below on average.
func entropy(n, size uint64) float64 {
	p := float64(n) / float64(size)
	if n == 0 || n == size {
		return 0
	}
	return float64(size) * (-p*math.Log2(p) - (1-p)*math.Log2(1-p)) / 8
}

const million = 1000000

var shares = []float64{0.001, 0.01, 0.05}

// The bar: at most 1.05 x entropy.
func TestSnapshotsStayNearTheEntropy(t *testing.T) {
	for _, share := range append(shares, 0.0001, 0.2, 0.5) {
		b := random(million, share, 0)
		s := encode(million, b, nil, nowInvalid)
		if got, least := float64(len(s.bits)), entropy(s.n, million); got > 1.05*least {
			t.Errorf("%.2f %% revoked: %.0f bytes, entropy %.0f: %.3f x", 100*share, got, least, got/least)
		}
		// The parameter is the best there is, to a thousandth.
		for _, m := range []uint64{s.m - 1, s.m + 1} {
			if m == 0 {
				continue
			}
			c := newCoder(m, 0)
			s.each(million, c.add)
			if other := c.finish(); float64(len(other.bits)) < 0.999*float64(len(s.bits)) {
				t.Errorf("%.2f %%: m = %d takes %d bytes, m = %d only %d", 100*share, s.m, len(s.bits), m, len(other.bits))
			}
		}
	}
	// Two states at once, against the entropy of both together.
	b := random(million, 0.03, 0.02)
	i := encode(million, b, nil, nowInvalid)
	s := encode(million, b, nil, nowSuspended)
	least := entropy(i.n, million) + float64(million-i.n)/million*entropy(s.n, million-i.n)*million/float64(million-i.n)
	if got := float64(len(i.bits) + len(s.bits)); got > 1.05*least {
		t.Errorf("3 %% invalid and 2 %% suspended: %.0f bytes, entropy %.0f", got, least)
	}
}

func TestBestParameter(t *testing.T) {
	for _, c := range [][3]uint64{{0, 64, 1}, {64, 64, 1}, {63, 64, 1}, {32, 64, 1}, {1, 64, 44}, {1, 1, 1}, {1, 2, 1}, {1, 4, 2}, {50000, million, 14}} {
		if got := bestM(c[0], c[1]); got != c[2] {
			t.Errorf("%d of %d: got m = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func fixedKey(b testing.TB) (*cose.Key, ed25519.PrivateKey) {
	b.Helper()
	seed := sha256.Sum256([]byte("bench"))
	private := ed25519.NewKeyFromSeed(seed[:])
	k, err := cose.NewKey(private.Public())
	if err != nil {
		b.Fatal(err)
	}
	return k, private
}

// BenchmarkSnapshot prints the size as a ratio to the entropy, and the time of
// building (the code alone, and with digest and payload) as a share of packing
// the same bitmap with zlib level 9 in the same run.
func BenchmarkSnapshot(b *testing.B) {
	k, _ := fixedKey(b)
	for _, share := range shares {
		b.Run(fmt.Sprintf("1M-%g%%", 100*share), func(b *testing.B) {
			r, err := LoadRegister("https://s.example/1", random(million, share, 0))
			if err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			z, err := deflate(r.state.bits)
			if err != nil {
				b.Fatal(err)
			}
			floor := time.Since(start)
			var s set
			start = time.Now()
			const rounds = 5
			for range rounds {
				s = encode(million, r.Bits(), nil, nowInvalid)
				encode(million, r.Bits(), nil, nowSuspended)
			}
			code := time.Since(start) / rounds
			var whole int
			for b.Loop() {
				p, err := PrepareSnapshot(k, r, 1, 2)
				if err != nil {
					b.Fatal(err)
				}
				raw, _ := p.AttachUnverified(make([]byte, 64))
				whole = len(raw)
			}
			b.ReportMetric(float64(len(s.bits))/entropy(s.n, million), "x-entropy")
			b.ReportMetric(float64(whole), "bytes")
			b.ReportMetric(float64(len(z)), "zlib9-bytes")
			b.ReportMetric(100*float64(code)/float64(floor), "%-of-zlib9(code)")
			b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/floor.Seconds(), "%-of-zlib9(all)")
		})
	}
}

func BenchmarkOpenSnapshot(b *testing.B) {
	k, private := fixedKey(b)
	r, err := LoadRegister("https://s.example/1", random(million, 0.01, 0.001))
	if err != nil {
		b.Fatal(err)
	}
	p, err := PrepareSnapshot(k, r, 1, 2)
	if err != nil {
		b.Fatal(err)
	}
	raw, err := p.Attach(ed25519.Sign(private, p.ToBeSigned()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := OpenSnapshot(raw, func([]byte) *cose.Key { return k }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLook looks up 64 random entries of a list of 10 million each time
// round; ns/look is the bar (20).
func BenchmarkLook(b *testing.B) {
	const size = 10 * million
	l := &List{Size: size, Bits: random(size, 0.01, 0.001)}
	var at [64]uint64
	rng := rand.New(rand.NewPCG(1, 2))
	n, total := 0, 0
	for b.Loop() {
		for i := range at {
			at[i] = rng.Uint64N(size)
		}
		for _, i := range at {
			if v, ok := l.Look(i); ok && v != Valid && !l.Unrevoked(i) {
				n++
			}
		}
		total += len(at)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(total), "ns/look")
	if n == 0 {
		b.Error("nothing found")
	}
}
