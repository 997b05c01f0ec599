package print

import (
	"context"
	"errors"
	"fmt"

	"aidpass/internal/durable"
	"aidpass/issuer/print/proof"
)

// A Refusal says what on the paper must not leave the printer.
type Refusal struct{ Findings []proof.Finding }

func (e *Refusal) Error() string {
	more := ""
	if n := len(e.Findings); n > 1 {
		more = fmt.Sprintf(" (and %d more)", n-1)
	}
	return fmt.Sprintf("print: the file is not released: %v%s", e.Findings[0], more)
}

// ErrEmpty: there is nothing to release.
var ErrEmpty = errors.New("print: no card could be printed")

// Prove draws every page from the finished bytes: every code read from the drawing says
// what its card says, and rules find nothing that does not belong on paper. A nil rules
// leaves the last out, for pages that show no card.
//
// Errors: ErrEmpty, a *proof.Failure, a *Refusal, those of ctx.
func Prove(ctx context.Context, f File, rules *proof.Rules) error {
	if len(f.PDF) == 0 {
		return ErrEmpty
	}
	seen, err := proof.Check(ctx, f.PDF, f.Placed)
	if err != nil {
		return fmt.Errorf("print: the file is not released: %w", err)
	}
	if rules != nil {
		if found := proof.Lint(seen, *rules); len(found) > 0 {
			return &Refusal{found}
		}
	}
	return nil
}

// Release writes the file to path, for its owner alone, once it is proved: see Prove.
//
// record is called between the two, to write the print into the log: a file that
// is not in the log is on no disk. It may be nil.
//
// Errors: those of Prove, record and the disk.
func Release(ctx context.Context, f File, path string, rules *proof.Rules, record func() error) error {
	if err := Prove(ctx, f, rules); err != nil {
		return err
	}
	if record != nil {
		if err := record(); err != nil {
			return err
		}
	}
	if err := durable.WriteFile(path, f.PDF, 0o600); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
