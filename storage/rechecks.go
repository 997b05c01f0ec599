package storage

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/recheck"
	"aidpass/issuer/registry"
)

var _ recheck.Store = (*Org)(nil)

// drawn is the tally of lots, one a day.
const drawn = "recheck"

// DrawRechecks implements recheck.Store. The lot of a record is an HMAC of day and record
// under the organisation's key of blind indexes: the same day draws the same, and whoever
// has not that key foretells nothing.
func (o *Org) DrawRechecks(ctx context.Context, by access.Actor, n int) error {
	if n < 1 {
		return nil
	}
	var done bool
	err := o.view(ctx, "look for today's lot", func(t *tx) (err error) {
		done, err = t.drew()
		return err
	})
	if err != nil || done {
		return err
	}
	return o.update(ctx, by, "draw by lot", func(t *tx) error {
		if done, err := t.drew(); err != nil || done {
			return err
		}
		const mark = `INSERT INTO tally (org_id, what, day, n) VALUES ($1, $2, $3, $4)`
		if _, err := t.exec(mark, o.id, drawn, t.day(), n); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM recheck WHERE org_id = $1 AND at < $2`, o.id, t.now.Add(-recheck.Kept).UnixMicro()); err != nil {
			return err
		}
		all, err := t.eligible()
		if err != nil || len(all) == 0 {
			return err
		}
		lots := make(map[string][]byte, len(all))
		for _, unit := range all {
			lots[unit] = o.index.of("recheck", strconv.FormatInt(t.day(), 10)+"/"+unit)
		}
		slices.SortFunc(all, func(a, b string) int { return bytes.Compare(lots[a], lots[b]) })
		chosen := all[:min(n, len(all))]
		batches, err := t.proposals(`TRUE`)
		if err != nil {
			return err
		}
		for _, unit := range chosen {
			if err := t.addRecheck(unit, batches); err != nil {
				return err
			}
		}
		return t.audit(access.Entry{Action: "recheck.draw", Detail: fmt.Sprintf("drawn=%d of=%d", len(chosen), len(all))})
	})
}

// day is that of the transaction, of UTC, since 1970.
func (t *tx) day() int64 { return t.now.Unix() / 86400 }

// drew reports whether today's lot was drawn.
func (t *tx) drew() (bool, error) {
	var n int
	return t.find(`SELECT n FROM tally WHERE org_id = $1 AND what = $2 AND day = $3`, []any{t.o.id, drawn, t.day()}, &n)
}

// eligible are the households, and persons of none, that are new or have a new card, and
// were not drawn lately.
func (t *tx) eligible() ([]string, error) {
	return t.texts(`WITH fresh (id) AS (
			SELECT id FROM unit WHERE org_id = $1 AND created_at >= $2
			UNION SELECT unit_id FROM credential WHERE org_id = $1 AND state = 'issued' AND issued_at >= $2)
		SELECT DISTINCT u.id FROM fresh f
		LEFT JOIN membership m ON m.org_id = $1 AND m.person_id = f.id
		JOIN unit u ON u.org_id = $1 AND u.id = COALESCE(m.household_id, f.id)
		WHERE u.kind IN ('person', 'household') AND u.erased_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM recheck r WHERE r.org_id = $1 AND r.unit_id = u.id AND r.at >= $2)`,
		t.o.id, t.now.Add(-recheck.Window).UnixMicro())
}

// parts is what is sealed of a recheck.
type parts struct {
	Maker string   `json:"maker"`
	Parts []string `json:"parts"`
	By    string   `json:"by,omitempty"`
}

func (t *tx) addRecheck(unit string, batches []issuer.Proposal) error {
	p, err := t.partsIn(unit, batches)
	if err != nil {
		return err
	}
	id := randomID()
	sealed, err := t.o.ownSealed("recheck", id, p)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO recheck (org_id, id, unit_id, at, sealed) VALUES ($1, $2, $3, $4, $5)`, t.o.id, id, unit, t.micros, sealed)
	return err
}

// partsIn are the accounts that entered, changed or approved the record of a unit and of its
// members, or prepared, approved or made their cards.
func (t *tx) partsIn(unit string, batches []issuer.Proposal) (p parts, err error) {
	if _, err := t.find(`SELECT actor FROM change_set WHERE org_id = $1 AND entity = 'unit' AND entity_id = $2 ORDER BY seq LIMIT 1`, []any{t.o.id, unit}, &p.Maker); err != nil {
		return p, err
	}
	add := func(accounts ...string) {
		for _, a := range accounts {
			if a != "" && !slices.Contains(p.Parts, a) {
				p.Parts = append(p.Parts, a)
			}
		}
	}
	members, err := t.texts(`SELECT person_id FROM membership WHERE org_id = $1 AND household_id = $2 ORDER BY person_id`, t.o.id, unit)
	if err != nil {
		return p, err
	}
	take := func(e *access.Entry) error {
		if e.Action.Changes() && e.Actor.Role != access.System {
			add(e.Actor.ID, e.Actor.SecondPerson)
		}
		return nil
	}
	for _, u := range append([]string{unit}, members...) {
		authors, err := t.texts(`SELECT DISTINCT actor FROM change_set WHERE org_id = $1 AND entity = 'unit' AND entity_id = $2 ORDER BY actor`, t.o.id, u)
		if err != nil {
			return p, err
		}
		add(authors...)
		const touched = `org_id = $1 AND (object = $2
			OR object IN (SELECT id FROM credential WHERE org_id = $1 AND unit_id = $2)
			OR object IN (SELECT lot_id FROM credential WHERE org_id = $1 AND unit_id = $2))`
		if err := t.o.entries(t.ctx, t.Tx, touched, []any{t.o.id, u}, -1, take); err != nil {
			return p, err
		}
		if err := t.bulkChanges(u, take); err != nil {
			return p, err
		}
		for i := range batches {
			var n int
			b := &batches[i]
			ok, err := t.find(`SELECT 1 FROM credential WHERE org_id = $1 AND unit_id = $2 AND approval = $3 LIMIT 1`, []any{t.o.id, u, t.o.approval(b.Digest)}, &n)
			if err != nil {
				return p, err
			}
			if ok {
				add(b.By, b.Second)
				for _, o := range b.Overrides {
					add(o.By)
				}
			}
		}
	}
	return p, nil
}

// Rechecks implements recheck.Store.
func (o *Org) Rechecks(ctx context.Context, since time.Time) (list []recheck.Check, err error) {
	err = o.view(ctx, "what was drawn by lot", func(t *tx) error {
		list, err = t.rechecks(false, `at >= $2 ORDER BY at, id`, since.UnixMicro())
		return err
	})
	return list, err
}

// Recheck implements recheck.Store.
func (o *Org) Recheck(ctx context.Context, id string) (c recheck.Check, err error) {
	var list []recheck.Check
	err = o.view(ctx, "find what was drawn by lot", func(t *tx) error {
		list, err = t.rechecks(true, `id = $2`, id)
		return err
	})
	if err == nil && len(list) == 0 {
		err = recheck.ErrNone
	}
	if err != nil {
		return c, err
	}
	return list[0], nil
}

func reasonPlace(org, id string, version int64) place {
	return place{org, "recheck", "reason", id, version}
}

// rechecks reads those of a condition, with their reasons where that is wanted.
func (t *tx) rechecks(reasons bool, where string, args ...any) (list []recheck.Check, err error) {
	rows, err := t.query(`SELECT id, unit_id, at, answer, answered_at, sealed, reason, key_version FROM recheck WHERE org_id = $1 AND `+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type sealedReason struct {
		version int64
		sealed  []byte
	}
	var said []sealedReason
	for rows.Next() {
		var c recheck.Check
		var r sealedReason
		var unit string
		var at int64
		var answered sql.NullInt64
		var sealed []byte
		if err := rows.Scan(&c.ID, &unit, &at, &c.Answer, &answered, &sealed, &r.sealed, &r.version); err != nil {
			return nil, err
		}
		if c.Unit, err = registry.ParseID(unit); err != nil {
			return nil, err
		}
		var p parts
		if err := t.o.openOwn("recheck", c.ID, sealed, &p); err != nil {
			return nil, err
		}
		c.At, c.Maker, c.Parts, c.By = microTime(at), p.Maker, p.Parts, p.By
		if answered.Valid {
			c.Answered = microTime(answered.Int64)
		}
		list, said = append(list, c), append(said, r)
	}
	if err := rows.Err(); err != nil || !reasons {
		return list, err
	}
	rows.Close() // a key is another query
	for i, r := range said {
		if r.sealed == nil {
			continue
		}
		key, err := t.personKey(list[i].Unit.String(), false)
		if err != nil {
			return nil, err
		}
		text, err := key.open(reasonPlace(t.o.id, list[i].ID, r.version), r.sealed)
		if err != nil {
			return nil, fmt.Errorf("recheck %s: %w", list[i].ID, err)
		}
		list[i].Reason = string(text)
	}
	return list, nil
}

// AnswerRecheck implements recheck.Store. What was found stands in the log, and why in the
// row alone, under the key of whom it is about.
func (o *Org) AnswerRecheck(ctx context.Context, by access.Actor, id string, a recheck.Answer, reason string) error {
	var own error
	err := o.update(ctx, by, "answer what was drawn by lot", func(t *tx) error {
		list, err := t.rechecks(false, `id = $2`, id)
		if err != nil {
			return err
		}
		switch {
		case len(list) == 0 || !list[0].Others(by.ID):
			own = recheck.ErrNone
		case list[0].Answer != "":
			own = recheck.ErrAnswered
		}
		if own != nil {
			return own
		}
		c := list[0]
		key, err := t.personKey(c.Unit.String(), true)
		if err != nil {
			return err
		}
		sealed, err := o.ownSealed("recheck", id, parts{c.Maker, c.Parts, by.ID})
		if err != nil {
			return err
		}
		const set = `UPDATE recheck SET answer = $3, answered_at = $4, sealed = $5, reason = $6, key_version = $7 WHERE org_id = $1 AND id = $2`
		if _, err := t.exec(set, o.id, id, string(a), t.micros, sealed, key.seal(reasonPlace(o.id, id, key.version), []byte(reason)), key.version); err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "recheck.answer", Object: c.Unit.String(), Detail: "answer=" + string(a)})
	})
	if own != nil {
		return own
	}
	return err
}

// rechecks proves that what is sealed of what was drawn opens in its place.
func (c *checker) rechecks() error {
	return c.view(c.ctx, "check what was drawn by lot", func(t *tx) error {
		ids, err := t.texts(`SELECT id FROM recheck WHERE org_id = $1 ORDER BY id`, c.id)
		if err != nil {
			return err
		}
		for _, id := range ids {
			c.counts[CheckSeal]++
			if _, err := t.rechecks(true, `id = $2`, id); err != nil {
				c.find(CheckSeal, "recheck "+id, "%v", err)
			}
		}
		return nil
	})
}
