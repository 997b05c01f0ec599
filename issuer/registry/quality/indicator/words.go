package indicator

import (
	"embed"
	"encoding/json"
	"fmt"
	"sync"
)

//go:embed words/*.json
var wordFiles embed.FS

// Words are the names of the indicators and what they say, of figures, states and reasons, in
// a language (en fr es ar sw), by key; nil for another.
var Words = func() func(lang string) map[string]string {
	read := map[string]func() map[string]string{}
	for _, lang := range []string{"en", "fr", "es", "ar", "sw"} {
		read[lang] = sync.OnceValue(func() map[string]string {
			words := map[string]string{}
			b, err := wordFiles.ReadFile("words/" + lang + ".json")
			if err == nil {
				err = json.Unmarshal(b, &words)
			}
			if err != nil {
				panic(fmt.Sprintf("indicator: words of %s: %v", lang, err)) // a test reads them
			}
			return words
		})
	}
	return func(lang string) map[string]string {
		if read[lang] == nil {
			return nil
		}
		return read[lang]()
	}
}()
