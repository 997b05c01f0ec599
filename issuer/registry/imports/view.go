package imports

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/apart"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// A Finding is one of the check with the whole cell, as it is read now.
type Finding struct {
	intake.Finding
	Cell   string // with the mends in it; the file's where Mended is false
	Mended bool   // this cell is
	Out    bool   // the row is left out
	Gone   bool   // the file has no such row
}

// Which findings are asked for.
type Which struct {
	Severity intake.Severity // "": all
	Code     string          // "": all
	Table    string          // with Row: of one row
	Row      int             // 0: all
}

func (w Which) takes(f *intake.Finding) bool {
	return (w.Severity == "" || f.Severity == w.Severity) && (w.Code == "" || f.Code == w.Code) && (w.Row == 0 || w.Row == f.Row && w.Table == f.Table)
}

// A Kind is how often one thing was found.
type Kind struct {
	Severity intake.Severity
	Code     string
	What     string // in English
	Count    int
}

// Findings returns those of the newest check from offset on, up to limit, with what each
// cell says now; how many there are; and how often each kind is. ErrGone: nothing was
// checked, or its time is over. The log tells who looked, and whose rows they are.
func (d *Desk) Findings(ctx context.Context, by access.Actor, id string, w Which, offset, limit int) (list []Finding, total int, kinds []Kind, err error) {
	m, err := d.Show(ctx, id)
	if err != nil {
		return nil, 0, nil, err
	}
	r, err := d.report(ctx, id)
	if err != nil {
		return nil, 0, nil, err
	}
	type kind struct {
		severity intake.Severity
		code     string
	}
	place := map[kind]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		k := kind{f.Severity, f.Code}
		n, ok := place[k]
		if !ok {
			n = len(kinds)
			place[k] = n
			kinds = append(kinds, Kind{f.Severity, f.Code, f.What, 0})
		}
		kinds[n].Count++
		if !w.takes(f) {
			continue
		}
		if total >= offset && len(list) < limit {
			list = append(list, Finding{Finding: *f, Cell: f.Value})
		}
		total++
	}
	rank := map[intake.Severity]int{intake.Reject: 0, intake.Flag: 1, intake.Remark: 2}
	slices.SortStableFunc(kinds, func(a, b Kind) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	if err := d.cells(ctx, &m, list); err != nil || len(list) == 0 {
		return list, total, kinds, err
	}
	rows := make([]at, len(list))
	for i, f := range list {
		rows[i] = at{table: f.Table, row: f.Row}
	}
	return list, total, kinds, d.looked(ctx, by, id, "findings", rows)
}

// Mended returns the mends of an import from offset on, up to limit, and how many there
// are. The log tells who looked, and whose rows they are.
func (d *Desk) Mended(ctx context.Context, by access.Actor, id string, offset, limit int) (m Import, list []Mended, err error) {
	if m, err = d.Show(ctx, id); err != nil {
		return m, nil, err
	}
	n := len(m.Mends)
	list = m.Mends[min(offset, n):min(offset+limit, n)]
	rows := make([]at, len(list))
	for i, x := range list {
		rows[i] = at{table: x.Table, row: x.Row}
	}
	if n > 0 {
		err = d.looked(ctx, by, id, "mends", rows)
	}
	return m, list, err
}

// looked tells the log that somebody read cells of a list, and those of the rows who are
// on record can be told of it.
func (d *Desk) looked(ctx context.Context, by access.Actor, id, what string, rows []at) error {
	about, err := d.records(ctx, id, rows)
	if err != nil {
		return err
	}
	e := access.Entry{Action: "import.look", Object: id, Detail: fmt.Sprintf("cells=%s rows=%d records=%d", what, len(rows), len(about))}
	return d.Registry.Update(ctx, by, func(tx registry.Tx) error { return tx.NoteAbout(e, about) })
}

// records are those that rows of a list are of, or became; none where nothing was checked.
func (d *Desk) records(ctx context.Context, id string, rows []at) (list []registry.ID, err error) {
	if len(rows) == 0 {
		return nil, nil
	}
	r, err := d.report(ctx, id)
	if errors.Is(err, ErrGone) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	want := map[at]bool{}
	for _, k := range rows {
		want[k] = true
	}
	fates := &r.Fates
	if len(r.Records.Tables) > 0 {
		fates = &r.Records
	}
	for f := range fates.All() {
		if want[at{table: f.Table, row: f.Row}] && !f.Record.IsZero() {
			list = append(list, f.Record)
		}
	}
	return list, nil
}

// cells fills in what each cell says now.
func (d *Desk) cells(ctx context.Context, m *Import, list []Finding) error {
	_, file, err := d.open(ctx, m.ID)
	if errors.Is(err, ErrGone) {
		return nil
	} else if err != nil {
		return err
	}
	defer file.Close()
	mends := map[at]roster.Mend{}
	for _, x := range m.Mends {
		mends[at{x.Table, x.Row, x.Column}] = x.Mend
	}
	want := make([]roster.Mend, len(list))
	for i, f := range list {
		want[i] = roster.Mend{Table: f.Table, Row: f.Row, Column: f.Column}
	}
	cells, err := cellsOf(file, want)
	if err != nil {
		return err
	}
	for i := range list {
		f := &list[i]
		_, row := cells[at{f.Table, f.Row, ""}]
		f.Out = mends[at{f.Table, f.Row, ""}].Out
		f.Gone = !row && !f.Out
		if f.Column == "" || !row {
			continue
		}
		f.Cell = cells[at{f.Table, f.Row, f.Column}]
		_, f.Mended = mends[at{f.Table, f.Row, f.Column}]
	}
	return nil
}

// A Side is one of two who may be one person.
type Side struct {
	Row    int // of the list; 0: on record
	Record string
	Cells  []Cell
	Out    bool // the row is left out
}

// A Cell is what one says in a field.
type Cell struct {
	Field, Text string
	Same        bool // as the other says it
}

// A Pair is two who may be one person.
type Pair struct {
	Table string
	Why   string // registry.KeyDocument or KeyNameYear
	A, B  Side
}

// Doubles returns the possible doubles that the newest check found, from offset on, up to
// limit, side by side; and how many there are. Who of them is on record is told of it.
func (d *Desk) Doubles(ctx context.Context, by access.Actor, id string, offset, limit int) (list []Pair, total int, err error) {
	r, err := d.report(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	m, file, err := d.open(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	total = len(r.Doubles)
	shown := r.Doubles[min(offset, total):min(offset+limit, total)]
	plan, err := m.plan()
	if err != nil {
		return nil, 0, err
	}
	sides, err := rowsOf(file, &plan, shown)
	if err != nil {
		return nil, 0, err
	}
	out := func(table string, row int) bool {
		return slices.ContainsFunc(m.Mends, func(x Mended) bool { return x.Out && x.Table == table && x.Row == row })
	}
	var about []registry.ID
	for _, x := range shown {
		p := Pair{Table: x.Table, Why: x.Why, A: Side{Row: x.Row, Cells: sides[at{x.Table, x.Row, ""}], Out: out(x.Table, x.Row)}}
		if x.OtherRow > 0 {
			p.B = Side{Row: x.OtherRow, Cells: sides[at{x.Table, x.OtherRow, ""}], Out: out(x.Table, x.OtherRow)}
		} else if p.B.Record = x.Record; true {
			number, err := registry.ParseID(x.Record)
			if err != nil {
				return nil, 0, err
			}
			if p.B.Cells, err = d.recordCells(ctx, number); err != nil {
				return nil, 0, err
			}
			about = append(about, number)
		}
		same(&p)
		list = append(list, p)
	}
	if len(list) > 0 {
		e := access.Entry{Action: "import.look", Object: id, Detail: fmt.Sprintf("cells=doubles rows=%d records=%d", len(list), len(about))}
		err = d.Registry.Update(ctx, by, func(tx registry.Tx) error { return tx.NoteAbout(e, about) })
	}
	return list, total, err
}

// compared are the fields by which people are told apart, in the order of a screen.
var compared = []intake.Field{intake.FullName, intake.GivenName, intake.FatherName, intake.FamilyName, intake.OtherName, intake.Sex, intake.BirthDate, intake.Age,
	intake.PersonID, intake.HouseholdID, intake.Relation, intake.DocNumber, intake.Phone}

func rowsOf(file *roster.File, plan *intake.Plan, pairs []intake.PossibleDouble) (map[at][]Cell, error) {
	want := map[at]bool{}
	for _, p := range pairs {
		want[at{p.Table, p.Row, ""}], want[at{p.Table, p.OtherRow, ""}] = true, true
	}
	sides := map[at][]Cell{}
	return sides, eachRow(file, func(t roster.Table, row *roster.Row) error {
		k := at{t.Name, row.Number, ""}
		if !want[k] {
			return nil
		}
		i := slices.IndexFunc(plan.Tables, func(p intake.TablePlan) bool { return p.Name == t.Name })
		if i < 0 {
			return nil
		}
		cells := []Cell{}
		for _, c := range plan.Tables[i].Columns {
			if slices.Contains(compared, c.Field) || strings.HasPrefix(string(c.Field), "document.") {
				if v := row.Cell(c.Column); v != "" {
					cells = append(cells, Cell{Field: string(c.Field), Text: v})
				}
			}
		}
		order(cells)
		sides[k] = cells
		return nil
	})
}

func order(cells []Cell) {
	rank := func(c Cell) int {
		if i := slices.Index(compared, intake.Field(c.Field)); i >= 0 {
			return i
		}
		return len(compared)
	}
	slices.SortStableFunc(cells, func(a, b Cell) int { return cmp.Compare(rank(a), rank(b)) })
}

func (d *Desk) recordCells(ctx context.Context, id registry.ID) (cells []Cell, err error) {
	err = d.Registry.View(ctx, func(v registry.View) error {
		rec, err := v.Record(id)
		if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		p, err := rec.Person()
		if err != nil {
			return err
		}
		add := func(f intake.Field, text string) {
			if text != "" {
				cells = append(cells, Cell{Field: string(f), Text: text})
			}
		}
		for _, n := range p.Names {
			add(intake.FullName, n.Text)
		}
		add(intake.Sex, p.Sex)
		if p.Birth != nil {
			add(intake.BirthDate, p.Birth.EDTF)
		}
		add(intake.PersonID, rec.External)
		add(intake.Relation, p.Relation)
		for _, doc := range p.Documents {
			add(intake.Field("document."+doc.Type), doc.Number)
		}
		for _, c := range p.Contacts {
			if c.Kind == "phone" {
				add(intake.Phone, c.Value)
			}
		}
		return nil
	})
	return cells, err
}

// same marks what both sides say alike.
func same(p *Pair) {
	for i := range p.A.Cells {
		for j := range p.B.Cells {
			a, b := &p.A.Cells[i], &p.B.Cells[j]
			if a.Field == b.Field && registry.Fold(a.Text) == registry.Fold(b.Text) {
				a.Same, b.Same = true, true
			}
		}
	}
}

// Rejects are the rows of the newest check that are not taken in, each with what to mend,
// in the form the list came in: mended, they are loaded as the list was. ext is how the
// name of such a file ends, rows how many are in it. ErrEmpty: there are none. The log
// tells who took them, why, and whose they are.
func (d *Desk) Rejects(ctx context.Context, by access.Actor, id, reason string) (b []byte, ext string, rows int, err error) {
	r, err := d.report(ctx, id)
	if err != nil {
		return nil, "", 0, err
	}
	n := r.Total().Rejected
	if n == 0 {
		return nil, "", 0, ErrEmpty
	}
	m, file, err := d.open(ctx, id)
	if err != nil {
		return nil, "", 0, err
	}
	defer file.Close()
	var w bytes.Buffer
	if err := apart.WriteRejects(&w, r, file, m.mends()); err != nil {
		return nil, "", 0, err
	}
	var taken []at
	for _, f := range r.Findings {
		if f.Severity == intake.Reject {
			taken = append(taken, at{table: f.Table, row: f.Row})
		}
	}
	about, err := d.records(ctx, id, taken)
	if err != nil {
		return nil, "", 0, err
	}
	e := access.Entry{Action: "import.rejects", Object: id, Reason: reason, Detail: fmt.Sprintf("rows=%d records=%d", n, len(about))}
	err = d.Registry.Update(ctx, by, func(tx registry.Tx) error { return tx.NoteAbout(e, about) })
	return w.Bytes(), intake.RejectsExt(file.Format()), n, err
}
