package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
)

// Unwitnessed implements issuer.Store.
func (o *Org) Unwitnessed(ctx context.Context) (uris []string, err error) {
	err = o.view(ctx, "unwitnessed status lists", func(t *tx) error {
		uris, err = t.texts(`SELECT uri FROM status_list WHERE org_id = $1 AND unwitnessed = 1 AND valid_until > $2 ORDER BY no`, o.id, t.micros)
		return err
	})
	return uris, err
}

// foundListLife is how long a list goes on being published of which only a
// published form is known: as long as a list is usually promised.
const foundListLife = 3 * 365 * 24 * time.Hour

// TakeWitnessed implements issuer.Store. What changed between the publication
// this database knows and the one shown is taken in as if it stood in the log.
func (o *Org) TakeWitnessed(ctx context.Context, by access.Actor, l *status.List) (w issuer.WitnessedList, err error) {
	w = issuer.WitnessedList{URI: l.URI, IssuedAt: l.IssuedAt}
	line := logLine{Org: o.id, Published: &logStatus{URI: l.URI, Size: l.Size, Issued: int64(l.IssuedAt)}}
	err = o.update(ctx, by, "take in published status list", func(t *tx) error {
		expires := credential.FromStd(t.now.Add(foundListLife))
		const find = `SELECT no, size, published_at, published FROM status_list WHERE org_id = $1 AND uri = $2`
		var no, published int64
		var size uint64
		var old []byte
		ok, err := t.find(find, []any{o.id, l.URI}, &no, &size, &published, &old)
		switch {
		case err != nil:
			return err
		case !ok: // made after the backup
			if no, err = t.findOrMakeList(l.URI, l.Size, int64(expires)); err != nil {
				return err
			}
		case size != l.Size:
			return errors.New("the list shown has another size than the one known")
		case l.IssuedAt.Std().UnixMicro() < published:
			return fmt.Errorf("%w: shown %s, known %s", issuer.ErrOldWitness, l.IssuedAt, credential.Time(published/1e6))
		}
		if err := line.Published.difference(old, l.Bits); err != nil {
			return err
		}
		var r Replay
		if w.Ended, err = t.takeInPublished(*line.Published, &r); err != nil {
			return err
		}
		w.Entries = r.Statuses
		if _, err := t.exec(`UPDATE status_list SET unwitnessed = 0 WHERE org_id = $1 AND no = $2`, o.id, no); err != nil {
			return err
		}
		line.At = t.now.UTC()
		err = t.audit(access.Entry{Action: "status.witness", Object: l.URI, Digest: sha256.Sum256(l.Bits),
			Detail: fmt.Sprintf("iat=%d entries=%d ended=%d", int64(l.IssuedAt), w.Entries, w.Ended)})
		line.Seq = t.head.Seq
		return err
	})
	if err != nil {
		return w, err
	}
	_, err = o.db.signing.append(ctx, line)
	return w, err
}

// ConfirmUnwitnessed implements issuer.Store.
func (o *Org) ConfirmUnwitnessed(ctx context.Context, by access.Actor, reason string) (confirmed int, err error) {
	err = o.update(ctx, by, "confirm status lists", func(t *tx) error {
		n, err := t.exec(`UPDATE status_list SET unwitnessed = 0 WHERE org_id = $1 AND unwitnessed = 1`, o.id)
		confirmed = int(n)
		if err != nil || n == 0 {
			return err
		}
		return t.audit(access.Entry{Action: "status.confirm", Reason: reason, Detail: "lists=" + strconv.Itoa(confirmed)})
	})
	return confirmed, err
}

// KnownTime implements issuer.Store: the newest publication of a status list, or
// the newest audit entry of an act that signed, which was made under a clock that
// had been held against all before. Other acts, which no clock may stop, such as
// a revocation, are not asked: a wrong clock would become the measure of right ones.
func (o *Org) KnownTime(ctx context.Context) (known credential.Time, err error) {
	err = o.view(ctx, "known time", func(t *tx) error {
		var published, at int64
		if _, err := t.find(`SELECT COALESCE(MAX(published_at), 0) FROM status_list WHERE org_id = $1`, []any{o.id}, &published); err != nil {
			return err
		}
		const newest = `SELECT at FROM audit WHERE org_id = $1 AND action IN ('credential.intend', 'credential.issue', 'status.publish')
			ORDER BY seq DESC LIMIT 1`
		if _, err := t.find(newest, []any{o.id}, &at); err != nil {
			return err
		}
		if m := max(published, at); m > 0 {
			known = credential.FromStd(time.UnixMicro(m))
		}
		return nil
	})
	return known, err
}
