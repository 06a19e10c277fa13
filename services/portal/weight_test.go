package portal_test

import (
	"io"
	"net/http"
	"regexp"
	"testing"

	"habeas.dev/services/internal/core"
)

// maxWeight is what a page may have over the wire, with all that it needs, in bytes; without
// the company's logo, which is its own.
const maxWeight = 100_000

var (
	needed   = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+|/brand\.css)"`)
	imported = regexp.MustCompile(`"(?:\./|/assets/)([a-z]+\.js)"`)
)

// weigh returns what a page has over the wire, with all that it needs and what that needs.
func (s *site) weigh(path string, seen map[string]bool) (n int) {
	s.Helper()
	if seen[path] {
		return 0
	}
	seen[path] = true
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.URL+path, nil)
	s.must(err)
	r.Header.Set("Accept-Encoding", "gzip") // set here, the client counts what comes
	resp, err := s.http.Do(r)
	s.must(err)
	defer resp.Body.Close()
	wire, err := io.ReadAll(resp.Body)
	s.must(err)
	if resp.StatusCode != http.StatusOK {
		s.Fatalf("%s: %d", path, resp.StatusCode)
	}
	text := string(wire)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		text = s.get(path).text
	}
	n = len(wire)
	for _, m := range needed.FindAllStringSubmatch(text, -1) {
		n += s.weigh(m[1], seen)
	}
	for _, m := range imported.FindAllStringSubmatch(text, -1) {
		n += s.weigh("/assets/"+m[1], seen)
	}
	return n
}

// TestPagesAreLight: a page has a hundred kilobytes at most, whatever it needs, that on which
// an answer is opened too; and what is compressed is the same.
func TestPagesAreLight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	_, err := s.requests.Do(t.Context(), id, core.AskProof{By: "lea", Now: s.clock()})
	s.must(err)
	proof := s.weigh("/r/"+id, map[string]bool{})
	_, err = s.requests.Do(t.Context(), id, core.JudgeProof{By: "lea", Accepted: true, Now: s.clock()})
	s.must(err)
	s.completed(id)
	s.receipted(id)
	seen := map[string]bool{}
	weights := map[string]int{"home": s.weigh("/", map[string]bool{}), "ask": s.weigh("/ask?law=EEA", map[string]bool{}), "who": s.weigh("/ask?law=EEA&right=rectification", map[string]bool{}), "proof": proof, "answer": s.weigh("/r/"+id, seen)}
	for page, n := range weights {
		t.Logf("%s: %d bytes", page, n)
		if n > maxWeight {
			t.Errorf("%s has %d bytes, at most %d", page, n, maxWeight)
		}
	}
	for _, file := range []string{"/assets/age.js", "/assets/check.js", "/assets/worker.js", "/assets/portal.css"} {
		if !seen[file] {
			t.Errorf("%s isn't weighed: the test proves nothing", file)
		}
	}
}
