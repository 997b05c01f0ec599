package witness

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// ErrNotSigned: no key that was given signed the checkpoint as its log, or one of
// them is said to have signed it and did not.
var ErrNotSigned = errors.New("witness: the checkpoint is not signed by its log")

// A Cosignature is what a witness added.
type Cosignature struct {
	Name string    // of the witness
	At   time.Time // by the witness's clock, UTC
}

// A Signed is a checkpoint whose log's signature was proven.
type Signed struct {
	Checkpoint
	Cosignatures []Cosignature // those of the witnesses asked for, proven
	Raw          []byte        // the note: text, empty line, signatures
}

// By reports whether the witness of a name cosigned.
func (s *Signed) By(name string) bool {
	return slices.ContainsFunc(s.Cosignatures, func(c Cosignature) bool { return c.Name == name })
}

// Sign makes the note of a checkpoint. key is the Ed25519 audit key of the
// organisation whose log it is, else ErrNotEd25519.
func Sign(c Checkpoint, key crypto.Signer) ([]byte, error) {
	if _, err := parseText(c.Text()); err != nil {
		return nil, err
	}
	s, err := newSigner(c.Origin, key, typeLog, time.Time{})
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: c.Text()}, s)
}

// Peek returns what a note says without proof: only to know whose key proves it.
func Peek(raw []byte) (Checkpoint, error) {
	raw, err := trim(raw)
	if err != nil {
		return Checkpoint{}, err
	}
	end := bytes.LastIndex(raw, []byte("\n\n"))
	if end < 0 {
		return Checkpoint{}, syntax("no empty line stands before its signatures")
	}
	return parseText(string(raw[:end+1]))
}

// trim takes the one line end more or less that a phone, an editor or Windows
// leaves: all else of a note is as it was signed.
func trim(raw []byte) ([]byte, error) {
	if len(raw) > MaxNoteBytes {
		return nil, syntax("it is over %d bytes long", MaxNoteBytes)
	}
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	return append(bytes.TrimRight(raw, "\n"), '\n'), nil
}

// Open proves a note by the keys of its log, and by those of witnesses as far as
// they signed it. Signatures of others are passed over.
func Open(raw []byte, logs []Key, witnesses ...Key) (*Signed, error) {
	raw, err := trim(raw)
	if err != nil {
		return nil, err
	}
	c, err := Peek(raw)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	var list []note.Verifier
	add := func(keys []Key, kind byte) {
		for _, k := range keys {
			if text := k.text(kind); !known[text] { // two of one id would be ambiguous
				known[text] = true
				list = append(list, verifier{k, kind})
			}
		}
	}
	// A log is signed under its own name and no other.
	add(slices.DeleteFunc(slices.Clone(logs), func(k Key) bool { return k.Name != c.Origin }), typeLog)
	logKeys := len(list)
	add(witnesses, typeWitness)
	n, err := note.Open(raw, note.VerifierList(list...))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNotSigned, c.Origin, err)
	}
	s := &Signed{Checkpoint: c, Raw: raw}
	byLog := false
	for _, sig := range n.Sigs {
		if slices.ContainsFunc(list[:logKeys], func(v note.Verifier) bool { return v.Name() == sig.Name && v.KeyHash() == sig.Hash }) {
			byLog = true
			continue
		}
		b, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil || len(b) < 4 {
			return nil, syntax("a signature is not base64")
		}
		if at, ok := cosignedAt(b[4:]); ok {
			s.Cosignatures = append(s.Cosignatures, Cosignature{sig.Name, at})
		}
	}
	if !byLog {
		return nil, fmt.Errorf("%w: %s", ErrNotSigned, c.Origin)
	}
	return s, nil
}

// Cosign adds the signature of a witness at a time, kept to the second. s was opened
// with the log's key and found to extend what the witness saw (Request.Check).
func Cosign(s *Signed, name string, key crypto.Signer, at time.Time) ([]byte, error) {
	w, err := newSigner(name, key, typeWitness, at.UTC().Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	// Opened without keys, every signature that is there is carried on as it is.
	_, err = note.Open(s.Raw, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return nil, fmt.Errorf("witness: %w", err)
	}
	out, err := note.Sign(unverified.Note, w)
	if err == nil && len(out) > MaxNoteBytes {
		err = syntax("with one signature more it is over %d bytes long", MaxNoteBytes)
	}
	return out, err
}
