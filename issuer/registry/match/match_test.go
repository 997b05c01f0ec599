package match_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// TestWhoIsOnePerson asks of pairs among two hundred strangers.
func TestWhoIsOnePerson(t *testing.T) {
	house, other := registry.ID{1}, registry.ID{2}
	amina := match.Row{Names: name("Amina", "Warsame"), Sex: 'f', Birth: born("1987-05-12"), Place: "site 1"}
	with := func(change func(*match.Row)) match.Row {
		r := amina
		change(&r)
		return r
	}
	for _, c := range []struct {
		what string
		a, b match.Row
		want match.Outcome
		why  string // a reason that must stand there: field and level
	}{
		{"the same entered twice", amina, amina, match.Duplicate, "given same"},
		{"one letter wrong", amina, with(func(r *match.Row) { r.Names = name("Amima", "Warsame") }), match.Duplicate, "given typing"},
		{"another spelling", amina, with(func(r *match.Row) { r.Names = name("Ameena", "Warsameh") }), match.Duplicate, "family vowels"},
		{"in Arabic letters", amina, with(func(r *match.Row) { r.Names = name("أمينة", "ورسمة") }), match.Duplicate, ""},
		{"given and family name in each other's place", amina, with(func(r *match.Row) { r.Names = name("Warsame", "Amina") }), match.Duplicate, "given swapped"},
		{"day and month turned", amina, with(func(r *match.Row) { r.Birth = born("1987-12-05") }), match.Duplicate, "birth day_month"},
		{"her sister", amina, with(func(r *match.Row) { r.Names = name("Khadija", "Warsame"); r.Birth = born("1990-02-03") }), match.Unique, ""},
		{"a stranger of her name", amina, with(func(r *match.Row) { r.Sex = 'm'; r.Birth = born("1951-09-30"); r.Place = "site 9" }), match.Unique, ""},
		{"twins", with(func(r *match.Row) { r.Household = house }),
			with(func(r *match.Row) {
				r.Household = house
				r.Names = name("Halima", "Warsame")
				r.Documents = numbers(77)
			}), match.Unique, ""},
		{"twins with one paper between them", with(func(r *match.Row) { r.Household = house; r.Documents = numbers(77) }),
			with(func(r *match.Row) {
				r.Household = house
				r.Names = name("Halima", "Warsame")
				r.Documents = numbers(77)
			}), match.Review, ""},
		{"one child twice in one household", with(func(r *match.Row) { r.Household = house; r.Documents = numbers(77) }),
			with(func(r *match.Row) { r.Household = house; r.Documents = numbers(77) }), match.Duplicate, ""},
		{"two households", with(func(r *match.Row) { r.Household = house }), with(func(r *match.Row) { r.Household = other }), match.Duplicate, ""},
	} {
		x := strangers(200)
		a, b := x.Add(c.a), x.Add(c.b)
		res := run(t, x, match.Options{Seed: 1})
		got, reasons := match.Unique, []string(nil)
		for _, p := range res.Pairs {
			if p.A == a && p.B == b {
				got = p.Outcome
				sum := math.Log2(res.Model.Prior / (1 - res.Model.Prior))
				for _, r := range x.Explain(res, p) {
					reasons = append(reasons, r.Field+" "+r.Level)
					sum += r.Bits
				}
				if math.Abs(sum-float64(p.Bits)) > 0.01 {
					t.Errorf("%s: the reasons come to %.3f bits, and the pair to %.3f", c.what, sum, p.Bits)
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: outcome %d, want %d", c.what, got, c.want)
		}
		if c.why != "" && !slices.Contains(reasons, c.why) {
			t.Errorf("%s: reasons %q, want one %q", c.what, reasons, c.why)
		}
	}
}

// Where few names are shared by many, what is learnt takes namesakes for one person, however
// far apart they were born. Nobody is told to be one with them: people look.
func TestNamesakesOfAnotherAge(t *testing.T) {
	x := match.NewIndex()
	draw := rand.New(rand.NewPCG(7, 7))
	var years []int
	for i := range 240 {
		year := 1945 + draw.IntN(80)
		years = append(years, year)
		x.Add(match.Row{Names: name(syllables(i%4+4*(i/4%20)), syllables(100+i/4%20)), Sex: 'f', Place: "site 1", Household: registry.ID{1, byte(i / 4)},
			Birth: born(fmt.Sprintf("%d-%02d-%02d", year, 1+draw.IntN(12), 1+draw.IntN(28)))})
	}
	res := run(t, x, match.Options{Seed: 1})
	told, apart := 0, 0
	for _, p := range res.Pairs {
		far := max(years[p.A]-years[p.B], years[p.B]-years[p.A]) > 5
		if p.Outcome == match.Duplicate {
			told++
		}
		if far && p.Outcome == match.Duplicate {
			apart++
		}
	}
	if apart > 0 {
		t.Errorf("%d of %d that are told to be one person were born more than five years apart", apart, told)
	}
	if len(res.Pairs) == 0 {
		t.Error("nobody is like anybody: nothing is shown here")
	}
}

// TestHouseholdsThatFit: two records that alone would want a look are likelier when
// others of their households are one too.
func TestHouseholdsThatFit(t *testing.T) {
	bits := func(together bool) float32 {
		x := strangers(200)
		row := func(given, birth string, house byte) match.Row {
			return match.Row{Names: name(given, "Okello"), Birth: born(birth), Household: registry.ID{house}}
		}
		a := x.Add(row("Grace", "1981", 1))
		b := x.Add(row("Grace", "1982", 2))
		if together {
			x.Add(row("Peter", "1979-03-04", 1))
			x.Add(row("Peter", "1979-03-04", 2))
		} else {
			x.Add(row("Peter", "1979-03-04", 3))
			x.Add(row("Peter", "1979-03-04", 4))
		}
		for _, p := range run(t, x, match.Options{Seed: 1, Review: 0.001}).Pairs {
			if p.A == a && p.B == b {
				return p.Bits
			}
		}
		return -99
	}
	if alone, both := bits(false), bits(true); both <= alone {
		t.Errorf("%.2f bits with another member that fits, and %.2f without", both, alone)
	}
}

// TestAddingLater: who is added later finds whom she would have found in one run.
func TestAddingLater(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := crowd(rapid.IntRange(20, 120).Draw(t, "people"), rapid.Uint64().Draw(t, "seed"))
		from := rapid.IntRange(1, len(rows)-1).Draw(t, "from")
		model := run(t, strangers(200), match.Options{}).Model
		most := rapid.SampledFrom([]int{5, 20, 400}).Draw(t, "block")
		x, y := match.NewIndex(), match.NewIndex()
		for i, r := range rows {
			x.Add(r)
			if i == from { // the first run, on who was there
				run(t, y, match.Options{Model: model, MaxBlock: most})
			}
			y.Add(r)
		}
		var want []match.Pair
		for _, p := range run(t, x, match.Options{Model: model, MaxBlock: most}).Pairs {
			if p.B >= from {
				want = append(want, p)
			}
		}
		got := run(t, y, match.Options{Model: model, From: from, MaxBlock: most}).Pairs
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestTheSameAgain(t *testing.T) {
	build := func() *match.Index {
		x := strangers(300)
		for _, r := range crowd(100, 4) {
			x.Add(r)
		}
		return x
	}
	a, b := run(t, build(), match.Options{Seed: 9}), run(t, build(), match.Options{Seed: 9})
	if len(a.Pairs) == 0 || !reflect.DeepEqual(a.Pairs, b.Pairs) || !reflect.DeepEqual(a.Model, b.Model) {
		t.Errorf("%d and %d pairs, or another model", len(a.Pairs), len(b.Pairs))
	}
}

func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := strangers(50).Run(ctx, match.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestLargeBlocks: a thousand people of one name and birth, in a list entered by a
// school, are not compared each with each.
func TestLargeBlocks(t *testing.T) {
	x := match.NewIndex()
	for i := range 1000 {
		x.Add(match.Row{Names: name("Mohamed", "Ali"), Birth: born("2012"), Sex: "fm"[i%2]})
	}
	res := run(t, x, match.Options{MaxBlock: 50})
	cut := 0
	for _, r := range res.Rules {
		cut += r.Cut
	}
	if res.Compared > 1000*50 || cut == 0 {
		t.Errorf("%d pairs compared, %d people in blocks that were parted", res.Compared, cut)
	}
}

func TestGroups(t *testing.T) {
	likely := func(a, b int) match.Pair { return match.Pair{A: a, B: b, Bits: 12} }
	chain := []match.Pair{}
	for i := range 30 {
		chain = append(chain, likely(i, i+1))
	}
	for _, c := range []struct {
		what  string
		pairs []match.Pair
		want  string
		cut   int
	}{
		{"two and two", []match.Pair{likely(1, 2), likely(3, 4)}, "[[1 2] [3 4]]", 0},
		{"a third", []match.Pair{likely(1, 2), likely(2, 3)}, "[[1 2 3]]", 0},
		{"a faint link", []match.Pair{likely(1, 2), {A: 2, B: 3, Bits: 1}}, "[[1 2]]", 0},
		{"two triples and one link between them", []match.Pair{likely(1, 2), likely(1, 3), likely(2, 3), likely(4, 5), likely(4, 6), likely(5, 6), {A: 3, B: 4, Bits: 11}},
			"[[1 2 3] [4 5 6]]", 1},
		{"twins keep apart whom both may be", []match.Pair{likely(1, 2), likely(2, 3), {A: 1, B: 3, Bits: 20, Guard: match.GuardTwins}}, "[[1 2]]", 1},
	} {
		groups, cut := match.Groups(c.pairs, match.GroupChance)
		if got := fmt.Sprint(groups); got != c.want || cut != c.cut {
			t.Errorf("%s: %s, %d cut; want %s, %d", c.what, got, cut, c.want, c.cut)
		}
	}
	groups, cut := match.Groups(chain, match.GroupChance)
	for _, g := range groups {
		if len(g) > 12 {
			t.Errorf("a chain of faint likenesses became a group of %d", len(g))
		}
	}
	if cut == 0 {
		t.Error("nothing is told of pairs that joined nobody")
	}
}

func TestJaroWinkler(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"martha", "marhta", 0.9611}, {"dixon", "dicksonx", 0.8133}, {"dwayne", "duane", 0.8400}, {"a", "a", 1}, {"a", "b", 0}, {"", "a", 0}, {"فاطمة", "فاطمه", 0.92}} {
		if got := match.JaroWinkler(c.a, c.b); math.Abs(got-c.want) > 0.0001 {
			t.Errorf("%q, %q: %.4f, want %.4f", c.a, c.b, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringMatching(`[a-e]{0,70}`).Draw(t, "a"), rapid.StringMatching(`[a-e]{0,70}`).Draw(t, "b")
		if got, want := match.JaroWinkler(a, b), match.PlainJaroWinkler(a, b); got != want {
			t.Errorf("%v, and letter by letter %v", got, want)
		}
	})
	// Words that a glance tells apart are none that a look would call alike.
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`[a-h]{1,12}`).Draw(t, "a")
		b := rapid.OneOf(rapid.StringMatching(`[a-h]{1,12}`), rapid.Map(rapid.StringMatching(`[a-h]{0,2}`), func(s string) string { return s + a })).Draw(t, "b")
		if a != b && match.Hopeless(a, b) && match.Agree(a, b) != match.LevelDifferent {
			t.Errorf("%q and %q", a, b)
		}
	})
}

// FuzzRow takes any text for a person: nothing breaks, she is found when she comes again,
// and nothing that a Row holds grows with the text.
func FuzzRow(f *testing.F) {
	for _, s := range []string{"Amina Warsame", "محمد عبد الرحمن", "ኪሮስ", "", "\xff\x00", "a b c d e f g h i j", "ʿʿ ̀̀", "абд", "'", "..."} {
		f.Add(s, s, "1987-05-12", s)
	}
	f.Add("0", "0", "0000001", "1a\xa1\xa1\xa1aaaaaa")
	f.Fuzz(func(t *testing.T, text, place, birth, number string) {
		n, _ := registry.ParseName(text, "")
		b, _ := registry.ParseBirth(birth, registry.BirthOptions{})
		p := registry.Person{Names: []registry.Name{n, {Text: text, Parts: []registry.Part{{Role: "given", Text: place}, {Role: "father", Text: text}}}}, Birth: &b,
			Documents: []registry.Document{{Type: number, Number: number}}, Contacts: []registry.Contact{{Kind: "phone", Value: number}, {Kind: "email", Value: text}},
			Location: &registry.Location{PCode: place, Site: place, Address: text}}
		row := match.FromPerson(registry.ID{1}, p, registry.ID{}, nil, func(s string) uint64 { return uint64(len(s)) })
		for _, n := range row.Names {
			if len(n.Given) > 64 || len(n.Family) > 64 || !utf8.ValidString(n.Given) {
				t.Errorf("a part of %d bytes", max(len(n.Given), len(n.Family)))
			}
		}
		x := strangers(5)
		x.Add(row)
		x.Add(row)
		run(t, x, match.Options{})
		kept := x.Append(nil)
		if y, err := match.ReadIndex(kept); err != nil || !slices.Equal(y.Append(nil), kept) {
			t.Errorf("kept again, it is another: %v", err)
		}
	})
}

type tester interface {
	Helper()
	Fatal(...any)
}

func run(t tester, x *match.Index, o match.Options) *match.Result {
	t.Helper()
	res, err := x.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func name(given, family string) []match.NameParts {
	return []match.NameParts{{Given: match.PlainName(given), Family: match.PlainName(family)}}
}

func numbers(n ...uint64) (list []match.Number) {
	for _, h := range n {
		list = append(list, match.Number{Kind: "national_id|KEN", Hash: h})
	}
	return list
}

func born(edtf string) registry.Birth { return registry.Birth{EDTF: edtf} }

// strangers are people who have little in common.
func strangers(n int) *match.Index {
	x := match.NewIndex()
	for i := range n {
		x.Add(match.Row{Names: name(syllables(i*7+3), syllables(i*31+11)), Sex: "fm"[i%2], Place: fmt.Sprint("site ", i%9),
			Birth: born(fmt.Sprintf("%d-%02d-%02d", 1940+i%70, 1+i%12, 1+i%28))})
	}
	return x
}

func syllables(n int) (s string) {
	for range 3 {
		s += string("bdfgklmnrst"[n%11]) + string("aiou"[n/11%4])
		n = n/3 + 17*n%101
	}
	return s
}

// crowd are people of few names, births and households, some of them twice.
func crowd(n int, seed uint64) (rows []match.Row) {
	draw := func(m int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int(seed>>33) % m
	}
	for range n {
		r := match.Row{Names: name([]string{"Ali", "Amina", "Yusuf", "Grace", "Halima"}[draw(5)], []string{"Warsame", "Okello", "Deng", "Noor"}[draw(4)]),
			Birth: born(fmt.Sprintf("%d-%02d-%02d", 1980+draw(5), 1+draw(3), 1+draw(5))), Household: registry.ID{byte(1 + draw(n))}, Place: fmt.Sprint("site ", draw(3))}
		rows = append(rows, r)
	}
	return rows
}

// TestKept: an index that was kept answers as the one it was, and grows on.
func TestKept(t *testing.T) {
	x := strangers(100)
	for _, r := range crowd(60, 3) {
		r.Documents, r.Phones, r.Email, r.Area, r.Address, r.Arrival = numbers(uint64(len(r.Place))), []uint64{9, 1 << 63}, "a@b.example", "KE001", "12 Long Street", "2026-03"
		x.Add(r)
	}
	b := x.Append(nil)
	y, err := match.ReadIndex(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, add := range crowd(10, 8) {
		x.Add(add)
		y.Add(add)
	}
	want, got := run(t, x, match.Options{Seed: 2}), run(t, y, match.Options{Seed: 2})
	if len(want.Pairs) == 0 || !slices.Equal(want.Pairs, got.Pairs) || x.ID(7) != y.ID(7) || !slices.Equal(x.Append(nil), y.Append(nil)) {
		t.Errorf("%d pairs, and %d of the one that was kept", len(want.Pairs), len(got.Pairs))
	}
	for n := 0; n < len(b); n += 61 {
		if _, err := match.ReadIndex(b[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes, it is taken", n, len(b))
		}
	}
}

// TestWithout: an index that people were taken out of is that of those who stay, and
// holds no word of the others.
func TestWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, want := match.NewIndex(), match.NewIndex()
		gone := map[registry.ID]bool{}
		for i, r := range crowd(rapid.IntRange(1, 60).Draw(t, "people"), rapid.Uint64().Draw(t, "seed")) {
			r.ID = registry.ID{1, byte(i)}
			if i%3 > 0 {
				r.Documents, r.Phones, r.Address, r.Arrival = numbers(uint64(i%7), uint64(i)), []uint64{uint64(i % 4)}, fmt.Sprintf("%d Long Street", i%5), fmt.Sprintf("2026-%02d", 1+i%9)
				r.Email, r.Area, r.Names = fmt.Sprintf("p%d@b.example", i), "KE001", append(r.Names, match.NameParts{Given: fmt.Sprint("alias", i), Between: []string{"J. R."}})
			}
			x.Add(r)
			if gone[r.ID] = rapid.Bool().Draw(t, "gone"); !gone[r.ID] {
				want.Add(r)
			}
		}
		got := x.Without(func(id registry.ID) bool { return gone[id] })
		if !bytes.Equal(got.Append(nil), want.Append(nil)) || !slices.Equal(got.Homes(), want.Homes()) {
			t.Errorf("%d of %d people stay, and the index is another than theirs", want.Len(), x.Len())
		}
	})
}

// FuzzReadIndex takes any bytes for an index: what is taken can be asked and kept again.
func FuzzReadIndex(f *testing.F) {
	x := strangers(3)
	x.Add(match.Row{Names: name("Amina", "Noor"), Documents: numbers(5), Phones: []uint64{7}, Household: registry.ID{1}, Arrival: "2026-01", Address: "1 Road"})
	f.Add(x.Append(nil))
	f.Add(match.NewIndex().Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := match.ReadIndex(b)
		if err != nil {
			return
		}
		run(t, x, match.Options{})
		kept := x.Append(nil)
		if y, err := match.ReadIndex(kept); err != nil || !slices.Equal(y.Append(nil), kept) {
			t.Errorf("kept again, it is another: %v", err)
		}
	})
}
