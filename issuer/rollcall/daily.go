// Package rollcall is what of a verification exercise lies on tables: the daily report, the
// lists by which a desk works without a network, on paper and as a workbook, the filled
// workbook read again, and the notice to those who were not seen. What an exercise is, and
// what a mark does, is package exercise's.
package rollcall

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/csv"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/issuer/print"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/rights"
	"aidpass/words"
)

// A Report says the figures of an exercise, day by day, desk by desk and account by account,
// in a language. Its shares are of who was seen in the exercise and of nobody else (DOMAIN A8);
// its sums are added. Small groups are not hidden: it is for those who read records.
type Report struct {
	Daily exercise.Daily
	Lang  string    // en, fr, es, ar, sw
	House string    // name of the organisation
	At    time.Time // when it was made
}

// columns of the figures, in their order: keys of words.
var columns = []string{"met", "seen", "updated", "share", "fields", "changed", "refused", "absent", "in_person", "phone", "remote"}

// figures are the cells of a row under columns.
func figures(r *exercise.DailyRow) []string {
	met := Met(r)
	share := "–"
	if met > 0 {
		share = strconv.FormatFloat(100*float64(r.Updated)/float64(met), 'f', 1, 64)
	}
	out := []string{strconv.Itoa(met), strconv.Itoa(r.Seen), strconv.Itoa(r.Updated), share}
	for _, n := range []int{r.Fields, r.Changed, r.Refused, r.Absent, r.ByContact[registry.InPerson], r.ByContact[registry.ByPhone], r.ByContact[registry.Remote]} {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// Met is how many of a row were seen: the base of its shares.
func Met(r *exercise.DailyRow) int { return r.Seen + r.Updated }

// body are the rows of the report, the sums last.
func (r *Report) body(s speaker) (rows [][]string) {
	lang, _ := words.Language(r.Lang)
	for i := range r.Daily.Rows {
		row := &r.Daily.Rows[i]
		rows = append(rows, append([]string{dayIn(lang, row.Day), or(row.Desk), or(row.Clerk)}, figures(row)...))
	}
	return append(rows, append([]string{s.say("report.total"), "", ""}, figures(&r.Daily.Total)...))
}

func or(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// dayIn is a day of the register, as 2026-11-22, in words.
func dayIn(lang *words.Catalogue, day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return or(day)
	}
	return rights.Day(lang, t)
}

// lead are the lines above the rows.
func (r *Report) lead(s speaker) []string {
	lang, _ := words.Language(r.Lang)
	e := &r.Daily.Exercise
	span := s.say("report.days", "first", dayIn(lang, e.Opens), "last", dayIn(lang, e.Closes))
	switch {
	case r.Daily.From != "" && r.Daily.From == r.Daily.To:
		span = dayIn(lang, r.Daily.From)
	case r.Daily.From != "":
		span = s.say("report.days", "first", dayIn(lang, r.Daily.From), "last", dayIn(lang, r.Daily.To))
	}
	of := s.say("report.of", "title", e.Title, "organisation", r.House)
	if e.Title == "" || r.House == "" {
		of = e.Title + r.House
	}
	return []string{of, span,
		s.say("report.left", "all", strconv.Itoa(r.Daily.Total.Invited), "count", strconv.Itoa(r.Daily.Left)),
		s.say("report.made", "day", rights.Day(lang, r.At), "time", r.At.UTC().Format("15:04"))}
}

func (r *Report) foot(s speaker) []string {
	return []string{s.say("report.base"), s.say("report.clerk"), s.say("report.level")}
}

// PDF is the report on paper, which lies on its side.
func (r *Report) PDF(ctx context.Context) (print.File, error) {
	s, err := speak(r.Lang)
	if err != nil {
		return print.File{}, err
	}
	t := print.Table{Title: s.say("report.title", "code", r.Daily.Exercise.Code), Lead: r.lead(s), Foot: r.foot(s), Wide: true, Totals: 1, Rows: r.body(s),
		Columns: []print.Column{{Head: s.say("col.day"), Share: 2.6}, {Head: s.say("col.desk"), Share: 2.4}, {Head: s.say("col.clerk"), Share: 2.4}}}
	for _, c := range columns {
		t.Columns = append(t.Columns, print.Column{Head: s.say("col." + c), Share: 1.7, Number: true})
	}
	return print.Rows(ctx, t, print.Options{Lang: r.Lang})
}

// CSV is the report for spreadsheets, its header in codes and its days as 2026-11-22. No cell
// can be taken for a formula.
func (r *Report) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{append([]string{"exercise", "day", "desk", "account"}, columns...)}
	for _, row := range append(slices.Clone(r.Daily.Rows), r.Daily.Total) {
		rows = append(rows, append([]string{r.Daily.Exercise.Code, row.Day, row.Desk, row.Clerk}, figures(&row)...))
	}
	rows[len(rows)-1][1] = "total"
	for _, row := range rows {
		for i, c := range row {
			if row[i] = intake.SafeCell(c); c == "–" {
				row[i] = ""
			}
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

//go:embed daily.html
var dailyPage string

var dailyTemplate = template.Must(template.New("daily").Parse(dailyPage))

// A dayBar is a day of the drawing: how many were seen, and of them how many with changes.
type dayBar struct {
	Day                 string
	Met                 int
	Y, Text, X, Width   int
	ChangedX, ChangedWd int
}

const (
	barsWide = 320
	barTall  = 40
)

// bars draws the days, from the side where the language begins.
func (r *Report) bars(s speaker) (list []dayBar) {
	lang, _ := words.Language(r.Lang)
	type sum struct{ met, updated int }
	sums := map[string]sum{}
	var days []string
	most := 1
	for i := range r.Daily.Rows {
		row := &r.Daily.Rows[i]
		if _, ok := sums[row.Day]; !ok {
			days = append(days, row.Day)
		}
		sums[row.Day] = sum{sums[row.Day].met + Met(row), sums[row.Day].updated + row.Updated}
		most = max(most, sums[row.Day].met)
	}
	slices.Sort(days)
	for i, day := range days {
		b := dayBar{Day: dayIn(lang, day), Met: sums[day].met, Y: i*barTall + 20, Text: i*barTall + 14, Width: sums[day].met * barsWide / most, ChangedWd: sums[day].updated * barsWide / most}
		if s.dir() == "rtl" {
			b.X, b.ChangedX = barsWide-b.Width, barsWide-b.ChangedWd
		}
		list = append(list, b)
	}
	return list
}

// HTML is the report as one page that needs nothing else: it opens from a file and prints.
func (r *Report) HTML() ([]byte, error) {
	s, err := speak(r.Lang)
	if err != nil {
		return nil, err
	}
	heads := []string{s.say("col.day"), s.say("col.desk"), s.say("col.clerk")}
	for _, c := range columns {
		heads = append(heads, s.say("col."+c))
	}
	bars := r.bars(s)
	body := r.body(s)
	var b bytes.Buffer
	err = dailyTemplate.Execute(&b, map[string]any{"Lang": r.Lang, "Dir": s.dir(), "Title": s.say("report.title", "code", r.Daily.Exercise.Code), "Lead": r.lead(s), "Heads": heads,
		"Rows": body[:len(body)-1], "Total": body[len(body)-1], "Foot": r.foot(s), "None": s.say("report.none"),
		"Bars": bars, "BarsTall": len(bars) * barTall, "BarsWide": barsWide, "Met": s.say("col.met"), "Updated": s.say("col.updated"), "Numbers": len(columns)})
	return b.Bytes(), err
}

// FileName is what a file of an exercise is called: its code, a desk or day, and what it is.
func FileName(ext string, parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		for _, r := range strings.ToLower(p) {
			switch {
			case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
				b.WriteRune(r)
			case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
				b.WriteByte('-')
			}
		}
		if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-") + "." + ext
}
