package truth

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
)

var (
	runs = flag.Int("runs", defaultRuns, "how many runs")
	from = flag.Uint64("from", 1, "the first seed to play")
	seed = flag.Uint64("seed", 0, "play this one seed only")
	on   = flag.String("on", string(sqLite), "the databases: SQLite or PostgreSQL")
)

func newKit(t testing.TB) kit {
	t.Helper()
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	validator, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	return kit{book, validator}
}

// TestTruth plays seeds until one makes Habeas say something false.
func TestTruth(t *testing.T) {
	t.Parallel()
	plays(t, kind(*on), *runs, play)
}

// TestTruthOnPostgreSQL plays a few of them on PostgreSQL: -on PostgreSQL has TestTruth
// play all there.
func TestTruthOnPostgreSQL(t *testing.T) {
	t.Parallel()
	if *seed == 0 && kind(*on) != postgreSQL {
		plays(t, postgreSQL, postgresRuns, play)
	}
}

// player plays one seed.
type player func(t testing.TB, k kit, on kind, seed uint64, m mutant) outcome

func plays(t *testing.T, on kind, runs int, play player) {
	k := newKit(t)
	if *seed > 0 {
		report(t, *seed, play(t, k, on, *seed, mutant{}))
		return
	}
	var next, completed, refused atomic.Uint64
	next.Store(*from - 1)
	last := *from - 1 + uint64(runs)
	var failed atomic.Bool
	t.Run("players", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("player", func(t *testing.T) {
				t.Parallel()
				for s := next.Add(1); s <= last && !failed.Load(); s = next.Add(1) {
					t.Run("run", func(t *testing.T) {
						o := play(t, k, on, s, mutant{})
						completed.Add(o.completed)
						refused.Add(o.refused)
						report(t, s, o)
						failed.CompareAndSwap(false, t.Failed())
					})
				}
			})
		}
	})
	// A run has three requests. Some wait for a person, as they should.
	if answered, played := completed.Load(), uint64(runs)-refused.Load(); !t.Failed() && (answered < 2*played || 2*played < uint64(runs)) {
		t.Errorf("only %d requests of %d runs were answered, and %d never began: too few statements were held against anything", answered, runs, refused.Load())
	}
}

func report(t *testing.T, seed uint64, o outcome) {
	t.Helper()
	if len(o.lies) > 0 {
		test, _, _ := strings.Cut(t.Name(), "/")
		t.Errorf("seed %d: Habeas says what isn't so:\n  %s\nrepeat it with: go test ./services/internal/truth -run '%s$' -seed=%d -on %s\nthe systems:\n%s",
			seed, strings.Join(o.lies, "\n  "), test, seed, o.on, o.told)
	}
}

// outcome is what came of one run.
type outcome struct {
	lies      []string
	on        kind
	completed uint64
	refused   uint64 // a worker didn't start, for what it found in its database
	told      string // the systems' manifests and tables, for whoever looks into a failure
}

// play is one run: two people ask, one after the other, and the first once more.
func play(t testing.TB, k kit, on kind, seed uint64, m mutant) outcome {
	w := newFixture(t, on, seed)
	p := newPipeline(k, t, seed)
	p.sites, p.deadly = w.sites, true
	if again := rand.New(rand.NewPCG(seed, 3)); again.IntN(2) == 0 {
		p.proveAgain, p.eraseAgain = proveAgain, again.IntN(2) == 0
	}
	if p.start(m); p.refused != nil {
		t.Log(p.refused)
		return outcome{refused: 1}
	}
	out := outcome{on: on}
	rights := []dsar.Right{dsar.Access, dsar.Portability, dsar.KnowCategories, dsar.Erasure, dsar.Erasure, dsar.Erasure}
	if w.has.flags {
		rights = append(rights, dsar.Restriction)
	}
	if w.has.corrects {
		rights = append(rights, dsar.Rectification)
	}
	first, second := w.rng.IntN(persons), w.rng.IntN(persons)
	for _, ask := range []struct {
		right  dsar.Right
		person int
	}{{rights[w.rng.IntN(len(rights))], first}, {rights[w.rng.IntN(len(rights))], second}, {dsar.Access, first}} {
		a := w.ask(p, ask.right, ask.person)
		if out.lies = append(out.lies, a.lies...); len(out.lies) > 0 {
			out.lies = append(out.lies, "the request is "+string(a.state.Status)+ends(a.state))
			break
		}
		if a.state.Status == core.StatusCompleted {
			out.completed++
		}
	}
	if len(out.lies) > 0 {
		out.told = w.described()
	}
	return out
}

// described returns the systems' tables and manifests.
func (w *fixture) described() string {
	var b strings.Builder
	for _, s := range w.systems {
		b.WriteString(strings.Join(s.ddl, "\n") + "\n" + s.yaml(w.has))
	}
	return b.String()
}
