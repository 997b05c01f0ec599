package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// Values of organisation.form.
const (
	photosForm = 1 // photographs have keys of their own, and closings are listed
	todaysForm = 2 // entries of the audit log say what those come to whom they are about
)

// resealAction is the action of an entry that says what the change sets of an earlier
// entry come to now. Its detail is that entry's number and its change sets.
// The entry is believed only as long as the log has not today's form.
const resealAction access.Action = "registry.reseal"

// createAction is the action of an organisation's first entry.
const createAction access.Action = "organisation.create"

// formMark begins the detail of a new organisation's first entry: the form that it has from
// its beginning.
const formMark = "form="

// ofTodaysForm reports whether an entry shows that the log has today's form from there on:
// the organisation was made in it, or took it, or the entry bears a mark that only entries
// of this form have. What the program itself notes while it opens an older program's
// database comes before that, and shows nothing.
func ofTodaysForm(e *access.Entry) bool {
	switch e.Action {
	case createAction:
		return e.Seq == 1 && strings.HasPrefix(e.Detail, formMark)
	case whomAction:
		return e.Actor == program
	}
	_, has := markOf(e.Detail)
	return has && e.Actor != program
}

// takeForm brings what an older program kept to today's form, in steps of which each is
// whole: killed, it goes on at the next opening.
func (o *Org) takeForm(ctx context.Context) error {
	var form int
	if err := o.db.read.QueryRowContext(ctx, `SELECT form FROM organisation WHERE id = $1`, o.id).Scan(&form); err != nil || form >= todaysForm {
		return err
	}
	if form < photosForm {
		if err := o.resealPhotos(ctx); err != nil {
			return fmt.Errorf("sealing photographs anew: %w", err)
		}
	}
	return o.update(ctx, program, "take today's form", func(t *tx) error {
		if form < photosForm {
			if err := t.listClosings(); err != nil {
				return err
			}
		}
		if err := t.markOld(); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE organisation SET form = $2, scrub_due = 1 WHERE id = $1`, o.id, todaysForm)
		return err
	})
}

// resealStep is how many photographs are sealed anew in one transaction, where no entry
// of the audit log holds more of them together.
const resealStep = 100

// resealPhotos gives every photograph that an older program sealed a key of its own, and
// destroys at once those that are out of their records.
func (o *Org) resealPhotos(ctx context.Context) error {
	var spans []changeSpan
	for after := int64(0); ; {
		done := 0
		err := o.update(ctx, program, "seal photographs anew", func(t *tx) error {
			first, err := t.oldPhoto(after)
			if err != nil || first == nil {
				return err
			}
			if spans == nil {
				if spans, err = t.spans(); err != nil {
					return err
				}
			}
			last := int64(-1) // of the span that a photograph stands in
			for p := first; p != nil && (done < resealStep || p.seq <= last); done++ {
				if s := spanOf(spans, p.seq); s != nil && p.seq > last {
					last = s.last
					whole, err := t.sameDigest(s)
					if err != nil {
						return err
					}
					if err := t.resealSpan(s, whole); err != nil {
						return err
					}
					after = s.last
				} else {
					if err := t.resealPhoto(p); err != nil {
						return err
					}
					after = p.seq
				}
				if p, err = t.oldPhoto(after); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if done == 0 {
			return nil
		}
		if err := o.tellPhotos(ctx); err != nil {
			return err
		}
	}
}

// resealSpan seals the photographs of an entry's change sets anew, and says in the log
// what they come to now: if they were what the entry says, and only then.
func (t *tx) resealSpan(s *changeSpan, whole bool) error {
	for after := s.first - 1; ; {
		p, err := t.oldPhoto(after)
		if err != nil {
			return err
		}
		if p == nil || p.seq > s.last {
			break
		}
		if err := t.resealPhoto(p); err != nil {
			return err
		}
		after = p.seq
	}
	if !whole { // somebody changed them before: the entry goes on saying so
		return nil
	}
	digest, err := t.digest(s.first, s.last)
	if err != nil {
		return err
	}
	return t.audit(access.Entry{Action: resealAction, Detail: fmt.Sprintf("entry=%d changes=%d-%d", s.entry, s.first, s.last), Digest: digest})
}

// An oldPhoto is a photograph sealed under its person's key alone.
type oldPhoto struct {
	sealedPhoto
	seq  int64
	unit string
}

// sealedNothing is the length of a value that takes a field out: a nonce and a tag.
const sealedNothing = 12 + 16

// oldPhoto is the next after a change set; nil: there is none.
func (t *tx) oldPhoto(after int64) (*oldPhoto, error) {
	var p oldPhoto
	const find = `SELECT c.seq, c.id, c.entity_id, c.sealed, c.key_version FROM change_set c JOIN unit u ON u.org_id = c.org_id AND u.id = c.entity_id
		WHERE c.org_id = $1 AND c.entity = 'unit' AND c.field = 'photo' AND c.seq > $2 AND length(c.sealed) > $3 AND u.erased_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM photo_key k WHERE k.org_id = c.org_id AND k.change_id = c.id) ORDER BY c.seq LIMIT 1`
	ok, err := t.find(find, []any{t.o.id, after, sealedNothing}, &p.seq, &p.change, &p.unit, &p.sealed, &p.version)
	if err != nil || !ok {
		return nil, err
	}
	return &p, nil
}

func (t *tx) resealPhoto(p *oldPhoto) error {
	person, err := t.personKey(p.unit, false)
	if err != nil {
		return err
	}
	at := changePlace(t.o.id, p.unit, registry.PhotoField, p.change, p.version)
	value, err := person.open(at, p.sealed)
	if errors.Is(err, ErrWrongKey) {
		return nil // Check tells of it
	} else if err != nil {
		return err
	}
	own := newKey()
	s, err := newSealer(own)
	if err != nil {
		return err
	}
	sealed := s.seal(at, value)
	for _, set := range [...]string{
		`UPDATE change_set SET sealed = $3 WHERE org_id = $1 AND id = $2`,
		`UPDATE unit_field SET sealed = $3 WHERE org_id = $1 AND change_id = $2`,
	} {
		if _, err := t.exec(set, t.o.id, p.change, sealed); err != nil {
			return err
		}
	}
	if err := t.keepPhotoKey(p.unit, p.change, person, own); err != nil {
		return err
	}
	var now string
	if _, err := t.find(`SELECT change_id FROM unit_field WHERE org_id = $1 AND unit_id = $2 AND field = 'photo'`, []any{t.o.id, p.unit}, &now); err != nil || now == p.change {
		return err
	}
	return t.destroyPhotos(p.unit, now)
}

// A changeSpan is an entry of the audit log over change sets.
type changeSpan struct {
	entry       uint64
	first, last int64
	digest      [32]byte
}

func spanOf(spans []changeSpan, seq int64) *changeSpan {
	for i := range spans {
		if s := &spans[i]; s.first <= seq && seq <= s.last {
			return s
		}
	}
	return nil
}

// sameDigest reports whether the change sets of a span are what its entry says.
func (t *tx) sameDigest(s *changeSpan) (bool, error) {
	digest, err := t.digest(s.first, s.last)
	return digest == s.digest, err
}

// spans are the entries over change sets, each with the digest that holds today.
func (t *tx) spans() ([]changeSpan, error) {
	const query = `SELECT seq, action, detail, digest FROM audit WHERE org_id = $1 AND action IN ($2, $3) ORDER BY seq`
	rows, err := t.query(query, t.o.id, string(bulkAction), string(resealAction))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []changeSpan
	for rows.Next() {
		var s changeSpan
		var action access.Action
		var detail string
		var digest []byte
		if err := rows.Scan(&s.entry, &action, &detail, &digest); err != nil {
			return nil, err
		}
		of, changes, ok := strings.Cut(detail, "changes=")
		if _, err := fmt.Sscanf(changes, "%d-%d", &s.first, &s.last); !ok || err != nil || len(digest) != len(s.digest) {
			continue // Check tells of it
		}
		s.digest = [32]byte(digest)
		if action == resealAction {
			again(list, of, s)
			continue
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// again is for a later entry over the change sets of an earlier one, which it names.
func again(list []changeSpan, of string, s changeSpan) (known bool) {
	var entry uint64
	if _, err := fmt.Sscanf(of, "entry=%d", &entry); err != nil {
		return false
	}
	for i := range list {
		if l := &list[i]; l.entry == entry && l.first == s.first && l.last == s.last {
			l.digest = s.digest
			return true
		}
	}
	return false
}

// digest is what the change sets of a span come to.
func (t *tx) digest(first, last int64) (sum [32]byte, err error) {
	const query = `SELECT seq, id, entity, entity_id, field, sealed FROM change_set WHERE org_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq`
	rows, err := t.query(query, t.o.id, first, last)
	if err != nil {
		return sum, err
	}
	defer rows.Close()
	h := sha256.New()
	for rows.Next() {
		var seq int64
		var row change
		if err := rows.Scan(&seq, &row.change, &row.entity, &row.id, &row.field, &row.sealed); err != nil {
			return sum, err
		}
		hashChange(h, seq, row)
	}
	return [32]byte(h.Sum(nil)), rows.Err()
}
