package storagetest

import (
	"errors"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// refused fails the test unless every row was refused with code.
func refused(t *testing.T, what string, results map[int]issuer.Result, code string) {
	t.Helper()
	for row, r := range results {
		if r.Refusal == nil || r.Refusal.Code != code || r.Text != "" {
			t.Errorf("%s: row %d is %+v, want refused as %q", what, row, r, code)
		}
	}
}

// testPlace: whatever a row says of itself, there is one card for a round.
func testPlace(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 1) // round 3
	with := func(round uint64, claims map[string]any) issuer.Batch {
		c := b
		c.Round = round
		c.Requests = []issuer.Request{b.Requests[0]}
		c.Requests[0].Claims = map[string]any{"size_band": "4-5"}
		for name, v := range claims {
			c.Requests[0].Claims[name] = v
		}
		approve(t, &c)
		return c
	}
	for what, c := range map[string]issuer.Batch{
		"another programme":          with(3, map[string]any{"programme": "K7Q2"}),
		"another round":              with(9, map[string]any{"round": int64(3)}),
		"several rounds":             with(3, map[string]any{"rounds": []int64{1, 6}}),
		"rounds and a round":         with(0, map[string]any{"round": int64(3), "rounds": "1-6"}),
		"no round":                   with(0, nil),
		"another round, as a text":   with(9, map[string]any{"round": "3"}),
		"programme of small letters": with(3, map[string]any{"programme": "p7k2"}),
	} {
		refused(t, what, issue(t, w.desk, c), issuer.RefusedClaims)
	}
	issued(t, issue(t, w.desk, with(3, map[string]any{"programme": "P7K2", "round": int64(3)}))) // the same said twice
	for what, c := range map[string]issuer.Batch{
		"a round by its claim":  with(0, map[string]any{"round": int64(3), "size_band": "1"}),
		"rounds over it":        with(0, map[string]any{"rounds": []int64{1, 6}}),
		"rounds from it":        with(0, map[string]any{"rounds": []int64{3, 4}}),
		"rounds up to it":       with(0, map[string]any{"rounds": []int64{2, 3}}),
		"the round of the card": with(3, map[string]any{"size_band": "1"}),
	} {
		refused(t, what, issue(t, w.desk, c), issuer.RefusedExists)
	}
	wide := issued(t, issue(t, w.desk, with(0, map[string]any{"rounds": []int64{4, 6}})))[0]
	if wide.Round != 4 || wide.LastRound != 6 {
		t.Errorf("a card for rounds 4 to 6 is stored for %d to %d", wide.Round, wide.LastRound)
	}
	refused(t, "a round inside", issue(t, w.desk, with(5, nil)), issuer.RefusedExists)
	issued(t, issue(t, w.desk, with(7, nil)))
	w.whole(t)

	// A type of another name and the same URI is the same type.
	other := with(3, map[string]any{"size_band": "1"})
	renamed := *other.Type
	renamed.Name, other.Type = "eligb", &renamed
	approve(t, &other)
	refused(t, "the type by another name", issue(t, w.desk, other), issuer.RefusedExists)

	// Past the store, the schema itself keeps rounds apart; and Check sees it.
	const copied = `INSERT INTO credential SELECT org_id, 'AAAAAAAAAAAAAA', lot_id, unit_id, type, vct, programme, 1, 9, form, 'released', list_no,
		(SELECT MIN(idx) FROM status_index i WHERE i.list_no = c.list_no AND i.kind = 'decoy'), request_hash, approval, expires_at, reserved_at,
		key_id, issued_at, intent, card, signed_at, NULL, NULL FROM credential c WHERE round = 4`
	db := e.SQL(t, w.dir)
	if _, err := db.Exec(copied); err == nil {
		t.Error("the database lets two active cards of one round in")
	}
	if _, err := db.Exec(`UPDATE credential SET ended_at = NULL WHERE ended_at IS NOT NULL`); err != nil {
		t.Error(err) // none has ended here
	}
	must(t, db.Close())
	w.exec(t, `DROP TRIGGER credential_overlap`)
	w.exec(t, copied)
	found := false
	for _, what := range w.findings(t) {
		found = found || what == "one-active"
	}
	if !found {
		t.Error("Check finds nothing in two active cards of one round")
	}
}

// testKinds: an identifier means one unit of its kind and roster, and a name that
// changes is refused.
func testKinds(t *testing.T, e Engine) {
	w := newWorld(t, e)
	row := func(kind issuer.UnitKind, roster, name string) issuer.RosterRow {
		return issuer.RosterRow{Kind: kind, Namespace: roster, External: "1", Fixed: []string{"full_name"}, Values: map[string]any{"full_name": name}}
	}
	enrol := func(r issuer.RosterRow) issuer.Enrolled {
		done, err := w.desk.Enrol(ctx, []issuer.RosterRow{r}, nil)
		must(t, err)
		return done[0]
	}
	amina := enrol(row(issuer.Person, "", "Amina Yusuf"))
	others := []issuer.Enrolled{enrol(row(issuer.Household, "", "Amina Yusuf")), enrol(row(issuer.Person, "village-2", "Other Person")),
		enrol(row(issuer.Person, "village-3", "Third Person"))}
	seen := map[issuer.UnitID]bool{amina.ID: true}
	for i, o := range others {
		if !o.New || seen[o.ID] || o.Refusal != nil {
			t.Errorf("unit %d with the same identifier: %+v, want a new one", i+1, o)
		}
		seen[o.ID] = true
	}
	before, err := w.org.VerifyAudit(ctx, access.Head{})
	must(t, err)
	no := enrol(row(issuer.Person, "", "Other Person"))
	if no.Refusal == nil || no.Refusal.Code != issuer.RefusedName || no.ID != amina.ID || no.Changed != 0 {
		t.Errorf("another name for person 1: %+v, want %q", no, issuer.RefusedName)
	}
	if after, err := w.org.VerifyAudit(ctx, before); err != nil || after != before {
		t.Errorf("a refused row wrote something: %v, %v", after, err)
	}
	u, err := w.org.Unit(ctx, amina.ID)
	must(t, err)
	if name, err := registry.ReadValue(u.Fields["full_name"]); err != nil || name != "Amina Yusuf" {
		t.Errorf("person 1 is called %v after the refusal", name)
	}
	if same := enrol(row(issuer.Person, "", "  amina   YUSUF ")); same.Refusal != nil || same.ID != amina.ID {
		t.Errorf("the same name in capitals: %+v", same)
	}
	if u, err := w.org.Unit(ctx, others[1].ID); err != nil || u.Namespace != "village-2" || u.External != "1" {
		t.Errorf("the person of village 2 reads as %+v, %v", u, err)
	}
	renamed := row(issuer.Person, "", "Amina Hassan")
	renamed.Fixed = nil // on purpose
	if r := enrol(renamed); r.Refusal != nil || r.Changed != 1 || r.ID != amina.ID {
		t.Errorf("renamed on purpose: %+v", r)
	}

	// All of them have a card; the identifier finds all, kind and roster one.
	b := w.batch(t, 1)
	b.Requests = nil
	for id := range seen {
		b.Requests = append(b.Requests, issuer.Request{Row: len(b.Requests) + 1, Unit: id, Claims: map[string]any{"size_band": "1"}})
	}
	approve(t, &b)
	issued(t, issue(t, w.desk, b))
	if all, err := w.desk.Find(ctx, "1"); err != nil || len(all) != len(seen) {
		t.Errorf("the identifier finds %d cards, %v; want %d", len(all), err, len(seen))
	}
	one, err := w.desk.FindUnit(ctx, issuer.Person, " village-2 ", "1")
	must(t, err)
	if len(one) != 1 || one[0].Unit != others[1].ID {
		t.Errorf("person 1 of village 2: %d cards", len(one))
	}
	if none, err := w.desk.FindUnit(ctx, issuer.Household, "village-2", "1"); err != nil || len(none) != 0 {
		t.Errorf("a household that is not there has %d cards, %v", len(none), err)
	}
}

// testTakeover: what came to a reservation and no further stands in nobody's way.
func testTakeover(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 4)
	f := &faulty{Store: w.org, log: w.org, failAt: 2} // reserved, no intent
	if err := w.newDesk(f, f).Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	left := w.credentials(t)
	w.now = w.now.Add(time.Minute)
	for i := range b.Requests { // the roster is mended at once
		b.Requests[i].Claims = map[string]any{"size_band": "1"}
	}
	approve(t, &b)
	must(t, w.desk.Resume(ctx, func(r issuer.Result) error { t.Errorf("resumed %+v", r); return nil }))
	cards := issued(t, issue(t, w.desk, b))
	for i, c := range cards {
		if c.ID == left[i].ID {
			t.Errorf("row %d: the mended request has the old reservation", i+1)
		}
	}
	// The desk that made the reservation comes back: it gets nothing signed.
	now, err := w.org.RecordIntents(ctx, clerk, []issuer.Intent{{ID: left[0].ID, ToBeSigned: []byte("old")}})
	must(t, err)
	if !now[0].Ended || now[0].Intent != nil {
		t.Errorf("a reservation that was taken over takes an intent: %+v", now[0])
	}
	w.whole(t)

	// Resume before an issue: cards that do not verify stop nobody.
	b.Round = 4
	approve(t, &b)
	f = &faulty{Store: w.org, log: w.org, failAt: 3} // intended
	if err := w.newDesk(f, f).Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	w.desk.Check = func([]byte) error { return errors.New("of a type not known here") }
	bad := 0
	must(t, w.desk.Resume(ctx, func(r issuer.Result) error {
		if r.Refusal != nil && r.Refusal.Code == issuer.RefusedBadCard {
			bad++
		}
		return nil
	}))
	if bad != 4 {
		t.Errorf("%d of 4 cards were refused", bad)
	}
	w.desk.Check = w.verify
	b.Round = 5
	approve(t, &b)
	issued(t, issue(t, w.desk, b))
}

// testClockAhead: what was signed here is a measure of the clock, too.
func testClockAhead(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 2)
	if known, err := w.org.KnownTime(ctx); err != nil || known != 0 {
		t.Errorf("before anything was signed %s is known, %v", known, err)
	}
	cards := issued(t, issue(t, w.desk, b))
	if known, err := w.org.KnownTime(ctx); err != nil || !known.Std().Equal(start) {
		t.Errorf("known is %s, %v; want the time of the batch", known, err)
	}
	w.now = start.AddDate(0, 0, 300) // the cards would pass for expired
	must(t, w.desk.Revoke(ctx, []issuer.CTI{cards[1].ID}, "lost"))
	w.batch(t, 3) // reading a roster makes a clock no truer
	never := func(issuer.Result) error { t.Error("a card under a clock 300 days ahead"); return nil }
	if err := w.desk.Issue(ctx, b, never); !errors.Is(err, issuer.ErrClock) {
		t.Errorf("issue under a clock 300 days ahead: %v, want ErrClock", err)
	}
	if err := w.desk.Resume(ctx, never); !errors.Is(err, issuer.ErrClock) {
		t.Errorf("resume under a clock 300 days ahead: %v, want ErrClock", err)
	}
	if _, err := w.desk.PublishStatus(ctx, w.status, issuer.Publishing{}); !errors.Is(err, issuer.ErrClock) {
		t.Errorf("publish under a clock 300 days ahead: %v, want ErrClock", err)
	}
	w.now = start.AddDate(0, 0, -1)
	if err := w.desk.Issue(ctx, b, never); !errors.Is(err, issuer.ErrClock) {
		t.Errorf("issue under a clock a day behind what was signed: %v, want ErrClock", err)
	}
	w.now = start.AddDate(0, 0, 80)
	w.publish(t)
	w.now = start.AddDate(0, 0, 160) // 80 days after the publication
	w.publish(t)
}

// testOwnApproval: four eyes are two accounts, not two spellings.
func testOwnApproval(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 1)
	w.desk.FourEyes = true
	for _, by := range []string{clerk.ID, "ACC-Clerk", " acc-clerk "} {
		b.Approval.By = by
		if err := w.desk.Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, issuer.ErrNotApproved) {
			t.Errorf("approved by %q, issued by %q: %v, want ErrNotApproved", by, clerk.ID, err)
		}
	}
}
