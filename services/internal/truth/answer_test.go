package truth

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/core"
)

// answer is what was said to a person, as this test reads it: the only place that
// knows the form of a bundle's files.
type answer struct {
	files map[string]string // by their names below data/
	said  said
}

// said is what answer.json or certificate.json says, in the words of
// services/internal/bundle.
type said struct {
	Records int64
	Without []dsar.IdentifierType
	Systems []saidSystem
}

type saidSystem struct {
	System   string
	Outcome  dsar.Outcome
	Datasets []saidDataset
}

type saidDataset struct {
	Dataset     string
	Records     int64
	Found       int64
	Erased      int64
	Anonymised  int64
	Gone        int64
	Restricted  int64
	Rectified   int64
	Retained    []saidRetained
	KeptEarlier []saidRetained `json:"kept_earlier"`
}

type saidRetained struct {
	Records int64
	Ground  string
}

func (d saidDataset) kept() (n int64) {
	for _, r := range d.Retained {
		n += r.Records
	}
	return n
}

// read opens a completed request's answer.
func (p *pipeline) read(state core.State) answer {
	p.Helper()
	r, err := aggregator.OpenBundle(p.ctx(), p.vault, p.outbox, state.Accepted.RequestID)
	p.must(err)
	defer r.Close()
	content, err := io.ReadAll(r)
	p.must(err)
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	p.must(err)
	a := answer{files: map[string]string{}}
	for _, f := range archive.File {
		_, name, payload := strings.Cut(f.Name, "/data/")
		if !payload {
			continue
		}
		r, err := f.Open()
		p.must(err)
		text, err := io.ReadAll(r)
		p.must(err)
		a.files[name] = string(text)
	}
	name := "answer.json"
	if state.Right == dsar.Erasure {
		name = "certificate.json"
	}
	p.must(json.Unmarshal([]byte(a.files[name]), &a.said))
	return a
}

// What letters say in English, as services/internal/words/en/letters.tmpl has it
// (TestOracleReadsTheLetters).
const (
	saysNothingLeft = "Nothing of what we found is left."
	saysOnlyKept    = "Nothing is left but what the law has us keep."
	saysLocked      = "it is used for nothing else until then"
)

// leadOf returns a page's first paragraph.
func leadOf(page string) (lead string, found bool) {
	_, lead, found = strings.Cut(page, `<p class="lead">`)
	lead, _, closed := strings.Cut(lead, "</p>")
	return lead, found && closed
}

// page is what the person opens.
func (a answer) page() string { return a.files["index.html"] }

// shown returns the ids of the rows that a dataset's file shows, sorted as texts.
func (a answer) shown(t testing.TB, system, dataset string) []string {
	t.Helper()
	text := a.files[system+"/"+dataset+".json"]
	if text == "" {
		return nil
	}
	var rows []struct{ ID any }
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&rows); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range rows {
		switch id := r.ID.(type) {
		case json.Number:
			ids = append(ids, id.String())
		case string:
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		if x != y {
			return x - y
		}
		return strings.Compare(a, b)
	})
	return ids
}

// of returns what is said of a system.
func (a answer) of(system string) saidSystem {
	for _, s := range a.said.Systems {
		if s.System == system {
			return s
		}
	}
	return saidSystem{}
}

// dataset returns what is said of a dataset.
func (a answer) dataset(system, dataset string) saidDataset {
	for _, d := range a.of(system).Datasets {
		if d.Dataset == dataset {
			return d
		}
	}
	return saidDataset{}
}
