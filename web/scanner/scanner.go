// Package scanner hands out the scanner app: an offline web page that judges cards,
// records what was given and keeps both on the phone.
//
// The app is TypeScript in src, bundled by web/build into dist, which is embedded
// when the program is built. It asks for no other host, and its pages run under CSP.
package scanner

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// ErrNotBuilt: the program was built without the app.
var ErrNotBuilt = errors.New("scanner: this program was built without the scanner app: run make web, then make build")

// CSP is the Content-Security-Policy of every page of the app. WebAssembly is
// compiled from the app's own files; a photo is looked at through a blob URL.
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; " +
	"media-src 'self' blob: mediastream:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed dist
var dist embed.FS

// file is one file of the app, ready to be sent.
type file struct {
	content, packed []byte
	kind, tag       string
}

var load = sync.OnceValues(func() (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == "dist/README.md" {
			return err
		}
		content, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		digest := sha256.Sum256(content)
		f := file{content: content, kind: kind(name), tag: `"` + hex.EncodeToString(digest[:16]) + `"`}
		if f.packed, err = pack(content); err != nil {
			return err
		}
		files[strings.TrimPrefix(name, "dist")] = f
		return nil
	})
	if _, there := files["/index.html"]; !there && err == nil {
		err = ErrNotBuilt
	}
	return files, err
})

// kind does not ask the machine's own tables, which differ.
func kind(name string) string {
	switch path.Ext(name) {
	case ".wasm":
		return "application/wasm" // or browsers refuse to compile it while it arrives
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".json":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func pack(content []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// Handler serves the app below its own root: strip any prefix first. Everything
// comes from memory with an ETag, packed for who takes it. The error is ErrNotBuilt
// where there is no app to serve.
func Handler() (http.Handler, error) {
	files, err := load()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Clean("/" + r.URL.Path)
		if name == "/" {
			name = "/index.html"
		}
		f, there := files[name]
		switch {
		case !there:
			http.NotFound(w, r)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", CSP)
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache") // the service worker keeps the app; HTTP caches ask
		h.Set("Content-Type", f.kind)
		h.Set("ETag", f.tag)
		h.Set("Vary", "Accept-Encoding")
		if r.Header.Get("If-None-Match") == f.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		content := f.content
		if takesGzip(r.Header.Get("Accept-Encoding")) && len(f.packed) < len(content) {
			content = f.packed
			h.Set("Content-Encoding", "gzip")
		}
		h.Set("Content-Length", strconv.Itoa(len(content)))
		if r.Method == http.MethodGet {
			w.Write(content) // a client that went away is no fault of ours
		}
	}), nil
}

func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		if coding, q, _ := strings.Cut(strings.TrimSpace(part), ";"); coding == "gzip" {
			return strings.ReplaceAll(q, " ", "") != "q=0"
		}
	}
	return false
}
