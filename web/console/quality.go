package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality/indicator"
)

// Quality is the page of the 31 indicators, from the newest snapshot, and the lists of what
// each counts.
type Quality struct {
	Desk *indicator.Desk
	Work QualityWork // nil: everything is made while the page waits

	polls polls
}

const (
	qualityDays = 60  // of a drawn history
	mostDefects = 200 // shown of a list; a file has all
)

// Routes implements Screen.
func (s *Quality) Routes() []Route {
	cell := []Field{Text("indicator", 5), Text("by", 8), Text("value", 200)}
	return []Route{
		{Method: http.MethodGet, Path: "/quality", Act: access.QualityRead, Menu: "quality.menu", Query: cell[1:], Answer: qualityData{}, Handler: s.show},
		{Method: http.MethodGet, Path: "/quality/list", Act: access.QualityList, Query: cell, Answer: defectsData{}, Handler: s.list},
		{Method: http.MethodPost, Path: "/quality/file", Act: access.QualityExport, Form: append([]Field{Text("reason", maxReason)}, cell...), Answer: Sends(xlsxMedia), Handler: s.file},
		{Method: http.MethodPost, Path: "/quality/take", Act: access.QualityTake, Handler: s.take},
		{Method: http.MethodPost, Path: "/quality/list", Act: access.QualityList, Form: cell, Handler: s.make},
		{Method: http.MethodGet, Path: "/quality/made/:made", Act: access.QualityList, Answer: defectsData{}, Handler: s.made},
		{Method: http.MethodPost, Path: "/quality/made/:made/take", Act: access.QualityExport, Answer: Sends(xlsxMedia), Handler: s.takeFile},
	}
}

// Needs implements Screen: no figure waits for anybody.
func (s *Quality) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type qualityData struct {
	At     time.Time     `json:"at"` // zero: nothing was measured yet
	By     string        `json:"by"`
	Value  string        `json:"value"`
	Cuts   []string      `json:"-"`
	Values []string      `json:"values"` // of the cut
	Shown  []cutValue    `json:"-"`      // the same for people
	Score  float64       `json:"score"`  // of 100; 0 where nothing is measured
	Scored template.HTML `json:"-"`
	Rows   []qualityRow  `json:"rows"`
}

// A cutValue is a value of a cut that can be chosen.
type cutValue struct {
	Value string
	Says  template.HTML
}

// shown says a value of a cut: its code, with the name that goes with it. It stands where no
// element can, in an option.
func (p *Page) shown(cut indicator.Cut, value string, names map[string]CutName) template.HTML {
	code, listed := indicator.Area(cut, value)
	if !listed {
		return inOption(p.T("quality.not_listed", "code", code))
	}
	var parts []string
	if value != "" {
		parts = append(parts, isolate(value))
	}
	if name := names[value]; name.Text != "" {
		parts = append(parts, isolate(name.Text))
	}
	if day := names[value].Day; !day.IsZero() {
		parts = append(parts, string(inOption(p.Date(day))))
	}
	if len(parts) == 0 {
		return template.HTML(isolate(p.Plain("quality.unknown")))
	}
	return template.HTML(strings.Join(parts, " · "))
}

// inOption is a sentence without elements, its values isolated by signs.
func inOption(sentence template.HTML) template.HTML {
	return template.HTML(textOf(template.HTML(strings.NewReplacer("<bdi>", "\u2068", "</bdi>", "\u2069").Replace(string(sentence)))))
}

// names are those of a cut's values.
func (s *Quality) names(ctx context.Context, cut indicator.Cut) (map[string]CutName, error) {
	if s.Work == nil || cut == indicator.All {
		return nil, nil
	}
	return s.Work.Names(ctx, cut)
}

// A qualityRow is one indicator in one cell.
type qualityRow struct {
	ID      string          `json:"indicator"`
	Name    string          `json:"name"`
	Is      string          `json:"is"`
	Why     string          `json:"not_measured"` // code; empty: it is measured
	WhySays string          `json:"-"`
	State   indicator.State `json:"state"`
	Mark    string          `json:"definition"`
	Bad     int64           `json:"bad"`
	Of      int64           `json:"of"`
	Figures []qualityFigure `json:"figures"`
	Spark   template.HTML   `json:"-"`
	Changed []time.Time     `json:"-"` // days on which its definition changed
	List    string          `json:"-"` // where its list is
}

type qualityFigure struct {
	indicator.Value
	Name string        `json:"-"` // of a second one
	Says template.HTML `json:"-"`
}

// Sign is the shape of its state: it says without colour what the word beside it says.
func (r qualityRow) Sign() string {
	return map[indicator.State]string{indicator.Green: "●", indicator.Amber: "▲", indicator.Red: "■", indicator.NA: "○"}[r.State]
}

// cellOf reads which cell is asked for.
func cellOf(f Form) (indicator.Cut, string, error) {
	c := indicator.Cut(f.Get("by"))
	if !slices.Contains(indicator.Cuts(), c) {
		return "", "", errFields
	}
	if c == indicator.All {
		return c, "", nil
	}
	return c, f.Get("value"), nil
}

// indicatorWord is the words of a key of package indicator.
func (p *Page) indicatorWord(key string) string {
	if w := indicator.Words(p.Lang)[key]; w != "" {
		return w
	}
	return key
}

func (s *Quality) show(p *Page) error {
	cut, value, err := cellOf(p.Query)
	if err != nil {
		return err
	}
	d := qualityData{By: string(cut), Value: value, Values: []string{}, Rows: []qualityRow{}}
	for _, c := range indicator.Cuts()[1:] {
		d.Cuts = append(d.Cuts, string(c))
	}
	var last indicator.Snapshot
	var days []indicator.Snapshot
	var parts indicator.Parts
	var names map[string]CutName
	err = p.Do(func(ctx context.Context) (err error) {
		if last, err = s.Desk.Store.LastSnapshot(ctx); err != nil {
			return err
		}
		if cut != indicator.All {
			if names, err = s.names(ctx, cut); err != nil {
				return err
			}
			parts, err = s.Desk.Store.PartsOf(ctx, last.Day(), cut)
			return err
		}
		days, err = s.Desk.Store.Snapshots(ctx, last.At.AddDate(0, 0, -qualityDays))
		return err
	})
	if errors.Is(err, indicator.ErrNone) {
		return p.Show("quality", "quality.title", d)
	} else if err != nil {
		return err
	}
	policy, err := s.Desk.Policy()
	if err != nil {
		return err
	}
	d.At = last.At
	values := map[string]bool{}
	for _, cells := range parts {
		for v := range cells {
			values[v] = true
		}
	}
	d.Values = append(d.Values, slices.Sorted(maps.Keys(values))...)
	for _, v := range d.Values {
		d.Shown = append(d.Shown, cutValue{v, p.shown(cut, v, names)})
	}
	if cut != indicator.All && !values[value] && len(d.Values) > 0 { // the page shows the first as chosen
		value = d.Values[0]
		d.Value = value
	}
	defs := indicator.Definitions(policy)
	list := make([]indicator.Measured, len(last.Indicators))
	for i, k := range last.Indicators {
		at := slices.IndexFunc(defs, func(d indicator.Definition) bool { return d.ID == k.ID })
		if at < 0 {
			return fmt.Errorf("console: a snapshot has the indicator %q, which nobody defines", k.ID)
		}
		def := &defs[at]
		tally := k.Tally
		if cut != indicator.All {
			tally = parts[k.ID][value]
		}
		list[i] = indicator.Measured{Definition: def, ID: k.ID, Cells: map[indicator.Cut]map[string]indicator.Tally{cut: {value: tally}}}
		d.Rows = append(d.Rows, s.row(p, def, k, tally, cut, value, days))
	}
	score := last.Score // of that day, by that day's weights
	if cut != indicator.All {
		score = indicator.ScoreOf(list, policy, cut, value)
	}
	if score.Known {
		d.Score, d.Scored = score.Value, p.decimal(score.Value)
	}
	return p.Show("quality", "quality.title", d)
}

func (s *Quality) row(p *Page, def *indicator.Definition, k indicator.Kept, tally indicator.Tally, cut indicator.Cut, value string, days []indicator.Snapshot) qualityRow {
	own := def.Own(tally)
	row := qualityRow{ID: k.ID, Name: p.indicatorWord(def.Key() + ".name"), Is: p.indicatorWord(def.Key() + ".is"), Why: k.NA, State: def.State(tally), Mark: k.Mark, Bad: own.Bad, Of: own.Of,
		List: "/desk/quality/list?" + url.Values{"indicator": {k.ID}, "by": {string(cut)}, "value": {value}}.Encode()}
	if row.State == indicator.NA {
		row.WhySays = p.indicatorWord("quality.na." + cmp.Or(k.NA, "little"))
	}
	for _, v := range def.Values(tally) {
		if v.State == indicator.NA && v.Figure != "" {
			continue
		}
		f := qualityFigure{Value: v, Says: p.figure(v)}
		if v.Figure != "" {
			f.Name = p.indicatorWord("quality.figure." + v.Figure)
		}
		row.Figures = append(row.Figures, f)
	}
	row.Spark, row.Changed = spark(p, k.ID, days)
	return row
}

// IndicatorState is the word of a state.
func (p *Page) IndicatorState(s indicator.State) string {
	return p.indicatorWord("quality.state." + string(s))
}

// figure says a value in its unit.
func (p *Page) figure(v indicator.Value) template.HTML {
	if v.State == indicator.NA {
		return "–"
	}
	key := map[indicator.Unit]string{indicator.Percent: "quality.percent", indicator.Days: "quality.in_days", indicator.Hours: "quality.in_hours"}[v.Unit]
	n := p.decimal(v.Value)
	if key == "" {
		return n
	}
	return p.T(key, "value", n)
}

// decimal writes a number with at most one decimal, as the language does.
func (p *Page) decimal(x float64) template.HTML {
	return template.HTML("<bdi>" + message.NewPrinter(languageTags[p.Lang]).Sprint(number.Decimal(x, number.MaxFractionDigits(1))) + "</bdi>")
}

// Sizes of a drawn history, in units of its own.
const (
	sparkWidth  = 120
	sparkHeight = 32
)

// spark draws an indicator's figures day by day, from the side where the language begins, with
// a line where its definition changed. The days stand in its title.
func spark(p *Page, id string, days []indicator.Snapshot) (template.HTML, []time.Time) {
	var values []float64
	var at []time.Time
	var marks []int
	var changed []time.Time
	before := ""
	for i := range days {
		k := slices.IndexFunc(days[i].Indicators, func(k indicator.Kept) bool { return k.ID == id })
		if k < 0 || len(days[i].Indicators[k].Values) == 0 || days[i].Indicators[k].Values[0].State == indicator.NA {
			continue
		}
		kept := days[i].Indicators[k]
		if before != "" && before != kept.Mark {
			marks, changed = append(marks, len(values)), append(changed, days[i].At)
		}
		before = kept.Mark
		values, at = append(values, kept.Values[0].Value), append(at, days[i].At)
	}
	if len(values) < 2 {
		return "", changed
	}
	least, most := slices.Min(values), slices.Max(values)
	x := func(i int) int {
		x := 2 + i*(sparkWidth-4)/(len(values)-1)
		if p.Dir() == "rtl" {
			return sparkWidth - x
		}
		return x
	}
	var w strings.Builder
	title := textOf(p.T("quality.spark", "count", len(values), "first", p.Date(at[0]), "last", p.Date(at[len(at)-1])))
	fmt.Fprintf(&w, `<svg class="spark" role="img" aria-label="%s" viewBox="0 0 %d %d"><polyline points="`, title, sparkWidth, sparkHeight)
	for i, v := range values {
		y := sparkHeight / 2
		if most > least {
			y = sparkHeight - 4 - int((v-least)/(most-least)*(sparkHeight-8))
		}
		fmt.Fprintf(&w, "%d,%d ", x(i), y)
	}
	w.WriteString(`"/>`)
	for _, m := range marks {
		fmt.Fprintf(&w, `<line x1="%d" y1="0" x2="%d" y2="%d"/>`, x(m), x(m), sparkHeight)
	}
	w.WriteString(`</svg>`)
	return template.HTML(w.String()), changed
}

type defectsData struct {
	ID       string        `json:"indicator"`
	By       string        `json:"by"`
	Value    string        `json:"value"`
	Name     string        `json:"-"`
	Is       string        `json:"-"`
	Shown    template.HTML `json:"-"`        // the value for people
	All      int           `json:"all"`      // there are
	Withheld int           `json:"withheld"` // drawn by lot, and the asker had a part in them
	Rows     []defectView  `json:"rows"`     // the first of them

	Long  bool      `json:"long_work"` // it is made beside the pages: nothing of it is here yet
	At    time.Time `json:"at,omitzero"`
	Until time.Time `json:"until,omitzero"` // of one that was made beside them: when it is gone
	File  string    `json:"-"`              // where its workbook is
}

// A defectView is one entry of a list, with where its record is.
type defectView struct {
	Record string `json:"record"` // empty: of none that is known
	Kind   string `json:"kind"`   // person or household
	List   string `json:"list"`
	Number string `json:"number"` // in that list
	Field  string `json:"field"`
	Code   string `json:"code"`
	Extra  string `json:"extra"` // ids, codes and counts
	Path   string `json:"-"`
	At     string `json:"-"` // the field in words
	More   string `json:"-"` // Extra, where it is fields in words
	Says   string `json:"-"`
	Label  string `json:"-"`
}

// editedAt are the inputs at which a record's fields are corrected.
var editedAt = map[string]string{"name": "name", "names": "name", "sex": "sex", "birth": "birth", "origin": "origin", "relation": "relation", "location": "site", "pcode": "pcode",
	"registration": "registered", "registered": "registered", "contact": "phone", "contacts": "phone", "languages": "language", "size": "size", "residence": "residence"}

// fieldNames are fields in words, as a desk has them.
func (p *Page) fieldNames(fields string) string {
	names := strings.Fields(fields)
	for i, f := range names {
		if f == "document" { // whose word is that of the input of its number
			f = "documents"
		}
		if fieldWords[f] != "" {
			names[i] = p.Plain(fieldWords[f])
		}
	}
	return strings.Join(names, " · ")
}

// order reads which list is asked for.
func (s *Quality) order(f Form, what QualityWhat) (o QualityOrder, d indicator.Definition, err error) {
	cut, value, err := cellOf(f)
	if err != nil {
		return o, d, err
	}
	policy, err := s.Desk.Policy()
	if err != nil {
		return o, d, err
	}
	d, ok := indicator.Find(policy, f.Get("indicator"))
	if !ok {
		return o, d, errFields
	}
	return QualityOrder{What: what, Indicator: d.ID, By: cut, Value: value, Reason: f.Get("reason")}, d, nil
}

// list shows a list, or of a large register how to have it made.
func (s *Quality) list(p *Page) error {
	o, def, err := s.order(p.Query, QualityListed)
	if err != nil {
		return err
	}
	long, err := s.long(p)
	if err != nil {
		return err
	}
	if long {
		d := s.listed(p, &o, &def, &indicator.Listing{})
		d.Long = true
		return p.Show("quality_list", "quality.list", d)
	}
	var list indicator.Listing
	err = p.Do(func(ctx context.Context) (err error) {
		list, err = o.List(ctx, s.Desk, p.Actor())
		return err
	})
	if err != nil {
		return err
	}
	return p.Show("quality_list", "quality.list", s.listed(p, &o, &def, &list))
}

// listed is a list as its page shows it.
func (s *Quality) listed(p *Page, o *QualityOrder, def *indicator.Definition, list *indicator.Listing) defectsData {
	d := defectsData{ID: def.ID, By: string(o.By), Value: o.Value, Shown: p.shown(o.By, o.Value, nil), Name: p.indicatorWord(def.Key() + ".name"), Is: p.indicatorWord(def.Key() + ".is"), All: list.All, Withheld: list.Withheld, Rows: []defectView{}}
	for _, l := range list.Lines {
		v := defectView{Record: l.ID, Kind: string(l.Kind), List: l.List, Number: l.Number, Field: l.Field, Code: l.Code, Extra: l.Extra, Says: l.Code, Label: l.ID}
		if w := indicator.Words(p.Lang)["quality.code."+l.Code]; w != "" {
			v.Says = w
		} else if w := p.Plain("imports.code_" + l.Code); w != "" {
			v.Says = w
		}
		if l.Number != "" {
			v.Label = strings.TrimSpace(l.Number + " " + l.List)
		}
		v.At, v.More = p.fieldNames(l.Field), l.Extra
		if l.Code == indicator.CodeMissing {
			v.More = p.fieldNames(l.Extra)
		}
		switch l.Kind {
		case registry.KindPerson:
			v.Path = "/desk/people/" + l.ID
		case registry.KindHousehold:
			v.Path = "/desk/households/" + l.ID
		}
		if at := editedAt[l.Field]; v.Path != "" && at != "" && p.May(string(access.PersonEdit)) {
			v.Path += "/edit#" + at
		}
		d.Rows = append(d.Rows, v)
	}
	return d
}

func (s *Quality) file(p *Page) error {
	o, _, err := s.order(p.Form, QualityFile)
	if err != nil {
		return err
	}
	if o.Reason == "" {
		return BadForm("quality.need_reason")
	}
	if long, err := s.long(p); err != nil {
		return err
	} else if long {
		return s.begin(p, o)
	}
	var list indicator.Listing
	err = p.Do(func(ctx context.Context) (err error) {
		list, err = o.List(ctx, s.Desk, p.Actor())
		return err
	})
	if err != nil {
		return err
	}
	b, err := list.Workbook()
	if err != nil {
		return err
	}
	return p.Download(o.fileName(), xlsxMedia, b)
}

func (s *Quality) take(p *Page) error {
	if long, err := s.long(p); err != nil {
		return err
	} else if long {
		return s.begin(p, QualityOrder{What: QualityTaken})
	}
	err := p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Take(ctx, p.Actor())
		return err
	})
	if err != nil && !errors.Is(err, indicator.ErrTaken) {
		return err
	}
	return p.Done("/quality", Note{Word: "quality.kept"})
}
