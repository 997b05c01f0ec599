package cose

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"aidpass/internal/cbor"
)

// COSE_Key labels and values (RFC 9052 7, RFC 9053 7).
const (
	keyKty, keyKid, keyAlg         = 1, 2, 3
	keyCrv, keyX, keyY, keyD       = -1, -2, -3, -4
	ktyOKP, ktyEC2                 = 1, 2
	crvP256, crvEd25519            = 1, 6
	coordinate                     = 32               // bytes of x, of y, and of an Ed25519 key
	uncompressed                   = 1 + 2*coordinate // 04 || x || y
	keyLimitDepth, keyLimitEntries = 2, 16
)

// Key is a public key that passed every check: a P-256 point, or an Ed25519
// key of large order. It cannot be changed and is safe for concurrent use.
type Key struct {
	ec    *p256Key // P-256, or nil
	ed    ed25519.PublicKey
	bytes [uncompressed]byte // 04 || x || y; for Ed25519 the key in [1:33]
	thumb [32]byte
}

// newP256 takes the uncompressed point.
func newP256(point []byte) (*Key, error) {
	// Refuses the point at infinity, compressed points, coordinates over the
	// field prime and points off the curve.
	pub, err := parseP256(point)
	if err != nil {
		return nil, fmt.Errorf("%w: not a point of P-256", ErrBadKey)
	}
	k := &Key{ec: pub}
	copy(k.bytes[:], point)
	k.seal()
	return k, nil
}

func newEd25519(pub []byte) (*Key, error) {
	if err := checkEd25519(pub); err != nil {
		return nil, err
	}
	k := &Key{}
	copy(k.bytes[1:], pub)
	k.ed = ed25519.PublicKey(k.bytes[1 : 1+coordinate])
	k.seal()
	return k, nil
}

// seal computes the thumbprint: SHA-256 over the deterministic encoding of the
// required members alone, so that no kid or alg can change a key's name.
//
// RFC 9679 3.
func (k *Key) seal() {
	var buf [80]byte
	k.thumb = sha256.Sum256(k.Append(buf[:0]))
}

// ParseKey reads a public COSE_Key.
//
// b is one deterministic CBOR map holding exactly kty, crv, x (and y for
// P-256), and at most kid and alg beside them; kid is ignored, since a key's
// id is computed from it. Faults: CBOR faults, ErrPrivateKey, ErrAlgNotAllowed
// for other key types, curves and algorithms, ErrBadKey for the rest.
//
// RFC 9052 7, RFC 9053 7.1 and 7.2.
func ParseKey(b []byte) (*Key, error) {
	if err := cbor.CheckDeterministic(b, cbor.Limits{Depth: keyLimitDepth, Entries: keyLimitEntries}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadKey, err)
	}
	m, err := readKeyMembers(b)
	switch {
	case err != nil:
		return nil, err
	case m.private:
		return nil, ErrPrivateKey
	case m.kty == 0 || m.crv == 0 && (m.kty == ktyEC2 || m.kty == ktyOKP):
		return nil, fmt.Errorf("%w: no key type or curve", ErrBadKey) // 0 is reserved for both
	case m.kty == ktyEC2 && m.crv == crvP256:
		return m.p256()
	case m.kty == ktyOKP && m.crv == crvEd25519:
		return m.ed25519()
	}
	return nil, fmt.Errorf("%w: key type %d, curve %d", ErrAlgNotAllowed, m.kty, m.crv)
}

// keyMembers is what stands in a COSE_Key, before any judgement.
type keyMembers struct {
	kty, crv, alg   int64
	hasAlg, private bool
	x, y            []byte
	other           bool // a label we have no use for, or a member of the wrong kind
}

func readKeyMembers(b []byte) (m keyMembers, err error) {
	r := cbor.NewReader(b)
	if r.Kind() != cbor.Map {
		return m, fmt.Errorf("%w: not a map", ErrBadKey)
	}
	for n := r.Map(); n > 0; n-- {
		if !isInt(r.Kind()) {
			m.other = true
			r.Skip()
			r.Skip()
			continue
		}
		label := r.Int()
		kind := r.Kind()
		switch {
		case label == keyD:
			m.private = true
			r.Skip()
		case label == keyKty && isInt(kind):
			m.kty = r.Int()
		case label == keyCrv && isInt(kind):
			m.crv = r.Int()
		case label == keyAlg && isInt(kind):
			m.alg, m.hasAlg = r.Int(), true
		case label == keyX && kind == cbor.Bytes:
			m.x = r.Bytes()
		case label == keyY && kind == cbor.Bytes:
			// A bool here is the sign of a compressed point: refused as other.
			m.y = r.Bytes()
		case label == keyKid && kind == cbor.Bytes:
			r.Skip()
		default:
			m.other = true
			r.Skip()
		}
	}
	if r.Err() != nil {
		return m, fmt.Errorf("%w: %w", ErrBadKey, r.Err())
	}
	return m, nil
}

func (m *keyMembers) p256() (*Key, error) {
	if m.other || len(m.x) != coordinate || len(m.y) != coordinate {
		return nil, fmt.Errorf("%w: a P-256 key is kty, crv and 32-byte x and y", ErrBadKey)
	}
	point := make([]byte, 0, uncompressed)
	point = append(point, 4)
	point = append(point, m.x...)
	point = append(point, m.y...)
	return m.fit(newP256(point))
}

func (m *keyMembers) ed25519() (*Key, error) {
	if m.other || len(m.x) != coordinate || m.y != nil {
		return nil, fmt.Errorf("%w: an Ed25519 key is kty, crv and 32-byte x", ErrBadKey)
	}
	return m.fit(newEd25519(m.x))
}

// fit checks the alg a key may name for itself.
func (m *keyMembers) fit(k *Key, err error) (*Key, error) {
	switch {
	case err != nil || !m.hasAlg || k.Accepts(Alg(m.alg)):
		return k, err
	case !Alg(m.alg).signs():
		return nil, fmt.Errorf("%w: %d", ErrAlgNotAllowed, m.alg)
	}
	return nil, fmt.Errorf("%w: it names algorithm %d", ErrBadKey, m.alg)
}

func isInt(k cbor.Kind) bool { return k == cbor.Uint || k == cbor.Nint }

// Append appends k as a COSE_Key of the required members only, deterministic:
// what ParseKey reads and what the thumbprint is taken over.
func (k *Key) Append(dst []byte) []byte {
	if k.ec == nil {
		dst = append(dst, 0xa3, 0x01, ktyOKP, 0x20, crvEd25519, 0x21, 0x58, coordinate)
		return append(dst, k.ed...)
	}
	dst = append(dst, 0xa4, 0x01, ktyEC2, 0x20, crvP256, 0x21, 0x58, coordinate)
	dst = append(dst, k.bytes[1:1+coordinate]...)
	dst = append(dst, 0x22, 0x58, coordinate)
	return append(dst, k.bytes[1+coordinate:]...)
}

// Thumbprint is the COSE key thumbprint with SHA-256 (RFC 9679).
func (k *Key) Thumbprint() [32]byte { return k.thumb }

// Ed25519 is a copy of the key for forms other than COSE; nil for a P-256 key.
func (k *Key) Ed25519() ed25519.PublicKey {
	return append(ed25519.PublicKey(nil), k.ed...)
}

// ID is the key id we write: the first 8 bytes of the thumbprint.
func (k *Key) ID() [8]byte { return [8]byte(k.thumb[:8]) }

// Alg is the algorithm we write for this key: ES256 or EdDSA.
func (k *Key) Alg() Alg {
	if k.ec != nil {
		return ES256
	}
	return EdDSA
}

// Accepts reports whether a signature by k may name algorithm a.
func (k *Key) Accepts(a Alg) bool {
	if k.ec != nil {
		return a == ES256 || a == ESP256
	}
	return a == EdDSA || a == Ed25519
}
