//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/internal/reconcile"
)

var restoreRequests = flag.Int("restore-requests", 24, "how many requests TestRestoredJournal sends: a third each before the backup, after it, and when nothing is carried any more")

// TestRestoredJournal restores the journal from a backup from before two thirds of the load.
// A coordinator notices, and answers nobody before it is reconciled, which is killed on its
// way. Then every request that was accepted ends once, or is named, and ends when it is sent
// again. It is on PostgreSQL, by pg_dump and psql, where there is one for tests.
func TestRestoredJournal(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a dozen processes")
	}
	b, err := broker.Start(t.Context(), broker.Config{Dir: filepath.Join(t.TempDir(), "kafka")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	r := newRestored(t, b.Addr())
	r.begin()
	a := max(2, *restoreRequests/3)

	before := r.send(a, false)
	r.wait(before...)
	open := r.send(2, false) // on their way when the backup is made
	r.backup()
	marked := r.mark()
	after := r.send(a-2, false)
	r.wait(after...)
	r.wait(open...)
	r.until("the journal is marked again", func(context.Context) bool { return r.mark() != marked })
	inFlight := r.send(2, false)
	r.coordinator.kill() // from here on nothing is carried: what is accepted is in the journal alone
	byTopic, byDoor := r.send(a/2, true), r.send(a-a/2, false)
	r.accepted(byTopic...)
	for _, m := range r.all {
		m.kill()
	}
	r.restore()

	r.startAll(false)
	r.due()
	if out, err := command(t.Context(), "letters", "--config", r.file).CombinedOutput(); err == nil || !strings.Contains(string(out), "habeas reconcile") {
		t.Errorf("letters start on it: %v\n%s", err, out)
	}
	plan := r.reconcile()
	r.killed()
	r.reconcile("--yes")
	for _, w := range []struct {
		ids  []string
		what []reconcile.What
	}{
		{before, []reconcile.What{"", reconcile.TakenUp}}, // their receipts may have come later
		{after, []reconcile.What{reconcile.TakenUp}},
		{byDoor, []reconcile.What{reconcile.Lost}},
		{byTopic, []reconcile.What{"", reconcile.TakenIn}}, // the door reads again what it had not committed
		{inFlight, []reconcile.What{reconcile.TakenUp, reconcile.Answered, reconcile.Lost}},
	} {
		for _, id := range w.ids {
			if got := plan[id]; !slices.Contains(w.what, got) {
				t.Errorf("of request %s it is planned: %q, want one of %v", id, got, w.what)
			}
		}
	}
	if out, err := command(t.Context(), "reconcile", "--config", r.file).CombinedOutput(); err != nil || !strings.Contains(string(out), "nothing is to be reconciled") {
		t.Errorf("when it is done: %v\n%s", err, out)
	}

	r.start("letters")
	for _, id := range byDoor { // their caller was told
		r.post(id)
	}
	for _, id := range inFlight {
		if plan[id] == reconcile.Lost {
			r.post(id)
		}
	}
	all := append(append(append(append(append(before, open...), after...), inFlight...), byTopic...), byDoor...)
	r.wait(all...)
	r.once(all...)
	if out, err := command(t.Context(), "audit", "--answers", "--config", r.file).CombinedOutput(); err != nil {
		t.Errorf("the audit: %v\n%s", err, out)
	}
}

// restored is a fleet whose journal is restored from a backup.
type restored struct {
	*pipeline
	*fleet
	door, coordinator *member
	all               []*member
	person            map[string]int // by request
	writer            *upstream.Writer
	dump              string
}

// newRestored makes one on a broker; its Fatal and the like are the fleet's.
func newRestored(t *testing.T, brokerAddress string) *restored {
	t.Helper()
	journal := ""
	if os.Getenv("HABEAS_TEST_POSTGRES") != "" {
		journal = pgtest.Shared(t).Database(t)
	}
	f := newFleet(t, []string{brokerAddress}, journal, 2**restoreRequests+20)
	if out, err := command(t.Context(), "keys", "init", "--config", f.file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := &restored{fleet: f, person: map[string]int{}, dump: filepath.Join(t.TempDir(), "dump")}
	r.pipeline = &pipeline{T: t, people: f.people, n: &node.Node{Config: f.cfg, Installation: f.in}}
	r.writer = upstream.NewWriter([]string{brokerAddress}, nil)
	t.Cleanup(r.writer.Close)
	return r
}

func (r *restored) begin() {
	r.startAll(true)
	r.fleet.settle()
}

// startAll starts what the fleet needs.
func (r *restored) startAll(letters bool) {
	r.fleet.members = map[string]int{}
	r.door = r.fleet.start("intake", "--listen", "127.0.0.1:0")
	r.coordinator = r.fleet.start("coordinator", "--monitor", "127.0.0.1:0")
	r.all = []*member{r.door, r.coordinator, r.fleet.start("aggregator")}
	for _, some := range r.fleet.halves("") {
		r.all = append(r.all, r.fleet.start(append([]string{"worker"}, some...)...))
	}
	if letters {
		r.all = append(r.all, r.fleet.start("letters"))
	}
}

// of returns a request of a person.
func (r *restored) of(id string, person int) upstream.Request {
	return upstream.Request{ID: id, Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: r.fleet.people.Person(person).Email}
}

// send sends so many requests, by Kafka or by HTTP.
func (r *restored) send(n int, byKafka bool) (ids []string) {
	r.fleet.Helper()
	for range n {
		id := upstream.NewID()
		r.person[id] = len(r.person) + 1
		if byKafka {
			if err := r.writer.Publish(r.fleet.Context(), r.of(id, r.person[id])); err != nil {
				r.fleet.Fatal(err)
			}
		} else {
			r.post(id)
		}
		ids = append(ids, id)
	}
	return ids
}

func (r *restored) post(id string) {
	r.fleet.Helper()
	if _, err := upstream.Post(r.fleet.Context(), r.door.url, "", r.of(id, r.person[id]).JSON()); err != nil {
		r.fleet.Fatal(err)
	}
}

// accepted waits until requests are in the journal.
func (r *restored) accepted(ids ...string) {
	r.fleet.Helper()
	for _, id := range ids {
		r.until("request "+id+" is in the journal", func(ctx context.Context) bool {
			_, err := r.fleet.in.Journal.Row(ctx, id)
			return err == nil
		})
	}
}

func (r *restored) until(what string, is func(context.Context) bool) {
	r.fleet.Helper()
	ctx, cancel := context.WithTimeout(r.fleet.Context(), patience)
	defer cancel()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for !is(ctx) {
		select {
		case <-ctx.Done():
			r.fleet.Fatalf("it isn't so that %s", what)
		case <-beat.C:
		}
	}
}

// backup makes one while everything runs.
func (r *restored) backup() {
	r.fleet.Helper()
	if url, ok := r.postgres(); ok {
		u, schema := withoutSchema(r.fleet, url)
		r.program("pg_dump", "--clean", "--if-exists", "--no-owner", "-n", schema, "-f", r.dump, u)
		return
	}
	db, err := sql.Open("sqlite", r.sqlite())
	if err == nil {
		_, err = db.ExecContext(r.fleet.Context(), "VACUUM INTO '"+r.dump+"'")
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		r.fleet.Fatal(err)
	}
}

// restore puts the backup in the journal's place. Nothing of the fleet runs.
func (r *restored) restore() {
	r.fleet.Helper()
	if url, ok := r.postgres(); ok {
		u, _ := withoutSchema(r.fleet, url)
		r.program("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", r.dump, u)
		return
	}
	if err := r.fleet.in.Close(); err != nil {
		r.fleet.Fatal(err)
	}
	path := r.sqlite()
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			r.fleet.Fatal(err)
		}
	}
	if err := os.Rename(r.dump, path); err != nil {
		r.fleet.Fatal(err)
	}
	in, err := installation.Open(r.fleet.Context(), r.fleet.cfg)
	if err != nil {
		r.fleet.Fatal(err)
	}
	r.fleet.Cleanup(func() { _ = in.Close() })
	r.fleet.in, r.n.Installation = in, in
}

func (r *restored) postgres() (string, bool) {
	return r.fleet.cfg.Journal, strings.HasPrefix(r.fleet.cfg.Journal, "postgres")
}

// withoutSchema returns a test's URL as PostgreSQL's programs read it, and its schema.
func withoutSchema(f *fleet, text string) (without, schema string) {
	f.Helper()
	u, err := url.Parse(text)
	if err != nil {
		f.Fatal(err)
	}
	q := u.Query()
	schema = q.Get("search_path")
	q.Del("search_path")
	u.RawQuery = q.Encode()
	return u.String(), schema
}

func (r *restored) sqlite() string { return strings.TrimPrefix(r.fleet.cfg.Journal, "sqlite://") }

func (r *restored) program(name string, args ...string) {
	r.fleet.Helper()
	if out, err := exec.CommandContext(r.fleet.Context(), name, args...).CombinedOutput(); err != nil {
		r.fleet.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// mark returns the mirror's mark of the journal.
func (r *restored) mark() string {
	r.fleet.Helper()
	text, err := os.ReadFile(filepath.Join(r.fleet.cfg.Receipts.Mirror, "journal", "mark"))
	if err != nil {
		r.fleet.Fatal(err)
	}
	return string(text)
}

// due holds that the coordinator says so, and that its metric does.
func (r *restored) due() {
	r.fleet.Helper()
	monitor := r.coordinator.said[strings.Index(r.coordinator.said, "health ")+len("health "):]
	monitor = strings.TrimSuffix(strings.TrimSpace(monitor), "/readyz")
	for path, want := range map[string]string{"/readyz": "reconcile: the journal is a copy of", "/metrics": `habeas_ready{check="reconcile"} 0`} {
		res, err := http.Get(monitor + path) //nolint:gosec // a coordinator of the test's own
		if err != nil {
			r.fleet.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || !strings.Contains(string(body), want) || path == "/readyz" && res.StatusCode != http.StatusServiceUnavailable {
			r.fleet.Errorf("%s answers %d without %q (%v)", path, res.StatusCode, want, err)
		}
	}
}

// reconcile runs the command to its end, and returns what it says of each request.
func (r *restored) reconcile(args ...string) map[string]reconcile.What {
	r.fleet.Helper()
	cmd := command(r.fleet.Context(), append([]string{"reconcile", "--config", r.fleet.file, "--output", "json"}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var report reconcile.Report
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || json.Unmarshal(out, &report) != nil {
		r.fleet.Fatalf("reconcile %v: %v\n%s%s", args, err, out, errs.String())
	}
	said := map[string]reconcile.What{}
	for _, i := range report.Items {
		said[i.Request] = i.What
		r.fleet.Logf("%v %+v", args, i)
	}
	return said
}

// killed has reconciling begin, and kills it as soon as it has taken something up.
func (r *restored) killed() {
	r.fleet.Helper()
	rows := func(ctx context.Context) int {
		counts, err := r.fleet.in.Journal.Counts(ctx)
		if err != nil {
			r.fleet.Fatal(err)
		}
		n := 0
		for _, c := range counts {
			n += c
		}
		return n
	}
	before := rows(r.fleet.Context())
	cmd := command(r.fleet.Context(), "reconcile", "--config", r.fleet.file, "--yes")
	if err := cmd.Start(); err != nil {
		r.fleet.Fatal(err)
	}
	r.until("a request was taken up again", func(ctx context.Context) bool { return rows(ctx) > before })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// once holds that each request was answered once: by one letter, and by one end in its facts.
func (r *restored) once(ids ...string) {
	r.fleet.Helper()
	for _, id := range ids {
		facts, err := r.fleet.in.Journal.Facts(r.fleet.Context(), id, 1)
		if err != nil {
			r.fleet.Fatal(err)
		}
		ends := 0
		for _, f := range facts {
			if f.Type == core.TypeOf(core.Completed{}) {
				ends++
			}
		}
		s, err := r.fleet.in.Requests.State(r.fleet.Context(), id)
		if err != nil || ends != 1 && !s.AnswerUntold {
			r.fleet.Errorf("request %s ended %d times (%v)", id, ends, err)
		}
		letters := 0
		for list := r.fleet.in.Outbox.List(&blob.ListOptions{Prefix: "letters/" + id + "."}); ; {
			o, err := list.Next(r.fleet.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				r.fleet.Fatal(err)
			}
			if strings.Contains(o.Key, "-"+string(core.LetterAnswer)+".") {
				letters++
			}
		}
		if letters > 1 {
			r.fleet.Errorf("request %s: %d letters say that it is answered", id, letters)
		}
	}
}
