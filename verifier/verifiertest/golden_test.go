//go:build !js

package verifiertest_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/qrcode"
	"aidpass/verifier"
	"aidpass/verifier/verifiertest"
	"aidpass/words"
)

// Golden cards are what a release has put into people's hands. They are written
// once and then only read: a release adds a folder, nothing ever changes one.
//
//	testdata/golden/SHA256SUMS        every file, as sha256sum writes it
//	testdata/golden/2026-11/          the release
//	    pack.aidpass                  what the cards are judged by
//	    NN-name.txt .png .json        text, picture at level M, and what is said of it
const golden = "../../testdata/golden"

// releases are the folders there must be, and the SHA-256 of their lines in
// SHA256SUMS: so the list itself cannot lose or change a line unnoticed.
var releases = map[string]string{
	"2026-11": "5510a1bce72dfa80c4779c1bacf4ab5a58b4727221f6c6309ea80d000bf24320",
}

var release = flag.String("release", "", "write the golden cards of a new release, such as 2027-03")

// said is what a golden card's JSON holds.
type said struct {
	At string `json:"at"` // the clock, RFC 3339
	// DeviceKey (P-256 private scalar), Code and PIN are there where the card is
	// read by an unlocked device.
	DeviceKey []byte `json:"device_key,omitempty"`
	Code      string `json:"code,omitempty"`
	PIN       string `json:"pin,omitempty"`

	Answer     words.Answer   `json:"answer"`
	Reason     words.Reason   `json:"reason"`
	Word       words.Word     `json:"word"`
	Credential []byte         `json:"credential"`
	Type       string         `json:"type"` // vct
	Issuer     string         `json:"issuer"`
	Number     string         `json:"number"`
	ValidFrom  string         `json:"valid_from"`
	ValidUntil string         `json:"valid_until"`
	Status     string         `json:"status"` // list URI and index
	Identity   []byte         `json:"identity"`
	Claims     map[string]any `json:"claims"`
}

func (s *said) fill(r *verifier.Result) {
	c := &r.Credential
	s.Answer, s.Reason, s.Word = r.Answer, r.Reason, r.Word
	s.Credential, s.Type, s.Issuer, s.Number = c.ID, string(c.Type), string(c.Issuer), r.CardNumber()
	s.ValidFrom, s.ValidUntil = c.NotBefore.String(), c.ExpiresAt.String()
	s.Status = fmt.Sprintf("%s#%d", c.Status.URI, c.Status.Index)
	s.Identity, s.Claims = c.Identity, r.Claims()
}

// asRead is s after a trip through JSON, so that two of them can be compared.
func asRead(t *testing.T, s *said) (out map[string]any) {
	t.Helper()
	b, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenCardsAreRead(t *testing.T) {
	for folder := range releases {
		pack := read(t, golden, folder, "pack.aidpass")
		texts, err := filepath.Glob(filepath.Join(golden, folder, "*.txt"))
		if err != nil || len(texts) < 10 {
			t.Errorf("%s: %d cards, want ten (%v)", folder, len(texts), err)
		}
		for _, path := range texts {
			stem := strings.TrimSuffix(path, ".txt")
			t.Run(filepath.Base(stem), func(t *testing.T) {
				text := string(read(t, path))
				var want said
				if err := json.Unmarshal(read(t, stem+".json"), &want); err != nil {
					t.Fatal(err)
				}
				printed := read(t, stem+".png")
				for dress, picture := range map[string][]byte{
					"as printed": printed, "turned and blurred": photograph(t, printed, 7, 0), "upside down and folded": photograph(t, printed, 180, 0.02),
				} {
					found, err := qrcode.ReadImage(bytes.NewReader(picture))
					if err != nil || len(found) != 1 || found[0] != text {
						t.Errorf("the picture, %s, is read as %q (%v)", dress, found, err)
					}
				}
				got := want
				judgeGolden(t, &got, text, pack)
				if !reflect.DeepEqual(asRead(t, &got), asRead(t, &want)) {
					t.Errorf("got %+v\nwant %+v", got, want)
				}
			})
		}
	}
}

// photograph is a camera's view of a printed card: turned by degrees, its edges
// blurred over three quarters of a module, and folded at the middle, which makes
// the right half narrower by fold.
func photograph(t *testing.T, printed []byte, degrees, fold float64) []byte {
	t.Helper()
	paper, err := png.Decode(bytes.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	side := paper.Bounds().Dx()
	middle, sin, cos := float64(side)/2, math.Sin(degrees*math.Pi/180), math.Cos(degrees*math.Pi/180)
	light := func(x, y float64) float64 { // of a point seen from the middle of the view
		u, v := x*cos+y*sin, y*cos-x*sin
		if u > 0 {
			u /= 1 - fold
		}
		at := image.Pt(int(math.Floor(u+middle)), int(math.Floor(v+middle)))
		if !at.In(paper.Bounds()) {
			return 220
		}
		return 40 + 180*float64(color.GrayModel.Convert(paper.At(at.X, at.Y)).(color.Gray).Y)/255
	}
	view := image.NewGray(image.Rect(0, 0, side*5/4, side*5/4))
	for i := range view.Pix {
		x, y, sum := float64(i%view.Stride)-middle*5/4, float64(i/view.Stride)-middle*5/4, 0.0
		for s := range 9 {
			sum += light(x+float64(s%3-1), y+float64(s/3-1)) / 9
		}
		view.Pix[i] = uint8(sum)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, view, &jpeg.Options{Quality: 80}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// judgeGolden fills s with what today's code says of a card.
func judgeGolden(t *testing.T, s *said, text string, pack []byte) {
	t.Helper()
	at, err := credential.ParseTime(s.At)
	if err != nil {
		t.Fatal(err)
	}
	p, floors, err := verifier.OpenPack(pack, verifier.Floors{}, at)
	if err != nil {
		t.Fatal(err)
	}
	in := verifier.Inputs{At: at, Floors: floors, Pack: p, PIN: s.PIN}
	if s.DeviceKey != nil {
		k, err := ecdh.P256().NewPrivateKey(s.DeviceKey)
		if err != nil {
			t.Fatal(err)
		}
		recipient, err := cose.NewRecipient(k)
		if err != nil {
			t.Fatal(err)
		}
		if in.Unlock, err = p.Unlock(recipient, []byte(s.Code)); err != nil {
			t.Fatal(err)
		}
	}
	r := verifier.Verify(text, in)
	s.fill(&r)
}

// TestGoldenCardsStay fails when a file was changed, lost or not listed.
func TestGoldenCardsStay(t *testing.T) {
	listed := map[string]bool{"SHA256SUMS": true}
	lines := map[string]string{} // of each release
	for line := range strings.Lines(string(read(t, golden, "SHA256SUMS"))) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok {
			t.Fatalf("SHA256SUMS: %q", line)
		}
		b, err := os.ReadFile(filepath.Join(golden, filepath.FromSlash(name)))
		if got := sha256.Sum256(b); err != nil || hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s has changed or is lost (%v): a golden card is for ever; bring it back", name, err)
		}
		listed[name] = true
		folder, _, _ := strings.Cut(name, "/")
		lines[folder] += line
	}
	for folder, want := range releases {
		if got := sha256.Sum256([]byte(lines[folder])); hex.EncodeToString(got[:]) != want {
			t.Errorf("the lines of %s in SHA256SUMS have SHA-256 %x, not %q: lines are only ever added, for a new release", folder, got, want)
		}
		delete(lines, folder)
	}
	for folder := range lines {
		t.Errorf("%s is in SHA256SUMS and not among the releases of this test", folder)
	}
	err := filepath.WalkDir(golden, func(path string, d os.DirEntry, err error) error {
		name, _ := filepath.Rel(golden, path)
		if err == nil && !d.IsDir() && !listed[filepath.ToSlash(name)] {
			t.Errorf("%s is not in SHA256SUMS", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestWriteGolden writes a new release's folder and its lines, with -release. It
// never writes over one. Put the release and the sum it prints into releases.
func TestWriteGolden(t *testing.T) {
	if *release == "" {
		t.Skip("only with -release")
	}
	dir := filepath.Join(golden, *release)
	if err := os.MkdirAll(golden, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err) // it is there already
	}
	w := verifiertest.New()
	lines := ""
	write := func(name string, b []byte) {
		sum := sha256.Sum256(b)
		lines += fmt.Sprintf("%x  %s/%s\n", sum, *release, name)
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range w.Golden() {
		if i == 0 {
			write("pack.aidpass", c.Pack)
		}
		r := w.Judge(&c)
		if err := c.Check(&r); err != nil {
			t.Fatal(err)
		}
		s := said{At: c.At.String(), PIN: c.PIN}
		if c.Unlock {
			s.Code = string(w.Code)
			var err error
			if s.DeviceKey, err = w.Device.Signer.(*ecdsa.PrivateKey).Bytes(); err != nil {
				t.Fatal(err)
			}
		}
		judgeGolden(t, &s, c.Text, c.Pack)
		b, err := json.MarshalIndent(&s, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		picture, err := qrcode.PNG(c.Text, qrcode.M, 4)
		if err != nil {
			t.Fatal(err)
		}
		write(c.Name+".json", append(b, '\n'))
		write(c.Name+".png", picture)
		write(c.Name+".txt", []byte(c.Text))
	}
	f, err := os.OpenFile(filepath.Join(golden, "SHA256SUMS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(lines); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%q: \"%x\",", *release, sha256.Sum256([]byte(lines)))
}
