package storagetest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/work"
)

func newJob(w *world, id string) work.Job {
	return work.Job{ID: id, Kind: "count", Act: access.BatchIssue, Word: "jobs.title", By: clerk, State: work.Waits, Args: []byte("Kanari-args"), Begun: w.now, Seen: w.now}
}

// testJobs: jobs are their organisation's, sealed; of two that have one job, one saves; each
// begin and end stands in the log.
func testJobs(t *testing.T, e Engine) {
	w := newWorld(t, e)
	begin := access.Entry{Action: "work.begin", Object: "j-1"}
	j, err := w.org.AddJob(ctx, newJob(w, "j-1"), begin, w.now)
	must(t, err)
	again := newJob(w, "j-1")
	again.Args = []byte("others")
	if have, err := w.org.AddJob(ctx, again, begin, w.now); err != nil || have.Version != j.Version || string(have.Args) != "Kanari-args" {
		t.Errorf("added twice: %+v, %v", have, err)
	}
	j.State, j.Progress, j.Done, j.Total = work.Runs, []byte("Kanari-place"), 4, 10
	saved, err := w.org.SaveJob(ctx, clerk, j, nil)
	must(t, err)
	if _, err := w.org.SaveJob(ctx, clerk, j, nil); !errors.Is(err, work.ErrStale) {
		t.Errorf("an old version is saved: %v", err)
	}
	got, err := w.org.Job(ctx, "j-1")
	must(t, err)
	if got.Version != saved.Version || got.Done != 4 || string(got.Progress) != "Kanari-place" || got.By != clerk || !got.Begun.Equal(j.Begun) {
		t.Errorf("kept: %+v", got)
	}
	missing := newJob(w, "j-none")
	if _, err := w.org.SaveJob(ctx, clerk, missing, nil); !errors.Is(err, work.ErrNoJob) {
		t.Errorf("what is not there is saved: %v", err)
	}
	if _, err := w.org.Job(ctx, "j-none"); !errors.Is(err, work.ErrNoJob) {
		t.Errorf("what is not there is read: %v", err)
	}
	elsewhere, err := w.db.CreateOrg(ctx, "org-else", random(32), clerk)
	must(t, err)
	if _, err := elsewhere.Job(ctx, "j-1"); !errors.Is(err, work.ErrNoJob) {
		t.Errorf("another organisation reads it: %v", err)
	}
	if list, err := elsewhere.Jobs(ctx); err != nil || len(list) != 0 {
		t.Errorf("another organisation lists %d, %v", len(list), err)
	}
	saved.State = work.Done
	_, err = w.org.SaveJob(ctx, clerk, saved, &access.Entry{Action: "work.done", Object: "j-1"})
	must(t, err)
	// What is over long enough goes when another begins; the log keeps telling of it.
	w.now = w.now.Add(time.Hour)
	_, err = w.org.AddJob(ctx, newJob(w, "j-2"), access.Entry{Action: "work.begin", Object: "j-2"}, w.now.Add(-time.Minute))
	must(t, err)
	list, err := w.org.Jobs(ctx)
	must(t, err)
	if len(list) != 1 || list[0].ID != "j-2" {
		t.Errorf("kept: %+v", list)
	}
	var told []access.Action
	must(t, w.org.Audit(ctx, func(en *access.Entry) error {
		if en.Object == "j-1" || en.Object == "j-2" {
			told = append(told, en.Action)
		}
		return nil
	}))
	if !slices.Equal(told, []access.Action{"work.begin", "work.done", "work.begin"}) {
		t.Errorf("the log tells %v", told)
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "*"))
	must(t, err)
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte("Kanari")) {
			t.Errorf("%s says what a job does", filepath.Base(f))
		}
	}
}
