package rights

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// The letters of a recall, docs/formats/recall.md. Both are COSE_Sign1 by the key with
// which the organisation signs its packs, under a type of their own (docs/decisions/0031).
const (
	TypeRecall = "application/aidpass-recall+cose"
	TypeAnswer = "application/aidpass-recall-answer+cose"
)

// MaxLetterBytes is the longest letter.
const MaxLetterBytes = 1 << 20

// maxRefs is how many files one recall names: of one person a year of weekly ones, many times over.
const maxRefs = 1000

// ErrLetter: not a letter of this kind, or not signed by a key that may.
var ErrLetter = errors.New("rights: not a recall or an answer that can be trusted")

// A Why is the reason of a recall: no more than that is told.
type Why string

// The reasons.
const (
	Taken Why = "withdrawn" // she took her yes back
	Gone  Why = "erased"    // her record is erased here
)

// A Ref is how the letter says whom it means: by what she goes by in a file that the
// recipient got. It tells nothing to who has not got the file.
type Ref struct {
	File [32]byte // SHA-256
	Name string   // what she goes by in it
}

// A Letter tells a recipient that it may no longer use what it got about somebody.
type Letter struct {
	ID        [8]byte
	From, To  string // ids on the trust list
	Agreement string
	Why       Why
	At, By    time.Time // of its making; until when an answer is due. To the second
	Refs      []Ref
}

// Prepare builds the letter for k to sign.
func (l *Letter) Prepare(k *cose.Key) (*cose.Prepared, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	b := cbor.AppendArray(nil, 8)
	b = cbor.AppendBytes(b, l.ID[:])
	for _, s := range [...]string{l.From, l.To, l.Agreement, string(l.Why)} {
		b = cbor.AppendText(b, s)
	}
	b = cbor.AppendInt(cbor.AppendInt(b, l.At.Unix()), l.By.Unix())
	b = cbor.AppendArray(b, len(l.Refs))
	for _, r := range l.Refs {
		b = cbor.AppendText(cbor.AppendBytes(cbor.AppendArray(b, 2), r.File[:]), r.Name)
	}
	return cose.Prepare(k, TypeRecall, b, nil), nil
}

func (l *Letter) check() error {
	for _, s := range [...]string{l.From, l.To} {
		if !plain(s) {
			return fmt.Errorf("%w: it names who writes and who is meant by their ids on the trust list", ErrLetter)
		}
	}
	switch {
	case l.From == l.To || !shortID.MatchString(l.Agreement) || l.Why != Taken && l.Why != Gone:
		return fmt.Errorf("%w: parties, agreement or reason", ErrLetter)
	case l.At.Unix() <= 0 || l.By.Unix() < l.At.Unix() || l.By.Unix() >= 1<<40:
		return fmt.Errorf("%w: its times", ErrLetter)
	case len(l.Refs) == 0 || len(l.Refs) > maxRefs:
		return fmt.Errorf("%w: it names 1 to %d files", ErrLetter, maxRefs)
	}
	for _, r := range l.Refs {
		if r.Name == "" || len(r.Name) > maxWords || !utf8.ValidString(r.Name) {
			return fmt.Errorf("%w: a name in a file of 1 to %d bytes", ErrLetter, maxWords)
		}
	}
	return nil
}

var letterLimits = cbor.Limits{Depth: 4, Entries: maxRefs + 8}

// A KeyOf finds the key that an organisation could sign such letters with at a time; nil: none.
type KeyOf func(org string, kid []byte, at time.Time) *cose.Key

// open proves a letter: who signed it is asked for by the id that the payload names.
func open(raw []byte, typ string, keys KeyOf, read func(payload []byte) (from string, at time.Time, err error)) error {
	if len(raw) > MaxLetterBytes {
		return fmt.Errorf("%w: longer than %d bytes", ErrLetter, MaxLetterBytes)
	}
	m, err := cose.ParseSign1(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLetter, err)
	}
	if err := cbor.CheckDeterministic(m.Payload, letterLimits); err != nil {
		return fmt.Errorf("%w: %w", ErrLetter, err)
	}
	from, at, err := read(m.Payload)
	if err != nil {
		return err
	}
	_, _, err = cose.OpenTyped(raw, typ, func(kid []byte) *cose.Key { return keys(from, kid, at) })
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLetter, err)
	}
	return nil
}

// OpenLetter reads and proves a recall. Everything else is ErrLetter.
func OpenLetter(raw []byte, keys KeyOf) (l Letter, err error) {
	err = open(raw, TypeRecall, keys, func(payload []byte) (string, time.Time, error) {
		r := cbor.NewReader(payload)
		if r.Array() != 8 || copy(l.ID[:], fixed(&r, 8)) != 8 {
			return "", time.Time{}, fmt.Errorf("%w: not its members", ErrLetter)
		}
		l.From, l.To, l.Agreement, l.Why = string(r.Text()), string(r.Text()), string(r.Text()), Why(r.Text())
		l.At, l.By = seconds(r.Int()), seconds(r.Int())
		n := r.Array()
		if r.Err() != nil || n > maxRefs {
			return "", time.Time{}, fmt.Errorf("%w: not its members", ErrLetter)
		}
		for range n {
			var ref Ref
			if r.Array() != 2 || copy(ref.File[:], fixed(&r, 32)) != 32 {
				return "", time.Time{}, fmt.Errorf("%w: not its members", ErrLetter)
			}
			ref.Name = string(r.Text())
			l.Refs = append(l.Refs, ref)
		}
		if r.Err() != nil || !r.Done() {
			return "", time.Time{}, fmt.Errorf("%w: not its members", ErrLetter)
		}
		return l.From, l.At, l.check()
	})
	if err != nil {
		return Letter{}, err
	}
	return l, nil
}

// fixed reads a byte string of n bytes, or none.
func fixed(r *cbor.Reader, n int) []byte {
	if b := r.Bytes(); len(b) == n {
		return bytes.Clone(b)
	}
	return nil
}

func seconds(s int64) time.Time { return time.Unix(s, 0).UTC() }

// An Outcome is what a recipient did.
type Outcome string

// The outcomes.
const (
	Deleted Outcome = "deleted"
	Stopped Outcome = "stopped"  // kept, and not used or passed on any more
	NotHeld Outcome = "not-held" // nothing of it is there
	Kept    Outcome = "kept"     // a duty of its own keeps it: the organisations talk
)

// Outcomes are all, in the order of screens.
func Outcomes() []Outcome { return []Outcome{Deleted, Stopped, NotHeld, Kept} }

func (o Outcome) known() bool { return o == Deleted || o == Stopped || o == NotHeld || o == Kept }

// A Reply is what a recipient answers.
type Reply struct {
	Recall   [8]byte
	Letter   [32]byte // SHA-256 of the letter that is answered
	From, To string
	At       time.Time // to the second
	Outcome  Outcome
	Records  int // that were found
}

const maxRecords = 1 << 20

func (a *Reply) check() error {
	if !plain(a.From) || !plain(a.To) || a.From == a.To || a.At.Unix() <= 0 || a.At.Unix() >= 1<<40 || !a.Outcome.known() ||
		a.Records < 0 || a.Records > maxRecords || (a.Outcome == NotHeld) != (a.Records == 0) {
		return fmt.Errorf("%w: parties, time, outcome or count of an answer", ErrLetter)
	}
	return nil
}

// Prepare builds the answer for k to sign.
func (a *Reply) Prepare(k *cose.Key) (*cose.Prepared, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	b := cbor.AppendBytes(cbor.AppendBytes(cbor.AppendArray(nil, 7), a.Recall[:]), a.Letter[:])
	b = cbor.AppendInt(cbor.AppendText(cbor.AppendText(b, a.From), a.To), a.At.Unix())
	b = cbor.AppendInt(cbor.AppendText(b, string(a.Outcome)), int64(a.Records))
	return cose.Prepare(k, TypeAnswer, b, nil), nil
}

// OpenReply reads and proves an answer. Everything else is ErrLetter.
func OpenReply(raw []byte, keys KeyOf) (a Reply, err error) {
	err = open(raw, TypeAnswer, keys, func(payload []byte) (string, time.Time, error) {
		r := cbor.NewReader(payload)
		if r.Array() != 7 || copy(a.Recall[:], fixed(&r, 8)) != 8 || copy(a.Letter[:], fixed(&r, 32)) != 32 {
			return "", time.Time{}, fmt.Errorf("%w: not its members", ErrLetter)
		}
		a.From, a.To, a.At, a.Outcome = string(r.Text()), string(r.Text()), seconds(r.Int()), Outcome(r.Text())
		n := r.Int()
		if r.Err() != nil || !r.Done() || n < 0 || n > maxRecords {
			return "", time.Time{}, fmt.Errorf("%w: not its members", ErrLetter)
		}
		a.Records = int(n)
		return a.From, a.At, a.check()
	})
	if err != nil {
		return Reply{}, err
	}
	return a, nil
}

// IsReply reports whether raw calls itself an answer. Nothing of it is proved.
func IsReply(raw []byte) bool { return bytes.Contains(raw[:min(len(raw), 96)], []byte(TypeAnswer)) }
