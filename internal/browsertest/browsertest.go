// Package browsertest drives a real Chromium for the tests of the browser apps: a page
// of a phone's size with a clock, a camera that shows what the test puts before it, a
// disk that outlives a kill, and eyes for what shuts people out.
//
//	p := browsertest.New(t, time.Unix(at, 0))
//	p.Open(server.URL)
//	p.Click("scan")
//	p.See(text, 0)
//	p.Wait(`document.querySelector("#title").innerText === "GIVE"`)
//	p.Axe("verdict")
//	p.Shoot("verdict-en")
//
// Whatever goes wrong ends the test, with what stands on the screen. Where Chromium is
// not installed the test is skipped and says so.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"aidpass/internal/patience"
)

// Patience is how long anything is waited for that must come.
const Patience = patience.Limit

// Width and Height of a page, in CSS pixels: the cheapest phone that must work.
const Width, Height = 360, 640

// Page is a window of a Chromium of its own, or, by Tab, of one that another has.
type Page struct {
	*testing.T
	Ctx context.Context // for calls of chromedp that Page has no word for

	clock   time.Time
	camera  string // y4m file; rewritten in place it changes what the running camera sees
	profile string
	command *exec.Cmd
	cancel  func()
}

// Chromium is the path of the browser; where there is none the test is skipped.
func Chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("SKIPPED: no chromium: the apps are not tried in a browser; make setup installs it")
	return ""
}

// New starts a browser with a camera before a bare table, and ends it with the test.
// Its pages begin at the time of clock, unless that is zero, and run on from there;
// sessionStorage.shift, seconds, is added.
func New(t *testing.T, clock time.Time, more ...chromedp.ExecAllocatorOption) *Page {
	t.Helper()
	if testing.Short() { // the race detector sees nothing of what runs in Chromium
		t.Skip("short: no browser is started")
	}
	p := &Page{T: t, clock: clock, camera: filepath.Join(t.TempDir(), "camera.y4m"), profile: newProfile(t)}
	p.See("", 0)
	p.Start(more...)
	return p
}

// Start starts the browser, after a Kill, on the disk that there is.
func (p *Page) Start(more ...chromedp.ExecAllocatorOption) {
	p.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(Chromium(p.T)), chromedp.UserDataDir(p.profile), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(Patience),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", p.camera), chromedp.Flag("mute-audio", true),
		// What a window of one's own prepares behind the address bar takes a third of a start.
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup"),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) { p.command = c }))
	allocated, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, cancel := chromedp.NewContext(allocated)
	p.Ctx, p.cancel = ctx, func() { cancel(); stop() }
	p.Cleanup(func() { p.cancel() })
	p.must(chromedp.Do(ctx)) // the browser lives as long as the context that started it
	p.prepare()
}

// unhurried lets what an app takes away by itself stay: what it said (4 and 10 s), a button
// that waits for a second press (6), the camera (30), a face (60, 90). A busy machine comes to
// look at it later than a person. slow is by milliseconds, for a test that wants it otherwise.
const unhurried = `{
	const real = globalThis.setTimeout, slow = globalThis.slow = { 4000: 6e5, 6000: 6e5, 10000: 6e5, 30000: 6e5, 60000: 6e5, 90000: 6e5 };
	globalThis.setTimeout = (act, ms, ...more) => real(act, slow[ms] ?? ms, ...more);
}`

func (p *Page) prepare() {
	p.Helper()
	p.OnLoad(unhurried)
	p.Size(Width, Height)
	if !p.clock.IsZero() {
		p.OnLoad(fmt.Sprintf(`{const real = Date.now, off = %d - real(); Date.now = () => real() + off + 1000 * Number(sessionStorage.getItem("shift") ?? 0)}`, p.clock.UnixMilli()))
	}
}

// Tab opens a second window of the same browser, until the returned function is called.
func (p *Page) Tab() (*Page, func()) {
	p.Helper()
	second := *p
	var cancel func()
	second.Ctx, cancel = chromedp.NewContext(p.Ctx)
	p.must(chromedp.Do(second.Ctx))
	second.prepare()
	return &second, cancel
}

// Kill ends the browser as a battery does: all its processes, before another starts on
// what they leave.
func (p *Page) Kill() {
	p.Helper()
	p.must(p.command.Process.Kill())
	p.cancel()
	gone(p.profile)
	os.Remove(filepath.Join(p.profile, "SingletonLock")) // names a process that is gone
}

func (p *Page) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// Open goes to an address and waits until the app there says that it is ready.
func (p *Page) Open(url string) {
	p.Helper()
	p.Go(url)
	p.Wait(`document.documentElement.dataset.ready && document.querySelector("#title")`)
}

// Go goes to an address. Where the page of before was about to go somewhere by itself
// (a form that is answered, long work that is over), the one breaks off the other: then it
// goes again, as somebody does who sees the wrong page.
func (p *Page) Go(url string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	for {
		err := chromedp.Do(ctx, chromedp.Navigate(url))
		if err == nil {
			return
		}
		if load, ok := errors.AsType[*chromedp.LoadError](err); !ok || load.ErrorText != "net::ERR_ABORTED" {
			p.Fatalf("%s: %v\non screen: %s", url, err, p.Text("body"))
		}
		p.Wait(`document.readyState === "complete"`)
	}
}

// Leave does what goes to another page, and waits until that one is there, whole, and says
// then. What then says of the page of before does not count.
func (p *Page) Leave(do func(), then string) {
	p.Helper()
	Eval[bool](p, `(document.left = true)`)
	do()
	p.Wait(`!document.left && (` + then + `) && document.readyState === "complete"`)
}

// Size makes the screen so many CSS pixels wide and high.
func (p *Page) Size(width, height int64) {
	p.Helper()
	p.Do(chromedp.EmulateViewport(width, height))
	p.Wait(fmt.Sprintf(`innerWidth === %d && innerHeight === %d`, width, height))
}

// Do takes steps of chromedp, Patience at the most.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.Fatalf("%v\non screen: %s", err, p.Text("#screen"))
	}
}

// Eval runs an expression in the page; promises are waited for, Patience at the most.
func Eval[T any](p *Page, expression string) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Wait waits until an expression is truthy, Patience at the most.
func (p *Page) Wait(expression string) {
	p.Helper()
	p.WaitFor(expression, Patience)
}

// WaitFor waits until an expression is truthy.
func (p *Page) WaitFor(expression string, limit time.Duration) {
	p.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(40 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(p.Ctx, Patience)
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		cancel()
		if err == nil && yes {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("never: %s (%v)\non screen: %q, toast %q", expression, err, p.Text("#screen"), p.Text("#toast"))
		}
	}
}

// Text is what a reader sees of an element; empty where there is none. A page that goes
// away while it is read is read again.
func (p *Page) Text(selector string) string {
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	for range 50 {
		s, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
		if err == nil {
			return s
		}
		if ctx.Err() != nil {
			break // no browser, no words
		}
		time.Sleep(40 * time.Millisecond)
	}
	return ""
}

// Click presses the control of an id, as soon as it is there.
func (p *Page) Click(id string) {
	p.Helper()
	p.Push(fmt.Sprintf("[id=%q]", id))
}

// Push presses what a selector finds first, as soon as it is there. A screen that is
// drawn once more in between takes nothing away. The app knows that somebody is there.
func (p *Page) Push(selector string) {
	p.Helper()
	press := fmt.Sprintf(`(() => { const e = document.querySelector(%q); if (e) document.dispatchEvent(new PointerEvent("pointerdown")); e?.click(); return !!e; })()`, selector)
	for pressed := false; !pressed; pressed = Eval[bool](p, press) {
		p.Wait(fmt.Sprintf("document.querySelector(%q)", selector))
	}
}

// Change does what makes an app show a screen anew, of another name or of the same, and
// waits until it is there. What a test then reads is not of the screen before.
func (p *Page) Change(do func()) {
	p.Helper()
	p.Wait(`document.querySelector("#title") && (document.querySelector("#title").passed = true)`)
	do()
	p.Wait(`document.querySelector("#title") && !document.querySelector("#title").passed`)
}

// Freeze stops the page's clock at a time, until it is loaded again or what is returned
// is called.
func (p *Page) Freeze(at time.Time) (run func()) {
	p.Helper()
	Eval[bool](p, fmt.Sprintf("(globalThis.running ??= Date.now, Date.now = () => %d, true)", at.UnixMilli()))
	return func() { p.Helper(); Eval[bool](p, `(Date.now = globalThis.running, true)`) }
}

// Screen waits for the app's screen of a name.
func (p *Page) Screen(name string) {
	p.Helper()
	p.Wait(fmt.Sprintf(`document.querySelector("#screen").dataset.screen === %q`, name))
}

// Back goes back by the arrow at the top, to the screen of before.
func (p *Page) Back() {
	p.Helper()
	p.Change(func() { p.Push(".back") })
}

// Hold presses a button as long as it asks for, as soon as it can be pressed.
func (p *Page) Hold(id string) {
	p.Helper()
	p.Wait(fmt.Sprintf(`((b) => b && !b.disabled && !b.classList.contains("held") && (b.dispatchEvent(new PointerEvent("pointerdown")), true))(document.getElementById(%q))`, id))
}

// Type types a code as a hand-held scanner does, faster than the protocol of the browser can.
func (p *Page) Type(code string) {
	p.Helper()
	Eval[bool](p, fmt.Sprintf(`(() => { %s return true })()`, Typing(code)))
}

// Typing is the script that types a code as a hand-held scanner does, before the page does
// anything else. By their times its keys come a millisecond after each other, whatever
// else the machine does between two.
func Typing(code string) string {
	return fmt.Sprintf(`[...%q, "Enter"].forEach((key, i) => {
		const e = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }), begun = performance.now();
		Object.defineProperty(e, "timeStamp", { value: (globalThis.typedAt = i ? globalThis.typedAt + 1 : begun) });
		document.body.dispatchEvent(e);
	});`, code)
}

// Kept are the values of a store of IndexedDB that holds bytes, in their order.
func (p *Page) Kept(database, store string) [][]byte {
	p.Helper()
	// A byte slice is base64 in JSON.
	return Eval[[][]byte](p, fmt.Sprintf(`new Promise((done, fail) => {
		const open = indexedDB.open(%q);
		open.onerror = () => fail(open.error);
		open.onsuccess = () => {
			const all = open.result.transaction(%q).objectStore(%[2]q).getAll();
			all.onsuccess = () => { open.result.close(); done(all.result.map((r) => btoa(String.fromCharCode(...r)))); };
		};
	})`, database, store))
}

// Fill writes into the field of an id, as soon as it is there.
func (p *Page) Fill(id, text string) {
	p.Helper()
	p.Wait(fmt.Sprintf("document.getElementById(%q)", id))
	Eval[bool](p, fmt.Sprintf("(document.getElementById(%q).value = %q, true)", id, text))
}

// Upload hands the page a file through its file field.
func (p *Page) Upload(selector, name string, content []byte) {
	p.Helper()
	file := filepath.Join(p.TempDir(), name)
	p.must(os.WriteFile(file, content, 0o600))
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	for {
		// A field that goes between being found and being filled is looked for again.
		err := chromedp.Do(ctx, chromedp.SetUploadFiles(selector, []string{file}, chromedp.NodeReady))
		if err == nil {
			return
		}
		if ctx.Err() != nil || !strings.Contains(err.Error(), "node") {
			p.Fatalf("%s: %v\non screen: %s", selector, err, p.Text("body"))
		}
		time.Sleep(40 * time.Millisecond)
	}
}

// Download presses the control of an id and waits for the one file that the page saves.
func (p *Page) Download(id string) []byte {
	p.Helper()
	dir := p.TempDir()
	_, err := chromedp.Call(p.Ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
	p.must(err)
	p.Click(id)
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		files, _ := filepath.Glob(filepath.Join(dir, "[^.]*")) // what is still being written begins with a dot or ends so
		if len(files) == 1 && !strings.HasSuffix(files[0], ".crdownload") {
			if b, err := os.ReadFile(files[0]); err == nil && len(b) > 0 {
				return b
			}
		}
	}
	p.Fatal("nothing was saved")
	return nil
}

// OnLoad runs a script at the start of every page until the returned function is called.
func (p *Page) OnLoad(script string) func() {
	p.Helper()
	added, err := chromedp.Call(p.Ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	p.must(err)
	return func() {
		_, err := chromedp.Call(p.Ctx, page.RemoveScriptToEvaluateOnNewDocument, page.RemoveScriptToEvaluateOnNewDocumentParams(added))
		p.must(err)
	}
}

// Renderers are the browser's processes that run pages and workers, by their id.
func (p *Page) Renderers() []int {
	p.Helper()
	if _, err := os.Stat("/proc/self"); err != nil {
		p.Skip("SKIPPED: no /proc: processes cannot be measured")
	}
	return processes(p.profile, "--type=renderer")
}

// processes are those whose command line names all of some words, by their id; none where
// there is no /proc.
func processes(words ...string) (ids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err == nil && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(string(line), w) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// newProfile is a folder for what a browser keeps, which goes when the last process that
// writes there has ended.
func newProfile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "aidpass-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		gone(dir)
		os.RemoveAll(dir) // what is left of it proves nothing about the test
	})
	return dir
}

// gone waits until the browser of a profile has ended with all its processes: they outlive
// the one that was told to end for a moment, and write.
func gone(profile string) {
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if len(processes(profile)) == 0 {
			return
		}
	}
}

// Memory is what the Renderers hold for themselves, bytes; the camera's own pictures,
// which the browser shares out of a fixed store, are not counted.
func (p *Page) Memory() (sum int64) {
	p.Helper()
	for _, id := range p.Renderers() {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(raw), "RssAnon:")
		var kB int64
		fmt.Sscan(after, &kB)
		sum += kB << 10
	}
	return sum
}
