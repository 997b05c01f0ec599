package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/status"
)

func testIssueOnce(t *testing.T, e Engine) {
	w := newWorld(t, e)
	n := w.many(600) // more than two chunks
	b := w.batch(t, n)
	results := issue(t, w.desk, b)
	type entry struct {
		uri   string
		index uint64
	}
	seen, lists := map[entry]bool{}, map[string]int{}
	for i, c := range issued(t, results) {
		r := results[i+1]
		if r.Old || r.Unit != b.Requests[i].Unit || c.State != issuer.Issued {
			t.Fatalf("row %d: %+v", i+1, r)
		}
		unit := r.Unit
		if want := cwt.Pseudonym(b.ProgrammeKey, unit[:]); c.Pseudonym != want {
			t.Fatalf("row %d: pseudonym %q, want %q", i+1, c.Pseudonym, want)
		}
		if at := (entry{c.StatusURI, c.StatusIndex}); seen[at] {
			t.Fatalf("row %d shares the status index %v", i+1, at)
		} else {
			seen[at] = true
			lists[c.StatusURI]++
		}
		sameAsCard(t, w, c, r.Text)
	}
	for uri, here := range lists {
		if len(lists) != 2 || here < n/4 {
			t.Errorf("list %s has %d of %d credentials, of %d lists", uri, here, n, len(lists))
		}
	}
	signatures := len(w.signer.signed)
	for row, r := range issue(t, w.desk, b) {
		if first := results[row]; !r.Old || r.Refusal != nil || r.Text != first.Text || r.Credential.ID != first.Credential.ID {
			t.Fatalf("row %d issued again: %+v, want the same card", row, r)
		}
	}
	if len(w.signer.signed) != signatures {
		t.Errorf("issuing again made %d signatures", len(w.signer.signed)-signatures)
	}
	w.whole(t)
}

// sameAsCard compares what the store knows with what the QR text says.
func sameAsCard(t *testing.T, w *world, c issuer.Credential, text string) {
	t.Helper()
	var s qr.Scratch
	raw, err := s.Decode(text)
	must(t, err)
	must(t, w.verify(raw))
	e, err := cwt.Parse(raw)
	must(t, err)
	k, err := coseKey(w.signer)
	must(t, err)
	card, err := cwt.OpenCard(&e, k, nil)
	must(t, err)
	if string(card.ID) != string(c.ID[:]) || string(card.Pseudonym) != c.Pseudonym || card.ExpiresAt != c.ExpiresAt ||
		card.IssuedAt != c.IssuedAt || string(card.Status.URI) != c.StatusURI || card.Status.Index != c.StatusIndex {
		t.Fatalf("credential %s: the card says something else than the store", c.ID)
	}
	claims, err := schemas.ByName("eligibility").NamePlain(card.Plain)
	must(t, err)
	if claims["programme"] != "P7K2" || claims["round"] != int64(3) || claims["size_band"] != "4-5" {
		t.Fatalf("credential %s: claims %v", c.ID, claims)
	}
}

func testRefusals(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 8)
	issued(t, issue(t, w.desk, b))
	b.Round = 4 // all but the first are new in this round
	photo := []byte("the bytes of a face")
	q := b.Requests
	q[1].Claims = map[string]any{"size_band": "forty-seven"}
	q[2].Claims = map[string]any{"size_band": "1", "shoe_size": "44"}
	q[3].Claims = map[string]any{"size_band": "1", "name": "Canary"}
	q[4].Unit = issuer.NewUnitID()
	q[5].Unit = q[0].Unit
	q[6].PIN = "123456"
	q[7].Photo = photo
	approve(t, &b)
	results := issue(t, w.desk, b)
	want := map[int]string{2: issuer.RefusedClaims, 3: issuer.RefusedClaims, 4: issuer.RefusedSealed, 5: issuer.RefusedUnit,
		6: issuer.RefusedDuplicate, 7: issuer.RefusedSealed}
	for row, r := range results {
		code := ""
		if r.Refusal != nil {
			code = r.Refusal.Code
			if strings.Contains(r.Refusal.Text, "Canary") || strings.Contains(r.Refusal.Text, "forty") {
				t.Errorf("row %d: the refusal %q repeats a value", row, r.Refusal.Text)
			}
			if r.Text != "" || r.Credential.Card != nil {
				t.Errorf("row %d was refused and has a card", row)
			}
		}
		if code != want[row] {
			t.Errorf("row %d: refused as %q, want %q", row, code, want[row])
		}
	}
	claims := openClaims(t, w, results[8].Credential.Card)
	id := results[8].Credential.ID
	if hash := cwt.PhotoHash(id[:], photo); string(claims["photo_hash"].([]byte)) != string(hash[:]) {
		t.Error("the photo hash is not the photo's under this cti")
	}
	// The same place with other content: the old card is not passed off as the new one.
	q[0].Claims = map[string]any{"size_band": "1"}
	approve(t, &b)
	if r := issue(t, w.desk, b)[1]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedExists {
		t.Errorf("another content for the same place: %+v, want %q", r, issuer.RefusedExists)
	}
	// With an audience the sealed parts are written.
	b.EpochKey = random(cwt.EpochKeyBytes)
	sealed := issue(t, w.desk, b)
	for _, row := range []int{4, 7} {
		if r := sealed[row]; r.Refusal != nil {
			t.Errorf("row %d with an epoch key: %s", row, r.Refusal.Text)
		}
	}
}

func openClaims(t *testing.T, w *world, card []byte) map[string]any {
	t.Helper()
	e, err := cwt.Parse(card)
	must(t, err)
	k, err := coseKey(w.signer)
	must(t, err)
	c, err := cwt.OpenCard(&e, k, nil)
	must(t, err)
	claims, err := schemas.ByName("eligibility").NamePlain(c.Plain)
	must(t, err)
	return claims
}

func testApproval(t *testing.T, e Engine) {
	w := newWorld(t, e)
	good := w.batch(t, 3)
	never := func(issuer.Result) error { t.Error("a result of a batch that is not approved"); return nil }
	for name, change := range map[string]func(*issuer.Batch){
		"no approval":     func(b *issuer.Batch) { b.Approval = issuer.Approval{} },
		"one value":       func(b *issuer.Batch) { b.Requests[1].Claims = map[string]any{"size_band": "6+"} },
		"one row more":    func(b *issuer.Batch) { b.Requests = append(b.Requests, b.Requests[0]) },
		"another unit":    func(b *issuer.Batch) { b.Requests[1].Unit = issuer.NewUnitID() },
		"another round":   func(b *issuer.Batch) { b.Round = 9 },
		"a longer life":   func(b *issuer.Batch) { b.ExpiresAt = credential.FromStd(start.AddDate(0, 11, 0)) },
		"a photo":         func(b *issuer.Batch) { b.Requests[0].Photo = []byte{1} },
		"another type":    func(b *issuer.Batch) { b.Type = schemas.ByName("registration") },
		"another program": func(b *issuer.Batch) { b.Programme = "P7K3" },
	} {
		b := good
		b.Requests = append([]issuer.Request(nil), good.Requests...)
		change(&b)
		if err := w.desk.Issue(ctx, b, never); !errors.Is(err, issuer.ErrNotApproved) {
			t.Errorf("%s changed after the approval: %v, want ErrNotApproved", name, err)
		}
	}
	w.desk.FourEyes = true
	own := good
	own.Approval.By = w.desk.Actor.ID
	if err := w.desk.Issue(ctx, own, never); !errors.Is(err, issuer.ErrNotApproved) {
		t.Errorf("the issuer's own approval: %v, want ErrNotApproved", err)
	}
	issued(t, issue(t, w.desk, good))
	if len(w.signer.signed) != 3 {
		t.Errorf("%d signatures, want 3", len(w.signer.signed))
	}
}

func testProgrammeKey(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 2)
	issued(t, issue(t, w.desk, b))
	b.ProgrammeKey = random(32)
	err := w.desk.Issue(ctx, b, func(issuer.Result) error { return nil })
	if !errors.Is(err, issuer.ErrProgrammeKey) {
		t.Errorf("another key for the programme: %v, want ErrProgrammeKey", err)
	}
}

func testCardNumbers(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 2)
	lot := issuer.Lot{ID: "lot", Type: "eligibility", Programme: "P7K2", KeyCheck: issuer.KeyCheck(b.ProgrammeKey), Form: credential.FormCWT,
		ExpiresAt: credential.FromStd(start.AddDate(0, 1, 0)),
		Lists:     issuer.ListPolicy{Prefix: "https://s.example.org/", Size: listSize, Open: 2, Decoys: 64, Fill: 0.75, Life: 24 * time.Hour}}
	rows := []issuer.Reservation{
		{ID: issuer.NewCTI(), Unit: b.Requests[0].Unit, Pseudonym: "AAAAAAAAAAAAAAAA", CardNumber: "00000000000"},
		{ID: issuer.NewCTI(), Unit: b.Requests[1].Unit, Pseudonym: "AAAAAAAAAAAAAAAB", CardNumber: "00000000000"},
	}
	slots, err := w.org.Reserve(ctx, clerk, lot, start, rows)
	must(t, err)
	if slots[0].Outcome != issuer.Fresh || slots[1].Outcome != issuer.NumberTaken {
		t.Fatalf("outcomes = %v, %v; want the second to find the number taken", slots[0].Outcome, slots[1].Outcome)
	}
	rows[1].Pseudonym, rows[1].CardNumber = "BAAAAAAAAAAAAAAA", "0G000000002"
	slots, err = w.org.Reserve(ctx, clerk, lot, start, rows)
	must(t, err)
	if slots[0].Outcome != issuer.Existing || slots[0].Credential.ID != rows[0].ID || slots[1].Outcome != issuer.Fresh {
		t.Fatalf("asked again: %+v", slots)
	}
	// Once a unit has a name in the programme it keeps it, whatever is asked with.
	lot.Round = 2
	rows[1].ID, rows[1].Pseudonym, rows[1].CardNumber = issuer.NewCTI(), "CAAAAAAAAAAAAAAA", "11111111111"
	slots, err = w.org.Reserve(ctx, clerk, lot, start, rows[1:])
	must(t, err)
	if got := slots[0].Credential; got.Pseudonym != "BAAAAAAAAAAAAAAA" || got.CardNumber != "0G000000002" {
		t.Errorf("the second round names the unit %s %s", got.Pseudonym, got.CardNumber)
	}
}

func testExpired(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 3)
	first := issued(t, issue(t, w.desk, b))
	w.now = w.now.Add(time.Duration(b.Type.Validity)*time.Second - time.Hour)
	w.desk.Actor.SecondPerson = "acc-lead" // half a year after the last signature
	if again := issued(t, issue(t, w.desk, b)); again[0].ID != first[0].ID {
		t.Error("an hour before its expiry the card was replaced")
	}
	w.now = w.now.Add(2 * time.Hour)
	for i, c := range issued(t, issue(t, w.desk, b)) {
		if c.ID == first[i].ID || c.Pseudonym != first[i].Pseudonym || c.StatusIndex == first[i].StatusIndex && c.StatusURI == first[i].StatusURI {
			t.Errorf("row %d after the expiry: want another credential under the same pseudonym and another index", i+1)
		}
	}
	w.whole(t)
}

func testListLife(t *testing.T, e Engine) {
	w := newWorld(t, e)
	w.desk.Lists.Life = 30 * 24 * time.Hour
	b := w.batch(t, 4)
	b.ExpiresAt = credential.FromStd(start.AddDate(0, 0, 20))
	approve(t, &b)
	short := issued(t, issue(t, w.desk, b))
	b.Round, b.ExpiresAt = 4, credential.FromStd(start.AddDate(0, 0, 90))
	approve(t, &b)
	for _, c := range issued(t, issue(t, w.desk, b)) {
		for _, s := range short {
			if c.StatusURI == s.StatusURI {
				t.Fatal("a credential of 90 days stands in a list of 30")
			}
		}
	}
	uris, err := w.org.StatusLists(ctx, start.AddDate(0, 0, 60))
	must(t, err)
	if len(uris) != 2 {
		t.Errorf("%d lists are promised in 60 days, want the 2 long ones", len(uris))
	}
	w.whole(t)
}

// testConcurrency: two databases on one folder, as two processes have them, with
// several desks each, all at the same batch.
func testConcurrency(t *testing.T, e Engine) {
	w := newWorld(t, e)
	n := w.many(300)
	b := w.batch(t, n)
	other := e.Open(t, w.dir, w.options())
	defer other.Close()
	second, err := other.Org(ctx, "org-a", w.kek)
	must(t, err)
	var mu sync.Mutex
	ids := map[int]map[issuer.CTI]bool{}
	var wg sync.WaitGroup
	for i := range 4 {
		desk := w.newDesk(w.org, w.org)
		if i%2 == 1 {
			desk = w.newDesk(second, second)
		}
		part := b
		if i >= 2 { // from the other end
			part.Requests = nil
			for j := range b.Requests {
				part.Requests = append(part.Requests, b.Requests[len(b.Requests)-1-j])
			}
			approve(t, &part)
		}
		wg.Go(func() {
			err := desk.Issue(ctx, part, func(r issuer.Result) error {
				if r.Refusal != nil {
					return r.Refusal
				}
				mu.Lock()
				defer mu.Unlock()
				if ids[r.Row] == nil {
					ids[r.Row] = map[issuer.CTI]bool{}
				}
				ids[r.Row][r.Credential.ID] = true
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for row, of := range ids {
		if len(of) != 1 {
			t.Errorf("row %d has %d credentials", row, len(of))
		}
	}
	if all := w.credentials(t); len(all) != n {
		t.Errorf("%d credentials for %d households", len(all), n)
	}
	w.whole(t)
}

func testStopped(t *testing.T, e Engine) {
	w := newWorld(t, e)
	rows := w.many(600)
	b := w.batch(t, rows)
	stop, cancel := context.WithCancel(ctx)
	n := 0
	err := w.desk.Issue(stop, b, func(issuer.Result) error {
		if n++; n == rows/2 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n >= rows {
		t.Fatalf("stopped after %d rows: %v", n, err)
	}
	old := 0
	for _, r := range issue(t, w.desk, b) {
		if r.Refusal != nil {
			t.Fatal(r.Refusal)
		}
		if r.Old {
			old++
		}
	}
	if old < n {
		t.Errorf("%d of the %d handed out were known the second time", old, n)
	}
	w.whole(t)

	wrong := errors.New("the disk of the cards is full")
	if err := w.desk.Issue(ctx, b, func(issuer.Result) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("the caller's error came back as %v", err)
	}
}

func testClock(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 1)
	never := func(issuer.Result) error { t.Error("a card under a wrong clock"); return nil }
	w.desk.Known = credential.FromStd(start.Add(time.Second))
	if err := w.desk.Issue(ctx, b, never); !errors.Is(err, issuer.ErrClock) {
		t.Errorf("a clock before a signed time: %v, want ErrClock", err)
	}
	w.desk.Known = credential.FromStd(start.AddDate(0, 0, -91))
	if err := w.desk.Issue(ctx, b, never); !errors.Is(err, issuer.ErrClock) {
		t.Errorf("a clock 91 days ahead: %v, want ErrClock", err)
	}
	w.desk.Actor.SecondPerson = "acc-lead"
	issued(t, issue(t, w.desk, b))
	w.desk.Known = 0

	_, err := w.desk.PublishStatus(ctx, w.status, issuer.Publishing{})
	must(t, err)
	w.now = w.now.Add(-time.Hour)
	if _, err := w.desk.PublishStatus(ctx, w.status, issuer.Publishing{}); !errors.Is(err, issuer.ErrClock) {
		t.Errorf("a clock an hour before the last publication: %v, want ErrClock", err)
	}
}

func testStatus(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := issued(t, issue(t, w.desk, w.batch(t, 4)))
	one, two := []issuer.CTI{cards[0].ID}, []issuer.CTI{cards[1].ID}
	must(t, w.desk.Suspend(ctx, []issuer.CTI{cards[0].ID, cards[1].ID}, "under review"))
	must(t, w.desk.Reinstate(ctx, one, "cleared"))
	must(t, w.desk.Revoke(ctx, two, "moved away"))
	must(t, w.desk.Revoke(ctx, two, "moved away")) // twice is no error
	for name, act := range map[string]func() error{
		"reinstate": func() error { return w.desk.Reinstate(ctx, two, "mistake") },
		"suspend":   func() error { return w.desk.Suspend(ctx, two, "mistake") },
		"all of several": func() error {
			return w.desk.Suspend(ctx, []issuer.CTI{cards[2].ID, cards[1].ID}, "mistake")
		},
	} {
		if err := act(); !errors.Is(err, issuer.ErrFinal) {
			t.Errorf("%s a revoked credential: %v, want ErrFinal", name, err)
		}
	}
	if err := w.desk.Revoke(ctx, []issuer.CTI{cards[3].ID, issuer.NewCTI()}, "x"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("revoke an unknown one: %v, want ErrNotFound", err)
	}
	if err := w.desk.Revoke(ctx, one, " "); err == nil {
		t.Error("a revocation without a reason")
	}
	for i, want := range []status.Value{status.Valid, status.Invalid, status.Valid, status.Valid} {
		// Found by everything a person may hold or say; the number as it is typed.
		number := strings.ToLower(cards[i].CardNumber[:5] + "-" + cards[i].CardNumber[5:])
		for _, text := range []string{cards[i].ID.String(), number, cards[i].Pseudonym, " " + fmt.Sprintf("HH-%05d", i), cards[i].Unit.String()} {
			found, err := w.desk.Find(ctx, text)
			must(t, err)
			if len(found) != 1 || found[0].ID != cards[i].ID || found[0].Status != want {
				t.Errorf("%q finds %d credentials, want the one of row %d as %s", text, len(found), i+1, want)
			}
		}
	}
	if found, err := w.desk.Find(ctx, "nobody"); err != nil || len(found) != 0 {
		t.Errorf("a stranger: %d credentials, %v", len(found), err)
	}
	// The same roster again does not give back what was revoked, unless that is asked for.
	b := w.batch(t, 4)
	results := issue(t, w.desk, b)
	if r := results[2]; results[1].Credential.ID != cards[0].ID || r.Refusal == nil || r.Refusal.Code != issuer.RefusedRevoked || r.Text != "" {
		t.Errorf("after the revocation of row 2, row 1 keeps its card, and row 2 is %+v; want %q", r, issuer.RefusedRevoked)
	}
	b.Replace = true
	approve(t, &b)
	alone := b
	alone.Approval.By = w.desk.Actor.ID
	if r := issue(t, w.desk, alone)[2]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedAlone || r.Text != "" {
		t.Errorf("one person takes a card and makes another: %+v, want %q", r, issuer.RefusedAlone)
	}
	many := w.batch(t, issuer.BulkLimit+1)
	many.Replace = true
	approve(t, &many)
	many.Approval.By = w.desk.Actor.ID
	if err := w.desk.Issue(ctx, many, func(issuer.Result) error { return nil }); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("one person replaces %d: %v, want %v", len(many.Requests), err, issuer.ErrSecondPerson)
	}
	results = issue(t, w.desk, b)
	second := results[2]
	if results[1].Credential.ID != cards[0].ID || second.Refusal != nil || second.Old || second.Replaces != cards[1].ID {
		t.Errorf("replacing: row 2 is %+v, want a new card for %s", second, cards[1].ID)
	}
	b.Replace = false
	approve(t, &b)
	if r := issue(t, w.desk, b)[2]; !r.Old || r.Credential.ID != second.Credential.ID {
		t.Errorf("once replaced, row 2 is %+v, want the new card again", r)
	}
	w.whole(t)
}
