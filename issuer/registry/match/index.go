package match

import (
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// An Index holds what is compared of people, 108 bytes each and every word once.
// People are added and never taken out: who is closed is left out by the caller.
//
// It is not safe for use by several goroutines at once.
type Index struct {
	people                                []person
	ids                                   []registry.ID
	street                                []uint32 // words of addresses, those of a person in order of their numbers
	names, emails, areas, places, streets *lexicon
	houses                                map[registry.ID]uint32
	numbers                               map[uint64]uint32 // documents by hash
	kinds                                 []uint16          // by document: its kind
	kindIDs                               map[string]uint16
	phones                                map[uint64]uint32
	arrivals                              map[string]uint16
}

// A person of an Index: what is compared of one, within two lines of a cache.
type person struct {
	given, family, altGiven, altFamily uint32
	between                            [maxBetween]uint32
	documents, phones                  [maxNumbers]uint32
	email, area, place                 uint32
	house                              uint32
	streetAt                           uint32
	born                               born
	streets                            uint8
	sex                                uint8
	size                               uint8
	arrival                            uint16
	marks                              [2]mark // of given and family, which are looked at for each pair
}

// NewIndex returns an empty Index.
func NewIndex() *Index {
	return &Index{
		names: newLexicon(), emails: newLexicon(), areas: newLexicon(), places: newLexicon(), streets: newLexicon(),
		houses: map[registry.ID]uint32{}, numbers: map[uint64]uint32{}, kinds: []uint16{0}, kindIDs: map[string]uint16{},
		phones: map[uint64]uint32{}, arrivals: map[string]uint16{},
	}
}

// Len is how many people are in it.
func (x *Index) Len() int { return len(x.people) }

// ID is the identifier of the person added as number n, from 0.
func (x *Index) ID(n int) registry.ID { return x.ids[n] }

// Add adds a person and returns her number.
func (x *Index) Add(r Row) int {
	p := person{born: bornOf(r.Birth), size: uint8(min(max(r.Size, 0), 255))}
	if r.Sex == 'f' || r.Sex == 'm' || r.Sex == 'x' {
		p.sex = r.Sex
	}
	if len(r.Names) > 0 {
		n := r.Names[0]
		p.given, p.family = x.names.id(cut(n.Given)), x.names.id(cut(n.Family))
		for i, w := range n.Between[:min(len(n.Between), maxBetween)] {
			p.between[i] = x.names.id(cut(w))
		}
	}
	if len(r.Names) > 1 {
		p.altGiven, p.altFamily = x.names.id(cut(r.Names[1].Given)), x.names.id(cut(r.Names[1].Family))
	}
	for i, d := range r.Documents[:min(len(r.Documents), maxNumbers)] {
		id, ok := x.numbers[d.Hash]
		if !ok {
			id = uint32(len(x.kinds))
			x.numbers[d.Hash] = id
			x.kinds = append(x.kinds, numberedFew(x.kindIDs, cut(d.Kind)))
		}
		p.documents[i] = id
	}
	for i, h := range r.Phones[:min(len(r.Phones), maxNumbers)] {
		id, ok := x.phones[h]
		if !ok {
			id = uint32(len(x.phones) + 1)
			x.phones[h] = id
		}
		p.phones[i] = id
	}
	p.email, p.area, p.place = x.emails.id(cut(r.Email)), x.areas.id(cut(r.Area)), x.places.id(cut(r.Place))
	p.streetAt = uint32(len(x.street))
	words := strings.Fields(plainAddress(r.Address))
	for _, w := range words[:min(len(words), maxStreet)] {
		id := x.streets.id(cut(w))
		if !slices.Contains(x.street[p.streetAt:], id) {
			x.street = append(x.street, id)
			p.streets++
		}
	}
	if !r.Household.IsZero() {
		id, ok := x.houses[r.Household]
		if !ok {
			id = uint32(len(x.houses) + 1)
			x.houses[r.Household] = id
		}
		p.house = id
	}
	if r.Arrival != "" {
		p.arrival = numberedFew(x.arrivals, cut(r.Arrival))
	}
	p.marks = [2]mark{x.names.marks[p.given], x.names.marks[p.family]}
	x.people = append(x.people, p)
	x.ids = append(x.ids, r.ID)
	return len(x.people) - 1
}

// numberedFew numbers things of which there are few; those over the bound share 0.
func numberedFew(ids map[string]uint16, text string) uint16 {
	id, ok := ids[text]
	if !ok && len(ids) < mostFew {
		id = uint16(len(ids) + 1)
		ids[text] = id
	}
	return id
}

const mostFew = 1<<16 - 2

func plainAddress(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > 400 {
		s = s[:400]
	}
	return strings.Join(registry.LatinWords(strings.ToValidUTF8(s, " ")), " ")
}
