package qrcode_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/internal/qrcode"
)

// photo is a camera's view of flat paper that lies turned by degrees.
type photo struct {
	side    int     // pixels
	degrees float64 // turned to the right
	module  float64 // pixels a module
	grain   float64 // standard deviation of the noise, of 255
	quality int     // of the JPEG
}

// take photographs the codes, laid out in rows of columns.
func (p photo) take(t *testing.T, columns int, texts ...string) []byte {
	t.Helper()
	var sheets [][][]bool
	pitch := 0
	for _, text := range texts {
		matrix, err := qrcode.Matrix(text, qrcode.M)
		if err != nil {
			t.Fatal(err)
		}
		sheets = append(sheets, matrix)
		pitch = max(pitch, len(matrix)+2*qrcode.QuietZone)
	}
	rows := (len(sheets) + columns - 1) / columns
	dark := func(x, y float64) bool { // in modules from the paper's corner
		column, row := int(math.Floor(x/float64(pitch))), int(math.Floor(y/float64(pitch)))
		if column < 0 || column >= columns || row < 0 || row >= rows || row*columns+column >= len(sheets) {
			return false
		}
		sheet := sheets[row*columns+column]
		i, j := int(math.Floor(y))-row*pitch-qrcode.QuietZone, int(math.Floor(x))-column*pitch-qrcode.QuietZone
		return i >= 0 && j >= 0 && i < len(sheet) && j < len(sheet) && sheet[i][j]
	}
	random := rand.New(rand.NewPCG(1, 2))
	sin, cos := math.Sincos(p.degrees * math.Pi / 180)
	grey := image.NewGray(image.Rect(0, 0, p.side, p.side))
	for y := range p.side {
		for x := range p.side {
			// The mean of nine points in the pixel, as a lens blurs an edge.
			sum := 0.0
			for s := range 9 {
				u := (float64(x) + float64(s%3)/3 - float64(p.side)/2) / p.module
				v := (float64(y) + float64(s/3)/3 - float64(p.side)/2) / p.module
				if !dark(u*cos+v*sin+float64(columns*pitch)/2, v*cos-u*sin+float64(rows*pitch)/2) {
					sum += 1. / 9
				}
			}
			value := 40 + 180*sum + random.NormFloat64()*p.grain
			grey.Pix[y*grey.Stride+x] = uint8(max(0, min(255, value)))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, grey, &jpeg.Options{Quality: p.quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadsPhotographs(t *testing.T) {
	tests := []struct {
		name  string
		photo photo
		chars int
	}{
		{"upright", photo{400, 0, 4, 0, 90}, 419},
		{"turned a little", photo{420, 7, 4, 5, 80}, 419},
		{"turned by half a right angle", photo{500, 45, 4, 5, 80}, 419},
		{"upside down", photo{400, 180, 4, 5, 80}, 419},
		{"small modules", photo{260, 0, 2.5, 3, 90}, 419},
		{"small modules, turned", photo{320, 12, 2.7, 3, 90}, 419},
		{"grainy", photo{500, 3, 6, 25, 60}, 483},
		{"a large photograph", photo{2600, 20, 22, 10, 70}, 483},
		{"a large code", photo{700, 5, 5, 5, 80}, 1200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := cardText(tt.chars)
			got, err := qrcode.ReadImage(bytes.NewReader(tt.photo.take(t, 1, want)))
			if err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("got %.60q, %v", got, err)
			}
		})
	}
}

func TestReadsEveryCodeOnASheetFromTheTop(t *testing.T) {
	var want []string
	for n := range 10 {
		want = append(want, cardText(380+n))
	}
	sheet := photo{1600, 0, 4, 3, 85}.take(t, 2, want...)
	got, err := qrcode.ReadImage(bytes.NewReader(sheet))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		slices.Sort(got)
		slices.Sort(want)
		t.Errorf("got %d of %d codes; the same but for their order: %v", len(got), len(want), slices.Equal(got, want))
	}
}

func TestRefusesWhatIsNotAPicture(t *testing.T) {
	encode := func(img image.Image) []byte {
		var out bytes.Buffer
		if err := png.Encode(&out, img); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	white := image.NewGray(image.Rect(0, 0, 200, 200))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	wide := encode(image.NewPaletted(image.Rect(0, 0, 12000, 12000), color.Palette{color.White, color.Black}))
	deep := encode(image.NewGray16(image.Rect(0, 0, 6000, 4000)))
	picture, err := qrcode.PNG(cardText(100), qrcode.M, 4)
	if err != nil {
		t.Fatal(err)
	}
	scans := append([]byte("\xff\xd8\xff"), bytes.Repeat([]byte{0xff, 0xda, 0}, 200)...)
	tests := []struct {
		name string
		data []byte
		want error // nil: any
	}{
		{"nothing", nil, qrcode.ErrFormat},
		{"a page", []byte("<html><script>alert(1)</script>"), qrcode.ErrFormat},
		{"a GIF", []byte("GIF89a\x01\x00\x01\x00"), qrcode.ErrFormat},
		{"144 million pixels in a few bytes", wide, qrcode.ErrTooLarge},
		{"24 million pixels of 16 bits", deep, qrcode.ErrTooLarge},
		{"a JPEG of 200 scans", scans, qrcode.ErrTooLarge},
		{"more bytes than any picture needs", append(slices.Clone(picture), make([]byte, qrcode.MaxImageBytes)...), qrcode.ErrTooLarge},
		{"half a picture", picture[:len(picture)/2], nil},
		{"a picture without a code", encode(white), qrcode.ErrNone},
		{"one pixel", encode(image.NewGray(image.Rect(0, 0, 1, 1))), qrcode.ErrNone},
	}
	for _, tt := range tests {
		got, err := qrcode.ReadImage(bytes.NewReader(tt.data))
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: got %.40q, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

// Corners and nothing else, as many as fit: gozxing's own search would try each
// three of them for hours.
func TestAPicturePaintedToWasteTimeEnds(t *testing.T) {
	corner := []string{"1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"}
	for _, module := range []int{1, 2, 3} {
		grey := image.NewGray(image.Rect(0, 0, 3000, 3000))
		for y := range 3000 {
			for x := range 3000 {
				i, j := y/module%9, x/module%9
				if i > 6 || j > 6 || corner[i][j] == '0' {
					grey.Pix[y*grey.Stride+x] = 255
				}
			}
		}
		var out bytes.Buffer
		if err := png.Encode(&out, grey); err != nil {
			t.Fatal(err)
		}
		began := time.Now() // a second; the limit leaves room for a busy machine
		if got, err := qrcode.ReadImage(&out); err == nil {
			t.Errorf("modules of %d: got %.40q", module, got)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("modules of %d: it took %v", module, took)
		}
	}
}

func TestHostilePicturesFromOutside(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "hostile-files")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Skip("SKIPPED: ../shared/hostile-files not present")
	}
	for _, entry := range entries {
		if ext := filepath.Ext(entry.Name()); !strings.Contains(".png .jpg .gif", ext) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		// None of them holds a code; those that are pictures in order say just that.
		texts, err := qrcode.ReadImage(bytes.NewReader(data))
		if err == nil {
			t.Errorf("%s: got %.40q", entry.Name(), texts)
		}
		switch entry.Name() {
		case "ok.png", "ok.jpg", "exif-gps.jpg", "CON.png", "1x1.png", "png-itxt-script.png":
			if !errors.Is(err, qrcode.ErrNone) {
				t.Errorf("%s: %v, want ErrNone", entry.Name(), err)
			}
		case "png-bomb-12000x12000.png":
			if !errors.Is(err, qrcode.ErrTooLarge) {
				t.Errorf("%s: %v, want ErrTooLarge", entry.Name(), err)
			}
		}
	}
}

// Whatever the bytes, reading ends with texts or an error; and a text it returns
// can be drawn and is read again as it was.
func FuzzReadImage(f *testing.F) {
	for _, n := range []int{1, 40, 200} {
		picture, err := qrcode.PNG(cardText(n), qrcode.M, 2)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(picture)
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			f.Fatal(err)
		}
		var out bytes.Buffer
		if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 60}); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err == nil && config.Width*config.Height > 1<<18 {
			t.Skip("large pictures slow the search for odd ones")
		}
		texts, err := qrcode.ReadImage(bytes.NewReader(data))
		if (err == nil) != (len(texts) > 0) {
			t.Fatalf("%d texts and error %v", len(texts), err)
		}
		for _, text := range texts {
			picture, err := qrcode.PNG(text, qrcode.L, 3)
			if err != nil {
				continue // a text of bytes may need more room than it came in
			}
			again, err := qrcode.ReadImage(bytes.NewReader(picture))
			if err == nil && !slices.Contains(again, text) && isASCII(text) {
				t.Fatalf("%q was read again as %q", text, again)
			}
		}
	})
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
