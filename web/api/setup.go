package api

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v5"

	"aidpass/internal/qrcode"
)

// SetUp is what the set-up page tells about this server.
type SetUp struct {
	Addresses []string // https addresses a phone can open, best first; may be empty
	Local     string   // the address for this machine and for phones on its USB cable; may be empty
	LocalPort string   // its port
	CA        string   // path of the site's own certificate authority, where it has one
}

//go:embed setup.html setup.css words/*.json
var pageFiles embed.FS

// Languages are those of pages for people; the first one is for everybody else.
var Languages = []string{"en", "fr", "es", "ar", "sw"}

// pages are the set-up page's template and words.
type pages struct {
	page  *template.Template
	style *Document
	words map[string]map[string]string
}

func readPages() (*pages, error) {
	p := &pages{words: map[string]map[string]string{}}
	for _, lang := range Languages {
		b, err := pageFiles.ReadFile("words/" + lang + ".json")
		if err != nil {
			return nil, fmt.Errorf("api: set-up page: %w", err)
		}
		var words map[string]string
		if err := json.Unmarshal(b, &words); err != nil {
			return nil, fmt.Errorf("api: set-up page in %s: %w", lang, err)
		}
		p.words[lang] = words
	}
	style, err := pageFiles.ReadFile("setup.css")
	if err != nil {
		return nil, fmt.Errorf("api: set-up page: %w", err)
	}
	p.style = NewDocument(MediaType(".css"), style)
	p.page, err = template.ParseFS(pageFiles, "setup.html")
	return p, err
}

// Language chooses one of Languages by the query, else by Accept-Language in its order; weights are
// for browsers that send them out of order, which none does.
func Language(query, accept string) string {
	asked := append([]string{query}, strings.Split(accept, ",")...)
	for _, a := range asked {
		tag, _, _ := strings.Cut(strings.TrimSpace(a), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if slices.Contains(Languages, base) {
			return base
		}
	}
	return Languages[0]
}

// setUp shows what a phone needs before it travels, and where to open the app.
func (s *Server) setUp(c *echo.Context) error {
	r := c.Request()
	lang := Language(c.QueryParam("lang"), r.Header.Get("Accept-Language"))
	direction := "ltr"
	if lang == "ar" {
		direction = "rtl"
	}
	now := s.SetUp()
	data := map[string]any{"Lang": lang, "Dir": direction, "Words": s.pages.words[lang], "SetUp": now, "App": s.app.find(pathScanner) != nil, "Here": isHere(r)}
	var names []map[string]string
	for _, l := range Languages {
		names = append(names, map[string]string{"Code": l, "Name": s.pages.words[l]["language"]})
	}
	data["Languages"] = names
	if len(now.Addresses) > 0 {
		picture, err := qrcode.PNG(now.Addresses[0]+pathScanner, qrcode.M, 5)
		if err != nil {
			return err
		}
		data["Code"] = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture))
	}
	var page bytes.Buffer
	if err := s.pages.page.Execute(&page, data); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Vary", "Accept-Language")
	NewDocument(MediaType(".html"), page.Bytes()).Serve(c.Response(), r, "no-cache")
	return nil
}

// isHere reports whether a page was asked for as localhost: the reader sits at the computer
// that serves it, or holds a phone on its cable, and is shown first what works there.
func isHere(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func (s *Server) style(c *echo.Context) error {
	s.pages.style.Serve(c.Response(), c.Request(), "no-cache")
	return nil
}
