package sqlsystem

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// pgbouncer starts PgBouncer in transaction mode with two connections before the
// server of DATABASE_URL, and returns the source that leads through it.
func pgbouncer(t *testing.T) string {
	t.Helper()
	given := os.Getenv("DATABASE_URL")
	if given == "" {
		t.Skip("no DATABASE_URL")
	}
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if err != nil {
		if os.Getenv("HABEAS_TEST_POSTGRES") == "1" {
			t.Fatal("no pgbouncer: install it (Debian: pgbouncer)")
		}
		t.Skip("no pgbouncer: install it (Debian: pgbouncer)")
	}
	u, err := url.Parse(given)
	if err != nil {
		t.Fatal("DATABASE_URL is no URL")
	}
	var server strings.Builder
	for key, value := range map[string]string{"host": u.Query().Get("host") + u.Hostname(), "port": u.Port(), "user": u.User.Username(), "dbname": strings.Trim(u.Path, "/")} {
		if value != "" {
			fmt.Fprintf(&server, " %s=%s", key, value)
		}
	}
	if password, ok := u.User.Password(); ok {
		fmt.Fprintf(&server, " password='%s'", password)
	}
	dir, err := os.MkdirTemp("", "pgb") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	config := "[databases]\n* =" + server.String() + "\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = " + dir + "\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 200\n"
	if os.Getuid() == 0 { // it refuses to run as root
		as := "postgres"
		if _, err := user.Lookup(as); err != nil {
			as = "nobody"
		}
		config += "user = " + as + "\n"
	}
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-q", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	source := "postgres://any@/" + strings.Trim(u.Path, "/") + "?host=" + dir + "&port=6432"
	db, err := sql.Open("pgx", source+"&default_query_exec_mode=exec")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if err := db.PingContext(t.Context()); err == nil {
			return source
		} else if time.Now().After(deadline) {
			t.Fatalf("PgBouncer doesn't answer: %v", err)
		}
	}
}

// TestPooler: behind a pooler that hands each transaction to another connection of
// the server, everything works by default; where the source says otherwise, the
// error says what to set.
func TestPooler(t *testing.T) {
	t.Parallel()
	source := pgbouncer(t)
	d := postgresDB(t, postgresShop)
	u, err := url.Parse(d.source)
	if err != nil {
		t.Fatal(err)
	}
	m := shop(t)
	m.SQL.Schema = u.Query().Get("search_path")
	const people = 20
	for i := range people {
		d.person(t, i, fmt.Sprintf("p%d@example.com", i), nil)
		d.insert(t, "notes", i, i, nil, "words")
	}
	behind := d
	behind.source = source
	s := open(t, behind, m)
	errs := make([]error, people)
	var running sync.WaitGroup
	for i := range people {
		running.Go(func() {
			who := ids(fmt.Sprintf("customer %d", i))
			if got := gatherAll(t, s, who)[0]; len(got) != 2 {
				t.Errorf("gathered %v", got)
			}
			jobs := jobsOf(dsar.Erasure, who)
			errs[i] = s.eraseAll(t.Context(), jobs)
			if errs[i] == nil {
				errs[i] = jobs[0].Err
			}
		})
	}
	running.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("person %d: %v", i, err)
		}
	}
	if left := d.column(t, "SELECT id FROM people"); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	// What the source itself asks for may fail, and then says what to set.
	behind.source += "&default_query_exec_mode=cache_statement"
	if s, err := Open(t.Context(), m, behind.source); err == nil {
		for range people {
			running.Go(func() {
				jobs := jobsOf(dsar.Erasure, ids("customer 1"))
				err := cmp.Or(s.countAll(t.Context(), jobs), jobs[0].Err)
				var typed *worker.Error
				if err != nil && (!errors.As(err, &typed) || typed.Code != "pooler" || !typed.Permanent() || !strings.Contains(typed.Reason, "default_query_exec_mode=exec")) {
					t.Errorf("with prepared statements: %v", err)
				}
			})
		}
		running.Wait()
		s.Close()
	}
	for _, setting := range []string{"&search_path=elsewhere", "&statement_timeout=1000"} {
		if _, err := Open(t.Context(), m, source+setting); err == nil || !strings.Contains(err.Error(), "take search_path, statement_timeout and options out") {
			t.Errorf("with %s: %v", setting, err)
		}
	}
}
