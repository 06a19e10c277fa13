package portal

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"habeas.dev/services/internal/receipt"
)

//go:embed assets
var assets embed.FS

// asset is a file that pages need, as it is and compressed: what opens an answer has 118 kB,
// and a page is to have no more than a hundred.
type asset struct {
	plain, gzipped []byte
	media          string
}

// readAssets returns the files that pages need, by their names.
func readAssets() (map[string]asset, error) {
	files, err := fs.ReadDir(assets, "assets")
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	// It is the receipts' own, which have it in their pages.
	contents := map[string][]byte{"check.js": []byte(receipt.Script + "\nexport { checkReceipt };\n")}
	for _, f := range files {
		if contents[f.Name()], err = assets.ReadFile("assets/" + f.Name()); err != nil {
			return nil, fmt.Errorf("portal: %w", err)
		}
	}
	all := map[string]asset{}
	for name, content := range contents {
		var small bytes.Buffer
		w, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
		if err == nil {
			_, err = w.Write(content)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("portal: %s: %w", name, err)
		}
		all[name] = asset{content, small.Bytes(), mime.TypeByExtension(path.Ext(name))}
	}
	return all, nil
}

// serveAsset serves a file that pages need. Pages aren't compressed: they hold what was typed
// beside what is secret.
func (p *Portal) serveAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := p.assets[r.PathValue("file")]
	if !ok {
		p.fail(w, r, http.StatusNotFound, "error.none")
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.media)
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Vary", "Accept-Encoding")
	content := a.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = a.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // who went away is told nothing
	}
}
