package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"aidpass/web/api"
)

//go:embed words/*.json
var wordFiles embed.FS

// catalogues are the words of each language by key.
type catalogues map[string]map[string]string

// readWords joins words/LANG.json, the frame's, and each screen's words/SCREEN.LANG.json, once: nothing in it is of one console.
var readWords = sync.OnceValues(func() (catalogues, error) {
	files, err := wordFiles.ReadDir("words")
	if err != nil {
		return nil, err
	}
	all := catalogues{}
	for _, lang := range api.Languages {
		all[lang] = map[string]string{}
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".json")
		screen, lang, ok := strings.Cut(name, ".")
		if !ok {
			screen, lang = "", name
		}
		if all[lang] == nil {
			return nil, fmt.Errorf("console: words/%s is of no language of the console", f.Name())
		}
		b, err := wordFiles.ReadFile("words/" + f.Name())
		if err != nil {
			return nil, err
		}
		var texts map[string]string
		if err := json.Unmarshal(b, &texts); err != nil {
			return nil, fmt.Errorf("console: words/%s: %w", f.Name(), err)
		}
		for k, v := range texts {
			if screen != "" && !strings.HasPrefix(k, screen+".") {
				return nil, fmt.Errorf("console: words/%s: the key %q does not begin with %q", f.Name(), k, screen+".")
			}
			if all[lang][k] != "" {
				return nil, fmt.Errorf("console: words/%s: the key %q stands in another file too", f.Name(), k)
			}
			all[lang][k] = v
		}
	}
	return all, nil
})

// T says the words of a key, with fill's pairs of name and value in the places {name}:
// each value isolated, so that its direction does not turn the sentence. Numbers and
// times are written as the language does.
func (p *Page) T(key string, fill ...any) template.HTML {
	return p.console.say(p.Lang, key, fill...)
}

func (s *Console) say(lang, key string, fill ...any) template.HTML {
	text, ok := s.words[lang][key]
	if !ok {
		text = key
	}
	out := template.HTMLEscapeString(text)
	for i := 0; i+1 < len(fill); i += 2 {
		out = strings.ReplaceAll(out, "{"+fmt.Sprint(fill[i])+"}", s.value(lang, fill[i+1]))
	}
	return template.HTML(out)
}

// Said is a value in a sentence that is itself a sentence: its key, said in the language
// of that.
type Said string

// value is a value in a sentence: what is HTML already was made by T.
func (s *Console) value(lang string, v any) string {
	switch v := v.(type) {
	case template.HTML:
		return string(v)
	case Said:
		return string(s.say(lang, string(v)))
	case int:
		return "<bdi>" + s.number(lang, int64(v)) + "</bdi>"
	case int64:
		return "<bdi>" + s.number(lang, v) + "</bdi>"
	case uint64:
		return "<bdi>" + s.number(lang, int64(v)) + "</bdi>"
	case time.Time:
		return string(s.moment(lang, v, true))
	}
	// What T fills in next must not find a place in what a person typed.
	text := template.HTMLEscapeString(fmt.Sprint(v))
	return "<bdi>" + strings.NewReplacer("{", "&#123;", "}", "&#125;").Replace(text) + "</bdi>"
}

// Word is T of a key that ends in a value of a closed set, such as a role or a state.
func (p *Page) Word(family string, member any) template.HTML {
	return p.T(family + fmt.Sprint(member))
}

// languageTags are as the catalogues mean them: digits follow the language.
var languageTags = map[string]language.Tag{"en": language.BritishEnglish, "fr": language.French, "es": language.Spanish,
	"ar": language.MustParse("ar-u-nu-arab"), "sw": language.Swahili}

func (s *Console) number(lang string, n int64) string {
	return message.NewPrinter(languageTags[lang]).Sprint(number.Decimal(n))
}

// Number writes a number as the language does.
func (p *Page) Number(n any) template.HTML {
	switch n := n.(type) {
	case int:
		return template.HTML(p.console.value(p.Lang, n))
	case int64:
		return template.HTML(p.console.value(p.Lang, n))
	case uint64:
		return template.HTML(p.console.value(p.Lang, int64(n)))
	}
	return template.HTML(p.console.value(p.Lang, n))
}

// Date writes a day, Time a day and a minute, in UTC: what the records have.
func (p *Page) Date(t time.Time) template.HTML { return p.console.moment(p.Lang, t, false) }
func (p *Page) Time(t time.Time) template.HTML { return p.console.moment(p.Lang, t, true) }

// Day writes a day of a record, as 2026-11-22, as Date does; what is less than a day, or
// none, stands as it is.
func (p *Page) Day(text string) template.HTML {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return p.Date(t)
	}
	return template.HTML("<bdi>" + template.HTMLEscapeString(text) + "</bdi>")
}

func (s *Console) moment(lang string, t time.Time, minute bool) template.HTML {
	if t.IsZero() {
		return template.HTML(template.HTMLEscapeString(s.words[lang]["date.never"]))
	}
	t = t.UTC()
	plain := message.NewPrinter(languageTags[lang])
	digits := func(n, width int) string {
		return plain.Sprint(number.Decimal(n, number.NoSeparator(), number.MinIntegerDigits(width)))
	}
	text := s.words[lang]["date.day"]
	machine := t.Format("2006-01-02")
	if minute {
		text, machine = s.words[lang]["date.minute"], t.Format(time.RFC3339)
	}
	text = strings.NewReplacer("{day}", digits(t.Day(), 1), "{month}", s.words[lang][fmt.Sprintf("date.month%d", t.Month())],
		"{year}", digits(t.Year(), 4), "{hour}", digits(t.Hour(), 2), "{minute}", digits(t.Minute(), 2)).Replace(text)
	return template.HTML(`<bdi><time datetime="` + machine + `">` + template.HTMLEscapeString(text) + `</time></bdi>`)
}
