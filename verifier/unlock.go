package verifier

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// Audience is one epoch key: it opens the sealed parts of one issuer's cards for
// one site group, inside its time.
type Audience struct {
	Issuer string
	Group  string
	Epoch  uint64
	From   credential.Time
	Until  credential.Time // at most 6 months after From
	Key    []byte          // cwt.EpochKeyBytes
}

// MaxEpoch is the longest life of an epoch key (DESIGN 4).
const MaxEpoch credential.Time = 184 * day

// Unlocked is what an operator's code on an enrolled device gives: audience keys
// and the key of the pack's own sealed parts.
type Unlocked struct {
	Audiences  []Audience
	ContentKey []byte // 16 bytes; nil: the pack has no sealed parts of its own

	// SiteKeys seal what the tables of the pack's site tell each other (visit.SealExchange):
	// SiteKeyBytes each, oldest first; the last one seals. Nil: they tell nothing.
	SiteKeys [][]byte
}

// SiteKeyBytes is the length of a site key, and maxSiteKeys how many a pack carries.
const (
	SiteKeyBytes = 32
	maxSiteKeys  = 8
)

// unlockIterations of PBKDF2-HMAC-SHA-256: a second or two on a cheap phone, once a shift.
const unlockIterations = 210_000

const maxUnlockIterations = 2_000_000

// ErrUnlock says that device and code do not open the part; it does not say which
// of the two was wrong.
var ErrUnlock = errors.New("verifier: this device and code do not open the sealed keys")

func unlockInfo(org, site string) []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendText(b, "aidpass-unlock-1")
	b = cbor.AppendText(b, org)
	return cbor.AppendText(b, site)
}

func codeCipher(code, salt []byte, iterations int) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sha256.New, string(code), salt, iterations, 16)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Unlock opens the pack's audience keys for this device with the operator's code.
func (p *Pack) Unlock(device cose.Recipient, code []byte) (*Unlocked, error) {
	info := unlockInfo(p.Org, p.Site)
	there := false
	for _, part := range p.Parts {
		if part.Kind != PartAudience {
			continue
		}
		there = true
		// Several operators of one device have a part each, behind their own codes.
		if locked, err := cose.OpenWith(device, info, part.Data); err == nil {
			if u, err := unlockWith(locked, info, code); err == nil {
				return u, nil
			}
		}
	}
	if !there {
		return nil, errors.New("verifier: the pack carries no sealed keys: build it for this device")
	}
	return nil, ErrUnlock
}

func unlockWith(locked, info, code []byte) (*Unlocked, error) {
	if err := cbor.CheckDeterministic(locked, cbor.DefaultLimits); err != nil {
		return nil, ErrUnlock
	}
	r := cbor.NewReader(locked)
	if r.Kind() != cbor.Array || r.Array() != 3 {
		return nil, ErrUnlock
	}
	salt, iterations, box := r.Bytes(), r.Uint(), r.Bytes()
	if r.Err() != nil || len(salt) != 16 || iterations == 0 || iterations > maxUnlockIterations || len(box) < 12+16 {
		return nil, ErrUnlock
	}
	aead, err := codeCipher(code, salt, int(iterations))
	if err != nil {
		return nil, ErrUnlock
	}
	plain, err := aead.Open(nil, box[:12], box[12:], info)
	if err != nil {
		return nil, ErrUnlock
	}
	return decodeUnlocked(plain)
}

func decodeUnlocked(b []byte) (*Unlocked, error) {
	if err := cbor.CheckDeterministic(b, partLimits); err != nil {
		return nil, ErrUnlock
	}
	var u Unlocked
	r := cbor.NewReader(b)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch r.Int() {
		case 1:
			for m := r.Array(); m > 0 && r.Err() == nil; m-- {
				if r.Array() != 6 {
					return nil, ErrUnlock
				}
				a := Audience{Issuer: string(r.Text()), Group: string(r.Text()), Epoch: r.Uint(),
					From: credential.Time(r.Int()), Until: credential.Time(r.Int()), Key: r.Bytes()}
				if len(a.Key) != cwt.EpochKeyBytes || a.From < 0 || a.Until <= a.From || a.Until-a.From > MaxEpoch {
					return nil, ErrUnlock
				}
				u.Audiences = append(u.Audiences, a)
			}
		case 2:
			if u.ContentKey = r.Bytes(); len(u.ContentKey) != 16 {
				return nil, ErrUnlock
			}
		case 3:
			for m := r.Array(); m > 0 && r.Err() == nil; m-- {
				u.SiteKeys = append(u.SiteKeys, r.Bytes())
				if len(u.SiteKeys) > maxSiteKeys || len(u.SiteKeys[len(u.SiteKeys)-1]) != SiteKeyBytes {
					return nil, ErrUnlock
				}
			}
		default:
			return nil, ErrUnlock
		}
	}
	if r.Err() != nil {
		return nil, ErrUnlock
	}
	return &u, nil
}

// maxAudiences tried on one card.
const maxAudiences = 64

// open tries the live epoch keys of the card's issuer. It returns the sealed
// claims and the epoch key that opened them, or nil.
func (u *Unlocked) open(c *credential.Credential, at credential.Time) (claims, epoch []byte) {
	tried := 0
	for i := range u.Audiences {
		a := &u.Audiences[i]
		if a.Issuer != string(c.Issuer) || at >= a.Until || tried == maxAudiences {
			continue
		}
		tried++
		if m, err := cwt.OpenPart(a.Key, c.Issuer, c.ID, c.Type, c.Sealed); err == nil {
			return m, a.Key
		}
	}
	return nil, nil
}
