package console_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/internal/browsertest"
	"aidpass/issuer/registry"
)

// twenty are people of whom none sounds like another.
var twenty = []string{"Amina Yusuf", "Hawa Bakari", "Zuhura Omar", "Fatuma Deng", "Khadija Nur", "Rehema Juma", "Salma Idris", "Mariam Tesfaye", "Halima Garang", "Nadia Farouk",
	"Leyla Warsame", "Sofia Mutua", "Grace Wanjiru", "Peter Lokiru", "Yonas Bekele", "Daud Kipchoge", "Ibrahim Saleh", "Jamal Hirsi", "Victor Mbeki", "Oscar Nkunda"}

// Twenty pairs decided by the keyboard alone, each by one key, with one taken back; the keys are
// off where something is typed and where they were switched off. What stops a card waits for a
// second reviewer, who sees the pair with its reasons and confirms.
func TestTwentyPairsByTheKeyboard(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.w
	var stops registry.ID
	for i, who := range twenty {
		found := looksLike()
		found.Bits += float32(len(twenty) - i)
		newer, _ := w.pair(found, who)
		if i == 0 {
			stops = newer
			w.giveCard(newer)
		}
	}
	d.as(w.add(own, "amal", access.Registrar))
	d.open("/doubles")
	script := browsertest.Eval[bool](d.Page, `!!document.querySelector("script[src]")`)
	d.Leave(func() { d.Enter("begin") }, `document.querySelector("#same")`)
	buttons := map[string]string{"1": "same", "2": "different", "3": "later"}
	press := func(key, then string) {
		t.Helper()
		d.Leave(func() {
			if script {
				d.Press(key)
			} else {
				d.Enter(buttons[key])
			}
		}, then)
	}
	const told = `document.querySelector(".note")`
	sent := func(key string) bool {
		d.Press(key)
		return browsertest.Eval[bool](d.Page, `!!document.sent`)
	}
	if script {
		browsertest.Eval[bool](d.Page, `(addEventListener("submit", (e) => { document.sent = true; e.preventDefault(); }), true)`)
		d.TabTo("until")
		if sent("2") {
			t.Error("a key decides where something is typed")
		}
		d.Enter("keys-off")
		if sent("2") {
			t.Error("a key decides although they are off")
		}
		d.Press("Enter") // the other button has the focus
		d.Leave(func() { d.Press("ArrowRight") }, `document.querySelector("h1 ~ table").innerText.includes("Hawa Bakari")`)
		d.Leave(func() { d.Press("ArrowLeft") }, `document.querySelector("h1 ~ table").innerText.includes("Amina Yusuf")`)
	}
	d.Axe("en a pair")
	for i, who := range twenty {
		if got := d.Text("main table"); !strings.Contains(got, who) {
			t.Fatalf("pair %d is not of %s: %s", i, who, got)
		}
		press([]string{"1", "2", "2", "3"}[i%4], told)
		if got := d.Text(".note"); !strings.Contains(got, who) {
			t.Fatalf("%s: %q", who, got)
		}
		if i == 5 { // a wrong key: taken back, and decided again
			d.Leave(func() {
				if script {
					d.Press("u")
				} else {
					browsertest.Eval[bool](d.Page, `(document.querySelector(".note button").click(), true)`)
				}
			}, `document.querySelector(".note")?.innerText.includes("open again")`)
			press("1", told)
		}
	}
	d.at("/doubles")
	count := map[string]int{}
	pairs, err := w.registry(own).Doubles(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range registry.Pairs(pairs) {
		count[p.State(w.now())+p.Decided]++
	}
	if got := fmt.Sprint(count[registry.StateDecided+registry.Same], count[registry.StateDecided+registry.Different], count[registry.StatePostponed], count[registry.StateTold]); got != "5 9 5 1" {
		t.Errorf("one, two, later, waiting: %s, want 5 9 5 1: %v", got, count)
	}
	list, err := w.doors[own].Approvals(t.Context(), boss)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(a access.Approval) bool { return a.State == access.Waiting && a.Act == access.PersonChange })
	if i < 0 || w.peopleOf(own).CardsOf(stops) != 1 {
		t.Fatal("a card stopped without a second account")
	}
	b := d.beside()
	b.as(w.add(own, "lead", access.Approver))
	b.open(pairAt(stops, stops)) // what is no pair is not there
	b.open("/approvals/" + list[i].ID)
	if got := b.Text("main"); !strings.Contains(got, "day and month changed places") {
		t.Errorf("the second reviewer is not told the reasons: %q", got)
	}
	b.Leave(func() { b.Enter("approve") }, told)
	if w.peopleOf(own).CardsOf(stops) != 0 {
		t.Error("two agreed, and the card is good")
	}
	for _, d := range []*desk{d, b} {
		if n := d.reports(); n != 0 {
			t.Errorf("the policy refused %d things", n)
		}
	}
}
