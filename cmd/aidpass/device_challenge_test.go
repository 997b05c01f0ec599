package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/storage/keystore"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// A type of an organisation's own that wants an answer to a challenge: neither card nor
// live code is enough, and the answer is good for four minutes, once.
func TestATypeThatWantsAnAnswer(t *testing.T) {
	w, dir := vt.New(), t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, b []byte) string {
		t.Helper()
		if err := os.WriteFile(path(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path(name)
	}
	store, err := keystore.Open(path("keys"))
	if err != nil {
		t.Fatal(err)
	}
	store.WorkFactor = 4
	info, err := store.Import(keystore.Device, "", w.Device.Signer, func() ([]byte, error) { return []byte("correct horse"), nil }, scriptClock())
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (int, string, string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		m := &Main{Stdin: bytes.NewReader(nil), Stdout: &stdout, Stderr: &stderr, Now: vt.Now.Std,
			Env: func(string) (string, bool) { return "", false }}
		return m.Run(context.Background(), args), stdout.String(), stderr.String()
	}
	pass := write("pass", []byte("correct horse\n"))
	if code, _, says := run("device", "challenge", "--device", path("keys/device-"+info.ID+".key"), "--device-passphrase-file", pass,
		"--certificate", write("tablet-1.cert", w.DeviceCert(nil)), "--out", path("challenge")); code != 0 {
		t.Fatalf("device challenge: exit %d\n%s", code, says)
	}
	challenge, err := os.ReadFile(path("challenge"))
	if err != nil {
		t.Fatal(err)
	}

	card := w.Card(vt.CardOptions{Type: w.PhoneType.Name, Draft: func(d *cwt.Draft) { d.HolderKey = w.Wallet.Key }})
	live := func(challenge []byte) string {
		t.Helper()
		p := verifier.PrepareLive(w.Wallet.Key, card, vt.Now, challenge)
		signature, err := cose.SignRaw(w.Wallet, p.ToBeSigned())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := p.Attach(signature)
		if err != nil {
			t.Fatal(err)
		}
		text, err := cwt.Text(raw)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	alone, err := cwt.Text(card)
	if err != nil {
		t.Fatal(err)
	}
	pack, answer := write("pack", w.Pack(vt.PackOptions{})), live(challenge)
	asked := []string{"--challenge", path("challenge")}
	judge := func(text string, after credential.Time, more ...string) words.Reason {
		t.Helper()
		args := append([]string{"verify", "--json", "--pack", pack, "--at", (vt.Now + after).String()}, more...)
		code, out, says := run(append(args, "--", text)...)
		var got answerLine
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("exit %d, %v\n%s", code, err, says)
		}
		return got.Reason
	}
	for _, c := range []struct {
		name, text string
		after      credential.Time
		more       []string
		want       words.Reason
	}{
		{"the card alone", alone, 0, nil, words.LiveRequired},
		{"the card alone, though the phone was asked", alone, 0, asked, words.LiveRequired},
		{"a live code by time", live(nil), 0, nil, words.LiveRequired},
		{"a live code by time, though the phone was asked", live(nil), 0, asked, words.KBWrongNonce},
		{"the answer, and nobody was asked", answer, 0, nil, words.KBWrongNonce},
		{"the answer", answer, 0, asked, words.OK},
		{"the answer in the last second", answer, verifier.AnswerWithin, asked, words.OK},
		{"the answer a second later", answer, verifier.AnswerWithin + 1, asked, words.KBStale},
	} {
		if got := judge(c.text, c.after, c.more...); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	state := append(asked, "--state", path("state"))
	for _, want := range []words.Reason{words.OK, words.KBStale} {
		if got := judge(answer, 1, state...); got != want {
			t.Errorf("on a table that remembers: %s, want %s", got, want)
		}
	}
	if code, _, _ := run("verify", "--pack", pack, "--challenge", pass, "--", answer); code != exitUsage {
		t.Errorf("a file that is no challenge: exit %d", code)
	}
}
