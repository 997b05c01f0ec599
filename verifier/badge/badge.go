// Package badge holds the badge of a volunteer: a code on paper, signed by a pack
// key of the organisation, that opens a shift at its sites on its days.
//
// A badge is no card: nothing is due to whom it names, and it names a code, never
// a person. What a shift is, and which sealed facts it opens, is the device's to do.
// docs/formats/badge.md draws the bytes; docs/decisions/0018 has the reasons.
package badge

import (
	"errors"
	"fmt"
	"strings"

	"aidpass/credential"
	"aidpass/internal/base45"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

// Typ is the protected typ of a badge.
const Typ = "application/aidpass-badge+cose"

// prefix begins the QR text; no card begins so.
const prefix = "APB1:"

// Limits.
const (
	// MaxLife is the longest time between not before and not after, in seconds:
	// seven days, and the hour by which one of them may be longer.
	MaxLife  = 7*86400 + 3600
	MaxStaff = 16 // letters of a staff code

	maxBytes  = 512
	maxOrg    = 256
	maxSite   = 128
	maxUnlock = 60 // bytes of an operator's code, as much as a phone takes
)

// Role is what the holder of a badge does at the site.
type Role uint64

// The roles.
const (
	Volunteer Role = 1
	Lead      Role = 2
)

// Badge is what stands in the code.
type Badge struct {
	Org                 string // id
	Site                string // code of the service point; empty: every site of the organisation
	Staff               string // code of the volunteer, see GoodStaff; never a name
	Role                Role
	NotBefore, NotAfter credential.Time // both inclusive
	// Unlock is the operator's code, so that the badge opens sealed facts too; empty:
	// it does not. Whoever has a picture of such a badge has the code.
	Unlock string
}

// Why a badge opens nothing. Nothing else of it is to be shown then.
var (
	ErrNot          = errors.New("badge: not a badge")
	ErrSignature    = errors.New("badge: not signed by a pack key of its organisation that counts on its days")
	ErrOrganisation = errors.New("badge: of another organisation")
	ErrSite         = errors.New("badge: for another site")
	ErrDay          = errors.New("badge: not for today")
)

// Is reports whether text is a badge, by its beginning.
func Is(text string) bool { return strings.HasPrefix(text, prefix) }

// GoodStaff reports whether s can be a staff code: 1 to 16 of A-Z, a-z, 0-9 and
// hyphen. Staff are pseudonymous in all that is shared (DOMAIN R19).
func GoodStaff(s string) bool {
	for _, c := range []byte(s) {
		if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= MaxStaff
}

// good reports whether Prepare would sign b, and Open take it.
func (b *Badge) good() bool {
	return b.Org != "" && len(b.Org) <= maxOrg && len(b.Site) <= maxSite && GoodStaff(b.Staff) &&
		(b.Role == Volunteer || b.Role == Lead) && len(b.Unlock) <= maxUnlock &&
		b.NotBefore > 0 && b.NotAfter >= b.NotBefore && b.NotAfter <= credential.MaxTime && b.NotAfter-b.NotBefore <= MaxLife
}

// Prepare makes b ready to be signed by k, a pack key of the organisation. The
// signed bytes are for Text. A badge that Open would not take is an error.
func Prepare(k *cose.Key, b Badge) (*cose.Prepared, error) {
	if !b.good() {
		return nil, fmt.Errorf("badge: %q for site %q: a staff code has 1 to %d letters, digits and hyphens, a badge seven days, an operator's code %d bytes at most",
			b.Staff, b.Site, MaxStaff, maxUnlock)
	}
	return cose.Prepare(k, Typ, b.encode(), nil), nil
}

func (b *Badge) encode() []byte {
	n := 6
	if b.Unlock != "" {
		n++
	}
	p := cbor.AppendText(append(cbor.AppendMap(nil, n), 1), b.Org)
	p = cbor.AppendText(append(p, 2), b.Site)
	p = cbor.AppendText(append(p, 3), b.Staff)
	p = cbor.AppendUint(append(p, 4), uint64(b.Role))
	p = cbor.AppendUint(append(p, 5), uint64(b.NotBefore))
	p = cbor.AppendUint(append(p, 6), uint64(b.NotAfter))
	if b.Unlock != "" {
		p = cbor.AppendText(append(p, 7), b.Unlock)
	}
	return p
}

// Text is a signed badge as the text of its QR code, all of it alphanumeric.
func Text(signed []byte) string { return prefix + base45.Encode(signed) }

// Open returns the badge in text if it opens a shift of org at site at the moment
// at. l is the trust list in force.
//
// Errors, the first that holds: ErrNot, ErrOrganisation, ErrSignature, ErrSite, ErrDay.
func Open(text string, l *trust.List, org, site string, at credential.Time) (Badge, error) {
	raw, m, b, err := read(text)
	if err != nil {
		return Badge{}, err
	}
	// Whose it is has to be known to find the key; it counts when the key has signed it.
	if b.Org != org {
		return Badge{}, ErrOrganisation
	}
	k, reason := l.Find([]byte(org), m.KeyID(), trust.UsePack)
	if reason == words.OK {
		// Badges are printed before their days, so these stand for the day of signing.
		reason = k.Judge(b.NotBefore, at)
	}
	if reason != words.OK {
		return Badge{}, ErrSignature
	}
	if _, _, err := cose.OpenTyped(raw, Typ, func([]byte) *cose.Key { return k.Key }); err != nil {
		return Badge{}, ErrSignature
	}
	switch {
	case b.Site != "" && b.Site != site:
		return Badge{}, ErrSite
	case at < b.NotBefore || at > b.NotAfter:
		return Badge{}, ErrDay
	}
	return b, nil
}

// Parse reads a badge without any proof, to show its holder or an office what it
// says. It returns ErrNot for everything else.
func Parse(text string) (Badge, error) {
	_, _, b, err := read(text)
	return b, err
}

func read(text string) (raw []byte, m cose.Sign1, b Badge, err error) {
	digits, ok := strings.CutPrefix(strings.TrimRight(text, "\r\n"), prefix) // a blank is a digit of Base45
	if !ok || len(digits) > base45.EncodedLen(maxBytes) {
		return nil, m, b, ErrNot
	}
	if raw, err = base45.AppendDecode(nil, digits); err == nil {
		m, err = cose.ParseSign1(raw)
	}
	if err != nil || m.StrictType(Typ) != nil || !b.decode(m.Payload) {
		return nil, m, Badge{}, ErrNot
	}
	return raw, m, b, nil
}

// decode reads the payload; false: it is none.
func (b *Badge) decode(payload []byte) bool {
	if cbor.CheckDeterministic(payload, cbor.Limits{Depth: 1, Entries: 7}) != nil {
		return false
	}
	r := cbor.NewReader(payload)
	n := 0
	if r.Kind() == cbor.Map {
		n = r.Map()
	}
	// Keys of a deterministic map rise: six or seven of them can only be these.
	for label := range n {
		if r.Uint() != uint64(label)+1 {
			return false
		}
		switch label + 1 {
		case 1:
			b.Org = string(r.Text())
		case 2:
			b.Site = string(r.Text())
		case 3:
			b.Staff = string(r.Text())
		case 4:
			b.Role = Role(r.Uint())
		case 5:
			b.NotBefore = credential.Time(min(r.Uint(), 1<<62))
		case 6:
			b.NotAfter = credential.Time(min(r.Uint(), 1<<62))
		case 7:
			b.Unlock = string(r.Text())
		}
	}
	return r.Done() && (n == 6 || n == 7 && b.Unlock != "") && b.good()
}
