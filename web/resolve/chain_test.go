package resolve_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/url"
	"testing"
	"time"

	"aidpass/internal/cose"
	"aidpass/web/resolve"
)

func newKey(t *testing.T) *cose.Key {
	s, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := cose.NewKey(&s.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// authority is somebody who certifies.
type authority struct {
	signer crypto.Signer
	cert   *x509.Certificate
}

var chainTime = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// certify makes a certificate under by, or one that signs itself.
func certify(t *testing.T, by *authority, change func(*x509.Certificate)) *authority {
	t.Helper()
	s, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "x " + serial.String()}, NotBefore: chainTime.AddDate(-1, 0, 0), NotAfter: chainTime.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true}
	change(c)
	parent, signer := c, crypto.Signer(s)
	if by != nil {
		parent, signer = by.cert, by.signer
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &s.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{s, made}
}

func TestChainKey(t *testing.T) {
	ca := func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }
	leafOf := func(c *x509.Certificate) {
		u, _ := url.Parse("https://relief-a.example/i1")
		c.URIs, c.DNSNames = []*url.URL{u}, []string{"wallet.relief-a.example"}
	}
	root, stranger := certify(t, nil, ca), certify(t, nil, ca)
	middle := certify(t, root, ca)
	leaf := certify(t, middle, leafOf)
	short := certify(t, middle, func(c *x509.Certificate) { leafOf(c); c.NotAfter = chainTime.AddDate(0, 0, -1) })
	sealing := certify(t, middle, func(c *x509.Certificate) { leafOf(c); c.KeyUsage = x509.KeyUsageKeyEncipherment })
	authorityLeaf := certify(t, middle, func(c *x509.Certificate) { leafOf(c); ca(c) })
	self := certify(t, nil, leafOf)
	under := certify(t, leaf, leafOf) // certified by one that may not
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	chain := func(a ...*authority) (out [][]byte) {
		for _, c := range a {
			out = append(out, c.cert.Raw)
		}
		return out
	}
	for name, c := range map[string]struct {
		chain  [][]byte
		issuer string
		ok     bool
	}{
		"by its URI":                {chain(leaf, middle), "https://relief-a.example/i1", true},
		"by its host":               {chain(leaf, middle), "https://wallet.relief-a.example/any", true},
		"the credential names none": {chain(leaf, middle), "", true},
		"another issuer":            {chain(leaf, middle), "https://relief-b.example/i1", false},
		"another path of the host":  {chain(leaf, middle), "https://relief-a.example/i2", false},
		"a DID":                     {chain(leaf, middle), "did:web:wallet.relief-a.example", false},
		"without the middle":        {chain(leaf), "", false},
		"the root comes along":      {chain(leaf, middle, root), "", false},
		"it signed itself":          {chain(self), "", false},
		"expired":                   {chain(short, middle), "", false},
		"not for signing":           {chain(sealing, middle), "", false},
		"an authority signs":        {chain(authorityLeaf, middle), "", false},
		"under one that may not":    {chain(under, leaf, middle), "", false},
		"of a stranger":             {chain(certify(t, stranger, leafOf)), "", false},
		"none":                      {nil, "", false},
		"no certificate":            {[][]byte{{0x30, 0}}, "", false},
		"too many":                  {chain(leaf, middle, middle, middle, middle, middle, middle, middle, middle), "", false},
	} {
		k, err := resolve.ChainKey(c.chain, roots, c.issuer, chainTime)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, resolve.ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
		if want, _ := cose.NewKey(leaf.signer.Public()); c.ok && k.Thumbprint() != want.Thumbprint() {
			t.Errorf("%s: another key", name)
		}
	}
	if _, err := resolve.ChainKey(chain(leaf, middle), nil, "", chainTime); !errors.Is(err, resolve.ErrChain) {
		t.Errorf("no roots: %v", err)
	}
}
