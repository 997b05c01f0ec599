package trial

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"aidpass/issuer/registry/roster"
)

// Read reads the first table of a file. Its columns are guessed, and set as said: see
// Columns.Set.
func Read(f *roster.File, set []string) (*List, error) {
	header, rows, err := first(f)
	if err != nil {
		return nil, err
	}
	c := Guess(header)
	for _, s := range set {
		if err := c.Set(s, header); err != nil {
			return nil, err
		}
	}
	l, err := New(c)
	if err != nil {
		return nil, err
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return nil, err
		}
		if err := l.Add(row.Cell); err != nil {
			return nil, err
		}
	}
}

// ReadPairs reads a file of pairs of rows by their identifiers: two columns whose names
// end in _l and _r, or in 1 and 2, or the first two; and a score by which under a half
// are different people, where a column's name has "score", "match" or "label".
func (l *List) ReadPairs(f *roster.File) error {
	header, rows, err := first(f)
	if err != nil {
		return err
	}
	a, b, score := pairColumns(header)
	if a == "" || b == "" {
		return errors.New("trial: a file of pairs has two columns of identifiers, as id_l and id_r")
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		same := true
		if score != "" {
			v, err := strconv.ParseFloat(strings.TrimSpace(row.Cell(score)), 64)
			if err != nil {
				return fmt.Errorf("trial: pairs, %s: the column %q holds no number", row.Place(), score)
			}
			same = v >= 0.5
		}
		if err := l.Label(strings.TrimSpace(row.Cell(a)), strings.TrimSpace(row.Cell(b)), same); err != nil {
			return fmt.Errorf("trial: pairs, %s: %w", row.Place(), err)
		}
	}
}

func pairColumns(header []string) (a, b, score string) {
	for _, ends := range [][2]string{{"id_l", "id_r"}, {"id1", "id2"}, {"id_1", "id_2"}, {"_l", "_r"}} {
		for _, name := range header {
			if rest, ok := strings.CutSuffix(name, ends[0]); ok && a == "" && slices.Contains(header, rest+ends[1]) {
				a, b = name, rest+ends[1]
			}
		}
	}
	for _, name := range header {
		plain := strings.ToLower(name)
		if name != a && name != b && (strings.Contains(plain, "score") || strings.Contains(plain, "match") || strings.Contains(plain, "label")) {
			score = name
		}
	}
	if a == "" && len(header) > 1 {
		a, b = header[0], header[1]
	}
	return a, b, score
}

// first is the first table of a file.
func first(f *roster.File) (header []string, rows *roster.Rows, err error) {
	tables := f.Tables()
	if len(tables) == 0 {
		return nil, nil, errors.New("trial: the file holds no table")
	}
	for _, c := range tables[0].Columns {
		header = append(header, c.Name)
	}
	rows, err = f.Rows(tables[0].Name)
	return header, rows, err
}
