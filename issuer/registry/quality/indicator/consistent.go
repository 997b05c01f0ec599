package indicator

import (
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
)

// Codes of what does not fit together.
const (
	CodeHeadGone     = "head_not_member"
	CodeTwoHomes     = "person_in_two"
	CodePregnantMale = "pregnant_male"
	CodePregnantAge  = "pregnant_age"
	CodeResidence    = "residence_origin"
)

// consistency: what is known fits together (K).
var consistency = []Definition{
	{
		ID: "DQ-19", Version: 1, Dimension: "K", Of: Households, Fields: []string{"head", "members"}, Figures: good(99, 97),
		Codes: []string{registry.HouseholdHeadAge, registry.HouseholdSpouse, registry.HouseholdChild},
		watch: func(r *run, c *counter) watch {
			return watch{house: func(h *house) {
				if len(h.people) > 0 {
					c.look(h.row, h.issue(registry.HouseholdHeadAge, registry.HouseholdSpouse, registry.HouseholdChild))
				}
			}}
		},
	},
	{
		ID: "DQ-20", Version: 1, Dimension: "K", Of: Households, Fields: []string{"head", "focal_point", "members"}, Figures: good(99.5, 98),
		Codes: []string{registry.HouseholdHeads, registry.HouseholdNoHead, registry.HouseholdFocal, CodeHeadGone, CodeTwoHomes},
		watch: func(r *run, c *counter) watch {
			home := map[int32]int32{}
			return watch{house: func(h *house) {
				if len(h.people) == 0 {
					return
				}
				d := h.issue(registry.HouseholdHeads, registry.HouseholdNoHead, registry.HouseholdFocal)
				named := slices.ContainsFunc(h.people, func(s *subject) bool { return s.id.String() == h.Head })
				if h.Head != "" && !named {
					d = Defect{Field: "head", Code: CodeHeadGone}
				}
				for _, s := range h.people {
					if other, ok := home[s.row]; ok && other != h.row {
						d = Defect{Field: "members", Code: CodeTwoHomes, Extra: s.id.String()}
					}
					home[s.row] = h.row
				}
				c.look(h.row, d)
			}}
		},
	},
	{
		ID: "DQ-21", Version: 1, Dimension: "K", Of: Values, Fields: []string{"sex", "birth", "residence", "bands"}, Figures: good(99.5, 98),
		Codes: []string{CodePregnantMale, CodePregnantAge, CodeResidence, registry.HouseholdBands},
		watch: func(r *run, c *counter) watch {
			return watch{
				person: func(s *subject) {
					if s.Ext["pregnant"] != "yes" {
						return
					}
					d := Defect{Field: "sex", Code: when(s.Sex == registry.Male, CodePregnantMale)}
					if d.Code == "" && s.Birth != nil {
						asOf := r.at // she was pregnant when that was asked
						if t, err := time.Parse(time.DateOnly, s.Registered); err == nil {
							asOf = t
						}
						if least, most, known := s.Birth.Age(asOf); known && (most < 10 || least > 55) {
							d = Defect{Field: "birth", Code: CodePregnantAge}
						}
					}
					c.look(s.row, d)
				},
				house: func(h *house) {
					if h.Residence != "" && h.Origin != "" && h.Location != nil && h.Location.Country != "" {
						abroad := h.Origin != h.Location.Country
						odd := h.Residence == "REFUGEE" && !abroad || h.Residence == "IDP" && abroad
						c.look(h.row, Defect{Field: "residence", Code: when(odd, CodeResidence)})
					}
					if len(h.Bands) > 0 && h.Size > 0 {
						c.look(h.row, h.issue(registry.HouseholdBands))
					}
				},
			}
		},
	},
}

// issue is the first of some codes that package registry finds; no Code: none.
func (h *house) issue(codes ...string) (d Defect) {
	var more []string
	for _, i := range h.issues {
		switch {
		case !slices.Contains(codes, i.Code):
		case d.Code == "":
			d = Defect{Field: i.Field, Code: i.Code}
		default:
			more = append(more, i.Code)
		}
	}
	d.Extra = strings.Join(more, " ")
	return d
}
