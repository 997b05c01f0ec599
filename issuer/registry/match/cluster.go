package match

import (
	"cmp"
	"slices"
)

// A Group are records that a run takes for one person, by number, in order.
type Group []int

// GroupChance is the least chance at which pairs join groups.
const GroupChance = 0.9

// Bounds of a group.
const (
	mostInGroup = 12   // records: over it, a list was entered many times, or nothing fits
	groupShare  = 0.35 // of the pairs between two groups that must have been found before they become one
)

// Groups joins pairs of at least a chance, the likeliest first, to groups: if two are
// one, and one of them is a third, all three are. So one false pair would join what is
// apart, and groups grow into each other; therefore two groups are joined only while
// they stay small and enough of the pairs between them were found. Cut counts the pairs
// that joined nothing for that.
//
// A pair of twins joins nobody, and keeps the groups that its two are in apart.
func Groups(pairs []Pair, chance float64) (groups []Group, cut int) {
	least := bitsOf(chance)
	group := map[int]int{} // by record: its group
	var members []Group
	of := func(n int) int {
		g, ok := group[n]
		if !ok {
			g = len(members)
			group[n] = g
			members = append(members, Group{n})
		}
		return g
	}
	found := map[[2]int]int{} // pairs found between two groups; -1: never one
	between := func(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }
	order := make([]Pair, 0, len(pairs))
	for _, p := range pairs {
		if p.Bits >= least {
			order = append(order, p)
		}
	}
	slices.SortFunc(order, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Bits, a.Bits), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
	near := map[int][]int{} // by group: groups it was found with
	link := func(a, b, n int) {
		k := between(a, b)
		was, ok := found[k]
		if !ok {
			near[a], near[b] = append(near[a], b), append(near[b], a)
		}
		if was < 0 || n < 0 {
			found[k] = -1
		} else {
			found[k] = was + n
		}
	}
	for _, p := range order {
		n := 1
		if p.Guard != "" {
			n = -1
		}
		link(of(p.A), of(p.B), n)
	}
	for _, p := range order {
		a, b := of(p.A), of(p.B)
		if a == b || p.Guard != "" {
			continue
		}
		n := found[between(a, b)]
		if n < 0 || len(members[a])+len(members[b]) > mostInGroup ||
			float64(n) < groupShare*float64(len(members[a])*len(members[b])) {
			cut++
			continue
		}
		for _, r := range members[b] {
			group[r] = a
		}
		members[a] = append(members[a], members[b]...)
		members[b] = nil
		for _, c := range near[b] {
			if c == a || members[c] == nil {
				continue
			}
			link(a, c, found[between(b, c)])
		}
	}
	for _, g := range members {
		if len(g) > 1 {
			slices.Sort(g)
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(a, b Group) int { return cmp.Compare(a[0], b[0]) })
	return groups, cut
}
