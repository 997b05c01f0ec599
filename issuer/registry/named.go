package registry

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// NamedIn returns the households a person is or was a member of whose record, as
// it is or ever was, holds one of her names, numbers or contacts: lists tell of the
// head in the household's own columns. It is sealed under the household's key, so
// erasing her does not reach it. She is asked for before she is erased.
func NamedIn(v View, person ID) (found []ID, err error) {
	_, p, err := readPerson(v, person)
	if err != nil {
		return nil, err
	}
	own, err := v.History(person)
	if err != nil {
		return nil, fmt.Errorf("registry: person %s: %w", person, err)
	}
	texts := p.tellingTexts()
	for _, c := range own {
		if c.Field != "unit.household" || c.Data == nil {
			continue
		}
		said, _ := ReadValue(c.Data)
		text, _ := said.(string)
		household, err := ParseID(text)
		if err != nil || slices.Contains(found, household) {
			continue
		}
		changes, err := v.History(household)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("registry: household %s: %w", household, err)
		}
		if slices.ContainsFunc(changes, func(c FieldChange) bool { return says(c.Data, texts) }) {
			found = append(found, household)
		}
	}
	return found, nil
}

// tellingTexts are what tells who she is, in lower case.
func (p *Person) tellingTexts() (texts [][]byte) {
	add := func(s string) {
		if len(s) > 3 { // less is in everything
			texts = append(texts, bytes.ToLower([]byte(s)))
		}
	}
	for _, n := range p.Names {
		add(n.Text)
	}
	for _, d := range p.Documents {
		add(d.Number)
	}
	for _, c := range p.Contacts {
		add(c.Value)
	}
	return texts
}

func says(value []byte, texts [][]byte) bool {
	value = bytes.ToLower(value)
	return slices.ContainsFunc(texts, func(t []byte) bool { return bytes.Contains(value, t) })
}
