package intake_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
)

// A list that is clean but for what is planted in it: households of a head, a
// spouse and two children, who repeat what is said of their household.
type planted struct {
	header []string
	rows   []map[string]string
	want   map[int][]string // codes by row of the file
	either [][2]string      // one of the two stands there
	one    []string         // one of them does
}

const (
	atHead = iota
	atSpouse
	atChild
	atSecond
	perHouse
)

var listColumns = []string{
	"individual_id", "household_id", "full_name", "given_name", "family_name", "sex", "birth_date", "age", "relationship", "marital_status",
	"phone", "national_id", "national_id_issuer", "country_of_origin", "country", "residence_status", "admin1", "admin2", "household_size",
	"consent", "registration_date", "pregnant", "notes of the clerk",
}

var places = intake.Places{"KE01": "", "KE0101": "", "KE0102": "", "KE02": "", "KE0201": ""}

// newList makes a clean list. Names are syllables, so that no two are alike.
func newList(households int, seed uint64) *planted {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &planted{header: listColumns, want: map[int][]string{}}
	word := func(n int) string {
		const syllables = "ka le mi no ru sa te vi zo ba de fi go hu ja"
		list := strings.Fields(syllables)
		var b strings.Builder
		for range 5 {
			b.WriteString(list[n%len(list)])
			n /= len(list)
		}
		s := b.String()
		return strings.ToUpper(s[:1]) + s[1:]
	}
	for h := range households {
		family := word(h*7 + 3)
		for m := range perHouse {
			n := h*perHouse + m
			given := word(500_000 + n*3)
			year, sex, relation := 1970+r.IntN(15), "F", "head"
			switch m {
			case atSpouse:
				sex, relation = "M", "wife_husband"
			case atChild, atSecond:
				year, relation = 2004+r.IntN(15), "son_daughter"
			}
			p.rows = append(p.rows, map[string]string{
				"individual_id": fmt.Sprintf("P-%06d", n), "household_id": fmt.Sprintf("H-%05d", h),
				"full_name": given + " " + family, "given_name": given, "family_name": family, "sex": sex,
				"birth_date": fmt.Sprintf("%d/%02d/%04d", 2+r.IntN(27), 2+r.IntN(5), year), "relationship": relation, "marital_status": "married",
				"phone": fmt.Sprintf("+2547%08d", 10_203_041+n*7), "national_id": fmt.Sprintf("N%07dX", n), "national_id_issuer": "KEN",
				"country_of_origin": "SOM", "country": "KEN", "residence_status": "REFUGEE", "admin1": "KE01", "admin2": "KE0101",
				"household_size": "4", "consent": "yes", "registration_date": "2025-06-30", "pregnant": "no", "notes of the clerk": "", "age": "",
			})
		}
	}
	return p
}

// plant changes a row and remembers which codes that must give there.
func (p *planted) plant(house, member int, change map[string]string, codes ...string) {
	n := house*perHouse + member
	for k, v := range change {
		if _, ok := p.rows[n][k]; !ok {
			panic(k)
		}
		p.rows[n][k] = v
	}
	p.expect(n, codes...)
}

func (p *planted) expect(n int, codes ...string) {
	p.want[n+2] = append(p.want[n+2], codes...)
}

// all changes every row of a household.
func (p *planted) all(house int, change map[string]string, codes ...string) {
	for m := range perHouse {
		p.plant(house, m, change, codes...)
	}
}

// lost plants what rejects a member: her household then lacks one.
func (p *planted) lost(house, member int, change map[string]string, codes ...string) {
	p.plant(house, member, change, codes...)
	p.expect(house*perHouse+atHead, registry.HouseholdMembers)
}

func (p *planted) csv(t testing.TB, order []int) string {
	rows := [][]string{p.header}
	for i := range p.rows {
		if order != nil {
			i = order[i]
		}
		var cells []string
		for _, c := range p.header {
			cells = append(cells, p.rows[i][c])
		}
		rows = append(rows, cells)
	}
	return csvOf(t, rows)
}

func (p *planted) codes() []string {
	var out []string
	for row, codes := range p.want {
		for _, c := range codes {
			out = append(out, fmt.Sprintf("%d:%s", row, c))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type row = map[string]string

// withDefects plants at least one of each kind of DOMAIN 5's V and K rows.
func withDefects(households int) *planted {
	p := newList(households, 42)
	h := 3
	next := func() int { h += 5; return h }

	// DQ-09: codes that are in no list.
	p.lost(next(), atSecond, row{"sex": "q"}, intake.SexUnknown)
	p.plant(next(), atSecond, row{"relationship": "zig"}, intake.RelationUnknown)
	p.plant(next(), atSpouse, row{"marital_status": "zig"}, intake.MaritalUnknown)
	p.all(next(), row{"residence_status": "MIGRANT"}, intake.ResidenceUnknown)
	p.all(next(), row{"country_of_origin": "Atlantis"}, intake.CountryUnknown)
	p.plant(next(), atChild, row{"national_id_issuer": "QQQ"}, registry.DocumentNoLand)
	p.plant(next(), atChild, row{"pregnant": "maybe"}, intake.AnswerUnreadable)
	// DQ-10: places.
	p.all(next(), row{"admin2": "KE0999"}, intake.PCodeUnknown, intake.PCodeParent)
	p.all(next(), row{"admin2": "KE0201"}, intake.PCodeParent)
	// DQ-11: dates.
	for date, code := range map[string]string{
		"some day": registry.BirthUnreadable, "31/02/1990": registry.BirthImpossible, "12/03/2091": registry.BirthFuture, "12/03/1871": registry.BirthTooOld,
		"12/03/90": registry.BirthTwoDigits, "32874": registry.BirthSerial, "0000-00-00": registry.BirthImpossible,
	} {
		p.lost(next(), atSecond, row{"birth_date": date}, code)
	}
	p.plant(next(), atSecond, row{"birth_date": "01/01/2011"}, registry.BirthDefault)
	p.plant(next(), atSecond, row{"birth_date": "1900-01-01"}, registry.BirthDefault)
	p.all(next(), row{"registration_date": "yesterday"}, intake.RegisteredBad)
	p.all(next(), row{"registration_date": "2027-01-05"}, intake.RegisteredFuture)
	p.plant(next(), atSecond, row{"birth_date": "20/08/2025"}, intake.RegisteredBefore)
	// DQ-12: telephones.
	p.plant(next(), atHead, row{"phone": "call the shop"}, registry.PhoneUnreadable)
	p.plant(next(), atHead, row{"phone": "+254712"}, registry.PhoneLength)
	p.plant(next(), atHead, row{"phone": "+254711999001 ext. 5"}, registry.PhoneExtension)
	p.plant(next(), atHead, row{"phone": "+254700000000"}, registry.PhoneDummy)
	p.plant(next(), atHead, row{"phone": "711999002"}, registry.PhoneLostZero)
	for range 6 {
		p.plant(next(), atSpouse, row{"phone": "+254711999003"}, intake.PhoneShared)
	}
	// DQ-13: numbers of documents.
	p.plant(next(), atHead, row{"national_id": "A1"}, registry.DocumentEmpty)
	// DQ-14: names.
	for name, code := range map[string]string{
		"Amina 2 Hassani": registry.NameDigits, "Fаtima Hassani": registry.NameMixedScript, "Hassani فاطمة": registry.NameTwoScripts,
		"\u202eAmina\u202c Hassani": registry.NameBidi, "Ami\u200bna Hassani": registry.NameInvisible, "Kato Kato": registry.NameRepeats,
		"B": registry.NameTooShort, "1234": registry.NameNoLetters, "Amina {} Hassani": registry.NameSymbols,
		"Z" + strings.Repeat("\u0310", 40) + "ena": registry.NameMarks, "FNU Hassanika": registry.NamePadding, "unknown": registry.NamePlaceholder,
	} {
		codes := []string{code}
		if code == registry.NameNoLetters {
			codes = append(codes, registry.NameDigits)
		}
		p.plant(next(), atChild, row{"full_name": name, "given_name": "", "family_name": ""}, codes...)
	}
	p.lost(next(), atChild, row{"full_name": strings.Repeat("abc ", 60), "given_name": "", "family_name": ""}, registry.NameTooLong)
	p.plant(next(), atChild, row{"full_name": "", "given_name": "", "family_name": ""}, intake.NameMissing)
	p.plant(next(), atChild, row{"family_name": "Quite Another"}, intake.NamePartsDiffer)
	p.lost(next(), atChild, row{"full_name": "", "given_name": "", "family_name": "", "individual_id": ""}, intake.NoIdentity)
	// Consent and sizes.
	p.lost(next(), atChild, row{"consent": "perhaps"}, intake.ConsentUnreadable)
	p.all(next(), row{"consent": ""}, intake.ConsentMissing)
	p.lost(next(), atChild, row{"household_size": "four"}, intake.SizeUnreadable)
	p.lost(next(), atChild, row{"household_id": ""}, intake.NoHousehold)
	p.plant(next(), atChild, row{"household_size": "9"}, intake.HouseholdDiffers)

	// DQ-19: ages.
	p.plant(next(), atChild, row{"age": "77 camels"}, intake.AgeImplausible)
	p.plant(next(), atChild, row{"birth_date": "12/03/2010", "age": "44"}, intake.AgeDiffers)
	n := next()
	p.plant(n, atHead, row{"birth_date": "12/03/2014"}, registry.HouseholdHeadAge, registry.HouseholdChild)
	n = next()
	p.plant(n, atSecond, row{"birth_date": "12/03/1969"})
	p.plant(n, atHead, row{"birth_date": "12/03/1975"}, registry.HouseholdChild)
	n = next()
	p.plant(n, atSpouse, row{"birth_date": "12/03/2014"})
	p.expect(n*perHouse+atHead, registry.HouseholdSpouse)
	// DQ-20: heads, and people of two households. Which of two heads' rows speaks for
	// the household is the smaller key's: either may carry the finding.
	n = next()
	p.plant(n, atSpouse, row{"relationship": "head"})
	p.either = append(p.either, [2]string{
		fmt.Sprintf("%d:%s", n*perHouse+atHead+2, registry.HouseholdHeads), fmt.Sprintf("%d:%s", n*perHouse+atSpouse+2, registry.HouseholdHeads),
	})
	n = next()
	p.plant(n, atHead, row{"relationship": "son_daughter"})
	for m := range perHouse {
		p.one = append(p.one, fmt.Sprintf("%d:%s", n*perHouse+m+2, registry.HouseholdNoHead))
	}
	n = next()
	p.all(n, row{"household_size": "7"})
	p.expect(n*perHouse+atHead, registry.HouseholdMembers)
	a, b := next(), next()
	p.rows[b*perHouse+atSecond]["individual_id"] = p.rows[a*perHouse+atSecond]["individual_id"]
	p.lost(a, atSecond, nil, intake.RowConflict)
	p.lost(b, atSecond, nil, intake.RowConflict)
	// DQ-15: the same row twice is counted once.
	n = next()
	p.rows = append(p.rows, p.rows[n*perHouse+atChild])
	p.expect(len(p.rows)-1, intake.SameRow)
	// DQ-21: fields that do not fit each other.
	p.plant(next(), atSpouse, row{"pregnant": "yes"}, intake.PregnantMale)
	n = next()
	p.plant(n, atHead, row{"birth_date": "12/03/1960", "pregnant": "yes"}, intake.PregnantAge)
	p.all(next(), row{"country_of_origin": "KEN"}, intake.ResidenceOrigin)
	p.all(next(), row{"residence_status": "IDP"}, intake.ResidenceOrigin)
	if h >= households {
		panic("more defects than households")
	}
	return p
}

func TestPlantedErrorsAreFoundAndNoneInvented(t *testing.T) {
	p := withDefects(1250)
	var store registrytest.Store
	in := must(t, &store, write(t, "list.csv", p.csv(t, nil)), intake.Options{Places: places, Country: "KEN"})
	got, want := in.found(intake.Reject, intake.Flag, intake.Remark), p.codes()
	choose := func(list []string) {
		i := slices.IndexFunc(list, func(c string) bool { return slices.Contains(got, c) })
		want = append(want, list[max(i, 0)])
	}
	for _, e := range p.either {
		choose(e[:])
	}
	choose(p.one)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("not found: %s", w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("invented: %s", g)
		}
	}
}
