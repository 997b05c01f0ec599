package storage

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/doubles"
)

var _ doubles.Store = (*Org)(nil)

// The index that a run keeps names people in small Latin letters. It is a file beside the
// database, sealed under a key of its own, which is drawn anew each time and stands in the
// database alone. No backup has the file, and none has the key. Both are destroyed in the
// transaction that erases anybody: what names her in any copy of the file is as unreadable
// as her record.

// indexFolder is where the indexes are.
const indexFolder = "duplicates"

// Hash implements doubles.Store.
func (o *Org) Hash(text string) uint64 {
	return binary.BigEndian.Uint64(o.index.of("match", text))
}

// Mark implements doubles.Store.
func (o *Org) Mark(ctx context.Context) (m doubles.Mark, err error) {
	err = o.view(ctx, "read where the register stands", func(t *tx) error {
		const query = `SELECT change_seq, (SELECT COUNT(*) FROM unit WHERE org_id = $1 AND erased_at IS NOT NULL),
			(SELECT COUNT(*) FROM unit WHERE org_id = $1 AND kind = 'person' AND erased_at IS NULL) FROM organisation WHERE id = $1`
		_, err := t.find(query, []any{o.id}, &m.Seq, &m.Erased, &m.People)
		return err
	})
	return m, err
}

// Changed implements doubles.Store.
func (o *Org) Changed(ctx context.Context, after int64) (list []registry.ID, err error) {
	err = o.view(ctx, "read what changed", func(t *tx) error {
		list, err = t.ids(`SELECT DISTINCT entity_id FROM change_set WHERE org_id = $1 AND seq > $2 AND entity = 'unit' ORDER BY entity_id`, o.id, after)
		return err
	})
	return list, err
}

func indexPlace(org, file string) place { return place{org, "duplicates", "index", file, 1} }

func indexKeyPlace(org, file string) place { return place{org, "duplicates", "wrapped", file, 1} }

func (o *Org) indexPath(file string) string { return filepath.Join(o.db.dir, indexFolder, file) }

// indexPrefix begins the names of an organisation's files.
func (o *Org) indexPrefix() string { return hex.EncodeToString(o.index.of("match.files")[:8]) + "-" }

// errErasedMeanwhile: the index may name somebody who is gone.
var errErasedMeanwhile = errors.New("somebody was erased meanwhile")

// KeepRun implements doubles.Store. The file is on the disk before the database knows its
// key: one whose key is nowhere is swept away by the next run.
func (o *Org) KeepRun(ctx context.Context, by access.Actor, note access.Entry, report []byte, at doubles.Mark, index []byte) (kept bool, err error) {
	file, wrapped := "", []byte(nil)
	if index != nil {
		key := newKey()
		s, err := newSealer(key)
		if err != nil {
			return false, err
		}
		file = o.indexPrefix() + randomID()
		wrapped = o.kek.seal(indexKeyPlace(o.id, file), key)
		if err := o.writeIndex(file, s.seal(indexPlace(o.id, file), index)); err != nil {
			return false, fmt.Errorf("storage: keep the index of duplicates: %w", err)
		}
	}
	err = o.update(ctx, by, "keep a run over duplicates", func(t *tx) error {
		sealed := o.own.seal(place{o.id, "duplicates", "report", o.id, ownKeyVersion}, report)
		const keep = `INSERT INTO duplicates (org_id, ran_at, report, seq, file, wrapped) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (org_id) DO UPDATE SET ran_at = $2, report = $3`
		args := []any{o.id, t.micros, sealed, at.Seq, file, wrapped}
		if index == nil {
			_, err := t.exec(keep, args...)
			return errors.Join(err, t.audit(note))
		}
		var erased int
		if _, err := t.find(`SELECT COUNT(*) FROM unit WHERE org_id = $1 AND erased_at IS NOT NULL`, []any{o.id}, &erased); err != nil {
			return err
		}
		if erased != at.Erased {
			return errErasedMeanwhile
		}
		if _, err := t.exec(keep+`, seq = $4, file = $5, wrapped = $6`, args...); err != nil {
			return err
		}
		return t.audit(note)
	})
	if file != "" && err != nil {
		_ = os.Remove(o.indexPath(file)) // its key is nowhere
	}
	if errors.Is(err, errErasedMeanwhile) {
		return false, nil
	}
	if err == nil && file != "" {
		o.sweepIndexes(file)
	}
	return err == nil && file != "", err
}

func (o *Org) writeIndex(file string, sealed []byte) error {
	if err := os.MkdirAll(filepath.Join(o.db.dir, indexFolder), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(o.indexPath(file), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(sealed)
	return errors.Join(err, f.Sync(), f.Close())
}

// sweepIndexes removes the organisation's files but one. What cannot be removed has no key.
func (o *Org) sweepIndexes(but string) {
	files, _ := os.ReadDir(filepath.Join(o.db.dir, indexFolder))
	for _, f := range files {
		if strings.HasPrefix(f.Name(), o.indexPrefix()) && f.Name() != but {
			_ = os.Remove(o.indexPath(f.Name()))
		}
	}
}

// forgetIndex destroys the key of the index and its file, for somebody is erased.
func (t *tx) forgetIndex() error {
	n, err := t.exec(`UPDATE duplicates SET wrapped = NULL WHERE org_id = $1 AND wrapped IS NOT NULL`, t.o.id)
	if err != nil || n == 0 {
		return err
	}
	t.o.sweepIndexes("")
	_, err = t.exec(`UPDATE organisation SET scrub_due = 1 WHERE id = $1`, t.o.id)
	return err
}

// Index implements doubles.Store.
func (o *Org) Index(ctx context.Context) (index []byte, seq int64, err error) {
	var file string
	var wrapped []byte
	err = o.view(ctx, "read the index of duplicates", func(t *tx) error {
		ok, err := t.find(`SELECT seq, file, wrapped FROM duplicates WHERE org_id = $1`, []any{o.id}, &seq, &file, &wrapped)
		if err == nil && (!ok || wrapped == nil) {
			err = doubles.ErrNoIndex
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	key, err := o.kek.open(indexKeyPlace(o.id, file), wrapped)
	if err != nil {
		return nil, 0, fmt.Errorf("storage: the key of the index of duplicates: %w", err)
	}
	s, err := newSealer(key)
	if err != nil {
		return nil, 0, err
	}
	sealed, err := os.ReadFile(o.indexPath(file))
	if err == nil {
		index, err = s.open(indexPlace(o.id, file), sealed)
	}
	if err != nil {
		return nil, 0, doubles.ErrDamaged
	}
	return index, seq, nil
}

// LastRun implements doubles.Store.
func (o *Org) LastRun(ctx context.Context) (report []byte, err error) {
	err = o.view(ctx, "read the last run over duplicates", func(t *tx) error {
		var sealed []byte
		ok, err := t.find(`SELECT report FROM duplicates WHERE org_id = $1`, []any{o.id}, &sealed)
		if err != nil || !ok {
			return err
		}
		report, err = o.own.open(place{o.id, "duplicates", "report", o.id, ownKeyVersion}, sealed)
		return err
	})
	return report, err
}

// Decisions implements doubles.Store. Those of a list that brought more than fifty are
// counted in one entry, and are not among them.
func (o *Org) Decisions(ctx context.Context, yield func(doubles.Decision) error) error {
	return o.view(ctx, "read decisions", func(t *tx) error {
		return o.entries(ctx, t.Tx, `org_id = $1 AND action = 'double.decide'`, []any{o.id}, -1, func(e *access.Entry) error {
			d := doubles.Decision{By: e.Actor.ID, At: e.Time}
			var other string
			for word := range strings.FieldsSeq(e.Detail) {
				switch name, value, _ := strings.Cut(word, "="); name {
				case "with":
					other = value
				case "decided":
					d.What = value
				}
			}
			var err, errB error
			d.A, err = registry.ParseID(e.Object)
			d.B, errB = registry.ParseID(other)
			if err := errors.Join(err, errB); err != nil {
				return fmt.Errorf("audit entry %d: %w", e.Seq, err)
			}
			return yield(d)
		})
	})
}
