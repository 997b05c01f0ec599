package storage

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
)

// parseLogLine reads a line of signing.log. One that is JSON of another kind was
// not written by this program, and is passed over: Check counts it.
func parseLogLine(body []byte) (l logLine, ok bool) {
	err := json.Unmarshal(body, &l)
	return l, err == nil && l.Org != ""
}

// takeIn makes the database know what a line says.
func (t *tx) takeIn(l logLine, erased map[string]bool, r *Replay) error {
	for _, s := range l.Signing {
		if erased[s.Unit] {
			s.External, s.Find = nil, nil
		}
		if err := t.takeInSigning(l.At, s, r); err != nil {
			return fmt.Errorf("credential %s: %w", s.CTI, err)
		}
	}
	for _, b := range l.Bound {
		if err := t.takeInBound(b, erased); err != nil {
			return fmt.Errorf("credential %s: %w", b.CTI, err)
		}
	}
	if l.Status != nil {
		changed, _, err := t.takeInStatus(*l.Status)
		r.Statuses += changed
		if err != nil {
			return fmt.Errorf("status list %s: %w", l.Status.URI, err)
		}
	}
	if l.Published != nil {
		if _, err := t.takeInPublished(*l.Published, r); err != nil {
			return fmt.Errorf("status list %s: %w", l.Published.URI, err)
		}
	}
	return nil
}

// takeInSigning enters a credential that was signed and that the database does
// not know, with the least of everything it needs: unit, programme, list, index.
// What it displaces was never signed, or it was ended before this one was made.
func (t *tx) takeInSigning(at time.Time, s logSigning, r *Replay) error {
	var n int
	ok, err := t.find(`SELECT 1 FROM credential WHERE org_id = $1 AND id = $2`, []any{t.o.id, s.CTI}, &n)
	if err != nil || ok {
		return err
	}
	if _, err := issuer.ParseCTI(s.CTI); err != nil {
		return err
	}
	if err := t.findOrMakeUnit(&s); err != nil {
		return err
	}
	list, err := t.findOrMakeList(s.URI, s.Size, s.Expires)
	if err != nil {
		return err
	}
	// A card that came into being on hold stands in the log by its status first, where
	// its entry was taken for a decoy's.
	const index = `INSERT INTO status_index (org_id, list_no, idx, kind, changed_at) VALUES ($1, $2, $3, 'credential', $4)
		ON CONFLICT (org_id, list_no, idx) DO UPDATE SET kind = excluded.kind`
	if _, err := t.exec(index, t.o.id, list, s.Index, t.micros); err != nil {
		return err
	}
	const displace = `UPDATE credential AS c SET ended_at = $8, state = CASE state WHEN 'reserved' THEN 'released' ELSE state END,
			end_reason = CASE WHEN state = 'reserved' THEN 'released' WHEN expires_at <= $9 THEN 'expired' ELSE 'displaced' END
		WHERE org_id = $1 AND ended_at IS NULL AND ` + overlapping
	first, last := span(issuer.Rounds{First: s.Round, Last: s.LastRound})
	_, err = t.exec(displace, t.o.id, s.Unit, s.VCT, s.Programme, s.Form, first, last, t.micros, at.UnixMicro())
	if err != nil {
		return err
	}
	const insert = `INSERT INTO credential (org_id, id, lot_id, unit_id, type, vct, programme, round, last_round, form, state, list_no, idx,
			request_hash, approval, expires_at, reserved_at, key_id, issued_at)
		VALUES ($1, $2, '', $3, $4, $5, $6, $7, $8, $9, 'found', $10, $11, $12, $13, $14, $15, $16, $17)`
	kid, err := hex.DecodeString(s.KeyID)
	if err != nil {
		return err
	}
	_, err = t.exec(insert, t.o.id, s.CTI, s.Unit, s.Type, s.VCT, s.Programme, first, last, s.Form, list, s.Index,
		s.Request, []byte{}, seconds(s.Expires), at.UnixMicro(), kid, seconds(s.Issued))
	if err != nil {
		return err
	}
	r.Credentials++
	return t.audit(access.Entry{Action: "credential.found", Object: s.CTI})
}

// boundUnsaid binds the pre-numbered card whose name a unit signs under: the
// program died before it could say that somebody was bound to it.
func (t *tx) boundUnsaid(s *logSigning) error {
	const query = `SELECT c.id, c.unit_id FROM programme_unit p JOIN unit u ON u.org_id = p.org_id AND u.id = p.unit_id AND u.kind = 'blank'
		JOIN credential c ON c.org_id = p.org_id AND c.programme = p.programme AND c.unit_id = p.unit_id
		WHERE p.org_id = $1 AND p.programme = $2 AND p.card_number = $3 AND p.unit_id <> $4 LIMIT 1`
	b := logBound{Unit: s.Unit, External: s.External, Find: s.Find}
	ok, err := t.find(query, []any{t.o.id, s.Programme, s.Number, s.Unit}, &b.CTI, &b.Blank)
	if err != nil || !ok {
		return err
	}
	return t.takeInBound(b, nil)
}

func seconds(t int64) int64 { return credential.Time(t).Std().UnixMicro() }

// findOrMakeUnit makes the unit and its name in the programme known. Its record
// is gone with the database that had it; it comes back when the roster is read
// again, under the same id, because the blind index of its identifier is here.
func (t *tx) findOrMakeUnit(s *logSigning) error {
	kind := issuer.Found
	if s.Blank {
		kind = issuer.Blank
	}
	const unit = `INSERT INTO unit (org_id, id, kind, external_index, find_index, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	if _, err := t.exec(unit, t.o.id, s.Unit, string(kind), s.External, s.Find, t.micros); err != nil {
		return err
	}
	if s.Blank {
		if err := t.foundBlank(s); err != nil {
			return err
		}
	}
	const programme = `INSERT INTO programme (org_id, code, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	if _, err := t.exec(programme, t.o.id, s.Programme, t.micros); err != nil {
		return err
	}
	if err := t.boundUnsaid(s); err != nil {
		return err
	}
	const name = `INSERT INTO programme_unit (org_id, programme, unit_id, pseudonym, card_number, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	_, err := t.exec(name, t.o.id, s.Programme, s.Unit, s.Pseudonym, s.Number, t.micros)
	return err
}

// findOrMakeList returns the number of the list called uri. One that was not
// known takes no new entries.
func (t *tx) findOrMakeList(uri string, size uint64, expires int64) (no int64, err error) {
	const grow = `UPDATE status_list SET valid_until = CASE WHEN valid_until < $3 THEN $3 ELSE valid_until END
		WHERE org_id = $1 AND uri = $2 RETURNING no`
	ok, err := t.find(grow, []any{t.o.id, uri, seconds(expires)}, &no)
	if err != nil || ok {
		return no, err
	}
	if uri == "" || size == 0 || size > status.MaxSize {
		return 0, errors.New("the line names no status list")
	}
	const number = `UPDATE organisation SET list_seq = list_seq + 1 WHERE id = $1 RETURNING list_seq`
	if _, err := t.find(number, []any{t.o.id}, &no); err != nil {
		return 0, err
	}
	const insert = `INSERT INTO status_list (org_id, no, uri, size, valid_until, closed_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`
	_, err = t.exec(insert, t.o.id, no, uri, size, seconds(expires), t.micros)
	return no, err
}

// takeInStatus sets entries again, in the order in which they were set. What is
// invalid stays so. changed counts the entries that were something else, ended
// the credentials that were active.
func (t *tx) takeInStatus(l logStatus) (changed, ended int, err error) {
	no, err := t.findOrMakeList(l.URI, l.Size, 0)
	if err != nil {
		return 0, 0, err
	}
	// An entry that the database does not have belongs to a decoy of a list it
	// has forgotten: it is entered as one.
	const set = `INSERT INTO status_index (org_id, list_no, idx, kind, value, changed_at) VALUES ($1, $2, $3, 'decoy', $4, $5)
		ON CONFLICT (org_id, list_no, idx) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at
		WHERE status_index.value <> excluded.value AND status_index.value <> 1`
	const end = `UPDATE credential SET ended_at = $4, end_reason = 'revoked' WHERE org_id = $1 AND list_no = $2 AND idx = $3 AND ended_at IS NULL`
	err = l.each(func(i uint64, v status.Value) error {
		n, err := t.exec(set, t.o.id, no, i, v, t.micros)
		changed += int(n)
		if err == nil && v == status.Invalid {
			n, err = t.exec(end, t.o.id, no, i, t.micros)
			ended += int(n)
		}
		return err
	})
	return changed, ended, err
}

// each calls yield for every entry of the line that is inside the list.
func (l *logStatus) each(yield func(i uint64, v status.Value) error) error {
	for v, indexes := range [...][]uint64{status.Valid: l.Valid, status.Invalid: l.Invalid, status.Suspended: l.Suspended} {
		for _, i := range indexes {
			if i >= l.Size {
				continue
			}
			if err := yield(i, status.Value(v)); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeInPublished remembers a publication: the next one is newer, and takes no
// revocation of it back. ended counts the credentials that it ended here.
func (t *tx) takeInPublished(l logStatus, r *Replay) (ended int, err error) {
	changed, ended, err := t.takeInStatus(l)
	if err != nil {
		return 0, err
	}
	r.Statuses += changed
	var no, published int64
	var bitmap []byte
	const find = `SELECT no, published_at, published FROM status_list WHERE org_id = $1 AND uri = $2`
	if _, err := t.find(find, []any{t.o.id, l.URI}, &no, &published, &bitmap); err != nil {
		return 0, err
	}
	iat := seconds(l.Issued)
	if iat <= published {
		return ended, nil
	}
	next := make([]byte, (l.Size+3)/4)
	copy(next, bitmap)
	err = l.each(func(i uint64, v status.Value) error {
		shift := i % 4 * 2
		next[i/4] = next[i/4]&^(3<<shift) | byte(v)<<shift
		return nil
	})
	if err != nil {
		return 0, err
	}
	const move = `UPDATE status_list SET published_at = $3, published = $4 WHERE org_id = $1 AND no = $2`
	_, err = t.exec(move, t.o.id, no, iat, next)
	r.Published++
	return ended, err
}
