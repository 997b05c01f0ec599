package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/patience"
	"aidpass/issuer"
	"aidpass/issuer/registry/imports"
	"aidpass/web/console"
)

// What a wallet takes up at the desk is behind a second account, as a card is: nobody makes
// an offer for a unit to whom nothing is due, or before a batch of the round was approved.
func TestOffersAreOfApprovedRounds(t *testing.T) {
	l := withEntitled(t)
	if err := os.WriteFile(l.path("late.csv"), []byte("id,name,sex,birth_date,nationality,relationship,pcode,registration_date,consent\n77,Zuhura Bakari,F,1988-03-04,SOM,head,KE001,2026-10-01,yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.must("registry", "import", l.path("late.csv"))
	s, _, stop := l.serveWalletsWith(nil)
	defer stop()
	ctx, org, by := t.Context(), s.o.entry.ID, access.Actor{ID: "sign-1", Role: access.Issuer}
	d := consoleCards{consoleIssuing{s}}
	if err := d.Reached(org); err != nil {
		t.Errorf("wallets reach this server: %v", err)
	}
	if err := (consoleCards{consoleIssuing{&serving{o: s.o}}}).Reached(org); !errors.Is(err, console.ErrNoOffers) {
		t.Errorf("a server without --base-url: %v", err)
	}
	try := func(when, unit string, want error) {
		t.Helper()
		made, err := d.Make(ctx, org, by, console.OfferOrder{Unit: unit, Type: "eligibility", Programme: "K7Q2", Round: 1})
		if !errors.Is(err, want) || want == nil && made.Link == "" {
			t.Errorf("%s, to %s: %v, want %v", when, unit, err, want)
		}
	}
	try("before any batch", "1", console.ErrNotDue)
	p, err := d.Prepare(ctx, org, by, issuer.Proposal{Type: "eligibility", Programme: "K7Q2", Round: 1})
	if err != nil {
		t.Fatal(err)
	}
	try("before it is approved", "1", console.ErrNotDue)
	err = s.o.store.ChangeProposal(ctx, by, p.ID, func(p *issuer.Proposal) error {
		p.State, p.Second = issuer.Approved, "lead-1"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	try("once it is approved", "1", nil)
	try("once it is approved", "77", console.ErrNotDue)
	if all, err := d.Offers(ctx, org); err != nil || len(all) != 1 {
		t.Errorf("%d offers are kept, %v", len(all), err)
	}
	// The command line is held to the same, as soon as there is a desk.
	args := func(unit string, more ...string) []string {
		return append([]string{"offer", "create", "--external", unit, "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase}, more...)
	}
	l.must(args("77")...)
	s.joined(t, "sign-1", access.Issuer)
	l.must(args("1")...)
	if code, _ := l.run(ctx, args("77")...); code != 2 || !strings.Contains(l.stderr.String(), "a second account approved") {
		t.Errorf("an offer of the command line to somebody that no batch is for: %d\n%s", code, &l.stderr)
	}
	if code, _ := l.run(ctx, args("77", "--second-person", "lead-1")...); code != 2 {
		t.Errorf("a second person of no account answers for an offer: %d", code)
	}
	// A second person proves it, and stands in the log beside who made the offer.
	proof := l.path("proof")
	code := provable(t, s.o.store, "lead-1", access.Approver)
	prove := func(password string) []string {
		t.Helper()
		if err := os.WriteFile(proof, []byte(password+"\n"+code+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return args("77", "--second-person", "lead-1", "--proof-file", proof)
	}
	offers := func() int {
		t.Helper()
		all, err := d.Offers(ctx, org)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	before := offers()
	l.refused([]string{"proves it here by password", "--proof-file"}, args("77", "--second-person", "lead-1")...)
	l.refused([]string{"password or code is wrong"}, prove("eight mild ostriches hum")...)
	if n := offers() - before; n != 0 {
		t.Errorf("%d offers were made without a proof", n)
	}
	l.must(prove("seven mild ostriches hum")...)
	if n := offers() - before; n != 1 {
		t.Errorf("%d offers by a second person who proved it", n)
	}
	for _, want := range []string{`"act":"account.vouch"`, `"second_person":"lead-1","act":"offer.create"`} {
		if log := l.must("audit", "show", "--json"); !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	offersAreCounted(t, l, s, args("1"))
}

// offersAreCounted: one account makes so many offers on a day alone, at the desk and at the
// command line, and past them each one that a second account saw for whom it is, once. One
// administrator sets the number lower, and two higher.
func offersAreCounted(t *testing.T, l *laptop, s *serving, args []string) {
	t.Helper()
	ctx, org, by := t.Context(), s.o.entry.ID, access.Actor{ID: "sign-1", Role: access.Issuer}
	admin, settings := access.Actor{ID: "boss", Role: access.OrgAdmin}, consoleOrganisation{s}
	set := func(who access.Actor, was, now string) error {
		before := sha256.Sum256([]byte(was))
		return settings.Set(ctx, org, who, console.SettingOffers, before, []byte(now))
	}
	if err := set(admin, "", "1"); err != nil {
		t.Fatal(err)
	}
	if err := set(admin, "1", "2"); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("one administrator loosens it: %v", err)
	}
	d := consoleCards{consoleIssuing{s}}
	try := func() (console.OfferMade, error) {
		return d.Make(ctx, org, by, console.OfferOrder{Unit: "1", Type: "eligibility", Programme: "K7Q2", Round: 1})
	}
	made, err := try()
	if !errors.Is(err, issuer.ErrSecondPerson) || made.Offer.Unit.IsZero() {
		t.Fatalf("a second offer of one account: %v", err)
	}
	l.refused([]string{"as one makes alone", "--second-person"}, args...)
	payload, err := (&console.OfferOrder{Type: "eligibility", Programme: "K7Q2", Round: 1}).More(made.Offer.Unit).Payload()
	if err != nil {
		t.Fatal(err)
	}
	now := s.a.Now()
	yes := access.Approval{ID: "yes", Org: org, Act: access.OfferMore, Payload: payload, Hash: access.HashPayload(payload), By: by.ID, Second: "lead-1", At: now, Ends: now.Add(time.Hour), State: access.Waiting}
	save := func() {
		t.Helper()
		if err := s.o.store.WriteAccess(ctx, by, func(tx access.Tx) error {
			return errors.Join(tx.SaveApproval(yes), tx.Audit(access.Entry{Action: "approval.ask", Object: yes.ID}))
		}); err != nil {
			t.Fatal(err)
		}
	}
	for save(); yes.State != access.Carried; save() {
		yes.State, yes.Done = map[access.ApprovalState]access.ApprovalState{access.Waiting: access.Approved, access.Approved: access.Carried}[yes.State], now
	}
	for what, other := range map[string]console.OfferOrder{"without a code": {NoCode: true}, "good for longer": {Life: time.Hour}} {
		other.Unit, other.Type, other.Programme, other.Round = "1", "eligibility", "K7Q2", 1
		if _, err := d.Make(ctx, org, by, other); !errors.Is(err, issuer.ErrSecondPerson) {
			t.Errorf("%s, which nobody approved: %v", what, err)
		}
	}
	if _, err := try(); err != nil {
		t.Errorf("one that was approved: %v", err)
	}
	if _, err := try(); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("the same approval again: %v", err)
	}
	two := admin
	two.SecondPerson = "lead-1"
	if err := set(two, "1", "3"); err != nil {
		t.Errorf("two administrators: %v", err)
	}
	if _, err := try(); err != nil {
		t.Errorf("once more are allowed: %v", err)
	}
	l.must(args...)
}

// A server destroys lists whose time is over though no other list comes: as it begins, and
// every day of its clock.
func TestServeDestroysOldLists(t *testing.T) {
	l := withEntitled(t)
	begun := scriptClock()
	load := func(o *org, at time.Time, b string) string {
		t.Helper()
		d := imports.Desk{Store: o.store, Registry: o.store, Now: func() time.Time { return at }}
		m, _, err := d.Load(t.Context(), access.Actor{ID: "clerk", Role: access.Registrar}, "list.csv", []byte("id,name\n"+b), imports.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	before := &app{Main: &Main{Now: scriptClock, Stderr: &l.stderr, WorkFactor: 4}, Config: Config{Data: l.path("data"), PassphraseFile: l.path("pass")}}
	o, err := before.openOrg(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := load(o, begun.Add(-imports.OpenLife), "1,Zuhura Bakari\n")
	o.close()
	s, _, stop := l.serveWalletsWith(nil)
	defer stop()
	gone := func(id string) bool {
		t.Helper()
		m, err := s.imports.Show(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return m.Gone
	}
	patience.Until(t, "by the server's own watch a list goes whose time is over", func() bool { return gone(old) })
	now := begun
	desk, main := *s.imports, *s.a.Main
	main.Now = func() time.Time { return now }
	desk.Now = main.Now
	x := &serving{a: &app{Main: &main}, imports: &desk, door: s.door, log: slog.New(slog.DiscardHandler), swept: begun}
	left := load(s.o, begun.Add(-imports.OpenLife), "2,Halima Juma\n")
	for _, moved := range []struct {
		by   time.Duration
		gone bool
	}{{sweepEvery - time.Second, false}, {time.Second, true}} {
		now = now.Add(moved.by)
		if x.sweep(context.Background()); gone(left) != moved.gone {
			t.Errorf("%s after the last time: destroyed %v, want %v", now.Sub(begun), !moved.gone, moved.gone)
		}
	}
}
