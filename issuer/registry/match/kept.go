package match

import (
	"encoding/binary"
	"errors"
	"slices"
	"unicode/utf8"

	"aidpass/issuer/registry"
)

// An Index is kept as: the magic below; the words of names, emails, areas, places and
// streets, each a count and texts; documents (kinds as texts; a count, and kind and hash
// of each), telephones (count, hashes), households (count, identifiers), months (texts);
// the words of addresses; and people. Numbers are unsigned varints, hashes eight bytes,
// texts a length and bytes. Number 0 of everything is left out.
const magic = "aidpass-match-1\n"

var errKept = errors.New("match: the kept index is damaged or of another version: build it anew from the register")

// Append appends an Index as it is kept. It names people in small Latin letters, so it
// is to be sealed as records are. The same Index gives the same bytes.
func (x *Index) Append(dst []byte) []byte {
	dst = append(dst, magic...)
	number := func(n uint64) { dst = binary.AppendUvarint(dst, n) }
	text := func(s string) {
		number(uint64(len(s)))
		dst = append(dst, s...)
	}
	texts := func(ids map[string]uint32) {
		number(uint64(len(ids)))
		for _, s := range inOrder(ids) {
			text(s)
		}
	}
	for _, l := range x.lexicons() {
		texts(l.ids)
	}
	kinds := map[string]uint32{}
	for s, id := range x.kindIDs {
		kinds[s] = uint32(id)
	}
	texts(kinds)
	number(uint64(len(x.numbers)))
	for i, h := range inOrder(x.numbers) {
		number(uint64(x.kinds[i+1]))
		dst = binary.BigEndian.AppendUint64(dst, h)
	}
	number(uint64(len(x.phones)))
	for _, h := range inOrder(x.phones) {
		dst = binary.BigEndian.AppendUint64(dst, h)
	}
	number(uint64(len(x.houses)))
	for _, id := range inOrder(x.houses) {
		dst = append(dst, id[:]...)
	}
	months := map[string]uint32{}
	for s, id := range x.arrivals {
		months[s] = uint32(id)
	}
	texts(months)
	number(uint64(len(x.street)))
	for _, w := range x.street {
		number(uint64(w))
	}
	number(uint64(len(x.people)))
	for i := range x.people {
		dst = append(dst, x.ids[i][:]...)
		x.people[i].each(func(p *uint32, _ kind) { number(uint64(*p)) })
		p := &x.people[i]
		for _, n := range [...]uint64{uint64(p.born.year), uint64(p.born.month), uint64(p.born.day), uint64(p.streets), uint64(p.sex), uint64(p.size), uint64(p.arrival)} {
			number(n)
		}
	}
	return dst
}

// inOrder are the keys of a map by the number that each has, from 1.
func inOrder[K comparable](ids map[K]uint32) []K {
	list := make([]K, len(ids))
	for k, id := range ids {
		list[id-1] = k
	}
	return list
}

func (x *Index) lexicons() []*lexicon {
	return []*lexicon{x.names, x.emails, x.areas, x.places, x.streets}
}

// A kind of number that a person holds.
type kind uint8

const (
	aName kind = iota
	aDocument
	aPhone
	anEmail
	anArea
	aPlace
	aHouse
	aStreet
)

// each calls f for each number that a person holds of words and things.
func (p *person) each(f func(*uint32, kind)) {
	for _, n := range []*uint32{&p.given, &p.family, &p.altGiven, &p.altFamily, &p.between[0], &p.between[1]} {
		f(n, aName)
	}
	for i := range maxNumbers {
		f(&p.documents[i], aDocument)
		f(&p.phones[i], aPhone)
	}
	f(&p.email, anEmail)
	f(&p.area, anArea)
	f(&p.place, aPlace)
	f(&p.house, aHouse)
	f(&p.streetAt, aStreet)
}

// keptReader reads what Append wrote; after a fault it gives zeros.
type keptReader struct {
	b   []byte
	bad bool
}

func (r *keptReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, max(0, min(n, 16)))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *keptReader) number(most uint64) uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > most {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count is a number of things that each take a byte at least.
func (r *keptReader) count() int { return int(r.number(uint64(len(r.b)))) }

func (r *keptReader) text() string {
	s := string(r.take(int(r.number(maxLetters))))
	r.bad = r.bad || !utf8.ValidString(s)
	return s
}

// unique numbers the next thing of a list. One that stood there before would leave a
// number without a thing.
func unique[K comparable, N uint16 | uint32](r *keptReader, ids map[K]N, k K) {
	if _, ok := ids[k]; ok || uint64(len(ids)) >= uint64(^N(0))-1 {
		r.bad = true
	}
	ids[k] = N(len(ids) + 1)
}

// ReadIndex reads what Append wrote.
func ReadIndex(b []byte) (*Index, error) {
	r := &keptReader{b: b}
	if string(r.take(min(len(magic), len(b)))) != magic {
		return nil, errKept
	}
	x := NewIndex()
	for _, l := range x.lexicons() {
		for n := r.count(); n > 0 && !r.bad; n-- {
			if s := r.text(); s == "" || l.id(s) != uint32(len(l.ids)) {
				r.bad = true
			}
		}
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		unique(r, x.kindIDs, r.text())
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		x.kinds = append(x.kinds, uint16(r.number(uint64(len(x.kindIDs)))))
		unique(r, x.numbers, binary.BigEndian.Uint64(r.take(8)))
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		unique(r, x.phones, binary.BigEndian.Uint64(r.take(8)))
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		unique(r, x.houses, registry.ID(r.take(16)))
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		unique(r, x.arrivals, r.text())
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		x.street = append(x.street, uint32(r.number(uint64(len(x.streets.ids)))))
	}
	r.bad = r.bad || slices.Contains(x.street, 0)
	most := [...]uint64{aName: uint64(len(x.names.ids)), aDocument: uint64(len(x.numbers)), aPhone: uint64(len(x.phones)), anEmail: uint64(len(x.emails.ids)),
		anArea: uint64(len(x.areas.ids)), aPlace: uint64(len(x.places.ids)), aHouse: uint64(len(x.houses)), aStreet: uint64(len(x.street))}
	for n := r.count(); n > 0 && !r.bad; n-- {
		x.ids = append(x.ids, registry.ID(r.take(16)))
		var p person
		p.each(func(v *uint32, k kind) { *v = uint32(r.number(most[k])) })
		p.born = born{uint16(r.number(9999)), uint8(r.number(12)), uint8(r.number(255))}
		p.streets, p.sex, p.size = uint8(r.number(maxStreet)), uint8(r.number(127)), uint8(r.number(255))
		p.arrival = uint16(r.number(uint64(len(x.arrivals))))
		r.bad = r.bad || int(p.streetAt)+int(p.streets) > len(x.street)
		if !r.bad {
			p.marks = [2]mark{x.names.marks[p.given], x.names.marks[p.family]}
		}
		x.people = append(x.people, p)
	}
	if r.bad || len(r.b) > 0 {
		return nil, errKept
	}
	return x, nil
}
