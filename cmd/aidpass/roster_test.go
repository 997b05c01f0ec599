package main

import "testing"

func TestWhatRostersSayInTheirOwnWay(t *testing.T) {
	bands := []string{"1", "2-3", "4-5", "6+"}
	for size, want := range map[string]any{"1": "1", "2": "2-3", " 5 ": "4-5", "6": "6+", "17": "6+", "0": nil, "-1": nil, "": nil, "many": nil} {
		if got := bandOf(size, bands); got != want {
			t.Errorf("a household of %q is in band %v, want %v", size, got, want)
		}
	}
	for text, want := range map[string]any{"1990-05-01": int64(1990), "01/05/1990": int64(1990), "1985": int64(1985), "~1985": int64(1985),
		"5 May 2001": int64(2001), "19905": nil, "90-05-01": nil, "": nil} {
		if got := yearOf(text); got != want {
			t.Errorf("the year of %q is %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]any{"F": "f", "FEMALE": "f", "Homme": "m", "أنثى": "f", "": nil, "?": nil} {
		if got := sexOf(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

func TestSlugs(t *testing.T) {
	for id, want := range map[string]string{
		"https://relief-a.example/i1":      "relief-a.example-i1",
		"https://Relief-A.example/I1/":     "relief-a.example-i1",
		"https://x.example/../../etc":      "x.example-..-..-etc",
		"did:web:relief.example":           "did-web-relief.example",
		"https://x.example/\x00\n/s?q=1#f": "x.example----s-q-1-f",
	} {
		if got := slug(id); got != want {
			t.Errorf("slug of %q is %q, want %q", id, got, want)
		}
	}
}
