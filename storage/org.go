package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// Org is the store of one organisation. It implements issuer.Store,
// issuer.SigningLog, registry.Store and request.Store, and may be used by several goroutines.
type Org struct {
	db    *DB
	id    string
	kek   sealer
	index *blindKey
	own   sealer // what belongs to no person: programmes' plans, mappings of imports, requests to wallets

	// signed is the size of the signing log after this store's last line: all of
	// it is known to the database, see outside.go.
	signed atomic.Int64
	replay Replay

	collected collectedKept
}

// Errors of opening an organisation's store.
var (
	ErrNoOrg  = errors.New("storage: no such organisation")
	ErrHasOrg = errors.New("storage: the organisation is there already")
)

// CreateOrg adds an organisation and opens its store. kek is its 32-byte
// key-encryption key: without it nothing of its people can ever be read again,
// so it is kept where its signing keys are. ErrHasOrg says that id is taken.
func (db *DB) CreateOrg(ctx context.Context, id string, kek []byte, by access.Actor) (*Org, error) {
	k, err := newSealer(kek)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, errors.New("storage: an organisation needs an id")
	}
	o := &Org{db: db, id: id, kek: k}
	secrets := newKey()
	if err := o.useSecrets(secrets); err != nil {
		return nil, err
	}
	err = o.update(ctx, by, "create organisation", func(tx *tx) error {
		const insert = `INSERT INTO organisation (id, secrets, audit_hash, created_at, form) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO NOTHING`
		n, err := tx.exec(insert, id, k.seal(o.secretsPlace(), secrets), make([]byte, 32), tx.micros, todaysForm)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrHasOrg
		}
		return tx.audit(access.Entry{Action: createAction, Detail: fmt.Sprint(formMark, todaysForm)})
	})
	if err != nil {
		return nil, err
	}
	return o, o.catchUp(ctx)
}

// Org opens the store of an organisation. kek is the key it was made with, else
// ErrWrongKey; an id that is not there is ErrNoOrg.
//
// Opening takes in what the files outside the backup know and the database does
// not: after a restore that is every credential signed since the backup, every
// change of status, and every person erased. [Org.Replayed] tells what it was.
func (db *DB) Org(ctx context.Context, id string, kek []byte) (*Org, error) {
	o, err := db.bareOrg(ctx, id, kek)
	if err != nil {
		return nil, err
	}
	return o, o.catchUp(ctx)
}

// bareOrg is Org as the database has it, without taking anything in.
func (db *DB) bareOrg(ctx context.Context, id string, kek []byte) (*Org, error) {
	k, err := newSealer(kek)
	if err != nil {
		return nil, err
	}
	o := &Org{db: db, id: id, kek: k}
	var secrets []byte
	err = db.read.QueryRowContext(ctx, `SELECT secrets FROM organisation WHERE id = $1`, id).Scan(&secrets)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %q", ErrNoOrg, id)
	} else if err != nil {
		return nil, fmt.Errorf("storage: open organisation %q: %w", id, err)
	}
	if secrets, err = k.open(o.secretsPlace(), secrets); err != nil {
		return nil, err
	}
	return o, o.useSecrets(secrets)
}

// useSecrets takes the organisation's secrets: the blind-index key, from which
// the key of what belongs to no person is made.
func (o *Org) useSecrets(secrets []byte) (err error) {
	o.index = newBlindKey(secrets)
	o.own, err = newSealer(blindIndex(secrets, "aidpass-organisation-seal"))
	return err
}

func (o *Org) secretsPlace() place { return place{o.id, "organisation", "secrets", o.id, 1} }

// ID is the organisation's.
func (o *Org) ID() string { return o.id }

// A tx is one transaction of an organisation's store. It keeps its statements
// prepared, numbers the audit entries, and moves the head of their chain at the end.
type tx struct {
	*sql.Tx
	ctx    context.Context
	o      *Org
	by     access.Actor
	now    time.Time
	micros int64 // now, as every ..._at column has it

	statements map[string]*sql.Stmt
	keys       map[string]personKey // opened in this transaction; see personKey
	head       access.Head
	changeSeq  int64 // newest change set
	linked     bool  // head and changeSeq are loaded, and go back at the end
	told       statusLines
	acts       *acts // what a registry transaction did; nil: each act writes its own entry
	broken     error // a write failed: half of something may be there, and must not stay
	photosGone bool  // photographs were destroyed: tombstones.log is told after the commit
}

// update runs work in one transaction for writing, in the name of by. what says in an error what was
// being done. Errors of issuer and storage come through as they are.
func (o *Org) update(ctx context.Context, by access.Actor, what string, work func(*tx) error) (err error) {
	defer func() {
		if err = o.noRoom(err); err != nil {
			err = fmt.Errorf("storage: %s: %w", what, err)
		}
	}()
	if err := by.Check(); err != nil {
		return err
	}
	// The time is taken inside, where writers take turns, so that the audit log's times do too.
	sqlTx, err := o.db.write.BeginTx(ctx, nil)
	if o.db.dialect.busy(err) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	} else if err != nil {
		return err
	}
	defer sqlTx.Rollback()
	t := o.newTx(ctx, sqlTx)
	t.by = by
	if err := work(t); err != nil {
		return err
	}
	if t.broken != nil {
		return t.broken
	}
	if t.linked {
		const move = `UPDATE organisation SET audit_seq = $2, audit_hash = $3, change_seq = $4 WHERE id = $1`
		if _, err := t.exec(move, o.id, t.head.Seq, t.head.Hash[:], t.changeSeq); err != nil {
			return err
		}
	}
	if err := t.Commit(); err != nil || !t.photosGone {
		return err
	}
	// What was asked for is done: where this fails, the next opening tells, and Check does until then.
	_ = o.tellPhotos(context.WithoutCancel(ctx))
	return nil
}

// ErrBusy: nothing was written, as another program did not end its own writing in time.
var ErrBusy = errors.New("storage: another program is writing (a large import takes minutes): wait until it ends, then repeat this")

// ErrFull: nothing was written, as the disk has no room.
var ErrFull = errors.New("storage: the disk is full: make room, then repeat this")

// noRoom makes ErrFull of an engine's error that says so.
func (o *Org) noRoom(err error) error {
	if o.db.dialect.full(err) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

func (o *Org) newTx(ctx context.Context, sqlTx *sql.Tx) *tx {
	now := o.db.now()
	return &tx{Tx: sqlTx, ctx: ctx, o: o, now: now, micros: now.UnixMicro(), statements: map[string]*sql.Stmt{}, keys: map[string]personKey{}}
}

// view runs work in one transaction that only reads: all of it sees one moment.
func (o *Org) view(ctx context.Context, what string, work func(*tx) error) error {
	sqlTx, err := o.db.read.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("storage: %s: %w", what, err)
	}
	defer sqlTx.Rollback()
	if err := work(o.newTx(ctx, sqlTx)); err != nil {
		return fmt.Errorf("storage: %s: %w", what, err)
	}
	return nil
}

// lock loads the organisation's counters, once. A write that changes nothing: on
// PostgreSQL it holds the row until the commit, so that two servers cannot give
// two entries one number.
func (t *tx) lock() error {
	if t.linked {
		return nil
	}
	const lock = `UPDATE organisation SET audit_seq = audit_seq WHERE id = $1 RETURNING audit_seq, audit_hash, change_seq`
	var hash []byte
	ok, err := t.find(lock, []any{t.o.id}, &t.head.Seq, &hash, &t.changeSeq)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %q", ErrNoOrg, t.o.id)
	}
	copy(t.head.Hash[:], hash)
	t.linked = true
	return nil
}

// prepared returns the statement for query, which one transaction runs for many rows.
func (t *tx) prepared(query string) (*sql.Stmt, error) {
	if t.o.db.told != nil {
		t.o.db.told(query)
	}
	if s, ok := t.statements[query]; ok {
		return s, nil
	}
	s, err := t.PrepareContext(t.ctx, query)
	if err == nil {
		t.statements[query] = s
	}
	return s, err
}

// exec runs a write and returns how many rows it touched.
func (t *tx) exec(query string, args ...any) (int64, error) {
	s, err := t.prepared(query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		t.broken = err
		return 0, err
	}
	return r.RowsAffected()
}

// find runs a query of at most one row and reports whether there was one.
func (t *tx) find(query string, args []any, into ...any) (bool, error) {
	s, err := t.prepared(query)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(t.ctx, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// query runs a query of several rows.
func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	s, err := t.prepared(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(t.ctx, args...)
}

// digestOf is the digest of an audit entry over several values, each with its length.
func digestOf(values ...[]byte) [32]byte {
	h := sha256.New()
	for _, v := range values {
		var n [8]byte
		for i := range n {
			n[i] = byte(len(v) >> (56 - 8*i))
		}
		h.Write(n[:])
		h.Write(v)
	}
	return [32]byte(h.Sum(nil))
}

var (
	_ issuer.Store      = (*Org)(nil)
	_ issuer.SigningLog = (*Org)(nil)
	_ registry.Store    = (*Org)(nil)
)
