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
func (s subject) notice() notice {
	today := s.at.UTC().Format(time.DateOnly)
	var lists [][]registry.Consent
	if s.person != nil {
		lists = append(lists, s.person.Consents)
	}
	if s.household != nil {
		lists = append(lists, s.household.Consents)
	}
	if s.person == nil && s.unit != nil {
		if m, ok := s.unit.face(); ok {
			lists = append(lists, m.Person.Consents)
		}
	}
	for _, list := range lists {
		if n := newest(list, today); n != noticeMissing {
			return n
		}
	}
	return noticeMissing
}

// newest reads the last answer of a list: a later entry is a later answer.
func newest(list []registry.Consent, today string) notice {
	for _, c := range slices.Backward(list) {
		if c.Purpose != purposeRegistration || c.Expires != "" && c.Expires < today {
			continue
		}
		if !c.Given || c.Withdrawn != "" && c.Withdrawn <= today {
			return noticeRefused
		}
		return noticeGiven
	}
	return noticeMissing
}
