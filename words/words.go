// Package words holds what aidpass says to people about a credential: the
// verdict table that turns a reason code into one word and one next action,
// and the catalogues that say them in each language.
//
// The table is data (verdicts.tsv) and so are the catalogues (lang/*.txt): Go,
// WASM, the command line and every screen speak from the same two sources. The
// package judges nothing; package verifier finds the reasons.
package words

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
)

// An Answer is the machine's judgement of one credential.
type Answer string

// The answers, worst first. None means the text was not a credential at all;
// it never stands beside another answer.
const (
	None    Answer = "none"
	Invalid Answer = "invalid"
	Used    Answer = "used"
	Unsure  Answer = "unsure"
	Valid   Answer = "valid"
)

// Worse reports whether a leads over b: invalid, used, unsure, valid. None
// leads over all, since nothing is known of a text that is no credential, and
// an unknown answer counts as invalid.
func (a Answer) Worse(b Answer) bool { return a.rank() < b.rank() }

func (a Answer) rank() int {
	switch a {
	case None:
		return 0
	case Used:
		return 2
	case Unsure:
		return 3
	case Valid:
		return 4
	}
	return 1
}

// A Word is the key of the one word a volunteer sees; Catalogue.Word says it.
type Word string

// The volunteers' words. SetTheClock is a screen before any scan and has no reason.
const (
	Give             Word = "give"
	GiveRest         Word = "give_rest"
	KnownPerson      Word = "known"
	AlreadyCollected Word = "already_collected"
	NotToday         Word = "not_today" // NOT TODAY / NOT HERE
	HelpDesk         Word = "help_desk"
	NotAnAidCard     Word = "not_an_aid_card"
	SetTheClock      Word = "set_the_clock"
)

// Facts says how much of a credential may be shown with a verdict.
type Facts uint8

const (
	NoFacts    Facts = iota // nothing: the payload is not proven
	CardNumber              // the card number alone
	AllFacts                // what the credential type lets staff see
)

// A Row is one line of the verdict table.
type Row struct {
	Reason    Reason
	Answer    Answer
	Word      Word
	Shape     string // circle-tick, circle-tick-half, circle, triangle-bang, dot
	Colour    string // green, amber, grey
	Exit      int    // exit code of a process that met only this answer
	Facts     Facts
	ShowFacts bool   // Facts != NoFacts
	Todo      string // key of the next action: Catalogue.Text("todo." + Todo)
	Rank      int    // position in the table; lower leads
}

//go:embed verdicts.tsv
var verdictsTSV string

var table, tableFault = parseTable(verdictsTSV)

type verdicts struct {
	reasons []Reason // worst first
	any     map[Reason]Row
	known   map[Reason]Row
}

// parseTable reads verdicts.tsv. A fault is the text of the first bad line; the
// file is part of the program, so a test, not a user, sees it.
func parseTable(text string) (v verdicts, fault string) {
	v.any, v.known = map[Reason]Row{}, map[Reason]Row{}
	facts := map[string]Facts{"none": NoFacts, "number": CardNumber, "all": AllFacts}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 9 {
			return v, line
		}
		exit, err := strconv.Atoi(f[6])
		show, ok := facts[f[7]]
		if err != nil || !ok {
			return v, line
		}
		row := Row{Reason: Reason(f[0]), Answer: Answer(f[2]), Word: Word(f[3]), Shape: f[4], Colour: f[5],
			Exit: exit, Facts: show, ShowFacts: show != NoFacts, Todo: f[8]}
		into := v.any
		switch f[1] {
		case "any":
			row.Rank = len(v.reasons)
			v.reasons = append(v.reasons, row.Reason)
		case "known":
			row.Rank = v.any[row.Reason].Rank
			into = v.known
		default:
			return v, line
		}
		if _, twice := into[row.Reason]; twice {
			return v, line
		}
		into[row.Reason] = row
	}
	return v, ""
}

// Reasons returns every reason code, worst first.
func Reasons() []Reason { return slices.Clone(table.reasons) }

// Known reports whether r is a code of the table.
func (r Reason) Known() bool { _, ok := table.any[r]; return ok }

// Of returns the row of r on an ordinary card. A code the table does not have
// is HELP DESK, invalid, with no facts shown.
func Of(r Reason) Row { return For(r, false) }

// For returns the row of r. known says the credential tells only who somebody
// is (a registration card or a foreign identity card): then a good answer is
// KNOWN and never GIVE.
func For(r Reason, known bool) Row {
	if known {
		if row, ok := table.known[r]; ok {
			return row
		}
	}
	if row, ok := table.any[r]; ok {
		return row
	}
	return Row{Reason: r, Answer: Invalid, Word: HelpDesk, Shape: "triangle-bang", Colour: "amber", Exit: 3, Todo: "help_desk"}
}

// WordFor returns the volunteers' word for r; known as in For.
func WordFor(r Reason, known bool) Word { return For(r, known).Word }

// Worse reports whether r leads over o: first by answer, then by the order of
// the table. A code the table does not have leads over all it has but the
// answer none.
func (r Reason) Worse(o Reason) bool {
	a, b := Of(r), Of(o)
	if a.Answer != b.Answer {
		return a.Answer.Worse(b.Answer)
	}
	return a.Rank < b.Rank
}

// Sort puts reasons in order, worst first, and drops repeats. It works in place
// and returns the shortened slice; the first element is the one that leads.
func Sort(reasons []Reason) []Reason {
	slices.SortStableFunc(reasons, func(a, b Reason) int {
		switch {
		case a.Worse(b):
			return -1
		case b.Worse(a):
			return 1
		}
		return strings.Compare(string(a), string(b))
	})
	return slices.Compact(reasons)
}

// FactsFor returns how much may be shown when all these reasons hold: the least
// that any of them allows, and nothing for no reason at all.
func FactsFor(reasons []Reason) Facts {
	if len(reasons) == 0 {
		return NoFacts
	}
	least := AllFacts
	for _, r := range reasons {
		least = min(least, Of(r).Facts)
	}
	return least
}

// ExitCode returns what a process exits with after these answers: 3 if any is
// invalid or none, else 4 if any is unsure or used, else 0. (1 is an internal
// fault and 2 wrong usage; those never come from an answer.)
func ExitCode(answers []Answer) int {
	code := 0
	for _, a := range answers {
		switch a {
		case Valid:
		case Unsure, Used:
			code = max(code, 4)
		default:
			return 3
		}
	}
	return code
}
