package console_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"aidpass/access"
	"aidpass/web/console"
)

// A program asks with a token.
type program struct {
	w      *world
	secret string
	header http.Header
	member *member // whose token it is, where a test asks
}

// program makes a token, of an account of these roles, for acts.
func (w *world) program(org string, role access.Role, acts ...access.Act) *program {
	w.Helper()
	m := w.add(org, "", role)
	secret, _, err := w.doors[org].MakeTokenFor(w.Context(), boss, m.id, access.NewToken{Name: "kobo", Acts: acts, Until: w.now().Add(time.Hour)})
	if err != nil {
		w.Fatal(err)
	}
	return &program{w, secret, http.Header{}, m}
}

func (p *program) ask(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://desk.relief-a.example/desk"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+p.secret)
	for name, v := range p.header {
		r.Header[name] = v
	}
	a := httptest.NewRecorder()
	p.w.server.ServeHTTP(a, r)
	return a
}

// object is the answer to a program, which is JSON and has no name in capitals.
func (p *program) object(a *httptest.ResponseRecorder, status int) map[string]any {
	p.w.Helper()
	kind := "application/json"
	if status >= 400 && status != 422 {
		kind = "application/problem+json"
	}
	if a.Code != status || !strings.HasPrefix(a.Header().Get("Content-Type"), kind) && status != 422 {
		p.w.Fatalf("%d %s, want %d\n%s", a.Code, a.Header().Get("Content-Type"), status, a.Body)
	}
	var v map[string]any
	if err := json.Unmarshal(a.Body.Bytes(), &v); err != nil {
		p.w.Fatalf("%v\n%s", err, a.Body)
	}
	members(p.w.T, v)
	return v
}

var memberName = regexp.MustCompile(`^[a-z0-9_./-]+$`)

func members(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if !memberName.MatchString(name) {
				t.Errorf("an answer has a member %q", name)
			}
			members(t, member)
		}
	case []any:
		for _, member := range v {
			members(t, member)
		}
	case string:
		if strings.Contains(v, "<bdi>") {
			t.Errorf("an answer has markup: %q", v)
		}
	}
}

// A program does by a token what a person does on the page, of the token's acts alone.
func TestProgramsDoWhatPagesDo(t *testing.T) {
	w := newWorld(t)
	p := w.program(own, access.Registrar, access.PersonFind, access.PersonRead, access.PersonEdit)
	mine, theirs := w.thing(own, "Maize <b>"), w.thing(other, "Rice")
	if list := p.object(p.ask("GET", "/things?size=1&page=7", ""), 200); !strings.Contains(list["do"].(string), mine) {
		t.Errorf("the list: %v", list)
	}
	if got := p.object(p.ask("GET", "/things/"+mine, ""), 200); got["do"] != "Maize <b>" {
		t.Errorf("the thing: %v", got)
	}
	done := p.object(p.ask("POST", "/things/"+mine+"/name", `{"name":"Millet"}`), 200)
	if done["see"] != "/desk/things/"+mine || !strings.Contains(done["done"].(string), "Millet") || done["undo"].(map[string]any)["fields"].(map[string]any)["name"] != "Maize <b>" {
		t.Errorf("done: %v", done)
	}
	if w.things[mine].name != "Millet" {
		t.Errorf("it is called %q", w.things[mine].name)
	}
	for body, want := range map[string]int{
		`{"name":"x","org_id":"relief-b"}`: 400, `{"name":["a","b"]}`: 400, `{"name":"a","name":"b"}`: 400, `{"name":{"x":1}}`: 400, `[]`: 400, `{"name":"a"} {}`: 400, `{"name":"` + strings.Repeat("x", 41) + `"}`: 400,
	} {
		p.object(p.ask("POST", "/things/"+mine+"/name", body), want)
	}
	foreign, missing := p.object(p.ask("GET", "/things/"+theirs, ""), 404), p.object(p.ask("GET", "/things/none", ""), 404)
	delete(foreign, "request")
	delete(missing, "request")
	if fmt.Sprint(foreign) != fmt.Sprint(missing) || foreign["code"] != "fault.not_found" {
		t.Errorf("foreign %v, missing %v", foreign, missing)
	}
	p.object(p.ask("POST", "/things/"+theirs+"/name", `{"name":"mine now"}`), 404)
	// Its account may erase, and the token not; what belongs to a person is no program's.
	for _, path := range []string{"/things/" + mine + "/erase", "/settings/password", "/sign-out", "/sign-in", "/language", "/passkey/add/begin"} {
		p.object(p.ask("POST", path, ""), 403)
	}
	p.object(p.ask("GET", "/accounts", ""), 403)
	p.object(p.ask("GET", "/nowhere", ""), 404)
	for _, said := range []string{"", "Bearer", "Bearer aidpass_none", "Basic " + p.secret, "Bearer " + p.secret + "x"} {
		q := &program{w: w, header: http.Header{"Authorization": {said}}}
		a := q.ask("GET", "/things", "")
		q.object(a, 401)
		if !strings.HasPrefix(a.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%q: no way to sign in is named", said)
		}
	}
	// A cookie beside a bad token counts for nothing.
	q := &program{w: w, secret: "aidpass_none", header: http.Header{"Cookie": {"__Host-aidpass=" + w.add(own, "", access.Registrar).token}}}
	q.object(q.ask("GET", "/things", ""), 401)
	if a := p.ask("GET", "/things?token="+p.secret, ""); a.Code != 400 || strings.Contains(w.log.String(), p.secret) {
		t.Errorf("a token in an address: %d", a.Code)
	}
}

// What somebody's token may ends with what she may, at the next request.
func TestATokenIsNeverMoreThanItsAccount(t *testing.T) {
	w := newWorld(t)
	m := w.add(own, "clerk", access.Registrar)
	secret, tok, err := w.doors[own].MakeTokenFor(t.Context(), boss, m.id, access.NewToken{Name: "kobo", Acts: []access.Act{access.PersonFind}, Until: w.now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	p := &program{w: w, secret: secret, header: http.Header{}}
	p.object(p.ask("GET", "/things", ""), 200)
	a, err := w.doors[own].Account(t.Context(), boss, m.id)
	if err == nil {
		err = w.doors[own].SetRoles(t.Context(), boss, m.id, a.Version, []access.Role{access.Finance}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.object(p.ask("GET", "/things", ""), 403)
	if err := w.doors[own].RevokeToken(t.Context(), boss, tok.ID); err != nil {
		t.Fatal(err)
	}
	p.object(p.ask("GET", "/things", ""), 401)
}

// What a person proves who she is for no program does: not by a token that is asked for, and
// not by one from when it could have the act, which is told what to do.
func TestNoTokenDoesWhatAPersonProvesHerselfFor(t *testing.T) {
	w := newWorld(t)
	m := w.add(own, "officer", access.DataProtection)
	ask := access.NewToken{Name: "kobo", Acts: []access.Act{access.PersonFind, access.ExportMake}, Until: w.now().Add(time.Hour)}
	if _, _, err := w.doors[own].MakeTokenFor(t.Context(), boss, m.id, ask); !errors.Is(err, access.ErrPerson) {
		t.Errorf("a token of old acts: %v", err)
	}
	ask.Acts = ask.Acts[:1]
	secret, tok, err := w.doors[own].MakeTokenFor(t.Context(), boss, m.id, ask)
	if err != nil {
		t.Fatal(err)
	}
	tok.Acts = append(tok.Acts, access.ExportMake, access.CardRevoke)
	if err := w.stores[own].WriteAccess(t.Context(), access.Actor(boss), func(tx access.Tx) error { return tx.SaveToken(tok) }); err != nil {
		t.Fatal(err)
	}
	p := &program{w: w, secret: secret, header: http.Header{}}
	p.object(p.ask("GET", "/things", ""), 200)
	id := w.thing(own, "Maize")
	for path, body := range map[string]string{"/things/export": `{"reason":"yearly report"}`, "/things/" + id + "/erase": "{}", "/organisation/pairs": `{"pairs":"500"}`} {
		if got := p.object(p.ask("POST", path, body), 403); got["code"] != "fault.person" || !strings.Contains(got["detail"].(string), "signs in") {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := p.object(p.ask("GET", "/people/"+w.person(own, "Amina").String()+"/held", ""), 403); got["code"] != "fault.person" {
		t.Errorf("all that is held: %v", got)
	}
	if len(w.things) != 1 {
		t.Error("it was erased")
	}
	page := w.of(m).get("/tokens").Body.String()
	has(t, page, "people at the desk do it: <bdi>File of records: make</bdi>, <bdi>Card: revoke</bdi>")
	hasNot(t, page, `value="export.make"`)
}

// A program cannot be the second of four eyes, on the page or by the door.
func TestAProgramApprovesNothing(t *testing.T) {
	w := newWorld(t)
	id := w.ask(own)
	p := w.program(own, access.Auditor, access.AuditRead)
	row := p.object(p.ask("GET", "/approvals/"+id, ""), 200)
	if row["id"] != id || len(row["sha256"].(string)) != 64 || len(row["changes"].([]any)) == 0 {
		t.Errorf("a request: %v", row)
	}
	if _, there := row["payload"]; there {
		t.Error("a request shows its bytes")
	}
	p.object(p.ask("POST", "/approvals/"+id+"/approve", `{"hash":"`+row["sha256"].(string)+`"}`), 403)
	p.object(p.ask("POST", "/approvals/"+id+"/refuse", `{"reason":"no"}`), 403)
	tok, err := w.doors[own].Token(t.Context(), p.secret)
	if err != nil {
		t.Fatal(err)
	}
	var hash [32]byte
	if _, err := w.doors[own].Approve(t.Context(), tok.Session(), id, hash, nil); err == nil {
		t.Error("the door lets a token approve")
	}
	if err := w.doors[own].AddPasskey(t.Context(), tok.Session(), access.Passkey{ID: []byte("x"), Key: []byte("y")}); err == nil {
		t.Error("the door lets a token add a way in")
	}
}

// A dry run says what would happen and what to send for it; nothing happens before.
func TestProgramsSeeTheDryRun(t *testing.T) {
	w := newWorld(t)
	p := w.program(own, access.Registrar, access.PersonEdit)
	var ids []string
	for range 60 {
		ids = append(ids, w.thing(own, "Maize"))
	}
	body, err := json.Marshal(map[string]any{"id": ids})
	if err != nil {
		t.Fatal(err)
	}
	dry := p.object(p.ask("POST", "/things/gone", string(body)), 200)
	if dry["dry_run"] != true || dry["can"] != 60.0 || len(w.things) != 60 {
		t.Fatalf("%v, %d left", dry, len(w.things))
	}
	send, err := json.Marshal(dry["send"])
	if err != nil {
		t.Fatal(err)
	}
	p.object(p.ask("POST", strings.TrimPrefix(dry["post"].(string), "/desk"), string(send)), 200)
	if len(w.things) != 0 {
		t.Errorf("%d are left", len(w.things))
	}
}

// The same act sent twice with one key has its effect once; another act with that key, and
// a key that another token has used, do not get its answer.
func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t)
	p := w.program(own, access.Registrar, access.PersonEdit)
	id := w.thing(own, "Maize")
	p.header.Set("Idempotency-Key", "k-1")
	first := p.ask("POST", "/things/"+id+"/name", `{"name":"Rice"}`)
	p.object(first, 200)
	w.things[id] = thing{id, own, "changed since"}
	again := p.ask("POST", "/things/"+id+"/name", `{"name":"Rice"}`)
	if again.Code != 200 || !bytes.Equal(first.Body.Bytes(), again.Body.Bytes()) || again.Header().Get("Idempotency-Replayed") != "true" || w.things[id].name != "changed since" {
		t.Errorf("again: %d %s, it is called %q", again.Code, again.Body, w.things[id].name)
	}
	if a := p.ask("POST", "/things/"+id+"/name", `{"name":"Beans"}`); a.Code != 422 || w.things[id].name != "changed since" {
		t.Errorf("another act with the key: %d", a.Code)
	}
	q := w.program(own, access.Registrar, access.PersonEdit)
	q.header.Set("Idempotency-Key", "k-1")
	q.object(q.ask("POST", "/things/"+id+"/name", `{"name":"Beans"}`), 200)
	if w.things[id].name != "Beans" {
		t.Error("another token's key was taken for this one's")
	}
	w.move(25 * time.Hour)
	p.header.Set("Idempotency-Key", strings.Repeat("k", 256))
	if a := p.ask("POST", "/things/"+id+"/name", `{"name":"Beans"}`); a.Code != 401 {
		t.Errorf("a token that is over: %d", a.Code)
	}
}

// One account's keys push out nobody's, and none is forgotten within its day: past a thousand
// an act with a new one is refused and not done.
func TestKeysAreKeptForTheirDay(t *testing.T) {
	w := newWorld(t)
	id := w.thing(own, "Maize")
	first := w.program(own, access.Registrar, access.PersonEdit)
	first.header.Set("Idempotency-Key", "k-1")
	first.object(first.ask("POST", "/things/"+id+"/name", `{"name":"Rice"}`), 200)
	p := w.program(own, access.Registrar, access.PersonEdit)
	for n := range 1000 {
		if n%50 == 0 {
			w.move(10 * time.Second) // a token asks so often
		}
		p.header.Set("Idempotency-Key", fmt.Sprint(n))
		if a := p.ask("POST", "/things/"+id+"/name", `{"name":"Millet"}`); a.Code != 200 {
			t.Fatalf("key %d: %d", n, a.Code)
		}
	}
	p.header.Set("Idempotency-Key", "one more")
	if a := p.ask("POST", "/things/"+id+"/name", `{"name":"Beans"}`); a.Code != 429 || w.things[id].name != "Millet" {
		t.Errorf("one more: %d, it is called %q", a.Code, w.things[id].name)
	}
	for key, q := range map[string]*program{"k-1": first, "0": p} {
		q.header.Set("Idempotency-Key", key)
		body := `{"name":"Rice"}`
		if q == p {
			body = `{"name":"Millet"}`
		}
		if a := q.ask("POST", "/things/"+id+"/name", body); a.Header().Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s was forgotten: %d", key, a.Code)
		}
	}
}

// A token that asks without end is told to wait, and another one is not.
func TestTokensAreBounded(t *testing.T) {
	w := newWorld(t)
	p, q := w.program(own, access.Registrar, access.PersonFind), w.program(own, access.Registrar, access.PersonFind)
	for n := range 101 {
		a := p.ask("GET", "/things", "")
		if (a.Code == 429) != (n == 100) || n == 100 && a.Header().Get("Retry-After") == "" {
			t.Fatalf("call %d: %d", n, a.Code)
		}
	}
	q.object(q.ask("GET", "/things", ""), 200)
	w.move(time.Second)
	p.object(p.ask("GET", "/things", ""), 200)
}

// Every route that a token can come to stands on the page of the API with what it answers,
// and answers that: a JSON object with those members and no others, a file, or news. Of
// every handler that any test of this package calls, OnAnswer tells what it did not name.
func TestAnswersAreAsDescribed(t *testing.T) {
	w := newWorld(t)
	var page struct {
		Components any
		Paths      map[string]map[string]struct {
			Act       string `yaml:"x-act"`
			Responses map[string]struct {
				Content map[string]struct{ Schema any }
			}
		}
	}
	a := w.browser().get("/api/openapi.yaml")
	if a.Code != 200 || !bytes.Equal(a.Body.Bytes(), w.console.OpenAPI()) {
		t.Fatalf("the page of the API: %d", a.Code)
	}
	if err := yaml.Unmarshal(a.Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	acted := 0
	for _, r := range w.console.Routes() {
		path := regexp.MustCompile(`:(\w+)`).ReplaceAllString("/desk"+r.Path, "{$1}")
		what, there := page.Paths[path][strings.ToLower(r.Method)]
		known := slices.Contains(access.TokenActs(), r.Act) && !r.StepUp
		if there != (known || r.Program) {
			t.Errorf("%s %s: on the page %v", r.Method, r.Path, there)
		}
		if !there {
			continue
		}
		if what.Act != string(r.Act) {
			t.Errorf("%s: act %q, want %q", path, what.Act, r.Act)
		}
		content := what.Responses["200"].Content
		if len(content) == 0 {
			t.Errorf("%s %s: nobody is told what it answers: give the row an Answer", r.Method, r.Path)
			continue
		}
		act, role := r.Act, access.OrgAdmin
		if rule, ok := access.RuleOf(act); ok {
			role = rule.Roles[0]
		} else {
			act = access.AuditRead
		}
		if name := regexp.MustCompile(`:(\w+)`).FindStringSubmatch(r.Path); name != nil && seenBy[name[1]] != "" && !known {
			act = seenBy[name[1]]
			rule, _ := access.RuleOf(act)
			role = rule.Roles[0]
		}
		p := w.program(own, role, act)
		body := ""
		if r.Method == "POST" {
			if r.Files {
				continue // its tests send files
			}
			object, err := json.Marshal(forms[r.Method+" "+r.Path])
			if err != nil {
				t.Fatal(err)
			}
			body = strings.ReplaceAll(string(object), "null", "{}")
		}
		answer := p.try(r, w.at(r, own, &browser{member: p.member}), body)
		if r.Method == "POST" && answer.Code != 200 {
			continue // the form of the matrix is not one that is taken
		}
		if r.Method == "POST" {
			acted++
		}
		kind, _, _ := strings.Cut(answer.Header().Get("Content-Type"), ";")
		if answer.Code == 409 && r.Path == "/prints/of/:print/cards.pdf" {
			continue // handed out once, to the account that printed it: its own test prints first
		}
		is, ok := content[kind]
		if answer.Code != 200 || !ok {
			t.Errorf("%s %s: %d %s\n%s", r.Method, r.Path, answer.Code, kind, answer.Body)
			continue
		}
		if kind == "application/json" && answer.Header().Get("Content-Disposition") == "" {
			if err := asDescribed(t, is.Schema, page.Components, p.object(answer, 200)); err != nil {
				t.Errorf("%s %s is not as described: %v\n%s", r.Method, r.Path, err, answer.Body)
			}
		}
	}
	if acted < 10 {
		t.Errorf("only %d acts were done", acted)
	}
}

// try asks as a program; of news the first.
func (p *program) try(r console.Route, path, body string) *httptest.ResponseRecorder {
	if !strings.HasSuffix(r.Path, "/live") {
		return p.ask(r.Method, path, body)
	}
	ask := httptest.NewRequest(r.Method, "https://desk.relief-a.example/desk"+path, nil)
	ask.Header.Set("Authorization", "Bearer "+p.secret)
	return firstNews(p.w.server, ask)
}

// asDescribed holds an answer against a schema of the page of the API.
func asDescribed(t *testing.T, schema, components any, answer map[string]any) error {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"allOf": []any{schema}, "components": components})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("x.json", parsed); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("x.json")
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(any(answer))
}

func FuzzObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":"b","c":["d",1,true]}`, `{"a":null}`, `{"a":"b","a":"c"}`, `[`, `{"a":[[]]}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		form, err := console.ParseObject(b)
		if err != nil {
			return
		}
		var v map[string]any
		if json.Unmarshal(b, &v) != nil {
			t.Fatalf("%q is no object, and was taken", b)
		}
		for name := range form {
			if _, there := v[name]; !there {
				t.Fatalf("%q has no member %q", b, name)
			}
		}
	})
}

// What shows or hands out records is asked anew with each call, so that the log tells of
// each: an Idempotency-Key keeps what acts did, and no copy of what was read.
func TestNothingReadIsKeptForAKey(t *testing.T) {
	w := newWorld(t)
	p := w.program(own, access.Registrar, access.PersonFind)
	w.thing(own, "Maize")
	p.header.Set("Idempotency-Key", "k-1")
	for n := range 2 {
		if a := p.ask("POST", "/things/rows", `{"reason":"yearly report"}`); a.Code != 200 || a.Header().Get("Idempotency-Replayed") != "" {
			t.Errorf("file %d: %d, replayed %q", n, a.Code, a.Header().Get("Idempotency-Replayed"))
		}
	}
	logged := 0
	if err := w.stores[own].Audit(t.Context(), func(e *access.Entry) error {
		if e.Action == "export.make" {
			logged++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if logged != 2 {
		t.Errorf("the log tells of %d files, two were handed out", logged)
	}
}

// Which cards are in a file is not told with its line of the print log.
func TestThePrintLogNamesNoCard(t *testing.T) {
	w := newWorld(t)
	p := w.program(own, access.Issuer, access.BatchPrint)
	job := p.object(p.ask("GET", "/prints/of/"+w.issuing.print(own), ""), 200)["job"].(map[string]any)
	if _, has := job["cards"]; has || job["count"] == nil {
		t.Errorf("the line says %v", job)
	}
}
