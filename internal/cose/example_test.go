package cose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"

	"aidpass/internal/cose"
)

// A card is signed in two steps, so that what will be signed can be recorded
// before a signature exists.
func ExamplePrepare() {
	signer, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, _ := cose.NewKey(signer.Public())

	p := cose.Prepare(key, "", []byte{0xa0}, nil)
	record := p.ToBeSigned() // store this first

	sig, _ := cose.SignRaw(signer, record) // here, in a token or in a browser
	card, err := p.Attach(sig)

	m, _ := cose.ParseSign1(card)
	fmt.Println(err, m.Strict(), m.Verify(key, nil, nil, true))
	// Output: <nil> <nil> <nil>
}

// Anchors sign the same list on different laptops; only different keys count.
func ExampleMulti_Count() {
	list := []byte("the trust list")
	var keys []*cose.Key
	p := cose.PrepareMulti("application/aidpass-trustlist+cose", list)
	for range 2 {
		signer, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		key, _ := cose.NewKey(signer.Public())
		sig, _ := cose.SignRaw(signer, p.ToBeSigned(key))
		if err := p.Add(key, sig); err != nil {
			fmt.Println(err)
		}
		keys = append(keys, key)
	}
	m, err := cose.ParseMulti(p.Append(nil), 5)
	fmt.Println(err, bytes.Equal(m.Payload, list), m.Count(keys), m.Count([]*cose.Key{keys[0], keys[0]}))
	// Output: <nil> true 2 1
}
