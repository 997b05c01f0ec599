package registry

import (
	"context"
	"slices"
	"strings"

	"aidpass/access"
)

// Correct is Edit for a correction at a desk, with its reason (a code). Who is called
// head from now on is the head of her household, and what the household's own issues
// say of sizes, ages and relations is looked at again: what was mended is closed.
func (r *Registry) Correct(ctx context.Context, id ID, fields map[string][]byte, base map[string]int64, reason string) (saved Saved, err error) {
	return r.Revise(ctx, id, reason, func(View, Record) (map[string][]byte, map[string]int64, error) { return fields, base, nil })
}

// Revise is Correct of what make says of the record as it stands in the transaction, so
// that nothing comes between reading and writing.
func (r *Registry) Revise(ctx context.Context, id ID, reason string, make func(View, Record) (fields map[string][]byte, base map[string]int64, err error)) (saved Saved, err error) {
	if reason == "" {
		return saved, refuse(RefusedReason, "registry: a correction has a reason: a code, never a name")
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, err := tx.Record(id)
		if err != nil {
			return err
		}
		fields, base, err := make(tx, rec)
		if err != nil {
			return err
		}
		if saved, err = r.edit(tx, rec, fields, base); err != nil || saved.Changed == 0 {
			return err
		}
		household := id
		if rec.Kind == KindPerson {
			household = rec.Household
			if err := r.lead(tx, rec, fields); err != nil {
				return err
			}
		}
		if !household.IsZero() {
			if err := r.recheck(tx, household); err != nil {
				return err
			}
		}
		return tx.Note(access.Entry{Action: "record.correct", Object: id.String(), Reason: reason})
	})
	return saved, err
}

// lead makes a person whose relation was corrected the head of her household, or takes
// that from her.
func (r *Registry) lead(tx Tx, before Record, fields map[string][]byte) error {
	if _, set := fields["relation"]; !set || before.Household.IsZero() {
		return nil
	}
	_, p, err := readPerson(tx, before.ID)
	if err != nil {
		return err
	}
	rec, h, err := readHousehold(tx, before.Household)
	if err != nil {
		return err
	}
	switch id := before.ID.String(); {
	case p.Relation == Head:
		h.Head = id
	case h.Head == id:
		h.Head = ""
	}
	return saveHousehold(tx, rec, h)
}

// recheck takes out of a household's issues those that Check made and would not make
// again.
func (r *Registry) recheck(tx Tx, household ID) error {
	rec, h, err := readHousehold(tx, household)
	if err != nil || len(h.Issues) == 0 {
		return err
	}
	members, err := readMembers(tx, household)
	if err != nil {
		return err
	}
	now := Check(h, members, r.Now())
	h.Issues = slices.DeleteFunc(slices.Clone(h.Issues), func(i Issue) bool {
		return strings.HasPrefix(i.Code, "household_") && i.Code != HouseholdTwins &&
			!slices.ContainsFunc(now, func(o Issue) bool { return o.Code == i.Code })
	})
	return saveHousehold(tx, rec, h)
}
