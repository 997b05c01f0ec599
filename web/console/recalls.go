package console

import (
	"context"
	"errors"
	"html/template"
	"io"
	"net/http"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// A LetterDesk signs and proves the letters of recalls, with the keys of the organisation
// and of those on its trust list.
type LetterDesk interface {
	// Letter is the signed letter of a recall. That it was written is kept, so that its
	// answer is known.
	Letter(ctx context.Context, by access.Actor, recall string) ([]byte, error)
	// Answered takes in the letter by which a recipient answers.
	Answered(ctx context.Context, by access.Actor, raw []byte) (rights.Recall, error)
	// Take takes in the recall of another organisation, about records that came as a list,
	// and signs and keeps the answer. outcome empty: what is so.
	Take(ctx context.Context, by access.Actor, raw []byte, list string, outcome rights.Outcome) (rights.TakenIn, error)
}

// Recalls are the pages of who is to be told that a yes was taken back, of what they
// answered, and of what others tell.
type Recalls struct {
	Desk    *rights.Desk
	Letters LetterDesk
	Now     func() time.Time
}

// Routes implements Screen.
func (s *Recalls) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/recalls", Act: access.RecallRead, Menu: "recalls.menu", Paged: true, Answer: recallsData{}, Handler: s.list},
		{Method: http.MethodGet, Path: "/recalls/of/:recall", Act: access.RecallRead, Answer: recallRow{}, Handler: s.show},
		{Method: http.MethodPost, Path: "/recalls/of/:recall/letter", Act: access.RecallSend, Answer: Sends(rights.TypeRecall), Handler: s.letter},
		{Method: http.MethodPost, Path: "/recalls/of/:recall/told", Act: access.RecallSend, Form: []Field{Text("outcome", 16), Text("how", maxFunction)}, Handler: s.told},
		{Method: http.MethodPost, Path: "/recalls/answer", Act: access.RecallSend, Files: true, MaxBody: rights.MaxLetterBytes + maxBody, Form: []Field{File("answer")}, Handler: s.answered},
		{Method: http.MethodGet, Path: "/letters", Act: access.RecallRead, Paged: true, Answer: lettersData{}, Handler: s.letters},
		{Method: http.MethodPost, Path: "/letters", Act: access.RecallTake, Files: true, MaxBody: rights.MaxLetterBytes + maxBody, Form: []Field{File("letter"), Text("list", 100), Text("outcome", 16)}, Handler: s.take},
		{Method: http.MethodGet, Path: "/letters/:letter", Act: access.RecallRead, Answer: letterRow{}, Handler: s.taken},
		{Method: http.MethodPost, Path: "/letters/:letter/reply", Act: access.RecallRead, Form: []Field{Text("reason", maxReason)}, Answer: Sends(rights.TypeAnswer), Handler: s.reply},
	}
}

// Needs are recipients who were not told yet or did not answer in time, and letters of
// others about records that are here yet.
func (s *Recalls) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.RecallRead) {
		return nil, nil
	}
	all, err := s.Desk.Recalls(ctx, registry.ID{})
	if err != nil {
		return nil, err
	}
	late, unsent := Need{Word: "recalls.need_late", Path: "/recalls"}, Need{Word: "recalls.need_unsent", Path: "/recalls"}
	for _, r := range all {
		switch rowOfRecall(r, s.Now()).State {
		case recallLate:
			late.add(r.Due)
		case recallUnsent:
			unsent.add(r.At)
		}
	}
	taken, err := s.Desk.TakenIns(ctx)
	waits := Need{Word: "recalls.need_letters", Path: "/letters"}
	for _, in := range taken {
		if in.Waits() {
			waits.add(in.At)
		}
	}
	return []Need{late, unsent, waits}, err
}

// add counts one more that waits since a time.
func (n *Need) add(since time.Time) {
	if n.Count++; n.Since.IsZero() || since.Before(n.Since) {
		n.Since = since
	}
}

// How far a recall is.
const (
	recallUnsent   = "unsent" // no letter was written
	recallSent     = "sent"
	recallLate     = "late"
	recallAnswered = "answered"
)

// A recallRow is a recall as a page tells it.
type recallRow struct {
	ID        string      `json:"id"`
	Person    registry.ID `json:"record"`
	To        string      `json:"to"`
	Name      string      `json:"name"`
	Agreement string      `json:"agreement"`
	Files     int         `json:"files"`
	Why       rights.Why  `json:"why"`
	At        time.Time   `json:"at"`
	Due       time.Time   `json:"due"`
	State     string      `json:"state"`
	Letters   int         `json:"letters"` // that were written
	Answered  time.Time   `json:"answered,omitzero"`
	Outcome   string      `json:"outcome,omitempty"`
	Records   int         `json:"records,omitempty"` // that the recipient found
	How       string      `json:"how,omitempty"`

	ByLetter bool             `json:"-"` // it can be told, and answer, by a letter
	Outcomes []rights.Outcome `json:"-"`
	Gone     bool             `json:"-"` // the record is erased
}

func rowOfRecall(r rights.Recall, now time.Time) recallRow {
	row := recallRow{ID: r.ID, Person: r.Unit, To: r.To, Name: r.Name, Agreement: r.Agreement, Files: len(r.Shares), Why: r.Why, At: r.At, Due: r.Due, Letters: len(r.Letters),
		Answered: r.Answered, Outcome: string(r.Outcome), Records: r.Records, How: r.Spoken, ByLetter: r.Issuer != "", Outcomes: rights.Outcomes(), Gone: r.Why == rights.Gone}
	switch {
	case r.Outcome != "":
		row.State = recallAnswered
	case now.After(r.Due):
		row.State = recallLate
	case len(r.Letters) == 0:
		row.State = recallUnsent
	default:
		row.State = recallSent
	}
	return row
}

// Says tells how far it is in words.
func (r recallRow) Says(p *Page) template.HTML {
	switch r.State {
	case recallAnswered:
		return p.T("recalls.is_answered", "outcome", p.Word("recalls.outcome_", r.Outcome), "day", p.Date(r.Answered))
	case recallLate:
		return p.T("recalls.is_late", "day", p.Date(r.Due))
	}
	return p.T("recalls.is_" + r.State)
}

type recallsData struct {
	Rows   []recallRow `json:"rows"`
	Paging *Paging     `json:"paging"`
}

// list has first what waits, the oldest first.
func (s *Recalls) list(p *Page) error {
	all, err := s.Desk.Recalls(p.Context(), registry.ID{})
	if err != nil {
		return rightsFault(err)
	}
	slices.SortStableFunc(all, func(a, b rights.Recall) int {
		switch {
		case (a.Outcome == "") != (b.Outcome == "") && a.Outcome == "":
			return -1
		case (a.Outcome == "") != (b.Outcome == ""):
			return 1
		}
		return a.Due.Compare(b.Due)
	})
	d := recallsData{Rows: []recallRow{}, Paging: p.Paging(len(all))}
	var about []registry.ID
	for _, r := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, rowOfRecall(r, s.Now()))
		if r.Why != rights.Gone {
			about = append(about, r.Unit)
		}
	}
	if err := s.Desk.Read(p.Context(), p.Actor(), about, "recalls"); err != nil {
		return rightsFault(err)
	}
	return p.Show("recalls", "recalls.title", d)
}

func (s *Recalls) find(p *Page) (rights.Recall, error) {
	r, err := s.Desk.Recall(p.Context(), p.Param("recall"))
	return r, absent(err)
}

func (s *Recalls) show(p *Page) error {
	r, err := s.find(p)
	if err != nil {
		return err
	}
	if r.Why != rights.Gone {
		if err := s.Desk.Read(p.Context(), p.Actor(), []registry.ID{r.Unit}, "recalls"); err != nil {
			return rightsFault(err)
		}
	}
	return p.Show("recalls_show", "recalls.one", rowOfRecall(r, s.Now()), "name", r.Name)
}

// letter writes a new letter each time: a POST, as what was written is kept.
func (s *Recalls) letter(p *Page) error {
	r, err := s.find(p)
	if err != nil {
		return err
	}
	var raw []byte
	err = p.Do(func(ctx context.Context) (err error) {
		raw, err = s.Letters.Letter(ctx, p.Actor(), r.ID)
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return p.Download(r.ID+".recall", rights.TypeRecall, raw)
}

func (s *Recalls) told(p *Page) error {
	r, err := s.find(p)
	if err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.TakeSpoken(ctx, p.Actor(), r.ID, rights.Outcome(p.Form.Get("outcome")), p.Form.Get("how"))
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return p.Done("/recalls/of/"+r.ID, Note{Word: "recalls.taken"})
}

// upload reads a letter that was sent as a file.
func (p *Page) upload(name string) ([]byte, error) {
	f, _, err := p.File(name)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, BadForm("recalls.no_letter")
	}
	raw, err := io.ReadAll(io.LimitReader(f, rights.MaxLetterBytes+1))
	return raw, errors.Join(err, f.Close())
}

func (s *Recalls) answered(p *Page) error {
	raw, err := p.upload("answer")
	if err != nil {
		return err
	}
	var r rights.Recall
	err = p.Do(func(ctx context.Context) (err error) {
		r, err = s.Letters.Answered(ctx, p.Actor(), raw)
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return p.Done("/recalls/of/"+r.ID, Note{Word: "recalls.taken"})
}

// A letterRow is a recall of another organisation.
type letterRow struct {
	Handle    string        `json:"id"`
	From      string        `json:"from"`
	Agreement string        `json:"agreement"`
	Why       rights.Why    `json:"why"`
	Files     int           `json:"files"`
	Records   []registry.ID `json:"records,omitempty"` // that came with those files
	Outcome   string        `json:"outcome"`
	Waits     bool          `json:"waits"` // the records are here yet
	At        time.Time     `json:"at"`
	Due       time.Time     `json:"due"`
	Reply     bool          `json:"reply"` // there is an answer to hand over
}

func rowOfLetter(in rights.TakenIn) letterRow {
	return letterRow{in.Handle(), in.From, in.Agreement, in.Why, in.Files, append([]registry.ID{}, in.Units...), string(in.Outcome), in.Waits(), in.At, in.Due, in.Reply != nil}
}

type lettersData struct {
	Rows   []letterRow `json:"rows"`
	Paging *Paging     `json:"paging"`

	Outcomes []rights.Outcome `json:"-"`
}

func (s *Recalls) letters(p *Page) error {
	all, err := s.Desk.TakenIns(p.Context())
	if err != nil {
		return rightsFault(err)
	}
	slices.Reverse(all)
	d := lettersData{Rows: []letterRow{}, Paging: p.Paging(len(all)), Outcomes: rights.Outcomes()}
	for _, in := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		row := rowOfLetter(in)
		row.Records = nil // whom it is about its own page says, and the log with it
		d.Rows = append(d.Rows, row)
	}
	return p.Show("recalls_letters", "recalls.letters", d)
}

func (s *Recalls) take(p *Page) error {
	raw, err := p.upload("letter")
	if err != nil {
		return err
	}
	var in rights.TakenIn
	err = p.Do(func(ctx context.Context) (err error) {
		in, err = s.Letters.Take(ctx, p.Actor(), raw, p.Form.Get("list"), rights.Outcome(p.Form.Get("outcome")))
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return p.Done("/letters/"+in.Handle(), Note{Word: "recalls.letter_taken"})
}

func (s *Recalls) taken(p *Page) error {
	in, err := s.Desk.TakenIn(p.Context(), p.Param("letter"))
	if err != nil {
		return absent(err)
	}
	if err := s.Desk.Read(p.Context(), p.Actor(), in.Units, "recalls"); err != nil {
		return rightsFault(err)
	}
	return p.Show("recalls_letter", "recalls.letter", rowOfLetter(in), "from", in.From)
}

func (s *Recalls) reply(p *Page) error {
	in, err := s.Desk.TakenIn(p.Context(), p.Param("letter"))
	if err == nil && in.Reply == nil {
		err = ErrNotFound
	}
	if err != nil {
		return absent(err)
	}
	return p.Export(Export{Reason: p.Form.Get("reason"), Agreement: in.Agreement, Rows: len(in.Units), Name: in.ID + ".answer", Mime: rights.TypeAnswer, Body: in.Reply})
}
