package storage

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"aidpass/access"
	"aidpass/access/witness"
)

// The actions of checkpoints in the log.
const (
	actionCheckpoint access.Action = "audit.checkpoint"
	// actionRestart says that the log was restored from a backup and lost what came
	// after: checkpoints from before it that go further are known to be of the lost part.
	actionRestart access.Action = "audit.restart"
)

// ErrRewound: the log is behind a checkpoint that was signed of it. It is signed no
// further before two people say why: who holds that checkpoint sees a log cut short.
var ErrRewound = errors.New("storage: the audit log is older than a checkpoint that was signed of it")

// checkpointLine is a line of checkpoints.log, which stands outside the backup: after
// a restore it tells what was promised of the log that is lost. A line is written after
// the database knows the checkpoint and before anybody else does.
type checkpointLine struct {
	Org  string    `json:"org"`
	Size uint64    `json:"size"`
	Root string    `json:"root"` // base64
	At   time.Time `json:"at"`
	Note string    `json:"note"`
}

// hashes reads stored hashes of the tree in a transaction.
func (t *tx) hashes() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			var h []byte
			ok, err := t.find(`SELECT hash FROM audit_tree WHERE org_id = $1 AND idx = $2`, []any{t.o.id, x}, &h)
			if err != nil {
				return nil, err
			}
			if !ok || len(h) != tlog.HashSize {
				return nil, fmt.Errorf("the stored tree of the audit log lacks hash %d: aidpass audit verify tells what is wrong", x)
			}
			out[i] = tlog.Hash(h)
		}
		return out, nil
	})
}

// treeSize is the number of entries in the stored tree.
func (t *tx) treeSize() (size uint64, err error) {
	var hashes int64
	if _, err := t.find(`SELECT COALESCE(MAX(idx), -1) + 1 FROM audit_tree WHERE org_id = $1`, []any{t.o.id}, &hashes); err != nil {
		return 0, err
	}
	// A tree of n leaves has fewer than 2n hashes.
	n := hashes / 2
	for tlog.StoredHashCount(n) < hashes {
		n++
	}
	if tlog.StoredHashCount(n) != hashes {
		return 0, fmt.Errorf("the stored tree of the audit log ends with hash %d, inside an entry's: aidpass audit verify tells what is wrong", hashes)
	}
	return uint64(n), nil
}

// growTree takes the entries behind the stored tree into it, up to the head, and
// returns the root.
func (t *tx) growTree() (root tlog.Hash, err error) {
	size, err := t.treeSize()
	if err != nil {
		return root, err
	}
	var prev access.Head
	if size > 0 {
		var hash []byte
		if _, err := t.find(`SELECT hash FROM audit WHERE org_id = $1 AND seq = $2`, []any{t.o.id, size}, &hash); err != nil {
			return root, err
		}
		prev.Seq = size
		copy(prev.Hash[:], hash)
	}
	const piece = 10_000 // entries in memory at once
	for prev.Seq < t.head.Seq {
		var leaves []tlog.Hash
		first := prev.Seq
		err := t.o.auditIn(t.ctx, t.Tx, int64(first), piece, func(e *access.Entry) error {
			if e.Seq != prev.Seq+1 || e.Prev != prev.Hash || e.Hash != e.Sum() {
				return fmt.Errorf("entry %d of the audit log is not what was written: aidpass audit verify tells more", prev.Seq+1)
			}
			prev = access.Head{Seq: e.Seq, Hash: e.Hash}
			leaves = append(leaves, witness.Leaf(e))
			return nil
		})
		if err != nil {
			return root, err
		}
		var stored []tlog.Hash
		if stored, root, err = witness.Grow(first, leaves, t.hashes()); err != nil {
			return root, err
		}
		for i, h := range stored {
			if _, err := t.exec(`INSERT INTO audit_tree (org_id, idx, hash) VALUES ($1, $2, $3)`, t.o.id, tlog.StoredHashCount(int64(first))+int64(i), h[:]); err != nil {
				return root, err
			}
		}
		if len(leaves) == 0 {
			break
		}
	}
	if prev.Seq != t.head.Seq {
		return root, fmt.Errorf("the audit log ends with entry %d, and %d were written: aidpass audit verify tells more", prev.Seq, t.head.Seq)
	}
	return root, nil
}

// Checkpoint signs how far the log has come, and keeps the checkpoint here and
// outside the backup. sign gets the log's name and makes the note (witness.Sign); it is
// called inside the transaction, so that nothing is signed that is not kept.
//
// ErrRewound says that the log does not reach a checkpoint signed before: after a
// restore. restart is the reason two people give for going on all the same; empty
// otherwise.
func (o *Org) Checkpoint(ctx context.Context, by access.Actor, origin, restart string, sign func(witness.Checkpoint) ([]byte, error)) (s witness.Signed, err error) {
	err = o.update(ctx, by, "checkpoint the audit log", func(t *tx) error {
		if restart != "" {
			if by.SecondPerson == "" {
				return errors.New("a log that was restored goes on when a second person has confirmed it")
			}
			if err := t.audit(access.Entry{Action: actionRestart, Object: origin, Reason: restart}); err != nil {
				return err
			}
		}
		if err := t.audit(access.Entry{Action: actionCheckpoint, Object: origin}); err != nil {
			return err
		}
		root, err := t.growTree()
		if err != nil {
			return err
		}
		promises, err := t.promised()
		if err != nil {
			return err
		}
		for _, p := range promises {
			if p.Size > t.head.Seq {
				return fmt.Errorf("%w: it has %d entries, and %d were signed %s", ErrRewound, t.head.Seq, p.Size, p.at.Format(time.DateOnly))
			}
			have, err := tlog.TreeHash(int64(p.Size), t.hashes())
			if err != nil {
				return err
			}
			if !p.Holds(have) {
				return fmt.Errorf("%w: of the %d entries signed %s it has others", ErrRewound, p.Size, p.at.Format(time.DateOnly))
			}
		}
		s.Checkpoint = witness.Checkpoint{Origin: origin, Size: t.head.Seq, Root: root}
		if s.Raw, err = sign(s.Checkpoint); err != nil {
			return err
		}
		return t.keepCheckpoint(&s)
	})
	if err != nil {
		return s, err
	}
	_, err = o.db.checkpoints.append(ctx, checkpointLine{Org: o.id, Size: s.Size, Root: base64.StdEncoding.EncodeToString(s.Root[:]), At: o.db.now().UTC(), Note: string(s.Raw)})
	return s, err
}

func (t *tx) keepCheckpoint(s *witness.Signed) error {
	const insert = `INSERT INTO audit_checkpoint (org_id, no, size, root, note, cosigned, at)
		VALUES ($1, (SELECT COALESCE(MAX(no), 0) + 1 FROM audit_checkpoint WHERE org_id = $1), $2, $3, $4, $5, $6)`
	_, err := t.exec(insert, t.o.id, s.Size, s.Root[:], s.Raw, len(s.Cosignatures), t.micros)
	return err
}

// Cosigned keeps a checkpoint of this log that came back from a witness, proven by its
// keys: the next request to a witness begins at it.
func (o *Org) Cosigned(ctx context.Context, by access.Actor, s *witness.Signed) error {
	return o.update(ctx, by, "keep a cosigned checkpoint", func(t *tx) error {
		size, err := t.treeSize()
		if err != nil {
			return err
		}
		if s.Size > size {
			return fmt.Errorf("%w: the stored tree has %d entries, the cosigned checkpoint %d", ErrRewound, size, s.Size)
		}
		root, err := tlog.TreeHash(int64(s.Size), t.hashes())
		if err != nil {
			return err
		}
		if root != s.Root {
			return fmt.Errorf("%w: of its %d entries the log has others", ErrRewound, s.Size)
		}
		if err := t.audit(access.Entry{Action: "audit.cosigned", Object: s.Cosignatures[0].Name, Detail: fmt.Sprintf("size=%d", s.Size)}); err != nil {
			return err
		}
		return t.keepCheckpoint(s)
	})
}

// LastCosigned is the size of the newest checkpoint that a witness cosigned; 0: none.
func (o *Org) LastCosigned(ctx context.Context) (size uint64, err error) {
	err = o.view(ctx, "cosigned checkpoints", func(t *tx) error {
		_, err := t.find(`SELECT size FROM audit_checkpoint WHERE org_id = $1 AND cosigned > 0 ORDER BY no DESC LIMIT 1`, []any{o.id}, &size)
		return err
	})
	return size, err
}

// AuditTree lends work the stored tree: its size, which is that of the newest
// checkpoint, and its hashes, for proofs and tiles.
func (o *Org) AuditTree(ctx context.Context, work func(size uint64, r tlog.HashReader) error) error {
	return o.view(ctx, "audit tree", func(t *tx) error {
		size, err := t.treeSize()
		if err != nil {
			return err
		}
		return work(size, t.hashes())
	})
}

// promised is a checkpoint of this log that is known here.
type promised struct {
	witness.Promise
	at time.Time
}

// promised returns the checkpoints known here, in the database and outside the backup,
// that no restart excuses: one before it can only be kept as far as the restored log goes.
func (t *tx) promised() (list []promised, err error) {
	type restart struct {
		seq uint64
		at  time.Time
	}
	var restarts []restart
	rows, err := t.query(`SELECT seq, at FROM audit WHERE org_id = $1 AND action = $2`, t.o.id, string(actionRestart))
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var r restart
		var at int64
		if err := rows.Scan(&r.seq, &at); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		r.at = time.UnixMicro(at)
		restarts = append(restarts, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	add := func(size uint64, root []byte, at time.Time, name string) {
		if len(root) != tlog.HashSize || slices.ContainsFunc(restarts, func(r restart) bool { return size >= r.seq && at.Before(r.at) }) {
			return
		}
		c := witness.Checkpoint{Size: size, Root: tlog.Hash(root)}
		if !slices.ContainsFunc(list, func(p promised) bool { return p.SameTree(c.Paper()) }) {
			list = append(list, promised{witness.Promise{Name: name, Paper: c.Paper()}, at})
		}
	}
	if rows, err = t.query(`SELECT size, root, at FROM audit_checkpoint WHERE org_id = $1`, t.o.id); err != nil {
		return nil, err
	}
	for rows.Next() {
		var size uint64
		var root []byte
		var at int64
		if err := rows.Scan(&size, &root, &at); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		add(size, root, time.UnixMicro(at), "a checkpoint in the database")
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	_, damaged, err := t.o.db.checkpoints.lines(0, func(body []byte) error {
		var l checkpointLine
		if err := json.Unmarshal(body, &l); err != nil {
			return fmt.Errorf("%s: %w", checkpointsFile, err)
		}
		if root, err := base64.StdEncoding.DecodeString(l.Root); err == nil && l.Org == t.o.id {
			add(l.Size, root, l.At, outsideFolder+"/"+checkpointsFile)
		}
		return nil
	})
	if err == nil && len(damaged) > 0 {
		err = fmt.Errorf("%s/%s is damaged at byte %d: %s", outsideFolder, checkpointsFile, damaged[0].offset, damaged[0].why)
	}
	slices.SortStableFunc(list, func(a, b promised) int { return cmp.Compare(a.Size, b.Size) })
	return list, err
}

// ProveAudit proves the whole log: that it chains, that the stored tree is of it, and
// that it keeps every promise: the checkpoints known here and those given, which
// somebody outside held; and where it is whole, that its entries are about those whom
// they were written about. trees are stored by others, such as a folder of tiles.
func (o *Org) ProveAudit(ctx context.Context, promises []witness.Promise, trees ...witness.Tree) (out witness.Outcome, err error) {
	err = o.view(ctx, "audit log", func(t *tx) error {
		known, err := t.promised()
		if err != nil {
			return err
		}
		for _, k := range known {
			if !slices.ContainsFunc(promises, func(p witness.Promise) bool { return p.SameTree(k.Paper) }) {
				promises = append(promises, k.Promise)
			}
		}
		if out, err = t.prove(promises, append(trees, witness.Tree{Name: "the stored tree", Next: t.storedLeaves()})); err != nil || len(out.Bad) > 0 {
			return err
		}
		out.Bad, err = t.proveWhom()
		return err
	})
	return out, err
}

// prove reads the log once.
func (t *tx) prove(promises []witness.Promise, trees []witness.Tree) (out witness.Outcome, err error) {
	var head access.Head // as the organisation's row remembers it
	var hash []byte
	if _, err := t.find(`SELECT audit_seq, audit_hash FROM organisation WHERE id = $1`, []any{t.o.id}, &head.Seq, &hash); err != nil {
		return out, err
	}
	copy(head.Hash[:], hash)
	p := witness.NewProver(promises, trees...)
	last := uint64(0)
	err = t.o.auditIn(t.ctx, t.Tx, fromStart, -1, func(e *access.Entry) error {
		last = max(last, e.Seq)
		switch {
		case e.Seq > head.Seq:
			p.Fault(access.BadRow{Seq: e.Seq, Code: access.BadForeign, Why: fmt.Sprintf("not written by this program: the log ends with entry %d", head.Seq)})
		case e.Seq == head.Seq && e.Hash != head.Hash:
			p.Fault(access.BadRow{Seq: e.Seq, Code: access.BadOther, Why: "another entry than the last one written"})
		}
		return p.Add(e)
	})
	if err != nil {
		return out, err
	}
	if last < head.Seq {
		p.Fault(access.BadRow{Seq: last + 1, Code: access.BadMissing, Why: fmt.Sprintf("missing: the log ended with entry %d before", head.Seq)})
	}
	return p.Finish()
}

// storedLeaves reads the leaves of the stored tree, a piece at a time.
func (t *tx) storedLeaves() witness.Leaves {
	const piece = 4096
	type row struct {
		idx  int64
		hash tlog.Hash
	}
	var rows []row
	next := int64(0)
	return witness.StoredLeaves(func() (int64, tlog.Hash, error) {
		if len(rows) == 0 {
			found, err := t.query(`SELECT idx, hash FROM audit_tree WHERE org_id = $1 AND idx >= $2 ORDER BY idx LIMIT $3`, t.o.id, next, piece)
			if err != nil {
				return 0, tlog.Hash{}, err
			}
			defer found.Close()
			for found.Next() {
				var r row
				var h []byte
				if err := found.Scan(&r.idx, &h); err != nil {
					return 0, tlog.Hash{}, err
				}
				copy(r.hash[:], h)
				rows = append(rows, r)
			}
			if err := found.Err(); err != nil {
				return 0, tlog.Hash{}, err
			}
			if len(rows) == 0 {
				return 0, tlog.Hash{}, io.EOF
			}
		}
		r := rows[0]
		rows, next = rows[1:], r.idx+1
		return r.idx, r.hash, nil
	})
}

// A KeptCheckpoint is one that is kept here of this organisation's log.
type KeptCheckpoint struct {
	Note     []byte // signed
	Cosigned int    // by how many witnesses
	At       time.Time
}

// Checkpoints returns those kept of this log, the newest first, at most limit.
func (o *Org) Checkpoints(ctx context.Context, limit int) (list []KeptCheckpoint, err error) {
	err = o.view(ctx, "checkpoints", func(t *tx) error {
		rows, err := t.query(fmt.Sprintf(`SELECT note, cosigned, at FROM audit_checkpoint WHERE org_id = $1 ORDER BY no DESC LIMIT %d`, limit), t.o.id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c KeptCheckpoint
			var at int64
			if err := rows.Scan(&c.Note, &c.Cosigned, &at); err != nil {
				return err
			}
			c.At = microTime(at)
			list = append(list, c)
		}
		return rows.Err()
	})
	return list, err
}
