package main

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"text/tabwriter"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
)

type sizeCommand struct {
	installationFlags
	Largest int    `help:"How many of the largest requests are named." default:"5" placeholder:"N"`
	Output  string `help:"table or json." enum:"table,json" default:"table"`
}

// Help implements kong.HelpProvider.
func (sizeCommand) Help() string {
	return `Says what lies where: the journal's tables with their rows and indexes, the vault's objects and keys,
answers and letters in the outbox, the mirror, the embedded broker; how much of it is of one request on
average; and which requests have most facts. It reads all facts and lists every folder and bucket, so
that it takes a while where there is much. It prints ids, numbers and names of tables, and no personal data.

  habeas size --config habeas.yaml
  habeas size --config habeas.yaml --output json`
}

// sizes is what lies where.
type sizes struct {
	Requests int64               `json:"requests"`
	Tables   []tableSize         `json:"tables"`
	Rooms    []installation.Room `json:"rooms"`
	Largest  []requestSize       `json:"largest"`
}

type tableSize struct {
	Table   string `json:"table"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	Indexes int64  `json:"index_bytes"`
}

type requestSize struct {
	RequestID string      `json:"request_id"`
	Facts     int64       `json:"facts"`
	Bytes     int64       `json:"bytes"`
	Status    core.Status `json:"status"`
}

// what says what a table holds.
var what = map[string]string{
	"fact": "facts", "request": "lists (projection)", "timer": "timers (projection)", "fingerprint": "found by address", "queue": "messages for Kafka", "leaf": "log of receipts",
	"tree": "log of receipts", "note": "notes of services", "search": "searches", "proof": "proofs of mailboxes",
}

// Run measures.
func (c *sizeCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	all, err := measure(ctx, in, c.Largest)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return json.NewEncoder(os.Stdout).Encode(all)
	}
	return all.write(os.Stdout)
}

func measure(ctx context.Context, in *installation.Installation, largest int) (all sizes, err error) {
	all.Largest = []requestSize{} // of JSON: a list where there is none
	tables, err := in.Journal.Sizes(ctx)
	if err != nil {
		return all, err
	}
	for _, t := range tables {
		all.Tables = append(all.Tables, tableSize(t))
		if t.Table == "request" {
			all.Requests = t.Rows
		}
	}
	if all.Rooms, err = installation.Rooms(ctx, in.Config); err != nil {
		return all, err
	}
	var top []journal.RequestSize
	if largest > 0 {
		if top, err = in.Journal.Largest(ctx, largest); err != nil {
			return all, err
		}
	}
	for _, r := range top {
		row, err := in.Journal.Row(ctx, r.RequestID)
		if err != nil {
			return all, err
		}
		all.Largest = append(all.Largest, requestSize{r.RequestID, r.Facts, r.Bytes, row.Status})
	}
	return all, nil
}

// write prints the sizes as a table.
func (s sizes) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	each := func(bytes int64) string { return timeline.ByteCount(bytes / max(1, s.Requests)) }
	var total int64
	line := func(place, part string, n, bytes int64) {
		total += bytes
		terminal.Printf(t, "%s\t%s\t%d\t%s\t%s\t\n", place, part, n, timeline.ByteCount(bytes), each(bytes))
	}
	terminal.Printf(t, "WHERE\tWHAT\tROWS, FILES\tBYTES\tA REQUEST\t\n")
	for _, one := range s.Tables {
		line("journal", cmp.Or(what[one.Table], one.Table), one.Rows, one.Bytes+one.Indexes)
	}
	for _, r := range s.Rooms {
		for _, p := range r.Parts {
			if r.Name != "journal files" { // which hold the tables
				line(r.Name, p.Name, p.Files, p.Bytes)
			}
		}
	}
	terminal.Printf(t, "all\t\t\t%s\t%s\t\n", timeline.ByteCount(total), each(total))
	if err := t.Flush(); err != nil {
		return err
	}
	if len(s.Largest) == 0 {
		return nil
	}
	terminal.Printf(w, "\nMost facts:\n")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range s.Largest {
		terminal.Printf(t, "  %s\t%s\t%d facts\t%s\n", r.RequestID, r.Status, r.Facts, timeline.ByteCount(r.Bytes))
	}
	return t.Flush()
}
