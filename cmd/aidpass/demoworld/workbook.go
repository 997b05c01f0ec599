// Package demoworld invents the people of `aidpass demo`: a registration workbook
// as an organisation brings it, with names in twelve ways of naming, single names,
// uncertain birth dates, and mistakes that are known beforehand, so that a demo and
// its test can say whether each was found.
//
// Nothing of it is real. The same day gives the same workbook.
package demoworld

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// Households is how many the workbook has, mistakes included.
const Households = 60

// A Mistake is one planted error: where it stands and what it is about.
type Mistake struct {
	Sheet string
	Row   int // as a spreadsheet counts
	What  string
}

// A World is the workbook and what is known of it.
type World struct {
	book     *excelize.File
	Rows     map[string]int // data rows by sheet
	Mistakes []Mistake      // rows that must be refused
	People   int
}

var householdHeader = []any{"household_id", "household_size", "pcode", "site", "residence_status", "consent", "consent_sharing", "registration_date"}
var personHeader = []any{"individual_id", "household_id", "relationship", "full_name", "sex", "birth_date", "nationality", "phone", "national_id", "collector_role", "print_name"}

// Sheets of the workbook.
const (
	HouseholdSheet = "Households"
	PersonSheet    = "Individuals"
)

// New invents a world as registered in the weeks before today.
func New(today time.Time) (*World, error) {
	w := &World{book: excelize.NewFile(), Rows: map[string]int{}}
	if err := w.book.SetSheetName("Sheet1", HouseholdSheet); err != nil {
		return nil, err
	}
	if _, err := w.book.NewSheet(PersonSheet); err != nil {
		return nil, err
	}
	g := &maker{w: w, rnd: rand.New(rand.NewPCG(1951, 28)), today: today.UTC()} // any numbers: they choose the people
	g.add(HouseholdSheet, householdHeader)
	g.add(PersonSheet, personHeader)
	for n := range Households {
		g.household(n)
	}
	g.strays()
	if g.err != nil {
		return nil, fmt.Errorf("demoworld: %w", g.err)
	}
	for sheet, rows := range w.Rows {
		w.Rows[sheet] = rows - 1 // without the header
	}
	return w, nil
}

// Write writes the workbook as XLSX.
func (w *World) Write(out io.Writer) error {
	_, err := w.book.WriteTo(out)
	return err
}

type maker struct {
	w      *World
	rnd    *rand.Rand
	today  time.Time
	person int
	err    error
}

func (g *maker) add(sheet string, cells []any) int {
	g.w.Rows[sheet]++
	row := g.w.Rows[sheet]
	if err := g.book().SetSheetRow(sheet, "A"+strconv.Itoa(row), &cells); err != nil && g.err == nil {
		g.err = err
	}
	return row
}

func (g *maker) book() *excelize.File { return g.w.book }

func (g *maker) mistake(sheet string, row int, what string) {
	g.w.Mistakes = append(g.w.Mistakes, Mistake{sheet, row, what})
}

// Numbers of the households with a mistake of their own.
const (
	noConsent  = 7  // the notice was not agreed to: no card, but kept out
	aboutFive  = 19 // a size that is no number
	negative   = 33 // a size that cannot be
	futureHead = 41 // its head is born next year
)

// household writes one and its members.
func (g *maker) household(n int) {
	id := fmt.Sprintf("HH-%03d", n+1)
	c := communities[n%len(communities)]
	size := 1 + g.rnd.IntN(7)
	consent, declared := any("yes"), any(size)
	what := ""
	switch n {
	case noConsent:
		consent, what = "no", "no consent"
	case aboutFive:
		declared, what = "about 5", "size in words"
	case negative:
		declared, what = -2, "a negative size"
	}
	pcodes := []string{"KE007001", "KE007002", "KE043001"}
	row := g.add(HouseholdSheet, []any{id, declared, pcodes[n%3], "WELL-A", []string{"REFUGEE", "IDP", "HOST"}[g.rnd.IntN(3)], consent, []string{"yes", "no"}[g.rnd.IntN(2)],
		g.today.AddDate(0, 0, -3-g.rnd.IntN(20)).Format(time.DateOnly)})
	if what != "" {
		g.mistake(HouseholdSheet, row, what)
	}
	relations := []string{"head", "spouse", "child", "child", "child", "parent", "sibling"}
	for i := range size {
		g.member(n, id, c, relations[i], i, what != "")
	}
}

func (g *maker) member(n int, household string, c community, relation string, i int, lost bool) {
	g.person++
	g.w.People++
	woman := g.rnd.IntN(2) == 0
	if i == 0 {
		woman = n%3 != 0
	}
	sex, age := "male", 22+g.rnd.IntN(40)
	if woman {
		sex = "female"
	}
	switch relation {
	case "child":
		age = g.rnd.IntN(17)
	case "parent":
		age = 60 + g.rnd.IntN(25)
	}
	collector, printed, phone, doc := "", "", "", ""
	switch i {
	case 0:
		collector = "primary"
		if n%5 != 2 {
			phone = fmt.Sprintf("+2547%08d", 10000000+g.rnd.IntN(80000000))
		}
		if n%4 == 1 {
			doc = fmt.Sprintf("%08d", 20000000+g.rnd.IntN(9999999))
		}
		if n%2 == 0 { // she was asked, and wants her name on the card
			printed = "yes"
		}
	case 1:
		collector = "alternate"
	}
	birth := g.birth(age)
	if n == futureHead && i == 0 {
		birth = g.today.AddDate(1, 0, 0).Format(time.DateOnly)
	}
	row := g.add(PersonSheet, []any{fmt.Sprintf("P-%04d", g.person), household, relation, g.name(c, woman), sex, birth, []string{"SOM", "SSD", "ETH", "MMR", "KEN"}[g.rnd.IntN(5)], phone, doc, collector, printed})
	switch {
	case lost:
		g.mistake(PersonSheet, row, "the household was refused")
	case n == futureHead && i == 0:
		g.mistake(PersonSheet, row, "born in the future")
	}
}

// birth writes a birth date as well as people know it: to the day, to the year,
// about, or as the form fills it in.
func (g *maker) birth(age int) string {
	born := g.today.AddDate(-age, -g.rnd.IntN(11)-1, -g.rnd.IntN(27))
	switch g.rnd.IntN(8) {
	case 0:
		return strconv.Itoa(born.Year())
	case 1:
		return strconv.Itoa(born.Year()) + "~"
	case 2:
		return strconv.Itoa(born.Year()) + "-01-01"
	case 3:
		return born.Format("2006-01")
	}
	return born.Format(time.DateOnly)
}

func (g *maker) name(c community, woman bool) string {
	own := c.men
	if woman {
		own = c.women
	}
	parts := []string{own[g.rnd.IntN(len(own))]}
	switch {
	case c.chain:
		f := g.rnd.IntN(len(c.men))
		parts = append(parts, c.men[f], c.men[(f+1+g.rnd.IntN(len(c.men)-1))%len(c.men)])
	case len(c.family) > 0:
		parts = append(parts, c.family[g.rnd.IntN(len(c.family))])
	}
	return strings.Join(parts, " ")
}

// strays are people whose own row is wrong, in households that are right.
func (g *maker) strays() {
	for _, s := range []struct{ id, household, name, sex, birth, what string }{
		{"P-9001", "HH-999", "Rahma Noor", "female", "1991-06-30", "a household that is not there"},
		{"P-9002", "HH-002", "Unknown", "female", "1990", "a placeholder for a name"},
		{"P-9003", "HH-004", "Ayen", "Z", "2004-08-11", "a sex that is no code"},
		{"P-9004", "HH-005", "စုစုလွင်", "female", "31/02/1999", "a day that is in no calendar"},
		{"P-0001", "HH-001", "Somebody Else", "male", "1970-03-03", "the number of another person"},
	} {
		row := g.add(PersonSheet, []any{s.id, s.household, "other", s.name, s.sex, s.birth, "SOM", "", "", "", ""})
		g.w.People++
		g.mistake(PersonSheet, row, s.what)
	}
}
