package openid

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v5"

	"aidpass/access"
	"aidpass/internal/jose"
	"aidpass/issuer/offer"
	"aidpass/verifier/request"
)

// Faults of requests that are found before anybody is asked.
var (
	errTooLarge = &offer.Error{Code: offer.InvalidRequest, Description: "the body is too large", Status: http.StatusRequestEntityTooLarge}
	errMedia    = &offer.Error{Code: offer.InvalidRequest, Description: "a body of another content type", Status: http.StatusUnsupportedMediaType}
	errQuery    = &offer.Error{Code: offer.InvalidRequest, Description: "parameters belong into the body, tokens into the header", Status: http.StatusBadRequest}
	errForm     = &offer.Error{Code: offer.InvalidRequest, Description: "not a form", Status: http.StatusBadRequest}
	errRepeated = &offer.Error{Code: offer.InvalidRequest, Description: "a parameter that comes twice", Status: http.StatusBadRequest}
	errCut      = &offer.Error{Code: offer.InvalidRequest, Description: "the body ended early", Status: http.StatusBadRequest}
)

// bodyFault tells a body that was too long from one that broke off.
func bodyFault(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return errTooLarge
	}
	return errCut
}

// never keeps an answer out of every cache.
func never(h http.Header) { h.Set("Cache-Control", "no-store") }

// sendJSON answers with a document that nobody keeps.
func sendJSON(c *echo.Context, status int, body []byte) error { return send(c, status, jsonType, body) }

func send(c *echo.Context, status int, mediaType string, body []byte) error {
	h := c.Response().Header()
	h["Content-Type"] = []string{mediaType}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	never(h)
	c.Response().WriteHeader(status)
	_, err := c.Response().Write(body)
	_ = err // whoever asked has gone
	return nil
}

// refuse answers a fault of the wallet as OAuth words it (RFC 6749 5.2, RFC 6750 3),
// and hands every other error on: that one is ours.
func (s *Server) refuse(c *echo.Context, err error) error {
	var e *offer.Error
	var r *request.Error
	switch {
	case errors.As(err, &e):
	case errors.As(err, &r):
		// Why is for the organisation: who sends what he found learns the code alone.
		s.log(c).Info("refused", "code", r.Code, "reason", r.Reason)
		e = &offer.Error{Code: r.Code, Status: r.Status}
	default:
		return s.Fault(err)
	}
	h := c.Response().Header()
	if e.Err != nil {
		s.log(c).Info("refused", "code", e.Code, "why", access.ErrorCode(e.Err))
	}
	switch e.Status {
	case http.StatusUnauthorized:
		challenge := "Bearer"
		if e.Code != "" {
			challenge += ` error="` + e.Code + `"`
		}
		h.Set("WWW-Authenticate", challenge)
	case http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(restOfMinute(s.Now())))
	}
	if e.Code == "" {
		return send(c, e.Status, jsonType, []byte("{}"))
	}
	members := []jose.Member{{Name: "error", Value: jose.StringOf(e.Code)}}
	if e.Description != "" {
		members = append(members, jose.Member{Name: "error_description", Value: jose.StringOf(e.Description)})
	}
	return sendJSON(c, e.Status, jose.ObjectOf(members...).Append(nil))
}

// restOfMinute is in how many seconds counts by minutes begin anew.
func restOfMinute(now time.Time) int { return 60 - now.Second() }
