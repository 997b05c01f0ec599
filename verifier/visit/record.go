package visit

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// A Record is one record of a journal, proved by itself.
type Record struct {
	Visit
	Key  [8]byte  // key id of the device that signed it
	Hash [32]byte // of Raw: what the next record is chained to
	Prev [32]byte // what it says of the record before
	Raw  []byte   // the signed bytes
}

// Why says why a record is refused: a stable code.
type Why string

// The refusals.
const (
	Unreadable    Why = "unreadable"     // no record at all
	UnknownDevice Why = "unknown_device" // no certificate vouches for its key
	BadSignature  Why = "bad_signature"  // the device did not sign it
	Nonsense      Why = "nonsense"       // signed, and says what cannot be
	BadAmount     Why = "bad_amount"     // negative, zero, too large, no number
)

// A Refusal is one record that is not taken, whatever became of the others.
type Refusal struct {
	Key      [8]byte // key id that it names; zero: none was read
	Sequence uint64  // that it gives itself; 0: none was read
	Hash     [32]byte
	Why      Why
	Err      error // for people; may be nil
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("visit: record %d of device %x is refused: %s: %v", r.Sequence, r.Key, r.Why, r.Err)
}
func (r *Refusal) Unwrap() error { return r.Err }

// ParseRecord proves one record. find returns a device's key by its id, or nil when
// no certificate vouches for it. Every fault is a *Refusal.
func ParseRecord(raw []byte, find func(kid []byte) *cose.Key) (Record, error) {
	return parseRecord(raw, find, true)
}

// Stored reads a record that ParseRecord proved before and that was kept where
// nobody else writes: the signature is not checked again.
func Stored(raw []byte) (Record, error) { return parseRecord(raw, nil, false) }

func parseRecord(raw []byte, find func(kid []byte) *cose.Key, prove bool) (Record, error) {
	r := Record{Hash: sha256.Sum256(raw), Raw: raw}
	refuse := func(why Why, err error) (Record, error) {
		return Record{}, &Refusal{Key: r.Key, Sequence: r.Sequence, Hash: r.Hash, Why: why, Err: err}
	}
	if len(raw) > maxRecord {
		return refuse(Unreadable, fmt.Errorf("%d bytes", len(raw)))
	}
	m, err := cose.ParseSign1(raw)
	if err == nil {
		err = m.StrictType(TypJournal)
	}
	if err != nil {
		return refuse(Unreadable, err)
	}
	if len(m.KeyID()) != len(r.Key) {
		return refuse(Unreadable, errors.New("no key id of eight bytes"))
	}
	copy(r.Key[:], m.KeyID())
	if prove {
		key := find(m.KeyID())
		if key == nil {
			return refuse(UnknownDevice, errors.New("no certificate vouches for this key"))
		}
		if err := m.Verify(key, nil, nil, true); err != nil {
			return refuse(BadSignature, err)
		}
	}
	if r.Visit, r.Prev, err = parse(m.Payload); err != nil {
		return refuse(Nonsense, err)
	}
	if err := r.amounts(); err != nil {
		return refuse(BadAmount, err)
	}
	return r, nil
}

// amounts refuses quantities that nobody can hand out.
func (v *Visit) amounts() error {
	if v.Kind > Partial {
		return nil // what a note names is no amount
	}
	for _, s := range []string{v.Given, v.Rest} {
		if _, _, err := ParseAmount(s); err != nil {
			return err
		}
	}
	return nil
}

// A Piece is what one file holds of journals: of one device or of several, from the
// beginning or not, whole or cut.
type Piece struct {
	Records []Record
	Refused []Refusal
	Torn    bool // the file ends in the middle of a record
}

// Open reads a file of records for merging. Where Read proves one journal from its
// beginning and stops at the first fault, Open takes every record that proves itself
// and names the others. Only a file over MaxJournalBytes is an error.
func Open(file []byte, find func(kid []byte) *cose.Key) (*Piece, error) {
	if len(file) > MaxJournalBytes {
		return nil, fmt.Errorf("visit: a journal of %d bytes, at most %d", len(file), MaxJournalBytes)
	}
	p := &Piece{}
	unread := 0
	for rest := file; len(rest) > 0; {
		if unread == maxUnread {
			p.Refused = append(p.Refused, Refusal{Hash: sha256.Sum256(rest), Why: Unreadable, Err: errors.New("the rest of a file that is no journal")})
			break
		}
		n, _, err := cbor.Scan(rest[:min(len(rest), maxRecord)], cbor.DefaultLimits)
		if err == nil && !bytes.HasPrefix(rest, recordHead) {
			err = errors.New("not the beginning of a record")
		}
		if err != nil {
			if errors.Is(err, cbor.ErrTruncated) && tail(rest) {
				p.Torn = true
				break
			}
			// A damaged length hides where the next record begins; their heads are alike.
			n = nextHead(rest)
			p.Refused = append(p.Refused, Refusal{Hash: sha256.Sum256(rest[:n]), Why: Unreadable, Err: err})
			unread++
			rest = rest[n:]
			continue
		}
		before := len(p.Refused)
		if p.Add(rest[:n], find); len(p.Refused) > before && p.Refused[before].Why == Unreadable {
			unread++
		}
		rest = rest[n:]
	}
	return p, nil
}

// maxUnread bounds the work on a file that is no journal, and the memory: behind so
// many faults the rest is one.
const maxUnread = 10_000

// recordHead is how every record begins: tag 18, an array of four, the protected header.
var recordHead = []byte{0xd2, 0x84, 0x58}

// nextHead is where the next record may begin, behind the first byte.
func nextHead(b []byte) int {
	if i := bytes.Index(b[1:], recordHead); i >= 0 {
		return 1 + i
	}
	return len(b)
}

// Add takes one record into the piece, or its refusal.
func (p *Piece) Add(raw []byte, find func(kid []byte) *cose.Key) {
	r, err := ParseRecord(raw, find)
	var refused *Refusal
	if errors.As(err, &refused) {
		p.Refused = append(p.Refused, *refused)
		return
	}
	p.Records = append(p.Records, r)
}
