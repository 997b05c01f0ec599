package console

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"aidpass/access"
)

// A Field is what a form or a query may have.
type Field struct {
	Name   string
	Max    int  // runes
	Many   int  // how often it may come; 0: once
	Lines  bool // it may have line breaks
	Secret bool // never kept for later, never shown again
	File   bool // a file of a multipart form; Max does not bound it, the route's MaxBody does
}

// Text is a field of one line, of so many runes.
func Text(name string, runes int) Field { return Field{Name: name, Max: runes} }

// Lines is a field of several lines.
func Lines(name string, runes int) Field { return Field{Name: name, Max: runes, Lines: true} }

// Secret is a field that no page ever shows again.
func Secret(name string, runes int) Field { return Field{Name: name, Max: runes, Secret: true} }

// Many is a field that may come several times, as the boxes of a list do.
func Many(name string, runes, times int) Field { return Field{Name: name, Max: runes, Many: times} }

// File is a file.
func File(name string) Field { return Field{Name: name, File: true} }

// Form is what was sent, of fields that the route names.
type Form map[string][]string

// Get is the value of a field without spaces around it; empty where there is none.
func (f Form) Get(name string) string {
	if v := f[name]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

// All are the values of a field that may come several times.
func (f Form) All(name string) []string { return f[name] }

// Raw is the value as it was typed: a password may end in a space.
func (f Form) Raw(name string) string {
	if v := f[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

var (
	errFields     = &Fault{Status: http.StatusBadRequest, Word: "fault.fields"}
	errLarge      = &Fault{Status: http.StatusRequestEntityTooLarge, Word: "fault.large"}
	errReasonLong = &Fault{Status: http.StatusUnprocessableEntity, Word: "fault.reason_long"}
	errMedia      = &Fault{Status: http.StatusUnsupportedMediaType, Word: "fault.fields"}
)

// check refuses what no field of the list can be. Nothing that was sent gets into the error.
func (f Form) check(fields []Field) error {
	for name, values := range f {
		i := slices.IndexFunc(fields, func(d Field) bool { return d.Name == name && !d.File })
		if i < 0 || len(values) > max(1, fields[i].Many) {
			return errFields
		}
		for _, v := range values {
			if name == "reason" && len(v) > access.MaxText { // letters of many scripts take three bytes
				return errReasonLong
			}
			if !utf8.ValidString(v) || utf8.RuneCountInString(v) > fields[i].Max || strings.ContainsFunc(v, func(r rune) bool {
				return unicode.IsControl(r) && !(fields[i].Lines && (r == '\n' || r == '\r' || r == '\t'))
			}) {
				return errFields
			}
		}
	}
	return nil
}

// queryFields are those that the query of a route may have.
func (r *Route) queryFields() []Field {
	fields := slices.Clone(r.Query)
	if r.Paged {
		fields = append(fields, Text("page", 40), Text("size", 40))
	}
	if len(r.Sorts) > 0 {
		fields = append(fields, Text("sort", 64))
	}
	return fields
}

// maxQuery is the longest query, in bytes.
const maxQuery = 8 << 10

func (p *Page) readQuery() error {
	raw := p.c.Request().URL.RawQuery
	if len(raw) > maxQuery {
		return errLarge
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return errFields
	}
	p.Query = Form(q)
	if err := p.Query.check(p.Route.queryFields()); err != nil {
		return err
	}
	if column := strings.TrimPrefix(p.Query.Get("sort"), "-"); column != "" && !slices.Contains(p.Route.Sorts, column) {
		return errFields
	}
	return nil
}

// readForm reads what a POST brought. Its method and its organisation are those of
// the request and the session: no field and no header says otherwise.
func (p *Page) readForm() error {
	r := p.c.Request()
	if r.Method != http.MethodPost {
		return nil
	}
	limit := p.Route.MaxBody
	if limit == 0 {
		limit = maxBody
	}
	r.Body = http.MaxBytesReader(p.c.Response(), r.Body, limit)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	want := "application/x-www-form-urlencoded"
	if p.Route.Files {
		want = "multipart/form-data"
	}
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		p.Form = Form{}
		return nil
	}
	object := p.program && !p.Route.Files && kind == "application/json"
	if err != nil || kind != want && !object {
		return errMedia
	}
	if p.Route.Files {
		return p.readFiles()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return tooLarge(err)
	}
	if object {
		if p.Form, err = parseObject(body); err != nil {
			return errFields
		}
		return p.Form.check(p.Route.Form)
	}
	if strings.Count(string(body), "&") > 20_000 {
		return errLarge
	}
	q, err := url.ParseQuery(string(body))
	if err != nil {
		return errFields
	}
	p.Form = Form(q)
	if p.Route.Drafts {
		if err := p.takeDraft(); err != nil {
			return err
		}
	}
	return p.Form.check(p.Route.Form)
}

// readFiles reads a form with files. They are held in memory, of which the route's MaxBody
// is the bound: a file that waited on the disk would be people's data in the clear there,
// and stay where the server was killed.
func (p *Page) readFiles() error {
	r := p.c.Request()
	if err := r.ParseMultipartForm(max(p.Route.MaxBody, maxBody)); err != nil {
		return tooLarge(err)
	}
	p.Form = Form(r.MultipartForm.Value)
	for _, d := range p.Route.Form {
		// Where no file was chosen browsers send a part whose file name and content are
		// empty (HTML, constructing the entry list), which Go takes for a value.
		if v := p.Form[d.Name]; d.File && len(v) == 1 && v[0] == "" {
			delete(p.Form, d.Name)
		}
	}
	for name, files := range r.MultipartForm.File {
		if !slices.ContainsFunc(p.Route.Form, func(d Field) bool { return d.Name == name && d.File && len(files) <= max(1, d.Many) }) {
			return errFields
		}
	}
	return p.Form.check(p.Route.Form)
}

func tooLarge(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return errLarge
	}
	return errFields
}

// File is a file of the form, and nil where none was chosen. The caller closes it.
// Its name is what a stranger typed: it is shown as text and names nothing on a disk.
func (p *Page) File(name string) (multipart.File, *multipart.FileHeader, error) {
	form := p.c.Request().MultipartForm
	if form == nil || len(form.File[name]) == 0 || form.File[name][0].Size == 0 {
		return nil, nil, nil
	}
	f, err := form.File[name][0].Open()
	if err != nil {
		return nil, nil, fmt.Errorf("console: a file that was sent cannot be read: %w", err)
	}
	return f, form.File[name][0], nil
}

// maxPage is how many rows a page shows at the most.
const maxPage = 200

// Paging is which rows of a list are shown.
type Paging struct {
	Page, Size int // pages count from 1
	Total      int
	Links      []PageLink
}

// A PageLink leads to another page of a list.
type PageLink struct {
	Page int
	URL  string
	Here bool
}

// Offset is the first row that is shown, counted from 0.
func (g *Paging) Offset() int { return (g.Page - 1) * g.Size }

// Paging reads page and size from the query and brings them into what there is of
// total rows: 50 a page where nothing else was asked for, at most 200.
func (p *Page) Paging(total int) *Paging {
	number := func(name string, usual int) int {
		n, err := strconv.Atoi(p.Query.Get(name))
		if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range is the end of it
			n = usual
		}
		return n
	}
	g := &Paging{Size: min(max(number("size", 50), 1), maxPage), Total: max(total, 0)}
	last := max(1, (g.Total+g.Size-1)/g.Size)
	g.Page = min(max(number("page", 1), 1), last)
	for _, n := range []int{1, g.Page - 1, g.Page, g.Page + 1, last} {
		if n < 1 || n > last || last == 1 || slices.ContainsFunc(g.Links, func(l PageLink) bool { return l.Page == n }) {
			continue
		}
		q := url.Values{}
		for name, v := range p.Query {
			q[name] = v
		}
		q.Set("page", strconv.Itoa(n))
		g.Links = append(g.Links, PageLink{n, p.Path() + "?" + q.Encode(), n == g.Page})
	}
	return g
}
