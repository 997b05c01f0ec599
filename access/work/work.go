// Package work does what takes longer than a page can wait: signing a thousand cards,
// taking in a list. A job outlives the request, the session and the program that began
// it: after a stop or a kill it goes on where it was.
//
// # How a screen starts one
//
// What a job does is a function that package main registers once, before the Runner
// begins ([Runner.Handle]):
//
//	runner.Handle("batch-issue", work.Kind{Act: access.BatchIssue, Word: "cards.issuing", Do: func(ctx context.Context, t *work.Turn) (string, error) {
//		for rows := range rest(t.Args(), t.Progress()) {      // from where the turn before came to
//			if err := desk.Issue(ctx, t.Actor(), rows); err != nil { // knows again what it did
//				return "", err
//			}
//			if err := t.Save(ctx, place(rows), done, total); err != nil { // ends it when it was stopped
//				return "", err
//			}
//		}
//		return "/batches/" + id, nil // below the console's root: where the outcome is
//	}})
//
// A handler, or the executor of an approval, then starts one and goes to its page:
//
//	job, err := runner.Start(ctx, p.Actor(), work.New{Kind: "batch-issue", Key: approval.ID, Args: args})
//	return p.Done("/jobs/"+job.ID, ...)
//
// With a Key, the same start again finds the same job: an executor may be called twice.
//
// A step that was done and not saved yet is done again after a kill. So each knows again
// what it did, by its rows or its numbers, as issuing and importing do. What must be whole
// or not at all is one transaction, and one step. Args and progress are sealed; they hold
// identifiers and places, and files by their hash.
package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
)

// A State is how far a job has come.
type State string

// The states of a job.
const (
	Waits   State = "waits"   // for its turn
	Runs    State = "runs"    // also after a kill, until a Runner takes it up
	Stopped State = "stopped" // by somebody: it goes on when somebody says so
	Done    State = "done"
	Failed  State = "failed" // may be tried again, as one that was stopped
)

// open reports whether a job moves by itself.
func (s State) open() bool { return s == Waits || s == Runs }

// A Job is long work of one organisation.
type Job struct {
	ID          string
	Kind        string
	Act         access.Act   // that it is part of: who may do that sees the job
	Word        string       // key of what pages call it
	By          access.Actor // in whose name it works
	State       State
	Args        []byte // what is to be done, as its kind reads it; at most MaxArgs
	Progress    []byte // where its work came to, as its kind reads it; at most MaxArgs
	Done, Total int    // rows; Total may be 0: not known yet
	Begun, Seen time.Time
	Result      string // path where its outcome is; may be empty
	Why         string // key of a sentence about a failure; may be empty
	Version     int64  // rises with every save: who has an older one does not save
}

// MaxArgs is the most bytes of a job's arguments, and of its progress.
const MaxArgs = 256 << 10

// KeepFor is how long a job that is over is kept.
const KeepFor = 90 * 24 * time.Hour

// Conditions that callers act on.
var (
	ErrNoJob = errors.New("work: no such job")
	ErrOver  = errors.New("work: the job is over")
	ErrStale = errors.New("work: somebody else moved the job meanwhile")
)

// A Store keeps the jobs of one organisation, sealed.
type Store interface {
	// Job is one of them; ErrNoJob.
	Job(ctx context.Context, id string) (Job, error)
	// Jobs are all that are kept, newest first.
	Jobs(ctx context.Context) ([]Job, error)
	// AddJob adds j with an entry in the log and deletes those that were over before; where
	// one of its id is there, that one comes back and nothing is written.
	AddJob(ctx context.Context, j Job, e access.Entry, over time.Time) (Job, error)
	// SaveJob saves j where the one that is kept has its Version, else ErrStale, and returns it
	// with the next one. e nil: progress alone, of which the log does not tell.
	SaveJob(ctx context.Context, by access.Actor, j Job, e *access.Entry) (Job, error)
}

// A Kind is what jobs of one name do.
type Kind struct {
	Act  access.Act // that they are part of
	Word string     // key of what pages call them
	// Do does the work, or the rest of it, and returns the path of its outcome, or "". When
	// ctx ends it returns soon, with any error.
	Do func(ctx context.Context, t *Turn) (result string, err error)
}

// A Fault is an error that pages can tell.
type Fault struct {
	Word string // key of a sentence
	Err  error  // for the log, without names; may be nil
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: %v", f.Word, f.Err) }
func (f *Fault) Unwrap() error { return f.Err }

// A Turn is one go at a job: from its start, or after a stop from where it was.
type Turn struct {
	r   *Runner
	job Job
}

// ID is the job's.
func (t *Turn) ID() string { return t.job.ID }

// Actor is in whose name the job works.
func (t *Turn) Actor() access.Actor { return t.job.By }

// Args are those of the start.
func (t *Turn) Args() []byte { return t.job.Args }

// Progress is what was saved last; nil at first.
func (t *Turn) Progress() []byte { return t.job.Progress }

// Save keeps how far the work came: progress for the next turn, done of total rows for
// people (0: not known). An error means that the job was stopped: the work ends.
func (t *Turn) Save(ctx context.Context, progress []byte, done, total int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(progress) > MaxArgs {
		return fmt.Errorf("work: a progress of %d bytes, at most %d", len(progress), MaxArgs)
	}
	j := t.job
	j.Progress, j.Done, j.Total, j.Seen = progress, done, total, t.r.now()
	saved, err := t.r.Store.SaveJob(ctx, j.By, j, nil)
	if err == nil {
		t.job = saved
	}
	return err
}
