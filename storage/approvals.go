package storage

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"aidpass/access"
	"aidpass/access/work"
)

func (a *accessTx) token(mark []byte, sealed []byte) (t access.Token, err error) {
	err = a.t.o.openOwn("api_token", hex.EncodeToString(mark), sealed, &t)
	return t, err
}

func (a *accessTx) Token(mark access.Mark) (access.Token, error) {
	var sealed []byte
	ok, err := a.t.find(`SELECT sealed FROM api_token WHERE org_id = $1 AND mark = $2`, []any{a.t.o.id, mark[:]}, &sealed)
	if err == nil && !ok {
		err = access.ErrNoToken
	}
	if err != nil {
		return access.Token{}, err
	}
	return a.token(mark[:], sealed)
}

func (a *accessTx) Tokens() (list []access.Token, err error) {
	err = a.sealedRows(func(mark string, sealed []byte) error {
		t, err := a.token([]byte(mark), sealed)
		list = append(list, t)
		return err
	}, `SELECT mark, sealed FROM api_token WHERE org_id = $1 ORDER BY created_at DESC, mark`, a.t.o.id)
	return list, err
}

func (a *accessTx) SaveToken(t access.Token) error {
	was, err := a.Token(t.Mark)
	if err != nil && !errors.Is(err, access.ErrNoToken) {
		return err
	}
	a.changed = a.changed || err != nil || !was.Revoked.Equal(t.Revoked) // a use alone is no change
	sealed, err := a.t.o.ownSealed("api_token", hex.EncodeToString(t.Mark[:]), t)
	if err != nil {
		return err
	}
	const save = `INSERT INTO api_token (org_id, mark, account_id, created_at, sealed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, mark) DO UPDATE SET sealed = excluded.sealed`
	_, err = a.t.exec(save, a.t.o.id, t.Mark[:], t.Maker, t.Created.UnixMicro(), sealed)
	return err
}

func (a *accessTx) approval(id string, sealed []byte) (p access.Approval, err error) {
	err = a.t.o.openOwn("approval", id, sealed, &p)
	return p, err
}

func (a *accessTx) Approval(id string) (access.Approval, error) {
	var sealed []byte
	ok, err := a.t.find(`SELECT sealed FROM approval WHERE org_id = $1 AND id = $2`, []any{a.t.o.id, id}, &sealed)
	if err == nil && !ok {
		err = access.ErrNoApproval
	}
	if err != nil {
		return access.Approval{}, err
	}
	return a.approval(id, sealed)
}

func (a *accessTx) Approvals() ([]access.Approval, error) {
	return a.approvals(`SELECT id, sealed FROM approval WHERE org_id = $1 ORDER BY at DESC, id`)
}

func (a *accessTx) OpenApprovals() ([]access.Approval, error) {
	return a.approvals(`SELECT id, sealed FROM approval WHERE org_id = $1 AND state IN ('waiting', 'approved') ORDER BY at DESC, id`)
}

func (a *accessTx) approvals(query string) (list []access.Approval, err error) {
	err = a.sealedRows(func(id string, sealed []byte) error {
		p, err := a.approval(id, sealed)
		list = append(list, p)
		return err
	}, query, a.t.o.id)
	return list, err
}

func (a *accessTx) ApprovalList(id string) (list []byte, err error) {
	var sealed []byte
	ok, err := a.t.find(`SELECT sealed FROM approval_list WHERE org_id = $1 AND approval_id = $2`, []any{a.t.o.id, id}, &sealed)
	if err == nil && !ok {
		err = access.ErrNoApproval
	}
	if err != nil {
		return nil, err
	}
	return a.t.o.own.open(ownPlace(a.t.o.id, "approval_list", id), sealed)
}

func (a *accessTx) SaveApprovalList(id string, list []byte) error {
	const add = `INSERT INTO approval_list (org_id, approval_id, sealed) VALUES ($1, $2, $3)`
	_, err := a.t.exec(add, a.t.o.id, id, a.t.o.own.seal(ownPlace(a.t.o.id, "approval_list", id), list))
	return err
}

func (a *accessTx) EndApproval(id string) error {
	a.changed = true
	if _, err := a.t.exec(`DELETE FROM approval_list WHERE org_id = $1 AND approval_id = $2`, a.t.o.id, id); err != nil {
		return err
	}
	_, err := a.t.exec(`DELETE FROM approval WHERE org_id = $1 AND id = $2`, a.t.o.id, id)
	return err
}

func (a *accessTx) SaveApproval(p access.Approval) error {
	a.changed = true
	sealed, err := a.t.o.ownSealed("approval", p.ID, p)
	if err != nil {
		return err
	}
	state := p.State
	if state == access.Lapsed { // that is a matter of the time, and what is sealed says it
		state = access.Withdrawn
	}
	const save = `INSERT INTO approval (org_id, id, state, at, sealed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, id) DO UPDATE SET state = excluded.state, sealed = excluded.sealed`
	_, err = a.t.exec(save, a.t.o.id, p.ID, string(state), p.At.UnixMicro(), sealed)
	return err
}

func (o *Org) triesMark(about string) []byte { return o.index.of("sign-in-try", about) }

func (a *accessTx) Tries(about string) (n access.Tries, err error) {
	var next, good, last int64
	const find = `SELECT failed, next_at, good_at, last_at FROM sign_in_try WHERE org_id = $1 AND mark = $2`
	ok, err := a.t.find(find, []any{a.t.o.id, a.t.o.triesMark(about)}, &n.Failed, &next, &good, &last)
	if err != nil || !ok {
		return access.Tries{}, err
	}
	n.Next, n.Good, n.Last = orZeroTime(next), orZeroTime(good), orZeroTime(last)
	return n, nil
}

func (a *accessTx) SaveTries(about string, n access.Tries) error {
	const save = `INSERT INTO sign_in_try (org_id, mark, failed, next_at, good_at, last_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (org_id, mark) DO UPDATE SET failed = excluded.failed, next_at = excluded.next_at, good_at = excluded.good_at, last_at = excluded.last_at`
	_, err := a.t.exec(save, a.t.o.id, a.t.o.triesMark(about), n.Failed, zeroMicros(n.Next), zeroMicros(n.Good), zeroMicros(n.Last))
	return err
}

func (a *accessTx) Tally(what string, day int64) (n int, err error) {
	_, err = a.t.find(`SELECT n FROM tally WHERE org_id = $1 AND what = $2 AND day = $3`, []any{a.t.o.id, what, day}, &n)
	return n, err
}

func (a *accessTx) SaveTally(t access.Tally) error {
	const save = `INSERT INTO tally (org_id, what, day, n) VALUES ($1, $2, $3, $4) ON CONFLICT (org_id, what, day) DO UPDATE SET n = excluded.n`
	_, err := a.t.exec(save, a.t.o.id, t.What, t.Day, t.N)
	return err
}

// maxKept is how many things pages keep for each other at once. Whoever is not signed in
// can have something kept, so the oldest go first.
const maxKept = 2000

func (a *accessTx) Keep(mark access.Mark, kind string, ends time.Time, data []byte) error {
	o := a.t.o
	const oldest = `DELETE FROM page_kept WHERE org_id = $1 AND mark IN (SELECT mark FROM page_kept WHERE org_id = $1 ORDER BY ends_at DESC LIMIT -1 OFFSET $2)`
	if _, err := a.t.exec(oldest, o.id, maxKept-1); err != nil {
		return err
	}
	const add = `INSERT INTO page_kept (org_id, mark, kind, ends_at, sealed) VALUES ($1, $2, $3, $4, $5)`
	_, err := a.t.exec(add, o.id, mark[:], kind, ends.UnixMicro(), o.own.seal(ownPlace(o.id, "page_kept", kind+" "+hex.EncodeToString(mark[:])), data))
	return err
}

func (a *accessTx) Take(mark access.Mark, kind string) (data []byte, ends time.Time, err error) {
	o := a.t.o
	var at int64
	var sealed []byte
	const take = `DELETE FROM page_kept WHERE org_id = $1 AND mark = $2 AND kind = $3 RETURNING ends_at, sealed`
	ok, err := a.t.find(take, []any{o.id, mark[:], kind}, &at, &sealed)
	if err == nil && !ok {
		err = access.ErrNothingKept
	}
	if err != nil {
		return nil, ends, err
	}
	data, err = o.own.open(ownPlace(o.id, "page_kept", kind+" "+hex.EncodeToString(mark[:])), sealed)
	return data, microTime(at), err
}

func (a *accessTx) Sweep(now time.Time) error {
	for _, s := range [...]struct {
		query string
		args  []any
	}{
		{`DELETE FROM session WHERE org_id = $1 AND created_at <= $2`, []any{now.Add(-access.SessionLife).UnixMicro()}},
		{`DELETE FROM invitation WHERE org_id = $1 AND ends_at <= $2`, []any{now.UnixMicro()}},
		{`DELETE FROM page_kept WHERE org_id = $1 AND ends_at <= $2`, []any{now.UnixMicro()}},
		{`DELETE FROM sign_in_try WHERE org_id = $1 AND last_at <= $2 AND good_at <= $3`, []any{now.Add(-access.TriesLife).UnixMicro(), now.Add(-access.GoodLife).UnixMicro()}},
		{`DELETE FROM tally WHERE org_id = $1 AND day < $2`, []any{now.Add(-access.TallyLife).Unix() / 86400}},
	} {
		if _, err := a.t.exec(s.query, append([]any{a.t.o.id}, s.args...)...); err != nil {
			return err
		}
	}
	return nil
}

// endAccess ends what could have been ended since the backup that was restored: nobody
// knows which sessions were signed out, which invitations used, which tokens revoked,
// which requests for approval taken back or carried out: they are asked for again.
func (t *tx) endAccess() error {
	for _, end := range [...]string{`DELETE FROM session WHERE org_id = $1`, `DELETE FROM invitation WHERE org_id = $1`, `DELETE FROM page_kept WHERE org_id = $1`} {
		if _, err := t.exec(end, t.o.id); err != nil {
			return err
		}
	}
	a := &accessTx{t: t}
	tokens, err := a.Tokens()
	if err != nil {
		return err
	}
	for _, k := range tokens {
		if !k.Revoked.IsZero() {
			continue
		}
		k.Revoked = t.now
		if err := a.SaveToken(k); err != nil {
			return err
		}
		if err := t.audit(access.Entry{Action: "token.revoke", Object: k.ID, Reason: "restored"}); err != nil {
			return err
		}
	}
	asked, err := a.OpenApprovals()
	if err != nil {
		return err
	}
	for _, p := range asked {
		p.State, p.Reason = access.Withdrawn, "restored"
		if err := a.SaveApproval(p); err != nil {
			return err
		}
		if err := t.audit(access.Entry{Action: "approval.withdraw", Object: p.ID, Reason: "restored", Digest: p.Hash}); err != nil {
			return err
		}
	}
	return nil
}

// accounts proves that what is sealed of accounts opens in its place, and that accounts
// are found by what they hold and by nothing else.
func (c *checker) accounts() error {
	return c.view(c.ctx, "check accounts", func(t *tx) error {
		a := &accessTx{t: t}
		owners := map[string]string{}
		open := func(what string, each func(id string, sealed []byte) error, query string) error {
			return a.sealedRows(func(id string, sealed []byte) error {
				c.counts[CheckSeal]++
				if err := each(id, sealed); err != nil {
					c.find(CheckSeal, what, "%v", err)
				}
				return nil
			}, query, c.id)
		}
		err := errors.Join(
			open("account", func(id string, sealed []byte) error {
				r, err := a.record(id, sealed)
				if err == nil && r.ID != id {
					err = errors.New("account " + id + ": another account's record")
				}
				for _, m := range t.o.accountMarks(&r) {
					owners[string(m)] = id
				}
				return err
			}, `SELECT id, sealed FROM account WHERE org_id = $1`),
			open("token", func(mark string, sealed []byte) error { _, err := a.token([]byte(mark), sealed); return err }, `SELECT mark, sealed FROM api_token WHERE org_id = $1`),
			open("job", func(id string, sealed []byte) error {
				var j work.Job
				return t.o.openOwn("job", id, sealed, &j)
			}, `SELECT id, sealed FROM job WHERE org_id = $1`),
			open("list of an approval", func(id string, sealed []byte) error {
				_, err := t.o.own.open(ownPlace(c.id, "approval_list", id), sealed)
				return err
			}, `SELECT approval_id, sealed FROM approval_list WHERE org_id = $1`),
			open("approval", func(id string, sealed []byte) error { _, err := a.approval(id, sealed); return err }, `SELECT id, sealed FROM approval WHERE org_id = $1`),
		)
		if err != nil {
			return err
		}
		rows, err := t.query(`SELECT mark, account_id FROM account_key WHERE org_id = $1`, c.id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var mark sql.RawBytes
			var id string
			if err := rows.Scan(&mark, &id); err != nil {
				return err
			}
			if owners[string(mark)] != id {
				c.find(CheckSeal, "account "+id, "is found by what it does not hold")
			}
			delete(owners, string(mark))
		}
		for _, id := range owners {
			c.find(CheckSeal, "account "+id, "is not found by what it holds")
		}
		return rows.Err()
	})
}
