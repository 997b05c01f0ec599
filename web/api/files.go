package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/labstack/echo/v5"
)

// What the apps' content security policies have in common. WebAssembly is the only
// thing that is compiled.
const (
	policyHead = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: mediastream:; connect-src 'self'"
	policyTail = "; worker-src 'self'; manifest-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'; report-uri " + pathReport + "; report-to csp"
)

// Nothing of the scanner comes from or goes to another host. The wallet takes
// credentials from whoever issues them and answers whoever asks: it may connect to any
// host, over https, and loads nothing from there.
const (
	scannerPolicy = policyHead + policyTail
	walletPolicy  = policyHead + " https:" + policyTail
)

// appShelf takes an app's files into memory, to be sent below path. Without index.html there is no app,
// and the shelf is empty.
func appShelf(path string, files fs.FS) (*Shelf, error) {
	s := &Shelf{}
	if files == nil {
		return s, nil
	}
	if _, err := fs.Stat(files, "index.html"); err != nil {
		return s, nil
	}
	docs := map[string]*Document{}
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || name == "README.md" {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		docs[path+name] = NewDocument(MediaType(name), body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("api: the app at %s: %w", path, err)
	}
	docs[path] = docs[path+"index.html"]
	s.Fill(docs)
	return s, nil
}

// sendApp sends a file of an app under its policy.
func sendApp(c *echo.Context, app *Shelf, policy string) error {
	doc := app.find(c.Request().URL.Path)
	if doc == nil {
		return errNotFound
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Reporting-Endpoints", `csp="`+pathReport+`"`)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), geolocation=(), payment=(), usb=(), serial=()")
	// Asked for again each time, answered 304: the service worker keeps its own copy.
	doc.Serve(c.Response(), c.Request(), "no-cache")
	return nil
}

// public sends a document for everybody: trust list, status lists, entries of
// organisations. Other organisations' pages may read them.
func (s *Server) public(c *echo.Context) error {
	doc := s.Public.find(c.Request().URL.Path)
	if doc == nil {
		return errNotFound
	}
	h := c.Response().Header()
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*")
	doc.Serve(c.Response(), c.Request(), "public, max-age=60, must-revalidate")
	return nil
}

// time tells the server's clock; a device shows how far its own is off.
func (s *Server) time(c *echo.Context) error {
	writeJSON(c.Response(), http.StatusOK, map[string]int64{"now": s.Now().Unix()})
	return nil
}

// health says whether this server can do its work: 503 while it stops, or when
// the database does not answer.
func (s *Server) health(c *echo.Context) error {
	if s.draining.Load() {
		return errStopping
	}
	// That no device has a key id of zeros is for the database to say.
	if _, err := s.Devices.Device(c.Request().Context(), [8]byte{}); err != nil && !errors.Is(err, ErrNoDevice) {
		return errDatabase
	}
	writeJSON(c.Response(), http.StatusOK, map[string]any{"state": "ok", "app": s.app.find(pathScanner) != nil, "csp_reports": s.reports.Load()})
	return nil
}

// maxReportBytes bounds a report of a broken policy.
const maxReportBytes = 16 << 10

// cspReport counts what browsers report of the app's content security policy: in
// a sound app nothing. Of the report only the directive gets into the log.
func (s *Server) cspReport(c *echo.Context) error {
	r := c.Request()
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxReportBytes))
	if err != nil {
		return errTooLarge
	}
	s.reports.Add(1)
	s.Log.Warn("content security policy broken", "request", RequestID(c.Response()), "directive", directive(body))
	return c.NoContent(http.StatusNoContent)
}

// directive reads the broken directive from either form of a report, "" where it
// is none of ours.
func directive(body []byte) string {
	type report struct {
		Effective string `json:"effective-directive"`
		New       string `json:"effectiveDirective"`
	}
	var old struct {
		Report report `json:"csp-report"`
	}
	var list []struct {
		Body report `json:"body"`
	}
	name := ""
	if json.Unmarshal(body, &old) == nil {
		name = old.Report.Effective
	} else if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		name = list[0].Body.New
	}
	for _, known := range []string{"script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem", "style-src-attr", "img-src", "media-src",
		"connect-src", "worker-src", "manifest-src", "font-src", "base-uri", "form-action", "frame-ancestors", "default-src"} {
		if name == known {
			return name
		}
	}
	return ""
}

func (s *Server) cspCount(c *echo.Context) error {
	writeJSON(c.Response(), http.StatusOK, map[string]int64{"count": s.reports.Load()})
	return nil
}
