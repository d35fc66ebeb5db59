package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"time"
)

//go:embed web
var web embed.FS

// page serves the NOC page: plain HTML, CSS and ES modules, as they are in web/.
type page struct{ files map[string]file }

type file struct {
	body []byte
	mime string
	etag string
}

// mimes are the kinds of file that a page is made of. The machine's own table of
// types is not asked: it may be wrong or missing.
func mimes() map[string]string {
	return map[string]string{
		".html": "text/html; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".svg":  "image/svg+xml",
	}
}

func loadPage() (*page, error) {
	entries, err := web.ReadDir("web")
	if err != nil {
		return nil, err
	}
	p := &page{files: map[string]file{}}
	for _, e := range entries {
		body, err := web.ReadFile(path.Join("web", e.Name()))
		if err != nil {
			return nil, err
		}
		mime, ok := mimes()[path.Ext(e.Name())]
		if !ok {
			return nil, fmt.Errorf("no media type for %s", e.Name())
		}
		sum := sha256.Sum256(body)
		p.files[e.Name()] = file{body: body, mime: mime, etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return p, nil
}

func (p *page) index(w http.ResponseWriter, r *http.Request) { p.serve(w, r, "index.html") }

func (p *page) asset(w http.ResponseWriter, r *http.Request) { p.serve(w, r, r.PathValue("file")) }

// serve answers with the file, or that the browser has it already.
func (p *page) serve(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := p.files[name]
	if !ok {
		notFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.mime)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", f.etag)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.body))
}
