package api

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"time"
)

// maxHeaderBytes bounds the headers of a request.
const maxHeaderBytes = 16 << 10

// Serve answers on the listeners until ctx ends. Then it takes no new requests,
// finishes those under way within Limits.Drain and returns once every store that
// was begun has ended, so that the database may be closed. It closes the
// listeners.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.Limits.Header,
		ReadTimeout:       s.Limits.Request,
		WriteTimeout:      s.Limits.Answer,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		// What net/http says of connections names their addresses.
		ErrorLog: log.New(quiet{s}, "", 0),
	}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.draining.Store(true)
	s.Log.Info("stopping")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limits.Drain)
	defer cancel()
	if stop := server.Shutdown(drain); stop != nil {
		// Clients that are slower than that are cut off; they were told nothing.
		err = errors.Join(err, server.Close())
	}
	// Every handler has returned when all places are taken, and every store then too.
	for range cap(s.inFlight) {
		s.inFlight <- struct{}{}
	}
	s.writes.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// quiet tells that a connection failed, and nothing about whose it was.
type quiet struct{ s *Server }

func (q quiet) Write(b []byte) (int, error) {
	q.s.Log.Debug("connection failed")
	return len(b), nil
}
