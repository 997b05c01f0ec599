// Package enrol holds what a new device and its organisation say to each other:
// the device's request (its key and name), the answer sealed to that key, and the
// frames that carry either as a row of QR codes.
//
// It proves nothing by itself: people compare the words of the key, a certificate
// is checked by package trust and a pack by package verifier.
// docs/formats/enrol.md draws the bytes.
package enrol

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"aidpass/internal/base45"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
)

// Limits.
const (
	MaxRequestBytes = 256
	MaxAnswerBytes  = 66 << 20 // a pack of 64 MiB, a certificate and the box
	MaxName         = 64       // bytes
)

// What the messages call themselves, and how their QR texts begin.
const (
	requestLabel  = "aidpass-device-key-1"
	answerLabel   = "aidpass-enrol-1"
	requestPrefix = "APK1:"
)

// Faults of messages from outside.
var (
	ErrRequest = errors.New("enrol: not a device's request")
	ErrAnswer  = errors.New("enrol: not an answer to this device")
)

// Request is what a device shows of itself.
type Request struct {
	Key  *cose.Key // P-256
	Name string    // what people call the device; never a person's name
}

// check refuses what Parse would not take.
func (r *Request) check() error {
	switch {
	case r.Key == nil || r.Key.Alg() != cose.ES256:
		return fmt.Errorf("%w: a device key is a P-256 key", ErrRequest)
	case r.Name == "" || len(r.Name) > MaxName || !utf8.ValidString(r.Name) || strings.TrimSpace(r.Name) != r.Name:
		return fmt.Errorf("%w: a name has 1 to %d bytes and no blanks around it", ErrRequest, MaxName)
	}
	for _, c := range r.Name {
		// Direction marks and joiners would let two names look alike on the laptop.
		if !unicode.IsPrint(c) {
			return fmt.Errorf("%w: the name holds a character that is not printed", ErrRequest)
		}
	}
	return nil
}

// Encode returns the message. A request that Parse would not take is ErrRequest.
func (r Request) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	b := cbor.AppendText(append(cbor.AppendMap(nil, 3), 1), requestLabel)
	b = r.Key.Append(append(b, 2))
	return cbor.AppendText(append(b, 3), r.Name), nil
}

// Text returns the message as the text of a QR code.
func (r Request) Text() (string, error) {
	b, err := r.Encode()
	if err != nil {
		return "", err
	}
	return requestPrefix + base45.Encode(b), nil
}

// Words are the six words of a key, for people to compare: what stands on the
// phone and on the laptop is the same, or the key is another phone's.
func Words(k *cose.Key) string {
	t := k.Thumbprint()
	return trust.HashWords(t[:])
}

// IsRequestText reports whether text is a device's request, by its beginning.
func IsRequestText(text string) bool { return strings.HasPrefix(text, requestPrefix) }

// ParseRequest reads a request, as the message itself or as the text of a QR code.
// Everything else is ErrRequest.
func ParseRequest(b []byte) (Request, error) {
	if text, ok := bytes.CutPrefix(b, []byte(requestPrefix)); ok {
		text = bytes.TrimRight(text, "\r\n") // of a file; a blank is a digit of Base45
		if len(text) > base45.EncodedLen(MaxRequestBytes) {
			return Request{}, fmt.Errorf("%w: longer than %d bytes", ErrRequest, MaxRequestBytes)
		}
		raw, err := base45.AppendDecode(nil, string(text))
		if err != nil {
			return Request{}, fmt.Errorf("%w: %w", ErrRequest, err)
		}
		b = raw
	}
	if len(b) > MaxRequestBytes {
		return Request{}, fmt.Errorf("%w: longer than %d bytes", ErrRequest, MaxRequestBytes)
	}
	if err := cbor.CheckDeterministic(b, cbor.Limits{Depth: 3, Entries: 8}); err != nil {
		return Request{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	in := cbor.NewReader(b)
	if in.Map() != 3 || in.Uint() != 1 || string(in.Text()) != requestLabel || in.Uint() != 2 {
		return Request{}, fmt.Errorf("%w: not its members", ErrRequest)
	}
	key, err := cose.ParseKey(in.Raw())
	if err != nil {
		return Request{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if in.Uint() != 3 {
		return Request{}, fmt.Errorf("%w: not its members", ErrRequest)
	}
	r := Request{Key: key, Name: string(in.Text())}
	if !in.Done() {
		return Request{}, fmt.Errorf("%w: not its members", ErrRequest)
	}
	if err := r.check(); err != nil {
		return Request{}, err
	}
	// A key may name its kid and alg; ours do not, so that a request has one form.
	if again, err := r.Encode(); err != nil || !bytes.Equal(again, b) {
		return Request{}, fmt.Errorf("%w: the key has more members than it needs", ErrRequest)
	}
	return r, nil
}

// Answer is what a device gets.
type Answer struct {
	Certificate []byte // a device certificate (package trust), not yet checked
	Pack        []byte // a pack (package verifier), not yet checked; empty: it comes by another way
}

// IsAnswer reports whether b begins as an answer does.
func IsAnswer(b []byte) bool {
	head := cbor.AppendText(cbor.AppendArray(nil, 3), answerLabel)
	return bytes.HasPrefix(b, head)
}

// answerInfo binds a box to its purpose and its device.
func answerInfo(kid []byte) []byte {
	return cbor.AppendBytes(cbor.AppendText(cbor.AppendArray(nil, 2), answerLabel), kid)
}

// Open returns the answer in b if it was sealed to the device. kid is the id of the
// device's key. What is not an answer, is another device's, or was altered is
// ErrAnswer. Certificate and pack are the caller's to check.
func Open(device cose.Recipient, kid [8]byte, b []byte) (Answer, error) {
	if len(b) > MaxAnswerBytes || !IsAnswer(b) {
		return Answer{}, ErrAnswer
	}
	if err := cbor.CheckDeterministic(b, cbor.Limits{Depth: 2, Entries: 3}); err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	in := cbor.NewReader(b)
	in.Array()
	in.Text()
	to, box := in.Bytes(), in.Bytes()
	if !in.Done() {
		return Answer{}, fmt.Errorf("%w: not its members", ErrAnswer)
	}
	if !bytes.Equal(to, kid[:]) {
		return Answer{}, fmt.Errorf("%w: it is for device %x", ErrAnswer, to)
	}
	plain, err := cose.OpenWith(device, answerInfo(to), box)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if err := cbor.CheckDeterministic(plain, cbor.Limits{Depth: 2, Entries: 2}); err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	in = cbor.NewReader(plain)
	n := in.Array()
	a := Answer{Certificate: in.Bytes(), Pack: in.Bytes()}
	if n != 2 || !in.Done() {
		return Answer{}, fmt.Errorf("%w: not its members", ErrAnswer)
	}
	return a, nil
}
