package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

type requestsCommand struct {
	installationFlags
	Status []core.Status `help:"Only requests of these statuses." placeholder:"STATUS"`
	Right  dsar.Right    `help:"Only requests that exercise this right." placeholder:"RIGHT"`
	Email  string        `help:"Only requests of the person with this address (it goes through a keyed hash; it is not logged)." placeholder:"ADDRESS"`
	Due    int           `help:"Only requests that are due within so many days." placeholder:"DAYS"`
	Of     string        `help:"Only requests in the hands of somebody." placeholder:"NAME"`
	Limit  int           `help:"How many at most, the newest first." default:"50"`
	JSON   bool          `help:"Print JSON, one request a line."`
}

// Help implements kong.HelpProvider.
func (requestsCommand) Help() string {
	return `The newest come first; with --due, those that are due first. What is open says which
systems it waits for. A person is found by address without it being in any log.

  habeas requests --status needs-attention
  habeas requests --due 7
  habeas requests --email ADDRESS --json | jq -r .request_id`
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
	if err := c.check(); err != nil {
		return err
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

func printTable(w io.Writer, rows []journal.Row, now time.Time) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "No requests; habeas submit -f FILE sends one.")
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
	case r.Overdue && !r.Status.Ended():
		return r.DueAt.Format(time.DateOnly) + " OVERDUE"
	case r.Status.Ended() || now.After(r.DueAt): // answered, or its clock stands
		return r.DueAt.Format(time.DateOnly)
	default:
		return fmt.Sprintf("%s (%d d)", r.DueAt.Format(time.DateOnly), int(r.DueAt.Sub(now).Hours()/24))
	}
}
