package main

import "testing"

func TestWhatRostersSayInTheirOwnWay(t *testing.T) {
	for size, want := range map[string]any{"1": int64(1), " 5 ": int64(5), "٥": int64(5), "۱۷": int64(17), "5.0": int64(5), "5,00": int64(5), "٥٫٠": int64(5),
		"-1": nil, "": nil, "many": nil, "about 5": nil, "5.5": nil, "1e3": nil} {
		if got := sizeOf(size); got != want {
			t.Errorf("a household of %q is of size %v, want %v", size, got, want)
		}
	}
	for text, want := range map[string]any{"1990-05-01": int64(1990), "01/05/1990": int64(1990), "1985": int64(1985), "~1985": int64(1985),
		"5 May 2001": int64(2001), "١٩٩٠": int64(1990), "19905": nil, "90-05-01": nil, "": nil} {
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
