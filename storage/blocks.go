package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/trust"
)

// MaxBlock is how many slips a device may sign under one certificate, which lives a
// month: some thirty a day.
const MaxBlock = 1000

// ReserveBlock takes count entries in a row, at random in a list that is promised
// until then, for the slips of the device of a key id (docs/formats/slip.md). They are
// allocated from now on and never anybody else's, whether they are used or not. lists
// is the policy of issuing, with its defaults.
func (o *Org) ReserveBlock(ctx context.Context, by access.Actor, kid [8]byte, lists issuer.ListPolicy, count uint64, until credential.Time, now time.Time) (b trust.StatusBlock, err error) {
	if count < 1 || count > MaxBlock || count > lists.Size/16 {
		return b, fmt.Errorf("storage: a block of %d entries: 1 to %d", count, min(MaxBlock, lists.Size/16))
	}
	err = o.update(ctx, by, "reserve block", func(t *tx) error {
		open, err := t.openLists(issuer.Lot{Lists: lists, ExpiresAt: until}, now)
		if err != nil {
			return err
		}
		// From a random one on, so that the list does not tell a device from a card either.
		at := int(below(uint64(len(open))))
		for _, l := range append(open[at:], open[:at]...) {
			if ok, err := t.takeBlock(l, kid, count, &b); ok || err != nil {
				return err
			}
		}
		ends := now.Add(lists.Life)
		if u := until.Std(); u.After(ends) {
			ends = u
		}
		// The others are too full for so many in a row; in a new one the block comes
		// before the decoys, which would leave few such places.
		bare := lists
		bare.Decoys = 0
		l, err := t.createList(bare, ends)
		if err != nil {
			return err
		}
		if ok, err := t.takeBlock(l, kid, count, &b); err != nil || !ok {
			return errors.Join(err, fmt.Errorf("a new list has no room for %d entries in a row", count))
		}
		for range lists.Decoys {
			if _, err := t.takeFree(l, "decoy"); err != nil {
				return err
			}
		}
		return nil
	})
	return b, err
}

// takeBlock reports false where the list has no such place.
func (t *tx) takeBlock(l openList, kid [8]byte, count uint64, b *trust.StatusBlock) (ok bool, err error) {
	if b.First, ok, err = t.takeRun(l, count); ok && err == nil {
		err = t.recordBlock(l, hex.EncodeToString(kid[:]), count, b)
	}
	return ok, err
}

func (t *tx) recordBlock(l openList, kid string, count uint64, b *trust.StatusBlock) error {
	b.Count = count
	if _, err := t.find(`UPDATE status_list SET used = used + $3 WHERE org_id = $1 AND no = $2 RETURNING uri`, []any{t.o.id, l.no, count}, &b.URI); err != nil {
		return err
	}
	const insert = `INSERT INTO device_block (org_id, list_no, first, count, kid, made_at) VALUES ($1, $2, $3, $4, $5, $6)`
	if _, err := t.exec(insert, t.o.id, l.no, b.First, count, kid, t.micros); err != nil {
		return err
	}
	return t.audit(access.Entry{Action: "status.block", Object: kid, Detail: fmt.Sprintf("list=%s first=%d count=%d", b.URI, b.First, count)})
}

// takeRun takes count free entries in a row, each place where they fit as likely as
// any other. It reports false where there is none.
func (t *tx) takeRun(l openList, count uint64) (first uint64, ok bool, err error) {
	gaps, places, err := t.gaps(l, count)
	if err != nil || places == 0 {
		return 0, false, err
	}
	n := below(places)
	for _, g := range gaps {
		if fit := g.size - count + 1; n >= fit {
			n -= fit
			continue
		}
		first = g.first + n
		break
	}
	const insert = `INSERT INTO status_index (org_id, list_no, idx, kind, changed_at) VALUES ($1, $2, $3, 'credential', $4)`
	for i := range count {
		if _, err := t.exec(insert, t.o.id, l.no, first+i, t.micros); err != nil {
			return 0, false, err
		}
	}
	return first, true, nil
}

type gap struct{ first, size uint64 }

// gaps returns the stretches of free entries that hold count, and in how many places.
func (t *tx) gaps(l openList, count uint64) (gaps []gap, places uint64, err error) {
	rows, err := t.query(`SELECT idx FROM status_index WHERE org_id = $1 AND list_no = $2 ORDER BY idx`, t.o.id, l.no)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	next := uint64(0)
	add := func(until uint64) {
		if size := until - next; size >= count {
			gaps = append(gaps, gap{next, size})
			places += size - count + 1
		}
		next = until + 1
	}
	for rows.Next() {
		var index uint64
		if err := rows.Scan(&index); err != nil {
			return nil, 0, err
		}
		add(index)
	}
	add(l.size)
	return gaps, places, rows.Err()
}
