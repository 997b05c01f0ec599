package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Renewal is a household's record without some of its people: what is made anew when
// they are erased and the record says who they were. Its old record, whose history
// cannot be changed, is erased with them; the number of its list, those who stay, and what
// they are due go on.
type Renewal struct {
	Old     ID
	source  string
	number  string
	home    Household
	members []ID
	due     []Entitlement
}

// Renew reads what stays of a household without the persons. It is nil where nobody is
// left and the record counted nobody else: then there is nothing to make anew. Of the fields
// all is left out that holds a name, number or contact of theirs, as it is or ever was.
func Renew(v View, household ID, without []ID) (*Renewal, error) {
	rec, h, err := readHousehold(v, household)
	if err != nil {
		return nil, err
	}
	var texts []string
	lost := false // the head
	for _, id := range without {
		who, p, err := readPerson(v, id)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lost = lost || h.Head == id.String() || who.Household == household && h.leads(id, &p)
		said, err := everTelling(v, id)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		texts = append(texts, said...)
	}
	r := &Renewal{Old: household, source: rec.Source, number: rec.External}
	ids, err := v.Members(household)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !slices.Contains(without, id) {
			r.members = append(r.members, id)
		}
	}
	if len(r.members) == 0 && len(ids) > 0 && h.Size <= len(ids) {
		return nil, nil
	}
	if r.home, err = h.silent(texts); err != nil {
		return nil, err
	}
	if lost && len(r.members) > 0 {
		r.home.LoseHead()
	}
	for _, id := range without {
		for _, named := range []*string{&r.home.Head, &r.home.FocalPoint} {
			if *named == id.String() {
				*named = ""
			}
		}
		r.home.Collectors = slices.DeleteFunc(r.home.Collectors, func(c Collector) bool { return c.Person == id.String() })
	}
	if r.due, err = carried(v, household); err != nil {
		return nil, err
	}
	return r, nil
}

// carried are a household's entitlements that go on with it.
func carried(v View, household ID) (list []Entitlement, err error) {
	programmes, err := v.Programmes()
	if err != nil {
		return nil, err
	}
	for _, p := range programmes {
		for _, round := range p.Rounds {
			e, err := v.Entitlement(household, p.Code, round.N)
			if errors.Is(err, ErrNotFound) || err == nil && e.Status == Cancelled {
				continue
			}
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
	}
	return list, nil
}

// Left is what households are left with that lose their head to an erasure.
type Left struct {
	Households int `json:"households"`
	People     int `json:"people"` // on record who stay in them
	Adults     int `json:"adults"` // of these, by their birth; whose age is not decided is not among them
	Cards      int `json:"cards"`  // that are good or on hold
	Due        int `json:"due"`    // amounts and things that were not collected yet
}

// Lose adds a household to what is left, where one of the persons leads it and somebody
// stays; it reports whether that is so. The cards are for the caller to count.
func (l *Left) Lose(v View, household ID, without []ID, at time.Time) (bool, error) {
	_, h, err := readHousehold(v, household)
	if err != nil {
		return false, err
	}
	members, err := readMembers(v, household)
	if err != nil {
		return false, err
	}
	lost := slices.ContainsFunc(without, func(id ID) bool { return h.Head == id.String() })
	people, adults := 0, 0
	for _, m := range members {
		if slices.Contains(without, m.ID) {
			lost = lost || h.leads(m.ID, &m.Person)
			continue
		}
		people++
		if m.Birth == nil {
			continue
		}
		if adult, decided := m.Birth.Adult(at); adult && decided {
			adults++
		}
	}
	if !lost || people == 0 {
		return false, nil
	}
	due, err := carried(v, household)
	if err != nil {
		return false, err
	}
	for _, e := range due {
		if e.Status == Planned || e.Status == Granted || e.Status == OnHold || e.Status == Partial {
			l.Due++
		}
	}
	l.Households, l.People, l.Adults = l.Households+1, l.People+people, l.Adults+adults
	return true, nil
}

// Save makes the household anew, when the old one is erased. What a card was issued for may
// have been collected with it: it goes on, on hold, until two people looked (Release).
func (r *Renewal) Save(tx Tx) (ID, error) {
	fields, err := r.home.Fields()
	if err != nil {
		return ID{}, err
	}
	change := Change{Kind: KindHousehold, Source: r.source, External: r.number, Fields: fields}
	if r.home.Headless() {
		change.Keys = []Key{HeadlessKey}
	}
	saved, err := tx.Save(change)
	if err != nil {
		return ID{}, fmt.Errorf("registry: renew household %s: %w", r.Old, err)
	}
	for _, id := range r.members {
		if _, err := tx.Save(Change{ID: id, Household: saved.ID}); err != nil {
			return ID{}, fmt.Errorf("registry: renew household %s: member %s: %w", r.Old, id, err)
		}
	}
	for _, e := range r.due {
		e.ID, e.Unit = "", saved.ID
		if e.Status == Granted {
			e.Status = OnHold
		}
		if _, err := tx.SaveEntitlement(e); err != nil {
			return ID{}, fmt.Errorf("registry: renew household %s: %w", r.Old, err)
		}
	}
	return saved.ID, nil
}

// LoseHead says in the record that the head was erased: it waits for those who decide who
// leads now. It is found by HeadlessKey, which is the caller's to save with it.
func (h *Household) LoseHead() {
	h.Head = ""
	h.Issues = append(slices.Clone(h.Issues), note(HeadErased, "head", "the head was erased: say who is head now, how many they are and who holds the card"))
}

// Headless reports whether the household's head was erased and its record names none since.
func (h *Household) Headless() bool {
	return h.Head == "" && slices.ContainsFunc(h.Issues, func(i Issue) bool { return i.Code == HeadErased })
}

// everTelling are the texts that tell who a person is, as they are and ever were, folded.
func everTelling(v View, person ID) (texts []string, err error) {
	_, p, err := readPerson(v, person)
	if err != nil {
		return nil, err
	}
	all := p.tellingTexts()
	changes, err := v.History(person)
	if err != nil {
		return nil, fmt.Errorf("registry: person %s: %w", person, err)
	}
	for _, c := range changes {
		if c.Data == nil || c.Field != "names" && c.Field != "documents" && c.Field != "contacts" {
			continue
		}
		was, err := Record{ID: person, Kind: KindPerson, Fields: map[string]Value{c.Field: {Data: c.Data}}}.Person()
		if err != nil {
			return nil, err
		}
		all = append(all, was.tellingTexts()...)
	}
	for _, t := range all {
		if folded := Fold(string(t)); folded != "" && !slices.Contains(texts, folded) {
			texts = append(texts, folded)
		}
	}
	return texts, nil
}

// silent is the household without what holds one of the texts: an entry of a list or map
// goes as a whole, since its other parts tell of the same person.
func (h Household) silent(texts []string) (out Household, err error) {
	b, err := json.Marshal(h)
	if err != nil {
		return out, fmt.Errorf("registry: %w", err)
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return out, fmt.Errorf("registry: %w", err)
	}
	for name, v := range all {
		if list, ok := v.([]any); ok {
			all[name] = slices.DeleteFunc(list, func(v any) bool { return tells(v, texts) })
		} else if m, ok := v.(map[string]any); ok {
			maps.DeleteFunc(m, func(key string, v any) bool { return tells(key, texts) || tells(v, texts) })
		} else if tells(v, texts) {
			delete(all, name)
		}
	}
	if b, err = json.Marshal(all); err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

func tells(v any, texts []string) bool {
	switch v := v.(type) {
	case string:
		said := Fold(v)
		return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(said, t) })
	case []any:
		return slices.ContainsFunc(v, func(v any) bool { return tells(v, texts) })
	case map[string]any:
		for _, item := range v {
			if tells(item, texts) {
				return true
			}
		}
	}
	return false
}
