package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// duplicates measures how records of one person are found: 100,000 people beside the
// same work with a plain Jaro-Winkler for every pair of names, and a million alone.
func duplicates(time.Duration) []row {
	index, planted := crowd(100_000)
	learnt, _ := scored(index, match.Options{Seed: 1})
	fast, took := scored(index, match.Options{Model: learnt.Model})
	plain, slow := scored(index, match.Options{Model: learnt.Model, Measure: plainMeasure})
	same := slices.EqualFunc(fast.Pairs, plain.Pairs, func(a, b match.Pair) bool { return a.A == b.A && a.B == b.B && a.Bits == b.Bits })
	ratio := slow.Seconds() / took.Seconds()
	rows := []row{
		{name: "duplicates among 100,000, scored", measured: fmt.Sprintf("%.1f x", ratio), target: ">= 5.0 x", pass: ratio >= 5 && same,
			against: fmt.Sprintf("a plain Jaro-Winkler for each pair of names in %d pairs of people, %.2f s; same links: %v", plain.Compared, slow.Seconds(), same)},
		found("  planted one-typo duplicates found", fast, planted),
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	index, planted = crowd(1_000_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	million, took := scored(index, match.Options{Seed: 1})
	return append(rows,
		row{name: "duplicates among 1,000,000", measured: fmt.Sprintf("%.1f s", took.Seconds()), target: "< 15 s", pass: took < 15*time.Second,
			against: fmt.Sprintf("processor time of one core: blocks, model, %d pairs; %d bytes a person kept", million.Compared, (after.HeapAlloc-before.HeapAlloc)/1_000_000)},
		found("  planted one-typo duplicates found", million, planted))
}

// scored runs the whole of it on one core: blocks, the model where none is given, scores.
func scored(x *match.Index, o match.Options) (*match.Result, time.Duration) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	start := spent()
	res := must(x.Run(context.Background(), o))
	return res, spent() - start
}

// spent is the time that processors have worked for this program: on a busy machine a
// clock would tell of others.
func spent() time.Duration {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// found is the share of planted pairs that a run shows.
func found(name string, res *match.Result, planted map[[2]int]bool) row {
	n := 0
	for _, p := range res.Pairs {
		if planted[[2]int{p.A, p.B}] {
			n++
		}
	}
	share := float64(n) / float64(len(planted))
	return row{name: name, measured: fmt.Sprintf("%.4f", share), target: ">= 0.9950", pass: share >= 0.995,
		against: fmt.Sprintf("%d planted, %d pairs shown in all", len(planted), len(res.Pairs))}
}

// crowd is a register of made-up people, and who is in it twice: one in a hundred, with
// one letter or digit wrong in one of her fields. Names are as unequal as people's are.
func crowd(n int) (*match.Index, map[[2]int]bool) {
	r := rand.New(rand.NewPCG(7, 7))
	given, family := names(r, 4_000), names(r, 20_000)
	x, planted := match.NewIndex(), map[[2]int]bool{}
	var id registry.ID
	for i := 0; i < n; {
		house := id
		binary.BigEndian.PutUint64(house[:], uint64(i)+1)
		last, place, phone := drawn(r, family), fmt.Sprintf("site %d", r.IntN(300)), r.Uint64()
		for range 1 + r.IntN(7) {
			if i == n {
				break
			}
			row := match.Row{Household: house, Sex: "fm"[r.IntN(2)], Place: place, Phones: []uint64{phone},
				Names: []match.NameParts{{Given: drawn(r, given), Family: last, Between: []string{drawn(r, given)}}}}
			day := time.Date(1945, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(math.Sqrt(r.Float64())*29_000))
			row.Birth = registry.Birth{EDTF: day.Format(time.DateOnly)}
			first := x.Add(row)
			if i++; i%100 == 0 && i < n {
				planted[[2]int{first, x.Add(mistyped(r, row))}] = true
				i++
			}
		}
	}
	return x, planted
}

// mistyped is a row entered again at another desk: without the telephone and household
// of the first time, and with one typing mistake.
func mistyped(r *rand.Rand, row match.Row) match.Row {
	n := row.Names[0]
	row.Household, row.Phones = registry.ID{}, nil
	switch r.IntN(3) {
	case 0:
		n.Given = typo(r, n.Given)
	case 1:
		n.Family = typo(r, n.Family)
	default:
		b := []byte(row.Birth.EDTF)
		for at := r.IntN(len(b)); ; at = r.IntN(len(b)) {
			if b[at] == '-' {
				continue
			}
			was := b[at]
			b[at] = byte('0' + r.IntN(10))
			if _, err := time.Parse(time.DateOnly, string(b)); err == nil && b[at] != was && b[0] < '3' && b[0] > '0' {
				break
			}
			b[at] = was
		}
		row.Birth.EDTF = string(b)
	}
	row.Names = []match.NameParts{n}
	return row
}

func typo(r *rand.Rand, s string) string {
	b, at, letter := []byte(s), r.IntN(len(s)), byte('a'+r.IntN(26))
	switch r.IntN(3) {
	case 0:
		b[at] = letter
	case 1:
		b = slices.Insert(b, at, letter)
	default:
		b = slices.Delete(b, at, at+1)
	}
	return string(b)
}

// names makes up names of two to four syllables, the likeliest first.
func names(r *rand.Rand, n int) []string {
	made := map[string]bool{}
	for len(made) < n {
		s := ""
		for range 2 + r.IntN(3) {
			s += string("bdfghjklmnrstwyz"[r.IntN(16)]) + string("aeiou"[r.IntN(5)])
			if r.IntN(3) == 0 {
				s += string("nlrmsd"[r.IntN(6)])
			}
		}
		made[s] = true
	}
	list := slices.Sorted(maps.Keys(made))
	r.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// drawn takes a name: the first of a list a hundred times as often as the hundredth.
func drawn(r *rand.Rand, list []string) string {
	return list[int(math.Pow(float64(len(list)), r.Float64()))-1]
}

// plainMeasure is Jaro-Winkler as it is written in textbooks.
func plainMeasure(s, t string) float64 {
	a, b := []rune(s), []rune(t)
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	window := max(max(len(a), len(b))/2-1, 0)
	inA, inB := make([]bool, len(a)), make([]bool, len(b))
	m := 0.0
	for i := range a {
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if !inB[j] && a[i] == b[j] {
				inA[i], inB[j] = true, true
				m++
				break
			}
		}
	}
	if m == 0 {
		return 0
	}
	moved, j := 0, 0
	for i := range a {
		if !inA[i] {
			continue
		}
		for !inB[j] {
			j++
		}
		if a[i] != b[j] {
			moved++
		}
		j++
	}
	v := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(moved/2))/m) / 3
	if v > 0.7 {
		prefix := 0
		for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
			prefix++
		}
		v += float64(prefix) * 0.1 * (1 - v)
	}
	return v
}
