package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"aidpass/credential"
	"aidpass/internal/did"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/wallet"
	"aidpass/wallet/openid"
	"aidpass/web/resolve"
)

// A walletWay is a wallet's way out to issuers and to who asks.
type walletWay struct {
	say    func(format string, args ...any)
	said   string // the newest of it
	client *http.Client
	known  map[string]keyDocument // what the trust list says, by the address the web would say it at
}

// walletWay makes the way that the flags describe.
func (a *app) walletWay(f *walletFlags) (*walletWay, error) {
	w := &walletWay{say: a.say, client: a.web}
	c := resolve.Config{Development: f.development, Reach: map[string]string{}, Now: a.Now}
	for _, at := range f.at {
		host, address, ok := strings.Cut(at, "=")
		if _, err := netip.ParseAddrPort(address); !ok || err != nil || !did.IsHost(host) {
			return nil, usagef("--at %q", at).hint("HOST=ADDRESS:PORT, as --at relief-a.example=127.0.0.1:8443")
		}
		c.Reach[host] = address
	}
	var err error
	if f.ca != "" {
		if c.Roots, err = rootsWith(f.ca); err != nil {
			return nil, err
		}
	}
	if w.client == nil {
		w.client = resolve.New(c).HTTP()
	}
	client := *w.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.client = &client
	if f.trust != "" {
		w.known, err = a.listedKeys(f.trust)
	}
	return w, err
}

// rootsWith are the authorities of the operating system and those of a file, PEM or DER.
func rootsWith(path string) (*x509.CertPool, error) {
	raw, err := readFile(path, 1<<20)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without: the file alone counts
	}
	if block, _ := pem.Decode(raw); block != nil {
		if !roots.AppendCertsFromPEM(raw) {
			return nil, usagef("%s holds no certificate", path).hint("PEM with BEGIN CERTIFICATE, or DER as aidpass site-ca init writes it")
		}
		return roots, nil
	}
	ca, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, usagef("%s is no certificate: %w", path, err).hint("PEM, or DER as aidpass site-ca init writes it: DATA/site-ca/site-ca.crt")
	}
	roots.AddCert(ca)
	return roots, nil
}

// listedKeys are the key documents of all organisations on a trust list, which may be
// in a pack. Who gives the file says whom the wallet shall believe.
func (a *app) listedKeys(path string) (map[string]keyDocument, error) {
	raw, err := readFile(path, verifier.MaxPackBytes)
	if err != nil {
		return nil, err
	}
	list, err := trust.Open(raw, trust.Anchors{})
	if err != nil {
		pack, _, perr := verifier.OpenPack(raw, verifier.Floors{}, a.now())
		if perr != nil {
			return nil, usagef("%s: as a trust list: %w; as a pack: %w", path, err, perr).hint("a signed trust list, or a pack of a service point")
		}
		list = pack.Trust
	}
	if list.Expired(a.now()) {
		a.say("warning: %s should have been replaced on%s: keys withdrawn since are not known here", path, dayOf(list.NextUpdate))
	}
	known := map[string]keyDocument{}
	for _, o := range list.Organisations {
		for _, d := range keyDocumentsAt(o, a.now()) {
			known[d.address] = d
		}
	}
	return known, nil
}

// fetch sends one request of the protocols. What the trust list says is not asked for.
// No answer is a Response too.
func (w *walletWay) fetch(ctx context.Context, q *openid.Request) openid.Response {
	if d, ok := w.known[q.URL]; ok && q.Method == http.MethodGet {
		return openid.Response{Status: http.StatusOK, Type: d.mime, Body: d.body}
	}
	r, err := http.NewRequestWithContext(ctx, q.Method, q.URL, strings.NewReader(string(q.Body)))
	if err != nil {
		return openid.Response{}
	}
	r.Header.Set("Accept", q.Accept)
	if q.Type != "" {
		r.Header.Set("Content-Type", q.Type)
	}
	if q.Bearer != "" {
		r.Header.Set("Authorization", "Bearer "+q.Bearer)
	}
	var body []byte
	res, err := w.client.Do(r)
	if err == nil {
		defer res.Body.Close()
		body, err = io.ReadAll(io.LimitReader(res.Body, int64(q.Max)+1))
	}
	if err != nil {
		if text := w.unreached(r.URL, err); text != w.said { // a lost answer is asked for again
			w.say("%s", text)
			w.said = text
		}
		return openid.Response{}
	}
	return openid.Response{Status: res.StatusCode, Type: res.Header.Get("Content-Type"), Body: body}
}

// unreached says why no answer came, and how to mend it. The address itself may hold
// the offer's secret.
func (w *walletWay) unreached(at *url.URL, err error) string {
	if whole, ok := errors.AsType[*url.Error](err); ok {
		err = whole.Err
	}
	text := fmt.Sprintf("%s: %v", at.Host, err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, named := errors.AsType[x509.HostnameError](err)
	_, lookup := errors.AsType[*net.DNSError](err)
	switch {
	case unknown:
		text += "\naidpass: hint: --ca FILE takes the authority of its site, as DATA/site-ca/site-ca.crt"
	case named:
		text += "\naidpass: hint: does aidpass serve run with --base-url, and may its authority speak for that name (aidpass site-ca init --host " + at.Hostname() + ")?"
	case lookup || errors.Is(err, resolve.ErrUnreachable) || errors.Is(err, resolve.ErrAddress):
		text += fmt.Sprintf("\naidpass: hint: where no name leads to it: --at %s=ADDRESS:PORT; an issuer's keys come from --trust FILE too", at.Hostname())
	}
	return text
}

// lookUp proves what could not be proved when it came, asks for every status list that
// cards of p name, and judges the cards by those that their issuers signed. It returns whose lists could not be looked into.
func (w *walletWay) lookUp(ctx context.Context, p *purse, rules openid.Rules, at credential.Time) (failed map[string]bool) {
	failed = map[string]bool{}
	fetched := map[string]openid.Response{}
	get := func(url, accept string, most int) openid.Response {
		return w.fetch(ctx, &openid.Request{Method: http.MethodGet, URL: url, Accept: accept, Max: most})
	}
	keysOf := func(issuer, at string) openid.Response {
		have, ok := fetched[at]
		if !ok {
			have = get(at, "application/json", openid.MaxAnswer)
			if set := openid.SetOf(issuer, have.Body, rules); set != "" {
				have = get(set, "application/jwk-set+json", openid.MaxAnswer)
			}
			fetched[at] = have
		}
		return have
	}
	for _, u := range openid.Unproven(p.w, rules) {
		have := keysOf(u.Issuer, u.Keys)
		if have.Status != http.StatusOK {
			w.say("%s: not proved yet: its keys could not be fetched", u.Issuer)
		} else if _, err := openid.Prove(p.w, u.Issuer, have.Body); err != nil {
			w.say("%s: not proved: %v", u.Issuer, err)
		}
	}
	for _, l := range openid.Lists(p.w, rules) {
		have := keysOf(l.Issuer, l.Keys)
		list := get(l.URI, "application/statuslist+jwt", status.MaxJWT)
		if have.Status == 0 || list.Status == 0 {
			failed[l.Issuer] = true // said already
			continue
		}
		err := fmt.Errorf("answers %d and %d", have.Status, list.Status)
		if have.Status == http.StatusOK && list.Status == http.StatusOK {
			err = openid.LookUp(p.w, l.Issuer, l.URI, list.Body, have.Body, at)
		}
		if err != nil {
			failed[l.Issuer] = true
			w.say("the status list of %s: %v", l.Issuer, err)
		}
	}
	return failed
}

// looked says when a card's list was last looked into; "" for a card without one.
func looked(c *wallet.Card, failed bool) string {
	switch {
	case len(c.StatusLists()) == 0:
		return ""
	case failed && c.Checked == 0:
		return "  could not check"
	case failed:
		return "  could not check since" + minuteOf(c.Checked)
	case c.Checked == 0:
		return "  never checked"
	}
	return "  checked" + minuteOf(c.Checked)
}

func minuteOf(t credential.Time) string {
	return " " + time.Unix(int64(t), 0).UTC().Format("2006-01-02 15:04Z")
}
