package main

import (
	"net/netip"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// serveFlags are what serve is asked for.
type serveFlags struct {
	listen, http            string
	tlsCert, tlsKey, siteCA string
	hosts, proxies          []string
	enrol                   string
	base                    string // credential issuer identifier; empty: nothing for wallets
	signIn                  signInFlags
	staff                   staffSignIn
	nightly                 string // readQuietHour
	verbose                 bool
	pack                    packFlags
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve phones: the scanner app, enrolment, packs, and what they hand out",
		Long: `Serve phones from this laptop: the scanner app, enrolment, packs and the upload of
what was handed out, and for everybody the trust list and the status lists.

A phone opens the camera and works without network only on a page it came to by
trusted https, or as localhost. Three ways:
  a certificate that phones trust already: --tls-cert and --tls-key;
  the site's own authority, installed on each phone once: aidpass site-ca init;
  a USB cable and no certificate: adb reverse tcp:8080 tcp:8080, then
  http://localhost:8080 on the phone.
The page at / says it step by step in five languages.

With --base-url wallets take up offers here (aidpass offer) and answer requests (aidpass
request), under that address: it is the organisation's https name in the web, or a way
to this server. What wallets show is judged by --programme and the other pack flags.

Behind a reverse proxy all clients have its address, and share its limits. --proxy names
it: its X-Forwarded-For, read from the end, says who asked. Nobody else is believed, and no
other header. The proxy must add the address it saw to that header.

With --oidc-issuer holders take offers up by signing in at the organisation's OpenID
provider, too: --oidc-claim of its ID token is a person's number in --oidc-roster.

Staff work at /desk/; aidpass account add lets the first one in. With --desk-oidc-issuer
they sign in at the organisation's OpenID provider, too, each after adding it in settings.

Once a night, from --nightly on, the server takes the day's figures of quality by itself. One
that was off for two nights does it when it begins; a laptop that sleeps at night is given
an hour at which it is on.

Packs are built when a phone asks and something changed, for its site, from
--programme, the rounds whose places name the site, and the other flags of pack build. Keys are unsealed once, at the start.
SIGTERM or Ctrl-C finishes what is under way and ends.`,
		Example: `  aidpass site-ca init
  aidpass serve --programme K7Q2=1@2026-11-01..2026-12-01 --unlock code.txt --enrol WELL-A

  aidpass serve --tls-cert cert.pem --tls-key key.pem --host scan.relief-a.example --listen :443
  aidpass serve --tls-cert cert.pem --tls-key key.pem --listen :443 --base-url https://relief-a.example
  aidpass serve --tls-cert cert.pem --tls-key key.pem --listen :443 --base-url https://relief-a.example --oidc-issuer https://id.relief-a.example --oidc-client aidpass --oidc-secret-file oidc.txt
  aidpass serve --tls-cert cert.pem --tls-key key.pem --listen :443 --base-url https://relief-a.example --desk-oidc-issuer https://login.relief-a.example --desk-oidc-client aidpass-desk
  aidpass serve --listen "" --http localhost:8080 --proxy 127.0.0.1 --base-url https://relief-a.example   # behind a proxy on this machine
  aidpass serve --programme K7Q2=1@2026-11-01..2026-12-01 --nightly "12:30 Africa/Nairobi"
  aidpass serve --listen "" --http localhost:8080      # phones on a USB cable only`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), f) },
	}
	f.add(cmd.Flags())
	return cmd
}

// add adds the flags to a command.
func (f *serveFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.listen, "listen", ":8443", "address for https; empty: none")
	fl.StringVar(&f.http, "http", "localhost:8080", "address for http, on this machine only; empty: none")
	fl.StringVar(&f.tlsCert, "tls-cert", "", "certificate chain, PEM")
	fl.StringVar(&f.tlsKey, "tls-key", "", "its key, PEM")
	fl.StringVar(&f.siteCA, "site-ca", "", "folder of the site's own authority (default: DATA/site-ca, where it is there)")
	fl.StringArrayVar(&f.hosts, "host", nil, "name by which phones call this server; repeat")
	fl.StringArrayVar(&f.proxies, "proxy", nil, "address or network (CIDR) of a reverse proxy, whose X-Forwarded-For tells clients apart for the limits; repeat")
	fl.StringVar(&f.enrol, "enrol", "", "make an enrolment code for one phone of this site at once")
	fl.StringVar(&f.base, "base-url", "", "the organisation's https address for wallets; with it offers are taken up and requests answered here")
	f.signIn.add(fl)
	f.staff.add(fl)
	fl.StringVar(&f.nightly, "nightly", "02:00", "hour at which the work of the night begins, by this machine's clock or a named time zone's; off: never")
	fl.BoolVar(&f.verbose, "verbose", false, "a line for every request")
	f.pack.contents(fl)
	fl.IntVar(&f.pack.days, "days", packDays, "days until a pack ends")
}

// readProxies reads what --proxy names: networks, or single addresses.
func readProxies(list []string) (proxies []netip.Prefix, err error) {
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if a, aerr := netip.ParseAddr(text); err != nil && aerr == nil {
			p, err = a.Prefix(a.BitLen())
		}
		switch {
		case err != nil || p != p.Masked() || p.Addr().Is4In6():
			return nil, usagef("--proxy %q is no address and no network", text).hint("--proxy 10.0.0.5, or --proxy 10.0.0.0/29 with zeros behind its bits")
		case p.Bits() == 0:
			return nil, usagef("--proxy %s is everybody: then each client says who it is", text).hint("the proxy's own address, as --proxy 10.0.0.5")
		}
		proxies = append(proxies, p)
	}
	return proxies, nil
}
