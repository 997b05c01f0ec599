package trust_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

// The invented world of these tests: consortium C with three custodians of whom
// two sign, relief organisations A and B. Times are fixed, keys come from names.
const (
	consortium = "https://consortium.example"
	orgA       = "https://a.example"
	orgB       = "https://b.example"
	vctElig    = "https://aidpass.example/elig"
	vctRef     = "https://aidpass.example/ref"

	day  credential.Time = 86400
	year                 = 365 * day
	// issued is 2026-11-21T00:00:00Z.
	issued credential.Time = 1795219200
)

// ed and p256 are signers made from a name, the same in every run.
func ed(name string) crypto.Signer {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func p256(name string) crypto.Signer {
	h := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), h[:])
	if err != nil {
		panic(err)
	}
	return k
}

func pub(s crypto.Signer) *cose.Key {
	k, err := cose.NewKey(s.Public())
	if err != nil {
		panic(err)
	}
	return k
}

func kid(s crypto.Signer) []byte { id := pub(s).ID(); return id[:] }

// tester is what these helpers need of *testing.T, *testing.B, *testing.F and
// *rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func custodians(names ...string) (signers []crypto.Signer, keys []*cose.Key) {
	for _, n := range names {
		signers = append(signers, ed("anchor "+n))
		keys = append(keys, pub(ed("anchor "+n)))
	}
	return
}

func anchorSet(t tester, k int, names ...string) trust.Anchors {
	t.Helper()
	_, keys := custodians(names...)
	a, err := trust.NewAnchors(k, keys...)
	must(t, err)
	return a
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// key is an active key of one use that signs for two years from issued.
func key(s crypto.Signer, use trust.Use) trust.Key {
	k := trust.Key{Key: pub(s), Use: use, NotBefore: issued, NotAfter: issued + 2*year}
	if use == trust.UseCard {
		k.Profile = trust.ProfileCard1
	}
	return k
}

// draft1 is the first list of the world: A issues eligibility, B referrals.
func draft1(t tester) *trust.Draft {
	t.Helper()
	d := trust.NewDraft(consortium, anchorSet(t, 2, "1", "2", "3"))
	d.Issued, d.NextUpdate = issued, issued+90*day
	for _, o := range []struct{ id, name, vct string }{{orgA, "Aid A", vctElig}, {orgB, "Relief B", vctRef}} {
		must(t, d.AddOrganisation(o.id, "CHE", map[string]string{"en": o.name, "fr": o.name}))
		must(t, d.AddKey(o.id, key(p256(o.id+" card"), trust.UseCard)))
		must(t, d.AddKey(o.id, key(p256(o.id+" standby"), trust.UseCard)))
		must(t, d.AddKey(o.id, key(ed(o.id+" status"), trust.UseStatus)))
		must(t, d.AddKey(o.id, key(p256(o.id+" pack"), trust.UsePack)))
		ca := key(p256(o.id+" device-ca"), trust.UseDeviceCA)
		ca.Profile = trust.ProfileSlip1
		must(t, d.AddKey(o.id, ca))
		must(t, d.Grant(o.id, trust.Grant{Types: []string{o.vct}}))
		must(t, d.AddStatusPrefix(o.id, o.id+"/s"))
	}
	return d
}

// next is the list that follows l, a month later.
func next(l *trust.List) *trust.Draft {
	d := trust.FromList(l)
	d.Issued = l.Issued + 30*day
	d.NextUpdate = d.Issued + 90*day
	return d
}

func encode(t tester, d *trust.Draft) []byte {
	t.Helper()
	b, err := d.Encode()
	must(t, err)
	return b
}

// sign gathers the signatures of the named custodians.
func sign(t tester, d *trust.Draft, names ...string) []byte {
	t.Helper()
	return signPayload(t, encode(t, d), names...)
}

// signPayload signs whatever it is given: hostile lists too.
func signPayload(t tester, payload []byte, names ...string) []byte {
	t.Helper()
	p := cose.PrepareMulti(trust.TypeList, payload)
	signers, _ := custodians(names...)
	for _, s := range signers {
		sig, err := cose.SignRaw(s, p.ToBeSigned(pub(s)))
		must(t, err)
		must(t, p.Add(pub(s), sig))
	}
	return p.Append(nil)
}

func open(t tester, raw []byte) *trust.List {
	t.Helper()
	l, err := trust.Open(raw, anchorSet(t, 2, "1", "2", "3"))
	must(t, err)
	return l
}

// list1 is draft1, signed and opened.
func list1(t tester) *trust.List {
	t.Helper()
	l := open(t, sign(t, draft1(t), "1", "2"))
	if len(l.Faults) > 0 {
		t.Fatalf("faults: %v", l.Faults)
	}
	return l
}

// wantReason fails unless err is a *Refusal with that code.
func wantReason(t tester, err error, want words.Reason) {
	t.Helper()
	var r *trust.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal with %q", err, want)
	}
	if r.Reason != want {
		t.Fatalf("got %q (%v), want %q", r.Reason, err, want)
	}
	if !want.Known() {
		t.Fatalf("%q is not in the verdict table", want)
	}
}

// wantFault fails unless exactly this many entries were refused, all so.
func wantFault(t tester, l *trust.List, n int, org string, want words.Reason) {
	t.Helper()
	if len(l.Faults) != n {
		t.Fatalf("got %d faults %v, want %d", len(l.Faults), l.Faults, n)
	}
	for _, f := range l.Faults {
		if f.Reason != want || f.Org != org && org != "" || f.Text == "" {
			t.Errorf("got fault %+v, want %q of %q", f, want, org)
		}
	}
}

func wantFind(t tester, l *trust.List, iss string, kid []byte, use trust.Use, want words.Reason) *trust.Key {
	t.Helper()
	k, got := l.Find([]byte(iss), kid, use)
	if got != want || (k != nil) != (want == words.OK) {
		t.Errorf("Find(%q, %x, %s) = %v, %q, want %q", iss, kid, use, k, got, want)
	}
	return k
}

// Raw entries, for what a Draft would never write.

func rawKey(coseKey []byte, use trust.Use, profile trust.Profile) []byte {
	b := append([]byte{0xa6, 1}, coseKey...)
	b = append(b, 2, byte(use), 3, byte(profile))
	b = cbor.AppendUint(append(b, 4), uint64(issued))
	b = cbor.AppendUint(append(b, 5), uint64(issued+year))
	return append(b, 6, 1)
}

// rawKeyNamed is rawKey with a key id of its own.
func rawKeyNamed(coseKey []byte, use trust.Use, profile trust.Profile, kid string) []byte {
	b := rawKey(coseKey, use, profile)
	b[0]++
	return cbor.AppendBytes(append(b, 9), []byte(kid))
}

func rawOrg(id string, keys ...[]byte) []byte {
	b := cbor.AppendText([]byte{0xa6, 1}, id)
	b = cbor.AppendText(append(b, 2, 0xa1, 0x62, 'e', 'n'), "Name")
	b = cbor.AppendText(append(b, 3), "CHE")
	b = cbor.AppendArray(append(b, 4), len(keys))
	b = append(b, bytes.Join(keys, nil)...)
	return append(b, 5, 0x80, 6, 0x80)
}

func rawList(t tester, orgs ...[]byte) []byte {
	b := cbor.AppendText([]byte{0xa6, 1}, consortium)
	b = append(b, 2, 1)
	b = cbor.AppendUint(append(b, 3), uint64(issued))
	b = cbor.AppendUint(append(b, 4), uint64(issued+90*day))
	b = anchorSet(t, 2, "1", "2", "3").Append(append(b, 5))
	b = cbor.AppendArray(append(b, 6), len(orgs))
	return append(b, bytes.Join(orgs, nil)...)
}

// openRaw signs and opens a raw list.
func openRaw(t tester, orgs ...[]byte) *trust.List {
	t.Helper()
	return open(t, signPayload(t, rawList(t, orgs...), "1", "2"))
}

func good(name string) []byte {
	return rawKey(pub(p256(name)).Append(nil), trust.UseCard, trust.ProfileCard1)
}

func TestWorldIsFaultless(t *testing.T) {
	l := list1(t)
	if fmt.Sprint(l.Issued) != "2026-11-21T00:00:00Z" {
		t.Errorf("issued %v", l.Issued)
	}
	for _, use := range []trust.Use{trust.UseCard, trust.UseDeviceCA, trust.UsePack} {
		wantFind(t, l, orgA, kid(p256(orgA+" "+use.String())), use, words.OK)
	}
}
