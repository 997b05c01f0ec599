package status

import (
	"math"

	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/words"
)

// The types of the standard's two forms. draft-ietf-oauth-status-list 5.1, 5.2.
const (
	typeCWT = "application/statuslist+cwt"
	typeJWT = "statuslist+jwt"
)

// Claims of a status list token as a CWT.
const (
	claimSub  = 2
	claimExp  = 4
	claimIat  = 6
	claimList = 65533
	claimTTL  = 65534
)

// OpenCWT reads a status list token in CWT form, of ours or anybody's: 1, 2, 4
// or 8 bits an entry, kid protected or not.
//
// find returns the status key with a key id, or nil. The error is a *Refusal:
// with a reason of the envelope (bad_cose, alg_not_allowed, wrong_typ,
// unknown_key, bad_signature and so on), TooLarge, or StatusMalformed. Who may
// sign for List.URI and whether the list is old are the caller's to judge.
//
// draft-ietf-oauth-status-list 5.2, 8.3.
func OpenCWT(raw []byte, find func(kid []byte) *cose.Key) (*List, error) {
	if len(raw) > MaxBytes {
		return nil, refuse(words.TooLarge, "a list of %d bytes", len(raw))
	}
	m, err := cose.ParseSign1(raw)
	if err != nil {
		return nil, envelope(err)
	}
	// 5.2: no CWT tag, and the tag of COSE_Sign1 (or of a MAC, which proves
	// nothing to third parties).
	if !m.Tagged18 || m.Tagged61 {
		return nil, refuse(words.BadCOSE, "a status list carries tag 18 and no other")
	}
	if string(m.Protected.Type) != typeCWT {
		return nil, envelope(cose.ErrType)
	}
	kid := m.KeyID()
	if len(kid) == 0 {
		return nil, envelope(cose.ErrKeyIDMissing)
	}
	key := find(kid)
	if key == nil {
		return nil, envelope(cose.ErrUnknownKey)
	}
	if err := m.Verify(key, nil, nil, false); err != nil {
		return nil, envelope(err)
	}
	c, err := readCBOR(m.Payload)
	if err != nil {
		return nil, err
	}
	return c.list(SourceCWT, append([]byte(nil), kid...), key)
}

// OpenJWT reads a status list token in JWT form; all else as OpenCWT.
//
// draft-ietf-oauth-status-list 5.1, 8.3.
func OpenJWT(text []byte, find func(kid string) *cose.Key) (*List, error) {
	t, key, err := jose.Open(text, typeJWT, MaxJWT, find)
	if err != nil {
		return nil, envelope(err)
	}
	c, err := readJSON(t)
	if err != nil {
		return nil, err
	}
	return c.list(SourceJWT, []byte(t.KeyID), key)
}

// claims of either form, not yet judged. Absent numbers are 0, which none of
// them may be.
type claims struct {
	sub                  string
	iat, exp, ttl, width int64
	lst                  []byte // zlib
}

func readCBOR(payload []byte) (c claims, err error) {
	if _, err := cbor.Check(payload, cbor.DefaultLimits); err != nil {
		return c, content(err)
	}
	r := cbor.NewReader(payload)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		if k := r.Kind(); k != cbor.Uint && k != cbor.Nint {
			r.Skip()
			r.Skip()
			continue
		}
		switch r.Int() {
		case claimSub:
			c.sub = string(r.Text())
		case claimIat:
			c.iat = positive(&r)
		case claimExp:
			c.exp = positive(&r)
		case claimTTL:
			c.ttl = positive(&r)
		case claimList:
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				if r.Kind() != cbor.Text {
					r.Skip()
					r.Skip()
					continue
				}
				switch string(r.Text()) {
				case "bits":
					c.width = positive(&r)
				case "lst":
					c.lst = r.Bytes()
				default:
					r.Skip()
				}
			}
		default:
			r.Skip()
		}
	}
	if !r.Done() {
		return c, malformed("claims: %w", r.Err())
	}
	return c, nil
}

// positive takes an integer that is not 0, so that 0 can mean absent; what is
// not one becomes -1, which no claim may be.
func positive(r *cbor.Reader) int64 {
	if n := r.Int(); n > 0 {
		return n
	}
	return -1
}

func readJSON(t *jose.Token) (c claims, err error) {
	v, err := t.Claims(jose.DefaultLimits)
	if err != nil {
		return c, content(err)
	}
	number := func(v jose.Value) int64 {
		n, ok := v.Int()
		switch {
		case v.Kind == jose.Missing:
			return 0
		case !ok || n <= 0:
			return -1
		}
		return n
	}
	c.sub = v.Get("sub").Text
	c.iat, c.exp, c.ttl = number(v.Get("iat")), number(v.Get("exp")), number(v.Get("ttl"))
	list := v.Get("status_list")
	c.width = number(list.Get("bits"))
	lst := list.Get("lst")
	if v.Get("sub").Kind != jose.String || lst.Kind != jose.String {
		return c, malformed("claims: sub and lst must be strings")
	}
	if c.lst, err = jose.DecodeBase64(lst.Text); err != nil {
		return c, content(err)
	}
	return c, nil
}

// list judges the claims and unpacks the entries.
func (c *claims) list(source string, kid []byte, key *cose.Key) (*List, error) {
	l := &List{URI: c.sub, IssuedAt: credential.Time(c.iat), ExpiresAt: credential.Time(c.exp), KeyID: kid, Key: key, Source: source}
	if source == SourceJWT {
		l.URI = Named(c.sub)
	}
	switch {
	case c.sub == "" || len(c.sub) > MaxURI:
		return nil, malformed("a sub of %d bytes", len(c.sub))
	case !sensible(l.IssuedAt):
		return nil, malformed("iat %d", c.iat)
	case c.exp != 0 && (!sensible(l.ExpiresAt) || l.ExpiresAt <= l.IssuedAt):
		return nil, malformed("exp %d, iat %d", c.exp, c.iat)
	case c.ttl < 0:
		return nil, malformed("ttl is not a positive number of seconds")
	case c.width != 1 && c.width != 2 && c.width != 4 && c.width != 8:
		return nil, malformed("bits %d", c.width)
	}
	if c.ttl > 0 {
		l.NextUpdate = credential.MaxTime
		if c.ttl <= math.MaxInt64-c.iat {
			l.NextUpdate = min(l.NextUpdate, credential.Time(c.iat+c.ttl))
		}
	}
	// The limit stops a bomb while it inflates; what is claimed allocates nothing.
	raw, err := qr.Inflate(c.lst, MaxSize/8*int(c.width))
	if err != nil {
		return nil, content(err)
	}
	if len(raw) == 0 {
		return nil, malformed("a list without entries")
	}
	l.Size = uint64(len(raw)) * 8 / uint64(c.width)
	l.Bits = twoBits(raw, int(c.width))
	return l, nil
}

// sensible refuses times before 1970 and after 9999, which are most often
// milliseconds.
func sensible(t credential.Time) bool { return 0 < t && t <= credential.MaxTime }

// twoBits rewrites entries of any width to two bits. The states we do not know
// (3 and above: private to the issuer or of a later standard) become Suspended:
// not to be served, and not for ever. Entries lie least significant bit first
// (4.1), the opposite of the W3C's list.
func twoBits(raw []byte, width int) []byte {
	if width == 2 {
		for i, b := range raw {
			three := b & (b >> 1) & 0x55
			raw[i] = b &^ three
		}
		return raw
	}
	per := 8 / width // entries a byte
	out := make([]byte, (len(raw)*per+3)/4)
	mask := byte(1<<width - 1)
	at := 0
	for _, b := range raw {
		if b == 0 {
			at += per
			continue
		}
		for range per {
			out[at/4] |= min(b&mask, byte(Suspended)) << (at % 4 * 2)
			b >>= width
			at++
		}
	}
	return out
}
