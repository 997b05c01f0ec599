package indicator

import (
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// worstField is the indicator whose figure is that of its worst field.
const worstField = "DQ-03"

// Codes of what is missing. Others are those of package registry, intake or quality.
const (
	CodeMissing   = "missing" // a required field
	CodePhoto     = "photo_missing"
	CodeSize      = "size_missing"
	CodeCollector = "collector_missing"
	CodeAlternate = "alternate_missing"
	CodeExpired   = "consent_expired"
	CodeConsent   = "consent_missing"
	CodeRefused   = "notice_refused"
	CodeReach     = "not_reachable"
)

// completeness: what is required is known (C).
var completeness = []Definition{
	{
		ID: "DQ-01", Version: 1, Dimension: "C", Of: Persons, Codes: []string{CodeMissing},
		Figures: []Figure{{Unit: Percent, Green: 95, Amber: 85, value: mean}},
		watch: func(r *run, c *counter) watch {
			return r.factors(func(at int32, f *quality.Factor) {
				if len(f.Gaps) == 0 {
					c.right(at)
					return
				}
				loss := int64(million) * int64(f.Applicable-f.Filled) / int64(f.Applicable)
				c.miss("", at, Count{Of: 1, Bad: 1, Loss: loss}, Defect{Field: f.Missing[0], Code: CodeMissing, Extra: strings.Join(f.Missing, " "), order: -loss})
			})
		},
	},
	{
		ID: "DQ-02", Version: 1, Dimension: "C", Of: Persons, Codes: []string{CodeMissing}, Figures: good(98, 95),
		watch: func(r *run, c *counter) watch {
			return r.factors(func(at int32, f *quality.Factor) {
				if len(f.Gaps) == 0 {
					c.right(at)
					return
				}
				c.wrong(at, Defect{Field: f.Missing[0], Code: CodeMissing, Extra: strings.Join(f.Missing, " ")})
			})
		},
	},
	{
		ID: worstField, Version: 1, Dimension: "C", Of: Values, Codes: []string{CodeMissing},
		Figures: []Figure{{Unit: Percent, Green: 95, Amber: 85, value: worst}},
		watch: func(r *run, c *counter) watch {
			each := func(slot string, at int32, fields []string, f *quality.Factor, applies func(string) bool) {
				for _, field := range fields {
					switch {
					case slices.Contains(f.Missing, field):
						c.miss(slot+field, at, Count{Of: 1, Bad: 1}, Defect{Field: field, Code: CodeMissing})
					case applies(field):
						c.add(slot+field, at, Count{Of: 1})
					}
				}
			}
			required := r.opt.Policy.Required("")
			return watch{
				person: func(s *subject) {
					each(fieldSlot, s.row, required.Person, r.factor(s), func(field string) bool { return field != "relation" || s.house != nil })
				},
				house: func(h *house) {
					if h.counted() {
						each(houseSlot, h.row, required.Household, r.counted(h), func(field string) bool { return field != "members" || h.CollectType != "size_only" })
					}
				},
			}
		},
	},
	{
		ID: "DQ-04", Version: 1, Dimension: "C", Of: Persons, Fields: []string{"photo"}, Codes: []string{CodePhoto}, Figures: good(95, 85),
		needs: func(o *Options) string {
			if !o.Policy.Measured.Photo {
				return "photo_off"
			}
			return ""
		},
		watch: func(r *run, c *counter) watch {
			return watch{person: func(s *subject) {
				if s.Birth == nil {
					return
				}
				if old, decided := s.Birth.AtLeast(5, r.at); !decided || !old {
					return
				}
				c.look(s.row, Defect{Field: "photo", Code: when(len(s.Photo) == 0, CodePhoto)})
			}}
		},
	},
	{
		ID: "DQ-05", Version: 1, Dimension: "C", Of: Households, Fields: []string{"size"}, Codes: []string{registry.HouseholdMembers, CodeSize}, Figures: good(97, 90),
		watch: func(r *run, c *counter) watch {
			return watch{house: func(h *house) {
				if h.CollectType == "size_only" || h.CollectType == "partial" {
					return
				}
				n := 0
				for _, s := range h.people {
					if s.Relation != registry.NoRelation {
						n++
					}
				}
				switch {
				case h.Size <= 0:
					c.wrong(h.row, Defect{Field: "size", Code: CodeSize})
				default:
					c.look(h.row, Defect{Field: "size", Code: when(n != h.Size, registry.HouseholdMembers)})
				}
			}}
		},
	},
	{
		ID: "DQ-06", Version: 1, Dimension: "C", Of: Households, Fields: []string{"collector"}, Codes: []string{CodeCollector, CodeAlternate}, Figures: good(99, 95),
		watch: func(r *run, c *counter) watch {
			return watch{house: func(h *house) {
				has := func(role string) bool {
					return slices.ContainsFunc(h.Collectors, func(k registry.Collector) bool {
						return k.Role == role && k.Serves(r.at) && (k.Person != "" || !registry.Placeholder(k.External))
					})
				}
				code := when(!has(registry.Primary), CodeCollector)
				if code == "" && h.childHead(r.at) {
					code = when(!has(registry.Alternate), CodeAlternate)
				}
				c.look(h.row, Defect{Field: "collector", Code: code})
			}}
		},
	},
	{
		ID: "DQ-07", Version: 1, Dimension: "C", Of: Persons, Fields: []string{"consent"}, Codes: []string{CodeConsent, CodeExpired, CodeRefused}, Figures: good(100, 99),
		watch: func(r *run, c *counter) watch {
			purposes := r.opt.Policy.Measured.Purposes
			if len(purposes) == 0 {
				purposes = []string{registration}
			}
			return watch{person: func(s *subject) {
				lists := [][]registry.Consent{s.Consents}
				if s.house != nil {
					lists = append(lists, s.house.Consents)
				}
				for _, p := range purposes {
					if code := answer(lists, p, r.today); code != "" {
						c.wrong(s.row, Defect{Field: "consent", Code: code, Extra: p})
						return
					}
				}
				c.right(s.row)
			}}
		},
	},
	{
		ID: "DQ-08", Version: 1, Dimension: "C", Of: Households, Fields: []string{"contacts"}, Codes: []string{CodeReach}, Figures: good(80, 60),
		watch: func(r *run, c *counter) watch {
			return watch{house: func(h *house) {
				reach := reachable(h.Contacts) || slices.ContainsFunc(h.people, func(s *subject) bool { return reachable(s.Contacts) })
				c.look(h.row, Defect{Field: "contacts", Code: when(!reach, CodeReach)})
			}}
		},
	},
}

// registration is the purpose that everybody on record was told of.
const registration = "registration"

func when(yes bool, code string) string {
	if yes {
		return code
	}
	return ""
}

// factors calls each with what is known of every person, and of every household that is
// only counted.
func (r *run) factors(each func(int32, *quality.Factor)) watch {
	ask := func(at int32, f *quality.Factor) {
		if f.Applicable > 0 {
			each(at, f)
		}
	}
	return watch{
		person: func(s *subject) { ask(s.row, r.factor(s)) },
		house: func(h *house) {
			if h.counted() {
				ask(h.row, r.counted(h))
			}
		},
	}
}

func (r *run) factor(s *subject) *quality.Factor {
	if s.known == nil {
		f := quality.Completeness(quality.Unit{ID: s.id, Person: &s.Person, Household: s.home()}, r.opt.Policy.Required(""), r.at)
		s.known = &f
	}
	return s.known
}

func (r *run) counted(h *house) *quality.Factor {
	if h.known == nil {
		u := quality.Unit{ID: h.id, Household: &h.Household}
		for _, s := range h.people {
			u.Members = append(u.Members, quality.Member{ID: s.id, Person: s.Person})
		}
		f := quality.Completeness(u, r.opt.Policy.Required(""), r.at)
		h.known = &f
	}
	return h.known
}

// counted reports whether nobody's details are asked for: the household's own fields are.
func (h *house) counted() bool { return h.CollectType == "size_only" || len(h.people) == 0 }

// head is the member who is head: the one that is named, else the only one by relation.
func (h *house) head() (head *subject) {
	n := 0
	for _, s := range h.people {
		if h.Head != "" && s.id.String() == h.Head {
			return s
		}
		if s.Relation == registry.Head {
			head = s
			n++
		}
	}
	if n > 1 {
		return nil
	}
	return head
}

// childHead reports whether the head is under 18 for certain.
func (h *house) childHead(at time.Time) bool {
	s := h.head()
	if s == nil || s.Birth == nil {
		return false
	}
	adult, decided := s.Birth.Adult(at)
	return decided && !adult
}

// answer says what is wrong with the answer that was given for a purpose: a person's own
// stands above the household's, and the later above the earlier. A "no" is an answer, but
// nobody is registered against it.
func answer(lists [][]registry.Consent, purpose, today string) (code string) {
	code = CodeConsent
	for _, list := range lists {
		for _, c := range slices.Backward(list) {
			switch {
			case c.Purpose != purpose:
			case !c.Given || c.Withdrawn != "":
				return when(purpose == registration, CodeRefused)
			case c.Expires == "" || c.Expires >= today:
				return ""
			default:
				code = CodeExpired
			}
		}
	}
	return code
}

// reachable reports whether somebody can be called or told: an address of mail reaches few.
func reachable(contacts []registry.Contact) bool {
	return slices.ContainsFunc(contacts, func(c registry.Contact) bool {
		switch c.Kind {
		case "phone":
			_, ok := registry.NormalisePhone(c.Value, "")
			return ok
		case "person":
			return !registry.Placeholder(c.Value)
		}
		return false
	})
}
