package browsertest

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
	"sync"

	"github.com/chromedp/chromedp"

	"aidpass/internal/qrcode"
)

// CameraWidth and CameraHeight are the picture of the camera, in pixels: what a cheap
// phone gives, in grey.
const CameraWidth, CameraHeight = 1280, 720

// See puts a QR code before the camera, turned a little, on a table with light from one
// side; blur is the radius in modules. No text: the bare table.
func (p *Page) See(text string, blur float64) {
	p.Helper()
	grey := bare()
	if text != "" {
		modules, err := qrcode.Matrix(text, qrcode.M)
		p.must(err)
		grey = picture(modules, blur)
	}
	p.Film(10, grey)
}

// Photograph is the screen as it is drawn now, from so near that the element of a
// selector fills the picture but for an edge.
func (p *Page) Photograph(selector string) *image.Gray {
	p.Helper()
	box := Eval[[]float64](p, fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		e.scrollIntoView({ block: "nearest" });
		const r = e.getBoundingClientRect(), s = innerWidth;
		return [r.left / s, r.top / s, r.right / s, r.bottom / s];
	})()`, selector))
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	p.must(err)
	screen, err := png.Decode(bytes.NewReader(shot))
	p.must(err)
	at := func(i int) int { return int(box[i] * float64(screen.Bounds().Dx())) }
	const edge = 12
	near := image.Rect(at(0)-edge, at(1)-edge, at(2)+edge, at(3)+edge).Intersect(screen.Bounds())
	if near.Empty() {
		p.Fatalf("nothing of %s is on the screen %q", selector, p.Text("#screen"))
	}
	out := image.NewGray(near)
	draw.Draw(out, near, screen, near.Min, draw.Src)
	return out
}

// SeePicture puts a picture, such as another screen's Photograph, before the camera: as
// large as the camera's own allows, turned a little, in the light of See.
func (p *Page) SeePicture(img *image.Gray) {
	p.Helper()
	const middleX, middleY = CameraWidth / 2, CameraHeight / 2
	b := img.Rect
	scale := float64(CameraHeight) * 0.92 / float64(max(b.Dx(), b.Dy())) // camera pixels for one of the picture's
	sin, cos := math.Sincos(0.06)
	grey := func(x, y int) float64 {
		if !(image.Point{x, y}).In(b) {
			return 0.5 // the table
		}
		return 0.08 + 0.84*float64(img.GrayAt(x, y).Y)/255
	}
	out := image.NewGray(image.Rect(0, 0, CameraWidth, CameraHeight))
	for y := range CameraHeight {
		for x := range CameraWidth {
			dx, dy := float64(x-middleX)/scale, float64(y-middleY)/scale
			u := dx*cos + dy*sin + float64(b.Min.X+b.Max.X)/2 - 0.5
			v := dy*cos - dx*sin + float64(b.Min.Y+b.Max.Y)/2 - 0.5
			i, j := int(math.Floor(u)), int(math.Floor(v))
			s, t := u-float64(i), v-float64(j)
			paint := (grey(i, j)*(1-s)+grey(i+1, j)*s)*(1-t) + (grey(i, j+1)*(1-s)+grey(i+1, j+1)*s)*t
			out.Pix[y*CameraWidth+x] = lit(x, y, paint)
		}
	}
	p.Film(10, out)
}

// Film puts pictures of the camera's size before it, one after another, at so many a
// second.
func (p *Page) Film(rate int, pictures ...*image.Gray) {
	p.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n", CameraWidth, CameraHeight, rate)
	colour := bytes.Repeat([]byte{128}, CameraWidth*CameraHeight/2)
	for range 2 {
		for _, g := range pictures {
			b.WriteString("FRAME\n")
			b.Write(g.Pix)
			b.Write(colour)
		}
	}
	// In place and never shorter: the browser reads the file while it is written.
	f, err := os.OpenFile(p.camera, os.O_CREATE|os.O_WRONLY, 0o600)
	p.must(err)
	defer f.Close()
	_, err = f.Write(b.Bytes())
	p.must(err)
}

// bare is the table without a card, drawn once for all tests.
var bare = sync.OnceValue(func() *image.Gray {
	out := image.NewGray(image.Rect(0, 0, CameraWidth, CameraHeight))
	for y := range CameraHeight {
		for x := range CameraWidth {
			out.Pix[y*CameraWidth+x] = lit(x, y, 0.5)
		}
	}
	return out
})

// lit is what the camera makes of so much paint, 0 to 1, in the light of one side and
// with its noise.
func lit(x, y int, paint float64) byte {
	shade := 0.75 + 0.25*float64(x)/CameraWidth
	noise := float64((x*7919+y*104729)%17)/17*0.03 - 0.015
	return byte(255 * math.Max(0, math.Min(1, paint*shade+noise)))
}

// picture is the table with a card on it.
func picture(modules [][]bool, blur float64) *image.Gray {
	const middleX, middleY = CameraWidth / 2, CameraHeight / 2
	out := image.NewGray(image.Rect(0, 0, CameraWidth, CameraHeight))
	copy(out.Pix, bare().Pix)
	n := len(modules)
	size := math.Min(620/float64(n+8), 7) // pixels a module
	sin, cos := math.Sincos(0.06)
	// The samples of one pixel are spread as far as the picture is out of focus.
	const steps = 3
	spread := (1 + blur*size) / steps
	var du, dv [steps * steps]float64
	for i := range du {
		dx, dy := float64(i%steps-1)*spread, float64(i/steps-1)*spread
		du[i], dv[i] = (dx*cos+dy*sin)/size, (dy*cos-dx*sin)/size
	}
	// Beyond the card's corner there is only the table.
	far := int((float64(n)/2+4)*size*(sin+cos)+2*spread) + 1
	for y := max(0, middleY-far); y < min(CameraHeight, middleY+far); y++ {
		for x := max(0, middleX-far); x < min(CameraWidth, middleX+far); x++ {
			dx, dy := float64(x-middleX), float64(y-middleY)
			u, v := (dx*cos+dy*sin)/size+float64(n)/2, (dy*cos-dx*sin)/size+float64(n)/2
			paint := 0.0
			for i := range du {
				// From the edge of the quiet zone, so that truncation is downwards.
				a, b := u+du[i]+4, v+dv[i]+4
				switch i, j := int(a)-4, int(b)-4; {
				case a < 0 || b < 0 || i >= n+4 || j >= n+4:
					paint += 0.5
				case i < 0 || j < 0 || i >= n || j >= n || !modules[j][i]:
					paint += 0.92
				default:
					paint += 0.08
				}
			}
			out.Pix[y*CameraWidth+x] = lit(x, y, paint/(steps*steps))
		}
	}
	return out
}
