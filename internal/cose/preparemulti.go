package cose

import (
	"bytes"
	"fmt"
	"slices"

	"aidpass/internal/cbor"
)

// PreparedMulti gathers the signatures of a COSE_Sign message, one by one and
// perhaps on different machines.
type PreparedMulti struct {
	body       []byte // protected header of the body
	payload    []byte
	signatures []Signature // sorted by key id, one a key id
}

// PrepareMulti starts a message of type typ. payload is kept, not copied.
func PrepareMulti(typ string, payload []byte) *PreparedMulti {
	body := cbor.AppendMap(make([]byte, 0, 8+len(typ)), 1)
	body = cbor.AppendText(append(body, labelTyp), typ)
	return &PreparedMulti{body: body, payload: payload}
}

// ToBeSigned is what k has to sign; see SignRaw. It differs from key to key.
func (p *PreparedMulti) ToBeSigned(k *Key) []byte {
	var buf [32]byte
	sign := appendProtected(buf[:0], k, "")
	dst := make([]byte, 0, 64+len(p.body)+len(sign)+len(p.payload))
	return appendMultiStructure(dst, p.body, sign, p.payload)
}

// Add checks the 64-byte signature of k and keeps it, in place of an earlier
// one by the same key. A signature by another key is ErrSignature.
func (p *PreparedMulti) Add(k *Key, sig []byte) error {
	if len(sig) != SignatureSize {
		return fmt.Errorf("%w: %d bytes, not %d", ErrSignature, len(sig), SignatureSize)
	}
	sig = lowForm(k, sig)
	if err := k.Verify(k.Alg(), p.ToBeSigned(k), sig, true); err != nil {
		return err
	}
	id := k.ID()
	p.put(Signature{ProtectedRaw: appendProtected(nil, k, ""), Alg: k.Alg(), KeyID: id[:], Value: sig}, true)
	return nil
}

// AddFrom takes over the signatures of m, another copy of the same message. It
// cannot check them, since it is given no keys: Count the result. A signature
// already here is kept. A message that says something else is ErrType or
// ErrMalformed, and nothing is taken over.
func (p *PreparedMulti) AddFrom(m *Multi) error {
	switch {
	case !bytes.Equal(p.body, m.BodyProtectedRaw):
		return ErrType
	case !bytes.Equal(p.payload, m.Payload):
		return malformed("the two copies do not sign the same content")
	}
	for _, s := range m.Signatures {
		p.put(s, false)
	}
	return nil
}

func (p *PreparedMulti) put(s Signature, replace bool) {
	i, found := slices.BinarySearchFunc(p.signatures, s.KeyID, func(have Signature, kid []byte) int {
		return bytes.Compare(have.KeyID, kid)
	})
	switch {
	case !found:
		p.signatures = slices.Insert(p.signatures, i, s)
	case replace:
		p.signatures[i] = s
	}
}

// Append appends the message with the signatures gathered so far, sorted by
// key id. Without any it is a draft that ParseMulti refuses.
func (p *PreparedMulti) Append(dst []byte) []byte {
	dst = cbor.AppendTag(dst, tagSign)
	dst = append(dst, 0x84)
	dst = cbor.AppendBytes(dst, p.body)
	dst = append(dst, 0xa0)
	dst = cbor.AppendBytes(dst, p.payload)
	dst = cbor.AppendArray(dst, len(p.signatures))
	for _, s := range p.signatures {
		dst = append(dst, 0x83)
		dst = cbor.AppendBytes(dst, s.ProtectedRaw)
		dst = append(dst, 0xa0)
		dst = cbor.AppendBytes(dst, s.Value)
	}
	return dst
}
