//go:build race

package qr_test

// Under the race detector sync.Pool drops what it holds at random, so that
// allocations cannot be counted.
const underRace = true
