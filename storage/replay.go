package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"aidpass/access"
)

// program is the actor of what opening a store does by itself.
var program = access.Actor{ID: "aidpass", Role: access.System}

// A Replay is what opening a store took in from the files outside the backup. It
// is empty unless the database was restored, or a program died at the wrong moment.
type Replay struct {
	Credentials int // signed since the backup: entered as found, so that they can be revoked
	Statuses    int // entries of status lists set again
	Published   int // publications known again: none is older from here on
	Erased      int // persons erased again
	Photos      int // photographs destroyed again
	Closed      int // status lists closed: which of their entries are free is not known any more

	// LogLost: signing.log is missing, cut, or another database's. What was signed and
	// revoked since the backup is not known here; the lists wait for Desk.Witness.
	LogLost bool
	Blocked int // status lists that wait
}

// Any reports whether there is something to tell the operator.
func (r Replay) Any() bool { return r != Replay{} }

// String tells it in one line, for people.
func (r Replay) String() string {
	if !r.Any() {
		return "nothing was taken in"
	}
	text := ""
	if r.LogLost {
		text = fmt.Sprintf("the folder %s is missing or cut: cards signed, revoked or erased since the backup are not known here; "+
			"%d status lists are not published until their newest published files are shown; ", outsideFolder, r.Blocked)
	}
	return text + fmt.Sprintf("taken in after a restore: %d cards (their files are lost; they can be revoked), %d changes of status, "+
		"%d publications, %d persons erased again, %d photographs destroyed again; %d status lists closed", r.Credentials, r.Statuses, r.Published, r.Erased, r.Photos, r.Closed)
}

// Replayed is what opening this store took in.
func (o *Org) Replayed() Replay { return o.replay }

const signingFile = "signing"

// catchUp takes in the tombstones and what signing.log has beyond this database.
// The erased are needed first, so that nobody comes back with what they had
// signed, and last, for those that the log itself brought back.
func (o *Org) catchUp(ctx context.Context) error {
	erased, err := o.tombstones()
	if err == nil {
		err = o.eraseAgain(ctx, erased)
	}
	if err == nil {
		err = o.catchUpSigning(ctx, erased)
	}
	if err == nil {
		err = o.catchUpPhotos(ctx)
	}
	if err != nil {
		return fmt.Errorf("storage: taking in the files outside the backup: %w", err)
	}
	return nil
}

// catchUpPhotos brings photographs to today's form, since a tombstone of one is carried out
// on its own key, and then tells what nobody was told yet.
func (o *Org) catchUpPhotos(ctx context.Context) error {
	if err := o.takeForm(ctx); err != nil {
		return err
	}
	if err := o.photosAgain(ctx); err != nil {
		return err
	}
	return o.tellPhotos(ctx)
}

// rereadBytes is how much of signing.log an opening may read again rather than
// write down that it is known.
const rereadBytes = 1 << 20

func (o *Org) catchUpSigning(ctx context.Context, erased map[string]bool) error {
	var known int64
	const query = `SELECT COALESCE(MAX(size), 0) FROM outside WHERE org_id = $1 AND file = $2`
	if err := o.db.read.QueryRowContext(ctx, query, o.id, signingFile).Scan(&known); err != nil {
		return err
	}
	from := known
	lost := known > 0 && !o.db.signing.endsLine(known)
	if lost {
		from = 0 // whatever it is, it is not what was there: all of it is read
	}
	var lines []logLine
	end, _, err := o.db.signing.lines(from, func(body []byte) error {
		if l, ok := parseLogLine(body); ok && l.Org == o.id {
			lines = append(lines, l)
		}
		return nil
	})
	if err != nil || end == known && !lost {
		return err
	}
	// Read after the file: whoever wrote a line had committed what it says, so a
	// database that was never restored has come at least as far as every line.
	var seq uint64
	if err := o.db.read.QueryRowContext(ctx, `SELECT audit_seq FROM organisation WHERE id = $1`, o.id).Scan(&seq); err != nil {
		return err
	}
	lines = slices.DeleteFunc(lines, func(l logLine) bool { return l.Seq <= seq })
	if len(lines) == 0 && !lost && end-known < rereadBytes {
		return nil
	}
	var r Replay
	err = o.update(ctx, program, "catch up", func(t *tx) error {
		for _, l := range lines {
			if err := t.takeIn(l, erased, &r); err != nil {
				return err
			}
		}
		if len(lines) > 0 || lost {
			if err := errors.Join(t.endOffers(), t.endAccess(), t.stopJobs()); err != nil {
				return err
			}
		}
		// Damage is for Check to tell; here the rest is made the best of.
		if lost {
			if err := t.loseLog(known, end, &r); err != nil {
				return err
			}
		} else if err := t.setLogSize(end); err != nil {
			return err
		}
		if !r.Any() {
			return nil
		}
		if r.Closed, err = t.closeLists(); err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "restore.replay", Detail: fmt.Sprintf("credentials=%d statuses=%d published=%d lists-closed=%d",
			r.Credentials, r.Statuses, r.Published, r.Closed)})
	})
	if err != nil {
		return err
	}
	r.Erased, r.Photos = o.replay.Erased, o.replay.Photos
	o.replay = r
	return o.eraseAgain(ctx, erased)
}

// closeLists is for an old database: which entries of its lists were given away
// since, it cannot know for sure. It takes no more of them.
func (t *tx) closeLists() (int, error) {
	n, err := t.exec(`UPDATE status_list SET closed_at = $2 WHERE org_id = $1 AND closed_at IS NULL`, t.o.id, t.micros)
	return int(n), err
}

// loseLog remembers that signing.log is not the one this database wrote: until
// somebody shows what was published since, no list that was promised is signed
// again, as that could take a published revocation back.
func (t *tx) loseLog(known, end int64, r *Replay) error {
	const block = `UPDATE status_list SET unwitnessed = 1 WHERE org_id = $1 AND valid_until > $2`
	n, err := t.exec(block, t.o.id, t.micros)
	if err != nil {
		return err
	}
	r.LogLost, r.Blocked = true, int(n)
	if _, err := t.exec(`UPDATE outside SET size = $3 WHERE org_id = $1 AND file = $2`, t.o.id, signingFile, end); err != nil {
		return err
	}
	return t.audit(access.Entry{Action: "restore.log-lost", Detail: fmt.Sprintf("bytes=%d known=%d lists-blocked=%d", end, known, n)})
}

// tombstones returns the units whose keys were ever destroyed.
func (o *Org) tombstones() (map[string]bool, error) {
	return o.tombstonesOf(func(tombstone) bool { return true })
}

// tombstonesOf are the units of some of them.
func (o *Org) tombstonesOf(which func(tombstone) bool) (map[string]bool, error) {
	units := map[string]bool{}
	_, _, err := o.db.tombs.lines(0, func(body []byte) error {
		var l tombstone
		if err := json.Unmarshal(body, &l); err == nil && l.Org == o.id && l.Unit != "" && which(l) {
			units[l.Unit] = true
		}
		return nil
	})
	return units, err
}

// eraseAgain carries every tombstone out that this database does not know of:
// after a restore, or when the program died between the line and the commit.
func (o *Org) eraseAgain(ctx context.Context, erased map[string]bool) error {
	var left []string // almost always none: looked up without a write
	for u := range erased {
		var n int
		const query = `SELECT COUNT(*) FROM unit WHERE org_id = $1 AND id = $2 AND erased_at IS NULL`
		if err := o.db.read.QueryRowContext(ctx, query, o.id, u).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			left = append(left, u)
		}
	}
	if len(left) == 0 {
		return o.scrubDue(ctx)
	}
	slices.Sort(left)
	free, err := o.tombstonesOf(func(l tombstone) bool { return l.Free })
	if err != nil {
		return err
	}
	err = o.update(ctx, program, "erase again", func(t *tx) error {
		for _, u := range left {
			if _, err := t.destroy(u, free[u]); err != nil {
				return err
			}
			if err := t.audit(access.Entry{Action: "unit.erase", Object: u, Reason: "tombstone"}); err != nil {
				return err
			}
			o.replay.Erased++
		}
		return nil
	})
	if err != nil {
		return err
	}
	return o.scrubDue(ctx)
}
