package main

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/storage"
)

// A madeRoom keeps what long work made of records for who asked for it: in memory alone, so
// that none of it is on a disk or in a backup, and for a day. After a stop of the server it
// is made again.
type madeRoom[T any] struct {
	most int // bytes of all that waits; 0: usualRoom
	mu   sync.Mutex
	made map[string]made[T] // by job
}

// made is what waits.
type made[T any] struct {
	what   T
	bytes  int // about how large it is
	until  time.Time
	by     string // account
	erased int    // records that were erased when it was begun: with one more, she may be in it
	gone   bool   // nobody gets it any more, and nothing of it is there
}

// withdrawn is what is known of it when nobody gets it any more: whose it was.
func (f made[T]) withdrawn() made[T] { return made[T]{until: f.until, by: f.by, gone: true} }

const (
	madeLife  = 24 * time.Hour
	usualRoom = 256 << 20
)

// Conditions of a room.
var (
	errMadeLarge = errors.New("it is larger than what waits in memory")
	errNotMade   = errors.New("nothing of this job waits for this account")
	errMadeGone  = errors.New("nobody gets any more what this job made")
)

func (r *madeRoom[T]) room() int { return cmp.Or(r.most, usualRoom) }

// sweep forgets what is over, and tells how many bytes wait. The caller holds mu.
func (r *madeRoom[T]) sweep(now time.Time) (bytes int) {
	for id, f := range r.made {
		if now.After(f.until) {
			delete(r.made, id)
		} else {
			bytes += f.bytes
		}
	}
	return bytes
}

// keep puts something by; for want of room it is errMadeLarge.
func (r *madeRoom[T]) keep(job string, f made[T], now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sweep(now)+f.bytes > r.room() {
		return errMadeLarge
	}
	if r.made == nil {
		r.made = map[string]made[T]{}
	}
	r.made[job] = f
	return nil
}

// take is what a job made for the account that asked for it, as long as nobody was erased
// since, also by another program; errNotMade, or errMadeGone.
func (r *madeRoom[T]) take(ctx context.Context, store *storage.Org, job, account string, now time.Time) (what T, err error) {
	f, ok := r.find(job, account, now)
	switch {
	case !ok:
		return what, errNotMade
	case f.gone:
		return what, errMadeGone
	}
	if erased, err := store.ErasedCount(ctx); err != nil {
		return what, err
	} else if erased != f.erased {
		r.drop(job)
		return what, errMadeGone
	}
	return f.what, nil
}

func (r *madeRoom[T]) find(job, account string, now time.Time) (made[T], bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now)
	f, ok := r.made[job]
	return f, ok && access.SameAccount(f.by, account)
}

// drop forgets what a job made.
func (r *madeRoom[T]) drop(job string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.made[job]; ok {
		r.made[job] = f.withdrawn()
	}
}

// clear forgets all of it: somebody was erased, who may be in any.
func (r *madeRoom[T]) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for job, f := range r.made {
		r.made[job] = f.withdrawn()
	}
}
