//go:build !js

package verifier

import (
	"crypto/ecdh"
	"fmt"
	"io"

	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// LockAudiences seals keys to one device behind an operator's code: a pack part
// of kind PartAudience. random is read for salt and nonce.
func LockAudiences(u *Unlocked, org, site string, device *ecdh.PublicKey, code []byte, random io.Reader) ([]byte, error) {
	n := 1
	if u.ContentKey != nil {
		n++
	}
	if len(u.SiteKeys) > 0 {
		n++
	}
	if len(u.SiteKeys) > maxSiteKeys {
		return nil, fmt.Errorf("verifier: %d site keys, at most %d", len(u.SiteKeys), maxSiteKeys)
	}
	b := cbor.AppendMap(nil, n)
	b = cbor.AppendArray(cbor.AppendInt(b, 1), len(u.Audiences))
	for _, a := range u.Audiences {
		if len(a.Key) != cwt.EpochKeyBytes {
			return nil, fmt.Errorf("verifier: epoch key of %d bytes", len(a.Key))
		}
		if a.Until <= a.From || a.Until-a.From > MaxEpoch {
			return nil, fmt.Errorf("verifier: epoch %d of group %q lasts longer than six months", a.Epoch, a.Group)
		}
		b = cbor.AppendText(cbor.AppendText(cbor.AppendArray(b, 6), a.Issuer), a.Group)
		b = cbor.AppendInt(cbor.AppendInt(cbor.AppendUint(b, a.Epoch), int64(a.From)), int64(a.Until))
		b = cbor.AppendBytes(b, a.Key)
	}
	if u.ContentKey != nil {
		b = cbor.AppendBytes(cbor.AppendInt(b, 2), u.ContentKey)
	}
	if len(u.SiteKeys) > 0 {
		b = cbor.AppendArray(cbor.AppendInt(b, 3), len(u.SiteKeys))
		for _, key := range u.SiteKeys {
			if len(key) != SiteKeyBytes {
				return nil, fmt.Errorf("verifier: site key of %d bytes", len(key))
			}
			b = cbor.AppendBytes(b, key)
		}
	}
	var fresh [28]byte // salt 16, nonce 12
	if _, err := io.ReadFull(random, fresh[:]); err != nil {
		return nil, fmt.Errorf("verifier: reading randomness: %w", err)
	}
	aead, err := codeCipher(code, fresh[:16], unlockIterations)
	if err != nil {
		return nil, err
	}
	info := unlockInfo(org, site)
	box := aead.Seal(fresh[16:28:28], fresh[16:28], b, info)
	locked := cbor.AppendBytes(cbor.AppendArray(nil, 3), fresh[:16])
	locked = cbor.AppendBytes(cbor.AppendUint(locked, unlockIterations), box)
	return cose.SealTo(device, info, locked)
}
