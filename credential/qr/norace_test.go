//go:build !race

package qr_test

const underRace = false
