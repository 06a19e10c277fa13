//go:build unfinished

package simulation

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

var (
	seeds = flag.Int("seeds", 1000, "how many runs")
	seed  = flag.Uint64("seed", 0, "play this one seed only")
)

// oncefailed are seeds that have found something; they are played every time.
var onceFailed = []uint64{}

const (
	troubledSteps = 250
	// calmSteps is far more than a run needs once everything works; one that
	// needs more is stuck.
	calmSteps = 20_000
)

// TestSimulation plays seeds until one breaks an invariant.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if *seed > 0 {
		play(t, *seed)
		return
	}
	for _, s := range onceFailed {
		play(t, s)
	}
	var next atomic.Uint64
	for range runtime.GOMAXPROCS(0) {
		t.Run("player", func(t *testing.T) {
			t.Parallel()
			for s := next.Add(1); s <= uint64(*seeds) && !t.Failed(); s = next.Add(1) {
				play(t, s)
			}
		})
	}
}

func play(t *testing.T, seed uint64) {
	t.Helper()
	w := newWorld(t, seed)
	ctx := t.Context()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d; repeat it with: go test ./services/internal/simulation -seed=%d\n%s", seed, seed, strings.Join(w.history, "\n"))
		}
	}()
	w.submitAll(ctx)
	for range troubledSteps {
		w.step(ctx)
	}
	w.calm = true
	for _, s := range w.systems {
		s.calm = true
	}
	w.submitAll(ctx) // upstream tries again until it has its answer
	for i := 0; w.open(ctx) > 0; i++ {
		if i > calmSteps {
			t.Errorf("%d requests have not ended after %d calm steps: %s", w.open(ctx), i, w.standing(ctx))
			return
		}
		w.step(ctx)
	}
	w.check(ctx)
}

// submitAll has upstream submit the run's requests; some are lost on the way
// and some come twice.
func (w *world) submitAll(ctx context.Context) {
	if w.asked == nil {
		rights := []dsar.Right{dsar.Access, dsar.Erasure, dsar.Portability, dsar.Access}
		for p := range people {
			w.asked = append(w.asked, asked{uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, p)).String(), rights[w.rng.IntN(len(rights))], p})
		}
	}
	for _, a := range w.asked {
		for range 1 + w.rng.IntN(2) {
			w.restartAfter(w.submit(ctx, a))
		}
	}
}

// submit does what intake does behind its doors.
func (w *world) submit(ctx context.Context, a asked) error {
	if err := w.crash(); err != nil {
		return err
	}
	keys, err := w.vault.CreateKeys(ctx, a.id)
	if err != nil {
		return err
	}
	value := email(a.person)
	sealed, err := keys.Seal([]byte(value), "identifier")
	if err != nil {
		return err
	}
	accepted := dsar.Accepted{
		RequestID: a.id, Right: a.right, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: w.clock.now(), DueAt: start.AddDate(0, 1, 0), Source: "simulation", Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: w.vault.Fingerprint("email", value), Sealed: sealed, Verified: true}},
	}
	for _, s := range w.systems {
		accepted.Systems = append(accepted.Systems, s.manifest.Definition())
	}
	_, err = w.requests.Accept(ctx, accepted)
	return err
}

// check holds the end of a run against what must always be.
func (w *world) check(ctx context.Context) {
	for _, a := range w.asked {
		facts, err := w.journal.Facts(ctx, a.id, 1)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := journal.VerifyChain(facts); err != nil {
			w.t.Errorf("request %s: %v", a.id, err)
		}
		w.checkFold(ctx, a, facts)
		w.checkBundle(ctx, a)
	}
	w.checkSystems()
}

// checkFold folds the journal anew: that is the state that everybody sees.
func (w *world) checkFold(ctx context.Context, a asked, facts []journal.Fact) {
	var events []dsar.Event
	completed := 0
	for _, f := range facts {
		e, err := dsar.Decode(f.Type, f.Data)
		if err != nil {
			w.t.Fatal(err)
		}
		if e.Type() == (dsar.Completed{}).Type() {
			completed++
		}
		events = append(events, e)
	}
	folded := dsar.Fold(events)
	remembered, err := lifecycle.New(w.journal).State(ctx, a.id)
	if err != nil || !reflect.DeepEqual(folded, remembered) {
		w.t.Errorf("request %s: the fold of the journal isn't the state: %v", a.id, err)
	}
	row, err := w.journal.Row(ctx, a.id)
	if err != nil || row.Status != string(folded.Status) || row.Status != string(dsar.StatusCompleted) || completed != 1 || len(row.Waiting) > 0 {
		w.t.Errorf("request %s ended as %+v, %d times; its facts say %s", a.id, row, completed, folded.Status)
	}
}

// checkBundle opens the answer: every record of the person once, nobody else's.
func (w *world) checkBundle(ctx context.Context, a asked) {
	r, err := aggregator.OpenBundle(ctx, w.vault, w.outbox, a.id)
	if err != nil {
		w.t.Errorf("request %s: %v", a.id, err)
		return
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		w.t.Errorf("request %s: %v", a.id, err)
		return
	}
	if a.right == dsar.Erasure {
		return
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		w.t.Errorf("request %s: %v", a.id, err)
		return
	}
	for _, s := range w.systems {
		want := []int{}
		for _, r := range w.seeded[s.manifest.System] {
			if w.isOf(r, a.person) {
				want = append(want, r.id)
			}
		}
		slices.Sort(want)
		got := records(w.t, archive, s.manifest.System)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			w.t.Errorf("request %s of person %d: the bundle holds the records %v of %s, want %v", a.id, a.person, got, s.manifest.System, want)
		}
	}
}

func records(t testing.TB, archive *zip.Reader, system string) []int {
	ids := []int{}
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, "/data/"+system+"/things.json") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var rows []struct{ ID int }
		if err := json.NewDecoder(r).Decode(&rows); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// isOf tells whether a record is the person's, and can be found by who knows
// their address: the last person has no account.
func (w *world) isOf(r row, person int) bool {
	return r.owner == email(person) || r.owner == account(person) && person < people-1
}

// checkSystems looks into the systems themselves: what had to go is gone, once;
// everything else is there.
func (w *world) checkSystems() {
	for _, s := range w.systems {
		name := s.manifest.System
		left := map[int]bool{}
		for _, r := range s.rows {
			left[r.id] = true
		}
		for id, r := range w.seeded[name] {
			gone := slices.ContainsFunc(w.asked, func(a asked) bool { return a.right == dsar.Erasure && w.isOf(r, a.person) }) && !r.retained
			if gone == left[id] {
				w.t.Errorf("%s: record %d: there %v, to be gone %v", name, id, left[id], gone)
			}
			if s.erased[id] > 1 {
				w.t.Errorf("%s: record %d was destroyed %d times", name, id, s.erased[id])
			}
		}
	}
}

func (w *world) standing(ctx context.Context) string {
	var out []string
	for _, a := range w.asked {
		row, _ := w.journal.Row(ctx, a.id)
		out = append(out, fmt.Sprintf("%s %s: %s, waits for %v, wakes %s", a.id, a.right, row.Status, row.Waiting, row.WakeAt.Format(time.RFC3339)))
	}
	return strings.Join(out, "; ")
}
