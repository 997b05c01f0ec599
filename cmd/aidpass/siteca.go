package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"
)

// A site's own certificate authority: phones open the camera and keep an app only
// on a page they trust, and no public authority signs for a laptop in a tent. Its
// certificate is installed on each phone once. So that it is no danger to the
// phone's other business, it is constrained to private addresses and to the names
// given when it was made (RFC 5280 4.2.1.10), and its key is sealed by the
// passphrase of the organisation's keys.

const (
	siteCAPath  = "/site-ca.crt" // where the server hands the certificate out
	siteCALife  = 3 * 365 * 24 * time.Hour
	siteCrtLife = 90 * 24 * time.Hour // phones refuse more than 825 days, some 398
	backdated   = 24 * time.Hour      // a phone's clock may be behind
)

// localNames are domains that nobody can own in the internet.
var localNames = []string{"localhost", "local", "internal", "lan", "home.arpa"}

// privateRanges are the networks that addresses of phones and laptops are from.
var privateRanges = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"}

func (a *app) siteCACommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "site-ca",
		Short: "A certificate authority of the site's own, for https to phones",
		Long: `A certificate authority of the site's own, for https to phones.

A phone gives camera and storage only to pages that came by trusted https, and no
public authority signs for the address of a laptop. So the site has a small
authority of its own; its certificate is installed on each phone once, before
travelling. It counts for private addresses and the names given here alone, so
that it can speak for no other page the phone's owner visits.

aidpass serve takes a fresh certificate from it at each start, and whenever the
laptop gets another address.`,
		Example: `  aidpass site-ca init
  aidpass serve --programme K7Q2
  aidpass site-ca issue --host scan.local --out scan`,
	}
	cmd.AddCommand(a.siteCAInitCommand(), a.siteCAShowCommand(), a.siteCAIssueCommand())
	return cmd
}

func (a *app) siteCADir(dir string) string {
	if dir == "" {
		return filepath.Join(a.Data, "site-ca")
	}
	return dir
}

func (a *app) siteCAInitCommand() *cobra.Command {
	var dir, name string
	var hosts []string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the site's authority: a certificate for phones and a sealed key",
		Example: `  aidpass site-ca init
  aidpass site-ca init --name "Relief A, Garissa" --host scan.relief-a.example`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir := a.siteCADir(dir)
			ca, err := a.makeSiteCA(dir, name, hosts)
			if err != nil {
				return err
			}
			result := map[string]any{"certificate": filepath.Join(dir, "site-ca.crt"), "sha256": siteCAPrint(ca), "until": ca.NotAfter.UTC().Format(time.RFC3339)}
			return a.print(result, func(w io.Writer) {
				fmt.Fprintf(w, "%s  for every phone of the site; it ends %s\n", result["certificate"], ca.NotAfter.UTC().Format(time.DateOnly))
				fmt.Fprintf(w, "its SHA-256 fingerprint, to compare in the phone's settings:\n%s\n", siteCAPrint(ca))
				fmt.Fprintln(w, "next: aidpass serve, and open the page it names: it tells how phones take it")
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "folder to make it in (default: DATA/site-ca)")
	f.StringVar(&name, "name", "Aid site", "what phones call it")
	f.StringArrayVar(&hosts, "host", nil, "name that it may sign for, besides names that end in .local and the like; repeat")
	return cmd
}

func (a *app) siteCAShowCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the authority's fingerprint, to compare with what a phone has installed",
		Long: `Show the authority's fingerprint, to compare with what a phone has installed.

On Android: Settings, search for "trusted credentials", User. On an iPhone: Settings,
General, VPN & Device Management, the profile, More Details.`,
		Example: `  aidpass site-ca show`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := filepath.Join(a.siteCADir(dir), "site-ca.crt")
			der, err := readFile(path, maxSecretFile)
			if err != nil {
				return err
			}
			ca, err := x509.ParseCertificate(der)
			if err != nil {
				return usagef("%s: %w", path, err).hint("aidpass site-ca init --dir ANOTHER makes another authority")
			}
			until := ca.NotAfter.UTC()
			return a.print(map[string]any{"certificate": path, "sha256": siteCAPrint(ca), "until": until.Format(time.RFC3339)}, func(w io.Writer) {
				fmt.Fprintf(w, "%s, until %s, SHA-256:\n%s\n", path, until.Format(time.DateOnly), siteCAPrint(ca))
			})
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder of the authority (default: DATA/site-ca)")
	return cmd
}

func (a *app) siteCAIssueCommand() *cobra.Command {
	var dir, out string
	var hosts []string
	cmd := &cobra.Command{
		Use:   "issue --host NAME --out NAME",
		Short: "Make a certificate for another server of the site",
		Long: `Make a certificate for another server of the site: NAME.pem and NAME-key.pem,
for 90 days. aidpass serve on this laptop needs none: it makes its own.`,
		Example: `  aidpass site-ca issue --host scan.local --host 192.168.8.1 --out scan
  aidpass serve --tls-cert scan.pem --tls-key scan-key.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(hosts) == 0 || out == "" {
				return usagef("--host and --out are needed").hint("aidpass site-ca issue --help shows an example")
			}
			for _, end := range []string{".pem", "-key.pem"} {
				if err := mustNotExist(out + end); err != nil {
					return err
				}
			}
			ca, err := a.openSiteCA(dir)
			if err != nil {
				return err
			}
			var names []string
			var addresses []netip.Addr
			for _, h := range hosts {
				if ip, err := netip.ParseAddr(h); err == nil {
					addresses = append(addresses, ip)
				} else {
					names = append(names, h)
				}
			}
			c, err := ca.issue(a.Now(), names, nil, addresses)
			if err != nil {
				return err
			}
			key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
			if err != nil {
				return err
			}
			chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
			if err := writeNew(out+"-key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
				return err
			}
			if err := writeNew(out+".pem", chain, 0o644); err != nil {
				return err
			}
			until := c.Leaf.NotAfter.UTC()
			return a.print(map[string]any{"certificate": out + ".pem", "key": out + "-key.pem", "until": until.Format(time.RFC3339)}, func(w io.Writer) {
				fmt.Fprintf(w, "%s.pem, %s-key.pem  until %s\n", out, out, until.Format(time.DateOnly))
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "folder of the authority (default: DATA/site-ca)")
	f.StringArrayVar(&hosts, "host", nil, "name or address of the server; repeat")
	f.StringVar(&out, "out", "", "name of the two files, without their endings")
	return cmd
}

// siteCA is the authority with its key.
type siteCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// siteCAPrint is the certificate's SHA-256 as phones show it in their settings. A
// page cannot vouch for it: it comes by the connection that the certificate is for.
func siteCAPrint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// makeSiteCA makes the authority's two files in dir.
func (a *app) makeSiteCA(dir, name string, hosts []string) (*x509.Certificate, error) {
	crt, sealed := filepath.Join(dir, "site-ca.crt"), filepath.Join(dir, "site-ca.key")
	for _, path := range []string{crt, sealed} {
		if err := mustNotExist(path); err != nil {
			return nil, err
		}
	}
	pass, err := a.passphrase("the keys of this organisation", false)()
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(siteCALife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: append(slices.Clone(localNames), hosts...),
		// No mail and no other kind of name at all.
		PermittedEmailAddresses: []string{"invalid.invalid"}, PermittedURIDomains: []string{"invalid.invalid"},
	}
	for _, r := range privateRanges {
		_, network, err := net.ParseCIDR(r)
		if err != nil {
			return nil, err
		}
		t.PermittedIPRanges = append(t.PermittedIPRanges, network)
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, usagef("%w", err).hint("--host takes names as scan.relief-a.example")
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	box, err := a.sealSiteKey(private, pass)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// The key first: a certificate without one would be installed for nothing.
	if err := writeNew(sealed, box, 0o600); err != nil {
		return nil, err
	}
	if err := writeNew(crt, der, 0o644); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func (a *app) sealSiteKey(private, pass []byte) ([]byte, error) {
	r, err := age.NewScryptRecipient(string(pass))
	if err != nil {
		return nil, err
	}
	if n := a.workFactor(); n > 0 {
		r.SetWorkFactor(n)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, r)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(private); err != nil {
		return nil, err
	}
	err = w.Close() // writes what is left
	return b.Bytes(), err
}

// openSiteCA reads the authority of a folder; fs.ErrNotExist where there is none.
func (a *app) openSiteCA(dir string) (*siteCA, error) {
	dir = a.siteCADir(dir)
	der, err := readFile(filepath.Join(dir, "site-ca.crt"), maxSecretFile)
	if err != nil {
		return nil, err
	}
	damaged := func(err error) (*siteCA, error) {
		return nil, usagef("%s: %w", dir, err).hint("make the authority anew (aidpass site-ca init --dir ANOTHER) and install it on the phones again")
	}
	ca := &siteCA{}
	if ca.cert, err = x509.ParseCertificate(der); err != nil {
		return damaged(err)
	}
	box, err := readFile(filepath.Join(dir, "site-ca.key"), maxSecretFile)
	if err != nil {
		return nil, err
	}
	pass, err := a.passphrase("the keys of this organisation", false)()
	if err != nil {
		return nil, err
	}
	id, err := age.NewScryptIdentity(string(pass))
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(box), id)
	if err != nil {
		return damaged(fmt.Errorf("its key does not open with this passphrase: %w", err))
	}
	private, err := io.ReadAll(io.LimitReader(r, maxSecretFile))
	if err != nil {
		return damaged(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return damaged(err)
	}
	var ok bool
	if ca.key, ok = key.(*ecdsa.PrivateKey); !ok || !ca.key.PublicKey.Equal(ca.cert.PublicKey) {
		return damaged(errors.New("key and certificate are not of one authority"))
	}
	return ca, nil
}

// issue makes a server's certificate. A name or address that the authority may not
// sign for is an error; own names of the laptop, which nobody asked for, are left
// out then.
func (ca *siteCA) issue(now time.Time, asked, own []string, addresses []netip.Addr) (tls.Certificate, error) {
	if now.After(ca.cert.NotAfter) {
		return tls.Certificate{}, usagef("the site's authority ended %s", ca.cert.NotAfter.UTC().Format(time.DateOnly)).
			hint("make it anew (aidpass site-ca init --dir ANOTHER) and install it on the phones")
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "aidpass"},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(siteCrtLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if t.NotAfter.After(ca.cert.NotAfter) {
		t.NotAfter = ca.cert.NotAfter
	}
	for _, n := range asked {
		t.DNSNames = append(t.DNSNames, strings.ToLower(n))
	}
	for _, n := range own {
		if ca.maySign(n) && !slices.Contains(t.DNSNames, n) {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	for _, ip := range addresses {
		t.IPAddresses = append(t.IPAddresses, ip.AsSlice())
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, err
	}
	// As a phone will: a name or address outside the authority's constraints fails here.
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now}); err != nil {
		return tls.Certificate{}, usagef("no phone would take this certificate: %w", err).
			hint("the site's authority signs for private addresses, names ending in .local, and those of site-ca init --host")
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// maySign reports whether a name is inside the authority's constraints. The
// laptop's own name often is not: then phones use its address.
func (ca *siteCA) maySign(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(ca.cert.PermittedDNSDomains, func(d string) bool {
		return name == d || strings.HasSuffix(name, "."+strings.TrimPrefix(d, "."))
	})
}

// serial is a random serial number of 120 bits (RFC 5280 4.1.2.2 allows 160).
func serial() *big.Int {
	var b [15]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	b[0] |= 1
	return new(big.Int).SetBytes(b[:])
}
