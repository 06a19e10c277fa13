package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/sandbox/people"
)

// TestMatrixFits: the matrix is no wider and no higher than the terminal, in every size, and
// shows what needs a person before what has ended.
func TestMatrixFits(t *testing.T) {
	t.Parallel()
	for _, systems := range [][]string{{"account", "billing", "communications", "marketplace"}, slices.Sorted(slices.Values(people.Systems()))} {
		t.Run(fmt.Sprint(len(systems)), func(t *testing.T) {
			t.Parallel()
			matrixFits(t, systems)
		})
	}
}

func matrixFits(t *testing.T, systems []string) {
	width := len("1232d291 access, California") + len("needs-attention") + len(" answer ")
	for _, s := range systems {
		width += len(s) + 1
	}
	var traces []timeline.Trace
	var labels []string
	for i := range 40 {
		status, step := core.StatusCompleted, core.TaskIsEnded
		if i >= 37 {
			status, step = core.StatusNeedsAttention, core.TaskIsFailed
		}
		var all []timeline.System
		for _, s := range systems {
			all = append(all, timeline.System{System: s, Steps: []timeline.Step{{Action: dsar.Gather, Status: step, Outcome: dsar.Gathered}}})
		}
		traces = append(traces, timeline.Trace{RequestID: "r", Right: dsar.Access, Status: status, Systems: all})
		labels = append(labels, "1232d291 access, California")
	}
	for _, size := range [][2]int{{60, 12}, {80, 24}, {100, 60}, {200, 100}} {
		m := newMatrix(terminal.Terminal{Width: size[0], Height: size[1], Unicode: true}, systems, labels)
		lines := m.lines(traces, time.Now())
		if len(lines) >= size[1] {
			t.Errorf("%d lines in a terminal of %d", len(lines), size[1])
		}
		for _, l := range lines[:len(lines)-1] {
			if utf8.RuneCountInString(l) > size[0] {
				t.Errorf("in a terminal of %d: %s", size[0], l)
			}
		}
		text := strings.Join(lines, "\n")
		if strings.Count(text, "needs-attention") != 3 {
			t.Errorf("in a terminal of %v what needs a person isn't shown:\n%s", size, text)
		}
		if names := strings.Contains(lines[0], strings.Join(systems, " ")); names != (size[0] > width) {
			t.Errorf("in a terminal of %d the columns are headed by names: %t", size[0], names)
		}
	}
	plain := newMatrix(terminal.Terminal{Width: 80, Height: 24}, systems, labels).lines(traces, time.Now())
	if text := strings.Join(plain, "\n"); strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e }) || strings.Contains(text, "\x1b") {
		t.Errorf("more than ASCII, or colours:\n%s", text)
	}
}
