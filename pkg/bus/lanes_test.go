package bus

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// bench is lanes whose deliveries a test answers.
type bench struct {
	*lanes
	got  chan delivery
	over chan struct{} // closed: no further answers
}

type delivery struct {
	rec    *record
	answer chan<- verdict
}

var testLimits = limits{inFlight: 64, window: 1000, bytes: 1 << 30, nackMin: 10 * time.Millisecond, nackMax: time.Second}

func newBench(l limits) *bench {
	b := &bench{got: make(chan delivery, 10_000), over: make(chan struct{})}
	b.lanes = newLanes(l, time.Now, func(_ *partition, r *record) verdict {
		answer := make(chan verdict, 1)
		b.got <- delivery{r, answer}
		select {
		case v := <-answer:
			return v
		case <-b.over:
			return withdrawn
		}
	})
	return b
}

func recs(from int64, keys ...string) []*record {
	out := make([]*record, len(keys))
	for i, k := range keys {
		out[i] = &record{offset: from + int64(i), key: k, size: 100}
	}
	return out
}

func (b *bench) add(p *partition, keys ...string) {
	rs := recs(p.fetched, keys...)
	next := p.fetched + int64(len(keys))
	b.push(p, rs, next, next)
}

// now returns what is handed out at this moment, by offset.
func (b *bench) now() map[int64]chan<- verdict {
	synctest.Wait()
	m := make(map[int64]chan<- verdict)
	for {
		select {
		case d := <-b.got:
			m[d.rec.offset] = d.answer
		default:
			return m
		}
	}
}

func offsetsOf(m map[int64]chan<- verdict) []int64 {
	var o []int64
	for k := range m {
		o = append(o, k)
	}
	slices.Sort(o)
	return o
}

func wantOffsets(t *testing.T, m map[int64]chan<- verdict, want ...int64) {
	t.Helper()
	if got := offsetsOf(m); !slices.Equal(got, want) {
		t.Fatalf("handed out %v, want %v", got, want)
	}
}

func TestLanesKeepOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(testLimits)
		p := newPartition(0, 0, time.Now())
		b.add(p, "a", "a", "b", "a", "b")
		first := b.now()
		wantOffsets(t, first, 0, 2)
		first[0] <- acked
		second := b.now()
		wantOffsets(t, second, 1)
		first[2] <- acked
		third := b.now()
		wantOffsets(t, third, 4)
		second[1] <- acked
		wantOffsets(t, b.now(), 3)
		b.end()
	})
}

// end lets the workers go.
func (b *bench) end() {
	b.stop()
	close(b.over)
	b.workers.Wait()
}

func TestOthersPassAStuckKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(testLimits)
		p := newPartition(0, 0, time.Now())
		b.add(p, "stuck", "x", "stuck", "y", "x")
		out := b.now()
		wantOffsets(t, out, 0, 1, 3)
		out[1] <- acked
		out[3] <- acked
		again := b.now()
		wantOffsets(t, again, 4)
		again[4] <- acked
		synctest.Wait()
		if m := b.offsets([]*partition{p}); m != nil {
			t.Fatalf("would commit %v past the stuck message", m)
		}
		out[0] <- acked
		last := b.now()
		wantOffsets(t, last, 2)
		if m := b.offsets([]*partition{p}); m[0] != 2 {
			t.Fatalf("would commit %v, want 2", m)
		}
		last[2] <- acked
		synctest.Wait()
		if m := b.offsets([]*partition{p}); m[0] != 5 {
			t.Fatalf("would commit %v, want 5", m)
		}
		b.end()
	})
}

func TestNackComesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(testLimits)
		p := newPartition(0, 0, time.Now())
		b.add(p, "a", "a", "b")
		out := b.now()
		wantOffsets(t, out, 0, 2)
		for i, wait := range []time.Duration{10, 20, 40, 80, 160, 320, 640, 1000, 1000} {
			out[0] <- nacked
			wantOffsets(t, b.now())
			time.Sleep(wait*time.Millisecond - 1) //nolint:forbidigo // in a bubble of synctest
			wantOffsets(t, b.now())
			time.Sleep(time.Nanosecond) //nolint:forbidigo // in a bubble of synctest
			if out = b.now(); len(out) != 1 || out[0] == nil {
				t.Fatalf("nack %d: handed out %v after %v ms, want the same message", i, offsetsOf(out), wait)
			}
		}
		b.mu.Lock()
		if b.inFlight != 2 {
			t.Errorf("in flight %d, want 2", b.inFlight)
		}
		b.mu.Unlock()
		out[0] <- acked
		wantOffsets(t, b.now(), 1)
		b.end()
	})
}

func TestInFlightIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := testLimits
		l.inFlight = 3
		b := newBench(l)
		p := newPartition(0, 0, time.Now())
		b.add(p, "a", "b", "c", "d", "e")
		out := b.now()
		wantOffsets(t, out, 0, 1, 2)
		out[1] <- acked
		wantOffsets(t, b.now(), 3)
		// One that waits for its turn after a nack takes no place.
		out[0] <- nacked
		wantOffsets(t, b.now(), 4)
		b.end()
	})
}

func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := testLimits
		l.window, l.bytes = 2, 350
		b := newBench(l)
		p, q, r := newPartition(0, 0, time.Now()), newPartition(1, 0, time.Now()), newPartition(2, 0, time.Now())
		all := []*partition{p, q, r}
		b.add(p, "a", "b")
		if open := b.waitRoom(all); len(open) != 2 || open[0] != q {
			t.Fatalf("a full window: %d partitions have room, want the two others", len(open))
		}
		b.add(q, "a")
		b.add(r, "a")
		var got []*partition
		go func() { got = b.waitRoom(all) }()
		out := b.now()
		if got != nil {
			t.Fatal("room although the bytes are used up")
		}
		out[0] <- acked // of some partition: the offsets are the same
		synctest.Wait()
		if got == nil {
			t.Fatal("no room although bytes were freed")
		}
		b.end()
	})
}

func TestIdleWorkersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(testLimits)
		p := newPartition(0, 0, time.Now())
		for i := range 60 {
			b.add(p, fmt.Sprint(i))
		}
		for _, a := range b.now() {
			a <- acked
		}
		synctest.Wait()
		b.mu.Lock()
		idle := b.idle
		b.mu.Unlock()
		if idle > idleWorkers {
			t.Errorf("%d idle workers, want at most %d", idle, idleWorkers)
		}
		b.end()
	})
}

// TestLanesProperties drives lanes by chance and checks what always holds:
// order by key, one at a time; nothing is committed that isn't done, nor less
// than what is; everything comes; limits hold.
func TestLanesProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c", "d"}), 1, 60).Draw(t, "keys")
		gaps := rapid.SliceOfN(rapid.Int64Range(0, 3), len(keys), len(keys)).Draw(t, "gaps")
		inFlight := rapid.IntRange(1, 8).Draw(t, "inFlight")
		nackEvery := rapid.IntRange(2, 9).Draw(t, "nackEvery")

		var mu sync.Mutex
		open := make(map[string]int64)
		done := make(map[int64]bool)
		last := make(map[string]int64)
		running, n := 0, 0
		var failed string
		l := limits{inFlight: inFlight, window: 1000, bytes: 1 << 30, nackMin: time.Microsecond, nackMax: time.Microsecond}
		p := newPartition(0, 0, time.Now())
		all := make(chan struct{})
		ls := newLanes(l, time.Now, func(_ *partition, r *record) verdict {
			mu.Lock()
			defer mu.Unlock()
			running++
			defer func() { running-- }()
			if running > inFlight {
				failed = "too many in flight"
			}
			if o, ok := open[r.key]; ok && o != r.offset {
				failed = fmt.Sprintf("key %q: %d while %d isn't done", r.key, r.offset, o)
			}
			if o, ok := last[r.key]; ok && r.offset <= o {
				failed = fmt.Sprintf("key %q: %d after %d", r.key, r.offset, o)
			}
			if n++; n%nackEvery == 0 {
				open[r.key] = r.offset
				return nacked
			}
			delete(open, r.key)
			last[r.key] = r.offset
			done[r.offset] = true
			if len(done) == len(keys) {
				close(all)
			}
			return acked
		})
		var offsets []int64
		next := int64(0)
		for i, k := range keys {
			next += gaps[i]
			offsets = append(offsets, next)
			ls.push(p, []*record{{offset: next, key: k, size: 1}}, next+1, next+1)
			next++
			if m := ls.offsets([]*partition{p}); m != nil {
				mu.Lock()
				for _, o := range offsets {
					if o < m[0] && !done[o] {
						failed = fmt.Sprintf("would commit %d, and %d isn't done", m[0], o)
					}
				}
				mu.Unlock()
			}
		}
		select {
		case <-all:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d of %d done", len(done), len(keys))
		}
		ls.drained()
		if m := ls.offsets([]*partition{p}); m[0] != next {
			t.Fatalf("all done, would commit %v, want %d", m, next)
		}
		ls.stop()
		ls.workers.Wait()
		if failed != "" {
			t.Fatal(failed)
		}
	})
}
