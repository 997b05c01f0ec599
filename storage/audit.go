package storage

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// audit adds e to the organisation's log: action, object, reason, detail and
// digest are the caller's, the rest is filled here.
func (t *tx) audit(e access.Entry) error {
	if err := t.lock(); err != nil {
		return err
	}
	e.Org, e.Actor, e.Time = t.o.id, t.by, t.now
	if err := e.Check(); err != nil {
		return err
	}
	e.Link(t.head)
	const insert = `INSERT INTO audit (org_id, seq, at, actor, role, device, second_person, action, object, reason, detail, digest, prev, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	_, err := t.exec(insert, e.Org, e.Seq, e.Time.UnixMicro(), e.Actor.ID, string(e.Actor.Role), e.Actor.Device, e.Actor.SecondPerson,
		string(e.Action), e.Object, e.Reason, e.Detail, e.Digest[:], e.Prev[:], e.Hash[:])
	t.head = access.Head{Seq: e.Seq, Hash: e.Hash}
	return err
}

// Note puts an act into the log that leaves no other row here: a device
// certified, a pack built. Action, object, detail and digest are the caller's,
// without personal data (access.Entry); time, actor and chain are filled here.
func (o *Org) Note(ctx context.Context, by access.Actor, e access.Entry) error {
	return o.update(ctx, by, "note "+string(e.Action), func(t *tx) error { return t.audit(e) })
}

// NoteAbout is Note for an act about many records, such as a list that is printed: each
// of them is told of it (Looked).
func (o *Org) NoteAbout(ctx context.Context, by access.Actor, e access.Entry, about []registry.ID) error {
	return o.update(ctx, by, "note "+string(e.Action), func(t *tx) error { return t.auditAbout(e, about) })
}

// Audit calls yield with every entry of the log, oldest first, until it returns
// an error, which Audit returns as it is. It proves nothing: see access.Chain.
func (o *Org) Audit(ctx context.Context, yield func(*access.Entry) error) error {
	return o.auditIn(ctx, o.db.read, fromStart, -1, yield)
}

// fromStart reads also what stands before entry 1: nothing that this program wrote.
const fromStart = math.MinInt64

// A querier is a connection, or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// auditIn reads at most limit entries behind number after; limit -1: all.
func (o *Org) auditIn(ctx context.Context, q querier, after int64, limit int, yield func(*access.Entry) error) error {
	return o.entries(ctx, q, "org_id = $1 AND seq > $2", []any{o.id, after}, limit, yield)
}

// entries reads the entries of a condition, which has no text of a caller's in it, oldest
// first.
func (o *Org) entries(ctx context.Context, q querier, where string, args []any, limit int, yield func(*access.Entry) error) error {
	return o.entriesBy(ctx, q, where, "seq", args, limit, yield)
}

func (o *Org) entriesBy(ctx context.Context, q querier, where, order string, args []any, limit int, yield func(*access.Entry) error) error {
	const columns = `SELECT seq, at, actor, role, device, second_person, action, object, reason, detail, digest, prev, hash FROM audit WHERE `
	rows, err := q.QueryContext(ctx, fmt.Sprintf("%s%s ORDER BY %s LIMIT %d", columns, where, order, limit), args...)
	if err != nil {
		return fmt.Errorf("storage: audit log: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		e := access.Entry{Org: o.id}
		var seq, at int64
		var digest, prev, hash []byte
		err := rows.Scan(&seq, &at, &e.Actor.ID, &e.Actor.Role, &e.Actor.Device, &e.Actor.SecondPerson,
			&e.Action, &e.Object, &e.Reason, &e.Detail, &digest, &prev, &hash)
		if err != nil {
			return fmt.Errorf("storage: audit log: %w", err)
		}
		e.Seq, e.Time = uint64(max(seq, 0)), time.UnixMicro(at).UTC()
		copy(e.Digest[:], digest)
		copy(e.Prev[:], prev)
		copy(e.Hash[:], hash)
		if err := yield(&e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// VerifyAudit proves the whole log and returns its head, to be kept by a
// witness. witnessed is such a head kept before, or zero: the log must still
// hold it. A *access.BadRow names the first entry that is not what was written;
// one behind the head that the organisation's row remembers was put there by
// somebody else, however well it is chained.
func (o *Org) VerifyAudit(ctx context.Context, witnessed access.Head) (access.Head, error) {
	// One transaction: head and log are of the same moment.
	sqlTx, err := o.db.read.BeginTx(ctx, nil)
	if err != nil {
		return access.Head{}, fmt.Errorf("storage: audit log: %w", err)
	}
	defer sqlTx.Rollback()
	var head access.Head // as the organisation's row remembers it
	var hash []byte
	const query = `SELECT audit_seq, audit_hash FROM organisation WHERE id = $1`
	if err := sqlTx.QueryRowContext(ctx, query, o.id).Scan(&head.Seq, &hash); err != nil {
		return head, fmt.Errorf("storage: audit log: %w", err)
	}
	copy(head.Hash[:], hash)
	var chain access.Chain
	err = o.auditIn(ctx, sqlTx, fromStart, -1, func(e *access.Entry) error {
		if e.Seq > head.Seq {
			return &access.BadRow{Seq: e.Seq, Code: access.BadForeign, Why: fmt.Sprintf("not written by this program: the log ends with entry %d", head.Seq)}
		}
		if err := chain.Add(e); err != nil {
			return err
		}
		for _, h := range [...]access.Head{head, witnessed} {
			if h.Seq == e.Seq && h.Hash != e.Hash {
				return &access.BadRow{Seq: e.Seq, Code: access.BadOther, Why: "another entry than the one witnessed"}
			}
		}
		return nil
	})
	if err != nil {
		return chain.Head(), err
	}
	if last := max(head.Seq, witnessed.Seq); chain.Head().Seq < last {
		return chain.Head(), &access.BadRow{Seq: chain.Head().Seq + 1, Code: access.BadMissing, Why: fmt.Sprintf("missing: the log ended with entry %d before", last)}
	}
	return chain.Head(), nil
}
