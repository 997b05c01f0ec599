package indicator

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Count is what was looked at and what of it is wrong.
type Count struct {
	Of  int64 `json:"of"`
	Bad int64 `json:"bad"`
	// Loss is how much of what was looked at is lost, in millionths of one, where a record
	// is not simply right or wrong (DQ-01).
	Loss int64 `json:"loss,omitempty"`
}

func (c Count) plus(d Count) Count { return Count{c.Of + d.Of, c.Bad + d.Bad, c.Loss + d.Loss} }

// A Tally is the counts of one indicator in one cell, by slot: "" the indicator's own, else
// a field (DQ-03), a step of a scale (DQ-16, DQ-24), or another count beside.
type Tally map[string]Count

// Plus adds another cell's counts: the tally of both together.
func (t Tally) Plus(u Tally) Tally {
	sum := maps.Clone(t)
	if sum == nil {
		sum = Tally{}
	}
	for slot, c := range u {
		sum[slot] = sum[slot].plus(c)
	}
	return sum
}

const million = 1_000_000

// least is how many there must be before some figures say anything.
const (
	leastAges     = 100 // declared ages, for Whipple's index
	leastRechecks = 60  // DOMAIN.md 5, DQ-27
)

func right(slot string) func(Tally) (float64, bool) {
	return func(t Tally) (float64, bool) {
		c := t[slot]
		return 100 - 100*float64(c.Bad)/float64(max(c.Of, 1)), c.Of > 0
	}
}

func wrong(slot string) func(Tally) (float64, bool) {
	return func(t Tally) (float64, bool) {
		c := t[slot]
		return 100 * float64(c.Bad) / float64(max(c.Of, 1)), c.Of > 0
	}
}

// mean is of records that are right in part.
func mean(t Tally) (float64, bool) {
	c := t[""]
	return 100 - 100*float64(c.Loss)/float64(max(c.Of, 1))/million, c.Of > 0
}

// fieldSlot begins the slots of fields of people, houseSlot those of households that are
// only counted.
const (
	fieldSlot = "field:"
	houseSlot = "house:"
)

// worstSlot is the field that is right least often: of people, and of counted households
// where there are no people, as a handful of them would stand for a camp. Empty: none is known.
func worstSlot(t Tally) (worst string) {
	for _, begin := range []string{fieldSlot, houseSlot} {
		for _, slot := range slices.Sorted(maps.Keys(t)) {
			c, w := t[slot], t[worst]
			if strings.HasPrefix(slot, begin) && c.Of > 0 && (worst == "" || c.Bad*w.Of > w.Bad*c.Of) {
				worst = slot
			}
		}
		if worst != "" {
			break
		}
	}
	return worst
}

func worst(t Tally) (float64, bool) { return right(worstSlot(t))(t) }

// A scale counts how long something is by steps; what is longer than the last falls in it.
type scale struct {
	name  string
	steps []int
}

var (
	ageScale = scale{"age:", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 21, 30, 45, 60, 90, 180, 365, 730}}
	lagScale = scale{"lag:", []int{1, 3, 6, 12, 24, 36, 48, 60, 72, 96, 120, 144, 168, 240, 336, 504, 720, 1440}}
)

// slot is the step of a length.
func (s scale) slot(n int) string {
	i, _ := slices.BinarySearch(s.steps, n)
	return s.name + strconv.Itoa(s.steps[min(i, len(s.steps)-1)])
}

// quantile returns the step at which a share q of all is reached.
func (s scale) quantile(q float64) func(Tally) (float64, bool) {
	return func(t Tally) (float64, bool) {
		all := int64(0)
		for _, step := range s.steps {
			all += t[s.name+strconv.Itoa(step)].Of
		}
		want, seen := int64(math.Ceil(q*float64(all))), int64(0)
		for _, step := range s.steps {
			if seen += t[s.name+strconv.Itoa(step)].Of; all > 0 && seen >= want {
				return float64(step), true
			}
		}
		return 0, false
	}
}

// excess is the share over what two days of a year have by chance.
func excess(t Tally) (float64, bool) {
	v, ok := wrong("")(t)
	return max(0, v-200.0/365), ok
}

// whipple is Whipple's index of declared ages from 23 to 62: 100 where they end in every
// digit alike, 500 where all end in 0 or 5.
func whipple(t Tally) (float64, bool) {
	c := t["ages"]
	return 500 * float64(c.Bad) / float64(max(c.Of, 1)), c.Of >= leastAges
}

// wilson is the lower bound of the share that is right, at 95 %.
func wilson(t Tally) (float64, bool) {
	c := t[""]
	if c.Of < leastRechecks {
		return 0, false
	}
	const z = 1.959964
	n, p := float64(c.Of), 1-float64(c.Bad)/float64(c.Of)
	return 100 * (p + z*z/2/n - z*math.Sqrt(p*(1-p)/n+z*z/4/n/n)) / (1 + z*z/n), true
}

// valueSlot begins the slots of sums of money, by currency.
const valueSlot = "value:"

// mostLost is the worst share over currencies of what does not add up.
func mostLost(t Tally) (v float64, ok bool) {
	for slot := range t {
		if share, has := wrong(slot)(t); strings.HasPrefix(slot, valueSlot) && has {
			v, ok = max(v, share), true
		}
	}
	return v, ok
}

// A Value is what one figure says in one cell.
type Value struct {
	Figure string  `json:"figure,omitempty"`
	Value  float64 `json:"value"` // meaningless where State is NA
	Unit   Unit    `json:"unit"`
	State  State   `json:"state"`
}

// Values are the figures of a tally, in the order of the definition.
func (d *Definition) Values(t Tally) []Value {
	list := make([]Value, 0, len(d.Figures))
	for i := range d.Figures {
		f := &d.Figures[i]
		v := Value{Figure: f.Name, Unit: f.Unit, State: NA}
		if n, ok := f.value(t); ok {
			v.Value = math.Round(n*1e4) / 1e4
			v.State = f.Judge(v.Value)
		}
		list = append(list, v)
	}
	return list
}

// State is the worst of its figures that say something.
func (d *Definition) State(t Tally) State {
	rank := map[State]int{NA: 0, Green: 1, Amber: 2, Red: 3}
	return slices.MaxFunc(d.Values(t), func(a, b Value) int { return cmp.Compare(rank[a.State], rank[b.State]) }).State
}

// Own are the counts by which the list of defects goes: as many entries as are bad.
func (d *Definition) Own(t Tally) Count {
	if d.ID == worstField {
		return t[worstSlot(t)]
	}
	return t[""]
}
