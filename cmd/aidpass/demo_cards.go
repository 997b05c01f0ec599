package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"aidpass/cmd/aidpass/demoworld"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/qrcode"
	"aidpass/issuer/print"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// How long ago things happened in the demo's world, in days.
const (
	clinicDays = 40 // Health B issued: a card of 30 days, with 14 of grace, and one of 7
	silentDays = 12 // Relief C issued
	statusDays = 9  // and was heard of last
)

// past makes the cards whose point is their age, on the days they are from.
func (d *demo) past() error {
	d.tell("what happened before today: Health B issued %d days ago, and of Relief C nothing was heard for %d days", clinicDays, statusDays)
	roster := d.in("out", "earlier.csv")
	if err := os.WriteFile(roster, []byte("household_id,id,full_name,birth_date,household_size,consent\nEH-1,E-1,Nyabol,1988,1,yes\n"), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(d.in("out", "clinic.json"), demoworld.Clinic, 0o600); err != nil {
		return err
	}
	for _, act := range []struct {
		days int
		args []string
	}{
		{clinicDays, []string{"issue", roster, "--data", d.in("health-b"), "--type-file", d.in("out", "clinic.json"), "--programme", "K7Q2", "--round", "1", "--valid-days", "30", "--out", d.in("out", "grace.jsonl")}},
		{clinicDays, []string{"issue", roster, "--data", d.in("health-b"), "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--valid-days", "7", "--out", d.in("out", "expired.jsonl")}},
		{silentDays, []string{"issue", roster, "--data", d.in("relief-c"), "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--out", d.in("out", "silent.jsonl")}},
		{statusDays, []string{"status", "publish", "--data", d.in("relief-c")}},
	} {
		if err := d.ago(act.days, act.args...); err != nil {
			return err
		}
	}
	// What the others had from it then; today it is in its own office alone.
	return os.CopyFS(d.in("out", "relief-c.status"), os.DirFS(d.in("relief-c", "public", "status")))
}

// stolenKey has Care D issue a card, and withdraw the key that signed it.
func (d *demo) stolenKey() error {
	d.tell("Care D's card key is stolen: it says so itself, and packs carry that at once")
	if err := d.quiet("issue", d.in("out", "earlier.csv"), "--data", d.in("care-d"), "--type", "eligibility", "--programme", "K7Q2", "--round", "1",
		"--trust", d.in("out", "trust.list"), "--out", d.in("out", "stolen.jsonl")); err != nil {
		return err
	}
	if err := d.quiet("status", "publish", "--data", d.in("care-d")); err != nil {
		return err
	}
	if code := d.exec([]string{"org", "show", "--data", d.in("care-d"), "--json"}, io.Discard, d.Stderr); code != 0 {
		return fmt.Errorf("demo: org show: exit code %d", code)
	}
	var shown struct{ Keys []struct{ KID, Use string } }
	if err := json.Unmarshal(d.last.Bytes(), &shown); err != nil {
		return fmt.Errorf("demo: org show: %w", err)
	}
	for _, k := range shown.Keys {
		if k.Use == "card" { // the first signs, the second stands by
			return d.quiet("trust", "withdraw", d.in("out", "trust.list"), "--data", d.in("care-d"), "--org", "https://care-d.example/i1",
				"--kid", k.KID, "--withdrawal-out", d.in("out", "care-d.withdrawal"))
		}
	}
	return fmt.Errorf("demo: Care D has no card key")
}

// A tryCard is a card of the demo's sheet.
type tryCard struct {
	Text   string `json:"text"`
	Reason string `json:"reason"` // that it must be answered with: what was done is why
	Word   string `json:"word"`   // as the project's own verifier says it
	Why    string `json:"why"`

	line cardLine // zero: no card of ours
}

// sheet does what makes each card what it is, and prints them all.
func (d *demo) sheet() error {
	d.title("11. A sheet to try a phone with: a card for every row of the table of answers")
	cards, err := d.tryCards()
	if err != nil {
		return err
	}
	if err := d.judged(cards); err != nil {
		return err
	}
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	badge, err := d.badge()
	if err != nil {
		return err
	}
	printed := []print.DemoCard{badge}
	for _, c := range cards {
		if err := out.Encode(c); err != nil {
			return err
		}
		p := print.DemoCard{Word: c.Word, Why: c.Why, Card: print.Card{ID: c.line.Credential, Text: c.Text, Number: c.line.Number,
			Organisation: "DEMO: worth nothing", Programme: c.line.Programme, Complaint: "nobody: this is a demo"}}
		if p.Number != "" {
			if p.ValidFrom, err = credential.ParseTime(c.line.ValidFrom); err == nil {
				p.ValidUntil, err = credential.ParseTime(c.line.ValidUntil)
			}
			if err != nil {
				return fmt.Errorf("demo: card %s: %w", p.Number, err)
			}
		}
		printed = append(printed, p)
	}
	if err := writeFile(d.in("out", "demo-cards.jsonl"), lines.Bytes()); err != nil {
		return err
	}
	notes := d.sheetNotes(cards)
	title := fmt.Sprintf("DEMO of aidpass, made %s: nobody is real, nothing is due on these cards. Scan each; the word beneath is what the scanner says. How the phone takes table 1's file, and what else to try: page %d.",
		d.now.Format("2 January 2006"), print.DemoPages(len(printed), len(notes)))
	file, err := print.DemoSheet(d.ctx, title, printed, notes, print.Options{Lang: "en"})
	if err != nil {
		return printError(err)
	}
	path := d.in("out", "demo-cards.pdf")
	if err := print.Release(d.ctx, file, path, nil, nil); err != nil {
		return printError(err)
	}
	d.tell("a badge and %s on %s: %s", plural(len(cards), "card", "cards"), plural(file.Pages, "page", "pages"), path)
	return nil
}

// tryCards makes the cards, each by the acts that a desk would do.
func (d *demo) tryCards() (cards []tryCard, err error) {
	line := func(file string, n int) cardLine {
		c, cerr := d.card(file, n)
		if err == nil {
			err = cerr
		}
		return c
	}
	used, lost, good, part, held, torn := line("cards.jsonl", 1), line("cards.jsonl", 2), line("cards.jsonl", 3), line("cards.jsonl", 5), line("cards.jsonl", 6), line("cards.jsonl", 7)
	if err != nil {
		return nil, err
	}
	whole, _, err := d.due(good)
	if err != nil {
		return nil, err
	}
	_, half, err := d.due(part)
	if err != nil {
		return nil, err
	}
	journal := d.in("out", "table-1.journal")
	later := d.now.AddDate(0, 0, 5).Format("2006-01-02")
	issue := []string{"issue", d.in("out", "visitor.csv"), "--programme", "K7Q2", "--round", "1"}
	for _, act := range [][]string{
		append([]string{"verify", "--device", d.in("out", "table-1.key"), "--visits", journal, "--give", "--given", half, "--rest", half, part.Text}, d.counter()...),
		{"suspend", held.Credential, "--reason", "complaint"},
		{"card", "replace", torn.Credential, "--reason", "lost", "--second-person", "lead-2", "--out", d.in("out", "replaced.jsonl")},
		append(issue[:len(issue):len(issue)], "--roster", "later", "--type", "eligibility", "--claim", "collect_from="+later, "--out", d.in("out", "later.jsonl")),
		append(issue[:len(issue):len(issue)], "--roster", "elsewhere", "--type", "eligibility", "--claim", "site=WELL-B", "--out", d.in("out", "elsewhere.jsonl")),
		{"issue", d.in("out", "visitor.csv"), "--roster", "known", "--type", "registration", "--out", d.in("out", "known.jsonl")},
		{"visits", "import", journal},
		d.packFor("site.pack"),
		{"visits", "share", "--pack", d.in("out", "site.pack"), "--device", d.in("out", "table-1.key"), "--unlock", d.in("secrets", "code.txt"), "--out", d.in("relief-a", "public", exchangeName), journal},
	} {
		if err := d.quiet(act...); err != nil {
			return nil, err
		}
	}
	cards = []tryCard{
		{Reason: "ok", line: good, Why: "A good card: " + whole + " are due. Give and record; the same card again is ALREADY COLLECTED."},
		{Reason: "ok_grace", line: line("grace.jsonl", 1), Why: "It ended ten days ago, and cards of this type still count for fourteen."},
		{Reason: "partly_collected", line: part, Why: "Table 1 gave a half, and " + half + " stay due. The phone must have taken table 1's file (last page); before that it says GIVE."},
		{Reason: "ok", line: line("known.jsonl", 1), Why: "A registration card: it says who is known, and nothing is due on it."},
		{Reason: "already_redeemed", line: used, Why: "Table 1 gave it all. The phone must have taken table 1's file (last page); before that it says GIVE."},
		{Reason: "not_yet_valid", line: line("later.jsonl", 1), Why: "It can be collected from " + later + " on."},
		{Reason: "wrong_site", line: line("elsewhere.jsonl", 1), Why: "It is for WELL-B, another place."},
		{Reason: "wrong_programme", line: line("health.jsonl", 1), Why: "A good card of Health B, for a service that is not given here."},
		{Reason: "expired", line: line("expired.jsonl", 1), Why: "It ended a month ago."},
		{Reason: "suspended", line: held, Why: "On hold. Volunteers see no difference to the next two; a supervisor does."},
		{Reason: "revoked", line: lost, Why: "Lost, and cancelled."},
		{Reason: "revoked", line: torn, Why: "Replaced by a new card: this is the old one."},
		{Reason: "ok", line: line("replaced.jsonl", 1), Why: "And this is the new one."},
		{Reason: "key_revoked", line: line("stolen.jsonl", 1), Why: "The key that signed it was stolen: none of its cards counts any more."},
		{Reason: "bad_", Text: altered(good.Text), line: good, Why: "The first card with one letter changed: nothing of it is believed or shown."},
		{Reason: "unknown_key", line: line("stranger.jsonl", 1), Why: "Made by somebody who is not on the trust list."},
		{Reason: "status_stale", line: line("silent.jsonl", 1), Why: fmt.Sprintf("Relief C was last heard of %d days ago: too long to trust its list of lost cards.", statusDays)},
		{Reason: "unknown_format", Text: "HTTPS://WWW.EXAMPLE.ORG/", Why: "A code of another kind, as on a shop's poster: a small message, and scanning goes on."},
	}
	for i := range cards {
		if cards[i].Text == "" {
			cards[i].Text = cards[i].line.Text
		}
	}
	return cards, err
}

// due asks the verifier, with the operator's code, what is due on a card, and what a
// half of it is.
func (d *demo) due(c cardLine) (whole, half string, err error) {
	var errs bytes.Buffer
	args := []string{"verify", "--json", "--pack", d.in("out", "site.pack"), "--device", d.in("out", "table-1.key"), "--unlock", d.in("secrets", "code.txt"), c.Text}
	if err := d.must(args, io.Discard, &errs); err != nil {
		return "", "", fmt.Errorf("%w: %s", err, errs.String())
	}
	var answer struct {
		Give []struct{ Amount, Unit string }
	}
	if err := json.Unmarshal(d.last.Bytes(), &answer); err != nil || len(answer.Give) != 1 {
		return "", "", errors.Join(fmt.Errorf("demo: on card %s %s are due", c.Number, plural(len(answer.Give), "thing", "things")), err)
	}
	whole = answer.Give[0].Amount + " " + answer.Give[0].Unit
	amount, ok, err := visit.ParseAmount(whole)
	if err != nil || !ok {
		return "", "", errors.Join(fmt.Errorf("demo: %q is no amount", whole), err)
	}
	cents := amount.Micros / 2 / 10_000
	return whole, fmt.Sprintf("%d.%02d %s", cents/100, cents%100, amount.Unit), nil
}

// exchangeName is table 1's file for the other tables, as the server hands it out.
const exchangeName = "table-1.exchange"

// demoStaff is the code of the demo's volunteer.
const demoStaff = "V-12"

// badge makes the badge that opens a shift on the demo's phones, operator's code and all.
func (d *demo) badge() (c print.DemoCard, err error) {
	if err := d.quiet("badge", "make", "--staff", demoStaff, "--site", "WELL-A", "--day", d.now.Local().Format("2006-01-02"), "--days", "7",
		"--unlock", d.in("secrets", "code.txt"), "--png", d.in("out", "badge")); err != nil {
		return c, err
	}
	picture, err := os.Open(d.in("out", "badge", demoStaff+".png"))
	if err != nil {
		return c, err
	}
	defer picture.Close()
	texts, err := qrcode.ReadImage(picture)
	if err != nil {
		return c, fmt.Errorf("demo: %s: %w", picture.Name(), err)
	}
	c.ID, c.Text = demoStaff, texts[0]
	c.Word, c.Why = "Opens the shift", "No card: the badge of volunteer "+demoStaff+", for a week. Scan it first, where the phone asks for a badge; it brings the operator's code."
	return c, nil
}

// judged asks the verifier, as table 1 stands, for the word of each card; an answer for
// another reason than the one that was arranged is an error.
func (d *demo) judged(cards []tryCard) error {
	args := []string{"verify", "--json", "--pack", d.in("out", "site.pack"), "--visits", d.in("out", "table-1.journal")}
	for _, c := range cards {
		args = append(args, c.Text)
	}
	var errs bytes.Buffer
	if err := d.must(args, io.Discard, &errs); err != nil {
		return fmt.Errorf("%w: %s", err, errs.String())
	}
	answers := json.NewDecoder(bytes.NewReader(d.last.Bytes()))
	for i := range cards {
		var a struct{ Reason, Word string }
		if err := answers.Decode(&a); err != nil {
			return fmt.Errorf("demo: the answer to card %d: %w", i+1, err)
		}
		if c := &cards[i]; a.Reason != c.Reason && !(strings.HasSuffix(c.Reason, "_") && strings.HasPrefix(a.Reason, c.Reason)) {
			return fmt.Errorf("demo: card %d (%s) is answered %s, not %s", i+1, c.Why, a.Reason, c.Reason)
		}
		cards[i].Reason, cards[i].Word = a.Reason, a.Word
	}
	return nil
}

// sheetNotes tell how to see what no card alone can show.
func (d *demo) sheetNotes(cards []tryCard) []string {
	en, _ := words.Language("en")
	n := cards[0].line.Number
	return []string{
		"How the phone learns what table 1 gave: open the server's address with /public/" + exchangeName + " on the phone, which saves the file, then Lists and health, “Load a file”, while a shift is open with the operator's code.",
		fmt.Sprintf("A number alone: type %s by hand on the Scan screen. %s: a number is not signed, and the person is looked at.", cwt.GroupCardNumber(n), en.Word(words.HelpDesk)),
		"The same card twice: scan the first card, give, and scan it again. " + en.Word(words.AlreadyCollected) + ".",
		"GIVE on old lists: put the phone's clock nine days on. All cards of today are " + en.Word(words.HelpDesk) + " then, until the supervisor opens the round on old lists (Supervisor, with a reason and two people): GIVE with a line above it that says how old.",
		en.Word(words.SetTheClock) + ": put the phone's clock back by a month, and open the scanner again. No card is looked at before it is right.",
		"Not this person: scan the first card, and press that button in place of giving.",
		"The files behind this sheet: " + filepath.Base(d.in("out", "demo-cards.jsonl")) + " has the text of each code, to be pasted where there is no camera.",
	}
}
