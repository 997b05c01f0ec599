package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// root is the folder of the module, above the test's own.
var root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || dir == filepath.Dir(dir) {
			return dir, err
		}
	}
	return "", err
})

// axe is axe-core, as web/npm installs it.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := root()
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(dir, "web/npm/node_modules/axe-core/axe.min.js"))
	return string(source), err
})

// Axe asks axe-core for anything that shuts somebody out, but for the rules named.
// Where names the screen in what it finds.
func (p *Page) Axe(where string, but ...string) {
	p.Helper()
	source, err := axe()
	if err != nil {
		p.Logf("SKIPPED: axe is not installed: make web")
		return
	}
	if !Eval[bool](p, `!!globalThis.axe`) {
		p.Do(chromedp.Evaluate[chromedp.Void](source + ";void 0"))
	}
	found := Eval[string](p, fmt.Sprintf(`axe.run({ rules: Object.fromEntries(%q.split(" ").filter(Boolean).map((r) => [r, { enabled: false }])) }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ") + " " + (n.failureSummary ?? "")).join("; "))))`, strings.Join(but, " ")))
	var list []string
	p.must(json.Unmarshal([]byte(found), &list))
	for _, v := range list {
		p.Errorf("%s: axe: %s", where, v)
	}
}

// Media lets a media feature, such as forced-colors, be what the reader has chosen.
func (p *Page) Media(feature, value string) {
	p.Helper()
	_, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
	p.must(err)
	Eval[bool](p, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// forms are the shapes of the screen that everything must fit: the cheapest phone,
// the same one turned, and one whose owner reads at 200 %.
var forms = []struct {
	name          string
	width, height int64
}{{"upright", Width, Height}, {"turned", Height, Width}, {"200 %", Width / 2, Height / 2}}

// reach finds controls that are too small, cut off, covered, or beyond the edge, and
// words that do not fit their button.
const reach = `(() => {
	const faults = [];
	for (const e of document.querySelectorAll("#screen button, #screen select, #screen input, #toast button")) {
		if (!e.offsetParent) continue;
		const area = e.closest("label.switch, .choices label") ?? e;
		e.scrollIntoView({ block: "center" });
		const r = area.getBoundingClientRect(), name = e.id || e.className || e.tagName;
		if (r.height < 55.5 || r.width < 55.5) faults.push(name + " is " + r.width.toFixed() + "x" + r.height.toFixed());
		if (r.left < -1 || r.right > innerWidth + 1) faults.push(name + " lies beyond the edge");
		const top = document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
		if (!top || !(area.contains(top) || top.contains(e) && top.tagName === "LABEL")) faults.push(name + " cannot be reached, " + (top ? top.className || top.tagName : "nothing") + " is there");
		if (e.tagName === "BUTTON" && e.scrollWidth > e.clientWidth + 1) faults.push(name + " cuts its words off");
	}
	for (const e of document.querySelectorAll("#screen h1, #screen p, #screen dd, #screen dt, #screen h2")) {
		if (!e.offsetParent) continue;
		const r = e.getBoundingClientRect();
		if (r.left < -1 || r.right > innerWidth + 1) faults.push("words beyond the edge: " + e.innerText);
	}
	for (const e of document.querySelectorAll("#screen, .body")) e.scrollTop = 0;
	return faults;
})()`

// Layout looks at the screen upright, turned and at 200 %: nothing in #screen is cut
// off, covered or too small for a thumb. The screen is upright afterwards.
func (p *Page) Layout(where string) {
	p.Helper()
	for _, f := range slices.Backward(forms) {
		p.Size(f.width, f.height)
		for _, fault := range Eval[[]string](p, reach) {
			p.Errorf("%s, %s: %s", where, f.name, fault)
		}
	}
}

// contrast is the least ratio of all words on the screen by WCAG 2.2's formula, on
// the colours the browser computed.
const contrast = `(() => {
	const parse = (c) => { const n = c.match(/[\d.]+/g).map(Number), s = c.startsWith("color(") ? 255 : 1; return [n[0] * s, n[1] * s, n[2] * s, n[3] ?? 1]; };
	const over = (a, b) => a.slice(0, 3).map((x, i) => x * a[3] + b[i] * (1 - a[3])).concat(1);
	const light = (c) => { const [r, g, b] = c.map((x) => { x /= 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	let least = 21, words = "";
	const walk = document.createTreeWalker(document.getElementById("screen"), NodeFilter.SHOW_TEXT);
	for (let n; (n = walk.nextNode());) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.offsetParent || e.closest(".sr")) continue;
		const layers = [];
		for (let p = e; p; p = p.parentElement) layers.push(parse(getComputedStyle(p).backgroundColor));
		const back = layers.reverse().reduce((under, c) => over(c, under), [255, 255, 255, 1]);
		const a = light(over(parse(getComputedStyle(e).color), back)), b = light(back);
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < least) { least = ratio; words = n.data; }
	}
	return [least, words];
})()`

// Sunlight fails for words in #screen that cannot be read in the sun: a contrast below 7.
func (p *Page) Sunlight(where string) {
	p.Helper()
	if got := Eval[[]any](p, contrast); got[0].(float64) < 7 {
		p.Errorf("%s: %q has a contrast of %.2f, want 7 for the sun", where, got[1], got[0])
	}
}

// Shoot keeps a picture of the screen in bin/screens.
func (p *Page) Shoot(name string) {
	p.Helper()
	p.shoot(name, chromedp.CaptureScreenshot())
}

// ShootWhole keeps a picture of the whole page, also of what one scrolls to.
func (p *Page) ShootWhole(name string) {
	p.Helper()
	if Eval[bool](p, `document.documentElement.scrollHeight <= innerHeight`) {
		p.Shoot(name) // beyond a window's edge Chromium shifts what is written from right to left
		return
	}
	p.shoot(name, chromedp.FullScreenshot(100))
}

func (p *Page) shoot(name string, take chromedp.Action[[]byte]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	png, err := chromedp.Run(ctx, take)
	p.must(err)
	keep(p.T, name, png)
}
