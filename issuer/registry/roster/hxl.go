package roster

import (
	"regexp"
	"strings"
)

// hashtag is an HXL tag with its attributes: "#adm1 +code" (HXL standard 1.1,
// "Hashtags" and "Attributes").
var hashtag = regexp.MustCompile(`^\s*#[A-Za-z][A-Za-z0-9_]*(\s*\+\s*[A-Za-z][A-Za-z0-9_]*)*\s*$`)

// tagOf returns the cell's hashtag in one spelling; "" where it is none.
func tagOf(cell string) string {
	if len(cell) > 200 || !hashtag.MatchString(cell) {
		return ""
	}
	return strings.ToLower(strings.Join(strings.Fields(cell), ""))
}

// coreTags are the hashtags of the standard (HXL 1.1, hashtag dictionary).
var coreTags = regexp.MustCompile(`^#(activity|adm[1-5]|affected|beneficiary|capacity|cause|channel|contact|country|crisis|currency|date|delivery|description|` +
	`event|frequency|geo|group|impact|indicator|inneed|item|lat_deg|loc|lon_deg|meta|modality|movement|need|operations|org|output|population|reached|` +
	`region|respondee|sector|service|severity|status|subsector|targeted|theme|value)(\+|$)`)

// isTagRow reports whether a row is HXL's row of hashtags: half of the cells that
// are filled, at least. The rest are columns whose tag is misspelt or missing. One
// of them is of the standard, or all are tags of somebody's own with their x_: a
// person whose name begins with # is no row of hashtags.
func isTagRow(cells []string) bool {
	tags, filled, core, own := 0, 0, false, 0
	for _, cell := range cells {
		if strings.TrimSpace(cell) == "" {
			continue
		}
		filled++
		if tag := tagOf(cell); tag != "" {
			tags++
			core = core || coreTags.MatchString(tag)
			if strings.HasPrefix(tag, "#x_") {
				own++
			}
		}
	}
	return tags*2 >= filled && (core || own > 0 && own == filled)
}

// hxlLayout names the columns of a list whose hashtags stand in head[at]. A column
// is called as the row above calls it, else by its tag; its label is what stands
// lowest above it, since headings of several columns are merged cells.
func hxlLayout(head []record, at int) *layout {
	l := &layout{form: hxlForm, index: -1, parent: -1, version: -1}
	width := 0
	for _, rec := range head {
		width = max(width, len(trimmed(rec.cells)))
	}
	cell := func(row, i int) string {
		if row < 0 || i >= len(head[row].cells) || len(head[row].cells[i]) > maxNameBytes {
			return ""
		}
		return strings.TrimSpace(head[row].cells[i])
	}
	for i := range min(width, MaxColumns) {
		c := Column{Letter: ColumnLetter(i + 1), Tag: tagOf(cell(at, i))}
		for row := at - 1; row >= 0 && c.Label == ""; row-- {
			c.Label = cell(row, i)
		}
		for _, name := range []string{cell(at-1, i), c.Tag, c.Label, "column " + c.Letter} {
			if name != "" && l.free(name) == name {
				c.Name = name
				break
			}
		}
		if c.Name == "" {
			c.Name = l.free(c.Tag + " (" + c.Letter + ")")
		}
		c.unnamed = c.Label == "" && c.Tag == ""
		l.columns = append(l.columns, c)
	}
	return l
}
