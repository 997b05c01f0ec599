package registry

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// languageNames are ISO 639-3 codes by the folded names of languages, in English, French,
// Spanish, Arabic, Swahili and in the language itself. Languages without a code of two
// letters are known by their code alone.
var languageNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			base, err := language.ParseBase(string(a) + string(b))
			if err != nil {
				continue
			}
			tag, _ := language.Compose(base)
			said := []string{display.Self.Name(tag)}
			for _, in := range []language.Tag{language.English, language.French, language.Spanish, language.Arabic, language.Swahili} {
				said = append(said, display.Languages(in).Name(tag))
			}
			for _, name := range said {
				if name = Fold(name); name != "" && names[name] == "" {
					names[name] = base.ISO3()
				}
			}
		}
	}
	return names
})

// Languages are the codes of those that are known by a name, in their order.
func Languages() []string {
	codes := slices.Sorted(maps.Values(languageNames()))
	return slices.Compact(codes)
}

// LanguageIn is a language (ISO 639-3) by its name in another (BCP 47); the code where that
// has none.
func LanguageIn(lang, code string) string {
	if base, err := language.ParseBase(code); err == nil {
		if tag, err := language.Compose(base); err == nil {
			return cmp.Or(display.Languages(language.Make(lang)).Name(tag), code)
		}
	}
	return code
}

// Language returns the ISO 639-3 code of a language written as its code of two or three
// letters or by its name.
func Language(text string) (code string, ok bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if code = languageNames()[Fold(text)]; code != "" {
		return code, true
	}
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") != "" || len(text) != 2 && len(text) != 3 {
		return "", false
	}
	base, err := language.ParseBase(text)
	if err != nil {
		return text, len(text) == 3 // a code that is newer than the table
	}
	return base.ISO3(), true
}
