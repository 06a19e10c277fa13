package dsar_test

import (
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
)

// TestLifecycleIsDrawn holds the drawing in DESIGN.md against the core: the
// transitions that are drawn are those that happen, and no others.
func TestLifecycleIsDrawn(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../DESIGN.md")
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

// edgesOf reads a drawing. An edge from or to the state "working" is one from or
// to each of the states inside it.
func edgesOf(drawing string) map[string]bool {
	var edges [][2]string
	var inside []string
	within := false
	for line := range strings.Lines(drawing) {
		line = strings.ReplaceAll(strings.TrimSpace(line), "needs_attention", string(dsar.StatusNeedsAttention))
		edge, _, _ := strings.Cut(line, " : ")
		from, to, ok := strings.Cut(edge, " --> ")
		switch {
		case strings.HasPrefix(line, "state working"):
			within = true
		case line == "}":
			within = false
		case ok && to != "[*]":
			edges = append(edges, [2]string{from, to})
			if within {
				inside = append(inside, from, to)
			}
		}
	}
	each := func(name string) []string {
		if name == "working" {
			return inside
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

// explore plays every right with systems that work, fail, and lack abilities,
// and collects the transitions between statuses.
func explore() map[string]bool {
	edges := map[string]bool{}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, right := range dsar.Rights() {
		for range 400 {
			explorer{edges: edges, rng: rng}.play(right)
		}
	}
	return edges
}

type explorer struct {
	edges map[string]bool
	rng   *rand.Rand
	state dsar.State
}

func (x *explorer) do(c dsar.Command) {
	facts, err := dsar.Decide(x.state, c)
	if err != nil {
		return
	}
	for _, f := range facts {
		from := string(x.state.Status)
		if from == "" {
			from = "[*]"
		}
		x.state = dsar.Evolve(x.state, f)
		if from != string(x.state.Status) {
			x.edges[from+" --> "+string(x.state.Status)] = true
		}
	}
}

func (x explorer) play(right dsar.Right) {
	abilities := []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict}
	if x.rng.IntN(10) == 0 {
		abilities = abilities[:1]
	}
	x.do(dsar.Submit{Accepted: dsar.Accepted{RequestID: "r", Right: right, AcceptedAt: start, Digest: "d", Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "e"}},
		Systems: []dsar.System{{Name: "s", Abilities: abilities, Needs: []dsar.IdentifierType{"email"}}}}})
	for i := range 30 {
		now := start.Add(time.Duration(i) * time.Hour)
		sent := slices.Collect(func(yield func(dsar.TaskState) bool) {
			for _, t := range x.state.Tasks {
				if t.Status == dsar.TaskIsSent && !yield(t) {
					return
				}
			}
		})
		switch n := x.rng.IntN(20); {
		case n == 0:
			x.do(dsar.Cancel{By: "agent", Now: now})
		case len(sent) == 0:
			x.do(dsar.Retry{By: "agent", Now: now})
		default:
			r := dsar.Report{System: sent[0].System, Action: sent[0].Action, Attempt: sent[0].Attempt, Kind: dsar.ReportEnded, Outcome: dsar.Found}
			if n < 5 {
				r.Kind, r.Code = dsar.ReportFailed, "broken"
			}
			x.do(dsar.Heard{Report: r, Now: now})
		}
	}
}
