package work

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"aidpass/access"
)

// A Runner runs the jobs of one organisation. It may be used by several goroutines; make
// one for each organisation and program, and keep it.
type Runner struct {
	Store Store
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: nowhere
	Most  int              // at once; 0: 2
	Asker Asker            // nil: who may do an act is asked when a job starts, and not again

	mu      sync.Mutex
	kinds   map[string]Kind
	life    context.Context // nil: not begun
	slots   chan struct{}
	running map[string]context.CancelFunc
	all     sync.WaitGroup
}

// An Asker knows what an account may do at the moment; access.Door is one.
type Asker interface {
	// Still says whether who may do a: nil, or an error that is access.ErrNotAllowed.
	Still(ctx context.Context, who access.Actor, a access.Act) error
}

// WordNotAllowed is why a job is stopped in whose name nobody may do it any more.
const WordNotAllowed = "jobs.not_allowed"

// runs is in whose name jobs are stopped by themselves.
var runs = access.Actor{ID: "work", Role: access.System}

// usual is how many jobs run at once: one long one does not hold all others up, and
// the store has one writer anyway.
const usual = 2

// beginAgain is when a job that could not begin is tried again.
const beginAgain = 2 * time.Second

func (r *Runner) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

func (r *Runner) log() *slog.Logger {
	if r.Log != nil {
		return r.Log
	}
	return slog.New(slog.DiscardHandler)
}

// Handle says what jobs of a kind do. It is called before Begin; for an act of no table, or
// twice for one kind, it panics.
func (r *Runner) Handle(kind string, k Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds == nil {
		r.kinds = map[string]Kind{}
	}
	_, known := access.RuleOf(k.Act)
	if _, twice := r.kinds[kind]; twice || !known || kind == "" || k.Word == "" || k.Do == nil {
		panic(fmt.Sprintf("work: %q is no kind of work, or is there already", kind))
	}
	r.kinds[kind] = k
}

func (r *Runner) kind(name string) (Kind, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.kinds[name]
	return k, ok
}

// Begin takes up what waits, and what ran when the program before it was stopped or
// killed. Jobs run until ctx ends, and then wait for the next program; Wait is when they
// have. Without Begin jobs are kept, and wait.
func (r *Runner) Begin(ctx context.Context) error {
	r.mu.Lock()
	if r.life != nil {
		r.mu.Unlock()
		return errors.New("work: the runner began already")
	}
	r.life, r.slots, r.running = ctx, make(chan struct{}, cmp.Or(max(r.Most, 0), usual)), map[string]context.CancelFunc{}
	r.mu.Unlock()
	all, err := r.Store.Jobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range slices.Backward(all) { // the oldest first
		if _, here := r.kind(j.Kind); here && j.State.open() {
			r.run(j)
		}
	}
	return nil
}

// Wait returns when no job runs any more.
func (r *Runner) Wait() { r.all.Wait() }

// A New is a job that is to be started.
type New struct {
	Kind  string
	Key   string // not empty: the same key of the same kind is the same job
	Args  []byte
	Total int // rows; 0: not known
}

// Start starts a job in the name of by, who was asked for the permission already.
func (r *Runner) Start(ctx context.Context, by access.Actor, n New) (Job, error) {
	k, ok := r.kind(n.Kind)
	if !ok {
		return Job{}, fmt.Errorf("work: nothing here does %q", n.Kind)
	}
	if len(n.Args) > MaxArgs {
		return Job{}, fmt.Errorf("work: arguments of %d bytes, at most %d: name files by their hash", len(n.Args), MaxArgs)
	}
	var id [16]byte
	rand.Read(id[:])
	if n.Key != "" {
		sum := sha256.Sum256([]byte(n.Kind + "\x00" + n.Key))
		copy(id[:], sum[:])
	}
	now := r.now()
	j := Job{ID: hex.EncodeToString(id[:]), Kind: n.Kind, Act: k.Act, Word: k.Word, By: by, State: Waits, Args: n.Args, Total: n.Total, Begun: now, Seen: now}
	j, err := r.Store.AddJob(ctx, j, *entry("work.begin", &j), now.Add(-KeepFor))
	if err != nil {
		return Job{}, err
	}
	if j.State.open() {
		r.run(j)
	}
	return j, nil
}

func entry(action access.Action, j *Job) *access.Entry {
	return &access.Entry{Action: action, Object: j.ID, Detail: fmt.Sprintf("kind=%s act=%s done=%d total=%d", j.Kind, j.Act, j.Done, j.Total), Digest: sha256.Sum256(j.Args)}
}

// Job is one job; ErrNoJob.
func (r *Runner) Job(ctx context.Context, id string) (Job, error) { return r.Store.Job(ctx, id) }

// Jobs are all of them, newest first.
func (r *Runner) Jobs(ctx context.Context) ([]Job, error) { return r.Store.Jobs(ctx) }

// Cancel stops a job where it is. What it did stays; Resume goes on. One that was stopped
// stays so; of one that is over it is ErrOver.
func (r *Runner) Cancel(ctx context.Context, by access.Actor, id string) error {
	_, err := r.move(ctx, by, id, "work.cancel", func(j *Job) error {
		switch {
		case j.State == Stopped:
			return errSame
		case !j.State.open():
			return ErrOver
		}
		j.State = Stopped
		return nil
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.running[id]; cancel != nil {
		cancel()
	}
	return nil
}

// Resume lets a job go on that was stopped or failed. One that runs does; of one that is
// done it is ErrOver.
func (r *Runner) Resume(ctx context.Context, by access.Actor, id string) error {
	j, err := r.move(ctx, by, id, "work.resume", func(j *Job) error {
		switch {
		case j.State.open():
			return errSame
		case j.State == Done:
			return ErrOver
		}
		j.State, j.Why = Waits, ""
		return nil
	})
	if err == nil {
		r.run(j)
	}
	return err
}

// errSame: a job is as it is to be.
var errSame = errors.New("work: nothing to do")

// move changes a job's state in the name of by. Its own progress may come between.
func (r *Runner) move(ctx context.Context, by access.Actor, id string, action access.Action, change func(*Job) error) (Job, error) {
	for {
		j, err := r.Store.Job(ctx, id)
		if err != nil {
			return j, err
		}
		if err := change(&j); errors.Is(err, errSame) {
			return j, nil
		} else if err != nil {
			return j, err
		}
		j.Seen = r.now()
		if j, err = r.Store.SaveJob(ctx, by, j, entry(action, &j)); !errors.Is(err, ErrStale) {
			return j, err
		}
	}
}

// run gives a job its turn, unless it has one: as soon as there is room.
func (r *Runner) run(j Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life == nil || r.life.Err() != nil {
		return
	}
	if _, runs := r.running[j.ID]; runs {
		return // when it ends it looks whether it is to go on
	}
	ctx, cancel := context.WithCancel(r.life)
	r.running[j.ID] = cancel
	r.all.Go(func() {
		defer func() { cancel() }()
		for {
			select {
			case r.slots <- struct{}{}:
				r.turn(ctx, j.ID)
				<-r.slots
			case <-ctx.Done():
			}
			cancel()
			if ctx, cancel = r.again(j.ID); ctx == nil {
				cancel = func() {}
				return
			}
		}
	})
}

// again is the life of a job's next turn, where it was resumed while the last one ended;
// else nil, and the job has no turn any more.
func (r *Runner) again(id string) (context.Context, context.CancelFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, id)
	if j, err := r.Store.Job(r.life, id); err != nil || j.State != Waits {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(r.life)
	r.running[id] = cancel
	return ctx, cancel
}

// turn does a job, or the rest of it, once.
func (r *Runner) turn(ctx context.Context, id string) {
	j, err := r.Store.Job(ctx, id)
	if err != nil || !j.State.open() {
		return // it was stopped while it waited
	}
	k, _ := r.kind(j.Kind)
	if r.refused(ctx, &j) {
		return
	}
	// By this a program that had the job before, and still lives, saves nothing more.
	j.State, j.Seen = Runs, r.now()
	if j, err = r.Store.SaveJob(ctx, j.By, j, nil); err != nil {
		r.log().Error("a job does not begin", "job", id, "kind", j.Kind, "code", access.ErrorCode(err))
		r.pause(ctx)
		return
	}
	t := &Turn{r, j}
	result, err := do(ctx, k, t)
	r.end(ctx, t, result, err)
}

// refused asks whether a job may still be done in whose name it is, and stops it where
// not. Where it cannot be asked, the job waits for the next turn.
func (r *Runner) refused(ctx context.Context, j *Job) bool {
	if r.Asker == nil {
		return false
	}
	err := r.Asker.Still(ctx, j.By, j.Act)
	switch {
	case err == nil:
		return false
	case !errors.Is(err, access.ErrNotAllowed):
		r.log().Error("nobody can say whether a job may go on", "job", j.ID, "kind", j.Kind, "code", access.ErrorCode(err))
		r.pause(ctx)
		return true
	}
	j.State, j.Why, j.Seen = Stopped, WordNotAllowed, r.now()
	if _, err := r.Store.SaveJob(ctx, runs, *j, entry("work.cancel", j)); err != nil && !errors.Is(err, ErrStale) {
		r.log().Error("a job is not stopped", "job", j.ID, "kind", j.Kind, "code", access.ErrorCode(err))
	}
	return true
}

// pause waits for what is in the way: another program writes, or the disk is full.
func (r *Runner) pause(ctx context.Context) {
	select {
	case <-time.After(beginAgain):
	case <-ctx.Done():
	}
}

// do is the work; what breaks in it breaks nothing else.
func do(ctx context.Context, k Kind, t *Turn) (result string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errBroke // what it says may be of a person
		}
	}()
	return k.Do(ctx, t)
}

var errBroke = access.LogCode("work: it broke")

// end keeps how a turn ended.
func (r *Runner) end(ctx context.Context, t *Turn, result string, err error) {
	keep := context.WithoutCancel(ctx)
	j := t.job
	j.Seen = r.now()
	var e *access.Entry
	switch {
	case err == nil:
		j.State, j.Result = Done, result
		if j.Total > 0 {
			j.Done = j.Total
		}
		e = entry("work.done", &j)
	case ctx.Err() != nil:
		j.State = Waits // for the next program; where somebody stopped it, that was saved before
	default:
		j.State = Failed
		var f *Fault
		if errors.As(err, &f) {
			j.Why = f.Word
		}
		e = entry("work.fail", &j)
	}
	_, saved := r.Store.SaveJob(keep, j.By, j, e)
	switch {
	case errors.Is(saved, ErrStale): // somebody stopped it, or another program has it
	case saved != nil:
		r.log().Error("how a job ended is not kept: it is done again", "job", j.ID, "kind", j.Kind, "code", access.ErrorCode(saved))
	case j.State == Failed:
		r.log().Error("a job failed", "job", j.ID, "kind", j.Kind, "code", access.ErrorCode(err))
	}
}
