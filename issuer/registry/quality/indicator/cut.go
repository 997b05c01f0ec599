package indicator

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
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
type Places map[string]bool

// version tells one list from another.
func (p Places) version() string {
	sum := sha256.New()
	for _, code := range slices.Sorted(maps.Keys(p)) {
		sum.Write([]byte(code + "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil)[:4])
}

// above returns the known codes above a code, and itself, the shortest first.
func (p Places) above(code string) (list []string) {
	for n := 3; n <= len(code); n++ { // a deeper level adds two characters or more (OCHA COD-AB)
		if p[code[:n]] && len(code)-n != 1 && !countryOnly(code[:n]) {
			list = append(list, code[:n])
		}
	}
	return list
}

func countryOnly(code string) bool { return strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }

// areas returns the first three levels of a p-code. With a list they are the known codes it
// begins with; without, the digits after the country's letters are taken in twos, or in
// threes where only threes fit (OCHA COD-AB).
func (p Places) areas(code string) (adm [3]string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if p != nil {
		copy(adm[:], p.above(code))
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

// valid reports whether a code is known, and deep enough.
func (p Places) valid(code string, level int) bool {
	code = strings.ToUpper(strings.TrimSpace(code))
	return p[code] && len(p.above(code)) >= level
}
