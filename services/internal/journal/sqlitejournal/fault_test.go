package sqlitejournal_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/sqlitejournal"
)

var ctx = context.Background()

// oneLine checks that an error is one line that names the file.
func oneLine(t *testing.T, err error, path string, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("not %v: %v", kind, err)
		return
	}
	if line := err.Error(); !strings.Contains(line, path) || strings.Contains(line, "\n") || !strings.Contains(line, "; ") {
		t.Errorf("no line with path and cure: %q", line)
	}
	t.Log(err)
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

// fill appends until the disk is full, and returns how many were acknowledged.
func fill(t *testing.T, s *sqlitejournal.Store, path string) (acknowledged int) {
	t.Helper()
	data := make([]byte, 50_000)
	for {
		a := journaltest.Simple("big", acknowledged)
		a.Facts[0].Data = data
		err := s.Append(ctx, a)
		if err != nil {
			oneLine(t, err, path, journal.ErrUnavailable)
			if !strings.Contains(err.Error(), "full") {
				t.Errorf("it doesn't say that the disk is full: %v", err)
			}
			return acknowledged
		}
		if acknowledged++; acknowledged > 10_000 {
			t.Fatal("it never gets full")
		}
	}
}

// TestFull fills the file, and makes space again.
func TestFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	s := open(t, path)
	if err := s.LimitPages(200); err != nil {
		t.Fatal(err)
	}
	n := fill(t, s, path)
	var wg sync.WaitGroup
	for i := range 20 { // all callers hear of it, none hangs
		wg.Go(func() {
			a := journaltest.Simple(fmt.Sprint("other", i), 0)
			a.Facts[0].Data = make([]byte, 2_000_000)
			if err := s.Append(ctx, a); !errors.Is(err, journal.ErrUnavailable) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	verify(t, s, "big", n)
	if err := s.LimitPages(1 << 30); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(ctx, journaltest.Simple("big", n)); err != nil {
		t.Fatalf("it doesn't go on: %v", err)
	}
	verify(t, s, "big", n+1)
}

// TestDamaged cuts and overwrites the file: it is refused, and left as it is.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, path string, whole []byte){
		"half":      func(t *testing.T, path string, whole []byte) { write(t, path, whole[:len(whole)/2]) },
		"a page":    func(t *testing.T, path string, whole []byte) { write(t, path, whole[:8192]) },
		"a sector":  func(t *testing.T, path string, whole []byte) { write(t, path, whole[:512]) },
		"100 bytes": func(t *testing.T, path string, whole []byte) { write(t, path, whole[:100]) },
		"zeros":     func(t *testing.T, path string, whole []byte) { write(t, path, make([]byte, len(whole))) },
		"text": func(t *testing.T, path string, _ []byte) {
			write(t, path, []byte(strings.Repeat("not a database ", 1000)))
		},
		"empty with a log": func(t *testing.T, path string, whole []byte) {
			write(t, path, nil)
			write(t, path+"-wal", whole)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.db")
			s := open(t, path)
			for v := range 50 {
				a := journaltest.Simple("r", v)
				a.Facts[0].Data = make([]byte, 3000)
				if err := s.Append(ctx, a); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			damage(t, path, whole)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			again, err := sqlitejournal.Open(ctx, sqlitejournal.Config{Path: path})
			if err == nil {
				_ = again.Close()
				t.Fatal("it is opened")
			}
			oneLine(t, err, path, journal.ErrDamaged)
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTornLog cuts the log off at every kind of place, as a power cut in the
// middle of a write would: what was whole before is there, and it goes on.
func TestTornLog(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "journal.db")
	s := open(t, source)
	const versions = 20
	for v := range versions {
		if err := s.Append(ctx, journaltest.Simple("r", v)); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(source) // open still: the log is not copied
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(source + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	last := versions + 1
	for _, cut := range []int{0, 1, 23, 24, 25, 100, 4000, 8192, 8193, 16384, 40_000, 100_000} {
		if cut > len(log) {
			break
		}
		path := filepath.Join(t.TempDir(), "journal.db")
		write(t, path, file)
		write(t, path+"-wal", log[:len(log)-cut])
		torn := open(t, path)
		facts, err := torn.Facts(ctx, "r", 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(facts) > last {
			t.Errorf("cut by %d: more facts than with a smaller cut", cut)
		}
		if last = len(facts); cut == 0 && last != versions {
			t.Errorf("%d facts of a whole log", last)
		}
		if last > 0 {
			verify(t, torn, "r", last)
		}
		if err := torn.Append(ctx, journaltest.Simple("r", last)); err != nil {
			t.Errorf("cut by %d: %v", cut, err)
		}
	}
	if last == versions {
		t.Error("nothing was ever cut")
	}
}

// child runs this test again as another process, in a test that asks isChild.
func child(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "HABEAS_TEST_CHILD="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

func isChild() (path string, is bool) {
	path = os.Getenv("HABEAS_TEST_CHILD")
	return path, path != ""
}

// TestKilled kills a process that appends, again and again, at whatever it is
// doing: all that it had acknowledged is there, and the chains verify.
func TestKilled(t *testing.T) {
	if path, is := isChild(); is {
		appendForever(path)
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	acknowledged := map[string]int{}
	for round := range 6 {
		cmd := child(t, path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var id string
			var version int
			if _, err := fmt.Sscanf(lines.Text(), "%s %d", &id, &version); err != nil {
				break // cut off by the kill
			}
			acknowledged[id] = max(acknowledged[id], version)
			if n == 40*(round+1) {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // killed
		s := open(t, path)
		for id, version := range acknowledged {
			verify(t, s, id, version)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged")
	}
}

func appendForever(path string) {
	s, err := sqlitejournal.Open(ctx, sqlitejournal.Config{Path: path})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for r := range 8 {
		go func() {
			id := fmt.Sprint("r", r)
			version := 0
			if row, err := s.Row(ctx, id); err == nil {
				version = row.Version
			}
			for ; ; version++ {
				if err := s.Append(ctx, journaltest.Simple(id, version)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Printf("%s %d\n", id, version+1) // one write: a line is whole
			}
		}()
	}
	select {}
}

// TestOpenedByManyAtOnce opens a new journal from several places at once.
func TestOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := sqlitejournal.Open(ctx, sqlitejournal.Config{Path: path})
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
	s := open(t, path)
	for i := range 8 {
		verify(t, s, fmt.Sprint("r", i), 1)
	}
}

// TestNewer: the schema of a program that isn't written yet is named as such.
func TestNewer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	s, err := sqlitejournal.Open(ctx, sqlitejournal.Config{Path: path})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)"); err != nil {
		t.Fatal(err)
	}
	_, err = sqlitejournal.Open(ctx, sqlitejournal.Config{Path: path})
	oneLine(t, err, path, journal.ErrUnavailable)
	if err == nil || !strings.Contains(err.Error(), "version 99999") {
		t.Error(err)
	}
}

func TestSchemaVersion(t *testing.T) {
	t.Parallel()
	files, err := sqlitejournal.Migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	if last := files[len(files)-1].Name(); !strings.HasPrefix(last, fmt.Sprintf("%05d_", sqlitejournal.SchemaVersion)) {
		t.Errorf("the newest migration is %s, schemaVersion is %d", last, sqlitejournal.SchemaVersion)
	}
}
