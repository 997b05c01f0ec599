package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/internal/durable"
	"aidpass/issuer/registry/imports"
	"aidpass/trust"
	"aidpass/web/api"
	"aidpass/web/console"
	"aidpass/web/openid"
	"aidpass/web/scanner"
	"aidpass/web/wallet"
)

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
	if s.nightly, err = s.nights(); err != nil {
		return err
	}
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
	// What the desk is asked first, and the work that goes on, go by the list of --trust, too.
	if err := s.followTrust(); err != nil {
		s.log.Error("the trust list is not read", "code", access.ErrorCode(err))
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
	exports     madeRoom[console.ExportMade]
	listed      madeRoom[console.QualityMade]
	comparing   sync.Mutex // held by a search for duplicates: one at a time
	small       int        // records up to which figures and lists are made at once; 0: smallRegister
	retention   *console.Retention
	counting    sync.WaitGroup // one that counts what is over
	countFrom   atomic.Int64   // Unix time from which that is counted again
	nightly     *nights
	swept       time.Time // when lists whose time was over were last destroyed; of watch
	walletApp   bool      // it is built in
}

func (a *app) newServing(o *org, f serveFlags) *serving {
	level := slog.LevelInfo
	if f.verbose {
		level = slog.LevelDebug
	}
	s := &serving{a: a, o: o, f: f, own: ownNames, public: &api.Shelf{}, log: slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: level}))}
	s.f.pack.planned = true // rounds are planned at the desk while --programme stays
	s.packs = &packRoom{o: o, flags: s.f.pack, log: s.log, sites: map[string]*sitePack{}}
	return s
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
