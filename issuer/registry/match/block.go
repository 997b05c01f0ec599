package match

import (
	"context"
	"slices"
)

// A rule puts people into blocks; who shares one is compared. DOMAIN.md 4.3.
type rule struct {
	name string
	keys func(x *Index, p *person) uint64 // 0: in no block
}

func key(parts ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, p := range parts {
		if p == 0 {
			return 0
		}
		h = mix(h ^ p)
	}
	return h | 1
}

func (x *Index) sound(word uint32) uint64 { return uint64(x.names.sounds[word]) }

func (b born) date() uint64 {
	if b.month == 0 || b.day == 0 || b.day == decadeDay {
		return 0
	}
	return uint64(b.year)<<16 | uint64(b.month)<<8 | uint64(b.day)
}

func (b born) monthDay() uint64 {
	if b.month == 0 || b.day == 0 || b.day == decadeDay {
		return 0
	}
	return uint64(b.month)<<8 | uint64(b.day)
}

func (b born) knownYear() uint64 {
	if b.day == decadeDay {
		return 0
	}
	return uint64(b.year)
}

// rules, in order. A pair is compared once, under the first rule whose block it shares.
var rules = []rule{
	{"birth", func(_ *Index, p *person) uint64 { return key(1, p.born.date()) }},
	{"names", func(x *Index, p *person) uint64 { // in any order
		g, f := x.sound(p.given), x.sound(p.family)
		if f == 0 && p.born.year == 0 || g == 0 && p.born.year == 0 {
			return key(2, max(g, f))
		}
		return key(3, min(g, f), max(g, f))
	}},
	{"given+year", func(x *Index, p *person) uint64 { return key(4, x.sound(p.given), p.born.knownYear()) }},
	{"family+year", func(x *Index, p *person) uint64 { return key(4, x.sound(p.family), p.born.knownYear()) }},
	{"given+day", func(x *Index, p *person) uint64 { return key(5, x.sound(p.given), p.born.monthDay()) }},
	{"family+day", func(x *Index, p *person) uint64 { return key(5, x.sound(p.family), p.born.monthDay()) }},
	{"document", func(_ *Index, p *person) uint64 { return key(6, uint64(p.documents[0])) }},
	{"phone", func(_ *Index, p *person) uint64 { return key(7, uint64(p.phones[0])) }},
	{"email", func(_ *Index, p *person) uint64 { return key(8, uint64(p.email)) }},
	{"father", func(x *Index, p *person) uint64 { return key(9, x.sound(p.given), x.sound(p.between[0])) }},
	{"given+area", func(x *Index, p *person) uint64 { return key(10, x.sound(p.given), uint64(p.area)) }},
	{"given+place", func(x *Index, p *person) uint64 { return key(11, x.sound(p.given), uint64(p.place)) }},
	{"family+area", func(x *Index, p *person) uint64 { return key(10, x.sound(p.family), uint64(p.area)) }},
	{"family+place", func(x *Index, p *person) uint64 { return key(11, x.sound(p.family), uint64(p.place)) }},
	{"address", func(x *Index, p *person) uint64 {
		if p.streets == 0 {
			return 0
		}
		sum := uint64(0)
		for _, w := range x.street[p.streetAt : p.streetAt+uint32(p.streets)] {
			sum += mix(uint64(w))
		}
		return key(12, sum)
	}},
	{"day+area", func(x *Index, p *person) uint64 { return key(13, p.born.monthDay(), uint64(p.area)) }},
	{"day+place", func(x *Index, p *person) uint64 { return key(13, p.born.monthDay(), uint64(p.place)) }},
	{"single name", func(x *Index, p *person) uint64 { // nothing else is known of her
		if p.born.year == 0 && (p.given == 0) != (p.family == 0) {
			return key(15, uint64(x.names.loose[max(p.given, p.family)]))
		}
		return 0
	}},
	{"arrival", func(_ *Index, p *person) uint64 {
		return key(14, uint64(p.size), uint64(p.place), uint64(p.arrival))
	}},
}

// refinements part a block that is too large, in order, until it is not.
var refinements = []func(x *Index, p *person) uint64{
	func(_ *Index, p *person) uint64 { return p.born.monthDay() },
	func(_ *Index, p *person) uint64 { return p.born.knownYear() },
	func(x *Index, p *person) uint64 { return x.sound(p.given) },
	func(x *Index, p *person) uint64 { return x.sound(p.family) },
	func(_ *Index, p *person) uint64 { return uint64(p.place) },
	func(_ *Index, p *person) uint64 { return uint64(p.given)<<32 | uint64(p.family) },
}

// blocks are people by the keys of each rule.
type blocks struct {
	keys   [][]uint32 // by rule and person: the block she is in; 0: none
	groups [][]uint64 // by rule: entries block<<32 | person, sorted, of blocks with company
	pairs  int64      // sum over blocks, before pairs under two rules are counted once
	cut    []int      // by rule: people whose block was parted
}

// block puts everybody into blocks of at most most people.
func (x *Index) block(ctx context.Context, most int) (*blocks, error) {
	b := &blocks{keys: make([][]uint32, len(rules)), groups: make([][]uint64, len(rules)), cut: make([]int, len(rules))}
	spare := make([]uint64, len(x.people))
	for k, r := range rules {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries := make([]uint64, 0, len(x.people))
		for i := range x.people {
			if h := r.keys(x, &x.people[i]); h != 0 {
				entries = append(entries, h>>32<<32|uint64(i))
			}
		}
		radix(entries, spare)
		keys := make([]uint32, len(x.people))
		kept := entries[:0]
		for i := 0; i < len(entries); {
			j := i + 1
			for j < len(entries) && entries[j]>>32 == entries[i]>>32 {
				j++
			}
			if j-i > most {
				b.cut[k] += j - i
			}
			if j-i > 1 {
				x.part(entries[i:j], 0, most)
				kept = append(kept, entries[i:j]...)
			}
			i = j
		}
		// Blocks that were parted stand in pieces; singles go.
		if b.cut[k] > 0 {
			radix(kept, spare)
		}
		entries, kept = kept, kept[:0]
		for i := 0; i < len(entries); {
			j := i + 1
			for j < len(entries) && entries[j]>>32 == entries[i]>>32 {
				j++
			}
			if n := int64(j - i); n > 1 {
				for _, e := range entries[i:j] {
					keys[uint32(e)] = max(uint32(e>>32), 1)
				}
				b.pairs += n * (n - 1) / 2
				kept = append(kept, entries[i:j]...)
			}
			i = j
		}
		b.keys[k], b.groups[k] = keys, slices.Clone(kept)
	}
	return b, nil
}

// part gives the entries of a block that is too large blocks of their own.
func (x *Index) part(entries []uint64, depth, most int) {
	if len(entries) <= most {
		return
	}
	if depth == len(refinements) { // alike in all: neighbours in the order of arrival
		for i := range entries {
			entries[i] = mix(entries[i]>>32+uint64(i/most)<<32)>>32<<32 | entries[i]&0xffffffff
		}
		return
	}
	for i, e := range entries {
		h := mix(e>>32<<8 ^ mix(refinements[depth](x, &x.people[uint32(e)])+uint64(depth)))
		entries[i] = h>>32<<32 | e&0xffffffff
	}
	slices.Sort(entries)
	for i := 0; i < len(entries); {
		j := i + 1
		for j < len(entries) && entries[j]>>32 == entries[i]>>32 {
			j++
		}
		x.part(entries[i:j], depth+1, most)
		i = j
	}
}

// earlier reports whether two people share a block under a rule before k.
func (b *blocks) earlier(k int, i, j uint32) bool {
	for _, keys := range b.keys[:k] {
		if keys[i] == keys[j] && keys[i] != 0 {
			return true
		}
	}
	return false
}

// each calls f for each pair that shares a block, once, with the rule; one of the two
// is from or over it. It stops when f is false.
func (b *blocks) each(ctx context.Context, from int, done func(int64), f func(k int, i, j uint32)) error {
	seen := int64(0)
	for k, entries := range b.groups {
		for i := 0; i < len(entries); {
			j := i + 1
			for j < len(entries) && entries[j]>>32 == entries[i]>>32 {
				j++
			}
			for s := i; s < j; s++ {
				for t := s + 1; t < j; t++ {
					p, q := uint32(entries[s]), uint32(entries[t])
					if p > q {
						p, q = q, p
					}
					if int(q) >= from && !b.earlier(k, p, q) {
						f(k, p, q)
					}
				}
			}
			before := seen
			seen += int64(j-i) * int64(j-i-1) / 2
			if before>>16 != seen>>16 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if done != nil {
					done(seen)
				}
			}
			i = j
		}
	}
	return ctx.Err()
}

// radix sorts entries by their upper 32 bits, and leaves the order within alone.
func radix(entries, spare []uint64) {
	spare = spare[:len(entries)]
	for shift := 32; shift < 65; shift += 11 {
		var count [1 << 11]int
		for _, e := range entries {
			count[e>>shift&(1<<11-1)]++
		}
		sum := 0
		for i, n := range count {
			count[i] = sum
			sum += n
		}
		for _, e := range entries {
			d := e >> shift & (1<<11 - 1)
			spare[count[d]] = e
			count[d]++
		}
		entries, spare = spare, entries
	}
	copy(spare, entries) // three passes: the last one ended in the spare
}
