package compile

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
)

// Limits of a type file. The embedded ones are about 20 KiB.
const (
	MaxFile    = 256 << 10
	maxDepth   = 12
	maxPattern = 256
)

// readJSON reads one JSON value, strictly: no member twice (encoding/json would
// take the last), nothing after it, not deeper than maxDepth. Numbers stay as
// they are written.
func readJSON(b []byte) (any, error) {
	if len(b) > MaxFile {
		return nil, refuse("", "larger than %d bytes", MaxFile)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	doc, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, refuse("", "something follows the JSON value")
	}
	return doc, nil
}

func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, refuse("", "nested deeper than %d", maxDepth)
	}
	tok, err := d.Token()
	if err != nil {
		return nil, refuse("", "not JSON near byte %d", d.InputOffset())
	}
	switch tok {
	case json.Delim('{'):
		m := map[string]any{}
		for d.More() {
			key, err := d.Token()
			name, ok := key.(string)
			if err != nil || !ok {
				return nil, refuse("", "not JSON near byte %d", d.InputOffset())
			}
			if _, twice := m[name]; twice {
				return nil, refuse("", "member %.40q stands twice in one object", name)
			}
			if m[name], err = readValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		if _, err := d.Token(); err != nil {
			return nil, refuse("", "not JSON near byte %d", d.InputOffset())
		}
		return m, nil
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		if _, err := d.Token(); err != nil {
			return nil, refuse("", "not JSON near byte %d", d.InputOffset())
		}
		return list, nil
	}
	// A number such as 1e999999999 is short to write and long to compute with.
	if n, ok := tok.(json.Number); ok && (len(n) > 20 || bytes.ContainsAny([]byte(n), "eE")) {
		return nil, refuse("", "a number is longer than 20 digits or has an exponent")
	}
	return tok, nil
}

// The members a type file may have. Everything else is refused: a misspelt
// keyword would silently allow what it was meant to forbid, and $ref, $dynamicRef
// and the like would reach outside the file.
var (
	anySchema = []string{"type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "items", "minItems", "maxItems",
		"uniqueItems", "properties", "required", "additionalProperties", "dependentRequired", "contentEncoding", "title", "description", "$comment", "anyOf", "oneOf", "allOf", "not"}
	rootOnly   = []string{"$schema", "$id", "x-aidpass"}
	typeNotes  = []string{"name", "version", "label", "description", "gate", "held_by", "valid_days", "max_days", "fresh_days", "grace_days", "answers", "live", "ends_with_round", "roles"}
	roleNotes  = []string{"programme", "round", "rounds", "site", "size_band", "from", "to"}
	claimNotes = []string{"kind", "card", "key", "sensitivity", "disclosure", "purpose", "retention", "bytes", "never_on_card", "label", "description", "values"}
)

// checkShape refuses files whose members are not those of a type file. Names
// are compared exactly; encoding/json would also take other letter cases.
func checkShape(doc any) error {
	root, ok := doc.(map[string]any)
	if !ok {
		return refuse("", "not a JSON object")
	}
	if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		return refuse("", `"$schema" must be "https://json-schema.org/draft/2020-12/schema"`)
	}
	if err := only("", root, slices.Concat(anySchema, rootOnly)); err != nil {
		return err
	}
	note, ok := root["x-aidpass"].(map[string]any)
	if !ok {
		return refuse("", `"x-aidpass" is missing`)
	}
	if err := only("", note, typeNotes); err != nil {
		return err
	}
	if roles, ok := note["roles"].(map[string]any); ok {
		if err := only("", roles, roleNotes); err != nil {
			return err
		}
	}
	properties, ok := root["properties"].(map[string]any)
	if !ok {
		return refuse("", `"properties" is missing`)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		schema, ok := properties[name].(map[string]any)
		if !ok {
			return refuse(name, "is not an object")
		}
		note, ok := schema["x-aidpass"].(map[string]any)
		if !ok {
			return refuse(name, `"x-aidpass" is missing`)
		}
		if err := only(name, note, claimNotes); err != nil {
			return err
		}
		if err := checkSchema(name, schema, "x-aidpass"); err != nil {
			return err
		}
	}
	for _, keyword := range []string{"anyOf", "oneOf", "allOf", "not"} {
		if err := checkBranches("", root[keyword]); err != nil {
			return err
		}
	}
	return nil
}

func only(claim string, object map[string]any, names []string) error {
	for name := range object {
		if !slices.Contains(names, name) {
			return refuse(claim, "member %.40q is not one a type file has; it stands alone and refers to nothing", name)
		}
	}
	return nil
}

// checkSchema looks through a schema inside a claim.
func checkSchema(claim string, schema map[string]any, also ...string) error {
	if err := only(claim, schema, slices.Concat(anySchema, also)); err != nil {
		return err
	}
	if p, ok := schema["pattern"].(string); ok && len(p) > maxPattern {
		return refuse(claim, "a pattern is longer than %d bytes", maxPattern)
	}
	if inner, ok := schema["properties"].(map[string]any); ok {
		for _, v := range inner {
			if err := checkBranches(claim, v); err != nil {
				return err
			}
		}
	}
	for _, keyword := range []string{"items", "anyOf", "oneOf", "allOf", "not"} {
		if err := checkBranches(claim, schema[keyword]); err != nil {
			return err
		}
	}
	return nil
}

// checkBranches takes a schema, a list of schemas, or what is neither and left
// to the metaschema.
func checkBranches(claim string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		return checkSchema(claim, v)
	case []any:
		for _, e := range v {
			if err := checkBranches(claim, e); err != nil {
				return err
			}
		}
	}
	return nil
}
