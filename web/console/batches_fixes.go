package console

import (
	"cmp"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// By what the things to mend of a batch are put together.
const (
	byReason = "reason"
	byPlace  = "place"
	byClerk  = "clerk"
)

var fixCuts = []string{byReason, byPlace, byClerk}

type fixesData struct {
	batchRow
	Now     fixCounts  `json:"now"`
	Cuts    []fixCut   `json:"cuts"`
	By      string     `json:"by"`
	Value   string     `json:"value"`
	Fixes   []fixRow   `json:"fixes"`
	Paging  *Paging    `json:"paging"`
	Chosen  fixChoice  `json:"-"` // what is shown; By of it is empty for all
	Prepare url.Values `json:"-"` // the batch anew
}

// fixCounts are units by what they get until what is wrong is mended.
type fixCounts struct {
	Fixes       int `json:"fixes"`
	Units       int `json:"units"`
	Whole       int `json:"whole"`
	Provisional int `json:"provisional"`
	None        int `json:"none"`
}

type fixCut struct {
	By      string      `json:"by"`
	Choices []fixChoice `json:"choices"`
}

// A fixChoice is a reason, place or clerk, with how many things of it are to be mended.
type fixChoice struct {
	By    string        `json:"-"`
	Value string        `json:"value"`
	Count int           `json:"count"`
	Says  template.HTML `json:"-"`
	Path  string        `json:"-"`
	Here  bool          `json:"-"`
}

type fixRow struct {
	Unit      string          `json:"unit"`
	Record    string          `json:"record"`
	Kind      string          `json:"kind"`
	List      string          `json:"list,omitempty"`
	Number    string          `json:"number,omitempty"`
	Code      string          `json:"code"`
	Field     string          `json:"field,omitempty"`
	Months    int             `json:"months,omitempty"`
	Other     string          `json:"other,omitempty"` // the record that may be the same person
	Place     string          `json:"place,omitempty"`
	Clerk     string          `json:"clerk,omitempty"`
	Meanwhile quality.Outcome `json:"meanwhile"`
	Until     time.Time       `json:"until,omitzero"`
	Says      template.HTML   `json:"-"`
	Gets      template.HTML   `json:"-"`
	Path      string          `json:"-"` // where it is mended
}

// mendedAt are the inputs at which what a reason names no field of is corrected.
var mendedAt = map[string]string{quality.ReasonName: "name", quality.ReasonBirth: "birth", quality.ReasonSize: "size", quality.ReasonHead: "head", quality.ReasonHeadGone: "head"}

// fixPath leads to where a thing is mended: the pair, the field's form, else the record.
func (p *Page) fixPath(f *quality.Fix) string {
	if f.Kind != registry.KindPerson && f.Kind != registry.KindHousehold || !p.May("person.read") {
		return ""
	}
	path := pathOf(f.Kind, f.Record)
	if !f.Other.IsZero() && f.Kind == registry.KindPerson && p.May("person.history") {
		return path + "/double?other=" + f.Other.String()
	}
	if at := cmp.Or(mendedAt[f.Code], editedAt[f.Field]); at != "" && p.May("person.edit") {
		return path + "/edit#" + at
	}
	return path
}

// fixValue is what a thing to mend has in a cut.
func fixValue(f *quality.Fix, by string) string {
	switch by {
	case byPlace:
		return f.Place
	case byClerk:
		return f.Clerk
	}
	return strings.TrimRight(f.Code+"/"+cmp.Or(f.Field, f.Issue), "/")
}

// fixWord says what is to be mended.
func (p *Page) fixWord(f *quality.Fix) template.HTML {
	return p.lackWord(leftWords, issuer.Lack{Code: f.Code, Field: f.Field, Issue: f.Issue, Months: f.Months}, f.String())
}

// meanwhile says what a unit gets until its record is mended.
func (p *Page) meanwhile(f *quality.Fix) template.HTML {
	switch {
	case f.Passed:
		return p.T("batches.fix_passed")
	case f.Outcome == quality.Provisional:
		return p.T("batches.fix_until", "until", f.Until)
	case f.Outcome == quality.Refuse:
		return p.T("batches.fix_none")
	}
	return p.T("batches.fix_whole")
}

func countFixes(all []quality.Fix) (n fixCounts) {
	seen := map[registry.ID]bool{}
	n.Fixes = len(all)
	for i := range all {
		f := &all[i]
		if seen[f.Unit] {
			continue
		}
		seen[f.Unit] = true
		n.Units++
		switch f.Outcome {
		case quality.Refuse:
			n.None++
		case quality.Provisional:
			n.Provisional++
		default:
			n.Whole++
		}
	}
	return n
}

// fixCutOf counts a cut's values, most first.
func (p *Page) fixCutOf(all []quality.Fix, batch, by, here string, chosen bool) fixCut {
	counts, first := map[string]int{}, map[string]*quality.Fix{}
	for i := range all {
		v := fixValue(&all[i], by)
		if counts[v]++; first[v] == nil {
			first[v] = &all[i]
		}
	}
	c := fixCut{By: by, Choices: []fixChoice{}}
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		one := fixChoice{By: by, Value: v, Count: counts[v], Here: chosen && v == here, Path: Root + "/batches/of/" + batch + "/fixes?" + url.Values{"by": {by}, "value": {v}}.Encode()}
		switch {
		case by == byReason:
			one.Says = p.reasonWord(first[v])
		case v == "":
			one.Says = p.T("batches.fix_unknown")
		default:
			one.Says = template.HTML("<bdi>" + template.HTMLEscapeString(v) + "</bdi>")
		}
		c.Choices = append(c.Choices, one)
	}
	slices.SortStableFunc(c.Choices, func(a, b fixChoice) int { return b.Count - a.Count })
	return c
}

// reasonWord names a reason alone: not for how long.
func (p *Page) reasonWord(f *quality.Fix) template.HTML {
	if f.Code == quality.ReasonOld {
		return p.T("batches.fix_old")
	}
	return p.fixWord(f)
}

// chosen are those of a cut's value.
func chosenFixes(all []quality.Fix, by, value string) []quality.Fix {
	if by == "" {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(f quality.Fix) bool { return fixValue(&f, by) != value })
}

// fixesOf reads what is asked for.
func (s *Batches) fixesOf(p *Page, f Form) (r *batchRow, all, shown []quality.Fix, by, value string, err error) {
	by, value = f.Get("by"), f.Get("value")
	if by != "" && !slices.Contains(fixCuts, by) {
		return nil, nil, nil, "", "", errFields
	}
	if r, err = s.find(p); err != nil {
		return nil, nil, nil, "", "", err
	}
	if all, err = s.Desk.Fixes(p.Context(), p.Org(), r.ID); err != nil {
		return nil, nil, nil, "", "", deskFault(err)
	}
	return r, all, chosenFixes(all, by, value), by, value, nil
}

// toldFixes tells the log whose records are shown.
func (s *Batches) toldFixes(p *Page, batch string, list []quality.Fix) error {
	var about []issuer.UnitID
	for i := range list {
		about = append(about, list[i].Record)
		if !list[i].Other.IsZero() {
			about = append(about, list[i].Other)
		}
	}
	return deskFault(s.Desk.FixesRead(p.Context(), p.Org(), p.Actor(), batch, about))
}

// fixes lists everything that is to be mended of whom a batch is for, as the records are now.
func (s *Batches) fixes(p *Page) error {
	r, all, shown, by, value, err := s.fixesOf(p, p.Query)
	if err != nil {
		return err
	}
	d := fixesData{batchRow: *r, Now: countFixes(all), By: by, Value: value, Fixes: []fixRow{}, Paging: p.Paging(len(shown))}
	for _, cut := range fixCuts {
		c := p.fixCutOf(all, r.ID, cut, value, cut == by)
		d.Cuts = append(d.Cuts, c)
		if i := slices.IndexFunc(c.Choices, func(x fixChoice) bool { return x.Here }); i >= 0 {
			d.Chosen = c.Choices[i]
		}
	}
	who := "due"
	if r.All {
		who = "all"
	}
	d.Prepare = url.Values{"place": {r.Programme + "/" + strconv.FormatUint(r.Round, 10)}, "type": {r.Type}, "who": {cmp.Or(r.Import, who)}}
	if r.Photo {
		d.Prepare.Set("photo", "yes")
	}
	shown = shown[d.Paging.Offset():min(len(shown), d.Paging.Offset()+d.Paging.Size)]
	for i := range shown {
		f := &shown[i]
		row := fixRow{Unit: f.Unit.String(), Record: f.Record.String(), Kind: string(f.Kind), List: f.List, Number: f.Number, Code: f.Code, Field: f.Field, Months: f.Months, Place: f.Place, Clerk: f.Clerk,
			Meanwhile: f.Outcome, Until: f.Until, Says: p.fixWord(f), Gets: p.meanwhile(f), Path: p.fixPath(f)}
		if !f.Other.IsZero() {
			row.Other = f.Other.String()
		}
		d.Fixes = append(d.Fixes, row)
	}
	if err := s.toldFixes(p, r.ID, shown); err != nil {
		return err
	}
	return p.Show("batches_fixes", "batches.fixes", d)
}

// fixesFile is the list as a workbook, in the reader's words.
func (s *Batches) fixesFile(p *Page) error {
	r, _, shown, _, _, err := s.fixesOf(p, p.Form)
	if err != nil {
		return err
	}
	rows := make([][]string, 0, len(shown))
	for i := range shown {
		f := &shown[i]
		rows = append(rows, f.Row(textOf(p.fixWord(f)), textOf(p.meanwhile(f))))
	}
	b, err := issuer.FixBook(rows)
	if err != nil {
		return err
	}
	if err := s.toldFixes(p, r.ID, shown); err != nil {
		return err
	}
	return p.Export(Export{Reason: p.Form.Get("reason"), Rows: len(rows), Name: "fixes-" + r.ID + ".xlsx", Mime: xlsxMedia, Body: b})
}
