package indicator

import "strconv"

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
		ID: "DQ-31", Version: 1, Dimension: "P", Of: Requests, Codes: []string{CodeOverride, CodeProvisional, CodeNoCard},
		Figures: []Figure{{Unit: Percent, Green: 95, Amber: 90, value: right("")}, {Name: "overrides", Unit: Percent, Less: true, Green: 1, Amber: 3, value: wrong("overrides")}},
		needs:   func(o *Options) string { return when(o.Beside.Asked == nil, "no_requests") },
		watch: func(r *run, c *counter) watch {
			code := map[Outcome]string{Plain: "", Provisional: CodeProvisional, Overridden: CodeOverride, Refused: CodeNoCard}
			return watch{end: func() error {
				return r.opt.Beside.Asked(func(q Request) error {
					at := r.byID[q.Unit]
					c.look(at, Defect{Record: q.Unit, Code: code[q.Outcome], Extra: q.ID})
					n := Count{Of: 1}
					if q.Outcome == Overridden {
						n.Bad = 1
					}
					c.add("overrides", at, n)
					return nil
				})
			}}
		},
	},
}
