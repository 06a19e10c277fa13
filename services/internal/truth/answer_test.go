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
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// answer is what was said to a person, as this test reads it: the only place that
// knows the form of a bundle's files.
type answer struct {
	files map[string]string // by their names below data/
	whole statement.Answer
	said  said
}

// said is what answer.json or certificate.json says, in numbers.
type said struct {
	Records int64
	Without []dsar.IdentifierType
	Systems []saidSystem
}

type saidSystem struct {
	System   string
	Answer   statement.Kind
	Datasets []saidDataset
}

type saidDataset struct {
	Dataset     string
	Empty       bool
	Records     int64
	Found       int64
	Erased      int64
	Anonymised  int64
	Gone        int64
	Restricted  int64
	Rectified   int64
	Retained    []saidRetained
	KeptEarlier []saidRetained
	MayBe       int64 // that an earlier erasure has left, or has not
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

// hear returns what an answer's statements say, system by system.
func hear(a *statement.Answer) said {
	var out said
	for _, s := range a.About("", "", statement.WentWithout) {
		out.Without = append(out.Without, s.Types...)
	}
	for _, sys := range a.Systems {
		heard := saidSystem{System: sys.System, Answer: a.AnswerOf(sys.System)}
		for _, ds := range sys.Datasets {
			n := func(kinds ...statement.Kind) int64 { return a.Records(sys.System, ds.Dataset, kinds...) }
			d := saidDataset{
				Dataset: ds.Dataset, Empty: len(a.About(sys.System, ds.Dataset, statement.Empty)) > 0,
				Records: n(statement.Shown), Found: n(statement.Found, statement.Held), Erased: n(statement.Erased), Anonymised: n(statement.Anonymised),
				Gone: n(statement.Gone, statement.MaybeErased), Restricted: n(statement.Restricted), Rectified: n(statement.Corrected),
				Retained: retained(a.About(sys.System, ds.Dataset, statement.Kept)), KeptEarlier: retained(a.About(sys.System, ds.Dataset, statement.KeptEarlier)),
				MayBe: n(statement.KeptThen, statement.Unfinished),
			}
			heard.Datasets = append(heard.Datasets, d)
			out.Records += d.Records
		}
		out.Systems = append(out.Systems, heard)
	}
	return out
}

func retained(all []statement.Said) []saidRetained {
	var out []saidRetained
	for _, s := range all {
		out = append(out, saidRetained{s.Records, s.Ground})
	}
	return out
}

// nothing reports whether a system is said to hold nothing, or not to be asked.
func (s saidSystem) nothing() bool {
	switch s.Answer {
	case "", statement.HoldsNothing, statement.UnknownThere, statement.NotAsked, statement.NotProven, statement.NothingToChange:
		return true
	default:
		return false
	}
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
	p.must(bundletest.CheckAnswer(a.files))
	said, err := statement.Read([]byte(a.files[bundle.AnswerFile(state.Right)]))
	p.must(err)
	a.whole, a.said = said, hear(&said)
	return a
}

// What letters say in English, as services/internal/words/en has it
// (TestOracleReadsTheLetters).
const (
	saysNothingLeft = "Nothing of what we found is left."
	saysOnlyKept    = "Nothing is left but what must be kept for now."
	saysLocked      = "What stays is used for nothing else until then."
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
