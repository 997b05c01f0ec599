package indicator

import (
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// Codes of what is there twice.
const (
	CodeTwice     = "same_person"
	CodeOpen      = "double_open"
	CodeCollision = "document_shared"
	CodeAccount   = "account_shared"
	CodeCards     = "two_cards"
	CodeReference = "card_reference_shared"
)

// uniqueness: everybody is there once (U).
var uniqueness = []Definition{
	{
		ID: "DQ-15", Version: 1, Dimension: "U", Of: Persons, Fields: []string{"names", "sex", "birth"}, Codes: []string{CodeTwice}, Figures: good(99.5, 98),
		watch: func(r *run, c *counter) watch {
			var people []same
			return watch{
				person: func(s *subject) {
					name := registry.Fold(s.DisplayName())
					if name == "" || s.Birth == nil || s.Birth.EDTF == "" {
						c.right(s.row)
						return
					}
					people = append(people, same{hash: r.hash(name, s.Sex, s.Birth.EDTF), row: s.row})
				},
				end: func() error {
					different := r.different()
					alike(people, func(group []same) {
						for _, a := range group {
							other := slices.IndexFunc(group, func(b same) bool {
								return a.row != b.row && !different[pairOf(r.rows[a.row].id, r.rows[b.row].id)]
							})
							if other < 0 {
								c.right(a.row)
								continue
							}
							c.wrong(a.row, Defect{Field: "names", Code: CodeTwice, Extra: r.rows[group[other].row].id.String()})
						}
					})
					return nil
				},
			}
		},
	},
	{
		ID: "DQ-16", Version: 1, Dimension: "U", Of: Persons, Codes: []string{CodeOpen},
		Figures: []Figure{{Unit: Percent, Less: true, Green: 1, Amber: 3, value: wrong("")}, {Name: "age", Unit: Days, Less: true, Green: 14, Amber: 30, value: ageScale.quantile(0.5)}},
		watch: func(r *run, c *counter) watch {
			open := map[registry.ID][]string{}
			for _, p := range r.pairs {
				if p.Decided == "" {
					open[p.A], open[p.B] = append(open[p.A], p.B.String()), append(open[p.B], p.A.String())
				}
			}
			return watch{
				person: func(s *subject) {
					with := open[s.id]
					slices.Sort(with)
					c.look(s.row, Defect{Code: when(len(with) > 0, CodeOpen), Extra: strings.Join(slices.Compact(with), " ")})
				},
				end: func() error {
					for _, p := range r.pairs {
						at, ok := r.byID[p.A]
						if _, both := r.byID[p.B]; ok && both && p.Decided == "" {
							c.add(ageScale.slot(max(0, int(r.at.Sub(p.Found).Hours()/24))), at, Count{Of: 1})
						}
					}
					return nil
				},
			}
		},
	},
	{
		ID: "DQ-17", Version: 2, Dimension: "U", Of: Persons, Fields: []string{"documents", "ext"}, Codes: []string{CodeCollision, CodeAccount}, Figures: good(99.8, 99),
		watch: func(r *run, c *counter) watch {
			var numbers, accounts []same
			var people []int32
			columns := accountColumns(r.opt.Policy)
			account := func(at, home, nth int32, ext map[string]string, l *registry.Location) {
				country := ""
				if l != nil {
					country = l.Country
				}
				for _, text := range accountsOf(ext, columns, country) {
					accounts = append(accounts, same{hash: r.hash(text), row: at, home: home, nth: nth})
				}
			}
			return watch{
				person: func(s *subject) {
					people = append(people, s.row)
					for _, d := range s.Documents {
						if k := registry.DocumentKey(d); k.Text != "" {
							numbers = append(numbers, same{hash: r.hash(k.Text), row: s.row})
						}
					}
					home, at := s.row, s.Location
					if s.house != nil && s.house.row != 0 {
						if home = s.house.row; at == nil {
							at = s.house.Location
						}
					}
					account(s.row, home, hers, s.Ext, at)
				},
				house: func(h *house) {
					if head := h.payee(); head != nil { // who answers for the household's account
						account(head.row, h.row, theirs, h.Ext, h.Location)
					}
				},
				end: func() error {
					documents, payouts := map[int32]string{}, map[int32]string{}
					alike(numbers, func(group []same) { r.share(documents, group) })
					alike(accounts, func(group []same) { r.share(payouts, group) })
					for _, at := range people {
						d := Defect{Field: "documents", Code: when(documents[at] != "", CodeCollision), Extra: documents[at]}
						if d.Code == "" && payouts[at] != "" {
							d = Defect{Field: "ext", Code: CodeAccount, Extra: payouts[at]}
						}
						c.look(at, d)
					}
					return nil
				},
			}
		},
	},
	{
		ID: "DQ-18", Version: 1, Dimension: "U", Of: Persons, Codes: []string{CodeCards, CodeReference}, Figures: good(100, 99.9),
		needs: func(o *Options) string { return when(o.Beside.Cards == nil, "no_cards") },
		watch: func(r *run, c *counter) watch {
			return watch{end: func() error {
				byKind, byReference := map[string][]Card{}, map[string]registry.ID{}
				holders, wrong := []int32{}, map[int32]Defect{}
				seen := map[int32]bool{}
				err := r.opt.Beside.Cards(func(k Card) error {
					at, ok := r.byID[k.Unit]
					if !ok || !k.Good {
						return nil
					}
					if !seen[at] {
						seen[at] = true
						holders = append(holders, at)
					}
					kind := strings.Join([]string{k.Unit.String(), k.Type, k.Programme, k.Form}, "|")
					for _, other := range byKind[kind] {
						if overlap(other, k) {
							wrong[at] = Defect{Code: CodeCards, Extra: other.ID + " " + k.ID}
						}
					}
					byKind[kind] = append(byKind[kind], k)
					if k.Reference == "" {
						return nil
					}
					if other, ok := byReference[k.Reference]; ok && other != k.Unit {
						wrong[at], wrong[r.byID[other]] = Defect{Code: CodeReference, Extra: other.String()}, Defect{Code: CodeReference, Extra: k.Unit.String()}
					}
					byReference[k.Reference] = k.Unit
					return nil
				})
				for _, at := range holders {
					c.look(at, wrong[at])
				}
				return err
			}}
		},
	},
}

// Whose a payout account is, as same.nth.
const (
	hers   = 0
	theirs = 1 // the household's, which its members may have too
)

// payee is the head of a household, else the first of its members; nil: it has none.
func (h *house) payee() *subject {
	for _, s := range h.people {
		if s.id.String() == h.Head {
			return s
		}
	}
	if len(h.people) > 0 {
		return h.people[0]
	}
	return nil
}

// share finds for each of a group another record with the same thing.
func (r *run) share(with map[int32]string, group []same) {
	for _, a := range group {
		if with[a.row] != "" {
			continue
		}
		other := slices.IndexFunc(group, func(b same) bool {
			return a.row != b.row && (a.home != b.home || a.nth == hers && b.nth == hers)
		})
		if other >= 0 {
			with[a.row] = r.rows[group[other].row].id.String()
		}
	}
}

// overlap reports whether two cards hold for one round.
func overlap(a, b Card) bool {
	all := func(k Card) bool { return k.First == 0 && k.Last == 0 }
	return all(a) || all(b) || a.First <= b.Last && b.First <= a.Last
}

// pairOf names two records, whichever comes first.
func pairOf(a, b registry.ID) [2]registry.ID {
	if slices.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return [2]registry.ID{a, b}
}

// different are the pairs of which people said that they are two.
func (r *run) different() map[[2]registry.ID]bool {
	set := map[[2]registry.ID]bool{}
	for _, p := range r.pairs {
		if p.Decided == "different" {
			set[pairOf(p.A, p.B)] = true
		}
	}
	return set
}
