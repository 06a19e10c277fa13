package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/watch"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/notify"
)

// canary identifies the person of every request.
const canary = "kanarienvogel@example.com"

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// receiver takes messages, or doesn't.
type receiver struct {
	mu  sync.Mutex
	got []notify.Message
	err error
}

func (r *receiver) Deliver(_ context.Context, m notify.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil || errors.Is(r.err, errLate) {
		r.got = append(r.got, m)
	}
	return r.err
}

// errLate says that a message arrived, and the word that it did got lost.
var errLate = errors.New("no answer in time")

func (r *receiver) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// take returns what came since.
func (r *receiver) take() []notify.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// post is a notifier over requests in memory.
type post struct {
	t        *testing.T
	journal  *memjournal.Store
	requests *lifecycle.Lifecycle
	log      *strings.Builder
	now      time.Time
}

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{t: t, journal: memjournal.New(memjournal.Config{}), log: &strings.Builder{}, now: start}
	p.requests = lifecycle.New(p.journal)
	return p
}

func (p *post) notifier(channels map[string]notify.Channel) *notify.Notifier {
	return notify.New(notify.Config{Journal: p.journal, Channels: channels, Console: "https://habeas.example.com", Now: func() time.Time { return p.now },
		Log: slog.New(slog.NewTextHandler(p.log, nil))})
}

func (p *post) look(n *notify.Notifier) {
	p.t.Helper()
	if err := n.Look(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) submit(id string, due time.Time) {
	p.t.Helper()
	p.do(id, core.Submit{Accepted: core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start.AddDate(0, -1, 0), AcceptedAt: start.AddDate(0, -1, 0), DueAt: due, Source: "test", Digest: id,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: canary, Sealed: []byte(canary), Assurance: dsar.AssuranceVerified}}, // where it would be seen
		Systems:     []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}}})
}

func (p *post) do(id string, c core.Command) {
	p.t.Helper()
	if _, err := p.requests.Do(p.t.Context(), id, c); err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) fail(id string) {
	p.t.Helper()
	p.do(id, core.TakeReport{Now: p.now, Report: dsar.Report{RequestID: id, System: "billing", Action: dsar.Gather, Attempt: 1, Kind: dsar.ReportFailed, Code: "no-permission", Reason: "it says no"}})
}

// said returns what messages tell that is new.
func said(messages []notify.Message) string {
	var out []string
	for _, m := range messages {
		var parts []string
		for _, one := range m.New {
			parts = append(parts, string(one.Kind)+" "+one.System+one.RequestID)
		}
		out = append(out, strings.Join(parts, ", "))
	}
	return strings.Join(out, "; ")
}

// TestOnce tells each thing once, many in one message, and again when it is news:
// it was over in between, or has been so for a week.
func TestOnce(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	r := &receiver{}
	n := p.notifier(map[string]notify.Channel{"r": r})
	step := func(what, want string) {
		t.Helper()
		p.look(n)
		if got := said(r.take()); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	p.submit("far", start.AddDate(0, 1, 0))
	step("nothing is the matter", "")
	p.submit("soon", start.AddDate(0, 0, 3))
	p.submit("failed", start.AddDate(0, 1, 0))
	p.fail("failed")
	p.submit("late", start.AddDate(0, 0, -1))
	p.do("late", core.Tick{Now: start})
	step("three at once", "overdue late, needs-attention failed, due-soon soon")
	step("the same", "")
	p.now = p.now.Add(time.Minute)
	p.submit("another", start.AddDate(0, 1, 0))
	p.fail("another")
	step("it has just spoken", "")
	p.now = p.now.Add(notify.DefaultDigest)
	step("later", "needs-attention another")
	p.do("another", core.Retry{By: "lea", Now: p.now})
	step("it is over", "")
	p.do("another", core.TakeReport{Now: p.now, Report: dsar.Report{RequestID: "another", System: "billing", Action: dsar.Gather, Attempt: 2, Kind: dsar.ReportFailed, Code: "x"}})
	p.now = p.now.Add(notify.DefaultDigest)
	step("it is so again", "needs-attention another")
	p.now = p.now.AddDate(0, 0, 7)
	p.do("soon", core.Tick{Now: p.now})
	step("a week later", "overdue late, overdue soon, needs-attention another, needs-attention failed")
}

// TestDown tells of a system that is asked in vain, and once more when it is
// silent anew.
func TestDown(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	r := &receiver{}
	n := p.notifier(map[string]notify.Channel{"r": r})
	know := func(facts ...core.Event) {
		t.Helper()
		if err := watch.Save(t.Context(), p.journal, facts); err != nil {
			t.Fatal(err)
		}
		p.look(n)
	}
	unheard := func() core.Event {
		return core.TaskSent{System: "billing", Action: dsar.Gather, Attempt: 2, Reason: core.SentUnheard, Moment: core.Moment{At: p.now}}
	}
	know(unheard())
	if got := said(r.take()); got != "" {
		t.Errorf("at once: %q", got)
	}
	p.now = p.now.Add(notify.DefaultSilentAfter)
	know(unheard())
	if got := said(r.take()); got != "system-down billing" {
		t.Errorf("%q", got)
	}
	p.now = p.now.Add(time.Hour)
	know(core.TaskEnded{System: "billing", Action: dsar.Gather, Attempt: 2, Outcome: dsar.Gathered, Moment: core.Moment{At: p.now}})
	p.now = p.now.Add(time.Minute)
	know(unheard())
	p.now = p.now.Add(time.Hour)
	p.look(n)
	if got := said(r.take()); got != "system-down billing" {
		t.Errorf("silent anew: %q", got)
	}
}

// TestFlood says of many things how many they are, and lists the most urgent.
func TestFlood(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	r := &receiver{}
	n := p.notifier(map[string]notify.Channel{"r": r})
	for i := range 600 {
		id := fmt.Sprintf("r%03d", i)
		p.submit(id, start.Add(time.Duration(i)*time.Minute))
	}
	p.look(n)
	got := r.take()
	if len(got) != 1 || len(got[0].New) != 50 || got[0].Unlisted != 450 || got[0].New[0].RequestID != "r000" || got[0].Subject(words.For("en")) != "Habeas: 500+ due soon" {
		t.Fatalf("%d messages, %+v", len(got), got)
	}
	if data, _, err := p.journal.Note(t.Context(), "notify"); err != nil || len(data) > journal.MaxNote/2 {
		t.Errorf("%d bytes are remembered: %v", len(data), err)
	}
}

// TestAtLeastOnce loses messages, answers and processes: each message arrives, and
// where it arrives twice it has the same id.
func TestAtLeastOnce(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	r, other := &receiver{}, &receiver{}
	channels := map[string]notify.Channel{"r": r, "other": other}
	n := p.notifier(channels)
	p.submit("soon", start.AddDate(0, 0, 3))
	r.fail(errors.New("it is down"))
	p.look(n)
	first := other.take()
	if len(first) != 1 || len(r.take()) != 0 {
		t.Fatalf("one channel that is down holds up the other: %v", first)
	}
	p.look(n)
	if len(other.take()) != 0 {
		t.Error("the other has it twice")
	}
	// The process is gone; the next one takes over when its time is up.
	n = p.notifier(channels)
	r.fail(errLate)
	p.look(n)
	if len(r.take()) != 0 {
		t.Error("both are at it")
	}
	p.now = p.now.Add(time.Hour)
	p.look(n)
	lost := r.take()
	r.fail(nil)
	p.now = p.now.Add(time.Hour)
	p.look(n)
	again := r.take()
	if len(lost) != 1 || len(again) != 1 || lost[0].ID != first[0].ID || again[0].ID != first[0].ID {
		t.Fatalf("%v, %v, %v", first, lost, again)
	}
	p.now = p.now.Add(time.Hour)
	p.look(n)
	if len(r.take())+len(other.take()) != 0 {
		t.Error("it is delivered, and comes again")
	}
}

// TestCrash dies between any two writes of what is remembered: the message arrives
// under one id, once or twice.
func TestCrash(t *testing.T) {
	t.Parallel()
	for dies := range 6 {
		p := newPost(t)
		left := dies
		p.journal = memjournal.New(memjournal.Config{Fault: func(op memjournal.Op, after bool) error {
			if op != memjournal.OpNote || left < 0 {
				return nil
			}
			if left--; left < 0 {
				return fmt.Errorf("%w: it died, after: %t", journal.ErrUnavailable, after)
			}
			return nil
		}})
		p.requests = lifecycle.New(p.journal)
		r := &receiver{}
		p.submit("soon", start.AddDate(0, 0, 3))
		_ = p.notifier(map[string]notify.Channel{"r": r}).Look(t.Context())
		p.now = p.now.Add(time.Hour)
		next := p.notifier(map[string]notify.Channel{"r": r})
		p.look(next)
		got := r.take()
		if len(got) == 0 || len(got) > 2 || got[0].ID != got[len(got)-1].ID {
			t.Errorf("dying at note %d: %q", dies, said(got))
		}
	}
}

// TestGivenUp leaves a receiver alone that is gone for good, or for days; a
// channel that is configured no longer is forgotten.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		days int
	}{"gone": {notify.ErrRefused, 0}, "away": {errors.New("down"), 4}} {
		p := newPost(t)
		r := &receiver{err: c.err}
		n := p.notifier(map[string]notify.Channel{"r": r})
		p.submit("soon", start.AddDate(0, 0, 4))
		p.look(n)
		p.now = p.now.AddDate(0, 0, c.days)
		p.look(n)
		if !strings.Contains(p.log.String(), "given up") {
			t.Errorf("%s: %s", name, p.log)
		}
		r.fail(nil)
		p.now = p.now.Add(time.Hour)
		p.look(n)
		if got := r.take(); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestNothingPersonal looks at all that leaves, and at what stays.
func TestNothingPersonal(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	r := &receiver{}
	p.submit("soon", start.AddDate(0, 0, 3))
	p.submit("failed", start.AddDate(0, 0, 3))
	p.fail("failed")
	p.look(p.notifier(map[string]notify.Channel{"r": r}))
	m := r.take()[0]
	data, _, err := p.journal.Note(t.Context(), "notify")
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"the message": fmt.Sprintf("%+v", m), "the mail": m.Subject(words.For("fr")) + m.Text(words.For("fr")) + m.Text(words.For("en")), "the note": string(data), "the log": p.log.String()} {
		if strings.Contains(text, canary) {
			t.Errorf("%s holds who it is: %s", what, text)
		}
	}
	if !strings.Contains(m.Text(words.For("en")), "https://habeas.example.com/requests/failed") || !strings.Contains(m.Text(words.For("en")), "waits for billing") {
		t.Errorf("%s", m.Text(words.For("en")))
	}
}

// TestTakenOver: when the process that tells people stops, as in a rolling restart, another
// tells them within seconds; when it is killed, within a minute.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		killed bool
		within time.Duration
	}{"stopped": {false, 11 * time.Second}, "killed": {true, 41 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPost(t)
				r := &receiver{}
				clocked := func() (*notify.Notifier, context.Context, context.CancelFunc) {
					n := p.notifier(map[string]notify.Channel{"r": r})
					n.Now = func() time.Time { return start.Add(time.Since(began)) }
					ctx, end := context.WithCancel(t.Context())
					return n, ctx, end
				}
				first, ctx, stop := clocked()
				if one.killed { // it has claimed the work, and is never heard of again
					if err := first.Look(ctx); err != nil {
						t.Fatal(err)
					}
				} else {
					go func() { _ = first.Run(ctx) }()
				}
				synctest.Wait() // the work is the first's
				second, other, end := clocked()
				go func() { _ = second.Run(other) }()
				defer end()
				time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest
				stop()
				p.submit("soon", start.AddDate(0, 0, 3))
				time.Sleep(one.within) //nolint:forbidigo // in a bubble of synctest
				synctest.Wait()
				if got := r.take(); len(got) != 1 {
					t.Errorf("%d messages after %s", len(got), one.within)
				}
			})
		})
	}
}

// began is when a bubble of synctest begins.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
