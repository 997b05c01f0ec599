package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// partner is the laptop of a second organisation, on the trust list of the first.
func (l *laptop) partner() *laptop {
	l.t.Helper()
	b := &laptop{t: l.t, dir: l.t.TempDir()}
	if err := os.WriteFile(b.path("pass"), []byte("another horse\n"), 0o600); err != nil {
		l.t.Fatal(err)
	}
	b.must("org", "init", "--id", "https://relief-b.example/i1", "--name", "Relief B", "--country", "KEN", "--status", "https://relief-b.example/s/")
	b.must("site-ca", "init", "--host", "relief-b.example")
	l.must("trust", "add", l.path("list.draft"), b.path("data/public/relief-b.example-i1.org"))
	if err := os.Remove(l.path("granted.list")); err != nil {
		l.t.Fatal(err)
	}
	l.must("trust", "sign", l.path("list.draft"), "--key", l.path("anchor.key"), "--out", l.path("granted.list"))
	list, err := os.ReadFile(l.path("granted.list"))
	if err == nil {
		err = os.WriteFile(b.path("granted.list"), list, 0o600)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

// A yes that is taken back at one desk becomes a signed letter, which another organisation
// opens at its own: it stops there, and the answer it signs is taken in at the first. A
// letter that was changed, or that is no answer, is taken in by nobody.
func TestALetterGoesFromDeskToDesk(t *testing.T) {
	la := withEntitled(t)
	lb := la.partner()
	const agreement = `id: relief-b-1
with: {id: relief-b, name: Relief B, kind: humanitarian, issuer: "https://relief-b.example/i1", contact: dpo@relief-b.example}
purpose: distribution
basis: notice
fields: [full_name, sex, pcode]
areas: [KE001]
no_exclusion: nobody is at risk
from: 2026-11-01
until: 2027-05-31
retention_days: 90
`
	if err := os.WriteFile(la.path("relief-b.yml"), []byte(agreement), 0o600); err != nil {
		t.Fatal(err)
	}
	la.must("agreement", "make", la.path("relief-b.yml"), "--second-person", "dpo-2")
	la.must("registry", "export", "--out", la.path("shared.csv"), "--agreement", "relief-b-1", "--reason", "round 1")
	lb.must("registry", "import", la.path("shared.csv"), "--list", "relief-a")

	a, client, stopA := la.serveWalletsWith(nil)
	defer stopA()
	b, clientB, stopB := lb.serveWalletsWith(nil, "--base-url", "https://relief-b.example/i1")
	defer stopB()
	here, there := a.visitor(t, client, "dpo-1", access.DataProtection), b.visitor(t, clientB, "dpo-b", access.DataProtection)
	var amina registry.ID
	err := a.o.store.View(t.Context(), func(v registry.View) (err error) {
		amina, _, err = v.Find(registry.KindPerson, "", "1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	at := "/people/" + amina.String() + "/consent"
	here.submit(at, at+"/withdraw", url.Values{"to": {"relief-b"}})
	recall := regexp.MustCompile(`/desk(/recalls/of/[0-9a-f]+)"`).FindStringSubmatch(here.get("/recalls"))
	if recall == nil {
		t.Fatal("nobody is to be told")
	}
	_, page := here.submit(recall[1], recall[1]+"/letter", nil)
	raw := []byte(page)
	if len(raw) == 0 || bytes.Contains(raw, []byte("Amina")) {
		t.Fatalf("the letter: %q", raw)
	}

	refused := func(who *deskBrowser, path, field string, content []byte, with url.Values) {
		t.Helper()
		mime, body := who.multipart(field, "letter", content, with)
		if status, _, page := who.try(http.MethodPost, path, mime, body); status != http.StatusUnprocessableEntity {
			t.Errorf("%s as %s: %d\n%s", path, field, status, page)
		}
	}
	from := url.Values{"list": {"relief-a"}, "outcome": {""}}
	torn := bytes.Replace(raw, []byte("relief-b-1"), []byte("relief-b-2"), 1)
	if bytes.Equal(torn, raw) {
		t.Fatal("the letter names no agreement")
	}
	refused(there, "/letters", "letter", torn, from)
	refused(here, "/letters", "letter", raw, from) // it is for somebody else
	refused(here, "/recalls/answer", "answer", raw, nil)
	if all, err := b.o.keeper().TakenIns(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("%+v, %v", all, err)
	}

	took, page := there.upload("/letters", "letter", "a.recall", raw, from)
	in, err := b.o.keeper().TakenIns(t.Context())
	if err != nil || len(in) != 1 || in[0].From != "https://relief-a.example/i1" || in[0].Outcome != rights.Stopped || len(in[0].Units) != 1 || took != "/letters/"+in[0].Handle() {
		t.Fatalf("%+v, %v\n%s", in, err, page)
	}
	answers, err := b.o.keeper().Answers(t.Context(), in[0].Units[0])
	if err != nil {
		t.Fatal(err)
	}
	if said, _ := rights.Said(answers, rights.Distribution, rights.Party{ID: "anybody"}, "2026-11-21"); said != rights.No {
		t.Errorf("sharing of her record goes on there: %v", answers)
	}
	_, page = there.submit(took, took+"/reply", url.Values{"reason": {"to the sender"}})
	answer := []byte(page)
	open := func() rights.Recall {
		t.Helper()
		r, err := a.o.keeper().Recall(t.Context(), strings.TrimPrefix(recall[1], "/recalls/of/"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	refused(there, "/recalls/answer", "answer", answer, nil)
	if r := open(); r.Outcome != "" || len(r.Letters) != 1 {
		t.Errorf("before the answer: %+v", r)
	}
	done, page := here.upload("/recalls/answer", "answer", "b.answer", answer, nil)
	if r := open(); done != recall[1] || r.Outcome != rights.Stopped || r.Records != 1 {
		t.Errorf("after the answer: %+v\n%s", r, page)
	}
	stopA()
	stopB()
	la.must("check")
	lb.must("check")
}
