package status_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/status"
)

// signed finishes what a Prepare function began.
func signed(t testing.TB, s crypto.Signer, p interface {
	ToBeSigned() []byte
	Attach([]byte) ([]byte, error)
}, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(s, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func p256Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func register(t testing.TB, size uint64) *status.Register {
	t.Helper()
	r, err := status.NewRegister(testURI, size)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryFormSaysTheSame(t *testing.T) {
	for name, signer := range map[string]crypto.Signer{"ES256": p256Key(t), "EdDSA": testKey()} {
		k := coseKey(t, signer)
		byID, byText := finders(k)
		r := register(t, 1<<17)
		for i, v := range map[uint64]status.Value{0: status.Invalid, 1: status.Suspended, 1234: status.Invalid, 1<<17 - 1: status.Suspended} {
			if err := r.Set(i, v); err != nil {
				t.Fatal(err)
			}
		}
		cp, err := status.PrepareCWT(k, r, iat, iat+day, 3600)
		cwt, err2 := status.OpenCWT(signed(t, signer, cp, err), byID)
		jp, err := status.PrepareJWT(k, r, iat, iat+day, 3600)
		jwt, err3 := status.OpenJWT(signed(t, signer, jp, err), byText)
		sp, err := status.PrepareSnapshot(k, r, iat, iat+3600)
		snapshot, err4 := status.OpenSnapshot(signed(t, signer, sp, err), byID)
		if err := errors.Join(err2, err3, err4); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, l := range []*status.List{cwt, jwt, snapshot} {
			if l.URI != testURI || l.IssuedAt != iat || l.NextUpdate != iat+3600 || l.Size != 1<<17 || l.Key != k || len(l.KeyID) == 0 {
				t.Errorf("%s, %s: of %q, issued %v, %d entries", name, l.Source, l.URI, l.IssuedAt, l.Size)
			}
			if !slices.Equal(l.Bits, r.Bits()) {
				t.Errorf("%s, %s: other entries than the register's", name, l.Source)
			}
		}
		if cwt.ExpiresAt != iat+day || jwt.ExpiresAt != iat+day || snapshot.ExpiresAt != 0 {
			t.Errorf("%s: expiry %v, %v, %v", name, cwt.ExpiresAt, jwt.ExpiresAt, snapshot.ExpiresAt)
		}
	}
}

// Whatever the issuer does, a device that follows by deltas has what one has
// that fetched the newest list.
func TestPropertyDeltasLeadToTheList(t *testing.T) {
	signer := testKey()
	k := coseKey(t, signer)
	byID, byText := finders(k)
	rapid.Check(t, func(rt *rapid.T) {
		size := 4 * rapid.Uint64Range(1, 300).Draw(rt, "quarter size")
		r, err := status.NewRegister(testURI, size)
		if err != nil {
			rt.Fatal(err)
		}
		act := func() {
			n := rapid.IntRange(0, int(size)).Draw(rt, "acts")
			for range n {
				i := rapid.Uint64Range(0, size-1).Draw(rt, "entry")
				v := rapid.SampledFrom([]status.Value{status.Valid, status.Invalid, status.Suspended}).Draw(rt, "value")
				old, _ := r.Get(i)
				err := r.Set(i, v)
				if final := old == status.Invalid && v != status.Invalid; final != errors.Is(err, status.ErrFinal) || !final && err != nil {
					rt.Fatalf("%v to %v: %v", old, v, err)
				}
			}
		}
		act()
		now := credential.Time(iat)
		p, err := status.PrepareSnapshot(k, r, now, now+60)
		l, err := status.OpenSnapshot(signed(t, signer, p, err), byID)
		if err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(0, 4).Draw(rt, "deltas") {
			if !slices.Equal(l.Bits, r.Bits()) || l.Size != size {
				rt.Fatalf("followed to %x, the register is %x", l.Bits, r.Bits())
			}
			act()
			now += 100
			p, err := status.PrepareDelta(k, l, r, now, now+60)
			before := slices.Clone(l.Bits)
			next, err := status.ApplyDelta(l, signed(t, signer, p, err), byID)
			if err != nil {
				rt.Fatal(err)
			}
			if !slices.Equal(l.Bits, before) {
				rt.Fatal("a delta changed its base")
			}
			l = next
		}
		jp, err := status.PrepareJWT(k, r, now, now+60, 0)
		direct, err := status.OpenJWT(signed(t, signer, jp, err), byText)
		if err != nil {
			rt.Fatal(err)
		}
		for i := range size + 5 {
			v, ok := l.Look(i)
			if w, ok2 := direct.Look(i); v != w || ok != ok2 || ok != (i < size) {
				rt.Fatalf("entry %d: %v, %v by deltas, %v, %v direct", i, v, ok, w, ok2)
			}
		}
	})
}

// A seen set holds every entry that ever was INVALID, and a list marks exactly
// those it does not have INVALID any more.
func TestPropertySeenSetsForgetNothing(t *testing.T) {
	signer := testKey()
	k := coseKey(t, signer)
	byID, _ := finders(k)
	rapid.Check(t, func(rt *rapid.T) {
		var seen []byte
		ever := map[uint64]bool{}
		for range rapid.IntRange(1, 4).Draw(rt, "lists") {
			bits := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 4, 0x10, 0x40, 0x55, 0x82, 0xaa, 0x09}), 20, 20).Draw(rt, "bits")
			r, err := status.LoadRegister(testURI, bits)
			if err != nil {
				rt.Fatal(err)
			}
			p, err := status.PrepareSnapshot(k, r, iat, iat+1)
			l, err := status.OpenSnapshot(signed(t, signer, p, err), byID)
			if err != nil {
				rt.Fatal(err)
			}
			if err := l.MarkUnrevoked(seen); err != nil {
				rt.Fatal(err)
			}
			for i := range l.Size {
				v, _ := l.Look(i)
				if want := ever[i] && v != status.Invalid; l.Unrevoked(i) != want {
					rt.Fatalf("entry %d, %v: unrevoked %v, want %v", i, v, !want, want)
				}
				ever[i] = ever[i] || v == status.Invalid
			}
			if seen, err = l.AppendSeen(nil, seen); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

func TestADamagedSeenSetIsAnErrorOfTheDevice(t *testing.T) {
	l := &status.List{URI: testURI, Size: 64, Bits: make([]byte, 16)}
	for _, seen := range [][]byte{{0}, {0x83, 1, 1}, {0x83, 2, 1, 0x41, 0xff}, {0x83, 0, 1, 0x40, 0}, {0x83, 0x18, 0, 1, 0x40}} {
		var r *status.Refusal
		if err := l.MarkUnrevoked(seen); err == nil || errors.As(err, &r) {
			t.Errorf("%x: MarkUnrevoked: %v", seen, err)
		}
		if _, err := l.AppendSeen(nil, seen); err == nil {
			t.Errorf("%x: AppendSeen took it", seen)
		}
	}
}

func TestInvalidIsFinal(t *testing.T) {
	r := register(t, 8)
	for _, v := range []status.Value{status.Suspended, status.Valid, status.Suspended, status.Invalid, status.Invalid} {
		if err := r.Set(3, v); err != nil {
			t.Errorf("to %v: %v", v, err)
		}
	}
	for _, v := range []status.Value{status.Valid, status.Suspended} {
		if err := r.Set(3, v); !errors.Is(err, status.ErrFinal) {
			t.Errorf("from invalid to %v: %v", v, err)
		}
	}
	if v, ok := r.Get(3); v != status.Invalid || !ok {
		t.Errorf("entry 3 is %v, %v", v, ok)
	}
	if err := r.Set(8, status.Invalid); !errors.Is(err, status.ErrRange) {
		t.Errorf("past the end: %v", err)
	}
	if err := r.Set(0, 3); err == nil {
		t.Error("took 3 as a state")
	}
	if _, ok := r.Get(math.MaxUint64); ok {
		t.Error("entry 2^64-1 is there")
	}
}

func TestRegistersHaveASensibleShape(t *testing.T) {
	for _, size := range []uint64{0, 1, 6, status.MaxSize + 4, math.MaxUint64 - 3} {
		if _, err := status.NewRegister(testURI, size); err == nil {
			t.Errorf("took %d entries", size)
		}
	}
	for _, uri := range []string{"", string(make([]byte, 1025))} {
		if _, err := status.NewRegister(uri, 8); err == nil {
			t.Errorf("took a URI of %d bytes", len(uri))
		}
	}
	if _, err := status.LoadRegister(testURI, []byte{0, 0b0000_1100}); err == nil {
		t.Error("took a bitmap with a 3 in it")
	}
	if _, err := status.LoadRegister(testURI, nil); err == nil {
		t.Error("took an empty bitmap")
	}
}

func TestTheTwinOfAnotherFormHasTheSameEntries(t *testing.T) {
	r := register(t, 8)
	twin, err := r.Twin("https://s.example/1j")
	if err != nil {
		t.Fatal(err)
	}
	if err := twin.Set(5, status.Suspended); err != nil {
		t.Fatal(err)
	}
	if v, _ := r.Get(5); v != status.Suspended || twin.URI() == r.URI() || twin.Size() != 8 {
		t.Errorf("entry 5 is %v; twin %q of %d", v, twin.URI(), twin.Size())
	}
}

func TestThePublisherRefuses(t *testing.T) {
	signer := testKey()
	k := coseKey(t, signer)
	byID, _ := finders(k)
	r := register(t, 8)
	if err := r.Set(1, status.Invalid); err != nil {
		t.Fatal(err)
	}
	p, err := status.PrepareSnapshot(k, r, iat, iat+1)
	base, err := status.OpenSnapshot(signed(t, signer, p, err), byID)
	if err != nil {
		t.Fatal(err)
	}
	forgetful, larger := register(t, 8), register(t, 12)
	other, _ := status.NewRegister("https://s.example/2", 8)
	delta := func(r *status.Register, iat credential.Time) error {
		_, err := status.PrepareDelta(k, base, r, iat, iat+1)
		return err
	}
	if err := delta(forgetful, iat+1); !errors.Is(err, status.ErrFinal) {
		t.Errorf("a delta that takes a revocation back: %v", err)
	}
	for name, err := range map[string]error{
		"a delta to another size": delta(larger, iat+1), "a delta to another list": delta(other, iat+1),
		"a delta that is not newer": delta(r, iat),
	} {
		if err == nil {
			t.Errorf("prepared %s", name)
		}
	}
	for name, c := range map[string][3]int64{"iat 0": {0, iat, 0}, "exp at iat": {iat, iat, 0}, "exp in milliseconds": {iat, iat * 1000, 0}, "negative ttl": {iat, iat + 1, -1}} {
		if _, err := status.PrepareCWT(k, r, credential.Time(c[0]), credential.Time(c[1]), c[2]); err == nil {
			t.Errorf("a CWT with %s was prepared", name)
		}
		if _, err := status.PrepareJWT(k, r, credential.Time(c[0]), credential.Time(c[1]), c[2]); err == nil {
			t.Errorf("a JWT with %s was prepared", name)
		}
		if _, err := status.PrepareSnapshot(k, r, credential.Time(c[0]), credential.Time(c[1])); err == nil && c[2] == 0 {
			t.Errorf("a snapshot with %s was prepared", name)
		}
	}
}

// A zlib stream of 64 KiB that holds 64 MiB must stop at the limit.
func TestABombIsTooLarge(t *testing.T) {
	k := coseKey(t, testKey())
	id := k.ID()
	byID, _ := finders(k)
	bomb := deflated(make([]byte, 64<<20))
	payload := pairs(num(2), txt(testURI), num(6), num(iat), num(65533), pairs(txt("lst"), bstr(bomb), txt("bits"), num(2)))
	v := vector{Form: "cwt", List: sign("18", pairs(num(1), num(-8), num(4), bstr(id[:]), num(16), txt("application/statuslist+cwt")), pairs(), payload)}
	if _, err := v.open(t, nil); reason(err) != "too_large" {
		t.Errorf("got %v", err)
	}
	// Nor does a message before its signature is good take memory by its claims.
	unsigned := cose.Prepare(k, "application/aidpass-snapshot+cose", pairs(num(1), txt(testURI), num(2), num(iat), num(3), num(status.MaxSize),
		num(4), bstr(make([]byte, 32)), num(5), coded(0, 1), num(6), coded(0, 1), num(7), num(iat+1)), nil)
	raw, err := unsigned.AttachUnverified(make([]byte, 64))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = status.OpenSnapshot(raw, byID)
	runtime.ReadMemStats(&after)
	if reason(err) != "bad_signature" || after.TotalAlloc-before.TotalAlloc > 1<<16 {
		t.Errorf("a forged snapshot: %v, %d bytes allocated", err, after.TotalAlloc-before.TotalAlloc)
	}
	if _, err := status.OpenCWT(make([]byte, status.MaxBytes+1), byID); reason(err) != "too_large" {
		t.Errorf("a long CWT: %v", err)
	}
	if _, err := status.OpenSnapshot(make([]byte, status.MaxBytes+1), byID); reason(err) != "too_large" {
		t.Errorf("a long snapshot: %v", err)
	}
	if _, err := status.OpenJWT(make([]byte, status.MaxJWT+1), nil); reason(err) != "too_large" {
		t.Errorf("a long JWT: %v", err)
	}
}

// The largest list there may be, half of it revoked at random, in every form.
func TestTheLargestListFits(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	signer := testKey()
	k := coseKey(t, signer)
	byID, byText := finders(k)
	bits := make([]byte, status.MaxSize/4)
	if _, err := rand.Read(bits); err != nil {
		t.Fatal(err)
	}
	for i := range bits {
		bits[i] &^= bits[i] & (bits[i] >> 1) & 0x55
	}
	r, err := status.LoadRegister(testURI, bits)
	if err != nil {
		t.Fatal(err)
	}
	cp, err := status.PrepareCWT(k, r, iat, iat+1, 0)
	_, err2 := status.OpenCWT(signed(t, signer, cp, err), byID)
	jp, err := status.PrepareJWT(k, r, iat, iat+1, 0)
	_, err3 := status.OpenJWT(signed(t, signer, jp, err), byText)
	sp, err := status.PrepareSnapshot(k, r, iat, iat+1)
	l, err4 := status.OpenSnapshot(signed(t, signer, sp, err), byID)
	if err := errors.Join(err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	empty := register(t, status.MaxSize)
	ep, err := status.PrepareSnapshot(k, empty, iat-1, iat)
	base, err := status.OpenSnapshot(signed(t, signer, ep, err), byID)
	if err != nil {
		t.Fatal(err)
	}
	dp, err := status.PrepareDelta(k, base, r, iat, iat+1)
	if _, err := status.ApplyDelta(base, signed(t, signer, dp, err), byID); err != nil {
		t.Fatal(err)
	}
	if _, err := l.AppendSeen(nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAListOpensUnderItsKeyAlone(t *testing.T) {
	signer, stranger := testKey(), p256Key(t)
	k, other := coseKey(t, signer), coseKey(t, stranger)
	_, another, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := register(t, 8)
	cp, err := status.PrepareCWT(k, r, iat, iat+1, 0)
	cwt := signed(t, signer, cp, err)
	jp, err := status.PrepareJWT(k, r, iat, iat+1, 0)
	jwt := signed(t, signer, jp, err)
	sp, err := status.PrepareSnapshot(k, r, iat, iat+1)
	snapshot := signed(t, signer, sp, err)
	for want, wrong := range map[string]*cose.Key{"alg_key_mismatch": other, "bad_signature": coseKey(t, another)} {
		byID := func([]byte) *cose.Key { return wrong }
		_, err1 := status.OpenCWT(cwt, byID)
		_, err2 := status.OpenSnapshot(snapshot, byID)
		_, err3 := status.OpenJWT(jwt, func(string) *cose.Key { return wrong })
		for _, err := range []error{err1, err2, err3} {
			if reason(err) != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
}

func TestASetKnowsItsLists(t *testing.T) {
	var s status.Set
	for _, l := range []*status.List{
		{URI: "b", IssuedAt: 100, ExpiresAt: 200, Size: 4, Bits: []byte{1}},
		{URI: "a", IssuedAt: 300, Size: 4, Bits: []byte{0}},
	} {
		if err := s.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		uri  string
		at   credential.Time
		want string
	}{
		{"b", 99, "status_not_yet_valid"}, {"b", 100, "ok"}, {"b", 199, "ok"}, {"b", 200, "status_stale"},
		{"a", 299, "status_not_yet_valid"}, {"a", 1 << 40, "ok"}, {"c", 100, "status_unknown"}, {"", 100, "status_unknown"},
	} {
		l, got := s.At([]byte(c.uri), c.at)
		if string(got) != c.want || (l != nil) != (c.want == "ok") {
			t.Errorf("list %q at %d: got %v, %s, want %s", c.uri, c.at, l, got, c.want)
		}
	}
	var uris []string
	for l := range s.All() {
		uris = append(uris, l.URI)
	}
	if !slices.Equal(uris, []string{"a", "b"}) || s.Len() != 2 {
		t.Errorf("the set holds %q", uris)
	}
	uri := []byte("b")
	if n := testing.AllocsPerRun(100, func() {
		l := s.Find(uri)
		l.Look(0)
		l.Unrevoked(0)
	}); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
	var empty status.Set
	if empty.Find(uri) != nil || empty.Len() != 0 {
		t.Error("the empty set holds something")
	}
}

func TestIndexesAreHandedOutOnceAndAtRandom(t *testing.T) {
	const size = 100
	var where [size]int
	for range 200 {
		u := status.NewUsed(size)
		if !u.Mark(7) || u.Mark(7) || u.Mark(size) || u.Mark(math.MaxUint64) {
			t.Fatal("Mark")
		}
		taken := map[uint64]bool{7: true}
		first := true
		for u.Free() > 0 {
			i, err := u.Choose(rand.Reader)
			if err != nil || i >= size || taken[i] {
				t.Fatalf("chose %d, %v; taken %v", i, err, taken[i])
			}
			taken[i] = true
			if first {
				where[i]++
				first = false
			}
		}
		if _, err := u.Choose(rand.Reader); !errors.Is(err, status.ErrFull) {
			t.Fatalf("a full list: %v", err)
		}
	}
	if where[7] != 0 || slices.Max(where[:]) > 20 { // 2 expected of each
		t.Errorf("first choices: %v", where)
	}
}

// THREATS T8: index uniformity. 16 cells, 15 degrees of freedom: a fair source
// stays below 50 but once in 100,000 runs.
func TestIndexesAreUniform(t *testing.T) {
	const size, draws = 1 << 17, 8000
	u := status.NewUsed(size)
	var cells [16]float64
	for range draws {
		i, err := u.Choose(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		cells[i/(size/16)]++
	}
	chi := 0.0
	for _, n := range cells {
		chi += (n - draws/16.0) * (n - draws/16.0) / (draws / 16.0)
	}
	if chi > 50 {
		t.Errorf("chi-square %.1f over cells %v", chi, cells)
	}
}

// What a device checks with must not change while it takes the next pack's lists.
func TestSetsMayShareLists(t *testing.T) {
	newer := &status.List{URI: "a", IssuedAt: 200, Size: 4, Bits: []byte{0b00_00_01_00}}
	older := &status.List{URI: "a", IssuedAt: 100, Size: 4, Bits: []byte{0b00_00_01_01}}
	var one, two status.Set
	if err := errors.Join(one.Add(newer), two.Add(newer), two.Add(older)); err != nil {
		t.Fatal(err)
	}
	if one.Find([]byte("a")).Unrevoked(0) || !two.Find([]byte("a")).Unrevoked(0) || two.Find([]byte("a")).Unrevoked(1) {
		t.Error("adding to one set changed the other, or marked nothing")
	}
}

// TestFormsOfOneList: a card names the CWT and a wallet's credential the JWT, and
// whichever of the two a device has newer answers for both.
func TestFormsOfOneList(t *testing.T) {
	signer := p256Key(t)
	k := coseKey(t, signer)
	byID, byText := finders(k)
	r := register(t, 1<<17)
	p, err := status.PrepareCWT(k, r, iat, iat+day, 3600)
	older, err2 := status.OpenCWT(signed(t, signer, p, err), byID)
	if err := r.Set(7, status.Invalid); err != nil {
		t.Fatal(err)
	}
	jp, err := status.PrepareJWT(k, r, iat+1, iat+day, 3600)
	newer, err3 := status.OpenJWT(signed(t, signer, jp, err), byText)
	if err := errors.Join(err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]*status.List{{older, newer}, {newer, older}} {
		var s status.Set
		for _, l := range order {
			if err := s.Add(l); err != nil {
				t.Fatal(err)
			}
		}
		if s.Len() != 1 {
			t.Errorf("the two forms are %d lists", s.Len())
		}
		for _, uri := range []string{testURI, status.URIOfJWT(testURI)} {
			l := s.Find([]byte(uri))
			if l == nil {
				t.Fatalf("no list under %s", uri)
			}
			if v, ok := l.Look(7); !ok || v != status.Invalid {
				t.Errorf("%s: entry 7 is %v: the newer form did not count", uri, v)
			}
		}
		if s.Find([]byte(testURI+".jwtx")) != nil || s.Find([]byte(".jwt")) != nil {
			t.Error("another URI found the list")
		}
	}
}
