package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"aidpass/access"
)

// describe writes docs/openapi-desk.yaml: the table, as programs may use it. Every text in
// it is a JSON string, which is YAML, too (YAML 1.2, 1.3).
func (s *Console) describe() []byte {
	var b strings.Builder
	b.WriteString(openHead)
	var paths []string
	for _, r := range s.routes {
		if r.forPrograms() && !slices.Contains(paths, r.Path) {
			paths = append(paths, r.Path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		b.WriteString("  " + quote(openPath(path)) + ":\n")
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			i := slices.IndexFunc(s.routes, func(r Route) bool { return r.Path == path && r.Method == method && r.forPrograms() })
			if i >= 0 {
				s.routes[i].describe(&b)
			}
		}
	}
	return []byte(b.String())
}

const openHead = `# Made of the table of routes in web/console, which a test holds equal to this file:
# go test ./cmd/aidpass -run TestTheDeskIsDescribed -update writes it anew.
openapi: 3.1.0
info:
  title: aidpass, the desk
  version: "1"
  description: >
    What staff do on the pages at /desk/, done by programs. A token (aidpass account token make) is for single acts
    and never may more than its account may at the moment, nor what a person proves her identity for. The paths are those of the pages; answers are JSON
    because a token came. A POST with an Idempotency-Key has its effect once. Where an act needs a second account, it
    is asked for, and GET /desk/approvals tells what came of it. Where an act on many rows answers with dry_run
    true, nothing was done: send the members of send to post.
    A token may ask ten times a second; then it is answered 429 with Retry-After.
security:
  - token: []
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
  responses:
    problem:
      description: what was wrong, as a code for programs and in words (RFC 9457)
      content:
        application/problem+json:
          schema:
            type: object
            required: [type, title, status, code]
            properties: {type: {type: string}, title: {type: string}, status: {type: integer}, detail: {type: string}, code: {type: string}, request: {type: string}}
  schemas:
    done:
      description: what was done, where its outcome is, and how it is taken back
      type: object
      required: [done, see, undo]
      properties: {done: {type: string}, see: {type: string}, undo: {type: [object, "null"]}}
      additionalProperties: false
    dry_run:
      description: what would be done
      type: object
      required: [dry_run, says, can, cannot, post, send]
      properties: {dry_run: {const: true}, says: {type: string}, can: {type: integer}, cannot: {type: array}, post: {type: string}, send: {type: object}}
      additionalProperties: false
paths:
`

func openPath(path string) string {
	parts := strings.Split(Root+path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and schemas of the program itself
	}
	return string(b)
}

func (r *Route) describe(b *strings.Builder) {
	says := "Every token may ask this."
	if rule, ok := access.RuleOf(r.Act); ok {
		says = fmt.Sprintf("%s Act: %s.", rule.Says, r.Act)
		if rule.FourEyes {
			says += " Asked for, and done when a second account approved it."
		}
	}
	line := func(format string, more ...any) { fmt.Fprintf(b, "      "+format+"\n", more...) }
	fmt.Fprintf(b, "    %s:\n", strings.ToLower(r.Method))
	line("summary: %s", quote(says))
	line("x-act: %s", quote(r.Act))
	var parameters []any
	for _, part := range strings.Split(r.Path, "/") {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parameters = append(parameters, map[string]any{"name": name, "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
		}
	}
	for _, f := range r.queryFields() {
		parameters = append(parameters, map[string]any{"name": f.Name, "in": "query", "schema": f.schema()})
	}
	if r.Method == http.MethodPost {
		parameters = append(parameters, map[string]any{"name": "Idempotency-Key", "in": "header", "schema": map[string]any{"type": "string", "minLength": 1, "maxLength": 255}})
	}
	if len(parameters) > 0 {
		line("parameters:")
		for _, p := range parameters {
			line("  - %s", quote(p))
		}
	}
	if r.Method == http.MethodPost && len(r.Form) > 0 {
		kind := "application/json"
		if r.Files {
			kind = "multipart/form-data"
		}
		properties := map[string]any{}
		for _, f := range r.Form {
			properties[f.Name] = f.schema()
		}
		line("requestBody:")
		line("  content:")
		line("    %s:", kind)
		line("      schema: %s", quote(map[string]any{"type": "object", "additionalProperties": false, "properties": properties}))
	}
	line("responses:")
	line(`  "200":`)
	line("    description: %s", quote("what a page shows, or how the act ended"))
	types, schemas := r.contents()
	line("    content:")
	for _, kind := range types {
		line("      %s:", kind)
		line("        schema: %s", quote(schemas[kind]))
	}
	if slices.ContainsFunc(r.answers(), func(a any) bool { _, dry := a.(dryAnswer); return dry }) {
		line(`  "422":`)
		line("    description: it was confirmed for another number of rows than there are now")
		line("    content:")
		line("      application/json:")
		line(`        schema: {"$ref":"#/components/schemas/dry_run"}`)
	}
	line(`  default: {$ref: "#/components/responses/problem"}`)
}

// schema is what a field takes in JSON.
func (f *Field) schema() map[string]any {
	if f.File {
		return map[string]any{"type": "string", "format": "binary"}
	}
	one := map[string]any{"type": []string{"string", "number", "boolean", "null"}, "maxLength": f.Max}
	if f.Many > 1 {
		return map[string]any{"oneOf": []any{one, map[string]any{"type": "array", "items": map[string]any{"type": []string{"string", "number", "boolean"}, "maxLength": f.Max}, "maxItems": f.Many}}}
	}
	return one
}

// schemaOf is what plain makes of a type.
func schemaOf(t reflect.Type, depth int) map[string]any {
	kind := func(k string) map[string]any { return map[string]any{"type": k} }
	if depth > maxDepth {
		return map[string]any{}
	}
	switch t {
	case timeType:
		return map[string]any{"type": []string{"string", "null"}, "format": "date-time"}
	case htmlType:
		return kind("string")
	case pagingType:
		return map[string]any{"type": "object", "properties": map[string]any{"page": kind("integer"), "size": kind("integer"), "total": kind("integer")}, "required": []string{"page", "size", "total"}}
	}
	switch t.Kind() {
	case reflect.Bool:
		return kind("boolean")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return kind("integer")
	case reflect.Float32, reflect.Float64:
		return kind("number")
	case reflect.String:
		return kind("string")
	case reflect.Pointer:
		return map[string]any{"oneOf": []any{schemaOf(t.Elem(), depth+1), kind("null")}}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return kind("string")
		}
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), depth+1)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), depth+1)}
	case reflect.Struct:
		properties, required := map[string]any{}, []string{}
		structSchema(t, properties, &required, depth)
		return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	}
	return map[string]any{}
}

func structSchema(t reflect.Type, properties map[string]any, required *[]string, depth int) {
	// visit never fails here
	_ = eachMember(t, func(name string, f reflect.StructField, flat bool) error {
		if !flat {
			properties[name] = schemaOf(f.Type, depth+1)
			if !slices.Contains(*required, name) {
				*required = append(*required, name)
			}
			return nil
		}
		inner, behind := f.Type, false
		for inner.Kind() == reflect.Pointer {
			inner, behind = inner.Elem(), true
		}
		var own []string
		structSchema(inner, properties, &own, depth+1)
		if !behind {
			*required = append(*required, own...)
		}
		return nil
	})
}

// An Export is a file with data that leaves the organisation.
type Export struct {
	Reason     string // why: a code or a few words without names; empty is refused
	Agreement  string // under which it is given away; empty: it stays with the organisation
	Rows       int
	Name, Mime string
	Body       []byte
}

var errReason = &Fault{Status: http.StatusForbidden, Word: "fault.reason"}

// Export is Download of data that leaves: only with a reason, and the log tells who took
// it, why, how many rows, and the SHA-256 of the file, before it goes.
func (p *Page) Export(e Export) error {
	if e.Reason == "" {
		return errReason
	}
	entry := access.Entry{Action: "export.make", Object: e.Agreement, Reason: e.Reason, Detail: "route=" + p.Route.Path + " rows=" + strconv.Itoa(e.Rows), Digest: access.HashPayload(e.Body)}
	if err := p.noted(entry); err != nil {
		return err
	}
	return p.Download(e.Name, e.Mime, e.Body)
}

// noted tells the log, before a page shows it, of what was read that is about nobody on record.
func (p *Page) noted(e access.Entry) error {
	return p.console.Door.Store.WriteAccess(p.Context(), p.Actor(), func(tx access.Tx) error { return tx.Audit(e) })
}
