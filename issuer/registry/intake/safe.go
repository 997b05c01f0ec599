package intake

import "strings"

// SafeCell makes a cell that no spreadsheet takes for a formula: an apostrophe
// stands before what begins with a sign that starts one, among them the full-width
// forms that some programs fold, and TAB and CR, which they drop first.
//
// THREATS.md 4.5. Package roster takes one such apostrophe off again.
func SafeCell(s string) string {
	if startsFormula(s) || strings.HasPrefix(s, "'") && startsFormula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

func startsFormula(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return strings.ContainsRune("=+-@\t\r＝＋－＠", r) }) == 0
}
