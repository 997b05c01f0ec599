package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry/quality/indicator"
)

var _ indicator.Store = (*Org)(nil)

const (
	snapshotTable = "quality_snapshot"
	partTable     = "quality_part"
)

// KeepSnapshot implements indicator.Store.
func (o *Org) KeepSnapshot(ctx context.Context, by access.Actor, s indicator.Snapshot, parts map[indicator.Cut]indicator.Parts) error {
	taken := false
	err := o.update(ctx, by, "keep the day's indicators", func(t *tx) error {
		day := s.At.Unix() / 86400
		id := strconv.FormatInt(day, 10)
		sealed, err := o.ownSealed(snapshotTable, id, s)
		if err != nil {
			return err
		}
		const insert = `INSERT INTO quality_snapshot (org_id, day, taken_at, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
		n, err := t.exec(insert, o.id, day, s.At.UnixMicro(), sealed)
		if err != nil || n == 0 {
			taken = err == nil
			return err
		}
		for _, c := range slices.Sorted(maps.Keys(parts)) {
			if sealed, err = o.ownSealed(partTable, id+"/"+string(c), parts[c]); err != nil {
				return err
			}
			const part = `INSERT INTO quality_part (org_id, day, cut, sealed) VALUES ($1, $2, $3, $4)`
			if _, err := t.exec(part, o.id, day, string(c), sealed); err != nil {
				return err
			}
		}
		return t.audit(access.Entry{Action: "quality.snapshot", Object: s.Day(), Detail: fmt.Sprintf("indicators=%d score=%.1f", len(s.Indicators), s.Score.Value)})
	})
	if err == nil && taken {
		return indicator.ErrTaken
	}
	return err
}

// Snapshots implements indicator.Store.
func (o *Org) Snapshots(ctx context.Context, since time.Time) (list []indicator.Snapshot, err error) {
	err = o.view(ctx, "read the indicators of days", func(t *tx) error {
		list, err = t.snapshots(`day >= $2 ORDER BY day`, since.Unix()/86400)
		return err
	})
	return list, err
}

// LastSnapshot implements indicator.Store.
func (o *Org) LastSnapshot(ctx context.Context) (s indicator.Snapshot, err error) {
	err = o.view(ctx, "read the newest indicators", func(t *tx) error {
		list, err := t.snapshots(`day = (SELECT MAX(day) FROM quality_snapshot WHERE org_id = $1)`)
		if err == nil && len(list) == 0 {
			return indicator.ErrNone
		} else if err != nil {
			return err
		}
		s = list[0]
		return nil
	})
	return s, err
}

func (t *tx) snapshots(where string, args ...any) (list []indicator.Snapshot, err error) {
	rows, err := t.query(`SELECT day, sealed FROM quality_snapshot WHERE org_id = $1 AND `+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var day int64
		var sealed []byte
		if err := rows.Scan(&day, &sealed); err != nil {
			return nil, err
		}
		var s indicator.Snapshot
		if err := t.o.openOwn(snapshotTable, strconv.FormatInt(day, 10), sealed, &s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// PartsOf implements indicator.Store.
func (o *Org) PartsOf(ctx context.Context, day string, c indicator.Cut) (parts indicator.Parts, err error) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil, indicator.ErrNone
	}
	n := at.Unix() / 86400
	err = o.view(ctx, "read the indicators of a day", func(t *tx) error {
		var sealed []byte
		const find = `SELECT sealed FROM quality_part WHERE org_id = $1 AND day = $2 AND cut = $3`
		ok, err := t.find(find, []any{o.id, n, string(c)}, &sealed)
		if err == nil && !ok {
			err = indicator.ErrNone
		}
		if err != nil {
			return err
		}
		return o.openOwn(partTable, strconv.FormatInt(n, 10)+"/"+string(c), sealed, &parts)
	})
	return parts, err
}

// snapshots proves that what is sealed of the indicators opens in its place.
func (c *checker) snapshots() error {
	return c.view(c.ctx, "check the indicators of days", func(t *tx) error {
		rows, err := t.query(`SELECT day, cut, sealed FROM quality_part WHERE org_id = $1 UNION ALL SELECT day, '', sealed FROM quality_snapshot WHERE org_id = $1 ORDER BY 1, 2`, c.id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var day int64
			var cut string
			var sealed []byte
			if err := rows.Scan(&day, &cut, &sealed); err != nil {
				return err
			}
			c.counts[CheckSeal]++
			var some any
			table, id := snapshotTable, strconv.FormatInt(day, 10)
			if cut != "" {
				table, id = partTable, id+"/"+cut
			}
			if err := c.openOwn(table, id, sealed, &some); err != nil {
				c.find(CheckSeal, "indicators of day "+id, "%v", err)
			}
		}
		return rows.Err()
	})
}
