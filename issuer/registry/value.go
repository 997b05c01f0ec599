package registry

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"aidpass/internal/cbor"
)

// Values of a roster are kept and hashed as deterministic CBOR, so that the same
// row always has the same bytes.

// Bounds of a value: lists and maps inside each other, and entries of one.
const (
	maxNesting = 8
	maxEntries = 10_000
)

var (
	valueLimits = cbor.Limits{Depth: maxNesting, Entries: maxEntries}

	errDeep = errors.New("registry: a value is nested too deep")
	errMany = errors.New("registry: a list or map of too many entries")
)

// AppendValue appends a value as one item of deterministic CBOR. It takes what a
// roster row or a claim can hold: nil, bool, string, []byte, integers, floats,
// []string, []int64, []any, and map[string]any of those.
func AppendValue(dst []byte, v any) ([]byte, error) { return appendValue(dst, v, maxNesting) }

func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return cbor.AppendNull(dst), nil
	case bool:
		return cbor.AppendBool(dst, v), nil
	case string:
		if !utf8.ValidString(v) {
			return nil, errors.New("registry: a text is not UTF-8")
		}
		return cbor.AppendText(dst, v), nil
	case []byte:
		return cbor.AppendBytes(dst, v), nil
	case int:
		return cbor.AppendInt(dst, int64(v)), nil
	case int64:
		return cbor.AppendInt(dst, v), nil
	case uint64:
		return cbor.AppendUint(dst, v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errors.New("registry: a number is not finite")
		}
		return cbor.AppendFloat(dst, v), nil
	case []string:
		return appendList(dst, v, depth)
	case []int64:
		return appendList(dst, v, depth)
	case []any:
		return appendList(dst, v, depth)
	case map[string]any:
		if depth == 0 {
			return nil, errDeep
		}
		if len(v) > maxEntries {
			return nil, errMany
		}
		var m cbor.MapBuilder
		for name, item := range v {
			b, err := appendValue(nil, item, depth-1)
			if err != nil {
				return nil, fmt.Errorf("%w (in %q)", err, name)
			}
			m.PutText(name, b)
		}
		return m.Append(dst)
	}
	return nil, fmt.Errorf("registry: a value of type %T cannot be kept", v)
}

func appendList[T any](dst []byte, list []T, depth int) (_ []byte, err error) {
	if depth == 0 {
		return nil, errDeep
	}
	if len(list) > maxEntries {
		return nil, errMany
	}
	dst = cbor.AppendArray(dst, len(list))
	for _, item := range list {
		if dst, err = appendValue(dst, any(item), depth-1); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// ReadValue reads what AppendValue wrote: nil, bool, string, []byte, int64 (a
// number over it is uint64), float64, []any, map[string]any.
func ReadValue(b []byte) (any, error) {
	if err := cbor.CheckDeterministic(b, valueLimits); err != nil {
		return nil, fmt.Errorf("registry: stored value: %w", err)
	}
	r := cbor.NewReader(b)
	v, ok := readValue(&r)
	if !ok || !r.Done() {
		return nil, errors.New("registry: stored value: an item of a kind that is not kept")
	}
	return v, nil
}

// readValue reads one item of bytes that were checked; ok is false for what
// AppendValue does not write.
func readValue(r *cbor.Reader) (v any, ok bool) {
	switch r.Kind() {
	case cbor.Null:
		r.Null()
	case cbor.Bool:
		v = r.Bool()
	case cbor.Text:
		v = string(r.Text())
	case cbor.Bytes:
		v = append([]byte{}, r.Bytes()...)
	case cbor.Float:
		f := r.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false
		}
		v = f
	case cbor.Nint:
		v = r.Int()
	case cbor.Uint:
		u := r.Uint()
		v = u
		if u <= math.MaxInt64 {
			v = int64(u)
		}
	case cbor.Array:
		list := make([]any, r.Array()) // at most as many as there are bytes
		for i := range list {
			if list[i], ok = readValue(r); !ok {
				return nil, false
			}
		}
		v = list
	case cbor.Map:
		n := r.Map()
		m := make(map[string]any, n)
		for range n {
			key := string(r.Text())
			if m[key], ok = readValue(r); !ok {
				return nil, false
			}
		}
		v = m
	default:
		return nil, false
	}
	return v, r.Err() == nil
}
