package httpsystem

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
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

// says returns how many things a line says: what more than one does would be taken for the
// first, and the rest be lost without a word.
func (l *line) says() (n int) {
	for _, is := range []bool{l.Found != nil, l.Record != nil, l.Key != "", l.Counts != nil, l.Uncovered != "", l.Note != "", l.Done, l.Error != nil, l.Progress != nil, l.End != nil} {
		if is {
			n++
		}
	}
	return n
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
	if err := namedOnce(text); err != nil {
		return nil, err
	}
	if l.says() > 1 {
		return nil, malformed("a line says more than one thing: each has a line of its own")
	}
	return &l, nil
}

// namedOnce holds that no object of a line has two members of one name, of which one would be
// passed over, and that the contract's own are written as it has them: encoding/json takes
// others for them.
func namedOnce(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return members(d, true)
}

// members reads one value, and looks at the members of the objects in it; contract tells that
// their names are the contract's, not a record's.
func members(d *json.Decoder, contract bool) error {
	token, err := d.Token()
	if err != nil {
		return malformed("a line isn't JSON of this contract")
	}
	if token != json.Delim('{') && token != json.Delim('[') {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		within := contract
		if token == json.Delim('{') {
			name, err := d.Token()
			text, ok := name.(string)
			switch {
			case err != nil || !ok:
				return malformed("a line isn't JSON of this contract")
			case seen[text]:
				return malformed("an object has two members of one name")
			case contract && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") != "":
				return malformed("a member isn't of this contract: names are in small letters")
			}
			seen[text], within = true, contract && text != "record"
		}
		if err := members(d, within); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
