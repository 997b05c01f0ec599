package qrcode

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"rsc.io/qr/coding"
)

// letters returns n characters as Base45 has them, the same for the same n.
func letters(n int) string {
	random := rand.New(rand.NewPCG(45, uint64(n)))
	text := make([]byte, n)
	for i := range text {
		text[i] = base45Letters[random.IntN(len(base45Letters))]
	}
	return string(text)
}

// maskOf reads the mask from the format information beside the top left corner
// (ISO/IEC 18004 section 7.9.1): its bits 10 to 12, xored with 101010000010010.
func maskOf(m [][]bool) int {
	mask := 0
	for i, at := range [3][2]int{{8, 2}, {8, 3}, {8, 4}} { // row, column of bits 12, 11, 10
		if m[at[0]][at[1]] {
			mask |= 4 >> i
		}
	}
	return mask ^ 0b101
}

// scoreOf is section 7.8.3 written as it reads, module by module.
func scoreOf(m [][]bool) int {
	n, score, dark := len(m), 0, 0
	for turned := range 2 {
		at := func(line, i int) bool { // light outside
			switch {
			case i < 0 || i >= n:
				return false
			case turned == 0:
				return m[line][i]
			}
			return m[i][line]
		}
		for line := range n {
			for i := 0; i < n; {
				j := i
				for j < n && at(line, j) == at(line, i) {
					j++
				}
				if j-i >= 5 {
					score += 3 + (j - i - 5)
				}
				i = j
			}
			light := func(from int) bool {
				return !at(line, from) && !at(line, from+1) && !at(line, from+2) && !at(line, from+3)
			}
			for i := range n - 6 {
				is := true
				for k, want := range "1011101" {
					is = is && at(line, i+k) == (want == '1')
				}
				if is && (light(i-4) || light(i+7)) {
					score += 40
				}
			}
		}
	}
	for y := range n {
		for x := range n {
			if m[y][x] {
				dark++
			}
			if x > 0 && y > 0 && m[y][x] == m[y][x-1] && m[y][x] == m[y-1][x] && m[y][x] == m[y-1][x-1] {
				score += 3
			}
		}
	}
	off := max(2*dark-n*n, n*n-2*dark)
	return score + 10*(10*off/(n*n))
}

// Another mask of the same code, made by the library one module at a time.
func drawn(t *testing.T, text string, v, mask int) [][]bool {
	plan, err := coding.NewPlan(coding.Version(v), coding.M, coding.Mask(mask))
	if err != nil {
		t.Fatal(err)
	}
	code, err := plan.Encode(coding.Alpha(text))
	if err != nil {
		t.Fatal(err)
	}
	m := make([][]bool, code.Size)
	for y := range m {
		for x := range code.Size {
			m[y] = append(m[y], code.Black(x, y))
		}
	}
	return m
}

func picture(m [][]bool, module int) *image.Gray {
	side := (len(m) + 2*QuietZone) * module
	grey := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			r, c := y/module-QuietZone, x/module-QuietZone
			if !(r >= 0 && r < len(m) && c >= 0 && c < len(m) && m[r][c]) {
				grey.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return grey
}

// The same version and the same modules as the library we know, except for the
// mask: skip2 counts runs from six modules on, the standard from five.
func TestFastIsTheCodeThatMatrixDraws(t *testing.T) {
	agree, all := 0, 0
	for n := 61; n <= 1450; n += 4 { // versions 4 to 25
		text := letters(n)
		fast, err := Fast(text)
		if err != nil {
			t.Fatal(err)
		}
		slow, err := Matrix(text, M)
		if err != nil {
			t.Fatal(err)
		}
		if len(fast) != len(slow) {
			t.Fatalf("%d characters: side %d, want %d", n, len(fast), len(slow))
		}
		all++
		mask := maskOf(slow)
		if maskOf(fast) == mask {
			agree++
			if !slices.EqualFunc(fast, slow, slices.Equal[[]bool]) {
				t.Fatalf("%d characters, mask %d: other modules than skip2's", n, mask)
			}
			continue
		}
		if scoreOf(fast) > scoreOf(slow) {
			t.Errorf("%d characters: mask %d scores %d, skip2's mask %d %d", n, maskOf(fast), scoreOf(fast), mask, scoreOf(slow))
		}
		if same := drawn(t, text, (len(slow)-17)/4, mask); !slices.EqualFunc(same, slow, slices.Equal[[]bool]) {
			t.Errorf("%d characters: under skip2's mask %d the modules differ", n, mask)
		}
	}
	t.Logf("the mask of skip2 in %d of %d codes", agree, all)
	if agree*10 < all*7 {
		t.Errorf("the mask of skip2 in %d of %d codes only", agree, all)
	}
}

func TestFastTakesTheMaskOfTheLowestPenalty(t *testing.T) {
	for n := 12; n < 3391; n = n*9/8 + 7 {
		text := letters(n)
		fast, err := Fast(text)
		if err != nil {
			t.Fatal(err)
		}
		best, lowest := 0, 1<<30
		for mask := range 8 {
			if s := scoreOf(drawn(t, text, (len(fast)-17)/4, mask)); s < lowest {
				best, lowest = mask, s
			}
		}
		if got := maskOf(fast); got != best {
			t.Errorf("%d characters: mask %d of penalty %d, want %d of %d", n, got, scoreOf(fast), best, lowest)
		}
		if !slices.EqualFunc(fast, drawn(t, text, (len(fast)-17)/4, best), slices.Equal[[]bool]) {
			t.Errorf("%d characters: other modules than the library's", n)
		}
	}
}

func TestFastIsReadBack(t *testing.T) {
	var group sync.WaitGroup
	for _, n := range []int{1, 20, 21, 311, 419, 483, 600, 800, 1240} {
		group.Go(func() {
			text := letters(n)
			m, err := Fast(text)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := ReadGray(picture(m, 4)); err != nil || !slices.Equal(got, []string{text}) {
				t.Errorf("%d characters: read %q, %v", n, got, err)
			}
		})
	}
	group.Wait()
}

// What is not Base45, or would be shorter as digits, is written as Matrix writes it.
func TestFastLeavesOtherTextsToMatrix(t *testing.T) {
	for _, text := range []string{
		"https://example.org/a", "small letters", strings.Repeat("0123456789", 60), "A" + strings.Repeat("7", 40), "名前", strings.Repeat("A", 3391),
	} {
		fast, err := Fast(text)
		if err != nil {
			t.Fatalf("%.20q: %v", text, err)
		}
		slow, _ := Matrix(text, M)
		if len(fast) != len(slow) {
			t.Errorf("%.20q: side %d, want %d", text, len(fast), len(slow))
		}
	}
	for _, text := range []string{"", strings.Repeat("A", 3392)} {
		if m, err := Fast(text); err == nil {
			t.Errorf("%d characters: side %d", len(text), len(m))
		}
	}
}

// Any text is drawn as large as Matrix draws it, or refused as there.
func FuzzFast(f *testing.F) {
	f.Add([]byte("6BF0"))
	f.Add(bytes.Repeat([]byte{9}, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 600 {
			t.Skip()
		}
		for i, b := range data {
			data[i] = base45Letters[b%45]
		}
		fast, err := Fast(string(data))
		slow, err2 := Matrix(string(data), M)
		if (err == nil) != (err2 == nil) || len(fast) != len(slow) {
			t.Fatalf("%q: side %d and %v, Matrix %d and %v", data, len(fast), err, len(slow), err2)
		}
	})
}

func BenchmarkFast(b *testing.B) {
	for _, n := range []int{419, 483, 800} {
		text := letters(n)
		b.Run(text[:0]+string(rune('0'+n/100))+"00 characters", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Fast(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
