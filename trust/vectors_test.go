package trust_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"

	"aidpass/internal/cbor"
	"aidpass/trust"
	"aidpass/words"
)

// testdata/vectors/trust-list.json holds lists that any implementation of
// docs/formats/trust-list.md can read: opened with the anchors given, each gets
// the reason given, and these entries refused. The file is data: it is compared
// with what this test makes, and written anew only by
//
//	go test ./trust -run Vectors -update
var update = flag.Bool("update", false, "write the vectors anew")

const vectorFile = "testdata/vectors/trust-list.json"

type vector struct {
	Name    string        `json:"name"`
	Anchors string        `json:"anchors"` // CBOR, hex; f6: trust on first use
	List    string        `json:"list"`    // hex
	Reason  words.Reason  `json:"reason"`  // ok: it opens
	Faults  []vectorFault `json:"faults,omitempty"`
}

type vectorFault struct {
	Organisation string       `json:"organisation"`
	KID          string       `json:"kid"`
	Reason       words.Reason `json:"reason"`
}

func vectors(t *testing.T) []vector {
	pinned := anchorSet(t, 2, "1", "2", "3")
	plain := rawList(t, rawOrg(orgA, good("else")))
	listed := func(keys ...[]byte) []byte {
		return signPayload(t, rawList(t, rawOrg(orgA, append(keys, good("else"))...)), "1", "2")
	}
	low, _ := hex.DecodeString(lowOrder[0])
	leaked := append(pub(p256("leaked")).Append(nil), 0x23)
	leaked[0]++
	leaked = cbor.AppendBytes(leaked, make([]byte, 32))
	named := func(name string) []byte {
		return rawKeyNamed(pub(ed(name)).Append(nil), trust.UseCard, trust.ProfileForeign169, "key-1")
	}
	cut := signPayload(t, plain, "1", "2")
	changed := bytes.Clone(cut)
	changed[len(changed)/2] ^= 1
	grown := append(bytes.Clone(plain), 10, 1)
	grown[0]++
	d2 := draft1(t)
	must(t, d2.SetAnchors(anchorSet(t, 2, "3", "4", "5")))
	handover := encode(t, d2)

	var out []vector
	add := func(name string, a trust.Anchors, list []byte) {
		v := vector{Name: name, Anchors: hex.EncodeToString(a.Append(nil)), List: hex.EncodeToString(list), Reason: words.OK}
		l, err := trust.Open(list, a)
		var r *trust.Refusal
		switch {
		case errors.As(err, &r):
			v.Reason = r.Reason
		case err != nil:
			t.Fatal(err)
		default:
			for _, f := range l.Faults {
				v.Faults = append(v.Faults, vectorFault{f.Org, hex.EncodeToString(f.KID), f.Reason})
			}
		}
		out = append(out, v)
	}
	add("plain", pinned, cut)
	add("plain, on first use", trust.Anchors{}, cut)
	add("the whole world", pinned, sign(t, draft1(t), "1", "3"))
	add("one signature of two", pinned, signPayload(t, plain, "1"))
	add("a stranger's signature", pinned, signPayload(t, plain, "1", "stranger"))
	add("cut", pinned, cut[:len(cut)-1])
	add("a byte more", pinned, append(bytes.Clone(cut), 0))
	add("a bit changed", pinned, changed)
	add("a member of a later version", pinned, signPayload(t, grown, "1", "2"))
	add("sequence not in shortest form", pinned, signPayload(t, bytes.Replace(plain, []byte{2, 1, 3}, []byte{2, 0x18, 1, 3}, 1), "1", "2"))
	add("organisations out of order", pinned, signPayload(t, rawList(t, rawOrg(orgB), rawOrg(orgA)), "1", "2"))
	add("new anchors, signed by both", pinned, signPayload(t, handover, "1", "2", "4", "5"))
	add("new anchors, signed by the old alone", pinned, signPayload(t, handover, "1", "2"))
	add("new anchors, signed by the new alone", pinned, signPayload(t, handover, "4", "5"))
	add("a key of two uses", pinned, listed(good("twice"), rawKey(pub(p256("twice")).Append(nil), trust.UseStatus, 0)))
	add("two keys of one id", pinned, listed(named("x"), named("y")))
	add("a low-order key", pinned, listed(rawKey(append([]byte{0xa3, 1, 1, 0x20, 6, 0x21, 0x58, 32}, low...), trust.UseCard, 1)))
	add("the point at infinity", pinned, listed(rawKey(ec2(make([]byte, 32), make([]byte, 32)), trust.UseCard, 1)))
	add("a private part", pinned, listed(rawKey(leaked, trust.UseCard, 1)))
	add("secp256k1", pinned, listed(rawKey(append(cbor.AppendBytes([]byte{0xa4, 1, 2, 0x20, 8, 0x21}, low), append([]byte{0x22, 0x58, 32}, low...)...), trust.UseCard, 1)))
	add("an unknown use", pinned, listed(rawKey(pub(p256("x")).Append(nil), 9, 0)))
	return out
}

func TestVectors(t *testing.T) {
	got, err := json.MarshalIndent(vectors(t), "", " ")
	must(t, err)
	got = append(got, '\n')
	if *update {
		must(t, os.MkdirAll("testdata/vectors", 0o755))
		must(t, os.WriteFile(vectorFile, got, 0o644))
	}
	want, err := os.ReadFile(vectorFile)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s says otherwise; see the difference after go test ./trust -run Vectors -update", vectorFile)
	}
}
