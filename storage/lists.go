package storage

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
)

// An openList is a status list that takes new entries.
type openList struct {
	no   int64
	size uint64
}

// openLists returns the lists that take entries of a lot and live as long as its
// credentials, and makes new ones until there are as many as the policy wants.
// A list that is full enough is closed.
func (t *tx) openLists(lot issuer.Lot, now time.Time) ([]openList, error) {
	p := lot.Lists
	if p.Size == 0 || p.Size%4 != 0 || p.Size > status.MaxSize || p.Open < 1 || p.Decoys < 0 || !(p.Fill > 0 && p.Fill < 1) ||
		uint64(p.Decoys) > p.Size/4 {
		return nil, errors.New("the policy for status lists makes no sense")
	}
	const full = `UPDATE status_list SET closed_at = $2 WHERE org_id = $1 AND closed_at IS NULL AND used >= size * $3`
	if _, err := t.exec(full, t.o.id, t.micros, p.Fill); err != nil {
		return nil, err
	}
	// A list of another prefix (the organisation moved its documents) or size is left alone.
	const query = `SELECT no, size FROM status_list
		WHERE org_id = $1 AND closed_at IS NULL AND valid_until >= $2 AND size = $3 AND substr(uri, 1, length($4)) = $4 ORDER BY no`
	rows, err := t.query(query, t.o.id, lot.ExpiresAt.Std().UnixMicro(), p.Size, p.Prefix)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lists []openList
	for rows.Next() {
		var l openList
		if err := rows.Scan(&l.no, &l.size); err != nil {
			return nil, err
		}
		lists = append(lists, l)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	rows.Close() // one connection: it must be free before the next statement
	until := now.Add(p.Life)
	if exp := lot.ExpiresAt.Std(); exp.After(until) {
		until = exp
	}
	for len(lists) < p.Open {
		l, err := t.createList(p, until)
		if err != nil {
			return nil, fmt.Errorf("new status list: %w", err)
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// createList makes a list, with its decoys among the entries that will be issued.
func (t *tx) createList(p issuer.ListPolicy, until time.Time) (l openList, err error) {
	l.size = p.Size
	const number = `UPDATE organisation SET list_seq = list_seq + 1 WHERE id = $1 RETURNING list_seq`
	if _, err := t.find(number, []any{t.o.id}, &l.no); err != nil {
		return l, err
	}
	// A random name, not the number: after a restore the number may have been used
	// for a list that the database has forgotten.
	uri := p.Prefix + randomName()
	const insert = `INSERT INTO status_list (org_id, no, uri, size, valid_until, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	if _, err := t.exec(insert, t.o.id, l.no, uri, l.size, until.UnixMicro(), t.micros); err != nil {
		return l, err
	}
	for range p.Decoys {
		if _, err := t.takeFree(l, "decoy"); err != nil {
			return l, err
		}
	}
	return l, t.audit(access.Entry{Action: "status.create", Object: uri, Detail: fmt.Sprintf("size=%d", l.size)})
}

// randomName is six letters and digits, which people do not confuse.
func randomName() string {
	const symbols = "0123456789abcdefghjkmnpqrstvwxyz"
	b := make([]byte, 6)
	rand.Read(b)
	for i := range b {
		b[i] = symbols[b[i]&31]
	}
	return string(b)
}

// takeIndex takes a free entry at random in a list chosen at random, so that
// neither tells when or next to whom a credential was issued.
func (t *tx) takeIndex(lists []openList) (openList, uint64, error) {
	l := lists[below(uint64(len(lists)))]
	index, err := t.takeFree(l, "credential")
	if err != nil {
		return l, 0, err
	}
	_, err = t.exec(`UPDATE status_list SET used = used + 1 WHERE org_id = $1 AND no = $2`, t.o.id, l.no)
	return l, index, err
}

// maxTries bounds the search for a free entry: with nine of ten entries taken it
// fails once in 10^45.
const maxTries = 1000

// takeFree draws entries until one is free. A unique key decides, so two servers
// never get the same.
func (t *tx) takeFree(l openList, kind string) (uint64, error) {
	const insert = `INSERT INTO status_index (org_id, list_no, idx, kind, changed_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	for range maxTries {
		index := below(l.size)
		n, err := t.exec(insert, t.o.id, l.no, index, kind, t.micros)
		if err != nil || n == 1 {
			return index, err
		}
	}
	return 0, fmt.Errorf("no free entry in a list of %d", l.size)
}

// below is a random number from 0 to n-1; n > 0.
func below(n uint64) uint64 {
	v, err := rand.Int(rand.Reader, new(big.Int).SetUint64(n))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return v.Uint64()
}

// StatusLists implements issuer.Store.
func (o *Org) StatusLists(ctx context.Context, now time.Time) (uris []string, err error) {
	err = o.view(ctx, "status lists", func(t *tx) error {
		uris, err = t.texts(`SELECT uri FROM status_list WHERE org_id = $1 AND valid_until > $2 ORDER BY no`, o.id, now.UnixMicro())
		return err
	})
	return uris, err
}

// texts returns the one column of text that a query has.
func (t *tx) texts(query string, args ...any) (all []string, err error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// StatusList implements issuer.Store.
func (o *Org) StatusList(ctx context.Context, uri string) (issuer.StatusList, error) {
	l := issuer.StatusList{URI: uri}
	err := o.view(ctx, "status list", func(t *tx) error {
		var no, published int64
		const query = `SELECT no, size, published_at, published, unwitnessed FROM status_list WHERE org_id = $1 AND uri = $2`
		ok, err := t.find(query, []any{o.id, uri}, &no, &l.Size, &published, &l.Published, &l.Unwitnessed)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: status list %q", issuer.ErrNotFound, uri)
		}
		l.PublishedAt = credential.Time(published / 1e6)
		l.Entries, err = t.entries(no)
		return err
	})
	return l, err
}

// entries returns the entries of a list that are not valid, rising.
func (t *tx) entries(no int64) (set []issuer.StatusEntry, err error) {
	rows, err := t.query(`SELECT idx, value FROM status_index WHERE org_id = $1 AND list_no = $2 AND value <> 0 ORDER BY idx`, t.o.id, no)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e issuer.StatusEntry
		if err := rows.Scan(&e.Index, &e.Value); err != nil {
			return nil, err
		}
		set = append(set, e)
	}
	return set, rows.Err()
}

// SetDecoys implements issuer.Store: it picks them at random.
func (o *Org) SetDecoys(ctx context.Context, by access.Actor, uri string, n int) error {
	if n <= 0 {
		return nil
	}
	return o.update(ctx, by, "set decoys", func(t *tx) error {
		// Decoys lie at random, so the first after a random point is random too.
		const set = `UPDATE status_index SET value = 1, changed_at = $4 WHERE org_id = $1
			AND list_no = (SELECT no FROM status_list WHERE org_id = $1 AND uri = $2)
			AND idx IN (SELECT d.idx FROM status_index d JOIN status_list l ON l.org_id = d.org_id AND l.no = d.list_no
				WHERE d.org_id = $1 AND l.uri = $2 AND d.kind = 'decoy' AND d.value = 0 AND d.idx >= $3 ORDER BY d.idx LIMIT $5)`
		var size uint64
		ok, err := t.find(`SELECT size FROM status_list WHERE org_id = $1 AND uri = $2`, []any{o.id, uri}, &size)
		if err != nil || !ok {
			return err
		}
		changed, err := t.exec(set, o.id, uri, below(size), t.micros, n)
		if err != nil || changed == 0 {
			return err
		}
		return t.audit(access.Entry{Action: "status.decoys", Object: uri, Detail: "entries=" + strconv.FormatInt(changed, 10)})
	})
}

// RecordPublication implements issuer.Store. After the commit it says outside
// the backup what was published, so that a restored database cannot take it back.
func (o *Org) RecordPublication(ctx context.Context, by access.Actor, p issuer.Publication) error {
	line := logLine{Org: o.id, Published: &logStatus{URI: p.URI, Issued: int64(p.IssuedAt)}}
	err := o.update(ctx, by, "record publication", func(t *tx) error {
		// A write that changes nothing: publishers take turns on the list's row.
		const lock = `UPDATE status_list SET uri = uri WHERE org_id = $1 AND uri = $2 RETURNING no, size, published_at, published, unwitnessed`
		var no, published int64
		var unwitnessed bool
		var old []byte
		ok, err := t.find(lock, []any{o.id, p.URI}, &no, &line.Published.Size, &published, &old, &unwitnessed)
		switch {
		case err != nil:
			return err
		case !ok:
			return fmt.Errorf("%w: status list %q", issuer.ErrNotFound, p.URI)
		case unwitnessed:
			return issuer.ErrUnwitnessed
		case published != p.Previous.Std().UnixMicro():
			return issuer.ErrPublished
		case p.IssuedAt <= p.Previous:
			return fmt.Errorf("iat %s is not after the last one, %s", p.IssuedAt, p.Previous)
		case uint64(len(p.Bitmap)) != (line.Published.Size+3)/4:
			return fmt.Errorf("a bitmap of %d bytes for %d entries", len(p.Bitmap), line.Published.Size)
		}
		if err := line.Published.difference(old, p.Bitmap); err != nil {
			return err
		}
		micros := p.IssuedAt.Std().UnixMicro()
		const move = `UPDATE status_list SET published_at = $3, published = $4 WHERE org_id = $1 AND no = $2`
		if _, err := t.exec(move, o.id, no, micros, p.Bitmap); err != nil {
			return err
		}
		digest := sha256.Sum256(p.Bitmap)
		if _, err := t.exec(`INSERT INTO published (org_id, list_no, iat, digest) VALUES ($1, $2, $3, $4)`, o.id, no, micros, digest[:]); err != nil {
			return err
		}
		line.At = t.now.UTC()
		err = t.audit(access.Entry{Action: "status.publish", Object: p.URI, Detail: "iat=" + strconv.FormatInt(int64(p.IssuedAt), 10), Digest: digest})
		line.Seq = t.head.Seq
		return err
	})
	if err != nil {
		return err
	}
	_, err = o.db.signing.append(ctx, line)
	return err
}

// difference fills l with the entries that differ between two bitmaps. An
// invalid entry that is no longer invalid is issuer.ErrUnrevokes.
func (l *logStatus) difference(old, new []byte) error {
	for at, b := range new {
		var was byte
		if at < len(old) {
			was = old[at]
		}
		for i := uint64(0); i < 4 && was != b; i++ {
			from, to := status.Value(was>>(2*i)&3), status.Value(b>>(2*i)&3)
			if from == to {
				continue
			}
			index := uint64(at)*4 + i
			if from == status.Invalid {
				return fmt.Errorf("%w: entry %d of %s", issuer.ErrUnrevokes, index, l.URI)
			}
			l.add(index, to)
		}
	}
	return nil
}
