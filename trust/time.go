package trust

import (
	"fmt"

	"aidpass/credential"
)

// MaxTimeLead is how far past every other time we know a signer's clock may
// stand: 90 days, in seconds.
const MaxTimeLead = 90 * day

const day = 86400

// A TimeError says that a signer's clock stands where it cannot be right.
type TimeError struct {
	At    credential.Time // the clock
	Limit credential.Time // the earliest or latest time that would have passed
	Early bool            // At is before the floor; else it is too far ahead
}

func (e *TimeError) Error() string {
	if e.Early {
		return fmt.Sprintf("trust: the clock says %v, but %v is past", e.At, e.Limit)
	}
	return fmt.Sprintf("trust: the clock says %v, more than 90 days past every time known; the latest it may be is %v", e.At, e.Limit)
}

// CheckSigningTime refuses, with a *TimeError, to sign at a time that cannot be
// right: before floor (the issue time of the newest trust list), or more than
// MaxTimeLead past floor and every known time (the last thing signed, the last
// record, a file just written). Zero times are not known; where none is, any
// time passes. A signature dated 2099 would hold devices back for years, so the
// caller asks a second person before going on in spite of it.
func CheckSigningTime(at, floor credential.Time, known ...credential.Time) error {
	if at < floor {
		return &TimeError{At: at, Limit: floor, Early: true}
	}
	newest := floor
	for _, t := range known {
		newest = max(newest, t)
	}
	if newest > 0 && at > newest+MaxTimeLead {
		return &TimeError{At: at, Limit: newest + MaxTimeLead}
	}
	return nil
}
