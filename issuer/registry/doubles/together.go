package doubles

import (
	"cmp"
	"slices"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// Together keeps the order of pairs, but brings those of one group to where its first
// stands: if A is B and B is C, people see all three at once (match.Groups).
func Together(pairs []registry.Pair) []registry.Pair {
	numbers := map[registry.ID]int{}
	number := func(id registry.ID) int {
		n, ok := numbers[id]
		if !ok {
			n = len(numbers)
			numbers[id] = n
		}
		return n
	}
	var found []match.Pair
	for _, p := range pairs {
		a, b := number(p.A), number(p.B)
		if p.Decided == "" && p.Bits > 0 {
			found = append(found, match.Pair{A: min(a, b), B: max(a, b), Bits: p.Bits, Guard: p.Guard})
		}
	}
	groups, _ := match.Groups(found, match.GroupChance)
	of := map[int]int{}
	for i, g := range groups {
		for _, n := range g {
			of[n] = i + 1
		}
	}
	first := map[int]int{}
	type placed struct {
		registry.Pair
		at int
	}
	list := make([]placed, len(pairs))
	for i, p := range pairs {
		list[i] = placed{p, i}
		if g := of[numbers[p.A]]; g != 0 && g == of[numbers[p.B]] && p.Decided == "" {
			if _, ok := first[g]; !ok {
				first[g] = i
			}
			list[i].at = first[g]
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	out := make([]registry.Pair, len(list))
	for i, p := range list {
		out[i] = p.Pair
	}
	return out
}
