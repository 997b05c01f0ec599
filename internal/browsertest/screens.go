package browsertest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Look tries all that must hold on any screen: axe, nothing cut off or too small for a
// thumb in any form, and with colours, which know no direction, those that the reader has
// chosen.
func (p *Page) Look(where string, colours bool) {
	p.Helper()
	p.Axe(where)
	p.Layout(where)
	if !colours {
		return
	}
	where += ", forced colours"
	p.Media("forced-colors", "active")
	// axe asks for -webkit-text-fill-color, which keeps the author's colour in what the
	// browser says, though not in what it paints: the contrast is computed here.
	p.Axe(where, "color-contrast")
	p.Sunlight(where)
	p.Media("forced-colors", "none")
}

// Screens are the names of all screens of the app in src, read from its source by the
// calls that show one, such as "ui.show(", each with a literal that begins with its name.
// A screen that is shown otherwise fails the test, but for one that a caller gave ("...s").
func Screens(t *testing.T, calls ...string) []string {
	t.Helper()
	for i, c := range calls {
		calls[i] = regexp.QuoteMeta(c)
	}
	call := `\b(?:` + strings.Join(calls, "|") + `)\{`
	named, given, all := regexp.MustCompile(call+`\s*name: "([a-z-]+)"`), regexp.MustCompile(call+`.{0,20} \.\.\.s,`), regexp.MustCompile(call)
	stops, stop := regexp.MustCompile(`export type Stop = (.*);`), regexp.MustCompile(`"(\w+)"`)
	var names []string
	for _, pattern := range []string{"src/*.ts", "src/screens/*.ts"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			shown := named.FindAllSubmatch(text, -1)
			for _, m := range shown {
				names = append(names, string(m[1]))
			}
			if n := len(all.FindAll(text, -1)) - len(given.FindAll(text, -1)); n != len(shown) {
				t.Errorf("%s shows %d screens, %d of which begin with their name", f, n, len(shown))
			}
			if m := stops.FindSubmatch(text); m != nil {
				for _, why := range stop.FindAllSubmatch(m[1], -1) {
					names = append(names, "stop-"+string(why[1]))
				}
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) < 25 {
		t.Fatalf("%d screens found in the source: %q", len(names), names)
	}
	return names
}
