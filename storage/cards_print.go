package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// RecordPrint implements issuer.CardStore.
func (o *Org) RecordPrint(ctx context.Context, by access.Actor, j issuer.PrintJob) (issuer.PrintJob, error) {
	err := o.update(ctx, by, "record print job", func(t *tx) error {
		const find = `SELECT id, layout, at, actor FROM print_job WHERE org_id = $1 AND digest = $2`
		var there issuer.PrintJob
		var at int64
		ok, err := t.find(find, []any{o.id, j.Digest[:]}, &there.ID, &there.Layout, &at, &there.By)
		if err != nil {
			return err
		}
		if ok {
			if there.Cards, err = t.cardsOfJob(there.ID); err != nil {
				return err
			}
			if there.Layout != j.Layout || !slices.Equal(there.Cards, j.Cards) {
				return fmt.Errorf("this file stands in the print log with other cards or another layout, as job %s", there.ID)
			}
			j.ID, j.At, j.By, j.Count = there.ID, microTime(at), there.By, len(j.Cards)
			return nil
		}
		return t.addPrint(&j)
	})
	return j, err
}

// addPrint writes a new job and the events of its cards.
func (t *tx) addPrint(j *issuer.PrintJob) error {
	j.ID, j.At, j.By, j.Count = issuer.NewShortID(), microTime(t.micros), t.by.ID, len(j.Cards)
	const add = `INSERT INTO print_job (org_id, id, layout, count, digest, at, actor) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	if _, err := t.exec(add, t.o.id, j.ID, j.Layout, j.Count, j.Digest[:], t.micros, t.by.ID); err != nil {
		return err
	}
	var about []registry.ID
	for i, id := range j.Cards {
		c, err := t.getCard(id)
		if err != nil {
			return err
		}
		if !c.Unit.IsZero() { // a blank card is nobody's yet
			about = append(about, c.Unit)
		}
		if err := printable(&c, credential.FromStd(t.now)); err != nil {
			return err
		}
		if err := t.cardEvent(&c, issuer.CardEvent{Paper: issuer.CardPrinted, PrintJob: j.ID}, &i); err != nil {
			return err
		}
	}
	return t.auditAbout(access.Entry{Action: "card.print", Object: j.ID, Digest: j.Digest, Detail: "layout=" + j.Layout + " cards=" + strconv.Itoa(j.Count)}, about)
}

// printable refuses paper for what is on paper already, or no use to anybody.
func printable(c *issuer.Card, now credential.Time) error {
	why := ""
	switch {
	case c.Paper != issuer.CardIssued:
		return fmt.Errorf("%w: card %s, credential %s", issuer.ErrPrinted, c.CardNumber, c.ID)
	case c.State != issuer.Issued:
		why = "it is not signed"
	case c.Ended || c.Status == status.Invalid:
		why = "its credential is revoked or over"
	case c.ExpiresAt <= now:
		why = "its credential has expired"
	case c.Status == status.Suspended && c.Kind != issuer.Blank:
		why = "its credential is on hold"
	default:
		return nil
	}
	return fmt.Errorf("%w: card %s, credential %s: %s", issuer.ErrCardState, c.CardNumber, c.ID, why)
}

// cardsOfJob returns the cards of a job in the order of its file.
func (t *tx) cardsOfJob(job string) (ids []issuer.CTI, err error) {
	list, err := t.texts(`SELECT credential_id FROM card_event WHERE org_id = $1 AND print_job = $2 ORDER BY page_order`, t.o.id, job)
	for _, s := range list {
		id, err := issuer.ParseCTI(s)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, err
}

// PrintJobs implements issuer.CardStore. The list is without the jobs' cards.
func (o *Org) PrintJobs(ctx context.Context, id string) (jobs []issuer.PrintJob, err error) {
	err = o.view(ctx, "print log", func(t *tx) error {
		rows, err := t.query(`SELECT j.id, j.layout, j.count, j.digest, j.at, j.actor, COALESCE(p.n, 0), COALESCE(p.actor, ''), COALESCE(p.at, 0)
			FROM print_job j LEFT JOIN print_paper p ON p.org_id = j.org_id AND p.job = j.id
				AND p.n = (SELECT MAX(n) FROM print_paper x WHERE x.org_id = j.org_id AND x.job = j.id)
			WHERE j.org_id = $1 AND ($2 = '' OR j.id = $2) ORDER BY j.at DESC, j.id`, o.id, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var j issuer.PrintJob
			var digest []byte
			var at, last int64
			if err := rows.Scan(&j.ID, &j.Layout, &j.Count, &digest, &at, &j.By, &j.Papers, &j.Last, &last); err != nil {
				return err
			}
			copy(j.Digest[:], digest)
			if j.At = microTime(at); j.Papers > 0 {
				j.LastAt = microTime(last)
			}
			jobs = append(jobs, j)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || id == "" {
			return err
		}
		if len(jobs) == 0 {
			return fmt.Errorf("%w: %s", issuer.ErrNoJob, id)
		}
		jobs[0].Cards, err = t.cardsOfJob(id)
		return err
	})
	return jobs, err
}

// HandOut implements issuer.CardStore.
func (o *Org) HandOut(ctx context.Context, by access.Actor, job, reason string, about []issuer.UnitID) error {
	return o.update(ctx, by, "hand out a print", func(t *tx) error {
		var j issuer.PrintJob
		var at int64
		const find = `SELECT j.actor, COALESCE(p.n, 0), COALESCE(p.actor, ''), COALESCE(p.at, 0) FROM print_job j
			LEFT JOIN print_paper p ON p.org_id = j.org_id AND p.job = j.id WHERE j.org_id = $1 AND j.id = $2 ORDER BY p.n DESC LIMIT 1`
		ok, err := t.find(find, []any{o.id, job}, &j.By, &j.Papers, &j.Last, &at)
		switch {
		case err != nil:
			return err
		case !ok:
			return fmt.Errorf("%w: %s", issuer.ErrNoJob, job)
		}
		j.LastAt = microTime(at)
		free, same := j.Fetched(by.ID, t.now)
		if reason == "" && !free {
			return fmt.Errorf("%w: %s", issuer.ErrPaper, job)
		}
		if reason != "" || !same {
			j.Papers++
			if _, err := t.exec(`INSERT INTO print_paper (org_id, job, n, at, actor) VALUES ($1, $2, $3, $4, $5)`, o.id, job, j.Papers, t.micros, by.ID); err != nil {
				return err
			}
		}
		return t.auditAbout(access.Entry{Action: "card.print", Object: job, Reason: reason, Detail: "paper=" + strconv.Itoa(j.Papers)}, about)
	})
}
