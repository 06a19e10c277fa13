package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/watch"
)

// silentAfter is how long a worker may be silent before its system is shown as one
// that doesn't answer: a worker that was restarted takes less.
const silentAfter = time.Minute

const (
	// failsAfter is how many tasks must fail one after the other for a system to be
	// shown as failing: one or two may be about a person whose data is odd.
	failsAfter = 3
	// failsShare is the part of a day's tasks, as one of so many, that shows a system as one
	// that fails sometimes, where failsAfter or more failed: below it, pages stay calm.
	failsShare = 20
	// minTasks is how many tasks are needed before half of them failing means that
	// a system fails often: of two, one says nothing.
	minTasks = 10
)

// systemStatus is what is known of one system. A number below zero isn't known.
type systemStatus struct {
	*manifest.Manifest
	watch.System
	Name     string
	Label    string
	State    string // a word, as it is shown
	Tone     string
	Why      watch.Trouble
	Until    time.Time // when it is asked again
	Requests int       // open requests that wait for it
	Tasks    int64     // tasks that its worker has yet to take
	Errors   int       // how many tasks failed within a day
	Ends     int       // of how many
	Accounts []vendorapi.Account
}

// systems shows the systems, and how each is.
func (c *Console) systems(w http.ResponseWriter, r *http.Request, u User) {
	waiting, known := c.waits.get(r.Context()), c.known.get(r.Context())
	var list []systemStatus
	for _, m := range c.Manifests {
		s := systemStatus{Manifest: m, System: known.systems[m.System], Name: m.System, Label: languageOf(r).Text(m.Title), Requests: waiting.of(m.System), Tasks: -1}
		if tasks, ok := known.tasks[m.System]; ok {
			s.Tasks = tasks
		}
		s.Errors, s.Ends = s.Failures(c.Now())
		for _, a := range known.accounts {
			if vendor, _, _ := strings.Cut(a.Name, "/"); vendor == m.System {
				s.Accounts = append(s.Accounts, a)
			}
		}
		s.judge(c.Now())
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b systemStatus) int { return rankOf(a.Tone) - rankOf(b.Tone) })
	c.render(w, r, http.StatusOK, "systems.html", page{User: u, Title: "Systems", Here: "systems", Body: list})
}

// judge sets the word for the system's state: the worst that is known of it.
func (s *systemStatus) judge(now time.Time) {
	for _, a := range s.Accounts {
		if now.Before(a.Until) && a.Until.After(s.Until) {
			s.Until, s.Why = a.Until, watch.Trouble{Code: a.Code, Reason: a.Reason}
		}
	}
	switch {
	case s.Down(now, silentAfter):
		s.State, s.Tone, s.Until, s.Why = "doesn’t answer", "bad", time.Time{}, watch.Trouble{}
	case !s.Until.IsZero():
		s.State, s.Tone = "left alone", "warn"
	case s.FailedInRow >= failsAfter:
		s.State, s.Tone, s.Why = "fails", "bad", s.Failed
	case s.Ends >= minTasks && 2*s.Errors >= s.Ends:
		s.State, s.Tone, s.Why = "fails often", "warn", s.Failed
	case now.Before(s.Parked.Until) && s.Parked.At.Equal(s.LastReport):
		s.State, s.Tone, s.Until, s.Why = "puts off", "warn", s.Parked.Until, s.Parked
	case s.Errors >= failsAfter && failsShare*s.Errors >= s.Ends:
		s.State, s.Tone, s.Why = "fails sometimes", "warn", s.Failed
	case s.LastReport.IsZero():
		s.State, s.Tone = "not heard of yet", "quiet"
	default:
		s.State, s.Tone = "answers", "good"
	}
}

// fleet is what is known of all systems.
type fleet struct {
	systems  map[string]watch.System
	tasks    map[string]int64
	accounts []vendorapi.Account
}

// fleet reads what is known of all systems. What can't be had is left out: the rest
// is shown.
func (c *Console) fleet(ctx context.Context) (fleet, error) {
	f := fleet{tasks: map[string]int64{}}
	var err error
	if f.systems, err = watch.Load(ctx, c.Journal); err != nil {
		return f, err
	}
	if c.Tasks != nil {
		for _, m := range c.Manifests {
			n, err := c.Tasks(ctx, m.System)
			if err != nil {
				c.trouble(ctx, err)
				break // the brokers are away: every other one would have to time out, too
			}
			f.tasks[m.System] = n
		}
	}
	if c.Accounts != nil {
		if f.accounts, err = c.Accounts(ctx); err != nil {
			c.trouble(ctx, err)
		}
	}
	return f, nil
}
