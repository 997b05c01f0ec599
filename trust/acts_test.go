package trust_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

func wantError(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("got error %v, want one about %q", err, part)
	}
}

func TestOneUseAKey(t *testing.T) {
	d := draft1(t)
	card := p256(orgA + " card")
	wantError(t, d.AddKey(orgA, key(card, trust.UseVC)), "already")
	wantError(t, d.AddKey(orgB, key(card, trust.UseCard)), "already")
	wantError(t, d.AddKey(orgA, key(ed("anchor 1"), trust.UseAudit)), "anchor")
	wantError(t, d.AddKey(orgA, key(ed("x"), trust.UseSeal)), "P-256")
	wantError(t, d.AddKey(orgA, trust.Key{Key: pub(ed("x")), Use: trust.UseCard, NotBefore: issued, NotAfter: issued + 1}), "profile")
	wantError(t, d.AddKey("https://nobody.example", key(ed("x"), trust.UseVC)), "not on the list")
	k := key(ed("x"), trust.UseStatus)
	k.KID = kid(ed(orgA + " status"))
	wantError(t, d.AddKey(orgA, k), "already")
	wantError(t, d.SetAnchors(anchorWith(t, card)), "is a card key")
	if n := len(d.Organisation(orgA).Keys); n != 5 {
		t.Errorf("%d keys after refusals, want the 5 of before", n)
	}
}

func anchorWith(t *testing.T, s crypto.Signer) trust.Anchors {
	a, err := trust.NewAnchors(1, pub(s))
	must(t, err)
	return a
}

func TestRotationNotice(t *testing.T) {
	d := next(list1(t))
	old, until := kid(p256(orgA+" card")), d.Issued+400*day
	successor := func(from credential.Time) trust.Key {
		k := key(p256("successor"), trust.UseCard)
		k.NotBefore, k.NotAfter = from, from+2*year
		return k
	}
	soon := d.Issued + trust.RotationNotice - 1
	wantError(t, d.AddKey(orgA, successor(soon)), "45 days")
	before := *d.Organisation(orgA).Keys[0]
	wantError(t, d.Rotate(orgA, old, successor(soon), until), "45 days")
	if got := *d.Organisation(orgA).Keys[0]; got.State != trust.Active || got.NotAfter != before.NotAfter {
		t.Errorf("a refused rotation left the old key %+v", got)
	}
	from := soon + 1
	must(t, d.Rotate(orgA, old, successor(from), until))
	l := open(t, sign(t, d, "1", "2"))
	was := wantFind(t, l, orgA, old, trust.UseCard, words.OK)
	now := wantFind(t, l, orgA, kid(p256("successor")), trust.UseCard, words.OK)
	for _, c := range []struct {
		k       *trust.Key
		iat, at credential.Time
		want    words.Reason
	}{
		{was, from - 1, until, words.OK},
		{was, from + 1, from + 2, words.KeyOutsideValidity},
		{was, issued, until + 1, words.KeyOutsideValidity},
		{now, from - 1, from, words.KeyOutsideValidity},
		{now, from, from, words.OK},
	} {
		if got := c.k.Judge(c.iat, c.at); got != c.want {
			t.Errorf("key %x, iat %v, at %v: got %q, want %q", c.k.KID, c.iat, c.at, got, c.want)
		}
	}

	t.Run("the first key of a use works at once", func(t *testing.T) {
		d := next(list1(t))
		k := key(p256("vc"), trust.UseVC)
		k.NotBefore = d.Issued
		must(t, d.AddKey(orgA, k))
		encode(t, d)
	})
	t.Run("so does one after all were compromised", func(t *testing.T) {
		d := next(list1(t))
		must(t, d.Withdraw(orgA, kid(p256(orgA+" card")), d.Issued))
		must(t, d.Withdraw(orgA, kid(p256(orgA+" standby")), d.Issued))
		d = next(open(t, sign(t, d, "1", "2")))
		must(t, d.AddKey(orgA, successor(d.Issued)))
	})
	t.Run("a date set later does not get round it", func(t *testing.T) {
		d := next(list1(t))
		must(t, d.AddKey(orgA, successor(d.Issued+trust.RotationNotice)))
		d.Issued += 30 * day
		if _, err := d.Encode(); err == nil {
			t.Error("encoded with 15 days of notice")
		}
	})
}

func TestActsRefuseNonsense(t *testing.T) {
	d := next(list1(t))
	card := kid(p256(orgA + " card"))
	names := map[string]string{"en": "X"}
	wantError(t, d.AddOrganisation(orgA, "CHE", names), "already")
	wantError(t, d.AddOrganisation("no uri", "CHE", names), "id")
	wantError(t, d.AddOrganisation("https://\u0430.example", "CHE", names), "no URI has")
	wantError(t, d.AddOrganisation("https://x.example", "Swiss", names), "3166")
	wantError(t, d.AddOrganisation("https://x.example", "CHE", nil), "no name")
	wantError(t, d.AddOrganisation("https://x.example", "CHE", map[string]string{"en": "a\x00"}), "control")
	wantError(t, d.AddOrganisation("https://x.example", "CHE", map[string]string{"en": "\xff"}), "UTF-8")
	wantError(t, d.RemoveOrganisation("https://x.example"), "not on the list")
	wantError(t, d.Grant(orgA, trust.Grant{}), "no type")
	wantError(t, d.Grant(orgA, trust.Grant{Types: []string{vctElig}, Countries: []string{"Syria"}}), "3166")
	wantError(t, d.Grant(orgA, trust.Grant{Types: []string{vctElig}, Programmes: []string{""}}), "programme")
	wantError(t, d.Ungrant(orgA, vctRef), "no right")
	wantError(t, d.Withdraw(orgA, []byte("?"), d.Issued), "no key")
	wantError(t, d.Withdraw(orgA, card, 0), "no time")
	wantError(t, d.Retire(orgA, card, d.Issued, d.Issued-1), "accepted until")
	wantError(t, d.Reinstate(orgA, card), "not compromised")
	wantError(t, d.Rotate(orgA, card, key(ed("x"), trust.UseStatus), d.Issued+year), "cannot follow")
	wantError(t, d.Unrecognise("x:1"), "not recognised")
	wantError(t, d.SetUsesStatus(orgA, false), "need status lists")
	wantError(t, d.SetAnchors(trust.Anchors{K: 1}), "anchors")
	must(t, d.Withdraw(orgA, card, d.Issued))
	wantError(t, d.Retire(orgA, card, d.Issued, d.Issued+year), "compromised")
	wantError(t, d.Rotate(orgA, card, key(p256("x"), trust.UseCard), d.Issued+year), "compromised")
	must(t, d.Reinstate(orgA, card))
	must(t, d.Ungrant(orgA, vctElig))

	undated := trust.FromList(list1(t))
	wantError(t, undated.AddKey(orgA, key(p256("x"), trust.UseVC)), "date")
	wantError(t, undated.RemoveOrganisation(orgA), "date")
	_, err := undated.Encode()
	wantError(t, err, "date")
	stale := next(list1(t))
	stale.Sequence = 1
	_, err = stale.Encode()
	wantError(t, err, "cannot follow")
	broken := next(list1(t))
	broken.NextUpdate = broken.Issued
	_, err = broken.Encode()
	wantReason(t, err, words.BadClaims)
}

func TestANewListKeepsWithdrawals(t *testing.T) {
	l := list1(t)
	card := kid(p256(orgA + " card"))
	must(t, l.Withdraw(withdrawal(t, p256(orgA+" standby"), orgA, card, l.Issued+day, l.Sequence)))
	after := open(t, sign(t, next(l), "1", "2"))
	if k := wantFind(t, after, orgA, card, trust.UseCard, words.OK); k.State != trust.Compromised || k.Since != l.Issued+day {
		t.Errorf("the next list says %+v", k)
	}
}

func TestLint(t *testing.T) {
	codes := func(d *trust.Draft) (c []string) {
		for _, w := range d.Lint() {
			c = append(c, w.Code)
		}
		slices.Sort(c)
		return slices.Compact(c)
	}
	if got := codes(draft1(t)); len(got) > 0 {
		t.Errorf("the plain world warns: %v", got)
	}
	d := trust.NewDraft(consortium, anchorSet(t, 1, "1"))
	d.Issued, d.NextUpdate = issued, issued+2*year
	must(t, d.AddOrganisation(orgA, "CHE", map[string]string{"en": "\u0410id"}))
	k := key(p256("only"), trust.UseCard)
	k.NotAfter = issued + 10*day
	must(t, d.AddKey(orgA, k))
	must(t, d.Grant(orgA, trust.Grant{Types: []string{vctElig}, Until: issued - 1}))
	must(t, d.AddOrganisation(orgB, "CHE", map[string]string{"en": "B"}))
	must(t, d.Grant(orgB, trust.Grant{Types: []string{vctElig}}))
	must(t, d.Recognise(trust.Recognition{List: "x:2", Anchors: anchorSet(t, 1, "9"), Types: []string{vctElig}, Recheck: issued + year}))
	want := []string{"grant_over", "key_ends_soon", "long_lived", "mixed_script", "no_signing_key", "no_standby_key", "no_status_key", "no_status_prefix", "one_anchor", "recheck_soon"}
	if got := codes(d); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestSigningByFiles(t *testing.T) {
	d := draft1(t)
	payload := encode(t, d)
	var files [][]byte
	for _, name := range []string{"1", "2", "3"} {
		f, err := trust.SignList(payload, ed("anchor "+name))
		must(t, err)
		files = append(files, f)
	}
	one, err := trust.Merge(files[:1])
	must(t, err)
	_, err = trust.Open(one, d.Anchors)
	wantReason(t, err, words.TrustListBadSignature)
	who, err := trust.Signers(one, d.Anchors)
	must(t, err)
	if len(who) != 1 || who[0].ID() != pub(ed("anchor 1")).ID() {
		t.Errorf("signed by %v", who)
	}
	all, err := trust.Merge(files)
	must(t, err)
	open(t, all)

	other := draft1(t)
	other.NextUpdate++
	f, err := trust.SignList(encode(t, other), ed("anchor 2"))
	must(t, err)
	_, err = trust.Merge([][]byte{files[0], f})
	wantReason(t, err, words.TrustListEquivocation)
	_, err = trust.Merge([][]byte{files[0], files[1][:100]})
	wantReason(t, err, words.Truncated)
	if _, err = trust.Merge(nil); err == nil {
		t.Error("merged nothing")
	}
	// A false signature under a custodian's key id does not hide the good one.
	bad := bytes.Clone(files[0])
	bad[len(bad)-1] ^= 1
	for _, order := range [][][]byte{{bad, files[0], files[1]}, {files[1], files[0], bad}} {
		m, err := trust.Merge(order)
		must(t, err)
		open(t, m)
	}
	_, err = trust.Merge([][]byte{bad})
	if err == nil {
		t.Error("merged without any good signature")
	}
}

func TestMergeOrderDoesNotMatter(t *testing.T) {
	payload := encode(t, draft1(t))
	var files [][]byte
	signers, _ := custodians("1", "2", "3", "stranger")
	signers = append(signers, p256("stranger"), p256("stranger")) // two different signatures of one key
	for _, s := range signers {
		f, err := trust.SignList(payload, s)
		must(t, err)
		files = append(files, f)
	}
	want, err := trust.Merge(files)
	must(t, err)
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation(files).Draw(t, "files")
		cut := rapid.IntRange(1, len(order)).Draw(t, "merged first")
		first, err := trust.Merge(order[:cut])
		if err != nil {
			t.Fatal(err)
		}
		got, err := trust.Merge(append([][]byte{first}, order[cut:]...))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: got %x\nwant %x", err, got, want)
		}
	})
}

func TestDescribe(t *testing.T) {
	l := list1(t)
	d := next(l)
	must(t, d.Withdraw(orgA, kid(p256(orgA+" card")), d.Issued))
	must(t, d.RemoveOrganisation(orgB))
	must(t, d.AddOrganisation("https://c.example", "KEN", map[string]string{"ar": "\u202eevil", "en": "C"}))
	must(t, d.SetAnchors(anchorSet(t, 2, "2", "3", "4")))
	payload := encode(t, d)
	text, err := trust.Describe(payload, l)
	must(t, err)
	sum := sha256.Sum256(payload)
	for _, want := range []string{
		`Trust list "https://consortium.example", number 2`,
		"hash words: " + trust.HashWords(sum[:]),
		"THE ANCHORS CHANGE, from " + l.Anchors.Words(),
		"added:\n", "  organisation \"https://c.example\": ar \"\\u202eevil\", en \"C\", KEN, status lists\n",
		"removed:\n", "  organisation \"https://b.example\"",
		"changed:\n", "active, signs 2026-11-21T00:00:00Z to 2028-11-20T00:00:00Z -> compromised, signs",
		"note: organisation \"https://c.example\": a name mixes scripts",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\u202e") {
		t.Error("a character that reorders text is shown as it is")
	}
	same, err := trust.Describe(encode(t, next(l)), l)
	must(t, err)
	if !strings.Contains(same, "Nothing is added") {
		t.Errorf("no change, but\n%s", same)
	}
	_, err = trust.Describe(payload[:9], l)
	wantReason(t, err, words.Truncated)
	first, err := trust.Describe(encode(t, draft1(t)), nil)
	must(t, err)
	if !strings.Contains(first, "first list: 2 of its anchors") {
		t.Errorf("the first list:\n%s", first)
	}
}

func TestAnchors(t *testing.T) {
	_, keys := custodians("1", "2", "3")
	a := anchorSet(t, 2, "1", "2", "3")
	if b := anchorSet(t, 2, "3", "1", "2"); !a.Equal(b) || a.Fingerprint() != b.Fingerprint() {
		t.Error("the order of keys matters")
	}
	if b := anchorSet(t, 3, "1", "2", "3"); a.Equal(b) || a.Words() == b.Words() {
		t.Error("another threshold looks the same")
	}
	for _, bad := range []struct {
		k    int
		keys []*cose.Key
	}{{0, keys}, {4, keys}, {1, nil}, {1, append(keys, keys[0])}, {1, []*cose.Key{nil}}} {
		if _, err := trust.NewAnchors(bad.k, bad.keys...); err == nil {
			t.Errorf("%d of %d keys were taken", bad.k, len(bad.keys))
		}
	}
	got, err := trust.ParseAnchors(a.Append(nil))
	if err != nil || !got.Equal(a) {
		t.Errorf("read back %v, %v", got, err)
	}
	if got, err := trust.ParseAnchors(trust.Anchors{}.Append(nil)); err != nil || got.K != 0 {
		t.Errorf("no anchors read back as %v, %v", got, err)
	}
	for _, b := range [][]byte{nil, {0x01}, {0xa0}, a.Append(nil)[:50], append(a.Append(nil), 0)} {
		if _, err := trust.ParseAnchors(b); err == nil {
			t.Errorf("read %x", b)
		}
	}
}

func TestHashWords(t *testing.T) {
	if got := trust.HashWords(make([]byte, 32)); got != "abacus abacus abacus abacus abacus abacus" {
		t.Errorf("got %q", got)
	}
	if trust.HashWords(nil) != "" {
		t.Error("words of nothing")
	}
	// Six words show 60 bits: a change in any of them changes a word.
	digest := sha256.Sum256([]byte("x"))
	seen := map[string]bool{trust.HashWords(digest[:]): true}
	for bit := range 60 {
		d := digest
		d[bit/8] ^= 0x80 >> (bit % 8)
		seen[trust.HashWords(d[:])] = true
	}
	if len(seen) != 61 {
		t.Errorf("%d different texts for 61 hashes", len(seen))
	}
}

func TestCheckSigningTime(t *testing.T) {
	for _, c := range []struct {
		name      string
		at, floor credential.Time
		known     []credential.Time
		early, ok bool
	}{
		{"nothing is known", issued, 0, nil, false, true},
		{"at the floor", issued, issued, nil, false, true},
		{"before the floor", issued - 1, issued, []credential.Time{issued - year}, true, false},
		{"90 days past the floor", issued + 90*day, issued, nil, false, true},
		{"more", issued + 90*day + 1, issued, []credential.Time{0}, false, false},
		{"but something newer is known", issued + 90*day + 1, issued, []credential.Time{issued + day, 1}, false, true},
		{"2099", issued + 73*year, issued, []credential.Time{issued + day}, false, false},
		{"1970", 5, issued, nil, true, false},
	} {
		err := trust.CheckSigningTime(c.at, c.floor, c.known...)
		te, _ := err.(*trust.TimeError)
		if (err == nil) != c.ok || te != nil && te.Early != c.early {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestUsesAndProfilesAreNamed(t *testing.T) {
	for u := trust.UseCard; u <= trust.UseSeal; u++ {
		if got, err := trust.ParseUse(u.String()); err != nil || got != u {
			t.Errorf("%q is read as %v, %v", u, got, err)
		}
	}
	for _, s := range []string{"", "Card", "use(9)"} {
		if _, err := trust.ParseUse(s); err == nil {
			t.Errorf("%q is read as a use", s)
		}
	}
	if trust.Use(9).String() != "use(9)" || trust.Profile(9).String() != "profile(9)" || trust.State(9).String() != "state(9)" ||
		trust.ProfileSlip1.String() != "aidpass-slip-1" || trust.Retired.String() != "retired" {
		t.Error("names of numbers")
	}
}
