package witness

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aidpass/internal/cose"
)

// ErrNotEd25519: the notes of C2SP logs are signed with Ed25519 alone.
var ErrNotEd25519 = errors.New("witness: the key is not an Ed25519 key")

// Signature types of C2SP signed-note. They go into the id of a key, so that what
// is signed as a log is never taken for what is signed as a witness.
const (
	typeLog     = 0x01 // over the text
	typeWitness = 0x04 // over "cosignature/v1", a time and the text
)

// A Key is an organisation's audit key under its name in notes. With it the
// organisation signs its own log, and cosigns those of others.
type Key struct {
	Name   string // see Origin
	Public ed25519.PublicKey
}

// NewKey returns the audit key k of an organisation; org is its id.
func NewKey(org string, k *cose.Key) (Key, error) {
	name, err := Origin(org)
	if err != nil {
		return Key{}, err
	}
	public := k.Ed25519()
	if public == nil {
		return Key{}, ErrNotEd25519
	}
	return Key{name, public}, nil
}

// id is the key id in notes: SHA-256(name, line end, type, key), first four bytes.
func (k Key) id(kind byte) uint32 {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%c", k.Name, kind)
	h.Write(k.Public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func (k Key) text(kind byte) string {
	return fmt.Sprintf("%s+%08x+%s", k.Name, k.id(kind), base64.StdEncoding.EncodeToString(append([]byte{kind}, k.Public...)))
}

// LogText is the key as others configure a log: NAME+ID+BASE64.
func (k Key) LogText() string { return k.text(typeLog) }

// WitnessText is the key as others configure a witness.
func (k Key) WitnessText() string { return k.text(typeWitness) }

// ParseKey reads a key as LogText or WitnessText writes it.
func ParseKey(s string) (Key, error) {
	bad := errors.New("witness: not a key: it is written NAME+8 HEX DIGITS+BASE64")
	parts := strings.SplitN(s, "+", 3)
	if len(s) > 2*maxName || len(parts) != 3 || !goodName(parts[0]) {
		return Key{}, bad
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != typeLog && raw[0] != typeWitness {
		return Key{}, bad
	}
	k := Key{parts[0], ed25519.PublicKey(raw[1:])}
	if _, err := cose.NewKey(k.Public); err != nil {
		return Key{}, fmt.Errorf("witness: the key of %q: %w", k.Name, err)
	}
	if k.text(raw[0]) != s {
		return Key{}, fmt.Errorf("witness: the key of %q does not fit its id %q: it was copied wrongly", k.Name, parts[1])
	}
	return k, nil
}

// verifier checks one kind of a key's signatures, for package note.
type verifier struct {
	Key
	kind byte
}

func (v verifier) Name() string    { return v.Key.Name }
func (v verifier) KeyHash() uint32 { return v.id(v.kind) }

func (v verifier) Verify(text, sig []byte) bool {
	if v.kind == typeLog {
		return len(sig) == ed25519.SignatureSize && ed25519.Verify(v.Public, text, sig)
	}
	at, ok := cosignedAt(sig)
	return ok && ed25519.Verify(v.Public, cosigned(text, at), sig[8:])
}

// cosigned is the message of a cosignature. C2SP tlog-cosignature, Ed25519 signed message.
func cosigned(text []byte, at time.Time) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatInt(at.Unix(), 10)+"\n"), text...)
}

// cosignedAt is the time in a cosignature: eight bytes before the signature.
func cosignedAt(sig []byte) (time.Time, bool) {
	if len(sig) != 8+ed25519.SignatureSize || sig[0] > 0x7f {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(sig)), 0).UTC(), true
}

// signer signs as a log, or with a time as a witness, for package note.
type signer struct {
	verifier
	private crypto.Signer
	at      time.Time // of a witness
}

func (s signer) Sign(text []byte) ([]byte, error) {
	if s.kind == typeLog {
		return cose.SignRaw(s.private, text)
	}
	sig, err := cose.SignRaw(s.private, cosigned(text, s.at))
	return append(binary.BigEndian.AppendUint64(nil, uint64(s.at.Unix())), sig...), err
}

func newSigner(name string, private crypto.Signer, kind byte, at time.Time) (note.Signer, error) {
	public, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		return nil, ErrNotEd25519
	}
	return signer{verifier{Key{name, public}, kind}, private, at}, nil
}
