package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/keeper/keepertest"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/reconcile"
)

const (
	first  = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	second = "1c3ee4cf-7b1f-4f07-8d44-0f6f4c2a5f10"
	third  = "2d4ff5da-8c2a-4a18-9e55-1a7a5d3b6a21"
)

// tape remembers the appends of a journal, so that a backup of any moment can be made.
type tape struct {
	journal.Store
	appends []journal.Append
}

func (s *tape) Append(ctx context.Context, a journal.Append) error {
	err := s.Store.Append(ctx, a)
	if err == nil {
		s.appends = append(s.appends, a)
	}
	return err
}

// backup returns a journal of the first appends.
func (s *tape) backup(t *testing.T, n int, fault func(memjournal.Op, bool) error) journal.Store {
	t.Helper()
	on := false
	j := memjournal.New(memjournal.Config{Fault: func(op memjournal.Op, after bool) error {
		if !on || fault == nil {
			return nil
		}
		return fault(op, after)
	}})
	for _, a := range s.appends[:n] {
		if err := j.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	on = true
	return j
}

// topic is what Kafka has of each topic.
type topic map[string][]bus.Scanned

// Publish implements reconcile.Publisher.
func (k topic) Publish(_ context.Context, messages []journal.Message) error {
	for _, m := range messages {
		k[m.Topic] = append(k[m.Topic], bus.Scanned{Key: m.Key, Headers: m.Headers, Value: m.Payload})
	}
	return nil
}

// Scan implements reconcile.Topics.
func (k topic) Scan(_ context.Context, name string, _ time.Time, f func(bus.Scanned) error) error {
	for _, r := range k[name] {
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// world is an installation that three requests were played on to their ends.
type world struct {
	*keepertest.House
	tape  *tape
	topic topic
	// facts are those of each request, as they were.
	facts map[string][]journal.Fact
	// left is what the outbox has of an answer.
	left map[string]*dsar.Object
}

// Answer implements reconcile.Answers.
func (w *world) Answer(_ context.Context, id string) (*dsar.Object, error) { return w.left[id], nil }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{tape: &tape{Store: memjournal.New(memjournal.Config{})}, topic: topic{}, facts: map[string][]journal.Fact{}, left: map[string]*dsar.Object{}}
	w.House = keepertest.New(t, t.TempDir(), w.tape)
	w.Request(first, dsar.Access, "anna@example.com")
	w.Request(second, dsar.Erasure, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 2, Erased: 2})
	w.Request(third, dsar.Access, "sam@example.com")
	for _, id := range []string{first, second, third} {
		w.Ended(id)
	}
	vouching := reconcile.Vouching{Vault: w.Vault, Next: w.topic}
	for _, a := range w.tape.appends {
		if err := vouching.Publish(t.Context(), a.Messages); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{first, second, third} {
		facts, err := w.Journal.Facts(t.Context(), id, 1)
		if err != nil {
			t.Fatal(err)
		}
		w.facts[id] = facts
	}
	return w
}

// Ended has the receipts of a request issued.
func (w *world) Ended(id string) {
	w.Helper()
	s, err := w.Requests.State(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range s.Duties(w.Now) {
		if err := w.House.Keeper.Do(w.Context(), id, d); err != nil {
			w.Fatal(err)
		}
	}
}

// config returns what reconciles a journal with what the world has.
func (w *world) config(j journal.Store) reconcile.Config {
	return reconcile.Config{Journal: j, Requests: lifecycle.New(j, lifecycle.WithPrints(prints.Prints{Vault: w.Vault})), Vault: w.Vault, Outbox: w.Outbox, Answers: w, Topics: w.topic,
		By: "lea", Now: func() time.Time { return w.Now }}
}

// whole checks that a journal has each request's facts as they were, and behind them at most
// that it was taken up again and what followed from that.
func (w *world) whole(t *testing.T, j journal.Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		got, err := j.Facts(t.Context(), id, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := w.facts[id]
		if len(got) < len(want) || !reflect.DeepEqual(got[:len(want)], want) {
			t.Fatalf("request %s has %d facts, and not the %d that there were", id, len(got), len(want))
		}
		if rest := got[len(want):]; len(rest) > 1 || len(rest) == 1 && rest[0].Type != core.TypeOf(core.TakenUp{}) {
			t.Errorf("request %s: %d facts more, the first %s", id, len(rest), rest[0].Type)
		}
	}
	c := audit.Config{Journal: j}
	if len(ids) == len(w.facts) {
		c.Vault = w.Vault // it has keys of no other
	}
	report, err := audit.Run(t.Context(), c)
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("the audit: %v, %v", report.Findings, err)
	}
}

// TestEveryMoment restores the journal of every moment, and has it taken up all that came
// after, though it is killed at every call of the store, before it and after it. Said before
// and done are the same; a second time nothing is left to do.
func TestEveryMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range w.tape.appends {
		planned := w.config(w.tape.backup(t, n, nil))
		planned.Plan = true
		plan, err := reconcile.Run(t.Context(), planned)
		if err != nil {
			t.Fatal(err)
		}
		for kill := 0; ; kill++ {
			calls, dead := 0, false
			j := w.tape.backup(t, n, func(memjournal.Op, bool) error {
				if calls++; calls == kill+1 {
					dead = true
				}
				if dead {
					return journal.ErrUnavailable
				}
				return nil
			})
			_, err := reconcile.Run(t.Context(), w.config(j))
			killed := dead
			if killed && !errors.Is(err, journal.ErrUnavailable) || !killed && err != nil {
				t.Fatal(err)
			}
			dead, calls = false, -1<<30
			report, err := reconcile.Run(t.Context(), w.config(j))
			if err != nil {
				t.Fatal(err)
			}
			w.whole(t, j, first, second, third)
			if again, err := reconcile.Run(t.Context(), w.config(j)); err != nil || len(again.Items) > 0 {
				t.Fatalf("a second time: %+v, %v", again.Items, err)
			}
			if !killed {
				if len(report.Items) > 0 { // the run that wasn't killed has done it all
					t.Errorf("it wasn't killed, and has left %+v", report.Items)
				}
				break
			}
		}
		done, err := reconcile.Run(t.Context(), w.config(w.tape.backup(t, n, nil)))
		if err != nil || !reflect.DeepEqual(done.Items, plan.Items) {
			t.Errorf("after %d appends planned\n%+v\nand done\n%+v, %v", n, plan.Items, done.Items, err)
		}
	}
}

// TestStrangersFacts: what isn't vouched for is not taken in, whoever wrote it and whatever it
// looks like; what is, is not taken in for another request or in another place.
func TestStrangersFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, alter := range map[string]func(r *bus.Scanned){
		"without MAC":     func(r *bus.Scanned) { delete(r.Headers, event.HeaderFactMAC) },
		"without hash":    func(r *bus.Scanned) { delete(r.Headers, event.HeaderFactHash) },
		"other data":      func(r *bus.Scanned) { r.Value = append(slices.Clone(r.Value), ' ') },
		"another time":    func(r *bus.Scanned) { r.Headers[event.HeaderTime] = "2026-11-20T09:30:00.000001Z" },
		"another type":    func(r *bus.Scanned) { r.Headers[event.HeaderType] = "dsar.request.noted.v1" },
		"another request": func(r *bus.Scanned) { r.Key = third },
		"another hash": func(r *bus.Scanned) {
			r.Headers[event.HeaderFactHash] = fmt.Sprintf("%064x", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := topic{}
			for i, r := range w.topic[event.TopicEvents] {
				r.Headers = maps.Clone(r.Headers)
				if r.Key == first {
					alter(&r)
					if name == "another request" && i == 0 {
						r.Headers[event.HeaderID] = event.FactID(third, 1)
					}
				}
				k[event.TopicEvents] = append(k[event.TopicEvents], r)
			}
			c := w.config(w.tape.backup(t, 0, nil))
			c.Topics = k
			report, err := reconcile.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := c.Requests.State(t.Context(), first); err != nil || s.Exists() {
				t.Errorf("it was taken in: %v", err)
			}
			w.whole(t, c.Journal, second, third)
			i := slices.IndexFunc(report.Items, func(i reconcile.Item) bool { return i.Request == first })
			if i < 0 || report.Items[i].What != reconcile.Lost {
				t.Errorf("it isn't named: %+v", report.Items)
			}
		})
	}
}

// TestCopiedFacts: copies of facts under other ids, which whoever may read and write the topic
// can put there, keep nobody from being taken up.
func TestCopiedFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := topic{}
	for _, r := range w.topic[event.TopicEvents] {
		for _, id := range []string{"00000000-0000-4000-8000-000000000000", event.FactID(r.Key, 1), event.FactID(r.Key, 2), event.FactID(r.Key, 3)} {
			if r.Headers[event.HeaderID] == id {
				continue
			}
			other := r
			other.Headers = maps.Clone(r.Headers)
			other.Headers[event.HeaderID] = id
			k[event.TopicEvents] = append(k[event.TopicEvents], other)
		}
		k[event.TopicEvents] = append(k[event.TopicEvents], r)
	}
	c := w.config(w.tape.backup(t, 0, nil))
	c.Topics = k
	if _, err := reconcile.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	w.whole(t, c.Journal, first, second, third)
}

// TestNotAnsweredTwice: an open request whose answer, or whose refusal, lies in the outbox ends
// with that, and needs a person until one has looked; a letter that was written isn't written
// again; and one whose facts can be taken in ends as it did.
func TestNotAnsweredTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open := slices.IndexFunc(w.tape.appends, func(a journal.Append) bool { return a.RequestID == first }) + 1
	put := func(name string) {
		t.Helper()
		if err := w.Outbox.WriteAll(t.Context(), name, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	put("letters/" + first + ".1-confirmation.en.txt")
	put(first + ".zip.age")
	w.left[first] = &dsar.Object{Name: first + ".zip.age", Bytes: 1}
	put("letters/" + second + ".7-refusal.en.txt")

	c := w.config(w.tape.backup(t, open, nil))
	c.Topics = nil
	report, err := reconcile.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Requests.State(t.Context(), first)
	if err != nil || s.Status != core.StatusCompleted || s.Bundle.Name != first+".zip.age" || len(s.Unwritten()) != 0 || len(s.Duties(w.Now)) != 0 {
		t.Errorf("%s, %+v, letters due %v, duties %v, %v", s.Status, s.Bundle, s.Unwritten(), s.Duties(w.Now), err)
	}
	if needs := s.Needs(); len(needs) != 1 || needs[0].Kind != core.NeedUntold {
		t.Errorf("needs %v", needs)
	}
	if len(s.Letters) != 1 || s.Letters[0].Channel != core.ChannelUnknown {
		t.Errorf("how it went isn't known: %+v", s.Letters)
	}
	if s, err = c.Requests.Do(t.Context(), first, core.Note{By: "lea", Reason: "she has it", Now: w.Now}); err != nil || len(s.Needs()) != 0 {
		t.Errorf("noted, it needs %v, %v", s.Needs(), err)
	}
	what := map[string]reconcile.Item{}
	for _, i := range report.Items {
		what[i.Request] = i
	}
	if what[first].What != reconcile.Answered || what[second].What != reconcile.Lost || what[second].Letters != 1 || what[third].What != reconcile.Lost {
		t.Errorf("%+v", report.Items)
	}

	// With its facts, it ends by those.
	c = w.config(w.tape.backup(t, open, nil))
	if _, err := reconcile.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	w.whole(t, c.Journal, first)
	if s, err := c.Requests.State(t.Context(), first); err != nil || len(s.Needs()) != 0 {
		t.Errorf("needs %v, %v", s.Needs(), err)
	}
}

// TestEndedWithoutKeys: of requests that have ended and whose keys are lost those are named that
// have left something: what had to stay, or a hold.
func TestEndedWithoutKeys(t *testing.T) {
	t.Parallel()
	w := &world{tape: &tape{Store: memjournal.New(memjournal.Config{})}, topic: topic{}, left: map[string]*dsar.Object{}}
	w.House = keepertest.New(t, t.TempDir(), w.tape)
	kept := dsar.Counts{Dataset: "invoices", Found: 2, Erased: 1}
	kept.Retain(1, "tax-records", w.Now.AddDate(10, 0, 0))
	w.Request(first, dsar.Erasure, "anna@example.com", kept)
	w.Request(second, dsar.Access, "sam@example.com")
	w.Request(third, dsar.Access, "tom@example.com")
	if _, err := w.Requests.Do(t.Context(), third, core.Hold{By: "lea", Reason: "a lawsuit", Now: w.Now}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Vault.Close(), os.RemoveAll(w.Dir+"/keys")); err != nil {
		t.Fatal(err)
	}
	w.OpenVault()
	report, err := reconcile.Run(t.Context(), w.config(w.tape))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, i := range report.Items {
		if i.What != reconcile.NoKeys || i.Status != core.StatusCompleted {
			t.Errorf("%+v", i)
		}
		named = append(named, i.Request)
	}
	slices.Sort(named)
	want := []string{first, third}
	if slices.Sort(want); !slices.Equal(named, want) {
		t.Errorf("named %v", named)
	}
}
