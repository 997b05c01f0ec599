package storage

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// auditAbout adds e to the log and keeps whom it is about, which is many: the rows of
// an export. Who asks what was done with her record is told of it.
func (t *tx) auditAbout(e access.Entry, about []registry.ID) error {
	units := make([]string, len(about))
	for i, id := range about {
		units[i] = id.String()
	}
	slices.Sort(units)
	if units = slices.Compact(units); len(units) > 0 {
		e.Detail = marked(e.Detail, units)
	}
	if err := t.audit(e); err != nil {
		return err
	}
	for _, unit := range units {
		if _, err := t.exec(`INSERT INTO audit_about (org_id, unit_id, seq) VALUES ($1, $2, $3)`, t.o.id, unit, t.head.Seq); err != nil {
			return err
		}
	}
	return nil
}

// A Look is an entry of the log that touches one record.
type Look struct {
	access.Entry
	Account string // pseudonym of who acted: the same for one account in this organisation, and no name
	Second  string // of the second of four eyes; empty when there was none
}

// Looked tells every entry of the log that touches the record of a person or
// household, oldest first: reads and changes of it and of the household she is in now,
// of their cards, the imports that changed them, and the exports their rows were in.
func (o *Org) Looked(ctx context.Context, id registry.ID) (list []Look, err error) {
	err = o.view(ctx, "who looked", func(t *tx) error {
		ids := []string{id.String()}
		homes, err := t.texts(`SELECT household_id FROM membership WHERE org_id = $1 AND person_id = $2`, o.id, id.String())
		if err != nil {
			return err
		}
		ids = append(ids, homes...)
		seen := map[uint64]bool{}
		take := func(e *access.Entry) error {
			if !seen[e.Seq] {
				seen[e.Seq] = true
				list = append(list, Look{Entry: *e, Account: o.StaffPseudonym(e.Actor.ID), Second: o.StaffPseudonym(e.Actor.SecondPerson)})
			}
			return nil
		}
		for _, unit := range ids {
			const touched = `org_id = $1 AND (object = $2
				OR object IN (SELECT id FROM credential WHERE org_id = $1 AND unit_id = $2)
				OR object IN (SELECT lot_id FROM credential WHERE org_id = $1 AND unit_id = $2)
				OR seq IN (SELECT seq FROM audit_about WHERE org_id = $1 AND unit_id = $2))`
			if err := o.entries(ctx, t.Tx, touched, []any{o.id, unit}, -1, take); err != nil {
				return err
			}
			if err := t.bulkChanges(unit, take); err != nil {
				return err
			}
		}
		slices.SortFunc(list, func(a, b Look) int { return cmp.Compare(a.Seq, b.Seq) })
		return nil
	})
	return list, err
}

// bulkChanges takes the entries of large transactions whose change sets are a unit's.
func (t *tx) bulkChanges(unit string, take func(*access.Entry) error) error {
	rows, err := t.query(`SELECT seq FROM change_set WHERE org_id = $1 AND entity = 'unit' AND entity_id = $2 ORDER BY seq`, t.o.id, unit)
	if err != nil {
		return err
	}
	var changes []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			rows.Close()
			return err
		}
		changes = append(changes, n)
	}
	rows.Close()
	if err := rows.Err(); err != nil || len(changes) == 0 {
		return err
	}
	return t.o.entries(t.ctx, t.Tx, "org_id = $1 AND action = $2", []any{t.o.id, string(bulkAction)}, -1, func(e *access.Entry) error {
		var first, last int64
		_, span, _ := strings.Cut(e.Detail, "changes=")
		if n, _ := fmt.Sscanf(span, "%d-%d", &first, &last); n != 2 {
			return nil // check tells of it
		}
		if i, _ := slices.BinarySearch(changes, first); i < len(changes) && changes[i] <= last {
			return take(e)
		}
		return nil
	})
}

// StaffPseudonym is how an account is called on papers that leave the organisation:
// staff are people too, and one who asks about an entry names it by this. Empty for no
// account.
func (o *Org) StaffPseudonym(account string) string {
	if account == "" {
		return ""
	}
	return "S-" + strings.ToUpper(hex.EncodeToString(o.index.of("staff", account)[:4]))
}
