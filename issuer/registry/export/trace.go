package export

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/rights"
	"aidpass/issuer/registry/roster"
)

// How a file was traced.
type How string

// The ways, the surest first.
const (
	ByDigest  How = "digest"  // it is the very file
	ByNumbers How = "numbers" // people go by numbers that stand in one file alone
	ByOrder   How = "order"   // its rows stand in the order of one file
)

// A Trace is a file that what was found comes from.
type Trace struct {
	Share rights.Share `json:"share"`
	How   How          `json:"how"`
	Rows  int          `json:"rows"` // numbers or rows that say so
}

const (
	maxTraced  = 64 << 20 // bytes of a file
	orderRows  = 400      // rows that are looked up
	orderAtMin = 8        // so many rows in one order by chance: 1 of 40,320
	orderCells = 6        // of a row, in which a number is looked for
)

// TraceFile tells where a file that was found somewhere comes from: a table as package
// roster reads it, or any text. A part of a file is enough, renamed, sorted anew or typed
// off, as long as a number of it is there; where people go by the numbers of lists it
// takes eight rows in their order. Nothing found is no error and no proof.
func TraceFile(ctx context.Context, store rights.Store, path string) ([]Trace, error) {
	rows, digest, err := rowsOf(path)
	if err != nil {
		return nil, err
	}
	var found []Trace
	err = store.ReadRights(ctx, func(v rights.View) error {
		shares, err := rights.SharesIn(v)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		add := func(s rights.Share, how How, rows int) {
			if rows > 0 && !seen[s.ID] {
				seen[s.ID] = true
				found = append(found, Trace{s, how, rows})
			}
		}
		for _, s := range shares {
			if s.SHA256 == fmt.Sprintf("%x", digest) {
				add(s, ByDigest, s.Rows)
			}
		}
		salts := map[string]int{}
		for _, row := range rows {
			for _, salt := range intake.AliasesIn(v, strings.Join(row, "\n")) {
				salts[string(salt)]++
			}
		}
		for _, s := range shares {
			n := 0
			for salt, times := range salts {
				if bytes.HasPrefix(s.Salt, []byte(salt)) {
					n += times
				}
			}
			add(s, ByNumbers, n)
		}
		orders, err := ordersOf(v, rows)
		if err != nil {
			return err
		}
		for _, s := range shares {
			if s.Agreement == "" || !s.Numbers {
				continue
			}
			for _, ids := range orders {
				add(s, ByOrder, inOrder(s.Salt, ids))
			}
		}
		return nil
	})
	return found, err
}

// rowsOf reads a file as rows of cells, or as lines.
func rowsOf(path string) (rows [][]string, digest [32]byte, err error) {
	raw, err := os.Open(path)
	if err != nil {
		return nil, digest, err
	}
	defer raw.Close()
	data, err := io.ReadAll(io.LimitReader(raw, maxTraced+1))
	if err != nil {
		return nil, digest, err
	}
	if len(data) > maxTraced {
		return nil, digest, fmt.Errorf("export: a file of over %d MB is not traced: a part of it is enough", maxTraced>>20)
	}
	digest = sha256.Sum256(data)
	f, err := roster.OpenFile(path, roster.Options{})
	if err != nil {
		return linesOf(data), digest, nil // no table: what is in it may still be a text
	}
	defer f.Close()
	for _, t := range f.Tables() {
		in, err := f.Rows(t.Name)
		if err != nil {
			return linesOf(data), digest, nil
		}
		for {
			row, err := in.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					rows = append(rows, linesOf(data)...)
				}
				break
			}
			cells := make([]string, len(t.Columns))
			for i, c := range t.Columns {
				cells[i] = row.Cell(c.Name)
			}
			rows = append(rows, cells)
		}
	}
	return rows, digest, nil
}

func linesOf(data []byte) (rows [][]string) {
	in := bufio.NewScanner(bytes.NewReader(data))
	in.Buffer(nil, maxTraced+1)
	for in.Scan() {
		rows = append(rows, strings.FieldsFunc(in.Text(), func(r rune) bool { return strings.ContainsRune(" \t,;|\"<>", r) }))
	}
	return rows
}

// ordersOf looks the first rows up by the numbers of lists, and returns the households and
// the people without one in the order in which they stand.
func ordersOf(v registry.View, rows [][]string) (orders [][]registry.ID, err error) {
	var houses, alone []registry.ID
	for _, row := range rows[:min(len(rows), orderRows)] {
		if len(row) > orderCells {
			row = row[:orderCells]
		}
		house, err := numbered(v, registry.KindHousehold, row)
		if err != nil {
			return nil, err
		}
		if !house.IsZero() {
			houses = append(houses, house)
			continue
		}
		person, err := numbered(v, registry.KindPerson, row)
		if err != nil {
			return nil, err
		}
		if !person.IsZero() {
			alone = append(alone, person)
		}
	}
	return [][]registry.ID{slices.Compact(houses), slices.Compact(alone)}, nil
}

// numbered finds the record whose number stands in a row, with its list beside it or not.
func numbered(v registry.View, kind registry.Kind, row []string) (registry.ID, error) {
	for _, number := range row {
		for _, list := range append([]string{""}, row...) {
			if number == "" || list == number {
				continue
			}
			id, ok, err := v.Find(kind, list, number)
			if err != nil || ok {
				return id, err
			}
		}
	}
	return registry.ID{}, nil
}

// inOrder returns how many ids there are, if they stand in the order of a file's salt.
func inOrder(salt []byte, ids []registry.ID) int {
	if len(ids) < orderAtMin {
		return 0
	}
	for i := 1; i < len(ids); i++ {
		if bytes.Compare(orderMark(salt, ids[i-1]), orderMark(salt, ids[i])) > 0 {
			return 0
		}
	}
	return len(ids)
}
