package main

import (
	"errors"
	"fmt"
	"io/fs"

	"aidpass/internal/durable"
	"aidpass/internal/qrcode"
	"aidpass/issuer"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

// A usageError is the caller's to mend: a flag, an argument or an input file.
// The process exits 2. Every other error is a fault of ours or of the machine.
type usageError struct {
	err  error
	tips []string
	code string // of package console, for pages; empty: there is none
	fill []any  // values that its words name
}

func usagef(format string, args ...any) *usageError {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// coded gives the refusal words on pages of the console: a code of those, and the values
// that these name.
func (e *usageError) coded(code string, fill ...any) *usageError {
	e.code, e.fill = code, fill
	return e
}

// hint adds a way out, in the words of the command line.
func (e *usageError) hint(format string, args ...any) *usageError {
	e.tips = append(e.tips, fmt.Sprintf(format, args...))
	return e
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// answeredError ends verify with the exit code of its answers: they were printed,
// nothing more is to be said.
type answeredError struct{ code int }

func (e *answeredError) Error() string { return fmt.Sprint("exit ", e.code) }

// waysOut are conditions that any command may meet: the input's, not ours.
var waysOut = []struct {
	is   error
	hint string
}{
	{keystore.ErrPassphrase, "name the right file with --passphrase-file; for the key of a device, with --device-passphrase-file"},
	{keystore.ErrPermissions, ""},
	{keystore.ErrNotFound, ""},
	{keystore.ErrUse, ""},
	{keystore.ErrDamaged, ""},
	{keystore.ErrExists, ""},
	{storage.ErrNoOrg, "aidpass org show lists the organisations of this folder; --data names another folder"},
	{storage.ErrHasOrg, "aidpass org show tells what is there"},
	{storage.ErrNewer, "use the newer program, or the folder of this one"},
	{issuer.ErrFinal, "a revoked card stays revoked: issue a new one"},
	{issuer.ErrSecondPerson, "--second-person ACCOUNT"},
	{issuer.ErrCardState, "aidpass card show CARD tells what became of it; a blank card is let go by aidpass blank bind"},
	{issuer.ErrNotFound, "name the credential (14 characters, as in cards.jsonl), the card number, or --unit with the roster's identifier"},
	{issuer.ErrProgrammeKey, "the keys folder does not belong to this database: put back the right one"},
	{issuer.ErrClock, "set the clock; if it is right, a second person confirms: --second-person ACCOUNT"},
	{issuer.ErrUnwitnessed, "aidpass status publish --witnessed FILE: the newest published files, from the web server or a copy; or two people: --nothing-newer REASON --second-person ACCOUNT"},
	{durable.ErrLocked, "another aidpass has the file open: wait for it, or give each table a journal of its own"},
	{qrcode.ErrNoPDFTool, "or give the page as PNG"},
	{fs.ErrNotExist, "is the path spelled as it is, and seen from this folder?"},
	{fs.ErrPermission, "run as the user who owns the file"},
	{fs.ErrExist, "choose another name, or move the file away"},
}

// report prints err and the ways out, and returns the exit code.
func (a *app) report(err error) int {
	fmt.Fprintln(a.Stderr, "aidpass: error:", err)
	var usage *usageError
	if errors.As(err, &usage) {
		for _, tip := range usage.tips {
			fmt.Fprintln(a.Stderr, "aidpass: hint:", tip)
		}
		if len(usage.tips) > 0 {
			return exitUsage
		}
	}
	for _, w := range waysOut {
		if errors.Is(err, w.is) {
			if w.hint != "" {
				fmt.Fprintln(a.Stderr, "aidpass: hint:", w.hint)
			}
			return exitUsage
		}
	}
	var refusal *trust.Refusal
	if usage != nil || errors.As(err, &refusal) {
		return exitUsage
	}
	return exitFault
}
