package trust_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

// One test for each line of the catalogue of hostile trust lists, with the code
// it must get. 14 (a row changed in our own database) is the flipped byte of 19.

// remembered is a device that has accepted list 2.
func remembered(t *testing.T) (first, second []byte, mem trust.Memory) {
	t.Helper()
	first = sign(t, draft1(t), "1", "2")
	second = sign(t, next(open(t, first)), "1", "3")
	pinned := trust.Memory{Anchors: anchorSet(t, 2, "1", "2", "3")}
	_, mem, err := trust.Accept(pinned, nil, first)
	must(t, err)
	_, mem, err = trust.Accept(mem, nil, second)
	must(t, err)
	if mem.Sequence != 2 || mem.Issued != issued+30*day || mem.NextUpdate != issued+120*day {
		t.Fatalf("remembered %+v", mem)
	}
	return first, second, mem
}

func TestThreat01VersionRollback(t *testing.T) {
	first, second, mem := remembered(t)
	l, kept, err := trust.Accept(mem, nil, first)
	wantReason(t, err, words.TrustListRollback)
	if l != nil || kept.Sequence != 2 || kept.Digest != mem.Digest {
		t.Errorf("the old list was not kept: %+v", kept)
	}
	// The same list again is no fault.
	if _, again, err := trust.Accept(mem, nil, second); err != nil || again.Digest != mem.Digest {
		t.Errorf("the same list again: %v", err)
	}
}

func TestThreat02SameVersionOtherContent(t *testing.T) {
	first, _, mem := remembered(t)
	other := next(open(t, first))
	must(t, other.RemoveOrganisation(orgB))
	_, kept, err := trust.Accept(mem, nil, sign(t, other, "1", "2"))
	wantReason(t, err, words.TrustListEquivocation)
	if kept.Digest != mem.Digest {
		t.Error("the old list was not kept")
	}
}

func TestThreat03ExpiredListStillJudges(t *testing.T) {
	l := list1(t)
	if l.Expired(l.NextUpdate) || !l.Expired(l.NextUpdate+1) {
		t.Error("a list expires after its next update, not before")
	}
	wantFind(t, l, orgA, kid(p256(orgA+" card")), trust.UseCard, words.OK)
}

func TestThreat04IssuedAfterTheDeviceClock(t *testing.T) {
	// Nothing here knows a clock: the list loads, and its issue time is the
	// floor that the device reads from Memory.
	d := draft1(t)
	d.Issued, d.NextUpdate = issued+10*year, issued+11*year
	_, mem, err := trust.Accept(trust.Memory{Anchors: d.Anchors}, nil, sign(t, d, "1", "2"))
	must(t, err)
	if mem.Issued != issued+10*year {
		t.Errorf("floor %v", mem.Issued)
	}
}

func TestThreat05ThresholdNotMet(t *testing.T) {
	_, err := trust.Open(sign(t, draft1(t), "1"), anchorSet(t, 2, "1", "2", "3"))
	wantReason(t, err, words.TrustListBadSignature)
	// On first use the list's own threshold counts.
	_, err = trust.Open(sign(t, draft1(t), "1"), trust.Anchors{})
	wantReason(t, err, words.TrustListBadSignature)
	// Strangers do not count.
	_, err = trust.Open(sign(t, draft1(t), "1", "stranger"), anchorSet(t, 2, "1", "2", "3"))
	wantReason(t, err, words.TrustListBadSignature)
}

func TestThreat06OneAnchorSignsTwice(t *testing.T) {
	payload := encode(t, draft1(t))
	once, err := cose.ParseMulti(signPayload(t, payload, "1"), 8)
	must(t, err)
	// Ed25519 signs alike each time; a second, equal signature beside the first.
	s := once.Signatures[0]
	raw := cbor.AppendTag(nil, 98)
	raw = cbor.AppendBytes(append(raw, 0x84), once.BodyProtectedRaw)
	raw = cbor.AppendBytes(append(raw, 0xa0), payload)
	raw = append(raw, 0x82)
	for range 2 {
		raw = cbor.AppendBytes(append(raw, 0x83), s.ProtectedRaw)
		raw = cbor.AppendBytes(append(raw, 0xa0), s.Value)
	}
	_, err = trust.Open(raw, anchorSet(t, 2, "1", "2", "3"))
	wantReason(t, err, words.TrustListBadSignature)
}

func TestThreat07SameKeyBytesTwice(t *testing.T) {
	twice := p256("twice")
	status := rawKey(pub(twice).Append(nil), trust.UseStatus, trust.ProfileNone)
	t.Run("two uses", func(t *testing.T) {
		l := openRaw(t, rawOrg(orgA, rawKey(pub(twice).Append(nil), trust.UseCard, 1), status, good("else")))
		wantFault(t, l, 2, orgA, words.BadKey)
		wantFind(t, l, orgA, kid(twice), trust.UseCard, words.BadKey)
		wantFind(t, l, orgA, kid(twice), trust.UseStatus, words.BadKey)
		wantFind(t, l, orgA, kid(p256("else")), trust.UseCard, words.OK)
	})
	t.Run("two organisations, under two ids", func(t *testing.T) {
		named := rawKeyNamed(pub(twice).Append(nil), trust.UseStatus, 0, "k2")
		l := openRaw(t, rawOrg(orgA, status, good("else")), rawOrg(orgB, named))
		wantFault(t, l, 2, "", words.BadKey)
		wantFind(t, l, orgA, kid(twice), trust.UseStatus, words.BadKey)
		wantFind(t, l, orgB, []byte("k2"), trust.UseStatus, words.BadKey)
		wantFind(t, l, orgA, kid(p256("else")), trust.UseCard, words.OK)
	})
	t.Run("an anchor as a card key", func(t *testing.T) {
		l := openRaw(t, rawOrg(orgA, rawKey(pub(ed("anchor 1")).Append(nil), trust.UseCard, 1), good("else")))
		wantFault(t, l, 1, orgA, words.BadKey)
		wantFind(t, l, orgA, kid(ed("anchor 1")), trust.UseCard, words.BadKey)
	})
}

func TestThreat08SameKeyIDDifferentKeys(t *testing.T) {
	named := func(name string) []byte {
		return rawKeyNamed(pub(ed(name)).Append(nil), trust.UseCard, trust.ProfileForeign169, "key-1")
	}
	l := openRaw(t, rawOrg(orgA, named("x"), named("y"), named("z"), good("else")), rawOrg(orgB, named("v")))
	wantFault(t, l, 3, orgA, words.BadKey)
	wantFind(t, l, orgA, []byte("key-1"), trust.UseCard, words.BadKey)
	wantFind(t, l, orgA, kid(p256("else")), trust.UseCard, words.OK)
	wantFind(t, l, orgB, []byte("key-1"), trust.UseCard, words.OK) // another issuer's key-1
}

// lowOrder are the 14 encodings of Ed25519 points of small order: the eight
// points, and those a reader that does not reduce takes for them.
var lowOrder = strings.Fields(`
	0000000000000000000000000000000000000000000000000000000000000000
	0000000000000000000000000000000000000000000000000000000000000080
	0100000000000000000000000000000000000000000000000000000000000000
	0100000000000000000000000000000000000000000000000000000000000080
	ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
	ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
	edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
	edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
	eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
	eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
	26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05
	26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85
	c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a
	c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa`)

// refusedKey opens a list with one bad COSE_Key and one good, and wants the code.
func refusedKey(t *testing.T, coseKey []byte, want words.Reason) *trust.List {
	t.Helper()
	l := openRaw(t, rawOrg(orgA, rawKey(coseKey, trust.UseCard, 1), good("else")))
	wantFault(t, l, 1, orgA, want)
	wantFind(t, l, orgA, kid(p256("else")), trust.UseCard, words.OK)
	if id := l.Faults[0].KID; len(id) > 0 {
		wantFind(t, l, orgA, id, trust.UseCard, words.BadKey)
	}
	return l
}

func TestThreat09LowOrderKeys(t *testing.T) {
	if len(lowOrder) != 14 {
		t.Fatalf("%d encodings", len(lowOrder))
	}
	for _, h := range lowOrder {
		x, err := hex.DecodeString(h)
		must(t, err)
		l := refusedKey(t, append([]byte{0xa3, 1, 1, 0x20, 6, 0x21, 0x58, 32}, x...), words.BadKey)
		if len(l.Faults[0].KID) != 8 {
			t.Errorf("the refused key %s has no id", h)
		}
	}
}

// ec2 is a P-256 COSE_Key of any x and y.
func ec2(x, y []byte) []byte {
	b := cbor.AppendBytes([]byte{0xa4, 1, 2, 0x20, 1, 0x21}, x)
	return cbor.AppendBytes(append(b, 0x22), y)
}

func TestThreat10BadPoints(t *testing.T) {
	raw := pub(p256("point")).Append(nil)
	x, y := raw[8:40], bytes.Clone(raw[43:])
	y[31] ^= 1
	for name, k := range map[string][]byte{
		"off the curve":  ec2(x, y),
		"infinity":       ec2(make([]byte, 32), make([]byte, 32)),
		"over the field": ec2(bytes.Repeat([]byte{0xff}, 32), y),
		"short x":        ec2(x[1:], raw[43:]),
		"compressed":     append(cbor.AppendBytes([]byte{0xa4, 1, 2, 0x20, 1, 0x21}, x), 0x22, 0xf5),
	} {
		t.Run(name, func(t *testing.T) { refusedKey(t, k, words.BadKey) })
	}
}

func TestThreat11PrivatePart(t *testing.T) {
	raw := append(pub(p256("leaked")).Append(nil), 0x23)
	raw[0]++
	l := refusedKey(t, cbor.AppendBytes(raw, make([]byte, 32)), words.BadKey)
	if !strings.Contains(l.Faults[0].Text, "private") {
		t.Errorf("the alarm does not say why: %q", l.Faults[0].Text)
	}
	// The id is that of the public key, so its cards are told from unknown ones.
	wantFind(t, l, orgA, kid(p256("leaked")), trust.UseCard, words.BadKey)
}

func TestThreat12OtherAlgorithms(t *testing.T) {
	x := make([]byte, 32)
	x[31] = 1
	for name, k := range map[string][]byte{
		"RSA":       append(cbor.AppendBytes([]byte{0xa3, 1, 3, 0x20}, make([]byte, 128)), 0x21, 0x43, 1, 0, 1),
		"P-384":     append(cbor.AppendBytes([]byte{0xa4, 1, 2, 0x20, 2, 0x21}, x), append([]byte{0x22, 0x58, 32}, x...)...),
		"secp256k1": append(cbor.AppendBytes([]byte{0xa4, 1, 2, 0x20, 8, 0x21}, x), append([]byte{0x22, 0x58, 32}, x...)...),
		"X25519":    append([]byte{0xa3, 1, 1, 0x20, 4, 0x21, 0x58, 32}, x...),
		"symmetric": append([]byte{0xa2, 1, 4, 0x20, 0x58, 32}, x...),
	} {
		t.Run(name, func(t *testing.T) { refusedKey(t, k, words.AlgNotAllowed) })
	}
}

func TestThreat13IssuerBeyondItsGrant(t *testing.T) {
	a := list1(t).Organisation([]byte(orgA))
	if !a.MayIssue([]byte(vctElig), nil, "SYR", issued) {
		t.Error("what is granted is not allowed")
	}
	if a.MayIssue([]byte(vctRef), nil, "SYR", issued) {
		t.Error("a type that was not granted is allowed")
	}
}

func TestThreat15IssuerRemoved(t *testing.T) {
	d := next(list1(t))
	must(t, d.RemoveOrganisation(orgB))
	l := open(t, sign(t, d, "1", "2"))
	wantFind(t, l, orgB, kid(p256(orgB+" card")), trust.UseCard, words.UnknownKey)
	if since, ok := l.RemovedSince([]byte(orgB)); !ok || since != d.Issued {
		t.Errorf("removed since %v, %v", since, ok)
	}
	if _, ok := l.RemovedSince([]byte(orgA)); ok {
		t.Error("a listed organisation is called removed")
	}
	// It may come back.
	d = next(l)
	must(t, d.AddOrganisation(orgB, "CHE", map[string]string{"en": "Relief B"}))
	if _, ok := open(t, sign(t, d, "1", "2")).RemovedSince([]byte(orgB)); ok {
		t.Error("an organisation that came back is called removed")
	}
}

func TestThreat16CompromisedAndRetiredDiffer(t *testing.T) {
	d := next(list1(t))
	at := d.Issued
	must(t, d.Withdraw(orgA, kid(p256(orgA+" card")), at))
	must(t, d.Retire(orgB, kid(p256(orgB+" card")), at, at+180*day))
	l := open(t, sign(t, d, "1", "2"))
	bad := wantFind(t, l, orgA, kid(p256(orgA+" card")), trust.UseCard, words.OK)
	old := wantFind(t, l, orgB, kid(p256(orgB+" card")), trust.UseCard, words.OK)
	for _, c := range []struct {
		name    string
		k       *trust.Key
		iat, at credential.Time
		want    words.Reason
	}{
		{"compromised, signed before", bad, issued, at + 1, words.KeyRevoked},
		{"compromised, signed after", bad, at + 2, at + 3, words.KeyRevoked},
		{"retired, signed before", old, issued, at + 180*day, words.OK},
		{"retired, signed on the last day", old, at, at + 1, words.OK},
		{"retired, signed after", old, at + 1, at + 2, words.KeyOutsideValidity},
		{"retired, accepted no longer", old, issued, at + 180*day + 1, words.KeyOutsideValidity},
		{"retired, signed too early", old, issued - 1, at, words.KeyOutsideValidity},
	} {
		if got := c.k.Judge(c.iat, c.at); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestThreat17AnchorsSkippingAStep(t *testing.T) {
	first := sign(t, draft1(t), "1", "2")
	// v2 hands over from custodians 1, 2, 3 to 3, 4, 5; v3 to 5, 6, 7.
	d2 := next(open(t, first))
	must(t, d2.SetAnchors(anchorSet(t, 2, "3", "4", "5")))
	v2 := sign(t, d2, "1", "2", "4", "5")
	l2, err := trust.Open(v2, anchorSet(t, 2, "1", "2", "3"))
	must(t, err)
	d3 := next(l2)
	must(t, d3.SetAnchors(anchorSet(t, 2, "5", "6", "7")))
	v3 := sign(t, d3, "4", "5", "6")
	l3, err := trust.Open(v3, l2.Anchors)
	must(t, err)
	v4 := sign(t, next(l3), "6", "7")

	start := trust.Memory{Anchors: anchorSet(t, 2, "1", "2", "3")}
	for _, c := range []struct {
		name  string
		chain [][]byte
		raw   []byte
		want  words.Reason
	}{
		{"signed by the new set alone", nil, signPayload(t, encode(t, d2), "4", "5"), words.TrustListBadSignature},
		{"signed by the old set alone", nil, signPayload(t, encode(t, d2), "1", "2"), words.TrustListBadSignature},
		{"signed by both", nil, v2, words.OK},
		{"a step without its link", nil, v3, words.TrustListBadSignature},
		{"a step with its link", [][]byte{v2}, v3, words.OK},
		{"two steps with one link", [][]byte{v3}, v4, words.TrustListBadSignature},
		{"two steps in the wrong order", [][]byte{v3, v2}, v4, words.TrustListBadSignature},
		{"two steps", [][]byte{v2, v3}, v4, words.OK},
		{"two steps among other lists", [][]byte{first, {0x80}, v2, v2, v3}, v4, words.OK},
		{"a list older than its chain", [][]byte{v2, v3}, signPayload(t, encode(t, d2), "1", "2", "4", "5", "6"), words.TrustListRollback},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, mem, err := trust.Accept(start, c.chain, c.raw)
			if c.want == words.OK {
				must(t, err)
				if mem.Anchors.Equal(start.Anchors) {
					t.Error("the new anchors are not pinned")
				}
				return
			}
			wantReason(t, err, c.want)
			if !mem.Anchors.Equal(start.Anchors) || mem.Sequence != 0 {
				t.Error("something was learnt from a refused list")
			}
		})
	}
}

func TestThreat18TooLarge(t *testing.T) {
	pinned := anchorSet(t, 2, "1", "2", "3")
	_, err := trust.Open(make([]byte, 40<<20), pinned)
	wantReason(t, err, words.TooLarge)
	_, err = trust.ParsePayload(make([]byte, 40<<20))
	wantReason(t, err, words.TooLarge)
	// 50,000 keys in 8 MiB: too many, although they fit.
	keys := bytes.Repeat(good("x"), 5_000)
	var orgs [][]byte
	for i := range 10 {
		b := rawOrg(orgA + string(rune('a'+i)))
		at := bytes.Index(b, []byte{4, 0x80, 5})
		org := cbor.AppendArray(append(bytes.Clone(b[:at]), 4), 5_000)
		orgs = append(orgs, append(append(org, keys...), b[at+2:]...))
	}
	_, err = trust.Open(signPayload(t, rawList(t, orgs...), "1", "2"), pinned)
	wantReason(t, err, words.TooLarge)
}

func TestThreat19CutOrChanged(t *testing.T) {
	raw := sign(t, draft1(t), "1", "2")
	_, _, mem := remembered(t)
	pinned := anchorSet(t, 2, "1", "2", "3")
	for i := 0; i < len(raw); i += 7 {
		_, kept, err := trust.Accept(mem, nil, raw[:i])
		wantReason(t, err, words.Truncated)
		if kept.Digest != mem.Digest {
			t.Fatal("the old list was not kept")
		}
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1 << (i % 8)
		if l, err := trust.Open(changed, pinned); err == nil {
			t.Fatalf("byte %d changed: opened as %q %d", i, l.ID, l.Sequence)
		}
	}
	_, err := trust.Open(append(bytes.Clone(raw), 0), pinned)
	wantReason(t, err, words.TrailingData)
}

func TestThreat20HomoglyphName(t *testing.T) {
	d := draft1(t)
	must(t, d.AddOrganisation("https://c.example", "CHE", map[string]string{"en": "S\u0430ve the Children"}))
	l := open(t, sign(t, d, "1", "2"))
	if !l.Organisation([]byte("https://c.example")).MixedScript {
		t.Error("Cyrillic a in a Latin name is not flagged")
	}
	if l.Organisation([]byte(orgA)).MixedScript {
		t.Error("a plain name is flagged")
	}
	if len(l.Faults) > 0 {
		t.Errorf("a name is no fault: %v", l.Faults)
	}
	// The identity is the id, and an id cannot imitate another.
	l = openRaw(t, rawOrg("https://\u0430.example", good("x")))
	wantFault(t, l, 1, "", words.BadClaims)
	wantFind(t, l, "https://\u0430.example", kid(p256("x")), trust.UseCard, words.UnknownKey)
}
