package main

import (
	"context"
	"fmt"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer/print"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/web/console"
	"aidpass/words"
)

// peopleScreen joins the screens of people to their desk, and what two accounts agreed
// about people to who carries it out.
func (s *serving) peopleScreen() *console.People {
	desk := &records.Desk{Store: s.o.store, Country: s.o.entry.Country, Now: s.a.Now}
	s.door.Handle(access.PersonChange, access.Executor{Run: desk.Carry})
	return &console.People{Desk: desk, Looked: s.looked, LookedPDF: func(ctx context.Context, by access.Actor, id registry.ID, lang string) ([]byte, error) {
		page, err := s.looked(ctx, by, id, lang)
		if err != nil {
			return nil, err
		}
		f, err := print.Pages(ctx, page, print.Options{Lang: lang})
		if err != nil {
			return nil, err
		}
		if _, err := proof.Check(ctx, f.PDF, f.Placed); err != nil { // what cannot be read again is not handed out
			return nil, fmt.Errorf("print: the file is not released: %w", err)
		}
		return f.PDF, nil
	}}
}

// looked is the page that registry looked prints. That it was read stands in the log.
func (s *serving) looked(ctx context.Context, by access.Actor, id registry.ID, lang string) (print.Page, error) {
	catalogue, ok := words.Language(lang)
	if !ok {
		return print.Page{}, console.ErrNotFound
	}
	looks, err := s.o.store.Looked(ctx, id)
	if err != nil {
		return print.Page{}, err
	}
	if err := s.o.store.Note(ctx, by, access.Entry{Action: "person.read", Object: id.String(), Detail: "looked"}); err != nil {
		return print.Page{}, err
	}
	house := s.o.entry.Names[catalogue.Tag()]
	if house == "" {
		house = s.o.entry.Names["en"]
	}
	return lookedPage(catalogue, looks, house, id.String(), credential.Time(s.a.Now().Unix())), nil
}
