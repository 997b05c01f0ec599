// Package quality knows what must be known before a card is signed: which fields a
// programme requires, how much of them a record has, and whether that is enough
// for a card, for one that ends soon, or for none yet.
//
// It refuses nobody in silence. Every refusal and every short card comes with what
// to fill in, at which record, and a second person may let it through with a reason.
// What a text means, and what is wrong with one, is for packages registry and
// intake; this one asks whether there is anything, and whether they left a blocking
// issue open.
//
// DOMAIN.md 5 (DQ-01, the seven fields required everywhere) and A24 to A27.
package quality

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// A Policy is what an organisation requires: one file for forms, import, gate and
// figures alike. The zero Policy is none; use Default or ReadPolicy.
type Policy struct {
	Version int `json:"aidpass_required"` // 1
	// Person and Household are the fields required everywhere, of a person and of a
	// household that is only counted.
	Person    []string `json:"person"`
	Household []string `json:"household"`
	// Threshold is the share of required fields under which a card is provisional: over 0, at most 1.
	Threshold float64 `json:"threshold"`
	// ProvisionalDays is how long a provisional card holds: 1 to 90.
	ProvisionalDays int `json:"provisional_days"`
	// OpenDouble says what a possible double that nobody has decided does to a card.
	OpenDouble OpenDouble `json:"open_double,omitzero"`
	// VerifiedMonths is how long after somebody last met or spoke to them a unit counts as
	// verified: 1 to 120; 0: DefaultVerifiedMonths.
	VerifiedMonths int `json:"verified_months,omitempty"`
	// Unverified is what a longer time does to a card; empty: provisional.
	Unverified string `json:"unverified,omitempty"`
	// Programmes require more, by programme code. Nothing required everywhere falls away.
	Programmes map[string]Own `json:"programmes,omitempty"`
	// Measured is how the indicators of package indicator are read; left out: the defaults.
	Measured Measured `json:"indicators,omitzero"`
}

// Own is what one programme requires besides.
type Own struct {
	Person    []string `json:"person,omitempty"`
	Household []string `json:"household,omitempty"`
	Threshold float64  `json:"threshold,omitempty"` // 0: as everywhere
}

// OpenDouble is what a possible double does to a card, by how it stands: note (nothing),
// provisional or refuse. Of several the strictest counts. A pair that was postponed counts
// as it stood before.
type OpenDouble struct {
	Told string `json:"told,omitempty"` // told to be one person; empty: provisional
	Look string `json:"look,omitempty"` // somebody must look; empty: note
}

// UnmarshalJSON also takes one word, which is for both.
func (o *OpenDouble) UnmarshalJSON(b []byte) error {
	var word string
	if json.Unmarshal(b, &word) == nil {
		*o = OpenDouble{word, word}
		return nil
	}
	type plain OpenDouble
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode((*plain)(o)); err != nil {
		return fmt.Errorf(`"open_double" is one of note, provisional and refuse, or {"told": ..., "look": ...}: %w`, err)
	}
	return nil
}

// DefaultVerifiedMonths is that of a policy which does not say (DOMAIN.md A27).
const DefaultVerifiedMonths = 12

// outcomes are what a policy calls them.
var outcomes = map[string]Outcome{"note": Issue, "provisional": Provisional, "refuse": Refuse}

// The rules of a policy that does not say. They refuse nobody: a card of a few days feeds
// whoever waits until somebody has looked.
const (
	usualTold       = "provisional"
	usualLook       = "note"
	usualUnverified = "provisional"
)

// told, look, unverified and months are what counts.
func (p Policy) told() string       { return cmp.Or(p.OpenDouble.Told, usualTold) }
func (p Policy) look() string       { return cmp.Or(p.OpenDouble.Look, usualLook) }
func (p Policy) unverified() string { return cmp.Or(p.Unverified, usualUnverified) }
func (p Policy) months() int        { return cmp.Or(p.VerifiedMonths, DefaultVerifiedMonths) }

// Strict are the names of the rules by which somebody gets no card at all for what can be
// no fault of hers: told, look or unverified. Whoever reads a policy is told of them.
func (p Policy) Strict() (rules []string) {
	for _, r := range [][2]string{{"told", p.told()}, {"look", p.look()}, {"unverified", p.unverified()}} {
		if r[1] == "refuse" {
			rules = append(rules, r[0])
		}
	}
	return rules
}

// MaxPolicyBytes bounds a policy file.
const MaxPolicyBytes = 1 << 20

//go:embed required.json
var embedded []byte

// Default is the policy of an organisation that has not written one: the seven
// fields, 0.9, 30 days.
func Default() Policy {
	p, err := ReadPolicy(embedded)
	if err != nil {
		panic(err) // a test reads it
	}
	return p
}

// ReadPolicy reads a policy file. What it does not know it refuses by name: a field
// misspelt would require nothing.
func ReadPolicy(b []byte) (Policy, error) {
	if len(b) > MaxPolicyBytes {
		return Policy{}, fmt.Errorf("quality: a policy has at most %d bytes", MaxPolicyBytes)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var p Policy
	if err := d.Decode(&p); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return Policy{}, fmt.Errorf("quality: policy, byte %d: %w", syntax.Offset, err)
		}
		return Policy{}, fmt.Errorf("quality: policy: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Policy{}, errors.New("quality: policy: something follows its end")
	}
	return p, p.check()
}

func (p Policy) check() error {
	if p.Version != 1 {
		return fmt.Errorf(`quality: policy: "aidpass_required" is %d; this program reads 1`, p.Version)
	}
	if err := checkFields(`"person"`, p.Person, personFields); err != nil {
		return err
	}
	if err := checkFields(`"household"`, p.Household, householdFields); err != nil {
		return err
	}
	if len(p.Person) == 0 || len(p.Household) == 0 {
		return errors.New(`quality: policy: "person" and "household" each name at least one field; take those of the default`)
	}
	if !(p.Threshold > 0 && p.Threshold <= 1) {
		return fmt.Errorf(`quality: policy: "threshold" is %v; write a share over 0 and at most 1, as 0.9`, p.Threshold)
	}
	if p.ProvisionalDays < 1 || p.ProvisionalDays > 90 {
		return fmt.Errorf(`quality: policy: "provisional_days" is %d; write 1 to 90`, p.ProvisionalDays)
	}
	for _, r := range [][2]string{{`"open_double"`, p.told()}, {`"open_double"`, p.look()}, {`"unverified"`, p.unverified()}} {
		if _, ok := outcomes[r[1]]; !ok {
			return fmt.Errorf(`quality: policy: %s is %q; write note, provisional or refuse`, r[0], r[1])
		}
	}
	if p.VerifiedMonths < 0 || p.VerifiedMonths > 120 {
		return fmt.Errorf(`quality: policy: "verified_months" is %d; write 1 to 120, or leave it out`, p.VerifiedMonths)
	}
	for _, code := range slices.Sorted(maps.Keys(p.Programmes)) {
		own := p.Programmes[code]
		where := fmt.Sprintf("programme %q", code)
		if code == "" || len(code) > 8 {
			return fmt.Errorf("quality: policy: %s: a programme's code has 1 to 8 characters", where)
		}
		if err := checkFields(where+`, "person"`, own.Person, personFields); err != nil {
			return err
		}
		if err := checkFields(where+`, "household"`, own.Household, householdFields); err != nil {
			return err
		}
		if math.IsNaN(own.Threshold) || own.Threshold < 0 || own.Threshold > 1 {
			return fmt.Errorf(`quality: policy: %s: "threshold" is %v; write a share over 0 and at most 1, or leave it out`, where, own.Threshold)
		}
	}
	return p.Measured.check()
}

// checkFields refuses fields that are unknown or named twice.
func checkFields(where string, names []string, known map[string]rule) error {
	for i, name := range names {
		switch column, ext := strings.CutPrefix(name, extPrefix); {
		case name == "photo":
			return fmt.Errorf("quality: policy: %s: a photo is never required", where)
		case ext && column == "", !ext && known[name] == nil:
			return fmt.Errorf("quality: policy: %s: no field %q; there are %s, and %sCOLUMN for a column of the list's own",
				where, name, strings.Join(slices.Sorted(maps.Keys(known)), ", "), extPrefix)
		case slices.Contains(names[:i], name):
			return fmt.Errorf("quality: policy: %s: field %q stands twice", where, name)
		}
	}
	return nil
}

// Required is what a policy asks for one programme.
type Required struct {
	Person    []string // of everyone
	Household []string // of a household that is only counted
	// Both are the fields that the programme adds for households: they are asked of
	// one with members too.
	Both []string
}

// Required returns the fields required for a programme; "" for what is required everywhere.
func (p Policy) Required(programme string) Required {
	own := p.Programmes[programme]
	return Required{Person: union(p.Person, own.Person), Household: union(p.Household, own.Household), Both: own.Household}
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
