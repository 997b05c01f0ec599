package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"aidpass/wallet/openid"
)

// signInWait is how long somebody may look for her password.
const signInWait = 10 * time.Minute

// A callback is a port of this machine that a browser comes back to (RFC 8252 7.3).
type callback struct {
	address string
	server  *http.Server
	queries chan visitor
}

// A visitor is a browser that waits for its answer: nil where its query was the one.
type visitor struct {
	query  string
	answer chan error
}

// listenForCallback opens a port under a path that nobody guesses.
func listenForCallback() (*callback, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("a port for the browser to come back to: %w", err)
	}
	host, path := l.Addr().String(), "/"+rand.Text()
	c := &callback{address: "http://" + host + path, queries: make(chan visitor)}
	c.server = &http.Server{ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, MaxHeaderBytes: 32 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Cache-Control", "no-store")
			h.Set("Content-Type", "text/plain; charset=utf-8")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Content-Type-Options", "nosniff")
			// Another name that leads here is another page's (DNS rebinding).
			if r.Host != host || r.URL.Path != path || r.Method != http.MethodGet {
				http.NotFound(w, r)
				return
			}
			v := visitor{r.URL.RawQuery, make(chan error, 1)}
			select {
			case c.queries <- v:
			case <-r.Context().Done():
				return
			}
			select {
			case err := <-v.answer:
				if err != nil {
					w.WriteHeader(http.StatusBadRequest)
					io.WriteString(w, "This sign-in gave the wallet nothing. Look at the terminal.\n")
					return
				}
				io.WriteString(w, "The wallet goes on in the terminal. This page can be closed.\n")
			case <-r.Context().Done():
			}
		})}
	go func() { _ = c.server.Serve(l) }() // ends with close
	return c, nil
}

// wait hands take what browsers come back with, until one has what was waited for or the
// matter is over. Somebody else's answer changes nothing.
func (c *callback) wait(ctx context.Context, take func(query string) error) error {
	over := time.NewTimer(signInWait)
	defer over.Stop()
	for {
		select {
		case v := <-c.queries:
			err := take(v.query)
			v.answer <- err
			if fault, ok := errors.AsType[*openid.Fault](err); ok && (fault.Why == openid.MixUp || fault.Why == openid.BadLink || fault.Why == openid.TooLarge) {
				continue
			}
			return err
		case <-over.C:
			return usagef("nobody signed in").hint("the address is good for ten minutes: aidpass wallet add again")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close ends the port, after the browser has its answer; nil is none.
func (c *callback) close() {
	if c == nil {
		return
	}
	ctx, end := context.WithTimeout(context.Background(), time.Second)
	defer end()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
}
