package issuer

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"aidpass/internal/cbor"
)

// Values of a roster are kept and hashed as deterministic CBOR, so that the same
// row always has the same bytes.

// maxNesting bounds lists and maps inside each other.
const maxNesting = 8

var valueLimits = cbor.Limits{Depth: maxNesting + 1, Entries: 10_000}

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
			return nil, errors.New("issuer: a text is not UTF-8")
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
			return nil, errors.New("issuer: a number is not finite")
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
			return nil, errors.New("issuer: a value is nested too deep")
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
	return nil, fmt.Errorf("issuer: a value of type %T cannot be kept", v)
}

func appendList[T any](dst []byte, list []T, depth int) (_ []byte, err error) {
	if depth == 0 {
		return nil, errors.New("issuer: a value is nested too deep")
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
		return nil, fmt.Errorf("issuer: stored value: %w", err)
	}
	r := cbor.NewReader(b)
	v := readValue(&r)
	if !r.Done() {
		return nil, fmt.Errorf("issuer: stored value: %w", errors.Join(errors.New("an item of a kind that is not kept"), r.Err()))
	}
	return v, nil
}

// readValue reads one item of bytes that were checked; on a kind that
// AppendValue does not write it leaves the reader short of the end.
func readValue(r *cbor.Reader) any {
	switch r.Kind() {
	case cbor.Null:
		r.Null()
	case cbor.Bool:
		return r.Bool()
	case cbor.Text:
		return string(r.Text())
	case cbor.Bytes:
		return append([]byte{}, r.Bytes()...)
	case cbor.Float:
		return r.Float()
	case cbor.Nint:
		return r.Int()
	case cbor.Uint:
		if v := r.Uint(); v > math.MaxInt64 {
			return v
		} else {
			return int64(v)
		}
	case cbor.Array:
		list := make([]any, r.Array()) // at most as many as there are bytes
		for i := range list {
			list[i] = readValue(r)
		}
		return list
	case cbor.Map:
		n := r.Map()
		m := make(map[string]any, n)
		for range n {
			key := string(r.Text())
			m[key] = readValue(r)
		}
		return m
	}
	return nil
}
