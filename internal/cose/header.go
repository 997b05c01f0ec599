package cose

import (
	"bytes"
	"fmt"

	"aidpass/internal/cbor"
)

// Header labels (RFC 9052 3.1, RFC 9596).
const (
	labelAlg  = 1
	labelCrit = 2
	labelKid  = 4
	labelTyp  = 16
)

// Header is what one bucket of a message says. Slices alias the message.
type Header struct {
	Alg      Alg    // 0, which no registry ever gives out, when alg is a text
	HasAlg   bool   //
	KeyID    []byte // 1 to MaxKeyID bytes when HasKeyID
	HasKeyID bool
	Type     []byte // the text of typ; nil when typ is absent or a number
	HasType  bool
	Len      int // entries
	Others   int // entries that are not alg, kid or typ

	crit []byte // the encoded array, nil when absent
}

// parseHeader reads raw, one encoded map that passed cbor.Check without
// indefinite lengths, into h.
func (h *Header) parse(raw []byte) error {
	r := cbor.NewReader(raw)
	if r.Kind() != cbor.Map {
		return malformed("a header is not a map")
	}
	h.Len = r.Map()
	for n := h.Len; n > 0; n-- {
		switch kind := r.Kind(); {
		case kind == cbor.Text:
			r.Skip()
			r.Skip()
			h.Others++
			continue
		case !isInt(kind):
			return malformed("a header label is neither number nor text")
		}
		if err := h.parseValue(r.Int(), &r); err != nil {
			return err
		}
	}
	if r.Err() != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, r.Err())
	}
	return nil
}

func (h *Header) parseValue(label int64, r *cbor.Reader) error {
	kind := r.Kind()
	switch label {
	case labelAlg:
		h.HasAlg = true
		switch {
		case isInt(kind):
			h.Alg = Alg(r.Int())
		case kind == cbor.Text:
			r.Skip()
		default:
			return malformed("alg is neither number nor text")
		}
	case labelKid:
		if kind != cbor.Bytes {
			return malformed("kid is not a byte string")
		}
		h.KeyID, h.HasKeyID = r.Bytes(), true
	case labelTyp:
		// RFC 9596 2: a media type, or the number of a CoAP content format.
		h.HasType = true
		switch kind {
		case cbor.Text:
			h.Type = r.Text()
		case cbor.Uint:
			r.Skip()
		default:
			return malformed("typ is neither text nor number")
		}
	case labelCrit:
		h.Others++
		if kind != cbor.Array {
			return malformed("crit is not an array")
		}
		h.crit = r.Raw()
	default:
		h.Others++
		r.Skip()
	}
	return nil
}

// checkBuckets applies the rules that hold for the two buckets of one layer:
// no label in both, everything critical understood, an algorithm we allow in
// the protected one, key ids of a sane length.
func checkBuckets(protectedRaw, unprotectedRaw []byte, protected, unprotected *Header) error {
	if protected.Len > 0 && unprotected.Len > 0 && shareLabel(protectedRaw, unprotectedRaw) {
		return ErrDuplicateHeader
	}
	// RFC 9052 3.1: crit is protected, not empty, and names labels that are there.
	if unprotected.crit != nil {
		return malformed("crit is not protected")
	}
	if protected.crit != nil {
		if err := checkCrit(protectedRaw, protected.crit); err != nil {
			return err
		}
	}
	switch {
	case !protected.HasAlg:
		return ErrAlgMissing
	case !protected.Alg.signs():
		return fmt.Errorf("%w: %d", ErrAlgNotAllowed, protected.Alg)
	}
	for _, h := range [2]*Header{protected, unprotected} {
		switch {
		case len(h.KeyID) > MaxKeyID:
			return ErrKeyIDTooLong
		case h.HasKeyID && len(h.KeyID) == 0:
			return ErrKeyIDMissing
		}
	}
	return nil
}

// shareLabel reports whether two header maps have a label in common. Both are
// small (cbor.DefaultLimits), so comparing all pairs costs less than an index.
func shareLabel(a, b []byte) bool {
	r := cbor.NewReader(a)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		label := r.Raw()
		r.Skip()
		if hasLabel(b, label) {
			return true
		}
	}
	return false
}

// hasLabel reports whether the header map raw has the encoded label. Labels
// are compared by value: 04 and 1804 are the same label.
func hasLabel(raw, label []byte) bool {
	l := cbor.NewReader(label)
	text := l.Kind() == cbor.Text
	var wantText []byte
	var wantInt int64
	if text {
		wantText = l.Text()
	} else {
		wantInt = l.Int()
	}
	r := cbor.NewReader(raw)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch isText := r.Kind() == cbor.Text; {
		case isText != text:
			r.Skip()
		case text && bytes.Equal(r.Text(), wantText):
			return true
		case !text && r.Int() == wantInt && r.Err() == nil:
			return true
		}
		r.Skip()
	}
	return false
}

func checkCrit(protectedRaw, crit []byte) error {
	r := cbor.NewReader(crit)
	n := r.Array()
	if n == 0 {
		return malformed("crit is empty")
	}
	for ; n > 0; n-- {
		kind := r.Kind()
		if kind != cbor.Text && !isInt(kind) {
			return malformed("crit holds something that is no label")
		}
		label := r.Raw()
		if !hasLabel(protectedRaw, label) {
			return malformed("crit names a header that is not there")
		}
		understood := false
		if l := cbor.NewReader(label); kind != cbor.Text {
			switch l.Int() {
			case labelAlg, labelCrit, labelKid, labelTyp:
				understood = true
			}
		}
		if !understood {
			return ErrCrit
		}
	}
	return nil
}
