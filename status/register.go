package status

import (
	"bytes"
	"errors"
	"fmt"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// Faults of writing.
var (
	ErrFinal = errors.New("status: an invalid entry stays invalid")
	ErrRange = errors.New("status: no such entry")
)

// MinPublished is the least size a published list should have: in a smaller one
// the entries of a few people stand out.
const MinPublished = 1 << 17

// Register is the issuer's side of a list: the state of every entry, to be
// published as tokens, snapshots and deltas. Not for concurrent use.
type Register struct {
	uri   string
	state *state
}

// state is shared by the registers of one list's forms.
type state struct {
	size uint64
	bits []byte
}

// NewRegister returns a list of size entries, all valid. uri is 1 to MaxURI
// bytes, size a multiple of 4 up to MaxSize (at least MinPublished, where people
// rely on it).
func NewRegister(uri string, size uint64) (*Register, error) {
	if err := checkShape(uri, size); err != nil {
		return nil, err
	}
	return &Register{uri, &state{size, make([]byte, size/4)}}, nil
}

// LoadRegister returns the list that Bits wrote down; it keeps a copy.
func LoadRegister(uri string, bits []byte) (*Register, error) {
	if err := checkShape(uri, uint64(len(bits))*4); err != nil {
		return nil, err
	}
	for i, b := range bits {
		if b&(b>>1)&0x55 != 0 {
			return nil, fmt.Errorf("status: list %q: byte %d holds a state that is none", uri, i)
		}
	}
	return &Register{uri, &state{uint64(len(bits)) * 4, bytes.Clone(bits)}}, nil
}

// checkShape: whole bytes only, so that a token, which does not say its size,
// and a snapshot, which does, say the same.
func checkShape(uri string, size uint64) error {
	if uri == "" || len(uri) > MaxURI {
		return fmt.Errorf("status: a list URI of %d bytes", len(uri))
	}
	if size == 0 || size > MaxSize || size%4 != 0 {
		return fmt.Errorf("status: list %q: %d entries: must be a multiple of 4, at most %d", uri, size, MaxSize)
	}
	return nil
}

// Twin returns the same entries under another URI: the standard wants one URI
// for each form, and the two forms of one credential share an index. What is
// set in one is set in both.
func (r *Register) Twin(uri string) (*Register, error) {
	if err := checkShape(uri, r.state.size); err != nil {
		return nil, err
	}
	return &Register{uri, r.state}, nil
}

// URI is what credentials call the list.
func (r *Register) URI() string { return r.uri }

// Size is the number of entries.
func (r *Register) Size() uint64 { return r.state.size }

// Bits is the bitmap as List.Bits, to be stored. The caller must not change it.
func (r *Register) Bits() []byte { return r.state.bits }

// Get returns the state of entry i, false past the end.
func (r *Register) Get(i uint64) (Value, bool) {
	if i >= r.state.size {
		return 0, false
	}
	return Value(r.state.bits[i/4] >> (i % 4 * 2) & 3), true
}

// Set changes entry i. It returns ErrFinal for an entry that is Invalid and is
// to be anything else, ErrRange past the end.
func (r *Register) Set(i uint64, v Value) error {
	old, ok := r.Get(i)
	switch {
	case !ok:
		return fmt.Errorf("%w: %d of list %q", ErrRange, i, r.uri)
	case v > Suspended:
		return fmt.Errorf("status: %d is no state", v)
	case old == Invalid && v != Invalid:
		return fmt.Errorf("%w: %d of list %q", ErrFinal, i, r.uri)
	}
	put(r.state.bits, i, v)
	return nil
}

// put writes entry i of a bitmap.
func put(bits []byte, i uint64, v Value) {
	shift := i % 4 * 2
	bits[i/4] = bits[i/4]&^(3<<shift) | byte(v)<<shift
}

// checkTimes is the sanity of what is about to be signed.
func (r *Register) checkTimes(iat, end credential.Time, what string) error {
	if !sensible(iat) || !sensible(end) || end <= iat {
		return fmt.Errorf("status: list %q: issued at %d, %s %d", r.uri, iat, what, end)
	}
	return nil
}

// PrepareCWT builds the status list token that k will sign, in the form cards
// refer to. From exp on nobody may use it; ttl is the number of seconds after
// which a newer one may be expected, 0 to say nothing.
//
// draft-ietf-oauth-status-list 5.2.
func PrepareCWT(k *cose.Key, r *Register, iat, exp credential.Time, ttl int64) (*cose.Prepared, error) {
	lst, err := r.token(iat, exp, ttl)
	if err != nil {
		return nil, err
	}
	// RFC 8949 4.2.1: keys in the order of their encodings, so "lst" before "bits".
	n := 4
	if ttl > 0 {
		n = 5
	}
	b := cbor.AppendMap(make([]byte, 0, len(lst)+len(r.uri)+64), n)
	b = cbor.AppendText(cbor.AppendInt(b, claimSub), r.uri)
	b = cbor.AppendInt(cbor.AppendInt(b, claimExp), int64(exp))
	b = cbor.AppendInt(cbor.AppendInt(b, claimIat), int64(iat))
	b = cbor.AppendMap(cbor.AppendInt(b, claimList), 2)
	b = cbor.AppendBytes(cbor.AppendText(b, "lst"), lst)
	b = cbor.AppendInt(cbor.AppendText(b, "bits"), 2)
	if ttl > 0 {
		b = cbor.AppendInt(cbor.AppendInt(b, claimTTL), ttl)
	}
	return cose.Prepare(k, typeCWT, b, nil), nil
}

// PrepareJWT is PrepareCWT in the form wallet credentials refer to, under the URI
// that they name (URIOfJWT). Its kid is jose.KeyID(k).
//
// draft-ietf-oauth-status-list 5.1.
func PrepareJWT(k *cose.Key, r *Register, iat, exp credential.Time, ttl int64) (*jose.Prepared, error) {
	lst, err := r.token(iat, exp, ttl)
	if err != nil {
		return nil, err
	}
	uri := URIOfJWT(r.uri)
	claims := []jose.Member{
		{Name: "exp", Value: jose.IntOf(int64(exp))},
		{Name: "iat", Value: jose.IntOf(int64(iat))},
		{Name: "status_list", Value: jose.ObjectOf(
			jose.Member{Name: "bits", Value: jose.IntOf(2)},
			jose.Member{Name: "lst", Value: jose.StringOf(jose.EncodeBase64(lst))})},
		{Name: "sub", Value: jose.StringOf(uri)},
	}
	if ttl > 0 {
		claims = append(claims, jose.Member{Name: "ttl", Value: jose.IntOf(ttl)})
	}
	payload := jose.ObjectOf(claims...).Append(make([]byte, 0, len(lst)*4/3+len(uri)+128))
	return jose.Prepare(k, typeJWT, jose.KeyID(k), payload, jose.DefaultLimits)
}

// token checks what both forms say and packs the entries.
func (r *Register) token(iat, exp credential.Time, ttl int64) ([]byte, error) {
	if err := r.checkTimes(iat, exp, "expires at"); err != nil {
		return nil, err
	}
	if ttl < 0 {
		return nil, fmt.Errorf("status: list %q: ttl %d", r.uri, ttl)
	}
	return deflate(r.state.bits)
}
