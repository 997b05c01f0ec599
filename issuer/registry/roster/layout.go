package roster

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// form is how a sheet or CSV is laid out.
type form uint8

const (
	plainForm form = iota
	hopeForm
	hxlForm
	koboForm
)

// layout is where things stand in a CSV or sheet.
type layout struct {
	form    form
	columns []Column
	first   int // row of the first data
	labels  int // row of labels that is passed over; 0: none
	above   int // rows above the header that are passed over
	// Cells, from 0, that hold the row's key, its parent's and the version of its form; -1 for none.
	index, parent, version int
	ragged                 bool // a row must have as many cells as the header
	width                  int  // cells of the header row, blank ones at its end counted
	parentTable            string
	lostZeros              []string // columns whose numbers may have had zeros in front
	joined                 [][]int  // of the columns behind those of the sheet: the columns of choices that each is made of
}

// headRows is how many rows at the start of a sheet tell its layout: HXL's row of
// hashtags stands in one of the first 25.
const headRows = 25

// analyse reads the first rows of a CSV or sheet and finds its layout.
//
//  1. A row of HXL hashtags is the header, and what stands above it are labels.
//  2. Else the first row that is not blank is the header; but where it names no
//     field that is known and one of the next rows names two, that one is, and what
//     stands above is a title.
//  3. In a HOPE workbook it holds field codes, and the row behind it may hold labels
//     for people: it is passed over where its cells name the fields they stand under.
//  4. A header without rows is refused here, and a form, unless its sheet was asked for.
func analyse(sheet string, asked bool, open func() (source, error)) (*layout, *unfit, error) {
	in, err := open()
	if err != nil {
		return nil, nil, err
	}
	defer in.close()
	var head []record
	for len(head) < headRows+1 {
		rec, err := in.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, nil, err
		}
		head = append(head, rec)
	}
	if len(head) == 0 {
		return nil, &unfit{refusal(Empty, "export the list again", "has no rows%s", onSheet(sheet)), emptySheet}, nil
	}
	l, at, wrong := headerOf(sheet, asked, head)
	if wrong != nil {
		return nil, wrong, nil
	}
	rest := head[at+1:]
	if len(rest) > 0 && l.labels == rest[0].number {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil, &unfit{refusal(Empty, "add the rows below the header, or name another sheet", "has a header and no rows%s", onSheet(sheet)), emptySheet}, nil
	}
	l.first = rest[0].number
	if l.form == koboForm {
		l.parentTable = cellUnder(l.columns, rest[0].cells, "_parent_table_name")
	}
	l.findLostZeros(rest)
	if l.form == koboForm {
		l.joinChoices(rest)
	}
	return l, nil, nil
}

// unfit says why a sheet is no table. The file may have others.
type unfit struct {
	*FileError
	kind unfitKind
}

type unfitKind uint8

const (
	noHeader unfitKind = iota
	emptySheet
	questions // a form, not its answers
)

// onSheet names the sheet in a sentence.
func onSheet(sheet string) string {
	if sheet == "" {
		return ""
	}
	return fmt.Sprintf(" on sheet %q", sheet)
}

// headerOf finds the header among the first rows, and its place among them.
func headerOf(sheet string, asked bool, head []record) (*layout, int, *unfit) {
	for i, rec := range head[:min(len(head), headRows)] {
		if isTagRow(rec.cells) {
			return hxlLayout(head, i), i, nil
		}
	}
	at := 0
	if !isKobo(head[0].cells) && len(Guess(trimmed(head[0].cells))) == 0 {
		for i := 1; i < min(len(head), 10); i++ {
			cells := trimmed(head[i].cells)
			if len(head[i].problems) == 0 && len(Guess(cells)) >= 2 && !slices.ContainsFunc(cells, dataLike.MatchString) {
				at = i
				break
			}
		}
	}
	if rec := head[at]; len(rec.problems) > 0 {
		p := rec.problems[0]
		return nil, 0, &unfit{refusal(BadHeader, p.Fix, "has a header that cannot be read%s: column %s %s", onSheet(sheet), p.Column, p.What), noHeader}
	}
	header := trimmed(head[at].cells)
	l := &layout{index: -1, parent: -1, version: -1, above: at, width: len(head[at].cells)}
	if isKobo(header) {
		l.form = koboForm
	} else if isHope(header, sheet) {
		l.form = hopeForm
	}
	if !asked && (isForm(header) || strings.EqualFold(sheet, "survey") && slices.Contains(header, "type") && slices.Contains(header, "name")) {
		return nil, 0, &unfit{refusal(FormAlone, "in KoBo or ODK, download the data of the form, as XLSX or JSON", "is the form (XLSForm), not its answers"), questions}
	}
	if wrong := l.setColumns(sheet, header); wrong != nil {
		return nil, 0, &unfit{wrong, noHeader}
	}
	var labels []string
	if l.form == hopeForm && at+1 < len(head) && head[at+1].number == head[at].number+1 && isLabels(header, head[at+1].cells) {
		l.labels = head[at+1].number
		labels = trimmed(head[at+1].cells)
	}
	for i := range l.columns {
		if i < len(labels) {
			l.columns[i].Label = labels[i]
			l.columns[i].Required = strings.Contains(strings.ToLower(labels[i]), "required")
		}
	}
	l.widen(sheet, head[at+1:])
	l.keys(sheet)
	return l, at, nil
}

// trimmed returns the cells without the blanks around them and those at the end.
func trimmed(cells []string) []string {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = strings.TrimSpace(cell)
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// setColumns names the columns by the header.
func (l *layout) setColumns(sheet string, header []string) *FileError {
	seen := map[string]int{}
	for i, name := range header {
		before, twice := seen[name]
		if twice && name != "" && l.form != koboForm { // questions may share a label, and KoBo exports by label too
			// Not the name itself: where the header is missing it is a person's.
			return refusal(TwoNames, "rename one of them", "has two columns of one name%s, %s and %s",
				onSheet(sheet), ColumnLetter(before+1), ColumnLetter(i+1))
		}
		if len(name) > maxNameBytes {
			return refusal(BadHeader, "put the names of the columns into the first row", "has a header of more than %d bytes%s in column %s", maxNameBytes, onSheet(sheet), ColumnLetter(i+1))
		}
		c := Column{Letter: ColumnLetter(i + 1)}
		if !twice {
			c.Name = name
			seen[name] = i
		}
		l.columns = append(l.columns, c)
	}
	for i := range l.columns {
		if c := &l.columns[i]; c.Name == "" && header[i] != "" {
			c.Name, c.Label = l.free(header[i]+" ("+c.Letter+")"), header[i]
		} else if c.Name == "" {
			c.Name, c.unnamed = l.free("column "+c.Letter), true
		}
	}
	if l.form != plainForm || len(Guess(header)) > 0 {
		return nil // a name we know: it is a header whatever else stands there
	}
	for i, name := range header {
		if dataLike.MatchString(name) {
			return refusal(BadHeader, "put the names of the columns into the first row", "has no header%s: column %s of the first row holds a number or a date",
				onSheet(sheet), ColumnLetter(i+1))
		}
	}
	return nil
}

// free returns the name, or one like it that no column has.
func (l *layout) free(name string) string {
	for slices.ContainsFunc(l.columns, func(c Column) bool { return c.Name == name }) {
		name += "_"
	}
	return name
}

// widen adds columns without a name for cells that stand beyond the header. In a
// CSV they stand under its blank cells, or the row has a separator too many.
func (l *layout) widen(sheet string, rows []record) {
	for _, rec := range rows {
		width := len(trimmed(rec.cells))
		if sheet == "" && width > l.width {
			continue
		}
		for n := len(l.columns); n < width; n++ {
			letter := ColumnLetter(n + 1)
			l.columns = append(l.columns, Column{Name: l.free("column " + letter), Letter: letter, unnamed: true})
		}
	}
}

// keys finds the columns that tie rows together.
func (l *layout) keys(sheet string) {
	find := func(names ...string) int {
		for _, name := range names {
			if i := slices.IndexFunc(l.columns, func(c Column) bool { return c.Name == name }); i >= 0 {
				return i
			}
		}
		return -1
	}
	switch l.form {
	case koboForm:
		l.index, l.parent = find("_index"), find("_parent_index")
		l.version = find("__version__", "_submission___version__", "_version_", "_submission___version")
	case hopeForm:
		switch sheet {
		case "Households":
			l.index = find("household_id")
		case "Individuals":
			l.index, l.parent = find("individual_id", "index_id", "id"), find("household_id")
		case "People":
			l.index = find("pp_index_id", "index_id")
		}
	}
}

func cellUnder(columns []Column, cells []string, name string) string {
	for i, c := range columns {
		if c.Name == name && i < len(cells) {
			return strings.TrimSpace(cells[i])
		}
	}
	return ""
}

// phoneName is a column of telephone numbers by its name.
var phoneName = regexp.MustCompile(`(?i)(phone|mobile|\btel\b|telefon|téléphone|teléfono|celular|whatsapp|هاتف|جوال|موبايل)`)

// findLostZeros looks for texts that a spreadsheet took for numbers, and whose
// zeros in front it dropped: telephone numbers, and numbers among texts that
// have such zeros.
func (l *layout) findLostZeros(rows []record) {
	for i, c := range l.columns {
		numbers, zeros := 0, 0
		for _, rec := range rows {
			if slices.Contains(rec.numbers, i) {
				numbers++
			} else if i < len(rec.cells) && strings.HasPrefix(rec.cells[i], "0") && len(rec.cells[i]) > 1 && isWhole(rec.cells[i]) {
				zeros++
			}
		}
		if numbers > 0 && (zeros > 0 || phoneName.MatchString(c.Name+" "+c.Label)) {
			l.lostZeros = append(l.lostZeros, c.Name)
		}
	}
}

// note warns of what a person should look at before the table is used.
func (f *File) note(sheet string, l *layout) {
	on := ""
	if sheet != "" {
		on = fmt.Sprintf("sheet %q: ", sheet)
	}
	if l.above > 0 && l.form != hxlForm {
		f.warn("%swhat stands above the header is passed over", on)
	}
	for _, name := range l.lostZeros {
		f.warn("%scolumn %q holds numbers: zeros in front of them are lost; format the column as text and type them anew", on, name)
	}
}
