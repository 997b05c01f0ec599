package resolve

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"time"

	"aidpass/internal/cose"
)

const maxCertificate = 8 << 10 // bytes

// ChainKey returns the key of the first certificate of an x5c header, if the chain
// leads to one of roots at that time and the certificate names the issuer.
//
// chain is DER, the signer's first. roots are handed in by whoever decides whom to
// trust: those of the operating system prove web servers, not issuers of aid. The
// root itself must not stand in the chain and the first certificate must not have
// signed itself (HAIP 1.0, 6.1.1). issuer is the https address that the credential
// names: it stands among the URIs of the certificate, or its host among the DNS
// names; "" where the credential names none, and then the name in the certificate
// is its issuer (draft-ietf-oauth-sd-jwt-vc 2.5). All faults are ErrChain.
func ChainKey(chain [][]byte, roots *x509.CertPool, issuer string, at time.Time) (*cose.Key, error) {
	refuse := func(why string) (*cose.Key, error) { return nil, fmt.Errorf("%w: %s", ErrChain, why) }
	if len(chain) == 0 || len(chain) > 8 || roots == nil {
		return refuse("no certificates, too many, or no roots to prove them by")
	}
	certificates := make([]*x509.Certificate, len(chain))
	between := x509.NewCertPool()
	for i, der := range chain {
		if len(der) > maxCertificate {
			return refuse("a certificate larger than 8 KiB")
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return refuse("a certificate that cannot be read")
		}
		if c.CheckSignatureFrom(c) == nil {
			return refuse("a certificate that signed itself: the root must not come along")
		}
		if certificates[i] = c; i > 0 {
			between.AddCert(c)
		}
	}
	leaf := certificates[0]
	switch {
	case leaf.IsCA:
		return refuse("the signer's certificate is an authority's")
	case leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return refuse("the signer's certificate is not for signing")
	case issuer != "" && !names(leaf, issuer):
		return refuse("the signer's certificate names another issuer")
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return refuse("it does not lead to a trusted root at this time")
	}
	k, err := cose.NewKey(leaf.PublicKey)
	if err != nil {
		return refuse("a kind of key that is not taken: use P-256 or Ed25519")
	}
	return k, nil
}

// names reports whether a certificate is of this issuer. The common name is not
// looked at (RFC 9525), and neither are wildcards.
func names(c *x509.Certificate, issuer string) bool {
	for _, u := range c.URIs {
		if u.String() == issuer {
			return true
		}
	}
	u, err := url.Parse(issuer)
	if err != nil || !isHTTPS(issuer) {
		return false
	}
	for _, name := range c.DNSNames {
		if name == u.Hostname() {
			return true
		}
	}
	return false
}
