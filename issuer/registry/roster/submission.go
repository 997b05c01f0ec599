package roster

import (
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// metadata are columns that a form fills in by itself. Where one comes twice with
// two values, as old forms do that were changed by hand, the last counts.
var metadata = []string{"start", "end", "today", "username", "deviceid", "phonenumber", "simserial", "subscriberid", "audit"}

// submissionRows yields the rows of one table, submission by submission.
type submissionRows struct {
	s      *submissions
	j      *jsonReader
	want   *jsonTable
	number int   // of the submission
	counts []int // rows so far, by table
	ready  []Row // of the submission last read
	// Of the submission being read:
	place   []step
	version string
	rank    int // how good the source of version is
	time    string
}

// step is one repeat on the way to a row.
type step struct {
	name string
	at   int // from 1
}

func (r *submissionRows) next() (Row, error) {
	for len(r.ready) == 0 {
		if err := r.submission(); err != nil {
			return Row{}, err
		}
	}
	row := r.ready[0]
	r.ready = r.ready[1:]
	return row, nil
}

// submission reads the next one, and keeps its rows of the table that is wanted.
func (r *submissionRows) submission() error {
	if r.s.single && r.number > 0 {
		return io.EOF
	}
	if !r.s.single {
		more, err := r.j.more()
		if err != nil {
			return err
		} else if !more {
			return r.finish()
		}
	}
	r.number++
	r.j.left = MaxRowBytes
	r.ready, r.version, r.rank, r.time = nil, r.s.version, 0, ""
	r.place = append(r.place[:0], step{"submission", r.number})
	root, err := r.s.learn(rootTable, "")
	if err != nil {
		return err
	}
	if err := r.record(root, ""); err != nil {
		return err
	}
	for i := range r.ready {
		r.ready[i].Version = r.version
	}
	if f := r.s.file; r.want == nil && r.version != "" && r.time >= r.s.newest {
		r.s.newest, f.version = r.time, r.version
	}
	r.j.left = int(r.s.file.size)*2 + 64 // for what stands between submissions
	return nil
}

// finish sees that the file is whole, the first time it is read.
func (r *submissionRows) finish() error {
	if r.want == nil && r.s.key == "" {
		if err := r.j.end(); err != nil {
			return err
		}
	}
	return io.EOF
}

// openRow is a row while it is read.
type openRow struct {
	row   Row
	table *jsonTable
	given []bool   // the cells that came
	lists []string // the repeats that came
}

func (o *openRow) problem(column, what, fix string) {
	o.row.Problems = append(o.row.Problems, Problem{Row: o.row.Number, Path: o.row.Path, Column: column, What: what, Fix: fix})
}

// record reads an object as a row of a table. path is that of the repeat; "" for
// the submission itself.
func (r *submissionRows) record(t *jsonTable, path string) error {
	for t.number >= len(r.counts) {
		r.counts = append(r.counts, 0)
	}
	r.counts[t.number]++
	o := &openRow{table: t, row: Row{Number: r.counts[t.number], column: t.column}}
	if t == r.want {
		o.row.Path, o.row.Index, o.row.Parent = r.where()
	}
	if err := r.object(o, path); err != nil {
		return err
	}
	if r.j.broken {
		r.j.broken = false
		o.problem("", "a text in it holds half a character", "type the text anew in KoBo, and export again")
	}
	if t == r.want {
		r.ready = append(r.ready, o.row)
	}
	return nil
}

// where returns the place of the row being read, its key and its parent's.
func (r *submissionRows) where() (place, index, parent string) {
	for i, s := range r.place {
		if i > 0 {
			place, parent, index = place+", ", index, index+"/"
		}
		place += s.name + " " + strconv.Itoa(s.at)
		index += strconv.Itoa(s.at)
	}
	return place, index, parent
}

// object reads the members of an object into a row. Those of a group are called
// group/field, whether the file says so or nests them.
func (r *submissionRows) object(o *openRow, prefix string) error {
	return r.j.members(func(name string) error {
		if name == "" {
			name = "(no name)"
		}
		if prefix != "" && !strings.HasPrefix(name, prefix+"/") {
			name = prefix + "/" + name
		}
		c, err := r.j.peek()
		switch {
		case err != nil:
			return err
		case c == '{':
			return r.object(o, name)
		case c == '[':
			return r.list(o, name)
		}
		value, err := r.j.scalar()
		if err != nil {
			return err
		}
		return r.set(o, name, value)
	})
}

// list reads a repeat, or a list of values into one cell.
func (r *submissionRows) list(o *openRow, name string) error {
	root := o.table.number == 0
	if slices.Contains(o.lists, name) {
		o.problem(name, "it comes twice", "export the submission again")
	}
	o.lists = append(o.lists, name)
	var values []string
	rows := 0
	err := r.j.items(func(i int) error {
		c, err := r.j.peek()
		switch {
		case err != nil:
			return err
		case c == '{' && root && name == "_attachments":
			file, err := r.attachment()
			if file != "" {
				values = append(values, file)
			}
			return err
		case c == '{' && root && strings.HasPrefix(name, "_"):
			if r.want == nil && !slices.ContainsFunc(r.s.file.skipped, func(s Skipped) bool { return s.Name == name }) {
				r.s.file.skip(name, "it is KoBo's own note on the submission")
			}
			return r.j.skip()
		case c == '{':
			rows++
			t, err := r.s.learn(name, o.table.Name)
			if err != nil {
				return err
			}
			r.place = append(r.place, step{name[strings.LastIndexByte(name, '/')+1:], i + 1})
			err = r.record(t, name)
			r.place = r.place[:len(r.place)-1]
			return err
		}
		return r.values(&values)
	})
	if err != nil || len(values) == 0 {
		return err
	}
	if rows > 0 {
		o.problem(name, "it holds both answers and rows", "export the submission again")
	}
	separator := " "
	if name == "_attachments" {
		separator = ", "
	}
	return r.set(o, name, strings.Join(values, separator))
}

// values collects what stands in a list, and in the lists in it: a shape on the
// map is one.
func (r *submissionRows) values(out *[]string) error {
	if c, err := r.j.peek(); err != nil {
		return err
	} else if c == '{' {
		return r.j.damaged("an object in a list of lists")
	} else if c == '[' {
		return r.j.items(func(int) error { return r.values(out) })
	}
	value, err := r.j.scalar()
	if value != "" {
		*out = append(*out, value)
	}
	return err
}

// attachment reads the description of a file that came with the submission, and
// returns its name.
func (r *submissionRows) attachment() (name string, err error) {
	err = r.j.members(func(member string) error {
		if c, err := r.j.peek(); err != nil || c == '{' || c == '[' {
			return r.j.skip()
		}
		value, err := r.j.scalar()
		if value != "" && (member == "media_file_basename" || member == "filename" && name == "") {
			name = path.Base(value)
		}
		return err
	})
	return name, err
}

// set puts a value into its cell.
func (r *submissionRows) set(o *openRow, name, value string) error {
	if value == "NaN" { // a calculation whose questions were not answered
		value = ""
	}
	if o.table.number == 0 {
		r.notice(name, value)
	}
	i, err := o.table.at(name)
	if err != nil {
		return err
	}
	if o.table != r.want {
		return nil
	}
	for len(o.row.cells) <= i {
		o.row.cells, o.given = append(o.row.cells, ""), append(o.given, false)
	}
	if o.given[i] && o.row.cells[i] != value && !slices.Contains(metadata, name) {
		o.problem(name, "it comes twice, with two values", "open the submission in KoBo, and export it again")
	}
	if strings.IndexByte(value, 0) >= 0 {
		o.problem(name, "it holds a NUL character, which no list needs", "type the text anew")
	}
	o.row.cells[i], o.given[i] = value, true
	return nil
}

// notice looks at what a submission says of itself.
func (r *submissionRows) notice(name, value string) {
	if name == "_submission_time" {
		r.time = value
	}
	if rank := slices.Index([]string{"version", "meta/versionID", "_version_", "__version__"}, name) + 1; rank > r.rank && value != "" {
		r.version, r.rank = value, rank
	}
}
