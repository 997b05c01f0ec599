package main

import (
	"crypto/tls"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/web/api"
)

// listen opens the listeners; the caller closes those that were opened, also after
// an error.
func (s *serving) listen() error {
	if s.f.http != "" {
		host, _, err := net.SplitHostPort(s.f.http)
		if ip, perr := netip.ParseAddr(host); err != nil || host != "localhost" && (perr != nil || !ip.IsLoopback()) {
			return usagef("--http %q is not on this machine alone", s.f.http).hint("without TLS only localhost is served: --http localhost:8080; --listen is for everybody else")
		}
	}
	if s.f.listen != "" {
		if err := s.listenTLS(); err != nil {
			return err
		}
	}
	if s.f.http != "" {
		l, err := net.Listen("tcp", loopback(s.f.http))
		if err != nil {
			return usagef("--http: %w", err).hint("does another program use the port? --http localhost:8081")
		}
		if at, ok := l.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
			l.Close()
			return usagef("--http %q leads to %s, which is not this machine alone", s.f.http, l.Addr()).hint("--http 127.0.0.1:8080")
		}
		s.listeners = append(s.listeners, l)
		s.local = "http://localhost:" + port(l)
	}
	if len(s.listeners) == 0 {
		return usagef("nothing to listen on").hint("--listen :8443 with a certificate (aidpass site-ca init), or --http localhost:8080")
	}
	return nil
}

// loopback spells localhost as what it always means (RFC 6761 6.3): a machine's list
// of hosts may lack it, or say something else.
func loopback(address string) string {
	if p, ok := strings.CutPrefix(address, "localhost:"); ok {
		return net.JoinHostPort("127.0.0.1", p)
	}
	return address
}

func port(l net.Listener) string {
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

// listenTLS opens the https listener, where there is a certificate.
func (s *serving) listenTLS() error {
	names, _ := s.own()
	s.hosts = append(slices.Clone(s.f.hosts), names...)
	switch {
	case (s.f.tlsCert == "") != (s.f.tlsKey == ""):
		return usagef("--tls-cert and --tls-key go together").hint("without them: aidpass site-ca init")
	case s.f.tlsCert != "":
		certificate, err := tls.LoadX509KeyPair(s.f.tlsCert, s.f.tlsKey)
		if err != nil {
			return usagef("%w", err).hint("--tls-cert and --tls-key are a PEM chain and the PEM key of its first certificate")
		}
		s.hosts = append(s.hosts, certificate.Leaf.DNSNames...)
		s.certificate.Store(&certificate)
	default:
		ca, err := s.a.openSiteCA(s.f.siteCA)
		if notThere(err) && s.f.siteCA == "" {
			s.a.say("no https: phones reach the scanner through a USB cable only")
			s.a.say("hint: aidpass site-ca init makes a certificate authority for this place, or name --tls-cert and --tls-key")
			return nil
		}
		if err != nil {
			return err
		}
		s.issuer, s.ca = ca, ca.cert
	}
	plain, err := net.Listen("tcp", s.f.listen)
	if err != nil {
		return usagef("--listen: %w", err).hint("does another program use the port? --listen :8444")
	}
	s.listeners = append(s.listeners, tls.NewListener(plain, &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.certificate.Load(), nil }}))
	s.port = port(plain)
	if _, err := s.follow(); err != nil {
		return err
	}
	for i, h := range s.hosts {
		s.hosts[i] = strings.ToLower(h)
	}
	return nil
}

// follow gives the server the addresses that this machine has now, and a certificate
// for them, which the site's authority issues again when half its life is over. It
// reports whether anything is new.
func (s *serving) follow() (bool, error) {
	names, addresses := s.own()
	var https []string
	for _, name := range s.f.hosts {
		https = append(https, "https://"+net.JoinHostPort(name, s.port))
	}
	for _, ip := range addresses {
		https = append(https, "https://"+net.JoinHostPort(ip.String(), s.port))
	}
	if len(https) == 0 {
		https = []string{"https://" + net.JoinHostPort("localhost", s.port)}
	}
	now, moved := s.a.Now(), !slices.Equal(https, s.https())
	if have := s.certificate.Load(); s.issuer != nil && (moved || have == nil || now.Before(have.Leaf.NotBefore) ||
		now.Add(siteCrtLife/2).After(have.Leaf.NotAfter) && have.Leaf.NotAfter.Before(s.ca.NotAfter)) {
		c, err := s.issuer.issue(now, s.f.hosts, append(names, "localhost", s.baseHost()), append(addresses, netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()))
		if err != nil {
			return false, err
		}
		s.certificate.Store(&c)
	}
	s.addresses.Store(&https)
	return moved, nil
}

// inside reports whether https is for this machine alone.
func (s *serving) inside() bool {
	host, _, _ := net.SplitHostPort(s.f.listen)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// https are the addresses for phones, best first.
func (s *serving) https() []string {
	if list := s.addresses.Load(); list != nil {
		return *list
	}
	return nil
}

// ownNames returns the names of this machine in its own network, and its
// addresses there, those of version 4 first: they are shorter to type.
func ownNames() (names []string, addresses []netip.Addr) {
	if name, err := os.Hostname(); err == nil && name != "" {
		name = strings.ToLower(name)
		names = append(names, name)
		if !strings.Contains(name, ".") {
			names = append(names, name+".local")
		}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return names, nil
	}
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if ip := p.Addr().Unmap(); err == nil && ip.IsPrivate() {
			addresses = append(addresses, ip)
		}
	}
	slices.SortStableFunc(addresses, func(x, y netip.Addr) int { return x.BitLen() - y.BitLen() })
	return names, addresses
}

func (s *serving) closeListeners() {
	for _, l := range s.listeners {
		l.Close()
	}
}

// best is the address for a phone's QR code.
func (s *serving) best() string {
	if list := s.https(); len(list) > 0 {
		if s.inside() && len(s.f.hosts) == 0 {
			return "https://" + net.JoinHostPort("localhost", s.port)
		}
		return list[0]
	}
	return s.local
}

// writeAddresses tells other commands where the server is.
func (s *serving) writeAddresses() error {
	addresses := slices.Clone(s.https())
	if s.local != "" {
		addresses = append(addresses, s.local)
	}
	return writeFile(s.a.servePath(), []byte(strings.Join(addresses, "\n")+"\n"))
}

// move follows this machine into another network.
func (s *serving) move() {
	if s.port == "" {
		return
	}
	moved, err := s.follow()
	if err == nil && moved {
		for _, address := range s.https() {
			s.a.say("phones now:   %s/", address)
		}
		err = s.writeAddresses()
	}
	if err != nil {
		s.log.Error("the new addresses have no certificate", "code", access.ErrorCode(err))
	}
}

// servePath names the file with the addresses of the server that runs here, for
// other commands.
func (a *app) servePath() string { return filepath.Join(a.Data, "serve.address") }

// serverAddress is the best address of the server that runs here, "" for none.
func (a *app) serverAddress() string {
	line, err := firstLine(a.servePath())
	if err != nil {
		return ""
	}
	return string(line)
}

// setUp is what the set-up page tells of this server.
func (s *serving) setUp() api.SetUp {
	u := api.SetUp{Addresses: s.https(), Local: s.local}
	if s.local != "" {
		_, u.LocalPort, _ = net.SplitHostPort(strings.TrimPrefix(s.local, "http://"))
	}
	if s.ca != nil {
		u.CA = siteCAPath
	}
	return u
}
