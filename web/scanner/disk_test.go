package scanner_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// smallDisk mounts a disk of so many bytes for this test.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no disk may be mounted here, so none is filled up (root may): %v, %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil { // lazily: the browser lets go in its own time
			t.Errorf("umount: %v, %s", err, out)
		}
	})
	return dir
}

// fill leaves no byte free on the disk of dir, and returns what makes room again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(block) // the last one in part
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// The disk below the browser is full, not only its share of it. Chromium then closes
// its database without an error, opens none, and, once there is room, throws all of it
// away at the start after the next: half a record stands in its log. Here it is said at
// the record that finds no room, cards are still judged, with room again recording goes
// on, and whatever was said to be recorded is there after a start.
func TestTheDiskIsFull(t *testing.T) {
	t.Run("the browser says how much room there is", func(t *testing.T) { fullDisk(t, "") })
	t.Run("a write finds out", func(t *testing.T) { fullDisk(t, `navigator.storage.estimate = undefined`) })
}

// fullDisk is the story of one; script is run before each page.
func fullDisk(t *testing.T, script string) {
	t.Parallel()
	server := serve(t)
	disk := smallDisk(t, 512<<20)
	profile := chromedp.UserDataDir(disk)
	p := newPhone(t, server.URL, profile)
	p.OnLoad(script)
	p.reload()
	key := p.enrolled()
	n := 0
	// give gives for a new household, and says on which screen that ends.
	give := func() string {
		t.Helper()
		n++
		p.typed(world.Text(vt.CardOptions{Unit: fmt.Sprint("disk-", n)}))
		p.screen("verdict")
		if got := p.text("#title"); got != "GIVE" {
			t.Fatalf("card %d: %q", n, got)
		}
		p.hold("give")
		p.wait(`document.querySelector("#screen").dataset.screen !== "verdict"`)
		screen := eval[string](p, `document.querySelector("#screen").dataset.screen`)
		if toast := p.text("#toast"); screen == "scan" && !strings.Contains(toast, "Recorded.") {
			t.Fatalf("card %d: %q", n, toast)
		}
		return screen
	}
	given := func() (sum int) {
		t.Helper()
		for _, v := range p.readJournal(key).Visits {
			if v.Kind == visit.Collection {
				sum++
			}
		}
		return sum
	}
	said := 0
	if got := give(); got != "scan" {
		t.Fatalf("with room: %q", got)
	}
	said++
	free := fill(t, disk)
	// The last block of the database's log may hold some more, and the browser tidies up.
	for got := "scan"; got != "stop-full"; {
		fill(t, disk)
		switch got = give(); got {
		case "scan":
			if said++; said > 40 {
				t.Fatal("40 records on a full disk")
			}
		case "stop-full":
		default:
			t.Fatalf("record %d ends on screen %q: %q", said+1, got, p.text("#toast"))
		}
	}
	t.Logf("%d records were said to be there when the disk was full", said)
	if !eval[bool](p, `!!localStorage.getItem("aidpass-was-full")`) {
		t.Error("the phone does not remember that its log may be torn: a start now would write behind that")
	}
	if body := p.text(".body"); !strings.Contains(body, "Nothing was recorded.") {
		t.Errorf("%q", body)
	}
	p.shoot("disk-full-en")
	p.axe("disk full")
	// The browser opens its database for nobody now; cards are judged all the same, and
	// the one that could not be recorded was not given on.
	p.Push(".actions button")
	p.screen("ready")
	n--
	if got := give(); got != "stop-full" {
		t.Errorf("still full: %q", got)
	}
	free()
	p.Push(".actions button")
	p.screen("ready")
	if got := give(); got != "scan" {
		t.Fatalf("with room again: %q", got)
	}
	said++
	if got := given(); got != said {
		t.Errorf("%d records are there, %d were said to be", got, said)
	}
	// What was said to be there is on the disk, and not only in the browser's memory.
	p.Kill()
	os.Remove(filepath.Join(disk, "SingletonLock"))
	p.Start(profile)
	p.reload()
	p.screen("ready")
	if got := given(); got != said {
		t.Errorf("after a restart %d records are there, %d were said to be", got, said)
	}
	if got := give(); got != "scan" {
		t.Errorf("after a restart: %q", got)
	}
	p.reload()
	p.screen("ready")
	if got := given(); got != said+1 {
		t.Errorf("%d records are there at last, %d were said to be", got, said+1)
	}
}

// With room to open the database and none to write, cards are judged from the start on,
// and records go on once there is room.
func TestAFullPhoneStartsAndJudges(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	before := len(p.readJournal(key).Visits)
	room := p.OnLoad(`localStorage.setItem("aidpass-was-full", "1");
		globalThis.put = IDBObjectStore.prototype.put;
		IDBObjectStore.prototype.put = function (v, k) {
			if (k === "turn-0") this.transaction.abort();
			return String(k).startsWith("turn-") ? undefined : globalThis.put.call(this, v, k);
		};`)
	p.reload()
	p.screen("ready")
	give := func(then string) {
		t.Helper()
		if got := p.judge(world.Text(vt.CardOptions{})); got != "GIVE" {
			t.Fatal(got)
		}
		p.hold("give")
		p.screen(then)
	}
	give("stop-full")
	if got := len(p.readJournal(key).Visits); got != before {
		t.Errorf("%d records on a full phone, %d before", got, before)
	}
	room()
	eval[bool](p, `(IDBObjectStore.prototype.put = globalThis.put, document.querySelector(".actions button").click(), true)`)
	p.screen("ready")
	give("scan")
	if got := len(p.readJournal(key).Visits); got != before+1 {
		t.Errorf("%d records with room again, want %d", got, before+1)
	}
	if eval[bool](p, `!!localStorage.getItem("aidpass-was-full")`) {
		t.Error("the log was not turned before the record")
	}
}
