package roster

import (
	"io"
	"slices"
	"strconv"
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
	count   int    // how many the file says it has; 0: it does not say
	version string // of the form in the file
	forms   []any
	tables  map[string]*jsonTable
	order   []*jsonTable
	newest  string // time of submission that file.version comes from
}

// maxFormBytes is how long a form in the file may be, all its versions together: it
// is held in memory whole.
const maxFormBytes = 4 << 20

// rootTable is the table of the submissions themselves.
const rootTable = "submissions"

// jsonTable is a table while its columns are being found.
type jsonTable struct {
	*table
	number int
}

// readTop looks at the members of the file's one object: where the submissions
// are, and their form.
func (s *submissions) readTop(j *jsonReader) error {
	var lists []string // members that are lists of objects
	var count, next string
	sent, form, formLeft := false, false, maxFormBytes
	seen := map[string]bool{}
	err := j.members(func(name string) (err error) {
		if seen[name] && (name == "results" || name == "submissions") {
			return refuse(TwoNames, "export it again", "has two lists called %q", name)
		}
		seen[name] = true
		c, err := j.peek()
		if err != nil {
			return err
		}
		switch {
		case name == "content" || name == "survey" || name == "choices" || name == "versions":
			form = true
			before := j.left
			j.left = formLeft
			item, err := j.tree()
			if formLeft = j.left; formLeft < 0 {
				return refuse(TooLarge, "export the answers without their form", "has a form of more than %d bytes", maxFormBytes)
			}
			j.left = before
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
		s.file.warn("it is one page of several: export all of them, the other people are on those")
	} else if n, err := strconv.Atoi(count); err == nil {
		s.count = n
	}
	if sent { // one submission, whatever its repeats are called
		s.single = true
		return nil
	}
	for _, name := range []string{"results", "submissions", "data"} {
		if slices.Contains(lists, name) {
			s.key = name
			return nil
		}
	}
	switch {
	case form && len(lists) == 0:
		return refuse(FormAlone, "in KoBo or ODK, download the data of the form, as XLSX or JSON", "is the form, not its answers")
	case seen["results"] || seen["submissions"]:
		return refuse(Empty, "export it again, with answers", "has no submissions")
	case len(lists) == 1:
		s.key = lists[0]
		s.file.warn("its list of submissions is not called results or submissions; the only list it has is read")
		return nil
	}
	return refuse(WrongKind, "export the submissions from KoBo as JSON, or the list as CSV or XLSX", "is JSON without a list of submissions")
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
		return refuse(Empty, "export it again, with answers", "has no submissions")
	}
	if s.count > 0 && s.count != r.number {
		f.warn("it says it has %d submissions, and holds %d: export all of them", s.count, r.number)
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
	if name == rootTable && parent != "" {
		name += " (repeat)"
	}
	if t := s.tables[name]; t != nil {
		return t, nil
	}
	if len(s.order) >= MaxTables {
		return nil, refuse(TooWide, "export fewer forms at once", "has more than %d repeats", MaxTables)
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
			return 0, refuse(TooWide, "export fewer questions", "has more than %d columns in %q", MaxColumns, t.Name)
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
