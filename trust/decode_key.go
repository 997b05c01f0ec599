package trust

import (
	"bytes"
	"crypto/sha256"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// readKeyBytes reads a COSE_Key of exactly the required members.
func readKeyBytes(raw []byte) (*cose.Key, error) {
	k, err := cose.ParseKey(raw)
	if err != nil {
		return nil, err
	}
	var buf [96]byte
	if !bytes.Equal(k.Append(buf[:0]), raw) {
		return nil, refuse(words.BadKey, "a COSE_Key with more members than it needs")
	}
	return k, nil
}

// keyIDOf computes the id of a COSE_Key that may not be usable, so that a card
// signed with it meets "refused" and not "unknown". raw is deterministic; nil
// where the required members are not there. RFC 9679 3.
func keyIDOf(raw []byte) []byte {
	var m cbor.MapBuilder
	r := cbor.NewReader(raw)
	for n := r.Map(); n > 0; n-- {
		label, value := r.Raw(), r.Raw()
		switch l := cbor.NewReader(label); l.Int() {
		case 1, -1, -2, -3: // kty, crv, x, y
			m.Put(label, value)
		}
	}
	b, err := m.Append(nil)
	if r.Err() != nil || err != nil || m.Len() < 3 {
		return nil
	}
	h := sha256.Sum256(b)
	return h[:8:8]
}

// readKey reads one key entry. With an error it still returns the key id, if
// the entry has one.
func readKey(raw []byte) (*Key, error) {
	k := &Key{}
	var bad, badKey error
	var kid []byte
	r := cbor.NewReader(raw)
	err := members(&r, 1<<1|1<<2|1<<3|1<<4|1<<5|1<<6, 1<<7|1<<8|1<<9, func(label uint64) {
		switch label {
		case 1:
			b := r.Raw()
			if k.Key, badKey = readKeyBytes(b); badKey == nil {
				id := k.Key.ID()
				k.KID = id[:]
			} else {
				k.KID = keyIDOf(b)
			}
		case 2:
			k.Use = Use(min(r.Uint(), 255))
		case 3:
			k.Profile = Profile(min(r.Uint(), 255))
		case 4:
			k.NotBefore = readTime(&r, &bad)
		case 5:
			k.NotAfter = readTime(&r, &bad)
		case 6:
			k.State = State(min(r.Uint(), 255))
		case 7:
			k.AcceptUntil = readTime(&r, &bad)
		case 8:
			k.Since = readTime(&r, &bad)
		case 9:
			kid = r.Bytes()
		}
	})
	k.listed = k.State
	if n := len(kid); kid != nil && (n == 0 || n > cose.MaxKeyID) {
		return k, refuse(words.BadClaims, "a key id of %d bytes", n)
	}
	named := kid != nil && !bytes.Equal(kid, k.KID)
	if kid != nil {
		k.KID = bytes.Clone(kid)
	}
	switch {
	case badKey != nil:
		return k, badKey // what is wrong with the key itself tells most
	case err != nil:
		return k, err
	case bad != nil:
		return k, bad
	case kid != nil && !named:
		return k, refuse(words.NonCanonical, "the key id is written out where it need not be")
	}
	return k, k.check()
}

// check tells what is wrong with a key entry whose members are of their kinds.
func (k *Key) check() error {
	switch {
	case !k.Use.valid():
		return refuse(words.UnsupportedVersion, "use %d is not known", k.Use)
	case k.Profile > ProfileForeign169:
		return refuse(words.UnsupportedVersion, "profile %d is not known", k.Profile)
	case k.State < Active || k.State > Compromised:
		return refuse(words.UnsupportedVersion, "state %d is not known", k.State)
	case !k.Profile.fits(k.Use):
		return refuse(words.BadClaims, "a %s key cannot have profile %s", k.Use, k.Profile)
	case !k.plainKID() && !mayNameKID(k.Use, k.Profile):
		return refuse(words.BadClaims, "a %s key of profile %s has no id of its own", k.Use, k.Profile)
	case k.Use == UseSeal && k.Key.Alg() != cose.ES256:
		return refuse(words.AlgNotAllowed, "sealing needs a P-256 key")
	case k.NotBefore > k.NotAfter:
		return refuse(words.BadClaims, "it ends before it begins")
	case (k.State == Retired) != (k.AcceptUntil != 0):
		return refuse(words.BadClaims, "accept-until belongs to retired keys, and they need it")
	case (k.State == Active) != (k.Since == 0):
		return refuse(words.BadClaims, "since belongs to retired and compromised keys, and they need it")
	}
	return nil
}
