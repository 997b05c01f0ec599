package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/rollcall"
)

// Exercises are the pages of verification: who is invited, what desks say of each, their
// lists and reports, and what becomes of those whom nobody saw.
type Exercises struct {
	Desk   *exercise.Desk
	Lists  *rollcall.Desk
	People *records.Desk
	Cards  CardsDesk // nil: codes of cards are not read here
	Door   *access.Door
	Ask    func() (string, error) // line that says whom to ask; nil: any help desk
	Now    func() time.Time

	mu      sync.Mutex
	waiting map[string]exerciseWait // by code, as it was counted last
	missing map[string]absentKept
}

// Routes implements Screen.
func (s *Exercises) Routes() []Route {
	const one = "/exercises/of/:exercise"
	const unit = one + "/units/:unit"
	desk := Text("desk", exercise.MaxDesk)
	return []Route{
		{Method: http.MethodGet, Path: "/exercises", Act: access.ExerciseRead, Menu: "exercises.menu", Answer: exercisesData{}, Handler: s.list},
		{Method: http.MethodGet, Path: "/exercises/new", Act: access.ExerciseMake, Answer: exerciseDraft{}, Handler: s.blank},
		{Method: http.MethodPost, Path: "/exercises/new", Act: access.ExerciseMake, Form: draftExercise, Handler: s.make},
		{Method: http.MethodGet, Path: one, Act: access.ExerciseRead, Answer: exerciseData{}, Handler: s.show},
		{Method: http.MethodPost, Path: one + "/open", Act: access.ExerciseMake, Form: ConfirmFields(), Handler: s.open},
		{Method: http.MethodPost, Path: one + "/close", Act: access.ExerciseMake, Form: ConfirmFields(), Handler: s.close},
		{Method: http.MethodGet, Path: one + "/report", Act: access.ExerciseRead, Query: []Field{Text("day", 10), Text("lang", 8), Text("as", 4)}, Answer: Sends(htmlMedia, "application/pdf", csvMedia), Handler: s.report},
		{Method: http.MethodPost, Path: one + "/list", Act: access.ExerciseMark, Form: []Field{desk, Text("lang", 8), Text("as", 4), Text("names", 4), Text("order", 8), Text("reason", maxReason)},
			Answer: Sends(xlsxMedia, "application/pdf"), Handler: s.sheet},
		{Method: http.MethodPost, Path: one + "/take", Act: access.ExerciseMark, Files: true, MaxBody: rollcall.MaxFilled + 64<<10, Form: []Field{File("file"), Text("clerk", 64)}, Answer: takenData{}, Handler: s.take},
		{Method: http.MethodGet, Path: one + "/mark", Act: access.ExerciseMark, Answer: markData{}, Handler: s.ask},
		{Method: http.MethodPost, Path: one + "/mark", Act: access.ExerciseMark, Files: true, MaxBody: maxPicture + 64<<10, Form: []Field{Text("q", 2000), desk, File("picture")}, Answer: markData{}, Handler: s.find},
		{Method: http.MethodGet, Path: unit, Act: access.ExerciseMark, Query: []Field{Text("changed", maxText)}, Answer: unitData{}, Handler: s.unit},
		{Method: http.MethodPost, Path: unit + "/mark", Act: access.ExerciseMark, Form: []Field{desk, Text("outcome", 16), Text("how", 16), Text("changed", maxText)}, Handler: s.mark},
		{Method: http.MethodPost, Path: unit + "/undo", Act: access.ExerciseMark, Handler: s.undo},
		{Method: http.MethodPost, Path: unit + "/appeal", Act: access.ExerciseMark, Handler: s.appeal},
		{Method: http.MethodGet, Path: one + "/absent", Act: access.ExerciseRead, Query: []Field{Text("standing", 16)}, Paged: true, Answer: absentData{}, Handler: s.absent},
		{Method: http.MethodGet, Path: one + "/notice", Act: access.ExerciseNotice, Answer: tellingData{}, Handler: s.telling},
		{Method: http.MethodGet, Path: one + "/poster", Act: access.ExerciseNotice, Query: []Field{Text("lang", 8)}, Answer: Sends("application/pdf"), Handler: s.poster},
		{Method: http.MethodPost, Path: one + "/notice", Act: access.ExerciseNotice, Form: ConfirmFields(Text("on", 10), Text("how", 16)), Handler: s.notice},
		{Method: http.MethodPost, Path: one + "/settle", Act: access.ExerciseSettle, Form: ConfirmFields(Text("reason", maxReason)), Handler: s.settle},
	}
}

const (
	htmlMedia = "text/html; charset=utf-8"
	csvMedia  = "text/csv; charset=utf-8"
	// maxPicture of a card, in bytes.
	maxPicture = 12 << 20
)

// An exerciseWait is what one exercise leaves to somebody, as the absent were counted last.
type exerciseWait struct {
	day    string
	untold int
	due    int
	state  exercise.State
	done   string // exercise.Exercise.Done
}

// Needs are exercises that end today, people to be told that they were not seen, and those of
// whom two accounts may decide.
func (s *Exercises) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.ExerciseRead) {
		return nil, nil
	}
	all, err := s.Desk.List(ctx)
	if err != nil {
		return nil, err
	}
	var list []Need
	for i := range all {
		e := &all[i]
		path := "/exercises/of/" + e.Code
		switch {
		case e.State == exercise.Opened && in.May(access.ExerciseMake) && e.Closes <= s.today():
			list = append(list, Need{Word: "exercises.need_close", Count: 1, Path: path})
		case e.State == exercise.Closed:
			w, err := s.count(ctx, e)
			if err != nil {
				return nil, err
			}
			if in.May(access.ExerciseNotice) {
				list = append(list, Need{Word: "exercises.need_notice", Count: w.untold, Path: path + "/notice", Since: e.ClosedAt})
			}
			if in.May(access.ExerciseSettle) {
				list = append(list, Need{Word: "exercises.need_settle", Count: w.due, Path: path + "/absent"})
			}
		}
	}
	return list, nil
}

// count is what a closed exercise leaves to somebody, by where the absent stand: whom a proposal
// leaves out is not due. To count is to read everybody invited, so it is done once a day, when
// something was done here, and when a page of the absent is counted; whoever is met or collects
// in between is in it until then.
func (s *Exercises) count(ctx context.Context, e *exercise.Exercise) (exerciseWait, error) {
	today := s.today()
	s.mu.Lock()
	w, ok := s.waiting[e.Code]
	s.mu.Unlock()
	if ok && w.state == e.State && w.done == e.Done && w.day == today {
		return w, nil
	}
	list, err := s.absentees(ctx, e)
	if err != nil {
		return w, err
	}
	return waitOf(e, today, list), nil
}

// waitOf counts what absentees leave to somebody.
func waitOf(e *exercise.Exercise, day string, list []absentee) exerciseWait {
	w := exerciseWait{day: day, state: e.State, done: e.Done}
	for i := range list {
		switch list[i].standing {
		case exercise.Unnoticed:
			w.untold++
		case exercise.Due:
			w.due++
		}
	}
	return w
}

// changed makes Home and the page of the absent count an exercise again.
func (s *Exercises) changed(code string) {
	s.mu.Lock()
	delete(s.waiting, code)
	delete(s.missing, code)
	s.mu.Unlock()
}

func (s *Exercises) today() string { return s.Now().UTC().Format(time.DateOnly) }

// exerciseFault gives errors of the desks the names that the console answers to.
func exerciseFault(err error) error {
	var refusal *exercise.Refusal
	var record *registry.Refusal
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exercise.ErrNone), errors.Is(err, exercise.ErrNotInvited), errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrErased):
		return ErrNotFound
	case errors.Is(err, exercise.ErrChanged):
		return ErrConflict
	case errors.Is(err, registry.ErrClosed):
		return BadForm("people.closed")
	case errors.Is(err, rollcall.ErrLong):
		return BadForm("exercises.long")
	case errors.As(err, &refusal):
		return BadForm("exercises.refused", "why", Said("exercises.why_"+strings.TrimPrefix(refusal.Code, "exercise_")))
	case errors.As(err, &record):
		return BadForm("exercises.refused", "why", refused(record))
	}
	return importFault(err)
}

// An exerciseView is an exercise as pages and programs see it.
type exerciseView struct {
	Code       string         `json:"code"`
	Title      string         `json:"title"`
	Opens      string         `json:"opens"`
	Closes     string         `json:"closes"`
	Desks      []string       `json:"desks"`
	PCodes     []string       `json:"pcodes"`
	Sites      []string       `json:"sites"`
	Kind       registry.Kind  `json:"kind"`
	NoticeDays int            `json:"notice_days"`
	AppealDays int            `json:"appeal_days"`
	State      exercise.State `json:"state"`
	By         string         `json:"by"`
	Invited    int            `json:"invited"` // of a draft: that would be
}

// Path is where it is.
func (e exerciseView) Path() string { return Root + "/exercises/of/" + e.Code }

// Draft, Open and Over say how far it has come.
func (e exerciseView) Draft() bool { return e.State == exercise.Draft }
func (e exerciseView) Open() bool  { return e.State == exercise.Opened }
func (e exerciseView) Over() bool {
	return e.State == exercise.Closed || e.State == exercise.Settled
}

func viewOfExercise(e *exercise.Exercise) exerciseView {
	return exerciseView{e.Code, e.Title, e.Opens, e.Closes, append([]string{}, e.Desks...), append([]string{}, e.Scope.PCodes...), append([]string{}, e.Scope.Sites...), e.Scope.Kind,
		e.NoticeDays, e.AppealDays, e.State, e.By, e.Invited}
}

type exercisesData struct {
	Rows []exerciseView `json:"exercises"`
}

func (s *Exercises) list(p *Page) error {
	all, err := s.Desk.List(p.Context())
	if err != nil {
		return err
	}
	d := exercisesData{Rows: []exerciseView{}}
	slices.SortStableFunc(all, func(a, b exercise.Exercise) int { return strings.Compare(b.Opens, a.Opens) })
	for i := range all {
		d.Rows = append(d.Rows, viewOfExercise(&all[i]))
	}
	return p.Show("exercises", "exercises.title", d)
}

// draftExercise are the fields of a new exercise.
var draftExercise = []Field{Text("code", 24), Text("title", exercise.MaxTitle), Text("opens", 10), Text("closes", 10), Lines("desks", 2000), Lines("sites", 2000), Lines("pcodes", 2000),
	Text("kind", 16), Text("notice_days", 5), Text("appeal_days", 5)}

// An exerciseDraft is the form of a new exercise.
type exerciseDraft struct {
	Code   string            `json:"code"` // proposed
	Typed  map[string]string `json:"-"`
	Wrong  template.HTML     `json:"-"`
	Notice int               `json:"notice_days"`
	Appeal int               `json:"appeal_days"`
}

func (s *Exercises) blank(p *Page) error {
	code, err := s.free(p.Context())
	if err != nil {
		return err
	}
	return p.Show("exercises_new", "exercises.new", exerciseDraft{Code: code, Typed: map[string]string{"code": code, "opens": s.today(), "kind": string(registry.KindHousehold)}, Notice: exercise.NoticeDays, Appeal: exercise.AppealDays})
}

// free is a code that no exercise has: of this year, with the next number.
func (s *Exercises) free(ctx context.Context) (string, error) {
	all, err := s.Desk.List(ctx)
	if err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		code := fmt.Sprintf("VER-%d-%02d", s.Now().UTC().Year(), n)
		if !slices.ContainsFunc(all, func(e exercise.Exercise) bool { return e.Code == code }) {
			return code, nil
		}
	}
}

// listed are the lines of a field, without blanks around them and without empty ones.
func listed(text string) (list []string) {
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ',' || r == '،' || r == ';' }) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

func (s *Exercises) make(p *Page) error {
	e := exercise.Exercise{Code: strings.ToUpper(p.Form.Get("code")), Title: p.Form.Get("title"), Opens: p.Form.Get("opens"), Closes: p.Form.Get("closes"), Desks: listed(p.Form.Get("desks")),
		Scope: exercise.Scope{Sites: listed(p.Form.Get("sites")), PCodes: listed(p.Form.Get("pcodes")), Kind: registry.Kind(p.Form.Get("kind"))}}
	err := func() (err error) {
		if e.NoticeDays, err = termOf(p.Form.Get("notice_days"), exercise.NoticeDays); err != nil {
			return err
		}
		e.AppealDays, err = termOf(p.Form.Get("appeal_days"), exercise.AppealDays)
		return err
	}()
	if err == nil {
		err = p.Do(func(ctx context.Context) error {
			_, err := s.Desk.Make(ctx, p.Actor(), e)
			return err
		})
	}
	if err != nil {
		return p.Mend(exerciseFault(err), func(wrong template.HTML) error {
			return p.show(http.StatusUnprocessableEntity, "exercises_new", p.T("exercises.new"), exerciseDraft{Code: e.Code, Typed: typedOf(p.Form), Wrong: wrong, Notice: exercise.NoticeDays, Appeal: exercise.AppealDays})
		})
	}
	return p.Done(s.back(p, e.Code, ""), Note{Word: "exercises.made"})
}

// termOf reads a number of days; empty is the usual one.
func termOf(text string, usual int) (int, error) {
	if text = digits(text); text == "" {
		return usual, nil
	}
	n := 0
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil {
		return 0, BadForm("exercises.refused", "why", Said("exercises.why_term"))
	}
	return n, nil
}

// back is where an act on an exercise ends: at its page, for who may read it.
func (s *Exercises) back(p *Page, code, below string) string {
	if !p.May(string(access.ExerciseRead)) {
		return "/"
	}
	return "/exercises/of/" + code + below
}

// A dailyRow is a row of the progress.
type dailyRow struct {
	Day     string `json:"day"`
	Desk    string `json:"desk"`
	Seen    int    `json:"seen"`
	Updated int    `json:"updated"`
	Refused int    `json:"refused"`
	Absent  int    `json:"absent"`
}

type exerciseData struct {
	exerciseView
	Rows  []dailyRow `json:"rows"`
	Total dailyRow   `json:"total"`
	Left  int        `json:"left"`
	Twice int        `json:"twice"` // met at two desks

	Chart chart      `json:"-"`
	Days  []string   `json:"-"`
	Asked []askedRow `json:"-"`
	Lang  string     `json:"-"`
}

func (s *Exercises) show(p *Page) error {
	e, err := s.Desk.Find(p.Context(), p.Param("exercise"))
	if err != nil {
		return exerciseFault(err)
	}
	d := exerciseData{exerciseView: viewOfExercise(&e), Rows: []dailyRow{}, Lang: p.Lang}
	if e.State == exercise.Draft {
		if d.Invited, err = s.Desk.Drawn(p.Context(), e.Code); err != nil {
			return exerciseFault(err)
		}
		return p.Show("exercises_show", "exercises.one", d, "code", e.Code)
	}
	day, err := s.Desk.Daily(p.Context(), e.Code, "", "")
	if err != nil {
		return exerciseFault(err)
	}
	d.progress(p, &day)
	if d.Asked, err = p.asked(e.Code, access.ExerciseSettle); err != nil {
		return err
	}
	return p.Show("exercises_show", "exercises.one", d, "code", e.Code)
}

// progress sums the accounts of each desk and day.
func (d *exerciseData) progress(p *Page, day *exercise.Daily) {
	d.Left, d.Twice = day.Left, day.Total.Twice
	d.Total = dailyRow{Seen: day.Total.Seen, Updated: day.Total.Updated, Refused: day.Total.Refused, Absent: day.Total.Absent}
	met := map[string]int{}
	for i := range day.Rows {
		r := &day.Rows[i]
		if n := len(d.Rows); n == 0 || d.Rows[n-1].Day != r.Day || d.Rows[n-1].Desk != r.Desk {
			d.Rows = append(d.Rows, dailyRow{Day: r.Day, Desk: r.Desk})
		}
		last := &d.Rows[len(d.Rows)-1]
		last.Seen += r.Seen
		last.Updated += r.Updated
		last.Refused += r.Refused
		last.Absent += r.Absent
		if !slices.Contains(d.Days, r.Day) {
			d.Days = append(d.Days, r.Day)
		}
		met[r.Day] += rollcall.Met(r)
	}
	var bars []bar
	for _, at := range d.Days {
		bars = append(bars, bar{Name: at, Says: p.Day(at), Label: textOf(p.Day(at)), Value: met[at]})
	}
	if len(bars) > 0 {
		d.Chart = (&Reports{}).chart(p, "seen", p.T("exercises.chart"), d.Code, "reports.day", "exercises.col_seen", bars)
	}
}

func (s *Exercises) open(p *Page) error {
	code := p.Param("exercise")
	n, err := s.Desk.Drawn(p.Context(), code)
	if err != nil {
		return exerciseFault(err)
	}
	if !p.Confirmed(n) && n > 0 {
		return p.Confirm("exercises.do_open", Confirm{Says: p.T("exercises.would_invite", "count", n), Can: n, Path: "/exercises/of/" + code + "/open", Back: s.back(p, code, ""), Do: p.T("exercises.do_open")})
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Open(ctx, p.Actor(), code)
		return err
	})
	if err != nil {
		return exerciseFault(err)
	}
	return p.Done(s.back(p, code, ""), Note{Word: "exercises.opened", Fill: []any{"count", n}})
}

// close ends the marking. Before the last day it tells first how many become absent by it.
func (s *Exercises) close(p *Page) error {
	code := p.Param("exercise")
	day, err := s.Desk.Daily(p.Context(), code, "", "")
	if err != nil {
		return exerciseFault(err)
	}
	if e := &day.Exercise; e.State == exercise.Opened && s.today() < e.Closes && day.Left > 0 && !p.Confirmed(day.Left) {
		return p.Confirm("exercises.do_close", Confirm{Says: p.T("exercises.would_close", "count", day.Left, "last", p.Day(e.Closes)), Can: day.Left, Path: "/exercises/of/" + code + "/close", Back: s.back(p, code, ""), Do: p.T("exercises.do_close")})
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Close(ctx, p.Actor(), code)
		return err
	})
	if err != nil {
		return exerciseFault(err)
	}
	s.changed(code)
	return p.Done(s.back(p, code, "/absent"), Note{Word: "exercises.closed"})
}
