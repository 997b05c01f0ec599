package console_test

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/roster"
	"aidpass/issuer/rollcall"
	"aidpass/web/console"
)

func (w *world) exerciseDesk(org string) *exercise.Desk {
	return &exercise.Desk{Store: w.peopleOf(org), Now: w.now}
}

func (w *world) exerciseScreen() console.Screen {
	desk, people := w.exerciseDesk(own), &records.Desk{Store: w.peopleOf(own), Country: "KEN", Now: w.now}
	w.doors[own].Handle(access.ExerciseSettle, desk.Executor())
	lists := &rollcall.Desk{Exercises: desk, People: people, Read: func(_ context.Context, _, name string, b []byte, opt roster.Options) (*roster.File, error) {
		return roster.Read(name, b, opt)
	}}
	return &console.Exercises{Desk: desk, Lists: lists, People: people, Cards: w.issuing, Door: w.doors[own], Now: w.now}
}

// exerciseOf is the code of an open exercise of an organisation, with whoever is there invited.
func (w *world) exerciseOf(org string) string {
	w.Helper()
	code := "VER-" + strings.ToUpper(name())
	w.household(org)
	d := w.exerciseDesk(org)
	_, err := d.Make(w.Context(), clerk, exercise.Exercise{Code: code, Opens: w.now().Format("2006-01-02"), Closes: w.now().AddDate(0, 0, 5).Format("2006-01-02"), Desks: []string{"North gate", "South gate"}})
	if err == nil {
		_, err = d.Open(w.Context(), clerk, code)
	}
	if err != nil {
		w.Fatal(err)
	}
	return code
}

// unitOf is a unit that the newest exercise of an organisation invited.
func (w *world) unitOf(org string) registry.ID {
	w.Helper()
	d := w.exerciseDesk(org)
	all, err := d.List(w.Context())
	if err != nil || len(all) == 0 {
		w.Fatal("no exercise", err)
	}
	var last exercise.Exercise
	for _, e := range all {
		if !e.OpenedAt.Before(last.OpenedAt) {
			last = e
		}
	}
	var id registry.ID
	if err := d.Each(w.Context(), last.Code, func(i exercise.Invited) error { id = i.Unit; return nil }); err != nil {
		w.Fatal(err)
	}
	return id
}

// exerciseFamilies are the words of exercises that no source spells out.
func exerciseFamilies() (keys []string) {
	for _, s := range []exercise.State{exercise.Draft, exercise.Opened, exercise.Closed, exercise.Settled} {
		keys = append(keys, "exercises.state_"+string(s))
	}
	for _, o := range exercise.Outcomes() {
		keys = append(keys, "exercises.is_"+string(o), "exercises.marked_"+string(o))
	}
	for _, h := range registry.Hows() {
		keys = append(keys, "exercises.how_"+string(h))
	}
	for _, s := range exercise.Standings() {
		keys = append(keys, "exercises.standing_"+string(s))
	}
	for _, n := range exercise.Notices() {
		keys = append(keys, "exercises.by_"+n)
	}
	for _, c := range rollcall.Codes() {
		keys = append(keys, "exercises.found_"+c)
	}
	for _, c := range exercise.Codes() {
		keys = append(keys, "exercises.why_"+strings.TrimPrefix(c, "exercise_"))
	}
	for _, k := range []registry.Kind{registry.KindHousehold, registry.KindPerson} {
		keys = append(keys, "exercises.kind_"+string(k))
	}
	return slices.Compact(keys)
}

func init() {
	makers["exercise"] = func(w *world, org string, _ *browser) string { return w.exerciseOf(org) }
	makers["unit"] = func(w *world, org string, _ *browser) string { return w.unitOf(org).String() }
	forms["POST /exercises/new"] = url.Values{"code": {"VER-2026-77"}, "opens": {"2026-11-22"}, "closes": {"2026-11-27"}, "kind": {"household"}}
	forms["POST /exercises/of/:exercise/list"] = url.Values{"desk": {"North gate"}, "as": {"xlsx"}, "reason": {"no network"}}
	forms["POST /exercises/of/:exercise/mark"] = url.Values{"q": {"Amina"}}
	forms["POST /exercises/of/:exercise/units/:unit/mark"] = url.Values{"desk": {"North gate"}, "outcome": {"seen"}, "how": {"in_person"}}
	forms["POST /exercises/of/:exercise/notice"] = url.Values{"on": {"2026-11-22"}, "how": {"poster"}}
	forms["POST /people/:person/met"] = url.Values{"how": {"phone"}}
	forms["POST /households/:household/met"] = url.Values{"how": {"in_person"}}
}
