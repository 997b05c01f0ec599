package api

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

var testProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("fd00::/64")}

// Whom a request counts under: nobody but a named proxy says it for another.
func TestClientBehindAProxy(t *testing.T) {
	s := &Server{Config: Config{Proxies: testProxies}}
	for name, c := range map[string]struct {
		remote string
		said   []string
		want   string
	}{
		"no proxy":                      {"203.0.113.5:4711", []string{"198.51.100.1"}, "203.0.113.5:4711"},
		"a proxy":                       {"10.0.0.7:4711", []string{"203.0.113.5"}, "203.0.113.5:0"},
		"a proxy on this machine":       {"127.0.0.1:4711", []string{"203.0.113.5"}, "203.0.113.5:0"},
		"one that counts as IPv6":       {"[::ffff:10.0.0.7]:1", []string{"203.0.113.5"}, "203.0.113.5:0"},
		"what the client said itself":   {"10.0.0.7:1", []string{"1.1.1.1, 2.2.2.2, 203.0.113.5"}, "203.0.113.5:0"},
		"in a header of its own":        {"10.0.0.7:1", []string{"1.1.1.1", "203.0.113.5"}, "203.0.113.5:0"},
		"two proxies":                   {"10.0.0.7:1", []string{"1.1.1.1, 203.0.113.5, 10.0.0.8"}, "203.0.113.5:0"},
		"with its port":                 {"10.0.0.7:1", []string{"203.0.113.5:999"}, "203.0.113.5:0"},
		"IPv6":                          {"[fd00::1]:1", []string{"2001:db8::5"}, "[2001:db8::5]:0"},
		"nothing said":                  {"10.0.0.7:1", nil, "10.0.0.7:1"},
		"no address":                    {"10.0.0.7:1", []string{"203.0.113.5, unknown"}, "10.0.0.7:1"},
		"this machine, without limits":  {"10.0.0.7:1", []string{"::1"}, "10.0.0.7:1"},
		"proxies alone":                 {"10.0.0.7:1", []string{"10.0.0.9"}, "10.0.0.7:1"},
		"longer than anybody's way is":  {"10.0.0.7:1", []string{"203.0.113.5" + strings.Repeat(", 10.0.0.9", maxHops)}, "10.0.0.7:1"},
		"another header says something": {"10.0.0.7:1", []string{""}, "10.0.0.7:1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Real-Ip": {"198.51.100.9"}, "Forwarded": {"for=198.51.100.9"}}}
		if c.said != nil {
			r.Header["X-Forwarded-For"] = c.said
		}
		if got := s.client(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := (&Server{}).client(&http.Request{RemoteAddr: "10.0.0.7:1", Header: http.Header{"X-Forwarded-For": {"203.0.113.5"}}}); got != "10.0.0.7:1" {
		t.Errorf("without --proxy the header counts: %s", got)
	}
}

// Whatever the header says, a client is an address, and never this machine.
func FuzzForwardedFor(f *testing.F) {
	f.Add("203.0.113.5, 10.0.0.8")
	f.Add("[::1]:5,127.0.0.1")
	f.Add("fe80::1%eth0")
	s := &Server{Config: Config{Proxies: testProxies}}
	f.Fuzz(func(t *testing.T, said string) {
		got := s.client(&http.Request{RemoteAddr: "10.0.0.7:1", Header: http.Header{"X-Forwarded-For": {said}}})
		if at, err := netip.ParseAddrPort(got); err != nil || Sender(got).IsLoopback() || got != "10.0.0.7:1" && s.isProxy(at.Addr()) {
			t.Errorf("%q gives %q", said, got)
		}
	})
}
