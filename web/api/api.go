// Package api speaks HTTP with devices and with the public: enrolment, packs,
// upload of journals, public documents, the scanner app's files and a page that
// says how to set a phone up. docs/openapi.yaml lists every route.
//
// It keeps nothing: devices, packs and visits are behind the interfaces below,
// which package main joins to the database. No request's address, body or person
// gets into a log.
package api

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v5"

	"aidpass/access"
	"aidpass/verifier/enrol"
)

// Devices are the enrolled devices of the organisation.
type Devices interface {
	// Enrol enters a device that shows an enrolment code, as pending: the first
	// one wins the code. The same device again gets the same answer. ErrCode: no
	// such code, too old, or another device's.
	Enrol(ctx context.Context, code string, r enrol.Request) (access.Device, error)
	// Device returns one by the id of its key, or ErrNoDevice.
	Device(ctx context.Context, kid [8]byte) (access.Device, error)
}

// Packs are the newest packs.
type Packs interface {
	// Pack returns the pack for a device's site. It is built when something changed
	// since the last one; calling often is cheap.
	Pack(ctx context.Context, d access.Device) (*Document, error)
}

// Visits takes in what devices handed out.
type Visits interface {
	// Accept stores records of a device's journal and returns one Ack for each, in
	// their order. Sending one again changes nothing and is acknowledged too. When
	// it returns, what it accepted is on the disk. An error: nothing was decided.
	Accept(ctx context.Context, d access.Device, records [][]byte) ([]Ack, error)
	// Receipt returns the organisation's signed word on what it has of the device's
	// journal (docs/formats/exchange.md).
	Receipt(ctx context.Context, d access.Device) ([]byte, error)
}

// Conditions of the above that have an answer of their own.
var (
	ErrCode     = errors.New("api: no such enrolment code")
	ErrNoDevice = errors.New("api: no such device")
	ErrBusy     = errors.New("api: the database is busy")
	ErrFull     = errors.New("api: the disk is full")
)

// Config is what a server is made of.
type Config struct {
	Devices Devices
	Packs   Packs
	Visits  Visits
	Public  *Shelf       // documents for everybody; may be filled and changed at any time
	Scanner fs.FS        // the scanner app's files, index.html among them; nil: not built in
	Wallet  fs.FS        // the wallet app's files, likewise
	SetUp   func() SetUp // what the set-up page says now; nil: nothing about this server
	Hosts   []string     // names, besides localhost and addresses, by which this server is called
	Rooms   []Room       // further parts of this server
	// Proxies stand before this server and say in X-Forwarded-For whom they saw, whose the
	// limits are then; empty: nobody is believed.
	Proxies []netip.Prefix
	Log     *slog.Logger // nil: nowhere
	Now     func() time.Time
	Limits  Limits
}

// Limits bound what one client can take from the others. Zero: the usual one.
type Limits struct {
	InFlight  int           // requests at once; 256
	Each      int           // of them, of one client address other than this machine's; 64
	Waiting   int           // of them, requests that wait to write; 64
	Wait      time.Duration // how long one waits for the database; 10 s
	EnrolEach int           // tries of a code, a minute and client address; 10
	EnrolAll  int           // and of all clients; 60
	Header    time.Duration // to send the headers; 5 s
	Request   time.Duration // to send a whole request; 60 s
	Answer    time.Duration // to take an answer; 5 min
	Drain     time.Duration // for what is under way when the server stops; 20 s
}

func (l *Limits) fill() {
	for _, n := range []struct {
		field *int
		usual int
	}{{&l.InFlight, 256}, {&l.Each, 64}, {&l.Waiting, 64}, {&l.EnrolEach, 10}, {&l.EnrolAll, 60}} {
		if *n.field == 0 {
			*n.field = n.usual
		}
	}
	for _, d := range []struct {
		field *time.Duration
		usual time.Duration
	}{{&l.Wait, 10 * time.Second}, {&l.Header, 5 * time.Second}, {&l.Request, time.Minute}, {&l.Answer, 5 * time.Minute}, {&l.Drain, 20 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.usual
		}
	}
}

// Server answers requests. It may be used by any number of listeners.
type Server struct {
	Config
	app      *Shelf // the scanner
	purse    *Shelf // the wallet
	pages    *pages
	handler  http.Handler
	router   *echo.Echo
	inFlight chan struct{}
	waiting  chan struct{}
	writes   sync.WaitGroup // stores under way, also those whose client was sent away
	tries    limiter
	crowd    crowd
	draining atomic.Bool
	reports  atomic.Int64 // of broken content security policies
}

// New makes a server.
func New(c Config) (*Server, error) {
	c.Limits.fill()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.SetUp == nil {
		c.SetUp = func() SetUp { return SetUp{} }
	}
	if c.Public == nil {
		c.Public = &Shelf{}
	}
	s := &Server{Config: c, inFlight: make(chan struct{}, c.Limits.InFlight), waiting: make(chan struct{}, c.Limits.Waiting),
		tries: limiter{each: c.Limits.EnrolEach, all: c.Limits.EnrolAll, now: c.Now}, crowd: crowd{each: c.Limits.Each}}
	var err error
	if s.app, err = appShelf(pathScanner, c.Scanner); err != nil {
		return nil, err
	}
	if s.purse, err = appShelf(PathWallet, c.Wallet); err != nil {
		return nil, err
	}
	if s.pages, err = readPages(); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

// The routes of the application interface; docs/openapi.yaml describes them.
const (
	pathEnrol   = "/api/v1/enrol"
	pathDevice  = "/api/v1/devices/:kid"
	pathPack    = "/api/v1/devices/:kid/pack"
	pathJournal = "/api/v1/devices/:kid/journal"
	pathTime    = "/api/v1/time"
	pathReport  = "/api/v1/csp-report"
	pathHealth  = "/healthz"
	pathSetUp   = "/"
	pathStyle   = "/setup.css"
	pathScanner = "/scanner/"
)

// PathWallet is where the wallet app is, if Config.Wallet has it.
const PathWallet = "/wallet/"

var reading = []string{http.MethodGet, http.MethodHead}

func (s *Server) routes() http.Handler {
	e := echo.NewWithConfig(echo.Config{Logger: s.Log, HTTPErrorHandler: s.fail, IPExtractor: echo.ExtractIPDirect()})
	e.POST(pathEnrol, s.enrol)
	e.GET(pathDevice, s.device)
	e.Match(reading, pathPack, s.pack)
	e.POST(pathJournal, s.journal)
	e.GET(pathTime, s.time)
	e.POST(pathReport, s.cspReport)
	e.GET(pathReport, s.cspCount)
	e.GET(pathHealth, s.health)
	e.Match(reading, pathSetUp, s.setUp)
	e.Match(reading, pathStyle, s.style)
	for _, room := range s.Rooms {
		room.Enter(s, e)
	}
	e.Match(reading, pathScanner+"*", func(c *echo.Context) error { return sendApp(c, s.app, scannerPolicy) })
	e.Match(reading, PathWallet+"*", func(c *echo.Context) error { return sendApp(c, s.purse, walletPolicy) })
	e.Match(reading, "/*", s.public)
	s.router = e
	return s.guard(e)
}

// Routes lists what is answered, as "GET /healthz".
func (s *Server) Routes() (list []string) {
	for _, r := range s.router.Router().Routes() {
		list = append(list, r.Method+" "+r.Path)
	}
	return list
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Write runs one store of a request. It gives up waiting after Limits.Wait with
// ErrBusy: the store may still happen, so only what can be sent again is written
// this way.
func (s *Server) Write(ctx context.Context, work func(context.Context) error) error {
	select {
	case s.waiting <- struct{}{}:
	default:
		return ErrBusy
	}
	// A client that goes away does not take back what it sent.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limits.Wait)
	done := make(chan error, 1)
	s.writes.Go(func() {
		defer func() { <-s.waiting; cancel() }()
		done <- work(ctx)
	})
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done: // it had ended, and so its context
		default:
			return ErrBusy
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrBusy
	}
	return err
}
