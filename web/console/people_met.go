package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// meetings are the routes on which it is kept that somebody of a record was met.
func (s *People) meetings() (list []Route) {
	for _, k := range []*recordKind{&aPerson, &aHousehold} {
		list = append(list, Route{Method: http.MethodPost, Path: k.path + "/:" + k.name + "/met", Act: access.ExerciseMark, Form: []Field{Text("how", 16), Text("on", 10)}, Handler: func(p *Page) error {
			id, err := s.id(p, k)
			if err != nil {
				return err
			}
			return s.fault(s.met(p, k, id))
		}})
	}
	return list
}

func (s *People) met(p *Page, k *recordKind, id registry.ID) error {
	on := s.Desk.Now().UTC()
	if day := p.Form.Get("on"); day != "" && day != on.Format(time.DateOnly) {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return BadForm("people.bad_days")
		}
		on = at
	}
	err := p.Do(func(ctx context.Context) error {
		return s.Desk.Meet(ctx, p.Actor(), id, k.kind, registry.How(p.Form.Get("how")), on.Truncate(time.Second))
	})
	if err != nil {
		return err
	}
	return p.Done(k.path+"/"+id.String(), Note{Word: "exercises.met_kept"})
}

// A metView is the last meeting, as a record's page tells it: when and how, and not where.
type metView struct {
	How string
	At  time.Time
}

// Hows are the ways in which people are met.
func (d *peopleData) Hows() (list []string) {
	for _, h := range registry.Hows() {
		list = append(list, string(h))
	}
	return list
}

// Today is the day of the page.
func (d *peopleData) Today() string { return d.now.UTC().Format(time.DateOnly) }

// lastMet is the last meeting of a record; nil where none is known.
func (s *People) lastMet(ctx context.Context, id registry.ID) (*metView, error) {
	m, ok, err := s.Desk.LastMet(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	return &metView{string(m.How), m.At}, nil
}

// Fields of the form of a record that was opened from an exercise, where who saves goes back.
func backFields() []Field { return []Field{Text("exercise", 24)} }

// backTo is where somebody goes on who corrected a record in an exercise: the page of who
// stands there, with what was changed; empty for who did not come from one.
func backTo(p *Page, f Form, id registry.ID, set []string) string {
	code := f.Get("exercise")
	if code == "" || strings.ContainsAny(code, "/?#%.") || !p.May(string(access.ExerciseMark)) {
		return ""
	}
	at := "/exercises/of/" + url.PathEscape(code) + "/units/" + id.String()
	if len(set) > 0 {
		set = slices.Clone(set)
		slices.Sort(set)
		at += "?" + url.Values{"changed": {strings.Join(set, " ")}}.Encode()
	}
	return at
}
