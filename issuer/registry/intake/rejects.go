package intake

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"aidpass/issuer/registry/roster"
)

// RejectsExt is how the name of a file of rejected rows ends, by the form of the
// list: such rows come back in the form they came in.
func RejectsExt(f roster.Format) string {
	switch f {
	case roster.CSV, roster.HXLCSV:
		return ".csv"
	case roster.KoboJSON:
		return ".json"
	}
	return ".xlsx"
}

// WriteRejects writes the rows that were rejected, each with its number in the file
// and what to mend, in columns that an import passes over: the file can be mended
// and imported as the list was. A workbook has the sheets and header rows it had;
// a form's submission comes back whole.
//
// It writes people's data, and only where there are rejected rows.
func (r *Report) WriteRejects(w io.Writer, file *roster.File) error {
	mend := map[string]map[int][]string{}
	for _, f := range r.Findings {
		if f.Severity == Reject {
			if mend[f.Table] == nil {
				mend[f.Table] = map[int][]string{}
			}
			mend[f.Table][f.Row] = append(mend[f.Table][f.Row], f.words())
		}
	}
	re := &rejects{file: file, mend: mend, parents: map[string]map[string]bool{}}
	if err := re.findParents(); err != nil {
		return err
	}
	switch RejectsExt(file.Format()) {
	case ".csv":
		return re.csv(w)
	case ".json":
		return re.json(w)
	}
	return re.workbook(w)
}

// words say a finding in one cell.
func (f Finding) words() string {
	text := f.What + ": " + f.Fix
	if f.Column != "" {
		text = f.Column + ": " + text
	}
	return text
}

type rejects struct {
	file    *roster.File
	mend    map[string]map[int][]string
	parents map[string]map[string]bool // by table: rows, by Index, that a rejected row hangs on
}

// findParents finds the rows that rejected ones hang on by a link of the file's own:
// without them the mended row would hang on nothing.
func (re *rejects) findParents() error {
	for _, table := range slices.Backward(re.file.Tables()) {
		if table.Parent == "" {
			continue
		}
		err := re.each(table, func(row *roster.Row) error {
			if row.Parent != "" && re.wanted(table, row) {
				if re.parents[table.Parent] == nil {
					re.parents[table.Parent] = map[string]bool{}
				}
				re.parents[table.Parent][row.Parent] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (re *rejects) wanted(table roster.Table, row *roster.Row) bool {
	_, bad := re.mend[table.Name][row.Number]
	return bad || row.Index != "" && re.parents[table.Name][row.Index]
}

func (re *rejects) each(table roster.Table, fn func(*roster.Row) error) error {
	rows, err := re.file.Rows(table.Name)
	if err != nil {
		return err
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := fn(&row); err != nil {
			return err
		}
	}
}

// heads are the rows above the data: names, and HOPE's labels or HXL's tags. The
// columns of an earlier file of rejects are not repeated.
func heads(table roster.Table, format roster.Format) (rows [][]string, keep []int) {
	var names, labels, tags []string
	for i, c := range table.Columns {
		if c.Name == rowColumn || c.Name == mendColumn {
			continue
		}
		keep = append(keep, i)
		name := c.Name
		if format == roster.HXLCSV || format == roster.HXLXLSX {
			if c.Label != "" {
				name = c.Label
			}
		}
		names, labels, tags = append(names, name), append(labels, c.Label), append(tags, c.Tag)
	}
	rows = [][]string{append(names, rowColumn, mendColumn)}
	if table.Labels > 0 {
		rows = append(rows, labels)
	}
	if slices.ContainsFunc(tags, func(t string) bool { return t != "" }) {
		rows = append(rows, tags)
	}
	return rows, keep
}

func (re *rejects) cells(table roster.Table, row *roster.Row, keep []int) []string {
	raw := row.Raw()
	cells := make([]string, 0, len(keep)+2)
	for _, i := range keep {
		v := ""
		if i < len(raw) {
			v = printable(raw[i])
		}
		cells = append(cells, v)
	}
	if len(raw) > len(table.Columns) && len(keep) > 0 { // a cell too many: it is what is to be mended
		cells[len(keep)-1] = strings.Join(append(cells[len(keep)-1:], raw[len(table.Columns):]...), " ")
		cells = cells[:len(keep)]
	}
	return append(cells, strconv.Itoa(row.Number), strings.Join(re.mend[table.Name][row.Number], "; "))
}

// printable drops what neither CSV nor XML can hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func (re *rejects) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	for _, table := range re.file.Tables() {
		head, keep := heads(table, re.file.Format())
		for _, h := range head {
			out.Write(safe(h)) // its error stays with out
		}
		err := re.each(table, func(row *roster.Row) error {
			if re.wanted(table, row) {
				return out.Write(safe(re.cells(table, row, keep)))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func safe(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		if strings.HasPrefix(c, "#") { // a hashtag is no formula
			out[i] = c
			continue
		}
		out[i] = SafeCell(c)
	}
	return out
}

func (re *rejects) workbook(w io.Writer) error {
	b := NewWorkbook(w)
	for _, table := range re.file.Tables() {
		if len(re.mend[table.Name]) == 0 && len(re.parents[table.Name]) == 0 {
			continue
		}
		name := table.Name
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			name = name[i+1:]
		}
		if err := b.Sheet(name); err != nil {
			return err
		}
		head, keep := heads(table, re.file.Format())
		for _, h := range head {
			if err := b.Row(h...); err != nil {
				return err
			}
		}
		err := re.each(table, func(row *roster.Row) error {
			if re.wanted(table, row) {
				return b.Row(re.cells(table, row, keep)...)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return b.Close()
}

// json writes the submissions that a rejected row is of, whole and as they were.
func (re *rejects) json(w io.Writer) error {
	what, err := re.submissions()
	if err != nil {
		return err
	}
	list, err := listOf(json.NewDecoder(re.file.Bytes()))
	if err != nil {
		return errorf("rejected submissions: %w", plain(err))
	}
	var out []map[string]json.RawMessage
	for n := 1; ; n++ {
		item, err := list()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return errorf("rejected submissions: submission %d: %w", n, plain(err))
		}
		texts, ok := what[n]
		if !ok {
			continue
		}
		if item[rowColumn], err = json.Marshal(strconv.Itoa(n)); err != nil {
			return err
		}
		if item[mendColumn], err = json.Marshal(strings.Join(texts, "; ")); err != nil {
			return err
		}
		out = append(out, item)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(out)
}

// submissions tells by number which ones a rejected row is of, and what to mend.
func (re *rejects) submissions() (map[int][]string, error) {
	number := map[string]map[string]int{} // by table: of rows, by Index
	what := map[int][]string{}
	for _, table := range re.file.Tables() {
		number[table.Name] = map[string]int{}
		err := re.each(table, func(row *roster.Row) error {
			n := row.Number
			if table.Parent != "" {
				n = number[table.Parent][row.Parent]
			}
			number[table.Name][row.Index] = n
			if texts, bad := re.mend[table.Name][row.Number]; bad {
				for _, t := range texts {
					if row.Path != "" && table.Parent != "" {
						t = row.Path + ": " + t
					}
					what[n] = append(what[n], t)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return what, nil
}

// listOf finds the submissions of a JSON file: the file is their list, one of them,
// or an object that has the list in it. The function returned gives the next one.
func listOf(d *json.Decoder) (func() (map[string]json.RawMessage, error), error) {
	first, err := d.Token()
	if err != nil {
		return nil, err
	}
	if first == json.Delim('[') {
		return func() (item map[string]json.RawMessage, err error) {
			if !d.More() {
				return nil, io.EOF
			}
			return item, d.Decode(&item)
		}, nil
	}
	top := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		top[name.(string)] = v // a name is always text
	}
	var list []map[string]json.RawMessage
	for _, name := range []string{"results", "submissions", "data"} {
		if json.Unmarshal(top[name], &list) == nil && list != nil {
			break
		}
	}
	if list == nil {
		if _, sent := top["_uuid"]; !sent && top["_id"] == nil && top["meta/instanceID"] == nil {
			for _, v := range top {
				if json.Unmarshal(v, &list) == nil && list != nil {
					break
				}
			}
		}
	}
	if list == nil {
		list = []map[string]json.RawMessage{top}
	}
	return func() (map[string]json.RawMessage, error) {
		if len(list) == 0 {
			return nil, io.EOF
		}
		item := list[0]
		list = list[1:]
		return item, nil
	}, nil
}
