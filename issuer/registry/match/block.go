package match

import (
	"context"
	"slices"
)

// A rule puts people into blocks; who shares one is compared. DOMAIN.md 4.3.
type rule struct {
	name  string
	parts []refinement                     // of a block that is too large, before others
	keys  func(x *Index, p *person) uint64 // 0: in no block
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
	{"birth", []refinement{byGiven}, func(_ *Index, p *person) uint64 { return key(1, p.born.date()) }},
	{"names", []refinement{byYear}, func(x *Index, p *person) uint64 { // in any order
		g, f := x.sound(p.given), x.sound(p.family)
		if f == 0 && p.born.year == 0 || g == 0 && p.born.year == 0 {
			return key(2, max(g, f))
		}
		return key(3, min(g, f), max(g, f))
	}},
	{"given+year", nil, func(x *Index, p *person) uint64 { return key(4, x.sound(p.given), p.born.knownYear()) }},
	{"family+year", nil, func(x *Index, p *person) uint64 { return key(4, x.sound(p.family), p.born.knownYear()) }},
	{"given+day", []refinement{byFamily}, func(x *Index, p *person) uint64 { return key(5, x.sound(p.given), p.born.monthDay()) }},
	{"family+day", []refinement{byGiven}, func(x *Index, p *person) uint64 { return key(5, x.sound(p.family), p.born.monthDay()) }},
	{"document", nil, func(_ *Index, p *person) uint64 { return key(6, uint64(p.documents[0])) }},
	{"phone", nil, func(_ *Index, p *person) uint64 { return key(7, uint64(p.phones[0])) }},
	{"email", nil, func(_ *Index, p *person) uint64 { return key(8, uint64(p.email)) }},
	{"father", nil, func(x *Index, p *person) uint64 { return key(9, x.sound(p.given), x.sound(p.between[0])) }},
	{"given+area", nil, func(x *Index, p *person) uint64 { return key(10, x.sound(p.given), uint64(p.area)) }},
	{"given+place", nil, func(x *Index, p *person) uint64 { return key(11, x.sound(p.given), uint64(p.place)) }},
	{"family+area", nil, func(x *Index, p *person) uint64 { return key(10, x.sound(p.family), uint64(p.area)) }},
	{"family+place", nil, func(x *Index, p *person) uint64 { return key(11, x.sound(p.family), uint64(p.place)) }},
	{"address", nil, func(x *Index, p *person) uint64 {
		if p.streets == 0 {
			return 0
		}
		sum := uint64(0)
		for _, w := range x.street[p.streetAt : p.streetAt+uint32(p.streets)] {
			sum += mix(uint64(w))
		}
		return key(12, sum)
	}},
	{"day+area", nil, func(x *Index, p *person) uint64 { return key(13, p.born.monthDay(), uint64(p.area)) }},
	{"day+place", nil, func(x *Index, p *person) uint64 { return key(13, p.born.monthDay(), uint64(p.place)) }},
	{"single name", nil, func(x *Index, p *person) uint64 { // nothing else is known of her
		if p.born.year == 0 && (p.given == 0) != (p.family == 0) {
			return key(15, uint64(x.names.loose[max(p.given, p.family)]))
		}
		return 0
	}},
	{"arrival", nil, func(_ *Index, p *person) uint64 {
		return key(14, uint64(p.size), uint64(p.place), uint64(p.arrival))
	}},
}

// A refinement parts a block that is too large.
type refinement func(x *Index, p *person) uint64

func byMonthDay(_ *Index, p *person) uint64 { return p.born.monthDay() }
func byYear(_ *Index, p *person) uint64     { return p.born.knownYear() }
func byGiven(x *Index, p *person) uint64    { return x.sound(p.given) }
func byFamily(x *Index, p *person) uint64   { return x.sound(p.family) }
func byPlace(_ *Index, p *person) uint64    { return uint64(p.place) }
func byWords(_ *Index, p *person) uint64    { return uint64(p.given)<<32 | uint64(p.family) }

// refinements part a block, in order, until it is small enough. The first of a rule are
// chosen so that one mistake in any field leaves two records together under some rule.
var refinements = []refinement{byMonthDay, byYear, byGiven, byFamily, byPlace, byWords}

// blocks are people by the keys of each rule.
type blocks struct {
	*Index
	keys   []keyRow   // by person: the block she is in under each rule; 0: none
	groups [][]uint64 // by rule: entries block<<32 | person, sorted, of blocks with company
	pairs  int64      // sum over blocks, before pairs under two rules are counted once
	cut    []int      // by rule: people whose block was parted
}

// mostRules is how many rules there can be.
const mostRules = 20

type keyRow [mostRules]uint32

// block puts everybody into blocks of at most most people.
func (x *Index) block(ctx context.Context, most int) (*blocks, error) {
	b := &blocks{Index: x, keys: make([]keyRow, len(x.people)), groups: make([][]uint64, len(rules)), cut: make([]int, len(rules))}
	buffer, spare := make([]uint64, 0, len(x.people)), make([]uint64, len(x.people))
	for k, r := range rules {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries := buffer[:0]
		for i := range x.people {
			if h := r.keys(x, &x.people[i]); h != 0 {
				entries = append(entries, h>>32<<32|uint64(i))
			}
		}
		radix(entries, spare)
		parts := append(r.parts[:len(r.parts):len(r.parts)], refinements...)
		entries = eachBlock(entries, func(block []uint64) bool {
			if len(block) > most {
				b.cut[k] += len(block)
				x.part(block, parts, most)
			}
			return len(block) > 1
		})
		if b.cut[k] > 0 { // blocks that were parted stand in pieces
			slices.Sort(entries)
		}
		entries = eachBlock(entries, func(block []uint64) bool {
			if len(block) == 1 {
				return false
			}
			for _, e := range block {
				b.keys[uint32(e)][k] = max(uint32(e>>32), 1)
			}
			b.pairs += int64(len(block)) * int64(len(block)-1) / 2
			return true
		})
		b.groups[k] = slices.Clone(entries)
	}
	return b, nil
}

// eachBlock goes through sorted entries block by block, and keeps those for which keep
// is true.
func eachBlock(entries []uint64, keep func(block []uint64) bool) []uint64 {
	kept := entries[:0]
	for i := 0; i < len(entries); {
		j := i + 1
		for j < len(entries) && entries[j]>>32 == entries[i]>>32 {
			j++
		}
		if block := entries[i:j]; keep(block) {
			kept = append(kept, block...)
		}
		i = j
	}
	return kept
}

// part gives the entries of a block that is too large blocks of their own.
func (x *Index) part(entries []uint64, parts []refinement, most int) {
	if len(entries) <= most {
		return
	}
	if len(parts) == 0 { // alike in all: neighbours in the order of arrival
		for i := range entries {
			entries[i] = mix(entries[i]>>32+uint64(i/most)<<32)>>32<<32 | entries[i]&0xffffffff
		}
		return
	}
	for i, e := range entries {
		h := mix(e>>32<<8 ^ mix(parts[0](x, &x.people[uint32(e)])+uint64(len(parts))))
		entries[i] = h>>32<<32 | e&0xffffffff
	}
	slices.Sort(entries)
	for i := 0; i < len(entries); {
		j := i + 1
		for j < len(entries) && entries[j]>>32 == entries[i]>>32 {
			j++
		}
		x.part(entries[i:j], parts[1:], most)
		i = j
	}
}

// A meeting is two people who share a block.
type meeting struct {
	rule int
	i, j uint32 // numbers, i < j
	a, b *person
}

// each calls f for each pair that shares a block, once, under the first rule whose block
// it shares; j is from or over it. People of a block are laid side by side first, since
// they stand anywhere in memory and each is looked at as often as there are others.
//
// Of every so many blocks one is gone through, the same ones for the same seed; 1: all.
func (b *blocks) each(ctx context.Context, from int, every, seed uint64, done func(int64), f func(*meeting)) error {
	seen := int64(0)
	var keys []keyRow
	var people []person
	var m meeting
	for k, entries := range b.groups {
		m.rule = k
		for i := 0; i < len(entries); {
			j := i + 1
			for j < len(entries) && entries[j]>>32 == entries[i]>>32 {
				j++
			}
			block := entries[i:j]
			i = j
			if every > 1 && mix(block[0]>>32+uint64(k)<<32+seed)%every != 0 {
				continue
			}
			keys, people = keys[:0], people[:0]
			for _, e := range block {
				keys, people = append(keys, b.keys[uint32(e)]), append(people, b.people[uint32(e)])
			}
			for t := range block { // entries of a block stand in the order of numbers
				m.j, m.b = uint32(block[t]), &people[t]
				if int(m.j) < from {
					continue
				}
			next:
				for s := range t {
					for r := range k {
						if keys[s][r] == keys[t][r] && keys[s][r] != 0 {
							continue next
						}
					}
					m.i, m.a = uint32(block[s]), &people[s]
					f(&m)
				}
			}
			before := seen
			seen += int64(len(block)) * int64(len(block)-1) / 2
			if before>>16 != seen>>16 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if done != nil {
					done(seen)
				}
			}
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
