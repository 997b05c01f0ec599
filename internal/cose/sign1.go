package cose

import (
	"fmt"

	"aidpass/internal/cbor"
)

// Sign1 is a COSE_Sign1 message, not yet proven. Slices alias the bytes read.
type Sign1 struct {
	// Tagged18 and Tagged61 say which tags stood before the array.
	Tagged18, Tagged61 bool
	// ProtectedRaw is the content of the protected byte string as received.
	ProtectedRaw           []byte
	Protected, Unprotected Header
	Payload                []byte
	// Signature is of any length; Verify refuses all but 64 bytes.
	Signature []byte

	form cbor.Form // of the message and of its protected header
}

// ParseSign1 reads a COSE_Sign1 message that anyone may have written.
//
//	61( 18( [ protected bstr, unprotected map, payload bstr, signature bstr ] ) )
//
// Tag 18 may be missing, and tag 61 may stand before tag 18 alone. ParseSign1
// checks the shape, the headers and that the algorithm is one we allow; what
// only our own profile demands is left to Strict. A message without a key id
// is read; an empty or overlong key id is a fault. The payload must be there
// (no detached payload) and is not looked into.
//
// It returns the faults above from ErrMalformed to ErrKeyIDTooLong, or a CBOR
// fault; cbor.ErrNonCanonical where a length is indefinite. Nothing allocates.
//
// RFC 9052 4.2, RFC 8392 6.
func ParseSign1(b []byte) (Sign1, error) {
	var m Sign1
	form, err := cbor.Check(b, cbor.DefaultLimits)
	if err != nil {
		return m, wrapCBOR(err)
	}
	m.form = form
	r := cbor.NewReader(b)
	if r.Kind() == cbor.Tag {
		tag := r.Tag()
		if tag == tagCWT {
			m.Tagged61 = true
			// RFC 8392 6: the CWT tag prefixes a tagged COSE message.
			if r.Kind() != cbor.Tag {
				return m, malformed("tag 61 without tag 18")
			}
			tag = r.Tag()
		}
		if tag != tagSign1 {
			return m, malformed("another tag than 18")
		}
		m.Tagged18 = true
	}
	if r.Kind() != cbor.Array {
		return m, malformed("not an array")
	}
	if form&cbor.Indefinite != 0 {
		// The reader takes definite lengths only; see what kind of fault it is.
		return m, fmt.Errorf("cose: indefinite length: %w", cbor.ErrNonCanonical)
	}
	if r.Array() != 4 {
		return m, malformed("not an array of 4")
	}
	unprotectedRaw, err := m.readHeaders(&r)
	if err != nil {
		return m, err
	}
	if r.Kind() != cbor.Bytes {
		return m, malformed("the payload is not a byte string")
	}
	m.Payload = r.Bytes()
	if r.Kind() != cbor.Bytes {
		return m, malformed("the signature is not a byte string")
	}
	m.Signature = r.Bytes()
	if !r.Done() {
		return m, malformed("unreadable")
	}
	return m, checkBuckets(m.ProtectedRaw, unprotectedRaw, &m.Protected, &m.Unprotected)
}

const (
	tagSign1 = 18
	tagSign  = 98
	tagCWT   = 61
)

func (m *Sign1) readHeaders(r *cbor.Reader) (unprotectedRaw []byte, err error) {
	if r.Kind() != cbor.Bytes {
		return nil, malformed("the protected header is not a byte string")
	}
	m.ProtectedRaw = r.Bytes()
	form, err := parseProtected(m.ProtectedRaw, &m.Protected)
	if err != nil {
		return nil, err
	}
	m.form |= form
	if r.Kind() != cbor.Map {
		return nil, malformed("the unprotected header is not a map")
	}
	unprotectedRaw = r.Raw()
	return unprotectedRaw, m.Unprotected.parse(unprotectedRaw)
}

// parseProtected reads the content of a protected byte string. No bytes at all
// are an empty map (RFC 9052 3).
func parseProtected(raw []byte, h *Header) (cbor.Form, error) {
	if len(raw) == 0 {
		return 0, nil
	}
	form, err := cbor.Check(raw, cbor.DefaultLimits)
	if err != nil {
		return 0, wrapCBOR(err)
	}
	if form&cbor.Indefinite != 0 {
		return form, fmt.Errorf("cose: indefinite length: %w", cbor.ErrNonCanonical)
	}
	return form, h.parse(raw)
}

func wrapCBOR(err error) error { return fmt.Errorf("cose: %w", err) }

// KeyID is the key id the message names; the protected one wins. It may be nil.
func (m *Sign1) KeyID() []byte {
	if m.Protected.HasKeyID {
		return m.Protected.KeyID
	}
	return m.Unprotected.KeyID
}

// Strict checks that m is written as our cards are: tag 18 alone, deterministic,
// protected header exactly {alg, kid}, nothing unprotected. A typ header is
// ErrType: it says that the signature stands for another kind of object.
func (m *Sign1) Strict() error { return m.StrictType("") }

// StrictType is Strict for an object of ours that has a type: its protected
// header is exactly {alg, kid, typ}, and typ is the one asked for.
func (m *Sign1) StrictType(typ string) error {
	switch {
	case m.form != 0:
		return fmt.Errorf("cose: %w", cbor.ErrNonCanonical)
	case !m.Tagged18 || m.Tagged61:
		return malformed("our own objects carry tag 18 and no other")
	case m.Unprotected.Len != 0:
		return ErrUnprotected
	case m.Protected.HasType != (typ != "") || string(m.Protected.Type) != typ:
		return ErrType
	case !m.Protected.HasKeyID:
		return ErrKeyIDMissing
	case m.Protected.Others != 0:
		return malformed("a protected header we do not write")
	case m.Protected.Alg != ES256 && m.Protected.Alg != EdDSA:
		return fmt.Errorf("%w: we write -7 and -8", ErrAlgNotAllowed)
	}
	return nil
}

// AppendToBeSigned appends the bytes the signature of m stands for. aad is the
// external_aad; nil is the empty string.
//
// RFC 9052 4.4.
func (m *Sign1) AppendToBeSigned(dst, aad []byte) []byte {
	return appendSigStructure(dst, m.ProtectedRaw, aad, m.Payload)
}

// appendSigStructure appends ["Signature1", protected, aad, payload].
func appendSigStructure(dst, protected, aad, payload []byte) []byte {
	dst = append(dst, 0x84)
	dst = cbor.AppendText(dst, "Signature1")
	dst = cbor.AppendBytes(dst, canonicalEmpty(protected))
	dst = cbor.AppendBytes(dst, aad)
	return cbor.AppendBytes(dst, payload)
}

// canonicalEmpty makes the empty protected map a zero-length string, however
// it was sent: RFC 9052 4.4, step 2 (cose-wg sign-pass-01).
func canonicalEmpty(protected []byte) []byte {
	if len(protected) == 1 && protected[0] == 0xa0 {
		return nil
	}
	return protected
}

// Verify checks the signature of m with k. The bytes to be signed are put
// together in scratch (its length is ignored; nil is allowed), so that a
// caller who keeps one of cap len(message)+32 allocates nothing. See Key.Verify
// for lowS and the faults.
func (m *Sign1) Verify(k *Key, scratch, aad []byte, lowS bool) error {
	return k.Verify(m.Protected.Alg, m.AppendToBeSigned(scratch[:0], aad), m.Signature, lowS)
}

// OpenTyped reads an object of ours of type typ and checks its signature.
//
// typ is the whole media type, as "application/aidpass-manifest+cose". find
// returns the key for a key id, or nil. The payload aliases b; whether it is
// deterministic is the caller's to check. Faults are those of ParseSign1 and
// StrictType, ErrUnknownKey, and those of Verify (low-s is required).
func OpenTyped(b []byte, typ string, find func(kid []byte) *Key) (payload []byte, key *Key, err error) {
	m, err := ParseSign1(b)
	if err != nil {
		return nil, nil, err
	}
	if err := m.StrictType(typ); err != nil {
		return nil, nil, err
	}
	k := find(m.KeyID())
	if k == nil {
		return nil, nil, fmt.Errorf("%w %x", ErrUnknownKey, m.KeyID())
	}
	if err := m.Verify(k, nil, nil, true); err != nil {
		return nil, nil, err
	}
	return m.Payload, k, nil
}
