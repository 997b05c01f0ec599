package console_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

// peopleStore is a records.Store in memory, with the entries of the log that look at
// people.
type peopleStore struct {
	cards []issuer.Card // of its people
	registrytest.Store
	mu    sync.Mutex
	looks []look
}

// A look is an entry of the log, with whom it is about.
type look struct {
	access.Entry
	about []registry.ID
}

func (s *peopleStore) Cards(_ context.Context, sel issuer.Selection) (list []issuer.Card, err error) {
	for _, c := range s.cards {
		if slices.Contains(sel.Units, c.Unit) {
			list = append(list, c)
		}
	}
	return list, nil
}

func (s *peopleStore) FindCredentials(context.Context, string) ([]issuer.Credential, error) {
	return nil, nil
}

func (s *peopleStore) Note(ctx context.Context, by access.Actor, e access.Entry) error {
	return s.NoteAbout(ctx, by, e, nil)
}

func (s *peopleStore) NoteAbout(_ context.Context, by access.Actor, e access.Entry, about []registry.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Actor = by
	s.looks = append(s.looks, look{e, slices.Clone(about)})
	return by.Check()
}

// seen counts the looks by an account at a record: as their object, or among whom they
// are about.
func (s *peopleStore) seen(account string, id registry.ID) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.looks {
		if l.Actor.ID == account && (l.Object == id.String() || slices.Contains(l.about, id)) {
			n++
		}
	}
	return n
}

func (w *world) peopleOf(org string) *peopleStore {
	if w.people == nil {
		w.people = map[string]*peopleStore{}
	}
	if w.people[org] == nil {
		w.people[org] = &peopleStore{Store: registrytest.Store{Now: w.now}}
	}
	return w.people[org]
}

func (w *world) peopleScreen() console.Screen {
	desk := &records.Desk{Store: w.peopleOf(own), Country: "KEN", Now: w.now}
	w.doors[own].Handle(access.PersonChange, access.Executor{Again: desk.Again, Run: desk.Carry})
	return &console.People{Desk: desk, Policy: func() (quality.Policy, error) { return w.policy, nil }, Notice: &rights.Desk{Store: w.peopleOf(own), Org: own, Now: w.now},
		Looked: func(ctx context.Context, by access.Actor, id registry.ID, lang string) (print.Page, error) {
			return print.Page{Title: "Looked " + lang, Lead: []string{id.String()}, Lines: [][2]string{{"22 November", "registrar"}}},
				w.peopleOf(own).Note(ctx, by, access.Entry{Action: "person.read", Object: id.String(), Detail: "looked"})
		},
		LookedPDF: func(ctx context.Context, by access.Actor, id registry.ID, _ string) ([]byte, error) {
			if by.ID == "" {
				return nil, errors.New("nobody")
			}
			return []byte("%PDF-1.7"), w.peopleOf(own).Note(ctx, by, access.Entry{Action: "person.read", Object: id.String(), Detail: "looked"})
		}}
}

// clerk is who entered the people of the tests.
var clerk = access.Actor{ID: "clerk", Role: access.Registrar, Device: "desk-1"}

func (w *world) registry(org string) *registry.Registry {
	return &registry.Registry{Store: w.peopleOf(org), Actor: clerk, Now: w.now}
}

// jpeg is what begins as a picture: the console looks no further.
var jpeg = []byte("\xff\xd8\xff\xe0picture")

// person enters somebody of a household of her own, in the partners' area.
func (w *world) person(org, text string) registry.ID {
	w.Helper()
	return w.member(org, w.household(org), text, "1987-05-12")
}

func (w *world) member(org string, household registry.ID, text, born string) registry.ID {
	w.Helper()
	n, _ := registry.ParseName(text, registry.Official)
	n.Text = text
	p := registry.Person{Names: []registry.Name{n}, Sex: registry.Female, Birth: &registry.Birth{EDTF: born, Precision: registry.PrecisionDay},
		Photo: jpeg, Contacts: []registry.Contact{{Kind: "phone", Value: "+254712345678"}},
		Consents: yesToTheMinistry}
	e, err := w.registry(org).Enter(w.Context(), registry.Entry{Household: household, Person: p})
	if err != nil {
		w.Fatal(err)
	}
	return e.ID
}

// yesToTheMinistry lets the tests' partner see who gave it.
var yesToTheMinistry = []registry.Consent{{ID: "c1", Purpose: "resettlement", Given: true, Recipients: []string{"ministry"}, On: "2026-11-01"}}

func (w *world) household(org string) registry.ID {
	w.Helper()
	s, err := w.registry(org).EnterHousehold(w.Context(), "", "HH-"+name(), registry.Household{Size: 2, CollectType: "full", Location: &registry.Location{PCode: "KE007001"}, Consents: yesToTheMinistry})
	if err != nil {
		w.Fatal(err)
	}
	return s.ID
}
