package trust

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// Anchors are the keys that sign a trust list: K of Keys must. The zero value
// means that none are known yet.
type Anchors struct {
	K    int
	Keys []*cose.Key // different, sorted by thumbprint; see NewAnchors
}

// NewAnchors returns the set with its keys in order. k is at least 1 and at
// most the number of keys, which are different and at most MaxAnchors.
func NewAnchors(k int, keys ...*cose.Key) (Anchors, error) {
	a := Anchors{K: k, Keys: slices.Clone(keys)}
	if slices.Contains(a.Keys, nil) {
		return Anchors{}, fmt.Errorf("trust: an anchor key is nil")
	}
	slices.SortFunc(a.Keys, compareKeys)
	if why := a.fault(); why != "" {
		return Anchors{}, fmt.Errorf("trust: anchors: %s", why)
	}
	return a, nil
}

func compareKeys(a, b *cose.Key) int {
	x, y := a.Thumbprint(), b.Thumbprint()
	return bytes.Compare(x[:], y[:])
}

// fault says what is wrong with the set, "" if nothing is.
func (a Anchors) fault() string {
	switch {
	case len(a.Keys) == 0 || len(a.Keys) > MaxAnchors:
		return fmt.Sprintf("%d keys, need 1 to %d", len(a.Keys), MaxAnchors)
	case a.K < 1 || a.K > len(a.Keys):
		return fmt.Sprintf("%d of %d keys cannot sign", a.K, len(a.Keys))
	}
	for i := 1; i < len(a.Keys); i++ {
		switch c := compareKeys(a.Keys[i-1], a.Keys[i]); {
		case c == 0:
			return "one key twice"
		case c > 0:
			return "keys not in the order of their thumbprints"
		}
	}
	return ""
}

// Equal reports whether both sets hold the same keys and ask for the same number.
func (a Anchors) Equal(b Anchors) bool {
	return a.K == b.K && slices.EqualFunc(a.Keys, b.Keys, func(x, y *cose.Key) bool { return compareKeys(x, y) == 0 })
}

// Has reports whether k is one of the anchors.
func (a Anchors) Has(k *cose.Key) bool {
	return slices.ContainsFunc(a.Keys, func(x *cose.Key) bool { return compareKeys(x, k) == 0 })
}

// Append appends the set as it stands in a list, {1: k, 2: [+ key]}. The zero
// value is null.
func (a Anchors) Append(dst []byte) []byte {
	if a.K == 0 {
		return cbor.AppendNull(dst)
	}
	dst = cbor.AppendMap(dst, 2)
	dst = cbor.AppendUint(append(dst, 1), uint64(a.K))
	dst = cbor.AppendArray(append(dst, 2), len(a.Keys))
	for _, k := range a.Keys {
		dst = k.Append(dst)
	}
	return dst
}

// ParseAnchors reads what Append writes. Any fault in the set is a *Refusal:
// unlike the entries of a list, anchors are good together or not at all.
func ParseAnchors(b []byte) (Anchors, error) {
	if err := cbor.CheckDeterministic(b, listLimits); err != nil {
		return Anchors{}, refuseFor(err, "anchors")
	}
	r := cbor.NewReader(b)
	if r.Kind() == cbor.Null {
		return Anchors{}, nil
	}
	return readAnchors(&r)
}

// readAnchors reads a set from bytes that passed a check.
func readAnchors(r *cbor.Reader) (Anchors, error) {
	var a Anchors
	var bad error
	err := members(r, 1<<1|1<<2, 0, func(label uint64) {
		if label == 1 {
			a.K = int(min(r.Uint(), MaxAnchors+1))
			return
		}
		n := r.Array()
		if n > MaxAnchors {
			bad = refuse(words.TooLarge, "%d anchor keys, at most %d", n, MaxAnchors)
			n = 0
		}
		for ; n > 0 && bad == nil; n-- {
			var k *cose.Key
			if k, bad = readKeyBytes(r.Raw()); bad == nil {
				a.Keys = append(a.Keys, k)
			}
		}
	})
	switch {
	case bad != nil:
		return Anchors{}, refuseFor(bad, "anchors")
	case err != nil:
		return Anchors{}, refuseFor(err, "anchors")
	}
	if why := a.fault(); why != "" {
		return Anchors{}, refuse(words.BadClaims, "anchors: %s", why)
	}
	return a, nil
}

// Fingerprint is what a device pins when it meets a consortium first:
// SHA-256 of CBOR ["aidpass-anchors-1", anchors]. A set of other keys, or of
// another k, has another.
func (a Anchors) Fingerprint() [32]byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendText(b, "aidpass-anchors-1")
	return sha256.Sum256(a.Append(b))
}

// Words is the fingerprint in six words, for paper and screens. It shows 60
// bits: enough for people who compare it, not for programs.
func (a Anchors) Words() string {
	f := a.Fingerprint()
	return HashWords(f[:])
}

// signers returns those of the set that signed m.
func (a Anchors) signers(m *cose.Multi) []*cose.Key { return m.Signers(a.Keys) }

// signed refuses m unless K of the set signed it. whose names the set.
func (a Anchors) signed(m *cose.Multi, whose string) error {
	if n := len(a.signers(m)); n < a.K || a.K < 1 {
		return refuse(words.TrustListBadSignature, "signed by %d of %s, %d needed", n, whose, a.K)
	}
	return nil
}
