package core_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
)

// TestLifecycleIsDrawn holds the drawing in DESIGN.md against the core: the
// transitions that are drawn are those that happen, and no others.
func TestLifecycleIsDrawn(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	drawing := regexp.MustCompile("(?s)```mermaid\nstateDiagram-v2\n(.*?)```").FindSubmatch(page)
	if drawing == nil {
		t.Fatal("DESIGN.md has no stateDiagram-v2")
	}
	drawn := edgesOf(string(drawing[1]))
	happened := explore()
	for edge := range happened {
		if !drawn[edge] {
			t.Errorf("happens, but is not drawn: %s", edge)
		}
	}
	for edge := range drawn {
		if !happened[edge] {
			t.Errorf("is drawn, but never happens: %s", edge)
		}
	}
}

// edgesOf reads a drawing. An edge from or to a state that has others inside is
// one from or to each of them.
func edgesOf(drawing string) map[string]bool {
	var edges [][2]string
	var within []string // the states around, the outermost first
	inside := map[string][]string{}
	for line := range strings.Lines(drawing) {
		line = strings.ReplaceAll(strings.TrimSpace(line), "_", "-") // mermaid's names have no hyphens
		edge, _, _ := strings.Cut(line, " : ")
		from, to, ok := strings.Cut(edge, " --> ")
		switch {
		case strings.HasPrefix(line, "state "):
			within = append(within, strings.TrimSuffix(strings.TrimPrefix(line, "state "), " {"))
		case line == "}":
			within = within[:len(within)-1]
		case ok && to != "[*]":
			edges = append(edges, [2]string{from, to})
			for _, around := range within {
				inside[around] = append(inside[around], from, to)
			}
		case line != "" && !ok && !strings.HasPrefix(line, "stateDiagram"):
			for _, around := range within {
				inside[around] = append(inside[around], line)
			}
		}
	}
	each := func(name string) []string {
		if names := inside[name]; names != nil {
			return names
		}
		return []string{name}
	}
	drawn := map[string]bool{}
	for _, e := range edges {
		for _, from := range each(e[0]) {
			for _, to := range each(e[1]) {
				drawn[from+" --> "+to] = true
			}
		}
	}
	return drawn
}

// explore returns the transitions between statuses of thousands of requests.
func explore() map[string]bool {
	edges := map[string]bool{}
	coretest.PlayAll(9000, func(s core.State, facts []core.Event, _ time.Time) {
		for _, f := range facts {
			from := s.Status
			if from == "" {
				from = "[*]"
			}
			s = core.Evolve(s, f)
			if from != s.Status {
				edges[string(from)+" --> "+string(s.Status)] = true
			}
		}
	})
	return edges
}
