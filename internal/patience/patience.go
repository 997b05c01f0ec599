// Package patience waits in tests for what another goroutine, process or page brings: as
// long as it takes on a machine that does five other things, and never for a fixed while.
//
//	patience.Until(t, "the list is taken in", func() bool { return state() == Applied })
package patience

import (
	"testing"
	"time"
)

// Limit is how long anything is waited for that must come, also the longest that something
// may take that must end: no measure of speed, but the end of a test that hangs.
const Limit = 3 * time.Minute

// between two looks.
const between = 10 * time.Millisecond

// For waits until yes says so, Limit at the most, and reports whether it did.
func For(yes func() bool) bool {
	for end := time.Now().Add(Limit); ; time.Sleep(between) {
		if yes() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// Until is For, and ends the test where what never comes.
func Until(t testing.TB, what string, yes func() bool) {
	t.Helper()
	if !For(yes) {
		t.Fatalf("never within %v: %s", Limit, what)
	}
}
