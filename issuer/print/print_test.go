package print_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/internal/qrcode"
	"aidpass/issuer/print"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/print/shape"
	"aidpass/words"
)

func needFonts(t testing.TB) {
	if _, err := fonts.For(0, fonts.Regular); err != nil {
		t.Skip("NO TYPEFACES: run make fonts; printing is not tested")
	}
}

func need(t *testing.T, tools ...string) {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s IS NOT INSTALLED: run make setup; pages are not read by others", tool)
		}
	}
}

const (
	from  = credential.Time(1793491200) // 1 November 2026
	until = credential.Time(1809129600) // 1 May 2027, its first second
)

// text is as long as a card's and has its letters.
func text(n, seed int) string {
	b := []byte("6BF")
	for i := range n - 3 {
		b = append(b, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"[(i*i*7+i*13+seed*(i+5))%45])
	}
	return string(b)
}

var names = []string{
	"", "فاطمة الزهراء عبد الرحمن", "ፋጡማ ሓሰን ገብረመድህን", "မြတ်နိုးသူ အောင်ကျော်", "শ্রীমতী ফাতেমা খাতুন ক্ষমা",
	"क्षितिज श्रेष्ठ", "សុខា ស្រីមុំ", "น้ำผึ้ง กิ่งแก้ว", "Ґалина Їжакевич", "Nguyễn Thị Phượng de los Santos y Hernández",
}

// cards are n of them, in all languages and scripts, every fourth with a photograph.
func cards(n int) []print.Card {
	list := make([]print.Card, n)
	for i := range list {
		list[i] = print.Card{
			ID: fmt.Sprintf("%014d", i), Unit: fmt.Sprintf("%032x", i), Text: text(380+i%90, i), Number: fmt.Sprintf("K7Q28M%05d", i%100000),
			ValidFrom: from, ValidUntil: until, Name: names[i%len(names)], Organisation: "Relief A", Programme: "K7Q2",
			Complaint: "+254 700 111 222", Boxes: 12, Lang: words.Tags()[i%5],
		}
		if i%4 == 1 {
			list[i].Photo = photo
		}
	}
	return list
}

var photo = func() []byte {
	m := image.NewRGBA(image.Rect(0, 0, 120, 160))
	for i := range 120 * 160 {
		m.Set(i%120, i/120, color.RGBA{uint8(i), uint8(i / 160), 90, 255})
	}
	var b bytes.Buffer
	jpeg.Encode(&b, m, nil)
	return b.Bytes()
}()

func draw(t testing.TB, list []print.Card, opt print.Options) print.File {
	t.Helper()
	f, err := print.Cards(context.Background(), list, opt)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var ways = map[string]print.Options{
	"a4": {Paper: print.A4}, "a4 with backs": {Paper: print.A4, Duplex: true}, "letter, plain": {Paper: print.Letter, Plain: true, Duplex: true},
	"a6": {Paper: print.A6}, "58 mm": {Paper: print.Thermal58}, "80 mm": {Paper: print.Thermal80},
}

func TestEveryPaperIsProved(t *testing.T) {
	needFonts(t)
	for name, opt := range ways {
		t.Run(name, func(t *testing.T) {
			list := cards(12)
			f := draw(t, list, opt)
			if len(f.Stopped) != 0 || len(f.Placed) != len(list) {
				t.Fatalf("%d of %d cards, stopped %v", len(f.Placed), len(list), f.Stopped)
			}
			seen, err := proof.Check(context.Background(), f.PDF, f.Placed)
			if err != nil {
				t.Fatal(err)
			}
			said := map[string]int{}
			for _, s := range seen.Texts {
				said[s.Text]++
			}
			for i, c := range list {
				number := c.Number[:4] + "-" + c.Number[4:8] + "-" + c.Number[8:]
				if said[number] == 0 {
					t.Errorf("number %s is not on paper", number)
				}
				if said[c.Name] == 0 && c.Name != "" && i != 9 { // the tenth needs two lines
					t.Errorf("name %d is not on paper", i)
				}
			}
			if plain := said["Relief A"] == 0; plain != opt.Plain {
				t.Errorf("organisation left out: %v, want %v", plain, opt.Plain)
			}
		})
	}
}

// What others draw of our pages is read by others still.
func TestOthersReadOurPages(t *testing.T) {
	needFonts(t)
	need(t, "pdftoppm", "zbarimg", "pdfinfo")
	for name, opt := range ways {
		t.Run(name, func(t *testing.T) {
			list := cards(10)
			f := draw(t, list, opt)
			folder := t.TempDir()
			path := filepath.Join(folder, "cards.pdf")
			if err := print.Release(context.Background(), f, path, nil, nil); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("pdfinfo", path).CombinedOutput(); err != nil || !strings.Contains(string(out), fmt.Sprintf("Pages:           %d\n", f.Pages)) || strings.Contains(string(out), "Error") {
				t.Errorf("%v: %s", err, out)
			}
			if out, err := exec.Command("pdftoppm", "-gray", "-r", "150", path, filepath.Join(folder, "page")).CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("%v: %s", err, out)
			}
			pages, _ := filepath.Glob(filepath.Join(folder, "page*.pgm"))
			out, _ := exec.Command("zbarimg", append([]string{"-q", "--raw", "-Sdisable", "-Sqrcode.enable"}, pages...)...).Output()
			read := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			for i, c := range list {
				if !slices.Contains(read, c.Text) {
					t.Errorf("card %d of %d characters is not read at 150 dpi", i, len(c.Text))
				}
			}
		})
	}
}

func TestACardThatCannotBePrintedStopsAlone(t *testing.T) {
	needFonts(t)
	list := cards(6)
	list[1].Name = "Ana 李"
	list[2].Text = text(801, 2)
	list[3].Text = text(700, 3)
	list[4].Photo = []byte("no picture")
	list[5].Number = ""
	f := draw(t, list, print.Options{})
	want := []string{"U+674E cannot be printed", "801 characters", "photograph", "card number"}
	stopped := []int{1, 2, 4, 5}
	if len(f.Stopped) != len(want) {
		t.Fatalf("stopped: %v", f.Stopped)
	}
	for i, n := range f.Stopped {
		if n.Unit != list[stopped[i]].Unit || n.CardID != list[stopped[i]].ID || !strings.Contains(n.Why, want[i]) {
			t.Errorf("%v, want card %d: %s", n, stopped[i], want[i])
		}
		if strings.Contains(n.String(), "Ana") {
			t.Errorf("%v tells a name", n)
		}
	}
	if len(f.Placed) != 2 || f.Placed[1].CardID != list[3].ID || len(f.Warned) != 1 || f.Warned[0].CardID != list[3].ID {
		t.Errorf("placed %d, warned %v", len(f.Placed), f.Warned)
	}
	if _, err := proof.Check(context.Background(), f.PDF, f.Placed); err != nil {
		t.Error(err)
	}
	// A slip has room for a longer code, and a roll for less.
	for paper, n := range map[print.Paper]int{print.A6: 1600, print.Thermal80: 1400, print.Thermal58: 900} {
		long := cards(1)
		long[0].Text, long[0].Boxes = text(n, 9), 0
		if f := draw(t, long, print.Options{Paper: paper}); len(f.Stopped) != 0 {
			t.Errorf("%v: %v", paper, f.Stopped)
		} else if _, err := proof.Check(context.Background(), f.PDF, f.Placed); err != nil {
			t.Errorf("%v: %v", paper, err)
		}
	}
}

func TestPINsStandOnSlipsAlone(t *testing.T) {
	needFonts(t)
	list := cards(2)
	for i := range list {
		list[i].PIN = "402917"
	}
	if _, err := print.Cards(context.Background(), list, print.Options{}); !errors.Is(err, print.ErrPIN) {
		t.Errorf("a PIN on a card: %v", err)
	}
	for _, paper := range []print.Paper{print.A6, print.Thermal58, print.Thermal80} {
		f := draw(t, list, print.Options{Paper: paper})
		seen, err := proof.Check(context.Background(), f.PDF, f.Placed)
		if err != nil {
			t.Fatal(err)
		}
		if n := count(seen, "402 917"); n != 2 {
			t.Errorf("%v: the PIN stands %d times", paper, n)
		}
	}
	list[0].PIN = "12345x"
	if f := draw(t, list, print.Options{Paper: print.A6}); len(f.Stopped) != 1 {
		t.Errorf("stopped: %v", f.Stopped)
	}
}

func count(seen proof.Seen, text string) (n int) {
	for _, s := range seen.Texts {
		if s.Text == text {
			n++
		}
	}
	return n
}

// Every sentence of ours fits its place in every language, with the longest month
// and a complaint line of 60 letters.
func TestSentencesFitInEveryLanguage(t *testing.T) {
	needFonts(t)
	for _, lang := range words.Tags() {
		for month := range 12 {
			c := cards(2)
			for i := range c {
				c[i].Lang, c[i].Complaint = lang, "help@desk-of-relief.example, +254 700 111 222, tent 4 at wells"
				c[i].ValidFrom = credential.FromStd(time.Date(2026, time.Month(month+1), 28, 0, 0, 0, 0, time.UTC))
			}
			for name, opt := range ways {
				if _, err := print.Cards(context.Background(), c, opt); err != nil {
					t.Errorf("%s, %s: %v", lang, name, err)
				}
			}
		}
		for _, paper := range []print.Paper{print.A4, print.Letter, print.A6, print.Thermal58, print.Thermal80} {
			f, err := print.Ruler(print.Options{Paper: paper, Lang: lang})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := proof.Check(context.Background(), f.PDF, f.Placed); err != nil {
				t.Errorf("%s, test page on %v: %v", lang, paper, err)
			}
		}
	}
	long := cards(1)
	long[0].Complaint = strings.Repeat("0700 111 222, ", 20)
	if _, err := print.Cards(context.Background(), long, print.Options{}); err == nil {
		t.Error("a complaint line was cut off and nobody told")
	}
	long[0].Complaint = "请来"
	var missing *shape.MissingGlyph
	if _, err := print.Cards(context.Background(), long, print.Options{}); !errors.As(err, &missing) {
		t.Errorf("a complaint line that no typeface has: %v", err)
	}
}

func TestTheLastDayIsSaid(t *testing.T) {
	needFonts(t)
	c := cards(1)
	c[0].Lang = "en"
	seen, err := proof.Check(context.Background(), draw(t, c, print.Options{}).PDF, draw(t, c, print.Options{}).Placed)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Valid from 1\u00a0November\u00a02026", "until 30\u00a0April\u00a02027"} {
		if count(seen, want) != 1 {
			t.Errorf("%q is not on the card: %v", want, seen.Texts)
		}
	}
}

// A slip of a provisional card asks its holder to come before it ends, in her language, and
// does not say why; no other paper of hers does.
func TestAProvisionalSlipAsksToCome(t *testing.T) {
	needFonts(t)
	ask := map[string]string{"en": "complete your registration", "fr": "compléter votre enregistrement", "es": "completar su registro", "ar": "نستكمل تسجيلك", "sw": "tukamilishe usajili wako"}
	for _, lang := range words.Tags() {
		for name, opt := range ways {
			c := cards(2)
			for i := range c {
				c[i].Lang, c[i].Provisional = lang, i == 1
			}
			f := draw(t, c, opt)
			if len(f.Stopped) > 0 {
				t.Errorf("%s, %s: stopped %v", lang, name, f.Stopped)
			}
			seen, err := proof.Check(context.Background(), f.PDF, f.Placed)
			if err != nil {
				t.Errorf("%s, %s: %v", lang, name, err)
				continue
			}
			var all strings.Builder
			for _, s := range seen.Texts {
				all.WriteString(s.Text + " ")
			}
			said := strings.NewReplacer("\u00a0", " ", "\u2066", "", "\u2069", "").Replace(all.String())
			want := 0
			if opt.Paper == print.A6 || opt.Paper == print.Thermal58 || opt.Paper == print.Thermal80 {
				want = 1
			}
			if n := strings.Count(said, ask[lang]); n != want {
				t.Errorf("%s, %s: asked %d times, want %d", lang, name, n, want)
			}
		}
	}
}

func TestSameCardsSameBytes(t *testing.T) {
	needFonts(t)
	for name, opt := range ways {
		a, b := draw(t, cards(12), opt), draw(t, cards(12), opt)
		if !bytes.Equal(a.PDF, b.PDF) {
			t.Errorf("%s: two files differ", name)
		}
		for _, word := range []string{"CreationDate", "Author", "Relief"} {
			if bytes.Contains(a.PDF, []byte(word)) {
				t.Errorf("%s: the file's own particulars say %s", name, word)
			}
		}
	}
}

func TestTheListHasNamesWhenAsked(t *testing.T) {
	needFonts(t)
	for _, names := range []bool{false, true} {
		list := cards(60)
		list[59].Where = "HH-17 · Block C"
		f, err := print.List(context.Background(), list, names, print.Options{Lang: "fr"})
		if err != nil {
			t.Fatal(err)
		}
		seen, err := proof.Check(context.Background(), f.PDF, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.Pages != 3 || (count(seen, "Ґалина Їжакевич") > 0) != names || (count(seen, "HH-17 · Block C") == 1) != names || count(seen, "K7Q2-8M00-059") != 1 {
			t.Errorf("names %v: %d pages, name %d times", names, f.Pages, count(seen, "Ґалина Їжакевич"))
		}
	}
}

func TestAThousandCards(t *testing.T) {
	needFonts(t)
	list := cards(1000)
	told := 0
	f := draw(t, list, print.Options{Duplex: true, Progress: func(done, total int) { told = done }})
	if f.Pages != 200 || len(f.Placed) != 1000 || told != 1000 || len(f.Stopped) != 0 {
		t.Errorf("%d pages, %d codes, told %d, stopped %v", f.Pages, len(f.Placed), told, f.Stopped)
	}
	t.Logf("%d KB a card", len(f.PDF)/1000/1024)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := print.Cards(ctx, list, print.Options{Progress: func(done, _ int) {
		if done == 30 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	most := print.MaxSheets * 8
	split := print.Split(make([]print.Card, 2*most+1), print.Letter)
	if len(split) != 3 || len(split[0]) != most || len(split[2]) != 1 {
		t.Errorf("split into %d", len(split))
	}
	if _, err := print.Cards(context.Background(), make([]print.Card, most+1), print.Options{Paper: print.Letter}); !errors.Is(err, print.ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
}

func TestNothingIsReleasedUnproved(t *testing.T) {
	needFonts(t)
	path := filepath.Join(t.TempDir(), "cards.pdf")
	recorded := 0
	record := func() error { recorded++; return nil }
	absent := func(what string) {
		t.Helper()
		if _, err := os.Stat(path); err == nil || recorded > 0 {
			t.Errorf("%s: released", what)
		}
	}
	f := draw(t, cards(3), print.Options{})
	wrong := f
	wrong.Placed = slices.Clone(f.Placed)
	wrong.Placed[1].Text = text(380, 77)
	var failure *proof.Failure
	if err := print.Release(context.Background(), wrong, path, nil, record); !errors.As(err, &failure) || failure.CardID != f.Placed[1].CardID {
		t.Errorf("another text: %v", err)
	}
	absent("another text")
	var refusal *print.Refusal
	if err := print.Release(context.Background(), f, path, &proof.Rules{}, record); !errors.As(err, &refusal) {
		t.Errorf("codes that are no cards: %v", err)
	}
	absent("codes that are no cards")
	if err := print.Release(context.Background(), print.File{}, path, nil, record); !errors.Is(err, print.ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	busy := errors.New("busy")
	if err := print.Release(context.Background(), f, path, nil, func() error { return busy }); !errors.Is(err, busy) {
		t.Errorf("not in the log: %v", err)
	}
	absent("not in the log")
	if err := print.Release(context.Background(), f, path, nil, record); err != nil || recorded != 1 {
		t.Fatalf("%v, recorded %d", err, recorded)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestPapers(t *testing.T) {
	for _, name := range []string{"a4", "letter", "a6", "58", "80"} {
		if p, err := print.ParsePaper(name); err != nil || p.String() != name {
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
	if _, err := print.ParsePaper("a3"); err == nil {
		t.Error("a3 is a paper")
	}
}

// A page of ten cards with two shaped names each, without photographs, as
// multiples of one ES256 signature; the bar of PERFORMANCE 0, per card: 6 with the
// signature itself and the code's matrix.
func BenchmarkPage(b *testing.B) {
	needFonts(b)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, 32)
	// The fastest of several rounds: the floor is what the machine can do.
	sign := time.Hour
	for range 20 {
		start := time.Now()
		for range 50 {
			if _, err := ecdsa.SignASN1(rand.Reader, key, digest); err != nil {
				b.Fatal(err)
			}
		}
		sign = min(sign, time.Since(start)/50)
	}
	list := cards(200)
	for i := range list {
		list[i].Photo = nil
		list[i].Name = names[1+i%9]
		list[i].Organisation = names[1+i%2]
		list[i].Lang = "ar"
	}
	draw(b, list, print.Options{}) // faces are parsed once a program
	b.Run("cards", func(b *testing.B) {
		fastest := time.Hour
		for b.Loop() {
			start := time.Now()
			draw(b, list, print.Options{})
			fastest = min(fastest, time.Since(start))
		}
		perCard := float64(fastest.Nanoseconds()) / float64(len(list))
		b.ReportMetric(perCard/float64(sign.Nanoseconds()), "signatures/card")
		b.ReportMetric(perCard*10/1e6, "ms/page")
	})
	b.Run("matrix", func(b *testing.B) {
		for b.Loop() {
			if _, err := qrcode.Fast(list[0].Text); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(sign.Nanoseconds()), "signatures/code")
	})
}

// A line from the right keeps the order of what is written from the left, also where
// it goes on in the next line: numbers, times, words.
func TestOtherWritingKeepsItsOrder(t *testing.T) {
	needFonts(t)
	const said = "+254 700 111 222, toll free 0800 720 577, Sun–Thu 8:00–16:00"
	for i, paper := range []print.Paper{print.A4, print.A6, print.Thermal58, print.A4, print.A6, print.Thermal58} {
		list := cards(1)
		list[0].Lang, list[0].Complaint = []string{"ar", "fr"}[i/3], said
		f := draw(t, list, print.Options{Paper: paper})
		seen, err := proof.Check(context.Background(), f.PDF, f.Placed)
		if err != nil {
			t.Fatal(err)
		}
		for _, number := range []string{"+254 700 111 222", "0800 720 577", "8:00–16:00"} {
			whole := false
			for _, s := range seen.Texts {
				whole = whole || strings.Contains(strings.ReplaceAll(s.Text, "\u00a0", " "), number)
			}
			if !whole {
				t.Errorf("%v: %q is not on one line", paper, number)
			}
		}
	}
}

// A long name of a house is no reason to print nothing.
func TestALongOrganisationIsCut(t *testing.T) {
	needFonts(t)
	list := cards(2)
	for i := range list {
		list[i].Organisation, list[i].Programme = "International Federation of Red Cross and Red Crescent Societies, Somalia delegation", strings.Repeat("Programme ", 9)
		list[i].Photo = photo
	}
	for name, opt := range ways {
		f := draw(t, list, opt)
		if len(f.Placed) != 2 || len(f.Warned) > 1 || (len(f.Warned) == 0) != opt.Plain {
			t.Errorf("%s: %d cards, %v", name, len(f.Placed), f.Warned)
		}
	}
}

// A thermal head is narrower than its paper: 384 dots of 58 mm, 576 of 80.
func TestThermalCodesAreWithinReach(t *testing.T) {
	needFonts(t)
	for paper, reach := range map[print.Paper]float64{print.Thermal58: 48, print.Thermal80: 72} {
		for chars := 30; chars < 700; chars += 25 {
			list := cards(1)
			list[0].Text = text(chars, 1)
			for _, p := range draw(t, list, print.Options{Paper: paper}).Placed {
				matrix, err := qrcode.Fast(p.Text)
				if err != nil {
					t.Fatal(err)
				}
				side := float64(len(matrix))
				if dark := p.Size * side / (side + 2*qrcode.QuietZone); dark > reach+0.01 || p.X < 0 {
					t.Errorf("%v: a code of %d characters is %.2f mm wide at %.2f", paper, chars, dark, p.X)
				}
			}
		}
	}
}

// What any phone can read stands on backs and slips, with the size of the family
// where the code tells that.
func TestPaperSaysWhatPhonesRead(t *testing.T) {
	needFonts(t)
	for _, lang := range words.Tags() {
		w, _ := words.Language(lang)
		for _, opt := range []print.Options{{Paper: print.A4, Duplex: true}, {Paper: print.A6}, {Paper: print.Thermal58}} {
			for _, size := range []bool{false, true} {
				list := cards(1)
				list[0].Lang, list[0].Size = lang, size
				f := draw(t, list, opt)
				seen, err := proof.Check(context.Background(), f.PDF, f.Placed)
				if err != nil {
					t.Fatal(err)
				}
				said := ""
				for _, s := range seen.Texts {
					said += s.Text + " "
				}
				if strings.Contains(said, w.Text("print.square")) == size || strings.Contains(said, w.Text("print.square_size")) != size {
					t.Errorf("%s, %v, size %v: %s", lang, opt.Paper, size, said)
				}
			}
		}
	}
}

// A slip has room for the largest codes, also with all else that may stand on it.
func TestASlipTakesLargeCodes(t *testing.T) {
	needFonts(t)
	for _, lang := range words.Tags() {
		for chars, pin := range map[int]string{800: "123456", 1200: ""} {
			list := cards(1)
			list[0].Text, list[0].Lang, list[0].PIN, list[0].Size, list[0].Photo = text(chars, 1), lang, pin, true, photo
			list[0].Name, list[0].Complaint = names[9], "help@desk-of-relief.example, +254 700 111 222, tent 4 at wells"
			f := draw(t, list, print.Options{Paper: print.A6})
			if len(f.Stopped) != 0 {
				t.Errorf("%s: %v", lang, f.Stopped)
			} else if _, err := proof.Check(context.Background(), f.PDF, f.Placed); err != nil {
				t.Errorf("%s: %v", lang, err)
			}
		}
	}
}

// TestDemoSheet: each code of a demo's sheet has its own word right beneath it, every
// page says that it is a demo, and a card that cannot be printed is an error.
func TestDemoSheet(t *testing.T) {
	needFonts(t)
	var cards []print.DemoCard
	for i := range 8 {
		c := print.DemoCard{Word: fmt.Sprint("WORD ", i), Why: strings.Repeat("because of something ", 3)}
		c.ID, c.Text = fmt.Sprint("card-", i), text(400, i)
		if i != 5 {
			c.Number, c.ValidFrom, c.ValidUntil, c.Organisation = "GBFFZGF4B2Y", from, until, "DEMO"
		}
		cards = append(cards, c)
	}
	file, err := print.DemoSheet(context.Background(), "DEMO: nothing is due", cards, []string{"How to see the rest."}, print.Options{Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := proof.Check(context.Background(), file.PDF, file.Placed)
	if err != nil {
		t.Fatal(err)
	}
	if file.Pages != 2 || print.DemoPages(len(cards), 1) != 2 || print.DemoPages(9, 1) != 3 || print.DemoPages(6, 1) != 2 || print.DemoPages(6, 0) != 1 || len(seen.Codes) != len(cards) {
		t.Fatalf("%d pages, %d codes", file.Pages, len(seen.Codes))
	}
	demos := 0
	for _, found := range seen.Texts {
		if found.Text == "How to see the rest." && (found.Page != 1 || found.Y < file.Placed[7].Card.Y+file.Placed[7].Card.Height+12) {
			t.Errorf("the notes are on page %d at %v, not beneath the last cards", found.Page, found.Y)
		}
		if found.Text == "DEMO" && found.Page >= 0 {
			demos++
		}
	}
	if demos < 2*len(cards)-1 {
		t.Errorf("DEMO stands %d times on the sheet", demos)
	}
	for i, at := range file.Placed {
		beneath := slices.ContainsFunc(seen.Texts, func(w proof.Text) bool {
			below := w.Y - at.Card.Y - at.Card.Height
			return w.Page == at.Page && w.Text == cards[i].Word && below > 4 && below < 12 && w.X > at.Card.X-5 && w.X < at.Card.X+5
		})
		if !beneath {
			t.Errorf("%s is not beneath its card", cards[i].Word)
		}
	}
	cards[0].Number = "short"
	if _, err := print.DemoSheet(context.Background(), "DEMO", cards, nil, print.Options{Lang: "en"}); err == nil {
		t.Error("a card without a right number is printed")
	}
}
