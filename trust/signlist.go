//go:build !js

package trust

import (
	"crypto"
	"fmt"

	"aidpass/internal/cose"
)

// SignList returns the list with the signatures of these signers: with one, the
// file that a custodian sends back. Merge brings the files together.
func SignList(payload []byte, signers ...crypto.Signer) ([]byte, error) {
	p, err := PrepareList(payload)
	if err != nil {
		return nil, err
	}
	if len(signers) == 0 {
		return nil, fmt.Errorf("trust: nobody signs the list")
	}
	for _, s := range signers {
		k, err := cose.NewKey(s.Public())
		if err != nil {
			return nil, fmt.Errorf("trust: signing the list: %w", err)
		}
		sig, err := cose.SignRaw(s, p.ToBeSigned(k))
		if err != nil {
			return nil, fmt.Errorf("trust: signing the list: %w", err)
		}
		if err := p.Add(k, sig); err != nil {
			return nil, fmt.Errorf("trust: signing the list: %w", err)
		}
	}
	return p.Append(nil), nil
}
