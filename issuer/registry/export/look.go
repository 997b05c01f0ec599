package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// A Told is what an account of a party sees of one person.
type Told struct {
	Fields []Value // those of its agreement that say something, in the order of files
	Photo  []byte  // JPEG; nil: there is none, or the agreement does not name it
}

// A Value is what a field says.
type Value struct{ Field, Text string }

// Look reads one person for an account of a party, as a file of its agreement would tell
// of her: the agreement is live at that time and for the purpose of the scope; of its
// fields and areas those that the scope names, too; whom a file would leave out is not
// there. It is kept as a share before it returns, so that a recall reaches it.
//
// Errors: registry.ErrNotFound, also for whoever is outside of the agreement; *rights.Refusal
// and ErrScope where the account is told of nobody; those of the store.
func Look(ctx context.Context, store rights.Store, by access.Actor, scope access.Scope, id registry.ID, at time.Time) (told Told, err error) {
	err = store.WriteRights(ctx, by, func(tx rights.Tx) error {
		under, fields, err := scoped(tx, scope, at)
		if err != nil {
			return err
		}
		h, p, err := someone(ctx, tx, under, fields, id, day(at))
		if err != nil {
			return err
		}
		place := p.Location
		if h.household != nil {
			place = h.household.Location
		}
		if place == nil || !rights.InAreas(scope.Areas, under.Levels, place.PCode) {
			return registry.ErrNotFound
		}
		if told, err = tell(h, p, fields); err != nil {
			return err
		}
		return rights.RecordLook(tx, under, by, id, fields, at)
	})
	if errors.Is(err, registry.ErrErased) {
		err = registry.ErrNotFound
	}
	if err != nil {
		return Told{}, err
	}
	return told, nil
}

// scoped is the agreement of a scope and the fields that both name.
func scoped(v rights.View, scope access.Scope, at time.Time) (*rights.Agreement, []string, error) {
	if !rights.Purpose(scope.Purpose).Shared() { // and so not one's own use
		return nil, nil, fmt.Errorf("export: the account is for purpose %q: %w", scope.Purpose, ErrScope)
	}
	under, err := rights.Permit(v, rights.Use{Agreement: scope.Agreement, Purpose: rights.Purpose(scope.Purpose)}, at)
	if err != nil {
		return nil, nil, err
	}
	fields := slices.DeleteFunc(slices.Clone(under.Fields), func(f string) bool {
		number := f == "person_id" || f == "household_id" // else a file's own, and there is no file
		return !slices.Contains(scope.Fields, f) || number && !under.Numbers
	})
	if len(fields) == 0 {
		return nil, nil, fmt.Errorf("export: agreement %s and the account have no field in common: %w", under.ID, ErrScope)
	}
	return under, fields, nil
}

// ErrScope is an account that was made for something else than its agreement is.
var ErrScope = errors.New("the account does not fit its agreement")

// someone is a person as she would be in a file, with her household if that is in it.
func someone(ctx context.Context, v rights.View, under *rights.Agreement, fields []string, id registry.ID, day string) (*house, *person, error) {
	opt := Options{Form: XLSX, Fields: fields, pseudonym: make([]byte, 32)} // numbers of a file go nowhere: there is none
	r := &reader{view: v, opt: &opt, sum: &Summary{LeftOut: map[string]int{}}, ctx: ctx, under: under, day: day}
	rec, err := v.Record(id)
	if err == nil && rec.Kind != registry.KindPerson {
		err = registry.ErrNotFound
	}
	if err != nil {
		return nil, nil, err
	}
	unit, kind := id, registry.KindPerson
	if !rec.Household.IsZero() {
		in, err := r.active(rec.Household)
		if err != nil {
			return nil, nil, err
		}
		if in {
			unit, kind = rec.Household, registry.KindHousehold
		}
	}
	h, err := r.house(unit, kind)
	if err == nil && h == nil {
		err = registry.ErrNotFound
	}
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(h.members, func(p person) bool { return p.id == id })
	if i < 0 {
		return nil, nil, registry.ErrNotFound
	}
	return h, &h.members[i], nil
}

// tell is what the fields say of a person.
func tell(h *house, p *person, fields []string) (told Told, err error) {
	files := slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return f == rights.PhotoField })
	if len(files) < len(fields) && bytes.HasPrefix(p.Photo, []byte{0xff, 0xd8, 0xff}) {
		told.Photo = p.Photo
	}
	if len(files) == 0 { // else choose would return the usual ones
		return told, nil
	}
	columns, err := choose(XLSX, files)
	if err != nil {
		return told, err
	}
	for i, text := range personCells(columns, h, *p, true) {
		if text != "" && slices.Contains(files, columns[i].field) {
			told.Fields = append(told.Fields, Value{columns[i].field, text})
		}
	}
	return told, nil
}
