package indicator

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A Cut is by what figures are told apart.
type Cut string

// The cuts. All has one value, the empty one. In the others the empty value is of what is
// not known, so that the values of a cut always add up to All.
const (
	All     Cut = ""
	Adm1    Cut = "adm1"
	Adm2    Cut = "adm2"
	Adm3    Cut = "adm3"
	Site    Cut = "site"
	Clerk   Cut = "clerk" // account that entered the record
	Session Cut = "session"
	Batch   Cut = "batch" // list that brought the record
	Month   Cut = "month" // in which it came into the register, as 2026-11
)

var cuts = [...]Cut{All, Adm1, Adm2, Adm3, Site, Clerk, Session, Batch, Month}

const nCuts = len(cuts)

// Cuts are all of them.
func Cuts() []Cut { return slices.Clone(cuts[:]) }

// Places are the p-codes of a country that are known, in capitals. Nil: no list is loaded.
type Places map[string]Place

// A Place is one code of the list: the first and the last day on which it is in use, as
// 2026-11-22; empty: the list does not say.
type Place struct{ From, To string }

// version tells one list from another.
func (p Places) version() string {
	sum := sha256.New()
	for _, code := range slices.Sorted(maps.Keys(p)) {
		line := code
		if at := p[code]; at != (Place{}) {
			line += " " + at.From + "/" + at.To
		}
		sum.Write([]byte(line + "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil)[:4])
}

func (p Places) known(code string) bool { _, ok := p[code]; return ok }

// above returns the known codes above a code, and itself, the shortest first.
func (p Places) above(code string) (list []string) {
	for n := 3; n <= len(code); n++ { // a deeper level adds two characters or more (OCHA COD-AB)
		if p.known(code[:n]) && len(code)-n != 1 && !countryOnly(code[:n]) {
			list = append(list, code[:n])
		}
	}
	return list
}

// Level is how deep a known code is, as DQ-10 counts it: 1 for adm1; 0 for the country's own.
func (p Places) Level(code string) int { return len(p.above(code)) }

// strange begins the value of an area whose code the loaded list does not have.
const strange = "?"

// Area is what the value of a cut by area says: the code, and whether the list had it.
func Area(c Cut, value string) (code string, listed bool) {
	if c == Adm1 || c == Adm2 || c == Adm3 {
		if code, ok := strings.CutPrefix(value, strange); ok {
			return code, false
		}
	}
	return value, true
}

// valueOf is the value of a cut as it is counted: a code that the list does not have may be
// asked for as it is.
func (p Places) valueOf(c Cut, value string) string {
	if code, listed := Area(c, value); c == Adm1 || c == Adm2 || c == Adm3 {
		if listed && p != nil && code != "" && !p.known(code) {
			return strange + code
		}
	}
	return value
}

// codeLike has the form of a code; anything else that stands where one belongs is no place.
var codeLike = regexp.MustCompile(`^[A-Z]{2,3}[0-9A-Z_.-]{1,17}$`)

func countryOnly(code string) bool { return strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }

// areas returns the first three levels of a p-code. With a list they are the known codes it
// begins with; without, the digits after the country's letters are taken in twos, or in
// threes where only threes fit (OCHA COD-AB). A code that the list does not have is an area of
// its own, beneath those it begins with: DOMAIN.md A11.
func (p Places) areas(code string) (adm [3]string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if p != nil {
		n := copy(adm[:], p.above(code))
		for !p.known(code) && n < len(adm) && codeLike.MatchString(code) {
			adm[n] = strange + code
			n++
		}
		return adm
	}
	letters := len(code) - len(strings.TrimLeft(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	digits := code[letters:]
	if letters < 2 || letters > 3 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return adm
	}
	step := 2
	if len(digits)%2 != 0 && len(digits)%3 == 0 {
		step = 3
	}
	for i, end := 0, step; i < 3; i, end = i+1, end+step {
		if rest := len(digits) - end; rest == 1 {
			end++ // a last level of three digits
		} else if rest < 0 {
			break
		}
		adm[i] = code[:letters+end]
		if end == len(digits) {
			break
		}
	}
	return adm
}

// fault is what is wrong with a p-code on a day: the code of it, empty where nothing is; and
// the p-code, where it is unknown and has the form of one.
func (p Places) fault(text, today string, level int) (fault, unknown string) {
	code := strings.ToUpper(strings.TrimSpace(text))
	at, known := p[code]
	switch {
	case !known && codeLike.MatchString(code):
		return CodePlace, code
	case !known:
		return CodePlace, ""
	case at.From > today, at.To != "" && at.To < today:
		return CodeEnded, ""
	case p.Level(code) < level:
		return CodeShallow, ""
	}
	return "", ""
}
