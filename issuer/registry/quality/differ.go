package quality

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// A Difference is one thing in which a policy differs from the one before it.
type Difference struct {
	Programme string // code; empty: everywhere
	// What is "person" or "household" (Field is required, or is no more), "threshold",
	// "provisional_days", "told", "look", "verified_months" or "unverified".
	What          string
	Field         string
	Before, After string // numbers with a point; of Field "required" or empty
	Loosens       bool   // more cards come about, or hold longer
}

// Differences are those of what counts in the end: what a programme requires is what is
// required everywhere and its own. They are in order of programme.
func Differences(before, after Policy) (list []Difference) {
	share := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	compare := func(programme string, was, now Own) {
		// Where not all must be known, one field more that everybody has makes up for another.
		dilutes := now.Threshold < 1 && len(was.Person)+len(was.Household) > 0
		for _, k := range []struct {
			what     string
			was, now []string
		}{{"person", was.Person, now.Person}, {"household", was.Household, now.Household}} {
			for _, f := range k.was {
				if !slices.Contains(k.now, f) {
					list = append(list, Difference{programme, k.what, f, "required", "", true})
				}
			}
			for _, f := range k.now {
				if !slices.Contains(k.was, f) {
					list = append(list, Difference{programme, k.what, f, "", "required", dilutes})
				}
			}
		}
		if was.Threshold != now.Threshold {
			list = append(list, Difference{programme, "threshold", "", share(was.Threshold), share(now.Threshold), now.Threshold < was.Threshold})
		}
	}
	compare("", before.everywhere(), after.everywhere())
	if a, b := before.ProvisionalDays, after.ProvisionalDays; a != b {
		list = append(list, Difference{"", "provisional_days", "", strconv.Itoa(a), strconv.Itoa(b), b > a})
	}
	if a, b := before.months(), after.months(); a != b {
		list = append(list, Difference{"", "verified_months", "", strconv.Itoa(a), strconv.Itoa(b), b > a})
	}
	for _, r := range [][3]string{{"told", before.told(), after.told()}, {"look", before.look(), after.look()}, {"unverified", before.unverified(), after.unverified()}} {
		if a, b := r[1], r[2]; a != b {
			list = append(list, Difference{"", r[0], "", a, b, worse(outcomes[a], outcomes[b]) == outcomes[a]})
		}
	}
	codes := maps.Clone(before.Programmes)
	if codes == nil {
		codes = map[string]Own{}
	}
	maps.Copy(codes, after.Programmes)
	everywhere := len(list)
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		compare(code, before.of(code), after.of(code))
	}
	// What is the same as everywhere is told once.
	same := slices.Clone(list[:everywhere])
	return append(list[:everywhere:everywhere], slices.DeleteFunc(list[everywhere:], func(d Difference) bool {
		d.Programme = ""
		return slices.Contains(same, d)
	})...)
}

func (p Policy) everywhere() Own { return Own{p.Person, p.Household, p.Threshold} }

// of is what counts in a programme.
func (p Policy) of(code string) Own {
	own := p.Programmes[code]
	both := func(all, more []string) []string {
		list := slices.Concat(all, more)
		slices.Sort(list)
		return slices.Compact(list)
	}
	return Own{both(p.Person, own.Person), both(p.Household, own.Household), cmp.Or(own.Threshold, p.Threshold)}
}
