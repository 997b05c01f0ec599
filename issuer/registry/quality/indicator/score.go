package indicator

import (
	"math"

	"aidpass/issuer/registry/quality"
)

// scoreVersion is of how the composite is made.
const scoreVersion = 1

// A Score is the composite of a cell: the weighted mean of its dimensions, and each of those
// the mean of its indicators' own figures, as shares that are right. What is not measured
// does not count. It orders places by where to look first, and says no more.
type Score struct {
	Version    int                `json:"version"`
	Value      float64            `json:"value"` // 0 to 100
	Known      bool               `json:"known"` // false: nothing is measured
	Dimensions map[string]float64 `json:"dimensions"`
	Weights    map[string]float64 `json:"weights"` // of the policy, when it was made
}

// Score returns the composite of a cell.
func (r *Report) Score(c Cut, value string) Score {
	return ScoreOf(r.Indicators, r.Policy, c, value)
}

// ScoreOf is the composite of a cell of indicators that were measured.
func ScoreOf(list []Measured, p quality.Policy, c Cut, value string) Score {
	s := Score{Version: scoreVersion, Dimensions: map[string]float64{}, Weights: map[string]float64{}}
	sums, counts := map[string]float64{}, map[string]float64{}
	for i := range list {
		m := &list[i]
		if share, ok := m.Definition.share(m.In(c, value)); ok {
			sums[m.Definition.Dimension] += share
			counts[m.Definition.Dimension]++
		}
	}
	total, weights := 0.0, 0.0
	for _, d := range quality.Dimensions {
		dim := string(d)
		w, own := p.Measured.Weights[dim]
		if !own {
			w = 1
		}
		s.Weights[dim] = w
		if counts[dim] == 0 {
			continue
		}
		s.Dimensions[dim] = math.Round(sums[dim]/counts[dim]*1e4) / 1e4
		total += w * s.Dimensions[dim]
		weights += w
	}
	if weights > 0 {
		s.Value, s.Known = math.Round(total/weights*1e4)/1e4, true
	}
	return s
}

// share is the own figure as a share that is right: hours are whole up to green, and nothing
// at twice amber.
func (d *Definition) share(t Tally) (float64, bool) {
	f := &d.Figures[0]
	v, ok := f.value(t)
	switch {
	case !ok:
		return 0, false
	case f.Unit != Percent:
		return 100 * min(1, max(0, (2*f.Amber-v)/max(2*f.Amber-f.Green, 1e-9))), true
	case f.Less:
		return 100 - v, true
	}
	return v, true
}
