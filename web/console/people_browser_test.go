package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"aidpass/access"
	"aidpass/internal/browsertest"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// beside is another browser at the same desk.
func (d *desk) beside() *desk {
	d.Helper()
	o := &desk{browsertest.New(d.T, time.Time{}), d.w, d.url}
	o.OnLoad(`addEventListener("securitypolicyviolation", () => sessionStorage.refused = Number(sessionStorage.refused ?? 0) + 1)`)
	return o
}

// Two browsers at one person, one of them by the keyboard alone: each sees that the other
// edits and that the record has changed, nothing is lost, and what both set is shown to
// both until one decides.
func TestTwoBrowsersEditOnePerson(t *testing.T) {
	t.Parallel()
	a := newDesk(t)
	id := a.w.person(own, "Amina Yusuf")
	at := "/people/" + id.String()
	b := a.beside()
	a.as(a.w.add(own, "amal", access.Registrar))
	b.as(a.w.add(own, "ben", access.Registrar))
	a.open("/people")
	a.Write("q", "yusuf")
	a.Press("Enter")
	a.Wait(`document.querySelector("#found")`)
	browsertest.Eval[bool](a.Page, `(document.querySelector("td a").id = "first", true)`)
	a.Enter("first")
	a.at(at)
	a.Enter("edit")
	a.at(at + "/edit")
	script := browsertest.Eval[bool](a.Page, `!!document.querySelector("script[src]")`)
	b.open(at + "/edit")
	if !strings.Contains(b.Text("#presence"), "amal") {
		t.Errorf("who edits already is not told: %q", b.Text("#presence"))
	}
	if script {
		a.Wait(`!document.querySelector("#presence").hidden && document.querySelector("#presence").innerText.includes("ben")`)
	}
	b.Fill("birth", "1989-03-04")
	b.Fill("email", "amina@example.org")
	b.Fill("reason", "she says")
	b.Click("save")
	b.at(at)
	if script {
		a.Wait(`!document.querySelector("#news").hidden`)
	}
	browsertest.Eval[bool](a.Page, `(document.querySelector("#birth").select(), document.activeElement.blur(), true)`)
	a.TabTo("birth")
	browsertest.Eval[bool](a.Page, `(document.activeElement.select(), true)`)
	a.Write("birth", "1988-01-02")
	a.Write("used_name", "Mina")
	a.Write("reason", "paper seen")
	a.Press("Enter")
	a.at(at)
	if got := a.Text("[role=status]:not([hidden])"); !strings.Contains(got, "need a decision: 1") {
		t.Errorf("who saved second is told %q", got)
	}
	b.open(at)
	for name, d := range map[string]*desk{"amal": a, "ben": b} {
		got := d.Text(".undecided")
		for _, want := range []string{"1989-03-04", "1988-01-02", "amal", "ben", "2026"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is not shown %q: %q", name, want, got)
			}
		}
	}
	b.Axe("en a field that needs a decision")
	b.Shoot("en-console-person-undecided")
	b.Enter("take-0-0")
	b.Wait(`!document.querySelector(".undecided") && document.querySelector("[role=status]:not([hidden])")`)
	r := b.w.registry(own)
	rec, err := r.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	p, err := rec.Person()
	if err != nil {
		t.Fatal(err)
	}
	if p.Birth.EDTF != "1988-01-02" || len(p.Names) != 2 || len(p.Contacts) != 2 {
		t.Errorf("on record: %+v", p)
	}
	for _, d := range []*desk{a, b} {
		if n := d.reports(); n != 0 {
			t.Errorf("the policy refused %d things", n)
		}
	}
}

// Every page of people, in a language of each direction, on a phone and a laptop.
func TestPagesOfPeopleAreOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			w := d.w
			m := w.add(own, "amal", access.Registrar, access.DataProtection)
			in, err := w.doors[own].Session(w.Context(), m.token)
			if err == nil {
				err = w.doors[own].SetLanguage(w.Context(), in, lang)
			}
			if err != nil {
				t.Fatal(err)
			}
			w.keepNotice()
			house := w.household(own)
			id := w.member(own, house, "أمينة يوسف علي", "1987-05-12")
			twin := w.member(own, house, "Amina Yusuf", "1987-05-12")
			if err := w.registry(own).AddCollector(w.Context(), house, registry.Collector{External: "Abu Omar", Role: registry.Alternate}); err != nil {
				t.Fatal(err)
			}
			found := looksLike()
			found.A, found.B, found.Why, found.Guard, found.Told = twin, id, registry.KeyMatch, match.GuardTwins, false
			err = w.peopleOf(own).Update(w.Context(), clerk, func(tx registry.Tx) error { return tx.SaveDouble(found) })
			if err != nil {
				t.Fatal(err)
			}
			w.giveCard(twin)
			w.keepDays()
			d.as(m)
			person, home := "/people/"+id.String(), "/households/"+house.String()
			for _, at := range []struct{ name, path string }{{"people", "/people"}, {"person", person}, {"person-edit", person + "/edit"}, {"person-history", person + "/history"},
				{"person-compare", person + "/history?from=2026-11-01&to=2026-11-22"}, {"person-looked", person + "/looked?lang=ar"}, {"doubles", "/doubles"}, {"pair", person + "/double?other=" + twin.String()},
				{"undecided", "/undecided"}, {"person-new", "/people/new"}, {"member-new", "/people/new?household=" + house.String()}, {"household-new", "/households/new"}, {"slip", person + "/slip"}, {"household", home}, {"household-edit", home + "/edit"},
				{"quality", "/quality"}, {"quality-site", "/quality?by=month&value=2026-11"}, {"quality-list", "/quality/list?indicator=DQ-02"}} {
				d.open(at.path)
				browsertest.Eval[bool](d.Page, `(document.querySelectorAll("main details").forEach((e) => { e.open = true; }), true)`)
				d.look(lang, at.name)
			}
			d.open("/people")
			d.Fill("q", "amina")
			d.Click("find")
			d.Wait(`document.querySelector("#found")`)
			d.look(lang, "people-found")
			d.open(person)
			browsertest.Eval[bool](d.Page, `(document.querySelector("#died").click(), true)`)
			d.Wait(`document.querySelector("#go")`)
			d.look(lang, "person-died")
			d.oneAfterTheOther(house)
			d.look(lang, "person-maybe")
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}

// oneAfterTheOther enters two people of a household by the keyboard alone: the form comes
// back empty with its first field in focus. The second may be the first; that is shown.
func (d *desk) oneAfterTheOther(house registry.ID) {
	d.Helper()
	// As a window in front of somebody: what the page puts into focus has it.
	if _, err := chromedp.Call(d.Ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		d.Fatal(err)
	}
	at := "/people/new?household=" + house.String()
	d.open(at)
	for i := range 2 {
		d.Wait(`document.activeElement?.id === "name"`)
		d.Write("name", "Zuhura Bakari")
		d.TabTo("birth")
		d.Write("birth", "1990")
		d.TabTo("told-yes")
		d.Press(" ")
		d.TabTo("how")
		browsertest.Eval[bool](d.Page, `(document.querySelector("#how").value = "thumb", true)`)
		d.TabTo("enter")
		d.Press("Enter")
		if i == 0 {
			d.Wait(`document.querySelector(".note button") && document.querySelector("#name").value === ""`)
		}
	}
	d.Wait(`document.querySelector("#maybe")`)
	if n := d.w.peopleOf(own).Len(registry.KindPerson); n != 3 {
		d.Errorf("%d people", n)
	}
}

// A name that is a script stands on the page as its letters, and none is run.
func TestNaughtyNamesInABrowser(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.as(d.w.add(own, "amal", access.Registrar))
	house := d.w.household(own)
	var names []string
	for _, name := range naughty(t) {
		if strings.TrimSpace(name) != "" && !strings.ContainsRune(name, 0) && !strings.ContainsAny(name, "\r\n") {
			names = append(names, name)
		}
	}
	shown := map[string]bool{}
	for i, name := range names {
		if i%25 == 0 {
			house = d.w.household(own)
		}
		d.w.member(own, house, name, fmt.Sprintf("19%02d-01-02", 50+i%40))
		if i%25 != 24 && i != len(names)-1 {
			continue
		}
		d.open("/households/" + house.String())
		for _, text := range browsertest.Eval[[]string](d.Page, `[...document.querySelectorAll("td a bdi")].map((e) => e.textContent)`) {
			shown[text] = true
		}
		if n := browsertest.Eval[int](d.Page, `document.querySelectorAll("main script, main img, main svg, main iframe").length`); n != 0 {
			t.Errorf("%d elements came from names", n)
		}
	}
	for _, name := range names {
		if !shown[name] {
			t.Errorf("%q does not stand on the page as it is", name)
		}
	}
	if n := d.reports(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}
