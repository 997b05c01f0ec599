package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer/recheck"
	"aidpass/issuer/registry"
)

// Rechecks are the pages of who was drawn by lot to be seen again, for those who had no part
// in their records and cards.
type Rechecks struct{ Desk *recheck.Desk }

// Routes implements Screen.
func (s *Rechecks) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/rechecks", Act: access.RecheckRead, Menu: "rechecks.menu", Answer: rechecksData{}, Handler: s.list},
		{Method: http.MethodGet, Path: "/rechecks/of/:recheck", Act: access.RecheckRead, Answer: recheckView{}, Handler: s.show},
		{Method: http.MethodPost, Path: "/rechecks/of/:recheck/answer", Act: access.RecheckAnswer, Form: []Field{Text("answer", 16), Text("reason", recheck.MaxReason)}, Handler: s.answer},
	}
}

// Needs are those who wait to be seen by whoever may.
func (s *Rechecks) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.RecheckRead) {
		return nil, nil
	}
	n, since, err := s.Desk.Open(ctx, in.Account.ID)
	return []Need{{Word: "rechecks.need", Path: "/rechecks", Count: n, Since: since}}, err
}

type rechecksData struct {
	Rows []recheckView `json:"rows"`
}

// A recheckView is one that was drawn, and what was found.
type recheckView struct {
	ID        string    `json:"recheck"`
	Drawn     time.Time `json:"drawn"`
	Household bool      `json:"household"` // else a person of none
	Name      string    `json:"name"`      // of a household: of its head
	Number    string    `json:"number"`
	List      string    `json:"list"`
	Size      int       `json:"size"` // of the household; 0: not known
	Cards     []string  `json:"cards"`
	Closed    bool      `json:"closed"` // the record is not in use any more
	Waits     bool      `json:"waits"`
	Answer    string    `json:"answer"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	Answered  time.Time `json:"answered"`

	Answers []recheck.Answer `json:"-"` // there are
	Most    int              `json:"-"` // letters of a reason
}

// Called is a name, or else a number, or that neither is known.
func (v recheckView) Called() string { return cmp.Or(v.Name, v.Number, "–") }

func viewOf(i *recheck.Item) recheckView {
	v := recheckView{ID: i.ID, Drawn: i.At, Household: i.Line.Kind == registry.KindHousehold, Name: i.Line.Name.Text, Number: i.Line.Number, List: i.Line.List, Size: i.Line.Size,
		Cards: []string{}, Closed: i.Line.Closed != "", Waits: i.Answer == "", Answer: string(i.Answer), Reason: i.Reason, By: i.By, Answered: i.Answered,
		Answers: recheck.Answers(), Most: recheck.MaxReason}
	for _, c := range i.Line.Cards {
		v.Cards = append(v.Cards, cwt.GroupCardNumber(c))
	}
	return v
}

func (s *Rechecks) list(p *Page) error {
	items, err := s.Desk.Waiting(p.Context(), p.Actor())
	if err != nil {
		return err
	}
	d := rechecksData{Rows: []recheckView{}}
	for i := range items {
		d.Rows = append(d.Rows, viewOf(&items[i]))
	}
	return p.Show("rechecks", "rechecks.title", d)
}

func (s *Rechecks) show(p *Page) error {
	i, err := s.Desk.Item(p.Context(), p.Actor(), p.Param("recheck"))
	if err != nil {
		return recheckFault(err)
	}
	return p.Show("rechecks_one", "rechecks.one", viewOf(&i))
}

func (s *Rechecks) answer(p *Page) error {
	_, err := s.Desk.Find(p.Context(), p.Actor(), p.Param("recheck"))
	if err == nil {
		err = p.Do(func(ctx context.Context) error {
			return s.Desk.Answer(ctx, p.Actor(), p.Param("recheck"), recheck.Answer(p.Form.Get("answer")), p.Form.Get("reason"))
		})
	}
	if err != nil {
		return recheckFault(err)
	}
	return p.Done("/rechecks", Note{Word: "rechecks.kept"})
}

func recheckFault(err error) error {
	switch {
	case errors.Is(err, recheck.ErrNone), errors.Is(err, registry.ErrErased):
		return ErrNotFound
	case errors.Is(err, recheck.ErrAnswered):
		return ErrConflict
	case errors.Is(err, recheck.ErrAnswer):
		return BadForm("rechecks.which", "most", recheck.MaxReason)
	}
	return err
}
