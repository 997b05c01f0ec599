package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A ProgrammesDesk plans the programmes of an organisation. What is not there, or another
// organisation's, is registry.ErrNotFound; what cannot be meant a *registry.Refusal.
type ProgrammesDesk interface {
	Programmes(ctx context.Context, org string) ([]registry.Programme, error)
	Programme(ctx context.Context, org, code string) (registry.Programme, error)
	// Due counts what is due in each round, by its status.
	Due(ctx context.Context, org, code string) (map[uint64]map[registry.EntitlementStatus]int, error)
	SaveProgramme(ctx context.Context, org string, by access.Actor, p registry.Programme) (registry.Programme, error)
	SaveRound(ctx context.Context, org string, by access.Actor, code string, r registry.Round) error
	// Plan says what everybody of a programme is due in a round; preview writes nothing.
	Plan(ctx context.Context, org string, by access.Actor, code string, round uint64, rule registry.Rule, preview bool) (registry.Plan, error)
}

// Programmes are the pages of programmes, their rounds, and what is due in them.
type Programmes struct {
	Desk ProgrammesDesk
	// Packs is what the packs of this server serve, as DevicesDesk has it; nil: not known here.
	Packs func(ctx context.Context, org string) ([]PackServes, error)
}

// Routes implements Screen.
func (s *Programmes) Routes() []Route {
	form := []Field{Text("name", 100), Text("modality", 20), Text("counts", 20), Text("currency", 3), Text("start", 10), Text("end", 10)}
	plan := ConfirmFields(Text("round", 10), Text("amount", 20), Text("per_head", 3), Text("items", 200), Text("visits", 200), Text("mechanism", 100), Text("here", 3))
	return []Route{
		{Method: http.MethodGet, Path: "/programmes", Act: access.ProgrammeRead, Menu: "programmes.menu", Answer: Members(programmesData{}, "rows"), Handler: s.list},
		{Method: http.MethodGet, Path: "/programmes/new", Act: access.ProgrammePlan, Answer: Members(programmesData{}, "programme"), Handler: s.blank},
		{Method: http.MethodPost, Path: "/programmes/new", Act: access.ProgrammePlan, Form: form, Handler: s.add},
		{Method: http.MethodGet, Path: "/programmes/of/:programme", Act: access.ProgrammeRead, Answer: Members(programmesData{}, "programme", "rounds"), Handler: s.show},
		{Method: http.MethodPost, Path: "/programmes/of/:programme", Act: access.ProgrammePlan, Form: form, Handler: s.change},
		{Method: http.MethodPost, Path: "/programmes/of/:programme/round", Act: access.ProgrammePlan,
			Form: []Field{Text("round", 10), Text("label", 100), Text("opens", 10), Text("closes", 10), Text("sites", 400)}, Handler: s.round},
		{Method: http.MethodPost, Path: "/programmes/of/:programme/plan", Act: access.ProgrammePlan, Form: plan, Handler: s.plan},
	}
}

// Needs implements Screen.
func (s *Programmes) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type programmesData struct {
	Rows      []registry.Programme `json:"rows,omitempty"`
	Programme registry.Programme   `json:"programme"`
	Rounds    []roundRow           `json:"rounds,omitempty"`
	Ways      []string             `json:"-"` // of help
}

// modalities are the ways of help that a programme can have.
var modalities = []string{"cash", "voucher", "in_kind", "service"}

type roundRow struct {
	registry.Round
	Planned   int `json:"planned"`
	Issued    int `json:"issued"`
	Collected int `json:"collected"`
	Held      int `json:"held"` // or cancelled, returned, lapsed

	Packs *servedRound `json:"packs,omitempty"` // nil: not known
}

func (s *Programmes) list(p *Page) error {
	all, err := s.Desk.Programmes(p.Context(), p.Org())
	if err != nil {
		return deskFault(err)
	}
	return p.Show("programmes", "programmes.title", programmesData{Rows: all})
}

func (s *Programmes) blank(p *Page) error {
	return p.Show("programmes_new", "programmes.new", programmesData{Programme: registry.Programme{Counts: registry.KindHousehold}, Ways: modalities})
}

func programmeOf(p *Page, was registry.Programme) registry.Programme {
	was.Name, was.Modality, was.Currency = p.Form.Get("name"), p.Form.Get("modality"), strings.ToUpper(p.Form.Get("currency"))
	was.Start, was.End = p.Form.Get("start"), p.Form.Get("end")
	if was.Code == "" {
		was.Counts = registry.Kind(p.Form.Get("counts"))
	}
	return was
}

func (s *Programmes) add(p *Page) error {
	return s.save(p, programmeOf(p, registry.Programme{}))
}

func (s *Programmes) change(p *Page) error {
	was, err := s.Desk.Programme(p.Context(), p.Org(), p.Param("programme"))
	if err != nil {
		return deskFault(err)
	}
	return s.save(p, programmeOf(p, was))
}

func (s *Programmes) save(p *Page, one registry.Programme) error {
	err := p.Do(func(ctx context.Context) (err error) {
		one, err = s.Desk.SaveProgramme(ctx, p.Org(), p.Actor(), one)
		return err
	})
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/programmes/of/"+one.Code, Note{Word: "programmes.saved", Fill: []any{"code", one.Code}})
}

func (s *Programmes) show(p *Page) error {
	one, err := s.Desk.Programme(p.Context(), p.Org(), p.Param("programme"))
	if err != nil {
		return deskFault(err)
	}
	due, err := s.Desk.Due(p.Context(), p.Org(), one.Code)
	if err != nil {
		return deskFault(err)
	}
	d := programmesData{Programme: one, Ways: modalities}
	var serves []PackServes
	if s.Packs != nil {
		if serves, err = s.Packs(p.Context(), p.Org()); err != nil {
			return err
		}
	}
	for _, r := range one.Rounds {
		var packs *servedRound
		if s.Packs != nil {
			in := servedBy(serves, one.Code, r.N)
			packs = &in
		}
		n := due[r.N]
		d.Rounds = append(d.Rounds, roundRow{r, n[registry.Planned], n[registry.Granted], n[registry.Collected] + n[registry.Partial],
			n[registry.OnHold] + n[registry.Cancelled] + n[registry.Returned] + n[registry.Lapsed], packs})
	}
	return p.Show("programmes_show", "programmes.one", d, "code", one.Code)
}

func (s *Programmes) round(p *Page) error {
	one, err := s.Desk.Programme(p.Context(), p.Org(), p.Param("programme"))
	if err != nil {
		return deskFault(err)
	}
	n, err := roundOf(p.Form.Get("round"))
	if err != nil {
		return err
	}
	r := registry.Round{N: n, Label: p.Form.Get("label"), Opens: p.Form.Get("opens"), Closes: p.Form.Get("closes"), Sites: listOf(p.Form.Get("sites"))}
	err = p.Do(func(ctx context.Context) error { return s.Desk.SaveRound(ctx, p.Org(), p.Actor(), one.Code, r) })
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/programmes/of/"+one.Code, Note{Word: "programmes.round_saved", Fill: []any{"round", int64(n)}})
}

// roundOf reads a round as people type it, in the digits of any language of the console.
func roundOf(text string) (uint64, error) {
	n, err := strconv.ParseUint(digits(text), 10, 13)
	if err != nil || n == 0 {
		return 0, BadForm("programmes.bad_round")
	}
	return n, nil
}

// listOf are the parts of a list as people type it.
func listOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;،؛ ", r) })
}

// plan says first what it would come to.
func (s *Programmes) plan(p *Page) error {
	one, err := s.Desk.Programme(p.Context(), p.Org(), p.Param("programme"))
	if err != nil {
		return deskFault(err)
	}
	round, err := roundOf(p.Form.Get("round"))
	if err != nil {
		return err
	}
	rule := registry.Rule{Amount: p.Form.Get("amount"), PerHead: p.Form.Get("per_head") != "", Mechanism: p.Form.Get("mechanism"), Here: p.Form.Get("here") != ""}
	for _, part := range listOf(p.Form.Get("items")) {
		item, ok := registry.ParseItem(part)
		if !ok {
			return BadForm("programmes.bad_item")
		}
		rule.Items = append(rule.Items, item)
	}
	for _, part := range listOf(p.Form.Get("visits")) {
		visits, ok := registry.ParseService(part)
		if !ok {
			return BadForm("programmes.bad_item")
		}
		rule.Services = append(rule.Services, visits)
	}
	would, err := s.Desk.Plan(p.Context(), p.Org(), p.Actor(), one.Code, round, rule, true)
	if err != nil {
		return deskFault(err)
	}
	n := would.New + would.Changed
	if !p.Confirmed(n) {
		c := Confirm{Says: p.T("programmes.would", "count", n, "units", would.Units, "total", strings.TrimSpace(would.Total+" "+one.Currency)), Can: n,
			Path: "/programmes/of/" + one.Code + "/plan", Back: "/programmes/of/" + one.Code, Fields: p.fields("round", "amount", "per_head", "items", "visits", "mechanism", "here"), Do: p.T("programmes.plan_do")}
		elsewhere := "programmes.elsewhere"
		if rule.Here {
			elsewhere = "programmes.left_elsewhere"
		}
		for _, left := range []Reason{{p.T(elsewhere), would.Elsewhere}, {p.T("programmes.same"), would.Same}, {p.T("programmes.kept"), would.Kept}, {p.T("programmes.sizeless"), len(would.Sizeless)}} {
			if left.Count > 0 {
				c.Cannot = append(c.Cannot, left)
			}
		}
		return p.Confirm("programmes.plan", c)
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Plan(ctx, p.Org(), p.Actor(), one.Code, round, rule, false)
		return err
	})
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/programmes/of/"+one.Code, Note{Word: "programmes.planned", Fill: []any{"count", n, "round", int64(round)}})
}

// fields are what the form said in some fields, to be said again.
func (p *Page) fields(names ...string) map[string]string {
	again := map[string]string{}
	for _, name := range names {
		if v := p.Form.Get(name); v != "" {
			again[name] = v
		}
	}
	return again
}
