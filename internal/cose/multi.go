package cose

import (
	"bytes"
	"fmt"

	"aidpass/internal/cbor"
)

// Multi is a COSE_Sign message: one payload and the separate signatures of
// several parties, none of them proven yet. Slices alias the bytes read.
type Multi struct {
	BodyProtectedRaw []byte
	Payload          []byte
	Type             []byte
	Signatures       []Signature
}

// Signature is one of the signatures of a Multi.
type Signature struct {
	ProtectedRaw []byte
	Alg          Alg
	KeyID        []byte
	Value        []byte
}

// ParseMulti reads a COSE_Sign message of ours.
//
//	98( [ bstr .cbor {16: typ}, {}, payload bstr, [ + [ bstr .cbor {1: alg, 4: kid}, {}, bstr ] ] ] )
//
// It is strict: deterministic, nothing unprotected, exactly these headers.
// More than maxSignatures signatures are cbor.ErrTooLarge. Several signatures
// may name one key; Count counts each key once.
//
// RFC 9052 4.1.
func ParseMulti(b []byte, maxSignatures int) (Multi, error) {
	var m Multi
	if err := cbor.CheckDeterministic(b, cbor.DefaultLimits); err != nil {
		return m, wrapCBOR(err)
	}
	r := cbor.NewReader(b)
	if r.Kind() != cbor.Tag || r.Tag() != tagSign {
		return m, malformed("not tag 98")
	}
	if r.Kind() != cbor.Array || r.Array() != 4 {
		return m, malformed("not an array of 4")
	}
	var body Header
	raw, err := readStrictHeaders(&r, &body)
	if err != nil {
		return m, err
	}
	if body.Len != 1 || body.Type == nil {
		return m, ErrType
	}
	m.BodyProtectedRaw, m.Type = raw, body.Type
	if r.Kind() != cbor.Bytes {
		return m, malformed("the payload is not a byte string")
	}
	m.Payload = r.Bytes()
	if r.Kind() != cbor.Array {
		return m, malformed("the signatures are not an array")
	}
	n := r.Array()
	switch {
	case n == 0:
		return m, malformed("no signature")
	case n > maxSignatures:
		return m, fmt.Errorf("cose: %d signatures, at most %d: %w", n, maxSignatures, cbor.ErrTooLarge)
	}
	m.Signatures = make([]Signature, n)
	for i := range m.Signatures {
		if err := m.Signatures[i].read(&r); err != nil {
			return Multi{}, err
		}
	}
	if !r.Done() {
		return Multi{}, malformed("unreadable")
	}
	return m, nil
}

// readStrictHeaders reads a protected byte string into h and an empty
// unprotected map.
func readStrictHeaders(r *cbor.Reader, h *Header) (raw []byte, err error) {
	if r.Kind() != cbor.Bytes {
		return nil, malformed("a protected header is not a byte string")
	}
	raw = r.Bytes()
	form, err := parseProtected(raw, h)
	switch {
	case err != nil:
		return nil, err
	case form != 0:
		return nil, wrapCBOR(cbor.ErrNonCanonical)
	case r.Kind() != cbor.Map:
		return nil, malformed("an unprotected header is not a map")
	case r.Map() != 0:
		return nil, ErrUnprotected
	}
	return raw, nil
}

func (s *Signature) read(r *cbor.Reader) error {
	if r.Kind() != cbor.Array || r.Array() != 3 {
		return malformed("a signature is not an array of 3")
	}
	var h, none Header
	raw, err := readStrictHeaders(r, &h)
	if err != nil {
		return err
	}
	if err := checkBuckets(raw, nil, &h, &none); err != nil {
		return err
	}
	switch {
	case !h.HasKeyID:
		return ErrKeyIDMissing
	case h.Len != 2:
		return malformed("a protected header we do not write")
	case h.Alg != ES256 && h.Alg != EdDSA:
		return fmt.Errorf("%w: we write -7 and -8", ErrAlgNotAllowed)
	case r.Kind() != cbor.Bytes:
		return malformed("a signature is not a byte string")
	}
	*s = Signature{ProtectedRaw: raw, Alg: h.Alg, KeyID: h.KeyID, Value: r.Bytes()}
	return nil
}

// Signers returns those of keys that signed m, each once, in the order given.
// A key signs under its own id only; low-s is required.
func (m *Multi) Signers(keys []*Key) []*Key {
	var signed []*Key
	var tbs []byte
	for i, k := range keys {
		if k == nil || containsKey(keys[:i], k) {
			continue
		}
		id := k.ID()
		for _, s := range m.Signatures {
			if !bytes.Equal(s.KeyID, id[:]) {
				continue
			}
			tbs = appendMultiStructure(tbs[:0], m.BodyProtectedRaw, s.ProtectedRaw, m.Payload)
			if k.Verify(s.Alg, tbs, s.Value, true) == nil {
				signed = append(signed, k)
				break
			}
		}
	}
	return signed
}

// Count is the number of different keys among keys that signed m. One key
// counts once however often it signed or is listed.
func (m *Multi) Count(keys []*Key) int { return len(m.Signers(keys)) }

func containsKey(keys []*Key, k *Key) bool {
	for _, o := range keys {
		if o != nil && o.thumb == k.thumb {
			return true
		}
	}
	return false
}

// appendMultiStructure appends
// ["Signature", body_protected, sign_protected, external_aad, payload], the
// bytes one signer of a COSE_Sign signs (RFC 9052 4.4). We use no external_aad.
func appendMultiStructure(dst, body, sign, payload []byte) []byte {
	dst = append(dst, 0x85)
	dst = cbor.AppendText(dst, "Signature")
	dst = cbor.AppendBytes(dst, canonicalEmpty(body))
	dst = cbor.AppendBytes(dst, canonicalEmpty(sign))
	dst = append(dst, 0x40)
	return cbor.AppendBytes(dst, payload)
}
