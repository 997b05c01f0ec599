package scanner_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aidpass/internal/browsertest"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/web/api"
	"aidpass/web/scanner"
)

var world = vt.New()

// A browser waits more than it works, for its camera and for a finger that holds a
// button: as many tests as there are processors leave half of them idle.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
	}
	code := m.Run()
	if needsProgram.Load() {
		if dir, _ := built(); dir != "" {
			os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// phone is a real Chromium of 360x640 with a fake camera, for the app at an address.
type phone struct {
	*browsertest.Page
	url string
}

// office is the server of the app's files, packed once for all tests.
var office = sync.OnceValues(func() (http.Handler, error) {
	files, err := scanner.Files()
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{Scanner: files, Now: time.Now})
})

// serve serves the app with the office's headers, at the root as no office's is: the app
// then knows that it is alone, and asks for no enrolment, packs or receipts. Below
// /scanner/ it is the office's.
func serve(t *testing.T) *browsertest.Server {
	t.Helper()
	server, err := office()
	if errors.Is(err, scanner.ErrNotBuilt) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return browsertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/scanner/") && !strings.HasPrefix(r.URL.Path, "/api/") {
			r.URL.Path = "/scanner" + r.URL.Path
		}
		server.ServeHTTP(w, r)
	}))
}

// newPhone starts a browser on the fixed day of cards and lists, whose camera sees
// nothing but a table.
func newPhone(t *testing.T, url string, more ...chromedp.ExecAllocatorOption) *phone {
	t.Helper()
	return &phone{browsertest.New(t, time.Unix(int64(vt.Now), 0), more...), url}
}

// What every line of a test says has a short name.
func eval[T any](p *phone, expression string) T {
	p.Helper()
	return browsertest.Eval[T](p.Page, expression)
}

func (p *phone) wait(expression string)                     { p.Helper(); p.Wait(expression) }
func (p *phone) text(selector string) string                { p.Helper(); return p.Text(selector) }
func (p *phone) click(id string)                            { p.Helper(); p.Click(id) }
func (p *phone) fill(id, text string)                       { p.Helper(); p.Fill(id, text) }
func (p *phone) see(text string, blur float64)              { p.Helper(); p.See(text, blur) }
func (p *phone) shoot(name string)                          { p.Helper(); p.Shoot(name) }
func (p *phone) axe(where string, but ...string)            { p.Helper(); p.Axe(where, but...) }
func (p *phone) do(steps ...chromedp.Action[chromedp.Void]) { p.Helper(); p.Do(steps...) }

func (p *phone) open() *phone { p.Helper(); p.Open(p.url); return p }

func (p *phone) reload() { p.Helper(); p.Open(p.url) }

func (p *phone) screen(name string) { p.Helper(); p.Screen(name) }

func (p *phone) back() { p.Helper(); p.Back() }

// hold presses a button as long as it asks for.
func (p *phone) hold(id string) { p.Helper(); p.Hold(id) }

// give hands the app a file where it asks for one.
func (p *phone) give(button, name string, content []byte) {
	p.Helper()
	p.click(button)
	p.Upload("#file", name, content)
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

// judge shows a card to the camera and returns the word on the screen.
func (p *phone) judge(card string) string {
	p.Helper()
	if eval[string](p, `document.querySelector("#screen").dataset.screen`) != "scan" {
		p.click("scan")
		p.screen("scan")
	}
	p.see(card, 0)
	p.screen("verdict")
	return p.text("#title")
}

// still stops the page's clock where it is, until what it returns is called.
func (p *phone) still() (run func()) {
	p.Helper()
	return p.Freeze(time.UnixMilli(eval[int64](p, `Date.now()`)))
}

// away takes the card away and goes on.
func (p *phone) away() {
	p.Helper()
	p.see("", 0)
	time.Sleep(220 * time.Millisecond) // the camera's last pictures of it pass
	p.click("next")
	p.screen("scan")
}

// journal is what the phone has on its disk.
func (p *phone) journal() []byte {
	p.Helper()
	return bytes.Join(p.Kept("aidpass-scanner", "journal"), nil)
}

func (p *phone) readJournal(key *cose.Key) *visit.Journal {
	p.Helper()
	j, err := visit.Read(p.journal(), func([]byte) *cose.Key { return key })
	if err != nil || j.Torn {
		p.Fatalf("the journal on the phone: %v, torn %v", err, j != nil && j.Torn)
	}
	return j
}

func (p *phone) language(tag string) {
	p.Helper()
	p.wait(`document.getElementById("lang")`)
	p.Change(func() {
		eval[bool](p, fmt.Sprintf(`(() => { const s = document.getElementById("lang"); s.value = %q; s.dispatchEvent(new Event("change")); return true })()`, tag))
	})
	p.wait(fmt.Sprintf(`document.documentElement.lang === %q`, tag))
}

// typed is what a hand-held scanner does.
func (p *phone) typed(code string) { p.Helper(); p.Type(code) }
