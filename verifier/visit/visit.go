// Package visit keeps what devices handed out: an append-only journal a device, whose
// records are signed and chained, and the look-up that tells the verifier of an
// earlier collection; Merge, which makes one account out of any number of journals;
// the sealed file by which two tables tell each other (SealExchange); and the receipt
// by which an office says what it has (Receipt).
//
// The package is pure: it turns visits into bytes to be signed and journals back
// into visits. Who stores the file, and when it is safe on disk, is the caller's
// matter. docs/formats/journal.md and docs/formats/exchange.md draw the bytes.
package visit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/verifier"
)

// TypJournal is the protected typ of a record.
const TypJournal = "application/aidpass-journal+cose"

// Codes of notes that open and close a shift. The first names who works, by a code of
// the staff and never by name, in Given; what follows in the journal is recorded by them.
const (
	CodeShiftOpen  = "shift_open"
	CodeShiftClose = "shift_close"
)

// Kind says what a record records.
type Kind uint8

// The kinds.
const (
	Collection Kind = 1 // all that was due
	Partial    Kind = 2 // something is still due
	Counter    Kind = 3 // cancels an earlier record of this journal
	Note       Kind = 4 // nothing given
)

// Collector says who stood at the table.
type Collector uint8

// The collectors; zero where not said.
const (
	Holder    Collector = 1
	Alternate Collector = 2
	Proxy     Collector = 3
)

// Check is a holder check that was made.
type Check uint8

// The checks.
const (
	CheckPhoto   Check = 1
	CheckPIN     Check = 2
	CheckWitness Check = 3
	CheckLive    Check = 4
)

// Visit is one record: one scan and what was given.
type Visit struct {
	Device   []byte // device id
	Sequence uint64 // from 1, no gaps
	At       credential.Time
	Kind     Kind
	Ledger   verifier.LedgerKey // zero for notes without a card
	Former   credential.Former  // whose card the one shown replaces; with Ledger, zero: nobody's
	Card     []byte             // cti of the card shown; may be nil
	Given    string             // opaque code or decimal amount with unit (ParseAmount)
	Rest     string             // still due, Partial only
	By       Collector
	Checks   []Check
	Cancels  uint64 // sequence, Counter only
	Code     string // reason or note code, see CodeRest; never free text about a person
}

// CodeRest is the code of a Collection that gave what earlier parts had left due:
// whoever recorded it knew of them, so that merging does not take it for a double.
const CodeRest = "rest"

// CodeOldLists begins the code of a collection that a decision for old lists let pass.
const CodeOldLists = "on_old_lists"

// LetPass marks v as a collection that a decision for old lists let pass, so that it
// counts under that one's ceiling.
func (v *Visit) LetPass() { v.Code = strings.TrimSuffix(CodeOldLists+":"+v.Code, ":") }

// ofRest reports whether a record says that it gave what earlier parts had left due:
// by CodeRest, or by it behind the reason for which the record was made at all
// ("number_only:rest").
func (v *Visit) ofRest() bool { return v.Code == CodeRest || strings.HasSuffix(v.Code, ":"+CodeRest) }

// Limits of one record.
const (
	maxRecord = 4096 // bytes; more than the texts below come to
	maxIssuer = 1024 // as claim iss of a card
	maxText   = 256
	maxChecks = 8
	maxDevice = 16
	maxCard   = 64
)

// Prepare is the first phase of appending v after record prev (nil for the first
// of a journal): the bytes the device key signs. Attach on the result gives the
// record to append.
func Prepare(k *cose.Key, prev []byte, v Visit) (*cose.Prepared, error) {
	if err := v.valid(); err != nil {
		return nil, err
	}
	if err := v.amounts(); err != nil {
		return nil, err
	}
	payload, err := v.encode(chainTo(prev))
	if err != nil {
		return nil, err
	}
	return cose.Prepare(k, TypJournal, payload, nil), nil
}

// chainTo is what a record says of the one before it.
func chainTo(prev []byte) (chain [32]byte) {
	if prev != nil {
		chain = sha256.Sum256(prev)
	}
	return chain
}

// encode writes the payload. What is empty is left out.
func (v *Visit) encode(chain [32]byte) ([]byte, error) {
	var m cbor.MapBuilder
	m.PutInt(1, cbor.AppendBytes(nil, v.Device))
	m.PutInt(2, cbor.AppendUint(nil, v.Sequence))
	m.PutInt(3, cbor.AppendBytes(nil, chain[:]))
	m.PutInt(4, cbor.AppendInt(nil, int64(v.At)))
	m.PutInt(5, cbor.AppendUint(nil, uint64(v.Kind)))
	if v.Ledger != (verifier.LedgerKey{}) {
		b := cbor.AppendText(cbor.AppendArray(nil, 4), v.Ledger.Issuer)
		b = cbor.AppendText(cbor.AppendText(b, v.Ledger.Pseudonym), v.Ledger.Programme)
		m.PutInt(6, cbor.AppendUint(b, v.Ledger.Round))
	}
	if len(v.Card) > 0 {
		m.PutInt(7, cbor.AppendBytes(nil, v.Card))
	}
	if v.Given != "" {
		m.PutInt(8, cbor.AppendText(nil, v.Given))
	}
	if v.Rest != "" {
		m.PutInt(9, cbor.AppendText(nil, v.Rest))
	}
	if v.By != 0 {
		m.PutInt(10, cbor.AppendUint(nil, uint64(v.By)))
	}
	if len(v.Checks) > 0 {
		b := cbor.AppendArray(nil, len(v.Checks))
		for _, c := range v.Checks {
			b = cbor.AppendUint(b, uint64(c))
		}
		m.PutInt(11, b)
	}
	if v.Cancels != 0 {
		m.PutInt(12, cbor.AppendUint(nil, v.Cancels))
	}
	if v.Code != "" {
		m.PutInt(13, cbor.AppendText(nil, v.Code))
	}
	if v.Former != (credential.Former{}) {
		b := cbor.AppendText(cbor.AppendArray(nil, 2), v.Former.Issuer)
		m.PutInt(14, cbor.AppendText(b, v.Former.Pseudonym))
	}
	payload, err := m.Append(nil)
	if err != nil {
		return nil, fmt.Errorf("visit: %w", err)
	}
	return payload, nil
}

func (v *Visit) valid() error {
	switch {
	case len(v.Device) == 0 || len(v.Device) > maxDevice:
		return fmt.Errorf("visit: device id of %d bytes", len(v.Device))
	case v.Sequence == 0:
		return fmt.Errorf("visit: sequences start at 1")
	case v.At <= 0 || v.At > credential.MaxTime:
		return fmt.Errorf("visit: record %d has no time", v.Sequence)
	case v.Kind < Collection || v.Kind > Note:
		return fmt.Errorf("visit: record %d: kind %d", v.Sequence, v.Kind)
	case v.Kind <= Partial && v.Ledger.Pseudonym == "":
		return fmt.Errorf("visit: record %d: a collection without a ledger key", v.Sequence)
	case v.Kind == Counter && (v.Cancels == 0 || v.Cancels >= v.Sequence):
		return fmt.Errorf("visit: record %d cancels %d, which is not before it", v.Sequence, v.Cancels)
	case v.Kind != Counter && v.Cancels != 0:
		return fmt.Errorf("visit: record %d cancels, and is no counter-entry", v.Sequence)
	case v.Kind != Partial && v.Rest != "":
		return fmt.Errorf("visit: record %d leaves a rest, and is no partial collection", v.Sequence)
	case v.Former != (credential.Former{}) && (v.Former.Issuer == "" || v.Former.Pseudonym == "" || v.Ledger.Pseudonym == "" || v.Former.Issuer == v.Ledger.Issuer):
		return fmt.Errorf("visit: record %d replaces a card of nobody else", v.Sequence)
	case len(v.Former.Issuer) > maxIssuer:
		return fmt.Errorf("visit: record %d is out of bounds", v.Sequence)
	case len(v.Card) > maxCard || len(v.Checks) > maxChecks || v.By > Proxy || len(v.Ledger.Issuer) > maxIssuer:
		return fmt.Errorf("visit: record %d is out of bounds", v.Sequence)
	}
	for _, s := range []string{v.Given, v.Rest, v.Code, v.Ledger.Pseudonym, v.Ledger.Programme, v.Former.Pseudonym} {
		if len(s) > maxText {
			return fmt.Errorf("visit: record %d holds a text of %d bytes", v.Sequence, len(s))
		}
	}
	for _, s := range []string{v.Given, v.Rest, v.Code, v.Ledger.Issuer, v.Ledger.Pseudonym, v.Ledger.Programme, v.Former.Issuer, v.Former.Pseudonym} {
		if !utf8.ValidString(s) {
			return fmt.Errorf("visit: record %d holds a text that is not UTF-8", v.Sequence)
		}
	}
	return nil
}

// parse reads a record's payload.
func parse(payload []byte) (v Visit, chain [32]byte, err error) {
	if err := cbor.CheckDeterministic(payload, cbor.DefaultLimits); err != nil {
		return v, chain, err
	}
	r := cbor.NewReader(payload)
	if r.Kind() != cbor.Map {
		return v, chain, fmt.Errorf("not a map")
	}
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch r.Int() {
		case 1:
			v.Device = r.Bytes()
		case 2:
			v.Sequence = r.Uint()
		case 3:
			if copy(chain[:], r.Bytes()) != len(chain) {
				return v, chain, fmt.Errorf("the hash of the record before is short")
			}
		case 4:
			v.At = credential.Time(r.Int())
		case 5:
			v.Kind = Kind(min(r.Uint(), 255))
		case 6:
			if r.Array() != 4 {
				return v, chain, fmt.Errorf("a ledger key has four members")
			}
			v.Ledger = verifier.LedgerKey{Issuer: string(r.Text()), Pseudonym: string(r.Text()), Programme: string(r.Text()), Round: r.Uint()}
		case 7:
			v.Card = r.Bytes()
		case 8:
			v.Given = string(r.Text())
		case 9:
			v.Rest = string(r.Text())
		case 10:
			v.By = Collector(min(r.Uint(), 255))
		case 11:
			for m := r.Array(); m > 0 && r.Err() == nil; m-- {
				v.Checks = append(v.Checks, Check(min(r.Uint(), 255)))
			}
		case 12:
			v.Cancels = r.Uint()
		case 13:
			v.Code = string(r.Text())
		case 14:
			if r.Array() != 2 {
				return v, chain, fmt.Errorf("a replaced unit has two members")
			}
			v.Former = credential.Former{Issuer: string(r.Text()), Pseudonym: string(r.Text())}
		default:
			return v, chain, fmt.Errorf("an unknown member: written by a newer version?")
		}
	}
	if err := r.Err(); err != nil {
		return v, chain, err
	}
	if err := v.valid(); err != nil {
		return v, chain, err
	}
	// Nothing left out that must be there, nothing empty put in: one record, one form.
	if again, err := v.encode(chain); err != nil || !bytes.Equal(again, payload) {
		return v, chain, fmt.Errorf("not written as records are")
	}
	return v, chain, nil
}
