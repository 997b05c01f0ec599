package console_test

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/trust"
	"aidpass/verifier/verifiertest"
)

// Everybody who works with trust sees whose cards count, and for what.
func TestTheTrustListIsShown(t *testing.T) {
	w := newWorld(t)
	a, b := consortium.A, consortium.B
	page := w.as(own, access.Auditor).get("/trust").Body.String()
	for _, want := range []string{a.ID, b.ID, keyID(a.Card.Key), "<bdi>2</bdi> of <bdi>3</bdi> must sign", "eligibility"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Index(page, a.ID) > strings.Index(page, b.ID) {
		t.Error("one's own organisation is not the first")
	}
	if strings.Contains(page, "/desk/trust/keys/") || strings.Contains(page, "/desk/trust/compare") {
		t.Error("who only reads is offered to change something")
	}
	page = w.as(own, access.OrgAdmin).get("/trust").Body.String()
	if !strings.Contains(page, "/desk/trust/keys/"+keyID(a.Card.Key)) || strings.Contains(page, "/desk/trust/keys/"+keyID(b.Card.Key)) {
		t.Error("a key is not one's own to withdraw, or one's own is not")
	}
	w.desks[own].list = nil
	if page := w.as(own, access.OrgAdmin).get("/trust").Body.String(); !strings.Contains(page, "No trust list was seen here yet") {
		t.Errorf("without a list: %s", page)
	}
}

// A newer list is compared, and nothing changes until somebody says so; it is the bytes
// that were compared which are taken.
func TestANewerListIsCompared(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.OrgAdmin)
	next := consortium.TrustList(verifiertest.TrustOptions{Sequence: 6, Edit: func(d *trust.Draft) {
		if err := d.RemoveOrganisation(consortium.B.ID); err != nil {
			t.Fatal(err)
		}
	}})
	before := w.desks[own].list
	page := b.upload("/trust/compare", nil, "list", next)
	if got := page.Body.String(); page.Code != 200 || !strings.Contains(got, "removed") || !strings.Contains(got, consortium.B.ID) || !strings.Contains(got, "Compared with list <bdi>5</bdi>") {
		t.Fatalf("comparing: %d\n%s", page.Code, got)
	}
	for lang, want := range map[string][]string{
		"sw": {"Ufunguo <bdi>" + keyID(consortium.B.Card.Key), "unatumika<br>husaini kuanzia ", "Aina za kadi: ", "husema kadi zipi zimefutwa"},
		"ar": {"المفتاح <bdi>" + keyID(consortium.B.Card.Key), "مستعمل<br>يوقّع من ", "تذكر أي البطاقات ملغاة"},
	} {
		b.post("/language", url.Values{"lang": {lang}, "next": {"/desk/"}})
		got := b.upload("/trust/compare", nil, "list", next).Body.String()
		for _, want := range want {
			has(t, got, want)
		}
		for _, english := range []string{"signs ", "active", "without end"} {
			hasNot(t, got, english)
		}
	}
	b.post("/language", url.Values{"lang": {"en"}, "next": {"/desk/"}})
	if !bytes.Equal(w.desks[own].list, before) {
		t.Fatal("comparing took it")
	}
	hash := hidden(t, page.Body.String(), "list")
	if a := b.post("/trust/take", url.Values{"list": {strings.Repeat("0", 64)}}); a.Code != 422 {
		t.Errorf("a list that nobody compared: %d", a.Code)
	}
	if a := b.post("/trust/take", url.Values{"list": {hash}}); a.Code != 303 || !bytes.Equal(w.desks[own].list, next) {
		t.Errorf("taking: %d", a.Code)
	}
	for name, file := range map[string][]byte{"an older list": before, "no list": []byte("<b>"), "nothing": nil} {
		if a := b.upload("/trust/compare", nil, "list", file); a.Code != 422 || strings.Contains(a.Body.String(), "no <list>") {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	page = b.upload("/trust/compare", nil, "list", next)
	w.move(31 * time.Minute)
	if a := w.as(own, access.OrgAdmin).post("/trust/take", url.Values{"list": {hidden(t, page.Body.String(), "list")}}); a.Code != 422 {
		t.Errorf("half an hour later: %d", a.Code)
	}
}

// A key is withdrawn by two administrators, and by nobody alone; the second one is told
// what it means.
func TestAKeyIsWithdrawnByTwo(t *testing.T) {
	w := newWorld(t)
	x, y := w.as(own, access.OrgAdmin), w.as(own, access.OrgAdmin)
	kid := keyID(consortium.A.Card.Key)
	if a := x.post("/trust/keys/"+kid+"/withdraw", nil); a.Code != 422 {
		t.Errorf("without a reason: %d", a.Code)
	}
	a := x.post("/trust/keys/"+kid+"/withdraw", url.Values{"reason": {"laptop stolen"}})
	at := strings.TrimPrefix(a.Header().Get("Location"), "/desk")
	if a.Code != 303 || !strings.HasPrefix(at, "/approvals/") || len(w.desks[own].told) > 0 {
		t.Fatalf("asking: %d %q %q", a.Code, at, w.desks[own].told)
	}
	page := y.get(at).Body.String()
	for _, want := range []string{kid, "which signs: cards", "cannot be taken back", "laptop stolen"} {
		if !strings.Contains(page, want) {
			t.Errorf("the second is not told %q", want)
		}
	}
	form := url.Values{"hash": {hidden(t, page, "hash")}}
	if a := x.post(at+"/approve", form); a.Code != 403 {
		t.Errorf("approving one's own: %d", a.Code)
	}
	// Under another list it is another thing that was approved.
	before := w.desks[own].list
	w.desks[own].list = consortium.TrustList(verifiertest.TrustOptions{Sequence: 6})
	if a := y.post(at+"/approve", form); a.Code != 409 || len(w.desks[own].told) > 0 {
		t.Errorf("what changed meanwhile: %d %q", a.Code, w.desks[own].told)
	}
	w.desks[own].list = before
	if a := y.post(at+"/approve", form); a.Code != 303 {
		t.Errorf("approving: %d", a.Code)
	}
	if want := []string{"withdraw key " + kid + " for " + x.member.id + " and " + y.member.id}; !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the desk was told %q, want %q", w.desks[own].told, want)
	}
}
