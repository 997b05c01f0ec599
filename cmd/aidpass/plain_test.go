package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"aidpass/verifier/visit"
)

// Every code that merging gives a record has words: a new one is not shown raw.
func TestEveryCodeOfARecordHasWords(t *testing.T) {
	have := map[string]map[string]bool{"Doubt": keysOf(doubtWords), "State": keysOf(stateWords), "Why": keysOf(refusalWords)}
	found := 0
	for _, file := range []string{"merge.go", "record.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), "../../verifier/visit/"+file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			kind, ok := v.Type.(*ast.Ident)
			code, lit := v.Values[0].(*ast.BasicLit)
			if !ok || !lit || have[kind.Name] == nil {
				return true
			}
			text, err := strconv.Unquote(code.Value)
			if found++; err != nil || !have[kind.Name][text] {
				t.Errorf("%s %s has no words", kind.Name, code.Value)
			}
			return true
		})
	}
	if want := len(doubtWords) + len(stateWords) + len(refusalWords); found != want {
		t.Errorf("%d codes were found, %d have words", found, want)
	}
}

// What a phone's history has words for, a person at the office reads in words too.
func TestEveryNoteOfAPhoneHasWords(t *testing.T) {
	raw, err := os.ReadFile("../../web/i18n/en.json")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range regexp.MustCompile(`"code\.(\w+)":`).FindAllSubmatch(raw, -1) {
		if found++; noteWords[string(m[1])] == "" {
			t.Errorf("%s has no words", m[1])
		}
	}
	if found < 10 {
		t.Errorf("%d codes were found", found)
	}
}

func keysOf[C ~string](m map[C]string) map[string]bool {
	keys := map[string]bool{}
	for k, text := range m {
		keys[string(k)] = text != ""
	}
	return keys
}

func TestACodeStandsBehindItsWords(t *testing.T) {
	for got, want := range map[string]string{
		plain(doubtWords, visit.LongAgo):                                   "it is more than a year old (long_ago)",
		plain(doubtWords, visit.Doubt("new_one")):                          "new_one",
		plainAll(doubtWords, []visit.Doubt{visit.Cloned, visit.OtherUnit}): "its device was copied (clone); the amount is in another unit than what is due (other_unit)",
		noted("override:ceiling"):                                          "a supervisor let it be given all the same (override:ceiling)",
		noted("ours"):                                                      "ours",
		noted(""):                                                          "",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What adds up in the first line stands below it: ours by the plan, others' by themselves.
func TestTheReportShowsTheCardsOfOthers(t *testing.T) {
	r := &visitReport{Collected: 2, Partial: 1, Accounts: []accountRow{
		{Issuer: "https://a.example/i1", Programme: "K7Q2", Round: 1, State: "collected"},
		{Issuer: "https://b.example/i1", Programme: "K7Q2", Round: 1, State: "collected"},
		{Issuer: "https://b.example/i1", Programme: "K7Q2", Round: 1, State: "partial"},
		{Issuer: "https://b.example/i1", Programme: "K7Q2", Round: 1, State: "none"}}}
	r.serveOthers("https://a.example/i1")
	var b bytes.Buffer
	r.write(&b)
	if want := "K7Q2 round 1, cards of https://b.example/i1: collected 1 + in part 1,"; !strings.Contains(b.String(), want) || strings.Contains(b.String(), "cards of https://a.") {
		t.Errorf("got\n%swant %q", b.String(), want)
	}
}
