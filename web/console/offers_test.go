package console_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/web/console"
)

// Where wallets do not reach the server the list of offers says so, and nobody fills a form
// in vain.
func TestNoOfferIsBegunWhereNoWalletComes(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Issuer)
	const form, says = `href="/desk/offers/new"`, "Wallets do not reach this server"
	if page := b.get("/offers").Body.String(); !strings.Contains(page, form) || strings.Contains(page, says) {
		t.Errorf("where wallets come:\n%s", page)
	}
	w.issuing.alone = console.ErrNoOffers
	if page := b.get("/offers").Body.String(); strings.Contains(page, form) || !strings.Contains(page, says) || !strings.Contains(page, "--base-url") {
		t.Errorf("where none comes:\n%s", page)
	}
	if a := b.get("/offers/new"); a.Code != 409 || !strings.Contains(a.Body.String(), says) || strings.Contains(a.Body.String(), `name="unit"`) {
		t.Errorf("its form: %d\n%s", a.Code, a.Body)
	}
}

// Offers are read by nobody of whom those they are for cannot be told.
func TestReadOffersAreTold(t *testing.T) {
	w := newWorld(t)
	id := w.issuing.offer(own)
	unit := w.issuing.offers[own+"/"+id].Unit.String()
	b := w.as(own, access.Complaints)
	for _, path := range []string{"/offers", "/offers/of/" + id} {
		w.issuing.readers = nil
		if a := b.get(path); a.Code != 200 || !slices.Equal(w.issuing.readers, []string{b.member.id + " " + unit}) {
			t.Errorf("%s: %d, %v", path, a.Code, w.issuing.readers)
		}
	}
	if a := w.as(own, access.Issuer).get("/offers/new?unit=17"); a.Code != 400 {
		t.Errorf("a number in an address: %d", a.Code)
	}
}

// Past what one account offers alone on a day a second account is asked, and told for whom
// it is.
func TestOffersPastTheCeilingNeedTwo(t *testing.T) {
	w := newWorld(t)
	w.doors[own].Handle(access.OfferMore, access.Executor{Run: func(context.Context, access.Actor, access.Approval) error { return nil }})
	w.issuing.spent, w.issuing.whom = true, w.person(own, "Amina <b>")
	maker := w.add(own, "maker", access.Issuer)
	if a := w.of(maker).post("/offers/new", url.Values{"unit": {"17"}, "place": {"K7Q2/1"}, "type": {"eligibility"}, "life": {"24h"}}); a.Code != 303 || a.Header().Get("Location") != "/desk/offers" {
		t.Fatalf("asking: %d %s", a.Code, a.Body)
	}
	open, err := w.doors[own].Open(t.Context(), boss)
	if err != nil || len(open) != 1 || open[0].Act != access.OfferMore {
		t.Fatal(open, err)
	}
	at := "/approvals/" + open[0].ID
	approver := w.as(own, access.Approver)
	page := approver.get(at).Body.String()
	has(t, page, "Amina &lt;b&gt;")
	has(t, page, "Good for: a day")
	has(t, page, w.issuing.whom.String())
	hasNot(t, w.as(own, access.Auditor).get(at).Body.String(), w.issuing.whom.String())
	payload, err := console.OfferMore{Unit: w.issuing.whom.String(), Type: "eligibility", Programme: "K7Q2", Round: 1, Life: 24 * 60 * 60}.Payload()
	if err != nil {
		t.Fatal(err)
	}
	who := access.Actor{ID: maker.id, Role: access.Issuer}
	take := func() error {
		_, err := w.doors[own].TakeApproved(t.Context(), who, access.OfferMore, payload)
		return err
	}
	if err := take(); !errors.Is(err, access.ErrNoApproval) {
		t.Errorf("before anybody approved it: %v", err)
	}
	if a := approver.submit(page, "/desk"+at+"/approve"); a.Code != 303 {
		t.Fatalf("approving: %d %s", a.Code, a.Body)
	}
	if err := take(); err != nil {
		t.Errorf("approved: %v", err)
	}
	if err := take(); !errors.Is(err, access.ErrNoApproval) {
		t.Errorf("a second time: %v", err)
	}
}
