package proof

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// forbidden.tsv is read by people who know the languages: one line a reason and
// language.
//
//go:embed forbidden.tsv
var forbiddenFile string

// term is a run of folded words. A word with a star matches any longer one.
type term struct {
	reason string
	words  []string
	any    []bool // as many: whether the word may go on
}

// terms by their first word; those whose first word may go on, under its first
// two letters with a star.
var terms = sync.OnceValue(func() map[string][]term {
	all := map[string][]term{}
	for line := range strings.Lines(forbiddenFile) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(fields) != 3 {
			continue
		}
		for phrase := range strings.SplitSeq(fields[2], ";") {
			t := term{reason: fields[0]}
			for _, w := range strings.Fields(phrase) {
				stem, open := strings.CutSuffix(w, "*")
				folded := fold(stem)
				for i, f := range folded {
					t.words, t.any = append(t.words, f), append(t.any, open && i == len(folded)-1)
				}
			}
			if len(t.words) == 0 {
				continue
			}
			key := t.words[0]
			if t.any[0] {
				key = stem(key)
			}
			all[key] = append(all[key], t)
		}
	}
	return all
})

// stem is the first two letters and a star.
func stem(word string) string {
	n := 0
	for i := range word {
		if n == 2 {
			return word[:i] + "*"
		}
		n++
	}
	return word + "*"
}

// forbidden returns why words must not be printed, "" if they may. Those in
// allowed are of names that were chosen: Christian is one.
func forbidden(words, allowed []string) string {
	for i, w := range words {
		if slices.Contains(allowed, w) {
			continue
		}
		for _, first := range bare(w) {
			for _, key := range [2]string{first, stem(first)} {
				for _, t := range terms()[key] {
					if t.matches(first, words[i:]) {
						return t.reason
					}
				}
			}
		}
	}
	return ""
}

// matches compares with words, whose first is given without its article.
func (t *term) matches(first string, words []string) bool {
	if len(words) < len(t.words) {
		return false
	}
	for i, want := range t.words {
		forms := []string{first}
		if i > 0 {
			forms = bare(words[i])
		}
		ok := false
		for _, got := range forms {
			ok = ok || got == want || t.any[i] && strings.HasPrefix(got, want)
		}
		if !ok {
			return false
		}
	}
	return true
}

// bare returns word as it stands and, for Arabic, without what is written
// together with it: and, for, with, and the article.
func bare(word string) []string {
	forms := []string{word}
	for _, prefix := range [...]string{"ال", "وال", "بال", "لل", "فال", "كال", "و"} {
		if rest, ok := strings.CutPrefix(word, prefix); ok && len(rest) >= 6 { // three letters
			forms = append(forms, rest)
		}
	}
	return forms
}
