package console_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/insight"
	"aidpass/issuer/recheck"
	"aidpass/web/console"
)

// hashOfNothing is the SHA-256 of a setting that is not there.
var hashOfNothing = func() string {
	sum := sha256.Sum256(nil)
	return hex.EncodeToString(sum[:])
}()

// Who was drawn by lot waits on Home for somebody without a part in it, is answered once,
// and is not told to whoever had one.
func TestTheDrawnAreSeenByOthers(t *testing.T) {
	w := newWorld(t)
	home := w.household(own)
	w.member(own, home, "Amina <b>Yusuf", "1987-05-12")
	visitor, approver := w.add(own, "walker-1", access.Verifier), w.add(own, "approver-1", access.Approver)
	b, had := w.of(visitor), w.of(approver)
	id := w.draw(own, home, "Approver-1")
	at := "/rechecks/of/" + id

	has(t, b.get("/").Body.String(), "Drawn by lot, to be seen again: <bdi>1</bdi>")
	page := b.get("/rechecks").Body.String()
	has(t, page, at)
	has(t, page, "Amina &lt;b&gt;Yusuf")
	if w.drawn(own).most != recheck.DefaultNumber {
		t.Errorf("%d were to be drawn, want %d", w.drawn(own).most, recheck.DefaultNumber)
	}
	hasNot(t, had.get("/").Body.String(), "Drawn by lot")
	hasNot(t, had.get("/rechecks").Body.String(), "Amina")
	if a := had.get(at); a.Code != 404 {
		t.Errorf("by who approved it: %d, want 404", a.Code)
	}
	answer := url.Values{"answer": {"not-found"}, "reason": {"nobody knows them"}}
	if c := had.post(at+"/answer", answer).Code; c != 404 {
		t.Errorf("answered by who approved it: %d, want 404", c)
	}
	has(t, b.get(at).Body.String(), `value="not-found"`)
	if w.peopleOf(own).seen("walker-1", home) != 2 {
		t.Errorf("the log tells %d looks, want 2", w.peopleOf(own).seen("walker-1", home))
	}
	for name, bad := range map[string]url.Values{"no answer": {"reason": {"x"}}, "another answer": {"answer": {"gone"}, "reason": {"x"}}, "no reason": {"answer": {"seen"}, "reason": {"  "}}} {
		if c := b.post(at+"/answer", bad).Code; c != 422 {
			t.Errorf("%s: %d, want 422", name, c)
		}
	}
	page = b.follow(b.post(at+"/answer", answer))
	has(t, page, "The answer is kept.")
	hasNot(t, page, "Amina")
	if c := b.post(at+"/answer", answer).Code; c != 409 {
		t.Errorf("answered twice: %d, want 409", c)
	}
	page = b.get(at).Body.String()
	has(t, page, "nobody knows them")
	hasNot(t, page, `value="not-found"`)
}

// The auditor reads the answers in counts, from ten households on; the number that is drawn
// is a setting.
func TestAnswersAreCountedByMaker(t *testing.T) {
	w := newWorld(t)
	auditor := w.as(own, access.Auditor)
	answered := func(n int, a recheck.Answer) {
		for range n {
			id := w.draw(own, w.household(own))
			if err := w.drawn(own).AnswerRecheck(t.Context(), walker, id, a, "seen there"); err != nil {
				t.Fatal(err)
			}
		}
	}
	work := func() string {
		page := auditor.get("/audit/work").Body.String()
		_, page, _ = strings.Cut(page, "Seen again, by who entered")
		return page
	}
	answered(insight.Threshold-4, recheck.Seen)
	answered(3, recheck.NotFound)
	has(t, work(), "fewer than <bdi>10</bdi>")
	hasNot(t, work(), `data-label="Not found"><bdi>3</bdi>`)
	answered(1, recheck.Different)
	for _, want := range []string{"<bdi>clerk</bdi>", `data-label="Visited"><bdi>10</bdi>`, `data-label="Not found"><bdi>3</bdi>`, `data-label="Not as recorded"><bdi>1</bdi>`, "/desk/audit?act=recheck.answer"} {
		has(t, work(), want)
	}
	hasNot(t, work(), "seen there")

	admin := w.as(own, access.OrgAdmin)
	for _, bad := range []string{"51", "-1", "x"} {
		if c := admin.post("/organisation/rechecks", url.Values{"rechecks": {bad}, "before": {hashOfNothing}}).Code; c != 422 {
			t.Errorf("%s: %d, want 422", bad, c)
		}
	}
	if c := admin.post("/organisation/rechecks", url.Values{"rechecks": {"7"}, "before": {hashOfNothing}}).Code; c != 303 {
		t.Errorf("the setting: %d", c)
	}
	w.as(own, access.Verifier).get("/rechecks")
	if w.drawn(own).most != 7 || string(w.desks[own].settings[console.SettingRechecks]) != "7" {
		t.Errorf("%d were to be drawn, want 7", w.drawn(own).most)
	}
	for _, role := range []access.Role{access.PlatformOperator, access.Auditor, access.Registrar} {
		if slices.Contains(roleOf(access.RecheckRead), role) {
			t.Errorf("%s sees who was drawn", role)
		}
	}
}

func roleOf(a access.Act) []access.Role {
	r, _ := access.RuleOf(a)
	return r.Roles
}
