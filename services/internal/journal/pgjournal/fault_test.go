package pgjournal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/pgtest"
)

var ctx = context.Background()

// oneLine checks that an error is one line with the cure.
func oneLine(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("not unavailable: %v", err)
	} else if line := err.Error(); !strings.HasPrefix(line, "journal postgres://") || strings.Contains(line, "\n") || !strings.Contains(line, "; ") {
		t.Errorf("no line with place and cure: %q", line)
	}
}

func verify(t *testing.T, j journal.Journal, id string, versions int) {
	t.Helper()
	facts, err := j.Facts(ctx, id, 1)
	if err != nil {
		t.Fatal(err)
	}
	row, err := j.Row(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.VerifyHead(row, facts); err != nil || len(facts) < versions {
		t.Fatalf("%s: %d facts of %d: %v", id, len(facts), versions, err)
	}
}

// decider appends versions to a request as a service does, for as long as it is to
// go on: on any error it loads the request again, and goes on from there. It
// returns how many versions there are.
func decider(t *testing.T, s journal.Store, id string, goOn func(version int) bool, progress, unavailable *atomic.Int64) (version int) {
	retry := backoff.NewExponentialBackOff(backoff.WithInitialInterval(5*time.Millisecond),
		backoff.WithMaxInterval(100*time.Millisecond), backoff.WithMaxElapsedTime(2*time.Minute))
	for goOn(version) {
		err := s.Append(ctx, journaltest.Simple(id, version))
		if err == nil {
			version++
			progress.Add(1)
			continue
		}
		if !errors.Is(err, journal.ErrConflict) {
			oneLine(t, err)
			unavailable.Add(1)
		}
		acknowledged := version
		retry.Reset()
		if err := backoff.Retry(func() error {
			row, err := s.Row(ctx, id)
			if errors.Is(err, journal.ErrNotFound) {
				row, err = journal.Row{}, nil
			}
			version = row.Version
			return err
		}, retry); err != nil {
			t.Error(err)
			return version
		}
		if version < acknowledged {
			t.Errorf("%s: version %d was acknowledged, %d is there", id, acknowledged, version)
			return version
		}
	}
	return version
}

// TestOutage stops and kills the server while appends and a relay run: what was
// acknowledged is there, the chains verify, every message is carried, in order.
func TestOutage(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Own(), pgtest.Param("fsync=on"))
	url := server.Database(t)
	s := open(t, url)
	const requests, versions = 8, 300 // of each, and more while the outages last

	var progress, unavailable atomic.Int64
	var over atomic.Bool
	var reached [requests]int
	goOn := func(version int) bool { return version < versions || !over.Load() }
	var wg sync.WaitGroup
	for r := range requests {
		wg.Go(func() { reached[r] = decider(t, s, fmt.Sprint("r", r), goOn, &progress, &unavailable) })
	}
	carrying, stopCarrying := context.WithCancel(ctx)
	defer stopCarrying()
	last := map[string]int{}
	var failed, carried atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for carrying.Err() == nil {
			pending, err := s.Pending(carrying, 100)
			if err == nil && len(pending) == 0 {
				err = s.Wait(carrying)
			}
			var ids []int64
			for _, p := range pending {
				var n int
				_, _ = fmt.Sscan(string(p.Payload), &n)
				if n > last[p.Key]+1 {
					t.Errorf("%s: %d after %d", p.Key, n, last[p.Key])
				}
				if n == last[p.Key]+1 {
					last[p.Key] = n
					carried.Add(1)
				}
				ids = append(ids, p.ID)
			}
			if err == nil && len(ids) > 0 {
				err = s.Sent(carrying, ids)
			}
			if err != nil && carrying.Err() == nil {
				oneLine(t, err)
				failed.Add(1)
			}
		}
	}()

	wait := func(what string, condition func() bool) {
		t.Helper()
		if err := backoff.Retry(func() error {
			if !condition() {
				return errors.New("not yet")
			}
			return nil
		}, backoff.NewExponentialBackOff(backoff.WithInitialInterval(time.Millisecond), backoff.WithMaxInterval(20*time.Millisecond), backoff.WithMaxElapsedTime(time.Minute))); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for i, end := range []func(testing.TB){server.Stop, server.Crash} {
		wait("appends go on", func() bool { return progress.Load() > int64(i+1)*requests*versions/4 })
		before := unavailable.Load()
		end(t)
		wait("the outage is noticed", func() bool { return unavailable.Load() > before })
		server.StartAgain(t)
	}
	over.Store(true)
	wg.Wait()
	var all int64
	for r, n := range reached {
		verify(t, s, fmt.Sprint("r", r), n)
		all += int64(n)
	}
	wait("all is carried", func() bool { return carried.Load() == all })
	stopCarrying()
	<-done
	if failed.Load() == 0 {
		t.Error("the relay noticed nothing")
	}
}

// diskFull has the server answer as with a full disk.
func diskFull(t *testing.T, server *pgtest.Server) {
	url := server.Database(t)
	s := open(t, url)
	if err := s.Append(ctx, journaltest.Simple("r", 0)); err != nil {
		t.Fatal(err)
	}
	for name, where := range map[string]string{"facts": "BEFORE INSERT ON fact", "rows": "BEFORE UPDATE ON request", "queue": "BEFORE INSERT ON queue"} {
		pgtest.Exec(t, url, `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
			$$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END$$`)
		pgtest.Exec(t, url, "CREATE TRIGGER full_disk "+where+" EXECUTE FUNCTION full_disk()")
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := s.Append(ctx, journaltest.Simple("r", 1))
				oneLine(t, err)
				if err != nil && !strings.Contains(err.Error(), "disk is full") {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		pgtest.Exec(t, url, "DROP FUNCTION full_disk CASCADE")
		verify(t, s, "r", 1)
		if row, err := s.Row(ctx, "r"); err != nil || row.Version != 1 {
			t.Errorf("%s: version %d: %v", name, row.Version, err)
		}
	}
	if err := s.Append(ctx, journaltest.Simple("r", 1)); err != nil {
		t.Fatalf("it doesn't go on: %v", err)
	}
	verify(t, s, "r", 2)
}

// cutConnections ends every session, as a failover does: nobody notices but
// who was in the middle of a commit.
func cutConnections(t *testing.T, server *pgtest.Server) {
	const name = "cut_connections"
	url := server.Database(t) + "&application_name=" + name
	s := open(t, url)
	for v := range 10 {
		if err := s.Append(ctx, journaltest.Simple("r", v)); err != nil {
			t.Fatalf("version %d: %v", v+1, err)
		}
		if _, err := s.Pending(ctx, 1); err != nil && !errors.Is(err, journal.ErrUnavailable) {
			t.Fatal(err)
		}
		cut(t, url, name)
	}
	verify(t, s, "r", 10)
	// Also where many connections were in use a moment ago.
	for round := range 10 {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { verify(t, s, "r", 10+round) })
		}
		all.Wait()
		cut(t, url, name)
		if round%2 == 0 {
			if _, err := s.Row(ctx, "r"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Append(ctx, journaltest.Simple("r", 10+round)); err != nil {
			t.Fatal(err)
		}
	}
}

// cut ends all sessions of a name.
func cut(t *testing.T, url, name string) {
	t.Helper()
	pgtest.Exec(t, url, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = '"+name+"'")
}

// openedByManyAtOnce opens a new journal from several places at once.
func openedByManyAtOnce(t *testing.T, server *pgtest.Server) {
	url := server.Database(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			s, err := pgjournal.Open(ctx, pgjournal.Config{URL: url})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Append(ctx, journaltest.Simple(fmt.Sprint("r", i), 0)); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := open(t, url)
	for i := range 6 {
		verify(t, s, fmt.Sprint("r", i), 1)
	}
}

// newer has the schema of a program that isn't written yet: the error says so,
// and not that the server can't be reached.
func newer(t *testing.T, server *pgtest.Server) {
	url := server.Database(t)
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	_, err := pgjournal.Open(ctx, pgjournal.Config{URL: url})
	if err == nil || !strings.Contains(err.Error(), "version 99999") || !strings.Contains(err.Error(), "postgres://") || strings.Contains(err.Error(), "reached") {
		t.Error(err)
	}
}

func TestSchemaVersion(t *testing.T) {
	t.Parallel()
	files, err := pgjournal.Migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	if last := files[len(files)-1].Name(); !strings.HasPrefix(last, fmt.Sprintf("%05d_", pgjournal.SchemaVersion)) {
		t.Errorf("the newest migration is %s, schemaVersion is %d", last, pgjournal.SchemaVersion)
	}
}
