package browsertest

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"os"
	"sync"

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
var bare = sync.OnceValue(func() *image.Gray { return picture(nil, 0) })

func picture(modules [][]bool, blur float64) *image.Gray {
	const width, height = CameraWidth, CameraHeight
	out := image.NewGray(image.Rect(0, 0, width, height))
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
			out.Pix[y*width+x] = byte(255 * math.Max(0, math.Min(1, sum/(steps*steps)*shade+noise)))
		}
	}
	return out
}
