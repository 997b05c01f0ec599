package status_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// coded is a set written by hand: [n, m, bits].
func coded(n, m uint64, bits ...byte) []byte {
	b := cbor.AppendUint(cbor.AppendUint([]byte{0x83}, n), m)
	return cbor.AppendBytes(b, bits)
}

// compacts are the vectors of snapshots and deltas. The sets of the controls
// were coded by hand after docs/formats/status.md.
func compacts(t testing.TB, k *cose.Key) (all []vector) {
	id := k.ID()
	header := func(typ string) []byte {
		return pairs(num(1), num(-8), num(4), bstr(id[:]), num(16), txt("application/aidpass-"+typ+"+cose"))
	}
	digest := func(b []byte) []byte { s := sha256.Sum256(b); return bstr(s[:]) }

	// Of 64 entries 1 and 63 are invalid: gaps 1 and 61. m = 4: 1 is 0 01 (no
	// ones, a zero, 1 in two bits); 61 is fifteen ones, a zero, 01.
	invalid := coded(2, 4, 0b001_11111, 0b11111111, 0b11_0_01_000)
	// 3 and 4 are suspended: gaps 3 and 0. m = 3, so remainder 0 takes one bit
	// and 1 and 2 take two (10, 11): 3 is 10 0, 0 is 0 0.
	suspended := coded(2, 3, 0b10_0_0_0_000)
	base := [][]byte{num(1), txt(testURI), num(2), num(iat), num(3), num(64), num(4), digest(entries()),
		num(5), invalid, num(6), suspended, num(7), num(iat + day)}
	usual := map[uint64]string{0: "valid", 1: "invalid", 3: "suspended", 4: "suspended", 63: "invalid", 64: "status_index_out_of_range"}

	snapshot := func(name, want string, kv [][]byte) {
		v := vector{Name: name, Form: "snapshot", List: sign("18", header("snapshot"), pairs(), pairs(kv...)), Want: want}
		if want == "ok" {
			v.Look = usual
		}
		all = append(all, v)
	}
	snapshot("snapshot", "ok", base)
	snapshot("snapshot-other-m", "ok", with(base, num(6), coded(2, 1, 0b1110_0_000)))
	snapshot("snapshot-largest-m", "ok", with(base, num(6), coded(2, 64, 0b0_000011_0, 0b000000_00)))
	snapshot("snapshot-of-another-uri", "status_wrong_list", with(base, num(1), txt("https://s.example/2")))
	snapshot("snapshot-uri-empty", "status_malformed", with(base, num(1), txt("")))
	snapshot("snapshot-iat-0", "status_malformed", with(base, num(2), num(0)))
	snapshot("snapshot-iat-in-milliseconds", "status_malformed", with(with(base, num(2), num(iat*1000)), num(7), num(iat*1001)))
	snapshot("snapshot-next-before-iat", "status_malformed", with(base, num(7), num(iat-1)))
	snapshot("snapshot-size-0", "status_malformed", with(base, num(3), num(0)))
	snapshot("snapshot-size-odd", "status_malformed", with(base, num(3), num(65)))
	snapshot("snapshot-size-other", "status_malformed", with(base, num(3), num(68)))
	snapshot("snapshot-size-over-2^24", "too_large", with(base, num(3), num(1<<24+4)))
	snapshot("snapshot-size-2^64-1", "too_large", with(base, num(3), cbor.AppendUint(nil, 1<<64-1)))
	snapshot("snapshot-digest-of-another", "status_malformed", with(base, num(4), digest(later())))
	snapshot("snapshot-digest-short", "status_malformed", with(base, num(4), bstr(make([]byte, 31))))
	snapshot("snapshot-digest-text", "status_malformed", with(base, num(4), txt("digest")))
	for _, c := range []struct {
		name string
		set  []byte
	}{
		{"overlap", coded(1, 64, 0b0_000001_0)},
		{"n-too-small", coded(1, 3, 0b10_0_0_0_000)},
		{"n-too-large", coded(3, 3, 0b10_0_0_0_000)},
		{"n-over-size", coded(65, 3, 0b10_0_0_0_000)},
		{"n-2^64-1", coded(1<<64-1, 3, 0b10_0_0_0_000)},
		{"m-0", coded(2, 0, 0b10_0_0_0_000)},
		{"m-over-size", coded(2, 65, 0b10_0_0_0_000)},
		{"m-2^64-1", coded(2, 1<<64-1, 0b10_0_0_0_000)},
		{"bits-missing", coded(2, 3)},
		{"padding-not-zero", coded(2, 3, 0b10_0_0_0_001)},
		{"a-byte-too-many", coded(2, 3, 0b10_0_0_0_000, 0)},
		{"past-the-end", coded(2, 64, 0b0_000011_1, 0b0_000000_0)},
		{"ones-for-ever", coded(2, 1, bytes.Repeat([]byte{0xff}, 5000)...)},
		{"cut-in-a-remainder", coded(2, 64, 0b0_000011_0)},
		{"empty-with-bits", coded(0, 1, 0)},
		{"empty-with-m-2", coded(0, 2)},
		{"two-members", []byte{0x82, 0, 1}},
		{"map", []byte{0xa1, 0, 1}},
		{"bits-text", []byte{0x83, 2, 3, 0x61, 0x80}},
	} {
		snapshot("snapshot-set-"+c.name, "status_malformed", with(base, num(6), c.set))
	}
	snapshot("snapshot-member-missing", "status_malformed", without(base, num(7)))
	snapshot("snapshot-member-more", "status_malformed", append(append([][]byte{}, base...), num(8), num(0)))
	snapshot("snapshot-member-renamed", "status_malformed", append(without(base, num(7)), num(8), num(iat+day)))
	snapshot("snapshot-members-unsorted", "status_malformed", append(append([][]byte{}, base[2:]...), base[:2]...))
	snapshot("snapshot-long-heads", "status_malformed", with(base, num(3), []byte{0x19, 0, 64}))
	message := func(name, want, form, list string) {
		all = append(all, vector{Name: name, Form: form, List: list, Want: want})
	}
	payload := pairs(base...)
	message("snapshot-tag-61", "bad_cose", "snapshot", sign("61(18", header("snapshot"), pairs(), payload))
	message("snapshot-untagged", "bad_cose", "snapshot", sign("", header("snapshot"), pairs(), payload))
	message("snapshot-typ-of-a-delta", "wrong_typ", "snapshot", sign("18", header("delta"), pairs(), payload))
	message("snapshot-typ-of-a-card", "wrong_typ", "snapshot", sign("18", pairs(num(1), num(-8), num(4), bstr(id[:])), pairs(), payload))
	message("snapshot-unprotected", "unprotected_not_allowed", "snapshot", sign("18", header("snapshot"), pairs(num(5), bstr(nil)), payload))
	message("snapshot-kid-unknown", "unknown_key", "snapshot",
		sign("18", pairs(num(1), num(-8), num(4), bstr([]byte("someone")), num(16), txt("application/aidpass-snapshot+cose")), pairs(), payload))
	raw := decode(t, all[0].List)
	raw[len(raw)-67]++ // the last byte of the next update
	message("snapshot-changed-after-signing", "bad_signature", "snapshot", base64.RawURLEncoding.EncodeToString(raw))
	message("snapshot-trailing", "trailing_data", "snapshot", all[0].List+"AAAA")
	message("snapshot-cut", "bad_cbor", "snapshot", all[0].List[:200])

	// The delta to later(): 2 becomes invalid, 8 suspended, 4 valid.
	change := [][]byte{num(1), txt(testURI), num(2), num(iat + day), num(3), num(64), num(4), digest(later()),
		num(5), coded(1, 64, 0b0_000010_0), num(6), coded(1, 64, 0b0_001000_0), num(7), num(iat + 2*day),
		num(8), coded(1, 64, 0b0_000100_0), num(9), digest(entries()), num(10), num(iat)}
	delta := func(name, want string, kv [][]byte) {
		v := vector{Name: name, Form: "delta", Base: "snapshot", List: sign("18", header("delta"), pairs(), pairs(kv...)), Want: want}
		if want == "ok" {
			v.Look = map[uint64]string{1: "invalid", 2: "invalid", 3: "suspended", 4: "valid", 8: "suspended", 63: "invalid"}
		}
		all = append(all, v)
	}
	delta("delta", "ok", change)
	delta("delta-to-another-uri", "status_wrong_list", with(change, num(1), txt("https://s.example/2")))
	delta("delta-to-another-digest", "status_wrong_list", with(change, num(9), digest(later())))
	delta("delta-to-another-iat", "status_wrong_list", with(change, num(10), num(iat+1)))
	delta("delta-to-another-size", "status_wrong_list", with(change, num(3), num(128)))
	delta("delta-not-newer", "status_rollback", with(with(change, num(2), num(iat)), num(10), num(iat-1)))
	delta("delta-before-its-base", "status_malformed", with(change, num(10), num(iat+day)))
	delta("delta-digest-of-another", "status_malformed", with(change, num(4), digest(entries())))
	delta("delta-unrevokes", "status_malformed", with(change, num(8), coded(2, 64, 0b0_000001_0, 0b000010_00)))
	delta("delta-suspends-an-invalid", "status_malformed", with(change, num(6), coded(2, 64, 0b0_000001_0, 0b000110_00)))
	delta("delta-suspends-a-suspended", "status_malformed", with(change, num(6), coded(2, 64, 0b0_000011_0, 0b000100_00)))
	delta("delta-revokes-an-invalid", "status_malformed", with(change, num(5), coded(2, 64, 0b0_000001_0, 0b000000_00)))
	delta("delta-one-entry-two-things", "status_malformed", with(change, num(6), coded(2, 64, 0b0_000010_0, 0b000101_00)))
	delta("delta-as-a-snapshot", "status_malformed", base)
	all = append(all, vector{Name: "delta-typ-of-a-snapshot", Form: "delta", Base: "snapshot",
		List: sign("18", header("snapshot"), pairs(), pairs(change...)), Want: "wrong_typ"})
	return all
}
