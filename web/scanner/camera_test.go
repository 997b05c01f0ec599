package scanner_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aidpass/internal/browsertest"
	"aidpass/internal/qrcode"
	vt "aidpass/verifier/verifiertest"
)

// placed is a card somewhere before the camera.
type placed struct {
	text     string
	level    qrcode.Level
	x, y     float64 // centre, pixels
	size     float64 // pixels a module
	angle    float64 // radians in the picture
	lean     float64 // how much narrower the far edge is, 0 to 1
	mirrored bool
	inverted bool
}

// scene is a picture of cards on a grey table.
func scene(t *testing.T, cards ...placed) *image.Gray {
	t.Helper()
	matrices := make([][][]bool, len(cards))
	for i, c := range cards {
		var err error
		if matrices[i], err = qrcode.Matrix(c.text, c.level); err != nil {
			t.Fatal(err)
		}
	}
	light := func(x, y float64) float64 {
		for i, c := range cards {
			m := matrices[i]
			n := float64(len(m))
			sin, cos := math.Sincos(c.angle)
			dx, dy := x-c.x, y-c.y
			u, v := (dx*cos+dy*sin)/c.size, (dy*cos-dx*sin)/c.size
			far := 1 + c.lean*v/n // the card leans back: far lines are shorter
			u, v = u*far+n/2, v*far+n/2
			if c.mirrored {
				u = n - u
			}
			if u < -4 || v < -4 || u >= n+4 || v >= n+4 {
				continue
			}
			dark := u >= 0 && v >= 0 && u < n && v < n && m[int(v)][int(u)]
			if dark != c.inverted {
				return 0.1
			}
			return 0.92
		}
		return 0.5
	}
	out := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			sum := 0.0
			for i := range 4 {
				sum += light(float64(x)+float64(i%2)/2, float64(y)+float64(i/2)/2)
			}
			out.Pix[y*width+x] = byte(255 * sum / 4)
		}
	}
	return out
}

const width, height = browsertest.CameraWidth, browsertest.CameraHeight

const middleX, middleY = width / 2, height / 2

// A card held as people hold cards.
func TestCardsHeldAnyWay(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.enrolled()
	for i, c := range []struct {
		name string
		card placed
	}{
		{"upside down", placed{size: 5, angle: math.Pi}},
		{"at an angle", placed{size: 5, angle: 0.6}},
		{"leaning back", placed{size: 6, angle: 0.1, lean: 0.25}},
		{"small, three pixels a module", placed{size: 3, angle: 0.05}},
		{"at the edge", placed{size: 4, x: 250, y: 300}},
		{"mirrored, as front cameras show it", placed{size: 5, mirrored: true}},
		{"light on dark", placed{size: 5, inverted: true}},
	} {
		if c.card.x == 0 {
			c.card.x, c.card.y = middleX, middleY
		}
		c.card.text = world.Text(vt.CardOptions{Unit: fmt.Sprint("held-", i)})
		p.Film(10, scene(t, c.card))
		if eval[string](p, `document.querySelector("#screen").dataset.screen`) != "scan" {
			p.click("scan")
		}
		began := time.Now()
		p.screen("verdict")
		t.Logf("%s: %v", c.name, time.Since(began).Round(10*time.Millisecond))
		if got := p.text("#title"); got != "GIVE" {
			t.Errorf("%s: %q", c.name, got)
		}
		p.away()
	}
}

// Two cards in the picture: neither is taken until one is shown alone.
func TestTwoCardsInOnePicture(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.enrolled()
	first, second := world.Text(vt.CardOptions{Unit: "left"}), world.Text(vt.CardOptions{Unit: "right"})
	p.Film(10, scene(t, placed{text: first, x: middleX - 180, y: middleY, size: 4}, placed{text: second, x: middleX + 180, y: middleY, size: 4}))
	p.click("scan")
	p.wait(`document.querySelector(".hint").innerText.includes("one card alone")`)
	p.shoot("two-cards-en")
	time.Sleep(2 * time.Second)
	p.screen("scan")
	p.Film(10, scene(t, placed{text: second, x: middleX, y: middleY, size: 4}))
	p.screen("verdict")
	run := p.still()
	p.click("next") // the same card still lies there: it is not judged again at once
	p.screen("scan")
	time.Sleep(time.Second)
	p.screen("scan")
	run()
	p.Film(10, scene(t, placed{text: first, x: middleX, y: middleY, size: 4})) // the next person's
	p.screen("verdict")
}

// A poster of rubbish before the camera at thirty pictures a second: the phone stays
// quick and does not fill up.
func TestRubbishBeforeTheCamera(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.enrolled()
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	r := rand.New(rand.NewPCG(1, 2))
	var pictures []*image.Gray
	for range 3 {
		text := make([]byte, 4296)
		for i := range text {
			text[i] = letters[r.IntN(len(letters))]
		}
		pictures = append(pictures, scene(t, placed{text: string(text), level: qrcode.L, x: middleX, y: middleY, size: 3.85}))
	}
	p.Film(30, pictures...)
	p.click("scan")
	p.wait(`document.querySelector("#toast.on")`)
	if got := p.text("#toast"); got != "Not an aid card" {
		t.Errorf("rubbish is called %q", got)
	}
	eval[bool](p, `(() => { globalThis.lag = 0; let last = performance.now(); setInterval(() => { const at = performance.now(); lag = Math.max(lag, at - last - 50); last = at; }, 50); return true })()`)
	time.Sleep(2 * time.Second)
	// The least of a few looks: what the collector has not yet taken back is not kept.
	var before, after int64
	for n := range 8 {
		m := p.Memory()
		switch {
		case n == 0 || n < 3 && m < before:
			before = m
		case n == 5 || n > 5 && m < after:
			after = m
		}
		p.screen("scan")
		time.Sleep(time.Second)
	}
	lag := eval[float64](p, "lag")
	t.Logf("memory of the page %d MB, then %d MB; the longest wait on this machine %.0f ms", before>>20, after>>20, lag)
	if after > before+64<<20 {
		t.Errorf("memory grows: %d MB, then %d MB", before>>20, after>>20)
	}
	p.click("type") // and the way out is open
	p.screen("type")
}

// A photo of a card, of many megapixels, as phones make them.
func TestAPhotoOfACard(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.enrolled()
	p.click("scan")
	p.screen("scan")
	small := scene(t, placed{text: world.Text(vt.CardOptions{}), x: middleX, y: middleY, size: 5, angle: 0.2})
	large := image.NewRGBA(image.Rect(0, 0, 3*width, 3*height))
	for y := range 3 * height {
		for x := range 3 * width {
			g := small.GrayAt(x/3, y/3).Y
			large.SetRGBA(x, y, color.RGBA{g, g, byte(min(255, int(g)+9)), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, large); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{"a wall": {pngOf(t, scene(t)), "No card code"}, "no picture": {[]byte("%PDF-1.4"), "No card code"}} {
		p.give("photo", "photo.png", c.file)
		p.wait(fmt.Sprintf(`document.getElementById("toast").innerText.includes(%q)`, c.want))
		if got := p.text("#toast"); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
		eval[bool](p, `(document.getElementById("toast").replaceChildren(), true)`)
	}
	p.give("photo", "photo.png", b.Bytes())
	p.screen("verdict")
	if got := p.text("#title"); got != "GIVE" {
		t.Errorf("a photo: %q", got)
	}
}

func pngOf(t *testing.T, g *image.Gray) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Cameras that are not there, are taken by another app, or are two.
func TestCameras(t *testing.T) {
	t.Parallel()
	server := serve(t)
	t.Run("none", func(t *testing.T) {
		p := newPhone(t, server.URL, chromedp.Flag("use-fake-device-for-media-stream", false), chromedp.Flag("use-file-for-fake-video-capture", false))
		p.enrolled()
		p.click("scan")
		p.wait(`document.querySelector("[data-denied=none]")`)
		p.shoot("camera-none-en")
		p.typed(world.Text(vt.CardOptions{})) // the hand-held scanner still works
		p.screen("verdict")
	})
	t.Run("busy, and lost on the way", func(t *testing.T) {
		p := newPhone(t, server.URL)
		p.enrolled()
		eval[bool](p, `(globalThis.get = navigator.mediaDevices.getUserMedia, navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotReadableError"); }, true)`)
		p.click("scan")
		p.wait(`document.querySelector("[data-denied=busy]")`)
		p.shoot("camera-busy-en")
		eval[bool](p, `(navigator.mediaDevices.getUserMedia = get, true)`)
		p.click("wake")
		p.wait(`document.querySelector("video").videoWidth`)
		if eval[bool](p, `!document.getElementById("torch").classList.contains("hidden")`) {
			t.Error("a light is offered where the camera has none")
		}
		eval[bool](p, `(document.querySelector("video").srcObject.getVideoTracks()[0].dispatchEvent(new Event("ended")), true)`)
		p.wait(`document.querySelector("[data-denied=busy]")`)
	})
	t.Run("two, with zoom and light", func(t *testing.T) {
		p := newPhone(t, server.URL, chromedp.Flag("use-fake-device-for-media-stream", "device-count=2"), chromedp.Flag("use-file-for-fake-video-capture", false))
		p.enrolled()
		p.OnLoad(`{
			const real = MediaStreamTrack.prototype.getCapabilities, apply = MediaStreamTrack.prototype.applyConstraints;
			globalThis.asked = {};
			MediaStreamTrack.prototype.getCapabilities = function () { return { ...real.call(this), torch: true, zoom: { min: 1, max: 5, step: 0.5 } }; };
			MediaStreamTrack.prototype.applyConstraints = function (c) { for (const a of c?.advanced ?? []) Object.assign(asked, a); return Promise.resolve(); };
		}`)
		p.reload()
		p.screen("ready")
		id := func() string {
			p.wait(`document.querySelector("video")?.videoWidth && !document.getElementById("other-camera").classList.contains("hidden")`)
			return eval[string](p, `document.querySelector("video").srcObject.getVideoTracks()[0].getSettings().deviceId`)
		}
		p.click("scan")
		first := id()
		p.shoot("scan-tools-en")
		p.axe("scan with tools")
		p.Layout("scan with tools")
		p.click("torch")
		p.wait(`asked.torch === true && document.getElementById("torch").getAttribute("aria-pressed") === "true"`)
		eval[bool](p, `(() => { const z = document.getElementById("zoom"); z.value = 3; z.dispatchEvent(new Event("input")); return true })()`)
		p.wait(`asked.zoom === 3`)
		p.click("other-camera")
		p.wait(fmt.Sprintf(`document.querySelector("video").srcObject?.getVideoTracks()[0].getSettings().deviceId.replace(%q, "")`, first))
		second := id()
		p.reload()
		p.screen("ready")
		p.click("scan")
		if got := id(); got != second || got == first {
			t.Errorf("the camera chosen is not kept: %q, then %q, now %q", first, second, got)
		}
	})
}

// The mode for a hand-held scanner: dark, no camera until somebody asks.
func TestLowPowerLeavesTheCameraAlone(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.enrolled()
	p.menu()
	p.click("low-power")
	p.back()
	p.screen("ready")
	p.click("scan")
	p.screen("scan")
	p.shoot("low-power-en")
	if eval[bool](p, `!!document.querySelector("video")?.srcObject`) {
		t.Error("the camera runs in low-power mode")
	}
	p.typed(world.Text(vt.CardOptions{}))
	p.screen("verdict")
	p.click("next")
	p.see(world.Text(vt.CardOptions{Unit: "unit-2"}), 0)
	p.click("wake") // by camera all the same, looking less often
	p.screen("verdict")
}
