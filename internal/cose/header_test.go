package cose

import (
	"bytes"
	"errors"
	"testing"

	"aidpass/internal/cbor"
)

// message puts a COSE_Sign1 together from encoded parts; sig is 64 zero bytes.
func message(protected, unprotected []byte) []byte {
	b := append([]byte{0xd2, 0x84}, bstr(protected)...)
	b = append(b, unprotected...)
	b = append(b, bstr([]byte("payload"))...)
	return append(b, bstr(make([]byte, 64))...)
}

// The rules of the headers, each broken once. nil means ParseSign1 takes it;
// strict is then what our own profile says.
func TestHeaders(t *testing.T) {
	kid := bytes.Repeat([]byte{7}, 8)
	good := coseKey(1, num(-7), 4, bstr(kid))
	empty := []byte{0xa0}
	long := bytes.Repeat([]byte{7}, 65)
	for name, c := range map[string]struct {
		b            []byte
		want, strict error
	}{
		"a card":                           {message(good, empty), nil, nil},
		"EdDSA":                            {message(coseKey(1, num(-8), 4, bstr(kid)), empty), nil, nil},
		"ESP256 is foreign":                {message(coseKey(1, num(-9), 4, bstr(kid)), empty), nil, ErrAlgNotAllowed},
		"Ed25519 is foreign":               {message(coseKey(1, num(-19), 4, bstr(kid)), empty), nil, ErrAlgNotAllowed},
		"no key id":                        {message(coseKey(1, num(-7)), empty), nil, ErrKeyIDMissing},
		"key id unprotected":               {message(coseKey(1, num(-7)), coseKey(4, bstr(kid))), nil, ErrUnprotected},
		"junk unprotected":                 {message(good, coseKey(99, bstr(kid))), nil, ErrUnprotected},
		"typ on a card":                    {message(coseKey(1, num(-7), 4, bstr(kid), 16, cbor.AppendText(nil, "x")), empty), nil, ErrType},
		"typ as a number":                  {message(coseKey(1, num(-7), 4, bstr(kid), 16, num(60)), empty), nil, ErrType},
		"content type":                     {message(coseKey(1, num(-7), 4, bstr(kid), 3, num(0)), empty), nil, ErrMalformed},
		"certificate chain":                {message(coseKey(1, num(-7), 4, bstr(kid), 33, bstr(kid)), empty), nil, ErrMalformed},
		"text label":                       {message(append([]byte{0xa3}, append(good[1:len(good):len(good)], 0x61, 'x', 0)...), empty), nil, ErrMalformed},
		"critical alg":                     {message(coseKey(1, num(-7), 2, []byte{0x81, 0x01}, 4, bstr(kid)), empty), nil, ErrMalformed},
		"non-minimal head":                 {message([]byte{0xa2, 0x18, 0x01, 0x26, 0x04, 0x41, 0x07}, empty), nil, cbor.ErrNonCanonical},
		"unsorted header":                  {message([]byte{0xa2, 0x04, 0x41, 0x07, 0x01, 0x26}, empty), nil, cbor.ErrNonCanonical},
		"tag 61 and 18":                    {append([]byte{0xd8, 0x3d}, message(good, empty)...), nil, ErrMalformed},
		"no tag":                           {message(good, empty)[1:], nil, ErrMalformed},
		"tag 18 in two bytes":              {append([]byte{0xd8, 0x12}, message(good, empty)[1:]...), nil, cbor.ErrNonCanonical},
		"tag 61 alone":                     {append([]byte{0xd8, 0x3d}, message(good, empty)[1:]...), ErrMalformed, nil},
		"tag 18 twice":                     {append([]byte{0xd2}, message(good, empty)...), ErrMalformed, nil},
		"tag 61 twice":                     {append([]byte{0xd8, 0x3d, 0xd8, 0x3d}, message(good, empty)...), ErrMalformed, nil},
		"tag 61 inside 18":                 {append([]byte{0xd2, 0xd8, 0x3d}, message(good, empty)[1:]...), ErrMalformed, nil},
		"tag 98":                           {append([]byte{0xd8, 0x62}, message(good, empty)[1:]...), ErrMalformed, nil},
		"tag 998":                          {append([]byte{0xd9, 0x03, 0xe6}, message(good, empty)[1:]...), ErrMalformed, nil},
		"a map":                            {[]byte{0xa0}, ErrMalformed, nil},
		"array of 3":                       {[]byte{0xd2, 0x83, 0x40, 0xa0, 0x40}, ErrMalformed, nil},
		"array of 5":                       {[]byte{0xd2, 0x85, 0x40, 0xa0, 0x40, 0x40, 0x40}, ErrMalformed, nil},
		"protected header a map":           {[]byte{0xd2, 0x84, 0xa1, 0x01, 0x26, 0xa0, 0x40, 0x40}, ErrMalformed, nil},
		"protected header holds an array":  {message([]byte{0x80}, empty), ErrMalformed, nil},
		"protected header holds junk":      {message([]byte{0xa1, 0x01}, empty), cbor.ErrTruncated, nil},
		"protected header and a byte more": {message(append(good[:len(good):len(good)], 0), empty), cbor.ErrTrailing, nil},
		"protected header twice the alg":   {message([]byte{0xa2, 0x01, 0x26, 0x18, 0x01, 0x27}, empty), cbor.ErrDuplicateKey, nil},
		"protected header indefinite":      {message([]byte{0xbf, 0x01, 0x26, 0xff}, empty), cbor.ErrNonCanonical, nil},
		"unprotected header no map":        {message(good, []byte{0x40}), ErrMalformed, nil},
		"payload nil":                      {[]byte{0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0xf6, 0x40}, ErrMalformed, nil},
		"payload a map":                    {[]byte{0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0xa0, 0x40}, ErrMalformed, nil},
		"payload in chunks":                {[]byte{0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0x5f, 0x41, 0x01, 0xff, 0x40}, cbor.ErrNonCanonical, nil},
		"array of indefinite length":       {[]byte{0xd2, 0x9f, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0x40, 0x40, 0xff}, cbor.ErrNonCanonical, nil},
		"signature a text":                 {[]byte{0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0x40, 0x60}, ErrMalformed, nil},
		"trailing byte":                    {append(message(good, empty), 0), cbor.ErrTrailing, nil},
		"cut short":                        {message(good, empty)[:20], cbor.ErrTruncated, nil},
		"byte string of 2^64-1":            {[]byte{0xd2, 0x84, 0x5b, 255, 255, 255, 255, 255, 255, 255, 255}, cbor.ErrMalformed, nil},
		"nothing":                          {nil, cbor.ErrMalformed, nil},
		"no algorithm":                     {message(empty, empty), ErrAlgMissing, nil},
		"no protected bytes":               {message(nil, empty), ErrAlgMissing, nil},
		"algorithm unprotected":            {message(coseKey(4, bstr(kid)), coseKey(1, num(-7))), ErrAlgMissing, nil},
		"algorithm in both":                {message(good, coseKey(1, num(-7))), ErrDuplicateHeader, nil},
		"key id in both, other bytes":      {message(good, coseKey(4, bstr(long[:8]))), ErrDuplicateHeader, nil},
		"key id in both, other encoding":   {message(good, []byte{0xa1, 0x18, 0x04, 0x41, 0x09}), ErrDuplicateHeader, nil},
		"text label in both":               {message([]byte{0xa2, 0x01, 0x26, 0x61, 'x', 0}, []byte{0xa1, 0x61, 'x', 1}), ErrDuplicateHeader, nil},
		"algorithm 0":                      {message(coseKey(1, num(0)), empty), ErrAlgNotAllowed, nil},
		"ES384":                            {message(coseKey(1, num(-35)), empty), ErrAlgNotAllowed, nil},
		"PS256":                            {message(coseKey(1, num(-37)), empty), ErrAlgNotAllowed, nil},
		"HMAC":                             {message(coseKey(1, num(5)), empty), ErrAlgNotAllowed, nil},
		"A128GCM signs nothing":            {message(coseKey(1, num(1)), empty), ErrAlgNotAllowed, nil},
		"algorithm as text":                {message(coseKey(1, cbor.AppendText(nil, "ES256")), empty), ErrAlgNotAllowed, nil},
		"algorithm as float":               {message(coseKey(1, cbor.AppendFloat(nil, -7)), empty), ErrMalformed, nil},
		"algorithm 2^64-1":                 {message([]byte{0xa1, 0x01, 0x1b, 255, 255, 255, 255, 255, 255, 255, 255}, empty), ErrMalformed, nil},
		"label as bytes":                   {message([]byte{0xa2, 0x01, 0x26, 0x41, 0x01, 0x00}, empty), ErrMalformed, nil},
		"key id as text":                   {message(coseKey(1, num(-7), 4, cbor.AppendText(nil, "A")), empty), ErrMalformed, nil},
		"key id empty":                     {message(coseKey(1, num(-7), 4, bstr(nil)), empty), ErrKeyIDMissing, nil},
		"key id of 65 bytes":               {message(coseKey(1, num(-7), 4, bstr(long)), empty), ErrKeyIDTooLong, nil},
		"key id of 64 bytes":               {message(coseKey(1, num(-7), 4, bstr(long[:64])), empty), nil, nil},
		"unprotected key id of 65 bytes":   {message(coseKey(1, num(-7)), coseKey(4, bstr(long))), ErrKeyIDTooLong, nil},
		"typ as bytes":                     {message(coseKey(1, num(-7), 16, bstr(kid)), empty), ErrMalformed, nil},
		"crit unknown":                     {message(coseKey(1, num(-7), 2, []byte{0x81, 0x18, 99}, 99, num(0)), empty), ErrCrit, nil},
		"crit unknown text":                {message([]byte{0xa3, 0x01, 0x26, 0x02, 0x81, 0x61, 'x', 0x61, 'x', 0}, empty), ErrCrit, nil},
		"crit names what is not there":     {message(coseKey(1, num(-7), 2, []byte{0x81, 0x04}), empty), ErrMalformed, nil},
		"crit empty":                       {message(coseKey(1, num(-7), 2, []byte{0x80}), empty), ErrMalformed, nil},
		"crit no array":                    {message(coseKey(1, num(-7), 2, num(1)), empty), ErrMalformed, nil},
		"crit holds bytes":                 {message(coseKey(1, num(-7), 2, []byte{0x81, 0x40}), empty), ErrMalformed, nil},
		"crit unprotected":                 {message(good, coseKey(2, []byte{0x81, 0x01})), ErrMalformed, nil},
		"nested nine deep":                 {message(good, []byte{0xa1, 0x18, 99, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x80}), cbor.ErrMalformed, nil},
	} {
		m, err := ParseSign1(c.b)
		if !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
			continue
		}
		if c.want == nil {
			if err := m.Strict(); !errors.Is(err, c.strict) || (c.strict == nil) != (err == nil) {
				t.Errorf("%s: strict: got %v, want %v", name, err, c.strict)
			}
		}
	}
}

func TestProtectedKeyIDWins(t *testing.T) {
	m, err := ParseSign1(message(coseKey(1, num(-7), 4, bstr([]byte("right"))), []byte{0xa0}))
	if err != nil || string(m.KeyID()) != "right" {
		t.Errorf("got %q, %v", m.KeyID(), err)
	}
	m, err = ParseSign1(message(coseKey(1, num(-7)), coseKey(4, bstr([]byte("hint")))))
	if err != nil || string(m.KeyID()) != "hint" {
		t.Errorf("got %q, %v", m.KeyID(), err)
	}
	if m.KeyID() == nil || m.Protected.HasKeyID {
		t.Error("an unprotected key id passed for a protected one")
	}
}

// Many labels in both buckets: the comparison stays small.
func TestManyHeaders(t *testing.T) {
	var a, b cbor.MapBuilder
	a.PutInt(1, num(-7))
	for i := range int64(250) {
		a.PutInt(1000+i, num(0))
		b.PutInt(2000+i, num(0))
	}
	pa, _ := a.Append(nil)
	pb, _ := b.Append(nil)
	if _, err := ParseSign1(message(pa, pb)); err != nil {
		t.Error(err)
	}
	b.PutInt(1249, num(0))
	pb, _ = b.Append(nil)
	if _, err := ParseSign1(message(pa, pb)); !errors.Is(err, ErrDuplicateHeader) {
		t.Errorf("got %v", err)
	}
}
