package qr_test

import (
	"bytes"
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

// What a device writes without a compressor is read as any code, up to the longest
// text that a QR code holds.
func TestEncodeStored(t *testing.T) {
	for _, n := range []int{0, 1, 2, 255, 256, 400, qr.MaxStored} {
		raw := bytes.Repeat([]byte{0xa5, 7, 0}, n)[:n]
		text := qr.EncodeStored(raw)
		if len(text) > qr.MaxText || qr.Recognise(text) != qr.ZlibCard {
			t.Errorf("%d bytes: %d characters, recognised as %v", n, len(text), qr.Recognise(text))
		}
		var s qr.Scratch
		if got, err := s.Decode(text); err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
	}
	if qr.EncodeStored(make([]byte, qr.MaxStored+1)) != "" {
		t.Error("more than a QR code holds")
	}
}
