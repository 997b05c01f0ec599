package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"aidpass/storage/keystore"
	"aidpass/verifier"
	"aidpass/verifier/verifiertest"
	"aidpass/words"
)

// differs are codes that the command line answers in its own way: it alone reads
// cards that are not compressed, or with Brotli (DESIGN 4).
var differs = []words.Reason{words.UnsupportedVersion}

// TestEveryCaseOnTheCommandLine asks the command what Go and the browser are
// asked, and wants the same answer, reason, word and exit code.
func TestEveryCaseOnTheCommandLine(t *testing.T) {
	w := verifiertest.New()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pass, code := write("pass", []byte("correct horse\n")), write("code", append(slices.Clone(w.Code), '\n'))
	store, err := keystore.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	store.WorkFactor = 4
	info, err := store.Import(keystore.Device, "", w.Device.Signer, func() ([]byte, error) { return []byte("correct horse"), nil }, scriptClock())
	if err != nil {
		t.Fatal(err)
	}
	device := filepath.Join(dir, "keys", "device-"+info.ID+".key")
	reached := map[words.Reason]bool{}
	for i, c := range verifiertest.Cases(w) {
		if c.Pack == nil {
			continue // the command wants a pack: wrong usage
		}
		n := strconv.Itoa(i)
		args := []string{"verify", "--json", "--at", c.At.String(), "--passphrase-file", pass, "--pack", write("pack"+n, c.Pack)}
		if c.State != nil || c.PIN != "" {
			if c.State == nil {
				c.State = verifier.Floors{}.Encode()
			}
			args = append(args, "--state", write("state"+n, c.State))
		}
		for k, j := range c.Journals {
			args = append(args, "--visits", write("journal"+n+"-"+strconv.Itoa(k), j))
		}
		if c.Challenge != nil {
			args = append(args, "--challenge", write("challenge"+n, c.Challenge))
		}
		if c.Nonce != "" {
			args = append(args, "--nonce", c.Nonce, "--audience", c.Audience)
		}
		if c.Unlock {
			args = append(args, "--device", device, "--unlock", code)
		}
		if c.PIN != "" {
			args = append(args, "--pin-file", write("pin"+n, []byte(c.PIN+"\n")))
		}
		t.Run(c.Name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			m := &Main{Stdin: bytes.NewReader(nil), Stdout: &stdout, Stderr: &stderr, Now: scriptClock,
				Env: func(string) (string, bool) { return "", false }}
			exit := m.Run(context.Background(), append(args, "--", c.Text))
			var got answerLine
			if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
				t.Fatalf("%v\nexit %d\n%s\n%s", err, exit, &stdout, &stderr)
			}
			reached[got.Reason] = true
			if slices.Contains(differs, c.Want) && got.Reason != c.Want {
				if got.Answer == words.Valid && !c.Known && got.WordKey != words.KnownPerson {
					t.Errorf("a card of a form that is foreign only says %s", got.Word)
				}
				return
			}
			row := c.Row()
			if got.Reason != c.Want || got.Answer != row.Answer || got.WordKey != row.Word || exit != row.Exit {
				t.Errorf("got %s %s %s exit %d, want %s %s %s exit %d\n%s",
					got.Answer, got.Reason, got.WordKey, exit, row.Answer, c.Want, row.Word, row.Exit, &stderr)
			}
			for _, also := range c.Also {
				if !slices.Contains(got.Reasons, also) {
					t.Errorf("reasons %v, want also %s", got.Reasons, also)
				}
			}
			if row.Facts == words.NoFacts && (got.Claims != nil || got.Credential != nil || got.Issuer != nil || got.Number != nil) {
				t.Errorf("facts are shown with %s: %s", got.Reason, &stdout)
			}
		})
	}
	t.Logf("%d codes reached", len(reached))
}
