package trust_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"aidpass/trust"
)

func TestMixedScript(t *testing.T) {
	flagged := func(lang, name string) bool {
		d := trust.NewDraft(consortium, anchorSet(t, 2, "1", "2", "3"))
		must(t, d.AddOrganisation(orgA, "CHE", map[string]string{lang: name}))
		return d.Organisation(orgA).MixedScript
	}
	for _, c := range []struct {
		lang, name string
		want       bool
	}{
		{"en", "Save the Children", false},
		{"fr", "Médecins Sans Frontières", false},
		{"ha", "Ƙungiyar Ɗalibai ta Hausa", false},
		{"ht", "Òganizasyon Lakay", false},
		{"sw", "Ng'ombe wa Ng\u02bcambo", false},
		{"ar", "منظمة الإغاثة", false},
		{"ar", "منظمة UNICEF للإغاثة", false}, // each word in its own script
		{"ru", "Врачи без границ", false},
		{"am", "የኢትዮጵያ ቀይ መስቀል", false},
		{"ja", "日本赤十字社センター", false},
		{"fa", "می\u200cخواهم", false},                         // a joiner is spelling in Persian
		{"en", "S\u0430ve the Children", true},                 // Cyrillic a
		{"en", "\u0421\u0410\u0420\u0415 International", true}, // CARE, all Cyrillic
		{"zz", "\u0421\u0410RE", true},                         // mixed in any language
		{"zz", "Re\u03bfief", true},                            // Greek o
		{"en", "\uff33ave", true},                              // full width
		{"en", "\U0001d412ave", true},                          // mathematical bold
		{"en", "Save\u202e nerdlihC", true},                    // reordered
		{"en", "Sa\u200bve", true},                             // an invisible break
		{"en-GB", "\u0410id", true},                            // a region changes nothing
		{"zz", "\u13a0id", true},                               // Cherokee A
	} {
		if got := flagged(c.lang, c.name); got != c.want {
			t.Errorf("%s %+q: got %v", c.lang, c.name, got)
		}
	}
}

// TestHashWordList: 1,024 words, sorted, short, and no word is one slip (a
// letter changed, missing, added or swapped with its neighbour) from another.
func TestHashWordList(t *testing.T) {
	b, err := os.ReadFile("words.txt")
	must(t, err)
	list := strings.Fields(string(b))
	if len(list) != 1024 || !slices.IsSorted(list) || !bytes.HasSuffix(b, []byte("\n")) {
		t.Fatalf("%d words", len(list))
	}
	for i, w := range list {
		if len(w) < 3 || len(w) > 7 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q is not three to seven plain letters", w)
		}
		for _, other := range list[:i] {
			if slip(w, other) {
				t.Errorf("%q and %q are a slip apart", w, other)
			}
		}
	}
}

// slip reports whether a and b differ by one slip or not at all.
func slip(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	switch {
	case i == len(b):
		return true // equal, or one letter more at the end
	case len(a) > len(b):
		return a[i+1:] == b[i:]
	case a[i+1:] == b[i+1:]:
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
