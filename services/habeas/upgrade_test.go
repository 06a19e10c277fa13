package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

// TestUpgrade takes a fleet of the last release to this version in the order of
// docs/operate.md while requests come in, with processes of both beside each other. Every
// request ends, and nothing was altered. What docs/operate.md says of going back holds: the
// older program doesn't start on the newer journal, and says so. HABEAS_TEST_UPGRADE names
// the release's program (make test-upgrade builds it).
func TestUpgrade(t *testing.T) {
	t.Parallel()
	old := os.Getenv("HABEAS_TEST_UPGRADE")
	if old == "" {
		t.Skip("needs the program of the last release: make test-upgrade")
	}
	b, err := broker.Start(t.Context(), broker.Config{Dir: filepath.Join(t.TempDir(), "kafka")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	u := newUpgrade(t, b.Addr())
	u.do(old, "topics", "apply")
	intake := u.start(old, "intake", "--listen", "127.0.0.1:0")
	coordinator := u.start(old, "coordinator")
	others := []*process{u.start(old, "aggregator"), u.start(old, u.workers()...)}
	u.ask(intake, 10)

	// 1. No coordinator runs; requests are taken in.
	coordinator.stop()
	u.ask(intake, 10)
	// 2. Workers and the aggregator, new beside old, then new alone.
	u.start(os.Args[0], "aggregator")
	u.start(os.Args[0], u.workers()...)
	for _, p := range others {
		p.stop()
	}
	// 3. The journal and the topics.
	u.do(os.Args[0], "journal", "migrate")
	u.do(os.Args[0], "topics", "apply")
	// 4. New coordinators; the old intake goes on beside them.
	u.start(os.Args[0], "coordinator")
	u.ask(intake, 10)
	// 6. Intake last.
	last := u.start(os.Args[0], "intake", "--listen", "127.0.0.1:0")
	u.ask(last, 10)
	u.ask(intake, 10)
	intake.stop()
	in, err := installation.Open(t.Context(), u.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	u.await(in)
	u.do(os.Args[0], "audit")

	// Back: the older program says why it doesn't start.
	out, err := u.command(old, "coordinator").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "run the program that made it, or a newer one") {
		t.Errorf("the older program on the newer journal: %v\n%s", err, out)
	}
}

// upgrade is an installation that programs of two versions run.
type upgrade struct {
	*testing.T
	people *people.Population
	file   string
	cfg    config.Config
	asked  []string
}

// newUpgrade makes the systems that are in databases, and a configuration that both
// versions read.
func newUpgrade(t *testing.T, brokers string) *upgrade {
	t.Helper()
	dir := t.TempDir()
	u := &upgrade{T: t, people: people.Generate(people.Config{Seed: 31, People: 60}), file: filepath.Join(dir, config.File)}
	files, err := internaldb.Create(t.Context(), filepath.Join(dir, config.RoomSandbox), u.people)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("data: %s\nkafka: {brokers: [%q]}\ntopics: {replication: 1}\nlog: {level: warn}\nlease: 5s\nsystems:\n", dir, brokers)
	for _, name := range []string{people.Account, people.Billing, people.Communications, people.Events, people.Marketplace, people.Support} { // that both have
		text += fmt.Sprintf("  %s: {dsn: %q}\n", name, files[name])
	}
	if err := os.WriteFile(u.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if u.cfg, err = config.Load(u.file); err != nil {
		t.Fatal(err)
	}
	return u
}

func (u *upgrade) workers() []string {
	return append([]string{"worker"}, slices.Sorted(maps.Keys(u.cfg.Systems))...)
}

// command returns a call of a program of either version.
func (u *upgrade) command(program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(u.Context()), program, append(args, "--config", u.file)...) //nolint:gosec // this very binary, or the release's
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

func (u *upgrade) do(program string, args ...string) {
	u.Helper()
	if out, err := u.command(program, args...).CombinedOutput(); err != nil {
		u.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// process is a running program of either version.
type process struct {
	*upgrade
	cmd *exec.Cmd
	url string
}

// start starts a service and waits until it is up.
func (u *upgrade) start(program string, args ...string) *process {
	u.Helper()
	p := &process{upgrade: u, cmd: u.command(program, args...)}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		u.Fatal(err)
	}
	var logs strings.Builder
	p.cmd.Stderr = &logs
	if err := p.cmd.Start(); err != nil {
		u.Fatal(err)
	}
	u.Cleanup(p.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = p.cmd.Wait()
		u.Fatalf("%v: %v\n%s", args, err, logs.String())
	}
	if found := upLine.FindStringSubmatch(line); found != nil {
		p.url = found[1]
	}
	return p
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

// ask sends requests, of accesses and erasures, of people who asked for nothing yet.
func (u *upgrade) ask(door *process, n int) {
	u.Helper()
	for range n {
		right := dsar.Access
		if len(u.asked)%3 == 2 {
			right = dsar.Erasure
		}
		r := upstream.Request{ID: uuid.NewString(), Right: right, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: u.people.Person(1 + len(u.asked)).Email}
		if _, err := upstream.Post(u.Context(), door.url, "", r.JSON()); err != nil {
			u.Fatal(err)
		}
		u.asked = append(u.asked, r.ID)
	}
}

// await waits until all that was asked is answered. What the older workers refused, as an
// erasure from a table that came after them and refers to theirs, a person retries.
func (u *upgrade) await(in *installation.Installation) {
	u.Helper()
	ctx, cancel := context.WithTimeout(u.Context(), time.Minute)
	defer cancel()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for n, id := range u.asked {
		for retried := false; ; {
			row, err := in.Journal.Row(ctx, id)
			if err == nil && row.Status == core.StatusNeedsAttention && !retried {
				u.do(os.Args[0], "retry", id, "--reason", "every process is of this version now")
				retried = true
			}
			if err == nil && (row.Status == core.StatusCompleted || row.Status == core.StatusDelivering) {
				break
			}
			select {
			case <-beat.C:
			case <-ctx.Done():
				u.Fatalf("request %d, %s, is %s and waits for %v: %v", n, row.Right, row.Status, row.Waiting, err)
			}
		}
	}
}
