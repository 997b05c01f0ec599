// Package insight makes sums of records about people that tell nothing of a few of them.
//
// A cell counts acts, and knows the households behind them. Of fewer than Threshold
// households it says that they are few, and nothing else; an empty cell says the same, so
// that nobody learns that somebody was there or was not. Others are changed by noise
// that hangs on who is counted alone (the cell key method of the Australian and British
// statistical offices), and rounded to Round: the same people give the same number
// however they were asked for, and asking a thousand times tells no more than once. Sums
// over cells are cells of their own, with their own noise: they need not add up.
//
// Nothing here stores, fetches or asks a clock.
package insight

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

const (
	Threshold = 10 // households, below which a cell says only that they are few
	Round     = 5  // what is shown is a multiple of it
	noiseBits = 10 // the noise is the number of ones among them, less half: variance 2.5, at most 5
)

// A Row is one act.
type Row struct {
	Day       string // or another name of what stands along the chart
	Group     string // site, programme
	Household string // whatever tells one from another
}

// A Series is what is known of a group, in order of its points' names.
type Series struct {
	Group  string // empty: all groups together
	Points []Point
}

// A Point is one cell.
type Point struct {
	Name  string
	Count int  // a multiple of Round; 0 where Small
	Small bool // fewer than Threshold households, or none
}

// Tables makes series of rows: all groups together, then each group in order, with a
// point for each of days. Rows of other days do not count. secret is the organisation's:
// who has it can take the noise away.
func Tables(secret []byte, days []string, rows []Row) []Series {
	groups := []string{""}
	for _, r := range rows {
		groups = append(groups, r.Group)
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	type place struct{ group, day string }
	cells := map[place]*cell{}
	add := func(at place, household string) {
		if cells[at] == nil {
			cells[at] = &cell{seen: map[string]bool{}}
		}
		cells[at].add(secret, household)
	}
	for _, r := range rows {
		if !slices.Contains(days, r.Day) {
			continue
		}
		add(place{"", r.Day}, r.Household)
		if r.Group != "" {
			add(place{r.Group, r.Day}, r.Household)
		}
	}
	var list []Series
	for _, g := range groups {
		s := Series{Group: g}
		for _, d := range days {
			s.Points = append(s.Points, cells[place{g, d}].point(secret, d))
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b Series) int { return strings.Compare(a.Group, b.Group) })
	return list
}

// A cell counts.
type cell struct {
	count int
	seen  map[string]bool // households
	key   uint64          // sum of theirs
}

func (c *cell) add(secret []byte, household string) {
	c.count++
	if !c.seen[household] {
		c.seen[household] = true
		c.key += number(secret, "household", []byte(household))
	}
}

func (c *cell) point(secret []byte, name string) Point {
	if c == nil || len(c.seen) < Threshold {
		return Point{Name: name, Small: true}
	}
	drawn := number(secret, "noise", binary.BigEndian.AppendUint64(nil, c.key)) & (1<<noiseBits - 1)
	noisy := c.count + bits.OnesCount64(drawn) - noiseBits/2
	return Point{Name: name, Count: max(Threshold, (noisy+Round/2)/Round*Round)}
}

// number is a keyed hash, for one use.
func number(secret []byte, use string, b []byte) uint64 {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(use))
	h.Write([]byte{0})
	h.Write(b)
	return binary.BigEndian.Uint64(h.Sum(nil))
}
