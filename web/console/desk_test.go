package console_test

import (
	"bufio"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/web/console"
)

// Row 28: an account that is not there, one that is closed, one that never joined, a
// wrong password and a wrong code are told apart by nobody; nor do begun passkeys tell.
// (Equal work is the door's, and tested there.)
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	w := newWorld(t)
	amina, gone := w.add(own, "amina", access.Registrar), w.add(own, "gone", access.Registrar)
	w.invite(own, "invited", access.Registrar)
	if err := w.doors[own].Disable(t.Context(), boss, gone.id, "left"); err != nil {
		t.Fatal(err)
	}
	ask := func(account, typed, code string) string {
		a := w.browser().post("/sign-in", url.Values{"account": {account}, "password": {typed}, "code": {code}})
		if a.Code != 401 || len(a.Result().Cookies()) != 0 {
			t.Errorf("%s: %d", account, a.Code)
		}
		return strings.ReplaceAll(told(a), account, "?")
	}
	want := ask("nobody", password, "123456")
	for account, got := range map[string]string{"gone": ask("gone", password, w.code(gone)), "invited": ask("invited", password, "123456"), "amina": ask("amina", "another password", w.code(amina)), "amina ": ask("amina ", password, "000000")} {
		if strings.ReplaceAll(got, "amina", "?") != want {
			t.Errorf("%q is told apart:\n%s\n%s", account, got, want)
		}
	}
	x, y := w.browser().post("/passkey/sign-in/begin", nil), w.browser().post("/passkey/sign-in/begin", url.Values{})
	if x.Code != 200 || strings.Contains(x.Body.String(), "allowCredentials") || x.Body.Len() != y.Body.Len() {
		t.Errorf("%d %s", x.Code, x.Body)
	}
}

// Rows 27 and 29: guessing is slowed down by account and address, and never locks its
// owner out elsewhere; a code is good once.
func TestGuessingIsSlow(t *testing.T) {
	w := newWorld(t)
	amina := w.add(own, "amina", access.Registrar)
	code := w.code(amina)
	form := url.Values{"account": {"amina"}, "password": {password}, "code": {code}}
	if c := w.browser().post("/sign-in", form).Code; c != 303 {
		t.Fatalf("the first time: %d", c)
	}
	if c := w.browser().post("/sign-in", form).Code; c != 401 {
		t.Errorf("the same code again: %d, want 401", c)
	}
	wrong := url.Values{"account": {"amina"}, "password": {password}, "code": {"000000"}}
	var last *httptest.ResponseRecorder
	for range 12 {
		if last = w.browser().post("/sign-in", wrong); last.Code == 429 {
			break
		}
	}
	if last.Code != 429 || last.Header().Get("Retry-After") == "" {
		t.Fatalf("twelve guesses: %d", last.Code)
	}
	b := w.browser()
	r := b.request("POST", "/desk/sign-in", url.Values{"account": {"amina"}, "password": {password}, "code": {w.code(amina)}})
	r.RemoteAddr = "192.0.2.7:5000" // from where she came before
	if c := b.send(r).Code; c != 303 {
		t.Errorf("the owner is locked out: %d", c)
	}
}

// Row 32: an invitation is good once, for its account, for three days; until then looking
// at it or a wrong try does not use it up.
func TestInvitations(t *testing.T) {
	w := newWorld(t)
	boss := w.as(own, access.OrgAdmin)
	page := boss.post("/accounts/new", url.Values{"account": {"V-12 "}, "role": {"verifier"}, "language": {"sw"}})
	link := regexp.MustCompile(`https://desk\.relief-a\.example/desk(/join/[\w-]+)`).FindStringSubmatch(page.Body.String())
	if page.Code != 200 || link == nil {
		t.Fatalf("%d\n%s", page.Code, page.Body)
	}
	join := func(form url.Values) *httptest.ResponseRecorder { return w.browser().post(link[1], form) }
	shown := w.browser().get(link[1])
	in, err := w.doors[own].Invitation(t.Context(), strings.TrimPrefix(link[1], "/join/"))
	if err != nil || shown.Code != 200 || !strings.Contains(shown.Body.String(), access.TOTPText(in.TOTP)) || in.Account.ID != "v-12" {
		t.Fatalf("the page of the invitation: %d, %v", shown.Code, err)
	}
	m := &member{id: "v-12", totp: in.TOTP}
	good := func() url.Values { return url.Values{"password": {password}, "again": {password}, "code": {w.code(m)}} }
	for name, spoil := range map[string]func(url.Values){
		"two passwords":    func(f url.Values) { f.Set("again", "another one of these") },
		"an easy password": func(f url.Values) { f.Set("password", "password1234"); f.Set("again", "password1234") },
		"a wrong code":     func(f url.Values) { f.Set("code", "000000") },
	} {
		f := good()
		spoil(f)
		if a := join(f); a.Code != 422 || !strings.Contains(a.Body.String(), `id="wrong"`) || strings.Contains(a.Body.String(), "password1234") {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	f := good()
	f.Set("account", "another")
	if c := join(f).Code; c != 400 {
		t.Errorf("for another account: %d, want 400", c)
	}
	b := w.browser()
	if c := b.post(link[1], good()).Code; c != 303 || b.cookies["__Host-aidpass"] == "" {
		t.Fatalf("joining: %d", c)
	}
	if home := b.get("/").Body.String(); !strings.Contains(home, `lang="sw"`) {
		t.Error("the language of the invitation is not taken")
	}
	if c := join(good()).Code; c != 404 {
		t.Errorf("a second time: %d, want 404", c)
	}
	if c := w.browser().get("/join/" + w.invite(other, "x", access.Verifier)).Code; c != 404 {
		t.Errorf("another organisation's: %d, want 404", c)
	}
	late := w.invite(own, "v-13", access.Verifier)
	w.move(access.InviteLife)
	if c := w.browser().get("/join/" + late).Code; c != 404 {
		t.Errorf("after three days: %d, want 404", c)
	}
}

// Rows 6 to 8: who asked never approves, whatever changed is refused, a second approval
// has no second effect; and who approves sees the hash, in words what changes, and why.
func TestFourEyes(t *testing.T) {
	w := newWorld(t)
	lost := w.add(own, "lost", access.Registrar)
	first, second := w.as(own, access.OrgAdmin), w.as(own, access.OrgAdmin)
	page := first.post("/accounts/of/lost/recover", url.Values{"reason": {"phone stolen"}})
	link := regexp.MustCompile(`example/desk(/join/[\w-]+)`).FindStringSubmatch(page.Body.String())
	if page.Code != 200 || link == nil {
		t.Fatalf("%d\n%s", page.Code, page.Body)
	}
	if c := w.browser().get(link[1]).Code; c != 404 {
		t.Errorf("before the approval the invitation is good: %d", c)
	}
	all, err := w.doors[own].Approvals(t.Context(), boss)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	at := "/approvals/" + all[0].ID
	if home := second.get("/").Body.String(); !strings.Contains(home, `href="/desk/approvals"`) || !strings.Contains(home, "Waiting for your approval") {
		t.Errorf("Home does not say that it waits:\n%s", home)
	}
	if home := first.get("/").Body.String(); strings.Contains(home, "Waiting for your approval") {
		t.Error("it waits for who asked")
	}
	shown := second.get(at).Body.String()
	hash := regexp.MustCompile(`name="hash" value="([0-9a-f]{64})"`).FindStringSubmatch(shown)
	for _, part := range []string{"phone stolen", "<bdi>lost</bdi> gets a new invitation", "passkeys and sessions end"} {
		if !strings.Contains(shown, part) {
			t.Errorf("the page does not say %q:\n%s", part, shown)
		}
	}
	if hash == nil || !strings.Contains(shown, "<bdi>"+hash[1]+"</bdi>") {
		t.Fatalf("the page does not show the hash:\n%s", shown)
	}
	if mine := first.get(at).Body.String(); strings.Contains(mine, `name="hash"`) || !strings.Contains(mine, "/withdraw") {
		t.Error("who asked is offered to approve")
	}
	approve := func(b *browser, hash string) int { return b.post(at+"/approve", url.Values{"hash": {hash}}).Code }
	if c := approve(first, hash[1]); c != 403 {
		t.Errorf("who asked approves: %d, want 403", c)
	}
	if c := approve(second, strings.Repeat("0", 64)); c != 409 {
		t.Errorf("another hash: %d, want 409", c)
	}
	if c := second.post(at+"/refuse", nil).Code; c != 422 {
		t.Errorf("a no without a reason: %d, want 422", c)
	}
	w.move(access.StepUpLife + time.Second)
	a := second.post(at+"/approve", url.Values{"hash": {hash[1]}})
	if a.Code != 401 || !strings.Contains(a.Body.String(), `name="draft.hash" value="`+hash[1]) {
		t.Fatalf("with an old proof: %d, want 401 and the form kept", a.Code)
	}
	a = second.post("/proof", url.Values{"password": {password}, "code": {w.code(second.member)}, "draft.": {"/desk" + at + "/approve"}, "draft.hash": {hash[1]}})
	if a = second.submit(a.Body.String(), "/desk"+at+"/approve"); a.Code != 303 {
		t.Fatalf("approving: %d\n%s", a.Code, a.Body)
	}
	if c := w.of(lost).get("/").Code; c != 303 {
		t.Errorf("the old session of who was lost lives: %d", c)
	}
	if c := w.browser().get(link[1]).Code; c != 200 {
		t.Errorf("after the approval the invitation is not good: %d", c)
	}
	if c := approve(second, hash[1]); c != 303 {
		t.Errorf("approving again: %d, want the same answer", c)
	}
	if c := approve(w.as(own, access.OrgAdmin), hash[1]); c != 409 {
		t.Errorf("a third account approves what is done: %d, want 409", c)
	}
}

// A request can be refused with a reason, which who asked reads, and taken back.
func TestRefusedAndTakenBack(t *testing.T) {
	w := newWorld(t)
	first, second := w.as(own, access.OrgAdmin), w.as(own, access.OrgAdmin)
	w.add(own, "lost", access.Registrar)
	for _, end := range []string{"refuse", "withdraw"} {
		w.move(time.Second) // the newest comes first
		first.post("/accounts/of/lost/recover", url.Values{"reason": {"stolen, " + end}})
		all, err := w.doors[own].Approvals(t.Context(), boss)
		if err != nil {
			t.Fatal(err)
		}
		at := "/approvals/" + all[0].ID
		by, word := second, "not her"
		if end == "withdraw" {
			by, word = first, "Withdrawn"
		}
		if c := by.post(at+"/"+end, url.Values{"reason": {word}}).Code; c != 303 {
			t.Errorf("%s: %d", end, c)
		}
		if page := first.get(at).Body.String(); !strings.Contains(page, word) || strings.Contains(page, "/withdraw") {
			t.Errorf("%s: who asked reads\n%s", end, page)
		}
	}
}

// Accounts: roles by version, nobody's own, the last administrator, and closing with a
// way back.
func TestAccounts(t *testing.T) {
	w := newWorld(t)
	admin := w.as(own, access.OrgAdmin)
	w.add(own, "v-12", access.Verifier)
	page := admin.get("/accounts/of/v-12").Body.String()
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(page)
	if version == nil {
		t.Fatalf("no version:\n%s", page)
	}
	set := url.Values{"version": {version[1]}, "role": {"verifier"}}
	if c := admin.post("/accounts/of/v-12/roles", set).Code; c != 303 {
		t.Errorf("other roles: %d", c)
	}
	if c := admin.post("/accounts/of/v-12/roles", set).Code; c != 409 {
		t.Errorf("by an old version: %d, want 409", c)
	}
	for name, roles := range map[string][]string{"none": nil, "one of no table": {"boss"}, "a partner without a scope": {"partner"}, "the program's": {"system"}} {
		if c := admin.post("/accounts/of/v-12/roles", url.Values{"version": {"9"}, "role": roles}).Code; c != 422 {
			t.Errorf("roles: %s: %d, want 422", name, c)
		}
	}
	if c := admin.post("/accounts/of/"+admin.member.id+"/roles", url.Values{"version": {"2"}, "role": {"org-admin"}}).Code; c != 403 {
		t.Errorf("one's own roles: %d, want 403", c)
	}
	if c := admin.post("/accounts/of/v-12/disable", url.Values{"reason": {"left"}}).Code; c != 303 {
		t.Errorf("closing: %d", c)
	}
	page = admin.get("/accounts/of/v-12").Body.String()
	if !strings.Contains(page, "Closed") {
		t.Errorf("it is not closed:\n%s", page)
	}
	if c := admin.submit(page, "/desk/accounts/of/v-12/enable").Code; c != 303 {
		t.Errorf("undo: %d", c)
	}
	if page = admin.get("/accounts?q=V-1").Body.String(); !strings.Contains(page, "v-12") || strings.Contains(page, admin.member.id+"</bdi></a></td>") {
		t.Errorf("looking for v-1:\n%s", page)
	}
}

// Settings: a new password ends the other sessions, an app for codes counts from its first
// code on, and a session can be ended.
func TestSettings(t *testing.T) {
	w := newWorld(t)
	m := w.add(own, "amina", access.Registrar)
	b := w.of(m)
	elsewhere := w.browser()
	elsewhere.enter(m, nil)
	if c := elsewhere.get("/").Code; c != 200 {
		t.Fatal("not signed in elsewhere", c)
	}
	page := b.get("/settings").Body.String()
	end := regexp.MustCompile(`action="(/desk/settings/session/[0-9a-f]+/end)"`).FindStringSubmatch(page)
	if end == nil || strings.Count(page, "/end\"") != 1 {
		t.Fatalf("the sessions:\n%s", page)
	}
	if c := b.submit(page, end[1]).Code; c != 303 || elsewhere.get("/").Code != 303 {
		t.Errorf("ending the other session: %d", c)
	}
	elsewhere.enter(m, nil)
	if c := b.post("/settings/password", url.Values{"password": {"several unusual words"}, "again": {"several unusual wards"}}).Code; c != 422 {
		t.Errorf("two passwords: %d", c)
	}
	if c := b.post("/settings/password", url.Values{"password": {"several unusual words"}, "again": {"several unusual words"}}).Code; c != 303 {
		t.Errorf("a new password: %d", c)
	}
	if b.get("/").Code != 200 || elsewhere.get("/").Code != 303 {
		t.Error("a new password ends the other sessions and no other")
	}
	shown := b.post("/settings/code", nil).Body.String()
	secret := regexp.MustCompile(`id="secret">([A-Z2-7]+)<`).FindStringSubmatch(shown)
	if secret == nil || secret[1] == access.TOTPText(m.totp) {
		t.Fatalf("no new secret:\n%s", shown)
	}
	if c := b.post("/settings/code/confirm", url.Values{"code": {w.code(m)}}).Code; c != 422 {
		t.Errorf("a code of the old app: %d", c)
	}
	b.enter(m, url.Values{"password": {"several unusual words"}})
	if c := b.get("/").Code; c != 200 {
		t.Errorf("until the new app is confirmed the old one counts: %d", c)
	}
}

// Long work is its organisation's, and of who may do it (row 41 for its stream, which ends
// by itself); it can be stopped and goes on.
func TestLongWork(t *testing.T) {
	w := newWorld(t)
	mine, theirs := w.jobs.add(own, access.BatchIssue), w.jobs.add(other, access.BatchIssue)
	b := w.as(own, access.Issuer)
	if list := b.get("/jobs").Body.String(); !strings.Contains(list, mine) || strings.Contains(list, theirs) {
		t.Errorf("the list:\n%s", list)
	}
	if c := b.get("/jobs/" + theirs + "/live").Code; c != 404 {
		t.Errorf("the stream of another organisation: %d, want 404", c)
	}
	if c := w.as(own, access.Verifier).get("/jobs/" + mine + "/live").Code; c != 404 {
		t.Errorf("the stream by who may not: %d, want 404", c)
	}
	live := b.get("/jobs/" + mine + "/live")
	if live.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %s", live.Code, live.Header().Get("Content-Type"))
	}
	lines := bufio.NewScanner(live.Body)
	var last string
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			last = data
		}
	}
	if !strings.Contains(last, `"done":3`) || !strings.Contains(last, `"state":"stopped"`) {
		t.Errorf("the stream says %q", last)
	}
	page := b.get("/jobs/" + mine).Body.String()
	if strings.Contains(page, `http-equiv="refresh"`) {
		t.Error("work that stands still is read again and again")
	}
	if c := b.submit(page, "/desk/jobs/"+mine+"/resume").Code; c != 303 || w.jobs.list[mine].State != console.JobRuns {
		t.Errorf("going on: %d, %s", c, w.jobs.list[mine].State)
	}
	page = b.get("/jobs/" + mine).Body.String()
	if !strings.Contains(page, `http-equiv="refresh"`) {
		t.Error("work that runs is not read again")
	}
	if c := b.submit(page, "/desk/jobs/"+mine+"/cancel").Code; c != 303 || w.jobs.list[mine].State != console.JobStopped {
		t.Errorf("stopping: %d, %s", c, w.jobs.list[mine].State)
	}
}
