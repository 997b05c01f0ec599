package quality

import (
	"strings"
	"time"

	"aidpass/issuer/registry"
)

// extPrefix begins a field that is a column of the list's own.
const extPrefix = "ext."

// A rule says whether a field of a unit applies, and whether it is filled. "Filled"
// leaves out what stands for nothing: see registry.Placeholder, and DOMAIN.md 5.
type rule func(s subject) (filled, applies bool)

// A subject is the person or household whose field is asked for. What a list says
// once of the household holds for its members: place, day of registration, notice.
type subject struct {
	person    *registry.Person // nil: the household itself
	household *registry.Household
	unit      *Unit // of the household
	at        time.Time
}

// personFields and householdFields are what a policy may require.
var (
	personFields = map[string]rule{
		"name":         func(s subject) (bool, bool) { return hasName(*s.person), true },
		"sex":          func(s subject) (bool, bool) { return s.person.Sex != "", true }, // "other" and "not said" are answers
		"birth":        func(s subject) (bool, bool) { return hasBirth(s.person.Birth), true },
		"origin":       always(subject.hasOrigin),
		"relation":     func(s subject) (bool, bool) { return said(s.person.Relation), s.household != nil },
		"location":     always(subject.hasPlace),
		"pcode":        always(subject.hasPCode),
		"registration": always(func(s subject) bool { return s.hasRegistered() && s.notice() == noticeGiven }),
		"document":     func(s subject) (bool, bool) { return hasDocument(s.person.Documents), true },
		"contact":      always(subject.hasContact),
		"language":     func(s subject) (bool, bool) { return len(s.person.Languages) > 0 && said(s.person.Languages[0]), true },
		"assurance":    func(s subject) (bool, bool) { return said(s.person.Assurance), true },
	}
	householdFields = map[string]rule{
		"size":         func(s subject) (bool, bool) { return s.household.Size > 0, true },
		"head":         always(subject.hasHead),
		"origin":       always(subject.hasOrigin),
		"location":     always(subject.hasPlace),
		"pcode":        always(subject.hasPCode),
		"registration": always(func(s subject) bool { return s.hasRegistered() && s.notice() == noticeGiven }),
		"contact":      always(subject.hasContact),
		"collector":    always(subject.hasCollector),
		"residence":    func(s subject) (bool, bool) { return said(s.household.Residence), true },
		"bands":        func(s subject) (bool, bool) { return len(s.household.Bands) > 0, true },
		// DQ-05: as many members on record as were declared; not asked where nobody is.
		"members": func(s subject) (bool, bool) {
			return len(s.unit.active()) == s.household.Size, s.household.CollectType != "size_only"
		},
	}
)

func always(filled func(subject) bool) rule {
	return func(s subject) (bool, bool) { return filled(s), true }
}

// filled asks the rule of a field of a policy that was checked.
func (s subject) filled(field string) (filled, applies bool) {
	if column, ok := strings.CutPrefix(field, extPrefix); ok {
		if s.person != nil {
			return said(s.person.Ext[column]), true
		}
		return said(s.household.Ext[column]), true
	}
	if s.person != nil {
		return personFields[field](s)
	}
	return householdFields[field](s)
}

// said reports whether a text says anything.
func said(text string) bool { return !registry.Placeholder(text) }

func hasName(p registry.Person) bool {
	for _, n := range p.Names {
		if said(n.Text) {
			return true
		}
	}
	return false
}

// hasBirth: known, be it to the decade. 1 January 1900 is what programs write for nothing.
func hasBirth(b *registry.Birth) bool {
	return b != nil && b.Precision != registry.PrecisionUnknown && said(b.EDTF) && b.EDTF != "1900" && b.EDTF != "1900-01-01"
}

// saidBirth: known, or said to be unknown.
func saidBirth(b *registry.Birth) bool {
	return hasBirth(b) || b != nil && b.Precision == registry.PrecisionUnknown && b.EDTF == ""
}

func (s subject) hasOrigin() bool {
	return s.person != nil && said(s.person.Origin) || s.household != nil && said(s.household.Origin) ||
		s.person == nil && s.faceSays(func(p registry.Person) bool { return said(p.Origin) })
}

// hasPlace: somebody who looks for them knows where to go. A country says too little.
func (s subject) hasPlace() bool {
	return s.stays(func(l registry.Location) bool { return said(l.PCode) || said(l.Site) || said(l.Address) })
}

// hasPCode: the place has the code by which figures are counted.
func (s subject) hasPCode() bool {
	return s.stays(func(l registry.Location) bool { return said(l.PCode) })
}

func (s subject) stays(ask func(registry.Location) bool) bool {
	return s.person != nil && s.person.Location != nil && ask(*s.person.Location) ||
		s.household != nil && s.household.Location != nil && ask(*s.household.Location)
}

func (s subject) hasRegistered() bool {
	return s.person != nil && said(s.person.Registered) || s.household != nil && said(s.household.Registered) ||
		s.person == nil && s.faceSays(func(p registry.Person) bool { return said(p.Registered) })
}

func (s subject) hasContact() bool {
	return s.person != nil && reachable(s.person.Contacts) || s.household != nil && reachable(s.household.Contacts) ||
		s.person == nil && s.faceSays(func(p registry.Person) bool { return reachable(p.Contacts) })
}

// reachable leaves out numbers such as 000 000 and 12345678.
func reachable(contacts []registry.Contact) bool {
	for _, c := range contacts {
		if said(c.Value) && (c.Kind != "phone" || said(strings.Trim(c.Value, "+ -()"))) {
			return true
		}
	}
	return false
}

func hasDocument(documents []registry.Document) bool {
	for _, d := range documents {
		if said(d.Number) {
			return true
		}
	}
	return false
}

// hasHead: somebody goes by a name for the household, on record or from outside.
func (s subject) hasHead() bool {
	if s.faceSays(hasName) {
		return true
	}
	for _, c := range s.household.Collectors {
		if c.Revoked == "" && said(c.External) {
			return true
		}
	}
	return false
}

// hasCollector: DQ-06, somebody may fetch what the household is due today.
func (s subject) hasCollector() bool {
	today := s.at.UTC().Format(time.DateOnly)
	for _, c := range s.household.Collectors {
		if c.Role == "primary" && c.Revoked == "" && c.From <= today && (c.To == "" || c.To >= today) && (c.Person != "" || said(c.External)) {
			return true
		}
	}
	return false
}

// faceSays asks something of the member by whose name the household goes.
func (s subject) faceSays(ask func(registry.Person) bool) bool {
	if s.unit == nil {
		return false
	}
	m, ok := s.unit.face()
	return ok && ask(m.Person)
}
