package roster

import (
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// openJSON opens submissions as KoBo and ODK give them:
//
//  1. {"count": 2, "results": [...]}, a page of KoBo's API;
//  2. a list of submissions alone, or one submission;
//  3. {"version": ..., "content": {"survey": ...}, "submissions": [...]}, answers
//     with their form, which gives the columns labels and choices.
//
// Or a list with HXL hashtags: rows of cells, or objects whose keys are hashtags.
//
// The file is read once for its tables and columns, whose union over all versions
// of the form they are, and once for each table that is asked for.
func (f *File) openJSON() error {
	s := &submissions{file: f, tables: map[string]*jsonTable{}}
	j := f.newJSON()
	c, err := j.peek()
	if err != nil {
		return err
	}
	if c == '{' {
		err = s.readTop(j)
	} else if lists, err := startsWithList(j); err != nil {
		return err
	} else if lists {
		return f.openJSONRows()
	}
	if err != nil {
		return err
	}
	return s.open()
}

// startsWithList reports whether a list is one of lists.
func startsWithList(j *jsonReader) (bool, error) {
	if err := j.enter('['); err != nil {
		return false, err
	}
	more, err := j.more()
	if err != nil || !more {
		return false, err
	}
	c, err := j.peek()
	return c == '[', err
}

// submissions is a JSON file with answers to a form.
type submissions struct {
	file    *File
	key     string // where in the top object their list stands; "" where the file is the list
	single  bool   // the file is one submission
	version string // of the form in the file
	forms   []any
	tables  map[string]*jsonTable
	order   []*jsonTable
	newest  string // time of submission that file.version comes from
}

// rootTable is the table of the submissions themselves.
const rootTable = "submissions"

// jsonTable is a table while its columns are being found.
type jsonTable struct {
	*table
	number int
}

// metadata are columns that a form fills in by itself. Where one comes twice with
// two values, as old forms do that were changed by hand, the last counts.
var metadata = []string{"start", "end", "today", "username", "deviceid", "phonenumber", "simserial", "subscriberid", "audit"}

// readTop looks at the members of the file's one object: where the submissions
// are, and their form.
func (s *submissions) readTop(j *jsonReader) error {
	var lists []string // members that are lists of objects
	var count, next string
	sent, form := false, false
	seen := map[string]bool{}
	err := j.members(func(name string) (err error) {
		if seen[name] && (name == "results" || name == "submissions") {
			return refuse("export it again", "has two lists called %q", name)
		}
		seen[name] = true
		c, err := j.peek()
		if err != nil {
			return err
		}
		switch {
		case name == "content" || name == "survey" || name == "choices" || name == "versions":
			form = true
			j.left = MaxRowBytes
			item, err := j.tree()
			j.left = int(s.file.size)*2 + 64
			switch {
			case name == "survey" || name == "choices":
				s.forms = append(s.forms, map[string]any{name: item})
			case name == "versions":
				if list, ok := item.([]any); ok {
					s.forms = append(s.forms, list...)
				}
			default:
				s.forms = append(s.forms, item)
			}
			return err
		case c == '[':
			return j.items(func(i int) error {
				if c, err := j.peek(); err != nil {
					return err
				} else if i == 0 && c == '{' {
					lists = append(lists, name)
				}
				return j.skip()
			})
		case c == '{':
			return j.skip()
		}
		value, err := j.scalar()
		switch name {
		case "_uuid", "_id", "formhub/uuid", "meta/instanceID", "__version__", "_xform_id_string":
			sent = true
		case "version":
			s.version = value
		case "count":
			count = value
		case "next":
			next = value
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := j.end(); err != nil {
		return err
	}
	if next != "" {
		s.file.warn("it is one page of several: of %s submissions it has those of this page only; export all", count)
	}
	for _, name := range []string{"results", "submissions", "data"} {
		if slices.Contains(lists, name) {
			s.key = name
			return nil
		}
	}
	switch {
	case sent:
		s.single = true
		return nil
	case form && len(lists) == 0:
		return refuse("in KoBo or ODK, download the data of the form, as XLSX or JSON", "is the form, not its answers")
	case seen["results"] || seen["submissions"]:
		return refuse("export it again, with answers", "has no submissions")
	case len(lists) == 1:
		s.key = lists[0]
		s.file.warn("its list of submissions is not called results or submissions; the only list it has is read")
		return nil
	}
	return refuse("export the submissions from KoBo as JSON, or the list as CSV or XLSX", "is JSON without a list of submissions")
}

// open finds the tables and columns, and reads all of the file once for them.
func (s *submissions) open() error {
	f := s.file
	r, err := s.rows(nil)
	if err != nil {
		return err
	}
	for {
		if err = r.submission(); err != nil {
			break
		}
	}
	if err != io.EOF {
		return err
	}
	if len(s.order) == 0 {
		return refuse("export it again, with answers", "has no submissions")
	}
	f.format = KoboJSON
	for _, form := range s.forms {
		s.label(form)
	}
	if root := s.order[0]; !slices.ContainsFunc(root.Columns, func(c Column) bool { return tagOf(c.Name) == "" }) {
		f.format = HXLJSON
		for i := range root.Columns {
			root.Columns[i].Tag = tagOf(root.Columns[i].Name)
		}
	}
	for _, t := range s.order {
		t.FirstRow = 1
	}
	return nil
}

// learn returns the table of that name, and makes it the first time.
func (s *submissions) learn(name, parent string) (*jsonTable, error) {
	if t := s.tables[name]; t != nil {
		return t, nil
	}
	if len(s.order) >= MaxTables {
		return nil, refuse("export fewer forms at once", "has more than %d repeats", MaxTables)
	}
	t := &jsonTable{number: len(s.order)}
	t.table = s.file.add(Table{Name: name, Parent: parent}, func() (stream, error) { return s.rows(t) })
	s.tables[name] = t
	s.order = append(s.order, t)
	return t, nil
}

// at returns the place of a column, and adds it the first time.
func (t *jsonTable) at(name string) (int, error) {
	i, known := t.column[name]
	if !known {
		if i = len(t.Columns); i >= MaxColumns {
			return 0, refuse("export fewer questions", "has more than %d columns in %q", MaxColumns, t.Name)
		}
		t.Columns = append(t.Columns, Column{Name: name})
		t.column[name] = i
	}
	return i, nil
}

// rows starts reading the submissions, for the rows of one table; nil: for none.
func (s *submissions) rows(want *jsonTable) (*submissionRows, error) {
	r := &submissionRows{s: s, j: s.file.newJSON(), want: want, counts: make([]int, len(s.order))}
	if s.single {
		return r, nil
	}
	if s.key == "" {
		return r, r.j.enter('[')
	}
	if err := r.j.enter('{'); err != nil {
		return nil, err
	}
	for {
		more, err := r.j.more()
		if err != nil {
			return nil, err
		} else if !more {
			return nil, r.j.damaged("its list has gone")
		}
		name, err := r.j.key()
		if err != nil {
			return nil, err
		}
		if name == s.key {
			return r, r.j.enter('[')
		}
		if err := r.j.skip(); err != nil {
			return nil, err
		}
	}
}

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
