package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"

	"github.com/labstack/echo/v5"

	"aidpass/access"
	"aidpass/verifier/enrol"
)

// maxEnrolBytes bounds the JSON of a request to enrol: a code and 256 bytes in base64url.
const maxEnrolBytes = 1024

// deviceAnswer is what a device is told about itself.
type deviceAnswer struct {
	State       access.DeviceState `json:"state"`
	Device      string             `json:"device"` // kid, 16 hex digits
	Site        string             `json:"site"`
	Words       string             `json:"words"`                 // of its key, to be compared
	Certificate string             `json:"certificate,omitempty"` // base64url
}

func describe(d *access.Device) deviceAnswer {
	a := deviceAnswer{State: d.State, Device: d.ID(), Site: d.Site, Words: enrol.Words(d.Key)}
	if d.State == access.DeviceConfirmed {
		a.Certificate = base64.RawURLEncoding.EncodeToString(d.Certificate)
	}
	return a
}

// enrol takes a device's request with its code.
func (s *Server) enrol(c *echo.Context) error {
	r := c.Request()
	// Before the body is read: guessing codes costs us nothing.
	if wait := s.tries.take(r.RemoteAddr); wait > 0 {
		return &problem{http.StatusTooManyRequests, "too_many_tries", "wait a minute", wait}
	}
	body, err := readBody(c, "application/json", maxEnrolBytes)
	if err != nil {
		return err
	}
	var in struct {
		Code    string `json:"code"`
		Request string `json:"request"`
	}
	if err := readJSON(body, &in); err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(in.Request)
	if err != nil {
		return &problem{http.StatusBadRequest, "bad_request", "request: not base64url without padding", 0}
	}
	request, err := enrol.ParseRequest(raw)
	if err != nil {
		return &problem{http.StatusBadRequest, "bad_request", "request: not a device's request", 0}
	}
	var d access.Device
	err = s.Write(r.Context(), func(ctx context.Context) (err error) {
		d, err = s.Devices.Enrol(ctx, in.Code, request)
		return err
	})
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if d.State != access.DevicePending {
		status = http.StatusOK
	}
	writeJSON(c.Response(), status, describe(&d))
	return nil
}

// device tells a device how far it has come; a waiting one asks again and again.
func (s *Server) device(c *echo.Context) error {
	d, err := s.find(c)
	if err != nil {
		return err
	}
	writeJSON(c.Response(), http.StatusOK, describe(&d))
	return nil
}

// find returns the device that a path names.
func (s *Server) find(c *echo.Context) (d access.Device, err error) {
	raw, err := hex.DecodeString(c.Param("kid"))
	if err != nil || len(raw) != 8 {
		return d, errNoDevice
	}
	return s.Devices.Device(c.Request().Context(), [8]byte(raw))
}

// pack sends the newest pack of the device's site. It needs no proof of who asks:
// what is secret in a pack is sealed to devices, and a withdrawn device is left
// out of the next one.
func (s *Server) pack(c *echo.Context) error {
	d, err := s.find(c)
	if err != nil {
		return err
	}
	switch d.State {
	case access.DeviceConfirmed:
		if d.Frozen() {
			return errFrozen
		}
	case access.DevicePending:
		return errPending
	case access.DeviceWithdrawn:
		return errWithdrawn
	default:
		return errRefused
	}
	var doc *Document
	err = s.Write(c.Request().Context(), func(ctx context.Context) (err error) {
		doc, err = s.Packs.Pack(ctx, d)
		return err
	})
	if err != nil {
		return err
	}
	// A device keeps its pack itself; a cache beside it would outlive a wiped app.
	doc.Serve(c.Response(), c.Request(), "no-store")
	return nil
}

// readBody reads a body of one content type and at most max bytes.
func readBody(c *echo.Context, want string, max int64) ([]byte, error) {
	r := c.Request()
	// Another type would let a page elsewhere send it without asking first.
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != want {
		return nil, &problem{errMedia.status, errMedia.code, "Content-Type: " + want, 0}
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, &problem{errMedia.status, errMedia.code, "no Content-Encoding", 0}
	}
	if r.ContentLength > max {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, max))
	if err != nil {
		if _, tooLarge := err.(*http.MaxBytesError); tooLarge {
			return nil, errTooLarge
		}
		return nil, errBody // cut off on the way: nothing of it counts
	}
	return body, nil
}

// readJSON reads one object with no other members than v's.
func readJSON(body []byte, v any) error {
	if err := decodeStrict(body, v); err != nil {
		return &problem{errBody.status, errBody.code, "one JSON object with the members of docs/openapi.yaml", 0}
	}
	return nil
}

func decodeStrict(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errBody
	}
	return nil
}
