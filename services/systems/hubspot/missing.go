package hubspot

import (
	"slices"
	"sync"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// missingColumns are the columns of the manifest that HubSpot has no property for. It
// answers as if they hadn't been asked for, so that a misspelt one would be left
// out of every copy in silence.
type missingColumns struct {
	mu   sync.Mutex
	list []string // sorted
}

// look compares the columns with what a contact was answered with.
func (l *missingColumns) look(columns []string, values map[string][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range columns {
		at, listed := slices.BinarySearch(l.list, c)
		switch _, answered := values[c]; {
		case answered && listed:
			l.list = slices.Delete(l.list, at, at+1)
		case !answered && !listed:
			l.list = slices.Insert(l.list, at, c)
		}
	}
}

// Notes names the columns that HubSpot doesn't know.
func (w *Worker) Notes() (notes []worker.Note) {
	w.missing.mu.Lock()
	defer w.missing.mu.Unlock()
	for _, c := range w.missing.list {
		notes = append(notes, worker.Note{Cause: dsar.Cause{Code: "schema", Columns: []string{c}},
			Text: "HubSpot has no property " + c + ", which the manifest declares: make it, or take the column out"})
	}
	return notes
}
