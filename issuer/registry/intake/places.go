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

// placeName marks the entries of names.
const placeName = "="

// maxPlaces bounds a list of places; the largest country has under 100,000.
const maxPlaces = 500_000

// add takes a code and its name.
func (p Places) add(code, name string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code == "" || len(p) >= maxPlaces || len(code) > 40 {
		return
	}
	p[code] = name
	if f := squeeze(name); f != "" {
		p[placeName+f] = code
	}
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
// called pcode, admN_pcode or code, as those of OCHA are, with names beside them.
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
			for _, c := range coded {
				places.add(row.Cell(c), nameBeside(table, row, c))
			}
		}
	}
	if len(places) == 0 {
		return nil, errorf("no column of p-codes has any: name one pcode, adm2_pcode or code")
	}
	return places, nil
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

// CSV is the list as ReadPlaces reads it: code and name, in the order of the codes.
func (p Places) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b) // into memory: it cannot fail
	w.Write([]string{"adm_pcode", "adm_name"})
	for _, code := range slices.Sorted(maps.Keys(p)) {
		if !strings.HasPrefix(code, placeName) {
			w.Write([]string{SafeCell(code), SafeCell(p[code])})
		}
	}
	w.Flush()
	return b.Bytes()
}
