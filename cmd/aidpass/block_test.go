package main

import (
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

// slipOf NAME TRUST.list CERT N writes NAME.slip: a referral that the phone of that name
// signed, under entry N of the block in its certificate.
func slipOf(ts *testscript.TestScript, neg bool, args []string) {
	private, r := scriptPhone(ts, args[0])
	list, err := trust.Open([]byte(ts.ReadFile(args[1])), trust.Anchors{})
	ts.Check(err)
	cert := []byte(ts.ReadFile(args[2]))
	c, _, reason := list.OpenDevice(cert)
	if c == nil || c.Block == nil {
		ts.Fatalf("certificate: %s, or without a block", reason)
	}
	n, err := strconv.ParseUint(args[3], 10, 32)
	ts.Check(err)
	referral := schemas.ByName("referral")
	plain, err := referral.EncodePlain(map[string]any{"case_code": "R-81K"})
	ts.Check(err)
	p, err := cwt.Prepare(r.Key, cwt.Draft{
		Issuer: c.Org, Type: referral.VCT, Pseudonym: cwt.Pseudonym([]byte("programme"), []byte("unit-1")), ID: [10]byte{1, 2, 3},
		IssuedAt: c.NotBefore, ExpiresAt: c.NotBefore + 20*day, StatusURI: c.Block.URI, StatusIndex: c.Block.First + n,
		Plain: plain, DeviceCertificate: cert,
	})
	ts.Check(err)
	signer, err := keystore.NewSigner(private)
	ts.Check(err)
	sig, err := cose.SignRaw(signer, p.ToBeSigned())
	ts.Check(err)
	raw, err := p.Attach(sig)
	ts.Check(err)
	text, err := cwt.Text(raw)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".slip"), []byte(text+"\n"), 0o600))
}
