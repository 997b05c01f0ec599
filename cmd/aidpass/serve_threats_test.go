package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/registry/photo"
)

// THREATS 4.7 by number, as far as it takes the real server on its database. The other rows
// stand in web/console, access and storage.

// Rows 20 and 22: what looks like SQL or a pattern is looked for as the text it is, finds
// nobody and costs nothing. Row 33: secrets are in no line of the server's log.
func TestTheDeskOnItsDatabase(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWalletsWith(nil, "--verbose")
	defer stop()
	door := &access.Door{Store: s.o.store, Now: s.a.Now}
	boss := access.Laptop{ID: "boss", Role: access.OrgAdmin}
	invitation, err := door.Invite(t.Context(), boss, access.NewAccount{ID: "clerk", Roles: []access.Role{access.Registrar}, Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := door.MakeTokenFor(t.Context(), boss, "clerk", access.NewToken{Name: "search", Acts: []access.Act{access.PersonFind}, Until: s.a.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "https://relief-a.example/desk"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return a.StatusCode, string(b)
	}
	typed := []string{`' OR '1'='1`, `'; DROP TABLE person;--`, `") OR 1=1 --`, `1 UNION SELECT secrets FROM organisation`, `%_%_%_%_%_%`, strings.Repeat("%_", 90), `*`, `(a+)+$`, "\u202e' OR 1=1", `{"$gt":""}`, `${7*7}`}
	for _, q := range typed {
		for _, field := range []string{"q", "document", "phone"} {
			body, err := json.Marshal(map[string]string{field: q})
			if err != nil {
				t.Fatal(err)
			}
			code, page := ask("POST", "/people", string(body))
			var found struct{ Total int }
			if code == 200 {
				if err := json.Unmarshal([]byte(page), &found); err != nil {
					t.Fatal(err)
				}
			}
			if code != 200 && code != 400 && code != 422 || found.Total != 0 || strings.Contains(page, "SELECT") && !strings.Contains(q, "SELECT") {
				t.Errorf("%s %q: %d, %d found\n%s", field, q, code, found.Total, page)
			}
		}
	}
	if code, _ := ask("GET", "/people", ""); code != 200 {
		t.Errorf("after all that: %d", code)
	}
	ask("GET", "/people?token="+secret, "")
	if a, err := client.Get("https://relief-a.example/desk/join/" + invitation); err != nil || a.StatusCode != 200 {
		t.Error(a.StatusCode, err)
	}
	stop()
	log := l.stderr.String()
	if !strings.Contains(log, "/desk/join/:secret") {
		t.Errorf("the log does not tell of the requests:\n%s", log)
	}
	for _, kept := range []string{secret, invitation, "OR '1'='1", "DROP TABLE"} {
		if strings.Contains(log, kept) {
			t.Errorf("the log has %q", kept)
		}
	}
}

// Row 18: what is stored as a picture was drawn again; what cannot be drawn is none.
func TestPicturesAreDrawnAgain(t *testing.T) {
	for _, body := range []string{`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, `<html><script>alert(1)</script>`, "GIF89a<script>"} {
		var refusal *photo.Refusal
		if _, err := photo.Prepare(strings.NewReader(body)); !errors.As(err, &refusal) || strings.Contains(err.Error(), "script") {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// Rows 37 to 39: what only a database with roles and row security shows.
func TestRowSecurityWaitsForPostgreSQL(t *testing.T) {
	t.Skip("SKIPPED: THREATS 4.7 rows 37 (no DELETE or UPDATE of the log by the program's role), 38 (200 goroutines of alternating organisations) " +
		"and 39 (FORCE ROW LEVEL SECURITY) wait for PostgreSQL. On SQLite every statement names the organisation (storagetest: organisations do not see " +
		"each other) and triggers and the chain guard the log (storagetest: the audit log is proved and tampering named).")
}

// A job that another program left in the database is shown at the desk, and to programs;
// one of a kind that this server does not do waits. (That a killed one goes on is
// storage's TestKillWork.)
func TestServeShowsJobs(t *testing.T) {
	l := withEntitled(t)
	a := l.app(t)
	o, err := a.openOrg(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &work.Runner{Store: o.store, Now: a.Now}
	r.Handle("nobody-does-this-now", work.Kind{Act: access.BatchIssue, Word: "jobs.title", Do: func(context.Context, *work.Turn) (string, error) { return "", nil }})
	j, err := r.Start(t.Context(), access.Actor{ID: "lead", Role: access.Issuer}, work.New{Kind: "nobody-does-this-now", Total: 7})
	if err = errors.Join(err, o.close()); err != nil {
		t.Fatal(err)
	}
	s, client, stop := l.serveWalletsWith(nil)
	defer stop()
	door := &access.Door{Store: s.o.store, Now: s.a.Now}
	boss := access.Laptop{ID: "boss", Role: access.OrgAdmin}
	if _, err := door.Invite(t.Context(), boss, access.NewAccount{ID: "issuer", Roles: []access.Role{access.Issuer}, Language: "en"}); err != nil {
		t.Fatal(err)
	}
	secret, _, err := door.MakeTokenFor(t.Context(), boss, "issuer", access.NewToken{Name: "watch", Acts: []access.Act{access.BatchIssue}, Until: s.a.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), "GET", "https://relief-a.example/desk/jobs/"+j.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+secret)
	answer, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var told struct {
		ID, State string
		Total     int
	}
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil || told.ID != j.ID || told.State != "waits" || told.Total != 7 {
		t.Errorf("the desk tells %+v, %v", told, err)
	}
}
