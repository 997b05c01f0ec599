//go:build !js

package verifiertest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/binary"
	"hash/adler32"
	"math/big"
	"strings"

	"aidpass/credential/cwt"
	"aidpass/internal/base45"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

func pseudonym(unit string) string { return cwt.Pseudonym([]byte("programme"), []byte(unit)) }

// zip is a zlib stream by the standard library, whatever it holds.
func zip(b []byte) []byte {
	var out bytes.Buffer
	z := must(zlib.NewWriterLevel(&out, zlib.BestCompression))
	must(z.Write(b))
	check(z.Close())
	return out.Bytes()
}

// text frames bytes as a card.
func text(b []byte) string { return base45.Encode(zip(b)) }

// message builds a COSE_Sign1 by hand: protected and unprotected are encoded
// items, alg is what the signature is made with.
type message struct {
	tags        []uint64 // default 18
	protected   []byte   // content of the byte string
	rawHeader   []byte   // instead of the protected byte string
	unprotected []byte   // default a0
	payload     []byte
	rawPayload  []byte // instead of the payload byte string
	aad         []byte
	signer      Signer
	signature   []byte // instead of a good one
	edit        func(sig []byte) []byte
}

func (m message) encode() []byte {
	if m.tags == nil {
		m.tags = []uint64{18}
	}
	if m.unprotected == nil {
		m.unprotected = []byte{0xa0}
	}
	tbs := cbor.AppendText(cbor.AppendArray(nil, 4), "Signature1")
	tbs = cbor.AppendBytes(cbor.AppendBytes(cbor.AppendBytes(tbs, m.protected), m.aad), m.payload)
	sig := m.signature
	if sig == nil {
		sig = must(cose.SignRaw(m.signer, tbs))
	}
	if m.edit != nil {
		sig = m.edit(sig)
	}
	var b []byte
	for _, t := range m.tags {
		b = cbor.AppendTag(b, t)
	}
	b = cbor.AppendArray(b, 4)
	if m.rawHeader != nil {
		b = append(b, m.rawHeader...)
	} else {
		b = cbor.AppendBytes(b, m.protected)
	}
	b = append(b, m.unprotected...)
	if m.rawPayload != nil {
		b = append(b, m.rawPayload...)
	} else {
		b = cbor.AppendBytes(b, m.payload)
	}
	return cbor.AppendBytes(b, sig)
}

// header is the protected header {1: alg, 4: kid} and further encoded pairs.
func header(alg, kid []byte, more ...[]byte) []byte {
	n := len(more)
	if alg != nil {
		n++
	}
	if kid != nil {
		n++
	}
	b := cbor.AppendMap(nil, n)
	if alg != nil {
		b = append(cbor.AppendInt(b, 1), alg...)
	}
	// Labels below 4 go before the kid.
	for _, m := range more {
		if m[0] < 4 {
			b = append(b, m...)
		}
	}
	if kid != nil {
		b = cbor.AppendBytes(cbor.AppendInt(b, 4), kid)
	}
	for _, m := range more {
		if m[0] >= 4 {
			b = append(b, m...)
		}
	}
	return b
}

var es256 = cbor.AppendInt(nil, -7)

func pair(label int64, value []byte) []byte { return append(cbor.AppendInt(nil, label), value...) }

// base is the usual card as a message to be changed.
func (w *World) base() message {
	raw := w.Card(CardOptions{})
	m := must(cose.ParseSign1(raw))
	return message{protected: bytes.Clone(m.ProtectedRaw), payload: bytes.Clone(m.Payload), signer: w.A.Card}
}

func (w *World) with(edit func(*message)) string {
	m := w.base()
	edit(&m)
	return text(m.encode())
}

// claims re-encodes the usual payload with some claims changed; a nil value
// takes the claim away. Encoded label order is kept by MapBuilder.
func (w *World) claims(changes map[int64][]byte) []byte {
	var out cbor.MapBuilder
	r := cbor.NewReader(w.base().payload)
	for n := r.Map(); n > 0; n-- {
		label, value := r.Int(), r.Raw()
		if v, ok := changes[label]; ok {
			if v != nil {
				out.PutInt(label, v)
			}
			delete(changes, label)
			continue
		}
		out.PutInt(label, value)
	}
	for label, v := range changes {
		if v != nil {
			out.PutInt(label, v)
		}
	}
	return must(out.Append(nil))
}

func (w *World) withClaims(changes map[int64][]byte) string {
	return w.with(func(m *message) { m.payload = w.claims(changes) })
}

// textCases: what can be wrong before there is a message.
func textCases(w *World) []Case {
	good := w.Text(CardOptions{})
	packed := must(base45.AppendDecode(nil, good))
	enc := func(b []byte) string { return base45.Encode(b) }
	broken := func(edit func(b []byte) []byte) string { return enc(edit(bytes.Clone(packed))) }
	var gz bytes.Buffer
	g := gzip.NewWriter(&gz)
	must(g.Write(w.Card(CardOptions{})))
	check(g.Close())
	half := good[:len(good)/6*3]
	fdict := []byte{0x78, 0xbb, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1}
	return []Case{
		{Name: "empty string", Text: "", Want: words.Empty},
		{Name: "a web address", Text: "https://example.org/card?id=1", Want: words.UnknownFormat},
		{Name: "words", Text: "HELLO WORLD", Want: words.UnknownFormat},
		{Name: "a wifi code", Text: "WIFI:S:camp;T:WPA;P:secret;;", Want: words.UnknownFormat},
		{Name: "a JSON token", Text: "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln", Want: words.WrongTyp},
		{Name: "a card without compression", Text: enc(w.Card(CardOptions{})), Want: words.UnsupportedVersion},
		{Name: "base45 in lower case", Text: strings.ToLower(good), Want: words.BadBase45},
		{Name: "base45 triple 65536", Text: good[:30] + "GGW" + good[33:], Want: words.BadBase45},
		{Name: "base45 pair 256", Text: good[:len(good)/3*3] + "V5", Want: words.BadBase45},
		{Name: "base45 with a newline inside", Text: good[:40] + "\n" + good[40:], Want: words.BadBase45},
		{Name: "base45 with full-width digits", Text: good[:40] + "１２３" + good[43:], Want: words.BadBase45},
		{Name: "base45 with an exclamation mark", Text: good[:40] + "!" + good[41:], Want: words.BadBase45},
		{Name: "base45 with a NUL", Text: good[:40] + "\x00" + good[41:], Want: words.BadBase45},
		{Name: "the first half of a card", Text: half, Want: words.Truncated},
		{Name: "all but the last bytes", Text: enc(packed[:len(packed)-2]), Want: words.Truncated},
		{Name: "zlib checksum wrong", Text: broken(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }), Want: words.BadZlib},
		{Name: "zlib method not deflate", Text: broken(func(b []byte) []byte { return append([]byte{0x79, 0x18}, b[2:]...) }), Want: words.BadZlib},
		{Name: "zlib with a preset dictionary", Text: enc(fdict), Want: words.BadZlib},
		{Name: "gzip instead of zlib", Text: enc(gz.Bytes()), Want: words.BadZlib},
		{Name: "bytes after the zlib stream", Text: enc(append(bytes.Clone(packed), 0)), Want: words.TrailingData},
		{Name: "two zlib streams", Text: enc(append(bytes.Clone(packed), packed...)), Want: words.TrailingData},
		{Name: "a zlib bomb of a mebibyte", Text: enc(zip(make([]byte, 1<<20))), Want: words.TooLarge},
		{Name: "a zlib bomb that claims to go on", Text: enc(endlessZeros()), Want: words.TooLarge},
		{Name: "longer than any QR code", Text: strings.Repeat(good, 12), Want: words.TooLarge},
		{Name: "stored blocks only", Text: enc(stored(w.Card(CardOptions{}))), Want: words.OK},
	}
}

// stored is a complete zlib stream other writers may make.
func stored(b []byte) []byte {
	out := []byte{0x78, 0x01, 1, byte(len(b)), byte(len(b) >> 8), ^byte(len(b)), ^byte(len(b) >> 8)}
	out = append(out, b...)
	return binary.BigEndian.AppendUint32(out, adler32.Checksum(b))
}

func endlessZeros() []byte {
	var out bytes.Buffer
	out.Write([]byte{0x78, 0xda})
	f := must(flate.NewWriter(&out, 9))
	must(f.Write(make([]byte, 600_000)))
	check(f.Flush())
	return out.Bytes()
}

// signatureCases: shapes and values of signatures.
func signatureCases(w *World) []Case {
	n := elliptic.P256().Params().N
	half := func(r, s *big.Int) []byte {
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	}
	split := func(sig []byte) (*big.Int, *big.Int) {
		return new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	}
	zero := new(big.Int)
	sigCase := func(name string, edit func([]byte) []byte) Case {
		return Case{Name: "signature: " + name, Text: w.with(func(m *message) { m.edit = edit }), Want: words.BadSignature}
	}
	attacker := P256("attacker")
	ed := func(edit func(sig []byte) []byte) string {
		raw := w.Card(CardOptions{Key: &w.A.EdCard})
		m := must(cose.ParseSign1(raw))
		return text(message{protected: bytes.Clone(m.ProtectedRaw), payload: bytes.Clone(m.Payload), signer: w.A.EdCard, edit: edit}.encode())
	}
	identity := make([]byte, 64)
	identity[0] = 1
	return []Case{
		sigCase("one bit flipped", func(s []byte) []byte { s[17] ^= 1; return s }),
		sigCase("r = 0", func(s []byte) []byte { _, y := split(s); return half(zero, y) }),
		sigCase("s = 0", func(s []byte) []byte { x, _ := split(s); return half(x, zero) }),
		sigCase("r = n", func(s []byte) []byte { _, y := split(s); return half(n, y) }),
		sigCase("r = n, s = n", func(s []byte) []byte { return half(n, n) }),
		sigCase("all ff", func(s []byte) []byte { return bytes.Repeat([]byte{0xff}, 64) }),
		sigCase("all zero", func(s []byte) []byte { return make([]byte, 64) }),
		sigCase("the high-s twin", func(s []byte) []byte { x, y := split(s); return half(x, y.Sub(n, y)) }),
		sigCase("63 bytes", func(s []byte) []byte { return s[:63] }),
		sigCase("65 bytes", func(s []byte) []byte { return append([]byte{0}, s...) }),
		sigCase("128 bytes", func(s []byte) []byte { return append(s, s...) }),
		sigCase("none", func(s []byte) []byte { return nil }),
		sigCase("DER", func([]byte) []byte {
			return must(ecdsa.SignASN1(rnd{}, w.A.Card.Signer.(*ecdsa.PrivateKey), make([]byte, 32)))
		}),
		{Name: "signature: by another key under this kid", Text: w.with(func(m *message) { m.signer = attacker }), Want: words.BadSignature},
		{Name: "signature: over another external aad", Text: w.with(func(m *message) { m.aad = []byte("x") }), Want: words.BadSignature},
		{Name: "signature: Ed25519 R = identity, S = 0", Text: ed(func([]byte) []byte { return identity }), Want: words.BadSignature},
		{Name: "signature: Ed25519 one bit flipped", Text: ed(func(s []byte) []byte { s[40] ^= 4; return s }), Want: words.BadSignature},
		{Name: "payload changed after signing", Text: w.with(func(m *message) {
			m.signature = must(cose.SignRaw(m.signer, []byte("something else")))
		}), Want: words.BadSignature},
	}
}

type rnd struct{}

func (rnd) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i*7 + 3)
	}
	return len(b), nil
}
