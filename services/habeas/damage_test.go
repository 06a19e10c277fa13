package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
)

// TestHalfWritten cuts each kind of file of a data folder in two, and starts
// `habeas up` on what is left: it either serves, and its requests end, or says in
// one line which file or folder is at fault.
func TestHalfWritten(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	whole := newUp(t)
	whole.start()
	asked := killRequests()[:8]
	whole.submit(asked)
	for _, r := range asked {
		in, err := installationFlags{Data: whole.dir}.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, in.Journal, r.ID)
		in.Close()
	}
	whole.kill()
	for _, pattern := range []string{
		"broker/meta.json", "broker/topics.json", "broker/groups.log", "broker/partitions/dsar.reports-0/0.dat",
		"journal/journal.db", "journal/journal.db-wal", "master.key", "sandbox/salesforce.changes", "habeas.yaml",
	} {
		t.Run(strings.ReplaceAll(pattern, "/", "_"), func(t *testing.T) {
			t.Parallel()
			u := newUp(t)
			if err := os.CopyFS(u.dir+"/copy", os.DirFS(whole.dir)); err != nil {
				t.Fatal(err)
			}
			u.dir += "/copy"
			file := filepath.Join(u.dir, filepath.FromSlash(pattern))
			info, err := os.Stat(file)
			if errors.Is(err, fs.ErrNotExist) {
				t.Skip("not there in this run")
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(file, info.Size()/2); err != nil {
				t.Fatal(err)
			}
			said, serves := u.tries()
			if strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") {
				t.Fatalf("it panics:\n%s", said)
			}
			if serves {
				fresh := killRequests()[20:24]
				u.submit(fresh)
				for _, r := range fresh {
					in, err := installationFlags{Data: u.dir}.open(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if row := waitFor(t, in.Journal, r.ID); row.Status != core.StatusCompleted {
						t.Errorf("%s is %s", r.ID, row.Status)
					}
					in.Close()
				}
				t.Log("it serves")
				return
			}
			t.Logf("it says: %s", said)
			if lines := strings.Count(strings.TrimSpace(said), "\n"); lines > 0 {
				t.Errorf("it says more than one line:\n%s", said)
			}
			if !strings.Contains(said, u.dir) {
				t.Errorf("it doesn't say where: %s", said)
			}
		})
	}
}

// tries starts the process: it serves, or ends and says why on standard error.
func (u *up) tries() (said string, serves bool) {
	u.Helper()
	ctx, cancel := context.WithTimeout(u.Context(), patience)
	u.Cleanup(cancel)
	u.cmd = command(ctx, "up", "--data", u.dir)
	out, in, err := os.Pipe()
	if err != nil {
		u.Fatal(err)
	}
	u.Cleanup(func() { out.Close() })
	u.cmd.Stdout, u.cmd.Stderr = in, &u.logs
	if err := u.cmd.Start(); err != nil {
		u.Fatal(err)
	}
	in.Close()
	var line bytes.Buffer
	buf := make([]byte, 256)
	for {
		n, err := out.Read(buf)
		line.Write(buf[:n])
		if m := upLine.FindStringSubmatch(line.String()); m != nil && strings.HasSuffix(line.String(), "\n") {
			u.url = m[1]
			return u.logs.String(), true
		}
		if err != nil {
			break
		}
	}
	err = u.cmd.Wait()
	u.cmd = nil
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		u.Errorf("it ended with %v", err)
	}
	return u.logs.String(), false
}

// TestSystemDown starts `habeas up` with one system's database unusable: the
// others answer, the request shows whom it waits for, and it ends when the
// system is there.
func TestSystemDown(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	u := newUp(t)
	u.start()
	u.stopGently()
	file := filepath.Join(u.dir, "sandbox", "billing.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 5000); err != nil {
		t.Fatal(err)
	}
	u.start()
	asked := killRequests()[:1]
	u.submit(asked)
	in, err := installationFlags{Data: u.dir}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for waits := []string(nil); !slices.Equal(waits, []string{"billing"}); <-beat.C {
		row, err := in.Journal.Row(t.Context(), asked[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if waits = row.Waiting; row.Status == core.StatusCompleted {
			t.Fatal("it ended without billing")
		}
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	u.finish(asked)
}
