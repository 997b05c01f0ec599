package storagetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
)

// Cards runs the suite of what becomes of cards: paper, replacements, gates,
// pre-numbered ones.
func Cards(t *testing.T, e Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Engine)
	}{
		{"paper goes its way and no other", testPaper},
		{"a card is printed once", testPrintLog},
		{"a replacement is one step, whatever is killed", testReplace},
		{"what is replaced must be hers", testReplaceOthers},
		{"a provisional card ends by itself", testProvisional},
		{"a gate is passed over by two persons and on record", testOverride},
		{"a stolen batch is void in one act", testVoid},
		{"pre-numbered cards are nobody's, and then hers", testBlanks},
		{"an interrupted lot is finished, not made again", testBlanksResumed},
		{"a bound card is erased with its person", testBoundErased},
		{"a restored database binds again", testBoundRestored},
		{"a plan is issued to, and hears of it", testCandidates},
		{"a batch is issued as it was approved, or not at all", testProposals},
		{"never two active cards, in any order of acts", testAnyOrder},
		{"a card of nobody is good for nothing", testBlankStaysOnHold},
		{"a card of nobody is that after a restore", testBlankRestoredStaysOnHold},
		{"one person alone replaces what is spoiled only", testReplaceAlone},
		{"a spoiled card's replacement is resumed alone", testReplaceAloneResumed},
		{"a revoked card of another round is no pretext", testReplaceAcrossRounds},
		{"a provisional card stays so in a re-run", testProvisionalStays},
		{"a doubt makes a card of some days, and a whole one follows", testDoubts},
		{"a batch that was resumed is void as one", testVoidResumed},
		{"a live card on hold is bound by two", testBindOnHold},
		{"many cards are not ended by one", testManyByOne},
		{"whose household was erased stops no run", testCandidateOfErased},
		{"a binding that was told late is taken in", testBoundLate},
		{"who is named in a household is told", testNamedIn},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, e) })
	}
}

func ids(list []issuer.Credential) (all []issuer.CTI) {
	for _, c := range list {
		all = append(all, c.ID)
	}
	return all
}

// card is the card of a credential as the store lists it.
func (w *world) card(t *testing.T, id issuer.CTI) issuer.Card {
	t.Helper()
	found, err := w.org.Cards(ctx, issuer.Selection{IDs: []issuer.CTI{id}})
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("card %s: %d found", id, len(found))
	}
	return found[0]
}

func (w *world) print(t *testing.T, list []issuer.CTI, file string) issuer.PrintJob {
	t.Helper()
	j, err := w.desk.RecordPrint(ctx, issuer.PrintJob{Layout: "a4", Digest: sha256.Sum256([]byte(file)), Cards: list})
	must(t, err)
	return j
}

func testPaper(t *testing.T, e Engine) {
	w := newWorld(t, e)
	all := ids(issued(t, issue(t, w.desk, w.batch(t, 8))))
	w.print(t, all[:6], "sheet 1")
	move := func(i int, to issuer.CardState) error {
		return w.desk.MoveCards(ctx, all[i:i+1], to, "wellA", "code-1")
	}
	for _, step := range []struct {
		card    int
		to      issuer.CardState
		ok      bool
		revoked bool
	}{
		{0, issuer.CardHandedOver, true, false},
		{0, issuer.CardUnclaimed, false, false},
		{0, issuer.CardHandedOver, true, false}, // said twice
		{0, issuer.CardDestroyed, true, true},
		{0, issuer.CardHandedOver, false, true},
		{1, issuer.CardSpoiled, true, true},
		{1, issuer.CardHandedOver, false, true},
		{1, issuer.CardDestroyed, true, true},
		{2, issuer.CardUnclaimed, true, false},
		{2, issuer.CardHandedOver, true, false},
		{3, issuer.CardUnclaimed, true, false},
		{3, issuer.CardDestroyed, true, true},
		{6, issuer.CardHandedOver, true, false}, // printed elsewhere
	} {
		err := move(step.card, step.to)
		if step.ok != (err == nil) || err != nil && !errors.Is(err, issuer.ErrCardState) {
			t.Errorf("card %d to %s: %v", step.card, step.to, err)
		}
		if c := w.card(t, all[step.card]); (c.Status == status.Invalid) != step.revoked || c.Ended != step.revoked {
			t.Errorf("card %d to %s: status %s, ended %v; want revoked %v", step.card, step.to, c.Status, c.Ended, step.revoked)
		}
	}
	must(t, w.desk.Suspend(ctx, all[4:5], "check"))
	must(t, w.desk.Revoke(ctx, all[5:6], "lost"))
	for _, i := range []int{4, 5} {
		if err := move(i, issuer.CardHandedOver); !errors.Is(err, issuer.ErrCardState) {
			t.Errorf("card %d, on hold or revoked, is handed over: %v", i, err)
		}
	}
	if err := w.desk.MoveCards(ctx, []issuer.CTI{all[7], all[5]}, issuer.CardHandedOver, "", ""); err == nil || w.card(t, all[7]).Paper != issuer.CardIssued {
		t.Errorf("all or none: %v, and the first is %s", err, w.card(t, all[7]).Paper)
	}
	for _, to := range []issuer.CardState{issuer.CardPrinted, issuer.CardIssued, "eaten"} {
		if err := move(7, to); err == nil {
			t.Errorf("a card was moved to %q by hand", to)
		}
	}
	if err := w.desk.MoveCards(ctx, all[7:], issuer.CardSpoiled, "", " "); err == nil {
		t.Error("a card was spoiled without a reason")
	}
	events, err := w.org.CardHistory(ctx, all[3])
	must(t, err)
	var states []string
	for _, e := range events {
		states = append(states, string(e.Paper))
	}
	if got := strings.Join(states, " "); got != "printed unclaimed destroyed" || events[2].By != clerk.ID || events[1].Site != "wellA" || events[2].Reason != "code-1" {
		t.Errorf("history %q, last %+v", got, events[len(events)-1])
	}
	worth, err := w.org.StatusHistory(ctx, all[3])
	must(t, err)
	if len(worth) != 1 || worth[0].Status != status.Invalid || worth[0].By != clerk.ID || worth[0].At.IsZero() { // a destroyed paper's card is revoked
		t.Errorf("what it was worth: %+v", worth)
	}
	w.sound(t)
	w.exec(t, `UPDATE card SET state = 'handed_over' WHERE credential_id = $1`, all[1].String())
	if got := w.findings(t); !slices.Equal(got, []string{"paper"}) {
		t.Errorf("a state that was altered: findings %q", got)
	}
}

func testPrintLog(t *testing.T, e Engine) {
	w := newWorld(t, e)
	all := ids(issued(t, issue(t, w.desk, w.batch(t, 6))))
	order := []issuer.CTI{all[2], all[0], all[1]}
	j := w.print(t, order, "sheet 1")
	if again := w.print(t, order, "sheet 1"); again.ID != j.ID {
		t.Errorf("the same file again is job %s, want %s", again.ID, j.ID)
	}
	for name, job := range map[string]issuer.PrintJob{
		"printed before":       {Layout: "a4", Digest: [32]byte{1}, Cards: []issuer.CTI{all[3], all[0]}},
		"twice in a file":      {Layout: "a4", Digest: [32]byte{2}, Cards: []issuer.CTI{all[3], all[3]}},
		"same file, other":     {Layout: "a4", Digest: j.Digest, Cards: []issuer.CTI{all[3]}},
		"no cards":             {Layout: "a4", Digest: [32]byte{3}},
		"a card that is not":   {Layout: "a4", Digest: [32]byte{4}, Cards: []issuer.CTI{issuer.NewCTI()}},
		"no digest":            {Layout: "a4", Cards: all[3:4]},
		"another layout of it": {Layout: "letter", Digest: j.Digest, Cards: order},
	} {
		if _, err := w.desk.RecordPrint(ctx, job); err == nil {
			t.Errorf("%s: recorded", name)
		} else if want := errors.Is(err, issuer.ErrPrinted); want != (name == "printed before" || name == "twice in a file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, w.desk.Suspend(ctx, all[4:5], "check"))
	must(t, w.desk.Revoke(ctx, all[5:6], "lost"))
	for _, i := range []int{4, 5} {
		if _, err := w.desk.RecordPrint(ctx, issuer.PrintJob{Layout: "a4", Digest: [32]byte{9}, Cards: all[i : i+1]}); !errors.Is(err, issuer.ErrCardState) {
			t.Errorf("card %d, on hold or revoked, is printed: %v", i, err)
		}
	}
	jobs, err := w.org.PrintJobs(ctx, "")
	must(t, err)
	if len(jobs) != 1 || jobs[0].ID != j.ID || jobs[0].Count != 3 || jobs[0].By != clerk.ID || jobs[0].Digest != j.Digest {
		t.Errorf("print log %+v", jobs)
	}
	jobs, err = w.org.PrintJobs(ctx, j.ID)
	must(t, err)
	if !slices.Equal(jobs[0].Cards, order) {
		t.Errorf("cards of the job %v, want %v", jobs[0].Cards, order)
	}
	if _, err := w.org.PrintJobs(ctx, "zzzzzzzz"); !errors.Is(err, issuer.ErrNoJob) {
		t.Errorf("no job: %v", err)
	}
	w.sound(t)
}

// replacement is a batch that replaces the cards of rows of b.
func replacement(t *testing.T, b issuer.Batch, old []issuer.Credential, rows ...int) issuer.Batch {
	t.Helper()
	r := b
	r.Reason, r.Requests = "lost", nil
	for _, i := range rows {
		q := b.Requests[i]
		q.Replaces = old[i].ID
		r.Requests = append(r.Requests, q)
	}
	approve(t, &r)
	return r
}

func testReplace(t *testing.T, e Engine) {
	for at := 1; at <= 5; at++ { // reserve, intend, log, complete, and none
		for _, written := range []bool{false, true} {
			if testing.Short() && written {
				continue
			}
			w := newWorld(t, e)
			b := w.batch(t, 4)
			old := issued(t, issue(t, w.desk, b))
			w.print(t, ids(old), "sheet")
			must(t, w.desk.MoveCards(ctx, ids(old), issuer.CardHandedOver, "", ""))
			r := replacement(t, b, old, 1, 2)
			f := &faulty{Store: w.org, log: w.org, failAt: at, written: written}
			desk := w.newDesk(f, f)
			desk.Actor.SecondPerson = "acc-lead"
			err := desk.Replace(ctx, r, func(issuer.Result) error { return nil })
			if (at <= 4) != errors.Is(err, errFault) {
				t.Fatalf("call %d: %v", at, err)
			}
			// Between any two steps there is at most one card that is good.
			for _, unit := range []int{1, 2} {
				if n := w.active(t, b.Requests[unit].Unit); n > 1 {
					t.Errorf("call %d, written %v: %d active cards", at, written, n)
				}
			}
			w.reopen(t)
			w.desk.Actor.SecondPerson = "acc-lead"
			results := map[int]issuer.Result{}
			must(t, w.desk.Replace(ctx, r, func(res issuer.Result) error { results[res.Row] = res; return nil }))
			for i, c := range issued(t, results) {
				was := old[i+1]
				if c.ID == was.ID || c.CardNumber != was.CardNumber || c.StatusIndex == was.StatusIndex && c.StatusURI == was.StatusURI {
					t.Errorf("call %d: new card %s %s for %s %s", at, c.ID, c.CardNumber, was.ID, was.CardNumber)
				}
				if o := w.card(t, was.ID); o.Status != status.Invalid || !o.Ended || o.Paper != issuer.CardHandedOver {
					t.Errorf("call %d: the old card is %s, ended %v", at, o.Status, o.Ended)
				}
				if n := w.card(t, c.ID); n.Paper != issuer.CardIssued || w.active(t, c.Unit) != 1 {
					t.Errorf("call %d: the new card is %s, %d active", at, n.Paper, w.active(t, c.Unit))
				}
			}
			// The old batch finds the new cards: they are the same request.
			for row, res := range issue(t, w.desk, b) {
				if res.Refusal != nil || !res.Old {
					t.Errorf("call %d: row %d of the first batch again: %+v", at, row, res.Refusal)
				}
			}
			w.whole(t)
		}
	}
}

// sound runs the store's own check.
func (w *world) sound(t *testing.T) {
	t.Helper()
	findings, err := w.org.Check(ctx)
	must(t, err)
	for _, f := range findings {
		t.Errorf("check: %v", f)
	}
}

// active counts the credentials of a unit that a service point would take.
func (w *world) active(t *testing.T, unit issuer.UnitID) (n int) {
	t.Helper()
	found, err := w.org.Cards(ctx, issuer.Selection{Units: []issuer.UnitID{unit}})
	must(t, err)
	for _, c := range found {
		if !c.Ended && c.Status == status.Valid {
			n++
		}
	}
	return n
}

func testReplaceOthers(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 3)
	old := issued(t, issue(t, w.desk, b))
	r := replacement(t, b, old, 0)
	none := func(issuer.Result) error { t.Error("a result"); return nil }
	if err := w.desk.Replace(ctx, r, none); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("a lost card replaced by one person: %v", err)
	}
	w.desk.Actor.SecondPerson = "acc-lead"
	if err := w.desk.Replace(ctx, b, none); err == nil {
		t.Error("a batch that replaces nothing passed for a replacement")
	}
	noReason := r
	noReason.Reason = ""
	if err := w.desk.Replace(ctx, noReason, none); err == nil {
		t.Error("replaced without a reason")
	}
	other := b
	other.Reason, other.Requests = "lost", slices.Clone(b.Requests[:2])
	other.Requests[0].Replaces = old[2].ID // somebody else's
	other.Requests[1].Replaces = old[1].ID
	other.Requests[1].Claims = map[string]any{"size_band": "6+"}
	approve(t, &other)
	results := map[int]issuer.Result{}
	must(t, w.desk.Replace(ctx, other, func(r issuer.Result) error { results[r.Row] = r; return nil }))
	if r := results[1]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedReplaced {
		t.Errorf("another person's card was replaced: %+v", r)
	}
	if c := w.card(t, old[2].ID); c.Status != status.Valid {
		t.Errorf("the other person's card is %s", c.Status)
	}
	if r := results[2]; r.Refusal != nil || r.Replaces != old[1].ID {
		t.Errorf("replaced with other claims: %+v", r)
	}
	next := other
	next.Round, next.Requests = 4, slices.Clone(other.Requests[:1])
	next.Requests[0].Replaces = old[0].ID // hers, of another round
	approve(t, &next)
	must(t, w.desk.Replace(ctx, next, func(r issuer.Result) error { results[0] = r; return nil }))
	if r := results[0]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedReplaced {
		t.Errorf("a card of another round was replaced: %+v", r)
	}
	w.sound(t)
}

func testProvisional(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 3)
	end := credential.FromStd(start.AddDate(0, 0, 30))
	b.Requests[1].ExpiresAt = end
	b.Requests[2].ExpiresAt = credential.FromStd(start.AddDate(3, 0, 0)) // later than the others
	if err := w.desk.Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, issuer.ErrNotApproved) {
		t.Errorf("an end put in after the approval: %v", err)
	}
	approve(t, &b)
	results := issue(t, w.desk, b)
	if c := results[2].Credential; c.ExpiresAt != end || !results[2].Provisional {
		t.Errorf("the provisional card ends %s, want %s", c.ExpiresAt, end)
	}
	if r := results[1]; r.Credential.ExpiresAt <= end || r.Provisional {
		t.Errorf("the other card ends %s", r.Credential.ExpiresAt)
	}
	if r := results[3]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedClaims {
		t.Errorf("an end after the batch's: %+v", r)
	}
	w.now = w.now.AddDate(0, 0, 1) // a day later the end is reckoned anew: it is the same card all the same
	b.Requests[1].ExpiresAt += 24 * 3600
	approve(t, &b)
	if r := issue(t, w.desk, b)[2]; r.Refusal != nil || !r.Old || r.Credential.ExpiresAt != end {
		t.Errorf("the next day: %+v", r)
	}
	b.Requests[1].ExpiresAt = 0 // the record was mended: a whole card is another request
	approve(t, &b)
	if r := issue(t, w.desk, b)[2]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedExists {
		t.Errorf("a whole card beside the provisional one: %+v", r)
	}
	b.Requests[1].Replaces, b.Reason = results[2].Credential.ID, "mended"
	approve(t, &b)
	if r := issue(t, w.desk, b)[2]; r.Refusal != nil || r.Credential.ExpiresAt == end {
		t.Errorf("a whole card instead of the provisional one: %+v", r)
	}
	w.sound(t)
}

func testOverride(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 5)
	rulings := map[issuer.UnitID]issuer.Decision{
		b.Requests[1].Unit: {Ruling: issuer.GateRefuse, Reasons: []string{"no name is known: write it as they say it"}},
		b.Requests[2].Unit: {Ruling: issuer.GateProvisional, Reasons: []string{"document is missing"}},
		b.Requests[3].Unit: {Ruling: issuer.GateRefuse, Reasons: []string{"consent"}},
		b.Requests[4].Unit: {Ruling: issuer.GateRefuse, Final: true, Reasons: []string{"closed"}},
	}
	b.Gate = func(_ context.Context, u issuer.UnitID) (issuer.Decision, error) { return rulings[u], nil }
	b.Requests[3].Override, b.Requests[4].Override = "community-witness", "community-witness"
	b.Approval.By = clerk.ID
	if err := w.desk.Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, issuer.ErrNotApproved) {
		t.Errorf("an override put in after the approval: %v", err)
	}
	approve(t, &b)
	b.Approval.By = clerk.ID
	if err := w.desk.Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("an override by one person: %v", err)
	}
	approve(t, &b)
	for range 2 { // the second time nothing is new
		results := issue(t, w.desk, b)
		for row, want := range map[int]string{1: "", 2: issuer.RefusedGate, 3: issuer.RefusedGate, 4: "", 5: issuer.RefusedGate} {
			code := ""
			if r := results[row].Refusal; r != nil {
				code = r.Code
			}
			if code != want {
				t.Errorf("row %d: refused as %q, want %q", row, code, want)
			}
		}
		if !results[4].Overridden || results[2].Refusal.Text != "no name is known: write it as they say it" {
			t.Errorf("results %+v", results)
		}
	}
	var overrides []access.Entry
	must(t, w.org.Audit(ctx, func(e *access.Entry) error {
		if e.Action == "gate.override" {
			overrides = append(overrides, *e)
		}
		return nil
	}))
	if len(overrides) != 1 || overrides[0].Reason != "community-witness" || overrides[0].Actor.SecondPerson != "acc-approver" {
		t.Errorf("overrides on record: %+v", overrides)
	}
	b.Gate = func(context.Context, issuer.UnitID) (issuer.Decision, error) { return issuer.Decision{}, errFault }
	if err := w.desk.Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Errorf("a gate that cannot judge: %v", err)
	}
	w.sound(t)
}

func testVoid(t *testing.T, e Engine) {
	w := newWorld(t, e)
	all := ids(issued(t, issue(t, w.desk, w.batch(t, 40))))
	j := w.print(t, all[:30], "sheet 1")
	must(t, w.desk.MoveCards(ctx, all[:3], issuer.CardHandedOver, "", ""))
	must(t, w.desk.Revoke(ctx, all[3:4], "lost"))
	cards, err := w.org.Cards(ctx, issuer.Selection{PrintJob: j.ID})
	must(t, err)
	at := credential.FromStd(w.now)
	plan := issuer.PlanBulk(cards, status.Invalid, true, at)
	if plan.Total != 30 || len(plan.Can) != 26 || plan.Already != 1 || len(plan.Cannot) != 1 || plan.Cannot[0].Count != 3 {
		t.Errorf("plan without those handed over: %+v", plan)
	}
	plan = issuer.PlanBulk(cards, status.Invalid, false, at)
	if len(plan.Can) != 29 || plan.HandedOver != 3 || plan.Active != 29 {
		t.Errorf("plan: %+v", plan)
	}
	if err := w.desk.Bulk(ctx, plan, "stolen", 28); !errors.Is(err, issuer.ErrConfirm) {
		t.Errorf("another number typed: %v", err)
	}
	if err := w.desk.Bulk(ctx, plan, "stolen", 29); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("by one person: %v", err)
	}
	w.desk.Actor.SecondPerson = "acc-lead"
	if err := w.desk.Bulk(ctx, plan, "wrong list", 29); !errors.Is(err, issuer.ErrSuspendFirst) {
		t.Errorf("revoked without being suspended: %v", err)
	}
	hold := issuer.PlanBulk(cards, status.Suspended, false, at)
	if len(hold.Can) != 29 || hold.Cannot[0].Count != 1 {
		t.Errorf("plan to suspend: %+v", hold)
	}
	must(t, w.desk.Bulk(ctx, hold, "wrong list", 29))
	if cards, err = w.org.Cards(ctx, issuer.Selection{PrintJob: j.ID}); err != nil {
		t.Fatal(err)
	}
	must(t, w.desk.Bulk(ctx, issuer.PlanBulk(cards, status.Invalid, false, at), "wrong list", 29))
	for i, id := range all {
		if c := w.card(t, id); (c.Status == status.Invalid) != (i < 30) {
			t.Errorf("card %d is %s", i, c.Status)
		}
	}
	for name, s := range map[string]struct {
		s    issuer.Selection
		want int
	}{
		"the batch":     {issuer.Selection{Lot: cards[0].Lot}, 40},
		"the programme": {issuer.Selection{Programme: "P7K2", Round: 3}, 40},
		"another round": {issuer.Selection{Programme: "P7K2", Round: 4}, 0},
		"the active":    {issuer.Selection{Programme: "P7K2", Active: true}, 10},
		"another type":  {issuer.Selection{Programme: "P7K2", Type: "referral"}, 0},
		"named ones":    {issuer.Selection{IDs: all[:5]}, 5},
		"nobody":        {issuer.Selection{Units: []issuer.UnitID{}}, 0},
	} {
		if found, err := w.org.Cards(ctx, s.s); err != nil || len(found) != s.want {
			t.Errorf("%s: %d cards, %v; want %d", name, len(found), err, s.want)
		}
	}
	if _, err := w.org.Cards(ctx, issuer.Selection{Active: true}); err == nil {
		t.Error("an empty selection picked every card")
	}
	w.sound(t)
}

// testAnyOrder does random acts, and asks after each of them.
func testAnyOrder(t *testing.T, e Engine) {
	w := newWorld(t, e)
	w.desk.Actor.SecondPerson = "acc-lead"
	const people, acts = 6, 120
	b := w.batch(t, people)
	lot := w.blanks(t, 5)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	none := func(issuer.Result) error { return nil }
	file := 0
	for n := range acts {
		all, err := w.org.Cards(ctx, issuer.Selection{Programme: "P7K2"})
		must(t, err)
		var c issuer.Card
		if len(all) > 0 {
			c = all[r.IntN(len(all))]
		}
		q := b.Requests[r.IntN(people)]
		act := r.IntN(9)
		switch one := []issuer.CTI{c.ID}; act {
		case 0, 1:
			some := b
			some.Replace, some.Requests = r.IntN(2) == 0, []issuer.Request{q}
			approve(t, &some)
			err = w.desk.Issue(ctx, some, none)
		case 2, 3:
			some := b
			q.Replaces, some.Reason = c.ID, "lost"
			some.Requests = []issuer.Request{q}
			approve(t, &some)
			err = w.desk.Replace(ctx, some, none)
		case 4:
			_, err = w.desk.Bind(ctx, c.ID, q.Unit, nil, "")
		case 5:
			err = w.desk.MoveCards(ctx, one, []issuer.CardState{issuer.CardSpoiled, issuer.CardUnclaimed, issuer.CardHandedOver, issuer.CardDestroyed}[r.IntN(4)], "", "x")
		case 6:
			err = w.desk.Suspend(ctx, one, "x")
		case 7:
			if r.IntN(3) == 0 {
				err = w.desk.Revoke(ctx, one, "void")
			} else if c.Kind != issuer.Blank {
				err = w.desk.Reinstate(ctx, one, "x")
			}
		case 8:
			file++
			_, err = w.desk.RecordPrint(ctx, issuer.PrintJob{Layout: "a4", Digest: sha256.Sum256([]byte{byte(file), 1}), Cards: one})
		}
		for _, expected := range []error{issuer.ErrCardState, issuer.ErrPrinted, issuer.ErrFinal, issuer.ErrNotBlank, issuer.ErrBound, issuer.ErrNamed, issuer.ErrNotFound} {
			if errors.Is(err, expected) {
				err = nil
			}
		}
		if err != nil {
			t.Fatalf("seed %d, act %d (%d): %v", seed, n, act, err)
		}
		for _, q := range b.Requests {
			live := 0
			found, err := w.org.Cards(ctx, issuer.Selection{Units: []issuer.UnitID{q.Unit}, Active: true})
			must(t, err)
			for _, c := range found {
				if c.Type == "eligibility" && c.Programme == "P7K2" && c.Round <= 3 && 3 <= c.LastRound {
					live++
				}
			}
			if live > 1 {
				t.Fatalf("seed %d, act %d (%d): a unit has %d active cards", seed, n, act, live)
			}
		}
	}
	w.now = w.now.Add(time.Hour)
	w.sound(t)
	if _, err := w.org.Cards(ctx, issuer.Selection{BlankLot: lot.ID}); err != nil {
		t.Fatal(err)
	}
}
