package visit

import (
	"errors"
	"fmt"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// TypReceipt is the protected typ of a receipt.
const TypReceipt = "application/aidpass-receipt+cose"

// A Receipt is what an office has of one device's journal, signed by a pack key of
// the organisation. What it covers may be forgotten by the device.
type Receipt struct {
	Org    string
	Device [8]byte // key id
	At     credential.Time
	Held   []Held   // rising, apart from each other
	Review []uint64 // sequences that people look at, rising; they are held as well
	Frozen uint64   // the device's memory was copied from here on; 0: nothing is known of it
}

// Limits of a receipt.
const (
	maxReceipt = 64 << 10
	maxHeld    = 1024
	MaxReview  = 2048 // sequences that people look at
)

// ErrCopied says that the office holds another record under a number of this journal:
// two devices have written with one key.
var ErrCopied = errors.New("visit: the office has another record of that number: this device was copied")

// ReceiptFor is what m has of a device, as a receipt.
func (m *Merged) ReceiptFor(org string, device [8]byte, at credential.Time) Receipt {
	r := Receipt{Org: org, Device: device, At: at}
	for i := range m.Tables {
		if t := &m.Tables[i]; t.Key == device {
			r.Held, r.Frozen = t.Held[:min(len(t.Held), maxHeld)], t.Frozen
		}
	}
	for i := range m.Entries {
		e := &m.Entries[i]
		review := e.State == Conflict || e.State == Over || e.State == Quarantined
		if n := len(r.Review); e.Key == device && review && n < MaxReview && (n == 0 || r.Review[n-1] < e.Sequence) {
			r.Review = append(r.Review, e.Sequence)
		}
	}
	return r
}

// PrepareReceipt makes r ready to be signed by k, a pack key of the organisation.
func PrepareReceipt(k *cose.Key, r Receipt) (*cose.Prepared, error) {
	if err := r.valid(); err != nil {
		return nil, err
	}
	n := 4
	if len(r.Review) > 0 {
		n++
	}
	if r.Frozen > 0 {
		n++
	}
	b := cbor.AppendText(append(cbor.AppendMap(nil, n), 1), r.Org)
	b = cbor.AppendBytes(append(b, 2), r.Device[:])
	b = cbor.AppendInt(append(b, 3), int64(r.At))
	b = cbor.AppendArray(append(b, 4), len(r.Held))
	for _, h := range r.Held {
		b = cbor.AppendUint(cbor.AppendUint(cbor.AppendArray(b, 3), h.First), h.Last)
		b = cbor.AppendBytes(b, h.Head[:])
	}
	if len(r.Review) > 0 {
		b = cbor.AppendArray(append(b, 5), len(r.Review))
		for _, s := range r.Review {
			b = cbor.AppendUint(b, s)
		}
	}
	if r.Frozen > 0 {
		b = cbor.AppendUint(append(b, 6), r.Frozen)
	}
	return cose.Prepare(k, TypReceipt, b, nil), nil
}

func (r *Receipt) valid() error {
	if r.Org == "" || len(r.Org) > maxIssuer || r.At <= 0 || r.At > credential.MaxTime || len(r.Held) > maxHeld || len(r.Review) > MaxReview {
		return errors.New("visit: a receipt out of bounds")
	}
	last := uint64(0)
	for i, h := range r.Held {
		if h.First == 0 || h.Last < h.First || i > 0 && h.First <= last {
			return errors.New("visit: a receipt's runs are not in order")
		}
		last = h.Last
	}
	for i, s := range r.Review {
		if s == 0 || i > 0 && s <= r.Review[i-1] {
			return errors.New("visit: a receipt's records are not in order")
		}
	}
	return nil
}

// OpenReceipt reads a receipt and proves it by the key that find returns for its
// organisation: a listed pack key (trust.List.Find with trust.UsePack), or nil.
func OpenReceipt(raw []byte, find func(org string, kid []byte) *cose.Key) (Receipt, error) {
	if len(raw) > maxReceipt {
		return Receipt{}, fmt.Errorf("visit: a receipt of %d bytes", len(raw))
	}
	m, err := cose.ParseSign1(raw)
	if err != nil {
		return Receipt{}, fmt.Errorf("visit: receipt: %w", err)
	}
	// The organisation that the payload claims is a hint to find the key by.
	r, err := readReceipt(m.Payload)
	if err != nil {
		return Receipt{}, fmt.Errorf("visit: receipt: %w", err)
	}
	if _, _, err := cose.OpenTyped(raw, TypReceipt, func(kid []byte) *cose.Key { return find(r.Org, kid) }); err != nil {
		return Receipt{}, fmt.Errorf("visit: receipt: %w", err)
	}
	return r, nil
}

func readReceipt(payload []byte) (r Receipt, err error) {
	if err := cbor.CheckDeterministic(payload, receiptLimits); err != nil {
		return r, err
	}
	d := cbor.NewReader(payload)
	if d.Kind() != cbor.Map {
		return r, errors.New("not a map")
	}
	short := false
	for n := d.Map(); n > 0 && d.Err() == nil; n-- {
		switch d.Int() {
		case 1:
			r.Org = string(d.Text())
		case 2:
			kid := d.Bytes()
			short = short || len(kid) != len(r.Device)
			copy(r.Device[:], kid)
		case 3:
			r.At = credential.Time(d.Int())
		case 4:
			for m := d.Array(); m > 0 && d.Err() == nil; m-- {
				short = short || d.Array() != 3
				h := Held{First: d.Uint(), Last: d.Uint()}
				head := d.Bytes()
				short = short || len(head) != len(h.Head)
				copy(h.Head[:], head)
				r.Held = append(r.Held, h)
			}
		case 5:
			for m := d.Array(); m > 0 && d.Err() == nil; m-- {
				r.Review = append(r.Review, d.Uint())
			}
		case 6:
			r.Frozen = d.Uint()
		default:
			return r, errors.New("an unknown member: written by a newer version?")
		}
	}
	if err := d.Err(); err != nil {
		return r, err
	}
	if short {
		return r, errors.New("a member of another length")
	}
	return r, r.valid()
}

var receiptLimits = cbor.Limits{Depth: 8, Entries: MaxReview}

// Covers returns how far the office has the journal: every record up to that sequence
// may be forgotten. ErrCopied where the office holds another record than the journal.
func (r *Receipt) Covers(j *Journal) (uint64, error) {
	if j.key != nil && j.key.ID() != r.Device {
		return 0, fmt.Errorf("visit: the receipt is for device %x", r.Device)
	}
	next := uint64(1)
	for _, h := range r.Held {
		// Each record names the one before it, so the last one stands for the run.
		n := uint64(len(j.Hashes))
		if h.Last <= n && j.Hashes[h.Last-1] != h.Head {
			return 0, ErrCopied
		}
		if h.Last > n {
			return 0, fmt.Errorf("%w: it has %d, the journal ends with %d", ErrCopied, h.Last, n)
		}
		if h.First <= next {
			next = max(next, h.Last+1)
		}
	}
	return next - 1, nil
}
