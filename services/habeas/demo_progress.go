package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
)

// lookEvery is how often the journal is looked at for what is shown.
const lookEvery = 80 * time.Millisecond

// follow shows how requests get on, until all have ended or need a person: as a matrix on
// a terminal, as plain sentences elsewhere.
func follow(ctx context.Context, n *node.Node, asked []demoRequest, out terminal.Terminal) ([]timeline.Trace, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, demoTime, errors.New("the requests don't end; look at them with habeas trace"))
	defer cancel()
	var systems, labels []string
	for _, m := range n.Manifests {
		systems = append(systems, m.System)
	}
	for _, a := range asked {
		labels = append(labels, a.title)
	}
	show := newMatrix(out, systems, labels).show
	if !out.Live {
		show = (&sentences{out: out, systems: append(systems, dsar.Aggregator), told: map[string]bool{}}).show
	}
	beat := time.NewTicker(lookEvery)
	defer beat.Stop()
	traces := make([]timeline.Trace, len(asked))
	for {
		if err := look(ctx, n, asked, traces); err != nil {
			return nil, err
		}
		if err := show(traces, now()); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(traces, moving) {
			return traces, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case err := <-n.Failed():
			return nil, err
		case <-beat.C:
		}
	}
}

// moving reports whether a request goes on without anybody.
func moving(t timeline.Trace) bool {
	return !t.Status.Ended() && t.Status != core.StatusNeedsAttention && t.Awaited == ""
}

// look reads the traces of those requests that move; one that isn't accepted yet is empty.
func look(ctx context.Context, n *node.Node, asked []demoRequest, traces []timeline.Trace) error {
	for i, a := range asked {
		if traces[i].RequestID != "" && !moving(traces[i]) {
			continue
		}
		t, err := loadTrace(ctx, n.Installation, a.ID)
		if err != nil && !errors.Is(err, core.ErrUnknown) {
			return err
		}
		traces[i] = t
	}
	return nil
}

// answered reports whether a system has nothing more to do for a request.
func answered(t timeline.Trace, system string) bool {
	stages := t.Right.Stages()
	if t.RequestID == "" || len(stages) < 2 {
		return false
	}
	last := stages[len(stages)-2] // the one before assemble
	if system == dsar.Aggregator {
		last = dsar.Assemble
	}
	for _, sys := range t.Systems {
		if sys.System == system {
			return slices.ContainsFunc(sys.Steps, func(s timeline.Step) bool { return s.Action == last && s.Status == core.TaskIsEnded })
		}
	}
	return false
}

// sentences tell, where nothing can be written anew, each step's end once.
type sentences struct {
	out     terminal.Terminal
	systems []string
	told    map[string]bool
}

func (l *sentences) show(traces []timeline.Trace, _ time.Time) error {
	for _, name := range l.systems {
		for i, t := range traces {
			for _, sys := range t.Systems {
				if sys.System != name {
					continue
				}
				for _, step := range sys.Steps {
					if err := l.tell(i, name, step); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func (l *sentences) tell(request int, system string, s timeline.Step) error {
	key := fmt.Sprint(request, system, s.Action, s.Status)
	if s.EndedAt.IsZero() || l.told[key] {
		return nil
	}
	l.told[key] = true
	_, err := terminal.Printf(l.out, "request %d  %-14s %s\n", request+1, system, stepWords(s))
	return err
}

func stepWords(s timeline.Step) string {
	words := fmt.Sprintf("%s, %s", s.Action, s.Outcome)
	if s.Outcome == "" {
		words = fmt.Sprintf("%s …", s.Action)
	}
	if counts := timeline.CountWords(s.Counts); counts != "" {
		words += ", " + counts
	}
	return words
}
