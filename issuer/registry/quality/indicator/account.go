package indicator

import (
	"regexp"
	"strings"
	"unicode"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// leastAccount is of how many letters and digits an account's number is at the least: shorter
// ones are told apart by their bank alone.
const leastAccount = 6

// columnEnd is how HOPE ends a column that its own forms do not have.
var columnEnd = regexp.MustCompile(`_[ih]_[cf]$`)

// columnKey is a column's name as accounts are looked for: without a form's groups, its ending
// and what stands between words.
func columnKey(column string) string {
	column = columnEnd.ReplaceAllString(strings.ToLower(column[strings.LastIndexByte(column, '/')+1:]), "")
	return lettersOf(registry.Fold(strings.ReplaceAll(column, "_", " ")))
}

func lettersOf(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
}

// accountColumns are the keys of the columns that a policy names.
func accountColumns(p quality.Policy) map[string]bool {
	names := p.Measured.AccountColumns
	if len(names) == 0 {
		names = quality.DefaultAccountColumns()
	}
	keys := map[string]bool{}
	for _, n := range names {
		keys[columnKey(strings.TrimPrefix(n, "ext."))] = true
	}
	return keys
}

// phoneWords are those of columns whose account is a telephone's.
var phoneWords = regexp.MustCompile(`mobile|phone|pesa|momo`)

// accountsOf are the payout accounts of a record as they are compared: a telephone's as its
// number abroad, any other as its letters and digits. Fillers are none.
func accountsOf(ext map[string]string, columns map[string]bool, country string) (list []string) {
	for column, text := range ext {
		key := columnKey(column)
		if !columns[key] || registry.Placeholder(text) {
			continue
		}
		if phoneWords.MatchString(key) {
			if e164, ok := registry.NormalisePhone(text, country); ok {
				text = e164
			}
		}
		text = strings.ToUpper(lettersOf(text))
		if len(text) >= leastAccount && strings.Trim(text, text[:1]) != "" { // not 000000
			list = append(list, text)
		}
	}
	return list
}
