package doubles

import (
	"cmp"
	"context"
	"slices"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// An Item is a pair of the queue.
type Item struct {
	registry.Pair
	State string // as of now: registry.StateTold ...
	Group int    // pairs of one number are of records that are one person together; 0: of no group over two
}

// Queue are the pairs in these states, or in all: told ones first, then by how much
// speaks, and the pairs of a group one after another. Their evidence is not read
// (registry.View.DoublesOf).
func (d *Desk) Queue(ctx context.Context, states ...string) (list []Item, err error) {
	all := len(states) == 0 || slices.Contains(states, registry.StateDecided)
	var doubles []registry.Double
	err = d.Store.View(ctx, func(v registry.View) error {
		doubles, err = v.Doubles(all)
		return err
	})
	if err != nil {
		return nil, err
	}
	at := d.Now()
	for _, p := range registry.Pairs(doubles) {
		if s := p.State(at); len(states) == 0 || slices.Contains(states, s) {
			list = append(list, Item{Pair: p, State: s})
		}
	}
	slices.SortStableFunc(list, func(a, b Item) int {
		return cmp.Or(-compareBool(a.Told, b.Told), cmp.Compare(b.Bits, a.Bits), a.FoundAt.Compare(b.FoundAt))
	})
	return together(list), nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// together numbers the groups of open pairs, and brings the pairs of each to where its
// first stands.
func together(list []Item) []Item {
	numbers := map[registry.ID]int{}
	number := func(id registry.ID) int {
		n, ok := numbers[id]
		if !ok {
			n = len(numbers)
			numbers[id] = n
		}
		return n
	}
	pairs := make([]match.Pair, len(list))
	var open []match.Pair
	for i, it := range list {
		a, b := number(it.A), number(it.B)
		pairs[i] = match.Pair{A: min(a, b), B: max(a, b), Bits: it.Bits, Guard: it.Guard}
		if it.Decided == "" && it.Bits > 0 {
			open = append(open, pairs[i])
		}
	}
	groups, _ := match.Groups(open, match.GroupChance)
	group := map[int]int{}
	for i, g := range groups {
		for _, n := range g {
			if len(g) > 2 {
				group[n] = i + 1
			}
		}
	}
	first := map[int]int{}
	for i := range list {
		if g := group[pairs[i].A]; g != 0 && g == group[pairs[i].B] && list[i].Decided == "" {
			list[i].Group = g
			if _, ok := first[g]; !ok {
				first[g] = i
			}
		}
	}
	place := make(map[*Item]int, 0)
	order := make([]*Item, len(list))
	for i := range list {
		order[i] = &list[i]
		place[order[i]] = i
		if g := list[i].Group; g != 0 {
			place[order[i]] = first[g]
		}
	}
	slices.SortStableFunc(order, func(a, b *Item) int { return cmp.Compare(place[a], place[b]) })
	out := make([]Item, len(list))
	for i, it := range order {
		out[i] = *it
	}
	return out
}
