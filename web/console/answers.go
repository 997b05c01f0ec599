package console

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// What a [Route]'s Answer is besides the zero value of what its handler gives to Show:
// [Members] of that, [Sends] a file or a stream, or one [Either] of several. Where it is
// nil, a POST ends by Done or Go; one with the fields of [ConfirmFields] shows first what
// it would do.

type (
	members struct {
		of    any
		names []string
	}
	sends  []string
	either []any
)

// Members is data of a page of which a program is told these members alone: one type
// serves several pages.
func Members(of any, names ...string) any { return members{of, names} }

// Sends is a file, or a stream of events, of one of these media types.
func Sends(types ...string) any { return sends(types) }

// Either is one of several answers.
func Either(answers ...any) any { return either(answers) }

// Acted is how an act ends that may also answer in another way.
var Acted any = doneAnswer{}

// Media types.
const (
	jsonMedia  = "application/json"
	octets     = "application/octet-stream"
	xlsxMedia  = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	eventMedia = "text/event-stream" // news that a page is told
)

// answers are all that a route answers.
func (r *Route) answers() []any {
	switch a := r.Answer.(type) {
	case either:
		return a
	case nil:
		if r.Method != http.MethodPost {
			return nil
		}
		if slices.ContainsFunc(r.Form, func(f Field) bool { return f.Name == "step" }) {
			return []any{doneAnswer{}, dryAnswer{}}
		}
		return []any{doneAnswer{}}
	}
	return []any{r.Answer}
}

// given is the one of a route's answers that v is; false: v is none of them.
func (r *Route) given(v any) (any, bool) {
	for _, a := range r.answers() {
		switch a := a.(type) {
		case sends:
			if s, ok := v.(sends); ok && len(s) == 1 && slices.Contains(a, s[0]) {
				return a, true
			}
		case members:
			if reflect.TypeOf(a.of) == reflect.TypeOf(v) {
				return a, true
			}
		default:
			if reflect.TypeOf(a) == reflect.TypeOf(v) {
				return a, true
			}
		}
	}
	return nil, false
}

// gives tells the tests what a handler answers.
func (p *Page) gives(v any) {
	if p.console.gave != nil {
		p.console.gave(&p.Route, v)
	}
}

// dataForPrograms is data of a page as programs get them.
func dataForPrograms(data any) any {
	if d, ok := data.(forProgram); ok {
		return d.Programs()
	}
	return data
}

// only leaves of an object the members that the route's answer names.
func (r *Route) only(data, plain any) any {
	a, _ := r.given(data)
	m, ok := a.(members)
	all, is := plain.(map[string]any)
	if !ok || !is {
		return plain
	}
	some := map[string]any{}
	for _, name := range m.names {
		some[name] = all[name]
	}
	return some
}

// checkAnswer says what is wrong with a row's Answer.
func (r *Route) checkAnswer() error {
	for _, a := range r.answers() {
		m, ok := a.(members)
		if !ok {
			continue
		}
		properties, _ := schemaOf(reflect.TypeOf(m.of), 0)["properties"].(map[string]any)
		for _, name := range m.names {
			if properties[name] == nil {
				return fmt.Errorf("console: the route %q answers with %q, which %T does not have", r.Method+" "+r.Path, name, m.of)
			}
		}
	}
	return nil
}

// contents are a route's answers by media type, as schemas.
func (r *Route) contents() (types []string, schemas map[string]any) {
	schemas = map[string]any{}
	add := func(kind string, schema any) {
		if !slices.Contains(types, kind) {
			types = append(types, kind)
		}
		have, _ := schemas[kind].([]any)
		schemas[kind] = append(have, schema)
	}
	for _, a := range r.answers() {
		switch a := a.(type) {
		case sends:
			for _, kind := range a {
				kind, _, _ = strings.Cut(kind, ";")
				add(kind, map[string]any{})
			}
		case doneAnswer:
			add(jsonMedia, map[string]any{"$ref": "#/components/schemas/done"})
		case dryAnswer:
			add(jsonMedia, map[string]any{"$ref": "#/components/schemas/dry_run"})
		case members:
			all, some := schemaOf(reflect.TypeOf(a.of), 0)["properties"].(map[string]any), map[string]any{}
			for _, name := range a.names {
				some[name] = all[name]
			}
			add(jsonMedia, map[string]any{"type": "object", "properties": some, "required": a.names, "additionalProperties": false})
		default:
			add(jsonMedia, schemaOf(reflect.TypeOf(a), 0))
		}
	}
	for kind, list := range schemas {
		if one := list.([]any); len(one) == 1 {
			schemas[kind] = one[0]
		} else {
			schemas[kind] = map[string]any{"anyOf": one}
		}
	}
	return types, schemas
}
