package roster

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// rrfRows yields the rows of one table.
type rrfRows struct {
	x      *exchange
	in     *tokens
	want   *rrfTable
	path   []xml.Name     // the elements around the place
	counts map[string]int // entries so far, by table
	ready  []Row
	// Of the CASE being read:
	number    int
	size      int   // bytes of what is held
	people    []Row // its individuals, until their relationships are known
	group     *Row  // its dataProcessGroup
	relations map[membership]string
	inCase    map[string]int // entries so far, by table
}

// membership is a person in a group, by their GUIDs.
type membership struct{ person, group string }

func (r *rrfRows) next() (Row, error) {
	for len(r.ready) == 0 {
		if err := r.entry(); err != nil {
			return Row{}, err
		}
	}
	row := r.ready[0]
	r.ready = r.ready[1:]
	return row, nil
}

// token returns the next start tag, end tag or text, and sees that tags close as
// they opened.
func (r *rrfRows) token() (xml.Token, error) {
	token, err := r.in.next()
	switch tag := token.(type) {
	case xml.StartElement:
		if len(tag.Name.Local) > maxNameBytes {
			return nil, r.in.damaged("case %d: an element's name of more than %d bytes", r.number, maxNameBytes)
		}
		if len(r.path) >= 4 {
			return nil, r.in.damaged("case %d: an element inside a field", r.number)
		}
		r.path = append(r.path, tag.Name)
	case xml.EndElement:
		last := len(r.path) - 1
		if last < 0 || r.path[last] != tag.Name {
			return nil, r.in.damaged("case %d: an end tag that nothing opened", r.number)
		}
		r.path = r.path[:last]
	}
	return token, err
}

// root reads up to the outermost element.
func (r *rrfRows) root() (xml.StartElement, error) {
	for {
		token, err := r.token()
		if err == io.EOF {
			return xml.StartElement{}, r.in.damaged("it has no element")
		} else if err != nil {
			return xml.StartElement{}, err
		}
		if tag, ok := token.(xml.StartElement); ok {
			return tag, nil
		}
	}
}

// entry reads the next entry of a CASE, or the beginning or end of one.
func (r *rrfRows) entry() error {
	for {
		token, err := r.token()
		if err != nil {
			return err
		}
		switch tag := token.(type) {
		case xml.StartElement:
			switch {
			case len(r.path) == 2 && tag.Name.Local == "CASE":
				r.number++
				r.size, r.people, r.group = 0, nil, nil
				r.relations, r.inCase = map[membership]string{}, map[string]int{}
				return nil
			case len(r.path) == 2 || r.path[1].Local != "CASE":
				if err := r.pass(tag.Name.Local); err != nil {
					return err
				}
			case len(r.path) == 3:
				return r.read(tag.Name.Local)
			}
		case xml.EndElement:
			if len(r.path) == 1 && tag.Name.Local == "CASE" {
				return r.endCase()
			}
		case xml.CharData:
			if strings.TrimSpace(string(tag)) != "" {
				return r.in.damaged("case %d: text outside of a field", r.number)
			}
		}
	}
}

// pass reads over an element that is no CASE.
func (r *rrfRows) pass(name string) error {
	if f := r.x.file; r.want == nil && len(f.skipped) < MaxTables && !slices.ContainsFunc(f.skipped, func(s Skipped) bool { return s.Name == name }) {
		why := "it is no case"
		if name == "RRFBATCHTYPE" {
			why = "it says how the cases were submitted, not who is in them"
		}
		f.skip(name, why)
	}
	for end := len(r.path); len(r.path) >= end; {
		if _, err := r.token(); err != nil {
			return err
		}
	}
	return nil
}

// read reads an entry whose start tag was just read.
func (r *rrfRows) read(element string) error {
	t, err := r.x.learn(element)
	if err != nil {
		return err
	}
	t.filled = true
	r.counts[t.Name]++
	r.inCase[t.Name]++
	row := Row{Number: r.counts[t.Name], Path: fmt.Sprintf("case %d, %s %d", r.number, t.Name, r.inCase[t.Name]), column: t.column}
	problem := func(column, what, fix string) {
		row.Problems = append(row.Problems, Problem{Row: row.Number, Path: row.Path, Column: column, What: what, Fix: fix})
	}
	var given []bool
	var text strings.Builder
	field, size := "", 0
	for end := len(r.path); len(r.path) >= end; {
		token, err := r.token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			field = token.Name.Local
			text.Reset()
		case xml.CharData:
			if field == "" && strings.TrimSpace(string(token)) != "" {
				return r.in.damaged("case %d: text outside of a field", r.number)
			}
			if size += len(token); size > MaxRowBytes {
				return refuse(TooLarge, "export it again", "has an entry of more than %d bytes: %s", MaxRowBytes, row.Path)
			}
			if field != "" {
				text.Write(token)
			}
		case xml.EndElement:
			if field == "" {
				continue
			}
			i, err := t.at(field)
			if err != nil {
				return err
			}
			for len(row.cells) <= i {
				row.cells, given = append(row.cells, ""), append(given, false)
			}
			value := text.String()
			switch {
			case len(value) > MaxCellBytes:
				problem(field, fmt.Sprintf("it holds more than %d bytes", MaxCellBytes), "send a photograph as a file beside the list")
				value = ""
			case given[i]:
				problem(field, "it comes twice", "export the case again")
			}
			row.cells[i], given[i] = value, true
			field = ""
		}
	}
	row.Index, row.Parent = row.Cell(t.key), row.Cell(t.parent)
	return r.keep(t, row)
}

// keep holds back what is told in full only when the case ends.
func (r *rrfRows) keep(t *rrfTable, row Row) error {
	for _, cell := range row.cells {
		if t.element == "dataIndividual" || t.element == "dataProcessGroup" || t.element == "dataIndividualProcessGroup" {
			r.size += len(cell) + 16
		}
	}
	if r.size > MaxRowBytes {
		return refuse(TooLarge, "export fewer people in a case", "has a case of more than %d bytes: case %d", MaxRowBytes, r.number)
	}
	switch t.element {
	case "dataProcessGroup":
		if r.group != nil {
			row.Problems = append(row.Problems, Problem{Row: row.Number, Path: row.Path, What: "it is the second group of its case", Fix: "export each group as a case"})
			break
		}
		r.group = &row
	case "dataIndividual":
		r.people = append(r.people, row)
		return nil
	case "dataIndividualProcessGroup":
		// Who left for another group is something else to the head of that one.
		r.relations[membership{row.Cell("IndividualGUID"), row.Cell("ProcessingGroupGUID")}] = row.Cell(relationship)
	}
	if t == r.want {
		r.ready = append(r.ready, row)
	}
	return nil
}

// endCase tells the individuals of the case which group is theirs, and what they
// are to its head.
func (r *rrfRows) endCase() error {
	for _, t := range r.x.order {
		if t.element != "dataIndividual" {
			continue
		}
		if len(r.relations) > 0 && len(r.people) > 0 {
			if _, err := t.at(relationship); err != nil {
				return err
			}
		}
		if t != r.want {
			break
		}
		for _, row := range r.people {
			if r.group != nil {
				row.Parent = r.group.Index
			}
			said := r.relations[membership{row.Index, row.Parent}]
			if said == "" {
				said = r.relations[membership{row.Index, ""}]
			}
			if said != "" && row.Cell(relationship) == "" {
				i := t.column[relationship]
				for len(row.cells) <= i {
					row.cells = append(row.cells, "")
				}
				row.cells[i] = said
			}
			r.ready = append(r.ready, row)
		}
	}
	r.people = nil
	return nil
}
