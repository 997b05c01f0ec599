// Package resolve fetches what other parties publish and a server has to believe
// or at least read: issuers' keys (did:web, /.well-known/jwt-vc-issuer, chains of
// certificates), type metadata, status lists, issuer metadata, offers and requests
// by reference.
//
// Every address comes from strangers, so there is one guarded way out (Client):
// https alone, no proxy unless one is configured, and the address that is dialled
// is judged when it is dialled, after its name was looked up: nothing inside this
// machine, its network or a provider's own is ever reached, whatever a name says
// the first or the second time. Answers are bounded in size and time, must be of
// the type asked for, and must say that they are what was asked for.
//
// What a presented credential brings with it (jku, x5u, jwk, a did:web nobody
// listed) is never fetched.
package resolve

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"aidpass/internal/did"
)

// Faults a caller acts on. Their texts name a host at most: the rest of an
// address may be a secret of the holder's.
var (
	// ErrAddress: an address that must not be fetched.
	ErrAddress = errors.New("resolve: not an address that may be fetched")
	// ErrNotListed: a did:web that is not on the list of those this server reads.
	ErrNotListed = errors.New("resolve: a did:web that is not on this server's list")
	// ErrAnswer: an answer that is not what was asked for, or too large.
	ErrAnswer = errors.New("resolve: not the answer that was asked for")
	// ErrUnreachable: nobody answered in time. Worth another try.
	ErrUnreachable = errors.New("resolve: no answer")
	// ErrChain: certificates that do not lead to a trusted root, or name another.
	ErrChain = errors.New("resolve: a chain of certificates that proves nothing")
)

func answer(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrAnswer}, args...)...)
}

// Config of a Client. The zero Config is the strict one.
type Config struct {
	// WebDIDs are the did:web identifiers that may be resolved, letter by letter.
	WebDIDs []string
	// Roots prove https servers; nil: those of the operating system.
	Roots *x509.CertPool
	// Reach says where servers are that no name leads to: by host, the address and port
	// that are dialled in place of what its name would give, inner ones too. Whoever
	// answers there must prove the host's name all the same.
	Reach map[string]string
	// Now tells the time certificates are judged at; nil: time.Now.
	Now func() time.Time
	// Proxy is used for every request; nil: none, whatever the environment says.
	// The proxy then dials, so it must refuse inner addresses itself.
	Proxy *url.URL
	// Development lets addresses of this very machine through, by http too: for
	// tests and for a laptop that is its own server. Never for a public one.
	Development bool
	// Timeout of a whole fetch; 0: 10 seconds.
	Timeout time.Duration
}

// Client fetches. It is safe for concurrent use.
type Client struct {
	http      *http.Client
	webDIDs   map[string]bool
	dev       bool
	reach     map[string]string
	cache     cache
	resolver  resolver
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	timeLimit time.Duration
}

// resolver looks names up; *net.Resolver is one.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	maxRedirects  = 3
	maxHeader     = 16 << 10 // bytes
	defaultTime   = 10 * time.Second
	connectTime   = 5 * time.Second
	idleTime      = 30 * time.Second
	maxConnsAHost = 8
)

// New returns a Client of c.
func New(c Config) *Client {
	out := &Client{webDIDs: map[string]bool{}, dev: c.Development, reach: c.Reach, resolver: net.DefaultResolver, timeLimit: c.Timeout}
	for _, id := range c.WebDIDs {
		out.webDIDs[id] = true
	}
	if out.timeLimit <= 0 {
		out.timeLimit = defaultTime
	}
	dialer := &net.Dialer{Timeout: connectTime, Control: out.control}
	out.dial = dialer.DialContext
	transport := &http.Transport{
		DialContext: out.dialChecked, TLSClientConfig: &tls.Config{RootCAs: c.Roots, Time: c.Now, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true, TLSHandshakeTimeout: connectTime, ResponseHeaderTimeout: out.timeLimit, IdleConnTimeout: idleTime,
		MaxResponseHeaderBytes: maxHeader, MaxConnsPerHost: maxConnsAHost,
	}
	if c.Proxy != nil {
		transport.Proxy = http.ProxyURL(c.Proxy)
		// The proxy is the operator's own and may well be an inner address; it is
		// dialled by its name, and names of others never are.
		own := &net.Dialer{Timeout: connectTime}
		transport.DialContext = own.DialContext
	}
	out.http = &http.Client{Transport: guarded{out, transport}, Timeout: out.timeLimit, CheckRedirect: sameOrigin}
	return out
}

// HTTP returns the guarded client itself, for protocols that post: tokens, nonces,
// answers to a verifier. Every request through it is held to the same rules; the
// caller bounds what it reads of an answer.
func (c *Client) HTTP() *http.Client { return c.http }

// guarded refuses a request before anything is looked up, redirected ones too.
type guarded struct {
	c    *Client
	next *http.Transport
}

// CloseIdleConnections lets the http.Client close what it keeps open.
func (g guarded) CloseIdleConnections() { g.next.CloseIdleConnections() }

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.c.checkURL(r.URL); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	return g.next.RoundTrip(r)
}

// sameOrigin follows a redirect within one server and nowhere else: whoever was
// asked must answer.
func sameOrigin(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		return answer("%s redirects to another server", first.Hostname())
	}
	if len(via) > maxRedirects {
		return answer("%s redirects without end", first.Hostname())
	}
	return nil
}

// checkURL refuses addresses by their text: what is left is https and a name.
func (c *Client) checkURL(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.User != nil || u.Opaque != "" || u.Fragment != "":
		return fmt.Errorf("%w: it holds a user, a fragment or no server", ErrAddress)
	case c.dev && isSelf(host) && (u.Scheme == "https" || u.Scheme == "http"):
		return nil
	case u.Scheme != "https":
		return fmt.Errorf("%w: only https", ErrAddress)
	case !did.IsHost(host):
		return fmt.Errorf("%w: a server is named in lower case, not by number", ErrAddress)
	}
	return nil
}

// isSelf reports whether host is this machine, by its usual name or number.
func isSelf(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// dialChecked looks a name up, judges every address, and dials the very ones it
// judged: a name that answers differently the second time is never asked twice.
func (c *Client) dialChecked(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: no port", ErrAddress)
	}
	if at, ok := c.reach[host]; ok {
		conn, err := (&net.Dialer{Timeout: connectTime}).DialContext(ctx, network, at)
		if err != nil {
			return nil, fmt.Errorf("%w: %s cannot be reached at %s", ErrUnreachable, host, at)
		}
		return conn, nil
	}
	var found []netip.Addr
	if a, err := netip.ParseAddr(host); err == nil {
		found = []netip.Addr{a} // development only: checkURL lets no number through otherwise
	} else if found, err = c.resolver.LookupNetIP(ctx, "ip", host); err != nil || len(found) == 0 {
		return nil, fmt.Errorf("%w: %s has no address", ErrUnreachable, host)
	}
	for i, a := range found {
		if found[i] = fromResolver(a); !c.mayDial(found[i]) {
			return nil, fmt.Errorf("%w: %s leads to an inner address", ErrAddress, host)
		}
	}
	for _, a := range found {
		var conn net.Conn
		if conn, err = c.dial(ctx, "tcp", net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	if errors.Is(err, ErrAddress) {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %s cannot be reached", ErrUnreachable, host)
}

// control looks once more, at the socket itself, just before it connects.
func (c *Client) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !c.mayDial(at.Addr()) {
		return fmt.Errorf("%w: an inner address", ErrAddress)
	}
	return nil
}

// mayDial reports whether an address is out on the internet.
func (c *Client) mayDial(a netip.Addr) bool {
	return public(a) || c.dev && a.Unmap().IsLoopback()
}

// fromResolver undoes the form in which the standard library hands out IPv4,
// ::ffff:a.b.c.d: what is judged and dialled is a.b.c.d.
func fromResolver(a netip.Addr) netip.Addr {
	if a.Is4In6() {
		return a.Unmap()
	}
	return a
}

// nat64 holds IPv4 addresses as networks without IPv4 reach them (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// inner are networks that are nobody's server on the internet, beyond those that
// netip tells by itself. IANA special-purpose registries, RFC 6890.
var inner = func() (out []netip.Prefix) {
	for s := range strings.FieldsSeq(`0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4
		2001::/23 2001:db8::/32 2002::/16 3fff::/20`) {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

// public reports whether a is a global unicast address that is not inside this
// machine, a private network, a provider's own (CGNAT), a tunnel or a document.
// IPv4 dressed as IPv6 is judged as what it stands for, or refused.
func public(a netip.Addr) bool {
	if nat64.Contains(a) {
		b := a.As16()
		return public(netip.AddrFrom4([4]byte(b[12:])))
	}
	if a.Is4In6() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	if a.Is6() && a.As16()[0]>>5 != 1 { // 2000::/3 is all that is given out
		return false
	}
	for _, p := range inner {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
