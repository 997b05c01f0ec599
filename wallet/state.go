package wallet

import (
	"slices"

	"aidpass/credential"
	"aidpass/status"
)

// Word is how a card stands, in one word.
type Word string

// The words.
const (
	Ready      Word = "ready"
	NotYet     Word = "not_yet"   // begins at State.At
	EndsOn     Word = "ends_on"   // ends at State.At, soon
	Ended      Word = "ended"     // ended at State.At
	Stopped    Word = "cancelled" // by its issuer, seen at State.At
	OnHold     Word = "suspended" // by its issuer, seen at State.At
	Unchecked  Word = "unchecked" // nobody could look since State.At; it is shown all the same
	ShownOnly  Word = "view_only" // restored without keys
	Unproven   Word = "unproved"  // its issuer's keys could not be fetched yet
	soon            = 14 * 86400
	checkEvery      = 7 * 86400
)

// State is what the screen says of a card. Who scans it decides; a wallet warns.
type State struct {
	Word Word
	At   credential.Time
}

// State judges c by its dates and by what its status list said.
func (c *Card) State(at credential.Time) State {
	listed := false
	for _, k := range c.Copies {
		listed = listed || k.StatusURI != ""
	}
	elsewhere := !listed && c.listedElsewhere()
	switch {
	case c.Standing == Cancelled:
		return State{Stopped, c.Checked}
	case c.Ends != 0 && at >= c.Ends:
		return State{Ended, c.Ends}
	case c.ViewOnly:
		return State{ShownOnly, 0}
	case c.Unproved():
		return State{Unproven, 0}
	case c.Standing == Suspended:
		return State{OnHold, c.Checked}
	case at < c.ValidFrom:
		return State{NotYet, c.ValidFrom}
	case elsewhere:
		return State{Unchecked, c.Added}
	case listed && at-max(c.Checked, c.Added) > checkEvery:
		return State{Unchecked, max(c.Checked, c.Added)}
	case c.Ends != 0 && c.Ends-at < soon:
		return State{EndsOn, c.Ends}
	}
	return State{Ready, 0}
}

// listedElsewhere reports whether the issuer says how c stands in a way that no phone of
// ours can read.
func (c *Card) listedElsewhere() bool {
	return slices.ContainsFunc(c.Copies, func(k Copy) bool {
		if signed(k.Form) {
			return false
		}
		g, err := GlanceAt(k.Text)
		return err == nil && g.Elsewhere
	})
}

// StatusLists are the lists to look into for c. Ask for all of a wallet's at once or
// none: who serves a list sees who asks.
func (c *Card) StatusLists() (uris []string) {
	met := map[string]bool{}
	for _, k := range c.Copies {
		if k.StatusURI != "" && !met[k.StatusURI] {
			met[k.StatusURI] = true
			uris = append(uris, k.StatusURI)
		}
	}
	return uris
}

// LookUp takes a status list whose signature was checked. A card is cancelled or on
// hold when a copy of it is: an issuer does that to all of them. What was cancelled
// stays so.
func (c *Card) LookUp(uri string, list *status.List, at credential.Time) {
	if list.CheckURI(uri) != nil || list.ExpiresAt != 0 && at >= list.ExpiresAt {
		return
	}
	worst, found := Good, false
	for _, k := range c.Copies {
		if k.StatusURI != uri {
			continue
		}
		v, ok := list.Look(k.StatusIndex)
		if !ok {
			continue
		}
		found = true
		switch v {
		case status.Valid:
		case status.Suspended:
			worst = max(worst, Suspended)
		default:
			worst = Cancelled
		}
	}
	if found && c.Standing != Cancelled {
		c.Standing, c.Checked = worst, at
	}
}
