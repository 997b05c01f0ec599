package console_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"aidpass/access"
	"aidpass/internal/browsertest"
	"aidpass/web/console"
)

// A desk is a real browser at the world's server.
type desk struct {
	*browsertest.Page
	w   *world
	url string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return newDeskOf(t, newWorld(t))
}

// newDeskOf is a browser at the server of a world.
func newDeskOf(t *testing.T, w *world) *desk {
	t.Helper()
	browsertest.Chromium(t)
	h := httptest.NewServer(w.server)
	t.Cleanup(h.Close)
	d := &desk{browsertest.New(t, time.Time{}), w, strings.Replace(h.URL, "127.0.0.1", "localhost", 1)}
	d.OnLoad(`addEventListener("securitypolicyviolation", () => sessionStorage.refused = Number(sessionStorage.refused ?? 0) + 1)`)
	return d
}

func (d *desk) open(path string) {
	d.Helper()
	d.Go(d.url + "/desk" + path)
	d.Wait(`document.querySelector("h1")`)
}

// as lets a member in without the page.
func (d *desk) as(m *member) {
	d.Helper()
	d.open("/sign-in")
	browsertest.Eval[bool](d.Page, fmt.Sprintf(`(document.cookie = "aidpass-local=%s; path=/", true)`, m.token))
}

func (d *desk) at(path string) {
	d.Helper()
	d.Wait(fmt.Sprintf(`location.pathname === "/desk%s" && document.readyState === "complete"`, path))
}

// reports is how often the browser refused something by the policy: by its own account,
// since it sends reports when it likes.
func (d *desk) reports() int {
	d.Helper()
	return browsertest.Eval[int](d.Page, `Number(sessionStorage.refused ?? 0)`)
}

// fits finds what runs out of the page and what is too small for a thumb.
const fits = `(() => {
	const faults = [];
	if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is " + document.documentElement.scrollWidth + " px wide");
	for (const e of document.querySelectorAll("button, .button, select, input:not([type=hidden]), textarea, header a, nav a, summary")) {
		const r = (e.closest("label.choice") ?? e).getBoundingClientRect();
		if (r.width && !e.closest(".skip") && (r.height < 55.5 || r.width < 55.5)) faults.push((e.id || e.name || e.innerText) + " is " + r.width.toFixed() + "x" + r.height.toFixed());
	}
	return faults;
})()`

// look tries what must hold on every page: axe, in common and forced colours, at a
// phone's and a laptop's width.
func (d *desk) look(lang, name string) {
	d.Helper()
	where := lang + " " + name
	d.Wait(`document.readyState === "complete"`) // its style, too
	if got := browsertest.Eval[string](d.Page, `document.documentElement.lang + " " + document.documentElement.dir`); got != lang+" "+map[string]string{"en": "ltr", "ar": "rtl"}[lang] {
		d.Errorf("%s: the page is %q", where, got)
	}
	d.Size(1280, 800)
	for _, fault := range browsertest.Eval[[]string](d.Page, fits) {
		d.Errorf("%s at a laptop: %s", where, fault)
	}
	d.ShootWhole(lang + "-console-" + name + "-laptop")
	d.Size(820, 1180) // a tablet: tables are still tables
	if wide := browsertest.Eval[int](d.Page, `document.documentElement.scrollWidth`); wide > 820 {
		d.Errorf("%s at a tablet: the page is %d px wide", where, wide)
	}
	d.Size(browsertest.Width, browsertest.Height)
	d.Axe(where)
	for _, fault := range browsertest.Eval[[]string](d.Page, fits) {
		d.Errorf("%s: %s", where, fault)
	}
	if lang == "en" && slices.Contains([]string{"home", "account", "approval", "confirm"}, name) {
		d.Media("forced-colors", "active")
		d.Axe(where+", forced colours", "color-contrast")
		d.Media("forced-colors", "none")
	}
	d.ShootWhole(lang + "-console-" + name)
	pictured.Store(browsertest.Eval[string](d.Page, `document.body.dataset.page`), true)
}

// pictured are the pages that a tour looked at, by the name of their file.
var pictured sync.Map

// Where all tests ran, and browsers with them, each page has its pictures: what nobody
// looked at is cut off on somebody's phone.
func TestMain(m *testing.M) {
	code := m.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
	if _, any := pictured.Load("home"); code == 0 && all && any {
		files, err := filepath.Glob("pages/*.html")
		if err != nil || len(files) == 0 {
			fmt.Println("no pages were found", err)
			code = 1
		}
		for _, f := range files {
			if _, ok := pictured.Load(strings.TrimSuffix(filepath.Base(f), ".html")); !ok {
				fmt.Printf("%s has no picture: give it a stop in a tour (desk.look)\n", f)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// submit sends a form of the page as it stands.
func (d *desk) submit(action string) {
	d.Helper()
	browsertest.Eval[bool](d.Page, fmt.Sprintf(`(document.querySelector('form[action=%q]').submit(), true)`, "/desk"+action))
}

// give posts a form with a file in it, as a person does who chose that file; nil: without.
func (d *desk) give(action, field string, file []byte, more map[string]string) {
	d.Helper()
	browsertest.Eval[bool](d.Page, fmt.Sprintf(`(() => {
		const f = document.createElement("form"), file = %q;
		f.method = "post"; f.action = "/desk%s";
		if (file) {
			const i = document.createElement("input"), t = new DataTransfer();
			t.items.add(new File([Uint8Array.from(atob(file), (c) => c.charCodeAt(0))], "file"));
			f.enctype = "multipart/form-data"; i.type = "file"; i.name = %q; i.files = t.files; f.append(i);
		}
		for (const [n, v] of Object.entries(%s)) { const h = document.createElement("input"); h.name = n; h.value = v; f.append(h); }
		document.body.append(f); f.submit(); return true;
	})()`, base64.StdEncoding.EncodeToString(file), action, field, quoted(more)))
}

func quoted(v map[string]string) string {
	b, err := json.Marshal(v)
	if err != nil || v == nil {
		return "{}"
	}
	return string(b)
}

// Every page of the frame, in a language of each direction: nothing shuts anybody out,
// and the policy refuses nothing.
func TestEveryPageIsOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w, _ := newIDP(t)
			d := newDeskOf(t, w)
			d.tour(lang)
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
			if lang == "en" { // and would have told
				browsertest.Eval[bool](d.Page, `(document.body.setAttribute("style", "color: red"), true)`)
				d.Wait(`sessionStorage.refused === "1"`)
			}
		})
	}
}

func (d *desk) tour(lang string) {
	w := d.w
	d.open("/sign-in")
	if lang != "en" {
		browsertest.Eval[bool](d.Page, fmt.Sprintf(`(document.querySelector("[name=lang][value=%s]").click(), true)`, lang))
		d.Wait(fmt.Sprintf(`document.documentElement?.lang === %q && document.readyState === "complete"`, lang))
	}
	d.look(lang, "sign-in")
	browsertest.Eval[bool](d.Page, `(document.querySelector("#account").value = "nobody", document.querySelector("#password").value = "x", document.querySelector("#code").value = "000000", document.querySelector("#go").click(), true)`)
	d.Wait(`document.querySelector("#wrong")`)
	d.look(lang, "sign-in-wrong")
	d.open("/join/" + w.invite(own, "v-12", access.Verifier))
	d.look(lang, "join")

	lead := w.add(own, "lead", access.OrgAdmin)
	in, err := w.doors[own].Session(w.Context(), lead.token)
	if err != nil {
		d.Fatal(err)
	}
	if err := w.doors[own].SetLanguage(w.Context(), in, lang); err != nil {
		d.Fatal(err)
	}
	approval := w.ask(own)
	for range 60 {
		w.ask(own)
	}
	d.as(lead)
	pages := []struct{ name, path string }{{"home", "/"}, {"approvals", "/approvals"}, {"approval", "/approvals/" + approval}, {"jobs-none", "/jobs"},
		{"accounts", "/accounts"}, {"account-new", "/accounts/new"}, {"account", "/accounts/of/v-12"}, {"account-own", "/accounts/of/lead"}, {"settings", "/settings"}, {"tokens", "/tokens"}, {"proof", "/proof"}, {"not-found", "/none"}, {"forbidden", "/things"}}
	for _, at := range pages {
		d.open(at.path)
		d.look(lang, at.name)
	}
	d.open("/accounts/of/v-12")
	d.submit("/accounts/of/v-12/invite")
	d.Wait(`document.querySelector("#link")`)
	d.look(lang, "account-link")
	d.open("/settings")
	d.submit("/settings/code")
	d.Wait(`document.querySelector("#secret")`)
	d.look(lang, "settings-code")
	d.open("/accounts/of/v-12")
	browsertest.Eval[bool](d.Page, `(document.querySelector("#why-disable").value = "left", document.querySelector("#why-disable").form.submit(), true)`)
	d.Wait(`document.querySelector("[role=status] button")`)
	d.look(lang, "undo")
	d.give("/tokens", "", nil, map[string]string{"name": "kobo", "days": "90", "act": "programme.read"})
	d.Wait(`document.body?.dataset.page === "tokens_made"`)
	d.look(lang, "token-made")
	d.open("/settings")
	d.submit("/settings/oidc/add")
	d.Wait(`document.querySelector("#go")`)
	d.look(lang, "settings-provider")
	w.move(access.StepUpLife + time.Second)
	d.open("/settings")
	d.submit("/settings/code")
	d.Wait(`document.querySelector("#password") && location.pathname === "/desk/settings/code"`)
	d.look(lang, "proof-draft")
	browsertest.Eval[bool](d.Page, fmt.Sprintf(`(document.querySelector("#password").value = %q, document.querySelector("#code").value = %q, document.querySelector("#go").click(), true)`, password, w.code(lead)))
	d.Wait(`document.body?.dataset.page === "go_on"`)
	d.look(lang, "go-on")

	jobs := w.add(own, "printer", access.Issuer, access.DataProtection)
	if in, err = w.doors[own].Session(w.Context(), jobs.token); err == nil {
		err = w.doors[own].SetLanguage(w.Context(), in, lang)
	}
	if err != nil {
		d.Fatal(err)
	}
	job := w.jobs.add(own, access.BatchIssue)
	d.submit("/sign-out")
	d.at("/sign-in")
	d.as(jobs)
	d.open("/jobs")
	d.look(lang, "jobs")
	d.open("/jobs/" + job)
	d.look(lang, "job")
	var ids string
	for range 60 {
		ids += "<input name=id value=" + w.thing(own, "Sack") + ">"
	}
	browsertest.Eval[bool](d.Page, fmt.Sprintf(`(() => { const f = document.createElement("form"); f.method = "post"; f.action = "/desk/things"; f.innerHTML = %q; document.body.append(f); f.submit(); return true; })()`, ids))
	d.Wait(`document.querySelector("#typed")`)
	d.look(lang, "confirm")
}

// By the keyboard alone: in, to a page, in another language, and out.
func TestByKeyboardAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	m := d.w.add(own, "amina", access.OrgAdmin)
	d.open("/accounts")
	d.at("/sign-in")
	d.Write("account", m.id)
	d.Write("password", password)
	d.Write("code", d.w.code(m))
	d.Press("Enter")
	d.at("/accounts")
	d.Enter("sign-out")
	d.at("/sign-in")
	d.open("/settings")
	d.at("/sign-in")
}

// Progress without reloading where script runs; and a page that is read anew at the end.
func TestLongWorkIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	job := d.w.jobs.add(own, access.BatchIssue)
	d.w.jobs.set(job, console.JobRuns, 4)
	d.as(d.w.add(own, "printer", access.Issuer))
	d.open("/jobs/" + job)
	if !browsertest.Eval[bool](d.Page, `!!document.querySelector("script[src]")`) {
		t.Skip("SKIPPED: the console's script is not built: make web")
	}
	d.Wait(`document.querySelector("#progress-says").innerText.startsWith("4")`)
	browsertest.Eval[bool](d.Page, `(window.same = true)`)
	d.w.jobs.set(job, console.JobRuns, 7)
	d.Wait(`window.same && document.querySelector("#progress-says").innerText.startsWith("7") && document.querySelector("progress").value === 7`)
	d.w.jobs.set(job, console.JobDone, 10)
	d.Wait(`!window.same && document.querySelector(".card strong")?.innerText === "Done"`)
	if n := d.reports(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}

// A passkey is added, signs in without a name, and renews the proof of identity; a
// finger that is not its owner's does not. Row 30 of THREATS 4.7 goes on below.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := chromedp.Call(d.Ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	added, err := chromedp.Call(d.Ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		t.Fatal(err)
	}
	m := d.w.add(own, "amina", access.OrgAdmin)
	d.as(m)
	d.open("/settings")
	if !browsertest.Eval[bool](d.Page, `!!document.querySelector("script[src]")`) {
		t.Skip("SKIPPED: the console's script is not built: make web")
	}
	d.Wait(`!document.querySelector("#passkey-add").hidden`)
	d.Fill("passkey-name", "laptop")
	d.Click("passkey-go")
	d.Wait(`document.querySelector("[role=status]")?.innerText.includes("added")`)
	if got := d.Text("main"); !strings.Contains(got, "laptop") {
		t.Errorf("the settings do not name it: %q", got)
	}
	d.Click("sign-out")
	d.at("/sign-in")
	d.Click("passkey")
	d.at("/")
	if got := d.Text(".who"); !strings.Contains(got, "amina") {
		t.Errorf("signed in as %q", got)
	}
	d.w.move(access.StepUpLife + time.Second)
	d.open("/accounts/new")
	d.at("/proof")
	d.Click("passkey")
	d.at("/accounts/new")

	// With a passkey the second account signs what it approves: the hash is the challenge.
	d.w.as(own, access.OrgAdmin).post("/accounts/of/"+d.w.add(own, "", access.Registrar).id+"/recover", url.Values{"reason": {"lost"}})
	asked, err := d.w.doors[own].Approvals(t.Context(), boss)
	if err != nil || len(asked) != 1 {
		t.Fatal(asked, err)
	}
	id := asked[0].ID
	d.open("/approvals/" + id)
	d.Wait(`document.querySelector("#approve-passkey")?.closest("form").hidden === false`)
	d.Click("approve-passkey")
	d.at("/approvals")
	done, err := d.w.doors[own].Approval(t.Context(), boss, id)
	if err != nil || done.State != access.Carried {
		t.Fatal(done.State, err)
	}
	account, err := d.w.doors[own].Account(t.Context(), boss, m.id)
	if err != nil {
		t.Fatal(err)
	}
	checkSignedHash(t, &done, account.Passkeys[0].Key)
	d.open("/approvals/" + id)
	if got := d.Text("main"); !strings.Contains(got, "Signed by a passkey") {
		t.Errorf("the request does not say how it was approved: %q", got)
	}

	// What the authenticator said once is worth nothing a second time, elsewhere, or for
	// another account.
	said := d.assertion("/passkey/sign-in/begin")
	for name, spoil := range map[string]func(url.Values){
		"another handle": func(f url.Values) { f.Set("handle", "none") },
		"another signature": func(f url.Values) {
			f.Set("response", strings.Replace(f.Get("response"), `"signature":"M`, `"signature":"N`, 1))
		},
		"no answer":           func(f url.Values) { f.Set("response", "{}") },
		"an answer too large": func(f url.Values) { f.Set("response", strings.Repeat("x", 20_000)) },
	} {
		form := url.Values{"handle": {said.Get("handle")}, "response": {said.Get("response")}}
		spoil(form)
		if form.Get("handle") != "none" {
			form.Set("handle", d.assertion("/passkey/sign-in/begin").Get("handle"))
		}
		if code := d.w.browser().local("/passkey/sign-in", form, d.url).Code; code != 401 && code != 400 {
			t.Errorf("%s: %d", name, code)
		}
	}
	fresh := d.assertion("/passkey/sign-in/begin")
	if code := d.w.browser().post("/passkey/sign-in", fresh).Code; code != 401 {
		t.Errorf("at another origin: %d, want 401", code)
	}
	fresh = d.assertion("/passkey/sign-in/begin")
	if code := d.w.browser().local("/passkey/sign-in", fresh, d.url).Code; code != 303 {
		t.Errorf("a good answer: %d, want 303", code)
	}
	if code := d.w.browser().local("/passkey/sign-in", fresh, d.url).Code; code != 401 {
		t.Errorf("the same answer again: %d, want 401", code)
	}
	fresh = d.assertion("/passkey/sign-in/begin")
	b := d.w.browser()
	b.cookies["aidpass-local"] = d.w.add(own, "other", access.Verifier).token
	if code := b.local("/passkey/proof", fresh, d.url).Code; code != 401 {
		t.Errorf("a proof by another account's passkey: %d, want 401", code)
	}
	if _, err := chromedp.Call(d.Ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: added.AuthenticatorID, IsUserVerified: false}); err != nil {
		t.Fatal(err)
	}
	d.open("/proof")
	d.Click("passkey")
	d.Wait(`!document.querySelector("form[data-passkey] .wrong").hidden`)
	if n := d.reports(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}

// checkSignedHash proves as an outsider does that a passkey signed the hash of a request.
func checkSignedHash(t *testing.T, a *access.Approval, key []byte) {
	t.Helper()
	var proof struct {
		Client        string `json:"client_data_json"`
		Authenticator string `json:"authenticator_data"`
		Signature     string
	}
	if err := json.Unmarshal(a.Proof, &proof); err != nil {
		t.Fatal(err)
	}
	raw := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	client := raw(proof.Client)
	if !strings.Contains(string(client), `"challenge":"`+base64.RawURLEncoding.EncodeToString(a.Hash[:])+`"`) {
		t.Errorf("signed was %s", client)
	}
	parsed, err := webauthncose.ParsePublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(client)
	if ok, err := webauthncose.VerifySignature(parsed, append(raw(proof.Authenticator), sum[:]...), raw(proof.Signature)); err != nil || !ok {
		t.Errorf("the signature does not hold: %v", err)
	}
}

// assertion lets the browser's authenticator answer a ceremony, and hands the form over
// in place of the page.
func (d *desk) assertion(begin string) url.Values {
	d.Helper()
	d.open("/proof")
	said := browsertest.Eval[map[string]string](d.Page, fmt.Sprintf(`(async () => {
		const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
		const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
		const begun = await (await fetch("/desk%s", { method: "POST" })).json(), o = begun.options.publicKey;
		const k = await navigator.credentials.get({ publicKey: { ...o, challenge: bytes(o.challenge), allowCredentials: [] } }), r = k.response;
		return { handle: begun.handle, response: JSON.stringify({ id: k.id, rawId: text(k.rawId), type: k.type, clientExtensionResults: {}, response: { clientDataJSON: text(r.clientDataJSON),
			authenticatorData: text(r.authenticatorData), signature: text(r.signature), userHandle: text(r.userHandle) } }) };
	})()`, begin))
	return url.Values{"handle": {said["handle"]}, "response": {said["response"]}}
}

// local posts as a browser at the address of a server on this machine.
func (b *browser) local(path string, form url.Values, at string) *httptest.ResponseRecorder {
	r := b.request("POST", "/desk"+path, form)
	r.TLS, r.Host = nil, strings.TrimPrefix(at, "http://")
	return b.send(r)
}
