package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/internal/durable"
	"aidpass/issuer/registry/imports"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/web/api"
	"aidpass/web/openid"
	"aidpass/web/scanner"
	"aidpass/web/wallet"
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

Packs are built when a phone asks and something changed, for its site, from
--programme and the other flags of pack build. Keys are unsealed once, at the start.
SIGTERM or Ctrl-C finishes what is under way and ends.`,
		Example: `  aidpass site-ca init
  aidpass serve --programme K7Q2=1@2026-11-01..2026-12-01 --unlock code.txt --enrol WELL-A

  aidpass serve --tls-cert cert.pem --tls-key key.pem --host scan.relief-a.example --listen :443
  aidpass serve --tls-cert cert.pem --tls-key key.pem --listen :443 --base-url https://relief-a.example
  aidpass serve --tls-cert cert.pem --tls-key key.pem --listen :443 --base-url https://relief-a.example --oidc-issuer https://id.relief-a.example --oidc-client aidpass --oidc-secret-file oidc.txt
  aidpass serve --tls-cert cert.pem --tls-key key.pem --listen :443 --base-url https://relief-a.example --desk-oidc-issuer https://login.relief-a.example --desk-oidc-client aidpass-desk
  aidpass serve --listen "" --http localhost:8080 --proxy 127.0.0.1 --base-url https://relief-a.example   # behind a proxy on this machine
  aidpass serve --listen "" --http localhost:8080      # phones on a USB cable only`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), f) },
	}
	fl := cmd.Flags()
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
	fl.BoolVar(&f.verbose, "verbose", false, "a line for every request")
	f.pack.contents(fl)
	fl.IntVar(&f.pack.days, "days", packDays, "days until a pack ends")
	return cmd
}

// serve runs the server until ctx ends or the process is told to stop.
func (a *app) serve(ctx context.Context, f serveFlags) (err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	if f.pack.trust == "" {
		f.pack.trust = a.keptPath()
	}
	if _, _, err := readList(f.pack.trust, trust.Anchors{}); err != nil {
		if notThere(err) {
			return usagef("no trust list was seen here yet").hint("--trust trust.list: phones know by it whose cards count")
		}
		return err
	}
	alone, err := a.serveAlone()
	if err != nil {
		return err
	}
	defer alone.Close()
	s := a.newServing(o, f)
	defer s.closeListeners()
	if err := s.listen(); err != nil {
		return err
	}
	if err := s.packs.takeKey(); err != nil {
		return err
	}
	config, err := s.config()
	if err != nil {
		return err
	}
	server, err := api.New(config)
	if err != nil {
		return err
	}
	if err := s.refresh(ctx); err != nil {
		return err
	}
	working, stopWork := context.WithCancel(ctx)
	defer stopWork()
	worked, err := s.begin(working)
	if err != nil {
		return err
	}
	defer func() { stopWork(); worked() }()
	if err := s.tell(ctx); err != nil {
		return err
	}
	defer os.Remove(a.servePath())
	if f.enrol != "" {
		if err := a.showCode(ctx, o, f.enrol, s.best()); err != nil {
			return err
		}
	}
	// Another process publishes, and public documents follow.
	watching, end := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { s.watch(watching) })
	err = server.Serve(ctx, s.listeners...)
	end()
	watch.Wait()
	return err
}

// serving is what the server is joined to.
type serving struct {
	a         *app
	o         *org
	f         serveFlags
	log       *slog.Logger
	listeners []net.Listener
	local     string
	port      string // of https
	ca        *x509.Certificate
	issuer    *siteCA // nil: the certificate came from files

	own         func() ([]string, []netip.Addr) // ownNames
	certificate atomic.Pointer[tls.Certificate] // of this moment, as
	addresses   atomic.Pointer[[]string]        // these are
	hosts       []string
	public      *api.Shelf
	packs       *packRoom
	desk        *walletDesk // nil: nothing is issued to wallets here
	openid      *openid.Server
	door        *access.Door
	work        *work.Runner
	imports     *imports.Desk
	swept       time.Time // when lists whose time was over were last destroyed; of watch
	walletApp   bool      // it is built in
}

func (a *app) newServing(o *org, f serveFlags) *serving {
	level := slog.LevelInfo
	if f.verbose {
		level = slog.LevelDebug
	}
	s := &serving{a: a, o: o, f: f, own: ownNames, public: &api.Shelf{}, log: slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: level}))}
	s.packs = &packRoom{o: o, flags: f.pack, log: s.log, sites: map[string]*sitePack{}}
	return s
}

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

func (s *serving) config() (api.Config, error) {
	rooms, err := s.rooms()
	if err != nil {
		return api.Config{}, err
	}
	c := api.Config{Rooms: rooms, Devices: deviceDesk{s.o.store}, Packs: s.packs, Visits: visitDesk{s.o.store, s.packs, s.a.now}, Public: s.public, Hosts: s.hosts, Log: s.log, Now: s.a.Now}
	c.SetUp = s.setUp
	if c.Proxies, err = readProxies(s.f.proxies); err != nil {
		return api.Config{}, err
	}
	files, err := scanner.Files()
	if err != nil {
		s.a.say("warning: %v", err)
	}
	c.Scanner = files
	if c.Wallet, err = wallet.Files(); err != nil {
		s.a.say("warning: %v", err)
	}
	s.walletApp = c.Wallet != nil
	return c, nil
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

// serveAlone keeps a second server off this folder: each would build packs of its
// own, and phones that meet both would find half of them too old.
func (a *app) serveAlone() (io.Closer, error) {
	lock, err := durable.OpenLog(filepath.Join(a.Data, "serve.lock"), 0o600)
	if isLocked(err) {
		return nil, usagef("another aidpass serve works on this folder: %s", cmp.Or(a.serverAddress(), "it begins or ends")).
			hint("stop that one; --listen and --http of one server are enough for https and cables together")
	}
	return lock, err
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

// tell prints where the server is, and how a phone gets there.
func (s *serving) tell(ctx context.Context) error {
	if err := s.writeAddresses(); err != nil {
		return err
	}
	if s.a.served != nil {
		return s.a.served(ctx, s)
	}
	result := map[string]any{"https": s.https(), "http": textPtr(s.local), "ca_sha256": nil, "wallet_app": textPtr(s.walletAddress()), "base_url": textPtr(s.f.base)}
	if s.ca != nil {
		result["ca_sha256"] = siteCAPrint(s.ca)
	}
	return s.a.print(result, func(w io.Writer) {
		if s.local != "" {
			_, p, _ := net.SplitHostPort(strings.TrimPrefix(s.local, "http://"))
			fmt.Fprintf(w, "this machine: %s/   works at once; on a phone at the USB cable too, after adb reverse tcp:%s tcp:%s\n", s.local, p, p)
		}
		label, who, places := "phones:", "for phones in the same network", s.https()
		switch {
		case s.inside() && len(places) > 0:
			places = []string{s.best()}
			label, who = "https:", "for this machine alone: --listen :"+s.port+" lets phones in"
		case s.ca != nil:
			who += " that have this place's certificate: the page tells how"
		}
		for _, address := range places {
			fmt.Fprintf(w, "%-13s %s/   %s\n", label, address, who)
		}
		for _, line := range s.walletLines() {
			fmt.Fprintln(w, line)
		}
		if s.ca != nil {
			fmt.Fprintf(w, "the SHA-256 fingerprint of this site's authority, as phones show it in their settings:\n%s\n", siteCAPrint(s.ca))
		}
		if s.f.enrol == "" {
			fmt.Fprintln(w, "a phone enrols with: aidpass device code --site SITE")
		}
	})
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
		s.log.Error("the new addresses have no certificate", "error", err.Error())
	}
}

// refreshEvery is how soon the server shows what another command has published.
const refreshEvery = 2 * time.Second

// dropEvery is how often it deletes what wallets showed and is not kept any longer, in
// refreshes: a minute.
const dropEvery = 30

func (s *serving) watch(ctx context.Context) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	seen := ""
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n%dropEvery == 0 {
			if _, err := s.a.requests(s.o).Drop(ctx); err != nil {
				s.log.Error("what wallets showed is kept longer than it was to be", "error", err.Error())
			}
		}
		s.sweep(ctx)
		s.move()
		if s.desk != nil {
			if err := s.desk.renew(false); err != nil {
				s.log.Error("the keys for wallets are not read anew", "error", err.Error())
			}
		}
		now, err := s.published()
		if err == nil && now == seen {
			continue
		}
		if err == nil {
			if err := s.followTrust(); err != nil {
				s.log.Error("the trust list is not read anew", "error", err.Error())
			}
			err = s.refresh(ctx)
		}
		if err != nil {
			s.log.Error("public documents are not read anew", "error", err.Error())
			continue
		}
		seen = now
	}
}

// followTrust goes by the newest trust list: that of --trust, where the file is another
// now, or a newer one that another command brought here.
func (s *serving) followTrust() error {
	s.packs.mu.Lock()
	s.a.kept = nil
	have, err := s.a.keptList()
	if err == nil && s.packs.flags.trust != s.a.keptPath() {
		var raw []byte
		var list *trust.List
		raw, list, err = readList(s.packs.flags.trust, trust.Anchors{})
		switch {
		case err != nil:
		case have != nil && have.ID == list.ID && have.Sequence > list.Sequence:
			s.a.say("%s is list %d, and list %d has been used here: from now on this server goes by %s", s.packs.flags.trust, list.Sequence, have.Sequence, s.a.keptPath())
			s.packs.flags.trust = s.a.keptPath()
		case have == nil || have.Digest() != list.Digest():
			err = s.a.keepTrustList(raw, list, s.packs.flags.chain)
		}
	}
	s.packs.mu.Unlock()
	if err != nil || s.desk == nil {
		return err
	}
	if err := s.desk.renew(true); err != nil {
		return err
	}
	s.openid.Renew()
	return nil
}

// published tells what is public apart from that of another time: the files of the
// public folder, and what the organisation's keys are told from.
func (s *serving) published() (string, error) {
	var mark strings.Builder
	if info, err := os.Stat(s.f.pack.trust); err == nil { // may lie elsewhere
		fmt.Fprintln(&mark, info.Size(), info.ModTime().UnixNano())
	}
	withdrawn, err := s.o.withdrawals()
	if err != nil {
		return "", err
	}
	fmt.Fprintln(&mark, len(withdrawn)) // each stays for good
	err = s.walkPublic(func(name string, info fs.FileInfo) error {
		fmt.Fprintln(&mark, name, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return mark.String(), err
}

func (s *serving) walkPublic(visit func(name string, info fs.FileInfo) error) error {
	dir := s.a.publicDir()
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		info, err := e.Info()
		if notThere(err) {
			return nil // replaced this moment: the next look sees it
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(name), info)
	})
}

// maxPublicFile bounds a public document: a status list of 2^24 entries.
const maxPublicFile = 8 << 20

// refresh takes the public folder into memory: below /public/, and each status
// list also under the path of its own URI, for a server that stands at that name;
// so are the organisation's keys for wallet credentials.
func (s *serving) refresh(ctx context.Context) error {
	docs := map[string]*api.Document{}
	err := s.walkPublic(func(name string, _ fs.FileInfo) error {
		body, err := readFile(filepath.Join(s.a.publicDir(), filepath.FromSlash(name)), maxPublicFile)
		if notThere(err) {
			return nil
		}
		docs["/public/"+name] = api.NewDocument(api.MediaType(name), body)
		return err
	})
	if err != nil {
		return err
	}
	uris, err := s.o.store.StatusLists(ctx, s.a.Now())
	if err != nil {
		return err
	}
	for _, uri := range uris {
		_, rest, _ := strings.Cut(uri, "://")
		_, path, ok := strings.Cut(rest, "/")
		if doc := docs["/public/status/"+slug(uri)+".cwt"]; ok && path != "" && doc != nil {
			docs["/"+path] = doc
		}
		if doc := docs["/public/status/"+slug(uri)+".jwt"]; ok && path != "" && doc != nil {
			docs["/"+status.URIOfJWT(path)] = doc
		}
	}
	keys, err := s.webKeys()
	if err != nil {
		return err
	}
	maps.Copy(docs, keys)
	if s.ca != nil {
		docs[siteCAPath] = api.NewDocument(api.MediaType(siteCAPath), s.ca.Raw)
	}
	s.public.Fill(docs)
	return nil
}
