package scanner_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"aidpass/internal/cose"
	"aidpass/internal/qrcode"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
	vt "aidpass/verifier/verifiertest"
	"aidpass/web/api"
	"aidpass/web/scanner"
)

var world = vt.New()

// The camera's picture: what a cheap phone gives, in grey.
const width, height = 1280, 720

// phone is a real Chromium of 360x640 with a fake camera, on the app.
type phone struct {
	*testing.T
	ctx     context.Context
	cancel  func()
	camera  string // y4m file; rewritten in place it changes what the running camera sees
	profile string
	url     string
	command *exec.Cmd
	at      int64 // the phone's clock when a page starts, seconds; 0: as the machine's
}

// counter serves the app as the office's server does, and counts what the policy refused.
type counter struct {
	*httptest.Server
	reports atomic.Int64
	once    sync.Once
}

func (c *counter) stop() { c.once.Do(c.Server.Close) }

func serve(t *testing.T) *counter {
	t.Helper()
	files, err := scanner.Files()
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	server, err := api.New(api.Config{Scanner: files, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/csp-report" {
			report, _ := io.ReadAll(io.LimitReader(r.Body, 4096))
			t.Logf("policy: %s", report)
			c.reports.Add(1)
			return
		}
		// The office's server with its headers, and at the root as no office's is: the
		// app then knows that it is alone, and asks for no enrolment, packs or receipts.
		// Below /scanner/ it is the office's.
		if !strings.HasPrefix(r.URL.Path, "/scanner/") && !strings.HasPrefix(r.URL.Path, "/api/") {
			r.URL.Path = "/scanner" + r.URL.Path
		}
		r.Host = c.Listener.Addr().String() // whatever name the phone calls it by
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(c.stop)
	return c
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("SKIPPED: no chromium: the scanner app is not tried in a browser; make setup installs it")
	return ""
}

// newPhone starts a browser whose camera sees nothing but a wall.
func newPhone(t *testing.T, url string, more ...chromedp.ExecAllocatorOption) *phone {
	t.Helper()
	p := &phone{T: t, camera: filepath.Join(t.TempDir(), "camera.y4m"), profile: t.TempDir(), url: url, at: int64(vt.Now)}
	p.see("", 0)
	p.boot(more...)
	return p
}

// boot starts the browser on the profile there is.
func (p *phone) boot(more ...chromedp.ExecAllocatorOption) {
	p.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(chromium(p.T)), chromedp.UserDataDir(p.profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", p.camera), chromedp.Flag("mute-audio", true),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) { p.command = c }))
	allocated, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, cancel := chromedp.NewContext(allocated)
	p.ctx, p.cancel = ctx, func() { cancel(); stop() }
	p.Cleanup(func() { p.cancel() })
	p.call(func() error { return chromedp.Do(ctx) }) // the browser lives as long as the context that started it
	p.do(chromedp.EmulateViewport(360, 640))
	if p.at == 0 {
		return
	}
	// Cards and lists are of a fixed day: so is the phone's clock.
	clock := fmt.Sprintf(`{const real = Date.now, off = %d - real(); Date.now = () => real() + off + 1000 * Number(sessionStorage.getItem("shift") ?? 0)}`, p.at*1000)
	p.call(func() error {
		_, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: clock})
		return err
	})
}

func (p *phone) open() *phone {
	p.Helper()
	p.do(chromedp.Navigate(p.url))
	p.wait(`document.documentElement.dataset.ready && document.querySelector("#title")`)
	return p
}

func (p *phone) reload() {
	p.Helper()
	p.do(chromedp.Navigate(p.url))
	p.wait(`document.documentElement.dataset.ready && document.querySelector("#title")`)
}

func (p *phone) call(f func() error) {
	p.Helper()
	if err := f(); err != nil {
		p.Fatal(err)
	}
}

func (p *phone) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.Fatalf("%v\non screen: %s", err, p.text("#screen"))
	}
}

// eval runs an expression in the page; promises are waited for.
func eval[T any](p *phone, expression string) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression is truthy.
func (p *phone) wait(expression string) {
	p.Helper()
	p.waitFor(expression, 15*time.Second)
}

func (p *phone) waitFor(expression string, limit time.Duration) {
	p.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(40 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		cancel()
		if err == nil && yes {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("never: %s (%v)\non screen: %q, toast %q", expression, err, p.text("#screen"), p.text("#toast"))
		}
	}
}

func (p *phone) text(selector string) string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	s, _ := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
	return s
}

func (p *phone) screen(name string) {
	p.Helper()
	p.wait(fmt.Sprintf(`document.querySelector("#screen").dataset.screen === %q`, name))
}

func (p *phone) click(id string) {
	p.Helper()
	p.wait(fmt.Sprintf("document.getElementById(%q)", id))
	eval[bool](p, fmt.Sprintf("(document.getElementById(%q).click(), true)", id))
}

func (p *phone) back() { p.Helper(); eval[bool](p, `(document.querySelector(".back").click(), true)`) }

func (p *phone) fill(id, text string) {
	p.Helper()
	p.wait(fmt.Sprintf("document.getElementById(%q)", id))
	eval[bool](p, fmt.Sprintf("(document.getElementById(%q).value = %q, true)", id, text))
}

// hold presses a button as long as it asks for.
func (p *phone) hold(id string) {
	p.Helper()
	p.wait(fmt.Sprintf("document.getElementById(%q)", id))
	eval[bool](p, fmt.Sprintf(`(document.getElementById(%q).dispatchEvent(new PointerEvent("pointerdown")), true)`, id))
}

// give hands the app a file where it asks for one.
func (p *phone) give(button, name string, content []byte) {
	p.Helper()
	file := filepath.Join(p.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		p.Fatal(err)
	}
	p.click(button)
	p.do(chromedp.SetUploadFiles("#file", []string{file}, chromedp.NodeReady))
}

// shoot keeps a picture of the screen.
func (p *phone) shoot(name string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatal(err)
	}
	gallery.add(p.T, name, png)
}

// key is the public key that the phone shows.
func (p *phone) key() *cose.Key {
	p.Helper()
	p.wait(`document.querySelector("canvas.qr")`)
	text := eval[string](p, `document.querySelector("canvas.qr").dataset.text`)
	request, err := enrol.ParseRequest([]byte(text))
	if err != nil {
		p.Fatal(err)
	}
	if got, want := p.text("#key-words"), enrol.Words(request.Key); got != want || request.Name != "tab-7" {
		p.Errorf("the phone shows %q as %q, the laptop %q", request.Name, got, want)
	}
	return request.Key
}

// packFor is the site's pack with the phone's certificate in it.
func packFor(key *cose.Key, o vt.PackOptions) []byte {
	cert := world.DeviceCert(func(c *trust.DeviceCertificate) { c.Key, c.DeviceID, c.Block = key, []byte("phone-01"), nil })
	o.More = append(o.More, verifier.Part{Owner: world.A.ID, Kind: verifier.PartDevice, Name: "phone-01", Sequence: 1, Data: cert})
	if o.Policy == nil {
		o.Policy = &verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{vt.Programme: {{N: 3, Opens: vt.Made - 86400, Closes: vt.Made + 60*86400}}}}
	}
	return world.Pack(o)
}

const pin = "402917"

// enrolled sets the phone up by hand, from the first screen to an open shift, and
// returns the key it made.
func (p *phone) enrolled() *cose.Key {
	p.Helper()
	p.open()
	p.screen("setup")
	p.fill("name", "tab-7")
	p.click("make-key")
	p.screen("key")
	key := p.key()
	p.click("go")
	p.give("load-pack", "site.pack", packFor(key, vt.PackOptions{}))
	p.wait(`document.querySelector("#choose-pin.main")`)
	p.click("choose-pin")
	p.fill("pin", pin)
	p.fill("pin2", pin)
	p.click("pin-go")
	p.screen("setup")
	p.click("done")
	p.screen("ready")
	p.click("open-shift")
	p.fill("staff", "V-12")
	p.click("shift-go")
	p.screen("gate")
	p.fill("pin", pin)
	p.click("pin-go")
	p.screen("ready")
	p.wait(`document.getElementById("shift")`)
	return key
}

// see puts a card before the camera, turned a little, on a table with light from one
// side; blur is the radius in modules. No text: the bare table.
func (p *phone) see(text string, blur float64) {
	p.Helper()
	// In place and never shorter: the browser reads the file while it is written.
	f, err := os.OpenFile(p.camera, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		p.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(frames(p.T, text, blur)); err != nil {
		p.Fatal(err)
	}
}

// bare is the table without a card, drawn once for all tests.
var bare = sync.OnceValue(func() []byte { return picture(nil, 0) })

func frames(t *testing.T, text string, blur float64) []byte {
	t.Helper()
	var modules [][]bool
	if text != "" {
		var err error
		if modules, err = qrcode.Matrix(text, qrcode.M); err != nil {
			t.Fatal(err)
		}
	}
	grey := bare()
	if modules != nil {
		grey = picture(modules, blur)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n", width, height)
	colour := bytes.Repeat([]byte{128}, width*height/2)
	for range 2 {
		b.WriteString("FRAME\n")
		b.Write(grey)
		b.Write(colour)
	}
	return b.Bytes()
}

func picture(modules [][]bool, blur float64) []byte {
	out := make([]byte, width*height)
	n := float64(len(modules))
	size := math.Min(620/(n+8), 7) // pixels a module
	sin, cos := math.Sincos(0.06)
	light := func(u, v float64) float64 {
		if n == 0 || u < -4 || v < -4 || u >= n+4 || v >= n+4 {
			return 0.5
		}
		if u < 0 || v < 0 || u >= n || v >= n || !modules[int(v)][int(u)] {
			return 0.92
		}
		return 0.08
	}
	const steps = 3
	for y := range height {
		for x := range width {
			sum := 0.0
			for i := range steps * steps {
				// The samples of one pixel are spread as far as the picture is out of focus.
				spread := 1 + blur*size
				dx := (float64(i%steps)-1)/steps*spread + float64(x) - width/2
				dy := (float64(i/steps)-1)/steps*spread + float64(y) - height/2
				sum += light((dx*cos+dy*sin)/size+n/2, (dy*cos-dx*sin)/size+n/2)
			}
			shade := 0.75 + 0.25*float64(x)/width
			noise := float64((x*7919+y*104729)%17)/17*0.03 - 0.015
			out[y*width+x] = byte(255 * math.Max(0, math.Min(1, sum/(steps*steps)*shade+noise)))
		}
	}
	return out
}

// gallery is the page of all screenshots, kept in bin/screens.
var gallery shots

type shots struct {
	sync.Mutex
	names []string
}

func (s *shots) add(t *testing.T, name string, png []byte) {
	t.Helper()
	s.Lock()
	defer s.Unlock()
	dir := filepath.Join("..", "..", "bin", "screens")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
	s.names = append(s.names, name)
	if err := os.WriteFile(filepath.Join(dir, "index.html"), s.page(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// page shows one screen a row, one language a column; what was taken in one language
// alone comes after.
func (s *shots) page() []byte {
	languages := []string{"en", "ar", "fr"}
	rows, others := map[string]map[string]bool{}, []string{}
	for _, n := range s.names {
		lang, row, _ := strings.Cut(n, "-")
		if !slices.Contains(languages, lang) {
			others = append(others, n)
			continue
		}
		if rows[row] == nil {
			rows[row] = map[string]bool{}
		}
		rows[row][lang] = true
	}
	var b bytes.Buffer
	b.WriteString("<!doctype html><html lang=en><meta charset=utf-8><title>Screens of the scanner</title><style>body{font:16px sans-serif;background:#ddd}figure,td{display:inline-block;margin:8px}img{width:270px;border:1px solid #888}</style>\n<h1>Screens of the scanner</h1>\n")
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&b, "<h2>%s</h2>\n", strings.ReplaceAll(row, "-", " "))
		for _, lang := range languages {
			if rows[row][lang] {
				n := lang + "-" + row
				fmt.Fprintf(&b, "<figure><img src=%q alt=%q><figcaption>%s</figcaption></figure>\n", n+".png", n, lang)
			}
		}
	}
	b.WriteString("<h2>In one language</h2>\n")
	slices.Sort(others)
	for _, n := range slices.Compact(others) {
		fmt.Fprintf(&b, "<figure><img src=%q alt=%q><figcaption>%s</figcaption></figure>\n", n+".png", n, n)
	}
	return b.Bytes()
}
