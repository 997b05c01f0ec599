package cwt_test

import (
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
)

// What Payload takes, the strict reader opens: a card that was printed and that
// no scanner reads is worse than none.
func FuzzPayload(f *testing.F) {
	d := draft()
	sealed, err := cwt.SealPart(make([]byte, 32), d.Issuer, d.ID, d.Type, cbor.AppendMap(nil, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(d.Issuer, d.Type, d.StatusURI, d.StatusIndex, int64(d.IssuedAt), int64(0), int64(d.ExpiresAt), d.Plain, []byte(nil), []byte(nil))
	f.Add("https://a.example", "t", "", uint64(1)<<63, int64(1), int64(2), int64(3), []byte{0xa0}, sealed, []byte{1})
	f.Add("i", "t", "u", uint64(0), int64(5), int64(5), int64(253402300799), []byte{0xa1, 1, 0x81, 0x81, 0x81, 0x81, 0x81, 0x01}, []byte{0x80}, []byte{})
	f.Add("\xff", "t", "u", uint64(0), int64(5), int64(9), int64(8), []byte{0xbf, 0xff}, []byte{0xa0}, []byte(nil))
	f.Fuzz(func(t *testing.T, iss, vct, uri string, index uint64, iat, nbf, exp int64, plain, sealed, device []byte) {
		d := cwt.Draft{
			Issuer: iss, Type: vct, Pseudonym: draft().Pseudonym, StatusURI: uri, StatusIndex: index,
			IssuedAt: credential.Time(iat), NotBefore: credential.Time(nbf), ExpiresAt: credential.Time(exp),
			Plain: none(plain), Sealed: none(sealed), DeviceCertificate: none(device),
		}
		if _, err := cwt.Payload(d); err != nil {
			return
		}
		card, k := signed(t, d, true)
		if len(card) > cwt.MaxCardBytes {
			return
		}
		env, err := cwt.Parse(card)
		if err != nil {
			t.Fatalf("a card that was written cannot be parsed: %v", err)
		}
		open := cwt.OpenCard
		if d.DeviceCertificate != nil {
			open = cwt.OpenSlip
		}
		c, err := open(&env, k, nil)
		if err != nil {
			t.Fatalf("a card that was written does not open: %v", err)
		}
		if string(c.Issuer) != iss || string(c.Type) != vct || string(c.Plain) != string(plain) || c.ExpiresAt != d.ExpiresAt ||
			c.Status.Present != (uri != "") || c.Status.Present && c.Status.Index != index {
			t.Fatal("something else was read than written")
		}
	})
}

// none is nil for no bytes: a part that is not there.
func none(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}
