package console_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/imports/importstest"
	"aidpass/issuer/registry/registrytest"
	"aidpass/web/console"
)

// importDesk is an organisation's, on stores in memory. What is approved is written by a job.
func (w *world) importDesk(org string) *imports.Desk {
	register := &peopleStore{Store: registrytest.Store{Now: w.now}}
	d := &imports.Desk{Store: &importstest.Memory{}, Registry: register, Register: register, Door: w.doors[org], Country: "KEN", Now: w.now}
	d.Begin = func(m imports.Import) error {
		job := w.jobs.add(org, access.ImportSubmit)
		w.jobs.set(job, console.JobRuns, 0)
		_, err := d.Apply(w.Context(), m.ID, func(done, _ int) error { w.jobs.set(job, console.JobRuns, done); return nil })
		w.jobs.set(job, map[bool]console.JobState{true: console.JobDone, false: console.JobFailed}[err == nil], m.Counts.Rows)
		return nil
	}
	w.doors[org].Handle(access.ImportSubmit, d.Executor())
	w.doors[org].Handle(access.ImportUndo, d.Undoer())
	return d
}

func (w *world) importScreen() console.Screen {
	return &console.Imports{Desk: w.imports[own], Records: &records.Desk{Store: w.imports[own].Registry.(*peopleStore), Country: "KEN", Now: w.now}}
}

var loader = access.Actor{ID: "clerk", Role: access.Registrar}

// list is an import of an organisation that was checked where it can be.
func (w *world) list(org, name string, b []byte) imports.Import {
	w.Helper()
	m, _, err := w.imports[org].Load(w.Context(), loader, name, b, imports.Options{})
	if err == nil && m.State == imports.Loaded {
		m, err = w.imports[org].Check(w.Context(), loader, m.ID, m.Version)
	}
	if err != nil {
		w.Fatal(err)
	}
	return m
}

func smallList() []byte {
	return []byte("individual_id,full_name,sex,birth_date,consent\nP-" + name() + ",Halima Abdi,f,1988-03-04,yes\nP-2,Zuhura Bakari,X?,31/31/1990,no\n,,f,1970-02-03,yes\n")
}

// load sends a file under a name as the page's form does.
func (b *browser) load(path, name string, body []byte, fields url.Values) *httptest.ResponseRecorder {
	b.w.Helper()
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	f, err := m.CreateFormFile("file", name)
	if err == nil {
		_, err = f.Write(body)
	}
	for k, v := range fields {
		for _, x := range v {
			if err == nil {
				err = m.WriteField(k, x)
			}
		}
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		b.w.Fatal(err)
	}
	r := b.request("POST", "/desk"+path, nil)
	r.Body, r.ContentLength = httptest.NewRequest("POST", "/", &form).Body, int64(form.Len())
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(r)
}

var formField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">|<input name="(value)"[^>]* value="([^"]*)"`)

// fill is the form of a page for an action, as it stands there.
func fill(t *testing.T, page, action string) url.Values {
	t.Helper()
	i := strings.Index(page, `action="`+action+`"`)
	if i < 0 {
		t.Fatalf("the page has no form for %s:\n%s", action, page)
	}
	part, _, _ := strings.Cut(page[i:], "</form>")
	form := url.Values{}
	plain := strings.NewReplacer("&amp;", "&", "&#39;", "'", "&#34;", `"`, "&lt;", "<", "&gt;", ">", "&#43;", "+")
	for _, m := range formField.FindAllStringSubmatch(part, -1) {
		form.Add(m[1]+m[3], plain.Replace(m[2]+m[4]))
	}
	return form
}

func (b *browser) follow(a *httptest.ResponseRecorder) string {
	b.w.Helper()
	if a.Code != 303 {
		b.w.Fatalf("%d:\n%s", a.Code, a.Body)
	}
	next := b.get(strings.TrimPrefix(a.Header().Get("Location"), "/desk"))
	if next.Code != 200 {
		b.w.Fatalf("%s: %d", a.Header().Get("Location"), next.Code)
	}
	return next.Body.String()
}

// The whole way without script: a file, its columns, the check, mends, a second account;
// what changed after it was asked for is refused, and nobody approves their own.
func TestAListIsTakenInByTwo(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	page := b.follow(b.load("/imports", `..\..\<b>lists</b>.csv`, smallList(), nil))
	if !strings.Contains(page, "Halima Abdi") || strings.Contains(page, "<b>lists") || !strings.Contains(page, `value="birth_date" selected`) {
		t.Fatalf("the columns are not shown with their values:\n%s", page)
	}
	all, err := w.imports[own].List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	at := "/imports/" + all[0].ID
	form := fill(t, page, "/desk"+at+"/columns")
	form["role"], form["field"] = []string{"people"}, []string{"person_id", "full_name", "sex", "birth_date", "consent"}
	page = b.follow(b.post(at+"/columns", form))
	if !strings.Contains(page, "Checked: ") {
		t.Fatalf("nothing was checked:\n%s", page)
	}
	if a := b.get(at + "/rejects"); a.Code != 405 && a.Code != 404 {
		t.Errorf("the rows with errors by a link: %d", a.Code)
	}
	if a := b.post(at+"/rejects", url.Values{}); a.Code != 403 {
		t.Errorf("the rows with errors without a reason: %d, want 403", a.Code)
	}
	a := b.post(at+"/rejects", url.Values{"reason": {"mended in the field"}})
	if log := w.entries(own); a.Code != 200 || !strings.Contains(a.Body.String(), "Zuhura") || !slices.ContainsFunc(log, func(e access.Entry) bool {
		return e.Action == "export.make" && e.Reason == "mended in the field" && strings.Contains(e.Detail, "rows=")
	}) {
		t.Errorf("the rows with errors: %d, %+v\n%s", a.Code, log, a.Body)
	}
	page = b.get(at + "/findings").Body.String()
	has(t, page, "warning (<bdi>1</bdi>): The answer is no to being registered") // said, and taken in
	form = fill(t, page, "/desk"+at+"/mends")
	if len(form["value"]) == 0 || len(form["listed"]) == 0 {
		t.Fatalf("nothing can be mended:\n%s", page)
	}
	for i, v := range form["value"] {
		switch v {
		case "31/31/1990":
			form["value"][i] = "1990-01-31"
		case "X?": // a mark of doubt is no answer
			form["value"][i] = "x"
		}
	}
	form["out"] = []string{"4:"}
	page = b.follow(b.post(at+"/mends", form))
	if !strings.Contains(page, "Changed: <bdi>3</bdi>") {
		t.Errorf("what was changed is not told:\n%s", page)
	}
	if a := b.post(at+"/mends", form); a.Code != 409 {
		t.Errorf("the same form again, which saw what is old: %d, want 409", a.Code)
	}
	page = b.follow(b.submit(page, "/desk"+at+"/check"))
	if !strings.Contains(page, "<bdi>0</bdi> with an error") {
		t.Errorf("after mending:\n%s", page)
	}
	if page := b.get(at + "/mends").Body.String(); !strings.Contains(page, "<bdi>31/31/1990</bdi>") || !strings.Contains(page, "left out") {
		t.Errorf("the mends are not told:\n%s", page)
	}
	page = b.follow(b.submit(page, "/desk"+at+"/submit"))
	m, err := w.imports[own].Show(t.Context(), all[0].ID)
	if err != nil || m.State != imports.InReview || w.takenIn() != 0 {
		t.Fatalf("%+v %v, %d people", m, err, w.takenIn())
	}
	approval := "/approvals/" + m.Review.Approval
	if !strings.Contains(page, approval) {
		t.Errorf("the page does not lead to the request:\n%s", page)
	}
	if mine := b.get(approval).Body.String(); strings.Contains(mine, `id="approve"`) {
		t.Error("who asked is offered to approve")
	}
	if a := b.post(approval+"/approve", url.Values{"hash": {fmt.Sprintf("%x", m.Review.Hash)}}); a.Code != 403 {
		t.Errorf("who asked approves: %d, want 403", a.Code)
	}
	second := w.as(own, access.Approver)
	queue := second.get("/approvals").Body.String()
	if !strings.Contains(queue, "Rows that become new records: <bdi>2</bdi>") {
		t.Errorf("the queue does not say what would change:\n%s", queue)
	}
	seen := second.get(approval).Body.String()
	for _, says := range []string{"Rows that become new records: <bdi>2</bdi>", "Changes made by hand over the file: <bdi>3</bdi>", "No card is issued", at} {
		if !strings.Contains(seen, says) {
			t.Errorf("the approver is not told %q:\n%s", says, seen)
		}
	}
	if page := second.get(at + "/findings").Body.String(); strings.Contains(page, `name="value"`) {
		t.Error("an approver is offered to mend")
	}
	// Changed after it was asked for, and after it was seen.
	form = url.Values{"version": {fmt.Sprint(m.Version)}, "table": {""}, "row": {"2"}, "column": {"full_name"}, "was": {"Halima Abdi"}, "value": {"Somebody Else"}}
	b.follow(b.post(at+"/mends", form))
	if a := second.submit(seen, "/desk"+approval+"/approve"); a.Code != 409 || w.takenIn() != 0 {
		t.Fatalf("changed since: %d, want 409", a.Code)
	}
	page = b.follow(b.submit(b.get(at).Body.String(), "/desk"+at+"/check"))
	b.follow(b.submit(page, "/desk"+at+"/submit"))
	if m, err = w.imports[own].Show(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	seen = second.get("/approvals/" + m.Review.Approval).Body.String()
	second.follow(second.submit(seen, "/desk/approvals/"+m.Review.Approval+"/approve"))
	if a := second.submit(seen, "/desk/approvals/"+m.Review.Approval+"/approve"); a.Code != 303 || w.takenIn() != 2 {
		t.Errorf("again: %d, %d people", a.Code, w.takenIn())
	}
	if page = b.get(at).Body.String(); !strings.Contains(page, "In the register") {
		t.Errorf("its state is not told:\n%s", page)
	}
	// Taken out again by two: the dry run says what goes, and somebody edited since is left.
	w.move(time.Minute)
	var edited registry.ID
	err = w.imports[own].Registry.View(t.Context(), func(v registry.View) error {
		edited, _, err = v.Find(registry.KindPerson, "", "P-2")
		return err
	})
	fields, fault := registry.Person{Origin: "SOM"}.Fields()
	if err == nil && fault == nil {
		_, err = (&registry.Registry{Store: w.imports[own].Registry, Actor: loader, Now: w.now}).Edit(t.Context(), edited, fields, nil)
	}
	if err != nil || fault != nil {
		t.Fatal(err, fault)
	}
	if page := second.get(at + "/undo").Body.String(); strings.Contains(page, `id="undo"`) || !strings.Contains(page, "Records that the list made, which are erased for good: <bdi>1</bdi>") {
		t.Errorf("an approver is offered to ask, or not told:\n%s", page)
	}
	register := w.imports[own].Registry.(*peopleStore)
	page = second.get(at + "/undo?of=erase").Body.String()
	goes := regexp.MustCompile(`/desk/people/([0-9a-f]{32})"><bdi>Somebody Else</bdi>`).FindStringSubmatch(page)
	if goes == nil || strings.Contains(page, edited.String()) {
		t.Fatalf("who approves is not told whose record goes:\n%s", page)
	}
	if gone, _ := registry.ParseID(goes[1]); register.seen(second.member.id, gone) != 2 || register.seen(second.member.id, edited) != 0 {
		t.Error("who read whose records are erased, and no others, stands in the log")
	}
	page = b.get(at + "/undo?of=left").Body.String()
	if !strings.Contains(page, edited.String()) || !strings.Contains(page, "changed since") {
		t.Errorf("who is left is not told:\n%s", page)
	}
	if a := b.get(at + "/undo?of=others"); a.Code != 400 && a.Code != 422 {
		t.Errorf("a list that there is none of: %d", a.Code)
	}
	b.follow(b.submit(page, "/desk"+at+"/undo"))
	if m, err = w.imports[own].Show(t.Context(), m.ID); err != nil || m.Undo == nil || w.takenIn() != 2 {
		t.Fatalf("%+v %v, %d people", m, err, w.takenIn())
	}
	if page = b.get(at + "/undo").Body.String(); strings.Contains(page, `id="undo"`) || !strings.Contains(page, "/desk/approvals/"+m.Undo.Approval) || !strings.Contains(page, "asked by <bdi>"+b.member.id+"</bdi>") {
		t.Errorf("it waits, and the page offers it again:\n%s", page)
	}
	seen = second.get("/approvals/" + m.Undo.Approval).Body.String()
	if !strings.Contains(seen, "Records that the list made, which are erased for good: <bdi>1</bdi>") || !strings.Contains(seen, at+"/undo") {
		t.Errorf("the approver is not told:\n%s", seen)
	}
	second.follow(second.submit(seen, "/desk/approvals/"+m.Undo.Approval+"/approve"))
	if page = b.get(at + "/undo?of=left").Body.String(); w.takenIn() != 1 || !strings.Contains(page, "approved it") || !strings.Contains(page, "Taken out of the register again") || !strings.Contains(page, edited.String()) {
		t.Errorf("%d people after it:\n%s", w.takenIn(), page)
	}
	if a := b.post(at+"/withdraw", fill(t, `<form action="x"></form>`, "x")); a.Code != 400 && a.Code != 409 {
		t.Errorf("withdrawn: %d", a.Code)
	}
}

// A list of many is taken out by nobody in one click: who approves types of how many it is.
func TestManyAreTakenOutByTheirNumber(t *testing.T) {
	w := newWorld(t)
	b, second := w.as(own, access.Registrar), w.as(own, access.Approver)
	var list bytes.Buffer
	list.WriteString("individual_id,full_name,sex,birth_date,consent\n")
	for i := range 120 {
		fmt.Fprintf(&list, "P-%d,Halima %c%c,f,19%02d-03-04,yes\n", i, 'a'+i%26, 'a'+i/26, 50+i%50)
	}
	m := w.list(own, "many.csv", list.Bytes())
	at := "/imports/" + m.ID
	b.follow(b.submit(b.get(at).Body.String(), "/desk"+at+"/submit"))
	m, _ = w.imports[own].Show(t.Context(), m.ID)
	asked := "/approvals/" + m.Review.Approval
	second.follow(second.submit(second.get(asked).Body.String(), "/desk"+asked+"/approve")) // what is taken in is counted on its own page
	if w.takenIn() != 120 {
		t.Fatalf("%d people", w.takenIn())
	}
	w.move(time.Minute)
	b.follow(b.submit(b.get(at+"/undo").Body.String(), "/desk"+at+"/undo"))
	m, _ = w.imports[own].Show(t.Context(), m.ID)
	asked = "/approvals/" + m.Undo.Approval
	page := second.get(asked).Body.String()
	hash := regexp.MustCompile(`name="hash" value="([0-9a-f]{64})"`).FindStringSubmatch(page)
	if hash == nil || !strings.Contains(page, "type how many records it is about: <bdi>120</bdi>") {
		t.Fatalf("the number is not asked for:\n%s", page)
	}
	for _, typed := range []string{"", "12", "1200"} {
		a := second.post(asked+"/approve", url.Values{"hash": {hash[1]}, "typed": {typed}})
		if a.Code != 422 || !strings.Contains(a.Body.String(), `id="wrong"`) || w.takenIn() != 120 {
			t.Errorf("%q: %d, %d people", typed, a.Code, w.takenIn())
		}
	}
	if a := second.post(asked+"/sign", url.Values{"handle": {"x"}, "response": {"{}"}}); a.Code != 422 || !strings.Contains(a.Body.String(), `id="wrong"`) {
		t.Errorf("signed by a passkey, without the number: %d", a.Code)
	}
	second.follow(second.post(asked+"/approve", url.Values{"hash": {hash[1]}, "typed": {"١٢٠"}}))
	if w.takenIn() != 0 {
		t.Errorf("%d people after it", w.takenIn())
	}
}

// Who read what files are called, and who took what out under an agreement, stands in the log.
func TestReadNamesAreTold(t *testing.T) {
	w := newWorld(t)
	list := w.list(own, "halima.csv", smallList())
	id := w.person(own, "Amina Yusuf")
	w.share(own, id)
	shared, err := w.rightsOf(own).Shares(t.Context())
	if err != nil || len(shared) != 1 {
		t.Fatal(shared, err)
	}
	b, lead := w.as(own, access.Approver), w.as(own, access.OrgAdmin)
	for _, c := range []struct {
		who       *browser
		path, act string
		object    string
	}{{b, "/imports", "import.look", ""}, {b, "/imports/" + list.ID, "import.look", list.ID}, {lead, "/agreements/of/" + shared[0].Agreement, "agreement.read", shared[0].Agreement}} {
		told := 0
		before := c.who.get(c.path)
		err := w.stores[own].Audit(t.Context(), func(e *access.Entry) error {
			if e.Actor.ID == c.who.member.id && string(e.Action) == c.act && e.Object == c.object {
				told++
			}
			return nil
		})
		if err != nil || before.Code != 200 || told != 1 {
			t.Errorf("%s: %d, told %d times, %v", c.path, before.Code, told, err)
		}
	}
}

// The page of a list that is being written asks every few seconds how far it is: that is one
// look an hour of each account.
func TestAPageThatAsksAgainIsOneLook(t *testing.T) {
	w := newWorld(t)
	w.imports[own].Begin = func(imports.Import) error { return nil } // it is being written all the while
	b, second := w.as(own, access.Registrar), w.as(own, access.Approver)
	at := "/imports/" + w.list(own, "halima.csv", smallList()).ID
	b.follow(b.submit(b.get(at).Body.String(), "/desk"+at+"/submit"))
	m, err := w.imports[own].Show(t.Context(), strings.TrimPrefix(at, "/imports/"))
	if err != nil {
		t.Fatal(err)
	}
	asked := "/approvals/" + m.Review.Approval
	second.follow(second.submit(second.get(asked).Body.String(), "/desk"+asked+"/approve"))
	looks := func(who *browser) (n int) {
		for _, e := range w.entries(own) {
			if e.Actor.ID == who.member.id && e.Action == "import.look" && e.Object == m.ID && strings.HasPrefix(e.Detail, "names=") {
				n++
			}
		}
		return n
	}
	was, wasSecond := looks(b), looks(second)
	for range 4 {
		has(t, b.get(at).Body.String(), `content="5"`)
	}
	second.get(at)
	if n, m := looks(b)-was, looks(second)-wasSecond; n != 1 || m != 1 {
		t.Errorf("%d and %d looks, want one each", n, m)
	}
	for range 6 { // and stays signed in
		w.move(10 * time.Minute)
		b.get(at)
	}
	if n := looks(b) - was; n != 2 {
		t.Errorf("%d looks in two hours", n)
	}
}

func (w *world) takenIn() (n int) {
	err := w.imports[own].Registry.View(w.Context(), func(v registry.View) error {
		ids, err := v.Units(registry.KindPerson, registry.ID{}, 10_000)
		n = len(ids)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// Every hostile file comes to a page that says what is wrong, or to a list whose every
// row is told; none to nothing, a fault of ours, or markup (THREATS T15, 4.5).
func TestHostileFilesAtTheDoor(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/hostile-files/*.[cx][sl][vs]*")
	if len(files) == 0 {
		t.Skip("SKIPPED: ../shared/hostile-files is not beside the project")
	}
	good := map[string]bool{"ok.csv": true, "ok.xlsx": true, "bom.csv": true, "formula-names.csv": true, "unicode-names.csv": true}
	bad := map[string]bool{"bomb-sharedstrings-100MB.xlsx": true, "xxe-billion-laughs.xlsx": true, "dup-entry.xlsx": true, "not-zip.xlsx": true, "csv-as-xlsx.xlsx": true, "huge-row-number.xlsx": true}
	told := regexp.MustCompile(`<h1[^>]*>(There is nobody in this file|This is not a list|The file is not what its name says|The file is damaged|This file is made so that it can do harm|The columns have no names|The letters of this file|The file is too large|The file has too many columns|A quotation mark)`)
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(f)
		begun := time.Now()
		a := b.load("/imports", name, body, nil)
		if a.Code != 303 && a.Code != 422 || good[name] && a.Code != 303 || bad[name] && a.Code != 422 {
			t.Errorf("%s: %d\n%s", name, a.Code, a.Body)
			continue
		}
		if a.Code == 422 {
			if !told.MatchString(a.Body.String()) {
				t.Errorf("%s is refused without a word:\n%s", name, a.Body)
			}
			continue
		}
		page := b.follow(a)
		if strings.Contains(page, "<script>") || strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s: a cell is not text", name)
		}
		id := strings.Split(a.Header().Get("Location"), "/")[3]
		m, err := w.imports[own].Check(t.Context(), loader, id, 1)
		if err != nil {
			t.Logf("%s: asked: %v", name, err)
			continue
		}
		if m.Counts.Rows == 0 {
			t.Errorf("%s: no row and no error", name)
		}
		for _, path := range []string{"", "/findings?size=200", "/doubles"} {
			a := b.get("/imports/" + id + path)
			if s := a.Body.String(); a.Code != 200 || strings.Contains(s, "<script>") || strings.Contains(s, "<img") || strings.Contains(s, "ZgotmplZ") {
				t.Errorf("%s%s: %d, or markup of a cell", name, path, a.Code)
			}
		}
		t.Logf("%s: %+v in %v", name, *m.Counts, time.Since(begun).Round(time.Millisecond))
	}
	if a := b.load("/imports", "big.csv", bytes.Repeat([]byte("a,b\n"), imports.MaxBytes/4+1), nil); a.Code != 413 {
		t.Errorf("a file over the bound: %d, want 413", a.Code)
	}
	if a := b.load("/imports", "x.csv", smallList(), url.Values{"org_id": {other}}); a.Code != 400 {
		t.Errorf("a field that there is not: %d, want 400", a.Code)
	}
	if a := b.load("/imports", "x.csv", nil, nil); a.Code != 422 {
		t.Errorf("an empty file: %d, want 422", a.Code)
	}
}

// A list that is sent in waits on no disk on its way: a server that is killed then would
// leave it there, in the clear.
func TestAListIsNotPutByInTheClear(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	list := bytes.NewBufferString("individual_id,full_name,note\n")
	for n := range 2600 {
		fmt.Fprintf(list, "P-%d,Amina Yusuf,%s\n", n, strings.Repeat("x", 2000))
	}
	if code := w.as(own, access.Registrar).load("/imports", "list.csv", list.Bytes(), nil).Code; code != 303 {
		t.Errorf("a list of over 4 MiB: %d", code)
	}
}
