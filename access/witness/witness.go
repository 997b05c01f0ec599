// Package witness lets an outsider hold an organisation to its audit log.
//
// The entries of the log (package access) are the leaves of a Merkle tree
// (RFC 6962). A [Checkpoint] is the tree's size and root, signed by the
// organisation's audit key. A second organisation, the witness, adds its
// cosignature after a proof that the log only grew since the last one it saw, and
// keeps what it signed. Whoever holds a checkpoint sees by a [Prover] that an
// entry was altered, removed, added or moved, also when everything the
// organisation stores was computed anew: the chain of hashes alone cannot show that.
//
// Forms: C2SP signed-note, tlog-checkpoint, tlog-cosignature (Ed25519), the
// request of tlog-witness, tlog-tiles. docs/formats/audit.md shows their bytes.
//
// Nothing here stores, fetches or asks a clock.
package witness

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"aidpass/access"
)

// Limits of what comes from outside.
const (
	MaxNoteBytes    = 16 << 10 // a checkpoint with its signatures
	MaxRequestBytes = MaxNoteBytes + 64*64
	MaxSize         = 1 << 48 // entries of a log; keeps every index within an int64
	maxProof        = 63      // tlog-witness: lines of a consistency proof
	maxName         = 200     // bytes of an origin or key name
)

// ErrSyntax: the bytes are not what they should be. The text says which part.
var ErrSyntax = errors.New("witness: not a checkpoint")

func syntax(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

// Origin is the name of an organisation's audit log, and of its audit key, in
// checkpoints: its id without the scheme, and "/audit". An id that cannot stand in
// a note is refused.
//
// C2SP tlog-checkpoint: a schema-less URL without spaces or plus signs.
func Origin(org string) (string, error) {
	rest, ok := strings.CutPrefix(org, "https://")
	name := rest + "/audit"
	if !ok || rest == "" || !goodName(name) {
		return "", fmt.Errorf("witness: the id %q gives no name for a log: it is https://HOST/PATH without spaces and plus signs", org)
	}
	return name, nil
}

// goodName holds a name to printable ASCII: what people compare by eye has no look-alikes.
func goodName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == '+' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// A Checkpoint is how far a log had come, and all it held then.
type Checkpoint struct {
	Origin string
	Size   uint64    // entries; at least 1, as a log begins with the organisation's own
	Root   tlog.Hash // of the Merkle tree over them
}

// Text is the body of the note: origin, size and root, a line each.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// parseText reads the body of a checkpoint. Extension lines are refused: no
// witness could say what they mean.
func parseText(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return c, syntax("its text is not origin, size and root, a line each")
	}
	c.Origin = lines[0]
	if !goodName(c.Origin) {
		return c, syntax("its first line names no log")
	}
	if c.Size, err = parseSize(lines[1]); err != nil || c.Size == 0 {
		return c, syntax("its second line is no size from 1 to 2^48")
	}
	if c.Root, err = parseHash(lines[2]); err != nil {
		return c, syntax("its third line is no hash")
	}
	return c, nil
}

// parseSize reads a decimal without leading zeroes.
func parseSize(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > MaxSize || strconv.FormatUint(n, 10) != s {
		return 0, syntax("%q is no size", s)
	}
	return n, nil
}

// parseHash reads 32 bytes in the one base64 they have.
func parseHash(s string) (h tlog.Hash, err error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(h) || base64.StdEncoding.EncodeToString(b) != s {
		return h, syntax("a hash is not 32 bytes in base64")
	}
	return tlog.Hash(b), nil
}

// Leaf is an entry's leaf in the tree: the RFC 6962 hash of its canonical bytes.
func Leaf(e *access.Entry) tlog.Hash {
	return tlog.RecordHash(e.AppendBytes(make([]byte, 0, 512)))
}
