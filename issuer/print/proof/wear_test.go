package proof_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/credential/cwt"
	"aidpass/internal/qrcode"
	"aidpass/issuer/print"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
	vt "aidpass/verifier/verifiertest"
)

// wearDPI is what a scanner or a phone at 15 cm gives.
const wearDPI = 300

// mm in pixels of the aged picture.
const mm = wearDPI / 25.4

// worn are the kinds of wear, each applied to the picture of one code with its
// quiet zone and some paper around it. Specks are seen through a lens, which
// blurs: a single pixel of dirt is nothing that a camera sees.
var worn = []struct {
	name string
	age  func(*image.Gray, *rand.Rand) *image.Gray
}{
	{"new", func(g *image.Gray, _ *rand.Rand) *image.Gray { return g }},
	{"fold across the code: 0.5 mm of toner gone, halves off by 0.1 mm", func(g *image.Gray, r *rand.Rand) *image.Gray { return fold(g, r, 0.5, 0.1) }},
	{"dirt on a tenth of the area: specks of 0.1 to 0.6 mm", func(g *image.Gray, r *rand.Rand) *image.Gray { return blur(dirt(g, r, 0.10), 0.1*mm) }},
	{"glare: an ellipse as wide as a third of the code", func(g *image.Gray, r *rand.Rand) *image.Gray { return glare(g, r, 0.33) }},
	{"grey toner: dark is 55 to 65 % of the paper, unevenly", func(g *image.Gray, r *rand.Rand) *image.Gray { return toner(g, r, 0.6) }},
	{"blur of 0.12 mm", func(g *image.Gray, r *rand.Rand) *image.Gray { return blur(g, 0.12*mm) }},
	{"a bad camera: noise, JPEG of quality 25", func(g *image.Gray, r *rand.Rand) *image.Gray { return camera(g, r, 18, 25) }},
	{"all of them at a third of that", func(g *image.Gray, r *rand.Rand) *image.Gray {
		g = fold(g, r, 0.2, 0.05)
		g = dirt(g, r, 0.033)
		g = toner(g, r, 0.3)
		g = glare(g, r, 0.11)
		return camera(blur(g, 0.1*mm), r, 6, 60)
	}},
}

// A hundred cards of ten sheets as they are printed are read after each kind of
// wear, 98 of them at least.
func TestCardsAreReadAfterWear(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	texts, pictures := printed(t, 100)
	reader := "zbarimg"
	read := zbarimg
	if _, err := exec.LookPath("zbarimg"); err != nil {
		reader, read = "our own reader (zbarimg is not installed)", ownReader
	}
	t.Logf("%d cards at %d dpi, read by %s", len(texts), wearDPI, reader)
	for i, kind := range worn {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			aged := make([]*image.Gray, len(pictures))
			for c, g := range pictures {
				aged[c] = kind.age(copied(g), rand.New(rand.NewPCG(uint64(i), uint64(c))))
			}
			found := read(t, aged)
			n := 0
			for _, text := range texts {
				if found[text] {
					n++
				}
			}
			t.Logf("%3d of %d  %s", n, len(texts), kind.name)
			if n*100 < 98*len(texts) {
				t.Errorf("%s: %d of %d cards are read, want 98 %%", kind.name, n, len(texts))
			}
		})
	}
}

// printed returns cards' texts and pictures, cut from sheets as they are released.
func printed(t *testing.T, count int) (texts []string, pictures []*image.Gray) {
	var cards []print.Card
	for i := range count {
		// Ed25519, whose signatures are the same in every run.
		text := world.Text(vt.CardOptions{Key: &world.A.EdCard, Unit: fmt.Sprint("unit ", i), Draft: func(d *cwt.Draft) { d.StatusIndex = uint64(i * 997) }})
		number, err := cwt.CardNumber(pseudonymIn(text))
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, print.Card{ID: fmt.Sprintf("%020x", i), Text: text, Number: number, ValidFrom: vt.Made, ValidUntil: vt.Made + 180*86400, Name: "Abdirahman Yusuf", Complaint: "+254 800 720 720", Boxes: 6})
		texts = append(texts, text)
	}
	file, err := print.Cards(ctx, cards, print.Options{Paper: print.A4, Lang: "en"})
	if errors.Is(err, fonts.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var page *image.Gray
	for i, p := range file.Placed {
		if i == 0 || p.Page != file.Placed[i-1].Page {
			if page, err = proof.Draw(file.PDF, p.Page, wearDPI); err != nil {
				t.Fatal(err)
			}
		}
		r := image.Rect(int((p.X-2)*mm), int((p.Y-2)*mm), int((p.X+p.Size+2)*mm), int((p.Y+p.Size+2)*mm)).Intersect(page.Rect)
		pictures = append(pictures, part(page, r))
	}
	if len(pictures) != count {
		t.Fatalf("%d of %d cards are printed", len(pictures), count)
	}
	return texts, pictures
}

func zbarimg(t *testing.T, pictures []*image.Gray) map[string]bool {
	dir := t.TempDir()
	args := []string{"-q", "--raw", "-Sdisable", "-Sqrcode.enable"}
	for i, g := range pictures {
		path := filepath.Join(dir, fmt.Sprintf("%03d.pgm", i))
		pgm := append(fmt.Appendf(nil, "P5 %d %d 255\n", g.Rect.Dx(), g.Rect.Dy()), g.Pix...)
		if err := os.WriteFile(path, pgm, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, _ := exec.Command("zbarimg", args...).Output() // its status says that one was not read
	found := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		found[strings.TrimSuffix(line, "\n")] = true
	}
	return found
}

func ownReader(_ *testing.T, pictures []*image.Gray) map[string]bool {
	found := map[string]bool{}
	for _, g := range pictures {
		texts, _ := qrcode.ReadGray(g)
		for _, text := range texts {
			found[text] = true
		}
	}
	return found
}

func copied(g *image.Gray) *image.Gray {
	return &image.Gray{Pix: bytes.Clone(g.Pix), Stride: g.Stride, Rect: g.Rect}
}

// fold breaks the code along a slanting line through its middle half: width
// millimetres of toner are gone, and what is below it moves shift millimetres.
func fold(g *image.Gray, r *rand.Rand, width, shift float64) *image.Gray {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	middle, slope := float64(h)*(0.3+0.4*r.Float64()), (r.Float64()-0.5)*0.2
	upright := r.IntN(2) == 1
	by := int(math.Round(shift * mm * float64(1-2*r.IntN(2))))
	out := copied(g)
	for y := range h {
		for x := range w {
			along, across := x, y
			if upright {
				along, across = y, x
			}
			off := float64(across) - middle - slope*float64(along)
			at := out.Pix[y*out.Stride:]
			if off > 0 { // the far side has moved along the fold
				sx, sy := x-by, y
				if upright {
					sx, sy = x, y-by
				}
				at[x] = g.Pix[min(max(sy, 0), h-1)*g.Stride+min(max(sx, 0), w-1)]
			}
			if crack := math.Abs(off) / (width * mm / 2); crack < 1 { // paper shows, with a shadow at its edge
				at[x] = uint8(255 - 60*crack)
			}
		}
	}
	return out
}

// dirt puts round specks on part of the area: most take a quarter to three fifths
// of the light, one in ten is black.
func dirt(g *image.Gray, r *rand.Rand, part float64) *image.Gray {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	dirty := make([]bool, w*h)
	for left := int(part * float64(w*h)); left > 0; {
		radius := (0.05 + 0.25*math.Pow(r.Float64(), 2)) * mm
		cx, cy := r.Float64()*float64(w), r.Float64()*float64(h)
		lets := 0.4 + 0.35*r.Float64()
		if r.IntN(10) == 0 {
			lets = 0
		}
		for y := max(0, int(cy-radius)); y <= min(h-1, int(cy+radius)); y++ {
			for x := max(0, int(cx-radius)); x <= min(w-1, int(cx+radius)); x++ {
				if at := y*w + x; !dirty[at] && math.Hypot(float64(x)-cx, float64(y)-cy) <= radius {
					dirty[at] = true
					left--
					g.Pix[y*g.Stride+x] = uint8(float64(g.Pix[y*g.Stride+x]) * lets)
				}
			}
		}
	}
	return g
}

// glare washes an ellipse out, its inner half wholly.
func glare(g *image.Gray, r *rand.Rand, wide float64) *image.Gray {
	w, h := float64(g.Rect.Dx()), float64(g.Rect.Dy())
	cx, cy := w*(0.35+0.3*r.Float64()), h*(0.35+0.3*r.Float64())
	a, b, turn := w*wide/2, h*wide/4, r.Float64()*math.Pi
	sin, cos := math.Sincos(turn)
	for y := range g.Rect.Dy() {
		for x := range g.Rect.Dx() {
			dx, dy := float64(x)-cx, float64(y)-cy
			d := math.Hypot((dx*cos+dy*sin)/a, (dy*cos-dx*sin)/b)
			light := min(1, max(0, 2*(1-d)))
			at := &g.Pix[y*g.Stride+x]
			*at = uint8(float64(*at)*(1-light) + 255*light)
		}
	}
	return g
}

// toner makes dark a grey of about lightness, paler towards one corner, on paper
// that is not white either.
func toner(g *image.Gray, r *rand.Rand, lightness float64) *image.Gray {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	tilt := (r.Float64() - 0.5) * 0.1
	for y := range h {
		for x := range w {
			dark := 255 * (lightness + tilt*(float64(x+y)/float64(w+h)*2-1))
			at := &g.Pix[y*g.Stride+x]
			*at = uint8(dark + (235-dark)*float64(*at)/255)
		}
	}
	return g
}

// blur is three running means, about a Gaussian of sigma pixels.
func blur(g *image.Gray, sigma float64) *image.Gray {
	radius := max(1, int(math.Round(math.Sqrt(sigma*sigma+0.25)-0.5)))
	w, h := g.Rect.Dx(), g.Rect.Dy()
	line := make([]int, max(w, h))
	pass := func(n int, at func(int) *uint8) {
		for i := range n {
			line[i] = int(*at(i))
		}
		for i := range n {
			sum := 0
			for k := -radius; k <= radius; k++ {
				sum += line[min(max(i+k, 0), n-1)]
			}
			*at(i) = uint8(sum / (2*radius + 1))
		}
	}
	for range 3 {
		for y := range h {
			pass(w, func(x int) *uint8 { return &g.Pix[y*g.Stride+x] })
		}
		for x := range w {
			pass(h, func(y int) *uint8 { return &g.Pix[y*g.Stride+x] })
		}
	}
	return g
}

// camera adds noise and what a JPEG of low quality does.
func camera(g *image.Gray, r *rand.Rand, noise float64, quality int) *image.Gray {
	for i, v := range g.Pix {
		g.Pix[i] = uint8(min(255, max(0, float64(v)+r.NormFloat64()*noise)))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, g, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	img, err := jpeg.Decode(&out)
	if err != nil {
		panic(err)
	}
	return part(img.(*image.Gray), g.Rect)
}

// part returns a part of g as a picture of its own, its rows without gaps.
func part(g *image.Gray, r image.Rectangle) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, r.Dx(), r.Dy()))
	for y := range r.Dy() {
		copy(out.Pix[y*out.Stride:][:r.Dx()], g.Pix[(r.Min.Y+y)*g.Stride+r.Min.X:])
	}
	return out
}
