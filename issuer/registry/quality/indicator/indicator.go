// Package indicator measures how good a register is: 31 indicators, each defined once, and
// each a count of what is wrong among what was looked at, with the list of it.
//
// One pass over the register counts all of them, by area, site, clerk, session, batch and
// month at once. What is kept are counts: a figure of a district is made from the counts of
// its places, never from their percentages, and nothing of nothing is no figure at all ("n/a",
// never 100). A list of defects names records, fields and rules, and no value of a record.
//
// DOMAIN.md 5 and A7 to A9, A24 to A31. What a field must be is for package quality, whose
// policy is the one source of what is required; what a value may be, for package registry.
package indicator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"aidpass/issuer/registry/quality"
)

// A Unit is what a figure is in.
type Unit string

// The units.
const (
	Percent Unit = "percent"
	Days    Unit = "days"
	Hours   Unit = "hours"
	Index   Unit = "index"
)

// Population says what an indicator looks at.
type Population string

// The populations. Persons and households are the active ones (DOMAIN.md A31); fields,
// values and names are those of their records.
const (
	Persons       Population = "persons"
	Households    Population = "households"
	Values        Population = "values"
	Cards         Population = "cards"
	Deliveries    Population = "deliveries"
	Presentations Population = "presentations"
	Requests      Population = "requests"
	Rechecked     Population = "rechecked"
)

// A Definition is an indicator: what it counts, and from where it is good. Its name and what
// it says in words stand under the keys quality.dqNN.name and quality.dqNN.is of Words.
type Definition struct {
	ID        string     `json:"id"`      // DQ-01 to DQ-31
	Version   int        `json:"version"` // of the definition; a later one is another measure
	Dimension string     `json:"dimension"`
	Of        Population `json:"population"`
	// Figures are what it says: the first is the indicator's own, others stand beside it.
	Figures []Figure `json:"figures"`
	// Fields are those at which a defect is mended, and Codes what its list may say is wrong.
	Fields []string `json:"fields,omitempty"`
	Codes  []string `json:"codes"`

	watch func(*run, *counter) watch
	needs func(*Options) string // why it cannot be measured here, empty: it can
}

// A Figure is one number of an indicator.
type Figure struct {
	Name  string  `json:"name,omitempty"` // empty: the indicator's own
	Unit  Unit    `json:"unit"`
	Less  bool    `json:"less,omitempty"` // little of it is good
	Green float64 `json:"green"`
	Amber float64 `json:"amber"`
	value func(Tally) (float64, bool)
}

// State is what a figure is called.
type State string

// The states.
const (
	Green State = "green"
	Amber State = "amber"
	Red   State = "red"
	NA    State = "na" // nothing to measure, or too little
)

// Judge returns the state of a value.
func (f *Figure) Judge(v float64) State {
	if f.Less {
		v = -v
		switch {
		case v >= -f.Green:
			return Green
		case v >= -f.Amber:
			return Amber
		}
		return Red
	}
	switch {
	case v >= f.Green:
		return Green
	case v >= f.Amber:
		return Amber
	}
	return Red
}

// Key is the beginning of the keys of its words: quality.dq01.
func (d *Definition) Key() string {
	return "quality." + strings.ToLower(strings.ReplaceAll(d.ID, "-", ""))
}

// Mark tells this definition with what the policy says of it from another: a change of it
// is shown in histories, since figures before and after are not of one thing.
func (d *Definition) Mark(p quality.Policy) string {
	own := map[string]any{}
	switch d.ID {
	case "DQ-01", "DQ-02", "DQ-03":
		own["person"], own["household"] = p.Person, p.Household
	case "DQ-04":
		own["photo"] = p.Measured.Photo
	case "DQ-07":
		own["purposes"] = p.Measured.Purposes
	case "DQ-10":
		own["level"] = p.Measured.PlaceLevel
	case "DQ-17":
		own["account_columns"] = p.Measured.AccountColumns
	case "DQ-23":
		own["half_lives"] = p.Measured.HalfLives
	}
	b, _ := json.Marshal([]any{d.ID, d.Version, own}) // of plain values
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%d-%s", d.Version, hex.EncodeToString(sum[:4]))
}

// Definitions are the 31 in their order, with the thresholds of a policy.
func Definitions(p quality.Policy) []Definition {
	all := slices.Concat(completeness, validity, uniqueness, consistency, timeliness, accuracy, process)
	for i := range all {
		d := &all[i]
		d.Figures = slices.Clone(d.Figures)
		for k := range d.Figures {
			f := &d.Figures[k]
			if own, ok := p.Measured.Thresholds[strings.TrimSpace(d.ID+" "+f.Name)]; ok {
				f.Green, f.Amber = own.Green, own.Amber
			}
		}
	}
	return all
}

// Find returns the definition of an id, as DQ-07, dq7 or 7.
func Find(p quality.Policy, id string) (Definition, bool) {
	id = strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(id), "dq"), "-"), "0")
	for _, d := range Definitions(p) {
		if id != "" && strings.TrimLeft(d.ID[3:], "0") == id {
			return d, true
		}
	}
	return Definition{}, false
}

// good and bad are the figure of most indicators: the share that is right, or that is wrong.
func good(green, amber float64) []Figure {
	return []Figure{{Unit: Percent, Green: green, Amber: amber, value: right("")}}
}

func bad(green, amber float64) []Figure {
	return []Figure{{Unit: Percent, Less: true, Green: green, Amber: amber, value: wrong("")}}
}
