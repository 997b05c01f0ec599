package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongUsageSaysTheWayOut(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk")
	if err := os.WriteFile(junk, []byte("no credential"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := []string{"--credential", junk, "--pack", junk, "--keys", dir, "--passphrase-file", junk, "--label", "Relief A", "--public", "https://gate.example"}
	for name, c := range map[string]struct {
		args []string
		say  string
		use  bool
	}{
		"nothing":      {nil, "is needed", true},
		"no address":   {append(full[:len(full)-1:len(full)-1], "gate.example"), "https://gate.relief-a.example", true},
		"unknown flag": {[]string{"--card", "x"}, "card", true},
		"no pack":      {full, "pack", false},
	} {
		var out, messages bytes.Buffer
		err := run(t.Context(), c.args, &out, &messages)
		if err == nil || !strings.Contains(err.Error(), c.say) || errors.Is(err, errUsage) != c.use || out.Len() != 0 {
			t.Errorf("%s: %v, output %q", name, err, out.String())
		}
	}
	var out, messages bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, &out, &messages); err != nil || !strings.Contains(messages.String(), "--credential card.jwt") {
		t.Errorf("help: %v, %q", err, messages.String())
	}
}
