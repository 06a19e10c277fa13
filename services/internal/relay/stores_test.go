package relay_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/internal/relay"
)

func run(t *testing.T, o journal.Queue, b *broker) (r *relay.Relay, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r = relay.New(relay.Config{Queue: o, Publisher: b, Batch: 50})
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return r, func() { cancel(); ended.Wait() }
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	open := func() *sqlitejournal.Store {
		s, err := sqlitejournal.Open(context.Background(), sqlitejournal.Config{Path: path, Poll: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	j, other, b := open(), open(), newBroker()
	_, stop := run(t, j, b)
	appendMany(t, j, 20, 20)
	appendMany(t, prefixed{other}, 5, 5) // another process appends, this one carries
	b.waitFor(t, 20*20+5*5)
	stop()
	if last := b.ordered(t); len(last) != 25 || len(b.got) != 20*20+5*5 {
		t.Errorf("%d of %d requests", len(b.got), len(last))
	}
}

// prefixed gives a second process' requests names of their own.
type prefixed struct{ journal.Journal }

func (p prefixed) Append(ctx context.Context, a journal.Append) error {
	a.RequestID = "other-" + a.RequestID
	for i := range a.Messages {
		a.Messages[i].Key = a.RequestID
	}
	return p.Journal.Append(ctx, a)
}

// TestThreeRelays lets three processes share the work, one of them come late,
// one die, and one be stopped in the middle: nothing is lost, nothing out of
// order, and each does a part.
func TestThreeRelays(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).Database(t)
	open := func() *pgjournal.Store {
		s, err := pgjournal.Open(context.Background(), pgjournal.Config{URL: url, Poll: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	b := newBroker()
	stores := []*pgjournal.Store{open(), open(), open()}
	relays := make([]*relay.Relay, 3)
	stops := make([]func(), 3)
	relays[0], stops[0] = run(t, stores[0], b)
	relays[1], stops[1] = run(t, stores[1], b)
	relays[2], stops[2] = run(t, stores[2], b)

	const requests, versions = 60, 10
	writer := open()
	appendMany(t, writer, requests, versions)
	b.waitFor(t, requests*versions)
	b.ordered(t)

	// Until each has its share: they look every second.
	round := versions
	for ; ; round++ {
		appendAt(t, writer, requests, round)
		b.waitFor(t, requests*(round+1))
		if relays[0].Stats().Sent > 0 && relays[1].Stats().Sent > 0 && relays[2].Stats().Sent > 0 {
			break
		}
		if round > 1000 {
			t.Fatal("one of them never gets a part")
		}
	}

	// One goes in the middle of the work; the others take its part.
	var wg sync.WaitGroup
	wg.Go(func() { appendMany(t, prefixed{writer}, requests, versions) })
	stops[0]()
	if err := stores[0].Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	b.waitFor(t, requests*(round+1)+requests*versions)
	stops[1]()
	stops[2]()
	if last := b.ordered(t); len(last) != 2*requests {
		t.Errorf("%d requests", len(last))
	}
}

func appendAt(t *testing.T, j journal.Journal, requests, version int) {
	t.Helper()
	var wg sync.WaitGroup
	for r := range requests {
		wg.Go(func() {
			if err := j.Append(context.Background(), journaltest.Simple(fmt.Sprint("r", r), version)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
