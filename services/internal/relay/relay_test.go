package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/relay"
)

// broker is a Publisher that remembers, and fails on demand.
type broker struct {
	mu      sync.Mutex
	got     []journal.Message
	batches int
	tries   int
	fail    func(messages []journal.Message) (stored int, err error)
	changed chan struct{} // cap 1
}

func newBroker() *broker { return &broker{changed: make(chan struct{}, 1)} }

func (b *broker) Publish(ctx context.Context, messages []journal.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.fail != nil {
		if stored, err := b.fail(messages); err != nil {
			b.got = append(b.got, messages[:stored]...)
			return err
		}
	}
	b.got = append(b.got, messages...)
	b.batches++
	select {
	case b.changed <- struct{}{}:
	default:
	}
	return nil
}

func (b *broker) setFail(f func([]journal.Message) (int, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = f
}

func (b *broker) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got)
}

// waitFor waits until so many different messages have come.
func (b *broker) waitFor(t *testing.T, n int) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		b.mu.Lock()
		seen := map[string]bool{}
		for _, m := range b.got {
			seen[m.Key+"/"+string(m.Payload)] = true
		}
		b.mu.Unlock()
		if len(seen) >= n {
			return
		}
		select {
		case <-b.changed:
		case <-late:
			t.Fatalf("%d of %d messages came", len(seen), n)
		}
	}
}

// ordered checks that a request's messages came in order, duplicates aside, and
// returns how many each had.
func (b *broker) ordered(t *testing.T) map[string]int {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	last := map[string]int{}
	for _, m := range b.got {
		n, err := strconv.Atoi(string(m.Payload))
		if err != nil || n > last[m.Key]+1 {
			t.Fatalf("%s: %s after %d", m.Key, m.Payload, last[m.Key])
		}
		last[m.Key] = max(last[m.Key], n)
	}
	return last
}

func appendMany(t *testing.T, j journal.Journal, requests, versions int) {
	t.Helper()
	var wg sync.WaitGroup
	for r := range requests {
		wg.Go(func() {
			for v := range versions {
				if err := j.Append(context.Background(), journaltest.Simple(fmt.Sprint("r", r), v)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestStep(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	j, b := memjournal.New(memjournal.Config{}), newBroker()
	r := relay.New(relay.Config{Queue: j, Publisher: b, Batch: 4})
	if n, err := r.Step(ctx); n != 0 || err != nil || b.tries != 0 {
		t.Fatalf("nothing pending: %d %v", n, err)
	}
	appendMany(t, j, 3, 2)
	for _, want := range []int{4, 2, 0} {
		if n, err := r.Step(ctx); n != want || err != nil {
			t.Fatalf("%d, want %d: %v", n, want, err)
		}
	}
	if last := b.ordered(t); len(last) != 3 || len(b.got) != 6 || r.Stats().Sent != 6 {
		t.Errorf("%v", last)
	}
}

// TestCrash lets a step die at every place: nothing is lost, order holds.
func TestCrash(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	died := errors.New("died")
	for _, op := range []memjournal.Op{memjournal.OpPending, memjournal.OpSent} {
		for _, after := range []bool{false, true} {
			for stored := range 3 {
				broken := true
				j := memjournal.New(memjournal.Config{Fault: func(o memjournal.Op, a bool) error {
					if broken && o == op && a == after {
						return died
					}
					return nil
				}})
				appendMany(t, j, 1, 3)
				b := newBroker()
				if op == memjournal.OpPending { // then let publishing break halfway
					broken = false
					b.fail = func([]journal.Message) (int, error) { return stored, died }
				}
				if _, err := relay.New(relay.Config{Queue: j, Publisher: b}).Step(ctx); !errors.Is(err, died) {
					t.Fatal(err)
				}
				broken, b.fail = false, nil
				again := relay.New(relay.Config{Queue: j, Publisher: b}) // another process
				for {
					n, err := again.Step(ctx)
					if err != nil {
						t.Fatal(err)
					}
					if n == 0 {
						break
					}
				}
				if last := b.ordered(t); last["r0"] != 3 {
					t.Errorf("%s after %v, %d stored: %v", op, after, stored, last)
				}
			}
		}
	}
}

// TestOutage stops the broker for an hour: no message is lost, one line is
// logged at each change, and tries are few.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		j, b := memjournal.New(memjournal.Config{}), newBroker()
		r := relay.New(relay.Config{Queue: j, Publisher: b, Log: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()

		appendMany(t, j, 2, 1)
		synctest.Wait()
		if b.count() != 2 {
			t.Fatalf("%d carried without a wait", b.count())
		}
		b.setFail(func([]journal.Message) (int, error) { return 0, errors.New("no broker") })
		appendMany(t, j, 5, 0)
		for v := 1; v < 4; v++ {
			if err := j.Append(ctx, journaltest.Simple("r0", v)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble of synctest
		synctest.Wait()
		if !r.Stats().Failing {
			t.Error("it doesn't know that it fails")
		}
		if b.tries > 3600 {
			t.Errorf("%d tries in an hour", b.tries)
		}
		b.setFail(nil)
		time.Sleep(10 * time.Second) //nolint:forbidigo // in a bubble of synctest
		synctest.Wait()
		if last := b.ordered(t); last["r0"] != 4 || len(b.got) != 5 || r.Stats().Failing {
			t.Errorf("%v, %d, %+v", last, len(b.got), r.Stats())
		}
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("%d lines:\n%s", lines, log.String())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestStopLetsTheBatchEnd stops a relay while a batch is on its way.
func TestStopLetsTheBatchEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := memjournal.New(memjournal.Config{})
		begun := make(chan struct{})
		slow := publisherFunc(func(ctx context.Context, _ []journal.Message) error {
			close(begun)
			select {
			case <-time.After(2 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- relay.New(relay.Config{Queue: j, Publisher: slow}).Run(ctx) }()
		appendMany(t, j, 1, 1)
		<-begun
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if left, err := j.Pending(context.Background(), 10); err != nil || len(left) != 0 {
			t.Errorf("%d left, %v", len(left), err)
		}
	})
}

type publisherFunc func(context.Context, []journal.Message) error

func (f publisherFunc) Publish(ctx context.Context, m []journal.Message) error { return f(ctx, m) }

// TestRefused has messages that no broker takes: they hold up nobody.
func TestRefused(t *testing.T) {
	t.Parallel()
	tooLarge := errors.New("too large")
	j, b := memjournal.New(memjournal.Config{}), newBroker()
	var log bytes.Buffer
	r := relay.New(relay.Config{Queue: j, Publisher: b, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Refused: func(err error) bool { return errors.Is(err, tooLarge) }})
	b.fail = func(messages []journal.Message) (int, error) {
		for _, m := range messages {
			if string(m.Payload) == "3" {
				return 0, fmt.Errorf("topic: %w", tooLarge)
			}
		}
		return 0, nil
	}
	appendMany(t, j, 4, 5)
	for {
		n, err := r.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if stats := r.Stats(); len(b.got) != 16 || stats.Refused != 4 || stats.Sent != 16 {
		t.Errorf("%d came, %+v", len(b.got), stats)
	}
	last := map[string]string{}
	for _, m := range b.got {
		if string(m.Payload) <= last[m.Key] {
			t.Errorf("%s: %s after %s", m.Key, m.Payload, last[m.Key])
		}
		last[m.Key] = string(m.Payload)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 4 {
		t.Errorf("%d lines", lines)
	}
}

// TestDropped: what isn't confirmed leaves the queue and goes nowhere; while nothing can be
// confirmed, nothing is dropped.
func TestDropped(t *testing.T) {
	t.Parallel()
	j, b := memjournal.New(memjournal.Config{}), newBroker()
	away, stranger := errors.New("the journal does not answer"), errors.New("a stranger's")
	answers := false
	var dropped []string
	r := relay.New(relay.Config{Queue: j, Publisher: b, Confirm: func(_ context.Context, queued []journal.Message) ([]error, error) {
		if !answers {
			return nil, away
		}
		why := make([]error, len(queued))
		for i, m := range queued {
			if m.Key == "r1" {
				why[i] = stranger
			}
		}
		return why, nil
	}, Dropped: func(_ context.Context, m journal.Message, why error) {
		dropped = append(dropped, m.Key+": "+why.Error())
	}})
	appendMany(t, j, 3, 2)
	if n, err := r.Step(t.Context()); n != 0 || !errors.Is(err, away) || len(b.got) != 0 {
		t.Errorf("%d, %v, %d came", n, err, len(b.got))
	}
	answers = true
	b.fail = func([]journal.Message) (int, error) { return 0, errors.New("Kafka is away") } // nothing is told of before it is done
	if n, err := r.Step(t.Context()); n != 0 || err == nil || len(dropped) > 0 {
		t.Errorf("%d, %v, %v", n, err, dropped)
	}
	b.fail = nil
	if n, err := r.Step(t.Context()); n != 6 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if want := []string{"r1: a stranger's", "r1: a stranger's"}; !slices.Equal(dropped, want) {
		t.Errorf("%v", dropped)
	}
	if got := b.ordered(t); got["r0"] != 2 || got["r2"] != 2 || got["r1"] != 0 {
		t.Errorf("%v", got)
	}
	if stats := r.Stats(); stats.Sent != 4 || stats.Dropped != 2 {
		t.Errorf("%+v", stats)
	}
	if left, err := j.Pending(t.Context(), 10); err != nil || len(left) != 0 {
		t.Errorf("%d left, %v", len(left), err)
	}
}

// lost is a queue whose answer to what was carried is lost, once.
type lost struct {
	journal.Queue
	once sync.Once
}

func (q *lost) Sent(ctx context.Context, ids []int64) (err error) {
	err = q.Queue.Sent(ctx, ids)
	q.once.Do(func() { err = errors.New("the answer is lost") })
	return err
}

// TestDropsAreTold: also where nobody hears that what is dropped has left the queue, as when
// the process is killed just then.
func TestDropsAreTold(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	appendMany(t, j, 1, 1)
	told := 0
	r := relay.New(relay.Config{Queue: &lost{Queue: j}, Publisher: newBroker(),
		Confirm: func(_ context.Context, queued []journal.Message) ([]error, error) {
			return []error{errors.New("a stranger's")}, nil
		}, Dropped: func(context.Context, journal.Message, error) { told++ }})
	if _, err := r.Step(t.Context()); err == nil {
		t.Error("no error")
	}
	if n, err := r.Step(t.Context()); n != 0 || err != nil || told != 1 {
		t.Errorf("%d, %v; told %d times", n, err, told)
	}
}
