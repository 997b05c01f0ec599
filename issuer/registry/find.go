package registry

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// Bounds of a search by name.
const (
	MostFound    = 50    // records returned
	mostCompared = 5_000 // records read, to put the likeliest first
)

// A Match is somebody a name may mean.
type Match struct {
	Record Record
	Person Person
	same   int // words that are written as they were asked for
}

// A Search is what a name may mean, the likeliest first.
type Search struct {
	Matches []Match // at most MostFound
	Total   int     // of them there are
}

// FindNames looks for people by one or more words of a name, in any order, spelling
// and script that Skeleton hears. Where nobody has all the words, those with one of
// them are found. year, unless 0, leaves out who is known to be born in another: an
// estimate may be two years off. What sounds alike is much more than what is meant,
// so the result says how many there are in all.
func (r *Registry) FindNames(ctx context.Context, name string, year int) (found Search, err error) {
	keys := NameKeys(name)
	if len(keys) == 0 {
		return found, refuse(RefusedNameLetters, "registry: a name to look for has letters")
	}
	words := strings.Fields(Fold(name))
	err = r.Store.View(ctx, func(v View) error {
		heard := map[ID]int{}
		for _, k := range keys {
			ids, err := v.Lookup(k)
			if err != nil {
				return err
			}
			for _, id := range ids {
				heard[id]++
			}
		}
		var ids []ID
		for _, least := range []int{len(keys), 1} {
			for id, n := range heard {
				if n >= least {
					ids = append(ids, id)
				}
			}
			if len(ids) > 0 {
				break
			}
		}
		slices.SortFunc(ids, func(a, b ID) int { return slices.Compare(a[:], b[:]) })
		unread := max(0, len(ids)-mostCompared)
		for _, id := range ids[:len(ids)-unread] {
			rec, p, err := readPerson(v, id)
			if errors.Is(err, ErrErased) {
				continue
			}
			if err != nil {
				return err
			}
			if year != 0 && !mayBeOf(p.Birth, year) {
				continue
			}
			found.Matches = append(found.Matches, Match{Record: rec, Person: p, same: sameWords(p, words)})
		}
		found.Total = len(found.Matches) + unread
		return nil
	})
	if err != nil {
		return Search{}, err
	}
	slices.SortStableFunc(found.Matches, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.same, a.same), cmp.Compare(a.Record.External, b.Record.External))
	})
	found.Matches = found.Matches[:min(len(found.Matches), MostFound)]
	return found, nil
}

// sameWords counts the words that stand in one of her names as they were asked for.
func sameWords(p Person, words []string) (best int) {
	for _, n := range p.Names {
		has := strings.Fields(Fold(n.Text))
		count := 0
		for _, w := range words {
			if slices.Contains(has, w) {
				count++
			}
		}
		best = max(best, count)
	}
	return best
}

func mayBeOf(b *Birth, year int) bool {
	if b == nil {
		return true
	}
	first, last, known := b.span()
	if !known {
		return true
	}
	off := 0
	if b.Estimated {
		off = 2
	}
	return first.Year()-off <= year && year <= last.Year()+off
}
