package intake

import "strings"

// SafeCell makes a cell that no spreadsheet takes for a formula: an apostrophe
// stands before what begins with a sign that starts one, among them the full-width
// forms that some programs fold, and TAB and CR, which they drop first.
//
// THREATS.md 4.5. Cell text that went through it comes back by plainCell.
func SafeCell(s string) string {
	if startsFormula(s) || strings.HasPrefix(s, "'") && startsFormula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// plainCell takes one apostrophe off that SafeCell put there.
func plainCell(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && startsFormula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return s
}

func startsFormula(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return strings.ContainsRune("=+-@\t\r＝＋－＠", r) }) == 0
}
