package workertest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"sync"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
)

// Seal makes a task as the journal has it, for [Desk.Handle]: what the worker is asked by
// is sealed under the request's keys, which are made where there are none yet.
func Seal(t testing.TB, v *Desk, task dsar.Task, known []worker.Identifier) event.Event {
	t.Helper()
	return seal(t, v, task, known, event.Details{})
}

func seal(t T, v *Desk, task dsar.Task, known []worker.Identifier, details event.Details) event.Event {
	helper(t)
	keys, err := v.CreateKeys(context.Background(), task.RequestID)
	if err != nil {
		t.Fatalf("workertest: %v", err)
	}
	sealed := func(plain []byte, as vault.Kind) []byte {
		b, err := keys.Seal(plain, as)
		if err != nil {
			t.Fatalf("workertest: %v", err)
		}
		return b
	}
	for _, i := range known {
		by := ""
		if i.FoundHere {
			by = task.System
		}
		task.Identifiers = append(task.Identifiers, dsar.Identifier{Type: i.Type, FoundBy: by, Assurance: cmp.Or(i.Assurance, dsar.AssuranceVerified), Fingerprint: v.Fingerprint(i.Type, i.Value),
			Sealed: sealed([]byte(i.Value), vault.Identifier)})
	}
	if !reflect.ValueOf(details).IsZero() {
		text, _ := json.Marshal(details) // plain data: can't fail
		task.Details = sealed(text, vault.RequestDetails)
	}
	data, err := json.Marshal(task)
	if err != nil {
		t.Fatalf("workertest: %v", err)
	}
	return event.Event{ID: event.TaskID(task.RequestID, task.System, task.Action, task.Attempt), Source: "workertest", Type: event.TypeTask, Subject: task.RequestID, Time: task.ReceivedAt, Data: data}
}

// RecordsOf returns the records that a report's attempt left in the vault, in the order in
// which they were written.
func RecordsOf(t testing.TB, v *Desk, r dsar.Report) []Record {
	t.Helper()
	return left(t, v, r)
}

func left(t T, v *Desk, r dsar.Report) (records []Record) {
	helper(t)
	for _, o := range r.Objects {
		in, err := v.OpenObject(context.Background(), r.RequestID, o.Name)
		if err != nil {
			t.Fatalf("workertest: an object that the report names: %v", err)
		}
		some, err := read(in)
		if err != nil {
			t.Fatalf("workertest: an object that the report names: %v", err)
		}
		records = append(records, some...)
		_ = in.Close()
	}
	return records
}

// LeavePlan leaves a plan of a request's in the vault, as a system's worker would have made
// it: a task to erase names it, also where it has no entries.
func LeavePlan(t T, v *Desk, system, requestID string, entries ...worker.Entry) *dsar.Object {
	helper(t)
	var text bytes.Buffer
	if err := worker.WritePlan(&text, entries); err != nil {
		t.Fatalf("workertest: a plan: %v", err)
	}
	sum := sha256.Sum256(text.Bytes())
	o := &dsar.Object{Name: system + "/plan/1-" + uuid.New().String()[:8], Bytes: int64(text.Len()), Records: int64(len(entries)), SHA256: hex.EncodeToString(sum[:])}
	out, err := v.Create(context.Background(), requestID, o.Name)
	if err == nil {
		if _, err = out.Write(text.Bytes()); err == nil {
			err = out.Close()
		}
	}
	if err != nil {
		t.Fatalf("workertest: a plan could not be left in the vault: %v", err)
	}
	return o
}

// plan returns what a report's attempt planned.
func plan(t T, v *Desk, r dsar.Report) (entries []worker.Entry) {
	helper(t)
	for _, o := range r.Objects {
		in, err := v.OpenObject(context.Background(), r.RequestID, o.Name)
		if err != nil {
			t.Fatalf("workertest: the plan that the report names: %v", err)
		}
		for e, err := range worker.ReadPlan(in) {
			if err != nil {
				t.Fatalf("workertest: the plan that the report names: %v", err)
			}
			entries = append(entries, e)
		}
		_ = in.Close()
	}
	return entries
}

func read(in io.Reader) (records []Record, err error) {
	reader := record.NewReader(in)
	for {
		section, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		for {
			row, err := reader.Row()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			values := make(map[string]any, len(section.Columns))
			for i, column := range section.Columns {
				var v any
				if err := json.Unmarshal(row[i], &v); err != nil {
					return nil, err
				}
				values[column] = v
			}
			records = append(records, Record{section.Dataset, values})
		}
	}
}

// Line returns a record as a line, by which two are compared.
func (r Record) Line(t testing.TB) string {
	t.Helper()
	text, err := json.Marshal(r.Values)
	if err != nil {
		t.Fatal(err)
	}
	return r.Dataset + " " + string(text)
}

// Detail returns what the implementation's error said, for whoever mends it; ""
// where it said nothing.
func Detail(v *Desk, r dsar.Report) string {
	keys, err := v.Keys(context.Background(), r.RequestID)
	if err != nil || len(r.Detail) == 0 {
		return ""
	}
	text, err := keys.Open(r.Detail, vault.ReportDetail)
	if err != nil {
		return ""
	}
	return "(" + string(text) + ")"
}

// Log is a log that many may write to.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns everything that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
