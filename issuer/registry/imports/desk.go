package imports

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/roster"
)

// A Desk is where lists are loaded, checked, mended and submitted. It may be used by
// several goroutines. Who may do what was decided before.
type Desk struct {
	Store    Store
	Registry registry.Store
	Register Register     // the same one, for taking back; nil: nothing is taken back here
	Door     *access.Door // of the same organisation; nil: nothing can be submitted
	Country  string       // ISO 3166-1 alpha-3, of telephones without a code
	Now      func() time.Time
	// Required is what the organisation requires of a record; nil: nothing is counted.
	Required func() (quality.Required, error)
	// Places are the codes of places that are known here, where the list brings none; nil: none.
	Places func() (intake.Places, error)
	// Read opens the bytes of a file for the account that loaded it; nil: roster.Read, in this process.
	Read func(ctx context.Context, who, name string, b []byte, opt roster.Options) (*roster.File, error)
	// Begin begins the long work of Apply once an import is approved; nil: whoever looks
	// after long work finds it as Approved.
	Begin func(Import) error
}

func (d *Desk) read(ctx context.Context, who, name string, b []byte, opt roster.Options) (*roster.File, error) {
	if d.Read != nil {
		return d.Read(ctx, who, name, b, opt)
	}
	return roster.Read(name, b, opt)
}

func (d *Desk) now() time.Time {
	if d.Now != nil {
		return d.Now().UTC()
	}
	return time.Now().UTC()
}

// settle shows what became of a request for approval: the door knows it first.
func (d *Desk) settle(ctx context.Context, list []Import) error {
	if d.Door == nil || !slices.ContainsFunc(list, func(m Import) bool { return m.asked() }) {
		return nil
	}
	return d.Door.Store.ReadAccess(ctx, func(v access.View) error {
		for i := range list {
			m := &list[i]
			if !m.asked() {
				continue
			}
			a, err := v.Approval(m.Review.Approval)
			if err != nil {
				return err
			}
			switch {
			case a.State == access.Refused && m.State == InReview:
				m.State, m.Why = Refused, a.Reason
				m.Review.Second = a.Second
			case a.State == access.Withdrawn || a.State == access.Lapsed || (a.State == access.Waiting || a.State == access.Approved) && !d.now().Before(a.Ends):
				m.State = Checked
			}
		}
		return nil
	})
}

// asked reports whether the door may know more of an import: it waits for a second
// account, or was approved and is not written yet.
func (m *Import) asked() bool {
	return m.Review != nil && (m.State == InReview || m.State == Approved)
}

// List returns every import, newest first.
func (d *Desk) List(ctx context.Context) (list []Import, err error) {
	err = d.Store.ReadImports(ctx, func(v View) error {
		list, err = v.Imports()
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, d.settle(ctx, list)
}

// Show returns an import as it is now.
func (d *Desk) Show(ctx context.Context, id string) (m Import, err error) {
	err = d.Store.ReadImports(ctx, func(v View) error {
		m, err = v.Import(id)
		return err
	})
	if err != nil {
		return m, err
	}
	one := []Import{m}
	err = d.settle(ctx, one)
	return one[0], err
}

// Load takes a file into quarantine and guesses its columns. name is what its sender
// calls it: it is held against the bytes, shown as text, and names nothing on a disk.
// The bytes of a list that waits already are not loaded twice: that one is returned,
// with again true.
//
// Errors: *roster.FileError, ErrLarge, ErrMany.
func (d *Desk) Load(ctx context.Context, by access.Actor, name string, b []byte, opt Options) (m Import, again bool, err error) {
	if len(b) > MaxBytes {
		return m, false, ErrLarge
	}
	for _, s := range []string{opt.Source, opt.Sheet, opt.Encoding} {
		if len(s) > maxField || !utf8.ValidString(s) {
			return m, false, fmt.Errorf("imports: an option is text of at most %d bytes", maxField)
		}
	}
	if err := d.Sweep(ctx); err != nil {
		return m, false, err
	}
	name = fileName(name)
	file, err := d.read(ctx, by.ID, name, b, roster.Options{Sheet: opt.Sheet, Encoding: opt.Encoding})
	if err != nil {
		return m, false, err
	}
	defer file.Close()
	all, err := d.List(ctx)
	if err != nil {
		return m, false, err
	}
	open := 0
	for _, o := range all {
		if o.State.Open() && o.Digest == file.Digest() && o.Options == opt {
			return o, true, nil
		}
		if o.State.Open() {
			open++
		}
	}
	if open >= MaxOpen {
		return m, false, ErrMany
	}
	plan, known, err := d.planFor(ctx, file, all)
	if err != nil {
		return m, false, err
	}
	m = Import{ID: registry.NewID().String(), State: Loaded, Name: name, Format: string(file.Format()), Size: len(b), Digest: file.Digest(), Options: opt,
		By: by.ID, At: d.now(), Plan: plan.JSON(), Known: known, Warned: file.Warnings()}
	for _, s := range file.Skipped() {
		m.Skipped = append(m.Skipped, intake.Skipped{Name: s.Name, Why: s.Why})
	}
	err = d.Store.WriteImports(ctx, by, func(tx Tx) error {
		if err := tx.Save(m); err != nil {
			return err
		}
		if err := tx.SaveFile(m.ID, b); err != nil {
			return err
		}
		return tx.Audit(access.Entry{Action: "import.load", Object: m.ID, Detail: fmt.Sprintf("format=%s bytes=%d", m.Format, m.Size), Digest: m.Digest})
	})
	m.Version++
	return m, false, err
}

// fileName is the last part of what a sender calls a file, on one line. Its ending stays.
func fileName(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = path.Base(strings.ReplaceAll(s, `\`, "/"))
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s))
	if s == "" || s == "." || s == "/" {
		return "list"
	}
	if r := []rune(s); len(r) > MaxName {
		ext := []rune(path.Ext(s))
		if len(ext) > 10 {
			ext = nil
		}
		s = string(r[:MaxName-len(ext)]) + string(ext)
	}
	return s
}

// planFor is the plan of the newest list that had these columns, or a guess.
func (d *Desk) planFor(ctx context.Context, file *roster.File, all []Import) (plan intake.Plan, known bool, err error) {
	var earlier []registry.ImportFile
	err = d.Registry.View(ctx, func(v registry.View) error {
		earlier, err = v.Imports()
		return err
	})
	if err != nil {
		return plan, false, err
	}
	for _, m := range all {
		if m.Counts != nil {
			earlier = append(earlier, registry.ImportFile{Plan: m.Plan, At: m.At})
		}
	}
	if plan, ok := intake.PlanOf(file, earlier); ok {
		return plan, true, nil
	}
	plan, err = intake.Guess(file)
	return plan, false, err
}

// open returns an import with its file, mends laid over it. The caller closes the file.
func (d *Desk) open(ctx context.Context, id string) (Import, *roster.File, error) {
	m, err := d.Show(ctx, id)
	if err != nil {
		return m, nil, err
	}
	var b []byte
	err = d.Store.ReadImports(ctx, func(v View) error {
		b, err = v.File(id)
		return err
	})
	if err != nil {
		return m, nil, err
	}
	if sha256.Sum256(b) != m.Digest {
		return m, nil, fmt.Errorf("imports: the file of %s is not the one that was loaded", id)
	}
	file, err := d.read(ctx, m.By, m.Name, b, roster.Options{Sheet: m.Options.Sheet, Encoding: m.Options.Encoding})
	if err != nil {
		return m, nil, err
	}
	return m, file, file.Mend(m.mends())
}

// Columns tells what each column becomes, with values that stand in it, and what the plan
// leaves open; nil where it leaves nothing. The log tells who looked.
func (d *Desk) Columns(ctx context.Context, by access.Actor, id string) (m Import, list []intake.Shown, plan intake.Plan, open *intake.Question, err error) {
	m, file, err := d.open(ctx, id)
	if err != nil {
		return m, nil, plan, nil, err
	}
	defer file.Close()
	if plan, err = m.plan(); err != nil {
		return m, nil, plan, nil, err
	}
	if list, err = plan.Show(file); err != nil {
		return m, nil, plan, nil, err
	}
	if err = plan.Questions(file); err != nil && !errors.As(err, &open) {
		return m, nil, plan, nil, err
	}
	return m, list, plan, open, d.looked(ctx, by, id, "columns", nil)
}

// change makes a change to an import that is open, at the version that its author saw,
// and tells the log.
func (d *Desk) change(ctx context.Context, by access.Actor, id string, version int64, e access.Entry, with func(*Import, Tx) error) (m Import, err error) {
	now, err := d.Show(ctx, id) // what the door knows
	if err != nil {
		return m, err
	}
	err = d.Store.WriteImports(ctx, by, func(tx Tx) error {
		if m, err = tx.Import(id); err != nil {
			return err
		}
		if m.Version != version || now.Version != version {
			return ErrConflict
		}
		m.State, m.Why = now.State, now.Why
		if !m.State.Open() {
			return ErrState
		}
		if m.Gone {
			return ErrGone
		}
		if err := with(&m, tx); err != nil {
			return err
		}
		if err := tx.Save(m); err != nil {
			return err
		}
		e.Object, e.Digest = m.ID, m.content()
		return tx.Audit(e)
	})
	m.Version++
	return m, err
}

// content is the SHA-256 of all that decides how an import's file is read.
func (m *Import) content() [32]byte {
	return hashOf(struct {
		File    [32]byte
		Plan    []byte
		Options Options
		Mends   []roster.Mend
	}{m.Digest, m.Plan, m.Options, m.mends()})
}

// hashOf is the SHA-256 of texts and numbers as JSON.
func hashOf(v any) [32]byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers alone
	}
	return sha256.Sum256(b)
}

// Map sets the plan. One that could not be used, or does not fit the file's tables, is an
// error that says where. What it leaves open, Check asks.
func (d *Desk) Map(ctx context.Context, by access.Actor, id string, version int64, plan intake.Plan, opt Options) (Import, error) {
	if err := plan.Check(); err != nil {
		return Import{}, err
	}
	b := plan.JSON()
	if len(b) > intake.MaxPlanBytes {
		return Import{}, fmt.Errorf("imports: a plan has at most %d bytes", intake.MaxPlanBytes)
	}
	m, file, err := d.open(ctx, id)
	if err != nil {
		return m, err
	}
	defer file.Close()
	return d.change(ctx, by, id, version, access.Entry{Action: "import.map"}, func(m *Import, _ Tx) error {
		opt.Sheet, opt.Encoding = m.Options.Sheet, m.Options.Encoding // by which the file was read
		if bytes.Equal(b, m.Plan) && opt == m.Options {
			return nil
		}
		m.Plan, m.Options, m.State = b, opt, Loaded
		if !slices.Contains(m.Mapped, by.ID) {
			m.Mapped = append(m.Mapped, by.ID)
		}
		return nil
	})
}

// Check checks every row against the others and the register, and writes nothing there.
// A plan that leaves something open is an *intake.Question.
func (d *Desk) Check(ctx context.Context, by access.Actor, id string, version int64) (Import, error) {
	m, file, err := d.open(ctx, id)
	if err != nil {
		return m, err
	}
	defer file.Close()
	now := d.now()
	report, err := d.runFile(ctx, by, &m, file, intake.Options{DryRun: true, Read: now})
	if err != nil {
		return m, err
	}
	b, err := keep(report)
	if err != nil {
		return m, err
	}
	counts := m.count(report)
	counts.At = now
	e := access.Entry{Action: "import.check", Detail: fmt.Sprintf("rows=%d good=%d warned=%d bad=%d", counts.Rows, counts.Good, counts.Warned, counts.Bad)}
	return d.change(ctx, by, id, version, e, func(m *Import, tx Tx) error {
		m.Counts, m.Outcome = &counts, report.Fates.Digest()
		if m.State != InReview { // looking again at what waits changes nothing of it
			m.State, m.Why, m.Changed = Checked, "", nil
		}
		return tx.SaveReport(id, b)
	})
}

func (d *Desk) runFile(ctx context.Context, by access.Actor, m *Import, file *roster.File, opt intake.Options) (*intake.Report, error) {
	plan, err := m.plan()
	if err != nil {
		return nil, err
	}
	if opt.Places, err = intake.PlacesOf(&plan, file); err != nil {
		return nil, err
	}
	if opt.Places == nil && d.Places != nil {
		if opt.Places, err = d.Places(); err != nil {
			return nil, err
		}
	}
	if d.Required != nil {
		if opt.Required, err = d.Required(); err != nil {
			return nil, err
		}
	}
	opt.Source, opt.Country, opt.TakeChanges, opt.Now = m.Options.Source, d.Country, m.Options.TakeChanges, d.now()
	return intake.Run(ctx, d.Registry, by, plan, file, opt)
}

// count sums a report up.
func (m *Import) count(r *intake.Report) Counts {
	t := r.Total()
	c := Counts{Rows: t.Rows, Good: t.Rows - t.Rejected - t.Flagged, Warned: t.Flagged, Bad: t.Rejected, New: t.Created, Updated: t.Updated, Known: t.Duplicate,
		Blocked: t.Blocked, Doubles: len(r.Doubles)}
	for _, x := range m.Mends {
		if x.Out {
			c.Out++
		}
	}
	if r.Earlier != nil {
		c.Earlier = r.Earlier.At
	}
	return c
}

// kept is a report as it is stored, with what becomes of every row, and what it became.
type kept struct {
	*intake.Report
	Fates   intake.Fates `json:"fates"`
	Records intake.Fates `json:"records,omitzero"`
}

func keep(r *intake.Report) ([]byte, error) { return json.Marshal(kept{r, r.Fates, r.Records}) }

// report is what the newest check found; ErrGone where nothing was checked, or its time is
// over.
func (d *Desk) report(ctx context.Context, id string) (*intake.Report, error) {
	var m Import
	var k kept
	err := d.Store.ReadImports(ctx, func(v View) (err error) {
		if m, err = v.Import(id); err != nil {
			return err
		}
		b, err := v.Report(id)
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &k)
	})
	if err != nil {
		return nil, err
	}
	if k.Report.Fates, k.Report.Records = k.Fates, k.Records; m.Outcome != ([32]byte{}) && k.Fates.Digest() != m.Outcome {
		return nil, fmt.Errorf("imports: what was found in %s is not of its newest check", id)
	}
	return k.Report, nil
}

// Mend lays changes over the file, with those that are there: a value that the file has
// there itself takes a mend away. The import is to be checked again.
func (d *Desk) Mend(ctx context.Context, by access.Actor, id string, version int64, mends []roster.Mend) (Import, error) {
	m, file, err := d.open(ctx, id)
	if err != nil {
		return m, err
	}
	defer file.Close()
	if err := file.Mend(mends); err != nil {
		return m, err
	}
	if err := file.Mend(nil); err != nil {
		return m, err
	}
	was, err := cellsOf(file, mends)
	if err != nil {
		return m, err
	}
	now := d.now()
	e := access.Entry{Action: "import.mend", Detail: fmt.Sprintf("cells=%d", len(mends))}
	return d.change(ctx, by, id, version, e, func(m *Import, _ Tx) error {
		for _, x := range mends {
			old, there := was[at{x.Table, x.Row, x.Column}]
			if _, row := was[at{x.Table, x.Row, ""}]; !there && !row {
				return fmt.Errorf("imports: %w: there is no row %d", ErrNotFound, x.Row)
			}
			m.Mends = slices.DeleteFunc(m.Mends, func(o Mended) bool {
				return o.Table == x.Table && o.Row == x.Row && (o.Column == x.Column || x.Column == "" && o.Out)
			})
			if x.Column == "" && !x.Out || x.Column != "" && x.Value == old {
				continue
			}
			m.Mends = append(m.Mends, Mended{x, old, by.ID, now})
		}
		if len(m.Mends) > MaxMends {
			return ErrMends
		}
		slices.SortStableFunc(m.Mends, func(a, b Mended) int {
			return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column))
		})
		m.Mended, m.State = len(m.Mends), Loaded
		return nil
	})
}

// at is a cell, or with no column a row.
type at struct {
	table  string
	row    int
	column string
}

// cellsOf reads what stands where mends are, and of each such row under no column "".
func cellsOf(file *roster.File, mends []roster.Mend) (map[at]string, error) {
	rows := map[at][]string{}
	for _, x := range mends {
		k := at{x.Table, x.Row, ""}
		rows[k] = append(rows[k], x.Column)
	}
	cells := map[at]string{}
	err := eachRow(file, func(t roster.Table, row *roster.Row) error {
		columns, ok := rows[at{t.Name, row.Number, ""}]
		if !ok {
			return nil
		}
		cells[at{t.Name, row.Number, ""}] = ""
		for _, c := range columns {
			if c != "" {
				cells[at{t.Name, row.Number, c}] = row.Cell(c)
			}
		}
		return nil
	})
	return cells, err
}

// eachRow calls with every row of every table.
func eachRow(file *roster.File, with func(roster.Table, *roster.Row) error) error {
	for _, t := range file.Tables() {
		rows, err := file.Rows(t.Name)
		if err != nil {
			return err
		}
		for {
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return err
			}
			if err := with(t, &row); err != nil {
				return err
			}
		}
	}
	return nil
}

// Withdraw takes an import back that is not approved yet: its file is destroyed.
func (d *Desk) Withdraw(ctx context.Context, by access.Actor, id string, version int64, reason string) (Import, error) {
	return d.change(ctx, by, id, version, access.Entry{Action: "import.withdraw", Reason: reason}, func(m *Import, tx Tx) error {
		m.State, m.Why, m.Done = Withdrawn, reason, d.now()
		return drop(m, tx)
	})
}

// drop destroys what is known of people of a list.
func drop(m *Import, tx Tx) error {
	m.Gone, m.Mends = true, nil
	return tx.Drop(m.ID)
}

// Sweep destroys the files of lists whose time is over: OpenLife after they came, DoneLife
// after they were written or refused. Load does it first; a server does it every day, for
// lists behind which no other comes.
func (d *Desk) Sweep(ctx context.Context) error {
	all, err := d.List(ctx)
	if err != nil {
		return err
	}
	now := d.now()
	for _, m := range all {
		var over bool
		switch {
		case m.Gone || m.State == Approved:
		case m.State.Open():
			over = now.Sub(m.At) >= OpenLife
		default:
			over = now.Sub(m.Done) >= DoneLife
		}
		if !over {
			continue
		}
		err := d.Store.WriteImports(ctx, access.Actor{ID: "imports", Role: access.System}, func(tx Tx) error {
			if m.State.Open() {
				m.State, m.Why, m.Done = Withdrawn, "too old", now
			}
			if err := drop(&m, tx); err != nil {
				return err
			}
			if err := tx.Save(m); err != nil {
				return err
			}
			return tx.Audit(access.Entry{Action: "import.drop", Object: m.ID, Reason: "its time was over"})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Open are the required fields that a checked list leaves open, with how many people it is of,
// and of households that have no people in it; empty where nothing was checked.
func (d *Desk) Open(ctx context.Context, id string) (people, households map[string]int, err error) {
	r, err := d.report(ctx, id)
	if errors.Is(err, ErrGone) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	return r.Quality.Open, r.Quality.OpenHH, nil
}
