package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
)

// matrix shows requests by systems: a line for each request, and in it what each system has
// done, by a mark and its colour.
type matrix struct {
	t       terminal.Terminal
	block   *terminal.Block
	systems []string // the aggregator last, as "answer"
	labels  []string // of the requests
}

func newMatrix(t terminal.Terminal, systems, labels []string) *matrix {
	return &matrix{t: t, block: t.Block(), systems: append(slices.Clone(systems), dsar.Aggregator), labels: labels}
}

// mark is what stands in a cell: with Unicode, without, and in which colour.
type mark struct {
	sign, plain string
	colour      terminal.Colour
	means       string
}

// The marks, as the legend tells them.
var (
	markPending = mark{"·", ".", terminal.Quiet, ""}
	markMoving  = mark{"◐", "o", terminal.Moving, "asked"}
	markDone    = mark{"✓", "+", terminal.Done, "done"}
	markNothing = mark{"○", "-", terminal.Quiet, "holds nothing"}
	markParked  = mark{"◷", "p", terminal.Waits, "waits for the system"}
	markFailed  = mark{"✗", "x", terminal.Wrong, "failed"}
)

// show writes the matrix in the place of the one before.
func (m *matrix) show(traces []timeline.Trace, now time.Time) error {
	return m.block.Show(m.lines(traces, now))
}

// lines returns the matrix as it fits the terminal: names over the columns where there is
// room, numbers and a legend where there isn't; of too many requests those that move and
// those that came last.
func (m *matrix) lines(traces []timeline.Trace, now time.Time) []string {
	label := 0
	for _, l := range m.labels {
		label = max(label, utf8.RuneCountInString(l))
	}
	const status = 16 // needs-attention
	names, room := 0, m.t.Width-1-label-status
	for _, s := range m.systems {
		names += len(columnName(s)) + 1
	}
	var out []string
	heads := make([]string, len(m.systems))
	for i, s := range m.systems {
		if heads[i] = columnName(s); names > room {
			out = append(out, number(i+1)+" "+heads[i])
			heads[i] = number(i + 1)
		}
	}
	gap := " "
	if names > room {
		out = wrapped(out, m.t.Width-1)
		if 2*len(heads) > room {
			gap = ""
		}
	}
	out = append(out, m.t.Paint(terminal.Quiet, strings.Repeat(" ", label)+" "+strings.Join(heads, gap)))
	shown := m.shown(traces, max(m.t.Height-len(out)-3, 1))
	for _, i := range shown {
		out = append(out, m.line(m.labels[i], label, heads, gap, traces[i], now))
	}
	if hidden := len(traces) - len(shown); hidden > 0 {
		out = append(out, m.t.Paint(terminal.Quiet, fmt.Sprintf("and %d more", hidden)))
	}
	return append(out, m.legend())
}

// number returns a column's number in one sign: 1 to 9, and a, b, c after them.
func number(n int) string { return strconv.FormatInt(int64(n), 36) }

// columnName returns what a system is called over its column.
func columnName(system string) string {
	if system == dsar.Aggregator {
		return "answer"
	}
	return system
}

// wrapped puts words into lines of a width.
func wrapped(words []string, width int) []string {
	var out []string
	line := ""
	for _, w := range words {
		if line != "" && len(line)+2+len(w) > width {
			out, line = append(out, line), ""
		}
		if line != "" {
			line += "  "
		}
		line += w
	}
	return append(out, line)
}

// shown returns which requests fit into so many lines.
func (m *matrix) shown(traces []timeline.Trace, lines int) []int {
	all := make([]int, len(traces))
	for i := range all {
		all[i] = i
	}
	if len(all) <= lines {
		return all
	}
	slices.SortStableFunc(all, func(a, b int) int { return rank(traces[a]) - rank(traces[b]) })
	all = all[:lines]
	slices.Sort(all)
	return all
}

// rank puts first what one wants to see when not all can be: what moves, what is wrong.
func rank(t timeline.Trace) int {
	switch {
	case t.Status == core.StatusNeedsAttention:
		return 0
	case !t.Status.Ended():
		return 1
	default:
		return 2
	}
}

func (m *matrix) line(label string, width int, heads []string, gap string, t timeline.Trace, now time.Time) string {
	out := label + strings.Repeat(" ", width-utf8.RuneCountInString(label))
	for i, s := range m.systems {
		k := markOf(t, s)
		if i == 0 {
			out += " "
		} else {
			out += gap
		}
		out += m.t.Paint(k.colour, m.sign(k)) + strings.Repeat(" ", len(heads[i])-1)
	}
	out += " "
	switch {
	case t.RequestID == "":
		return out
	case t.Status == core.StatusCompleted:
		return out + m.t.Paint(terminal.Done, "in "+t.EndedAt.Sub(t.AcceptedAt).Round(time.Millisecond).String())
	case t.Status == core.StatusNeedsAttention:
		return out + m.t.Paint(terminal.Wrong, string(t.Status))
	case t.Overdue || !t.DueAt.IsZero() && now.After(t.DueAt) && !t.Status.Ended():
		return out + m.t.Paint(terminal.Wrong, "overdue")
	case t.Status == core.StatusAwaitingProof || t.Status == core.StatusAwaitingClarification:
		return out + m.t.Paint(terminal.Waits, strings.TrimPrefix(string(t.Status), "awaiting-")+" awaited")
	default:
		return out + m.t.Paint(terminal.Quiet, string(t.Status))
	}
}

func (m *matrix) sign(k mark) string {
	if m.t.Unicode {
		return k.sign
	}
	return k.plain
}

func (m *matrix) legend() string {
	var out []string
	for _, k := range []mark{markMoving, markDone, markNothing, markParked, markFailed} {
		out = append(out, m.t.Paint(k.colour, m.sign(k))+" "+m.t.Paint(terminal.Quiet, k.means))
	}
	return strings.Join(out, "  ")
}

// markOf returns where a system stands with a request.
func markOf(t timeline.Trace, system string) mark {
	i := slices.IndexFunc(t.Systems, func(s timeline.System) bool { return s.System == system })
	if i < 0 {
		return markPending
	}
	steps := t.Systems[i].Steps
	if len(steps) == 0 {
		return markPending
	}
	has := func(is func(timeline.Step) bool) bool { return slices.ContainsFunc(steps, is) }
	switch {
	case has(func(s timeline.Step) bool { return s.Status == core.TaskIsFailed }):
		return markFailed
	case has(func(s timeline.Step) bool { return s.Status == core.TaskIsParked }):
		return markParked
	case has(func(s timeline.Step) bool { return s.Status == core.TaskIsSent }):
		return markMoving
	case !answered(t, system) && !t.Status.Ended():
		return markMoving
	case !has(func(s timeline.Step) bool { return s.Outcome != dsar.NothingFound && s.Outcome != dsar.NotApplicable }):
		return markNothing
	default:
		return markDone
	}
}
