package imports

import (
	"context"

	"aidpass/access"
)

// A View reads an organisation's imports in one transaction.
type View interface {
	// Import returns one, or ErrNotFound.
	Import(id string) (Import, error)
	// Imports returns all, newest first.
	Imports() ([]Import, error)
	// File returns the bytes of a file, Report what was found in it; ErrGone where they
	// were destroyed or never kept.
	File(id string) ([]byte, error)
	Report(id string) ([]byte, error)
}

// A Tx writes them. A change wants an entry in the log in the same transaction.
type Tx interface {
	View
	// Save keeps an import. Its Version must be that which is stored, 0 for a new one,
	// else ErrConflict; it is stored with the next.
	Save(Import) error
	SaveFile(id string, b []byte) error
	SaveReport(id string, b []byte) error
	// Drop destroys file and report.
	Drop(id string) error
	Audit(access.Entry) error
}

// A Store keeps one organisation's imports, sealed: files, findings and mends are data
// of people who are in no register yet.
type Store interface {
	ReadImports(ctx context.Context, work func(View) error) error
	// WriteImports runs work in one transaction. An error of work is returned as it is, and
	// nothing is written.
	WriteImports(ctx context.Context, by access.Actor, work func(Tx) error) error
}
