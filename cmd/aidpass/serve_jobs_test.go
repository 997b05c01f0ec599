package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/web/console"
)

// A job that is cancelled stops, goes on where it was, and is another organisation's to
// nobody; the end of the room ends what runs.
func TestJobsStopAndGoOn(t *testing.T) {
	r := newJobRoom("own", slog.New(slog.DiscardHandler), scriptClock)
	by := access.Actor{ID: "lead", Role: access.Issuer}
	done, told := 0, make(chan int)
	do := func(ctx context.Context, _ access.Actor, progress func(int, int)) error {
		for done < 4 {
			select {
			case told <- done:
				done++
				progress(done, 4)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	job, err := r.start(console.Job{Act: access.BatchIssue, Word: "jobs.title"}, by, do)
	if err != nil {
		t.Fatal(err)
	}
	<-told
	<-told
	until := func(want console.JobState) console.Job {
		t.Helper()
		for range 500 {
			j, err := r.Show(t.Context(), "own", job.ID)
			if err != nil {
				t.Fatal(err)
			}
			if j.State == want {
				return j
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("the job never was %s", want)
		return console.Job{}
	}
	if err := r.Resume(t.Context(), "own", job.ID, by); !errors.Is(err, console.ErrConflict) {
		t.Errorf("going on while it runs: %v", err)
	}
	if _, err := r.Show(t.Context(), "other", job.ID); !errors.Is(err, console.ErrNotFound) {
		t.Errorf("another organisation's: %v", err)
	}
	if err := r.Cancel(t.Context(), "other", job.ID, by); !errors.Is(err, console.ErrNotFound) {
		t.Errorf("cancelled by another organisation: %v", err)
	}
	if err := r.Cancel(t.Context(), "own", job.ID, by); err != nil {
		t.Fatal(err)
	}
	if j := until(console.JobStopped); j.Done != 2 || j.Total != 4 {
		t.Errorf("stopped at %d of %d", j.Done, j.Total)
	}
	if err := r.Resume(t.Context(), "own", job.ID, access.Actor{ID: "other-lead"}); err != nil {
		t.Fatal(err)
	}
	<-told
	<-told
	if j := until(console.JobDone); j.Done != 4 || j.By != "other-lead" {
		t.Errorf("done: %+v", j)
	}
	bad, err := r.start(console.Job{Act: access.BatchIssue}, by, func(context.Context, access.Actor, func(int, int)) error { return errors.New("no") })
	if err != nil {
		t.Fatal(err)
	}
	job.ID = bad.ID
	until(console.JobFailed)
	slow, err := r.start(console.Job{Act: access.BatchIssue}, by, func(ctx context.Context, _ access.Actor, _ func(int, int)) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	r.close()
	job.ID = slow.ID
	until(console.JobStopped)
}
