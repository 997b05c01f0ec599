package witness

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A Request asks a witness for its cosignature: a checkpoint with the proof that
// its log extends the one the witness saw last. C2SP tlog-witness, add-checkpoint:
//
//	old 120
//	PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=    up to 63 hashes
//
//	relief-a.example/i1/audit                       the checkpoint
//	...
type Request struct {
	Old   uint64 // size of the checkpoint the proof begins at; 0: the witness saw none
	Proof tlog.TreeProof
	Note  []byte
}

// Append appends the request.
func (r *Request) Append(dst []byte) []byte {
	dst = fmt.Appendf(dst, "old %d\n", r.Old)
	for _, h := range r.Proof {
		dst = fmt.Appendf(dst, "%s\n", h)
	}
	return append(append(dst, '\n'), r.Note...)
}

// ParseRequest reads a request, or a checkpoint alone, which is one without a proof.
func ParseRequest(raw []byte) (*Request, error) {
	if len(raw) > MaxRequestBytes {
		return nil, syntax("it is over %d bytes long", MaxRequestBytes)
	}
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	if !bytes.HasPrefix(raw, []byte("old ")) {
		r := &Request{Note: raw}
		_, err := Peek(raw)
		return r, err
	}
	head, rest, ok := strings.Cut(string(raw), "\n\n")
	if !ok {
		return nil, syntax("no empty line stands before the checkpoint")
	}
	lines := strings.Split(head, "\n")
	r := &Request{Note: []byte(rest)}
	var err error
	if r.Old, err = parseSize(strings.TrimPrefix(lines[0], "old ")); err != nil {
		return nil, err
	}
	if len(lines) > 1+maxProof {
		return nil, syntax("its proof has over %d lines", maxProof)
	}
	for _, line := range lines[1:] {
		h, err := parseHash(line)
		if err != nil {
			return nil, err
		}
		r.Proof = append(r.Proof, h)
	}
	c, err := Peek(r.Note)
	switch {
	case err != nil:
		return nil, err
	case r.Old > c.Size:
		return nil, syntax("its proof begins at %d, after its size %d", r.Old, c.Size)
	case len(r.Proof) > 0 && (r.Old == 0 || r.Old == c.Size):
		return nil, syntax("it needs no proof, and has one")
	}
	return r, nil
}

// A ConflictError: the request does not begin where the witness is.
type ConflictError struct{ Seen, Old, Size uint64 }

func (e *ConflictError) Error() string {
	if e.Size < e.Seen {
		return fmt.Sprintf("witness: the checkpoint of %d entries is older than the one of %d seen before", e.Size, e.Seen)
	}
	return fmt.Sprintf("witness: the proof begins at %d entries, and the checkpoint seen last had %d", e.Old, e.Seen)
}

// A ForkError: the log is not the one that was seen, grown longer. Both checkpoints
// are signed by it: they prove that it was written anew.
type ForkError struct{ Seen, Shown Checkpoint }

func (e *ForkError) Error() string {
	return fmt.Sprintf("witness: the log %s with %d entries does not go on from the %d seen before: entries were changed or taken out, or the proof is damaged",
		e.Shown.Origin, e.Shown.Size, e.Seen.Size)
}

// Check holds a request, whose checkpoint c was opened, against what the witness saw
// last of this log; nil: nothing yet. It returns a *ConflictError or a *ForkError.
func (r *Request) Check(c Checkpoint, seen *Checkpoint) error {
	switch {
	case seen == nil && r.Old == 0:
		return nil
	case seen == nil:
		return &ConflictError{0, r.Old, c.Size}
	case c.Size == seen.Size && c.Root == seen.Root:
		return nil
	case c.Size == seen.Size:
		return &ForkError{*seen, c}
	case c.Size < seen.Size || r.Old != seen.Size:
		return &ConflictError{seen.Size, r.Old, c.Size}
	}
	if tlog.CheckTree(r.Proof, int64(c.Size), c.Root, int64(seen.Size), seen.Root) != nil {
		return &ForkError{*seen, c}
	}
	return nil
}
