package indicator

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Codes of what may not be true.
const (
	CodeDefault = "birth_default_day"
	CodeClerk   = "clerk_unusual"
)

// accuracy: what is known is so (A).
var accuracy = []Definition{
	{
		ID: "DQ-26", Version: 1, Dimension: "A", Of: Persons, Fields: []string{"birth"}, Codes: []string{CodeDefault},
		Figures: []Figure{{Unit: Percent, Less: true, Green: 3, Amber: 8, value: excess}, {Name: "whipple", Unit: Index, Less: true, Green: 110, Amber: 125, value: whipple}},
		watch: func(r *run, c *counter) watch {
			return watch{person: func(s *subject) {
				b := s.Birth
				if b == nil || b.EDTF == "" {
					return
				}
				filled := b.ImportDefault || strings.HasSuffix(b.EDTF, "-01-01") || strings.HasSuffix(b.EDTF, "-07-01")
				c.look(s.row, Defect{Field: "birth", Code: when(filled, CodeDefault)})
				if b.AgeDeclared >= 23 && b.AgeDeclared <= 62 {
					n := Count{Of: 1}
					if b.AgeDeclared%5 == 0 {
						n.Bad = 1
					}
					c.add("ages", s.row, n)
				}
			}}
		},
	},
	{
		ID: "DQ-27", Version: 1, Dimension: "A", Of: Rechecked, Codes: []string{"not-found", "different"},
		Figures: []Figure{{Unit: Percent, Green: 95, Amber: 90, value: wilson}},
		needs:   func(o *Options) string { return when(o.Beside.Rechecked == nil, "no_rechecks") },
		watch: func(r *run, c *counter) watch {
			return watch{end: func() error {
				return r.opt.Beside.Rechecked(func(k Recheck) error {
					if at, ok := r.rowOf(k.Unit); ok {
						c.look(at, Defect{Record: k.Unit, Code: k.Wrong, Extra: k.ID, hidden: k.Hidden})
					}
					return nil
				})
			}}
		},
	},
	{
		ID: "DQ-28", Version: 1, Dimension: "A", Of: Persons, Codes: []string{CodeClerk}, Figures: bad(1, 3),
		watch: func(r *run, c *counter) watch {
			work := map[string]*clerkWork{}
			return watch{
				person: func(s *subject) {
					by := s.record.EnteredBy()
					w := work[by]
					if w == nil {
						w = &clerkWork{by: by, values: map[string]int{}}
						work[by] = w
					}
					w.take(r, s)
				},
				end: func() error {
					odd := unusual(work)
					for by, w := range work {
						for _, at := range w.rows {
							c.look(at, Defect{Code: when(odd[by] != "", CodeClerk), Extra: strings.TrimSpace(by + " " + odd[by])})
						}
					}
					return nil
				},
			}
		},
	},
}

// Bounds of DQ-28.
const (
	leastOfClerk = 30              // records, below which nothing is said of a clerk
	leastPeers   = 5               // clerks with as many
	mostMAD      = 4               // median absolute deviations from the peers' median
	leastMAD     = 0.02            // below it everybody's work is alike, and a hair would be unusual
	shortForm    = 2 * time.Minute // less from one person to the next is no conversation
)

// clerkWork is what the records of one account have in common.
type clerkWork struct {
	by     string
	rows   []int32
	at     []int64 // seconds in which she entered somebody
	values map[string]int
	photos []same
	copied int
}

func (w *clerkWork) take(r *run, s *subject) {
	w.rows = append(w.rows, s.row)
	if s.record.Source == "" { // a list comes in at once
		w.at = append(w.at, s.record.CreatedAt.Unix())
	}
	for _, v := range [...][2]string{{"sex", s.Sex}, {"origin", s.Origin}, {"assurance", s.Assurance}} {
		if v[1] != "" {
			w.values[v[0]+"="+v[1]]++
		}
	}
	if len(s.Photo) > 0 {
		w.photos = append(w.photos, same{hash: r.hash(string(s.Photo)), row: s.row})
	}
}

// shares are what is compared among clerks: forms of under two minutes, the value that
// is always the same, photos that are there twice.
func (w *clerkWork) shares() map[string]float64 {
	n := float64(len(w.rows))
	out := map[string]float64{}
	slices.Sort(w.at)
	fast := 0
	for i := 1; i < len(w.at); i++ {
		if gap := w.at[i] - w.at[i-1]; gap < int64(shortForm.Seconds()) {
			fast++
		}
	}
	out["fast"] = float64(fast) / n
	for _, most := range []string{"sex", "origin", "assurance"} {
		best := 0
		for v, k := range w.values {
			if strings.HasPrefix(v, most+"=") {
				best = max(best, k)
			}
		}
		out["same_"+most] = float64(best) / n
	}
	alike(w.photos, func(group []same) {
		if len(group) > 1 {
			w.copied += len(group)
		}
	})
	out["photos"] = float64(w.copied) / n
	return out
}

// unusual returns the clerks whose shares lie far above their peers', and which of them.
func unusual(work map[string]*clerkWork) map[string]string {
	shares := map[string]map[string]float64{}
	for by, w := range work {
		if by != "" && len(w.rows) >= leastOfClerk {
			shares[by] = w.shares()
		}
	}
	odd := map[string]string{}
	if len(shares) < leastPeers {
		return odd
	}
	for _, what := range []string{"fast", "same_sex", "same_origin", "same_assurance", "photos"} {
		var all []float64
		for _, s := range shares {
			all = append(all, s[what])
		}
		middle := median(all)
		var far []float64
		for _, x := range all {
			far = append(far, math.Abs(x-middle))
		}
		mad := max(median(far), leastMAD)
		for by, s := range shares {
			if s[what]-middle > mostMAD*mad {
				odd[by] = strings.TrimSpace(odd[by] + " " + what + "=" + strconv.Itoa(int(math.Round(100*s[what]))))
			}
		}
	}
	return odd
}

func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	if n == 0 {
		return 0
	}
	return (list[(n-1)/2] + list[n/2]) / 2
}
