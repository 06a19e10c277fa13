package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

// crowd returns a coordinator with many requests of which a task was sent at the
// same time and never heard of.
func crowd(t *testing.T, n, parallel int) *office {
	t.Helper()
	o := &office{journal: memjournal.New(memjournal.Config{}), now: start}
	o.requests = lifecycle.New(o.journal)
	o.Coordinator = coordinator.New(coordinator.Config{Requests: o.requests, Timers: o.journal, Links: plain{}, Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler), Parallel: parallel})
	for i := range n {
		_, err := o.requests.Accept(t.Context(), core.Accepted{
			RequestID: crowdID(i), Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0), Source: "test", Digest: "d",
			Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: fmt.Sprintf("fp-%d", i), Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}},
			Systems:     []dsar.System{{Name: "account", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func crowdID(i int) string { return fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-%012d", i) }

// TestTenThousandTimersAtOnce: every timer of a crowd is applied, once, in
// pieces, and then none is left.
func TestTenThousandTimersAtOnce(t *testing.T) {
	t.Parallel()
	const people, piece = 10_000, 500
	o := crowd(t, people, 16)
	o.now = start.Add(dsar.DefaultLease)
	rounds := 0
	for {
		n, err := o.Tick(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		if rounds++; n > piece {
			t.Fatalf("%d at once: reports wait for as long", n)
		}
	}
	if rounds != people/piece {
		t.Errorf("%d rounds", rounds)
	}
	for i := range people {
		s, err := o.requests.State(t.Context(), crowdID(i))
		if err != nil {
			t.Fatal(err)
		}
		if task := s.Task("account", dsar.Gather); task.Attempt != 2 || task.Unheard != 1 {
			t.Fatalf("request %d: attempt %d", i, task.Attempt)
		}
	}
}

// TestOneBadTimer: a request that can't be ticked keeps none of the others from
// its turn, and is tried again.
func TestOneBadTimer(t *testing.T) {
	t.Parallel()
	const people = 1200
	o := crowd(t, people, 4)
	bad := crowdID(0) // the first of all
	broken := &barred{Requests: o.requests, id: bad}
	c := coordinator.New(coordinator.Config{Requests: broken, Timers: o.journal, Links: plain{}, Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler), Parallel: 4})
	o.now = start.Add(dsar.DefaultLease)
	total := 0
	for range 10 {
		n, err := c.Tick(t.Context())
		if !errors.Is(err, errBarred) {
			t.Fatalf("nothing is said of it: %v", err)
		}
		total += n
	}
	if total != people-1 {
		t.Errorf("%d of %d had their turn", total, people-1)
	}
	if broken.tried < 2 {
		t.Errorf("it was tried %d times", broken.tried)
	}
}

var errBarred = errors.New("its facts can't be read")

// barred fails the commands of one request.
type barred struct {
	coordinator.Requests
	id    string
	mu    sync.Mutex
	tried int
}

func (b *barred) Do(ctx context.Context, id string, c core.Command) (core.State, error) {
	if id == b.id {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.tried++
		return core.State{}, errBarred
	}
	return b.Requests.Do(ctx, id, c)
}

// TestTimersWhileTheStoreIsDown: the others aren't tried in vain.
func TestTimersWhileTheStoreIsDown(t *testing.T) {
	t.Parallel()
	o := crowd(t, 300, 1)
	o.now = start.Add(dsar.DefaultLease)
	tried := 0
	down := doing(func(ctx context.Context, _ string, _ core.Command) (core.State, error) {
		if ctx.Err() != nil {
			return core.State{}, ctx.Err()
		}
		tried++
		return core.State{}, journal.ErrUnavailable
	})
	c := coordinator.New(coordinator.Config{Requests: down, Timers: o.journal, Links: plain{}, Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler)})
	if n, err := c.Tick(t.Context()); n != 0 || !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("%d, %v", n, err)
	}
	if tried != 1 {
		t.Errorf("tried %d times", tried)
	}
}

type doing func(context.Context, string, core.Command) (core.State, error)

func (d doing) Do(ctx context.Context, id string, c core.Command) (core.State, error) {
	return d(ctx, id, c)
}

// TestReportsPassACrowdOfTimers: while the timers of a crowd are being applied,
// and don't get on at all, a report is taken in.
func TestReportsPassACrowdOfTimers(t *testing.T) {
	t.Parallel()
	o := crowd(t, 50, 1)
	o.now = start.Add(dsar.DefaultLease)
	heard := make(chan struct{})
	stuck := doing(func(ctx context.Context, id string, c core.Command) (core.State, error) {
		if _, timer := c.(core.Tick); timer {
			select {
			case <-heard:
			case <-ctx.Done():
				return core.State{}, ctx.Err()
			}
		}
		return o.requests.Do(ctx, id, c)
	})
	c := coordinator.New(coordinator.Config{Requests: stuck, Timers: o.journal, Links: plain{}, Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler)})
	b := &topics{in: make(chan *message.Message, 1)}
	report := reportEvent(dsar.Report{RequestID: crowdID(7), System: "account", Action: dsar.Gather, Outcome: dsar.NothingFound})
	msg := message.NewMessage(report.ID, report.Data)
	msg.Metadata = report.Headers()
	bus.SetKey(msg, crowdID(7))
	b.in <- msg
	close(b.in)
	ctx, cancel := context.WithCancel(t.Context())
	context.AfterFunc(t.Context(), cancel)
	go func() { <-msg.Acked(); close(heard); cancel() }()
	if err := c.Run(ctx, b, b); err != nil {
		t.Fatal(err)
	}
	s, err := o.requests.State(t.Context(), crowdID(7))
	if err != nil || s.Task("account", dsar.Gather).Status != core.TaskIsEnded {
		t.Errorf("%v: %+v", err, s.Tasks)
	}
}

// slowCaller is a keeper of whose calls none ends before it may.
type slowCaller struct {
	may, begun chan struct{}
	mu         sync.Mutex
	most, now  int
}

func (k *slowCaller) Do(ctx context.Context, _ string, d core.Duty) error {
	if d != core.DutyCallBack {
		return nil
	}
	k.mu.Lock()
	k.now++
	k.most = max(k.most, k.now)
	k.mu.Unlock()
	defer func() { k.mu.Lock(); k.now--; k.mu.Unlock() }()
	select {
	case k.begun <- struct{}{}:
	default:
	}
	select {
	case <-k.may:
	case <-ctx.Done():
	}
	return nil
}

// TestSlowCaller: while callers take for ever to answer, all other timers are applied, and of
// one request the caller is called once at a time.
func TestSlowCaller(t *testing.T) {
	t.Parallel()
	o := crowd(t, 3, 4)
	slow := &slowCaller{may: make(chan struct{}), begun: make(chan struct{}, 1)}
	o.Keeper = slow
	id := crowdID(9)
	_, err := o.requests.Accept(t.Context(), core.Accepted{
		RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0), Source: "test", Digest: "d", CallsBack: true,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "fp-9", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "account", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.now = start.Add(dsar.DefaultLease)
	for range 3 {
		if _, err := o.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-slow.begun
		slow.begun <- struct{}{}
	}
	for i := range 3 {
		s, err := o.requests.State(t.Context(), crowdID(i))
		if err != nil || s.Task("account", dsar.Gather).Attempt != 2 {
			t.Errorf("request %d waits for another's caller: %v", i, err)
		}
	}
	close(slow.may)
	slow.mu.Lock()
	defer slow.mu.Unlock()
	if slow.most != 1 {
		t.Errorf("%d calls at once about one request", slow.most)
	}
}
