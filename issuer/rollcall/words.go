package rollcall

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed words/*.json
var wordFiles embed.FS

// languages are those that there are words in.
var languages = []string{"en", "fr", "es", "ar", "sw"}

// Words are the texts of reports, lists and posters in a language (en fr es ar sw), by key;
// nil for another.
func Words(lang string) map[string]string { return allWords()[lang] }

var allWords = sync.OnceValue(func() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, lang := range languages {
		words := map[string]string{}
		b, err := wordFiles.ReadFile("words/" + lang + ".json")
		if err == nil {
			err = json.Unmarshal(b, &words)
		}
		if err != nil {
			panic(fmt.Sprintf("rollcall: words of %s: %v", lang, err)) // a test reads them
		}
		all[lang] = words
	}
	return all
})

// A speaker says texts in one language.
type speaker struct {
	lang  string
	words map[string]string
}

func speak(lang string) (speaker, error) {
	w := Words(lang)
	if w == nil {
		return speaker{}, fmt.Errorf("rollcall: no language %q: one of %s", lang, strings.Join(languages, ", "))
	}
	return speaker{lang, w}, nil
}

// say is the text of a key with what stands in its braces: name, value, name, value.
func (s speaker) say(key string, pairs ...string) string {
	pairs = slices.Clone(pairs)
	for i := range pairs {
		if i%2 == 0 {
			pairs[i] = "{" + pairs[i] + "}"
		}
	}
	return strings.NewReplacer(pairs...).Replace(s.words[key])
}

// dir is where a line begins.
func (s speaker) dir() string {
	if s.lang == "ar" {
		return "rtl"
	}
	return "ltr"
}
