package exercise_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry/exercise"
)

// The log of a list says at whose door marks are laid; at that of nobody none are.
func TestAListNamesItsClerksInTheLog(t *testing.T) {
	w := newWorld(t, 4)
	w.open(exercise.Scope{})
	w.desk.Account = func(_ context.Context, id string) (bool, error) { return id == "clerk-b", nil }
	list := "record,outcome,when,clerk\n"
	for i, clerk := range []string{"clerk-b", "Clerk-B", "ghost", "lead"} {
		list += w.homes[i].String() + ",absent,2026-11-02," + clerk + "\n"
	}
	taken, err := w.desk.TakeSheet(ctx, lead, code, "north", strings.NewReader(list))
	if want := (exercise.Taken{Marks: 3, Faulty: 1, Faults: []exercise.Fault{{Row: 4, Code: exercise.FaultClerk}}}); err != nil || !reflect.DeepEqual(taken, want) {
		t.Errorf("%+v, %v", taken, err)
	}
	var last access.Entry
	for _, e := range w.store.Notes() {
		if e.Action == "exercise.take" {
			last = e
		}
	}
	if last.Detail != "marks=3 same=0 faulty=1 clerks clerk-b:2" {
		t.Errorf("the log says %q", last.Detail)
	}
}
