package access

import (
	"errors"
	"time"
)

// An Account is somebody who works here, under an identifier of the organisation's
// choice ([AccountID]). No name, address or telephone number is kept.
type Account struct {
	ID, Org     string
	Roles       []Role
	Scope       *Scope // of a partner: what the agreement names; nil for everybody else
	Language    string // of screens: a tag as "en", "ar"
	Disabled    bool
	Created     time.Time
	Given       Given // who gave it its roles
	Version     int64 // rises with every change of the rest; a writer names the one it saw
	HasPassword bool
	HasTOTP     bool
	Handle      []byte    // 32 random bytes: how authenticators name the account
	Passkeys    []Passkey // in order of creation
	Subjects    []Subject
}

// A Scope is the part of an agreement that an account of a partner sees: the records of
// Areas, of each the Fields, for Purpose, while Agreement lasts. What the agreement does not
// name it does not see either.
type Scope struct {
	Agreement string   // its id
	Fields    []string // as the agreement names them
	Areas     []string // codes of places, each with what the agreement puts beneath it
	Purpose   string   // the agreement's
}

// A Subject is an identity at an OpenID provider. It is (iss, sub) and never an e-mail
// address, which providers give away again (OpenID Connect Core 5.7).
type Subject struct{ Issuer, Subject string }

// A Passkey is the public half of a WebAuthn credential.
type Passkey struct {
	ID                       []byte   // credential id, at most MaxPasskeyID bytes
	Key                      []byte   // COSE_Key as the authenticator gave it, at most MaxPasskeyKey bytes
	SignCount                uint32   // newest counter seen; 0 where the authenticator has none
	Transports               []string // hints for the browser: "usb", "nfc", "ble", "internal", "hybrid"
	AAGUID                   [16]byte // model of the authenticator; zeros when it does not say
	BackupEligible, BackedUp bool     // the key can be, and is, on several devices of its owner
	Name                     string   // what its owner calls it; never a person's name
	Created                  time.Time
	Used                     time.Time // zero: never
}

// Bounds of a passkey, in bytes: WebAuthn level 2, 4.1.1.1 allows ids of 1023 bytes.
const (
	MaxPasskeyID  = 1023
	MaxPasskeyKey = 2048
)

// Conditions that callers act on.
var (
	ErrNoAccount   = errors.New("access: no such account")
	ErrDisabled    = errors.New("access: the account is disabled")
	ErrTaken       = errors.New("access: the account is there already")
	ErrNotAllowed  = errors.New("access: none of the account's roles allows this")
	ErrOwnAccount  = errors.New("access: nobody changes their own roles or recovers themselves: another administrator does")
	ErrStale       = errors.New("access: changed by somebody else meanwhile: look again, then repeat")
	ErrStepUp      = errors.New("access: this needs a fresh proof of identity")
	ErrPassword    = errors.New("access: the password is too short or too easy to guess: 12 characters or more, several unusual words do")
	ErrRoles       = errors.New("access: roles that no account can have together")
	ErrWayIn       = errors.New("access: this is the account's only way in: add another one first")
	ErrSignIn      = errors.New("access: account, password or code is wrong")
	ErrNoSession   = errors.New("access: no such session, or it is over")
	ErrNoInvite    = errors.New("access: no such invitation: used, over, or of another account")
	ErrNoToken     = errors.New("access: no such token: revoked, over, or never made")
	ErrNoApproval  = errors.New("access: no such request for approval")
	ErrOwnApproval = errors.New("access: nobody approves what they asked for")
	ErrChanged     = errors.New("access: what was to be approved is not what was asked for any more")
	ErrManyWaiting = errors.New("access: too many requests of this account wait: have some answered, or take some back")
	ErrClosed      = errors.New("access: the request for approval is closed")
)

// ErrLastAdmin would leave an organisation that nobody administers.
var ErrLastAdmin = errors.New("access: the last administrator stays: make another one first")
