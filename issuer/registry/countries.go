package registry

import (
	"cmp"
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

//go:embed countries.tsv
var countriesTable string

// country is one line of the table.
type country struct {
	code        string // ISO 3166-1 alpha-3
	calling     string // digits after the +; empty: none
	least, most int    // digits of a national number; 0: not known
	trunk       string // dialled before a national number inside the country
	name        string // English
}

var countries = sync.OnceValue(func() (t struct {
	byText    map[string]*country // by folded codes and names
	byCalling map[string][]*country
}) {
	t.byText, t.byCalling = map[string]*country{}, map[string][]*country{}
	for line := range strings.Lines(countriesTable) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 7 {
			continue
		}
		names := strings.Split(f[6], "|")
		c := &country{code: f[0], calling: f[2], trunk: f[5], name: names[0]}
		c.least, _ = strconv.Atoi(f[3])
		c.most, _ = strconv.Atoi(f[4])
		for _, text := range append(names, f[0], f[1]) {
			if k := Fold(text); t.byText[k] == nil {
				t.byText[k] = c
			}
		}
		if c.calling != "" {
			t.byCalling[c.calling] = append(t.byCalling[c.calling], c)
		}
	}
	return t
})

// Country returns the ISO 3166-1 alpha-3 code of a country written as its code of
// two or three letters or by its name, as lists of five languages write it.
func Country(text string) (code string, ok bool) {
	if c := countries().byText[Fold(text)]; c != nil {
		return c.code, true
	}
	return "", false
}

// Countries are the codes of all, in their order.
func Countries() (codes []string) {
	for _, c := range countries().byText {
		codes = append(codes, c.code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// CountryIn is a country (ISO 3166-1 alpha-3) by its name in a language (BCP 47): in
// English where that has none, and the code itself where there is no such country.
func CountryIn(lang, code string) string {
	name := ""
	if r, err := language.ParseRegion(code); err == nil {
		name = display.Regions(language.Make(lang)).Name(r)
	}
	return cmp.Or(name, CountryName(code), code)
}

// CountryName returns the English name of a country code, or "".
func CountryName(code string) string {
	if c := countries().byText[Fold(code)]; c != nil && c.code == code {
		return c.name
	}
	return ""
}
