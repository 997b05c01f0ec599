package storage

import (
	"context"
	"time"

	"aidpass/issuer"
)

// An IssuedCard is a credential as reports count it.
type IssuedCard struct {
	At        time.Time
	Programme string
	Unit      issuer.UnitID
}

// Issued returns what was issued from one moment to before another, oldest first.
func (o *Org) Issued(ctx context.Context, from, until time.Time) (list []IssuedCard, err error) {
	err = o.view(ctx, "issued credentials", func(t *tx) error {
		rows, err := t.query(`SELECT issued_at, programme, unit_id FROM credential WHERE org_id = $1 AND issued_at >= $2 AND issued_at < $3 AND state = 'issued' ORDER BY issued_at, id`,
			o.id, from.UnixMicro(), until.UnixMicro())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c IssuedCard
			var at int64
			var unit string
			if err := rows.Scan(&at, &c.Programme, &unit); err != nil {
				return err
			}
			c.At = time.UnixMicro(at).UTC()
			if c.Unit, err = issuer.ParseUnitID(unit); err != nil {
				return err
			}
			list = append(list, c)
		}
		return rows.Err()
	})
	return list, err
}
