package console

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"aidpass/issuer/print"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/rollcall"
	"aidpass/web/api"
)

// langOf is the language that a file is asked for in; the reader's where none is named.
func (p *Page) langOf(f Form) string {
	if lang := f.Get("lang"); slices.Contains(api.Languages, lang) {
		return lang
	}
	return p.Lang
}

// proved are the bytes of a file whose drawing was read again.
func proved(ctx context.Context, f print.File, err error) ([]byte, error) {
	if err == nil {
		err = print.Prove(ctx, f, nil)
	}
	return f.PDF, err
}

// report is the daily report as a file: a page that opens without a network, PDF, CSV.
func (s *Exercises) report(p *Page) error {
	day := p.Query.Get("day")
	if _, err := time.Parse(time.DateOnly, day); err != nil && day != "" {
		return BadForm("exercises.refused", "why", Said("exercises.why_days"))
	}
	daily, err := s.Desk.Daily(p.Context(), p.Param("exercise"), day, day)
	if err != nil {
		return exerciseFault(err)
	}
	r := rollcall.Report{Daily: daily, Lang: p.langOf(p.Query), House: p.OrgName(), At: s.Now()}
	name := func(ext string) string { return rollcall.FileName(ext, daily.Exercise.Code, cmp.Or(day, "report")) }
	switch p.Query.Get("as") {
	case "pdf":
		f, err := r.PDF(p.Context())
		b, err := proved(p.Context(), f, err)
		if err != nil {
			return err
		}
		return p.Download(name("pdf"), "application/pdf", b)
	case "csv":
		b, err := r.CSV()
		if err != nil {
			return err
		}
		return p.Download(name("csv"), csvMedia, b)
	case "", "html":
		b, err := r.HTML()
		if err != nil {
			return err
		}
		return p.Download(name("html"), htmlMedia, b)
	}
	return errFields
}

// sheet is the list of a desk as a file. The log tells whom it names, and what for.
func (s *Exercises) sheet(p *Page) error {
	f := p.Form
	as, lang := f.Get("as"), p.langOf(f)
	if as != "xlsx" && as != "pdf" {
		return errFields
	}
	if f.Get("reason") == "" {
		return errReason
	}
	c := rollcall.Choice{Desk: f.Get("desk"), Names: f.Get("names") == "yes", ByNumber: f.Get("order") == "number", Lang: lang, Reason: f.Get("reason")}
	var l rollcall.List
	err := p.Do(func(ctx context.Context) (err error) {
		l, err = s.Lists.List(ctx, p.Actor(), p.Param("exercise"), c)
		return err
	})
	if err != nil {
		return exerciseFault(err)
	}
	name := rollcall.FileName(as, l.Exercise.Code, l.Desk)
	if as == "xlsx" {
		b, err := l.Workbook(lang)
		if err != nil {
			return err
		}
		return p.Download(name, xlsxMedia, b)
	}
	file, err := l.PDF(p.Context(), lang)
	b, err := proved(p.Context(), file, err)
	if err != nil {
		return err
	}
	return p.Download(name, "application/pdf", b)
}

// takenData says what became of a list that came back: with findings, nothing of it was taken.
type takenData struct {
	Code string `json:"exercise"`
	rollcall.Taken
	Findings []rollcall.Finding `json:"findings"`
	Found    int                `json:"found"`
	Name     string             `json:"name"`
}

// Path is where the exercise is.
func (d takenData) Path() string { return Root + "/exercises/of/" + d.Code }

func (s *Exercises) take(p *Page) error {
	code := p.Param("exercise")
	if _, err := s.Desk.Find(p.Context(), code); err != nil {
		return exerciseFault(err)
	}
	file, head, err := p.File("file")
	if err != nil {
		return err
	}
	if file == nil {
		return BadForm("exercises.no_file")
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, rollcall.MaxFilled+1))
	if err != nil {
		return err
	}
	d := takenData{Code: code, Name: head.Filename}
	var f rollcall.Filled
	err = p.Do(func(ctx context.Context) (err error) {
		d.Taken, f, err = s.Lists.Take(ctx, p.Actor(), code, head.Filename, p.Form.Get("clerk"), b)
		return err
	})
	d.Findings, d.Found = append([]rollcall.Finding{}, f.Findings...), f.Found
	if err != nil && !errors.Is(err, rollcall.ErrFindings) {
		return exerciseFault(err)
	}
	s.changed(code)
	return p.Show("exercises_taken", "exercises.taken", d)
}

// A tellingText is what people are told in one language.
type tellingText struct {
	Lang    string   `json:"lang"`
	Poster  []string `json:"poster"`
	Message string   `json:"message"`
}

type tellingData struct {
	exerciseView
	Until  string        `json:"until"` // last day of who is told today
	Untold int           `json:"untold"`
	Texts  []tellingText `json:"texts"`
	Hows   []string      `json:"-"`
	Today  string        `json:"-"`
}

// notes is the poster of an exercise whose people are told today.
func (s *Exercises) notes(p *Page, e *exercise.Exercise) (o rollcall.Poster, err error) {
	o = rollcall.Poster{Exercise: *e, House: p.OrgName()}
	o.Until, _ = e.Window(s.today())
	if s.Ask != nil {
		o.Ask, err = s.Ask()
	}
	return o, err
}

// telling shows what those are told who were not seen, before anybody keeps that they were.
func (s *Exercises) telling(p *Page) error {
	e, err := s.Desk.Find(p.Context(), p.Param("exercise"))
	if err != nil {
		return exerciseFault(err)
	}
	o, err := s.notes(p, &e)
	if err != nil {
		return err
	}
	d := tellingData{exerciseView: viewOfExercise(&e), Until: o.Until.Format(time.DateOnly), Hows: exercise.Notices(), Today: s.today()}
	if d.Over() {
		list, err := s.absentees(p.Context(), &e)
		if err != nil {
			return exerciseFault(err)
		}
		d.Untold = waitOf(&e, d.Today, list).untold
	}
	for _, lang := range api.Languages {
		t := tellingText{Lang: lang}
		if t.Poster, err = o.Texts(lang); err != nil {
			return err
		}
		if t.Message, err = o.Message(lang); err != nil {
			return err
		}
		d.Texts = append(d.Texts, t)
	}
	return p.Show("exercises_notice", "exercises.notice", d)
}

func (s *Exercises) poster(p *Page) error {
	e, err := s.Desk.Find(p.Context(), p.Param("exercise"))
	if err != nil {
		return exerciseFault(err)
	}
	o, err := s.notes(p, &e)
	if err != nil {
		return err
	}
	lang := p.langOf(p.Query)
	f, err := o.PDF(p.Context(), lang)
	b, err := proved(p.Context(), f, err)
	if err != nil {
		return err
	}
	return p.Download(rollcall.FileName("pdf", e.Code, "poster", lang), "application/pdf", b)
}
