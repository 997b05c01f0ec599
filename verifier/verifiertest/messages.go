//go:build !js

package verifiertest

import (
	"bytes"
	"strings"

	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/status"
	"aidpass/words"
)

// messageCases: CBOR and COSE that are not what they should be.
func messageCases(w *World) []Case {
	kid := w.A.Card.KID()
	good := w.base()
	card := good.encode()
	head := func(h []byte) string { return w.with(func(m *message) { m.protected = h }) }
	item := func(b []byte) string { return w.with(func(m *message) { m.payload = b }) }
	nested := func(head byte, n int, end ...byte) []byte {
		return append(append(bytes.Repeat([]byte{head}, n), 0x01), end...)
	}
	textVal := func(s string) []byte { return cbor.AppendText(nil, s) }
	bytesVal := func(b []byte) []byte { return cbor.AppendBytes(nil, b) }
	// The usual payload with a head of one entry more, to put a pair in front or behind.
	more := func(pairs ...[]byte) []byte {
		b := bytes.Clone(good.payload)
		b[0] += byte(len(pairs))
		for _, p := range pairs {
			b = append(b, p...)
		}
		return b
	}
	chunks := append([]byte{0x5f}, cbor.AppendBytes(nil, good.payload[:10])...)
	chunks = append(append(chunks, cbor.AppendBytes(nil, good.payload[10:])...), 0xff)
	x5chain := pair(33, bytesVal(P256("attacker").Key.Append(nil)))
	attackerKid := P256("attacker").KID()

	return []Case{
		{Name: "cbor: an item after the message", Text: text(append(bytes.Clone(card), 0x01)), Want: words.TrailingData},
		{Name: "cbor: byte string of 2^64-1 bytes", Text: text([]byte{0xd2, 0x84, 0x5b, 255, 255, 255, 255, 255, 255, 255, 255}), Want: words.BadCBOR},
		{Name: "cbor: array of 2^40", Text: text([]byte{0xd2, 0x9b, 0, 0, 1, 0, 0, 0, 0, 0}), Want: words.BadCBOR},
		{Name: "cbor: 8,000 nested arrays", Text: text(nested(0x81, 8000)), Want: words.BadCBOR},
		{Name: "cbor: 4,000 nested indefinite arrays", Text: text(nested(0x9f, 4000, bytes.Repeat([]byte{0xff}, 4000)...)), Want: words.BadCBOR},
		{Name: "cbor: reserved additional info 28", Text: text([]byte{0xd2, 0x84, 0x1c}), Want: words.BadCBOR},
		{Name: "cbor: cut short", Text: text(card[:len(card)-1]), Want: words.BadCBOR},
		{Name: "cbor: a lone break", Text: text([]byte{0xff}), Want: words.BadCBOR},
		{Name: "cbor: a map, not an array", Text: text([]byte{0xa1, 0x01, 0x02}), Want: words.BadCOSE},
		{Name: "cbor: an array of five", Text: text(append([]byte{0xd2, 0x85}, append(bytes.Clone(card[2:]), 0x01)...)), Want: words.BadCOSE},
		{Name: "cbor: payload in indefinite chunks", Text: w.with(func(m *message) { m.rawPayload = chunks }), Want: words.NonCanonical},
		{Name: "cbor: head longer than needed", Text: text(append([]byte{0xd2, 0x98, 0x04}, card[2:]...)), Want: words.NonCanonical},
		{Name: "cbor: a claim twice", Text: item(more(pair(11, textVal("https://aidpass.example/reg")))), Want: words.DuplicateKey},
		{Name: "cbor: exp twice, once not minimal", Text: item(more(append([]byte{0x18, 0x04}, cbor.AppendUint(nil, 2000000000)...))), Want: words.DuplicateKey},
		{Name: "cbor: claims out of order", Text: item(more(pair(-5, []byte{1}))), Want: words.NonCanonical},
		{Name: "cbor: not UTF-8 in a text", Text: w.withClaims(map[int64][]byte{11: {0x62, 0xc3, 0x28}}), Want: words.BadCBOR},
		{Name: "cbor: payload is an array", Text: item([]byte{0x81, 0x01}), Want: words.BadClaims},
		{Name: "cbor: a byte after the claims", Text: item(append(bytes.Clone(good.payload), 0)), Want: words.TrailingData},
		{Name: "cbor: empty payload", Text: item([]byte{}), Want: words.BadCBOR},

		{Name: "cose: tag 98", Text: w.with(func(m *message) { m.tags = []uint64{98} }), Want: words.BadCOSE},
		{Name: "cose: tag 998", Text: w.with(func(m *message) { m.tags = []uint64{998} }), Want: words.BadCOSE},
		{Name: "cose: tag 18 twice", Text: w.with(func(m *message) { m.tags = []uint64{18, 18} }), Want: words.BadCOSE},
		{Name: "cose: tag 61 on an own card", Text: w.with(func(m *message) { m.tags = []uint64{61, 18} }), Want: words.BadCOSE},
		{Name: "cose: no tag on an own card", Text: w.with(func(m *message) { m.tags = []uint64{} }), Want: words.BadCOSE},
		{Name: "cose: alg only unprotected", Text: w.with(func(m *message) {
			m.protected, m.unprotected = header(nil, kid), header(es256, nil)
		}), Want: words.AlgMissing},
		{Name: "cose: no alg at all", Text: head(header(nil, kid)), Want: words.AlgMissing},
		{Name: "cose: alg 0", Text: head(header(cbor.AppendInt(nil, 0), kid)), Want: words.AlgNotAllowed},
		{Name: "cose: alg ES384", Text: head(header(cbor.AppendInt(nil, -35), kid)), Want: words.AlgNotAllowed},
		{Name: "cose: alg PS256", Text: head(header(cbor.AppendInt(nil, -37), kid)), Want: words.AlgNotAllowed},
		{Name: "cose: alg HMAC", Text: head(header(cbor.AppendInt(nil, 5), kid)), Want: words.AlgNotAllowed},
		{Name: "cose: alg ESP256 on an own card", Text: head(header(cbor.AppendInt(nil, -9), kid)), Want: words.AlgNotAllowed},
		{Name: "cose: alg EdDSA, key P-256", Text: w.with(func(m *message) {
			m.protected, m.signature = header(cbor.AppendInt(nil, -8), kid), make([]byte, 64)
		}), Want: words.AlgKeyMismatch},
		{Name: "cose: alg as text", Text: head(header(textVal("ES256"), kid)), Want: words.AlgNotAllowed},
		{Name: "cose: alg as float", Text: head(header(cbor.AppendFloat(nil, -7), kid)), Want: words.BadCOSE},
		{Name: "cose: kid in both headers, the protected one wrong", Text: w.with(func(m *message) {
			m.protected, m.unprotected = header(es256, attackerKid), header(nil, kid)
		}), Want: words.DuplicateHeader},
		{Name: "cose: kid only unprotected on an own card", Text: w.with(func(m *message) {
			m.protected, m.unprotected = header(es256, nil), header(nil, kid)
		}), Want: words.UnprotectedNotAllowed},
		{Name: "cose: kid empty", Text: head(header(es256, []byte{})), Want: words.KidMissing},
		{Name: "cose: no kid", Text: head(header(es256, nil)), Want: words.KidMissing},
		{Name: "cose: kid of SQL", Text: head(header(es256, []byte("' OR 1=1--"))), Want: words.UnknownKey},
		{Name: "cose: kid of 4 KiB", Text: head(header(es256, bytes.Repeat([]byte{7}, 4096))), Want: words.TooLarge},
		{Name: "cose: kid with a NUL behind", Text: head(header(es256, append(bytes.Clone(kid), 0))), Want: words.UnknownKey},
		{Name: "cose: kid of a path", Text: head(header(es256, []byte("../../dev/null"))), Want: words.UnknownKey},
		{Name: "cose: the attacker's key in the header", Text: w.with(func(m *message) {
			m.protected, m.signer = header(es256, attackerKid, x5chain), P256("attacker")
		}), Want: words.UnknownKey},
		{Name: "cose: a key address in the header", Text: w.with(func(m *message) {
			m.protected, m.signer = header(es256, attackerKid, pair(35, textVal("https://evil.example/key"))), P256("attacker")
		}), Want: words.UnknownKey},
		{Name: "cose: a certificate beside a known kid", Text: head(header(es256, kid, x5chain)), Want: words.BadCOSE},
		{Name: "cose: crit empty", Text: head(header(es256, kid, pair(2, []byte{0x80}))), Want: words.BadCOSE},
		{Name: "cose: crit of a label nobody knows", Text: head(header(es256, kid, pair(2, []byte{0x81, 0x18, 0x63}), pair(99, []byte{1}))), Want: words.CritNotUnderstood},
		{Name: "cose: a label in both headers", Text: w.with(func(m *message) { m.unprotected = header(es256, nil) }), Want: words.DuplicateHeader},
		{Name: "cose: junk unprotected", Text: w.with(func(m *message) { m.unprotected = append([]byte{0xa1}, pair(99, []byte{1})...) }), Want: words.UnprotectedNotAllowed},
		{Name: "cose: typ of another object of ours", Text: head(header(es256, kid, pair(16, textVal("application/aidpass-journal+cose")))), Want: words.WrongTyp},
		{Name: "cose: protected header is a map", Text: w.with(func(m *message) { m.rawHeader = header(es256, kid) }), Want: words.BadCOSE},
		{Name: "cose: unprotected header is an array", Text: w.with(func(m *message) { m.unprotected = []byte{0x80} }), Want: words.BadCOSE},
		{Name: "cose: payload detached", Text: w.with(func(m *message) { m.rawPayload = []byte{0xf6} }), Want: words.BadCOSE},
		{Name: "cose: a status list shown as a card", Text: text(w.StatusCWT(w.A, StatusOptions{Size: 4096, Edit: none})), Want: words.IssMissing},
	}
}

// claimCases: claims whose signature holds.
func claimCases(w *World) []Case {
	u := func(v uint64) []byte { return cbor.AppendUint(nil, v) }
	i := func(v int64) []byte { return cbor.AppendInt(nil, v) }
	t := func(s string) []byte { return cbor.AppendText(nil, s) }
	statusOf := func(idx []byte, uri string) []byte {
		b := cbor.AppendText(cbor.AppendMap(nil, 1), "status_list")
		b = append(cbor.AppendText(cbor.AppendMap(b, 2), "idx"), idx...)
		return cbor.AppendText(cbor.AppendText(b, "uri"), uri)
	}
	identity := func(pairs ...[]byte) []byte {
		b := cbor.AppendMap(nil, 1+len(pairs))
		b = cbor.AppendText(cbor.AppendInt(b, 1), pseudonym("unit-1"))
		for _, p := range pairs {
			b = append(b, p...)
		}
		return b
	}
	aid := func(plain []byte) []byte {
		return append(cbor.AppendInt(cbor.AppendMap(nil, 1), 1), plain...)
	}
	one := func(name string, label int64, value []byte, want words.Reason) Case {
		return Case{Name: "claims: " + name, Text: w.withClaims(map[int64][]byte{label: value}), Want: want}
	}
	return []Case{
		one("iss missing", 1, nil, words.IssMissing),
		one("iss empty", 1, t(""), words.IssMissing),
		one("iss of another organisation under this kid", 1, t(w.B.ID), words.IssuerKeyMismatch),
		one("iss with a Cyrillic letter", 1, t(strings.Replace(w.A.ID, "relief", "reliеf", 1)), words.IssuerKeyMismatch),
		one("exp missing", 4, nil, words.ExpMissing),
		one("exp undefined", 4, []byte{0xf7}, words.BadClaims),
		one("exp as text", 4, t("2099"), words.BadClaims),
		one("exp as float NaN", 4, []byte{0xf9, 0x7e, 0x00}, words.BadClaims),
		one("exp 2^64-1", 4, u(1<<64-1), words.BadClaims),
		one("exp in milliseconds", 4, u(uint64(Made+day)*1000), words.BadClaims),
		one("exp before iat", 4, u(uint64(Made-day)), words.BadClaims),
		one("exp negative", 4, i(-1), words.Expired),
		one("iat missing", 6, nil, words.BadClaims),
		one("nbf not later than iat", 5, u(uint64(Made)), words.BadClaims),
		one("cti missing", 7, nil, words.CTIMissing),
		one("cti of 9 bytes", 7, cbor.AppendBytes(nil, make([]byte, 9)), words.BadClaims),
		one("cnf without a key", 8, []byte{0xa0}, words.BadClaims),
		one("vct missing", 11, nil, words.BadClaims),
		one("vct as array", 11, []byte{0x81, 0x61, 0x61}, words.BadClaims),
		one("a claim of another profile", 3, t("somebody"), words.BadClaims),
		one("an encoded CBOR item as claim", 24, append([]byte{0xd8, 24}, cbor.AppendBytes(nil, []byte{0x80})...), words.BadClaims),
		one("169 missing", 169, nil, words.BadClaims),
		one("169 in a byte string", 169, cbor.AppendBytes(nil, identity()), words.BadClaims),
		one("169 with a full name", 169, identity(pair(4, t("Amina"))), words.BadClaims),
		one("a name of 4 KiB", 169, identity(pair(4, t(strings.Repeat("n", 4096)))), words.TooLarge),
		one("pseudonym too short", 169, cbor.AppendText(cbor.AppendInt(cbor.AppendMap(nil, 1), 1), "abc"), words.BadClaims),
		one("status index negative", 65535, statusOf(i(-1), w.A.StatusURI), words.BadClaims),
		one("status list without uri", 65535, append(cbor.AppendText(cbor.AppendMap(nil, 1), "status_list"), 0xa0), words.BadClaims),
		one("status missing", 65535, nil, words.StatusMissing),
		one("status uri of another issuer", 65535, statusOf(u(GoodIndex), w.B.StatusURI), words.StatusWrongIssuer),
		one("status uri of an inside address", 65535, statusOf(u(GoodIndex), "http://169.254.169.254/"), words.StatusWrongIssuer),
		one("aidpass map empty", -70001, []byte{0xa0}, words.BadClaims),
		one("plain claims of the wrong kind", -70001, aid(append(cbor.AppendMap(nil, 1), pair(1, u(5))...)), words.BadClaims),
		one("a plain claim that the type does not have", -70001, aid(append(cbor.AppendMap(nil, 1), pair(19, t("x"))...)), words.BadClaims),
		one("a device certificate on a card", -70001, func() []byte {
			return cbor.AppendBytes(cbor.AppendInt(cbor.AppendMap(nil, 1), 3), []byte{1})
		}(), words.BadClaims),
		{Name: "claims: a type nobody here knows", Text: w.Text(CardOptions{VCT: "https://a.example/t/new"}), Want: words.UnknownType},
		{Name: "claims: a type the issuer was not granted", Text: w.Text(CardOptions{Org: w.B, Type: "registration"}), Want: words.IssuerNotAuthorised, Known: true},
		{Name: "claims: a life longer than the type allows", Text: w.Text(CardOptions{Draft: func(d *cwt.Draft) { d.ExpiresAt = d.IssuedAt + 3000*day }}), Want: words.LifetimeTooLong},
	}
}

// foreignCard is an identity card of another system: liberal in every way.
func (w *World) foreignCard(edit func(*message), more map[int64][]byte) string {
	var m cbor.MapBuilder
	claims := map[int64][]byte{
		1: cbor.AppendText(nil, ForeignID),
		4: cbor.AppendUint(nil, uint64(Made+900*day)), 6: cbor.AppendUint(nil, uint64(Made)),
		169: append(cbor.AppendMap(nil, 2), append(pair(1, cbor.AppendText(nil, "3918592438")), pair(4, cbor.AppendText(nil, "Jan\u202enaJ Doe"))...)...),
	}
	for k, v := range more {
		claims[k] = v
	}
	for k, v := range claims {
		if v != nil {
			m.PutInt(k, v)
		}
	}
	msg := message{
		tags: []uint64{61, 18}, protected: header(es256, nil), unprotected: header(nil, []byte("ministry-1")),
		payload: must(m.Append(nil)), signer: w.Foreign,
	}
	if edit != nil {
		edit(&msg)
	}
	return text(msg.encode())
}

// none leaves a status register as it is.
func none(*status.Register) {}
