package access_test

import (
	"fmt"
	"testing"
	"time"

	"aidpass/access"
)

// Who enters many, late, or with always the same second, is told, in counts.
func TestUnusualWork(t *testing.T) {
	u := access.Unusual{Zone: time.FixedZone("", 3*3600)}
	day := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC) // ten in the morning there
	add := func(who, second, action string, at time.Time, n int) {
		for range n {
			u.Add(&access.Entry{Time: at, Action: access.Action(action), Actor: access.Actor{ID: who, Role: access.Registrar, SecondPerson: second}})
		}
	}
	for i, who := range []string{"amina", "carol", "dawit"} {
		for h := range 5 {
			add(who, "", "person.enter", day.Add(time.Duration(h)*time.Hour), 8+i)
		}
	}
	add("fast", "", "unit.change", day, 31)
	add("late", "", "card.replace", day.Add(11*time.Hour), 6) // nine in the evening there
	add("late", "", "card.replace", day, 18)
	add("pair", "bilal", "approval.carried", day, 8)
	add("pair", "carol", "approval.carried", day, 2)
	add("fair", "bilal", "approval.carried", day, 5)
	add("fair", "carol", "approval.carried", day, 5)
	add("amina", "", "person.read", day, 400)
	add("amina", "", "account.sign-in", day, 400)
	add("device-1", "", "person.enter", day, 400)
	for h := range 10 { // twenty on a day, and two on the next
		add("offers", "", "offer.create", day.Add(time.Duration(h/5)*time.Hour), 2)
	}
	add("offers", "", "offer.create", day.Add(24*time.Hour), 2)
	got := map[string]string{}
	for _, w := range u.Rows() {
		got[w.Account] = fmt.Sprintf("%d %d %d %d/%d%s fast=%v late=%v pair=%v", w.Changes, w.Hour, w.After, w.Same, w.Asked, w.Second, w.Fast, w.Late, w.Pair)
		if who := w.Account == "offers"; who != w.Many || who && (w.Offers != 22 || w.OfDay != 20) {
			t.Errorf("%s made %d offers, %d on a day: %v", w.Account, w.Offers, w.OfDay, w.Many)
		}
	}
	for who, want := range map[string]string{
		"amina": "40 8 0 0/0 fast=false late=false pair=false",
		"fast":  "31 31 0 0/0 fast=true late=false pair=false",
		"late":  "24 18 6 0/0 fast=false late=true pair=false",
		"pair":  "0 0 0 8/10bilal fast=false late=false pair=true",
		"fair":  "0 0 0 5/10bilal fast=false late=false pair=false",
	} {
		if got[who] != want {
			t.Errorf("%s: %s, want %s", who, got[who], want)
		}
	}
	if len(got) != 8 {
		t.Errorf("%d accounts are told: %v", len(got), got)
	}
}
