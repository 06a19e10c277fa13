package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/sandbox/people"
)

var (
	kills    = flag.Int("kills", 4, "how many times TestKilledAtRandom kills habeas up")
	killSeed = flag.Uint64("kill-seed", 0, "the seed of the moments; 0: a fresh one")
)

// asProgram has this test binary be the program itself.
const asProgram = "HABEAS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command starts the program in a process of its own.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...) //nolint:gosec // this very binary
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// says runs the program, and returns its exit status and what it prints.
func says(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	return ran(t, command(t.Context(), args...))
}

// ran runs a command to its end, and returns its exit status and what it prints.
func ran(t *testing.T, cmd *exec.Cmd) (status int, out string) {
	t.Helper()
	text, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// TestKilledAtRandom kills `habeas up` at random moments under a load of 200
// requests. After a last start every request ends, once, and the bundles'
// payloads are those of a run that nobody disturbed.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -kills=%d -kill-seed=%d", *kills, seed)
	random := rand.New(rand.NewPCG(seed, 1))
	asked := killRequests()

	calm := newUp(t)
	calm.start()
	calm.submit(asked)
	calm.finish(asked)

	killed := newUp(t)
	share := (len(asked) + *kills - 1) / max(*kills, 1)
	for chunk := range slices.Chunk(asked, share) {
		killed.start()
		var door sync.WaitGroup
		door.Go(func() { killed.trySubmit(chunk) })
		wait := time.NewTimer(time.Duration(random.Int64N(int64(400 * time.Millisecond))))
		<-wait.C // the one thing here that is to happen at a moment that nothing announces
		killed.kill()
		door.Wait()
	}
	killed.start()
	killed.submit(asked) // what came before is answered as the first time
	killed.finish(asked)

	for _, r := range asked {
		got, want := killed.payloads[r.ID], calm.payloads[r.ID]
		if certificate := "certificate.json"; strings.Contains(got[certificate], `"kind":"gone"`) || strings.Contains(got[certificate], `"kind":"maybe-erased"`) {
			// Whose report was killed with it: what it erased was gone at the next try.
			got = map[string]string{certificate: removed(t, got[certificate])}
			want = map[string]string{certificate: removed(t, want[certificate])}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s of %s: the payload differs from the undisturbed one: %s", r.Right, r.ID, differing(got, want))
		}
	}
}

// killRequests returns 200 requests of 200 people.
func killRequests() []upstream.Request {
	p := people.Generate(people.Config{Seed: killPopulation.Seed, People: killPopulation.People})
	rights := []dsar.Right{dsar.Access, dsar.Access, dsar.Erasure, dsar.Portability}
	var out []upstream.Request
	for n := 1; n <= 200; n++ {
		out = append(out, upstream.Request{ID: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, n)).String(), Right: rights[n%len(rights)],
			Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: p.Person(n).Email})
	}
	return out
}

var killPopulation = config.Sandbox{Seed: 21, People: 220}

// up is `habeas up` on one data folder, started and killed.
type up struct {
	*testing.T
	dir      string
	cmd      *exec.Cmd
	url      string
	logs     workertest.Log
	payloads map[string]map[string]string // by request, by file
}

func newUp(t *testing.T) *up {
	t.Helper()
	u := &up{T: t, dir: t.TempDir(), payloads: map[string]map[string]string{}}
	text := fmt.Sprintf("listen: 127.0.0.1:0\nlog: {level: warn}\nsandbox: {seed: %d, people: %d}\n", killPopulation.Seed, killPopulation.People)
	if err := os.WriteFile(filepath.Join(u.dir, config.File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.kill)
	return u
}

var upLine = regexp.MustCompile(`(?:HTTP|is up:) (http://[^\s,]+)`)

// start starts the process and waits until it serves.
func (u *up) start() {
	u.Helper()
	u.cmd = command(context.WithoutCancel(u.Context()), "up", "--data", u.dir)
	out, err := u.cmd.StdoutPipe()
	if err != nil {
		u.Fatal(err)
	}
	u.cmd.Stderr = &u.logs
	if err := u.cmd.Start(); err != nil {
		u.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := upLine.FindStringSubmatch(lines.Text()); m != nil {
			u.url = m[1]
			return
		}
	}
	err = u.cmd.Wait()
	u.cmd = nil
	u.Fatalf("habeas up ended: %v\n%s", err, u.logs.String())
}

// kill is kill -9.
func (u *up) kill() {
	if u.cmd == nil {
		return
	}
	_ = u.cmd.Process.Kill()
	_ = u.cmd.Wait()
	u.cmd = nil
}

// submit posts requests; every one must be taken.
func (u *up) submit(asked []upstream.Request) {
	u.Helper()
	for _, r := range asked {
		if _, err := upstream.Post(u.Context(), u.url, "", r.JSON()); err != nil {
			u.Fatalf("%s: %v", r.ID, err)
		}
	}
}

// trySubmit posts requests until the process is killed.
func (u *up) trySubmit(asked []upstream.Request) {
	for _, r := range asked {
		if _, err := upstream.Post(u.Context(), u.url, "", r.JSON()); err != nil {
			return
		}
	}
}

// finish waits until all requests have ended and keeps their payloads.
func (u *up) finish(asked []upstream.Request) {
	u.Helper()
	cfg, err := config.ForData(u.dir)
	if err != nil {
		u.Fatal(err)
	}
	in, err := installationFlags{Data: u.dir}.open(u.Context())
	if err != nil {
		u.Fatal(err)
	}
	defer in.Close()
	n := &node.Node{Config: cfg, Installation: in}
	for _, r := range asked {
		row := waitFor(u.T, in.Journal, r.ID)
		if row.Status != core.StatusCompleted {
			tr, _ := loadTrace(u.Context(), in, r.ID)
			u.Fatalf("%s of %s is %s: %s", r.Right, r.ID, row.Status, tr.Attention)
		}
		facts, err := in.Facts(u.Context(), r.ID)
		if err != nil {
			u.Fatal(err)
		}
		ended := 0
		for _, f := range facts {
			if f.Type == core.TypeOf(core.Completed{}) {
				ended++
			}
		}
		if ended != 1 {
			u.Errorf("%s ended %d times", r.ID, ended)
		}
		files := map[string]string{}
		for name, data := range payload(u.T, n, r.ID) {
			files[name] = timeless(string(data))
		}
		u.payloads[r.ID] = files
	}
	u.stopGently()
}

// made are what of a payload depends on when it was made: the facts that statements rest
// on, when something was done, and the length and hash of the answer that says so.
var made = []struct {
	found *regexp.Regexp
	is    string
}{
	{regexp.MustCompile(`"facts":\[[^]]*\]`), `"facts":[]`},
	{regexp.MustCompile(`"at":"[^"]+",`), ""},
	{regexp.MustCompile(`Asked again on [^:]+:\d\d UTC`), "Asked again"},
	{regexp.MustCompile(`"bytes":\d+,"hash":"sha256:\w+"`), ""},
}

func timeless(s string) string {
	for _, m := range made {
		s = m.found.ReplaceAllString(s, m.is)
	}
	return s
}

// removed returns what a certificate says where it only says how many records are no
// longer there, and not which of them somebody could report as erased or made anonymous.
func removed(t *testing.T, certificate string) string {
	t.Helper()
	a, err := statement.Read([]byte(certificate))
	if err != nil {
		t.Fatal(err)
	}
	gone := map[string]int64{}
	var out []string
	for _, s := range a.Statements {
		switch s.Kind {
		case statement.Erased, statement.Anonymised, statement.Gone, statement.MaybeErased:
			gone[s.System+" "+s.Dataset] += s.Records
		case statement.AllErased, statement.AllAnonymised, statement.AllGone:
			out = append(out, s.System+" removed")
		default:
			out = append(out, fmt.Sprintf("%s %s %s %d %v", s.Kind, s.System, s.Dataset, s.Records, s.Until))
		}
	}
	return strings.Join(out, "\n") + fmt.Sprint(gone)
}

// stopGently is Ctrl-C: the process ends by itself, with status 0.
func (u *up) stopGently() {
	u.Helper()
	if err := u.cmd.Process.Signal(os.Interrupt); err != nil {
		u.Error(err)
	}
	err := u.cmd.Wait()
	u.cmd = nil
	var exit *exec.ExitError
	if errors.As(err, &exit) || err != nil {
		u.Errorf("after an interrupt: %v\n%s", err, u.logs.String())
	}
}

// differing names the first file that differs, and its first line that does.
func differing(got, want map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			return name + ": " + firstOther(strings.Split(got[name], "\n"), strings.Split(want[name], "\n"))
		}
	}
	return fmt.Sprintf("%d files instead of %d", len(got), len(want))
}
