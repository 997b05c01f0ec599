package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aidpass/internal/jose"
)

// want says what is asked for.
type want struct {
	what   string   // for errors: "a status list"
	types  []string // media types taken, the first asked for
	max    int      // bytes
	fixed  bool     // no redirect at all
	cached bool
}

// get fetches address once, or takes it from the cache.
func (c *Client) get(ctx context.Context, address string, w want) ([]byte, error) {
	if len(address) > maxAddress {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrAddress, maxAddress)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be read", ErrAddress)
	}
	if err := c.checkURL(u); err != nil {
		return nil, err
	}
	key := w.types[0] + " " + address
	if w.cached {
		if b, ok := c.cache.find(key, time.Now()); ok {
			return b, nil
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be asked for", ErrAddress)
	}
	b, keep, err := c.do(r, w)
	if err == nil && w.cached {
		c.cache.add(key, b, time.Now(), keep)
	}
	return b, err
}

// maxAddress bounds an address, in bytes.
const maxAddress = 2048

// do sends one request and reads its answer. keep is how long it may be kept.
func (c *Client) do(r *http.Request, w want) (b []byte, keep time.Duration, err error) {
	r.Header.Set("Accept", w.types[0])
	r.Header.Set("User-Agent", "aidpass")
	client := *c.http
	if w.fixed {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return answer("%s redirects", r.URL.Hostname()) }
	}
	res, err := client.Do(r)
	if err != nil {
		return nil, 0, c.unreached(r, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, 0, answer("%s answers %d instead of %s", r.URL.Hostname(), res.StatusCode, w.what)
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(w.types, kind) {
		return nil, 0, answer("%s answers with something else than %s (%s)", r.URL.Hostname(), w.what, w.types[0])
	}
	// The library inflates; what counts is what comes out.
	b, err = io.ReadAll(io.LimitReader(res.Body, int64(w.max)+1))
	switch {
	case err != nil:
		return nil, 0, c.unreached(r, err)
	case len(b) > w.max:
		return nil, 0, answer("%s of %s is larger than %d bytes", w.what, r.URL.Hostname(), w.max)
	}
	return b, lifetime(res.Header.Get("Cache-Control")), nil
}

// unreached keeps our own faults and turns the library's, which hold the whole
// address, into one that does not.
func (c *Client) unreached(r *http.Request, err error) error {
	var in *url.Error
	if errors.As(err, &in) {
		err = in.Err
	}
	for _, own := range []error{ErrAddress, ErrAnswer, ErrUnreachable} {
		if errors.Is(err, own) {
			return err
		}
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return fmt.Errorf("%w from %s", ErrUnreachable, r.URL.Hostname())
}

// lifetime is how long an answer may be kept: what its server says, at most
// maxKept. RFC 9111 5.2.2.
func lifetime(header string) time.Duration {
	keep := maxKept
	for part := range strings.SplitSeq(strings.ToLower(header), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "no-store", "no-cache", "private":
			return 0
		case "max-age":
			if d, err := time.ParseDuration(value + "s"); err == nil && d >= 0 {
				keep = min(keep, d)
			}
		}
	}
	return keep
}

// jsonLimits bound the documents of others.
var jsonLimits = jose.Limits{Depth: 16, Entries: 512, Values: 16384}

// getJSON fetches one JSON object.
func (c *Client) getJSON(ctx context.Context, address string, w want) (jose.Value, []byte, error) {
	b, err := c.get(ctx, address, w)
	if err != nil {
		return jose.Value{}, nil, err
	}
	v, err := jose.ParseJSON(b, jsonLimits)
	if err != nil {
		return v, nil, answer("%s: %w", w.what, err)
	}
	if v.Kind != jose.Object {
		return v, nil, answer("%s is not an object", w.what)
	}
	return v, b, nil
}

// WellKnown inserts /.well-known/name between the host and the path of an
// identifier, as RFC 8414 3.1 has it; a slash at its end is left out. Identifiers
// are https addresses without query or fragment.
func WellKnown(identifier, name string) (string, error) {
	u, err := url.Parse(identifier)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(identifier, "#?\\") || u.User != nil {
		return "", fmt.Errorf("%w: an identifier is an https address without query or fragment", ErrAddress)
	}
	for step := range strings.SplitSeq(u.EscapedPath(), "/") {
		if plain, err := url.PathUnescape(step); err != nil || plain == "." || plain == ".." {
			return "", fmt.Errorf("%w: a step up in its path", ErrAddress)
		}
	}
	return u.Scheme + "://" + u.Host + "/.well-known/" + name + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}
