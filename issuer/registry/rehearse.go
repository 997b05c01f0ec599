package registry

import (
	"context"
	"errors"

	"aidpass/access"
)

// errRehearsed ends a transaction that is not to be kept.
var errRehearsed = errors.New("registry: a rehearsal")

// Rehearsal is a store on which acts are done as on the one below, each in its
// transaction, and then not kept: what they return is what would happen, such as how
// many cards would stop. Ids of records they make name nothing afterwards.
func Rehearsal(store Store) Store { return rehearsal{store} }

type rehearsal struct{ Store }

func (r rehearsal) Update(ctx context.Context, by access.Actor, fn func(Tx) error) error {
	err := r.Store.Update(ctx, by, func(tx Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

func (r rehearsal) Erase(context.Context, access.Actor, ID, string) error {
	return errors.New("registry: an erasure reaches files outside the store and cannot be rehearsed")
}
