package access

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"aidpass/internal/cbor"
)

// An Action names what was done, as "noun.verb": "credential.revoke".
type Action string

// An Entry is one line of an organisation's audit log.
//
// It holds no personal data. What was done to whom is told by a random
// identifier, which means nothing any more once the person's record is erased.
type Entry struct {
	Org    string
	Seq    uint64    // 1, 2, 3, ... without a gap in one organisation
	Time   time.Time // kept to the microsecond, UTC
	Actor  Actor
	Action Action
	Object string   // random identifier of what was acted on; empty for the organisation itself
	Reason string   // why, in the actor's words or a code; no names; may be empty
	Detail string   // counts, states and identifiers for a reader; may be empty
	Digest [32]byte // SHA-256 of what was written, as the store documents it; zero when nothing was
	Prev   [32]byte // Hash of the entry before; zero for the first
	Hash   [32]byte // SHA-256 of Bytes
}

// entryLabel keeps an entry's hash apart from every other hash of this project.
const entryLabel = "aidpass-audit-1"

// AppendBytes appends the canonical bytes of e, which its hash is made over:
// deterministic CBOR (RFC 8949 4.2.1) of
//
//	["aidpass-audit-1", org, seq, microseconds since 1970, actor, role, device,
//	 second person, action, object, reason, detail, digest, prev]
//
// with texts for texts, integers for the two numbers, and byte strings of 32
// for the two hashes.
func (e *Entry) AppendBytes(dst []byte) []byte {
	dst = cbor.AppendArray(dst, 14)
	dst = cbor.AppendText(dst, entryLabel)
	dst = cbor.AppendText(dst, e.Org)
	dst = cbor.AppendUint(dst, e.Seq)
	dst = cbor.AppendInt(dst, e.Time.UnixMicro())
	for _, s := range [...]string{e.Actor.ID, string(e.Actor.Role), e.Actor.Device, e.Actor.SecondPerson,
		string(e.Action), e.Object, e.Reason, e.Detail} {
		dst = cbor.AppendText(dst, s)
	}
	dst = cbor.AppendBytes(dst, e.Digest[:])
	return cbor.AppendBytes(dst, e.Prev[:])
}

// Sum is what e.Hash must be.
func (e *Entry) Sum() [32]byte { return sha256.Sum256(e.AppendBytes(make([]byte, 0, 512))) }

// Fit is a detail that an entry has room for: a longer one ends in ",..." instead, at a
// whole letter.
func Fit(detail string) string {
	const more = ",..."
	if len(detail) <= MaxText {
		return detail
	}
	cut := MaxText - len(more)
	for !utf8.RuneStart(detail[cut]) {
		cut--
	}
	return detail[:cut] + more
}

// Check refuses an entry that must not be written: an actor that fails its own
// check, no action, or a text that is too long or not UTF-8.
func (e *Entry) Check() error {
	if err := e.Actor.Check(); err != nil {
		return err
	}
	if e.Action == "" {
		return errors.New("access: an audit entry needs an action")
	}
	for _, s := range []string{e.Org, string(e.Action), e.Object, e.Reason, e.Detail} {
		if len(s) > MaxText || !utf8.ValidString(s) {
			return fmt.Errorf("access: a text of the audit entry %q is over %d bytes or not UTF-8", e.Action, MaxText)
		}
	}
	return nil
}

// A Head is how far a log has come: the number and hash of its newest entry. A
// head kept elsewhere (by a partner, or on paper) is the witness that the log
// was not cut short or written anew, which the chain alone cannot show.
type Head struct {
	Seq  uint64
	Hash [32]byte
}

// A BadRow is the first entry of a log that cannot be what was written.
type BadRow struct {
	Seq  uint64 // of the row, or of the one missing
	Code string // one of those below: what is wrong, for whoever has its own words
	Why  string // with the particulars, in English
}

// Codes of a BadRow.
const (
	BadMissing = "missing" // an entry that was there is not
	BadOrder   = "order"
	BadOrg     = "organisation" // of another one's log
	BadChain   = "chain"        // does not follow the one before
	BadAltered = "altered"
	BadOther   = "other"   // another entry than the one that was witnessed
	BadRange   = "range"   // that, or one after it
	BadShort   = "short"   // the log does not reach what was witnessed
	BadForeign = "foreign" // not written by this program
	BadWhom    = "whom"    // about others than those whom it was written about
)

func (b *BadRow) Error() string { return fmt.Sprintf("access: audit entry %d: %s", b.Seq, b.Why) }

// Chain checks a log entry by entry, so that a long one need not be in memory.
// The zero Chain expects entry 1.
type Chain struct {
	org  string
	head Head
}

// Add takes the next entry. A *BadRow says that this entry, or one missing
// before it, is not what was written; the chain then stays where it was.
func (c *Chain) Add(e *Entry) error {
	want := c.head.Seq + 1
	switch {
	case e.Seq > want:
		return &BadRow{want, BadMissing, fmt.Sprintf("missing: the log goes on with entry %d", e.Seq)}
	case e.Seq < want:
		return &BadRow{e.Seq, BadOrder, fmt.Sprintf("out of order: entry %d was expected here", want)}
	case c.head.Seq > 0 && e.Org != c.org:
		return &BadRow{e.Seq, BadOrg, fmt.Sprintf("of organisation %q in the log of %q", e.Org, c.org)}
	case e.Prev != c.head.Hash:
		return &BadRow{e.Seq, BadChain, "does not follow the entry before it"}
	case e.Hash != e.Sum():
		return &BadRow{e.Seq, BadAltered, "altered: its hash does not fit its content"}
	}
	c.org, c.head = e.Org, Head{e.Seq, e.Hash}
	return nil
}

// Head is the newest entry taken; the zero Head before the first.
func (c *Chain) Head() Head { return c.head }

// Verify checks a whole log, oldest entry first, and returns its head. A *BadRow
// names the first entry that is not what was written.
//
// A log cut off at its end still verifies: compare the head with a witnessed one.
func Verify(log []Entry) (Head, error) {
	var c Chain
	for i := range log {
		if err := c.Add(&log[i]); err != nil {
			return c.Head(), err
		}
	}
	return c.Head(), nil
}

// Link makes e the next entry after prev: sets its number, Prev and Hash. The
// time is cut to the microsecond, which is all that is kept.
func (e *Entry) Link(prev Head) {
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	e.Seq, e.Prev = prev.Seq+1, prev.Hash
	e.Hash = e.Sum()
}
