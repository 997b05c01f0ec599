package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Document is a file in memory, ready to be sent: whole, or gzipped where that
// is shorter. It cannot be changed and is safe for concurrent use.
type Document struct {
	mime   []string // header values, made once: net/http takes them as they are
	plain  form
	packed func() *form // gzip, nil where it is not shorter; made when it is first asked for, so that a server starts at once
}

// form is one way in which a document is sent.
type form struct {
	body []byte
	// Header values.
	tag, length []string
}

func newForm(body []byte, tag string) form {
	return form{body, []string{`"` + tag + `"`}, []string{strconv.Itoa(len(body))}}
}

// Header values that many answers have.
var (
	byBytes  = []string{"bytes"}
	byCoding = []string{"Accept-Encoding"}
	inGzip   = []string{"gzip"}
)

// gzipFrom is the size in bytes below which gzip gains nothing.
const gzipFrom = 512

// NewDocument makes a document of body. mime is its Content-Type.
func NewDocument(mime string, body []byte) *Document {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:16])
	return &Document{mime: []string{mime}, plain: newForm(body, tag), packed: sync.OnceValue(func() *form { return pack(body, tag+"-gz") })}
}

// pack is a body in gzip; nil where that gains nothing.
func pack(body []byte, tag string) *form {
	if len(body) < gzipFrom {
		return nil
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a good one
	z.Write(body)                                         // to memory: never fails
	z.Close()
	// Signed and sealed bytes hardly shrink; then a phone need not inflate them.
	if b.Len() >= len(body)*9/10 {
		return nil
	}
	f := newForm(b.Bytes(), tag)
	return &f
}

// Len is the size of the document in bytes, not gzipped.
func (d *Document) Len() int { return len(d.plain.body) }

// Serve answers with the document: whole or in ranges, as the headers ask for, or
// 304. cache is its Cache-Control. Each form has a strong ETag of its own (RFC
// 9110 8.8.3.3).
func (d *Document) Serve(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	h["Content-Type"] = d.mime
	h["Cache-Control"] = []string{cache}
	f := &d.plain
	if packed := d.packed(); packed != nil {
		h["Vary"] = byCoding
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h["Content-Encoding"] = inGzip
			f = packed
		}
	}
	h["Etag"] = f.tag
	if asksForAll(r) {
		// One write, where ServeContent seeks, copies and has a buffer of its own.
		h["Accept-Ranges"], h["Content-Length"] = byBytes, f.length
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			w.Write(f.body)
		}
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

// asksForAll reports whether a request has neither conditions nor ranges (RFC 9110 13.1
// and 14.2), so that the answer is the whole.
func asksForAll(r *http.Request) bool {
	for _, name := range [...]string{"Range", "If-Range", "If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if _, there := r.Header[name]; there {
			return false
		}
	}
	return true
}

// acceptsGzip reads an Accept-Encoding header (RFC 9110 12.5.3).
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" {
			q := strings.TrimSpace(weight)
			return q != "q=0" && !strings.HasPrefix(q, "q=0.000") && q != "q=0.0" && q != "q=0.00"
		}
	}
	return false
}

// A Shelf holds documents by their path. The zero Shelf is empty; it may be
// filled anew while it is read.
type Shelf struct {
	byPath atomic.Pointer[map[string]*Document]
}

// Fill replaces all documents. Paths begin with a slash.
func (s *Shelf) Fill(docs map[string]*Document) {
	docs = maps.Clone(docs)
	s.byPath.Store(&docs)
}

// find returns the document of exactly this path, nil for none.
func (s *Shelf) find(path string) *Document {
	if docs := s.byPath.Load(); docs != nil {
		return (*docs)[path]
	}
	return nil
}

// MediaType is the Content-Type of a file that is served, by its name's ending.
func MediaType(name string) string {
	if t, ok := mediaTypes[path.Ext(name)]; ok {
		return t
	}
	return "application/octet-stream"
}

var mediaTypes = map[string]string{
	".html":        "text/html; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".webmanifest": "application/manifest+json",
	".wasm":        "application/wasm",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".ico":         "image/x-icon",
	".mp3":         "audio/mpeg",
	".ogg":         "audio/ogg",
	".opus":        "audio/ogg",
	".m4a":         "audio/mp4",
	".webm":        "audio/webm",
	".txt":         "text/plain; charset=utf-8",
	".crt":         "application/x-x509-ca-cert",
	".cwt":         "application/statuslist+cwt",
	".jwt":         "application/statuslist+jwt",
	".list":        "application/cose",
	".org":         "application/cose",
	".snapshot":    "application/cose",
	".delta":       "application/cose",
}
