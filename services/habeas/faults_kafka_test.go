//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/bus/kafkatest"
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/pgtest"
)

// The size of TestFaults: what `make faults` asks for, and what runs on
// every change.
var (
	faultRequests = flag.Int("fault-requests", 60, "how many requests TestFaults sends while processes are killed")
	faultKills    = flag.Int("fault-kills", 6, "how many processes TestFaults kills")
	faultOutage   = flag.Duration("fault-outage", 8*time.Second, "for how long TestFaults takes the broker, and PostgreSQL, away")
	faultSeed     = flag.Uint64("fault-seed", 0, "the seed of what is killed; 0: a fresh one")
)

// TestFaults runs three processes of each service on Apache Kafka and PostgreSQL,
// and takes away one after the other what they stand on. After each fault every
// request has ended, its bundle holds what the seeds have, once, and its chain
// verifies.
func TestFaults(t *testing.T) {
	if !kafkatest.Asked() {
		t.Skip("needs Apache Kafka and PostgreSQL: make test-kafka")
	}
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.Own())
	db := pgtest.Start(t, pgtest.Own(), pgtest.Param("max_connections=300"))
	f := newFleet(t, b.Addrs(kafkatest.Plaintext), db.Database(t))
	s := &siege{fleet: f, door: f.start("intake", "--listen", "127.0.0.1:0")}
	s.pipeline = &pipeline{T: t, people: f.people, n: &node{cfg: f.cfg, in: f.in}}
	for range 3 {
		for _, service := range [][]string{{"coordinator"}, {"aggregator"}, {"worker", "account", "billing"}, {"worker", "marketplace", "salesforce", "marketo"}} {
			s.others = append(s.others, f.start(service...))
		}
	}
	events := f.start("worker", "events")
	seed := *faultSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -fault-seed=%d", seed)
	s.random = rand.New(rand.NewPCG(seed, 1))

	// In order: each leaves the fleet whole for the next.
	t.Run("processes killed", func(t *testing.T) {
		s.begin(t)
		every := max(1, *faultRequests/max(1, *faultKills))
		for n := range *faultRequests {
			s.ask()
			if n%every == every-1 {
				s.others[s.random.IntN(len(s.others))].restart()
			}
		}
		s.end()
	})
	t.Run("a coordinator paused past its session", func(t *testing.T) {
		s.begin(t)
		paused := s.others[slices.IndexFunc(s.others, func(m *member) bool { return m.args[0] == "coordinator" })]
		s.ask()
		paused.signal(syscall.SIGSTOP)
		defer paused.signal(syscall.SIGCONT)
		s.askMany(12)
		s.finish() // the others have taken over what it had, and ended all
		paused.signal(syscall.SIGCONT)
		s.askMany(4)
		s.end()
	})
	t.Run("the broker away", func(t *testing.T) {
		s.begin(t)
		s.askMany(6)
		b.Stop(t)
		s.away(*faultOutage, 6) // what comes in is in the journal
		b.StartAgain(t)
		s.end()
	})
	t.Run("the broker cut off", func(t *testing.T) {
		s.begin(t)
		s.askMany(6)
		b.Kill(t)
		b.StartAgain(t)
		s.end()
	})
	t.Run("PostgreSQL away", func(t *testing.T) {
		s.begin(t)
		s.askMany(6)
		db.Stop(t)
		s.refused()
		db.StartAgain(t)
		s.askMany(2)
		s.end()
	})
	t.Run("PostgreSQL fails over", func(t *testing.T) {
		s.begin(t)
		s.askMany(6)
		db.Crash(t)
		db.StartAgain(t)
		s.askMany(2)
		s.end()
	})
	t.Run("one system's worker down", func(t *testing.T) {
		s.begin(t)
		events.kill()
		s.askMany(6)
		s.waitsFor("events")
		events.begin()
		s.end()
	})
	for _, m := range append(s.others, events, s.door) {
		m.stopGently()
	}
}

// siege is a fleet under faults, and what was asked of it since the last one.
type siege struct {
	*fleet
	*pipeline
	door   *member
	others []*member
	random *rand.Rand

	t      *testing.T
	asked  []asked
	person int
}

type asked struct {
	id     string
	person int
	right  dsar.Right
}

func (s *siege) begin(t *testing.T) {
	t.Helper()
	s.t, s.asked = t, nil
	s.pipeline.T = t
}

// ask sends a request: for access of one of the first people, over and over, or
// for erasure of one of the last, of each once.
func (s *siege) ask() {
	s.t.Helper()
	if err := s.tryAsk(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *siege) askMany(n int) {
	s.t.Helper()
	for range n {
		s.ask()
	}
}

// tryAsk sends a request until the door has taken it, or refuses it for good: a
// door that can't reach its journal says so, and whoever asks, asks again.
func (s *siege) tryAsk() error {
	s.person++
	a := asked{id: uuid.NewString(), person: 1 + s.person%(fleetPeople/2), right: dsar.Access}
	if s.person%5 == 0 && s.person/5 <= fleetPeople/2 {
		a.person, a.right = fleetPeople/2+s.person/5, dsar.Erasure
	}
	r := demoRequest{id: a.id, right: a.right, jurisdiction: "EEA", locale: "en", source: "test", receivedAt: received, email: s.fleet.people.Person(a.person).Email}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for {
		_, err := post(ctx, s.door.url, r.data())
		if err == nil {
			s.asked = append(s.asked, a)
			return nil
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			return err
		}
	}
}

// away waits for an outage to last, while requests come in.
func (s *siege) away(outage time.Duration, requests int) {
	s.t.Helper()
	over := time.NewTimer(outage) // the fault is that it lasts
	defer over.Stop()
	s.askMany(requests)
	<-over.C
}

// refused has the door refuse requests for the time of an outage, and be heard.
func (s *siege) refused() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), *faultOutage)
	defer cancel()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for ctx.Err() == nil {
		<-beat.C
		r := demoRequest{id: uuid.NewString(), right: dsar.Access, jurisdiction: "EEA", locale: "en", source: "test", receivedAt: received, email: s.fleet.people.Person(1).Email}
		if _, err := post(ctx, s.door.url, r.data()); err == nil {
			s.t.Fatal("a request was taken without a journal")
		}
	}
}

// waitsFor waits until all that was asked waits for one system and nothing else.
func (s *siege) waitsFor(system string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for _, a := range s.asked {
		for {
			row, err := s.in.Journal.Row(ctx, a.id)
			if err == nil && slices.Equal(row.Waiting, []string{system}) {
				break
			}
			select {
			case <-beat.C:
			case <-ctx.Done():
				s.t.Fatalf("request %s is %s, and waits for %v: %v", a.id, row.Status, row.Waiting, err)
			}
		}
	}
}

// finish waits until all that was asked has ended.
func (s *siege) finish() {
	s.t.Helper()
	for _, a := range s.asked {
		s.wait(a.id)
	}
}

// end waits until all has ended, and checks it against the seeds and the journal.
func (s *siege) end() {
	s.t.Helper()
	s.finish()
	for _, a := range s.asked {
		if a.right == dsar.Erasure {
			s.certifies(a.id, a.person)
		} else {
			s.holds(a.id, a.person)
		}
		row, err := s.in.Journal.Row(s.t.Context(), a.id)
		facts, factsErr := s.in.Journal.Facts(s.t.Context(), a.id, 1)
		if err := errors.Join(err, factsErr); err != nil {
			s.t.Fatal(err)
		}
		if err := journal.VerifyHead(row, facts); err != nil {
			s.t.Error(err)
		}
		if tr, err := load(s.t.Context(), s.in, a.id); err != nil || string(tr.Status) != row.Status || tr.Chain != "verified" {
			s.t.Errorf("request %s: the facts say %s (%s), the row says %s: %v", a.id, tr.Status, tr.Chain, row.Status, err)
		}
	}
}

func (m *member) signal(s syscall.Signal) {
	m.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		m.Fatal(err)
	}
}
