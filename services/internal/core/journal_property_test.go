package core_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
)

// TestEveryJournalCanBeRead proves that no sequence of facts makes a reader panic: one that
// was altered, cut or put in another order is still folded, for whoever must look at it.
func TestEveryJournalCanBeRead(t *testing.T) {
	t.Parallel()
	var pool []core.Event
	types := core.FactTypes()
	for _, name := range slices.Sorted(maps.Keys(types)) {
		for _, example := range examples(t, event.FactType(name)) {
			e, err := core.Decode(name, example)
			if err != nil {
				t.Fatal(err)
			}
			pool = append(pool, e)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var s core.State
		for range rapid.IntRange(1, 40).Draw(t, "facts") {
			s = core.Evolve(s, anyFact(t, pool))
			now := start.Add(time.Duration(rapid.Int64Range(0, 4000*24).Draw(t, "hours")) * time.Hour)
			_, _ = s.Ends()
			_, _, _, _, _ = core.Wake(s), core.Waiting(s), s.Plans(), s.Unwritten(), s.Kept(now)
			_, _, _ = s.Duties(now), s.Told(), s.Allowed(core.Agent, coretest.Calendar{}, now)
			_, _ = core.Decide(s, core.Tick{Now: now})
		}
	})
}

// anyFact returns a fact of the pool in which systems, actions and codes are drawn anew, so
// that facts meet each other's tasks.
func anyFact(t *rapid.T, pool []core.Event) core.Event {
	p := reflect.New(reflect.TypeOf(rapid.SampledFrom(pool).Draw(t, "fact")))
	fact := rapid.SampledFrom(slices.DeleteFunc(slices.Clone(pool), func(e core.Event) bool { return reflect.TypeOf(e) != p.Type().Elem() })).Draw(t, "example")
	p.Elem().Set(reflect.ValueOf(fact))
	systems := []string{"billing", "salesforce", dsar.Aggregator, "nowhere"}
	actions := []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Plan, dsar.Erase, dsar.Prove, dsar.Restrict, dsar.Assemble, "nothing"}
	draw := map[string]func() any{
		"System":  func() any { return rapid.SampledFrom(systems).Draw(t, "system") },
		"Systems": func() any { return rapid.SliceOfN(rapid.SampledFrom(systems), 0, 3).Draw(t, "systems") },
		"Anew":    func() any { return rapid.SliceOfN(rapid.SampledFrom(systems), 0, 3).Draw(t, "anew") },
		"Action":  func() any { return rapid.SampledFrom(actions).Draw(t, "action") },
		"Stage":   func() any { return rapid.SampledFrom(actions).Draw(t, "stage") },
		"Right":   func() any { return rapid.SampledFrom(append(dsar.Rights(), "nothing")).Draw(t, "right") },
		"Code": func() any {
			return rapid.SampledFrom([]string{"", core.CodeCameBack, dsar.CodePlanMissing}).Draw(t, "code")
		},
	}
	for _, name := range slices.Sorted(maps.Keys(draw)) {
		f := p.Elem().FieldByName(name)
		if !f.IsValid() {
			continue
		}
		if v := reflect.ValueOf(draw[name]()); v.Type().AssignableTo(f.Type()) {
			f.Set(v)
		}
	}
	return p.Elem().Interface().(core.Event)
}
