package storage

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
)

var _ access.Store = (*Org)(nil)

// ReadAccess implements access.Store.
func (o *Org) ReadAccess(ctx context.Context, work func(access.View) error) error {
	var own error
	err := o.view(ctx, "read accounts", func(t *tx) error {
		own = work(&accessTx{t: t})
		return own
	})
	if own != nil {
		return own
	}
	return err
}

// WriteAccess implements access.Store.
func (o *Org) WriteAccess(ctx context.Context, by access.Actor, work func(access.Tx) error) error {
	var own error
	err := o.update(ctx, by, "write accounts", func(t *tx) error {
		a := &accessTx{t: t}
		if own = work(a); own != nil {
			return own
		}
		if a.changed && !a.told {
			return errors.New("a change without an entry in the log")
		}
		return nil
	})
	if own != nil && !errors.Is(err, ErrFull) {
		return own
	}
	return err
}

// accessTx is a transaction about accounts.
type accessTx struct {
	t             *tx
	changed, told bool // what needs an entry; that there is one
}

// ownSealed seals what belongs to no person, in its place.
func (o *Org) ownSealed(table, id string, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return o.own.seal(ownPlace(o.id, table, id), b), nil
}

func ownPlace(org, table, id string) place { return place{org, table, "sealed", id, ownKeyVersion} }

func (o *Org) openOwn(table, id string, sealed []byte, v any) error {
	b, err := o.own.open(ownPlace(o.id, table, id), sealed)
	if err != nil {
		return fmt.Errorf("%s %s: %w", table, id, err)
	}
	return json.Unmarshal(b, v)
}

// zeroMicros is 0 for the zero time, which has no microseconds since 1970 that a column could hold.
func zeroMicros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

func orZeroTime(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return microTime(micros)
}

func (a *accessTx) Account(id string) (r access.Record, err error) {
	var sealed []byte
	ok, err := a.t.find(`SELECT sealed FROM account WHERE org_id = $1 AND id = $2`, []any{a.t.o.id, id}, &sealed)
	if err == nil && !ok {
		err = access.ErrNoAccount
	}
	if err != nil {
		return r, err
	}
	return a.record(id, sealed)
}

func (a *accessTx) record(id string, sealed []byte) (r access.Record, err error) {
	err = a.t.o.openOwn("account", id, sealed, &r)
	r.Settle()
	return r, err
}

// sealedRows reads rows of a name and what is sealed under it.
func (a *accessTx) sealedRows(each func(id string, sealed []byte) error, query string, args ...any) error {
	rows, err := a.t.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var sealed []byte
		if err := rows.Scan(&id, &sealed); err != nil {
			return err
		}
		if err := each(id, sealed); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (a *accessTx) Accounts() (list []access.Record, err error) {
	err = a.sealedRows(func(id string, sealed []byte) error {
		r, err := a.record(id, sealed)
		list = append(list, r)
		return err
	}, `SELECT id, sealed FROM account WHERE org_id = $1 ORDER BY id`, a.t.o.id)
	return list, err
}

func (o *Org) passkeyMark(credential []byte) []byte {
	return o.index.of("account-passkey", string(credential))
}

func (o *Org) subjectMark(s access.Subject) []byte {
	return o.index.of("account-subject", s.Issuer, s.Subject)
}

func (a *accessTx) owner(mark []byte) (id string, err error) {
	ok, err := a.t.find(`SELECT account_id FROM account_key WHERE org_id = $1 AND mark = $2`, []any{a.t.o.id, mark}, &id)
	if err == nil && !ok {
		err = access.ErrNoAccount
	}
	return id, err
}

func (a *accessTx) PasskeyOwner(credential []byte) (string, error) {
	return a.owner(a.t.o.passkeyMark(credential))
}

func (a *accessTx) SubjectOwner(s access.Subject) (string, error) {
	return a.owner(a.t.o.subjectMark(s))
}

// accountMarks are what an account is found by.
func (o *Org) accountMarks(r *access.Record) (marks [][]byte) {
	for _, k := range r.Passkeys {
		marks = append(marks, o.passkeyMark(k.ID))
	}
	for _, s := range r.Subjects {
		marks = append(marks, o.subjectMark(s))
	}
	return marks
}

func (a *accessTx) SaveAccount(r access.Record) error {
	o := a.t.o
	a.changed = true
	r.Org = o.id
	sealed, err := o.ownSealed("account", r.ID, r)
	if err != nil {
		return err
	}
	const save = `INSERT INTO account (org_id, id, sealed) VALUES ($1, $2, $3) ON CONFLICT (org_id, id) DO UPDATE SET sealed = excluded.sealed`
	if _, err := a.t.exec(save, o.id, r.ID, sealed); err != nil {
		return err
	}
	if _, err := a.t.exec(`DELETE FROM account_key WHERE org_id = $1 AND account_id = $2`, o.id, r.ID); err != nil {
		return err
	}
	for _, mark := range o.accountMarks(&r) {
		n, err := a.t.exec(`INSERT INTO account_key (org_id, mark, account_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, o.id, mark, r.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			a.t.broken = access.ErrTaken
			return access.ErrTaken
		}
	}
	return nil
}

func (a *accessTx) sessions(where string, args ...any) (list []access.SessionRow, err error) {
	rows, err := a.t.query(`SELECT mark, account_id, way, created_at, seen_at, proved_at, device FROM session WHERE org_id = $1 AND `+where, append([]any{a.t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s access.SessionRow
		var mark []byte
		var created, seen, proved int64
		if err := rows.Scan(&mark, &s.Account, &s.Way, &created, &seen, &proved, &s.Device); err != nil {
			return nil, err
		}
		copy(s.Mark[:], mark)
		s.Created, s.Seen, s.Proved = microTime(created), microTime(seen), microTime(proved)
		list = append(list, s)
	}
	return list, rows.Err()
}

func (a *accessTx) Session(mark access.Mark) (access.SessionRow, error) {
	list, err := a.sessions(`mark = $2`, mark[:])
	if err == nil && len(list) == 0 {
		err = access.ErrNoSession
	}
	if err != nil {
		return access.SessionRow{}, err
	}
	return list[0], nil
}

func (a *accessTx) Sessions(account string) ([]access.SessionRow, error) {
	return a.sessions(`account_id = $2 ORDER BY created_at DESC, mark`, account)
}

func (a *accessTx) SaveSession(s access.SessionRow) error {
	const save = `INSERT INTO session (org_id, mark, account_id, way, created_at, seen_at, proved_at, device) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org_id, mark) DO UPDATE SET seen_at = excluded.seen_at, device = excluded.device`
	_, err := a.t.exec(save, a.t.o.id, s.Mark[:], s.Account, string(s.Way), s.Created.UnixMicro(), s.Seen.UnixMicro(), s.Proved.UnixMicro(), s.Device)
	return err
}

func (a *accessTx) EndSession(mark access.Mark) error {
	_, err := a.t.exec(`DELETE FROM session WHERE org_id = $1 AND mark = $2`, a.t.o.id, mark[:])
	return err
}

func (a *accessTx) EndSessions(account string, but access.Mark) error {
	_, err := a.t.exec(`DELETE FROM session WHERE org_id = $1 AND account_id = $2 AND mark <> $3`, a.t.o.id, account, but[:])
	return err
}

func (a *accessTx) Invite(mark access.Mark) (i access.Invite, err error) {
	var sealed []byte
	var ends int64
	const find = `SELECT account_id, ends_at, sealed FROM invitation WHERE org_id = $1 AND mark = $2`
	ok, err := a.t.find(find, []any{a.t.o.id, mark[:]}, &i.Account, &ends, &sealed)
	if err == nil && !ok {
		err = access.ErrNoInvite
	}
	if err != nil {
		return i, err
	}
	// Account and end are sealed too: a row that was altered is no invitation.
	if err := a.t.o.openOwn("invitation", hex.EncodeToString(mark[:]), sealed, &i); err != nil {
		return access.Invite{}, err
	}
	return i, nil
}

func (a *accessTx) SaveInvite(i access.Invite) error {
	a.changed = true
	sealed, err := a.t.o.ownSealed("invitation", hex.EncodeToString(i.Mark[:]), i)
	if err != nil {
		return err
	}
	const add = `INSERT INTO invitation (org_id, mark, account_id, ends_at, sealed) VALUES ($1, $2, $3, $4, $5)`
	_, err = a.t.exec(add, a.t.o.id, i.Mark[:], i.Account, i.Ends.UnixMicro(), sealed)
	return err
}

func (a *accessTx) EndInvites(account string) error {
	_, err := a.t.exec(`DELETE FROM invitation WHERE org_id = $1 AND account_id = $2`, a.t.o.id, account)
	return err
}

func (a *accessTx) Audit(e access.Entry) error {
	a.told = true
	was := a.t.by
	if e.Actor.ID != "" {
		a.t.by = e.Actor
	}
	err := a.t.audit(e)
	a.t.by = was
	if err != nil {
		a.t.broken = err
	}
	return err
}
