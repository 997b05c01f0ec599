package wallet_test

import (
	"testing"

	"aidpass/internal/cose"
	"aidpass/wallet"
)

// unproved is the same as it came while the issuer's keys could not be fetched.
func unproved(list []wallet.Received) []wallet.Received {
	for i := range list {
		list[i].IssuerKey = nil
	}
	return list
}

func (w *world) prove(t *testing.T, h *wallet.Wallet, c *wallet.Card) *wallet.Card {
	t.Helper()
	if err := c.Prove(func(wallet.Copy) (*cose.Key, error) { return w.pub, nil }); err != nil {
		t.Fatal(err)
	}
	return h.Renewed(c)
}

// New copies that nobody proved take no card's place: both stay, and the new ones take it
// once they are proved, under the id of the old.
func TestNewCopiesTakeAPlaceOnceTheyAreProved(t *testing.T) {
	for name, replaces := range map[string]bool{"named": true, "known by whom it is counted under": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			h, c := w.filled(t, 3)
			id, wanted := c.ID, ""
			if replaces {
				wanted = id
			}
			for n := range 2 { // asked for twice
				if _, err := h.Add(unproved(w.received(t, 4+n)), wanted, w.newID, at+1); err != nil {
					t.Fatal(err)
				}
			}
			stays(t, h)
			if len(h.Cards) != 3 || h.Cards[0].ID != id || h.Cards[0].Unproved() || len(h.Cards[0].Copies) != 4 || !h.Cards[1].Unproved() {
				t.Fatalf("%d cards, the first of %d copies", len(h.Cards), len(h.Cards[0].Copies))
			}
			h, _ = wallet.Decode(h.Encode())
			second, third := h.Cards[1], h.Cards[2]
			for i, p := range []*wallet.Card{second, third} {
				now := w.prove(t, h, p)
				if now.ID != id || h.Find(id) != now || now.Unproved() || len(now.Copies) != 5+i || len(h.Cards) != 2-i {
					t.Errorf("proved, it is %q with %d copies of %d cards", now.ID, len(now.Copies), len(h.Cards))
				}
			}
			for _, e := range h.Log {
				if len(e.Cards) != 1 || e.Cards[0] != id {
					t.Errorf("the log tells of %q, which is no card", e.Cards)
				}
			}
			stays(t, h)
		})
	}
}

// What waited for a place is forgotten once something later has it: its issuer cancelled it.
func TestWhatIsLaterHasThePlace(t *testing.T) {
	w := newWorld(t)
	h, c := w.filled(t, 1)
	if _, err := h.Add(unproved(w.received(t, 2)), c.ID, w.newID, at+1); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Add(w.received(t, 3), c.ID, w.newID, at+2); err != nil || len(h.Cards) != 1 || len(h.Cards[0].Copies) != 4 {
		t.Errorf("%d cards, %v", len(h.Cards), err)
	}
	// Nor does what was proved to be of somebody else take it, whatever it was asked for.
	w.counted = "another-person-0"
	if _, err := h.Add(unproved(w.received(t, 2)), c.ID, w.newID, at+3); err != nil {
		t.Fatal(err)
	}
	if now := w.prove(t, h, h.Cards[1]); now.ID == c.ID || len(h.Cards) != 2 || now.Replaces != "" {
		t.Errorf("%d cards", len(h.Cards))
	}
}
