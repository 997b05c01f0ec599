package console

import (
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// A subject is whose papers a page is about: a person, or a household of whom one answers
// for all.
type subject struct {
	Person    registry.ID `json:"person,omitzero"`
	Household registry.ID `json:"household,omitzero"`
	Name      string      `json:"name"` // of a household its head's

	Home    bool      `json:"-"`
	Path    string    `json:"-"` // of the record's page
	Members []speaker `json:"-"` // of a household, its head first

	id        registry.ID
	consents  []registry.Consent
	languages []string
}

// A speaker is somebody who may answer for her household.
type speaker struct {
	ID   registry.ID
	Name string
	Head bool
}

// subject reads whose papers the path names; that these were read stands in the log.
func (p *Page) subject(desk *rights.Desk, papers string) (s subject, err error) {
	if at := p.Param("household"); at != "" {
		return p.home(desk, at, papers)
	}
	if s.id, err = registry.ParseID(p.Param("person")); err != nil {
		return s, ErrNotFound
	}
	who, err := desk.Person(p.Context(), p.Actor(), s.id, papers)
	if err != nil {
		return s, rightsFault(err)
	}
	s.Person, s.Name, s.Path, s.consents, s.languages = s.id, called(s.id, &who), "/people/"+s.id.String(), who.Consents, who.Languages
	return s, nil
}

func (p *Page) home(desk *rights.Desk, at, papers string) (s subject, err error) {
	if s.id, err = registry.ParseID(at); err != nil {
		return s, ErrNotFound
	}
	h, members, err := desk.Household(p.Context(), p.Actor(), s.id, papers)
	if err != nil {
		return s, rightsFault(err)
	}
	s.Household, s.Home, s.Name, s.Path, s.consents = s.id, true, s.id.String(), "/households/"+s.id.String(), h.Consents
	for _, m := range members {
		one := speaker{m.ID, called(m.ID, &m.Person), m.ID.String() == h.Head}
		if one.Head {
			s.Name, s.languages = one.Name, m.Person.Languages
			s.Members = append([]speaker{one}, s.Members...)
		} else {
			s.Members = append(s.Members, one)
		}
	}
	return s, nil
}

// titled chooses a page's heading.
func (s *subject) titled(person, household string) string {
	if s.Home {
		return household
	}
	return person
}

// speaker is what who answered for the household is called; her identifier where she lives
// there no more.
func (s *subject) speaker(id string) string {
	for _, m := range s.Members {
		if m.ID.String() == id {
			return m.Name
		}
	}
	return id
}

// called is a person's name for the heading of a page, her identifier where she has none.
func called(id registry.ID, p *registry.Person) string {
	if len(p.Names) > 0 {
		return p.Names[0].Text
	}
	return id.String()
}
