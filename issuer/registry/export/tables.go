package export

import (
	"encoding/csv"
	"io"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
)

// The sheets of a workbook, each there if it has a row.
const (
	sheetHouseholds  = "Households"
	sheetIndividuals = "Individuals" // members of households, each names hers
	sheetPeople      = "People"      // without a household
)

// writeXLSX writes a sheet for households, one for their members and one for people
// without a household, each with a header of one row. A first walk finds the columns
// in which anybody has something: an empty one reads as a question left open.
func writeXLSX(w io.Writer, r *reader, list []column) error {
	usedHouse, usedPerson, usedAlone := map[string]bool{"household_id": true}, map[string]bool{"household_id": true, "person_id": true}, map[string]bool{"person_id": true}
	ofHouse, ofPerson, alone := forHouses(list), forPeople(list), forAlone(list)
	r.again = true
	err := r.all(func(h *house) error {
		if h.household == nil {
			note(usedAlone, alone, personCells(alone, h, h.members[0], true))
			return nil
		}
		note(usedHouse, ofHouse, houseCells(ofHouse, h))
		for _, p := range h.members {
			note(usedPerson, ofPerson, personCells(ofPerson, h, p, false))
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.again = false
	lists := usedHouse[listField] || usedPerson[listField] || usedPerson[houseListField] || usedAlone[listField]
	if lists {
		r.sum.Fields = append(r.sum.Fields, listField)
	}
	for _, used := range []map[string]bool{usedHouse, usedPerson, usedAlone} {
		used[listField], used[houseListField] = lists, lists
	}
	ofHouse, ofPerson, alone = only(ofHouse, usedHouse), only(ofPerson, usedPerson), only(alone, usedAlone)
	book := intake.NewWorkbook(w)
	sheet := func(name string, kind registry.Kind, list []column, rows func(*house, func([]string) error) error) error {
		begun := false
		put := func(cells []string) error {
			if !begun {
				if err := book.Sheet(name); err != nil {
					return err
				}
				if err := book.Row(headers(list)...); err != nil {
					return err
				}
				begun = true
			}
			return book.Row(cells...)
		}
		return r.each(kind, func(h *house) error { return rows(h, put) })
	}
	err = sheet(sheetHouseholds, registry.KindHousehold, ofHouse, func(h *house, put func([]string) error) error {
		r.count(h, list)
		return put(houseCells(ofHouse, h))
	})
	if err != nil {
		return err
	}
	r.again = true
	err = sheet(sheetIndividuals, registry.KindHousehold, ofPerson, func(h *house, put func([]string) error) error {
		for _, p := range h.members {
			cells := personCells(ofPerson, h, p, false)
			for i, c := range ofPerson {
				if c.field == "consent" && cells[i] == "" { // the household answered for her
					cells[i] = c.household(h)
				}
			}
			if err := put(cells); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.again = false
	err = sheet(sheetPeople, registry.KindPerson, alone, func(h *house, put func([]string) error) error {
		r.count(h, list)
		return put(personCells(alone, h, h.members[0], true))
	})
	if err != nil || r.sum.Households+r.sum.People == 0 {
		return err // Write says that there was nobody
	}
	return book.Close()
}

// writeHXL writes a person a row, who repeats what is said of her household, under a
// header and a row of hashtags (HXL standard 1.1), in UTF-8 with the mark by which
// spreadsheets know it. As in writeXLSX, columns in which nobody has anything are not
// there.
func writeHXL(w io.Writer, r *reader, list []column) error {
	used := map[string]bool{"person_id": true}
	alone := false
	r.again = true
	err := r.all(func(h *house) error {
		alone = alone || h.household == nil
		for _, p := range h.members {
			note(used, list, personCells(list, h, p, true))
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.again = false
	used[listField] = used[listField] || used[houseListField]
	if used[houseListField] = used[listField]; used[listField] {
		r.sum.Fields = append(r.sum.Fields, listField)
	}
	all := list
	list = only(list, used)
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	put := func(cells []string) error {
		for i, c := range cells {
			cells[i] = intake.SafeCell(c)
		}
		return out.Write(cells)
	}
	if err := put(headers(list)); err != nil {
		return err
	}
	tags := make([]string, len(list))
	for i, c := range list {
		if tags[i] = c.tag; alone && c.field == "household_id" {
			tags[i] += intake.TagIfAny
		}
	}
	if err := out.Write(tags); err != nil { // # starts no formula
		return err
	}
	err = r.all(func(h *house) error {
		if len(h.members) == 0 {
			r.left(LeftCounted)
			return nil
		}
		r.count(h, all)
		for _, p := range h.members {
			if err := put(personCells(list, h, p, true)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// The columns that name the lists, which are there where a list has a name.
const (
	listField      = "list"
	houseListField = "household_list"
)

// note marks the columns that have a cell.
func note(used map[string]bool, list []column, cells []string) {
	for i, c := range list {
		names := c.field == listField || c.field == houseListField
		used[c.field] = used[c.field] || cells[i] != "" && !(names && cells[i] == intake.OwnList)
	}
}

func only(list []column, used map[string]bool) (out []column) {
	for _, c := range list {
		if used[c.field] {
			out = append(out, c)
		}
	}
	return out
}

func forHouses(list []column) (out []column) {
	for _, c := range list {
		if c.household != nil {
			out = append(out, c)
		}
	}
	return out
}

func forPeople(list []column) (out []column) {
	for _, c := range list {
		if c.person != nil || c.member != nil {
			out = append(out, c)
		}
	}
	return out
}

// forAlone returns the columns for people without a household.
func forAlone(list []column) (out []column) {
	for _, c := range list {
		if c.person != nil || c.place {
			out = append(out, c)
		}
	}
	return out
}

func headers(list []column) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.header
	}
	return out
}

// houseCells are what a household says in these columns.
func houseCells(list []column, h *house) []string {
	cells := make([]string, len(list))
	for i, c := range list {
		cells[i] = c.household(h)
	}
	return cells
}

// personCells are what is said of a person in these columns. With all, what she does
// not say herself is said by her household, or where she stays by her own record.
func personCells(list []column, h *house, p person, all bool) []string {
	around := h
	if h.household == nil {
		around = &house{household: &registry.Household{Location: p.Location}}
	}
	cells := make([]string, len(list))
	for i, c := range list {
		switch {
		case c.person != nil:
			cells[i] = c.person(p)
		case c.member != nil:
			cells[i] = c.member(around, p)
		}
		if all && cells[i] == "" && c.household != nil {
			cells[i] = c.household(around)
		}
	}
	return cells
}

// count adds a house to the summary, and what of it no column takes.
func (r *reader) count(h *house, list []column) {
	if h.household != nil {
		r.sum.Households++
		if has(list, "collector_role") && fromElsewhere(h) {
			r.left(LeftCollectors)
		}
		for name := range h.household.Bands {
			if has(list, "band.f_0_4") && !has(list, "band."+name) {
				r.left(LeftBands)
				break
			}
		}
	}
	r.sum.People += len(h.members)
	*r.about = append(*r.about, h.id)
	for _, p := range h.members {
		*r.about = append(*r.about, p.id)
	}
	for _, p := range h.members {
		if has(list, "full_name") && tooMany(p.Names) {
			r.left(LeftNames)
		}
	}
}
