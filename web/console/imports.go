package console

import (
	"context"
	"errors"
	"html/template"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// An ImportDesk is where lists are taken in: imports.Desk.
type ImportDesk interface {
	List(ctx context.Context) ([]imports.Import, error)
	Show(ctx context.Context, id string) (imports.Import, error)
	Load(ctx context.Context, by access.Actor, name string, b []byte, opt imports.Options) (m imports.Import, again bool, err error)
	Columns(ctx context.Context, by access.Actor, id string) (imports.Import, []intake.Shown, intake.Plan, *intake.Question, error)
	Map(ctx context.Context, by access.Actor, id string, version int64, plan intake.Plan, opt imports.Options) (imports.Import, error)
	Check(ctx context.Context, by access.Actor, id string, version int64) (imports.Import, error)
	// Open are the required fields that a checked list leaves open, of people and of households.
	Open(ctx context.Context, id string) (people, households map[string]int, err error)
	Findings(ctx context.Context, by access.Actor, id string, w imports.Which, offset, limit int) ([]imports.Finding, int, []imports.Kind, error)
	Mend(ctx context.Context, by access.Actor, id string, version int64, mends []roster.Mend) (imports.Import, error)
	Doubles(ctx context.Context, by access.Actor, id string, offset, limit int) ([]imports.Pair, int, error)
	Mended(ctx context.Context, by access.Actor, id string, offset, limit int) (imports.Import, []imports.Mended, error)
	Rejects(ctx context.Context, by access.Actor, id, reason string) (b []byte, ext string, rows int, err error)
	Submit(ctx context.Context, c access.Caller, id string, version int64, reason string) (imports.Import, error)
	Undoing(ctx context.Context, id string) (imports.Import, imports.Undoing, error)
	AskUndo(ctx context.Context, c access.Caller, id string, version int64, seen [32]byte, reason string) (imports.Import, error)
	Withdraw(ctx context.Context, by access.Actor, id string, version int64, reason string) (imports.Import, error)
}

// Imports is the wizard that takes a list in: file, columns, check, mends, doubles, and
// what a second account approves.
type Imports struct {
	Desk    ImportDesk
	Records interface { // tells whose records are meant, and the log of that
		Lines(ctx context.Context, by access.Actor, e access.Entry, ids []registry.ID) ([]records.Line, error)
	}

	polls polls
}

// ImportJob is what the long work is called that writes an approved list.
const ImportJob = "imports.job"

// Bounds of a form of mends.
const (
	cellRunes = 2000 // a longer cell is mended in the file
)

// Routes implements Screen.
func (s *Imports) Routes() []Route {
	version, back := Text("version", 20), []Field{Text("severity", 10), Text("code", 64), Text("page", 10)}
	query := []Field{Text("severity", 10), Text("code", 64)}
	return []Route{
		{Method: http.MethodGet, Path: "/imports", Act: access.ImportRead, Menu: "imports.menu", Paged: true, Answer: importsData{}, Handler: s.list},
		{Method: http.MethodPost, Path: "/imports", Act: access.ImportLoad, Files: true, MaxBody: imports.MaxBytes + 64<<10,
			Form: []Field{File("file"), Text("source", 100), Text("sheet", 100), Text("encoding", 40)}, Handler: s.load},
		{Method: http.MethodGet, Path: "/imports/:import", Act: access.ImportRead, Answer: importData{}, Handler: s.show},
		{Method: http.MethodGet, Path: "/imports/:import/columns", Act: access.ImportCheck, Answer: columnsData{}, Handler: s.columns},
		{Method: http.MethodPost, Path: "/imports/:import/columns", Act: access.ImportCheck, MaxBody: 2 << 20, Handler: s.mapped,
			Form: []Field{version, Many("role", 40, roster.MaxTables), Many("field", 80, roster.MaxColumns), Many("without", 100, 200), Many("alone", 4, roster.MaxTables),
				Text("source", 100), Text("changes", 4)}},
		{Method: http.MethodPost, Path: "/imports/:import/check", Act: access.ImportCheck, Form: []Field{version}, Handler: s.check},
		{Method: http.MethodGet, Path: "/imports/:import/findings", Act: access.ImportRead, Query: query, Paged: true, Answer: findingsData{}, Handler: s.findings},
		{Method: http.MethodPost, Path: "/imports/:import/mends", Act: access.ImportCheck, MaxBody: 4 << 20, Handler: s.mend,
			Form: append([]Field{version, Many("table", 200, maxPage), Many("row", 10, maxPage), Many("column", 4000, maxPage), {Name: "was", Max: cellRunes, Many: maxPage, Lines: true},
				{Name: "value", Max: cellRunes, Many: maxPage, Lines: true}, Many("out", 220, 2*maxPage), Many("listed", 220, 2*maxPage), Text("from", 10)}, back...)},
		{Method: http.MethodGet, Path: "/imports/:import/mends", Act: access.ImportRead, Paged: true, Answer: mendsData{}, Handler: s.mends},
		{Method: http.MethodGet, Path: "/imports/:import/doubles", Act: access.ImportRead, Paged: true, Answer: doublesData{}, Handler: s.doubles},
		{Method: http.MethodPost, Path: "/imports/:import/rejects", Act: access.ImportCheck, Form: []Field{Text("reason", 200)}, Answer: Sends("text/csv; charset=utf-8", "application/json", xlsxMedia), Handler: s.rejects},
		{Method: http.MethodPost, Path: "/imports/:import/submit", Act: access.ImportSubmit, Form: []Field{version, Text("reason", 200)}, Handler: s.submit},
		{Method: http.MethodGet, Path: "/imports/:import/undo", Act: access.ImportRead, Query: []Field{Text("of", 10)}, Paged: true, Answer: undoData{}, Handler: s.undoing},
		{Method: http.MethodPost, Path: "/imports/:import/undo", Act: access.ImportUndo, Form: []Field{version, Text("digest", 64), Text("reason", 200)}, Handler: s.undo},
		{Method: http.MethodPost, Path: "/imports/:import/withdraw", Act: access.ImportWithdraw, Form: []Field{version, Text("reason", 200)}, Handler: s.withdraw},
	}
}

// Needs are lists that somebody began and nobody went on with.
func (s *Imports) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.ImportCheck) {
		return nil, nil
	}
	all, err := s.Desk.List(ctx)
	n := Need{Word: "imports.need", Path: "/imports"}
	for _, m := range all {
		if m.State.Open() && m.State != imports.InReview {
			n.Count++
			n.Since = m.At // the newest come first
		}
	}
	return []Need{n}, err
}

var (
	errImportState = &Fault{Status: http.StatusConflict, Word: "imports.fault_state"}
	errImportGone  = &Fault{Status: http.StatusGone, Word: "imports.fault_gone"}
)

// importFault tells errors of the desk.
func importFault(err error) error {
	var file *roster.FileError
	switch {
	case errors.As(err, &file):
		return BadForm("imports.file_"+string(file.Code), "what", file.What)
	case errors.Is(err, imports.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, imports.ErrConflict), errors.Is(err, imports.ErrChanged):
		return ErrConflict
	case errors.Is(err, imports.ErrState):
		return errImportState
	case errors.Is(err, imports.ErrGone):
		return errImportGone
	case errors.Is(err, imports.ErrLarge):
		return errLarge
	case errors.Is(err, imports.ErrMany):
		return BadForm("imports.fault_many")
	case errors.Is(err, imports.ErrMends):
		return BadForm("imports.fault_mends")
	case errors.Is(err, imports.ErrEmpty):
		return BadForm("imports.fault_empty")
	}
	return err
}

// importRow is an import as pages and programs see it.
type importRow struct {
	ID      string          `json:"id"`
	State   imports.State   `json:"state"`
	Name    string          `json:"name"`
	Format  string          `json:"format"`
	Size    int             `json:"bytes"`
	By      string          `json:"by"`
	At      time.Time       `json:"at"`
	Known   bool            `json:"known_columns"`
	Mended  int             `json:"mended"`
	Counts  *imports.Counts `json:"counts,omitempty"`
	Review  *reviewRow      `json:"review,omitempty"`
	Why     string          `json:"why,omitempty"`
	Gone    bool            `json:"gone"`
	Version int64           `json:"version"`
}

type reviewRow struct {
	Approval string    `json:"approval"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Second   string    `json:"second,omitempty"`
}

func rowOfImport(m *imports.Import) importRow {
	r := importRow{ID: m.ID, State: m.State, Name: m.Name, Format: m.Format, Size: m.Size, By: m.By, At: m.At, Known: m.Known, Mended: m.Mended,
		Counts: m.Counts, Why: m.Why, Gone: m.Gone, Version: m.Version}
	if m.Review != nil {
		r.Review = &reviewRow{m.Review.Approval, m.Review.By, m.Review.At, m.Review.Second}
	}
	return r
}

// Stale reports that what was counted is not what is there.
func (r importRow) Stale() bool { return r.State == imports.Loaded && r.Counts != nil }

// Open reports whether it can still be changed.
func (r importRow) Open() bool { return r.State.Open() && !r.Gone }

type importsData struct {
	Rows   []importRow `json:"imports"`
	Paging *Paging     `json:"paging"`
}

func (s *Imports) list(p *Page) error {
	all, err := s.Desk.List(p.Context())
	if err != nil {
		return err
	}
	d := importsData{Paging: p.Paging(len(all))}
	for _, m := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, rowOfImport(&m))
	}
	if err := p.namesRead("", len(d.Rows)); err != nil {
		return err
	}
	return p.Show("imports", "imports.title", d)
}

func (s *Imports) load(p *Page) error {
	file, head, err := p.File("file")
	if err != nil {
		return err
	}
	if file == nil {
		return BadForm("imports.fault_none")
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, imports.MaxBytes+1))
	if err != nil {
		return err
	}
	opt := imports.Options{Source: p.Form.Get("source"), Sheet: p.Form.Get("sheet"), Encoding: p.Form.Get("encoding")}
	m, again, err := s.Desk.Load(p.Context(), p.Actor(), head.Filename, b, opt)
	if err != nil {
		return importFault(err)
	}
	word := "imports.loaded"
	if again {
		word = "imports.again"
	}
	return p.Done("/imports/"+m.ID+"/columns", Note{Word: word, Fill: []any{"name", m.Name}})
}

type importData struct {
	importRow
	Changed *imports.Changed `json:"changed,omitempty"`  // it was approved, and this was not as it was approved
	Warned  []string         `json:"warnings,omitempty"` // of the file, in English
	Skipped []intake.Skipped `json:"skipped,omitempty"`
	Lacking []openField      `json:"required_open,omitempty"`
}

// An openField is a required field that the list does not say of some.
type openField struct {
	Field     string `json:"field"`
	Household bool   `json:"household,omitempty"` // of households that have no people in the list
	Count     int    `json:"count"`
}

// open is what a checked list leaves open of what is required.
func (s *Imports) open(p *Page, id string) (list []openField, err error) {
	people, households, err := s.Desk.Open(p.Context(), id)
	for _, f := range slices.Sorted(maps.Keys(people)) {
		list = append(list, openField{Field: f, Count: people[f]})
	}
	for _, f := range slices.Sorted(maps.Keys(households)) {
		list = append(list, openField{Field: f, Household: true, Count: households[f]})
	}
	return list, err
}

func (s *Imports) show(p *Page) error {
	m, err := s.Desk.Show(p.Context(), p.Param("import"))
	if err != nil {
		return importFault(err)
	}
	if m.State == imports.Approved { // its page asks again by itself
		p.Every = 5
		err = s.polls.first(p, m.ID, func() error { return p.namesRead(m.ID, 1) })
	} else {
		err = p.namesRead(m.ID, 1)
	}
	if err != nil {
		return err
	}
	open, err := s.open(p, m.ID)
	if err != nil {
		return importFault(err)
	}
	return p.Show("import", "imports.one", importData{rowOfImport(&m), m.Changed, m.Warned, m.Skipped, open}, "name", m.Name)
}

// polls are who reads a page that may be asked again and again: one look an hour of an
// account at a thing stands in the log.
type polls struct {
	mu   sync.Mutex
	hour int64
	seen map[[2]string]bool // account, thing
}

// first calls tell, which tells the log, at the first look of this hour.
func (s *polls) first(p *Page, id string, tell func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, hour := [2]string{p.In.Account.ID, id}, p.console.Now().Unix()/3600
	if s.hour != hour || s.seen == nil {
		s.hour, s.seen = hour, map[[2]string]bool{}
	}
	if s.seen[key] {
		return nil
	}
	if err := tell(); err != nil {
		return err
	}
	s.seen[key] = true
	return nil
}

// namesRead tells the log that names of files were read: one may be a person's.
func (p *Page) namesRead(id string, n int) error {
	if n == 0 {
		return nil
	}
	return p.noted(access.Entry{Action: "import.look", Object: id, Detail: "names=" + strconv.Itoa(n)})
}

// Says reports whether the catalogues have a word.
func (p *Page) Says(key string) bool { return p.console.words["en"][key] != "" }

// version is the one that the form's author saw.
func (p *Page) version() (int64, error) {
	v, err := strconv.ParseInt(p.Form.Get("version"), 10, 64)
	if err != nil {
		return 0, errFields
	}
	return v, nil
}

// begin opens an act: the list that it is of, which is there, and the version that the
// form's author saw.
func (s *Imports) begin(p *Page) (id string, version int64, err error) {
	id = p.Param("import")
	if _, err := s.Desk.Show(p.Context(), id); err != nil {
		return "", 0, importFault(err)
	}
	version, err = p.version()
	return id, version, err
}

func (s *Imports) check(p *Page) error {
	id, version, err := s.begin(p)
	if err != nil {
		return err
	}
	m, err := s.Desk.Check(p.Context(), p.Actor(), id, version)
	var open *intake.Question
	if errors.As(err, &open) {
		return p.Done("/imports/"+id+"/columns", Note{Word: "imports.open", Fill: []any{"count", len(open.Asks)}})
	} else if err != nil {
		return importFault(err)
	}
	return p.Done("/imports/"+id, Note{Word: "imports.checked", Fill: []any{"good", m.Counts.Good, "warned", m.Counts.Warned, "bad", m.Counts.Bad}})
}

func (s *Imports) rejects(p *Page) error {
	id, reason := p.Param("import"), p.Form.Get("reason")
	if _, err := s.Desk.Show(p.Context(), id); err != nil {
		return importFault(err)
	}
	if reason == "" {
		return errReason
	}
	b, ext, rows, err := s.Desk.Rejects(p.Context(), p.Actor(), id, reason)
	if err != nil {
		return importFault(err)
	}
	mime := map[string]string{".csv": "text/csv; charset=utf-8", ".json": "application/json", ".xlsx": xlsxMedia}[ext]
	return p.Export(Export{Reason: reason, Rows: rows, Name: "to-mend" + ext, Mime: mime, Body: b})
}

func (s *Imports) submit(p *Page) error {
	id, version, err := s.begin(p)
	if err != nil {
		return err
	}
	if _, err := s.Desk.Submit(p.Context(), p.In, id, version, p.Form.Get("reason")); err != nil {
		return importFault(err)
	}
	return p.Done("/imports/"+id, Note{Word: "imports.submitted"})
}

func (s *Imports) withdraw(p *Page) error {
	id, version, err := s.begin(p)
	if err != nil {
		return err
	}
	if _, err := s.Desk.Withdraw(p.Context(), p.Actor(), id, version, p.Form.Get("reason")); err != nil {
		return importFault(err)
	}
	return p.Done("/imports", Note{Word: "imports.withdrawn"})
}

// Tell implements Teller.
func (s *Imports) Tell(p *Page, a access.Approval) (says []template.HTML, err error) {
	tell := func(word string, fill ...any) { says = append(says, p.T(word, fill...)) }
	if a.Act == access.ImportUndo {
		err = s.tellUndo(p, a, tell)
		return says, err
	}
	if a.Act != access.ImportSubmit {
		return nil, nil
	}
	m, err := s.Desk.Show(p.Context(), a.Object)
	if err != nil {
		return nil, importFault(err)
	}
	c := m.Counts
	if c == nil {
		c = &imports.Counts{}
	}
	if p.May(string(access.ImportRead)) { // a file's name may be a person's
		tell("imports.tell_file", "name", m.Name, "rows", c.Rows, "by", m.By)
	}
	if m.Review == nil || m.Review.Approval != a.ID || m.State != imports.InReview && a.State == access.Waiting {
		tell("imports.tell_changed")
		return says, nil
	}
	tell("imports.tell_rows", "new", c.New, "updated", c.Updated, "known", c.Known)
	if c.Bad > 0 {
		tell("imports.tell_bad", "count", c.Bad)
	}
	if c.Warned > 0 {
		tell("imports.tell_warned", "count", c.Warned, "blocked", c.Blocked)
	}
	if m.Mended > 0 {
		tell("imports.tell_mended", "count", m.Mended, "out", c.Out)
	}
	if c.Doubles > 0 {
		tell("imports.tell_doubles", "count", c.Doubles)
	}
	tell("imports.tell_cards")
	return says, nil
}

// Where is the page on which the details of an approval are; "" for acts of others.
func (s *Imports) Where(_ *Page, a access.Approval) string {
	switch a.Act {
	case access.ImportSubmit:
		return "/imports/" + a.Object
	case access.ImportUndo:
		return "/imports/" + a.Object + "/undo"
	}
	return ""
}
