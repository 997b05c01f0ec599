package storagetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/recheck"
	"aidpass/issuer/registry"
)

// testRechecks: each day a few are drawn of what is new, each once; whoever entered, changed
// or approved one, or prepared, approved or made its card, cannot answer it; an answer stays,
// and what was written with it is sealed and goes with the record.
func testRechecks(t *testing.T, e Engine) {
	w := newWorld(t, e)
	old := w.saved(t, change(t, 900)).ID
	b := w.batch(t, 12) // entered by clerk, approved by acc-approver
	w.now = w.now.Add(recheck.Window + time.Hour)
	fresh := w.saved(t, change(t, 901)).ID // and has no card
	must(t, w.org.AddProposal(ctx, access.Actor{ID: "preparer", Role: access.Registrar}, issuer.Proposal{ID: "b-1", By: "preparer", Second: "acc-approver", Overrides: []issuer.Override{{By: "overrider"}}, At: w.now, Digest: b.Approval.Digest, State: issuer.Approved}))
	issued(t, issue(t, w.desk, b))
	by := access.Actor{ID: "walker", Role: access.Verifier}
	drawn := func() []recheck.Check {
		t.Helper()
		must(t, w.org.DrawRechecks(ctx, by, 5))
		list, err := w.org.Rechecks(ctx, w.now.Add(-recheck.Window))
		must(t, err)
		return list
	}
	must(t, w.org.DrawRechecks(ctx, by, 0)) // none is drawn, and the day is not over
	first := drawn()
	if again := drawn(); len(first) != 5 || len(again) != 5 {
		t.Fatalf("drawn %d, and then %d of one day, want 5", len(first), len(again))
	}
	for _, c := range first {
		if c.Unit == old {
			t.Error("one that is not new was drawn")
		}
		if c.Maker != clerk.ID {
			t.Errorf("entered by %q, want %q", c.Maker, clerk.ID)
		}
		for _, had := range []string{clerk.ID, "acc-approver", "preparer", "overrider"} {
			if c.Others(had) != (c.Unit == fresh && had != clerk.ID) {
				t.Errorf("%s and %v, who had a part in it", had, c.Parts)
			}
		}
		if !c.Others("walker") || c.Others("") {
			t.Errorf("%v: who sees it", c.Parts)
		}
	}
	c := first[0]
	const found = recheck.NotFound
	if err := w.org.AnswerRecheck(ctx, clerk, c.ID, found, "nobody there"); !errors.Is(err, recheck.ErrNone) {
		t.Errorf("by its maker: %v", err)
	}
	if err := w.org.AnswerRecheck(ctx, by, "none-such", found, "nobody there"); !errors.Is(err, recheck.ErrNone) {
		t.Errorf("of none: %v", err)
	}
	must(t, w.org.AnswerRecheck(ctx, by, c.ID, found, "the neighbours know Kanari"))
	if err := w.org.AnswerRecheck(ctx, by, c.ID, recheck.Seen, "mended"); !errors.Is(err, recheck.ErrAnswered) {
		t.Errorf("twice: %v", err)
	}
	got, err := w.org.Recheck(ctx, c.ID)
	must(t, err)
	if got.Answer != found || got.Reason != "the neighbours know Kanari" || got.By != "walker" || !got.Answered.Equal(w.now) {
		t.Errorf("%+v", got)
	}
	if held := w.holders(t, []byte("know Kanari")); len(held) > 0 {
		t.Errorf("a reason stands in the clear in %v", held)
	}
	var told []string
	must(t, w.org.Audit(ctx, func(e *access.Entry) error {
		if strings.HasPrefix(string(e.Action), "recheck.") {
			told = append(told, string(e.Action)+" "+e.Object+" "+e.Detail+e.Reason)
		}
		return nil
	}))
	if want := []string{"recheck.draw  drawn=5 of=13", "recheck.answer " + c.Unit.String() + " answer=not-found"}; !slices.Equal(told, want) {
		t.Errorf("the log: %q, want %q", told, want)
	}
	other, err := w.db.CreateOrg(ctx, "org-b", random(32), clerk)
	must(t, err)
	if _, err := other.Recheck(ctx, c.ID); !errors.Is(err, recheck.ErrNone) {
		t.Errorf("of another organisation: %v", err)
	}
	w.whole(t)

	w.now = w.now.Add(24 * time.Hour)
	seen := map[registry.ID]bool{}
	for _, x := range drawn() {
		if seen[x.Unit] {
			t.Error("one was drawn twice")
		}
		seen[x.Unit] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d in two days, want 10", len(seen))
	}
	cards := w.credentials(t)
	for _, x := range first[:2] { // one answered, one that waits
		for _, card := range cards {
			if card.Unit == x.Unit {
				must(t, w.desk.Revoke(ctx, []issuer.CTI{card.ID}, "lost"))
			}
		}
		must(t, w.org.Erase(ctx, clerk, x.Unit, "asked"))
	}
	got, err = w.org.Recheck(ctx, c.ID)
	must(t, err)
	if got.Reason != "" || got.Answer != found {
		t.Errorf("of the erased is left %+v", got)
	}
	if _, err := w.org.Recheck(ctx, first[1].ID); !errors.Is(err, recheck.ErrNone) {
		t.Errorf("the erased wait to be seen: %v", err)
	}
	findings, err := w.org.Check(ctx)
	must(t, err)
	if len(findings) > 0 {
		t.Errorf("check: %v", findings)
	}
	w.now = w.now.Add(recheck.Kept + time.Hour)
	must(t, w.org.DrawRechecks(ctx, by, 5))
	if left, err := w.org.Rechecks(ctx, start); err != nil || len(left) != 0 {
		t.Errorf("after its time: %v %v", left, err)
	}
}
