package status_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"aidpass/internal/cose"
	"aidpass/status"
)

// workedBytes returns the blocks of ```hex in docs/formats/status.md, comments
// (from ; on) and white space taken out.
func workedBytes(t *testing.T) [][]byte {
	t.Helper()
	doc, err := os.ReadFile("../docs/formats/status.md")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for i, part := range strings.Split(string(doc), "```hex\n") {
		if i == 0 {
			continue
		}
		block, _, _ := strings.Cut(part, "```")
		var digits strings.Builder
		for line := range strings.Lines(block) {
			code, _, _ := strings.Cut(line, ";")
			digits.WriteString(strings.Join(strings.Fields(code), ""))
		}
		b, err := hex.DecodeString(digits.String())
		if err != nil {
			t.Fatalf("block %d: %v", i, err)
		}
		all = append(all, b)
	}
	return all
}

// The document's bytes are what we write and read: a snapshot, the delta that
// follows, and the same list as a token.
func TestGoldenDocumentedBytes(t *testing.T) {
	signer := testKey()
	k := coseKey(t, signer)
	byID, _ := finders(k)
	r := register(t, 64)
	set := func(v status.Value, at ...uint64) {
		for _, i := range at {
			if err := r.Set(i, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	set(status.Invalid, 1, 63)
	set(status.Suspended, 3, 4)
	p, err := status.PrepareSnapshot(k, r, iat, iat+day)
	snapshot := signed(t, signer, p, err)
	base, err := status.OpenSnapshot(snapshot, byID)
	if err != nil {
		t.Fatal(err)
	}
	cp, err := status.PrepareCWT(k, r, iat, iat+90*day, day)
	cwt := signed(t, signer, cp, err)
	set(status.Invalid, 2)
	set(status.Valid, 4)
	set(status.Suspended, 8)
	dp, err := status.PrepareDelta(k, base, r, iat+day, iat+2*day)
	delta := signed(t, signer, dp, err)

	blocks := workedBytes(t)
	if len(blocks) != 3 {
		t.Fatalf("%d blocks of bytes in the document, expected 3; we write\n%x\n%x\n%x", len(blocks), snapshot, delta, cwt)
	}
	if !bytes.Equal(blocks[0], snapshot) {
		t.Errorf("snapshot: we write\n%x", snapshot)
	}
	if !bytes.Equal(blocks[1], delta) {
		t.Errorf("delta: we write\n%x", delta)
	}
	// The packed entries are compress/zlib's choice, so the token is only read.
	l, err := status.OpenCWT(blocks[2], byID)
	if err != nil || !bytes.Equal(l.Bits, base.Bits) || l.IssuedAt != base.IssuedAt || l.NextUpdate != base.NextUpdate {
		t.Errorf("CWT: got %v, %v; we write\n%x", l, err, cwt)
	}
	var s status.Set
	for _, raw := range blocks[:2] {
		l, err := status.OpenSnapshot(raw, byID)
		if held := s.Find([]byte(testURI)); held != nil {
			l, err = status.ApplyDelta(held, raw, byID)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Find([]byte(testURI)); !bytes.Equal(got.Bits, r.Bits()) {
		t.Errorf("by the document's delta we come to %x, the register is %x", got.Bits, r.Bits())
	}
}

// FuzzMessages: nothing from outside panics, and nothing but our own vectors,
// bit for bit, opens.
func FuzzMessages(f *testing.F) {
	good := map[string]bool{}
	for _, v := range makeVectors(f) {
		raw := v.bytes(f)
		f.Add(raw)
		good[string(raw)] = true
	}
	byID, byText := finders(coseKey(f, testKey()))
	base := &status.List{URI: testURI, IssuedAt: iat, Size: 64, Bits: entries()}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, open := range []func() (*status.List, error){
			func() (*status.List, error) { return status.OpenCWT(raw, byID) },
			func() (*status.List, error) { return status.OpenJWT(raw, byText) },
			func() (*status.List, error) { return status.OpenSnapshot(raw, byID) },
			func() (*status.List, error) { return status.ApplyDelta(base, raw, byID) },
		} {
			l, err := open()
			if err == nil && !good[string(raw)] && !sameSigned(raw, good) {
				t.Errorf("%x opens as %+v", raw, *l)
			}
			if err != nil && strings.HasPrefix(reason(err), "no refusal") {
				t.Errorf("%x: %v", raw, err)
			}
		}
	})
}

// sameSigned tells whether raw holds a payload and signature of a good message
// in another wrapping: a foreign token's unprotected header is nobody's.
func sameSigned(raw []byte, good map[string]bool) bool {
	m, err := cose.ParseSign1(raw)
	if err != nil {
		return false
	}
	for g := range good {
		if o, err := cose.ParseSign1([]byte(g)); err == nil && bytes.Equal(m.Payload, o.Payload) && bytes.Equal(m.ProtectedRaw, o.ProtectedRaw) {
			return true
		}
	}
	return false
}

// FuzzPayloads signs whatever comes, as a stolen status key would: it is
// refused, or is a list that behaves like one.
func FuzzPayloads(f *testing.F) {
	k := coseKey(f, testKey())
	forms := []string{"application/statuslist+cwt", "application/aidpass-snapshot+cose", "application/aidpass-delta+cose", "statuslist+jwt"}
	for _, v := range makeVectors(f) {
		if v.Want != "ok" && v.Want != "status_malformed" {
			continue
		}
		form := map[string]uint8{"cwt": 0, "snapshot": 1, "delta": 2, "jwt": 3}[v.Form]
		if form == 3 {
			f.Add(form, decode(f, strings.Split(v.List, ".")[1]))
		} else if m, err := cose.ParseSign1(v.bytes(f)); err == nil {
			f.Add(form, bytes.Clone(m.Payload))
		}
	}
	byID, byText := finders(k)
	id := k.ID()
	base := &status.List{URI: testURI, IssuedAt: iat, Size: 64, Bits: entries()}
	f.Fuzz(func(t *testing.T, form uint8, payload []byte) {
		var l *status.List
		var err error
		if form %= 4; form == 3 {
			l, err = status.OpenJWT(signJWT(k, payload), byText)
		} else {
			v := vector{List: sign("18", pairs(num(1), num(-8), num(4), bstr(id[:]), num(16), txt(forms[form])), pairs(), payload)}
			switch form {
			case 0:
				l, err = status.OpenCWT(v.bytes(t), byID)
			case 1:
				l, err = status.OpenSnapshot(v.bytes(t), byID)
			case 2:
				l, err = status.ApplyDelta(base, v.bytes(t), byID)
			}
		}
		if err != nil {
			if got := reason(err); got != "status_malformed" && got != "too_large" && got != "status_wrong_list" && got != "status_rollback" && got != "bad_jose" {
				t.Errorf("%x: %v", payload, err)
			}
			return
		}
		if l.URI == "" || l.IssuedAt <= 0 || l.Size == 0 || l.Size > status.MaxSize || uint64(len(l.Bits)) != (l.Size+3)/4 {
			t.Fatalf("opened %+v", *l)
		}
		for i := range min(l.Size, 1000) {
			if v, ok := l.Look(i); !ok || v > status.Suspended {
				t.Fatalf("entry %d: %v, %v", i, v, ok)
			}
		}
		if _, ok := l.Look(l.Size); ok {
			t.Fatal("an entry past the end")
		}
		// What is remembered of it marks nothing in itself.
		seen, err := l.AppendSeen(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.MarkUnrevoked(seen); err != nil {
			t.Fatal(err)
		}
		for i := range min(l.Size, 1000) {
			if l.Unrevoked(i) && form != 2 {
				t.Fatalf("entry %d is marked", i)
			}
		}
	})
}
