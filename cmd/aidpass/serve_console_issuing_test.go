package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/internal/patience"
	"aidpass/internal/qrcode"
	"aidpass/issuer"
	"aidpass/status"
	"aidpass/web/console"
)

// Cards are found by number, list number, name and code; held, let go, replaced in one
// step; a file is drawn again as it was, and what was printed is not printed again.
func TestCardsAtTheDesk(t *testing.T) {
	l := withEntitled(t)
	l.must("issue", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--trust", l.path("granted.list"), "--out", l.path("cards.jsonl"))
	s, _, stop := l.serveWalletsWith(nil)
	defer stop()
	ctx, org, by := t.Context(), s.o.entry.ID, access.Actor{ID: "sign-1", Role: access.Issuer}
	d := consoleCards{consoleIssuing{s}}
	found, err := d.Find(ctx, org, by, "Amina Yusuf")
	if err != nil || len(found) == 0 {
		t.Fatal("nobody by name:", err)
	}
	card := found[0]
	if h := card.Holder; h.ID != card.Unit || h.Name.Text != "Amina Yusuf" {
		t.Errorf("a card found by its holder's name is that of %q", h.Name.Text)
	}
	one, err := s.o.store.FindCredentials(ctx, card.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	code, err := one[0].Text()
	if err != nil {
		t.Fatal(err)
	}
	png, err := qrcode.PNG(code, qrcode.M, 6)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := d.Picture(ctx, org, by, bytes.NewReader(png))
	if err != nil || len(seen) != 1 || seen[0].ID != card.ID {
		t.Errorf("by a picture: %+v, %v", seen, err)
	}
	for what, text := range map[string]string{"number": card.CardNumber, "identity": card.ID.String(), "number in the list": card.External, "code": code} {
		if list, err := d.Find(ctx, org, by, text); err != nil || len(list) != 1 || list[0].ID != card.ID {
			t.Errorf("by its %s: %+v, %v", what, list, err)
		}
	}
	for what, text := range map[string]string{"a path": l.path("cards.jsonl"), "a code of nobody": "NCF0000"} {
		if list, err := d.Find(ctx, org, by, text); err != nil || len(list) != 0 {
			t.Errorf("by %s: %+v, %v", what, list, err)
		}
	}
	if _, err := d.Picture(ctx, org, by, strings.NewReader("no picture")); !errors.Is(err, console.ErrUnread) {
		t.Errorf("no picture: %v", err)
	}
	if _, err := d.Find(ctx, "https://other.example/i1", by, card.CardNumber); !errors.Is(err, console.ErrNotFound) {
		t.Errorf("another organisation's: %v", err)
	}
	if p, err := d.Prepare(ctx, org, by, issuer.Proposal{Type: "eligibility", Programme: "K7Q2", Round: 1}); err != nil || p.Can == 0 || p.New() != 0 {
		t.Errorf("a second batch of those who have theirs: %d of %d are new, %v", p.New(), p.Can, err)
	}
	set := func(to status.Value) {
		t.Helper()
		c, _, err := d.Card(ctx, org, by, card.ID.String())
		if err == nil {
			err = d.Set(ctx, org, by, issuer.PlanBulk([]issuer.Card{c.Card}, to, false, s.a.now()), "code")
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, _, _ = d.Card(ctx, org, by, card.ID.String()); c.Status != to {
			t.Errorf("the card is %s, want %s", c.Status, to)
		}
	}
	set(status.Suspended)
	set(status.Valid)
	if _, err := d.Replace(ctx, org, by, card.ID.String(), "lost"); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("one account replaces what is not at the desk: %v", err)
	}
	two := by
	two.SecondPerson = "lead-1"
	made, err := d.Replace(ctx, org, two, card.ID.String(), "lost")
	if err != nil || made.CardNumber != card.CardNumber || made.ID == card.ID {
		t.Fatalf("the new card: %+v, %v", made, err)
	}
	if before, after, err := d.Kin(ctx, org, card.ID.String()); err != nil || before != nil || after == nil || after.ID != made.ID {
		t.Errorf("what the old card was replaced by: %v, %v, %v", before, after, err)
	}
	if before, after, err := d.Kin(ctx, org, made.ID.String()); err != nil || after != nil || before == nil || before.ID != card.ID {
		t.Errorf("what the new card replaces: %v, %v, %v", before, after, err)
	}
	if again, err := d.Replace(ctx, org, two, card.ID.String(), "lost"); err != nil || again.ID != made.ID {
		t.Errorf("the same again: %v, %v", again.ID, err)
	}
	if old, _, err := d.Card(ctx, org, by, card.ID.String()); err != nil || old.Status != status.Invalid {
		t.Errorf("the old card is %s, %v", old.Status, err)
	}

	if _, err := s.door.Invite(ctx, access.Laptop{ID: "boss", Role: access.OrgAdmin}, access.NewAccount{ID: by.ID, Roles: []access.Role{by.Role}}); err != nil {
		t.Fatal(err) // long work asks whether the account still may
	}
	prints := consolePrints{s}
	order := console.PrintOrder{Card: made.ID.String(), Paper: "a4", Lang: "sw", Complaint: "+254 700 111 222"}
	if n, err := prints.Printable(ctx, org, order); err != nil || n.Fresh != 1 {
		t.Fatalf("%+v, %v", n, err)
	}
	if _, err := prints.Print(ctx, org, by, order); err != nil {
		t.Fatal(err)
	}
	var log []issuer.PrintJob
	patience.For(func() bool {
		log, err = prints.Log(ctx, org, "")
		return err != nil || len(log) > 0
	})
	if len(log) != 1 {
		t.Fatalf("nothing was printed: %v\n%s", err, l.stderr.String())
	}
	another := access.Actor{ID: "sign-2", Role: access.Issuer}
	if _, err := prints.File(ctx, org, another, log[0].ID, ""); !errors.Is(err, issuer.ErrPaper) {
		t.Errorf("the file of somebody else's print: %v", err)
	}
	papers := func(want int, last string) {
		t.Helper()
		if log, err = prints.Log(ctx, org, log[0].ID); err != nil || log[0].Papers != want || log[0].Last != last {
			t.Fatalf("%d papers, the last of %q, %v; want %d of %q", log[0].Papers, log[0].Last, err, want, last)
		}
	}
	take := func(who access.Actor, reason string) error {
		t.Helper()
		pdf, err := prints.File(ctx, org, who, log[0].ID, reason)
		if err == nil && !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Errorf("the file: %q", pdf)
		}
		return err
	}
	for range 2 { // a download that broke off is no other paper
		if err := take(by, ""); err != nil {
			t.Fatal(err)
		}
		papers(1, by.ID)
	}
	for n := range access.PrintsAgain {
		if err := take(another, "the printer ate it"); err != nil {
			t.Fatal(err)
		}
		papers(2+n, another.ID)
	}
	if err := take(another, "the printer ate it"); !errors.Is(err, access.ErrSpent) {
		t.Errorf("one more on the same day: %v", err)
	}
	if err := take(by, ""); !errors.Is(err, issuer.ErrPaper) {
		t.Errorf("who printed, after another got it: %v", err)
	}
	papers(1+access.PrintsAgain, another.ID)
	hand := consoleHandouts{prints}
	rows, err := hand.HandOut(ctx, org, by, log[0].ID, "", "morning round")
	if err != nil || len(rows) != 1 || rows[0].Card.ID != made.ID || rows[0].Name != "Amina Yusuf" {
		t.Errorf("whose the sheet is: %+v, %v", rows, err)
	}
	if _, err := hand.HandOut(ctx, "another", by, log[0].ID, "", "morning round"); !errors.Is(err, console.ErrNotFound) {
		t.Errorf("another organisation's list: %v", err)
	}
	for range access.HandOuts - 1 {
		if _, err := hand.HandOut(ctx, org, by, log[0].ID, "", "morning round"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := hand.HandOut(ctx, org, by, log[0].ID, "", "morning round"); !errors.Is(err, access.ErrSpent) {
		t.Errorf("one list more on the same day: %v", err)
	}
	if n, err := prints.Printable(ctx, org, order); err != nil || n.Fresh != 0 || n.Printed != 1 {
		t.Errorf("after it: %+v, %v", n, err)
	}
	if page, err := prints.TestPage(ctx, "58", "ar"); err != nil || !bytes.HasPrefix(page, []byte("%PDF-")) {
		t.Errorf("the test page: %v", err)
	}

	offered, err := d.Make(ctx, org, by, console.OfferOrder{Unit: "1", Type: "eligibility", Programme: "K7Q2", Round: 1})
	if err != nil || len(offered.Tx) == 0 || !strings.HasPrefix(offered.Link, "openid-credential-offer://") {
		t.Fatalf("an offer: %+v, %v", offered, err)
	}
	if err := d.Withdraw(ctx, org, by, offered.ID, "mistake"); err != nil {
		t.Error(err)
	}
	if o, err := d.Offer(ctx, org, offered.ID); err != nil || o.State != "withdrawn" {
		t.Errorf("withdrawn: %s, %v", o.State, err)
	}
	about, err := s.o.store.FindCredentials(ctx, made.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	looked, err := s.o.store.Looked(ctx, about[0].Unit)
	if err != nil {
		t.Fatal(err)
	}
	told := fmt.Sprintf("%+v", looked)
	for _, want := range []string{"card.find", "card.print", "batch.handout"} {
		if !strings.Contains(told, want) {
			t.Errorf("who looked at her record lacks %s:\n%s", want, told)
		}
	}
}
