package storage_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/storage"
)

// verifying is the folder in which TestKillExerciseChild does one step of an exercise, in a
// process of its own.
const verifying = "AIDPASS_TEST_KILL_EXERCISE"

const (
	verified       = "VER-2026-03"
	verifiedPeople = 1200 // more than are drawn, and marked, at once
)

// verifiedAt is when a step is done: marks are of the first day, and nobody appeals in time.
var verifiedAt = map[string]time.Time{
	"open":   time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
	"take":   time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
	"settle": time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC),
}

func verifier(org *storage.Org, at time.Time) *exercise.Desk {
	return &exercise.Desk{Store: org, Now: func() time.Time { return at }, Collected: org.CollectedSince}
}

// TestKillExercise kills a program in the middle of opening an exercise, of taking a list and of
// settling. After each kill nothing is half done: nobody is marked of a draft, a mark stands with
// its meeting or not at all, all who are due are inactive or nobody is. Done again it is whole.
func TestKillExercise(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: processes and their deaths take long under the race detector")
	}
	dir := t.TempDir()
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	defer db.Close()
	org, err := db.CreateOrg(t.Context(), "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
	check(t, err)
	check(t, org.Update(t.Context(), keeper, func(tx registry.Tx) error {
		for i := range verifiedPeople {
			name, _ := registry.ParseName(fmt.Sprintf("Person %d", i), "")
			fields, err := registry.Person{Names: []registry.Name{name}}.Fields()
			if err != nil {
				return err
			}
			if _, err := tx.Save(registry.Change{Kind: registry.KindPerson, Fields: fields}); err != nil {
				return err
			}
		}
		return nil
	}))
	desk := verifier(org, verifiedAt["open"])
	_, err = desk.Make(t.Context(), keeper, exercise.Exercise{Code: verified, Opens: "2026-03-01", Closes: "2026-03-04", Scope: exercise.Scope{Kind: registry.KindPerson}})
	check(t, err)
	for _, step := range []string{"open", "take", "settle"} {
		if step == "settle" {
			desk = verifier(org, time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC))
			_, err = desk.Close(t.Context(), keeper, verified)
			check(t, err)
			n, err := desk.Notice(t.Context(), keeper, verified, nil, "", "poster")
			check(t, err)
			if n != verifiedPeople/2 {
				t.Fatalf("%d were told", n)
			}
		}
		begin := time.Now()
		for kill := 0; ; kill++ {
			c := startChild(t, "TestKillExerciseChild", verifying+"="+dir, verifying+"_STEP="+step)
			if kill < 4 {
				time.Sleep(rand.N(time.Duration(40+60*kill) * time.Millisecond))
				killChild(t, c)
			} else {
				check(t, c.Wait())
			}
			done := wholeAfter(t, org, step)
			if kill == 4 {
				if !done {
					t.Fatalf("%s: not done", step)
				}
				break
			}
		}
		t.Logf("%s: %s", step, time.Since(begin).Round(time.Millisecond))
	}
	_, err = org.VerifyAudit(t.Context(), access.Head{})
	check(t, err)
	findings, err := org.Check(t.Context())
	check(t, err)
	for _, f := range findings {
		t.Errorf("check: %v", f)
	}
}

// wholeAfter reports whether a step is done, and fails where half of something is.
func wholeAfter(t *testing.T, org *storage.Org, step string) (done bool) {
	t.Helper()
	check(t, org.ReadExercises(t.Context(), func(v exercise.View) error {
		e, err := v.Exercise(verified)
		if err != nil {
			return err
		}
		units, err := v.AllInvited(verified, registry.ID{}, 1<<30)
		if err != nil {
			return err
		}
		marks, slept := 0, 0
		for _, u := range units {
			rec, err := v.Record(u.ID)
			if err != nil {
				return err
			}
			mets, err := rec.Mets()
			if err != nil {
				return err
			}
			p, err := rec.Person()
			if err != nil {
				return err
			}
			if len(u.Marks) > 1 || len(mets) != len(u.Marks) || p.Status.Asleep() == u.Slept.IsZero() {
				t.Errorf("%s: %d marks, %d meetings, inactive %t, and %s", step, len(u.Marks), len(mets), p.Status.Asleep(), u.Slept)
			}
			marks += len(u.Marks)
			if !u.Slept.IsZero() {
				slept++
			}
		}
		switch step {
		case "open":
			done = e.State == exercise.Opened
			if done && (len(units) != verifiedPeople || e.Invited != verifiedPeople) || !done && (e.State != exercise.Draft || e.Invited != 0) {
				t.Errorf("%s with %d of %d invited", e.State, len(units), e.Invited)
			}
		case "take":
			done = marks == verifiedPeople/2
			if marks%500 != 0 && !done {
				t.Errorf("%d marks of a list", marks)
			}
		case "settle":
			done = e.State == exercise.Settled
			if want := verifiedPeople / 2; slept != 0 && slept != want || done != (slept == want) {
				t.Errorf("%d inactive, and it is %s", slept, e.State)
			}
		}
		return nil
	}))
	return done
}

func TestKillExerciseChild(t *testing.T) {
	dir, step := os.Getenv(verifying), os.Getenv(verifying+"_STEP")
	if dir == "" {
		t.Skip("run by TestKillExercise")
	}
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	org, err := db.Org(t.Context(), "org-a", make([]byte, storage.KEKBytes))
	check(t, err)
	desk, lead := verifier(org, verifiedAt[step]), keeper
	e, err := desk.Find(t.Context(), verified)
	check(t, err)
	os.Stdout.WriteString("begin\n")
	switch {
	case step == "open" && e.State == exercise.Draft:
		_, err = desk.Open(t.Context(), lead, verified)
	case step == "take":
		var list strings.Builder
		list.WriteString("record,outcome,when\n")
		n := 0
		check(t, desk.Each(t.Context(), verified, func(i exercise.Invited) error {
			if n++; n <= verifiedPeople/2 {
				fmt.Fprintf(&list, "%s,seen,2026-03-01\n", i.Unit)
			}
			return nil
		}))
		_, err = desk.TakeSheet(t.Context(), lead, verified, "North gate", strings.NewReader(list.String()))
	case step == "settle" && e.State == exercise.Closed:
		var p exercise.Proposal
		if p, err = desk.Propose(t.Context(), verified); err == nil {
			lead.SecondPerson = "acc-2"
			_, err = desk.Settle(t.Context(), lead, p)
		}
	}
	check(t, err)
}
