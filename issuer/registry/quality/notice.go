package quality

import (
	"slices"
	"time"

	"aidpass/issuer/registry"
)

// The purpose under which a record keeps that the registration notice was given.
const purposeRegistration = "registration"

// notice is what the record says of the registration notice.
type notice uint8

const (
	noticeMissing notice = iota // nothing on record, or it ran out
	noticeGiven
	noticeRefused // answered no, or taken back
)

// notice looks at the person's own answer first: it stands above the household's.
// Of a household it is that of the member by whose name it goes.
func (s subject) notice() notice {
	today := s.at.UTC().Format(time.DateOnly)
	var lists [][]registry.Consent
	if s.person != nil {
		lists = append(lists, s.person.Consents)
	} else if s.unit != nil {
		if m, ok := s.unit.face(); ok {
			lists = append(lists, m.Person.Consents)
		}
	}
	if s.household != nil {
		lists = append(lists, s.household.Consents)
	}
	for _, list := range lists {
		if n := newest(list, today); n != noticeMissing {
			return n
		}
	}
	return noticeMissing
}

// newest reads the last answer of a list: a later entry is a later answer. A yes
// runs out, a no does not; one that was taken back is a no, whatever day stands
// there: days are local, and may be tomorrow's.
func newest(list []registry.Consent, today string) notice {
	for _, c := range slices.Backward(list) {
		switch {
		case c.Purpose != purposeRegistration:
		case !c.Given || c.Withdrawn != "":
			return noticeRefused
		case c.Expires == "" || c.Expires >= today:
			return noticeGiven
		}
	}
	return noticeMissing
}
