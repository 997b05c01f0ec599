package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// PhotoField holds the photo's bytes, which are no JSON. A store keeps each under a key of
// its own and destroys that when the photograph goes: see Value.Destroyed.
const PhotoField = "photo"

// Closed reports whether the stored value of the field "status" says that a record is not
// in use any more.
func Closed(status []byte) bool {
	if status == nil {
		return false
	}
	v, err := ReadValue(status)
	said, _ := v.(map[string]any)
	return err == nil && said["state"] == StateClosed
}

// Fields returns the record's fields as they are stored, each one item of
// deterministic CBOR. An empty field is absent.
func (p Person) Fields() (map[string][]byte, error) {
	out, err := fieldsOf(p)
	if err == nil && len(p.Photo) > 0 {
		out[PhotoField], err = AppendValue(nil, p.Photo)
	}
	return out, err
}

// Fields returns the record's fields as they are stored.
func (h Household) Fields() (map[string][]byte, error) { return fieldsOf(h) }

// Person reads the fields of a person's record. A field of a later version of
// this program is left alone.
func (r Record) Person() (p Person, err error) {
	if err := r.into(&p); err != nil {
		return Person{}, err
	}
	if v, ok := r.Fields[PhotoField]; ok && v.Data != nil {
		photo, err := ReadValue(v.Data)
		if err != nil {
			return Person{}, fmt.Errorf("registry: record %s: photo: %w", r.ID, err)
		}
		p.Photo, _ = photo.([]byte)
	}
	return p, nil
}

// HouseholdRecord reads the fields of a household's record.
func (r Record) HouseholdRecord() (h Household, err error) {
	err = r.into(&h)
	return h, err
}

// fieldsOf makes one value of each field of a struct, by its JSON.
func fieldsOf(v any) (map[string][]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	out := make(map[string][]byte, len(all))
	for name, item := range all {
		if out[name], err = AppendValue(nil, whole(item)); err != nil {
			return nil, fmt.Errorf("registry: field %q: %w", name, err)
		}
	}
	return out, nil
}

// whole makes integers of JSON's numbers: a record has no others.
func whole(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		return v.String()
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	}
	return v
}

func (r Record) into(dst any) error {
	all := make(map[string]any, len(r.Fields))
	for name, f := range r.Fields {
		if name == PhotoField || f.Data == nil {
			continue
		}
		v, err := ReadValue(f.Data)
		if err != nil {
			return fmt.Errorf("registry: record %s: field %q: %w", r.ID, name, err)
		}
		all[name] = v
	}
	b, err := json.Marshal(all)
	if err == nil {
		err = json.Unmarshal(b, dst)
	}
	if err != nil {
		return fmt.Errorf("registry: record %s: %w", r.ID, err)
	}
	return nil
}
