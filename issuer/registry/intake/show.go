package intake

import (
	"strings"

	"aidpass/issuer/registry/roster"
)

// Shown is one column as a person confirms it.
type Shown struct {
	Table   string   `json:"table"`
	Role    Role     `json:"role"`
	Column  string   `json:"column"`
	Letter  string   `json:"letter,omitempty"`
	Label   string   `json:"label,omitempty"`
	Field   Field    `json:"field"`
	Order   Order    `json:"order,omitempty"`
	Sure    int      `json:"sure"` // per cent
	Samples []string `json:"samples,omitempty"`
}

// shownSamples and shownBytes bound what Show repeats of a column.
const (
	shownSamples = 3
	shownBytes   = 40
)

// Show tells what each column becomes, with up to three values that stand in it:
// the samples are people's data, for the eyes of whoever confirms the plan.
func (p *Plan) Show(file *roster.File) ([]Shown, error) {
	var list []Shown
	for _, table := range file.Tables() {
		t := p.table(table.Name)
		if t == nil {
			continue
		}
		s, err := look(file, table)
		if err != nil {
			return nil, err
		}
		for _, c := range table.Columns {
			plan := t.find(c.Name)
			if plan == nil {
				continue
			}
			list = append(list, Shown{
				Table: t.Name, Role: t.Role, Column: c.Name, Letter: c.Letter, Label: plan.Label, Field: plan.Field, Order: plan.Order,
				Sure: plan.Sure, Samples: different(s.cells[c.Name]),
			})
		}
	}
	return list, nil
}

// different takes the first few values that are not alike.
func different(values []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, v := range values {
		v = short(v)
		if !seen[v] && len(out) < shownSamples {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// short is a value on one line, cut where it is long.
func short(v string) string {
	v = strings.Join(strings.Fields(v), " ")
	if len(v) <= shownBytes {
		return v
	}
	cut := shownBytes
	for cut > 0 && v[cut]&0xc0 == 0x80 {
		cut--
	}
	return v[:cut] + "…"
}
