package registry

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// NamedIn returns the households a person is or was a member of that speak of her: whose
// record, as it is or ever was, holds one of her names, numbers or contacts (lists tell of
// the head in the household's own columns), or which she leads, speaks or collects for
// now. It is sealed under the household's key, so erasing her does not reach it. She is
// asked for before she is erased.
func NamedIn(v View, person ID) (found []ID, err error) {
	rec, p, err := readPerson(v, person)
	if err != nil {
		return nil, err
	}
	own, err := v.History(person)
	if err != nil {
		return nil, fmt.Errorf("registry: person %s: %w", person, err)
	}
	var homes []ID
	for _, c := range own {
		if c.Field != "unit.household" || c.Data == nil {
			continue
		}
		said, _ := ReadValue(c.Data)
		text, _ := said.(string)
		if id, err := ParseID(text); err == nil && !slices.Contains(homes, id) {
			homes = append(homes, id)
		}
	}
	if !rec.Household.IsZero() && !slices.Contains(homes, rec.Household) {
		homes = append(homes, rec.Household)
	}
	texts := p.tellingTexts()
	for _, household := range homes {
		changes, err := v.History(household)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("registry: household %s: %w", household, err)
		}
		named := slices.ContainsFunc(changes, func(c FieldChange) bool { return says(c.Data, texts) })
		if !named {
			_, h, err := readHousehold(v, household)
			if err != nil {
				return nil, err
			}
			named = h.pointsAt(person) || rec.Household == household && h.leads(person, &p)
		}
		if named {
			found = append(found, household)
		}
	}
	return found, nil
}

// leads reports whether a member is the head: by her id, or by her relation where the
// household's record names nobody.
func (h *Household) leads(person ID, p *Person) bool {
	return h.Head == person.String() || h.Head == "" && p.Relation == Head && p.Status.Living()
}

// pointsAt reports whether the household's record holds somebody's id.
func (h *Household) pointsAt(person ID) bool {
	id := person.String()
	return h.Head == id || h.FocalPoint == id || slices.ContainsFunc(h.Collectors, func(c Collector) bool { return c.Person == id })
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
