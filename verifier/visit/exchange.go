package visit

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/verifier"
)

// An exchange file carries records from one table to another of the same site, by
// stick or by frames. It is sealed to the site, and says neither whose it is nor how
// much it holds: docs/formats/exchange.md.

const (
	exchangeLabel = "aidpass-exchange-1"
	exchangeSalt  = 16

	// SiteKeyBytes is the length of a site key (verifier.Unlocked.SiteKeys).
	SiteKeyBytes = verifier.SiteKeyBytes

	minExchange = 1024 // smallest class of padding
)

// MaxExchangeBytes bounds an exchange file: the largest journal, padded, and what is around it.
const MaxExchangeBytes = 3*MaxJournalBytes/2 + 1024

// Faults of exchange files.
var (
	ErrExchange     = errors.New("visit: not an exchange file")
	ErrExchangeKeys = errors.New("visit: this device's keys do not open the exchange file")
)

var exchangePrefix = append([]byte{0x83, 0x60 | byte(len(exchangeLabel))}, exchangeLabel...)

// IsExchange reports whether a file is an exchange file, by its beginning.
func IsExchange(file []byte) bool { return bytes.HasPrefix(file, exchangePrefix) }

// SealExchange seals records for the tables of a site. key is the newest site key of
// the unlocked pack, org and site are the pack's. records is a journal or any part of
// it. random is read for the salt.
func SealExchange(key []byte, org, site string, records []byte, random io.Reader) ([]byte, error) {
	if len(records) > MaxJournalBytes {
		return nil, fmt.Errorf("visit: a journal of %d bytes, at most %d", len(records), MaxJournalBytes)
	}
	var salt [exchangeSalt]byte
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return nil, fmt.Errorf("visit: reading randomness: %w", err)
	}
	plain := cbor.AppendBytes(nil, records)
	plain = append(plain, make([]byte, paddedSize(len(plain))-len(plain))...)
	k, iv, aad, err := exchangeKey(key, salt[:], org, site)
	if err != nil {
		return nil, err
	}
	box, err := cose.Seal(k, iv, plain, aad)
	if err != nil {
		return nil, fmt.Errorf("visit: %w", err)
	}
	return cbor.AppendBytes(cbor.AppendBytes(bytes.Clone(exchangePrefix), salt[:]), box), nil
}

// OpenExchange returns the records of an exchange file, which prove themselves one by
// one (Open). keys are all site keys of the unlocked pack.
//
// ErrExchange: not such a file. ErrExchangeKeys: another site's, another organisation's
// or another epoch's, or it was changed.
func OpenExchange(keys [][]byte, org, site string, file []byte) ([]byte, error) {
	if !IsExchange(file) || len(file) > MaxExchangeBytes {
		return nil, ErrExchange
	}
	if err := cbor.CheckDeterministic(file, cbor.DefaultLimits); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExchange, err)
	}
	r := cbor.NewReader(file)
	r.Array()
	r.Text()
	salt, box := r.Bytes(), r.Bytes()
	if r.Err() != nil || len(salt) != exchangeSalt {
		return nil, ErrExchange
	}
	for _, key := range keys {
		k, iv, aad, err := exchangeKey(key, salt, org, site)
		if err != nil {
			return nil, err
		}
		plain, err := cose.OpenSealed(box, k, iv, aad)
		if err != nil {
			continue
		}
		return unpad(plain)
	}
	return nil, ErrExchangeKeys
}

// exchangeKey derives key, iv and external_aad of one file.
func exchangeKey(site, salt []byte, org, name string) (key, iv, aad []byte, err error) {
	if len(site) != SiteKeyBytes {
		return nil, nil, nil, fmt.Errorf("visit: a site key of %d bytes", len(site))
	}
	aad = cbor.AppendText(cbor.AppendArray(nil, 3), exchangeLabel)
	aad = cbor.AppendText(cbor.AppendText(aad, org), name)
	b, err := hkdf.Key(sha256.New, site, salt, string(aad), cose.SealKeySize+cose.SealIVSize)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("visit: derive: %w", err)
	}
	return b[:cose.SealKeySize], b[cose.SealKeySize:], aad, nil
}

// unpad returns the records before the padding, which is zeros up to the class.
func unpad(plain []byte) ([]byte, error) {
	n, form, err := cbor.Scan(plain, cbor.DefaultLimits)
	if err != nil || form != 0 || len(plain) != paddedSize(n) || len(bytes.Trim(plain[n:], "\x00")) != 0 {
		return nil, fmt.Errorf("%w: not padded as they are", ErrExchange)
	}
	r := cbor.NewReader(plain[:n])
	if r.Kind() != cbor.Bytes {
		return nil, ErrExchange
	}
	records := r.Bytes()
	if len(records) > MaxJournalBytes {
		return nil, ErrExchange
	}
	return records, nil
}

// paddedSize is the class of n bytes: 1, 1.5, 2, 3, 4, 6, 8 ... KiB. Half of a file at
// most is padding, and its length tells a journal's within a third.
func paddedSize(n int) int {
	for size := minExchange; ; size *= 2 {
		if n <= size {
			return size
		}
		if n <= size/2*3 {
			return size / 2 * 3
		}
	}
}
