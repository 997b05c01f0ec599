package match

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/issuer/registry"
)

// A Row is what is compared of one person, before it is made compact. An empty field
// is not known, and counts neither for nor against anybody.
type Row struct {
	ID        registry.ID
	Household registry.ID // zero: none
	Names     []NameParts // the first is the name, others are it in another script or an alias
	Sex       byte        // f, m, x; 0 or u: not said
	Birth     registry.Birth
	Documents []Number // at most maxNumbers count
	Phones    []uint64 // keyed hashes of the last digits
	Email     string   // folded
	Area      string   // code of where she stays: p-code, postcode
	Place     string   // site, town
	Address   string
	Arrival   string // month of registration, 2006-01
	Size      int    // of the household as declared; 0: not known
}

// NameParts is a name by the places of its words, in Latin letters: see LatinWords.
type NameParts struct {
	Given, Family string
	Between       []string // father's, grandfather's and other names, in the order in which they are said
}

// A Number is a document's: which kind it is, and a keyed hash of it.
type Number struct {
	Kind string // type and country
	Hash uint64
}

// Bounds of a Row: what is over them is not looked at.
const (
	maxNumbers = 2
	maxBetween = 2
	maxStreet  = 8
	maxLetters = 64
)

// A Hash makes a number of a text that nobody turns back, with a key of the
// organisation. Documents and telephones are compared by it alone.
type Hash func(text string) uint64

// FromPerson takes a Row from a record and the household she is of; h may be nil.
func FromPerson(id registry.ID, p registry.Person, house registry.ID, h *registry.Household, hash Hash) Row {
	r := Row{ID: id, Household: house, Address: ""}
	for _, n := range p.Names {
		if parts := partsOf(n); parts.Given != "" && len(r.Names) < 2 {
			r.Names = append(r.Names, parts)
		}
	}
	if p.Sex == "f" || p.Sex == "m" || p.Sex == "x" {
		r.Sex = p.Sex[0]
	}
	if p.Birth != nil {
		r.Birth = *p.Birth
	}
	for _, d := range p.Documents {
		if k := registry.DocumentKey(d); k.Text != "" && len(r.Documents) < maxNumbers {
			r.Documents = append(r.Documents, Number{d.Type + "|" + d.Country, hash(k.Text)})
		}
	}
	contacts, at, arrival := p.Contacts, p.Location, p.Registered
	if h != nil {
		contacts = append(contacts[:len(contacts):len(contacts)], h.Contacts...)
		if at == nil {
			at = h.Location
		}
		if arrival == "" {
			arrival = h.Registered
		}
		r.Size = h.Size
	}
	for _, c := range contacts {
		switch c.Kind {
		case "phone":
			if last := LastDigits(c.Value); last != "" && len(r.Phones) < maxNumbers {
				r.Phones = append(r.Phones, hash(last))
			}
		case "email":
			if r.Email == "" {
				r.Email = FoldEmail(c.Value)
			}
		}
	}
	if at != nil {
		r.Area, r.Place, r.Address = registry.Fold(at.PCode), plainText(at.Site), at.Address
	}
	if len(arrival) >= len("2006-01") {
		r.Arrival = arrival[:len("2006-01")]
	}
	return r
}

// partsOf finds the places of a name's words. Where its parts are not told, the
// first word is taken as given and the last as the family's or the last ancestor's.
func partsOf(n registry.Name) NameParts {
	var p NameParts
	for _, part := range n.Parts {
		text := plainText(part.Text)
		switch {
		case text == "" || part.Role == "honorific":
		case part.Role == "given" || part.Role == "single":
			p.Given = joined(p.Given, text)
		case part.Role == "family" || part.Role == "second_family":
			p.Family = joined(p.Family, text)
		default:
			p.Between = append(p.Between, text)
		}
	}
	if p.Given == "" && p.Family == "" && len(p.Between) == 0 {
		return SplitName(n.Text)
	}
	if p.Family == "" && len(p.Between) > 0 { // her father's or grandfather's name stands last
		p.Family, p.Between = p.Between[len(p.Between)-1], p.Between[:len(p.Between)-1]
	}
	return p
}

// SplitName finds the places of the words of a name that is one text.
func SplitName(text string) (p NameParts) {
	words := registry.LatinWords(text)
	for i, w := range words {
		w = cut(w)
		switch {
		case i == 0:
			p.Given = w
		case i == len(words)-1:
			p.Family = w
		default:
			p.Between = append(p.Between, w)
		}
	}
	return p
}

// PlainName is one part of a name for NameParts, its words joined by blanks.
func PlainName(text string) string { return plainText(text) }

// plainText is a text in small Latin letters.
func plainText(text string) string { return cut(strings.Join(registry.LatinWords(text), " ")) }

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return cut(a + " " + b)
}

// cut shortens a text to maxLetters bytes, between letters.
func cut(s string) string {
	s = strings.ToValidUTF8(s, "") // what is kept is text, and is read again as text alone
	if len(s) <= maxLetters {
		return s
	}
	n := maxLetters
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}

// FoldEmail writes an address of electronic mail for comparing; empty for what is none.
func FoldEmail(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if at := strings.IndexByte(s, '@'); at < 1 || len(s) > 254 || !utf8.ValidString(s) {
		return ""
	}
	return cut(s)
}

// LastDigits are the seven last digits of a telephone number: what stays the same
// with and without the country's code. Empty for fewer.
func LastDigits(s string) string {
	var digits []byte
	for i := 0; i < len(s); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			digits = append(digits, s[i])
		}
	}
	if len(digits) < 7 {
		return ""
	}
	return string(digits[len(digits)-7:])
}

// born is a birth in four bytes.
type born struct {
	year       uint16 // 0: not known; of a decade its first
	month, day uint8  // 0: not known
}

const decadeDay = 255 // in born.day: the year is a decade's

func bornOf(b registry.Birth) (out born) {
	s := strings.TrimRight(b.EDTF, "~?%")
	switch {
	case len(s) == 4 && s[3] == 'X':
		if y, err := strconv.Atoi(s[:3]); err == nil && y > 0 {
			return born{year: uint16(y * 10), day: decadeDay}
		}
		return born{}
	case len(s) == 4:
		y, err := strconv.Atoi(s)
		if err != nil || y <= 0 {
			return born{}
		}
		return born{year: uint16(y)}
	case len(s) == 7:
		if t, err := time.Parse("2006-01", s); err == nil {
			return born{year: uint16(t.Year()), month: uint8(t.Month())}
		}
	default:
		if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() > 0 {
			return born{uint16(t.Year()), uint8(t.Month()), uint8(t.Day())}
		}
	}
	return born{}
}
