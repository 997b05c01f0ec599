package indicator

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/issuer/registry"
)

// Codes of values that cannot be.
const (
	CodePlace    = "pcode_unknown"
	CodeShallow  = "pcode_level"
	CodeEnded    = "pcode_ended" // no longer in use, or not yet
	CodeDate     = "date_unreadable"
	CodeFuture   = "date_future"
	CodeOld      = "date_before_1900"
	CodeBefore   = "date_before_event"
	CodePhone    = "phone_invalid"
	CodeShared   = "phone_shared"
	CodeNumber   = "document_pattern"
	CodeCheck    = "document_check_digit"
	CodeAllParts = "name_parts_equal"
)

// mostHomes is how many households may share a telephone (DOMAIN.md 5, DQ-12).
const mostHomes = 5

// validity: what is known can be so (V).
var validity = []Definition{
	{
		ID: "DQ-09", Version: 1, Dimension: "V", Of: Values, Codes: []string{registry.CodeUnknown}, Figures: good(99.5, 98),
		Fields: []string{"sex", "origin", "relation", "documents", "languages", "assurance", "location", "residence", "collect_type", "mechanism"},
		watch: func(r *run, c *counter) watch {
			relation, kind := in(registry.Relations()...), in(registry.DocumentTypes()...)
			one := func(at int32, field, value string, known func(string) bool) {
				if value != "" {
					c.look(at, Defect{Field: field, Code: when(!known(value), registry.CodeUnknown)})
				}
			}
			place := func(at int32, l *registry.Location) {
				if l != nil {
					one(at, "location", l.Country, isCountry)
				}
			}
			return watch{
				person: func(s *subject) {
					one(s.row, "sex", s.Sex, in(registry.Female, registry.Male, registry.Another, registry.NotSaid))
					one(s.row, "origin", s.Origin, isCountry)
					one(s.row, "relation", s.Relation, relation)
					one(s.row, "assurance", s.Assurance, in("declared", "witnessed", "document", "biometric_ref"))
					for _, d := range s.Documents {
						one(s.row, "documents", d.Type, kind)
						one(s.row, "documents", d.Country, isCountry)
					}
					for _, l := range s.Languages {
						one(s.row, "languages", l, func(v string) bool { code, ok := registry.Language(v); return ok && code == v })
					}
					place(s.row, s.Location)
				},
				house: func(h *house) {
					one(h.row, "origin", h.Origin, isCountry)
					one(h.row, "residence", h.Residence, in("IDP", "REFUGEE", "OTHERS_OF_CONCERN", "RETURNEE", "HOST", "NON_HOST"))
					one(h.row, "collect_type", h.CollectType, in("full", "partial", "size_only"))
					place(h.row, h.Location)
				},
				end: func() error {
					return r.dues(func(e registry.Entitlement) error {
						if at, ok := r.rowOf(e.Unit); ok && e.Mechanism != "" {
							known := slices.ContainsFunc(mechanisms, func(m string) bool { return strings.EqualFold(m, e.Mechanism) })
							c.look(at, Defect{Field: "mechanism", Code: when(!known, registry.CodeUnknown), Extra: due(e)})
						}
						return nil
					})
				},
			}
		},
	},
	{
		ID: "DQ-10", Version: 2, Dimension: "V", Of: Values, Fields: []string{"location"}, Codes: []string{CodePlace, CodeEnded, CodeShallow}, Figures: good(99, 95),
		needs: func(o *Options) string {
			if o.Places == nil {
				return "no_places"
			}
			return ""
		},
		watch: func(r *run, c *counter) watch {
			look := func(at int32, l *registry.Location) {
				if l == nil || registry.Placeholder(l.PCode) {
					return
				}
				code, unknown := r.opt.Places.fault(l.PCode, r.today, r.opt.Policy.Measured.PlaceLevel)
				c.look(at, Defect{Field: "location", Code: code, Extra: unknown})
			}
			return watch{
				person: func(s *subject) { look(s.row, s.Location) },
				house:  func(h *house) { look(h.row, h.Location) },
			}
		},
	},
	{
		ID: "DQ-11", Version: 1, Dimension: "V", Of: Values, Fields: []string{"birth", "registered", "consent", "documents", "status", "collector"},
		Codes: []string{CodeDate, CodeFuture, CodeOld, CodeBefore}, Figures: good(99.9, 99),
		watch: func(r *run, c *counter) watch {
			each := func(at int32, dates []dated) {
				for _, d := range dates {
					c.look(at, Defect{Field: d.field, Code: d.wrong(r.at)})
				}
			}
			return watch{
				person: func(s *subject) {
					list := append(consentDates(s.Consents), statusDate(s.Status)...)
					if s.Birth != nil && s.Birth.EDTF != "" {
						list = append(list, dated{field: "birth", text: s.Birth.EDTF, last: s.record.CreatedAt})
					}
					list = append(list, registered(s.Registered, s.Birth, s.record.CreatedAt)...)
					for _, d := range s.Documents {
						if d.Expires != "" {
							list = append(list, dated{field: "documents", text: d.Expires, ahead: true})
						}
					}
					each(s.row, list)
				},
				house: func(h *house) {
					list := append(consentDates(h.Consents), statusDate(h.Status)...)
					list = append(list, registered(h.Registered, nil, h.record.CreatedAt)...)
					for _, k := range h.Collectors {
						for _, d := range []dated{{text: k.From, ahead: true}, {text: k.To, ahead: true}, {text: k.Revoked}} {
							if d.field = "collector"; d.text != "" {
								list = append(list, d)
							}
						}
					}
					each(h.row, list)
				},
			}
		},
	},
	{
		ID: "DQ-12", Version: 1, Dimension: "V", Of: Values, Fields: []string{"contacts"}, Codes: []string{CodePhone, CodeShared}, Figures: good(97, 90),
		watch: func(r *run, c *counter) watch {
			var phones []same
			look := func(at, home int32, contacts []registry.Contact) {
				for i, k := range contacts {
					if k.Kind != "phone" {
						continue
					}
					if e164, ok := registry.NormalisePhone(k.Value, ""); !ok || e164 != k.Value {
						c.wrong(at, Defect{Field: "contacts", Code: CodePhone})
						continue
					}
					phones = append(phones, same{hash: r.hash(k.Value), row: at, home: home, nth: int32(i)})
				}
			}
			return watch{
				person: func(s *subject) {
					home := s.row
					if s.house != nil && s.house.row != 0 {
						home = s.house.row
					}
					look(s.row, home, s.Contacts)
				},
				house: func(h *house) { look(h.row, h.row, h.Contacts) },
				end: func() error {
					alike(phones, func(group []same) {
						homes := map[int32]bool{}
						if len(group) > mostHomes {
							for _, p := range group {
								homes[p.home] = true
							}
						}
						for _, p := range group {
							c.look(p.row, Defect{Field: "contacts", Code: when(len(homes) > mostHomes, CodeShared), Extra: strconv.Itoa(len(homes))})
						}
					})
					return nil
				},
			}
		},
	},
	{
		ID: "DQ-13", Version: 1, Dimension: "V", Of: Values, Fields: []string{"documents"}, Codes: []string{CodeNumber, CodeCheck}, Figures: good(97, 90),
		watch: func(r *run, c *counter) watch {
			return watch{person: func(s *subject) {
				for _, d := range s.Documents {
					if d.Number != "" {
						c.look(s.row, Defect{Field: "documents", Code: numberFault(d)})
					}
				}
			}}
		},
	},
	{
		ID: "DQ-14", Version: 1, Dimension: "V", Of: Values, Fields: []string{"names"}, Figures: good(99, 97),
		Codes: []string{registry.NameEmpty, registry.NameControl, registry.NameTooLong, registry.NameTooShort, registry.NameNoLetters, registry.NamePlaceholder, registry.NamePadding, registry.NameDigits,
			registry.NameSymbols, registry.NameDamaged, registry.NameMixedScript, registry.NameTwoScripts, registry.NameBidi, registry.NameInvisible, registry.NameMarks, registry.NameRepeats, CodeAllParts},
		watch: func(r *run, c *counter) watch {
			return watch{person: func(s *subject) {
				for _, n := range s.Names {
					code := ""
					if _, issues := registry.ParseName(n.Text, n.Type); len(issues) > 0 {
						code = issues[0].Code
					} else if len(n.Parts) > 1 && !slices.ContainsFunc(n.Parts[1:], func(p registry.Part) bool { return registry.Fold(p.Text) != registry.Fold(n.Parts[0].Text) }) {
						code = CodeAllParts
					}
					c.look(s.row, Defect{Field: "names", Code: code})
				}
			}}
		},
	},
}

// mechanisms are how something is handed over (UNICEF HOPE's fourteen).
var mechanisms = []string{"Cash", "Cash by FSP", "Cash over the counter", "Cardless cash withdrawal", "Cheque", "Deposit to Card", "Mobile Money",
	"Pre-paid card", "ATM Card", "Transfer", "Transfer to Account", "Transfer to Digital Wallet", "Voucher", "Referral"}

func in(codes ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(codes, v) }
}

func isCountry(v string) bool {
	code, ok := registry.Country(v)
	return ok && code == v
}

func due(e registry.Entitlement) string { return e.Programme + "/" + strconv.FormatUint(e.Round, 10) }

// A dated is a date of a record, and what bounds it.
type dated struct {
	field, text string
	ahead       bool      // may lie in the future
	last        time.Time // when it was entered; zero: not asked
	first       time.Time // of what it cannot come before; zero: none
}

// wrong says what cannot be. Days are local, and may be tomorrow's here.
func (d *dated) wrong(at time.Time) string {
	first, last, ok := registry.Birth{EDTF: d.text}.Span()
	day := 24 * time.Hour
	switch {
	case !ok:
		return CodeDate
	case first.Year() < registry.OldestYear:
		return CodeOld
	case !d.ahead && first.After(at.Add(day)):
		return CodeFuture
	case !d.last.IsZero() && first.After(d.last.Add(day)), !d.first.IsZero() && last.Before(d.first):
		return CodeBefore
	}
	return ""
}

func consentDates(list []registry.Consent) (dates []dated) {
	for _, c := range list {
		for _, d := range []dated{{text: c.On}, {text: c.Expires, ahead: true}, {text: c.Withdrawn}} {
			if d.field = "consent"; d.text != "" {
				dates = append(dates, d)
			}
		}
	}
	return dates
}

func statusDate(s *registry.Status) []dated {
	if s == nil || s.Date == "" {
		return nil
	}
	return []dated{{field: "status", text: s.Date}}
}

func registered(text string, b *registry.Birth, created time.Time) []dated {
	if text == "" {
		return nil
	}
	d := dated{field: "registered", text: text, last: created}
	if b != nil {
		if first, _, ok := b.Span(); ok && !b.Estimated {
			d.first = first
		}
	}
	return []dated{d}
}
