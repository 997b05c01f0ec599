package cose

import (
	"bytes"
	"fmt"

	"aidpass/internal/cbor"
)

// Prepared is a COSE_Sign1 message that lacks only its signature, so that the
// bytes to be signed can be recorded first and signed anywhere: in this
// process, in a token, in a browser.
type Prepared struct {
	key       *Key
	protected []byte
	payload   []byte
	tbs       []byte // Sig_structure; payload is its tail when aad is empty
}

// Prepare builds the message that k will sign, in our strict form.
//
// typ is the media type of a typed object, or "" for a card. payload is kept,
// not copied: it must not change until Attach. aad is the external_aad,
// normally nil.
func Prepare(k *Key, typ string, payload, aad []byte) *Prepared {
	p := &Prepared{key: k, payload: payload}
	p.protected = appendProtected(make([]byte, 0, 16+len(typ)), k, typ)
	p.tbs = appendSigStructure(make([]byte, 0, 48+len(p.protected)+len(aad)+len(payload)), p.protected, aad, payload)
	return p
}

// appendProtected appends {1: alg, 4: kid} or {1: alg, 4: kid, 16: typ}.
func appendProtected(dst []byte, k *Key, typ string) []byte {
	id := k.ID()
	n := 2
	if typ != "" {
		n = 3
	}
	dst = cbor.AppendMap(dst, n)
	dst = cbor.AppendInt(append(dst, labelAlg), int64(k.Alg()))
	dst = cbor.AppendBytes(append(dst, labelKid), id[:])
	if typ != "" {
		dst = cbor.AppendText(append(dst, labelTyp), typ)
	}
	return dst
}

// ToBeSigned is the exact Sig_structure to sign: with SHA-256 and ECDSA for a
// P-256 key, as it is for Ed25519. The caller must not change it.
func (p *Prepared) ToBeSigned() []byte { return p.tbs }

// Attach checks sig and returns the finished message, 18([...]).
//
// sig is 64 bytes; an ES256 signature may be of either form and is brought to
// the low one. A signature by another key, or of other bytes, is ErrSignature.
func (p *Prepared) Attach(sig []byte) ([]byte, error) {
	if len(sig) != SignatureSize {
		return nil, fmt.Errorf("%w: %d bytes, not %d", ErrSignature, len(sig), SignatureSize)
	}
	sig = lowForm(p.key, sig)
	if err := p.key.Verify(p.key.Alg(), p.tbs, sig, true); err != nil {
		return nil, err
	}
	return p.assemble(sig), nil
}

// AttachUnverified is Attach without the check of the signature, which costs
// two to three times what signing does. It is for a caller who gives the result
// to the verifier before anyone else sees it. sig must have 64 bytes.
func (p *Prepared) AttachUnverified(sig []byte) ([]byte, error) {
	if len(sig) != SignatureSize {
		return nil, fmt.Errorf("%w: %d bytes, not %d", ErrSignature, len(sig), SignatureSize)
	}
	return p.assemble(lowForm(p.key, sig)), nil
}

// lowForm returns a copy of sig, low-s for a P-256 key.
func lowForm(k *Key, sig []byte) []byte {
	sig = bytes.Clone(sig)
	if k.ec != nil {
		normalise(sig)
	}
	return sig
}

func (p *Prepared) assemble(sig []byte) []byte {
	b := make([]byte, 0, 24+len(p.protected)+len(p.payload)+len(sig))
	b = append(b, 0xd2, 0x84)
	b = cbor.AppendBytes(b, p.protected)
	b = append(b, 0xa0)
	b = cbor.AppendBytes(b, p.payload)
	return cbor.AppendBytes(b, sig)
}
