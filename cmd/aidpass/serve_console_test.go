package main

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"

	"aidpass/access"
)

// Staff are let in by an invitation, on the database that the command line has, and the
// session holds; the log tells of both, and no address or path of it does.
func TestServeLetsStaffIn(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWalletsWith(nil)
	defer stop()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := *client
	browser.Jar = jar
	read := func(a *http.Response, err error) (int, string) {
		t.Helper()
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
	if code, page := read(browser.Get("https://relief-a.example/desk/")); code != 200 || !strings.Contains(page, `action="/desk/sign-in"`) {
		t.Fatalf("a stranger: %d\n%s", code, page)
	}
	door := &access.Door{Store: s.o.store, Now: s.a.Now}
	secret, typed := invited(t, door, s.a.Now(), "lead", access.OrgAdmin)
	code, page := read(browser.PostForm("https://relief-a.example/desk/join/"+secret, url.Values{"password": {joinWords}, "again": {joinWords}, "code": {typed}}))
	if code != 200 || !strings.Contains(page, "What needs you") || !strings.Contains(page, "<bdi>"+s.o.entry.Names["en"]+"</bdi>") {
		t.Fatalf("joining: %d\n%s", code, page)
	}
	if code, page := read(browser.Get("https://relief-a.example/desk/accounts")); code != 200 || !strings.Contains(page, "<bdi>lead</bdi>") {
		t.Errorf("the accounts: %d\n%s", code, page)
	}
	if code, _ := read(browser.Get("https://relief-a.example/desk/join/" + secret)); code != 404 {
		t.Errorf("the invitation again: %d", code)
	}
}

var updateDesk = flag.Bool("update", false, "write ../../docs/openapi-desk.yaml from the table of the console")

// docs/openapi-desk.yaml is what the console of serve tells of itself.
func TestTheDeskIsDescribed(t *testing.T) {
	const path = "../../docs/openapi-desk.yaml"
	l := withEntitled(t)
	_, client, stop := l.serveWalletsWith(nil)
	defer stop()
	a, err := client.Get("https://relief-a.example/desk/api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	told, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != 200 {
		t.Fatal(a.StatusCode, err)
	}
	if *updateDesk {
		if err := os.WriteFile(path, told, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, told) {
		t.Errorf("%s is not the table of the console: go test ./cmd/aidpass -run TestTheDeskIsDescribed -update", path)
	}
}
