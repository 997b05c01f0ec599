package console

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/rollcall"
)

// markData is the page on which a desk finds whoever stands before it.
type markData struct {
	exerciseView
	Desk  string    `json:"desk"`
	Asked bool      `json:"asked"` // somebody was looked for
	Found []unitRow `json:"found"`
	Total int       `json:"total"`
	Q     string    `json:"-"`
}

// A unitRow is one that a desk may mean.
type unitRow struct {
	Unit    string           `json:"unit"` // empty: not invited
	Name    string           `json:"name"`
	Number  string           `json:"number"`
	Size    int              `json:"size"`
	Cards   []string         `json:"cards"`
	Outcome exercise.Outcome `json:"outcome"`
	Desk    string           `json:"desk"`
	At      time.Time        `json:"at"`
}

// Called is a name, or else a number.
func (r unitRow) Called() string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Number != "":
		return r.Number
	}
	return "–"
}

// opened is an exercise in which desks mark.
func (s *Exercises) opened(p *Page) (exercise.Exercise, error) {
	e, err := s.Desk.Find(p.Context(), p.Param("exercise"))
	return e, exerciseFault(err)
}

func (s *Exercises) ask(p *Page) error {
	e, err := s.opened(p)
	if err != nil {
		return err
	}
	return p.Show("exercises_mark", "exercises.mark", markData{exerciseView: viewOfExercise(&e), Desk: deskOf(p, &e), Found: []unitRow{}})
}

// standCookie has the exercise and the desk of it at which a browser marks, in base64url: no
// address names a place beside somebody's record, for browsers keep addresses.
const standCookie = "aidpass-stand"

// standAt keeps at which desk a browser stands, until it is closed or somebody signs out. A
// name that the exercise does not have is not kept.
func standAt(p *Page, e *exercise.Exercise, desk string) {
	if p.program || desk == "" || len(e.Desks) > 0 && !slices.Contains(e.Desks, desk) {
		return
	}
	p.setCookie(standCookie, base64.RawURLEncoding.EncodeToString([]byte(e.Code+"\n"+desk)), 0)
}

// deskOf is the desk of an exercise at which a browser stood last, or the only one that it has;
// empty where neither is known.
func deskOf(p *Page, e *exercise.Exercise) string {
	kept, err := base64.RawURLEncoding.DecodeString(p.cookie(standCookie))
	code, desk, _ := strings.Cut(string(kept), "\n")
	switch {
	case len(e.Desks) == 1:
		return e.Desks[0]
	case p.program || err != nil || code != e.Code || len(desk) > exercise.MaxDesk || !utf8.ValidString(desk) || len(e.Desks) > 0 && !slices.Contains(e.Desks, desk):
		return ""
	}
	return desk
}

// longestNumber of a card or list that somebody types; what is longer is the text of a code.
const longestNumber = 60

func (s *Exercises) find(p *Page) error {
	e, err := s.opened(p)
	if err != nil {
		return err
	}
	q := p.Form.Get("q")
	desk := cmp.Or(strings.TrimSpace(p.Form.Get("desk")), deskOf(p, &e))
	standAt(p, &e, desk)
	d := markData{exerciseView: viewOfExercise(&e), Desk: desk, Asked: true, Found: []unitRow{}, Q: q}
	lines, err := s.lines(p, q)
	if err != nil {
		return exerciseFault(err)
	}
	d.Total = len(lines)
	for i := range lines {
		r, err := s.row(p.Context(), e.Code, &lines[i])
		if err != nil {
			return exerciseFault(err)
		}
		d.Found = append(d.Found, r)
	}
	return p.Show("exercises_mark", "exercises.mark", d)
}

// lines are the records that a picture, a code, a number or a name means. The desks that find
// them tell the log.
func (s *Exercises) lines(p *Page, q string) ([]records.Line, error) {
	var cards []FoundCard
	picture, _, err := p.File("picture")
	switch {
	case err != nil:
		return nil, err
	case picture != nil && s.Cards != nil:
		defer picture.Close()
		cards, err = s.Cards.Picture(p.Context(), p.Org(), p.Actor(), picture)
	case len(q) > longestNumber && s.Cards != nil:
		cards, err = s.Cards.Find(p.Context(), p.Org(), p.Actor(), q)
	case strings.TrimSpace(q) == "":
		return nil, BadForm("exercises.ask_one")
	case isRef(q):
		return s.byRef(p, q)
	default:
		lines, _, err := s.People.Find(p.Context(), p.Actor(), records.Query{Text: q})
		return lines, err
	}
	if err != nil {
		return nil, err
	}
	var ids []registry.ID
	for i := range cards {
		if id := cards[i].Unit; !id.IsZero() && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return s.People.Lines(p.Context(), p.Actor(), access.Entry{Action: "person.find", Object: "registry", Detail: "exercise"}, ids)
}

// isRef reports whether a text is what a line of a list has for its record.
func isRef(q string) bool {
	parts := strings.Split(strings.TrimSpace(q), "-")
	return len(parts) == 3 && !slices.ContainsFunc(parts, func(s string) bool { return len(s) != 4 })
}

// byRef finds whoever stands on a line of a list.
func (s *Exercises) byRef(p *Page, q string) ([]records.Line, error) {
	code := p.Param("exercise")
	ref := strings.ToUpper(strings.TrimSpace(q))
	var ids []registry.ID
	err := s.Desk.Each(p.Context(), code, func(i exercise.Invited) error {
		if rollcall.Ref(code, i.Unit) == ref {
			ids = append(ids, i.Unit)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.People.Lines(p.Context(), p.Actor(), access.Entry{Action: "person.find", Object: "registry", Detail: "exercise"}, ids)
}

// row is a record as an exercise knows it: itself, or the household that she is invited with.
func (s *Exercises) row(ctx context.Context, code string, l *records.Line) (unitRow, error) {
	r := unitRow{Name: l.Name.Text, Number: strings.TrimSpace(l.Number), Size: l.Size, Cards: []string{}}
	for _, c := range l.Cards {
		r.Cards = append(r.Cards, cwt.GroupCardNumber(c))
	}
	unit, i, err := s.invited(ctx, code, l.ID, l.Household)
	if err == nil && !unit.IsZero() {
		r.Unit, r.Outcome, r.Desk, r.At = unit.String(), i.Outcome, i.Desk, i.When
	}
	return r, err
}

// invited is the first of some records that is invited; zero where none is.
func (s *Exercises) invited(ctx context.Context, code string, ids ...registry.ID) (registry.ID, exercise.Invited, error) {
	for _, id := range ids {
		if id.IsZero() {
			continue
		}
		i, _, err := s.Desk.Invited(ctx, code, id)
		if errors.Is(err, exercise.ErrNotInvited) || errors.Is(err, registry.ErrErased) {
			continue
		}
		return id, i, err
	}
	return registry.ID{}, exercise.Invited{}, nil
}

// unitData is one that is invited, before a desk.
type unitData struct {
	exerciseView
	unitRow
	AtDesk  string     `json:"at_desk"` // that marks
	Kind    string     `json:"is"`
	Members []lineRow  `json:"members"`
	Marks   []markView `json:"marks"`
	Appeal  string     `json:"appealed"` // last day
	Noticed string     `json:"noticed"`
	Asleep  bool       `json:"inactive"`

	Changed string   `json:"-"` // fields that were changed a moment ago
	Hows    []string `json:"-"`
	Undo    bool     `json:"-"` // the last mark can be taken back
}

// A lineRow is somebody of a household, with where she is corrected.
type lineRow struct {
	Record string `json:"record"`
	Name   string `json:"name"`
	Edit   string `json:"-"`
}

// A markView is a mark as it is told.
type markView struct {
	Outcome exercise.Outcome `json:"outcome"`
	How     string           `json:"how"`
	Desk    string           `json:"desk"`
	By      string           `json:"by"`
	When    time.Time        `json:"when"`
	Known   time.Time        `json:"known"`
	Sheet   bool             `json:"sheet"`
	Undone  bool             `json:"undone"`
}

// PathOfUnit is where it is.
func (d unitData) PathOfUnit() string { return d.exerciseView.Path() + "/units/" + d.Unit }

// MarkPath is where the next one is found.
func (d unitData) MarkPath() string {
	return d.exerciseView.Path() + "/mark"
}

// one is the exercise and the unit that a path names. Another organisation's, one that was
// erased and one that is not invited are not there. Of a person who is not invited herself it
// is her household.
func (s *Exercises) one(p *Page) (e exercise.Exercise, id registry.ID, err error) {
	if e, err = s.Desk.Find(p.Context(), p.Param("exercise")); err != nil {
		return e, id, exerciseFault(err)
	}
	if id, err = registry.ParseID(p.Param("unit")); err != nil {
		return e, id, ErrNotFound
	}
	home, err := s.homeOf(p.Context(), id)
	if err == nil {
		id, _, err = s.invited(p.Context(), e.Code, id, home)
	}
	if err == nil && id.IsZero() {
		err = ErrNotFound
	}
	return e, id, exerciseFault(err)
}

func (s *Exercises) homeOf(ctx context.Context, id registry.ID) (home registry.ID, err error) {
	err = s.Desk.Store.ReadExercises(ctx, func(v exercise.View) error {
		rec, err := v.Record(id)
		home = rec.Household
		return err
	})
	return home, err
}

func (s *Exercises) unit(p *Page) error {
	e, id, err := s.one(p)
	if err != nil {
		return err
	}
	i, u, err := s.Desk.Invited(p.Context(), e.Code, id)
	if err != nil {
		return exerciseFault(err)
	}
	var members []registry.ID
	var kind registry.Kind
	asleep := false
	err = s.Desk.Store.ReadExercises(p.Context(), func(v exercise.View) error {
		rec, err := v.Record(id)
		if err != nil {
			return err
		}
		if kind = rec.Kind; kind == registry.KindHousehold {
			h, err := rec.HouseholdRecord()
			if err != nil {
				return err
			}
			asleep = h.Status.Asleep()
			members, err = v.Members(id)
			return err
		}
		person, err := rec.Person()
		asleep = person.Status.Asleep()
		return err
	})
	if err != nil {
		return exerciseFault(err)
	}
	lines, err := s.People.Lines(p.Context(), p.Actor(), access.Entry{Action: "person.read", Object: id.String(), Detail: "exercise"}, append([]registry.ID{id}, members...))
	if err != nil {
		return exerciseFault(err)
	}
	d := unitData{exerciseView: viewOfExercise(&e), AtDesk: deskOf(p, &e), Kind: string(kind), Members: []lineRow{}, Marks: []markView{}, Appeal: i.Appealed, Noticed: i.Noticed, Asleep: asleep,
		Changed: p.Query.Get("changed"), Hows: []string{string(registry.InPerson), string(registry.ByPhone), string(registry.Remote)}}
	edit := func(l *records.Line) string {
		at := aPerson
		if l.Kind == registry.KindHousehold {
			at = aHousehold
		}
		if l.Gone() || !p.May(string(at.edit)) {
			return ""
		}
		return Root + at.path + "/" + l.ID.String() + "/edit?" + url.Values{"exercise": {e.Code}}.Encode()
	}
	for k := range lines {
		l := &lines[k]
		if l.ID == id {
			d.unitRow = unitRow{Unit: id.String(), Name: l.Name.Text, Number: strings.TrimSpace(l.Number), Size: l.Size, Cards: []string{}, Outcome: i.Outcome, Desk: i.Desk, At: i.When}
			for _, c := range l.Cards {
				d.Cards = append(d.Cards, cwt.GroupCardNumber(c))
			}
		}
		if !l.Gone() && l.Closed == "" || l.ID == id {
			d.Members = append(d.Members, lineRow{l.ID.String(), l.Name.Text, edit(l)})
		}
	}
	for _, m := range u.Marks {
		d.Marks = append(d.Marks, markView{m.Outcome, string(m.How), m.Desk, m.By, m.When, m.Known, m.Sheet, !m.Undone.IsZero()})
		d.Undo = d.Undo || m.Undone.IsZero() && e.State == exercise.Opened && access.SameAccount(m.By, p.In.Account.ID) && m.Known.UTC().Format(time.DateOnly) == s.today()
	}
	return p.Show("exercises_unit", "exercises.unit", d, "code", e.Code)
}

func (s *Exercises) mark(p *Page) error {
	e, id, err := s.one(p)
	if err != nil {
		return err
	}
	ev := exercise.Event{Outcome: exercise.Outcome(p.Form.Get("outcome")), How: exercise.Contact(p.Form.Get("how")), Desk: strings.TrimSpace(p.Form.Get("desk")), Changed: strings.Fields(p.Form.Get("changed"))}
	if ev.Outcome == exercise.Absent || ev.Outcome == exercise.Refused && ev.How == "" {
		ev.How = ""
	}
	if ev.Outcome != exercise.Updated {
		ev.Changed = nil
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Mark(ctx, p.Actor(), e.Code, id, ev)
		return err
	})
	if err != nil {
		return exerciseFault(err)
	}
	s.changed(e.Code)
	standAt(p, &e, ev.Desk)
	return p.Done("/exercises/of/"+e.Code+"/mark", Note{Word: "exercises.marked_" + string(ev.Outcome),
		Undo: &Undo{Path: "/exercises/of/" + e.Code + "/units/" + id.String() + "/undo"}})
}

func (s *Exercises) undo(p *Page) error {
	e, id, err := s.one(p)
	if err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Undo(ctx, p.Actor(), e.Code, id)
		return err
	})
	if err != nil {
		return exerciseFault(err)
	}
	s.changed(e.Code)
	return p.Done("/exercises/of/"+e.Code+"/units/"+id.String(), Note{Word: "exercises.undone"})
}

// appeal keeps that somebody said that she is there: one account is enough.
func (s *Exercises) appeal(p *Page) error {
	e, id, err := s.one(p)
	if err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Appeal(ctx, p.Actor(), e.Code, id)
		return err
	})
	if err != nil {
		return exerciseFault(err)
	}
	s.changed(e.Code)
	return p.Done("/exercises/of/"+e.Code+"/units/"+id.String(), Note{Word: "exercises.appealed"})
}
