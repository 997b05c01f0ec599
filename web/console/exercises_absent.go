package console

import (
	"context"
	"encoding/hex"
	"html/template"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
)

type absentData struct {
	exerciseView
	Standing string        `json:"standing"` // of those shown; empty: of any
	Counts   []standingRow `json:"counts"`
	Rows     []absentRow   `json:"absent"`
	Paging   *Paging       `json:"paging"`

	Due   int        `json:"-"`
	Asked []askedRow `json:"-"`
}

// A standingRow counts the absent of one standing.
type standingRow struct {
	Standing exercise.Standing `json:"standing"`
	Count    int               `json:"count"`
	Here     bool              `json:"-"`
}

// An absentRow is one that nobody met.
type absentRow struct {
	Unit     string            `json:"unit"`
	Name     string            `json:"name"`
	Number   string            `json:"number"`
	Standing exercise.Standing `json:"standing"`
	Noticed  string            `json:"noticed"`
	Until    string            `json:"until"`
	Appealed string            `json:"appealed"`
}

// Called is a name, or else a number.
func (r absentRow) Called() string { return unitRow{Name: r.Name, Number: r.Number}.Called() }

// An absentee is one that nobody met, as she stood when it was counted.
type absentee struct {
	unit     registry.ID
	standing exercise.Standing
}

// absentKept are the absent of one exercise, in their order.
type absentKept struct {
	at    time.Time
	state exercise.State
	done  string // exercise.Exercise.Done
	list  []absentee
}

// absentFor is how long the order of the absent and their counts stand: to find them is to read
// everybody who was invited. The rows of a page are read when it is shown.
const absentFor = time.Minute

// absentees are those whom nobody met, as of a minute ago where nothing was done here since.
func (s *Exercises) absentees(ctx context.Context, e *exercise.Exercise) ([]absentee, error) {
	now := s.Now()
	s.mu.Lock()
	kept, ok := s.missing[e.Code]
	s.mu.Unlock()
	if ok && kept.state == e.State && kept.done == e.Done && now.Sub(kept.at) < absentFor && !now.Before(kept.at) && kept.at.UTC().Day() == now.UTC().Day() {
		return kept.list, nil
	}
	list, err := s.Desk.Absent(ctx, e.Code)
	if err != nil {
		return nil, err
	}
	kept = absentKept{at: now, state: e.State, done: e.Done, list: make([]absentee, len(list))}
	for i := range list {
		kept.list[i] = absentee{list[i].Unit, list[i].Standing}
	}
	s.mu.Lock()
	if s.missing == nil {
		s.missing, s.waiting = map[string]absentKept{}, map[string]exerciseWait{}
	}
	s.missing[e.Code] = kept
	s.waiting[e.Code] = waitOf(e, now.UTC().Format(time.DateOnly), kept.list)
	s.mu.Unlock()
	return kept.list, nil
}

// absent shows those that nobody met, with where each stands.
func (s *Exercises) absent(p *Page) error {
	e, err := s.Desk.Find(p.Context(), p.Param("exercise"))
	if err != nil {
		return exerciseFault(err)
	}
	var all []absentee // who is absent is known when it is closed
	if view := viewOfExercise(&e); view.Over() {
		if all, err = s.absentees(p.Context(), &e); err != nil {
			return exerciseFault(err)
		}
	}
	d := absentData{exerciseView: viewOfExercise(&e), Standing: p.Query.Get("standing"), Counts: []standingRow{}, Rows: []absentRow{}}
	if d.Standing != "" && !slices.Contains(exercise.Standings(), exercise.Standing(d.Standing)) {
		return errFields
	}
	counts := map[exercise.Standing]int{}
	for i := range all {
		counts[all[i].standing]++
	}
	for _, st := range exercise.Standings() {
		if counts[st] > 0 {
			d.Counts = append(d.Counts, standingRow{st, counts[st], string(st) == d.Standing})
		}
	}
	d.Due = counts[exercise.Due]
	var ids []registry.ID
	for i := range all {
		if d.Standing == "" || string(all[i].standing) == d.Standing {
			ids = append(ids, all[i].unit)
		}
	}
	d.Paging = p.Paging(len(ids))
	ids = ids[d.Paging.Offset():min(len(ids), d.Paging.Offset()+d.Paging.Size)]
	list, err := s.Desk.Where(p.Context(), e.Code, ids)
	if err != nil {
		return exerciseFault(err)
	}
	ids = ids[:0]
	for i := range list {
		ids = append(ids, list[i].Unit)
	}
	lines, err := s.People.Lines(p.Context(), p.Actor(), access.Entry{Action: "exercise.read", Object: e.Code}, ids)
	if err != nil {
		return exerciseFault(err)
	}
	for i := range list {
		a := &list[i]
		r := absentRow{Unit: a.Unit.String(), Standing: a.Standing, Noticed: a.Noticed, Until: a.Until, Appealed: a.Appealed}
		for k := range lines {
			if lines[k].ID == a.Unit {
				r.Name, r.Number = lines[k].Name.Text, strings.TrimSpace(lines[k].Number)
			}
		}
		d.Rows = append(d.Rows, r)
	}
	if d.Asked, err = p.asked(e.Code, access.ExerciseSettle); err != nil {
		return err
	}
	return p.Show("exercises_absent", "exercises.absent", d, "code", e.Code)
}

// notice keeps that everybody was told who was not seen and not told yet.
func (s *Exercises) notice(p *Page) error {
	code, on, how := p.Param("exercise"), p.Form.Get("on"), p.Form.Get("how")
	list, err := s.Desk.Absent(p.Context(), code)
	if err != nil {
		return exerciseFault(err)
	}
	n := 0
	for i := range list {
		if list[i].Standing == exercise.Unnoticed {
			n++
		}
	}
	if n == 0 {
		return BadForm("exercises.nobody_untold")
	}
	if !slices.Contains(exercise.Notices(), how) {
		return BadForm("exercises.refused", "why", Said("exercises.why_notice"))
	}
	if !p.Confirmed(n) {
		return p.Confirm("exercises.notice", Confirm{Says: p.T("exercises.would_tell", "count", n, "how", p.Word("exercises.by_", how), "day", p.Day(on)), Can: n, Path: "/exercises/of/" + code + "/notice",
			Back: "/exercises/of/" + code + "/notice", Fields: map[string]string{"on": on, "how": how}, Do: p.T("exercises.keep_notice")})
	}
	err = p.Do(func(ctx context.Context) error {
		n, err = s.Desk.Notice(ctx, p.Actor(), code, nil, on, how)
		return err
	})
	if err != nil {
		return exerciseFault(err)
	}
	s.changed(code)
	return p.Done("/exercises/of/"+code+"/absent", Note{Word: "exercises.told", Fill: []any{"count", n}})
}

// settle asks that a second account agrees that those become inactive whose time is over.
func (s *Exercises) settle(p *Page) error {
	code := p.Param("exercise")
	plan, err := s.Desk.Propose(p.Context(), code)
	if err != nil {
		return exerciseFault(err)
	}
	n := len(plan.Units)
	if n == 0 {
		return BadForm("exercises.nobody_due")
	}
	reason := p.Form.Get("reason")
	if !p.Confirmed(n) {
		c := Confirm{Says: p.T("exercises.would_settle", "count", n), Can: n, Path: "/exercises/of/" + code + "/settle", Back: "/exercises/of/" + code + "/absent",
			Fields: map[string]string{"reason": reason}, Do: p.T("exercises.ask_settle")}
		for _, st := range exercise.Standings() {
			if k := plan.Counts[st]; k > 0 && st != exercise.Due {
				c.Cannot = append(c.Cannot, Reason{p.Word("exercises.standing_", st), k})
			}
		}
		return p.Confirm("exercises.do_settle", c)
	}
	payload, err := plan.Payload()
	if err == nil {
		err = p.Do(func(ctx context.Context) error {
			_, err := s.Door.Ask(ctx, p.In, access.Request{Act: access.ExerciseSettle, Object: code, Payload: payload, Reason: reason})
			return err
		})
	}
	if err != nil {
		return exerciseFault(err)
	}
	return p.Done("/exercises/of/"+code+"/absent", Note{Word: "exercises.settle_asked", Fill: []any{"count", n}})
}

// mostNamed are named to a second account beside the request; its page leads to all of them.
const mostNamed = 20

// Tell implements Teller: the second account reads who they are.
func (s *Exercises) Tell(p *Page, a access.Approval) ([]template.HTML, error) {
	if a.Act != access.ExerciseSettle {
		return nil, nil
	}
	code, n, digest, err := exercise.ReadPayload(a.Payload)
	if err != nil {
		return nil, err
	}
	says := []template.HTML{p.T("exercises.tell", "count", n, "code", code)}
	if a.State != access.Waiting || !p.May(string(access.ExerciseRead)) {
		return says, nil
	}
	plan, err := s.Desk.Propose(p.Context(), code)
	if err != nil {
		return nil, err
	}
	if len(plan.Units) != n || plan.Digest != digest {
		return append(says, p.T("exercises.tell_changed")), nil
	}
	named := plan.Units[:min(n, mostNamed)]
	lines, err := s.People.Lines(p.Context(), p.In.Actor(access.ExerciseRead), access.Entry{Action: "exercise.read", Object: code, Detail: "approval=" + hex.EncodeToString(digest[:4])}, named)
	if err != nil {
		return nil, err
	}
	for i := range lines {
		says = append(says, p.T("exercises.tell_who", "name", unitRow{Name: lines[i].Name.Text}.Called(), "number", strings.TrimSpace(lines[i].Number)))
	}
	if n > len(named) {
		says = append(says, p.T("exercises.tell_more", "count", n-len(named)))
	}
	return says, nil
}

// Where implements Pointer.
func (s *Exercises) Where(p *Page, a access.Approval) string {
	if a.Act != access.ExerciseSettle || !p.May(string(access.ExerciseRead)) {
		return ""
	}
	return "/exercises/of/" + a.Object + "/absent?standing=" + string(exercise.Due)
}

// Reach implements Reacher.
func (s *Exercises) Reach(a access.Approval) int {
	if a.Act != access.ExerciseSettle {
		return 0
	}
	_, n, _, err := exercise.ReadPayload(a.Payload)
	if err != nil {
		return 0
	}
	return n
}
