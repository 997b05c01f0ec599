package match

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
)

// An Outcome is what is to be done about two records.
type Outcome uint8

// The outcomes. Nothing is ever merged by one of them: Duplicate is a queue that goes
// faster, Review one that wants a careful look.
const (
	Unique Outcome = iota
	Review
	Duplicate
)

// Options of a run; the zero value is the usual one.
type Options struct {
	Model     *Model  // nil: one is learnt
	From      int     // compare only pairs of which one was added as this number or later; 0: all
	MaxBlock  int     // people of a block at most; 0: 400, fewer from 80,000 people on, at least 32
	Review    float64 // least chance at which a pair is shown to people; 0: 0.5
	Duplicate float64 // least chance at which it is told to be one person; 0: 0.99
	Measure   Measure // of two words; nil: JaroWinkler, each pair of words once
	Seed      uint64  // of what is drawn
	Progress  func(done, of int64)
}

// A Pair are two records that may be one person.
type Pair struct {
	A, B    int // numbers of the Index, A < B
	Bits    float32
	Outcome Outcome
	Guard   string  // why it is no Duplicate although its chance is: GuardTwins; or empty
	Context float32 // of Bits: what other members of the two households that fit too add
	pattern pattern
}

// Chance is how likely the two are one person.
func (p Pair) Chance() float64 { return posterior(p.Bits) }

// GuardTwins: two of one household, born on one day, whose given names differ.
const GuardTwins = "twins"

// A Result is what a run found.
type Result struct {
	Pairs    []Pair // Review and Duplicate, by A and B
	Model    *Model
	Compared int64 // pairs that shared a block
	Rules    []RuleCount

	comparer *comparer // what Explain asks
	score    *score
}

// A RuleCount is what a rule of blocking brought.
type RuleCount struct {
	Rule  string `json:"rule"`
	Pairs int64  `json:"pairs"` // that no rule before it had
	Cut   int    `json:"cut"`   // people whose block was too large, and was parted
}

// ErrFull refuses an Index of more people or words than numbers reach.
var ErrFull = errors.New("match: more people or words than one index holds")

// blockSize is how large a block may be, so that a register of a million is compared in
// seconds: the more people there are, the more agree in what parts a block further.
func (x *Index) blockSize() int {
	return min(max(pairsPerRule/(len(x.people)+1), leastBlock), mostBlock)
}

const (
	mostBlock        = 400
	leastBlock       = 32
	pairsPerRule     = 32_000_000
	defaultReview    = 0.5
	defaultDuplicate = 0.99
	houseBits        = 3 // for each other pair of the two households that fits
	mostHouseBits    = 6
	mostMembers      = 30 // of a household that are looked at
)

// Run compares people. The same Index, Options and seed give the same Result.
func (x *Index) Run(ctx context.Context, o Options) (*Result, error) {
	if len(x.people) >= math.MaxUint32 || len(x.names.texts) >= maxWords {
		return nil, ErrFull
	}
	if o.MaxBlock == 0 {
		o.MaxBlock = x.blockSize()
	}
	if o.Review == 0 {
		o.Review = defaultReview
	}
	if o.Duplicate == 0 {
		o.Duplicate = defaultDuplicate
	}
	b, err := x.block(ctx, o.MaxBlock)
	if err != nil {
		return nil, err
	}
	for _, l := range []*lexicon{x.names, x.emails, x.areas, x.places, x.streets} {
		l.remember(len(x.people))
	}
	cnt := x.count()
	c := &comparer{Index: x, measure: o.Measure, rarity: cnt.rarity()}
	res := &Result{Model: o.Model}
	if res.Model == nil {
		if res.Model, err = x.learn(ctx, c, cnt, b, o.Seed); err != nil {
			return nil, err
		}
	}
	s := x.scoring(res.Model, cnt)
	res.comparer, res.score = c, s
	res.Rules = make([]RuleCount, len(rules))
	for k, r := range rules {
		res.Rules[k] = RuleCount{Rule: r.name, Cut: b.cut[k]}
	}
	review, duplicate := bitsOf(o.Review), bitsOf(o.Duplicate)
	var progress func(int64)
	if o.Progress != nil {
		progress = func(n int64) { o.Progress(n, b.pairs) }
	}
	err = b.each(ctx, o.From, 1, 0, progress, func(m *meeting) {
		res.Rules[m.rule].Pairs++
		keep := review
		if m.a.house != 0 && m.b.house != 0 && m.a.house != m.b.house {
			keep -= mostHouseBits
		}
		e := c.first(m.a, m.b)
		if s.prior+s.of(e.pattern)+s.rarer(&e)+s.most < keep && o.Measure == nil {
			return
		}
		c.rest(m.a, m.b, &e)
		if bits := s.prior + s.of(e.pattern) + s.rarer(&e); bits >= keep {
			res.Pairs = append(res.Pairs, Pair{A: int(m.i), B: int(m.j), Bits: bits, pattern: e.pattern})
		}
	})
	if err != nil {
		return nil, err
	}
	for _, r := range res.Rules {
		res.Compared += r.Pairs
	}
	slices.SortFunc(res.Pairs, func(a, b Pair) int { return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B)) })
	x.context(c, s, res.Pairs, review)
	res.Pairs = slices.DeleteFunc(res.Pairs, func(p Pair) bool { return p.Bits < review })
	for i := range res.Pairs {
		p := &res.Pairs[i]
		p.Outcome = Review
		if p.Bits >= duplicate {
			p.Outcome = Duplicate
			if x.twins(p) {
				p.Outcome, p.Guard = Review, GuardTwins
			} else if p.Bits < duplicate+apartBits && x.bornApart(&x.people[p.A], &x.people[p.B], p.pattern) {
				p.Outcome = Review
			}
		}
	}
	return res, nil
}

// Candidates calls f for each pair that Run would compare with the same Options, once.
func (x *Index) Candidates(ctx context.Context, o Options, f func(a, b int)) error {
	if o.MaxBlock == 0 {
		o.MaxBlock = x.blockSize()
	}
	b, err := x.block(ctx, o.MaxBlock)
	if err != nil {
		return err
	}
	return b.each(ctx, o.From, 1, 0, nil, func(m *meeting) { f(int(m.i), int(m.j)) })
}

func bitsOf(chance float64) float32 { return float32(math.Log2(chance / (1 - chance))) }

// twins tells pairs that live together, may be born on one day, and are called
// differently: brothers and sisters, until people say otherwise.
func (x *Index) twins(p *Pair) bool {
	a, b := &x.people[p.A], &x.people[p.B]
	given := p.pattern.level(Given)
	return a.house != 0 && a.house == b.house && given > levelClose && given != absent
}

// Of whom births agree in nothing.
const (
	yearsApart = 5 // years between births of which one may have been guessed
	apartBits  = 4 // more bits than of others, until two are told to be one
)

// bornApart tells pairs whose births are on record and agree in nothing, and for whom no
// document speaks. Where few names are shared by many they are namesakes: people look, and
// no household vouches for them, since whole households of namesakes would for each other.
func (x *Index) bornApart(a, b *person, p pattern) bool {
	if p.level(Document) == agrees {
		return false
	}
	switch p.level(Birth) {
	case birthDiffers:
		apart := int(a.born.year) - int(b.born.year)
		return apart < -yearsApart || apart > yearsApart
	case yearDiffers, decadeDiffers:
		return true
	}
	return false
}

// context adds to pairs of two households of which other members fit too. It compares
// the members itself, so that it does not matter which pairs a run was asked for.
func (x *Index) context(c *comparer, s *score, pairs []Pair, review float32) {
	members := map[uint32][]int{}
	for _, p := range pairs {
		members[x.people[p.A].house], members[x.people[p.B].house] = nil, nil
	}
	delete(members, 0)
	for i := range x.people {
		if list, ok := members[x.people[i].house]; ok && len(list) < mostMembers {
			members[x.people[i].house] = append(list, i)
		}
	}
	for n := range pairs {
		p := &pairs[n]
		a, b := &x.people[p.A], &x.people[p.B]
		if a.house == 0 || b.house == 0 || a.house == b.house || x.bornApart(a, b, p.pattern) {
			continue
		}
		taken := map[int]bool{p.A: true, p.B: true}
		for _, i := range members[a.house] {
			for _, j := range members[b.house] {
				if taken[i] || taken[j] || p.Context >= mostHouseBits {
					continue
				}
				one, other := &x.people[min(i, j)], &x.people[max(i, j)]
				e := c.compare(one, other)
				if !x.bornApart(one, other, e.pattern) && s.prior+s.of(e.pattern)+s.rarer(&e) >= review-mostHouseBits {
					taken[i], taken[j] = true, true
					p.Context += houseBits
				}
			}
		}
		p.Bits += p.Context
	}
}
