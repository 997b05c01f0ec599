package p256_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"

	"aidpass/internal/p256"

	"filippo.io/nistec"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

var n = elliptic.P256().Params().N

// std is what crypto/ecdsa says of the same signature.
func std(pub *ecdsa.PublicKey, digest [32]byte, sig []byte) bool {
	if len(sig) != 64 {
		return false
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[:32]))
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[32:]))
	})
	der, err := b.Bytes()
	return err == nil && ecdsa.VerifyASN1(pub, digest[:], der)
}

func sign(t testing.TB, k *ecdsa.PrivateKey, digest [32]byte) []byte {
	t.Helper()
	der, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	var r, s big.Int
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Integer(&r) || !seq.ReadASN1Integer(&s) {
		t.Fatal("not DER")
	}
	return pair(&r, &s)
}

func pair(r, s *big.Int) []byte {
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return sig
}

func TestAgreesWithTheStandardLibrary(t *testing.T) {
	good, edge := 0, 0
	for i := range 200 {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := k.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		q, err := p256.Parse(point)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte{byte(i)})
		switch i % 5 {
		case 1:
			digest = [32]byte{} // e = 0
		case 2:
			n.FillBytes(digest[:]) // e = n, that is 0
		case 3:
			digest = [32]byte(bytes.Repeat([]byte{0xff}, 32)) // e over n
		}
		sig := sign(t, k, digest)
		if !q.Verify(&digest, sig) {
			t.Fatalf("a good signature is refused: key %x digest %x sig %x", point, digest, sig)
		}
		good++
		r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
		one, zero := big.NewInt(1), new(big.Int)
		top := new(big.Int).Sub(new(big.Int).Lsh(one, 256), one)
		below := new(big.Int).Sub(n, one)
		for _, v := range [][]byte{
			pair(r, new(big.Int).Sub(n, s)), // the high-s twin: the equation holds
			pair(s, r), pair(zero, s), pair(r, zero), pair(zero, zero), pair(n, s), pair(r, n), pair(n, n), pair(top, s), pair(r, top),
			pair(one, one), pair(below, below), pair(one, below), pair(r, one), pair(one, s), sig[:63], append(bytes.Clone(sig), 0),
		} {
			edge++
			if got, want := q.Verify(&digest, v), std(&k.PublicKey, digest, v); got != want {
				t.Fatalf("sig %x: got %v, the standard library says %v", v, got, want)
			}
		}
		for range 8 {
			bad := bytes.Clone(sig)
			var at [2]byte
			_, _ = rand.Read(at[:])
			bad[at[0]%64] ^= 1 << (at[1] % 8)
			if q.Verify(&digest, bad) != std(&k.PublicKey, digest, bad) {
				t.Fatalf("sig %x", bad)
			}
		}
		other := sha256.Sum256(digest[:])
		if q.Verify(&other, sig) {
			t.Fatal("holds for another digest")
		}
	}
	t.Logf("%d good, %d edge cases", good, edge)
}

// A point whose x lies between n and p, so that r = x - n: chance never finds
// one, so the key and the digest are made to fit it.
func TestTheComparisonIsModuloTheOrder(t *testing.T) {
	p := elliptic.P256().Params().P
	var R *nistec.P256Point
	r := new(big.Int)
	for j := int64(1); R == nil; j++ {
		r.SetInt64(j)
		x := new(big.Int).Add(n, r)
		if x.Cmp(p) >= 0 {
			t.Fatal("no such point below p")
		}
		compressed := append([]byte{2}, x.FillBytes(make([]byte, 32))...)
		if q, err := nistec.NewP256Point().SetBytes(compressed); err == nil {
			R = q
		}
	}
	// R = u1 G + u2 Q with u1 = e/s, u2 = r/s: choose s and e, solve for Q.
	s, e := big.NewInt(123456789), big.NewInt(987654321)
	rInv := new(big.Int).ModInverse(r, n)
	scalar := func(v *big.Int) []byte { return new(big.Int).Mod(v, n).FillBytes(make([]byte, 32)) }
	// Q = (s R - e G) / r
	sR, err := nistec.NewP256Point().ScalarMult(R, scalar(s))
	if err != nil {
		t.Fatal(err)
	}
	eG, err := nistec.NewP256Point().ScalarBaseMult(scalar(new(big.Int).Neg(e)))
	if err != nil {
		t.Fatal(err)
	}
	Q, err := nistec.NewP256Point().ScalarMult(sR.Add(sR, eG), scalar(rInv))
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), Q.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	key, err := p256.Parse(Q.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	digest := [32]byte(e.FillBytes(make([]byte, 32)))
	if !std(pub, digest, pair(r, s)) {
		t.Fatal("the construction is wrong: the standard library refuses it")
	}
	if !key.Verify(&digest, pair(r, s)) {
		t.Error("x is compared without reducing it modulo the order")
	}
	if over := pair(new(big.Int).Add(r, n), s); key.Verify(&digest, over) || std(pub, digest, over) {
		t.Error("r + n is taken for r")
	}
}

func TestPointsThatAreNone(t *testing.T) {
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	good, _ := k.PublicKey.Bytes()
	p := elliptic.P256().Params().P
	off := bytes.Clone(good)
	off[64] ^= 1
	over := bytes.Clone(good)
	p.FillBytes(over[1:33])
	compressed := append([]byte{2 + good[64]&1}, good[1:33]...)
	for name, b := range map[string][]byte{
		"empty": nil, "infinity": {0}, "off the curve": off, "x is p": over, "compressed": compressed,
		"hybrid": append([]byte{6 + good[64]&1}, good[1:]...), "short": good[:64], "zeros": append([]byte{4}, make([]byte, 64)...),
	} {
		if _, err := p256.Parse(b); err == nil {
			t.Errorf("%s is taken", name)
		}
		if _, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b); err == nil {
			t.Errorf("%s: the standard library takes it", name)
		}
	}
}

func TestECDHAgreesWithTheStandardLibrary(t *testing.T) {
	for range 50 {
		a, _ := ecdh.P256().GenerateKey(rand.Reader)
		b, _ := ecdh.P256().GenerateKey(rand.Reader)
		want, _ := a.ECDH(b.PublicKey())
		got, err := p256.ECDH(a.Bytes(), b.PublicKey().Bytes())
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%x, %v", got, err)
		}
		if pub, err := p256.Public(a.Bytes()); err != nil || !bytes.Equal(pub, a.PublicKey().Bytes()) {
			t.Fatalf("%x, %v", pub, err)
		}
	}
	for _, bad := range [][]byte{nil, make([]byte, 32), n.Bytes(), bytes.Repeat([]byte{0xff}, 32), make([]byte, 31)} {
		if _, err := p256.Public(bad); err == nil {
			t.Errorf("private key %x is taken", bad)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	point, _ := k.PublicKey.Bytes()
	q, _ := p256.Parse(point)
	digest := sha256.Sum256([]byte("fuzz"))
	f.Add(sign(f, k, digest), digest[:])
	f.Fuzz(func(t *testing.T, sig, d []byte) {
		var digest [32]byte
		copy(digest[:], d)
		if q.Verify(&digest, sig) != std(&k.PublicKey, digest, sig) {
			t.Fatalf("sig %x digest %x", sig, digest)
		}
	})
}
