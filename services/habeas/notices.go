package main

import (
	"context"
	"errors"
	"os"
	"text/tabwriter"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/terminal"
)

type noticesCommand struct {
	installationFlags
	ID         string `arg:"" optional:"" help:"The request: its id, or enough of its first letters to tell it from others."`
	Recipient  string `arg:"" optional:"" help:"The recipient of data, as the catalogue of recipients calls it."`
	Told       bool   `help:"I have told it."`
	Answered   bool   `help:"It has confirmed that it has the notice."`
	Impossible bool   `help:"It can't be told, or that is out of proportion."`
	Reason     string `help:"How, or why, for the trace: no personal data in it." placeholder:"TEXT"`
	Limit      int    `help:"Without a request: how many of the newest answered ones are looked at." default:"1000"`
}

// Help implements kong.HelpProvider.
func (noticesCommand) Help() string {
	return `Who received data that a request has erased, corrected or restricted is told of it, where the law says
so, and reminded until it answers. This lists who was told and who hasn't answered: of one request, or of
all that were answered. Who is told by hand, or can't be reached, waits for a person.

  habeas notices
  habeas notices 3cf5cf5f
  habeas notices 3cf5cf5f auditors --told --reason "by telephone, file 2026-17"`
}

// Run lists notices, or says what was done about one.
func (c *noticesCommand) Run(ctx context.Context) error {
	open := c.open
	if c.Recipient != "" {
		open = c.openToAct
	}
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	if c.ID == "" {
		return c.all(ctx, in)
	}
	id, err := findRequest(ctx, in.Journal, c.ID)
	if err != nil {
		return err
	}
	if c.Recipient != "" {
		return c.settle(ctx, in, id)
	}
	s, err := in.Requests.State(ctx, id)
	if err != nil {
		return err
	}
	if len(s.Notices) == 0 {
		_, err = terminal.Printf(os.Stdout, "Nobody is to be told of what the request changed.\n")
		return err
	}
	return printNotices([]core.State{s}, false)
}

// settle says what was done about a notice.
func (c *noticesCommand) settle(ctx context.Context, in *installation.Installation, id string) error {
	said := map[core.NoticeStatus]bool{core.NoticeIsSent: c.Told, core.NoticeIsAnswered: c.Answered, core.NoticeIsExcused: c.Impossible}
	var status core.NoticeStatus
	for s, is := range said {
		if is && status != "" {
			status = ""
			break
		}
		if is {
			status = s
		}
	}
	if status == "" || c.Reason == "" {
		return errors.New("say what was done, by one of --told, --answered and --impossible, and how or why, by --reason")
	}
	_, err := do(ctx, in, id, core.SettleNotice{By: who(ctx), Reason: c.Reason, Recipient: c.Recipient, Status: status, Now: now()})
	if err == nil {
		_, err = terminal.Printf(os.Stdout, "Noted.\n")
	}
	return err
}

// all lists who hasn't answered, of the newest answered requests that change something.
func (c *noticesCommand) all(ctx context.Context, in *installation.Installation) error {
	var open []core.State
	filter := journal.Filter{Statuses: []core.Status{core.StatusCompleted}, Limit: min(c.Limit, journal.MaxList)}
	for looked := 0; looked < c.Limit; {
		rows, err := in.Journal.List(ctx, filter)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if looked++; r.Right == dsar.Access || r.Right == dsar.Portability || r.Right == dsar.KnowCategories {
				continue
			}
			s, err := in.Requests.State(ctx, r.RequestID)
			if err != nil {
				return err
			}
			if len(s.Notices) > 0 {
				open = append(open, s)
			}
		}
		if len(rows) < filter.Limit {
			break
		}
		last := rows[len(rows)-1]
		filter.After = journal.Cursor{ReceivedAt: last.ReceivedAt, DueAt: last.DueAt, RequestID: last.RequestID}
	}
	return printNotices(open, true)
}

// printNotices prints notices as a table; with unanswered, only those that nobody has
// answered.
func printNotices(all []core.State, unanswered bool) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	n := 0
	for _, s := range all {
		for _, one := range s.Notices {
			settled := one.Status == core.NoticeIsAnswered || one.Status == core.NoticeIsExcused
			if unanswered && settled {
				continue
			}
			if n++; n == 1 {
				terminal.Printf(w, "REQUEST\tRECIPIENT\tBY\tSTATUS\tTOLD\t\n")
			}
			told, waits := "", ""
			if !one.Sent.IsZero() {
				told = one.Sent.Format("2006-01-02")
			}
			if one.Waits() {
				waits = "waits for a person"
			}
			terminal.Printf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Accepted.RequestID[:min(shortID, len(s.Accepted.RequestID))], one.Recipient, one.By, one.Status, told, waits)
		}
	}
	if n == 0 {
		_, err := terminal.Printf(os.Stdout, "No recipient of these requests has still to answer.\n")
		return err
	}
	return w.Flush()
}
