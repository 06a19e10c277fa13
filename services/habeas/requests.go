package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/terminal"
)

type requestsCommand struct {
	installationFlags
	Status []core.Status `help:"Only requests of these statuses." placeholder:"STATUS"`
	Right  dsar.Right    `help:"Only requests that exercise this right." placeholder:"RIGHT"`
	Email  string        `help:"Only requests of the person with this address (- reads it from standard input; it goes through a keyed hash, and that you searched is written down: habeas searches)." placeholder:"ADDRESS"`
	Due    int           `help:"Only requests that are due within so many days." placeholder:"DAYS"`
	Of     string        `help:"Only requests in the hands of somebody." placeholder:"NAME"`
	Limit  int           `help:"How many at most." default:"50"`
	Output string        `help:"How: table; json, one request a line; csv." default:"table" enum:"table,json,csv" placeholder:"FORM"`
	JSON   bool          `help:"The same as --output json."`
}

// Help implements kong.HelpProvider.
func (requestsCommand) Help() string {
	return `What needs a person comes first, then what is open, each by its due date, then what
has ended, the newest first. What is open says which systems it waits for. The beginning of an id
is enough for every other command. A person is found by address without it being in any log.

  habeas requests --status needs-attention
  habeas requests --due 7
  habeas requests --output csv > requests.csv
  habeas requests --email - --output json | jq -r .request_id`
}

func (c *requestsCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	filter := journal.Filter{Right: c.Right, Assignee: c.Of}
	if c.Due > 0 {
		filter.DueBefore = now().AddDate(0, 0, c.Due)
	}
	if err := c.check(); err != nil {
		return err
	}
	list := func(of journal.Filter) ([]journal.Row, error) {
		filter.Fingerprint = of.Fingerprint
		return c.urgentFirst(ctx, in.Journal, filter)
	}
	var rows []journal.Row
	if c.Email == "" {
		rows, err = list(filter)
	} else {
		rows, err = searchFor(ctx, in, c.Email, list)
	}
	if err != nil {
		return err
	}
	book, err := in.Laws()
	if err != nil {
		return err
	}
	for i, r := range rows {
		if !r.DueAt.IsZero() {
			rows[i].DueAt = book.Local(r.Jurisdiction, r.DueAt)
		}
	}
	switch {
	case c.JSON || c.Output == "json":
		return printJSONLines(os.Stdout, rows)
	case c.Output == "csv":
		return printCSV(os.Stdout, rows)
	default:
		return printTable(terminal.Of(os.Stdout, os.Getenv), rows, now())
	}
}

// urgentFirst lists what needs a person, then what is open, both by what is due first, and
// then what has ended.
func (c *requestsCommand) urgentFirst(ctx context.Context, j journal.Lister, filter journal.Filter) ([]journal.Row, error) {
	var open, ended []core.Status
	for _, s := range core.Statuses() {
		switch wanted := len(c.Status) == 0 || slices.Contains(c.Status, s); {
		case wanted && s.Ended():
			ended = append(ended, s)
		case wanted:
			open = append(open, s)
		}
	}
	needing := filter
	needing.Needing, needing.DueFirst, needing.Statuses = true, true, slices.Concat(open, ended)
	moving := filter
	moving.DueFirst, moving.Statuses = true, open
	over := filter
	over.Statuses = ended
	var out []journal.Row
	seen := map[string]bool{}
	for _, f := range []journal.Filter{needing, moving, over} {
		if len(f.Statuses) == 0 || len(out) >= c.Limit {
			continue
		}
		f.Limit = c.Limit
		rows, err := j.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if !seen[r.RequestID] && len(out) < c.Limit {
				out, seen[r.RequestID] = append(out, r), true
			}
		}
	}
	return out, nil
}

// Validate refuses a call that asks for nothing, before anything is opened.
func (c *requestsCommand) Validate() error {
	if c.Limit < 1 {
		return errors.New("--limit is at least 1")
	}
	return nil
}

// check refuses words that no request can have.
func (c *requestsCommand) check() error {
	for _, s := range c.Status {
		if !slices.Contains(core.Statuses(), s) {
			return fmt.Errorf("no status %q; there are %s", s, listed(core.Statuses()))
		}
	}
	if c.Right == "" {
		return nil
	}
	book, err := c.laws()
	if err != nil {
		return err
	}
	if rights := book.Rights(); !slices.Contains(rights, c.Right) {
		return fmt.Errorf("no right %q; there are %s", c.Right, listed(rights))
	}
	return nil
}

// listed returns words with commas between.
func listed[T ~string](all []T) string {
	var out []string
	for _, one := range all {
		out = append(out, string(one))
	}
	return strings.Join(out, ", ")
}

// requestLine is a request in `habeas requests --json`.
type requestLine struct {
	RequestID    string      `json:"request_id"`
	Status       core.Status `json:"status"`
	Right        dsar.Right  `json:"right"`
	Jurisdiction string      `json:"jurisdiction"`
	Source       string      `json:"source"`
	ReceivedAt   time.Time   `json:"received_at"`
	DueAt        time.Time   `json:"due_at,omitzero"`
	UpdatedAt    time.Time   `json:"updated_at"`
	Overdue      bool        `json:"overdue"`
	Waiting      []string    `json:"waiting"`
	Assignee     string      `json:"assignee,omitempty"`
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

// printCSV writes what the console's table has.
func printCSV(w io.Writer, rows []journal.Row) error {
	out := journal.NewTable(w)
	for _, r := range rows {
		out.Add(r, r.Needs)
	}
	return out.Close()
}

func printTable(t terminal.Terminal, rows []journal.Row, now time.Time) error {
	if len(rows) == 0 {
		_, err := terminal.Printf(t, "No requests; habeas submit -f FILE sends one.\n")
		return err
	}
	table := [][]terminal.Cell{{{Text: "REQUEST"}, {Text: "RIGHT"}, {Text: "LAW"}, {Text: "STATUS"}, {Text: "DUE"}, {Text: "WAITS FOR"}}}
	short := shortIDs(rows)
	for i, r := range rows {
		status, when := colourOf(r), terminal.Colour("")
		if r.Overdue && !r.Status.Ended() {
			when = terminal.Wrong
		}
		table = append(table, []terminal.Cell{{Text: short[i]}, {Text: string(r.Right)}, {Text: r.Jurisdiction}, {Text: string(r.Status), Colour: status}, {Text: due(r, now), Colour: when}, {Text: strings.Join(r.Waiting, ", ")}})
	}
	_, err := terminal.Printf(t, "%s\n", terminal.Written(strings.Join(t.Table(table), "\n")))
	return err
}

// shortIDs returns the beginnings of ids that tell the rows apart.
func shortIDs(rows []journal.Row) []string {
	length := shortID
	for seen := map[string]bool{}; ; length += 4 {
		clear(seen)
		out := make([]string, len(rows))
		for i, r := range rows {
			out[i] = r.RequestID[:min(length, len(r.RequestID))]
			seen[out[i]] = true
		}
		if len(seen) == len(rows) || length > 40 {
			return out
		}
	}
}

// colourOf returns the colour of a request's status.
func colourOf(r journal.Row) terminal.Colour {
	switch {
	case r.Status == core.StatusNeedsAttention || len(r.Needs) > 0:
		return terminal.Wrong
	case r.Status == core.StatusCompleted:
		return terminal.Done
	case r.Status.Ended():
		return terminal.Quiet
	case r.Status == core.StatusAwaitingProof || r.Status == core.StatusAwaitingClarification:
		return terminal.Waits
	default:
		return terminal.Moving
	}
}

// dueBy returns the day on which an answer is due, by the days of its law.
func dueBy(book *policy.Book, s core.State) string {
	return book.Local(s.Accepted.Jurisdiction, s.DueAt).Format(time.DateOnly)
}

func due(r journal.Row, now time.Time) string {
	switch {
	case r.DueAt.IsZero():
		return ""
	case r.Overdue && !r.Status.Ended():
		return r.DueAt.Format(time.DateOnly) + " OVERDUE"
	case r.Status.Ended() || now.After(r.DueAt): // answered, or its clock stands
		return r.DueAt.Format(time.DateOnly)
	default:
		return fmt.Sprintf("%s (%d d)", r.DueAt.Format(time.DateOnly), int(r.DueAt.Sub(now).Hours()/24))
	}
}
