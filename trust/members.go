package trust

import (
	"math/bits"
	"unicode/utf8"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/words"
)

// listLimits: anything over them is too large, whoever signed it.
var listLimits = cbor.Limits{Depth: 8, Entries: MaxKeys}

// members walks a map with small unsigned labels. take must take the value of
// its label. required and optional are bit sets of labels.
//
// An unknown label is UnsupportedVersion: it may be a limit that a later
// version sets, and to pass over it would be to grant more than was signed.
func members(r *cbor.Reader, required, optional uint64, take func(label uint64)) error {
	if r.Kind() != cbor.Map {
		return refuse(words.BadClaims, "not a map")
	}
	var seen uint64
	for n := r.Map(); n > 0; n-- {
		label := uint64(64)
		if r.Kind() == cbor.Uint {
			label = r.Uint()
		}
		if label > 63 || (required|optional)>>label&1 == 0 {
			return refuse(words.UnsupportedVersion, "a member this program does not know")
		}
		seen |= 1 << label
		take(label)
		if r.Err() != nil {
			return refuse(words.BadClaims, "member %d is not of its kind", label)
		}
	}
	if missing := required &^ seen; missing != 0 {
		return refuse(words.BadClaims, "member %d is missing", bits.TrailingZeros64(missing))
	}
	return nil
}

// readTime takes seconds since 1970, after 1970 and before the year 10000:
// zero means "not given", and larger numbers are milliseconds.
func readTime(r *cbor.Reader, bad *error) credential.Time {
	v := r.Uint()
	if r.Err() == nil && (v == 0 || v > uint64(credential.MaxTime)) && *bad == nil {
		*bad = refuse(words.BadClaims, "%d is no time in seconds", v)
	}
	return credential.Time(min(v, uint64(credential.MaxTime)))
}

// checkText says what is wrong with a code or a name of at most most bytes.
func checkText(s string, most int) string {
	switch {
	case s == "":
		return "empty"
	case len(s) > most:
		return "too long"
	case !utf8.ValidString(s):
		return "not UTF-8"
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return "a control character"
		}
	}
	return ""
}
