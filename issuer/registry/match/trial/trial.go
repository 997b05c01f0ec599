// Package trial measures how well duplicates are found on a list of which it is known
// who is who: what share of pairs that are one person are found, what share of those
// found are right, and what it costs.
//
// It knows columns and figures. How a file is read is for package roster, how people
// are compared for package match; no model and no bound is set for one list.
package trial

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// A List is people of whom it is known who is who.
type List struct {
	columns  Columns
	index    *match.Index
	byID     map[string]int
	people   [][]string // by row: whose it is; a spelling may be of several
	groups   [][]string // by row: sex and script, for shares by them
	rows     int
	spelling map[string]int // names alone: where one stands
	seed     maphash.Seed
	pairs    map[[2]int]bool // pairs that were judged: see Label
	partial  bool            // pairs that were not judged count for nothing
}

// Bounds of a list.
const (
	MaxRows = 2_000_000
	maxCell = 4096
)

// New returns a List without rows, of columns that mean this.
//
// A list of which the name alone is compared is one of spellings: the same spelling
// twice is one row, of everybody whose it is.
func New(c Columns) (*List, error) {
	if len(c.compared()) == 0 {
		return nil, errors.New("trial: no column is known by which people could be compared: name them, as given=first_name")
	}
	l := &List{columns: c, index: match.NewIndex(), seed: maphash.MakeSeed(), byID: map[string]int{}}
	if slices.Equal(c.compared(), []Role{Name}) || slices.Equal(c.compared(), []Role{Given}) {
		l.spelling = map[string]int{}
	}
	return l, nil
}

// Compared are the roles by which people are compared.
func (l *List) Compared() []Role { return l.columns.compared() }

// Columns are what the columns were taken for.
func (l *List) Columns() Columns { return l.columns }

// Len is how many rows there are that are compared.
func (l *List) Len() int { return l.index.Len() }

// Add adds a row; cell gives what stands in a column, empty where nothing does.
func (l *List) Add(cell func(column string) string) error {
	if l.rows++; l.rows > MaxRows {
		return fmt.Errorf("trial: more than %d rows", MaxRows)
	}
	read := func(r Role) string {
		var texts []string
		for _, column := range l.columns[r] {
			if v := strings.TrimSpace(cell(column)); v != "" && len(v) <= maxCell && !strings.EqualFold(v, "NA") {
				texts = append(texts, strings.ToValidUTF8(v, " "))
			}
		}
		return strings.Join(texts, " ")
	}
	row, script := l.row(read)
	id, person := read(ID), read(Person)
	if person == "" {
		person = febrl(id)
	}
	if l.spelling != nil {
		text := registry.Fold(read(Name) + " " + read(Given))
		if n, ok := l.spelling[text]; ok {
			l.people[n] = append(l.people[n], person)
			return nil
		}
		l.spelling[text] = l.index.Len()
	}
	n := l.index.Add(row)
	if id != "" {
		l.byID[id] = n
	}
	l.people = append(l.people, []string{person})
	var groups []string
	if row.Sex != 0 {
		groups = append(groups, "sex "+string(row.Sex))
	}
	if script != "" {
		groups = append(groups, "script "+script)
	}
	l.groups = append(l.groups, groups)
	return nil
}

// row is what is compared of a row, and the script of its name.
func (l *List) row(read func(Role) string) (row match.Row, script string) {
	hash := func(text string) uint64 { return maphash.String(l.seed, text) }
	var n match.NameParts
	if whole := read(Name); whole != "" && read(Given) == "" && read(Family) == "" {
		n = match.SplitName(whole)
	} else {
		n = match.NameParts{Given: match.PlainName(read(Given)), Family: match.PlainName(read(Family))}
	}
	if between := match.PlainName(read(Between)); between != "" {
		n.Between = append(n.Between, between)
	}
	row.Names = []match.NameParts{n}
	name, _ := registry.ParseName(read(Name)+" "+read(Given)+" "+read(Family), "")
	if sex, ok := registry.ParseSex(read(Sex)); ok && sex != "u" && sex != "" {
		row.Sex = sex[0]
	}
	row.Birth = birth(read(Birth), read(Year), read(Month), read(Day))
	if v := read(Document); v != "" {
		if k := registry.DocumentKey(registry.Document{Type: "other", Number: v}); k.Text != "" {
			row.Documents = []match.Number{{Kind: "document", Hash: hash(k.Text)}}
		}
	}
	if v := match.LastDigits(read(Phone)); v != "" {
		row.Phones = []uint64{hash(v)}
	}
	row.Email = match.FoldEmail(read(Email))
	row.Area, row.Place, row.Address = registry.Fold(read(Area)), match.PlainName(read(Place)), read(Address)
	if v := read(Household); v != "" {
		h := hash(v)
		for i := range 8 {
			row.Household[i] = byte(h >> (8 * i))
		}
	}
	return row, name.Script
}

// birth reads a birth from one column or three.
func birth(text, year, month, day string) registry.Birth {
	if text == "" && year != "" {
		y, errY := strconv.Atoi(year)
		m, errM := strconv.Atoi(month)
		d, errD := strconv.Atoi(day)
		switch {
		case errY != nil:
			return registry.Birth{}
		case errM != nil || errD != nil:
			text = year
		default:
			text = fmt.Sprintf("%04d-%02d-%02d", y, m, d)
		}
	}
	if len(text) == 8 {
		if t, err := time.Parse("20060102", text); err == nil {
			text = t.Format(time.DateOnly)
		}
	}
	// Days of a list made for measuring are taken as they stand.
	b, _ := registry.ParseBirth(text, registry.BirthOptions{Exact: true})
	return b
}

// febrl is whose row it is by the identifiers of the FEBRL generator, rec-7-org and
// rec-7-dup-0; else empty.
func febrl(id string) string {
	rest, ok := strings.CutPrefix(id, "rec-")
	if !ok {
		return ""
	}
	number, _, ok := strings.Cut(rest, "-")
	if !ok {
		return ""
	}
	return number
}

// Label says of two rows, by their identifiers, whether they are one person. When any
// pair is said to be different people, pairs of which nothing is said count for nothing.
func (l *List) Label(a, b string, same bool) error {
	if l.pairs == nil {
		l.pairs = map[[2]int]bool{}
	}
	i, okA := l.byID[a]
	j, okB := l.byID[b]
	if !okA || !okB {
		return errors.New("it names a row that the list has not")
	}
	if i == j {
		return errors.New("it names one row twice")
	}
	l.pairs[[2]int{min(i, j), max(i, j)}] = same
	l.partial = l.partial || !same
	return nil
}

// truth are the pairs that are one person.
func (l *List) truth() (map[[2]int]bool, error) {
	same := map[[2]int]bool{}
	if l.pairs != nil {
		maps.Copy(same, l.pairs)
		maps.DeleteFunc(same, func(_ [2]int, yes bool) bool { return !yes })
		return same, nil
	}
	rows := map[string][]int{}
	for i, people := range l.people {
		for _, p := range people {
			if p != "" {
				rows[p] = append(rows[p], i)
			}
		}
	}
	for _, r := range rows {
		for i, a := range r {
			for _, b := range r[i+1:] {
				if a != b {
					same[[2]int{min(a, b), max(a, b)}] = true
				}
			}
			if len(same) > 50_000_000 {
				return nil, errors.New("trial: over 50 million pairs of one person: is the column that says whose row it is the right one?")
			}
		}
	}
	return same, nil
}

// Shares are how well pairs were told.
type Shares struct {
	Right     int     `json:"right"` // found, and one person
	Wrong     int     `json:"wrong"` // found, and two
	Missed    int     `json:"missed"`
	Precision float64 `json:"precision"` // 0 when nothing was found
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// A Share is what part of the pairs of a group of people was found.
type Share struct {
	Group  string  `json:"group"` // "sex f", "script Arab", or two of them where the rows of pairs differ
	Pairs  int     `json:"pairs"`
	Recall float64 `json:"recall"`
}

// A Report is what was measured. Chances are those of match.Options.
type Report struct {
	Rows          int               `json:"rows"`
	RowsCompared  int               `json:"rows_compared"` // fewer where a spelling stood twice
	Fields        []Role            `json:"fields"`
	TruePairs     int               `json:"true_pairs"`
	PairsCompared int64             `json:"pairs_compared"`
	PerRow        float64           `json:"candidates_a_row"`
	Blocking      float64           `json:"blocking_recall"`
	Prior         float64           `json:"prior"`
	Links         Shares            `json:"links"`      // shown to people, and what follows of groups: what the product takes for one
	Pairs         Shares            `json:"pairs"`      // shown to people alone
	Duplicates    Shares            `json:"duplicates"` // told to be one person
	Review        int               `json:"to_review"`
	Load          float64           `json:"to_review_per_1000"`
	Groups        int               `json:"groups"`
	Cut           int               `json:"groups_cut"` // pairs that joined nothing, lest groups explode
	By            []Share           `json:"by"`
	Rules         []match.RuleCount `json:"rules"`
}

// Measure looks for duplicates as the product does and compares with the truth.
func (l *List) Measure(ctx context.Context, o match.Options) (*Report, error) {
	same, err := l.truth()
	if err != nil {
		return nil, err
	}
	if len(same) == 0 {
		return nil, errors.New("trial: nothing says which rows are one person: name the column with person=COLUMN, or give a file of pairs")
	}
	blocked := 0
	if err := l.index.Candidates(ctx, o, func(a, b int) {
		if same[[2]int{a, b}] {
			blocked++
		}
	}); err != nil {
		return nil, err
	}
	res, err := l.index.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	groups, cut := match.Groups(res.Pairs, match.GroupChance)
	r := &Report{Rows: l.rows, RowsCompared: l.Len(), Fields: l.Compared(), TruePairs: len(same), PairsCompared: res.Compared,
		PerRow: 2 * float64(res.Compared) / float64(l.Len()), Blocking: float64(blocked) / float64(len(same)), Prior: res.Model.Prior,
		Groups: len(groups), Cut: cut, Rules: res.Rules}
	shown, told, links := map[[2]int]bool{}, map[[2]int]bool{}, map[[2]int]bool{}
	for _, p := range res.Pairs {
		at := [2]int{p.A, p.B}
		shown[at], links[at] = true, true
		if p.Outcome == match.Duplicate {
			told[at] = true
		} else {
			r.Review++
		}
	}
	for _, g := range groups {
		for i, a := range g {
			for _, b := range g[i+1:] {
				links[[2]int{a, b}] = true
			}
		}
	}
	r.Load = 1000 * float64(r.Review) / float64(l.Len())
	r.Pairs, r.Duplicates, r.Links = l.shares(shown, same), l.shares(told, same), l.shares(links, same)
	r.By = l.by(links, same)
	return r, nil
}

func (l *List) shares(found, same map[[2]int]bool) (s Shares) {
	for p := range found {
		switch {
		case same[p]:
			s.Right++
		case !l.partial:
			s.Wrong++
		default:
			if _, judged := l.pairs[p]; judged {
				s.Wrong++
			}
		}
	}
	s.Missed = len(same) - s.Right
	s.Recall = float64(s.Right) / float64(len(same))
	if s.Right > 0 {
		s.Precision = float64(s.Right) / float64(s.Right+s.Wrong)
		s.F1 = 2 * s.Precision * s.Recall / (s.Precision + s.Recall)
	}
	return s
}

// by parts the recall by sex and script.
func (l *List) by(found, same map[[2]int]bool) (list []Share) {
	all, right := map[string]int{}, map[string]int{}
	for p := range same {
		for i, g := range l.groups[p[0]] {
			if i < len(l.groups[p[1]]) && l.groups[p[1]][i] != g {
				if g > l.groups[p[1]][i] {
					g = l.groups[p[1]][i] + " and " + g
				} else {
					g += " and " + l.groups[p[1]][i]
				}
			}
			all[g]++
			if found[p] {
				right[g]++
			}
		}
	}
	for _, g := range slices.Sorted(maps.Keys(all)) {
		list = append(list, Share{g, all[g], float64(right[g]) / float64(all[g])})
	}
	return list
}
