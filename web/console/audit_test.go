package console_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/witness"
)

// The log is read from its newest entry on, a page at a time, with what was asked for;
// whatever somebody got into it is text.
func TestTheLogIsRead(t *testing.T) {
	w := newWorld(t)
	for i := range 120 {
		w.desks[own].log = append(w.desks[own].log, access.Entry{Seq: uint64(i + 1), Time: now.Add(time.Duration(i-119) * time.Hour), Actor: access.Actor{ID: []string{"amina", "omar"}[i%2], Role: access.OrgAdmin},
			Action: "card.revoke", Object: fmt.Sprintf("object-%d", i+1), Reason: "<script>\u202e"})
	}
	w.desks[other].log = []access.Entry{{Seq: 1, Object: "foreign"}}
	b := w.as(own, access.Auditor)
	page := b.get("/audit").Body.String()
	if strings.Contains(page, "<script>\u202e") || !strings.Contains(page, "object-120<") || strings.Contains(page, "object-70<") || strings.Contains(page, "foreign") {
		t.Errorf("the first page: %s", page)
	}
	older := "/audit?" + strings.ReplaceAll(between(t, page, `href="/desk/audit?`, `"`), "&amp;", "&")
	if page = b.get(older).Body.String(); !strings.Contains(page, "object-70<") || strings.Contains(page, "object-71<") {
		t.Errorf("the second page at %s", older)
	}
	page = b.get("/audit?by=omar&from=2026-11-22&until=2026-11-22").Body.String()
	if strings.Contains(page, "<bdi>amina</bdi> (") || strings.Count(page, "<bdi>omar</bdi> (") != 5 || !strings.Contains(page, `name="by" value="omar"`) {
		t.Errorf("what was asked for: %s", page)
	}
	if a := b.get("/audit?from=yesterday"); a.Code != 400 && a.Code != 422 {
		t.Errorf("no day: %d", a.Code)
	}
	if a := b.post("/audit/export", url.Values{"by": {"omar"}}); a.Code != 422 {
		t.Errorf("an export without a reason: %d", a.Code)
	}
	if a := b.post("/audit/export", url.Values{"by": {"omar"}, "reason": {"yearly"}}); a.Code != 200 || !strings.Contains(a.Header().Get("Content-Disposition"), "audit.jsonl") {
		t.Errorf("an export: %d", a.Code)
	}
	if want := []string{"read 51", "read 51", "read 5", `export of "omar": yearly`}; !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the log was told %q, want %q", w.desks[own].told, want)
	}
}

func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(s, from)
	found, _, end := strings.Cut(rest, to)
	if !ok || !end {
		t.Fatalf("no %q on\n%s", from, s)
	}
	return found
}

// A whole log and a broken one are told apart at a glance, and the broken entry is named;
// also to the platform's operator, who reads no entry.
func TestTheLogIsProved(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.PlatformOperator)
	w.desks[own].outcome = witness.Outcome{Head: access.Head{Seq: 7}}
	if page := b.upload("/audit/proof", url.Values{"paper": {"AIDPASS-AUDIT x"}}, "checkpoint", []byte("note")).Body.String(); !strings.Contains(page, `id="whole"`) || strings.Contains(page, `id="broken"`) {
		t.Errorf("a whole log: %s", page)
	}
	w.desks[own].outcome.Bad = []access.BadRow{{Seq: 4, Code: access.BadAltered, Why: "altered <b>"}}
	if page := b.upload("/audit/proof", nil, "checkpoint", nil).Body.String(); strings.Contains(page, `id="whole"`) || !strings.Contains(page, `id="broken"`) || !strings.Contains(page, "altered &lt;b&gt;") {
		t.Errorf("a broken log: %s", page)
	}
	b.post("/language", url.Values{"lang": {"fr"}, "next": {"/desk/"}})
	has(t, b.upload("/audit/proof", nil, "checkpoint", nil).Body.String(), "Cette inscription a été modifiée.")
	b.post("/language", url.Values{"lang": {"en"}, "next": {"/desk/"}})
	if page := b.post("/audit/checkpoint", nil).Body.String(); !strings.Contains(page, "audit 8 1VWJ") {
		t.Errorf("a checkpoint: %s", page)
	}
	if a := b.upload("/audit/cosigned", nil, "cosigned", []byte("note")); a.Code != 303 {
		t.Errorf("a cosigned one: %d", a.Code)
	}
	if a := b.upload("/audit/cosigned", nil, "", nil); a.Code != 422 {
		t.Errorf("none: %d", a.Code)
	}
	if a := b.post("/audit/request", nil); a.Code != 200 || a.Body.String() != "old 0\n" {
		t.Errorf("for a witness: %d", a.Code)
	}
	want := []string{`prove "note" "AIDPASS-AUDIT x"`, `prove "" ""`, `prove "" ""`, "sign", "cosigned note", "request"}
	if !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the log was told %q, want %q", w.desks[own].told, want)
	}
}
