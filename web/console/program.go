package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/web/api"
)

// Programs come to the same routes as people, with a token of an account instead of a
// cookie, and are answered in JSON: what a handler gives to Show as an object, the end of
// an act as a doneAnswer, a dry run as a dryAnswer, and faults as problems (RFC 9457).
// docs/openapi-desk.yaml is made of the table, and told at /desk/api/openapi.yaml.

// errPerson: a person does it, with a fresh proof of who she is.
var errPerson = &Fault{Status: http.StatusForbidden, Word: "fault.person"}

var errToken = &Fault{Status: http.StatusUnauthorized, Word: "fault.token"}

// knowProgram takes the token of a request (RFC 6750 2.1) for who asks. A cookie beside
// it counts for nothing.
func (s *Console) knowProgram(p *Page, said []string) error {
	p.program = true
	scheme, secret, _ := strings.Cut(said[0], " ")
	if len(said) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return p.refuseToken()
	}
	t, err := s.Door.Token(p.Context(), secret)
	if errors.Is(err, access.ErrNoToken) {
		return p.refuseToken()
	}
	if err != nil {
		return err
	}
	p.know(t.Session(), "")
	if wait := s.calls.take(t.ID, s.Now()); wait > 0 {
		return Slow(wait)
	}
	return nil
}

func (p *Page) refuseToken() error {
	p.c.Response().Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	return errToken
}

// calls bounds how often each token asks: callsBurst at once, and callsEach a second.
type calls struct {
	mu   sync.Mutex
	list map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

const (
	callsEach  = 10
	callsBurst = 100
)

// take counts a call, or says how long to wait for the next.
func (c *calls) take(token string, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.list == nil || len(c.list) > 2*access.MaxTokens {
		c.list = map[string]bucket{}
	}
	b, ok := c.list[token]
	if !ok {
		b = bucket{callsBurst, now}
	}
	b.left = min(callsBurst, b.left+max(0, now.Sub(b.at).Seconds())*callsEach)
	b.at = now
	defer func() { c.list[token] = b }()
	if b.left < 1 {
		return time.Second
	}
	b.left--
	return 0
}

// A doneAnswer is how an act ended: what a page would say, where its outcome is, and how
// it is taken back.
type doneAnswer struct {
	Done template.HTML
	See  string
	Undo *Undo
}

// A dryAnswer is what an act on many would do. Nothing was done: it is, when the fields of
// send are sent to the same path again.
type dryAnswer struct {
	DryRun bool
	Says   template.HTML
	Can    int
	Cannot []Reason
	Post   string
	Send   map[string]any
}

func (p *Page) dryRun(status int, c Confirm) error {
	d := dryAnswer{DryRun: true, Says: c.Says, Can: c.Can, Cannot: c.Cannot, Post: Root + c.Path, Send: map[string]any{"step": strconv.Itoa(c.Can)}}
	if c.Can >= largeFrom {
		d.Send["typed"] = strconv.Itoa(c.Can)
	}
	for name, v := range c.Fields {
		d.Send[name] = v
	}
	for name, v := range c.Many {
		d.Send[name] = v
	}
	return p.tell(status, d)
}

// forProgram is what data of pages implements whose form for programs is another one.
type forProgram interface{ Programs() any }

// tell answers a program.
func (p *Page) tell(status int, data any) error {
	data = dataForPrograms(data)
	v, err := plain(data)
	if err != nil {
		return err
	}
	v = p.Route.only(data, v)
	if v == nil {
		v = map[string]any{}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return p.c.Blob(status, "application/json", append(b, '\n'))
}

// problem answers a program with a fault (RFC 9457).
func (p *Page) problem(f *Fault) error {
	fill := p.whys(f.Fill)
	detail := text(p.T(f.Word+".do", fill...))
	if f.Detail != "" {
		detail += " (" + f.Detail + ")"
	}
	b, err := json.Marshal(map[string]any{"type": "about:blank", "title": text(p.T(f.Word, fill...)), "status": f.Status, "detail": detail,
		"code": f.Word, "request": api.RequestID(p.c.Response())})
	if err != nil {
		return err
	}
	return p.c.Blob(f.Status, "application/problem+json", append(b, '\n'))
}

// serve runs the handler for a program; an act of one Idempotency-Key once. What shows
// records or hands out a file is asked anew each time, so that the log tells of each.
func (s *Console) serve(p *Page) error {
	key := p.c.Request().Header.Values("Idempotency-Key")
	if len(key) == 0 || p.Route.Method != http.MethodPost {
		return p.Route.Handler(p)
	}
	if len(key) > 1 || key[0] == "" || len(key[0]) > 255 {
		return errFields
	}
	print, err := p.print()
	if err != nil {
		return err
	}
	id := sha256.Sum256([]byte(p.In.Program() + "\x00" + key[0]))
	a, fault := s.repeats.begin(id, print, p.In.Account.ID, s.Now())
	if fault != nil {
		return fault
	}
	if a != nil {
		p.c.Response().Header().Set("Idempotency-Replayed", "true")
		if a.kind == "" {
			return p.c.NoContent(a.status)
		}
		return p.c.Blob(a.status, a.kind, a.body)
	}
	w := &kept{ResponseWriter: p.c.Response()}
	p.c.SetResponse(w)
	defer func() { s.repeats.end(id, w, p.acted, s.Now()) }()
	return s.fail(p, p.Route.Handler(p))
}

// print tells one act from another: its path and what was sent.
func (p *Page) print() (sum [32]byte, err error) {
	h := sha256.New()
	io.WriteString(h, p.c.Request().URL.RequestURI()+"\n"+url.Values(p.Form).Encode())
	if form := p.c.Request().MultipartForm; form != nil {
		for _, name := range slices.Sorted(maps.Keys(form.File)) {
			for _, f := range form.File[name] {
				file, err := f.Open()
				if err != nil {
					return sum, err
				}
				io.WriteString(h, "\n"+name+"\n")
				_, err = io.Copy(h, file)
				if err = errors.Join(err, file.Close()); err != nil {
					return sum, err
				}
			}
		}
	}
	return [32]byte(h.Sum(nil)), nil
}

// kept is an answer that is remembered while it is given.
type kept struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	large  bool
}

func (k *kept) Unwrap() http.ResponseWriter { return k.ResponseWriter }

func (k *kept) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

func (k *kept) Write(b []byte) (int, error) {
	if k.status == 0 {
		k.status = http.StatusOK
	}
	if k.large = k.large || k.body.Len()+len(b) > maxRepeat; !k.large {
		k.body.Write(b)
	}
	return k.ResponseWriter.Write(b)
}

// repeats are the answers to acts with an Idempotency-Key, while this program runs, for
// repeatLife. Each account has its own places, which its tokens share: no program pushes out
// another's. Nothing is forgotten before its time: where the places are full, an act with a
// new key is refused and not done.
type repeats struct {
	mu    sync.Mutex
	list  map[[32]byte]*repeat
	used  map[string]room // by account
	bytes int             // of all
}

type room struct{ keys, bytes int }

type repeat struct {
	account string
	print   [32]byte
	at      time.Time
	done    bool
	status  int
	kind    string
	body    []byte
}

const (
	repeatLife   = 24 * time.Hour
	maxRepeats   = 1000     // of an account
	maxRepeat    = 64 << 10 // bytes of an answer
	maxKept      = 2 << 20  // bytes of an account's
	maxKeptInAll = 64 << 20
)

var (
	errUnderWay = &Fault{Status: http.StatusConflict, Word: "fault.under_way", Retry: time.Second}
	errOtherAct = &Fault{Status: http.StatusUnprocessableEntity, Word: "fault.other_act"}
	errManyKeys = &Fault{Status: http.StatusTooManyRequests, Word: "fault.many_keys", Retry: time.Hour}
)

// begin returns the answer that an act had before; nil: it is to be done now.
func (r *repeats) begin(id, print [32]byte, account string, now time.Time) (*repeat, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if have := r.list[id]; have != nil && now.Sub(have.at) < repeatLife {
		switch {
		case have.print != print:
			return nil, errOtherAct
		case !have.done:
			return nil, errUnderWay
		}
		return have, nil
	}
	if r.list == nil {
		r.list, r.used = map[[32]byte]*repeat{}, map[string]room{}
	}
	if r.full(account) {
		for old, have := range r.list {
			if now.Sub(have.at) >= repeatLife {
				r.drop(old)
			}
		}
	}
	if r.full(account) {
		return nil, errManyKeys
	}
	r.drop(id)
	r.list[id] = &repeat{account: account, print: print, at: now}
	r.count(account, 1, 0)
	return nil, nil
}

func (r *repeats) full(account string) bool {
	u := r.used[account]
	return u.keys >= maxRepeats || u.bytes >= maxKept || r.bytes >= maxKeptInAll
}

func (r *repeats) count(account string, keys, bytes int) {
	u := r.used[account]
	u.keys, u.bytes, r.bytes = u.keys+keys, u.bytes+bytes, r.bytes+bytes
	if r.used[account] = u; u.keys == 0 {
		delete(r.used, account)
	}
}

func (r *repeats) drop(id [32]byte) {
	if have := r.list[id]; have != nil {
		r.count(have.account, -1, -len(have.body))
		delete(r.list, id)
	}
}

// end keeps an answer that says what was done, or why not. What failed for a reason that
// passes is tried again.
func (r *repeats) end(id [32]byte, w *kept, acted bool, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	have := r.list[id]
	if have == nil {
		return
	}
	if w.status == 0 || w.status >= 500 || w.status == http.StatusTooManyRequests || w.large || w.status < 400 && !acted {
		r.drop(id)
		return
	}
	r.count(have.account, 0, w.body.Len()-len(have.body))
	have.done, have.at, have.status, have.kind, have.body = true, now, w.status, w.Header().Get("Content-Type"), w.body.Bytes()
}

// manual is the page of the API.
type manual struct{ *Console }

func (m *manual) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

func (m *manual) Routes() []Route {
	return []Route{{Method: http.MethodGet, Path: "/api/openapi.yaml", Act: Anyone, Program: true, Answer: Sends("application/yaml"), Handler: func(p *Page) error {
		return p.c.Blob(http.StatusOK, "application/yaml", m.openAPI())
	}}}
}

// OpenAPI is docs/openapi-desk.yaml: what programs may ask of this console.
func (s *Console) OpenAPI() []byte { return bytes.Clone(s.openAPI()) }
