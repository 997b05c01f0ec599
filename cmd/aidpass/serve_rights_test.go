package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/credential"
	"aidpass/internal/patience"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// On the database of a server: what is held about somebody is printed in two directions of
// script, a wording is kept, a yes given and taken back, and at her wish a second account
// lets everything go, cards first, as long work; no file of the folder knows her then.
func TestTheDeskForgets(t *testing.T) {
	l := withEntitled(t)
	l.must("issue", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--trust", l.path("granted.list"), "--out", l.path("cards.jsonl"))
	s, client, stop := l.serveWalletsWith(nil)
	defer stop()
	ctx := t.Context()
	officer, lead := s.joined(t, "officer", access.DataProtection), s.joined(t, "lead", access.OrgAdmin)
	registrar := s.joined(t, "registrar", access.Registrar)
	var id registry.ID
	err := s.o.store.View(ctx, func(v registry.View) error {
		found, ok, err := v.Find(registry.KindPerson, "", "3") // Leyla, who heads nothing
		if id = found; !ok {
			t.Fatal("nobody has the number 3")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := s.door.MakeToken(ctx, &officer.Session, access.NewToken{Name: "rights", Until: s.a.Now().Add(time.Hour),
		Acts: []access.Act{access.NoticeMake, access.ConsentGive, access.ConsentRead, access.ConsentWithdraw, access.RightsAsk}})
	if err != nil {
		t.Fatal(err)
	}
	at := "/people/" + id.String()
	ask := func(method, path, body string, want int) string {
		t.Helper()
		q, err := http.NewRequestWithContext(ctx, method, "https://relief-a.example/desk"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(path, at+"/held") || strings.HasSuffix(path, "/erasure"): // no program does these
			q.AddCookie(&http.Cookie{Name: "__Host-aidpass", Value: officer.Token})
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		default:
			q.Header.Set("Authorization", "Bearer "+secret)
			q.Header.Set("Content-Type", "application/json")
		}
		a, err := client.Transport.RoundTrip(q)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != want {
			t.Fatalf("%s %s: %d %v\n%.600s", method, path, a.StatusCode, err, b)
		}
		return string(b)
	}
	ask("POST", "/notices", `{"name": "notice", "sort": "notice", "purpose": "registration", "from": "2026-01-01", "lang": "en", "text": "We are Relief A."}`, 200)
	ask("POST", at+"/consent", `{"wording": "notice-1", "lang": "en", "registered": "yes", "how": "thumb", "by": "self", "read_aloud": "yes"}`, 200)
	ask("POST", at+"/consent/withdraw", `{}`, 200)
	ask("POST", at+"/requests", `{"demand": "objection", "text": "Leyla wants to be told of to nobody", "known": "document"}`, 200)
	ask("POST", "/records/"+id.String()+"/erasure", "reason=asked", 422) // she did not ask for that
	if _, err := s.o.keeper().Ask(ctx, registrar.Session.Actor(access.RightsAsk), id, rights.Forget, "Leyla wants to be forgotten", rights.ByDocument); err != nil {
		t.Fatal(err)
	}
	if got := ask("GET", at+"/consent", "", 200); !strings.Contains(got, `"notice-1"`) || !strings.Contains(got, `"thumb"`) {
		t.Errorf("what she answered: %s", got)
	}
	for _, lang := range []string{"en", "ar"} {
		pdf := ask("GET", at+"/held/pdf?lang="+lang, "", 200)
		if !strings.HasPrefix(pdf, "%PDF") {
			t.Errorf("%s: %.20q", lang, pdf)
		}
		if dir := os.Getenv("AIDPASS_PICTURES"); dir != "" { // to be looked at
			if err := os.WriteFile(filepath.Join(dir, "held-"+lang+".pdf"), []byte(pdf), 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	cards, err := s.o.store.Cards(ctx, issuer.Selection{Units: []registry.ID{id}, Active: true})
	if err != nil || len(cards) == 0 {
		t.Fatalf("her cards: %d, %v", len(cards), err)
	}
	ask("POST", "/records/"+id.String()+"/erasure", "reason=asked", 303)
	all, err := s.door.Approvals(ctx, &lead.Session)
	if err != nil || len(all) != 1 || all[0].Act != access.PersonErase {
		t.Fatalf("what waits: %+v, %v", all, err)
	}
	if _, err := s.door.Approve(ctx, &officer.Session, all[0].ID, all[0].Hash, nil); !errors.Is(err, access.ErrOwnApproval) {
		t.Errorf("approved by who asked: %v", err)
	}
	// Somebody reads meanwhile, so that the old bytes of the key are not gone at once.
	reading, read := make(chan struct{}), make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		if err := s.o.store.View(ctx, func(v registry.View) error {
			_, err := v.Programmes()
			close(reading)
			<-read
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	<-reading
	if _, err := s.door.Approve(ctx, &lead.Session, all[0].ID, all[0].Hash, nil); err != nil {
		t.Fatal(err)
	}
	defer reader.Wait()
	defer close(read)
	jobs, err := s.work.Jobs(ctx)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("long work: %+v, %v", jobs, err)
	}
	for deadline := time.Now().Add(time.Minute); jobs[0].State != work.Done; { // it runs beside
		if jobs[0].State == work.Failed || time.Now().After(deadline) {
			t.Fatalf("it came to %s: %s", jobs[0].State, jobs[0].Why)
		}
		if jobs, err = s.work.Jobs(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if jobs[0].Done != 1 || jobs[0].Result != "/removals/"+all[0].Object {
		t.Errorf("its end: %+v", jobs[0])
	}
	err = s.o.store.View(ctx, func(v registry.View) error { _, err := v.Record(id); return err })
	if !errors.Is(err, registry.ErrErased) {
		t.Errorf("her record: %v", err)
	}
	card, err := s.o.store.Cards(ctx, issuer.Selection{IDs: []issuer.CTI{cards[0].ID}})
	if err != nil || len(card) != 1 || !card[0].Ended && card[0].ExpiresAt > credential.FromStd(s.a.Now()) && card[0].Status == cards[0].Status {
		t.Errorf("her card: %+v, %v", card, err)
	}
	ask("GET", at+"/consent", "", 404)
	ask("GET", "/records/"+id.String()+"/erasure", "", 404)
	if all, err := s.o.keeper().Requests(ctx, registry.ID{}); err != nil || len(all) != 1 || !all[0].Done || !all[0].Unit.IsZero() || all[0].Text != "" {
		t.Errorf("what she asked, without her: %+v, %v", all, err)
	}
	counted := func() bool { // by the server itself, for Home
		needs, err := s.retention.Needs(ctx, &officer.Session)
		if err != nil || len(needs) != 1 {
			t.Fatalf("%+v, %v", needs, err)
		}
		return !needs[0].At.IsZero()
	}
	patience.Until(t, "what is over is counted", counted)
	if _, err := s.remover().Plan(ctx, rights.Removal{Why: rights.AtWish, Items: []rights.Due{{Class: rights.Records, Unit: id}}}); err != nil {
		t.Errorf("a plan about who is erased: %v", err)
	}
}
