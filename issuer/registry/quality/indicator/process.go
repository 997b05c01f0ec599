package indicator

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// reasonSlot and giverSlot begin the slots of overrides by their reason and by the account
// that gave it (DQ-31).
const (
	reasonSlot = "reason:"
	giverSlot  = "by:"
)

// A Share is how many of the overrides are of one reason, or one account.
type Share struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Overrides are those of a tally of DQ-31, by reason and by account, most first.
func Overrides(t Tally) (reasons, accounts []Share) {
	of := func(begin string) (list []Share) {
		for _, slot := range slices.Sorted(maps.Keys(t)) {
			if name, ok := strings.CutPrefix(slot, begin); ok {
				list = append(list, Share{name, t[slot].Bad})
			}
		}
		slices.SortStableFunc(list, func(a, b Share) int { return int(b.Count - a.Count) })
		return list
	}
	return of(reasonSlot), of(giverSlot)
}

// Codes of what went wrong at the desk and the table.
const (
	CodeOverride    = "override"
	CodeProvisional = "provisional"
	CodeNoCard      = "refused"
)

// process: what the work comes to (A and P).
var process = []Definition{
	{
		ID: "DQ-29", Version: 1, Dimension: "A", Of: Deliveries, Codes: []string{"unsettled", "despite", "unplanned"},
		Figures: []Figure{{Unit: Percent, Less: true, Green: 0, Amber: 0.1, value: wrong("")}, {Name: "value", Unit: Percent, Less: true, Green: 0, Amber: 0.1, value: mostLost}},
		needs:   func(o *Options) string { return when(o.Beside.Delivered == nil, "no_deliveries") },
		watch: func(r *run, c *counter) watch {
			return watch{end: func() error {
				return r.opt.Beside.Delivered(func(d Delivery) error {
					at := r.byID[d.Unit] // what was given is asked for, also of who is not active now
					c.look(at, Defect{Record: d.Unit, Code: d.Wrong, Extra: d.Programme + "/" + strconv.FormatUint(d.Round, 10)})
					if d.Currency != "" {
						c.add(valueSlot+d.Currency, at, Count{Of: d.Due, Bad: d.Lost})
					}
					return nil
				})
			}}
		},
	},
	{
		ID: "DQ-30", Version: 1, Dimension: "A", Of: Presentations, Codes: []string{"not_this_person", "unreadable", "bad_signature"}, Figures: bad(1, 3),
		needs: func(o *Options) string { return when(o.Beside.Presented == nil, "no_presentations") },
		watch: func(r *run, c *counter) watch {
			return watch{end: func() error {
				return r.opt.Beside.Presented(func(p Presentation) error {
					c.look(r.byID[p.Unit], Defect{Record: p.Unit, Code: p.Wrong, Extra: p.ID})
					return nil
				})
			}}
		},
	},
	{
		ID: "DQ-31", Version: 2, Dimension: "P", Of: Requests, Codes: []string{CodeOverride, CodeProvisional, CodeNoCard},
		Figures: []Figure{{Unit: Percent, Green: 95, Amber: 90, value: right("")}, {Name: "overrides", Unit: Percent, Less: true, Green: 1, Amber: 3, value: wrong("overrides")}},
		needs:   func(o *Options) string { return when(o.Beside.Asked == nil, "no_requests") },
		watch: func(r *run, c *counter) watch {
			code := map[Outcome]string{Plain: "", Provisional: CodeProvisional, Overridden: CodeOverride, Refused: CodeNoCard}
			return watch{end: func() error {
				return r.opt.Beside.Asked(func(q Request) error {
					at := r.byID[q.Unit]
					c.look(at, Defect{Record: q.Unit, Code: code[q.Outcome], Extra: strings.TrimSpace(q.ID + " " + q.Reason + " " + q.By)})
					n := Count{Of: 1}
					if q.Outcome == Overridden {
						n.Bad = 1
						c.add(reasonSlot+q.Reason, at, n)
						c.add(giverSlot+q.By, at, n)
					}
					c.add("overrides", at, n)
					return nil
				})
			}}
		},
	},
}
