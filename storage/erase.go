package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// Errors of Erase.
var (
	// ErrTraces: erased, and the bytes of the key are not yet gone from the files.
	ErrTraces = errors.New("storage: the person is erased, but the old bytes of their key could not be removed from aidpass.db-wal while another program reads: close it, and open this one again")
	// ErrActive: the act needs the unit's credentials to be revoked or expired first.
	ErrActive = errors.New("storage: the unit has active credentials: revoke them first")
)

// Erase destroys a unit's key: nothing that was recorded of the person, in this
// database or in any copy of it, can be read again. It says so outside the
// backup first, so that a restored database is told.
//
// ErrTraces says that the person is erased, and that another program kept the
// write-ahead log from being emptied: the key's old page is in there until the
// next opening or the next Erase empties it.
//
// The rows stay, unreadable, and with them the pseudonyms, which name nobody any
// more. Active credentials are ErrActive. Erasing twice is no error.
func (o *Org) Erase(ctx context.Context, by access.Actor, id issuer.UnitID, reason string) error {
	return o.EraseAll(ctx, by, []registry.ID{id}, reason, nil, nil)
}

// EraseAll is Erase of several at once, in one transaction. before runs while they can
// still be read, after when they are gone and the numbers of their lists free: what is made
// anew of a household is never there beside the old one, nor missing. Both may be nil.
func (o *Org) EraseAll(ctx context.Context, by access.Actor, ids []registry.ID, reason string, before, after func(rights.Tx) error) error {
	var own error
	var told statusLines
	err := o.update(ctx, by, "erase unit", func(t *tx) error {
		t.acts = newActs()
		run := func(work func(rights.Tx) error) error {
			if work != nil {
				own = work(records{t})
			}
			return own
		}
		if err := run(before); err != nil {
			return err
		}
		var gone []string
		for _, id := range ids {
			if err := t.checkErasable(id); err != nil {
				return err
			}
			destroyed, err := t.destroy(id.String(), reason == rights.TakenBack)
			if err != nil {
				return err
			}
			if !destroyed {
				continue
			}
			gone = append(gone, id.String())
			if err := t.audit(access.Entry{Action: "unit.erase", Object: id.String(), Reason: reason}); err != nil {
				return err
			}
		}
		if err := run(after); err != nil {
			return err
		}
		if told = t.told; told.byList != nil { // before stopped cards
			if err := told.end(t); err != nil {
				return err
			}
		}
		if err := t.auditActs(); err != nil {
			return err
		}
		for _, unit := range gone { // the lines are on the disk, and the commit comes now
			if _, err := o.db.tombs.append(ctx, tombstone{Org: o.id, At: t.now.UTC(), Unit: unit, Free: reason == rights.TakenBack}); err != nil {
				return err
			}
		}
		return nil
	})
	if own != nil {
		return o.noRoom(own)
	}
	if err != nil {
		return err
	}
	if err := told.write(ctx, o); err != nil {
		return err
	}
	return o.scrub(ctx)
}

// ErasedCount is how many records were ever erased: where it grows, what was read before
// may tell of somebody who is gone.
func (o *Org) ErasedCount(ctx context.Context) (n int, err error) {
	err = o.db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM unit WHERE org_id = $1 AND erased_at IS NOT NULL`, o.id).Scan(&n)
	return n, err
}

// scrub empties the files of what was destroyed, if that is due.
func (o *Org) scrub(ctx context.Context) error {
	var due bool
	if err := o.db.read.QueryRowContext(ctx, `SELECT scrub_due FROM organisation WHERE id = $1`, o.id).Scan(&due); err != nil || !due {
		return err
	}
	clean, err := o.db.dialect.scrub(ctx, o.db.write)
	if err != nil {
		return fmt.Errorf("storage: empty the files of what was erased: %w", err)
	}
	if !clean {
		return ErrTraces
	}
	_, err = o.db.write.ExecContext(ctx, `UPDATE organisation SET scrub_due = 0 WHERE id = $1`, o.id)
	return err
}

// scrubDue is scrub at an opening, which does not fail because others are at work.
func (o *Org) scrubDue(ctx context.Context) error {
	if err := o.scrub(ctx); !errors.Is(err, ErrTraces) {
		return err
	}
	return nil
}

func (t *tx) checkErasable(id issuer.UnitID) error {
	var n int
	ok, err := t.find(`SELECT 1 FROM unit WHERE org_id = $1 AND id = $2`, []any{t.o.id, id.String()}, &n)
	if err != nil {
		return err
	}
	if !ok {
		return errNoRecord
	}
	const active = `SELECT 1 FROM credential WHERE org_id = $1 AND unit_id = $2 AND ended_at IS NULL AND expires_at > $3`
	ok, err = t.find(active+` LIMIT 1`, []any{t.o.id, id.String(), t.micros}, &n)
	if err == nil && ok {
		err = fmt.Errorf("%w (%s)", ErrActive, id)
	}
	return err
}

// erasedMark says of the blind index of an identifier that its record was erased. It
// leads back to neither the record nor its index.
func (o *Org) erasedMark(external []byte) []byte {
	return o.index.of("unit.erased", hex.EncodeToString(external))
}

// markErased remembers that the number of a unit is one of somebody who was erased, so
// that a list which still has it does not bring her back unasked.
func (t *tx) markErased(unit string) error {
	var external []byte
	const find = `SELECT external_index FROM unit WHERE org_id = $1 AND id = $2 AND external_index IS NOT NULL`
	ok, err := t.find(find, []any{t.o.id, unit}, &external)
	if err != nil || !ok {
		return err
	}
	_, err = t.exec(`INSERT INTO erased_number (org_id, mark) VALUES ($1, $2) ON CONFLICT DO NOTHING`, t.o.id, t.o.erasedMark(external))
	return err
}

// destroy does the erasing. It reports whether anything was left to destroy. free: a list
// may bring the number again.
func (t *tx) destroy(unit string, free bool) (bool, error) {
	const keys = `UPDATE envelope_key SET wrapped = NULL, destroyed_at = $3 WHERE org_id = $1 AND subject_id = $2 AND wrapped IS NOT NULL`
	// They went with the person's: her tombstone speaks for them.
	const photos = `UPDATE photo_key SET wrapped = NULL, destroyed_at = $3 WHERE org_id = $1 AND unit_id = $2 AND wrapped IS NOT NULL`
	n, err := t.exec(keys, t.o.id, unit, t.micros)
	if err != nil {
		return false, err
	}
	if n > 0 {
		if _, err := t.exec(`UPDATE organisation SET scrub_due = 1 WHERE id = $1`, t.o.id); err != nil {
			return false, err
		}
	}
	if _, err := t.exec(photos, t.o.id, unit, t.micros); err != nil {
		return false, err
	}
	delete(t.keys, unit)
	if err := t.forgetIndex(); err != nil {
		return false, err
	}
	// What the person is found by and lives with says who she was to those who know
	// the others. Pairs with another record stay, as two ids of which one is nobody.
	for _, forget := range [...]string{
		`DELETE FROM record_key WHERE org_id = $1 AND unit_id = $2`,
		`DELETE FROM closing WHERE org_id = $1 AND unit_id = $2`,
		`DELETE FROM membership WHERE org_id = $1 AND person_id = $2`,
		`DELETE FROM paper WHERE org_id = $1 AND unit_id = $2 AND key_version > 0`,
		`DELETE FROM recheck WHERE org_id = $1 AND unit_id = $2 AND answer = ''`,
		`UPDATE possible_double SET bits = 0, told = 0, guard = '', evidence = NULL WHERE org_id = $1 AND unit_a IN (SELECT $2 UNION ALL SELECT unit_a FROM possible_double WHERE org_id = $1 AND unit_b = $2)
			AND $2 IN (unit_a, unit_b) AND bits <> 0`,
		`UPDATE recheck SET reason = NULL WHERE org_id = $1 AND unit_id = $2 AND reason IS NOT NULL`,
	} {
		m, err := t.exec(forget, t.o.id, unit)
		if err != nil {
			return false, err
		}
		n += m
	}
	if !free {
		if err := t.markErased(unit); err != nil {
			return false, err
		}
	}
	const forget = `UPDATE unit SET external_index = NULL, find_index = NULL, erased_at = $3 WHERE org_id = $1 AND id = $2 AND erased_at IS NULL`
	m, err := t.exec(forget, t.o.id, unit, t.micros)
	return n+m > 0, err
}
