package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var languageOf = map[string]string{"Swahili": "sw", "French": "fr", "Spanish": "es", "Arabic": "ar"}

// otherWords reads docs/words.md: by language, what no catalogue says.
func otherWords(t *testing.T) map[string][]*regexp.Regexp {
	t.Helper()
	page, err := os.ReadFile("../../docs/words.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]*regexp.Regexp{}
	quoted := regexp.MustCompile("`([^`]+)`")
	lang := ""
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			lang = languageOf[strings.TrimSpace(name)]
			if lang == "" {
				t.Errorf("docs/words.md: %q is no language of the catalogues", strings.TrimSpace(name))
			}
		}
		cells := strings.Split(strings.TrimSpace(line), "|")
		if lang == "" || len(cells) != 6 {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[4], -1) {
			found[lang] = append(found[lang], regexp.MustCompile(`(?i)(?:^|[^\p{L}\p{M}])(`+m[1]+`)(?:$|[^\p{L}\p{M}])`))
		}
	}
	return found
}

// A thing has one name in each language, on every screen and paper: the one of
// docs/words.md.
func TestOneWordForOneThing(t *testing.T) {
	for lang, others := range otherWords(t) {
		if len(others) < 5 {
			t.Errorf("%s: %d words were read from docs/words.md", lang, len(others))
		}
		files := []string{"../i18n/" + lang + ".json", "../console/words/" + lang + ".json", "../api/words/" + lang + ".json", "../openid/words/" + lang + ".json",
			"../../words/lang/" + lang + ".txt", "../../issuer/registry/rights/lang/" + lang + ".txt"}
		screens, err := filepath.Glob("../console/words/*." + lang + ".json")
		if err != nil || len(screens) == 0 {
			t.Fatalf("%s: no words of screens: %v", lang, err)
		}
		for _, file := range append(files, screens...) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				key, said, _ := strings.Cut(line, ":")
				if strings.HasSuffix(file, ".txt") {
					key, said, _ = strings.Cut(line, "=")
				}
				said = placeholder.ReplaceAllString(said, "")
				for _, other := range others {
					if m := other.FindStringSubmatch(said); m != nil {
						t.Errorf("%s: %s says %q, which docs/words.md has another word for", file, strings.TrimSpace(key), m[1])
					}
				}
			}
		}
	}
}
