package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/storage"
)

// A person is told one line for each thing done. Looks are no changes, whatever form was
// refused after them.
func TestWhoLookedHasALineForEachThingDone(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	look := func(after time.Duration, who string, acts ...access.Action) (list []storage.Look) {
		for _, a := range acts {
			list = append(list, storage.Look{Entry: access.Entry{Time: at.Add(after), Action: a}, Account: who})
		}
		return list
	}
	for name, c := range map[string]struct {
		looks []storage.Look
		want  []string
	}{
		"a form refused three times": {slices.Concat(look(0, "S-1", "household.read"), look(time.Second, "S-1", "record.read"), look(2*time.Second, "S-1", "household.read"), look(3*time.Second, "S-1", "record.read")),
			[]string{"S-1 [read]"}},
		"a death that stops a card":           {look(0, "S-1", "person.died", "unit.change", "unit.change", "credential.revoke"), []string{"S-1 [changed card_stopped]"}},
		"what is changed, with no word of it": {look(0, "S-1", "unit.change", "record.read"), []string{"S-1 [changed]"}},
		"a household parted":                  {look(0, "S-1", "unit.change", "household.split", "unit.household"), []string{"S-1 [household]"}},
		"two accounts":                        {slices.Concat(look(0, "S-1", "person.read"), look(0, "S-2", "person.read")), []string{"S-1 [read]", "S-2 [read]"}},
		"the next minute":                     {slices.Concat(look(0, "S-1", "person.read"), look(time.Minute, "S-1", "person.read")), []string{"S-1 [read]", "S-1 [read]"}},
		"a change between looks":              {slices.Concat(look(0, "S-1", "person.read"), look(time.Second, "S-1", "unit.change"), look(2*time.Second, "S-1", "person.read")), []string{"S-1 [read]", "S-1 [changed]"}},
		"a card that is made and printed": {slices.Concat(look(0, "S-1", "credential.reserve"), look(time.Second, "S-1", "credential.issue", "card.change"), look(2*time.Second, "S-1", "card.change"), look(3*time.Second, "S-1", "card.print"), look(4*time.Second, "S-1", "card.print"), look(time.Minute, "S-1", "card.change")),
			[]string{"S-1 [card_made card_printed]", "S-1 [card]"}},
		"a card stopped beside one made": {slices.Concat(look(0, "S-1", "credential.issue"), look(time.Second, "S-1", "credential.revoke")), []string{"S-1 [card_made]", "S-1 [card_stopped]"}},
		"a pack and a sheet":             {slices.Concat(look(0, "S-1", "pack.build"), look(time.Second, "S-1", "card.print"), look(2*time.Second, "S-1", "batch.handout")), []string{"S-1 [packed]", "S-1 [card_printed]", "S-1 [exported]"}},
	} {
		var got []string
		for _, l := range lookedLines(c.looks) {
			got = append(got, fmt.Sprint(l.Account, " ", l.acts))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for _, reads := range []access.Action{"record.read", "person.read", "person.history", "household.read", "batch.read", "offer.read", "agreement.read", "import.look", "rights.print", "quality.list"} {
		if w := lookedAct(reads); w != "read" {
			t.Errorf("%s is told as %q", reads, w)
		}
	}
}
