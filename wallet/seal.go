package wallet

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/trust"
)

// KeyBytes is the length of every key here: AES-256.
const KeyBytes = 32

// Iterations of PBKDF2-HMAC-SHA-256. A cheap phone needs a second or two for them.
const Iterations = 210_000

const (
	sealVersion = 1
	saltBytes   = 16
	backupWords = 8 // of 1024: 80 bits, before the iterations
)

// ErrKey: sealed bytes that do not open with this key, PIN or words, or that somebody
// changed. The three cannot be told apart.
var ErrKey = errors.New("wallet: this key does not open it")

// ErrSealed: bytes that are not sealed by this package.
var ErrSealed = errors.New("wallet: not a sealed wallet")

// What is sealed, so that one kind cannot be put in the place of another.
const (
	SealStore  = "aidpass-wallet-1"     // the wallet as it lies on the phone
	SealState  = "aidpass-issuing-1"    // an offer half taken up
	SealKeys   = "aidpass-wallet-key-1" // holder keys of the command line
	sealBackUp = "aidpass-wallet-backup-1"
)

// KeyFromPIN mixes a PIN with a secret of the device: neither opens anything without
// the other. device is 32 bytes that never leave the phone: what a key that cannot be
// exported made of salt (HMAC), or a WebAuthn PRF. salt is 16 random bytes kept
// beside the sealed wallet.
//
// A PIN has few values, so all of the strength against who has both wallet and
// phone lies in the phone's key and the iterations.
func KeyFromPIN(pin string, device, salt []byte) ([]byte, error) {
	if len(device) != KeyBytes || len(salt) != saltBytes || pin == "" {
		return nil, errors.New("wallet: a key needs a PIN, a device's secret of 32 bytes and a salt of 16")
	}
	slow, err := pbkdf2.Key(sha256.New, pin, salt, Iterations, KeyBytes)
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, append(slow, device...), salt, "aidpass-wallet-pin-1", KeyBytes)
}

// Seal encrypts plain under key, which is 32 bytes. kind is one of the Seal constants.
//
//	[1, kind, iv, AES-256-GCM(key, iv, plain, aad = [1, kind])]
func Seal(key []byte, kind string, plain []byte, random io.Reader) ([]byte, error) {
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	iv := make([]byte, gcm.NonceSize())
	if _, err := io.ReadFull(random, iv); err != nil {
		return nil, err
	}
	b := cbor.AppendText(cbor.AppendInt(cbor.AppendArray(nil, 4), sealVersion), kind)
	return cbor.AppendBytes(cbor.AppendBytes(b, iv), gcm.Seal(nil, iv, plain, aad(kind))), nil
}

// Unseal opens what Seal wrote. Errors are ErrSealed and ErrKey.
func Unseal(key []byte, kind string, sealed []byte) ([]byte, error) {
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) > MaxBytes+1024 || cbor.CheckDeterministic(sealed, cbor.Limits{Depth: 2, Entries: 4}) != nil {
		return nil, ErrSealed
	}
	r := cbor.NewReader(sealed)
	if r.Kind() != cbor.Array || r.Array() != 4 || r.Int() != sealVersion || string(r.Text()) != kind {
		return nil, ErrSealed
	}
	iv, box := r.Bytes(), r.Bytes()
	if !r.Done() || len(iv) != gcm.NonceSize() {
		return nil, ErrSealed
	}
	plain, err := gcm.Open(nil, iv, box, aad(kind))
	if err != nil {
		return nil, ErrKey
	}
	return plain, nil
}

func aad(kind string) []byte {
	return cbor.AppendText(cbor.AppendInt(cbor.AppendArray(nil, 2), sealVersion), kind)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	if len(key) != KeyBytes {
		return nil, errors.New("wallet: a key is 32 bytes")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// NewWords gives the eight words of a back-up, to be written on paper.
func NewWords(random io.Reader) (string, error) {
	var out []string
	for range 2 {
		b := make([]byte, 32)
		if _, err := io.ReadFull(random, b); err != nil {
			return "", err
		}
		out = append(out, strings.Fields(strings.ReplaceAll(trust.HashWords(b), "-", " "))[:backupWords/2]...)
	}
	return strings.Join(out, " "), nil
}

// wordsKey is the key of a back-up. How the words were typed does not matter: case,
// hyphens and spaces are evened out.
func wordsKey(words string, salt []byte) ([]byte, error) {
	even := strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(words, "-", " "))), " ")
	if even == "" {
		return nil, ErrKey
	}
	return pbkdf2.Key(sha256.New, even, salt, Iterations, KeyBytes)
}

// BackUp writes w into a file that opens with words, and says so in the log.
//
//	salt, then as Seal
func (w *Wallet) BackUp(words string, random io.Reader, at credential.Time) ([]byte, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, err
	}
	key, err := wordsKey(words, salt)
	if err != nil {
		return nil, err
	}
	w.note(Event{At: at, Kind: BackedUp})
	sealed, err := Seal(key, sealBackUp, w.Encode(), random)
	return append(salt, sealed...), err
}

// Restore opens a back-up. Cards on paper are as good as before. Keys are never in a
// back-up, since the phone cannot export them: a card that is bound to a key which
// have does not know (by Handle) comes back for reading only, and the desk issues it
// again; lost are their ids. have may be nil.
func Restore(file []byte, words string, have func(handle string) bool, at credential.Time) (w *Wallet, lost []string, err error) {
	if len(file) < saltBytes {
		return nil, nil, ErrSealed
	}
	key, err := wordsKey(words, file[:saltBytes])
	if err != nil {
		return nil, nil, err
	}
	plain, err := Unseal(key, sealBackUp, file[saltBytes:])
	if err != nil {
		return nil, nil, err
	}
	if w, err = Decode(plain); err != nil {
		return nil, nil, err
	}
	for _, c := range w.Cards {
		for _, k := range c.Copies {
			if k.Key != nil && (have == nil || !have(Handle(k.Key))) {
				c.ViewOnly = true
			}
		}
		if c.ViewOnly {
			lost = append(lost, c.ID)
		}
	}
	w.note(Event{At: at, Kind: Restored})
	return w, lost, nil
}

// Join takes over the cards and the log of another wallet, such as a restored one,
// except cards that are here already. Nothing of w is lost; where it is full, other
// is not taken at all (ErrFull).
func (w *Wallet) Join(other *Wallet) error {
	var more []*Card
	for _, c := range other.Cards {
		if w.Find(c.ID) == nil {
			more = append(more, c)
		}
	}
	if cards := slices.Concat(w.Cards, more); len(cards) > MaxCards || (&Wallet{Cards: cards}).size() > maxCardBytes {
		return ErrFull
	}
	w.Cards = append(w.Cards, more...)
	var log []Event
	for _, e := range other.Log {
		if !bytes.Contains(w.Encode(), (&Wallet{Log: []Event{e}}).Encode()[3:]) {
			log = append(log, e)
		}
	}
	own := w.Log
	w.Log = nil
	for len(log)+len(own) > 0 {
		if len(own) == 0 || len(log) > 0 && log[0].At <= own[0].At {
			w.note(log[0])
			log = log[1:]
		} else {
			w.note(own[0])
			own = own[1:]
		}
	}
	return nil
}
