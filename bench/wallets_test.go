package main

import "testing"

// Both sides of the bar answer.
func TestTheCredentialEndpointIsMeasured(t *testing.T) {
	for _, r := range wallets(0) {
		t.Logf("%s: %s (%s)", r.name, r.measured, r.against)
	}
}
