package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops is how many addresses of X-Forwarded-For are looked at, from its end.
const maxHops = 16

// client is the address that a request counts under: http.Request.RemoteAddr, or of one
// that came through a proxy of Config.Proxies what that says in X-Forwarded-For, as
// ADDRESS:0. Each proxy puts whom it saw behind what it got, so the list is read from its
// end, and what stands before the first address that is no proxy's is anybody's word.
//
// Where the proxy says nothing that can be read its own address counts; so it does
// where it names this machine, to which no limits apply.
func (s *Server) client(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !s.isProxy(at.Addr()) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i, hop := range slices.Backward(hops) {
		if len(hops)-i > maxHops {
			break
		}
		hop = strings.TrimSpace(hop)
		from, err := netip.ParseAddr(hop)
		if err != nil {
			// Some proxies tell the port as well.
			with, perr := netip.ParseAddrPort(hop)
			if perr != nil {
				break
			}
			from = with.Addr()
		}
		switch {
		case s.isProxy(from):
			continue
		case from.Unmap().IsLoopback():
			return r.RemoteAddr
		}
		return net.JoinHostPort(from.WithZone("").String(), "0")
	}
	return r.RemoteAddr
}

func (s *Server) isProxy(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}
