package trust

import (
	"fmt"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/words"
)

// Use is the one thing a listed key may do. A key with two uses could be made
// to sign the one where the other was meant.
type Use uint8

// The uses, with their numbers in the list.
const (
	UseCard     Use = 1 // cards (COSE)
	UseVC       Use = 2 // wallet credentials (SD-JWT VC, VC-JWT)
	UseRequest  Use = 3 // presentation requests of a verifier
	UseStatus   Use = 4 // status lists, snapshots, deltas
	UsePack     Use = 5 // manifests of packs
	UseDeviceCA Use = 6 // device certificates
	UseAudit    Use = 7 // checkpoints of the audit log
	UseSeal     Use = 8 // others seal to it; P-256 only
)

var useNames = [...]string{"", "card", "vc", "request", "status", "pack", "device-ca", "audit", "seal"}

// String is the word of the command line: card, vc, request, status, pack,
// device-ca, audit or seal.
func (u Use) String() string {
	if u.valid() {
		return useNames[u]
	}
	return fmt.Sprintf("use(%d)", uint8(u))
}

func (u Use) valid() bool { return u >= UseCard && u <= UseSeal }

// ParseUse reads what String writes.
func ParseUse(s string) (Use, error) {
	for i, name := range useNames {
		if name == s && i > 0 {
			return Use(i), nil
		}
	}
	return 0, fmt.Errorf("trust: no use of a key is called %q", s)
}

// Profile chooses the reader of what a key signs, so that the shape of a
// message never can.
type Profile uint8

// The profiles, with their numbers in the list.
const (
	ProfileNone       Profile = 0 // every key that signs neither cards nor slips
	ProfileCard1      Profile = 1 // aidpass-card-1: strict (card keys)
	ProfileSlip1      Profile = 2 // aidpass-slip-1: its devices may sign slips (device-ca keys)
	ProfileForeign169 Profile = 3 // a Claim 169 issuer of another system, read liberally (card keys)
)

var profileNames = [...]string{"none", "aidpass-card-1", "aidpass-slip-1", "foreign-169"}

// String is the profile's name: none, aidpass-card-1, aidpass-slip-1, foreign-169.
func (p Profile) String() string {
	if int(p) < len(profileNames) {
		return profileNames[p]
	}
	return fmt.Sprintf("profile(%d)", uint8(p))
}

// fits reports whether a key of use u may have profile p.
func (p Profile) fits(u Use) bool {
	switch u {
	case UseCard:
		return p == ProfileCard1 || p == ProfileForeign169
	case UseDeviceCA:
		return p == ProfileNone || p == ProfileSlip1
	}
	return p == ProfileNone
}

// State is where a key stands in its life.
type State uint8

// The states, with their numbers in the list.
const (
	Active      State = 1
	Retired     State = 2 // signs no more; what it signed in its time counts until AcceptUntil
	Compromised State = 3 // nothing under it counts, whatever date it bears
)

var stateNames = [...]string{"", "active", "retired", "compromised"}

// String is active, retired or compromised.
func (s State) String() string {
	if s >= Active && s <= Compromised {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Key is one listed key of one organisation.
type Key struct {
	Key                 *cose.Key
	KID                 []byte // 1 to 64 bytes; in our own profiles the key's ID
	Use                 Use
	Profile             Profile
	NotBefore, NotAfter credential.Time // it signs from and to, both inclusive
	AcceptUntil         credential.Time // retired: last moment it is accepted; else 0
	Since               credential.Time // retired, compromised: since when; else 0
	State               State           // as in force: withdrawals included
	Org                 *Organisation   // set on keys of a List

	listed State // as the list says it, whatever withdrawals say
	next   *Key  // the next key with this KID, under another organisation
	// refused keys stay in the index so that Find can tell a refused entry
	// from none. They are not among Organisation.Keys.
	refused bool
}

// Judge says whether something the key signed at iat counts at time at: OK,
// KeyRevoked, or KeyOutsideValidity. A key of a recognised list counts no
// longer than the recognition.
//
// A compromised key is refused whatever iat says, since the thief writes iat.
func (k *Key) Judge(iat, at credential.Time) words.Reason {
	switch {
	case k.State == Compromised:
		return words.KeyRevoked
	case iat < k.NotBefore || iat > k.NotAfter,
		k.State == Retired && at > k.AcceptUntil,
		k.State != Active && k.State != Retired,
		k.Org != nil && k.Org.Recognised != nil && at > k.Org.Recognised.Recheck:
		return words.KeyOutsideValidity
	}
	return words.OK
}

// plainKID reports whether the key goes by the id computed from it. Keys of
// other systems may have another.
func (k *Key) plainKID() bool {
	id := k.Key.ID()
	return string(k.KID) == string(id[:])
}

// mayNameKID: only keys that other systems made have ids of their own.
func mayNameKID(u Use, p Profile) bool {
	return u == UseCard && p == ProfileForeign169 || u == UseVC || u == UseStatus
}
