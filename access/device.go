package access

import (
	"encoding/hex"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
)

// A DeviceState is how far a device has come with an organisation.
type DeviceState string

// The states of a device. Withdrawn is final: its owner comes back with a new key.
const (
	DevicePending   DeviceState = "pending"   // it showed its key; nobody compared the words yet
	DeviceConfirmed DeviceState = "confirmed" // it has a certificate
	DeviceWithdrawn DeviceState = "withdrawn" // lost or stolen: left out of packs
	DeviceRefused   DeviceState = "refused"   // its key was not confirmed
)

// A Device is a scanner of a service point.
type Device struct {
	KID         [8]byte   // key id of Key
	Key         *cose.Key // P-256
	Name        string    // what people call it; never a person's name
	Site        string    // code of the service point
	State       DeviceState
	Certificate []byte          // the newest one; nil: none yet
	From, Until credential.Time // what its certificates span, in seconds; zero without one
	AddedAt     time.Time
	WithdrawnAt time.Time // what it records from then on is marked; zero: not withdrawn
	Reason      string    // code; of withdrawn and refused devices

	// A device that signed two records of one number was copied. It is frozen, and left
	// out of packs, until a person lets it go on (thaws it) or withdraws it.
	FrozenAt   time.Time // zero: it is not
	FrozenFrom uint64    // the first of those numbers; 0: it is not
	ThawedTo   uint64    // copies shown by records up to this number were judged; 0: never thawed

	// What the server knows of it. A pack that was carried over by hand is not in it.
	SeenAt  time.Time       // newest request, to the minute; zero: it was never here
	ListsAt credential.Time // when the newest pack it was given here was made; 0: none was
}

// Frozen reports whether the device waits for a person to look at it.
func (d *Device) Frozen() bool { return d.FrozenFrom > 0 && d.State != DeviceWithdrawn }

// ID is the key id in hexadecimal, as logs and files name the device.
func (d *Device) ID() string { return hex.EncodeToString(d.KID[:]) }
