package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/andybalholm/brotli"

	"aidpass/credential/qr"
	"aidpass/internal/base45"
	"aidpass/verifier/verifiertest"
	"aidpass/words"
)

// TestForeignCardsOnTheCommandLine: cards of other systems that are not
// compressed, or with Brotli, are taken apart here and judged like the others;
// our own are refused in that dress.
func TestForeignCardsOnTheCommandLine(t *testing.T) {
	w := verifiertest.New()
	pack := filepath.Join(t.TempDir(), "pack")
	tried := 0
	for _, c := range verifiertest.Cases(w) {
		if c.Want != words.OK || c.Unlock || c.PIN != "" || c.Challenge != nil || len(c.Journals) > 0 || c.State != nil {
			continue
		}
		var s qr.Scratch
		raw, err := s.Decode(c.Text)
		if err != nil {
			continue
		}
		if err := os.WriteFile(pack, c.Pack, 0o600); err != nil {
			t.Fatal(err)
		}
		var squeezed bytes.Buffer
		z := brotli.NewWriter(&squeezed)
		if _, err := z.Write(raw); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		for form, text := range map[string]string{"raw": base45.Encode(raw), "brotli": base45.Encode(squeezed.Bytes())} {
			got, exit := verifyText(t, pack, c.At.String(), text)
			foreign := got.Reason == words.OK && got.WordKey == words.KnownPerson && got.Type == nil && exit == 0
			own := got.Answer == words.Unsure && exit == 4
			if !foreign && !own {
				t.Errorf("%s, %s: %s %s exit %d", c.Name, form, got.Reason, got.WordKey, exit)
			}
			if foreign {
				tried++
			}
		}
	}
	if tried == 0 {
		t.Error("no foreign card was among the cases")
	}
	// A few bytes that unpack to a megabyte are no card, and cost no memory.
	var bomb bytes.Buffer
	z := brotli.NewWriter(&bomb)
	if _, err := z.Write(append([]byte{0xd2}, make([]byte, 1<<20)...)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if got, exit := verifyText(t, pack, "2026-11-21T09:00:00Z", base45.Encode(bomb.Bytes())); got.Reason != words.UnknownFormat || exit != 3 {
		t.Errorf("a Brotli bomb: %s, exit %d", got.Reason, exit)
	}
}

func verifyText(t *testing.T, pack, at, text string) (answerLine, int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	m := &Main{Stdin: bytes.NewReader(nil), Stdout: &stdout, Stderr: &stderr, Now: scriptClock,
		Env: func(string) (string, bool) { return "", false }}
	exit := m.Run(context.Background(), []string{"verify", "--json", "--pack", pack, "--at", at, "--", text})
	var got answerLine
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v: exit %d: %s %s", err, exit, &stdout, &stderr)
	}
	return got, exit
}
