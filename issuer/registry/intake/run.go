package intake

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/photo"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/roster"
)

// Options of Run.
type Options struct {
	Source  string // name of the list its numbers are unique in; "": the organisation
	Country string // ISO 3166-1 alpha-3, of phones without a code; "": the plan's
	Places  Places // nil: no p-code is unknown
	Photos  *photo.Folder
	// Required is what the organisation requires of a record: what the list leaves open of it
	// is counted, and no row is refused for it.
	Required quality.Required
	DryRun   bool // everything but writing
	// TakeChanges lets a list change the name, birth date or household of a person on
	// record. Without it such rows are rejected: the number may be somebody else's.
	TakeChanges bool
	// TakeErased lets a list bring back who was erased on request.
	TakeErased bool
	Now        time.Time
	// Read is the day by which ages are counted and dates are held against: that of an
	// earlier check, where the same is to come out. Zero: Now.
	Read     time.Time
	Progress func(stage string, rows int) // may be nil
	// Import is what the import is kept as; zero: an identifier is drawn. One that is
	// there already is an error of the store, and nothing is written.
	Import registry.ID
	// Before is asked when every row is checked and nothing is written yet, and stops the
	// import with its error; nil: nobody is asked.
	Before func(*Report) error
}

// day is the time by which rows are read.
func (o *Options) day() time.Time { return cmp.Or(o.Read, o.Now).UTC() }

// Run imports a file by a plan that leaves no question open: see Plan.Questions.
//
//  1. In one transaction every row is read, checked, and compared with the other
//     rows and with what is on record. What it will become is then known.
//  2. In the same transaction the file is read again and the rows that can be stored
//     truthfully are: households, then people, then who is head and who collects.
//
// The report has every row. An error means that nothing was written: a
// *roster.FileError for a file that breaks off, the store's own errors, or a fault
// of this program where its counts do not agree. A file that was imported before
// is run again, and finds nothing new.
func Run(ctx context.Context, store registry.Store, by access.Actor, plan Plan, file *roster.File, opt Options) (*Report, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	if err := plan.Questions(file); err != nil {
		return nil, err
	}
	r := newRun(plan, file, opt)
	r.stopped = ctx.Err
	var err error
	if opt.DryRun {
		err = store.View(ctx, r.check)
	} else {
		err = store.Update(ctx, by, func(tx registry.Tx) error {
			if err := r.check(tx); err != nil {
				return err
			}
			if opt.Before != nil {
				if err := opt.Before(&r.report); err != nil {
					return err
				}
			}
			return r.commit(tx, by)
		})
	}
	if err != nil {
		return nil, err
	}
	return &r.report, nil
}

// outcome is what becomes of a row.
type outcome uint8

const (
	pending outcome = iota
	rejected
	created
	updated
	duplicate
	twin // says what another row of the file says: counted as a duplicate, not written
)

// A state is what is kept of a row between the two readings: what identifies it,
// nothing of what it says.
type state struct {
	row     int32 // as roster.Row.Number
	outcome outcome
	found   bool         // on record already
	head    bool         // of her household
	key     [16]byte     // of the external identifier
	content [16]byte     // of the cells
	writes  [16]byte     // of what is written of it: see Fates
	said    [8]byte      // what the row says of its household, where it repeats it
	house   int32        // place in run.houses; -1: none
	id      registry.ID  // on record, or once written
	place   string       // in a form's file
	flags   uint8        // the constants below
	filled  uint16       // fields the row fills: see quality
	open    uint32       // required fields the row leaves open: see asks
	size    uint8        // of the household, as the row says it
	viaHome bool         // updated for what it says of its household alone
	member  memberSketch // for the checks of its household
}

const (
	flagged  = 1 << iota // stored with an issue
	blocked              // with a blocking one
	pictured             // a picture was found for her
)

// memberSketch is what the checks of a household ask of a member.
type memberSketch struct {
	relation, sex, birth string // shared texts but the last
	estimated            bool
}

// A house is a household of the file, or one that its people name.
type house struct {
	external string
	table    int         // of the row it is made from; -1: none in this file
	carrier  int         // that row's place in the states of its table
	id       registry.ID // zero: not on record yet
	found    bool
	issues   []registry.Issue // of its row and of the checks
	size     int
	members  []ref
	collect  []collector
	headAt   *ref
	refused  bool   // its row was
	asked    bool   // whether it is on record
	says     uint32 // required fields of people that it says for all of them
	told     bool   // what of the desk's is kept
}

type ref struct{ table, row int32 }

// collector is somebody who fetches for a household: a row of the file, a record,
// or a name.
type collector struct {
	role     string
	row      ref // table -1: not a row
	external string
	id       registry.ID
}

// run is an import under way.
type run struct {
	stopped func() error // its context's: reading takes long, and asks nobody
	plan    Plan
	file    *roster.File
	opt     Options
	report  Report
	tables  []*tableRun
	houses  []house
	byKey   map[[16]byte]int32 // houses
	people  map[[16]byte]ref   // first row of each person
	again   map[[16]byte][]ref // rows of persons and households that stand more than once
	rows    map[[16]byte]ref   // first row of each household's own
	parent  map[string]int32   // houses by the Index of a form's row; -1: the row makes none
	phones  map[[16]byte]*phone
	keys    map[[16]byte]ref // documents, and names with years of birth: the first row of each
	pairs   []pair
	gaps    []gap
	claims  []claim
	side    *side
	view    registry.View
	days    registry.DefaultDays
	aliases map[aliasesOf]map[string]registry.ID // of the file's own records without a number
	written
}

// phone is who gives one number.
type phone struct {
	houses []int32 // at most one more than may share it
	rows   []ref
}

// sharing is how many households may give one phone (DOMAIN.md 5, DQ-12).
const sharing = 5

// pair is a row that may be the same person as another one or a record.
type pair struct {
	row, other ref // other.table -1: the record
	record     registry.ID
	why        string
}

// gap is a DeliveryGap of a row that is not decided yet.
type gap struct {
	row       ref
	house     int32
	mechanism string
	missing   []string
}

// claim is a row that says to collect for a household.
type claim struct {
	row   ref
	house string // "": her own
	role  string
}

type tableRun struct {
	table  roster.Table
	plan   *TablePlan
	lens   *lens
	states []state
	count  TableCount
}

func newRun(plan Plan, file *roster.File, opt Options) *run {
	if opt.Now.IsZero() {
		opt.Now = time.Now()
	}
	r := &run{
		plan: plan, file: file, opt: opt,
		byKey: map[[16]byte]int32{}, people: map[[16]byte]ref{}, again: map[[16]byte][]ref{}, rows: map[[16]byte]ref{},
		parent: map[string]int32{}, phones: map[[16]byte]*phone{}, keys: map[[16]byte]ref{},
	}
	digest := file.Digest()
	r.report = Report{
		Format: string(file.Format()), Digest: hex.EncodeToString(digest[:]), Source: opt.Source, DryRun: opt.DryRun, LeftOut: r.plan.leftOut(),
		Warnings: slices.Clone(file.Warnings()),
		Quality:  Quality{Filled: map[string]int{}, FilledHH: map[string]int{}, Codes: map[string]int{}},
	}
	for _, s := range file.Skipped() {
		r.report.Skipped = append(r.report.Skipped, Skipped{Name: s.Name, Why: s.Why})
	}
	for _, table := range file.Tables() {
		t := r.plan.table(table.Name)
		if t == nil || t.Role == Ignored {
			r.report.Skipped = append(r.report.Skipped, Skipped{Name: table.Name, Why: "the plan ignores it"})
			continue
		}
		run := &tableRun{table: table, plan: t, count: TableCount{Name: t.Name, Role: t.Role}}
		run.lens = newLens(&r.plan, t, table, &opt)
		r.tables = append(r.tables, run)
		r.report.Tables = append(r.report.Tables, run.count)
	}
	return r
}

// order is the tables as they are worked on: what others hang on comes first.
func (r *run) order() []int {
	place := func(t *tableRun) int {
		switch {
		case t.plan.Role.side():
			return 0
		case t.plan.Role == Households:
			return 1
		}
		return 2
	}
	list := make([]int, len(r.tables))
	for i := range list {
		list[i] = i
	}
	slices.SortStableFunc(list, func(a, b int) int { return place(r.tables[a]) - place(r.tables[b]) })
	return list
}

// each calls fn with the rows of a table, in the file's order.
func (r *run) each(t *tableRun, stage string, fn func(i int, row *roster.Row) error) error {
	rows, err := r.file.Rows(t.table.Name)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		if i%64 == 0 {
			if err := r.stopped(); err != nil {
				return err
			}
		}
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if r.opt.Progress != nil {
			r.opt.Progress(stage, i+1)
		}
		if err := fn(i, &row); err != nil {
			return err
		}
	}
}
