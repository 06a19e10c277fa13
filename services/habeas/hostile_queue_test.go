package main

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/sandbox/people"
)

// TestStrangersInTheQueue: whoever can write to the queue of the journal, as each service's
// role can, has nothing done and nothing told that wasn't decided, and stops nobody; what they
// wrote stands in the trace of the request that it named.
func TestStrangersInTheQueue(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	access := h.submit(people.Camille, dsar.Access)
	if row := waitFor(t, h.n.Installation.Journal, access); row.Status != core.StatusCompleted {
		t.Fatalf("the access is %s", row.Status)
	}
	var ids []dsar.Identifier // sealed, as facts have them
	for _, e := range h.facts(access) {
		switch e := e.(type) {
		case core.Accepted:
			ids = append(ids, e.Identifiers...)
		case core.TaskEnded:
			ids = append(ids, e.Identifiers...)
		}
	}
	told := len(h.records(event.TopicEvents))
	held := h.account(people.Camille)

	q := openQueue(t, filepath.Join(h.n.Config.Room("journal"), "journal.db"))
	q.put(nil)
	q.put([]byte("no row of messages"))
	q.put(journal.EncodeMessages(nil, []journal.Message{{Topic: event.TopicTasks("account"), Key: "x", Payload: []byte("not json")}}))
	fact := event.Event{ID: event.FactID(access, 999), Source: "habeas/coordinator", Type: event.FactType("request.completed"), Subject: access, Time: time.Now(), Data: []byte("{}")}
	headers := fact.Headers()
	headers[event.HeaderFactHash] = "0000000000000000000000000000000000000000000000000000000000000000"
	q.put(journal.EncodeMessages(nil, []journal.Message{{Topic: event.TopicEvents, Key: access, Headers: headers, Payload: fact.Data}}))
	for _, system := range []string{people.Marketo, "account"} {
		for _, a := range []dsar.Action{dsar.Restrict, dsar.Plan, dsar.Erase} {
			right := dsar.Erasure
			if a == dsar.Restrict {
				right = dsar.Restriction
			}
			data := h.json(dsar.Task{RequestID: access, System: system, Action: a, Attempt: 1, Right: right, Jurisdiction: "EEA", ReceivedAt: received, Identifiers: ids, Lease: time.Minute})
			e := event.Event{ID: event.TaskID(access, system, a, 1), Source: "habeas/coordinator", Type: event.TypeTask, Subject: access, Time: time.Now(), Data: data}
			q.put(journal.EncodeMessages(nil, []journal.Message{{Topic: event.TopicTasks(system), Key: access, Headers: e.Headers(), Payload: data}}))
		}
	}

	other := h.submit(people.Leaver, dsar.Erasure) // it comes behind them
	if row := waitFor(t, h.n.Installation.Journal, other); row.Status != core.StatusNeedsAttention {
		t.Errorf("the erasure behind them is %s", row.Status)
	}
	for _, system := range []string{people.Marketo, "account"} {
		for range 3 {
			h.sent[like(access, core.MessageTask, system, "not-journalled")]++
		}
		h.told("what the queue had for "+system, access, core.MessageTask, system, "not-journalled")
		for _, m := range h.records(event.TopicTasks(system)) {
			if e := h.parse(m.Value); e.RequestID == access && slices.Contains([]dsar.Action{dsar.Restrict, dsar.Plan, dsar.Erase}, e.Action) {
				t.Errorf("%s was told to %s", system, e.Action)
			}
		}
	}
	for _, e := range h.facts(access) {
		if end, is := e.(core.TaskEnded); is && end.Action != dsar.Resolve && end.Action != dsar.Gather && end.Action != dsar.Assemble {
			t.Errorf("the trace tells of the end of %s in %s", end.Action, end.System)
		}
	}
	if h.account(people.Camille) != held {
		t.Errorf("the account is %q, and was %q", h.account(people.Camille), held)
	}
	for _, m := range h.records(event.TopicEvents)[told:] {
		for _, header := range m.Headers {
			if header.Key == event.HeaderID && string(header.Value) == fact.ID {
				t.Error("a fact was told that nobody journalled")
			}
		}
	}
}

// queue is the table of the journal's file, for who has that.
type queue struct {
	*testing.T
	db *sql.DB
}

func openQueue(t *testing.T, path string) *queue {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &queue{T: t, db: db}
}

// put adds a row.
func (q *queue) put(row []byte) {
	q.Helper()
	if row == nil {
		row = journal.EncodeMessages(nil, nil)
	}
	tx, err := q.db.BeginTx(q.Context(), nil)
	if err != nil {
		q.Fatal(err)
	}
	defer tx.Rollback() // it is committed, or the test has failed
	for _, do := range []func() error{
		func() error { _, err := tx.Exec("UPDATE counter SET queue = queue + 1"); return err },
		func() error {
			_, err := tx.Exec("INSERT INTO queue (num, messages) SELECT queue, ? FROM counter", row)
			return err
		},
		tx.Commit,
	} {
		if err := do(); err != nil {
			q.Fatal(err)
		}
	}
}

// account returns the row of a person in the database of accounts.
func (h *hostile) account(person int) (row string) {
	h.Helper()
	db, err := sql.Open("sqlite", filepath.Join(h.n.Config.Room("sandbox"), "account.db"))
	if err != nil {
		h.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(h.Context(), "SELECT account_id || ' ' || email || ' ' || restricted FROM accounts WHERE email = ?", h.people.Person(person).Email).Scan(&row); err != nil {
		h.Fatal(err)
	}
	return row
}
