package issuer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aidpass/status"
)

// Find lists every credential that text may mean: an identity (cti), a printed
// card number as typed, a pseudonym, a unit's id, or an identifier in a roster.
// Oldest first; none is no error. Show the list before acting on it, and act on
// none when they belong to several units: the same identifier can stand for a
// person, a household, and another roster's people (FindUnit tells them apart).
func (d *Desk) Find(ctx context.Context, text string) ([]Credential, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("issuer: nothing to look for")
	}
	found, err := d.Store.FindCredentials(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("issuer: find: %w", err)
	}
	return found, nil
}

// FindUnit lists the credentials of the one unit that a RosterRow so named
// means. Oldest first; none is no error.
func (d *Desk) FindUnit(ctx context.Context, kind UnitKind, namespace, external string) ([]Credential, error) {
	found, err := d.Store.FindUnit(ctx, kind, namespace, external)
	if err != nil {
		return nil, fmt.Errorf("issuer: find: %w", err)
	}
	return found, nil
}

// Revoke withdraws credentials for ever, all or none. Service points hear of it
// with the next published status lists. Revoking twice is no error.
func (d *Desk) Revoke(ctx context.Context, ids []CTI, reason string) error {
	return d.setStatus(ctx, ids, status.Invalid, reason)
}

// Suspend withdraws credentials until Reinstate, all or none. A revoked one is ErrFinal.
func (d *Desk) Suspend(ctx context.Context, ids []CTI, reason string) error {
	return d.setStatus(ctx, ids, status.Suspended, reason)
}

// Reinstate ends a suspension. A revoked credential is ErrFinal.
func (d *Desk) Reinstate(ctx context.Context, ids []CTI, reason string) error {
	return d.setStatus(ctx, ids, status.Valid, reason)
}

func (d *Desk) setStatus(ctx context.Context, ids []CTI, v status.Value, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("issuer: a change of status needs a reason")
	}
	if err := d.Store.SetStatus(ctx, d.Actor, ids, v, reason); err != nil {
		return fmt.Errorf("issuer: %d credentials to %s: %w", len(ids), v, err)
	}
	return nil
}
