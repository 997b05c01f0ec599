package work_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/internal/patience"
)

// memory is a work.Store.
type memory struct {
	mu   sync.Mutex
	list map[string]work.Job
	told []access.Action
}

func newMemory() *memory { return &memory{list: map[string]work.Job{}} }

func (m *memory) Job(ctx context.Context, id string) (work.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	j, ok := m.list[id]
	if !ok {
		return j, work.ErrNoJob
	}
	return j, ctx.Err()
}

func (m *memory) Jobs(context.Context) (list []work.Job, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, j := range m.list {
		list = append(list, j)
	}
	slices.SortFunc(list, func(a, b work.Job) int { return b.Begun.Compare(a.Begun) })
	return list, nil
}

func (m *memory) AddJob(_ context.Context, j work.Job, e access.Entry, _ time.Time) (work.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have, ok := m.list[j.ID]; ok {
		return have, nil
	}
	j.Version, m.told = 1, append(m.told, e.Action)
	m.list[j.ID] = j
	return j, nil
}

func (m *memory) SaveJob(ctx context.Context, _ access.Actor, j work.Job, e *access.Entry) (work.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return j, err
	}
	if m.list[j.ID].Version != j.Version {
		return j, work.ErrStale
	}
	j.Version++
	if e != nil {
		m.told = append(m.told, e.Action)
	}
	m.list[j.ID] = j
	return j, nil
}

var lead = access.Actor{ID: "lead", Role: access.Issuer}

// A counter counts to ten, and stops before each step until it is let on.
type counter struct {
	mu    sync.Mutex
	steps []int
	on    chan bool
}

func (c *counter) kind() work.Kind {
	return work.Kind{Act: access.BatchIssue, Word: "jobs.title", Do: func(ctx context.Context, t *work.Turn) (string, error) {
		from, _ := strconv.Atoi(string(t.Progress()))
		for n := from + 1; n <= 10; n++ {
			select {
			case <-c.on:
			case <-ctx.Done():
				return "", ctx.Err()
			}
			c.mu.Lock()
			c.steps = append(c.steps, n)
			c.mu.Unlock()
			if err := t.Save(ctx, []byte(strconv.Itoa(n)), n, 10); err != nil {
				return "", err
			}
		}
		return "/done/" + string(t.Args()), nil
	}}
}

func until(t *testing.T, r *work.Runner, id string, what string, is func(work.Job) bool) work.Job {
	t.Helper()
	var j work.Job
	if !patience.For(func() bool {
		var err error
		if j, err = r.Job(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		return is(j)
	}) {
		t.Fatalf("never %s: %+v", what, j)
	}
	return j
}

func state(s work.State) func(work.Job) bool { return func(j work.Job) bool { return j.State == s } }

// A job outlives the request that began it, its cancel leaves what was done, and resumed
// it goes on there, with every step done once.
func TestAJobStopsAndGoesOn(t *testing.T) {
	m, c := newMemory(), &counter{on: make(chan bool)}
	r := &work.Runner{Store: m}
	r.Handle("count", c.kind())
	life, end := context.WithCancel(t.Context())
	if err := r.Begin(life); err != nil {
		t.Fatal(err)
	}
	request, over := context.WithCancel(t.Context())
	j, err := r.Start(request, lead, work.New{Kind: "count", Key: "approval-1", Args: []byte("b7"), Total: 10})
	if err != nil {
		t.Fatal(err)
	}
	over() // the browser went away, and who was in it signed out
	for range 4 {
		c.on <- true
	}
	until(t, r, j.ID, "at 4", func(j work.Job) bool { return j.Done == 4 && j.State == work.Runs })
	if err := r.Cancel(t.Context(), access.Actor{ID: "boss", Role: access.OrgAdmin}, j.ID); err != nil {
		t.Fatal(err)
	}
	if again, err := r.Start(t.Context(), lead, work.New{Kind: "count", Key: "approval-1", Args: []byte("b7")}); err != nil || again.ID != j.ID || again.State != work.Stopped {
		t.Errorf("started twice: %+v, %v", again, err)
	}
	for range 3 { // each cancel and resume in any order, also while a turn still ends
		if err := errors.Join(r.Resume(t.Context(), lead, j.ID), r.Cancel(t.Context(), lead, j.ID)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.Resume(t.Context(), lead, j.ID), r.Resume(t.Context(), lead, j.ID)); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		c.on <- true
	}
	got := until(t, r, j.ID, "done", state(work.Done))
	if got.Result != "/done/b7" || got.Done != 10 || got.By != lead {
		t.Errorf("done: %+v", got)
	}
	if !slices.Equal(c.steps, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Errorf("steps %v", c.steps)
	}
	if err := r.Cancel(t.Context(), lead, j.ID); !errors.Is(err, work.ErrOver) {
		t.Errorf("cancelled after its end: %v", err)
	}
	if err := r.Resume(t.Context(), lead, "none"); !errors.Is(err, work.ErrNoJob) {
		t.Errorf("resumed what is not there: %v", err)
	}
	want := []access.Action{"work.begin", "work.cancel", "work.resume", "work.cancel", "work.resume", "work.cancel", "work.resume", "work.cancel", "work.resume", "work.done"}
	if !slices.Equal(m.told, want) {
		t.Errorf("the log tells %v", m.told)
	}
	end()
	r.Wait()
}

// A server that stops lets its jobs wait for the next one; one that is killed writes
// nothing, and the next one has them all the same. What still lives of it saves nothing.
func TestAStopAndAKill(t *testing.T) {
	m := newMemory()
	begin := func() (*work.Runner, *counter, context.CancelFunc) {
		c := &counter{on: make(chan bool)}
		r := &work.Runner{Store: m}
		r.Handle("count", c.kind())
		life, end := context.WithCancel(t.Context())
		if err := r.Begin(life); err != nil {
			t.Fatal(err)
		}
		return r, c, end
	}
	first, c1, stop := begin()
	j, err := first.Start(t.Context(), lead, work.New{Kind: "count"})
	if err != nil {
		t.Fatal(err)
	}
	c1.on <- true
	until(t, first, j.ID, "at 1", func(j work.Job) bool { return j.Done == 1 })
	stop()
	first.Wait()
	until(t, first, j.ID, "waiting", state(work.Waits))

	second, c2, stop2 := begin()
	c2.on <- true
	until(t, second, j.ID, "at 2", func(j work.Job) bool { return j.Done == 2 })
	// The second is as good as dead: it hangs. A third takes over.
	third, c3, stop3 := begin()
	c3.on <- true
	until(t, third, j.ID, "at 3", func(j work.Job) bool { return j.Done == 3 })
	c2.on <- true // the dead one does its step again: it is told to end
	second.Wait()
	for range 7 {
		c3.on <- true
	}
	until(t, third, j.ID, "done", state(work.Done))
	if !slices.Equal(c3.steps, []int{3, 4, 5, 6, 7, 8, 9, 10}) || !slices.Equal(c2.steps, []int{2, 3}) {
		t.Errorf("steps %v and %v", c2.steps, c3.steps)
	}
	stop2()
	stop3()
	third.Wait()
}

// What fails says why, in words of the pages where it has any; what breaks breaks alone.
func TestAJobThatFails(t *testing.T) {
	m, tries := newMemory(), 0
	var log bytes.Buffer
	r := &work.Runner{Store: m, Log: slog.New(slog.NewTextHandler(&log, nil))}
	r.Handle("sign", work.Kind{Act: access.BatchIssue, Word: "jobs.title", Do: func(context.Context, *work.Turn) (string, error) {
		if tries++; tries == 1 {
			return "", &work.Fault{Word: "fault.full", Err: errors.New("row 7, Zuhura Bakari: no room")}
		}
		if tries == 2 {
			panic("Halima, born 1988-03-04")
		}
		return "", nil
	}})
	if err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	j, err := r.Start(t.Context(), lead, work.New{Kind: "sign"})
	if err != nil {
		t.Fatal(err)
	}
	if got := until(t, r, j.ID, "failed", state(work.Failed)); got.Why != "fault.full" {
		t.Errorf("why: %q", got.Why)
	}
	if err := r.Resume(t.Context(), lead, j.ID); err != nil {
		t.Fatal(err)
	}
	if got := until(t, r, j.ID, "failed again", state(work.Failed)); got.Why != "" {
		t.Errorf("why: %q", got.Why)
	}
	if err := r.Resume(t.Context(), lead, j.ID); err != nil {
		t.Fatal(err)
	}
	until(t, r, j.ID, "done", state(work.Done))
	r.Wait()
	if said := log.String(); strings.Contains(said, "Halima") || strings.Contains(said, "goroutine") || !strings.Contains(said, "broke") || strings.Count(said, j.ID) != 2 {
		t.Errorf("the log says what broke: %s", said)
	}
	if _, err := r.Start(t.Context(), lead, work.New{Kind: "nothing"}); err == nil {
		t.Error("a kind that nobody does was started")
	}
	if strings.Contains(log.String(), "Zuhura") || !strings.Contains(log.String(), "*work.Fault *errors.errorString") {
		t.Errorf("the log tells whose row it was, or no code:\n%s", log.String())
	}
}

// door is a work.Asker.
type door struct{ err atomic.Value }

func (d *door) Still(_ context.Context, who access.Actor, a access.Act) error {
	if who != lead || a != access.BatchIssue {
		return errors.New("another was asked for")
	}
	return d.err.Load().(answer).err
}

type answer struct{ err error }

// A job whose account was closed, or lost the role, while it waited does nothing, and goes
// on when somebody says so after the account may again.
func TestAJobOfWhoMayNotAnyMore(t *testing.T) {
	m, d, ran := newMemory(), &door{}, 0
	d.err.Store(answer{fmt.Errorf("closed: %w", access.ErrNotAllowed)})
	r := &work.Runner{Store: m, Asker: d}
	r.Handle("sign", work.Kind{Act: access.BatchIssue, Word: "jobs.title", Do: func(context.Context, *work.Turn) (string, error) { ran++; return "", nil }})
	j, err := r.Start(t.Context(), lead, work.New{Kind: "sign"}) // by the program before
	if err != nil {
		t.Fatal(err)
	}
	life, end := context.WithCancel(t.Context())
	if err := r.Begin(life); err != nil {
		t.Fatal(err)
	}
	if got := until(t, r, j.ID, "stopped", state(work.Stopped)); got.Why != work.WordNotAllowed || ran != 0 {
		t.Errorf("why: %q, %d turns", got.Why, ran)
	}
	d.err.Store(answer{})
	if err := r.Resume(t.Context(), lead, j.ID); err != nil {
		t.Fatal(err)
	}
	if got := until(t, r, j.ID, "done", state(work.Done)); got.Why != "" {
		t.Errorf("why: %q", got.Why)
	}
	end()
	r.Wait()
	if !slices.Equal(m.told, []access.Action{"work.begin", "work.cancel", "work.resume", "work.done"}) || ran != 1 {
		t.Errorf("%d turns, and the log tells %v", ran, m.told)
	}
}
