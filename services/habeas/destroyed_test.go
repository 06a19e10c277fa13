package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// destroyed counts, by record, how often a vendor was told to delete or purge it.
// It stands before the stand-ins and reads what goes over the wire.
type destroyed struct {
	mu    sync.Mutex
	times map[string]int // by call and record
}

func newDestroyed() *destroyed { return &destroyed{times: map[string]int{}} }

var (
	crmDeletions  = regexp.MustCompile(`"method":"DELETE"[^}]*?[?&]ids=([\w,]+)`)
	crmPurges     = regexp.MustCompile(`<(?:\w+:)?ids>(\w+)</`)
	mailDeletions = regexp.MustCompile(`"id":(\d+)`)
	payDeletions  = regexp.MustCompile(`"customerRefNum":"([^"]+)"`)
)

func (d *destroyed) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch {
		case strings.HasSuffix(r.URL.Path, "/leads/delete.json"):
			d.note("delete lead", mailDeletions, body)
		case strings.Contains(r.URL.Path, "/services/Soap/"):
			d.note("purge", crmPurges, body)
		case strings.HasSuffix(r.URL.Path, "/composite"):
			d.note("delete", crmDeletions, body)
		case r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/gwapi/"):
			d.note("delete profile", payDeletions, body)
		}
		next.ServeHTTP(w, r)
	})
}

func (d *destroyed) note(call string, ids *regexp.Regexp, text []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, found := range ids.FindAllSubmatch(text, -1) {
		for id := range strings.SplitSeq(string(found[1]), ",") {
			d.times[call+" "+id]++
		}
	}
}

// snapshot returns how often each record was destroyed until now.
func (d *destroyed) snapshot() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.times)
}

// more names the records that were destroyed more often than allowed since a
// snapshot, and says how many were destroyed at all.
func (d *destroyed) more(since map[string]int, allowed int) (tooOften []string, all int) {
	for what, n := range d.snapshot() {
		if n -= since[what]; n > 0 {
			all++
		}
		if n > allowed {
			tooOften = append(tooOften, fmt.Sprintf("%s %d times", what, n))
		}
	}
	return tooOften, all
}
