package roster

import (
	"io"
	"regexp"
	"slices"
	"strings"
)

// isKobo reports whether a header is that of a KoBo export: it numbers its rows in
// _index, and says more of each submission or of the row it hangs on.
func isKobo(header []string) bool {
	return slices.Contains(header, "_index") && slices.ContainsFunc(header, func(name string) bool {
		switch name {
		case "_uuid", "_id", "_submission_time", "__version__", "_parent_index", "_submission__uuid":
			return true
		}
		return false
	})
}

// formColumn are columns that a form has and its answers have not (XLSForm, sheet
// survey).
var formColumn = regexp.MustCompile(`^(relevant|constraint|calculation|appearance|choice_filter|repeat_count|hint|required)(::?.*)?$`)

// isForm reports whether a header is that of a form's list of questions.
func isForm(header []string) bool {
	label := func(name string) bool { return strings.HasPrefix(name, "label") || strings.HasPrefix(name, "caption") }
	return slices.Contains(header, "type") && slices.Contains(header, "name") &&
		slices.ContainsFunc(header, label) && (slices.ContainsFunc(header, formColumn.MatchString) || len(header) == 3)
}

// joinChoices adds a column for each question with several answers that was
// exported as a column of 0 and 1 for each choice alone: question/choice. It goes
// by the first rows, and leaves the columns of the choices where they are.
func (l *layout) joinChoices(rows []record) {
	ticks := func(i int) bool {
		n := 0
		for _, rec := range rows {
			if i < len(rec.cells) && rec.cells[i] != "" {
				if !slices.Contains([]string{"0", "1", "TRUE", "FALSE"}, rec.cells[i]) {
					return false
				}
				n++
			}
		}
		return n > 0
	}
	var questions []string
	choices := map[string][]int{}
	other := map[string]bool{} // a column of the name, or an answer that is not 0 or 1
	for i, c := range l.columns {
		other[c.Name] = true
		slash := strings.LastIndexByte(c.Name, '/')
		if slash <= 0 {
			continue
		}
		question := c.Name[:slash]
		if choices[question] == nil {
			questions = append(questions, question)
		}
		choices[question] = append(choices[question], i)
		other[question] = other[question] || !ticks(i)
	}
	for _, question := range questions {
		columns := choices[question]
		if len(columns) < 2 || other[question] || len(l.columns) >= MaxColumns {
			continue
		}
		c := Column{Name: question, Type: "select_multiple"}
		for _, i := range columns {
			code := l.columns[i].Name[len(question)+1:]
			c.Choices = append(c.Choices, Choice{code, code})
		}
		l.columns = append(l.columns, c)
		l.joined = append(l.joined, columns)
	}
}

// tie finds the table that the rows of each sheet of a KoBo export hang on. A
// sheet's name is cut at 31 characters, and _parent_table_name is not.
func (f *File) tie(layouts []*layout) {
	for i, l := range layouts {
		if l.form != koboForm || l.parent < 0 {
			continue
		}
		for j, other := range f.tables {
			if j == i {
				continue
			}
			if other.Name == l.parentTable {
				f.tables[i].Parent = other.Name
				break
			}
			if long := len(other.Name) >= 25 && strings.HasPrefix(l.parentTable, other.Name); long {
				f.tables[i].Parent = other.Name
			}
		}
		if f.tables[i].Parent == "" {
			f.warn("sheet %q hangs on the sheet %q, which is not in the file or has no rows", f.tables[i].Name, l.parentTable)
		}
	}
}

// newest returns the version of the form in the submission that came last.
func newest(t *table) (string, error) {
	in, err := t.open()
	if err != nil {
		return "", err
	}
	var last, version string
	for {
		row, err := in.next()
		if err == io.EOF {
			return version, nil
		} else if err != nil {
			return "", err
		}
		if at := row.Cell("_submission_time"); row.Version != "" && at >= last {
			last, version = at, row.Version
		}
	}
}
