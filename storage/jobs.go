package storage

import (
	"context"
	"errors"
	"time"

	"aidpass/access"
	"aidpass/access/work"
)

var _ work.Store = (*Org)(nil)

func (o *Org) openJob(id string, version int64, sealed []byte) (j work.Job, err error) {
	err = o.openOwn("job", id, sealed, &j)
	if err == nil && (j.ID != id || j.Version != version) {
		err = errors.New("job " + id + ": the row is not what was sealed")
	}
	return j, err
}

func (t *tx) job(id string) (work.Job, error) {
	var version int64
	var sealed []byte
	ok, err := t.find(`SELECT version, sealed FROM job WHERE org_id = $1 AND id = $2`, []any{t.o.id, id}, &version, &sealed)
	if err == nil && !ok {
		err = work.ErrNoJob
	}
	if err != nil {
		return work.Job{}, err
	}
	return t.o.openJob(id, version, sealed)
}

func (t *tx) jobs() (list []work.Job, err error) {
	rows, err := t.query(`SELECT id, version, sealed FROM job WHERE org_id = $1 ORDER BY begun_at DESC, id`, t.o.id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var version int64
		var sealed []byte
		if err := rows.Scan(&id, &version, &sealed); err != nil {
			return nil, err
		}
		j, err := t.o.openJob(id, version, sealed)
		if err != nil {
			return nil, err
		}
		list = append(list, j)
	}
	return list, rows.Err()
}

// Job implements work.Store.
func (o *Org) Job(ctx context.Context, id string) (j work.Job, err error) {
	err = o.view(ctx, "read a job", func(t *tx) error {
		j, err = t.job(id)
		return err
	})
	return j, err
}

// Jobs implements work.Store.
func (o *Org) Jobs(ctx context.Context) (list []work.Job, err error) {
	err = o.view(ctx, "read the jobs", func(t *tx) error {
		list, err = t.jobs()
		return err
	})
	return list, err
}

// AddJob implements work.Store.
func (o *Org) AddJob(ctx context.Context, j work.Job, e access.Entry, over time.Time) (work.Job, error) {
	j.Version = 1
	err := o.update(ctx, j.By, "begin a job", func(t *tx) error {
		have, err := t.job(j.ID)
		if err == nil {
			j = have
			return nil
		}
		if !errors.Is(err, work.ErrNoJob) {
			return err
		}
		if _, err := t.exec(`DELETE FROM job WHERE org_id = $1 AND state IN ('done', 'failed', 'stopped') AND seen_at < $2`, o.id, over.UnixMicro()); err != nil {
			return err
		}
		sealed, err := o.ownSealed("job", j.ID, j)
		if err != nil {
			return err
		}
		const add = `INSERT INTO job (org_id, id, state, begun_at, seen_at, version, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)`
		if _, err := t.exec(add, o.id, j.ID, string(j.State), j.Begun.UnixMicro(), j.Seen.UnixMicro(), j.Version, sealed); err != nil {
			return err
		}
		return t.audit(e)
	})
	if err != nil {
		return work.Job{}, err
	}
	return j, nil
}

// SaveJob implements work.Store.
func (o *Org) SaveJob(ctx context.Context, by access.Actor, j work.Job, e *access.Entry) (work.Job, error) {
	err := o.update(ctx, by, "save a job", func(t *tx) error { return t.saveJob(&j, e) })
	if err != nil {
		return work.Job{}, err
	}
	return j, nil
}

func (t *tx) saveJob(j *work.Job, e *access.Entry) error {
	was := j.Version
	j.Version++
	sealed, err := t.o.ownSealed("job", j.ID, j)
	if err != nil {
		return err
	}
	const save = `UPDATE job SET state = $4, seen_at = $5, version = version + 1, sealed = $6 WHERE org_id = $1 AND id = $2 AND version = $3`
	n, err := t.exec(save, t.o.id, j.ID, was, string(j.State), j.Seen.UnixMicro(), sealed)
	if err != nil {
		return err
	}
	if n == 0 {
		if _, err := t.job(j.ID); err != nil {
			return err
		}
		return work.ErrStale
	}
	if e == nil {
		return nil
	}
	return t.audit(*e)
}

// stopJobs stops what a restored backup knows as under way: nobody knows what of it was
// done since, and somebody decides.
func (t *tx) stopJobs() error {
	all, err := t.jobs()
	if err != nil {
		return err
	}
	for _, j := range all {
		if j.State != work.Waits && j.State != work.Runs {
			continue
		}
		j.State = work.Stopped
		if err := t.saveJob(&j, &access.Entry{Action: "work.cancel", Object: j.ID, Reason: "restored", Detail: "kind=" + j.Kind}); err != nil {
			return err
		}
	}
	return nil
}
