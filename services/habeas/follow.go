package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/timeline"
)

type requestsCommand struct {
	place
	Status []string `help:"Only requests of these statuses." placeholder:"STATUS"`
	Right  string   `help:"Only requests that exercise this right." placeholder:"RIGHT"`
	Email  string   `help:"Only requests of the person with this address (it goes through a keyed hash; it is not logged)." placeholder:"ADDRESS"`
	Due    int      `help:"Only requests that are due within so many days." placeholder:"DAYS"`
	Of     string   `help:"Only requests in the hands of somebody." placeholder:"NAME"`
	Limit  int      `help:"How many at most, the newest first." default:"50"`
	JSON   bool     `help:"Print JSON, one request a line."`
}

func (c *requestsCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	filter := journal.Filter{Statuses: c.Status, Right: c.Right, Assignee: c.Of, Limit: c.Limit}
	if c.Due > 0 {
		filter.DueBefore, filter.DueFirst = now().AddDate(0, 0, c.Due), true
	}
	if c.Email != "" {
		filter.Fingerprint = in.Vault.Fingerprint("email", c.Email)
	}
	rows, err := in.Journal.List(ctx, filter)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSONLines(os.Stdout, rows)
	}
	return printTable(os.Stdout, rows, now())
}

// requestLine is a request in `habeas requests --json`.
type requestLine struct {
	RequestID    string    `json:"request_id"`
	Status       string    `json:"status"`
	Right        string    `json:"right"`
	Jurisdiction string    `json:"jurisdiction"`
	Source       string    `json:"source"`
	ReceivedAt   time.Time `json:"received_at"`
	DueAt        time.Time `json:"due_at,omitzero"`
	UpdatedAt    time.Time `json:"updated_at"`
	Overdue      bool      `json:"overdue"`
	Waiting      []string  `json:"waiting"`
	Assignee     string    `json:"assignee,omitempty"`
}

func printJSONLines(w io.Writer, rows []journal.Row) error {
	out := json.NewEncoder(w)
	for _, r := range rows {
		if err := out.Encode(requestLine{r.RequestID, r.Status, r.Right, r.Jurisdiction, r.Source, r.ReceivedAt, r.DueAt, r.UpdatedAt, r.Overdue, append([]string{}, r.Waiting...), r.Assignee}); err != nil {
			return err
		}
	}
	return nil
}

func printTable(w io.Writer, rows []journal.Row, now time.Time) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "No requests. Submit one with: habeas submit -f FILE")
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "REQUEST\tRIGHT\tJURISDICTION\tSTATUS\tDUE\tWAITS FOR")
	for _, r := range rows {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", r.RequestID, r.Right, r.Jurisdiction, r.Status, due(r, now), strings.Join(r.Waiting, ", "))
	}
	return out.Flush()
}

func due(r journal.Row, now time.Time) string {
	switch {
	case r.DueAt.IsZero():
		return ""
	case r.Status == "completed" || r.Status == "cancelled":
		return r.DueAt.Format(time.DateOnly)
	case now.After(r.DueAt):
		return r.DueAt.Format(time.DateOnly) + " OVERDUE"
	default:
		return fmt.Sprintf("%s (%d d)", r.DueAt.Format(time.DateOnly), int(r.DueAt.Sub(now).Hours()/24))
	}
}

type traceCommand struct {
	place
	ID    string `arg:"" help:"The request's id."`
	JSON  bool   `help:"Print JSON."`
	Watch bool   `help:"Go on printing until the request ends."`
}

// watchEvery is how often a watched trace is looked at again.
const watchEvery = 300 * time.Millisecond

func (c *traceCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	id := strings.ToLower(c.ID)
	t, err := load(ctx, in, id)
	if err != nil {
		return explain(err, c.ID)
	}
	if c.Watch {
		if t, err = keepWatching(ctx, in, id, t, os.Stdout, c.JSON); err != nil || c.JSON {
			return err
		}
		fmt.Println()
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(t)
	}
	return timeline.Write(os.Stdout, t, now())
}

func load(ctx context.Context, in *installation.Installation, id string) (timeline.Trace, error) {
	facts, err := in.Facts(ctx, id)
	if err != nil {
		return timeline.Trace{}, err
	}
	return timeline.Build(facts)
}

// keepWatching prints moments as they come, until the request ends.
func keepWatching(ctx context.Context, in *installation.Installation, id string, t timeline.Trace, w io.Writer, asJSON bool) (timeline.Trace, error) {
	beat := time.NewTicker(watchEvery)
	defer beat.Stop()
	for shown := 0; ; {
		for ; shown < len(t.Moments); shown++ {
			m := t.Moments[shown]
			if asJSON {
				if err := json.NewEncoder(w).Encode(m); err != nil {
					return t, err
				}
				continue
			}
			if _, err := fmt.Fprintf(w, "%s  %-12s  %s\n", m.At.Format("15:04:05.000"), m.System, m.Text); err != nil {
				return t, err
			}
		}
		if t.Status.Ended() {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return t, nil
		case <-beat.C:
		}
		var err error
		if t, err = load(ctx, in, id); err != nil {
			return t, err
		}
	}
}
