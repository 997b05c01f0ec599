package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/web/console"
)

// A work is what a job does. It tells how far it is, ends soon after ctx does, and can be
// begun again: what it had done stays done, and is not done twice.
type work func(ctx context.Context, by access.Actor, progress func(done, total int)) error

// A jobRoom is console.Jobs of one organisation: the long work of this process. What a
// job has done is in the database, and not here; so a job that a stop of the server ended
// is added again when the next one begins, as stopped.
type jobRoom struct {
	org string
	log *slog.Logger
	now func() time.Time

	life    context.Context // of the room
	end     context.CancelFunc
	turn    chan struct{} // bounds how many run at once
	running sync.WaitGroup

	mu   sync.Mutex
	list map[string]*longWork
}

type longWork struct {
	job    console.Job
	do     work
	cancel context.CancelFunc // nil: it does not run
}

// Bounds of a jobRoom.
const (
	jobsAtOnce = 2
	jobsKept   = 200 // finished ones that are still shown
)

func newJobRoom(org string, log *slog.Logger, now func() time.Time) *jobRoom {
	r := &jobRoom{org: org, log: log, now: now, turn: make(chan struct{}, jobsAtOnce), list: map[string]*longWork{}}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// close stops what runs, and waits for it.
func (r *jobRoom) close() {
	r.end()
	r.running.Wait()
}

// add makes a job known that was stopped. Its ID is drawn where it has none.
func (r *jobRoom) add(job console.Job, do work) console.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	if job.ID == "" {
		job.ID = issuer.NewShortID()
	}
	job.Org, job.State = r.org, console.JobStopped
	if job.Begun.IsZero() {
		job.Begun = r.now()
	}
	job.Seen = job.Begun
	if old := r.list[job.ID]; old != nil && old.cancel != nil {
		return old.job
	}
	r.list[job.ID] = &longWork{job: job, do: do}
	r.forget()
	return job
}

// start is add for a job that begins at once. One that runs already goes on.
func (r *jobRoom) start(job console.Job, by access.Actor, do work) (console.Job, error) {
	job = r.add(job, do)
	err := r.Resume(context.Background(), r.org, job.ID, by)
	if errors.Is(err, console.ErrConflict) {
		err = nil
	}
	return job, err
}

// forget drops the oldest finished ones.
func (r *jobRoom) forget() {
	var done []*longWork
	for _, w := range r.list {
		if w.job.State == console.JobDone {
			done = append(done, w)
		}
	}
	slices.SortFunc(done, func(a, b *longWork) int { return b.job.Seen.Compare(a.job.Seen) })
	for i := jobsKept; i < len(done); i++ {
		delete(r.list, done[i].job.ID)
	}
}

// List implements console.Jobs.
func (r *jobRoom) List(_ context.Context, org string) (list []console.Job, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.list {
		if w.job.Org == org {
			list = append(list, w.job)
		}
	}
	slices.SortFunc(list, func(a, b console.Job) int {
		if c := b.Begun.Compare(a.Begun); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, nil
}

// Show implements console.Jobs.
func (r *jobRoom) Show(_ context.Context, org, id string) (console.Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.list[id]; w != nil && w.job.Org == org {
		return w.job, nil
	}
	return console.Job{}, console.ErrNotFound
}

// Cancel implements console.Jobs. It does not wait for the end.
func (r *jobRoom) Cancel(_ context.Context, org, id string, _ access.Actor) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.list[id]
	if w == nil || w.job.Org != org {
		return console.ErrNotFound
	}
	if w.cancel == nil {
		return console.ErrConflict
	}
	w.cancel()
	return nil
}

// Resume implements console.Jobs. What was finished, or runs, is ErrConflict.
func (r *jobRoom) Resume(_ context.Context, org, id string, by access.Actor) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.list[id]
	if w == nil || w.job.Org != org {
		return console.ErrNotFound
	}
	if w.cancel != nil || w.job.State == console.JobDone || r.life.Err() != nil {
		return console.ErrConflict
	}
	ctx, cancel := context.WithCancel(r.life)
	w.cancel, w.job.State, w.job.By, w.job.Seen = cancel, console.JobWaits, by.ID, r.now()
	r.running.Go(func() { r.run(ctx, w, by) })
	return nil
}

func (r *jobRoom) run(ctx context.Context, w *longWork, by access.Actor) {
	err := ctx.Err()
	select {
	case r.turn <- struct{}{}:
		r.set(w, func(j *console.Job) { j.State = console.JobRuns })
		err = w.do(ctx, by, func(done, total int) {
			r.set(w, func(j *console.Job) { j.Done, j.Total = done, total })
		})
		<-r.turn
	case <-ctx.Done():
		err = ctx.Err()
	}
	stopped := ctx.Err() != nil
	w.cancel()
	r.set(w, func(j *console.Job) {
		w.cancel = nil
		switch {
		case err == nil:
			j.State = console.JobDone
		case stopped:
			j.State = console.JobStopped
		default:
			j.State = console.JobFailed
			r.log.Error("long work failed", "job", j.ID, "error", err.Error())
		}
	})
}

func (r *jobRoom) set(w *longWork, change func(*console.Job)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&w.job)
	w.job.Seen = r.now()
}
