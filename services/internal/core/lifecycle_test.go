package core_test

import (
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
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

// explore plays every right with systems that work, fail, and lack abilities,
// and collects the transitions between statuses.
func explore() map[string]bool {
	edges := map[string]bool{}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, right := range dsar.Rights() {
		for range 1500 {
			(&explorer{edges: edges, rng: rng}).play(right)
		}
	}
	return edges
}

type explorer struct {
	edges map[string]bool
	rng   *rand.Rand
	state core.State
}

func (x *explorer) do(c core.Command) {
	facts, err := core.Decide(x.state, c)
	if err != nil {
		return
	}
	for _, f := range facts {
		from := string(x.state.Status)
		if from == "" {
			from = "[*]"
		}
		x.state = core.Evolve(x.state, f)
		if from != string(x.state.Status) {
			x.edges[from+" --> "+string(x.state.Status)] = true
		}
	}
}

func (x *explorer) play(right dsar.Right) {
	abilities := []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict}
	if x.rng.IntN(10) == 0 {
		abilities = abilities[:1]
	}
	terms := core.Terms{Refusals: []string{"excessive"}}
	if x.rng.IntN(4) == 0 {
		terms.Checks, terms.Instead = []dsar.Check{dsar.CheckIdentity}, []dsar.Right{"", dsar.KnowCategories}[x.rng.IntN(2)]
	}
	x.do(core.Submit{Accepted: core.Accepted{RequestID: "r", Right: right, AcceptedAt: start, Digest: "d", Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "e", Assurance: dsar.AssuranceVerified}}, Terms: terms,
		Systems: []dsar.System{{Name: "s", Abilities: abilities, Needs: []dsar.IdentifierType{"email"}}}}})
	for i := range 30 {
		now := start.Add(time.Duration(i) * time.Hour)
		sent := slices.Collect(func(yield func(core.TaskState) bool) {
			for _, t := range x.state.Tasks {
				if t.Status == core.TaskIsSent && !yield(t) {
					return
				}
			}
		})
		if x.state.Awaited != "" {
			sent = nil
		}
		switch n := x.rng.IntN(20); {
		case n == 0:
			x.interrupt(now)
		case len(sent) == 0 && x.state.Awaited == core.RemindProof:
			x.do(core.JudgeProof{By: "agent", Accepted: x.rng.IntN(2) == 0, Now: now})
		case len(sent) == 0 && x.state.Awaited == core.RemindClarification:
			x.do(core.Clarify{By: "agent", Now: now})
		case len(sent) == 0 && x.state.Status == core.StatusCompleted:
			x.do(core.Tick{Now: now.AddDate(1, 0, 0)})
		case len(sent) == 0 && n < 10:
			x.attest(now)
		case len(sent) == 0:
			x.do(core.Retry{By: "agent", Now: now})
		default:
			r := dsar.Report{System: sent[0].System, Action: sent[0].Action, Attempt: sent[0].Attempt, Kind: dsar.ReportEnded, Outcome: dsar.Found}
			switch {
			case n < 5:
				r.Kind, r.Code = dsar.ReportFailed, "broken"
			case r.Action == dsar.Prove && n < 10:
				r.Outcome, r.Counts = dsar.Proven, []dsar.Counts{{Dataset: "d", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax", Until: start.AddDate(0, 6, 0)}}}}
			}
			x.do(core.TakeReport{Report: r, Now: now})
		}
	}
}

// interrupt has a person do what can be done at any time.
func (x *explorer) interrupt(now time.Time) {
	switch x.rng.IntN(6) {
	case 0:
		x.do(core.Cancel{By: "agent", Now: now})
	case 1:
		x.do(core.Refuse{By: "agent", Ground: "excessive", Now: now})
	case 2:
		x.do(core.Merge{By: "agent", Into: "another", Now: now})
	case 3:
		x.do(core.AskClarification{By: "agent", Now: now})
	default:
		x.do(core.AskProof{By: "agent", Now: now})
	}
}

// attest has a person do what no machine could.
func (x *explorer) attest(now time.Time) {
	for _, t := range x.state.Tasks {
		outcome := map[dsar.Action]dsar.Outcome{dsar.Gather: dsar.NothingFound, dsar.Count: dsar.Found, dsar.Erase: dsar.Erased, dsar.Prove: dsar.Proven, dsar.Rectify: dsar.Rectified, dsar.Restrict: dsar.Restricted}[t.Action]
		if t.Status == core.TaskIsFailed {
			x.do(core.Attest{By: "agent", Reason: "by hand", System: t.System, Action: t.Action, Outcome: outcome, Now: now})
		}
	}
}
