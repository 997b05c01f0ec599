package storage

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"aidpass/access"
	"aidpass/access/witness"
)

// LastSeen is the checkpoint of another's log that this organisation cosigned last; nil: none yet.
func (o *Org) LastSeen(ctx context.Context, origin string) (c *witness.Checkpoint, err error) {
	err = o.view(ctx, "checkpoints seen", func(t *tx) error {
		c, err = t.lastSeen(origin)
		return err
	})
	return c, err
}

func (t *tx) lastSeen(origin string) (*witness.Checkpoint, error) {
	c := witness.Checkpoint{Origin: origin}
	var root []byte
	ok, err := t.find(`SELECT size, root FROM witness_seen WHERE org_id = $1 AND origin = $2 ORDER BY no DESC LIMIT 1`, []any{t.o.id, origin}, &c.Size, &root)
	if err != nil || !ok {
		return nil, err
	}
	if len(root) != tlog.HashSize {
		return nil, fmt.Errorf("the checkpoint kept of %s is damaged", origin)
	}
	c.Root = tlog.Hash(root)
	return &c, nil
}

// Cosign keeps a checkpoint of another's log and lets sign cosign it, in one
// transaction, so that of two requests at once neither takes the log back. check holds
// it against the one seen last. fresh is the reason two people give for beginning
// anew after that log was restored: check is not asked; empty otherwise.
func (o *Org) Cosign(ctx context.Context, by access.Actor, s *witness.Signed, fresh string, check func(seen *witness.Checkpoint) error, sign func() ([]byte, error)) (raw []byte, err error) {
	err = o.update(ctx, by, "cosign a checkpoint", func(t *tx) error {
		seen, err := t.lastSeen(s.Origin)
		if err != nil {
			return err
		}
		detail := fmt.Sprintf("size=%d root=%s", s.Size, s.Root)
		if fresh != "" {
			if by.SecondPerson == "" {
				return fmt.Errorf("a log begins anew when a second person has confirmed it")
			}
			if seen != nil {
				detail += fmt.Sprintf(" before=%d", seen.Size)
			}
		} else if err := check(seen); err != nil {
			return err
		}
		if raw, err = sign(); err != nil {
			return err
		}
		const insert = `INSERT INTO witness_seen (org_id, origin, no, size, root, note, at)
			VALUES ($1, $2, (SELECT COALESCE(MAX(no), 0) + 1 FROM witness_seen WHERE org_id = $1 AND origin = $2), $3, $4, $5, $6)`
		if _, err := t.exec(insert, o.id, s.Origin, s.Size, s.Root[:], raw, t.micros); err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "audit.witness", Object: s.Origin, Reason: fresh, Detail: detail})
	})
	return raw, err
}
