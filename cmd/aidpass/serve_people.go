package main

import (
	"context"
	"errors"
	"log/slog"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer/print"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/rights"
	"aidpass/storage"
	"aidpass/web/console"
	"aidpass/words"
)

// peopleScreen joins the screens of people to their desk, and what two accounts agreed
// about people to who carries it out.
func (s *serving) peopleScreen() *console.People {
	desk := s.o.records()
	desk.Store = deskStore{s.o.store, s.log, s.waiting()}
	s.door.Handle(access.PersonChange, access.Executor{Again: desk.Again, Run: desk.Carry})
	return &console.People{Desk: desk, Search: s.search(), Policy: func() (quality.Policy, error) { return s.a.qualityPolicy("") }, Notice: s.o.keeper(), Complaint: s.complaint, Looked: s.looked, LookedPDF: func(ctx context.Context, by access.Actor, id registry.ID, lang string) ([]byte, error) {
		page, err := s.looked(ctx, by, id, lang)
		if err != nil {
			return nil, err
		}
		return released(ctx, page, lang)
	}}
}

// deskStore is the store of a desk by which records go: erased, or taken back as they were
// entered or imported. No file that waits to be taken has them any more.
type deskStore struct {
	*storage.Org
	log  *slog.Logger
	made []interface{ clear() } // what waits for who asked for it
}

// EraseAll implements records.Store. What was erased is gone for everybody who reads
// the database; the old bytes of its key leave the files when nobody reads them, at the
// latest when the server starts again.
func (d deskStore) EraseAll(ctx context.Context, by access.Actor, ids []registry.ID, reason string, before, after func(rights.Tx) error) error {
	err := d.Org.EraseAll(ctx, by, ids, reason, before, after)
	for _, room := range d.made {
		room.clear()
	}
	if errors.Is(err, storage.ErrTraces) {
		d.log.Warn("the old bytes of what was erased are in the write-ahead log until nobody reads it", "code", console.ErrorCode(err))
		return nil
	}
	return err
}

// complaint is the line that is printed for whom to ask.
func (s *serving) complaint() (string, error) {
	line, err := s.a.setting(console.SettingComplaint)
	return string(line), err
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
