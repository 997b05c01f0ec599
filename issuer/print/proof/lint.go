package proof

import (
	"fmt"
	"slices"
	"strings"
)

// Rules say what may stand on these cards.
type Rules struct {
	// Names of everybody on the registry: none may be printed or be legible in a
	// code, but for those that were chosen.
	Names *Names
	// Chosen has, by card id, the names that its holder chose to have printed, as
	// they are written.
	Chosen map[string][]string
	// Complaint is the complaint line as it is printed: phones, addresses, words.
	Complaint []string
	// Houses are the names of the organisation, which may be called after whom it
	// helps. Names of programmes may not: they say why this person is helped.
	Houses []string
	// Plain are names of organisations and programmes that must not be printed:
	// the option --plain. Empty without it.
	Plain []string
	// Dates, as they are printed, that may stand on paper beside the dates in the
	// cards themselves: the day of printing, days of distribution.
	Dates []string
	// Own has further types than the embedded ones, by what the cards say (vct).
	Own Types
}

// A Finding is something on paper that must not be there.
type Finding struct {
	Page   int    // from 0; -1: the document's title and other particulars
	CardID string // empty where it is not known
	Code   string // stable: see Lint
	Text   string // what is wrong, without the value
}

func (f Finding) String() string {
	where := fmt.Sprintf("page %d", f.Page+1)
	if f.Page < 0 {
		where = "the document's particulars"
	}
	if f.CardID != "" {
		where += fmt.Sprintf(", card %q", f.CardID)
	}
	return fmt.Sprintf("%s: %s: %s", where, f.Code, f.Text)
}

// Lint reads what a file shows and returns what must not leave the printer, in
// the order of the paper: each code once a card or, where no card is known, a page.
//
//	name        a registered name that was not chosen
//	plain       the name of an organisation or programme under --plain
//	word        a word that says why somebody is helped, or who she is
//	phone       a phone or other long number; the complaint line may have its own
//	email       an e-mail address, likewise
//	case        a case or registration number
//	account     a bank account
//	place       coordinates
//	date        a day that is not one of the card's own: a date of birth is the worst of them
//	qr_format   a code that is no card
//	qr_layout   a card with claims outside its type's card layout
//	qr_name     a card in whose bytes a registered name can be read
//	qr_content  a card whose plain claims hold one of the above
//
// It knows nothing of pictures.
func Lint(seen Seen, rules Rules) []Finding {
	l := linter{rules: rules, types: rules.Own.orEmbedded()}
	for _, c := range seen.Codes {
		f := factsOf(c.Text, l.types)
		l.facts = append(l.facts, f)
		l.cards = append(l.cards, c)
		l.chosen = append(l.chosen, chosenWords(rules.Chosen[c.CardID]))
		for _, finding := range l.payload(f) {
			l.report(c.Page, c.CardID, finding[0], finding[1])
		}
	}
	for _, t := range seen.Texts {
		l.single(t)
	}
	for _, t := range lines(seen.Texts) {
		l.text(t)
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return a.Page - b.Page })
	return l.findings
}

type linter struct {
	rules    Rules
	types    Types
	cards    []Code
	facts    []facts    // as many
	chosen   [][]string // likewise: words
	findings []Finding
}

func (l *linter) report(page int, card, code, why string) {
	f := Finding{page, card, code, why}
	if !slices.ContainsFunc(l.findings, func(have Finding) bool {
		return have.Page == page && have.CardID == card && have.Code == code
	}) {
		l.findings = append(l.findings, f)
	}
}

// lines joins the runs of text that stand on one line of one card: a name may be
// printed in several.
func lines(texts []Text) []Text {
	var out []Text
	for _, t := range texts {
		if n := len(out) - 1; n >= 0 && out[n].Page == t.Page && t.Page >= 0 && out[n].CardID == t.CardID &&
			t.CardID != "" && max(out[n].Y-t.Y, t.Y-out[n].Y) < 0.5 {
			out[n].Text += " " + t.Text
			continue
		}
		out = append(out, t)
	}
	return out
}

const unchosen = "a name on the registry that its bearer did not choose to have printed"

// single looks for names of one word: what is a run of its own, or follows a colon.
func (l *linter) single(t Text) {
	if strings.Trim(l.said(t.Text), " |") == "" {
		return
	}
	chosen, own := l.own(t)
	for part := range strings.FieldsFuncSeq(withoutNumbers(t.Text, own), func(r rune) bool { return strings.ContainsRune(":：|/,،", r) }) {
		if words := fold(part); len(words) == 1 && l.rules.Names.single(words[0]) && !slices.Contains(chosen, words[0]) {
			l.report(t.Page, t.CardID, "name", unchosen)
		}
	}
}

// text checks one line of print.
func (l *linter) text(t Text) {
	chosen, own := l.own(t)
	// A number's symbols spell words now and then: "HCR" ends one in 33,000.
	text := withoutNumbers(l.said(t.Text), own)
	report := func(code, why string) { l.report(t.Page, t.CardID, code, why) }
	words := fold(text)
	if l.rules.Names.in(words, chosen) {
		report("name", unchosen)
	}
	for _, p := range l.rules.Plain {
		if contains(words, fold(p)) {
			report("plain", "the name of an organisation or programme, on cards that are to be plain")
		}
	}
	if why := forbidden(words, chosen); why != "" {
		report("word", "a word about "+why)
	}
	for _, p := range patterns(text, own, &l.rules) {
		report(p, patternText[p])
	}
}

// own returns what belongs to the card that t stands on: the words of chosen
// names, and facts. Where the card is not known, to all on its page; where the
// page has none, such as a back, the facts of all cards.
func (l *linter) own(t Text) (chosen []string, own []facts) {
	for i, c := range l.cards {
		if t.CardID != "" && c.CardID == t.CardID || t.CardID == "" && t.Page >= 0 && c.Page == t.Page {
			chosen, own = append(chosen, l.chosen[i]...), append(own, l.facts[i])
		}
	}
	if len(own) == 0 {
		own = l.facts
	}
	return chosen, own
}

func chosenWords(names []string) (words []string) {
	for _, n := range names {
		words = append(words, fold(n)...)
	}
	return words
}

// without puts a mark in the place of part, so that what stood around it does not
// grow together.
func without(text, part string) string {
	if part = strings.TrimSpace(part); part == "" {
		return text
	}
	return strings.ReplaceAll(text, part, " | ")
}

// said is text without what the organisation itself has to say: how it is called
// and reached.
func (l *linter) said(text string) string {
	for _, list := range [2][]string{l.rules.Complaint, l.rules.Houses} {
		for _, known := range list {
			text = withoutLine(without(text, known), known)
		}
	}
	return text
}

// withoutLine takes out of a line what stands there of known, which may go on from
// the line before, in the next one, or both.
func withoutLine(text, known string) string {
	if cut, ok := strings.CutSuffix(text, "…"); ok && strings.Contains(known, cut) {
		return ""
	}
	have, want := strings.Fields(text), strings.Fields(known)
	if contains(want, have) {
		return ""
	}
	for n := min(len(have), len(want)); n > 0; n-- {
		if head := len(have) - n; slices.Equal(have[head:], want[:n]) {
			return strings.Join(append(have[:head:head], "|"), " ")
		}
		if slices.Equal(have[:n], want[len(want)-n:]) {
			return strings.Join(append([]string{"|"}, have[n:]...), " ")
		}
	}
	return text
}

// contains reports whether words has part in it, all in a row.
func contains(words, part []string) bool {
	if len(part) == 0 {
		return false
	}
	for i := 0; i+len(part) <= len(words); i++ {
		if slices.Equal(words[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
