package match

import "aidpass/issuer/registry"

// Without is a new Index of the people who are kept, in their order. Words, numbers and
// households that nobody of them has are not in it.
func (x *Index) Without(drop func(registry.ID) bool) *Index {
	out := NewIndex()
	documents, phones, houses := inOrder(x.numbers), inOrder(x.phones), inOrder(x.houses)
	kinds, arrivals := make([]string, len(x.kindIDs)+1), make([]string, len(x.arrivals)+1)
	for s, id := range x.kindIDs {
		kinds[id] = s
	}
	for s, id := range x.arrivals {
		arrivals[id] = s
	}
	lexicons := [...]*lexicon{aName: out.names, anEmail: out.emails, anArea: out.areas, aPlace: out.places, aStreet: out.streets}
	said := [...][]string{aName: inOrder(x.names.ids), anEmail: inOrder(x.emails.ids), anArea: inOrder(x.areas.ids), aPlace: inOrder(x.places.ids), aStreet: inOrder(x.streets.ids)}
	for i := range x.people {
		if drop(x.ids[i]) {
			continue
		}
		p := x.people[i]
		p.each(func(n *uint32, k kind) {
			switch {
			case k == aStreet:
				at := uint32(len(out.street))
				for _, w := range x.street[*n : *n+uint32(p.streets)] {
					out.street = append(out.street, out.streets.id(said[aStreet][w-1]))
				}
				*n = at
			case *n == 0:
			case k == aDocument:
				h := documents[*n-1]
				id, ok := out.numbers[h]
				if !ok {
					id = uint32(len(out.kinds))
					out.numbers[h] = id
					out.kinds = append(out.kinds, numberedFew(out.kindIDs, kinds[x.kinds[*n]]))
				}
				*n = id
			case k == aPhone:
				*n = numberOf(out.phones, phones[*n-1])
			case k == aHouse:
				*n = numberOf(out.houses, houses[*n-1])
			default:
				*n = lexicons[k].id(said[k][*n-1])
			}
		})
		if p.arrival != 0 {
			p.arrival = numberedFew(out.arrivals, arrivals[p.arrival])
		}
		p.marks = [2]mark{out.names.marks[p.given], out.names.marks[p.family]}
		out.people, out.ids = append(out.people, p), append(out.ids, x.ids[i])
	}
	return out
}

// numberOf is the number of a thing, from 1.
func numberOf[K comparable](ids map[K]uint32, k K) uint32 {
	id, ok := ids[k]
	if !ok {
		id = uint32(len(ids) + 1)
		ids[k] = id
	}
	return id
}

// Homes are the households of the people, by their numbers; zero: none.
func (x *Index) Homes() []registry.ID {
	houses, list := inOrder(x.houses), make([]registry.ID, len(x.people))
	for i := range x.people {
		if h := x.people[i].house; h != 0 {
			list[i] = houses[h-1]
		}
	}
	return list
}
