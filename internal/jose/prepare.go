package jose

import (
	"fmt"

	"aidpass/internal/cose"
)

// Prepared is a token that lacks only its signature, so that the bytes to be
// signed can be recorded first and signed anywhere.
type Prepared struct {
	key *cose.Key
	tbs []byte
}

// KeyID is the kid we write for k: the base64url of its COSE key id, so that
// one trust list serves both forms.
func KeyID(k *cose.Key) string {
	id := k.ID()
	return EncodeBase64(id[:])
}

// Prepare builds the token of type typ that k will sign.
//
// payload is one JSON object, checked as a reader would within lim. The header
// holds alg (EdDSA for an Ed25519 key, the name every reader knows), kid unless
// it is "", typ and more, sorted by name. Prepare returns the faults of ParseJSON; ErrCrit
// if more holds crit.
func Prepare(k *cose.Key, typ, kid string, payload []byte, lim Limits, more ...Member) (*Prepared, error) {
	v, err := ParseJSON(payload, lim)
	if err != nil {
		return nil, fmt.Errorf("jose: prepare claims: %w", err)
	}
	if v.Kind != Object {
		return nil, malformed("the claims are not an object")
	}
	name := ""
	for _, a := range algs {
		if a.alg == k.Alg() {
			name = a.name
		}
	}
	header := ObjectOf(append([]Member{{"alg", StringOf(name)}, {"typ", StringOf(typ)}}, more...)...)
	if kid != "" {
		header.Members = append(header.Members, Member{"kid", StringOf(kid)})
	}
	raw := header.Sorted().Append(nil)
	if err := new(Token).readHeader(raw); err != nil {
		return nil, fmt.Errorf("jose: prepare header: %w", err)
	}
	tbs := append(AppendBase64(nil, raw), '.')
	return &Prepared{key: k, tbs: AppendBase64(tbs, payload)}, nil
}

// ToBeSigned is the exact text to sign: with SHA-256 and ECDSA for a P-256
// key, as it is for Ed25519. The caller must not change it.
func (p *Prepared) ToBeSigned() []byte { return p.tbs }

// Attach checks sig (64 bytes, as cose.SignRaw returns it) and returns the
// finished token. A signature by another key, or of other bytes, is
// ErrSignature.
func (p *Prepared) Attach(sig []byte) ([]byte, error) {
	if p.key.Verify(p.key.Alg(), p.tbs, sig, false) != nil {
		return nil, ErrSignature
	}
	out := make([]byte, 0, len(p.tbs)+1+len(sig)*4/3+1)
	return AppendBase64(append(append(out, p.tbs...), '.'), sig), nil
}
