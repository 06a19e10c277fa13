//go:build unix

package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"habeas.dev/pkg/bus/kafkatest"
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/sandbox/people"
)

// The size of TestFaults: what `make faults` asks for, and what runs on
// every change.
var (
	faultRequests = flag.Int("fault-requests", 60, "how many requests TestFaults sends while processes are killed")
	faultKills    = flag.Int("fault-kills", 8, "how many processes TestFaults kills")
	faultOutage   = flag.Duration("fault-outage", 8*time.Second, "for how long TestFaults takes the broker, and PostgreSQL, away")
	faultSeed     = flag.Uint64("fault-seed", 0, "the seed of what is killed; 0: a fresh one")
)

// TestFaults runs three processes of each worker and service on Apache Kafka and
// PostgreSQL, and takes away one after the other what they stand on. What holds
// after each fault, faultyFleet.end says.
func TestFaults(t *testing.T) {
	if !kafkatest.Enabled() {
		t.Skip("needs Apache Kafka and PostgreSQL: make test-kafka")
	}
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.Own())
	db := pgtest.Start(t, pgtest.Own(), pgtest.Param("max_connections=300"))
	// Every fifth request is an erasure, of a person each.
	const inOtherFaults = 150
	f := newFleet(t, b.Addrs(kafkatest.Plaintext), db.Database(t), max(200, 2*(*faultRequests+inOtherFaults)/5))
	s := &faultyFleet{fleet: f}
	s.pipeline = &pipeline{T: t, people: f.people, n: &node.Node{Config: f.cfg, Installation: f.in}}
	for range 3 {
		s.others = append(s.others, f.start("coordinator"), f.start("aggregator"), f.start("letters"))
		for _, some := range f.halves(people.Events) {
			s.others = append(s.others, f.start(append([]string{"worker"}, some...)...))
		}
		s.events = append(s.events, f.start("worker", "events"))
	}
	s.door = f.start("intake", "--listen", "127.0.0.1:0")
	s.console = f.start("console", "--listen", "127.0.0.1:0")
	s.others = append(append(s.others, s.events...), s.console, s.door)
	impatient := f.startWith(f.impatient(), "intake", "--listen", "127.0.0.1:0")
	seed := *faultSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -fault-seed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))

	// In order: each leaves the fleet whole for the next.
	t.Run("processes killed", func(t *testing.T) {
		s.begin(t)
		every := max(1, *faultRequests/max(1, *faultKills))
		var turn []int
		for n := range *faultRequests {
			s.ask()
			if n%every != every-1 {
				continue
			}
			if len(turn) == 0 {
				turn = random.Perm(len(s.others)) // each in turn, in another order every time
			}
			s.others[turn[0]].restart()
			s.crashes++
			turn = turn[1:]
		}
		s.end()
	})
	t.Run("processes stopped in order", func(t *testing.T) {
		s.begin(t)
		for _, m := range s.others {
			s.askMany(1)
			m.stopGently() // drained: nothing is done twice for it
			m.begin()
		}
		s.end()
	})
	t.Run("a coordinator paused past its session", func(t *testing.T) {
		s.begin(t)
		s.crashes++
		paused := s.coordinators()[0]
		s.ask()
		paused.signal(syscall.SIGSTOP)
		defer paused.signal(syscall.SIGCONT)
		s.askMany(12)
		s.finish() // the others have taken over what it had, and ended all
		paused.signal(syscall.SIGCONT)
		s.askMany(4)
		s.end()
	})
	t.Run("every message comes twice", func(t *testing.T) {
		s.begin(t)
		copied := s.mirror()
		s.askMany(15)
		s.end()
		copied(15 * 20) // most of what there was; some come after all has ended
		s.end()
	})
	t.Run("reports get lost", func(t *testing.T) {
		s.beginAt(t, impatient)
		s.unheard = true
		lost := s.loseReports(100) // one of so many
		s.askMany(25)
		s.end()
		if lost() == 0 {
			t.Error("no report was lost")
		}
	})
	t.Run("workers answer after their task was sent again", func(t *testing.T) {
		s.beginAt(t, impatient)
		s.crashes++ // their session ends
		for _, m := range s.events {
			m.signal(syscall.SIGSTOP)
			defer m.signal(syscall.SIGCONT)
		}
		s.askMany(6)
		s.sentAgain("events")
		for _, m := range s.events {
			m.signal(syscall.SIGCONT)
		}
		s.end()
	})
	t.Run("all topics deleted and made again", func(t *testing.T) {
		s.beginAt(t, impatient)
		s.crashes++
		s.askMany(10)
		s.deleteTopics()
		s.askMany(4) // what comes in is in the journal
		f.applyTopics()
		s.askMany(4)
		s.end()
	})
	t.Run("the broker away", func(t *testing.T) {
		s.begin(t)
		s.crashes++
		s.askMany(6)
		b.Stop(t)
		s.away(*faultOutage, 6)
		b.StartAgain(t)
		s.end()
	})
	t.Run("the broker cut off", func(t *testing.T) {
		s.begin(t)
		s.crashes++
		s.askMany(6)
		b.Kill(t)
		b.StartAgain(t)
		s.end()
	})
	t.Run("PostgreSQL away", func(t *testing.T) {
		s.begin(t)
		s.askMany(6)
		db.Stop(t)
		s.refused(*faultOutage)
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
	t.Run("PostgreSQL cuts every connection", func(t *testing.T) {
		s.begin(t)
		for range 5 {
			s.askMany(2)
			pgtest.Exec(t, f.cfg.Journal, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
		}
		s.end()
	})
	t.Run("PostgreSQL's disk is full", func(t *testing.T) {
		s.begin(t)
		s.askMany(6)
		pgtest.Exec(t, f.cfg.Journal, `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
			$$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END$$`)
		pgtest.Exec(t, f.cfg.Journal, "CREATE TRIGGER full_disk BEFORE INSERT ON fact EXECUTE FUNCTION full_disk()")
		s.refused(*faultOutage / 4)
		pgtest.Exec(t, f.cfg.Journal, "DROP FUNCTION full_disk CASCADE")
		s.askMany(2)
		s.end()
	})
	t.Run("one system's workers down", func(t *testing.T) {
		s.begin(t)
		for _, m := range s.events {
			m.kill()
		}
		s.crashes++
		s.askMany(6)
		s.waitsFor("events")
		for _, m := range s.events {
			m.begin()
		}
		s.end()
	})
	for _, m := range append(s.others, impatient) {
		m.stopGently()
	}
}

// coordinators returns the processes that coordinate.
func (s *faultyFleet) coordinators() (found []*member) {
	for _, m := range s.others {
		if m.args[0] == "coordinator" {
			found = append(found, m)
		}
	}
	return found
}

// away waits for an outage to last, while requests come in.
func (s *faultyFleet) away(outage time.Duration, requests int) {
	s.t.Helper()
	over := time.NewTimer(outage) // the fault is that it lasts
	defer over.Stop()
	s.askMany(requests)
	<-over.C
}

// refused has the door refuse requests for the time of an outage, and be heard.
func (s *faultyFleet) refused(outage time.Duration) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), outage)
	defer cancel()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for ctx.Err() == nil {
		<-beat.C
		if _, err := upstream.Post(ctx, s.door.url, "", s.request(dsar.Access, 1).JSON()); err == nil {
			s.t.Fatal("a request was taken without a journal")
		}
	}
}

// sentAgain waits until a system was sent a task of every request once more.
func (s *faultyFleet) sentAgain(system string) {
	s.t.Helper()
	s.until("sent again to "+system, func(ctx context.Context, id string) bool {
		state, err := s.in.Requests.State(ctx, id)
		return err == nil && slices.ContainsFunc(state.Tasks, func(t *core.TaskState) bool { return t.System == system && t.Attempt > 1 })
	})
}

func (m *member) signal(s syscall.Signal) {
	m.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		m.Fatal(err)
	}
}
