package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
)

// The pictures of a moving code lead back to the file, whatever the order and however
// many are blurred, as long as there are as many codes as a round has: sums of codes
// stand in for those that are missing.
func TestPicturesOfMovingCodesMakeTheFile(t *testing.T) {
	dir := t.TempDir()
	message := bytes.Repeat([]byte("a journal of many records, "), 60)
	moving, err := movingCode(message, framesASecond)
	if err != nil {
		t.Fatal(err)
	}
	film := filepath.Join(dir, "film.gif")
	if err := os.WriteFile(film, moving, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "other.journal")
	if err := os.WriteFile(plain, []byte("as it is"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := readCarried([]string{film, plain}, 1<<20)
	if err != nil || len(files) != 2 || !bytes.Equal(files[0].content, message) || string(files[1].content) != "as it is" {
		t.Fatalf("%d files, %v", len(files), err)
	}

	g, err := gif.DecodeAll(bytes.NewReader(moving))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Image) != 10 || g.Delay[0] != 20 {
		t.Fatalf("%d pictures, %d hundredths of a second each", len(g.Image), g.Delay[0])
	}
	photos := filepath.Join(dir, "photos")
	shoot := func(name string, img image.Image) {
		t.Helper()
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(photos, name), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(photos, 0o700); err != nil {
		t.Fatal(err)
	}
	shoot("0-the table.png", image.NewGray(image.Rect(0, 0, 300, 300)))
	for i, name := range []string{"4.png", "1.png", "3.png", "2.png"} {
		shoot(name, g.Image[i])
	}
	if _, err := readCarried([]string{photos}, 1<<20); err == nil || !strings.Contains(err.Error(), "4 of 5") {
		t.Errorf("one code is missing: %v", err)
	}
	shoot("5.png", g.Image[1]) // it was shown again
	shoot("6.png", g.Image[5]) // the sum of all
	shoot("7.png", g.Image[4])
	if files, err := readCarried([]string{photos}, 1<<20); err != nil || len(files) != 1 || !bytes.Equal(files[0].content, message) {
		t.Errorf("%d files, %v", len(files), err)
	}
	if _, err := readCarried([]string{filepath.Join(photos, "0-the table.png")}, 1<<20); err == nil {
		t.Error("a table is a file")
	}
}

func TestAGIFThatClaimsTooMuchIsNotUnpacked(t *testing.T) {
	var one bytes.Buffer
	wall := image.NewPaletted(image.Rect(0, 0, 4000, 4000), color.Palette{color.White, color.Black})
	if err := gif.EncodeAll(&one, &gif.GIF{Image: []*image.Paletted{wall}, Delay: []int{1}}); err != nil {
		t.Fatal(err)
	}
	at := bytes.IndexByte(one.Bytes(), 0x2c)
	body := one.Bytes()[at : one.Len()-1]
	var b bytes.Buffer
	b.Write(one.Bytes()[:at])
	for range 40 {
		b.Write(body)
	}
	t.Logf("%d bytes claim 640 million pixels", b.Len())
	if err := checkGIF(b.Bytes()); err == nil {
		t.Error("it is taken")
	}
	if err := checkGIF(b.Bytes()[:b.Len()/4]); err != nil {
		t.Errorf("a quarter of it: %v", err) // torn, the decoder says
	}
}

func FuzzCodesOfGIF(f *testing.F) {
	moving, err := movingCode([]byte("a short file"), framesASecond)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(moving)
	f.Add(moving[:len(moving)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<14 || checkGIF(b) != nil {
			return
		}
		if c, err := gif.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width*c.Height > 1<<16 {
			return
		}
		_, _ = codesOf(b, true)
	})
}

// From the laptop's list to a phone's: a card is revoked, the change alone is written,
// and the phone that has the old pack takes it, and no older one.
func TestStatusDeltaIsWhatThePhoneLacks(t *testing.T) {
	l := newLaptop(t)
	var roster strings.Builder
	roster.WriteString("id,name,household_size\n")
	for i := range 300 {
		fmt.Fprintf(&roster, "P-%d,Person %c%c,3\n", i, 'A'+i%26, 'a'+i/26)
	}
	if err := os.WriteFile(l.path("roster.csv"), []byte(roster.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	l.must("trust", "grant", l.path("list.draft"), "--org", "https://relief-a.example/i1", "--type", "eligibility")
	l.must("trust", "sign", l.path("list.draft"), "--key", l.path("anchor.key"), "--out", l.path("granted.list"))
	l.must("issue", l.path("roster.csv"), "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--out", l.path("cards.jsonl"))
	var ids []string
	cards, err := os.ReadFile(l.path("cards.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(bytes.TrimSpace(cards), []byte("\n")) {
		var c struct{ Credential string }
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.Credential)
	}
	l.must(append([]string{"revoke", "--reason", "lost"}, ids[:200]...)...)
	l.must("pack", "build", "--trust", l.path("granted.list"), "--site", "wellA", "--out", l.path("wellA.pack"))

	if code, _ := l.run(t.Context(), "status", "delta", "--since", l.path("wellA.pack"), "--out", l.path("none.upd")); code != 2 || !strings.Contains(l.stderr.String(), "nothing is newer") {
		t.Errorf("exit %d of nothing newer: %s", code, l.stderr.String())
	}
	l.must("revoke", "--reason", "lost", ids[250])
	var made struct {
		Bytes int
		Lists []struct{ Form string }
	}
	if err := json.Unmarshal([]byte(l.must("status", "delta", "--since", l.path("wellA.pack"), "--out", l.path("lists.upd"), "--json")), &made); err != nil {
		t.Fatal(err)
	}
	if len(made.Lists) == 0 || made.Lists[0].Form != "delta" || made.Bytes > 800 {
		t.Errorf("%+v: two codes would do", made)
	}
	// What the phone makes of it.
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(l.path(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	at := credential.FromStd(scriptClock()) + 60
	p, floors, err := verifier.OpenPack(read("wellA.pack"), verifier.Floors{}, at)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := verifier.SplitUpdates(read("lists.upd"))
	if err != nil {
		t.Fatal(err)
	}
	before := p.Lists()[0].IssuedAt
	p, floors, used, err := p.AddUpdates(parts, floors, at)
	if err != nil || len(used) != len(made.Lists) || p.Lists()[0].IssuedAt <= before {
		t.Fatalf("%d taken, %v", len(used), err)
	}
	// A second one, after the first.
	l.must("revoke", "--reason", "lost", ids[251])
	l.must("status", "delta", "--since", l.path("wellA.pack"), "--since", l.path("lists.upd"), "--out", l.path("more.upd"))
	if parts, err = verifier.SplitUpdates(read("more.upd")); err != nil {
		t.Fatal(err)
	}
	if _, _, used, err := p.AddUpdates(parts, floors, at); err != nil || len(used) == 0 {
		t.Errorf("%d of the second taken, %v", len(used), err)
	}
	// In a terminal, and as a picture.
	shown := l.must("frames", l.path("lists.upd"), "--terminal", "--rounds", "1", "--speed", "10")
	if !strings.Contains(shown, "1 of 2") || strings.Count(shown, "\n") < 30 {
		t.Errorf("shown: %q", shown)
	}
	l.must("frames", l.path("lists.upd"), "--out", l.path("lists.gif"))
	if files, err := readCarried([]string{l.path("lists.gif")}, 1); err == nil || files != nil {
		t.Error("a bound is not held")
	}
	if files, err := readCarried([]string{l.path("lists.gif")}, 1<<20); err != nil || !bytes.Equal(files[0].content, read("lists.upd")) {
		t.Errorf("%v", err)
	}
}

// 20 KB by a moving code, to a camera that misses one code in four.
func TestTwentyKilobytesByTheCamera(t *testing.T) {
	message := make([]byte, 20<<10)
	for i := range message {
		message[i] = byte(i * i >> 3)
	}
	texts, round := enrol.Row(message)
	var row enrol.Frameset
	chance := rand.New(rand.NewPCG(1, 2))
	for n := range 10 * len(texts) {
		if chance.IntN(4) == 0 {
			continue
		}
		got, err := row.Add(texts[n%len(texts)])
		if err != nil {
			t.Fatal(err)
		}
		if got != nil {
			seconds := float64(n+1) / framesASecond
			t.Logf("%d codes, all there after %.1f s", round, seconds)
			if !bytes.Equal(got, message) || seconds > 18 {
				t.Error("not the message, or too slow")
			}
			return
		}
	}
	t.Error("never")
}
