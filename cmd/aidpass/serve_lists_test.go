package main

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
)

const listHead = "individual_id,full_name,sex,birth_date,nationality,relationship,pcode,registration_date,consent\n"

// takesIn loads a list at the desk, as its registrar and approver do, until it is in the
// register.
func (s *serving) takesIn(clerk, lead *deskBrowser, list string) string {
	clerk.t.Helper()
	at, _ := clerk.upload("/imports", "file", "list.csv", []byte(list), nil)
	one := strings.TrimSuffix(at, "/columns")
	if landed, page := clerk.submit(at, at, nil); landed != one {
		clerk.t.Fatalf("its columns led to %s\n%s", landed, page)
	}
	clerk.submit(one, one+"/submit", nil)
	id := strings.TrimPrefix(one, "/imports/")
	m, err := s.imports.Show(clerk.t.Context(), id)
	if err != nil || m.Review == nil {
		clerk.t.Fatalf("%+v, %v\n%s", m, err, clerk.get(one))
	}
	lead.approves(m.Review.Approval)
	s.work.Wait()
	if m, err = s.imports.Show(clerk.t.Context(), id); err != nil || m.State != imports.Applied {
		clerk.t.Fatalf("%s: %v", m.State, err)
	}
	return id
}

// At a real desk one of a list passes the gate for a reason; whoever approves the batch is
// told that, by whom and why, and the list is "Issued" once the batch has ended, and no
// sooner. Another list is taken back after the server was stopped: its numbers are free,
// and the same list comes in again.
func TestAListIsIssuedAndAnotherTakenBack(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWalletsWith(nil)
	defer func() { stop() }()
	ctx := t.Context()
	clerkIn, leadIn := s.joined(t, "clerk-1", access.Registrar), s.joined(t, "lead-1", access.Approver)
	clerk, lead, sign := s.comesBack(t, client, clerkIn.Token), s.comesBack(t, client, leadIn.Token), s.visitor(t, client, "sign-1", access.Issuer)

	list := s.takesIn(clerk, lead, listHead+"N-1,Zuhura Mwinyi,F,1988-03-04,SOM,head,KE001,2026-10-01,yes\nN-2,Halima Juma,,,,,,2026-10-01,yes\n")
	at, _ := clerk.submit("/batches/new", "/batches/new", url.Values{"who": {list}})
	batch := strings.TrimPrefix(at, "/batches/of/")
	before, err := s.o.store.Proposal(ctx, batch)
	if err != nil || before.Can != 1 {
		t.Fatalf("%+v, %v", before, err)
	}
	mend := sign.get(at + "/mend")
	unit := regexp.MustCompile(`name="unit" value="([0-9a-f]{32})"`).FindAllStringSubmatch(mend, -1)
	if len(unit) != 1 {
		t.Fatalf("%d can pass:\n%s", len(unit), mend)
	}
	if fixes := clerk.get(at + "/fixes"); strings.Count(fixes, "/people/"+unit[0][1]) < 4 || !strings.Contains(fixes, "/people/"+unit[0][1]+"/edit#birth") || !strings.Contains(fixes, "No card yet.") || !strings.Contains(fixes, ">clerk-1<") {
		t.Errorf("what is to be mended:\n%s", fixes)
	}
	where, _ := sign.submit(at+"/mend", at+"/override", url.Values{"reason": {"known_here"}, "note": {"seen at the well by two of us"}})
	if where != at+"/people" {
		t.Errorf("past the gate led to %s", where)
	}
	if fixes := clerk.get(at + "/fixes"); strings.Contains(fixes, "No card yet.") || !strings.Contains(fixes, "somebody let it pass by a reason") {
		t.Errorf("judged again:\n%s", fixes)
	}
	clerk.submit(at, at+"/submit", nil)
	b, err := s.o.store.Proposal(ctx, batch)
	if err != nil || b.Can != 2 || len(b.Overrides) != 1 || b.Overrides[0].Unit.String() != unit[0][1] || b.Overrides[0].By != "sign-1" || b.Digest == before.Digest {
		t.Fatalf("%+v, %v", b, err)
	}
	told := lead.get(at + "/people?of=override")
	for _, want := range []string{"let it pass the quality gate", ">sign-1<", "We saw them ourselves", "seen at the well by two of us", "share-red", unit[0][1]} {
		if !strings.Contains(told, want) {
			t.Errorf("the approver's page lacks %q:\n%s", want, told)
		}
	}
	if told = lead.approves(b.Approval); !strings.Contains(told, "pass the quality gate by a named reason") {
		t.Errorf("the request says nothing of it:\n%s", told)
	}
	state := func(id string) imports.State {
		t.Helper()
		m, err := s.imports.Show(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return m.State
	}
	if got := state(list); got != imports.Applied {
		t.Errorf("before a card was signed the list is %s", got)
	}
	sign.submit(at, at+"/issue", nil)
	s.work.Wait()
	cards, err := s.o.store.Cards(ctx, issuer.Selection{Programme: "K7Q2"})
	if err != nil || len(cards) != 2 || !slices.ContainsFunc(cards, func(c issuer.Card) bool { return c.Unit.String() == unit[0][1] }) {
		t.Errorf("%d cards, %v", len(cards), err)
	}
	today := s.a.Now().UTC().Truncate(24 * time.Hour)
	if counted, err := s.o.store.Issued(ctx, today, today.Add(24*time.Hour)); err != nil || len(counted) != 2 {
		t.Errorf("a report of today counts %d cards, %v", len(counted), err)
	}
	if got := state(list); got != imports.Issued {
		t.Errorf("after the batch the list is %s", got)
	}
	if page := clerk.get("/imports/" + list); !strings.Contains(page, `id="state">Cards issued<`) {
		t.Errorf("its page does not say so:\n%s", page)
	}

	const second = listHead + "N-3,Musa Otieno,M,1979-01-02,KEN,head,KE001,2026-10-01,yes\nN-4,Neema Otieno,F,1981-05-06,KEN,head,KE001,2026-10-01,yes\n"
	wrong := s.takesIn(clerk, lead, second)
	if got := state(wrong); got != imports.Applied {
		t.Errorf("a list of which nobody got a card is %s", got)
	}
	stop()
	s, client, stop = l.serveWalletsWith(nil)
	clerk, lead = s.comesBack(t, client, clerkIn.Token), s.comesBack(t, client, leadIn.Token)
	numbers := func() (there []string) {
		t.Helper()
		err := s.o.store.View(ctx, func(v registry.View) error {
			for _, n := range []string{"N-1", "N-2", "N-3", "N-4"} {
				_, ok, err := v.Find(registry.KindPerson, "", n)
				if err != nil {
					return err
				}
				if ok {
					there = append(there, n)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return there
	}
	undo := "/imports/" + wrong + "/undo"
	clerk.submit(undo, undo, url.Values{"reason": {"wrong list"}})
	m, err := s.imports.Show(ctx, wrong)
	if err != nil || m.Undo == nil {
		t.Fatalf("%+v, %v", m, err)
	}
	if got := numbers(); len(got) != 4 {
		t.Errorf("before a second account said yes there are %v", got)
	}
	lead.approves(m.Undo.Approval)
	if got := numbers(); state(wrong) != imports.Undone || !slices.Equal(got, []string{"N-1", "N-2"}) {
		t.Errorf("taken back it is %s, and there are %v", state(wrong), got)
	}
	// What was destroyed is known again after a stop, and its numbers stay free.
	stop()
	s, client, stop = l.serveWalletsWith(nil)
	clerk, lead = s.comesBack(t, client, clerkIn.Token), s.comesBack(t, client, leadIn.Token)
	if again := s.takesIn(clerk, lead, second); again == wrong {
		t.Error("the list that was taken back is the one that came")
	}
	if got := numbers(); len(got) != 4 {
		t.Errorf("of the same list again there are %v", got)
	}
	stop()
	l.must("check")
}
