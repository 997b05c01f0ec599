package proof_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/issuer/print/proof"
)

var ctx = context.Background()

func TestEveryCodeOfASheetIsReadFromItsDrawing(t *testing.T) {
	p, placed := tenCards(t, 3)
	for _, plain := range []bool{false, true} {
		p.plain = plain
		seen, err := proof.Check(ctx, p.file(), placed)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Pages != 3 || len(seen.Codes) != 30 || len(seen.Texts) != 30 {
			t.Fatalf("%d pages, %d codes, %d texts", seen.Pages, len(seen.Codes), len(seen.Texts))
		}
		for i, c := range seen.Codes {
			if c.Text != placed[i].Text || c.CardID != placed[i].CardID {
				t.Errorf("code %d: %+v", i, c)
			}
		}
		for _, text := range seen.Texts {
			if text.Text != "A"+text.CardID {
				t.Errorf("text %q is put on card %q", text.Text, text.CardID)
			}
		}
	}
}

func TestAFailureNamesPageAndCard(t *testing.T) {
	tests := []struct {
		name   string
		spoil  func(*paper, []proof.Placed)
		page   int
		card   string
		reason string
	}{
		{"another text", func(p *paper, w []proof.Placed) { w[13].Text = "OTHER" }, 1, "card-1-3", "something other"},
		{"one letter", func(p *paper, w []proof.Placed) { w[3].Text = w[3].Text[:40] + "?" + w[3].Text[41:] }, 0, "card-0-3", "something other"},
		{"a code twice", func(p *paper, w []proof.Placed) { p.pages[1] += p.code(t, "MORE", 3, 3, 12) }, 1, "", "more than were asked for"},
		{"two in one place", func(p *paper, w []proof.Placed) { w[2].X, w[2].Y, w[2].Size = 0, 0, 205 }, 0, "card-0-2", "QR codes where one belongs"},
		{"painted over", func(p *paper, w []proof.Placed) {
			p.pages[0] += fmt.Sprintf("1 g %f %f 60 60 re f\n", (w[0].X+12)*point, (p.height-w[0].Y-32)*point)
		}, 0, "card-0-0", "cannot be read"},
		{"nothing there", func(p *paper, w []proof.Placed) { w[5].X = 0; w[5].Size = 14 }, 0, "card-0-5", "cannot be read"},
		{"over the edge", func(p *paper, w []proof.Placed) { w[5].X = 190 }, 0, "card-0-5", "over the edge"},
		{"no place", func(p *paper, w []proof.Placed) { w[5].X = math.NaN() }, 0, "card-0-5", "not on paper"},
		{"no such page", func(p *paper, w []proof.Placed) { w[5].Page = 9 }, 9, "card-0-5", "has 2 pages"},
		{"too small", func(p *paper, w []proof.Placed) {
			w[1].Size = 9
			p.pages[0] = p.code(t, w[1].Text, w[1].X, w[1].Y, 9)
			for i := range w {
				if w[i].Page == 0 && i != 1 {
					w[i].Page = 1
					w[i] = w[10+i]
				}
			}
		}, 0, "card-0-1", "cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, placed := tenCards(t, 2)
			tt.spoil(p, placed)
			_, err := proof.Check(ctx, p.file(), placed)
			var f *proof.Failure
			if !errors.As(err, &f) || f.Page != tt.page || f.CardID != tt.card || !strings.Contains(f.Why, tt.reason) {
				t.Errorf("got %v; want page %d, card %q, %q", err, tt.page, tt.card, tt.reason)
			}
		})
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	p, placed := tenCards(t, 1)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := proof.Check(gone, p.file(), placed); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// everything uses all that is understood.
func everything(t testing.TB) *paper {
	p, _ := tenCards(t, 1)
	img := image.NewRGBA(image.Rect(0, 0, 96, 120))
	for y := range 120 {
		for x := range 96 {
			img.Set(x, y, color.RGBA{uint8(2 * x), uint8(2 * y), uint8(x + y), 255})
		}
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, img, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	p.objects = map[string]string{
		"Im1": stream("/Type/XObject/Subtype/Image/Width 96/Height 120/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode", photo.String(), true),
		"G1":  stream("/Type/XObject/Subtype/Form/BBox[0 -200 1000 1000]", "100 0 m 500 900 l 900 0 l h 300 200 m 700 200 l 500 600 l h f*\n", false),
		"G2":  stream("/Type/XObject/Subtype/Form/BBox[0 -100 900 900]/Matrix[0.01 0 0 0.01 0 0]", "100 400 m 100 700 700 700 700 400 c 700 100 100 100 100 400 c f\n", false),
	}
	p.pages[0] += `
q 70 0 0 90 60 400 cm /Im1 Do Q
q 0.05 0 0 0.05 60 520 cm 0.5 0.1 0 rg /G1 Do Q
q 3 0 0 3 60 550 cm 0 0 1 rg /G2 Do Q
q 60 600 30 30 re W n 0.4 g 75 615 m 110 615 l 75 650 l h f Q
q 1 0 0 RG 3 w 1 J 60 660 m 90 690 l 120 660 l S Q
q 2 w [6 3] 0 d 0 J 60 700 m 160 700 l 160 730 l S Q
q 4 w 2 J 200 700 60 30 re S Q
q 1.5 w [4 2 1 2] 1 d 200 740 60 30 re S Q
q 0.87 0.5 -0.5 0.87 300 700 cm 0.3 g 0 0 60 20 re 10 5 40 10 re f* Q
q 0.6 g 400 700 m 400 760 l 420 700 l 390 740 l 430 740 l h f Q
`
	return p
}

// Two programs that share nothing draw about the same picture.
func TestPopplerDrawsTheSamePicture(t *testing.T) {
	if _, err := exec.LookPath("pdftoppm"); err != nil {
		t.Skip("pdftoppm is not installed: nothing to compare with")
	}
	p := everything(t)
	path := filepath.Join(t.TempDir(), "sheet.pdf")
	if err := os.WriteFile(path, p.file(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dpi := range []int{150, 300} {
		ours, err := proof.Draw(p.file(), 0, float64(dpi))
		if err != nil {
			t.Fatal(err)
		}
		compareWithPoppler(t, path, 1, dpi, ours)
	}
}

// compareWithPoppler fails when the two pictures differ by more than edges do.
func compareWithPoppler(t *testing.T, path string, page, dpi int, ours *image.Gray) {
	t.Helper()
	n := fmt.Sprint(page)
	out, err := exec.Command("pdftoppm", "-png", "-gray", "-r", fmt.Sprint(dpi), "-f", n, "-l", n, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	theirs := image.NewGray(img.Bounds())
	draw.Draw(theirs, theirs.Rect, img, image.Point{}, draw.Src)
	w, h := min(ours.Rect.Dx(), theirs.Rect.Dx()), min(ours.Rect.Dy(), theirs.Rect.Dy())
	sum, far := 0, 0
	for y := range h {
		for x := range w {
			d := int(ours.GrayAt(x, y).Y) - int(theirs.GrayAt(x, y).Y)
			d = max(d, -d)
			sum += d
			if d > 200 {
				far++
			}
		}
	}
	mean := float64(sum) / float64(w*h)
	t.Logf("page %d at %d dpi: mean difference %.2f of 255, %d of %d pixels are black in one and white in the other", page, dpi, mean, far, w*h)
	if mean > 4 || far*2000 > w*h {
		dir := os.Getenv("PROOF_PICTURES")
		if dir != "" {
			save(t, filepath.Join(dir, "ours.png"), ours)
			save(t, filepath.Join(dir, "theirs.png"), theirs)
		}
		t.Errorf("page %d at %d dpi: mean difference %.2f, %d pixels far off", page, dpi, mean, far)
	}
}

func save(t *testing.T, path string, img image.Image) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkTenCards(b *testing.B) {
	p, placed := tenCards(b, 1)
	file := p.file()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := proof.Check(ctx, file, placed); err != nil {
			b.Fatal(err)
		}
	}
}
