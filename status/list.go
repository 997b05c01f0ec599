package status

import (
	"bytes"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/words"
)

// Value is the state of one entry. draft-ietf-oauth-status-list 7.1.
type Value uint8

const (
	Valid     Value = 0
	Invalid   Value = 1 // revoked; final
	Suspended Value = 2 // may return
)

// String is the lower-case word of the standard.
func (v Value) String() string {
	switch v {
	case Valid:
		return "valid"
	case Invalid:
		return "invalid"
	case Suspended:
		return "suspended"
	}
	return "unknown"
}

// Limits of what is read.
const (
	MaxSize  = 1 << 24  // entries of one list
	MaxBytes = 8 << 20  // bytes of a signed list, snapshot or delta
	MaxJWT   = 16 << 20 // bytes of a list as a JWT, base64url twice
	MaxURI   = 1024     // bytes of a list's URI
)

// The forms a list comes in.
const (
	SourceCWT      = "cwt"
	SourceJWT      = "jwt"
	SourceSnapshot = "snapshot"
	SourceDelta    = "delta"
)

// List is one status list whose signature was checked. Only the Open functions
// and ApplyDelta make one. Nothing but MarkUnrevoked changes it afterwards, so
// any number of goroutines may look things up in it.
type List struct {
	// URI is what cards call the list (sub, for a JWT without the mark of its form:
	// see URIOfJWT). Nobody has yet checked that the signer may speak for it.
	URI        string
	IssuedAt   credential.Time
	NextUpdate credential.Time // when a newer one may be expected; 0 if not said
	ExpiresAt  credential.Time // from when on it must not be used; 0 if not said
	// Size is the number of entries. A token does not say it, so there it is
	// what its bytes hold.
	Size uint64
	// Bits holds entry i at bits 2(i mod 4) of byte i/4, least significant first.
	Bits []byte
	// KeyID is as the message names it (text in a JWT), Key what it was found to
	// be and what signed.
	KeyID  []byte
	Key    *cose.Key
	Source string // SourceCWT and so on

	// unrevoked has the low bit of an entry set where an older list had it
	// INVALID and this one has not. nil: nowhere.
	unrevoked []byte
}

// Look returns the state of entry i; ok is false past the end, where a list
// says nothing and the credential must be refused (8.3, step 6).
func (l *List) Look(i uint64) (v Value, ok bool) {
	if i >= l.Size || i/4 >= uint64(len(l.Bits)) {
		return 0, false
	}
	return Value(l.Bits[i/4] >> (i % 4 * 2) & 3), true
}

// Unrevoked tells that entry i was INVALID in an older list and is not in this
// one. INVALID is final, so such a list contradicts its issuer.
func (l *List) Unrevoked(i uint64) bool {
	return i/4 < uint64(len(l.unrevoked)) && l.unrevoked[i/4]>>(i%4*2)&1 == 1
}

// Usable returns words.OK if the list speaks of the moment at, StatusNotYetValid
// if it was issued later, StatusStale if it has expired by then. A list without
// an expiry only grows old, which Age tells.
func (l *List) Usable(at credential.Time) words.Reason {
	switch {
	case l.IssuedAt > at:
		return words.StatusNotYetValid
	case l.ExpiresAt != 0 && at >= l.ExpiresAt: // RFC 7519 4.1.4: "on or after"
		return words.StatusStale
	}
	return words.OK
}

// Age is how old the list is at a moment, in seconds, at least 0.
func (l *List) Age(at credential.Time) int64 { return max(0, int64(at-l.IssuedAt)) }

// CheckURI returns a *Refusal with StatusWrongList unless the list is the one
// called uri (8.3, step 4a): else an all-valid list could stand in for another.
func (l *List) CheckURI(uri string) error {
	if l.URI != Named(uri) {
		return refuse(words.StatusWrongList, "the list is %q, not %q", l.URI, uri)
	}
	return nil
}

// same tells whether two lists say the same of every entry.
func (l *List) same(o *List) bool { return l.Size == o.Size && bytes.Equal(l.Bits, o.Bits) }
