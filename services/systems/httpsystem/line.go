package httpsystem

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"habeas.dev/pkg/dsar"
)

// line is one line of an answer.
type line struct {
	Task string `json:"task,omitempty"`
	// Found is an identifier, with resolve.
	Found *found `json:"found,omitempty"`
	// Dataset is what the rest is of.
	Dataset string `json:"dataset,omitempty"`
	// Record is one record, with gather.
	Record map[string]any `json:"record,omitempty"`
	// Key names a record, with plan, erase and prove, Keep why it must stay, Did what
	// became of it and Late that it wasn't planned.
	Key  string `json:"key,omitempty"`
	Keep *keep  `json:"keep,omitempty"`
	Did  string `json:"did,omitempty"`
	Late bool   `json:"late,omitempty"`
	// Counts are those of a rectify or restrict.
	Counts *counts `json:"counts,omitempty"`
	// Uncovered says why a dataset could not be reached, or not all of it.
	Uncovered string `json:"uncovered,omitempty"`
	// Note is a sentence for a support agent.
	Note string `json:"note,omitempty"`
	// Done ends a task, and so does Error.
	Done  bool   `json:"done,omitempty"`
	Error *fault `json:"error,omitempty"`
	// Progress is a sign of life, as is a line without anything.
	Progress *struct {
		Records int64 `json:"records,omitempty"`
	} `json:"progress,omitempty"`
	// End is the last line.
	End *end `json:"end,omitempty"`
}

type found struct {
	Type  dsar.IdentifierType `json:"type"`
	Value string              `json:"value"`
	From  *identifier         `json:"from,omitempty"`
}

type identifier struct {
	Type      dsar.IdentifierType `json:"type"`
	Value     string              `json:"value"`
	Assurance dsar.Assurance      `json:"assurance,omitempty"`
}

type keep struct {
	Ground string     `json:"ground"`
	Until  *time.Time `json:"until,omitempty"`
}

func (k *keep) retention() dsar.Retention {
	r := dsar.Retention{Ground: k.Ground}
	if k.Until != nil {
		r.Until = k.Until.UTC()
	}
	return r
}

type counts struct {
	Found      int64    `json:"found,omitempty"`
	Rectified  int64    `json:"rectified,omitempty"`
	Restricted int64    `json:"restricted,omitempty"`
	Changed    []string `json:"changed,omitempty"`
	Unchanged  []string `json:"unchanged,omitempty"`
}

func (c *counts) of(dataset string) dsar.Counts {
	return dsar.Counts{
		Dataset: dataset, Found: max(c.Found, c.Rectified, c.Restricted), Rectified: c.Rectified, Restricted: c.Restricted,
		Changed: c.Changed, Unchanged: c.Unchanged,
	}
}

type fault struct {
	Code   string    `json:"code"`
	Reason string    `json:"reason"`
	Retry  string    `json:"retry,omitempty"`
	At     time.Time `json:"at,omitzero"`
	// Detail may quote data: it is sealed.
	Detail string `json:"detail,omitempty"`
}

type end struct {
	Lines int64 `json:"lines"`
}

// readLine reads one line. Its error is a malformed.
func readLine(text []byte) (*line, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	d.DisallowUnknownFields()
	var l line
	if err := d.Decode(&l); err != nil {
		return nil, malformed("a line isn't JSON of this contract")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("a line holds more than one object")
	}
	return &l, nil
}
