package storage

import (
	"context"
	"fmt"

	"aidpass/access"
	"aidpass/issuer"
)

// MakeBlanks implements issuer.BlankStore.
func (o *Org) MakeBlanks(ctx context.Context, by access.Actor, lot issuer.BlankLot) (issuer.BlankLot, error) {
	err := o.update(ctx, by, "make blank cards", func(t *tx) error {
		if ok, err := t.unfinishedBlanks(&lot); err != nil || ok {
			return err
		}
		lot.ID, lot.At, lot.By = issuer.NewShortID(), microTime(t.micros), t.by.ID
		const add = `INSERT INTO blank_lot (org_id, id, type, vct, programme, round, last_round, form, live, count, at, actor)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
		_, err := t.exec(add, o.id, lot.ID, lot.Type, lot.VCT, lot.Programme, lot.Rounds.First, lot.Rounds.Last, lot.Form.String(), lot.Live, lot.Count,
			t.micros, t.by.ID)
		if err != nil {
			return err
		}
		for n := range lot.Count {
			unit := issuer.NewUnitID()
			if err := t.insertUnit(unit.String(), issuer.Blank, nil, nil); err != nil {
				return err
			}
			const blank = `INSERT INTO blank (org_id, unit_id, lot_id, n) VALUES ($1, $2, $3, $4)`
			if _, err := t.exec(blank, o.id, unit.String(), lot.ID, n+1); err != nil {
				return err
			}
			lot.Units = append(lot.Units, unit)
		}
		return t.audit(access.Entry{Action: "blank.make", Object: lot.ID,
			Detail: fmt.Sprintf("type=%s programme=%s rounds=%d-%d count=%d live=%v", lot.Type, lot.Programme, lot.Rounds.First, lot.Rounds.Last, lot.Count, lot.Live)})
	})
	return lot, err
}

// unsigned holds for a blank of the lot l that has never had a card.
const unsigned = `b.org_id = l.org_id AND b.lot_id = l.id AND b.bound_to IS NULL
	AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.org_id = b.org_id AND c.unit_id = b.unit_id AND c.state IN ('issued', 'found'))`

// unfinishedBlanks fills lot with the one its ID names, or without an ID with the
// like one that was interrupted. Its units are all that nobody is bound to: those
// that have a card are issued to as before.
func (t *tx) unfinishedBlanks(lot *issuer.BlankLot) (ok bool, err error) {
	const like = `SELECT l.id, l.live, l.count, l.at, l.actor FROM blank_lot l
		WHERE l.org_id = $1 AND l.vct = $2 AND l.programme = $3 AND l.round = $4 AND l.last_round = $5 AND l.form = $6 AND `
	const named = like + `l.id = $7`
	const broken = like + `l.live = $7 AND l.count = $8 AND EXISTS (SELECT 1 FROM blank b WHERE ` + unsigned + `) ORDER BY l.at LIMIT 1`
	args := []any{t.o.id, lot.VCT, lot.Programme, lot.Rounds.First, lot.Rounds.Last, lot.Form.String()}
	query := broken
	if lot.ID != "" {
		query, args = named, append(args, lot.ID)
	} else {
		args = append(args, lot.Live, lot.Count)
	}
	var at int64
	ok, err = t.find(query, args, &lot.ID, &lot.Live, &lot.Count, &at, &lot.By)
	if err == nil && !ok && lot.ID != "" {
		err = fmt.Errorf("%w: %s", issuer.ErrNoLot, lot.ID)
	}
	if err != nil || !ok {
		return ok, err
	}
	lot.At = microTime(at)
	lot.Units, err = t.ids(`SELECT unit_id FROM blank WHERE org_id = $1 AND lot_id = $2 AND bound_to IS NULL ORDER BY n`, t.o.id, lot.ID)
	return true, err
}

// BlankLots implements issuer.BlankStore.
func (o *Org) BlankLots(ctx context.Context) (lots []issuer.BlankLot, err error) {
	err = o.view(ctx, "blank cards", func(t *tx) error {
		const query = `SELECT l.id, l.type, l.vct, l.programme, l.round, l.last_round, l.form, l.live, l.count, l.at, l.actor,
				(SELECT COUNT(*) FROM blank b WHERE b.org_id = l.org_id AND b.lot_id = l.id) - (SELECT COUNT(*) FROM blank b WHERE ` + unsigned + `),
				(SELECT COUNT(*) FROM blank b WHERE b.org_id = l.org_id AND b.lot_id = l.id AND b.bound_to IS NOT NULL),
				(SELECT COUNT(*) FROM blank b WHERE b.org_id = l.org_id AND b.lot_id = l.id AND b.bound_to IS NULL
					AND EXISTS (SELECT 1 FROM credential c WHERE c.org_id = b.org_id AND c.unit_id = b.unit_id AND c.state = 'issued' AND c.ended_at IS NOT NULL)
					AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.org_id = b.org_id AND c.unit_id = b.unit_id AND c.ended_at IS NULL))
			FROM blank_lot l WHERE l.org_id = $1 ORDER BY l.at DESC, l.id`
		rows, err := t.query(query, o.id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var l issuer.BlankLot
			var form string
			var at int64
			err := rows.Scan(&l.ID, &l.Type, &l.VCT, &l.Programme, &l.Rounds.First, &l.Rounds.Last, &form, &l.Live, &l.Count, &at, &l.By,
				&l.Issued, &l.Bound, &l.Ended)
			if err != nil {
				return err
			}
			if l.Form, _, err = issuer.ParseFormName(form); err != nil {
				return err
			}
			l.At = microTime(at)
			lots = append(lots, l)
		}
		return rows.Err()
	})
	return lots, err
}
