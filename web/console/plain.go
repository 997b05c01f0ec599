package console

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// plain is data of a page as programs read it: structs as objects, whose members are named
// by their json tags, or else by their Go names in snake_case; times in RFC 3339, null where
// there is none; bytes in base64url, hashes in hexadecimal; words of a page without markup.
func plain(v any) (any, error) { return plainValue(reflect.ValueOf(v), 0) }

// maxDepth is how deep data of a page is at most: what is deeper goes round in a circle.
const maxDepth = 24

var (
	timeType   = reflect.TypeFor[time.Time]()
	htmlType   = reflect.TypeFor[template.HTML]()
	pagingType = reflect.TypeFor[Paging]()
	jsonType   = reflect.TypeFor[json.RawMessage]()
)

func plainValue(v reflect.Value, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("console: data of a page goes round in a circle")
	}
	if !v.IsValid() {
		return nil, nil
	}
	switch v.Type() {
	case timeType:
		if at := v.Interface().(time.Time); !at.IsZero() {
			return at.UTC().Format(time.RFC3339Nano), nil
		}
		return nil, nil
	case htmlType:
		return text(template.HTML(v.String())), nil
	case pagingType:
		g := v.Interface().(Paging)
		return map[string]any{"page": g.Page, "size": g.Size, "total": g.Total}, nil
	case jsonType:
		return v.Interface(), nil
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint(), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.String:
		return v.String(), nil
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		return plainValue(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		return plainList(v, depth)
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			if k.Kind() != reflect.String {
				return nil, fmt.Errorf("console: a map of pages has keys of type %s", k.Type())
			}
			member, err := plainValue(v.MapIndex(k), depth+1)
			if err != nil {
				return nil, err
			}
			out[k.String()] = member
		}
		return out, nil
	case reflect.Struct:
		out := map[string]any{}
		return out, plainStruct(v, out, depth)
	}
	return nil, fmt.Errorf("console: programs cannot read a %s", v.Type())
}

func plainList(v reflect.Value, depth int) (any, error) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		if v.Kind() == reflect.Array {
			return hex.EncodeToString(b), nil
		}
		return base64.RawURLEncoding.EncodeToString(b), nil
	}
	out := make([]any, v.Len())
	for i := range out {
		member, err := plainValue(v.Index(i), depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = member
	}
	return out, nil
}

func plainStruct(v reflect.Value, out map[string]any, depth int) error {
	return eachMember(v.Type(), func(name string, f reflect.StructField, flat bool) error {
		m := v.FieldByIndex(f.Index)
		if flat {
			for m.Kind() == reflect.Pointer {
				if m.IsNil() {
					return nil
				}
				m = m.Elem()
			}
			return plainStruct(m, out, depth+1)
		}
		member, err := plainValue(m, depth+1)
		if err != nil {
			return fmt.Errorf("%w, in %s.%s", err, v.Type(), f.Name)
		}
		out[name] = member
		return nil
	})
}

// eachMember visits what of a struct programs see. flat: a struct that is part of it.
func eachMember(t reflect.Type, visit func(name string, f reflect.StructField, flat bool) error) error {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		flat := f.Anonymous && name == "" && inner.Kind() == reflect.Struct
		if name == "-" || !f.IsExported() && !flat {
			continue
		}
		if name == "" {
			name = snake(f.Name)
		}
		if err := visit(name, f, flat); err != nil {
			return err
		}
	}
	return nil
}

// snake is a Go name as members of objects are called: HasTOTP is has_totp.
func snake(name string) string {
	var b strings.Builder
	r := []rune(name)
	for i, c := range r {
		if i > 0 && unicode.IsUpper(c) && (!unicode.IsUpper(r[i-1]) || i+1 < len(r) && unicode.IsLower(r[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

var tag = regexp.MustCompile(`<[^>]*>`)

// text is what words of a page say, without their markup.
func text(h template.HTML) string { return html.UnescapeString(tag.ReplaceAllString(string(h), "")) }

// maxMembers bounds how many members an object of a request has, with those of its lists.
const maxMembers = 20_000

// parseObject reads one JSON object as a form: members are texts, numbers, true or false,
// or lists of those; a null is no value. A name that comes twice is refused.
func parseObject(body []byte) (Form, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	bad := errors.New("console: a body is one JSON object of texts and lists of texts")
	next := func() (json.Token, error) { return d.Token() }
	if t, err := next(); err != nil || t != json.Delim('{') || !utf8.Valid(body) {
		return nil, bad
	}
	form, count := Form{}, 0
	value := func(name string, t json.Token) error {
		if count++; count > maxMembers {
			return bad
		}
		switch t := t.(type) {
		case string:
			form[name] = append(form[name], t)
		case json.Number:
			form[name] = append(form[name], t.String())
		case bool:
			form[name] = append(form[name], strconv.FormatBool(t))
		case nil:
		default:
			return bad
		}
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := next()
		name, ok := t.(string)
		if err != nil || !ok || seen[name] {
			return nil, bad
		}
		seen[name] = true
		if t, err = next(); err != nil {
			return nil, bad
		}
		if t != json.Delim('[') {
			if err := value(name, t); err != nil {
				return nil, err
			}
			continue
		}
		for d.More() {
			if t, err = next(); err != nil || t == nil {
				return nil, bad
			}
			if err := value(name, t); err != nil {
				return nil, err
			}
		}
		if _, err := next(); err != nil { // the end of the list
			return nil, bad
		}
	}
	if _, err := next(); err != nil {
		return nil, bad
	}
	if _, err := next(); err != io.EOF { // something after the object
		return nil, bad
	}
	return form, nil
}
