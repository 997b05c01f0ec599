package console_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"aidpass/access"
	"aidpass/internal/browsertest"
	"aidpass/issuer/registry/exercise"
)

// reads signs an account in, in a language, and the browser with it.
func (d *desk) reads(lang string, roles ...access.Role) *browser {
	d.Helper()
	m := d.w.add(own, "", roles...)
	in, err := d.w.doors[own].Session(d.w.Context(), m.token)
	if err == nil {
		err = d.w.doors[own].SetLanguage(d.w.Context(), in, lang)
	}
	if err != nil {
		d.Fatal(err)
	}
	d.as(m)
	return d.w.of(m)
}

// Every page of a verification exercise from the first day to the last, in a language of
// each direction; one household is marked by the keyboard alone.
func TestExercisesAreOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			w := d.w
			leads := []access.Role{access.DistributionLead, access.Registrar}
			d.reads(lang, leads...)
			show := func(name, path string) {
				d.open(path)
				browsertest.Eval[bool](d.Page, `(document.querySelectorAll("main details").forEach((e) => { e.open = true; }), true)`)
				d.look(lang, name)
			}
			show("exercises-none", "/exercises")
			show("exercise-new", "/exercises/new")
			homes, _ := w.begun(12)
			draft := exercise.Exercise{Code: "VER-2026-02", Opens: "2026-11-23", Closes: "2026-11-25", Desks: []string{"البوابة الشمالية", "South gate"}}
			if _, err := w.exerciseDesk(own).Make(w.Context(), clerk, draft); err != nil {
				t.Fatal(err)
			}
			show("exercises", "/exercises")
			show("exercise-draft", "/exercises/of/VER-2026-02")

			// By the keyboard alone, as a window in front of somebody.
			if _, err := chromedp.Call(d.Ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
				t.Fatal(err)
			}
			d.open(atVer + "/mark")
			d.Wait(`document.activeElement?.id === "q"`)
			d.Write("q", "Amina A Yusuf")
			d.Leave(func() { d.Press("Enter") }, `document.querySelector("#found a")`)
			d.look(lang, "exercise-mark")
			browsertest.Eval[bool](d.Page, `(document.querySelector("#found a").id = "first", true)`)
			unit := atVer + "/units/" + homes[0].String()
			d.Leave(func() { d.Enter("first") }, fmt.Sprintf(`location.pathname === "/desk%s"`, unit))
			d.look(lang, "exercise-unit")
			d.Leave(func() { d.Enter("seen") }, `document.querySelector("[role=status]")`)
			if i, _, err := w.exerciseDesk(own).Invited(t.Context(), "VER-2026-01", homes[0]); err != nil || i.Outcome != exercise.Seen || i.Desk != "North gate" {
				t.Errorf("by the keyboard: %+v %v", i, err)
			}
			show("exercise-unit-seen", unit)

			clerk := w.as(own, leads...)
			for i, outcome := range []string{"seen", "refused", "seen"} {
				w.markOf(clerk, homes[i+1], outcome, []string{"North gate", "South gate"}[i%2])
			}
			list := clerk.post(atVer+"/list", url.Values{"desk": {"South gate"}, "as": {"xlsx"}, "names": {"yes"}, "reason": {"no network"}})
			if list.Code != http.StatusOK {
				t.Fatalf("list: %d", list.Code)
			}
			x, err := excelize.OpenReader(bytes.NewReader(list.Body.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			for cell, text := range map[string]string{"F2": "x", "K2": "someday", "F3": "x", "G3": "x", "K3": "2026-11-22", "K4": "2026-11-22"} {
				x.SetCellStr("List", cell, text)
			}
			d.fill(x, "taken-wrong", lang)
			for cell, text := range map[string]string{"K2": "2026-11-22", "G3": "", "K4": ""} {
				x.SetCellStr("List", cell, text)
			}
			d.fill(x, "taken", "")
			show("exercise", atVer)

			w.move(2 * 24 * time.Hour)
			lead := d.reads(lang, leads...)
			lead.post(atVer+"/close", nil)
			show("exercise-absent", atVer+"/absent")
			show("exercise-notice", atVer+"/notice")
			lead.post(atVer+"/notice", url.Values{"on": {"2026-11-24"}, "how": {"poster"}, "step": {"6"}})
			show("exercise-unit-absent", atVer+"/units/"+homes[11].String())
			d.Leave(func() { d.Click("appeal") }, `document.querySelector("[role=status]")`)
			show("household-met", "/households/"+homes[10].String())
			lead.post("/households/"+homes[10].String()+"/met", url.Values{"how": {"phone"}, "on": {"2026-11-24"}})

			w.move(31 * 24 * time.Hour)
			lead = d.reads(lang, leads...)
			show("exercise-due", atVer+"/absent")
			d.Leave(func() { d.Click("settle") }, `document.body?.dataset.page === "confirm"`)
			d.look(lang, "exercise-settle")
			lead.post(atVer+"/settle", url.Values{"step": {"4"}, "reason": {"not seen"}})
			show("exercise-asked", atVer+"/absent?standing=due")
			at := browsertest.Eval[string](d.Page, `document.querySelector(".asked a")?.pathname.replace("/desk", "") ?? ""`)
			if at == "" {
				t.Fatal("the page does not lead to the request")
			}
			d.reads(lang, access.Approver)
			show("exercise-approval", at)
			d.Leave(func() { d.Click("approve") }, `document.querySelector("[role=status]")`)
			if !w.statusOf(homes[9]).Asleep() || w.statusOf(homes[10]).Asleep() || w.statusOf(homes[11]).Asleep() {
				t.Error("others became inactive than were due")
			}
			d.reads(lang, leads...)
			show("exercise-unit-asleep", atVer+"/units/"+homes[9].String())
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}

// fill gives a filled list back and looks at the answer, if in a language.
func (d *desk) fill(x *excelize.File, name, lang string) {
	d.Helper()
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		d.Fatal(err)
	}
	d.open(atVer)
	d.give(atVer+"/take", "file", b.Bytes(), nil)
	d.Wait(`document.body?.dataset.page === "exercises_taken"`)
	if lang != "" {
		d.look(lang, "exercise-"+name)
	}
}
