package console

import (
	"context"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
)

// Exports are the pages from which records are taken out as a file: for others under an
// agreement, or for a purpose of one's own. What a file would hold and whom it leaves out
// is counted first; it is made as long work, and handed to who asked for it.
type Exports struct{ Desk ExportDesk }

// An ExportDesk makes files of records.
type ExportDesk interface {
	Agreements(ctx context.Context, org string) ([]rights.Agreement, error)
	Programmes(ctx context.Context, org string) ([]registry.Programme, error)
	// Count is what a file would hold now. Nothing is kept of it. What cannot be made is a
	// *rights.Refusal.
	Count(ctx context.Context, org string, o ExportOrder) (export.Summary, error)
	// Start begins to make a file of so many rows, and returns its job.
	Start(ctx context.Context, org string, by access.Actor, o ExportOrder, rows int) (job string, err error)
	// Made is the file of a job, for the account that asked for it; ErrNotFound for every
	// other, and once its time is over; ErrExportGone where somebody in it may not be told of
	// any more.
	Made(ctx context.Context, org, account, job string) (ExportMade, error)
	// HandOut is Made for who takes it now. From then on whoever it is for has it, and is to be
	// told when somebody in it takes a yes back.
	HandOut(ctx context.Context, org string, by access.Actor, job string) (ExportMade, error)
}

// An ExportOrder says what is to be taken out, and what for.
type ExportOrder struct {
	Agreement string         `json:"agreement,omitempty"` // empty: own use
	Purpose   rights.Purpose `json:"purpose,omitempty"`   // of own use
	Form      export.Form    `json:"form"`
	Fields    []string       `json:"fields,omitempty"` // none: the agreement's, or the usual ones
	Programme string         `json:"programme,omitempty"`
	Round     uint64         `json:"round,omitempty"`
	Reason    string         `json:"reason"`
}

// Options are those of package export.
func (o *ExportOrder) Options() export.Options {
	return export.Options{Form: o.Form, Fields: o.Fields, Programme: o.Programme, Round: o.Round, Reason: o.Reason, Use: rights.Use{Agreement: o.Agreement, Purpose: o.Purpose}}
}

// An ExportMade is a file that was made, and waits for who asked for it.
type ExportMade struct {
	Order   ExportOrder
	Summary export.Summary
	Until   time.Time // when it is gone
	Body    []byte
}

// ErrExportGone: somebody in the file took a yes back or was erased, or its agreement ended.
var ErrExportGone = &Fault{Status: http.StatusGone, Word: "exports.gone"}

// Words of the long work, and of how it fails.
const (
	WordExporting      = "exports.making"
	WordExportRefused  = "exports.stopped" // the agreement ended meanwhile, or nobody fits any more
	WordExportTooLarge = "exports.too_large"
)

// exportForms are the forms of files, with their media types.
var exportForms = map[export.Form]string{export.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", export.HXL: "text/csv; charset=utf-8", export.RRF: "application/xml"}

// Routes implements Screen.
func (s *Exports) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/exports", Act: access.ExportMake, Menu: "exports.menu", Query: []Field{Text("agreement", 40)}, Answer: exportsData{}, Handler: s.form},
		{Method: http.MethodPost, Path: "/exports", Act: access.ExportMake,
			Form: ConfirmFields(Text("use", 60), Text("form", 8), Text("place", 40), Text("reason", export.MaxReason), Many("fields", 60, maxShared), Text("columns", 1000)), Handler: s.make},
		{Method: http.MethodGet, Path: "/exports/of/:export", Act: access.ExportMake, Answer: exportData{}, Handler: s.show},
		{Method: http.MethodPost, Path: "/exports/of/:export/take", Act: access.ExportMake, Answer: Sends(exportForms[export.XLSX], exportForms[export.HXL], exportForms[export.RRF]), Handler: s.take},
	}
}

// Needs implements Screen: a file that was made is told of among the long work.
func (s *Exports) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type exportsData struct {
	Agreements []exportUse
	Chosen     string           `json:"-"`
	Own        []rights.Purpose `json:"own_purposes"`
	Places     []placeChoice    `json:"-"`
	Groups     []fieldGroup     `json:"-"`
}

// An exportUse is an agreement that is in force.
type exportUse struct {
	ID      string
	With    string
	Purpose rights.Purpose
}

func (s *Exports) form(p *Page) error {
	all, err := s.Desk.Agreements(p.Context(), p.Org())
	if err != nil {
		return err
	}
	programmes, err := s.Desk.Programmes(p.Context(), p.Org())
	if err != nil {
		return err
	}
	d := exportsData{Own: rights.OwnPurposes(), Chosen: p.Query.Get("agreement")}
	for _, a := range all {
		d.Agreements = append(d.Agreements, exportUse{a.ID, a.With.Name, a.Purpose})
	}
	for _, one := range programmes {
		d.Places = append(d.Places, placesOf(one)...)
	}
	d.Groups, _ = fieldGroups(p, nil)
	for i := range d.Groups {
		d.Groups[i].Open = false
		d.Groups[i].Box = slices.DeleteFunc(d.Groups[i].Box, func(b fieldBox) bool { return b.Field == rights.PhotoField })
	}
	return p.Show("exports", "exports.title", d)
}

// order is what a form asks for.
func (s *Exports) order(p *Page) (o ExportOrder, err error) {
	o = ExportOrder{Form: export.Form(p.Form.Get("form")), Fields: p.Form.All("fields"), Reason: p.Form.Get("reason")}
	kind, use, _ := strings.Cut(p.Form.Get("use"), ":")
	switch kind {
	case "agreement":
		o.Agreement = use
	case "own":
		o.Purpose = rights.Purpose(use)
	}
	for _, column := range items(p.Form.Get("columns")) {
		o.Fields = append(o.Fields, "ext."+column)
	}
	switch {
	case o.Agreement == "" && !o.Purpose.Own():
		return o, BadForm("exports.for_whom")
	case exportForms[o.Form] == "":
		return o, BadForm("exports.which_form")
	case o.Reason == "":
		return o, errReason
	}
	if place := p.Form.Get("place"); place != "" {
		o.Programme, o.Round, err = placeOf(place)
	}
	return o, err
}

// make counts, and begins once that was confirmed.
func (s *Exports) make(p *Page) error {
	o, err := s.order(p)
	if err != nil {
		return err
	}
	if err := o.Options().Check(); err != nil {
		return BadForm("exports.refused", "why", strings.TrimPrefix(err.Error(), "export: "))
	}
	sum, err := s.Desk.Count(p.Context(), p.Org(), o) // nothing is stored, and of a large register it takes longer than a store may
	if err != nil {
		return exportFault(err)
	}
	rows := sum.Households + sum.People
	if !p.Confirmed(rows) {
		return p.Confirm("exports.confirm", s.confirm(p, &o, &sum))
	}
	var job string
	err = p.Do(func(ctx context.Context) (err error) {
		job, err = s.Desk.Start(ctx, p.Org(), p.Actor(), o, rows)
		return err
	})
	if err != nil {
		return exportFault(err)
	}
	return p.Done("/jobs/"+job, Note{Word: "exports.begun"})
}

// exportFault shows why there is no file.
func exportFault(err error) error {
	var refusal *rights.Refusal
	if errors.As(err, &refusal) {
		return denied("exports.refused", refusal)
	}
	return err
}

// withheldWords are why records are left out.
var withheldWords = map[string]string{
	export.LeftClosed: "exports.left_closed", export.LeftCounted: "exports.left_counted", export.LeftErased: "exports.left_erased", export.LeftNames: "exports.left_names", export.LeftBands: "exports.left_bands",
	export.LeftCollectors: "exports.left_collectors", export.LeftAnswer: "exports.left_answer", export.LeftArea: "exports.left_area", export.LeftOrigin: "exports.left_origin",
}

func leftOut(p *Page, sum *export.Summary) (list []Reason) {
	for _, why := range slices.Sorted(maps.Keys(sum.LeftOut)) {
		list = append(list, Reason{Says: p.T(withheldWords[why]), Count: sum.LeftOut[why]})
	}
	return list
}

// whom says for whom a file is.
func whom(p *Page, o *ExportOrder) template.HTML {
	if o.Agreement == "" {
		return p.T("exports.own", "purpose", p.Word("exports.own_", o.Purpose))
	}
	return p.T("exports.under", "agreement", o.Agreement)
}

func (s *Exports) confirm(p *Page, o *ExportOrder, sum *export.Summary) Confirm {
	c := Confirm{Says: p.T("exports.would", "households", sum.Households, "people", sum.People, "whom", whom(p, o)), Can: sum.Households + sum.People, Cannot: leftOut(p, sum), Path: "/exports", Back: "/exports", Do: p.T("exports.make"),
		Fields: map[string]string{"use": p.Form.Get("use"), "form": string(o.Form), "reason": o.Reason}}
	if place := p.Form.Get("place"); place != "" {
		c.Fields["place"] = place
	}
	if columns := p.Form.Get("columns"); columns != "" {
		c.Fields["columns"] = columns
	}
	if fields := p.Form.All("fields"); len(fields) > 0 {
		c.Many = map[string][]string{"fields": fields}
	}
	return c
}

type exportData struct {
	ID                 string // of its job
	Agreement          string // empty: own use
	Purpose            rights.Purpose
	Form               export.Form
	Reason             string
	Households, People int
	Fields             []string
	LeftOut            []Reason
	Share              string // its number among what was shared
	SHA256             string
	Until              time.Time     // when it is gone
	Whom               template.HTML `json:"-"`
}

// find is the file that the path names.
func (s *Exports) find(p *Page) (ExportMade, error) {
	return s.Desk.Made(p.Context(), p.Org(), p.In.Account.ID, p.Param("export"))
}

func (s *Exports) show(p *Page) error {
	m, err := s.find(p)
	if err != nil {
		return err
	}
	sum := &m.Summary
	return p.Show("exports_made", "exports.made", exportData{p.Param("export"), m.Order.Agreement, sum.Share.Purpose, m.Order.Form, m.Order.Reason, sum.Households, sum.People, sum.Fields, leftOut(p, sum), sum.Share.ID, sum.SHA256, m.Until, whom(p, &m.Order)})
}

// take hands the file out, and tells the log of that once more: who took it, beside who
// had it made and of whom it tells.
func (s *Exports) take(p *Page) error {
	m, err := s.Desk.HandOut(p.Context(), p.Org(), p.Actor(), p.Param("export"))
	if err != nil {
		return err
	}
	return p.Export(Export{Reason: m.Order.Reason, Agreement: m.Order.Agreement, Rows: m.Summary.Share.Rows, Name: "export-" + m.Summary.Share.ID + "." + string(m.Order.Form), Mime: exportForms[m.Order.Form], Body: m.Body})
}
