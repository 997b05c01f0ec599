package status_test

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/status"
)

var update = flag.Bool("update", false, "write testdata/vectors anew")

const (
	listsFile     = "testdata/vectors/lists.json"
	sequencesFile = "testdata/vectors/sequences.json"
)

// vector is one case of lists.json. Every list in it is signed by the test key
// (an Ed25519 key, so that the file comes out the same each time), unless its
// name says otherwise.
type vector struct {
	Name string `json:"name"`
	Form string `json:"form"` // cwt, jwt, snapshot, delta
	// Base is the name of the vector a delta applies to.
	Base string `json:"base,omitempty"`
	// List is base64url of the message; of a JWT, the text itself.
	List string `json:"list"`
	// URI is what the credential calls its list; "" is testURI.
	URI string `json:"uri,omitempty"`
	// At is the clock and MaxAge the policy, seconds; 0 is an hour after issue,
	// and no limit.
	At     int64 `json:"at,omitempty"`
	MaxAge int64 `json:"max_age,omitempty"`
	// Want is "ok" or the reason that opening, naming, dating or looking up gives.
	Want string            `json:"want"`
	Look map[uint64]string `json:"look,omitempty"`
}

// sequence is one case of sequences.json: lists a device meets, one after the
// other. Those before a "|" came in an earlier pack, of which the device kept
// only what it remembers.
type sequence struct {
	Name  string            `json:"name"`
	Lists []string          `json:"lists"`
	Want  []string          `json:"want"` // for each list, "ok" or a reason
	Look  map[uint64]string `json:"look"`
}

const (
	testURI = "https://s.example/1"
	iat     = 1790000000 // 2026-09-21T14:13:20Z
	day     = 86400
)

func testKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("aidpass status test key"))
	return ed25519.NewKeyFromSeed(seed[:])
}

func coseKey(t testing.TB, s crypto.Signer) *cose.Key {
	t.Helper()
	k, err := cose.NewKey(s.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// finders return k for its own key id, in both forms.
func finders(k *cose.Key) (func([]byte) *cose.Key, func(string) *cose.Key) {
	id := k.ID()
	return func(kid []byte) *cose.Key {
			if bytes.Equal(kid, id[:]) {
				return k
			}
			return nil
		}, func(kid string) *cose.Key {
			if kid == jose.KeyID(k) {
				return k
			}
			return nil
		}
}

func reason(err error) string {
	if err == nil {
		return "ok"
	}
	if r := (*status.Refusal)(nil); errors.As(err, &r) {
		return string(r.Reason)
	}
	return "no refusal: " + err.Error()
}

// bytes is the message as it travels.
func (v *vector) bytes(t testing.TB) []byte {
	if v.Form == "jwt" {
		return []byte(v.List)
	}
	return decode(t, v.List)
}

func decode(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// signJWT builds a status list token around any payload.
func signJWT(k *cose.Key, payload []byte) []byte {
	b64 := base64.RawURLEncoding
	tbs := b64.EncodeToString([]byte(`{"alg":"EdDSA","kid":"`+jose.KeyID(k)+`","typ":"statuslist+jwt"}`)) + "." + b64.EncodeToString(payload)
	return []byte(tbs + "." + b64.EncodeToString(ed25519.Sign(testKey(), []byte(tbs))))
}

// open opens a vector's list.
func (v *vector) open(t testing.TB, base *status.List) (*status.List, error) {
	byID, byText := finders(coseKey(t, testKey()))
	if v.Form == "jwt" {
		return status.OpenJWT([]byte(v.List), byText)
	}
	raw := v.bytes(t)
	switch v.Form {
	case "cwt":
		return status.OpenCWT(raw, byID)
	case "snapshot":
		return status.OpenSnapshot(raw, byID)
	}
	return status.ApplyDelta(base, raw, byID)
}

func load[T any](t testing.TB, path string, made []T) []T {
	t.Helper()
	b, err := json.MarshalIndent(made, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if *update {
		if err := os.MkdirAll("testdata/vectors", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The packed entries come from compress/zlib, whose choices may change with
	// the release of Go: then write the files anew.
	if !bytes.Equal(file, b) {
		t.Logf("%s is not what this test would write now; run with -update to see the difference", path)
	}
	var read []T
	if err := json.Unmarshal(file, &read); err != nil {
		t.Fatal(err)
	}
	if len(read) != len(made) {
		t.Errorf("%s holds %d cases, the test makes %d: run with -update", path, len(read), len(made))
	}
	return read
}

func TestVectorLists(t *testing.T) {
	vectors := load(t, listsFile, makeVectors(t))
	byName := map[string]*vector{}
	for i := range vectors {
		byName[vectors[i].Name] = &vectors[i]
	}
	for _, v := range vectors {
		var base *status.List
		if v.Base != "" {
			var err error
			if base, err = byName[v.Base].open(t, nil); err != nil {
				t.Fatalf("%s: base: %v", v.Name, err)
			}
		}
		l, err := v.open(t, base)
		if err == nil {
			err = v.judge(l)
		}
		if got := reason(err); got != v.Want {
			t.Errorf("%s: got %q (%v), want %q", v.Name, got, err, v.Want)
		}
		if err != nil {
			continue
		}
		for i, want := range v.Look {
			if got := look(l, i); got != want {
				t.Errorf("%s: entry %d is %q, want %q", v.Name, i, got, want)
			}
		}
	}
}

// judge does what a verifier does after opening.
func (v *vector) judge(l *status.List) error {
	uri, at := v.URI, credential.Time(v.At)
	if uri == "" {
		uri = testURI
	}
	if at == 0 {
		at = l.IssuedAt + 3600
	}
	if err := l.CheckURI(uri); err != nil {
		return err
	}
	if r := l.Usable(at); r != "ok" {
		return &status.Refusal{Reason: r}
	}
	if v.MaxAge > 0 && l.Age(at) > v.MaxAge {
		return &status.Refusal{Reason: "status_stale"}
	}
	return nil
}

func look(l *status.List, i uint64) string {
	v, ok := l.Look(i)
	switch {
	case l.Unrevoked(i):
		return "status_unrevoked"
	case !ok:
		return "status_index_out_of_range"
	}
	return v.String()
}

func TestVectorSequences(t *testing.T) {
	vectors := load(t, listsFile, makeVectors(t))
	byName := map[string]*vector{}
	for i := range vectors {
		byName[vectors[i].Name] = &vectors[i]
	}
	for _, s := range load(t, sequencesFile, makeSequences()) {
		var set status.Set
		memory := map[string][]byte{}
		newest := map[string]credential.Time{}
		for i, name := range s.Lists {
			if name == "|" {
				set = status.Set{}
				continue
			}
			v := byName[name]
			var base *status.List
			if v.Base != "" {
				base = set.Find([]byte(testURI))
			}
			l, err := v.open(t, base)
			if err == nil {
				err = l.MarkUnrevoked(memory[l.URI])
			}
			if err == nil && l.IssuedAt < newest[l.URI] && set.Find([]byte(l.URI)) == nil {
				err = &status.Refusal{Reason: "status_rollback"} // what the device remembers
			}
			if err == nil {
				err = set.Add(l)
			}
			if err == nil {
				newest[l.URI] = max(newest[l.URI], l.IssuedAt)
				if memory[l.URI], err = l.AppendSeen(nil, memory[l.URI]); err != nil {
					t.Fatal(err)
				}
			}
			if got := reason(err); got != s.Want[i] {
				t.Errorf("%s: list %d, %s: got %q (%v), want %q", s.Name, i, name, got, err, s.Want[i])
			}
		}
		for i, want := range s.Look {
			l := set.Find([]byte(testURI))
			if l == nil {
				if want != "status_unknown" {
					t.Errorf("%s: no list", s.Name)
				}
			} else if got := look(l, i); got != want {
				t.Errorf("%s: entry %d is %q, want %q", s.Name, i, got, want)
			}
		}
	}
}

func makeSequences() []sequence {
	seq := func(name, lists, want string, look map[uint64]string) sequence {
		return sequence{name, strings.Fields(lists), strings.Fields(want), look}
	}
	return []sequence{
		seq("each newer list replaces the older", "snapshot delta", "ok ok",
			map[uint64]string{1: "invalid", 2: "invalid", 3: "suspended", 4: "valid", 8: "suspended"}),
		seq("an older list replayed says nothing", "snapshot delta snapshot", "ok ok ok",
			map[uint64]string{2: "invalid"}),
		seq("an older list in an earlier place says nothing", "later-cwt snapshot", "ok ok",
			map[uint64]string{2: "invalid"}),
		seq("an older list after the device saw a newer", "later-cwt | snapshot", "ok - status_rollback",
			map[uint64]string{2: "status_unknown"}),
		seq("the newest wins across forms", "snapshot later-cwt cwt", "ok ok ok",
			map[uint64]string{1: "invalid", 2: "invalid"}),
		seq("the same list in two forms", "snapshot cwt", "ok ok", map[uint64]string{1: "invalid", 2: "valid"}),
		seq("two lists of one moment, the all-valid one first", "swapped-all-valid snapshot", "ok status_rollback",
			map[uint64]string{1: "invalid", 3: "suspended", 4: "suspended", 5: "valid"}),
		seq("two lists of one moment, the all-valid one last", "snapshot swapped-all-valid", "ok status_rollback",
			map[uint64]string{1: "invalid", 3: "suspended", 4: "suspended", 5: "valid"}),
		seq("a revocation taken back in one pack", "snapshot unrevoking-cwt", "ok ok",
			map[uint64]string{1: "status_unrevoked", 2: "valid", 4: "valid"}),
		seq("a revocation taken back, newer list first", "unrevoking-cwt snapshot", "ok ok",
			map[uint64]string{1: "status_unrevoked", 2: "valid", 4: "valid"}),
		seq("a revocation taken back in a later pack", "snapshot | unrevoking-cwt", "ok - ok",
			map[uint64]string{1: "status_unrevoked", 2: "valid"}),
		seq("a revocation taken back stays noticed", "snapshot | unrevoking-cwt | later-unrevoking-cwt", "ok - ok - ok",
			map[uint64]string{1: "status_unrevoked", 2: "valid"}),
		seq("a suspension lifted is no revocation taken back", "snapshot delta", "ok ok", map[uint64]string{4: "valid"}),
		seq("a list that shrank", "snapshot shrunk-cwt", "ok status_rollback",
			map[uint64]string{1: "invalid", 63: "invalid"}),
		seq("a list that shrank, in a later pack", "snapshot | shrunk-cwt", "ok - status_rollback",
			map[uint64]string{1: "status_unknown"}),
		seq("a delta met twice", "snapshot delta delta", "ok ok status_rollback", map[uint64]string{2: "invalid"}),
		seq("a delta after a list as new as it", "later-cwt delta", "ok status_rollback", map[uint64]string{2: "invalid"}),
	}
}

// Helpers that build what our own writer never would.

// pairs builds a CBOR map of encoded keys and values in the order given.
func pairs(kv ...[]byte) []byte {
	return append(cbor.AppendMap(nil, len(kv)/2), bytes.Join(kv, nil)...)
}

func num(n int64) []byte   { return cbor.AppendInt(nil, n) }
func txt(s string) []byte  { return cbor.AppendText(nil, s) }
func bstr(b []byte) []byte { return cbor.AppendBytes(nil, b) }

func deflated(raw []byte) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, 9)
	w.Write(raw)
	w.Close()
	return b.Bytes()
}

// without returns kv less the pair of this key.
func without(kv [][]byte, key []byte) [][]byte { return with(kv, key, nil) }

// with returns kv with the value of key replaced.
func with(kv [][]byte, key, value []byte) [][]byte {
	var out [][]byte
	for i := 0; i < len(kv); i += 2 {
		switch {
		case !bytes.Equal(kv[i], key):
			out = append(out, kv[i], kv[i+1])
		case value != nil:
			out = append(out, key, value)
		}
	}
	return out
}

// sign builds tag([protected, unprotected, payload, signature]).
func sign(tag string, protected, unprotected, payload []byte) string {
	tbs := bytes.Join([][]byte{{0x84}, txt("Signature1"), bstr(protected), bstr(nil), bstr(payload)}, nil)
	sig := ed25519.Sign(testKey(), tbs)
	head := map[string][]byte{"18": {0xd2}, "17": {0xd1}, "61(18": {0xd8, 0x3d, 0xd2}, "": nil}[tag]
	msg := bytes.Join([][]byte{head, {0x84}, bstr(protected), unprotected, bstr(payload), bstr(sig)}, nil)
	return base64.RawURLEncoding.EncodeToString(msg)
}

func makeVectors(t testing.TB) []vector {
	k := coseKey(t, testKey())
	var all []vector
	add := func(v vector) { all = append(all, v) }
	all = append(all, tokens(t, k)...)
	for _, v := range compacts(t, k) {
		add(v)
	}
	return all
}

// entries: 1 and 63 invalid, 3 and 4 suspended, of 64.
func entries() []byte {
	raw := make([]byte, 16)
	raw[0], raw[1], raw[15] = 0b10_00_01_00, 0b00_00_00_10, 0b01_00_00_00
	return raw
}

// tokens are the vectors of the standard's two forms.
func tokens(t testing.TB, k *cose.Key) (all []vector) {
	id := k.ID()
	alg, kid, typ := num(1), num(4), num(16)
	header := [][]byte{alg, num(-8), kid, bstr(id[:]), typ, txt("application/statuslist+cwt")}
	list := func(kv ...[]byte) []byte { return pairs(kv...) }
	good := list(txt("lst"), bstr(deflated(entries())), txt("bits"), num(2))
	claims := [][]byte{num(2), txt(testURI), num(4), num(iat + 90*day), num(6), num(iat), num(65533), good, num(65534), num(day)}
	usual := map[uint64]string{0: "valid", 1: "invalid", 3: "suspended", 4: "suspended", 5: "valid", 63: "invalid", 64: "status_index_out_of_range"}

	cwt := func(name, want string, kv [][]byte) {
		v := vector{Name: name, Form: "cwt", List: sign("18", pairs(header...), pairs(), pairs(kv...)), Want: want}
		if want == "ok" {
			v.Look = usual
		}
		all = append(all, v)
	}
	wrapped := func(name, want, tag string, protected, unprotected []byte) {
		v := vector{Name: name, Form: "cwt", List: sign(tag, protected, unprotected, pairs(claims...)), Want: want}
		if want == "ok" {
			v.Look = usual
		}
		all = append(all, v)
	}
	cwt("cwt", "ok", claims)
	cwt("cwt-claims-in-another-order", "ok", append(append([][]byte{}, claims[4:]...), claims[:4]...))
	cwt("cwt-other-claims-ignored", "ok", append([][]byte{num(1), txt("https://s.example"), txt("x"), pairs(num(1), num(2))}, claims...))
	cwt("cwt-aggregation-uri", "ok", with(claims, num(65533), list(txt("bits"), num(2), txt("lst"), bstr(deflated(entries())), txt("aggregation_uri"), txt("https://s.example/all"))))
	cwt("cwt-without-exp-and-ttl", "ok", without(without(claims, num(4)), num(65534)))
	cwt("cwt-stored-block", "ok", with(claims, num(65533), list(txt("lst"), bstr(stored(entries())), txt("bits"), num(2))))
	wrapped("cwt-kid-unprotected", "ok", "18", pairs(alg, num(-8), typ, txt("application/statuslist+cwt")), pairs(kid, bstr(id[:])))
	wrapped("cwt-fully-specified-alg", "ok", "18", pairs(with(header, alg, num(-19))...), pairs())

	// THREATS 4.1, status: idx 1234 of a large list, and the order of bits.
	large := make([]byte, 1<<17/4)
	large[1234/4] = 0b11_00_11_11 // every entry of the byte but 1234, which is its third
	large[0] = 0b01_00_00_00      // the highest bits: read the wrong way they are entry 0
	cwt("cwt-bit-order-trap", "ok", with(claims, num(65533), list(txt("lst"), bstr(deflated(large)), txt("bits"), num(2))))
	all[len(all)-1].Look = map[uint64]string{0: "valid", 3: "invalid", 1234: "valid", 1233: "suspended"}
	for width, raw := range map[int][]byte{1: {0b0000_0010}, 2: {0b10_01_11_00}, 4: {0x10, 0x3f, 0x02}, 8: {0, 1, 2, 3, 255}} {
		looks := map[int]map[uint64]string{
			1: {0: "valid", 1: "invalid", 2: "valid", 7: "valid", 8: "status_index_out_of_range"},
			2: {0: "valid", 1: "suspended", 2: "invalid", 3: "suspended", 4: "status_index_out_of_range"},
			4: {0: "valid", 1: "invalid", 2: "suspended", 3: "suspended", 4: "suspended", 5: "valid", 6: "status_index_out_of_range"},
			8: {0: "valid", 1: "invalid", 2: "suspended", 3: "suspended", 4: "suspended", 5: "status_index_out_of_range"}}
		cwt(fmt.Sprintf("cwt-%d-bits", width), "ok", with(claims, num(65533), list(txt("lst"), bstr(deflated(raw)), txt("bits"), num(int64(width)))))
		all[len(all)-1].Look = looks[width]
	}
	sortTail(all, 4)

	cwt("cwt-of-another-uri", "status_wrong_list", with(claims, num(2), txt("https://s.example/2")))
	cwt("cwt-90-days-old", "status_stale", without(claims, num(4)))
	all[len(all)-1].At, all[len(all)-1].MaxAge = iat+90*day, 7*day
	cwt("cwt-expired", "status_stale", claims)
	all[len(all)-1].At = iat + 90*day
	cwt("cwt-issued-later", "status_not_yet_valid", claims)
	all[len(all)-1].At = iat - 1
	cwt("cwt-too-short-for-1234", "ok", claims)
	all[len(all)-1].Look = map[uint64]string{1234: "status_index_out_of_range", 1 << 63: "status_index_out_of_range"}

	lst := func(name, want string, value []byte) {
		cwt(name, want, with(claims, num(65533), list(txt("lst"), value, txt("bits"), num(2))))
	}
	z := deflated(entries())
	lst("cwt-lst-text", "status_malformed", txt("eNrbuRgAAhcBXQ"))
	lst("cwt-lst-empty", "status_malformed", bstr(nil))
	lst("cwt-lst-no-entries", "status_malformed", bstr(deflated(nil)))
	lst("cwt-lst-cut", "status_malformed", bstr(z[:len(z)-1]))
	lst("cwt-lst-trailing", "status_malformed", bstr(append(bytes.Clone(z), 0)))
	lst("cwt-lst-checksum", "status_malformed", bstr(append(bytes.Clone(z[:len(z)-1]), z[len(z)-1]^1)))
	lst("cwt-lst-raw-deflate", "status_malformed", bstr(z[2:len(z)-4]))
	lst("cwt-lst-over-2^24-entries", "too_large", bstr(deflated(make([]byte, status.MaxSize/4+1))))
	lst("cwt-lst-bstr-of-2^64-1", "status_malformed", []byte{0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	cwt("cwt-lst-missing", "status_malformed", with(claims, num(65533), list(txt("bits"), num(2))))
	cwt("cwt-lst-twice", "status_malformed", with(claims, num(65533), list(txt("lst"), bstr(z), txt("bits"), num(2), txt("lst"), bstr(z))))
	for _, c := range []struct {
		name  string
		value []byte
	}{{"text", txt("2")}, {"0", num(0)}, {"3", num(3)}, {"16", num(16)}, {"minus-2", num(-2)}, {"float", cbor.AppendFloat(nil, 2)}, {"2^63", cbor.AppendUint(nil, 1<<63)}} {
		cwt("cwt-bits-"+c.name, "status_malformed", with(claims, num(65533), list(txt("lst"), bstr(z), txt("bits"), c.value)))
	}
	cwt("cwt-bits-missing", "status_malformed", with(claims, num(65533), list(txt("lst"), bstr(z))))
	cwt("cwt-list-missing", "status_malformed", without(claims, num(65533)))
	cwt("cwt-list-array", "status_malformed", with(claims, num(65533), append([]byte{0x82}, append(num(2), bstr(z)...)...)))
	cwt("cwt-sub-missing", "status_malformed", without(claims, num(2)))
	cwt("cwt-sub-bytes", "status_malformed", with(claims, num(2), bstr([]byte(testURI))))
	cwt("cwt-sub-empty", "status_malformed", with(claims, num(2), txt("")))
	cwt("cwt-sub-2-KiB", "status_malformed", with(claims, num(2), txt(strings.Repeat("u", 2048))))
	cwt("cwt-iat-missing", "status_malformed", without(claims, num(6)))
	cwt("cwt-iat-0", "status_malformed", with(claims, num(6), num(0)))
	cwt("cwt-iat-negative", "status_malformed", with(claims, num(6), num(-1)))
	cwt("cwt-iat-float", "status_malformed", with(claims, num(6), cbor.AppendFloat(nil, iat+0.5)))
	cwt("cwt-iat-tag-1", "status_malformed", with(claims, num(6), append([]byte{0xc1}, num(iat)...)))
	cwt("cwt-iat-in-milliseconds", "status_malformed", with(claims, num(6), num(iat*1000)))
	cwt("cwt-exp-before-iat", "status_malformed", with(claims, num(4), num(iat)))
	cwt("cwt-exp-text", "status_malformed", with(claims, num(4), txt("2291720170")))
	cwt("cwt-exp-2^64-1", "status_malformed", with(claims, num(4), cbor.AppendUint(nil, 1<<64-1)))
	cwt("cwt-exp-undefined", "status_malformed", with(claims, num(4), []byte{0xf7}))
	cwt("cwt-ttl-0", "status_malformed", with(claims, num(65534), num(0)))
	cwt("cwt-ttl-negative", "status_malformed", with(claims, num(65534), num(-60)))
	cwt("cwt-claim-twice", "status_malformed", append(append([][]byte{}, claims...), num(2), txt("https://s.example/2")))

	raw := func(name, want string, payload []byte) {
		all = append(all, vector{Name: name, Form: "cwt", List: sign("18", pairs(header...), pairs(), payload), Want: want})
	}
	raw("cwt-claims-array", "status_malformed", []byte{0x80})
	raw("cwt-claims-empty", "status_malformed", nil)
	raw("cwt-claims-trailing", "status_malformed", append(pairs(claims...), 0))
	raw("cwt-claims-indefinite", "status_malformed", append(append([]byte{0xbf}, pairs(claims...)[1:]...), 0xff))

	wrapped("cwt-tag-61", "bad_cose", "61(18", pairs(header...), pairs())
	wrapped("cwt-untagged", "bad_cose", "", pairs(header...), pairs())
	wrapped("cwt-tag-17", "bad_cose", "17", pairs(header...), pairs())
	wrapped("cwt-typ-missing", "wrong_typ", "18", pairs(without(header, typ)...), pairs())
	wrapped("cwt-typ-unprotected", "wrong_typ", "18", pairs(without(header, typ)...), pairs(typ, txt("application/statuslist+cwt")))
	wrapped("cwt-typ-of-the-jwt", "wrong_typ", "18", pairs(with(header, typ, txt("statuslist+jwt"))...), pairs())
	wrapped("cwt-typ-of-a-snapshot", "wrong_typ", "18", pairs(with(header, typ, txt("application/aidpass-snapshot+cose"))...), pairs())
	wrapped("cwt-alg-missing", "alg_missing", "18", pairs(without(header, alg)...), pairs(alg, num(-8)))
	wrapped("cwt-alg-0", "alg_not_allowed", "18", pairs(with(header, alg, num(0))...), pairs())
	wrapped("cwt-alg-HMAC", "alg_not_allowed", "18", pairs(with(header, alg, num(5))...), pairs())
	wrapped("cwt-alg-of-another-key", "alg_key_mismatch", "18", pairs(with(header, alg, num(-7))...), pairs())
	wrapped("cwt-crit-unknown", "crit_not_understood", "18", pairs(append(append([][]byte{}, header...), txt("x"), num(1), num(2), append([]byte{0x81}, txt("x")...))...), pairs())
	wrapped("cwt-kid-missing", "kid_missing", "18", pairs(without(header, kid)...), pairs())
	wrapped("cwt-kid-unknown", "unknown_key", "18", pairs(with(header, kid, bstr([]byte("someone")))...), pairs())
	wrapped("cwt-kid-protected-wins", "unknown_key", "18", pairs(with(header, kid, bstr([]byte("someone")))...), pairs(num(33), bstr(id[:])))
	changed := decode(t, all[0].List)
	changed[len(changed)-70]++
	all = append(all, vector{Name: "cwt-changed-after-signing", Form: "cwt", List: base64.RawURLEncoding.EncodeToString(changed), Want: "bad_signature"})

	// Lists for the sequences.
	cwt("later-cwt", "ok", with(with(with(claims, num(65533), list(txt("lst"), bstr(deflated(later())), txt("bits"), num(2))), num(6), num(iat+day)), num(4), num(iat+100*day)))
	all[len(all)-1].Look = map[uint64]string{2: "invalid", 4: "valid"}
	cwt("unrevoking-cwt", "ok", with(with(claims, num(65533), list(txt("lst"), bstr(deflated(make([]byte, 16))), txt("bits"), num(2))), num(6), num(iat+2*day)))
	all[len(all)-1].Look = map[uint64]string{1: "valid"}
	cwt("later-unrevoking-cwt", "ok", with(with(claims, num(65533), list(txt("lst"), bstr(deflated(make([]byte, 16))), txt("bits"), num(2))), num(6), num(iat+3*day)))
	all[len(all)-1].Look = map[uint64]string{1: "valid"}
	cwt("shrunk-cwt", "ok", with(with(claims, num(65533), list(txt("lst"), bstr(deflated(entries()[:8])), txt("bits"), num(2))), num(6), num(iat+day)))
	all[len(all)-1].Look = map[uint64]string{1: "invalid", 63: "status_index_out_of_range"}
	cwt("swapped-all-valid", "ok", with(claims, num(65533), list(txt("lst"), bstr(deflated(make([]byte, 16))), txt("bits"), num(2))))
	all[len(all)-1].Look = map[uint64]string{1: "valid"}

	return append(all, jwts(k, usual)...)
}

// sortTail puts the last n vectors, which came out of a map, in order.
func sortTail(all []vector, n int) {
	tail := all[len(all)-n:]
	for i := range tail {
		for j := i; j > 0 && tail[j].Name < tail[j-1].Name; j-- {
			tail[j], tail[j-1] = tail[j-1], tail[j]
		}
	}
}

// stored is raw as one stored block of deflate.
func stored(raw []byte) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.NoCompression)
	w.Write(raw)
	w.Close()
	return b.Bytes()
}

// later is entries with 2 invalid, 4 valid and 8 suspended.
func later() []byte {
	raw := entries()
	raw[0] |= 0b00_01_00_00
	raw[1] = 0
	raw[2] = 0b00_00_00_10
	return raw
}

func jwts(k *cose.Key, usual map[uint64]string) (all []vector) {
	b64 := base64.RawURLEncoding
	lst := b64.EncodeToString(deflated(entries()))
	header := `{"alg":"EdDSA","kid":"` + jose.KeyID(k) + `","typ":"statuslist+jwt"}`
	claims := fmt.Sprintf(`{"exp":%d,"iat":%d,"status_list":{"bits":2,"lst":"%s"},"sub":"%s","ttl":86400}`, iat+90*day, iat, lst, testURI)
	jwt := func(name, want, header, claims string) {
		tbs := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(claims))
		v := vector{Name: name, Form: "jwt", List: tbs + "." + b64.EncodeToString(ed25519.Sign(testKey(), []byte(tbs))), Want: want}
		if want == "ok" {
			v.Look = usual
		}
		all = append(all, v)
	}
	swap := func(old, new string) string {
		if !strings.Contains(claims, old) {
			panic(old)
		}
		return strings.Replace(claims, old, new, 1)
	}
	jwt("jwt", "ok", header, claims)
	jwt("jwt-other-claims-ignored", "ok", header, swap(`{"exp"`, `{"iss":"https://s.example","EXP":1,"exp"`))
	jwt("jwt-aggregation-uri", "ok", header, swap(`{"bits"`, `{"aggregation_uri":"https://s.example/all","bits"`))
	jwt("jwt-without-exp-and-ttl", "ok", header, fmt.Sprintf(`{"iat":%d,"status_list":{"bits":2,"lst":"%s"},"sub":"%s"}`, iat, lst, testURI))
	jwt("jwt-of-another-uri", "status_wrong_list", header, swap(testURI, "https://s.example/2"))
	jwt("jwt-expired", "status_stale", header, claims)
	all[len(all)-1].At = iat + 90*day
	jwt("jwt-alg-none", "alg_not_allowed", `{"alg":"none","kid":"`+jose.KeyID(k)+`","typ":"statuslist+jwt"}`, claims)
	all[len(all)-1].List = all[len(all)-1].List[:strings.LastIndexByte(all[len(all)-1].List, '.')+1]
	jwt("jwt-alg-HS256", "alg_not_allowed", strings.Replace(header, "EdDSA", "HS256", 1), claims)
	jwt("jwt-alg-missing", "alg_missing", strings.Replace(header, `"alg":"EdDSA",`, "", 1), claims)
	jwt("jwt-alg-of-another-key", "alg_key_mismatch", strings.Replace(header, "EdDSA", "ES256", 1), claims)
	jwt("jwt-alg-twice", "duplicate_key", strings.Replace(header, "{", `{"alg":"none",`, 1), claims)
	jwt("jwt-crit", "crit_not_understood", strings.Replace(header, "{", `{"crit":["x"],"x":1,`, 1), claims)
	jwt("jwt-typ-JWT", "wrong_typ", strings.Replace(header, "statuslist+jwt", "JWT", 1), claims)
	jwt("jwt-typ-long-form", "wrong_typ", strings.Replace(header, "statuslist+jwt", "application/statuslist+jwt", 1), claims)
	jwt("jwt-kid-missing", "kid_missing", `{"alg":"EdDSA","typ":"statuslist+jwt"}`, claims)
	jwt("jwt-kid-unknown", "unknown_key", `{"alg":"EdDSA","jku":"https://evil.example","kid":"x","typ":"statuslist+jwt"}`, claims)
	jwt("jwt-padding", "bad_jose", header, claims)
	all[len(all)-1].List += "=="
	jwt("jwt-changed-after-signing", "bad_signature", header, claims)
	part := strings.Split(all[0].List, ".")
	all[len(all)-1].List = part[0] + "." + b64.EncodeToString([]byte(swap(testURI, "https://s.example/2"))) + "." + part[2]
	for _, c := range []struct{ name, claims, want string }{
		{"bits-text", swap(`"bits":2`, `"bits":"2"`), "status_malformed"},
		{"bits-float", swap(`"bits":2`, `"bits":2.0`), "status_malformed"},
		{"bits-3", swap(`"bits":2`, `"bits":3`), "status_malformed"},
		{"bits-missing", swap(`"bits":2,`, ``), "status_malformed"},
		{"lst-missing", swap(`,"lst":"`+lst+`"`, ``), "status_malformed"},
		{"lst-padded", swap(lst, lst+"="), "status_malformed"},
		{"lst-standard-alphabet", swap(lst, "eN+/"), "status_malformed"},
		{"lst-number", swap(`"`+lst+`"`, `1`), "status_malformed"},
		{"lst-over-2^24-entries", swap(lst, b64.EncodeToString(deflated(make([]byte, status.MaxSize/4+1)))), "too_large"},
		{"list-array", swap(`{"bits":2,"lst":"`+lst+`"}`, `[2]`), "status_malformed"},
		{"sub-missing", swap(`"sub"`, `"SUB"`), "status_malformed"},
		{"sub-number", swap(`"`+testURI+`"`, `1`), "status_malformed"},
		{"iat-missing", swap(`"iat"`, `"Iat"`), "status_malformed"},
		{"iat-text", swap(`"iat":1790000000`, `"iat":"1790000000"`), "status_malformed"},
		{"iat-exponent", swap(`"iat":1790000000`, `"iat":179e7`), "status_malformed"},
		{"exp-text", swap(`"exp":1797776000`, `"exp":"1797776000"`), "status_malformed"},
		{"exp-null", swap(`"exp":1797776000`, `"exp":null`), "status_malformed"},
		{"exp-before-iat", swap(`"exp":1797776000`, `"exp":1789999999`), "status_malformed"},
		{"ttl-0", swap(`"ttl":86400`, `"ttl":0`), "status_malformed"},
		{"ttl-negative", swap(`"ttl":86400`, `"ttl":-1`), "status_malformed"},
		{"claim-twice", swap(`{"exp"`, `{"sub":"https://s.example/2","exp"`), "status_malformed"},
		{"claims-array", `[]`, "status_malformed"},
		{"claims-not-json", `exp=1`, "status_malformed"},
	} {
		jwt("jwt-"+c.name, c.want, header, c.claims)
	}
	return all
}
