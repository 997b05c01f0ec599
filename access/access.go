// Package access knows who acts in an organisation and keeps the record of what
// was done: the roles of the console, the actor of every write, and the audit
// log whose entries are chained by their hashes.
//
// It decides and stores nothing. Stores write an [Entry] in the transaction of
// the change it tells of; [Verify] and [Chain] prove that no entry was altered,
// removed, added or moved since. Logging in and accounts live above.
package access

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Role is what an actor may do. One person can hold several; an act is done in one.
type Role string

// The roles of the console, and System for what the program does by itself.
const (
	Registrar        Role = "registrar"         // enters and corrects people
	Issuer           Role = "issuer"            // signs cards of approved requests
	Verifier         Role = "verifier"          // service point: scans and hands over
	DistributionLead Role = "distribution-lead" // runs a distribution day
	Approver         Role = "approver"          // the second person of a batch
	Auditor          Role = "auditor"           // reads everything that was done, changes nothing
	OrgAdmin         Role = "org-admin"         // keys, lists, accounts of one organisation
	PlatformOperator Role = "platform-operator" // runs the machine, sees no data
	System           Role = "system"            // repairs and replays at opening; no person
)

// Known reports whether r is one of the roles above.
func (r Role) Known() bool {
	switch r {
	case Registrar, Issuer, Verifier, DistributionLead, Approver, Auditor, OrgAdmin, PlatformOperator, System:
		return true
	}
	return false
}

// An Actor is who does something: an account, in a role, at a device. It stands
// in the audit log for ever, so it holds identifiers and never a person's name.
type Actor struct {
	ID           string // the account, as the organisation names it; not empty
	Role         Role
	Device       string // the laptop or phone; may be empty
	SecondPerson string // the account of the second of four eyes; empty when one was enough
}

// MaxText is the longest identifier or reason in an entry, in bytes.
const MaxText = 400

// Check refuses an actor that must not stand in the log: without an account, in
// an unknown role, or with itself as the second person.
func (a Actor) Check() error {
	switch {
	case strings.TrimSpace(a.ID) == "":
		return fmt.Errorf("access: the actor has no account")
	case !a.Role.Known():
		return fmt.Errorf("access: unknown role %q", a.Role)
	case a.SecondPerson == a.ID:
		return fmt.Errorf("access: %q cannot be the second person of their own act", a.ID)
	}
	for _, s := range []string{a.ID, a.Device, a.SecondPerson} {
		if len(s) > MaxText || !utf8.ValidString(s) {
			return fmt.Errorf("access: an actor's identifier is over %d bytes or not UTF-8", MaxText)
		}
	}
	return nil
}
