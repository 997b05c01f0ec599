package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer/offer"
	"aidpass/issuer/registry"
)

// A photograph is sealed under a key of its own, and that under the person's key. The key
// is destroyed when the photograph goes: the change set stays in its place and cannot be
// opened, neither by this program nor by whoever has the database and the organisation's
// key (docs/decisions/0038).

func photoKeyPlace(org, unit, change string, version int64) place {
	return place{org, "photo_key", "wrapped", unit + "/" + change, version}
}

// keepPhotoKey keeps the key of the photograph that a change brought.
func (t *tx) keepPhotoKey(unit, change string, person personKey, own []byte) error {
	const insert = `INSERT INTO photo_key (org_id, change_id, unit_id, wrapped) VALUES ($1, $2, $3, $4)`
	_, err := t.exec(insert, t.o.id, change, unit, person.seal(photoKeyPlace(t.o.id, unit, change, person.version), own))
	return err
}

// A sealedPhoto is a photograph as its change has it.
type sealedPhoto struct {
	change  string
	sealed  []byte
	version int64 // of the person's key
}

// openPhoto opens it; gone: its key was destroyed. A change without a key of its own took
// the photograph out, or stands as an older program sealed it.
func (t *tx) openPhoto(unit string, person personKey, p sealedPhoto) (value []byte, gone bool, err error) {
	var wrapped []byte
	at := changePlace(t.o.id, unit, registry.PhotoField, p.change, p.version)
	ok, err := t.find(`SELECT wrapped FROM photo_key WHERE org_id = $1 AND change_id = $2`, []any{t.o.id, p.change}, &wrapped)
	switch {
	case err != nil:
		return nil, false, err
	case !ok:
		value, err = person.openValue(at, p.sealed)
		return value, false, err
	case wrapped == nil:
		return nil, true, nil
	}
	own, err := person.open(photoKeyPlace(t.o.id, unit, p.change, p.version), wrapped)
	if err != nil {
		return nil, false, err
	}
	s, err := newSealer(own)
	if err == nil {
		value, err = s.open(at, p.sealed)
	}
	return value, false, err
}

// destroyPhotos destroys the keys of a unit's photographs but that of the change keep;
// "": all of them. Its offers hold no copy after it.
func (t *tx) destroyPhotos(unit, keep string) error {
	gone, err := t.texts(`SELECT change_id FROM photo_key WHERE org_id = $1 AND unit_id = $2 AND wrapped IS NOT NULL AND change_id <> $3`, t.o.id, unit, keep)
	if err != nil || len(gone) == 0 {
		return err
	}
	if err := t.withdrawPhotos(unit, gone); err != nil {
		return err
	}
	const destroy = `UPDATE photo_key SET wrapped = NULL, destroyed_at = $4, told = 0 WHERE org_id = $1 AND unit_id = $2 AND wrapped IS NOT NULL AND change_id <> $3`
	if _, err := t.exec(destroy, t.o.id, unit, keep, t.micros); err != nil {
		return err
	}
	t.photosGone = true
	_, err = t.exec(`UPDATE organisation SET scrub_due = 1 WHERE id = $1`, t.o.id)
	return err
}

// withdrawPhotos takes photographs that go out of what wallets were offered: an offer that
// can still be taken up is withdrawn, and nothing of its request is kept.
func (t *tx) withdrawPhotos(unit string, changes []string) error {
	offers, err := t.offers(`AND unit_id = $2`, unit)
	if err != nil || len(offers) == 0 {
		return err
	}
	person, err := t.personKey(unit, false)
	if err != nil {
		return err
	}
	var photos [][]byte
	for _, change := range changes {
		p := sealedPhoto{change: change}
		const find = `SELECT sealed, key_version FROM change_set WHERE org_id = $1 AND id = $2`
		if _, err := t.find(find, []any{t.o.id, change}, &p.sealed, &p.version); err != nil {
			return err
		}
		value, _, err := t.openPhoto(unit, person, p)
		if err != nil {
			return err
		}
		said, err := registry.ReadValue(value)
		if err != nil {
			return err
		}
		if jpeg, ok := said.([]byte); ok && len(jpeg) > 0 {
			photos = append(photos, jpeg)
		}
	}
	for i := range offers {
		r := &offers[i]
		request, err := t.openRequest(r)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(photos, func(p []byte) bool { return bytes.Contains(request, p) }) {
			continue
		}
		if r.State == offer.Open || r.State == offer.Redeemed {
			if err := t.endOffer(r.ID, offer.Withdrawn, "photo-destroyed"); err != nil {
				return err
			}
		}
		const empty = `UPDATE offer SET request = $3, key_version = $4 WHERE org_id = $1 AND id = $2`
		if _, err := t.exec(empty, t.o.id, r.ID, person.seal(offerPlace(t.o.id, "offer", "request", r.ID, person.version), nil), person.version); err != nil {
			return err
		}
	}
	return nil
}

// replacePhoto is called when a record gets another photograph, or none: the one that was
// there goes, and with keep, where another comes, only those before it.
func (t *tx) replacePhoto(unit string, keep bool) error {
	var now string
	if keep {
		if _, err := t.find(`SELECT change_id FROM unit_field WHERE org_id = $1 AND unit_id = $2 AND field = 'photo'`, []any{t.o.id, unit}, &now); err != nil {
			return err
		}
	}
	return t.destroyPhotos(unit, now)
}

// photosLine is how many photographs one line of tombstones.log names.
const photosLine = 500

// tellPhotos writes to tombstones.log which photographs were destroyed, so that a restored
// database is told, and then empties the files of their keys. It comes after the commit: a
// photograph is only destroyed together with what took its place. Whoever dies in between
// tells at the next opening.
func (o *Org) tellPhotos(ctx context.Context) error {
	for {
		var ids []string
		err := o.view(ctx, "find destroyed photographs", func(t *tx) (err error) {
			ids, err = t.texts(`SELECT change_id FROM photo_key WHERE org_id = $1 AND told = 0 LIMIT $2`, o.id, photosLine)
			return err
		})
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return o.scrubDue(ctx)
		}
		if _, err := o.db.tombs.append(ctx, tombstone{Org: o.id, At: o.db.now().UTC(), Photos: ids}); err != nil {
			return err
		}
		err = o.update(ctx, program, "note what was destroyed", func(t *tx) error {
			for _, id := range ids {
				if _, err := t.exec(`UPDATE photo_key SET told = 1 WHERE org_id = $1 AND change_id = $2`, o.id, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// photoTombstones are the changes whose photographs were ever destroyed.
func (o *Org) photoTombstones() (changes []string, err error) {
	_, _, err = o.db.tombs.lines(0, func(body []byte) error {
		var l tombstone
		if err := json.Unmarshal(body, &l); err == nil && l.Org == o.id {
			changes = append(changes, l.Photos...)
		}
		return nil
	})
	return changes, err
}

// livePhotos are those of changes whose photographs can be read here.
func (t *tx) livePhotos(changes []string) (live []string, err error) {
	for part := range slices.Chunk(changes, photosLine) {
		args, marks := []any{t.o.id}, make([]string, len(part))
		for i, id := range part {
			args, marks[i] = append(args, id), fmt.Sprintf("$%d", i+2)
		}
		found, err := t.texts(`SELECT change_id FROM photo_key WHERE org_id = $1 AND wrapped IS NOT NULL AND change_id IN (`+strings.Join(marks, ", ")+`)`, args...)
		if err != nil {
			return nil, err
		}
		live = append(live, found...)
	}
	return live, nil
}

// photosAgain destroys what tombstones.log names and a restored database still has: a
// record whose photograph it is has none from then on.
func (o *Org) photosAgain(ctx context.Context) error {
	changes, err := o.photoTombstones()
	if err != nil || len(changes) == 0 {
		return err
	}
	var live []string
	err = o.view(ctx, "find destroyed photographs", func(t *tx) (err error) {
		live, err = t.livePhotos(changes)
		return err
	})
	if err != nil || len(live) == 0 {
		return err
	}
	return o.update(ctx, program, "destroy photographs again", func(t *tx) error {
		for _, change := range live {
			if err := t.photoAgain(change); err != nil {
				return err
			}
			o.replay.Photos++
		}
		return nil
	})
}

func (t *tx) photoAgain(change string) error {
	var unit, now string
	var version int64
	const find = `SELECT k.unit_id, f.change_id, f.version FROM photo_key k JOIN unit_field f ON f.org_id = k.org_id AND f.unit_id = k.unit_id AND f.field = 'photo'
		WHERE k.org_id = $1 AND k.change_id = $2`
	ok, err := t.find(find, []any{t.o.id, change}, &unit, &now, &version)
	if err != nil || !ok {
		return err
	}
	if now != change { // one that a list replaced: the photograph of today stays
		if err := t.destroyPhotos(unit, now); err != nil {
			return err
		}
	} else {
		person, err := t.personKey(unit, false)
		if err != nil {
			return err
		}
		if err := t.destroyPhotos(unit, ""); err != nil {
			return err
		}
		if err := t.saveField(unit, registry.PhotoField, version, nil, person); err != nil {
			return err
		}
		if err := t.closingPhoto(unit, false); err != nil {
			return err
		}
	}
	return t.audit(access.Entry{Action: "photo.destroy", Object: unit, Reason: "tombstone"})
}
