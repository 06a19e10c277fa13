package pgjournal_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/pgtest"
)

// TestPasswordIsRotated changes the database's password while a store runs. Connections that
// are open go on; new ones are refused until the passfile has the new password, and then go
// on without a restart: those of appends, and the relay's own.
func TestPasswordIsRotated(t *testing.T) {
	t.Parallel()
	at := pgtest.Start(t, pgtest.Own()).Database(t)
	for _, statement := range []string{
		`CREATE ROLE rotating LOGIN SUPERUSER PASSWORD 'first'`,
		`DO $$ BEGIN EXECUTE format('COPY (VALUES (''local all rotating scram-sha-256''), (''local all all trust'')) TO %L', current_setting('hba_file')); END $$`,
		`SELECT pg_reload_conf()`,
	} {
		pgtest.Exec(t, at, statement)
	}
	passfile := filepath.Join(t.TempDir(), "pgpass")
	password := func(is string) {
		t.Helper()
		if err := os.WriteFile(passfile, []byte("*:*:*:rotating:"+is+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	password("first")
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("rotating")
	q := u.Query()
	q.Set("passfile", passfile)
	u.RawQuery = q.Encode()
	store := open(t, u.String())
	if err := store.Append(ctx, journaltest.Simple("before", 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Pending(ctx, 1); err != nil {
		t.Fatal(err)
	}

	pgtest.Exec(t, at, `ALTER ROLE rotating PASSWORD 'second'`)
	if err := store.Append(ctx, journaltest.Simple("open", 0)); err != nil {
		t.Errorf("a connection that is open: %v", err)
	}
	cut := `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotating'`
	pgtest.Exec(t, at, cut)
	refused := errors.New("never refused")
	for range 5 { // what the pool still holds fails for being cut
		refused = store.Append(ctx, journaltest.Simple("between", 0))
	}
	if refused == nil {
		t.Fatal("a wrong password signs in")
	}
	oneLine(t, refused)

	password("second")
	again := func(what string, do func() error) {
		t.Helper()
		wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(10*time.Millisecond), backoff.WithMaxElapsedTime(time.Minute))
		if err := backoff.Retry(do, wait); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	n := 0
	again("appends", func() error {
		n++
		return store.Append(ctx, journaltest.Simple(fmt.Sprint("after", n), 0))
	})
	again("the relay", func() error { _, err := store.Pending(ctx, 1); return err })
}
