package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/terminal"
)

type replayErasuresCommand struct {
	installationFlags
	System string `required:"" help:"The system that was restored from a backup." placeholder:"NAME"`
	Since  string `required:"" help:"When the backup was made: what was erased after that is asked for again. A day, or a time as 2026-11-20T04:00:00Z." placeholder:"TIME"`
	Yes    bool   `help:"Do it; else it is said what would be done."`
	Reason string `help:"Why, for the trace of each request: no personal data in it." placeholder:"TEXT" default:"the system was restored from a backup"`
}

// Help implements kong.HelpProvider.
func (replayErasuresCommand) Help() string {
	return `After a system was restored from a backup it holds again what was erased since the backup was made.
This asks it, for each such erasure, by the keys of its plan, and has what came back erased again; each
request's trace says so, and ends in an addendum to its certificate. Without --yes nothing is done.

  habeas replay-erasures --system billing --since 2026-11-20T04:00:00Z
  habeas replay-erasures --system billing --since 2026-11-20T04:00:00Z --yes

It may be called again: what is already erased is found gone. Exit status 1: some could not be asked, or
wait for a person.`
}

// replayEvery is how often it is looked whether requests are done.
const replayEvery = time.Second

// Run replays.
func (c *replayErasuresCommand) Run(ctx context.Context) error {
	since, err := instant(c.Since)
	if err != nil {
		return err
	}
	in, err := c.openToAct(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	all, err := erasuresSince(ctx, in, c.System, since)
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		_, err := terminal.Printf(os.Stdout, "Nothing was erased in %s since %s.\n", c.System, since.Format(time.RFC3339))
		return err
	case !c.Yes:
		return c.say(os.Stdout, all)
	}
	return c.replay(ctx, in, all)
}

// instant reads a day or a time.
func instant(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a day, 2026-11-20, nor a time, 2026-11-20T04:00:00Z", text)
}

// erased is an erasure that a system has ended.
type erased struct {
	id      string
	at      time.Time
	records int64
	// not is why it can't be asked for; empty where it can.
	not string
}

// erasuresSince returns the erasures that a system has ended since a time.
func erasuresSince(ctx context.Context, in *installation.Installation, system string, since time.Time) ([]erased, error) {
	var out []erased
	known := false
	filter := journal.Filter{Right: dsar.Erasure, Limit: journal.MaxList}
	for {
		rows, err := in.Journal.List(ctx, filter)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			s, err := in.Requests.State(ctx, row.RequestID)
			if err != nil {
				return nil, err
			}
			for _, sys := range s.Accepted.Systems {
				known = known || sys.Name == system
			}
			if e, ok := erasedIn(s, system, since); ok {
				out = append(out, e)
			}
		}
		if len(rows) < filter.Limit {
			break
		}
		filter.After = rows[len(rows)-1].Cursor()
	}
	if !known && len(out) == 0 {
		return nil, fmt.Errorf("no erasure here has reached a system %s", system)
	}
	return out, nil
}

// erasedIn returns what a request has erased in a system since a time; false where that
// is nothing.
func erasedIn(s core.State, system string, since time.Time) (erased, bool) {
	t := s.Task(system, dsar.Erase)
	if t == nil || t.End.Action == "" || t.End.At.Before(since) {
		return erased{}, false
	}
	e := erased{id: s.Accepted.RequestID, at: t.End.At}
	for _, c := range t.End.Counts {
		e.records += c.Erased + c.Anonymised + c.Gone
	}
	_, err := core.Decide(s, core.ProveAgain{By: localUser(), Systems: []string{system}, Now: now()})
	switch {
	case e.records == 0 && t.End.By == "":
		return e, false
	case err == nil:
	case s.Status != core.StatusCompleted:
		e.not = "it is " + string(s.Status) + ": its own proof comes, or it waits for a person"
	case t.End.By != "":
		e.not = "a person erased it by hand: a person looks"
	default:
		e.not = "no keys of it are known there: a person looks"
	}
	return e, true
}

// say prints what would be done.
func (c *replayErasuresCommand) say(w io.Writer, all []erased) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	terminal.Printf(out, "REQUEST\tERASED\tRECORDS\t\n")
	can := 0
	for _, e := range all {
		if e.not == "" {
			can++
		}
		terminal.Printf(out, "%s\t%s\t%d\t%s\n", e.id, e.at.Format(time.RFC3339), e.records, e.not)
	}
	terminal.Printf(out, "\n%d of %d would be asked for again in %s, and what has come back erased; --yes does it.\n", can, len(all), c.System)
	return out.Flush()
}

// replay asks for each, and tells how it gets on.
func (c *replayErasuresCommand) replay(ctx context.Context, in *installation.Installation, all []erased) error {
	open := map[string]bool{}
	not := 0
	for _, e := range all {
		if e.not != "" {
			terminal.Printf(os.Stdout, "%s: not asked for: %s\n", e.id, e.not)
			not++
			continue
		}
		_, err := in.Requests.Do(ctx, e.id, core.ProveAgain{By: who(ctx), Reason: c.Reason, Systems: []string{c.System}, Erase: true, Now: now()})
		if errors.Is(err, core.ErrNotAllowed) { // somebody was faster
			terminal.Printf(os.Stdout, "%s: not asked for: %v\n", e.id, err)
			not++
			continue
		}
		if err != nil {
			return about(e.id, err)
		}
		open[e.id] = true
	}
	terminal.Printf(os.Stdout, "%d asked for again in %s. They go on by themselves; this waits for them.\n", len(open), c.System)
	back, waiting, err := c.follow(ctx, in, open)
	terminal.Printf(os.Stdout, "Done: %d records had come back and are erased again; %d requests wait for a person, %d could not be asked for.\n", back, waiting, not)
	if err == nil && waiting+not > 0 {
		return errSilent
	}
	return err
}

// follow waits until all are done, or wait for a person, and says what came back.
func (c *replayErasuresCommand) follow(ctx context.Context, in *installation.Installation, open map[string]bool) (back int64, waiting int, err error) {
	beat := time.NewTicker(replayEvery)
	defer beat.Stop()
	for all := len(open); len(open) > 0; {
		for id := range open {
			s, err := in.Requests.State(ctx, id)
			if err != nil {
				return back, waiting, err
			}
			if !s.Status.Ended() && s.Status != core.StatusNeedsAttention {
				continue
			}
			delete(open, id)
			if s.Status == core.StatusNeedsAttention {
				waiting++
				terminal.Printf(os.Stdout, "%d/%d %s: %s\n", all-len(open), all, id, s.Attention.Reason)
				continue
			}
			n := s.Addenda[len(s.Addenda)-1].Told.Back()
			back += n
			terminal.Printf(os.Stdout, "%d/%d %s: %d records had come back\n", all-len(open), all, id, n)
		}
		if len(open) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return back, waiting, fmt.Errorf("%d go on without being watched: %w", len(open), ctx.Err())
		case <-beat.C:
		}
	}
	return back, waiting, nil
}
