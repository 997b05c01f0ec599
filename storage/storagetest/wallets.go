package storagetest

import (
	"crypto"
	"errors"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/status"
)

// phone is n keys of one wallet.
func phone(t testing.TB, n int) []*cose.Key {
	t.Helper()
	keys := make([]*cose.Key, n)
	for i := range keys {
		var err error
		keys[i], err = cose.NewKey(crypto.PublicKey(newKey(t).Public()))
		must(t, err)
	}
	return keys
}

// walletBatch is the batch of one unit's credentials of form f, approved before any
// wallet is known.
func (w *world) walletBatch(t *testing.T, f credential.Form, replace bool) (issuer.Batch, issuer.Request) {
	t.Helper()
	b := w.batch(t, 1)
	b.Form, b.Replace, b.Reason = f, replace, "phone_lost"
	approve(t, &b)
	return b, b.Requests[0]
}

// given fails the test unless every copy was issued.
func given(t *testing.T, results []issuer.Result, err error, n int) []issuer.Credential {
	t.Helper()
	must(t, err)
	if len(results) != n {
		t.Fatalf("%d results, want %d", len(results), n)
	}
	cards := make([]issuer.Credential, n)
	for i, r := range results {
		if r.Refusal != nil {
			t.Fatalf("copy %d: %v", i, r.Refusal)
		}
		if cards[i] = r.Credential; cards[i].Copy != i {
			t.Errorf("copy %d came as copy %d", i, cards[i].Copy)
		}
	}
	return cards
}

var walletForms = []credential.Form{credential.FormBound, credential.FormSDJWT, credential.FormVCJWT}

// testWallets: one-time credentials for one wallet, in each form.
func testWallets(t *testing.T, e Engine) {
	for _, f := range walletForms {
		t.Run(f.String(), func(t *testing.T) { testWallet(t, e, f) })
	}
}

func testWallet(t *testing.T, e Engine, f credential.Form) {
	w := newWorld(t, e)
	paper := issued(t, issue(t, w.desk, w.batch(t, 1)))[0]
	b, q := w.walletBatch(t, f, false)
	keys := phone(t, 3)
	results, err := w.desk.IssueWallet(ctx, b, q, keys)
	first := given(t, results, err, 3)
	seen := map[uint64]bool{paper.StatusIndex: true}
	for i, c := range first {
		if c.Pseudonym != paper.Pseudonym {
			t.Error("paper and wallet do not meet in the ledger")
		}
		if seen[c.StatusIndex] {
			t.Error("two credentials share a status index")
		}
		seen[c.StatusIndex] = true
		open := w.open(t, c)
		if open.IssuedAt%86400 != 0 || open.ExpiresAt%86400 != 0 || open.ExpiresAt > c.ExpiresAt {
			t.Errorf("copy %d says from %s to %s: two verifiers could compare that", i, open.IssuedAt, open.ExpiresAt)
		}
		if string(open.HolderKey) != string(keys[i].Append(nil)) {
			t.Errorf("copy %d is bound to another key", i)
		}
		uri := c.StatusURI
		if f != credential.FormBound {
			uri = status.URIOfJWT(uri)
		}
		if open.Status.Index != c.StatusIndex || string(open.Status.URI) != uri {
			t.Errorf("copy %d points at entry %d of %s", i, open.Status.Index, open.Status.URI)
		}
	}

	// A lost answer, asked for again, also in a new process.
	w.reopen(t)
	results, err = w.desk.IssueWallet(ctx, b, q, keys)
	for i, c := range given(t, results, err, 3) {
		if c.ID != first[i].ID || !results[i].Old || results[i].Text == "" {
			t.Errorf("copy %d: asked again with the same key, and it is another credential", i)
		}
	}

	// Another wallet does not get in beside the first.
	results, err = w.desk.IssueWallet(ctx, b, q, phone(t, 2))
	must(t, err)
	for _, r := range results {
		if r.Refusal == nil || r.Refusal.Code != issuer.RefusedExists {
			t.Errorf("a second wallet: %+v, want %s", r, issuer.RefusedExists)
		}
	}
	r, q2 := w.walletBatch(t, f, true)
	second := phone(t, 2)
	alone := r
	alone.Approval.By = w.desk.Actor.ID
	if _, err := w.desk.IssueWallet(ctx, alone, q2, second); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("one person alone put another wallet in the place of the first: %v", err)
	}
	for range 2 { // the second time nothing more happens
		results, err = w.desk.IssueWallet(ctx, r, q2, second)
		for i, c := range given(t, results, err, 2) {
			if c.ID == first[i].ID {
				t.Errorf("copy %d of the new wallet is the old one's", i)
			}
		}
	}
	for i, c := range first {
		found, err := w.org.FindCredentials(ctx, c.ID.String())
		must(t, err)
		if len(found) != 1 || found[0].Status != status.Invalid {
			t.Errorf("copy %d of the old wallet was not revoked", i)
		}
	}
	if found, err := w.org.FindCredentials(ctx, paper.ID.String()); err != nil || found[0].Status != status.Valid {
		t.Errorf("the paper card fell with the old wallet (%v)", err)
	}

	// An approval covers what was read, and only that.
	other := b
	other.Replace = true
	if _, err := w.desk.IssueWallet(ctx, other, q, phone(t, 1)); !errors.Is(err, issuer.ErrNotApproved) {
		t.Errorf("replacing what was not approved: %v", err)
	}
	for what, keys := range map[string][]*cose.Key{"none": nil, "too many": phone(t, issuer.MaxCopies+1), "no key": {nil}} {
		if _, err := w.desk.IssueWallet(ctx, b, q, keys); err == nil {
			t.Errorf("%s: a wallet was served", what)
		}
	}
	w.whole(t)
}

// testWalletFormer: who stands for a unit of another organisation does so in every form,
// and goes on doing it where nobody says so again.
func testWalletFormer(t *testing.T, e Engine) {
	former := credential.Former{Issuer: "https://other.example/i1", Pseudonym: cwt.Pseudonym([]byte("other"), []byte("unit"))}
	want, ok := former.Bytes()
	if !ok {
		t.Fatal("no former")
	}
	for _, f := range walletForms {
		w := newWorld(t, e)
		w.desk.MayReplace = func(asked credential.Former, _, _ string) bool { return asked == former }
		b, q := w.walletBatch(t, f, true)
		q.Former = former
		b.Requests[0].Former = former
		approve(t, &b)
		results, err := w.desk.IssueWallet(ctx, b, q, phone(t, 2))
		cards := given(t, results, err, 2)
		q.Former, b.Requests[0].Former = credential.Former{}, credential.Former{}
		approve(t, &b)
		results, err = w.desk.IssueWallet(ctx, b, q, phone(t, 2))
		for i, c := range append(cards, given(t, results, err, 2)...) {
			if open := w.open(t, c); string(open.Replaces) != string(want) || string(open.Pseudonym) != c.Pseudonym {
				t.Errorf("%s %d stands for %x, counted under %q", f, i, open.Replaces, open.Pseudonym)
			}
		}
		w.desk.MayReplace = nil
		results, err = w.desk.IssueWallet(ctx, b, q, phone(t, 2))
		must(t, err)
		for _, r := range results {
			if r.Refusal == nil || r.Refusal.Code != issuer.RefusedFormer {
				t.Errorf("%s, and the trust list does not let it: %v", f, r.Refusal)
			}
		}
	}
}

// open reads a credential of any form, with what a wallet shows of it where a card has it.
func (w *world) open(t *testing.T, c issuer.Credential) credential.Credential {
	t.Helper()
	var k *cose.Key
	var err error
	if c.Form == credential.FormBound {
		k, err = cose.NewKey(w.signer.Public())
		must(t, err)
		e, err := cwt.Parse(c.Card)
		must(t, err)
		open, err := cwt.OpenCard(&e, k, nil)
		must(t, err)
		return open
	}
	k, err = cose.NewKey(w.tokens.Public())
	must(t, err)
	if c.Form == credential.FormVCJWT {
		e, err := vcjwt.Parse(string(c.Card))
		must(t, err)
		open, err := vcjwt.Open(e, k)
		must(t, err)
		return shown(t, open.Credential, open.Claims)
	}
	e, err := sdjwt.Parse(string(c.Card))
	must(t, err)
	open, err := sdjwt.OpenIssued(e, k)
	must(t, err)
	return shown(t, open.Credential, open.Claims)
}

func shown(t *testing.T, c credential.Credential, claims jose.Value) credential.Credential {
	t.Helper()
	s, err := schemas.ByName("eligibility").DecodeWallet(claims)
	must(t, err)
	c.Plain, c.Pseudonym, c.Replaces = s.Plain, s.Pseudonym, s.Replaces
	return c
}

// testWalletResumed: what was to be signed for a wallet when the power went is
// signed, the same bytes, by whoever resumes.
func testWalletResumed(t *testing.T, e Engine) {
	for _, f := range walletForms {
		w := newWorld(t, e)
		b, q := w.walletBatch(t, f, false)
		keys := phone(t, 2)
		fault := &faulty{Store: w.org, log: w.org, failAt: 4} // at Complete: signed, and nobody has them
		if _, err := w.newDesk(fault, fault).IssueWallet(ctx, b, q, keys); !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		w.reopen(t)
		resumed := map[issuer.CTI]string{}
		must(t, w.desk.Resume(ctx, func(r issuer.Result) error {
			if r.Refusal != nil {
				t.Errorf("%s: %v", f, r.Refusal)
			}
			resumed[r.Credential.ID] = r.Text
			return nil
		}))
		results, err := w.desk.IssueWallet(ctx, b, q, keys)
		for i, c := range given(t, results, err, 2) {
			if resumed[c.ID] != results[i].Text {
				t.Errorf("%s: copy %d is not what was resumed", f, i)
			}
		}
		w.whole(t)
	}
}

// testWalletNamesake: somebody whose number in a list is another's id keeps her wallet when
// that one's is replaced.
func testWalletNamesake(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b, q := w.walletBatch(t, credential.FormSDJWT, true)
	results, err := w.desk.IssueWallet(ctx, b, q, phone(t, 1))
	given(t, results, err, 1)
	done, err := w.desk.Enrol(ctx, []issuer.RosterRow{{Kind: issuer.Person, External: q.Unit.String()}}, nil)
	must(t, err)
	other := q
	other.Unit = done[0].ID
	theirs := b
	theirs.Requests = []issuer.Request{other}
	approve(t, &theirs)
	results, err = w.desk.IssueWallet(ctx, theirs, other, phone(t, 3))
	namesake := given(t, results, err, 3)
	results, err = w.desk.IssueWallet(ctx, b, q, phone(t, 1))
	given(t, results, err, 1)
	for i, c := range namesake {
		if found, err := w.org.FindCredentials(ctx, c.ID.String()); err != nil || len(found) != 1 || found[0].Status != status.Valid {
			t.Errorf("copy %d fell with another's wallet (%v)", i, err)
		}
	}
}

// testWalletHeld: what somebody put on hold on paper, one person does not give to a phone.
func testWalletHeld(t *testing.T, e Engine) {
	w := newWorld(t, e)
	paper := issued(t, issue(t, w.desk, w.batch(t, 1)))[0]
	must(t, w.desk.Suspend(ctx, []issuer.CTI{paper.ID}, "inquiry"))
	b, q := w.walletBatch(t, credential.FormSDJWT, false)
	alone, keys := b, phone(t, 2)
	alone.Approval.By = w.desk.Actor.ID
	results, err := w.desk.IssueWallet(ctx, alone, q, keys)
	must(t, err)
	for _, r := range results {
		if r.Refusal == nil || r.Refusal.Code != issuer.RefusedAlone {
			t.Errorf("beside a card on hold: %v, want %s", r.Refusal, issuer.RefusedAlone)
		}
	}
	must(t, w.desk.Reinstate(ctx, []issuer.CTI{paper.ID}, "settled"))
	results, err = w.desk.IssueWallet(ctx, alone, q, keys)
	given(t, results, err, 2)
	w.whole(t)
}

// testWalletRevoked: nor what somebody revoked, on paper or in another form on a
// phone; but for a spoiled card, and while the phone has others that are good.
func testWalletRevoked(t *testing.T, e Engine) {
	w := newWorld(t, e)
	paper := issued(t, issue(t, w.desk, w.batch(t, 1)))[0]
	b, q := w.walletBatch(t, credential.FormSDJWT, false)
	alone := b
	alone.Approval.By = w.desk.Actor.ID
	refused := func(results []issuer.Result, err error, what string) {
		t.Helper()
		must(t, err)
		for _, r := range results {
			if r.Refusal == nil || r.Refusal.Code != issuer.RefusedAlone {
				t.Errorf("%s: %v, want %s", what, r.Refusal, issuer.RefusedAlone)
			}
		}
	}
	must(t, w.desk.Revoke(ctx, []issuer.CTI{paper.ID}, "cheated"))
	results, err := w.desk.IssueWallet(ctx, alone, q, phone(t, 2))
	refused(results, err, "a phone beside a revoked card, one person")
	results, err = w.desk.IssueWallet(ctx, b, q, phone(t, 2))
	all := given(t, results, err, 2)

	// A phone has many copies: one of them that is gone is no decision about the rest.
	must(t, w.desk.Revoke(ctx, []issuer.CTI{all[1].ID}, "used_up"))
	forms, _ := w.walletBatch(t, credential.FormVCJWT, false)
	forms.Approval.By = w.desk.Actor.ID
	w.desk.Actor.SecondPerson = "acc-lead"
	results, err = w.desk.IssueWallet(ctx, forms, q, phone(t, 1))
	more := given(t, results, err, 1)
	w.desk.Actor.SecondPerson = ""
	must(t, w.desk.Revoke(ctx, []issuer.CTI{all[0].ID, more[0].ID}, "phone_lost"))
	forms, _ = w.walletBatch(t, credential.FormBound, false)
	forms.Approval.By = w.desk.Actor.ID
	results, err = w.desk.IssueWallet(ctx, forms, q, phone(t, 1))
	refused(results, err, "another form for a phone whose credentials were revoked, one person")

	w = newWorld(t, e)
	paper = issued(t, issue(t, w.desk, w.batch(t, 1)))[0]
	must(t, w.desk.MoveCards(ctx, []issuer.CTI{paper.ID}, issuer.CardSpoiled, "", "torn"))
	alone, q = w.walletBatch(t, credential.FormSDJWT, false)
	alone.Approval.By = w.desk.Actor.ID
	results, err = w.desk.IssueWallet(ctx, alone, q, phone(t, 1))
	given(t, results, err, 1)
	w.whole(t)
}
