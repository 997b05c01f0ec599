package rollcall

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"aidpass/access"
	"aidpass/issuer/print"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
	"aidpass/words"
)

// A Desk makes the lists of exercises and takes them back. It may be used by several
// goroutines.
type Desk struct {
	Exercises *exercise.Desk
	People    *records.Desk
	// Read opens a stranger's file in a process of its own: apart.Reader.Read.
	Read func(ctx context.Context, who, name string, b []byte, opt roster.Options) (*roster.File, error)
}

// MaxLines of one list: what a cheap laptop opens at once.
const MaxLines = exercise.MaxSheetRows

// A Line is one who is invited, as a list has it.
type Line struct {
	Ref    string // stands for the record in this exercise, and tells nobody which it is
	Number string // of the list that it came with
	Name   string // of a household: of its head; empty on a list without names
	Size   int    // of the household; 0: not known
}

// A List is who has not come yet, for one desk without a network.
type List struct {
	Exercise exercise.Exercise
	Desk     string
	Lines    []Line
	Names    bool
}

// A Choice says what a list is to have.
type Choice struct {
	Desk     string
	Names    bool   // else numbers alone
	ByNumber bool   // in the order of numbers, not of names
	Lang     string // whose letters say the order of names
	Reason   string // what for; at most 80 letters, no names
}

// Ref is what a record goes by on the lists of an exercise. Whoever has the register finds it
// again, and nobody else: it is a part of a hash of the record's random id.
func Ref(code string, unit registry.ID) string {
	sum := sha256.Sum256([]byte("aidpass list\x00" + code + "\x00" + unit.String()))
	text := base32.StdEncoding.EncodeToString(sum[:10])
	return text[:4] + "-" + text[4:8] + "-" + text[8:12]
}

// List is the list of a desk: who has not come yet and stays at the site that the desk is
// called by, or at none that any desk is called by. The log tells who took it and of whom.
//
// Errors: those of exercise.Desk.Sheet; ErrLong.
func (d *Desk) List(ctx context.Context, by access.Actor, code string, c Choice) (l List, err error) {
	sheet, err := d.Exercises.Sheet(ctx, code, c.Desk)
	if err != nil {
		return l, err
	}
	l = List{Exercise: sheet.Exercise, Desk: sheet.Desk, Names: c.Names}
	units, err := d.at(ctx, &sheet)
	if err != nil {
		return l, err
	}
	if len(units) > MaxLines {
		return l, ErrLong
	}
	e := access.Entry{Action: "exercise.list", Object: code, Reason: c.Reason, Detail: fmt.Sprintf("rows=%d names=%t", len(units), c.Names)}
	lines, err := d.People.Lines(ctx, by, e, units)
	if err != nil {
		return l, err
	}
	for i := range lines {
		r := &lines[i]
		if r.Gone() {
			continue
		}
		line := Line{Ref: Ref(code, r.ID), Number: strings.TrimSpace(r.Number), Size: r.Size}
		if c.Names {
			line.Name = r.Name.Text
		}
		l.Lines = append(l.Lines, line)
	}
	l.sort(c)
	return l, nil
}

// ErrLong is a list with more lines than a laptop at a desk opens.
var ErrLong = fmt.Errorf("rollcall: more than %d on one list: call desks as sites are called, so that each gets who stays there", MaxLines)

// at are the units of a sheet that come to its desk.
func (d *Desk) at(ctx context.Context, sheet *exercise.Sheet) (units []registry.ID, err error) {
	named := func(site string) bool {
		return slices.ContainsFunc(sheet.Exercise.Desks, func(desk string) bool { return strings.EqualFold(desk, site) })
	}
	err = d.Exercises.Store.ReadExercises(ctx, func(v exercise.View) error {
		for _, id := range sheet.Units {
			site, err := siteOf(v, id)
			if err != nil {
				return err
			}
			if strings.EqualFold(site, sheet.Desk) || !named(site) {
				units = append(units, id)
			}
		}
		return nil
	})
	return units, err
}

// siteOf is where somebody stays; empty where that is not known.
func siteOf(v registry.View, id registry.ID) (string, error) {
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if rec.Kind == registry.KindPerson {
		p, err := rec.Person()
		if err != nil || p.Location != nil && p.Location.Site != "" || rec.Household.IsZero() {
			return site(p.Location), err
		}
		if rec, err = v.Record(rec.Household); errors.Is(err, registry.ErrErased) {
			return "", nil
		} else if err != nil {
			return "", err
		}
	}
	h, err := rec.HouseholdRecord()
	return site(h.Location), err
}

func site(l *registry.Location) string {
	if l == nil {
		return ""
	}
	return strings.TrimSpace(l.Site)
}

// sort puts the lines in the order in which people are looked for: of names as the letters of
// the language go, or of numbers.
func (l *List) sort(c Choice) {
	byNumber := func(a, b Line) int {
		return cmp.Or(compareNumbers(a.Number, b.Number), cmp.Compare(a.Ref, b.Ref))
	}
	if c.ByNumber || !c.Names {
		slices.SortFunc(l.Lines, byNumber)
		return
	}
	tag, err := language.Parse(c.Lang)
	if err != nil {
		tag = language.Und
	}
	order, buf := collate.New(tag, collate.IgnoreCase), collate.Buffer{}
	keys := map[string][]byte{}
	for i := range l.Lines {
		keys[l.Lines[i].Ref] = order.KeyFromString(&buf, l.Lines[i].Name)
	}
	slices.SortFunc(l.Lines, func(a, b Line) int {
		return cmp.Or(bytes.Compare(keys[a.Ref], keys[b.Ref]), byNumber(a, b))
	})
}

// compareNumbers puts 9 before 10: stretches of digits count as numbers.
func compareNumbers(a, b string) int {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	for a != "" && b != "" {
		if !digit(a[0]) || !digit(b[0]) {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := 0, 0
		for x < len(a) && digit(a[x]) {
			x++
		}
		for y < len(b) && digit(b[y]) {
			y++
		}
		m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
			return c
		}
		a, b = a[x:], b[y:]
	}
	return cmp.Compare(len(a), len(b))
}

// The columns of a workbook, in their order: keys of words, of which the last are filled in.
var sheetColumns = []string{"list", "line", "number", "name", "size", "seen", "updated", "absent", "refused", "how", "when", "new_phone"}

const firstOpen = 5 // of sheetColumns

// sheetName is the sheet that is filled in.
const sheetName = "List"

// tick is what the boxes of a workbook offer.
const tick = "x"

// Workbook is the list as XLSX, in a language: what the register knows is locked, what is
// typed stays text, and no cell can be taken for a formula.
func (l *List) Workbook(lang string) ([]byte, error) {
	s, err := speak(lang)
	if err != nil {
		return nil, err
	}
	hows := []string{s.say("col.in_person"), s.say("col.phone"), s.say("col.remote")}
	widths := map[string]int{"list": 24, "line": 17, "number": 16, "name": 30, "size": 12, "how": 14, "when": 14, "new_phone": 18}
	f := intake.Form{RTL: s.dir() == "rtl"}
	var head []string
	for i, name := range sheetColumns {
		head = append(head, s.say("col."+name, "day", l.Exercise.Opens))
		c := intake.FormColumn{Width: cmp.Or(widths[name], 11), Open: i >= firstOpen}
		switch name {
		case "seen", "updated", "absent", "refused":
			c.Choose = []string{tick}
		case "how":
			c.Choose = hows
		}
		f.Columns = append(f.Columns, c)
	}
	var b bytes.Buffer
	book := intake.NewWorkbook(&b)
	if err := book.Form(sheetName, f); err != nil {
		return nil, err
	}
	if err := book.Row(head...); err != nil {
		return nil, err
	}
	for _, line := range l.Lines {
		size := ""
		if line.Size > 0 {
			size = strconv.Itoa(line.Size)
		}
		if err := book.Row(l.Exercise.Code+"/"+l.Desk, line.Ref, line.Number, line.Name, size); err != nil {
			return nil, err
		}
	}
	err = book.Close()
	return b.Bytes(), err
}

// PDF is the list to be filled in by hand, in a language. A name with a letter that no
// typeface has is left out: File.Stopped says of which line.
func (l *List) PDF(ctx context.Context, lang string) (print.File, error) {
	s, err := speak(lang)
	if err != nil {
		return print.File{}, err
	}
	catalogue, _ := words.Language(lang)
	e := &l.Exercise
	t := print.Table{Title: s.say("list.title", "code", e.Code, "desk", l.Desk), Sign: s.say("list.sign"), Wide: true, Tall: 10,
		Lead: []string{s.say("list.days", "title", cmp.Or(e.Title, e.Code), "first", dayIn(catalogue, e.Opens), "last", dayIn(catalogue, e.Closes), "count", strconv.Itoa(len(l.Lines))), s.say("list.help")},
		Columns: []print.Column{{Head: s.say("col.n"), Share: 1}, {Head: s.say("col.line"), Share: 3.7}, {Head: s.say("col.number"), Share: 2.6}, {Head: s.say("col.size"), Share: 1.8, Number: true},
			{Head: s.say("col.seen"), Share: 1.7, Box: true}, {Head: s.say("col.updated"), Share: 1.9, Box: true}, {Head: s.say("col.absent"), Share: 1.7, Box: true}, {Head: s.say("col.refused"), Share: 1.7, Box: true},
			{Head: s.say("col.how"), Share: 2, Line: true}, {Head: s.say("list.note"), Share: 4, Line: true}}}
	if l.Names {
		t.Columns = slices.Insert(t.Columns, 3, print.Column{Head: s.say("col.name"), Share: 5})
	}
	for i, line := range l.Lines {
		size := "–"
		if line.Size > 0 {
			size = strconv.Itoa(line.Size)
		}
		row := []string{strconv.Itoa(i + 1), line.Ref, line.Number, size}
		if l.Names {
			row = slices.Insert(row, 3, line.Name)
		}
		t.Rows = append(t.Rows, row)
	}
	return print.Rows(ctx, t, print.Options{Lang: lang})
}

// A Poster tells those who were not seen what they can do, without a name of anybody.
type Poster struct {
	Exercise exercise.Exercise
	Until    time.Time // last day for an appeal
	Ask      string    // line that says whom to ask; empty: any help desk
	House    string    // name of the organisation that asks; empty: not said
}

// Texts are what the poster says in a language, its heading first.
func (o *Poster) Texts(lang string) ([]string, error) {
	s, err := speak(lang)
	if err != nil {
		return nil, err
	}
	fill := o.fill(lang)
	out := []string{s.say("poster.title")}
	for n := 1; n <= 4; n++ {
		out = append(out, s.say(fmt.Sprintf("poster.%d", n), fill...))
	}
	out = append(out, s.say("poster.5", "line", cmp.Or(o.Ask, s.say("poster.desk"))))
	if o.House != "" {
		out = append(out, o.House)
	}
	return out, nil
}

// Message is the same in a language, as short as a telephone's message.
func (o *Poster) Message(lang string) (string, error) {
	s, err := speak(lang)
	if err != nil {
		return "", err
	}
	return s.say("message", o.fill(lang)...), nil
}

func (o *Poster) fill(lang string) []string {
	c, _ := words.Language(lang)
	return []string{"first", dayIn(c, o.Exercise.Opens), "last", dayIn(c, o.Exercise.Closes), "until", dayIn(c, o.Until.Format(time.DateOnly))}
}

// PDF is the poster on one page of a language.
func (o *Poster) PDF(ctx context.Context, lang string) (print.File, error) {
	texts, err := o.Texts(lang)
	if err != nil {
		return print.File{}, err
	}
	return print.Poster(ctx, texts[0], texts[1:], print.Options{Lang: lang})
}
