package indicator

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
)

// Codes of what is late.
const (
	CodeSilent  = "not_verified"
	CodeStale   = "field_old"
	CodeLate    = "entry_late"
	CodeEnding  = "card_ending"
	CodeExpires = "card_expired_shown"
)

const (
	verifiedWithin = 365 * 24 * time.Hour // DQ-22
	endingWithin   = 30 * 24 * time.Hour  // DQ-25
	lateHours      = 168                  // DQ-24: amber ends there
)

// halfLives are months after which a field is old (DOMAIN.md A29).
var halfLives = map[string]int{"location": 6, "contacts": 6, "ext.education": 12, "ext.occupation": 12}

// timeliness: what is known is of today (T).
var timeliness = []Definition{
	{
		ID: "DQ-22", Version: 1, Dimension: "T", Of: Persons, Codes: []string{CodeSilent}, Figures: good(90, 75),
		needs: func(o *Options) string { return when(o.Beside.Contacted == nil, "no_contacts") },
		watch: func(r *run, c *counter) watch {
			var failed error
			return watch{
				person: func(s *subject) {
					last, ok, err := r.opt.Beside.Contacted(s.id)
					if err != nil && failed == nil {
						failed = err
					}
					asked := s.Registered
					if asked == "" && s.house != nil {
						asked = s.house.Registered
					}
					if day, has := day(asked); has && (!ok || day.After(last)) { // somebody spoke with her then
						last, ok = day, true
					}
					c.look(s.row, Defect{Code: when(!ok || r.at.Sub(last) > verifiedWithin, CodeSilent), order: last.Unix()})
				},
				end: func() error { return failed },
			}
		},
	},
	{
		ID: "DQ-23", Version: 1, Dimension: "T", Of: Values, Fields: []string{"location", "contacts", "ext"}, Codes: []string{CodeStale}, Figures: good(80, 60),
		watch: func(r *run, c *counter) watch {
			lives := r.opt.Policy.Measured.HalfLives
			if len(lives) == 0 {
				lives = halfLives
			}
			fields := slices.Sorted(maps.Keys(lives))
			var failed error
			look := func(at int32, rec registry.Record, asked string, ext map[string]string) {
				for _, field := range fields {
					name := field
					if column, own := strings.CutPrefix(field, "ext."); own {
						if registry.Placeholder(ext[column]) {
							continue
						}
						name = "ext"
					}
					v := rec.Fields[name]
					if v.Data == nil {
						continue
					}
					since := v.At
					if told, ok := day(asked); ok && v.Version == 1 && told.Before(since) { // a list is as old as its day of registration
						since = told
					}
					if r.opt.Beside.Contacted != nil {
						last, ok, err := r.opt.Beside.Contacted(rec.ID)
						if err != nil && failed == nil {
							failed = err
						}
						if ok && last.After(since) {
							since = last
						}
					}
					c.look(at, Defect{Field: field, Code: when(since.AddDate(0, lives[field], 0).Before(r.at), CodeStale), order: since.Unix()})
				}
			}
			return watch{
				person: func(s *subject) { look(s.row, s.record, s.Registered, s.Ext) },
				house:  func(h *house) { look(h.row, h.record, h.Registered, h.Ext) },
				end:    func() error { return failed },
			}
		},
	},
	{
		ID: "DQ-24", Version: 1, Dimension: "T", Of: Persons, Codes: []string{CodeLate},
		Figures: []Figure{{Unit: Hours, Less: true, Green: 72, Amber: 168, value: lagScale.quantile(0.95)}, {Name: "median", Unit: Hours, Less: true, Green: 72, Amber: 168, value: lagScale.quantile(0.5)}},
		needs:   func(o *Options) string { return when(o.Beside.Lags == nil, "no_lags") },
		watch: func(r *run, c *counter) watch {
			return watch{end: func() error {
				return r.opt.Beside.Lags(func(l Lag) error {
					at, ok := r.rowOf(l.Unit)
					if !ok {
						return nil
					}
					c.add(lagScale.slot(int(math.Ceil(max(0, l.Hours)))), at, Count{Of: 1})
					c.look(at, Defect{Record: l.Unit, Code: when(l.Hours > lateHours, CodeLate), Extra: l.Device, order: -int64(l.Hours)})
					return nil
				})
			}}
		},
	},
	{
		ID: "DQ-25", Version: 1, Dimension: "T", Of: Cards, Codes: []string{CodeEnding},
		Figures: []Figure{{Unit: Percent, Less: true, Green: 5, Amber: 10, value: wrong("")}, {Name: "presented", Unit: Percent, Less: true, Green: 5, Amber: 10, value: wrong("presented")}},
		needs:   func(o *Options) string { return when(o.Beside.Cards == nil, "no_cards") },
		watch: func(r *run, c *counter) watch {
			return watch{end: func() error {
				open := map[string]bool{}
				err := r.dues(func(e registry.Entitlement) error {
					if e.Status == registry.Planned || e.Status == registry.Granted {
						open[e.Unit.String()+"|"+e.Programme] = true
					}
					return nil
				})
				if err != nil {
					return err
				}
				err = r.opt.Beside.Cards(func(k Card) error {
					at, ok := r.rowOf(k.Unit)
					if !ok || !k.Good {
						return nil
					}
					ending := k.Ends.Before(r.at.Add(endingWithin)) && open[k.Unit.String()+"|"+k.Programme]
					c.look(at, Defect{Record: k.Unit, Code: when(ending, CodeEnding), Extra: k.ID, order: k.Ends.Unix()})
					return nil
				})
				if err != nil || r.opt.Beside.Presented == nil {
					return err
				}
				return r.opt.Beside.Presented(func(p Presentation) error {
					if at, ok := r.rowOf(p.Unit); ok {
						n := Count{Of: 1}
						if p.Expired {
							n.Bad = 1
						}
						c.add("presented", at, n)
					}
					return nil
				})
			}}
		},
	},
}

// day reads a day, or the first of a month or year.
func day(text string) (time.Time, bool) {
	first, _, ok := registry.Birth{EDTF: text}.Span()
	return first, ok
}
