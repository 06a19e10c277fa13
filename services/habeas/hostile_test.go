package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/sandbox/people"
)

// TestHostile: whoever can write to every topic, and has all that one worker has, gets
// nothing done and reads nothing but that worker's own. What they sent stands in the trace
// of the request that it named, and not without end; the request goes on with the truth.
func TestHostile(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	access := h.submit(people.Camille, dsar.Access)
	if row := waitFor(t, h.n.Installation.Journal, access); row.Status != core.StatusCompleted {
		t.Fatalf("the access is %s", row.Status)
	}
	erasure := h.submit(people.Leaver, dsar.Erasure) // Salesforce keeps it open
	if row := waitFor(t, h.n.Installation.Journal, erasure); row.Status != core.StatusNeedsAttention {
		t.Fatalf("the erasure is %s", row.Status)
	}

	was := map[string]int{access: h.happened(access), erasure: h.happened(erasure)}
	before := h.calls()

	// Case 23 and its kind: bytes of tasks, as they were or changed.
	tasks := h.records(event.TopicTasks("account"))
	gather := h.find(tasks, access, dsar.Gather)
	for name, change := range map[string]func(e *link.Envelope){
		"an access as an erasure": func(e *link.Envelope) { e.Action = dsar.Erase },
		"of another attempt":      func(e *link.Envelope) { e.Attempt++ },
		"of another request":      func(e *link.Envelope) { e.RequestID = erasure },
		"cut":                     func(e *link.Envelope) { e.Sealed = e.Sealed[:len(e.Sealed)/2] },
	} {
		e := h.parse(gather.Value)
		change(&e)
		h.publish(event.TopicTasks("account"), event.TypeTask, e.RequestID, h.json(e))
		h.rejected(name, e.RequestID, core.MessageTask, "account", "not-sealed")
	}
	h.publish(event.TopicTasks("billing"), event.TypeTask, access, gather.Value)     // another system's
	for _, system := range []string{"account", people.Marketo, people.PaymentTech} { // an erasure, as it was
		old := h.find(h.records(event.TopicTasks(system)), erasure, dsar.Erase)
		h.publish(event.TopicTasks(system), event.TypeTask, erasure, old.Value)
		h.isRead(system)
	}

	// Case 24: a worker's own key and Kafka say nothing of another system.
	marketo, err := h.n.Installation.Links.Key(people.Marketo)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		outcome := map[dsar.Action]dsar.Outcome{dsar.Plan: dsar.NothingFound, dsar.Erase: dsar.Erased, dsar.Prove: dsar.Proven}[a]
		h.report(marketo, nil, dsar.Report{RequestID: erasure, System: people.Salesforce, Action: a, Attempt: 1, Kind: dsar.ReportEnded, Outcome: outcome})
		h.rejected("another's "+string(a), erasure, core.MessageReport, people.Salesforce, "not-sealed")
	}

	// Case 25: what a worker may not say of its own.
	own := h.find(h.records(event.TopicTasks(people.Marketo)), erasure, dsar.Plan)
	opened, err := marketo.OpenTask(h.parse(own.Value), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	lies := map[string]dsar.Report{
		"false-outcome": {Outcome: "<script>"},
		"false-counts":  {Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "leads", Found: -5}}},
		"false-objects": {Outcome: dsar.Found, Objects: []dsar.Object{{Name: "../../../etc/passwd"}}},
		"false-words":   {Outcome: dsar.Found, Code: "<script>"},
	}
	for code, r := range lies {
		r.RequestID, r.System, r.Action, r.Attempt, r.Kind = erasure, people.Marketo, dsar.Plan, opened.Attempt, dsar.ReportEnded
		h.report(marketo, opened.Nonce, r)
		h.rejected(code, erasure, core.MessageReport, people.Marketo, code)
	}
	h.report(marketo, opened.Nonce, dsar.Report{RequestID: erasure, System: people.Marketo, Action: dsar.Erase, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Erased})
	h.rejected("of a task with another's nonce", erasure, core.MessageReport, people.Marketo, "wrong-nonce")

	h.opensNothingElse(access, opened)
	h.opensNoMessage(marketo)
	h.isBounded(access, gather)

	// Nothing came of it.
	if row, err := h.n.Installation.Journal.Row(t.Context(), erasure); err != nil || row.Status != core.StatusNeedsAttention || !slices.Equal(row.Waiting, []string{people.Salesforce}) {
		t.Errorf("the erasure is %s, waits for %v: %v", row.Status, row.Waiting, err)
	}
	for id, n := range was {
		if now := h.happened(id); now != n {
			t.Errorf("%d facts of %s beside the rejections, %d before", now, id, n)
		}
	}
	if after := h.calls(); after != before {
		t.Errorf("the vendors were called %d times more", after-before)
	}
	if strings.Contains(h.logs.String(), "<script>") {
		t.Error("what was sent stands in the log")
	}
}

// hostile is a node, and somebody who can write to its topics.
type hostile struct {
	*testing.T
	n      *node.Node
	people *people.Population
	logs   *workertest.Log
	sent   map[string]int // how many messages that a trace must tell of, by what it tells
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = "127.0.0.1:0"
	cfg.Sandbox = &config.Sandbox{Seed: 7, People: 40, Faults: "salesforce:forbid=Task"}
	h := &hostile{T: t, logs: &workertest.Log{}, sent: map[string]int{}, people: people.Generate(people.Config{Seed: 7, People: 40})}
	if h.n, err = node.Start(t.Context(), cfg, node.Options{Logs: h.logs}, node.Everything()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.n.Stop)
	return h
}

// submit submits a request. Of an access, what Salesforce doesn't show a person leaves.
func (h *hostile) submit(person int, right dsar.Right) string {
	h.Helper()
	r := upstream.Request{ID: uuid.NewString(), Right: right, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: h.people.Person(person).Email}
	if _, err := upstream.Post(h.Context(), h.n.URL(), "", r.JSON()); err != nil {
		h.Fatal(err)
	}
	if right == dsar.Access {
		waitFor(h.T, h.n.Installation.Journal, r.ID)
		leave := core.Attest{By: "lea", Reason: "tasks are kept elsewhere", System: people.Salesforce, Outcome: dsar.Incomplete, Now: now()}
		if _, err := h.n.Installation.Requests.Do(h.Context(), r.ID, leave); err != nil {
			h.Fatal(err)
		}
	}
	return r.ID
}

// happened returns how many facts a request has, beside those of what wasn't believed.
func (h *hostile) happened(id string) (n int) {
	h.Helper()
	for _, e := range h.facts(id) {
		if _, ok := e.(core.MessageRejected); !ok {
			n++
		}
	}
	return n
}

// calls returns how often the vendors were called.
func (h *hostile) calls() int64 { return h.n.VendorCalls() }

// records returns all that a topic holds.
func (h *hostile) records(topic string) []kafka.Message {
	h.Helper()
	return recordsOf(h.T, h.n, topic)
}

// find returns the record of a request's action.
func (h *hostile) find(all []kafka.Message, id string, a dsar.Action) kafka.Message {
	h.Helper()
	for _, m := range all {
		if e := h.parse(m.Value); e.RequestID == id && e.Action == a {
			return m
		}
	}
	h.Fatalf("no %s of %s among %d records", a, id, len(all))
	return kafka.Message{}
}

func (h *hostile) parse(data []byte) link.Envelope {
	h.Helper()
	e, err := link.Parse(data)
	if err != nil {
		h.Fatal(err)
	}
	return e
}

func (h *hostile) json(v any) []byte {
	h.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		h.Fatal(err)
	}
	return data
}

// publish writes to a topic, as whoever may write to it.
func (h *hostile) publish(topic, typ, id string, data []byte) {
	h.Helper()
	e := event.Event{ID: uuid.NewString(), Source: "habeas/coordinator", Type: typ, Subject: id, Time: time.Now(), Data: data}
	m := kafka.Message{Topic: topic, Key: []byte(id), Value: data}
	for k, v := range e.Headers() {
		m.Headers = append(m.Headers, kafka.Header{Key: k, Value: []byte(v)})
	}
	w := &kafka.Writer{Addr: kafka.TCP(h.n.Brokers...), Transport: as(h.T, h.n.As(mayDo(h.T, h.n, topic, func(a topics.Access) []string { return a.Writes }))).Transport, BatchTimeout: time.Millisecond, Balancer: &kafka.Hash{}}
	defer w.Close()
	if err := w.WriteMessages(h.Context(), m); err != nil {
		h.Fatal(err)
	}
}

// report publishes a report that a key has sealed.
func (h *hostile) report(by *link.Key, nonce []byte, r dsar.Report) {
	h.Helper()
	data, err := by.SealReport(link.Envelope{RequestID: r.RequestID, System: r.System, Action: r.Action, Attempt: r.Attempt}, nonce, h.json(r))
	if err != nil {
		h.Fatal(err)
	}
	h.publish(event.TopicReports, event.TypeReport, r.RequestID, data)
}

func (h *hostile) facts(id string) (events []core.Event) {
	h.Helper()
	facts, err := h.n.Installation.Journal.Facts(h.Context(), id, 1)
	if err != nil {
		h.Fatal(err)
	}
	if err := journal.VerifyChain(facts); err != nil {
		h.Error(err)
	}
	for _, f := range facts {
		e, err := core.Decode(f.Type, f.Data)
		if err != nil {
			h.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// isRead waits until a worker has done all that stands on its topic.
func (h *hostile) isRead(system string) {
	h.Helper()
	h.until("the worker of "+system+" has read its tasks", func() bool {
		lag, err := bus.Lag(h.Context(), h.n.As(topics.WorkerUser(system)), topics.WorkerGroup(system), event.TopicTasks(system))
		if err != nil {
			h.Fatal(err)
		}
		return lag == 0
	})
}

// until waits until a condition holds.
func (h *hostile) until(what string, holds func() bool) {
	h.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for !holds() {
		select {
		case <-beat.C:
		case <-deadline.C:
			h.Fatalf("never: %s", what)
		}
	}
}

// rejected waits until the trace of a request tells of a message that wasn't believed, and
// of those like it that were sent before.
func (h *hostile) rejected(what, id string, m core.Message, system, code string) {
	h.Helper()
	h.sent[like(id, m, system, code)]++
	h.told(what, id, m, system, code)
}

// like returns what messages that weren't believed have in common.
func like(id string, m core.Message, system, code string) string {
	return fmt.Sprint(id, m, system, code)
}

// told waits until a trace tells of all messages of a kind that were sent.
func (h *hostile) told(what, id string, m core.Message, system, code string) {
	h.Helper()
	like := like(id, m, system, code)
	h.until("the trace tells of "+what, func() bool {
		told := 0
		for _, e := range h.facts(id) {
			if r, ok := e.(core.MessageRejected); ok && fmt.Sprint(id, r.Message, r.System, r.Code) == like {
				told++
			}
		}
		return told == h.sent[like]
	})
}

// opensNothingElse: what a worker was given for its own task opens no other object.
func (h *hostile) opensNothingElse(id string, t link.Task) {
	h.Helper()
	objects := 0
	for _, e := range h.facts(id) {
		end, ok := e.(core.TaskEnded)
		if !ok || end.System == people.Marketo || end.System == dsar.Aggregator {
			continue
		}
		for _, o := range end.Objects {
			objects++
			k, err := vault.NewObjectKey(id, vault.ScopeOf(o.Name), t.Grant.Key)
			if err != nil {
				h.Fatal(err)
			}
			r, err := h.n.Installation.Objects.Open(h.Context(), k, o.Name)
			if err == nil {
				_, err = io.ReadAll(r)
			}
			if !errors.Is(err, vault.ErrCorrupt) {
				h.Errorf("%s: %v", o.Name, err)
			}
		}
	}
	if objects == 0 {
		h.Error("there is nothing to try")
	}
}

// opensNoMessage: a worker's key opens no task of another, and no report, whoever let it have
// them; its own tasks it does open.
func (h *hostile) opensNoMessage(k *link.Key) {
	h.Helper()
	own, others := 0, 0
	for _, system := range append(people.Systems(), dsar.Aggregator) {
		for _, m := range h.records(event.TopicTasks(system)) {
			e, err := link.Parse(m.Value)
			if err != nil {
				continue // what was sent above, and is none
			}
			_, err = k.OpenTask(e, time.Now())
			switch {
			case system == people.Marketo && (err == nil || errors.Is(err, link.ErrExpired)):
				own++
			case system != people.Marketo && errors.Is(err, link.ErrNotSealed):
				others++
			case system != people.Marketo:
				h.Errorf("a task of %s: %v", system, err)
			}
		}
	}
	if own == 0 || others == 0 {
		h.Errorf("%d tasks of its own and %d of others were tried", own, others)
	}
}

// isBounded: however many are sent, the trace tells of a few, and all of them are put aside.
func (h *hostile) isBounded(id string, m kafka.Message) {
	h.Helper()
	const flood = 40
	e := h.parse(m.Value)
	e.Action = dsar.Erase
	for i := range flood {
		e.Attempt = 100 + i
		h.publish(event.TopicTasks("account"), event.TypeTask, id, h.json(e))
	}
	h.until("all are put aside", func() bool {
		aside := 0
		for _, m := range h.records(event.TopicRejected) {
			if bytes.Contains(m.Value, []byte(`"code":"not-sealed"`)) && bytes.Contains(m.Value, fmt.Appendf(nil, `"topic":"%s"`, event.TopicTasks("account"))) {
				aside++
			}
		}
		return aside >= flood
	})
	told, last := 0, false
	h.until("the trace tells of the last", func() bool {
		told, last = 0, false
		for _, e := range h.facts(id) {
			if r, ok := e.(core.MessageRejected); ok {
				told++
				last = last || r.Last
			}
		}
		return last
	})
	if told != core.MaxRejections {
		h.Errorf("the trace tells of %d", told)
	}
}
