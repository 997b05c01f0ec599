// Package compile reads credential type files and says why one may not exist.
//
// A type file is a JSON Schema (2020-12) whose root and properties carry
// annotations under "x-aidpass"; the five in the folder above are the examples.
// Compile turns a file into a schemas.Type and refuses, naming the claim, what
// must never be on a card. A Validator checks claim values against the schema.
//
// A type file stands alone: it fetches nothing and refers to nothing, so a file
// from a stranger can do no more than be refused.
package compile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"aidpass/schemas"
)

// A Refusal is a type file that is not accepted.
type Refusal struct {
	Claim string // the claim at fault; empty when it is the file or the type
	Rule  string // the rule it breaks, as a sentence a file's author can act on
}

func (r *Refusal) Error() string {
	if r.Claim == "" {
		return "schemas: type file refused: " + r.Rule
	}
	return fmt.Sprintf("schemas: type file refused: claim %q: %s", r.Claim, r.Rule)
}

func refuse(claim, format string, args ...any) error {
	return &Refusal{claim, fmt.Sprintf(format, args...)}
}

// File is Compile for the file at path.
func File(path string) (*schemas.Type, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("schemas: type file: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("schemas: type file: %w", err)
	}
	return Compile(b)
}

// typeNote is "x-aidpass" at the root of a type file.
type typeNote struct {
	Name        string            `json:"name"`
	Version     int               `json:"version"`
	Label       map[string]string `json:"label"`
	Description map[string]string `json:"description"`
	Gate        []string          `json:"gate"`
	HeldBy      []string          `json:"held_by"`
	ValidDays   int64             `json:"valid_days"`
	MaxDays     int64             `json:"max_days"`   // 0: as valid_days
	FreshDays   int64             `json:"fresh_days"` // 0: not checked
	GraceDays   int               `json:"grace_days"`
	Answers     string            `json:"answers"` // give, known
	Live        string            `json:"live"`    // "", any, challenge
	OneRound    bool              `json:"ends_with_round"`
	Roles       struct {
		Programme string `json:"programme"`
		Round     string `json:"round"`
		Rounds    string `json:"rounds"`
		Site      string `json:"site"`
		SizeBand  string `json:"size_band"`
		From      string `json:"from"`
		To        string `json:"to"`
	} `json:"roles"`
}

// claimNote is "x-aidpass" of one property.
type claimNote struct {
	Kind        string                       `json:"kind"`
	Card        string                       `json:"card"` // plain, sealed, never
	Key         int64                        `json:"key"`
	Sensitivity *int                         `json:"sensitivity"`
	Disclosure  string                       `json:"disclosure"` // always, allowed, never
	Purpose     string                       `json:"purpose"`
	Retention   string                       `json:"retention"`
	Bytes       int                          `json:"bytes"`         // bytes: their number
	Barred      []string                     `json:"never_on_card"` // enum: values that no card carries
	Label       map[string]string            `json:"label"`
	Description map[string]string            `json:"description"`
	Values      map[string]map[string]string `json:"values"` // enum: language, value, label
}

// property is what the compiler reads of a property's own schema.
type property struct {
	Type                 string    `json:"type"`
	Enum                 []string  `json:"enum"`
	Format               string    `json:"format"`
	ContentEncoding      string    `json:"contentEncoding"`
	MinLength            int       `json:"minLength"`
	MaxLength            int       `json:"maxLength"`
	Minimum              *int      `json:"minimum"`
	Maximum              int       `json:"maximum"`
	MinItems             int       `json:"minItems"`
	MaxItems             int       `json:"maxItems"`
	Items                *property `json:"items"`
	AdditionalProperties *bool     `json:"additionalProperties"`
	Note                 claimNote `json:"x-aidpass"`
}

type file struct {
	ID         string              `json:"$id"`
	Type       string              `json:"type"`
	Properties map[string]property `json:"properties"`
	Required   []string            `json:"required"`
	OneOf      []struct {
		Required []string `json:"required"`
	} `json:"oneOf"`
	AdditionalProperties *bool    `json:"additionalProperties"`
	Note                 typeNote `json:"x-aidpass"`
}

// Compile reads a type file. It returns a *Refusal for a file that is not one,
// and for a type that breaks the rules of what a card may carry (DOMAIN 8.1;
// forbidden.go). It reads b alone: no file, no network.
func Compile(b []byte) (*schemas.Type, error) {
	_, t, err := compile(b)
	return t, err
}

// compile also returns the schema, for a Validator.
func compile(b []byte) (*jsonschema.Schema, *schemas.Type, error) {
	doc, err := readJSON(b)
	if err != nil {
		return nil, nil, err
	}
	if err := checkShape(doc); err != nil {
		return nil, nil, err
	}
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, nil, refuse("", "%s is not %s", wrong.Field, wrong.Type)
		}
		return nil, nil, refuse("", "cannot be read as a type file")
	}
	t, err := f.toType()
	if err != nil {
		return nil, nil, err
	}
	if err := mayExist(t); err != nil {
		return nil, nil, err
	}
	if _, err := schemas.NewSet(t); err != nil {
		var unsound *schemas.UnsoundError
		if errors.As(err, &unsound) {
			return nil, nil, refuse(unsound.Claim, "%s", unsound.Problem)
		}
		return nil, nil, refuse("", "%v", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(nothing{})
	if err := c.AddResource(f.ID, doc); err != nil {
		return nil, nil, refuse("", "not a JSON Schema: %v", err)
	}
	schema, err := c.Compile(f.ID)
	if err != nil {
		return nil, nil, refuse("", "not a JSON Schema (2020-12): %s", firstLines(err))
	}
	return schema, t, nil
}

// nothing loads nothing: whatever a schema refers to is refused, not fetched.
type nothing struct{}

func (nothing) Load(url string) (any, error) {
	return nil, fmt.Errorf("a type file stands alone")
}

func firstLines(err error) string {
	s := err.Error()
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}

const day = 86400

func (f *file) toType() (*schemas.Type, error) {
	n := &f.Note
	if f.Type != "object" || f.AdditionalProperties == nil || *f.AdditionalProperties {
		return nil, refuse("", `the root must have "type": "object" and "additionalProperties": false`)
	}
	t := &schemas.Type{
		Name: n.Name, VCT: f.ID, Version: n.Version, Labels: n.Label, Descriptions: n.Description,
		Gate: n.Gate, HeldBy: n.HeldBy, GraceDays: n.GraceDays, Live: n.Live, OneRound: n.OneRound,
		ProgrammeClaim: n.Roles.Programme, RoundClaim: n.Roles.Round, RoundsClaim: n.Roles.Rounds, SiteClaim: n.Roles.Site,
		SizeBandClaim: n.Roles.SizeBand, FromClaim: n.Roles.From, ToClaim: n.Roles.To,
	}
	if t.Labels["en"] == "" {
		return nil, refuse("", "label in English is missing")
	}
	if n.MaxDays == 0 {
		n.MaxDays = n.ValidDays
	}
	// Checked before they become seconds, so that none can overflow.
	if n.ValidDays < 1 || n.MaxDays < n.ValidDays || n.MaxDays > schemas.MaxValidity/day {
		return nil, refuse("", "valid_days and max_days must be 1 to %d, in that order", schemas.MaxValidity/day)
	}
	if n.FreshDays < 0 || n.FreshDays > schemas.MaxFreshness/day {
		return nil, refuse("", "fresh_days must be 0 (not checked) to %d", schemas.MaxFreshness/day)
	}
	t.Validity, t.MaxValidity, t.Freshness = n.ValidDays*day, n.MaxDays*day, n.FreshDays*day
	switch n.Answers {
	case "give":
	case "known":
		t.IsRegistration = true
	default:
		return nil, refuse("", `answers must be "give" or "known"`)
	}
	if len(n.HeldBy) == 0 {
		return nil, refuse("", "held_by must say who may hold it: subject, caregiver, alternate")
	}
	if len(f.Properties) > schemas.MaxClaims {
		return nil, refuse("", "more than %d claims", schemas.MaxClaims)
	}
	for _, one := range f.OneOf {
		if len(one.Required) != 1 {
			return nil, refuse("", `oneOf at the root may only be a list of {"required": [one claim]}`)
		}
		t.OneOf = append(t.OneOf, one.Required[0])
	}
	for _, name := range slices.Sorted(maps.Keys(f.Properties)) { // in order, so that the same file gets the same refusal
		p := f.Properties[name]
		c, err := p.toClaim(name)
		if err != nil {
			return nil, err
		}
		c.Required = slices.Contains(f.Required, name)
		t.Claims = append(t.Claims, c)
	}
	t.Sort()
	for _, name := range f.Required {
		if t.Claim(name) == nil {
			return nil, refuse(name, "is required and is no claim")
		}
	}
	return t, nil
}

var (
	placements  = map[string]schemas.Placement{"plain": schemas.Plain, "sealed": schemas.Sealed, "never": schemas.Never}
	disclosures = map[string]schemas.Disclosure{"always": schemas.DiscloseAlways, "allowed": schemas.DiscloseAllowed, "never": schemas.DiscloseNever}
)

func (p *property) toClaim(name string) (schemas.Claim, error) {
	n := &p.Note
	c := schemas.Claim{Name: name, Key: n.Key, Kind: schemas.KindByName(n.Kind), Purpose: n.Purpose, Retention: n.Retention,
		Labels: n.Label, Descriptions: n.Description}
	var placed, disclosed bool
	c.Placement, placed = placements[n.Card]
	c.Disclosure, disclosed = disclosures[n.Disclosure]
	switch {
	case !placed:
		return c, refuse(name, `card must be "plain", "sealed" or "never"`)
	case !disclosed:
		return c, refuse(name, `disclosure must be "always", "allowed" or "never"`)
	case n.Sensitivity == nil:
		return c, refuse(name, "sensitivity (0 to 3) is missing")
	case n.Bytes != 0 && c.Kind != schemas.KindBytes, len(n.Barred)+len(n.Values) > 0 && c.Kind != schemas.KindEnum:
		return c, refuse(name, "bytes, never_on_card and values are for the kinds bytes and enum")
	}
	c.Sensitivity = *n.Sensitivity
	fits := false
	switch c.Kind {
	case schemas.KindInt:
		fits = p.Type == "integer"
		c.Min, c.Max = deref(p.Minimum), p.Maximum
	case schemas.KindCode, schemas.KindText:
		fits = p.Type == "string" && p.Enum == nil
		c.Min, c.Max = p.MinLength, p.MaxLength
	case schemas.KindBool:
		fits = p.Type == "boolean"
	case schemas.KindBytes:
		fits = p.Type == "string" && p.ContentEncoding == "base64url" && n.Bytes > 0
		c.Min, c.Max = n.Bytes, n.Bytes
	case schemas.KindEnum:
		fits = p.Type == "string" && len(p.Enum) > 0
		if err := p.enumInto(&c); err != nil {
			return c, err
		}
	case schemas.KindDate:
		fits = p.Type == "string" && p.Format == "date"
	case schemas.KindRange:
		fits = p.Type == "array" && p.Items != nil && p.Items.Type == "integer" && p.MinItems == 2 && p.MaxItems == 2
		if fits {
			c.Min, c.Max = deref(p.Items.Minimum), p.Items.Maximum
		}
	case schemas.KindCodes:
		fits = p.Type == "array" && p.Items != nil && p.Items.Type == "string" && p.MinItems == 1
		if fits {
			c.Max, c.Item = p.MaxItems, p.Items.MaxLength
		}
	case schemas.KindInts:
		fits = p.Type == "array" && p.Items != nil && p.Items.Type == "integer" && p.MinItems == 1
		if fits {
			c.Max, c.Item = p.MaxItems, p.Items.Maximum
		}
	case schemas.KindBenefit:
		fits = p.Type == "object" && p.AdditionalProperties != nil && !*p.AdditionalProperties
	default:
		return c, refuse(name, "kind is none of int, code, text, bool, bytes, enum, date, range, codes, ints, benefit")
	}
	if !fits {
		return c, refuse(name, "its JSON Schema does not fit the kind %q", n.Kind)
	}
	return c, nil
}

func deref(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// enumInto divides the values into those a card can say and those it never does.
func (p *property) enumInto(c *schemas.Claim) error {
	n := &p.Note
	for _, v := range n.Barred {
		if !slices.Contains(p.Enum, v) {
			return refuse(c.Name, "never_on_card names %q, which is not in enum", v)
		}
	}
	for _, v := range p.Enum {
		if slices.Contains(n.Barred, v) {
			c.Barred = append(c.Barred, v)
		} else {
			c.Values = append(c.Values, v)
		}
	}
	for lang, labels := range n.Values {
		for v := range labels {
			if !slices.Contains(p.Enum, v) {
				return refuse(c.Name, "values has a label for %q, which is not in enum", v)
			}
		}
		list := make([]string, len(c.Values))
		for i, v := range c.Values {
			if list[i] = labels[v]; list[i] == "" {
				return refuse(c.Name, "values has no label for %q in language %q", v, lang)
			}
		}
		if c.ValueLabels == nil {
			c.ValueLabels = map[string][]string{}
		}
		c.ValueLabels[lang] = list
	}
	return nil
}
