package storage

import (
	"context"
	"fmt"

	"aidpass/access"
	"aidpass/issuer"
)

var _ issuer.ProposalStore = (*Org)(nil)

// AddProposal implements issuer.ProposalStore.
func (o *Org) AddProposal(ctx context.Context, by access.Actor, p issuer.Proposal) error {
	return o.update(ctx, by, "add batch", func(t *tx) error {
		sealed, err := o.ownSealed("batch", p.ID, p)
		if err != nil {
			return err
		}
		const add = `INSERT INTO batch (org_id, id, state, at, sealed) VALUES ($1, $2, $3, $4, $5)`
		if _, err := t.exec(add, o.id, p.ID, string(p.State), p.At.UnixMicro(), sealed); err != nil {
			return err
		}
		return t.audit(batchEntry(&p))
	})
}

func batchEntry(p *issuer.Proposal) access.Entry {
	return access.Entry{Action: access.Action("batch." + string(p.State)), Object: p.ID, Digest: p.Digest,
		Detail: fmt.Sprintf("programme=%s round=%d cards=%d of=%d issued=%d", p.Programme, p.Round, p.Can, p.Rows, p.Issued)}
}

// ChangeProposal implements issuer.ProposalStore.
func (o *Org) ChangeProposal(ctx context.Context, by access.Actor, id string, change func(*issuer.Proposal) error) error {
	var own error
	err := o.update(ctx, by, "change batch", func(t *tx) error {
		list, err := t.proposals(`id = $2`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			own = issuer.ErrNoProposal
			return own
		}
		p := list[0]
		if own = change(&p); own != nil {
			return own
		}
		sealed, err := o.ownSealed("batch", id, p)
		if err != nil {
			return err
		}
		const set = `UPDATE batch SET state = $3, sealed = $4 WHERE org_id = $1 AND id = $2`
		if _, err := t.exec(set, o.id, id, string(p.State), sealed); err != nil {
			return err
		}
		return t.audit(batchEntry(&p))
	})
	if own != nil {
		return own
	}
	return err
}

// Proposal implements issuer.ProposalStore.
func (o *Org) Proposal(ctx context.Context, id string) (p issuer.Proposal, err error) {
	var list []issuer.Proposal
	err = o.view(ctx, "find batch", func(t *tx) error {
		list, err = t.proposals(`id = $2`, id)
		return err
	})
	if err != nil {
		return p, err
	}
	if len(list) == 0 {
		return p, issuer.ErrNoProposal
	}
	return list[0], nil
}

// Proposals implements issuer.ProposalStore.
func (o *Org) Proposals(ctx context.Context) (list []issuer.Proposal, err error) {
	err = o.view(ctx, "list batches", func(t *tx) error {
		list, err = t.proposals(`TRUE ORDER BY at DESC, id`)
		return err
	})
	return list, err
}

func (t *tx) proposals(where string, args ...any) (list []issuer.Proposal, err error) {
	rows, err := t.query(`SELECT id, state, sealed FROM batch WHERE org_id = $1 AND `+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, state string
		var sealed []byte
		if err := rows.Scan(&id, &state, &sealed); err != nil {
			return nil, err
		}
		var p issuer.Proposal
		if err := t.o.openOwn("batch", id, sealed, &p); err != nil {
			return nil, err
		}
		if p.ID != id || string(p.State) != state {
			return nil, fmt.Errorf("batch %s: what is sealed is of another", id)
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// batches proves that every batch opens in its place.
func (c *checker) batches(t *tx) error {
	list, err := c.strings(`SELECT id FROM batch WHERE org_id = $1`, c.id)
	if err != nil {
		return err
	}
	for _, id := range list {
		c.counts[CheckSeal]++
		if _, err := t.proposals(`id = $2`, id); err != nil {
			c.find(CheckSeal, "batch "+id, "%v", err)
		}
	}
	return nil
}
