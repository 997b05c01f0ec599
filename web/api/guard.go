package api

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v5"

	"aidpass/access"
)

// problem is an answer that says what was wrong: a code for programs, and where
// we know it the way out for people.
type problem struct {
	status int
	code   string
	hint   string
	retry  int // seconds; 0: trying again does not help
}

func (p *problem) Error() string { return p.code }

var (
	errBody      = &problem{http.StatusBadRequest, "bad_body", "", 0}
	errTooLarge  = &problem{http.StatusRequestEntityTooLarge, "too_large", "send fewer records at once", 0}
	errMedia     = &problem{http.StatusUnsupportedMediaType, "wrong_content_type", "", 0}
	errNotFound  = &problem{http.StatusNotFound, "not_found", "", 0}
	errHost      = &problem{http.StatusMisdirectedRequest, "unknown_host", "call this server by an address or name of its set-up page, or start it with --host NAME", 0}
	errOrigin    = &problem{http.StatusForbidden, "cross_origin", "", 0}
	errFull      = &problem{http.StatusServiceUnavailable, "busy", "", 1}
	errDiskFull  = &problem{http.StatusServiceUnavailable, "storage_full", "the server's disk is full: nothing was stored; make room there", 30}
	errDatabase  = &problem{http.StatusServiceUnavailable, "busy", "the database is written by another program", 5}
	errStopping  = &problem{http.StatusServiceUnavailable, "stopping", "", 5}
	errCode      = &problem{http.StatusNotFound, "code_unknown", "the code is wrong, older than ten minutes, or was used by another device: ask for a new one", 0}
	errNoDevice  = &problem{http.StatusNotFound, "device_unknown", "enrol this device again", 0}
	errPending   = &problem{http.StatusForbidden, "device_pending", "the administrator compares the words and confirms the device", 0}
	errWithdrawn = &problem{http.StatusGone, "device_withdrawn", "this device was withdrawn: make a new key and enrol again", 0}
	errFrozen    = &problem{http.StatusForbidden, "device_frozen", "this device was found copied: the administrator lets it go on or withdraws it", 0}
	errRefused   = &problem{http.StatusForbidden, "device_refused", "this device was not confirmed: enrol again", 0}
	errFault     = &problem{http.StatusInternalServerError, "fault", "", 0}
)

// always are the headers of every answer; routes that need another policy set it.
var always = [...]struct {
	name  string
	value []string // Header.Set puts another one in, and leaves this alone
}{
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"X-Frame-Options", []string{"DENY"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
	{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
}

// guard stands before every route: it names the request, keeps out what cannot be
// meant for this server, bounds how much is under way, sets the headers that hold
// everywhere, and writes the log.
func (s *Server) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var random [8]byte
		rand.Read(random[:])
		id := hex.EncodeToString(random[:])
		h := w.Header()
		for i := range always {
			h[always[i].name] = always[i].value
		}
		h["X-Request-Id"] = []string{id}
		if r.TLS != nil && hostname(r.Host) != "localhost" {
			// No includeSubDomains, no preload: the name is a laptop's. And localhost is
			// served without TLS too, which a browser that was told so would never ask for.
			h.Set("Strict-Transport-Security", "max-age=86400")
		}
		begun := time.Now()
		o := &observed{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				// What panicked may hold somebody's data: only that it did is told.
				s.Log.Error("fault", "request", id)
				if o.status == 0 {
					s.answer(o, errFault)
				}
			}
			s.log(r, id, o, time.Since(begun))
		}()
		r.RemoteAddr = s.client(r) // rooms count by it too
		leave, ok := s.crowd.enter(r.RemoteAddr)
		if !ok {
			s.answer(o, errFull)
			return
		}
		defer leave()
		select {
		case s.inFlight <- struct{}{}:
			defer func() { <-s.inFlight }()
		default:
			s.answer(o, errFull)
			return
		}
		open := s.open(r.URL.Path)
		if open {
			letIn(h, r)
		}
		switch {
		case s.draining.Load() && r.URL.Path != pathHealth:
			h.Set("Connection", "close")
			s.answer(o, errStopping)
		case !s.known(r.Host):
			s.answer(o, errHost)
		case open && r.Method == http.MethodOptions:
			w.WriteHeader(http.StatusNoContent)
		case !open && cross.Check(r) != nil:
			s.answer(o, errOrigin)
		default:
			next.ServeHTTP(o, r)
		}
	})
}

// known reports whether a request means this server: by an address, as localhost
// or by one of its names. Another name that leads here is how a page elsewhere
// would get at a server in the same network (DNS rebinding).
func (s *Server) known(host string) bool {
	name := hostname(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return name == "localhost" || slices.Contains(s.Hosts, name)
}

// hostname is what a Host header names, without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// observed notes what was answered.
type observed struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

func (o *observed) WriteHeader(status int) {
	if o.status == 0 {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

func (o *observed) Write(b []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(b)
	o.bytes += int64(n)
	return n, err
}

// log writes one line: which route, never which address, query, body or person.
func (s *Server) log(r *http.Request, id string, o *observed, took time.Duration) {
	level := slog.LevelDebug
	if o.status >= 400 || r.Method == http.MethodPost {
		level = slog.LevelInfo
	}
	if !s.Log.Enabled(r.Context(), level) {
		return
	}
	s.Log.Log(r.Context(), level, "request", "id", id, "method", known(r.Method), "route", s.route(r.URL.Path), "status", o.status, "bytes", o.bytes, "ms", took.Milliseconds())
}

// known is a method's name, none that a client made up.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return method
	}
	return "other"
}

// route names the kind of a path, so that nothing a client typed gets into a log.
func (s *Server) route(path string) string {
	for _, room := range s.Rooms {
		if name := room.Route(path); name != "" {
			return name
		}
	}
	switch {
	case path == pathEnrol, path == pathTime, path == pathReport, path == pathHealth, path == pathSetUp:
		return path
	case strings.HasPrefix(path, "/api/v1/devices/"):
		switch {
		case strings.HasSuffix(path, "/pack"):
			return pathPack
		case strings.HasSuffix(path, "/journal"):
			return pathJournal
		}
		return pathDevice
	case strings.HasPrefix(path, pathScanner):
		return pathScanner
	}
	return "/*"
}

// fail answers for an error of a handler or of the router.
func (s *Server) fail(c *echo.Context, err error) {
	p := &problem{}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.Is(err, ErrBusy):
		p = errDatabase
	case errors.Is(err, ErrFull):
		p = errDiskFull
	case errors.Is(err, ErrCode):
		p = errCode
	case errors.Is(err, ErrNoDevice):
		p = errNoDevice
	case errors.As(err, &tooLarge):
		p = errTooLarge
	default:
		switch status := echo.StatusCode(err); status {
		case http.StatusNotFound:
			p = errNotFound
		case http.StatusMethodNotAllowed:
			p = &problem{status, "method_not_allowed", "", 0}
		default:
			s.Log.Error("fault", "request", RequestID(c.Response()), "code", access.ErrorCode(err))
			p = errFault
		}
	}
	s.answer(c.Response(), p)
}

// RequestID is what the guard called the request that w answers.
func RequestID(w http.ResponseWriter) string { return w.Header().Get("X-Request-ID") }

func (s *Server) answer(w http.ResponseWriter, p *problem) {
	if p.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retry))
	}
	body := map[string]any{"title": http.StatusText(p.status), "status": p.status, "error": p.code, "request": RequestID(w)}
	if p.hint != "" {
		body["hint"] = p.hint
	}
	send(w, p.status, "application/problem+json", body) // RFC 9457, with members of our own
}

// writeJSON answers with an object that nobody keeps.
func writeJSON(w http.ResponseWriter, status int, v any) { send(w, status, "application/json", v) }

func send(w http.ResponseWriter, status int, mime string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own structs
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}

// A limiter counts tries by client address, a minute at a time.
type limiter struct {
	each, all int
	now       func() time.Time

	mu     sync.Mutex
	minute int64
	tries  map[netip.Addr]int
	sum    int
}

// take returns how many seconds a client has to wait; 0: it may go on.
func (l *limiter) take(remote string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().Unix()
	if now/60 != l.minute {
		l.minute, l.tries, l.sum = now/60, map[netip.Addr]int{}, 0
	}
	from := Sender(remote)
	if l.tries[from] >= l.each || l.sum >= l.all {
		return int(60 - now%60)
	}
	l.tries[from]++
	l.sum++
	return 0
}

// Sender is the address that a connection counts under, of http.Request.RemoteAddr;
// what has none is one sender.
func Sender(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	from := at.Addr().Unmap()
	if from.Is6() && !from.IsLoopback() {
		// One machine has as many IPv6 addresses as it likes inside its /64.
		if p, err := from.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return from
}

// A crowd is who is being served, so that nobody takes all places by being slow.
// Phones on USB cables all come from this machine, which is not counted.
type crowd struct {
	each int

	mu     sync.Mutex
	inside map[netip.Addr]int
}

// enter takes a place for a client; ok is false where it has its share already.
func (c *crowd) enter(remote string) (leave func(), ok bool) {
	from := Sender(remote)
	if from.IsLoopback() {
		return func() {}, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inside[from] >= c.each {
		return nil, false
	}
	if c.inside == nil {
		c.inside = map[netip.Addr]int{}
	}
	c.inside[from]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.inside[from]--; c.inside[from] == 0 {
			delete(c.inside, from)
		}
	}, true
}
