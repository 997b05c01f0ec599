package match

import (
	"cmp"
	"slices"
	"strings"
)

// A Reason is one field of a pair: how it agrees, and what that tells. Words for people
// are made of its codes, in their language; what stands in the records is shown beside.
type Reason struct {
	Field string  `json:"field"`       // a code of FieldCodes, or "household"
	Level string  `json:"level"`       // a code of LevelCodes
	Bits  float64 `json:"bits"`        // over 0: for one person; under: for two. One bit doubles the odds.
	A     string  `json:"a,omitempty"` // as it is compared: names and places in Latin letters; numbers are not kept
	B     string  `json:"b,omitempty"`
}

var fieldCodes = [fields]string{"given", "family", "between", "sex", "birth", "document", "phone", "email", "area", "place", "address"}

// FieldCodes are the codes of fields that a Reason may name.
func FieldCodes() []string { return append(fieldCodes[:], "household") }

var (
	wordCodes    = []string{"same", "vowels", "sounds_written_alike", "sounds", "sounds_only", "typing", "similar", "faint", "swapped", "initial", "different"}
	birthCodes   = []string{"same", "digit", "day_month", "two_parts", "year", "different", "year_only", "next_year", "near_year", "different", "decade", "different"}
	plainCodes   = []string{"same", "different"}
	addressCodes = []string{"same", "most_words", "some_words", "different"}
)

// othersFit is the level of "household": others of the two households fit too.
const othersFit = "others_fit"

// LevelCodes are the codes of levels that a Reason of a field may have.
func LevelCodes(field string) []string {
	codes := []string{othersFit}
	if f := slices.Index(fieldCodes[:], field); f >= 0 {
		codes = codesOf(Field(f))
	}
	codes = slices.Clone(codes)
	slices.Sort(codes)
	return slices.Compact(codes)
}

func codesOf(f Field) []string {
	switch f {
	case Birth:
		return birthCodes
	case Sex, Document, Phone:
		return plainCodes
	case Address:
		return addressCodes
	}
	return wordCodes
}

// Explain tells field by field why a pair of a Result has its chance, what tells most
// first. Fields that one of the two has not are left out. The bits of the reasons and
// those of the Model's prior are the bits of the pair together.
func (x *Index) Explain(r *Result, p Pair) (list []Reason) {
	a, b := &x.people[p.A], &x.people[p.B]
	e := r.comparer.compare(a, b)
	for f := range fields {
		level := e.pattern.level(f)
		if level == absent {
			continue
		}
		one := evidence{pattern: ^pattern(0)&^(15<<(4*f)) | pattern(level)<<(4*f), words: e.words}
		list = append(list, Reason{Field: fieldCodes[f], Level: codesOf(f)[level], Bits: float64(r.score.bits[f][level] + r.score.rarer(&one)),
			A: x.text(f, a), B: x.text(f, b)})
	}
	if p.Context > 0 {
		list = append(list, Reason{Field: "household", Level: othersFit, Bits: float64(p.Context)})
	}
	slices.SortStableFunc(list, func(a, b Reason) int { return cmp.Compare(max(b.Bits, -b.Bits), max(a.Bits, -a.Bits)) })
	return list
}

// text is what a field of a person is compared by, for people to read.
func (x *Index) text(f Field, p *person) string {
	switch f {
	case Given:
		return x.names.texts[p.given]
	case Family:
		return x.names.texts[p.family]
	case Between:
		return strings.TrimSpace(x.names.texts[p.between[0]] + " " + x.names.texts[p.between[1]])
	case Sex:
		return strings.Trim(string(rune(p.sex)), "\x00")
	case Birth:
		return p.born.String()
	case Email:
		return x.emails.texts[p.email]
	case Area:
		return x.areas.texts[p.area]
	case Place:
		return x.places.texts[p.place]
	case Address:
		var words []string
		for _, w := range x.street[p.streetAt : p.streetAt+uint32(p.streets)] {
			words = append(words, x.streets.texts[w])
		}
		return strings.Join(words, " ")
	}
	return ""
}
