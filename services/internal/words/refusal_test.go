package words

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// TestEveryRefusalHasASentence: each error with which the core refuses is told by a
// sentence, and each sentence is of an error.
func TestEveryRefusalHasASentence(t *testing.T) {
	t.Parallel()
	codes := map[string]bool{}
	for _, r := range refusals {
		codes[r.code] = true
		sentence, ok := English().Refusal(fmt.Errorf("request x: %w", r.err))
		if !ok || sentence == "" || sentence != English().Refusals[r.code] {
			t.Errorf("%s: %q", r.code, sentence)
		}
	}
	for code := range English().Refusals {
		if !codes[code] {
			t.Errorf("a sentence for %q, which no error is", code)
		}
	}
	source, err := os.ReadFile("refusal.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../core/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\t?(?:var )?(Err\w+) += (?:errors\.New|fmt\.Errorf)`)
	found := 0
	for _, file := range append(files, "../duplicate/duplicate.go") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range declared.FindAllStringSubmatch(string(text), -1) {
			found++
			// These are no person's: of an upstream's request, and of a worker's report.
			if !slices.Contains([]string{"ErrInvalid", "ErrStray"}, name[1]) && !strings.Contains(string(source), filepath.Base(filepath.Dir(file))+"."+name[1]) {
				t.Errorf("%s: %s has no sentence", file, name[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d errors of the core were found", found)
	}
}

// TestRefusalSentences: what the law doesn't allow says itself; a fault is no
// refusal, and the journal's own errors count as what they say.
func TestRefusalSentences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: the law extends once", core.ErrNotAllowed), "Not allowed: the law extends once."},
		{fmt.Errorf("%w: été.", core.ErrNotAllowed), "Not allowed: été."},
		{&journal.StorageError{Where: "here", What: "full", Cure: "make room", Err: errors.New("x")}, "The journal doesn’t answer now. Try again in a moment."},
		{errors.New("broken"), ""},
		{nil, ""},
	} {
		if got, ok := English().Refusal(c.err); got != c.want || ok != (c.want != "") {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
