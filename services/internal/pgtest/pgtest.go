// Package pgtest gets a PostgreSQL for tests: the one that DATABASE_URL names,
// else a cluster of its own, made with the installed server's programs in a
// temporary folder, stopped and removed at the end.
//
// Where there is neither, the test is skipped with one line that says what is
// missing; with HABEAS_TEST_POSTGRES=1 (as `make test-postgres` sets it) it
// fails instead.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout bounds making and starting a cluster, on a machine that is busy
// with other tests.
const startTimeout = 2 * time.Minute

// Server is a PostgreSQL server for the time of a test.
type Server struct {
	url     *url.URL
	cluster *cluster // nil: somebody else's server
}

// Option alters a cluster of its own.
type Option func(*settings)

type settings struct {
	own    bool
	params []string
}

// Own asks for a cluster of the test's own even where DATABASE_URL is set: for
// tests that stop it.
func Own() Option { return func(s *settings) { s.own = true } }

// Param sets a parameter of the server, e.g. "fsync=on". Without, a cluster
// trades its safety against power cuts for speed.
func Param(p string) Option { return func(s *settings) { s.params = append(s.params, p) } }

// Start returns a server for the time of a test. Making a cluster takes a second
// or two: start one, and let many subtests share it.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	var s settings
	for _, o := range options {
		o(&s)
	}
	if given := os.Getenv("DATABASE_URL"); given != "" && !s.own {
		u, err := url.Parse(given)
		if err != nil {
			t.Fatal("pgtest: DATABASE_URL is not a URL") // the error would show its password
		}
		return &Server{url: u}
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c, err := newCluster(ctx, s.params)
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(c.remove)
	return &Server{url: c.url(), cluster: c}
}

// shared makes the cluster of [Shared] once, or says why it can't.
var shared = sync.OnceValues(func() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return newCluster(ctx, nil)
})

// Shared returns the server of [Start] for all tests of a process: it ends with the
// process, however that ends, and nobody may stop it. Tests that need a schema or two
// each start in no time by it.
func Shared(t testing.TB) *Server {
	t.Helper()
	if os.Getenv("DATABASE_URL") != "" {
		return Start(t)
	}
	c, err := shared()
	if err != nil {
		missing(t, err)
	}
	return &Server{url: c.url()}
}

func missing(t testing.TB, err error) {
	t.Helper()
	line := "pgtest: no PostgreSQL: " + err.Error() + "; set DATABASE_URL, or install the server (Debian: postgresql)"
	if os.Getenv("HABEAS_TEST_POSTGRES") == "1" {
		t.Fatal(line)
	}
	t.Skip(line)
}

// Database returns the URL of a fresh and empty schema of the server, which is
// dropped when the test has ended.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	name := "test_" + strings.ToLower(rand.Text())
	if err := s.exec(ctx, "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	if s.cluster == nil { // a cluster of our own goes as a whole
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
			defer cancel()
			if err := s.exec(ctx, "DROP SCHEMA "+name+" CASCADE"); err != nil {
				t.Errorf("pgtest: %v", err)
			}
		})
	}
	u := *s.url
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// Exec runs a statement on a database of [Server.Database].
func Exec(t testing.TB, databaseURL, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Server{url: u}).exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer conn.Close(ctx) //nolint:errcheck // what had to be done is done
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("pgtest: %s: %w", statement, err)
	}
	return nil
}

// Stop shuts a cluster of its own down, cutting all connections; Crash kills it
// as a power cut would; StartAgain brings it back with its data.
func (s *Server) Stop(t testing.TB) { s.do(t, (*cluster).stop) }

// Crash ends the server without a shutdown.
func (s *Server) Crash(t testing.TB) { s.do(t, (*cluster).crash) }

// StartAgain starts the server after Stop or Crash, and returns when it serves.
func (s *Server) StartAgain(t testing.TB) { s.do(t, (*cluster).start) }

func (s *Server) do(t testing.TB, what func(*cluster, context.Context) error) {
	t.Helper()
	if s.cluster == nil {
		t.Fatal("pgtest: the server isn't ours: start it with pgtest.Own")
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := what(s.cluster, ctx); err != nil {
		t.Fatal(err)
	}
}
