package indicator_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/quality/indicator"
)

func TestEveryIndicatorHasItsWordsInEveryLanguage(t *testing.T) {
	var keys []string
	for _, d := range indicator.Definitions(quality.Default()) {
		keys = append(keys, d.Key()+".name", d.Key()+".is", "quality.dimension."+d.Dimension)
		for _, c := range d.Codes {
			if !strings.HasPrefix(c, "name_") || c == indicator.CodeAllParts { // those have their words as findings of lists
				keys = append(keys, "quality.code."+c)
			}
		}
		for _, f := range d.Figures[1:] {
			keys = append(keys, "quality.figure."+f.Name)
		}
	}
	for _, s := range []indicator.State{indicator.Green, indicator.Amber, indicator.Red, indicator.NA} {
		keys = append(keys, "quality.state."+string(s))
	}
	for _, why := range []string{"photo_off", "no_places", "no_cards", "no_contacts", "no_lags", "no_rechecks", "no_deliveries", "no_presentations", "no_requests", "little"} {
		keys = append(keys, "quality.na."+why)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for _, lang := range []string{"en", "fr", "es", "ar", "sw"} {
		words := indicator.Words(lang)
		if got := slices.Sorted(maps.Keys(words)); !slices.Equal(got, keys) {
			t.Errorf("%s has the keys %v", lang, got)
		}
		for k, v := range words {
			if strings.TrimSpace(v) == "" || lang != "en" && strings.HasSuffix(k, ".is") && v == indicator.Words("en")[k] {
				t.Errorf("%s %s: %q", lang, k, v)
			}
		}
	}
	if indicator.Words("xx") != nil {
		t.Error("words of no language")
	}
}
