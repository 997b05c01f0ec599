package shape_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/issuer/print/shape"
)

func needFonts(t testing.TB) {
	if _, err := fonts.For(0, fonts.Regular); err != nil {
		t.Skip("NO TYPEFACES: run make fonts; shaping is not tested")
	}
}

// samples are names and words as they are written, one a script that people on
// the move write in.
var samples = []struct{ script, text string }{
	{"arabic", "فاطمة الزهراء عبد الرحمن"},
	{"persian with a joiner", "علی\u200cرضا پورمحمدی"},
	{"urdu", "محمد گلزار چوہدری"},
	{"pashto", "ګل مکۍ ځاځی"},
	{"ethiopic", "ፋጡማ ሓሰን ገብረመድህን"},
	{"burmese", "မြတ်နိုးသူ အောင်ကျော်"},
	{"bengali", "শ্রীমতী ফাতেমা খাতুন ক্ষমা"},
	{"devanagari", "क्षितिज श्रेष्ठ विद्यार्थी"},
	{"khmer", "សុខា ស្រីមុំ ព្រះ"},
	{"thai", "น้ำผึ้ง กิ่งแก้ว"},
	{"ukrainian", "Ґалина Їжакевич-Щербак"},
	{"greek", "Ἀναστασία Παπαδοπούλου"},
	{"vietnamese", "Nguyễn Thị Phượng"},
	{"turkish", "Şükrü Çağlayan İğdır"},
	{"yoruba", "Ọláyínká Adébọ̀wálé"},
	{"ewe", "Kɔ́dzo Ɖɛ́la Ŋútí"},
	{"somali", "Cabdiraxmaan Xuseen"},
	{"hebrew", "שָׁלוֹם כהן"},
	{"armenian", "Հայկ Պետրոսյան"},
	{"georgian", "ნინო ჯავახიშვილი"},
	{"sinhala", "ශ්\u200dරීමතී කුමාරි"},
	{"tamil", "க்ஷேமா தமிழ்ச்செல்வி"},
	{"gujarati", "શ્રદ્ધા પટેલ"},
	{"punjabi", "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ"},
	{"lao", "ນ້ຳ ບຸນມີ"},
	{"syriac", "ܡܪܝܡ ܝܘܚܢܢ"},
	{"n'ko", "ߒߞߏ ߡߊߡߊߘߎ"},
	{"fulah", "𞤀𞤣𞤤𞤢𞤥 𞤋𞤦𞤪𞤢"},
	{"tifinagh", "ⵜⵉⴼⵉⵏⴰⵖ"},
	{"both ways", "محمد ABC-123 علی\u200cرضا (٤٢)"},
}

func TestEveryScriptIsSetWhole(t *testing.T) {
	needFonts(t)
	for _, s := range samples {
		for _, w := range []fonts.Weight{fonts.Regular, fonts.Bold} {
			l, err := shape.Set(s.text, w, shape.Auto)
			if err != nil {
				t.Errorf("%s: %v", s.script, err)
				continue
			}
			if len(l.Glyphs) == 0 || l.Width < 500 {
				t.Errorf("%s: %d glyphs, %d wide", s.script, len(l.Glyphs), l.Width)
			}
			for _, g := range l.Glyphs {
				if g.X < -1000 || g.X > l.Width+1000 || g.Y < -1500 || g.Y > 1500 {
					t.Errorf("%s: a glyph at %d %d of a line %d wide", s.script, g.X, g.Y, l.Width)
				}
			}
		}
	}
}

func TestLettersJoinAndStack(t *testing.T) {
	needFonts(t)
	set := func(text string) shape.Line {
		l, err := shape.Set(text, fonts.Regular, shape.Auto)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, c := range []struct{ together, apart string }{
		{"سلام", "س ل ا م"},   // joined forms are narrower
		{"ক্ষ", "ক ষ"},        // one conjunct
		{"क्ष", "क ष"},        //
		{"မြ", "မ ရ"},         // wrapped around
		{"ស្រី", "ស រ"},       // below
		{"é", "e ́"},          // composed
		{"ශ්\u200dරී", "ශ ර"}, // joined by ZWJ
	} {
		if a, b := set(c.together), set(c.apart); a.Width == b.Width {
			t.Errorf("%q is as wide as %q: %d", c.together, c.apart, a.Width)
		}
	}
	ids := func(l shape.Line) (all []shape.ID) {
		for _, g := range l.Glyphs {
			all = append(all, g.ID)
		}
		return all
	}
	if slices.Equal(ids(set("بب")), ids(set("ب\u200cب"))) {
		t.Error("a zero-width non-joiner changes nothing")
	}
}

// The order of UAX #9: in a line from the right a Latin word and a number keep
// their own order, and what is said first stands rightmost.
func TestBothDirectionsInOneLine(t *testing.T) {
	needFonts(t)
	set := func(text string, d shape.Direction) shape.Line {
		l, err := shape.Set(text, fonts.Regular, d)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	latin, arabic := set("AB", shape.LTR), set("سلام", shape.RTL)
	line := set("سلام AB", shape.Auto)
	if !line.RTL || line.Glyphs[0].ID != latin.Glyphs[0].ID || line.Glyphs[1].ID != latin.Glyphs[1].ID {
		t.Error("from the right: AB does not stand at the left end, in its order")
	}
	line = set("سلام AB", shape.LTR)
	if line.RTL || line.Glyphs[0].ID != arabic.Glyphs[0].ID {
		t.Error("from the left: the Arabic word does not stand at the left end")
	}
	// Level 2 inside level 1 inside level 0: 12 keeps its order in Arabic in English.
	line = set("x سلام 12 سلام y", shape.LTR)
	one, two := set("12", shape.LTR).Glyphs[0], set("12", shape.LTR).Glyphs[1]
	var order []int
	for _, g := range line.Glyphs {
		if g.ID == one.ID {
			order = append(order, 1)
		} else if g.ID == two.ID {
			order = append(order, 2)
		}
	}
	if len(order) != 2 || order[0] != 1 {
		t.Errorf("digits in the order %v", order)
	}
}

func TestAMissingGlyphIsNamed(t *testing.T) {
	needFonts(t)
	for text, want := range map[string]rune{"Ana 𓀀": 0x13000, "李": '李', "A\u0351": 0x351, "a\x00": 0} {
		_, err := shape.Set(text, fonts.Regular, shape.Auto)
		var missing *shape.MissingGlyph
		if !errors.As(err, &missing) || missing.Rune != want {
			t.Errorf("%q: %v, want U+%04X", text, err, want)
		}
	}
	if _, err := shape.Set(strings.Repeat("a", shape.MaxRunes+1), fonts.Regular, shape.Auto); err == nil {
		t.Error("a text over the limit was set")
	}
}

// Programs that write İ small leave a dot behind that no typeface has and nobody sees.
func TestADotOverIIsNone(t *testing.T) {
	needFonts(t)
	plain, err := shape.Set("ibrahim i\u0323", fonts.Bold, shape.Auto)
	if err != nil {
		t.Fatal(err)
	}
	dotted, err := shape.Set("i\u0307brahim i\u0323\u0307", fonts.Bold, shape.Auto)
	if err != nil || !slices.Equal(plain.Glyphs, dotted.Glyphs) {
		t.Errorf("%v, %v", dotted.Glyphs, err)
	}
}

func TestFit(t *testing.T) {
	needFonts(t)
	for _, c := range []struct {
		name, text string
		room       shape.Room
		lines      int
		size       float64 // 0: between floor and size
		cut        bool
	}{
		{"short", "Ana", shape.Room{Width: 100, Lines: 2, Size: 10, Floor: 7}, 1, 10, false},
		{"a little long for one line", "Maria Fernanda", shape.Room{Width: 65, Lines: 1, Size: 10, Floor: 7}, 1, 0, false},
		{"two lines", "Maria Fernanda de los Santos", shape.Room{Width: 80, Lines: 2, Size: 10, Floor: 7}, 2, 0, false},
		{"arabic in two lines", "فاطمة الزهراء عبد الرحمن محمد الحسن", shape.Room{Width: 70, Lines: 2, Size: 10, Floor: 7}, 2, 0, false},
		{"far too long", strings.Repeat("Wolfeschlegel ", 9), shape.Room{Width: 80, Lines: 2, Size: 10, Floor: 7}, 2, 7, true},
		{"one word too long", strings.Repeat("ä", 80), shape.Room{Width: 80, Lines: 2, Size: 10, Floor: 7}, 1, 7, true},
		{"no room for anything", "Ana", shape.Room{Width: 1, Lines: 1, Size: 10, Floor: 7}, 1, 7, true},
		{"no spaces", "กรุงเทพมหานครอมรรัตนโกสินทร์", shape.Room{Width: 70, Lines: 2, Size: 10, Floor: 7}, 2, 0, false},
		{"nothing", "  ", shape.Room{Width: 70, Lines: 2, Size: 10, Floor: 7}, 0, 10, false},
	} {
		b, err := shape.Fit(c.text, fonts.Regular, shape.Auto, c.room)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(b.Lines) != c.lines || b.Cut != c.cut || c.size != 0 && b.Size != c.size || b.Size < c.room.Floor || b.Size > c.room.Size {
			t.Errorf("%s: %d lines of size %g, cut %v", c.name, len(b.Lines), b.Size, b.Cut)
		}
		for _, l := range b.Lines {
			if c.room.Width > 10 && float64(l.Width)*b.Size/1000 > c.room.Width+0.01 {
				t.Errorf("%s: a line of %g points in %g", c.name, float64(l.Width)*b.Size/1000, c.room.Width)
			}
		}
	}
}

// A line ends before a syllable, never inside one: a vowel sign that starts a line
// stands on a dotted circle, and a final consonant belongs to what it ends. Where
// words have spaces between them, a line ends there.
func TestLinesEndBetweenSyllables(t *testing.T) {
	needFonts(t)
	for _, c := range []struct {
		text  string
		words bool // lines end at spaces
	}{
		{"မြတ်နိုးသူအောင်ကျော်စွာမိုးသီရိဇေယျာ", false}, {"မန္တလေးသင်္ကြန်ဥက္ကာဓမ္မပဒ္ဒမနန္ဒာ", false}, {"ဦးသန့်ဒေါ်ခင်ကြည်ဗိုလ်ချုပ်ကြီး", false},
		{"ព្រះបាទជ័យវរ្ម័នស្រីមុំម៉ែនសំណាង", false}, {"น้ำผึ้งกิ่งแก้วปั้นปี่เสน่ห์โอ๊ต", false},
		{"น้ำผึ้ง กิ่งแก้วปั้น ศรีสุวรรณ", true}, {"သန္တာ မြတ်နိုး အောင်ကျော်", true},
	} {
		whole, err := shape.Set(c.text, fonts.Bold, shape.Auto)
		if err != nil {
			t.Fatal(err)
		}
		for width := 30.0; width < float64(whole.Width)/100; width++ {
			b, err := shape.Fit(c.text, fonts.Bold, shape.Auto, shape.Room{Width: width, Lines: 12, Size: 10, Floor: 7})
			if err != nil {
				t.Fatal(err)
			}
			glyphs, text := 0, ""
			for i, l := range b.Lines {
				glyphs += len(l.Glyphs)
				text += l.Text
				first := []rune(l.Text)
				if unicode.Is(unicode.M, first[0]) || len(first) > 1 && i > 0 && (first[1] == 0x103A || first[1] == 0x1039) {
					t.Errorf("%s: line %d of %g points starts inside a syllable: %s", c.text, i+1, width, l.Text)
				}
			}
			if !b.Cut && glyphs != len(whole.Glyphs) {
				t.Errorf("%s: %d glyphs in lines of %g points, %d in one", c.text, glyphs, width, len(whole.Glyphs))
			}
			if spaces := strings.Count(text, " "); c.words && width > 60 && spaces+len(b.Lines)-1 != strings.Count(c.text, " ") {
				t.Errorf("%s: lines of %g points end inside words", c.text, width)
			}
		}
	}
}

// Marks of direction hold in the lines after the one they stand in.
func TestALineGoesOnInItsDirection(t *testing.T) {
	needFonts(t)
	b, err := shape.Fit("للأسئلة: \u2068toll free and more, Sun–Thu ab\u2069", fonts.Regular, shape.RTL, shape.Room{Width: 75, Lines: 9, Size: 10, Floor: 10})
	if err != nil || len(b.Lines) < 3 {
		t.Fatalf("%d lines, %v", len(b.Lines), err)
	}
	last := b.Lines[len(b.Lines)-1]
	alone, err := shape.Set("Thu ab", fonts.Regular, shape.LTR)
	if err != nil || strings.TrimSuffix(last.Text, "\u2069") != "Thu ab" || !slices.Equal(last.Glyphs, alone.Glyphs) {
		t.Errorf("the last line is %q, %v", last.Text, last.Glyphs)
	}
}

// Nothing that a name may hold makes the shaper panic, lose a letter or take a
// room it has not.
func FuzzFit(f *testing.F) {
	for _, s := range samples {
		f.Add(s.text, 60.0)
	}
	f.Add("a\u0301\u0302\u0303 \u202e\u2066x\u2069 \ufffd", 3.0)
	f.Fuzz(func(t *testing.T, text string, width float64) {
		needFonts(t)
		if !(width > 20 && width < 1000) || len(text) > 300 {
			return
		}
		room := shape.Room{Width: width, Lines: 2, Size: 10, Floor: 6}
		b, err := shape.Fit(text, fonts.Regular, shape.Auto, room)
		if err != nil {
			return
		}
		if len(b.Lines) > 2 || b.Size < 6 || b.Size > 10 {
			t.Errorf("%d lines of %g points", len(b.Lines), b.Size)
		}
		for _, l := range b.Lines {
			if float64(l.Width)*b.Size/1000 > width+0.01 {
				t.Errorf("%q is %g points wide, of %g", l.Text, float64(l.Width)*b.Size/1000, width)
			}
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	needFonts(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range 60 {
				s := samples[(i+k)%len(samples)]
				if _, err := shape.Set(s.text, fonts.Bold, shape.Auto); err != nil {
					t.Errorf("%s: %v", s.script, err)
				}
			}
		})
	}
	wg.Wait()
}

// With AIDPASS_SHOW=FOLDER the samples are drawn there, for people who read them.
func TestShow(t *testing.T) {
	needFonts(t)
	folder := os.Getenv("AIDPASS_SHOW")
	if folder == "" {
		t.Skip("AIDPASS_SHOW names no folder")
	}
	file := pdf.New("en", "Samples")
	var c pdf.Content
	for i, s := range samples {
		for k, w := range []fonts.Weight{fonts.Regular, fonts.Bold} {
			l, err := shape.Set(s.text, w, shape.Auto)
			if err != nil {
				t.Fatal(err)
			}
			c.BeginText(l.Text, 16, 40+float64(k)*270, 800-float64(i)*26)
			x, y := 0, 0
			for _, g := range l.Glyphs {
				form, err := file.Form(func(c *pdf.Content) error { err := shape.Outline(g.ID, c); c.Fill(); return err })
				if err != nil {
					t.Fatal(err)
				}
				c.Glyph(form, g.X-x, g.Y-y)
				x, y = g.X, g.Y
			}
			c.EndText()
		}
	}
	file.AddPage(595, 842, &c)
	path := filepath.Join(folder, "samples.pdf")
	if err := os.WriteFile(path, bytes.Clone(file.Bytes()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("pdftoppm", "-png", "-r", "110", path, filepath.Join(folder, "samples")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func BenchmarkName(b *testing.B) {
	needFonts(b)
	for b.Loop() {
		if _, err := shape.Fit("فاطمة الزهراء عبد الرحمن", fonts.Bold, shape.Auto, shape.Room{Width: 200, Lines: 2, Size: 10, Floor: 7}); err != nil {
			b.Fatal(err)
		}
	}
}
