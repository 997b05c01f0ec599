// Package access knows who acts in an organisation, what each may do, and keeps
// the record of what was done.
//
// [Rules] is the one table of permissions: checks, screens and docs/permissions.md
// come from it. A [Door] lets accounts in, by password and one-time code, passkey,
// or the organisation's own sign-in, gives them sessions, and asks for a second
// account where the table wants four eyes. It speaks no HTTP; what it keeps is in
// a [Store].
//
// The audit log is a chain of [Entry]s. Stores write one in the transaction of the
// change it tells of; [Verify] and [Chain] prove that none was altered, removed,
// added or moved since.
package access

import (
	"fmt"
	"slices"
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
	Approver         Role = "approver"          // the second person of an import or a batch
	Auditor          Role = "auditor"           // reads everything that was done, changes nothing
	OrgAdmin         Role = "org-admin"         // keys, lists, accounts of one organisation
	DataProtection   Role = "data-protection"   // consent, rights, erasure, agreements
	Complaints       Role = "complaints"        // hears what went wrong at the desk
	Protection       Role = "protection"        // follows single people at risk
	Finance          Role = "finance"           // sums and payments, no records
	Partner          Role = "partner"           // a government: what an agreement names, and nothing else
	PlatformOperator Role = "platform-operator" // runs the machine, sees no data
	System           Role = "system"            // repairs and replays at opening; no person
)

// StaffRoles are the roles an account can have, in the order of screens.
func StaffRoles() []Role {
	return []Role{Registrar, Issuer, Verifier, DistributionLead, Approver, Auditor, OrgAdmin, DataProtection,
		Complaints, Protection, Finance, Partner, PlatformOperator}
}

// Known reports whether r is one of the roles above.
func (r Role) Known() bool { return r == System || slices.Contains(StaffRoles(), r) }

// An Actor is who does something: an account, in a role, at a device. It stands
// in the audit log for ever, so it holds identifiers and never a person's name.
type Actor struct {
	ID           string // the account, as the organisation names it; not empty
	Role         Role
	Device       string // the laptop or phone; may be empty
	SecondPerson string // the account of the second of four eyes; empty when one was enough
}

// maxAccount is the longest account, in bytes.
const maxAccount = 64

// AccountID returns the one way in which an account is written: without spaces
// around it, in lower case. It refuses what is none: an account has letters a to
// z, digits and . _ - @ +, and begins with a letter or a digit, so that nobody is
// a second person by a space, a capital or a look-alike of another script.
func AccountID(s string) (string, error) {
	a := strings.ToLower(strings.TrimSpace(s))
	ok := a != "" && len(a) <= maxAccount && !strings.ContainsRune("._-@+", rune(a[0]))
	for i := 0; ok && i < len(a); i++ {
		c := a[i]
		ok = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("._-@+", c) >= 0
	}
	if !ok {
		return "", fmt.Errorf("access: %q is no account: up to %d of a-z 0-9 . _ - @ +, a letter or digit first", s, maxAccount)
	}
	return a, nil
}

// SameAccount reports whether two texts name one account, or cannot be told apart.
func SameAccount(a, b string) bool {
	x, errX := AccountID(a)
	y, errY := AccountID(b)
	return errX != nil || errY != nil || x == y
}

// MaxText is the longest identifier or reason in an entry, in bytes.
const MaxText = 400

// Check refuses an actor that must not stand in the log: without an account, in
// an unknown role, or with itself as the second person, however it is written.
func (a Actor) Check() error {
	if _, err := AccountID(a.ID); err != nil {
		return err
	}
	if a.SecondPerson != "" {
		if _, err := AccountID(a.SecondPerson); err != nil {
			return err
		}
		if SameAccount(a.ID, a.SecondPerson) {
			return fmt.Errorf("access: %q cannot be the second person of their own act", a.ID)
		}
	}
	switch {
	case !a.Role.Known():
		return fmt.Errorf("access: unknown role %q", a.Role)
	case len(a.Device) > MaxText || !utf8.ValidString(a.Device):
		return fmt.Errorf("access: a device's name is over %d bytes or not UTF-8", MaxText)
	}
	return nil
}
