package api

import (
	"net/http"

	"github.com/labstack/echo/v5"
)

// A Room is a part of the server in another package. It stands behind the same
// guard: its requests are bounded, counted and logged like all others. An error of
// its handlers that is not answered is answered as a fault of the server.
type Room interface {
	// Enter adds the room's routes; s is for Write and RequestID.
	Enter(s *Server, e *echo.Echo)
	// Route names the kind of a path of the room for the log, without anything a client
	// chose; "" for a path that is not the room's.
	Route(path string) string
	// Open reports whether programs in pages of other origins may ask for path and read
	// the answer. Nothing there may be decided by a cookie.
	Open(path string) bool
}

func (s *Server) open(path string) bool {
	for _, room := range s.Rooms {
		if room.Open(path) {
			return true
		}
	}
	return false
}

// letIn tells a browser that a page of another origin may read this answer (CORS).
// It is told so for requests that prove themselves by what the page itself sends. A
// cookie means that the browser spoke for its user; an origin "null" is anybody's
// sandbox: neither is let in.
//
// Fetch 3.2.
func letIn(h http.Header, r *http.Request) {
	if r.Header.Get("Cookie") != "" || r.Header.Get("Origin") == "null" {
		return
	}
	h.Set("Access-Control-Allow-Origin", "*") // with which no browser sends cookies
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if r.Method != http.MethodOptions {
		h.Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate, X-Request-ID")
		return
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
}
