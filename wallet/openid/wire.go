package openid

import (
	"errors"
	"strings"
	"unicode/utf8"

	"aidpass/internal/did"
	"aidpass/internal/jose"
)

// Sizes, in bytes.
const (
	MaxLink     = 16 << 10  // a link, as scanned or opened
	MaxAddress  = 2048      // an address in it
	MaxAnswer   = 512 << 10 // any answer but issued credentials
	MaxIssued   = 4 << 20   // an answer with credentials: a batch of 32 at 64 KiB, encrypted
	maxErrorDoc = 16 << 10
)

// limits of metadata, offers and requests.
var limits = jose.Limits{Depth: 16, Entries: 1024, Values: 16384}

// Rules are the caller's.
type Rules struct {
	// Development lets http through to this very machine: localhost, 127.0.0.1
	// and [::1]. For tests and for a laptop that is its own server.
	Development bool
	// SignIn: the caller can send the holder to a browser and read where it comes back
	// (Visit). Without, an offer that wants a sign-in is Unsupported.
	SignIn bool
}

// Request is what the caller is to send. Redirects are not followed, cookies and
// the like are not sent.
type Request struct {
	Method string // GET or POST
	URL    string
	Accept string // the media type that is taken
	Type   string // Content-Type; "" for none
	Bearer string // goes into Authorization: Bearer; "" for none. A secret
	Body   []byte
	Max    int // bytes of the answer: a longer one is not read on
}

// Response is what came back.
type Response struct {
	Status int    // 200 and so on; 0: no answer came
	Type   string // Content-Type as sent
	Body   []byte // up to Max+1 bytes of it
}

// checkURL refuses what must not be fetched: anything but https, a user or
// password, a fragment, numbers for hosts, odd characters. Whether a name leads
// inside somebody's network is seen when it is dialled (web/resolve); a browser
// has its own guard.
func (r Rules) checkURL(url string) error {
	bad := fault(NotHTTPS, "an address that is not plain https")
	if len(url) > MaxAddress {
		return bad
	}
	rest, ok := strings.CutPrefix(url, "https://")
	local := false
	if !ok && r.Development {
		rest, local = strings.CutPrefix(url, "http://")
		ok = local
	}
	if !ok {
		return bad
	}
	for i := range len(rest) {
		if c := rest[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}#", c) >= 0 {
			return bad
		}
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority = rest[:i]
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		host, port = authority[:i], authority[i+1:]
		if port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return bad
		}
	}
	here := host == "localhost" || host == "127.0.0.1" || host == "[::1]"
	switch {
	case here && r.Development:
		return nil
	case here || local || !did.IsHost(host) || !strings.Contains(host, "."):
		return bad
	}
	return nil
}

// checkIssuer is checkURL for an identifier: no query, no step up.
func (r Rules) checkIssuer(id string) error {
	if err := r.checkURL(id); err != nil {
		return err
	}
	if strings.Contains(id, "?") || strings.Contains(id, "/.") || strings.Contains(id, "%") {
		return fault(NotHTTPS, "an issuer's identifier with a query or an odd path")
	}
	return nil
}

// wellKnown inserts /.well-known/name between host and path. OpenID4VCI 12.2.2;
// RFC 8414 3.1 leaves a slash at the end out.
func wellKnown(id, name string) string {
	i := strings.Index(id, "://") + 3
	host, path := id[i:], ""
	if j := strings.IndexByte(host, '/'); j >= 0 {
		host, path = host[:j], strings.TrimSuffix(host[j:], "/")
	}
	return id[:i] + host + "/.well-known/" + name + path
}

// hostOf is the host and port of an address that checkURL took, for people.
func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// form reads application/x-www-form-urlencoded. A name given twice is a fault:
// two readers would take two values.
func form(s string) (map[string]string, error) {
	out := map[string]string{}
	if s == "" {
		return out, nil
	}
	for pair := range strings.SplitSeq(s, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, ok := unescape(name)
		v, ok2 := unescape(value)
		if !ok || !ok2 {
			return nil, fault(BadLink, "a link with a broken escape")
		}
		if _, twice := out[n]; twice {
			return nil, fault(BadLink, "a link that names a parameter twice")
		}
		if len(out) == 64 {
			return nil, fault(BadLink, "a link with too many parameters")
		}
		out[n] = v
	}
	return out, nil
}

func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, utf8.ValidString(s)
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(s) || hexOf(s[i+1]) < 0 || hexOf(s[i+2]) < 0 {
				return "", false
			}
			out = append(out, byte(hexOf(s[i+1])<<4|hexOf(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out), utf8.Valid(out)
}

func hexOf(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// appendForm appends name=value, escaped as HTML forms are.
func appendForm(dst []byte, name, value string) []byte {
	if len(dst) > 0 {
		dst = append(dst, '&')
	}
	return escape(append(escape(dst, name), '='), value)
}

func escape(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._*", c) >= 0:
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

const jsonType = "application/json"

// object reads an answer's JSON object of at most max bytes.
func (r *Response) object(max int, what string) (jose.Value, error) {
	if len(r.Body) > max {
		return jose.Value{}, fault(TooLarge, "%s of more than %d bytes", what, max)
	}
	if mediaType(r.Type) != jsonType {
		return jose.Value{}, fault(BadAnswer, "%s that is not JSON", what)
	}
	return object(r.Body, what)
}

func object(b []byte, what string) (jose.Value, error) {
	v, err := jose.ParseJSON(b, limits)
	switch {
	case errors.Is(err, jose.ErrTooLarge):
		return v, fault(TooLarge, "%s with too many entries", what)
	case err != nil:
		return v, fault(BadAnswer, "%s: %w", what, err)
	case v.Kind != jose.Object:
		return v, fault(BadAnswer, "%s that is not an object", what)
	}
	return v, nil
}

// mediaType is the type without parameters, in lower case.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

// down says whether nobody answered as a server should: an answer from a gate in
// between, or none.
func (r *Response) down() error {
	switch {
	case r.Status == 0:
		return fault(NoAnswer, "no answer came")
	case r.Status >= 500 || r.Status == 429:
		return fault(NoAnswer, "the server is not able to answer now: %d", r.Status)
	case r.Status >= 300 && r.Status < 400:
		return fault(BadAnswer, "the server sends on to another address")
	}
	return nil
}

// errorCode is the error member of an error answer; "" where there is none.
func (r *Response) errorCode() string {
	if len(r.Body) > maxErrorDoc || mediaType(r.Type) != jsonType {
		return ""
	}
	v, err := object(r.Body, "an error")
	if err != nil {
		return ""
	}
	return codeOf(v.Get("error").Text)
}

// textOf is a member that is a string of at most max bytes; "" for none.
func textOf(v jose.Value, name string, max int) string {
	m := v.Get(name)
	if m.Kind != jose.String || len(m.Text) > max {
		return ""
	}
	return m.Text
}

// textsOf is a member that is an array of strings; nil for anything else.
func textsOf(v jose.Value, name string) []string {
	var out []string
	for _, item := range v.Get(name).Items {
		if item.Kind != jose.String {
			return nil
		}
		out = append(out, item.Text)
	}
	return out
}

func member(name string, v jose.Value) jose.Member { return jose.Member{Name: name, Value: v} }
