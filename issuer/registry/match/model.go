package match

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// A Model is what agreement and difference of each field tell: how often two records
// of one person agree so (M), and two of different people (U). It holds numbers
// alone, no name and no person.
//
// Fellegi and Sunter 1969, "A Theory for Record Linkage".
type Model struct {
	Prior float64           `json:"prior"` // chance that two people drawn from all are one
	M     [fields][]float64 `json:"m"`     // by field and level; levels of a group are 1 together
	U     [fields][]float64 `json:"u"`
}

// groups are the levels of a field whose chances are 1 together: from, to.
func groupsOf(f Field) [][2]int {
	switch f {
	case Birth:
		return [][2]int{{birthSame, birthDiffers + 1}, {yearSame, yearDiffers + 1}, {decadeSame, decadeDiffers + 1}}
	case Sex, Document, Phone:
		return [][2]int{{0, plainLevels}}
	case Address:
		return [][2]int{{0, addressLevels}}
	}
	return [][2]int{{0, wordLevels}}
}

// priors are how records of one person agree where nothing was learnt yet.
var priors = [fields][]float64{
	Given:    {0.70, 0.04, 0.03, 0.03, 0.03, 0.05, 0.03, 0.01, 0.02, 0.01, 0.05},
	Family:   {0.68, 0.04, 0.03, 0.03, 0.03, 0.05, 0.03, 0.01, 0.02, 0.01, 0.07},
	Between:  {0.63, 0.04, 0.03, 0.03, 0.03, 0.05, 0.03, 0.01, 0.02, 0.02, 0.11},
	Sex:      {0.97, 0.03},
	Birth:    {0.80, 0.08, 0.02, 0.04, 0.02, 0.04, 0.75, 0.14, 0.08, 0.03, 0.95, 0.05},
	Document: {0.92, 0.08},
	Phone:    {0.60, 0.40},
	Email:    {0.70, 0.03, 0.02, 0.01, 0.01, 0.06, 0.05, 0.02, 0.001, 0.001, 0.098},
	Area:     {0.70, 0.01, 0.01, 0.01, 0.01, 0.06, 0.02, 0.02, 0.001, 0.001, 0.158},
	Place:    {0.70, 0.03, 0.02, 0.01, 0.01, 0.05, 0.03, 0.02, 0.001, 0.001, 0.128},
	Address:  {0.40, 0.25, 0.15, 0.20},
}

// Learning.
const (
	priorPairs  = 20      // pairs of one person that the priors count for
	randomPairs = 100_000 // drawn for U
	learnPairs  = 2_000_000
	leastLearnt = -16 // bits: pairs of less teach nothing
	rounds      = 25

	// mostDiffer is how often two records of one person may be learnt to have births that
	// agree in nothing. Where many have the same few names, namesakes would teach that
	// births differ as a rule, and a child would be told to be an adult.
	mostDiffer = 0.1
)

// score turns a Model into bits for an Index.
type score struct {
	bits    [fields][16]float32 // by field and level; absent: 0
	rare    [fields][]float32   // by word: what is added where both have it
	heard   [fields][]float32   // by word: what is added where both sound so
	swapped []float32           // by name: what is added where it stands in the other place
	prior   float32
	most    float32 // bits that the fields of rest can add
}

// counts are how many have a word in a field.
type counts struct {
	words  [fields][]uint32
	n      [fields]int // who have any
	people int
}

func (x *Index) count() *counts {
	c := &counts{people: len(x.people)}
	for f, size := range map[Field]int{Given: len(x.names.texts), Family: len(x.names.texts), Between: len(x.names.texts), Document: len(x.kinds),
		Phone: len(x.phones) + 1, Email: len(x.emails.texts), Area: len(x.areas.texts), Place: len(x.places.texts), Address: len(x.streets.texts)} {
		c.words[f] = make([]uint32, size)
	}
	add := func(f Field, id uint32) {
		if id != 0 {
			c.words[f][id]++
			c.n[f]++
		}
	}
	for i := range x.people {
		p := &x.people[i]
		add(Given, p.given)
		add(Family, p.family)
		add(Between, p.between[0])
		add(Between, p.between[1])
		for k := range maxNumbers {
			add(Document, p.documents[k])
			add(Phone, p.phones[k])
		}
		add(Email, p.email)
		if p.born.year != 0 {
			c.n[Birth]++
		}
		if p.sex != 0 {
			c.n[Sex]++
		}
		add(Area, p.area)
		add(Place, p.place)
		for _, w := range x.street[p.streetAt : p.streetAt+uint32(p.streets)] {
			add(Address, w)
		}
	}
	return c
}

// telling is how many fields one in ten and more have.
func (c *counts) telling() (n int) {
	for _, k := range c.n {
		if 10*k > c.people {
			n++
		}
	}
	return n
}

func (x *Index) lexiconOf(f Field) *lexicon {
	switch f {
	case Given, Family, Between:
		return x.names
	case Email:
		return x.emails
	case Area:
		return x.areas
	case Place:
		return x.places
	}
	return nil
}

// rarity is the bits that each word of an address tells.
func (c *counts) rarity() []float32 {
	out := make([]float32, len(c.words[Address]))
	for i, n := range c.words[Address] {
		out[i] = float32(math.Log2(float64(c.n[Address]+1) / float64(n+1)))
	}
	return out
}

// chances of other people having the same number: one that many have is a filler or
// a neighbour's telephone, and tells nothing.
const (
	documentChance = 1e-6 // times the cube of who have it
	phoneChance    = 1e-4 // times the square
)

// scoring prepares bits for an Index.
func (x *Index) scoring(m *Model, c *counts) *score {
	s := &score{prior: float32(math.Log2(m.Prior / (1 - m.Prior)))}
	for f := range fields {
		for l := range m.M[f] {
			s.bits[f][l] = float32(math.Log2(m.M[f][l] / m.U[f][l]))
		}
		if f == Document || f == Phone {
			s.rare[f] = make([]float32, len(c.words[f]))
			for id, n := range c.words[f] {
				chance := documentChance * float64(n) * float64(n) * float64(n)
				if f == Phone {
					chance = phoneChance * float64(n) * float64(n)
				}
				s.rare[f][id] = float32(math.Log2(m.U[f][agrees] / min(chance, 1)))
			}
			continue
		}
		lex := x.lexiconOf(f)
		if lex == nil {
			continue
		}
		n := float64(c.n[f]) + 1
		sounds := make([]uint32, len(lex.heard)+1)
		for id, count := range c.words[f] {
			sounds[lex.sounds[id]] += count
		}
		s.rare[f], s.heard[f] = make([]float32, len(lex.texts)), make([]float32, len(lex.texts))
		uHeard := 0.0
		for _, k := range sounds[1:] {
			uHeard += float64(k) / n * float64(k) / n
		}
		uHeard = max(uHeard, 1/n/n)
		for id, count := range c.words[f] {
			s.rare[f][id] = float32(math.Log2(m.U[f][levelSame] / (max(float64(count)-1, 0.5) / n)))
			if lex.sounds[id] != 0 {
				s.heard[f][id] = float32(math.Log2(uHeard / (max(float64(sounds[lex.sounds[id]])-1, 0.5) / n)))
			}
		}
	}
	for _, f := range [...]Field{Email, Area, Place, Address} {
		most := float32(0)
		for l := range m.M[f] {
			most = max(most, s.bits[f][l])
		}
		rare := float32(0)
		for _, r := range s.rare[f] {
			rare = max(rare, r)
		}
		if c.n[f] > 0 {
			s.most += most + rare
		}
	}
	// A name in the other's place tells what its rarity tells, in either place.
	s.swapped = make([]float32, len(x.names.texts))
	for id := range s.swapped {
		chance := max(float64(c.words[Given][id])/float64(c.n[Given]+1), float64(c.words[Family][id])/float64(c.n[Family]+1),
			0.5/float64(c.n[Given]+1))
		s.swapped[id] = float32(-math.Log2(min(chance, 1)))
	}
	for _, f := range [...]Field{Given, Family} {
		s.bits[f][levelSwapped] = float32(math.Log2(m.M[f][levelSwapped]))
	}
	return s
}

// rarer is what the rarity of the words adds to the bits of the levels.
func (s *score) rarer(e *evidence) (bits float32) {
	for _, f := range [...]Field{Given, Family, Between, Document, Phone, Email, Area, Place} {
		switch l := e.pattern.level(f); {
		case l == levelSwapped && f <= Family:
			bits += s.swapped[e.words[f]]
		case l == levelSame:
			bits += s.rare[f][e.words[f]]
		case l >= levelTwin && l <= levelSounds && s.heard[f] != nil:
			bits += s.heard[f][e.words[f]]
		}
	}
	return bits
}

func (s *score) of(p pattern) (bits float32) {
	for f := range fields {
		bits += s.bits[f][p.level(f)]
	}
	return bits
}

// learn works out a Model: U from pairs drawn at random, which are different people
// nearly all, and stays; M and the prior from the pairs that share a block, by
// expectation and maximisation. To learn U again from pairs that share a block would
// be to take people who agree for the rule.
func (x *Index) learn(ctx context.Context, c *comparer, cnt *counts, b *blocks, seed uint64) (*Model, error) {
	m := &Model{}
	n := float64(len(x.people))
	all := max(n*(n-1)/2, 1)
	for f := range fields {
		m.M[f] = append([]float64{}, priors[f]...)
	}
	random := x.random(c, cnt, seed)
	for f := range fields {
		m.U[f] = append([]float64{}, random[f]...)
	}
	m.Prior = min(max(0.1*n/all, 1/all), 0.1)
	if cnt.telling() < 2 { // one field alone cannot tell how many there are: one other for each
		m.Prior = min(n/all, 0.1)
	}
	type learnt struct {
		pattern pattern
		rarer   float32
	}
	every := uint64(1 + b.pairs/learnPairs)
	var pairs []learnt
	s := x.scoring(m, cnt)
	err := b.each(ctx, 0, every, seed, nil, func(t *meeting) {
		if t.a.house != 0 && t.a.house == t.b.house { // who lives together is alike in ways of its own
			return
		}
		e := c.first(t.a, t.b)
		if s.prior+s.of(e.pattern)+s.rarer(&e)+s.most < leastLearnt && c.measure == nil {
			return
		}
		c.rest(t.a, t.b, &e)
		if rarer := s.rarer(&e); s.prior+s.of(e.pattern)+rarer >= leastLearnt {
			pairs = append(pairs, learnt{e.pattern, rarer})
		}
	})
	if err != nil {
		return nil, err
	}
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := x.scoring(m, cnt)
		var seen [fields][16]float64
		matches := 0.0
		for _, p := range pairs {
			q := posterior(s.prior + s.of(p.pattern) + p.rarer)
			matches += q
			for f := range fields {
				seen[f][p.pattern.level(f)] += q
			}
		}
		w := float64(every)
		for f := range fields {
			for _, g := range groupsOf(f) {
				sum := 0.0
				for l := g[0]; l < g[1]; l++ {
					sum += seen[f][l] * w
				}
				for l := g[0]; l < g[1]; l++ {
					m.M[f][l] = (seen[f][l]*w + priorPairs*priors[f][l]) / (sum + priorPairs)
				}
			}
		}
		m.believeBirths()
		m.clean(random)
		if cnt.telling() > 1 {
			m.Prior = min(max(matches*w/all, 1/all), 0.1)
		}
	}
	return m, nil
}

// believeBirths holds M of births that agree in nothing to mostDiffer; what is over goes to
// the other levels, in proportion.
func (m *Model) believeBirths() {
	for _, g := range groupsOf(Birth) {
		last := g[1] - 1
		over := m.M[Birth][last]
		if over <= mostDiffer {
			continue
		}
		for l := g[0]; l < last; l++ {
			m.M[Birth][l] *= (1 - mostDiffer) / (1 - over)
		}
		m.M[Birth][last] = mostDiffer
	}
}

// random tells how often random pairs agree; that two have the very same word, from how
// many have each.
func (x *Index) random(c *comparer, cnt *counts, seed uint64) (u [fields][]float64) {
	var seen [fields][16]float64
	add := func(i, j int) {
		e := c.compare(&x.people[i], &x.people[j])
		for f := range fields {
			seen[f][e.pattern.level(f)]++
		}
	}
	n := len(x.people)
	switch {
	case n < 2:
	case n*(n-1)/2 <= randomPairs:
		for i := range n {
			for j := range i {
				add(i, j)
			}
		}
	default:
		r := rand.New(rand.NewPCG(seed, 0xa1d))
		for range randomPairs {
			i, j := r.IntN(n), r.IntN(n)
			if i != j {
				add(i, j)
			}
		}
	}
	for f := range fields {
		u[f] = make([]float64, len(priors[f]))
		for _, g := range groupsOf(f) {
			sum := 0.0
			for l := g[0]; l < g[1]; l++ {
				sum += seen[f][l]
			}
			levels := float64(g[1] - g[0])
			for l := g[0]; l < g[1]; l++ {
				u[f][l] = (seen[f][l] + 0.5) / (sum + 0.5*levels)
			}
		}
		if cnt.words[f] != nil && f != Address {
			same := 0.0
			for _, k := range cnt.words[f] {
				same += float64(k) * float64(k)
			}
			k := float64(cnt.n[f]) + 1
			u[f][levelSame] = max(same/k/k, 1/k/k)
		}
	}
	return u
}

// clean takes out of U what pairs of one person brought into random pairs:
// random = prior * M + (1 - prior) * U. At most three quarters of it, since a
// guess about M stands behind it.
func (m *Model) clean(random [fields][]float64) {
	for f := range fields {
		for l, r := range random[f] {
			m.U[f][l] = max(r-m.Prior*m.M[f][l], r/4) / (1 - m.Prior)
		}
	}
}

// compare is first and rest.
func (c *comparer) compare(a, b *person) evidence {
	e := c.first(a, b)
	c.rest(a, b, &e)
	return e
}

// posterior is the chance that bits of evidence stand for.
func posterior(bits float32) float64 {
	if bits < -40 {
		return 0
	}
	return 1 / (1 + math.Exp(-math.Ln2*float64(bits)))
}

// Whole reports whether a Model that was kept has a number over 0 for each field and level.
func (m *Model) Whole() bool {
	if !(m.Prior > 0 && m.Prior < 1) {
		return false
	}
	for f := range fields {
		for _, list := range [...][]float64{m.M[f], m.U[f]} {
			if len(list) != len(priors[f]) || slices.ContainsFunc(list, func(v float64) bool { return !(v > 0) }) {
				return false
			}
		}
	}
	return true
}
