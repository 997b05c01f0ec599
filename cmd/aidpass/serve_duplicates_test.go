package main

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/access/work"
)

// The button of the list of pairs looks through the register as a job of whoever pressed it,
// which leads back to the list; who may not begin it has no button and is refused.
func TestTheButtonLooksForDuplicates(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWalletsWith(nil)
	defer stop()
	ctx := t.Context()
	amal, sign := s.visitor(t, client, "amal", access.Registrar), s.visitor(t, client, "sign-1", access.Issuer)

	const press = "/doubles/search"
	if status, _, page := sign.try("POST", press, "application/x-www-form-urlencoded", nil); status != 403 {
		t.Errorf("who issues cards begins it: %d\n%.2000s", status, page)
	}
	if jobs, err := s.work.Jobs(ctx); err != nil || len(jobs) != 0 {
		t.Fatalf("before anybody pressed: %+v, %v", jobs, err)
	}
	if last, err := s.search().Last(ctx); err != nil || !last.At.IsZero() {
		t.Fatalf("a search before anybody pressed: %+v, %v", last, err)
	}
	landed, page := amal.submit("/doubles", press, url.Values{})
	id, ok := strings.CutPrefix(landed, "/jobs/")
	if !ok {
		t.Fatalf("the button led to %s\n%.2000s", landed, page)
	}
	s.work.Wait()
	jobs, err := s.work.Jobs(ctx)
	at := slices.IndexFunc(jobs, func(j work.Job) bool { return j.ID == id })
	if err != nil || at < 0 || len(jobs) != 1 {
		t.Fatalf("%s is not the one job: %+v, %v", id, jobs, err)
	}
	if j := jobs[at]; j.Kind != duplicatesWork || j.Act != access.DuplicatesRun || j.State != work.Done || j.Result != "/doubles" {
		t.Errorf("%+v", j)
	}
	if page := amal.get(landed); !strings.Contains(page, `href="/desk/doubles"`) {
		t.Errorf("the job does not lead to its pairs:\n%s", page)
	}
	run, ok, err := s.a.doublesDesk(s.o).Last(ctx)
	if err != nil || !ok || run.By != "amal" || run.People == 0 {
		t.Errorf("the run is %+v, %v, %v", run, ok, err)
	}
}
