package compile

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"aidpass/schemas"
)

// A Problem is one thing wrong with the values of a credential to be.
type Problem struct {
	Claim string // empty when it is about the claims as a whole
	What  string // never repeats the value: errors are logged, values are about people
}

// Invalid lists everything wrong with the values, in the order of the claims' names.
type Invalid struct{ Problems []Problem }

func (e *Invalid) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.What
		if p.Claim != "" {
			parts[i] = "claim \"" + p.Claim + "\": " + p.What
		}
	}
	return "schemas: " + strings.Join(parts, "; ")
}

// A Validator checks claim values against a type file. Many goroutines may use it.
type Validator struct {
	Type   *schemas.Type
	schema *jsonschema.Schema
}

// NewValidator compiles a type file once for many checks.
func NewValidator(file []byte) (*Validator, error) {
	schema, t, err := compile(file)
	if err != nil {
		return nil, err
	}
	return &Validator{t, schema}, nil
}

// Validate checks values, as for Validator.Check, against the type file t was
// compiled from. For more than one credential make a Validator.
func Validate(t *schemas.Type, file []byte, values map[string]any) error {
	v, err := NewValidator(file)
	if err != nil {
		return err
	}
	if v.Type.VCT != t.VCT {
		return refuse("", "the file is of vct %q, not %q", v.Type.VCT, t.VCT)
	}
	return v.Check(values)
}

// Check takes claim values by name, in any form schemas.Claim.Parse takes, and
// returns nil or *Invalid with every problem there is.
func (v *Validator) Check(values map[string]any) error {
	var problems []Problem
	instance := map[string]any{}
	for name, value := range values {
		c := v.Type.Claim(name)
		if c == nil {
			problems = append(problems, Problem{name, "not a claim of the type " + v.Type.Name})
			continue
		}
		parsed, err := c.Parse(value)
		var wrong *schemas.ValueError
		if errors.As(err, &wrong) {
			problems = append(problems, Problem{name, wrong.Problem})
			continue
		}
		if parsed != nil {
			instance[name] = forJSON(parsed)
		}
	}
	var failed *jsonschema.ValidationError
	if err := v.schema.Validate(instance); errors.As(err, &failed) {
		problems = flatten(problems, failed, values)
	}
	if len(problems) == 0 {
		return nil
	}
	slices.SortFunc(problems, func(a, b Problem) int {
		return strings.Compare(a.Claim+"\x00"+a.What, b.Claim+"\x00"+b.What)
	})
	return &Invalid{slices.Compact(problems)}
}

// forJSON turns what Parse returned into what a JSON Schema looks at.
func forJSON(v any) any {
	switch v := v.(type) {
	case []byte:
		return base64.RawURLEncoding.EncodeToString(v)
	case []int64:
		list := make([]any, len(v))
		for i, n := range v {
			list[i] = n
		}
		return list
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list
	}
	return v
}

// flatten turns the tree of a failed validation into one problem a leaf.
func flatten(problems []Problem, e *jsonschema.ValidationError, given map[string]any) []Problem {
	claim := ""
	if len(e.InstanceLocation) > 0 {
		claim = e.InstanceLocation[0]
	}
	switch k := e.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		// The branches only say what each of them would have wanted.
		return append(problems, Problem{claim, "want " + wanted(e)})
	case *kind.Required:
		for _, name := range k.Missing {
			what, at := "missing", name
			if claim != "" {
				what, at = "part "+name+" is missing", claim
			} else if v, here := given[name]; here && v != nil && v != "" {
				continue // it is there and was reported for what is wrong with it
			}
			problems = append(problems, Problem{at, what})
		}
		return problems
	}
	if len(e.Causes) == 0 {
		return append(problems, Problem{claim, what(e.ErrorKind)})
	}
	for _, cause := range e.Causes {
		problems = flatten(problems, cause, given)
	}
	return problems
}

// wanted names what would satisfy a choice.
func wanted(e *jsonschema.ValidationError) string {
	var names []string
	for _, cause := range e.Causes {
		if k, ok := cause.ErrorKind.(*kind.Required); ok {
			names = append(names, k.Missing...)
		}
	}
	if len(names) == 0 {
		return "exactly one of the forms that the type allows"
	}
	return "one of " + strings.Join(names, ", ")
}

// what says a rule in words, without the value.
func what(k jsonschema.ErrorKind) string {
	switch k.(type) {
	case *kind.Type:
		return "of another kind than the type says"
	case *kind.Enum, *kind.Const:
		return "not one of the allowed values"
	case *kind.Pattern:
		return "not written as the type says"
	case *kind.Format:
		return "not a real date or address of its kind"
	case *kind.MinLength, *kind.MinItems:
		return "too short"
	case *kind.MaxLength, *kind.MaxItems:
		return "too long"
	case *kind.Minimum:
		return "too small"
	case *kind.Maximum:
		return "too large"
	case *kind.UniqueItems:
		return "says one thing twice"
	case *kind.AdditionalProperties:
		return "has a part the type does not know"
	case *kind.DependentRequired, *kind.Dependency:
		return "lacks a part that another part needs"
	}
	if path := k.KeywordPath(); len(path) > 0 {
		return "breaks the rule " + path[0]
	}
	return "does not fit the type"
}
