package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/term"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/schemas"
	"aidpass/verifier"
	"aidpass/words"
)

// answerLine is one answer as programs read it. Pointers are null where a value
// is not known or may not be shown.
type answerLine struct {
	Answer     words.Answer   `json:"answer"`
	Reason     words.Reason   `json:"reason"`
	Reasons    []words.Reason `json:"reasons"`
	Word       string         `json:"word"`
	WordKey    words.Word     `json:"word_key"`
	Todo       string         `json:"todo"`
	Shape      string         `json:"shape"`
	Colour     string         `json:"colour"`
	Credential *string        `json:"credential"`
	Type       *string        `json:"type"`
	Issuer     *string        `json:"issuer"`
	IssuerName *string        `json:"issuer_name"`
	ValidFrom  *string        `json:"valid_from"`
	ValidUntil *string        `json:"valid_until"`
	Claims     map[string]any `json:"claims"`
	Number     *string        `json:"number"`
	Holder     []string       `json:"holder_check"`
	StatusAsOf *string        `json:"status_as_of"`
	TrustAsOf  *string        `json:"trust_as_of"`
	Age        *int64         `json:"age"`
	ClockLate  bool           `json:"clock_behind"`
	StillDue   *string        `json:"still_due"`
	Give       []giveLine     `json:"give"` // null: the pack does not tell
	Expected   *expectedLine  `json:"expected"`
	Recorded   *uint64        `json:"recorded"` // number of the journal record --give made
	Source     *string        `json:"source"`
}

// giveLine is one thing to be given.
type giveLine struct {
	Code   string            `json:"code"` // empty: money
	Amount string            `json:"amount"`
	Unit   string            `json:"unit"`
	Label  map[string]string `json:"label"`
}

// expectedLine is the row that a typed number found.
type expectedLine struct {
	Programme  string   `json:"programme"`
	Round      uint64   `json:"round"`
	Names      []string `json:"names"` // empty: nobody is to be named
	Collectors []string `json:"collectors"`
	Size       *uint64  `json:"size"`
	Check      string   `json:"check"` // photo, witness or private
}

// printer says answers.
type printer struct {
	a       *app
	tables  *verifier.Tables // nil: not unlocked
	lang    *words.Catalogue
	english *words.Catalogue
	n       int
}

func (p *printer) answer(r *verifier.Result, c code, recorded uint64) error {
	if p.english == nil {
		p.english, _ = words.Language("en")
	}
	row := words.For(r.Reason, r.Known)
	line := answerLine{
		Answer: r.Answer, Reason: r.Reason, Reasons: r.Reasons(),
		Word: p.english.Word(r.Word), WordKey: r.Word, Todo: p.lang.Text("todo." + row.Todo), Shape: row.Shape, Colour: row.Colour,
		Number: textPtr(r.CardNumber()), Holder: p.holder(r),
		StatusAsOf: timePtr(r.StatusAsOf), TrustAsOf: timePtr(r.TrustAsOf), ClockLate: r.ClockBehind,
		Source: textPtr(c.source),
	}
	if r.Age >= 0 {
		line.Age = &r.Age
	}
	if recorded != 0 {
		line.Recorded = &recorded
	}
	// Which credential it is may be told wherever its number may: the help desk has
	// to find it. What it says only where the answer allows all.
	if r.Facts != words.NoFacts && r.Credential.Proven() {
		cred := &r.Credential
		line.Credential = textPtr(base64.RawURLEncoding.EncodeToString(cred.ID))
		line.Issuer = textPtr(string(cred.Issuer))
		if r.Issuer != nil {
			line.IssuerName = textPtr(nameIn(r.Issuer.Names, p.lang.Tag()))
		}
		if r.Type != nil {
			line.Type = textPtr(r.Type.Name)
		}
		line.ValidFrom, line.ValidUntil = timePtr(cred.NotBefore), timePtr(cred.ExpiresAt)
	}
	if r.Facts == words.AllFacts && r.Credential.Proven() {
		line.Claims = plainClaims(r.Claims())
		line.StillDue = textPtr(r.Earlier.Rest)
	}
	p.told(r, &line)
	if p.a.JSON {
		return printJSON(p.a.Stdout, &line)
	}
	return p.text(p.a.Stdout, r, &line)
}

// checks of a row, for programs and in the catalogues.
var rowChecks = map[verifier.RowCheck][2]string{verifier.RowPhoto: {"photo", "check.photo"},
	verifier.RowWitness: {"witness", "check.witness"}, verifier.RowPrivate: {"private", "check.witness"}, verifier.RowUnsaid: {"witness", "check.witness"}}

// told adds what the pack's tables tell: what to give where something is, and whom a
// typed number means.
func (p *printer) told(r *verifier.Result, line *answerLine) {
	band := ""
	if r.Type != nil {
		band, _ = line.Claims[r.Type.SizeBandClaim].(string)
	}
	whole := r.Answer == words.Valid && (r.Word == words.Give || r.Word == words.GiveRest && r.Earlier.Rest == "")
	if whole || r.Row != nil && r.Answer == words.Unsure {
		for _, l := range p.tables.Due(r.Ledger, band) {
			line.Give = append(line.Give, giveLine{l.Code, l.Amount, l.Unit, l.Label})
		}
	}
	row := r.Row
	if row == nil {
		return
	}
	line.Number = textPtr(numberOf(row.Pseudonym))
	e := &expectedLine{Programme: row.Programme, Round: row.Round, Names: append([]string{}, row.Names...),
		Collectors: append([]string{}, row.Collectors...), Check: rowChecks[row.Check][0]}
	if row.Size > 0 {
		e.Size = &row.Size
	}
	line.Expected = e
}

// toGive is "2400.00 KES; Rice 5 kg".
func (p *printer) toGive(lines []giveLine) string {
	var out []string
	for _, l := range lines {
		label := verifier.InLanguage(l.Label, p.lang.Tag())
		if label == "" {
			label = l.Code
		}
		out = append(out, strings.Join(strings.Fields(label+" "+l.Amount+" "+l.Unit), " "))
	}
	return strings.Join(out, "; ")
}

// text is the answer for a person: the word, the next action, then details.
func (p *printer) text(w io.Writer, r *verifier.Result, line *answerLine) error {
	var b strings.Builder
	if p.n++; p.n > 1 {
		b.WriteByte('\n')
	}
	word := shapes[line.Shape] + " " + p.lang.Word(r.Word)
	if f, ok := p.a.Stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		word = colours[line.Colour] + word + "\x1b[0m"
	}
	fmt.Fprintf(&b, "%s\n%s\n", word, line.Todo)
	say := func(key, name, value string) {
		if value != "" {
			fmt.Fprintln(&b, "  "+p.lang.Fill("label."+key, name, value))
		}
	}
	say("give", "what", p.toGive(line.Give))
	if e := line.Expected; e != nil {
		name := p.tables.ProgrammeName(e.Programme, p.lang.Tag())
		say("programme", "name", strings.TrimSpace(name+" "+e.Programme))
		say("round", "name", fmt.Sprint(e.Round))
		for _, n := range append(slices.Clip(e.Names), e.Collectors...) {
			fmt.Fprintf(&b, "  %s\n", n)
		}
		if e.Size != nil {
			say("size", "n", fmt.Sprint(*e.Size))
		}
		line.Holder = []string{p.lang.Text(rowChecks[r.Row.Check][1])}
	}
	say("holder_check", "what", strings.Join(line.Holder, ", "))
	say("still_due", "what", deref(line.StillDue))
	say("card_number", "number", cwt.GroupCardNumber(deref(line.Number)))
	if r.Facts == words.AllFacts {
		if r.Type != nil {
			say("type", "name", r.Type.Label(p.lang.Tag()))
			for _, name := range slices.Sorted(maps.Keys(line.Claims)) {
				if c := r.Type.Claim(name); c != nil && !isBytes(r, name) {
					fmt.Fprintf(&b, "  %s: %s\n", c.Label(p.lang.Tag()), p.claim(c, line.Claims[name]))
				}
			}
		}
		say("issuer", "name", deref(line.IssuerName))
		say("valid_from", "date", deref(line.ValidFrom))
		say("valid_until", "date", deref(line.ValidUntil))
	}
	if asOf := oldest(r); asOf != 0 {
		say("lists_as_of", "date", asOf.String()+" ("+p.lang.Age(r.Age)+")")
	}
	say("details", "code", p.means(r.Reason))
	for _, also := range line.Reasons[min(1, len(line.Reasons)):] {
		say("also", "codes", p.means(also))
	}
	if source := deref(line.Source); source != "" {
		fmt.Fprintf(&b, "  %s\n", source)
	}
	if line.Recorded != nil {
		fmt.Fprintf(&b, "  journal record %d\n", *line.Recorded)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// means is what a supervisor reads of a code, and the code.
func (p *printer) means(r words.Reason) string { return p.lang.Sentence(r) + " (" + string(r) + ")" }

// claim is a claim's value as people read it; of a list of values what each is called, with
// the value that the card has.
func (p *printer) claim(c *schemas.Claim, v any) string {
	value, ok := v.(string)
	if !ok {
		return inWords(v)
	}
	if label := c.ValueLabel(p.lang.Tag(), value); label != value {
		return label + " (" + value + ")"
	}
	return value
}

// oldest is the older of what the judgement relied on, 0 if nothing is known.
func oldest(r *verifier.Result) credential.Time {
	if r.StatusAsOf != 0 {
		return min(r.StatusAsOf, r.TrustAsOf)
	}
	return r.TrustAsOf
}

var (
	shapes = map[string]string{"circle-tick": "(✓)", "circle-tick-half": "(✓/2)", "circle": "( )", "triangle-bang": "/!\\",
		"octagon-cross": "[X]", "dot": " · "}
	colours = map[string]string{"green": "\x1b[1;32m", "amber": "\x1b[1;33m", "red": "\x1b[1;31m", "grey": "\x1b[1;90m"}
)

// holder lists the checks that still tie the person in front to the card.
func (p *printer) holder(r *verifier.Result) []string {
	checks := []string{}
	if r.Answer != words.Valid {
		return checks
	}
	if r.Holder&verifier.CheckPhoto != 0 {
		checks = append(checks, p.lang.Text("check.photo"))
	}
	if r.Holder&verifier.CheckPIN != 0 && r.Holder&verifier.PINRight == 0 {
		checks = append(checks, p.lang.Text("check.pin"))
	}
	return checks
}

// plainClaims makes byte strings hex, as people compare them.
func plainClaims(claims map[string]any) map[string]any {
	for k, v := range claims {
		if b, ok := v.([]byte); ok {
			claims[k] = hex.EncodeToString(b)
		}
	}
	return claims
}

func isBytes(r *verifier.Result, name string) bool {
	c := r.Type.Claim(name)
	return c != nil && c.Kind.String() == "bytes"
}

// nameIn picks a name by language, English next, then any.
func nameIn(names map[string]string, lang string) string {
	for _, l := range []string{lang, "en"} {
		if n := names[l]; n != "" {
			return n
		}
	}
	for _, l := range slices.Sorted(maps.Keys(names)) {
		return names[l]
	}
	return ""
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// inWords writes a claim as people read it: what is due as "120.00 JOD; RICE 5 kg;
// 3 visits", lists with commas.
func inWords(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		if amount, ok := v["amount"]; ok {
			parts = append(parts, strings.TrimSpace(fmt.Sprint(amount, " ", v["currency"])))
		}
		if items, ok := v["items"].([]any); ok {
			for _, item := range items {
				if m, ok := item.(map[string]any); ok {
					parts = append(parts, fmt.Sprint(m["code"], " ", m["qty"], " ", m["unit"]))
				}
			}
		}
		if visits, ok := v["visits"]; ok {
			parts = append(parts, fmt.Sprint(visits, " visits"))
		}
		return strings.Join(parts, "; ")
	}
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice {
		parts := make([]string, list.Len())
		for i := range parts {
			parts[i] = inWords(list.Index(i).Interface())
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v)
}
