package qr_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"aidpass/credential/qr"
	"aidpass/internal/cbor"
)

// Cards of another writer: the Claim 169 vectors of idpass.
func TestPublicCardsRead(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folder := ""
	for ; folder == ""; dir = filepath.Dir(dir) {
		at := filepath.Join(dir, "shared", "vectors", "claim169-idpass", "valid")
		if _, err := os.Stat(at); err == nil {
			folder = at
		} else if dir == filepath.Dir(dir) {
			t.Skip("SKIPPED: ../shared/vectors not present")
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) != 9 {
		t.Fatalf("%d vector files, %v, want 9", len(files), err)
	}
	var s qr.Scratch
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Text string `json:"qr_data"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if got := qr.Recognise(v.Text); got != qr.ZlibCard {
			t.Errorf("%s: looks like %v", filepath.Base(file), got)
		}
		raw, err := s.Decode(v.Text)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		if _, err := cbor.Check(raw, cbor.DefaultLimits); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		// Ours is a text of the same card, and the longer one only where theirs
		// stores the bytes.
		packed, err := s.Unpack(v.Text)
		if err != nil {
			t.Fatal(err)
		}
		stored := startsStored(packed)
		again, err := qr.Encode(raw)
		if err != nil || len(again) > len(v.Text) && !stored {
			t.Errorf("%s: %d characters, written by us %d, %v", filepath.Base(file), len(v.Text), len(again), err)
		}
	}
}
