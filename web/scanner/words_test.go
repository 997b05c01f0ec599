package scanner_test

import (
	"strings"
	"testing"

	"aidpass/credential/cwt"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// caseOf is the text of the first stored case that answers with a reason.
func caseOf(t *testing.T, reason words.Reason) string {
	t.Helper()
	cases, err := vt.Load("../../testdata/vectors/verdicts.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Want == reason && len(c.Text) < 1000 {
			return c.Text
		}
	}
	t.Fatalf("no case of %s", reason)
	return ""
}

// The words of the table, from a card before the camera to the word on the screen.
func TestEveryWordInThreeLanguages(t *testing.T) {
	t.Parallel()
	server := serve(t)
	p := newPhone(t, server.URL)
	p.enrolled()
	half := world.Text(vt.CardOptions{Unit: "half"})
	eligible := func(o vt.CardOptions, plain map[string]any) string {
		o.Plain = map[string]any{"programme": vt.Programme, "round": int64(3)}
		for k, v := range plain {
			o.Plain[k] = v
		}
		return world.Text(o)
	}
	// One part is given to "half", all to "whole", before the rows are tried.
	if got := p.judge(half); got != "GIVE" {
		t.Fatalf("the first card: %q", got)
	}
	p.click("other")
	p.fill("quantity", "3 kg")
	p.click("part")
	p.fill("rest", "2 kg")
	p.see("", 0)
	p.hold("give")
	p.screen("scan")
	whole := world.Text(vt.CardOptions{Unit: "whole"})
	if got := p.judge(whole); got != "GIVE" {
		t.Fatalf("the second card: %q", got)
	}
	p.see("", 0)
	p.hold("give")
	p.screen("scan")

	rows := []struct {
		name, card string
		reason     words.Reason
		known      bool
	}{
		{"give", world.Text(vt.CardOptions{}), words.OK, false},
		{"rest", half, words.PartlyCollected, false},
		{"known", world.Text(vt.CardOptions{Type: "registration"}), words.OK, true},
		{"collected", whole, words.AlreadyRedeemed, false},
		{"another-round", eligible(vt.CardOptions{}, map[string]any{"round": int64(4)}), words.WrongRound, false},
		{"another-programme", eligible(vt.CardOptions{}, map[string]any{"programme": "ZZZZ"}), words.WrongProgramme, false},
		{"another-site", eligible(vt.CardOptions{}, map[string]any{"site": "DAD-1"}), words.WrongSite, false},
		{"not-yet", world.Text(vt.CardOptions{Draft: func(d *cwt.Draft) { d.NotBefore = vt.Now + 5*86400 }}), words.NotYetValid, false},
		{"revoked", world.Text(vt.CardOptions{Draft: func(d *cwt.Draft) { d.StatusIndex = vt.RevokedIndex }}), words.Revoked, false},
		{"suspended", world.Text(vt.CardOptions{Draft: func(d *cwt.Draft) { d.StatusIndex = vt.SuspendedIndex }}), words.Suspended, false},
		{"expired", world.Text(vt.CardOptions{Issued: vt.Made - 200*86400}), words.Expired, false},
		{"bad-signature", caseOf(t, words.BadSignature), words.BadSignature, false},
		{"unknown-key", world.Text(vt.CardOptions{Key: func() *vt.Signer { s := vt.P256("stranger"); return &s }()}), words.UnknownKey, false},
		{"unknown-list", world.Text(vt.CardOptions{Draft: func(d *cwt.Draft) { d.StatusURI += "0" }}), words.StatusUnknown, false},
	}
	looked := map[string]bool{}
	p.reload() // nothing of before stands on the screen
	p.screen("ready")
	p.click("scan")
	for _, lang := range []string{"en", "ar", "fr"} {
		p.back()
		p.screen("ready")
		p.language(lang)
		p.shoot(lang + "-ready")
		catalogue, _ := words.Language(lang)
		for _, r := range rows {
			row := words.For(r.reason, r.known)
			if got, want := p.judge(r.card), catalogue.Word(row.Word); got != want {
				t.Errorf("%s, %s: the word is %q (%s), want %q", lang, r.name, got, eval[string](p, `document.querySelector("#screen").dataset.reason`), want)
			}
			if got := eval[string](p, `document.querySelector("#screen").dataset.reason`); got != string(r.reason) {
				t.Errorf("%s, %s: reason %q, want %q", lang, r.name, got, r.reason)
			}
			if got := eval[string](p, `document.querySelector(".head svg").dataset.shape`); got != row.Shape {
				t.Errorf("%s, %s: shape %q, want %q", lang, r.name, got, row.Shape)
			}
			if got, want := p.text("#todo"), catalogue.Text("todo."+row.Todo); got != want {
				t.Errorf("%s, %s: next action %q, want %q", lang, r.name, got, want)
			}
			if row.Facts == words.NoFacts && strings.Contains(p.text(".body"), "KAK") {
				t.Errorf("%s, %s: an unproven card speaks", lang, r.name)
			}
			p.shoot(lang + "-" + r.name)
			if said := lang + string(row.Word); lang != "fr" && !looked[said] {
				looked[said] = true
				p.axe(lang + " " + r.name)
			}
			p.away()
		}
		// No card of ours: a small word, and scanning goes on.
		p.see("https://www.example.org/menu", 0)
		p.wait(`document.querySelector("#toast.on")`)
		if got, want := p.text("#toast"), catalogue.Word(words.NotAnAidCard); got != want {
			t.Errorf("%s: another code says %q, want %q", lang, got, want)
		}
		p.shoot(lang + "-toast")
		p.see("", 0)
		p.screen("scan")
	}
	if n := server.Refused.Load(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}

func TestPracticeAndLanguages(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.open()
	for _, lang := range []string{"ar", "sw", "es", "fr", "en"} {
		p.language(lang)
		p.shoot(lang + "-setup")
		p.axe("setup " + lang)
	}
	p.click("practice")
	p.screen("practice")
	p.shoot("practice-en")
	p.axe("practice")
	cards := eval[[]string](p, `[...document.querySelectorAll("[data-word]")].filter((e) => e.id).map((e) => e.id + " " + e.dataset.word)`)
	if len(cards) < 6 {
		t.Errorf("practice shows %q", cards)
	}
	catalogue, _ := words.Language("en")
	for _, c := range cards {
		id, word, _ := strings.Cut(c, " ")
		p.click(id)
		p.screen("verdict")
		if got, want := p.text("#title"), catalogue.Word(words.Word(word)); got != want {
			t.Errorf("practice of %s shows %q", word, got)
		}
		if !strings.Contains(p.text(".practice-mark"), "NOT REAL") {
			t.Errorf("practice of %s is not marked", word)
		}
		p.shoot("practice-" + word)
		p.click("next")
		p.screen("practice")
	}
}
