package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	jpegs "image/jpeg"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// portrait is a picture of one colour, as a camera makes it: wider than a face.
func portrait(t *testing.T, shade uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 400, 300))
	for i := range m.Pix {
		m.Pix[i] = shade
	}
	var b bytes.Buffer
	if err := jpegs.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sendPhoto sends a picture for the version of the record's that was seen.
func (b *browser) sendPhoto(id registry.ID, seen, field string, content []byte) *httptest.ResponseRecorder {
	b.w.Helper()
	return b.upload("/people/"+id.String()+"/photo", url.Values{"seen": {seen}, "reason": {"asked"}}, field, content)
}

// bare is a person without a picture.
func (w *world) bare() registry.ID {
	w.Helper()
	n, _ := registry.ParseName("Amina Yusuf", registry.Official)
	e, err := w.registry(own).Enter(w.Context(), registry.Entry{Person: registry.Person{Names: []registry.Name{n}}})
	if err != nil {
		w.Fatal(err)
	}
	return e.ID
}

// A picture comes from a file or a camera, is drawn again as 3 to 4, is served as a picture
// and nothing else to who may see it, is replaced and removed, and its history is told.
func TestAPhotographIsAddedReplacedAndRemoved(t *testing.T) {
	w := newWorld(t)
	a := w.as(own, access.Registrar)
	id := w.bare()
	media := "/media/" + id.String()
	if got := a.sendPhoto(id, "0", "photo", portrait(t, 40)); got.Code != 303 {
		t.Fatalf("%d\n%s", got.Code, got.Body)
	}
	got := a.get(media)
	m, err := jpegs.Decode(got.Body)
	if err != nil || m.Bounds().Dx()*4 != m.Bounds().Dy()*3 {
		t.Fatalf("%v %v", m.Bounds(), err)
	}
	for name, want := range map[string]string{"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store"} {
		if got.Header().Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header().Get(name), want)
		}
	}
	if code := w.browser().get(media).Code; code != 303 {
		t.Errorf("to nobody: %d", code)
	}
	if code := a.get("/media/" + w.person(other, "Amina Yusuf").String()).Code; code != 404 {
		t.Errorf("another organisation's: %d", code)
	}
	// Two had the page open: the second does not put a face where another's was put meanwhile.
	if got := a.sendPhoto(id, "0", "camera", portrait(t, 200)); got.Code != 409 {
		t.Errorf("over a picture that was not seen: %d", got.Code)
	}
	if got := a.sendPhoto(id, "1", "camera", portrait(t, 200)); got.Code != 303 {
		t.Errorf("replaced: %d", got.Code)
	}
	if m, err = jpegs.Decode(a.get(media).Body); err != nil || color.GrayModel.Convert(m.At(9, 9)).(color.Gray).Y < 150 {
		t.Errorf("the old one is served: %v", err)
	}
	if page := a.get("/people/" + id.String() + "/history").Body.String(); strings.Count(page, "a photograph that was destroyed") != 2 || strings.Count(page, "Photograph, ") != 1 {
		t.Errorf("the history does not tell of both, one of them destroyed:\n%s", page)
	}
	remove := "/people/" + id.String() + "/photo-remove"
	if got := a.post(remove, url.Values{"seen": {"1"}, "reason": {"asked"}}); got.Code != 409 {
		t.Errorf("one that was not seen is removed: %d", got.Code)
	}
	if got := a.post(remove, url.Values{"seen": {"2"}, "reason": {"asked"}}); got.Code != 303 || a.get(media).Code != 404 {
		t.Errorf("removed: %d, and then %d", got.Code, a.get(media).Code)
	}
	// Nobody sees it any more, in the language of who looks either: compared with the day before it went.
	for lang, said := range map[string]string{"en": "a photograph that was destroyed", "fr": "une photo qui a été détruite", "es": "una fotografía que fue destruida", "ar": "صورة أُتلفت", "sw": "picha iliyoharibiwa"} {
		a.post("/language", url.Values{"lang": {lang}, "next": {"/desk/"}})
		if page := a.get("/people/" + id.String() + "/history").Body.String(); strings.Contains(page, " KiB") || strings.Contains(page, "Kio") || strings.Count(page, said) != 4 {
			t.Errorf("%s: the history of what was destroyed:\n%s", lang, page)
		}
	}
	a.post("/language", url.Values{"lang": {"en"}, "next": {"/desk/"}})
	for name, got := range map[string]*httptest.ResponseRecorder{
		"no picture":         a.sendPhoto(id, "3", "photo", nil),
		"without the state":  a.sendPhoto(id, "", "photo", portrait(t, 1)),
		"without a reason":   a.upload("/people/"+id.String()+"/photo", url.Values{"seen": {"3"}}, "photo", portrait(t, 1)),
		"over the bound":     a.sendPhoto(id, "3", "photo", make([]byte, 13<<20)),
		"a field of no form": a.sendPhoto(id, "3", "other", portrait(t, 1)),
	} {
		if got.Code < 400 || got.Code >= 500 {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	if code := w.as(own, access.Approver).sendPhoto(id, "3", "photo", portrait(t, 1)).Code; code != 403 {
		t.Errorf("by an approver: %d", code)
	}
}

// Each picture among the hostile files ends as its list says (THREATS 4.6), through the door
// that a browser has.
func TestHostilePicturesAtTheDoor(t *testing.T) {
	const folder = "../../../shared/hostile-files/"
	raw, err := os.ReadFile(folder + "manifest.json")
	if err != nil {
		t.Skip("SKIPPED: ../shared/hostile-files is not beside the project")
	}
	var list []struct{ File, Expect string }
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	a := w.as(own, access.Registrar)
	tried := 0
	for _, f := range list {
		if ext := filepath.Ext(f.File); ext != ".jpg" && ext != ".png" && ext != ".gif" {
			continue
		}
		content, err := os.ReadFile(folder + f.File)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		tried++
		id := w.bare()
		got := a.sendPhoto(id, "0", "photo", content)
		if !strings.HasPrefix(f.Expect, "accept") {
			if page := got.Body.String(); got.Code != 422 || !strings.Contains(page, "This picture cannot be used") || a.get("/media/"+id.String()).Code != 404 {
				t.Errorf("%s (%s): %d\n%s", f.File, f.Expect, got.Code, page)
			}
			continue
		}
		kept := a.get("/media/" + id.String()).Body.Bytes()
		if got.Code != 303 || len(kept) == 0 {
			t.Errorf("%s (%s): %d", f.File, f.Expect, got.Code)
		}
		for _, not := range []string{"Exif", "GPS", "script", "iTXt"} {
			if bytes.Contains(kept, []byte(not)) {
				t.Errorf("%s: %q is in what is kept", f.File, not)
			}
		}
	}
	if tried < 8 {
		t.Errorf("only %d pictures were tried", tried)
	}
	for name, content := range map[string][]byte{
		"a picture with a ZIP behind it": append(portrait(t, 9), "PK\x03\x04 hidden archive"...),
		"an SVG":                         []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"a script":                       []byte("<?php system($_GET['c']); ?>"),
		"a HEIC picture":                 []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"),
	} {
		id := w.bare()
		got := a.sendPhoto(id, "0", "photo", content)
		if kept := a.get("/media/" + id.String()); bytes.Contains(kept.Body.Bytes(), []byte("hidden archive")) || (got.Code == 303) != (kept.Code == 200) || got.Code >= 500 {
			t.Errorf("%s: %d, and %d", name, got.Code, kept.Code)
		}
	}
}

// Many who send pictures at once are served one after the other, or asked to come again:
// nobody's fails, and the pictures do not get into each other's place.
func TestManyPhotographsAtOnce(t *testing.T) {
	w := newWorld(t)
	a := w.as(own, access.Registrar)
	const many = 24
	codes, ids := make(chan string, many), []registry.ID{}
	for range many {
		ids = append(ids, w.bare())
	}
	picture := portrait(t, 77)
	for _, id := range ids {
		go func() { codes <- fmt.Sprint(a.sendPhoto(id, "0", "photo", picture).Code) }()
	}
	for range many {
		if code := <-codes; code != "303" && code != "503" {
			t.Errorf("an answer of %s", code)
		}
	}
}
