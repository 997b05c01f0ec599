package console

import (
	"bytes"
	"context"
	"encoding/csv"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/issuer/insight"
	"aidpass/issuer/registry/intake"
)

// Reports is the page of sums: what was issued and handed out, what was not counted and
// why, and how old the lists of devices are. Nobody and no small group is in them.
type Reports struct {
	Desk ReportDesk
	Now  func() time.Time // nil: time.Now
}

// A ReportDesk sums records.
type ReportDesk interface {
	// Report is what was done on days, each a day in UTC that is over. That it was asked
	// for stands in the log; reason is that of a file, with its rows, and empty of a page.
	Report(ctx context.Context, org string, by access.Actor, days []string, reason string) (Report, error)
}

// A Report has no small group in it.
type Report struct {
	Served  []insight.Series // collections, by site; of all sites first
	Issued  []insight.Series // credentials, by programme; of all first
	Refused []insight.Point  // records that do not count, by reason
	Devices []ListAge
	// Checkpoint is the newest that was signed of the log, for the paper that the report is
	// printed on: whoever has it sees later that an entry was changed. nil: none was.
	Checkpoint *Checkpoint
}

// A ListAge is a device that is in use, and its lists.
type ListAge struct {
	Device string
	Site   string
	Hours  int // -1: none from this server
}

// refusalReasons are the keys of reasons that records do not count for.
var refusalReasons = map[string]string{"conflict": "reports.conflict", "over_entitlement": "reports.over", "cancelled": "reports.cancelled", "quarantined": "reports.quarantined"}

// Routes implements Screen.
func (s *Reports) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/reports", Act: access.ReportRead, Menu: "reports.menu", Query: []Field{Text("days", 3)}, Answer: reportsData{}, Handler: s.show},
		{Method: http.MethodPost, Path: "/reports/csv", Act: access.ReportRead, Form: []Field{Text("days", 3), Text("reason", 200)}, Answer: Sends("text/csv; charset=utf-8"), Handler: s.csv},
	}
}

// Needs implements Screen: no sum waits for anybody.
func (s *Reports) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type reportsData struct {
	Days   int     `json:"days"`
	Spans  []int   `json:"-"`
	Charts []chart `json:"charts"`

	Checkpoint *Checkpoint  `json:"checkpoint"`
	Picture    template.URL `json:"-"` // of it, a QR code
}

// A chart is bars with a table beside them that says the same.
type chart struct {
	ID    string        `json:"chart"`
	Head  template.HTML `json:"-"`
	Of    string        `json:"of"` // site or programme; empty: all
	Along string        `json:"-"`  // key of what the bars are
	Unit  string        `json:"-"`  // key of what they count
	Bars  []bar         `json:"bars"`
	Says  template.HTML `json:"-"` // the drawing
	Empty bool          `json:"-"`
	Few   int           `json:"-"` // bars of days that are few or none
}

// AllFew reports whether there is nothing else to show.
func (c chart) AllFew() bool { return c.Few > 0 && c.Few == len(c.Bars) }

// A bar is one number.
type bar struct {
	Name  string        `json:"name"`
	Says  template.HTML `json:"-"`
	Label string        `json:"-"` // plain
	Value int           `json:"value"`
	Small bool          `json:"few"`     // fewer than ten households, or none
	None  bool          `json:"unknown"` // nothing is known
}

// reportSpans are the numbers of days that a report can be of.
var reportSpans = []int{7, 14, 30}

func (s *Reports) span(f Form) (int, error) {
	if f.Get("days") == "" {
		return 14, nil
	}
	n, err := strconv.Atoi(f.Get("days"))
	for _, x := range reportSpans {
		if x == n && err == nil {
			return n, nil
		}
	}
	return 0, errFields
}

// days are those that are over: a day that still runs would tell by its change who came.
func (s *Reports) days(n int) (list []string) {
	now := time.Now()
	if s.Now != nil {
		now = s.Now()
	}
	for i := n; i >= 1; i-- {
		list = append(list, now.UTC().AddDate(0, 0, -i).Format(time.DateOnly))
	}
	return list
}

func (s *Reports) show(p *Page) error {
	n, err := s.span(p.Query)
	if err != nil {
		return err
	}
	var r Report
	err = p.Do(func(ctx context.Context) (err error) {
		r, err = s.Desk.Report(ctx, p.Org(), p.Actor(), s.days(n), "")
		return err
	})
	if err != nil {
		return err
	}
	d := reportsData{Days: n, Spans: reportSpans, Checkpoint: r.Checkpoint}
	if d.Checkpoint != nil {
		if d.Picture, err = picture(d.Checkpoint.Note); err != nil {
			return err
		}
	}
	for _, x := range r.Served {
		head := p.T("reports.served")
		if x.Group != "" {
			head = p.T("reports.served_at", "site", x.Group)
		}
		d.Charts = append(d.Charts, s.chart(p, "served", head, x.Group, "reports.day", "reports.collections", daysOf(p, x.Points)))
	}
	for _, x := range r.Issued {
		head := p.T("reports.issued")
		if x.Group != "" {
			head = p.T("reports.issued_in", "programme", x.Group)
		}
		d.Charts = append(d.Charts, s.chart(p, "issued", head, x.Group, "reports.day", "reports.cards", daysOf(p, x.Points)))
	}
	var why []bar
	for _, x := range r.Refused {
		b := bar{Name: x.Name, Says: p.T("reports.other"), Label: p.Plain("reports.other"), Value: x.Count, Small: x.Small}
		if key := refusalReasons[x.Name]; key != "" {
			b.Says, b.Label = p.T(key), p.Plain(key)
		}
		why = append(why, b)
	}
	d.Charts = append(d.Charts, s.chart(p, "refused", p.T("reports.refused"), "", "reports.reason", "reports.records", why))
	var ages []bar
	for _, x := range r.Devices {
		name := x.Device + ", " + x.Site
		ages = append(ages, bar{Name: x.Device, Says: p.T("reports.device_at", "device", x.Device, "site", x.Site), Label: name, Value: max(0, x.Hours), None: x.Hours < 0})
	}
	d.Charts = append(d.Charts, s.chart(p, "lists", p.T("reports.lists"), "", "reports.device", "reports.hours", ages))
	return p.Show("reports", "reports.title", d)
}

// daysOf are the bars of days.
func daysOf(p *Page, points []insight.Point) (bars []bar) {
	for _, x := range points {
		b := bar{Name: x.Name, Label: x.Name, Value: x.Count, Small: x.Small}
		if t, err := time.Parse(time.DateOnly, x.Name); err == nil {
			b.Says = p.Date(t)
			b.Label = p.shortDay(t)
		}
		bars = append(bars, b)
	}
	return bars
}

// csv is the report as a file, for whom and what for in the log.
func (s *Reports) csv(p *Page) error {
	n, err := s.span(p.Form)
	if err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("reports.why")
	}
	var r Report
	err = p.Do(func(ctx context.Context) (err error) {
		r, err = s.Desk.Report(ctx, p.Org(), p.Actor(), s.days(n), p.Form.Get("reason"))
		return err
	})
	if err != nil {
		return err
	}
	rows := r.Rows()
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	for _, row := range rows {
		for i := range row {
			row[i] = intake.SafeCell(row[i])
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return p.Download("report.csv", "text/csv; charset=utf-8", b.Bytes())
}

// Rows is the report as a table, its head first: what, of which, on which day or why, and
// how many, or that they are few.
func (r *Report) Rows() [][]string {
	rows := [][]string{{"what", "of", "by", "count"}}
	count := func(x insight.Point) string {
		if x.Small {
			return "<" + strconv.Itoa(insight.Threshold)
		}
		return strconv.Itoa(x.Count)
	}
	for _, x := range r.Served {
		for _, y := range x.Points {
			rows = append(rows, []string{"served", x.Group, y.Name, count(y)})
		}
	}
	for _, x := range r.Issued {
		for _, y := range x.Points {
			rows = append(rows, []string{"issued", x.Group, y.Name, count(y)})
		}
	}
	for _, y := range r.Refused {
		rows = append(rows, []string{"refused", "", y.Name, count(y)})
	}
	for _, y := range r.Devices {
		hours := ""
		if y.Hours >= 0 {
			hours = strconv.Itoa(y.Hours)
		}
		rows = append(rows, []string{"list_age_hours", y.Site, y.Device, hours})
	}
	return rows
}
