package console_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/rollcall"
	"aidpass/web/console"
)

// begun is an open exercise of two desks and n households, made over HTTP.
func (w *world) begun(n int) (homes []registry.ID, lead *browser) {
	w.Helper()
	for i := range n {
		home := w.household(own)
		w.member(own, home, fmt.Sprintf("Amina %c Yusuf", 'A'+i%26), "1987-05-12")
		homes = append(homes, home)
	}
	lead = w.as(own, access.DistributionLead)
	has(w.T, lead.get("/exercises").Body.String(), "No exercise yet")
	form := url.Values{"code": {"ver-2026-01"}, "title": {"Camp North"}, "opens": {"2026-11-22"}, "closes": {"2026-11-24"}, "desks": {"North gate\nSouth gate"}, "kind": {"household"}}
	if bad := lead.post("/exercises/new", url.Values{"code": {"x"}, "opens": {"2026-11-22"}, "closes": {"2026-11-24"}, "kind": {"household"}}); bad.Code != http.StatusUnprocessableEntity || !strings.Contains(bad.Body.String(), `value="X"`) {
		w.Errorf("a code that is none: %d", bad.Code)
	}
	if got := lead.post("/exercises/new", form); got.Code != http.StatusSeeOther {
		w.Fatalf("make: %d %s", got.Code, got.Body)
	}
	page := lead.get("/exercises/of/VER-2026-01").Body.String()
	has(w.T, page, fmt.Sprintf(`id="invited"><bdi>%d</bdi>`, n))
	lead.post("/exercises/of/VER-2026-01/open", url.Values{"step": {fmt.Sprint(n)}, "typed": {fmt.Sprint(n)}})
	has(w.T, lead.get("/exercises/of/VER-2026-01").Body.String(), "<strong>open</strong>")
	return homes, lead
}

const atVer = "/exercises/of/VER-2026-01"

func (w *world) markOf(b *browser, home registry.ID, outcome, desk string) {
	w.Helper()
	if got := b.post(atVer+"/units/"+home.String()+"/mark", url.Values{"outcome": {outcome}, "how": {"in_person"}, "desk": {desk}}); got.Code != http.StatusSeeOther {
		w.Fatalf("%s: %d %s", outcome, got.Code, got.Body)
	}
}

// Closed before its last day by who saw how many become absent by it.
func TestAnExerciseIsClosedEarlyByWhoConfirmsIt(t *testing.T) {
	w := newWorld(t)
	_, lead := w.begun(3)
	has(t, lead.post(atVer+"/close", nil).Body.String(), "<bdi>3</bdi> were not seen yet")
	if got := lead.post(atVer+"/close", url.Values{"step": {"3"}}); got.Code != http.StatusSeeOther {
		t.Errorf("confirmed: %d", got.Code)
	}
	has(t, lead.get(atVer).Body.String(), "<strong>closed</strong>")
}

// A whole exercise at the desk: forty households, two desks, of which one has no network;
// notice, an appeal, and inactive by two accounts, who read of whom.
func TestAnExerciseFromTheFirstDayToTheLast(t *testing.T) {
	w := newWorld(t)
	homes, lead := w.begun(40)
	clerk := w.as(own, access.Registrar)
	for _, home := range homes[:15] {
		w.markOf(clerk, home, "seen", "North gate")
	}

	// The other desk works on a list.
	list := clerk.post(atVer+"/list", url.Values{"desk": {"South gate"}, "as": {"xlsx"}, "names": {"yes"}, "reason": {"no network"}})
	if list.Code != http.StatusOK || list.Header().Get("Content-Disposition") != `attachment; filename="ver-2026-01-south-gate.xlsx"` {
		t.Fatalf("list: %d %s", list.Code, list.Header())
	}
	x, err := excelize.OpenReader(bytes.NewReader(list.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := x.GetRows("List")
	if err != nil || len(rows) != 26 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	ref := map[string]int{}
	for i, row := range rows[1:] {
		ref[row[1]] = i + 2
	}
	for i, home := range homes[15:27] {
		row := ref[rollcall.Ref("VER-2026-01", home)]
		box := "F"
		if i%4 == 0 {
			box = "G"
		}
		x.SetCellStr("List", fmt.Sprintf("%s%d", box, row), "x")
		x.SetCellStr("List", fmt.Sprintf("K%d", row), "2026-11-22")
	}
	workbook := func() []byte {
		var b bytes.Buffer
		if err := x.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	x.SetCellStr("List", "K2", "someday")
	x.SetCellStr("List", "F2", "x")
	if got := clerk.upload(atVer+"/take", url.Values{}, "file", workbook()); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `data-code="day"`) || !strings.Contains(got.Body.String(), "row <bdi>2</bdi>, column <bdi>K</bdi>") {
		t.Fatalf("a wrong day: %d %s", got.Code, got.Body)
	}
	has(t, clerk.get(atVer).Body.String(), `id="left"><bdi>25</bdi>`)
	if rows[1][1] == rollcall.Ref("VER-2026-01", homes[15]) {
		x.SetCellStr("List", "K2", "2026-11-22")
	} else {
		for _, cell := range []string{"F2", "G2", "K2"} {
			x.SetCellStr("List", cell, "")
		}
		for i, home := range homes[15:27] { // the row was one of those
			if ref[rollcall.Ref("VER-2026-01", home)] == 2 {
				x.SetCellStr("List", map[bool]string{true: "G2", false: "F2"}[i%4 == 0], "x")
				x.SetCellStr("List", "K2", "2026-11-22")
			}
		}
	}
	has(t, clerk.upload(atVer+"/take", url.Values{"clerk": {"s-clerk2"}}, "file", workbook()).Body.String(), "<bdi>12</bdi> marks taken; <bdi>0</bdi> were there")
	has(t, clerk.upload(atVer+"/take", url.Values{}, "file", workbook()).Body.String(), "<bdi>0</bdi> marks taken; <bdi>12</bdi> were there")

	page := lead.get(atVer).Body.String()
	has(t, page, `id="left"><bdi>13</bdi>`)
	has(t, page, `class="chart"`)
	if m := regexp.MustCompile(`<tr id="total">.*?</tr>`).FindString(page); !strings.Contains(m, "<bdi>24</bdi>") || !strings.Contains(m, "<bdi>3</bdi>") {
		t.Errorf("sums: %s", m)
	}
	for as, begins := range map[string]string{"html": "<!doctype html>", "pdf": "%PDF", "csv": "exercise,day,desk"} {
		if got := lead.get(atVer + "/report?lang=ar&as=" + as); got.Code != http.StatusOK || !strings.HasPrefix(got.Body.String(), begins) {
			t.Errorf("report as %s: %d %.60s", as, got.Code, got.Body)
		}
	}

	// It ends; who was not seen is told, answers or does not.
	// Before the last day closing asks, and says how many are not seen yet.
	asks := lead.post(atVer+"/close", nil)
	has(t, asks.Body.String(), "<bdi>13</bdi> were not seen yet")
	has(t, asks.Body.String(), `name="step" value="13"`)
	if got := lead.post(atVer+"/close", url.Values{"step": {"12"}}); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("closed for another number: %d", got.Code)
	}
	has(t, lead.get(atVer).Body.String(), "<strong>open</strong>")

	w.move(2 * 24 * time.Hour)
	lead, clerk = w.as(own, access.DistributionLead), w.as(own, access.Registrar)
	if got := clerk.get("/").Body.String(); strings.Contains(got, "An exercise ends today") {
		t.Error("who may not close it is told to")
	}
	has(t, lead.get("/").Body.String(), "An exercise ends today")
	lead.post(atVer+"/close", nil)
	has(t, lead.get("/").Body.String(), atVer+"/notice")
	telling := lead.get(atVer + "/notice").Body.String()
	has(t, telling, "لم نرك")
	has(t, telling, "Hatukukuona")
	has(t, telling, "<p><bdi>Relief A</bdi></p>")
	if strings.Contains(telling, "Amina") {
		t.Error("the poster names somebody")
	}
	if got := lead.get(atVer + "/poster?lang=ar"); got.Code != http.StatusOK || !strings.HasPrefix(got.Body.String(), "%PDF") {
		t.Errorf("poster: %d", got.Code)
	}
	has(t, lead.post(atVer+"/settle", nil).Body.String(), "Nobody’s time is over")
	told := url.Values{"on": {"2026-11-24"}, "how": {"poster"}, "step": {"13"}}
	if got := lead.post(atVer+"/notice", told); got.Code != http.StatusSeeOther {
		t.Fatalf("notice: %d %s", got.Code, got.Body)
	}
	if got := clerk.post(atVer+"/units/"+homes[30].String()+"/appeal", nil); got.Code != http.StatusSeeOther {
		t.Fatalf("appeal: %d %s", got.Code, got.Body)
	}
	if got := clerk.post("/households/"+homes[31].String()+"/met", url.Values{"how": {"phone"}, "on": {"2026-11-24"}}); got.Code != http.StatusSeeOther {
		t.Fatalf("met: %d %s", got.Code, got.Body)
	}
	has(t, clerk.get("/households/"+homes[31].String()).Body.String(), "phoned, ")

	w.move(31 * 24 * time.Hour)
	lead = w.as(own, access.DistributionLead)
	has(t, lead.get("/").Body.String(), "their time to answer is over")
	w.needsOf(lead, 11) // of thirteen one appealed, and one was met since
	has(t, lead.get(atVer+"/absent?standing=due").Body.String(), "the time is over")
	dry := lead.post(atVer+"/settle", nil).Body.String()
	has(t, dry, "<bdi>11</bdi> can become inactive")
	has(t, dry, "said that they are there")
	has(t, dry, "met since")
	if got := lead.post(atVer+"/settle", url.Values{"step": {"11"}, "reason": {"not seen"}}); got.Code != http.StatusSeeOther {
		t.Fatalf("settle: %d %s", got.Code, got.Body)
	}
	absent := lead.get(atVer + "/absent").Body.String()
	m := regexp.MustCompile(`/desk/approvals/([A-Za-z0-9_-]+)`).FindStringSubmatch(absent)
	if m == nil {
		t.Fatal("the page does not tell of the request")
	}
	if status := w.statusOf(homes[35]); status.Asleep() {
		t.Error("one account made somebody inactive")
	}
	second := w.as(own, access.Approver)
	shown := second.get("/approvals/" + m[1]).Body.String()
	has(t, shown, "<bdi>11</bdi> records become inactive")
	has(t, shown, "Amina")
	has(t, shown, atVer+"/absent?standing=due")
	hash := regexp.MustCompile(`name="hash" value="([0-9a-f]+)"`).FindStringSubmatch(shown)
	if hash == nil {
		t.Fatal("no fingerprint")
	}
	if got := second.post("/approvals/"+m[1]+"/approve", url.Values{"hash": {hash[1]}}); got.Code != http.StatusSeeOther {
		t.Fatalf("approve: %d %s", got.Code, got.Body)
	}
	if !w.statusOf(homes[35]).Asleep() || w.statusOf(homes[30]).Asleep() || w.statusOf(homes[31]).Asleep() || w.statusOf(homes[0]).Asleep() {
		t.Error("others became inactive than were due")
	}
	// Whoever is there after all is active again by one account.
	clerk = w.as(own, access.Registrar)
	has(t, clerk.get(atVer+"/units/"+homes[35].String()).Body.String(), "because nobody had seen it")
	clerk.post(atVer+"/units/"+homes[35].String()+"/appeal", nil)
	if w.statusOf(homes[35]).Asleep() {
		t.Error("an appeal changed nothing")
	}
}

// A countedStore counts how often exercises are read.
type countedStore struct {
	exercise.Store
	reads int
}

func (c *countedStore) ReadExercises(ctx context.Context, fn func(exercise.View) error) error {
	c.reads++
	return c.Store.ReadExercises(ctx, fn)
}

// needsOf holds what Home tells somebody that is due: whom a proposal names, and no more. Those
// who are invited are read once on a day.
func (w *world) needsOf(b *browser, due int) {
	w.Helper()
	store := &countedStore{Store: w.peopleOf(own)}
	now := w.now()
	s := &console.Exercises{Desk: &exercise.Desk{Store: store, Now: func() time.Time { return now }}, Now: func() time.Time { return now }}
	in, err := w.doors[own].Session(w.Context(), b.member.token)
	if err != nil {
		w.Fatal(err)
	}
	told := func() (reads int) {
		w.Helper()
		before, found := store.reads, -1
		list, err := s.Needs(w.Context(), in)
		for _, n := range list {
			if n.Word == "exercises.need_settle" {
				found = n.Count
			}
		}
		if err != nil || found != due {
			w.Errorf("Home tells of %d, %v; want %d", found, err, due)
		}
		return store.reads - before
	}
	if plan, err := s.Desk.Propose(w.Context(), "VER-2026-01"); err != nil || len(plan.Units) != due {
		w.Errorf("a proposal of %d, %v", len(plan.Units), err)
	}
	first := told()
	now = now.Add(time.Hour)
	if again := told(); again != 1 || first <= again { // the list of exercises alone
		w.Errorf("reads: %d at first, %d an hour later", first, again)
	}
	now = now.Add(24 * time.Hour)
	if next := told(); next != first {
		w.Errorf("reads: %d at first, %d on the next day", first, next)
	}
}

func (w *world) statusOf(id registry.ID) (st *registry.Status) {
	w.Helper()
	err := w.peopleOf(own).View(w.Context(), func(v registry.View) error {
		rec, err := v.Record(id)
		if err != nil {
			return err
		}
		h, err := rec.HouseholdRecord()
		st = h.Status
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return st
}

// Whoever stands at a desk is found, corrected from there and marked so; a wrong mark is
// taken back.
func TestWhoStandsAtADeskIsMarked(t *testing.T) {
	w := newWorld(t)
	homes, _ := w.begun(2)
	var members []registry.ID
	err := w.peopleOf(own).View(t.Context(), func(v registry.View) (err error) {
		members, err = v.Members(homes[0])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := w.as(own, access.Registrar)
	found := b.upload(atVer+"/mark", url.Values{"q": {"Amina A Yusuf"}, "desk": {"North gate"}}, "", nil).Body.String()
	unit := atVer + "/units/" + homes[0].String()
	has(t, found, `href="/desk`+unit+`"`)
	has(t, b.upload(atVer+"/mark", url.Values{"q": {rollcall.Ref("VER-2026-01", homes[1])}}, "", nil).Body.String(), homes[1].String())
	page := b.get(unit).Body.String()
	has(t, page, `<option value="North gate" selected>`) // the browser knows where it stands, and no address says it
	edit := fmt.Sprintf("/people/%s/edit?exercise=VER-2026-01", members[0])
	has(t, page, edit)
	form := b.get(edit).Body.String()
	has(t, form, `name="exercise" value="VER-2026-01"`)
	seen := regexp.MustCompile(`name="seen" value="([^"]*)"`).FindStringSubmatch(form)
	saved := b.post("/people/"+members[0].String()+"/edit", url.Values{"seen": {seen[1]}, "sex": {"female"}, "language": {"swa"}, "reason": {"said at the desk"}, "exercise": {"VER-2026-01"}})
	at := saved.Header().Get("Location")
	if saved.Code != http.StatusSeeOther || at != "/desk/exercises/of/VER-2026-01/units/"+members[0].String()+"?changed=language" {
		t.Fatalf("saved: %d %s", saved.Code, at)
	}
	back := b.get(strings.TrimPrefix(at, "/desk")).Body.String()
	has(t, back, `name="outcome" value="updated"`)
	has(t, back, `action="/desk`+unit+`/mark"`) // her household's, with whom she was invited
	marked := b.post(unit+"/mark", url.Values{"outcome": {"updated"}, "how": {"in_person"}, "desk": {"North gate"}, "changed": {"language"}})
	if next := marked.Header().Get("Location"); next != "/desk"+atVer+"/mark" {
		t.Errorf("marked: %s", next)
	}
	has(t, b.get(atVer+"/mark").Body.String(), `<option value="North gate" selected>`)
	for name, body := range map[string]string{"found": found, "unit": page, "edit": form, "back": back} {
		if at := regexp.MustCompile(`(?:href|action)="[^"]*(?:gate|desk=)[^"]*"`).FindString(body); at != "" {
			t.Errorf("%s: an address names the desk: %s", name, at)
		}
	}
	i, _, err := w.exerciseDesk(own).Invited(t.Context(), "VER-2026-01", homes[0])
	if err != nil || i.Outcome != exercise.Updated || i.Changed != 1 || i.Desk != "North gate" {
		t.Errorf("%+v %v", i, err)
	}
	has(t, b.get(unit).Body.String(), `id="undo"`)
	b.post(unit+"/undo", nil)
	if i, _, _ = w.exerciseDesk(own).Invited(t.Context(), "VER-2026-01", homes[0]); i.Outcome != exercise.Waiting {
		t.Errorf("undone: %+v", i)
	}
	if got := b.post(unit+"/mark", url.Values{"outcome": {"seen"}, "how": {"in_person"}, "desk": {"West gate"}}); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "choose a desk of this exercise") {
		t.Errorf("another desk: %d", got.Code)
	}
	if n := w.peopleOf(own).seen(b.member.id, homes[0]); n < 2 {
		t.Errorf("the log tells of %d looks", n)
	}
	for _, path := range []string{atVer + "/report?day=1/2", atVer + "/absent?standing=gone"} {
		if got := b.get(path); got.Code < 400 || got.Code >= 500 {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}
