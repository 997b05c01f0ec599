package console_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// A batch is issued when a second account approved exactly it: not before, not by who
// asked, and not when a record changed since.
func TestABatchNeedsASecondAccount(t *testing.T) {
	w := newWorld(t)
	asks, signs, approves := w.as(own, access.Registrar), w.as(own, access.Issuer, access.Approver), w.as(own, access.Approver)
	id := w.issuing.batch(own, issuer.Prepared)
	page := asks.get("/batches/of/" + id).Body.String()
	for _, want := range []string{"<bdi>412</bdi> of <bdi>430</bdi> get a card", "<bdi>18</bdi> cannot, because", "Nothing is said of the birth"} {
		if !strings.Contains(page, want) {
			t.Errorf("the dry run does not say %q:\n%s", want, page)
		}
	}
	if c := signs.post("/batches/of/"+id+"/issue", nil).Code; c != 409 {
		t.Errorf("issued before it was submitted: %d", c)
	}
	if c := asks.post("/batches/of/"+id+"/submit", url.Values{"digest": {strings.Repeat("0", 64)}}).Code; c != 409 {
		t.Errorf("another digest than was shown is submitted: %d", c)
	}
	if c := asks.submit(page, "/desk/batches/of/"+id+"/submit").Code; c != 303 {
		t.Fatalf("submitting: %d", c)
	}
	if c := signs.post("/batches/of/"+id+"/issue", nil).Code; c != 409 {
		t.Errorf("issued before it was approved: %d", c)
	}
	list, err := w.doors[own].Approvals(t.Context(), boss)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	at := "/approvals/" + list[0].ID
	page = approves.get(at).Body.String()
	hash := approvalHash.FindStringSubmatch(page)
	if hash == nil || !strings.Contains(page, "<bdi>412</bdi> of <bdi>430</bdi> get a card") {
		t.Fatalf("the approver is not told what it is:\n%s", page)
	}
	digest := fmt.Sprintf("<bdi>%x</bdi>", w.issuing.proposals[own+"/"+id].Digest)
	if batch := asks.get("/batches/of/" + id).Body.String(); !strings.Contains(batch, digest) || !strings.Contains(page, digest) || !strings.Contains(page, "Fingerprint of the request") {
		t.Errorf("the fingerprint of the batch does not stand on its approval, apart from that of the request:\n%s", page)
	}
	approve := func(b *browser) int { return b.post(at+"/approve", url.Values{"hash": {hash[1]}}).Code }
	if c := approve(asks); c != 403 && c != 404 {
		t.Errorf("approved by who asked: %d", c)
	}
	made := w.as(own, access.Registrar, access.Approver)
	p := w.issuing.proposals[own+"/"+id]
	by := p.By
	p.By = made.member.id
	w.issuing.proposals[own+"/"+id] = p
	if c := approve(made); c != 403 {
		t.Errorf("approved by who prepared it, when another submitted: %d, want 403", c)
	}
	p.By = by
	w.issuing.proposals[own+"/"+id] = p
	w.issuing.changed = true
	if c := approve(approves); c != 409 {
		t.Errorf("approved though a record changed: %d, want 409", c)
	}
	w.issuing.changed = false
	if c := approve(approves); c != 303 {
		t.Fatalf("approving: %d", c)
	}
	if home := signs.get("/").Body.String(); !strings.Contains(home, "Approved, and to be issued") {
		t.Error("Home does not say that it waits to be issued")
	}
	if c := signs.post("/batches/of/"+id+"/issue", nil).Code; c != 303 || len(w.issuing.begun) != 1 {
		t.Errorf("issuing: %d, %q", c, w.issuing.begun)
	}
	if got := w.issuing.proposals[own+"/"+id].Second; got != approves.member.id {
		t.Errorf("the second account is %q", got)
	}
}

// Whoever approves a batch reads whom it is for and what to look at, comes there from the
// request, and is noted as having read it; names are for who may read people.
func TestWhoApprovesABatchReadsIt(t *testing.T) {
	w := newWorld(t)
	asks, approves, signs := w.as(own, access.Registrar), w.as(own, access.Approver), w.as(own, access.Issuer)
	id := w.issuing.batch(own, issuer.Prepared)
	at := "/batches/of/" + id + "/people"
	if c := asks.submit(asks.get("/batches/of/"+id).Body.String(), "/desk/batches/of/"+id+"/submit").Code; c != 303 {
		t.Fatal(c)
	}
	list, err := w.doors[own].Approvals(t.Context(), boss)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if page := approves.get("/approvals/" + list[0].ID).Body.String(); !strings.Contains(page, `href="/desk`+at+`"`) {
		t.Errorf("the request does not lead to whom it is for:\n%s", page)
	}
	page := approves.get(at).Body.String()
	for _, want := range []string{"&lt;b&gt;Amina&lt;/b&gt; 01", "HH-01", "120.00 KES", "Compared with round <bdi>1</bdi>", "New this round: <bdi>1</bdi>", "Not any more: <bdi>1</bdi>",
		"Entered by who prepared it: <bdi>1</bdi>", "May be on record twice: <bdi>1</bdi>", "Past the quality gate: <bdi>1</bdi>", "At random: <bdi>10</bdi>", `href="/desk/approvals/` + list[0].ID} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	for of, want := range map[string]string{"new": "Was not in the round before", "changed": "90.00 KES", "gone": "is on hold", "own": "Written by the account that prepared this batch", "doubles": "said that these are two people",
		"override": "They lost their papers"} {
		if page := approves.get(at + "?of=" + of).Body.String(); !strings.Contains(page, want) || strings.Count(page, "&lt;b&gt;Amina") != 1 {
			t.Errorf("%s: want %q and one row:\n%s", of, want, page)
		}
	}
	if a, b := approves.get(at+"?of=ten").Body.String(), approves.get(at+"?of=ten").Body.String(); strings.Count(a, "&lt;b&gt;Amina") != 10 || a == b && approves.get(at+"?of=ten").Body.String() == a {
		t.Error("ten are not drawn at random")
	}
	if n := len(w.issuing.readers); n < 12 || !strings.HasPrefix(w.issuing.readers[0], approves.member.id+" ") {
		t.Errorf("who was read, and by whom: %q", w.issuing.readers)
	}
	if page := signs.get(at).Body.String(); strings.Contains(page, "Amina") || !strings.Contains(page, "HH-01") {
		t.Error("names are shown to an account that may not read people")
	}
	if c := approves.get(at + "?of=nothing").Code; c != 400 {
		t.Errorf("a list that is none: %d", c)
	}
	w.issuing.changed = true
	if page := approves.get(at).Body.String(); !strings.Contains(page, "Records changed since this was prepared") {
		t.Error("it is not said that records changed")
	}
}

// Who may lets somebody pass the gate for a named reason, before a second account approves.
func TestPassingTheGate(t *testing.T) {
	w := newWorld(t)
	signs := w.as(own, access.Issuer)
	id := w.issuing.batch(own, issuer.Prepared)
	at := "/batches/of/" + id + "/override"
	page := signs.get("/batches/of/" + id + "/mend").Body.String()
	if c := signs.submit(page, "/desk"+at).Code; c != 303 || w.issuing.over.Reason != "" {
		t.Errorf("taking back what is not there: %d", c)
	}
	unit := registry.ID{7}
	form := url.Values{"unit": {unit.String()}, "digest": {fmt.Sprintf("%x", w.issuing.proposals[own+"/"+id].Digest)}, "reason": {"no_papers"}}
	if c := signs.post(at, form).Code; c != 303 || *w.issuing.over != (issuer.Override{Unit: unit, Reason: "no_papers", By: signs.member.id}) {
		t.Errorf("%d, %+v", c, w.issuing.over)
	}
	form.Set("reason", "I know her")
	if c := signs.post(at, form).Code; c != 422 {
		t.Errorf("a reason of no list: %d, want 422", c)
	}
	form.Set("reason", "urgent")
	form.Set("digest", strings.Repeat("1", 64))
	if c := signs.post(at, form).Code; c != 409 {
		t.Errorf("of another batch than was shown: %d, want 409", c)
	}
	if c := signs.post("/batches/of/"+id+"/mend.csv", nil).Code; c != 403 {
		t.Errorf("the list to mend leaves without a reason: %d", c)
	}
	if file := signs.post("/batches/of/"+id+"/mend.csv", url.Values{"reason": {"to the village office"}}); file.Code != 200 || !strings.Contains(file.Body.String(), "'=HH-17") {
		t.Errorf("the list to mend: %d %q", file.Code, file.Body)
	}
	done := w.issuing.batch(own, issuer.Approved)
	form.Set("digest", fmt.Sprintf("%x", w.issuing.proposals[own+"/"+done].Digest))
	if c := signs.post("/batches/of/"+done+"/override", form).Code; c != 409 {
		t.Errorf("of a batch that is approved: %d, want 409", c)
	}
}

// What is due is counted before it is planned; what cannot be meant is said.
func TestPlanning(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.DistributionLead)
	at := "/programmes/of/" + w.issuing.programme(own)
	form := url.Values{"round": {"١"}, "amount": {"120.00"}, "items": {"BLANKET=2 SOAP=1.5kg"}}
	page := b.post(at+"/plan", form)
	if page.Code != 200 || !strings.Contains(page.Body.String(), "<bdi>412</bdi> of <bdi>430</bdi>") || !strings.Contains(page.Body.String(), "49440.00") || len(w.issuing.begun) != 0 {
		t.Fatalf("%d %q\n%s", page.Code, w.issuing.begun, page.Body)
	}
	has(t, page.Body.String(), "<bdi>7</bdi>: their record names no place of the round, and they are planned too")
	form.Set("here", "yes")
	for _, want := range []string{"and they are left out", `name="here" value="yes"`} {
		has(t, b.post(at+"/plan", form).Body.String(), want)
	}
	form.Set("step", "412")
	form.Set("typed", "412")
	if c := b.post(at+"/plan", form).Code; c != 303 || len(w.issuing.begun) != 1 || w.issuing.begun[0] != "plan 1120.00[{BLANKET 2 } {SOAP 1.5 kg}]" {
		t.Errorf("%d %q", c, w.issuing.begun)
	}
	for name, bad := range map[string]url.Values{"no round": {"round": {"0"}}, "no item": {"round": {"1"}, "items": {"BLANKET"}}} {
		if c := b.post(at+"/plan", bad).Code; c != 422 {
			t.Errorf("%s: %d, want 422", name, c)
		}
	}
	if page := b.get(at).Body.String(); strings.Contains(page, "<b>Winter") || !strings.Contains(page, "&lt;b&gt;Winter") {
		t.Error("a name is no text")
	}
}

// Everything that is to be mended stands in one list: each line leads to the field's form or
// the pair, and says what they get meanwhile; by reason, place and clerk; as a workbook with
// a reason in the log; and who is shown is noted.
func TestWhatIsToBeMended(t *testing.T) {
	w := newWorld(t)
	clerk, signs := w.as(own, access.Registrar), w.as(own, access.Issuer)
	id := w.issuing.batch(own, issuer.Prepared)
	at := "/batches/of/" + id + "/fixes"
	page := clerk.get(at).Body.String()
	record := func(n byte) string { return registry.ID{n}.String() }
	for _, want := range []string{
		`href="/desk/people/` + record(1) + `/edit#name"`, `href="/desk/people/` + record(2) + `/double?other=` + record(9) + `"`, `href="/desk/people/` + record(2) + `"`,
		"No name.", "Told to be on record twice.", "for <bdi>14</bdi> months", "Missing: ", "&lt;i&gt;Well A&lt;/i&gt;", "clerk-1", "No card yet.", "A provisional card until", "A whole card.",
		"Things to mend: <bdi>4</bdi>, of so many who would get a card: <bdi>3</bdi>", `id="again"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the list does not say %q:\n%s", want, page)
		}
	}
	for query, want := range map[string]int{"by=reason&value=unverified": 1, "by=reason&value=field_missing%2Forigin": 1, "by=place&value=%3Ci%3EWell+A%3C%2Fi%3E": 4, "by=clerk&value=nobody": 0, "by=clerk&value=clerk-1": 4} {
		if n := strings.Count(clerk.get(at+"?"+query).Body.String(), `data-label="What to mend"`); n != want {
			t.Errorf("%s: %d lines, want %d", query, n, want)
		}
	}
	if c := clerk.get(at + "?by=colour").Code; c != 400 {
		t.Errorf("by something else: %d", c)
	}
	if n := len(w.issuing.readers); n == 0 || !slices.Contains(w.issuing.readers, clerk.member.id+" "+record(9)) {
		t.Errorf("who was shown, and to whom: %q", w.issuing.readers)
	}
	if c := clerk.post(at+".xlsx", nil).Code; c != 400 && c != 403 {
		t.Errorf("a file without a reason: %d", c)
	}
	file := clerk.post(at+".xlsx", url.Values{"reason": {"to the village office"}, "by": {"reason"}, "value": {"double_told"}})
	book, err := zip.NewReader(bytes.NewReader(file.Body.Bytes()), int64(file.Body.Len()))
	if err != nil {
		t.Fatal(file.Code, err)
	}
	var text strings.Builder
	for _, f := range book.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(&text, r)
	}
	if cells := text.String(); !strings.Contains(cells, "Told to be on record twice.") || strings.Contains(cells, "No name") || strings.Contains(cells, "<f>") || strings.Contains(cells, ">=village<") || !strings.Contains(cells, record(9)) {
		t.Errorf("the workbook says %s", cells)
	}
	if c := signs.get(at).Code; c != 200 && c != 403 {
		t.Errorf("who signs: %d", c)
	}
}

// Of many who pass the gate by a reason the approver is told, more so of very many.
func TestTheShareOfOverridesIsTold(t *testing.T) {
	w := newWorld(t)
	approves := w.as(own, access.Approver)
	id := w.issuing.batch(own, issuer.Prepared)
	for n, want := range map[int]string{0: "", 4: "", 5: "share-amber", 12: "share-amber", 13: "share-red"} {
		p := w.issuing.proposals[own+"/"+id]
		p.Can, p.Overrides = 412, make([]issuer.Override, n)
		w.issuing.proposals[own+"/"+id] = p
		page := approves.get("/batches/of/" + id + "/people").Body.String()
		for _, state := range []string{"share-amber", "share-red"} {
			if strings.Contains(page, `id="`+state+`"`) != (state == want) {
				t.Errorf("%d of 412: %s, want %q", n, state, want)
			}
		}
	}
}
