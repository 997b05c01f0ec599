package resolve

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Pretend puts a net of names and addresses around c: lookup answers for each
// name, and whatever address is dialled is noted and leads to the server at to.
func (c *Client) Pretend(lookup func(host string) []netip.Addr, to string, dialled func(address string)) {
	c.resolver = lookups(lookup)
	c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled(address)
		return new(net.Dialer).DialContext(ctx, network, to)
	}
}

type lookups func(host string) []netip.Addr

func (n lookups) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return n(host), nil
}

// PretendNames answers for names alone; dialling is real.
func (c *Client) PretendNames(lookup func(host string) []netip.Addr) { c.resolver = lookups(lookup) }

// Control is what looks at a socket before it connects.
func (c *Client) Control(address string) error { return c.control("tcp", address, nil) }

var Public = public

// Fill puts n answers of size bytes into an empty cache and says what it then holds.
func Fill(n, size int, now time.Time) (entries, bytes int, last bool) {
	var c cache
	for i := range n {
		c.add(strconv.Itoa(i), make([]byte, size), now, maxKept)
	}
	_, last = c.find(strconv.Itoa(n-1), now)
	return len(c.kept), c.bytes, last
}
