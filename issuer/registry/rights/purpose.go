package rights

import (
	"slices"
	"strings"
)

// A Purpose is what data is used for: one of a closed list (DOMAIN 8.2, R4). Another
// purpose is another question and another agreement.
type Purpose string

// Purposes for which something is told to others.
const (
	Continuity    Purpose = "continuity"    // another organisation goes on with the help
	Deduplication Purpose = "deduplication" // nobody is helped twice by two organisations
	Distribution  Purpose = "distribution"  // somebody else hands out
	Health        Purpose = "health"        // treatment by another organisation
	Payment       Purpose = "payment"       // a bank or telephone company pays out
	Referral      Purpose = "referral"      // one person, one service
	Resettlement  Purpose = "resettlement"
	Survey        Purpose = "survey"
)

// Purposes of the organisation's own, for which a file is made that goes to nobody else.
const (
	Correction   Purpose = "correction"   // to mend a list
	Copy         Purpose = "copy"         // for safety
	Migration    Purpose = "migration"    // into another system of the organisation
	Planning     Purpose = "planning"     // of a distribution of its own
	Verification Purpose = "verification" // to look people up and see whether a record is right
)

// Purposes of answers that are no sharing.
const (
	Registration = "registration" // the information notice was given
	AnySharing   = "sharing"      // what lists bring: of all sharing, with the recipients they name
)

var (
	shared = []Purpose{Continuity, Deduplication, Distribution, Health, Payment, Referral, Resettlement, Survey}
	own    = []Purpose{Correction, Copy, Migration, Planning, Verification}
)

// SharedPurposes are those of agreements, in the order of screens.
func SharedPurposes() []Purpose { return slices.Clone(shared) }

// OwnPurposes are those of files that stay in the organisation.
func OwnPurposes() []Purpose { return slices.Clone(own) }

// Shared reports whether p is a purpose of an agreement.
func (p Purpose) Shared() bool { return slices.Contains(shared, p) }

// Own reports whether p is a purpose of the organisation's own.
func (p Purpose) Own() bool { return slices.Contains(own, p) }

func list[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, t := range all {
		texts[i] = string(t)
	}
	return strings.Join(texts, ", ")
}
