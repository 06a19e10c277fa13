package lifecycle_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

// TestConfirm: what a decision wrote into the queue is carried as it is, whichever process
// carries it; what anybody else wrote there isn't, or as the facts have it.
func TestConfirm(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	decides := lifecycle.New(j, lifecycle.WithConfirming(4))
	if _, err := decides.Accept(t.Context(), accepted(3)); err != nil {
		t.Fatal(err)
	}
	queued := pending(t, j)
	if len(queued) < 4 {
		t.Fatalf("%d messages", len(queued))
	}
	for name, l := range map[string]*lifecycle.Lifecycle{"who decided": decides, "another": lifecycle.New(j, lifecycle.WithConfirming(1)), "who remembers nothing": lifecycle.New(j)} {
		got := slices.Clone(queued)
		why, err := l.Confirm(t.Context(), got)
		if err != nil || !reflect.DeepEqual(got, queued) || slices.ContainsFunc(why, func(e error) bool { return e != nil }) {
			t.Errorf("%s: %v %v", name, why, err)
		}
	}
	fact, task := first(t, queued, event.TopicEvents), first(t, queued, event.TopicTasks("s0"))
	headers := func(m journal.Message, name, value string) journal.Message {
		m.Headers = maps.Clone(m.Headers)
		m.Headers[name] = value
		return m
	}
	erase := headers(task, event.HeaderID, event.TaskID(requestID, "s0", dsar.Erase, 1))
	erase.Payload = []byte(`{"request_id":"` + requestID + `","system":"s0","action":"erase","attempt":1}`)
	elsewhere := task
	elsewhere.Topic = event.TopicTasks("s1")
	foreign := task
	foreign.Key = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a12"
	for name, m := range map[string]journal.Message{
		"an erasure of an access":             erase,
		"a task on another's topic":           elsewhere,
		"a task under another request":        foreign,
		"of no request":                       {Topic: event.TopicTasks("s0"), Key: "x\xff", Payload: []byte("not json")},
		"a row that can't be read":            {Payload: []byte{9}},
		"a fact that there isn't":             headers(fact, event.HeaderID, event.FactID(requestID, 99)),
		"a report":                            {Topic: event.TopicReports, Key: requestID, Headers: task.Headers, Payload: task.Payload},
		"a fact on another topic":             {Topic: event.TopicRequests, Key: requestID, Headers: fact.Headers, Payload: fact.Payload},
		"a task whose id names no task of it": headers(task, event.HeaderID, "x"),
	} {
		for _, l := range []*lifecycle.Lifecycle{decides, lifecycle.New(j, lifecycle.WithConfirming(1))} {
			got := []journal.Message{m}
			if why, err := l.Confirm(t.Context(), got); err != nil || !errors.Is(why[0], lifecycle.ErrNotJournalled) {
				t.Errorf("%s: %v %v", name, why, err)
			}
		}
	}
	other := task
	other.Payload = erase.Payload
	told := fact
	told.Payload = []byte(`{"system":"s0"}`)
	bare := headers(fact, "x", "y")
	delete(bare.Headers, event.HeaderFactHash) // as programs of before wrote it
	for name, changed := range map[string][2]journal.Message{"a task": {other, task}, "a task's time": {headers(task, event.HeaderTime, "2020-01-01T00:00:00Z"), task}, "a fact": {told, fact}, "a fact without its hash": {bare, fact}} {
		got := []journal.Message{changed[0]}
		if why, err := decides.Confirm(t.Context(), got); err != nil || why[0] != nil || !reflect.DeepEqual(got[0], changed[1]) {
			t.Errorf("%s of another content: %v %v, carried as %+v", name, why, err, got)
		}
	}
	if _, err := lifecycle.New(j).Do(t.Context(), requestID, gathered("s0")); err != nil { // another process
		t.Fatal(err)
	}
	for _, l := range []*lifecycle.Lifecycle{decides, lifecycle.New(j)} {
		if why, err := l.Confirm(t.Context(), []journal.Message{task, fact}); err != nil || !errors.Is(why[0], lifecycle.ErrMovedOn) || why[1] != nil {
			t.Errorf("a task that has ended: %v %v", why, err)
		}
	}
}

// TestConfirmWhatCannotBeRead: of a request whose facts this program can't read facts are
// told, and tasks wait until they are sent anew; other requests don't wait.
func TestConfirmWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	if _, err := lifecycle.New(j).Accept(t.Context(), accepted(1)); err != nil {
		t.Fatal(err)
	}
	queued := pending(t, j)
	row, err := j.Row(t.Context(), requestID)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append(t.Context(), journal.Append{RequestID: requestID, Expected: row.Version, Row: row, Facts: []journal.NewFact{{Type: "of.tomorrow", At: start, Data: []byte("{}")}}}); err != nil {
		t.Fatal(err)
	}
	facts, err := j.Facts(t.Context(), requestID, row.Version+1)
	if err != nil {
		t.Fatal(err)
	}
	got := []journal.Message{first(t, queued, event.TopicEvents), first(t, queued, event.TopicTasks("s0")), lifecycle.FactMessage(facts[0])}
	want := slices.Clone(got)
	why, err := lifecycle.New(j, lifecycle.WithConfirming(1)).Confirm(t.Context(), got)
	if err != nil || why[0] != nil || !errors.Is(why[1], lifecycle.ErrUndecodable) || why[2] != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v", why, err)
	}
}

// damaged is a journal of which one request's facts have a cell that is no value.
type damaged struct{ journal.Journal }

func (damaged) Facts(context.Context, string, int) ([]journal.Fact, error) {
	return nil, &journal.UnreadableError{Table: "fact", Key: requestID, Column: "at"}
}

// TestConfirmWhatIsDamaged: a cell that can't be read stops nobody's messages but its own
// request's.
func TestConfirmWhatIsDamaged(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	if _, err := lifecycle.New(j).Accept(t.Context(), accepted(1)); err != nil {
		t.Fatal(err)
	}
	why, err := lifecycle.New(damaged{j}, lifecycle.WithConfirming(1)).Confirm(t.Context(), pending(t, j))
	if err != nil || slices.ContainsFunc(why, func(e error) bool { return !errors.Is(e, lifecycle.ErrUndecodable) }) {
		t.Errorf("%v %v", why, err)
	}
}

// TestConfirmAsksAgain: where the journal doesn't answer, nothing is said of any message.
func TestConfirmAsksAgain(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	if _, err := lifecycle.New(j).Accept(t.Context(), accepted(1)); err != nil {
		t.Fatal(err)
	}
	queued := pending(t, j)
	l := lifecycle.New(j, lifecycle.WithConfirming(1))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Confirm(t.Context(), queued); !errors.Is(err, journal.ErrClosed) {
		t.Error(err)
	}
}

func pending(t *testing.T, j journal.Queue) (out []journal.Message) {
	t.Helper()
	rows, err := j.Pending(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		out = append(out, r.Message)
	}
	return out
}

// first returns the first message to a topic.
func first(t *testing.T, messages []journal.Message, topic string) journal.Message {
	t.Helper()
	for _, m := range messages {
		if m.Topic == topic {
			return m
		}
	}
	t.Fatal("nothing goes to " + topic)
	return journal.Message{}
}
