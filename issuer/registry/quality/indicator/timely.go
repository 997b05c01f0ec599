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
		watch: func(r *run, c *counter) watch {
			met := 0
			return watch{
				person: func(s *subject) {
					last, ok := s.lastMet()
					if ok {
						met++
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
				na: func() string { return when(met == 0, "no_contacts") },
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
			look := func(at int32, rec registry.Record, asked string, ext map[string]string, met time.Time) {
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
					if met.After(since) {
						since = met
					}
					c.look(at, Defect{Field: field, Code: when(since.AddDate(0, lives[field], 0).Before(r.at), CodeStale), order: since.Unix()})
				}
			}
			return watch{
				person: func(s *subject) {
					met, _ := s.lastMet()
					look(s.row, s.record, s.Registered, s.Ext, met)
				},
				house: func(h *house) {
					met, _ := latest(h.met)
					look(h.row, h.record, h.Registered, h.Ext, met)
				},
			}
		},
	},
	{
		ID: "DQ-24", Version: 2, Dimension: "T", Of: Persons, Codes: []string{CodeLate},
		Figures: []Figure{{Unit: Hours, Less: true, Green: 72, Amber: 168, value: lagScale.quantile(0.95)}, {Name: "median", Unit: Hours, Less: true, Green: 72, Amber: 168, value: lagScale.quantile(0.5)}},
		watch: func(r *run, c *counter) watch {
			seen := 0
			look := func(at int32, from, known time.Time, extra string) {
				hours := known.Sub(from).Hours()
				if seen++; hours < 0 {
					hours = 0 // the clock of a device
				}
				c.add(lagScale.slot(int(math.Ceil(hours))), at, Count{Of: 1})
				c.look(at, Defect{Code: when(hours > lateHours, CodeLate), Extra: extra, order: -int64(hours)})
			}
			all := func(at int32, rec registry.Record, met []registry.Met, ext map[string]string) {
				for _, m := range met {
					if !m.Known.IsZero() { // it was on an offline list
						from := m.At
						if registry.DayAlone(from) { // no hour is known: what is left of the day is no delay
							from = from.AddDate(0, 0, 1)
						}
						look(at, from, m.Known, m.Exercise)
					}
				}
				if ended, ok := formEnded(ext); ok && rec.Source != "" && !rec.CreatedAt.IsZero() {
					look(at, ended, rec.CreatedAt, "")
				}
			}
			return watch{
				person: func(s *subject) { all(s.row, s.record, s.met, s.Ext) },
				house:  func(h *house) { all(h.row, h.record, h.met, h.Ext) },
				na:     func() string { return when(seen == 0, "no_lags") },
			}
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

// formEnded is when the form was ended on a device that a list's row came from, by the columns
// that ODK and KoBo fill in by themselves.
func formEnded(ext map[string]string) (time.Time, bool) {
	for _, column := range []string{"end", "_submission_time"} {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
			if at, err := time.Parse(layout, strings.TrimSpace(ext[column])); err == nil {
				return at.UTC(), true
			}
		}
	}
	return time.Time{}, false
}
