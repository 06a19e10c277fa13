package httpsystem

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// asked is a task as the service reads it.
type asked struct {
	Task         string       `json:"task"`
	Request      string       `json:"request"`
	Right        dsar.Right   `json:"right"`
	Jurisdiction string       `json:"jurisdiction,omitempty"`
	Attempt      int          `json:"attempt"`
	Identifiers  []identifier `json:"identifiers,omitempty"`
	Changes      []change     `json:"changes,omitempty"`
	Purposes     []string     `json:"purposes,omitempty"`
	Holds        []string     `json:"holds,omitempty"`
	Lift         bool         `json:"lift,omitempty"`
	ByKeys       bool         `json:"by_keys,omitempty"`
	Owner        []identifier `json:"owner,omitempty"`
	Plan         string       `json:"plan,omitempty"`
}

type change struct {
	Dataset string `json:"dataset"`
	Column  string `json:"column"`
	Value   string `json:"value"`
}

// key is a planned key as the service reads it.
type key struct {
	Task    string `json:"task"`
	Dataset string `json:"dataset"`
	Key     string `json:"key"`
	Keep    *keep  `json:"keep,omitempty"`
}

// name returns what a call's lines call its task number i.
func name(i int) string { return strconv.Itoa(i + 1) }

func identifiers(ids []worker.Identifier) []identifier {
	out := make([]identifier, len(ids))
	for i, id := range ids {
		out[i] = identifier{Type: id.Type, Value: id.Value, Assurance: id.Assurance}
	}
	return out
}

func (t *task) asked(i int) asked {
	j := &t.job.Task
	a := asked{
		Task: name(i), Request: j.RequestID, Right: j.Right, Jurisdiction: j.Jurisdiction, Attempt: j.Attempt, Identifiers: identifiers(j.Identifiers),
		Purposes: j.Purposes, Holds: j.Holds, Lift: j.Lift, ByKeys: j.ByKeys, Owner: identifiers(j.Owner), Plan: t.keys.Sum(),
	}
	for _, c := range t.changes {
		a.Changes = append(a.Changes, change(c))
	}
	return a
}

// writeBody writes what the service is asked. It MUST write the same each time it is
// called with the same tasks: it is signed first, and sent then.
func writeBody(ctx context.Context, tasks []*task, to io.Writer) error {
	out := bufio.NewWriter(to)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	n := int64(0)
	put := func(v any) error {
		n++
		return lines.Encode(v)
	}
	for i, t := range tasks {
		if err := put(t.asked(i)); err != nil {
			return err
		}
		for e, err := range t.keys.Entries(ctx) {
			if err != nil {
				return err
			}
			if err := put(keyOf(name(i), e)); err != nil {
				return err
			}
		}
	}
	if err := lines.Encode(map[string]end{"end": {n}}); err != nil {
		return err
	}
	return out.Flush()
}

func keyOf(task string, e worker.Entry) key {
	k := key{Task: task, Dataset: e.Dataset, Key: e.Key}
	if e.Keep {
		k.Keep = &keep{Ground: e.Ground}
		if until := e.Until.UTC(); !e.Until.IsZero() {
			k.Keep.Until = &until
		}
	}
	return k
}

// runID names what is asked, the same on every attempt: the request, the action, and a
// hash of the tasks.
func runID(action string, tasks []*task) string {
	h := sha256.New()
	lines := json.NewEncoder(h)
	for i, t := range tasks {
		a := t.asked(i)
		a.Attempt = 0
		_ = lines.Encode(a) // plain data, into a hash
		_ = lines.Encode(t.keys.Sum())
	}
	return tasks[0].job.RequestID + "." + action + "." + hex.EncodeToString(h.Sum(nil)[:16])
}
