package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"time"

	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/remarks"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
)

type traceCommand struct {
	requestFlags
	JSON  bool `help:"Print JSON."`
	Watch bool `help:"Go on printing until the request ends."`
}

// watchEvery is how often a watched trace is looked at again.
const watchEvery = 300 * time.Millisecond

// Help implements kong.HelpProvider.
func (traceCommand) Help() string {
	return `What was asked of each system, what came of it, and when; what a person did, and
why; whether the chain of facts is whole; and what may be done now. A part of the id is enough:

  habeas trace 3cf5cf5f
  habeas trace 3cf5cf5f --watch
  habeas trace 3cf5cf5f --json | jq '.systems, .may'`
}

func (c *traceCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	t, err := loadTrace(ctx, in, id)
	if err != nil {
		return about(id, err)
	}
	if c.Watch {
		if t, err = keepWatching(ctx, in, id, t, os.Stdout, c.JSON); err != nil || c.JSON {
			return err
		}
		terminal.Printf(os.Stdout, "\n")
	}
	may, err := allowed(ctx, in, id)
	if err != nil {
		return about(id, err)
	}
	if c.JSON {
		t.Allow(may)
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(t)
	}
	if err := timeline.Write(os.Stdout, t, now()); err != nil {
		return err
	}
	if text := mayBeDone(may); text != "" {
		_, err = terminal.Printf(os.Stdout, "\n%s.\n", strings.ToUpper(text[:1])+text[1:])
	}
	return err
}

func loadTrace(ctx context.Context, in *installation.Installation, id string) (timeline.Trace, error) {
	facts, err := in.Facts(ctx, id)
	if err != nil {
		return timeline.Trace{}, err
	}
	book, err := in.Laws()
	if err != nil {
		return timeline.Trace{}, err
	}
	if in.Vault == nil {
		return timeline.Build(facts, book.Local)
	}
	events, err := journal.Events(facts, remarks.Remarks{Vault: in.Vault}.Opens(ctx, id))
	if err != nil {
		return timeline.Trace{}, err
	}
	return timeline.BuildOpened(facts, events, timeline.English, timeline.ByName, book.Local), nil
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
			if _, err := terminal.Printf(w, "%s  %-14s  %s\n", m.At.Format("15:04:05.000"), m.System, m.Text); err != nil {
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
		if t, err = loadTrace(ctx, in, id); err != nil {
			return t, err
		}
	}
}
