package match

import "strconv"

// A Field is what two people are compared by.
type Field uint8

// The fields, cheap and telling ones first.
const (
	Given Field = iota
	Family
	Between // the names between: father's, grandfather's
	Sex
	Birth
	Document
	Phone
	Email
	Area
	Place
	Address
	fields
)

// A pattern is how two people agree, four bits for each field: a level, or absent.
type pattern uint64

const absent = 15 // one of the two has nothing there: it counts for nothing

func (p pattern) level(f Field) uint8 { return uint8(p>>(4*f)) & 15 }

// Levels of a birth. They stand in groups, because days cannot agree where only
// years are known: of each group the chances are 1 together.
const (
	birthSame     = iota // both days known from here
	birthDigit           // one digit is another, or two neighbours changed places
	birthTurned          // day and month changed places
	birthTwo             // two of day, month and year
	birthYear            // the year alone
	birthDiffers         //
	yearSame             // the day of one is not known from here; months fit where both are known
	yearNext             // a year apart
	yearNear             // up to five years apart, as guessed ages are
	yearDiffers          //
	decadeSame           // of one the decade alone is known
	decadeDiffers        //
	birthLevels
)

// Levels of fields that agree or do not.
const (
	agrees = iota
	differs
	plainLevels
)

// Levels of an address.
const (
	addressSame = iota // all words
	addressMost
	addressSome
	addressDiffers
	addressLevels
)

// A comparer compares people of an Index.
type comparer struct {
	*Index
	measure Measure
	rarity  []float32 // by word of an address: bits that it tells
}

// evidence is how two people agree, and the words that the agreement is about, for
// the rarity of words.
type evidence struct {
	pattern pattern
	words   [fields]uint32 // the more common of the two where the level wants one; 0: none
}

// first compares what nearly everybody has and is compared quickly: names, sex,
// birth, documents, telephones. The rest is absent.
func (c *comparer) first(a, b *person) (e evidence) {
	gw, fw := a.given, a.family
	g := c.marked(a.given, b.given, &a.marks[0], &b.marks[0])
	f := c.marked(a.family, b.family, &a.marks[1], &b.marks[1])
	if a.altGiven|b.altGiven|a.altFamily|b.altFamily != 0 {
		g = min(g, c.word(a.altGiven, b.given), c.word(a.given, b.altGiven), c.word(a.altGiven, b.altGiven))
		f = min(f, c.word(a.altFamily, b.family), c.word(a.family, b.altFamily), c.word(a.altFamily, b.altFamily))
	}
	if g >= levelNear && f >= levelNear {
		// Given and family name may have changed places; one of the four may be missing.
		ab, ba := c.marked(a.given, b.family, &a.marks[0], &b.marks[1]), c.marked(a.family, b.given, &a.marks[1], &b.marks[0])
		if (moved(ab) || ab == absent) && (moved(ba) || ba == absent) && (ab < absent || ba < absent) {
			g, f = absent, absent
			if ab < absent {
				g, gw = levelSwapped, a.given
			}
			if ba < absent {
				f, fw = levelSwapped, a.family
			}
		}
	}
	h := uint8(absent)
	hw := a.between[0]
	if a.between[0] != 0 || b.between[0] != 0 {
		for _, x := range a.between {
			for _, y := range b.between {
				if l := c.word(x, y); l < h {
					h, hw = l, x
				}
			}
		}
		if f >= levelNear && f <= levelDifferent { // a list that ends with the father, and one with the grandfather
			for i := range maxBetween {
				if l := c.word(a.between[i], b.family); l <= levelAlike {
					f, fw = levelSwapped, b.family
				}
				if l := c.word(a.family, b.between[i]); l <= levelAlike {
					f, fw = levelSwapped, a.family
				}
			}
		}
	}
	e.pattern = pattern(g) | pattern(f)<<(4*Family) | pattern(h)<<(4*Between) | pattern(c.births(a.born, b.born))<<(4*Birth)
	e.words[Given], e.words[Family], e.words[Between] = gw, fw, hw
	sex := pattern(absent)
	if a.sex != 0 && b.sex != 0 {
		sex = agrees
		if a.sex != b.sex {
			sex = differs
		}
	}
	d, dw := c.documentsOf(a, b)
	t, tw := phonesOf(a, b)
	e.words[Document], e.words[Phone] = dw, tw
	e.pattern |= sex<<(4*Sex) | pattern(d)<<(4*Document) | pattern(t)<<(4*Phone) | restAbsent
	if a.house != 0 && a.house == b.house {
		e.pattern |= sharedAtHome
	}
	return e
}

const restAbsent = pattern(absent)<<(4*Email) | pattern(absent)<<(4*Area) | pattern(absent)<<(4*Place) | pattern(absent)<<(4*Address)

// sharedAtHome is what people of one household share whoever they are.
const sharedAtHome = pattern(absent)<<(4*Family) | pattern(absent)<<(4*Between) | pattern(absent)<<(4*Phone)

// rest compares what first left out.
func (c *comparer) rest(a, b *person, e *evidence) {
	if a.house != 0 && a.house == b.house {
		return
	}
	e.pattern &^= restAbsent
	e.words[Email], e.words[Area], e.words[Place] = a.email, a.area, a.place
	e.pattern |= pattern(c.other(c.emails, a.email, b.email))<<(4*Email) |
		pattern(c.other(c.areas, a.area, b.area))<<(4*Area) |
		pattern(c.other(c.places, a.place, b.place))<<(4*Place) |
		pattern(c.addresses(a, b))<<(4*Address)
}

// moved tells words that agree well enough to be one in another place; the sound of a
// short word is not enough.
func moved(level uint8) bool { return level <= levelHeard || level == levelClose }

func (c *comparer) word(a, b uint32) uint8 {
	if a == 0 || b == 0 {
		return absent
	}
	return c.names.level(a, b, c.measure)
}

func (c *comparer) other(l *lexicon, a, b uint32) uint8 {
	if a == 0 || b == 0 {
		return absent
	}
	return l.level(a, b, c.measure)
}

// marked is word for names whose marks are at hand.
func (c *comparer) marked(a, b uint32, m, n *mark) uint8 {
	switch {
	case a == 0 || b == 0:
		return absent
	case c.measure != nil:
		return c.names.level(a, b, c.measure)
	case a == b:
		return levelSame
	case m.apart(*n):
		return levelDifferent
	}
	return c.names.remembered(a, b)
}

// documentsOf compares numbers of documents of the same kind.
func (c *comparer) documentsOf(a, b *person) (uint8, uint32) {
	level := uint8(absent)
	for _, x := range a.documents {
		for _, y := range b.documents {
			switch {
			case x == 0 || y == 0:
			case x == y:
				return agrees, x
			case c.kinds[x] == c.kinds[y]:
				level = differs
			}
		}
	}
	return level, 0
}

func phonesOf(a, b *person) (uint8, uint32) {
	level := uint8(absent)
	for _, x := range a.phones {
		for _, y := range b.phones {
			switch {
			case x == 0 || y == 0:
			case x == y:
				return agrees, x
			default:
				level = differs
			}
		}
	}
	return level, 0
}

// births compares by what is known of both.
func (c *comparer) births(a, b born) uint8 {
	switch {
	case a.year == 0 || b.year == 0:
		return absent
	case a.day == decadeDay || b.day == decadeDay:
		if a.year/10 == b.year/10 {
			return decadeSame
		}
		return decadeDiffers
	case a.day == 0 || b.day == 0:
		apart := int(a.year) - int(b.year)
		months := a.month == b.month || a.month == 0 || b.month == 0
		switch {
		case apart == 0 && months:
			return yearSame
		case apart >= -1 && apart <= 1:
			return yearNext
		case apart >= -5 && apart <= 5:
			return yearNear
		}
		return yearDiffers
	case a == b:
		return birthSame
	case a.year == b.year && a.month == b.day && a.day == b.month:
		return birthTurned
	}
	two := 0
	for _, same := range [...]bool{a.year == b.year, a.month == b.month, a.day == b.day} {
		if same {
			two++
		}
	}
	switch {
	case two == 2 && oneDigit(a, b): // of one of the three
		return birthDigit
	case two == 2:
		return birthTwo
	case a.year == b.year:
		return birthYear
	}
	return birthDiffers
}

// oneDigit tells days of which one digit differs, or two neighbours of one number
// changed places.
func oneDigit(a, b born) bool {
	x := [8]uint8{uint8(a.year / 1000 % 10), uint8(a.year / 100 % 10), uint8(a.year / 10 % 10), uint8(a.year % 10), a.month / 10, a.month % 10, a.day / 10, a.day % 10}
	y := [8]uint8{uint8(b.year / 1000 % 10), uint8(b.year / 100 % 10), uint8(b.year / 10 % 10), uint8(b.year % 10), b.month / 10, b.month % 10, b.day / 10, b.day % 10}
	at, n := 0, 0
	for i := range x {
		if x[i] != y[i] {
			if n == 0 {
				at = i
			}
			n++
		}
	}
	return n == 1 || n == 2 && at != 3 && at != 5 && at != 7 && x[at] == y[at+1] && x[at+1] == y[at]
}

// addresses compares the words of two addresses, each by the bits that it tells.
func (c *comparer) addresses(a, b *person) uint8 {
	if a.streets == 0 || b.streets == 0 {
		return absent
	}
	s, t := c.street[a.streetAt:a.streetAt+uint32(a.streets)], c.street[b.streetAt:b.streetAt+uint32(b.streets)]
	var all, shared float32
	var used uint8
	for _, x := range s {
		all += c.rarity[x]
		for j, y := range t {
			if used>>j&1 == 0 && (x == y || c.streets.texts[x][0] == c.streets.texts[y][0] && c.streets.level(x, y, c.measure) <= levelClose) {
				used |= 1 << j
				shared += c.rarity[x] + c.rarity[y]
				break
			}
		}
	}
	for _, y := range t {
		all += c.rarity[y]
	}
	switch {
	case shared >= 0.95*all:
		return addressSame
	case shared >= 0.6*all:
		return addressMost
	case shared >= 0.3*all:
		return addressSome
	}
	return addressDiffers
}

// String is what a born is in EDTF; for explanations.
func (b born) String() string {
	two := func(n uint8) string {
		if n < 10 {
			return "-0" + strconv.Itoa(int(n))
		}
		return "-" + strconv.Itoa(int(n))
	}
	y := strconv.Itoa(int(b.year))
	switch {
	case b.year == 0:
		return ""
	case b.day == decadeDay:
		return y[:len(y)-1] + "X"
	case b.month == 0:
		return y
	case b.day == 0:
		return y + two(b.month)
	}
	return y + two(b.month) + two(b.day)
}
