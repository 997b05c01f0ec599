package main

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A clerk finds, reads, corrects and prints somebody of the register through the pages,
// on the database that the command line has: what is due is shown, two forms that were
// open at once lose nothing, and the page of who looked names every look of it.
func TestServeShowsPeople(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWalletsWith(nil)
	defer stop()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := *client
	browser.Jar = jar
	const desk = "https://relief-a.example/desk"
	read := func(a *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != 200 {
			t.Fatalf("%s: %d %v\n%s", a.Request.URL.Path, a.StatusCode, err, b)
		}
		return string(b)
	}
	door := &access.Door{Store: s.o.store, Now: s.a.Now}
	secret, typed := invited(t, door, s.a.Now(), "amal", access.Registrar)
	read(browser.PostForm(desk+"/join/"+secret, url.Values{"password": {joinWords}, "again": {joinWords}, "code": {typed}}))

	var id registry.ID
	err = s.o.store.View(t.Context(), func(v registry.View) error {
		ids, err := v.Units(registry.KindPerson, registry.ID{}, 1)
		if err == nil {
			id = ids[0]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page := read(browser.PostForm(desk+"/people", url.Values{"q": {id.String()}}))
	at := "/people/" + id.String()
	if !strings.Contains(page, "/desk"+at) {
		t.Fatalf("not found:\n%s", page)
	}
	page = read(browser.Get(desk + at))
	if !strings.Contains(page, "Winter cash") || !strings.Contains(page, "20.00 KES") {
		t.Errorf("what is due is not shown:\n%s", page)
	}
	form := func() url.Values {
		page := read(browser.Get(desk + at + "/edit"))
		values := url.Values{"reason": {"asked"}}
		for _, m := range regexp.MustCompile(`<input[^>]* name="(seen|email|used_name)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			values.Set(m[1], html.UnescapeString(m[2]))
		}
		return values
	}
	first, second := form(), form()
	first.Set("used_name", "Mina")
	second.Set("used_name", "Minnie")
	second.Set("email", "mina@example.org")
	read(browser.PostForm(desk+at+"/edit", first))
	page = read(browser.PostForm(desk+at+"/edit", second))
	for _, want := range []string{"Needs a decision", "<bdi>Mina</bdi>", "<bdi>Minnie</bdi>", "mina@example.org"} {
		if !strings.Contains(page, want) {
			t.Errorf("after both: no %q", want)
		}
	}
	if told := l.must("registry", "show", id.String()); !strings.Contains(told, "used_name: Minnie, as amal said at") {
		t.Errorf("the command line does not tell what is undecided:\n%s", told)
	}
	if page = read(browser.Get(desk + "/undecided")); !strings.Contains(page, "/desk"+at) {
		t.Error("what waits is not in the list of it")
	}
	if told := l.must("registry", "find", id.String()); !strings.Contains(told, "needs a decision") {
		t.Errorf("the command line does not tell that it waits:\n%s", told)
	}
	handle := regexp.MustCompile(`(?m)^  ([0-9a-f]{8,})  Minnie, as amal said`).FindStringSubmatch(l.must("registry", "decide", id.String()))
	if handle == nil {
		t.Fatal("the command line does not tell the handle")
	}
	for _, wrong := range [][]string{{"email", "--keep"}, {"used_name", "--take", "0000"}, {"used_name"}, {"used_name", "--keep", "--take", handle[1]}} {
		if code, _ := l.run(t.Context(), append([]string{"registry", "decide", id.String()}, wrong...)...); code != 2 {
			t.Errorf("decide %v: exit %d", wrong, code)
		}
	}
	l.must("registry", "decide", id.String(), "used_name", "--take", handle[1])
	if page = read(browser.Get(desk + at)); strings.Contains(page, "Needs a decision") || !strings.Contains(page, "<bdi class=\"name\">Minnie</bdi>") {
		t.Errorf("what was decided at the command line is not on the page:\n%s", page)
	}
	if page = read(browser.Get(desk + "/undecided")); strings.Contains(page, "/desk"+at) {
		t.Error("what was decided is in the list yet")
	}
	looks, err := s.o.store.Looked(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, k := range looks {
		if k.Actor.ID == "amal" {
			seen[string(k.Action)] = true
		}
	}
	for _, want := range []string{"person.find", "person.read", "record.correct"} {
		if !seen[want] {
			t.Errorf("%s is not among who looked: %v", want, seen)
		}
	}
	if page = read(browser.Get(desk + at + "/looked?lang=ar")); !strings.Contains(page, `<article lang="ar" dir="rtl">`) || !strings.Contains(page, "S-") {
		t.Errorf("who looked, in her language:\n%s", page)
	}
	if file := read(browser.Get(desk + at + "/looked/pdf?lang=sw")); !strings.HasPrefix(file, "%PDF-") {
		t.Error("the page to print is no PDF")
	}
	// Somebody new: a number is drawn, and the entry is taken back. Her name is in no list
	// then, and the database is whole.
	page = read(browser.PostForm(desk+"/people/new", url.Values{"name": {"Zuhura Mwinyi"}, "age": {"40"}, "next": {"open"}, "once": {"1"}}))
	if !strings.Contains(page, "Zuhura Mwinyi") || !strings.Contains(page, "Entered, with the number") {
		t.Errorf("who was entered:\n%s", page)
	}
	undo := regexp.MustCompile(`action="/desk(/people/[0-9a-f]{32}/undo)"`).FindStringSubmatch(page)
	if undo == nil {
		t.Fatal("there is no way back")
	}
	read(browser.PostForm(desk+undo[1], nil))
	if page = read(browser.PostForm(desk+"/people", url.Values{"q": {"Zuhura Mwinyi"}})); strings.Contains(page, "<bdi>Zuhura Mwinyi</bdi>") {
		t.Error("what was taken back is found")
	}
	l.must("check")
}
