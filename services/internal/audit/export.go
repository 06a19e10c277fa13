package audit

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"habeas.dev/services/internal/journal"
)

// exporter writes what is audited as JSON lines, for auditors with tools of their own. A
// fact's data is as it was journalled, in base64, since the hash is over its bytes;
// docs/audit.md says how to verify it.
type exporter struct {
	mu  sync.Mutex
	buf *bufio.Writer
	enc *json.Encoder
}

func newExporter(w io.Writer) *exporter {
	b := bufio.NewWriterSize(w, 1<<20)
	return &exporter{buf: b, enc: json.NewEncoder(b)}
}

type exportedFact struct {
	Kind    string    `json:"kind"` // "fact"
	Request string    `json:"request"`
	Version int       `json:"version"`
	Type    string    `json:"type"`
	At      time.Time `json:"at"`
	Data    []byte    `json:"data"`
	Hash    []byte    `json:"hash"`
}

type exportedRequest struct {
	Kind    string `json:"kind"` // "request": the head of a chain, before its facts
	Request string `json:"request"`
	Version int    `json:"version"`
	Status  string `json:"status"`
	Hash    []byte `json:"hash"`
}

type exportedLeaf struct {
	Kind    string `json:"kind"` // "leaf"
	Index   int64  `json:"index"`
	Request string `json:"request,omitempty"`
	Version int    `json:"version,omitempty"`
	Data    []byte `json:"data"`
}

type exportedCheckpoint struct {
	Kind  string `json:"kind"` // "checkpoint"
	Where string `json:"where"`
	Note  string `json:"note"`
}

type exportedSearch struct {
	Kind  string    `json:"kind"` // "search"
	Place int64     `json:"place"`
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Hash  string    `json:"hash"`
	Found int       `json:"found"`
	Chain []byte    `json:"chain"`
}

func (e *exporter) request(row journal.Row, facts []journal.Fact) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.enc.Encode(exportedRequest{"request", row.RequestID, row.Version, string(row.Status), row.Hash})
	for _, f := range facts {
		if err == nil {
			err = e.enc.Encode(exportedFact{"fact", f.RequestID, f.Version, f.Type, f.At, f.Data, f.Hash})
		}
	}
	return exportError(err)
}

func (e *exporter) leaves(page []journal.Leaf) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range page {
		if err := e.enc.Encode(exportedLeaf{"leaf", l.Index, l.RequestID, l.Version, l.Data}); err != nil {
			return exportError(err)
		}
	}
	return nil
}

func (e *exporter) checkpoint(where string, signed []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return exportError(e.enc.Encode(exportedCheckpoint{"checkpoint", where, string(signed)}))
}

func (e *exporter) search(l journal.SearchLink) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return exportError(e.enc.Encode(exportedSearch{"search", l.Place, l.At, l.By, l.Hash, l.Found, l.Chain}))
}

func (e *exporter) flush() error { return exportError(e.buf.Flush()) }

func exportError(err error) error {
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}
