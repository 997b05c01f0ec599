//go:build !js

package enrol

import (
	"fmt"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// Seal returns the answer that only the holder of key opens.
func Seal(a Answer, key *cose.Key) ([]byte, error) {
	public, err := key.ECDH()
	if err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	plain := cbor.AppendBytes(cbor.AppendArray(nil, 2), a.Certificate)
	plain = cbor.AppendBytes(plain, a.Pack)
	kid := key.ID()
	box, err := cose.SealTo(public, answerInfo(kid[:]), plain)
	if err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	b := cbor.AppendBytes(cbor.AppendText(cbor.AppendArray(nil, 3), answerLabel), kid[:])
	b = cbor.AppendBytes(b, box)
	if len(b) > MaxAnswerBytes {
		return nil, fmt.Errorf("enrol: an answer of %d bytes", len(b))
	}
	return b, nil
}
