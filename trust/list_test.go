package trust_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

func TestFindTellsWhyNot(t *testing.T) {
	l := list1(t)
	card := kid(p256(orgA + " card"))
	k := wantFind(t, l, orgA, card, trust.UseCard, words.OK)
	if k.Profile != trust.ProfileCard1 || k.Org.ID != orgA {
		t.Errorf("found %+v", k)
	}
	wantFind(t, l, orgA, card, trust.UseStatus, words.IssuerNotAuthorised)
	wantFind(t, l, orgB, card, trust.UseCard, words.IssuerKeyMismatch)
	wantFind(t, l, "https://\u0430.example", card, trust.UseCard, words.IssuerKeyMismatch)
	wantFind(t, l, orgA, []byte("A1\x00"), trust.UseCard, words.UnknownKey)
	wantFind(t, l, orgA, nil, trust.UseCard, words.UnknownKey)
	wantFind(t, l, "", card, trust.UseCard, words.IssuerKeyMismatch)
}

func TestFindKeyIDIsNotShadowed(t *testing.T) {
	// B claims the id of A's status key for one of its own.
	mine := kid(ed("status"))
	status := rawKey(pub(ed("status")).Append(nil), trust.UseStatus, 0)
	shadow := rawKeyNamed(pub(ed("shadow")).Append(nil), trust.UseStatus, 0, string(mine))
	l := openRaw(t, rawOrg(orgA, status), rawOrg(orgB, shadow))
	if k := l.FindKeyID(mine, trust.UseStatus); k == nil || k.Org.ID != orgA {
		t.Errorf("found %+v, want A's key", k)
	}
	if l.FindKeyID(mine, trust.UseCard) != nil || l.FindKeyID([]byte("?"), trust.UseStatus) != nil {
		t.Error("found a key of another use or id")
	}
	two := rawKeyNamed(pub(ed("two")).Append(nil), trust.UseStatus, 0, "k")
	one := rawKeyNamed(pub(ed("one")).Append(nil), trust.UseStatus, 0, "k")
	l = openRaw(t, rawOrg(orgA, one), rawOrg(orgB, two))
	if k := l.FindKeyID([]byte("k"), trust.UseStatus); k != nil {
		t.Errorf("two organisations claim the id, found %+v", k)
	}
}

func TestFindStatusKey(t *testing.T) {
	l := list1(t)
	key := kid(ed(orgA + " status"))
	if k := l.FindStatusKey([]byte(orgA+"/s/1"), key); k == nil || k.Org.ID != orgA {
		t.Errorf("found %+v", k)
	}
	if l.FindStatusKey([]byte(orgB+"/s/1"), key) != nil {
		t.Error("A's key found for B's list")
	}
}

func TestMayIssue(t *testing.T) {
	d := draft1(t)
	must(t, d.Grant(orgA, trust.Grant{Types: []string{vctRef}, Programmes: []string{"P1"}, Countries: []string{"SYR", "LBN"}, Until: issued + year}))
	a := open(t, sign(t, d, "1", "2")).Organisation([]byte(orgA))
	for _, c := range []struct {
		name, vct, programme, country string
		at                            credential.Time
		want                          bool
	}{
		{"an open grant", vctElig, "anything", "", issued + 50*year, true},
		{"as granted", vctRef, "P1", "LBN", issued + year, true},
		{"too late", vctRef, "P1", "LBN", issued + year + 1, false},
		{"another programme", vctRef, "P2", "LBN", issued, false},
		{"no programme named", vctRef, "", "LBN", issued, false},
		{"another country", vctRef, "P1", "JOR", issued, false},
		{"country not known", vctRef, "P1", "", issued, false},
		{"another type", "https://aidpass.example/reg", "P1", "LBN", issued, false},
		{"no type", "", "P1", "LBN", issued, false},
	} {
		if got := a.MayIssue([]byte(c.vct), []byte(c.programme), c.country, c.at); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestMayReplace(t *testing.T) {
	d := draft1(t)
	must(t, d.AddOrganisation("https://c.example", "KEN", map[string]string{"en": "C"}))
	must(t, d.Grant(orgB, trust.Grant{Types: []string{vctElig}, Programmes: []string{"P1"}, Until: issued + year, Replaces: []string{orgA}}))
	must(t, d.Grant(orgB, trust.Grant{Types: []string{vctElig}}))
	for _, g := range []trust.Grant{{Replaces: []string{orgB}}, {Replaces: []string{"https://nobody.example"}}, {Replaces: make([]string, 65)}} {
		if g.Types = []string{vctElig}; d.Grant(orgB, g) == nil {
			t.Errorf("granted to replace cards of %d organisations, %.40q", len(g.Replaces), g.Replaces[0])
		}
	}
	b := open(t, sign(t, d, "1", "2")).Organisation([]byte(orgB))
	for _, c := range []struct {
		name, issuer, vct, programme string
		at                           credential.Time
		want                         bool
	}{
		{"as agreed", orgA, vctElig, "P1", issued + year, true},
		{"too late", orgA, vctElig, "P1", issued + year + 1, false},
		{"another programme: it may issue there, and not replace", orgA, vctElig, "P2", issued, false},
		{"another type", orgA, vctRef, "P1", issued, false},
		{"another organisation", "https://c.example", vctElig, "P1", issued, false},
		{"itself", orgB, vctElig, "P1", issued, false},
	} {
		f := credential.Former{Issuer: c.issuer, Pseudonym: "AAECAwQFBgcICQoL"}
		raw, ok := f.Bytes()
		if !ok {
			t.Fatal("no pseudonym")
		}
		if got, ok := b.MayReplace(raw, []byte(c.vct), []byte(c.programme), "", c.at); ok != c.want || ok && got != f {
			t.Errorf("%s: got %v, %+v", c.name, ok, got)
		}
	}
	// Two of one tag would let the card be read as either.
	twice := &trust.Organisation{ID: orgB, Grants: []trust.Grant{{Types: []string{vctElig}, Replaces: []string{orgA}}, {Types: []string{vctElig}, Replaces: []string{orgA}}}}
	raw, _ := credential.Former{Issuer: orgA, Pseudonym: "AAECAwQFBgcICQoL"}.Bytes()
	if _, ok := twice.MayReplace(raw, []byte(vctElig), nil, "", issued); !ok {
		t.Error("said by two grants, it is said")
	}
	twice.Recognised = &trust.Recognition{Types: []string{vctElig}, Recheck: issued + year}
	if _, ok := twice.MayReplace(raw, []byte(vctElig), nil, "", issued); ok {
		t.Error("another consortium's list says who replaces our people's cards")
	}
}

func TestOwnsStatusURI(t *testing.T) {
	own := func(prefix string) *trust.Organisation {
		return &trust.Organisation{StatusPrefixes: []string{"https://other.example/x", prefix}}
	}
	for _, c := range []struct {
		prefix, uri string
		want        bool
	}{
		{"https://a.example/s", "https://a.example/s", true},
		{"https://a.example/s", "https://a.example/s/1", true},
		{"https://a.example/s", "https://a.example/s?l=1", true},
		{"https://a.example/s/", "https://a.example/s/1", true},
		{"https://a.example", "https://a.example/1", true},
		{"https://a.example:8443", "https://a.example:8443/1", true},
		{"https://a.example/s", "https://a.example/sx", false},
		{"https://a.example/s", "https://a.example.evil/s/1", false},
		{"https://a.example", "https://a.example.evil/1", false},
		{"https://a.example", "https://a.example:8443/1", false},
		{"https://a.example", "https://a.example@evil.example/1", false},
		{"https://a.example/s", "http://a.example/s/1", false},
		{"https://a.example/s", "HTTPS://a.example/s/1", false},
		{"https://a.example/s", "https://A.example/s/1", false},
		{"https://a.example/s", "https://a.example/s/../t", false},
		{"https://a.example/s", "https://a.example/s/./1", false},
		{"https://a.example/s", "https://a.example/s/..", false},
		{"https://a.example/s", "https://a.example/s/%2e%2e/t", false},
		{"https://a.example/s", "https://a.example/s/1#x", false},
		{"https://a.example/s", "https://a.example/s/1\\..\\t", false},
		{"https://a.example/s", "https://a.example/s/1\n", false},
		{"https://a.example/s", "https://a.example/s/\x00", false},
		{"https://a.example/s", "https://a.example/s/\u0430", false},
		{"https://a.example/s", "https://a.example/s?l=%00", false},
		{"https://a.example/s", "https://a.example/", false},
		{"https://a.example/s", "", false},
		{"https://a.example/s", "https://a.example/s/" + string(bytes.Repeat([]byte("1"), 600)), false},
	} {
		if got := own(c.prefix).OwnsStatusURI([]byte(c.uri)); got != c.want {
			t.Errorf("%q owns %.80q: got %v", c.prefix, c.uri, got)
		}
	}
}

func TestBadPrefixesAreNotAdded(t *testing.T) {
	d := draft1(t)
	for _, p := range []string{"", "http://a.example/s", "https://", "https:///s", "https://:1/", "https://u@a.example/", "https://a.example/../s",
		"https://a.example/s?x", "https://a.example/s#x", "https://a.example/ s", "ftp://a.example", orgA + "/s", orgB + "/s", orgB + "/s/t", "https://b.example"} {
		if err := d.AddStatusPrefix(orgA, p); err == nil {
			t.Errorf("%q was added", p)
		}
	}
}

func TestEntryFaultsLeaveTheRest(t *testing.T) {
	grow := func(b []byte, extra ...byte) []byte { b[0]++; return append(b, extra...) }
	change := func(b []byte, old, new []byte) []byte {
		if !bytes.Contains(b, old) {
			t.Fatalf("no %x in %x", old, b)
		}
		return bytes.Replace(b, old, new, 1)
	}
	name := []byte{2, 0xa1, 0x62, 'e', 'n', 0x64, 'N', 'a', 'm', 'e'}
	che := []byte{3, 0x63, 'C', 'H', 'E'}
	no := []byte{5, 0x80, 6, 0x80}
	for _, c := range []struct {
		name string
		org  []byte
		org0 string // the organisation the fault names
		want words.Reason
	}{
		{"not a map", []byte{0x01}, "", words.BadClaims},
		{"no id", change(rawOrg("x:1"), []byte{0xa6, 1, 0x63, 'x', ':', '1'}, []byte{0xa5}), "", words.BadClaims},
		{"id is no URI", rawOrg("xyz"), "", words.BadClaims},
		{"id with a space", rawOrg("x: 1"), "", words.BadClaims},
		{"unknown member", grow(rawOrg("x:1"), 8, 1), "x:1", words.UnsupportedVersion},
		{"text label", grow(rawOrg("x:1"), 0x61, 'a', 1), "x:1", words.UnsupportedVersion},
		{"no names", change(rawOrg("x:1"), name, []byte{2, 0xa0}), "x:1", words.BadClaims},
		{"names are a list", change(rawOrg("x:1"), name, []byte{2, 0x80}), "x:1", words.BadClaims},
		{"name is a number", change(rawOrg("x:1"), name, []byte{2, 0xa1, 0x62, 'e', 'n', 1}), "x:1", words.BadClaims},
		{"name of control characters", change(rawOrg("x:1"), name[5:], []byte{0x64, 'N', 'a', 0x1b, 'e'}), "x:1", words.BadClaims},
		{"country in small letters", change(rawOrg("x:1"), che, []byte{3, 0x63, 'c', 'h', 'e'}), "x:1", words.BadClaims},
		{"country is a number", change(rawOrg("x:1"), che, []byte{3, 7}), "x:1", words.BadClaims},
		{"status use written out", grow(rawOrg("x:1"), 7, 0xf5), "x:1", words.NonCanonical},
		{"no status lists for our own cards", grow(rawOrg("x:1", good("x")), 7, 0xf4), "x:1", words.BadClaims},
		{"keys are no list", change(rawOrg("x:1"), []byte{4, 0x80}, []byte{4, 1}), "x:1", words.BadClaims},
		{"key is no map", rawOrg("x:1", []byte{0x01}), "x:1", words.BadClaims},
		{"key of unknown use", rawOrg("x:1", rawKey(pub(p256("x")).Append(nil), 9, 0)), "x:1", words.UnsupportedVersion},
		{"key of unknown profile", rawOrg("x:1", rawKey(pub(p256("x")).Append(nil), 1, 4)), "x:1", words.UnsupportedVersion},
		{"key of unknown member", rawOrg("x:1", grow(good("x"), 10, 1)), "x:1", words.UnsupportedVersion},
		{"status key with a card profile", rawOrg("x:1", rawKey(pub(p256("x")).Append(nil), 4, 1)), "x:1", words.BadClaims},
		{"card key without profile", rawOrg("x:1", rawKey(pub(p256("x")).Append(nil), 1, 0)), "x:1", words.BadClaims},
		{"seal key of Ed25519", rawOrg("x:1", rawKey(pub(ed("x")).Append(nil), 8, 0)), "x:1", words.AlgNotAllowed},
		{"own card key with an id", rawOrg("x:1", rawKeyNamed(pub(ed("x")).Append(nil), 1, 1, "k")), "x:1", words.BadClaims},
		{"empty key id", rawOrg("x:1", rawKeyNamed(pub(ed("x")).Append(nil), 1, 3, "")), "x:1", words.BadClaims},
		{"long key id", rawOrg("x:1", rawKeyNamed(pub(ed("x")).Append(nil), 1, 3, string(make([]byte, 65)))), "x:1", words.BadClaims},
		{"key id that need not be written", rawOrg("x:1", rawKeyNamed(pub(ed("x")).Append(nil), 1, 3, string(kid(ed("x"))))), "x:1", words.NonCanonical},
		{"retired without accept-until", rawOrg("x:1", change(good("x"), []byte{6, 1}, []byte{6, 2})), "x:1", words.BadClaims},
		{"active with since", rawOrg("x:1", grow(good("x"), 8, 1)), "x:1", words.BadClaims},
		{"state not known", rawOrg("x:1", change(good("x"), []byte{6, 1}, []byte{6, 4})), "x:1", words.UnsupportedVersion},
		{"dates in milliseconds", rawOrg("x:1", change(good("x"), cbor.AppendUint([]byte{5}, uint64(issued+year)), cbor.AppendUint([]byte{5}, 1000*uint64(issued+year)<<8))), "x:1", words.BadClaims},
		{"dates in the wrong order", rawOrg("x:1", change(good("x"), cbor.AppendUint([]byte{5}, uint64(issued+year)), []byte{5, 1})), "x:1", words.BadClaims},
		{"key with an alg inside", rawOrg("x:1", rawKey(grow(pub(ed("x")).Append(nil)), 1, 1)), "x:1", words.BadKey},
		{"grant of nothing", change(rawOrg("x:1"), no, []byte{5, 0x81, 0xa1, 1, 0x80, 6, 0x80}), "x:1", words.BadClaims},
		{"grant to all by an empty list", change(rawOrg("x:1"), no, []byte{5, 0x81, 0xa2, 1, 0x81, 0x61, 'v', 2, 0x80, 6, 0x80}), "x:1", words.BadClaims},
		{"grant with an unknown limit", change(rawOrg("x:1"), no, []byte{5, 0x81, 0xa2, 1, 0x81, 0x61, 'v', 6, 1, 6, 0x80}), "x:1", words.UnsupportedVersion},
		{"grant to replace the cards of nobody", change(rawOrg("x:1"), no, []byte{5, 0x81, 0xa2, 1, 0x81, 0x61, 'v', 5, 0x80, 6, 0x80}), "x:1", words.BadClaims},
		{"grant to replace the cards of what is no id", change(rawOrg("x:1"), no, []byte{5, 0x81, 0xa2, 1, 0x81, 0x61, 'v', 5, 0x81, 0x61, 'y', 6, 0x80}), "x:1", words.BadClaims},
		{"prefix over http", change(rawOrg("x:1"), no, cbor.AppendText([]byte{5, 0x80, 6, 0x81}, "http://x.example")), "x:1", words.BadClaims},
		{"prefix is a number", change(rawOrg("x:1"), no, []byte{5, 0x80, 6, 0x81, 7}), "x:1", words.BadClaims},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "key with an alg inside" {
				// {1: 1, 3: -8, -1: 6, -2: x}
				k := pub(ed("x")).Append(nil)
				c.org = rawOrg("x:1", rawKey(append([]byte{0xa4, 1, 1, 3, 0x27}, k[3:]...), 1, 1))
			}
			raw := signPayload(t, rawList(t, rawOrg(orgA, good("else")), c.org), "1", "2")
			l := open(t, raw)
			wantFault(t, l, 1, c.org0, c.want)
			if l.Faults[0].Org != c.org0 {
				t.Errorf("the fault is of %q", l.Faults[0].Org)
			}
			wantFind(t, l, orgA, kid(p256("else")), trust.UseCard, words.OK)
			// A new list made from this one leaves the bad entry out.
			d := next(l)
			if again := open(t, sign(t, d, "1", "2")); len(again.Faults) > 0 {
				t.Errorf("faults come back: %v", again.Faults)
			}
			// Custodians' tools refuse to sign it at all.
			_, err := trust.SignList(rawList(t, rawOrg(orgA, good("else")), c.org), ed("anchor 1"))
			wantReason(t, err, c.want)
		})
	}
}

func TestListFaultsRefuseTheWhole(t *testing.T) {
	payload := encode(t, draft1(t))
	swap := func(old, new []byte) []byte {
		if !bytes.Contains(payload, old) {
			t.Fatalf("no %x", old)
		}
		return bytes.Replace(payload, old, new, 1)
	}
	anchors := anchorSet(t, 2, "1", "2", "3").Append(nil)
	flip := bytes.Clone(anchors)
	flip[2], flip[1] = 4, 1 // 4 of 3
	grown := append(bytes.Clone(payload), 10, 1)
	grown[0]++
	for _, c := range []struct {
		name    string
		payload []byte
		want    words.Reason
	}{
		{"a member of a later version", grown, words.UnsupportedVersion},
		{"sequence 0", swap([]byte{2, 1, 3}, []byte{2, 0, 3}), words.BadClaims},
		{"no anchors", rawNoAnchors(t), words.BadClaims},
		{"4 of 3 anchors", swap(anchors, flip), words.BadClaims},
		{"not canonical", swap([]byte{2, 1, 3}, []byte{2, 0x18, 1, 3}), words.NonCanonical},
		{"not a map", []byte{0x80}, words.BadClaims},
		{"empty", nil, words.Truncated},
		{"duplicate member", append([]byte{0xa2, 1, 1}, 1, 2), words.DuplicateKey},
		{"organisations out of order", rawList(t, rawOrg(orgB), rawOrg(orgA)), words.NonCanonical},
		{"floor reset of 0", floorReset(t, 0), words.BadClaims},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := trust.Open(signPayload(t, c.payload, "1", "2"), anchorSet(t, 2, "1", "2", "3"))
			wantReason(t, err, c.want)
			_, err = trust.ParsePayload(c.payload)
			wantReason(t, err, c.want)
		})
	}
	t.Run("another kind of object", func(t *testing.T) {
		p := cose.PrepareMulti("application/aidpass-other+cose", payload)
		s := ed("anchor 1")
		sig, err := cose.SignRaw(s, p.ToBeSigned(pub(s)))
		must(t, err)
		must(t, p.Add(pub(s), sig))
		_, err = trust.Open(p.Append(nil), trust.Anchors{})
		wantReason(t, err, words.WrongTyp)
	})
	t.Run("one organisation twice", func(t *testing.T) {
		l := openRaw(t, rawOrg(orgA, good("x")), rawOrg(orgA, good("y")), rawOrg(orgB, good("z")))
		wantFault(t, l, 1, orgA, words.BadClaims)
		wantFind(t, l, orgA, kid(p256("x")), trust.UseCard, words.UnknownKey)
		wantFind(t, l, orgA, kid(p256("y")), trust.UseCard, words.UnknownKey)
		wantFind(t, l, orgB, kid(p256("z")), trust.UseCard, words.OK)
	})
}

func rawNoAnchors(t *testing.T) []byte {
	b := rawList(t)
	anchors := anchorSet(t, 2, "1", "2", "3").Append([]byte{5})
	b = bytes.Replace(b, anchors, nil, 1)
	b[0]--
	return b
}

func floorReset(t *testing.T, v byte) []byte {
	b := append(rawList(t), 8, v)
	b[0]++
	return b
}

func TestFloorReset(t *testing.T) {
	// Somebody signed a list dated 2099; the next one takes the date back.
	d := draft1(t)
	d.Issued, d.NextUpdate = issued+73*year, issued+74*year
	d = trust.FromList(open(t, sign(t, d, "1", "2")))
	d.Issued, d.NextUpdate = issued, issued+90*day
	if _, err := d.Encode(); err == nil {
		t.Fatal("an earlier list without a floor reset was encoded")
	}
	d.FloorReset = true
	l := open(t, sign(t, d, "1", "2"))
	if !l.FloorReset || trust.FromList(l).FloorReset {
		t.Error("the reset is lost, or repeated in the list after")
	}
}

// drawList draws a small list, with clashes of ids and keys.
func drawList(t *rapid.T) []byte {
	var orgs [][]byte
	for i, id := range []string{orgA, orgB, "x:1"}[:rapid.IntRange(0, 3).Draw(t, "organisations")] {
		var keys [][]byte
		for range rapid.IntRange(0, 4).Draw(t, fmt.Sprint("keys ", i)) {
			name := fmt.Sprint("k", rapid.IntRange(0, 5).Draw(t, "key"))
			use := rapid.SampledFrom([]trust.Use{trust.UseCard, trust.UseStatus, trust.UsePack}).Draw(t, "use")
			switch {
			case use == trust.UseCard:
				keys = append(keys, rawKeyNamed(pub(ed(name)).Append(nil), use, 3, fmt.Sprint("i", rapid.IntRange(0, 3).Draw(t, "id"))))
			default:
				keys = append(keys, rawKey(pub(ed(name)).Append(nil), use, 0))
			}
		}
		orgs = append(orgs, rawOrg(id, keys...))
	}
	return signPayload(t, rawList(t, orgs...), "1", "2")
}

// find is Find as a plain scan over what the list shows.
func find(l *trust.List, iss, kid []byte, use trust.Use) words.Reason {
	for _, f := range l.Faults {
		if f.Org == string(iss) && f.KID != nil && bytes.Equal(f.KID, kid) {
			return words.BadKey
		}
	}
	reason := words.UnknownKey
	for _, o := range l.Organisations {
		for _, k := range o.Keys {
			switch {
			case !bytes.Equal(k.KID, kid):
			case o.ID != string(iss):
				reason = words.IssuerKeyMismatch
			case k.Use != use:
				return words.IssuerNotAuthorised
			default:
				return words.OK
			}
		}
	}
	return reason
}

func TestFindEqualsAPlainScan(t *testing.T) {
	pinned := anchorSet(t, 2, "1", "2", "3")
	rapid.Check(t, func(t *rapid.T) {
		l, err := trust.Open(drawList(t), pinned)
		if err != nil {
			t.Fatal(err)
		}
		for _, iss := range []string{orgA, orgB, "x:1", "x:2"} {
			for _, use := range []trust.Use{trust.UseCard, trust.UseStatus, trust.UsePack} {
				for i := range 6 {
					for _, id := range [][]byte{kid(ed(fmt.Sprint("k", i))), []byte(fmt.Sprint("i", i))} {
						k, got := l.Find([]byte(iss), id, use)
						if want := find(l, []byte(iss), id, use); got != want {
							t.Fatalf("Find(%q, %x, %s) = %q, a scan says %q; faults %v", iss, id, use, got, want, l.Faults)
						}
						if k != nil && (k.Org.ID != iss || k.Use != use || !bytes.Equal(k.KID, id)) {
							t.Fatalf("Find(%q, %x, %s) found %+v", iss, id, use, k)
						}
					}
				}
			}
		}
	})
}

func TestNoTamperingOpens(t *testing.T) {
	raw := sign(t, draft1(t), "1", "2")
	pinned := anchorSet(t, 2, "1", "2", "3")
	rapid.Check(t, func(t *rapid.T) {
		changed := bytes.Clone(raw)
		for _, at := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(raw)-1), 1, 8, rapid.ID[int]).Draw(t, "at") {
			changed[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		}
		if _, err := trust.Open(changed, pinned); err == nil {
			t.Fatalf("opened %x", changed)
		}
		if _, err := trust.Open(changed, trust.Anchors{}); err == nil {
			t.Fatalf("opened on first use %x", changed)
		}
	})
}

// FuzzOpen: whatever opens is written again to the same payload, or, where
// entries were refused, to one without faults. The signature is made here, since
// no fuzzer finds one.
func FuzzOpen(f *testing.F) {
	f.Add(encode(f, draft1(f)))
	f.Add(rawList(f, rawOrg(orgA, good("x"), good("x")), rawOrg(orgB)))
	f.Add(rawList(f, rawOrg(orgA, rawKeyNamed(pub(ed("x")).Append(nil), 1, 3, "kid"))))
	d := draft1(f)
	must(f, d.Recognise(trust.Recognition{List: "x:2", Anchors: anchorSet(f, 1, "9"), Types: []string{vctElig}, Countries: []string{"SYR"}, Recheck: issued + year}))
	must(f, d.RemoveOrganisation(orgB))
	must(f, d.Retire(orgA, kid(p256(orgA+" card")), issued+1, issued+year))
	d.FloorReset = true
	f.Add(encode(f, d))
	pinned := anchorSet(f, 2, "1", "2", "3")
	f.Fuzz(func(t *testing.T, payload []byte) {
		_, _ = trust.Open(payload, pinned) // the message itself: must not panic
		if len(payload) == 0 {
			return
		}
		l, err := trust.Open(signPayload(t, payload, "1", "2"), pinned)
		if err != nil {
			var r *trust.Refusal
			if !asRefusal(err, &r) || !r.Reason.Known() {
				t.Fatalf("not a refusal with a known code: %v", err)
			}
			return
		}
		d := trust.FromList(l)
		d.Sequence, d.Issued, d.NextUpdate, d.FloorReset = l.Sequence, l.Issued, l.NextUpdate, l.FloorReset
		again, err := trust.Rewrite(d)
		if err != nil {
			t.Fatalf("cannot be written again: %v", err)
		}
		if len(l.Faults) == 0 && !bytes.Equal(again, payload) {
			t.Fatalf("opened %x\nwrote  %x", payload, again)
		}
	})
}

// large is a list of 10,000 keys, five to an organisation.
func large(t tester) []byte {
	d := trust.NewDraft(consortium, anchorSet(t, 2, "1", "2", "3"))
	d.Issued, d.NextUpdate = issued, issued+90*day
	for i := range 2_000 {
		id := fmt.Sprintf("https://organisation-%04d.example", i)
		must(t, d.AddOrganisation(id, "CHE", map[string]string{"en": "Organisation", "ar": "\u0645\u0646\u0638\u0645\u0629"}))
		for j := range 5 {
			must(t, d.AddKey(id, key(p256(fmt.Sprint(id, j)), trust.UseCard)))
		}
		must(t, d.Grant(id, trust.Grant{Types: []string{vctElig, vctRef}}))
	}
	return sign(t, d, "1", "2")
}

func TestFindDoesNotAllocate(t *testing.T) {
	l := list1(t)
	iss, id, other := []byte(orgA), kid(p256(orgA+" card")), kid(p256("nobody"))
	uri, status := []byte(orgA+"/s/1"), kid(ed(orgA+" status"))
	vct := []byte(vctElig)
	n := testing.AllocsPerRun(100, func() {
		k, _ := l.Find(iss, id, trust.UseCard)
		l.Find(iss, other, trust.UseCard)
		l.FindKeyID(id, trust.UseCard)
		l.FindStatusKey(uri, status)
		k.Judge(issued, issued)
		k.Org.MayIssue(vct, nil, "SYR", issued)
		k.Org.OwnsStatusURI(uri)
		l.RemovedSince(iss)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// hostile are payloads of up to 8 MiB made to cost as much as they can. They get
// past the signature, as those of an anchor gone bad would.
func hostile(t tester) map[string][]byte {
	// org is an organisation with these encoded grants.
	org := func(id string, grants ...[]byte) []byte {
		b := rawOrg(id)
		b = append(cbor.AppendArray(append(b[:len(b)-4], 5), len(grants)), bytes.Join(grants, nil)...)
		return append(b, 6, 0x80)
	}
	n := 0
	codes := func(count int) []byte { // a grant of so many different types
		b := cbor.AppendArray([]byte{0xa1, 1}, count)
		for range count {
			n++
			b = cbor.AppendText(b, fmt.Sprintf("%07x", n))
		}
		return b
	}
	faulty := make([][]byte, 700)
	for i := range faulty {
		faulty[i] = []byte{0xa0}
	}
	var many, empty, named [][]byte
	for i := range 10_000 {
		id := fmt.Sprintf("x:%06d", i)
		many = append(many, org(id, faulty...))
		empty = append(empty, org(id, codes(4), codes(4), codes(4)))
		named = append(named, rawOrg(id, rawKeyNamed(pub(ed("x")).Append(nil), trust.UseCard, 3, "one id for all")))
	}
	var wide [][]byte
	for range 24 {
		wide = append(wide, codes(10_000))
	}
	return map[string][]byte{
		"zeros":                                make([]byte, trust.MaxListBytes-1000),
		"nesting":                              bytes.Repeat([]byte{0x81}, trust.MaxListBytes-1000),
		"seven million faulty grants":          rawList(t, many...),
		"10,000 organisations of small grants": rawList(t, empty...),
		"240,000 different codes":              rawList(t, org(orgA, wide...)),
		"10,000 times one key":                 rawList(t, named...),
	}
}

func TestHostileListsTakeBoundedMemory(t *testing.T) {
	const most = 64 << 20
	pinned := anchorSet(t, 2, "1", "2", "3")
	for name, payload := range hostile(t) {
		raw := signPayload(t, payload, "1", "2")
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := trust.Open(raw, pinned)
			runtime.ReadMemStats(&after)
			t.Logf("%d bytes: %v; %d KiB allocated in all", len(raw), err, (after.TotalAlloc-before.TotalAlloc)>>10)
			if used := after.TotalAlloc - before.TotalAlloc; used > most {
				t.Errorf("%d MiB allocated", used>>20)
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	l := open(b, large(b))
	if len(l.Faults) > 0 {
		b.Fatal(l.Faults)
	}
	iss, id := []byte("https://organisation-1234.example"), kid(p256("https://organisation-1234.example3"))
	b.Run("listed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if k, _ := l.Find(iss, id, trust.UseCard); k == nil {
				b.Fatal("not found")
			}
		}
	})
	b.Run("unknown", func(b *testing.B) {
		none := []byte("nobodys!")
		b.ReportAllocs()
		for b.Loop() {
			l.Find(iss, none, trust.UseCard)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	raw := large(b)
	pinned := anchorSet(b, 2, "1", "2", "3")
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := trust.Open(raw, pinned); err != nil {
			b.Fatal(err)
		}
	}
}

func asRefusal(err error, r **trust.Refusal) bool { return errors.As(err, r) }
