package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/timeline"
)

// lookEvery is how often the journal is looked at for the progress lines.
const lookEvery = 40 * time.Millisecond

// follow shows a line per system that moves as requests get on, until all have
// ended or need a person.
func follow(ctx context.Context, n *node.Node, asked []demoRequest) ([]timeline.Trace, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, demoTime, errors.New("the requests don't end; look at them with habeas trace"))
	defer cancel()
	lines := newLines(n, len(asked))
	defer lines.close()
	beat := time.NewTicker(lookEvery)
	defer beat.Stop()
	for {
		traces, err := look(ctx, n, asked)
		if err != nil {
			return nil, err
		}
		lines.show(traces)
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

func moving(t timeline.Trace) bool {
	return !t.Status.Ended() && t.Status != core.StatusNeedsAttention
}

// look reads the requests' traces; one that isn't accepted yet is empty.
func look(ctx context.Context, n *node.Node, asked []demoRequest) ([]timeline.Trace, error) {
	traces := make([]timeline.Trace, len(asked))
	for i, a := range asked {
		t, err := loadTrace(ctx, n.Installation, a.ID)
		if err != nil && !errors.Is(err, core.ErrUnknown) {
			return nil, err
		}
		traces[i] = t
	}
	return traces, nil
}

// lines are the progress lines: bars on a terminal, and plain sentences where
// the output goes elsewhere.
type lines struct {
	names []string
	bars  *mpb.Progress
	bar   map[string]*mpb.Bar
	note  map[string]*string
	told  map[string]bool // plain: what was said already
}

func newLines(n *node.Node, requests int) *lines {
	l := &lines{told: map[string]bool{}, bar: map[string]*mpb.Bar{}, note: map[string]*string{}}
	for _, m := range n.Manifests {
		l.names = append(l.names, m.System)
	}
	l.names = append(l.names, dsar.Aggregator)
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		return l
	}
	l.bars = mpb.New(mpb.WithOutput(os.Stdout), mpb.WithWidth(24), mpb.WithRefreshRate(lookEvery))
	for _, name := range l.names {
		note := new(string)
		l.note[name] = note
		l.bar[name] = l.bars.AddBar(int64(requests),
			mpb.PrependDecorators(decor.Name(name, decor.WC{W: 14, C: decor.DindentRight}), decor.CountersNoUnit("%d/%d", decor.WC{W: 5})),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return *note })))
	}
	return l
}

// show brings the lines up to date.
func (l *lines) show(traces []timeline.Trace) {
	for _, name := range l.names {
		done, latest := 0, timeline.Step{}
		for i, t := range traces {
			for _, sys := range t.Systems {
				if sys.System != name {
					continue
				}
				for _, step := range sys.Steps {
					l.tell(i, name, step)
					if step.EndedAt.After(latest.EndedAt) || latest.Action == "" {
						latest = step
					}
				}
			}
			if answered(t, name) {
				done++
			}
		}
		if bar := l.bar[name]; bar != nil {
			*l.note[name], _, _ = strings.Cut(stepWords(latest), ": ") // a line has no room for more
			bar.SetCurrent(int64(done))
		}
	}
}

// answered reports whether a system has nothing more to do for a request.
func answered(t timeline.Trace, system string) bool {
	if t.RequestID == "" {
		return false
	}
	stages := t.Right.Stages()
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

// tell says, where there is no terminal, each step's end once.
func (l *lines) tell(request int, system string, s timeline.Step) {
	key := fmt.Sprint(request, system, s.Action, s.Status)
	if l.bars != nil || s.EndedAt.IsZero() || l.told[key] {
		return
	}
	l.told[key] = true
	fmt.Printf("request %d  %-14s %s\n", request+1, system, stepWords(s))
}

func stepWords(s timeline.Step) string {
	if s.Action == "" {
		return ""
	}
	words := fmt.Sprintf("%s, %s", s.Action, s.Outcome)
	if s.Outcome == "" {
		words = fmt.Sprintf("%s …", s.Action)
	}
	if counts := timeline.CountWords(s.Counts); counts != "" {
		words += ", " + counts
	}
	return words
}

func (l *lines) close() {
	if l.bars == nil {
		return
	}
	for _, bar := range l.bar {
		bar.Abort(false)
	}
	l.bars.Wait()
}
