package console_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"

	"aidpass/access"
	"aidpass/web/console"
)

// jobs are console.Jobs in memory.
type jobs struct {
	mu   sync.Mutex
	list map[string]console.Job
}

func (j *jobs) add(org string, act access.Act) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	id := "j-" + name()
	j.list[id] = console.Job{ID: id, Org: org, Act: act, Word: "jobs.title", State: console.JobStopped, Done: 3, Total: 10, By: "boss", Begun: now, Seen: now}
	return id
}

func (j *jobs) set(id string, state console.JobState, done int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	job := j.list[id]
	job.State, job.Done = state, done
	j.list[id] = job
}

func (j *jobs) List(_ context.Context, org string) (list []console.Job, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, job := range j.list {
		if job.Org == org {
			list = append(list, job)
		}
	}
	return list, nil
}

func (j *jobs) Show(_ context.Context, org, id string) (console.Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	job, ok := j.list[id]
	if !ok || job.Org != org {
		return job, console.ErrNotFound
	}
	return job, nil
}

func (j *jobs) Cancel(_ context.Context, org, id string, by access.Actor) error {
	j.set(id, console.JobStopped, 5)
	return by.Check()
}

func (j *jobs) Resume(_ context.Context, org, id string, by access.Actor) error {
	j.set(id, console.JobRuns, 5)
	return by.Check()
}

// things are a screen of the tests' own: a list with pages, one thing, an act that
// wants a fresh proof, an act on many and one that can be undone.
type things struct{ w *world }

// thingData is what its pages show.
type thingData struct{ Do, Request, Detail string }

type thing struct{ id, org, name string }

func (w *world) thing(org, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := "t-" + strings.ToLower(rand.Text()[:10])
	w.things[id] = thing{id, org, name}
	return id
}

func (s *things) Routes() []console.Route {
	return []console.Route{
		{Method: "GET", Path: "/things", Act: access.PersonFind, Menu: "home.menu", Query: []console.Field{console.Text("q", 40)}, Paged: true, Sorts: []string{"name"}, Answer: thingData{}, Handler: s.list},
		{Method: "POST", Path: "/things", Act: access.PersonErase, Form: console.ConfirmFields(console.Many("id", 40, 200)), Handler: s.many},
		{Method: "POST", Path: "/things/gone", Act: access.PersonEdit, Form: console.ConfirmFields(console.Many("id", 40, 200)), Handler: s.many},
		{Method: "GET", Path: "/things/:thing", Act: access.PersonRead, Answer: thingData{}, Handler: s.show},
		{Method: "POST", Path: "/things/:thing/name", Act: access.PersonEdit, Form: []console.Field{console.Text("name", 40)}, Handler: s.rename},
		{Method: "POST", Path: "/things/export", Act: access.ExportMake, Form: []console.Field{console.Text("reason", 40)}, Answer: console.Sends("text/csv; charset=utf-8"), Handler: s.export},
		{Method: "POST", Path: "/things/rows", Act: access.PersonFind, Form: []console.Field{console.Text("reason", 40)}, Answer: console.Sends("text/csv; charset=utf-8"), Handler: s.export},
		{Method: "POST", Path: "/things/:thing/erase", Act: access.CardRevoke, Form: []console.Field{console.Text("why", 40), console.Secret("pin", 9)}, Handler: s.erase},
	}
}

func (s *things) Needs(_ context.Context, in *access.Session) ([]console.Need, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	n := 0
	for _, t := range s.w.things {
		if t.org == in.Account.Org {
			n++
		}
	}
	return []console.Need{{Word: "confirm.type", Count: n, Path: "/things", Since: now}}, s.w.err
}

func (s *things) of(p *console.Page) []thing {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var list []thing
	for _, t := range s.w.things {
		if t.org == p.Org() && strings.Contains(t.name, p.Query.Get("q")) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b thing) int { return strings.Compare(a.id, b.id) })
	return list
}

func (s *things) export(p *console.Page) error {
	var b strings.Builder
	all := s.of(p)
	for _, t := range all {
		b.WriteString(t.id + "\r\n")
	}
	return p.Export(console.Export{Reason: p.Form.Get("reason"), Rows: len(all), Name: "things.csv", Mime: "text/csv; charset=utf-8", Body: []byte(b.String())})
}

func (s *things) find(p *console.Page) (thing, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	t := s.w.things[p.Param("thing")]
	if s.w.err != nil {
		return t, s.w.err
	}
	if t.org != p.Org() {
		return t, console.ErrNotFound
	}
	return t, nil
}

func (s *things) list(p *console.Page) error {
	all := s.of(p)
	g := p.Paging(len(all))
	var b strings.Builder
	for _, t := range all[g.Offset():min(len(all), g.Offset()+g.Size)] {
		b.WriteString(t.id + " " + t.name + "\n")
	}
	return p.Show("fault", "home.title", thingData{fmt.Sprintf("page %d of %d rows\n%s", g.Page, g.Size, b.String()), p.Link("/things"), ""})
}

func (s *things) show(p *console.Page) error {
	t, err := s.find(p)
	if err != nil {
		return err
	}
	return p.Show("fault", "confirm.type", thingData{t.name, t.id, ""}, "count", t.name)
}

func (s *things) rename(p *console.Page) error {
	t, err := s.find(p)
	if err != nil {
		return err
	}
	s.w.mu.Lock()
	before := t.name
	t.name = p.Form.Get("name")
	s.w.things[t.id] = t
	s.w.mu.Unlock()
	return p.Done("/things/"+t.id, console.Note{Word: "confirm.type", Fill: []any{"count", t.name}, Undo: &console.Undo{Path: "/things/" + t.id + "/name", Fields: map[string]string{"name": before}}})
}

func (s *things) erase(p *console.Page) error {
	t, err := s.find(p)
	if err != nil {
		return err
	}
	s.w.mu.Lock()
	delete(s.w.things, t.id)
	s.w.mu.Unlock()
	return p.Done("/things", console.Note{Word: "confirm.type", Fill: []any{"count", p.Form.Get("why")}})
}

// many erases those that are named: all or none.
func (s *things) many(p *console.Page) error {
	ids := p.Form.All("id")
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, id := range ids {
		if s.w.things[id].org != p.Org() {
			return console.ErrNotFound
		}
	}
	if !p.Confirmed(len(ids)) {
		return p.Confirm("home.title", console.Confirm{Says: p.T("confirm.type", "count", len(ids)), Can: len(ids), Path: p.Route.Path, Back: "/things", Many: map[string][]string{"id": ids}, Do: p.T("frame.undo")})
	}
	for _, id := range ids {
		delete(s.w.things, id)
	}
	return p.Go("/things")
}

// screen is one of routes alone.
type screen []console.Route

func (s screen) Routes() []console.Route { return s }

func (s screen) Needs(context.Context, *access.Session) ([]console.Need, error) {
	return nil, nil
}
