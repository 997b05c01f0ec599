package main

import (
	"context"
	"errors"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/registry/imports"
)

// importWork is the long work that writes an approved list. Its arguments are the
// import's id.
const importWork = "import"

// importDesk is where the console takes lists in.
func (s *serving) importDesk() *imports.Desk {
	return &imports.Desk{Store: s.o.store, Registry: s.o.store, Door: s.door, Country: s.o.entry.Country, Now: s.a.Now, Begin: func(m imports.Import) error {
		who := access.Actor{ID: m.Review.By, Role: access.Registrar, SecondPerson: m.Review.Second}
		// The same approval begins the same work.
		_, err := s.work.Start(context.Background(), who, work.New{Kind: importWork, Key: m.Review.Approval, Args: []byte(m.ID), Total: m.Counts.Rows})
		return err
	}}
}

// writeImport writes a list, or finds it written.
func (s *serving) writeImport(ctx context.Context, t *work.Turn) (result string, err error) {
	m, err := s.imports.Apply(ctx, string(t.Args()), func(done, total int) error { return t.Save(ctx, nil, done, total) })
	if errors.Is(err, imports.ErrChanged) {
		err = &work.Fault{Word: "imports.register_changed", Err: err}
	}
	return "/imports/" + m.ID, err
}
