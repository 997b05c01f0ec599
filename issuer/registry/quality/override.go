package quality

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"aidpass/access"
)

// An Override lets a unit pass that the gate held back. It stands in the audit log.
type Override struct {
	By     string  `json:"by"`     // account of who issues
	Second string  `json:"second"` // account of the second person
	Reason string  `json:"reason"` // no names
	Was    Outcome `json:"was"`
}

// ErrClosed is returned for what no second person lets through: the record is
// closed, so a card on it would be somebody else's or a second one.
var ErrClosed = errors.New("quality: the record is closed, and no override makes a card for it: use the record it was moved to")

// ErrNo is returned for what only she herself lets through: nobody consents for
// somebody who said no.
var ErrNo = errors.New("quality: they said no to being registered, or took it back, and no override makes a card: it takes a new answer of theirs")

// Final reports whether no second person lets the unit through: see ErrClosed and ErrNo.
func (d Decision) Final() bool { return d.final() != nil }

func (d Decision) final() error {
	for _, r := range d.Reasons {
		switch r.Code {
		case ReasonClosed:
			return ErrClosed
		case ReasonNo:
			return ErrNo
		}
	}
	return nil
}

// Override returns the decision with Outcome Issue, if another person than who acts
// says why: by.SecondPerson, and a reason of at most access.MaxText bytes that
// names nobody. The reasons of the gate stay in it. A plain Issue stays as it is.
func (d Decision) Override(by access.Actor, reason string) (Decision, error) {
	if d.Outcome == Issue {
		return d, nil
	}
	if err := by.Check(); err != nil {
		return Decision{}, fmt.Errorf("quality: override: %w", err)
	}
	if by.SecondPerson == "" {
		return Decision{}, errors.New("quality: an override needs a second person, who is not the one who issues")
	}
	reason = strings.TrimSpace(reason)
	if reason == "" || len(reason) > access.MaxText || !utf8.ValidString(reason) {
		return Decision{}, fmt.Errorf("quality: an override needs a reason of 1 to %d bytes", access.MaxText)
	}
	if err := d.final(); err != nil {
		return Decision{}, err
	}
	d.Overridden = &Override{By: by.ID, Second: by.SecondPerson, Reason: reason, Was: d.Outcome}
	d.Outcome = Issue
	return d, nil
}
