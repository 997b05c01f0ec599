package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"aidpass/words"
)

var (
	placeholder = regexp.MustCompile(`\{\w+\}`)
	said        = regexp.MustCompile(`\b(?:t|text|said)\("([a-z_]+\.[a-z_0-9]+)"`)
)

// sources is what stands in the files of folders.
func sources(t *testing.T, folders ...string) (source []byte) {
	t.Helper()
	for _, folder := range folders {
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !f.IsDir() {
				text, err := os.ReadFile(folder + "/" + f.Name())
				if err != nil {
					t.Fatal(err)
				}
				source = append(source, text...)
			}
		}
	}
	return source
}

func screenWords(t *testing.T, tag string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../i18n/" + tag + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(raw, &texts); err != nil {
		t.Fatalf("%s: %v", tag, err)
	}
	return texts
}

// Every language says everything, with the same values in it.
func TestEveryLanguageHasEveryWord(t *testing.T) {
	english := screenWords(t, "en")
	for _, tag := range words.Tags() {
		texts := screenWords(t, tag)
		for key, want := range english {
			got := texts[key]
			if got == "" {
				t.Errorf("%s: %q is not said", tag, key)
				continue
			}
			a, b := placeholder.FindAllString(got, -1), placeholder.FindAllString(want, -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("%s: %q has the values %q, want %q", tag, key, a, b)
			}
		}
		for key := range texts {
			if _, there := english[key]; !there {
				t.Errorf("%s: %q is no word of the screens", tag, key)
			}
		}
	}
}

// A word that no screen asks for is a word that five people translated for nothing;
// one that is asked for and not there would show as its key.
func TestScreensAndWordsMeet(t *testing.T) {
	source := sources(t, "../common", "../scanner/src", "../scanner/src/screens", "../wallet/src", "../wallet/src/screens")
	english := screenWords(t, "en")
	catalogue, _ := words.Language("en")
	known := catalogue.Keys()
	// The wallet takes a part of the words with it, and says no other.
	for _, a := range apps {
		for _, m := range said.FindAllSubmatch(sources(t, "../"+a.name+"/src", "../"+a.name+"/src/screens"), -1) {
			if key := string(m[1]); english[key] != "" && key != "app.title" && !a.says(key) {
				t.Errorf("the screens of the %s say %q, which it does not take with it", a.name, key)
			}
		}
	}
	for _, m := range said.FindAllSubmatch(source, -1) {
		if key := string(m[1]); english[key] == "" && !slices.Contains(known, key) {
			t.Errorf("the screens say %q, which no language has", key)
		}
	}
}
