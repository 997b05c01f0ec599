package scanner_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// The browser is killed at any moment after a volunteer holds the button. What was
// said to be recorded is there, once.
func TestKillsWhileRecording(t *testing.T) {
	t.Parallel()
	kills := 6
	if testing.Short() {
		kills = 2
	}
	if os.Getenv("AIDPASS_LOAD") != "" {
		kills = 100
	}
	url := serve(t).URL
	for table := range 2 {
		t.Run(fmt.Sprint("table ", table+1), func(t *testing.T) {
			t.Parallel()
			recordAndKill(newPhone(t, url), table, kills)
		})
	}
}

func recordAndKill(p *phone, table, kills int) {
	key := p.enrolled()
	said := map[uint64]bool{}
	for n := range kills {
		card := world.Text(vt.CardOptions{Unit: fmt.Sprintf("kill-%d-%d", table, n)})
		p.typed(card)
		p.screen("verdict")
		p.hold("give")
		if n%2 == 0 { // at once when it is said
			p.wait(`document.querySelector("#toast").innerText.includes("Recorded.")`)
		} else { // about the moment of writing
			time.Sleep(900*time.Millisecond + time.Duration(n*17%80)*time.Millisecond)
		}
		now := eval[[]string](p, `[document.querySelector("#toast").innerText, document.querySelector("#toast").dataset.sequence ?? ""]`)
		p.Kill()
		p.Start()
		p.reload()
		p.screen("ready")
		j := p.readJournal(key)
		if strings.Contains(now[0], "Recorded.") {
			var sequence uint64
			fmt.Sscan(now[1], &sequence)
			said[sequence] = true
		}
		for s := range said {
			if s > uint64(len(j.Visits)) || j.Visits[s-1].Kind != visit.Collection {
				p.Fatalf("kill %d: record %d was said to be recorded, %d are there", n+1, s, len(j.Visits))
			}
		}
		units := map[string]bool{}
		for _, v := range j.Visits {
			if v.Kind == visit.Collection && units[v.Ledger.Pseudonym] {
				p.Fatalf("kill %d: a visit is there twice", n+1)
			}
			units[v.Ledger.Pseudonym] = true
		}
	}
	if len(said) < kills/2 {
		p.Errorf("%d kills, and only %d records were ever said to be there", kills, len(said))
	}
	p.Logf("%d kills, %d records were said to be there and are", kills, len(said))
}

// The browser is killed while something is taken back, and while the shift is closed:
// either both the record and what goes along with it are there, or neither.
func TestKillsWhileUndoingAndClosing(t *testing.T) {
	t.Parallel()
	kills := 3
	if testing.Short() {
		kills = 1
	}
	if os.Getenv("AIDPASS_LOAD") != "" {
		kills = 20
	}
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	undone := 0
	for n := range kills {
		p.typed(world.Text(vt.CardOptions{Unit: fmt.Sprint("undo-", n)}))
		p.screen("verdict")
		p.hold("give")
		p.screen("scan")
		p.click("undo")
		time.Sleep(time.Duration(n*13%40) * time.Millisecond)
		said := p.text("#toast")
		p.Kill()
		p.Start()
		p.reload()
		p.screen("ready")
		cancels := map[uint64]int{}
		for _, v := range p.readJournal(key).Visits {
			if v.Kind == visit.Counter {
				cancels[v.Cancels]++
			}
		}
		for sequence, times := range cancels {
			if times > 1 {
				t.Errorf("kill %d: record %d is taken back %d times", n+1, sequence, times)
			}
		}
		if strings.Contains(said, "Taken back") && len(cancels) == undone {
			t.Errorf("kill %d: said to be taken back, and is not", n+1)
		}
		undone = len(cancels)
	}
	for n := range kills {
		if eval[bool](p, `!!document.getElementById("open-shift")`) {
			p.click("open-shift")
			p.fill("staff", "V-12")
			p.click("shift-go")
			p.screen("gate")
			p.fill("pin", pin)
			p.click("pin-go")
			p.wait(`document.querySelector("#screen").dataset.screen === "ready" && !document.getElementById("open-shift")`)
		}
		p.click("history")
		p.click("export")
		p.wait(`document.getElementById("toast").innerText.includes("records saved")`)
		p.back()
		p.screen("ready")
		p.menu()
		p.click("close-shift")
		p.hold("close")
		time.Sleep(900*time.Millisecond + time.Duration(n*13%40)*time.Millisecond) // as long as it is held
		p.Kill()
		p.Start()
		p.reload()
		p.screen("ready")
		j := p.readJournal(key)
		closed, open := j.Visits[len(j.Visits)-1].Code == visit.CodeShiftClose, eval[bool](p, `!document.getElementById("open-shift")`)
		if closed == open {
			t.Errorf("kill %d: the journal says closed %v, the screen open %v", n+1, closed, open)
		}
	}
	t.Logf("%d kills while taking back, %d of them done; %d while closing", kills, undone, kills)
}
