package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"aidpass/access"
	"aidpass/access/work"
)

// A JobState is how far long work has come.
type JobState string

// The states of a job. A stopped one goes on where it was when it is resumed.
const (
	JobWaits   JobState = "waits"
	JobRuns    JobState = "runs"
	JobStopped JobState = "stopped" // cancelled, or by a stop of the server
	JobDone    JobState = "done"
	JobFailed  JobState = "failed"
)

// A Job is long work, such as the signing of a thousand cards.
type Job struct {
	ID, Org     string
	Act         access.Act // that it is part of: who may do that sees the job
	Word        string     // key of what it is called
	State       JobState
	Done, Total int    // rows; Total may be 0: not known yet
	By          string // account
	Begun, Seen time.Time
	Result      string // path below Root where its outcome is; may be empty
	Why         string // key of a sentence about a failure; may be empty
}

// Jobs are the long work of organisations. What is not there, or another
// organisation's, is ErrNotFound.
type Jobs interface {
	List(ctx context.Context, org string) ([]Job, error) // newest first
	Show(ctx context.Context, org, id string) (Job, error)
	Cancel(ctx context.Context, org, id string, by access.Actor) error
	Resume(ctx context.Context, org, id string, by access.Actor) error
}

// A Workshop is Jobs of one organisation's work.Runner.
type Workshop struct {
	Org    string
	Runner *work.Runner
}

// List implements Jobs.
func (w *Workshop) List(ctx context.Context, org string) (list []Job, err error) {
	if org != w.Org {
		return nil, nil
	}
	all, err := w.Runner.Jobs(ctx)
	for _, j := range all {
		list = append(list, w.job(j))
	}
	return list, err
}

func (w *Workshop) job(j work.Job) Job {
	return Job{ID: j.ID, Org: w.Org, Act: j.Act, Word: j.Word, State: JobState(j.State), Done: j.Done, Total: j.Total, By: j.By.ID, Begun: j.Begun, Seen: j.Seen, Result: j.Result, Why: j.Why}
}

// Show implements Jobs.
func (w *Workshop) Show(ctx context.Context, org, id string) (Job, error) {
	if org != w.Org {
		return Job{}, ErrNotFound
	}
	j, err := w.Runner.Job(ctx, id)
	return w.job(j), workError(err)
}

// Cancel implements Jobs.
func (w *Workshop) Cancel(ctx context.Context, org, id string, by access.Actor) error {
	if org != w.Org {
		return ErrNotFound
	}
	return workError(w.Runner.Cancel(ctx, by, id))
}

// Resume implements Jobs.
func (w *Workshop) Resume(ctx context.Context, org, id string, by access.Actor) error {
	if org != w.Org {
		return ErrNotFound
	}
	return workError(w.Runner.Resume(ctx, by, id))
}

func workError(err error) error {
	switch {
	case errors.Is(err, work.ErrNoJob):
		return ErrNotFound
	case errors.Is(err, work.ErrOver):
		return ErrConflict
	}
	return err
}

// jobs are the pages of long work.
type jobs struct{ *Console }

func (j *jobs) Routes() []Route {
	if j.Jobs == nil {
		return nil
	}
	return []Route{
		{Method: http.MethodGet, Path: "/jobs", Act: Staff, Program: true, Answer: jobList{}, Menu: "jobs.menu", Paged: true, Handler: j.list},
		{Method: http.MethodGet, Path: "/jobs/:job", Act: Staff, Program: true, Answer: Job{}, Handler: j.show},
		{Method: http.MethodGet, Path: "/jobs/:job/live", Act: Staff, Handler: j.live},
		{Method: http.MethodPost, Path: "/jobs/:job/cancel", Act: Staff, Program: true, Handler: j.cancel},
		{Method: http.MethodPost, Path: "/jobs/:job/resume", Act: Staff, Program: true, Handler: j.resume},
	}
}

// Needs are jobs of this account that came to no end.
func (j *jobs) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if j.Jobs == nil {
		return nil, nil
	}
	all, err := j.Jobs.List(ctx, in.Account.Org)
	n := Need{Word: "jobs.need", Path: "/jobs"}
	for _, job := range all {
		if (job.State == JobFailed || job.State == JobStopped) && job.By == in.Account.ID {
			n.Count++
			n.Since = job.Seen
		}
	}
	return []Need{n}, err
}

type jobsData struct {
	Job    Job
	Rows   []Job
	Paging *Paging
	Active bool // it may still move
}

type jobList struct {
	Rows   []Job
	Paging *Paging
}

// Programs implements forProgram.
func (d jobsData) Programs() any {
	if d.Paging != nil {
		return jobList{d.Rows, d.Paging}
	}
	return d.Job
}

func (j *jobs) list(p *Page) error {
	all, err := j.Jobs.List(p.Context(), p.Org())
	if err != nil {
		return err
	}
	var seen []Job
	for _, job := range all {
		if p.May(string(job.Act)) {
			seen = append(seen, job)
		}
		if job.State == JobRuns || job.State == JobWaits {
			p.Every = 10
		}
	}
	d := jobsData{Paging: p.Paging(len(seen))}
	d.Rows = seen[d.Paging.Offset():min(len(seen), d.Paging.Offset()+d.Paging.Size)]
	return p.Show("jobs", "jobs.title", d)
}

// find is the job of the path. Who may not do what it does is told that it is not there.
func (j *jobs) find(p *Page) (Job, error) {
	job, err := j.Jobs.Show(p.Context(), p.Org(), p.Param("job"))
	if err != nil {
		return job, err
	}
	if job.Org != p.Org() || !p.May(string(job.Act)) {
		return job, ErrNotFound
	}
	return job, nil
}

func (j *jobs) show(p *Page) error {
	job, err := j.find(p)
	if err != nil {
		return err
	}
	d := jobsData{Job: job, Active: job.State == JobRuns || job.State == JobWaits}
	if d.Active {
		p.Every, p.Live = 5, true
	}
	return p.Show("job", job.Word, d)
}

// A stream of a job's progress ends by itself: a browser asks again, and is asked again
// who it is. So a role taken away ends it, and a server that stops is not held up.
const (
	liveLife  = 10 * time.Second
	liveEvery = 500 * time.Millisecond
)

// live tells how a job goes on as events, for pages with script (HTML, server-sent events).
func (j *jobs) live(p *Page) error {
	job, err := j.find(p)
	if err != nil {
		return err
	}
	w := p.c.Response()
	w.Header().Set("Content-Type", eventMedia)
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	end := time.NewTimer(liveLife)
	defer end.Stop()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	fmt.Fprint(w, "retry: 1000\n\n")
	for {
		data, err := json.Marshal(map[string]any{"state": job.State, "done": job.Done, "total": job.Total, "says": p.T("jobs.progress", "done", job.Done, "total", job.Total)})
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "data: %s\n\n", data)
		if control.Flush() != nil {
			return nil
		}
		if job.State != JobRuns && job.State != JobWaits {
			return nil
		}
		select {
		case <-tick.C:
		case <-end.C:
			return nil
		case <-p.Context().Done():
			return nil
		}
		if job, err = j.find(p); err != nil {
			return nil // the answer has begun: asking again tells it
		}
	}
}

func (j *jobs) cancel(p *Page) error { return j.act(p, j.Jobs.Cancel, "jobs.cancelled") }
func (j *jobs) resume(p *Page) error { return j.act(p, j.Jobs.Resume, "jobs.resumed") }

func (j *jobs) act(p *Page, do func(context.Context, string, string, access.Actor) error, word string) error {
	job, err := j.find(p)
	if err != nil {
		return err
	}
	if err := p.In.Check(job.Act, j.Now()); err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error { return do(ctx, p.Org(), job.ID, p.In.Actor(job.Act)) })
	if err != nil {
		return err
	}
	return p.Done("/jobs/"+job.ID, Note{Word: word})
}
