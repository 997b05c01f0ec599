package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestClips(t *testing.T) {
	put := func(name string, size int) string {
		folder := t.TempDir()
		path := filepath.Join(folder, "sw", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte{7}, size), 0o644); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	for name, c := range map[string]struct {
		size int
		want string // in the error; empty: taken
	}{
		"give.webm":      {maxClip, ""},
		"help_desk.mp3":  {1, ""},
		"known.ogg":      {5000, ""},
		"not_today.m4a":  {5000, ""},
		"give.ogg":       {maxClip + 1, "record it shorter"},
		"give.mp3":       {0, "0 bytes"},
		"welcome.ogg":    {10, `"welcome" is no word that is spoken: one of ["give"`},
		"word.give.ogg":  {10, "is no word that is spoken"},
		"give.wav":       {10, ".webm, .m4a, .ogg or .mp3"},
		"give_rest.webM": {10, ".webm, .m4a, .ogg or .mp3"},
	} {
		out := files{}
		audio, err := clips(out, put(name, c.size), "sw", clipWords)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
			continue
		}
		word, _, _ := strings.Cut(name, ".")
		if err != nil || audio[word] != "audio/sw/"+name || len(out["audio/sw/"+name]) != c.size {
			t.Errorf("%s: %q, %v", name, audio, err)
		}
	}
	folder := put("give.ogg", 1)
	if err := os.WriteFile(filepath.Join(folder, "sw", "give.mp3"), []byte{1}, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := clips(files{}, folder, "sw", clipWords); err == nil || !strings.Contains(err.Error(), "recorded already") {
		t.Errorf("a word twice: %v", err)
	}
	if audio, err := clips(files{}, folder, "fr", clipWords); err != nil || len(audio) != 0 {
		t.Errorf("a language without recordings: %q, %v", audio, err)
	}
}

// What is recorded is among what the service worker fetches and proves.
func TestClipsAreOnThePhonesList(t *testing.T) {
	out := files{"index.html": []byte("<!doctype html>"), "audio/sw/give.ogg": []byte("clip")}
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(cwd, "..", ".."))
	if err := apps[0].worker(out); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	digest := sha256.Sum256([]byte("clip"))
	if sw := string(out["sw.js"]); !strings.Contains(sw, `"audio/sw/give.ogg"`) || !strings.Contains(sw, hex.EncodeToString(digest[:])) {
		t.Errorf("sw.js does not know the clip and its hash: %.300q", sw)
	}
}
