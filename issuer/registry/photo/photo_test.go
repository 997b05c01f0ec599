package photo_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"go/build"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/issuer/registry/photo"
)

// hostile finds ../shared/hostile-files, which is not part of the repository.
func hostile(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "shared", "hostile-files")
		if _, err := os.Stat(found); err == nil {
			return found
		}
		if dir == filepath.Dir(dir) {
			t.Skip("SKIPPED: ../shared/hostile-files not present")
		}
	}
}

// holds fails where a photo is not what Prepare promises.
func holds(t testing.TB, p photo.Photo) image.Image {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(p.JPEG))
	if err != nil {
		t.Fatalf("what was made is no JPEG: %v", err)
	}
	if m.Bounds().Dx() != p.Width || m.Bounds().Dy() != p.Height {
		t.Errorf("says %d by %d, is %v", p.Width, p.Height, m.Bounds())
	}
	if p.Width > photo.Width || p.Height > photo.Height || len(p.JPEG) > photo.MaxJPEGBytes {
		t.Errorf("%d by %d points, %d bytes: over the bounds", p.Width, p.Height, len(p.JPEG))
	}
	if off := p.Width*4 - p.Height*3; off < -4 || off > 4 {
		t.Errorf("%d by %d is not 3 to 4", p.Width, p.Height)
	}
	for rest := p.JPEG[2:]; rest[1] != 0xda; rest = rest[2+int(binary.BigEndian.Uint16(rest[2:])):] {
		if rest[1] >= 0xe0 && rest[1] <= 0xef || rest[1] == 0xfe {
			t.Errorf("has metadata: segment %x", rest[1])
		}
	}
	return m
}

func TestHostilePicturesGetWhatTheirManifestSays(t *testing.T) {
	dir := hostile(t)
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest []struct{ File, Expect string }
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, c := range manifest {
		switch filepath.Ext(c.File) {
		case ".jpg", ".png", ".gif":
		default:
			continue
		}
		seen++
		file, err := os.Open(filepath.Join(dir, c.File))
		if err != nil {
			t.Fatal(err)
		}
		p, err := photo.Prepare(file)
		file.Close()
		var refused *photo.Refusal
		switch accept := strings.HasPrefix(c.Expect, "accept"); {
		case accept && err != nil:
			t.Errorf("%s: %v, want %q", c.File, err, c.Expect)
		case accept:
			holds(t, p)
		case !errors.As(err, &refused) || refused.What == "" || refused.Fix == "":
			t.Errorf("%s: %v, want %q", c.File, err, c.Expect)
		default:
			t.Logf("%s: %v", c.File, err)
		}
	}
	if seen < 11 {
		t.Errorf("the manifest has %d pictures", seen)
	}
}

// flag is a picture with a red, a green, a blue and a white quarter.
func flag(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{255, 0, 0, 255}
			switch {
			case x >= w/2 && y < h/2:
				c = color.NRGBA{0, 255, 0, 255}
			case x < w/2 && y >= h/2:
				c = color.NRGBA{0, 0, 255, 255}
			case x >= w/2:
				c = color.NRGBA{255, 255, 255, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

// corners names the colours of a picture's corners: top left, top right, bottom left, bottom right.
func corners(m image.Image) string {
	b := m.Bounds()
	var out []byte
	for _, at := range []image.Point{{8, 8}, {b.Dx() - 9, 8}, {8, b.Dy() - 9}, {b.Dx() - 9, b.Dy() - 9}} {
		r, g, bl, _ := m.At(at.X, at.Y).RGBA()
		name := byte('?')
		switch r, g, bl := r > 0x8000, g > 0x8000, bl > 0x8000; {
		case r && g && bl:
			name = 'w'
		case r && !g && !bl:
			name = 'r'
		case g && !r && !bl:
			name = 'g'
		case bl && !r && !g:
			name = 'b'
		}
		out = append(out, name)
	}
	return string(out)
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withExif puts an Exif segment with an orientation, and words to be lost, into a JPEG.
func withExif(data []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("MM\x00*")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		tiff = []byte("II*\x00")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, tag := range []uint16{0x0110, 0x0112} {
		tiff = order.AppendUint16(tiff, tag)
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, orientation)
		tiff = append(tiff, 0, 0)
	}
	content := append([]byte("Exif\x00\x00"), tiff...)
	content = append(content, "secret place"...)
	seg := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(content)))
	return append(append(append([]byte{}, data[:2]...), append(seg, content...)...), data[2:]...)
}

func TestAPhotoStandsUprightAsItsCameraSays(t *testing.T) {
	// What a camera stores when the upright picture is rg over bw, by orientation.
	for orientation, want := range []string{1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb"} {
		if orientation == 0 {
			continue
		}
		size := image.Pt(300, 400)
		if orientation >= 5 {
			size = image.Pt(400, 300)
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			p, err := photo.Prepare(bytes.NewReader(withExif(jpegOf(t, flag(size.X, size.Y)), order, uint16(orientation))))
			if err != nil {
				t.Fatalf("orientation %d: %v", orientation, err)
			}
			if got := corners(holds(t, p)); got != want || p.Width != 300 || p.Height != 400 {
				t.Errorf("orientation %d: corners %s of %d by %d, want %s of 300 by 400", orientation, got, p.Width, p.Height, want)
			}
			if bytes.Contains(p.JPEG, []byte("secret")) {
				t.Errorf("orientation %d: the metadata is still there", orientation)
			}
		}
	}
}

func TestAPhotoIsCutAndScaled(t *testing.T) {
	for name, c := range map[string]struct {
		w, h         int
		wantW, wantH int
	}{
		"as it should be":    {360, 480, 360, 480},
		"from a phone":       {3000, 4000, 360, 480},
		"held sideways":      {4000, 3000, 360, 480},
		"small stays small":  {90, 120, 90, 120},
		"smallest":           {60, 80, 60, 80},
		"square":             {200, 200, 150, 200},
		"a narrow strip":     {100, 3000, 100, 133},
		"a panorama":         {6000, 100, 75, 100},
		"one side too large": {361, 480, 360, 480},
	} {
		p, err := photo.Prepare(bytes.NewReader(jpegOf(t, flag(c.w, c.h))))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		holds(t, p)
		if p.Width != c.wantW || p.Height != c.wantH {
			t.Errorf("%s: %d by %d, want %d by %d", name, p.Width, p.Height, c.wantW, c.wantH)
		}
	}
}

func TestOddButHonestPicturesAreTaken(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 700, 900))
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = byte(rng.Uint32())
	}
	grey16 := image.NewGray16(image.Rect(0, 0, 150, 200))
	deep := image.NewNRGBA64(image.Rect(0, 0, 150, 200))
	cmyk := image.NewPaletted(image.Rect(0, 0, 150, 200), color.Palette{color.White, color.Black})
	zip := append(jpegOf(t, flag(150, 200)), "PK\x03\x04 and a ZIP archive behind"...)
	for name, data := range map[string][]byte{
		"noise, transparent":      pngOf(t, noise),
		"grey with 16 bits":       pngOf(t, grey16),
		"16 bits, transparent":    pngOf(t, deep),
		"with a palette":          pngOf(t, cmyk),
		"a ZIP archive behind it": zip,
	} {
		p, err := photo.Prepare(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		holds(t, p)
		if bytes.Contains(p.JPEG, []byte("PK\x03\x04")) {
			t.Errorf("%s: something of the file is left", name)
		}
	}
	// What is transparent lies on white.
	p, err := photo.Prepare(bytes.NewReader(pngOf(t, image.NewNRGBA(image.Rect(0, 0, 150, 200)))))
	if err != nil || corners(holds(t, p)) != "wwww" {
		t.Errorf("a transparent picture: %v", err)
	}
}

// The toolchain and the image module bring samples of what cameras and printers write.
func TestSamplesOfOtherEncodersAreTaken(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/image").Output()
	if err != nil {
		t.Skip("SKIPPED: no go command here")
	}
	for _, name := range []string{
		filepath.Join(build.Default.GOROOT, "src/image/testdata/video-001.progressive.jpeg"),
		filepath.Join(build.Default.GOROOT, "src/image/testdata/video-001.cmyk.jpeg"),
		filepath.Join(build.Default.GOROOT, "src/image/testdata/video-001.rgb.jpeg"),
		filepath.Join(build.Default.GOROOT, "src/image/testdata/video-001.interlaced.png"),
		filepath.Join(strings.TrimSpace(string(out)), "testdata/video-001.webp"),
		filepath.Join(strings.TrimSpace(string(out)), "testdata/video-001.lossy.webp"),
		filepath.Join(strings.TrimSpace(string(out)), "testdata/yellow_rose.lossless.webp"),
		filepath.Join(strings.TrimSpace(string(out)), "testdata/yellow_rose.lossy-with-alpha.webp"),
	} {
		data, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			t.Logf("SKIPPED: no %s", name)
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		p, err := photo.Prepare(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		holds(t, p)
		if _, err := photo.Prepare(bytes.NewReader(data[:len(data)*2/3])); !errors.As(err, new(*photo.Refusal)) {
			t.Errorf("%s cut off: %v", filepath.Base(name), err)
		}
	}
}

func TestPicturesThatAreRefused(t *testing.T) {
	good := jpegOf(t, flag(150, 200))
	header := func(w, h uint32, depth byte) []byte { // a PNG that claims a size
		out := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
		ihdr := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
		ihdr = append(binary.BigEndian.AppendUint32(ihdr, h), depth, 6, 0, 0, 0)
		return binary.BigEndian.AppendUint32(append(out, ihdr...), crc32.ChecksumIEEE(ihdr))
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":             {nil, "empty"},
		"GIF":                 {[]byte("GIF89a........"), "GIF"},
		"SVG":                 {[]byte("\xef\xbb\xbf <svg xmlns='x'/>"), "SVG"},
		"a program":           {[]byte("<?php echo 1; ?>"), "text"},
		"HEIC":                {[]byte("\x00\x00\x00\x18ftypheic...."), "HEIC"},
		"noise":               {[]byte("\x01\x02\x03\x04"), "no picture"},
		"over the bytes":      {append(good, make([]byte, photo.MaxBytes)...), "12 MiB"},
		"over the points":     {header(7000, 7000, 8), "40 million"},
		"over one side":       {header(12001, 100, 8), "12000"},
		"16 bits, too many":   {header(6000, 6000, 16), "memory"},
		"a huge claim":        {header(1<<31-1, 1<<31-1, 8), ""},
		"a claim and no more": {header(200, 300, 8), "cut off"},
		"too narrow":          {jpegOf(t, flag(59, 300)), "too small"},
		"low when upright":    {withExif(jpegOf(t, flag(79, 300)), binary.BigEndian, 6), "too small: 300 by 79"},
		"cut short":           {good[:len(good)/2], "cut off"},
		"JPEG in name only":   {[]byte("\xff\xd8\xff\xe0 and so on"), ""},
		"WebP in name only":   {[]byte("RIFF\x20\x00\x00\x00WEBPVP8 \x10\x00\x00\x00................"), ""},
	} {
		_, err := photo.Prepare(bytes.NewReader(c.data))
		var refused *photo.Refusal
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := photo.Prepare(failing{}); err == nil || errors.As(err, new(*photo.Refusal)) {
		t.Errorf("a reader that fails: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestThumbnailsFitTheirBytes(t *testing.T) {
	p, err := photo.Prepare(bytes.NewReader(jpegOf(t, flag(600, 800))))
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{700, 900, 2000} {
		data, err := photo.Small(p, limit)
		if err != nil || len(data) > limit {
			t.Errorf("%d bytes: got %d, %v", limit, len(data), err)
			continue
		}
		if c, err := jpeg.DecodeConfig(bytes.NewReader(data)); err != nil || c.ColorModel != color.GrayModel || c.Width > 60 {
			t.Errorf("%d bytes: %+v, %v", limit, c, err)
		}
	}
	if _, err := photo.Small(p, 50); err == nil {
		t.Error("a face in 50 bytes")
	}
	if _, err := photo.Small(photo.Photo{JPEG: []byte("no")}, 900); err == nil {
		t.Error("a thumbnail of nothing")
	}
}

func TestASmallerCopyKeepsItsColoursAndFitsItsBytes(t *testing.T) {
	noise := image.NewRGBA(image.Rect(0, 0, 600, 800))
	for i := range noise.Pix {
		noise.Pix[i] = byte(i * i >> 3)
	}
	p, err := photo.Prepare(bytes.NewReader(jpegOf(t, noise)))
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{4000, 24 << 10, len(p.JPEG) - 1, len(p.JPEG)} {
		data, err := photo.Within(p.JPEG, limit)
		if err != nil || len(data) > limit {
			t.Fatalf("%d bytes: got %d, %v", limit, len(data), err)
		}
		if limit == len(p.JPEG) && !bytes.Equal(data, p.JPEG) {
			t.Error("a photo that fits was made anew")
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.ColorModel != color.YCbCrModel || c.Width*4 < c.Height*3-4 || c.Width*4 > c.Height*3+4 {
			t.Errorf("%d bytes: %+v, %v", limit, c, err)
		}
	}
	if _, err := photo.Within(p.JPEG, 50); err == nil {
		t.Error("a face in 50 bytes")
	}
	if _, err := photo.Within(jpegOf(t, noise), 24<<10); err == nil {
		t.Error("a picture that was never prepared is taken")
	}
	if _, err := photo.Within([]byte("no"), 24<<10); err == nil {
		t.Error("a photo of nothing")
	}
}

func TestAFolderOfPhotos(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := jpegOf(t, flag(150, 200))
	put("K-1.JPG", good)
	put("CON.png", pngOf(t, flag(150, 200)))
	put("K-2.gif", []byte("GIF89a"))
	put("twice.jpg", good)
	put("twice.png", good)
	put(".hidden.jpg", good)
	put("list.csv", []byte("K-3"))
	put("e\u0301.jpg", good) // é in two letters
	outside := filepath.Join(t.TempDir(), "secret.jpg")
	if err := os.WriteFile(outside, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.jpg")); err != nil {
		t.Skip("SKIPPED: no symbolic links here")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.jpg"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := photo.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := len(f.Unused()); n != 6 {
		t.Errorf("%d pictures, want 6", n)
	}
	for _, ids := range [][]string{{"K-1"}, {"k-1 "}, {"", "unknown", "K-1"}, {"CON"}, {"\u00e9"}} {
		if p, err := f.Photo(ids...); err != nil {
			t.Errorf("%q: %v", ids, err)
		} else {
			holds(t, p)
		}
	}
	for _, id := range []string{"", "K-3", "link", "folder", ".hidden", "hidden", "../" + filepath.Base(filepath.Dir(outside)) + "/secret", outside, "/etc/passwd", "..", "list"} {
		if _, err := f.Photo(id); !errors.Is(err, photo.ErrNone) {
			t.Errorf("%q: %v, want none", id, err)
		}
	}
	for _, id := range []string{"twice", "K-2"} {
		if _, err := f.Photo(id); !errors.As(err, new(*photo.Refusal)) {
			t.Errorf("%q: %v, want a refusal", id, err)
		}
	}
	if n := len(f.Unused()); n != 2 { // the two of one name
		t.Errorf("%d pictures unused, want 2", n)
	}
	// Replaced by a link after it was listed.
	if err := os.Remove(filepath.Join(dir, "K-1.JPG")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "K-1.JPG")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Photo("K-1"); !errors.Is(err, photo.ErrNone) {
		t.Errorf("a file that became a link: %v", err)
	}
	if _, err := photo.Match(dir, "CON"); err != nil {
		t.Error(err)
	}
	if _, err := photo.OpenFolder(outside); err == nil {
		t.Error("a file as a folder")
	}
}

// FuzzPrepare: what is taken is what was promised; nothing panics.
func FuzzPrepare(f *testing.F) {
	f.Add(jpegOf(f, flag(64, 90)))
	f.Add(withExif(jpegOf(f, flag(90, 64)), binary.LittleEndian, 6))
	f.Add(pngOf(f, flag(64, 90)))
	f.Add([]byte("RIFF\x20\x00\x00\x00WEBPVP8L\x10\x00\x00\x00\x2f\x3f\x00\x16\x00..........."))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := photo.Prepare(bytes.NewReader(data))
		if err != nil {
			if !errors.As(err, new(*photo.Refusal)) {
				t.Errorf("%v is no refusal", err)
			}
			return
		}
		holds(t, p)
	})
}

func BenchmarkPreparePhonePhoto(b *testing.B) {
	data := jpegOf(b, flag(3000, 4000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := photo.Prepare(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}
