package words

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Limits of one catalogue file. The embedded ones are about 16 KiB.
const (
	MaxCatalogueBytes = 256 << 10
	maxEntries        = 2000
	maxKeyBytes       = 64
	maxTextBytes      = 2048
)

// A Catalogue says every word of this package in one language.
type Catalogue struct {
	tag, name string
	rtl       bool
	texts     map[string]string
	missing   []string
}

// The embedded language files.
var (
	//go:embed lang/en.txt
	enText string
	//go:embed lang/fr.txt
	frText string
	//go:embed lang/es.txt
	esText string
	//go:embed lang/ar.txt
	arText string
	//go:embed lang/sw.txt
	swText string
)

// language is one embedded file, parsed at its first use: a phone speaks one
// language, and starting a program must not pay for five.
type language struct {
	tag   string
	text  *string
	parse sync.Once
	c     *Catalogue
}

// In the order menus show them. The browser binaries ask for no language (the
// apps have the files) and so carry none: nothing here runs when a program starts.
var embedded = [...]language{{tag: "en", text: &enText}, {tag: "fr", text: &frText}, {tag: "es", text: &esText}, {tag: "ar", text: &arText}, {tag: "sw", text: &swText}}

func (l *language) load() *Catalogue {
	l.parse.Do(func() {
		c, err := parse([]byte(*l.text))
		if err != nil {
			// The file is part of the program and tested; keys stand in for texts.
			c = &Catalogue{tag: "und", texts: map[string]string{}}
		}
		l.c = c
	})
	return l.c
}

// Tags returns the embedded languages: en, fr, es, ar, sw.
func Tags() []string {
	tags := make([]string, len(embedded))
	for i := range embedded {
		tags[i] = embedded[i].tag
	}
	return tags
}

// Language returns the embedded catalogue for a BCP 47 tag, looking at its
// language alone ("fr-CD" and "FR" are fr). For any other language it returns
// English and false.
func Language(tag string) (*Catalogue, bool) {
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	for i := range embedded {
		if l := &embedded[i]; strings.EqualFold(l.tag, tag) {
			return l.load(), true
		}
	}
	return embedded[0].load(), false
}

// ParseCatalogue reads a language file of an organisation's own: lines of
// "key = text" in UTF-8, empty lines and lines that start with # left out. The
// keys language (BCP 47) and direction (ltr or rtl) must be there; name is the
// language's own name. A key it lacks is said in English and listed by Missing.
//
// Refused with the line number: a file over MaxCatalogueBytes, a key twice, an
// empty text, control characters and the invisible characters that reorder
// text, and placeholders other than those of the English text.
func ParseCatalogue(b []byte) (*Catalogue, error) {
	c, err := parse(b)
	if err != nil {
		return nil, err
	}
	english := embedded[0].load()
	for _, key := range english.Keys() {
		want := english.texts[key]
		got, ok := c.texts[key]
		if !ok {
			c.texts[key] = want
			c.missing = append(c.missing, key)
		} else if !slices.Equal(placeholders(got), placeholders(want)) {
			return nil, fmt.Errorf("words: language %q: text of %q must have the placeholders %q", c.tag, key, placeholders(want))
		}
	}
	return c, nil
}

func parse(b []byte) (*Catalogue, error) {
	if len(b) > MaxCatalogueBytes {
		return nil, fmt.Errorf("words: language file of %d bytes, at most %d", len(b), MaxCatalogueBytes)
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("words: language file is not UTF-8")
	}
	c := &Catalogue{texts: map[string]string{}}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(b), "\ufeff")) {
		number++
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		key, text, ok := strings.Cut(line, "=")
		key, text = strings.TrimRight(key, " \t"), strings.TrimLeft(text, " \t")
		switch {
		case !ok || !goodKey(key):
			return nil, fmt.Errorf("words: language file line %d: want key = text", number)
		case text == "" || len(text) > maxTextBytes || strings.ContainsFunc(text, hidden):
			return nil, fmt.Errorf("words: language file line %d: text of %q is empty, over %d bytes or has control characters", number, key, maxTextBytes)
		}
		if _, twice := c.texts[key]; twice {
			return nil, fmt.Errorf("words: language file line %d: key %q stands twice", number, key)
		}
		if len(c.texts) == maxEntries {
			return nil, fmt.Errorf("words: language file line %d: more than %d keys", number, maxEntries)
		}
		c.texts[key] = text
	}
	c.tag, c.name = c.texts["language"], c.texts["name"]
	if c.tag == "" {
		return nil, fmt.Errorf("words: language file has no line \"language = ...\"")
	}
	switch c.texts["direction"] {
	case "ltr":
	case "rtl":
		c.rtl = true
	default:
		return nil, fmt.Errorf("words: language %q: direction must be ltr or rtl", c.tag)
	}
	return c, nil
}

func goodKey(key string) bool {
	if key == "" || len(key) > maxKeyBytes {
		return false
	}
	for i := range len(key) {
		c := key[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// hidden finds characters that change a line without being seen: controls, and
// the overrides and isolates that reorder it (screens isolate values themselves).
func hidden(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029 || r == 0xfeff
}

// placeholders returns the {names} in text, sorted.
func placeholders(text string) []string {
	var found []string
	for {
		_, rest, ok := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			slices.Sort(found)
			return found
		}
		found = append(found, name)
		text = after
	}
}

// Tag returns the language's tag, Name its own name ("Français").
func (c *Catalogue) Tag() string  { return c.tag }
func (c *Catalogue) Name() string { return c.name }

// RTL reports whether the language is written from right to left.
func (c *Catalogue) RTL() bool { return c.rtl }

// Missing returns the keys that fell back to English, sorted.
func (c *Catalogue) Missing() []string { return c.missing }

// Keys returns every key of the catalogue, sorted.
func (c *Catalogue) Keys() []string {
	keys := make([]string, 0, len(c.texts))
	for k := range c.texts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Text returns the text of key, in English where the catalogue lacks it, and
// the key itself where English does too.
func (c *Catalogue) Text(key string) string {
	if text, ok := c.texts[key]; ok {
		return text
	}
	if text, ok := embedded[0].load().texts[key]; ok {
		return text
	}
	return key
}

// Fill is Text with its placeholders replaced: Fill("age.hours", "n", "6").
// Values are put in as they are and never looked at for placeholders again.
func (c *Catalogue) Fill(key string, pairs ...string) string {
	text := c.Text(key)
	old := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		old = append(old, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(old...).Replace(text)
}

// Word says a volunteer's word.
func (c *Catalogue) Word(w Word) string { return c.Text("word." + string(w)) }

// Todo says the next action for r on an ordinary card; for a card that only
// tells who somebody is, say Text("todo." + For(r, true).Todo).
func (c *Catalogue) Todo(r Reason) string { return c.Text("todo." + Of(r).Todo) }

// Sentence tells a supervisor what r means and what to do. A code the table
// does not have gets the general sentence.
func (c *Catalogue) Sentence(r Reason) string {
	if !r.Known() {
		return c.Text("sentence.other")
	}
	return c.Text("sentence." + string(r))
}

// Age says how old something is, in the largest unit that leaves at least two
// of it, so that "1 d" never hides 47 hours. Negative seconds are an age nobody
// knows.
func (c *Catalogue) Age(seconds int64) string {
	const minute, hour, day = 60, 3600, 86400
	switch {
	case seconds < 0:
		return c.Text("age.unknown")
	case seconds < 2*minute:
		return c.Text("age.now")
	case seconds < 2*hour:
		return c.Fill("age.minutes", "n", strconv.FormatInt(seconds/minute, 10))
	case seconds < 2*day:
		return c.Fill("age.hours", "n", strconv.FormatInt(seconds/hour, 10))
	}
	return c.Fill("age.days", "n", strconv.FormatInt(seconds/day, 10))
}
