package witness

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A paper line is a checkpoint that can be printed, read aloud and typed:
//
//	AIDPASS-AUDIT relief-a.example/i1/audit 1234 4T7K 9QZX ... (nine groups of four)
//
// The first eight groups are the first 160 bits of the root in Crockford base32:
// half of them would let whoever writes the log look for two logs with one line.
// The ninth is 20 bits of SHA-256 over all before it, so that a slip of the pen is
// not taken for a forged log.
const paperMark = "AIDPASS-AUDIT"

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// A Paper is what a paper line says.
type Paper struct {
	Origin string
	Size   uint64
	root   [20]byte
}

// Paper is the checkpoint without the end of its root.
func (c Checkpoint) Paper() Paper { return Paper{c.Origin, c.Size, [20]byte(c.Root[:20])} }

// SameTree reports whether both say the same of a tree, whatever log they name.
func (p Paper) SameTree(q Paper) bool { return p.Size == q.Size && p.root == q.root }

// Holds reports whether root, of the tree of that size, is the one printed.
func (p Paper) Holds(root tlog.Hash) bool { return [20]byte(root[:20]) == p.root }

// Line is the paper line.
func (p Paper) Line() string {
	symbols := crockford.EncodeToString(p.root[:])
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %d", paperMark, p.Origin, p.Size)
	for symbols += p.check(); symbols != ""; symbols = symbols[4:] {
		b.WriteString(" " + symbols[:4])
	}
	return b.String()
}

func (p Paper) check() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d %x", paperMark, p.Origin, p.Size, p.root))
	return crockford.EncodeToString(sum[:5])[:4]
}

// ParsePaper reads a paper line as it was typed: capitals, spaces and dashes between
// symbols do not matter, and O, I and L stand for 0 and 1.
func ParsePaper(s string) (p Paper, err error) {
	bad := fmt.Errorf("witness: not a line of a checkpoint: %s LOG SIZE and nine groups of four", paperMark)
	if len(s) > 2*maxName {
		return p, bad
	}
	parts := strings.Fields(s)
	if len(parts) < 4 || !strings.EqualFold(parts[0], paperMark) || !goodName(parts[1]) {
		return p, bad
	}
	p.Origin = parts[1]
	if p.Size, err = parseSize(parts[2]); err != nil || p.Size == 0 {
		return p, bad
	}
	symbols := strings.NewReplacer("-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(strings.Join(parts[3:], "")))
	if len(symbols) != 36 {
		return p, bad
	}
	root, err := crockford.DecodeString(symbols[:32])
	if err != nil {
		return p, bad
	}
	p.root = [20]byte(root)
	if p.check() != symbols[32:] {
		return p, fmt.Errorf("witness: the line was typed wrongly: its last group does not fit the others")
	}
	return p, nil
}
