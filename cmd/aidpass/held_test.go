package main

import (
	"testing"

	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
)

// Two wallets that had one place within minutes, and were both cancelled, are two.
func TestTwoWalletsOfOnePlaceAreTwo(t *testing.T) {
	var cards []issuer.Card
	unit := issuer.NewUnitID()
	wallet := func(at credential.Time, copies int, forms ...credential.Form) {
		for _, f := range forms {
			for n := range copies {
				c := issuer.Card{}
				c.ID, c.Unit, c.Type, c.Programme, c.Round, c.Form, c.Copy, c.IssuedAt, c.Status = issuer.NewCTI(), unit, "eligibility", "K7Q2", 1, f, n, at, status.Invalid
				cards = append(cards, c)
			}
		}
	}
	wallet(1000, 8, credential.FormSDJWT, credential.FormBound)
	wallet(1000, 8, credential.FormSDJWT) // in the same second
	wallet(1200, 4, credential.FormSDJWT, credential.FormVCJWT)
	list, err := (&org{}).holdings(t.Context(), cards)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, h := range list {
		got = append(got, len(h.cards))
	}
	if len(got) != 3 || got[0] != 16 || got[1] != 8 || got[2] != 8 {
		t.Errorf("wallets of %d credentials, want 16, 8 and 8", got)
	}
}
