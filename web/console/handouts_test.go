package console_test

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer"
)

func init() {
	for _, path := range []string{"/handouts/of/:print", "/handouts/batch/:batch"} {
		forms["POST "+path] = url.Values{"reason": {"morning round"}}
	}
}

// Who hands out cards learns for a reason whose each of them is, on the screen and on paper;
// the log has the reason and whom it was about.
func TestWhoseEachPrintedCardIs(t *testing.T) {
	w := newWorld(t)
	job := w.issuing.print(own)
	a := w.as(own, access.DistributionLead)
	at := "/handouts/of/" + job
	has(t, a.get("/handouts").Body.String(), at)
	if page := a.get(at).Body.String(); strings.Contains(page, "Amina") {
		t.Error("names before a reason was given")
	}
	if got := a.post(at, url.Values{}); got.Code != 422 || strings.Contains(got.Body.String(), "Amina") {
		t.Errorf("without a reason: %d", got.Code)
	}
	page := a.post(at, url.Values{"reason": {"morning round"}}).Body.String()
	for _, want := range []string{"GBFF-ZGF4-B2Y", "Amina &lt;b&gt;Yusuf", "KE007001", "Do not hand it out: cancelled"} {
		has(t, page, want)
	}
	for _, paper := range []url.Values{{"lang": {"en"}}, {"lang": {"ar"}, "paper": {"letter"}}} {
		got := a.post(at, with(paper, url.Values{"reason": {"morning round"}, "on": {"paper"}}))
		if got.Code != 200 || !bytes.HasPrefix(got.Body.Bytes(), []byte("%PDF-")) {
			t.Errorf("on paper: %d", got.Code)
		}
	}
	var looks int
	for _, l := range w.peopleOf(own).looks {
		if l.Action == "batch.handout" && l.Reason == "morning round" && l.Object == job && len(l.about) >= 2 {
			looks++
		}
	}
	if looks != 3 {
		t.Errorf("%d looks in the log, want 3", looks)
	}
	if !slices.ContainsFunc(w.entries(own), func(e access.Entry) bool {
		return e.Action == "export.make" && e.Reason == "morning round" && strings.Contains(e.Detail, "rows=2")
	}) {
		t.Error("the log does not tell of the paper")
	}
	if got := w.as(own, access.Registrar).get(at); got.Code != 403 {
		t.Errorf("a registrar: %d", got.Code)
	}
	if got := a.get("/handouts/batch/" + w.issuing.batch(other, issuer.Done)); got.Code != 404 {
		t.Errorf("another's batch: %d", got.Code)
	}
}
