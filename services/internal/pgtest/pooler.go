package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/jackc/pgx/v5"
)

// Pooler starts PgBouncer before a server of [Start] or [Shared], for the time of a
// test, and returns the URL that leads through it: in transaction mode, with so many
// connections to the server. A schema can't be named in the URL, since a pooler takes
// no search_path. Without the program the test is skipped, or fails with
// HABEAS_TEST_POSTGRES=1.
func (s *Server) Pooler(t testing.TB, connections int) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			missing(t, fmt.Errorf("no pgbouncer (Debian: pgbouncer)"))
		}
	}
	dir, err := os.MkdirTemp("", "pgb") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	name := strings.Trim(s.url.Path, "/")
	server := fmt.Sprintf("host=%s%s user=%s dbname=%s", s.url.Query().Get("host"), s.url.Hostname(), s.url.User.Username(), name)
	if port := s.url.Port(); port != "" {
		server += " port=" + port
	}
	if password, ok := s.url.User.Password(); ok {
		server += " password='" + password + "'"
	}
	config := fmt.Sprintf("[databases]\n* = %s\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = %s\nauth_type = any\npool_mode = transaction\ndefault_pool_size = %d\nmax_client_conn = 200\n", server, dir, connections)
	if os.Getuid() == 0 { // it refuses to run as root
		as := "postgres"
		if _, err := user.Lookup(as); err != nil {
			as = "nobody"
		}
		config += "user = " + as + "\n"
	}
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil { //nolint:gosec // another user reads it
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "-q", file) //nolint:gosec // a program of the machine's
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	u := &url.URL{Scheme: "postgres", User: url.User("any"), Path: "/" + name, RawQuery: url.Values{"host": {dir}, "port": {"6432"}}.Encode()}
	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(20*time.Millisecond), backoff.WithMaxElapsedTime(startTimeout))
	err = backoff.Retry(func() error {
		conn, err := pgx.Connect(t.Context(), u.String()+"&default_query_exec_mode=exec")
		if err != nil {
			return err
		}
		defer conn.Close(t.Context()) //nolint:errcheck // it was reached
		return conn.Ping(t.Context())
	}, backoff.WithContext(wait, t.Context()))
	if err != nil {
		t.Fatalf("pgtest: PgBouncer doesn't answer: %v", err)
	}
	return u.String()
}
