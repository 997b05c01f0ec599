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

	"aidpass/issuer/registry"
)

// Households is how many the workbook has, mistakes included.
const Households = 60

// A Mistake is one planted error, or what follows of one in another row: where it
// stands, what it is about, and by what code it is found.
type Mistake struct {
	Sheet   string
	Row     int // as a spreadsheet counts
	What    string
	Code    string // of the finding; of the gate's reason where Gate is set
	Refused bool   // the row must not come in
	Gate    bool   // the list is right, and the gate gives no card
}

// A Pair is two rows that may be one person.
type Pair struct{ Row, Other int }

// A World is the workbook and what is known of it.
type World struct {
	book     *excelize.File
	Rows     map[string]int // data rows by sheet
	Mistakes []Mistake      // all that must be found, and nothing else
	Doubles  []Pair         // of the sheet of people
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
	g := &maker{w: w, rnd: rand.New(rand.NewPCG(1951, 28)), today: today.UTC(), known: map[string]bool{}, heads: map[int]int{}} // any numbers: they choose the people
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
	known  map[string]bool // what names and years sound like: nobody is twice in the list by chance
	heads  map[int]int     // rows of households by their number
	twin   []any           // the row of whoever is registered twice
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

// refused and flagged plant a mistake.
func (g *maker) refused(sheet string, row int, what, code string) {
	g.w.Mistakes = append(g.w.Mistakes, Mistake{Sheet: sheet, Row: row, What: what, Code: code, Refused: true})
}

func (g *maker) flagged(sheet string, row int, what, code string) {
	g.w.Mistakes = append(g.w.Mistakes, Mistake{Sheet: sheet, Row: row, What: what, Code: code})
}

// Numbers of the households with a mistake of their own.
const (
	noConsent  = 7  // the notice was not agreed to: no card, but on record
	aboutFive  = 19 // a size that is no number
	negative   = 33 // a size that cannot be
	futureHead = 41 // its head is born next year
	twice      = 12 // its head is registered once more
)

// household writes one and its members.
func (g *maker) household(n int) {
	id := fmt.Sprintf("HH-%03d", n+1)
	c := communities[n%len(communities)]
	size := 1 + g.rnd.IntN(7)
	if n == 0 || n == futureHead { // who is left without a head
		size = max(size, 2)
	}
	consent, declared := any("yes"), any(size)
	switch n {
	case noConsent:
		consent = "no"
	case aboutFive:
		declared = "about 5"
	case negative:
		declared = -2
	}
	pcodes := []string{"KE007001", "KE007002", "KE043001"}
	row := g.add(HouseholdSheet, []any{id, declared, pcodes[n%3], "WELL-A", []string{"REFUGEE", "IDP", "HOST"}[g.rnd.IntN(3)], consent, []string{"yes", "no"}[g.rnd.IntN(2)],
		g.today.AddDate(0, 0, -3-g.rnd.IntN(20)).Format(time.DateOnly)})
	g.heads[n] = row
	lost := false
	switch n {
	case noConsent:
		g.w.Mistakes = append(g.w.Mistakes, Mistake{Sheet: HouseholdSheet, Row: row, What: "no consent", Code: "consent_no"},
			Mistake{Sheet: HouseholdSheet, Row: row, What: "no consent", Code: "notice_refused", Gate: true})
	case aboutFive:
		g.refused(HouseholdSheet, row, "size in words", "size_unreadable")
		lost = true
	case negative:
		g.refused(HouseholdSheet, row, "a negative size", "size_unreadable")
		lost = true
	case futureHead:
		g.headless(n, "its head is refused")
	}
	relations := []string{"head", "spouse", "child", "child", "child", "parent", "sibling"}
	headAge := 34 + g.rnd.IntN(20)
	for i := range size {
		g.member(n, id, c, relations[i], i, headAge, lost)
	}
}

// headless says what is found where the row of a household's head did not come in.
func (g *maker) headless(n int, what string) {
	g.flagged(HouseholdSheet, g.heads[n], what, "household_no_head")
	g.flagged(HouseholdSheet, g.heads[n], what, "household_members")
}

func (g *maker) member(n int, household string, c community, relation string, i, headAge int, lost bool) {
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
	case "head":
		age = headAge
	case "child":
		age = g.rnd.IntN(16) // born when the head was 18 at least
	case "parent":
		age = headAge + 18 + g.rnd.IntN(20)
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
		if n%5 < 3 { // she was asked, and wants her name on the card
			printed = "yes"
		}
	case 1:
		if relation != "child" && age >= 18 {
			collector = "alternate"
		}
	}
	birth, guessed := g.birth(age)
	if n == futureHead && i == 0 {
		birth, guessed = g.today.AddDate(1, 0, 0).Format(time.DateOnly), false
	}
	if n == twice && i == 0 {
		birth, guessed = g.today.AddDate(-age, -2, -5).Format(time.DateOnly), false
	}
	year, err := strconv.Atoi(birth[:4])
	if err != nil && g.err == nil {
		g.err = err
	}
	cells := []any{fmt.Sprintf("P-%04d", g.person), household, relation, g.name(c, woman, year), sex, birth,
		[]string{"SOM", "SSD", "ETH", "MMR", "KEN"}[g.rnd.IntN(5)], phone, doc, collector, printed}
	row := g.add(PersonSheet, cells)
	if n == twice && i == 0 {
		g.twin = append(cells, row)
	}
	if guessed {
		g.flagged(PersonSheet, row, "1 January, as a form fills it in", "birth_import_default")
	}
	switch {
	case lost:
		g.refused(PersonSheet, row, "the household was refused", "household_rejected")
	case n == futureHead && i == 0:
		g.refused(PersonSheet, row, "born in the future", "birth_future")
	}
}

// birth writes a birth date as well as people know it: to the day, to the year,
// about, or as the form fills it in, which guessed tells.
func (g *maker) birth(age int) (text string, guessed bool) {
	born := g.today.AddDate(-age, -g.rnd.IntN(11)-1, -g.rnd.IntN(27))
	if d := born.Day(); d == 1 || d == 31 { // days that forms fill in are planted ones
		born = born.AddDate(0, 0, -2)
	}
	switch g.rnd.IntN(16) {
	case 0, 1:
		return strconv.Itoa(born.Year()), false
	case 2, 3:
		return strconv.Itoa(born.Year()) + "~", false
	case 4:
		return strconv.Itoa(born.Year()) + "-01-01", true
	case 5, 6:
		return born.Format("2006-01"), false
	}
	return born.Format(time.DateOnly), false
}

// name draws one that nobody born in that year has.
func (g *maker) name(c community, woman bool, year int) string {
	own := c.men
	if woman {
		own = c.women
	}
	for range 100 {
		parts := []string{own[g.rnd.IntN(len(own))]}
		switch {
		case c.chain:
			f := g.rnd.IntN(len(c.men))
			parts = append(parts, c.men[f], c.men[(f+1+g.rnd.IntN(len(c.men)-1))%len(c.men)])
		case len(c.family) > 0:
			parts = append(parts, c.family[g.rnd.IntN(len(c.family))])
		}
		name := strings.Join(parts, " ")
		if key := registry.NameYearKey(name, year).Text; !g.known[key] {
			g.known[key] = true
			return name
		}
	}
	if g.err == nil {
		g.err = fmt.Errorf("no name is left for somebody born in %d", year)
	}
	return own[0]
}

// strays are people whose own row is wrong, in households that are right.
func (g *maker) strays() {
	add := func(cells ...any) int {
		g.w.People++
		return g.add(PersonSheet, append(cells, "SOM", "", "", "", ""))
	}
	const more = "one more than was declared"
	g.refused(PersonSheet, add("P-9001", "HH-999", "other", "Rahma Noor", "female", "1991-06-30"), "a household that is not there", "household_unknown")
	g.flagged(PersonSheet, add("P-9002", "HH-002", "other", "Unknown", "female", "1990"), "a placeholder for a name", "name_placeholder")
	g.flagged(HouseholdSheet, g.heads[1], more, "household_members")
	g.refused(PersonSheet, add("P-9003", "HH-004", "other", "Ayen", "Z", "2004-08-11"), "a sex that is no code", "sex_unknown")
	g.refused(PersonSheet, add("P-9004", "HH-005", "other", "စုစုလွင်", "female", "31/02/1999"), "a day that is in no calendar", "birth_impossible")
	g.refused(PersonSheet, add("P-0001", "HH-001", "other", "Somebody Else", "male", "1970-03-03"), "the number of another person", "rows_disagree")
	g.refused(PersonSheet, 2, "somebody else has her number", "rows_disagree")
	g.headless(0, "its head is refused")
	// Registered in her household and again in her brother's.
	row := add("P-9005", "HH-010", "sibling", g.twin[3], g.twin[4], g.twin[5])
	g.w.Doubles = append(g.w.Doubles, Pair{row, g.twin[len(g.twin)-1].(int)})
	g.flagged(HouseholdSheet, g.heads[9], more, "household_members")
}
