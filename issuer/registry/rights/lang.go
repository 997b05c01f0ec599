package rights

import (
	"embed"
	"fmt"
	"sync"

	"aidpass/words"
)

// The words of a page stand here and not in package words, whose files every phone carries.
//
//go:embed lang/*.txt
var langFiles embed.FS

var catalogues = sync.OnceValue(func() map[string]*words.Catalogue {
	all := map[string]*words.Catalogue{}
	for _, tag := range words.Tags() {
		b, err := langFiles.ReadFile("lang/" + tag + ".txt")
		if err != nil {
			panic(fmt.Sprintf("rights: %v", err)) // a test reads them all
		}
		c, err := words.ParseCatalogue(b)
		if err != nil {
			panic(fmt.Sprintf("rights: lang/%s.txt: %v", tag, err))
		}
		all[tag] = c
	}
	return all
})

// texts is the catalogue of a page in the language of c, in English where there is none.
func texts(c *words.Catalogue) *words.Catalogue {
	if own, ok := catalogues()[c.Tag()]; ok {
		return own
	}
	return catalogues()["en"]
}

// Heading is what stands above who looked at a record, on the page of Held.
func Heading(c *words.Catalogue) string { return texts(c).Text("looked_at") }
