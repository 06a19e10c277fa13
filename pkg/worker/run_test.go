package worker

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
)

// wire is a transport in memory: what is sent comes in at once, all keys beside
// each other, and what is answered with a nack is kept in nacked.
type wire struct {
	in   chan *message.Message
	desk *desk          // opens the reports
	out  sync.WaitGroup // messages that are not answered

	mu        sync.Mutex
	acked     int
	nacked    int
	published [][]string // by publish: the type of each message
	reports   []dsar.Report
	rejected  []string
	fail      error // of the next publish
	closed    int
}

func newWire(d *desk) *wire { return &wire{in: make(chan *message.Message), desk: d} }

// send hands a message in and waits until it was taken, not until it is answered.
func (w *wire) send(msg *message.Message) {
	w.out.Add(1)
	w.in <- msg
	go func() {
		defer w.out.Done()
		select {
		case <-msg.Acked():
			w.mu.Lock()
			w.acked++
			w.mu.Unlock()
		case <-msg.Nacked():
			w.mu.Lock()
			w.nacked++
			w.mu.Unlock()
		}
	}()
}

func (w *wire) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	out := make(chan *message.Message)
	go func() {
		defer close(out)
		for {
			select {
			case msg := <-w.in:
				select {
				case out <- msg:
				case <-ctx.Done():
					msg.Nack()
				}
			case <-ctx.Done():
				w.out.Wait()
				return
			}
		}
	}()
	return out, nil
}

func (w *wire) Publish(topic string, msgs ...*message.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fail; err != nil {
		w.fail = nil
		return err
	}
	var types []string
	for _, m := range msgs {
		types = append(types, m.Metadata["ce_type"])
		if topic == event.TopicRejected {
			w.rejected = append(w.rejected, string(m.Payload))
			continue
		}
		about, err := link.Parse(m.Payload)
		if err != nil {
			return err
		}
		r, err := w.desk.hub.OpenReport(context.Background(), about)
		if err != nil {
			return err
		}
		if bus.Key(m) != r.RequestID {
			return errors.New("the key isn't the request id")
		}
		w.reports = append(w.reports, r)
	}
	w.published = append(w.published, types)
	return nil
}

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
	return nil
}

func (w *wire) state() (acked, nacked int, reports []dsar.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acked, w.nacked, append([]dsar.Report(nil), w.reports...)
}

const someone = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

// desk is the coordinator's end: a vault, and the links to workers.
type desk struct {
	*vault.Vault
	link.Memory
	hub *link.Hub
}

func (d *desk) access() Access {
	key, _ := d.Key("shop") // it makes one
	return Access{Link: key, Objects: d.Objects}
}

func memVault(t *testing.T) *desk {
	t.Helper()
	v := &desk{}
	var err error
	if v.Vault, err = vault.InMemory(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.hub = link.NewHub(v.Vault, &v.Memory, time.Now)
	if _, err := v.CreateKeys(t.Context(), someone); err != nil {
		t.Fatal(err)
	}
	return v
}

func taskMessage(t *testing.T, v *desk, attempt int) *message.Message {
	t.Helper()
	keys, err := v.Keys(t.Context(), someone)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal([]byte("a@example.com"), vault.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(dsar.Task{RequestID: someone, System: "shop", Action: dsar.Gather, Attempt: attempt,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "00", Sealed: sealed, Assurance: dsar.AssuranceVerified}}})
	if err != nil {
		t.Fatal(err)
	}
	if data, err = v.hub.SealTask(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	e := event.Event{ID: event.TaskID(someone, "shop", dsar.Gather, attempt), Source: "test", Type: event.TypeTask, Subject: someone, Time: time.Now(), Data: data}
	msg := message.NewMessage(e.ID, data)
	msg.Metadata = e.Headers()
	return msg
}

func shopManifest() *manifest.Manifest {
	return &manifest.Manifest{System: "shop", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"},
		Datasets: []manifest.Dataset{{Name: "profile", Columns: []manifest.Column{{Name: "email"}}}}}
}

type gatherFunc func(context.Context, Task, *Records) error

func (f gatherFunc) Gather(ctx context.Context, jobs []*GatherJob) error {
	return Each(ctx, jobs, func(ctx context.Context, j *GatherJob) error { return f(ctx, j.Task, j.Records) })
}

type gatherBatchFunc func(context.Context, []*GatherJob) error

func (f gatherBatchFunc) Gather(ctx context.Context, jobs []*GatherJob) error {
	return f(ctx, jobs)
}

// inBubble runs a worker in a bubble of virtual time. stop ends it as the
// context does and gives Run's error.
func inBubble(t *testing.T, impl any, change func(*Config), body func(t *testing.T, w *Worker, net *wire, v *desk, stop func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := memVault(t)
		net := newWire(v)
		w, err := New(shopManifest(), impl)
		if err != nil {
			t.Fatal(err)
		}
		c := Config{Access: v.access()}
		if change != nil {
			change(&c)
		}
		if err := c.defaults("shop"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.run(ctx, c, net, net) }()
		stop := sync.OnceValue(func() error { cancel(); return <-ended })
		body(t, w, net, v, stop)
		stop()
	})
}

func writeOne(_ context.Context, _ Task, out *Records) error {
	return out.Write("profile", record.Record{"email": "a@example.com"})
}

// quiet lets the wait for a batch pass, and everything that follows.
func quiet() {
	<-time.After(DefaultBatchWait)
	synctest.Wait()
}

func TestRunAcknowledgesAfterTheReport(t *testing.T) {
	t.Parallel()
	inBubble(t, gatherFunc(writeOne), nil, func(t *testing.T, _ *Worker, net *wire, v *desk, stop func() error) {
		net.send(taskMessage(t, v, 1))
		quiet()
		if acked, _, reports := net.state(); acked != 1 || len(reports) != 1 || reports[0].Outcome != dsar.Gathered {
			t.Errorf("%d acked, reports %+v", acked, reports)
		}
		net.fail = errors.New("broker is away")
		net.send(taskMessage(t, v, 2))
		quiet()
		if acked, nacked, reports := net.state(); acked != 1 || nacked != 1 || len(reports) != 1 {
			t.Errorf("after a failed publish: %d acked, %d nacked, reports %+v", acked, nacked, reports)
		}
		if err := stop(); err != nil || net.closed != 1 {
			t.Errorf("stop: %v, closed %d times", err, net.closed)
		}
	})
}

// TestLoneTaskDoesNotWait: an idle worker with the batch form begins on a lone
// task within 2 ms.
func TestLoneTaskDoesNotWait(t *testing.T) {
	t.Parallel()
	var began time.Time
	inBubble(t, gatherBatchFunc(func(context.Context, []*GatherJob) error { began = time.Now(); return nil }), nil,
		func(t *testing.T, _ *Worker, net *wire, v *desk, _ func() error) {
			sent := time.Now()
			net.send(taskMessage(t, v, 1))
			time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest
			synctest.Wait()
			if wait := began.Sub(sent); wait > 2*time.Millisecond || wait < 0 {
				t.Errorf("waited %v", wait)
			}
		})
}

// TestBatchesFill: what comes together is worked on together, up to the size;
// while calls are out, the rest gathers.
func TestBatchesFill(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sizes []int
	slow := func(_ context.Context, jobs []*GatherJob) error {
		mu.Lock()
		sizes = append(sizes, len(jobs))
		mu.Unlock()
		time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest
		return nil
	}
	inBubble(t, gatherBatchFunc(slow), func(c *Config) { c.BatchSize = 10 }, func(t *testing.T, _ *Worker, net *wire, v *desk, _ func() error) {
		for n := range 34 {
			net.send(taskMessage(t, v, n+1))
		}
		time.Sleep(time.Minute) //nolint:forbidigo // in a bubble of synctest
		acked, _, _ := net.state()
		slices.Sort(sizes) // two calls begin at the same time
		if acked != 34 || !slices.Equal(sizes, []int{4, 10, 10, 10}) {
			t.Errorf("%d acked, batches %v", acked, sizes)
		}
		// 10 reports of one batch went out in one publish.
		if len(net.published[0]) < 10 {
			t.Errorf("published %d together", len(net.published[0]))
		}
	})
}

// TestTrickleIsBounded: tasks that keep coming don't hold a batch back for
// longer than BatchWait.
func TestTrickleIsBounded(t *testing.T) {
	t.Parallel()
	var began time.Time
	inBubble(t, gatherBatchFunc(func(context.Context, []*GatherJob) error {
		if began.IsZero() {
			began = time.Now()
		}
		return nil
	}), nil, func(t *testing.T, _ *Worker, net *wire, v *desk, _ func() error) {
		sent := time.Now()
		for n := range 40 {
			net.send(taskMessage(t, v, n+1))
			time.Sleep(500 * time.Microsecond) //nolint:forbidigo // in a bubble of synctest
		}
		synctest.Wait()
		if wait := began.Sub(sent); wait > DefaultBatchWait+time.Millisecond {
			t.Errorf("waited %v", wait)
		}
	})
}

func TestUnreadableIsRejected(t *testing.T) {
	t.Parallel()
	inBubble(t, gatherFunc(writeOne), nil, func(t *testing.T, _ *Worker, net *wire, v *desk, _ func() error) {
		for n := range 100 {
			net.send(message.NewMessage("x", []byte("canary")))
			net.send(message.NewMessage("x", nil))
			if n%10 == 0 {
				net.send(taskMessage(t, v, n+1))
			}
		}
		quiet()
		acked, nacked, reports := net.state()
		if acked != 210 || nacked != 0 || len(reports) != 10 || len(net.rejected) != 200 {
			t.Errorf("%d acked, %d nacked, %d reports, %d rejected", acked, nacked, len(reports), len(net.rejected))
		}
		check, err := event.NewValidator()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range net.rejected[:2] {
			if err := check.ValidateData(event.TypeRejected, []byte(r)); err != nil {
				t.Errorf("%s: %v", r, err)
			}
		}
	})
}

// TestProgress: a task that takes long says so, with growing distances, and
// stops saying so when it has ended.
func TestProgress(t *testing.T) {
	t.Parallel()
	slow := func(_ context.Context, _ Task, out *Records) error {
		for range 120 {
			time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest
			if err := out.Write("profile", record.Record{"email": "x"}); err != nil {
				return err
			}
		}
		return nil
	}
	inBubble(t, gatherFunc(slow), nil, func(t *testing.T, _ *Worker, net *wire, v *desk, _ func() error) {
		net.send(taskMessage(t, v, 1))
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble of synctest
		_, _, reports := net.state()
		var kinds []dsar.ReportKind
		var records []int64
		for _, r := range reports {
			kinds, records = append(kinds, r.Kind), append(records, r.Records)
		}
		if len(reports) != 4 || kinds[0] != dsar.ReportProgress || kinds[3] != dsar.ReportEnded || records[0] < 9 || records[2] < 69 {
			t.Errorf("reports %v, records %v", kinds, records)
		}
	})
}

// TestStopDrains: what is under way ends and is reported; nothing is lost.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	slow := func(ctx context.Context, _ Task, out *Records) error {
		time.Sleep(5 * time.Second) //nolint:forbidigo // in a bubble of synctest
		return writeOne(ctx, Task{}, out)
	}
	inBubble(t, gatherFunc(slow), nil, func(t *testing.T, _ *Worker, net *wire, v *desk, stop func() error) {
		net.send(taskMessage(t, v, 1))
		synctest.Wait()
		began := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if acked, nacked, reports := net.state(); acked != 1 || nacked != 0 || reports[0].Outcome != dsar.Gathered || time.Since(began) != 5*time.Second {
			t.Errorf("after %v: %d acked, %d nacked, reports %+v", time.Since(began), acked, nacked, reports)
		}
	})
}

// TestStopCutsOff: a call that takes longer than the drain is cut off, and its
// task is not reported but comes again.
func TestStopCutsOff(t *testing.T) {
	t.Parallel()
	endless := func(ctx context.Context, _ Task, _ *Records) error { <-ctx.Done(); return ctx.Err() }
	inBubble(t, gatherFunc(endless), func(c *Config) { c.Drain = 3 * time.Second }, func(t *testing.T, _ *Worker, net *wire, v *desk, stop func() error) {
		net.send(taskMessage(t, v, 1))
		synctest.Wait()
		began := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if acked, nacked, reports := net.state(); acked != 0 || nacked != 1 || len(reports) != 0 || time.Since(began) != 3*time.Second {
			t.Errorf("after %v: %d acked, %d nacked, reports %+v", time.Since(began), acked, nacked, reports)
		}
	})
}

// TestHungCallDoesNotHoldTheStop: an implementation that ignores its context
// doesn't keep the process from ending.
func TestHungCallDoesNotHoldTheStop(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var ran sync.WaitGroup
	ran.Add(1)
	hangs := make(chan struct{})
	hang := func(context.Context, Task, *Records) error { defer ran.Done(); close(hangs); <-release; return nil }
	v := memVault(t)
	net := newWire(v)
	w, err := New(shopManifest(), gatherFunc(hang))
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Access: v.access(), Drain: time.Millisecond}
	if err := c.defaults("shop"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.run(ctx, c, net, net) }()
	net.send(taskMessage(t, v, 1))
	<-hangs // told to stop before, it would have nothing to wait for
	cancel()
	if err := <-ended; !errors.Is(err, ErrHung) {
		t.Errorf("error %v", err)
	}
	close(release)
	ran.Wait()
	net.out.Wait()
}

func TestStopTwice(t *testing.T) {
	t.Parallel()
	inBubble(t, gatherFunc(writeOne), nil, func(t *testing.T, w *Worker, net *wire, v *desk, stop func() error) {
		net.send(taskMessage(t, v, 1))
		synctest.Wait()
		var both sync.WaitGroup
		both.Go(w.Stop)
		both.Go(w.Stop)
		both.Wait()
		w.Stop()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if err := w.run(t.Context(), Config{}, newWire(nil), newWire(nil)); err == nil {
			t.Error("a worker ran twice")
		}
	})
	w, err := New(shopManifest(), gatherFunc(writeOne))
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	if err := w.run(t.Context(), Config{Access: memVault(t).access()}, newWire(nil), newWire(nil)); err != nil {
		t.Error(err)
	}
	w.Stop()
}

// TestLostPartitionIsLeftToOthers: a task whose message nobody waits for any
// more isn't begun.
func TestLostPartitionIsLeftToOthers(t *testing.T) {
	t.Parallel()
	called := false
	inBubble(t, gatherFunc(func(context.Context, Task, *Records) error { called = true; return nil }), nil,
		func(t *testing.T, _ *Worker, net *wire, v *desk, _ func() error) {
			msg := taskMessage(t, v, 1)
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			msg.SetContext(gone)
			net.send(msg)
			quiet()
			if _, nacked, reports := net.state(); called || nacked != 1 || len(reports) != 0 {
				t.Errorf("called %v, %d nacked, reports %+v", called, nacked, reports)
			}
		})
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	w, err := New(shopManifest(), gatherFunc(writeOne))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"no vault":    {Kafka: bus.Files{Brokers: []string{"127.0.0.1:1"}}},
		"no brokers":  {Access: memVault(t).access()},
		"bad broker":  {Access: memVault(t).access(), Kafka: bus.Files{Brokers: []string{"nowhere"}}},
		"negative":    {Access: memVault(t).access(), Kafka: bus.Files{Brokers: []string{"127.0.0.1:1"}}, BatchSize: -1},
		"no password": {Access: memVault(t).access(), Kafka: bus.Files{Brokers: []string{"127.0.0.1:1"}, SASL: bus.SASLFiles{Mechanism: "PLAIN", User: "u", PasswordFile: t.TempDir() + "/none"}}},
		"no ca":       {Access: memVault(t).access(), Kafka: bus.Files{Brokers: []string{"127.0.0.1:1"}, TLS: bus.TLSFiles{CAFile: t.TempDir() + "/none"}}},
		"half a pair": {Access: memVault(t).access(), Kafka: bus.Files{Brokers: []string{"127.0.0.1:1"}, TLS: bus.TLSFiles{CertFile: "x"}}},
	} {
		if err := w.Run(t.Context(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
