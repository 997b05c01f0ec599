package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTableIsWholeAndOrdered(t *testing.T) {
	if tableFault != "" {
		t.Fatalf("verdicts.tsv: bad line %q", tableFault)
	}
	last := Row{Answer: None}
	for _, r := range Reasons() {
		row := Of(r)
		if last.Answer != row.Answer && !last.Answer.Worse(row.Answer) {
			t.Errorf("%q (%s) stands after %q (%s)", r, row.Answer, last.Reason, last.Answer)
		}
		// A leading reason must never show what a hidden one forbids.
		if last.Answer == row.Answer && row.Facts < last.Facts {
			t.Errorf("%q shows less than %q, which leads over it", r, last.Reason)
		}
		if last.Answer == row.Answer && last.Word == NotToday && row.Word == HelpDesk {
			t.Errorf("%q is HELP DESK behind NOT TODAY", r)
		}
		if want := map[Answer]int{Valid: 0, Used: 4, Unsure: 4, Invalid: 3, None: 3}[row.Answer]; row.Exit != want || ExitCode([]Answer{row.Answer}) != want {
			t.Errorf("%q: exit %d, want %d", r, row.Exit, want)
		}
		if row.ShowFacts != (row.Facts != NoFacts) {
			t.Errorf("%q: ShowFacts %v, Facts %v", r, row.ShowFacts, row.Facts)
		}
		if known := For(r, true); known.Answer != row.Answer || known.Exit != row.Exit || known.Word == Give || known.Word == GiveRest {
			t.Errorf("%q on an identity card: %+v", r, known)
		}
		last = row
	}
	if WordFor(OK, false) != Give || WordFor(OK, true) != KnownPerson {
		t.Errorf("ok says %q, on an identity card %q", WordFor(OK, false), WordFor(OK, true))
	}
}

// TestEveryReasonHasItsConstant reads the source: a code added to the table
// alone, or to the constants alone, fails here.
func TestEveryReasonHasItsConstant(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "reasons.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var constants []Reason
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok {
			s, _ := strconv.Unquote(lit.Value)
			constants = append(constants, Reason(s))
		}
		return true
	})
	if got, want := constants, Reasons(); !slices.Equal(got, want) {
		t.Errorf("constants %q\nwant %q", got, want)
	}
}

func TestUnknownReasonIsHelpDesk(t *testing.T) {
	row := Of("no_such_code")
	if row.Word != HelpDesk || row.Answer != Invalid || row.ShowFacts || row.Exit != 3 {
		t.Errorf("unknown code: %+v", row)
	}
	c, _ := Language("sw")
	if got := c.Sentence("no_such_code"); got != c.Text("sentence.other") {
		t.Errorf("sentence %q", got)
	}
}

func TestWorstLeads(t *testing.T) {
	for _, c := range []struct {
		name    string
		reasons []Reason
		want    []Reason
	}{
		{"served today with old lists is used", []Reason{StatusStale, AlreadyRedeemed}, []Reason{AlreadyRedeemed, StatusStale}},
		{"invalid before used before unsure before valid", []Reason{OK, StatusUnknown, AlreadyRedeemed, Expired}, []Reason{Expired, AlreadyRedeemed, StatusUnknown, OK}},
		{"a compromised key before what its holder wrote", []Reason{Expired, Revoked, KeyRevoked}, []Reason{KeyRevoked, Revoked, Expired}},
		{"help desk never hides behind not today", []Reason{WrongSite, NotYetValid, Expired}, []Reason{Expired, WrongSite, NotYetValid}},
		{"the rest before all, and no repeats", []Reason{OK, PartlyCollected, OK, OKGrace}, []Reason{PartlyCollected, OKGrace, OK}},
		{"unknown codes lead among invalid ones", []Reason{Revoked, "zz", "aa"}, []Reason{"aa", "zz", Revoked}},
	} {
		if got := Sort(slices.Clone(c.reasons)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if got := FactsFor([]Reason{AlreadyRedeemed, StatusStale}); got != CardNumber {
		t.Errorf("facts of used and stale: %v, want the card number", got)
	}
	if FactsFor(nil) != NoFacts {
		t.Error("no reason shows facts")
	}
	for _, c := range []struct {
		answers []Answer
		want    int
	}{{nil, 0}, {[]Answer{Valid, Valid}, 0}, {[]Answer{Valid, Unsure}, 4}, {[]Answer{Used, Valid}, 4}, {[]Answer{Used, None}, 3}, {[]Answer{Unsure, Invalid}, 3}, {[]Answer{"other"}, 3}} {
		if got := ExitCode(c.answers); got != c.want {
			t.Errorf("ExitCode(%q) = %d, want %d", c.answers, got, c.want)
		}
	}
}

// document reads one of the documents the table was decided in, which stand
// beside the repository where they are at hand.
func document(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "shared", "docs", name))
		if err == nil {
			return string(b)
		}
		if dir == filepath.Dir(dir) {
			t.Skipf("SKIPPED: ../shared/docs/%s not present", name)
		}
		dir = filepath.Dir(dir)
	}
}

var code = regexp.MustCompile(`\b[a-z0-9]+(?:_[a-z0-9]+)*\b`)

// refusals reads the codes of THREATS section 2.
func refusals(t *testing.T) []Reason {
	text := document(t, "THREATS.md")
	_, text, ok := strings.Cut(text, "## 2. Refusal vocabulary")
	first, second, ok2 := strings.Cut(text, "Further codes:")
	second, _, ok3 := strings.Cut(second, ". Answers")
	if !ok || !ok2 || !ok3 {
		t.Fatal("THREATS.md: section 2 has another shape")
	}
	aside := regexp.MustCompile(`\([^)]*\)`)
	var codes []Reason
	for _, c := range code.FindAllString(aside.ReplaceAllString(first+second, ""), -1) {
		codes = append(codes, Reason(c))
	}
	return codes
}

func TestTableHasExactlyTheCodesOfTheVocabulary(t *testing.T) {
	got, want := Reasons(), append(refusals(t), NotShown) // docs/decisions/0026
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("table %q\nwant %q", got, want)
	}
}

func TestTableSaysWhatTheScreensPromise(t *testing.T) {
	text := document(t, "UI.md")
	words := map[string]Word{"GIVE": Give, "GIVE THE REST": GiveRest, "KNOWN": KnownPerson, "ALREADY COLLECTED": AlreadyCollected,
		"NOT TODAY / NOT HERE": NotToday, "HELP DESK": HelpDesk, "(toast) Not an aid card": NotAnAidCard}
	all := refusals(t)
	seen := map[Reason]bool{}
	var rest []Reason // the codes of the row "every code raised before or by the signature"
	aside := regexp.MustCompile(`\([^)]*\)`)
	check := func(r Reason, known bool, cell []string) {
		row := For(r, known)
		if want := words[cell[1]]; row.Word != want {
			t.Errorf("%q says %q, want %q", r, row.Word, want)
		}
		if string(row.Answer) != cell[4] || strconv.Itoa(row.Exit) != cell[5] {
			t.Errorf("%q answers %s exit %d, want %s exit %s", r, row.Answer, row.Exit, cell[4], cell[5])
		}
		if colour, _, _ := strings.Cut(cell[2], " "); row.Colour != colour {
			t.Errorf("%q is %s, want %s", r, row.Colour, colour)
		}
	}
	var catchAll []string
	for line := range strings.Lines(text) {
		cell := strings.Split(line, "|")
		for i := range cell {
			cell[i] = strings.TrimSpace(cell[i])
		}
		if len(cell) < 7 || words[cell[1]] == "" {
			continue
		}
		if cell[1] == "KNOWN" {
			check(OK, true, cell)
			continue
		}
		details, listed := cell[3], cell[3]
		if strings.HasPrefix(details, "every code") {
			catchAll = cell
			_, listed, _ = strings.Cut(details, "plus ")
			listed, _, _ = strings.Cut(listed, ":")
		}
		for name := range strings.FieldsFuncSeq(aside.ReplaceAllString(listed, ""), func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
			stem, wild := strings.CutSuffix(name, "*")
			for _, r := range all {
				if string(r) != name && !(wild && strings.HasPrefix(string(r), stem)) {
					continue
				}
				seen[r] = true
				check(r, false, cell)
				if catchAll != nil && slices.Equal(cell, catchAll) && Of(r).ShowFacts {
					t.Errorf("%q shows facts", r)
				}
			}
		}
	}
	if catchAll == nil || !seen[OK] || !seen[Expired] || !seen[PackRollback] {
		t.Fatal("UI.md: the table has another shape")
	}
	for _, r := range all {
		if !seen[r] {
			rest = append(rest, r)
			check(r, false, catchAll)
			if Of(r).ShowFacts {
				t.Errorf("%q, raised before or by the signature, shows facts", r)
			}
		}
	}
	if len(rest) < 15 {
		t.Errorf("only %d codes before or by the signature: %q", len(rest), rest)
	}
}
