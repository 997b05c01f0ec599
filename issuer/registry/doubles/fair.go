package doubles

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// Fair tells whether people are found alike, whatever script their names are written in
// and whichever sex they are (DOMAIN.md 4.3). Somebody of each group is entered a second
// time, in memory alone, with one typing mistake in her name or birth, without document
// and telephone and in no household; recall is how many of these are found.
type Fair struct {
	At     time.Time `json:"at"`
	Groups []Group   `json:"groups"` // by script, then by sex
}

// A Group of people.
type Group struct {
	By          string  `json:"by"`    // script, sex
	Value       string  `json:"value"` // ISO 15924, or f, m, x, u
	Few         bool    `json:"few,omitempty"`
	People      int     `json:"people,omitempty"`
	Planted     int     `json:"planted,omitempty"`
	Found       int     `json:"found,omitempty"` // of Planted
	PerThousand float64 `json:"pairs_per_thousand,omitempty"`
	Same        int     `json:"same,omitempty"` // pairs of a run that people confirmed
	Different   int     `json:"different,omitempty"`
	Behind      bool    `json:"behind,omitempty"` // recall more than five points under the best
}

// Recall is the share of the planted that was found; ok is false where too few were.
func (g Group) Recall() (share float64, ok bool) {
	return float64(g.Found) / float64(max(g.Planted, 1)), g.Planted >= fewest
}

// Confirmed is the share of decided pairs that people said are one person.
func (g Group) Confirmed() (share float64, ok bool) {
	n := g.Same + g.Different
	return float64(g.Same) / float64(max(n, 1)), n > 0
}

const (
	fewest     = 10   // people and households under which a group is not told
	planted    = 200  // of a group at most
	behind     = 0.05 // recall under the best
	mostGroups = 64   // a register of more scripts is noise
)

// A group is one while it is counted.
type group struct {
	people, pairs   int
	homes           map[registry.ID]bool // the first few
	sampled         []sampled
	same, different int
	planted, found  int
}

type sampled struct {
	n      int // of the index
	person registry.Person
}

type groupKey struct{ by, value string }

// A sample knows who is of which group, and keeps some of each.
type sample struct {
	rand   *rand.Rand
	of     map[registry.ID][2]uint8 // by record: numbers of her groups
	keys   []groupKey
	groups []*group
}

func newSample() *sample {
	return &sample{rand: rand.New(rand.NewPCG(1, 0xfa1)), of: map[registry.ID][2]uint8{}}
}

func (s *sample) group(by, value string) uint8 {
	k := groupKey{by, value}
	n := slices.Index(s.keys, k)
	if n < 0 && len(s.keys) >= mostGroups {
		k.value = "other"
		n = slices.Index(s.keys, k)
	}
	if n < 0 {
		n = len(s.keys)
		s.keys, s.groups = append(s.keys, k), append(s.groups, &group{homes: map[registry.ID]bool{}})
	}
	return uint8(n)
}

// see counts somebody who was added to the index as number n.
func (s *sample) see(n int, id, home registry.ID, p registry.Person, h *registry.Household) {
	script, sex := "none", cmp.Or(p.Sex, "u")
	if len(p.Names) > 0 {
		script = cmp.Or(p.Names[0].Script, script)
	}
	groups := [2]uint8{s.group("script", script), s.group("sex", sex)}
	s.of[id] = groups
	if home.IsZero() {
		home = id
	}
	if p.Location == nil && h != nil {
		p.Location = h.Location
	}
	p = registry.Person{Names: p.Names, Sex: p.Sex, Birth: p.Birth, Location: p.Location, Registered: p.Registered}
	for _, k := range groups {
		g := s.groups[k]
		if g.people++; len(g.homes) < fewest {
			g.homes[home] = true
		}
		if len(p.Names) == 0 || p.Names[0].Text == "" && len(p.Names[0].Parts) == 0 {
			continue
		}
		if len(g.sampled) < planted {
			g.sampled = append(g.sampled, sampled{n, p})
		} else if i := s.rand.IntN(g.people); i < planted {
			g.sampled[i] = sampled{n, p}
		}
	}
}

// fairness measures the groups. The people it plants go into the index of the run, which is
// not kept any more.
func (r *run) fairness(found []pair) (*Fair, error) {
	s, x := r.sample, r.index
	for _, p := range found {
		for _, g := range s.groupsOf(p.a, p.b) {
			g.pairs++
		}
	}
	decided, err := r.stored()
	if err != nil {
		return nil, err
	}
	for k, d := range decided {
		if d.match == nil {
			continue
		}
		for _, g := range s.groupsOf(k[0], k[1]) {
			switch d.decided {
			case registry.Same:
				g.same++
			case registry.Different:
				g.different++
			}
		}
	}
	from := x.Len()
	type double struct {
		of int
		g  *group
	}
	var doubles []double
	for _, g := range s.groups {
		if g.few() {
			continue
		}
		for _, one := range g.sampled {
			twice, ok := s.mistyped(one.person)
			if !ok {
				continue
			}
			g.planted++
			doubles = append(doubles, double{one.n, g})
			x.Add(match.FromPerson(registry.ID{}, twice, registry.ID{}, nil, r.desk.Store.Hash))
		}
	}
	if len(doubles) > 0 {
		res, err := x.Run(r.ctx, match.Options{Model: r.model, From: from, Seed: 1})
		if err != nil {
			return nil, err
		}
		for _, p := range res.Pairs {
			if p.B >= from && doubles[p.B-from].of == p.A {
				doubles[p.B-from].g.found++
			}
		}
	}
	return s.fair(r.rep.At), nil
}

// groupsOf are the groups that either of two records is of, each once.
func (s *sample) groupsOf(ids ...registry.ID) (list []*group) {
	for _, id := range ids {
		of, ok := s.of[id]
		if !ok {
			continue // closed since
		}
		for _, k := range of {
			if !slices.Contains(list, s.groups[k]) {
				list = append(list, s.groups[k])
			}
		}
	}
	return list
}

func (g *group) few() bool { return g.people < fewest || len(g.homes) < fewest }

// fair makes the report. Of a group of few nothing is told but that it is there.
func (s *sample) fair(at time.Time) *Fair {
	f := &Fair{At: at}
	best := map[string]float64{}
	for i, g := range s.groups {
		out := Group{By: s.keys[i].by, Value: s.keys[i].value, Few: g.few()}
		if !out.Few {
			out.People, out.Planted, out.Found, out.Same, out.Different = g.people, g.planted, g.found, g.same, g.different
			out.PerThousand = float64(g.pairs) * 1000 / float64(g.people)
		}
		if recall, ok := out.Recall(); ok {
			best[out.By] = max(best[out.By], recall)
		}
		f.Groups = append(f.Groups, out)
	}
	for i := range f.Groups {
		g := &f.Groups[i]
		recall, ok := g.Recall()
		g.Behind = ok && recall < best[g.By]-behind
	}
	slices.SortFunc(f.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(b.People, a.People), cmp.Compare(a.Value, b.Value))
	})
	return f
}

// mistyped is somebody entered again at another desk, with one typing mistake; ok is false
// where there is nothing to mistype.
func (s *sample) mistyped(p registry.Person) (registry.Person, bool) {
	name := p.Names[0]
	name.Parts = slices.Clone(name.Parts)
	p.Names = []registry.Name{name}
	if p.Birth != nil && s.rand.IntN(3) == 0 {
		b := *p.Birth
		if day, ok := s.otherDay(b.EDTF); ok {
			b.EDTF, p.Birth = day, &b
			return p, true
		}
	}
	n := &p.Names[0]
	if len(n.Parts) > 0 {
		part := &n.Parts[s.rand.IntN(len(n.Parts))]
		was := part.Text
		part.Text = s.typo(part.Text)
		return p, part.Text != was
	}
	was := n.Text
	n.Text = s.typo(n.Text)
	return p, n.Text != was
}

// otherDay has another digit in a day; ok is false for what is no day.
func (s *sample) otherDay(edtf string) (string, bool) {
	if _, err := time.Parse(time.DateOnly, edtf); err != nil {
		return "", false
	}
	for range 20 {
		b := []byte(edtf)
		at := 3 + s.rand.IntN(len(b)-3)
		if b[at] != '-' {
			b[at] = byte('0' + s.rand.IntN(10))
		}
		if _, err := time.Parse(time.DateOnly, string(b)); err == nil && string(b) != edtf {
			return string(b), true
		}
	}
	return "", false
}

// typo changes, puts in or leaves out one letter of a text, in its own script.
func (s *sample) typo(text string) string {
	runes := []rune(text)
	var letters []int
	alphabet := map[rune]bool{}
	for i, c := range runes {
		if unicode.IsLetter(c) {
			letters = append(letters, i)
			alphabet[unicode.ToLower(c)] = true
		}
	}
	if len(letters) < 2 {
		return text
	}
	at, with := letters[s.rand.IntN(len(letters))], slices.Sorted(maps.Keys(alphabet))[s.rand.IntN(len(alphabet))]
	switch s.rand.IntN(3) {
	case 0:
		if runes[at] == with {
			return string(slices.Delete(runes, at, at+1))
		}
		runes[at] = with
	case 1:
		runes = slices.Insert(runes, at, with)
	default:
		runes = slices.Delete(runes, at, at+1)
	}
	return strings.TrimSpace(string(runes))
}
