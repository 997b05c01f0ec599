package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// Places are the codes of places that a list may use, each with its names folded.
// Nil knows nothing, and no code is unknown then.
type Places map[string]string

func (p Places) known(code string) bool { _, ok := p[code]; return ok }

// name reports whether a text is the name of a known place.
func (p Places) name(text string) bool {
	_, ok := p[placeName+squeeze(text)]
	return ok
}

// placeName marks the entries of names, placeDays those of the days between which a code is
// in use; no code begins with either.
const (
	placeName = "="
	placeDays = "@"
)

// Bounds of a list of places; the largest country has under 100,000.
const (
	maxPlaces    = 500_000 // entries: codes, their names and their days
	maxPlaceCode = 40      // bytes
	maxPlaceName = 200     // bytes; a longer one is cut
)

// ErrPlaces: a list of places is longer than any country's.
var ErrPlaces = errorf("over %d places and names: give the list of one country", maxPlaces)

// add takes a code and its name.
func (p Places) add(code, name string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if !canBeCode(code) || len(p) >= maxPlaces {
		return
	}
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	if len(name) > maxPlaceName {
		name = strings.ToValidUTF8(name[:maxPlaceName], "")
	}
	if name != "" || p[code] == "" {
		p[code] = name
	}
	if f := squeeze(name); f != "" {
		p[placeName+f] = code
	}
}

// canBeCode reports whether a text can be a code: it begins with a letter or digit, and no
// sign in it is one that nobody sees.
func canBeCode(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return len(s) <= maxPlaceCode && utf8.ValidString(s) && (unicode.IsLetter(first) || unicode.IsDigit(first)) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// last keeps until when a code is in use, and since when: days as 2026-11-22, empty is always.
// Of two rows of one code that one counts by which it is in use longer.
func (p Places) last(code, from, to string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if _, known := p[code]; !known || !canBeCode(code) {
		return
	}
	if have, twice := p[placeDays+code]; twice {
		oldFrom, oldTo, _ := strings.Cut(have, "/")
		from = min(oldFrom, from)
		if to != "" && (oldTo == "" || oldTo > to) {
			to = oldTo
		}
	}
	p[placeDays+code] = from + "/" + to
}

// A Place is one code of a list.
type Place struct {
	Code, Name string
	// From and To are the first and the last day on which it is in use, as 2026-11-22; empty:
	// the list does not say.
	From, To string
}

// List is the list's codes in their order.
func (p Places) List() (list []Place) {
	for _, code := range slices.Sorted(maps.Keys(p)) {
		if strings.HasPrefix(code, placeName) || strings.HasPrefix(code, placeDays) {
			continue
		}
		from, to, _ := strings.Cut(p[placeDays+code], "/")
		list = append(list, Place{code, p[code], from, to})
	}
	return list
}

// dayIn reads a day of a list: empty, or 2026-11-22 with or without a time after it.
func dayIn(row roster.Row, column string) (string, error) {
	cell := row.Cell(column)
	if cell == "" {
		return "", nil
	}
	if _, err := time.Parse(time.DateOnly, cell[:min(len(cell), len(time.DateOnly))]); err != nil {
		return "", errorf("%s: column %q has no day: write it as 2026-11-22, or leave it empty", row.Place(), column)
	}
	return cell[:len(time.DateOnly)], nil
}

// choicesSheet is where a HOPE workbook lists the answers that its columns allow.
const choicesSheet = "Choices"

// PlacesOf reads the codes of places from the answers that a form offers for its
// admin fields: the Choices sheet of the HOPE workbook at path, or the columns'
// own choices. It returns nil where there are none.
func PlacesOf(p *Plan, file *roster.File) (Places, error) {
	places := Places{}
	for _, table := range file.Tables() {
		t := p.table(table.Name)
		if t == nil {
			continue
		}
		for _, c := range table.Columns {
			if plan := t.find(c.Name); plan == nil || !ofPlace(plan.Field) {
				continue
			}
			for _, choice := range c.Choices {
				places.add(choice.Code, choice.Label)
			}
		}
	}
	if slices.ContainsFunc(file.Skipped(), func(s roster.Skipped) bool { return s.Name == choicesSheet }) {
		if err := places.readChoices(file); err != nil {
			return nil, err
		}
	}
	for code := range places {
		if pcode.MatchString(code) {
			return places, nil
		}
	}
	return nil, nil // names of places alone cannot tell a wrong code
}

func ofPlace(f Field) bool {
	return f == Admin1 || f == Admin2 || f == Admin3 || f == Admin4 || f == PCode
}

// readChoices reads the rows field, label, code of a Choices sheet.
func (p Places) readChoices(of *roster.File) error {
	file, err := of.Again(roster.Options{Sheet: choicesSheet})
	if err != nil {
		return err
	}
	defer file.Close()
	for _, table := range file.Tables() {
		if len(table.Columns) < 3 {
			continue
		}
		rows, err := file.Rows(table.Name)
		if err != nil {
			return err
		}
		for {
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return err
			}
			if cells := row.Raw(); len(cells) >= 3 && ofPlace(known[fold(cells[0])]) {
				p.add(cells[2], cells[1])
			}
		}
	}
	return nil
}

// ReadPlaces reads a list of p-codes: a CSV or XLSX whose columns of codes are
// called pcode, admN_pcode or code, as those of OCHA are, with names beside them. The days of
// columns valid_from and valid_to (validOn and validTo of OCHA) are those of a row's deepest
// place; the list is refused over maxPlaces entries.
func ReadPlaces(path string) (Places, error) {
	file, err := roster.OpenFile(path, roster.Options{})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	places, err := PlacesIn(file)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return places, nil
}

// PlacesIn is ReadPlaces of a file that is open.
func PlacesIn(file *roster.File) (Places, error) {
	places := Places{}
	for _, table := range file.Tables() {
		var coded []string
		for _, c := range table.Columns {
			if f := registry.Fold(c.Name); strings.HasSuffix(f, "pcode") || f == "code" || strings.HasSuffix(c.Tag, "+code") {
				coded = append(coded, c.Name)
			}
		}
		if len(coded) == 0 {
			continue
		}
		from, to := columnOf(table, "validfrom", "validon"), columnOf(table, "validto")
		rows, err := file.Rows(table.Name)
		if err != nil {
			return nil, err
		}
		for {
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			deepest := ""
			for _, c := range coded {
				code := row.Cell(c)
				if places.add(code, nameBeside(table, row, c)); len(code) > len(deepest) {
					deepest = code
				}
			}
			first, err := dayIn(row, from)
			if err != nil {
				return nil, err
			}
			end, err := dayIn(row, to)
			if err != nil {
				return nil, err
			}
			if from != "" || to != "" {
				places.last(deepest, first, end)
			}
			if len(places) >= maxPlaces {
				return nil, ErrPlaces
			}
		}
	}
	if len(places) == 0 {
		return nil, errorf("no column of p-codes has any: name one pcode, adm2_pcode or code")
	}
	return places, nil
}

// columnOf finds a column by one of its names, without what stands between their words.
func columnOf(table roster.Table, names ...string) string {
	for _, c := range table.Columns {
		if slices.Contains(names, strings.ToLower(strings.NewReplacer("_", "", " ", "", "-", "").Replace(c.Name))) {
			return c.Name
		}
	}
	return ""
}

// nameBeside finds the name of a coded place: admN_name or admN_xx beside admN_pcode.
func nameBeside(table roster.Table, row roster.Row, coded string) string {
	level, _, _ := strings.Cut(strings.ToLower(coded), "_")
	for _, c := range table.Columns {
		if n := strings.ToLower(c.Name); n != strings.ToLower(coded) && strings.HasPrefix(n, level) && !strings.Contains(n, "code") {
			return row.Cell(c.Name)
		}
	}
	return ""
}

// CSV is the list as ReadPlaces reads it: code, name and, where it has any, days, in the order
// of the codes.
func (p Places) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b) // into memory: it cannot fail
	list, head := p.List(), []string{"adm_pcode", "adm_name"}
	if slices.ContainsFunc(list, func(at Place) bool { return at.From+at.To != "" }) {
		head = append(head, "valid_from", "valid_to")
	}
	w.Write(head)
	for _, at := range list {
		w.Write([]string{SafeCell(at.Code), SafeCell(at.Name), at.From, at.To}[:len(head)])
	}
	w.Flush()
	return b.Bytes()
}
