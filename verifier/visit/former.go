package visit

import (
	"cmp"
	"slices"

	"aidpass/credential"
	"aidpass/verifier"
)

// A formers says of ledger keys which one of another organisation each replaced.
type formers map[verifier.LedgerKey]verifier.LedgerKey

// maxFormers bounds how far a chain of replaced cards is followed. Cards name the
// first one, so an honest chain has one link.
const maxFormers = 4

// formers reads the records' links. A key replaces one other at most: the one that
// its earliest record names. So an issuer that says it of several gets one, and two
// units of an organisation are never brought together by what another says: only a
// card of its own could do that.
func (g *merging) formers() formers {
	var list []int
	for i := range g.m.Entries {
		if e := &g.m.Entries[i]; e.Kind <= Partial && e.Former != (credential.Former{}) && e.State != Quarantined && !slices.Contains(e.Doubts, FormerUnknown) {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(i, j int) int {
		return cmp.Or(cmp.Compare(g.m.Entries[i].Est, g.m.Entries[j].Est), cmp.Compare(i, j))
	})
	f := formers{}
	for _, i := range list {
		e := &g.m.Entries[i]
		old := e.Ledger.Formerly(e.Former)
		if have, ok := f[e.Ledger]; !ok {
			f[e.Ledger] = old
		} else if have != old {
			e.Doubts = append(e.Doubts, OtherFormer)
		}
	}
	return f
}

// first follows k to the card that was first, at most maxFormers far. Of cards that
// all say they replace each other it is the least.
func (f formers) first(k verifier.LedgerKey) verifier.LedgerKey {
	way := [maxFormers + 1]verifier.LedgerKey{k}
	for n := 1; n <= maxFormers; n++ {
		old, ok := f[k]
		if !ok {
			break
		}
		if i := slices.Index(way[:n], old); i >= 0 {
			return slices.MinFunc(way[i:n], CompareLedger)
		}
		way[n], k = old, old
	}
	return k
}

// groups are the keys of each account of several, by their first: that of issuer
// leads where there is one, else the first; the others follow in order.
func (f formers) groups(issuer string) map[verifier.LedgerKey][]verifier.LedgerKey {
	groups := map[verifier.LedgerKey][]verifier.LedgerKey{}
	for k, old := range f {
		for _, member := range [...]verifier.LedgerKey{k, old} {
			first := f.first(member)
			groups[first] = append(groups[first], member)
		}
	}
	for first, list := range groups {
		slices.SortFunc(list, func(a, b verifier.LedgerKey) int {
			return cmp.Or(rank(a, first, issuer)-rank(b, first, issuer), CompareLedger(a, b))
		})
		groups[first] = slices.Compact(list)
	}
	return groups
}

func rank(k, first verifier.LedgerKey, issuer string) int {
	switch {
	case k.Issuer == issuer:
		return 0
	case k == first:
		return 1
	}
	return 2
}
