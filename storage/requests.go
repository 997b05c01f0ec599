package storage

import (
	"context"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/verifier/request"
)

var _ request.Store = (*Org)(nil)

func requestPlace(org, id string) place {
	return place{org, "wallet_request", "sealed", id, ownKeyVersion}
}

func (o *Org) requestMark(handle string) []byte {
	return o.index.of("wallet-request", handle)
}

// AddRequest keeps what wallets are to be asked.
func (o *Org) AddRequest(ctx context.Context, by access.Actor, r request.Record) error {
	return o.update(ctx, by, "add request", func(t *tx) error {
		const insert = `INSERT INTO wallet_request (org_id, id, handle, status, created_at, expires_at, ends_at, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
		_, err := t.exec(insert, o.id, r.ID, o.requestMark(r.Handle), string(r.Status), r.Created.UnixMicro(), r.Expires.UnixMicro(), r.Ends.UnixMicro(),
			o.own.seal(requestPlace(o.id, r.ID), r.Body))
		if err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "request.ask", Object: r.ID})
	})
}

// Request finds a request by its id, else request.ErrNotFound.
func (o *Org) Request(ctx context.Context, id string) (r request.Record, err error) {
	err = o.view(ctx, "find request", func(t *tx) error {
		r, err = t.request(`id = $2`, id)
		return err
	})
	return r, err
}

// RequestByHandle finds a request by what a wallet has of it, else request.ErrNotFound.
func (o *Org) RequestByHandle(ctx context.Context, handle string) (r request.Record, err error) {
	err = o.view(ctx, "find request", func(t *tx) error {
		r, err = t.request(`handle = $2`, o.requestMark(handle))
		return err
	})
	return r, err
}

// ChangeRequest keeps Status, Ends and Body as change leaves them. Writers take turns,
// so that of two answers the second sees the first. An error of change comes back, and
// nothing is written.
func (o *Org) ChangeRequest(ctx context.Context, by access.Actor, id string, change func(*request.Record) error) error {
	return o.update(ctx, by, "change request", func(t *tx) error {
		r, err := t.request(`id = $2`, id)
		if err != nil {
			return err
		}
		if err := change(&r); err != nil {
			return err
		}
		const set = `UPDATE wallet_request SET status = $3, ends_at = $4, sealed = $5 WHERE org_id = $1 AND id = $2`
		if _, err := t.exec(set, o.id, id, string(r.Status), r.Ends.UnixMicro(), o.own.seal(requestPlace(o.id, id), r.Body)); err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "request.answer", Object: id, Detail: "status=" + string(r.Status)})
	})
}

// Requests are all that are kept, the newest first.
func (o *Org) Requests(ctx context.Context) (list []request.Record, err error) {
	err = o.view(ctx, "list requests", func(t *tx) error {
		list, err = t.requests(`TRUE ORDER BY created_at DESC, id`)
		return err
	})
	return list, err
}

// DropRequests deletes those that ended before a time, with what was shown in them.
func (o *Org) DropRequests(ctx context.Context, by access.Actor, before time.Time) (n int, err error) {
	err = o.update(ctx, by, "drop requests", func(t *tx) error {
		gone, err := t.exec(`DELETE FROM wallet_request WHERE org_id = $1 AND ends_at < $2`, o.id, before.UnixMicro())
		n = int(gone)
		if err != nil || n == 0 {
			return err
		}
		return t.audit(access.Entry{Action: "request.drop", Detail: fmt.Sprintf("count=%d", n)})
	})
	return n, err
}

func (t *tx) request(where string, arg any) (request.Record, error) {
	list, err := t.requests(where, arg)
	if err == nil && len(list) == 0 {
		err = request.ErrNotFound
	}
	if err != nil {
		return request.Record{}, err
	}
	return list[0], nil
}

func (t *tx) requests(where string, args ...any) (list []request.Record, err error) {
	rows, err := t.query(`SELECT id, status, created_at, expires_at, ends_at, sealed FROM wallet_request WHERE org_id = $1 AND `+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r request.Record
		var created, expires, ends int64
		var sealed []byte
		if err := rows.Scan(&r.ID, &r.Status, &created, &expires, &ends, &sealed); err != nil {
			return nil, err
		}
		if r.Body, err = t.o.own.open(requestPlace(t.o.id, r.ID), sealed); err != nil {
			return nil, fmt.Errorf("request %s: %w", r.ID, err)
		}
		r.Created, r.Expires, r.Ends = microTime(created), microTime(expires), microTime(ends)
		list = append(list, r)
	}
	return list, rows.Err()
}

// requests proves that every sealed request opens in its place.
func (c *checker) requests(t *tx) error {
	return t.fieldRows(func(id string, r fieldRow) {
		c.counts[CheckSeal]++
		if _, err := c.own.open(requestPlace(c.id, id), r.sealed); err != nil {
			c.find(CheckSeal, id, "the request does not open")
		}
	}, `SELECT id, 0, 0, '', sealed FROM wallet_request WHERE org_id = $1`, c.id)
}
