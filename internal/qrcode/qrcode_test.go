package qrcode_test

import (
	"bytes"
	"errors"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aidpass/internal/qrcode"
)

const base45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// cardText returns n characters as Base45 has them, the same for the same n.
func cardText(n int) string {
	random := rand.New(rand.NewPCG(45, uint64(n)))
	text := make([]byte, n)
	for i := range text {
		text[i] = base45[random.IntN(len(base45))]
	}
	return string(text)
}

// The sizes of ISO/IEC 18004 table 7: the most characters of each version.
func TestVersionIsTheSmallestThatHolds(t *testing.T) {
	tests := []struct {
		chars int
		level qrcode.Level
		want  int
	}{
		{20, qrcode.M, 1}, {21, qrcode.M, 2}, {419, qrcode.M, 12}, {420, qrcode.M, 13}, {483, qrcode.M, 13}, {484, qrcode.M, 14},
		{600, qrcode.M, 15}, {800, qrcode.M, 18}, {3391, qrcode.M, 40}, {3392, qrcode.M, 0}, {4296, qrcode.L, 40}, {4297, qrcode.L, 0},
		{2420, qrcode.Q, 40}, {1852, qrcode.H, 40}, {0, qrcode.M, 0},
	}
	for _, tt := range tests {
		// Letters alone: a run of digits would be packed tighter and hide the limit.
		if got := qrcode.Version(strings.Repeat("A:", tt.chars)[:tt.chars], tt.level); got != tt.want {
			t.Errorf("%d characters at level %d: version %d, want %d", tt.chars, tt.level, got, tt.want)
		}
	}
}

func TestMatrixHasCornersAndNoBorder(t *testing.T) {
	matrix, err := qrcode.Matrix(cardText(419), qrcode.M)
	if err != nil {
		t.Fatal(err)
	}
	if want := 17 + 4*12; len(matrix) != want || len(matrix[0]) != want || qrcode.Side(12) != want+8 {
		t.Errorf("%d x %d modules, %d with the border; want %d and %d", len(matrix), len(matrix[0]), qrcode.Side(12), want, want+8)
	}
	last := len(matrix) - 1
	if !matrix[0][0] || !matrix[0][last] || !matrix[last][0] {
		t.Error("three corners are not dark: is there a border?")
	}
	for _, text := range []string{"", cardText(3392)} {
		if _, err := qrcode.Matrix(text, qrcode.M); err == nil {
			t.Errorf("%d characters were drawn", len(text))
		}
	}
	if _, err := qrcode.Matrix("A", 9); err == nil {
		t.Error("a level that does not exist was taken")
	}
}

func TestWhatSuitsACard(t *testing.T) {
	tests := []struct {
		chars         int
		warn, refused bool
	}{{419, false, false}, {600, false, false}, {601, true, false}, {800, true, false}, {801, true, true}}
	for _, tt := range tests {
		err := qrcode.CheckID1(cardText(tt.chars))
		var size *qrcode.SizeError
		if errors.As(err, &size) != tt.warn || tt.warn && size.Refused != tt.refused {
			t.Errorf("%d characters: %v, want warning %v, refusal %v", tt.chars, err, tt.warn, tt.refused)
		}
	}
	// What MaxID1's comment promises of the paper.
	if side := float64(qrcode.Side(qrcode.Version(cardText(qrcode.MaxID1), qrcode.M))) * qrcode.MinModuleMM; side > 53.98 {
		t.Errorf("the largest code is %.1f mm wide, higher than the card", side)
	}
}

func TestDrawingsReadBack(t *testing.T) {
	texts := []string{"A", cardText(100), cardText(419), cardText(800), cardText(1800), "eyJhbGciOiJFUzI1NiJ9.e30.c2ln~", "https://example.org/#" + cardText(80), "عائشة"}
	for _, text := range texts {
		for _, level := range []qrcode.Level{qrcode.L, qrcode.M, qrcode.Q, qrcode.H} {
			for _, pixels := range []int{3, 4, 8} {
				picture, err := qrcode.PNG(text, level, pixels)
				if err != nil {
					t.Fatal(err)
				}
				got, err := qrcode.ReadImage(bytes.NewReader(picture))
				if err != nil || len(got) != 1 || got[0] != text {
					t.Errorf("%d characters, level %d, %d pixels a module: got %.40q, %v", len(text), level, pixels, got, err)
				}
			}
		}
	}
}

// zbar shares no line with the encoder or with our reader.
func TestZbarReadsTheDrawings(t *testing.T) {
	if _, err := exec.LookPath("zbarimg"); err != nil {
		t.Skip("SKIPPED: zbarimg is not installed (make setup)")
	}
	for _, n := range []int{1, 20, 100, 381, 419, 432, 483, 600, 800} {
		picture, err := qrcode.PNG(cardText(n), qrcode.M, 4)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "code.png")
		if err := os.WriteFile(path, picture, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := exec.Command("zbarimg", "--quiet", "--raw", "--nodbus", path).Output()
		if err != nil || strings.TrimSuffix(string(got), "\n") != cardText(n) {
			t.Errorf("%d characters: zbarimg read %.40q, %v", n, got, err)
		}
	}
}

func TestPNGIsOneBitAPixelWithItsBorder(t *testing.T) {
	picture, err := qrcode.PNG("A", qrcode.M, 3)
	if err != nil {
		t.Fatal(err)
	}
	const bitDepth = 24 // in the IHDR chunk, PNG section 11.2.1
	if picture[bitDepth] != 1 {
		t.Errorf("%d bits a pixel, want 1", picture[bitDepth])
	}
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	if side := img.Bounds().Dx(); side != 3*qrcode.Side(1) {
		t.Errorf("%d pixels wide, want %d", side, 3*qrcode.Side(1))
	}
	for _, pixels := range []int{0, -1, 33} {
		if _, err := qrcode.PNG("A", qrcode.M, pixels); err == nil {
			t.Errorf("modules of %d pixels were drawn", pixels)
		}
	}
}

func TestSVGDrawsTheSameModules(t *testing.T) {
	text := cardText(483)
	drawing, err := qrcode.SVG(text, qrcode.M, qrcode.MinModuleMM)
	if err != nil {
		t.Fatal(err)
	}
	matrix, err := qrcode.Matrix(text, qrcode.M)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, row := range matrix {
		for x, dark := range row {
			if dark && (x == 0 || !row[x-1]) {
				runs++
			}
		}
	}
	if got := strings.Count(string(drawing), "z") - 1; got != runs {
		t.Errorf("%d dark runs are drawn, want %d", got, runs)
	}
	if want := `width="30.8mm" height="30.8mm" viewBox="0 0 77 77"`; !strings.Contains(string(drawing), want) {
		t.Errorf("the drawing starts %.160q, want %s", drawing, want)
	}
	if _, err := qrcode.SVG(text, qrcode.M, 0); err == nil {
		t.Error("modules of 0 mm were drawn")
	}
}

func TestReadPDF(t *testing.T) {
	for _, tool := range []string{"pdftoppm", "pdfinfo"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED: %s is not installed (make setup)", tool)
		}
	}
	var want []string
	var pages [][][]bool
	for n := range 3 {
		text := cardText(400 + n)
		matrix, err := qrcode.Matrix(text, qrcode.M)
		if err != nil {
			t.Fatal(err)
		}
		want, pages = append(want, text), append(pages, matrix)
	}
	path := filepath.Join(t.TempDir(), "-cards.pdf")
	if err := os.WriteFile(path, pdf(pages), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.ReadPDF(t.Context(), path)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %.60q, %v, want the %d texts drawn", got, err, len(want))
	}

	if err := os.WriteFile(path, []byte("%PDF-1.4 and no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := qrcode.ReadPDF(t.Context(), path); err == nil {
		t.Error("half a PDF was read")
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := qrcode.ReadPDF(t.Context(), path); !errors.Is(err, qrcode.ErrNoPDFTool) {
		t.Errorf("without the tools: %v, want ErrNoPDFTool", err)
	}
}
