package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/sandbox/people"
)

// The second act: a day at the desk. A table of the marketplace has lost a column, so that
// requests stand still; some are late, some lack a proof, and somebody has begun to act.

// webForm is an upstream system whose word isn't believed: who asks through it must prove
// who they are.
const webForm = "web-form"

// lateDays is how long ago the late ones were received.
const lateDays = 45

// deskKind is what the second act asks for, n times.
type deskKind struct {
	n            int
	right        dsar.Right
	jurisdiction string
	source       string
	days         int // how long ago it was received
}

// deskKinds returns what the second act asks for.
func deskKinds() []deskKind {
	return []deskKind{
		{8, dsar.Access, "EEA", "signup-page", 0},
		{4, dsar.Access, "California", "signup-page", 2},
		{2, dsar.Access, "Japan", "support-desk", 6},
		{3, dsar.Access, "EEA", "support-desk", lateDays},
		{6, dsar.Erasure, "EEA", "signup-page", 1},
		{2, dsar.Erasure, "California", "support-desk", 3},
		{4, dsar.Objection, "UK", "signup-page", 0},
		{3, dsar.OptOut, "California", "signup-page", 0},
		{3, dsar.Access, "Switzerland", webForm, 0},
	}
}

// deskRequests returns the second act's requests.
func deskRequests(p *people.Population, at time.Time) []demoRequest {
	var all []demoRequest
	for _, k := range deskKinds() {
		for range k.n {
			person := p.People[people.NonLatin+3*len(all)]
			r := upstream.Request{ID: upstream.NewID(), Right: k.right, Jurisdiction: k.jurisdiction, Locale: "en", Source: k.source, Email: person.Email, ReceivedAt: at.AddDate(0, 0, -k.days)}
			all = append(all, demoRequest{r, fmt.Sprintf("%s %s, %s", r.ID[:shortID], r.Right, r.Jurisdiction), false})
		}
	}
	return all
}

// desk plays the second act, and says what to try.
func (c *demoCommand) desk(ctx context.Context, n *node.Node, tokens map[string]string, p *people.Population, dir string, out terminal.Terminal) error {
	table := marketplaceTable(n.Config)
	if err := table.lose(ctx); err != nil {
		return err
	}
	asked := deskRequests(p, now())
	terminal.Printf(out, "\n%s\n%s\n\n", terminal.Written(out.Paint(terminal.Strong, "Second act: a day at the desk")),
		fmt.Sprintf("A column of the marketplace's table %s is gone, and %d more requests come in.", table.name, len(asked)))
	if err := c.submitAll(ctx, n, tokens, asked); err != nil {
		return err
	}
	if !out.Live { // each step of so many requests is no reading
		out.Writer = io.Discard
	}
	traces, err := follow(ctx, n, asked, out)
	if err != nil {
		return err
	}
	out.Writer = os.Stdout
	stuck := slices.DeleteFunc(slices.Clone(traces), func(t timeline.Trace) bool { return markOf(t, people.Marketplace) != markFailed })
	if err := deskActs(ctx, n, stuck); err != nil {
		return err
	}
	return c.deskTells(ctx, n, asked, dir, out)
}

// deskActs does what somebody at the desk has begun with.
func deskActs(ctx context.Context, n *node.Node, stuck []timeline.Trace) error {
	book, err := n.Installation.Laws()
	if err != nil {
		return err
	}
	by := core.Actor("Ada at the desk", core.LocalUser(""))
	acts := []core.Command{
		core.Cancel{By: by, Reason: "taken back by telephone", Now: now()},
		core.Refuse{By: by, Ground: "excessive", Reason: "the same answer was given twice this month", Now: now()},
		core.Extend{By: by, Reason: "the marketplace's table is being repaired", Calendar: book, Now: now()},
		core.Assign{By: by, To: "Ada at the desk", Reason: "I know the marketplace", Now: now()},
		core.AskClarification{By: by, Reason: "which of two accounts is meant", Now: now()},
	}
	for _, act := range acts {
		for i, t := range stuck {
			_, err := n.Installation.Requests.Do(ctx, t.RequestID, act)
			if _, refused := words.English().Refusal(err); err != nil && refused {
				continue // the law or its state doesn't allow it here
			}
			if err != nil {
				return err
			}
			stuck = slices.Delete(slices.Clone(stuck), i, i+1)
			break
		}
	}
	return nil
}

// deskTells prints how the requests stand, and what to try.
func (c *demoCommand) deskTells(ctx context.Context, n *node.Node, asked []demoRequest, dir string, out terminal.Terminal) error {
	traces := make([]timeline.Trace, len(asked))
	if err := look(ctx, n, asked, traces); err != nil {
		return err
	}
	counts, overdue := map[core.Status]int{}, 0
	var stuck, proof timeline.Trace
	for _, t := range traces {
		counts[t.Status]++
		if t.Overdue || !t.Status.Ended() && !t.DueAt.IsZero() && now().After(t.DueAt) {
			overdue++
		}
		switch t.Status {
		case core.StatusNeedsAttention:
			if markOf(t, people.Marketplace) == markFailed {
				stuck = t
			}
		case core.StatusAwaitingProof:
			proof = t
		default:
		}
	}
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	terminal.Printf(out, "\nOf these %d requests: %s; %d overdue.\n\n%s\n", len(asked), strings.Join(parts, ", "), overdue, terminal.Written(out.Paint(terminal.Strong, "Try:")))
	at := " --data " + quoted(dir)
	short := func(t timeline.Trace) string { return t.RequestID[:min(shortID, len(t.RequestID))] }
	tries := [][2]string{
		{"see what needs a person, by cause", n.ConsoleURL()},
		{"the same in the terminal", program() + " requests --status needs-attention" + at},
		{"why one stands still", program() + " trace " + short(stuck) + at},
		{"repair the table: type mend and Enter here;", "then press Retry all in the console, or: " + program() + " retry " + short(stuck) + at},
		{"believe who asked by the web form", program() + " identity " + short(proof) + " --accept --reason seen" + at},
		{"ask as a person", n.PortalURL() + " as camille.o'brien@example.com; the code comes as a file into " + filepath.Join(dir, config.RoomMail)},
	}
	if letter := newestLetter(filepath.Join(dir, config.RoomOutbox)); letter != "" {
		tries = append(tries, [2]string{"read a letter to a person", letter})
	}
	for _, t := range tries {
		terminal.Printf(out, "  %s\n    %s\n", t[0], t[1])
	}
	return nil
}

// newestLetter returns the letter that was left last in an outbox folder; empty: none.
func newestLetter(outbox string) string {
	found, _ := filepath.Glob(filepath.Join(outbox, "*", "*.txt"))
	slices.SortFunc(found, func(a, b string) int { return modified(a).Compare(modified(b)) })
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

func modified(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// hear does what is typed: mend repairs the table. It ends with the input.
func (c *demoCommand) hear(ctx context.Context, n *node.Node, in io.Reader, out io.Writer) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) != "mend" {
			continue
		}
		text := "The table is whole again: retry what stands still."
		if err := marketplaceTable(n.Config).mend(ctx); err != nil {
			text = "It can't be repaired: " + err.Error()
		}
		terminal.Printf(out, "%s\n", text)
	}
}

// losable is a column of a table of the demo that can go and come again.
type losable struct{ file, name, column string }

// aside is what the column is called while it is gone.
const aside = "renamed_by_the_demo"

// marketplaceTable returns the one of the marketplace's purchases.
func marketplaceTable(cfg config.Config) losable {
	return losable{filepath.Join(cfg.Room(config.RoomSandbox), people.Marketplace+".db"), "purchases", "product"}
}

func (l losable) lose(ctx context.Context) error { return l.rename(ctx, l.column, aside) }

func (l losable) mend(ctx context.Context) error { return l.rename(ctx, aside, l.column) }

// rename renames the column, where it is called so.
func (l losable) rename(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(l.file); errors.Is(err, os.ErrNotExist) {
		return nil // nothing is seeded yet
	}
	db, err := sql.Open("sqlite", l.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var there int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info(?) WHERE name = ?", l.name, from).Scan(&there); err != nil || there == 0 {
		return err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s", l.name, from, to))
	return err
}
