package main

import (
	"fmt"
	"slices"
	"time"
)

// slice is how long one function runs before the next one's turn: short, so that
// a neighbour's load falls on all of them alike.
const slice = 400 * time.Microsecond

// beside measures functions in turns for the budget, and returns the time of one
// call of the first, the floor, and for each function the median over all rounds
// of its time in units of the floor's time in the same round.
func beside(budget time.Duration, floor func(), others ...func()) (time.Duration, []float64) {
	runs := append([]func(){floor}, others...)
	calls := make([]int, len(runs))
	for i, f := range runs {
		f() // warm
		start := time.Now()
		f()
		calls[i] = max(1, int(slice/max(1, time.Since(start))))
	}
	took := make([]float64, len(runs)) // ns a call, in this round
	ratios := make([][]float64, len(runs))
	var floors []float64
	for round, end := 0, time.Now().Add(budget); round < 5 || time.Now().Before(end); round++ {
		for i := range runs {
			k := (i + round) % len(runs) // nobody always runs behind the same one
			start := time.Now()
			for range calls[k] {
				runs[k]()
			}
			took[k] = float64(time.Since(start)) / float64(calls[k])
		}
		floors = append(floors, took[0])
		for i, t := range took {
			ratios[i] = append(ratios[i], t/took[0])
		}
	}
	out := make([]float64, len(others))
	for i := range others {
		out[i] = median(ratios[i+1])
	}
	return time.Duration(median(floors)), out
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// micro writes a duration as the table has it.
func micro(what string, d time.Duration) string {
	return fmt.Sprintf("%s, %.1f us", what, float64(d)/1000)
}
